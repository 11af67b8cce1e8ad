/* recast: see recast.h. A recursive descent over text that is known to have been right; `at` only ever moves forward and never past `end`, and each
 * function returns false where the text is not what it must be. */
#include "store/model/recast.h"
#include "store/model/json.h"
#include "store/model/json_byte.h"
#include "store/model/number.h"
#include <string.h>

enum { DEPTH_MAX = JSON_DEPTH_MAX };

void recast_begin(struct recast *recast, const void *document, size_t n)
{
	*recast = (struct recast){.at = document, .end = (const char *)document + n, .scratch = recast->scratch};
	buf_clear(&recast->scratch);
}

void recast_free(struct recast *recast)
{
	buf_free(&recast->scratch);
}

/* ---- finding things ---- */

static void space(struct recast *r)
{
	while (r->at < r->end && json_is_space((uint8_t)*r->at))
		r->at++;
}

/* The next byte behind white space is this one, and behind it we go. */
static bool take(struct recast *r, char byte)
{
	space(r);
	if (r->at == r->end || *r->at != byte)
		return false;
	r->at++;
	return true;
}

static bool next_is(struct recast *r, char byte)
{
	space(r);
	return r->at < r->end && *r->at == byte;
}

/* Over a string; *ret_escaped where it holds a backslash. */
static bool skip_string(struct recast *r, bool *ret_escaped)
{
	if (!take(r, '"'))
		return false;
	const char *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
	*ret_escaped = quote && memchr(r->at, '\\', (size_t)(quote - r->at));
	if (!*ret_escaped) {
		r->at = quote ? quote + 1 : r->end;
		return quote;
	}
	while (r->at < r->end && *r->at != '"')
		r->at += *r->at == '\\' && r->end - r->at > 1 ? 2 : 1;
	if (r->at == r->end)
		return false;
	r->at++;
	return true;
}

static bool is_scalar_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '+' || byte == '.' || byte == 'E';
}

/* Over a number or a literal, which begins behind white space at *ret_text. */
static bool skip_scalar(struct recast *r, const char **ret_text, size_t *ret_n)
{
	space(r);
	*ret_text = r->at;
	while (r->at < r->end && is_scalar_byte(*r->at))
		r->at++;
	*ret_n = (size_t)(r->at - *ret_text);
	return *ret_n > 0;
}

static bool is_container(struct recast *r)
{
	return next_is(r, '{') || next_is(r, '[');
}

/* The text of a string whose token this is, into `out`. False: its escapes do not lie within it. */
static bool unescape(const char *token, size_t n, struct buf *out)
{
	for (const char *at = token + 1, *end = token + n - 1; at < end; at++) {
		if (*at != '\\')
			continue;
		size_t need = end - at > 1 && at[1] == 'u' ? 6 : 2;
		if (need == 6 && end - at > 3 && (at[2] == 'd' || at[2] == 'D') && strchr("89abAB", at[3]))
			need = 12; /* the first half of a pair */
		if ((size_t)(end - at) < need)
			return false;
		at += need - 1;
	}
	if (buf_reserve(out, n))
		out->len += json_unescape(token, n, (char *)out->data + out->len);
	return true;
}

/* ---- plain: everything but white space ---- */

static bool add_plain(struct recast *r, struct buf *out, int depth);

static bool add_string(struct recast *r, struct buf *out)
{
	bool escaped;
	space(r);
	const char *token = r->at;
	if (!skip_string(r, &escaped))
		return false;
	buf_add(out, token, (size_t)(r->at - token));
	return true;
}

/* What stands between the brackets of an object or array; `add` adds a value. */
typedef bool add_value(struct recast *r, struct buf *out, int depth);

static bool add_members(struct recast *r, struct buf *out, bool names, add_value *add, int depth)
{
	char open = names ? '{' : '[', close = names ? '}' : ']';
	if (!depth || !take(r, open))
		return false;
	buf_add_byte(out, (uint8_t)open);
	for (bool first = true; !take(r, close); first = false) {
		if (!first && !take(r, ','))
			return false;
		if (!first)
			buf_add_byte(out, ',');
		if (names) {
			if (!add_string(r, out) || !take(r, ':'))
				return false;
			buf_add_byte(out, ':');
		}
		if (!add(r, out, depth - 1))
			return false;
	}
	buf_add_byte(out, (uint8_t)close);
	return true;
}

static bool add_plain(struct recast *r, struct buf *out, int depth)
{
	const char *text;
	size_t n;
	if (next_is(r, '"'))
		return add_string(r, out);
	if (is_container(r))
		return add_members(r, out, *r->at == '{', add_plain, depth);
	if (!skip_scalar(r, &text, &n))
		return false;
	buf_add(out, text, n);
	return true;
}

/* ---- numbers ---- */

