/* item: from tokens to a checked document (see item.h for the rules).
 *
 * It goes in two passes. The first builds the tree as JSON has it while the scanner runs, for whether an object
 * is a type wrapper depends on what comes after it, and {"$M":…} decides about the object inside it. The second
 * walks the tree from the top in document order, turns wrappers into values in place, checks every rule and sums
 * up the sizes. So of several faults those of JSON itself are named before all others, an object's names before
 * its values, and else the first.
 *
 * Invariants:
 *  1. All memory is the arena's: it goes in one go, and nothing in it has an owner of its own. Texts without
 *     escapes stand in the document and are not copied.
 *  2. `least`, kept by the first pass, is never more than the size that the item will have, so that a document
 *     that can only be too big is given up before it takes memory in proportion to its 16 MiB.
 *  3. The second pass recurses once a level, and refuses those past ITEM_DEPTH_MAX.
 */
#include "store/model/item.h"
#include "store/model/json.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory */

enum {
	ARENA_FIRST_MIN = 1 << 10,
	ARENA_FIRST_MAX = 1 << 18,
	ARENA_CHUNK_MAX = 1 << 20,
};

struct chunk {
	struct chunk *next;
	max_align_t bytes[];
};

struct item_arena {
	struct chunk *chunks; /* the one in use first */
	uint8_t *at;
	size_t left;
	size_t chunk_size; /* of the next chunk */
};

static void *arena_alloc(struct item_arena *arena, size_t n)
{
	struct chunk *chunk;
	size_t size;
	void *bytes;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1); /* n is a document's length at most */
	if (n > arena->left) {
		size = n > arena->chunk_size ? n : arena->chunk_size;
		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->at = (uint8_t *)chunk->bytes;
		arena->left = size;
		if (arena->chunk_size < ARENA_CHUNK_MAX)
			arena->chunk_size *= 2;
	}
	bytes = arena->at;
	arena->at += n;
	arena->left -= n;
	return bytes;
}

/* An item and its arena, which is the first thing that item_free() needs. */
struct whole {
	struct item item;
	struct item_arena arena;
};

static struct item *item_new(const void *document, size_t n)
{
	struct whole *whole = calloc(1, sizeof(*whole));

	if (!whole)
		return NULL;
	whole->item.document = document;
	whole->item.document_len = n;
	whole->item.arena = &whole->arena;
	/* Most documents fit in a chunk of four times their length. */
	whole->arena.chunk_size = n < ARENA_FIRST_MIN / 4   ? ARENA_FIRST_MIN
				  : n > ARENA_FIRST_MAX / 4 ? ARENA_FIRST_MAX
							    : 4 * n;
	return &whole->item;
}

