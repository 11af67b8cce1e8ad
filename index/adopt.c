/* adopt: gives a table that is undeclared, or empty, a definition: every partition, item and file is re-keyed from its path.
 *
 * Phases: (1) a commit takes a new table id and writes it down as dead; (2) everything is copied there, in batches, with its index entries; what does not fit is named, and
 * then nothing has happened; (3) one commit points the catalogue at the new id, takes it off the dead and puts the old one there. */
#include "index/redefine.h"
#include "index/change.h"
#include "index/document.h"
#include <string.h>

enum { MISFITS_NAMED = 10 };

struct adoption {
	struct redefinition *r;
	uint32_t from, to;
	struct buf misfits; /* words for the first ten */
	size_t misfit_count;
	struct buf document;
	struct entry entry;
	struct buf skip; /* the key of the row of the file that becomes the definition */
};

static void misfit(struct adoption *a, const struct key *pk, const struct key *sk, const char *reason)
{
	if (a->misfit_count++ >= MISFITS_NAMED)
		return;
	buf_add_text(&a->misfits, a->misfits.len ? "; " : "");
	key_text(pk, &a->misfits);
	if (sk) {
		buf_add_byte(&a->misfits, '/');
		key_text(sk, &a->misfits);
	}
	buf_printf(&a->misfits, ": %s", reason);
}

/* The key that the same name stands for in a table of the new definition. */
static enum rc retype(const struct key *old, const struct schema_attribute *attribute, enum key_role role, struct key *ret_key,
		      struct why *why)
{
	cleanup_buf struct buf text = {0};
	key_text(old, &text);
	if (text.failed)
		return RC_NO_MEMORY;
	return key_from_text(text.data, text.len, attribute->type, role, ret_key, why);
}

/* A partition whose name was cut has the key that its first item says, or, without items, stays pending. */
static enum rc first_item_says(struct adoption *a, const struct key *old, struct key *ret_key, struct why *why)
{
	struct store *store = a->r->table->volume->store;
	const struct schema_attribute *attribute = &a->r->schema->key.partition[0];
	cleanup_buf struct buf low = {0}, high = {0}, document = {0};
	cleanup_item struct item *item = NULL;
	struct store_cursor *cursor = NULL;
	row_item(&low, a->from, old, NULL, false);
	buf_add(&high, low.data, low.len);
	row_after(&high);
	enum rc rc = store_cursor_open(store, NULL, low.data, low.len, high.data, high.len, &cursor);
	if (!rc)
		rc = store_cursor_next(cursor);
	if (!rc) {
		size_t n, value_n;
		struct head head;
		const uint8_t *in, *row = store_cursor_key(cursor, &n), *value = store_cursor_value(cursor, &value_n);
		rc = head_read(value, value_n, &head, &in);
		if (!rc)
			rc = redefine_body(a->r, row, n, &head, in, &document);
		if (!rc && item_parse(document.data, document.len, &item, NULL))
			rc = RC_CORRUPT;
		if (!rc)
			rc = document_key(item, attribute, KEY_PARTITION, ret_key, why);
	} else if (rc == RC_NOT_FOUND) {
		*ret_key = *old;
		rc = attribute->type == KEY_N ? why_set(why, RC_INVALID, "the key is a number, and no number's name is cut") : RC_OK;
	}
	store_cursor_close(cursor);
	return rc;
}

static enum rc retype_partition(struct adoption *a, const struct key *old, struct key *ret_key, struct why *why)
{
	if (old->type == KEY_PENDING)
		return first_item_says(a, old, ret_key, why);
	return retype(old, &a->r->schema->key.partition[0], KEY_PARTITION, ret_key, why);
}

/* Two names that were cut can come to one key, or one of them to a key that is another's whole name; whole names cannot. Cut ones stand behind all
 * others (key_encode()), so whatever has the key was staged before. */
