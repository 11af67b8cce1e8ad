/* Imports: files of items into a table, all or none, or in batches. */
#include "index/import.h"
#include "tests/unit/music_fixture.h"
#include <jansson.h>

TestSuite(import, .init = set_up_declared, .fini = tear_down);

struct outcome {
	enum rc rc;
	struct why why;
	json_t *result; /* NULL: none */
	char *refused;  /* NULL: none */
};

static char *bytes_of(struct spool *spool)
{
	struct buf out = {0};
	if (!spool)
		return NULL;
	cr_assert_eq(spool_read(spool, 0, SIZE_MAX, &out), RC_OK);
	buf_add_byte(&out, 0);
	spool_free(spool);
	return (char *)out.data;
}

/* One round of a session over what the file holds. */
static struct outcome go_on(struct import *import, struct spool *file)
{
	struct outcome got = {.rc = RC_OK};
	struct spool *result = NULL, *refused = NULL;
	struct meta fresh = {0640, 7, 8, 0, 0, 0};
	got.rc = import_begin(import, file, &got.why);
	if (got.rc == RC_UNFINISHED || got.rc == RC_NOT_FOUND)
		return got;
	while (!got.rc)
		if (!(got.rc = import_gather(import, &got.why)))
			got.rc = import_commit(import, &fresh, false, &got.why);
	got.rc = import_finish(import, got.rc, &result, &refused, &got.why);
	char *text = bytes_of(result);
	got.result = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(got.result, "%s", text);
	free(text);
	got.refused = bytes_of(refused);
	return got;
}

static struct import *begin(const char *name, unsigned bound)
{
	struct import_options options = {.table = table, .name = name, .directory = path, .bound = bound};
	struct import *import;
	cr_assert_eq(import_format_of(name, &options.format, NULL), RC_OK);
	cr_assert_eq(import_new(&options, &import), RC_OK);
	return import;
}

static struct outcome put_file(const char *name, const char *bytes, unsigned bound)
{
	struct spool *file;
	struct import *import = begin(name, bound);
	cr_assert_eq(spool_new(path, &file), RC_OK);
	cr_assert_eq(spool_append(file, bytes, strlen(bytes)), RC_OK);
	struct outcome got = go_on(import, file);
	import_free(import);
	spool_free(file);
	return got;
}

static long count(const struct outcome *got, const char *name)
{
	json_t *value = json_object_get(got->result, name);
	cr_assert(json_is_integer(value), "%s", name);
	return (long)json_integer_value(value);
}

static void expect_line(const struct outcome *got, size_t i, long line, const char *part)
{
	json_t *refused = json_array_get(json_object_get(got->result, "lines"), i);
	const char *reason = json_string_value(json_object_get(refused, "reason"));
	cr_assert_not_null(reason, "line %zu of the result", i);
	cr_expect_eq(json_integer_value(json_object_get(refused, "line")), line, "line %lld", json_integer_value(json_object_get(refused, "line")));
	cr_expect(strstr(reason, part), "\"%s\" does not say \"%s\"", reason, part);
}

static void done(struct outcome *got)
{
	json_decref(got->result);
	free(got->refused);
}

static void expect_all(const char *name, const char *bytes, long put)
{
	struct outcome got = put_file(name, bytes, 0);
	cr_expect_eq(got.rc, RC_OK, "%s: %s", rc_name(got.rc), got.why.text);
	cr_expect_eq(count(&got, "put"), put);
	cr_expect_eq(count(&got, "refused"), 0);
	cr_expect_null(got.refused);
	done(&got);
}

static void expect_item(const char *pk, const char *sk, const char *document)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	cr_expect(fixture_reads(&leaf, document), "%s/%s is not %s", pk, sk, document);
}

static bool is_there(const char *pk, const char *sk)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	struct head head;
	return leaf_get(&leaf, NULL, &head, NULL) == RC_OK;
}

Test(import, plain_lines_are_stored_as_they_are)
{
	expect_all("a.jsonl", "{\"Artist\": \"Queen\", \"Song\":\"Liar\", \"year\":1973.0}\r\n\n  {\"Artist\":\"ABBA\",\"Song\":\"SOS\"}", 2);
	expect_item("Queen", "Liar", "{\"Artist\": \"Queen\", \"Song\":\"Liar\", \"year\":1973.0}");
	expect_item("ABBA", "SOS", "{\"Artist\":\"ABBA\",\"Song\":\"SOS\"}");
	struct listing_place year = {.kind = LISTING_INDEX_KEYS, .table = table, .index = "by-year"};
	fixture_lists(volume, &year, "1973 ");
}

