/* refuse: writes to `.itemfs/errors` why something was refused, as errno cannot carry the reason.
 */
#ifndef ITEMFS_REFUSE_H
#define ITEMFS_REFUSE_H

#include "fs/front.h"

/* A name or an argument that was refused, in a request: one line. Does nothing for rc that are no refusal (not found, exists, …) and where why (which may
 * be NULL) has no words; but for RC_READ_ONLY and RC_FORBIDDEN the place gives them: it lies in a snapshot, is computed, or is itemfs's own. These are
 * as many at most as refuse_kind()'s, and counted with them. `name` may be NULL. */
void refuse_request(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why);

/* Something of a kind that does not exist here was to be made: a link, a device. Programs probe for these, often thousands of times, so only the
 * first REFUSE_KINDS of one process get a line: the journal is bounded, and each needless line pushes out one that somebody needs.
 * REFUSE_PROCESSES are told apart, by the remainder of their numbers; one that takes another's place begins anew. */
enum { REFUSE_KINDS = 16 };
void refuse_kind(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why);

/* RC_AGAIN: the index that the node is, or lies in, is being filled. One line a filling, as whoever waits for its end asks often. */
void refuse_unready(fuse_req_t req, struct node *node);

/* A draft: its bytes are kept with the line (NULL: there are none to keep). *id as in refusals_add(). */
void refuse_draft(struct frontend *front, const struct actor *actor, enum rc rc, const struct why *why, const struct buf *draft, uint64_t *id);

#endif
