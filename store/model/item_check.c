/* item_check: walks a tree as JSON has it from the top in document order, turns wrappers into values in place, checks
 * every rule and sums up the sizes. A map's names are looked at before its values.
 *
 * Invariant: it recurses once a level, and refuses levels past ITEM_DEPTH_MAX, so its stack is bounded.
 */
#include "store/model/item_check.h"
#include "store/model/base64.h"
#include "store/model/item_arena.h"
#include "store/model/item_order.h"
#include "store/model/item_type.h"

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

/* Makes a string a binary: `from` is the string, `to` the value that gets the bytes, perhaps the same. */
static enum rc decode_base64(struct checker *checker, const struct item_value *from, struct item_value *to)
{
	/* A byte more, for an empty binary needs an address, too. */
	uint8_t *out = item_arena_alloc(checker->item->arena, from->len / 4 * 3 + 1);
	const char *wrong;

	if (!out)
		return no_memory(checker);
	wrong = base64_decode(from->bytes, from->len, out, &to->len);
	if (wrong)
		return refuse(checker, from, wrong);
	to->bytes = out;
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
	item_order *order;
	const char *empty, *stranger;
} set_kinds[] = {
    {ITEM_S, ITEM_S, item_by_bytes, "An string set  may not be empty", "the elements of a $SS are strings"},
    {ITEM_N, ITEM_N, item_by_number, "An number set  may not be empty", "the elements of a $NS are numbers"},
    {ITEM_B, ITEM_S, item_by_bytes, "Binary sets should not be empty", "the elements of a $BS are base64 strings"},
};

static enum rc resolve_element(struct checker *checker, const struct set_kind *kind, struct item_value *element)
{
	enum rc rc = RC_OK;

	if (element->type != kind->as_json)
		return why_at(checker->why, RC_REFUSED, element->line, element->column, "%s, found %s", kind->stranger,
			      item_type_in_json(element->type));
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
	if (!item_find_repeated(set->first, set->count, kind->order, &repeated))
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
	if (!item_find_repeated(map->first, map->count, item_by_name, &repeated))
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
			      item_type_in_json(inner->type));
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
		if (value->count == 1 && item_type_of_wrapper(value->first->name, value->first->name_len, &wrapper))
			return resolve_wrapper(checker, value, wrapper, level);
		return resolve_map(checker, value, level);
	default: /* ITEM_BOOL, ITEM_NULL: the first pass makes no other */
		value->size = 1;
		return RC_OK;
	}
}

enum rc item_check(struct item *item, struct item_value *root, struct why *why)
{
	struct checker checker = {.item = item, .why = why};

	return resolve_map(&checker, root, 0);
}
