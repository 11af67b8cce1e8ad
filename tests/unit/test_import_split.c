/* Files to import into records: the same ones wherever the file is cut into pieces. */
#include "index/import_split.h"
#include "store/model/buf.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits a file that comes in pieces of `piece` bytes: "LINE:record;" for each record, and how it ended. */
static char *split(enum import_format format, const char *file, size_t n, size_t piece)
{
	struct import_split s;
	struct buf out = {0};
	struct why why = {.text = ""};
	bool found;
	enum rc rc = RC_OK;
	import_split_init(&s, format, 0, 1);
	for (size_t at = 0; !rc && at < n;) {
		size_t size = n - at < piece ? n - at : piece, used;
		char *copy = malloc(size); /* a sanitizer sees who reads past it */
		memcpy(copy, file + at, size);
		rc = import_split_feed(&s, copy, size, &used, &found, &why);
		free(copy);
		at += used;
		cr_assert(rc || s.offset == at, "offset %zu of %zu", (size_t)s.offset, at);
		if (!rc && found)
			buf_printf(&out, "%zu:%.*s;", s.record.line, (int)(s.record.end - s.record.start), file + s.record.start);
	}
	if (!rc) {
		rc = import_split_end(&s, &found, &why);
		if (!rc && found)
			buf_printf(&out, "%zu:%.*s.", s.record.line, (int)(s.record.end - s.record.start), file + s.record.start);
	}
	if (rc)
		buf_printf(&out, "%s at %zu", rc_name(rc), why.line);
	buf_add_byte(&out, 0);
	return (char *)out.data;
}

static void expect_records(enum import_format format, const char *file, const char *expected)
{
	size_t n = strlen(file);
	for (size_t piece = 1; piece <= n; piece++) {
		char *got = split(format, file, n, piece);
		cr_expect_str_eq(got, expected, "%s in pieces of %zu:\n%s\nnot\n%s", file, piece, got, expected);
		free(got);
	}
}

Test(import_split, lines_are_records_and_blank_ones_are_not)
{
	expect_records(IMPORT_JSONL, "{\"a\":1}\n{\"b\":2}\n", "1:{\"a\":1};2:{\"b\":2};");
	expect_records(IMPORT_JSONL, "\n  \n{\"a\":1}\r\n\n{\"b\":2}", "3:{\"a\":1}\r;5:{\"b\":2}.");
	expect_records(IMPORT_JSONL, "oops\n{\n", "1:oops;2:{;");
	expect_records(IMPORT_JSONL, " \n", "");
}

Test(import_split, elements_of_an_array_are_records)
{
	expect_records(IMPORT_JSON, "[]", "");
	expect_records(IMPORT_JSON, " [ {\"a\":[1,{}]},\n {\"b\":\"},]\"} ]\n", "1:{\"a\":[1,{}]};2:{\"b\":\"},]\"};");
	expect_records(IMPORT_JSON, "[1,\"x\" , true,[{}],-2e1]", "1:1;1:\"x\";1:true;1:[{}];1:-2e1;");
	expect_records(IMPORT_JSON, "[\n{\n\"a\":\n1}\n,{}]", "2:{\n\"a\":\n1};5:{};");
}

Test(import_split, an_object_holds_one_array)
{
	expect_records(IMPORT_JSON, "{\"Count\":2,\"Items\":[{\"a\":1},{}],\"C\":{\"x\":1,\"y\":{}}}", "1:{\"a\":1};1:{};");
	expect_records(IMPORT_JSON, "{\"T\":[{\"PutRequest\":{}}]}\n\n", "1:{\"PutRequest\":{}};");
	expect_records(IMPORT_JSON, "{\"T\":[{}],\n\"U\":[{}]}", "1:{};RC_REFUSED at 2");
	expect_records(IMPORT_JSON, "{\"a\":1}", "RC_REFUSED at 1");
	expect_records(IMPORT_JSON, "{\"a\":{\"b\":[1]}}", "RC_REFUSED at 1");
}

Test(import_split, what_is_no_json_as_a_whole_ends_it)
{
	expect_records(IMPORT_JSON, "[{\"a\":1}", "1:{\"a\":1};RC_UNFINISHED at 1");
	expect_records(IMPORT_JSON, "[{\"a\":1},\n", "1:{\"a\":1};RC_UNFINISHED at 2");
	expect_records(IMPORT_JSON, "", "RC_UNFINISHED at 1");
	expect_records(IMPORT_JSON, "  ", "RC_UNFINISHED at 1");
	expect_records(IMPORT_JSON, "{\"T\":[]", "RC_UNFINISHED at 1");
	expect_records(IMPORT_JSON, "[{}]\n x", "1:{};RC_REFUSED at 2");
	expect_records(IMPORT_JSON, "[{}] \n", "1:{};");
	expect_records(IMPORT_JSON, "[{}\n{}]", "1:{};RC_REFUSED at 2");
	expect_records(IMPORT_JSON, "oops", "RC_REFUSED at 1");
	expect_records(IMPORT_JSON, "[{},]", "1:{};RC_REFUSED at 1");
}

Test(import_split, rows_are_records)
{
	expect_records(IMPORT_CSV, "a,b\n1,\"x\ny\"\n\n\r\n2,3\r\n4,5", "1:a,b;2:1,\"x\ny\";6:2,3\r;7:4,5.");
	expect_records(IMPORT_CSV, "a\n\"b\n", "1:a;RC_UNFINISHED at 2");
	expect_records(IMPORT_CSV, "", "");
}
