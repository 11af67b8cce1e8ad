/* recast: documents written again in another form. The oracle is the item that item_parse() builds. */
#include "store/model/item.h"
#include "store/model/json.h"
#include "store/model/recast.h"
#include "store/model/typed.h"
#include "tests/unit/typed_item.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(recast, .timeout = 60);

/* All attributes as an object. */
static enum rc whole(const void *document, size_t n, enum recast_form form, struct buf *out)
{
	struct recast recast = {0};
	const char *comma = "{";
	enum rc rc;
	recast_begin(&recast, document, n);
	while (!(rc = recast_next(&recast))) {
		buf_add_text(out, comma);
		comma = ",";
		buf_add(out, recast.token, recast.token_len);
		buf_add_byte(out, ':');
		rc = recast_value(&recast, form, out);
		if (rc)
			break;
	}
	if (rc == RC_NOT_FOUND)
		buf_add_text(out, comma[0] == '{' ? "{}" : "}");
	recast_free(&recast);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static void is_typed_as_the_item_is(const char *document)
{
	cleanup_item struct item *item = NULL, *again = NULL;
	cleanup_buf struct buf typed = {0}, plain = {0}, oracle = {0}, of_plain = {0};
	struct why why = {.text = ""};
	cr_assert_eq(item_parse(document, strlen(document), &item, &why), RC_OK, "%s: %s", document, why.text);
	typed_item_add(item, &oracle);
	cr_assert_eq(whole(document, strlen(document), RECAST_TYPED, &typed), RC_OK, "%s", document);
	/* Strings may be escaped otherwise: what counts is the item. */
	cleanup_item struct item *read = NULL;
	cleanup_buf struct buf back = {0}, of_typed = {0};
	cr_assert_eq(typed_to_plain(typed.data, typed.len, TYPED_BARE, &back, &why), RC_OK, "%.*s: %s", (int)typed.len, typed.data, why.text);
	cr_assert_eq(item_parse(back.data, back.len, &read, &why), RC_OK, "%.*s: %s", (int)back.len, back.data, why.text);
	typed_item_add(read, &of_typed);
	cr_assert(of_typed.len == oracle.len && memcmp(of_typed.data, oracle.data, oracle.len) == 0, "%s\nbecomes %.*s\nnot %.*s", document,
		  (int)typed.len, typed.data, (int)oracle.len, oracle.data);
	cr_assert_eq(whole(document, strlen(document), RECAST_PLAIN, &plain), RC_OK);
	cr_assert_eq(item_parse(plain.data, plain.len, &again, &why), RC_OK, "%.*s: %s", (int)plain.len, plain.data, why.text);
	typed_item_add(again, &of_plain);
	cr_assert(of_plain.len == oracle.len && memcmp(of_plain.data, oracle.data, oracle.len) == 0);
}

static const char *const documents[] = {
    "{}",
    " {\n} ",
    "{\"a\":1}",
    " { \"a\" : 1 , \"b\" : \"x y\" , \"c\" : [ 1 , [ ] , { } ] } ",
    "{\"n\":[0,-0,1.50,1e3,-1E-5,12345678901234567890123456789012345678,0.1,-7,100,1E125]}",
    "{\"t\":true,\"f\":false,\"z\":null,\"e\":\"\"}",
    "{\"b\":{\"$B\":\"AAE=\"},\"ss\":{\"$SS\":[\"a\",\"b,\\\"c\"]},\"ns\":{\"$NS\":[1,2.50,-3e2]},\"bs\":{\"$BS\":[\"AA==\"]}}",
    "{\"m\":{\"$M\":{\"$B\":\"no binary\"}},\"o\":{\"$M\":{}},\"deep\":{\"$M\":{\"$M\":{\"x\":{\"$NS\":[1]}}}}}",
    "{\"two\":{\"$B\":\"AA==\",\"x\":1},\"late\":{\"x\":1,\"$B\":2},\"other\":{\"$X\":1},\"dollar\":{\"$\":{\"$SS\":[\"a\"]}}}",
    "{\"esc\":{\"\\u0024B\":\"AA==\"},\"esc2\":{\"\\u0024SS\" : [ \"x\" ] }}",
    "{\"q\\\"uote\":\"\\u00e9\\ud83d\\ude00\\n\\\\\",\"\\u0000\":\"\\u0000\"}",
    "{\"$B\":\"at the top it is a map\"}",
    "{\"text\":\"caf\xc3\xa9, \xf0\x9f\x98\x80\"}",
};

Test(recast, gives_the_same_item_in_both_forms)
{
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
		is_typed_as_the_item_is(documents[i]);
}

Test(recast, leaves_white_space_out_and_nothing_else)
{
	cleanup_buf struct buf plain = {0};
	const char *document = " { \"a b\" : [ 1.50 , \" x \" , { \"$SS\" : [ \"y\" ] } ] ,\n\t\"c\" : 1E2 } \r\n";
	cr_assert_eq(whole(document, strlen(document), RECAST_PLAIN, &plain), RC_OK);
	buf_add_byte(&plain, 0);
	cr_expect_str_eq((char *)plain.data, "{\"a b\":[1.50,\" x \",{\"$SS\":[\"y\"]}],\"c\":1E2}");
}

static void field_is(const char *value, const char *expected)
{
	char document[256];
	struct recast recast = {0};
	cleanup_buf struct buf out = {0};
	snprintf(document, sizeof document, "{\"a\": %s }", value);
	recast_begin(&recast, document, strlen(document));
	cr_assert_eq(recast_next(&recast), RC_OK);
	cr_assert_eq(recast_value(&recast, RECAST_FIELD, &out), RC_OK);
	cr_assert_eq(recast_next(&recast), RC_NOT_FOUND);
	recast_free(&recast);
	buf_add_byte(&out, 0);
	cr_expect_str_eq((char *)out.data, expected);
}

Test(recast, fields_are_quoted_as_rfc_4180_says)
{
	field_is("\"plain\"", "plain");
	field_is("\"a,b\"", "\"a,b\"");
	field_is("\"say \\\"hi\\\"\"", "\"say \"\"hi\"\"\"");
	field_is("\"two\\nlines\"", "\"two\nlines\"");
	field_is("\"two\\r\"", "\"two\r\"");
	field_is("\" spaced\"", "\" spaced\"");
	field_is("\"\"", "\"\"");
	field_is("\"\\u00e9\"", "\xc3\xa9");
	field_is("1.50", "1.5");
	field_is("-1e2", "-100");
	field_is("true", "true");
	field_is("null", "null");
	field_is("[1, 2]", "\"[1,2]\"");
	field_is("[]", "[]");
	field_is("{\"x\" : \"y\"}", "\"{\"\"x\"\":\"\"y\"\"}\"");
	field_is("{ \"$B\" : \"AA==\" }", "AA==");
	field_is("{\"$B\":\"\"}", "\"\"");
	field_is("{\"$SS\":[\"a\"]}", "\"{\"\"$SS\"\":[\"\"a\"\"]}\"");
	field_is("{\"$M\":{\"$B\":\"x\"}}", "\"{\"\"$M\"\":{\"\"$B\"\":\"\"x\"\"}}\"");
}

Test(recast, names_are_unescaped_and_values_can_be_passed_over)
{
	const char *document = "{\"a\\u0062\":{\"x\":[1,\"}\",{}]},\"c\":\"\\\"\",\"d\":-1.5e3,\"e\":[]}";
	static const char *const names[] = {"ab", "c", "d", "e"};
	struct recast recast = {0};
	recast_begin(&recast, document, strlen(document));
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(recast_next(&recast), RC_OK);
		cr_expect(recast.name_len == strlen(names[i]) && memcmp(recast.name, names[i], recast.name_len) == 0);
		cr_assert_eq(recast_skip(&recast), RC_OK);
	}
	cr_expect_eq(recast_next(&recast), RC_NOT_FOUND);
	recast_begin(&recast, "", 0);
	cr_expect_eq(recast_next(&recast), RC_NOT_FOUND);
	recast_free(&recast);
}

