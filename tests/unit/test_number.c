/* DynamoDB's numbers: what is one, how it is written, measured, ordered and kept. */
#include "store/model/number.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char OVERFLOW_WORDS[] =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
static const char UNDERFLOW_WORDS[] =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
static const char DIGITS_WORDS[] = "Attempting to store more than 38 significant digits in a Number";

#define NINES "9.9999999999999999999999999999999999999"

static struct number parse(const char *text)
{
	struct number number;
	struct why why;

	cr_assert_eq(number_parse(text, strlen(text), &number, &why), RC_OK, "%s: %s", text, why.text);
	return number;
}

static bool equal(const struct number *a, const struct number *b)
{
	return a->negative == b->negative && a->exponent == b->exponent && a->ndigits == b->ndigits &&
	       !memcmp(a->digits, b->digits, sizeof(a->digits));
}

static void assert_refused(const char *text, const char *words)
{
	struct number number, before;
	struct why why = {.text = ""};

	memset(&number, 0x5a, sizeof(number));
	before = number;
	cr_expect_eq(number_parse(text, strlen(text), &number, &why), RC_REFUSED, "%s", text);
	cr_expect_str_eq(why.text, words, "%s: %s", text, why.text);
	cr_expect_arr_eq(&number, &before, sizeof(number), "%s: the result was touched", text);
	cr_expect_eq(number_parse(text, strlen(text), &number, NULL), RC_REFUSED);
}

static void assert_canonical(const char *text, const char *canonical, size_t size)
{
	struct number number = parse(text);
	char out[NUMBER_TEXT_MAX];
	size_t n = number_format(&number, out);

	cr_expect_str_eq(out, canonical, "%s: %s", text, out);
	cr_expect_eq(n, strlen(out));
	cr_expect_eq(number_size(&number), size, "%s: %zu bytes, not %zu", text, number_size(&number), size);
}

Test(number, is_written_as_dynamodb_returns_it_and_measured_as_dynamodb_measures_it)
{
	assert_canonical("0", "0", 1);
	assert_canonical("-0", "0", 1);
	assert_canonical("0.0", "0", 1);
	assert_canonical("1", "1", 2);
	assert_canonical("-1", "-1", 3);
	assert_canonical("10", "10", 2);
	assert_canonical("12", "12", 2);
	assert_canonical("99", "99", 2);
	assert_canonical("100", "100", 2);
	assert_canonical("123", "123", 3);
	assert_canonical("1234", "1234", 3);
	assert_canonical("-42", "-42", 3);
	assert_canonical("1.5", "1.5", 3);
	assert_canonical("12.5", "12.5", 3);
	assert_canonical("3.14", "3.14", 3);
	assert_canonical("0.5", "0.5", 2);
	assert_canonical("0.05", "0.05", 2);
	assert_canonical("0.015", "0.015", 2);
	assert_canonical("0.0123", "0.0123", 3);
	assert_canonical("1.50e2", "150", 2);
	assert_canonical("1.5E2", "150", 2);
	assert_canonical("1.5E+2", "150", 2);
	assert_canonical("15e-1", "1.5", 3);
	assert_canonical("00042", "42", 2);
	assert_canonical("3.1400", "3.14", 3);
	assert_canonical("+5", "5", 2);
	assert_canonical("5.", "5", 2);
	assert_canonical(".5", "0.5", 2);
	assert_canonical("-.5e1", "-5", 3);
	assert_canonical("11111111111111111111111111111111111111", "11111111111111111111111111111111111111", 20);
	assert_canonical("1.05", "1.05", 3);
	assert_canonical("100.5", "100.5", 4);
}