Test(import, dynamodb_json_becomes_plain)
{
	expect_all("a.jsonl",
		   "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Song\":{\"S\":\"Liar\"},\"year\":{\"N\":\"1973\"}}}\n"
		   "{\"Artist\":{\"S\":\"ABBA\"},\"Song\":{\"S\":\"SOS\"},\"b\":{\"B\":\"AAE=\"}}\n"
		   "{\"PutRequest\":{\"Item\":{\"Artist\":{\"S\":\"Blur\"},\"Song\":{\"S\":\"Tender\"}}}}\n",
		   3);
	expect_item("Queen", "Liar", "{\"Artist\":\"Queen\",\"Song\":\"Liar\",\"year\":1973}");
	expect_item("ABBA", "SOS", "{\"Artist\":\"ABBA\",\"Song\":\"SOS\",\"b\":{\"$B\":\"AAE=\"}}");
	expect_item("Blur", "Tender", "{\"Artist\":\"Blur\",\"Song\":\"Tender\"}");
}

Test(import, arrays_and_what_aws_prints)
{
	expect_all("a.json", "[\n {\"Artist\":\"Queen\",\n  \"Song\":\"Liar\"}\n]\n", 1);
	expect_item("Queen", "Liar", "{\"Artist\":\"Queen\",\n  \"Song\":\"Liar\"}");
	expect_all("b.json", "{\"Items\":[{\"Artist\":{\"S\":\"ABBA\"},\"Song\":{\"S\":\"SOS\"}}],\"Count\":1,\"ScannedCount\":1,\"ConsumedCapacity\":null}", 1);
	expect_all("c.json", "{\"Music\":[{\"PutRequest\":{\"Item\":{\"Artist\":{\"S\":\"Blur\"},\"Song\":{\"S\":\"Tender\"}}}}]}", 1);
	cr_expect(is_there("ABBA", "SOS"));
	cr_expect(is_there("Blur", "Tender"));
}

Test(import, rows_have_the_types_of_keys_and_are_strings_else)
{
	expect_all("a.csv", "\xef\xbb\xbfSong,year,Artist,note\r\nLiar,1973.50,Queen,42\r\n\"a \"\"b\"\"\n,\",,Queen,\"\"\r\n", 2);
	expect_item("Queen", "Liar", "{\"Song\":\"Liar\",\"year\":1973.5,\"Artist\":\"Queen\",\"note\":\"42\"}");
	expect_item("Queen", "a \"b\"\n,", "{\"Song\":\"a \\\"b\\\"\\n,\",\"Artist\":\"Queen\",\"note\":\"\"}");
}

Test(import, one_bad_line_refuses_the_file)
{
	struct outcome got = put_file("a.jsonl",
				      "{\"Artist\":\"Queen\",\"Song\":\"Liar\"}\n"
				      "{\"Artist\":\"Queen\",oops\n"
				      "{\"Artist\":\"Queen\"}\n"
				      "{\"Artist\":\"Queen\",\"Song\":\"x\",\"year\":\"no\"}\n"
				      "{\"Artist\":\"ABBA\",\"Song\":\"SOS\"}\n",
				      0);
	cr_expect_eq(got.rc, RC_REFUSED);
	cr_expect(strstr(got.why.text, "nothing is imported: 3 of 5 records are refused; line 2: "), "%s", got.why.text);
	cr_expect_eq(count(&got, "put"), 0);
	cr_expect(json_is_true(json_object_get(got.result, "all_or_nothing")));
	cr_expect_eq(count(&got, "refused"), 3);
	expect_line(&got, 0, 2, "column 19");
	expect_line(&got, 1, 3, "Missing the key Song");
	expect_line(&got, 2, 4, "IndexName: by-year");
	cr_expect_null(got.refused);
	cr_expect_not(is_there("Queen", "Liar"));
	cr_expect_not(is_there("ABBA", "SOS"));
	done(&got);
}

Test(import, beyond_the_bound_the_others_are_put)
{
	struct outcome got = put_file("a.jsonl",
				      "{\"Artist\":\"Queen\",\"Song\":\"1\"}\n"
				      "{\"Artist\":\"Queen\"}\n"
				      "{\"Artist\":\"Queen\",\"Song\":\"2\"}\n"
				      "oops\n"
				      "{\"Artist\":\"Queen\",\"Song\":\"3\"}\n",
				      2);
	cr_expect_eq(got.rc, RC_REFUSED);
	cr_expect(strstr(got.why.text, "2 of 5 records are refused, and the others are imported; line 2: "), "%s", got.why.text);
	cr_expect_eq(count(&got, "put"), 3);
	cr_expect_eq(count(&got, "created"), 3);
	cr_expect_eq(count(&got, "commits"), 3);
	cr_expect(json_is_false(json_object_get(got.result, "all_or_nothing")));
	cr_expect_str_eq(got.refused, "{\"Artist\":\"Queen\"}\noops\n");
	cr_expect(is_there("Queen", "1") && is_there("Queen", "2") && is_there("Queen", "3"));
	done(&got);
}

