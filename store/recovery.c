/* recovery: see recovery.h. */
#include "store/recovery.h"
#include "store/orphans.h"

enum { PIECES = 4 }; /* of the reserve */

void recovery_init(struct recovery *recovery, const struct recovery_engine *calls, void *engine, struct log_sync *sync,
		   const struct room *room)
{
	*recovery = (struct recovery){.calls = calls, .engine = engine, .sync = sync, .room = *room, .open = true};
	pthread_rwlock_init(&recovery->using, NULL);
}

void recovery_destroy(struct recovery *recovery)
{
	pthread_rwlock_destroy(&recovery->using);
	range_free(&recovery->freed);
	buf_free(&recovery->swept);
}

static bool is_mendable(const struct recovery *recovery)
{
	return __atomic_load_n(&recovery->mendable, __ATOMIC_RELAXED);
}

static void set_mendable(struct recovery *recovery, bool mendable)
{
	__atomic_store_n(&recovery->mendable, mendable, __ATOMIC_RELAXED);
}

static bool is_held(const struct recovery *recovery)
{
	return __atomic_load_n(&recovery->held, __ATOMIC_ACQUIRE);
}

/* ---- using it ---- */

/* With `using` held alone. */
static enum rc exchange(struct recovery *recovery)
{
	enum rc rc = recovery->calls->exchange(recovery->engine);

	recovery->open = rc == RC_OK;
	if (rc)
		return rc;
	log_sync_mend(recovery->sync);
	set_mendable(recovery, false);
	__atomic_add_fetch(&recovery->generation, 1, __ATOMIC_RELEASE);
	return RC_OK;
}

enum rc recovery_enter(struct recovery *recovery)
{
	bool open;

	pthread_rwlock_rdlock(&recovery->using);
	if (recovery->open)
		return RC_OK;
	pthread_rwlock_unlock(&recovery->using);
	pthread_rwlock_wrlock(&recovery->using);
	open = recovery->open || exchange(recovery) == RC_OK;
	pthread_rwlock_unlock(&recovery->using);
	return open ? recovery_enter(recovery) : RC_IO;
}

void recovery_leave(struct recovery *recovery)
{
	pthread_rwlock_unlock(&recovery->using);
}

void recovery_hold(struct recovery *recovery)
{
	__atomic_add_fetch(&recovery->held, 1, __ATOMIC_RELAXED);
}

void recovery_let_go(struct recovery *recovery)
{
	__atomic_sub_fetch(&recovery->held, 1, __ATOMIC_RELEASE);
}

/* ---- an engine that takes no more ---- */

void recovery_failed(struct recovery *recovery, enum rc rc)
{
	set_mendable(recovery, rc == RC_NO_SPACE && log_sync_broken(recovery->sync) == RC_OK);
	log_sync_break(recovery->sync, rc);
}

void recovery_give_up(struct recovery *recovery)
{
	set_mendable(recovery, false);
}

enum rc recovery_mend(struct recovery *recovery)
{
	enum rc rc = log_sync_broken(recovery->sync);

	if (rc != RC_NO_SPACE || !room_to_recover(&recovery->room))
		return rc;
	pthread_rwlock_wrlock(&recovery->using);
	if (is_mendable(recovery) && !is_held(recovery))
		rc = exchange(recovery);
	pthread_rwlock_unlock(&recovery->using);
	return rc;
}

bool recovery_waits(const struct recovery *recovery)
{
	return log_sync_broken(recovery->sync) == RC_NO_SPACE && is_mendable(recovery) && is_held(recovery) && room_to_recover(&recovery->room);
}

/* 5 in the header. */
static void ask_engine(struct recovery *recovery)
{
	uint64_t bytes;
	enum rc rc;

	if (orphans_bytes(recovery->room.dir, &bytes) != RC_OK || !bytes)
		return;
	rc = recovery->calls->try_write(recovery->engine);
	if (rc)
		recovery_failed(recovery, rc);
	else if (room_to_tidy(&recovery->room))
		recovery->calls->tidy(recovery->engine);
}

/* ---- room ---- */

void recovery_freed(struct recovery *recovery, const struct range *keys)
{
	range_add_range(&recovery->freed, keys);
}

static bool has_room(struct recovery *recovery, uint64_t bytes, bool frees)
{
	return room_for(&recovery->room, bytes, frees);
}

static void merge_freed(struct recovery *recovery)
{
	if (range_is_empty(&recovery->freed) || !room_to_merge(&recovery->room))
		return;
	recovery->calls->merge(recovery->engine, &recovery->freed);
	range_clear(&recovery->freed);
}

/* A piece is of so much that a merge of it finds room in the reserve. */
static void sweep(struct recovery *recovery)
{
	if (!recovery->swept_all && room_to_merge(&recovery->room))
		recovery->swept_all = !recovery->calls->sweep(recovery->engine, &recovery->swept, recovery->room.reserve / PIECES);
}

/* As far as the engine that is there can help. */
static enum rc find_room(struct recovery *recovery, uint64_t bytes, bool frees)
{
	enum rc rc = recovery_enter(recovery);

	if (rc)
		return rc;
	if (!has_room(recovery, bytes, frees)) {
		merge_freed(recovery);
		if (!has_room(recovery, bytes, frees))
			sweep(recovery);
		if (!has_room(recovery, bytes, frees)) {
			ask_engine(recovery);
			rc = has_room(recovery, bytes, frees) ? RC_OK : RC_NO_SPACE;
		}
	}
	recovery_leave(recovery);
	return rc;
}

enum rc recovery_make_room(struct recovery *recovery, uint64_t bytes, bool frees)
{
	enum rc rc = find_room(recovery, bytes, frees);

	if (rc == RC_NO_SPACE && log_sync_broken(recovery->sync) && recovery_mend(recovery) == RC_OK)
		rc = find_room(recovery, bytes, frees);
	return rc;
}
