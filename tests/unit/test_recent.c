/* recent: rows are kept as the engine has them, and nobody sees one that is older than what somebody has seen. */
#include "index/txn.h"
#include "store/rows.h"
#include "tests/unit/recent_fixture.h"
#include <pthread.h>
#include <stdatomic.h>

TestSuite(recent, .init = set_up, .fini = tear_down);

/* NULL: it is not there. */
static void sees(const char *key, bool keep, const char *expected)
{
	cleanup_buf struct buf k = {0}, value = {0};
	buf_add_text(&k, key);
	buf_add_text(&value, "<");
	enum rc rc = recent_get(recent, &k, keep, &value);
	cr_expect_eq(rc, expected ? RC_OK : RC_NOT_FOUND, "%s: %s", key, rc_name(rc));
	cr_expect(value.len == 1 + strlen(expected ? expected : "") && !memcmp(value.data + 1, expected ? expected : "", value.len - 1),
		  "%s is %.*s", key, (int)value.len, value.data);
}

static uint32_t hash(const char *key)
{
	return recent_hash(key, strlen(key));
}

static void begin(const char *key)
{
	recent_begin(recent, hash(key), (const uint8_t *)key, strlen(key));
}

static void end(const char *key, const char *value)
{
	recent_end(recent, hash(key), (const uint8_t *)key, strlen(key), (const uint8_t *)value, value ? strlen(value) : 0);
}

Test(recent, a_row_that_will_be_asked_for_again_is_asked_of_the_engine_once)
{
	write_behind("aaaaPone", "one");
	write_behind("aaaaHnone", "");
	sees("aaaaPone", false, "one");
	write_behind("aaaaPone", "two");
	sees("aaaaPone", true, "two");
	sees("aaaaHnone", true, "");
	sees("aaaaFgone", true, NULL);
	write_behind("aaaaPone", "three");
	write_behind("aaaaHnone", "three");
	write_behind("aaaaFgone", "three");
	sees("aaaaPone", false, "two");
	sees("aaaaHnone", false, "");
	sees("aaaaFgone", false, NULL);
}

Test(recent, other_kinds_of_rows_are_always_asked_of_the_engine)
{
	write_behind("aaaaBone", "one");
	sees("aaaaBone", true, "one");
	write_behind("aaaaBone", "two");
	sees("aaaaBone", true, "two");
	begin("aaaaBone");
	end("aaaaBone", "three");
	sees("aaaaBone", true, "two");
}

Test(recent, the_engine_is_asked_while_a_row_is_written_and_its_answer_is_not_kept)
{
	write_behind("aaaaPone", "one");
	sees("aaaaPone", true, "one");
	begin("aaaaPone");
	write_behind("aaaaPone", "two");
	sees("aaaaPone", true, "two");
	write_behind("aaaaPone", "three");
	sees("aaaaPone", true, "three");
	end("aaaaPone", "three");
	write_behind("aaaaPone", "four");
	sees("aaaaPone", true, "three");
	begin("aaaaPone");
	end("aaaaPone", NULL);
	sees("aaaaPone", true, NULL);
}

Test(recent, a_row_that_is_written_twice_in_a_batch_is_kept_when_both_have_ended)
{
	begin("aaaaC");
	begin("aaaaC");
	end("aaaaC", "one");
	sees("aaaaC", true, NULL);
	end("aaaaC", "two");
	sees("aaaaC", true, "two");
}

Test(recent, nothing_is_kept_after_a_write_of_which_nobody_knows)
{
	write_behind("aaaaPone", "one");
	write_behind("aaaaPtwo", "one");
	sees("aaaaPone", true, "one");
	sees("aaaaPtwo", true, "one");
	begin("aaaaPone");
	recent_forget(recent);
	write_behind("aaaaPone", "two");
	write_behind("aaaaPtwo", "two");
	sees("aaaaPone", true, "two");
	sees("aaaaPtwo", true, "two");
	write_behind("aaaaPone", "three");
	sees("aaaaPone", true, "two");
}

Test(recent, whether_a_row_stands_is_known_of_what_is_kept_alone)
{
	cleanup_buf struct buf key = {0}, one = {0}, none = {0};
	buf_add_text(&key, "aaaaC");
	buf_add_text(&one, "one");
	write_behind("aaaaC", "one");
	cr_expect_not(recent_is(recent, hash("aaaaC"), &key, &one));
	sees("aaaaC", true, "one");
	cr_expect(recent_is(recent, hash("aaaaC"), &key, &one));
	cr_expect_not(recent_is(recent, hash("aaaaC"), &key, &none));
	cr_expect_not(recent_is(recent, hash("aaaaC"), &key, NULL));
	begin("aaaaC");
	cr_expect_not(recent_is(recent, hash("aaaaC"), &key, &one));
	end("aaaaC", NULL);
	cr_expect(recent_is(recent, hash("aaaaC"), &key, NULL));
	cr_expect_not(recent_is(recent, hash("aaaaC"), &key, &none));
}

Test(recent, keys_that_differ_in_a_byte_spread_over_all_slots)
{
	enum { KEYS = 4096 };
	unsigned counts[256] = {0}, used = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		char key[64];
		snprintf(key, sizeof key, "aaaaH%.*s%04x", (int)(i % 24), "0123456789abcdefghijklmn", i);
		counts[hash(key) % 256]++;
	}
	for (size_t i = 0; i < 256; i++) {
		used += counts[i] > 0;
		cr_expect_leq(counts[i], 4 * KEYS / 256);
	}
	cr_expect_eq(used, 256);
}

/* ---- readers beside the leader ---- */

enum { WRITES = 1500, READERS = 3 };

static atomic_uint acknowledged;
static atomic_bool ended;

struct reader {
	pthread_t thread;
	unsigned number, wrong;
};

static const char *const counted[] = {"aaaaPcount", "aaaaHcount"};

/* Its number, 0 where it is not there. */
static unsigned count_of(const char *key, bool keep)
{
	struct buf k = {0}, value = {0};
	buf_add_text(&k, key);
	enum rc rc = recent_get(recent, &k, keep, &value);
	struct row_reader reader = {value.data, value.data + value.len, false};
	unsigned count = rc == RC_OK ? row_read_u32(&reader) : 0;
	buf_free(&k);
	buf_free(&value);
	return count;
}

/* A count that was acknowledged, or that this thread has seen, is never followed by a smaller one. */
static void *read_along(void *context)
{
	struct reader *r = context;
	unsigned seen = 0;
	for (unsigned i = r->number; !ended; i++) {
		unsigned least = acknowledged, count = count_of(counted[i % 2], i % 3);
		r->wrong += count < least || count < seen;
		seen = count > seen ? count : seen;
	}
	return NULL;
}

Test(recent, nobody_sees_a_row_older_than_what_was_acknowledged_or_seen, .timeout = 300)
{
	struct reader readers[READERS];
	struct txn *txn;
	cr_assert_eq(txn_new(store, recent, &txn), RC_OK);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.number = i};
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_along, &readers[i]), 0);
	}
	for (unsigned i = 1; i <= WRITES; i++) {
		cleanup_buf struct buf value = {0};
		buf_add_u32(&value, i);
		txn_begin(txn, i, 0);
		for (size_t row = 0; row < 2; row++) {
			cleanup_buf struct buf key = {0};
			buf_add_text(&key, counted[row]);
			txn_put(txn, &key, &value);
		}
		cr_expect_eq(txn_write(txn, false, false), RC_OK);
		acknowledged = i;
	}
	ended = true;
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		cr_expect_eq(readers[i].wrong, 0, "%u times", readers[i].wrong);
	}
	txn_free(txn);
}
