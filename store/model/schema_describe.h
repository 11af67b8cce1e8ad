/* schema_describe: a table in the words of DescribeTable: its definition and its figures, {"Table":{…}}. Pure.
 *
 * The members and their meaning are those of TableDescription (SEMANTICS.md 5). On top of them stand the settings that a definition holds and DescribeTable has
 * requests of their own for (BillingMode, TimeToLiveSpecification, Tags, …), so that the whole is a definition again: schema_parse() takes it back, and nothing is lost. And two members
 * of itemfs's own, ConsumedReadCapacityUnits and ConsumedWriteCapacityUnits (CloudWatch's names).
 */
#ifndef ITEMFS_SCHEMA_DESCRIBE_H
#define ITEMFS_SCHEMA_DESCRIBE_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/schema.h"
#include <stdint.h>

enum { SCHEMA_OVERHEAD = 100 }; /* bytes that DynamoDB counts on top of each item and each index entry (SEMANTICS.md 4) */

struct schema_figures {
	uint64_t items, bytes;  /* by DynamoDB's measure, without SCHEMA_OVERHEAD, which is added here */
	uint64_t reads, writes; /* capacity units consumed */
};

struct schema_state {
	const char *name;
	int64_t created; /* ns since the epoch; 0: not known, and left out */
	uint64_t identity;
	struct schema_figures table;
	struct schema_figures index[SCHEMA_LSI_MAX + SCHEMA_GSI_MAX]; /* as schema->indexes are */
};

/* Appends it, indented as the aws command does, with a newline at its end. `document` is the definition that was written, n bytes (0: an undeclared table), of which `schema` is the parsed form.
 * RC_CORRUPT where the document is none; RC_NO_MEMORY. */
enum rc schema_describe(const void *document, size_t n, const struct schema *schema, const struct schema_state *state, struct buf *out);

#endif
