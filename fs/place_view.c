/* place_view: what names in the directories of an index stand for. */
#include "fs/name.h"
#include "fs/place_private.h"
#include "index/backfill.h"
#include "index/entry.h"
#include <string.h>

static enum rc index_keys(const char *name, const struct entry_shape *shape, struct key *ret_keys)
{
	size_t n = strlen(name), at = 0, last = shape->count - 1;
	if (n <= NAME_SUFFIX_LEN || strcmp(name + n - NAME_SUFFIX_LEN, NAME_SUFFIX) != 0)
		return RC_NOT_FOUND;
	n -= NAME_SUFFIX_LEN;
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

enum rc place_index(struct volume *volume, struct place *place, const char *index_name, const char *key_name, const char *entry_name)
{
	const struct schema *schema;
	struct entry_shape shape;
	if (strlen(index_name) > NAME_BYTES_MAX)
		return RC_NOT_FOUND;
	strcpy(place->index, index_name);
	enum rc rc = key_name ? backfill_ready(place->table, NULL, index_name, NULL) : RC_OK;
	if (!rc)
		rc = table_schema(place->table, &schema);
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
		rc = place_search(volume, place, LISTING_INDEX_KEYS, key_name, types[0]);
	if (!rc && long_entry)
		rc = place_search(volume, place, LISTING_ENTRIES, entry_name, types[1]);
	return rc;
}
