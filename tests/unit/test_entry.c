/* entry: which items an index holds, under which keys, and what of them. */
#include "index/entry.h"
#include "tests/unit/fixture.h"

#define ATTRIBUTE(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define HASH(name)            "{\"AttributeName\":\"" name "\",\"KeyType\":\"HASH\"}"
#define RANGE(name)           ",{\"AttributeName\":\"" name "\",\"KeyType\":\"RANGE\"}"
#define INDEX(name, keys, projection)                                                                                  \
	"{\"IndexName\":\"" name "\",\"KeySchema\":[" keys "],\"Projection\":{" projection "}}"
#define ALL     "\"ProjectionType\":\"ALL\""
#define KEYS    "\"ProjectionType\":\"KEYS_ONLY\""
#define INCLUDE "\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"x\",\"pk\"]"

static const char definition[] = "{\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[" HASH("pk")
    RANGE("sk") "],\"AttributeDefinitions\":[" ATTRIBUTE("pk", "S") "," ATTRIBUTE("sk", "N") "," ATTRIBUTE("g", "S") "," ATTRIBUTE("h", "N") "," ATTRIBUTE("b", "B") "],\"LocalSecondaryIndexes\":[" INDEX(
	"lsi", HASH("pk") RANGE("h"),
	ALL) "],\"GlobalSecondaryIndexes\":[" INDEX("all", HASH("g"),
						    ALL) "," INDEX("keys", HASH("h") RANGE("g"),
								   KEYS) "," INDEX("include", HASH("b"),
										   INCLUDE) "," INDEX("turned",
												      HASH("sk")
													  RANGE("pk"),
												      KEYS) "]}";

static struct schema *schema;
static struct key pk, sk;
static struct entry entry;

static void set_up(void)
{
	struct why why = {.text = ""};
	cr_assert_eq(schema_parse(definition, strlen(definition), &schema, &why), RC_OK, "%s", why.text);
	for (size_t i = 0; i < schema->count; i++)
		schema->indexes[i].id = (uint32_t)i + 1;
	pk = fixture_key(KEY_S, KEY_PARTITION, "p");
	sk = fixture_key(KEY_N, KEY_SORT, "2");
}

static void tear_down(void)
{
	entry_free(&entry);
	schema_free(schema);
}

TestSuite(entry, .init = set_up, .fini = tear_down);

static enum rc make(const char *index, const char *document, struct why *why)
{
	struct item *item;
	cr_assert_eq(item_parse(document, strlen(document), &item, NULL), RC_OK, "%s", document);
	struct entry_source source = {schema, &pk, &sk, item};
	enum rc rc = entry_make(&source, schema_find_index(schema, index), 7, &entry, why);
	item_free(item);
	return rc;
}

static void gives(const char *index, const char *document, const char *expected)
{
	cr_assert_eq(make(index, document, NULL), RC_OK);
	cr_assert(entry.present);
	cr_expect(entry.document.len == strlen(expected) &&
		      memcmp(entry.document.data, expected, entry.document.len) == 0,
		  "%.*s for %s", (int)entry.document.len, entry.document.data, expected);
}

Test(entry, an_index_holds_only_items_with_all_its_keys)
{
	cr_expect_eq(make("all", "{\"h\":1}", NULL), RC_OK);
	cr_expect_not(entry.present);
	cr_expect_eq(make("keys", "{\"h\":1}", NULL), RC_OK);
	cr_expect_not(entry.present);
	cr_expect_eq(make("keys", "{\"g\":\"a\"}", NULL), RC_OK);
	cr_expect_not(entry.present);
	cr_expect_eq(make("keys", "{\"g\":\"a\",\"h\":1}", NULL), RC_OK);
	cr_expect(entry.present);
	cr_expect_eq(make("turned", "", NULL), RC_OK);
	cr_expect(entry.present, "base keys are always there");
}

