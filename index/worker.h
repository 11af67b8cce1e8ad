/* worker: the one thread of a volume that works by itself: it collects what is dead (collect.c) and fills indexes (backfill.c). Internal to index/.
 *
 * It works in short batches, and checks between them whether it is to stop. While others commit, it rests after each batch for as long as the batch
 * took, so that it takes at most half of the queue's time.
 */
#ifndef ITEMFS_WORKER_H
#define ITEMFS_WORKER_H

#include "index/private.h"

enum rc worker_start(struct volume *volume, unsigned build_rate); /* items a second that it fills at most; 0: no limit */
void worker_stop(struct volume *volume);                          /* waits for its thread; nothing is lost: the next mount goes on */
/* There may be something to do. A volume that was opened passive has no worker: then this does nothing. */
void worker_wake(struct volume *volume);

/* Where the collecting stands, between its batches (collect.c). */
struct collection {
	uint32_t table, index; /* what is being deleted; 0, 0: nothing */
	bool bodies;           /* the second range of an index */
	struct buf low;        /* from where on */
	uint32_t after_table, after_index; /* could not be deleted: the list is looked at from there on, and then from its start again */
};
/* One batch. RC_OK: there may be more; RC_NOT_FOUND: nothing is dead; RC_AGAIN: a definition is changing, and when that is over the worker is woken. */
enum rc collect_step(struct volume *volume, struct collection *collection);

/* A batch within a commit that runs alone, because it reads a range (backfill.c). */
struct filling {
	const struct schema *schema;
	uint32_t building;  /* of its indexes, by place: those that are being filled; not 0 */
	unsigned limit;     /* items at most */
	uint64_t worked;    /* ns that went by since the last batch */
	uint32_t finished;  /* out: of those, the ones that came to the end of the table */
	unsigned items;     /* out: how many it came past */
};
struct change;
enum rc backfill_within(struct change *change, struct filling *filling);

/* One batch of one table, of at most `items` items, with the table's gate held (for reading or writing). *ret_items: how many it came past. RC_OK:
 * done or not, see table->building; RC_NO_SPACE and others: nothing has changed. */
enum rc backfill_batch(struct table *table, unsigned items, unsigned *ret_items);

enum { BACKFILL_BATCH = 128 }; /* items; and a batch also ends after a MiB of documents */

#endif
