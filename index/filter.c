/* filter: from parts to a condition, and the condition put to an item. Everything that can be refused is refused while the parts are read, as
 * early as they show it, so that putting it to an item can only answer yes or no.
 */
#include "index/filter_private.h"
#include "store/model/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op {
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_BETWEEN, /* those that compare; size takes them, too */
	OP_BEGINS_WITH,
	OP_CONTAINS,
	OP_EXISTS,
	OP_NOT_EXISTS,
	OP_TYPE,
	OP_SIZE,
};

/* How an operator is written, how DynamoDB calls it where it refuses an operand, and how many operands it has. */
static const struct op_words {
	const char *name, *dynamo;
	size_t operands;
} op_words[] = {
    [OP_EQ] = {"eq", "operator: =", 1},
    [OP_NE] = {"ne", "operator: <>", 1},
    [OP_LT] = {"lt", "operator: <", 1},
    [OP_LE] = {"le", "operator: <=", 1},
    [OP_GT] = {"gt", "operator: >", 1},
    [OP_GE] = {"ge", "operator: >=", 1},
    [OP_BETWEEN] = {"between", "operator: BETWEEN", 2},
    [OP_BEGINS_WITH] = {"begins_with", "operator or function: begins_with", 1},
    [OP_CONTAINS] = {"contains", "operator or function: contains", 1},
    [OP_EXISTS] = {"exists", "operator or function: attribute_exists", 0},
    [OP_NOT_EXISTS] = {"not_exists", "operator or function: attribute_not_exists", 0},
    [OP_TYPE] = {"type", "operator or function: attribute_type", 1},
    [OP_SIZE] = {"size", "operator or function: size", 0},
};

enum { OPS = sizeof op_words / sizeof *op_words };

struct filter {
	struct filter_path path;
	enum op op; /* that compares, where of_size */
	bool of_size;
	enum item_type type; /* OP_TYPE */
	struct filter_value operand[2];
};

static enum rc read_op(const char *text, struct filter *filter, struct why *why)
{
	size_t n = filter->of_size ? OP_BETWEEN + 1 : OPS;
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, op_words[i].name) == 0) {
			filter->op = (enum op)i;
			return RC_OK;
		}
	return why_set(why, RC_INVALID, "%s: %s", text,
		       filter->of_size ? "after size comes eq, ne, lt, le, gt, ge or between"
				       : "no such operator; there are eq, ne, lt, le, gt, ge, between, begins_with, "
					 "contains, exists, not_exists, type and size");
}

