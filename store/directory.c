#include "store/directory.h"
#include "store/log_check.h"
#include "store/orphans.h"
#include "store/room.h"
#include "store/oserror.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the directory's own name durable. */
static enum rc sync_parent(const char *path)
{
	enum rc rc = RC_OK;
	char *up;
	int fd;

	if (asprintf(&up, "%s/..", path) < 0)
		return RC_NO_MEMORY;
	fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(up);
	if (fd < 0)
		return RC_OK; /* a parent that we may write and not read: its owner's choice */
	if (fsync(fd) < 0)
		rc = rc_of_errno(errno);
	close(fd);
	return rc;
}

static DIR *list_directory(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing;

	if (fd < 0)
		return NULL;
	listing = fdopendir(fd);
	if (!listing)
		close(fd);
	return listing;
}

/* Where there is no CURRENT, LevelDB would make a new store and remove the tables it finds. So only what a creation
 * that was cut short leaves may be there. */
static enum rc check_creatable(int dir, const char *path, struct why *why)
{
	static const char *const harmless[] = {
	    ".", "..", "LOCK", "LOG", "LOG.old", "MANIFEST-000001", "000001.dbtmp", "lost+found"};
	const size_t harmless_n = sizeof(harmless) / sizeof(harmless[0]);
	DIR *listing = list_directory(dir);
	struct dirent *entry;
	enum rc rc = RC_OK;

	if (!listing)
		return why_errno(why, errno, path);
	while (!rc && (entry = readdir(listing))) {
		const char *name = entry->d_name;
		const char *dot = strrchr(name, '.');
		size_t i = 0;

		while (i < harmless_n && strcmp(name, harmless[i]) != 0)
			i++;
		if (i < harmless_n)
			continue;
		if (strncmp(name, "MANIFEST-", 9) == 0 || (dot && (!strcmp(dot, ".ldb") || !strcmp(dot, ".log"))))
			rc = why_set(why, RC_CORRUPT, "%s holds %s of a store whose file CURRENT is missing", path,
				     name);
		else
			rc = why_set(why, RC_NOT_EMPTY, "%s is no store, and holds other things (%s)", path, name);
	}
	closedir(listing);
	return rc;
}

/* Is there a store, or may one be made? */
static enum rc check_store(int dir, const char *path, bool create, struct why *why)
{
	struct stat st;
	enum rc rc;

	if (fstatat(dir, "CURRENT", &st, 0) == 0)
		return RC_OK;
	if (errno != ENOENT)
		return why_errno(why, errno, path);
	rc = check_creatable(dir, path, why);
	if (create || rc == RC_CORRUPT)
		return rc;
	return why_set(why, RC_NOT_FOUND, "%s: there is no store in it", path);
}

static enum rc check_logs(int dir, const char *path, struct why *why)
{
	struct why inner = {.line = 0};
	enum rc rc = log_check(dir, &inner);

	return rc ? why_set(why, rc, "%s: %s", path, inner.text) : RC_OK;
}

/* LevelDB's own lock comes too late: log_check() may cut a log, which nobody else may be writing. Where the file system
 * knows no such lock, LevelDB's must do, without that check. */
static enum rc lock_and_check(int dir, const char *path, bool create, struct why *why)
{
	bool locked = flock(dir, LOCK_EX | LOCK_NB) == 0;
	enum rc rc;

	if (!locked && errno == EWOULDBLOCK)
		return why_set(why, RC_BUSY, "%s is in use", path);
	rc = check_store(dir, path, create, why);
	if (!rc && locked)
		rc = check_logs(dir, path, why);
	if (!rc && locked && !room_to_open(dir))
		orphans_remove(dir); /* what fails here, LevelDB tries again */
	return rc;
}

enum rc directory_again(int dir)
{
	enum rc rc;

	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return RC_OK;
	rc = log_check(dir, NULL);
	if (!rc)
		orphans_remove(dir);
	return rc;
}

enum rc directory_open(const char *path, bool create, int *ret_dir, struct why *why)
{
	enum rc rc = RC_OK;
	int dir;

	if (create && mkdir(path, 0700) == 0)
		rc = sync_parent(path);
	else if (create && errno != EEXIST)
		return why_errno(why, errno, path);
	if (rc)
		return why_set(why, rc, "%s: its name cannot be made durable", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return why_errno(why, errno, path);
	rc = lock_and_check(dir, path, create, why);
	if (rc) {
		close(dir);
		return rc;
	}
	*ret_dir = dir;
	return RC_OK;
}
