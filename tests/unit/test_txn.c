/* txn: what a commit sees of what it and those before it wrote, and what a rollback leaves. */
#include "index/txn.h"
#include "tests/unit/recent_fixture.h"

static struct txn *txn;

static void set_up_txn(void)
{
	set_up();
	cr_assert_eq(txn_new(store, recent, &txn), RC_OK);
}

static void tear_down_txn(void)
{
	txn_free(txn);
	tear_down();
}

TestSuite(txn, .init = set_up_txn, .fini = tear_down_txn);

static void put(const char *key, const char *value)
{
	cleanup_buf struct buf k = {0}, v = {0};
	buf_add_text(&k, key);
	buf_add_text(&v, value);
	txn_put(txn, &k, &v);
}

static void del(const char *key)
{
	cleanup_buf struct buf k = {0};
	buf_add_text(&k, key);
	txn_delete(txn, &k);
}

static bool is(const struct buf *value, const char *expected)
{
	return value->len == strlen(expected) && (!value->len || memcmp(value->data, expected, value->len) == 0);
}

/* NULL: it is not there. */
static void sees(const char *key, const char *expected)
{
	cleanup_buf struct buf k = {0}, v = {0};
	buf_add_text(&k, key);
	enum rc rc = txn_get(txn, &k, &v);
	cr_expect_eq(rc, expected ? RC_OK : RC_NOT_FOUND, "%s: %s", key, rc_name(rc));
	cr_expect(!expected || is(&v, expected), "%s is %.*s", key, (int)v.len, v.data);
}

static void stored(const char *key, const char *expected)
{
	cleanup_buf struct buf v = {0};
	enum rc rc = store_get(store, NULL, key, strlen(key), &v);
	cr_expect_eq(rc, expected ? RC_OK : RC_NOT_FOUND, "%s: %s", key, rc_name(rc));
	cr_expect(!expected || is(&v, expected), "%s is %.*s", key, (int)v.len, v.data);
}

Test(txn, a_commit_sees_what_it_wrote_and_the_store_only_at_the_end)
{
	txn_begin(txn, 1, 10);
	put("a", "1");
	put("a", "2");
	put("b", "");
	sees("a", "2");
	sees("b", "");
	stored("a", NULL);
	cr_expect_eq(txn_write(txn, false, false), RC_OK);
	stored("a", "2");
	stored("b", "");
	txn_begin(txn, 2, 20);
	cr_expect_eq(txn_sequence(txn), 2);
	cr_expect_eq(txn_now(txn), 20);
	sees("a", "2");
	del("a");
	sees("a", NULL);
	put("a", "3");
	del("b");
	sees("a", "3");
	cr_expect_eq(txn_write(txn, true, false), RC_OK);
	stored("a", "3");
	stored("b", NULL);
}

Test(txn, a_value_is_appended_to_what_the_caller_has)
{
	cleanup_buf struct buf key = {0}, value = {0};
	txn_begin(txn, 1, 0);
	put("a", "2");
	buf_add_text(&key, "a");
	buf_add_text(&value, "1");
	cr_expect_eq(txn_get(txn, &key, &value), RC_OK);
	cr_expect(is(&value, "12"));
	buf_clear(&key);
	buf_add_text(&key, "nothing");
	cr_expect_eq(txn_get(txn, &key, &value), RC_NOT_FOUND);
	cr_expect(is(&value, "12"));
}

Test(txn, a_rollback_takes_back_what_came_after_its_mark_and_nothing_else)
{
	txn_begin(txn, 1, 0);
	put("a", "1");
	put("b", "1");
	size_t mark = txn_begin(txn, 2, 0), bytes = txn_bytes(txn);
	put("a", "2");
	del("b");
	put("c", "2");
	put("a", "22");
	sees("a", "22");
	sees("b", NULL);
	txn_rollback(txn, mark);
	cr_expect_eq(txn_bytes(txn), bytes);
	sees("a", "1");
	sees("b", "1");
	sees("c", NULL);
	txn_begin(txn, 2, 0);
	put("c", "3");
	cr_expect_eq(txn_write(txn, false, false), RC_OK);
	stored("a", "1");
	stored("b", "1");
	stored("c", "3");
}

Test(txn, more_rows_than_it_has_buckets_are_told_apart)
{
	char key[16], value[16];
	txn_begin(txn, 1, 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		snprintf(value, sizeof value, "v%d", i);
		put(key, value);
	}
	size_t mark = txn_begin(txn, 2, 0);
	for (int i = 0; i < 5000; i += 2) {
		snprintf(key, sizeof key, "k%d", i);
		del(key);
	}
	sees("k0", NULL);
	sees("k1", "v1");
	txn_rollback(txn, mark);
	for (int i = 0; i < 5000; i += 7) {
		snprintf(key, sizeof key, "k%d", i);
		snprintf(value, sizeof value, "v%d", i);
		sees(key, value);
	}
	cr_expect_eq(txn_write(txn, false, false), RC_OK);
	stored("k4999", "v4999");
	txn_begin(txn, 3, 0);
	sees("k4999", "v4999");
}

