/* import_file: see import_file.h; names are import_name.c. Errors of a close are what this is about: it is where a writer learns whether its file was imported. */
#include "fs/import_file.h"
#include "fs/import_node.h"
#include "fs/import_run.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A new, empty one; its maker is its first writer. */
static enum rc make(struct frontend *front, struct node *directory, const char *name, const struct meta *meta, struct upload **ret_upload, struct why *why)
{
	struct import_options options = {.table = import_node_table(directory), .name = name, .directory = volume_path(front->volume)};
	struct import *import = NULL;
	bool scratch;
	enum rc rc = upload_name(name, &scratch, &options.format, why);
	if (!rc && !scratch)
		rc = import_new(&options, &import);
	if (!rc)
		rc = upload_new(front, options.table, name, meta, NULL, ret_upload);
	if (rc)
		import_free(import);
	else
		(*ret_upload)->import = import;
	return rc;
}

/* As handle_new() counts it. */
static bool opens_to_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* The upload for an opening: `known` (a reference, taken) or, where it is emptied or not there, a new one, which takes the name. */
static enum rc choose(struct frontend *front, struct node *directory, const char *name, int flags, const struct meta *fresh, struct upload *known,
		      struct upload **ret_upload, struct why *why)
{
	bool writes = opens_to_write(flags);
	struct meta meta = *fresh;
	unsigned writers;
	if (known && known->result && writes) {
		upload_unref(known);
		return RC_READ_ONLY;
	}
	if (known && !(flags & O_TRUNC)) {
		if (writes)
			upload_writer(front, known, 1, &writers);
		*ret_upload = known;
		return RC_OK;
	}
	if (known) {
		pthread_mutex_lock(&front->uploads_lock);
		meta = known->meta;
		pthread_mutex_unlock(&front->uploads_lock);
		upload_unref(known);
	}
	return make(front, directory, name, &meta, ret_upload, why);
}

/* Takes the upload's reference. `node` NULL: there was no memory for it. */
static struct handle *handle_for(fuse_req_t req, struct node *node, int flags, struct upload *upload, struct fuse_file_info *fi)
{
	struct handle *handle = node ? handle_new(req, node, flags) : NULL;
	unsigned left;
	if (!handle) {
		if (opens_to_write(flags))
			upload_writer(front_of(req), upload, -1, &left);
		upload_unref(upload);
		return NULL;
	}
	handle->upload = upload;
	fi->fh = (uintptr_t)handle;
	fi->direct_io = 1;
	fi->noflush = !handle->writer;
	return handle;
}

void import_open(fuse_req_t req, struct node *node, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct upload *known = import_node_upload(front, node), *upload = NULL;
	struct handle *handle = NULL;
	struct why why = {.line = 0};
	static const struct meta none;
	names_read(front);
	enum rc rc = !known ? RC_STALE : RC_OK;
	if (!rc && node->dead && (fi->flags & O_TRUNC)) {
		rc = RC_STALE;
		upload_unref(known);
	}
	if (!rc)
		rc = choose(front, node->parent, node->name, fi->flags, &none, known, &upload, &why);
	if (!rc) {
		import_node_set(front, node, upload);
		handle = handle_for(req, node, fi->flags, upload, fi);
		rc = handle ? RC_OK : RC_NO_MEMORY;
	}
	names_done(front);
	refuse_request(req, node, NULL, rc, &why);
	if (rc)
		reply_rc(req, rc);
	else if (fuse_reply_open(req, fi))
		import_release(front, handle);
}

void import_create(fuse_req_t req, struct node *directory, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct fuse_entry_param entry = {.ino = 0};
	struct upload *upload = NULL;
	struct handle *handle = NULL;
	struct node *node = NULL;
	struct why why = {.line = 0};
	names_read(front);
	struct meta meta = reply_new_meta(front, directory, mode, fuse_req_ctx(req));
	struct upload *known = directory->dead ? NULL : upload_find(front, import_node_table(directory), name);
	enum rc rc = directory->dead ? RC_STALE : known && (fi->flags & O_EXCL) ? RC_EXISTS : RC_OK;
	if (rc)
		upload_unref(known);
	else
		rc = choose(front, directory, name, fi->flags, &meta, known, &upload, &why);
	if (!rc) {
		node = import_node_get(front, directory, name, upload);
		handle = handle_for(req, node, fi->flags, upload, fi);
		rc = handle ? RC_OK : RC_NO_MEMORY;
	}
	if (!rc) {
		entry.ino = node_id(&front->tree, node);
		entry.generation = node->serial;
		rc = import_node_stat(front, node, &entry.attr);
	}
	names_done(front);
	refuse_request(req, directory, name, rc, &why);
	if (!rc && fuse_reply_create(req, &entry, fi) == 0)
		return;
	if (handle)
		import_release(front, handle);
	if (node)
		node_forget(&front->tree, node, 1);
	if (rc)
		reply_rc(req, rc);
}

void import_read(fuse_req_t req, struct handle *handle, size_t size, off_t offset)
{
	cleanup_buf struct buf out = {0};
	enum rc rc = offset < 0 ? RC_INVALID : spool_read(handle->upload->spool, (uint64_t)offset, size, &out);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_buf(req, (const char *)out.data, out.len);
}

