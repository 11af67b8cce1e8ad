/* listing: see listing.h. A range of rows and a cursor over it; index keys are found by jumping from the rows of one to those of the next. */
#include "index/listing.h"
#include "index/entry.h"
#include "index/listing_private.h"
#include "index/private.h"
#include <stdlib.h>
#include <string.h>

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
		l->table = table->id;
		l->has_sk = schema_has_sort(table->schema);
		row_partition(&l->low, table->id, NULL);
		break;
	case LISTING_ITEMS:
		l->has_sk = schema_has_sort(table->schema);
		row_item(&l->low, table->id, NULL, NULL, false);
		break;
	case LISTING_INDEX_KEYS:
	case LISTING_ENTRIES: {
		const struct schema_index *index = schema_find_index(table->schema, place->index);
		if (!index)
			return RC_NOT_FOUND;
		struct entry_shape shape;
		entry_shape(table->schema, index, &shape);
		l->key_count = shape.count;
		row_entry(&l->low, table->id, index->id, NULL, 0, false);
		break;
	}
	}
	l->base = l->low.len;
	if (place->pk && (place->kind == LISTING_ITEMS || place->kind == LISTING_ENTRIES))
		key_encode(place->pk, &l->low);
	buf_add(&l->place, l->low.data, l->low.len);
	if (place->prefix) {
		key_encode(place->prefix, &l->low);
		l->low.len -= 2; /* its end, so that longer keys follow */
	}
	buf_add(&l->high, l->low.data, l->low.len);
	row_after(&l->high);
	return l->place.failed || l->low.failed || l->high.failed ? RC_NO_MEMORY : RC_OK;
}

/* An index is not read before it is filled. */
static enum rc ready(const struct listing *l, const struct listing_place *place)
{
	if (place->kind != LISTING_INDEX_KEYS && place->kind != LISTING_ENTRIES)
		return RC_OK;
	return backfill_ready_at(place->table, schema_find_index(place->table->schema, place->index), l->snapshot);
}

/* NULL: no memory. */
static struct listing *new(struct volume *volume, enum listing_kind kind)
{
	size_t keys = kind == LISTING_INDEX_KEYS || kind == LISTING_ENTRIES ? ROW_KEYS_MAX : 0; /* two kilobytes each */
	struct listing *l = calloc(1, sizeof *l + keys * sizeof *l->keys);
	if (!l)
		return NULL;
	l->volume = volume;
	l->kind = kind;
	l->limit = QUERY_ALL;
	l->entry.keys = l->keys;
	return l;
}

enum rc listing_begin(struct volume *volume, const struct view *view, const struct listing_place *place, struct listing **ret_listing)
{
	struct listing *l = new(volume, place->kind);
	if (!l)
		return RC_NO_MEMORY;
	l->query = place->query;
	l->whole = !place->pk && (place->kind == LISTING_ITEMS || place->kind == LISTING_ENTRIES);
	l->snapshot = view_snapshot(place->table ? table_view(place->table, view) : view);
	enum rc rc = place->table ? table_enter(place->table) : RC_OK;
	if (!rc) {
		rc = set_range(l, place);
		if (!rc && !l->snapshot) {
			rc = store_snapshot_take(volume->store, &l->snapshot);
			l->own = !rc;
		}
		if (!rc)
			rc = ready(l, place);
		if (!rc)
			rc = listing_read_count(l, place);
		if (place->table)
			table_leave(place->table);
	}
	if (rc)
		listing_close(l);
	else
		*ret_listing = l;
	return rc;
}

/* The query may have to count limits out, and so waits for the first step: who opens a listing may hold locks. */
static enum rc carry_out(struct listing *l)
{
	if (l->carried_out)
		return l->failed;
	l->carried_out = true;
	l->failed = listing_narrow(l);
	if (!l->failed)
		l->failed = listing_start(l);
	return l->failed;
}

/* Who pays for it: not for the search of a name that was cut (a prefix). */
static void charge_to(struct listing *l, const struct listing_place *place)
{
	if ((place->kind != LISTING_ITEMS && place->kind != LISTING_ENTRIES) || place->prefix || table_enter(place->table))
		return;
	const struct schema_index *index = place->kind == LISTING_ENTRIES ? schema_find_index(place->table->schema, place->index) : NULL;
	l->charged_index = index ? index->id : 0;
	if (index || place->kind == LISTING_ITEMS)
		l->charged = table_ref(place->table);
	table_leave(place->table);
}

enum rc listing_open(struct volume *volume, const struct view *view, const struct listing_place *place, struct listing **ret_listing)
{
	struct listing *l;
	enum rc rc = listing_begin(volume, view, place, &l);
	if (rc)
		return rc;
	charge_to(l, place);
	if (!l->query)
		rc = carry_out(l);
	if (rc)
		listing_close(l);
	else
		*ret_listing = l;
	return rc;
}

static void charge(struct listing *l)
{
	if (l->charged && l->asked)
		usage_add(l->charged, l->charged_index, usage_units(l->evaluated, USAGE_READ_UNIT), 0);
	table_unref(l->charged);
	l->charged = NULL;
}

