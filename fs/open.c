/* open: open and create: how a handle comes to be. */
#include "fs/export_file.h"
#include "fs/handle.h"
#include "fs/import_file.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/definition.h"
#include "index/partition.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static bool drafts(const struct node *node)
{
	return node->kind == NODE_ITEM || node->kind == NODE_DEFINITION;
}

/* From here on attributes are not cached, and the node knows which incarnation its drafts belong to (readdirplus makes nodes without looking). RC_STALE: the name went in
 * this moment, and what would be written to it would go nowhere: the kernel looks it up again. */
static enum rc be_writer(struct frontend *front, struct handle *handle, const struct place *place)
{
	struct node *node = handle->node;
	struct head head = {.birth = 0};
	enum rc stored = RC_NOT_FOUND;
	pthread_mutex_lock(&front->tree.lock);
	bool known = node->pending || node->birth;
	if (!known) {
		pthread_mutex_unlock(&front->tree.lock);
		stored = node->kind == NODE_DEFINITION ? definition_get(place->table, NULL, &head, NULL)
						       : leaf_get(&place->leaf, NULL, &head, NULL);
		pthread_mutex_lock(&front->tree.lock);
	}
	bool there = !node->dead && (node->pending || node->birth || !stored);
	if (there && !node->pending && !node->birth)
		node->birth = head.birth;
	node->writers += there;
	handle->counted = there;
	pthread_mutex_unlock(&front->tree.lock);
	return there ? RC_OK : stored && stored != RC_NOT_FOUND ? stored : RC_STALE;
}

/* A file of a snapshot is what it is for ever, so the page cache may keep it. What is computed as it is read has no size to trust. */
static bool is_immutable(const struct node *node)
{
	bool stored = drafts(node) || node->kind == NODE_PLAIN || node->kind == NODE_ENTRY;
	return stored && node_snapshot(node);
}

static void set_flags(const struct node *node, const struct handle *handle, struct fuse_file_info *fi)
{
	fi->fh = (uintptr_t)handle;
	bool immutable = is_immutable(node);
	fi->direct_io = !immutable && node->kind != NODE_PLAIN;
	fi->keep_cache = immutable;
	fi->noflush = !handle->writer; /* closing a reader has nothing to say */
}

/* Nobody will release what the kernel did not get. */
static void abandon(struct frontend *front, struct handle *handle)
{
	if (handle->plain) {
		names_read(front);
		plain_close(front, handle->node);
		names_done(front);
	} else if (handle->counted) {
		handle->draft.dirty = false;
		handle_finish(front, handle);
	}
	handle_free(front, handle);
}

static bool is_buried(struct frontend *front, const struct node *node)
{
	pthread_mutex_lock(&front->tree.lock);
	bool buried = node->more->buried;
	pthread_mutex_unlock(&front->tree.lock);
	return buried;
}

/* A file that was replaced after the kernel looked it up, and before it is opened to be read: as it was then. (The kernel looks up a second time
 * after ESTALE, and that may be late, too.) */
static enum rc open_buried(fuse_req_t req, struct node *node, int flags, struct handle **ret_handle)
{
	struct frontend *front = front_of(req);
	struct handle *handle = handle_new(req, node, flags);
	if (!handle)
		return RC_NO_MEMORY;
	handle->plain = node->kind == NODE_PLAIN && plain_share(front, node);
	pthread_mutex_lock(&front->tree.lock);
	bool known = node->more->buried;
	if (known)
		buf_add(&handle->version, node->more->last.data, node->more->last.len);
	pthread_mutex_unlock(&front->tree.lock);
	handle_weigh(front, handle);
	handle->pinned = true;
	enum rc rc = handle->version.failed ? RC_NO_MEMORY : known || handle->plain ? RC_OK : RC_STALE;
	if (!rc)
		*ret_handle = handle;
	else
		abandon(front, handle);
	return rc;
}

