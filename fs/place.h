/* place: from names to keys: what a node, or a name in a directory, stands for in the volume. This is the one file that knows the grammar of the tree.
 *
 * Its functions are called with the tree's names held (node.h), which also keeps the table's definition as it is.
 */
#ifndef ITEMFS_PLACE_H
#define ITEMFS_PLACE_H

#include "fs/front.h"
#include "fs/node.h"
#include "index/leaf.h"
#include "store/rows.h"

/* Some 14 kB: to be filled by the functions below, and not cleared before. */
struct place {
	enum node_kind kind;
	enum node_kind subject;     /* queries (query_path.h): what they are about: NODE_TABLE, NODE_PARTITION, NODE_INDEX or NODE_INDEX_KEY */
	bool listed;                /* queries: a view or a result, and what lists it is a view, too */
	struct node *parent;        /* borrowed */
	struct table *table;        /* borrowed from the tree; NULL outside tables */
	char table_name[256];       /* a table, or a snapshot, that need not be there */
	struct leaf leaf;           /* items and plain files; a partition's key is leaf.pk */
	char index[256];            /* index views: its name */
	struct key keys[ROW_KEYS_MAX]; /* an index key: the first; an entry: all of them */
	size_t key_count;
	uint64_t id; /* a rejected draft */
	/* Names over 255 bytes, of items in declared tables (in undeclared ones a name that was cut is a key like any other): */
	bool cut_pk, cut_sk; /* the partition's name, the item's own: the document must hold that key */
	bool unresolved;     /* and nothing of that name is stored: leaf's keys are not known until place_resolve() */
};

/* Whether it is an item whose name, or whose partition's, was cut. */
static inline bool place_cut(const struct place *place)
{
	return place->cut_pk || place->cut_sk;
}

/* For such an item: takes the keys from the document and sees that they have these names. `moved`: what the document says of a key that is known will
 * be set to that one. RC_REFUSED. */
enum rc place_resolve(struct place *place, const char *name, bool moved, const void *document, size_t len, struct why *why);

/* Whether its partition waits for its first document: the commit of an item there gives names another meaning. */
bool place_pending(const struct place *place);
/* After place_resolve(), with the names held for writing: the document can be this item's, and its partition has its key. Refusals as leaf_write(). */
enum rc place_settle(struct place *place, const void *document, size_t len, struct why *why);


/* What a node stands for. RC_STALE: it is dead; RC_NOT_FOUND: its name means nothing in the table as it is defined now. */
enum rc place_of(struct frontend *front, struct node *node, struct place *ret_place);

/* What a name in a directory would stand for, whether it is there or not; for looking up. RC_NOT_FOUND: nothing can be there. Where a name in a table
 * may be a partition's or a plain file's, it is the partition's (place_as_plain() gives the other). */
enum rc place_lookup(struct frontend *front, struct node *parent, const char *name, struct place *ret_place);
/* Whether a partition has this name, so that a plain file of it shows as NAME%~plain. */
#define PLACE_CLASH "%~plain"
bool place_clash(struct frontend *front, struct node *table, const char *name);
/* And that name, cut where it would pass 255 bytes. False: no memory. */
bool place_clash_name(const char *file, char out[256]);
enum rc place_as_plain(struct frontend *front, struct node *parent, const char *name, struct place *place);

/* The same for making something: a directory, or a regular file. RC_FORBIDDEN: reserved, or nothing of that sort belongs there; RC_READ_ONLY: in a
 * view or a snapshot; RC_INVALID, RC_NOT_UTF8, RC_NAME_TOO_LONG with why. */
enum rc place_create(struct frontend *front, struct node *parent, const char *name, bool directory, struct place *ret_place, struct why *why);

/* Whether an item may come to this partition, and under this sort key (len 0: the table has none), by another way than its name: RC_REFUSED where no
 * name could lead to it, or another has it; RC_IO, RC_NO_MEMORY, …: that cannot be found out. */
enum rc place_admit_partition(struct frontend *front, struct node *table, const struct key *pk, struct why *why);
enum rc place_admit_item(struct frontend *front, struct node *table, const struct key *pk, const struct key *sk, struct why *why);

/* The names of what listings give. False: the name would be empty (out of memory). Names over 255 bytes are cut and end in a hash: the way back is a
 * search (place_lookup does it). */
bool place_item_name(const struct key *sk, bool has_sk, char out[256]);
bool place_key_name(const struct key *key, bool component, char out[256]);
bool place_entry_name(const struct key *keys, size_t count, char out[256]);

#endif
