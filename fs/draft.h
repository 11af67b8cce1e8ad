/* draft: what a handle has written to an item (or a `.schema.json`) and not committed.
 *
 * An item changes at once or not at all: each handle that writes has a draft of its own, which is the item as it was at its first write with the
 * writes in it; everybody else sees the old item until the draft is committed.
 *
 *   clean     nothing written (or all of it committed)
 *   dirty     bytes that are not committed; flush and fsync try to, release tries last
 *   poisoned  a write was refused: JSON that can never become valid, or too large. Every later write, flush and fsync gives the same answer;
 *             ftruncate(0) clears it
 *
 * While writes come one after the other from byte 0, each is checked as it comes (json.h). Not thread-safe: the handle's lock is held.
 */
#ifndef ITEMFS_DRAFT_H
#define ITEMFS_DRAFT_H

#include "store/model/buf.h"
#include "store/model/json.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stdint.h>

struct draft {
	struct buf bytes;
	bool begun;     /* `bytes` are the draft's; before, the item's own count */
	bool dirty;
	uint64_t emptied; /* the last commit that could be seen when the draft was begun empty: an emptying is ordered there, and late where another has committed since */
	char *path;       /* where the file was when the draft was begun: a rename carries the draft to another key */
	bool scanning;  /* everything in `bytes` went through `scan`, and none of it is hopeless */
	struct json scan;
	enum rc poison; /* RC_OK: it is not */
	struct why *why; /* of the poison, or of the last refused commit; NULL: nothing was refused yet, or no memory */
	enum rc refused; /* the last commit's answer, where it was refused */
	uint64_t tick;  /* of the last change */
	int64_t time;   /* and when that was */
	uint64_t refusal; /* its id where it was recorded; at most one a handle */
	bool recorded;  /* and is so as it is now */
	uint64_t reported; /* what the node was told it adds: 1 where it is dirty with bytes */
};

void draft_free(struct draft *draft);
/* Keeps why it was refused. */
void draft_say(struct draft *draft, const struct why *why);

/* Starts it empty: O_TRUNC, ftruncate(0), a create. Takes the poison away. */
void draft_empty(struct draft *draft);
/* Starts it with the item as it is. `follow`: what is written will follow these bytes, so they are scanned. */
enum rc draft_base(struct draft *draft, const void *bytes, size_t n, bool follow);
/* All of it is committed: the next write begins anew, with the item as it is then. */
void draft_done(struct draft *draft);

/* Both need a draft that has begun. RC_REFUSED, RC_TOO_BIG: poisoned now (or before); the bytes are kept all the same as far as they fit. */
enum rc draft_write(struct draft *draft, const void *bytes, size_t n, uint64_t offset);
enum rc draft_resize(struct draft *draft, uint64_t size);

#endif
