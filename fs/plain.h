/* plain: the bytes of a plain file while it is open: shared by all who open it, visible at write, stored at flush and fsync.
 *
 * A file that is created in a partition is pending (node.h) until it is stored the first time, with its bytes: a temporary file is one commit and not
 * two. While it is pending, somebody has it open. Whoever changes names in its directory has it stored before (plain_settle), so that the volume
 * knows of it whatever becomes of it.
 *
 * It hangs on the node and lives from the first open to the last release. `lock` guards it; it is taken after the names and before nothing.
 */
#ifndef ITEMFS_PLAIN_H
#define ITEMFS_PLAIN_H

#include "fs/front.h"
#include "fs/place.h"
#include "store/model/buf.h"

struct plain {
	pthread_mutex_t lock;
	unsigned opens; /* under tree.lock */
	struct buf bytes;
	size_t weighed; /* of frontend.documents */
	bool dirty;
	int64_t mtime;        /* of the last write */
	uint64_t mtime_tick;  /* and when that was, in ticks */
	int64_t ctime;        /* of the last time it was stored; 0: not since it is open */
	bool shown;           /* its attributes were, before it was stored: the kernel may keep a ctime that is none of it then */
};

/* Opens it: loads the bytes where nobody has it open. RC_NOT_FOUND. */
enum rc plain_open(struct frontend *front, struct node *node, const struct place *place, bool truncate);
/* Takes part where somebody has it open; false where nobody has. */
bool plain_share(struct frontend *front, struct node *node);
/* Makes the new node's, empty, with a share that plain_drop() gives back. False: no memory. */
bool plain_create(struct frontend *front, struct node *node);
/* Stores what is dirty or pending; the last one frees the bytes, and a name that could not be stored goes. With the names held. */
void plain_close(struct frontend *front, struct node *node);

/* Gives the share back without storing: the file has become an item. */
void plain_drop(struct frontend *front, struct node *node);

/* These are its bytes now (taken), and stored: it was an item meanwhile, and handles are open that knew it before; or a draft that was begun when it
 * was one was committed. Nothing where nobody has it open. With the names held for writing. */
void plain_renew(struct frontend *front, struct node *node, const struct head *head, struct buf *bytes);

enum rc plain_write(struct frontend *front, struct node *node, const void *bytes, size_t n, uint64_t offset, bool append);
enum rc plain_resize(struct frontend *front, struct node *node, uint64_t size);
/* Stores it where it is dirty; `last`: where it is pending, too, though nothing is written to it (a shell closes one descriptor of it before it
 * writes to another). With the names held. */
enum rc plain_store(struct frontend *front, struct node *node, bool last, bool durable);
/* Stores this one where it is pending; those of a directory. What cannot be stored stays pending. With the names held. */
enum rc plain_settle_file(struct frontend *front, struct node *node);
void plain_settle(struct frontend *front, struct node *directory);
/* Copies what is there from offset on. */
enum rc plain_read(struct node *node, uint64_t offset, size_t n, struct buf *out);
/* Size, mtime and ctime while it is open. */
struct plain *plain_watch(struct frontend *front, struct node *node); /* takes part in it, if anybody has it open */
void plain_overlay(struct frontend *front, struct node *node, struct plain *plain, struct stat *st); /* gives it up */

#endif
