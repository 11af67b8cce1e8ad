/* rename: one commit each, with the names held for writing, so that no operation sees the tree and the volume disagree. */
#include "fs/import_file.h"
#include "fs/place.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/definition.h"
#include "index/partition.h"
#include <stdlib.h>
#include <string.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

struct renaming {
	struct frontend *front;
	struct node *node, *target; /* holds; the target may be NULL */
	struct node *parent, *to;
	const char *name, *to_name;
	bool noreplace;
	bool takes; /* where it is to be, names can come: where nothing may be done, that is because of where it is */
	struct place *from, *place; /* where it is, and where it is to be: large, and so not cleared with the rest */
	struct head head;         /* of a file, afterwards */
	struct why why;
	struct buf refused; /* a plain file's bytes that were refused as an item's: its maker will remove the file */
};

static enum rc rename_table(struct renaming *r)
{
	if (r->to->kind != NODE_ROOT)
		return why_set(&r->why, RC_FORBIDDEN, "a table stands at the root and nowhere else");
	enum rc rc = place_create(r->front, r->to, r->to_name, true, r->place, &r->why);
	return rc ? rc : table_rename(r->node->table, r->to_name, r->noreplace, &r->why);
}

static enum rc rename_partition(struct renaming *r)
{
	struct place plain;
	struct head head;
	enum rc rc = place_create(r->front, r->to, r->to_name, true, r->place, &r->why);
	if (rc)
		return rc;
	if (r->place->kind != NODE_PARTITION || r->place->table != r->from->table)
		return RC_CROSS;
	if (place_as_plain(r->front, r->to, r->to_name, &plain) == RC_OK && leaf_get(&plain.leaf, NULL, &head, NULL) == RC_OK)
		return RC_EXISTS;
	return partition_rename(r->from->table, &r->from->leaf.pk, &r->place->leaf.pk, r->noreplace, &r->why);
}

/* A name that is created and not stored: with nothing written it is an empty item, and stored now; otherwise only its name moves. */
static enum rc rename_pending(struct renaming *r, bool *ret_moved)
{
	struct node *node = r->node;
	pthread_mutex_lock(&r->front->tree.lock);
	struct meta fresh = node->more->fresh;
	struct leaf_write write = {.condition = LEAF_ABSENT, .fresh = &fresh, .appeared = node->more->appeared};
	bool written = node->more->dirty;
	pthread_mutex_unlock(&r->front->tree.lock);
	if (node->kind == NODE_PLAIN)
		return plain_settle_file(r->front, node); /* which failed before, and says why */
	if (r->place->kind != NODE_ITEM || r->from->kind != NODE_ITEM || written || place_cut(r->from) || place_cut(r->place)) {
		struct head head;
		bool taken = r->target && r->target->pending;
		if (!taken && !r->place->unresolved)
			taken = (r->place->kind == NODE_DEFINITION ? definition_get(r->place->table, NULL, &head, NULL)
								  : leaf_get(&r->place->leaf, NULL, &head, NULL)) == RC_OK;
		if (taken || r->place->kind != r->from->kind)
			return why_set(&r->why, RC_BUSY, "%s is being written and has no content yet that could replace anything", r->name);
		*ret_moved = true;
		return RC_OK;
	}
	enum rc rc = leaf_write(&r->from->leaf, &write, &r->head, &r->why);
	if (rc)
		return rc;
	pthread_mutex_lock(&r->front->tree.lock);
	node_set_pending(node, false);
	node->birth = r->head.birth;
	pthread_mutex_unlock(&r->front->tree.lock);
	return RC_OK;
}

static enum rc onto_definition(struct renaming *r, const struct buf *document)
{
	struct buf stored = {0};
	struct definition_write write = {.fresh = &r->head.meta, .from = &r->from->leaf, .durable = r->front->options.durable};
	write.condition = r->noreplace ? LEAF_ABSENT : LEAF_ALWAYS;
	if (r->from->kind != NODE_PLAIN || r->from->table != r->place->table)
		return RC_CROSS;
	enum rc rc = leaf_get(&r->from->leaf, NULL, &r->head, &stored);
	struct meta meta = r->head.meta;
	write.fresh = &meta;
	write.document = document ? document->data : stored.data;
	write.len = document ? document->len : stored.len;
	if (!rc)
		rc = definition_set(r->place->table, &write, &r->head, &r->why);
	buf_free(&stored);
	return rc;
}

