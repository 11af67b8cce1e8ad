/* Items: from a document to typed values, and every refusal at its place. What they measure is in test_item_size.c. */
#include "tests/unit/item_fixture.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void assert_fails(const char *text, enum rc wanted, size_t line, size_t column, const char *words)
{
	struct item *item = (struct item *)&wanted; /* any pointer: it must not be touched */
	struct why why = {.text = ""};
	char *copy = malloc(strlen(text)); /* without its NUL: a sanitizer sees who reads past the end */
	enum rc rc;

	memcpy(copy, text, strlen(text));
	rc = item_parse(copy, strlen(text), &item, &why);
	cr_expect_eq(rc, wanted, "%s: %s, not %s", text, rc_name(rc), rc_name(wanted));
	cr_expect(strstr(why.text, words), "%s: \"%s\" does not say \"%s\"", text, why.text, words);
	cr_expect(why.line == line && why.column == column, "%s: at %zu:%zu, not %zu:%zu", text, why.line, why.column,
		  line, column);
	cr_expect_eq((void *)item, (void *)&wanted);
	cr_expect_eq(item_parse(copy, strlen(text), &item, NULL), wanted);
	free(copy);
}

static void assert_refused(const char *text, size_t line, size_t column, const char *words)
{
	assert_fails(text, RC_REFUSED, line, column, words);
}

static const struct item_value *find(const struct item *item, const char *name)
{
	const struct item_value *value = item_find(item, name, strlen(name));

	cr_assert_not_null(value, "%s", name);
	return value;
}

static void assert_bytes(const struct item_value *value, const void *bytes, size_t n)
{
	cr_assert_eq(value->len, n);
	cr_assert_not_null(value->bytes);
	cr_expect_arr_eq(value->bytes, bytes, n);
}

Test(item, of_zero_bytes_has_no_attributes)
{
	cleanup_item struct item *item = NULL;

	cr_assert_eq(item_parse(NULL, 0, &item, NULL), RC_OK);
	cr_expect_eq(item->count, 0);
	cr_expect_null(item->first);
	cr_expect_eq(item->size, 0);
	cr_expect_null(item_find(item, "a", 1));
}

Test(item, of_an_empty_object_has_no_attributes)
{
	cleanup_item struct item *item = parse(" { } ");

	cr_expect_eq(item->count, 0);
	cr_expect_eq(item->size, 0);
}

Test(item, of_white_space_is_unfinished)
{
	assert_fails(" \n ", RC_UNFINISHED, 2, 2, "ends before");
}

Test(item, gives_each_json_value_its_type)
{
	cleanup_item struct item *item =
	    parse("{\"s\":\"x\\u00e9\",\"n\":-1.50,\"t\":true,\"f\":false,\"z\":null,\"l\":[1,\"a\"],"
		  "\"m\":{\"k\":\"v\",\"$B\":5}}");
	const struct item_value *value;

	cr_assert_eq(item->count, 7);
	value = find(item, "s");
	cr_expect_eq(value->type, ITEM_S);
	assert_bytes(value, "x\xc3\xa9", 3);
	value = find(item, "n");
	cr_expect_eq(value->type, ITEM_N);
	cr_expect(value->number.negative && value->number.ndigits == 2);
	cr_expect_eq(find(item, "t")->type, ITEM_BOOL);
	cr_expect(find(item, "t")->truth);
	cr_expect_eq(find(item, "f")->type, ITEM_BOOL);
	cr_expect_not(find(item, "f")->truth);
	cr_expect_eq(find(item, "z")->type, ITEM_NULL);
	value = find(item, "l");
	cr_assert(value->type == ITEM_L && value->count == 2);
	cr_expect_eq(value->first->type, ITEM_N);
	cr_expect_eq(value->first->next->type, ITEM_S);
	cr_expect_null(value->first->next->next);
	value = find(item, "m");
	cr_assert(value->type == ITEM_M && value->count == 2, "one of those keys beside another makes a plain map");
	cr_expect_eq(value->first->next->name_len, 2);
	cr_expect_arr_eq(value->first->next->name, "$B", 2);
}

