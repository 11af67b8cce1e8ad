/* tables: the tables of a volume in memory, by name, and the same for those of a snapshot. They mirror the rows 0 'T' and each t 'T'. They are
 * changed with tables_change held, after the commit that changed those rows, so the two agree whenever that lock is free. A name is found by its
 * hash, because listing the root asks for every name.
 */
#include "index/private.h"
#include <string.h>

static struct table **bucket_of(struct table_names *names, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return &names->bucket[hash % TABLE_BUCKETS];
}

struct table *table_names_find(struct table_names *names, const char *name)
{
	struct table *table = *bucket_of(names, name);
	while (table && strcmp(table->name, name) != 0)
		table = table->beside;
	return table;
}

void table_names_add(struct table_names *names, struct table *table)
{
	struct table **bucket = bucket_of(names, table->name);
	table->beside = *bucket;
	*bucket = table;
}

static void names_remove(struct table_names *names, struct table *table)
{
	struct table **at = bucket_of(names, table->name);
	while (*at && *at != table)
		at = &(*at)->beside;
	if (*at)
		*at = table->beside;
}

enum rc table_find(struct volume *volume, const char *name, struct table **ret_table)
{
	pthread_rwlock_rdlock(&volume->tables_lock);
	struct table *table = table_names_find(&volume->table_names, name);
	if (table)
		*ret_table = table_ref(table);
	pthread_rwlock_unlock(&volume->tables_lock);
	return table ? RC_OK : RC_NOT_FOUND;
}

void tables_add(struct volume *volume, struct table *table)
{
	pthread_rwlock_wrlock(&volume->tables_lock);
	table->next = volume->tables;
	volume->tables = table;
	table_names_add(&volume->table_names, table);
	pthread_rwlock_unlock(&volume->tables_lock);
}

void tables_remove(struct volume *volume, struct table *table)
{
	pthread_rwlock_wrlock(&volume->tables_lock);
	struct table **at = &volume->tables;
	while (*at && *at != table)
		at = &(*at)->next;
	if (*at)
		*at = table->next;
	names_remove(&volume->table_names, table);
	pthread_rwlock_unlock(&volume->tables_lock);
	table_unref(table);
}

void tables_rename(struct volume *volume, struct table *table, const char *name)
{
	pthread_rwlock_wrlock(&volume->tables_lock);
	names_remove(&volume->table_names, table);
	memset(table->name, 0, sizeof table->name);
	memcpy(table->name, name, strlen(name));
	table_names_add(&volume->table_names, table);
	pthread_rwlock_unlock(&volume->tables_lock);
}

enum rc tables_load(struct volume *volume, struct why *why)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	row_catalog(&low, "");
	row_catalog(&high, "");
	row_after(&high);
	enum rc rc = rows_cursor(volume->store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		const uint8_t *value = store_cursor_value(cursor, &value_n);
		struct row_reader reader = {value, value + value_n, false};
		char name[SCHEMA_NAME_MAX + 1] = "";
		size_t name_n = n - low.len;
		uint32_t id = row_read_u32(&reader);
		if (name_n > SCHEMA_NAME_MAX || reader.bad || schema_table_name((const char *)key + low.len, name_n, NULL)) {
			rc = why_set(why, RC_CORRUPT, "the catalogue holds a row that names no table");
			break;
		}
		memcpy(name, key + low.len, name_n);
		struct table *table;
		rc = table_load(volume, NULL, name, id, &table, why);
		if (!rc)
			tables_add(volume, table);
	}
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

void tables_forget(struct volume *volume)
{
	while (volume->tables) {
		struct table *table = volume->tables;
		volume->tables = table->next;
		table_unref(table);
	}
}
