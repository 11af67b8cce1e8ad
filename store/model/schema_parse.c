/* schema_parse: from a document to a struct schema, by the rules of SEMANTICS.md 1, 2, 5 and 6.
 *
 * In three steps, each of which may rely on the one before: jansson makes a tree of the text; schema_fields.c checks
 * that every field is known and has its shape; this file checks what the fields mean together, and builds. A schema
 * under construction is always one that schema_free() can release.
 */
#include "store/model/schema_parse.h"
#include "store/model/schema_fields.h"
#include <stdlib.h>
#include <string.h>

enum { INCLUDES_MAX = 100 }; /* NonKeyAttributes of all indexes with INCLUDE together */

struct parse {
	struct schema *schema;
	json_t *table;
	json_t *types;    /* AttributeDefinitions: name → type's letter */
	json_t *unused;   /* those of them that no key has used so far */
	size_t includes;  /* NonKeyAttributes so far */
	bool provisioned; /* BillingMode is PROVISIONED */
	bool on_demand;   /* BillingMode is PAY_PER_REQUEST; neither where it is left out */
	struct why *why;
};

static enum rc no_memory(struct why *why)
{
	return why_set(why, RC_NO_MEMORY, "out of memory");
}

static char *copy_text(const json_t *string)
{
	return strdup(json_string_value(string)); /* jansson has refused any with a NUL inside */
}

static enum rc read_definitions(struct parse *parse, const struct schema_place *top)
{
	struct schema_place list = {.in = top, .name = "AttributeDefinitions"};
	json_t *definitions = json_object_get(parse->table, list.name);
	parse->types = json_object();
	parse->unused = json_object();
	for (size_t i = 0; i < json_array_size(definitions); i++) {
		struct schema_place at = {.in = &list, .index = i};
		json_t *definition = json_array_get(definitions, i);
		const char *name = json_string_value(json_object_get(definition, "AttributeName"));
		if (json_object_get(parse->types, name))
			return schema_refuse(parse->why, &at, "%s is defined twice", name);
		if (json_object_set(parse->types, name, json_object_get(definition, "AttributeType")) != 0 ||
		    json_object_set_new(parse->unused, name, json_true()) != 0)
			return no_memory(parse->why);
	}
	return RC_OK;
}

/* What stands at a place of KeySchema, or NULL after its end. */
static const char *key_type_at(json_t *elements, size_t i)
{
	return json_string_value(json_object_get(json_array_get(elements, i), "KeyType"));
}

