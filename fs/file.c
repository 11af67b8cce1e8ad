/* file: read, write, flush, fsync, release (open.c: open and create). What a handle may hold is handle.h; here each request finds its handle, does one thing, and is
 * answered once, with nothing locked. */
#include "fs/computed.h"
#include "fs/export_file.h"
#include "fs/handle.h"
#include "fs/import_file.h"
#include "fs/plain.h"
#include "fs/query_path.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/definition.h"
#include "index/listing.h"
#include "index/partition.h"
#include "index/refusals.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOWED_MAX = 4 << 20 }; /* bytes of `.itemfs/errors` that who follows it may go back to */

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/* Whether it is shown the refusals of others, too. */
static bool sees_all(const struct frontend *front, const struct handle *handle)
{
	return handle->uid == front->options.uid || handle->uid == 0;
}

/* Reads the version of a file that is there now. With the names held. */
static enum rc read_version(struct frontend *front, struct handle *handle, struct buf *out)
{
	struct node *node = handle->node;
	struct place place;
	struct head head;
	enum rc rc = place_of(front, node, &place);
	if (rc)
		return rc;
	buf_clear(out);
	pthread_mutex_lock(&front->tree.lock);
	bool pending = node->pending;
	pthread_mutex_unlock(&front->tree.lock);
	switch ((enum node_kind)node->kind) {
	case NODE_ITEM:
	case NODE_PLAIN:
		return pending ? RC_OK : leaf_get(&place.leaf, NULL, &head, out);
	case NODE_DEFINITION:
		return pending ? RC_OK : definition_get(place.table, NULL, &head, out);
	case NODE_ENTRY:
		return listing_get_entry(place.table, NULL, place.index, place.keys, place.key_count, &head, out);
	case NODE_RESULT:
		return query_path_read(&place, out);
	case NODE_ERRORS:
		handle->line = handle->let_go = 0;
		return refusals_lines(front->volume, sees_all(front, handle), handle->uid, &handle->line, out);
	case NODE_DRAFT:
		return refusals_get(front->volume, NULL, place.id, &head, out);
	default:
		return computed_read(front, &place, out);
	}
}

enum rc handle_begin(struct frontend *front, struct handle *handle, uint64_t offset)
{
	cleanup_buf struct buf now = {0};
	names_read(front);
	enum rc rc = read_version(front, handle, &now);
	names_done(front);
	if (rc == RC_STALE || rc == RC_NOT_FOUND)
		rc = RC_OK; /* unlinked: what is written goes nowhere */
	if (rc)
		return rc;
	free(handle->draft.path);
	handle->draft.path = path_of(&front->tree, handle->node, NULL);
	return draft_base(&handle->draft, now.data, now.len, handle->append || offset == now.len);
}

bool file_is_plain(struct frontend *front, struct handle *handle)
{
	if (!handle->plain)
		return false;
	names_read(front);
	if (handle->node->kind == NODE_PLAIN)
		return true;
	handle->plain = false;
	plain_drop(front, handle->node);
	pthread_mutex_lock(&front->tree.lock);
	handle->node->writers += handle->writer;
	handle->counted = handle->writer;
	pthread_mutex_unlock(&front->tree.lock);
	names_done(front);
	return false;
}

enum rc file_pin(struct frontend *front, struct handle *handle)
{
	uint64_t now = volume_sequence(front->volume);
	enum rc rc = read_version(front, handle, &handle->version);
	if (rc == RC_STALE || rc == RC_NOT_FOUND)
		return rc;
	handle_weigh(front, handle);
	handle->pinned = !rc;
	handle->opened_at = rc ? 0 : now;
	return RC_OK;
}

static enum rc read_pinned(struct frontend *front, struct handle *handle, off_t offset)
{
	if (handle->draft.begun && handle->draft.dirty)
		return RC_OK; /* a writer reads what it wrote */
	uint64_t opened_at = handle->opened_at;
	handle->opened_at = 0;
	if (handle->pinned && (offset != 0 || (opened_at && volume_stands(front->volume, opened_at))))
		return RC_OK;
	cleanup_buf struct buf now = {0};
	names_read(front);
	enum rc rc = read_version(front, handle, &now);
	names_done(front);
	if (rc == RC_STALE || rc == RC_NOT_FOUND) { /* unlinked or replaced: what it read, or what was there last */
		if (handle->pinned || handle->draft.begun)
			return RC_OK;
		if (handle->node->kind == NODE_DESCRIBE)
			return RC_STALE; /* it tells of a table that is no more: not by an empty file */
		pthread_mutex_lock(&front->tree.lock);
		node_await(&front->tree, handle->node);
		buf_add(&now, handle->node->more->last.data, handle->node->more->last.len);
		pthread_mutex_unlock(&front->tree.lock);
		rc = now.failed ? RC_NO_MEMORY : RC_OK;
	}
	if (rc)
		return rc;
	struct buf old = handle->version;
	handle->version = now;
	now = old;
	handle->pinned = true;
	handle_weigh(front, handle);
	return RC_OK;
}

/* `tail -f .itemfs/errors`: who reads at its end is shown the lines that have come since. */
static enum rc follow(struct frontend *front, struct handle *handle, uint64_t offset)
{
	cleanup_buf struct buf lines = {0};
	if (handle->node->kind != NODE_ERRORS || offset < handle->let_go + handle->version.len)
		return RC_OK;
	enum rc rc = refusals_lines(front->volume, sees_all(front, handle), handle->uid, &handle->line, &lines);
	if (rc || !lines.len)
		return rc;
	if (handle->version.len > FOLLOWED_MAX) {
		handle->let_go += handle->version.len;
		buf_clear(&handle->version);
	}
	buf_add(&handle->version, lines.data, lines.len);
	handle_weigh(front, handle);
	return handle->version.failed ? RC_NO_MEMORY : RC_OK;
}

