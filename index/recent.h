/* recent: a cache of the rows that were written or read last. An operation reads its partition, its item and its table's counters several times,
 * before its commit and in it, and the next operation in the same directory reads most of them again.
 *
 * 1. Only heads of items and files, partitions and counters are kept. Only the queue's leader (txn.c) changes these rows, and it reports here before
 *    and after it writes them. Rows of tables that nobody uses yet, or any more, are written in other ways, and are not read through here.
 * 2. What is kept is what the engine would answer. While a row is being written it is not kept, and readers ask the engine: so nobody sees the old
 *    row after somebody else has seen the new one.
 * 3. A reader that asked the engine keeps the answer only if nothing was written to that slot meanwhile.
 * 4. After a write that failed, which may be there or not, nothing is kept.
 *
 * It is a hash table with one row a slot. Each slot has a lock of its own, which is held while bytes are copied and never during a call of the engine.
 */
#ifndef ITEMFS_RECENT_H
#define ITEMFS_RECENT_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recent;

enum rc recent_new(struct store *store, struct recent **ret_recent); /* the store is borrowed */
void recent_free(struct recent *recent);

uint32_t recent_hash(const void *key, size_t n);

/* Appends the row's value as it is stored now, as store_get() without a snapshot. Any row, any thread. `keep`: it will be asked for again soon. */
enum rc recent_get(struct recent *recent, const struct buf *key, bool keep, struct buf *ret_value);

/* For the leader, with the key's hash. The same: */
enum rc recent_get_hashed(struct recent *recent, uint32_t hash, const struct buf *key, bool keep, struct buf *ret_value);
/* Whether it is kept, and its value is this; NULL: it is not there. */
bool recent_is(struct recent *recent, uint32_t hash, const struct buf *key, const struct buf *value);
/* A row is about to be written; and now it is (value NULL: deleted). Each row of a batch gets as many of the one as of the other. */
void recent_begin(struct recent *recent, uint32_t hash, const uint8_t *key, size_t n);
void recent_end(struct recent *recent, uint32_t hash, const uint8_t *key, size_t n, const uint8_t *value, size_t value_n);
/* Instead of all recent_end(): nobody knows. */
void recent_forget(struct recent *recent);

#endif
