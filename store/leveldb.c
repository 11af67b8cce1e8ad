/* leveldb: opens, reads and closes the store of store.h. LevelDB's C interface is called in leveldb*.c alone: this file, leveldb_write.c,
 * leveldb_cursor.c and leveldb_error.c.
 *
 * What makes a write durable, and why it is not LevelDB's own sync alone, is told in log_sync.h. What is done about a disk that is full, and when
 * LevelDB is opened anew, is told in recovery.h.
 *
 * Opened with paranoid_checks: without them, a damaged block inside a log is skipped silently, and a table's index and
 * filter are believed unchecked. A log whose end is missing (the crash of a writer) opens all the same. What LevelDB
 * believes even so is looked for by log_check.h, when directory.h has made sure that nobody else is in there.
 *
 * What we cannot help: LevelDB is C++, where memory that runs out ends the process; and it maps its tables, so a disk
 * that fails to read one raises SIGBUS.
 */
#include "store/directory.h"
#include "store/leveldb_private.h"
#include "store/machine.h"
#include "store/oserror.h"
#include "store/salvage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_CACHE        ((size_t)32 << 20)
/* The larger a memtable, the fewer merges of tables: with 64 MiB instead of 16 a change of 100,000 items takes a tenth to a fifth less time. But
 * there are two at once, each is a log, too, which the next open reads again after a crash, and then a table, of which a merge holds many: less where
 * memory or the disk is small. */
#define LARGEST_WRITE_BUFFER   ((uint64_t)64 << 20)
#define LEAST_WRITE_BUFFER     ((uint64_t)8 << 20)
#define MEMORY_OF_WRITE_BUFFER 64
#define DISK_OF_WRITE_BUFFER   512
/* A merge of tables holds a dozen and what it makes of them, and each is as large as a memtable. */
#define RESERVE_IN_WRITE_BUFFERS 16
/* The reserve is an eighth of the disk at most (room.h): one of larger memtables would not hold a merge, nor the table that is made of a log, at the
 * next opening at the latest. LevelDB makes no tables of less than this least. */
#define DISK_OF_ANY_WRITE_BUFFER (8 * RESERVE_IN_WRITE_BUFFERS)
#define LEAST_ON_ANY_DISK        ((uint64_t)1 << 20)
#define MAX_OPEN_FILES           500
#define BLOOM_BITS_PER_KEY       10
#define INDEX_PART               40 /* of a table, at most, is its index */

/* ---- opening ---- */

/* LevelDB wants no less than 74, and raises what is below. */
static int open_files_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return MAX_OPEN_FILES;
	return limit.rlim_cur / 2 < MAX_OPEN_FILES ? (int)(limit.rlim_cur / 2) : MAX_OPEN_FILES;
}

static uint64_t at_most(uint64_t number, uint64_t most)
{
	return number < most ? number : most;
}

static uint64_t at_least(uint64_t number, uint64_t least)
{
	return number > least ? number : least;
}

/* Bytes; what is asked for (0: nothing) as far as the disk bears it. */
static size_t choose_write_buffer(int dir, size_t asked)
{
	uint64_t disk = room_of_disk(dir), bytes = asked;

	if (!asked) {
		bytes = at_most(at_most(disk / DISK_OF_WRITE_BUFFER, machine_memory() / MEMORY_OF_WRITE_BUFFER), LARGEST_WRITE_BUFFER);
		bytes = at_least(bytes, LEAST_WRITE_BUFFER);
	}
	return (size_t)at_most(bytes, at_least(disk / DISK_OF_ANY_WRITE_BUFFER, LEAST_ON_ANY_DISK));
}

/* LevelDB's own constructors never return NULL. */
static void make_options(struct store *store, const struct store_options *wanted)
{
	store->options = leveldb_options_create();
	store->cache_size = wanted->cache ? wanted->cache : DEFAULT_CACHE;
	store->cache = leveldb_cache_create_lru(store->cache_size);
	store->filter = leveldb_filterpolicy_create_bloom(BLOOM_BITS_PER_KEY);
	leveldb_options_set_create_if_missing(store->options, wanted->create);
	leveldb_options_set_paranoid_checks(store->options, 1);
	leveldb_options_set_cache(store->options, store->cache);
	leveldb_options_set_filter_policy(store->options, store->filter);
	leveldb_options_set_write_buffer_size(store->options, store->write_buffer);
	leveldb_options_set_max_file_size(store->options, store->write_buffer);
	leveldb_options_set_max_open_files(store->options, open_files_allowed());
	leveldb_options_set_compression(store->options, wanted->compress ? leveldb_snappy_compression : leveldb_no_compression);

	store->read = leveldb_readoptions_create();
	leveldb_readoptions_set_verify_checksums(store->read, 1);
	for (int durable = 0; durable < 2; durable++) {
		store->write[durable] = leveldb_writeoptions_create();
		leveldb_writeoptions_set_sync(store->write[durable], (uint8_t)durable);
	}
}