Test(number, is_exact_at_both_ends_of_its_range)
{
	char out[NUMBER_TEXT_MAX], wanted[NUMBER_TEXT_MAX];
	struct number number = parse("1E-130");

	memset(wanted, '0', sizeof(wanted));
	memcpy(wanted, "0.", 2);
	memcpy(wanted + 131, "1", 2);
	cr_expect_eq(number_format(&number, out), 132);
	cr_expect_str_eq(out, wanted);

	number = parse("-" NINES "E+125");
	cr_expect_eq(number_size(&number), 21);
	cr_expect_eq(number_format(&number, out), 127);
	cr_expect_eq(strspn(out + 1, "9"), 38);
	cr_expect_eq(strspn(out + 39, "0"), 88);

	number = parse("-" NINES "E-130");
	cr_expect_eq(number_format(&number, out), 170, "the longest text that there is");
	cr_expect_lt(170, NUMBER_TEXT_MAX);

	assert_refused("1E126", OVERFLOW_WORDS);
	assert_refused("-1E126", OVERFLOW_WORDS);
	assert_refused(NINES "9E126", OVERFLOW_WORDS);
	assert_refused("1E-131", UNDERFLOW_WORDS);
	assert_refused("0.1E-130", UNDERFLOW_WORDS);
	parse("0.1e126");
	parse("10e-131");
}

Test(number, has_38_significant_digits_wherever_its_point_stands)
{
	assert_refused("111111111111111111111111111111111111111", DIGITS_WORDS);
	assert_refused("1000000000000000000000000000000000000.01", DIGITS_WORDS);
	assert_refused("0.000111111111111111111111111111111111111111", DIGITS_WORDS);
	parse("000011111111111111111111111111111111111111000000.0000");
	parse("0.00000000000011111111111111111111111111111111111111000");
	parse("10000000000000000000000000000000000001");
}

Test(number, refuses_what_is_not_one_with_awss_words)
{
	static const char *const texts[] = {"dog",  "NaN", "Infinity", " 5",  "5 ",  "1+2",  "1.2.3", "e2",
					    "1e",   "1e+", "+",        "-",   ".",   "+.e1", "--1",   "1e1.5",
					    "0x10", "1_0", "1e5x",     "1,0", "-e1", "1e--1"};
	char words[300], text[300];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		snprintf(words, sizeof(words), "The parameter cannot be converted to a numeric value: %s", texts[i]);
		assert_refused(texts[i], words);
	}
	assert_refused("", "The parameter cannot be converted to a numeric value");
	assert_refused("d\xc3g\n", "The parameter cannot be converted to a numeric value: d?g?");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	snprintf(words, sizeof(words), "The parameter cannot be converted to a numeric value: %.200s…", text);
	assert_refused(text, words);
	cr_expect_eq(number_parse("1\0", 2, &(struct number){0}, NULL), RC_REFUSED, "a NUL is no end");
}

Test(number, looks_at_a_zeros_exponent_only_where_it_has_no_point)
{
	assert_refused("0e126", OVERFLOW_WORDS);
	assert_refused("-0e999999999999999999999999", OVERFLOW_WORDS);
	assert_refused("0e-131", UNDERFLOW_WORDS);
	assert_canonical("0e125", "0", 1);
	assert_canonical("0e-130", "0", 1);
	assert_canonical("0.0e126", "0", 1);
	assert_canonical("0.e-99999999999999999999999", "0", 1);
}

Test(number, survives_exponents_and_zeros_of_any_length)
{
	enum { ZEROS = 100000 };
	char *text = malloc(ZEROS + 64), out[NUMBER_TEXT_MAX];
	struct number number;
	size_t n;

	assert_refused("1e99999999999999999999999999999999999999999999", OVERFLOW_WORDS);
	assert_refused("1e-99999999999999999999999999999999999999999999", UNDERFLOW_WORDS);
	assert_refused("1e9223372036854775807", OVERFLOW_WORDS);
	assert_refused("1e-9223372036854775808", UNDERFLOW_WORDS);
	assert_refused("1e18446744073709551616", OVERFLOW_WORDS);
	assert_canonical("1e0000000000000000000000000000000000000000000002", "100", 2);

	n = (size_t)sprintf(text, "0.");
	memset(text + n, '0', ZEROS);
	n += ZEROS;
	n += (size_t)sprintf(text + n, "42e%d", ZEROS + 1);
	cr_expect_eq(number_parse(text, n, &number, NULL), RC_OK);
	number_format(&number, out);
	cr_expect_str_eq(out, "4.2");

	text[0] = '7';
	memset(text + 1, '0', ZEROS);
	n = 1 + ZEROS;
	n += (size_t)sprintf(text + n, "e-%d", ZEROS);
	cr_expect_eq(number_parse(text, n, &number, NULL), RC_OK);
	number_format(&number, out);
	cr_expect_str_eq(out, "7");
	free(text);
}

