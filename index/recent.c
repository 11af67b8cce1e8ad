/* recent: see recent.h. */
#include "index/recent.h"
#include "store/rows.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 256, SLOT_BYTES = 2048 };

struct slot {
	pthread_mutex_t lock;
	struct buf key; /* empty: nothing is kept */
	struct buf value;
	bool absent;       /* it is kept that there is none */
	unsigned writing;  /* rows of this slot that are being written */
	uint64_t writes;   /* how often one began or ended */
};

struct recent {
	struct store *store;
	struct slot slots[SLOTS];
};

enum rc recent_new(struct store *store, struct recent **ret_recent)
{
	struct recent *recent = calloc(1, sizeof *recent);
	if (!recent)
		return RC_NO_MEMORY;
	recent->store = store;
	for (size_t i = 0; i < SLOTS; i++)
		pthread_mutex_init(&recent->slots[i].lock, NULL);
	*ret_recent = recent;
	return RC_OK;
}

static void empty(struct slot *slot)
{
	buf_free(&slot->key);
	buf_free(&slot->value);
}

void recent_free(struct recent *recent)
{
	for (size_t i = 0; recent && i < SLOTS; i++) {
		empty(&recent->slots[i]);
		pthread_mutex_destroy(&recent->slots[i].lock);
	}
	free(recent);
}

uint32_t recent_hash(const void *key, size_t n)
{
	const uint8_t *at = key;
	uint64_t h = n, word;
	for (; n >= sizeof word; n -= sizeof word, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32; /* what the multiplication has mixed best */
	}
	for (; n; n--, at++)
		h = (h ^ *at) * 1099511628211u;
	return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

static struct slot *slot_of(struct recent *recent, uint32_t hash)
{
	return &recent->slots[hash % SLOTS];
}

static bool is_kind(const uint8_t *key, size_t n)
{
	uint8_t letter = row_letter(key, n);
	return letter == 'H' || letter == 'F' || letter == 'P' || letter == 'C';
}

static bool same(const struct buf *a, const uint8_t *bytes, size_t n)
{
	return a->len == n && (!n || memcmp(a->data, bytes, n) == 0);
}

/* With the slot's lock. */
static bool keeps(const struct slot *slot, const uint8_t *key, size_t n)
{
	return !slot->writing && slot->key.len && same(&slot->key, key, n);
}

/* With the slot's lock. What takes too much room is not kept. */
static void keep_in(struct slot *slot, const uint8_t *key, size_t n, bool there, const uint8_t *value, size_t value_n)
{
	if (n + value_n > SLOT_BYTES) {
		empty(slot);
		return;
	}
	if (!same(&slot->key, key, n)) {
		buf_clear(&slot->key);
		buf_add(&slot->key, key, n);
	}
	buf_clear(&slot->value);
	buf_add(&slot->value, value, value_n);
	slot->absent = !there;
	if (slot->key.failed || slot->value.failed)
		empty(slot);
}

/* RC_AGAIN: it is not kept; *ret_writes says when that was. */
static enum rc get_kept(struct slot *slot, const struct buf *key, struct buf *ret_value, uint64_t *ret_writes)
{
	enum rc rc = RC_AGAIN;
	pthread_mutex_lock(&slot->lock);
	if (keeps(slot, key->data, key->len)) {
		buf_add(ret_value, slot->value.data, slot->value.len);
		rc = slot->absent ? RC_NOT_FOUND : ret_value->failed ? RC_NO_MEMORY : RC_OK;
	}
	*ret_writes = slot->writes;
	pthread_mutex_unlock(&slot->lock);
	return rc;
}

enum rc recent_get_hashed(struct recent *recent, uint32_t hash, const struct buf *key, bool keep, struct buf *ret_value)
{
	struct slot *slot = slot_of(recent, hash);
	size_t before = ret_value->len;
	uint64_t writes = 0;
	bool kind = is_kind(key->data, key->len);
	enum rc rc = kind ? get_kept(slot, key, ret_value, &writes) : RC_AGAIN;
	if (rc != RC_AGAIN)
		return rc;
	rc = store_get(recent->store, NULL, key->data, key->len, ret_value);
	if (!kind || !keep || (rc && rc != RC_NOT_FOUND))
		return rc;
	pthread_mutex_lock(&slot->lock);
	if (slot->writes == writes && !slot->writing)
		keep_in(slot, key->data, key->len, !rc, rc ? NULL : ret_value->data + before, ret_value->len - before);
	pthread_mutex_unlock(&slot->lock);
	return rc;
}

enum rc recent_get(struct recent *recent, const struct buf *key, bool keep, struct buf *ret_value)
{
	return recent_get_hashed(recent, recent_hash(key->data, key->len), key, keep, ret_value);
}

bool recent_is(struct recent *recent, uint32_t hash, const struct buf *key, const struct buf *value)
{
	struct slot *slot = slot_of(recent, hash);
	if (!is_kind(key->data, key->len))
		return false;
	pthread_mutex_lock(&slot->lock);
	bool is = keeps(slot, key->data, key->len) && slot->absent == !value && (!value || same(&slot->value, value->data, value->len));
	pthread_mutex_unlock(&slot->lock);
	return is;
}

void recent_begin(struct recent *recent, uint32_t hash, const uint8_t *key, size_t n)
{
	struct slot *slot = slot_of(recent, hash);
	if (!is_kind(key, n))
		return;
	pthread_mutex_lock(&slot->lock);
	slot->writing++;
	slot->writes++;
	pthread_mutex_unlock(&slot->lock);
}

void recent_end(struct recent *recent, uint32_t hash, const uint8_t *key, size_t n, const uint8_t *value, size_t value_n)
{
	struct slot *slot = slot_of(recent, hash);
	if (!is_kind(key, n))
		return;
	pthread_mutex_lock(&slot->lock);
	slot->writing--;
	slot->writes++;
	keep_in(slot, key, n, value, value, value ? value_n : 0);
	pthread_mutex_unlock(&slot->lock);
}

void recent_forget(struct recent *recent)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &recent->slots[i];
		pthread_mutex_lock(&slot->lock);
		slot->writing = 0;
		slot->writes++;
		empty(slot);
		pthread_mutex_unlock(&slot->lock);
	}
}