static void store_free(struct store *store)
{
	bool was_open = store->path;

	if (store->db)
		leveldb_close(store->db);
	if (store->options) {
		leveldb_options_destroy(store->options);
		leveldb_cache_destroy(store->cache);
		leveldb_filterpolicy_destroy(store->filter);
		leveldb_readoptions_destroy(store->read);
		leveldb_writeoptions_destroy(store->write[false]);
		leveldb_writeoptions_destroy(store->write[true]);
	}
	if (was_open) {
		log_sync_destroy(&store->sync);
		pthread_mutex_destroy(&store->writing);
		recovery_destroy(&store->recovery);
	}
	if (store->dir >= 0)
		close(store->dir);
	free(store->path);
	free(store);
}

static enum rc open_db(struct store *store, const char *path, struct why *why)
{
	struct own_name own = store_lend_name();
	char *message = NULL;
	enum rc rc;

	store->db = leveldb_open(store->options, path, &message);
	store_take_name_back(&own);
	rc = store_rc_of_message(message, why);
	if (rc)
		store->db = NULL;
	return rc;
}

/* LevelDB's part of opening, when nobody else is in there and the logs are sound; fills store->db. */
static enum rc open_engine(struct store *store, const char *path, struct why *why)
{
	enum rc rc = open_db(store, path, why);

	if (rc)
		return rc;
	/* Opening turns every log it finds into a synced table; what is left is the names. */
	if (fsync(store->dir) < 0) {
		rc = why_errno(why, errno, path);
		leveldb_close(store->db);
		store->db = NULL;
	}
	return rc;
}

/* ---- what recovery asks ---- */

static enum rc exchange_engine(void *engine)
{
	struct store *store = engine;
	enum rc rc;

	if (store->db)
		leveldb_close(store->db);
	store->db = NULL;
	rc = directory_again(store->dir);
	return rc ? rc : open_engine(store, store->path, NULL);
}

static void merge_keys(void *engine, const struct range *keys)
{
	struct store *store = engine;
	struct own_name own = store_lend_name();

	log_sync_told(&store->sync);
	leveldb_compact_range(store->db, (const char *)keys->first.data, keys->first.len, (const char *)keys->last.data,
			      keys->last.len);
	store_take_name_back(&own);
}

static enum rc write_nothing(void *engine)
{
	struct store *store = engine;
	leveldb_writebatch_t *nothing = leveldb_writebatch_create();
	char *message = NULL;

	leveldb_write(store->db, store->write[false], nothing, &message);
	leveldb_writebatch_destroy(nothing);
	return store_rc_of_message(message, NULL);
}

