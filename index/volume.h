/* volume: a directory that holds tables, opened by one process at a time.
 *
 * index/ is what front ends are written against: fs/ (FUSE) is one of them. Everything in it may be called by any number of
 * threads at once. It never calls upward.
 */
#ifndef ITEMFS_VOLUME_H
#define ITEMFS_VOLUME_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include "store/rows.h"
#include <stdbool.h>
#include <stdint.h>

struct volume;
struct view; /* a frozen moment of the whole volume; NULL where one is asked for means "as it is now" */

struct volume_options {
	bool create;        /* make it where there is none */
	bool durable;       /* every commit survives the loss of power before it is acknowledged (-o sync) */
	bool passive;       /* nothing works in the background: what is dead stays, what is being filled waits (fsck, a read-only mount) */
	unsigned build_rate; /* items a second that are put into new indexes at most; 0: no limit */
	bool compress;      /* tables are packed that are written from now on; those that are there are read either way */
	size_t memtable;    /* bytes of changes that are gathered in memory before they become a table; 0: by the machine (store.h) */
	const char *holder; /* words for whoever finds the volume taken: a mountpoint, "fsck.itemfs" */
	bool (*give_up)(void); /* asked while another process's end is waited for, many times a second: whether to wait no longer. NULL: never */
};

/* Opens the volume in directory `path`; to be called after the process's last fork(). RC_NOT_FOUND: there is none and !create, or its parent is
 * missing; RC_INVALID: the directory holds something else; RC_BUSY: another process has it (why says which), and does not end: one that does is
 * waited for, up to a minute; RC_INTERRUPTED: and that was given up; RC_UNSUPPORTED: its format is newer than this program; RC_CORRUPT, RC_IO,
 * RC_NO_SPACE, RC_FORBIDDEN. Rows that a crash left staged are collected in the background from here on. */
enum rc volume_open(const char *path, const struct volume_options *options, struct volume **ret_volume, struct why *why);

/* Tells whoever wants to open the volume that it is about to be closed, so that they wait for it. Call it as soon as others can see that, for example
 * because its mount is gone; volume_close() does it at the latest. */
void volume_ending(struct volume *volume);

/* With `does`, calls that take long (an adoption, a filter that lets nothing through) end with RC_INTERRUPTED and without a change, those under way
 * too, until it is taken back: for a caller that waits for them to end. */
void volume_break_off(struct volume *volume, bool does);

/* Takes the volume; everything committed is durable when it returns. Views and table references must be gone. NULL is fine. */
void volume_close(struct volume *volume);

/* Everything that was committed so far survives the loss of power once this returns RC_OK. */
enum rc volume_sync(struct volume *volume);

/* The number of the last commit that is stored; no head has a later version. */
uint64_t volume_sequence(const struct volume *volume);
/* The last that anybody can have seen: it may be under way. */
uint64_t volume_seen(const struct volume *volume);
/* Whether what was read after volume_sequence() gave `sequence` would be read again now: nothing was committed since, and nothing is being committed.
 * Comparing sequences is not enough: readers see a commit before it is counted, and could be told of the old state after the new one. */
bool volume_stands(const struct volume *volume, uint64_t sequence);

/* Where its files are (for statfs of the host's file system); borrowed. */
const char *volume_path(const struct volume *volume);

enum rc view_open(struct volume *volume, struct view **ret_view);
void view_close(struct view *view); /* NULL is fine */
/* Whether it shows the present state: nothing was committed since it was opened, or it is a snapshot's, which cannot change. */
bool view_is_current(const struct view *view);

/* A change of what stat shows: only the fields whose flag is set; ctime always becomes now. */
struct meta_change {
	bool mode_set, uid_set, gid_set, atime_set, mtime_set;
	struct meta value;
};
void meta_apply(struct meta *meta, const struct meta_change *change, int64_t now);

/* The root directory's metadata. */
enum rc volume_root(struct volume *volume, const struct view *view, struct meta *ret_meta);
enum rc volume_set_root(struct volume *volume, const struct meta_change *change);

/* Nanoseconds since the epoch, as files' times are. */
int64_t clock_now(void);

#endif