Test(item, reads_the_types_that_json_lacks)
{
	cleanup_item struct item *item =
	    parse("{\"b\":{\"$B\":\"AAEC\"},\"ss\":{\"$SS\":[\"\",\"a\\n\"]},\"ns\":{\"$NS\":[1,2.50,-0]},"
		  "\"bs\":{\"$BS\":[\"\",\"U3Vubnk=\"]},\"m\":{\"$M\":{\"$B\":\"AAEC\"}},\"e\":{\"$M\":{}}}");
	const struct item_value *value = find(item, "b");

	cr_expect_eq(value->type, ITEM_B);
	assert_bytes(value, "\0\1\2", 3);
	cr_expect(!value->first && !value->count);
	value = find(item, "ss");
	cr_assert(value->type == ITEM_SS && value->count == 2);
	cr_expect_eq(value->first->type, ITEM_S);
	assert_bytes(value->first, "", 0);
	assert_bytes(value->first->next, "a\n", 2);
	value = find(item, "ns");
	cr_assert(value->type == ITEM_NS && value->count == 3);
	cr_expect_eq(value->first->next->number.ndigits, 2);
	cr_expect_eq(value->first->next->next->number.ndigits, 0);
	value = find(item, "bs");
	cr_assert(value->type == ITEM_BS && value->count == 2);
	cr_expect_eq(value->first->type, ITEM_B);
	assert_bytes(value->first->next, "Sunny", 5);
	value = find(item, "m");
	cr_assert(value->type == ITEM_M && value->count == 1);
	cr_expect_eq(value->first->type, ITEM_S, "inside $M nothing is taken for a wrapper");
	value = find(item, "e");
	cr_expect(value->type == ITEM_M && value->count == 0 && value->size == 3);
}

Test(item, unwraps_m_one_level_at_a_time)
{
	cleanup_item struct item *item = parse("{\"a\":{\"$M\":{\"$M\":{\"$M\":{\"$B\":5}}}}}");
	const struct item_value *value = find(item, "a");

	/* The outer $M says "a map"; its attribute is called $M, and that one's value is a wrapper again, of a map with a "$B". */
	cr_assert(value->type == ITEM_M && value->count == 1);
	cr_expect_arr_eq(value->first->name, "$M", 2);
	value = value->first;
	cr_assert(value->type == ITEM_M && value->count == 1);
	cr_expect_arr_eq(value->first->name, "$B", 2);
	cr_expect_eq(value->first->type, ITEM_N);
}

Test(item, takes_other_dollar_names_for_plain_maps)
{
	cleanup_item struct item *item = parse("{\"a\":{\"$S\":\"x\"},\"b\":{\"$\":1},\"c\":{\"$L\":[]},\"d\":{\"$BB\":"
					       "1},\"e\":{\"$NSS\":[]},\"f\":{\"$b\":1},\"g\":{\"$XS\":1}}");

	for (const struct item_value *value = item->first; value; value = value->next)
		cr_expect(value->type == ITEM_M && value->count == 1, "%.*s", (int)value->name_len,
			  (const char *)value->name);
}

Test(item, has_no_wrapper_at_its_top)
{
	cleanup_item struct item *item = parse("{\"$B\":5}");

	cr_expect_eq(find(item, "$B")->type, ITEM_N);
	item_free(item);
	item = parse("{\"$M\":{\"$M\":{}}}");
	cr_expect(find(item, "$M")->type == ITEM_M && find(item, "$M")->count == 0);
}

Test(item, knows_an_escaped_wrapper_name)
{
	cleanup_item struct item *item = parse("{\"a\":{\"\\u0024B\":\"AAEC\"}}");

	cr_expect_eq(find(item, "a")->type, ITEM_B);
}

Test(item, refuses_wrappers_that_hold_something_else)
{
	assert_refused("{\"a\":{\"$B\":5}}", 1, 12, "$B is a base64 string, found a number");
	assert_refused("{\"a\":{\"$B\":{\"$B\":\"\"}}}", 1, 12, "found an object");
	assert_refused("{\"a\":{\"$M\":[]}}", 1, 12, "$M is an object, found an array");
	assert_refused("{\"a\":{\"$SS\":\"x\"}}", 1, 13, "$SS is an array of a set's elements, found a string");
	assert_refused("{\"a\":{\"$NS\":null}}", 1, 13, "found null");
	assert_refused("{\"a\":{\"$BS\":true}}", 1, 13, "found true or false");
	assert_refused("{\"a\":{\"$SS\":[\"a\",1]}}", 1, 18, "the elements of a $SS are strings, found a number");
	assert_refused("{\"a\":{\"$NS\":[\"1\"]}}", 1, 14, "the elements of a $NS are numbers, found a string");
	assert_refused("{\"a\":{\"$BS\":[{\"$B\":\"\"}]}}", 1, 14, "base64 strings, found an object");
	assert_refused("{\"a\":{\"$SS\":[[]]}}", 1, 14, "found an array");
}

