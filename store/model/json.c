/* json: a pushdown automaton that eats one byte at a time (see json.h for what it accepts).
 *
 * Why one byte at a time: a document arrives in pieces cut anywhere, and each piece's answer must not depend on
 * the cuts. All that is known between two bytes stands in struct json; the bytes that were fed are never looked at again.
 *
 * Invariants:
 *  1. Between two bytes `offset`, `line` and `column` are the place of the byte to come, so that whatever is refused
 *     while that byte is looked at is refused at its place.
 *  2. `depth` is 0 only before the document's { and after its }; else bit depth-1 of `stack` says what is open.
 *  3. Each state is one that some whole document passes through with the bytes fed so far: what cannot be finished
 *     any more has been refused.
 *  4. The loop that skips plain string bytes leaves exactly the state that the bytes one by one would have left.
 */
#include "store/model/json.h"
#include "store/model/hex.h"
#include "store/model/json_byte.h"
#include "store/model/json_plain.h"
#include <stdio.h>
#include <string.h>

enum state {
	START,         /* before the document's { */
	FIRST_KEY,     /* after {: a name or } */
	KEY,           /* after a comma in an object */
	COLON,         /* after a name */
	VALUE,         /* after a colon, or a comma in an array */
	FIRST_ELEMENT, /* after [: a value or ] */
	AFTER,         /* after a value: a comma or what closes */
	DONE,
	STRING,        /* from here to LOW_U: inside quotes */
	UTF8,          /* within a character of several bytes */
	ESCAPE,        /* after a backslash */
	HEX,           /* after \u */
	LOW_BACKSLASH, /* after the first half of a surrogate pair */
	LOW_U,
	MINUS, /* from here to EXPONENT: inside a number */
	ZERO,
	INTEGER,
	POINT,
	FRACTION,
	E,
	E_SIGN,
	EXPONENT,
	LITERAL,
};

/* In the order of JSON_IS_TRUE, JSON_IS_FALSE, JSON_IS_NULL. */
static const char *const literals[] = {"true", "false", "null"};

void json_init(struct json *json, json_handler *handler, void *context)
{
	*json = (struct json){.handler = handler, .context = context, .line = 1, .column = 1, .state = START};
}

/* How a byte is named in words: 'x', or its number where it cannot be shown. */
struct shown {
	char text[32];
};

static struct shown show(uint8_t byte)
{
	struct shown shown;

	if (byte == '\n')
		strcpy(shown.text, "the end of the line");
	else if (byte == '\'')
		strcpy(shown.text, "a single quote");
	else if (byte > 0x20 && byte < 0x7f)
		snprintf(shown.text, sizeof(shown.text), "'%c'", byte);
	else
		snprintf(shown.text, sizeof(shown.text), "byte 0x%02x", byte);
	return shown;
}

static enum rc refuse(const struct json *json, struct why *why, const char *words)
{
	return why_at(why, RC_REFUSED, json->line, json->column, "%s", words);
}

static enum rc refuse_found(const struct json *json, uint8_t byte, struct why *why, const char *words)
{
	return why_at(why, RC_REFUSED, json->line, json->column, "%s, found %s", words, show(byte).text);
}

static bool in_object(const struct json *json)
{
	unsigned top = json->depth - 1u;

	return json->stack[top / 8] >> (top % 8) & 1;
}

static void begin_token(struct json *json, enum json_event event)
{
	json->token = (struct json_token){
	    .event = event, .start = json->offset, .end = json->offset, .line = json->line, .column = json->column};
}

static enum rc report(struct json *json, size_t end)
{
	json->token.end = end;
	return json->handler ? json->handler(json->context, &json->token) : RC_OK;
}

static enum rc open_level(struct json *json, bool object, struct why *why)
{
	unsigned level = json->depth;

