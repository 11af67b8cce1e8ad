/* key: what is a key, its text, and the bytes whose order is disk format. */
#include "store/model/key.h"
#include "store/model/utf8.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct key text_key(enum key_type type, const void *text, size_t n)
{
	struct key key;
	struct why why;
	enum rc rc = key_from_text(text, n, type, KEY_PARTITION, &key, &why);
	cr_assert_eq(rc, RC_OK, "%.*s: %s", (int)n, (const char *)text, rc == RC_OK ? "" : why.text);
	return key;
}

static struct key string(const char *text)
{
	return text_key(KEY_S, text, strlen(text));
}

static struct key number(const char *text)
{
	return text_key(KEY_N, text, strlen(text));
}

static struct key binary(const char *hex)
{
	return text_key(KEY_B, hex, strlen(hex));
}

static void encodes_to(struct key key, const char *bytes, size_t n)
{
	cleanup_buf struct buf out = {0};
	key_encode(&key, &out);
	cr_assert_eq(out.len, n, "%zu", out.len);
	cr_assert_eq(memcmp(out.data, bytes, n), 0);
}

static void corrupt(const char *bytes, size_t n)
{
	struct key key = {.len = 77};
	size_t used = 99;
	cr_assert_eq(key_decode((const uint8_t *)bytes, n, &key, &used), RC_CORRUPT);
	cr_assert_eq(key.len, 77);
	cr_assert_eq(used, 99);
}

static void refused_text(enum key_type type, enum key_role role, const char *text, size_t n, enum rc rc,
			 const char *words)
{
	struct key key = {.len = 77};
	struct why why = {.line = 5};
	cr_assert_eq(key_from_text(text, n, type, role, &key, &why), rc, "%.*s", (int)n, text);
	cr_assert(strstr(why.text, words), "%s", why.text);
	cr_assert(utf8_valid(why.text, strlen(why.text)));
	cr_assert_eq(key.len, 77);
	cr_assert_eq(why.line, 0);
	cr_assert_eq(key_from_text(text, n, type, role, &key, NULL), rc);
}

/* A document {"k":VALUE}, and what key_from_value() says of it. */
static enum rc from_document(const char *document, enum key_type type, enum key_role role, struct key *key,
			     struct why *why)
{
	struct item *item = NULL;
	cr_assert_eq(item_parse(document, strlen(document), &item, why), RC_OK, "%s", document);
	enum rc rc = key_from_value(item_find(item, "k", 1), type, role, "k", key, why);
	item_free(item);
	return rc;
}

static void refused_value(const char *document, enum key_type type, const char *words)
{
	struct key key = {.len = 77};
	struct why why;
	cr_assert_eq(from_document(document, type, KEY_PARTITION, &key, &why), RC_REFUSED, "%s", document);
	cr_assert_str_eq(why.text, words);
	cr_assert_eq(why.line, 1);
	cr_assert_eq(why.column, 6);
	cr_assert_eq(key.len, 77);
}

Test(key_value, strings_numbers_and_binary_become_keys)
{
	struct key key, other;
	cr_assert_eq(from_document("{\"k\":\"a\\u0000b\"}", KEY_S, KEY_SORT, &key, NULL), RC_OK);
	cr_assert_eq(key.len, 3);
	cr_assert_eq(memcmp(key.data, "a\0b", 3), 0);
	cr_assert_eq(from_document("{\"k\":1e3}", KEY_N, KEY_SORT, &key, NULL), RC_OK);
	other = number("1000");
	cr_assert(key_equal(&key, &other));
	cr_assert_eq(from_document("{\"k\":{\"$B\":\"AP8=\"}}", KEY_B, KEY_SORT, &key, NULL), RC_OK);
	other = binary("00ff");
	cr_assert(key_equal(&key, &other));
}

