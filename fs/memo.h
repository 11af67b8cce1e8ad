/* memo: the name that was looked for in vain last. It is absent until something is committed, and it is mostly created next: then it need not be
 * looked for again. This serves a single client; where many commit, it is out of date at once, and costs only a look at the sequence. (What is there
 * is kept by index/recent.h.)
 */
#ifndef ITEMFS_MEMO_H
#define ITEMFS_MEMO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct frontend;
struct node;

struct memo {
	pthread_mutex_t lock; /* for moments only, never over I/O */
	uint64_t directory, sequence; /* a node's serial, and the volume's sequence before it was asked */
	char name[256];
};

void memo_init(struct memo *memo);
void memo_destroy(struct memo *memo);

/* Nothing of this name was stored in the partition when the volume was at `sequence`; and whether it is known that nothing is now. With the names held. */
void memo_set_absent(struct frontend *front, const struct node *partition, const char *name, uint64_t sequence);
bool memo_is_absent(struct frontend *front, const struct node *partition, const char *name);

#endif
