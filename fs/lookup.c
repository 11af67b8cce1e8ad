/* lookup: see lookup.h. */
#include "fs/lookup.h"
#include "fs/import_file.h"
#include "fs/memory.h"
#include "fs/place.h"
#include "fs/query_path.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/definition.h"
#include "index/listing.h"
#include "index/partition.h"
#include "index/refusals.h"

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

bool lookup_is_pending(struct frontend *front, struct node *parent, const char *name)
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
	if (rc == RC_NOT_FOUND && place.unresolved && lookup_is_pending(front, parent, name))
		rc = RC_OK;
	if (rc)
		return rc;
	bool waits = (place.kind == NODE_ITEM || place.kind == NODE_PLAIN || place.kind == NODE_DEFINITION) && lookup_is_pending(front, parent, name);
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

void lookup_request(fuse_req_t req, fuse_ino_t ino, const char *name)
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
		notifier_name_gone(front->notifier, parent, name); /* is sent when the kernel has made the name: see let_go() in names.c */
	if (rc == RC_NOT_FOUND && !found.node && entry.entry_timeout > 0)
		fuse_reply_entry(req, &entry);
	else
		reply_entry(req, found.node, &entry, rc);
}

void lookup_made(fuse_req_t req, struct node *parent, const char *name, enum rc rc, struct why *why)
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

void lookup_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct frontend *front = front_of(req);
	bool many = ino != FUSE_ROOT_ID && node_forget(&front->tree, front_node(front, ino), lookups);
	fuse_reply_none(req);
	if (many)
		memory_give_back();
}

void lookup_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
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
