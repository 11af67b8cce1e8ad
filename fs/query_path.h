/* query_path: the grammar of queries as paths: `.ge/2024/.last/10` below a partition, `.scan/4/0/KEY` below a table. Names become the steps of a
 * query (index/query.h); what the steps mean is decided there.
 *
 * A path into a query begins at a directory that lists (a table, a partition, an index or an index key): its *subject*. Below that comes an
 * operator's name, and below it one name for each operand. An operator that lacks operands is a NODE_OPERATOR: a directory that one can walk through,
 * and that lists nothing. The last operand makes it a NODE_VIEW, which lists what the query leaves of its subject, and which further operators may
 * follow. In a view of a table (or an index) a partition's name leads to a view of that partition; in a view of a partition (or an index key) the
 * files are NODE_RESULTs. None of this is stored: each request reads the names again.
 *
 * To add an operator, give it a line in `operators` and a function that turns its operands into a step.
 */
#ifndef ITEMFS_QUERY_PATH_H
#define ITEMFS_QUERY_PATH_H

#include "fs/place.h"
#include "index/listing.h"
#include "index/query.h"

/* Whether a name in this directory is part of a query: an operator's, or any name below one. */
bool query_path_is(const struct node *parent, const char *name);

/* What the name below the node stands for (NULL: the node itself), whether it is there or not: *ret_place gets kind, subject and the subject's
 * address (a result: the file's own). RC_INVALID, RC_NOT_UTF8 with why: a query that cannot be; RC_NOT_FOUND: no such operator, index, or name of a
 * file. `ret_query` may be NULL; otherwise *ret_query is the caller's (query_free), also that of a result's view. With the names held. */
enum rc query_path_lookup(struct frontend *front, struct node *node, const char *name, struct place *ret_place, struct query **ret_query,
                          struct why *why);

/* What a directory that lists items, entries, partitions or index keys lists, a view or not: for listing_open(). *ret_where borrows from *place and
 * *ret_query, which is the caller's, and NULL outside views. RC_INVALID: it lists nothing of that sort. With the names held. */
enum rc query_path_listing(struct frontend *front, struct node *node, struct place *place, struct query **ret_query,
                           struct listing_place *ret_where);

/* Whether a result, or a view that another lists, is in its view now: place and query as query_path_lookup() gave them, and the view's node, which
 * remembers what was found out. RC_NOT_FOUND. */
enum rc query_path_has(struct frontend *front, struct node *view, const struct place *result, const struct query *query);

/* Attributes of all three kinds: the original's without the permission to write, an inode number of their own. RC_NOT_FOUND. With the names held. */
enum { QUERY_PATH_MODE = 07555 };
enum rc query_path_stat(struct node *node, const struct place *place, struct stat *ret_stat);

/* Appends a result's bytes: the original's. RC_NOT_FOUND: it is gone. */
enum rc query_path_read(const struct place *result, struct buf *out);

#endif
