/* backfill: an index that is added to a table with items is right at every moment between its batches, whatever is written meanwhile, and whenever that ends. */
#include "tests/unit/backfill_fixture.h"

TestSuite(backfill, .init = set_up, .fini = tear_down, .timeout = 300);

static void is_unready(const char *index)
{
	struct listing_place place = keys_of(index);
	struct listing *listing;
	struct why why = {.text = ""};
	struct head head;
	struct key key = fixture_key(KEY_N, KEY_PARTITION, "1");
	cr_expect_eq(listing_open(volume, NULL, &place, &listing), RC_AGAIN);
	cr_expect_eq(listing_has_index_key(table, NULL, index, &key), RC_AGAIN);
	cr_expect_eq(listing_get_entry(table, NULL, index, &key, 1, &head, NULL), RC_AGAIN);
	cr_expect_eq(backfill_ready(table, NULL, index, &why), RC_AGAIN);
	cr_expect_not_null(strstr(why.text, "is being built"), "%s", why.text);
}

Test(backfill, an_index_of_a_small_table_can_be_read_at_once)
{
	fill(0, BACKFILL_BATCH - 1);
	fixture_define(table, with_n);
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
	cr_expect_eq(progress("by-n").status, BACKFILL_ACTIVE);
	fixture_sound(volume);
}

Test(backfill, an_index_that_comes_with_its_table_is_not_built)
{
	fixture_define(table, with_n);
	fill(0, 10);
	struct backfill_progress p = progress("by-n");
	cr_expect(p.status == BACKFILL_ACTIVE && !p.online && !p.done);
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
	cr_expect_eq(backfill_progress(table, NULL, "none", &p), RC_NOT_FOUND);
	cr_expect_eq(backfill_ready(table, NULL, "none", NULL), RC_NOT_FOUND);
}

Test(backfill, a_larger_one_is_filled_batch_by_batch_and_cannot_be_read_before_its_end)
{
	fill(0, 500);
	fixture_define(table, with_n);
	struct backfill_progress p = progress("by-n");
	cr_expect(p.status == BACKFILL_CREATING && p.online && p.done == BACKFILL_BATCH && p.total == 500 && p.seconds_left == -1);
	uint64_t before = p.done;
	while (table->building) {
		is_unready("by-n");
		fixture_sound(volume);
		cr_expect_leq(step(100), 100);
		p = progress("by-n");
		cr_expect(p.done > before || !table->building);
		cr_expect(p.percent > 0 && p.percent <= 100);
		before = p.done;
	}
	cr_expect(p.status == BACKFILL_ACTIVE && p.done == 500 && p.skipped == 50 && p.misfits == 10 && p.finished >= p.started);
	cr_expect_eq(entries(0), 450);
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
	fixture_sound(volume);
}

Test(backfill, what_is_written_meanwhile_is_in_it_on_both_sides_of_the_cursor)
{
	fill(0, 400);
	fixture_define(table, with_n);
	step(72); /* to item 199 */
	fixture_put(table, "p000", "7", "{\"n\":70}");      /* behind: changes its entry */
	fixture_put(table, "p003", "307", "{\"n\":71}");    /* before: comes later */
	fixture_put(table, "p000", "1000", "{\"n\":72}");   /* new, behind */
	fixture_put(table, "p003", "1000", "{\"n\":73}");   /* new, before */
	struct leaf behind = fixture_item(table, "p001", "107"), ahead = fixture_item(table, "p003", "308");
	cr_assert_eq(leaf_remove(&behind, NULL), RC_OK);
	cr_assert_eq(leaf_remove(&ahead, NULL), RC_OK);
	struct leaf from = fixture_item(table, "p000", "8"), to = fixture_item(table, "p003", "2000");
	struct leaf_move move = {.noreplace = true};
	struct head head;
	cr_assert_eq(leaf_rename(&from, &to, &move, &head, NULL), RC_OK, "out of it, ahead of it");
	struct leaf from2 = fixture_item(table, "p003", "309"), to2 = fixture_item(table, "p000", "2000");
	cr_assert_eq(leaf_rename(&from2, &to2, &move, &head, NULL), RC_OK, "into it");
	fixture_sound(volume);
	finish();
	fixture_sound(volume);
	lists_keys("by-n", "0 1 2 3 4 5 6 70 71 72 73 ");
}