Test(entry, what_is_projected_is_base_keys_then_index_keys_then_the_rest_in_order)
{
	gives("all", "{ \"z\" : [1, 2], \"g\" : \"a\", \"x\":{\"y\": null}}",
	      "{\"pk\":\"p\",\"sk\":2,\"g\":\"a\",\"z\":[1,2],\"x\":{\"y\":null}}\n");
	gives("keys", "{\"x\":1,\"g\":\"a\",\"h\":1}", "{\"pk\":\"p\",\"sk\":2,\"h\":1,\"g\":\"a\"}\n");
	gives("include", "{\"y\":1,\"x\":\"t\",\"b\":{\"$B\":\"AAE=\"}}",
	      "{\"pk\":\"p\",\"sk\":2,\"b\":{\"$B\":\"AAE=\"},\"x\":\"t\"}\n");
	gives("lsi", "{\"h\":1.50,\"sk\":2,\"pk\":\"p\"}", "{\"pk\":\"p\",\"sk\":2,\"h\":1.5}\n");
	gives("turned", "{\"x\":1}", "{\"pk\":\"p\",\"sk\":2}\n");
}

Test(entry, its_measure_is_that_of_what_is_projected)
{
	gives("keys", "{\"x\":\"much more\",\"g\":\"abc\",\"h\":1}", "{\"pk\":\"p\",\"sk\":2,\"h\":1,\"g\":\"abc\"}\n");
	cr_expect_eq(entry.measure, 2 + 1 + 2 + 2 + 1 + 2 + 1 + 3);
	gives("all", "{\"x\":\"abc\",\"g\":\"a\"}", "{\"pk\":\"p\",\"sk\":2,\"g\":\"a\",\"x\":\"abc\"}\n");
	cr_expect_eq(entry.measure, 2 + 1 + 2 + 2 + 1 + 1 + 1 + 3);
}

static struct entry_source source_of(const char *document, struct item **ret_item)
{
	cr_assert_eq(item_parse(document, strlen(document), ret_item, NULL), RC_OK, "%s", document);
	return (struct entry_source){schema, &pk, &sk, *ret_item};
}

/* entry_same() has to say what a comparison of the two documents says. */
static void compares(const char *index, const char *one, const char *other, bool same)
{
	struct entry second = {0};
	cleanup_item struct item *a = NULL, *b = NULL;
	struct entry_source from = source_of(one, &a), to = source_of(other, &b);
	const struct schema_index *of = schema_find_index(schema, index);
	cr_assert_eq(entry_make(&from, of, 7, &entry, NULL), RC_OK);
	cr_assert_eq(entry_make(&to, of, 7, &second, NULL), RC_OK);
	bool made = entry.document.len == second.document.len && memcmp(entry.document.data, second.document.data, second.document.len) == 0;
	cr_expect_eq(made, same, "%s and %s in %s", one, other, index);
	cr_expect_eq(entry_same(&from, &to, of), same, "%s and %s in %s", one, other, index);
	cr_expect_eq(entry_same(&to, &from, of), same, "%s and %s in %s", other, one, index);
	entry_free(&second);
}

Test(entry, two_items_are_compared_by_what_an_index_projects_of_them)
{
	compares("all", "{\"g\":\"a\",\"x\":1}", "{\"g\":\"a\",\"x\":1}", true);
	compares("all", "{\"g\":\"a\",\"x\":1}", "{\"g\":\"a\",\"x\":2}", false);
	compares("all", "{\"g\":\"a\",\"x\":1}", "{\"g\":\"a\",\"x\":\"1\"}", false);
	compares("all", "{\"g\":\"a\",\"x\":1}", "{\"g\":\"a\",\"y\":1}", false);
	compares("all", "{\"g\":\"a\"}", "{\"g\":\"a\",\"y\":1}", false);
	compares("all", "{\"g\":\"a\",\"x\":1,\"y\":2}", "{\"g\":\"a\",\"y\":2,\"x\":1}", false);
	compares("all", "{\"x\":1,\"g\":\"a\",\"pk\":\"p\"}", " { \"g\" : \"a\", \"sk\":2, \"x\" : 1 } ", true);
	compares("all", "{\"g\":\"a\",\"x\":[1,{\"y\":\" z\"}]}", "{\"g\":\"a\",\"x\":[ 1, { \"y\" : \" z\" } ]}", true);
	compares("all", "{\"g\":\"a\",\"x\":[1,{\"y\":\" z\"}]}", "{\"g\":\"a\",\"x\":[ 1, { \"y\" : \"z\" } ]}", false);
	compares("all", "{\"g\":\"a\",\"x\":{\"$B\":\"AAE=\"}}", "{\"g\":\"a\",\"x\":{ \"$B\":\"AAE=\"}}", true);
	compares("keys", "{\"g\":\"a\",\"h\":1,\"x\":1}", "{\"h\":1.0,\"g\":\"a\",\"x\":2}", true);
	compares("include", "{\"b\":{\"$B\":\"AAE=\"},\"x\":1,\"y\":1}", "{\"y\":2,\"b\":{\"$B\":\"AAE=\"},\"x\":1}", true);
	compares("include", "{\"b\":{\"$B\":\"AAE=\"},\"x\":1}", "{\"b\":{\"$B\":\"AAE=\"},\"x\":2}", false);
	compares("include", "{\"b\":{\"$B\":\"AAE=\"},\"x\":1}", "{\"b\":{\"$B\":\"AAE=\"}}", false);
}

