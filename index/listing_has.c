/* listing_has: whether one item or entry is among what a query leaves. Its row is compared with the ends of the query's range and put to its tests;
 * where a limit ends has to be counted, and is remembered. */
#include "index/listing_private.h"
#include "index/private.h"
#include <stdlib.h>
#include <string.h>

struct listing_memo {
	pthread_mutex_t lock;
	bool known;
	uint64_t written; /* after this commit, and no other */
	struct buf low, high;
};

struct listing_memo *listing_memo_new(void)
{
	struct listing_memo *memo = calloc(1, sizeof *memo);
	if (memo)
		pthread_mutex_init(&memo->lock, NULL);
	return memo;
}

void listing_memo_free(struct listing_memo *memo)
{
	if (!memo)
		return;
	buf_free(&memo->low);
	buf_free(&memo->high);
	pthread_mutex_destroy(&memo->lock);
	free(memo);
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_clear(to);
	buf_add(to, from->data, from->len);
}

static bool remembered(struct listing_memo *memo, uint64_t written, struct listing *l)
{
	pthread_mutex_lock(&memo->lock);
	bool known = memo->known && memo->written == written;
	if (known) {
		copy(&l->low, &memo->low);
		copy(&l->high, &memo->high);
	}
	pthread_mutex_unlock(&memo->lock);
	return known;
}

static void remember(struct listing_memo *memo, uint64_t written, const struct listing *l)
{
	pthread_mutex_lock(&memo->lock);
	copy(&memo->low, &l->low);
	copy(&memo->high, &l->high);
	memo->written = written;
	memo->known = !memo->low.failed && !memo->high.failed;
	pthread_mutex_unlock(&memo->lock);
}

/* The range that the whole query leaves, its last limit included. */
static enum rc narrow(struct listing *l, struct listing_memo *memo, uint64_t written)
{
	if (memo && remembered(memo, written, l)) {
		l->steps = l->query ? l->query->count : 0;
		return l->low.failed || l->high.failed ? RC_NO_MEMORY : RC_OK;
	}
	enum rc rc = listing_narrow(l);
	if (!rc) {
		l->counted = false; /* by the limit itself, which is still to be settled */
		rc = listing_settle(l);
	}
	if (!rc && memo)
		remember(memo, written, l);
	return rc;
}

static enum rc find(struct listing *l, const struct key *keys, size_t count)
{
	cleanup_buf struct buf row = {0};
	size_t n;
	buf_add(&row, l->place.data, l->place.len);
	for (size_t i = 0; i < count; i++)
		key_encode(&keys[i], &row);
	if (row.failed)
		return RC_NO_MEMORY;
	enum rc rc = listing_start(l);
	if (!rc)
		rc = store_cursor_seek(l->cursor, row.data, row.len);
	if (rc)
		return rc;
	const uint8_t *at = store_cursor_key(l->cursor, &n);
	if (n != row.len || memcmp(at, row.data, n) != 0)
		return RC_NOT_FOUND;
	bool admitted = false;
	rc = listing_read_row(l);
	if (!rc)
		rc = listing_admits(l, &admitted);
	return rc ? rc : admitted ? RC_OK : RC_NOT_FOUND;
}

enum rc listing_has(struct volume *volume, const struct view *view, const struct listing_place *place, const struct key *keys, size_t count,
		    struct listing_memo *memo)
{
	struct listing *l;
	view = table_view(place->table, view);
	uint64_t written = view ? view->written : __atomic_load_n(&volume->written, __ATOMIC_ACQUIRE); /* before the snapshot is taken */
	enum rc rc = listing_begin(volume, view, place, &l);
	if (rc)
		return rc;
	if (!(view ? view_is_current(view) : volume_stands(volume, written)))
		memo = NULL; /* the snapshot may be of a later commit than that */
	rc = narrow(l, memo, written);
	if (!rc)
		rc = find(l, keys, count);
	listing_close(l);
	return rc;
}