static enum rc read_type(const char *text, enum item_type *ret_type, struct why *why)
{
	for (enum item_type type = ITEM_S; type <= ITEM_BS; type++)
		if (strcmp(text, item_type_name(type)) == 0) {
			*ret_type = type;
			return RC_OK;
		}
	return why_set(why, RC_INVALID,
		       "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		       text);
}

static enum rc wrong_type(enum op op, const struct filter_value *operand, struct why *why)
{
	return why_set(why, RC_INVALID, "Incorrect operand type for operator or function; %s, operand type: %s",
		       op_words[op].dynamo, item_type_name(filter_value_own(operand)->type));
}

/* An operand that has an order. A word has one in any case: as a string. */
static enum rc check_ordered(const struct filter *filter, struct why *why)
{
	const struct filter_value *operand = &filter->operand[0];
	if (operand->is_word || filter_value_orders(filter_value_own(operand)->type))
		return RC_OK;
	return wrong_type(filter->op, operand, why);
}

static enum rc check_prefix(const struct filter *filter, struct why *why)
{
	const struct filter_value *operand = &filter->operand[0];
	enum item_type type = filter_value_own(operand)->type;
	return operand->is_word || type == ITEM_S || type == ITEM_B ? RC_OK : wrong_type(filter->op, operand, why);
}

static enum rc refuse_between(const struct filter *filter, const char *words, struct why *why)
{
	const struct filter_value *low = &filter->operand[0], *high = &filter->operand[1];
	return why_set(why, RC_INVALID,
		       "The BETWEEN operator requires %s; lower bound operand: AttributeValue: {%s:%.*s}, upper bound "
		       "operand: AttributeValue: {%s:%.*s}",
		       words, item_type_name(filter_value_own(low)->type), (int)low->text.len, low->text.data,
		       item_type_name(filter_value_own(high)->type), (int)high->text.len, high->text.data);
}

/* Both ends as they are by themselves, or both as strings. */
static enum rc check_between(const struct filter *filter, struct why *why)
{
	const struct item_value *low = filter_value_own(&filter->operand[0]),
				*high = filter_value_own(&filter->operand[1]);
	if (low->type != high->type || !filter_value_orders(low->type)) {
		if (low->type == high->type && !filter->operand[0].is_word)
			return wrong_type(OP_BETWEEN, &filter->operand[0], why);
		low = filter_value_for(&filter->operand[0], ITEM_S);
		high = filter_value_for(&filter->operand[1], ITEM_S);
		if (low->type != ITEM_S || high->type != ITEM_S)
			return refuse_between(filter, "same data type for lower and upper bounds", why);
	}
	return filter_value_compare(low, high) > 0
		   ? refuse_between(filter, "upper bound to be greater than or equal to lower bound", why)
		   : RC_OK;
}

static enum rc check_size(const struct filter_value *operand, struct why *why)
{
	if (filter_value_own(operand)->type == ITEM_N)
		return RC_OK;
	return why_set(why, RC_INVALID, "%.*s: a size is compared with a number", (int)operand->text.len,
		       operand->text.data);
}

/* The first `count` operands, of as many as the operator has. */
static enum rc read_operands(const char *const *parts, size_t count, struct filter *filter, struct why *why)
{
	enum rc rc = RC_OK;
	if (filter->op == OP_TYPE)
		return count ? read_type(parts[0], &filter->type, why) : RC_OK;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = filter_value_parse(parts[i], &filter->operand[i], why);
		if (!rc && filter->of_size)
			rc = check_size(&filter->operand[i], why);
	}
	if (rc || count == 0)
		return rc;
	switch (filter->op) {
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return check_ordered(filter, why);
	case OP_BETWEEN:
		return count == 2 ? check_between(filter, why) : check_ordered(filter, why);
	case OP_BEGINS_WITH:
		return check_prefix(filter, why);
	default:
		return RC_OK;
	}
}

static enum rc read_parts(const char *const *parts, size_t count, struct filter *filter, struct why *why)
{
	size_t at = 1;
	enum rc rc = filter_path_parse(parts[0], &filter->path, why);
	if (!rc && at < count)
		rc = read_op(parts[at++], filter, why);
	if (!rc && at == 2 && filter->op == OP_SIZE) {
		filter->of_size = true;
		if (at < count)
			rc = read_op(parts[at++], filter, why);
	}
	if (rc || at == 1 || filter->op == OP_SIZE)
		return rc ? rc : RC_UNFINISHED;
	size_t operands = op_words[filter->op].operands;
	if (count - at > operands)
		return why_set(why, RC_INVALID, "%s: %s has %s", parts[at + operands], op_words[filter->op].name,
			       operands == 0   ? "no operand"
			       : operands == 1 ? "one operand"
					       : "two operands");
	rc = read_operands(parts + at, count - at, filter, why);
	return rc ? rc : count - at < operands ? RC_UNFINISHED : RC_OK;
}

enum rc filter_parse(const char *const *parts, size_t count, struct filter **ret_filter, struct why *why)
{
	for (size_t i = 0; i < count; i++)
		if (!utf8_valid(parts[i], strlen(parts[i])))
			return why_set(why, RC_NOT_UTF8, "the name is not UTF-8");
	struct filter *filter = calloc(1, sizeof *filter);
	if (!filter)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	enum rc rc = read_parts(parts, count, filter, why);
	if (rc)
		filter_free(filter);
	else
		*ret_filter = filter;
	return rc;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	filter_path_free(&filter->path);
	filter_value_free(&filter->operand[0]);
	filter_value_free(&filter->operand[1]);
	free(filter);
}

