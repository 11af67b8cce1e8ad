/* attr: what stat shows and chmod, chown, utimens and truncate change; statfs. */
#include "fs/export_file.h"
#include "fs/handle.h"
#include "fs/import_file.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/definition.h"
#include "index/figures.h"
#include "index/partition.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

void attr_get(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	struct stat st;
	double keep = 0;
	uint64_t size = 0;
	struct why why = {.line = 0};
	(void)fi;
	enum rc rc = RC_OK;
	pthread_mutex_lock(&front->tree.lock);
	node_untell(node);
	pthread_mutex_unlock(&front->tree.lock);
	names_read(front);
	bool export = node->kind == NODE_EXPORT_FILE;
	if (export) { /* it may take long: not with the names held */
		names_done(front);
		rc = export_file_size(req, node, &size, &why);
		refuse_request(req, node, NULL, rc, &why);
		names_read(front);
	}
	if (!rc)
		rc = reply_stat_known(front, node, &st, &keep);
	if (!rc && node->kind == NODE_ERRORS)
		rc = reply_errors_size(front, fuse_req_ctx(req)->uid, &st);
	names_done(front);
	if (!rc && export)
		stat_size(&st, size);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_attr(req, &st, keep);
}

/* What lies beyond what can be kept (1677 to 2262) becomes the last that can, as on other file systems. */
static int64_t nanoseconds(const struct timespec *time)
{
	int64_t ns;
	if (__builtin_mul_overflow((int64_t)time->tv_sec, INT64_C(1000000000), &ns) || __builtin_add_overflow(ns, (int64_t)time->tv_nsec, &ns))
		return time->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static void read_change(const struct stat *attr, int which, struct meta_change *ret_change)
{
	int64_t now = clock_now();
	*ret_change = (struct meta_change){
	    .mode_set = which & FUSE_SET_ATTR_MODE,
	    .uid_set = which & FUSE_SET_ATTR_UID,
	    .gid_set = which & FUSE_SET_ATTR_GID,
	    .atime_set = which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW),
	    .mtime_set = which & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW),
	    .value = {.mode = attr->st_mode & 07777, .uid = attr->st_uid, .gid = attr->st_gid},
	};
	struct meta *value = &ret_change->value;
	value->atime = which & FUSE_SET_ATTR_ATIME_NOW ? now : nanoseconds(&attr->st_atim);
	value->mtime = which & FUSE_SET_ATTR_MTIME_NOW ? now : nanoseconds(&attr->st_mtim);
}

/* A file's times and modes belong to the file and are applied at once; what is not stored yet keeps them in its node. */
static enum rc change_leaf(struct frontend *front, struct node *node, const struct place *place, const struct meta_change *change)
{
	enum rc rc = node->kind == NODE_PLAIN ? plain_settle_file(front, node) : RC_OK; /* its commits do not take turns with this */
	if (rc)
		return rc;
	pthread_mutex_lock(&front->tree.lock);
	bool pending = node->pending;
	if (pending)
		meta_apply(&node->more->fresh, change, clock_now());
	if (change->mtime_set && (node->more->opens || node->more->plain)) /* who looks at a plain file keeps its bytes, and when they were written, beyond its last handle */
		node->more->times_tick = front_tick(front);
	pthread_mutex_unlock(&front->tree.lock);
	if (pending)
		return RC_OK;
	return node->kind == NODE_DEFINITION ? definition_set_meta(place->table, change, NULL) : leaf_set_meta(&place->leaf, change, NULL);
}

/* One that is unlinked or replaced, and open: what fstat shows of it changes, and nothing is stored. */
static bool change_dead(struct frontend *front, struct node *node, const struct meta_change *change)
{
	pthread_mutex_lock(&front->tree.lock);
	bool file = node->dead && (node->kind == NODE_ITEM || node->kind == NODE_PLAIN || node->kind == NODE_DEFINITION) && node_more(&front->tree, node);
	if (file)
		meta_apply(&node->more->fresh, change, clock_now());
	if (file && change->mtime_set)
		node->more->times_tick = front_tick(front);
	pthread_mutex_unlock(&front->tree.lock);
	return file;
}

