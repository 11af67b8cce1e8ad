/* item_type: the names of types, as DynamoDB has them (item_type_name() in item.h), as JSON does, and as wrappers
 * write them. Both passes over a document ask here, and so does typed.c. Private to item*.c and typed.c.
 */
#ifndef ITEMFS_ITEM_TYPE_H
#define ITEMFS_ITEM_TYPE_H

#include "store/model/item.h"

/* What a value is called in JSON, for somebody who wrote it where it does not belong. */
const char *item_type_in_json(enum item_type type);

/* The type that a name says as an object's only one; false where it says none. */
bool item_type_of_wrapper(const uint8_t *name, size_t n, enum item_type *ret_type);

#endif