static enum rc check_key(const struct filter *filter, const struct schema_attribute *attribute, bool query,
			 const char *word, struct why *why)
{
	if (!filter_path_is_in(&filter->path, attribute))
		return RC_OK;
	if (query)
		return why_set(
		    why, RC_INVALID,
		    "Filter Expression can only contain non-primary key attributes: Primary key attribute: %s",
		    attribute->name);
	if (filter->path.count > 1)
		return why_set(why, RC_INVALID,
			       "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
			       "allowed: %s: %s",
			       word, attribute->name);
	return RC_OK;
}

static enum rc check_keys(const struct filter *filter, const struct schema_key *key, bool query, const char *word,
			  struct why *why)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; i < key->partitions && !rc; i++)
		rc = check_key(filter, &key->partition[i], query, word, why);
	for (size_t i = 0; i < key->sorts && !rc; i++)
		rc = check_key(filter, &key->sort[i], query, word, why);
	return rc;
}

enum rc filter_check(const struct filter *filter, const struct schema *schema, const struct schema_index *index,
		     bool query, struct why *why)
{
	enum rc rc = check_keys(filter, &schema->key, query && !index, "Key", why);
	if (!rc && index)
		rc = check_keys(filter, &index->key, query, "IndexKey", why);
	return rc;
}

/* A key as the value that it would be in the document. A number that is none cannot come from a key. */
static bool key_value(const struct key *key, struct item_value *ret_value)
{
	size_t used;
	*ret_value = (struct item_value){.type = key->type == KEY_S ? ITEM_S : key->type == KEY_N ? ITEM_N : ITEM_B};
	if (key->type == KEY_N)
		return number_decode(key->data, key->len, &ret_value->number, &used) == RC_OK;
	ret_value->bytes = key->data;
	ret_value->len = key->len;
	return true;
}

/* The attribute that the filter is about; NULL where it is missing. */
static const struct item_value *find(const struct filter *filter, const struct item *item,
				     const struct filter_key *keys, size_t count, struct item_value *store)
{
	const struct filter_path *path = &filter->path;
	for (size_t i = 0; i < count; i++)
		if (filter_path_is_in(path, keys[i].attribute))
			return key_value(keys[i].key, store) ? filter_path_follow(path, store) : NULL;
	return filter_path_follow(path, item_find(item, path->names.data, path->step[0].len));
}

/* The comparisons. A value and an operand of different types have no order. */
static bool compare(enum op op, const struct item_value *value, const struct filter_value *operand)
{
	const struct item_value *with = filter_value_for(operand, value->type);
	if (op == OP_EQ || op == OP_NE)
		return filter_value_equal(value, with) == (op == OP_EQ);
	if (with->type != value->type || !filter_value_orders(value->type))
		return false;
	int order = filter_value_compare(value, with);
	return op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0;
}

static bool matches(const struct filter *filter, const struct item_value *value)
{
	const struct filter_value *operand = filter->operand;
	switch (filter->op) {
	case OP_BETWEEN:
		return compare(OP_GE, value, &operand[0]) && compare(OP_LE, value, &operand[1]);
	case OP_BEGINS_WITH:
		return filter_value_begins(value, filter_value_for(operand, value->type));
	case OP_CONTAINS:
		return filter_value_contains(value, operand);
	case OP_TYPE:
		return value->type == filter->type;
	case OP_EXISTS:
		return true;
	case OP_NOT_EXISTS:
		return false;
	default:
		return compare(filter->op, value, operand);
	}
}

/* Where what it is about is not there. */
static bool matches_missing(const struct filter *filter)
{
	return filter->op == OP_NE || filter->op == OP_NOT_EXISTS;
}

static struct item_value number_value(size_t n)
{
	struct item_value value = {.type = ITEM_N};
	char text[24];
	int len = snprintf(text, sizeof text, "%zu", n);
	(void)number_parse(text, (size_t)len, &value.number, NULL); /* twenty digits at most */
	return value;
}

bool filter_matches(const struct filter *filter, const struct item *item, const struct filter_key *keys, size_t count)
{
	struct item_value store;
	size_t size;
	const struct item_value *value = find(filter, item, keys, count, &store);
	if (filter->of_size && value) {
		bool has_size = filter_value_size(value, &size);
		store = number_value(has_size ? size : 0);
		value = has_size ? &store : NULL;
	}
	return value ? matches(filter, value) : matches_missing(filter);
}
