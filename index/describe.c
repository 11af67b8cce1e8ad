/* describe: see describe.h. */
#include "index/describe.h"
#include "index/private.h"
#include "index/usage.h"
#include "store/model/schema_describe.h"
#include <string.h>

static void set_figures(struct schema_figures *figures, const struct table *table, uint32_t index, uint64_t items, uint64_t bytes)
{
	figures->items = items;
	figures->bytes = bytes;
	usage_get(table, index, &figures->reads, &figures->writes);
}

/* With the gate held, so that definition and counters are of the same table id. */
static enum rc describe(struct table *table, const struct view *view, const char *name, struct buf *out)
{
	cleanup_buf struct buf row = {0}, definition = {0}, counted = {0};
	struct store *store = table->volume->store;
	struct schema_state state = {.name = name, .identity = table->identity};
	struct table_record record;
	struct table_counters counters;
	row_table(&row, table->id);
	enum rc rc = store_get(store, view_snapshot(view), row.data, row.len, &definition);
	if (!rc)
		rc = table_read(definition.data, definition.len, &record);
	buf_clear(&row);
	row_counters(&row, table->id);
	if (!rc)
		rc = store_get(store, view_snapshot(view), row.data, row.len, &counted);
	if (!rc)
		rc = counters_read(counted.data, counted.len, &counters);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	state.created = record.created;
	set_figures(&state.table, table, 0, counters.items, counters.bytes);
	for (size_t i = 0; i < table->schema->count; i++) {
		uint32_t id = table->schema->indexes[i].id;
		const struct index_counters *of = counters_of(&counters, id);
		set_figures(&state.index[i], table, id, of ? of->entries : 0, of ? of->bytes : 0);
	}
	return schema_describe(record.document, record.declared ? record.document_len : 0, table->schema, &state, out);
}

enum rc describe_table(struct table *table, const struct view *view, struct buf *out)
{
	char name[SCHEMA_NAME_MAX + 1];
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	pthread_rwlock_rdlock(&table->volume->tables_lock);
	memcpy(name, table->name, sizeof name);
	pthread_rwlock_unlock(&table->volume->tables_lock);
	rc = describe(table, table_view(table, view), name, out);
	table_leave(table);
	return rc;
}
