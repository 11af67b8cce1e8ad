/* definition: see definition.h. Adoption is adopt.c, building GSIs is build.c; here is what they share and what is decided. */
#include "index/definition.h"
#include "index/change.h"
#include "index/redefine.h"
#include "index/worker.h"
#include <stdlib.h>
#include <string.h>

static void head_of(const struct table_record *record, struct head *ret_head)
{
	*ret_head = (struct head){.meta = record->meta, .birth = record->birth, .version = record->version, .size = record->document_len};
}

enum rc definition_get(struct table *table, const struct view *view, struct head *ret_head, struct buf *ret_document)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct table_record record;
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	row_table(&row, table->id);
	rc = store_get(table->volume->store, view_snapshot(table_view(table, view)), row.data, row.len, &value);
	table_leave(table);
	if (!rc)
		rc = table_read(value.data, value.len, &record);
	if (!rc && !record.named)
		rc = RC_NOT_FOUND;
	if (rc)
		return rc;
	head_of(&record, ret_head);
	if (ret_document)
		buf_add(ret_document, record.document, record.document_len);
	return ret_document && ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc unchangeable(const struct schema *old, const struct schema *new, struct why *why)
{
	if (!schema_key_equal(&old->key, &new->key))
		return why_set(why, RC_REFUSED,
			       "KeySchema: the key of a table that holds items is fixed; make a new table and copy the items");
	size_t before = 0, after = 0;
	for (size_t i = 0; i < old->count; i++)
		before += old->indexes[i].local;
	for (size_t i = 0; i < new->count; i++) {
		if (!new->indexes[i].local)
			continue;
		after++;
		const struct schema_index *same = schema_find_index(old, new->indexes[i].name);
		if (!same || !schema_index_equal(same, &new->indexes[i]))
			return why_set(why, RC_REFUSED,
				       "LocalSecondaryIndexes: %s: the local indexes of a table that holds items are fixed",
				       new->indexes[i].name);
	}
	if (before != after)
		return why_set(why, RC_REFUSED, "LocalSecondaryIndexes: the local indexes of a table that holds items are fixed");
	return RC_OK;
}

/* Sets the record's fields for the file `.schema.json`, and its directory's times where the name comes. */
void redefine_record(struct redefinition *r, struct txn *txn, struct table_record *record, struct table_counters *counters)
{
	const struct definition_write *write = r->write;
	int64_t now = txn_now(txn);
	bool appears = !record->named || write->from;
	if (appears)
		change_touch(&counters->meta, write->from || !write->appeared ? now : write->appeared);
	if (appears) {
		record->meta = *write->fresh;
		record->birth = txn_sequence(txn);
	} else if (write->mtime_set) {
		record->meta.mtime = write->mtime;
	}
	record->declared = record->named = true;
	record->meta.ctime = now;
	record->version = txn_sequence(txn);
	record->document = write->document;
	record->document_len = (uint32_t)write->len;
	record->next_index = r->next_index;
	record->indexes = (uint32_t)r->schema->count;
	for (size_t i = 0; i < r->schema->count; i++)
		record->index_id[i] = r->schema->indexes[i].id;
	head_of(record, &r->head);
}

enum rc redefine_flush(struct redefinition *r, bool all)
{
	if (!r->staged_rows || (!all && r->staged_rows < 1000 && r->staged_bytes < (4 << 20)))
		return RC_OK;
	enum rc rc = store_write(r->table->volume->store, r->batch, false);
	store_batch_clear(r->batch);
	r->staged_rows = 0;
	r->staged_bytes = 0;
	return rc;
}

enum rc redefine_stage(struct redefinition *r, const struct buf *row, const void *value, size_t n)
{
	if (row->failed)
		return RC_NO_MEMORY;
	store_batch_put(r->batch, row->data, row->len, value, n);
	r->staged_rows++;
	r->staged_bytes += row->len + n;
	return redefine_flush(r, false);
}

