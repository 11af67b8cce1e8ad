/* slow: what slow.c tells apart, and where its latch is: in the file that ITEMFS_LATCH names. */
#ifndef ITEMFS_TESTS_SLOW_H
#define ITEMFS_TESTS_SLOW_H

enum slow_call {
	SLOW_WRITE = 1,    /* a batch */
	SLOW_GET = 2,      /* one row */
	SLOW_CURSOR = 4,   /* a step in a range */
	SLOW_SNAPSHOT = 8, /* the taking of one */
	SLOW_SYNC = 16,    /* of a file, by the engine or by what stands around it */
	SLOW_STORED = 32,  /* a batch with an item in it, that readers see already; the background writes none */
};

#endif