Test(item, refuses_base64_that_is_not_canonical)
{
	assert_refused("{\"a\":{\"$B\":\"A\"}}", 1, 12, "multiple of 4");
	assert_refused("{\"a\":{\"$B\":\"AAE\"}}", 1, 12, "multiple of 4");
	assert_refused("{\"a\":{\"$B\":\"AA-_\"}}", 1, 12, "not A-Z a-z 0-9 + /");
	assert_refused("{\"a\":{\"$B\":\"AA C\"}}", 1, 12, "not A-Z a-z 0-9 + /");
	assert_refused("{\"a\":{\"$B\":\"A===\"}}", 1, 12, "only at the end");
	assert_refused("{\"a\":{\"$B\":\"====\"}}", 1, 12, "only at the end");
	assert_refused("{\"a\":{\"$B\":\"AA=A\"}}", 1, 12, "only at the end");
	assert_refused("{\"a\":{\"$B\":\"AA==AAAA\"}}", 1, 12, "only at the end");
	assert_refused("{\"a\":{\"$B\":\"AB==\"}}", 1, 12, "not canonical");
	assert_refused("{\"a\":{\"$B\":\"AAB=\"}}", 1, 12, "not canonical");
	assert_refused("{\"a\":{\"$BS\":[\"\", \"x\"]}}", 1, 18, "multiple of 4");
}

/* RFC 4648's alphabet, written here a second time to be compared with. */
static void encode_base64(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned bits = (unsigned)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);

		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[bits & 63] : '=';
	}
	*out = '\0';
}

Test(item, decodes_base64_of_every_byte_and_length)
{
	uint8_t bytes[256];
	char text[512], document[600];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct item *item;

		encode_base64(bytes, n, text);
		snprintf(document, sizeof(document), "{\"a\":{\"$B\":\"%s\"}}", text);
		item = parse(document);
		assert_bytes(item->first, bytes, n);
		cr_assert_eq(item->size, 1 + n);
		item_free(item);
	}
}

Test(item, refuses_empty_sets_and_sets_that_repeat)
{
	assert_refused("{\"a\":{\"$SS\":[]}}", 1, 13, "An string set  may not be empty");
	assert_refused("{\"a\":{\"$NS\":[]}}", 1, 13, "An number set  may not be empty");
	assert_refused("{\"a\":{\"$BS\":[]}}", 1, 13, "Binary sets should not be empty");
	assert_refused("{\"a\":{\"$SS\":[\"a\",\"b\",\n\"\\u0061\",\"b\"]}}", 2, 1,
		       "Input collection contains duplicates: \"\\u0061\"");
	assert_refused("{\"a\":{\"$NS\":[100,1,1e2]}}", 1, 20, "Input collection contains duplicates: 1e2");
	assert_refused("{\"a\":{\"$NS\":[0,-0.0]}}", 1, 16, "duplicates: -0.0");
	assert_refused("{\"a\":{\"$BS\":[\"AAEC\",\"\",\"AAEC\"]}}", 1, 24, "duplicates: \"AAEC\"");
	assert_refused("{\"a\":{\"$SS\":[\"\",\"\"]}}", 1, 17, "duplicates: \"\"");
}

Test(item, finds_the_first_repeated_element_among_many)
{
	struct buf text = {0};
	struct item *item;
	struct why why;
	size_t column;

	buf_add_text(&text, "{\"a\":{\"$NS\":[");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "%s%d", i ? "," : "", i * 7919 % 1000);
	column = text.len + 2;
	buf_printf(&text, ",7919e-1,7.919e2,3,3]}}");
	buf_resize(&text, text.len);
	cr_assert_eq(item_parse(text.data, text.len, &item, &why), RC_REFUSED);
	/* 791.9 is new, and so is its other form no more. */
	cr_expect_eq(why.column, column + strlen("7919e-1,"));
	cr_expect(strstr(why.text, "7.919e2"), "%s", why.text);
	buf_free(&text);
}

