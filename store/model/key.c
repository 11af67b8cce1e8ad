/* key: one key attribute's value, its canonical text, and its order-preserving bytes.
 *
 * Invariants: a struct key that a function here returned holds 1..KEY_DATA_MAX bytes (S: valid UTF-8; N: what
 * number_encode() wrote). S and B are encoded as LETTER, the bytes with each 00 written 00 FF, and 00 00. So the end
 * sorts before any byte that could stand in its place (a shorter value sorts first), nothing inside a value looks like
 * an end, and each value has one encoding. Numbers bring both properties with them (number_encode()).
 */
#include "store/model/key.h"
#include "store/model/base64.h"
#include "store/model/hex.h"
#include "store/model/utf8.h"
#include <string.h>

enum {
	ESCAPE = 0x00,
	ESCAPED_ZERO = 0xff, /* after ESCAPE: a 00 of the value */
	ESCAPED_END = 0x00,  /* after ESCAPE: the value ends */
};

/* What is quoted of a user's text in the words of a refusal, so that there is room for the rest. */
enum { QUOTE_MAX = 200 };

static void set_bytes(struct key *key, enum key_type type, const void *bytes, size_t n)
{
	key->type = type;
	key->len = n;
	memcpy(key->data, bytes, n);
}

static void set_number(struct key *key, const struct number *number)
{
	uint8_t encoded[NUMBER_KEY_MAX];
	size_t n = number_encode(number, encoded);
	set_bytes(key, KEY_N, encoded, n);
}

static size_t size_limit(enum key_role role)
{
	return role == KEY_PARTITION ? KEY_PARTITION_MAX : KEY_SORT_MAX;
}

/* Zero, and false, where the bytes are not a number's, which no key that was made here can hold. */
static bool number_of(const struct key *key, struct number *ret_number)
{
	size_t used;
	return number_decode(key->data, key->len, ret_number, &used) == RC_OK && used == key->len;
}

static enum rc too_long(enum rc rc, enum key_role role, struct why *why)
{
	if (role == KEY_PARTITION)
		return why_set(why, rc,
			       "One or more parameter values were invalid: "
			       "Size of hashkey has exceeded the maximum size limit of %d bytes",
			       KEY_PARTITION_MAX);
	return why_set(why, rc,
		       "One or more parameter values were invalid: "
		       "Aggregated size of all range keys has exceeded the size limit of %d bytes",
		       KEY_SORT_MAX);
}

static bool type_matches(enum key_type type, enum item_type actual)
{
	return (type == KEY_S && actual == ITEM_S) || (type == KEY_N && actual == ITEM_N) ||
	       (type == KEY_B && actual == ITEM_B);
}

enum rc key_from_value(const struct item_value *value, enum key_type type, enum key_role role, const char *name,
		       struct key *ret_key, struct why *why)
{
	enum rc rc = RC_OK;
	if (!type_matches(type, value->type)) {
		rc = why_set(why, RC_REFUSED, "Type mismatch for key %s expected: %c actual: %s", name, (char)type,
			     item_type_name(value->type));
	} else if (type == KEY_N) {
		set_number(ret_key, &value->number);
	} else if (value->len == 0) {
		rc = why_set(why, RC_REFUSED,
			     "One or more parameter values are not valid. The AttributeValue for a key attribute "
			     "cannot contain an empty %s value. Key: %s",
			     type == KEY_S ? "string" : "binary", name);
	} else if (value->len > size_limit(role)) {
		rc = too_long(RC_REFUSED, role, why);
	} else {
		set_bytes(ret_key, type, value->bytes, value->len);
	}
	if (rc != RC_OK && why) {
		why->line = value->line;
		why->column = value->column;
	}
	return rc;
}

static bool looks_like_number(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0' || !strchr("0123456789+-.eE", text[i]))
			return false;
	return true;
}

