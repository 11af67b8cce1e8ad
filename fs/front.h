/* front: what the files of the front end share. Internal to fs/.
 */
#ifndef ITEMFS_FRONT_H
#define ITEMFS_FRONT_H

#include "fs/frontend.h"
#include "fs/memo.h"
#include "fs/node.h"
#include "fs/notify.h"
#include "fs/requests.h"
#include "index/leaf.h"
#include "index/volume.h"
#include "store/model/why.h"
#include <stdatomic.h>

struct handle;
struct dir_stream;
struct upload;

enum { COMMIT_LOCKS = 256, REFUSE_PROCESSES = 16 };

struct frontend {
	struct volume *volume;
	struct frontend_options options;
	struct tree tree;
	struct notifier *notifier;
	struct fuse_session *_Atomic session; /* NULL before and after the mount */
	atomic_uint settling; /* threads that wait for it (import_run.c) */
	pthread_mutex_t commits[COMMIT_LOCKS]; /* front_commit_lock() */
	struct fuse_conn_info *connection;
	pthread_mutex_t handles_lock;
	struct handle *handles; /* all that are open */
	struct dir_stream *streams; /* the same of directories */
	atomic_size_t handle_count; /* and how many those are */
	size_t drafts;              /* that hold uncommitted bytes; under tree.lock */
	atomic_size_t documents;    /* bytes that open files hold: what they read, drafts, plain files */
	struct requests requests;
	struct memo memo;
	pthread_mutex_t uploads_lock;
	struct upload *uploads; /* files of `.import` directories that have a name: upload.h */
	atomic_uint_least64_t tick; /* orders writes and explicit settings of times */
	/* refuse_kind(): processes that asked last for what cannot be, in the upper half, and how many lines each has */
	atomic_uint_least64_t kinds[REFUSE_PROCESSES];
	int64_t mounted;            /* the times of what is computed */
};

static inline struct frontend *front_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline struct node *front_node(struct frontend *front, fuse_ino_t id)
{
	return node_of(&front->tree, id);
}

static inline uint64_t front_tick(struct frontend *front)
{
	return atomic_fetch_add(&front->tick, 1) + 1;
}

/* Whether the mount is about to end: what takes long is broken off, for the end waits for each request that is under way. */
static inline bool front_ending(struct frontend *front)
{
	struct fuse_session *session = atomic_load(&front->session);
	return session && fuse_session_exited(session);
}

/* Names are read, and stay as they are, between these two. */
static inline void names_read(struct frontend *front)
{
	pthread_rwlock_rdlock(&front->tree.names);
}
static inline void names_write(struct frontend *front)
{
	pthread_rwlock_wrlock(&front->tree.names);
}
static inline void names_done(struct frontend *front)
{
	pthread_rwlock_unlock(&front->tree.names);
}

/* What is stored of a file and what its node says of it (pending, fresh, birth) change together: commits, and changes of metadata, of one file take
 * turns. One lock for many files; taken after handle.lock and before the names. */
static inline pthread_mutex_t *front_commit_lock(struct frontend *front, const struct node *node)
{
	pthread_mutex_t *lock = &front->commits[node->serial % COMMIT_LOCKS];
	pthread_mutex_lock(lock);
	return lock;
}

/* The requests, by what they are about; requests.c lists them. */
void frontend_init(void *context, struct fuse_conn_info *connection);
void lookup_request(fuse_req_t req, fuse_ino_t parent, const char *name);
void lookup_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups);
void lookup_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void names_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void names_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void names_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void names_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void names_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void names_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void rename_request(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags);
void attr_get(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void attr_set(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi);
void attr_statfs(fuse_req_t req, fuse_ino_t ino);
void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);
void file_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void file_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void file_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset, struct fuse_file_info *fi);
void file_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void file_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void file_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void file_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi);
void dir_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void dir_readplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void dir_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

#endif
