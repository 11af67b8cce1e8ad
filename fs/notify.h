/* notify: tells the kernel to forget what it caches, from a thread that serves no request.
 *
 * A notification may wait for locks that a request in flight holds, and that request may wait for us: so it is queued, never sent from within a
 * request (invariant 9). Nor is it told of an id that means another node by then: a node stays until what is queued of it has been sent. That the
 * kernel has forgotten it meanwhile is harmless: it answers ENOENT.
 */
#ifndef ITEMFS_NOTIFY_H
#define ITEMFS_NOTIFY_H

#include "store/model/rc.h"
#include <stdint.h>

struct fuse_session;
struct node;
struct notifier;
struct tree;

enum rc notifier_new(struct tree *tree, struct notifier **ret_notifier); /* starts its thread; the tree is borrowed */
void notifier_free(struct notifier *notifier);                           /* what is queued is dropped */
void notifier_set_session(struct notifier *notifier, struct fuse_session *session);

/* A name in a directory is gone, without a request of the kernel's for it; the directory's attributes with it. Copies the name. Without memory it is
 * not sent. The node is one that cannot go meanwhile: it is the request's, or held, or tree.lock is (which may be held in any case). */
void notifier_name_gone(struct notifier *notifier, struct node *directory, const char *name);

/* Waits until at most so many notices are queued or under way, or `ms` milliseconds are over. With nothing locked that a request may wait for. */
void notifier_settle(struct notifier *notifier, unsigned most, unsigned ms);

/* What stat shows of a node has changed, without a request of the kernel's for it. The same holds for the node. */
void notifier_attributes(struct notifier *notifier, struct node *node);

#endif
