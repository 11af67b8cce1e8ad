/* listing: see listing.h. A range of rows and a cursor over it; index keys are found by jumping from the first entry of one to the first of the next. */
#include "index/listing.h"
#include "index/entry.h"
#include "index/private.h"
#include <stdlib.h>
#include <string.h>

struct listing {
	struct volume *volume;
	struct store_snapshot *snapshot; /* to read more rows by; borrowed or own */
	bool own;
	enum listing_kind kind;
	bool has_sk;
	/* How many there are, where the view says so. The engine finds out that a range has ended by passing over whatever was deleted behind it, which may be very much (temporary
	 * names come and go); who knows the count need not ask. */
	bool counted;
	uint64_t count;
	uint64_t seen; /* steps forward less steps back: it stands on the seen-th, or before the first */
	size_t key_count;
	struct buf low, high;
	struct store_cursor *cursor;
	struct listing_entry entry;
	struct key keys[ROW_KEYS_MAX];
};

/* Under the table's gate: the range, and what is needed to read its rows. */
static enum rc set_range(struct listing *l, const struct listing_place *place)
{
	struct table *table = place->table;
	switch (place->kind) {
	case LISTING_TABLES:
		row_catalog(&l->low, "");
		break;
	case LISTING_FILES:
		row_file(&l->low, table->id, place->pk, "", 0, false);
		break;
	case LISTING_PARTITIONS:
		row_partition(&l->low, table->id, NULL);
		break;
	case LISTING_ITEMS:
		l->has_sk = schema_has_sort(table->schema);
		row_item(&l->low, table->id, place->pk, NULL, false);
		break;
	case LISTING_INDEX_KEYS:
	case LISTING_ENTRIES: {
		const struct schema_index *index = schema_find_index(table->schema, place->index);
		if (!index)
			return RC_NOT_FOUND;
		struct entry_shape shape;
		entry_shape(table->schema, index, &shape);
		l->key_count = shape.count;
		row_entry(&l->low, table->id, index->id, &place->pk, place->kind == LISTING_ENTRIES, false);
		break;
	}
	}
	if (place->prefix) {
		key_encode(place->prefix, &l->low);
		l->low.len -= 2; /* its end, so that longer keys follow */
	}
	buf_add(&l->high, l->low.data, l->low.len);
	row_after(&l->high);
	return l->low.failed || l->high.failed ? RC_NO_MEMORY : RC_OK;
}

/* The count that the view keeps of what is listed. */
static enum rc read_count(struct listing *l, const struct listing_place *place)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct partition_record record;
	struct table_counters counters;
	bool of_partition = place->kind == LISTING_ITEMS || (place->kind == LISTING_FILES && place->pk);
	if (place->prefix)
		return RC_OK;
	if (!of_partition && place->kind != LISTING_FILES && place->kind != LISTING_PARTITIONS)
		return RC_OK;
	if (of_partition)
		row_partition(&row, place->table->id, place->pk);
	else
		row_counters(&row, place->table->id);
	enum rc rc = store_get(l->volume->store, l->snapshot, row.data, row.len, &value);
	l->counted = true;
	if (rc == RC_NOT_FOUND)
		return RC_OK; /* no such partition in this view */
	if (!rc)
		rc = of_partition ? partition_read(value.data, value.len, &record) : counters_read(value.data, value.len, &counters);
	if (rc)
		return rc;
	if (of_partition)
		l->count = place->kind == LISTING_ITEMS ? record.items : record.files;
	else
		l->count = place->kind == LISTING_FILES ? counters.files : counters.partitions;
	return RC_OK;
}