static enum rc number_from_text(const char *text, size_t n, struct key *ret_key, struct why *why)
{
	if (!looks_like_number(text, n)) {
		size_t shown = utf8_valid(text, n) && n < KEY_DATA_MAX ? n : 0; /* words are UTF-8 */
		return why_set(why, RC_INVALID, "%.*s%sthe key is a number, and this is none", (int)shown, text, shown ? ": " : "");
	}
	struct number number;
	if (number_parse(text, n, &number, why) != RC_OK) {
		if (why)
			why->line = why->column = 0;
		return RC_INVALID;
	}
	char canonical[NUMBER_TEXT_MAX];
	size_t length = number_format(&number, canonical);
	if (length != n || memcmp(canonical, text, n) != 0)
		return why_set(why, RC_INVALID, "%.*s is not how itemfs writes this number: %s",
			       (int)(n < QUOTE_MAX ? n : QUOTE_MAX), text, canonical);
	set_number(ret_key, &number);
	return RC_OK;
}

/* Says that there is an upper-case digit, with the text as it should be. */
static enum rc not_lower_case(const char *text, size_t n, struct why *why)
{
	char lower[QUOTE_MAX];
	size_t shown = n < sizeof lower ? n : sizeof lower;
	for (size_t i = 0; i < shown; i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
	return why_set(why, RC_INVALID, "%.*s is not how itemfs writes these bytes: %.*s", (int)shown, text, (int)shown,
		       lower);
}

static enum rc binary_from_text(const char *text, size_t n, enum key_role role, struct key *ret_key, struct why *why)
{
	bool upper = false;
	for (size_t i = 0; i < n; i++) {
		if (hex_digit((uint8_t)text[i]) < 0)
			return why_set(why, RC_INVALID,
				       "the key is binary, and is written in hex: two digits of 0-9a-f a byte");
		upper = upper || (text[i] >= 'A' && text[i] <= 'F');
	}
	if (n % 2 != 0)
		return why_set(why, RC_INVALID,
			       "the key is binary, and is written in hex: two digits a byte, and these are %zu", n);
	if (n / 2 > size_limit(role))
		return too_long(RC_INVALID, role, why);
	if (upper)
		return not_lower_case(text, n, why);

