/* memory: how much of the machine's memory the daemon takes for itself, and how that stays small. Mapped files of the engine do not count: the kernel
 * can drop those pages.
 *
 * It is never more than the sum of these (memory_bound()):
 *   base      the program, its libraries, its stacks, and what malloc has free between what it has given out
 *   requests  each thread that serves has room for the largest request, whether one came or not
 *   engine    the block cache, two memtables, and the indexes of its open tables (store_figures.bound)
 *   names     what the kernel remembers: about 150 bytes a name that was listed or looked up, 350 where it was opened. It forgets when it needs room
 *             itself; then these go, too
 *   open      open files: each about 1,200 bytes, the document that it reads, and its draft (or the bytes of a plain file)
 * Listings, exports and imports go through as they come, and are in the base.
 *
 * malloc makes an arena for each thread that finds the others busy, and each arena keeps what was freed in it. So we allow few arenas (unless the
 * environment says how many), and give free memory back to the system after the kernel has forgotten many names.
 */
#ifndef ITEMFS_MEMORY_H
#define ITEMFS_MEMORY_H

#include "fs/front.h"
#include "store/store.h"

struct memory_parts {
	uint64_t base, requests, engine, names, open; /* bytes; engine: what it may grow to */
};

/* Before there are threads. */
void memory_begin(void);

/* Gives what is free back to the system: milliseconds, after much was freed. */
void memory_give_back(void);

void memory_parts(struct frontend *front, const struct store_figures *engine, struct memory_parts *ret_parts);
uint64_t memory_bound(const struct memory_parts *parts);
/* What it takes now; 0: not known. */
uint64_t memory_taken(void);

#endif