Test(import, refused_rows_and_elements_are_kept_in_their_format)
{
	struct outcome rows = put_file("a.csv", "Artist,Song\nQueen,1\nQueen\nQueen,2\n", 1);
	cr_expect_str_eq(rows.refused, "Artist,Song\nQueen\n");
	expect_line(&rows, 0, 3, "1 fields, where the first row has 2");
	struct outcome elements = put_file("a.json", "[{\"Artist\":\"Queen\"},7,\n{\"Artist\":\"Queen\",\"Song\":\"3\"}]", 1);
	cr_expect_str_eq(elements.refused, "[\n{\"Artist\":\"Queen\"},\n7\n]\n");
	cr_expect_eq(count(&elements, "put"), 1);
	done(&rows);
	done(&elements);
}

Test(import, a_key_twice_leaves_the_later)
{
	fixture_put(table, "Queen", "1", "{\"old\":1}");
	struct outcome got = put_file("a.jsonl",
				      "{\"Artist\":\"Queen\",\"Song\":\"1\",\"n\":1}\n"
				      "{\"Artist\":\"Queen\",\"Song\":\"2\",\"n\":2}\n"
				      "{\"Artist\":\"Queen\",\"Song\":\"1\",\"n\":3}\n",
				      1);
	cr_expect_eq(got.rc, RC_OK);
	cr_expect_eq(count(&got, "created"), 1);
	cr_expect_eq(count(&got, "replaced"), 1);
	cr_expect_eq(count(&got, "duplicates"), 1);
	expect_item("Queen", "1", "{\"Artist\":\"Queen\",\"Song\":\"1\",\"n\":3}");
	done(&got);
	got = put_file("b.jsonl", "{\"Artist\":\"A\",\"Song\":\"1\",\"n\":1}\n{\"Artist\":\"A\",\"Song\":\"1\",\"n\":2}\n", 0);
	cr_expect_eq(count(&got, "created"), 1);
	cr_expect_eq(count(&got, "duplicates"), 1);
	expect_item("A", "1", "{\"Artist\":\"A\",\"Song\":\"1\",\"n\":2}");
	done(&got);
}

Test(import, a_file_that_was_cut_does_nothing)
{
	static const char *const files[][2] = {
	    {"a.jsonl", "{\"Artist\":\"Queen\",\"Song\":\"1\"}\n{\"Artist\":\"Qu"},
	    {"a.json", "[{\"Artist\":\"Queen\",\"Song\":\"1\"},"},
	    {"a.csv", "Artist,Song\nQueen,1\nQueen,\"2"},
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct outcome got = put_file(files[i][0], files[i][1], 1);
		cr_expect_eq(got.rc, RC_UNFINISHED, "%s: %s", files[i][0], rc_name(got.rc));
		cr_expect_not(is_there("Queen", "1"));
	}
}

Test(import, what_is_no_json_is_refused_whole_beyond_the_bound_too)
{
	struct outcome got = put_file("a.json", "[{\"Artist\":\"Queen\",\"Song\":\"1\"},\n{\"Artist\":\"Queen\",\"Song\":\"2\"} oops]", 1);
	cr_expect_eq(got.rc, RC_REFUSED);
	cr_expect_not(is_there("Queen", "1"));
	expect_line(&got, 0, 2, "");
	done(&got);
	got = put_file("a.csv", "Artist,Title\nQueen,1\n", 1);
	cr_expect_eq(got.rc, RC_REFUSED);
	expect_line(&got, 0, 1, "no column is named Song");
	done(&got);
	got = put_file("a.csv", "Artist,Song,Song\nQueen,1,2\n", 1);
	expect_line(&got, 0, 1, "columns 2 and 3 have one name");
	done(&got);
}

