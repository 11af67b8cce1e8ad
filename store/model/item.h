/* item: a document, read as DynamoDB reads an item: attributes with types, checked against every rule of
 * SEMANTICS.md 3 and 4 that needs no table to be known.
 *
 * JSON → types: string S, number N, true/false BOOL, null NULL, array L, object M. One-key objects whose key is
 * $B, $SS, $NS, $BS or $M say the types that JSON lacks: {"$B":"base64"}, {"$SS":["a"]}, {"$NS":[1,2]},
 * {"$BS":["base64"]}; {"$M":{…}} is a map whatever it looks like inside. (At the top level there is no such form: the document is
 * the item's map itself.) A one-key object {"$B":5} is refused, not taken for a map. An object with one of these keys and others beside it is a
 * plain map. An object whose only key is another name with a dollar is a plain map, too.
 *
 * Depth: a top-level attribute's value is level 1, at most 32; wrappers do not count.
 */
#ifndef ITEMFS_ITEM_H
#define ITEMFS_ITEM_H

#include "store/model/buf.h"
#include "store/model/number.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ITEM_SIZE_MAX = 409600,         /* by DynamoDB's measure (SEMANTICS.md 4) */
	ITEM_DOCUMENT_MAX = 16 << 20,   /* bytes of a document as written */
	ITEM_DEPTH_MAX = 32,
	ITEM_ATTRIBUTE_NAME_MAX = 65535,
};

enum item_type { ITEM_S, ITEM_N, ITEM_B, ITEM_BOOL, ITEM_NULL, ITEM_L, ITEM_M, ITEM_SS, ITEM_NS, ITEM_BS };

/* DynamoDB's name of a type: "S", "N", … */
const char *item_type_name(enum item_type type);

/* A value in a parsed item. Lives as long as its item. */
struct item_value {
	enum item_type type;
	size_t start, end;        /* where it stands in the document, wrapper included, end exclusive */
	size_t line, column;      /* of start */
	const uint8_t *bytes;     /* S: the text unescaped; B: the decoded bytes; else NULL */
	size_t len;
	struct number number;     /* N */
	bool truth;               /* BOOL */
	size_t count;             /* L, M, sets: how many elements */
	struct item_value *first; /* L, M, sets: the elements, in document order */
	struct item_value *next;  /* the sibling after this one, or NULL */
	const uint8_t *name;      /* in M and at the top: the attribute's name, unescaped, not NUL-terminated */
	size_t name_len;
	size_t name_start;        /* in M and at the top: where the name's first quote stands in the document */
	size_t size;              /* DynamoDB's measure of the value alone */
};

struct item {
	const char *document; /* borrowed: must outlive the item */
	size_t document_len;
	struct item_value *first; /* top-level attributes in document order */
	size_t count;
	size_t size; /* DynamoDB's measure of all attributes that the document holds */
	struct item_arena *arena;
};

/* Parses `document` (borrowed as long as the item lives). Zero bytes are an item with no attributes; white space alone is RC_UNFINISHED. RC_REFUSED /
 * RC_UNFINISHED with line and column; RC_TOO_BIG where `n` passes ITEM_DOCUMENT_MAX or the size passes ITEM_SIZE_MAX ("Item size has exceeded the
 * maximum allowed size"); RC_NO_MEMORY. On success *ret_item is the caller's, to be given to item_free(). Rules checked: JSON; duplicate names in any
 * object (compared unescaped, in better than quadratic time); empty attribute names at the top and in maps; number rules; base64 (standard alphabet,
 * padded, canonical: unused bits zero); sets non-empty, of one kind, without duplicates (numbers by value); depth. */
enum rc item_parse(const void *document, size_t n, struct item **ret_item, struct why *why);
void item_free(struct item *item); /* NULL is fine */

/* The top-level attribute of that name, or NULL. */
const struct item_value *item_find(const struct item *item, const void *name, size_t n);

static inline void item_freep(struct item **item)
{
	item_free(*item);
}
#define cleanup_item __attribute__((cleanup(item_freep)))

#endif
