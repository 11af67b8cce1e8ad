/* snapshot: see snapshot.h. The names are a list in the volume, in order; the frozen tables that somebody asked for are a list in their snapshot, and
 * go with it: a reference of one is a reference of the snapshot. */
#include "index/snapshot.h"
#include "index/private.h"
#include "store/model/utf8.h"
#include <stdlib.h>
#include <string.h>

struct snapshot {
	struct snapshot *next; /* by name; under the volume's snapshots_lock */
	struct volume *volume;
	unsigned refs; /* atomic */
	struct view *view;
	pthread_mutex_t lock;
	struct table *tables; /* those that were asked for; under lock */
	struct table_names table_names; /* of the same */
	char name[SNAPSHOT_NAME_MAX + 1];
};

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	__atomic_add_fetch(&snapshot->refs, 1, __ATOMIC_RELAXED);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot || __atomic_sub_fetch(&snapshot->refs, 1, __ATOMIC_ACQ_REL))
		return;
	while (snapshot->tables) {
		struct table *table = snapshot->tables;
		snapshot->tables = table->next;
		table_free(table);
	}
	view_close(snapshot->view);
	pthread_mutex_destroy(&snapshot->lock);
	free(snapshot);
}

const struct view *snapshot_view(const struct snapshot *snapshot)
{
	return snapshot ? snapshot->view : NULL;
}

bool table_is_frozen(const struct table *table)
{
	return table->view;
}

static enum rc check_name(const char *name, struct why *why)
{
	size_t n = strlen(name);
	if (n > SNAPSHOT_NAME_MAX)
		return why_set(why, RC_NAME_TOO_LONG, "%zu bytes; a snapshot's name has at most %d", n, SNAPSHOT_NAME_MAX);
	if (!utf8_valid(name, n))
		return why_set(why, RC_NOT_UTF8, "a snapshot's name is UTF-8");
	if (!n || name[0] == '.')
		return why_set(why, RC_INVALID, "a snapshot's name does not begin with a dot");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
			return why_set(why, RC_INVALID, "a snapshot's name holds no control characters");
	return RC_OK;
}

static enum rc freeze(struct volume *volume, const char *name, struct snapshot **ret_snapshot)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	if (!snapshot)
		return RC_NO_MEMORY;
	enum rc rc = view_open(volume, &snapshot->view);
	if (rc) {
		free(snapshot);
		return rc;
	}
	snapshot->view->frozen = true;
	snapshot->volume = volume;
	snapshot->refs = 1;
	strcpy(snapshot->name, name);
	pthread_mutex_init(&snapshot->lock, NULL);
	*ret_snapshot = snapshot;
	return RC_OK;
}

/* Where the name stands in the list, or would. With snapshots_lock held. */
static struct snapshot **place_of(struct volume *volume, const char *name)
{
	struct snapshot **at = &volume->snapshots;
	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	return at;
}

static bool is_named(const struct snapshot *snapshot, const char *name)
{
	return snapshot && strcmp(snapshot->name, name) == 0;
}

enum rc snapshot_take(struct volume *volume, const char *name, struct why *why)
{
	struct snapshot *snapshot = NULL;
	enum rc rc = check_name(name, why);
	if (rc)
		return rc;
	pthread_mutex_lock(&volume->snapshots_lock);
	struct snapshot **at = place_of(volume, name);
	if (is_named(*at, name))
		rc = RC_EXISTS;
	else if (volume->snapshot_count == SNAPSHOTS_MAX)
		rc = why_set(why, RC_TOO_MANY, "there are %d snapshots, which is as many as there may be: rmdir lets one go", SNAPSHOTS_MAX);
	else
		rc = freeze(volume, name, &snapshot);
	if (!rc) {
		snapshot->next = *at;
		*at = snapshot;
		volume->snapshot_count++;
	}
	pthread_mutex_unlock(&volume->snapshots_lock);
	return rc;
}

