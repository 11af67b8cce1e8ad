/* reply: how what happened is said to the kernel: the only translation from rc to errno, attributes, and how long they may be cached.
 *
 * Replies are sent with no lock held (invariant 9).
 */
#ifndef ITEMFS_REPLY_H
#define ITEMFS_REPLY_H

#include "fs/front.h"

/* What errno says it, positive; 0 for RC_OK. A document that is refused is EBADMSG, not EINVAL: after rename, mv explains EINVAL as "cannot move to a
 * subdirectory of itself" (FUSE-NOTES.md). */
int reply_errno(enum rc rc);
/* errno's name: "EBADMSG". */
const char *reply_errno_name(enum rc rc);

void reply_rc(fuse_req_t req, enum rc rc);

/* How long the kernel may keep what it is told: for ever, as the daemon is the only writer; views and whatever has a draft open, not at all. */
double reply_keep(enum node_kind kind);

/* The same for a name that is there, and its attributes: the directories of queries hold for a moment, too, so that a walk or a find does not ask for
 * each of them seven times. */
double reply_keep_found(enum node_kind kind);

/* Attributes of a node (or, node NULL, of what `place` names). RC_NOT_FOUND, RC_STALE. *ret_keep: seconds that they hold. With the names held. */
enum rc reply_stat(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep);
/* The same of a name that was just created, and may wait for its first commit. */
enum rc reply_stat_fresh(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep);
/* The same where what is stored of an item was read just now, and when the volume was at `sequence`: it is not read again if nothing was committed since. */
enum rc reply_stat_read(struct frontend *front, struct node *node, const struct head *head, uint64_t sequence, struct stat *ret_stat, double *ret_keep);
/* The same to whoever asks by the node alone: a partition that went with its last item is an empty directory to them, until they remove or forget it
 * (`rm -r` asks between the two). Never for an answer that tells the kernel of a name: a listing that is older than the removal would bring the name
 * back. */
enum rc reply_stat_known(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep);

/* The size of `.itemfs/errors` as this user reads it; reply_stat() gives it as who mounted does. */
enum rc reply_errors_size(struct frontend *front, uint32_t uid, struct stat *st);

/* Whose doors they are that lead to the bytes of all items at once, whatever modes those have (exports, filters): the table's owner's alone, 0500 and
 * 0400. Entries of an index, which anybody may read who is let into the table, need none. With the names held. */
enum rc reply_owners_alone(struct table *table, struct stat *st);

/* What a new name in `parent` begins with: its maker's, and in a setgid directory that one's group. With the names held. */
struct meta reply_new_meta(struct frontend *front, struct node *parent, mode_t mode, const struct fuse_ctx *ctx);

/* The same where the directory's own metadata is known (NULL: it has none). */
struct meta reply_new_meta_in(const struct meta *directory, mode_t mode, const struct fuse_ctx *ctx);

/* Fills a struct stat. */
void stat_file(struct stat *st, uint64_t ino, const struct meta *meta, uint64_t size);
void stat_size(struct stat *st, uint64_t size);
void stat_directory(struct stat *st, uint64_t ino, const struct meta *meta);

/* The path of a name below a node, from the root, without a leading slash; the caller frees it. NULL: no memory. */
char *path_of(struct tree *tree, const struct node *node, const char *name);

#endif