static void check_vector(json_t *vector)
{
	const char *in = json_string_value(json_object_get(vector, "in"));
	const char *canonical = json_string_value(json_object_get(vector, "canon"));
	json_t *length = json_object_get(vector, "canon_len");
	char out[NUMBER_TEXT_MAX];
	struct number number;

	cr_assert_not_null(in);
	if (json_object_get(vector, "result")) {
		cr_expect_eq(number_parse(in, strlen(in), &number, NULL), RC_REFUSED, "%s", in);
		return;
	}
	number = parse(in);
	cr_expect_eq(number_size(&number), (size_t)json_integer_value(json_object_get(vector, "size_split")), "%s", in);
	number_format(&number, out);
	if (canonical)
		cr_expect_str_eq(out, canonical);
	if (length)
		cr_expect_eq(strlen(out), (size_t)json_integer_value(length), "%s", in);
}

Test(number, agrees_with_the_shared_vectors)
{
	const char *shared = getenv("ITEMFS_SHARED");
	char path[4096];
	json_t *vectors, *vector;
	size_t i;

	snprintf(path, sizeof(path), "%s/data/item-size-vectors.json", shared ? shared : "/work/shared");
	vectors = json_load_file(path, 0, NULL);
	if (!vectors)
		cr_skip_test("%s is not there (set ITEMFS_SHARED); the vectors that matter are in the other tests",
			     path);
	cr_assert_gt(json_array_size(json_object_get(vectors, "numbers")), 0);
	json_array_foreach(json_object_get(vectors, "numbers"), i, vector) check_vector(vector);
	json_decref(vectors);
}

static unsigned random_below(uint64_t *seed, unsigned n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % n;
}

/* Any number, made of its fields; few digits and near exponents are likely, so that pairs are often close. */
static struct number random_number(uint64_t *seed)
{
	struct number number = {0};
	unsigned near = random_below(seed, 2);

	number.ndigits = (uint8_t)random_below(seed, near ? 5 : NUMBER_DIGITS_MAX + 1);
	if (!number.ndigits)
		return number;
	number.negative = random_below(seed, 2);
	number.exponent = (int16_t)(near ? (int)random_below(seed, 5) - 2
					 : (int)random_below(seed, NUMBER_EXPONENT_MAX - NUMBER_EXPONENT_MIN + 1) +
					       NUMBER_EXPONENT_MIN);
	for (unsigned i = 0; i < number.ndigits; i++)
		number.digits[i] = (uint8_t)random_below(seed, near ? 3 : 10);
	if (!number.digits[0])
		number.digits[0] = 1;
	if (!number.digits[number.ndigits - 1])
		number.digits[number.ndigits - 1] = 9;
	return number;
}

/* The order by the texts, which knows nothing of how numbers are kept: sign, length of the whole part, then letters. */
static int compare_texts(const char *a, const char *b)
{
	size_t whole_a, whole_b;
	int order;

	if ((*a == '-') != (*b == '-'))
		return *a == '-' ? -1 : 1;
	if (*a == '-')
		return compare_texts(b + 1, a + 1);
	whole_a = strcspn(a, ".");
	whole_b = strcspn(b, ".");
	if (whole_a != whole_b)
		return whole_a < whole_b ? -1 : 1;
	order = strcmp(a, b);
	return (order > 0) - (order < 0);
}

static int order_of_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? (order > 0) - (order < 0) : (a_len > b_len) - (a_len < b_len);
}

Test(number, sorts_in_all_its_forms_alike)
{
	uint64_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		struct number a = random_number(&seed), b = random_number(&seed);
		uint8_t key_a[NUMBER_KEY_MAX], key_b[NUMBER_KEY_MAX];
		char text_a[NUMBER_TEXT_MAX], text_b[NUMBER_TEXT_MAX];
		size_t len_a = number_encode(&a, key_a), len_b = number_encode(&b, key_b);
		int order = number_compare(&a, &b);

		number_format(&a, text_a);
		number_format(&b, text_b);
		cr_assert_eq(order, compare_texts(text_a, text_b), "%s %s", text_a, text_b);
		cr_assert_eq(order, order_of_keys(key_a, len_a, key_b, len_b), "%s %s", text_a, text_b);
		cr_assert_eq(order, -number_compare(&b, &a), "%s %s", text_a, text_b);
		cr_assert_eq(order == 0, equal(&a, &b), "%s %s", text_a, text_b);
		if (order)
			cr_assert(memcmp(key_a, key_b, len_a < len_b ? len_a : len_b),
				  "%s %s: one is the other's prefix", text_a, text_b);
	}
}

