/* usage: see usage.h. */
#include "index/usage.h"
#include "index/private.h"
#include <stdlib.h>

/* Index numbers come and go with definitions and are never used again, so there are as many of these as a table had indexes since the mount, and they are only ever added. */
struct usage_of_index {
	struct usage_of_index *next;
	uint32_t id;
	uint64_t reads, writes; /* atomic */
};

uint64_t usage_units(uint64_t bytes, uint64_t unit)
{
	return bytes ? (bytes + unit - 1) / unit : 1;
}

static struct usage_of_index *find(const struct usage *usage, uint32_t id)
{
	struct usage_of_index *at = __atomic_load_n(&usage->indexes, __ATOMIC_ACQUIRE);
	while (at && at->id != id)
		at = at->next;
	return at;
}

/* NULL: no memory. */
static struct usage_of_index *find_or_add(struct usage *usage, uint32_t id)
{
	struct usage_of_index *found = find(usage, id), *fresh = NULL;
	while (!found) {
		if (!fresh && !(fresh = calloc(1, sizeof *fresh)))
			return NULL;
		struct usage_of_index *first = __atomic_load_n(&usage->indexes, __ATOMIC_ACQUIRE);
		fresh->id = id;
		fresh->next = first;
		found = find(usage, id); /* after `first` was read: whoever comes between makes the exchange fail */
		if (!found && __atomic_compare_exchange_n(&usage->indexes, &first, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return fresh;
	}
	free(fresh);
	return found;
}

static void add(uint64_t *counter, uint64_t units)
{
	if (units)
		__atomic_add_fetch(counter, units, __ATOMIC_RELAXED);
}

void usage_add(struct table *table, uint32_t index, uint64_t reads, uint64_t writes)
{
	struct usage_of_index *of = NULL;
	if (!reads && !writes)
		return;
	if (index && !(of = find_or_add(&table->usage, index)))
		return;
	add(of ? &of->reads : &table->usage.reads, reads);
	add(of ? &of->writes : &table->usage.writes, writes);
}

void usage_get(const struct table *table, uint32_t index, uint64_t *ret_reads, uint64_t *ret_writes)
{
	const struct usage_of_index *of = index ? find(&table->usage, index) : NULL;
	*ret_reads = *ret_writes = 0;
	if (index && !of)
		return;
	*ret_reads = __atomic_load_n(of ? &of->reads : &table->usage.reads, __ATOMIC_RELAXED);
	*ret_writes = __atomic_load_n(of ? &of->writes : &table->usage.writes, __ATOMIC_RELAXED);
}

void usage_free(struct usage *usage)
{
	while (usage->indexes) {
		struct usage_of_index *of = usage->indexes;
		usage->indexes = of->next;
		free(of);
	}
}
