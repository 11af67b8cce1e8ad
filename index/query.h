/* query: which entries of a partition, of a table or of an index, and in which order: DynamoDB's Query and Scan as a list of steps, each of which
 * narrows what the one before left.
 *
 * At first there are all entries, in ascending key order. A step takes what is there, in the order it has, and leaves:
 *   a condition  those whose sort key meets it
 *   first N      the first N
 *   last N       the last N, the last one first: from here on the order is the other way round (ScanIndexForward=false)
 *   after K      those that come behind K in the order as it now is (ExclusiveStartKey); K itself need not be there
 *   where T      those that pass a test (FilterExpression)
 *
 * Whatever the steps are, they leave one run of rows, read in one direction, without the rows that fail a test. So a query is carried out by moving
 * the two ends of that run (listing.h). It reads the rows that it returns, and beyond these only the rows that it had to count for a limit before
 * further steps, and those that a test turned down. SEMANTICS.md 7, 8.
 */
#ifndef ITEMFS_QUERY_H
#define ITEMFS_QUERY_H

#include "index/table.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stdint.h>

struct query;
struct listing;
struct listing_entry;

#define QUERY_ALL UINT64_MAX /* a limit that is none: the whole, in the first or the last's order */
enum { QUERY_SEGMENTS_MAX = 1000000 };

/* NULL only when out of memory. Once its steps are added it never changes, so any number of threads may read it. */
struct query *query_new(void);
void query_free(struct query *query); /* NULL is fine */

enum query_condition {
	QUERY_EQ,
	QUERY_LT,
	QUERY_LE,
	QUERY_GT,
	QUERY_GE,
	QUERY_BETWEEN, /* both ends are in */
	QUERY_BEGINS_WITH,
};

/* Adds a condition on the sort key; `to` is BETWEEN's other end and NULL otherwise. RC_INVALID with why: begins_with on a number, BETWEEN upside down. */
enum rc query_condition(struct query *query, enum query_condition condition, const struct key *key, const struct key *to, struct why *why);

/* Adds a limit. RC_INVALID with why: 0. */
enum rc query_first(struct query *query, uint64_t n, struct why *why);
enum rc query_last(struct query *query, uint64_t n, struct why *why);

/* Adds a start behind this key. Items: the sort key (count 0 in a table without one: nothing is behind its one item); entries: the keys after the
 * first, as listing_entry orders them. */
enum rc query_after(struct query *query, const struct key *keys, size_t count);

/* A test of entries that needs more than the key (index/filter.h makes them). */
struct query_test {
	/* Whether the entry that the listing stands on passes; may read its document by listing_document(). */
	enum rc (*passes)(const struct query_test *test, struct listing *listing, const struct listing_entry *entry, bool *ret_passes);
	void (*free)(struct query_test *test);
};
/* Adds a test, and takes it, also where it fails. */
enum rc query_where(struct query *query, struct query_test *test);

/* Whether it has a limit: whether an entry is in it is then more than a question about its key. */
bool query_is_limited(const struct query *query);
/* Whether it has a test: whether anything is left is then more than a question about keys. */
bool query_has_tests(const struct query *query);

/* Only the partition keys of segment `segment` of `total`: a hash of the key decides, so segments are disjoint and complete whatever is written
 * meanwhile, in every mount. For listings of partitions and of index keys, and of items and entries over all of them. RC_INVALID with DynamoDB's
 * words. */
enum rc query_segment(struct query *query, uint64_t segment, uint64_t total, struct why *why);
/* Whether this partition key belongs to the query's segment; true for a query without one, and for NULL. */
bool query_in_segment(const struct query *query, const struct key *pk);

/* The sort key's type of a table (index NULL) or of an index. RC_INVALID with why: it has none; RC_NOT_FOUND: no such index; RC_STALE. */
enum rc query_sort_type(struct table *table, const char *index, enum key_type *ret_type, struct why *why);

#endif
