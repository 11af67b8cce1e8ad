/* names: lookup and forget, and the names that come and go: mkdir, mknod, unlink, rmdir. */
#include "fs/import_file.h"
#include "fs/memory.h"
#include "fs/place.h"
#include "fs/plain.h"
#include "fs/query_path.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "fs/upload.h"
#include "index/definition.h"
#include "index/listing.h"
#include "index/partition.h"
#include "index/refusals.h"
#include <errno.h>
#include <string.h>

/* Whether what `place` names is there, and its incarnation. A table and a snapshot come with a reference. */
static enum rc exists(struct frontend *front, const struct place *place, struct head *ret_head, struct table **ret_table, struct snapshot **ret_snapshot)
{
	struct partition_record record;
	switch (place->kind) {
	case NODE_TABLE:
		return place->parent->kind == NODE_SNAPSHOT ? snapshot_table(place->parent->more->snapshot, place->table_name, ret_table)
							    : table_find(front->volume, place->table_name, ret_table);
	case NODE_SNAPSHOT:
		return snapshot_find(front->volume, place->table_name, ret_snapshot);
	case NODE_PARTITION:
		return partition_get(place->table, NULL, &place->leaf.pk, &record);
	case NODE_ITEM:
	case NODE_PLAIN:
		return leaf_get(&place->leaf, NULL, ret_head, NULL);
	case NODE_DEFINITION:
		return definition_get(place->table, NULL, ret_head, NULL);
	case NODE_INDEX_KEY:
		return listing_has_index_key(place->table, NULL, place->index, &place->keys[0]);
	case NODE_ENTRY:
		return listing_get_entry(place->table, NULL, place->index, place->keys, place->key_count, ret_head, NULL);
	case NODE_DRAFT:
		return refusals_get(front->volume, NULL, place->id, ret_head, NULL);
	default:
		return RC_OK; /* always there */
	}
}

/* A name that is created and not stored yet. */
static bool pending(struct frontend *front, struct node *parent, const char *name)
{
	struct node *node = node_find(&front->tree, parent, name);
	if (!node)
		return false;
	pthread_mutex_lock(&front->tree.lock);
	bool is = node->pending;
	pthread_mutex_unlock(&front->tree.lock);
	node_release(&front->tree, node);
	return is;
}

/* A name that was found: its node, with a lookup more, and what was read of it on the way. */
struct found {
	struct node *node;
	struct head head; /* of a file that is stored, */
	uint64_t sequence; /* when the volume was here; 0: nothing was read */
	bool known;        /* part of a query, whose attributes were read with its path */
	struct stat st;
};

/* Finds a name that is part of a query, and counts a lookup of it. With the names held, which it lets go of for a while. */
static enum rc find_in_query(struct frontend *front, struct node *parent, const char *name, struct found *ret, struct why *why)
{
	struct place place;
	struct query *query;
	enum rc rc = query_path_lookup(front, parent, name, &place, &query, why);
	if (rc)
		return rc;
	if (place.listed) {
		/* This may read much: it counts a limit out, or looks for the first that passes a filter. A rename must not wait for it, nor all those who wait behind the rename. */
		struct table *table = table_ref(place.table);
		names_done(front);
		rc = query_path_has(front, parent, &place, query);
		names_read(front);
		table_unref(table);
		if (!rc && parent->dead)
			rc = RC_NOT_FOUND;
	}
	query_free(query);
	if (rc)
		return rc;
	*ret = (struct found){.node = node_get(&front->tree, parent, name, place.kind, NULL)};
	if (!ret->node)
		return RC_NO_MEMORY;
	/* While the names were not held the path may have come to mean another thing. */
	ret->known = !place.listed && query_path_stat(ret->node, &place, &ret->st) == RC_OK;
	return RC_OK;
}