Test(number, comes_back_from_its_text_and_from_its_key)
{
	uint64_t seed = 2;

	for (int i = 0; i < 100000; i++) {
		struct number number = random_number(&seed), again;
		char text[NUMBER_TEXT_MAX];
		uint8_t key[NUMBER_KEY_MAX + 1];
		size_t n = number_format(&number, text), used;

		cr_assert_lt(n, NUMBER_TEXT_MAX);
		again = parse(text);
		cr_assert(equal(&number, &again), "%s", text);

		n = number_encode(&number, key);
		cr_assert_leq(n, NUMBER_KEY_MAX);
		key[n] = (uint8_t)random_below(&seed, 256); /* what follows is not the number's */
		cr_assert_eq(number_decode(key, n + 1, &again, &used), RC_OK, "%s", text);
		cr_assert_eq(used, n);
		cr_assert(equal(&number, &again), "%s", text);
		for (size_t cut = 0; cut < n; cut++)
			cr_assert_eq(number_decode(key, cut, &again, &used), RC_CORRUPT, "%s cut at %zu", text, cut);
	}
}

Test(number, has_one_encoding_and_refuses_all_other_bytes)
{
	static const uint8_t likely[] = {0x00, 0x01, 0x02, 0x03, 0x0a, 0x0b, 0x64,
					 0x65, 0x9a, 0x9b, 0xf4, 0xf5, 0xfe, 0xff};
	uint64_t seed = 3;
	unsigned taken = 0;

	for (int i = 0; i < 500000; i++) {
		uint8_t bytes[NUMBER_KEY_MAX + 2], again[NUMBER_KEY_MAX];
		size_t n = random_below(&seed, sizeof(bytes) + 1), used = 99;
		struct number number = {.ndigits = 77};
		enum rc rc;

		for (size_t at = 0; at < n; at++)
			bytes[at] = random_below(&seed, 2) ? likely[random_below(&seed, sizeof(likely))]
							   : (uint8_t)random_below(&seed, 256);
		if (n)
			bytes[0] %= 5;
		rc = number_decode(bytes, n, &number, &used);
		if (rc) {
			cr_assert_eq(rc, RC_CORRUPT);
			cr_assert(used == 99 && number.ndigits == 77, "the results were touched");
			continue;
		}
		taken++;
		cr_assert_leq(used, n);
		cr_assert_eq(number_encode(&number, again), used);
		cr_assert_arr_eq(again, bytes, used);
	}
	cr_assert_gt(taken, 1000);
}

static void assert_encoding(const char *text, const char *wanted, size_t n)
{
	struct number number = parse(text);
	uint8_t key[NUMBER_KEY_MAX];

	cr_expect_eq(number_encode(&number, key), n, "%s", text);
	cr_expect_arr_eq(key, wanted, n, "%s", text);
}

/* Disk format: these bytes never change. */
Test(number, is_kept_in_these_bytes_for_ever)
{
	assert_encoding("0", "\x02", 1);
	assert_encoding("1", "\x03\x82\x0b\x00", 4);
	assert_encoding("10", "\x03\x83\x0b\x00", 4);
	assert_encoding("12", "\x03\x83\x0d\x00", 4);
	assert_encoding("123", "\x03\x84\x0d\x1f\x00", 5);
	assert_encoding("-123", "\x01\x7b\xf2\xe0\xff", 5);
	assert_encoding("1E-130", "\x03\x00\x0b\x00", 4);
	assert_encoding("-9.9E+125", "\x01\x00\x9b\xff", 4);
	assert_encoding("10001", "\x03\x86\x0b\x01\x0b\x00", 6);
}

Test(number, encodes_38_digits_within_its_bound)
{
	struct number number = parse(NINES "E125");
	uint8_t key[NUMBER_KEY_MAX];

	cr_expect_eq(number_encode(&number, key), 22);
}
