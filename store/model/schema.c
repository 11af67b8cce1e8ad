/* schema: a definition's life after it was parsed: comparing, finding, releasing; and the rule for names.
 *
 * Jansson is not seen here, so this file is also where the JSON scanner of items (json.h) is asked about a definition.
 */
#include "store/model/schema.h"
#include "store/model/json.h"
#include "store/model/schema_parse.h"
#include "store/model/utf8.h"
#include <stdlib.h>
#include <string.h>

static void free_key(struct schema_key *key)
{
	for (size_t i = 0; i < SCHEMA_KEY_PARTS; i++) {
		free(key->partition[i].name);
		free(key->sort[i].name);
	}
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->count; i++) {
		struct schema_index *index = &schema->indexes[i];
		for (size_t j = 0; j < index->includes; j++)
			free(index->include[j].name);
		free(index->include);
		free_key(&index->key);
		free(index->name);
	}
	free(schema->indexes);
	free_key(&schema->key);
	free(schema);
}

static bool set_attribute(struct schema_attribute *attribute, const char *name, enum key_type type)
{
	attribute->name = strdup(name);
	attribute->name_len = strlen(name);
	attribute->type = type;
	return attribute->name != NULL;
}

struct schema *schema_undeclared(void)
{
	struct schema *schema = calloc(1, sizeof *schema);
	if (!schema)
		return NULL;
	schema->key.partitions = schema->key.sorts = 1;
	if (!set_attribute(&schema->key.partition[0], "pk", KEY_S) ||
	    !set_attribute(&schema->key.sort[0], "sk", KEY_S)) {
		schema_free(schema);
		return NULL;
	}
	return schema;
}

static bool in_alphabet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-';
}

enum rc schema_check_name(const char *what, const char *name, size_t n, struct why *why)
{
	/* Quoted only where it is text, since the words are, and where there is room. */
	int shown = n && n <= SCHEMA_NAME_MAX && utf8_valid(name, n) ? (int)n : 0;
	const char *colon = shown ? ": " : "";
	if (n < SCHEMA_NAME_MIN || n > SCHEMA_NAME_MAX)
		return why_set(why, RC_INVALID, "%.*s%s%s has %d to %d characters, and this has %zu", shown, name, colon, what, SCHEMA_NAME_MIN,
			       SCHEMA_NAME_MAX, n);
	for (size_t i = 0; i < n; i++)
		if (!in_alphabet(name[i]))
			return why_set(why, RC_INVALID, "%.*s%s%s is made of a-z A-Z 0-9 _ . - only", shown, name, colon, what);
	return RC_OK;
}

enum rc schema_table_name(const char *name, size_t n, struct why *why)
{
	enum rc rc = schema_check_name("a table's name", name, n, why);
	if (rc == RC_OK && name[0] == '.')
		return why_set(why, RC_INVALID, "%.*s: a table's name begins with no dot in itemfs", (int)n, name);
	return rc;
}

static bool attribute_equal(const struct schema_attribute *a, const struct schema_attribute *b)
{
	return a->type == b->type && a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

static bool attributes_equal(const struct schema_attribute *a, const struct schema_attribute *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!attribute_equal(&a[i], &b[i]))
			return false;
	return true;
}

bool schema_key_equal(const struct schema_key *a, const struct schema_key *b)
{
	return a->partitions == b->partitions && a->sorts == b->sorts &&
	       attributes_equal(a->partition, b->partition, a->partitions) &&
	       attributes_equal(a->sort, b->sort, a->sorts);
}

static bool includes(const struct schema_index *index, const struct schema_attribute *attribute)
{
	for (size_t i = 0; i < index->includes; i++)
		if (attribute_equal(&index->include[i], attribute))
			return true;
	return false;
}

bool schema_index_equal(const struct schema_index *a, const struct schema_index *b)
{
	if (strcmp(a->name, b->name) != 0 || a->local != b->local || a->projection != b->projection ||
	    a->includes != b->includes || !schema_key_equal(&a->key, &b->key))
		return false;
	/* Each name is there once (schema_parse.c), so that equal counts make one direction enough. */
	for (size_t i = 0; i < a->includes; i++)
		if (!includes(b, &a->include[i]))
			return false;
	return true;
}

const struct schema_index *schema_find_index(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (strcmp(schema->indexes[i].name, name) == 0)
			return &schema->indexes[i];
	return NULL;
}

enum rc schema_scan(const void *document, size_t n, struct why *why)
{
	struct json json;
	json_init(&json, NULL, NULL);
	enum rc rc = json_feed(&json, document, n, why);
	return rc == RC_OK ? json_end(&json, why) : rc;
}