/* `known`: what the node stands for; NULL: that is found out. */
static enum rc open_node(fuse_req_t req, struct node *node, const struct place *known, int flags, struct handle **ret_handle)
{
	struct frontend *front = front_of(req);
	struct place found;
	const struct place *place = known ? known : &found;
	bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
	enum rc rc = known ? (node->dead ? RC_STALE : RC_OK) : place_of(front, node, &found);
	if (rc == RC_STALE && !writes)
		return open_buried(req, node, flags, ret_handle);
	if (rc)
		return rc;
	bool frozen = node_snapshot(node);
	if (writes && (frozen || (node->kind != NODE_PLAIN && !drafts(node))))
		return RC_READ_ONLY;
	struct handle *handle = handle_new(req, node, flags);
	if (!handle)
		return RC_NO_MEMORY;
	if (node->kind == NODE_EXPORT_FILE) {
		rc = export_file_open(front, node, &handle->stream);
	} else if (node->kind == NODE_PLAIN && !frozen) {
		rc = plain_open(front, node, place, flags & O_TRUNC);
		handle->plain = !rc;
	} else if (handle->writer) {
		rc = be_writer(front, handle, place);
		if (!rc && (flags & O_TRUNC))
			handle_empty(front, handle);
	}
	if (!rc && !frozen && (node->kind == NODE_ENTRY || node->kind == NODE_RESULT || node->kind == NODE_DRAFT))
		rc = file_pin(front, handle);
	/* From here on unlink sees that it is open; it may have come before. */
	if (!rc && !handle->writer && !handle->plain && node->dead && !is_buried(front, node))
		rc = RC_STALE;
	if (rc) {
		handle_free(front, handle);
		return rc;
	}
	*ret_handle = handle;
	return RC_OK;
}

void file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	struct handle *handle = NULL;
	if (node->kind == NODE_IMPORT) {
		import_open(req, node, fi);
		return;
	}
	names_read(front);
	enum rc rc = open_node(req, node, NULL, fi->flags, &handle);
	if (!rc)
		set_flags(node, handle, fi);
	names_done(front);
	refuse_request(req, node, NULL, rc, NULL);
	if (rc)
		reply_rc(req, rc);
	else if (fuse_reply_open(req, fi))
		abandon(front, handle);
}

/* A plain file waits for its first commit in a partition only: in a table's directory names may clash with partitions', which the volume settles. */
static bool waits(const struct node *parent, const struct place *place)
{
	return place->kind != NODE_PLAIN || parent->kind == NODE_PARTITION;
}

/* A new name lives in its node until the first commit. That of a plain file comes with a share of its bytes, which plain_drop() gives back. */
static enum rc create_node(fuse_req_t req, struct node *parent, const char *name, mode_t mode, const struct place *place,
			   struct node **ret_node)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	int64_t now = clock_now();
	struct meta meta;
	struct head head = {.birth = 0};
	if (parent->kind == NODE_PARTITION) { /* read once, by its key, which `place` has */
		struct partition_record record;
		enum rc rc = partition_get(place->table, NULL, &place->leaf.pk, &record);
		if (rc && place->kind == NODE_PLAIN) /* a directory that went with its last name, and that somebody knows yet, takes no file */
			return rc;
		meta = reply_new_meta_in(rc ? NULL : &record.meta, mode, ctx);
	} else {
		meta = reply_new_meta(front, parent, mode, ctx);
	}
	if (!waits(parent, place)) {
		struct leaf_write write = {.condition = LEAF_ABSENT, .fresh = &meta};
		enum rc rc = leaf_write(&place->leaf, &write, &head, NULL);
		if (rc)
			return rc;
	}
	struct node *node = node_get(&front->tree, parent, name, place->kind, NULL);
	if (!node)
		return RC_NO_MEMORY;
	if (waits(parent, place) && place->kind == NODE_PLAIN && !plain_create(front, node)) {
		node_forget(&front->tree, node, 1);
		return RC_NO_MEMORY;
	}
	pthread_mutex_lock(&front->tree.lock);
	if (!node_more(&front->tree, node) || !node_more(&front->tree, parent)) {
		pthread_mutex_unlock(&front->tree.lock);
		if (waits(parent, place) && place->kind == NODE_PLAIN)
			plain_drop(front, node);
		node_forget(&front->tree, node, 1);
		return RC_NO_MEMORY;
	}
	node->birth = head.birth;
	node_set_pending(node, waits(parent, place));
	node->more->fresh = meta;
	node->more->pending_size = 0;
	node->more->appeared = now;
	if (node->pending)
		parent->more->appeared = now;
	pthread_mutex_unlock(&front->tree.lock);
	*ret_node = node;
	return RC_OK;
}

/* One that waits for its first commit, with a lookup more; NULL otherwise. */
static struct node *find_pending(struct frontend *front, struct node *parent, const char *name)
{
	struct node *known = node_find(&front->tree, parent, name);
	if (!known)
		return NULL;
	pthread_mutex_lock(&front->tree.lock);
	bool pending = known->pending;
	known->lookups += pending;
	pthread_mutex_unlock(&front->tree.lock);
	node_release(&front->tree, known);
	return pending ? known : NULL;
}

