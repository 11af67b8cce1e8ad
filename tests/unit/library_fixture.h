/* library_fixture: a volume that is to be damaged: a table with an index, items in two partitions (one with a body row of its own), plain files of
 * both kinds. It is passive, so that nothing but the test touches its rows. */
#ifndef ITEMFS_TESTS_LIBRARY_FIXTURE_H
#define ITEMFS_TESTS_LIBRARY_FIXTURE_H

#include "tests/unit/fixture.h"

static char *path;
static struct volume *volume;
static struct table *table;
static const char *large;

enum { LARGE = 3000 };

/* A document of LARGE bytes with their NUL, and a plain file's bytes. */
static inline const char *large_document(void)
{
	static char bytes[LARGE];
	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, "{\"year\":1977,\"t\":\"", 18);
	memcpy(bytes + sizeof bytes - 3, "\"}", 3);
	return bytes;
}

static inline void set_up(void)
{
	path = fixture_place();
	volume = fixture_open_passive(path);
	large = large_document();
	table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	fixture_put(table, "Queen", "Innuendo", "{\"year\":1991}");
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975,\"n\":1}");
	fixture_put(table, "ABBA", "Eagle", large);
	struct leaf file = fixture_file(table, "Queen", "README");
	fixture_write(&file, "plain");
	file = fixture_file(table, NULL, "notes");
	fixture_write(&file, large);
	fixture_sound(volume);
}

static inline void shut(void)
{
	table_unref(table);
	volume_close(volume);
	table = NULL;
	volume = NULL;
}

static inline void tear_down(void)
{
	shut();
	fixture_remove(path);
}

/* Writes a row past everything that would keep it true; `value` NULL deletes it. */
static inline void store_put(const struct buf *key, const void *value, size_t n)
{
	struct store_batch *batch;
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	if (value)
		store_batch_put(batch, key->data, key->len, value, n);
	else
		store_batch_delete(batch, key->data, key->len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
}

static inline void item_row(const char *pk, const char *sk, bool body, struct buf *row)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	row_item(row, table->id, &leaf.pk, &leaf.sk, body);
}

#endif
