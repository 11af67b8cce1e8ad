/* item_check: the second of item_parse()'s two passes (see item.c). Private to item*.c. */
#ifndef ITEMFS_ITEM_CHECK_H
#define ITEMFS_ITEM_CHECK_H

#include "store/model/item.h"

/* Makes the tree as JSON has it, whose top is `root`, a map of typed values in place, and sums up the sizes. Every rule
 * but the item's own size is checked: RC_REFUSED with the place of the first fault, or RC_NO_MEMORY. */
enum rc item_check(struct item *item, struct item_value *root, struct why *why);

#endif
