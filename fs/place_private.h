/* place_private: what the files of place share. Private to place*.c and query_path.c.
 */
#ifndef ITEMFS_PLACE_PRIVATE_H
#define ITEMFS_PLACE_PRIVATE_H

#include "fs/place.h"
#include "index/listing.h"

/* What every filling begins with, and what no kind can be taken for another by: there is nothing yet but the kind and where it stands. `parent` is
 * the directory that the name is looked up in, and may be NULL. */
void place_begin(struct place *place, enum node_kind kind, struct node *parent);

/* A long name was cut: its key is found by making the names of those that begin like it, and goes into `place`. RC_NOT_FOUND: none that is stored has
 * it, or it is no cut name. */
enum rc place_search(struct volume *volume, struct place *place, enum listing_kind kind, const char *name, enum key_type type);

/* The same for a name that place_clash_name() cut: the plain file of place->table whose it is, into place->leaf.name. It looks at all of them. */
enum rc place_search_clash(struct volume *volume, struct place *place, const char *name);

/* The table that a node stands in; NULL outside. */
struct table *place_table(struct node *node);

/* What the names of a partition (NULL: none, the table itself) and of an item in it (NULL: none) stand for in place->table, into place->leaf.
 * RC_INVALID, RC_NOT_UTF8 with why; RC_NOT_FOUND and `unresolved` where a cut name is of nothing that is stored. */
enum rc place_leaf(struct frontend *front, struct place *place, const char *partition, const char *item, struct why *why);

/* The index of `place` and, below it, the key and the entry; names may be NULL from the deepest up. */
enum rc place_index(struct volume *volume, struct place *place, const char *index_name, const char *key_name, const char *entry_name);

#endif