/* The order and the number of the elements. */
static enum rc check_elements(struct parse *parse, json_t *elements, bool global, const struct schema_place *at)
{
	size_t n = json_array_size(elements);
	if (strcmp(key_type_at(elements, 0), "HASH") != 0)
		return schema_refuse(parse->why, at,
				     "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	bool pair = n == 1 || (n == 2 && strcmp(key_type_at(elements, 1), "RANGE") == 0);
	if (!pair && global)
		return schema_refuse(parse->why, at,
				     "an index key of several HASH or several RANGE attributes is not offered: itemfs "
				     "takes one HASH and at most one RANGE today");
	if (n > 2)
		return schema_refuse(parse->why, at, "a key has at most 2 attributes, and here are %zu", n);
	if (!pair)
		return schema_refuse(parse->why, at,
				     "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
	return RC_OK;
}

static enum rc read_element(struct parse *parse, json_t *element, const struct schema_place *at,
			    struct schema_attribute *attribute)
{
	json_t *name = json_object_get(element, "AttributeName");
	const char *text = json_string_value(name);
	const char *type = json_string_value(json_object_get(parse->types, text));
	if (!type)
		return schema_refuse(parse->why, at, "%s is not defined in AttributeDefinitions", text);
	attribute->name = copy_text(name);
	if (!attribute->name)
		return no_memory(parse->why);
	attribute->name_len = json_string_length(name);
	attribute->type = (enum key_type)type[0];
	json_object_del(parse->unused, text); /* fails where another key has used it before */
	return RC_OK;
}

static enum rc read_key(struct parse *parse, json_t *holder, bool global, const struct schema_place *in,
			struct schema_key *key)
{
	struct schema_place at = {.in = in, .name = "KeySchema"};
	json_t *elements = json_object_get(holder, at.name);
	enum rc rc = check_elements(parse, elements, global, &at);
	if (rc != RC_OK)
		return rc;
	rc = read_element(parse, json_array_get(elements, 0), &(struct schema_place){.in = &at, .index = 0},
			  &key->partition[0]);
	if (rc != RC_OK)
		return rc;
	key->partitions = 1;
	if (json_array_size(elements) == 1)
		return RC_OK;
	rc = read_element(parse, json_array_get(elements, 1), &(struct schema_place){.in = &at, .index = 1},
			  &key->sort[0]);
	if (rc != RC_OK)
		return rc;
	key->sorts = 1;
	if (strcmp(key->partition[0].name, key->sort[0].name) == 0)
		return schema_refuse(parse->why, &at,
				     "Both the Hash Key and the Range Key element in the KeySchema have the same name: "
				     "%s",
				     key->sort[0].name);
	return RC_OK;
}

static bool includes_name(const struct schema_index *index, const char *name)
{
	for (size_t i = 0; i < index->includes; i++)
		if (strcmp(index->include[i].name, name) == 0)
			return true;
	return false;
}

/* Each name once, whatever the document says; its limit counts what the document says. */
static enum rc read_includes(struct parse *parse, json_t *names, const struct schema_place *at,
			     struct schema_index *index)
{
	size_t n = json_array_size(names);
	parse->includes += n;
	if (parse->includes > INCLUDES_MAX)
		return schema_refuse(parse->why, at,
				     "the NonKeyAttributes of all indexes together are at most %d, and with index %s "
				     "they are %zu",
				     INCLUDES_MAX, index->name, parse->includes);
	index->include = calloc(n, sizeof *index->include);
	if (!index->include)
		return no_memory(parse->why);
	for (size_t i = 0; i < n; i++) {
		json_t *name = json_array_get(names, i);
		if (includes_name(index, json_string_value(name)))
			continue;
		struct schema_attribute *attribute = &index->include[index->includes];
		attribute->name = copy_text(name);
		if (!attribute->name)
			return no_memory(parse->why);
		attribute->name_len = json_string_length(name);
		index->includes++;
	}
	return RC_OK;
}

static enum rc read_projection(struct parse *parse, json_t *holder, const struct schema_place *in,
			       struct schema_index *index)
{
	static const char *const types[] = {
	    [SCHEMA_ALL] = "ALL", [SCHEMA_KEYS_ONLY] = "KEYS_ONLY", [SCHEMA_INCLUDE] = "INCLUDE"};
	struct schema_place at = {.in = in, .name = "Projection"};
	json_t *projection = json_object_get(holder, at.name);
	json_t *names = json_object_get(projection, "NonKeyAttributes");
	const char *type = json_string_value(json_object_get(projection, "ProjectionType"));
	size_t i = 0;
	while (i < sizeof types / sizeof types[0] && (!type || strcmp(types[i], type) != 0))
		i++;
	if (i == sizeof types / sizeof types[0])
		return schema_refuse(parse->why, &at, "Unknown ProjectionType: %s", type ? type : "null");
	index->projection = (enum schema_projection)i;
	if (index->projection != SCHEMA_INCLUDE && names)
		return schema_refuse(parse->why, &at, "ProjectionType is %s, but NonKeyAttributes is specified", type);
	if (index->projection != SCHEMA_INCLUDE)
		return RC_OK;
	if (!names)
		return schema_refuse(parse->why, &at,
				     "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
	return read_includes(parse, names, &at, index);
}

static enum rc read_index_name(struct parse *parse, json_t *holder, const struct schema_place *in,
			       struct schema_index *index)
{
	struct schema_place at = {.in = in, .name = "IndexName"};
	json_t *name = json_object_get(holder, at.name);
	struct why why;
	if (schema_check_name("an index's name", json_string_value(name), json_string_length(name), &why) != RC_OK)
		return schema_refuse(parse->why, &at, "%s", why.text);
	if (schema_find_index(parse->schema, json_string_value(name)))
		return schema_refuse(parse->why, &at, "Duplicate index name: %s", json_string_value(name));
	index->name = copy_text(name);
	return index->name ? RC_OK : no_memory(parse->why);
}

/* What an LSI's key must be beside the table's. */
static enum rc check_local_key(struct parse *parse, const struct schema_index *index, const struct schema_place *at)
{
	const struct schema_key *table = &parse->schema->key;
	if (strcmp(index->key.partition[0].name, table->partition[0].name) != 0)
		return schema_refuse(parse->why, at,
				     "Index KeySchema does not have the same leading hash key as table KeySchema for "
				     "index: %s",
				     index->name);
	if (index->key.sorts == 0)
		return schema_refuse(parse->why, at, "Index KeySchema does not have a range key for index: %s",
				     index->name);
	return RC_OK;
}

/* ProvisionedThroughput of the table or of a GSI, as BillingMode wants it. */
static enum rc check_throughput(struct parse *parse, json_t *holder, const struct schema_place *in)
{
	struct schema_place at = {.in = in, .name = "ProvisionedThroughput"};
	json_t *throughput = json_object_get(holder, at.name);
	json_int_t reads = 0, writes = 0;
	if (!throughput)
		return parse->provisioned
			   ? schema_refuse(parse->why, &at, "this is missing, and BillingMode is PROVISIONED")
			   : RC_OK;
	schema_integer(json_object_get(throughput, "ReadCapacityUnits"), &reads);
	schema_integer(json_object_get(throughput, "WriteCapacityUnits"), &writes);
	if (reads == 0 && writes == 0 && !parse->provisioned)
		return RC_OK; /* as describe-table prints a table on demand */
	if (parse->on_demand)
		return schema_refuse(parse->why, &at,
				     "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
				     "BillingMode is PAY_PER_REQUEST");
	if (reads < 1 || writes < 1)
		return schema_refuse(parse->why, &at, "%s is less than 1",
				     reads < 1 ? "ReadCapacityUnits" : "WriteCapacityUnits");
	return RC_OK;
}

static enum rc read_index(struct parse *parse, json_t *holder, bool local, const struct schema_place *at)
{
	struct schema_index index = {.local = local};
	enum rc rc = read_index_name(parse, holder, at, &index);
	if (rc != RC_OK)
		return rc;
	/* From here on the schema owns it, whole or not. */
	struct schema_index *owned = &parse->schema->indexes[parse->schema->count++];
	*owned = index;
	rc = read_key(parse, holder, !local, at, &owned->key);
	if (rc == RC_OK && local)
		rc = check_local_key(parse, owned, at);
	if (rc == RC_OK)
		rc = read_projection(parse, holder, at, owned);
	if (rc == RC_OK && !local)
		rc = check_throughput(parse, holder, at);
	return rc;
}

static enum rc read_indexes(struct parse *parse, const struct schema_place *top)
{
	struct schema_place local = {.in = top, .name = "LocalSecondaryIndexes"};
	struct schema_place global = {.in = top, .name = "GlobalSecondaryIndexes"};
	json_t *locals = json_object_get(parse->table, local.name);
	json_t *globals = json_object_get(parse->table, global.name);
	size_t local_count = json_array_size(locals), global_count = json_array_size(globals);
	if (local_count > SCHEMA_LSI_MAX)
		return schema_refuse(parse->why, &local,
				     "Number of LocalSecondaryIndexes exceeds per-table limit of %d", SCHEMA_LSI_MAX);
	if (global_count > SCHEMA_GSI_MAX)
		return schema_refuse(parse->why, &global,
				     "GlobalSecondaryIndex count exceeds the per-table limit of %d", SCHEMA_GSI_MAX);
	if (local_count > 0 && !schema_has_sort(parse->schema))
		return schema_refuse(parse->why, &local,
				     "Table KeySchema does not have a range key, which is required when specifying a "
				     "LocalSecondaryIndex");
	if (local_count + global_count == 0)
		return RC_OK;
	parse->schema->indexes = calloc(local_count + global_count, sizeof *parse->schema->indexes);
	if (!parse->schema->indexes)
		return no_memory(parse->why);

	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < local_count; i++)
		rc = read_index(parse, json_array_get(locals, i), true,
				&(struct schema_place){.in = &local, .index = i});
	for (size_t i = 0; rc == RC_OK && i < global_count; i++)
		rc = read_index(parse, json_array_get(globals, i), false,
				&(struct schema_place){.in = &global, .index = i});
	return rc;
}

static enum rc check_unused(struct parse *parse, const struct schema_place *top)
{
	void *unused = json_object_iter(parse->unused);
	if (!unused)
		return RC_OK;
	return schema_refuse(parse->why, &(struct schema_place){.in = top, .name = "AttributeDefinitions"},
			     "Number of attributes in KeySchema does not exactly match number of attributes defined in "
			     "AttributeDefinitions: %s is in no key",
			     json_object_iter_key(unused));
}

static enum rc read_table(struct parse *parse, const struct schema_place *top)
{
	const char *mode = json_string_value(json_object_get(parse->table, "BillingMode"));
	parse->provisioned = mode && strcmp(mode, "PROVISIONED") == 0;
	parse->on_demand = mode && strcmp(mode, "PAY_PER_REQUEST") == 0;
	parse->schema->declared = true;
	parse->schema->deletion_protection = schema_truth(json_object_get(parse->table, "DeletionProtectionEnabled"));

	enum rc rc = read_definitions(parse, top);
	if (rc == RC_OK)
		rc = read_key(parse, parse->table, false, top, &parse->schema->key);
	if (rc == RC_OK)
		rc = read_indexes(parse, top);
	if (rc == RC_OK)
		rc = check_unused(parse, top);
	if (rc == RC_OK)
		rc = check_throughput(parse, parse->table, top);
	return rc;
}

static enum rc build(json_t *table, const struct schema_place *top, struct schema **ret_schema, struct why *why)
{
	struct parse parse = {.table = table, .why = why, .schema = calloc(1, sizeof *parse.schema)};
	enum rc rc = parse.schema ? read_table(&parse, top) : no_memory(why);
	json_decref(parse.types);
	json_decref(parse.unused);
	if (rc != RC_OK)
		schema_free(parse.schema);
	else
		*ret_schema = parse.schema;
	return rc;
}

/* Finds the table in its wrapping, if it has one: what describe-table and create-table print, or a resource of a
 * template. `place` becomes the place of the table. */
static enum rc unwrap(json_t *document, struct schema_place *place, json_t **ret_table, struct why *why)
{
	static const char *const wrappers[] = {"Table", "TableDescription", "Properties"};
	struct schema_place top = {0};
	*ret_table = document;
	if (!json_is_object(document))
		return schema_refuse(why, &top, "a table's definition must be an object");
	for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
		json_t *inner = json_object_get(document, wrappers[i]);
		if (!inner)
			continue;
		*place = (struct schema_place){.name = wrappers[i]};
		*ret_table = inner;
		if (strcmp(wrappers[i], "Properties") == 0)
			return schema_check_resource(document, &top, why);
		const char *name;
		json_t *member;
		json_object_foreach(document, name, member) if (member != inner) return schema_refuse(
		    why, &(struct schema_place){.name = name}, "unknown field beside %s", wrappers[i]);
		return RC_OK;
	}
	return RC_OK;
}

/* The line and the column of a byte, which jansson knows only in characters. */
static void find_place(const char *document, size_t n, int position, size_t *ret_line, size_t *ret_column)
{
	size_t end = position < 0 ? 0 : (size_t)position;
	*ret_line = *ret_column = 1;
	for (size_t i = 0; i + 1 < end && i < n; i++) {
		++*ret_column;
		if (document[i] == '\n') {
			++*ret_line;
			*ret_column = 1;
		}
	}
}

/* Whether jansson's error is about what is JSON but not for us, so that more text makes it no better. */
static bool is_final(const json_error_t *error, size_t n)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return true;
	case json_error_numeric_overflow: /* an integer that ends the text may still go on to be a real */
		return error->position >= 0 && (size_t)error->position < n;
	default:
		return false;
	}
}

