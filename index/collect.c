/* collect: deletes, in the background, the rows of tables and indexes that nobody refers to any more (invariant 14).
 *
 * A row 0 'D' names what is dead: a table that was removed, or left behind by an adoption; an index that was dropped; or what a crash left
 * staged, because whatever is staged is written down as dead first and its flip takes that row away. Ids are never used again, so nothing
 * else can be in a dead range, and deleting needs no order with other commits: it goes to the store in small batches, past the queue. What is being staged now is
 * not touched: the collector takes its list at start and when it is woken, and wakes are after flips.
 */
#include "index/private.h"
#include <stdlib.h>

enum { BATCH_ROWS = 1000 };

struct collector {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool work, stop;
};

static bool stopping(struct collector *collector)
{
	pthread_mutex_lock(&collector->lock);
	bool stop = collector->stop;
	pthread_mutex_unlock(&collector->lock);
	return stop;
}

/* Deletes up to a batch of the range; *ret_done where nothing is left of it. */
static enum rc delete_some(struct volume *volume, const struct buf *low, const struct buf *high, bool *ret_done)
{
	struct store_cursor *cursor = NULL;
	struct store_batch *batch = NULL;
	int rows = 0;
	enum rc rc = store_batch_new(volume->store, &batch);
	if (!rc)
		rc = rows_cursor(volume->store, NULL, low, high, &cursor);
	if (!rc)
		store_batch_frees(batch);
	while (!rc && rows < BATCH_ROWS && !(rc = store_cursor_next(cursor))) {
		size_t n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		store_batch_delete(batch, key, n);
		rows++;
	}
	*ret_done = rc == RC_NOT_FOUND;
	store_cursor_close(cursor);
	if ((!rc || *ret_done) && rows)
		rc = store_write(volume->store, batch, false);
	else if (*ret_done)
		rc = RC_OK;
	store_batch_free(batch);
	return rc;
}

static enum rc delete_range(struct volume *volume, struct buf *prefix)
{
	cleanup_buf struct buf high = {0};
	bool done = false;
	enum rc rc = RC_OK;
	buf_add(&high, prefix->data, prefix->len);
	row_after(&high);
	if (high.failed)
		return RC_NO_MEMORY;
	while (!rc && !done && !stopping(volume->collector))
		rc = delete_some(volume, prefix, &high, &done);
	return rc ? rc : done ? RC_OK : RC_AGAIN;
}

static enum rc collect_dead(struct volume *volume, uint32_t table, uint32_t index)
{
	cleanup_buf struct buf prefix = {0};
	if (!index) {
		buf_add_u32(&prefix, table);
		return delete_range(volume, &prefix);
	}
	row_entry(&prefix, table, index, NULL, 0, false);
	enum rc rc = delete_range(volume, &prefix);
	buf_clear(&prefix);
	row_entry(&prefix, table, index, NULL, 0, true);
	return rc ? rc : delete_range(volume, &prefix);
}

/* The next dead range after `last` (0, 0 to start). */
static enum rc next_dead(struct volume *volume, uint32_t *table, uint32_t *index)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	row_dead(&low, *table, *index);
	buf_add_byte(&low, 0); /* right after it */
	row_dead(&high, UINT32_MAX, UINT32_MAX);
	enum rc rc = rows_cursor(volume->store, NULL, &low, &high, &cursor);
	if (!rc)
		rc = store_cursor_next(cursor);
	if (!rc) {
		size_t n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		struct row_reader reader = {key, key + n, false};
		row_read_bytes(&reader, 5);
		*table = row_read_u32(&reader);
		*index = n > 9 ? row_read_u32(&reader) : 0;
		if (reader.bad || !*table)
			rc = RC_CORRUPT; /* table 0 is the volume itself */
	}
	store_cursor_close(cursor);
	return rc;
}

static enum rc forget_dead(struct volume *volume, uint32_t table, uint32_t index)
{
	cleanup_buf struct buf row = {0};
	struct store_batch *batch;
	enum rc rc = store_batch_new(volume->store, &batch);
	if (rc)
		return rc;
	row_dead(&row, table, index);
	store_batch_delete(batch, row.data, row.len);
	rc = store_write(volume->store, batch, false);
	store_batch_free(batch);
	return rc;
}

static void collect_all(struct volume *volume)
{
	uint32_t table = 0, index = 0;
	while (!stopping(volume->collector) && next_dead(volume, &table, &index) == RC_OK) {
		/* While a definition changes, what it stages is in this list too. */
		pthread_mutex_lock(&volume->tables_change);
		cleanup_buf struct buf row = {0}, value = {0};
		row_dead(&row, table, index);
		bool dead = store_get(volume->store, NULL, row.data, row.len, &value) == RC_OK;
		pthread_mutex_unlock(&volume->tables_change);
		if (dead && collect_dead(volume, table, index) == RC_OK)
			forget_dead(volume, table, index);
	}
}

static void *collector_run(void *context)
{
	struct volume *volume = context;
	struct collector *collector = volume->collector;
	pthread_mutex_lock(&collector->lock);
	while (!collector->stop) {
		if (!collector->work) {
			pthread_cond_wait(&collector->wake, &collector->lock);
			continue;
		}
		collector->work = false;
		pthread_mutex_unlock(&collector->lock);
		collect_all(volume);
		pthread_mutex_lock(&collector->lock);
	}
	pthread_mutex_unlock(&collector->lock);
	return NULL;
}

enum rc collector_start(struct volume *volume)
{
	struct collector *collector = calloc(1, sizeof *collector);
	if (!collector)
		return RC_NO_MEMORY;
	pthread_mutex_init(&collector->lock, NULL);
	pthread_cond_init(&collector->wake, NULL);
	collector->work = true;
	volume->collector = collector;
	if (pthread_create(&collector->thread, NULL, collector_run, volume)) {
		free(collector);
		volume->collector = NULL;
		return RC_NO_MEMORY;
	}
	return RC_OK;
}

void collector_wake(struct volume *volume)
{
	struct collector *collector = volume->collector;
	pthread_mutex_lock(&collector->lock);
	collector->work = true;
	pthread_cond_signal(&collector->wake);
	pthread_mutex_unlock(&collector->lock);
}

void collector_stop(struct volume *volume)
{
	struct collector *collector = volume->collector;
	if (!collector)
		return;
	pthread_mutex_lock(&collector->lock);
	collector->stop = true;
	pthread_cond_signal(&collector->wake);
	pthread_mutex_unlock(&collector->lock);
	pthread_join(collector->thread, NULL);
	pthread_cond_destroy(&collector->wake);
	pthread_mutex_destroy(&collector->lock);
	free(collector);
	volume->collector = NULL;
}
