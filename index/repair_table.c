/* repair_table: what of a table's rows is sound goes over; its partitions, indexes and counters are made anew of that.
 *
 * A table whose definition is lost becomes an undeclared one: its items stand under the names they had, as strings, so that writing `.schema.json`
 * anew adopts them (the keys get their types back from their names then).
 */
#include "index/document.h"
#include "index/repair_private.h"
#include <string.h>
#include <unistd.h>

enum { PREFIX = 5 };

struct repair_table {
	struct repair *repair;
	struct check_table table; /* what check_keys_sound() and check_words() ask */
	bool undeclared;          /* the definition is lost: keys become strings */
	struct table_counters counters;
	struct buf document;
	struct entry entry;
};

static enum rc keep_row(struct repair_table *t, const struct check_row *row, const char *words, const void *bytes, size_t n)
{
	cleanup_buf struct buf whose = {0}, row_words = {0};
	buf_printf(&whose, "%s: %s", t->table.name, check_words(t->table.schema, row->key, row->n, &row_words));
	buf_add_byte(&whose, 0);
	return whose.failed ? RC_NO_MEMORY : repair_keep(t->repair, (char *)whose.data, words, bytes, n);
}

static enum rc walk(struct repair_table *t, struct check *of, const char *letters, check_fn *fn)
{
	cleanup_buf struct buf prefix = {0};
	buf_add_u32(&prefix, t->table.id);
	buf_add_text(&prefix, letters);
	enum rc rc = check_walk(of, &prefix, t->table.name, fn, t);
	return rc ? rc : of->problems ? RC_CORRUPT : RC_OK;
}

/* ---- the definition ---- */

/* Numbers its indexes anew: none of their entries goes over. RC_REFUSED where it cannot be understood. */
static enum rc understand(struct check_table *t, struct why *why)
{
	struct table_record *record = &t->record;
	enum rc rc = table_read(t->record_value.data, t->record_value.len, record) ? RC_REFUSED : RC_OK;
	if (rc)
		return why_set(why, rc, "it cannot be read");
	if (record->declared)
		rc = schema_parse(record->document, record->document_len, &t->schema, why);
	else
		rc = (t->schema = schema_undeclared()) ? RC_OK : RC_NO_MEMORY;
	if (rc)
		return rc == RC_NO_MEMORY ? rc : RC_REFUSED;
	record->indexes = (uint32_t)t->schema->count;
	record->next_index = record->indexes + 1;
	for (uint32_t i = 0; i < record->indexes; i++)
		t->schema->indexes[i].id = record->index_id[i] = i + 1;
	return RC_OK;
}

static enum rc without_definition(struct repair_table *t, const char *words)
{
	struct check_table *table = &t->table;
	enum rc rc = RC_OK;
	t->undeclared = true;
	if (table->record_value.len)
		rc = repair_keep(t->repair, table->name, words, table->record_value.data, table->record_value.len);
	repair_say(t->repair, "%s: its definition is lost: write its .schema.json anew, and its items get their types and indexes back", table->name);
	/* No commit has so high a number: no other table has this identity. */
	table->record = (struct table_record){.identity = UINT64_MAX - table->id, .next_index = 1};
	table->schema = schema_undeclared();
	return rc ? rc : table->schema ? RC_OK : RC_NO_MEMORY;
}

static enum rc define(struct repair_table *t)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct why why = {.text = ""};
	row_table(&row, t->table.id);
	enum rc rc = check_get(&t->repair->from, &row, &t->table.record_value);
	if (check_fatal(rc))
		return rc;
	rc = rc ? RC_REFUSED : understand(&t->table, &why);
	if (rc == RC_REFUSED)
		rc = without_definition(t, why.text);
	if (rc)
		return rc;
	if (t->table.record.identity < UINT64_MAX / 2)
		repair_saw(t->repair, t->table.record.identity);
	repair_saw(t->repair, t->table.record.version);
	table_write(&value, &t->table.record);
	return value.failed ? RC_NO_MEMORY : repair_put(t->repair, &row, value.data, value.len);
}

