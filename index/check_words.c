/* check_words: names rows for people, as paths of a mount name them, with nothing in them that a terminal would act on. */
#include "index/check_private.h"
#include "store/model/utf8.h"

enum { PREFIX = 5 };

void check_add_escaped(struct buf *out, const void *text, size_t n)
{
	const uint8_t *bytes = text;
	bool sound = utf8_valid(text, n);
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] < 0x20 || bytes[i] == 0x7f || bytes[i] == '\\' || (bytes[i] >= 0x80 && !sound))
			buf_printf(out, "\\x%02x", bytes[i]);
		else
			buf_add_byte(out, bytes[i]);
	}
}

static void add_key(struct buf *out, const struct key *key)
{
	cleanup_buf struct buf text = {0};
	key_text(key, &text);
	check_add_escaped(out, text.data, text.len);
}

static bool item_words(bool has_sk, const uint8_t *row, size_t n, struct buf *out)
{
	struct key pk, sk;
	if (row_parse_item(row, n, has_sk, &pk, &sk))
		return false;
	buf_add_text(out, "item ");
	add_key(out, &pk);
	if (has_sk) {
		buf_add_byte(out, '/');
		add_key(out, &sk);
	}
	return true;
}

static bool file_words(const uint8_t *row, size_t n, struct buf *out)
{
	struct key pk;
	bool inside;
	const char *name;
	size_t name_n;
	if (row_parse_file(row, n, &inside, &pk, &name, &name_n))
		return false;
	buf_add_text(out, "file ");
	if (inside) {
		add_key(out, &pk);
		buf_add_byte(out, '/');
	}
	check_add_escaped(out, name, name_n);
	return true;
}

static bool partition_words(const uint8_t *row, size_t n, struct buf *out)
{
	struct key pk;
	if (row_parse_partition(row, n, &pk))
		return false;
	buf_add_text(out, "partition ");
	add_key(out, &pk);
	return true;
}

static bool entry_words(const struct schema *schema, const uint8_t *row, size_t n, struct buf *out)
{
	struct key keys[ROW_KEYS_MAX];
	struct entry_shape shape;
	struct row_reader reader = {row, row + n, false};
	row_read_bytes(&reader, PREFIX);
	uint32_t id = row_read_u32(&reader);
	if (reader.bad)
		return false;
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_index *index = &schema->indexes[i];
		if (index->id != id)
			continue;
		entry_shape(schema, index, &shape);
		if (row_parse_entry(row, n, keys, shape.count))
			return false;
		buf_printf(out, "index %s: entry ", index->name);
		for (size_t k = 0; k < shape.count; k++) {
			buf_add_text(out, k == 0 ? "" : k == 1 ? "/" : ",");
			add_key(out, &keys[k]);
		}
		return true;
	}
	return false;
}

const char *check_words(const struct schema *schema, const uint8_t *key, size_t n, struct buf *out)
{
	bool known = false;
	buf_clear(out);
	switch (row_letter(key, n)) {
	case 'P':
		known = partition_words(key, n, out);
		break;
	case 'H':
	case 'B':
		known = schema && item_words(schema_has_sort(schema), key, n, out);
		break;
	case 'F':
	case 'G':
		known = file_words(key, n, out);
		break;
	case 'I':
	case 'J':
		known = schema && entry_words(schema, key, n, out);
		break;
	default:
		break;
	}
	if (!known) {
		buf_clear(out);
		buf_add_text(out, "row ");
		for (size_t i = 0; i < n; i++)
			buf_printf(out, "%02x", key[i]);
	}
	buf_add_byte(out, 0);
	return out->failed ? "a row" : (const char *)out->data;
}
