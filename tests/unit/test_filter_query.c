/* filter_query: filters as part of queries of a real volume: which items, entries, partitions and index keys are left. */
#include "index/filter.h"
#include "tests/unit/music_fixture.h"

static struct query *query;

static void set_up_songs(void)
{
	set_up_declared();
	fixture_put(table, "ABBA", "Fernando", "{\"year\":1976,\"live\":false}");
	fixture_put(table, "ABBA", "Waterloo", "{\"year\":1974,\"live\":true}");
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975,\"live\":false,\"info\":{\"rating\":9}}");
	fixture_put(table, "Queen", "Liar", "{\"year\":1973,\"live\":true}");
	fixture_put(table, "Queen", "Radio", "{\"year\":1984,\"info\":{\"rating\":7}}");
	fixture_put(table, "Rush", "Tom", "{\"year\":1981}");
	fixture_put(table, "Rush", "Xanadu", "");
	query = query_new();
}

static void tear_down_songs(void)
{
	query_free(query);
	tear_down();
}

TestSuite(filter_query, .init = set_up_songs, .fini = tear_down_songs);

static enum rc add(const char *index, bool of_one_key, const char *attribute, const char *op, const char *operand,
		   struct why *why)
{
	const char *parts[] = {attribute, op, operand};
	struct filter *filter = NULL;
	cr_assert_eq(filter_parse(parts, operand ? 3 : 2, &filter, why), RC_OK);
	return filter_add(filter, table, index, of_one_key, query, why);
}

static void where(const char *attribute, const char *op, const char *operand)
{
	cr_assert_eq(add(NULL, false, attribute, op, operand, NULL), RC_OK);
}

static void where_in(const char *index, const char *attribute, const char *op, const char *operand)
{
	cr_assert_eq(add(index, false, attribute, op, operand, NULL), RC_OK);
}

static void append(char *out, const struct key *key)
{
	cleanup_buf struct buf text = {0};
	key_text(key, &text);
	sprintf(out + strlen(out), "%.*s", (int)text.len, text.data);
}

/* What is listed, there and back: its keys, a space between them. */
static void expect(enum listing_kind kind, const char *pk, const char *index, const char *expected)
{
	struct key key;
	struct listing *listing;
	const struct listing_entry *entry;
	char got[1024] = "";
	size_t count = 0, back = 0;
	if (pk)
		key = fixture_key(index ? KEY_N : KEY_S, KEY_PARTITION, pk);
	struct listing_place place = {
	    .kind = kind, .table = table, .pk = pk ? &key : NULL, .index = index, .query = query};
	cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
	for (; listing_next(listing, &entry) == RC_OK; count++) {
		strcat(got, *got ? " " : "");
		append(got, kind == LISTING_ENTRIES ? &entry->keys[2] : &entry->key);
	}
	cr_expect_str_eq(got, expected);
	while (listing_prev(listing) == RC_OK)
		back++;
	cr_expect_eq(back, count ? count - 1 : 0, "%zu", back);
	size_t again = 0;
	while (listing_next(listing, &entry) == RC_OK)
		again++;
	cr_expect_eq(again, count);
	listing_close(listing);
}

Test(filter_query, items_that_do_not_pass_are_left_out)
{
	where("live", "eq", "true");
	expect(LISTING_ITEMS, "Queen", NULL, "Liar");
	expect(LISTING_ITEMS, "Rush", NULL, "");
	expect(LISTING_ITEMS, NULL, NULL, "Waterloo Liar");
}

Test(filter_query, filters_are_joined_by_and)
{
	where("year", "lt", "1980");
	where("info.rating", "exists", NULL);
	expect(LISTING_ITEMS, "Queen", NULL, "Bohemian");
}

Test(filter_query, partitions_are_listed_where_one_item_passes_all_filters)
{
	where("live", "exists", NULL);
	expect(LISTING_PARTITIONS, NULL, NULL, "ABBA Queen");
	where("year", "ge", "1976");
	expect(LISTING_PARTITIONS, NULL, NULL, "ABBA"); /* Queen has one of each, and none of both */
	where("year", "gt", "1976");
	expect(LISTING_PARTITIONS, NULL, NULL, "");
}

Test(filter_query, a_partition_without_items_passes_nothing)
{
	struct key key = fixture_key(KEY_S, KEY_PARTITION, "Empty");
	cr_assert_eq(partition_create(table, &key, &fixture_directory), RC_OK);
	where("year", "not_exists", NULL);
	expect(LISTING_PARTITIONS, NULL, NULL, "Rush");
}

Test(filter_query, a_scan_may_filter_by_the_key_that_documents_leave_out)
{
	where("Artist", "begins_with", "Q");
	where("Song", "ne", "Liar");
	expect(LISTING_PARTITIONS, NULL, NULL, "Queen");
	expect(LISTING_ITEMS, NULL, NULL, "Bohemian Radio");
}

