/* salvage: makes a copy of a damaged LevelDB directory that LevelDB's own repair can be trusted with.
 *
 * That repair believes logs unchecked: it would bring back values with flipped bits. It never changes a table in place, but writes a new one. So the
 * copy has links to the tables (or copies, where there are no links), no manifest, as the repair makes its own, and the logs written anew, with those records only that fit their checksum.
 *
 * Tables that were merged already, and logs that became tables, are left out where the manifest is whole and all that it names is there (manifest.h): they hold what was overwritten or deleted since.
 * Otherwise nobody knows which these are, and all that is there counts.
 *
 * After a record that does not fit, what follows in its block of 32 KiB is kept if it is records up to the block's end, each of which fits and goes on in the order of batches:
 * then only bytes between were damaged. Otherwise its length may be what was damaged, and the next block is where records surely begin.
 */
#ifndef ITEMFS_STORE_SALVAGE_H
#define ITEMFS_STORE_SALVAGE_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdio.h>

/* Makes the directory `copy`, which is not there yet. A line to `out` for each part of a log that is left out. RC_BUSY: somebody has `path` open. */
enum rc salvage_files(const char *path, const char *copy, FILE *out, struct why *why);

#endif