/* Bytes that are in the table already change: the file is imported anew. With upload.lock held. */
static void rewind_to(struct upload *upload, uint64_t offset)
{
	if (offset >= upload->imported || !upload->import)
		return;
	import_restart(upload->import);
	upload->imported = 0;
}

static void touch(struct frontend *front, struct upload *upload)
{
	pthread_mutex_lock(&front->uploads_lock);
	upload->meta.mtime = upload->meta.ctime = clock_now();
	pthread_mutex_unlock(&front->uploads_lock);
}

void import_write(fuse_req_t req, struct handle *handle, const char *bytes, size_t size, off_t offset)
{
	struct frontend *front = front_of(req);
	struct upload *upload = handle->upload;
	pthread_mutex_lock(&upload->lock);
	uint64_t at = handle->append ? spool_size(upload->spool) : (uint64_t)offset;
	enum rc rc = offset < 0 ? RC_INVALID : RC_OK;
	if (!rc) {
		rewind_to(upload, at);
		rc = spool_write(upload->spool, bytes, size, at);
		upload->dirty = true;
		upload->cut |= rc;
		if (rc)
			upload->refused = rc;
	}
	pthread_mutex_unlock(&upload->lock);
	touch(front, upload);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_write(req, size);
}

/* Imports what is new. With upload.lock held. */
static enum rc attempt(struct frontend *front, struct handle *handle, bool last, bool durable)
{
	struct upload *upload = handle->upload;
	struct node *node = handle->node, *directory = node->parent;
	if (!upload->import || upload->gone)
		return RC_OK;
	if (upload->refused || !upload->dirty || !spool_size(upload->spool))
		return upload->refused;
	char *path = path_of(&front->tree, directory, upload->name);
	struct actor actor = {handle->uid, handle->gid, handle->pid, path ? path : ""};
	struct import_run run = {upload, directory->parent, upload->name, &actor, last, durable || handle->durable};
	enum rc rc = import_run(front, &run);
	import_node_follow(front, node, upload);
	free(path);
	return rc;
}

void import_flush(fuse_req_t req, struct handle *handle, bool durable)
{
	struct frontend *front = front_of(req);
	struct upload *upload = handle->upload;
	enum rc rc = RC_OK;
	if (handle->writer) {
		pthread_mutex_lock(&upload->lock);
		rc = attempt(front, handle, false, durable);
		pthread_mutex_unlock(&upload->lock);
	}
	if (!rc && durable)
		rc = volume_sync(front->volume);
	reply_rc(req, rc);
}

void import_release(struct frontend *front, struct handle *handle)
{
	struct upload *upload = handle->upload;
	unsigned left = 1;
	if (handle->writer)
		upload_writer(front, upload, -1, &left);
	if (!left) {
		pthread_mutex_lock(&upload->lock);
		(void)attempt(front, handle, true, false); /* it says itself what was wrong */
		if (upload->cut || (upload->import && !spool_size(upload->spool))) { /* nothing that could be imported */
			upload_unlist(front, upload, true);
			import_node_follow(front, handle->node, upload);
		}
		pthread_mutex_unlock(&upload->lock);
	}
	import_node_let_go(front, handle->node, 1);
	handle_free(front, handle);
}

void import_abandon(struct frontend *front, struct handle *handle)
{
	struct upload *upload = handle->upload;
	struct why why = {.line = 0};
	if (!handle->writer || !upload->import || !upload->dirty || upload->refused || upload->gone)
		return;
	char *path = path_of(&front->tree, handle->node->parent, upload->name);
	struct actor actor = {handle->uid, handle->gid, handle->pid, path ? path : ""};
	why_set(&why, RC_OK, "the mount ended while this was being written");
	import_keep(front, &actor, RC_UNFINISHED, &why, upload->spool, &upload->refusal);
	upload->dirty = false;
	free(path);
}

/* Emptied, it begins anew. With upload.lock held. */
static enum rc resize(struct upload *upload, uint64_t size)
{
	enum rc rc = spool_resize(upload->spool, size);
	if (rc)
		return rc;
	rewind_to(upload, size);
	upload->dirty = size;
	if (!size) {
		upload->refused = RC_OK;
		upload->cut = false;
		upload->refusal = 0;
	}
	return RC_OK;
}

void import_setattr(fuse_req_t req, struct node *node, const struct meta_change *change, const uint64_t *size, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = fi ? (struct handle *)(uintptr_t)fi->fh : NULL;
	struct upload *upload = handle ? upload_ref(handle->upload) : import_node_upload(front, node);
	struct stat st;
	enum rc rc = !upload ? RC_NOT_FOUND : upload->result ? RC_READ_ONLY : RC_OK;
	if (!rc && size) {
		pthread_mutex_lock(&upload->lock);
		rc = resize(upload, *size);
		pthread_mutex_unlock(&upload->lock);
	}
	if (!rc) {
		pthread_mutex_lock(&front->uploads_lock);
		meta_apply(&upload->meta, change, clock_now());
		struct meta meta = upload->meta;
		pthread_mutex_unlock(&front->uploads_lock);
		names_read(front);
		stat_file(&st, node_ino(node), &meta, spool_size(upload->spool));
		names_done(front);
	}
	upload_unref(upload);
	refuse_request(req, node, NULL, rc, NULL);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_attr(req, &st, 0);
}