/* With the plain file's lock held, where it is open. */
static struct leaf_newer newer(struct frontend *front, struct node *node)
{
	const struct plain *plain = node->more->plain;
	if (!plain || !plain->dirty)
		return (struct leaf_newer){.document = NULL};
	pthread_mutex_lock(&front->tree.lock);
	bool set = plain->mtime_tick > node->more->times_tick;
	pthread_mutex_unlock(&front->tree.lock);
	return (struct leaf_newer){&plain->bytes, set, plain->mtime};
}

static enum rc rename_stored(struct renaming *r, const struct leaf_newer *now)
{
	struct leaf_move move = {.noreplace = r->noreplace, .now = *now};
	const struct buf *document = now->document;
	if (r->place->kind == NODE_DEFINITION)
		return onto_definition(r, document);
	if (r->from->kind == NODE_DEFINITION)
		return r->place->kind == NODE_PLAIN ? definition_to_file(r->from->table, &r->place->leaf, r->noreplace, &r->head) : RC_CROSS;
	return leaf_rename(&r->from->leaf, &r->place->leaf, &move, &r->head, &r->why);
}

static void bury_target(struct renaming *r, const struct head *head, struct buf *document)
{
	if (r->target)
		node_bury(&r->front->tree, r->target, &head->meta, head->size, document);
}

/* A name that was cut: the document that comes there from `from`, as it is now, has to say the key. */
static enum rc resolve(struct place *to, const char *name, const struct place *from, const struct buf *written, struct why *why)
{
	cleanup_buf struct buf stored = {0};
	struct head head;
	bool settles = place_pending(to);
	if (to->kind != NODE_ITEM || from->kind == NODE_DEFINITION || !place_cut(to)) /* a definition becomes no item, whatever its name (rename_stored) */
		return RC_OK;
	enum rc rc = written ? RC_OK : leaf_get(&from->leaf, NULL, &head, &stored);
	const struct buf *document = written ? written : &stored;
	if (!rc)
		rc = place_resolve(to, name, from->kind == NODE_ITEM, document->data, document->len, why);
	return rc || !settles ? rc : place_settle(to, document->data, document->len, why);
}

static bool is_refusal(enum rc rc)
{
	return rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG;
}

static void keep(struct renaming *r, const struct buf *written)
{
	struct head head;
	if (written)
		buf_add(&r->refused, written->data, written->len);
	else
		(void)leaf_get(&r->from->leaf, NULL, &head, &r->refused);
}

static bool is_leaf(const struct place *place)
{
	return place->kind == NODE_ITEM || place->kind == NODE_PLAIN;
}

/* What becomes a plain file and was one before, with handles open since then: those share its bytes again as they are by then. */
static bool returns(const struct node *node, enum node_kind kind)
{
	return node->more->plain && node->kind != NODE_PLAIN && kind == NODE_PLAIN;
}

static enum rc read_returning(const struct node *node, const struct place *from, enum node_kind kind, struct head *ret_head, struct buf *ret_bytes)
{
	if (!returns(node, kind))
		return RC_OK;
	return from->kind == NODE_DEFINITION ? definition_get(from->table, NULL, ret_head, ret_bytes) : leaf_get(&from->leaf, NULL, ret_head, ret_bytes);
}

