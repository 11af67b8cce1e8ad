/* store: what itemfs asks of an ordered key-value engine. This is the contract; leveldb*.c is its one implementation so far, and those files alone
 * call LevelDB. Tests put a faulty layer in front (tests/unit/faulty.h). Any number of threads may call everything here at once, except that a cursor
 * or a batch belongs to one thread at a time.
 *
 * Keys compare bytewise (memcmp, shorter first), and have at least one byte. An empty key is what is left of one that there was no memory to make:
 * reading by it is RC_NO_MEMORY. The engine checks every value against its checksum when it is read: a value that does not match is RC_CORRUPT.
 */
#ifndef ITEMFS_STORE_H
#define ITEMFS_STORE_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct store;
struct store_snapshot; /* a frozen view; NULL where one is asked for means "as it is now" */
struct store_batch;    /* changes that will be made all or none */
struct store_cursor;   /* a place in an ordered range of one view */

struct store_options {
	bool create;       /* make the directory and an empty store where there is none (mode 0700) */
	size_t cache;      /* bytes of block cache; 0: a sensible default */
	/* Bytes of memtable; 0: 8 to 64 MiB, a 64th of the memory there is for us (machine.h) and a 512th of the disk at most. In either case no more than
	 * a 128th of the disk, or 1 MiB. Tests make it small to see log switches. */
	size_t write_buffer;
	bool compress;       /* pack tables that are written from now on (snappy); those that are there are read either way */
};

/* Opens the store in directory `path`. RC_NOT_FOUND: there is none and !create. RC_BUSY: another process has it open. RC_NOT_EMPTY: the directory
 * holds other things and no store. RC_CORRUPT, RC_IO, RC_NO_SPACE, RC_FORBIDDEN (permission): why says what the engine said. Must be called after the
 * process's last fork(). */
enum rc store_open(const char *path, const struct store_options *options, struct store **ret_store, struct why *why);
/* Takes the store. Every cursor, snapshot and batch of it must be gone. Syncs first. NULL is fine. */
void store_close(struct store *store);

/* Makes the new directory `copy` a store of all rows that can still be read in the damaged store at `path`, which nobody may have open and which is
 * not changed by a byte. Prints a line to `out` for each part that could not be read. Rows that were overwritten or deleted may come back: where the
 * damage hit a change, the row is as it was before that change; where it hit the list of tables, tables that a crash left behind after their merge
 * count again. Needs as much free room as the store takes. RC_BUSY; RC_NO_SPACE, RC_IO; RC_CORRUPT: nothing in there belongs to a store. */
enum rc store_salvage(const char *path, const char *copy, FILE *out, struct why *why);

/* Appends the value to *ret_value (caller's buf). RC_NOT_FOUND leaves it as it was. */
enum rc store_get(struct store *store, const struct store_snapshot *at, const void *key, size_t n, struct buf *ret_value);

enum rc store_batch_new(struct store *store, struct store_batch **ret_batch);
void store_batch_free(struct store_batch *batch); /* NULL is fine */
void store_batch_clear(struct store_batch *batch);
void store_batch_put(struct store_batch *batch, const void *key, size_t n, const void *value, size_t value_n);
void store_batch_delete(struct store_batch *batch, const void *key, size_t n);

/* Says that the batch makes room in the end, so it may use more of a disk that is nearly full. Call it before store_batch_delete(): the keys that are
 * deleted after it are merged when room is wanted. It holds until store_batch_clear(). */
void store_batch_frees(struct store_batch *batch);

/* Makes all the changes of the batch or none, in their order. With `durable` they and everything written before them survive the loss of power once
 * this returns RC_OK. A crash leaves a prefix of the batches that were written. The batch stays the caller's. RC_NO_SPACE: nothing was written. Where
 * the disk became full under the engine itself, every write and sync says so, and reads go on, until a write finds room again while no cursor and no
 * snapshot is held: it opens the store anew, and goes on. RC_IO: the disk fails; whether the batch is there is known after the next open by somebody;
 * every write fails until then. */
enum rc store_write(struct store *store, struct store_batch *batch, bool durable);

/* True while the store refuses writes since its disk was full, though there is room again: it takes them as soon as nobody holds a cursor or a
 * snapshot any more. */
bool store_waits(struct store *store);

/* How often it was opened anew by itself. */
uint64_t store_generation(struct store *store);

/* All that was written so far survives the loss of power once this returns RC_OK. Costs nothing when nothing is unsynced. */
enum rc store_sync(struct store *store);

enum rc store_snapshot_take(struct store *store, struct store_snapshot **ret_snapshot);
void store_snapshot_release(struct store *store, struct store_snapshot *snapshot); /* NULL is fine */

/* A cursor over the keys k with low <= k < high, in the view `at` (or as it is now: it then sees the moment of this call for as long as it lives).
 * high NULL: no upper bound. It starts before the first; store_cursor_next() steps onto it. */
enum rc store_cursor_open(struct store *store, const struct store_snapshot *at, const void *low, size_t low_n,
                          const void *high, size_t high_n, struct store_cursor **ret_cursor);
void store_cursor_close(struct store_cursor *cursor); /* NULL is fine */
/* Steps. RC_NOT_FOUND: there is none further; RC_CORRUPT, RC_IO. next() after the last and prev() before the first keep saying RC_NOT_FOUND, and the
 * opposite step then comes back onto the last or first. */
enum rc store_cursor_next(struct store_cursor *cursor);
enum rc store_cursor_prev(struct store_cursor *cursor);
/* Puts it behind the last, so that store_cursor_prev() steps onto that. */
void store_cursor_end(struct store_cursor *cursor);
/* Goes to the first key >= the given one (within the range). RC_NOT_FOUND where there is none. */
enum rc store_cursor_seek(struct store_cursor *cursor, const void *key, size_t n);
/* Where it stands; borrowed until the next step. Only after a step that returned RC_OK. */
const uint8_t *store_cursor_key(const struct store_cursor *cursor, size_t *ret_n);
const uint8_t *store_cursor_value(const struct store_cursor *cursor, size_t *ret_n);

enum { STORE_LEVELS = 7 };

/* What the engine says about itself. Counts are since it was opened; the rest is of now. */
struct store_figures {
	uint64_t gets, cursors, batches;
	uint64_t snapshots;           /* that are held */
	uint64_t memory;              /* bytes of block cache and memtables, about */
	uint64_t cache, write_buffer; /* what these may grow to */
	uint64_t bound;               /* of its memory: the cache, two memtables, and the index of each table that is open */
	uint64_t disk;                /* bytes of tables, about; what is in the log alone is not counted */
	uint64_t files[STORE_LEVELS]; /* tables a level */
	bool settled;                 /* nothing is unsynced */
	enum rc broken;               /* what every write gives since one failed; RC_OK: none did */
};
void store_figures(struct store *store, struct store_figures *ret_figures);

#endif
