/* table: see table.h. Which tables there are is tables.c. */
#include "index/table.h"
#include "index/private.h"
#include "index/snapshot.h"
#include "index/worker.h"
#include <stdlib.h>
#include <string.h>

enum rc table_enter(struct table *table)
{
	pthread_rwlock_rdlock(&table->gate);
	if (!table->removed)
		return RC_OK;
	pthread_rwlock_unlock(&table->gate);
	return RC_STALE;
}

enum rc table_enter_to_change(struct table *table)
{
	return table->view ? RC_READ_ONLY : table_enter(table);
}

void table_leave(struct table *table)
{
	pthread_rwlock_unlock(&table->gate);
}

enum rc table_schema(struct table *table, const struct schema **ret_schema)
{
	enum rc rc = table_enter(table);
	if (!rc)
		*ret_schema = table->schema;
	return rc;
}

void table_schema_done(struct table *table)
{
	table_leave(table);
}

uint64_t table_identity(const struct table *table)
{
	return table->identity;
}

struct table *table_ref(struct table *table)
{
	if (table->snapshot)
		snapshot_ref(table->snapshot);
	else
		__atomic_add_fetch(&table->refs, 1, __ATOMIC_RELAXED);
	return table;
}

void table_free(struct table *table)
{
	schema_free(table->schema);
	usage_free(&table->usage);
	pthread_rwlock_destroy(&table->gate);
	free(table);
}

void table_unref(struct table *table)
{
	if (table && table->snapshot)
		snapshot_unref(table->snapshot);
	else if (table && !__atomic_sub_fetch(&table->refs, 1, __ATOMIC_ACQ_REL))
		table_free(table);
}

static struct table *table_new(struct volume *volume, const char *name, uint32_t id, uint64_t identity)
{
	struct table *table = calloc(1, sizeof *table);
	if (!table)
		return NULL;
	table->volume = volume;
	table->refs = 1;
	table->id = id;
	table->identity = identity;
	memcpy(table->name, name, strlen(name));
	pthread_rwlock_init(&table->gate, NULL);
	return table;
}

enum rc counters_load(struct txn *txn, const struct table *table, struct table_counters *ret_counters)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf key = BUF_IN(key_room), value = BUF_IN(value_room);
	row_counters(&key, table->id);
	enum rc rc = txn_get(txn, &key, &value);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	return counters_read(value.data, value.len, ret_counters);
}

void counters_store(struct txn *txn, const struct table *table, const struct table_counters *counters)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf key = BUF_IN(key_room), value = BUF_IN(value_room);
	row_counters(&key, table->id);
	counters_write(&value, counters);
	txn_put(txn, &key, &value);
}

enum rc definition_load(struct txn *txn, const struct table *table, struct buf *ret_value, struct table_record *ret_record)
{
	cleanup_buf struct buf key = {0};
	row_table(&key, table->id);
	enum rc rc = txn_get(txn, &key, ret_value);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	return table_read(ret_value->data, ret_value->len, ret_record);
}

void definition_store(struct txn *txn, uint32_t table, const struct table_record *record)
{
	cleanup_buf struct buf key = {0}, value = {0};
	row_table(&key, table);
	table_write(&value, record);
	txn_put(txn, &key, &value);
}

static void catalog_put(struct txn *txn, const char *name, uint32_t id)
{
	cleanup_buf struct buf key = {0}, value = {0};
	row_catalog(&key, name);
	buf_add_u32(&value, id);
	txn_put(txn, &key, &value);
}

static void catalog_delete(struct txn *txn, const char *name)
{
	cleanup_buf struct buf key = {0};
	row_catalog(&key, name);
	txn_delete(txn, &key);
}

struct creation {
	struct volume *volume;
	const char *name;
	const struct meta *meta;
	uint32_t id;      /* out */
	uint64_t sequence; /* out: the identity */
};

static enum rc create_commit(struct txn *txn, void *context)
{
	struct creation *c = context;
	c->id = commit_new_table(c->volume);
	c->sequence = txn_sequence(txn);
	int64_t now = txn_now(txn);
	struct table_record record = {.identity = c->sequence, .created = now, .next_index = 1};
	struct table_counters counters = {.meta = *c->meta};
	counters.meta.atime = counters.meta.mtime = counters.meta.ctime = now;
	struct table stub = {.id = c->id};
	catalog_put(txn, c->name, c->id);
	definition_store(txn, c->id, &record);
	counters_store(txn, &stub, &counters);
	return root_touch(txn);
}