/* Finds a name and counts a lookup of it. With the names held. */
static enum rc find(struct frontend *front, struct node *parent, const char *name, struct found *ret, struct why *why)
{
	if (parent->dead)
		return RC_NOT_FOUND;
	if (query_path_is(parent, name))
		return find_in_query(front, parent, name, ret, why);
	struct place place;
	struct head head = {.birth = 0};
	struct table *table = NULL;
	struct snapshot *snapshot = NULL;
	uint64_t sequence = volume_sequence(front->volume);
	enum rc rc = place_lookup(front, parent, name, &place);
	if (rc == RC_NOT_FOUND && place.unresolved && pending(front, parent, name))
		rc = RC_OK;
	if (rc)
		return rc;
	bool waits = (place.kind == NODE_ITEM || place.kind == NODE_PLAIN || place.kind == NODE_DEFINITION) && pending(front, parent, name);
	rc = waits ? RC_OK : exists(front, &place, &head, &table, &snapshot);
	if (rc == RC_NOT_FOUND && place.kind == NODE_PARTITION && (rc = place_as_plain(front, parent, name, &place)) == RC_OK)
		rc = exists(front, &place, &head, &table, &snapshot);
	if (rc == RC_NOT_FOUND && parent->kind == NODE_PARTITION)
		memo_set_absent(front, parent, name, sequence);
	if (rc)
		return rc;
	struct node *node = node_get(&front->tree, parent, name, place.kind, table);
	if (node && snapshot)
		node_set_snapshot(&front->tree, node, snapshot);
	table_unref(table);
	snapshot_unref(snapshot);
	if (!node)
		return RC_NO_MEMORY;
	node_born(&front->tree, node, head.birth);
	*ret = (struct found){.node = node, .head = head, .sequence = waits ? 0 : sequence};
	return RC_OK;
}

static enum rc entry_of(struct frontend *front, const struct found *found, struct fuse_entry_param *ret_entry)
{
	struct node *node = found->node;
	*ret_entry = (struct fuse_entry_param){.ino = node_id(&front->tree, node), .generation = node->serial};
	ret_entry->entry_timeout = reply_keep_found(node->kind);
	if (found->known) {
		ret_entry->attr = found->st;
		ret_entry->attr_timeout = ret_entry->entry_timeout;
		return RC_OK;
	}
	return reply_stat_read(front, node, &found->head, found->sequence, &ret_entry->attr, &ret_entry->attr_timeout);
}

/* Answers with an entry, or takes the lookup back. */
static void reply_entry(fuse_req_t req, struct node *node, const struct fuse_entry_param *entry, enum rc rc)
{
	struct frontend *front = front_of(req);
	if (!rc && fuse_reply_entry(req, entry) == 0)
		return;
	if (node)
		node_forget(&front->tree, node, 1);
	if (rc)
		reply_rc(req, rc);
}

void names_lookup(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct found found = {.node = NULL};
	struct fuse_entry_param entry = {.ino = 0};
	struct why why = {.line = 0};
	if (parent->kind == NODE_IMPORTS) {
		import_lookup(req, parent, name);
		return;
	}
	names_read(front);
	enum rc rc = find(front, parent, name, &found, &why);
	/* Who makes a name come from now on tells the kernel, where it was told that names are absent; so see whether one came before. */
	if (rc == RC_NOT_FOUND && reply_keep(parent->kind) > 0 && !atomic_exchange(&parent->missed, true))
		rc = find(front, parent, name, &found, &why);
	if (!rc)
		rc = entry_of(front, &found, &entry);
	/* That a name is not there may be remembered where only we can make it come. */
	entry.entry_timeout = found.node ? entry.entry_timeout : reply_keep(parent->kind);
	bool dropped = node_is_dropped(parent);
	names_done(front);
	refuse_request(req, parent, name, rc, &why);
	if (rc == RC_AGAIN)
		refuse_unready(req, parent);
	if (dropped)
		notifier_name_gone(front->notifier, parent, name); /* is sent when the kernel has made the name: see let_go() */
	if (rc == RC_NOT_FOUND && !found.node && entry.entry_timeout > 0)
		fuse_reply_entry(req, &entry);
	else
		reply_entry(req, found.node, &entry, rc);
}

