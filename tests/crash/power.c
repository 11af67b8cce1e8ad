/* power: stands in for fsync() and fdatasync() in an itemfs that is built for test_power.c, and notes what has reached the disk.
 *
 * Notes go, appended, to the file that ITEMFS_SYNCED names: how long a file was when it was synced, which names a directory had, and what was unlinked (power.h). Each is
 * written before the call returns, so before anyone can be told that something is durable. The real calls are left out: nobody cuts the power.
 */
#include "tests/crash/power.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd);
int fdatasync(int fd);
int unlink(const char *path);

static void note(enum power_event event, ino_t inode, off_t length)
{
	const char *path = getenv("ITEMFS_SYNCED");
	struct power_note notes = {event, inode, length};
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd < 0 || write(fd, &notes, sizeof notes) != (ssize_t)sizeof notes)
		abort();
	close(fd);
}

static void note_names(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = again < 0 ? NULL : fdopendir(again);
	if (!listing)
		abort();
	for (struct dirent *entry; (entry = readdir(listing));)
		if (entry->d_type == DT_REG)
			note(POWER_NAMED, entry->d_ino, 0);
	closedir(listing);
}

int fsync(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		note_names(fd);
	else
		note(POWER_SYNCED, st.st_ino, st.st_size);
	return 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

int unlink(const char *path)
{
	struct stat st;
	int found = lstat(path, &st);
	int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	if (result == 0 && found == 0)
		note(POWER_UNLINKED, st.st_ino, 0);
	return result;
}
