/* leveldb_cursor: the cursors of store.h, each an iterator of LevelDB with bounds and a place.
 *
 * 1. An iterator that left its end is lost to LevelDB; a cursor knows on which side it is, and comes back from there.
 * 2. An iterator that met bad bytes steps over them. A cursor does not: what it met is what it says from then on.
 * 3. It holds the engine (recovery_hold()) for as long as it is open: an iterator does not outlive what it was made of.
 */
#include "store/leveldb_private.h"
#include <stdlib.h>
#include <string.h>

struct store_cursor {
	leveldb_iterator_t *iterator;
	enum { BEFORE_FIRST, ON_ENTRY, AFTER_LAST } place;
	enum rc broken; /* an iterator that met bad bytes steps over them; we do not */
	bool bounded;   /* there is a high */
	size_t low_n;
	size_t high_n;
	struct store *store;
	uint8_t bounds[]; /* low, then high */
};

enum rc store_cursor_open(struct store *store, const struct store_snapshot *at, const void *low, size_t low_n,
			  const void *high, size_t high_n, struct store_cursor **ret_cursor)
{
	struct store_cursor *cursor = calloc(1, sizeof(*cursor) + low_n + high_n);
	enum rc rc;

	if (!cursor)
		return RC_NO_MEMORY;
	cursor->place = BEFORE_FIRST;
	cursor->bounded = high != NULL;
	cursor->low_n = low_n;
	cursor->high_n = high_n;
	if (low_n)
		memcpy(cursor->bounds, low, low_n);
	if (high_n)
		memcpy(cursor->bounds + low_n, high, high_n);
	cursor->store = store;
	rc = recovery_enter(&store->recovery);
	if (rc) {
		free(cursor);
		return rc;
	}
	cursor->iterator = leveldb_create_iterator(store->db, at ? at->read : store->read);
	__atomic_add_fetch(&store->cursors, 1, __ATOMIC_RELAXED);
	recovery_hold(&store->recovery);
	recovery_leave(&store->recovery);
	*ret_cursor = cursor;
	return RC_OK;
}

void store_cursor_close(struct store_cursor *cursor)
{
	if (!cursor)
		return;
	leveldb_iter_destroy(cursor->iterator);
	recovery_let_go(&cursor->store->recovery);
	free(cursor);
}

static bool is_below_low(const struct store_cursor *cursor, const void *key, size_t n)
{
	return key_compare(key, n, cursor->bounds, cursor->low_n) < 0;
}

static bool is_below_high(const struct store_cursor *cursor, const void *key, size_t n)
{
	return !cursor->bounded || key_compare(key, n, cursor->bounds + cursor->low_n, cursor->high_n) < 0;
}

/* After a move of the iterator: where does the cursor stand? `outside` says in which direction it left, if it did. The
 * error is asked for each time, as the iterator goes on behind a block it could not read. */
static enum rc arrive(struct store_cursor *cursor, int outside)
{
	char *message = NULL;
	const char *key;
	size_t n;

	leveldb_iter_get_error(cursor->iterator, &message);
	cursor->broken = store_rc_of_message(message, NULL);
	if (cursor->broken)
		return cursor->broken;
	cursor->place = outside;
	if (!leveldb_iter_valid(cursor->iterator))
		return RC_NOT_FOUND;
	key = leveldb_iter_key(cursor->iterator, &n);
	if (is_below_low(cursor, key, n) || !is_below_high(cursor, key, n))
		return RC_NOT_FOUND;
	cursor->place = ON_ENTRY;
	return RC_OK;
}

enum rc store_cursor_next(struct store_cursor *cursor)
{
	if (cursor->broken)
		return cursor->broken;
	if (cursor->place == AFTER_LAST)
		return RC_NOT_FOUND;
	if (cursor->place == BEFORE_FIRST)
		leveldb_iter_seek(cursor->iterator, (const char *)cursor->bounds, cursor->low_n);
	else
		leveldb_iter_next(cursor->iterator);
	return arrive(cursor, AFTER_LAST);
}

static void move_to_last(struct store_cursor *cursor)
{
	if (cursor->bounded) {
		leveldb_iter_seek(cursor->iterator, (const char *)cursor->bounds + cursor->low_n, cursor->high_n);
		if (leveldb_iter_valid(cursor->iterator)) {
			leveldb_iter_prev(cursor->iterator);
			return;
		}
	}
	leveldb_iter_seek_to_last(cursor->iterator);
}

enum rc store_cursor_prev(struct store_cursor *cursor)
{
	if (cursor->broken)
		return cursor->broken;
	if (cursor->place == BEFORE_FIRST)
		return RC_NOT_FOUND;
	if (cursor->place == AFTER_LAST)
		move_to_last(cursor);
	else
		leveldb_iter_prev(cursor->iterator);
	return arrive(cursor, BEFORE_FIRST);
}

void store_cursor_end(struct store_cursor *cursor)
{
	cursor->place = AFTER_LAST;
}

enum rc store_cursor_seek(struct store_cursor *cursor, const void *key, size_t n)
{
	if (cursor->broken)
		return cursor->broken;
	if (is_below_low(cursor, key, n)) {
		key = cursor->bounds;
		n = cursor->low_n;
	}
	leveldb_iter_seek(cursor->iterator, key, n);
	return arrive(cursor, AFTER_LAST);
}

const uint8_t *store_cursor_key(const struct store_cursor *cursor, size_t *ret_n)
{
	return (const uint8_t *)leveldb_iter_key(cursor->iterator, ret_n);
}

const uint8_t *store_cursor_value(const struct store_cursor *cursor, size_t *ret_n)
{
	return (const uint8_t *)leveldb_iter_value(cursor->iterator, ret_n);
}
