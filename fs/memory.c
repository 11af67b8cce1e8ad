/* memory: see memory.h. */
#include "fs/memory.h"
#include "fs/handle.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ARENAS = 2, /* measured with one to four clients: as fast as eight for each processor, which is malloc's own choice */
	BASE = 24 << 20,
	REQUEST = (1 << 20) + (64 << 10), /* libfuse's buffer, and the stack that was touched */
};

static bool is_chosen(void)
{
	const char *tunables = getenv("GLIBC_TUNABLES");
	return getenv("MALLOC_ARENA_MAX") || (tunables && strstr(tunables, "arena_max"));
}

void memory_begin(void)
{
	if (!is_chosen())
		mallopt(M_ARENA_MAX, ARENAS);
}

void memory_give_back(void)
{
	malloc_trim(0);
}

void memory_parts(struct frontend *front, const struct store_figures *engine, struct memory_parts *ret_parts)
{
	pthread_mutex_lock(&front->tree.lock);
	uint64_t names = tree_bytes(&front->tree);
	pthread_mutex_unlock(&front->tree.lock);
	*ret_parts = (struct memory_parts){
	    .base = BASE,
	    .requests = (uint64_t)front->options.threads * REQUEST,
	    .engine = engine->bound,
	    .names = names,
	    .open = atomic_load(&front->handle_count) * sizeof(struct handle) + atomic_load(&front->documents),
	};
}

/* A quarter more: what is free between names and documents that are still held cannot be given back. */
uint64_t memory_bound(const struct memory_parts *parts)
{
	return parts->base + parts->requests + parts->engine + (parts->names + parts->open) * 5 / 4;
}

uint64_t memory_taken(void)
{
	unsigned long size, resident, shared;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	bool read = fscanf(file, "%lu %lu %lu", &size, &resident, &shared) == 3;
	fclose(file);
	return read && resident > shared ? (uint64_t)(resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
