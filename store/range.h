/* range: the first and the last of some keys, in the order of store.h; both belong to it. Zero-initialised it holds none. Where there is no memory
 * for a key, the range covers fewer keys than were added: use it only for work that may be left undone.
 */
#ifndef ITEMFS_STORE_RANGE_H
#define ITEMFS_STORE_RANGE_H

#include "store/model/buf.h"
#include <stdbool.h>
#include <stddef.h>

struct range {
	struct buf first, last; /* empty: no key */
};

/* Bytewise, the shorter first. */
int key_compare(const void *a, size_t a_n, const void *b, size_t b_n);

void range_free(struct range *range);
void range_clear(struct range *range);
bool range_is_empty(const struct range *range);
void range_add(struct range *range, const void *key, size_t n);
void range_add_range(struct range *range, const struct range *other);

#endif
