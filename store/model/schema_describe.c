/* schema_describe: see schema_describe.h. What the definition says is taken over from its document; what it leaves to defaults, and what only a running table has,
 * is added. Jansson keeps the first failure to itself until the end: a NULL given to it fails the call and nothing else.
 */
#include "store/model/schema_describe.h"
#include "store/model/schema_fields.h"
#include <stdio.h>
#include <string.h>

#define ARN "arn:aws:dynamodb:itemfs:000000000000:table/"

struct describe {
	const struct schema *schema;
	const struct schema_state *state;
	json_t *definition; /* borrowed; NULL: undeclared */
	bool on_demand;
	bool failed;
};

static void set(struct describe *d, json_t *object, const char *name, json_t *value)
{
	d->failed |= json_object_set_new(object, name, value) != 0;
}

/* Takes a member over, where the definition has it. */
static void keep(struct describe *d, json_t *object, json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);
	if (value)
		set(d, object, name, json_incref(value));
}

static json_t *attribute(const char *name, const char *what, const char *value)
{
	return json_pack("{s:s, s:s}", "AttributeName", name, what, value);
}

static json_t *key_schema(struct describe *d, const struct schema_key *key)
{
	json_t *elements = json_array();
	for (unsigned i = 0; i < key->partitions; i++)
		d->failed |= json_array_append_new(elements, attribute(key->partition[i].name, "KeyType", "HASH")) != 0;
	for (unsigned i = 0; i < key->sorts; i++)
		d->failed |= json_array_append_new(elements, attribute(key->sort[i].name, "KeyType", "RANGE")) != 0;
	return elements;
}

static json_t *attribute_definitions(struct describe *d)
{
	const struct schema_key *key = &d->schema->key;
	if (d->definition)
		return json_incref(json_object_get(d->definition, "AttributeDefinitions"));
	json_t *definitions = json_array();
	d->failed |= json_array_append_new(definitions, attribute(key->partition[0].name, "AttributeType", "S")) != 0;
	d->failed |= json_array_append_new(definitions, attribute(key->sort[0].name, "AttributeType", "S")) != 0;
	return definitions;
}

static json_int_t units(json_t *throughput, const char *name)
{
	json_int_t n = 0;
	schema_integer(json_object_get(throughput, name), &n);
	return n;
}

/* Zeros for what is on demand. */
static json_t *throughput(json_t *from)
{
	json_t *given = json_object_get(from, "ProvisionedThroughput");
	return json_pack("{s:i, s:I, s:I}", "NumberOfDecreasesToday", 0, "ReadCapacityUnits", units(given, "ReadCapacityUnits"),
			 "WriteCapacityUnits", units(given, "WriteCapacityUnits"));
}

/* CreateTable's default is PROVISIONED; a definition that says neither that nor how much is taken for one on demand. */
static bool is_on_demand(json_t *definition)
{
	const char *mode = json_string_value(json_object_get(definition, "BillingMode"));
	if (mode)
		return strcmp(mode, "PAY_PER_REQUEST") == 0;
	return !units(json_object_get(definition, "ProvisionedThroughput"), "ReadCapacityUnits");
}

static void add_figures(struct describe *d, json_t *object, const char *size, const struct schema_figures *figures)
{
	set(d, object, size, json_integer((json_int_t)(figures->bytes + SCHEMA_OVERHEAD * figures->items)));
	set(d, object, "ItemCount", json_integer((json_int_t)figures->items));
	set(d, object, "ConsumedReadCapacityUnits", json_integer((json_int_t)figures->reads));
	set(d, object, "ConsumedWriteCapacityUnits", json_integer((json_int_t)figures->writes));
}

static json_t *backfill(struct describe *d, const struct schema_build *build)
{
	json_t *object = json_object();
	set(d, object, "OnlineIndexPercentageProgress", json_real(build->percent));
	set(d, object, "Items", json_integer((json_int_t)build->done));
	set(d, object, "Skipped", json_integer((json_int_t)build->skipped));
	set(d, object, "Misfits", json_integer((json_int_t)build->misfits));
	if (build->building)
		set(d, object, "ItemsPerSecond", json_real(build->rate));
	if (build->building && build->seconds_left >= 0)
		set(d, object, "SecondsLeft", json_integer(build->seconds_left));
	if (build->trouble)
		set(d, object, "Waits", json_string(build->trouble));
	return object;
}

static json_t *describe_index(struct describe *d, const struct schema_index *index, json_t *from, const struct schema_figures *figures)
{
	json_t *object = json_object();
	set(d, object, "IndexName", json_string(index->name));
	set(d, object, "KeySchema", key_schema(d, &index->key));
	keep(d, object, from, "Projection");
	if (!index->local) {
		const struct schema_build *build = &d->state->build[index - d->schema->indexes];
		set(d, object, "IndexStatus", json_string(build->building ? "CREATING" : "ACTIVE"));
		if (build->building)
			set(d, object, "Backfilling", json_true());
		if (build->online)
			set(d, object, "Backfill", backfill(d, build));
		set(d, object, "ProvisionedThroughput", throughput(d->on_demand ? NULL : from));
		keep(d, object, from, "OnDemandThroughput");
		keep(d, object, from, "WarmThroughput");
		keep(d, object, from, "ContributorInsightsSpecification");
	}
	add_figures(d, object, "IndexSizeBytes", figures);
	set(d, object, "IndexArn", json_sprintf(ARN "%s/index/%s", d->state->name, index->name));
	return object;
}

