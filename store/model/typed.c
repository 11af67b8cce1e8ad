/* typed: reading (see typed.h). One pass over the tokens of json.h writes the plain form as it goes; what stands open is a stack of frames.
 *
 * Only that a map looks like a type wrapper ({"$B":…} and its kin) is known when it ends: then {"$M": is put before what was written of it.
 */
#include "store/model/typed.h"
#include "store/model/item_type.h"
#include "store/model/json.h"
#include <string.h>

enum frame_kind {
	AROUND,     /* {"Item":…}, {"PutRequest":…}: one member, whose value is the next frame */
	ATTRIBUTES, /* names and typed values */
	TYPE,       /* {"S":…} */
	LIST,       /* typed values */
	SET,        /* strings */
};

struct frame {
	enum frame_kind kind;
	enum item_type type; /* TYPE, SET: which */
	size_t count;        /* of its members so far */
	size_t at;           /* ATTRIBUTES: where it begins in the output */
	bool wraps;          /* ATTRIBUTES: its first name is a wrapper's */
};

struct reading {
	const char *document;
	enum typed_form form;
	struct buf *out;
	struct buf text; /* an N's, unescaped */
	struct why *why;
	struct frame frames[JSON_DEPTH_MAX];
	size_t depth;
};

static enum rc refuse(const struct reading *r, const struct json_token *token, const char *words)
{
	return why_at(r->why, RC_REFUSED, token->line, token->column, "%s", words);
}

static void push(struct reading *r, enum frame_kind kind, enum item_type type)
{
	r->frames[r->depth++] = (struct frame){.kind = kind, .type = type, .at = r->out->len}; /* the scanner bounds the depth */
}

static void copy(const struct reading *r, const struct json_token *token)
{
	buf_add(r->out, r->document + token->start, token->end - token->start);
}

static void comma(const struct reading *r, struct frame *frame)
{
	if (frame->count++)
		buf_add_byte(r->out, ',');
}

static bool is_number(enum json_event event)
{
	return event == JSON_IS_NUMBER;
}

/* RFC 8259's grammar, which is narrower than DynamoDB's (no +1, .5, 007). */
static bool is_json_number(const char *text, size_t n)
{
	size_t i = n && text[0] == '-', digits = i;
	while (i < n && text[i] >= '0' && text[i] <= '9')
		i++;
	if (i == digits || (text[digits] == '0' && i > digits + 1))
		return false;
	if (i < n && text[i] == '.') {
		digits = ++i;
		while (i < n && text[i] >= '0' && text[i] <= '9')
			i++;
		if (i == digits)
			return false;
	}
	if (i < n && (text[i] == 'e' || text[i] == 'E')) {
		i++;
		i += i < n && (text[i] == '+' || text[i] == '-');
		digits = i;
		while (i < n && text[i] >= '0' && text[i] <= '9')
			i++;
		if (i == digits)
			return false;
	}
	return i == n;
}

/* A number, which stands in a string. */
static enum rc add_number(struct reading *r, const struct json_token *token)
{
	struct number number;
	struct why words = {.line = 0};
	char canonical[NUMBER_TEXT_MAX];
	size_t n = token->end - token->start;
	buf_clear(&r->text);
	if (!buf_reserve(&r->text, n))
		return RC_NO_MEMORY;
	size_t len = json_unescape(r->document + token->start, n, (char *)r->text.data);
	const char *text = (const char *)r->text.data;
	enum rc rc = number_parse(text, len, &number, &words);
	if (rc)
		return refuse(r, token, words.text);
	if (is_json_number(text, len))
		buf_add(r->out, text, len);
	else
		buf_add(r->out, canonical, number_format(&number, canonical));
	return RC_OK;
}

static bool type_of_tag(const char *token, size_t n, enum item_type *ret_type)
{
	char tag[32];
	if (n > sizeof tag)
		return false;
	size_t len = json_unescape(token, n, tag);
	for (int type = ITEM_S; type <= ITEM_BS; type++) {
		const char *name = item_type_name((enum item_type)type);
		if (strlen(name) == len && memcmp(name, tag, len) == 0) {
			*ret_type = (enum item_type)type;
			return true;
		}
	}
	return false;
}

static bool names_wrapper(const char *token, size_t n)
{
	char name[32];
	enum item_type type;
	if (n > sizeof name)
		return false;
	return item_type_of_wrapper((uint8_t *)name, json_unescape(token, n, name), &type);
}

