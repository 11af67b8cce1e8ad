/* item_arena: the memory of one item. All of it goes in one go, so nothing in an item has an owner of its own.
 * Private to item*.c.
 */
#ifndef ITEMFS_ITEM_ARENA_H
#define ITEMFS_ITEM_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct item_chunk;

struct item_arena {
	struct item_chunk *chunks; /* the one in use first */
	uint8_t *at;
	size_t left;
	size_t chunk_size; /* of the next chunk */
};

/* Makes it ready for an item whose document has n bytes. Takes no memory yet. */
void item_arena_init(struct item_arena *arena, size_t n);

/* n bytes (at least 1), aligned for anything and not zeroed, that live as long as the arena. NULL: no memory. */
void *item_arena_alloc(struct item_arena *arena, size_t n);

void item_arena_free(struct item_arena *arena);

#endif
