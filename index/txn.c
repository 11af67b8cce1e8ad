/* txn: see txn.h. A log of row changes; each row's newest stands first in its hash chain, so a rollback pops the log from its end and every
 * chain is as it was. */
#include "index/txn.h"
#include "index/usage.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, NONE = UINT32_MAX };

struct change {
	size_t key, key_n, value, value_n; /* offsets in bytes */
	uint32_t next, hash;
	bool deleted;
};

/* Write capacity, to be counted when the commit is stored. */
struct charge {
	struct table *table;
	uint32_t index;
	uint64_t units;
};

struct txn {
	struct store *store;
	struct recent *recent;
	struct store_batch *batch;
	struct change *changes;
	size_t count, cap;
	struct buf bytes;
	uint32_t bucket[BUCKETS];
	struct charge *charges;
	size_t charge_count, charge_cap, charge_mark;
	uint64_t sequence;
	int64_t now;
	bool failed;
};

enum rc txn_new(struct store *store, struct recent *recent, struct txn **ret_txn)
{
	struct txn *txn = calloc(1, sizeof *txn);
	if (!txn)
		return RC_NO_MEMORY;
	txn->store = store;
	txn->recent = recent;
	memset(txn->bucket, 0xff, sizeof txn->bucket);
	enum rc rc = store_batch_new(store, &txn->batch);
	if (rc) {
		free(txn);
		return rc;
	}
	*ret_txn = txn;
	return RC_OK;
}

static bool same(const uint8_t *bytes, size_t n, const struct buf *value)
{
	return n == value->len && (!n || memcmp(bytes, value->data, n) == 0);
}

void txn_free(struct txn *txn)
{
	if (!txn)
		return;
	store_batch_free(txn->batch);
	buf_free(&txn->bytes);
	free(txn->charges);
	free(txn->changes);
	free(txn);
}

static const struct change *newest(const struct txn *txn, uint32_t hash, const uint8_t *key, size_t n)
{
	for (uint32_t i = txn->bucket[hash % BUCKETS]; i != NONE; i = txn->changes[i].next) {
		const struct change *c = &txn->changes[i];
		if (c->hash == hash && c->key_n == n && memcmp(txn->bytes.data + c->key, key, n) == 0)
			return c;
	}
	return NULL;
}

enum rc txn_get(struct txn *txn, const struct buf *key, struct buf *ret_value)
{
	if (key->failed)
		return RC_NO_MEMORY;
	uint32_t hash = recent_hash(key->data, key->len);
	const struct change *c = txn->count ? newest(txn, hash, key->data, key->len) : NULL;
	if (!c)
		return recent_get_hashed(txn->recent, hash, key, true, ret_value);
	if (c->deleted)
		return RC_NOT_FOUND;
	buf_add(ret_value, txn->bytes.data + c->value, c->value_n);
	return ret_value->failed ? RC_NO_MEMORY : RC_OK;
}

/* Whether the row is known to be as it is to become: most overwrites leave a table's counters as they are. Then nothing is written. */
static bool stands(const struct txn *txn, uint32_t hash, const struct buf *key, const struct buf *value)
{
	const struct change *c = txn->count ? newest(txn, hash, key->data, key->len) : NULL;
	if (!c)
		return recent_is(txn->recent, hash, key, value);
	return value ? !c->deleted && same(txn->bytes.data + c->value, c->value_n, value) : c->deleted;
}

static void record(struct txn *txn, const struct buf *key, const struct buf *value)
{
	if (key->failed || (value && value->failed)) {
		txn->failed = true;
		return;
	}
	uint32_t hash = recent_hash(key->data, key->len);
	if (stands(txn, hash, key, value))
		return;
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
	struct change c = {.key = txn->bytes.len, .key_n = key->len, .deleted = !value, .hash = hash};
	buf_add(&txn->bytes, key->data, key->len);
	if (value) {
		c.value = txn->bytes.len;
		c.value_n = value->len;
		buf_add(&txn->bytes, value->data, value->len);
	}
	if (txn->bytes.failed) {
		txn->failed = true;
		return;
	}
	c.next = txn->bucket[hash % BUCKETS];
	txn->bucket[hash % BUCKETS] = (uint32_t)txn->count;
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

void txn_charge(struct txn *txn, struct table *table, uint32_t index, uint64_t units)
{
	if (!units)
		return;
	if (txn->charge_count == txn->charge_cap) {
		size_t cap = txn->charge_cap ? txn->charge_cap * 2 : 64;
		struct charge *grown = realloc(txn->charges, cap * sizeof *grown);
		if (!grown) {
			txn->failed = true;
			return;
		}
		txn->charges = grown;
		txn->charge_cap = cap;
	}
	txn->charges[txn->charge_count++] = (struct charge){table, index, units};
}

static void count_charges(struct txn *txn, bool stored)
{
	for (size_t i = 0; stored && i < txn->charge_count; i++)
		usage_add(txn->charges[i].table, txn->charges[i].index, 0, txn->charges[i].units);
	txn->charge_count = 0;
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
	txn->charge_mark = txn->charge_count;
	return txn->count;
}

void txn_rollback(struct txn *txn, size_t mark)
{
	while (txn->count > mark) {
		const struct change *c = &txn->changes[--txn->count];
		txn->bucket[c->hash % BUCKETS] = c->next;
		txn->bytes.len = c->key;
	}
	txn->charge_count = mark ? txn->charge_mark : 0;
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

static void begin_rows(struct txn *txn)
{
	for (size_t i = 0; i < txn->count; i++)
		recent_begin(txn->recent, txn->changes[i].hash, txn->bytes.data + txn->changes[i].key, txn->changes[i].key_n);
}

/* What stands in the log is stored now, in its order; or nobody knows. */
static void end_rows(struct txn *txn, bool stored)
{
	if (!stored)
		recent_forget(txn->recent);
	for (size_t i = 0; stored && i < txn->count; i++) {
		const struct change *c = &txn->changes[i];
		recent_end(txn->recent, c->hash, txn->bytes.data + c->key, c->key_n, c->deleted ? NULL : txn->bytes.data + c->value, c->value_n);
	}
}

enum rc txn_write(struct txn *txn, bool durable, bool frees)
{
	store_batch_clear(txn->batch);
	if (frees)
		store_batch_frees(txn->batch);
	for (size_t i = 0; i < txn->count; i++) {
		const struct change *c = &txn->changes[i];
		const uint8_t *key = txn->bytes.data + c->key;
		if (newest(txn, c->hash, key, c->key_n) != c)
			continue; /* a later commit of the group wrote it again */
		if (c->deleted)
			store_batch_delete(txn->batch, key, c->key_n);
		else
			store_batch_put(txn->batch, key, c->key_n, txn->bytes.data + c->value, c->value_n);
	}
	begin_rows(txn);
	enum rc rc = store_write(txn->store, txn->batch, durable);
	end_rows(txn, rc == RC_OK);
	count_charges(txn, rc == RC_OK);
	for (size_t i = 0; i < txn->count; i++)
		txn->bucket[txn->changes[i].hash % BUCKETS] = NONE;
	txn->count = 0;
	if (txn->bytes.cap > (size_t)16 << 20)
		buf_free(&txn->bytes); /* one large commit must not keep its memory for ever */
	buf_clear(&txn->bytes);
	return rc;
}
