/* item: what the items of the bench hold, the same in each system: 300 bytes, keys not counted, unless it is told otherwise.
 *
 * Items are numbered, and dealt out to partitions evenly: number i is in partition i modulo their number. */
#ifndef TESTS_BENCH_ITEM_H
#define TESTS_BENCH_ITEM_H

#include <stddef.h>
#include <stdint.h>

enum { ITEM_GROUP = 100 }; /* items that share a value of "Group", on which the bench's index is made */

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Half of it is random, so that a compressing engine has something to do and not all to win. */
static inline void item_fill(char *out, size_t n, long number)
{
	uint64_t random = (uint64_t)number + 1;

	for (size_t i = 0; i < n; i++)
		out[i] = i % 2 ? 'x' : (char)('a' + next_random(&random) % 26);
}

static inline long items_in(long partition, long items, long partitions)
{
	return items / partitions + (partition < items % partitions);
}

#endif