/* Most are written canonically: digits alone, as JSON knows no leading zeros. */
static bool is_canonical(const char *text, size_t n)
{
	size_t sign = n && *text == '-';
	if (n - sign > NUMBER_DIGITS_MAX || n == sign || (sign && text[1] == '0'))
		return false;
	for (size_t i = sign; i < n; i++)
		if (!json_is_digit((uint8_t)text[i]))
			return false;
	return true;
}

static bool add_number(const char *text, size_t n, struct buf *out)
{
	struct number number;
	char canonical[NUMBER_TEXT_MAX];
	if (is_canonical(text, n)) {
		buf_add(out, text, n);
		return true;
	}
	if (number_parse(text, n, &number, NULL))
		return false;
	buf_add(out, canonical, number_format(&number, canonical));
	return true;
}

static bool add_quoted_number(struct recast *r, struct buf *out, int depth)
{
	const char *text;
	size_t n;
	(void)depth;
	if (!skip_scalar(r, &text, &n))
		return false;
	buf_add_byte(out, '"');
	bool is = add_number(text, n, out);
	buf_add_byte(out, '"');
	return is;
}

/* ---- typed ---- */

static const char *const wrappers[] = {"$B", "$SS", "$NS", "$BS", "$M"};
enum { WRAPPERS = sizeof wrappers / sizeof *wrappers };

/* Whether the object that begins here is one of item.h's wrappers: one member, whose name is one of five. Does not move. *ret_wrapper: its name; WRAPPERS: it is a map. */
static bool find_wrapper(struct recast *r, size_t *ret_wrapper)
{
	struct recast ahead = *r;
	cleanup_buf struct buf name = {0}, value = {0};
	bool escaped;
	*ret_wrapper = WRAPPERS;
	ahead.at++;
	space(&ahead);
	const char *token = ahead.at;
	/* A dollar may be written as an escape. */
	if (ahead.end - token < 3 || token[0] != '"' || (token[1] != '$' && token[1] != '\\'))
		return true;
	if (!skip_string(&ahead, &escaped) || !unescape(token, (size_t)(ahead.at - token), &name))
		return false;
	size_t i = 0;
	while (i < WRAPPERS && (strlen(wrappers[i]) != name.len || memcmp(wrappers[i], name.data, name.len) != 0))
		i++;
	if (i == WRAPPERS)
		return true;
	if (!take(&ahead, ':') || !add_plain(&ahead, &value, DEPTH_MAX))
		return false;
	if (next_is(&ahead, '}'))
		*ret_wrapper = i;
	return true;
}

static bool add_typed(struct recast *r, struct buf *out, int depth);

static bool add_wrapped(struct recast *r, struct buf *out, size_t wrapper, int depth)
{
	const char *type = wrappers[wrapper] + 1;
	bool escaped, is;
	if (!take(r, '{') || !skip_string(r, &escaped) || !take(r, ':'))
		return false;
	buf_add(out, "{\"", 2);
	buf_add_text(out, type);
	buf_add(out, "\":", 2);
	if (type[0] == 'M')
		is = add_members(r, out, true, add_typed, depth);
	else if (type[0] == 'N')
		is = add_members(r, out, false, add_quoted_number, depth);
	else
		is = add_plain(r, out, depth); /* a binary is base64 in both forms */
	buf_add_byte(out, '}');
	return is && take(r, '}');
}

static bool add_typed_object(struct recast *r, struct buf *out, int depth)
{
	size_t wrapper;
	if (!find_wrapper(r, &wrapper))
		return false;
	if (wrapper < WRAPPERS)
		return add_wrapped(r, out, wrapper, depth);
	buf_add(out, "{\"M\":", 5);
	bool is = add_members(r, out, true, add_typed, depth);
	buf_add_byte(out, '}');
	return is;
}

static bool add_typed_scalar(struct recast *r, struct buf *out)
{
	const char *text;
	size_t n;
	if (!skip_scalar(r, &text, &n))
		return false;
	if (*text == 't' || *text == 'f') {
		buf_add(out, "{\"BOOL\":", 8);
		buf_add(out, text, n);
		buf_add_byte(out, '}');
		return true;
	}
	if (*text == 'n') {
		buf_add(out, "{\"NULL\":true}", 13);
		return true;
	}
	buf_add(out, "{\"N\":\"", 6);
	bool is = add_number(text, n, out);
	buf_add(out, "\"}", 2);
	return is;
}

static bool add_typed(struct recast *r, struct buf *out, int depth)
{
	bool is;
	if (!depth)
		return false;
	if (next_is(r, '"')) {
		buf_add(out, "{\"S\":", 5);
		is = add_string(r, out);
	} else if (next_is(r, '{')) {
		return add_typed_object(r, out, depth);
	} else if (next_is(r, '[')) {
		buf_add(out, "{\"L\":", 5);
		is = add_members(r, out, false, add_typed, depth);
	} else {
		return add_typed_scalar(r, out);
	}
	buf_add_byte(out, '}');
	return is;
}

