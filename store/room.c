/* room: see room.h. */
#include "store/room.h"
#include "store/log_sync.h"
#include "store/orphans.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

static uint64_t size_of(const struct statvfs *disk)
{
	return (uint64_t)disk->f_blocks * disk->f_frsize;
}

uint64_t room_of_disk(int dir)
{
	struct statvfs disk;

	return fstatvfs(dir, &disk) < 0 || !disk.f_blocks ? UINT64_MAX : size_of(&disk);
}

/* False where the file system does not tell. */
static bool look(const struct room *room, uint64_t *ret_left, uint64_t *ret_reserve)
{
	struct statvfs disk;
	uint64_t all;

	if (fstatvfs(room->dir, &disk) < 0 || !disk.f_blocks)
		return false;
	all = size_of(&disk);
	*ret_left = (uint64_t)disk.f_bavail * disk.f_frsize;
	*ret_reserve = room->reserve > all / 8 ? all / 8 : room->reserve;
	return true;
}

static int64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What was seen a moment ago is enough. */
static bool is_trusted(struct room *room, uint64_t bytes, int64_t now)
{
	if (room->trusted < bytes || now - room->looked >= ROOM_TRUST_NS)
		return false;
	room->trusted -= bytes;
	return true;
}

bool room_for(struct room *room, uint64_t bytes, bool frees)
{
	int64_t now = coarse_now();
	uint64_t left, reserve;

	if (is_trusted(room, bytes, now))
		return true;
	room->trusted = 0;
	if (!look(room, &left, &reserve))
		return true;
	if (left >= reserve && left - reserve >= ROOM_FAR) {
		room->trusted = ROOM_TRUST;
		room->looked = now;
	}
	if (frees && reserve > room->reserve / 8)
		reserve = room->reserve / 8;
	return left >= reserve && (left - reserve) / 2 >= bytes; /* twice: in the log, and in a table */
}

static uint64_t logs_bytes(int dir)
{
	struct logs logs;
	uint64_t bytes = 0;
	struct stat st;
	char name[32];

	if (logs_list(dir, &logs) != RC_OK)
		return UINT64_MAX / 2;
	for (size_t i = 0; i < logs.n; i++) {
		logs_name(logs.numbers[i], name);
		if (fstatat(dir, name, &st, 0) == 0)
			bytes += (uint64_t)st.st_size;
	}
	free(logs.numbers);
	return bytes;
}

bool room_to_open(int dir)
{
	uint64_t left, reserve;

	return !look(&(struct room){.dir = dir}, &left, &reserve) || left >= ROOM_TO_OPEN + logs_bytes(dir);
}

bool room_to_tidy(const struct room *room)
{
	uint64_t left, reserve;

	return !look(room, &left, &reserve) || left > ROOM_TO_TIDY + logs_bytes(room->dir);
}

bool room_to_merge(const struct room *room)
{
	uint64_t left, reserve;

	return !look(room, &left, &reserve) || left >= reserve / 2;
}

bool room_to_recover(const struct room *room)
{
	uint64_t left, reserve, orphans = 0;

	if (!look(room, &left, &reserve))
		return true;
	orphans_bytes(room->dir, &orphans); /* they go before anything is written */
	return (left + orphans) / 2 > logs_bytes(room->dir) + reserve / 4;
}