/* Says why jansson took no document. */
static enum rc not_json(const char *document, size_t n, const json_error_t *error, struct why *why)
{
	if (json_error_code(error) == json_error_out_of_memory)
		return no_memory(why);
	if (!is_final(error, n)) {
		enum rc rc = schema_scan(document, n, why);
		if (rc != RC_OK)
			return rc;
	}
	size_t line, column;
	find_place(document, n, error->position, &line, &column);
	return why_at(why, RC_REFUSED, line, column, "%s", error->text);
}

enum rc schema_parse(const void *document, size_t n, struct schema **ret_schema, struct why *why)
{
	if (n > SCHEMA_DOCUMENT_MAX)
		return why_set(why, RC_TOO_BIG, "a table's definition has at most %d bytes, and this has %zu",
			       SCHEMA_DOCUMENT_MAX, n);
	if (n == 0)
		return why_at(why, RC_UNFINISHED, 1, 1, "the document is empty");

	json_error_t error;
	json_t *tree = json_loadb(document, n, JSON_REJECT_DUPLICATES, &error);
	if (!tree)
		return not_json(document, n, &error, why);
	struct schema_place place = {0};
	json_t *table;
	enum rc rc = unwrap(tree, &place, &table, why);
	if (rc == RC_OK)
		rc = schema_check_table(table, &place, why);
	if (rc == RC_OK)
		rc = build(table, &place, ret_schema, why);
	json_decref(tree);
	return rc;
}
