/* export: all that a listing of items or entries holds, as one file: bytes in order, made as they are asked for, in memory that does not grow with the file.
 *
 *   EXPORT_JSONL  DynamoDB JSON, a line an item: {"Item":{"pk":{"S":"a"},…}}: what an export to S3 holds and ImportTable takes (SEMANTICS.md 14)
 *   EXPORT_JSON   one array of plain JSON, an item a line, each as its file is but for white space
 *   EXPORT_CSV    RFC 4180: a line of names, then a line an item, each ended by CR LF. A string is its text, a number its canonical form, a binary
 *                 its base64, whatever else is plain JSON, what is missing is nothing (and an empty string ""). Columns: the keys, then all other
 *                 attributes that any of the items has, by their names' bytes; at most EXPORT_COLUMNS_MAX
 *
 * In each of them the keys are always there and come first (an index's own before the table's), whether the document holds them or not; they are what
 * the path says. Other attributes keep the order of their document.
 *
 * An export reads one view from its beginning to its end. It is made by one pass over the listing; how many bytes that will give, and a CSV's
 * columns, only a pass can tell: export_measure().
 */
#ifndef ITEMFS_EXPORT_H
#define ITEMFS_EXPORT_H

#include "index/listing.h"
#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/why.h"

enum export_format { EXPORT_JSONL, EXPORT_JSON, EXPORT_CSV, EXPORT_FORMATS };
enum {
	EXPORT_COLUMNS_MAX = 4096,
	EXPORT_NAMES_MAX = 1 << 20, /* bytes of all columns' names */
};

struct export;

/* The place must list items or entries (LISTING_ITEMS, LISTING_ENTRIES); what it points to is copied, but the query, which must outlive the export as
 * the view must. RC_NOT_FOUND: no such index; RC_STALE; RC_AGAIN: an index that is being built. */
enum rc export_open(struct volume *volume, const struct view *view, const struct listing_place *place, enum export_format format,
                    struct export **ret_export);
void export_close(struct export *export); /* NULL is fine */

/* What a pass found. It holds for every export of this place and format in a view of this state. */
struct export_extent {
	unsigned refs;  /* atomic */
	uint64_t size;  /* bytes */
	uint64_t items;
	size_t columns; /* of a CSV, keys included */
	struct buf *names;
};
struct export_extent *export_extent_ref(struct export_extent *extent);
void export_extent_unref(struct export_extent *extent); /* NULL is fine */

struct export_pass {
	bool (*stop)(void *context); /* asked now and then: true ends the pass with RC_INTERRUPTED */
	void *context;
	/* Gets all bytes where they are at most keep_max, and is left empty otherwise, as for a CSV, which must know its columns first. NULL: none are kept. */
	struct buf *keep;
	size_t keep_max;
};

/* Goes over all of it, and is at the beginning again. *ret_extent is a reference of the caller's. RC_TOO_BIG: a CSV of too many columns. RC_CORRUPT, RC_IO. */
enum rc export_measure(struct export *export, const struct export_pass *pass, struct export_extent **ret_extent, struct why *why);

/* What an earlier pass found; a CSV needs it before export_read(). Takes a reference of its own. */
void export_use(struct export *export, struct export_extent *extent);

/* Appends what comes next: at least `want` bytes, and hardly more, unless the end comes first. RC_NOT_FOUND: it has come, and nothing was appended.
 * RC_CORRUPT, RC_IO: from here on, always. RC_STALE after a rewind: the table was redefined. */
enum rc export_read(struct export *export, size_t want, struct buf *out);

/* The sequence of the last commit that its view holds: where two exports of one place have the same, they have the same bytes. 0 where that is not known, as commits were being written when the view was taken. */
uint64_t export_sequence(const struct export *export);

/* To the beginning. */
enum rc export_rewind(struct export *export);

#endif
