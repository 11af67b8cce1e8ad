/* import_item: one record of a file as an item of a table: its key, the document that is stored, and whether every index can take it. */
#include "index/document.h"
#include "index/import_private.h"
#include "store/model/base64.h"
#include "store/model/typed.h"
#include <string.h>

enum { COLUMNS_MAX = 4096 };

void import_maker_free(struct import_maker *maker)
{
	csv_row_free(&maker->header);
	csv_row_free(&maker->row);
	buf_free(&maker->plain);
	entry_free(&maker->entry);
}

static bool names(const struct schema_attribute *attribute, const void *name, size_t n)
{
	return attribute->name_len == n && memcmp(attribute->name, name, n) == 0;
}

static const struct schema_attribute *key_named(const struct schema_key *key, const void *name, size_t n)
{
	for (unsigned i = 0; i < key->partitions; i++)
		if (names(&key->partition[i], name, n))
			return &key->partition[i];
	for (unsigned i = 0; i < key->sorts; i++)
		if (names(&key->sort[i], name, n))
			return &key->sort[i];
	return NULL;
}

/* A column's type: a key's, of the table or of an index, as it is defined; all others are S. */
static enum key_type column_type(const struct schema *schema, const void *name, size_t n)
{
	const struct schema_attribute *attribute = key_named(&schema->key, name, n);
	for (size_t i = 0; i < schema->count && !attribute; i++)
		attribute = key_named(&schema->indexes[i].key, name, n);
	return attribute ? attribute->type : KEY_S;
}

static const void *field_bytes(const struct csv_row *row, size_t i)
{
	return row->text.len ? row->text.data + row->fields[i].at : (const void *)"";
}

static enum rc no_column(const struct csv_row *header, const struct schema_attribute *attribute, struct why *why)
{
	for (size_t i = 0; i < header->count; i++)
		if (names(attribute, field_bytes(header, i), header->fields[i].len))
			return RC_OK;
	return why_set(why, RC_REFUSED, "no column is named %s, which is a key of the table", attribute->name);
}

enum rc import_maker_header(struct import_maker *maker, const void *record, size_t n, struct why *why)
{
	struct csv_row *header = &maker->header;
	const struct schema_key *key = &maker->schema->key;
	enum rc rc = csv_read(record, n, header, why);
	if (rc)
		return rc;
	if (header->count > COLUMNS_MAX)
		return why_set(why, RC_REFUSED, "%zu columns; at most %d are read", header->count, COLUMNS_MAX);
	for (size_t i = 0; i < header->count; i++) {
		const struct csv_field *field = &header->fields[i];
		if (!field->len)
			return why_set(why, RC_REFUSED, "column %zu has no name", i + 1);
		for (size_t j = 0; j < i; j++)
			if (header->fields[j].len == field->len && memcmp(field_bytes(header, i), field_bytes(header, j), field->len) == 0)
				return why_set(why, RC_REFUSED, "columns %zu and %zu have one name", j + 1, i + 1);
	}
	rc = no_column(header, &key->partition[0], why);
	return !rc && key->sorts ? no_column(header, &key->sort[0], why) : rc;
}

/* Our own exports write a binary as {"$B":"base64"}. */
static void unwrap(const void **text, size_t *n)
{
	static const char before[] = "{\"$B\":\"", after[] = "\"}";
	const size_t around = sizeof before - 1 + sizeof after - 1;
	const char *bytes = *text;
	if (*n < around || memcmp(bytes, before, sizeof before - 1) != 0 || memcmp(bytes + *n - (sizeof after - 1), after, sizeof after - 1) != 0)
		return;
	*text = bytes + sizeof before - 1;
	*n -= around;
}

static enum rc add_field(struct import_maker *maker, size_t column, const void *text, size_t n, struct why *why)
{
	struct buf *out = &maker->plain;
	const void *name = field_bytes(&maker->header, column);
	size_t name_n = maker->header.fields[column].len;
	struct why words = {.line = 0};
	struct number number;
	char canonical[NUMBER_TEXT_MAX];
	if (out->len > 1)
		buf_add_byte(out, ',');
	buf_add_json_string(out, name, name_n);
	buf_add_byte(out, ':');
	switch (column_type(maker->schema, name, name_n)) {
	case KEY_N:
		if (number_parse(text, n, &number, &words))
			return why_set(why, RC_REFUSED, "column %zu: %s", column + 1, words.text);
		buf_add(out, canonical, number_format(&number, canonical));
		return RC_OK;
	case KEY_B:
		unwrap(&text, &n);
		buf_add_text(out, "{\"$B\":");
		buf_add_json_string(out, text, n);
		buf_add_byte(out, '}');
		return RC_OK;
	default:
		buf_add_json_string(out, text, n);
		return RC_OK;
	}
}

