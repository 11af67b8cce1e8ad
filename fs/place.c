/* place: see place.h. */
#include "fs/place.h"
#include "fs/name.h"
#include "index/entry.h"
#include "index/listing.h"
#include "index/partition.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SUFFIX[] = ".json";
enum { SUFFIX_LEN = 5, NAME_MAX_LEN = 255, HASH_LEN = 18 /* %~ and sixteen digits */ };

/* The closed list (DESIGN.md, part 1): nobody can make these, and they mean what itemfs says, today or later. */
static bool reserved(enum node_kind directory, const char *name)
{
	static const char *const in_table[] = {".schema.json", ".describe.json", ".index",  ".scan",    ".where",
					       ".export",      ".import",        ".stream", ".history", NULL};
	static const char *const in_partition[] = {".eq",    ".lt",   ".le",    ".gt",    ".ge",     ".between", ".begins_with",
						   ".first", ".last", ".after", ".where", ".export", ".history", NULL};
	const char *const *list = directory == NODE_TABLE ? in_table : directory == NODE_PARTITION ? in_partition : NULL;
	if (directory == NODE_ROOT)
		return strcmp(name, ".itemfs") == 0;
	for (; list && *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

static struct node *table_node(struct node *node)
{
	while (node && node->kind != NODE_TABLE)
		node = node->parent;
	return node;
}

/* Names as they are now: a moment under the lock, since a forget may free an ancestor's ancestor only with it held, and a hold on the node keeps its ancestors. */
static struct table *table_above(struct node *node)
{
	struct node *table = table_node(node);
	return table ? table->table : NULL;
}

static enum rc partition_key(const char *name, const struct schema *schema, struct key *ret_key, struct why *why)
{
	return name_to_key(name, strlen(name), schema->key.partition[0].type, KEY_PARTITION, NAME_WHOLE, true, ret_key, why);
}

/* The sort key of an item's file name. */
static enum rc item_key(const char *name, const struct schema *schema, struct leaf *leaf, struct why *why)
{
	size_t n = strlen(name) - SUFFIX_LEN;
	leaf->has_sk = schema_has_sort(schema);
	if (leaf->has_sk)
		return name_to_key(name, n, schema->key.sort[0].type, KEY_SORT, NAME_WHOLE, true, &leaf->sk, why);
	if (n == 4 && memcmp(name, "item", 4) == 0)
		return RC_OK;
	return why_set(why, RC_INVALID, "this table has no sort key: a partition holds one item, item.json");
}

static enum rc index_keys(const char *name, const struct entry_shape *shape, struct key *ret_keys)
{
	size_t n = strlen(name), at = 0, last = shape->count - 1;
	if (n <= SUFFIX_LEN || strcmp(name + n - SUFFIX_LEN, SUFFIX) != 0)
		return RC_NOT_FOUND;
	n -= SUFFIX_LEN;
	if (last == 0)
		return n == 4 && memcmp(name, "item", 4) == 0 ? RC_OK : RC_NOT_FOUND;
	for (size_t i = 1; i <= last; i++) {
		const char *comma = memchr(name + at, ',', n - at);
		size_t end = comma ? (size_t)(comma - name) : n;
		if (!comma != (i == last) ||
		    name_to_key(name + at, end - at, shape->key[i]->type, shape->role[i], NAME_COMPONENT, i == 1, &ret_keys[i], NULL))
			return RC_NOT_FOUND;
		at = end + 1;
	}
	return RC_OK;
}

/* Where a cut name's hash begins; 0 where it is no such name. */
static size_t cut_at(const char *name, const char *suffix)
{
	size_t n = strlen(name), tail = strlen(suffix);
	if (n <= tail + HASH_LEN || strcmp(name + n - tail, suffix) != 0)
		return 0;
	size_t at = n - tail - HASH_LEN;
	return memcmp(name + at, "%~", 2) == 0 && strspn(name + at + 2, "0123456789abcdef") >= 16 ? at : 0;
}

/* As much of the first key as the cut name still tells: the keys that begin so are few. */
static void cut_prefix(const char *name, size_t n, enum key_type type, struct key *ret_prefix)
{
	static const char digits[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
	*ret_prefix = (struct key){.type = type};
	for (size_t i = 0; i < n; i++) {
		const char *high, *low, *set = type == KEY_B ? lower : digits;
		uint8_t byte = (uint8_t)name[i];
		if (type == KEY_B || byte == '%') {
			size_t at = type == KEY_B ? i : i + 1;
			high = at < n ? memchr(set, name[at], 16) : NULL;
			low = high && at + 1 < n ? memchr(set, name[at + 1], 16) : NULL;
			if (!low)
				return; /* cut in the middle of it */
			byte = (uint8_t)((high - set) << 4 | (low - set));
			i = at + 1;
		}
		ret_prefix->data[ret_prefix->len++] = byte;
	}
}

/* A long name was cut: its key is found by making the names of those that begin like it. */
static enum rc search_name(struct volume *volume, struct place *place, enum listing_kind kind, const char *name, enum key_type type)
{
	struct key prefix;
	struct listing_place where = {.kind = kind, .table = place->table, .index = place->index};
	struct listing *listing;
	const struct listing_entry *entry;
	char its[256];
	size_t n = cut_at(name, kind == LISTING_INDEX_KEYS ? "" : SUFFIX);
	if (!n)
		return RC_NOT_FOUND;
	const char *comma = kind == LISTING_ENTRIES ? memchr(name, ',', n) : NULL;
	if (comma)
		n = (size_t)(comma - name);
	cut_prefix(name, n, type, &prefix);
	where.pk = kind == LISTING_ITEMS ? &place->leaf.pk : kind == LISTING_ENTRIES ? &place->keys[0] : NULL;
	where.prefix = type == KEY_N ? NULL : &prefix;
	enum rc rc = listing_open(volume, NULL, &where, &listing);
	if (rc)
		return rc;
	while (!(rc = listing_next(listing, &entry))) {
		bool made = kind == LISTING_ITEMS	  ? place_item_name(&entry->key, true, its)
			    : kind == LISTING_ENTRIES ? place_entry_name(entry->keys, entry->key_count, its)
						      : place_key_name(&entry->key, true, its);
		if (!made || strcmp(its, name) != 0)
			continue;
		if (kind == LISTING_ITEMS)
			place->leaf.sk = entry->key;
		else
			memcpy(place->keys, entry->keys, (kind == LISTING_ENTRIES ? entry->key_count : 1) * sizeof *entry->keys);
		break;
	}
	listing_close(listing);
	return rc;
}

/* The index of `place` and, below it, the key and the entry; names may be NULL from the deepest up. */
static enum rc index_place(struct volume *volume, struct place *place, const char *index_name, const char *key_name, const char *entry_name)
{
	const struct schema *schema;
	struct entry_shape shape;
	if (strlen(index_name) > NAME_MAX_LEN)
		return RC_NOT_FOUND;
	strcpy(place->index, index_name);
	enum rc rc = table_schema(place->table, &schema);
	if (rc)
		return rc;
	const struct schema_index *index = schema_find_index(schema, index_name);
	rc = index ? RC_OK : RC_NOT_FOUND;
	bool long_key = false, long_entry = false;
	enum key_type types[2] = {KEY_S, KEY_S};
	if (!rc) {
		entry_shape(schema, index, &shape);
		place->key_count = shape.count;
		types[0] = shape.key[0]->type;
		types[1] = shape.count > 1 ? shape.key[1]->type : KEY_S;
	}
	if (!rc && key_name)
		long_key = name_to_key(key_name, strlen(key_name), shape.key[0]->type, KEY_PARTITION, NAME_COMPONENT, true,
				       &place->keys[0], NULL) != RC_OK;
	if (!rc && entry_name)
		long_entry = index_keys(entry_name, &shape, place->keys) != RC_OK;
	table_schema_done(place->table);
	if (!rc && long_key)
		rc = search_name(volume, place, LISTING_INDEX_KEYS, key_name, types[0]);
	if (!rc && long_entry)
		rc = search_name(volume, place, LISTING_ENTRIES, entry_name, types[1]);
	return rc;
}

static enum rc draft_id(const char *name, uint64_t *ret_id)
{
	char *end, again[32];
	*ret_id = strtoull(name, &end, 10);
	snprintf(again, sizeof again, "%llu", (unsigned long long)*ret_id);
	return *ret_id && strcmp(again, name) == 0 ? RC_OK : RC_NOT_FOUND;
}

static void leaf_begin(struct place *place, enum leaf_kind kind, bool in_partition)
{
	place->leaf.kind = kind;
	place->leaf.table = place->table;
	place->leaf.in_partition = in_partition;
	place->leaf.has_sk = false;
}

/* Where a partition claims a plain file's name, the file is NAME%~plain: the length of NAME, or of the whole where it does not end so. */
static size_t plain_length(const char *name)
{
	size_t n = strlen(name), tail = strlen(PLACE_CLASH);
	return n > tail && strcmp(name + n - tail, PLACE_CLASH) == 0 ? n - tail : n;
}

static enum rc plain_name(const struct node *parent, const char *name, struct place *place)
{
	size_t n = parent->kind == NODE_TABLE ? plain_length(name) : strlen(name);
	if (n > NAME_MAX_LEN)
		return RC_NAME_TOO_LONG;
	memcpy(place->leaf.name, name, n);
	place->leaf.name[n] = 0;
	return RC_OK;
}

/* Fills `place` for kind and name below parent; the parent's own key first. */
static enum rc fill(struct frontend *front, struct node *parent, enum node_kind kind, const char *name, struct place *place, struct why *why)
{
	const struct schema *schema;
	place->kind = kind;
	place->parent = parent;
	place->table = table_above(parent);
	place->cut = place->unresolved = false;
	switch (kind) {
	case NODE_ROOT:
	case NODE_CONTROL:
	case NODE_ERRORS:
	case NODE_REJECTED:
	case NODE_DEFINITION:
	case NODE_INDEXES:
		return RC_OK;
	case NODE_TABLE:
		if (strlen(name) > SCHEMA_NAME_MAX)
			return RC_NAME_TOO_LONG;
		strcpy(place->table_name, name);
		return RC_OK;
	case NODE_DRAFT:
		return draft_id(name, &place->id);
	case NODE_INDEX:
		return index_place(front->volume, place, name, NULL, NULL);
	case NODE_INDEX_KEY:
		return index_place(front->volume, place, parent->name, name, NULL);
	case NODE_ENTRY:
		return index_place(front->volume, place, parent->parent->name, parent->name, name);
	case NODE_PARTITION:
	case NODE_ITEM:
	case NODE_PLAIN:
		break;
	}
	bool inside = parent->kind == NODE_PARTITION;
	leaf_begin(place, kind == NODE_ITEM ? LEAF_ITEM : LEAF_FILE, inside || kind == NODE_PARTITION);
	enum rc rc = table_schema(place->table, &schema);
	if (rc)
		return rc;
	if (place->leaf.in_partition)
		rc = partition_key(inside ? parent->name : name, schema, &place->leaf.pk, why);
	enum key_type sort_type = schema_has_sort(schema) ? schema->key.sort[0].type : KEY_N;
	place->cut = kind == NODE_ITEM && sort_type != KEY_N && cut_at(name, SUFFIX);
	if (!rc && kind == NODE_ITEM && !place->cut)
		rc = item_key(name, schema, &place->leaf, why);
	table_schema_done(place->table);
	if (!rc && place->cut) {
		place->leaf.has_sk = true;
		rc = search_name(front->volume, place, LISTING_ITEMS, name, sort_type);
		place->unresolved = rc == RC_NOT_FOUND;
	}
	return !rc && kind == NODE_PLAIN ? plain_name(parent, name, place) : rc;
}

/* A name that cannot be is not there. */
static enum rc absent(enum rc rc)
{
	return rc == RC_INVALID || rc == RC_NOT_UTF8 ? RC_NOT_FOUND : rc;
}

enum rc place_of(struct frontend *front, struct node *node, struct place *ret_place)
{
	if (node->dead)
		return RC_STALE;
	if (node->kind == NODE_TABLE) {
		ret_place->kind = NODE_TABLE;
		ret_place->parent = node->parent;
		ret_place->table = node->table;
		return RC_OK;
	}
	enum rc rc = absent(fill(front, node->parent, node->kind, node->name, ret_place, NULL));
	return rc == RC_NOT_FOUND && ret_place->unresolved && node->pending ? RC_OK : rc;
}

enum rc place_as_plain(struct node *parent, const char *name, struct place *place)
{
	return absent(fill(NULL, parent, NODE_PLAIN, name, place, NULL));
}

bool place_clash(struct node *table, const char *name)
{
	struct place partition;
	struct partition_record record;
	return fill(NULL, table, NODE_PARTITION, name, &partition, NULL) == RC_OK &&
	       partition_get(partition.table, NULL, &partition.leaf.pk, &record) == RC_OK;
}

enum rc place_lookup(struct frontend *front, struct node *parent, const char *name, struct place *ret_place)
{
	enum node_kind kind;
	if (strlen(name) > NAME_MAX_LEN)
		return RC_NAME_TOO_LONG;
	switch (parent->kind) {
	case NODE_ROOT:
		kind = strcmp(name, ".itemfs") == 0 ? NODE_CONTROL : NODE_TABLE;
		break;
	case NODE_TABLE:
		kind = strcmp(name, ".schema.json") == 0 ? NODE_DEFINITION : strcmp(name, ".index") == 0 ? NODE_INDEXES : NODE_PARTITION;
		if (kind == NODE_PARTITION && reserved(NODE_TABLE, name))
			return RC_NOT_FOUND;
		if (kind == NODE_PARTITION) {
			enum rc rc = fill(front, parent, kind, name, ret_place, NULL);
			if (rc != RC_INVALID && rc != RC_NOT_UTF8)
				return rc;
			rc = place_as_plain(parent, name, ret_place);
			if (!rc && plain_length(name) != strlen(name) && !place_clash(parent, ret_place->leaf.name))
				rc = RC_NOT_FOUND;
			return rc;
		}
		break;
	case NODE_PARTITION:
		if (reserved(NODE_PARTITION, name))
			return RC_NOT_FOUND;
		kind = name_is_item(name, strlen(name)) ? NODE_ITEM : NODE_PLAIN;
		break;
	case NODE_INDEXES:
		kind = NODE_INDEX;
		break;
	case NODE_INDEX:
		kind = NODE_INDEX_KEY;
		break;
	case NODE_INDEX_KEY:
		kind = NODE_ENTRY;
		break;
	case NODE_CONTROL:
		if (strcmp(name, "errors") != 0 && strcmp(name, "rejected") != 0)
			return RC_NOT_FOUND;
		kind = name[0] == 'e' ? NODE_ERRORS : NODE_REJECTED;
		break;
	case NODE_REJECTED:
		kind = NODE_DRAFT;
		break;
	default:
		return RC_NOT_FOUND;
	}
	return absent(fill(front, parent, kind, name, ret_place, NULL));
}

static enum rc create_kind(struct node *parent, const char *name, bool directory, enum node_kind *ret_kind, struct why *why)
{
	size_t n = strlen(name);
	if (n > NAME_MAX_LEN)
		return why_set(why, RC_NAME_TOO_LONG, "%zu bytes; a name has at most 255", n);
	switch (parent->kind) {
	case NODE_ROOT:
		if (!directory)
			return why_set(why, RC_FORBIDDEN, "only tables stand at the root: mkdir makes one");
		*ret_kind = NODE_TABLE;
		break;
	case NODE_TABLE:
		*ret_kind = directory ? NODE_PARTITION : NODE_PLAIN;
		if (!directory && strcmp(name, ".schema.json") == 0) {
			*ret_kind = NODE_DEFINITION;
			return RC_OK;
		}
		if (!directory && plain_length(name) != n)
			return why_set(why, RC_INVALID, "names that end in %s are itemfs's own", PLACE_CLASH);
		if (!directory && name_is_item(name, n))
			return why_set(why, RC_INVALID, "an item stands in a partition's directory, not in the table's own");
		break;
	case NODE_PARTITION:
		if (directory)
			return why_set(why, RC_FORBIDDEN, "a partition holds files only");
		*ret_kind = name_is_item(name, n) ? NODE_ITEM : NODE_PLAIN;
		break;
	case NODE_CONTROL:
	case NODE_REJECTED:
		return RC_FORBIDDEN;
	default:
		return RC_READ_ONLY;
	}
	return reserved(parent->kind, name) ? why_set(why, RC_FORBIDDEN, "%s is a name of itemfs's own", name) : RC_OK;
}

enum rc place_create(struct frontend *front, struct node *parent, const char *name, bool directory, struct place *ret_place, struct why *why)
{
	enum node_kind kind = NODE_PLAIN;
	enum rc rc = create_kind(parent, name, directory, &kind, why);
	if (!rc && kind == NODE_TABLE)
		rc = schema_table_name(name, strlen(name), why);
	if (!rc)
		rc = fill(front, parent, kind, name, ret_place, why);
	return rc == RC_NOT_FOUND && kind == NODE_ITEM && ret_place->unresolved ? RC_OK : rc;
}

enum rc place_resolve(struct place *place, const char *name, const void *document, size_t len, struct why *why)
{
	char its[256];
	struct leaf leaf = place->leaf;
	enum rc rc = leaf_resolve(&leaf, document, len, why);
	if (rc)
		return rc;
	if (!place_item_name(&leaf.sk, true, its))
		return RC_NO_MEMORY;
	if (strcmp(its, name) != 0)
		return why_set(why, RC_REFUSED, "by the key that the document holds its name is %s", its);
	/* The same name, so the same beginning and the same hash: another key must not take it over. */
	if (!place->unresolved && !key_equal(&leaf.sk, &place->leaf.sk))
		return why_set(why, RC_REFUSED, "another key has this name already: the two have one hash");
	place->leaf.sk = leaf.sk;
	place->unresolved = false;
	return RC_OK;
}

static uint64_t name_hash(const uint8_t *name, size_t n)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ name[i]) * 1099511628211u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

/* Copies a whole name, or its first bytes (whole characters) with the hash of all of it. */
static bool finish(const struct buf *name, const char *suffix, char out[256])
{
	size_t tail = strlen(suffix);
	if (name->failed || !name->len)
		return false;
	if (name->len + tail <= NAME_MAX_LEN) {
		memcpy(out, name->data, name->len);
		strcpy(out + name->len, suffix);
		return true;
	}
	size_t keep = NAME_MAX_LEN - tail - HASH_LEN;
	while (keep && (name->data[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(out, name->data, keep);
	sprintf(out + keep, "%%~%016llx%s", (unsigned long long)name_hash(name->data, name->len), suffix);
	return true;
}

bool place_item_name(const struct key *sk, bool has_sk, char out[256])
{
	cleanup_buf struct buf name = {0};
	if (has_sk)
		name_of_key(sk, NAME_WHOLE, &name);
	else
		buf_add_text(&name, "item");
	return finish(&name, SUFFIX, out);
}

bool place_key_name(const struct key *key, bool component, char out[256])
{
	cleanup_buf struct buf name = {0};
	name_of_key(key, component ? NAME_COMPONENT : NAME_WHOLE, &name);
	return finish(&name, "", out);
}

bool place_entry_name(const struct key *keys, size_t count, char out[256])
{
	cleanup_buf struct buf name = {0};
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			buf_add_byte(&name, ',');
		name_of_key(&keys[i], NAME_COMPONENT, &name);
	}
	if (count <= 1)
		buf_add_text(&name, "item");
	return finish(&name, SUFFIX, out);
}
