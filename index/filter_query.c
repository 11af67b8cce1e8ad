/* filter_query: a filter as a query's test: it looks at the document of what the listing stands on. In a table the key belongs to it, though the
 * document may leave it out; an index entry's document holds all keys. */
#include "index/filter.h"
#include "index/listing.h"
#include <stdlib.h>
#include <string.h>

struct filter_test {
	struct query_test test; /* the first member: what the query knows of it */
	struct filter *filter;
	size_t keys;                          /* of the items of a table: its key attributes; of entries: none */
	struct schema_attribute attribute[2]; /* the partition's, the sort key's; their names are the test's own */
};

static void test_free(struct query_test *test)
{
	struct filter_test *it = (struct filter_test *)test;
	filter_free(it->filter);
	for (size_t i = 0; i < it->keys; i++)
		free(it->attribute[i].name);
	free(it);
}

static enum rc test_passes(const struct query_test *test, struct listing *listing, const struct listing_entry *entry,
			   bool *ret_passes)
{
	const struct filter_test *it = (const struct filter_test *)test;
	const struct filter_key keys[] = {{&it->attribute[0], &entry->pk}, {&it->attribute[1], &entry->key}};
	const struct item *item;
	enum rc rc = listing_item(listing, &item);
	if (!rc)
		*ret_passes = filter_matches(it->filter, item, keys, it->keys);
	return rc;
}

static bool copy_key(struct filter_test *it, const struct schema_attribute *attribute)
{
	struct schema_attribute *copy = &it->attribute[it->keys];
	*copy = *attribute;
	copy->name = strdup(attribute->name);
	it->keys += copy->name != NULL;
	return copy->name;
}

/* Under the table's definition. */
static enum rc prepare(struct filter_test *it, const struct schema *schema, const char *index_name, bool query,
		       struct why *why)
{
	const struct schema_index *index = index_name ? schema_find_index(schema, index_name) : NULL;
	if (index_name && !index)
		return RC_NOT_FOUND;
	enum rc rc = filter_check(it->filter, schema, index, query, why);
	if (rc || index)
		return rc;
	if (!copy_key(it, &schema->key.partition[0]) ||
	    (schema_has_sort(schema) && !copy_key(it, &schema->key.sort[0])))
		return why_set(why, RC_NO_MEMORY, "out of memory");
	return RC_OK;
}

enum rc filter_add(struct filter *filter, struct table *table, const char *index, bool query, struct query *to,
		   struct why *why)
{
	const struct schema *schema;
	struct filter_test *it = calloc(1, sizeof *it);
	if (!it) {
		filter_free(filter);
		return why_set(why, RC_NO_MEMORY, "out of memory");
	}
	*it = (struct filter_test){.test = {test_passes, test_free}, .filter = filter};
	enum rc rc = table_schema(table, &schema);
	if (!rc) {
		rc = prepare(it, schema, index, query, why);
		table_schema_done(table);
	}
	if (!rc)
		return query_where(to, &it->test);
	test_free(&it->test);
	return rc;
}
