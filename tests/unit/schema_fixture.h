/* schema_fixture: definitions in short words, and whether they are taken. */
#ifndef ITEMFS_TESTS_SCHEMA_FIXTURE_H
#define ITEMFS_TESTS_SCHEMA_FIXTURE_H

#include "store/model/buf.h"
#include "store/model/schema.h"
#include <criterion/criterion.h>
#include <string.h>

/* Documents here are written with ' for ", since they are all quotes otherwise. */
static inline void add_quoted(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_byte(out, (uint8_t)(*text == '\'' ? '"' : *text));
}

static inline enum rc parse(const char *text, struct schema **ret_schema, struct why *why)
{
	cleanup_buf struct buf document = {0};
	add_quoted(&document, text);
	return schema_parse(document.data, document.len, ret_schema, why);
}

static inline struct schema *taken(const char *text)
{
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	enum rc rc = parse(text, &schema, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s\n%s", rc_name(rc), why.text, text);
	cr_assert(schema->declared);
	return schema;
}

static inline void fine(const char *text)
{
	schema_free(taken(text));
}

static inline void refused(const char *text, const char *words)
{
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	enum rc rc = parse(text, &schema, &why);
	cr_assert_eq(rc, RC_REFUSED, "%s: %s", rc_name(rc), text);
	cr_assert(strstr(why.text, words), "\"%s\" does not say \"%s\"", why.text, words);
	cr_assert_null(schema);
	cr_assert_eq(parse(text, &schema, NULL), RC_REFUSED);
}

#define DEFINE(name, type)             "{'AttributeName':'" name "','AttributeType':'" type "'}"
#define HASH(name)                     "{'AttributeName':'" name "','KeyType':'HASH'}"
#define RANGE(name)                    "{'AttributeName':'" name "','KeyType':'RANGE'}"
#define TABLE(definitions, keys, rest) "{'AttributeDefinitions':[" definitions "],'KeySchema':[" keys "]" rest "}"
/* A table with pk and sk, and with room for more fields. */
#define PLAIN(rest) TABLE(DEFINE("pk", "S") "," DEFINE("sk", "N"), HASH("pk") "," RANGE("sk"), rest)
/* The same with an attribute x for indexes. */
#define INDEXED(rest)                                                                                                  \
	TABLE(DEFINE("pk", "S") "," DEFINE("sk", "N") "," DEFINE("x", "B"), HASH("pk") "," RANGE("sk"), rest)
#define INDEX(name, keys, projection) "{'IndexName':'" name "','KeySchema':[" keys "],'Projection':" projection "}"
#define ALL                           "{'ProjectionType':'ALL'}"
#define GSI(indexes)                  ",'GlobalSecondaryIndexes':[" indexes "]"
#define LSI(indexes)                  ",'LocalSecondaryIndexes':[" indexes "]"

#endif
