/* check_table: one table: its definition, partitions, items, files and counters. Its indexes are check_index.c. */
#include "index/check_private.h"
#include "index/document.h"
#include "store/model/utf8.h"
#include <string.h>

void check_say_row(void *table, const uint8_t *key, size_t n, const char *words)
{
	check_row_problem(table, key, n, "%s", words);
}

bool check_key_sound(const struct key *key, const struct schema_attribute *attribute, enum key_role role)
{
	size_t most = role == KEY_PARTITION ? KEY_PARTITION_MAX : KEY_SORT_MAX;
	if (key->type != attribute->type || !key->len)
		return false;
	return key->type == KEY_N || (key->len <= most && (key->type != KEY_S || utf8_valid(key->data, key->len)));
}

static bool base_key_sound(const struct check_table *t, const struct key *key, const struct schema_attribute *attribute, enum key_role role)
{
	return key->type == KEY_PENDING ? !t->schema->declared : check_key_sound(key, attribute, role);
}

bool check_keys_sound(const struct check_table *t, const struct key *pk, const struct key *sk)
{
	const struct schema_key *key = &t->schema->key;
	return base_key_sound(t, pk, &key->partition[0], KEY_PARTITION) &&
	       (!sk || base_key_sound(t, sk, &key->sort[0], KEY_SORT));
}

bool check_partition_sound(const struct check_table *t, const struct key *pk)
{
	return pk->type == KEY_PENDING || check_keys_sound(t, pk, NULL);
}

static void add_prefix(const struct check_table *t, char letter, struct buf *prefix)
{
	buf_add_u32(prefix, t->id);
	buf_add_byte(prefix, (uint8_t)letter);
}

/* Reads the definition; *ret_sound is false where the rest of the table cannot be understood. */
static enum rc check_definition(struct check_table *t, bool *ret_sound)
{
	cleanup_buf struct buf row = {0};
	struct why why = {.line = 0};
	row_table(&row, t->id);
	enum rc rc = check_get(t->check, &row, &t->record_value);
	if (check_fatal(rc))
		return rc;
	if (rc || table_read(t->record_value.data, t->record_value.len, &t->record)) {
		check_problem(t->check, "%s: its definition %s", t->name,
			      rc == RC_NOT_FOUND ? "is missing" : "cannot be read");
		return RC_OK;
	}
	if (t->record.declared)
		rc = schema_parse(t->record.document, t->record.document_len, &t->schema, &why);
	else
		rc = (t->schema = schema_undeclared()) ? RC_OK : RC_NO_MEMORY;
	if (rc == RC_NO_MEMORY)
		return rc;
	if (rc) {
		check_problem(t->check, "%s: its definition is refused: %s", t->name, why.text);
		return RC_OK;
	}
	if (t->schema->count != t->record.indexes) {
		check_problem(t->check, "%s: defines %zu indexes, and %u are numbered", t->name, t->schema->count,
			      t->record.indexes);
		return RC_OK;
	}
	*ret_sound = true;
	return RC_OK;
}

static enum rc check_index_ids(struct check_table *t)
{
	for (size_t i = 0; i < t->schema->count; i++) {
		struct schema_index *index = &t->schema->indexes[i];
		bool dead = false;
		index->id = t->record.index_id[i];
		if (!index->id || index->id >= t->record.next_index)
			check_problem(t->check, "%s: index %s: its number %u was never given out", t->name, index->name,
				      index->id);
		for (size_t k = 0; k < i; k++)
			if (t->schema->indexes[k].id == index->id)
				check_problem(t->check, "%s: index %s: has the same number as %s", t->name, index->name,
					      t->schema->indexes[k].name);
		enum rc rc = check_is_dead(t->check, t->id, index->id, &dead);
		if (rc)
			return rc;
		if (dead)
			check_problem(t->check, "%s: index %s: its entries are to be deleted", t->name, index->name);
	}
	return RC_OK;
}

static enum rc count_row(void *context, const struct check_row *row)
{
	(void)row;
	++*(uint64_t *)context;
	return RC_OK;
}

static enum rc check_partition(void *context, const struct check_row *row)
{
	struct check_table *t = context;
	struct key pk;
	struct partition_record record;
	cleanup_buf struct buf items = {0}, files = {0};
	uint64_t item_count = 0, file_count = 0;
	t->counted.partitions++;
	if (row_parse_partition(row->key, row->n, &pk) || !check_partition_sound(t, &pk)) {
		check_row_problem(t, row->key, row->n, "its key is none of this table");
		return RC_OK;
	}
	if (partition_read(row->value, row->value_n, &record)) {
		check_row_problem(t, row->key, row->n, "its record cannot be read");
		return RC_OK;
	}
	row_item(&items, t->id, &pk, NULL, false);
	row_file(&files, t->id, &pk, "", 0, false);
	enum rc rc = check_walk(t->check, &items, t->name, count_row, &item_count);
	if (!rc)
		rc = check_walk(t->check, &files, t->name, count_row, &file_count);
	if (rc)
		return rc;
	if (record.items != item_count || record.files != file_count)
		check_row_problem(t, row->key, row->n, "says %u items and %u files, and holds %llu and %llu",
				  record.items, record.files, (unsigned long long)item_count,
				  (unsigned long long)file_count);
	else if (record.implicit && !item_count && !file_count)
		check_row_problem(t, row->key, row->n, "came with its first item, and stays with none");
	if (t->check->record_sound && record.birth > t->check->record.sequence)
		check_row_problem(t, row->key, row->n, "it is of a commit that the volume never made");
	return RC_OK;
}

