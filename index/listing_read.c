/* listing_read: what the rows of a listing say. */
#include "index/listing_private.h"
#include "index/private.h"
#include <string.h>

/* Whether the query's first step leaves a part of the place of which the number is not known: then nobody asks how many there are in all. */
static bool takes_part(const struct query *query)
{
	return query && query->count && query->steps[0].kind != STEP_FIRST && query->steps[0].kind != STEP_LAST;
}

enum rc listing_read_count(struct listing *l, const struct listing_place *place)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct partition_record record;
	struct table_counters counters;
	bool items = place->kind == LISTING_ITEMS;
	bool of_partition = place->pk && (items || place->kind == LISTING_FILES);
	if (place->prefix || takes_part(place->query))
		return RC_OK;
	if (!items && place->kind != LISTING_FILES && place->kind != LISTING_PARTITIONS)
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
		l->count = items ? record.items : record.files;
	else
		l->count = items ? counters.items : place->kind == LISTING_FILES ? counters.files : counters.partitions;
	return RC_OK;
}

static enum rc read_table(struct listing *l, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	struct row_reader reader = {value, value + value_n, false};
	uint32_t id = row_read_u32(&reader);
	size_t name_n = n - l->base;
	if (reader.bad || name_n >= sizeof l->entry.name)
		return RC_CORRUPT;
	memcpy(l->entry.name, row + l->base, name_n);
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

enum rc listing_read_row(struct listing *l)
{
	size_t n, value_n;
	item_free(l->item);
	l->item = NULL;
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
		rc = row_parse_item(row, n, l->has_sk, &l->entry.pk, &l->entry.key);
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

/* From the engine. */
static enum rc read_document(struct listing *l, struct buf *ret_document)
{
	size_t n, value_n;
	struct head head;
	const uint8_t *in;
	const uint8_t *value = store_cursor_value(l->cursor, &value_n);
	enum rc rc = head_read(value, value_n, &head, &in);
	if (!rc && in) {
		buf_add(ret_document, in, head.size);
	} else if (!rc) {
		cleanup_buf struct buf body = {0};
		const uint8_t *row = store_cursor_key(l->cursor, &n);
		row_body(&body, row, n);
		rc = store_get(l->volume->store, l->snapshot, body.data, body.len, ret_document);
		rc = rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	}
	return rc ? rc : ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

enum rc listing_document(struct listing *l, struct buf *ret_document)
{
	if (!l->item)
		return read_document(l, ret_document);
	buf_add(ret_document, l->document.data, l->document.len);
	return ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

enum rc listing_item(struct listing *l, const struct item **ret_item)
{
	enum rc rc = RC_OK;
	if (!l->item) {
		buf_clear(&l->document);
		rc = read_document(l, &l->document);
		if (!rc)
			rc = item_parse(l->document.data ? (const void *)l->document.data : "", l->document.len, &l->item, NULL);
		l->parsed++;
	}
	if (!rc)
		*ret_item = l->item;
	return rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG ? RC_CORRUPT : rc; /* it was taken when it was written */
}

uint64_t listing_parsed(const struct listing *l)
{
	return l->parsed;
}
