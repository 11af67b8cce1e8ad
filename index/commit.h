/* commit: the one queue through which everything that changes a volume goes (invariant 10).
 *
 * A commit is a function that reads and writes rows through a txn. The thread at the head of the queue leads: it runs the functions of all that
 * wait, in order, over one txn, and writes one store batch, synced if any of them asked. So what a function read is still true when its rows are written,
 * and threads that fsync share one sync.
 */
#ifndef ITEMFS_COMMIT_H
#define ITEMFS_COMMIT_H

#include "index/txn.h"
#include "index/volume.h"

enum commit_flags {
	COMMIT_DURABLE = 1, /* survives the loss of power once commit_run() returns RC_OK */
	COMMIT_ALONE = 2,   /* reads ranges of the store, so nothing may be composed but not written before it */
	COMMIT_FREES = 4,   /* makes room in the end: is taken where the disk is too full for others. They share no group */
};

/* Runs in the leader's thread, which may be another's. Anything but RC_OK takes back what it wrote and becomes commit_run()'s result. It must not commit. */
typedef enum rc commit_fn(struct txn *txn, void *context);

enum rc commit_run(struct volume *volume, commit_fn *fn, void *context, unsigned flags);

/* Ids that are never used again; only from within a commit_fn. */
uint32_t commit_new_table(struct volume *volume);
uint64_t commit_new_refusal(struct volume *volume);

#endif
