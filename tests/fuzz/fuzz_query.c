/* The input is a directory, a byte, and names that are walked from there, a line each: the grammar of queries, on a volume with a few items of every
 * kind of key.
 *
 * What it asserts of each step: that it is taken, refused with words, or not there. And of each view on the way: that it can be listed, forth
 * and back; that what it lists is there by its name; and that of all items, those that are there by their names are the ones that it lists.
 */
#include "fs/place.h"
#include "fs/query_path.h"
#include "index/definition.h"
#include "index/leaf.h"
#include "index/listing.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SUBJECTS = 5, NAMES = 64, STEPS_MAX = 24 };

static struct world {
	char path[64];
	struct volume *volume;
	struct frontend *front;
	struct node *subject[SUBJECTS]; /* a table, two partitions, an index, an index key */
} world;

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

static const struct meta file = {0644, 1000, 1000, 0, 0, 0}, directory = {0755, 1000, 1000, 0, 0, 0};

static void define(struct table *table)
{
	static const char schema[] =
	    "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":"
	    "\"RANGE\"}],"
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\","
	    "\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"g\",\"AttributeType\":\"B\"},{\"AttributeName\":\"n\",\"AttributeType\":\"N\"}],"
	    "\"GlobalSecondaryIndexes\":"
	    "[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"},{\"AttributeName\":"
	    "\"n\",\"KeyType\":\"RANGE\"}],"
	    "\"Projection\":{\"ProjectionType\":\"ALL\"}}],\"BillingMode\":\"PAY_PER_REQUEST\"}";
	struct definition_write write = {.document = schema, .len = strlen(schema), .fresh = &file};
	struct head head;
	assert_that(definition_set(table, &write, &head, NULL) == RC_OK);
}

static void put(struct table *table, const char *pk, const char *sk, const char *document)
{
	struct leaf leaf = {.kind = LEAF_ITEM, .table = table, .in_partition = true, .has_sk = true};
	struct leaf_write write = {.document = document, .len = strlen(document), .fresh = &file};
	assert_that(key_from_text(pk, strlen(pk), KEY_S, KEY_PARTITION, &leaf.pk, NULL) == RC_OK);
	assert_that(key_from_text(sk, strlen(sk), KEY_S, KEY_SORT, &leaf.sk, NULL) == RC_OK);
	assert_that(leaf_write(&leaf, &write, NULL, NULL) == RC_OK);
}

static void fill(struct table *table)
{
	static const char *const sort[] = {"a", "aa", "b", "%", ".x", "/", "\xc3\xa9", "2024-01-01", "2024-01-02"};
	char document[128];
	for (size_t i = 0; i < sizeof sort / sizeof *sort; i++) {
		snprintf(document, sizeof document,
			 "{\"g\":{\"$B\":\"%s\"},\"n\":%zu,\"v\":\"%zu\",\"m\":{\"x\":[%zu]}}",
			 i % 2 ? "AA==" : "AQ==", i / 3, i, i);
		put(table, "one", sort[i], i % 4 == 3 ? "" : document);
		if (i % 3 == 0)
			put(table, "two", sort[i], document);
	}
}