/* A document around the most that stands in the head row, of an attribute whose value or name has so many bytes that are escaped as `\u0001`, which takes six. */
static void locates(size_t n, bool in_the_name, bool escaped)
{
	cleanup_buf struct buf text = {0};
	struct entry whole = {0};
	cleanup_item struct item *item = NULL;
	buf_add_text(&text, in_the_name ? "{\"g\":\"a\",\"" : "{\"g\":\"a\",\"x\":\"");
	for (size_t i = 0; i < n; i++)
		buf_add_text(&text, escaped ? "\\u0001" : "y");
	buf_add_text(&text, in_the_name ? "\":1}" : "\"}");
	buf_add_byte(&text, 0);
	struct entry_source source = source_of((const char *)text.data, &item);
	const struct schema_index *index = schema_find_index(schema, "all");
	cr_assert_eq(entry_make(&source, index, 7, &whole, NULL), RC_OK);
	cr_assert_eq(entry_locate(&source, index, 7, &entry), RC_OK);
	cr_expect(entry.present && entry.measure == whole.measure);
	cr_expect(entry.row.len == whole.row.len && memcmp(entry.row.data, whole.row.data, whole.row.len) == 0);
	cr_expect_eq(entry.document.len > ROW_INLINE_MAX, whole.document.len > ROW_INLINE_MAX, "%zu bytes", whole.document.len);
	entry_free(&whole);
}

Test(entry, where_an_entry_is_can_be_told_without_its_document_but_for_one_that_is_large)
{
	for (size_t n = 1; n < 1200; n++) {
		locates(n, false, false);
		locates(n, true, false);
	}
	for (size_t n = 1; n < 250; n++) {
		locates(n, false, true);
		locates(n, true, true);
	}
	cr_expect_eq(make("keys", "{\"g\":\"a\",\"h\":1}", NULL), RC_OK);
	cleanup_item struct item *item = NULL;
	struct entry_source source = source_of("{\"g\":\"a\"}", &item);
	cr_expect_eq(entry_locate(&source, schema_find_index(schema, "keys"), 7, &entry), RC_OK);
	cr_expect_not(entry.present, "it lacks a key");
}

static void keyed(const char *index, const struct key *const *keys, size_t n)
{
	cleanup_buf struct buf row = {0};
	uint32_t id = schema_find_index(schema, index)->id;
	row_entry(&row, 7, id, keys, n, false);
	cr_expect(entry.row.len == row.len && memcmp(entry.row.data, row.data, row.len) == 0, "%s", index);
}