Test(import, a_session_goes_on_where_it_ended)
{
	static const char first[] = "{\"Artist\":\"Queen\",\"Song\":\"1\"}\n{\"Art", second[] = "ist\":\"Queen\",\"Song\":\"2\"}\n";
	struct spool *file;
	struct import *import = begin("a.jsonl", 0);
	cr_assert_eq(spool_new(path, &file), RC_OK);
	spool_append(file, first, sizeof first - 1);
	struct outcome got = go_on(import, file);
	cr_expect_eq(got.rc, RC_UNFINISHED);
	cr_expect_not(is_there("Queen", "1"));
	spool_append(file, second, sizeof second - 1);
	got = go_on(import, file);
	cr_expect_eq(got.rc, RC_OK);
	cr_expect_eq(count(&got, "put"), 2);
	done(&got);
	got = go_on(import, file);
	cr_expect_eq(got.rc, RC_NOT_FOUND);
	spool_append(file, "{\"Artist\":\"Queen\",\"Song\":\"3\"}", 29);
	got = go_on(import, file);
	cr_expect_eq(count(&got, "put"), 1);
	cr_expect(is_there("Queen", "3"));
	done(&got);
	import_free(import);
	spool_free(file);
}

Test(import, in_an_undeclared_table_pk_and_sk_are_the_keys)
{
	struct table *other = table;
	table = fixture_table(volume, "Plain");
	expect_all("a.jsonl", "{\"pk\":\"a\",\"sk\":\"b\",\"n\":1}\n{\"pk\":{\"S\":\"c\"},\"sk\":{\"S\":\"d\"}}\n", 2);
	expect_item("a", "b", "{\"pk\":\"a\",\"sk\":\"b\",\"n\":1}");
	struct outcome got = put_file("b.jsonl", "{\"pk\":\"a\"}\n{\"pk\":1,\"sk\":\"x\"}\n", 0);
	expect_line(&got, 0, 1, "Missing the key sk");
	expect_line(&got, 1, 2, "Type mismatch for key pk");
	done(&got);
	table_unref(table);
	table = other;
}

Test(import, what_comes_has_the_files_mode_and_owner_and_its_partition_goes_with_its_last_item)
{
	struct partition_record partition;
	struct head head;
	expect_all("a.jsonl", "{\"Artist\":\"Queen\",\"Song\":\"1\"}\n", 1);
	struct leaf leaf = fixture_item(table, "Queen", "1");
	cr_assert_eq(leaf_get(&leaf, NULL, &head, NULL), RC_OK);
	cr_expect_eq(head.meta.mode, 0640);
	cr_expect_eq(head.meta.uid, 7);
	cr_expect(head.meta.mtime > 0 && head.meta.ctime > 0);
	cr_assert_eq(partition_get(table, NULL, &leaf.pk, &partition), RC_OK);
	cr_expect(partition.implicit);
	cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_expect_eq(partition_get(table, NULL, &leaf.pk, &partition), RC_NOT_FOUND);
}

Test(import, a_definition_that_changes_meanwhile_is_seen)
{
	struct spool *file;
	struct meta fresh = {0640, 7, 8, 0, 0, 0};
	struct why why = {.text = ""};
	struct import *import = begin("a.jsonl", 0);
	static const char line[] = "{\"Artist\":\"Queen\",\"Song\":\"1\",\"year\":1}\n";
	cr_assert_eq(spool_new(path, &file), RC_OK);
	spool_append(file, line, sizeof line - 1);
	cr_assert_eq(import_begin(import, file, &why), RC_OK);
	cr_assert_eq(import_gather(import, &why), RC_OK);
	fixture_define(table, "{\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\","
			      "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	cr_expect_eq(import_commit(import, &fresh, false, &why), RC_AGAIN);
	cr_assert_eq(import_gather(import, &why), RC_OK);
	cr_expect_eq(import_count(import), 1);
	cr_expect_eq(import_commit(import, &fresh, false, &why), RC_OK);
	cr_expect_eq(import_gather(import, &why), RC_NOT_FOUND);
	struct spool *result = NULL, *refused = NULL;
	cr_expect_eq(import_finish(import, RC_NOT_FOUND, &result, &refused, &why), RC_OK);
	spool_free(result);
	import_free(import);
	spool_free(file);
	cr_expect(is_there("Queen", ""));
}

Test(import, records_larger_than_a_window_are_read)
{
	struct buf file = {0};
	char name[32];
	for (int i = 0; i < 12; i++) {
		buf_printf(&file, "{\"Artist\":\"Queen\",\"Song\":\"%d\",\"x\":\"", i);
		for (int j = 0; j < 300000; j++)
			buf_add_byte(&file, (uint8_t)('a' + i));
		buf_add_text(&file, "\"}\n");
	}
	buf_add_byte(&file, 0);
	expect_all("a.jsonl", (char *)file.data, 12);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "%d", i);
		cr_expect(is_there("Queen", name));
	}
	buf_free(&file);
}