/* Whether a kind's mode, owner and times can be set: what cannot be, cannot either when it has gone and is open. */
static enum rc may_change(enum node_kind kind)
{
	switch (kind) {
	case NODE_ROOT:
	case NODE_TABLE:
	case NODE_PARTITION:
	case NODE_ITEM:
	case NODE_PLAIN:
	case NODE_DEFINITION:
		return RC_OK;
	case NODE_CONTROL:
	case NODE_IMPORTS:
	case NODE_SNAPSHOTS:
	case NODE_ERRORS:
	case NODE_STATS:
	case NODE_REJECTED:
	case NODE_DRAFT:
		return RC_FORBIDDEN;
	default:
		return RC_READ_ONLY;
	}
}

static enum rc change_meta(struct frontend *front, struct node *node, const struct meta_change *change)
{
	struct place place;
	enum rc rc = may_change(node->kind);
	if (rc)
		return rc;
	rc = place_of(front, node, &place);
	if (rc)
		return rc == RC_STALE && change_dead(front, node, change) ? RC_OK : rc;
	if (node->kind == NODE_ROOT)
		return volume_set_root(front->volume, change);
	if (node->kind == NODE_TABLE)
		return table_set_meta(place.table, change);
	return node->kind == NODE_PARTITION ? partition_set_meta(place.table, &place.leaf.pk, change) : change_leaf(front, node, &place, change);
}

/* truncate(2), which has no handle: the item's bytes, cut or filled with zeros, are committed at once. */
static enum rc truncate_stored(fuse_req_t req, struct node *node, uint64_t size, struct why *why)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	cleanup_buf struct buf bytes = {0};
	struct place place;
	struct head head;
	if (size > ITEM_DOCUMENT_MAX)
		return RC_TOO_BIG;
	enum rc rc = place_of(front, node, &place);
	if (!rc && node->pending)
		return size ? why_set(why, RC_UNFINISHED, "zeros are no document") : RC_OK;
	if (!rc && node->kind == NODE_DEFINITION)
		return why_set(why, RC_REFUSED, "a definition is replaced as a whole; it cannot be cut");
	if (!rc)
		rc = leaf_get(&place.leaf, NULL, &head, &bytes);
	if (rc)
		return rc;
	if (head.size == size)
		return RC_OK;
	buf_resize(&bytes, (size_t)size);
	if (bytes.failed)
		return RC_NO_MEMORY;
	char *path = path_of(&front->tree, node, NULL);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	struct leaf_write write = {.document = bytes.data, .len = bytes.len, .condition = LEAF_SAME, .birth = head.birth};
	write.mtime_set = true;
	write.mtime = clock_now();
	write.durable = front->options.durable;
	write.actor = &actor;
	rc = place_cut(&place) ? place_resolve(&place, node->name, false, write.document, write.len, why) : RC_OK;
	if (!rc)
		rc = leaf_write(&place.leaf, &write, NULL, why);
	free(path);
	return rc == RC_STALE ? RC_NOT_FOUND : rc;
}

static enum rc truncate_plain(fuse_req_t req, struct node *node, uint64_t size)
{
	struct frontend *front = front_of(req);
	struct place place;
	enum rc rc = place_of(front, node, &place);
	if (!rc)
		rc = plain_open(front, node, &place, false);
	if (rc)
		return rc;
	rc = plain_resize(front, node, size);
	if (!rc)
		rc = plain_store(front, node, true, front->options.durable);
	plain_close(front, node);
	return rc;
}

/* With handle.lock held. */
static enum rc truncate_draft(struct frontend *front, struct handle *handle, uint64_t size)
{
	struct draft *draft = &handle->draft;
	enum rc rc = RC_OK;
	if (!size)
		handle_empty(front, handle);
	else if (!draft->begun)
		rc = handle_begin(front, handle, UINT64_MAX);
	if (!rc && size)
		rc = draft_resize(draft, size);
	if (!rc && draft->dirty) {
		handle->created = false;
		draft->tick = front_tick(front);
		draft->time = clock_now();
		handle_report(front, handle);
	}
	return rc;
}

