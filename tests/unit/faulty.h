/* faulty: an engine that fails on demand. The store's functions are wrapped at link time (--wrap): the n-th call of the thread that asked for it
 * gives an error instead, or comes late, and the engine is not called.
 *
 * Only calls of that thread count, so that n is the same call in every run, whatever the volume's own threads do meanwhile.
 */
#ifndef ITEMFS_TESTS_FAULTY_H
#define ITEMFS_TESTS_FAULTY_H

#include "store/model/rc.h"
#include "tests/latch.h"
#include <stdbool.h>

enum faulty_calls {
	FAULTY_READS = 1,
	FAULTY_WRITES = 2,
	FAULTY_MEMORY = 4, /* malloc, calloc, realloc, strdup of our own code; NULL */
};

/* From now on the n-th call (from 1) of these kinds in this thread gives `rc`; once. n = 0: only counts. */
void faulty_begin(unsigned calls, unsigned long n, enum rc rc);
/* The same, but the n-th call is held by the latch (its first, whatever the kind), and then goes on. */
void faulty_begin_held(unsigned calls, unsigned long n, struct latch *latch);
/* How many such calls there were since, and the end of it. */
unsigned long faulty_end(void);
/* Whether the fault was met since faulty_begin(). */
bool faulty_met(void);

#endif
