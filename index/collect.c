/* collect: deletes the rows of tables and indexes that nobody refers to any more (invariant 14), a batch at a time.
 *
 * A row 0 'D' names what is dead: a table that was removed, or left behind by an adoption; an index that was dropped; or what a crash left staged,
 * because whatever is staged is written down as dead first and its flip takes that row away. Ids are never used again, so a dead range holds nothing
 * else, and deleting needs no order with other commits: it goes to the store past the queue, with no gate held. A crash in the middle leaves the 'D'
 * row, and the next mount goes on. What is being staged now is not touched: a 'D' row is only taken up while no definition changes, and what is dead
 * then stays dead.
 */
#include "index/worker.h"

enum { BATCH_ROWS = 1000 };

/* The next of what is dead. RC_NOT_FOUND. */
static enum rc next_dead(struct volume *volume, struct collection *c)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	row_dead(&low, c->after_table, c->after_index);
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
		c->table = row_read_u32(&reader);
		c->index = n > 9 ? row_read_u32(&reader) : 0;
		if (reader.bad || !c->table)
			rc = RC_CORRUPT; /* table 0 is the volume itself */
	}
	store_cursor_close(cursor);
	return rc;
}

static void prefix_of(const struct collection *c, struct buf *prefix)
{
	if (c->index)
		row_entry(prefix, c->table, c->index, NULL, 0, c->bodies);
	else
		buf_add_u32(prefix, c->table);
}

/* Takes the first of what is dead. */
static enum rc take(struct volume *volume, struct collection *c)
{
	if (pthread_mutex_trylock(&volume->tables_change)) /* a definition changes: what it stages is in the list, too */
		return RC_AGAIN;
	enum rc rc = next_dead(volume, c);
	pthread_mutex_unlock(&volume->tables_change);
	c->bodies = false;
	buf_clear(&c->low);
	if (!rc)
		prefix_of(c, &c->low);
	else
		c->table = c->after_table = c->after_index = 0;
	return rc;
}

/* Adds up to a batch of deletions; *ret_ended where nothing is left of the range. c->low moves on: seeking it again from the start would pass over
 * all that was deleted. */
static enum rc delete_some(struct volume *volume, struct collection *c, struct store_batch *batch, bool *ret_ended)
{
	cleanup_buf struct buf high = {0};
	struct store_cursor *cursor = NULL;
	int rows = 0;
	prefix_of(c, &high);
	row_after(&high);
	enum rc rc = rows_cursor(volume->store, NULL, &c->low, &high, &cursor);
	while (!rc && rows < BATCH_ROWS && !(rc = store_cursor_next(cursor))) {
		size_t n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		store_batch_delete(batch, key, n);
		buf_clear(&c->low);
		buf_add(&c->low, key, n);
		rows++;
	}
	store_cursor_close(cursor);
	*ret_ended = rc == RC_NOT_FOUND;
	return *ret_ended ? RC_OK : rc;
}

/* The end of a range: on to an index's bodies, or it is all gone, its 'D' row included. */
static void end_range(struct collection *c, struct store_batch *batch, bool *ret_gone)
{
	*ret_gone = !c->index || c->bodies;
	if (*ret_gone) {
		cleanup_buf struct buf row = {0};
		row_dead(&row, c->table, c->index);
		store_batch_delete(batch, row.data, row.len);
	} else {
		c->bodies = true;
		buf_clear(&c->low);
		prefix_of(c, &c->low);
	}
}

enum rc collect_step(struct volume *volume, struct collection *c)
{
	struct store_batch *batch = NULL;
	bool ended = false, gone = false;
	enum rc rc = c->table ? RC_OK : take(volume, c);
	if (!rc)
		rc = store_batch_new(volume->store, &batch);
	if (!rc)
		store_batch_frees(batch);
	if (!rc)
		rc = delete_some(volume, c, batch, &ended);
	if (!rc && ended)
		end_range(c, batch, &gone);
	if (!rc)
		rc = store_write(volume->store, batch, false);
	store_batch_free(batch);
	if (rc && c->table) {
		c->after_table = c->table;
		c->after_index = c->index;
	}
	if (rc || gone)
		c->table = 0;
	return rc;
}
