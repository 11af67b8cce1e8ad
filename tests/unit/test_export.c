/* export: what a listing holds as one file. */
#include "index/export.h"
#include "store/model/item.h"
#include "store/model/typed.h"
#include "tests/unit/fixture.h"
#include "tests/unit/typed_item.h"

static char *place;
static struct volume *volume;
static struct view *view;

static void setup(void)
{
	place = fixture_place();
	volume = fixture_open(place);
}

static void teardown(void)
{
	view_close(view);
	volume_close(volume);
	fixture_remove(place);
}

TestSuite(export, .init = setup, .fini = teardown, .timeout = 120);

static struct table *music(void)
{
	struct table *table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	return table;
}

static struct export *opened(const struct listing_place *where, enum export_format format)
{
	struct export *export;
	view_close(view);
	view = NULL;
	cr_assert_eq(view_open(volume, &view), RC_OK);
	enum rc rc = export_open(volume, view, where, format, &export);
	cr_assert_eq(rc, RC_OK, "export_open: %s", rc_name(rc));
	return export;
}

/* The whole file, in reads of `piece` bytes. */
static void read_all(struct export *export, size_t piece, struct buf *out)
{
	enum rc rc;
	while (!(rc = export_read(export, piece, out)))
		;
	cr_assert_eq(rc, RC_NOT_FOUND, "export_read: %s", rc_name(rc));
}

static struct export_extent *measured(struct export *export, struct buf *keep, size_t max)
{
	struct export_pass pass = {.keep = keep, .keep_max = max};
	struct export_extent *extent = NULL;
	struct why why = {.text = ""};
	enum rc rc = export_measure(export, &pass, &extent, &why);
	cr_assert_eq(rc, RC_OK, "export_measure: %s %s", rc_name(rc), why.text);
	export_use(export, extent);
	return extent;
}

static void exports(const struct listing_place *where, enum export_format format, const char *expected)
{
	struct export *export = opened(where, format);
	cleanup_buf struct buf whole = {0}, pieces = {0}, kept = {0};
	struct export_extent *extent = measured(export, &kept, 1 << 20);
	read_all(export, SIZE_MAX, &whole);
	cr_assert_eq(export_rewind(export), RC_OK);
	read_all(export, 1, &pieces);
	cr_expect_eq(extent->size, whole.len, "%llu bytes were said and %zu came", (unsigned long long)extent->size, whole.len);
	cr_expect(pieces.len == whole.len && (!whole.len || !memcmp(pieces.data, whole.data, whole.len)));
	cr_expect(format == EXPORT_CSV ? !kept.len : kept.len == whole.len && (!kept.len || !memcmp(kept.data, whole.data, kept.len)));
	buf_add_byte(&whole, 0);
	cr_expect_str_eq((char *)whole.data, expected);
	export_extent_unref(extent);
	export_close(export);
}

Test(export, of_a_table_has_its_partitions_in_order_and_every_key)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	fixture_put(table, "Queen", "Liar", "{ \"year\": 1973, \"x\": [true, null] }\n");
	fixture_put(table, "Abba", "SOS", "{\"b\":\"1\",\"Song\":\"SOS\"}");
	fixture_put(table, "Queen", "Seven", "");
	exports(&where, EXPORT_JSONL,
		"{\"Item\":{\"Artist\":{\"S\":\"Abba\"},\"Song\":{\"S\":\"SOS\"},\"b\":{\"S\":\"1\"}}}\n"
		"{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Song\":{\"S\":\"Liar\"},\"year\":{\"N\":\"1973\"},\"x\":{\"L\":[{\"BOOL\":true},{\"NULL\":true}]}}}\n"
		"{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Song\":{\"S\":\"Seven\"}}}\n");
	exports(&where, EXPORT_JSON,
		"[\n{\"Artist\":\"Abba\",\"Song\":\"SOS\",\"b\":\"1\"},\n"
		"{\"Artist\":\"Queen\",\"Song\":\"Liar\",\"year\":1973,\"x\":[true,null]},\n"
		"{\"Artist\":\"Queen\",\"Song\":\"Seven\"}\n]\n");
	exports(&where, EXPORT_CSV,
		"Artist,Song,b,x,year\r\nAbba,SOS,1,,\r\nQueen,Liar,,\"[true,null]\",1973\r\nQueen,Seven,,,\r\n");
	table_unref(table);
}

