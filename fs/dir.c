/* dir: listings. opendir pins a view; the cookie is the ordinal of an entry in it, and a seek backwards steps back; rewinding (offset 0) pins anew.
 *
 * A directory is a few parts, one after the other: fixed names, then what listings of the volume give (in key order), then names that are created and not stored
 * yet. Nothing is kept of what was listed, so a directory of ten million names costs what one of ten does. */
#include "fs/computed.h"
#include "fs/export_file.h"
#include "fs/place.h"
#include "fs/query_path.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "fs/upload.h"
#include "index/definition.h"
#include "index/listing.h"
#include "index/refusals.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 8 };

struct entry {
	const char *name;
	enum node_kind kind;
	uint64_t ino;
	struct table *table; /* a reference, for a table's node; NULL otherwise */
	bool listed;         /* the listing told its attributes: */
	struct meta meta;
	uint64_t size;
};

struct part {
	struct listing *listing; /* or a list of names: */
	char (*names)[256];
	size_t name_count;
	enum node_kind kind;
	enum listing_kind of; /* of a listing */
	uint64_t at; /* how many entries of it are behind us */
	bool ended;  /* `at` is how many there are */
};

struct stream {
	pthread_mutex_t lock;
	struct node *node; /* a hold */
	const struct view *view; /* its own, or its snapshot's */
	struct view *own;
	struct query *query; /* of a view; its listing reads it */
	struct part parts[PARTS_MAX];
	unsigned count, current;
	uint64_t position; /* entries behind us, over all parts */
	bool bare;         /* entries are told without their nodes */
	char name[256];
};

static struct stream *stream_of(const struct fuse_file_info *fi)
{
	return (struct stream *)(uintptr_t)fi->fh;
}

static void clear_parts(struct stream *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		listing_close(s->parts[i].listing);
		free(s->parts[i].names);
	}
	memset(s->parts, 0, sizeof s->parts);
	s->count = s->current = 0;
	s->position = 0;
	query_free(s->query);
	s->query = NULL;
	view_close(s->own);
	s->own = NULL;
	s->view = NULL;
}

static enum rc add_listing(struct frontend *front, struct stream *s, const struct listing_place *where, enum node_kind kind)
{
	struct part *part = &s->parts[s->count];
	enum rc rc = listing_open(front->volume, s->view, where, &part->listing);
	if (rc)
		return rc;
	part->kind = kind;
	part->of = where->kind;
	s->count++;
	return RC_OK;
}

/* A part of given names, to be filled; at least one. */
static struct part *add_names(struct stream *s, size_t count, enum node_kind kind)
{
	struct part *part = &s->parts[s->count];
	part->names = calloc(count ? count : 1, sizeof *part->names);
	if (!part->names)
		return NULL;
	part->kind = kind;
	s->count++;
	return part;
}

static enum rc add_fixed(struct stream *s, const char *name, enum node_kind kind)
{
	struct part *part = add_names(s, 1, kind);
	if (!part)
		return RC_NO_MEMORY;
	strcpy(part->names[part->name_count++], name);
	return RC_OK;
}

static enum rc add_dots(struct stream *s)
{
	struct part *part = add_names(s, 2, NODE_ROOT);
	if (!part)
		return RC_NO_MEMORY;
	strcpy(part->names[part->name_count++], ".");
	strcpy(part->names[part->name_count++], "..");
	return RC_OK;
}

/* The names that wait for their first commit: taken before the view is, so that none is missed; those that the view has, too, are dropped after. */
static enum rc add_pending(struct frontend *front, struct stream *s)
{
	size_t count = 0;
	pthread_mutex_lock(&front->tree.lock);
	for (const struct node *n = s->node->pendings; n; n = n->pending_next)
		count++;
	struct part *part = count ? add_names(s, count, NODE_ITEM) : NULL;
	for (const struct node *n = s->node->pendings; n && part; n = n->pending_next)
		strcpy(part->names[part->name_count++], n->name);
	pthread_mutex_unlock(&front->tree.lock);
	return !count || part ? RC_OK : RC_NO_MEMORY;
}

