/* refuse: tells `.itemfs/errors` why something was refused, so that the words that errno cannot carry are somewhere.
 */
#ifndef ITEMFS_REFUSE_H
#define ITEMFS_REFUSE_H

#include "fs/front.h"

/* A name or an argument that was refused, in a request: one line. Does nothing for rc that are no refusal (not found, exists, …) and where why has no words. `name` may be NULL. */
void refuse_request(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why);

/* A kind of thing that nothing here can be: a link, a device. Programs probe for those, and try each of thousands, so the first REFUSE_KINDS of a process in a row have a line, and the others none: the
 * journal is bounded, and each line too many pushes out one that somebody needs. */
enum { REFUSE_KINDS = 16 };
void refuse_kind(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why);

/* RC_AGAIN: the index that the node is, or lies in, is being filled. One line a filling, as whoever waits for its end asks often. */
void refuse_unready(fuse_req_t req, struct node *node);

/* A draft: its bytes are kept with the line (NULL: there are none to keep). *id as in refusals_add(). */
void refuse_draft(struct frontend *front, const struct actor *actor, enum rc rc, const struct why *why, const struct buf *draft, uint64_t *id);

#endif
