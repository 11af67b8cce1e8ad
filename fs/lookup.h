/* lookup: which node a name stands for, told to the kernel, and counted until it forgets that. The kernel may remember, too, that a name is not
 * there, where only we can make one come.
 */
#ifndef ITEMFS_LOOKUP_H
#define ITEMFS_LOOKUP_H

#include "fs/front.h"

/* Whether the name is created and not stored yet. With the names held. */
bool lookup_is_pending(struct frontend *front, struct node *parent, const char *name);

/* The answer to a request that made a name, or did not (rc, why): with the names held, which it lets go of. */
void lookup_made(fuse_req_t req, struct node *parent, const char *name, enum rc rc, struct why *why);

#endif
