/* definition: what a table takes for its definition, with items in it and without; adoption; its name, which is a file's. */
#include "tests/unit/music_fixture.h"

TestSuite(definition, .init = set_up, .fini = tear_down);

Test(definition, a_definition_adopts_what_fits_and_names_what_does_not)
{
	struct why why = {.text = ""};
	struct leaf file = fixture_file(table, "Queen", "README");
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975}");
	fixture_put(table, "Queen", "Innuendo", "{\"year\":\"1991\"}");
	fixture_put(table, "ABBA", "Eagle", "{\"Song\":\"Other\"}");
	fixture_write(&file, "x");
	cr_expect_eq(fixture_try_define(table, FIXTURE_MUSIC, &why), RC_REFUSED);
	cr_expect_not_null(strstr(why.text, "Queen/Innuendo: "), "%s", why.text);
	cr_expect_not_null(strstr(why.text, "ABBA/Eagle: "), "%s", why.text);
	cr_expect_null(strstr(why.text, "Bohemian"), "%s", why.text);
	struct leaf leaf = fixture_item(table, "ABBA", "Eagle");
	cr_expect(fixture_reads(&leaf, "{\"Song\":\"Other\"}"));
	fixture_put(table, "Queen", "Innuendo", "{\"year\":1991}");
	fixture_put(table, "ABBA", "Eagle", "{\"Song\":\"Eagle\"}");
	fixture_define(table, FIXTURE_MUSIC);
	fixture_sound(volume);
	lists_index("1991", "Queen,Innuendo ");
	file = fixture_file(table, "Queen", "README");
	cr_expect(fixture_reads(&file, "x"));
	remount();
	lists(LISTING_PARTITIONS, NULL, "ABBA Queen ");
}

Test(definition, adoption_gives_keys_their_types_and_order)
{
	fixture_put(table, "0a", "10", "{}");
	fixture_put(table, "0a", "9", "{}");
	fixture_put(table, "ff", "-1", "{}");
	fixture_define(
	    table,
	    "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\","
	    "\"KeyType\":\"RANGE\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"B\"},"
	    "{\"AttributeName\":\"s\",\"AttributeType\":\"N\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	struct key pk = fixture_key(KEY_B, KEY_PARTITION, "0a");
	lists(LISTING_PARTITIONS, NULL, "0a ff ");
	lists(LISTING_ITEMS, &pk, "9 10 ");
	struct leaf leaf = fixture_item(table, "ff", "-1");
	cr_expect(fixture_reads(&leaf, "{}"));
}

Test(definition, a_table_without_a_sort_key_holds_one_item_a_partition)
{
	const char *definition =
	    "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":["
	    "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}";
	struct why why = {.text = ""};
	struct key pk = text_key("a");
	fixture_put(table, "a", "item", "{\"x\":1}");
	fixture_put(table, "b", "other", "{}");
	cr_expect_eq(fixture_try_define(table, definition, &why), RC_REFUSED);
	struct leaf leaf = fixture_item(table, "b", "other");
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK);
	fixture_define(table, definition);
	leaf = fixture_item(table, "a", NULL);
	cr_expect(fixture_reads(&leaf, "{\"x\":1}"));
	lists(LISTING_ITEMS, &pk, " ");
	cr_expect_eq(fixture_try_define(table, FIXTURE_MUSIC, &why), RC_REFUSED,
		     "it holds an item, so its key is fixed");
}

Test(definition, indexes_come_and_go_in_a_table_with_items)
{
	static const char without[] =
	    "{\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"Song\",\"KeyType\":\"RANGE\"}],\"AttributeDefinitions\":["
	    "{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},{\"AttributeName\":\"Song\","
	    "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}";
	fixture_define(table, without);
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975}");
	fixture_put(table, "Queen", "Bad", "{\"year\":\"no number\"}");
	fixture_define(table, FIXTURE_MUSIC);
	fixture_sound(volume);
	lists_index("1975", "Queen,Bohemian ");
	struct leaf leaf = fixture_item(table, "Queen", "Bad");
	cr_expect_eq(fixture_try_write(&leaf, "{\"year\":\"no number\"}", NULL), RC_REFUSED);
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK, "what was skipped may go");
	uint32_t first = table->schema->indexes[0].id;
	fixture_define(table, without);
	fixture_sound(volume);
	struct key year = fixture_key(KEY_N, KEY_PARTITION, "1975");
	cr_expect_eq(listing_has_index_key(table, NULL, "by-year", &year), RC_NOT_FOUND);
	fixture_define(table, FIXTURE_MUSIC);
	cr_expect_neq(table->schema->indexes[0].id, first);
	cr_expect_eq(listing_has_index_key(table, NULL, "by-year", &year), RC_OK);
	fixture_define(table, FIXTURE_MUSIC);
	remount();
	lists_index("1975", "Queen,Bohemian ");
}