enum rc redefine_stage_entry(struct redefinition *r, const struct entry *entry, const struct schema_index *index)
{
	cleanup_buf struct buf value = {0}, body = {0};
	struct head head = {.meta = {.mode = 0444, .atime = r->now, .mtime = r->now, .ctime = r->now}};
	head.birth = head.version = r->sequence;
	head.size = (uint32_t)entry->document.len;
	head.measure = entry->measure;
	head_write(&value, &head, entry->document.data);
	enum rc rc = value.failed ? RC_NO_MEMORY : redefine_stage(r, &entry->row, value.data, value.len);
	if (!rc && head.size > ROW_INLINE_MAX) {
		row_body(&body, entry->row.data, entry->row.len);
		rc = redefine_stage(r, &body, entry->document.data, entry->document.len);
	}
	struct index_counters *counters = rc ? NULL : counters_of(&r->counters, index->id);
	if (counters) {
		counters->entries++;
		counters->bytes += entry->measure;
	}
	return rc;
}

enum rc redefine_body(struct redefinition *r, const uint8_t *head_row, size_t n, const struct head *head, const uint8_t *in, struct buf *out)
{
	buf_clear(out);
	if (in) {
		buf_add(out, in, head->size);
		return out->failed ? RC_NO_MEMORY : RC_OK;
	}
	cleanup_buf struct buf row = {0};
	buf_add(&row, head_row, n);
	if (row.failed)
		return RC_NO_MEMORY;
	row.data[4] = row.data[4] == 'H' ? 'B' : (uint8_t)(row.data[4] + 1);
	enum rc rc = store_get(r->table->volume->store, NULL, row.data, row.len, out);
	return rc == RC_NOT_FOUND || (!rc && out->len != head->size) ? RC_CORRUPT : rc;
}

static enum rc load_state(struct redefinition *r)
{
	cleanup_buf struct buf row = {0}, counters = {0};
	struct store *store = r->table->volume->store;
	row_table(&row, r->table->id);
	enum rc rc = store_get(store, NULL, row.data, row.len, &r->record_value);
	if (!rc)
		rc = table_read(r->record_value.data, r->record_value.len, &r->record);
	if (rc)
		return rc;
	buf_clear(&row);
	row_counters(&row, r->table->id);
	rc = store_get(store, NULL, row.data, row.len, &counters);
	return rc ? rc : counters_read(counters.data, counters.len, &r->counters);
}

static enum rc condition(const struct redefinition *r)
{
	const struct definition_write *write = r->write;
	if (write->condition == LEAF_ABSENT && r->record.named)
		return RC_EXISTS;
	if (write->condition == LEAF_SAME && (!r->record.named || r->record.birth != write->birth))
		return RC_STALE;
	return RC_OK;
}

/* The file that becomes the definition: an adoption leaves it out, and must not leave out what is not there. */
static enum rc source_exists(const struct redefinition *r)
{
	cleanup_buf struct buf row = {0}, value = {0};
	leaf_row(r->write->from, &row);
	return store_get(r->table->volume->store, NULL, row.data, row.len, &value);
}

/* With tables_change and the gate held for writing. */
static enum rc redefine(struct redefinition *r)
{
	enum rc rc = load_state(r);
	if (!rc)
		rc = condition(r);
	if (!rc && r->write->from)
		rc = source_exists(r);
	if (rc)
		return rc;
	r->next_index = r->record.next_index;
	r->now = clock_now();
	r->sequence = r->record.version;
	if (!r->table->schema->declared || r->counters.items == 0)
		return redefine_adopt(r);
	rc = unchangeable(r->table->schema, r->schema, r->why);
	return rc ? rc : redefine_build(r);
}

