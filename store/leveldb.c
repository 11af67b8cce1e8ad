/* leveldb: store.h over LevelDB's C interface, which this file and leveldb_cursor.c alone call.
 *
 * What makes a write durable, and why it is not LevelDB's own sync alone, is told in log_sync.h.
 *
 * Opened with paranoid_checks: without them, a damaged block inside a log is skipped silently, and a table's index and
 * filter are believed unchecked. A log whose end is missing (the crash of a writer) opens all the same. What LevelDB
 * believes even so is looked for by log_check.h, when directory.h has made sure that nobody else is in there.
 *
 * A batch whose write failed is not there after the next open: what there is of it in the log is no whole record, or is cut
 * off (write_durable()). No write is taken after it: a full disk may have left half a record in the log, LevelDB would append
 * the next one behind that, and no reader would find it there. After a failed sync, and after a merge of tables that found
 * no room, LevelDB refuses all writes by itself. Reads go on in all these cases. What is done about a disk that is full, and
 * when LevelDB is opened anew, is told in recovery.h.
 *
 * Locks, in this order: `writing` (one write at a time), recovery's.
 *
 * What we cannot help: LevelDB is C++, where memory that runs out ends the process; and it maps its tables, so a disk
 * that fails to read one raises SIGBUS.
 */
#include "store/directory.h"
#include "store/leveldb_private.h"
#include "store/oserror.h"
#include "store/salvage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEFAULT_CACHE        ((size_t)32 << 20)
/* A memtable is a log, too, and then a table, of which a merge holds many: less on a disk that is small. */
#define DEFAULT_WRITE_BUFFER ((size_t)16 << 20)
#define SMALL_WRITE_BUFFER   ((size_t)8 << 20)
#define SMALL_DISK           ((uint64_t)1 << 30)
/* A merge of tables holds a dozen and what it makes of them, and each is as large as a memtable. */
#define RESERVE_IN_WRITE_BUFFERS 16
#define MAX_OPEN_FILES           500
#define BLOOM_BITS_PER_KEY       10
#define INDEX_PART               40 /* of a table, at most, is its index */

/* What a memtable holds until LevelDB begins another, with its log (log_sync.h, 3), never less than it is. A row takes its bytes, two lengths, a number, and a node of its skip list: one pointer
 * and one for each level that it is in, 4/3 on average (we count two, and a sixteenth of the whole for chance). Its blocks are of 4096, and at most a quarter of one is left empty. */
#define ROW_IN_MEMTABLE       64
#define SMALLEST_WRITE_BUFFER ((size_t)64 << 10) /* less is taken for this */
static uint64_t memtable_fills_at(size_t write_buffer)
{
	if (write_buffer < SMALLEST_WRITE_BUFFER)
		write_buffer = SMALLEST_WRITE_BUFFER;
	return (write_buffer - write_buffer / 16 - 4096) / 4 * 3;
}

struct store_batch {
	leveldb_writebatch_t *changes;
	size_t bytes; /* about */
	size_t rows;
	bool empty;
	bool frees;
	struct range freed; /* what it deletes, where it frees */
};

/* ---- what went wrong ---- */

static bool ends_with_errno(const char *message, int number)
{
	char space[128];
	const char *text = strerror_r(number, space, sizeof(space));
	size_t n = strlen(message);
	size_t text_n = strlen(text);

	return n >= text_n && memcmp(message + n - text_n, text, text_n) == 0;
}

enum rc store_rc_of_message(char *message, struct why *why)
{
	static const int known[] = {ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EAGAIN, ENOMEM};
	static const char held[] = "already held by process";
	enum rc rc = RC_IO;
	size_t n;

	if (!message)
		return RC_OK;
	n = strlen(message);
	if (strncmp(message, "Corruption:", 11) == 0)
		rc = RC_CORRUPT;
	else if (strncmp(message, "Invalid argument:", 17) == 0)
		rc = RC_INVALID;
	else if (n >= sizeof(held) - 1 && strcmp(message + n - (sizeof(held) - 1), held) == 0)
		rc = RC_BUSY;
	else if (ends_with_errno(message, EINVAL)) /* how it says that a table is shorter than it should be */
		rc = RC_CORRUPT;
	for (size_t i = 0; rc == RC_IO && i < sizeof(known) / sizeof(known[0]); i++) {
		if (ends_with_errno(message, known[i]))
			rc = rc_of_errno(known[i]);
	}
	why_set(why, rc, "%s", message);
	leveldb_free(message);
	return rc;
}

