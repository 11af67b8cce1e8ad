/* listing_query: carries out a query by moving the ends of a listing's range, step by step. A limit that is followed by another step is settled
 * first: its last row is found, and becomes the range's end. So after each step one range is left again, and only the last limit is still to be
 * counted, as the listing goes. */
#include "index/listing_private.h"
#include "index/private.h"
#include <string.h>

static int compare(const struct buf *a, const struct buf *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = n ? memcmp(a->data, b->data, n) : 0;
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Takes `end` for the range's low or high end where that makes it smaller. */
static void move_end(struct buf *at, const struct buf *end, bool up)
{
	int order = compare(end, at);
	if (up ? order <= 0 : order >= 0)
		return;
	buf_clear(at);
	buf_add(at, end->data, end->len);
}

static void set_low(struct listing *l, const struct buf *end)
{
	move_end(&l->low, end, true);
}

static void set_high(struct listing *l, const struct buf *end)
{
	move_end(&l->high, end, false);
}

/* A row: what all rows of the place begin with, and the encoded keys behind that. */
static void compose(const struct listing *l, const struct buf *keys, struct buf *row)
{
	buf_add(row, l->place.data, l->place.len);
	buf_add(row, keys->data, keys->len);
}

enum rc listing_settle(struct listing *l)
{
	uint64_t limit = l->limit;
	l->limit = QUERY_ALL;
	if (limit == QUERY_ALL || (l->counted && l->count <= limit))
		return RC_OK;
	enum rc rc = listing_start(l);
	for (uint64_t i = 0; !rc && i < limit; i++)
		rc = listing_advance(l, false);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_OK : rc; /* there are not so many */
	size_t n;
	cleanup_buf struct buf row = {0};
	const uint8_t *last = store_cursor_key(l->cursor, &n);
	buf_add(&row, last, n);
	if (l->descending) {
		set_low(l, &row);
	} else {
		buf_add_byte(&row, 0); /* just behind it */
		set_high(l, &row);
	}
	l->counted = true;
	l->count = limit;
	return row.failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc narrow_range(struct listing *l, const struct query_step *step)
{
	cleanup_buf struct buf low = {0}, high = {0};
	if (step->from.len) {
		compose(l, &step->from, &low);
		set_low(l, &low);
	}
	if (step->to.len) {
		compose(l, &step->to, &high);
		set_high(l, &high);
	}
	return low.failed || high.failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc narrow_after(struct listing *l, const struct query_step *step)
{
	cleanup_buf struct buf row = {0};
	compose(l, &step->from, &row);
	if (l->descending) {
		set_high(l, &row);
	} else {
		row_after(&row);
		set_low(l, &row);
	}
	return row.failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc narrow(struct listing *l, const struct query_step *step)
{
	bool limits = step->kind == STEP_FIRST || step->kind == STEP_LAST;
	enum rc rc = step->kind == STEP_FIRST ? RC_OK : listing_settle(l); /* of two that begin at the same end the smaller holds */
	if (rc)
		return rc;
	l->counted = l->counted && limits;
	switch (step->kind) {
	case STEP_RANGE:
		return narrow_range(l, step);
	case STEP_AFTER:
		return narrow_after(l, step);
	case STEP_LAST:
		l->descending = !l->descending;
		break;
	case STEP_FIRST:
	case STEP_TEST:
		break;
	}
	if (limits && step->n < l->limit)
		l->limit = step->n;
	return RC_OK;
}

enum rc listing_narrow(struct listing *l)
{
	enum rc rc = RC_OK;
	if (!l->query)
		return RC_OK;
	if (l->query->segments)
		l->counted = false;
	for (; !rc && l->steps < l->query->count; l->steps++)
		rc = narrow(l, &l->query->steps[l->steps]);
	if (compare(&l->low, &l->high) > 0) { /* nothing is left */
		l->counted = true;
		l->count = 0;
	}
	if (l->limit != QUERY_ALL && (!l->counted || l->limit < l->count)) {
		l->counted = true;
		l->count = l->limit;
	}
	return rc ? rc : l->low.failed || l->high.failed ? RC_NO_MEMORY : RC_OK;
}

const struct key *listing_group(const struct listing *l)
{
	switch (l->kind) {
	case LISTING_ITEMS:
		return &l->entry.pk;
	case LISTING_INDEX_KEYS:
	case LISTING_ENTRIES:
		return &l->keys[0];
	default:
		return &l->entry.key;
	}
}

/* Whether what the entry is about passes the tests so far. A partition does where one of its items passes them all. */
static enum rc passes(struct listing *l, bool *ret_passes)
{
	enum rc rc = RC_OK;
	if (l->kind == LISTING_PARTITIONS && l->query && query_has_tests(l->query))
		return listing_holds_any(l, ret_passes);
	*ret_passes = true;
	for (size_t i = 0; !rc && *ret_passes && i < l->steps; i++) {
		struct query_test *test = l->query->steps[i].test;
		if (test)
			rc = test->passes(test, l, &l->entry, ret_passes);
	}
	return rc;
}

enum rc listing_admits(struct listing *l, bool *ret_admits)
{
	bool keyed = l->kind == LISTING_PARTITIONS || l->kind == LISTING_INDEX_KEYS || l->whole;
	if (keyed && !query_in_segment(l->query, listing_group(l))) {
		*ret_admits = false;
		l->jump = l->kind != LISTING_PARTITIONS;
		return RC_OK;
	}
	enum rc rc = passes(l, ret_admits);
	l->jump = l->kind == LISTING_INDEX_KEYS && *ret_admits; /* otherwise the key's next entry may pass */
	return rc;
}
