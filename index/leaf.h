/* leaf: an item or a plain file, by its address: read, written, moved, removed. An item's indexes and its table's counters follow in the same commit.
 *
 * A plain file is bytes under a name in a table's or partition's directory; in no index, query, stream or export. Moving one onto an item's
 * address makes it an item (checked as any document), moving an item onto a file's makes it plain bytes.
 */
#ifndef ITEMFS_LEAF_H
#define ITEMFS_LEAF_H

#include "index/table.h"
#include "index/volume.h"
#include "store/model/buf.h"
#include "store/model/key.h"
#include "store/rows.h"

/* LEAF_NONE is the address of nothing, and needs no other field: every function here says RC_NOT_FOUND to it. */
enum leaf_kind { LEAF_NONE, LEAF_ITEM, LEAF_FILE };

struct leaf {
	enum leaf_kind kind;
	struct table *table; /* borrowed */
	bool in_partition;   /* always, for an item */
	struct key pk;
	bool has_sk; /* items: the table has a sort key */
	struct key sk;
	char name[256]; /* files */
};

/* RC_NOT_FOUND; RC_STALE: the table is gone. ret_document (appended to) may be NULL. */
enum rc leaf_get(const struct leaf *leaf, const struct view *view, struct head *ret_head, struct buf *ret_document);

/* Sets the item's keys to what the document says they are, the one or the other: a name that was cut cannot tell. RC_REFUSED where the document does
 * not hold the attribute. */
enum rc leaf_resolve(struct leaf *leaf, bool pk, bool sk, const void *document, size_t len, struct why *why);

/* Appends the document with the key attributes that it holds set to this item's key. RC_REFUSED, RC_UNFINISHED. */
enum rc leaf_rekey(const struct leaf *leaf, const void *document, size_t len, struct buf *out, struct why *why);

/* Appends an item's key as JSON, by the names of its table's key attributes: {"Artist":"Queen","Title":"Liar"}. */
enum rc leaf_key_json(const struct leaf *leaf, struct buf *out);

enum leaf_if {
	LEAF_ALWAYS,
	LEAF_ABSENT, /* DynamoDB's attribute_not_exists: RC_EXISTS where there is one */
	LEAF_SAME,   /* only onto the incarnation `birth`: RC_STALE where that is gone */
	LEAF_UNCHANGED, /* the same, and only where nothing was committed to it after `version`: RC_STALE */
};

/* Who did it, from where, for the record of what was refused or replaced. */
struct actor {
	uint32_t uid, gid;
	int32_t pid;
	const char *path; /* as the user sees it, borrowed */
};

struct leaf_write {
	const void *document;
	size_t len;
	enum leaf_if condition;
	uint64_t birth, version;
	const struct meta *fresh; /* mode, owner, atime and mtime where it comes into being */
	bool mtime_set;           /* where it is there already: its mtime becomes this; otherwise stays */
	int64_t mtime;
	int64_t appeared;         /* when its name was first seen, where it comes into being by a commit that is later; 0: now */
	bool durable;
	const struct actor *actor; /* NULL: nobody to name */
};

/* Writes the whole document, all or nothing. Items: RC_REFUSED, RC_UNFINISHED, RC_TOO_BIG with why; an empty document over a non-empty one keeps the
 * replaced bytes with the rejected drafts. Files: RC_TOO_BIG over ITEM_DOCUMENT_MAX. A file's partition must be there (RC_NOT_FOUND); an item's is
 * made where it is not. ret_head may be NULL. */
enum rc leaf_write(const struct leaf *leaf, const struct leaf_write *write, struct head *ret_head, struct why *why);

/* Only checks whether leaf_write() would take the document as this item's. */
enum rc leaf_check(const struct leaf *leaf, const void *document, size_t len, struct why *why);

/* RC_NOT_FOUND. ret_head, as it was, may be NULL. */
enum rc leaf_remove(const struct leaf *leaf, struct head *ret_head);

enum rc leaf_set_meta(const struct leaf *leaf, const struct meta_change *change, struct head *ret_head);

/* A source's bytes at this moment, where they are newer than what is stored (NULL: as stored), and when they were written. */
struct leaf_newer {
	const struct buf *document;
	bool mtime_set;
	int64_t mtime;
};

struct leaf_move {
	bool noreplace; /* RC_EXISTS where the target is there */
	struct leaf_newer now;
};

/* Moves `from` to `to`, replacing what is there, in one commit; mode, owner, times and incarnation go with it. Key attributes that the document holds
 * are rewritten where the key changes. RC_NOT_FOUND: no source, or no such target directory; refusals as leaf_write(), and both stay as they were. */
enum rc leaf_rename(const struct leaf *from, const struct leaf *to, const struct leaf_move *move, struct head *ret_head,
                    struct why *why);

/* Exchanges two leaves that are both there, in one commit: each gets the other's bytes, metadata and incarnation, an item's key attributes rewritten
 * to where it now is. `a_now` and `b_now` may be NULL. RC_NOT_FOUND; refusals as above, and both stay. */
enum rc leaf_exchange(const struct leaf *a, const struct leaf *b, const struct leaf_newer *a_now, const struct leaf_newer *b_now, struct why *why);

#endif
