/* latency: see latency.h. */
#include "fs/latency.h"
#include <stdbool.h>

size_t latency_bucket(uint64_t ns)
{
	if (ns < 4)
		return (size_t)ns;
	unsigned power = 63 - (unsigned)__builtin_clzll(ns);
	return (power - 1) * 4 + (ns >> (power - 2) & 3);
}

uint64_t latency_upper(size_t bucket)
{
	if (bucket < 4)
		return bucket;
	unsigned shift = (unsigned)bucket / 4 - 1;
	return (((uint64_t)bucket % 4 + 4) << shift) + ((UINT64_C(1) << shift) - 1);
}

static uint64_t load(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

void latency_add(struct latency *latency, uint64_t ns)
{
	uint64_t max = load(&latency->max);
	__atomic_fetch_add(&latency->count, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&latency->total, ns, __ATOMIC_RELAXED);
	__atomic_fetch_add(&latency->bucket[latency_bucket(ns)], 1, __ATOMIC_RELAXED);
	while (ns > max && !__atomic_compare_exchange_n(&latency->max, &max, ns, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

uint64_t latency_count(const struct latency *latency)
{
	return load(&latency->count);
}

uint64_t latency_mean(const struct latency *latency)
{
	uint64_t count = load(&latency->count);
	return count ? load(&latency->total) / count : 0;
}

uint64_t latency_max(const struct latency *latency)
{
	return load(&latency->max);
}

uint64_t latency_permille(const struct latency *latency, unsigned permille)
{
	uint64_t all = 0, seen = 0;
	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		all += load(&latency->bucket[i]);
	uint64_t want = (all * permille + 999) / 1000;
	for (size_t i = 0; want && i < LATENCY_BUCKETS; i++) {
		seen += load(&latency->bucket[i]);
		if (seen >= want)
			return latency_upper(i);
	}
	return 0;
}