/* ---- its thread ---- */

/* LevelDB merges its tables with a thread of its own, which the first call starts that needs one, and a thread begins with the name of the one that starts it: so who may do it has the right one
 * meanwhile. Not so in reads, which set a merge going, too, when there were many in vain: one is over before two names are set. */
struct own_name {
	char text[16];
};

static struct own_name lend_name(void)
{
	struct own_name own;

	if (pthread_getname_np(pthread_self(), own.text, sizeof(own.text)) != 0)
		own.text[0] = 0;
	pthread_setname_np(pthread_self(), "itemfs-store");
	return own;
}

static void take_name_back(const struct own_name *own)
{
	pthread_setname_np(pthread_self(), own->text);
}

/* ---- opening ---- */

/* LevelDB wants no less than 74, and raises what is below. */
static int open_files_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return MAX_OPEN_FILES;
	return limit.rlim_cur / 2 < MAX_OPEN_FILES ? (int)(limit.rlim_cur / 2) : MAX_OPEN_FILES;
}

static size_t default_write_buffer(int dir)
{
	return room_of_disk(dir) < SMALL_DISK ? SMALL_WRITE_BUFFER : DEFAULT_WRITE_BUFFER;
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
	leveldb_options_set_compression(store->options, leveldb_snappy_compression);

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
	struct own_name own = lend_name();
	char *message = NULL;
	enum rc rc;

	store->db = leveldb_open(store->options, path, &message);
	take_name_back(&own);
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
	struct own_name own = lend_name();

	log_sync_told(&store->sync);
	leveldb_compact_range(store->db, (const char *)keys->first.data, keys->first.len, (const char *)keys->last.data,
			      keys->last.len);
	take_name_back(&own);
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

static const struct recovery_engine recovery_calls = {exchange_engine, merge_keys, write_nothing};

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
	store->write_buffer = options->write_buffer ? options->write_buffer : default_write_buffer(store->dir);
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
	log_sync_init(&store->sync, store->dir, memtable_fills_at(store->write_buffer));
	recovery_init(&store->recovery, &recovery_calls, store, &store->sync, &room);
	*ret_store = store;
	return RC_OK;

fail:
	store_free(store);
	return rc;
}

/* LevelDB's repair puts all tables into level 0, where it takes the one with the highest number for the newest. A table that was merged has a higher number than younger ones that were not
 * in that merge: an old value would be read. Merged, there is one of each key. */
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
		store->write_buffer = DEFAULT_WRITE_BUFFER;
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

/* ---- writing ---- */

enum rc store_batch_new(struct store *store, struct store_batch **ret_batch)
{
	struct store_batch *batch = calloc(1, sizeof(*batch));

	(void)store;
	if (!batch)
		return RC_NO_MEMORY;
	batch->changes = leveldb_writebatch_create();
	batch->empty = true;
	*ret_batch = batch;
	return RC_OK;
}

void store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	leveldb_writebatch_destroy(batch->changes);
	range_free(&batch->freed);
	free(batch);
}

void store_batch_clear(struct store_batch *batch)
{
	leveldb_writebatch_clear(batch->changes);
	batch->bytes = 0;
	batch->rows = 0;
	batch->empty = true;
	batch->frees = false;
	range_clear(&batch->freed);
}

void store_batch_frees(struct store_batch *batch)
{
	batch->frees = true;
}

void store_batch_put(struct store_batch *batch, const void *key, size_t n, const void *value, size_t value_n)
{
	leveldb_writebatch_put(batch->changes, key, n, value, value_n);
	batch->bytes += n + value_n;
	batch->rows++;
	batch->empty = false;
}

