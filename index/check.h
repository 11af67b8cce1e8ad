/* check: proves the invariants of rows.h on a volume: the core of fsck.itemfs.
 */
#ifndef ITEMFS_CHECK_H
#define ITEMFS_CHECK_H

#include "index/volume.h"
#include <stdio.h>

/* Checks every row of the volume in one view: each row reads; each document parses and agrees with its path; each item has exactly its index entries,
 * with exactly the projected bytes; bodies and heads belong together; counters count. Prints each disagreement to `out`, a line each; with `verbose`
 * also a line a table. *ret_problems is how many there were. Anything but RC_OK: the check could not be finished. */
enum rc check_volume(struct volume *volume, FILE *out, bool verbose, unsigned long *ret_problems);

#endif