Test(key_value, another_type_is_refused_with_both_types)
{
	refused_value("{\"k\":5}", KEY_S, "Type mismatch for key k expected: S actual: N");
	refused_value("{\"k\":\"5\"}", KEY_N, "Type mismatch for key k expected: N actual: S");
	refused_value("{\"k\":\"\"}", KEY_B, "Type mismatch for key k expected: B actual: S");
	refused_value("{\"k\":true}", KEY_S, "Type mismatch for key k expected: S actual: BOOL");
	refused_value("{\"k\":null}", KEY_S, "Type mismatch for key k expected: S actual: NULL");
	refused_value("{\"k\":[]}", KEY_N, "Type mismatch for key k expected: N actual: L");
	refused_value("{\"k\":{}}", KEY_B, "Type mismatch for key k expected: B actual: M");
	refused_value("{\"k\":{\"$SS\":[\"a\"]}}", KEY_S, "Type mismatch for key k expected: S actual: SS");
}

Test(key_value, empty_strings_and_binary_are_refused)
{
	refused_value("{\"k\":\"\"}", KEY_S,
		      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
		      "contain an empty string value. Key: k");
	refused_value("{\"k\":{\"$B\":\"\"}}", KEY_B,
		      "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
		      "contain an empty binary value. Key: k");
}

static enum rc sized(size_t n, enum key_role role, struct why *why)
{
	cleanup_buf struct buf document = {0};
	buf_add_text(&document, "{\"k\":\"");
	for (size_t i = 0; i < n; i++)
		buf_add_byte(&document, 'x');
	buf_add_text(&document, "\"}");
	buf_add_byte(&document, 0);
	struct key key;
	return from_document((const char *)document.data, KEY_S, role, &key, why);
}

Test(key_value, the_limits_are_2048_and_1024_bytes)
{
	struct why why;
	cr_assert_eq(sized(2048, KEY_PARTITION, NULL), RC_OK);
	cr_assert_eq(sized(2049, KEY_PARTITION, &why), RC_REFUSED);
	cr_assert_str_eq(why.text,
			 "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
			 "size limit of 2048 bytes");
	cr_assert_eq(sized(1024, KEY_SORT, NULL), RC_OK);
	cr_assert_eq(sized(1025, KEY_SORT, &why), RC_REFUSED);
	cr_assert_str_eq(why.text, "One or more parameter values were invalid: Aggregated size of all range keys has "
				   "exceeded the size limit of 1024 bytes");
}