	if (level == JSON_DEPTH_MAX)
		return why_at(why, RC_REFUSED, json->line, json->column,
			      "more than %d objects and arrays within one another", JSON_DEPTH_MAX);
	json->stack[level / 8] &= (uint8_t) ~(1u << (level % 8));
	json->stack[level / 8] |= (uint8_t)((unsigned)object << (level % 8));
	json->depth++;
	json->state = object ? FIRST_KEY : FIRST_ELEMENT;
	begin_token(json, object ? JSON_IS_OBJECT : JSON_IS_ARRAY);
	return report(json, json->offset + 1);
}

static enum rc close_level(struct json *json)
{
	begin_token(json, in_object(json) ? JSON_IS_OBJECT_END : JSON_IS_ARRAY_END);
	json->depth--;
	json->state = json->depth ? AFTER : DONE;
	return report(json, json->offset + 1);
}

static enum rc begin_string(struct json *json, bool is_key)
{
	begin_token(json, is_key ? JSON_IS_KEY : JSON_IS_STRING);
	json->is_key = is_key;
	json->state = STRING;
	return RC_OK;
}

static enum rc begin_literal(struct json *json, enum json_event event)
{
	begin_token(json, event);
	json->literal = 1;
	json->state = LITERAL;
	return RC_OK;
}

static enum rc begin_number(struct json *json, uint8_t byte)
{
	begin_token(json, JSON_IS_NUMBER);
	json->state = byte == '-' ? MINUS : byte == '0' ? ZERO : INTEGER;
	return RC_OK;
}

static enum rc refuse_value(const struct json *json, uint8_t byte, struct why *why)
{
	if (byte == '\'')
		return refuse(json, why, "a string is written in double quotes, not single ones");
	if (byte == ']' && json->state == VALUE && !in_object(json))
		return refuse(json, why, "expected a value after the ',', found ']'");
	return refuse_found(json, byte, why, "expected a value");
}

static enum rc step_value(struct json *json, uint8_t byte, struct why *why)
{
	switch (byte) {
	case '{':
	case '[':
		return open_level(json, byte == '{', why);
	case ']':
		return json->state == FIRST_ELEMENT ? close_level(json) : refuse_value(json, byte, why);
	case '"':
		return begin_string(json, false);
	case 't':
		return begin_literal(json, JSON_IS_TRUE);
	case 'f':
		return begin_literal(json, JSON_IS_FALSE);
	case 'n':
		return begin_literal(json, JSON_IS_NULL);
	default:
		if (byte == '-' || json_is_digit(byte))
			return begin_number(json, byte);
		return refuse_value(json, byte, why);
	}
}

static enum rc step_after(struct json *json, uint8_t byte, struct why *why)
{
	bool object = in_object(json);

	if (byte == ',') {
		json->state = object ? KEY : VALUE;
		return RC_OK;
	}
	if (byte == (object ? '}' : ']'))
		return close_level(json);
	return refuse_found(json, byte, why,
			    object ? "expected ',' or '}' after the value" : "expected ',' or ']' after the element");
}

/* Between tokens. */
static enum rc step_structure(struct json *json, uint8_t byte, struct why *why)
{
	if (json_is_space(byte))
		return RC_OK;
	switch (json->state) {
	case START:
		if (byte == '{')
			return open_level(json, true, why);
		if (byte == 0xef)
			return refuse(json, why,
				      "a document is one object: expected '{', found a byte order mark or other text");
		return refuse_found(json, byte, why, "a document is one object: expected '{'");
	case FIRST_KEY:
		if (byte == '}')
			return close_level(json);
		if (byte == '"')
			return begin_string(json, true);
		return refuse_found(json, byte, why, "expected a name in double quotes or '}'");
	case KEY:
		if (byte == '"')
			return begin_string(json, true);
		return refuse_found(json, byte, why, "expected a name in double quotes after the ','");
	case COLON:
		if (byte != ':')
			return refuse_found(json, byte, why, "expected ':' after the name");
		json->state = VALUE;
		return RC_OK;
	case AFTER:
		return step_after(json, byte, why);
	case DONE:
		return why_at(why, RC_REFUSED, json->line, json->column, "after the document's end there is more: %s",
			      show(byte).text);
	default: /* VALUE, FIRST_ELEMENT */
		return step_value(json, byte, why);
	}
}

