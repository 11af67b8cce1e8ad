/* item: from tokens to a checked document (see item.h for the rules).
 *
 * It goes in two passes. The first, here, builds the tree as JSON has it while the scanner runs, for whether an object
 * is a type wrapper depends on what comes after it, and {"$M":…} decides about the object inside it. The second
 * (item_check) makes typed values of it and checks the rules. So of several faults those of JSON itself are named
 * before all others, an object's names before its values, and else the first.
 *
 * Invariants:
 *  1. All memory is the arena's: it goes in one go, and nothing in it has an owner of its own. Texts without
 *     escapes stand in the document and are not copied.
 *  2. `least`, kept by the first pass, is never more than the size that the item will have, so that a document
 *     that can only be too big is given up before it takes memory in proportion to its 16 MiB.
 */
#include "store/model/item.h"
#include "store/model/item_arena.h"
#include "store/model/item_check.h"
#include "store/model/item_type.h"
#include "store/model/json.h"
#include <stdlib.h>
#include <string.h>

/* An item and its arena, which is the first thing that item_free() needs. */
struct whole {
	struct item item;
	struct item_arena arena;
};

static struct item *item_new(const void *document, size_t n)
{
	struct whole *whole = malloc(sizeof(*whole));

	if (!whole)
		return NULL;
	whole->item = (struct item){.document = document, .document_len = n, .arena = &whole->arena};
	item_arena_init(&whole->arena, n);
	return &whole->item;
}

void item_free(struct item *item)
{
	if (!item)
		return;
	item_arena_free(item->arena);
	free(item); /* struct whole's first member */
}

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
	text = item_arena_alloc(item->arena, token->end - token->start);
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
		return least + (item_type_of_wrapper(value->name, value->name_len, &wrapper) ? 0 : value->name_len);
	if (!container->count && container->name &&
	    item_type_of_wrapper(container->name, container->name_len, &wrapper))
		return least;
	return least + 1;
}

/* A value as its token says, in its place in the tree. NULL: no memory. */
static struct item_value *add_value(struct builder *builder, const struct json_token *token, enum item_type type)
{
	struct item_value *value = item_arena_alloc(builder->item->arena, sizeof(*value));
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
	value->truth = token->event == JSON_IS_TRUE;
	if (type == ITEM_S && !read_text(builder->item, token, &value->bytes, &value->len))
		return RC_NO_MEMORY;
	return RC_OK;
}

static enum rc take_token(struct builder *builder, const struct json_token *token)
{
	switch (token->event) {
	case JSON_IS_KEY:
		builder->name_start = token->start;
		return read_text(builder->item, token, &builder->name, &builder->name_len) ? RC_OK : RC_NO_MEMORY;
	case JSON_IS_OBJECT:
		if (!builder->depth) /* the document itself: its frame is for the root */
			builder->depth = 1;
		else
			return add_container(builder, token, ITEM_M);
		return RC_OK;
	case JSON_IS_ARRAY:
		return add_container(builder, token, ITEM_L);
	case JSON_IS_OBJECT_END:
	case JSON_IS_ARRAY_END:
		builder->frames[--builder->depth].container->end = token->end;
		return RC_OK;
	case JSON_IS_STRING:
		return add_scalar(builder, token, ITEM_S);
	case JSON_IS_NUMBER:
		return add_scalar(builder, token, ITEM_N);
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
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
	struct builder builder; /* its frames are 2.5 kB, and each is set when its level is opened */
	struct json json;
	enum rc rc;

	builder.item = item;
	builder.why = why;
	builder.frames[0] = (struct frame){.container = root};
	builder.depth = builder.least = 0;
	builder.name = NULL;
	builder.name_len = builder.name_start = 0;
	json_init(&json, handle_token, &builder);
	rc = json_feed(&json, item->document, item->document_len, why);
	return rc ? rc : json_end(&json, why);
}

static enum rc parse_into(struct item *item, struct why *why)
{
	struct item_value root = {.type = ITEM_M};
	enum rc rc = build(item, &root, why);

	if (!rc)
		rc = item_check(item, &root, why);
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
