/* store_fixture: short words for what tests do with a store. Everything in it ends the test where it fails. */
#ifndef ITEMFS_TESTS_STORE_FIXTURE_H
#define ITEMFS_TESTS_STORE_FIXTURE_H

#include "store/store.h"
#include "tests/unit/place.h"

static inline struct store *open_sized(const char *path, size_t write_buffer)
{
	struct store_options options = {.create = true, .write_buffer = write_buffer};
	struct store *store = NULL;
	struct why why = {0};
	enum rc rc = store_open(path, &options, &store, &why);

	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	return store;
}

static inline struct store *open_store(const char *path)
{
	return open_sized(path, 0);
}

static inline struct store_batch *new_batch(struct store *store)
{
	struct store_batch *batch = NULL;

	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	return batch;
}

static inline void put(struct store *store, const char *key, const char *value)
{
	struct store_batch *batch = new_batch(store);

	store_batch_put(batch, key, strlen(key), value, strlen(value));
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	store_batch_free(batch);
}

static inline void delete (struct store *store, const char *key)
{
	struct store_batch *batch = new_batch(store);

	store_batch_delete(batch, key, strlen(key));
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	store_batch_free(batch);
}

static inline void assert_value(struct store *store, const struct store_snapshot *at, const char *key, const char *value)
{
	struct buf buf = {0};
	enum rc rc = store_get(store, at, key, strlen(key), &buf);

	if (value) {
		cr_assert_eq(rc, RC_OK, "%s: %s", key, rc_name(rc));
		cr_assert_eq(buf.len, strlen(value));
		cr_assert(buf.len == 0 || memcmp(buf.data, value, buf.len) == 0, "%s", key);
	} else {
		cr_assert_eq(rc, RC_NOT_FOUND, "%s: %s", key, rc_name(rc));
		cr_assert_eq(buf.len, 0);
	}
	buf_free(&buf);
}

static inline struct store_cursor *open_cursor(struct store *store, const struct store_snapshot *at, const char *low,
					const char *high)
{
	struct store_cursor *cursor = NULL;

	cr_assert_eq(store_cursor_open(store, at, low, strlen(low), high, high ? strlen(high) : 0, &cursor), RC_OK);
	return cursor;
}

static inline void assert_at(struct store_cursor *cursor, const char *key)
{
	size_t n;
	const uint8_t *bytes = store_cursor_key(cursor, &n);

	cr_assert_eq(n, strlen(key), "%.*s instead of %s", (int)n, (const char *)bytes, key);
	cr_assert(n == 0 || memcmp(bytes, key, n) == 0, "%.*s instead of %s", (int)n, (const char *)bytes, key);
}

static inline void assert_next(struct store_cursor *cursor, const char *key)
{
	cr_assert_eq(store_cursor_next(cursor), key ? RC_OK : RC_NOT_FOUND);
	if (key)
		assert_at(cursor, key);
}

static inline void assert_prev(struct store_cursor *cursor, const char *key)
{
	cr_assert_eq(store_cursor_prev(cursor), key ? RC_OK : RC_NOT_FOUND);
	if (key)
		assert_at(cursor, key);
}

static inline void assert_seek(struct store_cursor *cursor, const char *to, const char *key)
{
	cr_assert_eq(store_cursor_seek(cursor, to, strlen(to)), key ? RC_OK : RC_NOT_FOUND);
	if (key)
		assert_at(cursor, key);
}

#endif
