/* latency: how long things took, as a histogram on a logarithmic scale: four buckets between each power of two and the next, so that what it says is at most a
 * quarter too much. Adding is three atomic additions and takes no lock; a reader may see one that is half added. Pure.
 */
#ifndef ITEMFS_LATENCY_H
#define ITEMFS_LATENCY_H

#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BUCKETS = 252 };

struct latency {
	uint64_t count, total, max; /* ns */
	uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t ns);

uint64_t latency_count(const struct latency *latency);
/* In ns; 0 where there is none. */
uint64_t latency_mean(const struct latency *latency);
uint64_t latency_max(const struct latency *latency);
/* At most so long took `permille` of a thousand: the upper end of its bucket. */
uint64_t latency_permille(const struct latency *latency, unsigned permille);

/* The bucket of a time, and the longest time that falls into one. */
size_t latency_bucket(uint64_t ns);
uint64_t latency_upper(size_t bucket);

#endif
