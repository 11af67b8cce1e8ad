/* range: see range.h. */
#include "store/range.h"
#include <string.h>

int key_compare(const void *a, size_t a_n, const void *b, size_t b_n)
{
	size_t n = a_n < b_n ? a_n : b_n;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (a_n > b_n) - (a_n < b_n);
}

void range_free(struct range *range)
{
	buf_free(&range->first);
	buf_free(&range->last);
}

void range_clear(struct range *range)
{
	buf_clear(&range->first);
	buf_clear(&range->last);
}

bool range_is_empty(const struct range *range)
{
	return !range->first.len || !range->last.len;
}

static void set_key(struct buf *key, const void *bytes, size_t n)
{
	buf_clear(key);
	buf_add(key, bytes, n);
	if (key->failed)
		buf_clear(key);
}

void range_add(struct range *range, const void *key, size_t n)
{
	if (!n)
		return;
	if (!range->first.len || key_compare(key, n, range->first.data, range->first.len) < 0)
		set_key(&range->first, key, n);
	if (!range->last.len || key_compare(key, n, range->last.data, range->last.len) > 0)
		set_key(&range->last, key, n);
}

void range_add_range(struct range *range, const struct range *other)
{
	if (range_is_empty(other))
		return;
	range_add(range, other->first.data, other->first.len);
	range_add(range, other->last.data, other->last.len);
}
