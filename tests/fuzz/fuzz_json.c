/* The input is a text; its length decides where it is cut.
 *
 * What it asserts: fed whole, byte by byte, or in two pieces it gives the same tokens and the same end; tokens
 * stand in order; strings unescape to what jansson reads; and jansson, as the oracle, takes a text iff the
 * scanner does, but for what the two are meant to see differently: jansson knows other limits for depth and
 * numbers, refuses a NUL in a name, and skips a NUL byte after a word.
 */
#include "store/model/buf.h"
#include "store/model/json.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

struct scan {
	const uint8_t *text;
	struct buf tokens;
	size_t at; /* the end of the token before */
	size_t depth;
	enum rc rc;
	struct why why;
};

static void check_token(struct scan *scan, const struct json_token *token)
{
	assert_that(token->start >= scan->at && token->end > token->start && token->line && token->column);
	scan->at = token->end;
	if (token->event == JSON_IS_OBJECT || token->event == JSON_IS_ARRAY)
		scan->depth++;
	if (token->event == JSON_IS_OBJECT_END || token->event == JSON_IS_ARRAY_END)
		assert_that(scan->depth-- > 0);
	assert_that(scan->depth <= JSON_DEPTH_MAX);
	if (token->event == JSON_IS_STRING || token->event == JSON_IS_KEY) {
		const uint8_t *inside = scan->text + token->start + 1;

		assert_that(inside[-1] == '"' && scan->text[token->end - 1] == '"');
		assert_that(token->escaped == !!memchr(inside, '\\', token->end - token->start - 2));
	}
}

static enum rc take(void *context, const struct json_token *token)
{
	struct scan *scan = context;

	check_token(scan, token);
	buf_printf(&scan->tokens, "%d %zu %zu %zu %zu %d\n", token->event, token->start, token->end, token->line,
		   token->column, token->escaped);
	return RC_OK;
}

/* In pieces of `step` bytes, each copied to memory of its own. */
static void scan_in_steps(struct scan *scan, const uint8_t *bytes, size_t n, size_t step)
{
	struct json json;

	*scan = (struct scan){.text = bytes};
	json_init(&json, take, scan);
	for (size_t at = 0; at < n && !scan->rc; at += step) {
		size_t piece = n - at < step ? n - at : step;
		uint8_t *copy = malloc(piece);

		assert_that(copy);
		memcpy(copy, bytes + at, piece);
		scan->rc = json_feed(&json, copy, piece, &scan->why);
		free(copy);
	}
	if (!scan->rc)
		scan->rc = json_end(&json, &scan->why);
	assert_that(!scan->tokens.failed);
}

static void assert_same(const struct scan *a, const struct scan *b)
{
	assert_that(a->rc == b->rc && a->tokens.len == b->tokens.len);
	assert_that(!a->tokens.len || !memcmp(a->tokens.data, b->tokens.data, a->tokens.len));
	if (a->rc)
		assert_that(a->why.line == b->why.line && a->why.column == b->why.column &&
			    !strcmp(a->why.text, b->why.text));
}

/* Walks tokens and jansson's value side by side, by writing the value of every string in order. */
static void add_strings(const json_t *value, struct buf *out)
{
	const char *name;
	json_t *child;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)value, name, child)
		{
			buf_add(out, name, strlen(name));
			buf_add_byte(out, '\n');
			add_strings(child, out);
		}
		break;
	case JSON_ARRAY:
		json_array_foreach(value, i, child) add_strings(child, out);
		break;
	case JSON_STRING:
		buf_add(out, json_string_value(value), json_string_length(value));
		buf_add_byte(out, '\n');
		break;
	default:
		break;
	}
}

struct strings {
	const char *text;
	struct buf out;
};

static enum rc take_strings(void *context, const struct json_token *token)
{
	struct strings *strings = context;
	size_t n = token->end - token->start;
	char *text;

	if (token->event != JSON_IS_STRING && token->event != JSON_IS_KEY)
		return RC_OK;
	text = malloc(n);
	assert_that(text);
	buf_add(&strings->out, text, json_unescape(strings->text + token->start, n, text));
	buf_add_byte(&strings->out, '\n');
	free(text);
	return RC_OK;
}

/* Only for a text without duplicate names, of which jansson keeps one. */
static void compare_strings(const json_t *value, const uint8_t *bytes, size_t n)
{
	struct strings ours = {.text = (const char *)bytes};
	struct buf theirs = {0};
	struct json json;

	json_init(&json, take_strings, &ours);
	assert_that(json_feed(&json, bytes, n, NULL) == RC_OK);
	add_strings(value, &theirs);
	assert_that(!theirs.failed && !ours.out.failed && theirs.len == ours.out.len);
	assert_that(!theirs.len || !memcmp(theirs.data, ours.out.data, theirs.len));
	buf_free(&theirs);
	buf_free(&ours.out);
}

static bool no_oracle(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_stack_overflow ||
	       code == json_error_null_byte_in_key || code == json_error_out_of_memory;
}

static void ask_jansson(const struct scan *scan, const uint8_t *bytes, size_t n)
{
	json_error_t error;
	json_t *value;

	if (n && memchr(bytes, 0, n)) { /* jansson 2.14 skips a NUL byte that follows a word or a number */
		assert_that(scan->rc);
		return;
	}
	value = json_loadb((const char *)bytes, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);

	if (value && json_typeof(value) == JSON_OBJECT)
		assert_that(!scan->rc || strstr(scan->why.text, "within one another"));
	else if (!scan->rc)
		assert_that(!value && no_oracle(&error));
	json_decref(value);
	if (scan->rc)
		return;
	value =
	    json_loadb((const char *)bytes, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, NULL);
	if (value)
		compare_strings(value, bytes, n);
	json_decref(value);
}

/* Without white space a text has the same tokens: their count and kinds. */
static void check_compact(const uint8_t *bytes, size_t n)
{
	struct buf compact = {0}, again = {0};
	struct scan scan;

	json_compact((const char *)bytes, n, &compact);
	scan_in_steps(&scan, compact.data, compact.len, compact.len);
	assert_that(!scan.rc && compact.len <= n);
	json_compact((const char *)compact.data, compact.len, &again);
	assert_that(again.len == compact.len && !memcmp(again.data, compact.data, again.len));
	buf_free(&scan.tokens);
	buf_free(&compact);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct scan whole, pieces;

	scan_in_steps(&whole, bytes, n, n ? n : 1);
	scan_in_steps(&pieces, bytes, n, 1);
	assert_same(&whole, &pieces);
	buf_free(&pieces.tokens);
	scan_in_steps(&pieces, bytes, n, n / 3 + 1);
	assert_same(&whole, &pieces);
	buf_free(&pieces.tokens);
	assert_that(whole.rc == RC_OK || whole.why.text[0]);
	ask_jansson(&whole, bytes, n);
	if (!whole.rc) {
		assert_that(whole.depth == 0);
		check_compact(bytes, n);
	}
	buf_free(&whole.tokens);
	return 0;
}
