/* computed: see computed.h. */
#include "fs/computed.h"
#include "fs/reply.h"
#include "fs/stats.h"
#include "index/describe.h"

bool computed_is(enum node_kind kind)
{
	return kind == NODE_DESCRIBE || kind == NODE_STATS;
}

enum rc computed_read(struct frontend *front, const struct place *place, struct buf *out)
{
	switch (place->kind) {
	case NODE_DESCRIBE:
		return describe_table(place->table, NULL, out);
	case NODE_STATS:
		return stats_json(front, out);
	default:
		return RC_INVALID;
	}
}

enum rc computed_stat(struct frontend *front, struct node *node, const struct place *place, const struct meta *directory, struct stat *st)
{
	cleanup_buf struct buf bytes = {0};
	struct meta meta = *directory;
	enum rc rc = computed_read(front, place, &bytes);
	if (rc)
		return rc;
	meta.mode &= 0444;
	stat_file(st, node_ino(node), &meta, bytes.len);
	return RC_OK;
}