static enum rc check_in_partition(struct check_table *t, const struct check_row *row, const struct key *pk)
{
	cleanup_buf struct buf partition = {0};
	bool there;
	row_partition(&partition, t->id, pk);
	enum rc rc = check_is_there(t->check, &partition, &there);
	if (!rc && !there)
		check_row_problem(t, row->key, row->n, "there is no such partition");
	return rc;
}

/* Parses a document that was read; *ret_measure is DynamoDB's. */
static enum rc check_document(struct check_table *t, const struct check_row *row, const struct key *pk,
			      const struct key *sk, struct item **ret_item, uint32_t *ret_measure)
{
	struct item *item = NULL;
	struct why why = {.line = 0};
	enum rc rc = item_parse(t->document.data, t->document.len, &item, &why);
	if (!rc)
		rc = document_check(t->schema, pk, sk, item, ret_measure, &why);
	if (!rc)
		*ret_item = item;
	else
		item_free(item);
	if (rc && rc != RC_NO_MEMORY && row)
		check_row_problem(t, row->key, row->n, "its document is refused: %s", why.text);
	return rc == RC_NO_MEMORY ? rc : RC_OK;
}

enum rc check_item(struct check_table *t, const struct key *pk, const struct key *sk, bool *ret_there,
		   struct item **ret_item)
{
	cleanup_buf struct buf key = {0}, value = {0};
	struct check_bytes bytes;
	uint32_t measure;
	row_item(&key, t->id, pk, sk, false);
	enum rc rc = check_get(t->check, &key, &value);
	*ret_there = rc != RC_NOT_FOUND;
	if (rc)
		return check_fatal(rc) ? rc : RC_OK;
	struct check_row row = {key.data, key.len, value.data, value.len};
	rc = check_read(t->check, &row, NULL, NULL, &bytes, &t->document);
	return rc || !bytes.sound ? rc : check_document(t, NULL, pk, sk, ret_item, &measure);
}

static enum rc check_item_row(void *context, const struct check_row *row)
{
	struct check_table *t = context;
	struct key pk, sk;
	struct check_bytes bytes;
	cleanup_item struct item *item = NULL;
	uint32_t measure = 0;
	bool has_sk = schema_has_sort(t->schema);
	const struct key *sort = has_sk ? &sk : NULL;
	t->counted.items++;
	if (row_parse_item(row->key, row->n, has_sk, &pk, &sk) || !check_keys_sound(t, &pk, sort)) {
		check_row_problem(t, row->key, row->n, "its key is none of this table");
		t->bytes_known = false;
		return RC_OK;
	}
	enum rc rc = check_in_partition(t, row, &pk);
	if (!rc)
		rc = check_read(t->check, row, check_say_row, t, &bytes, &t->document);
	if (!rc && bytes.sound)
		rc = check_document(t, row, &pk, sort, &item, &measure);
	if (rc)
		return rc;
	if (!item) { /* said already; its head's word is taken for the sum */
		t->bytes_known &= bytes.head_sound;
		t->counted.bytes += bytes.head_sound ? bytes.head.measure : 0;
		return RC_OK;
	}
	t->counted.bytes += measure;
	if (measure != bytes.head.measure)
		check_row_problem(t, row->key, row->n, "its head says that it measures %u bytes, and it measures %u",
				  bytes.head.measure, measure);
	return check_entries_of(t, row, &pk, sort, item);
}

static enum rc check_file_row(void *context, const struct check_row *row)
{
	struct check_table *t = context;
	struct key pk;
	struct check_bytes bytes;
	bool inside;
	const char *name;
	size_t name_n;
	if (row_parse_file(row->key, row->n, &inside, &pk, &name, &name_n) || (inside && !check_partition_sound(t, &pk))) {
		check_row_problem(t, row->key, row->n, "its key is none of this table");
		return RC_OK;
	}
	t->counted.files += !inside;
	enum rc rc = inside ? check_in_partition(t, row, &pk) : RC_OK;
	if (!rc)
		rc = check_read(t->check, row, check_say_row, t, &bytes, &t->document);
	if (!rc && bytes.head_sound && bytes.head.measure)
		check_row_problem(t, row->key, row->n, "a plain file has no measure, and its head says %u",
				  bytes.head.measure);
	return rc;
}

