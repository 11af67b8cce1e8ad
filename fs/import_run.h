/* import_run: what a close of a file in `.import` does: the import itself, batch by batch, and what the kernel and the nodes have to know of it.
 */
#ifndef ITEMFS_IMPORT_RUN_H
#define ITEMFS_IMPORT_RUN_H

#include "fs/upload.h"

struct import_run {
	struct upload *upload;
	struct node *table; /* the table's node, which somebody holds */
	const char *name;   /* what it is imported as: results are named after it */
	const struct actor *actor; /* its path: the file's */
	bool last;    /* nothing more comes: what is unfinished is refused */
	bool durable;
};

/* Imports what the upload holds beyond what was imported. On success its name goes, and NAME.result.json comes. RC_REFUSED, …: said in
 * `.itemfs/errors`, the bytes kept (refuse.h), and a result made; RC_UNFINISHED (not `last`): nothing happened. With upload.lock held and nothing
 * else; the answer to the request comes after the kernel knows what has changed. */
enum rc import_run(struct frontend *front, const struct import_run *run);

/* A line in `.itemfs/errors`, and the bytes as far as a rejected draft can hold them. *id as in refusals_add(). */
void import_keep(struct frontend *front, const struct actor *actor, enum rc rc, const struct why *why, const struct spool *bytes, uint64_t *id);

#endif
