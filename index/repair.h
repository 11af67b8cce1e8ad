/* repair: makes a damaged volume consistent again (fsck.itemfs --repair).
 *
 * The damaged store is not changed. A new store is made beside it, of every row that can be read and is sound; whatever can be derived (partitions,
 * indexes, counters, the catalogue's names) is made anew; then the check must find no problem in it. Only then do the two change places: in one step
 * where the file system can exchange names, else in two, and whoever opens the volume next finishes a repair that was cut short between them. The
 * damaged store is kept in the volume's directory, as damaged-N/db, until somebody removes it. Each row that was not sound is kept beside it, byte
 * for byte, as damaged-N/lost/NUMBER, and damaged-N/report.txt says what each of them is.
 */
#ifndef ITEMFS_REPAIR_H
#define ITEMFS_REPAIR_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct repair_report {
	unsigned long lost;   /* rows that could not be kept, each a file in lost/ */
	unsigned long said;   /* lines: of these, and of what was made anew */
	char place[PATH_MAX]; /* of damaged-N */
};

/* Repairs the volume in directory `path`, which nobody may have open, whether it opens or not. Says in lines to `out` what it does not keep as it
 * was. Where it fails the volume is as it was before: RC_BUSY, RC_NO_SPACE (it takes as much room as the volume has, and as much again while it works
 * where the store itself is damaged), RC_UNSUPPORTED (a newer format), RC_IO, RC_NO_MEMORY, RC_NOT_FOUND; RC_CORRUPT: nothing could be read, or what
 * was made of it does not pass the check. */
enum rc repair_volume(const char *path, FILE *out, struct repair_report *ret_report, struct why *why);

/* Whether a repair ended between the two steps: the volume has no store, and the new one is ready beside it. */
bool repair_was_cut_short(const char *path);
/* Finishes such a one; RC_OK where there is none. With the volume's lock held. */
enum rc repair_resume(const char *path, struct why *why);

#endif
