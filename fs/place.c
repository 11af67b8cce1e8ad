/* place: see place.h. */
#include "fs/place.h"
#include "fs/export_file.h"
#include "fs/long_name.h"
#include "fs/name.h"
#include "fs/place_private.h"
#include "fs/query_path.h"
#include "index/partition.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The closed list (DESIGN.md, part 1): nobody can make these, and they mean what itemfs says, today or later. */
static bool reserved(enum node_kind directory, const char *name)
{
	static const char *const in_table[] = {".schema.json", ".describe.json", ".index",  ".scan",    ".where",
					       ".export",      ".import",        ".stream", ".history", NULL};
	static const char *const in_partition[] = {".eq",    ".lt",   ".le",    ".gt",    ".ge",     ".between", ".begins_with",
						   ".first", ".last", ".after", ".where", ".export", ".history", NULL};
	if (name[0] != '.')
		return false;
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
struct table *place_table(struct node *node)
{
	struct node *table = table_node(node);
	return table ? table->table : NULL;
}

/* Kind by kind the functions below fill what that kind has. The rest says of itself that there is nothing: a leaf of no kind, keys of no length, empty names. */
void place_begin(struct place *place, enum node_kind kind, struct node *parent)
{
	place->kind = place->subject = kind;
	place->parent = parent;
	place->table = parent ? place_table(parent) : NULL;
	place->table_name[0] = place->index[0] = 0;
	place->leaf.kind = LEAF_NONE;
	place->leaf.pk.len = place->leaf.sk.len = place->keys[0].len = 0;
	place->leaf.pk.type = place->leaf.sk.type = place->keys[0].type = KEY_S;
	place->key_count = 0;
	place->id = 0;
	place->listed = place->cut_pk = place->cut_sk = place->unresolved = false;
}

static enum rc partition_key(const char *name, const struct schema *schema, struct key *ret_key, struct why *why)
{
	return name_to_key(name, strlen(name), schema->key.partition[0].type, KEY_PARTITION, NAME_WHOLE, true, ret_key, why);
}

/* The sort key of an item's file name. */
static enum rc item_key(const char *name, const struct schema *schema, struct leaf *leaf, struct why *why)
{
	size_t n = strlen(name) - NAME_SUFFIX_LEN;
	leaf->has_sk = schema_has_sort(schema);
	if (leaf->has_sk)
		return name_to_key(name, n, schema->key.sort[0].type, KEY_SORT, NAME_WHOLE, true, &leaf->sk, why);
	if (n == 4 && memcmp(name, "item", 4) == 0)
		return RC_OK;
	return why_set(why, RC_INVALID, "this table has no sort key: a partition holds one item, item.json");
}

/* How the table's definition reads names; taken out of it, since a search may not hold it. */
struct names_as {
	bool declared;
	enum key_type pk, sk; /* sk: KEY_N, too, where there is none: then no name is cut */
};

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

/* Where a partition claims a plain file's name, the file is NAME%~plain (place_clash_name): the length of NAME, or of the whole where it does not end
 * so. */
static size_t plain_length(const char *name)
{
	size_t n = strlen(name), tail = strlen(PLACE_CLASH);
	return n > tail && strcmp(name + n - tail, PLACE_CLASH) == 0 ? n - tail : n;
}

static enum rc plain_name(struct frontend *front, const struct node *parent, const char *name, struct place *place)
{
	size_t n = parent->kind == NODE_TABLE ? plain_length(name) : strlen(name);
	if (n > NAME_BYTES_MAX)
		return RC_NAME_TOO_LONG;
	enum rc rc = name[n] && long_name_at(name, PLACE_CLASH) ? place_search_clash(front->volume, place, name) : RC_NOT_FOUND;
	if (rc != RC_NOT_FOUND)
		return rc;
	memcpy(place->leaf.name, name, n);
	place->leaf.name[n] = 0;
	return RC_OK;
}

/* Where the partition's name was cut: the key among the stored ones that has it, or the name itself while there is none. */
static enum rc cut_partition(struct frontend *front, struct place *place, const char *name, const struct names_as *as)
{
	enum rc rc = as->declared ? place_search(front->volume, place, LISTING_PARTITIONS, name, as->pk) : RC_NOT_FOUND;
	place->cut_pk = as->declared && place->kind == NODE_ITEM;
	if (rc != RC_NOT_FOUND)
		return rc;
	key_pending(name, &place->leaf.pk);
	place->unresolved = place->cut_pk;
	return RC_OK;
}

static enum rc cut_item(struct frontend *front, struct place *place, const char *name, const struct names_as *as)
{
	enum rc rc = RC_NOT_FOUND;
	place->leaf.has_sk = true;
	place->leaf.sk.type = KEY_S;
	place->leaf.sk.len = 0; /* the key of no item: whoever asks for it while it is not known finds nothing */
	place->cut_sk = as->declared;
	if (!as->declared) {
		key_pending(name, &place->leaf.sk);
		return RC_OK;
	}
	if (!place->unresolved)
		rc = place_search(front->volume, place, LISTING_ITEMS, name, as->sk);
	place->unresolved = rc == RC_NOT_FOUND;
	return rc;
}

enum rc place_leaf(struct frontend *front, struct place *place, const char *partition, const char *item, struct why *why)
{
	const struct schema *schema;
	leaf_begin(place, item ? LEAF_ITEM : LEAF_FILE, partition != NULL);
	enum rc rc = table_schema(place->table, &schema);
	if (rc)
		return rc;
	struct names_as as = {schema->declared, schema->key.partition[0].type, schema_has_sort(schema) ? schema->key.sort[0].type : KEY_N};
	bool cut_pk = partition && as.pk != KEY_N && long_name_at(partition, "");
	bool cut_sk = item && as.sk != KEY_N && long_name_at(item, NAME_SUFFIX);
	if (partition && !cut_pk)
		rc = partition_key(partition, schema, &place->leaf.pk, why);
	if (!rc && item && !cut_sk)
		rc = item_key(item, schema, &place->leaf, why);
	table_schema_done(place->table);
	if (!rc && cut_pk)
		rc = cut_partition(front, place, partition, &as);
	if (!rc && cut_sk)
		rc = cut_item(front, place, item, &as);
	return !rc && place->unresolved ? RC_NOT_FOUND : rc;
}

/* Fills `place` for kind and name below parent; the parent's own key first. */
static enum rc fill(struct frontend *front, struct node *parent, enum node_kind kind, const char *name, struct place *place, struct why *why)
{
	place_begin(place, kind, parent);
	switch (kind) {
	case NODE_ROOT:
	case NODE_CONTROL:
	case NODE_ERRORS:
	case NODE_STATS:
	case NODE_SNAPSHOTS:
	case NODE_REJECTED:
	case NODE_DEFINITION:
	case NODE_DESCRIBE:
	case NODE_INDEXES:
	case NODE_IMPORTS:
	case NODE_IMPORT:
	case NODE_EXPORT:
	case NODE_EXPORT_FILE:
		return RC_OK;
	case NODE_TABLE:
	case NODE_SNAPSHOT:
		if (strlen(name) > NAME_BYTES_MAX)
			return RC_NAME_TOO_LONG;
		strcpy(place->table_name, name);
		return RC_OK;
	case NODE_DRAFT:
		return draft_id(name, &place->id);
	case NODE_INDEX:
		return place_index(front->volume, place, name, NULL, NULL);
	case NODE_INDEX_KEY:
		return place_index(front->volume, place, parent->name, name, NULL);
	case NODE_ENTRY:
		return place_index(front->volume, place, parent->parent->name, parent->name, name);
	case NODE_OPERATOR:
	case NODE_VIEW:
	case NODE_RESULT:
		return query_path_lookup(front, parent, name, place, NULL, why);
	case NODE_PARTITION:
	case NODE_ITEM:
	case NODE_PLAIN:
		break;
	}
	bool inside = parent->kind == NODE_PARTITION;
	enum rc rc = place_leaf(front, place, inside ? parent->name : kind == NODE_PARTITION ? name : NULL, kind == NODE_ITEM ? name : NULL, why);
	return !rc && kind == NODE_PLAIN ? plain_name(front, parent, name, place) : rc;
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
		place_begin(ret_place, NODE_TABLE, node->parent);
		ret_place->table = node->table;
		return RC_OK;
	}
	enum rc rc = absent(fill(front, node->parent, node->kind, node->name, ret_place, NULL));
	if (rc == RC_NOT_FOUND && ret_place->unresolved)
		return node->pending ? RC_OK : RC_STALE; /* it was refused in this moment: whoever asks is to look again, or makes another */
	return rc;
}

