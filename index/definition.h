/* definition: a table's `.schema.json`: what it says, and what follows from changing it.
 *
 * Writing it (1) adopts an undeclared table, or redefines an empty one: everything is re-keyed from its path under a new table id, and one commit
 * flips the catalogue to that. What is staged is written down as dead until its flip (collect.c), so a crash leaves the old table whole. The table's
 * gate is held meanwhile: its items wait. (2) otherwise leaves key schema and LSIs as they are, and adds and drops GSIs in one commit. Those that are
 * added are filled afterwards, in the background (backfill.h), but for the first batch, so that an index of a small table can be read at once.
 */
#ifndef ITEMFS_DEFINITION_H
#define ITEMFS_DEFINITION_H

#include "index/leaf.h"
#include "index/table.h"
#include "index/volume.h"

/* RC_NOT_FOUND: undeclared, or its name was removed. ret_document may be NULL. */
enum rc definition_get(struct table *table, const struct view *view, struct head *ret_head, struct buf *ret_document);

struct definition_write {
	const void *document;
	size_t len;
	enum leaf_if condition; /* of the name `.schema.json` */
	uint64_t birth;
	const struct meta *fresh; /* where the name comes into being */
	bool mtime_set;
	int64_t mtime;
	int64_t appeared; /* as in leaf_write */
	bool durable;
	const struct leaf *from; /* a plain file of this table that goes with the same commit: it was renamed onto `.schema.json`; or NULL */
};

/* RC_REFUSED, RC_UNFINISHED, RC_TOO_BIG with why: what is wrong with the definition, what of the table's cannot change, or the first ten paths
 * that do not fit. RC_EXISTS, RC_STALE by the condition. */
enum rc definition_set(struct table *table, const struct definition_write *write, struct head *ret_head, struct why *why);

/* Takes the name `.schema.json` away, lastingly; the definition stays in force. RC_NOT_FOUND. */
enum rc definition_unname(struct table *table);

/* The same, and its bytes become a plain file of this table, in one commit (an editor's backup). */
enum rc definition_to_file(struct table *table, const struct leaf *to, bool noreplace, struct head *ret_head);

enum rc definition_set_meta(struct table *table, const struct meta_change *change, struct head *ret_head);

#endif