/* Where there is nothing to merge LevelDB makes a table of its memtable first all the same, and then removes what no version of it counts. */
static void tidy(void *engine)
{
	struct range behind_all = {0};

	range_add(&behind_all, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	if (!range_is_empty(&behind_all))
		merge_keys(engine, &behind_all);
	range_free(&behind_all);
}

static const struct recovery_engine recovery_calls = {exchange_engine, merge_keys, store_sweep, write_nothing, tidy};

/* ---- a store ---- */

enum rc store_open(const char *path, const struct store_options *options, struct store **ret_store, struct why *why)
{
	struct store *store = calloc(1, sizeof(*store));
	struct room room;
	enum rc rc;

	if (!store)
		return why_set(why, RC_NO_MEMORY, "%s: no memory to open it", path);
	store->dir = -1;
	rc = directory_open(path, options->create, &store->dir, why);
	if (rc)
		goto fail;
	store->write_buffer = choose_write_buffer(store->dir, options->write_buffer);
	make_options(store, options);
	rc = open_engine(store, path, why);
	if (rc)
		goto fail;
	store->path = strdup(path);
	if (!store->path) {
		rc = RC_NO_MEMORY;
		goto fail;
	}
	room = (struct room){.dir = store->dir, .reserve = RESERVE_IN_WRITE_BUFFERS * (uint64_t)store->write_buffer};
	pthread_mutex_init(&store->writing, NULL);
	log_sync_init(&store->sync, store->dir, store_memtable_fills_at(store->write_buffer));
	recovery_init(&store->recovery, &recovery_calls, store, &store->sync, &room);
	*ret_store = store;
	return RC_OK;

fail:
	store_free(store);
	return rc;
}

/* LevelDB's repair puts all tables into level 0, where it takes the one with the highest number for the newest. A table that was merged has a higher
 * number than younger ones that were not in that merge: an old value would be read. Merged, there is one of each key. */
static enum rc merge_salvaged(struct store *store, const char *copy, struct why *why)
{
	enum rc rc = open_db(store, copy, why);

	if (rc)
		return rc;
	leveldb_compact_range(store->db, NULL, 0, NULL, 0);
	rc = write_nothing(store); /* says what became of it */
	return rc ? why_set(why, rc, "%s: what was salvaged cannot be merged (%s)", copy, rc_name(rc)) : RC_OK;
}

enum rc store_salvage(const char *path, const char *copy, FILE *out, struct why *why)
{
	struct store_options wanted = {0};
	struct store *store = calloc(1, sizeof(*store)); /* for its options; never opened */
	char *message = NULL;
	enum rc rc;

	if (!store)
		return why_set(why, RC_NO_MEMORY, "%s: no memory to salvage it", path);
	store->dir = -1;
	rc = salvage_files(path, copy, out, why);
	if (!rc) {
		store->write_buffer = LEAST_WRITE_BUFFER;
		make_options(store, &wanted);
		leveldb_repair_db(store->options, copy, &message);
		rc = store_rc_of_message(message, why);
	}
	if (!rc)
		rc = merge_salvaged(store, copy, why);
	store_free(store);
	return rc;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	log_sync_settle(&store->sync); /* a failure has nobody to go to; who needs to know calls store_sync() before */
	store_free(store);
}

uint64_t store_generation(struct store *store)
{
	return __atomic_load_n(&store->recovery.generation, __ATOMIC_ACQUIRE);
}

/* ---- reading ---- */

enum rc store_get(struct store *store, const struct store_snapshot *at, const void *key, size_t n,
		  struct buf *ret_value)
{
	char *message = NULL;
	size_t value_n = 0;
	char *value;
	enum rc rc;

	if (!n)
		return RC_NO_MEMORY;
	rc = recovery_enter(&store->recovery);
	if (rc)
		return rc;
	__atomic_add_fetch(&store->gets, 1, __ATOMIC_RELAXED);
	value = leveldb_get(store->db, at ? at->read : store->read, key, n, &value_n, &message);
	recovery_leave(&store->recovery);
	rc = store_rc_of_message(message, NULL);
	if (!rc && !value)
		rc = RC_NOT_FOUND;
	if (!rc) {
		buf_add(ret_value, value, value_n);
		if (ret_value->failed)
			rc = RC_NO_MEMORY;
	}
	leveldb_free(value);
	return rc;
}

enum rc store_snapshot_take(struct store *store, struct store_snapshot **ret_snapshot)
{
	struct store_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	enum rc rc;

	if (!snapshot)
		return RC_NO_MEMORY;
	rc = recovery_enter(&store->recovery);
	if (rc) {
		free(snapshot);
		return rc;
	}
	snapshot->view = leveldb_create_snapshot(store->db);
	snapshot->read = leveldb_readoptions_create();
	leveldb_readoptions_set_verify_checksums(snapshot->read, 1);
	leveldb_readoptions_set_snapshot(snapshot->read, snapshot->view);
	__atomic_add_fetch(&store->snapshots, 1, __ATOMIC_RELAXED);
	recovery_hold(&store->recovery);
	recovery_leave(&store->recovery);
	*ret_snapshot = snapshot;
	return RC_OK;
}

void store_snapshot_release(struct store *store, struct store_snapshot *snapshot)
{
	if (!snapshot)
		return;
	leveldb_readoptions_destroy(snapshot->read);
	leveldb_release_snapshot(store->db, snapshot->view);
	__atomic_sub_fetch(&store->snapshots, 1, __ATOMIC_RELAXED);
	recovery_let_go(&store->recovery);
	free(snapshot);
}

/* ---- figures ---- */

static uint64_t number_of_property(struct store *store, const char *name)
{
	char *text = leveldb_property_value(store->db, name);
	uint64_t number = text ? strtoull(text, NULL, 10) : 0;

	leveldb_free(text);
	return number;
}

/* A table's index is on the heap while it is open (its filter is in the file's mapping): a key for each block. Besides, a merge holds some blocks of
 * each table that it reads. */
static uint64_t bound_of(const struct store *store, uint64_t tables)
{
	uint64_t most = (uint64_t)open_files_allowed();

	return store->cache_size + 2 * (uint64_t)store->write_buffer + (tables < most ? tables : most) * (store->write_buffer / INDEX_PART);
}

void store_figures(struct store *store, struct store_figures *ret_figures)
{
	static const char first[] = "", last[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
	const char *low = first, *high = last;
	size_t low_n = 0, high_n = sizeof(last) - 1;
	uint64_t disk = 0, tables = 0;
	char name[64];

	*ret_figures = (struct store_figures){.broken = log_sync_broken(&store->sync)};
	if (recovery_enter(&store->recovery))
		return;

	leveldb_approximate_sizes(store->db, 1, &low, &low_n, &high, &high_n, &disk);
	*ret_figures = (struct store_figures){
	    .gets = __atomic_load_n(&store->gets, __ATOMIC_RELAXED),
	    .cursors = __atomic_load_n(&store->cursors, __ATOMIC_RELAXED),
	    .batches = __atomic_load_n(&store->batches, __ATOMIC_RELAXED),
	    .snapshots = __atomic_load_n(&store->snapshots, __ATOMIC_RELAXED),
	    .memory = number_of_property(store, "leveldb.approximate-memory-usage"),
	    .cache = store->cache_size,
	    .write_buffer = store->write_buffer,
	    .disk = disk,
	    .settled = log_sync_is_settled(&store->sync),
	    .broken = log_sync_broken(&store->sync),
	};
	for (int level = 0; level < STORE_LEVELS; level++) {
		snprintf(name, sizeof(name), "leveldb.num-files-at-level%d", level);
		ret_figures->files[level] = number_of_property(store, name);
		tables += ret_figures->files[level];
	}
	ret_figures->bound = bound_of(store, tables);
	recovery_leave(&store->recovery);
}
