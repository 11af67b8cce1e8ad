/* place_search: from names that were cut to their keys: the one among the stored keys that has this name, or the one that a document holds. */
#include "fs/long_name.h"
#include "fs/name.h"
#include "fs/place_private.h"
#include "index/listing.h"
#include <string.h>

enum rc place_search(struct volume *volume, struct place *place, enum listing_kind kind, const char *name, enum key_type type)
{
	struct key prefix;
	struct listing_place where = {.kind = kind, .table = place->table, .index = place->index};
	struct listing *listing;
	const struct listing_entry *entry;
	char its[256];
	size_t n = long_name_at(name, kind == LISTING_INDEX_KEYS ? "" : NAME_SUFFIX);
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
