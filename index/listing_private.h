/* listing_private: what the files of a listing share. listing.c opens it and moves the cursor; listing_read.c says what a row is; listing_query.c
 * carries out a query. */
#ifndef ITEMFS_INDEX_LISTING_PRIVATE_H
#define ITEMFS_INDEX_LISTING_PRIVATE_H

#include "index/listing.h"
#include "index/query_private.h"

struct listing {
	struct volume *volume;
	struct store_snapshot *snapshot; /* to read more rows by; borrowed or own */
	bool own;
	enum listing_kind kind;
	uint32_t table; /* partitions: to find their items */
	bool has_sk;
	bool whole; /* items or entries: of all partition keys, not of one */
	size_t key_count;

	/* The range, and how it is read. */
	struct buf low, high;
	struct buf place; /* what all rows of the place begin with; behind it stand the keys that a query is about */
	size_t base;      /* how many bytes at its front are no key */
	const struct query *query; /* borrowed; NULL: none */
	bool carried_out;
	enum rc failed;  /* what that gave */
	size_t steps;    /* how many of its steps hold already */
	bool descending;
	uint64_t limit;  /* QUERY_ALL: none; in the way only, `count` has it in the end */

	/* How many there are, where that is known: then the listing need not ask the engine for the end of the range. The engine finds that end by passing over
	 * everything that was deleted behind it, which may be very much (temporary names come and go). Indexes keep no count for each key, as each write would have to
	 * change a row that all items of that key share. There the end costs what the engine has not merged yet, which its write buffer and first level bound: 10 ms
	 * after 80,000 entries had come to one key and gone (measured). */
	bool counted;
	uint64_t count;

	uint64_t seen; /* steps forward less steps back: it stands on the seen-th, or before the first */
	bool past;     /* the cursor stands behind the last, though the listing stands on it */
	bool jump;     /* the further rows with the partition key of this one are of no interest: index keys, foreign segments */
	uint64_t rows; /* listing_rows() */

	/* What the entry is, once somebody asked: for all tests of one row. */
	struct item *item;   /* NULL: nobody did */
	struct buf document; /* its bytes */
	uint64_t parsed;     /* listing_parsed() */

	/* What it has consumed (usage.h), told when it is closed: a Query's or Scan's items add up, those that a test turned down among them, and round once. */
	struct table *charged; /* a reference; NULL: nobody, as for lookups of single names */
	uint32_t charged_index;
	bool asked;
	uint64_t furthest, evaluated; /* bytes of what was come past for the first time */
	struct store_cursor *cursor;
	struct listing_entry entry;
	struct key keys[]; /* ROW_KEYS_MAX of them where it lists what an index holds */
};

/* Reads the row that the cursor stands on into the entry. */
enum rc listing_read_row(struct listing *listing);
/* How many the view says there are, into count and counted. */
enum rc listing_read_count(struct listing *listing, const struct listing_place *place);

/* The listing with the whole range of its place, the query not yet carried out and no cursor. */
enum rc listing_begin(struct volume *volume, const struct view *view, const struct listing_place *place, struct listing **ret_listing);

/* Moves the ends of the range as the query says; what remains of it is the direction, a count, and tests. */
enum rc listing_narrow(struct listing *listing);
/* Whether the partition that it stands on holds an item that the query leaves. */
enum rc listing_holds_any(struct listing *listing, bool *ret_any);
/* Goes as far as the limit that is left lets it, and makes the row it comes to the range's end. */
enum rc listing_settle(struct listing *listing);
/* Whether the entry just read is of the listing: in the query's segment, and past its tests so far. Sets `jump`. */
enum rc listing_admits(struct listing *listing, bool *ret_admits);
/* The partition key of the entry just read: of items, entries, index keys, partitions. */
const struct key *listing_group(const struct listing *listing);

/* A step of the cursor, in the listing's direction or back, onto the next row that is of the listing. RC_NOT_FOUND: there is none further, and the
 * cursor is off that end. */
enum rc listing_advance(struct listing *listing, bool back);
/* The cursor over the range as it now is, before its first in the listing's direction. */
enum rc listing_start(struct listing *listing);

#endif
