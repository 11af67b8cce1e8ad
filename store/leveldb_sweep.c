/* leveldb_sweep: merges a store piece by piece, each of about so many bytes of tables (recovery.h, 2). */
#include "store/leveldb_private.h"
#include "store/range.h"
#include <string.h>

/* Keys are told apart by so many bytes here. Those that begin alike are merged together. */
enum { DEPTH = 32 };

static uint64_t bytes_between(struct store *store, const struct buf *from, const uint8_t *to, size_t to_n)
{
	const char *first = from->len ? (const char *)from->data : "", *last = (const char *)to;
	uint64_t bytes = 0;

	leveldb_approximate_sizes(store->db, 1, &first, &from->len, &last, &to_n, &bytes);
	return bytes;
}

/* Appends the highest byte with which there are no more than `bytes` from `from` to there; false where each is too high. */
static bool add_byte(struct store *store, const struct buf *from, uint64_t bytes, uint8_t end[DEPTH], size_t n)
{
	unsigned low = 0, high = 256; /* the first that is too high lies there */

	while (low < high) {
		end[n] = (uint8_t)((low + high) / 2);
		if (bytes_between(store, from, end, n + 1) > bytes)
			high = end[n];
		else
			low = end[n] + 1U;
	}
	end[n] = (uint8_t)(low - 1);
	return low > 0;
}

/* The next after all that begin as `from` does; 0: there is none. */
static size_t step(const struct buf *from, uint8_t end[DEPTH])
{
	size_t n = from->len < DEPTH ? from->len : DEPTH;

	if (n)
		memcpy(end, from->data, n);
	while (n && end[n - 1] == UINT8_MAX)
		n--;
	if (n)
		end[n - 1]++;
	return n;
}

static size_t find_end(struct store *store, const struct buf *from, uint64_t bytes, uint8_t end[DEPTH])
{
	size_t n = 0;

	while (n < DEPTH && add_byte(store, from, bytes, end, n))
		n++;
	return n && (!from->len || key_compare(end, n, from->data, from->len) > 0) ? n : step(from, end);
}

bool store_sweep(void *engine, struct buf *from, uint64_t bytes)
{
	struct store *store = engine;
	struct own_name own = store_lend_name();
	uint8_t end[DEPTH];
	size_t n;

	memset(end, UINT8_MAX, DEPTH);
	n = bytes_between(store, from, end, DEPTH) > bytes ? find_end(store, from, bytes, end) : 0;
	log_sync_told(&store->sync);
	leveldb_compact_range(store->db, from->len ? (const char *)from->data : NULL, from->len, n ? (const char *)end : NULL, n);
	store_take_name_back(&own);
	buf_clear(from);
	buf_add(from, end, n);
	return n && !from->failed;
}