enum rc table_create(struct volume *volume, const char *name, const struct meta *meta, struct why *why)
{
	enum rc rc = schema_table_name(name, strlen(name), why);
	if (rc)
		return rc;
	pthread_mutex_lock(&volume->tables_change);
	struct table *table = NULL;
	if (table_find(volume, name, &table) == RC_OK) {
		table_unref(table);
		rc = why_set(why, RC_EXISTS, "there is a table %s already", name);
		goto out;
	}
	struct creation creation = {volume, name, meta, 0, 0};
	struct schema *schema = schema_undeclared();
	table = table_new(volume, name, 0, 0);
	rc = table && schema ? commit_run(volume, create_commit, &creation, 0) : RC_NO_MEMORY;
	if (rc) {
		schema_free(schema);
		table_unref(table);
		goto out;
	}
	table->id = creation.id;
	table->identity = creation.sequence;
	table->schema = schema;
	tables_add(volume, table);
out:
	pthread_mutex_unlock(&volume->tables_change);
	return rc;
}

/* Within a commit, with the table's gate held for writing. */
static enum rc remove_rows(struct txn *txn, struct table *table, struct why *why)
{
	struct table_counters counters;
	enum rc rc = counters_load(txn, table, &counters);
	if (rc)
		return rc;
	if (counters.partitions || counters.files)
		return why_set(why, RC_NOT_EMPTY, "table %s holds %llu partitions and %llu plain files", table->name,
			       (unsigned long long)counters.partitions, (unsigned long long)counters.files);
	if (table->schema->deletion_protection)
		return why_set(why, RC_FORBIDDEN, "table %s has DeletionProtectionEnabled in its .schema.json", table->name);
	cleanup_buf struct buf dead = {0}, nothing = {0};
	catalog_delete(txn, table->name);
	row_dead(&dead, table->id, 0);
	txn_put(txn, &dead, &nothing); /* its rows go in the background */
	return root_touch(txn);
}

struct removal {
	struct table *table;
	struct table *target;   /* of a rename */
	const char *name;       /* of a rename */
	struct why *why;
};

static enum rc remove_commit(struct txn *txn, void *context)
{
	struct removal *r = context;
	return remove_rows(txn, r->table, r->why);
}

enum rc table_remove(struct table *table, struct why *why)
{
	struct volume *volume = table->volume;
	struct removal removal = {.table = table, .why = why};
	if (table->view)
		return RC_READ_ONLY;
	pthread_mutex_lock(&volume->tables_change);
	pthread_rwlock_wrlock(&table->gate);
	enum rc rc = table->removed ? RC_STALE : commit_run(volume, remove_commit, &removal, COMMIT_FREES);
	if (!rc)
		table->removed = true;
	pthread_rwlock_unlock(&table->gate);
	if (!rc) {
		tables_remove(volume, table);
		worker_wake(volume);
	}
	pthread_mutex_unlock(&volume->tables_change);
	return rc;
}

static enum rc rename_commit(struct txn *txn, void *context)
{
	struct removal *r = context;
	enum rc rc = r->target ? remove_rows(txn, r->target, r->why) : RC_OK;
	if (rc)
		return rc;
	struct table_counters counters;
	rc = counters_load(txn, r->table, &counters);
	if (rc)
		return rc;
	counters.meta.ctime = txn_now(txn);
	catalog_delete(txn, r->table->name);
	catalog_put(txn, r->name, r->table->id);
	counters_store(txn, r->table, &counters);
	return root_touch(txn);
}

/* With tables_change held. */
static enum rc rename_onto(struct table *table, struct table *target, const char *name, struct why *why)
{
	struct volume *volume = table->volume;
	struct removal removal = {.table = table, .target = target, .name = name, .why = why};
	if (target)
		pthread_rwlock_wrlock(&target->gate);
	enum rc rc = table_enter(table);
	if (!rc) {
		rc = commit_run(volume, rename_commit, &removal, 0);
		table_leave(table);
	}
	if (target) {
		target->removed = target->removed || !rc;
		pthread_rwlock_unlock(&target->gate);
	}
	if (rc)
		return rc;
	if (target) {
		tables_remove(volume, target);
		worker_wake(volume);
	}
	tables_rename(volume, table, name);
	return RC_OK;
}

