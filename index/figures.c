/* figures: see figures.h. */
#include "index/figures.h"
#include "index/private.h"
#include "store/model/schema_describe.h"

static void add_table(struct volume_figures *figures, const struct table_counters *counters)
{
	figures->tables++;
	figures->partitions += counters->partitions;
	figures->items += counters->items;
	figures->files += counters->files;
	figures->bytes += counters->bytes + SCHEMA_OVERHEAD * counters->items;
	for (uint32_t i = 0; i < counters->indexes; i++)
		figures->entries += counters->index[i].entries;
}

/* One read a table. */
static enum rc add_tables(struct volume_figures *figures, struct volume *volume)
{
	enum rc rc = RC_OK;
	pthread_rwlock_rdlock(&volume->tables_lock);
	for (struct table *table = volume->tables; table && !rc; table = table->next) {
		struct table_counters counters;
		rc = table_stat(table, NULL, &counters);
		if (!rc)
			add_table(figures, &counters);
		else if (rc == RC_STALE)
			rc = RC_OK; /* it is being removed */
	}
	pthread_rwlock_unlock(&volume->tables_lock);
	return rc;
}

enum rc volume_items(struct volume *volume, uint64_t *ret_items)
{
	struct volume_figures figures = {0};
	enum rc rc = add_tables(&figures, volume);
	if (!rc)
		*ret_items = figures.items;
	return rc;
}

enum rc volume_figures(struct volume *volume, struct volume_figures *ret_figures)
{
	struct volume_figures figures = {.sequence = __atomic_load_n(&volume->written, __ATOMIC_ACQUIRE)};
	enum rc rc = add_tables(&figures, volume);
	if (rc)
		return rc;
	store_figures(volume->store, &figures.engine);
	*ret_figures = figures;
	return RC_OK;
}
