/* query, listing: over all partition keys: scans by segments, and listings of a whole table or index. */
#include "tests/unit/fixture.h"

/* ---- scans ---- */

static void make_partitions(struct table *table, size_t count)
{
	char pk[32];
	for (size_t i = 0; i < count; i++) {
		snprintf(pk, sizeof pk, "p%04zu", i);
		fixture_put(table, pk, "one", "{}");
		if (i % 3 == 0)
			fixture_put(table, pk, "two", "{\"n\":2}");
	}
}

static struct query *segment(uint64_t at, uint64_t total)
{
	struct query *query = query_new();
	cr_assert_eq(query_segment(query, at, total, NULL), RC_OK);
	return query;
}

Test(query, segments_are_disjoint_and_complete_and_of_about_one_size)
{
	enum { COUNT = 600 };
	static const uint64_t totals[] = {1, 2, 3, 4, 7, 100};
	char *path = fixture_place();
	struct volume *volume = fixture_open(path);
	struct table *table = fixture_table(volume, "table");
	make_partitions(table, COUNT);
	for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
		bool seen[COUNT] = {false};
		size_t all = 0, items = 0;
		for (uint64_t s = 0; s < totals[t]; s++) {
			struct query *query = segment(s, totals[t]);
			struct listing_place place = {.kind = LISTING_PARTITIONS, .table = table, .query = query};
			struct listing *listing;
			const struct listing_entry *entry;
			size_t count = 0;
			cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
			while (listing_next(listing, &entry) == RC_OK) {
				char name[8] = "";
				memcpy(name, entry->key.data, 5);
				size_t at = strtoul(name + 1, NULL, 10);
				cr_assert(!seen[at], "p%04zu twice", at);
				cr_assert(query_in_segment(query, &entry->key));
				seen[at] = true;
				count++;
			}
			listing_close(listing);
			all += count;
			if (totals[t] <= 4)
				cr_expect(count > COUNT / totals[t] / 2 && count < COUNT / totals[t] * 2, "%zu in one of %llu", count, (unsigned long long)totals[t]);
			/* The items of a segment, all partitions in one listing: the foreign partitions are jumped over. */
			place.kind = LISTING_ITEMS;
			cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
			while (listing_next(listing, &entry) == RC_OK) {
				cr_assert(query_in_segment(query, &entry->pk));
				items++;
			}
			cr_expect_leq(listing_rows(listing), 3 * COUNT);
			listing_close(listing);
			query_free(query);
		}
		cr_expect_eq(all, COUNT);
		cr_expect_eq(items, COUNT + COUNT / 3);
	}
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}

Test(query, a_segment_must_be_one_of_those_there_are)
{
	struct query *query = query_new();
	struct why why = {.text = ""};
	cr_expect_eq(query_segment(query, 5, 5, &why), RC_INVALID);
	cr_expect_str_eq(why.text, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less than TotalSegments: 5");
	cr_expect_eq(query_segment(query, 0, 0, &why), RC_INVALID);
	cr_expect_eq(query_segment(query, 0, 1000001, &why), RC_INVALID);
	cr_expect_eq(query_segment(query, 999999, 1000000, &why), RC_OK);
	cr_expect_eq(query_first(query, 0, &why), RC_INVALID);
	query_free(query);
}

/* ---- listings of a whole table or index, and what only long names ask for ---- */

Test(query, a_whole_table_and_a_whole_index_list_in_key_order_with_their_documents)
{
	char *path = fixture_place(), *long_one = malloc(4000);
	struct volume *volume = fixture_open(path);
	struct table *table = fixture_table(volume, "music");
	fixture_define(table, FIXTURE_MUSIC);
	memset(long_one, ' ', 3999);
	memcpy(long_one, "{\"year\":1975}", 13);
	long_one[3999] = 0;
	fixture_put(table, "Abba", "Waterloo", "{\"year\":1974}");
	fixture_put(table, "Queen", "Liar", long_one);
	fixture_put(table, "Queen", "Ogre", "");
	struct listing_place place = {.kind = LISTING_ITEMS, .table = table};
	struct listing *listing;
	const struct listing_entry *entry;
	cleanup_buf struct buf all = {0};
	cr_assert_eq(listing_open(volume, NULL, &place, &listing), RC_OK);
	while (listing_next(listing, &entry) == RC_OK) {
		cleanup_buf struct buf document = {0};
		key_text(&entry->pk, &all);
		cr_assert_eq(listing_document(listing, &document), RC_OK);
		cr_expect_eq(document.len, entry->head.size);
		buf_printf(&all, " %zu ", document.len);
	}
	listing_close(listing);
	buf_add_byte(&all, 0);
	cr_expect_str_eq((char *)all.data, "Abba 13 Queen 3999 Queen 0 ");
	place = (struct listing_place){.kind = LISTING_ENTRIES, .table = table, .index = "by-year"};
	fixture_lists(volume, &place, "Abba,Waterloo Queen,Liar ");
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
	free(long_one);
}

Test(query, index_keys_that_begin_alike_are_each_listed_once)
{
	char *path = fixture_place();
	struct volume *volume = fixture_open(path);
	struct table *table = fixture_table(volume, "music");
	fixture_define(table, "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},"
			      "{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\","
			      "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]}");
	static const char *const values[] = {"a", "abb", "abc", "abc", "abd", "b"};
	for (size_t i = 0; i < 6; i++) {
		char pk[2] = {(char)('0' + i), 0}, document[32];
		snprintf(document, sizeof document, "{\"g\":\"%s\"}", values[i]);
		fixture_put(table, pk, "", document);
	}
	struct key prefix = fixture_key(KEY_S, KEY_PARTITION, "ab");
	struct listing_place place = {.kind = LISTING_INDEX_KEYS, .table = table, .index = "gsi", .prefix = &prefix};
	fixture_lists(volume, &place, "abb abc abd ");
	place.prefix = NULL;
	fixture_lists(volume, &place, "a abb abc abd b ");
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}