	ret_key->type = KEY_B;
	ret_key->len = n / 2;
	for (size_t i = 0; i < n / 2; i++)
		ret_key->data[i] = (uint8_t)(hex_digit((uint8_t)text[2 * i]) << 4 | hex_digit((uint8_t)text[2 * i + 1]));
	return RC_OK;
}

enum rc key_from_text(const void *text, size_t n, enum key_type type, enum key_role role, struct key *ret_key,
		      struct why *why)
{
	if (n == 0)
		return why_set(why, RC_INVALID, "a key cannot be empty");
	if (type == KEY_N)
		return number_from_text(text, n, ret_key, why);
	if (type == KEY_B)
		return binary_from_text(text, n, role, ret_key, why);
	if (!utf8_valid(text, n))
		return why_set(why, RC_NOT_UTF8, "the key is text, and this is not UTF-8");
	if (n > size_limit(role))
		return too_long(RC_INVALID, role, why);
	set_bytes(ret_key, KEY_S, text, n);
	return RC_OK;
}

void key_pending(const char *name, struct key *ret_key)
{
	set_bytes(ret_key, KEY_PENDING, name, strlen(name));
}

static void add_number(const struct key *key, struct buf *out)
{
	struct number number;
	char text[NUMBER_TEXT_MAX];
	if (!number_of(key, &number)) {
		out->failed = true;
		return;
	}
	buf_add(out, text, number_format(&number, text));
}

void key_text(const struct key *key, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	if (key->type == KEY_N) {
		add_number(key, out);
	} else if (key->type != KEY_B) {
		buf_add(out, key->data, key->len);
	} else if (buf_reserve(out, 2 * key->len)) {
		for (size_t i = 0; i < key->len; i++) {
			buf_add_byte(out, (uint8_t)digits[key->data[i] >> 4]);
			buf_add_byte(out, (uint8_t)digits[key->data[i] & 15]);
		}
	}
}

void key_json(const struct key *key, struct buf *out)
{
	if (key->type == KEY_N) {
		add_number(key, out);
	} else if (key->type != KEY_B) {
		buf_add_json_string(out, key->data, key->len);
	} else {
		buf_add_text(out, "{\"$B\":\"");
		base64_add(out, key->data, key->len);
		buf_add_text(out, "\"}");
	}
}

bool key_equals_value(const struct key *key, const struct item_value *value)
{
	if (!type_matches(key->type, value->type))
		return false;
	if (key->type == KEY_N) {
		uint8_t encoded[NUMBER_KEY_MAX];
		size_t n = number_encode(&value->number, encoded);
		return n == key->len && memcmp(encoded, key->data, n) == 0;
	}
	return value->len == key->len && memcmp(value->bytes, key->data, key->len) == 0;
}

bool key_equal(const struct key *a, const struct key *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

size_t key_size(const struct key *key)
{
	struct number number;
	if (key->type != KEY_N)
		return key->len;
	return number_of(key, &number) ? number_size(&number) : 0;
}

/* A value without a zero: nearly every one. */
static void encode_plain(const struct key *key, struct buf *out)
{
	if (!buf_reserve(out, key->len + 3))
		return;
	uint8_t *at = out->data + out->len;
	*at++ = (uint8_t)key->type;
	memcpy(at, key->data, key->len);
	at += key->len;
	*at++ = ESCAPE;
	*at++ = ESCAPED_END;
	out->len += key->len + 3;
}

void key_encode(const struct key *key, struct buf *out)
{
	static const uint8_t zero[] = {ESCAPE, ESCAPED_ZERO}, end[] = {ESCAPE, ESCAPED_END};
	const uint8_t *from = key->data, *stop = key->data + key->len; /* from: where the bytes begin that are not added yet */
	const uint8_t *at = key->type == KEY_N ? NULL : memchr(from, 0, key->len);
	if (key->type != KEY_N && !at) {
		encode_plain(key, out);
		return;
	}
	buf_add_byte(out, (uint8_t)key->type);
	if (key->type == KEY_N) {
		buf_add(out, from, key->len);
		return;
	}
	for (; at; at = memchr(from, 0, (size_t)(stop - from))) {
		buf_add(out, from, (size_t)(at - from));
		buf_add(out, zero, sizeof zero);
		from = at + 1;
	}
	buf_add(out, from, (size_t)(stop - from));
	buf_add(out, end, sizeof end);
}

static enum rc decode_number(const uint8_t *bytes, size_t n, struct key *ret_key, size_t *ret_used)
{
	struct number number;
	size_t used;
	enum rc rc = number_decode(bytes + 1, n - 1, &number, &used);
	if (rc != RC_OK)
		return rc;
	set_number(ret_key, &number);
	*ret_used = 1 + used;
	return RC_OK;
}

enum rc key_decode(const uint8_t *bytes, size_t n, struct key *ret_key, size_t *ret_used)
{
	if (n > 0 && bytes[0] == KEY_N)
		return decode_number(bytes, n, ret_key, ret_used);
	if (n == 0 || (bytes[0] != KEY_S && bytes[0] != KEY_B && bytes[0] != KEY_PENDING))
		return RC_CORRUPT;

	uint8_t data[KEY_DATA_MAX];
	size_t len = 0, at = 1;
	for (;;) {
		const uint8_t *escape = memchr(bytes + at, ESCAPE, n - at);
		if (!escape || escape + 1 == bytes + n)
			return RC_CORRUPT;
		size_t run = (size_t)(escape - (bytes + at));
		if (run > sizeof data - len)
			return RC_CORRUPT;
		memcpy(data + len, bytes + at, run);
		len += run;
		at += run + 2;
		if (escape[1] == ESCAPED_END)
			break;
		if (escape[1] != ESCAPED_ZERO || len == sizeof data)
			return RC_CORRUPT;
		data[len++] = 0;
	}
	if (len == 0 || (bytes[0] != KEY_B && !utf8_valid(data, len)))
		return RC_CORRUPT;
	set_bytes(ret_key, (enum key_type)bytes[0], data, len);
	*ret_used = at;
	return RC_OK;
}
