/* schema_fields: the fields of a table's definition, as tables: name, shape, range.
 *
 * They are the union of CloudFormation's AWS::DynamoDB::Table, CreateTable's input, and TableDescription, which is what
 * describe-table prints. Fields that only describe a running table have the shape `any`: they are taken and ignored.
 * A field that is in none of the tables is refused, since a misspelt setting that is silently dropped is worse.
 */
#include "store/model/schema_fields.h"
#include "store/model/buf.h"
#include "store/model/utf8.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct field;
typedef enum rc shape(const struct field *field, json_t *value, const struct schema_place *at, struct why *why);

struct field {
	const char *name; /* NULL ends a table */
	shape *shape;
	bool required;
	int min, max;               /* of an integer, of a text's length, of an array's */
	const struct field *fields; /* of an object, or of each element of an array */
	const char *const *words;   /* the only ones that may stand there; NULL ends them */
};

static void add_place(struct buf *path, const struct schema_place *at)
{
	if (!at || (!at->in && !at->name))
		return;
	add_place(path, at->in);
	if (!at->name)
		buf_printf(path, "[%zu]", at->index);
	else
		buf_printf(path, "%s%s", path->len ? "." : "", at->name[0] ? at->name : "\"\"");
}

enum rc schema_refuse(struct why *why, const struct schema_place *at, const char *format, ...)
{
	if (!why)
		return RC_REFUSED;
	/* Longer than what why holds, so that why is what cuts, and does it at a character. */
	char words[2 * sizeof why->text];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);

	cleanup_buf struct buf path = {0};
	add_place(&path, at);
	if (path.len)
		buf_add_text(&path, ": ");
	buf_add_byte(&path, '\0');
	return why_set(why, RC_REFUSED, "%s%s", path.failed ? "" : (const char *)path.data, words);
}

/* Shapes */

static enum rc any(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field, (void)value, (void)at, (void)why;
	return RC_OK;
}

static enum rc boolean(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field;
	const char *text = json_string_value(value);
	if (json_is_boolean(value) || (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)))
		return RC_OK;
	return schema_refuse(why, at, "this must be true or false");
}

/* An integer within the field's range. */
static enum rc integer(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	json_int_t number;
	if (!schema_integer(value, &number))
		return schema_refuse(why, at, "this must be an integer");
	if (number < field->min)
		return schema_refuse(why, at, "%" JSON_INTEGER_FORMAT " is less than %d", number, field->min);
	if (field->max && number > field->max)
		return schema_refuse(why, at, "%" JSON_INTEGER_FORMAT " is more than %d", number, field->max);
	return RC_OK;
}

static enum rc text(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field;
	return json_is_string(value) ? RC_OK : schema_refuse(why, at, "this must be a string");
}

/* A string whose length is counted in bytes. */
static enum rc attribute_name(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field;
	if (!json_is_string(value))
		return schema_refuse(why, at, "this must be a string");
	size_t n = json_string_length(value);
	if (n < 1 || n > SCHEMA_ATTRIBUTE_MAX)
		return schema_refuse(why, at, "an attribute's name has 1 to %d bytes here, and this has %zu",
				     SCHEMA_ATTRIBUTE_MAX, n);
	return RC_OK;
}

/* A string whose length is counted in characters. */
static enum rc label(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	if (!json_is_string(value))
		return schema_refuse(why, at, "this must be a string");
	size_t n = utf8_length(json_string_value(value), json_string_length(value));
	if (n < (size_t)field->min || n > (size_t)field->max)
		return schema_refuse(why, at, "this has %d to %d characters, and there are %zu", field->min, field->max,
				     n);
	return RC_OK;
}

static enum rc one_of(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	const char *word = json_string_value(value);
	cleanup_buf struct buf words = {0};
	for (const char *const *allowed = field->words; *allowed; allowed++) {
		if (word && strcmp(word, *allowed) == 0)
			return RC_OK;
		buf_printf(&words, "%s%s", words.len ? ", " : "", *allowed);
	}
	return schema_refuse(why, at, "%s is not one of: %.*s", word ? word : "what stands here", (int)words.len,
			     words.data ? (const char *)words.data : "");
}

