/* describe: DescribeTable's output and its figures; usage: the capacity units in it. */
#include "index/describe.h"
#include "index/usage.h"
#include "store/model/schema_describe.h"
#include "tests/unit/fixture.h"
#include <jansson.h>

static char *place;
static struct volume *volume;

static void setup(void)
{
	place = fixture_place();
	volume = fixture_open(place);
}

static void teardown(void)
{
	volume_close(volume);
	fixture_remove(place);
}

TestSuite(describe, .init = setup, .fini = teardown, .timeout = 60);

/* Its "Table", the caller's. */
static json_t *described(struct table *table)
{
	cleanup_buf struct buf text = {0};
	json_error_t error;
	cr_assert_eq(describe_table(table, NULL, &text), RC_OK);
	json_t *whole = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(whole, "%s in %.*s", error.text, (int)text.len, text.data);
	json_t *inner = json_incref(json_object_get(whole, "Table"));
	cr_assert(json_is_object(inner) && json_object_size(whole) == 1);
	json_decref(whole);
	return inner;
}

static json_int_t figure(struct table *table, const char *index, const char *name)
{
	json_t *of = described(table), *at = of, *each;
	size_t i;
	if (index) {
		at = NULL;
		json_array_foreach(json_object_get(of, "GlobalSecondaryIndexes"), i, each)
			if (strcmp(json_string_value(json_object_get(each, "IndexName")), index) == 0)
				at = each;
	}
	cr_assert_not_null(json_object_get(at, name), "no %s", name);
	json_int_t value = json_integer_value(json_object_get(at, name));
	json_decref(of);
	return value;
}

static const char *string(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "(none)";
}

Test(describe, an_undeclared_table_shows_the_keys_that_it_has)
{
	struct table *table = fixture_table(volume, "Music");
	json_t *of = described(table);
	cr_expect_str_eq(string(of, "TableName"), "Music");
	cr_expect_str_eq(string(of, "TableStatus"), "ACTIVE");
	cr_expect_eq(json_array_size(json_object_get(of, "AttributeDefinitions")), 2);
	cr_expect_eq(json_array_size(json_object_get(of, "KeySchema")), 2);
	cr_expect_null(json_object_get(of, "GlobalSecondaryIndexes"));
	cr_expect(json_is_real(json_object_get(of, "CreationDateTime")));
	cr_expect_str_eq(string(json_object_get(of, "BillingModeSummary"), "BillingMode"), "PAY_PER_REQUEST");
	json_decref(of);
	table_unref(table);
}

Test(describe, figures_are_exact_through_every_kind_of_change)
{
	struct table *table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	/* Artist, Queen, Song, Liar, year, 1973: 6+5+4+4+4+3 bytes, and 100 more each. */
	fixture_put(table, "Queen", "Liar", "{\"year\":1973}");
	cr_expect_eq(figure(table, NULL, "ItemCount"), 1);
	cr_expect_eq(figure(table, NULL, "TableSizeBytes"), 126);
	cr_expect_eq(figure(table, "by-year", "ItemCount"), 1);
	cr_expect_eq(figure(table, "by-year", "IndexSizeBytes"), 126);
	fixture_put(table, "Queen", "Liar", "{\"year\":1973,\"x\":\"abc\"}");
	cr_expect_eq(figure(table, NULL, "TableSizeBytes"), 130);
	cr_expect_eq(figure(table, "by-year", "IndexSizeBytes"), 130);
	fixture_put(table, "Queen", "Liar", "{}");
	cr_expect_eq(figure(table, NULL, "TableSizeBytes"), 119);
	cr_expect_eq(figure(table, "by-year", "ItemCount"), 0);
	cr_expect_eq(figure(table, "by-year", "IndexSizeBytes"), 0);
	fixture_put(table, "Abba", "SOS", "{\"year\":1975}");
	cr_expect_eq(figure(table, NULL, "ItemCount"), 2);
	struct leaf leaf = fixture_item(table, "Queen", "Liar");
	cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_expect_eq(figure(table, NULL, "ItemCount"), 1);
	cr_expect_eq(figure(table, NULL, "TableSizeBytes"), 124);
	fixture_sound(volume);
	table_unref(table);
}

Test(describe, identity_and_birth_stay_through_renaming_adoption_and_reopening)
{
	struct table *table = fixture_table(volume, "Music"), *other = fixture_table(volume, "Other");
	json_t *first = described(table), *second = described(other);
	cr_expect_str_neq(string(first, "TableId"), string(second, "TableId"));
	unsigned a, b, c, d;
	unsigned long long e;
	char after;
	cr_expect_eq(sscanf(string(first, "TableId"), "%8x-%4x-%4x-%4x-%12llx%c", &a, &b, &c, &d, &e, &after), 5);
	fixture_put(table, "Queen", "Liar", "{}");
	fixture_define(table, FIXTURE_MUSIC);
	cr_assert_eq(table_rename(table, "Songs", true, NULL), RC_OK);
	table_unref(table);
	table_unref(other);
	volume_close(volume);
	volume = fixture_open(place);
	table = fixture_find(volume, "Songs");
	json_t *again = described(table);
	cr_expect_str_eq(string(first, "TableId"), string(again, "TableId"));
	cr_expect(json_equal(json_object_get(first, "CreationDateTime"), json_object_get(again, "CreationDateTime")));
	cr_expect_str_eq(string(again, "TableName"), "Songs");
	json_decref(first);
	json_decref(second);
	json_decref(again);
	table_unref(table);
}

