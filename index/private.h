/* private: what the files of index/ share and nobody else sees. */
#ifndef ITEMFS_INDEX_PRIVATE_H
#define ITEMFS_INDEX_PRIVATE_H

#include "index/commit.h"
#include "index/table.h"
#include "index/txn.h"
#include "index/usage.h"
#include "index/volume.h"
#include "store/catalog.h"
#include "store/model/schema.h"
#include "store/rows.h"
#include "store/store.h"
#include <pthread.h>

struct commit; /* one that waits */

/* Tables by name: each bucket is a chain over table->beside. The caller locks. */
enum { TABLE_BUCKETS = 1024 };
struct table_names {
	struct table *bucket[TABLE_BUCKETS];
};
struct table *table_names_find(struct table_names *names, const char *name); /* NULL: there is none */
void table_names_add(struct table_names *names, struct table *table);

struct volume {
	char *path;
	int lock_fd;
	bool durable;
	struct store *store;
	struct recent *recent; /* asked wherever a row is read as it is now */

	/* The queue. `lock` guards what stands before txn; txn and record belong to the leader. */
	pthread_mutex_t lock;
	struct commit *head, *tail;
	unsigned queued;        /* how many commits are in it, those being run included */
	unsigned expected;      /* as many as were there when the last synced group ended, its own included */
	int64_t sync_took;      /* how long that one took, in ns */
	pthread_cond_t arrived; /* queued has reached expected */
	struct txn *txn;
	struct volume_record record;
	struct volume_record stored; /* what the volume's row says: the same, with a sequence that is ahead (commit.c) */
	uint64_t written; /* atomic: the last sequence whose group is in the store */
	uint64_t begun;   /* atomic: the last whose group was given to it: readers may see that one or not */

	/* Tables by name. `tables_change` is held over a whole change of the catalogue (create, remove, rename, define), before any gate and any
	 * commit; `tables_lock` only while these are touched, and before a gate. */
	pthread_mutex_t tables_change;
	pthread_rwlock_t tables_lock;
	struct table *tables;
	struct table_names table_names; /* of the same */

	/* Snapshots by name. */
	pthread_mutex_t snapshots_lock;
	struct snapshot *snapshots;
	unsigned snapshot_count;

	struct worker *worker; /* NULL in a volume that was opened passive */
	bool breaks_off;       /* atomic: volume_break_off() */
	struct refusals *refusals;
};

struct view {
	struct volume *volume;
	uint64_t written; /* read before the snapshot was taken: it may hold more than this, never less */
	bool exact;       /* and it does not: no group was being written meanwhile */
	struct store_snapshot *snapshot;
	bool frozen; /* a snapshot's: what it shows cannot change */
};

/* Takes the volume's lock, which goes with the descriptor (and the process); `holder` is who has it, in words. RC_BUSY: why says who has it now;
 * RC_INTERRUPTED: `give_up` (volume_options) said so. */
enum rc volume_lock(const char *path, const char *holder, bool (*give_up)(void), int *ret_fd, struct why *why);

static inline struct store_snapshot *view_snapshot(const struct view *view)
{
	return view ? view->snapshot : NULL;
}

/* Appends a row's value in a view (NULL: as it is now). `again`: it will be asked for again soon. */
static inline enum rc row_get(struct volume *volume, const struct store_snapshot *at, const struct buf *row, bool again, struct buf *ret_value)
{
	return at ? store_get(volume->store, at, row->data, row->len, ret_value) : recent_get(volume->recent, row, again, ret_value);
}

/* A cursor over the rows from `low` up to `high`. RC_NO_MEMORY also where a bound could not be composed: it would be the bound of another range, or
 * of everything. */
static inline enum rc rows_cursor(struct store *store, const struct store_snapshot *at, const struct buf *low, const struct buf *high,
				  struct store_cursor **ret_cursor)
{
	if (low->failed || high->failed || !low->len || !high->len)
		return RC_NO_MEMORY;
	return store_cursor_open(store, at, low->data, low->len, high->data, high->len, ret_cursor);
}

/* A table, known to the process as long as somebody refers to it; the same object through renames and adoption.
 *
 * `gate` is held for reading over each operation on its rows, and for writing while its definition changes (id and schema with it), so that
 * an operation sees one definition from its check to its commit. */