static enum rc object(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	if (!json_is_object(value))
		return schema_refuse(why, at, "this must be an object");
	const char *name;
	json_t *member;
	json_object_foreach(value, name, member)
	{
		struct schema_place place = {.in = at, .name = name};
		const struct field *known = field->fields;
		while (known->name && strcmp(known->name, name) != 0)
			known++;
		if (!known->name)
			return schema_refuse(why, &place, "unknown field");
		enum rc rc = known->shape(known, member, &place, why);
		if (rc != RC_OK)
			return rc;
	}
	for (const struct field *known = field->fields; known->name; known++) {
		struct schema_place place = {.in = at, .name = known->name};
		if (known->required && !json_object_get(value, known->name))
			return schema_refuse(why, &place, "this is missing");
	}
	return RC_OK;
}

/* An object whose fields say nothing to itemfs. */
static enum rc some_object(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field;
	return json_is_object(value) ? RC_OK : schema_refuse(why, at, "this must be an object");
}

static enum rc text_or_object(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	(void)field;
	if (json_is_string(value) || json_is_object(value))
		return RC_OK;
	return schema_refuse(why, at, "this must be a policy: an object, or a string that holds one");
}

/* Whatever the elements are, as many as the field may have. */
static enum rc array_length(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	if (!json_is_array(value))
		return schema_refuse(why, at, "this must be an array");
	size_t n = json_array_size(value);
	if (n < (size_t)field->min)
		return schema_refuse(why, at, "this has at least %d element%s, and there %s %zu", field->min,
				     field->min == 1 ? "" : "s", n == 1 ? "is" : "are", n);
	if (field->max && n > (size_t)field->max)
		return schema_refuse(why, at, "this has at most %d elements, and there are %zu", field->max, n);
	return RC_OK;
}

static enum rc objects(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	enum rc rc = array_length(field, value, at, why);
	for (size_t i = 0; rc == RC_OK && i < json_array_size(value); i++)
		rc = object(field, json_array_get(value, i), &(struct schema_place){.in = at, .index = i}, why);
	return rc;
}

static enum rc attribute_names(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	enum rc rc = array_length(field, value, at, why);
	for (size_t i = 0; rc == RC_OK && i < json_array_size(value); i++)
		rc = attribute_name(field, json_array_get(value, i), &(struct schema_place){.in = at, .index = i}, why);
	return rc;
}

static enum rc tags(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	enum rc rc = objects(field, value, at, why);
	for (size_t i = 0; rc == RC_OK && i < json_array_size(value); i++) {
		const char *key = json_string_value(json_object_get(json_array_get(value, i), "Key"));
		for (size_t j = 0; j < i; j++)
			if (strcmp(key, json_string_value(json_object_get(json_array_get(value, j), "Key"))) == 0)
				return schema_refuse(why, at, "two tags have the key %s", key);
	}
	return rc;
}

static enum rc stream(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	enum rc rc = object(field, value, at, why);
	if (rc != RC_OK)
		return rc;
	/* CloudFormation has no StreamEnabled: its stream is enabled by being there. */
	const json_t *enabled = json_object_get(value, "StreamEnabled"),
		     *type = json_object_get(value, "StreamViewType");
	bool wanted = !enabled || schema_truth(enabled);
	if (wanted && !type)
		return schema_refuse(why, at, "an enabled stream needs a StreamViewType");
	if (!wanted && type)
		return schema_refuse(why, at, "StreamViewType is for a stream that is enabled");
	return RC_OK;
}

static enum rc time_to_live(const struct field *field, json_t *value, const struct schema_place *at, struct why *why)
{
	enum rc rc = object(field, value, at, why);
	if (rc == RC_OK && schema_truth(json_object_get(value, "Enabled")) && !json_object_get(value, "AttributeName"))
		return schema_refuse(why, at, "time to live that is enabled needs an AttributeName");
	return rc;
}

/* Tables of fields */