enum rc listing_open(struct volume *volume, const struct view *view, const struct listing_place *place, struct listing **ret_listing)
{
	struct listing *l = calloc(1, sizeof *l);
	if (!l)
		return RC_NO_MEMORY;
	l->volume = volume;
	l->kind = place->kind;
	l->snapshot = view_snapshot(view);
	l->entry.keys = l->keys;
	enum rc rc = place->table ? table_enter(place->table) : RC_OK;
	if (!rc) {
		rc = set_range(l, place);
		if (!rc && !l->snapshot) {
			rc = store_snapshot_take(volume->store, &l->snapshot);
			l->own = !rc;
		}
		if (!rc)
			rc = read_count(l, place);
		if (place->table)
			table_leave(place->table);
	}
	if (!rc)
		rc = store_cursor_open(volume->store, l->snapshot, l->low.data, l->low.len, l->high.data, l->high.len, &l->cursor);
	if (rc) {
		listing_close(l);
		return rc;
	}
	*ret_listing = l;
	return RC_OK;
}

void listing_close(struct listing *listing)
{
	if (!listing)
		return;
	store_cursor_close(listing->cursor);
	if (listing->own)
		store_snapshot_release(listing->volume->store, listing->snapshot);
	buf_free(&listing->low);
	buf_free(&listing->high);
	free(listing);
}

static enum rc read_table(struct listing *l, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	struct row_reader reader = {value, value + value_n, false};
	uint32_t id = row_read_u32(&reader);
	size_t name_n = n - l->low.len;
	if (reader.bad || name_n >= sizeof l->entry.name)
		return RC_CORRUPT;
	memcpy(l->entry.name, row + l->low.len, name_n);
	l->entry.name[name_n] = 0;
	cleanup_buf struct buf key = {0}, bytes = {0};
	struct table_counters counters;
	struct table_record record;
	row_counters(&key, id);
	enum rc rc = store_get(l->volume->store, l->snapshot, key.data, key.len, &bytes);
	if (!rc)
		rc = counters_read(bytes.data, bytes.len, &counters);
	buf_clear(&key);
	buf_clear(&bytes);
	row_table(&key, id);
	if (!rc)
		rc = store_get(l->volume->store, l->snapshot, key.data, key.len, &bytes);
	if (!rc)
		rc = table_read(bytes.data, bytes.len, &record);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	l->entry.meta = counters.meta;
	l->entry.identity = record.identity;
	return RC_OK;
}

static enum rc read_file(struct listing *l, const uint8_t *row, size_t n)
{
	bool inside;
	struct key pk;
	const char *name;
	size_t name_n;
	enum rc rc = row_parse_file(row, n, &inside, &pk, &name, &name_n);
	if (rc)
		return rc;
	memcpy(l->entry.name, name, name_n);
	l->entry.name[name_n] = 0;
	return RC_OK;
}

static enum rc read_partition(struct listing *l, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	struct partition_record record;
	enum rc rc = row_parse_partition(row, n, &l->entry.key);
	if (!rc)
		rc = partition_read(value, value_n, &record);
	if (rc)
		return rc;
	l->entry.meta = record.meta;
	l->entry.birth = record.birth;
	return RC_OK;
}

static enum rc read_head(struct listing *l, const uint8_t *value, size_t value_n)
{
	const uint8_t *in;
	enum rc rc = head_read(value, value_n, &l->entry.head, &in);
	if (!rc)
		l->entry.meta = l->entry.head.meta;
	return rc;
}

static enum rc read_row(struct listing *l)
{
	size_t n, value_n;
	struct key pk;
	const uint8_t *row = store_cursor_key(l->cursor, &n);
	const uint8_t *value = store_cursor_value(l->cursor, &value_n);
	enum rc rc = RC_OK;
	switch (l->kind) {
	case LISTING_TABLES:
		return read_table(l, row, n, value, value_n);
	case LISTING_PARTITIONS:
		return read_partition(l, row, n, value, value_n);
	case LISTING_FILES:
		rc = read_file(l, row, n);
		break;
	case LISTING_ITEMS:
		l->entry.key.len = 0;
		rc = row_parse_item(row, n, l->has_sk, &pk, &l->entry.key);
		break;
	case LISTING_INDEX_KEYS:
	case LISTING_ENTRIES:
		rc = row_parse_entry(row, n, l->keys, l->key_count);
		l->entry.key_count = l->key_count;
		if (!rc)
			l->entry.key = l->keys[0];
		break;
	}
	return rc ? rc : read_head(l, value, value_n);
}