static int forget(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void end(void)
{
	frontend_free(world.front);
	volume_close(world.volume);
	nftw(world.path, forget, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	struct volume_options options = {.create = true, .holder = "fuzz_query"};
	struct frontend_options front = {.source = "fuzz"};
	struct table *table = NULL;
	strcpy(world.path, "/tmp/itemfs-fuzz-XXXXXX");
	assert_that(mkdtemp(world.path) && volume_open(world.path, &options, &world.volume, NULL) == RC_OK);
	assert_that(table_create(world.volume, "Table", &directory, NULL) == RC_OK &&
		    table_find(world.volume, "Table", &table) == RC_OK);
	define(table);
	fill(table);
	assert_that(frontend_new(world.volume, &front, &world.front) == RC_OK);
	struct tree *tree = &world.front->tree;
	world.subject[0] = node_get(tree, tree->root, "Table", NODE_TABLE, table);
	world.subject[1] = node_get(tree, world.subject[0], "one", NODE_PARTITION, NULL);
	world.subject[2] = node_get(tree, world.subject[0], "two", NODE_PARTITION, NULL);
	world.subject[3] =
	    node_get(tree, node_get(tree, world.subject[0], ".index", NODE_INDEXES, NULL), "gsi", NODE_INDEX, NULL);
	world.subject[4] = node_get(tree, world.subject[3], "00", NODE_INDEX_KEY, NULL);
	table_unref(table);
	atexit(end);
}

/* ---- views ---- */

struct names {
	char name[NAMES][256];
	size_t count;
};

static bool among(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

static void name_of(const struct listing_place *where, const struct listing_entry *entry, char out[256])
{
	if (where->kind == LISTING_ITEMS)
		assert_that(place_item_name(&entry->key, true, out));
	else if (where->kind == LISTING_ENTRIES)
		assert_that(place_entry_name(entry->keys, entry->key_count, out));
	else
		assert_that(place_key_name(&entry->key, where->kind == LISTING_INDEX_KEYS, out));
}

static void list(const struct listing_place *where, struct names *ret_names)
{
	struct listing *listing;
	const struct listing_entry *entry;
	size_t back = 0, again = 0;
	enum rc rc;
	ret_names->count = 0;
	assert_that(listing_open(world.volume, NULL, where, &listing) == RC_OK);
	while ((rc = listing_next(listing, &entry)) == RC_OK) {
		assert_that(ret_names->count < NAMES);
		name_of(where, entry, ret_names->name[ret_names->count]);
		assert_that(!among(ret_names, ret_names->name[ret_names->count]));
		ret_names->count++;
	}
	assert_that(rc == RC_NOT_FOUND);
	while ((rc = listing_prev(listing)) == RC_OK)
		back++;
	assert_that(rc == RC_NOT_FOUND && back == (ret_names->count ? ret_names->count - 1 : 0));
	while (listing_next(listing, &entry) == RC_OK)
		again++;
	assert_that(again == ret_names->count);
	listing_close(listing);
}

static bool is_there(struct node *view, const char *name)
{
	struct place place;
	struct query *query;
	enum rc rc = query_path_lookup(world.front, view, name, &place, &query, NULL);
	if (rc) {
		assert_that(rc == RC_NOT_FOUND);
		return false;
	}
	assert_that(place.listed && (place.kind == NODE_RESULT || place.kind == NODE_VIEW));
	rc = query_path_has(world.front, view, &place, query);
	assert_that(rc == RC_OK || rc == RC_NOT_FOUND);
	query_free(query);
	return rc == RC_OK;
}

/* Everything that the view could list is there by its name iff it lists it. */
static void check_view(struct node *view)
{
	static struct names listed, all;
	struct place place;
	struct query *query;
	struct listing_place where;
	assert_that(query_path_listing(world.front, view, &place, &query, &where) == RC_OK);
	list(&where, &listed);
	where.query = NULL;
	list(&where, &all);
	query_free(query);
	for (size_t i = 0; i < listed.count; i++)
		assert_that(among(&all, listed.name[i]));
	for (size_t i = 0; i < all.count; i++)
		assert_that(is_there(view, all.name[i]) == among(&listed, all.name[i]));
}

/* ---- names ---- */

/* A name from the front of *at, as the kernel would give it. False: there are no more. */
static bool next_name(const uint8_t **at, const uint8_t *end, char out[256])
{
	size_t n = 0;
	while (*at < end && **at != '\n' && n < 255 && **at && **at != '/')
		out[n++] = (char)*(*at)++;
	out[n] = 0;
	if (*at < end)
		(*at)++;
	return n && strcmp(out, ".") != 0 && strcmp(out, "..") != 0;
}

/* A step down. NULL: it is not taken. */
static struct node *walk(struct node *parent, const char *name)
{
	struct place place;
	struct query *query;
	struct why why = {.text = ""};
	if (!query_path_is(parent, name))
		return NULL;
	enum rc rc = query_path_lookup(world.front, parent, name, &place, &query, &why);
	assert_that(rc == RC_OK || rc == RC_NOT_FOUND ||
		    ((rc == RC_INVALID || rc == RC_NOT_UTF8 || rc == RC_NAME_TOO_LONG) && why.text[0]));
	if (rc)
		return NULL;
	bool there = !place.listed || query_path_has(world.front, parent, &place, query) == RC_OK;
	query_free(query);
	return there ? node_get(&world.front->tree, parent, name, place.kind, NULL) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct node *walked[STEPS_MAX];
	size_t steps = 0;
	char name[256];
	const uint8_t *at = bytes + 1;
	if (!world.volume)
		begin();
	if (!n)
		return 0;
	names_read(world.front);
	struct node *node = world.subject[bytes[0] % SUBJECTS];
	while (steps < STEPS_MAX && next_name(&at, bytes + n, name) && (node = walk(node, name))) {
		walked[steps++] = node;
		if (node->kind == NODE_VIEW)
			check_view(node);
	}
	names_done(world.front);
	while (steps)
		node_forget(&world.front->tree, walked[--steps], 1);
	return 0;
}
