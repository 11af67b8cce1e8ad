/* orphans: tables in a LevelDB directory that its manifest does not count.
 *
 * A merge of tables that finds no room leaves unfinished tables behind. LevelDB removes them when it is opened the next time, but only after it has
 * written new files: on a disk that these orphans have filled it cannot be opened at all. So there we remove them first. They are exactly what
 * LevelDB itself would remove: a table is in no version if no record of the manifest adds it, or one takes it away. A manifest that is not whole to
 * its last byte, or lacks something that LevelDB wants in one, counts for nothing here: it may have been cut, and the tables that it no longer names
 * are what a repair needs.
 */
#ifndef ITEMFS_STORE_ORPHANS_H
#define ITEMFS_STORE_ORPHANS_H

#include "store/model/rc.h"
#include <stdint.h>

/* How many bytes they are. While LevelDB is open this may count what a merge is just making. */
enum rc orphans_bytes(int dir, uint64_t *ret_bytes);

/* Removes them. Only while LevelDB is closed, and log_check() has found nothing. What it cannot understand it leaves alone: RC_CORRUPT. */
enum rc orphans_remove(int dir);

#endif
