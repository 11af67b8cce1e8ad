/* change: what one item's change does to everything that must agree with it, within one commit: its rows, the entry of each index, its
 * partition's record, the table's counters. All that writes items goes through here, so that the invariants of rows.h are kept in one place.
 * Internal to index/. The caller holds the table's gate.
 */
#ifndef ITEMFS_CHANGE_H
#define ITEMFS_CHANGE_H

#include "index/entry.h"
#include "index/leaf.h"
#include "index/private.h"
#include "store/model/item.h"

/* What is stored of an item or a file. */
struct image {
	struct head head;
	struct buf document; /* only where asked for */
};
void image_free(struct image *image);
#define cleanup_image __attribute__((cleanup(image_free)))

/* Reads by the key of the head row; the body row's key differs in its letter alone. RC_NOT_FOUND; RC_CORRUPT. */
enum rc image_load(struct txn *txn, const struct buf *head_row, bool with_document, struct image *ret_image);
/* The same where the head row's value is at hand. */
enum rc image_read(struct txn *txn, const struct buf *head_row, const struct buf *value, bool with_document, struct image *ret_image);
bool image_has_body(const struct head *head);
/* `had_body`: what is there, if anything is, has a body row (or may have one), which goes. */
void image_store(struct txn *txn, const struct buf *head_row, const struct head *head, const void *document, bool had_body);
void image_delete(struct txn *txn, const struct buf *head_row, bool had_body);

struct change {
	struct txn *txn;
	struct table *table;
	const struct schema *schema;    /* the table's; while it is redefined, the new one */
	struct table_counters counters; /* written back by change_end() */
	uint64_t units;                 /* of write capacity, of the table itself */
	uint64_t index_units[CATALOG_INDEXES_MAX]; /* and of each index, as the schema's are */
	int64_t appeared;               /* when the names that come were first seen (a create that is committed later); 0: now */
	struct why *why;
};
enum rc change_begin(struct change *change, struct txn *txn, struct table *table, struct why *why);
void change_end(struct change *change);

/* Puts the item, whether there was one or not. `item` is `document` parsed and checked (document_check) with this key. RC_REFUSED where an index
 * cannot take it. Sets head->version and ctime. */
enum rc change_put(struct change *change, const struct key *pk, const struct key *sk, struct head *head, const struct item *item);

/* The same where the caller has read what is there in this commit: `row` by image_load(), with the document where the schema has indexes. NULL: nothing is. */
enum rc change_put_over(struct change *change, const struct buf *row, const struct image *old, const struct key *pk, const struct key *sk,
			struct head *head, const struct item *item);

/* Takes it away; the caller has read it in this commit, as above. */
enum rc change_delete(struct change *change, const struct buf *row, const struct image *old, const struct key *pk, const struct key *sk);

/* Adds the entry of an item to an index that is being filled, whose filling comes past it now. `birth` is the item's. */
enum rc change_fill(struct change *change, const struct schema_index *index, const struct entry *entry, uint64_t birth);

/* A name has come to (+1) or gone from (-1) a directory: a partition (its items or files), or the table itself (pk NULL; its files). Sets the
 * directory's times (change_touch). A partition that is not there is made for an item, implicit, with `owner`'s ids, and not for a file (RC_NOT_FOUND); an implicit one
 * goes with its last name. */
enum rc change_names(struct change *change, const struct key *pk, int items, int files, const struct meta *owner);

/* A name came to or went from a directory at `when`: its mtime says so, unless the directory was touched since (a late commit must not spoil the
 * times that a restore has set). */
void change_touch(struct meta *directory, int64_t when);

/* Leaves within a commit (leaf.c). The key of the leaf's head row: */
void leaf_row(const struct leaf *leaf, struct buf *row);
const struct key *leaf_sort_key(const struct leaf *leaf); /* NULL: the table has none */
/* Whether its keys are of the types that the table's definition has now; the gate is held. */
bool leaf_fits(const struct leaf *leaf);
enum rc leaf_has_partition(struct txn *txn, const struct leaf *leaf); /* RC_NOT_FOUND: there is none */
/* Reads the document as this item's (item_parse, document_check). The item borrows the document. */
enum rc leaf_parse(const struct leaf *leaf, const void *document, size_t len, struct item **ret_item, uint32_t *ret_measure,
                   struct why *why);
/* What is there, as changes of it have to know it. RC_NOT_FOUND. */
enum rc leaf_load(struct txn *txn, const struct leaf *leaf, const struct buf *row, struct image *ret_image);
/* Puts a plain file over what is there (leaf_load(); NULL: its name is new in its directory). RC_NOT_FOUND: no such partition. */
enum rc leaf_put_file(struct change *change, const struct leaf *leaf, const struct buf *row, const struct image *old, struct head *head, const void *bytes);
enum rc leaf_delete(struct change *change, const struct leaf *leaf, const struct buf *row, const struct image *old);

#endif