/* ---- CSV ---- */

void recast_add_field(struct buf *out, const void *text, size_t n)
{
	const char *from = text, *end = from + n;
	bool quoted = !n || from[0] == ' ' || end[-1] == ' ';
	for (const char *at = from; at < end && !quoted; at++)
		quoted = *at == ',' || *at == '"' || *at == '\n' || *at == '\r';
	if (!quoted) {
		buf_add(out, text, n);
		return;
	}
	buf_add_byte(out, '"');
	while (from < end) {
		const char *quote = memchr(from, '"', (size_t)(end - from));
		size_t run = (size_t)((quote ? quote + 1 : end) - from);
		buf_add(out, from, run);
		if (quote)
			buf_add_byte(out, '"');
		from += run;
	}
	buf_add_byte(out, '"');
}

/* Into the wrapper of a binary, up to its text; *ret_binary: it is one. */
static bool take_binary(struct recast *r, bool *ret_binary)
{
	size_t wrapper;
	bool escaped;
	if (!find_wrapper(r, &wrapper))
		return false;
	*ret_binary = wrapper == 0;
	return !*ret_binary || (take(r, '{') && skip_string(r, &escaped) && take(r, ':') && next_is(r, '"'));
}

static bool add_field(struct recast *r, struct buf *out)
{
	const char *text;
	bool escaped;
	size_t n;
	struct buf *whole = &r->scratch;
	if (!next_is(r, '"') && !is_container(r)) {
		if (!skip_scalar(r, &text, &n))
			return false;
		if (*text != 't' && *text != 'f' && *text != 'n')
			return add_number(text, n, out);
		buf_add(out, text, n);
		return true;
	}
	buf_clear(whole);
	bool string = *r->at == '"', is = true, binary = false;
	if (*r->at == '{' && !take_binary(r, &binary))
		return false;
	if (binary)
		return add_field(r, out) && take(r, '}');
	const char *token = r->at;
	if (!string) {
		is = add_plain(r, whole, DEPTH_MAX);
	} else if ((is = skip_string(r, &escaped)) && !escaped) {
		recast_add_field(out, token + 1, (size_t)(r->at - token) - 2);
		return true;
	} else if (is) {
		is = unescape(token, (size_t)(r->at - token), whole);
	}
	out->failed |= whole->failed;
	if (is)
		recast_add_field(out, whole->data ? (const char *)whole->data : "", whole->len);
	return is;
}

/* ---- the attributes ---- */

/* Behind the closing brace there is nothing but white space. */
static enum rc finish(struct recast *r)
{
	space(r);
	return r->at == r->end ? RC_NOT_FOUND : RC_CORRUPT;
}

enum rc recast_next(struct recast *r)
{
	bool escaped;
	if (!r->began && r->at == r->end)
		return RC_NOT_FOUND;
	if (!r->began && !take(r, '{'))
		return RC_CORRUPT;
	if (take(r, '}'))
		return finish(r);
	if (r->began && !take(r, ','))
		return RC_CORRUPT;
	r->began = true;
	space(r);
	r->token = r->at;
	if (!skip_string(r, &escaped))
		return RC_CORRUPT;
	r->token_len = (size_t)(r->at - r->token);
	r->name = r->token + 1;
	r->name_len = r->token_len - 2;
	if (escaped) {
		buf_clear(&r->scratch);
		if (!unescape(r->token, r->token_len, &r->scratch))
			return RC_CORRUPT;
		if (r->scratch.failed)
			return RC_NO_MEMORY;
		r->name = (const char *)r->scratch.data;
		r->name_len = r->scratch.len;
	}
	return take(r, ':') ? RC_OK : RC_CORRUPT;
}

enum rc recast_value(struct recast *r, enum recast_form form, struct buf *out)
{
	bool is = form == RECAST_PLAIN	 ? add_plain(r, out, DEPTH_MAX)
		  : form == RECAST_TYPED ? add_typed(r, out, DEPTH_MAX)
					 : add_field(r, out);
	return is ? RC_OK : RC_CORRUPT;
}

/* Over a value: brackets are counted, and strings passed over as wholes. */
enum rc recast_skip(struct recast *r)
{
	size_t open = 0;
	const char *text;
	size_t n;
	bool escaped;
	do {
		if (is_container(r)) {
			r->at++;
			open++;
		} else if (next_is(r, '}') || next_is(r, ']')) {
			if (!open--)
				return RC_CORRUPT;
			r->at++;
		} else if (open && (next_is(r, ',') || next_is(r, ':'))) {
			r->at++;
		} else if (next_is(r, '"') ? !skip_string(r, &escaped) : !skip_scalar(r, &text, &n)) {
			return RC_CORRUPT;
		}
	} while (open);
	return RC_OK;
}
