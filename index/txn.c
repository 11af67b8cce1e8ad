/* txn: see txn.h. A log of row changes; each row's newest stands first in its hash chain, so a rollback pops the log from its end and every
 * chain is as it was. */
#include "index/txn.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, NONE = UINT32_MAX };

struct change {
	size_t key, key_n, value, value_n; /* offsets in bytes */
	uint32_t next, bucket;
	bool deleted;
};

struct txn {
	struct store *store;
	struct store_batch *batch;
	struct change *changes;
	size_t count, cap;
	struct buf bytes;
	uint32_t bucket[BUCKETS];
	uint64_t sequence;
	int64_t now;
	bool failed;
};

enum rc txn_new(struct store *store, struct txn **ret_txn)
{
	struct txn *txn = calloc(1, sizeof *txn);
	if (!txn)
		return RC_NO_MEMORY;
	txn->store = store;
	memset(txn->bucket, 0xff, sizeof txn->bucket);
	enum rc rc = store_batch_new(store, &txn->batch);
	if (rc) {
		free(txn);
		return rc;
	}
	*ret_txn = txn;
	return RC_OK;
}

void txn_free(struct txn *txn)
{
	if (!txn)
		return;
	store_batch_free(txn->batch);
	buf_free(&txn->bytes);
	free(txn->changes);
	free(txn);
}

static uint32_t bucket_of(const struct buf *key)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < key->len; i++)
		h = (h ^ key->data[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32) % BUCKETS;
}

static const struct change *newest(const struct txn *txn, uint32_t bucket, const uint8_t *key, size_t n)
{
	for (uint32_t i = txn->bucket[bucket]; i != NONE; i = txn->changes[i].next) {
		const struct change *c = &txn->changes[i];
		if (c->key_n == n && memcmp(txn->bytes.data + c->key, key, n) == 0)
			return c;
	}
	return NULL;
}

enum rc txn_get(struct txn *txn, const struct buf *key, struct buf *ret_value)
{
	if (key->failed)
		return RC_NO_MEMORY;
	const struct change *c = txn->count ? newest(txn, bucket_of(key), key->data, key->len) : NULL;
	if (!c)
		return store_get(txn->store, NULL, key->data, key->len, ret_value);
	if (c->deleted)
		return RC_NOT_FOUND;
	buf_add(ret_value, txn->bytes.data + c->value, c->value_n);
	return ret_value->failed ? RC_NO_MEMORY : RC_OK;
}

static void record(struct txn *txn, const struct buf *key, const struct buf *value)
{
	if (txn->count == txn->cap) {
		size_t cap = txn->cap ? txn->cap * 2 : 64;
		struct change *grown = realloc(txn->changes, cap * sizeof *grown);
		if (!grown) {
			txn->failed = true;
			return;
		}
		txn->changes = grown;
		txn->cap = cap;
	}
	struct change c = {.key = txn->bytes.len, .key_n = key->len, .deleted = !value, .bucket = bucket_of(key)};
	buf_add(&txn->bytes, key->data, key->len);
	if (value) {
		c.value = txn->bytes.len;
		c.value_n = value->len;
		buf_add(&txn->bytes, value->data, value->len);
	}
	if (txn->bytes.failed || key->failed || (value && value->failed)) {
		txn->failed = true;
		return;
	}
	c.next = txn->bucket[c.bucket];
	txn->bucket[c.bucket] = (uint32_t)txn->count;
	txn->changes[txn->count++] = c;
}

void txn_put(struct txn *txn, const struct buf *key, const struct buf *value)
{
	record(txn, key, value);
}

void txn_delete(struct txn *txn, const struct buf *key)
{
	record(txn, key, NULL);
}

uint64_t txn_sequence(const struct txn *txn)
{
	return txn->sequence;
}

int64_t txn_now(const struct txn *txn)
{
	return txn->now;
}

size_t txn_begin(struct txn *txn, uint64_t sequence, int64_t now)
{
	txn->sequence = sequence;
	txn->now = now;
	txn->failed = false;
	return txn->count;
}

void txn_rollback(struct txn *txn, size_t mark)
{
	while (txn->count > mark) {
		const struct change *c = &txn->changes[--txn->count];
		txn->bucket[c->bucket] = c->next;
		txn->bytes.len = c->key;
	}
	txn->bytes.failed = false;
	txn->failed = false;
}

bool txn_failed(const struct txn *txn)
{
	return txn->failed;
}

size_t txn_bytes(const struct txn *txn)
{
	return txn->bytes.len;
}

enum rc txn_write(struct txn *txn, bool durable, bool frees)
{
	store_batch_clear(txn->batch);
	if (frees)
		store_batch_frees(txn->batch);
	for (size_t i = 0; i < txn->count; i++) {
		const struct change *c = &txn->changes[i];
		const uint8_t *key = txn->bytes.data + c->key;
		if (newest(txn, c->bucket, key, c->key_n) != c)
			continue; /* a later commit of the group wrote it again */
		if (c->deleted)
			store_batch_delete(txn->batch, key, c->key_n);
		else
			store_batch_put(txn->batch, key, c->key_n, txn->bytes.data + c->value, c->value_n);
	}
	enum rc rc = store_write(txn->store, txn->batch, durable);
	for (size_t i = 0; i < txn->count; i++)
		txn->bucket[txn->changes[i].bucket] = NONE;
	txn->count = 0;
	if (txn->bytes.cap > (size_t)16 << 20)
		buf_free(&txn->bytes); /* one large commit must not keep its memory for ever */
	buf_clear(&txn->bytes);
	return rc;
}
