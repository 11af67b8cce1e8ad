/* entry: one row of a secondary index, made from an item. Pure: no I/O, nothing remembered.
 *
 * The row's keys are the index's partition key, its sort key if it has one, then those keys of the base table that the index key does not hold already:
 * equal index keys so stay apart and sort by base key. The document is the projection as one line of JSON: base keys, index keys, then the other attributes
 * in the order of the item's document. SEMANTICS.md 6.
 */
#ifndef ITEMFS_ENTRY_H
#define ITEMFS_ENTRY_H

#include "store/model/buf.h"
#include "store/model/item.h"
#include "store/model/json.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/schema.h"
#include "store/model/why.h"
#include "store/rows.h"

/* How an index's entries are keyed: each key's attribute, and where it comes from. */
struct entry_shape {
	size_t count;                                      /* keys in a row */
	size_t index_keys;                                 /* how many of them are the index's own; the rest are the base's */
	const struct schema_attribute *key[ROW_KEYS_MAX]; /* borrowed from the schema */
	enum key_role role[ROW_KEYS_MAX];
	int base_pk, base_sk; /* at which place the base keys stand; base_sk is -1 in a table without one */
};
void entry_shape(const struct schema *schema, const struct schema_index *index, struct entry_shape *ret_shape);

/* An item with its key, as the entries are made from it. */
struct entry_source {
	const struct schema *schema;
	const struct key *pk, *sk; /* sk NULL in a table without a sort key */
	const struct item *item;
};

struct entry {
	bool present;   /* the item has all keys of the index */
	struct buf row; /* the key of its 'I' row */
	struct buf document;
	uint32_t measure; /* DynamoDB's size of the projected attributes */
};
void entry_free(struct entry *entry);

/* Makes the entry (*ret_entry is zeroed or an earlier one, whose memory is used again). RC_OK with present = false where an attribute is missing
 * (sparse); RC_REFUSED with AWS's words where one has the wrong type, is empty or too long: a write of such an item is refused; an item that was
 * there before the index is skipped. RC_NO_MEMORY. */
enum rc entry_make(const struct entry_source *source, const struct schema_index *index, uint32_t table, struct entry *ret_entry,
                   struct why *why);

/* The same for an entry that is to go or to be replaced: its document is left empty where it is certain to stand in the head row (it may be made all
 * the same where it does). */
enum rc entry_locate(const struct entry_source *source, const struct schema_index *index, uint32_t table, struct entry *ret_entry);

/* The measure alone of the entry that entry_make() would give; 0 where that is none, or is refused. */
uint32_t entry_measure(const struct entry_source *source, const struct schema_index *index);

/* Whether the entries of two items have one document, where they have one row. */
bool entry_same(const struct entry_source *a, const struct entry_source *b, const struct schema_index *index);

#endif