enum rc snapshot_drop(struct volume *volume, const char *name)
{
	struct snapshot *snapshot = NULL;
	pthread_mutex_lock(&volume->snapshots_lock);
	struct snapshot **at = place_of(volume, name);
	if (is_named(*at, name)) {
		snapshot = *at;
		*at = snapshot->next;
		volume->snapshot_count--;
	}
	pthread_mutex_unlock(&volume->snapshots_lock);
	snapshot_unref(snapshot);
	return snapshot ? RC_OK : RC_NOT_FOUND;
}

enum rc snapshot_find(struct volume *volume, const char *name, struct snapshot **ret_snapshot)
{
	pthread_mutex_lock(&volume->snapshots_lock);
	struct snapshot *snapshot = *place_of(volume, name);
	bool found = is_named(snapshot, name);
	if (found)
		*ret_snapshot = snapshot_ref(snapshot);
	pthread_mutex_unlock(&volume->snapshots_lock);
	return found ? RC_OK : RC_NOT_FOUND;
}

enum rc snapshot_next(struct volume *volume, const char *name, char ret_name[SNAPSHOT_NAME_MAX + 1])
{
	pthread_mutex_lock(&volume->snapshots_lock);
	struct snapshot *snapshot = *place_of(volume, name);
	if (is_named(snapshot, name))
		snapshot = snapshot->next;
	if (snapshot)
		strcpy(ret_name, snapshot->name);
	pthread_mutex_unlock(&volume->snapshots_lock);
	return snapshot ? RC_OK : RC_NOT_FOUND;
}

void snapshot_why_full(struct volume *volume, struct why *why)
{
	char name[SNAPSHOT_NAME_MAX + 1];
	if (!store_waits(volume->store))
		why_set(why, RC_NO_SPACE, "the disk is full");
	else if (snapshot_next(volume, "", name) == RC_OK)
		why_set(why, RC_NO_SPACE, "the disk was full, and writing goes on when no snapshot is held any more: rmdir .itemfs/snapshots/%s", name);
	else
		why_set(why, RC_NO_SPACE, "the disk was full, and writing goes on when the files and directories that are open are closed");
}

void snapshots_forget(struct volume *volume)
{
	while (volume->snapshots)
		snapshot_drop(volume, volume->snapshots->name);
}

/* The table's id in the snapshot's catalogue. */
static enum rc table_id(struct snapshot *snapshot, const char *name, uint32_t *ret_id)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_catalog(&row, name);
	enum rc rc = store_get(snapshot->volume->store, snapshot->view->snapshot, row.data, row.len, &value);
	if (rc)
		return rc;
	struct row_reader reader = {value.data, value.data + value.len, false};
	*ret_id = row_read_u32(&reader);
	return reader.bad ? RC_CORRUPT : RC_OK;
}

static enum rc freeze_table(struct snapshot *snapshot, const char *name, struct table **ret_table)
{
	uint32_t id;
	struct table *table;
	enum rc rc = table_id(snapshot, name, &id);
	if (!rc)
		rc = table_load(snapshot->volume, snapshot->view, name, id, &table, NULL);
	if (rc)
		return rc;
	table->view = snapshot->view;
	table->snapshot = snapshot;
	table->next = snapshot->tables;
	snapshot->tables = table;
	table_names_add(&snapshot->table_names, table);
	*ret_table = table;
	return RC_OK;
}

enum rc snapshot_table(struct snapshot *snapshot, const char *name, struct table **ret_table)
{
	enum rc rc = RC_OK;
	if (strlen(name) > SCHEMA_NAME_MAX)
		return RC_NOT_FOUND;
	pthread_mutex_lock(&snapshot->lock);
	struct table *table = table_names_find(&snapshot->table_names, name);
	if (!table)
		rc = freeze_table(snapshot, name, &table);
	pthread_mutex_unlock(&snapshot->lock);
	if (!rc)
		*ret_table = table_ref(table);
	return rc;
}
