/* describe: see describe.h. */
#include "index/describe.h"
#include "index/backfill.h"
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

static enum rc set_build(struct schema_build *build, const struct table *table, const struct schema_index *index, const struct view *view, uint64_t items)
{
	struct backfill_progress p;
	enum rc rc = backfill_progress_at(table, index, view_snapshot(view), items, &p);
	if (rc)
		return rc;
	build->online = p.online;
	build->building = p.status == BACKFILL_CREATING;
	build->percent = p.percent;
	build->rate = p.rate;
	build->seconds_left = p.seconds_left;
	build->done = p.done;
	build->skipped = p.skipped;
	build->misfits = p.misfits;
	build->trouble = !p.trouble ? NULL : p.trouble == RC_NO_SPACE ? "the disk is full" : rc_name(p.trouble);
	return RC_OK;
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
		rc = set_build(&state.build[i], table, &table->schema->indexes[i], view, counters.items);
		if (rc)
			return rc;
	}
	return schema_describe(record.document, record.declared ? record.document_len : 0, table->schema, &state, out);
}

enum rc describe_table(struct table *table, const struct view *view, struct buf *out)
{
	char name[SCHEMA_NAME_MAX + 1];
	pthread_rwlock_rdlock(&table->volume->tables_lock); /* before the gate, as whoever goes through all tables */
	memcpy(name, table->name, sizeof name);
	pthread_rwlock_unlock(&table->volume->tables_lock);
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	rc = describe(table, table_view(table, view), name, out);
	table_leave(table);
	return rc;
}