struct table {
	struct volume *volume;
	struct table *next, *beside; /* in the list, and of its bucket */
	unsigned refs; /* atomic; the list holds one */
	pthread_rwlock_t gate;
	char name[SCHEMA_NAME_MAX + 1]; /* under tables_lock */
	bool removed;                   /* under gate */
	uint32_t id;                    /* of its rows, under gate */
	uint64_t identity;
	struct schema *schema; /* under gate */
	bool named;            /* `.schema.json` is listed; under gate */
	struct usage usage;

	/* Of a frozen table (snapshot.h), both borrowed: its snapshot, whose references are the table's, and the view that all is read from. */
	struct snapshot *snapshot;
	const struct view *view;

	/* Of its indexes, by place in the schema (backfill.c): */
	/* Those that are being filled. Atomic: set with the gate held for writing; cleared with it held for reading, after the commit that ended the filling. Within a
	 * commit ask the row instead (backfill_covers()). */
	uint32_t building;
	uint32_t young;        /* those, and those whose filling ended since the table was opened: a view may be older than that; under gate */
	uint64_t build_last;   /* when the last batch was, monotonic; 0: none yet. Whoever fills */
	enum rc build_trouble; /* atomic: how that went */
};

/* The view to read a table from: a frozen one has its own. All that reads goes through here. */
static inline const struct view *table_view(const struct table *table, const struct view *view)
{
	return table->view ? table->view : view;
}

/* catalogue, used by volume.c */
enum rc tables_load(struct volume *volume, struct why *why);
void tables_forget(struct volume *volume);

/* tables.c; with tables_change held. The first takes the caller's reference, the second gives it up. */
void tables_add(struct volume *volume, struct table *table);
void tables_remove(struct volume *volume, struct table *table);
void tables_rename(struct volume *volume, struct table *table, const char *name);

/* Reads a table's definition from its rows. RC_CORRUPT with why. */
enum rc table_load(struct volume *volume, const struct view *view, const char *name, uint32_t id, struct table **ret_table, struct why *why);
void table_free(struct table *table); /* whatever its references */
void snapshots_forget(struct volume *volume);

/* Within a commit: a table's name came or went. */
enum rc root_touch(struct txn *txn);

/* Counters of a table within a commit. */
enum rc counters_load(struct txn *txn, const struct table *table, struct table_counters *ret_counters);
void counters_store(struct txn *txn, const struct table *table, const struct table_counters *counters);

/* The definition's row within a commit. The record's document points into *ret_value. */
enum rc definition_load(struct txn *txn, const struct table *table, struct buf *ret_value, struct table_record *ret_record);
void definition_store(struct txn *txn, uint32_t table, const struct table_record *record);

/* Takes the gate for reading; RC_STALE (and not taken) where the table was removed. */
enum rc table_enter(struct table *table);
/* The same for a change: RC_READ_ONLY, too, where it is frozen. */
enum rc table_enter_to_change(struct table *table);
void table_leave(struct table *table);

/* backfill.c, with the gate held. Reads which indexes are being filled, when a table is opened: */
enum rc backfill_load(struct table *table, const struct store_snapshot *at);
/* Within the commit that defines the index, or drops it: */
void backfill_begin(struct txn *txn, uint32_t table, uint32_t index);
void backfill_forget(struct txn *txn, uint32_t table, uint32_t index);
/* Within a commit that changes an item, for an index that is being filled: whether that has come as far as the item, so that the index follows the change. */
enum rc backfill_covers(struct txn *txn, const struct table *table, uint32_t index, const struct buf *item_row, bool *ret_covers);
/* The same by the record at hand. */
bool backfill_reached(const struct build_record *record, const uint8_t *item_row, size_t n);
/* RC_AGAIN: in this view the index is not filled. */
enum rc backfill_ready_at(const struct table *table, const struct schema_index *index, const struct store_snapshot *at);

/* How far it is, in a view in which the table has so many items. */
struct backfill_progress;
enum rc backfill_progress_at(const struct table *table, const struct schema_index *index, const struct store_snapshot *at, uint64_t items,
			     struct backfill_progress *ret_progress);

enum rc refusals_load(struct volume *volume);

/* volume_break_off() was called: asked by whatever takes long, at each row. */
bool volume_breaks_off(const struct volume *volume);
void refusals_free(struct volume *volume);

#endif