enum rc place_as_plain(struct frontend *front, struct node *parent, const char *name, struct place *place)
{
	return absent(fill(front, parent, NODE_PLAIN, name, place, NULL));
}

bool place_clash(struct frontend *front, struct node *table, const char *name)
{
	struct place partition;
	struct partition_record record;
	return fill(front, table, NODE_PARTITION, name, &partition, NULL) == RC_OK &&
	       partition_get(partition.table, NULL, &partition.leaf.pk, &record) == RC_OK;
}

static bool control_kind(const char *name, enum node_kind *ret_kind)
{
	static const struct {
		const char *name;
		enum node_kind kind;
	} known[] = {{"errors", NODE_ERRORS}, {"rejected", NODE_REJECTED}, {"snapshots", NODE_SNAPSHOTS}, {"stats.json", NODE_STATS}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i].name) == 0) {
			*ret_kind = known[i].kind;
			return true;
		}
	return false;
}

enum rc place_lookup(struct frontend *front, struct node *parent, const char *name, struct place *ret_place)
{
	enum node_kind kind;
	place_begin(ret_place, NODE_ROOT, NULL);
	if (parent->dead) /* it holds nothing any more, whatever has its name now */
		return RC_NOT_FOUND;
	if (strlen(name) > NAME_BYTES_MAX)
		return RC_NAME_TOO_LONG;
	if (query_path_is(parent, name))
		return query_path_lookup(front, parent, name, ret_place, NULL, NULL);
	if (export_file_is(parent, name))
		return fill(front, parent, parent->kind == NODE_EXPORT ? NODE_EXPORT_FILE : NODE_EXPORT, name, ret_place, NULL);
	switch ((enum node_kind)parent->kind) {
	case NODE_ROOT:
		kind = strcmp(name, ".itemfs") == 0 ? NODE_CONTROL : NODE_TABLE;
		break;
	case NODE_TABLE:
		kind = strcmp(name, ".schema.json") == 0     ? NODE_DEFINITION
		       : strcmp(name, ".describe.json") == 0 ? NODE_DESCRIBE
		       : strcmp(name, ".index") == 0         ? NODE_INDEXES
		       : strcmp(name, ".import") == 0        ? NODE_IMPORTS
							     : NODE_PARTITION;
		if (kind == NODE_PARTITION && reserved(NODE_TABLE, name))
			return RC_NOT_FOUND;
		if (kind == NODE_IMPORTS && node_snapshot(parent)) /* nothing can come into a snapshot */
			return RC_NOT_FOUND;
		if (kind == NODE_PARTITION) {
			enum rc rc = fill(front, parent, kind, name, ret_place, NULL);
			if (rc != RC_INVALID && rc != RC_NOT_UTF8)
				return rc;
			rc = place_as_plain(front, parent, name, ret_place);
			if (!rc && plain_length(name) != strlen(name) && !place_clash(front, parent, ret_place->leaf.name))
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
		if (!control_kind(name, &kind))
			return RC_NOT_FOUND;
		break;
	case NODE_SNAPSHOTS:
		kind = NODE_SNAPSHOT;
		break;
	case NODE_SNAPSHOT:
		kind = NODE_TABLE;
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
	if (n > NAME_BYTES_MAX)
		return why_set(why, RC_NAME_TOO_LONG, "%zu bytes; a name has at most 255", n);
	if (node_snapshot(parent))
		return RC_READ_ONLY;
	switch ((enum node_kind)parent->kind) {
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
	case NODE_SNAPSHOTS:
		if (!directory)
			return why_set(why, RC_FORBIDDEN, "only snapshots stand here: mkdir takes one");
		*ret_kind = NODE_SNAPSHOT;
		break;
	case NODE_CONTROL:
	case NODE_REJECTED:
	case NODE_IMPORTS: /* its files: import_file.h */
		return RC_FORBIDDEN;
	default:
		return RC_READ_ONLY;
	}
	return reserved(parent->kind, name) ? why_set(why, RC_FORBIDDEN, "%s is a name of itemfs's own", name) : RC_OK;
}

enum rc place_create(struct frontend *front, struct node *parent, const char *name, bool directory, struct place *ret_place, struct why *why)
{
	enum node_kind kind = NODE_PLAIN;
	place_begin(ret_place, NODE_ROOT, NULL);
	if (parent->dead)
		return RC_NOT_FOUND;
	enum rc rc = create_kind(parent, name, directory, &kind, why);
	if (!rc && kind == NODE_TABLE)
		rc = schema_table_name(name, strlen(name), why);
	if (!rc)
		rc = fill(front, parent, kind, name, ret_place, why);
	return rc == RC_NOT_FOUND && kind == NODE_ITEM && ret_place->unresolved ? RC_OK : rc;
}