void item_free(struct item *item)
{
	struct chunk *chunk, *next;

	if (!item)
		return;
	for (chunk = item->arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(item); /* struct whole's first member */
}

/* ---- types */

const char *item_type_name(enum item_type type)
{
	static const char *const names[] = {
	    [ITEM_S] = "S", [ITEM_N] = "N", [ITEM_B] = "B",   [ITEM_BOOL] = "BOOL", [ITEM_NULL] = "NULL",
	    [ITEM_L] = "L", [ITEM_M] = "M", [ITEM_SS] = "SS", [ITEM_NS] = "NS",     [ITEM_BS] = "BS",
	};

	return names[type];
}

/* What a value is called in JSON, for somebody who wrote it where it does not belong. */
static const char *json_name(enum item_type type)
{
	switch (type) {
	case ITEM_S:
		return "a string";
	case ITEM_N:
		return "a number";
	case ITEM_BOOL:
		return "true or false";
	case ITEM_NULL:
		return "null";
	case ITEM_L:
		return "an array";
	default:
		return "an object";
	}
}

/* The type that a name says as an object's only one. */
static bool wrapper_type(const uint8_t *name, size_t n, enum item_type *ret_type)
{
	if (n < 2 || n > 3 || name[0] != '$')
		return false;
	if (n == 2) {
		*ret_type = name[1] == 'B' ? ITEM_B : ITEM_M;
		return name[1] == 'B' || name[1] == 'M';
	}
	*ret_type = name[1] == 'S' ? ITEM_SS : name[1] == 'N' ? ITEM_NS : ITEM_BS;
	return name[2] == 'S' && (name[1] == 'S' || name[1] == 'N' || name[1] == 'B');
}

/* ---- the first pass: the tree as JSON has it */

struct frame {
	struct item_value *container;
	struct item_value *last; /* of its elements so far */
};

struct builder {
	struct item *item;
	struct why *why;
	struct frame frames[JSON_DEPTH_MAX];
	size_t depth;
	const uint8_t *name; /* of the value to come */
	size_t name_len, name_start;
	size_t least;
};

static enum rc too_big(struct why *why)
{
	return why_set(why, RC_TOO_BIG, "Item size has exceeded the maximum allowed size");
}

/* The text of a string token. */
static bool read_text(struct item *item, const struct json_token *token, const uint8_t **ret_text, size_t *ret_len)
{
	const char *at = item->document + token->start;
	char *text;

	if (!token->escaped) {
		*ret_text = (const uint8_t *)at + 1;
		*ret_len = token->end - token->start - 2;
		return true;
	}
	text = arena_alloc(item->arena, token->end - token->start);
	if (!text)
		return false;
	*ret_len = json_unescape(at, token->end - token->start, text);
	*ret_text = (const uint8_t *)text;
	return true;
}

/* What a value adds to the size in any case. Names of wrappers add nothing; and of an array that may be a set's, one
 * element can be empty. */
static size_t least_of(const struct builder *builder, const struct item_value *value)
{
	const struct item_value *container = builder->frames[builder->depth - 1].container;
	enum item_type wrapper;
	size_t least = value->type == ITEM_N || value->type == ITEM_BOOL || value->type == ITEM_NULL ? 1 : 0;

	if (container->type == ITEM_M)
		return least + (wrapper_type(value->name, value->name_len, &wrapper) ? 0 : value->name_len);
	if (!container->count && container->name && wrapper_type(container->name, container->name_len, &wrapper))
		return least;
	return least + 1;
}

/* A value as its token says, in its place in the tree. NULL: no memory. */
static struct item_value *add_value(struct builder *builder, const struct json_token *token, enum item_type type)
{
	struct item_value *value = arena_alloc(builder->item->arena, sizeof(*value));
	struct frame *frame = &builder->frames[builder->depth - 1];

	if (!value)
		return NULL;
	*value = (struct item_value){
	    .type = type, .start = token->start, .end = token->end, .line = token->line, .column = token->column};
	if (frame->container->type == ITEM_M) {
		value->name = builder->name;
		value->name_len = builder->name_len;
		value->name_start = builder->name_start;
	}
	builder->least += least_of(builder, value);
	if (frame->last)
		frame->last->next = value;
	else
		frame->container->first = value;
	frame->last = value;
	frame->container->count++;
	return value;
}

static enum rc add_container(struct builder *builder, const struct json_token *token, enum item_type type)
{
	struct item_value *value = add_value(builder, token, type);

	if (!value)
		return RC_NO_MEMORY;
	builder->frames[builder->depth++] = (struct frame){.container = value}; /* the scanner bounds the depth */
	return RC_OK;
}

static enum rc add_scalar(struct builder *builder, const struct json_token *token, enum item_type type)
{
	struct item_value *value = add_value(builder, token, type);

	if (!value)
		return RC_NO_MEMORY;
	value->truth = token->event == JSON_TRUE;
	if (type == ITEM_S && !read_text(builder->item, token, &value->bytes, &value->len))
		return RC_NO_MEMORY;
	return RC_OK;
}

static enum rc take_token(struct builder *builder, const struct json_token *token)
{
	switch (token->event) {
	case JSON_KEY:
		builder->name_start = token->start;
		return read_text(builder->item, token, &builder->name, &builder->name_len) ? RC_OK : RC_NO_MEMORY;
	case JSON_OBJECT:
		if (!builder->depth) /* the document itself: its frame is for the root */
			builder->depth = 1;
		else
			return add_container(builder, token, ITEM_M);
		return RC_OK;
	case JSON_ARRAY:
		return add_container(builder, token, ITEM_L);
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		builder->frames[--builder->depth].container->end = token->end;
		return RC_OK;
	case JSON_STRING:
		return add_scalar(builder, token, ITEM_S);
	case JSON_NUMBER:
		return add_scalar(builder, token, ITEM_N);
	case JSON_TRUE:
	case JSON_FALSE:
		return add_scalar(builder, token, ITEM_BOOL);
	default:
		return add_scalar(builder, token, ITEM_NULL);
	}
}

static enum rc handle_token(void *context, const struct json_token *token)
{
	struct builder *builder = context;
	enum rc rc = take_token(builder, token);

	if (rc == RC_NO_MEMORY)
		return why_set(builder->why, RC_NO_MEMORY, "out of memory");
	if (!rc && builder->least > ITEM_SIZE_MAX)
		return too_big(builder->why);
	return rc;
}

static enum rc build(struct item *item, struct item_value *root, struct why *why)
{
	struct builder builder = {.item = item, .why = why, .frames[0].container = root};
	struct json json;
	enum rc rc;

	json_init(&json, handle_token, &builder);
	rc = json_feed(&json, item->document, item->document_len, why);
	return rc ? rc : json_end(&json, why);
}

/* ---- the second pass: rules, types, sizes */

struct checker {
	struct item *item;
	struct why *why;
};

static enum rc resolve(struct checker *checker, struct item_value *value, unsigned level);

static enum rc no_memory(struct checker *checker)
{
	return why_set(checker->why, RC_NO_MEMORY, "out of memory");
}

static enum rc refuse(struct checker *checker, const struct item_value *value, const char *words)
{
	return why_at(checker->why, RC_REFUSED, value->line, value->column, "%s", words);
}

/* How much of a text is shown in a refusal: whole characters, about a line of them. */
static size_t shown_length(const uint8_t *text, size_t n)
{
	size_t shown = 100;

	if (n <= shown)
		return n;
	while (shown && (text[shown] & 0xc0) == 0x80)
		shown--;
	return shown;
}

/* Refuses at the name of `value`. */
static enum rc refuse_name(struct checker *checker, const struct item_value *value, const char *words)
{
	cleanup_buf struct buf shown = {0};
	const char *document = checker->item->document;
	size_t line = value->line, begin;

	for (size_t i = value->name_start; i < value->start; i++) /* a name stands at its value's line or before */
		line -= document[i] == '\n';
	for (begin = value->name_start; begin && document[begin - 1] != '\n'; begin--)
		;
	if (value->name_len) {
		buf_add_text(&shown, ": ");
		buf_add_json_string(&shown, value->name, shown_length(value->name, value->name_len));
	}
	buf_add_byte(&shown, 0);
	return why_at(checker->why, RC_REFUSED, line, value->name_start - begin + 1, "%s%s", words,
		      shown.failed ? "" : (const char *)shown.data);
}

/* What makes two siblings the same: names in a map, texts in SS and BS, numbers in NS. The order is no other use. */
typedef int sibling_order(const struct item_value *a, const struct item_value *b);

static int order_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

static int by_name(const struct item_value *a, const struct item_value *b)
{
	return order_bytes(a->name, a->name_len, b->name, b->name_len);
}

static int by_bytes(const struct item_value *a, const struct item_value *b)
{
	return order_bytes(a->bytes, a->len, b->bytes, b->len);
}

static int by_number(const struct item_value *a, const struct item_value *b)
{
	return number_compare(&a->number, &b->number);
}

static int compare_siblings(const void *a, const void *b, void *order)
{
	const struct item_value *const *left = a, *const *right = b;
	int result = (*(sibling_order *const *)order)(*left, *right);

	/* The same ones in document order, so that the later of two neighbours is the one that repeats. */
	return result ? result : (*left)->start < (*right)->start ? -1 : 1;
}

enum { FEW = 8 }; /* up to so many siblings are compared each with each */

static const struct item_value *repeated_of_few(const struct item_value *first, sibling_order *order)
{
	for (const struct item_value *value = first; value; value = value->next)
		for (const struct item_value *before = first; before != value; before = before->next)
			if (!order(before, value))
				return value;
	return NULL;
}

/* Sets *ret_repeated to the first sibling that is the same as one before it, NULL where there is none. False: no memory. */
static bool find_repeated(const struct item_value *first, size_t count, sibling_order *order,
			  const struct item_value **ret_repeated)
{
	const struct item_value **sorted, *repeated = NULL;
	size_t n = 0;

	if (count <= FEW) {
		*ret_repeated = repeated_of_few(first, order);
		return true;
	}
	sorted = malloc(count * sizeof(const struct item_value *));
	if (!sorted)
		return false;
	for (const struct item_value *value = first; value; value = value->next)
		sorted[n++] = value;
	qsort_r(sorted, n, sizeof(const struct item_value *), compare_siblings, &order);
	for (size_t i = 1; i < n; i++)
		if (!order(sorted[i - 1], sorted[i]) && (!repeated || sorted[i]->start < repeated->start))
			repeated = sorted[i];
	free(sorted);
	*ret_repeated = repeated;
	return true;
}

static int digit64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The three bytes of four characters, of which the last `padding` are '='. NULL, or what is wrong. */
static const char *decode_group(const uint8_t *in, unsigned padding, uint8_t out[3])
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit64(in[i]) : 0;

		if (value < 0)
			return in[i] == '=' ? "not base64: '=' stands only at the end"
					    : "not base64: a character that is not A-Z a-z 0-9 + /";
		bits = bits << 6 | (unsigned)value;
	}
	if (bits & ((1u << (8 * padding)) - 1))
		return "not canonical base64: the unused bits of the last character are not zero";
	for (unsigned i = 0; i < 3 - padding; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return NULL;
}

