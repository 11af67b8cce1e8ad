/* dir_stream: see dir_stream.h.
 *
 * A directory is a few parts, one after the other: fixed names, then what listings of the volume give (in key order), then names that are created and not stored
 * yet. Nothing is kept of what was listed, so a directory of ten million names costs what one of ten does. Inode numbers are reckoned from the directory's own, taken when it was
 * opened: its name may change meanwhile, and is not read again. */
#include "fs/dir_stream.h"
#include "fs/export_file.h"
#include "fs/name.h"
#include "fs/place.h"
#include "fs/query_path.h"
#include "fs/upload.h"
#include "index/definition.h"
#include "index/refusals.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void clear_parts(struct dir_stream *s)
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

static enum rc add_listing(struct frontend *front, struct dir_stream *s, const struct listing_place *where, enum node_kind kind)
{
	struct dir_part *part = &s->parts[s->count];
	enum rc rc = listing_open(front->volume, s->view, where, &part->listing);
	if (rc)
		return rc;
	part->kind = kind;
	part->of = where->kind;
	s->count++;
	return RC_OK;
}

/* A part of given names, to be filled; at least one. */
static struct dir_part *add_names(struct dir_stream *s, size_t count, enum node_kind kind)
{
	struct dir_part *part = &s->parts[s->count];
	part->names = calloc(count ? count : 1, sizeof *part->names);
	if (!part->names)
		return NULL;
	part->kind = kind;
	s->count++;
	return part;
}

static enum rc add_fixed(struct dir_stream *s, const char *name, enum node_kind kind)
{
	struct dir_part *part = add_names(s, 1, kind);
	if (!part)
		return RC_NO_MEMORY;
	strcpy(part->names[part->name_count++], name);
	return RC_OK;
}

static enum rc add_dots(struct dir_stream *s)
{
	struct dir_part *part = add_names(s, 2, NODE_ROOT);
	if (!part)
		return RC_NO_MEMORY;
	strcpy(part->names[part->name_count++], ".");
	strcpy(part->names[part->name_count++], "..");
	return RC_OK;
}

/* The names that wait for their first commit: taken before the view is, so that none is missed; those that the view has, too, are dropped after. */
static enum rc add_pending(struct frontend *front, struct dir_stream *s)
{
	size_t count = 0;
	pthread_mutex_lock(&front->tree.lock);
	for (const struct node *n = s->node->more->pendings; n; n = n->more->pending_next)
		count++;
	struct dir_part *part = count ? add_names(s, count, NODE_ITEM) : NULL;
	for (const struct node *n = s->node->more->pendings; n && part; n = n->more->pending_next)
		strcpy(part->names[part->name_count++], n->name);
	pthread_mutex_unlock(&front->tree.lock);
	return !count || part ? RC_OK : RC_NO_MEMORY;
}

static void drop_stored(struct frontend *front, struct dir_stream *s, struct dir_part *part)
{
	size_t kept = 0;
	for (size_t i = 0; i < part->name_count; i++) {
		struct place place;
		struct head head;
		if (place_lookup(front, s->node, part->names[i], &place) == RC_OK && (place.kind == NODE_ITEM || place.kind == NODE_PLAIN) &&
		    leaf_get(&place.leaf, s->view, &head, NULL) == RC_OK)
			continue;
		memmove(part->names[kept++], part->names[i], sizeof part->names[i]);
	}
	part->name_count = kept;
}

