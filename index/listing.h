/* listing: what a directory holds, in order, in one view; one entry at a time, in both directions, in constant memory. Directories, queries, scans
 * and exports all list by this.
 */
#ifndef ITEMFS_LISTING_H
#define ITEMFS_LISTING_H

#include "index/query.h"
#include "index/table.h"
#include "index/volume.h"
#include "store/model/key.h"
#include "store/rows.h"

enum listing_kind {
	LISTING_TABLES,     /* of the volume, by name */
	LISTING_FILES,      /* plain files of a table's own directory, or of a partition's, by name */
	LISTING_PARTITIONS, /* of a table, by key */
	LISTING_ITEMS,      /* of a partition, by sort key; of the whole table, by partition key and sort key */
	LISTING_INDEX_KEYS, /* partition keys of an index, by key */
	LISTING_ENTRIES,    /* of one partition key of an index, by index sort key, then base key; of the whole index, by all of them */
};

struct listing_place {
	enum listing_kind kind;
	struct table *table;    /* borrowed; not for tables */
	const struct key *pk;   /* partition, or index partition; NULL for LISTING_FILES: the table's own; for items and entries: all of the table or index */
	const char *index;      /* its name */
	/* Items, index keys, entries: only those whose S or B key (of an entry: the first key after the index's partition key) begins with these bytes. NULL: all. */
	const struct key *prefix;
	/* Which of them, and in which order; must outlive the listing. Conditions, limits and `after` are for items and entries of one partition key. NULL: all,
	 * ascending. */
	const struct query *query;
};

struct listing;

/* RC_NOT_FOUND: no such index; RC_AGAIN: the index is being filled (backfill.h); RC_STALE: the table is gone. A query is carried out by the first
 * step, which also returns what went wrong in it. The view must outlive the listing; NULL: it takes a view of its own, as things are now. */
enum rc listing_open(struct volume *volume, const struct view *view, const struct listing_place *place, struct listing **ret_listing);
void listing_close(struct listing *listing); /* NULL is fine */

/* What stands at the place after a step that returned RC_OK. Valid until the next step. */
struct listing_entry {
	char name[256];    /* tables, files */
	struct key pk;     /* items: their partition key */
	struct key key;    /* partitions: the partition key; items: the sort key (none in a table without one: len 0); index keys: the key */
	struct key *keys;  /* entries: as entry_shape() orders them; the first is the index partition key */
	size_t key_count;
	struct meta meta;
	struct head head;  /* files, items, entries */
	uint64_t identity; /* tables */
	uint64_t birth;    /* partitions */
};

/* A step forward, in the listing's order. RC_NOT_FOUND: it stands on the last, and stays there. RC_CORRUPT, RC_IO. */
enum rc listing_next(struct listing *listing, const struct listing_entry **ret_entry);
/* A step back; RC_NOT_FOUND where it now stands before the first (or did already). */
enum rc listing_prev(struct listing *listing);

/* Appends the document of the item, entry or file that it stands on, as it is in the listing's view: after a listing_next() that returned RC_OK,
 * before any other step. RC_CORRUPT, RC_IO. */
enum rc listing_document(struct listing *listing, struct buf *ret_document);

/* The same, parsed; borrowed until the next step. Parsed once a row, however often it is asked for. */
enum rc listing_item(struct listing *listing, const struct item **ret_item);

/* Where a query's limits end, as it was found out last: of use again as long as nothing is committed. For one listing_place; any number of threads at once. */
struct listing_memo;
struct listing_memo *listing_memo_new(void); /* NULL: no memory */
void listing_memo_free(struct listing_memo *memo); /* NULL is fine */
/* Whether an item or entry is among what the place lists (place->query included): RC_OK, RC_NOT_FOUND. keys: an item's sort key (count 0 in a table
 * without one); an entry's keys after the first. `memo` may be NULL. */
enum rc listing_has(struct volume *volume, const struct view *view, const struct listing_place *place, const struct key *keys, size_t count,
                    struct listing_memo *memo);

/* How many rows it has asked the engine for so far, those of its opening included: what a query costs. */
uint64_t listing_rows(const struct listing *listing);
/* How many documents it has parsed. */
uint64_t listing_parsed(const struct listing *listing);

/* One entry of an index by its keys (index partition key first, as a listing gives them). ret_document may be NULL. RC_NOT_FOUND, RC_AGAIN. */
enum rc listing_get_entry(struct table *table, const struct view *view, const char *index, const struct key *keys, size_t count,
                          struct head *ret_head, struct buf *ret_document);
/* Whether an index has any entry under this partition key; RC_NOT_FOUND, RC_AGAIN. */
enum rc listing_has_index_key(struct table *table, const struct view *view, const char *index, const struct key *key);

#endif
