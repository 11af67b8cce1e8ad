/* room: how full the disk below a store is, so that a write is refused before LevelDB meets the end of it.
 *
 * LevelDB needs room behind our back: it merges tables into new ones before it removes the old. A merge that finds none ends all writing until the
 * store is opened anew (recovery.h does that when there is room). So part of the disk is kept free for merges: the reserve, which on a small disk is
 * an eighth of it. Writes that free room may use most of the reserve: a deleted row is only marked at first, which takes little room, and there must
 * be a way out of a full disk, even while a merge uses the reserve. What they leave is for the logs there can be, which the next opening writes once
 * more, as tables, before it removes them.
 *
 * Looking is a system call, which costs as much as the rest of a small write's bookkeeping. So after a look that found ROOM_FAR more than the
 * reserve, writes are not checked for ROOM_TRUST_NS, up to ROOM_TRUST bytes. For that to be wrong, somebody else would have to write a hundred times
 * faster than a disk can, and even then LevelDB still has the reserve. Where less than that is free (on a small disk: always), every write looks.
 */
#ifndef ITEMFS_STORE_ROOM_H
#define ITEMFS_STORE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ROOM_FAR = 256 << 20,     /* bytes above the reserve */
	ROOM_TRUST = 1 << 20,     /* bytes */
	ROOM_TRUST_NS = 10000000, /* and what the clock's steps add (4 ms) */
	ROOM_TO_OPEN = 128 << 20, /* bytes */
	ROOM_TO_TIDY = 256 << 10, /* bytes beside the table: the manifest, and another log */
};

struct room {
	int dir;          /* on the disk; the caller's */
	uint64_t reserve; /* bytes, on a large disk: eight times what the logs take at most */
	uint64_t trusted; /* bytes that may be written without another look */
	int64_t looked;   /* when the last look was; monotonic, ns */
};

/* How many bytes the disk below a directory has in all; UINT64_MAX where the file system does not tell. */
uint64_t room_of_disk(int dir);

/* Whether so many more bytes may be written; one thread at a time. A file system that does not tell has room: LevelDB will find out. */
bool room_for(struct room *room, uint64_t bytes, bool frees);
/* Whether there is room in plenty to open a store, which makes tables of its logs. */
bool room_to_open(int dir);
/* Whether a table of all that is in the logs finds room. */
bool room_to_tidy(const struct room *room);
/* Whether a merge may be asked for. */
bool room_to_merge(const struct room *room);

/* Whether a store that met the end of the disk can be opened anew: that writes its logs once more, as tables, and some small files. */
bool room_to_recover(const struct room *room);

#endif