/* ---- keys ---- */

/* Of a table without a definition: the key as its name says it. */
static bool as_string(struct key *key, enum key_role role)
{
	cleanup_buf struct buf text = {0};
	struct key string;
	if (key->type == KEY_PENDING || key->type == KEY_S)
		return true;
	key_text(key, &text);
	if (text.failed || key_from_text(text.data, text.len, KEY_S, role, &string, NULL))
		return false;
	*key = string;
	return true;
}

static bool item_keys(const struct repair_table *t, const struct check_row *row, struct key *pk, struct key *sk)
{
	bool has_sk = schema_has_sort(t->table.schema);
	if (!t->undeclared)
		return !row_parse_item(row->key, row->n, has_sk, pk, sk) && check_keys_sound(&t->table, pk, has_sk ? sk : NULL);
	if (row_parse_item(row->key, row->n, true, pk, sk)) {
		if (row_parse_item(row->key, row->n, false, pk, sk) || key_from_text("item", 4, KEY_S, KEY_SORT, sk, NULL))
			return false;
	}
	return as_string(pk, KEY_PARTITION) && as_string(sk, KEY_SORT) && check_keys_sound(&t->table, pk, sk);
}

static bool partition_key(const struct repair_table *t, struct key *pk)
{
	return (!t->undeclared || as_string(pk, KEY_PARTITION)) && check_partition_sound(&t->table, pk);
}

/* ---- items and files ---- */

static enum rc put_entries(struct repair_table *t, const struct key *pk, const struct key *sk, const struct item *item, const struct head *head)
{
	const struct schema *schema = t->table.schema;
	struct entry_source source = {schema, pk, sk, item};
	for (size_t i = 0; i < schema->count; i++) {
		enum rc rc = entry_make(&source, &schema->indexes[i], t->table.id, &t->entry, NULL);
		if (rc == RC_NO_MEMORY)
			return rc;
		if (rc || !t->entry.present) /* as when the index was added: an item that it cannot take has no entry */
			continue;
		struct index_counters *counters = counters_of(&t->counters, schema->indexes[i].id);
		struct head entry = {.meta = {.mode = 0444, .atime = head->meta.ctime, .mtime = head->meta.ctime, .ctime = head->meta.ctime}};
		entry.birth = head->birth;
		entry.version = head->version;
		entry.size = (uint32_t)t->entry.document.len;
		entry.measure = t->entry.measure;
		if ((rc = repair_put_image(t->repair, &t->entry.row, &entry, t->entry.document.data)))
			return rc;
		counters->entries++;
		counters->bytes += t->entry.measure;
	}
	return RC_OK;
}

/* A document that read: is it one of this table? *ret_item stays NULL where not, and why says so. */
static enum rc understand_item(struct repair_table *t, const struct key *pk, const struct key *sk, struct item **ret_item, uint32_t *ret_measure, struct why *why)
{
	struct item *item = NULL;
	enum rc rc = item_parse(t->document.data ? (const void *)t->document.data : "", t->document.len, &item, why);
	if (!rc)
		rc = document_check(t->table.schema, pk, sk, item, ret_measure, why);
	if (!rc)
		*ret_item = item;
	else
		item_free(item);
	return rc == RC_NO_MEMORY ? rc : RC_OK;
}

