/* describe: what a table is and what is in it, in the words of DescribeTable: `.describe.json`. The figures are exact: they are the counters that
 * each commit keeps.
 */
#ifndef ITEMFS_DESCRIBE_H
#define ITEMFS_DESCRIBE_H

#include "index/table.h"
#include "index/volume.h"
#include "store/model/buf.h"

/* Appends {"Table":{…}} (schema_describe.h). Costs two reads, whatever the table holds. RC_STALE: the table is gone; RC_CORRUPT, RC_IO. */
enum rc describe_table(struct table *table, const struct view *view, struct buf *out);

#endif