static enum rc is_free(struct adoption *a, const struct buf *row, const char *others, struct why *why)
{
	cleanup_buf struct buf value = {0};
	enum rc rc = redefine_flush(a->r, true);
	if (!rc)
		rc = store_get(a->r->table->volume->store, NULL, row->data, row->len, &value);
	if (!rc)
		return why_set(why, RC_REFUSED, "this name is cut, and the document says the key of another %s", others);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* What is wrong with the table's own content; all else ends the adoption. */
static bool is_misfit(enum rc rc)
{
	return rc == RC_REFUSED || rc == RC_INVALID || rc == RC_TOO_BIG || rc == RC_NOT_UTF8;
}

static enum rc begin_commit(struct txn *txn, void *context)
{
	struct redefinition *r = context;
	cleanup_buf struct buf row = {0}, nothing = {0};
	r->staged_table = commit_new_table(r->table->volume);
	row_dead(&row, r->staged_table, 0);
	txn_put(txn, &row, &nothing);
	return RC_OK;
}

static enum rc flip_commit(struct txn *txn, void *context)
{
	struct redefinition *r = context;
	cleanup_buf struct buf row = {0}, value = {0}, nothing = {0};
	struct table_record record = r->record;
	struct table staged = {.id = r->staged_table};
	redefine_record(r, txn, &record, &r->counters);
	definition_store(txn, r->staged_table, &record);
	counters_store(txn, &staged, &r->counters);
	row_catalog(&row, r->table->name);
	buf_add_u32(&value, r->staged_table);
	txn_put(txn, &row, &value);
	buf_clear(&row);
	row_dead(&row, r->staged_table, 0);
	txn_delete(txn, &row);
	buf_clear(&row);
	row_dead(&row, r->table->id, 0);
	txn_put(txn, &row, &nothing);
	return RC_OK;
}

static enum rc adopt_partition(struct adoption *a, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	struct key pk, new_pk;
	struct why why = {.line = 0};
	cleanup_buf struct buf new_row = {0};
	enum rc rc = row_parse_partition(row, n, &pk);
	if (rc)
		return rc;
	rc = retype_partition(a, &pk, &new_pk, &why);
	if (!rc)
		row_partition(&new_row, a->to, &new_pk);
	if (!rc && pk.type == KEY_PENDING)
		rc = is_free(a, &new_row, "directory", &why);
	if (is_misfit(rc)) {
		misfit(a, &pk, NULL, why.text);
		return RC_OK;
	}
	a->r->counters.partitions++;
	return rc ? rc : redefine_stage(a->r, &new_row, value, value_n);
}

static enum rc adopt_file(struct adoption *a, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	bool in_partition;
	struct key pk, new_pk;
	const char *name;
	size_t name_n;
	struct head head;
	const uint8_t *in;
	cleanup_buf struct buf new_row = {0};
	enum rc rc = row_parse_file(row, n, &in_partition, &pk, &name, &name_n);
	if (!rc)
		rc = head_read(value, value_n, &head, &in);
	if (rc || (a->skip.len == n && memcmp(a->skip.data, row, n) == 0))
		return rc;
	rc = in_partition ? retype_partition(a, &pk, &new_pk, NULL) : RC_OK;
	if (rc)
		return is_misfit(rc) ? RC_OK : rc; /* its partition is named already */
	a->r->counters.files += !in_partition;
	row_file(&new_row, a->to, in_partition ? &new_pk : NULL, name, name_n, false);
	rc = redefine_stage(a->r, &new_row, value, value_n);
	if (rc || in)
		return rc;
	rc = redefine_body(a->r, row, n, &head, in, &a->document);
	if (rc)
		return rc;
	buf_clear(&new_row);
	row_file(&new_row, a->to, in_partition ? &new_pk : NULL, name, name_n, true);
	return redefine_stage(a->r, &new_row, a->document.data, a->document.len);
}

/* The item's keys in the new table; RC_REFUSED where neither its path nor, where that is cut, the document gives any. All items of a partition say the same key. */
static enum rc retype_item(struct adoption *a, const struct key *pk, const struct key *sk, const struct item *item, struct key *new_pk,
			   struct key *new_sk, struct why *why)
{
	const struct schema *schema = a->r->schema;
	struct key own;
	enum rc rc = retype_partition(a, pk, new_pk, why);
	if (!rc && pk->type == KEY_PENDING)
		rc = document_key(item, &schema->key.partition[0], KEY_PARTITION, &own, why);
	if (!rc && pk->type == KEY_PENDING && !key_equal(&own, new_pk))
		rc = why_set(why, RC_REFUSED, "items of one directory hold different partition keys");
	if (rc)
		return rc;
	if (schema_has_sort(schema) && sk->type == KEY_PENDING)
		return document_key(item, &schema->key.sort[0], KEY_SORT, new_sk, why);
	if (schema_has_sort(schema))
		return retype(sk, &schema->key.sort[0], KEY_SORT, new_sk, why);
	if (sk->len == 4 && memcmp(sk->data, "item", 4) == 0)
		return RC_OK;
	return why_set(why, RC_REFUSED, "a table without a sort key holds one item a partition, item.json");
}

/* `cut`: its name was. */
static enum rc stage_item(struct adoption *a, const struct key *pk, const struct key *sk, bool cut, struct head *head, const struct item *item,
			  struct why *why)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_item(&row, a->to, pk, sk, false);
	head_write(&value, head, item->document);
	enum rc rc = value.failed ? RC_NO_MEMORY : cut ? is_free(a, &row, "item", why) : RC_OK;
	if (!rc)
		rc = redefine_stage(a->r, &row, value.data, value.len);
	if (!rc && head->size > ROW_INLINE_MAX) {
		buf_clear(&row);
		row_item(&row, a->to, pk, sk, true);
		rc = redefine_stage(a->r, &row, item->document, item->document_len);
	}
	a->r->counters.items++;
	a->r->counters.bytes += head->measure;
	return rc;
}

static enum rc stage_entries(struct adoption *a, const struct key *pk, const struct key *sk, const struct item *item, struct why *why)
{
	const struct schema *schema = a->r->schema;
	struct entry_source source = {schema, pk, sk, item};
	enum rc rc = RC_OK;
	for (size_t i = 0; i < schema->count && !rc; i++) {
		rc = entry_make(&source, &schema->indexes[i], a->to, &a->entry, why);
		if (!rc && a->entry.present)
			rc = redefine_stage_entry(a->r, &a->entry, &schema->indexes[i]);
	}
	return rc;
}