Test(export, of_a_partition_holds_that_one)
{
	struct table *table = music();
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Queen");
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table, .pk = &pk};
	fixture_put(table, "Queen", "Liar", "{}");
	fixture_put(table, "Abba", "SOS", "{}");
	exports(&where, EXPORT_JSONL, "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Song\":{\"S\":\"Liar\"}}}\n");
	table_unref(table);
}

Test(export, of_an_index_has_its_keys_first_and_the_table_s_behind_them)
{
	struct table *table = music();
	struct key year = fixture_key(KEY_N, KEY_PARTITION, "1973");
	struct listing_place all = {.kind = LISTING_ENTRIES, .table = table, .index = "by-year"};
	struct listing_place one = {.kind = LISTING_ENTRIES, .table = table, .index = "by-year", .pk = &year};
	fixture_put(table, "Queen", "Liar", "{\"year\":1973.0,\"x\":1}");
	fixture_put(table, "Abba", "SOS", "{\"year\":1975}");
	fixture_put(table, "Abba", "None", "{}");
	exports(&all, EXPORT_JSON,
		"[\n{\"year\":1973,\"Artist\":\"Queen\",\"Song\":\"Liar\",\"x\":1},\n{\"year\":1975,\"Artist\":\"Abba\",\"Song\":\"SOS\"}\n]\n");
	exports(&one, EXPORT_CSV, "year,Artist,Song,x\r\n1973,Queen,Liar,1\r\n");
	table_unref(table);
}

Test(export, of_nothing_is_an_empty_file_of_its_kind)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	exports(&where, EXPORT_JSONL, "");
	exports(&where, EXPORT_JSON, "[\n]\n");
	exports(&where, EXPORT_CSV, "Artist,Song\r\n");
	table_unref(table);
}

Test(export, of_an_undeclared_table_says_what_the_path_says)
{
	struct table *table = fixture_table(volume, "Notes");
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	fixture_put(table, "a", "b", "{\"pk\":\"something else\",\"x\":1}");
	exports(&where, EXPORT_JSON, "[\n{\"pk\":\"a\",\"sk\":\"b\",\"x\":1}\n]\n");
	table_unref(table);
}

Test(export, of_a_query_holds_what_the_query_leaves_in_its_order)
{
	struct table *table = music();
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "p");
	struct query *query = query_new();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table, .pk = &pk, .query = query};
	for (char name[2] = "a"; name[0] <= 'e'; name[0]++)
		fixture_put(table, "p", name, "{}");
	cr_assert_eq(query_last(query, 2, NULL), RC_OK);
	exports(&where, EXPORT_JSON, "[\n{\"Artist\":\"p\",\"Song\":\"e\"},\n{\"Artist\":\"p\",\"Song\":\"d\"}\n]\n");
	query_free(query);
	table_unref(table);
}

Test(export, segments_of_a_table_are_disjoint_and_complete)
{
	struct table *table = music();
	size_t lines = 0;
	char name[8];
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "p%d", i);
		fixture_put(table, name, "a", "{}");
		fixture_put(table, name, "b", "{}");
	}
	for (uint64_t s = 0; s < 3; s++) {
		struct query *query = query_new();
		struct listing_place where = {.kind = LISTING_ITEMS, .table = table, .query = query};
		cr_assert_eq(query_segment(query, s, 3, NULL), RC_OK);
		struct export *export = opened(&where, EXPORT_JSONL);
		cleanup_buf struct buf whole = {0};
		read_all(export, 100, &whole);
		for (size_t i = 0; i < whole.len; i++)
			lines += whole.data[i] == '\n';
		export_close(export);
		query_free(query);
	}
	cr_expect_eq(lines, 80);
	table_unref(table);
}

Test(export, keys_of_every_type)
{
	struct table *table = fixture_table(volume, "Keys");
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	fixture_define(table, "{\"KeySchema\":[{\"AttributeName\":\"b,\\\"\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"n\",\"KeyType\":\"RANGE\"}],"
			      "\"AttributeDefinitions\":[{\"AttributeName\":\"b,\\\"\",\"AttributeType\":\"B\"},{\"AttributeName\":\"n\","
			      "\"AttributeType\":\"N\"}]}");
	fixture_put(table, "00ff", "-1.5", "{\"n\":-15e-1}");
	exports(&where, EXPORT_JSONL, "{\"Item\":{\"b,\\\"\":{\"B\":\"AP8=\"},\"n\":{\"N\":\"-1.5\"}}}\n");
	exports(&where, EXPORT_JSON, "[\n{\"b,\\\"\":{\"$B\":\"AP8=\"},\"n\":-1.5}\n]\n");
	exports(&where, EXPORT_CSV, "\"b,\"\"\",n\r\nAP8=,-1.5\r\n");
	table_unref(table);
}