static const char *const key_types[] = {"HASH", "RANGE", NULL};
static const char *const attribute_types[] = {"S", "N", "B", NULL};
static const char *const billing_modes[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
static const char *const table_classes[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL};
static const char *const sse_types[] = {"AES256", "KMS", NULL};
static const char *const view_types[] = {"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL};
static const char *const resource_types[] = {"AWS::DynamoDB::Table", NULL};

static const struct field key_element[] = {
    {.name = "AttributeName", .shape = attribute_name, .required = true},
    {.name = "KeyType", .shape = one_of, .words = key_types, .required = true},
    {0},
};

static const struct field definition[] = {
    {.name = "AttributeName", .shape = attribute_name, .required = true},
    {.name = "AttributeType", .shape = one_of, .words = attribute_types, .required = true},
    {0},
};

/* ProjectionType's absence and its unknown values have words of their own (schema_parse.c). */
static const struct field projection[] = {
    {.name = "ProjectionType", .shape = text},
    {.name = "NonKeyAttributes", .shape = attribute_names, .min = 1, .max = 20},
    {0},
};

/* Zeros are what describe-table prints for a table on demand; schema_parse.c decides where they may stand. */
static const struct field provisioned[] = {
    {.name = "ReadCapacityUnits", .shape = integer, .required = true},
    {.name = "WriteCapacityUnits", .shape = integer, .required = true},
    {.name = "NumberOfDecreasesToday", .shape = any},
    {.name = "LastIncreaseDateTime", .shape = any},
    {.name = "LastDecreaseDateTime", .shape = any},
    {0},
};

static const struct field on_demand[] = {
    {.name = "MaxReadRequestUnits", .shape = integer, .min = -1}, /* -1: no maximum */
    {.name = "MaxWriteRequestUnits", .shape = integer, .min = -1},
    {0},
};

static const struct field warm[] = {
    {.name = "ReadUnitsPerSecond", .shape = integer},
    {.name = "WriteUnitsPerSecond", .shape = integer},
    {.name = "Status", .shape = any},
    {0},
};

static const struct field sse[] = {
    {.name = "Enabled", .shape = boolean},    /* CreateTable's */
    {.name = "SSEEnabled", .shape = boolean}, /* CloudFormation's */
    {.name = "SSEType", .shape = one_of, .words = sse_types},
    {.name = "KMSMasterKeyId", .shape = text},
    {0},
};

static const struct field stream_fields[] = {
    {.name = "StreamEnabled", .shape = boolean},
    {.name = "StreamViewType", .shape = one_of, .words = view_types},
    {.name = "ResourcePolicy", .shape = text_or_object},
    {0},
};

static const struct field time_to_live_fields[] = {
    {.name = "AttributeName", .shape = attribute_name},
    {.name = "Enabled", .shape = boolean, .required = true},
    {0},
};

static const struct field recovery[] = {
    {.name = "PointInTimeRecoveryEnabled", .shape = boolean},
    {.name = "RecoveryPeriodInDays", .shape = integer, .min = 1, .max = 35},
    {0},
};

static const struct field tag[] = {
    {.name = "Key", .shape = label, .min = 1, .max = 128, .required = true},
    {.name = "Value", .shape = label, .min = 0, .max = 256, .required = true},
    {0},
};

static const struct field local_index[] = {
    {.name = "IndexName", .shape = text, .required = true},
    {.name = "KeySchema", .shape = objects, .fields = key_element, .min = 1, .required = true},
    {.name = "Projection", .shape = object, .fields = projection, .required = true},
    {.name = "IndexSizeBytes", .shape = any},
    {.name = "ItemCount", .shape = any},
    {.name = "IndexArn", .shape = any},
    {.name = "ConsumedReadCapacityUnits", .shape = any},
    {.name = "ConsumedWriteCapacityUnits", .shape = any},
    {0},
};

static const struct field global_index[] = {
    {.name = "IndexName", .shape = text, .required = true},
    {.name = "KeySchema", .shape = objects, .fields = key_element, .min = 1, .required = true},
    {.name = "Projection", .shape = object, .fields = projection, .required = true},
    {.name = "ProvisionedThroughput", .shape = object, .fields = provisioned},
    {.name = "OnDemandThroughput", .shape = object, .fields = on_demand},
    {.name = "WarmThroughput", .shape = object, .fields = warm},
    {.name = "ContributorInsightsSpecification", .shape = some_object},
    {.name = "IndexStatus", .shape = any},
    {.name = "Backfilling", .shape = any},
    {.name = "Backfill", .shape = any}, /* itemfs's own: `.describe.json` */
    {.name = "IndexSizeBytes", .shape = any},
    {.name = "ItemCount", .shape = any},
    {.name = "IndexArn", .shape = any},
    {.name = "ConsumedReadCapacityUnits", .shape = any},
    {.name = "ConsumedWriteCapacityUnits", .shape = any},
    {0},
};

static const struct field table_fields[] = {
    {.name = "TableName", .shape = text}, /* the path says it */
    {.name = "AttributeDefinitions", .shape = objects, .fields = definition, .min = 1, .required = true},
    {.name = "KeySchema", .shape = objects, .fields = key_element, .min = 1, .required = true},
    {.name = "LocalSecondaryIndexes", .shape = objects, .fields = local_index},
    {.name = "GlobalSecondaryIndexes", .shape = objects, .fields = global_index},
    {.name = "BillingMode", .shape = one_of, .words = billing_modes},
    {.name = "ProvisionedThroughput", .shape = object, .fields = provisioned},
    {.name = "OnDemandThroughput", .shape = object, .fields = on_demand},
    {.name = "WarmThroughput", .shape = object, .fields = warm},
    {.name = "TableClass", .shape = one_of, .words = table_classes},
    {.name = "SSESpecification", .shape = object, .fields = sse},
    {.name = "StreamSpecification", .shape = stream, .fields = stream_fields},
    {.name = "TimeToLiveSpecification", .shape = time_to_live, .fields = time_to_live_fields},
    {.name = "PointInTimeRecoverySpecification", .shape = object, .fields = recovery},
    {.name = "DeletionProtectionEnabled", .shape = boolean},
    {.name = "ResourcePolicy", .shape = text_or_object},
    {.name = "Tags", .shape = tags, .fields = tag, .max = 50},
    /* CloudFormation's alone */
    {.name = "ContributorInsightsSpecification", .shape = some_object},
    {.name = "ImportSourceSpecification", .shape = some_object},
    {.name = "KinesisStreamSpecification", .shape = some_object},
    /* of a running table */
    {.name = "TableStatus", .shape = any},
    {.name = "CreationDateTime", .shape = any},
    {.name = "TableSizeBytes", .shape = any},
    {.name = "ItemCount", .shape = any},
    {.name = "TableArn", .shape = any},
    {.name = "TableId", .shape = any},
    {.name = "ConsumedReadCapacityUnits", .shape = any}, /* these two are itemfs's own: `.describe.json` */
    {.name = "ConsumedWriteCapacityUnits", .shape = any},
    {.name = "BillingModeSummary", .shape = any},
    {.name = "TableThroughputModeSummary", .shape = any},
    {.name = "LatestStreamLabel", .shape = any},
    {.name = "LatestStreamArn", .shape = any},
    {.name = "SSEDescription", .shape = any},
    {.name = "RestoreSummary", .shape = any},
    {.name = "TableClassSummary", .shape = any},
    {.name = "ArchivalSummary", .shape = any},
    {.name = "Replicas", .shape = any},
    {.name = "GlobalTableVersion", .shape = any},
    {.name = "GlobalTableWitnesses", .shape = any},
    {.name = "MultiRegionConsistency", .shape = any},
    {0},
};

static const struct field resource_fields[] = {
    {.name = "Type", .shape = one_of, .words = resource_types, .required = true},
    {.name = "Properties", .shape = some_object, .required = true},
    /* what a template may say about any resource */
    {.name = "Condition", .shape = any},
    {.name = "CreationPolicy", .shape = any},
    {.name = "DeletionPolicy", .shape = any},
    {.name = "DependsOn", .shape = any},
    {.name = "Metadata", .shape = any},
    {.name = "UpdatePolicy", .shape = any},
    {.name = "UpdateReplacePolicy", .shape = any},
    {0},
};

enum rc schema_check_table(json_t *table, const struct schema_place *at, struct why *why)
{
	return object(&(struct field){.fields = table_fields}, table, at, why);
}

enum rc schema_check_resource(json_t *resource, const struct schema_place *at, struct why *why)
{
	return object(&(struct field){.fields = resource_fields}, resource, at, why);
}

bool schema_truth(const json_t *value)
{
	const char *word = json_string_value(value);
	return json_is_true(value) || (word && strcmp(word, "true") == 0);
}

bool schema_integer(const json_t *value, json_int_t *ret_integer)
{
	if (json_is_integer(value)) {
		*ret_integer = json_integer_value(value);
		return true;
	}
	const char *digits = json_string_value(value);
	if (!digits || !*digits)
		return false;
	json_int_t integer_value = 0;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9' || integer_value > (LLONG_MAX - 9) / 10)
			return false;
		integer_value = integer_value * 10 + (*digits - '0');
	}
	*ret_integer = integer_value;
	return true;
}
