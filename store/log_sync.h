/* log_sync: knows which writes of a LevelDB store are on the disk, and puts there those that are not.
 *
 * LevelDB appends each batch to a log NNNNNN.log and to a table in memory. When that is full it begins a new log,
 * closes the old one *without syncing it*, and removes it once a thread of its own has written (and synced) its
 * content as a table. So a batch that is synced into the new log could outlive older ones that were not. Hence:
 *
 * 1. `written` counts the batches that LevelDB took without a sync; the first `synced` of them are on the disk.
 * 2. A durable write begins with synced == written, and no other write runs beside it. Nothing unsynced is then in any
 *    log, wherever the write lands: one sync, LevelDB's own, is enough.
 * 3. A write that is not durable and begins a log settles before it returns, so a kernel that writes the new log back
 *    before the old one has milliseconds for it, not the half minute it takes by itself. Whether it did is asked (a
 *    system call) only of a write that can have: LevelDB begins a log when its table in memory is full, or is told to.
 *    `filled` is how much of that was filled since a log was begun, `fills` how little can fill it, both as the caller
 *    counts: what it counts must never be too little. Syncs ask always.
 * 4. `switches` counts the logs begun; the names of the first `settled` are on the disk too (fsync of the directory).
 * 5. After a failed sync the kernel forgets what it could not write, and a second sync would succeed and mean
 *    nothing. So a failed sync is for ever (`broken`): every write and sync then says the same again, until LevelDB
 *    is opened anew (which recovery.h does only where it was a write that failed).
 * 6. A log file that vanishes while we sync has become a table, and tables are synced before their log goes.
 */
#ifndef ITEMFS_STORE_LOG_SYNC_H
#define ITEMFS_STORE_LOG_SYNC_H

#include "store/model/rc.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_sync {
	int dir;                 /* the caller's */
	int inotify;             /* tells of new files in the directory; -1: not to be had, and we list it instead */
	pthread_mutex_t syncing; /* one sync at a time. Taken before `mutex` */
	pthread_mutex_t mutex;   /* for what follows */
	uint64_t written;
	uint64_t synced;
	uint64_t switches;
	uint64_t settled;
	uint64_t filled;
	uint64_t fills;
	uint64_t newest_log; /* its number; kept only where there is no inotify */
	enum rc broken;
};

/* The logs there are, oldest first. The caller frees numbers. */
struct logs {
	uint64_t *numbers;
	size_t n;
};
enum rc logs_list(int dir, struct logs *ret_logs);
void logs_name(uint64_t number, char ret_name[32]);

/* Where the newest log ends. No log: number 0. */
struct log_end {
	uint64_t number;
	int64_t size;
};
enum rc logs_end(int dir, struct log_end *ret_end);
/* Takes away what was appended since, be it in a log that was begun since. Only when LevelDB will not append any more. */
enum rc logs_cut(int dir, const struct log_end *end);

/* Begins with all that is in the directory being on the disk, and an empty table in memory. Keeps `dir`, which stays the caller's. */
void log_sync_init(struct log_sync *sync, int dir, uint64_t fills);
void log_sync_destroy(struct log_sync *sync);

/* Why nothing can be written any more; RC_OK: it can. */
enum rc log_sync_broken(struct log_sync *sync);
void log_sync_break(struct log_sync *sync, enum rc rc);

/* LevelDB was opened anew, and its directory synced: all that was written is on the disk, and nothing is broken. */
void log_sync_mend(struct log_sync *sync);

/* A batch that fills so much is in a log, unsynced; or (durable) synced. Call before its writer is told, and before the next write. */
enum rc log_sync_wrote(struct log_sync *sync, uint64_t fills, bool durable);
/* Whether a write that fills so much may be the first to begin a log: LevelDB's thread writes the old one's content as a table. */
bool log_sync_may_begin_first(struct log_sync *sync, uint64_t fills);
/* LevelDB was told to begin a log. */
void log_sync_told(struct log_sync *sync);
/* Puts on the disk what was written when it was called. */
enum rc log_sync_settle(struct log_sync *sync);
bool log_sync_is_settled(struct log_sync *sync);

#endif
