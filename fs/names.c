/* names: the names that come and go: mkdir, mknod, unlink, rmdir; and those of kinds that there are not: symlink, link. */
#include "fs/import_file.h"
#include "fs/lookup.h"
#include "fs/place.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "fs/upload.h"
#include "index/definition.h"
#include "index/partition.h"
#include "index/refusals.h"
#include <errno.h>
#include <string.h>

static enum rc make_directory(fuse_req_t req, struct node *parent, const char *name, mode_t mode, struct why *why)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct meta meta = reply_new_meta(front, parent, mode | S_IFDIR, ctx);
	struct place place, plain;
	struct head head;
	enum rc rc = place_create(front, parent, name, true, &place, why);
	if (rc)
		return rc;
	if (place.kind == NODE_SNAPSHOT)
		return snapshot_take(front->volume, name, why);
	if (place.kind == NODE_TABLE)
		return table_create(front->volume, name, &meta, why);
	if (place_as_plain(front, parent, name, &plain) == RC_OK && leaf_get(&plain.leaf, NULL, &head, NULL) == RC_OK)
		return RC_EXISTS;
	return partition_create(place.table, &place.leaf.pk, &meta);
}

void names_mkdir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct why why = {.line = 0};
	names_read(front);
	enum rc rc = make_directory(req, parent, name, mode, &why);
	lookup_made(req, parent, name, rc, &why);
}

static enum rc no_such_kind(const struct node *parent, const char *words, struct why *why)
{
	bool writable = reply_keep(parent->kind) > 0 || parent->kind == NODE_IMPORTS || parent->kind == NODE_CONTROL || parent->kind == NODE_REJECTED ||
			parent->kind == NODE_SNAPSHOTS;
	if (!writable || node_snapshot(parent))
		return RC_READ_ONLY;
	return why_set(why, RC_FORBIDDEN, "%s", words);
}

/* What is neither a regular file nor a directory has no place anywhere. */
static void refuse_to_make(fuse_req_t req, fuse_ino_t ino, const char *name, const char *words)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct why why = {.line = 0};
	names_read(front);
	enum rc rc = no_such_kind(parent, words, &why);
	names_done(front);
	refuse_kind(req, parent, name, rc, &why);
	reply_rc(req, rc);
}

void names_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	refuse_to_make(req, parent, name, "symbolic links cannot be stored: copy what they lead to (cp -L, rsync -L, tar -h)");
}

void names_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	refuse_to_make(req, parent, name, "hard links cannot be stored: a file has one name here, which for an item is its key; copy it");
}

/* Without a handle there is no draft: the item of a mknod is its key, at once. */
void names_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, dev_t device)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct node *parent = front_node(front, ino);
	struct why why = {.line = 0};
	struct place place;
	struct meta meta = {.mode = 0};
	struct leaf_write write = {.condition = LEAF_ABSENT, .fresh = &meta, .durable = front->options.durable};
	(void)device;
	if (!S_ISREG(mode)) {
		refuse_to_make(req, ino, name, "pipes, sockets and devices cannot be stored: there are items and plain files");
		return;
	}
	names_read(front);
	meta = reply_new_meta(front, parent, mode, ctx);
	enum rc rc = place_create(front, parent, name, false, &place, &why);
	if (!rc && lookup_is_pending(front, parent, name))
		rc = RC_EXISTS;
	if (!rc && place_cut(&place))
		rc = why_set(&why, RC_REFUSED, "this name is cut, so a document must say the whole key");
	if (!rc)
		rc = place.kind == NODE_DEFINITION ? why_set(&why, RC_FORBIDDEN, "a definition comes with its first bytes: write it")
						   : leaf_write(&place.leaf, &write, NULL, &why);
	lookup_made(req, parent, name, rc, &why);
}

/* A file that its name may be taken from. RC_READ_ONLY, RC_FORBIDDEN: not from this one. */
static enum rc read_stored(struct frontend *front, const struct place *place, const struct view *view, struct head *ret_head,
			   struct buf *ret_document)
{
	switch (place->kind) {
	case NODE_ITEM:
	case NODE_PLAIN:
		return leaf_get(&place->leaf, view, ret_head, ret_document);
	case NODE_DEFINITION:
		return definition_get(place->table, view, ret_head, ret_document);
	case NODE_DRAFT:
		return refusals_get(front->volume, view, place->id, ret_head, ret_document);
	case NODE_ERRORS:
	case NODE_STATS:
		return RC_FORBIDDEN;
	case NODE_ENTRY:
	case NODE_RESULT:
	case NODE_DESCRIBE:
	case NODE_EXPORT_FILE:
		return RC_READ_ONLY;
	default:
		return RC_NOT_FOUND;
	}
}

static enum rc unlink_stored(struct frontend *front, const struct place *place, struct head *ret_head)
{
	if (place->kind == NODE_ITEM || place->kind == NODE_PLAIN)
		return leaf_remove(&place->leaf, ret_head);
	enum rc rc = read_stored(front, place, NULL, ret_head, NULL);
	if (rc)
		return rc;
	return place->kind == NODE_DEFINITION ? definition_unname(place->table) : refusals_remove(front->volume, place->id);
}

