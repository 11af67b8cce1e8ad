/* json: the one JSON scanner. It is fed bytes as they come, resumes anywhere, knows where it is, and says as early
 * as can be that a text can no longer become right.
 *
 * It accepts RFC 8259 exactly, with three things on top: the top level must be an object; text is valid UTF-8 (no
 * overlong forms, no surrogates, no BOM), and \u escapes name whole characters (a lone surrogate is refused; \u0000 is
 * allowed); nesting is bounded. It builds nothing: tokens go to a handler with their offsets, and the caller still has the bytes.
 */
#ifndef ITEMFS_JSON_H
#define ITEMFS_JSON_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 160 }; /* objects and arrays open at once; item.h's 32 levels, their type wrappers, and more */

enum json_event {
	JSON_IS_OBJECT,     /* { */
	JSON_IS_OBJECT_END, /* } */
	JSON_IS_ARRAY,
	JSON_IS_ARRAY_END,
	JSON_IS_KEY,
	JSON_IS_STRING,
	JSON_IS_NUMBER,
	JSON_IS_TRUE,
	JSON_IS_FALSE,
	JSON_IS_NULL,
};

struct json_token {
	enum json_event event;
	size_t start, end;   /* offsets in all that was fed, end exclusive; strings and keys with their quotes */
	size_t line, column; /* of start */
	bool escaped;        /* a string or key that holds a backslash */
};

/* Returns RC_OK to go on; anything else ends the scan with that rc (the handler fills its own why). */
typedef enum rc json_handler(void *context, const struct json_token *token);

/* The scanner: plain data, may be copied to remember a place. */
struct json {
	json_handler *handler; /* may be NULL: only check */
	void *context;
	size_t offset, line, column;             /* of the next byte */
	struct json_token token;                 /* the one being read */
	uint8_t stack[(JSON_DEPTH_MAX + 7) / 8]; /* a bit a level: 1 an object */
	uint16_t depth;
	uint8_t state;
	/* json.c's own */
	uint8_t literal, utf8_left, utf8_low, utf8_high, hex_left;
	uint16_t unit, high_surrogate;
	bool is_key;
};

void json_init(struct json *json, json_handler *handler, void *context);

/* Takes the next n bytes. RC_OK: right so far (perhaps complete, perhaps not). RC_REFUSED: it can never become right, and
 * why says so with line and column; the scanner must not be fed again. A number is reported when the byte after it comes. */
enum rc json_feed(struct json *json, const void *bytes, size_t n, struct why *why);

/* Says whether what was fed is a whole document: RC_OK, or RC_UNFINISHED with why ("the document ends inside a string") and place. */
enum rc json_end(const struct json *json, struct why *why);

/* Writes the text of a string token (quotes included in `token`, valid by the scanner) to `out`, which holds n bytes; returns its length. */
size_t json_unescape(const char *token, size_t n, char *out);

/* Copies a whole valid JSON value without white space outside strings. */
struct buf;
void json_compact(const char *value, size_t n, struct buf *out);

#endif
