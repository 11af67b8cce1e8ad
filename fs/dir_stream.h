/* dir_stream: an open directory: what it lists, entry by entry, forwards and back.
 *
 * Opening pins a view; a position is the ordinal of an entry in it. Going back to position 0 pins anew (rewinddir).
 */
#ifndef ITEMFS_DIR_STREAM_H
#define ITEMFS_DIR_STREAM_H

#include "fs/front.h"
#include "index/listing.h"

struct query;

struct dir_entry {
	const char *name;    /* until the next step */
	enum node_kind kind; /* NODE_ROOT: "." and ".." */
	uint64_t ino;
	struct table *table; /* a reference, for a table's node; NULL otherwise */
	bool listed;         /* the listing told its attributes: */
	struct meta meta;
	uint64_t size;
};

enum { DIR_STREAM_PARTS_MAX = 8 };

struct dir_stream {
	struct dir_stream *next, **back; /* front.streams, under handles_lock */
	pthread_mutex_t lock; /* the caller's: held over each call below but the first and the last */
	struct node *node;    /* a hold */
	uint64_t ino, parent_ino;
	const struct view *view; /* its own, or its snapshot's */
	struct view *own;
	struct query *query; /* of a view; its listing reads it */
	struct dir_part {
		struct listing *listing; /* or a list of names: */
		char (*names)[256];
		size_t name_count;
		enum node_kind kind;
		enum listing_kind of; /* of a listing */
		uint64_t at;          /* how many entries of it are behind us */
	} parts[DIR_STREAM_PARTS_MAX];
	unsigned count, current;
	uint64_t position; /* entries behind us, over all parts */
	bool bare;         /* entries are told without their nodes */
	bool broken;       /* it could not be pinned anew: that is tried again, and said again */
	bool tells;        /* from the first on, each was told with its attributes, for as long as it stands */
	char name[256];
};

/* With the names not held. RC_AGAIN: an index that is not filled; RC_STALE, RC_NOT_FOUND: the directory is gone. */
enum rc dir_stream_open(struct frontend *front, struct node *node, struct dir_stream **ret_stream);
void dir_stream_close(struct frontend *front, struct dir_stream *stream);

/* The next entry, and the position moves over it; RC_NOT_FOUND at the end. The names are not held. */
enum rc dir_stream_next(struct frontend *front, struct dir_stream *stream, struct dir_entry *ret_entry);
/* Back over the last one. */
enum rc dir_stream_back(struct dir_stream *stream);
/* To a position that was told; 0 pins anew. RC_NOT_FOUND: there are not so many. */
enum rc dir_stream_seek(struct frontend *front, struct dir_stream *stream, uint64_t position);

#endif