/* ftruncate(2): of the handle's own draft, or of the bytes that all share who have the plain file open. False: it has neither. */
static bool truncate_open(struct frontend *front, struct handle *handle, uint64_t size, enum rc *ret_rc)
{
	pthread_mutex_lock(&handle->lock);
	bool plain = file_is_plain(front, handle), draft = !plain && handle->counted;
	if (plain) {
		*ret_rc = plain_resize(front, handle->node, size);
		names_done(front);
	} else if (draft) {
		*ret_rc = truncate_draft(front, handle, size);
	}
	pthread_mutex_unlock(&handle->lock);
	return plain || draft;
}

static enum rc truncate(fuse_req_t req, struct node *node, uint64_t size, struct why *why)
{
	struct frontend *front = front_of(req);
	enum rc rc;
	names_read(front);
	if (node->kind == NODE_PLAIN)
		rc = truncate_plain(req, node, size);
	else if (node->kind == NODE_ITEM || node->kind == NODE_DEFINITION)
		rc = truncate_stored(req, node, size, why);
	else
		rc = RC_READ_ONLY;
	names_done(front);
	return rc;
}

void attr_set(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	struct why why = {.line = 0};
	struct meta_change change;
	struct stat st;
	double keep = 0;
	enum rc rc = RC_OK;
	names_read(front);
	bool frozen = node_snapshot(node);
	names_done(front);
	if (frozen) {
		refuse_request(req, node, NULL, RC_READ_ONLY, NULL);
		reply_rc(req, RC_READ_ONLY);
		return;
	}
	if ((which & FUSE_SET_ATTR_SIZE) && attr->st_size < 0) {
		reply_rc(req, RC_INVALID);
		return;
	}
	read_change(attr, which, &change);
	if (node->kind == NODE_IMPORT) {
		uint64_t size = (uint64_t)attr->st_size;
		import_setattr(req, node, &change, which & FUSE_SET_ATTR_SIZE ? &size : NULL, fi);
		return;
	}
	bool open = fi && (which & FUSE_SET_ATTR_SIZE) && truncate_open(front, (struct handle *)(uintptr_t)fi->fh, (uint64_t)attr->st_size, &rc);
	pthread_mutex_t *lock = front_commit_lock(front, node);
	if (which & FUSE_SET_ATTR_SIZE) {
		if (!open)
			rc = truncate(req, node, (uint64_t)attr->st_size, &why);
		/* The times that come with it are now's, and the truncation has set them; a draft's come with its commit. */
		change.mtime_set = change.mtime_set && !(which & FUSE_SET_ATTR_MTIME_NOW);
		change.atime_set = change.atime_set && !(which & FUSE_SET_ATTR_ATIME_NOW);
	}
	names_read(front);
	if (!rc && (change.mode_set || change.uid_set || change.gid_set || change.atime_set || change.mtime_set))
		rc = change_meta(front, node, &change);
	if (!rc)
		rc = reply_stat_known(front, node, &st, &keep);
	names_done(front);
	pthread_mutex_unlock(lock);
	if (rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_READ_ONLY || rc == RC_FORBIDDEN)
		refuse_request(req, node, NULL, rc, &why);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_attr(req, &st, keep);
}

void attr_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct frontend *front = front_of(req);
	struct statvfs st;
	(void)ino;
	if (statvfs(volume_path(front->volume), &st) != 0) {
		fuse_reply_err(req, errno);
		return;
	}
	uint64_t items;
	enum rc rc = volume_items(front->volume, &items);
	if (rc) {
		reply_rc(req, rc);
		return;
	}
	/* The space is the host's, shared with whatever else is there. A used inode is an item; room for more there is as long as there is space. */
	st.f_namemax = 255;
	st.f_ffree = st.f_favail = st.f_bfree;
	st.f_files = st.f_ffree + items;
	fuse_reply_statfs(req, &st);
}
