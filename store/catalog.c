/* catalog: see catalog.h. */
#include "store/catalog.h"
#include <string.h>

static const char MAGIC[7] = {'i', 't', 'e', 'm', 'f', 's', '\n'};

enum { TABLE_DECLARED = 1, TABLE_NAMED = 2, TABLE_DATED = 4, BUILD_ENDED = 1 };

void volume_write(struct buf *value, const struct volume_record *record)
{
	buf_add(value, MAGIC, sizeof MAGIC);
	buf_add_u32(value, record->format);
	buf_add_u32(value, record->next_table);
	buf_add_u64(value, record->next_refusal);
	buf_add_u64(value, record->sequence);
}

enum rc volume_read(const uint8_t *value, size_t n, struct volume_record *ret_record)
{
	struct row_reader reader = {value, value + n, false};
	const uint8_t *magic = row_read_bytes(&reader, sizeof MAGIC);
	if (!magic || memcmp(magic, MAGIC, sizeof MAGIC) != 0)
		return RC_CORRUPT;
	struct volume_record record = {.format = row_read_u32(&reader)};
	if (!reader.bad && record.format > ROW_FORMAT) {
		ret_record->format = record.format;
		return RC_UNSUPPORTED; /* what follows may be anything */
	}
	record.next_table = row_read_u32(&reader);
	record.next_refusal = row_read_u64(&reader);
	record.sequence = row_read_u64(&reader);
	if (reader.bad || reader.at != reader.end || !record.format || !record.next_table)
		return RC_CORRUPT;
	*ret_record = record;
	return RC_OK;
}

void table_write(struct buf *value, const struct table_record *record)
{
	buf_add_byte(value, (record->declared ? TABLE_DECLARED : 0) | (record->named ? TABLE_NAMED : 0) | (record->created ? TABLE_DATED : 0));
	buf_add_u64(value, record->identity);
	if (record->created)
		buf_add_u64(value, (uint64_t)record->created);
	row_add_meta(value, &record->meta);
	buf_add_u64(value, record->birth);
	buf_add_u64(value, record->version);
	buf_add_u32(value, record->next_index);
	buf_add_u32(value, record->indexes);
	for (uint32_t i = 0; i < record->indexes; i++)
		buf_add_u32(value, record->index_id[i]);
	buf_add(value, record->document, record->document_len);
}

enum rc table_read(const uint8_t *value, size_t n, struct table_record *ret_record)
{
	struct row_reader reader = {value, value + n, false};
	struct table_record record = {0};
	uint8_t flags = row_read_u8(&reader);
	record.declared = flags & TABLE_DECLARED;
	record.named = flags & TABLE_NAMED;
	record.identity = row_read_u64(&reader);
	if (flags & TABLE_DATED)
		record.created = (int64_t)row_read_u64(&reader);
	row_read_meta(&reader, &record.meta);
	record.birth = row_read_u64(&reader);
	record.version = row_read_u64(&reader);
	record.next_index = row_read_u32(&reader);
	record.indexes = row_read_u32(&reader);
	if (reader.bad || flags > (TABLE_DECLARED | TABLE_NAMED | TABLE_DATED) || record.indexes > CATALOG_INDEXES_MAX)
		return RC_CORRUPT;
	for (uint32_t i = 0; i < record.indexes; i++)
		record.index_id[i] = row_read_u32(&reader);
	if (reader.bad || (record.named && !record.declared) || (flags & TABLE_DATED && !record.created))
		return RC_CORRUPT;
	record.document = reader.at;
	record.document_len = (uint32_t)(reader.end - reader.at);
	*ret_record = record;
	return RC_OK;
}

void build_write(struct buf *value, const struct build_record *record)
{
	buf_add_byte(value, record->ended ? BUILD_ENDED : 0);
	buf_add_u64(value, (uint64_t)record->started);
	buf_add_u64(value, (uint64_t)record->finished);
	buf_add_u64(value, record->worked);
	buf_add_u64(value, record->done);
	buf_add_u64(value, record->skipped);
	buf_add_u64(value, record->misfits);
	buf_add(value, record->cursor, record->cursor_len);
}

enum rc build_read(const uint8_t *value, size_t n, struct build_record *ret_record)
{
	struct row_reader reader = {value, value + n, false};
	struct build_record record = {0};
	uint8_t flags = row_read_u8(&reader);
	record.ended = flags & BUILD_ENDED;
	record.started = (int64_t)row_read_u64(&reader);
	record.finished = (int64_t)row_read_u64(&reader);
	record.worked = row_read_u64(&reader);
	record.done = row_read_u64(&reader);
	record.skipped = row_read_u64(&reader);
	record.misfits = row_read_u64(&reader);
	if (reader.bad || flags > BUILD_ENDED || record.skipped > record.done || record.misfits > record.skipped)
		return RC_CORRUPT;
	record.cursor = reader.at;
	record.cursor_len = (uint32_t)(reader.end - reader.at);
	*ret_record = record;
	return RC_OK;
}

void counters_write(struct buf *value, const struct table_counters *counters)
{
	row_add_meta(value, &counters->meta);
	buf_add_u64(value, counters->partitions);
	buf_add_u64(value, counters->files);
	buf_add_u64(value, counters->items);
	buf_add_u64(value, counters->bytes);
	buf_add_u32(value, counters->indexes);
	for (uint32_t i = 0; i < counters->indexes; i++) {
		buf_add_u32(value, counters->index[i].id);
		buf_add_u64(value, counters->index[i].entries);
		buf_add_u64(value, counters->index[i].bytes);
	}
}

enum rc counters_read(const uint8_t *value, size_t n, struct table_counters *ret_counters)
{
	struct row_reader reader = {value, value + n, false};
	struct table_counters c;
	row_read_meta(&reader, &c.meta);
	c.partitions = row_read_u64(&reader);
	c.files = row_read_u64(&reader);
	c.items = row_read_u64(&reader);
	c.bytes = row_read_u64(&reader);
	c.indexes = row_read_u32(&reader);
	if (reader.bad || c.indexes > CATALOG_INDEXES_MAX)
		return RC_CORRUPT;
	for (uint32_t i = 0; i < c.indexes; i++) {
		c.index[i].id = row_read_u32(&reader);
		c.index[i].entries = row_read_u64(&reader);
		c.index[i].bytes = row_read_u64(&reader);
	}
	if (reader.bad || reader.at != reader.end)
		return RC_CORRUPT;
	*ret_counters = c;
	return RC_OK;
}

struct index_counters *counters_of(struct table_counters *counters, uint32_t id)
{
	for (uint32_t i = 0; i < counters->indexes; i++)
		if (counters->index[i].id == id)
			return &counters->index[i];
	if (counters->indexes == CATALOG_INDEXES_MAX)
		return NULL;
	struct index_counters *fresh = &counters->index[counters->indexes++];
	*fresh = (struct index_counters){.id = id};
	return fresh;
}

void counters_drop(struct table_counters *counters, uint32_t id)
{
	for (uint32_t i = 0; i < counters->indexes; i++)
		if (counters->index[i].id == id)
			counters->index[i] = counters->index[--counters->indexes];
}