/* An item, a plain file or a definition. */
static enum rc rename_file(struct renaming *r)
{
	struct plain *plain = r->node->more->plain;
	struct head old = {.size = 0};
	bool moved = false;
	enum rc rc = place_create(r->front, r->to, r->to_name, false, r->place, &r->why);
	if (!rc && r->noreplace && r->target && r->target->pending)
		rc = RC_EXISTS;
	if (!rc && r->node->pending)
		rc = rename_pending(r, &moved);
	if (rc || moved)
		return rc;
	cleanup_buf struct buf document = {0}, returning = {0};
	rc = read_returning(r->node, r->from, r->place->kind, &r->head, &returning);
	if (rc)
		return rc;
	if (r->target && !r->place->unresolved && (r->place->kind == NODE_ITEM || r->place->kind == NODE_PLAIN))
		(void)leaf_get(&r->place->leaf, NULL, &old, &document); /* who looked it up just now may open it yet */
	if (plain)
		pthread_mutex_lock(&plain->lock);
	/* One that is still open for writing: its bytes at this moment count. */
	struct leaf_newer now = newer(r->front, r->node);
	bool beside = is_leaf(r->from) && r->place->kind == NODE_ITEM && r->from->table == r->place->table && r->from->leaf.in_partition &&
		      key_equal(&r->from->leaf.pk, &r->place->leaf.pk);
	rc = resolve(r->place, r->to_name, r->from, now.document, &r->why);
	/* What stood in a partition that got its key just now, as rsync's temporary file does, has moved with it. */
	if (!rc && beside && !key_equal(&r->from->leaf.pk, &r->place->leaf.pk))
		r->from->leaf.pk = r->place->leaf.pk;
	if (!rc)
		rc = rename_stored(r, &now);
	if (is_refusal(rc) && r->from->kind == NODE_PLAIN)
		keep(r, now.document);
	if (plain && !rc)
		plain->dirty = false;
	if (plain)
		pthread_mutex_unlock(&plain->lock);
	if (!rc) {
		pthread_mutex_lock(&r->front->tree.lock);
		r->node->birth = r->head.birth;
		pthread_mutex_unlock(&r->front->tree.lock);
		if (returns(r->node, r->place->kind))
			plain_renew(r->front, r->node, &r->head, &returning);
		bury_target(r, &old, &document);
	}
	return rc;
}

static struct leaf_newer lock_newer(struct frontend *front, struct node *node)
{
	if (node->more->plain)
		pthread_mutex_lock(&node->more->plain->lock);
	return newer(front, node);
}

static void unlock_newer(struct node *node, bool stored)
{
	if (!node->more->plain)
		return;
	if (stored)
		node->more->plain->dirty = false;
	pthread_mutex_unlock(&node->more->plain->lock);
}

/* Two files change places, in one commit. With the names held for writing. */
static enum rc exchange(struct renaming *r)
{
	if (!r->target)
		return RC_NOT_FOUND;
	enum rc rc = place_of(r->front, r->node, r->from);
	if (!rc)
		rc = place_of(r->front, r->target, r->place);
	if (rc)
		return rc;
	if (!is_leaf(r->from) || !is_leaf(r->place))
		return why_set(&r->why, RC_INVALID, "only items and plain files can be exchanged");
	if (r->node->pending || r->target->pending)
		return why_set(&r->why, RC_BUSY, "one of them is being written and has no content yet");
	struct head head[2];
	cleanup_buf struct buf here = {0}, there = {0};
	rc = read_returning(r->node, r->from, r->place->kind, &head[0], &here);
	if (!rc)
		rc = read_returning(r->target, r->place, r->from->kind, &head[1], &there);
	if (rc)
		return rc;
	struct leaf_newer a = lock_newer(r->front, r->node), b = lock_newer(r->front, r->target);
	rc = resolve(r->place, r->target->name, r->from, a.document, &r->why);
	if (!rc)
		rc = resolve(r->from, r->node->name, r->place, b.document, &r->why);
	if (!rc)
		rc = leaf_exchange(&r->from->leaf, &r->place->leaf, &a, &b, &r->why);
	unlock_newer(r->node, !rc);
	unlock_newer(r->target, !rc);
	if (!rc && returns(r->node, r->place->kind))
		plain_renew(r->front, r->node, &head[0], &here);
	if (!rc && returns(r->target, r->from->kind))
		plain_renew(r->front, r->target, &head[1], &there);
	if (!rc)
		node_swap(&r->front->tree, r->node, r->target);
	return rc;
}