static enum rc adopt_item(struct adoption *a, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n)
{
	const struct schema *schema = a->r->schema;
	struct key pk, sk, new_pk, new_sk;
	struct head head;
	const uint8_t *in;
	struct why why = {.line = 0};
	cleanup_item struct item *item = NULL;
	enum rc rc = row_parse_item(row, n, true, &pk, &sk); /* only an undeclared table has items here */
	if (!rc)
		rc = head_read(value, value_n, &head, &in);
	if (!rc)
		rc = redefine_body(a->r, row, n, &head, in, &a->document);
	if (rc)
		return rc;
	rc = document_stored(&a->document, &item);
	if (rc)
		return rc;
	const struct key *sort = schema_has_sort(schema) ? &new_sk : NULL;
	rc = retype_item(a, &pk, &sk, item, &new_pk, &new_sk, &why);
	if (!rc)
		rc = document_check_new(schema, &new_pk, sort, item, &head.measure, &why);
	if (!rc)
		rc = stage_item(a, &new_pk, sort, sort && sk.type == KEY_PENDING, &head, item, &why);
	if (!rc)
		rc = stage_entries(a, &new_pk, sort, item, &why);
	if (is_misfit(rc)) {
		misfit(a, &pk, &sk, why.text);
		rc = RC_OK;
	}
	return rc;
}

typedef enum rc adopt_fn(struct adoption *a, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n);

/* All rows of one letter. */
static enum rc adopt_all(struct adoption *a, char letter, adopt_fn *fn)
{
	struct store *store = a->r->table->volume->store;
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	buf_add_u32(&low, a->from);
	buf_add_byte(&low, (uint8_t)letter);
	buf_add(&high, low.data, low.len);
	row_after(&high);
	enum rc rc = rows_cursor(store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n;
		const uint8_t *row = store_cursor_key(cursor, &n);
		const uint8_t *value = store_cursor_value(cursor, &value_n);
		rc = fn(a, row, n, value, value_n);
		if (!rc && volume_breaks_off(a->r->table->volume))
			rc = why_set(a->r->why, RC_INTERRUPTED, "the volume was closed meanwhile");
	}
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc stage_all(struct adoption *a)
{
	enum rc rc = adopt_all(a, 'P', adopt_partition);
	if (!rc)
		rc = adopt_all(a, 'F', adopt_file);
	if (!rc && !a->r->table->schema->declared) /* a declared one has none */
		rc = adopt_all(a, 'H', adopt_item);
	if (!rc && a->misfit_count)
		return why_set(a->r->why, RC_REFUSED, "%zu of what the table holds do%s not fit this definition: %.*s%s", a->misfit_count,
			       a->misfit_count == 1 ? "es" : "", (int)a->misfits.len, a->misfits.data,
			       a->misfit_count > MISFITS_NAMED ? "; …" : "");
	return rc ? rc : redefine_flush(a->r, true);
}

/* A partition's record counts the file that becomes the definition. */
static enum rc forget_source(struct adoption *a)
{
	const struct leaf *from = a->r->write->from;
	if (!from || !from->in_partition)
		return RC_OK;
	cleanup_buf struct buf row = {0}, value = {0};
	struct partition_record record;
	struct key pk;
	enum rc rc = retype_partition(a, &from->pk, &pk, a->r->why);
	if (rc)
		return rc;
	row_partition(&row, a->to, &pk);
	rc = store_get(a->r->table->volume->store, NULL, row.data, row.len, &value);
	if (!rc)
		rc = partition_read(value.data, value.len, &record);
	if (rc)
		return rc;
	record.files--;
	record.meta.mtime = record.meta.ctime = a->r->now;
	buf_clear(&value);
	partition_write(&value, &record);
	rc = redefine_stage(a->r, &row, value.data, value.len);
	return rc ? rc : redefine_flush(a->r, true);
}

enum rc redefine_adopt(struct redefinition *r)
{
	struct table *table = r->table;
	struct adoption a = {.r = r, .from = table->id};
	enum rc rc = commit_run(table->volume, begin_commit, r, 0);
	if (rc)
		return rc;
	a.to = r->staged_table;
	r->next_index = 1;
	for (size_t i = 0; i < r->schema->count; i++)
		r->schema->indexes[i].id = r->next_index++;
	r->counters = (struct table_counters){.meta = r->counters.meta};
	if (r->write->from)
		leaf_row(r->write->from, &a.skip);
	rc = stage_all(&a);
	if (!rc)
		rc = forget_source(&a);
	/* What is staged was not synced: a flip that is must not come before it. A durable write syncs all before it (store.h). */
	if (!rc)
		rc = commit_run(table->volume, flip_commit, r, r->write->durable ? COMMIT_DURABLE : 0);
	if (!rc)
		table->id = r->staged_table;
	buf_free(&a.misfits);
	buf_free(&a.document);
	buf_free(&a.skip);
	entry_free(&a.entry);
	return rc;
}
