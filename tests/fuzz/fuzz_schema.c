/* Parses any bytes as a definition. What is taken keeps every limit that index/ and store/ rely on; what is refused
 * says why; what is unfinished is refused by no prefix of it. */
#include "store/model/schema.h"
#include "store/model/utf8.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void is_attribute(const struct schema_attribute *attribute)
{
	must(attribute->name && attribute->name_len >= 1 && attribute->name_len <= 255);
	must(strlen(attribute->name) == attribute->name_len && utf8_valid(attribute->name, attribute->name_len));
}

static void is_key_attribute(const struct schema_attribute *attribute)
{
	is_attribute(attribute);
	must(attribute->type == KEY_S || attribute->type == KEY_N || attribute->type == KEY_B);
}

static void is_key(const struct schema_key *key)
{
	must(key->partitions == 1 && key->sorts <= 1);
	is_key_attribute(&key->partition[0]);
	if (key->sorts == 0)
		return;
	is_key_attribute(&key->sort[0]);
	must(strcmp(key->partition[0].name, key->sort[0].name) != 0);
}

static void is_index(const struct schema *schema, const struct schema_index *index)
{
	must(index->id == 0 && strlen(index->name) >= SCHEMA_NAME_MIN && strlen(index->name) <= SCHEMA_NAME_MAX);
	must(schema_find_index(schema, index->name) == index);
	must(schema_index_equal(index, index));
	is_key(&index->key);
	must((index->projection == SCHEMA_INCLUDE) == (index->includes > 0) && index->includes <= 20);
	for (size_t i = 0; i < index->includes; i++)
		is_attribute(&index->include[i]);
	if (index->local)
		must(schema_has_sort(schema) && index->key.sorts == 1 &&
		     strcmp(index->key.partition[0].name, schema->key.partition[0].name) == 0);
}

static void is_schema(const struct schema *schema)
{
	must(schema->declared);
	is_key(&schema->key);
	size_t locals = 0;
	for (size_t i = 0; i < schema->count; i++) {
		is_index(schema, &schema->indexes[i]);
		must(!schema->indexes[i].local || locals == i); /* local ones first */
		locals += schema->indexes[i].local;
	}
	must(locals <= SCHEMA_LSI_MAX && schema->count - locals <= SCHEMA_GSI_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	enum rc rc = schema_parse(data, size, &schema, &why);
	must((rc == RC_OK) == (schema != NULL));
	if (rc == RC_OK) {
		is_schema(schema);
		schema_free(schema);
		return 0;
	}
	must(rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG);
	must(why.text[0] && utf8_valid(why.text, strlen(why.text)));
	if (rc == RC_UNFINISHED && size > 0)
		must(schema_parse(data, size / 2, &schema, NULL) == RC_UNFINISHED);
	return 0;
}
