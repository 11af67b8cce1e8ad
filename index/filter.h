/* filter: one condition on what an item holds, DynamoDB's FilterExpression a comparison or function at a time. Pure, but for filter_add(), which
 * makes it part of a query.
 *
 * A filter is written as parts, the names of the directories after `.where`: ATTRIBUTE, OPERATOR, and the operator's operands. Several filters that
 * follow one another are joined by AND. In every part %XX is the byte XX (hex), so that a `/` can be written (%2F) and a `%` (%25).
 *
 *   eq ne lt le gt ge V    =  <>  <  <=  >  >=
 *   between LOW HIGH       both ends belong to it
 *   begins_with V          of a string or a binary
 *   contains V             a part of a string or binary, an element of a set or list
 *   exists, not_exists     without operand
 *   type T                 S N B BOOL NULL L M SS NS BS
 *   size OP N              OP is eq ne lt le gt ge, or between with two numbers. S: UTF-16 code units; B: bytes; sets, L, M: elements
 *
 * ATTRIBUTE is a path: names, `.` between them, `[3]` for the element of a list: `info.genres[0]`. Where a name itself holds `.`, `[` or `]` they are
 * written %2E, %5B, %5D. At most 32 names and indexes.
 *
 * Operands are JSON as a document writes values ({"$SS":["a"]}, {"$B":"…"} too), and what does not begin with `"`, `[` or `{` is a bare word: where
 * the attribute holds a string it is that string, as it stands; elsewhere it is what JSON says of it: a number, true, false or null; any other word
 * is a string wherever it stands. So `year/eq/1975` finds the number 1975 and the string "1975"; `year/eq/"1975"` only the string.
 *
 * Rules (SEMANTICS.md 3, 7, 8, 9.1): values of different types are not equal, and neither comes before the other; an attribute that is missing is
 * equal to nothing; `ne` is true wherever `eq` is not. Numbers compare by value, strings and binaries bytewise; sets are equal whatever their order,
 * lists element by element, maps name by name. What has no size (N, BOOL, NULL, nothing) has a size that is missing.
 */
#ifndef ITEMFS_FILTER_H
#define ITEMFS_FILTER_H

#include "index/query.h"
#include "index/table.h"
#include "store/model/item.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/schema.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>

enum {
	FILTER_PARTS_MAX = 5, /* ATTRIBUTE size between LOW HIGH */
	FILTER_PATH_MAX = 32, /* names and indexes in ATTRIBUTE */
};

struct filter; /* never changes once it is made */

/* Reads `count` (at least 1) parts, NUL-terminated. RC_OK: *ret_filter is the caller's (filter_free). RC_UNFINISHED: right so far, and more parts
 * must follow. RC_INVALID with why (in DynamoDB's words where it has some): it can never become right, be it that there is a part too many;
 * RC_NOT_UTF8; RC_NO_MEMORY. */
enum rc filter_parse(const char *const *parts, size_t count, struct filter **ret_filter, struct why *why);
void filter_free(struct filter *filter); /* NULL is fine */

/* Whether a place may be filtered by it: index NULL is the table itself. A query (of one partition key) must not filter by the key attributes of what
 * it reads: RC_INVALID, as DynamoDB refuses it; a scan may. No path leads into a key attribute. */
enum rc filter_check(const struct filter *filter, const struct schema *schema, const struct schema_index *index,
		     bool query, struct why *why);

/* A key attribute of an item, which the item's document may leave out; it counts, whatever the document says. */
struct filter_key {
	const struct schema_attribute *attribute;
	const struct key *key;
};

bool filter_matches(const struct filter *filter, const struct item *item, const struct filter_key *keys, size_t count);

/* Adds it to a query of this table (index NULL) or index, and takes it, also where it fails; `query`: the query is of one partition key, otherwise it
 * is a scan. Partitions and index keys then list where they hold something that passes. RC_INVALID as filter_check(); RC_NOT_FOUND: no such index;
 * RC_STALE. */
enum rc filter_add(struct filter *filter, struct table *table, const char *index, bool query, struct query *to, struct why *why);

#endif
