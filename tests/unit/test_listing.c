/* listing: views, listings in both directions, and the reading of an entry. */
#include "tests/unit/music_fixture.h"

TestSuite(listing, .init = set_up, .fini = tear_down);

Test(listing, a_view_shows_the_moment_it_was_opened)
{
	struct view *view;
	struct head head;
	struct leaf leaf = fixture_item(table, "p", "s");
	cleanup_buf struct buf document = {0};
	struct listing_place place = {.kind = LISTING_PARTITIONS, .table = table};
	fixture_write(&leaf, "{\"a\":1}");
	cr_assert_eq(view_open(volume, &view), RC_OK);
	fixture_write(&leaf, "{\"a\":22}");
	fixture_put(table, "q", "s", "{}");
	cr_expect_eq(leaf_get(&leaf, view, &head, &document), RC_OK);
	cr_expect_eq(document.len, 7);
	char *list = fixture_list(volume, view, &place);
	cr_expect_str_eq(list, "p ");
	free(list);
	view_close(view);
}

Test(listing, listings_go_both_ways)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct key pk = text_key("Queen");
	fixture_put(table, "Queen", "a", "{\"year\":1}");
	fixture_put(table, "Queen", "b", "{\"year\":2}");
	fixture_put(table, "Queen", "c", "{\"year\":2}");
	fixture_put(table, "Queen", "d", "{\"year\":10}");
	struct listing_place places[] = {
	    {.kind = LISTING_ITEMS, .table = table, .pk = &pk},
	    {.kind = LISTING_INDEX_KEYS, .table = table, .index = "by-year"},
	};
	const char *before[] = {"c", "2"}, *first[] = {"a", "1"};
	const size_t count[] = {4, 3};
	for (size_t i = 0; i < 2; i++) {
		struct listing *listing;
		const struct listing_entry *entry = NULL;
		size_t n = 0;
		cr_assert_eq(listing_open(volume, NULL, &places[i], &listing), RC_OK);
		while (listing_next(listing, &entry) == RC_OK)
			n++;
		cr_expect_eq(n, count[i]);
		cr_expect_eq(listing_next(listing, &entry), RC_NOT_FOUND);
		for (const char **e = (const char *[]){before[i], NULL}; *e; e++) {
			cleanup_buf struct buf text = {0};
			cr_assert_eq(listing_prev(listing), RC_OK);
			key_text(&entry->key, &text);
			cr_expect(text.len == strlen(*e) && memcmp(text.data, *e, text.len) == 0, "%.*s for %s",
				  (int)text.len, text.data, *e);
		}
		while (listing_prev(listing) == RC_OK)
			;
		cr_expect_eq(listing_prev(listing), RC_NOT_FOUND);
		cleanup_buf struct buf text = {0};
		cr_assert_eq(listing_next(listing, &entry), RC_OK);
		key_text(&entry->key, &text);
		cr_expect(text.len == strlen(first[i]) && memcmp(text.data, first[i], text.len) == 0);
		listing_close(listing);
	}
}

Test(listing, an_entry_is_read_by_its_keys)
{
	fixture_define(table, FIXTURE_MUSIC);
	char large[3000] = "{\"year\":1975,\"t\":\"";
	memset(large + strlen(large), 'x', 2900);
	memcpy(large + strlen(large), "\"}", 3);
	fixture_put(table, "Queen", "Bohemian", large);
	struct key keys[3] = {fixture_key(KEY_N, KEY_PARTITION, "1975"), text_key("Queen"),
			      fixture_key(KEY_S, KEY_SORT, "Bohemian")};
	struct head head;
	cleanup_buf struct buf document = {0};
	cr_assert_eq(listing_get_entry(table, NULL, "by-year", keys, 3, &head, &document), RC_OK);
	cr_expect_eq(document.len, head.size);
	cr_expect_eq(memcmp(document.data, "{\"Artist\":\"Queen\",\"Song\":\"Bohemian\",\"year\":1975,\"t\":\"xxx", 54),
		     0);
	keys[0] = fixture_key(KEY_N, KEY_PARTITION, "1976");
	cr_expect_eq(listing_get_entry(table, NULL, "by-year", keys, 3, &head, NULL), RC_NOT_FOUND);
	cr_expect_eq(listing_get_entry(table, NULL, "by-nothing", keys, 3, &head, NULL), RC_NOT_FOUND);
}
