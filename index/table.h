/* table: the tables of a volume, by name.
 *
 * A table's definition is definition.h; what is in it, partition.h and leaf.h. Whatever takes a table, there too, may answer RC_STALE: it was
 * removed, and RC_READ_ONLY where it changes one that is frozen (snapshot.h).
 */
#ifndef ITEMFS_TABLE_H
#define ITEMFS_TABLE_H

#include "index/volume.h"
#include "store/catalog.h"
#include "store/model/rc.h"
#include "store/model/schema.h"
#include "store/model/why.h"

struct table; /* refers to one table through renames and adoption, until it is removed */

/* Makes an undeclared table (pk S, sk S). RC_INVALID: a name that no table may have; RC_EXISTS. */
enum rc table_create(struct volume *volume, const char *name, const struct meta *meta, struct why *why);

/* Finds it; *ret_table is a reference of the caller's (table_unref). RC_NOT_FOUND. */
enum rc table_find(struct volume *volume, const char *name, struct table **ret_table);
struct table *table_ref(struct table *table);
void table_unref(struct table *table); /* NULL is fine */

/* Removes a table that has no partition and no plain file (its definition goes with it). RC_NOT_EMPTY, RC_FORBIDDEN: DeletionProtectionEnabled. */
enum rc table_remove(struct table *table, struct why *why);

/* Gives it another name. A table of that name is removed in the same commit where it is empty, RC_NOT_EMPTY otherwise; RC_EXISTS with `noreplace`. */
enum rc table_rename(struct table *table, const char *name, bool noreplace, struct why *why);

/* The directory's metadata and counters. RC_STALE: removed. */
enum rc table_stat(struct table *table, const struct view *view, struct table_counters *ret_counters);
enum rc table_set_meta(struct table *table, const struct meta_change *change);

/* A number of its own, through renames and adoption and all mounts. */
uint64_t table_identity(const struct table *table);

/* Its definition as it is now, borrowed until table_schema_done(); no definition changes meanwhile. RC_STALE: removed (and nothing is held). */
enum rc table_schema(struct table *table, const struct schema **ret_schema);
void table_schema_done(struct table *table);

#endif
