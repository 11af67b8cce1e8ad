/* document: what a table asks of a document, and how a key is changed in its bytes. */
#include "index/document.h"
#include "tests/unit/fixture.h"

static struct schema *schema;
static struct key pk, sk;

static void set_up(void)
{
	cr_assert_eq(schema_parse(FIXTURE_MUSIC, strlen(FIXTURE_MUSIC), &schema, NULL), RC_OK);
	pk = fixture_key(KEY_S, KEY_PARTITION, "Queen");
	sk = fixture_key(KEY_S, KEY_SORT, "Bohemian");
}

static void tear_down(void)
{
	schema_free(schema);
}

TestSuite(document, .init = set_up, .fini = tear_down);

typedef enum rc check_fn(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item, uint32_t *ret_measure,
			 struct why *why);

static enum rc check_by(check_fn *fn, const char *text, uint32_t *measure, struct why *why)
{
	struct item *item;
	cr_assert_eq(item_parse(text, strlen(text), &item, NULL), RC_OK, "%.80s", text);
	enum rc rc = fn(schema, &pk, &sk, item, measure, why);
	item_free(item);
	return rc;
}

static enum rc check(const char *text, uint32_t *measure, struct why *why)
{
	return check_by(document_check, text, measure, why);
}

static enum rc check_new(const char *text, uint32_t *measure, struct why *why)
{
	return check_by(document_check_new, text, measure, why);
}

static void rekeys(const char *text, const char *expected)
{
	struct item *item;
	struct key new_pk = fixture_key(KEY_S, KEY_PARTITION, "AB\"BA"), new_sk = fixture_key(KEY_S, KEY_SORT, "Eagle");
	cleanup_buf struct buf out = {0};
	cr_assert_eq(item_parse(text, strlen(text), &item, NULL), RC_OK, "%s", text);
	document_rekey(schema, &new_pk, &new_sk, item, &out);
	cr_expect(out.len == strlen(expected) && (!out.len || memcmp(out.data, expected, out.len) == 0), "%.*s for %s",
		  (int)out.len, out.data, expected);
	item_free(item);
}

Test(document, keys_may_be_left_out_and_count_all_the_same)
{
	uint32_t bare, full;
	cr_assert_eq(check("", &bare, NULL), RC_OK);
	cr_expect_eq(bare, strlen("Artist") + strlen("Queen") + strlen("Song") + strlen("Bohemian"));
	cr_assert_eq(check("{\"Song\":\"Bohemian\",\"Artist\":\"Queen\"}", &full, NULL), RC_OK);
	cr_expect_eq(full, bare);
	cr_assert_eq(check("{\"year\":1975}", &full, NULL), RC_OK);
	cr_expect_eq(full, bare + strlen("year") + 3);
}

Test(document, keys_that_disagree_with_the_path_are_refused_with_their_place)
{
	struct why why = {.text = ""};
	uint32_t measure = 77;
	cr_expect_eq(check("{\"x\":1,\n \"Song\":\"Other\"}", &measure, &why), RC_REFUSED);
	cr_expect_str_eq(why.text, "the document says Song is \"Other\", and its path says \"Bohemian\"");
	cr_expect_eq(why.line, 2);
	cr_expect_eq(why.column, 9);
	cr_expect_eq(measure, 77, "untouched");
	cr_expect_eq(check("{\"Artist\":5}", &measure, &why), RC_REFUSED);
	cr_expect_not_null(strstr(why.text, "Type mismatch for key Artist expected: S actual: N"), "%s", why.text);
	cr_expect_eq(check("{\"Artist\":\"\"}", &measure, &why), RC_REFUSED);
}

Test(document, an_undeclared_table_compares_nothing)
{
	uint32_t measure;
	schema_free(schema);
	schema = schema_undeclared();
	cr_expect_eq(check("{\"pk\":\"other\",\"sk\":[]}", &measure, NULL), RC_OK);
}