/* Absent where there is none, as DynamoDB's are. */
static void add_indexes(struct describe *d, json_t *table, const char *name, bool local)
{
	json_t *from = json_object_get(d->definition, name), *indexes = json_array();
	for (size_t i = 0, nth = 0; i < d->schema->count; i++)
		if (d->schema->indexes[i].local == local)
			d->failed |= json_array_append_new(indexes, describe_index(d, &d->schema->indexes[i], json_array_get(from, nth++),
										   &d->state->index[i])) != 0;
	if (json_array_size(indexes))
		set(d, table, name, indexes);
	else
		json_decref(indexes);
}

static void add_billing(struct describe *d, json_t *table)
{
	set(d, table, "ProvisionedThroughput", throughput(d->on_demand ? NULL : d->definition));
	if (d->on_demand)
		set(d, table, "BillingModeSummary", json_pack("{s:s}", "BillingMode", "PAY_PER_REQUEST"));
	keep(d, table, d->definition, "BillingMode");
	keep(d, table, d->definition, "OnDemandThroughput");
	keep(d, table, d->definition, "WarmThroughput");
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* A UUID of version 8 (RFC 9562: the maker's own), the same for as long as the table lives: made of what no two tables share, the moment that each was made and its number. */
static json_t *table_id(const struct schema_state *state)
{
	uint64_t high = mix((uint64_t)state->created + 0x9e3779b97f4a7c15u), low = mix(high ^ state->identity);
	high = mix(high + low);
	high = (high & ~(uint64_t)0xf000) | 0x8000;
	low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	return json_sprintf("%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff),
			    (unsigned)(low >> 48), (unsigned long long)(low & 0xffffffffffff));
}

/* Settings, and the names that DescribeTable has for them. */
static void add_settings(struct describe *d, json_t *table)
{
	static const char *const kept[] = {"TableClass", "SSESpecification", "TimeToLiveSpecification", "PointInTimeRecoverySpecification",
					   "ResourcePolicy", "Tags", "ContributorInsightsSpecification", "ImportSourceSpecification",
					   "KinesisStreamSpecification"};
	json_t *stream = json_deep_copy(json_object_get(d->definition, "StreamSpecification"));
	if (stream && !json_object_get(stream, "StreamEnabled"))
		set(d, stream, "StreamEnabled", json_true()); /* CloudFormation's is enabled by being there */
	if (stream)
		set(d, table, "StreamSpecification", stream);
	json_t *class = json_object_get(d->definition, "TableClass");
	if (class)
		set(d, table, "TableClassSummary", json_pack("{s:O}", "TableClass", class));
	set(d, table, "DeletionProtectionEnabled", json_boolean(d->schema->deletion_protection));
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		keep(d, table, d->definition, kept[i]);
}

static json_t *describe(struct describe *d)
{
	const struct schema_state *state = d->state;
	json_t *table = json_object();
	set(d, table, "AttributeDefinitions", attribute_definitions(d));
	set(d, table, "TableName", json_string(state->name));
	set(d, table, "KeySchema", key_schema(d, &d->schema->key));
	set(d, table, "TableStatus", json_string("ACTIVE"));
	if (state->created)
		set(d, table, "CreationDateTime", json_real((double)(state->created / 1000000) / 1000));
	add_figures(d, table, "TableSizeBytes", &state->table);
	add_billing(d, table);
	set(d, table, "TableArn", json_sprintf(ARN "%s", state->name));
	set(d, table, "TableId", table_id(state));
	add_indexes(d, table, "LocalSecondaryIndexes", true);
	add_indexes(d, table, "GlobalSecondaryIndexes", false);
	add_settings(d, table);
	return table;
}

/* The table within what it was written in (schema.h). */
static json_t *unwrap(json_t *document)
{
	static const char *const wrappers[] = {"Table", "TableDescription", "Properties"};
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
		if (json_object_get(document, wrappers[i]))
			return json_object_get(document, wrappers[i]);
	return document;
}

static int add_bytes(const char *bytes, size_t n, void *context)
{
	buf_add(context, bytes, n);
	return 0;
}

enum rc schema_describe(const void *document, size_t n, const struct schema *schema, const struct schema_state *state, struct buf *out)
{
	json_t *root = n ? json_loadb(document, n, 0, NULL) : NULL;
	struct describe d = {.schema = schema, .state = state, .definition = unwrap(root)};
	if (n && !root)
		return RC_CORRUPT; /* it was right when it was written */
	d.on_demand = is_on_demand(d.definition);
	json_t *whole = json_object();
	set(&d, whole, "Table", describe(&d));
	if (!d.failed)
		json_dump_callback(whole, add_bytes, out, JSON_INDENT(4) | JSON_REAL_PRECISION(13));
	buf_add_byte(out, '\n');
	json_decref(whole);
	json_decref(root);
	return d.failed || out->failed ? RC_NO_MEMORY : RC_OK;
}