Test(filter_query, a_query_may_not_and_an_index_has_its_own_keys)
{
	struct why why = {.text = ""};
	cr_expect_eq(add(NULL, true, "Song", "exists", NULL, &why), RC_INVALID);
	cr_expect_str_eq(why.text,
			 "Filter Expression can only contain non-primary key attributes: Primary key attribute: Song");
	cr_expect_eq(add("by-year", true, "year", "exists", NULL, &why), RC_INVALID);
	cr_expect_eq(add("by-year", true, "Song", "exists", NULL, &why), RC_OK);
	cr_expect_eq(add("nothing", true, "x", "exists", NULL, &why), RC_NOT_FOUND);
}

Test(filter_query, index_keys_are_listed_where_an_entry_passes)
{
	fixture_put(table, "Other", "A", "{\"year\":1975,\"live\":true}");
	fixture_put(table, "Zebra", "Z", "{\"year\":1984,\"live\":true}");
	where_in("by-year", "live", "eq", "true");
	expect(LISTING_INDEX_KEYS, NULL, "by-year", "1973 1974 1975 1984");
	expect(LISTING_ENTRIES, "1975", "by-year", "A");
	expect(LISTING_ENTRIES, "1984", "by-year", "Z");
	where_in("by-year", "Artist", "gt", "Queen");
	expect(LISTING_INDEX_KEYS, NULL, "by-year", "1984");
}

Test(filter_query, a_limit_before_a_filter_counts_what_is_read_and_one_after_it_what_is_left)
{
	cr_assert_eq(query_first(query, 2, NULL), RC_OK);
	where("info", "exists", NULL);
	expect(LISTING_ITEMS, "Queen", NULL, "Bohemian");
	query_free(query);
	query = query_new();
	where("info", "exists", NULL);
	expect(LISTING_ITEMS, "Queen", NULL, "Bohemian Radio");
	cr_assert_eq(query_first(query, 1, NULL), RC_OK);
	expect(LISTING_ITEMS, "Queen", NULL, "Bohemian");
	query_free(query);
	query = query_new();
	where("info", "exists", NULL);
	cr_assert_eq(query_last(query, 2, NULL), RC_OK);
	expect(LISTING_ITEMS, "Queen", NULL, "Radio Bohemian");
	where("info.rating", "lt", "8");
	expect(LISTING_ITEMS, "Queen", NULL, "Radio");
}

Test(filter_query, a_scan_segment_lists_what_passes_in_it)
{
	char listed[2][256] = {"", ""};
	for (uint64_t segment = 0; segment < 2; segment++) {
		struct listing *listing;
		const struct listing_entry *entry;
		query_free(query);
		query = query_new();
		cr_assert_eq(query_segment(query, segment, 2, NULL), RC_OK);
		where("live", "exists", NULL);
		struct listing_place place = {.kind = LISTING_PARTITIONS, .table = table, .query = query};
		cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
		while (listing_next(listing, &entry) == RC_OK)
			append(listed[segment], &entry->key);
		listing_close(listing);
	}
	cr_expect_eq(strlen(listed[0]) + strlen(listed[1]), strlen("ABBAQueen"), "%s %s", listed[0], listed[1]);
	cr_expect_null(strstr(listed[0], "Rush"));
	cr_expect_null(strstr(listed[1], "Rush"));
}

Test(filter_query, an_undeclared_table_filters_by_the_key_of_the_path)
{
	table_unref(table);
	table = fixture_table(volume, "Loose");
	fixture_put(table, "p", "s", "{\"pk\":\"other\",\"x\":1}");
	where("pk", "eq", "p");
	expect(LISTING_ITEMS, NULL, NULL, "s");
	where("pk", "eq", "other");
	expect(LISTING_ITEMS, NULL, NULL, "");
}

Test(filter_query, three_in_a_row_parse_each_document_once)
{
	struct listing *listing;
	const struct listing_entry *entry;
	size_t left = 0;
	where("year", "ge", "1900");
	where("year", "lt", "2000");
	where("live", "exists", NULL);
	struct listing_place place = {.kind = LISTING_ITEMS, .table = table, .query = query};
	cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
	for (; listing_next(listing, &entry) == RC_OK; left++) {
		cleanup_buf struct buf document = {0};
		cr_assert_eq(listing_document(listing, &document), RC_OK);
		cr_expect(memmem(document.data, document.len, "live", 4));
	}
	cr_expect_eq(left, 4);
	cr_expect_eq(listing_parsed(listing), 7);
	listing_close(listing);
}

Test(filter_query, who_looks_for_what_is_not_there_is_broken_off)
{
	struct listing *listing;
	const struct listing_entry *entry;
	struct listing_place place = {.kind = LISTING_ITEMS, .table = table, .query = query};
	where("year", "eq", "7");
	cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
	volume_break_off(volume, true);
	cr_expect_eq(listing_next(listing, &entry), RC_INTERRUPTED);
	listing_close(listing);
	cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
	volume_break_off(volume, false);
	cr_expect_eq(listing_next(listing, &entry), RC_NOT_FOUND);
	listing_close(listing);
}
