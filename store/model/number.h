/* number: DynamoDB's numbers, exact: up to 38 significant digits, magnitude 1E-130 to 9.99…E+125, and zero.
 * Source of the rules: SEMANTICS.md 3.1 and 4 (AWS Developer Guide; ScyllaDB Alternator's notes of what AWS does).
 */
#ifndef ITEMFS_NUMBER_H
#define ITEMFS_NUMBER_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NUMBER_DIGITS_MAX = 38,
	NUMBER_EXPONENT_MIN = -130, /* of the first significant digit: d.ddd × 10^exponent */
	NUMBER_EXPONENT_MAX = 125,
	NUMBER_TEXT_MAX = 172,      /* of number_format(): sign, "0.", 129 zeros, 38 digits, with its NUL, and some room */
	NUMBER_KEY_MAX = 24,        /* of number_encode() */
};

/* Canonical by construction: no leading or trailing zero among the digits, zero has none and is not negative.
 * So two numbers are equal iff their fields are. */
struct number {
	bool negative;
	int16_t exponent; /* of digits[0]; 0 where ndigits is 0 */
	uint8_t ndigits;
	uint8_t digits[NUMBER_DIGITS_MAX]; /* 0..9 each; those past ndigits are 0 */
};

/* Reads DynamoDB's grammar: [+-] digits [. digits] [e [+-] digits], a point may stand first or last beside at least one digit.
 * Quirk kept: a zero whose exponent is out of range is refused as AWS does only where its text has no point ("0e126" refused, "0.0e126" taken).
 * Exponents of any length must not overflow. RC_REFUSED with AWS's words:
 *   The parameter cannot be converted to a numeric value: dog        (nothing after "value" for an empty text)
 *   Number overflow. Attempting to store a number with magnitude larger than supported range
 *   Number underflow. Attempting to store a number with magnitude smaller than supported range
 *   Attempting to store more than 38 significant digits in a Number
 */
enum rc number_parse(const char *text, size_t n, struct number *ret_number, struct why *why);

/* The canonical form that DynamoDB returns: plain decimal, never an exponent ("150", "-3.5", "0"). Returns its
 * length; `out` is NUL-terminated. */
size_t number_format(const struct number *number, char out[NUMBER_TEXT_MAX]);

/* <0, 0, >0 by value. */
int number_compare(const struct number *a, const struct number *b);

/* Bytes that it counts in an item: SEMANTICS.md 4, formula (b), "split": 1 for zero, otherwise
 * 1 + ceil(integer digits/2) + ceil(fraction digits/2), zeros trimmed at both ends, + 1 if negative. */
size_t number_size(const struct number *number);

/* Bytes whose memcmp order is the numbers' order, none of which is a prefix of another: sign, exponent, digits two a byte, end.
 * This is disk format: it never changes. Returns the length, at most NUMBER_KEY_MAX. */
size_t number_encode(const struct number *number, uint8_t out[NUMBER_KEY_MAX]);

/* The inverse. Reads one number from the front of `bytes` and sets *ret_used. RC_CORRUPT where no number_encode() can have
 * written it (each number has exactly one encoding). */
enum rc number_decode(const uint8_t *bytes, size_t n, struct number *ret_number, size_t *ret_used);

#endif