Test(item, refuses_names_that_are_empty_or_stand_twice)
{
	assert_refused("{\"\":1}", 1, 2, "Empty attribute name");
	assert_refused("{\"a\":{\"b\":1,\n \"\" :1}}", 2, 2, "Empty attribute name");
	assert_refused("{\"a\":[{\"\":1}]}", 1, 8, "Empty attribute name");
	assert_refused("{\"a\":{\"$M\":{\"\":1}}}", 1, 13, "Empty attribute name");
	assert_refused("{\"a\":1,\"b\":2,\"a\":3}", 1, 14, "stands here twice: \"a\"");
	assert_refused("{\"a\":1,\n  \"\\u0061\"\n:\n3}", 2, 3, "stands here twice: \"a\"");
	assert_refused("{\"x\":{\"a\":1,\"a\":1}}", 1, 13, "stands here twice");
	assert_refused("{\"x\":[{\"\\u0000\":1,\"\\u0000\":1}]}", 1, 19, "stands here twice: \"\\u0000\"");
	assert_refused("{\"x\":{\"$B\":\"\",\"$B\":\"\"}}", 1, 15, "stands here twice");
	item_free(parse("{\"a\":{\"b\":1},\"b\":{\"a\":1,\"b\":1}}"));
}

Test(item, takes_names_with_any_character_up_to_65535_bytes)
{
	struct buf text = {0};
	struct item *item;
	struct why why;

	item = parse("{\"a b/\\n\\u0000\\\"\":1}");
	cr_expect_not_null(item_find(item, "a b/\n\0\"", 7));
	item_free(item);
	buf_add_text(&text, "{\"");
	for (int i = 0; i < ITEM_ATTRIBUTE_NAME_MAX; i++)
		buf_add_byte(&text, 'a');
	buf_add_text(&text, "\":1}");
	item = parse_bytes(text.data, text.len);
	cr_expect_eq(item->size, ITEM_ATTRIBUTE_NAME_MAX + 2);
	item_free(item);
	text.len -= strlen("\":1}");
	buf_add_text(&text, "a\":1}");
	cr_expect_eq(item_parse(text.data, text.len, &item, &why), RC_REFUSED);
	cr_expect(strstr(why.text, "65535"), "%s", why.text);
	cr_expect_eq(why.column, 2);
	buf_free(&text);
}

Test(item, refuses_numbers_at_their_place_with_awss_words)
{
	assert_refused("{\n \"a\": 1e126}", 2, 7, "Number overflow");
	assert_refused("{\"a\":[1,1e-131]}", 1, 9, "Number underflow");
	assert_refused("{\"a\":{\"$NS\":[1,111111111111111111111111111111111111111]}}", 1, 16,
		       "more than 38 significant");
}

Test(item, names_the_first_of_several_faults)
{
	assert_refused("{\"a\":{\"$B\":5},\"b\":1e999}", 1, 12, "$B");
	assert_refused("{\"a\":1e999,\"b\":{\"$SS\":[]}}", 1, 6, "overflow");
	assert_refused("{\"a\":1e999,}", 1, 12, "expected a name");
}

/* A document whose attribute "a" nests `levels` deep, each level opened and closed as given. */
static char *nest(const char *open, const char *close, const char *middle, int levels)
{
	struct buf text = {0};

	buf_add_text(&text, "{\"a\":");
	for (int i = 1; i < levels; i++)
		buf_add_text(&text, open);
	buf_add_text(&text, middle);
	for (int i = 1; i < levels; i++)
		buf_add_text(&text, close);
	buf_add(&text, "}", 2);
	cr_assert(!text.failed);
	return (char *)text.data;
}

