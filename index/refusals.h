/* refusals: what was refused, and why: `.itemfs/rejected` and `.itemfs/errors`. They survive a remount. Both are bounded: the oldest go first.
 */
#ifndef ITEMFS_REFUSALS_H
#define ITEMFS_REFUSALS_H

#include "index/leaf.h"
#include "index/txn.h"
#include "index/volume.h"

enum {
	REFUSALS_LINES = 1000,           /* of errors, at most; where there are more, */
	REFUSALS_STEP = 100,             /* so many of the oldest go at once: to who follows them the file is cut short then (`tail -f`) */
	REFUSALS_KEPT = 1000,            /* rejected drafts */
	REFUSALS_KEPT_BYTES = 128 << 20, /* of them together */
};

struct refusal {
	const struct actor *actor;
	const char *error;      /* errno's name, "EBADMSG": the front end's word */
	const struct why *why;
	const struct buf *draft; /* bytes to keep; NULL: only the line */
};

/* Records it in one commit. *id: where it holds an id already, that line and draft are replaced; otherwise it becomes the new one's. */
enum rc refusals_add(struct volume *volume, const struct refusal *refusal, uint64_t *id);

/* Within a commit: keeps the bytes that an emptying replaced, and a line that says so. After the commit: refusals_kept(). */
struct refusal_kept {
	uint64_t id;
	uint32_t size;
};
enum rc refusals_keep(struct txn *txn, struct volume *volume, const struct actor *actor, const void *bytes, size_t n,
                      struct refusal_kept *ret_kept);
void refusals_kept(struct volume *volume, const struct refusal_kept *kept);

/* Appends the lines, oldest first; only those of `uid` unless `all`. `after`: only what came after the line of this id (0: all), and it becomes the
 * newest's; NULL: all. A line that was replaced (refusals_add()) keeps its place. */
enum rc refusals_lines(struct volume *volume, bool all, uint32_t uid, uint64_t *after, struct buf *out);
/* When the last line came, ns since the epoch; 0: none since the volume was opened. */
int64_t refusals_changed(const struct volume *volume);
/* Appends the newest line for a path, without its newline; for one that ends in a slash, of whatever is below it. RC_NOT_FOUND. */
enum rc refusals_last(struct volume *volume, const char *path, bool all, uint32_t uid, struct buf *out);

/* Rejected drafts, by id in order. The first with an id >= `from`: RC_NOT_FOUND where there is none. */
enum rc refusals_next(struct volume *volume, uint64_t from, uint64_t *ret_id, struct head *ret_head);
/* ret_draft (appended to) and view may be NULL. */
enum rc refusals_get(struct volume *volume, const struct view *view, uint64_t id, struct head *ret_head, struct buf *ret_draft);
enum rc refusals_remove(struct volume *volume, uint64_t id);

#endif
