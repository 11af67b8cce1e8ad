/* recovery: how a store goes on when its disk is full. It decides what to ask of the engine, and when; leveldb.c knows how to do it (struct recovery_engine).
 *
 * 1. A write for which there is no room (room.h) is refused before the engine meets the end of the disk.
 * 2. Deleted rows take room until tables are merged, and where little else is written the engine sees no reason to merge. So the range of keys in
 *    which rows were deleted to make room is remembered (`freed`), and a write that finds no room waits until that range is merged. Of what was deleted
 *    before the engine was opened nobody knows the range. So once for each opening all is merged (`swept`), a piece for each write that finds no room.
 * 3. An engine that met the end of the disk all the same takes no more writes. What it took before is in its logs, and reads go on. The first write
 *    or sync that comes when there is room again, and while nobody holds a cursor or a snapshot, exchanges it: closes it, and opens it anew.
 * 4. That is only done where it was a write that met a full disk (`mendable`). After a failed sync what was taken may not be in the logs, as the
 *    kernel may have dropped what it could not write: then it stays as it is, for whoever restarts us to see.
 * 5. A merge in the background that finds no room ends all writing, too. But as that merge fills the disk, writes are refused by 1 before the engine
 *    could tell them. So a write that is refused asks the engine whether it still takes writes, where a merge has left unfinished tables (orphans.h).
 *    Where it does, those may be whole, merged, and kept for a cursor that has gone since: the engine removes them with the next table that it makes. So
 *    it is told to make one.
 * 6. An engine that could not be opened again does not exist: whoever wants to use it next tries to open it.
 *
 * Locks, in this order: the store's `writing` (one write at a time; the caller's), `using` (shared: the engine is used; alone: it is exchanged).
 */
#ifndef ITEMFS_STORE_RECOVERY_H
#define ITEMFS_STORE_RECOVERY_H

#include "store/log_sync.h"
#include "store/model/rc.h"
#include "store/range.h"
#include "store/room.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is asked of the engine, in words that fit any. */
struct recovery_engine {
	enum rc (*exchange)(void *engine);                       /* nobody else uses it. What fails leaves none */
	void (*merge)(void *engine, const struct range *keys); /* so that what was deleted among them takes no room */
	/* The same for what was deleted before it was opened, piece by piece: of about so many bytes, from *from on, which is moved behind them. False: that
	 * was the last. */
	bool (*sweep)(void *engine, struct buf *from, uint64_t bytes);
	enum rc (*try_write)(void *engine);                      /* of nothing: whether it still takes writes */
	void (*tidy)(void *engine);                              /* removes the tables that it has merged and that nobody reads any more; writes what is in its logs */
};

struct recovery {
	const struct recovery_engine *calls;
	void *engine;
	struct log_sync *sync; /* the caller's; says whether writing is at an end, and why */
	struct room room;
	pthread_rwlock_t using;
	bool open;           /* changed under `using` alone: there is an engine */
	bool mendable;       /* atomic; changed under `writing`, or `using` alone */
	uint64_t held;       /* atomic: cursors and snapshots */
	uint64_t generation; /* atomic: how often it was exchanged */
	struct range freed;  /* under `writing`: since it was last merged */
	struct buf swept;    /* the same: up to here, */
	bool swept_all;      /* or all of it */
};

/* An engine that is open. Keeps all it is given, which stays the caller's; so does room's directory. */
void recovery_init(struct recovery *recovery, const struct recovery_engine *calls, void *engine, struct log_sync *sync,
		   const struct room *room);
void recovery_destroy(struct recovery *recovery);

/* While the engine is used. RC_IO: there is none, and it still cannot be opened. */
enum rc recovery_enter(struct recovery *recovery);
void recovery_leave(struct recovery *recovery);

/* A cursor or a snapshot was made, while the engine is used; and is gone, at any time. */
void recovery_hold(struct recovery *recovery);
void recovery_let_go(struct recovery *recovery);

/* Writing has ended at a full disk, there is room again, and yet it cannot go on as somebody holds a cursor or a snapshot. At any time. */
bool recovery_waits(const struct recovery *recovery);

/* The rest is called with `writing` held, and the engine not in use unless it says so. */

/* Room for a write of about so many bytes. RC_NO_SPACE: there is none, whatever was done for it. */
enum rc recovery_make_room(struct recovery *recovery, uint64_t bytes, bool frees);
/* Where a full disk has ended writing: goes on, if that can be. RC_OK: writes are taken (again); else why not. */
enum rc recovery_mend(struct recovery *recovery);

/* A write was taken that deleted these to make room. */
void recovery_freed(struct recovery *recovery, const struct range *keys);
/* A write failed: no more is taken. The engine is in use. */
void recovery_failed(struct recovery *recovery, enum rc rc);
/* What the failed write has left is in the log: opening it anew would bring that back, so it is not done. */
void recovery_give_up(struct recovery *recovery);

#endif
