/* log_check: looks through LevelDB's logs and its manifest before LevelDB does, for what LevelDB would believe.
 *
 * LevelDB's reader takes a record that is longer than the file for the last one of a writer that died, and silently
 * drops it and all behind it. A single flipped bit in a length makes one. It also passes over a run of zeros within a
 * log in silence; and it refuses a log that ends in one as some file systems leave it after a loss of power (the
 * length was on the disk, the bytes were not), though that is as innocent as a log that was cut. So:
 *
 * 1. A record that is too long, and whose checksum fits another length, is damage.
 * 2. Zeros, where a record should be or from a page boundary within one, up to the end of the file: the writer's or
 *    the power's end. The file is cut before that record, where LevelDB would not open it as it is.
 * 3. All else that does not fit its checksum is damage, and so is a zero header before something else.
 * 4. In logs each batch carries its first sequence number and how many changes it has. The next batch goes on from
 *    there, be it in the next log. Where one does not, some are missing between, and LevelDB would not mind.
 * 5. The log that the manifest names (the first that is not in tables yet) is there. LevelDB makes a log before it
 *    names it, syncs the directory before the manifest, and removes only older ones, so one that is missing was removed
 *    by somebody; LevelDB would begin another in silence. That is asked of a whole manifest only. A new store's names
 *    none (0), nor does a repaired one's.
 *
 * The format: blocks of 32 KiB; in each, records of a header (checksum of what follows the length, 4 bytes; length, 2;
 * type, 1) and bytes, none across a block's end; a longer one is several (first, middle…, last). Little-endian.
 */
#ifndef ITEMFS_STORE_LOG_CHECK_H
#define ITEMFS_STORE_LOG_CHECK_H

#include "store/model/rc.h"
#include "store/model/why.h"

/* Checks all logs and the current manifest in `dir`, which nobody else may have open. RC_CORRUPT: why says which and
 * where. */
enum rc log_check(int dir, struct why *why);

#endif