/* Makes a string a binary: `from` is the string, `to` the value that gets the bytes, perhaps the same. */
static enum rc decode_base64(struct checker *checker, const struct item_value *from, struct item_value *to)
{
	const uint8_t *in = from->bytes;
	size_t n = from->len, padding = 0;
	const char *wrong;
	uint8_t *out;

	if (n % 4)
		return refuse(checker, from,
			      "not base64: its length is not a multiple of 4 (with '=' at the end as padding)");
	if (n && in[n - 1] == '=')
		padding = in[n - 2] == '=' ? 2 : 1;
	out = arena_alloc(checker->item->arena, n / 4 * 3 + 1);
	if (!out)
		return no_memory(checker);
	for (size_t i = 0; i < n; i += 4) {
		wrong = decode_group(in + i, i + 4 == n ? (unsigned)padding : 0, out + i / 4 * 3);
		if (wrong)
			return refuse(checker, from, wrong);
	}
	to->bytes = out;
	to->len = n / 4 * 3 - padding;
	return RC_OK;
}

static enum rc resolve_number(struct checker *checker, struct item_value *value)
{
	enum rc rc = number_parse(checker->item->document + value->start, value->end - value->start, &value->number,
				  checker->why);

	if (rc && checker->why) {
		checker->why->line = value->line;
		checker->why->column = value->column;
	}
	value->size = rc ? 0 : number_size(&value->number);
	return rc;
}

