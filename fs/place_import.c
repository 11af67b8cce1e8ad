/* place_import: whether an item that comes by its key, not by a name, has a name that leads to it. */
#include "fs/long_name.h"
#include "fs/name.h"
#include "fs/place_private.h"
#include "index/partition.h"
#include "index/table.h"

/* It could not be found out, which is nobody's fault who wrote the item. */
static bool is_trouble(enum rc rc)
{
	return rc == RC_NO_MEMORY || rc == RC_IO || rc == RC_CORRUPT || rc == RC_NO_SPACE || rc == RC_STALE;
}

static enum rc trouble(enum rc rc, const char *name, struct why *why)
{
	return why_set(why, rc, "whether another has its file name cannot be found out (%s): %s", rc_name(rc), name);
}

static enum rc taken(struct why *why)
{
	return why_set(why, RC_REFUSED, "another key has its file name already: the two have one hash");
}

/* In an undeclared table a cut name is itself a key, so no other may come under it. */
static enum rc undeclared(struct node *table, struct why *why)
{
	const struct schema *schema;
	enum rc rc = table_schema(table->table, &schema);
	if (rc)
		return why_set(why, rc, "the table is gone");
	bool declared = schema->declared;
	table_schema_done(table->table);
	return declared ? RC_OK : why_set(why, RC_REFUSED, "its file name would pass 255 bytes; in a table without .schema.json such a name is itself the key");
}

/* A name that is cut, by its hash, leads to one key only. A directory that was made under it, and waits for its key, gets this one. */
static enum rc admit_cut(struct frontend *front, struct node *table, const char *name, const struct key *pk, struct why *why)
{
	struct place place = {.unresolved = false};
	struct partition_record record;
	enum rc rc = undeclared(table, why);
	if (rc)
		return rc;
	rc = place_lookup(front, table, name, &place);
	if (is_trouble(rc))
		return trouble(rc, name, why);
	if (rc || place.kind != NODE_PARTITION)
		return why_set(why, RC_REFUSED, "no directory can have the name of its partition: %s", name);
	if (place.leaf.pk.type != KEY_PENDING)
		return key_equal(&place.leaf.pk, pk) ? RC_OK : taken(why);
	rc = partition_get(place.table, NULL, &place.leaf.pk, &record);
	if (!rc)
		rc = partition_settle(place.table, &place.leaf.pk, pk);
	if (is_trouble(rc))
		return trouble(rc, name, why);
	return !rc || rc == RC_NOT_FOUND ? RC_OK : why_set(why, RC_REFUSED, "its partition's directory cannot get this key");
}

enum rc place_admit_partition(struct frontend *front, struct node *table, const struct key *pk, struct why *why)
{
	char name[256];
	struct place plain;
	struct head head;
	struct table_counters counters;
	if (!place_key_name(pk, false, name))
		return why_set(why, RC_NO_MEMORY, "out of memory");
	if (long_name_at(name, ""))
		return admit_cut(front, table, name, pk, why);
	if (table_stat(table->table, NULL, &counters) == RC_OK && !counters.files)
		return RC_OK;
	if (place_as_plain(front, table, name, &plain) == RC_OK && leaf_get(&plain.leaf, NULL, &head, NULL) == RC_OK &&
	    !place_clash(front, table, name))
		return why_set(why, RC_REFUSED, "a plain file of the table has the name of its partition's directory");
	return RC_OK;
}

enum rc place_admit_item(struct frontend *front, struct node *table, const struct key *pk, const struct key *sk, struct why *why)
{
	char name[256];
	struct place place = {.kind = NODE_ITEM, .table = table->table};
	if (!sk->len)
		return RC_OK;
	if (!place_item_name(sk, true, name))
		return why_set(why, RC_NO_MEMORY, "out of memory");
	if (!long_name_at(name, NAME_SUFFIX))
		return RC_OK;
	place.leaf.pk = *pk;
	enum rc rc = undeclared(table, why);
	if (rc)
		return rc;
	rc = place_search(front->volume, &place, LISTING_ITEMS, name, sk->type);
	if (is_trouble(rc))
		return trouble(rc, name, why);
	return rc == RC_NOT_FOUND || (!rc && key_equal(&place.leaf.sk, sk)) ? RC_OK : taken(why);
}