static enum rc take_name(struct reading *r, const struct json_token *token)
{
	struct frame *frame = &r->frames[r->depth - 1];
	const char *text = r->document + token->start;
	size_t n = token->end - token->start;
	switch (frame->kind) {
	case AROUND:
		return frame->count++ ? refuse(r, token, "one member only stands beside an item") : RC_OK;
	case TYPE:
		if (frame->count++)
			return refuse(r, token, "a value has exactly one type");
		if (!type_of_tag(text, n, &frame->type))
			return refuse(r, token, "no type of DynamoDB's: S, N, B, BOOL, NULL, L, M, SS, NS and BS are");
		return RC_OK;
	default:
		if (!frame->count)
			frame->wraps = names_wrapper(text, n);
		comma(r, frame);
		copy(r, token);
		buf_add_byte(r->out, ':');
		return RC_OK;
	}
}

static enum rc begin_set(struct reading *r, enum item_type type)
{
	buf_printf(r->out, "{\"$%s\":[", item_type_name(type));
	push(r, SET, type);
	return RC_OK;
}

/* What stands behind a type. */
static enum rc take_typed(struct reading *r, const struct json_token *token, enum item_type type)
{
	enum json_event event = token->event;
	switch (type) {
	case ITEM_S:
		if (event != JSON_IS_STRING)
			return refuse(r, token, "the value of S is a string");
		copy(r, token);
		return RC_OK;
	case ITEM_N:
		if (event != JSON_IS_STRING)
			return refuse(r, token, "the value of N is a number in a string: {\"N\":\"42\"}");
		return add_number(r, token);
	case ITEM_B:
		if (event != JSON_IS_STRING)
			return refuse(r, token, "the value of B is base64 in a string");
		buf_add_text(r->out, "{\"$B\":");
		copy(r, token);
		buf_add_byte(r->out, '}');
		return RC_OK;
	case ITEM_BOOL:
		if (event != JSON_IS_TRUE && event != JSON_IS_FALSE)
			return refuse(r, token, "the value of BOOL is true or false");
		copy(r, token);
		return RC_OK;
	case ITEM_NULL:
		if (event != JSON_IS_TRUE)
			return refuse(r, token, "One or more parameter values were invalid: Null attribute value types must have the value of true");
		buf_add_text(r->out, "null");
		return RC_OK;
	case ITEM_L:
		if (event != JSON_IS_ARRAY)
			return refuse(r, token, "the value of L is an array");
		buf_add_byte(r->out, '[');
		push(r, LIST, ITEM_L);
		return RC_OK;
	case ITEM_M:
		if (event != JSON_IS_OBJECT)
			return refuse(r, token, "the value of M is an object");
		push(r, ATTRIBUTES, ITEM_M);
		buf_add_byte(r->out, '{');
		return RC_OK;
	default:
		return event == JSON_IS_ARRAY ? begin_set(r, type) : refuse(r, token, "the value of a set is an array of strings");
	}
}

static enum rc take_element(struct reading *r, const struct json_token *token, struct frame *frame)
{
	if (token->event != JSON_IS_STRING)
		return refuse(r, token, "the elements of a set are strings");
	comma(r, frame);
	if (frame->type == ITEM_NS)
		return add_number(r, token);
	copy(r, token);
	return RC_OK;
}

/* A value where one stands, by what it stands in. */
static enum rc take_value(struct reading *r, const struct json_token *token)
{
	if (!r->depth) {
		push(r, r->form == TYPED_BARE ? ATTRIBUTES : AROUND, ITEM_M);
		if (r->form == TYPED_BARE)
			buf_add_byte(r->out, '{');
		return RC_OK;
	}
	struct frame *frame = &r->frames[r->depth - 1];
	switch (frame->kind) {
	case AROUND:
		if (token->event != JSON_IS_OBJECT)
			return refuse(r, token, "an item is an object");
		if (r->form == TYPED_REQUEST && r->depth == 1) {
			push(r, AROUND, ITEM_M);
			return RC_OK;
		}
		push(r, ATTRIBUTES, ITEM_M);
		buf_add_byte(r->out, '{');
		return RC_OK;
	case TYPE:
		return take_typed(r, token, frame->type);
	case SET:
		return take_element(r, token, frame);
	default:
		if (token->event != JSON_IS_OBJECT)
			return refuse(r, token, is_number(token->event) ? "a value says its type: {\"N\":\"42\"}" : "a value says its type: {\"S\":\"text\"}");
		if (frame->kind == LIST)
			comma(r, frame);
		push(r, TYPE, ITEM_M);
		return RC_OK;
	}
}

/* Puts text before what was written since `at`. */
static void insert(struct buf *out, size_t at, const char *text)
{
	size_t n = strlen(text), rest = out->len - at;
	if (!buf_reserve(out, n))
		return;
	memmove(out->data + at + n, out->data + at, rest);
	memcpy(out->data + at, text, n);
	out->len += n;
}

