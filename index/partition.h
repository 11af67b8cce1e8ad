/* partition: one partition key of a table: a directory of items and plain files. */
#ifndef ITEMFS_PARTITION_H
#define ITEMFS_PARTITION_H

#include "index/table.h"
#include "index/volume.h"
#include "store/model/key.h"
#include "store/rows.h"

enum {
	PARTITION_MOVE_ITEMS = 10000,    /* what partition_rename() moves in one commit at most */
	PARTITION_MOVE_BYTES = 64 << 20,
};

/* Makes it, empty; it stays until partition_remove(). RC_EXISTS. */
enum rc partition_create(struct table *table, const struct key *pk, const struct meta *meta);
/* RC_NOT_FOUND, RC_NOT_EMPTY. */
enum rc partition_remove(struct table *table, const struct key *pk);
enum rc partition_get(struct table *table, const struct view *view, const struct key *pk, struct partition_record *ret_record);
enum rc partition_set_meta(struct table *table, const struct key *pk, const struct meta_change *change);

/* A pending partition (KEY_PENDING) gets the key that a document has told: mode, owner, times and plain files stay. RC_NOT_FOUND; RC_EXISTS: that key
 * has a partition already. */
enum rc partition_settle(struct table *table, const struct key *pending, const struct key *pk);

/* Gives all its items another partition key, in one commit, their documents' key attribute and all index entries with it. An empty partition of the
 * new key is replaced (RC_EXISTS with noreplace), another is RC_NOT_EMPTY. RC_CROSS over the bounds above. RC_REFUSED, RC_TOO_BIG where an item does
 * not fit its new key; RC_INVALID: a pending key, and there are items that would need a real one. */
enum rc partition_rename(struct table *table, const struct key *from, const struct key *to, bool noreplace, struct why *why);

#endif