/* With the names held: for writing where the name is pending, so that its first commit is not under way. */
static enum rc unlink_name(struct frontend *front, struct node *parent, const char *name, struct node *node, bool waits)
{
	struct place place;
	struct head head = {.size = 0};
	enum rc rc = node_snapshot(parent) ? RC_READ_ONLY : place_lookup(front, parent, name, &place);
	if (rc == RC_NOT_FOUND && place.unresolved && waits)
		rc = RC_OK;
	if (!rc && place.kind == NODE_PARTITION)
		rc = place_as_plain(front, parent, name, &place);
	struct view *before = NULL; /* whoever has it open may read it later; who opens it in this moment waits for what comes of it */
	bool goes = !rc && node && !waits;
	if (goes && !node_go(&front->tree, node))
		rc = view_open(front->volume, &before);
	cleanup_buf struct buf document = {0};
	if (!rc && !waits)
		rc = unlink_stored(front, &place, &head);
	if (rc == RC_NO_SPACE && before) {
		/* An engine that met the end of the disk is opened anew where nobody holds a view of it: what must be had of this one is read now. */
		(void)read_stored(front, &place, before, &head, &document);
		view_close(before);
		before = NULL;
		rc = unlink_stored(front, &place, &head);
	}
	if (!rc && node && !node_bury(&front->tree, node, &head.meta, head.size, NULL)) {
		if (before)
			(void)read_stored(front, &place, before, &head, &document);
		node_bury(&front->tree, node, &head.meta, head.size, &document);
	}
	if (rc && goes)
		node_stay(&front->tree, node);
	view_close(before);
	return rc;
}

/* Whether a name in a directory waits for its first commit. */
static bool has_pending(struct frontend *front, const struct node *directory)
{
	pthread_mutex_lock(&front->tree.lock);
	bool has = directory->more->pendings;
	pthread_mutex_unlock(&front->tree.lock);
	return has;
}

/* Plain files that wait for their first commit are stored before a name goes, as a partition that nobody made by hand goes with its last. On a full disk they may not be. */
static void settle(struct frontend *front, struct node *directory)
{
	if (!has_pending(front, directory))
		return;
	names_read(front);
	plain_settle(front, directory);
	names_done(front);
}

void names_unlink(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	if (parent->kind == NODE_IMPORTS) {
		import_unlink(req, parent, name);
		return;
	}
	settle(front, parent);
	names_read(front);
	struct node *node = node_find(&front->tree, parent, name);
	bool waits = node && node->pending;
	if (waits) {
		node_release(&front->tree, node);
		names_done(front);
		names_write(front);
		node = node_find(&front->tree, parent, name);
		waits = node && node->pending; /* or it was stored meanwhile, which cannot be undone */
	}
	enum rc rc = unlink_name(front, parent, name, node, waits);
	names_done(front);
	if (node)
		node_release(&front->tree, node);
	refuse_request(req, parent, name, rc, NULL);
	reply_rc(req, rc);
}

static enum rc remove_directory(struct frontend *front, struct node *node, const struct place *place, struct why *why)
{
	enum rc rc;
	if (node_snapshot(place->parent))
		return RC_READ_ONLY;
	if (node && has_pending(front, node))
		return RC_NOT_EMPTY;
	switch (place->kind) {
	case NODE_TABLE:
		return node ? table_remove(node->table, why) : RC_NOT_FOUND;
	case NODE_PARTITION:
		rc = partition_remove(place->table, &place->leaf.pk);
		return rc == RC_NOT_FOUND && node ? RC_OK : rc; /* it went with its last item: rm -r, which has removed that, removes it now */
	case NODE_SNAPSHOT:
		return snapshot_drop(front->volume, place->table_name);
	case NODE_CONTROL:
	case NODE_SNAPSHOTS:
	case NODE_REJECTED:
	case NODE_IMPORTS:
		return RC_FORBIDDEN;
	case NODE_INDEXES:
	case NODE_INDEX:
	case NODE_INDEX_KEY:
	case NODE_OPERATOR:
	case NODE_VIEW:
	case NODE_EXPORT:
		return RC_READ_ONLY;
	default:
		return RC_NOT_FOUND;
	}
}

/* A name that the kernel remembers keeps its directory, and so the rows of a snapshot that was dropped, when nobody uses it any more; one that it was told is gone goes with its last user. */
static void let_go(void *context, struct node *node)
{
	struct frontend *front = context;
	notifier_name_gone(front->notifier, node->parent, node->name);
}

/* What was known of a directory goes on for who stands in it. */
static void bury_directory(struct frontend *front, struct node *node, const struct meta *meta)
{
	cleanup_buf struct buf nothing = {0};
	if (meta)
		node_bury(&front->tree, node, meta, 0, &nothing);
	else
		node_kill(&front->tree, node);
}

/* False: it has none of its own. */
static bool read_directory(const struct node *node, const struct place *place, struct meta *ret_meta)
{
	struct table_counters counters;
	struct partition_record record;
	enum rc rc = RC_NOT_FOUND;
	if (place->kind == NODE_TABLE && (rc = table_stat(node->table, NULL, &counters)) == RC_OK)
		*ret_meta = counters.meta;
	if (place->kind == NODE_PARTITION && (rc = partition_get(place->table, NULL, &place->leaf.pk, &record)) == RC_OK)
		*ret_meta = record.meta;
	return !rc;
}

void names_rmdir(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct place place;
	struct why why = {.line = 0};
	names_write(front); /* nothing may be created in it meanwhile */
	struct node *node = node_find(&front->tree, parent, name);
	struct meta meta;
	enum rc rc = place_lookup(front, parent, name, &place);
	bool known = !rc && node && read_directory(node, &place, &meta);
	if (!rc)
		rc = remove_directory(front, node, &place, &why);
	if (!rc && node) {
		if (node->table)
			upload_drop(front, node->table);
		bury_directory(front, node, known ? &meta : NULL);
		if (node->kind == NODE_SNAPSHOT)
			node_each_below(&front->tree, node, let_go, front);
	}
	names_done(front);
	if (node)
		node_release(&front->tree, node);
	if (rc == RC_FORBIDDEN || rc == RC_READ_ONLY)
		refuse_request(req, parent, name, rc, &why);
	reply_rc(req, rc);
}