static void compare(struct check_table *t, const char *what, uint64_t says, uint64_t holds)
{
	if (says != holds)
		check_problem(t->check, "%s: says %llu %s, and holds %llu", t->name, (unsigned long long)says, what,
			      (unsigned long long)holds);
}

static void compare_index(struct check_table *t, const struct table_counters *stored, size_t at)
{
	const struct schema_index *index = &t->schema->indexes[at];
	struct index_counters says = {0};
	const struct index_counters *holds = &t->counted.index[at];
	for (uint32_t i = 0; i < stored->indexes; i++)
		if (stored->index[i].id == index->id)
			says = stored->index[i];
	bool bytes_differ = t->index_bytes_known[at] && says.bytes != holds->bytes;
	if (says.entries != holds->entries || bytes_differ)
		check_problem(t->check, "%s: index %s: says %llu entries of %llu bytes, and holds %llu of %llu",
			      t->name, index->name, (unsigned long long)says.entries, (unsigned long long)says.bytes,
			      (unsigned long long)holds->entries, (unsigned long long)holds->bytes);
}

static enum rc check_counters(struct check_table *t)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct table_counters stored;
	row_counters(&row, t->id);
	enum rc rc = check_get(t->check, &row, &value);
	if (check_fatal(rc))
		return rc;
	if (rc || counters_read(value.data, value.len, &stored)) {
		check_problem(t->check, "%s: its counters %s", t->name,
			      rc == RC_NOT_FOUND ? "are missing" : "cannot be read");
		return RC_OK;
	}
	compare(t, "partitions", stored.partitions, t->counted.partitions);
	compare(t, "files", stored.files, t->counted.files);
	compare(t, "items", stored.items, t->counted.items);
	if (t->bytes_known)
		compare(t, "bytes of items", stored.bytes, t->counted.bytes);
	for (size_t i = 0; i < t->schema->count; i++)
		compare_index(t, &stored, i);
	for (uint32_t i = 0; i < stored.indexes; i++) {
		bool known = false;
		for (size_t k = 0; k < t->schema->count; k++)
			known |= t->schema->indexes[k].id == stored.index[i].id;
		if (!known)
			check_problem(t->check, "%s: counts entries of an index (number %u) that it does not define",
				      t->name, stored.index[i].id);
	}
	return RC_OK;
}

static void report(const struct check_table *t)
{
	FILE *out = t->check->out;
	fprintf(out, "%s: %llu partitions, %llu items of %llu bytes, %llu files", t->name,
		(unsigned long long)t->counted.partitions, (unsigned long long)t->counted.items,
		(unsigned long long)t->counted.bytes, (unsigned long long)t->counted.files);
	for (size_t i = 0; i < t->schema->count; i++)
		fprintf(out, ", index %s: %llu entries%s", t->schema->indexes[i].name,
			(unsigned long long)t->counted.index[i].entries,
			t->built[i] && !t->builds[i].ended ? " (being built)" : "");
	fputc('\n', out);
}

static enum rc walk_letter(struct check_table *t, char letter, check_fn *fn)
{
	cleanup_buf struct buf prefix = {0};
	add_prefix(t, letter, &prefix);
	return check_walk(t->check, &prefix, t->name, fn, t);
}

static enum rc walk_bodies(struct check_table *t, char letter, char head_letter)
{
	cleanup_buf struct buf prefix = {0};
	add_prefix(t, letter, &prefix);
	return check_bodies(t->check, &prefix, head_letter, t->name, check_say_row, t);
}

static enum rc check_rows(struct check_table *t)
{
	enum rc rc = check_index_ids(t);
	if (!rc)
		rc = check_builds(t);
	if (!rc)
		rc = walk_letter(t, 'P', check_partition);
	if (!rc)
		rc = walk_letter(t, 'H', check_item_row);
	if (!rc)
		rc = walk_bodies(t, 'B', 'H');
	if (!rc)
		rc = walk_letter(t, 'F', check_file_row);
	if (!rc)
		rc = walk_bodies(t, 'G', 'F');
	if (!rc)
		rc = check_indexes(t);
	if (!rc)
		rc = check_counters(t);
	if (!rc && t->check->verbose)
		report(t);
	return rc;
}

enum rc check_table(struct check *check, const char *name, uint32_t id)
{
	struct check_table t = {.check = check, .name = name, .id = id, .bytes_known = true};
	bool sound = false;
	enum rc rc = check_definition(&t, &sound);
	if (!rc && sound)
		rc = check_rows(&t);
	schema_free(t.schema);
	buf_free(&t.record_value);
	for (size_t i = 0; i < CATALOG_INDEXES_MAX; i++)
		buf_free(&t.build_value[i]);
	buf_free(&t.document);
	buf_free(&t.entry_document);
	entry_free(&t.entry);
	return rc;
}