static void drop_stored(struct frontend *front, struct stream *s, struct part *part)
{
	size_t kept = 0;
	for (size_t i = 0; i < part->name_count; i++) {
		struct place place;
		struct head head;
		if (place_lookup(front, s->node, part->names[i], &place) == RC_OK && place.kind == NODE_ITEM &&
		    leaf_get(&place.leaf, s->view, &head, NULL) == RC_OK)
			continue;
		memmove(part->names[kept++], part->names[i], sizeof part->names[i]);
	}
	part->name_count = kept;
}

static enum rc add_rejected(struct frontend *front, struct stream *s)
{
	struct head head;
	uint64_t id, from = 0;
	size_t cap = 0;
	struct part *part = add_names(s, 0, NODE_DRAFT);
	if (!part)
		return RC_NO_MEMORY;
	for (; refusals_next(front->volume, from, &id, &head) == RC_OK; from = id + 1) {
		if (part->name_count == cap) {
			cap = cap ? cap * 2 : 16;
			char(*grown)[256] = realloc(part->names, cap * sizeof *grown);
			if (!grown)
				return RC_NO_MEMORY;
			part->names = grown;
		}
		snprintf(part->names[part->name_count++], sizeof *part->names, "%llu", (unsigned long long)id);
	}
	return RC_OK;
}

static enum rc add_snapshots(struct frontend *front, struct stream *s)
{
	char name[SNAPSHOT_NAME_MAX + 1] = "";
	struct part *part = add_names(s, SNAPSHOTS_MAX, NODE_SNAPSHOT);
	if (!part)
		return RC_NO_MEMORY;
	while (part->name_count < SNAPSHOTS_MAX && snapshot_next(front->volume, name, name) == RC_OK)
		strcpy(part->names[part->name_count++], name);
	return RC_OK;
}

static enum rc add_indexes(struct stream *s, const struct place *place)
{
	const struct schema *schema;
	enum rc rc = table_schema(place->table, &schema);
	if (rc)
		return rc;
	struct part *part = add_names(s, schema->count, NODE_INDEX);
	for (size_t i = 0; part && i < schema->count; i++)
		strcpy(part->names[part->name_count++], schema->indexes[i].name);
	table_schema_done(place->table);
	return part ? RC_OK : RC_NO_MEMORY;
}

static enum rc add_imports(struct frontend *front, struct stream *s, const struct place *place)
{
	struct part *part = &s->parts[s->count];
	enum rc rc = upload_list(front, place->table, &part->names, &part->name_count);
	part->kind = NODE_IMPORT;
	s->count += !rc;
	return rc;
}

static enum rc open_table(struct frontend *front, struct stream *s, const struct place *place)
{
	struct listing_place files = {.kind = LISTING_FILES, .table = place->table};
	struct listing_place partitions = {.kind = LISTING_PARTITIONS, .table = place->table};
	struct head head;
	bool named = definition_get(place->table, s->view, &head, NULL) == RC_OK;
	pthread_mutex_lock(&front->tree.lock);
	named |= s->node->pendings != NULL;
	pthread_mutex_unlock(&front->tree.lock);
	enum rc rc = named ? add_fixed(s, ".schema.json", NODE_DEFINITION) : RC_OK;
	if (!rc)
		rc = add_listing(front, s, &files, NODE_PLAIN);
	return rc ? rc : add_listing(front, s, &partitions, NODE_PARTITION);
}

static enum rc open_partition(struct frontend *front, struct stream *s, const struct place *place)
{
	struct listing_place files = {.kind = LISTING_FILES, .table = place->table, .pk = &place->leaf.pk};
	struct listing_place items = {.kind = LISTING_ITEMS, .table = place->table, .pk = &place->leaf.pk};
	enum rc rc = add_listing(front, s, &files, NODE_PLAIN);
	return rc ? rc : add_listing(front, s, &items, NODE_ITEM);
}

static enum rc open_query(struct frontend *front, struct stream *s, struct place *place)
{
	struct listing_place where;
	enum rc rc = query_path_listing(front, s->node, place, &s->query, &where);
	if (rc)
		return rc;
	bool directories = where.kind == LISTING_PARTITIONS || where.kind == LISTING_INDEX_KEYS;
	return add_listing(front, s, &where, directories ? NODE_VIEW : NODE_RESULT);
}