/* The kinds of sets, indexed from ITEM_SS. */
static const struct set_kind {
	enum item_type element, as_json; /* what an element is, and what it is written as */
	sibling_order *order;
	const char *empty, *stranger;
} set_kinds[] = {
    {ITEM_S, ITEM_S, by_bytes, "An string set  may not be empty", "the elements of a $SS are strings"},
    {ITEM_N, ITEM_N, by_number, "An number set  may not be empty", "the elements of a $NS are numbers"},
    {ITEM_B, ITEM_S, by_bytes, "Binary sets should not be empty", "the elements of a $BS are base64 strings"},
};

static enum rc resolve_element(struct checker *checker, const struct set_kind *kind, struct item_value *element)
{
	enum rc rc = RC_OK;

	if (element->type != kind->as_json)
		return why_at(checker->why, RC_REFUSED, element->line, element->column, "%s, found %s", kind->stranger,
			      json_name(element->type));
	if (kind->element == ITEM_N)
		return resolve_number(checker, element);
	if (kind->element == ITEM_B)
		rc = decode_base64(checker, element, element);
	element->type = kind->element;
	element->size = element->len;
	return rc;
}

static enum rc refuse_repeated(struct checker *checker, const struct item_value *element)
{
	const uint8_t *text = (const uint8_t *)checker->item->document + element->start;
	size_t n = element->end - element->start, shown = shown_length(text, n);

	return why_at(checker->why, RC_REFUSED, element->line, element->column,
		      "Input collection contains duplicates: %.*s%s", (int)shown, (const char *)text,
		      shown < n ? "…" : "");
}

/* A set that is written as `array`. */
static enum rc resolve_set(struct checker *checker, struct item_value *set, struct item_value *array)
{
	const struct set_kind *kind = &set_kinds[set->type - ITEM_SS];
	const struct item_value *repeated;
	enum rc rc;

	if (!array->count)
		return refuse(checker, array, kind->empty);
	for (struct item_value *element = array->first; element; element = element->next) {
		rc = resolve_element(checker, kind, element);
		if (rc)
			return rc;
		set->size += element->size;
	}
	set->first = array->first;
	set->count = array->count;
	if (!find_repeated(set->first, set->count, kind->order, &repeated))
		return no_memory(checker);
	return repeated ? refuse_repeated(checker, repeated) : RC_OK;
}

