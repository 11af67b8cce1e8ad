/* backfill: fills an index that was added to a table with items, in the background, while reads and writes go on.
 *
 * How it stays exact: the filling goes through the items in the order of their rows, which is the order of keys; its cursor is the last item that it
 * has passed, and the index holds the entries of all items up to the cursor and of no others. In one commit a batch reads the next items, writes
 * their entries and moves the cursor. A write of an item at or before the cursor changes the index as any index; a write of an item behind it leaves
 * the index alone, for the filling will get there. Both read the cursor within their commits, which come one after the other: so no entry is written
 * twice or missed, the counters are exact, and a crash leaves a cursor to go on from (store/catalog.h, struct build_record).
 *
 * Items that do not fit (a key attribute is missing, or has the wrong type, is empty, too long) are skipped and counted, as DynamoDB's backfill does
 * (SEMANTICS.md 6.2). A write of an item that does not fit is refused from the moment the index is defined, wherever the cursor stands; DynamoDB does
 * not say what it does meanwhile.
 *
 * Until it is filled an index cannot be read: RC_AGAIN. Several may be filled at once (DynamoDB: one a table). Those of one table whose cursors stand
 * at the same item are filled by one walk.
 */
#ifndef ITEMFS_BACKFILL_H
#define ITEMFS_BACKFILL_H

#include "index/table.h"
#include "index/volume.h"
#include "store/model/why.h"

/* IndexStatus of DescribeTable. An index that was dropped is gone at once (its space is freed in the background), so there is no DELETING. */
enum backfill_status { BACKFILL_CREATING, BACKFILL_ACTIVE };

struct backfill_progress {
	enum backfill_status status; /* CREATING also means Backfilling: there is no time before it */
	bool online;                 /* it was added to a table with items; false: it came with its table, and the rest is zero */
	uint64_t total;              /* items in the table now */
	uint64_t done;               /* items that the filling has come past. While items come and go it is no exact part of `total` */
	uint64_t skipped;            /* of those: the ones without an entry, */
	uint64_t misfits;            /* and of these: the ones whose value has the wrong type, is empty or too long; the others lack an attribute */
	int64_t started, finished;   /* ns since the epoch; finished: 0 while CREATING */
	double percent;              /* 0 to 100 */
	double rate;                 /* items a second, over the time that it was at work */
	int64_t seconds_left;        /* by that rate; -1: not known yet */
	enum rc trouble;             /* why it does not get on at the moment (RC_NO_SPACE: the disk is full; it tries again by itself); RC_OK: it does, or is ACTIVE */
};

/* RC_NOT_FOUND: no such index; RC_STALE: the table is gone. */
enum rc backfill_progress(struct table *table, const struct view *view, const char *index, struct backfill_progress *ret_progress);

/* Whether the index can be read. RC_AGAIN: it is being filled, and why says how far that is; RC_NOT_FOUND, RC_STALE. */
enum rc backfill_ready(struct table *table, const struct view *view, const char *index, struct why *why);

#endif