/* Every beginning of a document, and documents with a byte changed, in memory of their own size: an answer, and nothing read outside (the sanitizer sees to that). */
static void survives(const char *document, size_t n)
{
	for (enum recast_form form = RECAST_PLAIN; form <= RECAST_FIELD; form++) {
		cleanup_buf struct buf out = {0};
		char *own = malloc(n ? n : 1);
		memcpy(own, document, n);
		enum rc rc = whole(own, n, form, &out);
		cr_assert(rc == RC_OK || rc == RC_CORRUPT, "%.*s: %s", (int)n, document, rc_name(rc));
		struct recast recast = {0};
		recast_begin(&recast, own, n);
		while (!(rc = recast_next(&recast)) && !(rc = recast_skip(&recast)))
			;
		cr_assert(rc == RC_NOT_FOUND || rc == RC_CORRUPT);
		recast_free(&recast);
		free(own);
	}
}

Test(recast, trusts_no_byte)
{
	static const char other[] = "\"\\{}[]:,u0$ndtE-.\xff";
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		size_t n = strlen(documents[i]);
		for (size_t cut = 0; cut < n; cut++)
			survives(documents[i], cut);
		for (size_t at = 0; at < n; at++)
			for (size_t with = 0; with < sizeof other; with++) {
				char *changed = strdup(documents[i]);
				changed[at] = other[with];
				survives(changed, n);
				free(changed);
			}
	}
	cleanup_buf struct buf deep = {0};
	buf_add_text(&deep, "{\"a\":");
	for (int i = 0; i < 100000; i++)
		buf_add_byte(&deep, '[');
	survives((char *)deep.data, deep.len);
}

Test(recast, cut_documents_are_corrupt)
{
	const char *document = "{\"a\":{\"$SS\":[\"x\"]},\"b\":[1,{\"c\":\"\\u00e9\"}]}";
	for (size_t cut = 1; cut < strlen(document); cut++) {
		cleanup_buf struct buf out = {0};
		cr_expect_eq(whole(document, cut, RECAST_TYPED, &out), RC_CORRUPT, "%.*s", (int)cut, document);
	}
}
