/* latch: a call that takes long, without a clock: the n-th call of some kinds is held, until the test that asked for it lets it go.
 *
 * It lives in memory that may be shared between processes, so that a test can hold calls of its daemon.
 */
#ifndef ITEMFS_TESTS_LATCH_H
#define ITEMFS_TESTS_LATCH_H

#include <pthread.h>
#include <stdbool.h>

struct latch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned calls;      /* the kinds of calls that count, as bits */
	unsigned long to_go; /* how many of them until one is held; 0: none will be */
	bool held;           /* one is */
	bool over;           /* nobody waits any more: neither the one that is held nor who waits for it */
};

void latch_init(struct latch *latch);
void latch_free(struct latch *latch);
/* From now on: the n-th call, from 1, of these kinds. */
void latch_set(struct latch *latch, unsigned calls, unsigned long n);
/* Whether a call is held, once there is one or latch_open() has said that none will be. False, too, after some minutes. */
bool latch_await(struct latch *latch);
/* Lets it go. No call is held from here to the next latch_set(). */
void latch_open(struct latch *latch);

/* For whoever stands in for the calls: this is one of this kind. Does not wait for ever: a test that died lets nothing go. */
void latch_pass(struct latch *latch, unsigned call);

#endif
