/* notify: tells the kernel to forget what it caches, from a thread that serves no request.
 *
 * A notification may wait for locks that a request in flight holds, and that request may wait for us: so it is queued, never sent from
 * within a request (invariant 9). Ids of nodes that are gone are harmless: the kernel answers ENOENT.
 */
#ifndef ITEMFS_NOTIFY_H
#define ITEMFS_NOTIFY_H

#include "store/model/rc.h"
#include <stdint.h>

struct fuse_session;
struct notifier;

enum rc notifier_new(struct notifier **ret_notifier); /* starts its thread */
void notifier_free(struct notifier *notifier);        /* what is queued is dropped */
void notifier_set_session(struct notifier *notifier, struct fuse_session *session);

/* A name in a directory is gone, without a request of the kernel's for it; the directory's attributes with it. Copies the name. Without memory it is not sent. */
void notifier_name_gone(struct notifier *notifier, uint64_t directory, const char *name);

/* Waits until at most so many notices are queued or under way, or `ms` milliseconds are over. With nothing locked that a request may wait for. */
void notifier_settle(struct notifier *notifier, unsigned most, unsigned ms);

/* What stat shows of a node has changed, without a request of the kernel's for it. */
void notifier_attributes(struct notifier *notifier, uint64_t node);

#endif