Test(item, nests_32_levels_and_not_33)
{
	static const struct {
		const char *open, *close, *middle;
	} shapes[] = {
	    {"[", "]", "1"},
	    {"[", "]", "[]"},
	    {"{\"x\":", "}", "1"},
	    {"{\"x\":", "}", "{}"},
	    {"{\"$M\":{\"x\":", "}}", "1"},
	    {"{\"$M\":{\"$M\":", "}}", "null"},
	    {"[", "]", "{\"$SS\":[\"a\"]}"},
	    {"{\"$M\":{\"x\":", "}}", "{\"$BS\":[\"AAEC\"]}"},
	    {"{\"x\":", "}", "{\"$M\":{}}"},
	    {"[", "]", "{\"$B\":\"\"}"},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char *good = nest(shapes[i].open, shapes[i].close, shapes[i].middle, ITEM_DEPTH_MAX);
		char *bad = nest(shapes[i].open, shapes[i].close, shapes[i].middle, ITEM_DEPTH_MAX + 1);

		item_free(parse(good));
		assert_refused(bad, 1, 6 + ITEM_DEPTH_MAX * strlen(shapes[i].open),
			       "Nesting Levels have exceeded supported limits");
		free(good);
		free(bad);
	}
}

Test(item, survives_any_depth)
{
	char *deep = nest("[", "]", "1", 100000), *wrapped = nest("{\"$M\":{\"x\":", "}}", "1", 79);

	assert_refused(deep, 1, 5 + 160, "within one another");
	assert_refused(wrapped, 1, 6 + 32 * 11, "Nesting Levels");
	free(deep);
	free(wrapped);
}

Test(item, says_where_each_value_and_name_stands)
{
	static const char text[] = "{\n  \"a\": {\"$B\" : \"AAEC\"} ,\n\"b\":[ 12 ,true]}";
	cleanup_item struct item *item = parse(text);
	const struct item_value *a = find(item, "a"), *b = find(item, "b");

	cr_expect_arr_eq(text + a->start, "{\"$B\" : \"AAEC\"}", a->end - a->start);
	cr_expect_eq(a->end - a->start, 15);
	cr_expect(a->line == 2 && a->column == 8);
	cr_expect_arr_eq(text + a->name_start, "\"a\"", 3);
	cr_expect_arr_eq(text + b->start, "[ 12 ,true]", b->end - b->start);
	cr_expect_eq(b->end - b->start, 11);
	cr_expect_arr_eq(text + b->name_start, "\"b\"", 3);
	b = b->first;
	cr_expect(b->line == 3 && b->column == 7 && b->end - b->start == 2);
	cr_expect(b->next->line == 3 && b->next->column == 11 && b->next->end - b->next->start == 4);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* of this thread alone: what else the machine does is not counted */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Quadratic work would take minutes here; the bounds are wide, for a sanitizer on a busy machine. */
Test(item, with_very_many_names_or_elements_does_not_take_quadratic_time)
{
	struct buf text = {0};
	struct item *item;
	double before = seconds();

	buf_add_text(&text, "{\"n0\":0");
	for (int i = 1; i < 50000; i++)
		buf_printf(&text, ",\"n%d\":0", i);
	buf_add_text(&text, "}");
	item = parse_bytes(text.data, text.len);
	cr_expect_eq(item->count, 50000);
	item_free(item);
	buf_clear(&text);
	buf_add_text(&text, "{\"a\":{\"$NS\":[0");
	for (int i = 1; i < 90000; i++)
		buf_printf(&text, ",%d", i);
	buf_add_text(&text, "]}}");
	item = parse_bytes(text.data, text.len);
	cr_expect_eq(item->first->count, 90000);
	item_free(item);
	cr_expect_lt(seconds() - before, 10.0);
	buf_free(&text);
}

Test(item, types_have_dynamodbs_names)
{
	cr_expect_str_eq(item_type_name(ITEM_S), "S");
	cr_expect_str_eq(item_type_name(ITEM_N), "N");
	cr_expect_str_eq(item_type_name(ITEM_B), "B");
	cr_expect_str_eq(item_type_name(ITEM_BOOL), "BOOL");
	cr_expect_str_eq(item_type_name(ITEM_NULL), "NULL");
	cr_expect_str_eq(item_type_name(ITEM_L), "L");
	cr_expect_str_eq(item_type_name(ITEM_M), "M");
	cr_expect_str_eq(item_type_name(ITEM_SS), "SS");
	cr_expect_str_eq(item_type_name(ITEM_NS), "NS");
	cr_expect_str_eq(item_type_name(ITEM_BS), "BS");
}

Test(item, that_is_null_may_be_freed)
{
	item_free(NULL);
}
