/* query_private: what a query is made of; for query.c, which makes it up, and listing_query.c, which carries it out. */
#ifndef ITEMFS_INDEX_QUERY_PRIVATE_H
#define ITEMFS_INDEX_QUERY_PRIVATE_H

#include "index/query.h"
#include "store/model/buf.h"

enum query_step_kind { STEP_RANGE, STEP_FIRST, STEP_LAST, STEP_AFTER, STEP_TEST };

struct query_step {
	enum query_step_kind kind;
	uint64_t n;              /* FIRST, LAST */
	struct buf from, to;     /* RANGE: from <= k < to, of the encoded keys behind the partition's; empty: no such end. AFTER: from: the encoded keys */
	struct query_test *test; /* TEST: its own */
};

struct query {
	struct query_step *steps;
	size_t count;
	uint64_t segment, segments; /* segments 0: no scan */
};

#endif
