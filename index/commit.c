/* commit: see commit.h. The shape is LevelDB's own writer queue, one level up: whoever is first leads. */
#include "index/commit.h"
#include "index/private.h"
#include <time.h>

/* How much one group may hold, so that nobody's commit waits for too many others'. */
enum { GROUP_COMMITS = 128, GROUP_BYTES = 4 << 20 };
/* How many sequences the volume's row is ahead. */
enum { SEQUENCES_AHEAD = 1024 };
/* The longest wait for others to share a sync with. */
enum { GATHER_NS = 2000000 };

struct commit {
	commit_fn *fn;
	void *context;
	unsigned flags;
	enum rc rc;
	bool done;
	struct commit *next;
	pthread_cond_t turn;
};

static enum rc run_one(struct volume *volume, struct commit *commit)
{
	struct txn *txn = volume->txn;
	size_t mark = txn_begin(txn, volume->record.sequence + 1, clock_now());
	enum rc rc = commit->fn(txn, commit->context);
	if (txn_failed(txn))
		rc = RC_NO_MEMORY; /* whatever else it found: it read a row again that could not be recorded */
	if (rc)
		txn_rollback(txn, mark);
	else
		volume->record.sequence++;
	return rc;
}

/* Whether the volume's row, as it is stored, covers what this group used of sequences and ids. */
static bool is_covered(const struct volume *volume)
{
	const struct volume_record *now = &volume->record, *stored = &volume->stored;
	return now->sequence <= stored->sequence && now->next_table == stored->next_table && now->next_refusal == stored->next_refusal &&
	       now->format == stored->format;
}

/* The volume's row goes with a group that uses what it does not cover, and then covers many commits to come: it would cost each as much as a row of
 * an item. The next mount goes on behind all that is covered, so no number is used twice. */
static enum rc cover(struct volume *volume, struct volume_record *ret_record)
{
	cleanup_buf struct buf key = {0}, value = {0};
	*ret_record = volume->record;
	ret_record->sequence += SEQUENCES_AHEAD;
	row_volume(&key);
	volume_write(&value, ret_record);
	txn_begin(volume->txn, volume->record.sequence, 0);
	txn_put(volume->txn, &key, &value);
	return txn_failed(volume->txn) ? RC_NO_MEMORY : RC_OK;
}

static enum rc write_group(struct volume *volume, bool durable, bool frees)
{
	struct volume_record covering = volume->stored;
	enum rc rc = is_covered(volume) ? RC_OK : cover(volume, &covering);
	if (rc) {
		txn_rollback(volume->txn, 0);
		return rc;
	}
	__atomic_store_n(&volume->begun, volume->record.sequence, __ATOMIC_RELEASE);
	rc = txn_write(volume->txn, durable, frees);
	__atomic_store_n(&volume->written, volume->record.sequence, __ATOMIC_RELEASE);
	if (!rc)
		volume->stored = covering;
	return rc;
}

/* Runs commits from `first` on, at most to `last` (both are in the queue; what comes after `last` is not looked at, for it may be arriving). Returns
 * the last one that was run. */
static struct commit *lead(struct volume *volume, struct commit *first, struct commit *last)
{
	struct commit *ran = NULL;
	unsigned count = 0, succeeded = 0;
	bool durable = volume->durable, frees = first->flags & COMMIT_FREES;
	for (struct commit *c = first;; c = c->next) {
		bool alone = c->flags & COMMIT_ALONE;
		if (count && (alone || frees != !!(c->flags & COMMIT_FREES) || count == GROUP_COMMITS || txn_bytes(volume->txn) > GROUP_BYTES))
			break;
		c->rc = run_one(volume, c);
		ran = c;
		count++;
		if (!c->rc) {
			succeeded++;
			durable |= c->flags & COMMIT_DURABLE;
		}
		if (alone || c == last)
			break;
	}
	enum rc rc = succeeded ? write_group(volume, durable, frees) : RC_OK;
	for (struct commit *c = first; rc; c = c->next) {
		if (!c->rc)
			c->rc = rc;
		if (c == ran)
			break;
	}
	return ran;
}

static int64_t monotonic(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Writers that sync are let go together, and come back together a moment after the next group has begun: so half of them would miss each sync. A leader
 * that will sync waits for as many as were there the last time, for less time than the sync that is saved takes. One that is alone waits for nobody. With the lock held. */
static void gather(struct volume *volume)
{
	int64_t wait = volume->sync_took / 2 < GATHER_NS ? volume->sync_took / 2 : GATHER_NS;
	int64_t until = monotonic() + wait;
	struct timespec end = {until / 1000000000, until % 1000000000};
	while (volume->queued < volume->expected &&
	       pthread_cond_clockwait(&volume->arrived, &volume->lock, CLOCK_MONOTONIC, &end) == 0)
		;
}

enum rc commit_run(struct volume *volume, commit_fn *fn, void *context, unsigned flags)
{
	struct commit me = {.fn = fn, .context = context, .flags = flags, .turn = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&volume->lock);
	*(volume->head ? &volume->tail->next : &volume->head) = &me;
	volume->tail = &me;
	if (++volume->queued == volume->expected)
		pthread_cond_signal(&volume->arrived);
	while (!me.done && volume->head != &me)
		pthread_cond_wait(&me.turn, &volume->lock);
	if (!me.done) {
		bool syncs = volume->durable || (flags & COMMIT_DURABLE);
		if (syncs)
			gather(volume);
		struct commit *last = volume->tail;
		int64_t began = syncs ? monotonic() : 0;
		pthread_mutex_unlock(&volume->lock);
		struct commit *ran = lead(volume, &me, last);
		pthread_mutex_lock(&volume->lock);
		struct commit *end = ran->next; /* somebody may have come meanwhile */
		if (syncs) {
			volume->sync_took = monotonic() - began;
			volume->expected = volume->queued;
		}
		for (struct commit *c = &me, *next; c != end; c = next) {
			next = c->next; /* its owner may return as soon as it is done */
			c->done = true;
			volume->queued--;
			if (c != &me)
				pthread_cond_signal(&c->turn);
		}
		volume->head = end;
		if (!end)
			volume->tail = NULL;
		else
			pthread_cond_signal(&end->turn);
	}
	pthread_mutex_unlock(&volume->lock);
	pthread_cond_destroy(&me.turn);
	return me.rc;
}

uint32_t commit_new_table(struct volume *volume)
{
	return volume->record.next_table++;
}

uint64_t commit_new_refusal(struct volume *volume)
{
	return volume->record.next_refusal++;
}
