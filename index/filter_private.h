/* filter_private: what filter*.c share: an attribute's path, an operand, and how values compare. */
#ifndef ITEMFS_FILTER_PRIVATE_H
#define ITEMFS_FILTER_PRIVATE_H

#include "index/filter.h"
#include "store/model/buf.h"

/* filter_path.c */
struct filter_step {
	bool is_index;
	size_t index;
	size_t at, len; /* of a name, in filter_path.names */
};

struct filter_path {
	struct filter_step step[FILTER_PATH_MAX]; /* the first is a name */
	size_t count;
	struct buf names;
};

/* *path is zeroed before, and freed after, whatever is returned. */
enum rc filter_path_parse(const char *text, struct filter_path *path, struct why *why);
void filter_path_free(struct filter_path *path);

/* Whether the path begins with this attribute. */
bool filter_path_is_in(const struct filter_path *path, const struct schema_attribute *attribute);

/* Follows the path on from the value of its first name (NULL: there is none). NULL: there is nothing. */
const struct item_value *filter_path_follow(const struct filter_path *path, const struct item_value *value);

/* filter_value.c */
struct filter_value {
	struct buf text;               /* the part, unescaped */
	struct buf document;           /* {"v":TEXT}, the item's document */
	struct item *item;             /* NULL where TEXT is a word that JSON does not know */
	const struct item_value *json; /* what JSON says of TEXT; NULL likewise */
	bool is_word;
	struct item_value word; /* a word's text as a string */
};

/* *value is zeroed before, and freed after, whatever is returned. */
enum rc filter_value_parse(const char *text, struct filter_value *value, struct why *why);
void filter_value_free(struct filter_value *value);

/* What the operand means to an attribute of this type. Never NULL. */
const struct item_value *filter_value_for(const struct filter_value *value, enum item_type type);

/* What it means by itself: what JSON says, or else the word. */
const struct item_value *filter_value_own(const struct filter_value *value);

bool filter_value_orders(enum item_type type); /* S, N and B have an order */
bool filter_value_equal(const struct item_value *a, const struct item_value *b);
/* Of two values of the same type that has an order: <0, 0, >0. */
int filter_value_compare(const struct item_value *a, const struct item_value *b);
bool filter_value_begins(const struct item_value *value, const struct item_value *prefix);
bool filter_value_contains(const struct item_value *value, const struct filter_value *operand);
/* False: it has no size. */
bool filter_value_size(const struct item_value *value, size_t *ret_size);

#endif