Test(export, large_documents_come_from_their_own_rows)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	char *document, *expected;
	cr_assert(asprintf(&document, "{\"x\":\"%05000d\"}", 0) > 0);
	cr_assert(asprintf(&expected, "{\"Item\":{\"Artist\":{\"S\":\"a\"},\"Song\":{\"S\":\"b\"},\"x\":{\"S\":\"%05000d\"}}}\n", 0) > 0);
	fixture_put(table, "a", "b", document);
	exports(&where, EXPORT_JSONL, expected);
	free(document);
	free(expected);
	table_unref(table);
}

Test(export, reads_one_view_from_its_beginning_to_its_end)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	fixture_put(table, "a", "1", "{}");
	fixture_put(table, "b", "2", "{}");
	struct export *export = opened(&where, EXPORT_JSONL);
	cleanup_buf struct buf first = {0}, again = {0};
	uint64_t before = export_sequence(export);
	cr_expect_gt(before, 0);
	cr_assert_eq(export_read(export, 1, &first), RC_OK);
	fixture_put(table, "b", "3", "{}");
	fixture_put(table, "b", "2", "{\"new\":true}");
	read_all(export, 1, &first);
	cr_assert_eq(export_rewind(export), RC_OK);
	read_all(export, SIZE_MAX, &again);
	cr_expect(first.len == again.len && memcmp(first.data, again.data, first.len) == 0);
	buf_add_byte(&first, 0);
	cr_expect_null(strstr((char *)first.data, "new"));
	cr_expect_eq(export_sequence(export), before);
	export_close(export);
	export = opened(&where, EXPORT_JSONL);
	cr_expect_gt(export_sequence(export), before);
	export_close(export);
	table_unref(table);
}

Test(export, goes_back_to_no_other_table_s_rows)
{
	struct table *table = fixture_table(volume, "Music");
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	fixture_put(table, "a", "1", "{}");
	struct export *export = opened(&where, EXPORT_JSONL);
	cleanup_buf struct buf out = {0};
	cr_assert_eq(export_read(export, 1, &out), RC_OK);
	fixture_define(table, FIXTURE_MUSIC);
	cr_expect_eq(export_rewind(export), RC_STALE);
	cr_expect_eq(export_read(export, 1, &out), RC_STALE);
	export_close(export);
	table_unref(table);
}

static bool always(void *context)
{
	++*(int *)context;
	return true;
}

Test(export, a_pass_can_be_stopped_and_keeps_nothing_that_is_too_large)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	char name[8];
	int asked = 0;
	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof name, "%d", i);
		fixture_put(table, "p", name, "{}");
	}
	for (enum export_format format = EXPORT_JSONL; format < EXPORT_FORMATS; format++) {
		struct export *export = opened(&where, format);
		struct export_pass pass = {.stop = always, .context = &asked};
		struct export_extent *extent = NULL;
		cr_expect_eq(export_measure(export, &pass, &extent, NULL), RC_INTERRUPTED);
		cr_expect_null(extent);
		cleanup_buf struct buf keep = {0}, all = {0};
		extent = measured(export, &keep, 1000);
		cr_expect_eq(keep.len, 0);
		cr_expect_eq(extent->items, 1100);
		read_all(export, 4096, &all);
		cr_expect_eq(all.len, extent->size);
		export_extent_unref(extent);
		export_close(export);
	}
	cr_expect_eq(asked, EXPORT_FORMATS);
	table_unref(table);
}

/* What is held does not grow with the file: a read gives a line more than it was asked for at most, and everything else is given back. */
Test(export, memory_does_not_grow_with_the_file)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	char name[16];
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "%04d", i);
		fixture_put(table, "p", name, "{\"x\":\"0123456789012345678901234567890123456789\"}");
	}
	for (enum export_format format = EXPORT_JSONL; format < EXPORT_FORMATS; format++) {
		struct export *export = opened(&where, format);
		cleanup_buf struct buf piece = {0};
		struct export_extent *extent = measured(export, NULL, 0);
		uint64_t all = 0;
		while (!export_read(export, 1000, &piece)) {
			cr_assert_leq(piece.len, 1000 + 200);
			all += piece.len;
			buf_clear(&piece);
		}
		cr_expect_leq(piece.cap, 4096);
		cr_expect_eq(all, extent->size);
		cr_expect_gt(all, 100000);
		export_extent_unref(extent);
		export_close(export);
	}
	table_unref(table);
}