enum rc table_rename(struct table *table, const char *name, bool noreplace, struct why *why)
{
	enum rc rc = table->view ? RC_READ_ONLY : schema_table_name(name, strlen(name), why);
	if (rc)
		return rc;
	struct volume *volume = table->volume;
	struct table *target = NULL;
	pthread_mutex_lock(&volume->tables_change);
	table_find(volume, name, &target);
	if (target == table)
		rc = noreplace ? RC_EXISTS : RC_OK;
	else if (target && noreplace)
		rc = RC_EXISTS;
	else
		rc = rename_onto(table, target, name, why);
	pthread_mutex_unlock(&volume->tables_change);
	table_unref(target);
	return rc;
}

enum rc table_stat(struct table *table, const struct view *view, struct table_counters *ret_counters)
{
	cleanup_buf struct buf key = {0}, value = {0};
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	row_counters(&key, table->id);
	rc = store_get(table->volume->store, view_snapshot(table_view(table, view)), key.data, key.len, &value);
	table_leave(table);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	return counters_read(value.data, value.len, ret_counters);
}

void meta_apply(struct meta *meta, const struct meta_change *change, int64_t now)
{
	if (change->mode_set)
		meta->mode = change->value.mode & 07777;
	if (change->uid_set)
		meta->uid = change->value.uid;
	if (change->gid_set)
		meta->gid = change->value.gid;
	if (change->atime_set)
		meta->atime = change->value.atime;
	if (change->mtime_set)
		meta->mtime = change->value.mtime;
	meta->ctime = now;
}

struct table_touch {
	struct table *table;
	const struct meta_change *change;
};

static enum rc set_meta_commit(struct txn *txn, void *context)
{
	struct table_touch *t = context;
	struct table_counters counters;
	enum rc rc = counters_load(txn, t->table, &counters);
	if (rc)
		return rc;
	meta_apply(&counters.meta, t->change, txn_now(txn));
	counters_store(txn, t->table, &counters);
	return RC_OK;
}

enum rc table_set_meta(struct table *table, const struct meta_change *change)
{
	struct table_touch touch = {table, change};
	enum rc rc = table_enter_to_change(table);
	if (rc)
		return rc;
	rc = commit_run(table->volume, set_meta_commit, &touch, 0);
	table_leave(table);
	return rc;
}

enum rc table_load(struct volume *volume, const struct view *view, const char *name, uint32_t id, struct table **ret_table, struct why *why)
{
	cleanup_buf struct buf key = {0}, value = {0};
	struct table_record record;
	row_table(&key, id);
	enum rc rc = store_get(volume->store, view_snapshot(view), key.data, key.len, &value);
	if (!rc)
		rc = table_read(value.data, value.len, &record);
	if (rc)
		return why_set(why, rc == RC_NOT_FOUND ? RC_CORRUPT : rc, "the definition of table %s cannot be read", name);
	struct table *table = table_new(volume, name, id, record.identity);
	if (!table)
		return RC_NO_MEMORY;
	table->named = record.named;
	if (record.declared)
		rc = schema_parse(record.document, record.document_len, &table->schema, why);
	else
		rc = (table->schema = schema_undeclared()) ? RC_OK : RC_NO_MEMORY;
	if (!rc && table->schema->count != record.indexes)
		rc = why_set(why, RC_CORRUPT, "table %s: %zu indexes defined, %u numbered", name, table->schema->count, record.indexes);
	if (rc) {
		table_free(table);
		return rc == RC_NO_MEMORY ? rc : RC_CORRUPT;
	}
	for (uint32_t i = 0; i < record.indexes; i++)
		table->schema->indexes[i].id = record.index_id[i];
	rc = backfill_load(table, view_snapshot(view));
	if (rc) {
		table_free(table);
		return why_set(why, rc, "how far the indexes of table %s are filled cannot be read", name);
	}
	*ret_table = table;
	return RC_OK;
}