void store_batch_delete(struct store_batch *batch, const void *key, size_t n)
{
	leveldb_writebatch_delete(batch->changes, key, n);
	batch->bytes += n;
	batch->rows++;
	batch->empty = false;
	if (batch->frees)
		range_add(&batch->freed, key, n);
}

static uint64_t fills(const struct store_batch *batch)
{
	return batch->bytes + batch->rows * (uint64_t)ROW_IN_MEMTABLE;
}

/* Never beside another: after a write that failed in the middle of a record none must follow, and LevelDB would take
 * one that is waiting already. Its merging of writes that wait is no loss: whoever commits does that (index/). */
static enum rc append(struct store *store, struct store_batch *batch, bool durable)
{
	bool first = log_sync_may_begin_first(&store->sync, fills(batch));
	struct own_name own;
	char *message = NULL;
	enum rc rc;

	__atomic_add_fetch(&store->batches, 1, __ATOMIC_RELAXED);
	if (first)
		own = lend_name();
	leveldb_write(store->db, store->write[durable], batch->changes, &message);
	if (first)
		take_name_back(&own);
	rc = store_rc_of_message(message, NULL);
	if (rc)
		recovery_failed(&store->recovery, rc);
	return rc;
}

/* A batch whose sync failed stands whole in the log, and would be there after the next open: it is cut off again, so that a
 * failed write has failed. */
static enum rc write_durable(struct store *store, struct store_batch *batch)
{
	struct log_end end;
	enum rc rc = log_sync_settle(&store->sync);

	if (!rc)
		rc = logs_end(store->dir, &end);
	if (rc)
		return rc;
	rc = append(store, batch, true);
	if (rc && logs_cut(store->dir, &end) != RC_OK)
		recovery_give_up(&store->recovery);
	return rc ? rc : log_sync_wrote(&store->sync, fills(batch), true); /* the name of the log, where one was begun */
}

static enum rc write_soon(struct store *store, struct store_batch *batch)
{
	enum rc rc = log_sync_broken(&store->sync);

	if (!rc)
		rc = append(store, batch, false);
	return rc ? rc : log_sync_wrote(&store->sync, fills(batch), false);
}

static enum rc write_batch(struct store *store, struct store_batch *batch, bool durable)
{
	enum rc rc = recovery_make_room(&store->recovery, batch->bytes, batch->frees);

	if (!rc)
		rc = recovery_enter(&store->recovery);
	if (rc)
		return rc;
	rc = durable ? write_durable(store, batch) : write_soon(store, batch);
	recovery_leave(&store->recovery);
	if (!rc)
		recovery_freed(&store->recovery, &batch->freed);
	return rc;
}

enum rc store_write(struct store *store, struct store_batch *batch, bool durable)
{
	enum rc rc;

	if (batch->empty)
		return durable ? store_sync(store) : log_sync_broken(&store->sync);
	pthread_mutex_lock(&store->writing);
	rc = recovery_mend(&store->recovery);
	if (!rc)
		rc = write_batch(store, batch, durable);
	pthread_mutex_unlock(&store->writing);
	return rc;
}

enum rc store_sync(struct store *store)
{
	enum rc rc = log_sync_settle(&store->sync);

	if (rc != RC_NO_SPACE)
		return rc;
	pthread_mutex_lock(&store->writing);
	rc = recovery_mend(&store->recovery); /* opening it anew syncs all that was taken */
	pthread_mutex_unlock(&store->writing);
	return rc ? rc : log_sync_settle(&store->sync);
}

bool store_waits(struct store *store)
{
	return recovery_waits(&store->recovery);
}

uint64_t store_generation(struct store *store)
{
	return __atomic_load_n(&store->recovery.generation, __ATOMIC_ACQUIRE);
}

/* ---- figures ---- */

static uint64_t number_of_property(struct store *store, const char *name)
{
	char *text = leveldb_property_value(store->db, name);
	uint64_t number = text ? strtoull(text, NULL, 10) : 0;

	leveldb_free(text);
	return number;
}

/* A table's index is on the heap while it is open (its filter is in the file's mapping): a key for each block. Besides, a merge holds some blocks of each table that it reads. */
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
