/* computed: read-only files whose bytes are made when they are read: `.describe.json`, `.itemfs/stats.json`.
 *
 * A read at offset 0 makes them, and the handle keeps what it made until it reads there again, so that a reader in pieces sees one moment (handle.h).
 * They are direct_io and their attributes are not cached; st_size is what a read would have given at that moment. To add one, give it a kind
 * (node.h), a name (place.c) and a case here. What is too large to be made at once is streamed: export_file.h.
 */
#ifndef ITEMFS_COMPUTED_H
#define ITEMFS_COMPUTED_H

#include "fs/front.h"
#include "fs/place.h"
#include "store/model/buf.h"
#include "store/rows.h"

/* Whether files of this kind are made here. */
bool computed_is(enum node_kind kind);

/* Appends the bytes as they are now. With the names held. */
enum rc computed_read(struct frontend *front, const struct place *place, struct buf *out);

/* Fills a file's attributes: readable by whom its directory is, and as large as a read would be now. With the names held. */
enum rc computed_stat(struct frontend *front, struct node *node, const struct place *place, const struct meta *directory, struct stat *st);

#endif