static enum rc take_end(struct reading *r, const struct json_token *token)
{
	const struct frame *frame = &r->frames[--r->depth];
	switch (frame->kind) {
	case AROUND:
		return frame->count ? RC_OK : refuse(r, token, "there is no item in it");
	case TYPE:
		return frame->count ? RC_OK : refuse(r, token, "a value has exactly one type");
	case LIST:
		buf_add_byte(r->out, ']');
		return RC_OK;
	case SET:
		buf_add_text(r->out, "]}");
		return RC_OK;
	default:
		buf_add_byte(r->out, '}');
		/* The item itself (which stands in no TYPE) is its map, whatever it looks like. */
		if (frame->wraps && frame->count == 1 && r->depth && r->frames[r->depth - 1].kind == TYPE) {
			insert(r->out, frame->at, "{\"$M\":");
			buf_add_byte(r->out, '}');
		}
		return RC_OK;
	}
}

static enum rc take_token(void *context, const struct json_token *token)
{
	struct reading *r = context;
	enum rc rc = RC_OK;
	if (token->event == JSON_IS_KEY)
		rc = take_name(r, token);
	else if (token->event == JSON_IS_OBJECT_END || token->event == JSON_IS_ARRAY_END)
		rc = take_end(r, token);
	else
		rc = take_value(r, token);
	if (!rc && r->out->len > ITEM_DOCUMENT_MAX)
		return why_set(r->why, RC_TOO_BIG, "as plain JSON more than %d bytes", ITEM_DOCUMENT_MAX);
	return rc;
}

enum rc typed_to_plain(const void *document, size_t n, enum typed_form form, struct buf *out, struct why *why)
{
	struct reading r = {.document = document, .form = form, .out = out, .why = why};
	struct json json;
	json_init(&json, take_token, &r);
	enum rc rc = json_feed(&json, document, n, why);
	if (!rc)
		rc = json_end(&json, why);
	if (!rc && out->failed)
		rc = RC_NO_MEMORY;
	buf_free(&r.text);
	return rc;
}

/* Looks at the top of a document until its form is known. */
struct looking {
	const char *document, *key;
	size_t key_len, depth, members;
	bool of_key;          /* the value of the key attribute comes, or is open */
	enum typed_form form; /* by the first name, where that stays the only one */
	bool deletes;
	struct buf name;
	struct why *why;
};

enum { DECIDED = RC_EXISTS }; /* ends the scan: `form` is it */

static bool name_is(const struct looking *l, const char *name)
{
	return l->name.len == strlen(name) && memcmp(l->name.data, name, l->name.len) == 0;
}

static bool read_name(struct looking *l, const struct json_token *token)
{
	size_t n = token->end - token->start;
	buf_clear(&l->name);
	if (!buf_reserve(&l->name, n))
		return false;
	l->name.len = json_unescape(l->document + token->start, n, (char *)l->name.data);
	return true;
}

static enum rc look_at_name(struct looking *l, const struct json_token *token)
{
	enum item_type type;
	if (l->depth > 2 || (l->depth == 2 && !l->of_key))
		return RC_OK;
	if (!read_name(l, token))
		return RC_NO_MEMORY;
	if (l->depth == 2) {
		l->form = item_type_of_wrapper(l->name.data, l->name.len, &type) ? TYPED_PLAIN : TYPED_BARE;
		return (enum rc)DECIDED;
	}
	l->of_key = l->name.len == l->key_len && memcmp(l->name.data, l->key, l->key_len) == 0;
	if (!l->members++) {
		l->form = name_is(l, "Item") ? TYPED_ITEM : name_is(l, "PutRequest") ? TYPED_REQUEST : TYPED_PLAIN;
		l->deletes = name_is(l, "DeleteRequest");
	}
	return RC_OK;
}

static enum rc look(void *context, const struct json_token *token)
{
	struct looking *l = context;
	switch (token->event) {
	case JSON_IS_KEY:
		return look_at_name(l, token);
	case JSON_IS_OBJECT:
		l->depth++;
		return RC_OK;
	case JSON_IS_OBJECT_END:
	case JSON_IS_ARRAY_END:
		l->depth--;
		break;
	case JSON_IS_ARRAY:
		l->depth++;
		break;
	default:
		break;
	}
	if (!l->of_key)
		return RC_OK;
	l->form = TYPED_PLAIN; /* a scalar, an array, or {}: no key by either form, and the plain one says so */
	return (enum rc)DECIDED;
}

enum rc typed_form_of(const void *document, size_t n, const char *key, size_t key_len, enum typed_form *ret_form, struct why *why)
{
	struct looking l = {.document = document, .key = key, .key_len = key_len, .why = why};
	struct json json;
	json_init(&json, look, &l);
	enum rc rc = json_feed(&json, document, n, why);
	if (!rc)
		rc = json_end(&json, why);
	if (!rc && l.members != 1)
		l.form = TYPED_PLAIN;
	else if (!rc && l.deletes)
		rc = why_set(why, RC_REFUSED, "an import puts items; it deletes none");
	buf_free(&l.name);
	if (rc == (enum rc)DECIDED)
		rc = RC_OK;
	if (!rc)
		*ret_form = l.form;
	return rc;
}
