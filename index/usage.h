/* usage: the capacity units that a table and each of its indexes have consumed since the volume was opened, as DynamoDB would count them (SEMANTICS.md 11).
 *
 * Reads are strongly consistent, so one unit is 4096 bytes begun: reading an item's document is a GetItem, and rounds by itself; listing items or
 * entries is a Query, whose items add up and round once, when the listing ends. A read of an entry is a Query of one. Names alone (stat, a directory
 * of partitions or of index keys, a lookup) cost nothing. Writes: one unit is 1024 bytes begun, of the larger of the old and the new image; of each
 * index by what its entry does. A change of metadata alone costs nothing. Counters are atomic, each by itself; nothing here takes a lock.
 */
#ifndef ITEMFS_USAGE_H
#define ITEMFS_USAGE_H

#include <stdint.h>

enum { USAGE_READ_UNIT = 4096, USAGE_WRITE_UNIT = 1024 };

struct table;
struct usage_of_index;

struct usage {
	uint64_t reads, writes;        /* atomic */
	struct usage_of_index *indexes; /* atomic: the newest; each stays as long as the table */
};

/* At least 1. */
uint64_t usage_units(uint64_t bytes, uint64_t unit);

/* Adds units; index 0 is the table itself. What finds no memory is not counted. */
void usage_add(struct table *table, uint32_t index, uint64_t reads, uint64_t writes);
void usage_get(const struct table *table, uint32_t index, uint64_t *ret_reads, uint64_t *ret_writes);
void usage_free(struct usage *usage);

#endif
