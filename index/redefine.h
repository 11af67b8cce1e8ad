/* redefine: what definition.c, adopt.c and build.c share while a definition changes. Internal to index/.
 * tables_change and the table's gate (for writing) are held throughout.
 */
#ifndef ITEMFS_REDEFINE_H
#define ITEMFS_REDEFINE_H

#include "index/definition.h"
#include "index/entry.h"
#include "index/private.h"

struct redefinition {
	struct table *table;
	const struct definition_write *write;
	struct schema *schema; /* the new one; its indexes get their ids on the way */
	struct why *why;
	struct buf record_value; /* the row that `record` points into */
	struct table_record record;
	struct table_counters counters; /* as they are; adopt.c counts anew */
	uint32_t next_index;
	uint32_t building, young; /* build.c: what becomes the table's, by place in the new schema */
	uint32_t staged_table; /* adopt.c */
	int64_t now;
	uint64_t sequence;
	struct store_batch *batch; /* rows being staged */
	size_t staged_rows, staged_bytes;
	struct head head; /* of `.schema.json`, afterwards */
};

/* Stages a row under an id that nobody refers to yet; writes when enough have come together. */
enum rc redefine_stage(struct redefinition *r, const struct buf *row, const void *value, size_t n);
/* The rows of one entry, counted in r->counters. */
enum rc redefine_stage_entry(struct redefinition *r, const struct entry *entry, const struct schema_index *index);
enum rc redefine_flush(struct redefinition *r, bool all);
/* The bytes of an item or file whose head row is at hand. */
enum rc redefine_body(struct redefinition *r, const uint8_t *head_row, size_t n, const struct head *head, const uint8_t *in,
                      struct buf *out);
/* Fills the record for the flip, and its directory's times, within the flip's commit. */
void redefine_record(struct redefinition *r, struct txn *txn, struct table_record *record, struct table_counters *counters);

enum rc redefine_adopt(struct redefinition *r); /* everything under a new table id */
enum rc redefine_build(struct redefinition *r); /* GSIs come, to be filled, and go */

#endif
