/* The input is a text to parse and bytes to decode, both.
 *
 * What it asserts: a text that parses is formatted to one that parses to the same number; a number's key decodes
 * to it; bytes that decode are the key of what they decode to; and two numbers, one from the front half of the
 * input and one from the rest, compare as their keys do.
 */
#include "store/model/number.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

static void check_number(const struct number *number)
{
	char text[NUMBER_TEXT_MAX];
	uint8_t key[NUMBER_KEY_MAX];
	struct number again;
	size_t len = number_format(number, text), used;

	assert_that(len < NUMBER_TEXT_MAX && text[len] == '\0' && strlen(text) == len);
	assert_that(number_parse(text, len, &again, NULL) == RC_OK);
	assert_that(number_compare(number, &again) == 0 && number_size(number) == number_size(&again));
	len = number_encode(number, key);
	assert_that(len <= NUMBER_KEY_MAX);
	assert_that(number_decode(key, len, &again, &used) == RC_OK && used == len);
	assert_that(number_compare(number, &again) == 0);
	assert_that(number_size(number) >= 1 && number_size(number) <= 22);
}

static void check_pair(const struct number *a, const struct number *b)
{
	uint8_t key_a[NUMBER_KEY_MAX], key_b[NUMBER_KEY_MAX];
	size_t len_a = number_encode(a, key_a), len_b = number_encode(b, key_b);
	int by_key = memcmp(key_a, key_b, len_a < len_b ? len_a : len_b), by_value = number_compare(a, b);

	assert_that((by_key > 0) - (by_key < 0) == by_value);
	assert_that(number_compare(b, a) == -by_value);
	assert_that(by_key || len_a == len_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t key[NUMBER_KEY_MAX];
	struct number a, b;
	struct why why;
	size_t used;

	if (!number_parse((const char *)bytes, n, &a, &why))
		check_number(&a);
	else
		assert_that(why.text[0] != '\0');
	if (!number_decode(bytes, n, &a, &used)) {
		check_number(&a);
		assert_that(used <= n && number_encode(&a, key) == used && !memcmp(key, bytes, used));
	}
	if (!number_parse((const char *)bytes, n / 2, &a, NULL) &&
	    !number_parse((const char *)bytes + n / 2, n - n / 2, &b, NULL))
		check_pair(&a, &b);
	return 0;
}
