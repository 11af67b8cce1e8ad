/* schema: what `.schema.json` says: a table's key, its secondary indexes and its settings.
 *
 * It is read with jansson (it is a control file, small and ours). Accepted: the properties of CloudFormation's
 * AWS::DynamoDB::Table, the fields of `aws dynamodb create-table --cli-input-json`, either bare or wrapped in {"Table":{…}} or {"TableDescription":{…}} (what
 * describe-table and create-table print) or in CloudFormation's {"Type":"AWS::DynamoDB::Table","Properties":{…}}. Rules: SEMANTICS.md 1, 2, 5, 6.
 */
#ifndef ITEMFS_SCHEMA_H
#define ITEMFS_SCHEMA_H

#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEMA_NAME_MIN = 3, /* of tables and indexes: [A-Za-z0-9_.-] */
	SCHEMA_NAME_MAX = 255,
	SCHEMA_KEY_PARTS = 4, /* an index key has 1–4 partition and 0–4 sort attributes; today 1 and 0–1 are accepted */
	SCHEMA_GSI_MAX = 20,
	SCHEMA_LSI_MAX = 5,
	SCHEMA_DOCUMENT_MAX = 1 << 20, /* bytes */
};

struct schema_attribute {
	char *name; /* UTF-8, NUL-terminated (a key attribute's name with a NUL in it is refused) */
	size_t name_len;
	enum key_type type;
};

struct schema_key {
	unsigned partitions, sorts; /* how many of each */
	struct schema_attribute partition[SCHEMA_KEY_PARTS];
	struct schema_attribute sort[SCHEMA_KEY_PARTS];
};

enum schema_projection { SCHEMA_ALL, SCHEMA_KEYS_ONLY, SCHEMA_INCLUDE };

struct schema_index {
	char *name;
	bool local; /* an LSI */
	struct schema_key key;
	enum schema_projection projection;
	struct schema_attribute *include; /* NonKeyAttributes: names only */
	size_t includes;
	uint32_t id; /* given by index/: the number of its rows; 0 as parsed */
};

struct schema {
	struct schema_key key;
	struct schema_index *indexes; /* LSIs first, then GSIs, each in document order */
	size_t count;
	bool declared;            /* false only for schema_undeclared() */
	bool deletion_protection; /* DeletionProtectionEnabled */
};

/* Parses. RC_REFUSED or RC_UNFINISHED with why (line and column where jansson knows them; the field's path otherwise, e.g.
 * "GlobalSecondaryIndexes[1].Projection: Unknown ProjectionType: ALLL"). RC_TOO_BIG over SCHEMA_DOCUMENT_MAX; RC_NO_MEMORY. Unknown fields are
 * refused by their name. On success *ret_schema is the caller's (schema_free). */
enum rc schema_parse(const void *document, size_t n, struct schema **ret_schema, struct why *why);

/* The definition of a table that was made by mkdir: pk (S), sk (S), no indexes. NULL only when out of memory. */
struct schema *schema_undeclared(void);

void schema_free(struct schema *schema); /* NULL is fine */

/* Whether a table may be so named (SEMANTICS.md 1, and no leading dot). RC_INVALID with why. */
enum rc schema_table_name(const char *name, size_t n, struct why *why);

bool schema_key_equal(const struct schema_key *a, const struct schema_key *b);
/* The same index in every respect but `id`. */
bool schema_index_equal(const struct schema_index *a, const struct schema_index *b);
/* The index of that name, or NULL. */
const struct schema_index *schema_find_index(const struct schema *schema, const char *name);
/* A table has a sort key. */
static inline bool schema_has_sort(const struct schema *schema)
{
	return schema->key.sorts > 0;
}

#endif