/* What lies in a snapshot is read from that. */
static enum rc pin(struct frontend *front, struct stream *s)
{
	s->view = snapshot_view(node_snapshot(s->node));
	if (s->view)
		return RC_OK;
	enum rc rc = view_open(front->volume, &s->own);
	s->view = s->own;
	return rc;
}

/* Pins a view and opens the parts. With the names held. */
static enum rc open_parts(struct frontend *front, struct stream *s)
{
	struct place place;
	struct listing_place where = {.kind = LISTING_TABLES};
	enum rc rc = place_of(front, s->node, &place);
	if (!rc)
		rc = add_dots(s);
	unsigned before = s->count;
	if (!rc && s->node->kind == NODE_PARTITION)
		rc = add_pending(front, s);
	bool pending = s->count > before;
	if (!rc)
		rc = pin(front, s);
	if (rc)
		return rc;
	if (pending)
		drop_stored(front, s, &s->parts[before]);
	switch (s->node->kind) {
	case NODE_ROOT:
	case NODE_SNAPSHOT:
		return add_listing(front, s, &where, NODE_TABLE);
	case NODE_SNAPSHOTS:
		return add_snapshots(front, s);
	case NODE_TABLE:
		return open_table(front, s, &place);
	case NODE_PARTITION:
		return open_partition(front, s, &place);
	case NODE_INDEXES:
		return add_indexes(s, &place);
	case NODE_IMPORTS:
		return add_imports(front, s, &place);
	case NODE_INDEX:
		where = (struct listing_place){.kind = LISTING_INDEX_KEYS, .table = place.table, .index = place.index};
		return add_listing(front, s, &where, NODE_INDEX_KEY);
	case NODE_INDEX_KEY:
		where = (struct listing_place){.kind = LISTING_ENTRIES, .table = place.table, .pk = &place.keys[0], .index = place.index};
		return add_listing(front, s, &where, NODE_ENTRY);
	case NODE_CONTROL:
		rc = add_fixed(s, "errors", NODE_ERRORS);
		if (!rc)
			rc = add_fixed(s, "rejected", NODE_REJECTED);
		if (!rc)
			rc = add_fixed(s, "snapshots", NODE_SNAPSHOTS);
		return rc ? rc : add_fixed(s, "stats.json", NODE_STATS);
	case NODE_REJECTED:
		return add_rejected(front, s);
	case NODE_OPERATOR:
		return RC_OK; /* its operands are beyond number */
	case NODE_VIEW:
		return open_query(front, s, &place);
	case NODE_EXPORT:
		for (enum export_format format = EXPORT_JSONL; !rc && format < EXPORT_FORMATS; format++)
			rc = add_fixed(s, export_file_names[format], NODE_EXPORT_FILE);
		return rc;
	default:
		return RC_INVALID;
	}
}

/* The name of what a listing stands on. False: no memory. */
static bool show(struct frontend *front, struct stream *s, const struct part *part, const struct listing_entry *from, struct entry *ret_entry)
{
	bool ok = true;
	ret_entry->name = s->name;
	ret_entry->kind = part->kind;
	switch (part->of) {
	case LISTING_TABLES:
		ret_entry->name = from->name;
		ret_entry->ino = node_table_ino(s->node, from->identity);
		if (s->node->snapshot)
			return snapshot_table(s->node->snapshot, from->name, &ret_entry->table) != RC_NO_MEMORY;
		(void)table_find(front->volume, from->name, &ret_entry->table); /* it may be gone since */
		return true;
	case LISTING_FILES:
		ok = snprintf(s->name, sizeof s->name, "%s%s", from->name,
			      s->node->kind == NODE_TABLE && place_clash(front, s->node, from->name) ? PLACE_CLASH : "") > 0;
		break;
	case LISTING_PARTITIONS:
		ok = place_key_name(&from->key, false, s->name);
		break;
	case LISTING_ITEMS:
		ok = place_item_name(&from->key, from->key.len > 0, s->name);
		break;
	case LISTING_INDEX_KEYS:
		ok = place_key_name(&from->key, true, s->name);
		break;
	case LISTING_ENTRIES:
		ok = place_entry_name(from->keys, from->key_count, s->name);
		break;
	}
	ret_entry->ino = node_child_ino(s->node, ret_entry->name);
	ret_entry->listed = part->of == LISTING_ITEMS;
	ret_entry->meta = from->meta;
	ret_entry->size = from->head.size;
	if (part->kind == NODE_RESULT)
		ret_entry->meta.mode &= QUERY_PATH_MODE;
	return ok;
}

