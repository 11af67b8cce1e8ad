/* salvage: makes a copy of a damaged LevelDB directory that LevelDB's own repair can be trusted with.
 *
 * That repair believes logs unchecked: it would bring back values with flipped bits. It never changes a table in place, but writes a new one. So the
 * copy has links to the tables (or copies of them, where links are not possible); no manifest, because the repair makes its own; and new logs, which
 * hold only the records whose checksum is right.
 *
 * Where the manifest is whole and every file that it names is there (manifest.h), tables that were merged already and logs that became tables are
 * left out, as they hold rows that were overwritten or deleted since. Otherwise nobody knows which files those are, and every file counts.
 *
 * After a record that does not fit, what follows in its block of 32 KiB is kept if it is records up to the block's end, each of which fits and goes
 * on in the order of batches: then only bytes between were damaged. Otherwise its length may be what was damaged, and the next block is where records
 * surely begin.
 */
#ifndef ITEMFS_STORE_SALVAGE_H
#define ITEMFS_STORE_SALVAGE_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdio.h>

/* Makes the directory `copy`, which is not there yet. A line to `out` for each part of a log that is left out. RC_BUSY: somebody has `path` open. */
enum rc salvage_files(const char *path, const char *copy, FILE *out, struct why *why);

#endif