void names_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct frontend *front = front_of(req);
	bool many = ino != FUSE_ROOT_ID && node_forget(&front->tree, front_node(front, ino), lookups);
	fuse_reply_none(req);
	if (many)
		memory_give_back();
}

void names_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct frontend *front = front_of(req);
	bool many = false;
	for (size_t i = 0; i < count; i++)
		if (forgets[i].ino != FUSE_ROOT_ID)
			many |= node_forget(&front->tree, front_node(front, forgets[i].ino), forgets[i].nlookup);
	fuse_reply_none(req);
	if (many)
		memory_give_back();
}

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

/* The end of a request that made a name (or did not): with the names held, which it lets go of. */
static void reply_made(fuse_req_t req, struct node *parent, const char *name, enum rc rc, struct why *why)
{
	struct frontend *front = front_of(req);
	struct found found = {.node = NULL};
	struct fuse_entry_param entry;
	if (!rc)
		rc = find(front, parent, name, &found, why);
	if (!rc)
		rc = entry_of(front, &found, &entry);
	names_done(front);
	refuse_request(req, parent, name, rc, why);
	reply_entry(req, found.node, &entry, rc);
}

void names_mkdir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct why why = {.line = 0};
	names_read(front);
	enum rc rc = make_directory(req, parent, name, mode, &why);
	reply_made(req, parent, name, rc, &why);
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
	if (!rc && pending(front, parent, name))
		rc = RC_EXISTS;
	if (!rc && place_cut(&place))
		rc = why_set(&why, RC_REFUSED, "this name is cut, so a document must say the whole key");
	if (!rc)
		rc = place.kind == NODE_DEFINITION ? RC_FORBIDDEN : leaf_write(&place.leaf, &write, NULL, &why);
	reply_made(req, parent, name, rc, &why);
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
	enum rc rc = read_stored(front, place, NULL, ret_head, NULL);
	if (rc)
		return rc;
	return place->kind == NODE_DEFINITION ? definition_unname(place->table)
	       : place->kind == NODE_DRAFT    ? refusals_remove(front->volume, place->id)
					      : leaf_remove(&place->leaf);
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
	struct view *before = NULL; /* whoever has it open, or opens it in this moment, may read it later */
	if (!rc && node && !waits)
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
	bool waits = pending(front, parent, name);
	if (waits)
		names_write(front);
	else
		names_read(front);
	if (waits)
		waits = pending(front, parent, name); /* or it was stored meanwhile, which cannot be undone */
	struct node *node = node_find(&front->tree, parent, name);
	enum rc rc = unlink_name(front, parent, name, node, waits);
	names_done(front);
	if (node)
		node_release(&front->tree, node);
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
static void let_go(void *context, const struct node *node)
{
	struct frontend *front = context;
	notifier_name_gone(front->notifier, node->parent, node->name);
}

void names_rmdir(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct frontend *front = front_of(req);
	struct node *parent = front_node(front, ino);
	struct place place;
	struct why why = {.line = 0};
	names_write(front); /* nothing may be created in it meanwhile */
	struct node *node = node_find(&front->tree, parent, name);
	enum rc rc = place_lookup(front, parent, name, &place);
	if (!rc)
		rc = remove_directory(front, node, &place, &why);
	if (!rc && node) {
		if (node->table)
			upload_drop(front, node->table);
		node_kill(&front->tree, node);
		if (node->kind == NODE_SNAPSHOT)
			node_each_below(&front->tree, node, let_go, front);
	}
	names_done(front);
	if (node)
		node_release(&front->tree, node);
	if (rc == RC_FORBIDDEN)
		refuse_request(req, parent, name, rc, &why);
	reply_rc(req, rc);
}
