/* repair_private: what the files of the repair share. Private to repair*.c.
 *
 * Rows are read through a struct check that only reads (nothing is said of them there), and written to the new store in batches; a walk is a walk
 * over one range, so memory does not grow with the volume.
 */
#ifndef ITEMFS_REPAIR_PRIVATE_H
#define ITEMFS_REPAIR_PRIVATE_H

#include "index/check_private.h"
#include "index/repair.h"

struct repair {
	struct check from; /* the damaged store; its `tables` are those that are kept, under the names they get */
	struct check to;
	struct store_batch *batch;
	size_t batched; /* bytes */
	FILE *out, *report;
	const char *place; /* damaged-N */
	unsigned long lost, said;
	uint32_t next_table; /* past every id seen, as the others */
	uint64_t next_refusal, sequence;
};

/* A line to the user and to report.txt. */
void repair_say(struct repair *repair, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes go into a file of lost/, and a line "WHOSE: WORDS: kept as lost/N" says so. */
enum rc repair_keep(struct repair *repair, const char *whose, const char *words, const void *bytes, size_t n);

/* Into the new store. It can be read from there after repair_flush(). */
enum rc repair_put(struct repair *repair, const struct buf *key, const void *value, size_t n);
/* A head row, and its body row where the document is large. */
enum rc repair_put_image(struct repair *repair, const struct buf *row, const struct head *head, const void *document);
enum rc repair_flush(struct repair *repair);
/* No sequence that was ever given may be given again. */
void repair_saw(struct repair *repair, uint64_t sequence);

/* ---- repair_place.c: `path` is the volume's directory, `place` damaged-N in it ---- */

/* What errno says about `what`. */
enum rc repair_failed(struct why *why, const char *what);
bool repair_is_there(const char *directory, const char *name);
/* RC_NO_SPACE: there is none on the disk of `path` for so many more stores as large as the one at `db`. A second one will lie beside it for good;
 * while one is salvaged there is a third. */
enum rc repair_room(const char *path, const char *db, unsigned stores, struct why *why);
/* Fills report->place. */
enum rc repair_make_place(const char *path, struct repair_report *report, struct why *why);
/* Removes what a repair needed only while it worked; with `all` also what is kept where it went well. Never a store that was the volume's. */
void repair_clear_place(const char *path, const char *place, bool all);
/* PLACE/new becomes the volume's store, and that one PLACE/db. */
enum rc repair_exchange(const char *path, const char *place, struct why *why);

/* ---- rows ---- */

/* The rows of table `id` under the name it has in the new volume. repair_table.c */
enum rc repair_table(struct repair *repair, const char *name, uint32_t id);
/* All rows, from one store to the other. repair_rows.c */
enum rc repair_rows(struct repair *repair, struct why *why);

#endif