static enum rc item_row(void *context, const struct check_row *row)
{
	struct repair_table *t = context;
	struct key pk, sk;
	struct check_bytes bytes;
	struct why why = {.text = ""};
	cleanup_item struct item *item = NULL;
	cleanup_buf struct buf key = {0};
	uint32_t measure = 0;
	const struct key *sort = schema_has_sort(t->table.schema) ? &sk : NULL;
	enum rc rc = check_read(&t->repair->from, row, NULL, NULL, &bytes, &t->document);
	if (rc)
		return rc;
	if (!bytes.head_sound)
		return keep_row(t, row, "its head cannot be read", row->value, row->value_n);
	if (!bytes.sound)
		return keep_row(t, row, "its bytes are lost, or not as many as they were", row->value, row->value_n);
	if (!item_keys(t, row, &pk, &sk))
		return keep_row(t, row, "its key is none of this table", t->document.data, t->document.len);
	if ((rc = understand_item(t, &pk, sort, &item, &measure, &why)))
		return rc;
	if (!item)
		return keep_row(t, row, why.text, t->document.data, t->document.len);
	bytes.head.measure = measure;
	repair_saw(t->repair, bytes.head.birth);
	repair_saw(t->repair, bytes.head.version);
	row_item(&key, t->table.id, &pk, sort, false);
	t->counters.items++;
	t->counters.bytes += measure;
	rc = repair_put_image(t->repair, &key, &bytes.head, t->document.data);
	return rc ? rc : put_entries(t, &pk, sort, item, &bytes.head);
}

static enum rc file_row(void *context, const struct check_row *row)
{
	struct repair_table *t = context;
	struct key pk;
	struct check_bytes bytes;
	cleanup_buf struct buf key = {0};
	bool inside;
	const char *name;
	size_t name_n;
	enum rc rc = check_read(&t->repair->from, row, NULL, NULL, &bytes, &t->document);
	if (rc)
		return rc;
	if (!bytes.sound)
		return keep_row(t, row, bytes.head_sound ? "its bytes are lost, or not as many as they were" : "its head cannot be read", row->value,
				row->value_n);
	if (row_parse_file(row->key, row->n, &inside, &pk, &name, &name_n) || (inside && !partition_key(t, &pk)))
		return keep_row(t, row, "its key is none of this table", t->document.data, t->document.len);
	bytes.head.measure = 0;
	repair_saw(t->repair, bytes.head.birth);
	repair_saw(t->repair, bytes.head.version);
	row_file(&key, t->table.id, inside ? &pk : NULL, name, name_n, false);
	t->counters.files += !inside;
	return repair_put_image(t->repair, &key, &bytes.head, t->document.data);
}

/* Bytes that no head speaks of: they may be all there is of something. Those that one does speak of went over with it, or were kept with it. */
static enum rc body_row(void *context, const struct check_row *row)
{
	struct repair_table *t = context;
	cleanup_buf struct buf key = {0}, value = {0};
	struct head head;
	const uint8_t *in;
	buf_add(&key, row->key, row->n);
	if (key.failed)
		return RC_NO_MEMORY;
	key.data[PREFIX - 1] = row_letter(row->key, row->n) == 'B' ? 'H' : 'F';
	enum rc rc = check_get(&t->repair->from, &key, &value);
	if (check_fatal(rc))
		return rc;
	bool known = !rc && !head_read(value.data, value.len, &head, &in);
	if (known && (in || head.size == row->value_n)) /* beside a head that holds all: what was there before it */
		return RC_OK;
	return keep_row(t, row, "bytes without a head", row->value, row->value_n);
}

/* ---- partitions ---- */

static enum rc count_row(void *context, const struct check_row *row)
{
	(void)row;
	++*(uint32_t *)context;
	return RC_OK;
}

/* Writes a partition with the counts of what went over; one that only stays for what is in it goes with the last. */
static enum rc put_partition(struct repair_table *t, const struct key *pk, struct partition_record *record)
{
	cleanup_buf struct buf items = {0}, files = {0}, row = {0}, value = {0};
	struct check *to = &t->repair->to;
	record->items = record->files = 0;
	row_item(&items, t->table.id, pk, NULL, false);
	row_file(&files, t->table.id, pk, "", 0, false);
	enum rc rc = check_walk(to, &items, t->table.name, count_row, &record->items);
	if (!rc)
		rc = check_walk(to, &files, t->table.name, count_row, &record->files);
	if (rc || (record->implicit && !record->items && !record->files))
		return rc;
	t->counters.partitions++;
	row_partition(&row, t->table.id, pk);
	partition_write(&value, record);
	return value.failed ? RC_NO_MEMORY : repair_put(t->repair, &row, value.data, value.len);
}