/* With the names held for writing. */
static enum rc run(struct renaming *r)
{
	enum rc rc = place_of(r->front, r->node, r->from);
	if (!rc && (r->to->kind == NODE_SNAPSHOTS || r->parent->kind == NODE_SNAPSHOTS))
		rc = why_set(&r->why, RC_FORBIDDEN, "snapshots come by mkdir, go by rmdir and keep their names");
	if (rc)
		return rc;
	switch (r->from->kind) {
	case NODE_TABLE:
		return rename_table(r);
	case NODE_PARTITION:
		return rename_partition(r);
	case NODE_ITEM:
	case NODE_PLAIN:
	case NODE_DEFINITION:
		return rename_file(r);
	case NODE_CONTROL:
	case NODE_SNAPSHOTS:
	case NODE_ERRORS:
	case NODE_STATS:
	case NODE_REJECTED:
	case NODE_DRAFT:
		return r->from->kind == NODE_DRAFT ? RC_CROSS : RC_FORBIDDEN; /* mv copies a rejected draft out, and removes it */
	default:
		return RC_READ_ONLY;
	}
}

/* The inode numbers of what is in a partition are made of its name, too: the kernel must ask for them again. */
static void renumber(void *context, struct node *node)
{
	struct frontend *front = context;
	notifier_attributes(front->notifier, node);
}

/* A refusal is told; and editors and rsync remove their temporary file when it comes, so its bytes are kept. */
static void tell(fuse_req_t req, struct renaming *r, enum rc rc)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	uint64_t id = 0;
	if (!r->refused.len || r->refused.failed) {
		bool here = r->takes && !r->why.text[0];
		refuse_request(req, here ? r->parent : r->to, here ? r->name : r->to_name, rc, &r->why);
		return;
	}
	char *path = path_of(&r->front->tree, r->to, r->to_name);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	refuse_draft(r->front, &actor, rc, &r->why, &r->refused, &id);
	free(path);
}

/* No plain file's name waits for its first commit while names move: neither of these, nor one in a directory that moves, or that goes. */
static void settle(const struct renaming *r)
{
	struct node *const all[] = {r->parent, r->to, r->node, r->target};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i])
			plain_settle(r->front, all[i]);
}

void rename_request(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags)
{
	struct frontend *front = front_of(req);
	struct place from, place;
	struct renaming r = {.front = front, .name = name, .to_name = to_name, .noreplace = flags & RENAME_NOREPLACE, .from = &from, .place = &place};
	r.parent = front_node(front, parent);
	r.to = front_node(front, to);
	if (r.parent->kind == NODE_IMPORTS || r.to->kind == NODE_IMPORTS) {
		import_rename(req, r.parent, name, r.to, to_name, flags);
		return;
	}
	bool exchanges = flags == RENAME_EXCHANGE;
	if (!exchanges && (flags & ~(unsigned)RENAME_NOREPLACE)) {
		reply_rc(req, RC_INVALID);
		return;
	}
	names_write(front);
	r.node = node_find(&front->tree, r.parent, name);
	r.target = node_find(&front->tree, r.to, to_name);
	settle(&r);
	r.takes = reply_keep(r.to->kind) > 0 && !node_snapshot(r.to);
	enum rc rc = RC_NOT_FOUND;
	if (node_snapshot(r.parent) || node_snapshot(r.to))
		rc = RC_READ_ONLY;
	else if (r.node)
		rc = exchanges ? exchange(&r) : run(&r);
	if (!rc && !exchanges && !node_move(&front->tree, r.node, r.to, to_name, r.place->kind))
		rc = RC_NO_MEMORY;
	if (!rc && r.node->kind == NODE_PARTITION) {
		renumber(front, r.node);
		node_each_child(&front->tree, r.node, renumber, front);
	}
	names_done(front);
	if (r.node)
		node_release(&front->tree, r.node);
	if (r.target)
		node_release(&front->tree, r.target);
	tell(req, &r, rc);
	buf_free(&r.refused);
	reply_rc(req, rc);
}