Test(backfill, a_write_that_does_not_fit_is_refused_wherever_the_cursor_stands)
{
	fill(0, 300);
	fixture_define(table, with_n);
	struct leaf behind = fixture_item(table, "p000", "7"), ahead = fixture_item(table, "p002", "207");
	cr_expect_eq(fixture_try_write(&behind, "{\"n\":\"x\"}", NULL), RC_REFUSED);
	cr_expect_eq(fixture_try_write(&ahead, "{\"n\":\"x\"}", NULL), RC_REFUSED);
	finish();
	cr_expect_eq(progress("by-n").misfits, 6);
	fixture_put(table, "p000", "49", "{\"n\":1000}"); /* a misfit that was skipped is mended */
	fixture_sound(volume);
	cr_expect_eq(entries(0), 271);
}

Test(backfill, goes_on_where_it_was_after_the_volume_was_closed)
{
	fill(0, 400);
	fixture_define(table, with_n);
	uint64_t done = progress("by-n").done;
	reopen(true);
	is_unready("by-n");
	fixture_sound(volume);
	cr_expect_eq(progress("by-n").done, done);
	step(50);
	cr_expect_eq(progress("by-n").done, done + 50);
	reopen(true);
	finish();
	cr_expect_eq(progress("by-n").done, 400);
	fixture_sound(volume);
	reopen(true);
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
}

Test(backfill, two_indexes_that_start_together_are_filled_by_one_walk)
{
	fill(0, 400);
	fixture_define(table, with_both);
	unsigned passed = BACKFILL_BATCH;
	while (table->building)
		passed += step(60);
	cr_expect_eq(passed, 400);
	fixture_sound(volume);
	lists_keys("by-t", "t0 t1 t2 ");
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
}

Test(backfill, one_that_comes_later_catches_up_and_they_go_on_together)
{
	fill(0, 600);
	fixture_define(table, with_t);
	step(172); /* to 300 */
	fixture_define(table, with_both); /* by-n: to 128 */
	cr_expect_eq(progress("by-t").done, 300);
	cr_expect_eq(progress("by-n").done, BACKFILL_BATCH);
	is_unready("by-t");
	is_unready("by-n");
	cr_expect_eq(step(1000), 172, "to where the other one stands");
	cr_expect_eq(progress("by-t").done, 300);
	fixture_sound(volume);
	unsigned passed = 0;
	while (table->building)
		passed += step(60);
	cr_expect_eq(passed, 300);
	fixture_sound(volume);
	cr_expect_eq(progress("by-t").done, 600);
	cr_expect_eq(progress("by-n").done, 600);
}

Test(backfill, the_item_at_which_another_stands_may_be_gone)
{
	fill(0, 400);
	fixture_define(table, with_t);
	step(72); /* to item 199 */
	struct leaf at = fixture_item(table, "p001", "199");
	fixture_define(table, with_both);
	cr_assert_eq(leaf_remove(&at, NULL), RC_OK);
	fixture_sound(volume);
	step(1000);
	fixture_put(table, "p001", "199", "{\"n\":100,\"t\":\"back\"}");
	fixture_sound(volume);
	finish();
	fixture_sound(volume);
	lists_keys("by-t", "back t0 t1 t2 ");
}

Test(backfill, can_be_dropped_and_defined_anew_meanwhile)
{
	fill(0, 400);
	fixture_define(table, with_both);
	uint32_t first = table->schema->indexes[0].id;
	fixture_define(table, with_n); /* by-t goes, by-n goes on */
	fixture_sound(volume);
	cr_expect_eq(progress("by-n").done, BACKFILL_BATCH * 2, "each definition fills one batch at once");
	fixture_define(table, with_both);
	fixture_sound(volume);
	cr_expect_neq(table->schema->indexes[0].id, first);
	fixture_define(table, without);
	fixture_sound(volume);
	cr_expect_eq(table->building, 0);
	fixture_define(table, with_n);
	finish();
	fixture_sound(volume);
	reopen(false);
	lists_keys("by-n", "0 1 2 3 4 5 6 ");
}