enum rc definition_set(struct table *table, const struct definition_write *write, struct head *ret_head, struct why *why)
{
	struct volume *volume = table->volume;
	struct redefinition r = {.table = table, .write = write, .why = why};
	enum rc rc = table->view ? RC_READ_ONLY : schema_parse(write->document, write->len, &r.schema, why);
	if (rc)
		return rc;
	pthread_mutex_lock(&volume->tables_change);
	pthread_rwlock_wrlock(&table->gate);
	rc = table->removed ? RC_STALE : store_batch_new(volume->store, &r.batch);
	if (!rc)
		rc = redefine(&r);
	if (!rc) {
		struct schema *old = table->schema;
		table->schema = r.schema;
		table->named = true;
		__atomic_store_n(&table->building, r.building, __ATOMIC_RELEASE); /* the worker looks without the gate */
		table->young = r.young;
		r.schema = old;
		*ret_head = r.head;
	}
	pthread_rwlock_unlock(&table->gate);
	pthread_mutex_unlock(&volume->tables_change);
	worker_wake(volume);
	schema_free(r.schema);
	store_batch_free(r.batch);
	buf_free(&r.record_value);
	return rc;
}

/* Small changes of the record alone, and of the name in its directory. */
struct naming {
	struct table *table;
	const struct meta_change *change;
	const struct leaf *to;
	bool noreplace;
	struct head head;
};

static enum rc load_named(struct txn *txn, struct table *table, struct buf *value, struct table_record *record)
{
	enum rc rc = definition_load(txn, table, value, record);
	return rc ? rc : record->named ? RC_OK : RC_NOT_FOUND;
}

static enum rc unname_commit(struct txn *txn, void *context)
{
	struct naming *n = context;
	cleanup_buf struct buf value = {0}, row = {0};
	cleanup_image struct image target = {0};
	struct table_record record;
	struct change change;
	enum rc rc = load_named(txn, n->table, &value, &record);
	if (!rc)
		rc = change_begin(&change, txn, n->table, NULL);
	if (rc)
		return rc;
	head_of(&record, &n->head);
	if (n->to) {
		leaf_row(n->to, &row);
		enum rc there = image_load(txn, &row, false, &target);
		if (there && there != RC_NOT_FOUND)
			return there;
		if (!there && n->noreplace)
			return RC_EXISTS;
		rc = leaf_put_file(&change, n->to, &row, there ? NULL : &target, &n->head, record.document);
	}
	record.named = false;
	definition_store(txn, n->table->id, &record);
	change.counters.meta.mtime = change.counters.meta.ctime = txn_now(txn);
	change_end(&change);
	return rc;
}

static enum rc unname(struct naming *naming)
{
	struct table *table = naming->table;
	if (table->view)
		return RC_READ_ONLY;
	pthread_mutex_lock(&table->volume->tables_change);
	pthread_rwlock_wrlock(&table->gate);
	enum rc rc = table->removed ? RC_STALE : commit_run(table->volume, unname_commit, naming, 0);
	if (!rc)
		table->named = false;
	pthread_rwlock_unlock(&table->gate);
	pthread_mutex_unlock(&table->volume->tables_change);
	return rc;
}

enum rc definition_unname(struct table *table)
{
	struct naming naming = {.table = table};
	return unname(&naming);
}

enum rc definition_to_file(struct table *table, const struct leaf *to, bool noreplace, struct head *ret_head)
{
	if (to->table != table || to->kind != LEAF_FILE)
		return RC_CROSS; /* mv copies then, and the copy is checked as what it is to be */
	struct naming naming = {.table = table, .to = to, .noreplace = noreplace};
	enum rc rc = unname(&naming);
	if (!rc)
		*ret_head = naming.head;
	return rc;
}

static enum rc set_meta_commit(struct txn *txn, void *context)
{
	struct naming *n = context;
	cleanup_buf struct buf value = {0};
	struct table_record record;
	enum rc rc = load_named(txn, n->table, &value, &record);
	if (rc)
		return rc;
	meta_apply(&record.meta, n->change, txn_now(txn));
	head_of(&record, &n->head);
	definition_store(txn, n->table->id, &record);
	return RC_OK;
}

enum rc definition_set_meta(struct table *table, const struct meta_change *change, struct head *ret_head)
{
	struct naming naming = {.table = table, .change = change};
	enum rc rc = table_enter_to_change(table);
	if (rc)
		return rc;
	rc = commit_run(table->volume, set_meta_commit, &naming, 0);
	table_leave(table);
	if (!rc && ret_head)
		*ret_head = naming.head;
	return rc;
}
