/* import_file: see import_file.h. Errors of a close are what this is about: it is where a writer learns whether its file was imported. */
#include "fs/import_file.h"
#include "fs/import_run.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct table *table_of(const struct node *directory)
{
	return directory->parent->table;
}

/* The upload that a node stands for, with a reference. NULL: its name is gone, and nobody had it open. */
static struct upload *upload_of(struct frontend *front, struct node *node)
{
	struct upload *found = NULL, *upload;
	pthread_mutex_lock(&front->tree.lock);
	if (!node->upload && !node->dead) { /* readdirplus made the node */
		pthread_mutex_unlock(&front->tree.lock);
		found = upload_find(front, table_of(node->parent), node->name);
		pthread_mutex_lock(&front->tree.lock);
	}
	if (!node->upload && found) {
		node->upload = found;
		found = NULL;
	}
	upload = node->upload ? upload_ref(node->upload) : NULL;
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(found);
	return upload;
}

/* The node of an upload's name, with a lookup more. */
static struct node *node_for(struct frontend *front, struct node *directory, const char *name, struct upload *upload)
{
	struct node *node = node_get(&front->tree, directory, name, NODE_IMPORT, NULL);
	if (!node)
		return NULL;
	pthread_mutex_lock(&front->tree.lock);
	struct upload *old = node->upload;
	node->upload = upload_ref(upload);
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(old);
	return node;
}

/* The kernel may remember a node long after its name went: it must not keep the bytes. `opens`: handles that may be left, the caller's own. */
static void let_go(struct frontend *front, struct node *node, unsigned opens)
{
	struct upload *upload = NULL;
	pthread_mutex_lock(&front->tree.lock);
	if (node->dead && node->opens <= opens) {
		upload = node->upload;
		node->upload = NULL;
	}
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(upload);
}

/* Its name went with what it did: whoever looks it up again finds no more. */
static void follow_name(struct frontend *front, struct node *node, const struct upload *upload)
{
	if (!upload_is_listed(front, upload))
		node_kill(&front->tree, node);
}

void import_lookup(fuse_req_t req, struct node *directory, const char *name)
{
	struct frontend *front = front_of(req);
	struct fuse_entry_param entry = {.ino = 0};
	struct upload *upload = directory->dead ? NULL : upload_find(front, table_of(directory), name);
	struct node *node = upload ? node_for(front, directory, name, upload) : NULL;
	enum rc rc = !upload ? RC_NOT_FOUND : !node ? RC_NO_MEMORY : RC_OK;
	upload_unref(upload);
	if (!rc) {
		names_read(front);
		entry = (struct fuse_entry_param){.ino = node_id(&front->tree, node), .generation = node->serial};
		rc = import_stat(front, node, &entry.attr);
		names_done(front);
	}
	if (!rc && fuse_reply_entry(req, &entry) == 0)
		return;
	if (node)
		node_forget(&front->tree, node, 1);
	if (rc)
		reply_rc(req, rc);
}

enum rc import_stat(struct frontend *front, struct node *node, struct stat *st)
{
	struct upload *upload = upload_of(front, node);
	if (!upload)
		return RC_NOT_FOUND;
	pthread_mutex_lock(&front->uploads_lock);
	struct meta meta = upload->meta;
	pthread_mutex_unlock(&front->uploads_lock);
	stat_file(st, node_ino(node), &meta, spool_size(upload->spool));
	upload_unref(upload);
	return RC_OK;
}