Test(export, a_csv_of_too_many_columns_is_refused_in_words)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	cleanup_buf struct buf document = {0};
	for (int i = 0; i < EXPORT_COLUMNS_MAX; i++)
		buf_printf(&document, "%s\"a%d\":1", i ? "," : "{", i);
	buf_add_text(&document, "}");
	buf_add_byte(&document, 0);
	fixture_put(table, "p", "a", (char *)document.data);
	struct export *export = opened(&where, EXPORT_CSV);
	struct export_pass pass = {.keep = NULL};
	struct export_extent *extent = NULL;
	struct why why = {.text = ""};
	cr_expect_eq(export_measure(export, &pass, &extent, &why), RC_TOO_BIG);
	cr_expect_not_null(strstr(why.text, "items.jsonl"));
	export_close(export);
	table_unref(table);
}

/* Corrupt bytes end the file with an error, after what was sound. */
Test(export, what_is_corrupt_ends_it_with_an_error)
{
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "p"), sk = fixture_key(KEY_S, KEY_SORT, "b");
	fixture_put(table, "p", "a", "{}");
	fixture_put(table, "p", "b", "{\"x\":1}");
	cleanup_buf struct buf row = {0}, value = {0};
	struct store_batch *batch;
	row_item(&row, table->id, &pk, &sk, false);
	cr_assert_eq(store_get(volume->store, NULL, row.data, row.len, &value), RC_OK);
	value.data[value.len - 1] = '{'; /* the document's last byte */
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_put(batch, row.data, row.len, value.data, value.len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
	for (enum export_format format = EXPORT_JSONL; format < EXPORT_FORMATS; format++) {
		struct export *export = opened(&where, format);
		struct export_pass pass = {.keep = NULL};
		struct export_extent *extent = NULL;
		cr_expect_eq(export_measure(export, &pass, &extent, NULL), RC_CORRUPT);
		export_close(export);
	}
	struct export *export = opened(&where, EXPORT_JSONL);
	cleanup_buf struct buf out = {0};
	cr_expect_eq(export_read(export, 1, &out), RC_OK);
	size_t sound = out.len;
	cr_expect_eq(export_read(export, 1, &out), RC_CORRUPT);
	cr_expect_eq(export_read(export, 1, &out), RC_CORRUPT);
	cr_expect_eq(out.len, sound);
	export_close(export);
	table_unref(table);
}

/* A line, as a document again, is the same item. */
Test(export, lines_are_the_items)
{
	static const char *const documents[] = {
	    "{\"n\":[0,1.50,-1e3],\"t\":true,\"z\":null}",
	    "{\"b\":{\"$B\":\"AAE=\"},\"ss\":{\"$SS\":[\"a\"]},\"ns\":{\"$NS\":[1,2.50]},\"bs\":{\"$BS\":[\"AA==\"]}}",
	    "{\"m\":{\"$M\":{\"$B\":\"x\"}},\"o\":{\"k\":{\"$M\":{}}}}",
	    "{\"e\\\"s\":\"\\u00e9\\ud83d\\ude00\\n\"}",
	};
	struct table *table = music();
	struct listing_place where = {.kind = LISTING_ITEMS, .table = table};
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		fixture_put(table, "p", "a", documents[i]);
		struct export *export = opened(&where, EXPORT_JSONL);
		cleanup_buf struct buf line = {0}, plain = {0}, was = {0}, is = {0};
		cleanup_item struct item *item = NULL, *written = NULL;
		struct why why = {.text = ""};
		read_all(export, SIZE_MAX, &line);
		cr_assert_eq(typed_to_plain(line.data, line.len, TYPED_ITEM, &plain, &why), RC_OK, "%.*s: %s", (int)line.len, line.data, why.text);
		cr_assert_eq(item_parse(plain.data, plain.len, &item, &why), RC_OK, "%.*s: %s", (int)plain.len, plain.data, why.text);
		char *with_keys;
		cr_assert(asprintf(&with_keys, "{\"Artist\":\"p\",\"Song\":\"a\",%s", documents[i] + 1) > 0);
		cr_assert_eq(item_parse(with_keys, strlen(with_keys), &written, NULL), RC_OK);
		typed_item_add(written, &was);
		typed_item_add(item, &is);
		cr_expect(was.len == is.len && memcmp(was.data, is.data, is.len) == 0, "%.*s is not %.*s", (int)is.len, is.data, (int)was.len, was.data);
		free(with_keys);
		export_close(export);
	}
	table_unref(table);
}
