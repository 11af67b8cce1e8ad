/* schema_describe: a table in the words of DescribeTable: its definition and its figures, {"Table":{…}}. Pure.
 *
 * The members and their meaning are those of TableDescription (SEMANTICS.md 5). On top of them stand the settings that a definition holds and
 * DescribeTable has requests of their own for (BillingMode, TimeToLiveSpecification, Tags, …), so that the whole is a definition again:
 * schema_parse() takes it back, and nothing is lost. And two members of itemfs's own, ConsumedReadCapacityUnits and ConsumedWriteCapacityUnits
 * (CloudWatch's names). An index that was added to a table with items has one more, Backfill: how far that is (OnlineIndexPercentageProgress, as
 * CloudWatch calls it), how many items it has come past, how many of them it skipped, and how many of these because a value did not fit; while it is
 * CREATING also how many it does a second, how many seconds are left (where that is known), and what keeps it from going on (where something does).
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

/* An index that was added to a table with items. */
struct schema_build {
	bool online;   /* it was; otherwise the rest means nothing */
	bool building; /* still: it cannot be read yet */
	double percent, rate;
	int64_t seconds_left; /* -1: not known */
	uint64_t done, skipped, misfits;
	const char *trouble; /* why it does not get on at the moment, or NULL; borrowed */
};

struct schema_state {
	const char *name;
	int64_t created; /* ns since the epoch; 0: not known, and left out */
	uint64_t identity;
	struct schema_figures table;
	struct schema_figures index[SCHEMA_LSI_MAX + SCHEMA_GSI_MAX]; /* as schema->indexes are */
	struct schema_build build[SCHEMA_LSI_MAX + SCHEMA_GSI_MAX];   /* likewise */
};

/* Appends it, indented as the aws command does, with a newline at its end. `document` is the definition that was written, n bytes (0: an undeclared
 * table), of which `schema` is the parsed form. RC_CORRUPT where the document is none; RC_NO_MEMORY. */
enum rc schema_describe(const void *document, size_t n, const struct schema *schema, const struct schema_state *state, struct buf *out);

#endif