static enum rc end_string(struct json *json)
{
	json->state = json->is_key ? COLON : AFTER;
	return report(json, json->offset + 1);
}

/* The first byte of a character of several: how many follow, and what the next may be (Unicode's table 3-7, which rules
 * out overlong forms, surrogates and what is above 10FFFF). */
static enum rc begin_utf8(struct json *json, uint8_t byte, struct why *why)
{
	if (byte < 0xc2 || byte > 0xf4)
		return refuse_found(json, byte, why, "not UTF-8");
	json->utf8_left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	json->utf8_low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
	json->utf8_high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
	json->state = UTF8;
	return RC_OK;
}

static enum rc step_utf8(struct json *json, uint8_t byte, struct why *why)
{
	if (byte < json->utf8_low || byte > json->utf8_high)
		return refuse_found(json, byte, why, "not UTF-8: the character before is cut short or forbidden");
	json->utf8_low = 0x80;
	json->utf8_high = 0xbf;
	if (--json->utf8_left == 0)
		json->state = STRING;
	return RC_OK;
}

static enum rc step_escape(struct json *json, uint8_t byte, struct why *why)
{
	if (byte == 'u') {
		json->unit = 0;
		json->hex_left = 4;
		json->state = HEX;
		return RC_OK;
	}
	if (!byte || !strchr("\"\\/bfnrt", byte))
		return refuse_found(json, byte, why, "expected one of \" \\ / b f n r t u after the '\\'");
	json->state = STRING;
	return RC_OK;
}

static enum rc step_hex(struct json *json, uint8_t byte, struct why *why)
{
	int value = hex_digit(byte);
	unsigned low, high;

	if (value < 0)
		return refuse_found(json, byte, why, "expected four hexadecimal digits after the '\\u'");
	json->unit = (uint16_t)(json->unit << 4 | value);
	json->hex_left--;
	/* What the unit can still become; a half that cannot find its other half is refused at the digit that decides it. */
	low = (unsigned)json->unit << (4 * json->hex_left);
	high = low | ((1u << (4 * json->hex_left)) - 1);
	if (json->high_surrogate && (high < 0xdc00 || low > 0xdfff))
		return refuse(json, why, "half a surrogate pair: expected \\udc00 to \\udfff after \\ud800 to \\udbff");
	if (!json->high_surrogate && low >= 0xdc00 && high <= 0xdfff)
		return refuse(json, why, "half a surrogate pair: \\udc00 to \\udfff without the other half before it");
	if (json->hex_left)
		return RC_OK;
	if (!json->high_surrogate && low >= 0xd800 && low <= 0xdbff) {
		json->high_surrogate = json->unit;
		json->state = LOW_BACKSLASH;
	} else {
		json->high_surrogate = 0;
		json->state = STRING;
	}
	return RC_OK;
}

static enum rc step_low_surrogate(struct json *json, uint8_t byte, struct why *why)
{
	bool backslash = json->state == LOW_BACKSLASH;

	if (byte != (backslash ? '\\' : 'u'))
		return refuse_found(json, byte, why,
				    "half a surrogate pair: expected its other half, \\udc00 to \\udfff");
	json->state = backslash ? LOW_U : HEX;
	json->unit = 0;
	json->hex_left = 4;
	return RC_OK;
}

static enum rc step_string(struct json *json, uint8_t byte, struct why *why)
{
	switch (json->state) {
	case UTF8:
		return step_utf8(json, byte, why);
	case ESCAPE:
		return step_escape(json, byte, why);
	case HEX:
		return step_hex(json, byte, why);
	case LOW_BACKSLASH:
	case LOW_U:
		return step_low_surrogate(json, byte, why);
	}
	if (byte == '"')
		return end_string(json);
	if (byte == '\\') {
		json->token.escaped = true;
		json->state = ESCAPE;
		return RC_OK;
	}
	if (byte < 0x20)
		return why_at(why, RC_REFUSED, json->line, json->column,
			      "a control byte in a string must be written \\u%04x", byte);
	return byte < 0x80 ? RC_OK : begin_utf8(json, byte, why);
}