static enum rc add_rejected(struct frontend *front, struct dir_stream *s)
{
	struct head head;
	uint64_t id, from = 0;
	size_t cap = 0;
	struct dir_part *part = add_names(s, 0, NODE_DRAFT);
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

static enum rc add_snapshots(struct frontend *front, struct dir_stream *s)
{
	char name[SNAPSHOT_NAME_MAX + 1] = "";
	struct dir_part *part = add_names(s, SNAPSHOTS_MAX, NODE_SNAPSHOT);
	if (!part)
		return RC_NO_MEMORY;
	while (part->name_count < SNAPSHOTS_MAX && snapshot_next(front->volume, name, name) == RC_OK)
		strcpy(part->names[part->name_count++], name);
	return RC_OK;
}

static enum rc add_indexes(struct dir_stream *s, const struct place *place)
{
	const struct schema *schema;
	enum rc rc = table_schema(place->table, &schema);
	if (rc)
		return rc;
	struct dir_part *part = add_names(s, schema->count, NODE_INDEX);
	for (size_t i = 0; part && i < schema->count; i++)
		strcpy(part->names[part->name_count++], schema->indexes[i].name);
	table_schema_done(place->table);
	return part ? RC_OK : RC_NO_MEMORY;
}

static enum rc add_imports(struct frontend *front, struct dir_stream *s, const struct place *place)
{
	struct dir_part *part = &s->parts[s->count];
	enum rc rc = upload_list(front, place->table, &part->names, &part->name_count);
	part->kind = NODE_IMPORT;
	s->count += !rc;
	return rc;
}

static enum rc open_table(struct frontend *front, struct dir_stream *s, const struct place *place)
{
	struct listing_place files = {.kind = LISTING_FILES, .table = place->table};
	struct listing_place partitions = {.kind = LISTING_PARTITIONS, .table = place->table};
	struct head head;
	bool named = definition_get(place->table, s->view, &head, NULL) == RC_OK;
	pthread_mutex_lock(&front->tree.lock);
	named |= s->node->more->pendings != NULL;
	pthread_mutex_unlock(&front->tree.lock);
	enum rc rc = named ? add_fixed(s, ".schema.json", NODE_DEFINITION) : RC_OK;
	if (!rc)
		rc = add_listing(front, s, &files, NODE_PLAIN);
	return rc ? rc : add_listing(front, s, &partitions, NODE_PARTITION);
}

static enum rc open_partition(struct frontend *front, struct dir_stream *s, const struct place *place)
{
	struct listing_place files = {.kind = LISTING_FILES, .table = place->table, .pk = &place->leaf.pk};
	struct listing_place items = {.kind = LISTING_ITEMS, .table = place->table, .pk = &place->leaf.pk};
	enum rc rc = add_listing(front, s, &files, NODE_PLAIN);
	return rc ? rc : add_listing(front, s, &items, NODE_ITEM);
}

static enum rc open_query(struct frontend *front, struct dir_stream *s, struct place *place)
{
	struct listing_place where;
	enum rc rc = query_path_listing(front, s->node, place, &s->query, &where);
	if (rc)
		return rc == RC_INVALID || rc == RC_NOT_UTF8 ? RC_NOT_FOUND : rc; /* what could be when it was looked up cannot be any more */
	bool directories = where.kind == LISTING_PARTITIONS || where.kind == LISTING_INDEX_KEYS;
	return add_listing(front, s, &where, directories ? NODE_VIEW : NODE_RESULT);
}

/* What lies in a snapshot is read from that. */
static enum rc pin(struct frontend *front, struct dir_stream *s)
{
	s->view = snapshot_view(node_snapshot(s->node));
	if (s->view)
		return RC_OK;
	enum rc rc = view_open(front->volume, &s->own);
	s->view = s->own;
	return rc;
}

/* Pins a view and opens the parts. With the names held. */
static enum rc open_parts(struct frontend *front, struct dir_stream *s)
{
	struct place place;
	struct listing_place where = {.kind = LISTING_TABLES};
	bool view = s->node->kind == NODE_VIEW; /* its path is read with its query, by open_query() */
	bool removed = node_is_removed(&front->tree, s->node);
	enum rc rc = removed ? RC_OK : !view ? place_of(front, s->node, &place) : s->node->dead ? RC_STALE : RC_OK;
	s->ino = node_ino(s->node);
	s->parent_ino = node_ino(s->node->parent ? s->node->parent : s->node);
	if (!rc)
		rc = add_dots(s);
	if (removed)
		return rc;
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
	switch ((enum node_kind)s->node->kind) {
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

/* A plain file of a table, where a partition may have its name. */
static bool show_file(struct frontend *front, struct dir_stream *s, const char *name)
{
	bool clash = false;
	if (s->node->kind == NODE_TABLE) {
		names_read(front);
		clash = place_clash(front, s->node, name);
		names_done(front);
	}
	return clash ? place_clash_name(name, s->name) : snprintf(s->name, sizeof s->name, "%s", name) > 0;
}

/* The name of what a listing stands on. False: no memory. */
static bool show(struct frontend *front, struct dir_stream *s, const struct dir_part *part, const struct listing_entry *from, struct dir_entry *ret_entry)
{
	bool ok = true;
	ret_entry->name = s->name;
	ret_entry->kind = part->kind;
	switch (part->of) {
	case LISTING_TABLES:
		ret_entry->name = from->name;
		ret_entry->ino = node_table_ino(s->node, from->identity); /* the root and snapshots keep their names */
		if (s->node->more->snapshot)
			return snapshot_table(s->node->more->snapshot, from->name, &ret_entry->table) != RC_NO_MEMORY;
		(void)table_find(front->volume, from->name, &ret_entry->table); /* it may be gone since */
		return true;
	case LISTING_FILES:
		ok = show_file(front, s, from->name);
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
	ret_entry->ino = node_child_ino(s->ino, ret_entry->name);
	ret_entry->listed = part->kind == NODE_ITEM;
	ret_entry->meta = from->meta;
	ret_entry->size = from->head.size;
	return ok;
}

static void show_name(const struct dir_stream *s, const struct dir_part *part, struct dir_entry *ret_entry)
{
	ret_entry->name = part->names[part->at];
	ret_entry->kind = part->kind;
	if (part->kind == NODE_ITEM && !name_is_item(ret_entry->name, strlen(ret_entry->name)))
		ret_entry->kind = NODE_PLAIN; /* both wait for their first commit */
	if (part->kind != NODE_ROOT)
		ret_entry->ino = node_child_ino(s->ino, ret_entry->name);
	else
		ret_entry->ino = part->at == 0 ? s->ino : s->parent_ino;
}

enum rc dir_stream_next(struct frontend *front, struct dir_stream *s, struct dir_entry *ret_entry)
{
	const struct listing_entry *listed;
	*ret_entry = (struct dir_entry){.table = NULL};
	while (s->current < s->count) {
		struct dir_part *part = &s->parts[s->current];
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

enum rc dir_stream_back(struct dir_stream *s)
{
	while (s->current == s->count || !s->parts[s->current].at)
		if (s->current-- == 0)
			return RC_INVALID;
	struct dir_part *part = &s->parts[s->current];
	if (part->listing) {
		enum rc rc = listing_prev(part->listing);
		if (rc && rc != RC_NOT_FOUND)
			return rc;
	}
	part->at--;
	s->position--;
	return RC_OK;
}

enum rc dir_stream_seek(struct frontend *front, struct dir_stream *s, uint64_t position)
{
	enum rc rc = RC_OK;
	struct dir_entry entry;
	if (s->broken || (position == 0 && s->position)) {
		clear_parts(s);
		names_read(front);
		rc = open_parts(front, s);
		names_done(front);
		s->broken = rc;
	}
	while (!rc && s->position > position)
		rc = dir_stream_back(s);
	while (!rc && s->position < position) {
		rc = dir_stream_next(front, s, &entry);
		table_unref(entry.table);
	}
	return rc;
}

static void join_open_ones(struct frontend *front, struct dir_stream *s)
{
	pthread_mutex_lock(&front->handles_lock);
	s->next = front->streams;
	s->back = &front->streams;
	if (s->next)
		s->next->back = &s->next;
	front->streams = s;
	pthread_mutex_unlock(&front->handles_lock);
}

static void leave_open_ones(struct frontend *front, struct dir_stream *s)
{
	pthread_mutex_lock(&front->handles_lock);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	pthread_mutex_unlock(&front->handles_lock);
}

void dir_stream_close(struct frontend *front, struct dir_stream *s)
{
	leave_open_ones(front, s);
	clear_parts(s);
	pthread_mutex_destroy(&s->lock);
	node_release(&front->tree, s->node);
	free(s);
}

enum rc dir_stream_open(struct frontend *front, struct node *node, struct dir_stream **ret_stream)
{
	struct dir_stream *s = calloc(1, sizeof *s);
	if (!s)
		return RC_NO_MEMORY;
	pthread_mutex_init(&s->lock, NULL);
	node_hold(&front->tree, node);
	s->node = node;
	join_open_ones(front, s);
	names_read(front);
	enum rc rc = open_parts(front, s);
	names_done(front);
	if (rc)
		dir_stream_close(front, s);
	else
		*ret_stream = s;
	return rc;
}