Test(backfill, goes_with_its_table_and_follows_its_name)
{
	fill(0, 300);
	fixture_define(table, with_n);
	cr_assert_eq(table_rename(table, "Others", false, NULL), RC_OK);
	step(50);
	fixture_sound(volume);
	cr_assert_eq(table_rename(table, "Things", false, NULL), RC_OK);
	remove_things(300);
	fixture_sound(volume);
	cr_assert_eq(table_remove(table, NULL), RC_OK);
	fixture_sound(volume);
	table_unref(table);
	table = fixture_table(volume, "Things");
	fixture_define(table, with_n);
	lists_keys("by-n", "");
}

Test(backfill, an_emptied_table_has_nothing_left_to_fill)
{
	fill(0, 200);
	fixture_define(table, with_n);
	remove_things(200);
	fixture_sound(volume);
	fixture_define(table, with_both); /* an empty table is defined anew as a whole */
	cr_expect_eq(table->building, 0);
	lists_keys("by-n", "");
	fixture_sound(volume);
}

Test(backfill, a_view_from_before_the_end_shows_no_half)
{
	struct view *before, *during, *after;
	struct listing *listing;
	fill(0, 300);
	cr_assert_eq(view_open(volume, &before), RC_OK);
	fixture_define(table, with_n);
	cr_assert_eq(view_open(volume, &during), RC_OK);
	finish();
	cr_assert_eq(view_open(volume, &after), RC_OK);
	struct listing_place place = keys_of("by-n");
	cr_expect_eq(listing_open(volume, before, &place, &listing), RC_AGAIN);
	cr_expect_eq(listing_open(volume, during, &place, &listing), RC_AGAIN);
	char *list = fixture_list(volume, after, &place);
	cr_expect_str_eq(list, "0 1 2 3 4 5 6 ");
	free(list);
	view_close(before);
	view_close(during);
	view_close(after);
}

Test(backfill, a_large_document_ends_a_batch)
{
	size_t n = 300000;
	char *document = calloc(1, n + 1);
	memset(document, 'x', n);
	memcpy(document, "{\"n\":1,\"x\":\"", 12);
	memcpy(document + n - 2, "\"}", 2);
	for (int i = 0; i < 12; i++) {
		char sk[8];
		snprintf(sk, sizeof sk, "%d", i);
		fixture_put(table, "p", sk, document);
	}
	free(document);
	fixture_define(table, with_n);
	cr_expect_eq(progress("by-n").done, 4, "a MiB of documents, and the rest of the last");
	cr_expect_eq(step(1000), 4);
	finish();
	fixture_sound(volume);
	cr_expect_eq(entries(0), 12);
}

Test(backfill, a_full_disk_stops_it_and_it_goes_on_when_there_is_room)
{
	unsigned items;
	fill(0, 300);
	fixture_define(table, with_n);
	uint64_t done = progress("by-n").done;
	disk_is_full = true;
	cr_expect_eq(backfill_batch(table, 100, &items), RC_NO_SPACE);
	struct backfill_progress p = progress("by-n");
	cr_expect(p.trouble == RC_NO_SPACE && p.status == BACKFILL_CREATING && p.done == done);
	struct why why = {.text = ""};
	cr_expect_eq(backfill_ready(table, NULL, "by-n", &why), RC_AGAIN);
	cr_expect_not_null(strstr(why.text, "the disk is full"), "%s", why.text);
	fixture_sound(volume);
	disk_is_full = false;
	step(100);
	cr_expect_eq(progress("by-n").trouble, RC_OK);
	finish();
	fixture_sound(volume);
	cr_expect_eq(progress("by-n").done, 300);
}

