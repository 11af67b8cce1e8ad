/* paths: see paths.h. */
#include "fs/paths.h"

#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The canonical form of a path whose last component does not exist yet. */
static enum rc resolve_new(const char *path, char **ret_absolute, struct why *why)
{
	char *copy = strdup(path), *parent = NULL, *slash;
	const char *directory, *name;
	enum rc rc = RC_OK;

	if (copy == NULL)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	name = slash != NULL ? slash + 1 : copy;
	if (slash != NULL)
		*slash = '\0';
	directory = slash == NULL ? "." : slash == copy ? "/" : copy;
	parent = realpath(directory, NULL);
	if (parent == NULL)
		rc =
		    why_set(why, RC_NOT_FOUND, "VOLUME %s cannot be created: %s: %s", path, directory, strerror(errno));
	else if (asprintf(ret_absolute, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name) < 0)
		rc = why_set(why, RC_NO_MEMORY, "out of memory");
	free(parent);
	free(copy);
	return rc;
}

enum rc paths_of_volume(const char *path, bool may_be_new, char **ret_absolute, struct why *why)
{
	struct stat attributes;
	char *absolute = realpath(path, NULL);

	if (absolute == NULL && errno == ENOENT && may_be_new)
		return resolve_new(path, ret_absolute, why);
	if (absolute == NULL)
		return why_set(why, RC_NOT_FOUND, "VOLUME %s: %s", path, strerror(errno));
	if (stat(absolute, &attributes) == 0 && S_ISDIR(attributes.st_mode)) {
		*ret_absolute = absolute;
		return RC_OK;
	}
	free(absolute);
	return why_set(why, RC_INVALID, "VOLUME %s is not a directory", path);
}

static enum rc refuse_mountpoint(const char *path, int error, struct why *why)
{
	if (error == ENOTCONN)
		return why_set(why, RC_BUSY,
			       "MOUNTPOINT %s is a mount whose daemon is gone: run `fusermount3 -u %s` first", path,
			       path);
	return why_set(why, RC_INVALID, "MOUNTPOINT %s: %s", path, strerror(error));
}

enum rc paths_of_mountpoint(const char *path, char **ret_absolute, struct why *why)
{
	struct stat attributes;
	char *absolute = realpath(path, NULL);
	enum rc rc = RC_OK;

	if (absolute == NULL)
		return refuse_mountpoint(path, errno, why);
	if (stat(absolute, &attributes) != 0)
		rc = refuse_mountpoint(path, errno, why);
	else if (!S_ISDIR(attributes.st_mode))
		rc = why_set(why, RC_INVALID, "MOUNTPOINT %s is not a directory", path);
	else if (paths_is_mounted("/proc/self/mounts", absolute))
		rc =
		    why_set(why, RC_BUSY,
			    "MOUNTPOINT %s is already a mount of itemfs; `fusermount3 -u %s` would end it", path, path);
	if (rc == RC_OK)
		*ret_absolute = absolute;
	else
		free(absolute);
	return rc;
}

bool paths_is_mounted(const char *mounts, const char *path)
{
	enum { ROOM = 4 * PATH_MAX };
	struct mntent entry;
	bool is_itemfs = false;
	FILE *list = setmntent(mounts, "re");
	char *room = malloc(ROOM);

	/* Later lines lie on top of earlier ones. */
	while (list != NULL && room != NULL && getmntent_r(list, &entry, room, ROOM) != NULL)
		if (strcmp(entry.mnt_dir, path) == 0)
			is_itemfs = strcmp(entry.mnt_type, "fuse.itemfs") == 0;
	free(room);
	if (list != NULL)
		endmntent(list);
	return is_itemfs;
}

bool paths_lies_in(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (strcmp(outer, "/") == 0)
		return true;
	return strncmp(inner, outer, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}