Test(document, the_key_counts_towards_the_items_bound)
{
	uint32_t measure;
	struct why why = {.text = ""};
	size_t key = strlen("ArtistQueenSongBohemian"), room = ITEM_SIZE_MAX - key - 1;
	char *text = malloc(ITEM_SIZE_MAX + 10);
	memcpy(text, "{\"t\":\"", 6);
	memset(text + 6, 'x', room + 1);
	memcpy(text + 6 + room, "\"}", 3);
	cr_expect_eq(check(text, &measure, &why), RC_OK);
	cr_expect_eq(measure, ITEM_SIZE_MAX);
	memcpy(text + 6 + room, "x\"}", 4);
	cr_expect_eq(check(text, &measure, &why), RC_TOO_BIG);
	cr_expect_not_null(strstr(why.text, "Item size has exceeded the maximum allowed size"), "%s", why.text);
	free(text);
}

/* SEMANTICS.md 4: an item and its entries in the local indexes are bounded together. */
Test(document, entries_of_local_indexes_count_towards_the_bound_of_what_comes_in)
{
	static const char definition[] =
		"{\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},{\"AttributeName\":\"Song\",\"AttributeType\":\"S\"},"
		"{\"AttributeName\":\"Y\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"Song\",\"KeyType\":\"RANGE\"}],\"LocalSecondaryIndexes\":["
		"{\"IndexName\":\"all\",\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"Y\",\"KeyType\":\"RANGE\"}],"
		"\"Projection\":{\"ProjectionType\":\"ALL\"}},"
		"{\"IndexName\":\"keys\",\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"Y\",\"KeyType\":\"RANGE\"}],"
		"\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}]}";
	uint32_t measure = 77;
	struct why why = {.text = ""};
	/* The item and its entry in `all` have each the keys, Y, t and what t holds; that in `keys` has no t. */
	size_t keys = strlen("ArtistQueenSongBohemianYy"), room = (ITEM_SIZE_MAX - 3 * keys - 2) / 2;
	char *text = malloc(ITEM_SIZE_MAX);
	schema_free(schema);
	cr_assert_eq(schema_parse(definition, strlen(definition), &schema, &why), RC_OK, "%s", why.text);
	sprintf(text, "{\"Y\":\"y\",\"t\":\"%0*d\"}", (int)room, 0);
	cr_expect_eq(check_new(text, &measure, &why), RC_OK, "%s", why.text);
	cr_expect_eq(measure, keys + 1 + room, "the item's own");
	measure = 77;
	sprintf(text, "{\"Y\":\"y\",\"t\":\"%0*d\"}", (int)room + 1, 0);
	cr_expect_eq(check_new(text, &measure, &why), RC_TOO_BIG);
	cr_expect_not_null(strstr(why.text, "Item size has exceeded the maximum allowed size"), "%s", why.text);
	cr_expect_eq(measure, 77, "untouched");
	cr_expect_eq(check(text, &measure, NULL), RC_OK, "it may be stored already");
	sprintf(text, "{\"t\":\"%0*d\"}", 2 * (int)room, 0);
	cr_expect_eq(check_new(text, &measure, NULL), RC_OK, "without the index's key it has no entry");
	free(text);
}

Test(document, rekeying_changes_the_keys_values_and_no_other_byte)
{
	rekeys("", "");
	rekeys("{ \"a\" : 1 }\n", "{ \"a\" : 1 }\n");
	rekeys("{ \"Artist\" :  \"Queen\" , \"a\":[ ], \"Song\":\"Bohemian\"}",
	       "{ \"Artist\" :  \"AB\\\"BA\" , \"a\":[ ], \"Song\":\"Eagle\"}");
	rekeys("{\"Song\":\"Bohemian\",\"Artist\":\"Queen\"} ", "{\"Song\":\"Eagle\",\"Artist\":\"AB\\\"BA\"} ");
	rekeys("{\"\\u0053ong\":\"\\u0045agle\"}", "{\"\\u0053ong\":\"\\u0045agle\"}");
	rekeys("{\"m\":{\"Song\":\"Bohemian\"}}", "{\"m\":{\"Song\":\"Bohemian\"}}");
}

Test(document, rekeying_leaves_an_undeclared_tables_documents)
{
	schema_free(schema);
	schema = schema_undeclared();
	rekeys("{\"pk\":\"Queen\"}", "{\"pk\":\"Queen\"}");
}