static void show_name(const struct stream *s, const struct part *part, struct entry *ret_entry)
{
	ret_entry->name = part->names[part->at];
	ret_entry->kind = part->kind;
	if (part->kind != NODE_ROOT)
		ret_entry->ino = node_child_ino(s->node, ret_entry->name);
	else if (part->at == 0 || !s->node->parent)
		ret_entry->ino = node_ino(s->node);
	else
		ret_entry->ino = node_ino(s->node->parent);
}

/* The next entry; RC_NOT_FOUND at the end. The position moves over it. */
static enum rc step(struct frontend *front, struct stream *s, struct entry *ret_entry)
{
	const struct listing_entry *listed;
	*ret_entry = (struct entry){.table = NULL};
	while (s->current < s->count) {
		struct part *part = &s->parts[s->current];
		enum rc rc = RC_OK;
		if (part->listing)
			rc = listing_next(part->listing, &listed);
		else if (part->at == part->name_count)
			rc = RC_NOT_FOUND;
		if (rc && rc != RC_NOT_FOUND)
			return rc;
		if (!rc) {
			bool shown = true;
			if (part->listing)
				shown = show(front, s, part, listed, ret_entry);
			else
				show_name(s, part, ret_entry);
			part->at++;
			s->position++;
			return shown ? RC_OK : RC_NO_MEMORY;
		}
		s->current++;
	}
	return RC_NOT_FOUND;
}

static enum rc step_back(struct stream *s)
{
	while (s->current == s->count || !s->parts[s->current].at)
		if (s->current-- == 0)
			return RC_INVALID;
	struct part *part = &s->parts[s->current];
	if (part->listing) {
		enum rc rc = listing_prev(part->listing);
		if (rc && rc != RC_NOT_FOUND)
			return rc;
	}
	part->at--;
	s->position--;
	return RC_OK;
}

static enum rc seek(struct frontend *front, struct stream *s, uint64_t position)
{
	enum rc rc = RC_OK;
	struct entry entry;
	if (position == 0 && s->position) {
		clear_parts(s);
		names_read(front);
		rc = open_parts(front, s);
		names_done(front);
	}
	while (!rc && s->position > position)
		rc = step_back(s);
	while (!rc && s->position < position) {
		rc = step(front, s, &entry);
		table_unref(entry.table);
	}
	return rc;
}

void dir_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	struct stream *s = calloc(1, sizeof *s);
	if (!s) {
		reply_rc(req, RC_NO_MEMORY);
		return;
	}
	pthread_mutex_init(&s->lock, NULL);
	node_hold(&front->tree, node);
	s->node = node;
	names_read(front);
	enum rc rc = open_parts(front, s);
	names_done(front);
	if (rc == RC_AGAIN)
		refuse_unready(req, node);
	fi->fh = (uintptr_t)s;
	if (!rc && fuse_reply_open(req, fi) == 0)
		return;
	clear_parts(s);
	pthread_mutex_destroy(&s->lock);
	node_release(&front->tree, node);
	free(s);
	if (rc)
		reply_rc(req, rc);
}

void dir_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct stream *s = stream_of(fi);
	(void)ino;
	clear_parts(s);
	pthread_mutex_destroy(&s->lock);
	node_release(&front->tree, s->node);
	free(s);
	fuse_reply_err(req, 0);
}

static bool dots(const struct entry *entry)
{
	return entry->kind == NODE_ROOT;
}

/* Told without its node, even where attributes are asked for: a table that is gone since, and a snapshot, whose node its lookup alone makes. */
static bool is_bare(const struct entry *entry)
{
	return dots(entry) || entry->kind == NODE_SNAPSHOT || (entry->kind == NODE_TABLE && !entry->table);
}

