/* place_search: from names that were cut to their keys: the one among the stored keys that has this name, or the one that a document holds. */
#include "fs/long_name.h"
#include "fs/name.h"
#include "fs/place_private.h"
#include "index/listing.h"
#include "index/partition.h"
#include <string.h>

enum rc place_search(struct volume *volume, struct place *place, enum listing_kind kind, const char *name, enum key_type type)
{
	struct key prefix;
	struct listing_place where = {.kind = kind, .table = place->table, .index = place->index};
	struct listing *listing;
	const struct listing_entry *entry;
	char its[256];
	bool directory = kind == LISTING_INDEX_KEYS || kind == LISTING_PARTITIONS;
	size_t n = long_name_at(name, directory ? "" : NAME_SUFFIX);
	if (!n)
		return RC_NOT_FOUND;
	const char *comma = kind == LISTING_ENTRIES ? memchr(name, ',', n) : NULL;
	if (comma)
		n = (size_t)(comma - name);
	long_name_prefix(name, n, type, &prefix);
	where.pk = kind == LISTING_ITEMS ? &place->leaf.pk : kind == LISTING_ENTRIES ? &place->keys[0] : NULL;
	where.prefix = type == KEY_N ? NULL : &prefix;
	enum rc rc = listing_open(volume, NULL, &where, &listing);
	if (rc)
		return rc;
	while (!(rc = listing_next(listing, &entry))) {
		bool made = kind == LISTING_ITEMS	  ? place_item_name(&entry->key, true, its)
			    : kind == LISTING_ENTRIES ? place_entry_name(entry->keys, entry->key_count, its)
						      : place_key_name(&entry->key, kind == LISTING_INDEX_KEYS, its);
		if (!made || strcmp(its, name) != 0)
			continue;
		if (kind == LISTING_ITEMS)
			place->leaf.sk = entry->key;
		else if (kind == LISTING_PARTITIONS)
			place->leaf.pk = entry->key;
		else
			memcpy(place->keys, entry->keys, (kind == LISTING_ENTRIES ? entry->key_count : 1) * sizeof *entry->keys);
		break;
	}
	listing_close(listing);
	return rc;
}

enum rc place_search_clash(struct volume *volume, struct place *place, const char *name)
{
	struct listing_place where = {.kind = LISTING_FILES, .table = place->table};
	struct listing *listing;
	const struct listing_entry *entry;
	char its[256];
	enum rc rc = listing_open(volume, NULL, &where, &listing);
	if (rc)
		return rc;
	while (!(rc = listing_next(listing, &entry)))
		if (place_clash_name(entry->name, its) && strcmp(its, name) == 0) {
			strcpy(place->leaf.name, entry->name);
			break;
		}
	listing_close(listing);
	return rc;
}

/* What the document says has this name, and no other key has it already: the same name is the same beginning and the same hash. */
static enum rc same_name(const char *what, const char *its, const char *name, const struct key *known, const struct key *told, struct why *why)
{
	if (strcmp(its, name) != 0)
		return why_set(why, RC_REFUSED, "by the key that the document holds its %sname is %s", what, its);
	if (known && !key_equal(known, told))
		return why_set(why, RC_REFUSED, "another key has this %sname already: the two have one hash", what);
	return RC_OK;
}

enum rc place_resolve(struct place *place, const char *name, bool moved, const void *document, size_t len, struct why *why)
{
	char its[256];
	struct leaf told = place->leaf;
	bool pk_known = place->leaf.pk.type != KEY_PENDING, sk_known = !place->unresolved || !place->cut_sk;
	enum rc rc = leaf_resolve(&told, place->cut_pk, place->cut_sk, document, len, why);
	if (!rc && place->cut_pk && !(moved && pk_known)) {
		if (!place_key_name(&told.pk, false, its))
			return RC_NO_MEMORY;
		rc = same_name("partition's ", its, place->parent->name, pk_known ? &place->leaf.pk : NULL, &told.pk, why);
	}
	if (!rc && place->cut_sk && !(moved && sk_known)) {
		if (!place_item_name(&told.sk, true, its))
			return RC_NO_MEMORY;
		rc = same_name("", its, name, sk_known ? &place->leaf.sk : NULL, &told.sk, why);
	}
	if (rc)
		return rc;
	if (!pk_known)
		place->leaf.pk = told.pk;
	if (!sk_known)
		place->leaf.sk = told.sk;
	place->unresolved = false;
	return RC_OK;
}

bool place_pending(const struct place *place)
{
	return place->kind == NODE_ITEM && place->cut_pk && place->leaf.pk.type == KEY_PENDING;
}

enum rc place_settle(struct place *place, const void *document, size_t len, struct why *why)
{
	struct key pending;
	enum rc rc = leaf_check(&place->leaf, document, len, why);
	if (rc)
		return rc;
	key_pending(place->parent->name, &pending);
	rc = partition_settle(place->table, &pending, &place->leaf.pk);
	return rc == RC_CROSS ? why_set(why, rc, "its plain files are more than can be moved in one commit") : rc;
}