Test(definition, the_name_of_a_definition_goes_and_the_definition_stays)
{
	struct head head;
	cleanup_buf struct buf document = {0};
	cr_expect_eq(definition_get(table, NULL, &head, NULL), RC_NOT_FOUND);
	cr_expect_eq(definition_unname(table), RC_NOT_FOUND);
	fixture_define(table, FIXTURE_MUSIC);
	cr_assert_eq(definition_get(table, NULL, &head, &document), RC_OK);
	cr_expect_eq(head.size, strlen(FIXTURE_MUSIC));
	cr_expect_eq(memcmp(document.data, FIXTURE_MUSIC, head.size), 0);
	cr_expect_eq(definition_unname(table), RC_OK);
	remount();
	cr_expect_eq(definition_get(table, NULL, &head, NULL), RC_NOT_FOUND);
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975}");
	lists_index("1975", "Queen,Bohemian ");
	struct definition_write write = {
	    .document = FIXTURE_MUSIC, .len = strlen(FIXTURE_MUSIC), .condition = LEAF_ABSENT, .fresh = &fixture_meta};
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_OK);
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_EXISTS);
	write.condition = LEAF_SAME;
	write.birth = head.birth + 1;
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_STALE);
}

Test(definition, a_definition_becomes_a_file_and_a_file_the_definition)
{
	struct leaf backup = fixture_file(table, NULL, ".schema.json~"), inner = fixture_file(table, "p", "draft");
	struct head head;
	fixture_define(table, FIXTURE_MUSIC);
	cr_expect_eq(definition_to_file(table, &backup, false, &head), RC_OK);
	cr_expect(fixture_reads(&backup, FIXTURE_MUSIC));
	cr_expect_eq(stat_of(table).files, 1);
	struct definition_write write = {
	    .document = FIXTURE_MUSIC, .len = strlen(FIXTURE_MUSIC), .fresh = &fixture_meta, .from = &backup};
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_OK);
	fixture_sound(volume);
	cr_expect_eq(stat_of(table).files, 0);
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_NOT_FOUND, "the file has gone");
	struct key pk = text_key("p");
	cr_assert_eq(partition_create(table, &pk, &fixture_directory), RC_OK);
	fixture_write(&inner, FIXTURE_MUSIC);
	write.from = &inner;
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_OK);
	fixture_sound(volume);
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_NOT_FOUND);
	fixture_put(table, "p", "s", "{}");
	fixture_write(&inner, FIXTURE_MUSIC);
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_OK, "the same with items, where it is not adopted");
	cr_expect_eq(definition_set(table, &write, &head, NULL), RC_NOT_FOUND);
}

Test(definition, an_adoption_that_is_broken_off_changes_nothing)
{
	struct why why = {.text = ""};
	fixture_put(table, "Queen", "Liar", "{\"year\":1973}");
	volume_break_off(volume, true);
	cr_expect_eq(fixture_try_define(table, FIXTURE_MUSIC, &why), RC_INTERRUPTED);
	cr_expect(strstr(why.text, "closed"), "%s", why.text);
	fixture_put(table, "Queen", "Jealousy", "{\"year\":\"no number\"}"); /* its index is not there */
	volume_break_off(volume, false);
	remount();
	cr_expect_eq(fixture_try_define(table, FIXTURE_MUSIC, &why), RC_REFUSED, "%s", why.text);
	fixture_put(table, "Queen", "Jealousy", "{\"year\":1978}");
	fixture_define(table, FIXTURE_MUSIC);
}