/* Whether the name is there already: the kernel may be told late of what others did. *ret_node has a lookup more. */
static enum rc look(struct frontend *front, struct node *parent, const char *name, const struct place *place, struct node **ret_node)
{
	struct head head;
	*ret_node = find_pending(front, parent, name);
	if (*ret_node)
		return RC_OK;
	if (place->unresolved || memo_is_absent(front, parent, name))
		return RC_NOT_FOUND;
	enum rc rc = place->kind == NODE_DEFINITION ? definition_get(place->table, NULL, &head, NULL)
						    : leaf_get(&place->leaf, NULL, &head, NULL);
	if (rc)
		return rc;
	*ret_node = node_get(&front->tree, parent, name, place->kind, NULL);
	return *ret_node ? RC_OK : RC_NO_MEMORY;
}

/* Opens the name, made where it is not there. With the names held. *ret_node has one lookup more. */
static enum rc open_or_make(fuse_req_t req, struct node *parent, const char *name, mode_t mode, int flags, const struct place *place,
			    struct node **ret_node, struct handle **ret_handle, bool *ret_fresh)
{
	struct frontend *front = front_of(req);
	enum rc rc = look(front, parent, name, place, ret_node);
	*ret_fresh = rc == RC_NOT_FOUND;
	if (*ret_fresh)
		rc = create_node(req, parent, name, mode, place, ret_node);
	if (rc)
		return rc;
	rc = !*ret_fresh && (flags & O_EXCL) ? RC_EXISTS : open_node(req, *ret_node, place, *ret_fresh ? flags & ~O_TRUNC : flags, ret_handle);
	if (*ret_fresh && place->kind == NODE_PLAIN && waits(parent, place))
		plain_drop(front, *ret_node); /* the handle has one of its own */
	if (rc)
		node_forget(&front->tree, *ret_node, 1);
	return rc;
}

static enum rc create(fuse_req_t req, struct node *parent, const char *name, mode_t mode, int flags, struct node **ret_node,
		      struct handle **ret_handle, struct why *why)
{
	struct frontend *front = front_of(req);
	struct place place;
	bool fresh;
	int tries = 8;
	enum rc rc = place_create(front, parent, name, false, &place, why);
	if (rc)
		return rc;
	if (place.kind == NODE_PLAIN && parent->kind == NODE_TABLE && place_clash(front, parent, name))
		return RC_EXISTS;
	do /* a pending name may go, as its last writer does, while it is opened: then it is free */
		rc = open_or_make(req, parent, name, mode, flags, &place, ret_node, ret_handle, &fresh);
	while (rc == RC_STALE && --tries);
	if (rc)
		return rc;
	if (fresh && place.kind != NODE_PLAIN) {
		struct handle *handle = *ret_handle;
		if (!handle->writer) { /* open(O_CREAT | O_RDONLY): it still makes the file */
			handle->writer = true;
			(void)be_writer(front, handle, &place); /* it was made just now */
		}
		handle->created = true;
		handle_empty(front, handle);
	}
	return RC_OK;
}

void file_create(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino), *node = NULL;
	struct handle *handle = NULL;
	struct why why = {.line = 0};
	struct fuse_entry_param entry = {.ino = 0};
	if (parent->kind == NODE_IMPORTS) {
		import_create(req, parent, name, mode, fi);
		return;
	}
	names_read(front);
	enum rc rc = create(req, parent, name, mode, fi->flags, &node, &handle, &why);
	if (!rc) {
		entry.ino = node_id(&front->tree, node);
		entry.generation = node->serial;
		entry.entry_timeout = reply_keep(node->kind);
		rc = reply_stat_fresh(front, node, &entry.attr, &entry.attr_timeout);
		/* Nobody has it open but this handle. Its writes make the kernel ask again, and a commit of nothing is told (handle_commit). */
		if (handle->created)
			entry.attr_timeout = entry.entry_timeout;
		set_flags(node, handle, fi);
	}
	names_done(front);
	if (rc)
		refuse_request(req, parent, name, rc, &why);
	if (!rc && fuse_reply_create(req, &entry, fi) == 0)
		return;
	if (handle)
		abandon(front, handle);
	if (node && handle)
		node_forget(&front->tree, node, 1);
	if (rc)
		reply_rc(req, rc);
}
