/* leveldb_write: the batches of store.h, and how they are written.
 *
 * A batch whose write failed is not there after the next open: what there is of it in the log is no whole record, or is cut off (write_durable()). No
 * write is taken after it: a full disk may have left half a record in the log, LevelDB would append the next one behind that, and no reader would
 * find it there. After a failed sync, and after a merge of tables that found no room, LevelDB refuses all writes by itself. Reads go on in all these
 * cases. What is done about a disk that is full, and when LevelDB is opened anew, is told in recovery.h.
 *
 * Locks, in this order: `writing` (one write at a time), recovery's.
 */
#include "store/leveldb_private.h"
#include <stdlib.h>

#define ROW_IN_MEMTABLE       64
#define SMALLEST_WRITE_BUFFER ((size_t)64 << 10) /* less is taken for this */

struct store_batch {
	leveldb_writebatch_t *changes;
	size_t bytes; /* about */
	size_t rows;
	bool empty;
	bool frees;
	struct range freed; /* what it deletes, where it frees */
};

/* ---- batches ---- */

enum rc store_batch_new(struct store *store, struct store_batch **ret_batch)
{
	struct store_batch *batch = calloc(1, sizeof(*batch));

	(void)store;
	if (!batch)
		return RC_NO_MEMORY;
	batch->changes = leveldb_writebatch_create();
	batch->empty = true;
	*ret_batch = batch;
	return RC_OK;
}

void store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	leveldb_writebatch_destroy(batch->changes);
	range_free(&batch->freed);
	free(batch);
}

void store_batch_clear(struct store_batch *batch)
{
	leveldb_writebatch_clear(batch->changes);
	batch->bytes = 0;
	batch->rows = 0;
	batch->empty = true;
	batch->frees = false;
	range_clear(&batch->freed);
}

void store_batch_frees(struct store_batch *batch)
{
	batch->frees = true;
}

void store_batch_put(struct store_batch *batch, const void *key, size_t n, const void *value, size_t value_n)
{
	leveldb_writebatch_put(batch->changes, key, n, value, value_n);
	batch->bytes += n + value_n;
	batch->rows++;
	batch->empty = false;
}

void store_batch_delete(struct store_batch *batch, const void *key, size_t n)
{
	leveldb_writebatch_delete(batch->changes, key, n);
	batch->bytes += n;
	batch->rows++;
	batch->empty = false;
	if (batch->frees)
		range_add(&batch->freed, key, n);
}

/* ---- what fills a memtable ---- */

/* Never less than it is. A row takes its bytes, two lengths, a number, and a node of its skip list: one pointer and one for each level that it is in,
 * 4/3 on average (we count two). */
static uint64_t fills(const struct store_batch *batch)
{
	return batch->bytes + batch->rows * (uint64_t)ROW_IN_MEMTABLE;
}

/* A sixteenth of the whole is for chance in those levels. Its blocks are of 4096, and at most a quarter of one is left empty. */
uint64_t store_memtable_fills_at(size_t write_buffer)
{
	if (write_buffer < SMALLEST_WRITE_BUFFER)
		write_buffer = SMALLEST_WRITE_BUFFER;
	return (write_buffer - write_buffer / 16 - 4096) / 4 * 3;
}

/* ---- writing ---- */

/* Never beside another: after a write that failed in the middle of a record none must follow, and LevelDB would take
 * one that is waiting already. Its merging of writes that wait is no loss: whoever commits does that (index/). */
static enum rc append(struct store *store, struct store_batch *batch, bool durable)
{
	bool first = log_sync_may_begin_first(&store->sync, fills(batch));
	struct own_name own;
	char *message = NULL;
	enum rc rc;

	__atomic_add_fetch(&store->batches, 1, __ATOMIC_RELAXED);
	if (first)
		own = store_lend_name();
	leveldb_write(store->db, store->write[durable], batch->changes, &message);
	if (first)
		store_take_name_back(&own);
	rc = store_rc_of_message(message, NULL);
	if (rc)
		recovery_failed(&store->recovery, rc);
	return rc;
}

/* A batch whose sync failed stands whole in the log, and would be there after the next open: it is cut off again, so that a
 * failed write has failed. */
static enum rc write_durable(struct store *store, struct store_batch *batch)
{
	struct log_end end;
	enum rc rc = log_sync_settle(&store->sync);

	if (!rc)
		rc = logs_end(store->dir, &end);
	if (rc)
		return rc;
	rc = append(store, batch, true);
	if (rc && logs_cut(store->dir, &end) != RC_OK)
		recovery_give_up(&store->recovery);
	return rc ? rc : log_sync_wrote(&store->sync, fills(batch), true); /* the name of the log, where one was begun */
}

static enum rc write_soon(struct store *store, struct store_batch *batch)
{
	enum rc rc = log_sync_broken(&store->sync);

	if (!rc)
		rc = append(store, batch, false);
	return rc ? rc : log_sync_wrote(&store->sync, fills(batch), false);
}

static enum rc write_batch(struct store *store, struct store_batch *batch, bool durable)
{
	enum rc rc = recovery_make_room(&store->recovery, batch->bytes, batch->frees);

	if (!rc)
		rc = recovery_enter(&store->recovery);
	if (rc)
		return rc;
	rc = durable ? write_durable(store, batch) : write_soon(store, batch);
	recovery_leave(&store->recovery);
	if (!rc)
		recovery_freed(&store->recovery, &batch->freed);
	return rc;
}

enum rc store_write(struct store *store, struct store_batch *batch, bool durable)
{
	enum rc rc;

	if (batch->empty)
		return durable ? store_sync(store) : log_sync_broken(&store->sync);
	pthread_mutex_lock(&store->writing);
	rc = recovery_mend(&store->recovery);
	if (!rc)
		rc = write_batch(store, batch, durable);
	pthread_mutex_unlock(&store->writing);
	return rc;
}

enum rc store_sync(struct store *store)
{
	enum rc rc = log_sync_settle(&store->sync);

	if (rc != RC_NO_SPACE)
		return rc;
	pthread_mutex_lock(&store->writing);
	rc = recovery_mend(&store->recovery); /* opening it anew syncs all that was taken */
	pthread_mutex_unlock(&store->writing);
	return rc ? rc : log_sync_settle(&store->sync);
}

bool store_waits(struct store *store)
{
	return recovery_waits(&store->recovery);
}