Test(backfill, a_definition_is_refused_by_a_full_disk_and_nothing_has_changed)
{
	struct why why = {.text = ""};
	fill(0, 300);
	disk_is_full = true;
	cr_expect_eq(fixture_try_define(table, with_n, &why), RC_NO_SPACE);
	disk_is_full = false;
	cr_expect_eq(table->schema->count, 0);
	cr_expect_eq(table->building, 0);
	fixture_sound(volume);
}

/* ---- What the check says of one. */

static void finds(const char *expected)
{
	unsigned long problems;
	char *text = fixture_check(volume, &problems);
	cr_expect_str_eq(text, expected);
	free(text);
}

static void set_record(const struct build_record *record)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct store_batch *batch;
	row_build(&row, table->id, table->schema->indexes[0].id);
	build_write(&value, record);
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_put(batch, row.data, row.len, value.data, value.len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
}

Test(backfill, an_entry_beyond_the_cursor_and_a_missing_one_before_it_are_named)
{
	cleanup_buf struct buf cursor = {0};
	fixture_put(table, "p", "1", "{\"n\":5}");
	fixture_put(table, "p", "2", "{\"n\":6}");
	fixture_define(table, with_n);
	fixture_sound(volume);
	struct leaf first = fixture_item(table, "p", "1");
	key_encode(&first.pk, &cursor);
	key_encode(&first.sk, &cursor);
	set_record(&(struct build_record){.done = 1, .cursor = cursor.data, .cursor_len = (uint32_t)cursor.len});
	finds("Things: index by-n: entry 6/p,2: its item does not qualify for it\n");
	set_record(&(struct build_record){.ended = true});
	fixture_sound(volume);
	struct entry_source source = {table->schema, &first.pk, &first.sk, NULL};
	cleanup_item struct item *item = NULL;
	cr_assert_eq(item_parse("{\"n\":5}", 7, &item, NULL), RC_OK);
	source.item = item;
	struct entry entry = {0};
	cr_assert_eq(entry_make(&source, &table->schema->indexes[0], table->id, &entry, NULL), RC_OK);
	struct store_batch *batch;
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_delete(batch, entry.row.data, entry.row.len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
	entry_free(&entry);
	set_record(&(struct build_record){.done = 1, .cursor = cursor.data, .cursor_len = (uint32_t)cursor.len});
	unsigned long problems;
	char *text = fixture_check(volume, &problems);
	cr_expect_not_null(strstr(text, "Things: index by-n: entry 5/p,1: is missing, and item p/1 has it\n"), "%s", text);
	free(text);
}

Test(backfill, a_record_that_cannot_be_read_or_has_no_index_is_named)
{
	fixture_put(table, "p", "1", "{\"n\":5}");
	fixture_define(table, with_n);
	cleanup_buf struct buf row = {0};
	struct store_batch *batch;
	row_build(&row, table->id, table->schema->indexes[0].id);
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_put(batch, row.data, row.len, "?", 1);
	buf_clear(&row);
	row_build(&row, table->id, 77);
	store_batch_put(batch, row.data, row.len, "?", 1);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
	unsigned long problems;
	char *text = fixture_check(volume, &problems);
	cr_expect_eq(problems, 2, "%s", text);
	cr_expect_not_null(strstr(text, "Things: index by-n: how far it is filled cannot be read\n"), "%s", text);
	cr_expect_not_null(strstr(text, "the table has no such index\n"), "%s", text);
	free(text);
}

Test(backfill, a_volume_of_format_1_is_one_of_format_2_from_its_first_commit_on)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct volume_record record = volume->record;
	struct store_batch *batch;
	record.format = 1;
	row_volume(&row);
	volume_write(&value, &record);
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_put(batch, row.data, row.len, value.data, value.len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
	reopen(true);
	fill(0, 1);
	buf_clear(&value);
	cr_assert_eq(store_get(volume->store, NULL, row.data, row.len, &value), RC_OK);
	cr_assert_eq(volume_read(value.data, value.len, &record), RC_OK);
	cr_expect_eq(record.format, ROW_FORMAT);
}
