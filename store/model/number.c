/* number: DynamoDB's decimal numbers, kept as digits so that nothing is ever rounded.
 *
 * The key encoding (disk format, never to be changed):
 *
 *   zero       02
 *   positive   03 E P1 P2 … 00
 *   negative   01 then each byte of the positive's E P1 P2 … 00 complemented
 *
 * E is the exponent of the first digit plus 130, 0 to 255. Each P is two digits a and b as 10a + b + 1, 1 to 100; where
 * the count of digits is odd the last b is 0. As neither the first nor the last digit is 0, P1 is at least 11 and the
 * last P is not 1, so that one number has one encoding. 00 ends it below every P, so a number sorts before those that go on
 * after its digits, and no encoding is a prefix of another.
 */
#include "store/model/number.h"
#include <string.h>

enum {
	SIGN_NEGATIVE = 1,
	SIGN_ZERO = 2,
	SIGN_POSITIVE = 3,
	PAIRS_MAX = NUMBER_DIGITS_MAX / 2,
	SHOWN_MAX = 200, /* bytes of a text that are repeated in a refusal */
};

/* Beyond any exponent that a text's own digits could bring back into range; ten times it does not overflow. */
#define EXPONENT_FAR ((int64_t)1 << 58)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum rc not_numeric(const char *text, size_t n, struct why *why)
{
	char shown[SHOWN_MAX];
	size_t len = n < sizeof(shown) ? n : sizeof(shown);

	/* The text may be any bytes, the words are UTF-8. */
	for (size_t i = 0; i < len; i++)
		shown[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	return why_set(why, RC_REFUSED, "The parameter cannot be converted to a numeric value%s%.*s%s", n ? ": " : "",
		       (int)len, shown, len < n ? "…" : "");
}

/* A text taken apart: where its digits are, and its exponent as written. */
struct parts {
	const char *digits; /* with the point among them, if there is one */
	size_t len;
	size_t before_point; /* how many digits */
	bool point;
	bool negative;
	int64_t exponent;
};

/* Reads [+-] digits up to the end of the text. */
static bool split_exponent(const char *text, size_t n, int64_t *ret_exponent)
{
	size_t i = n && (text[0] == '+' || text[0] == '-') ? 1 : 0;
	int64_t exponent = 0;

	if (i == n)
		return false;
	for (size_t at = i; at < n; at++) {
		if (!is_digit(text[at]))
			return false;
		exponent = exponent * 10 + (text[at] - '0');
		if (exponent > EXPONENT_FAR)
			exponent = EXPONENT_FAR;
	}
	*ret_exponent = text[0] == '-' ? -exponent : exponent;
	return true;
}

static bool split(const char *text, size_t n, struct parts *parts)
{
	size_t i = n && (text[0] == '+' || text[0] == '-') ? 1 : 0, count = 0;

	*parts = (struct parts){.digits = text + i, .negative = i && text[0] == '-'};
	for (; i < n && (is_digit(text[i]) || (text[i] == '.' && !parts->point)); i++) {
		if (text[i] == '.') {
			parts->point = true;
			parts->before_point = count;
		} else {
			count++;
		}
	}
	if (!parts->point)
		parts->before_point = count;
	parts->len = (size_t)(text + i - parts->digits);
	if (!count)
		return false;
	if (i == n)
		return true;
	return (text[i] == 'e' || text[i] == 'E') && split_exponent(text + i + 1, n - i - 1, &parts->exponent);
}

static enum rc check_exponent(int64_t exponent, struct why *why)
{
	if (exponent > NUMBER_EXPONENT_MAX)
		return why_set(
		    why, RC_REFUSED,
		    "Number overflow. Attempting to store a number with magnitude larger than supported range");
	if (exponent < NUMBER_EXPONENT_MIN)
		return why_set(
		    why, RC_REFUSED,
		    "Number underflow. Attempting to store a number with magnitude smaller than supported range");
	return RC_OK;
}

/* Fills in digits, ndigits and *ret_skipped, the count of zeros before the first digit. False: more than 38 are
 * significant. */
static bool collect(const struct parts *parts, struct number *number, size_t *ret_skipped)
{
	size_t skipped = 0, seen = 0, significant = 0; /* seen: digits from the first that is not 0 */

	for (size_t i = 0; i < parts->len; i++) {
		char c = parts->digits[i];

		if (c == '.')
			continue;
		if (!seen && c == '0') {
			skipped++;
			continue;
		}
		if (seen < NUMBER_DIGITS_MAX)
			number->digits[seen] = (uint8_t)(c - '0');
		seen++;
		if (c != '0')
			significant = seen;
	}
	*ret_skipped = skipped;
	number->ndigits = (uint8_t)(significant < NUMBER_DIGITS_MAX ? significant : NUMBER_DIGITS_MAX);
	return significant <= NUMBER_DIGITS_MAX;
}

enum rc number_parse(const char *text, size_t n, struct number *ret_number, struct why *why)
{
	struct number number = {0};
	struct parts parts;
	size_t skipped;
	int64_t exponent;
	bool fits;
	enum rc rc;

	if (!n || !split(text, n, &parts))
		return not_numeric(text, n, why);
	fits = collect(&parts, &number, &skipped);
	if (!number.ndigits) {
		/* AWS looks at a zero's exponent only where there is no point. */
		rc = parts.point ? RC_OK : check_exponent(parts.exponent, why);
		if (!rc)
			*ret_number = (struct number){0};
		return rc;
	}
	exponent = parts.exponent + (int64_t)parts.before_point - 1 - (int64_t)skipped;
	rc = check_exponent(exponent, why);
	if (rc)
		return rc;
	if (!fits)
		return why_set(why, RC_REFUSED, "Attempting to store more than %d significant digits in a Number",
			       NUMBER_DIGITS_MAX);
	number.negative = parts.negative;
	number.exponent = (int16_t)exponent;
	*ret_number = number;
	return RC_OK;
}

size_t number_format(const struct number *number, char out[NUMBER_TEXT_MAX])
{
	size_t len = 0;
	int place; /* of the digit to write: 0 for units, -1 for tenths */
	int last;

	if (!number->ndigits) {
		memcpy(out, "0", 2);
		return 1;
	}
	place = number->exponent > 0 ? number->exponent : 0;
	last = number->exponent - number->ndigits + 1;
	if (last > 0)
		last = 0;
	if (number->negative)
		out[len++] = '-';
	for (; place >= last; place--) {
		int i = number->exponent - place;

		if (place == -1)
			out[len++] = '.';
		out[len++] = (char)('0' + (i >= 0 && i < number->ndigits ? number->digits[i] : 0));
	}
	out[len] = '\0';
	return len;
}

static int sign(const struct number *number)
{
	return number->ndigits ? number->negative ? -1 : 1 : 0;
}

int number_compare(const struct number *a, const struct number *b)
{
	int sign_a = sign(a), sign_b = sign(b), order;

	if (sign_a != sign_b)
		return sign_a < sign_b ? -1 : 1;
	if (a->exponent != b->exponent)
		order = a->exponent < b->exponent ? -1 : 1;
	else
		order = memcmp(a->digits, b->digits, sizeof(a->digits)); /* zeros fill what is not used */
	order = (order > 0) - (order < 0);
	return sign_a < 0 ? -order : order;
}

size_t number_size(const struct number *number)
{
	size_t whole = 0, fraction;

	if (!number->ndigits)
		return 1;
	if (number->exponent >= 0) {
		whole = (size_t)number->exponent + 1;
		if (whole > number->ndigits) /* the zeros at the end do not count */
			whole = number->ndigits;
	}
	fraction = number->ndigits - whole;
	return 1 + (whole + 1) / 2 + (fraction + 1) / 2 + (number->negative ? 1 : 0);
}

size_t number_encode(const struct number *number, uint8_t out[NUMBER_KEY_MAX])
{
	size_t len = 1;

	if (!number->ndigits) {
		out[0] = SIGN_ZERO;
		return 1;
	}
	out[0] = number->negative ? SIGN_NEGATIVE : SIGN_POSITIVE;
	out[len++] = (uint8_t)(number->exponent - NUMBER_EXPONENT_MIN);
	for (size_t i = 0; i < number->ndigits; i += 2) /* 38 is even: digits[i + 1] exists, and is 0 past the last */
		out[len++] = (uint8_t)(number->digits[i] * 10 + number->digits[i + 1] + 1);
	out[len++] = 0;
	if (number->negative)
		for (size_t i = 1; i < len; i++)
			out[i] = (uint8_t)~out[i];
	return len;
}

/* Reads the pairs and their end; returns how many bytes they took, 0 where they are none of ours. */
static size_t decode_digits(const uint8_t *bytes, size_t n, uint8_t flip, struct number *number)
{
	size_t pairs;

	for (pairs = 0; pairs < n; pairs++) {
		uint8_t pair = bytes[pairs] ^ flip;

		if (!pair)
			break;
		if (pair > 100 || pairs == PAIRS_MAX)
			return 0;
		number->digits[2 * pairs] = (uint8_t)((pair - 1) / 10);
		number->digits[2 * pairs + 1] = (uint8_t)((pair - 1) % 10);
	}
	if (pairs == n || !pairs || !number->digits[0])
		return 0;
	number->ndigits = (uint8_t)(2 * pairs);
	if (!number->digits[number->ndigits - 1])
		number->ndigits--;
	return number->digits[number->ndigits - 1] ? pairs + 1 : 0;
}

enum rc number_decode(const uint8_t *bytes, size_t n, struct number *ret_number, size_t *ret_used)
{
	struct number number = {0};
	uint8_t flip;
	size_t used;

	if (!n || bytes[0] < SIGN_NEGATIVE || bytes[0] > SIGN_POSITIVE)
		return RC_CORRUPT;
	if (bytes[0] == SIGN_ZERO) {
		*ret_number = number;
		*ret_used = 1;
		return RC_OK;
	}
	if (n < 2)
		return RC_CORRUPT;
	number.negative = bytes[0] == SIGN_NEGATIVE;
	flip = number.negative ? 0xff : 0;
	number.exponent = (int16_t)((bytes[1] ^ flip) + NUMBER_EXPONENT_MIN);
	used = decode_digits(bytes + 2, n - 2, flip, &number);
	if (!used)
		return RC_CORRUPT;
	*ret_number = number;
	*ret_used = 2 + used;
	return RC_OK;
}
