/* directory: the directory of a LevelDB store, and what must be true of it before LevelDB may have it.
 *
 * 1. A store is made only where there is nothing of anybody else's, and never over one that has lost its CURRENT:
 *    LevelDB would remove the tables it finds.
 * 2. One of us at a time (a lock on the directory, held as long as it is open, and let go by the system if we die).
 * 3. Its logs and manifest are undamaged (log_check.h).
 * 4. Where the disk is short of room, what merges that failed have left is gone (orphans.h).
 */
#ifndef ITEMFS_STORE_DIRECTORY_H
#define ITEMFS_STORE_DIRECTORY_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>

/* The caller closes *ret_dir, after LevelDB is closed. */
enum rc directory_open(const char *path, bool create, int *ret_dir, struct why *why);

/* 3 and 4 once more, in a directory that is held and that LevelDB has just closed. */
enum rc directory_again(int dir);

#endif
