/* memo: what the volume said last, which holds until something is committed. A request often asks what the one before it asked: a name is looked up and then
 * created, a directory's attributes are read and then, as a name comes into it, its group. One of each sort is kept: that of a single client; where many
 * commit, it is out of date at once, and costs a look at the sequence.
 */
#ifndef ITEMFS_MEMO_H
#define ITEMFS_MEMO_H

#include "store/rows.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct frontend;
struct node;
struct place;

struct memo {
	pthread_mutex_t lock; /* for moments only, never over I/O */
	struct {
		uint64_t directory, sequence; /* a node's serial, and the volume's sequence before it was asked */
		struct partition_record record;
	} partition;
	struct {
		uint64_t directory, sequence;
		char name[256];
	} absent;
};

void memo_init(struct memo *memo);
void memo_destroy(struct memo *memo);

/* partition_get() of what `place` says of the node, a partition's. With the names held. */
enum rc memo_partition(struct frontend *front, const struct node *node, const struct place *place, struct partition_record *ret_record);

/* Nothing of this name was stored in the partition when the volume was at `sequence`; and whether it is known that nothing is now. With the names held. */
void memo_set_absent(struct frontend *front, const struct node *partition, const char *name, uint64_t sequence);
bool memo_is_absent(struct frontend *front, const struct node *partition, const char *name);

#endif
