/* fixture: a volume of its own for a test, in a new directory, and short words for what tests do with one. Everything in it ends the test where it fails. */
#ifndef ITEMFS_TESTS_FIXTURE_H
#define ITEMFS_TESTS_FIXTURE_H

#include "index/check.h"
#include "index/definition.h"
#include "index/leaf.h"
#include "index/listing.h"
#include "index/partition.h"
#include "index/private.h"
#include "index/table.h"
#include "index/volume.h"
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct meta fixture_meta = {0644, 1000, 1000, 1000000000, 2000000000, 0};
static const struct meta fixture_directory = {0755, 1000, 1000, 0, 0, 0};

static inline char *fixture_place(void)
{
	char *path = strdup("/tmp/itemfs-index-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return path;
}

static inline int fixture_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline void fixture_remove(char *path)
{
	nftw(path, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

static inline struct volume *fixture_open_as(const char *path, bool passive)
{
	struct volume_options options = {.create = true, .passive = passive, .holder = "a test"};
	struct volume *volume = NULL;
	struct why why = {.text = ""};
	enum rc rc = volume_open(path, &options, &volume, &why);
	cr_assert_eq(rc, RC_OK, "volume_open: %s: %s", rc_name(rc), why.text);
	return volume;
}

static inline struct volume *fixture_open(const char *path)
{
	return fixture_open_as(path, false);
}

/* Nothing works in the background: batches are the test's. */
static inline struct volume *fixture_open_passive(const char *path)
{
	return fixture_open_as(path, true);
}

static inline struct table *fixture_find(struct volume *volume, const char *name)
{
	struct table *table = NULL;
	enum rc rc = table_find(volume, name, &table);
	cr_assert_eq(rc, RC_OK, "table_find: %s: %s", name, rc_name(rc));
	return table;
}

static inline struct table *fixture_table(struct volume *volume, const char *name)
{
	enum rc rc = table_create(volume, name, &fixture_directory, NULL);
	cr_assert_eq(rc, RC_OK, "table_create: %s: %s", name, rc_name(rc));
	return fixture_find(volume, name);
}

static inline enum rc fixture_try_define(struct table *table, const char *document, struct why *why)
{
	struct definition_write write = {.document = document, .len = strlen(document), .fresh = &fixture_meta};
	struct head head;
	return definition_set(table, &write, &head, why);
}

static inline void fixture_define(struct table *table, const char *document)
{
	struct why why = {.text = ""};
	enum rc rc = fixture_try_define(table, document, &why);
	cr_assert_eq(rc, RC_OK, "definition_set: %s: %s", rc_name(rc), why.text);
}

static inline struct key fixture_key(enum key_type type, enum key_role role, const char *text)
{
	struct key key;
	struct why why = {.text = ""};
	enum rc rc = key_from_text(text, strlen(text), type, role, &key, &why);
	cr_assert_eq(rc, RC_OK, "key %s: %s: %s", text, rc_name(rc), why.text);
	return key;
}

/* The address of an item, its keys in the types that the table has now. */
static inline struct leaf fixture_item(struct table *table, const char *pk, const char *sk)
{
	const struct schema *schema;
	struct leaf leaf = {.kind = LEAF_ITEM, .table = table, .in_partition = true};
	cr_assert_eq(table_schema(table, &schema), RC_OK);
	leaf.pk = fixture_key(schema->key.partition[0].type, KEY_PARTITION, pk);
	leaf.has_sk = schema_has_sort(schema);
	if (leaf.has_sk)
		leaf.sk = fixture_key(schema->key.sort[0].type, KEY_SORT, sk ? sk : "");
	table_schema_done(table);
	return leaf;
}

/* The address of a plain file; pk NULL: in the table's own directory. */
static inline struct leaf fixture_file(struct table *table, const char *pk, const char *name)
{
	const struct schema *schema;
	struct leaf leaf = {.kind = LEAF_FILE, .table = table, .in_partition = pk};
	cr_assert_eq(table_schema(table, &schema), RC_OK);
	if (pk)
		leaf.pk = fixture_key(schema->key.partition[0].type, KEY_PARTITION, pk);
	table_schema_done(table);
	snprintf(leaf.name, sizeof leaf.name, "%s", name);
	return leaf;
}

static inline enum rc fixture_try_write(const struct leaf *leaf, const char *document, struct why *why)
{
	struct leaf_write write = {.document = document, .len = strlen(document), .fresh = &fixture_meta};
	return leaf_write(leaf, &write, NULL, why);
}

static inline void fixture_write(const struct leaf *leaf, const char *document)
{
	struct why why = {.text = ""};
	enum rc rc = fixture_try_write(leaf, document, &why);
	cr_assert_eq(rc, RC_OK, "leaf_write: %s: %s", rc_name(rc), why.text);
}

static inline void fixture_put(struct table *table, const char *pk, const char *sk, const char *document)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	fixture_write(&leaf, document);
}

static inline bool fixture_reads(const struct leaf *leaf, const char *expected)
{
	cleanup_buf struct buf document = {0};
	struct head head;
	if (leaf_get(leaf, NULL, &head, &document))
		return false;
	return head.size == strlen(expected) && document.len == head.size &&
	       (!document.len || memcmp(document.data, expected, document.len) == 0);
}

/* What the check says, to be freed. */
static inline char *fixture_check(struct volume *volume, unsigned long *ret_problems)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	enum rc rc = check_volume(volume, out, false, ret_problems);
	fclose(out);
	cr_assert_eq(rc, RC_OK, "check_volume: %s", rc_name(rc));
	return text;
}

static inline void fixture_sound(struct volume *volume)
{
	unsigned long problems;
	char *text = fixture_check(volume, &problems);
	cr_assert_eq(problems, 0, "%lu problems:\n%s", problems, text);
	cr_assert_str_eq(text, "");
	free(text);
}

/* The names or keys of a listing, each followed by a space; to be freed. Backwards: from the end to the start. */
static inline char *fixture_list(struct volume *volume, const struct view *view, const struct listing_place *place)
{
	struct listing *listing;
	const struct listing_entry *entry;
	cleanup_buf struct buf out = {0};
	enum rc rc = listing_open(volume, view, place, &listing);
	cr_assert_eq(rc, RC_OK, "listing_open: %s", rc_name(rc));
	while ((rc = listing_next(listing, &entry)) == RC_OK) {
		if (place->kind == LISTING_TABLES || place->kind == LISTING_FILES) {
			buf_add_text(&out, entry->name);
		} else if (place->kind == LISTING_ENTRIES) {
			for (size_t i = 1; i < entry->key_count; i++) {
				buf_add_text(&out, i > 1 ? "," : "");
				key_text(&entry->keys[i], &out);
			}
		} else if (entry->key.len) {
			key_text(&entry->key, &out);
		}
		buf_add_byte(&out, ' ');
	}
	cr_assert_eq(rc, RC_NOT_FOUND, "listing_next: %s", rc_name(rc));
	listing_close(listing);
	return out.len ? strndup((char *)out.data, out.len) : strdup("");
}

static inline void fixture_lists(struct volume *volume, const struct listing_place *place, const char *expected)
{
	char *list = fixture_list(volume, NULL, place);
	cr_expect_str_eq(list, expected);
	free(list);
}

#define FIXTURE_MUSIC                                                                                                  \
	"{\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"                                         \
	"{\"AttributeName\":\"Song\",\"KeyType\":\"RANGE\"}],"                                                         \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},"                            \
	"{\"AttributeName\":\"Song\",\"AttributeType\":\"S\"},{\"AttributeName\":\"year\",\"AttributeType\":\"N\"}],"  \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-year\",\"KeySchema\":[{\"AttributeName\":\"year\","           \
	"\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}],\"BillingMode\":\"PAY_PER_REQUEST\"}"

#endif