static void read_export(fuse_req_t req, struct handle *handle, size_t size, off_t offset)
{
	cleanup_buf struct buf out = {0};
	struct why why = {.line = 0};
	enum rc rc = export_file_read(req, handle->stream, (uint64_t)offset, size, &out, &why);
	refuse_request(req, handle->node, NULL, rc, &why);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_buf(req, (const char *)out.data, out.len);
}

void file_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_of(fi);
	cleanup_buf struct buf out = {0};
	enum rc rc = RC_OK;
	(void)ino;
	if (handle->upload) {
		import_read(req, handle, size, offset);
		return;
	}
	if (handle->stream) {
		read_export(req, handle, size, offset);
		return;
	}
	pthread_mutex_lock(&handle->lock);
	if (file_is_plain(front, handle)) {
		rc = plain_read(handle->node, (uint64_t)offset, size, &out);
		names_done(front);
	} else {
		rc = read_pinned(front, handle, offset);
		bool own = handle->draft.begun && handle->draft.dirty;
		const struct buf *from = own ? &handle->draft.bytes : &handle->version;
		if (!rc)
			rc = follow(front, handle, (uint64_t)offset);
		uint64_t at = (uint64_t)offset - (own ? 0 : handle->let_go); /* what was let go is beyond its end */
		if (!rc && at < from->len) {
			size_t rest = from->len - (size_t)at;
			buf_add(&out, from->data + at, size < rest ? size : rest);
		}
	}
	pthread_mutex_unlock(&handle->lock);
	if (!rc && out.failed)
		rc = RC_NO_MEMORY;
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_buf(req, (const char *)out.data, out.len);
}

/* With handle.lock held. */
static enum rc write_draft(struct frontend *front, struct handle *handle, const char *bytes, size_t size, uint64_t offset)
{
	struct draft *draft = &handle->draft;
	enum rc rc = draft->begun || draft->poison ? RC_OK : handle_begin(front, handle, offset);
	if (rc)
		return rc;
	handle->created = false;
	rc = draft_write(draft, bytes, size, handle->append ? draft->bytes.len : offset);
	draft->tick = front_tick(front);
	draft->time = clock_now();
	handle_report(front, handle);
	return rc;
}

void file_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_of(fi);
	enum rc rc;
	(void)ino;
	if (handle->upload) {
		import_write(req, handle, bytes, size, offset);
		return;
	}
	pthread_mutex_lock(&handle->lock);
	if (offset < 0) {
		rc = RC_INVALID;
	} else if (file_is_plain(front, handle)) {
		rc = plain_write(front, handle->node, bytes, size, (uint64_t)offset, handle->append && !fi->writepage);
		names_done(front);
	} else {
		rc = write_draft(front, handle, bytes, size, (uint64_t)offset);
	}
	pthread_mutex_unlock(&handle->lock);
	if (rc)
		reply_rc(req, rc);
	else
		fuse_reply_write(req, size);
}

/* With handle.lock held. */
static enum rc store(struct frontend *front, struct handle *handle, bool last, bool durable)
{
	if (!file_is_plain(front, handle))
		return handle->writer && handle->draft.begun ? handle_commit(front, handle, last, durable) : RC_OK;
	enum rc rc = plain_store(front, handle->node, last, durable || handle->durable);
	names_done(front);
	return rc;
}

void file_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_of(fi);
	(void)ino;
	if (handle->upload) {
		import_flush(req, handle, false);
		return;
	}
	pthread_mutex_lock(&handle->lock);
	enum rc rc = store(front, handle, false, false);
	/* What is hopeless stays so, and its writer was told: it can be recorded now, where the next command will look for it. What is merely unfinished may
	 * go on (a shell's children share a descriptor). */
	if (rc && handle->draft.poison)
		handle_reject(front, handle, rc);
	pthread_mutex_unlock(&handle->lock);
	reply_rc(req, rc);
}

void file_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_of(fi);
	(void)ino;
	(void)datasync;
	if (handle->upload) {
		import_flush(req, handle, true);
		return;
	}
	pthread_mutex_lock(&handle->lock);
	enum rc rc = store(front, handle, true, true);
	pthread_mutex_unlock(&handle->lock);
	if (!rc)
		rc = volume_sync(front->volume); /* a clean handle's item may have been committed by another, and not synced */
	reply_rc(req, rc);
}

void file_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_of(fi);
	(void)ino;
	if (handle->upload) {
		import_release(front, handle);
		fuse_reply_err(req, 0);
		return;
	}
	pthread_mutex_lock(&handle->lock);
	bool plain = file_is_plain(front, handle);
	if (plain) {
		plain_close(front, handle->node);
		names_done(front);
	}
	pthread_mutex_unlock(&handle->lock);
	if (!plain && handle->counted)
		handle_finish(front, handle);
	handle_free(front, handle);
	fuse_reply_err(req, 0);
}

void file_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi)
{
	(void)ino;
	(void)mode;
	(void)offset;
	(void)length;
	(void)fi;
	fuse_reply_err(req, EOPNOTSUPP);
}
