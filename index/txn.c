/* txn: see txn.h. A log of row changes; each row's newest stands first in its hash chain, so a rollback pops the log from its end and every
 * chain is as it was.
 *
 * A commit reads a few rows that the one before it wrote (counters, the partition), and its item's head more than once. Those kinds of rows are remembered as they are stored (or are
 * not), in a table of one slot a hash: they change by commits alone, which all pass here, so what is remembered is what a read would give. A write that failed may be
 * there or not: then nothing is remembered. */
#include "index/txn.h"
#include "index/usage.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, NONE = UINT32_MAX, SLOTS = 256, SLOT_BYTES = 2048, LETTER = 4 };

struct change {
	size_t key, key_n, value, value_n; /* offsets in bytes */
	uint32_t next, bucket;
	bool deleted;
};

/* Write capacity, to be counted when the commit is stored. */
struct charge {
	struct table *table;
	uint32_t index;
	uint64_t units;
};

/* A row as it is stored. */
struct slot {
	struct buf key; /* empty: the slot is free */
	struct buf value;
	bool absent;
};

struct txn {
	struct store *store;
	struct store_batch *batch;
	struct change *changes;
	size_t count, cap;
	struct buf bytes;
	uint32_t bucket[BUCKETS];
	struct slot slots[SLOTS];
	struct charge *charges;
	size_t charge_count, charge_cap, charge_mark;
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

static void forget(struct slot *slot)
{
	buf_free(&slot->key);
	buf_free(&slot->value);
}

static void forget_all(struct txn *txn)
{
	for (size_t i = 0; i < SLOTS; i++)
		forget(&txn->slots[i]);
}

/* Heads of items and files, partitions, counters. */
static bool is_remembered(const uint8_t *key, size_t n)
{
	return n > LETTER && memchr("HFPC", key[LETTER], 4) != NULL;
}

static bool is_of(const struct slot *slot, const uint8_t *key, size_t n)
{
	return slot->key.len == n && memcmp(slot->key.data, key, n) == 0;
}

static bool same(const uint8_t *bytes, size_t n, const struct buf *value)
{
	return n == value->len && (!n || memcmp(bytes, value->data, n) == 0);
}

/* value NULL: it is absent. What takes too much room is forgotten. */
static void remember(struct slot *slot, const uint8_t *key, size_t n, const uint8_t *value, size_t value_n)
{
	if (n + value_n > SLOT_BYTES) {
		forget(slot);
		return;
	}
	if (!is_of(slot, key, n)) {
		buf_clear(&slot->key);
		buf_add(&slot->key, key, n);
	}
	buf_clear(&slot->value);
	buf_add(&slot->value, value, value_n);
	slot->absent = !value;
	if (slot->key.failed || slot->value.failed)
		forget(slot);
}

void txn_free(struct txn *txn)
{
	if (!txn)
		return;
	forget_all(txn);
	store_batch_free(txn->batch);
	buf_free(&txn->bytes);
	free(txn->charges);
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

static enum rc get_stored(struct txn *txn, uint32_t bucket, const struct buf *key, struct buf *ret_value)
{
	struct slot *slot = &txn->slots[bucket % SLOTS];
	if (!is_remembered(key->data, key->len))
		return store_get(txn->store, NULL, key->data, key->len, ret_value);
	if (is_of(slot, key->data, key->len)) {
		buf_add(ret_value, slot->value.data, slot->value.len);
		return slot->absent ? RC_NOT_FOUND : ret_value->failed ? RC_NO_MEMORY : RC_OK;
	}
	size_t before = ret_value->len;
	enum rc rc = store_get(txn->store, NULL, key->data, key->len, ret_value);
	if (rc == RC_OK)
		remember(slot, key->data, key->len, ret_value->data + before, ret_value->len - before);
	else if (rc == RC_NOT_FOUND)
		remember(slot, key->data, key->len, NULL, 0);
	return rc;
}

enum rc txn_get(struct txn *txn, const struct buf *key, struct buf *ret_value)
{
	if (key->failed)
		return RC_NO_MEMORY;
	uint32_t bucket = bucket_of(key);
	const struct change *c = txn->count ? newest(txn, bucket, key->data, key->len) : NULL;
	if (!c)
		return get_stored(txn, bucket, key, ret_value);
	if (c->deleted)
		return RC_NOT_FOUND;
	buf_add(ret_value, txn->bytes.data + c->value, c->value_n);
	return ret_value->failed ? RC_NO_MEMORY : RC_OK;
}

/* Whether the row is known to be as it is to become: most overwrites leave a table's counters as they are. Then nothing is written. */
static bool stands(const struct txn *txn, uint32_t bucket, const struct buf *key, const struct buf *value)
{
	const struct change *c = txn->count ? newest(txn, bucket, key->data, key->len) : NULL;
	if (c)
		return value ? !c->deleted && same(txn->bytes.data + c->value, c->value_n, value) : c->deleted;
	const struct slot *slot = &txn->slots[bucket % SLOTS];
	if (!is_of(slot, key->data, key->len)) /* one of another kind is in none */
		return false;
	return value ? !slot->absent && same(slot->value.data, slot->value.len, value) : slot->absent;
}

static void record(struct txn *txn, const struct buf *key, const struct buf *value)
{
	if (key->failed || (value && value->failed)) {
		txn->failed = true;
		return;
	}
	uint32_t bucket = bucket_of(key);
	if (stands(txn, bucket, key, value))
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
	struct change c = {.key = txn->bytes.len, .key_n = key->len, .deleted = !value, .bucket = bucket};
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
		txn->bucket[c->bucket] = c->next;
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

/* What stands in the log is stored now, in its order; or nobody knows. */
static void remember_changes(struct txn *txn, bool stored)
{
	if (!stored)
		forget_all(txn);
	for (size_t i = 0; stored && i < txn->count; i++) {
		const struct change *c = &txn->changes[i];
		const uint8_t *key = txn->bytes.data + c->key;
		if (is_remembered(key, c->key_n))
			remember(&txn->slots[c->bucket % SLOTS], key, c->key_n, c->deleted ? NULL : txn->bytes.data + c->value, c->value_n);
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
		if (newest(txn, c->bucket, key, c->key_n) != c)
			continue; /* a later commit of the group wrote it again */
		if (c->deleted)
			store_batch_delete(txn->batch, key, c->key_n);
		else
			store_batch_put(txn->batch, key, c->key_n, txn->bytes.data + c->value, c->value_n);
	}
	enum rc rc = store_write(txn->store, txn->batch, durable);
	remember_changes(txn, rc == RC_OK);
	count_charges(txn, rc == RC_OK);
	for (size_t i = 0; i < txn->count; i++)
		txn->bucket[txn->changes[i].bucket] = NONE;
	txn->count = 0;
	if (txn->bytes.cap > (size_t)16 << 20)
		buf_free(&txn->bytes); /* one large commit must not keep its memory for ever */
	buf_clear(&txn->bytes);
	return rc;
}