/* A new, empty one; its maker is its first writer. */
static enum rc make(struct frontend *front, struct node *directory, const char *name, const struct meta *meta, struct upload **ret_upload, struct why *why)
{
	struct import_options options = {.table = table_of(directory), .name = name, .directory = volume_path(front->volume)};
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

/* The upload for an opening: `known` (a reference, taken) or, where it is emptied or not there, a new one, which takes the name. */
static enum rc choose(struct frontend *front, struct node *directory, const char *name, int flags, const struct meta *fresh, struct upload *known,
		      struct upload **ret_upload, struct why *why)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
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

/* Takes the upload's reference. */
static struct handle *handle_for(fuse_req_t req, struct node *node, int flags, struct upload *upload, struct fuse_file_info *fi)
{
	struct handle *handle = handle_new(req, node, flags);
	if (!handle) {
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
	struct upload *known = upload_of(front, node), *upload = NULL;
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
		pthread_mutex_lock(&front->tree.lock);
		struct upload *old = node->upload;
		node->upload = upload_ref(upload);
		pthread_mutex_unlock(&front->tree.lock);
		upload_unref(old);
		handle = handle_for(req, node, fi->flags, upload, fi);
		rc = handle ? RC_OK : RC_NO_MEMORY;
	}
	names_done(front);
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
	struct upload *known = directory->dead ? NULL : upload_find(front, table_of(directory), name);
	enum rc rc = directory->dead ? RC_STALE : known && (fi->flags & O_EXCL) ? RC_EXISTS : RC_OK;
	if (rc)
		upload_unref(known);
	else
		rc = choose(front, directory, name, fi->flags, &meta, known, &upload, &why);
	if (!rc) {
		node = node_for(front, directory, name, upload);
		handle = node ? handle_for(req, node, fi->flags, upload, fi) : NULL;
		rc = handle ? RC_OK : RC_NO_MEMORY;
	}
	if (!rc) {
		entry.ino = node_id(&front->tree, node);
		entry.generation = node->serial;
		rc = import_stat(front, node, &entry.attr);
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
	follow_name(front, node, upload);
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
			follow_name(front, handle->node, upload);
		}
		pthread_mutex_unlock(&upload->lock);
	}
	let_go(front, handle->node, 1);
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

void import_unlink(fuse_req_t req, struct node *directory, const char *name)
{
	struct frontend *front = front_of(req);
	struct upload *upload = directory->dead ? NULL : upload_find(front, table_of(directory), name);
	struct node *node = node_find(&front->tree, directory, name);
	if (upload)
		upload_unlist(front, upload, true);
	if (node) {
		if (upload) {
			node_kill(&front->tree, node);
			let_go(front, node, 0);
		}
		node_release(&front->tree, node);
	}
	reply_rc(req, upload ? RC_OK : RC_NOT_FOUND);
	upload_unref(upload);
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
	struct upload *upload = handle ? upload_ref(handle->upload) : upload_of(front, node);
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
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_attr(req, &st, 0);
}

/* The name says that it is to be imported: then it is, and no name stays. With upload.lock held. */
static enum rc import_as(fuse_req_t req, struct node *directory, struct upload *upload, const char *name, enum import_format format)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct import_options options = {.table = upload->table, .name = name, .format = format, .directory = volume_path(front->volume)};
	struct import *import, *before = upload->import;
	enum rc rc = import_new(&options, &import);
	if (rc)
		return rc;
	char *path = path_of(&front->tree, directory, name);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	struct import_run run = {upload, directory->parent, name, &actor, true, front->options.durable};
	enum rc refused = upload->refused;
	upload->import = import;
	rc = import_run(front, &run);
	if (upload_is_listed(front, upload)) { /* refused: it is what it was */
		upload->import = before;
		upload->refused = refused;
		before = import;
	}
	import_free(before);
	free(path);
	return rc;
}

/* With a scratch name it only has another name. */
static enum rc rename_scratch(struct frontend *front, struct node *directory, struct upload *upload, const char *name, const char *to_name)
{
	enum rc rc = RC_OK;
	names_write(front);
	struct node *node = node_find(&front->tree, directory, name);
	if (node && !node_move(&front->tree, node, directory, to_name, NODE_IMPORT))
		rc = RC_NO_MEMORY;
	if (!rc) {
		upload_rename(front, upload, to_name);
		import_free(upload->import);
		upload->import = NULL;
	}
	names_done(front);
	if (node)
		node_release(&front->tree, node);
	return rc;
}

static enum rc rename_upload(fuse_req_t req, struct node *directory, struct upload *upload, const char *name, const char *to_name, struct why *why)
{
	struct frontend *front = front_of(req);
	enum import_format format;
	bool scratch;
	enum rc rc = upload_name(to_name, &scratch, &format, why);
	if (!rc && upload->cut)
		rc = upload->refused;
	if (rc || strcmp(name, to_name) == 0)
		return rc;
	if (scratch)
		return rename_scratch(front, directory, upload, name, to_name);
	if (spool_size(upload->spool))
		rc = import_as(req, directory, upload, to_name, format);
	else
		upload_unlist(front, upload, true);
	struct upload *replaced = rc ? NULL : upload_find(front, upload->table, to_name);
	if (replaced)
		upload_unlist(front, replaced, false); /* who still writes it is told nothing, so it is imported, too */
	upload_unref(replaced);
	struct node *node = node_find(&front->tree, directory, name);
	if (node) {
		follow_name(front, node, upload);
		let_go(front, node, 0);
		node_release(&front->tree, node);
	}
	return rc;
}

void import_rename(fuse_req_t req, struct node *from, const char *name, struct node *to, const char *to_name, unsigned flags)
{
	struct frontend *front = front_of(req);
	struct why why = {.line = 0};
	if (from != to || flags & ~1u /* RENAME_NOREPLACE */) {
		reply_rc(req, from != to ? RC_CROSS : RC_INVALID); /* mv copies */
		return;
	}
	struct upload *upload = from->dead ? NULL : upload_find(front, table_of(from), name);
	struct upload *taken = upload && flags ? upload_find(front, table_of(from), to_name) : NULL;
	enum rc rc = !upload ? RC_NOT_FOUND : taken ? RC_EXISTS : upload->result ? RC_FORBIDDEN : RC_OK;
	if (!rc) {
		pthread_mutex_lock(&upload->lock);
		rc = rename_upload(req, from, upload, name, to_name, &why);
		pthread_mutex_unlock(&upload->lock);
	}
	refuse_request(req, to, to_name, rc, &why);
	upload_unref(taken);
	upload_unref(upload);
	reply_rc(req, rc);
}
