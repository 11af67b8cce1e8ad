/* rows: see rows.h for the format that is kept here. Decoding never trusts a length or a letter. */
#include "store/rows.h"
#include <endian.h>
#include <string.h>

enum { HEAD_BYTES = 61, HEAD_INLINE = 1, PARTITION_IMPLICIT = 1, DIR_TABLE = 0, DIR_PARTITION = 1, PREFIX = 5 };

static void row_start(struct buf *key, uint32_t table, char letter)
{
	buf_add_u32(key, table);
	buf_add_byte(key, (uint8_t)letter);
}

/* A row that could not be composed is empty, never a shorter one: the engine has none such (store.h). */
static void row_end(struct buf *key)
{
	if (key->failed)
		key->len = 0;
}

void row_volume(struct buf *key)
{
	row_start(key, 0, 'V');
	row_end(key);
}

void row_root(struct buf *key)
{
	row_start(key, 0, 'M');
	row_end(key);
}

void row_catalog(struct buf *key, const char *name)
{
	row_start(key, 0, 'T');
	buf_add_text(key, name);
	row_end(key);
}

void row_dead(struct buf *key, uint32_t table, uint32_t index)
{
	row_start(key, 0, 'D');
	buf_add_u32(key, table);
	if (index)
		buf_add_u32(key, index);
	row_end(key);
}

void row_refusal(struct buf *key, uint64_t id, bool body)
{
	row_start(key, 0, body ? 'S' : 'R');
	buf_add_u64(key, id);
	row_end(key);
}

void row_error(struct buf *key, uint64_t id)
{
	row_start(key, 0, 'E');
	buf_add_u64(key, id);
	row_end(key);
}

void row_table(struct buf *key, uint32_t table)
{
	row_start(key, table, 'T');
	row_end(key);
}

void row_counters(struct buf *key, uint32_t table)
{
	row_start(key, table, 'C');
	row_end(key);
}

void row_partition(struct buf *key, uint32_t table, const struct key *pk)
{
	row_start(key, table, 'P');
	if (pk)
		key_encode(pk, key);
	row_end(key);
}

void row_item(struct buf *key, uint32_t table, const struct key *pk, const struct key *sk, bool body)
{
	row_start(key, table, body ? 'B' : 'H');
	if (pk)
		key_encode(pk, key);
	if (sk)
		key_encode(sk, key);
	row_end(key);
}

void row_file(struct buf *key, uint32_t table, const struct key *pk, const char *name, size_t n, bool body)
{
	row_start(key, table, body ? 'G' : 'F');
	buf_add_byte(key, pk ? DIR_PARTITION : DIR_TABLE);
	if (pk)
		key_encode(pk, key);
	buf_add(key, name, n);
	row_end(key);
}

void row_build(struct buf *key, uint32_t table, uint32_t index)
{
	row_start(key, table, 'U');
	buf_add_u32(key, index);
}

void row_entry(struct buf *key, uint32_t table, uint32_t index, const struct key *const *keys, size_t n, bool body)
{
	row_start(key, table, body ? 'J' : 'I');
	buf_add_u32(key, index);
	for (size_t i = 0; i < n; i++)
		key_encode(keys[i], key);
	row_end(key);
}

void row_body(struct buf *key, const uint8_t *head_row, size_t n)
{
	uint8_t letter = row_letter(head_row, n);
	buf_add(key, head_row, n);
	if (!key->failed)
		key->data[key->len - n + PREFIX - 1] = letter == 'H' ? 'B' : letter == 'F' ? 'G' : 'J';
}

void row_after(struct buf *prefix)
{
	while (prefix->len && prefix->data[prefix->len - 1] == 0xff)
		prefix->len--;
	if (prefix->len)
		prefix->data[prefix->len - 1]++;
}

enum rc row_parse_partition(const uint8_t *row, size_t n, struct key *ret_pk)
{
	size_t used;
	if (n < PREFIX || key_decode(row + PREFIX, n - PREFIX, ret_pk, &used) || used != n - PREFIX)
		return RC_CORRUPT;
	return RC_OK;
}

enum rc row_parse_item(const uint8_t *row, size_t n, bool has_sk, struct key *ret_pk, struct key *ret_sk)
{
	size_t used, at = PREFIX;
	if (n < at || key_decode(row + at, n - at, ret_pk, &used))
		return RC_CORRUPT;
	at += used;
	if (has_sk) {
		if (key_decode(row + at, n - at, ret_sk, &used))
			return RC_CORRUPT;
		at += used;
	}
	return at == n ? RC_OK : RC_CORRUPT;
}

enum rc row_parse_file(const uint8_t *row, size_t n, bool *ret_in_partition, struct key *ret_pk, const char **ret_name,
		       size_t *ret_name_n)
{
	size_t used = 0, at = PREFIX + 1;
	if (n < at || row[PREFIX] > DIR_PARTITION)
		return RC_CORRUPT;
	*ret_in_partition = row[PREFIX] == DIR_PARTITION;
	if (*ret_in_partition && key_decode(row + at, n - at, ret_pk, &used))
		return RC_CORRUPT;
	at += used;
	*ret_name = (const char *)row + at;
	*ret_name_n = n - at;
	bool sound = n - at >= 1 && n - at <= 255 && !memchr(row + at, '/', n - at) && !memchr(row + at, 0, n - at);
	return sound ? RC_OK : RC_CORRUPT;
}

