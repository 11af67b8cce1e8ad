/* alone: see alone.h. */
#include "tests/alone.h"

#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool say(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool said = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return said;
}

static bool become_alone(void)
{
	char map[64];
	unsigned uid = getuid();

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	snprintf(map, sizeof map, "0 %u 1", uid);
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && say("/proc/self/uid_map", map);
}

/* True where there was one. The list changes as mounts go, so it is read from its beginning each time. */
static bool let_go_of_one(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool gone = false;

	if (!mounts)
		return false;
	for (struct mntent *m; !gone && (m = getmntent(mounts));)
		gone = (strcmp(m->mnt_type, "fuse") == 0 || strncmp(m->mnt_type, "fuse.", 5) == 0) && umount2(m->mnt_dir, MNT_DETACH) == 0;
	endmntent(mounts);
	return gone;
}

bool alone(void)
{
	if (!become_alone() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	while (let_go_of_one())
		;
	return true;
}
