/* item_arena: chunks that grow, because a document's length says only roughly how much its tree will need, and one
 * malloc() a value would cost more than reading the value.
 *
 * Invariant: `at` and what follows it, `left` bytes, are the unused end of the first chunk, and `at` is aligned.
 */
#include "store/model/item_arena.h"
#include <stdalign.h>
#include <stdlib.h>

enum {
	ARENA_SMALL = 512,      /* a document's bytes up to which the first chunk is as large as malloc gives quickly: */
	ARENA_FIRST_MIN = 1008, /* glibc keeps freed blocks of up to 1,032 bytes at hand, and this one has a header */
	ARENA_FIRST_MAX = 1 << 18,
	ARENA_CHUNK_MAX = 1 << 20,
};

struct item_chunk {
	struct item_chunk *next;
	max_align_t bytes[];
};

void item_arena_init(struct item_arena *arena, size_t n)
{
	/* Most documents fit in a chunk of four times their length, and small ones in less. */
	size_t size = n <= ARENA_SMALL ? ARENA_FIRST_MIN : n > ARENA_FIRST_MAX / 4 ? ARENA_FIRST_MAX : 4 * n;

	*arena = (struct item_arena){.chunk_size = size};
}

void *item_arena_alloc(struct item_arena *arena, size_t n)
{
	struct item_chunk *chunk;
	size_t size;
	void *bytes;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1); /* n is a document's length at most */
	if (n > arena->left) {
		size = n > arena->chunk_size ? n : arena->chunk_size;
		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->at = (uint8_t *)chunk->bytes;
		arena->left = size;
		if (arena->chunk_size < ARENA_CHUNK_MAX)
			arena->chunk_size *= 2;
	}
	bytes = arena->at;
	arena->at += n;
	arena->left -= n;
	return bytes;
}

void item_arena_free(struct item_arena *arena)
{
	struct item_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
	arena->left = 0;
}
