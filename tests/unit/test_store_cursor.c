/* store: the cursors of store.h, as leveldb_cursor.c keeps them: their ranges, both directions, and both ends. */
#include "tests/unit/store_fixture.h"

Test(store, a_cursor_walks_its_range_in_both_directions_and_comes_back_from_both_ends)
{
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_cursor *cursor;

	for (const char *key = "abcdef"; *key; key++)
		put(store, (const char[]){*key, 0}, "v");
	cursor = open_cursor(store, NULL, "b", "e");
	assert_prev(cursor, NULL);
	assert_next(cursor, "b");
	assert_prev(cursor, NULL);
	assert_prev(cursor, NULL);
	assert_next(cursor, "b");
	assert_next(cursor, "c");
	assert_prev(cursor, "b");
	assert_next(cursor, "c");
	assert_next(cursor, "d");
	assert_next(cursor, NULL);
	assert_next(cursor, NULL);
	assert_prev(cursor, "d");
	assert_next(cursor, NULL);
	assert_prev(cursor, "d");
	assert_prev(cursor, "c");
	store_cursor_close(cursor);

	/* The ends of everything rather than of a range. */
	cursor = open_cursor(store, NULL, "", NULL);
	assert_prev(cursor, NULL);
	assert_next(cursor, "a");
	assert_seek(cursor, "f", "f");
	assert_next(cursor, NULL);
	assert_prev(cursor, "f");
	assert_seek(cursor, "a", "a");
	assert_prev(cursor, NULL);
	assert_next(cursor, "a");
	store_cursor_close(cursor);

	/* high is behind everything there is. */
	cursor = open_cursor(store, NULL, "e", "zz");
	assert_next(cursor, "e");
	assert_next(cursor, "f");
	assert_next(cursor, NULL);
	assert_prev(cursor, "f");
	store_cursor_close(cursor);
	store_close(store);
	place_remove(place);
}

Test(store, a_cursor_over_an_empty_range_is_at_both_ends_at_once)
{
	static const char *const ranges[][2] = {{"c", "d"}, {"b", "b"}, {"d", "a"}, {"x", "z"}, {"", "a"}, {"", ""}};
	char *place = place_new();
	struct store *store = open_store(place);

	for (int filled = 0; filled < 2; filled++) {
		for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			struct store_cursor *cursor = open_cursor(store, NULL, ranges[i][0], ranges[i][1]);

			assert_next(cursor, NULL);
			assert_next(cursor, NULL);
			assert_prev(cursor, NULL);
			assert_prev(cursor, NULL);
			assert_next(cursor, NULL);
			assert_seek(cursor, "", NULL);
			assert_seek(cursor, "b", NULL);
			assert_seek(cursor, "zzz", NULL);
			store_cursor_close(cursor);
		}
		put(store, "a", "1");
		put(store, "b", "2");
	}
	store_close(store);
	place_remove(place);
}

Test(store, a_cursor_seeks_to_the_first_key_that_is_not_below_and_never_leaves_its_range)
{
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_cursor *cursor;
	size_t n;

	put(store, "a", "1");
	put(store, "b", "2");
	put(store, "ba", "3");
	put(store, "d", "4");
	put(store, "e", "5");
	cursor = open_cursor(store, NULL, "b", "e");
	assert_seek(cursor, "b", "b");
	assert_seek(cursor, "baa", "d");
	cr_assert_eq(store_cursor_value(cursor, &n)[0], '4');
	cr_assert_eq(n, 1);
	assert_seek(cursor, "b\x01", "ba");
	assert_seek(cursor, "a", "b");
	assert_prev(cursor, NULL);
	assert_seek(cursor, "dd", NULL);
	assert_prev(cursor, "d");
	assert_seek(cursor, "e", NULL);
	assert_seek(cursor, "zz", NULL);
	assert_next(cursor, NULL);
	assert_prev(cursor, "d");
	assert_seek(cursor, "", "b");
	assert_next(cursor, "ba");
	store_cursor_close(cursor);
	store_close(store);
	place_remove(place);
}

Test(store, a_cursor_agrees_with_a_sorted_list_whatever_way_it_steps)
{
	enum { KEYS = 400, STEPS = 20000 };
	char *place = place_new();
	struct store *store = open_sized(place, 64 << 10);
	struct store_cursor *cursor;
	unsigned seed = 7;
	int at = -1; /* -1: before; KEYS / 2: behind */
	char name[32];

	/* Every other key is deleted, and the rest lies in memory, logs and tables of several levels. */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < KEYS; i++) {
			struct store_batch *batch = new_batch(store);
			char value[900];

			memset(value, rand_r(&seed), sizeof(value));
			snprintf(name, sizeof(name), "k%05d", i);
			store_batch_put(batch, name, strlen(name), value, sizeof(value));
			if (i % 2)
				store_batch_delete(batch, name, strlen(name));
			cr_assert_eq(store_write(store, batch, false), RC_OK);
			store_batch_free(batch);
		}
	}
	cursor = open_cursor(store, NULL, "k", "l");
	for (int i = 0; i < STEPS; i++) {
		int what = (rand_r(&seed) >> 4) % 100;
		enum rc rc;

		if (what < 2) {
			int to = (rand_r(&seed) >> 4) % (KEYS + 1);

			snprintf(name, sizeof(name), "k%05d", to);
			rc = store_cursor_seek(cursor, name, strlen(name));
			at = (to + 1) / 2;
		} else if (what < 50 + (i / 1000) % 3) {
			rc = store_cursor_next(cursor);
			at += at < KEYS / 2;
		} else {
			rc = store_cursor_prev(cursor);
			at -= at >= 0;
		}
		if (at < 0 || at >= KEYS / 2) {
			cr_assert_eq(rc, RC_NOT_FOUND);
			continue;
		}
		cr_assert_eq(rc, RC_OK);
		snprintf(name, sizeof(name), "k%05d", at * 2);
		assert_at(cursor, name);
	}
	store_cursor_close(cursor);
	store_close(store);
	place_remove(place);
}