/* What was described, as a definition again, describes itself the same. */
static void comes_back(const char *name, const char *document)
{
	struct table *table = fixture_table(volume, name);
	cleanup_buf struct buf text = {0}, again = {0};
	fixture_define(table, document);
	cr_assert_eq(describe_table(table, NULL, &text), RC_OK);
	buf_add_byte(&text, 0);
	fixture_define(table, (const char *)text.data);
	cr_assert_eq(describe_table(table, NULL, &again), RC_OK);
	buf_add_byte(&again, 0);
	cr_expect_str_eq((char *)again.data, (char *)text.data);
	table_unref(table);
}

#define KEYS                                                                                                           \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"},{\"AttributeName\":\"b\","        \
	"\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":"  \
	"\"b\",\"KeyType\":\"RANGE\"}]"

Test(describe, what_it_prints_is_a_definition_again_with_every_setting)
{
	comes_back("Music", FIXTURE_MUSIC);
	comes_back("Provisioned", "{" KEYS ",\"BillingMode\":\"PROVISIONED\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,"
				  "\"WriteCapacityUnits\":\"6\"},\"DeletionProtectionEnabled\":\"true\",\"Tags\":[{\"Key\":\"k\","
				  "\"Value\":\"v\"}],\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}");
	comes_back("Template", "{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{" KEYS ",\"StreamSpecification\":"
			       "{\"StreamViewType\":\"NEW_IMAGE\"},\"TimeToLiveSpecification\":{\"AttributeName\":\"t\",\"Enabled\":true},"
			       "\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true},\"SSESpecification\":"
			       "{\"SSEEnabled\":true},\"OnDemandThroughput\":{\"MaxReadRequestUnits\":7},\"BillingMode\":\"PAY_PER_REQUEST\"}}");
	comes_back("Wrapped", "{\"Table\":{" KEYS ",\"TableStatus\":\"ACTIVE\",\"ItemCount\":99}}");
	struct table *table = fixture_find(volume, "Provisioned");
	json_t *of = described(table), *throughput = json_object_get(of, "ProvisionedThroughput");
	cr_expect_eq(json_integer_value(json_object_get(throughput, "ReadCapacityUnits")), 5);
	cr_expect_eq(json_integer_value(json_object_get(throughput, "WriteCapacityUnits")), 6);
	cr_expect_null(json_object_get(of, "BillingModeSummary"));
	cr_expect(json_is_true(json_object_get(of, "DeletionProtectionEnabled")));
	cr_expect_str_eq(string(json_object_get(of, "TableClassSummary"), "TableClass"), "STANDARD_INFREQUENT_ACCESS");
	json_decref(of);
	table_unref(table);
}

static void expect_used(struct table *table, const char *index, json_int_t reads, json_int_t writes, const char *when)
{
	json_int_t r = figure(table, index, "ConsumedReadCapacityUnits"), w = figure(table, index, "ConsumedWriteCapacityUnits");
	cr_expect(r == reads && w == writes, "%s: %s has used %lld/%lld, not %lld/%lld", when, index ? index : "the table", (long long)r,
		  (long long)w, (long long)reads, (long long)writes);
}

static char *sized(int bytes, const char *rest)
{
	char *document = NULL;
	cr_assert(asprintf(&document, "{\"x\":\"%0*d\"%s}", bytes, 0, rest) > 0);
	return document;
}

Test(describe, writes_are_charged_as_dynamodb_charges_them)
{
	struct table *table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	expect_used(table, NULL, 0, 0, "new");
	fixture_put(table, "Queen", "Liar", "{}");
	expect_used(table, NULL, 0, 1, "a small put");
	expect_used(table, "by-year", 0, 0, "a put that is in no index");
	char *big = sized(3000, ",\"year\":1973");
	fixture_put(table, "Queen", "Liar", big);
	expect_used(table, NULL, 0, 4, "a put of 3 KB");
	expect_used(table, "by-year", 0, 3, "an entry that comes");
	fixture_put(table, "Queen", "Liar", big);
	expect_used(table, NULL, 0, 7, "the same put");
	expect_used(table, "by-year", 0, 3, "an entry that does not change");
	fixture_put(table, "Queen", "Liar", "{\"year\":1973}");
	expect_used(table, NULL, 0, 10, "a smaller put: the old image counts");
	expect_used(table, "by-year", 0, 6, "an entry that changes: the larger image");
	fixture_put(table, "Queen", "Liar", "{\"year\":1974}");
	expect_used(table, NULL, 0, 11, "a small put");
	expect_used(table, "by-year", 0, 8, "an entry that moves counts twice");
	struct leaf leaf = fixture_item(table, "Queen", "Liar");
	cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
	expect_used(table, NULL, 0, 12, "a delete");
	expect_used(table, "by-year", 0, 9, "an entry that goes");
	struct why why;
	cr_assert_eq(fixture_try_write(&leaf, "{\"year\":\"no number\"}", &why), RC_REFUSED);
	expect_used(table, NULL, 0, 12, "a refused put");
	free(big);
	table_unref(table);
}