/* The byte after a whole number, which ends it and is a token's first itself. */
static enum rc end_number(struct json *json, uint8_t byte, struct why *why)
{
	enum rc rc;

	if (json->state == ZERO && json_is_digit(byte))
		return refuse(json, why, "a number does not begin with a 0 that digits follow");
	rc = report(json, json->offset);
	if (rc)
		return rc;
	json->state = AFTER;
	return step_structure(json, byte, why);
}

static enum rc step_number(struct json *json, uint8_t byte, struct why *why)
{
	bool digit = json_is_digit(byte);

	switch (json->state) {
	case MINUS:
		if (!digit)
			return refuse_found(json, byte, why, "expected a digit after the '-'");
		json->state = byte == '0' ? ZERO : INTEGER;
		return RC_OK;
	case POINT:
		if (!digit)
			return refuse_found(json, byte, why, "expected a digit after the '.'");
		json->state = FRACTION;
		return RC_OK;
	case E:
		if (byte == '+' || byte == '-') {
			json->state = E_SIGN;
			return RC_OK;
		}
		/* fallthrough */
	case E_SIGN:
		if (!digit)
			return refuse_found(json, byte, why, "expected a digit in the exponent");
		json->state = EXPONENT;
		return RC_OK;
	}
	if (digit && json->state != ZERO)
		return RC_OK;
	if (byte == '.' && (json->state == ZERO || json->state == INTEGER)) {
		json->state = POINT;
		return RC_OK;
	}
	if ((byte == 'e' || byte == 'E') && json->state != EXPONENT) {
		json->state = E;
		return RC_OK;
	}
	return end_number(json, byte, why);
}

static enum rc step_literal(struct json *json, uint8_t byte, struct why *why)
{
	const char *word = literals[json->token.event - JSON_IS_TRUE];

	if (byte != (uint8_t)word[json->literal])
		return why_at(why, RC_REFUSED, json->line, json->column, "expected \"%s\", found %s after \"%.*s\"",
			      word, show(byte).text, json->literal, word);
	if (word[++json->literal])
		return RC_OK;
	json->state = AFTER;
	return report(json, json->offset + 1);
}

static enum rc step(struct json *json, uint8_t byte, struct why *why)
{
	if (json->state < STRING)
		return step_structure(json, byte, why);
	if (json->state < MINUS)
		return step_string(json, byte, why);
	if (json->state < LITERAL)
		return step_number(json, byte, why);
	return step_literal(json, byte, why);
}

enum rc json_feed(struct json *json, const void *bytes, size_t n, struct why *why)
{
	const uint8_t *at = bytes;
	size_t i = 0;

	while (i < n) {
		enum rc rc;

		if (json->state == STRING) {
			size_t run = json_plain_run(at + i, n - i);

			json->offset += run;
			json->column += run;
			i += run;
			if (i == n)
				break;
		}
		rc = step(json, at[i], why);
		if (rc)
			return rc;
		json->offset++;
		json->column++;
		if (at[i] == '\n') { /* only ever white space: in a string it was refused */
			json->line++;
			json->column = 1;
		}
		i++;
	}
	return RC_OK;
}

enum rc json_end(const struct json *json, struct why *why)
{
	const char *words;

	if (json->state == DONE)
		return RC_OK;
	if (json->offset == 0)
		words = "the document is empty";
	else if (json->state == START)
		words = "the document ends before its '{'";
	else if (json->state >= STRING && json->state < MINUS)
		words = json->is_key ? "the document ends inside a name" : "the document ends inside a string";
	else if (json->state >= MINUS && json->state < LITERAL)
		words = "the document ends inside a number";
	else if (json->state == LITERAL)
		words = "the document ends inside a word";
	else if (json->state == COLON)
		words = "the document ends after a name, before its ':'";
	else
		words = in_object(json) ? "the document ends before a '}' that it needs"
					: "the document ends before a ']' that it needs";
	return why_at(why, RC_UNFINISHED, json->line, json->column, "%s", words);
}
