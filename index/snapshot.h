/* snapshot: the whole volume as it was at one moment, under a name, read only, for as long as the volume is open.
 *
 * A snapshot lies between two commits: what one commit did is in it whole or not at all. Its tables are *frozen*: struct table like any other, with
 * the name, the definition and the indexes that they had. All that reads takes them: it reads from the snapshot's view, whatever view it is given;
 * all that changes answers RC_READ_ONLY. So what is built over tables works over frozen ones without knowing of them. What is renamed, redefined,
 * re-keyed or removed later stays as it was for them: the engine keeps the rows that a view can see.
 *
 * Taking a snapshot costs no I/O and no copy, whatever the volume holds; keeping it costs the space of what was overwritten or deleted since.
 *
 * Lifetime: the name holds a reference from snapshot_take() to snapshot_drop() or volume_close(); so does each caller of snapshot_find(), and each
 * reference of a frozen table. The view goes with the last.
 */
#ifndef ITEMFS_SNAPSHOT_H
#define ITEMFS_SNAPSHOT_H

#include "index/table.h"
#include "index/volume.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>

struct snapshot;

enum {
	SNAPSHOTS_MAX = 256,     /* of one volume at a time */
	SNAPSHOT_NAME_MAX = 255, /* bytes */
};

/* Freezes the volume as it is now. A name is 1-255 bytes of UTF-8 without control characters and '/', and does not begin with a dot. RC_INVALID,
 * RC_NOT_UTF8, RC_NAME_TOO_LONG; RC_EXISTS; RC_TOO_MANY. */
enum rc snapshot_take(struct volume *volume, const char *name, struct why *why);

/* Takes the name away; whoever holds the snapshot goes on reading. RC_NOT_FOUND. */
enum rc snapshot_drop(struct volume *volume, const char *name);

/* *ret_snapshot is a reference of the caller's (snapshot_unref). RC_NOT_FOUND. */
enum rc snapshot_find(struct volume *volume, const char *name, struct snapshot **ret_snapshot);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is fine */

/* The names in the order of their bytes: the first after `name` ("" to begin), which may be `ret_name` itself. RC_NOT_FOUND: there is none further. */
enum rc snapshot_next(struct volume *volume, const char *name, char ret_name[SNAPSHOT_NAME_MAX + 1]);

/* What it sees; borrowed. NULL gives NULL, which is the volume as it is now. */
const struct view *snapshot_view(const struct snapshot *snapshot);

/* A table of it, frozen; a reference of the caller's (table_unref). The same object for the same name. RC_NOT_FOUND, RC_CORRUPT, RC_IO. */
enum rc snapshot_table(struct snapshot *snapshot, const char *name, struct table **ret_table);

/* Why a write finds no room (RC_NO_SPACE), in words. Where there is room again and the engine cannot be opened anew as long as a snapshot is held,
 * they name it: it is for its owner to drop, as a backup may be reading it. */
void snapshot_why_full(struct volume *volume, struct why *why);

bool table_is_frozen(const struct table *table);

#endif
