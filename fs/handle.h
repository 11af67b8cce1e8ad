/* handle: an open file. What it may hold: the version it reads (pinned at offset 0), and the draft it writes.
 *
 * Locks, in this order: handle.lock, a commit lock (front.h), tree.names, plain.lock, tree.lock.
 */
#ifndef ITEMFS_HANDLE_H
#define ITEMFS_HANDLE_H

#include "fs/draft.h"
#include "fs/front.h"
#include "fs/place.h"

struct handle {
	struct handle *next, **back; /* among frontend.handles */
	struct node *node;           /* a hold */
	pthread_mutex_t lock;
	bool writer, append;
	bool counted; /* among node->writers */
	bool durable; /* O_SYNC, O_DSYNC, -o sync */
	bool plain;   /* a share of node->plain */
	struct upload *upload; /* of a file in `.import`: a reference (upload.h); nothing of what follows is used then */
	bool created; /* by it the name came into being, and nothing is written yet: it is stored all the same */
	struct export_stream *stream; /* of an export file */
	bool pinned;
	uint64_t opened_at; /* pinned by its opening after this commit, and not read yet; 0: no */
	struct buf version; /* what it reads */
	uint64_t line;      /* of `.itemfs/errors`: the newest refusal in it, */
	uint64_t let_go;    /* and how many bytes at its front who follows it has read long ago */
	struct draft draft;
	size_t weighed; /* of frontend.documents */
	uint32_t uid, gid; /* who opened it, for the record of what is refused */
	int32_t pid;
};

struct handle *handle_new(fuse_req_t req, struct node *node, int flags); /* takes a hold of the node; NULL: no memory */
void handle_free(struct frontend *front, struct handle *handle);

/* Begins the draft with what the item holds now; what is written first goes to `offset`. With handle.lock held. (file.c) */
enum rc handle_begin(struct frontend *front, struct handle *handle, uint64_t offset);
/* Begins it empty: O_TRUNC, ftruncate(0). With handle.lock held, or before anybody knows the handle. */
void handle_empty(struct frontend *front, struct handle *handle);

/* Commits the draft where there is something to commit. `last`: an empty draft counts too (fsync, release). RC_UNFINISHED, RC_REFUSED, …: draft.why says why.
 * With handle.lock held and the names not. */
enum rc handle_commit(struct frontend *front, struct handle *handle, bool last, bool durable);
/* Keeps the draft's bytes as a rejected draft, or again where they have changed since. */
void handle_reject(struct frontend *front, struct handle *handle, enum rc rc);
/* The end of a draft: the last try, and the rejection; a created name that was never stored goes. */
void handle_finish(struct frontend *front, struct handle *handle);
/* Counts the bytes that it holds, after they have changed. With handle.lock held, or before anybody knows the handle. */
void handle_weigh(struct frontend *front, struct handle *handle);
/* Tells the node what its attributes show of this draft. */
void handle_report(struct frontend *front, struct handle *handle);

/* Whether the handle shares the bytes of a plain file: then that stays one, with the names held, until the caller's names_done(). False: it has
 * drafts, or reads versions; one whose plain file was renamed onto an item's name does from here on. With handle.lock held. (file.c) */
bool file_is_plain(struct frontend *front, struct handle *handle);

/* Pins what is there as a handle is opened, of a file that can go while it is open and leaves nothing behind: an entry, a result, a rejected draft.
 * RC_NOT_FOUND, RC_STALE: it went already; what else is wrong is for the read to say. With the names held. (file.c) */
enum rc file_pin(struct frontend *front, struct handle *handle);

#endif
