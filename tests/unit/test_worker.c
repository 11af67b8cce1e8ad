/* worker: fills indexes and collects what is dead, by itself, and stops whenever it is told to. */
#include "tests/unit/backfill_fixture.h"

TestSuite(worker, .init = set_up, .fini = tear_down, .timeout = 300);

static void await_active(const char *index)
{
	enum rc rc = RC_AGAIN;
	for (int i = 0; i < 24000 && rc == RC_AGAIN; i++) {
		rc = backfill_ready(table, NULL, index, NULL);
		if (rc == RC_AGAIN)
			usleep(5000);
	}
	cr_assert_eq(rc, RC_OK, "%s", rc_name(rc));
}

Test(worker, fills_what_was_left_and_what_comes)
{
	fill(0, 500);
	fixture_define(table, with_n);
	reopen(false);
	await_active("by-n");
	fixture_define(table, with_both);
	await_active("by-t");
	fixture_sound(volume);
	cr_expect_eq(progress("by-n").done, 500);
	cr_expect_eq(entries(0), 450);
	cr_expect_eq(entries(1), 450);
}

Test(worker, waits_for_room_on_the_disk)
{
	fill(0, 500);
	fixture_define(table, with_n);
	disk_is_full = true;
	reopen(false);
	struct backfill_progress p = progress("by-n");
	for (int i = 0; i < 24000 && !p.trouble; i++) {
		usleep(5000);
		p = progress("by-n");
	}
	cr_expect_eq(p.trouble, RC_NO_SPACE);
	disk_is_full = false;
	await_active("by-n");
	fixture_sound(volume);
}

Test(worker, a_volume_closes_in_the_middle_of_one)
{
	fill(0, 500);
	for (int i = 0; i < 10; i++) {
		fixture_define(table, i % 2 ? with_n : with_t);
		reopen(false);
	}
	await_active("by-n");
	fixture_sound(volume);
}

struct writer {
	pthread_t thread;
	unsigned number;
};

static void *write_on(void *context)
{
	struct writer *w = context;
	for (unsigned i = 0; i < 400; i++) {
		char pk[16], sk[16], document[64];
		snprintf(pk, sizeof pk, "p%03u", (i + w->number) % 6);
		snprintf(sk, sizeof sk, "%u", i * 7 % 600);
		snprintf(document, sizeof document, "{\"n\":%u,\"t\":\"w%u\"}", i, w->number);
		struct leaf leaf = {.kind = LEAF_ITEM, .table = table, .in_partition = true, .has_sk = true};
		struct leaf_write write = {.document = document, .len = strlen(document), .fresh = &fixture_meta};
		if (key_from_text(pk, strlen(pk), KEY_S, KEY_PARTITION, &leaf.pk, NULL) ||
		    key_from_text(sk, strlen(sk), KEY_N, KEY_SORT, &leaf.sk, NULL))
			return (void *)(uintptr_t)"a key";
		enum rc rc = i % 5 == 4 ? leaf_remove(&leaf, NULL) : leaf_write(&leaf, &write, NULL, NULL);
		if (rc && rc != RC_NOT_FOUND)
			return (void *)(uintptr_t)rc_name(rc);
	}
	return NULL;
}

Test(worker, threads_that_write_meanwhile_are_all_in_it)
{
	struct writer writers[4];
	fill(0, 600);
	reopen(false);
	for (unsigned i = 0; i < 4; i++) {
		writers[i].number = i;
		cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
	}
	for (int i = 0; i < 6; i++)
		fixture_define(table, i % 2 ? with_both : with_n);
	for (unsigned i = 0; i < 4; i++) {
		void *failed;
		pthread_join(writers[i].thread, &failed);
		cr_expect_null(failed, "%s", (char *)failed);
	}
	await_active("by-n");
	await_active("by-t");
	fixture_sound(volume);
}

static bool is_dead(uint32_t index)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_dead(&row, table->id, index);
	return store_get(volume->store, NULL, row.data, row.len, &value) == RC_OK;
}

static uint64_t rows_of_index(uint32_t index)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor;
	uint64_t n = 0;
	row_entry(&low, table->id, index, NULL, 0, false);
	buf_add(&high, low.data, low.len);
	row_after(&high);
	cr_assert_eq(store_cursor_open(volume->store, NULL, low.data, low.len, high.data, high.len, &cursor), RC_OK);
	while (store_cursor_next(cursor) == RC_OK)
		n++;
	store_cursor_close(cursor);
	return n;
}

Test(worker, a_dropped_index_is_collected_in_batches_and_a_crash_loses_only_time)
{
	struct collection collection = {0};
	fill(0, 2500);
	fixture_define(table, with_n);
	finish();
	uint32_t index = table->schema->indexes[0].id;
	uint64_t left = rows_of_index(index);
	fixture_define(table, without);
	while (collect_step(volume, &collection) == RC_OK && rows_of_index(index) == left)
		; /* the undeclared table that was adopted comes first */
	cr_expect_eq(rows_of_index(index), left - 1000);
	fixture_sound(volume);
	buf_free(&collection.low);
	reopen(true); /* it forgets where it was */
	cr_expect(is_dead(index));
	memset(&collection, 0, sizeof collection);
	cr_expect_eq(collect_step(volume, &collection), RC_OK);
	cr_expect_eq(rows_of_index(index), left - 2000);
	fixture_sound(volume);
	while (collect_step(volume, &collection) == RC_OK)
		;
	cr_expect_eq(collect_step(volume, &collection), RC_NOT_FOUND);
	cr_expect_eq(rows_of_index(index), 0);
	cr_expect(!is_dead(index));
	fixture_sound(volume);
	buf_free(&collection.low);
}

Test(worker, collecting_waits_for_no_definition_that_changes)
{
	struct collection collection = {0};
	fill(0, 10);
	pthread_mutex_lock(&volume->tables_change);
	cr_expect_eq(collect_step(volume, &collection), RC_AGAIN);
	pthread_mutex_unlock(&volume->tables_change);
	cr_expect_eq(collect_step(volume, &collection), RC_OK);
	buf_free(&collection.low);
}
