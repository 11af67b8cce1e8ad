/* frontend: the FUSE front end of a volume: requests in, one reply each, nothing decided about items, keys or indexes.
 */
#ifndef ITEMFS_FRONTEND_H
#define ITEMFS_FRONTEND_H

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 312
#endif
#include "index/volume.h"
#include <fuse3/fuse_lowlevel.h>

struct frontend;

struct frontend_options {
	const char *source; /* the volume's path, for words */
	uid_t uid;          /* who mounts: owns what is computed, and sees every line of `.itemfs/errors` */
	gid_t gid;
	bool durable;                /* -o sync */
	bool no_xattr;               /* -o nouser_xattr */
	unsigned threads;            /* that serve at most */
	void (*ready)(void *context); /* called once, when the kernel has greeted us */
	void *ready_context;
};

extern const struct fuse_lowlevel_ops frontend_ops; /* the session's userdata is the struct frontend * */

/* The volume stays the caller's and must outlive it. Starts the notifier's thread. */
enum rc frontend_new(struct volume *volume, const struct frontend_options *options, struct frontend **ret_frontend);

/* Where notifications go; NULL before the session ends. Does not wait for one that is under way. */
void frontend_set_session(struct frontend *frontend, struct fuse_session *session);

/* No request may be under way. Drafts still open are kept as rejected ones. */
void frontend_free(struct frontend *frontend);

#endif