/* The row prefix of the index key that the cursor stands on. */
static enum rc key_prefix(struct listing *l, struct buf *prefix)
{
	buf_add(prefix, l->low.data, l->low.len);
	key_encode(&l->entry.key, prefix);
	return prefix->failed ? RC_NO_MEMORY : RC_OK;
}

/* Onto the first entry of the index key that it stands on. */
static enum rc seek_key(struct listing *l)
{
	cleanup_buf struct buf first = {0};
	enum rc rc = key_prefix(l, &first);
	return rc ? rc : store_cursor_seek(l->cursor, first.data, first.len);
}

static enum rc seek_next_key(struct listing *l)
{
	cleanup_buf struct buf after = {0};
	enum rc rc = key_prefix(l, &after);
	row_after(&after);
	return rc ? rc : store_cursor_seek(l->cursor, after.data, after.len);
}

enum rc listing_next(struct listing *l, const struct listing_entry **ret_entry)
{
	bool keys = l->kind == LISTING_INDEX_KEYS;
	if (l->counted && l->seen == l->count)
		return RC_NOT_FOUND;
	enum rc rc = keys && l->seen ? seek_next_key(l) : store_cursor_next(l->cursor);
	if (rc == RC_NOT_FOUND) { /* back onto the last */
		rc = !l->seen ? RC_OK : keys ? seek_key(l) : store_cursor_prev(l->cursor);
		return rc ? rc : RC_NOT_FOUND;
	}
	if (!rc)
		rc = read_row(l);
	if (rc)
		return rc;
	l->seen++;
	*ret_entry = &l->entry;
	return RC_OK;
}

enum rc listing_prev(struct listing *l)
{
	enum rc rc = RC_OK;
	if (!l->seen)
		return RC_NOT_FOUND;
	if (l->kind == LISTING_INDEX_KEYS)
		rc = seek_key(l);
	if (!rc)
		rc = store_cursor_prev(l->cursor);
	l->seen--;
	if (!l->seen)
		return rc && rc != RC_NOT_FOUND ? rc : RC_NOT_FOUND; /* before the first */
	return rc ? rc : read_row(l);
}

enum rc listing_get_entry(struct table *table, const struct view *view, const char *index_name, const struct key *keys, size_t count,
			  struct head *ret_head, struct buf *ret_document)
{
	const struct key *each[ROW_KEYS_MAX];
	cleanup_buf struct buf row = {0}, value = {0};
	const uint8_t *in;
	struct store *store = table->volume->store;
	struct store_snapshot *own = NULL;
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	const struct schema_index *index = schema_find_index(table->schema, index_name);
	uint32_t id = table->id, index_id = index ? index->id : 0;
	table_leave(table);
	if (!index || count > ROW_KEYS_MAX)
		return RC_NOT_FOUND;
	for (size_t i = 0; i < count; i++)
		each[i] = &keys[i];
	/* Head and body are two reads: they must be of one moment. */
	if (!view && ret_document)
		rc = store_snapshot_take(store, &own);
	const struct store_snapshot *at = view ? view_snapshot(view) : own;
	row_entry(&row, id, index_id, each, count, false);
	if (!rc)
		rc = store_get(store, at, row.data, row.len, &value);
	if (!rc)
		rc = head_read(value.data, value.len, ret_head, &in);
	if (!rc && ret_document && in) {
		buf_add(ret_document, in, ret_head->size);
	} else if (!rc && ret_document) {
		buf_clear(&row);
		row_entry(&row, id, index_id, each, count, true);
		rc = store_get(store, at, row.data, row.len, ret_document);
		rc = rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	}
	store_snapshot_release(store, own);
	return rc ? rc : ret_document && ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

enum rc listing_has_index_key(struct table *table, const struct view *view, const char *index, const struct key *key)
{
	struct listing_place place = {.kind = LISTING_ENTRIES, .table = table, .pk = key, .index = index};
	struct listing *listing;
	const struct listing_entry *entry;
	enum rc rc = listing_open(table->volume, view, &place, &listing);
	if (rc)
		return rc;
	rc = listing_next(listing, &entry);
	listing_close(listing);
	return rc;
}
