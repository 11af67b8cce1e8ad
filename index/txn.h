/* txn: the changes of one commit while they are composed, over what is stored.
 *
 * The queue's leader (commit.c) runs several commits over one txn, in order; each sees what those before it did. A commit that fails is rolled back to where it
 * began and the others stand. At the end the newest value of each row goes into one store batch.
 * Ranges are not seen through it: what needs a cursor runs alone (COMMIT_ALONE) and reads the store.
 */
#ifndef ITEMFS_TXN_H
#define ITEMFS_TXN_H

#include "index/recent.h"
#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/store.h"
#include <stdint.h>

struct txn;
struct table;

enum rc txn_new(struct store *store, struct recent *recent, struct txn **ret_txn); /* both borrowed */
void txn_free(struct txn *txn);

/* Appends the row's value as this commit sees it. RC_NOT_FOUND. Rows of tables that are in use change through a txn only (recent.h). */
enum rc txn_get(struct txn *txn, const struct buf *key, struct buf *ret_value);
/* A row that is known to be so already is not written: it costs the engine as much as one that changes. */
void txn_put(struct txn *txn, const struct buf *key, const struct buf *value);
void txn_delete(struct txn *txn, const struct buf *key);

/* Write capacity that the commit consumes of a table (index 0) or one of its indexes: counted when the commit is stored, and not where it fails. The
 * table is borrowed until then. */
void txn_charge(struct txn *txn, struct table *table, uint32_t index, uint64_t units);

/* The sequence number of the commit that is running, and its time (clock_now() at its start). */
uint64_t txn_sequence(const struct txn *txn);
int64_t txn_now(const struct txn *txn);

/* For the queue's leader. */
size_t txn_begin(struct txn *txn, uint64_t sequence, int64_t now); /* returns a mark */
void txn_rollback(struct txn *txn, size_t mark);
bool txn_failed(const struct txn *txn); /* memory ran out since txn_begin() */
size_t txn_bytes(const struct txn *txn);
enum rc txn_write(struct txn *txn, bool durable, bool frees); /* and empties it; `frees`: store_batch_frees() */

#endif