static enum rc resolve_map(struct checker *checker, struct item_value *map, unsigned level)
{
	const struct item_value *repeated;
	enum rc rc;

	for (struct item_value *value = map->first; value; value = value->next) {
		if (!value->name_len)
			return refuse_name(checker, value, "Empty attribute name");
		if (value->name_len > ITEM_ATTRIBUTE_NAME_MAX)
			return refuse_name(checker, value, "an attribute name of more than 65535 bytes");
	}
	if (!find_repeated(map->first, map->count, by_name, &repeated))
		return no_memory(checker);
	if (repeated)
		return refuse_name(checker, repeated, "an attribute name that stands here twice");
	map->size = 3;
	for (struct item_value *value = map->first; value; value = value->next) {
		rc = resolve(checker, value, level + 1);
		if (rc)
			return rc;
		map->size += 1 + value->name_len + value->size;
	}
	return RC_OK;
}

static enum rc resolve_list(struct checker *checker, struct item_value *list, unsigned level)
{
	enum rc rc;

	list->size = 3;
	for (struct item_value *value = list->first; value; value = value->next) {
		rc = resolve(checker, value, level + 1);
		if (rc)
			return rc;
		list->size += 1 + value->size;
	}
	return RC_OK;
}

/* An object whose only name says a type. */
static enum rc resolve_wrapper(struct checker *checker, struct item_value *value, enum item_type type, unsigned level)
{
	struct item_value *inner = value->first;
	enum item_type wanted = type == ITEM_B ? ITEM_S : type == ITEM_M ? ITEM_M : ITEM_L;
	enum rc rc;

	if (inner->type != wanted)
		return why_at(checker->why, RC_REFUSED, inner->line, inner->column, "%.*s is %s, found %s",
			      (int)inner->name_len, (const char *)inner->name,
			      type == ITEM_B   ? "a base64 string"
			      : type == ITEM_M ? "an object"
					       : "an array of a set's elements",
			      json_name(inner->type));
	value->type = type;
	value->first = NULL;
	value->count = 0;
	switch (type) {
	case ITEM_B:
		rc = decode_base64(checker, inner, value);
		value->size = value->len;
		return rc;
	case ITEM_M:
		value->first = inner->first;
		value->count = inner->count;
		return resolve_map(checker, value, level);
	default:
		return resolve_set(checker, value, inner);
	}
}

static enum rc resolve(struct checker *checker, struct item_value *value, unsigned level)
{
	enum item_type wrapper;

	if (level > ITEM_DEPTH_MAX)
		return refuse(
		    checker, value,
		    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
		    "beyond supported limit");
	switch (value->type) {
	case ITEM_S:
		value->size = value->len;
		return RC_OK;
	case ITEM_N:
		return resolve_number(checker, value);
	case ITEM_L:
		return resolve_list(checker, value, level);
	case ITEM_M:
		if (value->count == 1 && wrapper_type(value->first->name, value->first->name_len, &wrapper))
			return resolve_wrapper(checker, value, wrapper, level);
		return resolve_map(checker, value, level);
	default: /* ITEM_BOOL, ITEM_NULL: the first pass makes no other */
		value->size = 1;
		return RC_OK;
	}
}

static enum rc parse_into(struct item *item, struct why *why)
{
	struct item_value root = {.type = ITEM_M};
	struct checker checker = {.item = item, .why = why};
	enum rc rc = build(item, &root, why);

	if (!rc)
		rc = resolve_map(&checker, &root, 0);
	if (rc)
		return rc;
	item->first = root.first;
	item->count = root.count;
	item->size = root.size - 3 - root.count; /* the item itself has none of a map's overhead */
	return item->size > ITEM_SIZE_MAX ? too_big(why) : RC_OK;
}

enum rc item_parse(const void *document, size_t n, struct item **ret_item, struct why *why)
{
	struct item *item;
	enum rc rc = RC_OK;

	if (n > ITEM_DOCUMENT_MAX)
		return why_set(why, RC_TOO_BIG, "a document of %zu bytes, of which %d are allowed", n,
			       ITEM_DOCUMENT_MAX);
	item = item_new(document, n);
	if (!item)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	if (n)
		rc = parse_into(item, why);
	if (rc)
		item_free(item);
	else
		*ret_item = item;
	return rc;
}

const struct item_value *item_find(const struct item *item, const void *name, size_t n)
{
	for (const struct item_value *value = item->first; value; value = value->next)
		if (value->name_len == n && !memcmp(value->name, name, n))
			return value;
	return NULL;
}