Test(txn, a_row_that_could_not_be_composed_fails_the_commit_alone)
{
	struct buf broken = {.failed = true};
	cleanup_buf struct buf key = {0}, value = {0};
	txn_begin(txn, 1, 0);
	put("a", "1");
	size_t mark = txn_begin(txn, 2, 0);
	buf_add_text(&key, "b");
	txn_put(txn, &key, &broken);
	cr_expect(txn_failed(txn));
	cr_expect_eq(txn_get(txn, &broken, &value), RC_NO_MEMORY);
	txn_rollback(txn, mark);
	cr_expect_not(txn_failed(txn));
	cr_expect_eq(txn_write(txn, false, false), RC_OK);
	stored("a", "1");
	stored("b", NULL);
}

Test(txn, an_empty_one_writes_nothing)
{
	txn_begin(txn, 1, 0);
	cr_expect_eq(txn_write(txn, false, false), RC_OK);
	cr_expect_eq(txn_write(txn, true, false), RC_OK);
}

Test(txn, heads_partitions_and_counters_that_were_read_or_written_are_not_read_again)
{
	static const char *const rows[] = {"aaaaHkey", "aaaaFkey", "aaaaPkey", "aaaaC"};
	for (size_t i = 0; i < 4; i++) {
		txn_begin(txn, 1, 0);
		sees(rows[i], NULL);
		put(rows[i], "mine");
		sees(rows[i], "mine");
		cr_assert_eq(txn_write(txn, false, false), RC_OK);
		write_behind(rows[i], "not a commit's");
		sees(rows[i], "mine");
	}
	write_behind("aaaaBkey", "one");
	sees("aaaaBkey", "one");
	write_behind("aaaaBkey", "two");
	sees("aaaaBkey", "two");
}

Test(txn, a_row_that_is_put_as_it_stands_is_not_written)
{
	txn_begin(txn, 1, 0);
	put("aaaaC", "one");
	put("aaaaHgone", "one");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	txn_begin(txn, 2, 0);
	del("aaaaHgone");
	size_t before = txn_bytes(txn);
	put("aaaaC", "one");
	del("aaaaHgone");
	cr_expect_eq(txn_bytes(txn), before);
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	write_behind("aaaaC", "not a commit's");
	write_behind("aaaaHgone", "not a commit's");
	txn_begin(txn, 3, 0);
	put("aaaaC", "one");
	del("aaaaHgone");
	cr_expect_eq(txn_bytes(txn), 0);
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	stored("aaaaC", "not a commit's");
	stored("aaaaHgone", "not a commit's");
	txn_begin(txn, 4, 0);
	put("aaaaC", "two");
	put("aaaaC", "one");
	put("aaaaHgone", "");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	stored("aaaaC", "one");
	stored("aaaaHgone", "");
}

Test(txn, after_a_rollback_a_row_is_compared_with_what_was_before)
{
	txn_begin(txn, 1, 0);
	put("aaaaC", "one");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	size_t mark = txn_begin(txn, 2, 0);
	put("aaaaC", "two");
	txn_rollback(txn, mark);
	txn_begin(txn, 2, 0);
	put("aaaaC", "two");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	stored("aaaaC", "two");
}

Test(txn, what_is_remembered_follows_deletions_and_is_not_touched_by_a_rollback)
{
	txn_begin(txn, 1, 0);
	put("aaaaHkey", "one");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	size_t mark = txn_begin(txn, 2, 0);
	del("aaaaHkey");
	sees("aaaaHkey", NULL);
	txn_rollback(txn, mark);
	sees("aaaaHkey", "one");
	txn_begin(txn, 2, 0);
	put("aaaaHkey", "two");
	del("aaaaHkey");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	sees("aaaaHkey", NULL);
	stored("aaaaHkey", NULL);
}

Test(txn, many_rows_are_each_remembered_or_read_but_never_taken_for_one_another)
{
	for (int i = 0; i < 3000; i++) {
		char key[32], value[32];
		snprintf(key, sizeof key, "aaaaH%d", i);
		snprintf(value, sizeof value, "%d", i);
		txn_begin(txn, (uint64_t)i, 0);
		put(key, value);
		cr_assert_eq(txn_write(txn, false, false), RC_OK);
	}
	for (int i = 0; i < 3000; i++) {
		char key[32], value[32];
		snprintf(key, sizeof key, "aaaaH%d", i);
		snprintf(value, sizeof value, "%d", i);
		sees(key, value);
	}
}

Test(txn, a_row_too_large_to_remember_is_read)
{
	char large[4096];
	memset(large, 'x', sizeof large);
	large[sizeof large - 1] = 0;
	txn_begin(txn, 1, 0);
	put("aaaaHkey", "small");
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	txn_begin(txn, 2, 0);
	put("aaaaHkey", large);
	cr_assert_eq(txn_write(txn, false, false), RC_OK);
	sees("aaaaHkey", large);
}