static enum rc partition_row(void *context, const struct check_row *row)
{
	struct repair_table *t = context;
	struct key pk;
	struct partition_record record;
	if (row_parse_partition(row->key, row->n, &pk) || !partition_key(t, &pk))
		return keep_row(t, row, "its key is none of this table", row->value, row->value_n);
	if (partition_read(row->value, row->value_n, &record)) /* made anew if there is something in it */
		return keep_row(t, row, "its record cannot be read", row->value, row->value_n);
	repair_saw(t->repair, record.birth);
	return put_partition(t, &pk, &record);
}

/* Something that went over: its partition is there, or is made. */
static enum rc inhabitant(void *context, const struct check_row *row)
{
	struct repair_table *t = context;
	cleanup_buf struct buf key = {0}, words = {0};
	struct key pk, sk;
	struct head head = {0};
	const uint8_t *in;
	const char *name;
	size_t name_n;
	bool inside = true, there = false;
	enum rc rc = row_letter(row->key, row->n) == 'H' ? row_parse_item(row->key, row->n, schema_has_sort(t->table.schema), &pk, &sk)
							 : row_parse_file(row->key, row->n, &inside, &pk, &name, &name_n);
	if (rc || !inside)
		return rc;
	row_partition(&key, t->table.id, &pk);
	rc = check_is_there(&t->repair->to, &key, &there);
	if (rc || there)
		return rc;
	if ((rc = head_read(row->value, row->value_n, &head, &in)))
		return rc;
	struct partition_record record = {.meta = head.meta, .birth = head.birth};
	record.meta.mode = 0755;
	rc = put_partition(t, &pk, &record);
	if (!rc)
		rc = repair_flush(t->repair); /* the next one asks */
	repair_say(t->repair, "%s: %s: its record was lost, and is made anew", t->table.name, check_words(t->table.schema, key.data, key.len, &words));
	return rc;
}

static enum rc put_counters(struct repair_table *t)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct table_counters stored;
	row_counters(&row, t->table.id);
	enum rc rc = check_get(&t->repair->from, &row, &value);
	if (check_fatal(rc))
		return rc;
	if (!rc && !counters_read(value.data, value.len, &stored)) {
		t->counters.meta = stored.meta;
	} else {
		int64_t now = clock_now();
		t->counters.meta = (struct meta){0755, geteuid(), getegid(), now, now, now};
		repair_say(t->repair, "%s: its directory's times, mode and owner are lost", t->table.name);
	}
	buf_clear(&value);
	counters_write(&value, &t->counters);
	return value.failed ? RC_NO_MEMORY : repair_put(t->repair, &row, value.data, value.len);
}

static enum rc repair_all(struct repair_table *t)
{
	struct check *from = &t->repair->from, *to = &t->repair->to;
	enum rc rc = define(t);
	for (size_t i = 0; !rc && i < t->table.schema->count; i++)
		counters_of(&t->counters, t->table.schema->indexes[i].id);
	if (!rc)
		rc = walk(t, from, "H", item_row);
	if (!rc)
		rc = walk(t, from, "B", body_row);
	if (!rc)
		rc = walk(t, from, "F", file_row);
	if (!rc)
		rc = walk(t, from, "G", body_row);
	if (!rc)
		rc = repair_flush(t->repair);
	if (!rc)
		rc = walk(t, from, "P", partition_row);
	if (!rc)
		rc = repair_flush(t->repair);
	if (!rc)
		rc = walk(t, to, "H", inhabitant);
	if (!rc)
		rc = walk(t, to, "F", inhabitant);
	return rc ? rc : put_counters(t);
}

enum rc repair_table(struct repair *repair, const char *name, uint32_t id)
{
	struct repair_table t = {.repair = repair, .table = {.check = &repair->from, .name = name, .id = id}};
	enum rc rc = repair_all(&t);
	schema_free(t.table.schema);
	buf_free(&t.table.record_value);
	buf_free(&t.document);
	entry_free(&t.entry);
	return rc;
}