/* By rows and not by the table, whose definition may be another by now. */
static enum rc open_items(const struct listing *l, struct listing **ret_items)
{
	struct listing *items = new(l->volume, LISTING_ITEMS);
	if (!items)
		return RC_NO_MEMORY;
	items->snapshot = l->snapshot;
	items->has_sk = l->has_sk;
	items->query = l->query;
	row_item(&items->place, l->table, NULL, NULL, false);
	items->base = items->place.len;
	key_encode(&l->entry.key, &items->place);
	buf_add(&items->low, items->place.data, items->place.len);
	buf_add(&items->high, items->place.data, items->place.len);
	row_after(&items->high);
	enum rc rc = items->place.failed ? RC_NO_MEMORY : listing_narrow(items);
	if (!rc)
		rc = listing_start(items);
	if (rc)
		listing_close(items);
	else
		*ret_items = items;
	return rc;
}

enum rc listing_holds_any(struct listing *l, bool *ret_any)
{
	struct listing *items;
	const struct listing_entry *entry;
	enum rc rc = open_items(l, &items);
	if (rc)
		return rc;
	rc = listing_next(items, &entry);
	*ret_any = !rc;
	l->rows += items->rows;
	listing_close(items);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

void listing_close(struct listing *listing)
{
	if (!listing)
		return;
	charge(listing);
	store_cursor_close(listing->cursor);
	if (listing->own)
		store_snapshot_release(listing->volume->store, listing->snapshot);
	buf_free(&listing->place);
	buf_free(&listing->low);
	buf_free(&listing->high);
	item_free(listing->item);
	buf_free(&listing->document);
	free(listing);
}

enum rc listing_start(struct listing *l)
{
	store_cursor_close(l->cursor);
	l->cursor = NULL;
	l->jump = false;
	l->evaluated = 0;
	enum rc rc = rows_cursor(l->volume->store, l->snapshot, &l->low, &l->high, &l->cursor);
	if (!rc && l->descending)
		store_cursor_end(l->cursor);
	return rc;
}

/* Over all rows that have the partition key of the one it stands on. */
static enum rc jump(struct listing *l, bool forward)
{
	cleanup_buf struct buf row = {0};
	buf_add(&row, l->place.data, l->base);
	key_encode(listing_group(l), &row);
	if (forward)
		row_after(&row);
	if (row.failed)
		return RC_NO_MEMORY;
	enum rc rc = store_cursor_seek(l->cursor, row.data, row.len);
	return rc || forward ? rc : store_cursor_prev(l->cursor);
}

enum rc listing_advance(struct listing *l, bool back)
{
	bool forward = l->descending == back, of_it = false;
	enum rc rc = RC_OK;
	while (!rc && !of_it) {
		l->rows++;
		rc = l->jump ? jump(l, forward) : forward ? store_cursor_next(l->cursor) : store_cursor_prev(l->cursor);
		l->jump = false;
		if (!rc)
			rc = listing_read_row(l);
		if (!rc && !back && l->seen >= l->furthest)
			l->evaluated += l->entry.head.measure;
		if (!rc)
			rc = listing_admits(l, &of_it);
		if (!rc && !of_it && volume_breaks_off(l->volume))
			rc = RC_INTERRUPTED;
	}
	return rc;
}

enum rc listing_next(struct listing *l, const struct listing_entry **ret_entry)
{
	enum rc rc = carry_out(l);
	if (rc)
		return rc;
	l->asked = true;
	if (l->counted && l->seen == l->count)
		return RC_NOT_FOUND;
	rc = listing_advance(l, false);
	if (rc == RC_NOT_FOUND) {
		l->counted = l->past = true;
		l->count = l->seen;
	}
	if (rc)
		return rc;
	l->seen++;
	if (l->furthest < l->seen)
		l->furthest = l->seen;
	*ret_entry = &l->entry;
	return RC_OK;
}

enum rc listing_prev(struct listing *l)
{
	enum rc rc = RC_OK;
	if (!l->seen)
		return RC_NOT_FOUND;
	if (l->past) /* onto the last */
		rc = listing_advance(l, true);
	l->past = false;
	if (!rc)
		rc = listing_advance(l, true);
	if (rc && (rc != RC_NOT_FOUND || l->seen > 1))
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	l->seen--;
	return rc;
}

uint64_t listing_rows(const struct listing *listing)
{
	return listing->rows;
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
	view = table_view(table, view);
	rc = index && count <= ROW_KEYS_MAX ? backfill_ready_at(table, index, view_snapshot(view)) : RC_NOT_FOUND;
	/* Head and body are two reads: they must be of one moment, and that one in which the index is there: of one that was dropped either may be gone. */
	if (!rc && !view && ret_document)
		rc = store_snapshot_take(store, &own);
	table_leave(table);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		each[i] = &keys[i];
	const struct store_snapshot *at = view ? view_snapshot(view) : own;
	row_entry(&row, id, index_id, each, count, false);
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
	if (!rc && ret_document)
		usage_add(table, index_id, usage_units(ret_head->measure, USAGE_READ_UNIT), 0);
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
	listing->asked = false; /* a name that is looked up costs nothing */
	listing_close(listing);
	return rc;
}
