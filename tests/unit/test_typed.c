/* DynamoDB JSON and plain JSON: one into the other, exactly. */
#include "store/model/typed.h"
#include "tests/unit/typed_item.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum typed_form form_of(const char *document, const char *key)
{
	enum typed_form form = TYPED_PLAIN;
	struct why why = {.text = ""};
	enum rc rc = typed_form_of(document, strlen(document), key, strlen(key), &form, &why);
	cr_expect_eq(rc, RC_OK, "%s: %s: %s", document, rc_name(rc), why.text);
	return form;
}

/* The plain form; to be freed. */
static char *plain_of(const char *document, enum typed_form form)
{
	struct buf out = {0};
	struct why why = {.text = ""};
	enum rc rc = typed_to_plain(document, strlen(document), form, &out, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s at %zu:%zu", document, why.text, why.line, why.column);
	buf_add_byte(&out, 0);
	return (char *)out.data;
}

static void expect_plain(const char *typed, const char *plain)
{
	char *got = plain_of(typed, TYPED_BARE);
	cr_expect_str_eq(got, plain);
	free(got);
}

static void expect_typed(const char *plain, const char *typed)
{
	struct buf out = {0};
	struct item *item = NULL;
	cr_assert_eq(item_parse(plain, strlen(plain), &item, NULL), RC_OK, "%s", plain);
	typed_item_add(item, &out);
	buf_add_byte(&out, 0);
	cr_expect_str_eq((char *)out.data, typed);
	buf_free(&out);
	item_free(item);
}

static void expect_refused(const char *typed, enum rc wanted, size_t column, const char *words)
{
	struct buf out = {0};
	struct why why = {.text = ""};
	enum rc rc = typed_to_plain(typed, strlen(typed), TYPED_BARE, &out, &why);
	cr_expect_eq(rc, wanted, "%s: %s", typed, rc_name(rc));
	cr_expect(strstr(why.text, words), "%s: \"%s\" does not say \"%s\"", typed, why.text, words);
	cr_expect_eq(why.column, column, "%s: column %zu", typed, why.column);
	buf_free(&out);
}

Test(typed, partition_key_tells_the_form)
{
	cr_expect_eq(form_of("{\"pk\":\"a\",\"x\":{\"S\":\"b\"}}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"x\":{\"S\":\"b\"},\"pk\":7}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"pk\":{\"$B\":\"AA==\"}}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"x\":{\"S\":\"b\"},\"pk\":{\"S\":\"a\"}}", "pk"), TYPED_BARE);
	cr_expect_eq(form_of("{\"p\\u006b\":{\"S\":\"a\"}}", "pk"), TYPED_BARE);
	cr_expect_eq(form_of("{\"Item\":{\"pk\":{\"S\":\"a\"}}}", "pk"), TYPED_ITEM);
	cr_expect_eq(form_of("{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"a\"}}}}", "pk"), TYPED_REQUEST);
	cr_expect_eq(form_of("{\"Item\":\"a\"}", "Item"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"Item\":{\"$B\":\"AA==\"}}", "Item"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"Item\":{},\"other\":1}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"pk\":{}}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"pk\":[]}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{}", "pk"), TYPED_PLAIN);
	cr_expect_eq(form_of("{\"x\":{\"pk\":{\"S\":\"a\"}}}", "pk"), TYPED_PLAIN);
}

Test(typed, what_is_no_json_has_no_form)
{
	enum typed_form form;
	struct why why = {.text = ""};
	cr_expect_eq(typed_form_of("{\"a\":", 5, "pk", 2, &form, &why), RC_UNFINISHED);
	cr_expect_eq(typed_form_of("oops", 4, "pk", 2, &form, &why), RC_REFUSED);
	cr_expect_eq(typed_form_of("{\"DeleteRequest\":{}}", 20, "pk", 2, &form, &why), RC_REFUSED);
	cr_expect(strstr(why.text, "deletes none"));
}

Test(typed, each_type_has_its_plain_form)
{
	expect_plain("{\"s\":{\"S\":\"a\\u00e9\\n\"}}", "{\"s\":\"a\\u00e9\\n\"}");
	expect_plain("{ \"n\" : { \"N\" : \"-3.50\" } }", "{\"n\":-3.50}");
	expect_plain("{\"n\":{\"N\":\"+1\"},\"m\":{\"N\":\".5\"},\"o\":{\"N\":\"007\"}}", "{\"n\":1,\"m\":0.5,\"o\":7}");
	expect_plain("{\"n\":{\"N\":\"12345678901234567890123456789012345678\"}}", "{\"n\":12345678901234567890123456789012345678}");
	expect_plain("{\"b\":{\"B\":\"AAE=\"}}", "{\"b\":{\"$B\":\"AAE=\"}}");
	expect_plain("{\"t\":{\"BOOL\":true},\"f\":{\"BOOL\":false},\"n\":{\"NULL\":true}}", "{\"t\":true,\"f\":false,\"n\":null}");
	expect_plain("{\"l\":{\"L\":[{\"S\":\"a\"},{\"N\":\"1\"},{\"L\":[]}]}}", "{\"l\":[\"a\",1,[]]}");
	expect_plain("{\"m\":{\"M\":{\"a\":{\"M\":{}}}}}", "{\"m\":{\"a\":{}}}");
	expect_plain("{\"s\":{\"SS\":[\"a\",\"b\"]},\"n\":{\"NS\":[\"1\",\"2.5\"]},\"b\":{\"BS\":[\"AA==\"]}}",
		     "{\"s\":{\"$SS\":[\"a\",\"b\"]},\"n\":{\"$NS\":[1,2.5]},\"b\":{\"$BS\":[\"AA==\"]}}");
	expect_plain("{}", "{}");
}

Test(typed, maps_that_look_like_a_type_are_told_apart)
{
	expect_plain("{\"m\":{\"M\":{\"$B\":{\"S\":\"a\"}}}}", "{\"m\":{\"$M\":{\"$B\":\"a\"}}}");
	expect_plain("{\"m\":{\"M\":{\"$B\":{\"S\":\"a\"},\"c\":{\"N\":\"1\"}}}}", "{\"m\":{\"$B\":\"a\",\"c\":1}}");
	expect_plain("{\"m\":{\"M\":{\"\\u0024M\":{\"M\":{\"$SS\":{\"L\":[]}}}}}}", "{\"m\":{\"$M\":{\"\\u0024M\":{\"$M\":{\"$SS\":[]}}}}}");
	expect_plain("{\"$B\":{\"S\":\"a\"}}", "{\"$B\":\"a\"}");
	expect_typed("{\"m\":{\"$M\":{\"$B\":\"a\"}}}", "{\"m\":{\"M\":{\"$B\":{\"S\":\"a\"}}}}");
}

Test(typed, wrapped_items_are_unwrapped)
{
	char *item = plain_of("{\"Item\":{\"pk\":{\"S\":\"a\"}}}", TYPED_ITEM);
	char *request = plain_of("{\"PutRequest\":{\"Item\":{\"$B\":{\"S\":\"a\"}}}}", TYPED_REQUEST);
	cr_expect_str_eq(item, "{\"pk\":\"a\"}");
	cr_expect_str_eq(request, "{\"$B\":\"a\"}");
	free(item);
	free(request);
}

Test(typed, what_is_wrong_is_named_at_its_place)
{
	expect_refused("{\"a\":1}", RC_REFUSED, 6, "{\"N\":\"42\"}");
	expect_refused("{\"a\":\"x\"}", RC_REFUSED, 6, "says its type");
	expect_refused("{\"a\":{}}", RC_REFUSED, 7, "exactly one type");
	expect_refused("{\"a\":{\"S\":\"x\",\"N\":\"1\"}}", RC_REFUSED, 15, "exactly one type");
	expect_refused("{\"a\":{\"X\":\"x\"}}", RC_REFUSED, 7, "no type of DynamoDB's");
	expect_refused("{\"a\":{\"S\":1}}", RC_REFUSED, 11, "the value of S is a string");
	expect_refused("{\"a\":{\"N\":1}}", RC_REFUSED, 11, "in a string");
	expect_refused("{\"a\":{\"N\":\"dog\"}}", RC_REFUSED, 11, "cannot be converted to a numeric value: dog");
	expect_refused("{\"a\":{\"NULL\":false}}", RC_REFUSED, 14, "must have the value of true");
	expect_refused("{\"a\":{\"BOOL\":\"true\"}}", RC_REFUSED, 14, "true or false");
	expect_refused("{\"a\":{\"L\":{}}}", RC_REFUSED, 11, "array");
	expect_refused("{\"a\":{\"M\":[]}}", RC_REFUSED, 11, "object");
	expect_refused("{\"a\":{\"SS\":[1]}}", RC_REFUSED, 13, "elements of a set are strings");
	expect_refused("{\"a\":{\"NS\":[\"1\",\"\"]}}", RC_REFUSED, 17, "cannot be converted");
	expect_refused("{\"a\":{\"S\":\"x\"}", RC_UNFINISHED, 15, "ends");
}

/* Random items. */
static uint64_t state;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void add_text(struct buf *out)
{
	static const char *const texts[] = {"a", "", "$B", "$M", "$SS", "S", "Item", "\\u0000", "\\n\\\"", "\xc3\xa9", "\xf0\x9f\x98\x80", "long text with spaces"};
	buf_printf(out, "\"%s%u\"", texts[pick(12)], pick(1000));
}

static void add_number(struct buf *out)
{
	buf_printf(out, "%s%u", pick(2) ? "-" : "", pick(100000));
	if (pick(3) == 0)
		buf_printf(out, ".%u", pick(10000));
	if (pick(4) == 0)
		buf_printf(out, "e%d", (int)pick(200) - 100);
}

static void add_value(struct buf *out, unsigned depth);

static void add_members(struct buf *out, unsigned depth)
{
	static const char *const names[] = {"$B", "$M", "$SS", "$x", "name", "\\u0024B"};
	unsigned n = pick(4), first = pick(6);
	buf_add_byte(out, '{');
	for (unsigned i = 0; i < n; i++) {
		buf_printf(out, "%s\"%s%s\":", i ? "," : "", names[(first + i) % 5], i ? "_" : "");
		add_value(out, depth + 1);
	}
	buf_add_byte(out, '}');
}

static void add_value(struct buf *out, unsigned depth)
{
	unsigned n = pick(4);
	switch (pick(depth < 6 ? 9 : 4)) {
	case 0:
		add_text(out);
		break;
	case 1:
		add_number(out);
		break;
	case 2:
		buf_add_text(out, pick(3) ? pick(2) ? "true" : "false" : "null");
		break;
	case 3:
		buf_add_text(out, pick(2) ? "{\"$B\":\"AAEC\"}" : "{\"$B\":\"\"}");
		break;
	case 4:
		buf_add_byte(out, '[');
		for (unsigned i = 0; i < n; i++) {
			buf_add_text(out, i ? "," : "");
			add_value(out, depth + 1);
		}
		buf_add_byte(out, ']');
		break;
	case 5:
		buf_add_text(out, "{\"$SS\":[\"a\",\"\\u0062\",\"\"]}");
		break;
	case 6:
		buf_printf(out, "{\"$NS\":[%u,1e%u,-0.5]}", 2 + pick(7), 1 + pick(100));
		break;
	case 7:
		buf_add_text(out, "{\"$M\":");
		add_members(out, depth);
		buf_add_byte(out, '}');
		break;
	default:
		buf_add_text(out, "{\"other\":1,\"map\":");
		add_value(out, depth + 1);
		buf_add_byte(out, '}');
		break;
	}
}

Test(typed, items_come_back_as_they_were)
{
	for (unsigned round = 0; round < 3000; round++) {
		state = round;
		cleanup_buf struct buf plain = {0}, typed = {0}, back = {0}, again = {0};
		cleanup_item struct item *item = NULL;
		cleanup_item struct item *returned = NULL;
		struct why why = {.text = ""};
		buf_add_text(&plain, "{\"a\":");
		add_value(&plain, 1);
		buf_add_text(&plain, ",\"b\":");
		add_value(&plain, 1);
		buf_add_byte(&plain, '}');
		enum rc rc = item_parse(plain.data, plain.len, &item, &why);
		cr_assert_eq(rc, RC_OK, "%.*s: %s", (int)plain.len, plain.data, why.text);
		typed_item_add(item, &typed);
		rc = typed_to_plain(typed.data, typed.len, TYPED_BARE, &back, &why);
		cr_assert_eq(rc, RC_OK, "%.*s: %s", (int)typed.len, typed.data, why.text);
		rc = item_parse(back.data, back.len, &returned, &why);
		cr_assert_eq(rc, RC_OK, "%.*s: %s", (int)back.len, back.data, why.text);
		cr_expect_eq(returned->size, item->size);
		typed_item_add(returned, &again);
		cr_expect(typed.len == again.len && memcmp(typed.data, again.data, typed.len) == 0, "%.*s\n%.*s", (int)typed.len,
			  typed.data, (int)again.len, again.data);
	}
}

Test(typed, thirty_two_levels_go_both_ways)
{
	cleanup_buf struct buf plain = {0}, typed = {0}, back = {0};
	cleanup_item struct item *item = NULL;
	buf_add_text(&plain, "{\"a\":");
	for (int i = 0; i < 31; i++)
		buf_add_text(&plain, i % 2 ? "[" : "{\"b\":");
	buf_add_text(&plain, "1");
	for (int i = 30; i >= 0; i--)
		buf_add_text(&plain, i % 2 ? "]" : "}");
	buf_add_text(&plain, "}");
	cr_assert_eq(item_parse(plain.data, plain.len, &item, NULL), RC_OK);
	typed_item_add(item, &typed);
	cr_assert_eq(typed_to_plain(typed.data, typed.len, TYPED_BARE, &back, NULL), RC_OK);
	cr_expect(back.len == plain.len && memcmp(back.data, plain.data, back.len) == 0);
}