static mode_t type_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_DEFINITION:
	case NODE_ITEM:
	case NODE_PLAIN:
	case NODE_ENTRY:
	case NODE_RESULT:
	case NODE_EXPORT_FILE:
	case NODE_ERRORS:
	case NODE_DRAFT:
	case NODE_IMPORT:
		return S_IFREG;
	default:
		return computed_is(kind) ? S_IFREG : S_IFDIR;
	}
}

static size_t put(fuse_req_t req, const struct stream *s, const struct entry *entry, char *at, size_t room)
{
	struct stat st = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)};
	return fuse_add_direntry(req, at, room, entry->name, &st, (off_t)s->position);
}

/* Whether an item's attributes are what the listing said: nothing was committed since, and nobody writes to it. */
static bool as_listed(struct frontend *front, const struct stream *s, const struct entry *entry, const struct node *node)
{
	if (!entry->listed || !view_is_current(s->view))
		return false;
	if (entry->kind == NODE_RESULT)
		return true; /* of what is stored */
	pthread_mutex_lock(&front->tree.lock);
	bool quiet = node->kind == NODE_ITEM && !node->writers && !node->pending && !node->dead;
	pthread_mutex_unlock(&front->tree.lock);
	return quiet;
}

/* What readdirplus tells is what is so now, not what was so in the listing's view: the kernel keeps it. */
static bool fill_plus(struct frontend *front, const struct stream *s, const struct entry *entry, struct node *node, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = node_id(&front->tree, node), .generation = node->serial};
	ret->entry_timeout = reply_keep_found(entry->kind);
	if (as_listed(front, s, entry, node)) {
		stat_file(&ret->attr, entry->ino, &entry->meta, entry->size);
		ret->attr_timeout = reply_keep(entry->kind);
		return true;
	}
	names_read(front);
	enum rc rc = reply_stat(front, node, &ret->attr, &ret->attr_timeout);
	names_done(front);
	return rc == RC_OK;
}

static size_t put_plus(fuse_req_t req, struct stream *s, const struct entry *entry, char *at, size_t room)
{
	struct frontend *front = front_of(req);
	struct fuse_entry_param plus = {.attr = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)}};
	size_t need = fuse_add_direntry_plus(req, NULL, 0, entry->name, &plus, 0);
	if (need > room)
		return need;
	if (!s->bare && !is_bare(entry)) {
		struct node *node = node_listed(&front->tree, s->node, entry->name, entry->kind, entry->table);
		if (node && !fill_plus(front, s, entry, node, &plus)) {
			/* Gone since the view was pinned: a plain entry, that the kernel looks up when it needs it. */
			node_forget(&front->tree, node, 1);
			plus = (struct fuse_entry_param){.attr = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)}};
		}
	}
	return fuse_add_direntry_plus(req, at, room, entry->name, &plus, (off_t)s->position);
}

/* Of a snapshot that was dropped the kernel is to remember no more names than it has. */
static bool is_dropped(struct frontend *front, const struct stream *s)
{
	names_read(front);
	bool dropped = node_is_dropped(s->node);
	names_done(front);
	return dropped;
}

static void read_entries(fuse_req_t req, size_t size, off_t offset, struct fuse_file_info *fi, bool plus)
{
	struct frontend *front = front_of(req);
	struct stream *s = stream_of(fi);
	size_t used = 0;
	struct entry entry;
	char *out = malloc(size);
	pthread_mutex_lock(&s->lock);
	s->bare = plus && is_dropped(front, s);
	enum rc rc = !out ? RC_NO_MEMORY : offset < 0 ? RC_INVALID : seek(front, s, (uint64_t)offset);
	while (!rc && !(rc = step(front, s, &entry))) {
		size_t n = plus ? put_plus(req, s, &entry, out + used, size - used) : put(req, s, &entry, out + used, size - used);
		table_unref(entry.table);
		if (n > size - used) {
			rc = step_back(s);
			break;
		}
		used += n;
	}
	pthread_mutex_unlock(&s->lock);
	if (rc && rc != RC_NOT_FOUND && !used)
		reply_rc(req, rc);
	else
		fuse_reply_buf(req, out, used);
	free(out);
}

void dir_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, offset, fi, false);
}

void dir_readplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, offset, fi, true);
}

void dir_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	reply_rc(req, volume_sync(front_of(req)->volume));
}
