/* document: what a document must be to become an item of a certain table, beyond what every item must be (store/model/item.h). Pure.
 */
#ifndef ITEMFS_DOCUMENT_H
#define ITEMFS_DOCUMENT_H

#include "store/model/buf.h"
#include "store/model/item.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/schema.h"
#include "store/model/why.h"

/* Checks that the key attributes the document holds are those of its key, and its size by DynamoDB's measure, key included, which goes to
 * *ret_measure. In an undeclared table nothing is compared: the key attributes' names are only a default there. RC_REFUSED, RC_TOO_BIG. sk NULL: a
 * table without a sort key. */
enum rc document_check(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item,
                       uint32_t *ret_measure, struct why *why);

/* The same of a document that comes in, and that it has at most ITEM_SIZE_MAX bytes together with its entries in the local indexes (SEMANTICS.md 4).
 * That is not asked of what is stored: it may have come before it was asked. */
enum rc document_check_new(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item,
                           uint32_t *ret_measure, struct why *why);

/* The key that the document itself says, where its name was cut and cannot: RC_REFUSED where it does not hold the attribute, or no key. */
enum rc document_key(const struct item *item, const struct schema_attribute *attribute, enum key_role role, struct key *ret_key, struct why *why);

/* Appends the document to *out with the values of its key attributes replaced by these keys, where it holds them and they differ; every other byte stays. */
void document_rekey(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item, struct buf *out);

/* Reads a document that is stored, so was right when it was written: RC_CORRUPT where it is not now. The item borrows the bytes. */
enum rc document_stored(const struct buf *document, struct item **ret_item);

#endif