Test(key_value, a_key_equals_a_value_by_value_and_by_type)
{
	static const struct {
		const char *text;
		enum key_type type;
		const char *document;
		bool equal;
	} cases[] = {
	    {"a", KEY_S, "{\"k\":\"a\"}", true},
	    {"a", KEY_S, "{\"k\":\"\\u0061\"}", true},
	    {"a", KEY_S, "{\"k\":\"ab\"}", false},
	    {"a", KEY_S, "{\"k\":\"\"}", false},
	    {"5", KEY_S, "{\"k\":5}", false},
	    {"5", KEY_N, "{\"k\":\"5\"}", false},
	    {"150", KEY_N, "{\"k\":1.5e2}", true},
	    {"0", KEY_N, "{\"k\":-0.0}", true},
	    {"150", KEY_N, "{\"k\":151}", false},
	    {"00ff", KEY_B, "{\"k\":{\"$B\":\"AP8=\"}}", true},
	    {"00", KEY_B, "{\"k\":{\"$B\":\"AP8=\"}}", false},
	    {"61", KEY_B, "{\"k\":\"a\"}", false},
	    {"a", KEY_S, "{\"k\":null}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct key key = text_key(cases[i].type, cases[i].text, strlen(cases[i].text));
		struct item *item = NULL;
		cr_assert_eq(item_parse(cases[i].document, strlen(cases[i].document), &item, NULL), RC_OK);
		cr_assert_eq(key_equals_value(&key, item_find(item, "k", 1)), cases[i].equal, "case %zu", i);
		item_free(item);
	}
}

Test(key_text, canonical_texts_come_back_as_they_were)
{
	static const struct {
		enum key_type type;
		const char *text;
	} cases[] = {{KEY_S, "a"},    {KEY_S, "%2F/.."}, {KEY_S, "é€😀"},  {KEY_N, "0"},    {KEY_N, "42"},
		     {KEY_N, "-3.5"}, {KEY_N, "0.001"},  {KEY_N, "1000"}, {KEY_B, "00ff"}, {KEY_B, "deadbeef"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct key key = text_key(cases[i].type, cases[i].text, strlen(cases[i].text));
		cleanup_buf struct buf out = {0};
		key_text(&key, &out);
		cr_assert_eq(out.len, strlen(cases[i].text));
		cr_assert_eq(memcmp(out.data, cases[i].text, out.len), 0, "%s", cases[i].text);
	}
}

Test(key_text, other_spellings_of_numbers_are_invalid_and_the_canonical_one_is_told)
{
	refused_text(KEY_N, KEY_SORT, "042", 3, RC_INVALID, "042 is not how itemfs writes this number: 42");
	refused_text(KEY_N, KEY_SORT, "-0", 2, RC_INVALID, "-0 is not how itemfs writes this number: 0");
	refused_text(KEY_N, KEY_SORT, "1e2", 3, RC_INVALID, "1e2 is not how itemfs writes this number: 100");
	refused_text(KEY_N, KEY_SORT, "+1", 2, RC_INVALID, ": 1");
	refused_text(KEY_N, KEY_SORT, "1.0", 3, RC_INVALID, ": 1");
	refused_text(KEY_N, KEY_SORT, ".5", 2, RC_INVALID, ": 0.5");
}

Test(key_text, what_is_no_number_is_invalid)
{
	refused_text(KEY_N, KEY_SORT, "dog", 3, RC_INVALID, "dog");
	refused_text(KEY_N, KEY_SORT, "1\0", 2, RC_INVALID, "number");
	refused_text(KEY_N, KEY_SORT, "\xff", 1, RC_INVALID, "number");
	refused_text(KEY_N, KEY_SORT, " 1", 2, RC_INVALID, " 1");
	refused_text(KEY_N, KEY_SORT, "1e", 2, RC_INVALID, "1e");
	refused_text(KEY_N, KEY_SORT, "1e126", 5, RC_INVALID, "overflow");
	refused_text(KEY_N, KEY_SORT, "123456789012345678901234567890123456789", 39, RC_INVALID, "38 significant");
}

Test(key_text, binary_is_lower_case_hex_in_pairs)
{
	refused_text(KEY_B, KEY_SORT, "0", 1, RC_INVALID, "two digits a byte");
	refused_text(KEY_B, KEY_SORT, "0g", 2, RC_INVALID, "hex");
	refused_text(KEY_B, KEY_SORT, "AbFf", 4, RC_INVALID, "AbFf is not how itemfs writes these bytes: abff");
	refused_text(KEY_B, KEY_SORT, "\xff\xff", 2, RC_INVALID, "hex");
}

Test(key_text, empty_and_overlong_keys_are_invalid)
{
	static char text[4098];
	memset(text, 'a', sizeof text);
	struct key key;
	refused_text(KEY_S, KEY_SORT, "", 0, RC_INVALID, "empty");
	refused_text(KEY_N, KEY_SORT, "", 0, RC_INVALID, "empty");
	refused_text(KEY_B, KEY_SORT, "", 0, RC_INVALID, "empty");
	refused_text(KEY_S, KEY_SORT, text, 1025, RC_INVALID, "1024");
	refused_text(KEY_S, KEY_PARTITION, text, 2049, RC_INVALID, "2048");
	refused_text(KEY_B, KEY_SORT, text, 2050, RC_INVALID, "1024");
	refused_text(KEY_B, KEY_PARTITION, text, 4098, RC_INVALID, "2048");
	cr_assert_eq(key_from_text(text, 1024, KEY_S, KEY_SORT, &key, NULL), RC_OK);
	cr_assert_eq(key_from_text(text, 2048, KEY_S, KEY_PARTITION, &key, NULL), RC_OK);
	cr_assert_eq(key_from_text(text, 4096, KEY_B, KEY_PARTITION, &key, NULL), RC_OK);
}

Test(key_text, a_string_that_is_not_utf8_is_told_apart)
{
	refused_text(KEY_S, KEY_SORT, "a\xff", 2, RC_NOT_UTF8, "UTF-8");
	refused_text(KEY_S, KEY_SORT, "\xed\xa0\x80", 3, RC_NOT_UTF8, "UTF-8");
}

Test(key_json, values_are_written_as_in_documents)
{
	static const struct {
		enum key_type type;
		const char *text, *json;
	} cases[] = {{KEY_S, "a\"\n", "\"a\\\"\\n\""},       {KEY_N, "-3.5", "-3.5"},
		     {KEY_B, "4d", "{\"$B\":\"TQ==\"}"},     {KEY_B, "4d61", "{\"$B\":\"TWE=\"}"},
		     {KEY_B, "4d616e", "{\"$B\":\"TWFu\"}"}, {KEY_B, "fffefdfc", "{\"$B\":\"//79/A==\"}"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct key key = text_key(cases[i].type, cases[i].text, strlen(cases[i].text));
		cleanup_buf struct buf out = {0};
		key_json(&key, &out);
		cr_assert_eq(out.len, strlen(cases[i].json));
		cr_assert_eq(memcmp(out.data, cases[i].json, out.len), 0, "%s", cases[i].json);
	}
}

Test(key_size, it_is_dynamodb_s_measure)
{
	struct key key = string("é");
	cr_assert_eq(key_size(&key), 2);
	key = binary("00ff00");
	cr_assert_eq(key_size(&key), 3);
	key = number("0");
	cr_assert_eq(key_size(&key), 1);
	key = number("-1");
	cr_assert_eq(key_size(&key), 3);
	key = number("123");
	cr_assert_eq(key_size(&key), 3);
}

Test(key_bytes, the_encoding_is_disk_format)
{
	encodes_to(string("ab"), "Sab\0\0", 5);
	encodes_to(text_key(KEY_S, "a\0b", 3),
		   "Sa\0\xff"
		   "b\0\0",
		   7);
	encodes_to(binary("00"), "B\0\xff\0\0", 5);
	encodes_to(binary("ff00"), "B\xff\0\xff\0\0", 6);
	uint8_t bytes[NUMBER_KEY_MAX + 1] = "N";
	struct number ten;
	cr_assert_eq(number_parse("10", 2, &ten, NULL), RC_OK);
	encodes_to(number("10"), (char *)bytes, 1 + number_encode(&ten, bytes + 1));
}

Test(key_bytes, what_encode_cannot_have_written_is_corrupt)
{
	corrupt("", 0);
	corrupt("S", 1);
	corrupt("S\0\0", 3); /* empty */
	corrupt("B\0\0", 3);
	corrupt("Sab", 3);
	corrupt("Sab\0", 4);
	corrupt("Sa\0\x01\0\0", 6); /* an escape that is none */
	corrupt("Sa\xff\0\0", 5);   /* not UTF-8 */
	corrupt("S\xed\xa0\x80\0\0", 6);
	corrupt("Xab\0\0", 5);
	corrupt("\0", 1);
	corrupt("N", 1);
	corrupt("N\xff\xff\xff\xff", 5);
}

Test(key_bytes, a_value_that_is_too_long_is_corrupt)
{
	cleanup_buf struct buf bytes = {0};
	buf_add_byte(&bytes, 'B');
	for (size_t i = 0; i < KEY_DATA_MAX + 1; i++)
		buf_add_byte(&bytes, 'x');
	buf_add_u32(&bytes, 0);
	corrupt((char *)bytes.data, bytes.len);
}

Test(key_bytes, every_byte_cut_off_a_number_makes_it_corrupt)
{
	struct key key = number("-12345.678");
	cleanup_buf struct buf out = {0};
	key_encode(&key, &out);
	for (size_t i = 0; i < out.len; i++)
		corrupt((char *)out.data, i);
}

/* Properties, over many pairs */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Few different bytes and short lengths, so that prefixes and equal keys come up often. */
static struct key any_bytes(uint32_t *seed, enum key_type type)
{
	static const char *const pieces[] = {"\0", "\x01", "a", "b", "\x7f", "é", "€", "😀"};
	struct key key = {.type = type};
	size_t n = 1 + next(seed) % 5;
	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[next(seed) % 8];
		size_t length = *piece ? strlen(piece) : 1;
		if (type == KEY_B && next(seed) % 2) {
			piece = next(seed) % 2 ? "\xff" : "\0";
			length = 1;
		}
		memcpy(key.data + key.len, piece, length);
		key.len += length;
	}
	return key;
}

static int bytes_order(const struct key *a, const struct key *b)
{
	int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static int encoded_order(const struct buf *a, const struct buf *b)
{
	int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The encodings' order is `order`, neither is a prefix of the other, and what follows them makes no difference. */
static void ordered(const struct key *a, const struct key *b, int order, uint32_t *seed)
{
	cleanup_buf struct buf left = {0}, right = {0};
	key_encode(a, &left);
	key_encode(b, &right);
	size_t shorter = left.len < right.len ? left.len : right.len;
	cr_assert_eq(sign(encoded_order(&left, &right)), sign(order));
	cr_assert(order == 0 || memcmp(left.data, right.data, shorter) != 0);
	buf_add_byte(&left, next(seed) % 2 ? 0xff : 0);
	buf_add_byte(&right, next(seed) % 2 ? 0xff : 0);
	if (order)
		cr_assert_eq(sign(encoded_order(&left, &right)), sign(order));
}

static void comes_back(const struct key *key)
{
	cleanup_buf struct buf out = {0};
	struct key back;
	size_t used;
	key_encode(key, &out);
	size_t length = out.len;
	buf_add_text(&out, "\xff\0rest");
	cr_assert_eq(key_decode(out.data, out.len, &back, &used), RC_OK);
	cr_assert_eq(used, length);
	cr_assert(key_equal(key, &back));
}

Test(key_bytes, strings_and_binary_sort_bytewise_with_the_shorter_first)
{
	uint32_t seed = 1;
	for (int i = 0; i < 20000; i++) {
		enum key_type type = i % 2 ? KEY_S : KEY_B;
		struct key a = any_bytes(&seed, type), b = any_bytes(&seed, type);
		ordered(&a, &b, bytes_order(&a, &b), &seed);
		comes_back(&a);
	}
}

static struct number any_number(uint32_t *seed)
{
	char text[64];
	struct number number_;
	int n = snprintf(text, sizeof text, "%s%ue%d", next(seed) % 2 ? "-" : "",
			 next(seed) % (next(seed) % 2 ? 30 : 99999),
			 next(seed) % 8 ? (int)(next(seed) % 7) - 3 : (int)(next(seed) % 240) - 125);
	cr_assert_eq(number_parse(text, (size_t)n, &number_, NULL), RC_OK, "%s", text);
	return number_;
}

Test(key_bytes, numbers_sort_by_value)
{
	uint32_t seed = 7;
	for (int i = 0; i < 20000; i++) {
		struct number a = any_number(&seed), b = any_number(&seed);
		struct item_value left = {.type = ITEM_N, .number = a}, right = {.type = ITEM_N, .number = b};
		struct key left_key, right_key;
		cr_assert_eq(key_from_value(&left, KEY_N, KEY_SORT, "k", &left_key, NULL), RC_OK);
		cr_assert_eq(key_from_value(&right, KEY_N, KEY_SORT, "k", &right_key, NULL), RC_OK);
		ordered(&left_key, &right_key, number_compare(&a, &b), &seed);
		cr_assert_eq(key_equals_value(&left_key, &right), number_compare(&a, &b) == 0);
		comes_back(&left_key);
	}
}

Test(key_bytes, a_pending_key_is_its_name_and_no_value)
{
	struct key key, back;
	size_t used;
	cleanup_buf struct buf bytes = {0}, name = {0};
	key_pending("kkk%~0123456789abcdef", &key);
	key_encode(&key, &bytes);
	cr_assert_eq(bytes.len, 24);
	cr_expect_eq(memcmp(bytes.data, "~kkk%~0123456789abcdef\0\0", 24), 0);
	cr_assert_eq(key_decode(bytes.data, bytes.len, &back, &used), RC_OK);
	cr_expect(key_equal(&key, &back) && used == bytes.len);
	key_text(&key, &name);
	cr_expect(name.len == 21 && memcmp(name.data, key.data, 21) == 0);
	struct item *item = NULL;
	cr_assert_eq(item_parse("{\"k\":\"kkk%~0123456789abcdef\"}", 29, &item, NULL), RC_OK);
	cr_expect_not(key_equals_value(&key, item_find(item, "k", 1)));
	item_free(item);
}

Test(key_bytes, the_longest_keys_come_back)
{
	struct key key = {.type = KEY_B, .len = KEY_DATA_MAX};
	comes_back(&key); /* zeros, which double in length */
	key.type = KEY_S;
	memset(key.data, 'x', KEY_DATA_MAX);
	comes_back(&key);
	key = number("-9999999999999999999999999999999999999.9");
	comes_back(&key);
}