Test(entry, its_row_is_index_keys_then_the_base_keys_they_do_not_give)
{
	struct key g = fixture_key(KEY_S, KEY_PARTITION, "a"), h = fixture_key(KEY_N, KEY_SORT, "1");
	cr_assert_eq(make("all", "{\"g\":\"a\",\"h\":1}", NULL), RC_OK);
	keyed("all", (const struct key *const[]){&g, &pk, &sk}, 3);
	cr_assert_eq(make("keys", "{\"g\":\"a\",\"h\":1e0}", NULL), RC_OK);
	keyed("keys", (const struct key *const[]){&h, &g, &pk, &sk}, 4);
	cr_assert_eq(make("lsi", "{\"h\":1.0}", NULL), RC_OK);
	keyed("lsi", (const struct key *const[]){&pk, &h, &sk}, 3);
	cr_assert_eq(make("turned", "{}", NULL), RC_OK);
	keyed("turned", (const struct key *const[]){&sk, &pk}, 2);
}

Test(entry, its_shape_says_where_the_base_keys_stand)
{
	struct entry_shape shape;
	entry_shape(schema, schema_find_index(schema, "lsi"), &shape);
	cr_expect(shape.count == 3 && shape.index_keys == 2 && shape.base_pk == 0 && shape.base_sk == 2);
	entry_shape(schema, schema_find_index(schema, "turned"), &shape);
	cr_expect(shape.count == 2 && shape.index_keys == 2 && shape.base_pk == 1 && shape.base_sk == 0);
	entry_shape(schema, schema_find_index(schema, "all"), &shape);
	cr_expect(shape.count == 3 && shape.index_keys == 1 && shape.base_pk == 1 && shape.base_sk == 2);
	cr_expect_str_eq(shape.key[0]->name, "g");
	cr_expect(shape.role[0] == KEY_PARTITION && shape.role[2] == KEY_SORT);
}

static void refuses(const char *index, const char *document, const char *words)
{
	struct why why = {.text = ""};
	cr_expect_eq(make(index, document, &why), RC_REFUSED, "%s", document);
	cr_expect_not(entry.present);
	cr_expect_not_null(strstr(why.text, words), "%s", why.text);
	cr_expect(why.line == 1 && why.column > 1);
}

Test(entry, a_key_of_the_wrong_type_is_refused_in_awss_words)
{
	const char *words = "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
			    "Actual: N IndexName: all";
	refuses("all", "{\"g\":1}", words);
	refuses("all", "{\"g\":null}", "Expected: S Actual: NULL IndexName: all");
	refuses("keys", "{\"h\":\"1\"}", "Type mismatch for Index Key h Expected: N Actual: S IndexName: keys");
	refuses("include", "{\"b\":\"text\"}", "Expected: B Actual: S");
	refuses("keys", "{\"g\":{\"a\":1}}", "Expected: S Actual: M"); /* though h is missing */
}

Test(entry, an_empty_key_is_refused_in_awss_words)
{
	refuses("all", "{\"g\":\"\"}", "cannot contain an empty string value. IndexName: all, IndexKey: g");
	refuses("include", "{\"b\":{\"$B\":\"\"}}",
		"cannot contain an empty binary value. IndexName: include, IndexKey: b");
}

Test(entry, a_key_that_is_too_long_is_refused)
{
	char document[KEY_PARTITION_MAX + 32];
	for (int role = 0; role < 2; role++) {
		size_t most = role ? KEY_SORT_MAX : KEY_PARTITION_MAX;
		const char *index = role ? "keys" : "all";
		int n = snprintf(document, sizeof document, "{\"h\":1,\"g\":\"");
		memset(document + n, 'x', most + 1);
		memcpy(document + n + most, "\"}", 3);
		cr_expect_eq(make(index, document, NULL), RC_OK);
		cr_expect(entry.present);
		document[n + most] = 'x';
		memcpy(document + n + most + 1, "\"}", 3);
		refuses(index, document, "bytes; at most");
	}
}

Test(entry, an_entry_is_made_again_in_the_same_memory)
{
	gives("all", "{\"g\":\"a\",\"x\":\"a longer one\"}",
	      "{\"pk\":\"p\",\"sk\":2,\"g\":\"a\",\"x\":\"a longer one\"}\n");
	gives("all", "{\"g\":\"b\"}", "{\"pk\":\"p\",\"sk\":2,\"g\":\"b\"}\n");
	cr_expect_eq(make("all", "{}", NULL), RC_OK);
	cr_expect(!entry.present && !entry.row.len && !entry.document.len);
}