Test(describe, reads_are_charged_as_dynamodb_charges_them)
{
	struct table *table = fixture_table(volume, "Music");
	char *big = sized(9000, "");
	fixture_put(table, "Queen", "Liar", big);
	fixture_put(table, "Queen", "Seven", "{}");
	struct leaf leaf = fixture_item(table, "Queen", "Liar"), small = fixture_item(table, "Queen", "Seven");
	struct head head;
	cr_assert_eq(leaf_get(&leaf, NULL, &head, NULL), RC_OK);
	expect_used(table, NULL, 0, 10, "metadata costs nothing");
	cleanup_buf struct buf document = {0};
	cr_assert_eq(leaf_get(&leaf, NULL, &head, &document), RC_OK);
	expect_used(table, NULL, 3, 10, "9 KB");
	cr_assert_eq(leaf_get(&small, NULL, &head, &document), RC_OK);
	expect_used(table, NULL, 4, 10, "a small one");
	free(big);
	table_unref(table);
}

static void list(struct table *table, const char *index, const char *pk, const struct query *query, int steps)
{
	struct key key = fixture_key(index ? KEY_N : KEY_S, KEY_PARTITION, pk);
	struct listing_place where = {.kind = index ? LISTING_ENTRIES : LISTING_ITEMS, .table = table, .index = index, .pk = &key, .query = query};
	struct listing *listing;
	const struct listing_entry *entry;
	cr_assert_eq(listing_open(volume, NULL, &where, &listing), RC_OK);
	for (int i = 0; i < steps; i++) {
		enum rc rc = listing_next(listing, &entry);
		cr_assert(!rc || rc == RC_NOT_FOUND);
		if (!rc && i % 2) { /* as a directory's reader does when a reply is full */
			(void)listing_prev(listing);
			cr_assert_eq(listing_next(listing, &entry), RC_OK);
		}
	}
	listing_close(listing);
}

Test(describe, a_listing_is_charged_as_a_query)
{
	struct table *table = fixture_table(volume, "Music");
	char name[8], *document = sized(1000, ",\"year\":1973");
	fixture_define(table, FIXTURE_MUSIC);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "%d", i);
		fixture_put(table, "p", name, document);
	}
	json_int_t writes = figure(table, NULL, "ConsumedWriteCapacityUnits");
	json_int_t index_writes = figure(table, "by-year", "ConsumedWriteCapacityUnits");
	list(table, NULL, "p", NULL, 0);
	expect_used(table, NULL, 0, writes, "nothing was asked for");
	list(table, NULL, "p", NULL, 11);
	expect_used(table, NULL, 3, writes, "ten items of a little more than 1 KB");
	list(table, NULL, "none", NULL, 1);
	expect_used(table, NULL, 4, writes, "none");
	struct query *query = query_new();
	cr_assert_eq(query_first(query, 2, NULL), RC_OK);
	list(table, NULL, "p", query, 11);
	expect_used(table, NULL, 5, writes, "two of them");
	query_free(query);
	list(table, "by-year", "1973", NULL, 11);
	expect_used(table, NULL, 5, writes, "an index is charged by itself");
	expect_used(table, "by-year", 3, index_writes, "its entries");
	struct key year = fixture_key(KEY_N, KEY_PARTITION, "1973");
	cr_assert_eq(listing_has_index_key(table, NULL, "by-year", &year), RC_OK);
	expect_used(table, "by-year", 3, index_writes, "a name that is looked up");
	struct key keys[] = {year, fixture_key(KEY_S, KEY_PARTITION, "p"), fixture_key(KEY_S, KEY_SORT, "0")};
	cleanup_buf struct buf entry = {0};
	struct head head;
	cr_assert_eq(listing_get_entry(table, NULL, "by-year", keys, 3, &head, &entry), RC_OK);
	expect_used(table, "by-year", 4, index_writes, "an entry that is read");
	free(document);
	table_unref(table);
}

Test(describe, usage_finds_each_index_whatever_comes_and_goes)
{
	struct table *table = fixture_table(volume, "Music");
	uint64_t reads, writes;
	for (uint32_t id = 1; id <= 60; id++)
		usage_add(table, id, id, 2 * id);
	usage_add(table, 7, 1, 0);
	usage_get(table, 7, &reads, &writes);
	cr_expect(reads == 8 && writes == 14);
	usage_get(table, 61, &reads, &writes);
	cr_expect(!reads && !writes);
	cr_expect_eq(usage_units(0, 1024), 1);
	cr_expect_eq(usage_units(1024, 1024), 1);
	cr_expect_eq(usage_units(1025, 1024), 2);
	table_unref(table);
}
