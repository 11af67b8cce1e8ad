/* music_fixture: a volume with one table, Music, for each test of a suite, which the check proves sound after it. */
#ifndef ITEMFS_TESTS_MUSIC_FIXTURE_H
#define ITEMFS_TESTS_MUSIC_FIXTURE_H

#include "tests/unit/fixture.h"

static char *path;
static struct volume *volume;
static struct table *table;

static inline void set_up(void)
{
	path = fixture_place();
	volume = fixture_open(path);
	table = fixture_table(volume, "Music");
}

/* And declared, with its index by-year. */
static inline void set_up_declared(void)
{
	set_up();
	fixture_define(table, FIXTURE_MUSIC);
}

static inline void tear_down(void)
{
	fixture_sound(volume);
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}

static inline void remount(void)
{
	table_unref(table);
	volume_close(volume);
	volume = fixture_open(path);
	table = fixture_find(volume, "Music");
}

static inline void lists(enum listing_kind kind, const struct key *pk, const char *expected)
{
	struct listing_place place = {.kind = kind, .table = kind == LISTING_TABLES ? NULL : table, .pk = pk};
	fixture_lists(volume, &place, expected);
}

static inline void lists_index(const char *key, const char *expected)
{
	struct key k = fixture_key(KEY_N, KEY_PARTITION, key);
	struct listing_place place = {.kind = LISTING_ENTRIES, .table = table, .pk = &k, .index = "by-year"};
	fixture_lists(volume, &place, expected);
}

static inline struct table_counters stat_of(struct table *t)
{
	struct table_counters counters;
	cr_assert_eq(table_stat(t, NULL, &counters), RC_OK);
	return counters;
}

static inline struct key text_key(const char *text)
{
	return fixture_key(KEY_S, KEY_PARTITION, text);
}

#endif