static enum rc make_row(struct import_maker *maker, const void *record, size_t n, struct why *why)
{
	struct csv_row *row = &maker->row;
	enum rc rc = csv_read(record, n, row, why);
	if (!rc && row->count != maker->header.count)
		rc = why_set(why, RC_REFUSED, "%zu fields, where the first row has %zu", row->count, maker->header.count);
	if (rc)
		return rc;
	buf_add_byte(&maker->plain, '{');
	for (size_t i = 0; !rc && i < row->count; i++)
		if (row->fields[i].len || row->fields[i].quoted)
			rc = add_field(maker, i, field_bytes(row, i), row->fields[i].len, why);
	buf_add_byte(&maker->plain, '}');
	return rc;
}

static void trim(const void **record, size_t *n)
{
	const char *bytes = *record;
	while (*n && strchr(" \t\r\n", bytes[*n - 1]) && bytes[*n - 1])
		--*n;
	while (*n && strchr(" \t\r\n", *bytes) && *bytes) {
		bytes++;
		--*n;
	}
	*record = bytes;
}

/* The plain document of a record: its own bytes, or maker->plain. */
static enum rc plain(struct import_maker *maker, const void *record, size_t n, struct import_made *made, struct why *why)
{
	const struct schema_attribute *key = &maker->schema->key.partition[0];
	enum typed_form form = TYPED_PLAIN;
	enum rc rc;
	buf_clear(&maker->plain);
	if (n > ITEM_DOCUMENT_MAX)
		return why_set(why, RC_TOO_BIG, "a record of %zu bytes; at most %d are allowed", n, ITEM_DOCUMENT_MAX);
	if (maker->format == IMPORT_CSV) {
		rc = make_row(maker, record, n, why);
	} else {
		trim(&record, &n);
		rc = typed_form_of(record, n, key->name, key->name_len, &form, why);
		if (!rc && form != TYPED_PLAIN)
			rc = typed_to_plain(record, n, form, &maker->plain, why);
	}
	if (rc)
		return rc;
	bool own = maker->format != IMPORT_CSV && form == TYPED_PLAIN;
	made->document = own ? record : maker->plain.data;
	made->len = own ? n : maker->plain.len;
	return maker->plain.failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc key_of(const struct item *item, const struct schema_attribute *attribute, enum key_role role, struct key *ret_key, struct why *why)
{
	const struct item_value *value = item_find(item, attribute->name, attribute->name_len);
	if (!value)
		return why_set(why, RC_REFUSED, "One or more parameter values were invalid: Missing the key %s in the item", attribute->name);
	return key_from_value(value, attribute->type, role, attribute->name, ret_key, why);
}

/* Whether every index can take it; the alphabetically first that cannot is named, as AWS does. */
static enum rc check_entries(struct import_maker *maker, const struct import_made *made, const struct item *item, struct why *why)
{
	const struct schema *schema = maker->schema;
	struct entry_source source = {schema, &made->pk, schema_has_sort(schema) ? &made->sk : NULL, item};
	const char *refused = NULL;
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_index *index = &schema->indexes[i];
		bool first = !refused || strcmp(index->name, refused) < 0;
		enum rc rc = entry_make(&source, index, maker->table, &maker->entry, first ? why : NULL);
		if (rc == RC_NO_MEMORY)
			return rc;
		if (rc && first)
			refused = index->name;
	}
	return refused ? RC_REFUSED : RC_OK;
}

enum rc import_make(struct import_maker *maker, const void *record, size_t n, struct import_made *ret_made, struct why *why)
{
	const struct schema *schema = maker->schema;
	const struct schema_key *key = &schema->key;
	cleanup_item struct item *item = NULL;
	enum rc rc = plain(maker, record, n, ret_made, why);
	bool own = !rc && ret_made->document != maker->plain.data;
	if (rc)
		return rc;
	rc = item_parse(ret_made->document, ret_made->len, &item, why);
	ret_made->sk.len = 0;
	if (!rc)
		rc = key_of(item, &key->partition[0], KEY_PARTITION, &ret_made->pk, why);
	if (!rc && key->sorts)
		rc = key_of(item, &key->sort[0], KEY_SORT, &ret_made->sk, why);
	if (!rc)
		rc = document_check_new(schema, &ret_made->pk, key->sorts ? &ret_made->sk : NULL, item, &ret_made->measure, why);
	if (!rc)
		rc = check_entries(maker, ret_made, item, why);
	if (rc && !own && why)
		why->line = why->column = 0; /* a place in what nobody wrote */
	return rc;
}
