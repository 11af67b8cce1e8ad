/* stats: `.itemfs/stats.json`: the volume's figures, what is open, memory (memory.h), and the requests by kind with their latencies.
 */
#ifndef ITEMFS_STATS_H
#define ITEMFS_STATS_H

#include "fs/front.h"
#include "store/model/buf.h"

/* Appends one JSON object and a newline. Times are in microseconds; a kind of request that never came is left out. */
enum rc stats_json(struct frontend *front, struct buf *out);

#endif