enum rc row_parse_entry(const uint8_t *row, size_t n, struct key *ret_keys, size_t count)
{
	size_t used, at = PREFIX + 4;
	if (n < at)
		return RC_CORRUPT;
	for (size_t i = 0; i < count; i++, at += used)
		if (key_decode(row + at, n - at, &ret_keys[i], &used))
			return RC_CORRUPT;
	return at == n ? RC_OK : RC_CORRUPT;
}

const uint8_t *row_read_bytes(struct row_reader *reader, size_t n)
{
	if (reader->bad || (size_t)(reader->end - reader->at) < n) {
		reader->bad = true;
		return NULL;
	}
	const uint8_t *bytes = reader->at;
	reader->at += n;
	return bytes;
}

uint8_t row_read_u8(struct row_reader *reader)
{
	const uint8_t *bytes = row_read_bytes(reader, 1);
	return bytes ? *bytes : 0;
}

uint32_t row_read_u32(struct row_reader *reader)
{
	uint32_t v = 0;
	const uint8_t *bytes = row_read_bytes(reader, sizeof v);
	if (bytes)
		memcpy(&v, bytes, sizeof v);
	return be32toh(v);
}

uint64_t row_read_u64(struct row_reader *reader)
{
	uint64_t v = 0;
	const uint8_t *bytes = row_read_bytes(reader, sizeof v);
	if (bytes)
		memcpy(&v, bytes, sizeof v);
	return be64toh(v);
}

void row_read_meta(struct row_reader *reader, struct meta *ret_meta)
{
	ret_meta->mode = row_read_u32(reader);
	ret_meta->uid = row_read_u32(reader);
	ret_meta->gid = row_read_u32(reader);
	ret_meta->atime = (int64_t)row_read_u64(reader);
	ret_meta->mtime = (int64_t)row_read_u64(reader);
	ret_meta->ctime = (int64_t)row_read_u64(reader);
	if (ret_meta->mode & ~07777u)
		reader->bad = true;
}

void row_add_meta(struct buf *value, const struct meta *meta)
{
	uint32_t ids[] = {htobe32(meta->mode), htobe32(meta->uid), htobe32(meta->gid)};
	uint64_t times[] = {htobe64((uint64_t)meta->atime), htobe64((uint64_t)meta->mtime), htobe64((uint64_t)meta->ctime)};
	buf_add(value, ids, sizeof ids);
	buf_add(value, times, sizeof times);
}

void head_write(struct buf *value, const struct head *head, const void *document)
{
	bool in = head->size <= ROW_INLINE_MAX;
	if (!buf_reserve(value, HEAD_BYTES + (in ? head->size : 0))) /* at once, rather than by doubling */
		return;
	buf_add_byte(value, in ? HEAD_INLINE : 0);
	row_add_meta(value, &head->meta);
	buf_add_u64(value, head->birth);
	buf_add_u64(value, head->version);
	buf_add_u32(value, head->size);
	buf_add_u32(value, head->measure);
	if (in)
		buf_add(value, document, head->size);
}

enum rc head_read(const uint8_t *value, size_t n, struct head *ret_head, const uint8_t **ret_inline)
{
	struct row_reader reader = {value, value + n, false};
	struct head head;
	uint8_t flags = row_read_u8(&reader);
	row_read_meta(&reader, &head.meta);
	head.birth = row_read_u64(&reader);
	head.version = row_read_u64(&reader);
	head.size = row_read_u32(&reader);
	head.measure = row_read_u32(&reader);
	if (reader.bad || flags > HEAD_INLINE || head.size > ITEM_DOCUMENT_MAX)
		return RC_CORRUPT;
	size_t rest = (size_t)(reader.end - reader.at);
	if (flags != (head.size <= ROW_INLINE_MAX ? HEAD_INLINE : 0) || rest != (flags ? head.size : 0))
		return RC_CORRUPT;
	*ret_head = head;
	*ret_inline = flags ? reader.at : NULL;
	return RC_OK;
}

void partition_write(struct buf *value, const struct partition_record *record)
{
	buf_add_byte(value, record->implicit ? PARTITION_IMPLICIT : 0);
	row_add_meta(value, &record->meta);
	buf_add_u64(value, record->birth);
	buf_add_u32(value, record->items);
	buf_add_u32(value, record->files);
}

enum rc partition_read(const uint8_t *value, size_t n, struct partition_record *ret_record)
{
	struct row_reader reader = {value, value + n, false};
	struct partition_record record;
	uint8_t flags = row_read_u8(&reader);
	row_read_meta(&reader, &record.meta);
	record.birth = row_read_u64(&reader);
	record.implicit = flags & PARTITION_IMPLICIT;
	record.items = row_read_u32(&reader);
	record.files = row_read_u32(&reader);
	if (reader.bad || flags > PARTITION_IMPLICIT || reader.at != reader.end)
		return RC_CORRUPT;
	*ret_record = record;
	return RC_OK;
}
