/* manifest: what LevelDB's manifest says about a directory: which tables and which logs count. It is only read here. Private to this room.
 *
 * A manifest counts only where it is whole: every record fits its checksum, to the file's last byte, and it says all that LevelDB wants of one. One
 * that was cut names tables that are gone, or does not name those that came since.
 *
 * A manifest that was cut just between two records looks whole, but is out of date. The records that it lacks are about logs that became tables, and
 * about tables that were merged (or moved to another level, which keeps the file). LevelDB removes the old files once such a record is on the disk.
 * So where every file that the manifest names is there, nothing is lost by believing it.
 */
#ifndef ITEMFS_STORE_MANIFEST_H
#define ITEMFS_STORE_MANIFEST_H

#include "store/model/rc.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manifest {
	uint64_t *tables; /* the numbers of those that count */
	size_t n, cap;
	uint64_t log, previous_log; /* logs from `log` on count, and the previous one (0: none) */
	unsigned said;              /* which fields there were, a bit each */
};

/* Of the one that CURRENT names. RC_CORRUPT: it is not whole; RC_NOT_FOUND: there is none. */
enum rc manifest_read(int dir, struct manifest *ret_manifest);
void manifest_free(struct manifest *manifest);

bool manifest_counts(const struct manifest *manifest, uint64_t table);
bool manifest_needs_log(const struct manifest *manifest, uint64_t log);

/* Whether all that it names is in the directory. */
bool manifest_is_latest(const struct manifest *manifest, int dir);

/* Of a table's file. False: it is none. */
bool table_number(const char *name, uint64_t *ret_number);

#endif
