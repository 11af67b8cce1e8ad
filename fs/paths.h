/* paths: whether VOLUME and MOUNTPOINT, as they were typed, can be what they are to be, and which directories they mean. It looks, and changes nothing. */
#ifndef ITEMFS_PATHS_H
#define ITEMFS_PATHS_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>

/* The absolute canonical path of a volume; the caller frees it. With `may_be_new` the volume itself need not exist; the directory it would be made in must.
 * RC_NOT_FOUND, RC_INVALID with why: no directory. RC_NO_MEMORY. */
enum rc paths_of_volume(const char *path, bool may_be_new, char **ret_absolute, struct why *why);

/* The same of a mountpoint, which must be a directory. RC_BUSY with why: an itemfs is mounted there already, or one whose daemon is gone; RC_INVALID. */
enum rc paths_of_mountpoint(const char *path, char **ret_absolute, struct why *why);

/* Whether what is mounted at the absolute `path`, on top, is an itemfs. `mounts` names a list as /proc/self/mounts is one. */
bool paths_is_mounted(const char *mounts, const char *path);

/* Whether the absolute canonical path `inner` is `outer` or lies below it. */
bool paths_lies_in(const char *inner, const char *outer);

#endif
