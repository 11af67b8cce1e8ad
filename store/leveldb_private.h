/* leveldb_private: what leveldb*.c share, and nobody else includes: they alone call LevelDB's C interface. What they offer to the rest of itemfs is in store.h. */
#ifndef ITEMFS_STORE_LEVELDB_PRIVATE_H
#define ITEMFS_STORE_LEVELDB_PRIVATE_H

#include "store/log_sync.h"
#include "store/recovery.h"
#include "store/store.h"
#include <leveldb/c.h>
#include <pthread.h>

struct store {
	leveldb_t *db; /* NULL while it cannot be opened anew */
	leveldb_options_t *options;
	leveldb_cache_t *cache;
	leveldb_filterpolicy_t *filter;
	leveldb_readoptions_t *read;
	leveldb_writeoptions_t *write[2]; /* [durable] */
	int dir;
	size_t write_buffer, cache_size;
	uint64_t gets, cursors, batches, snapshots; /* atomic: store_figures() */
	char *path;
	pthread_mutex_t writing; /* one write at a time: see append() in leveldb_write.c */
	struct log_sync sync;
	struct recovery recovery; /* every use of db is between its enter and leave, but for what is held */
};

struct store_snapshot {
	const leveldb_snapshot_t *view;
	leveldb_readoptions_t *read;
};

/* What a message of LevelDB's means (leveldb_error.c); why gets its words. Takes the message; NULL is RC_OK. LevelDB's NotFound is never a key's here, but
 * a file's that should be there: RC_IO. */
enum rc store_rc_of_message(char *message, struct why *why);

/* What log_sync_wrote() is told of a batch, added up, is at least this when LevelDB begins another memtable, with its log (log_sync.h, 3). */
uint64_t store_memtable_fills_at(size_t write_buffer);

/* recovery_engine's: merges what lies from *from on, about so many bytes, and moves *from behind it. False: that was the last. */
bool store_sweep(void *engine, struct buf *from, uint64_t bytes);

/* Around a call in which LevelDB may start its own thread: the calling thread has that one's name meanwhile. */
struct own_name {
	char text[16];
};
struct own_name store_lend_name(void);
void store_take_name_back(const struct own_name *own);

#endif
