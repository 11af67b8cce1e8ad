/* query: see query.h. A condition becomes two ends of a range of encoded keys at once; what is impossible is found out here. */
#include "index/query.h"
#include "index/query_private.h"
#include "store/rows.h"
#include <stdlib.h>
#include <string.h>

enum { TERMINATOR = 2 /* bytes that end an encoded S or B: key.h */ };

struct query *query_new(void)
{
	return calloc(1, sizeof(struct query));
}

void query_free(struct query *query)
{
	if (!query)
		return;
	for (size_t i = 0; i < query->count; i++) {
		struct query_step *step = &query->steps[i];
		buf_free(&step->from);
		buf_free(&step->to);
		if (step->test)
			step->test->free(step->test);
	}
	free(query->steps);
	free(query);
}

/* Room for one more, zeroed; NULL: no memory. */
static struct query_step *add_step(struct query *query, enum query_step_kind kind)
{
	struct query_step *grown = realloc(query->steps, (query->count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	query->steps = grown;
	grown[query->count] = (struct query_step){.kind = kind};
	return &grown[query->count++];
}

/* The end of a range: the key itself, or just behind everything that begins with it. */
static void add_end(struct buf *end, const struct key *key, bool behind)
{
	key_encode(key, end);
	if (behind)
		row_after(end);
}

static void add_prefix(struct query_step *step, const struct key *key)
{
	key_encode(key, &step->from);
	if (!step->from.failed)
		step->from.len -= TERMINATOR; /* so that longer keys follow */
	buf_add(&step->to, step->from.data, step->from.len);
	row_after(&step->to);
}

static bool upside_down(const struct key *low, const struct key *high)
{
	cleanup_buf struct buf a = {0}, b = {0};
	key_encode(low, &a);
	key_encode(high, &b);
	size_t n = a.len < b.len ? a.len : b.len;
	return n && memcmp(a.data, b.data, n) > 0; /* no encoding is a prefix of another */
}

static enum rc check_condition(enum query_condition condition, const struct key *key, const struct key *to, struct why *why)
{
	if (condition == QUERY_BEGINS_WITH && key->type == KEY_N)
		return why_set(why, RC_INVALID, "begins_with is for strings and binaries; this sort key is a number");
	if (condition == QUERY_BETWEEN && upside_down(key, to))
		return why_set(why, RC_INVALID,
			       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound");
	return RC_OK;
}

enum rc query_condition(struct query *query, enum query_condition condition, const struct key *key, const struct key *to, struct why *why)
{
	enum rc rc = check_condition(condition, key, to, why);
	if (rc)
		return rc;
	struct query_step *step = add_step(query, STEP_RANGE);
	if (!step)
		return RC_NO_MEMORY;
	if (condition == QUERY_BEGINS_WITH)
		add_prefix(step, key);
	if (condition == QUERY_EQ || condition == QUERY_GE || condition == QUERY_GT || condition == QUERY_BETWEEN)
		add_end(&step->from, key, condition == QUERY_GT);
	if (condition == QUERY_EQ || condition == QUERY_LE || condition == QUERY_LT)
		add_end(&step->to, key, condition != QUERY_LT);
	if (condition == QUERY_BETWEEN)
		add_end(&step->to, to, true);
	return step->from.failed || step->to.failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc add_limit(struct query *query, enum query_step_kind kind, uint64_t n, struct why *why)
{
	if (!n)
		return why_set(why, RC_INVALID, "a limit is a whole number from 1");
	struct query_step *step = add_step(query, kind);
	if (!step)
		return RC_NO_MEMORY;
	step->n = n;
	return RC_OK;
}

enum rc query_first(struct query *query, uint64_t n, struct why *why)
{
	return add_limit(query, STEP_FIRST, n, why);
}

enum rc query_last(struct query *query, uint64_t n, struct why *why)
{
	return add_limit(query, STEP_LAST, n, why);
}

enum rc query_after(struct query *query, const struct key *keys, size_t count)
{
	struct query_step *step = add_step(query, STEP_AFTER);
	if (!step)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		key_encode(&keys[i], &step->from);
	return step->from.failed ? RC_NO_MEMORY : RC_OK;
}

enum rc query_where(struct query *query, struct query_test *test)
{
	struct query_step *step = add_step(query, STEP_TEST);
	if (!step) {
		test->free(test);
		return RC_NO_MEMORY;
	}
	step->test = test;
	return RC_OK;
}

bool query_is_limited(const struct query *query)
{
	for (size_t i = 0; i < query->count; i++)
		if (query->steps[i].n && query->steps[i].n != QUERY_ALL)
			return true;
	return false;
}

bool query_has_tests(const struct query *query)
{
	for (size_t i = 0; i < query->count; i++)
		if (query->steps[i].test)
			return true;
	return false;
}

enum rc query_segment(struct query *query, uint64_t segment, uint64_t total, struct why *why)
{
	if (total < 1 || total > QUERY_SEGMENTS_MAX)
		return why_set(why, RC_INVALID,
			       "1 validation error detected: Value '%llu' at 'totalSegments' failed to satisfy constraint: Member must have value %s",
			       (unsigned long long)total, total < 1 ? "greater than or equal to 1" : "less than or equal to 1000000");
	if (segment >= total)
		return why_set(why, RC_INVALID,
			       "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %llu is not less "
			       "than TotalSegments: %llu",
			       (unsigned long long)segment, (unsigned long long)total);
	query->segment = segment;
	query->segments = total;
	return RC_OK;
}

bool query_in_segment(const struct query *query, const struct key *pk)
{
	if (!query || !query->segments)
		return true;
	uint64_t h = 14695981039346656037u ^ (uint64_t)pk->type;
	for (size_t i = 0; i < pk->len; i++)
		h = (h ^ pk->data[i]) * 1099511628211u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	h ^= h >> 33;
	return (h >> 32) * query->segments >> 32 == query->segment; /* equal shares of 2^32 */
}

enum rc query_sort_type(struct table *table, const char *index_name, enum key_type *ret_type, struct why *why)
{
	const struct schema *schema;
	enum rc rc = table_schema(table, &schema);
	if (rc)
		return rc;
	const struct schema_index *index = index_name ? schema_find_index(schema, index_name) : NULL;
	const struct schema_key *key = index_name ? index ? &index->key : NULL : &schema->key;
	if (!key)
		rc = RC_NOT_FOUND;
	else if (!key->sorts)
		rc = why_set(why, RC_INVALID, "Query key condition not supported: %s has no sort key", index_name ? "the index" : "the table");
	else
		*ret_type = key->sort[0].type;
	table_schema_done(table);
	return rc;
}
