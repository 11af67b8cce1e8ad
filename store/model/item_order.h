/* item_order: whether siblings repeat one another: attributes of one name, equal elements of a set. Private to
 * item*.c.
 */
#ifndef ITEMFS_ITEM_ORDER_H
#define ITEMFS_ITEM_ORDER_H

#include "store/model/item.h"

/* What makes two siblings the same: names in a map, texts in SS and BS, numbers in NS. The order has no other use. */
typedef int item_order(const struct item_value *a, const struct item_value *b);

item_order item_by_name, item_by_bytes, item_by_number;

/* Sets *ret_repeated to the first sibling that is the same as one before it, NULL where there is none. False: no
 * memory. */
bool item_find_repeated(const struct item_value *first, size_t count, item_order *order,
			const struct item_value **ret_repeated);

#endif
