/* figures: numbers about a volume, for monitoring. They are cheap: one read for each table, and what the engine counts anyway.
 */
#ifndef ITEMFS_FIGURES_H
#define ITEMFS_FIGURES_H

#include "index/volume.h"
#include "store/store.h"

struct volume_figures {
	uint64_t tables;
	uint64_t partitions, items, files;
	uint64_t bytes;    /* of items by DynamoDB's measure, with its overhead a item, as TableSizeBytes has it */
	uint64_t entries;  /* of all indexes */
	uint64_t sequence; /* of the last commit */
	struct store_figures engine;
};

/* How many items it holds. */
enum rc volume_items(struct volume *volume, uint64_t *ret_items);

enum rc volume_figures(struct volume *volume, struct volume_figures *ret_figures);

#endif
