/* store_salvage: what is salvaged reads as it was last written, whatever merges have left behind. */
#include "store/store.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 300, VALUE = 1000, ROUNDS = 12 };

static char place[64], volume[80], aside[80], copy[80];
static int rounds[KEYS]; /* in which round each was last written; -1: deleted */

static void set_up(void)
{
	strcpy(place, "/tmp/itemfs-salvage-XXXXXX");
	cr_assert_not_null(mkdtemp(place));
	snprintf(volume, sizeof volume, "%s/volume", place);
	snprintf(aside, sizeof aside, "%s/aside", place);
	snprintf(copy, sizeof copy, "%s/copy", place);
	cr_assert_eq(mkdir(aside, 0700), 0);
}

static void tear_down(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", place);
	cr_assert_eq(system(command), 0);
}

TestSuite(salvage, .init = set_up, .fini = tear_down);

static struct store *open_store(const char *path, bool create)
{
	struct store_options options = {.create = create, .write_buffer = 64 << 10};
	struct store *store = NULL;
	struct why why = {.text = ""};
	enum rc rc = store_open(path, &options, &store, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	return store;
}

/* Does `each` to every file of a directory. */
static void for_files(const char *path, void (*each)(int dir, const char *name))
{
	DIR *dir = opendir(path);
	cr_assert_not_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.')
			each(dirfd(dir), e->d_name);
	closedir(dir);
}

static bool is_table(const char *name)
{
	return strstr(name, ".ldb") || strstr(name, ".sst");
}

static void keep_table(int dir, const char *name)
{
	char to[400];
	snprintf(to, sizeof to, "%s/%s", aside, name);
	if (is_table(name))
		(void)!linkat(dir, name, AT_FDCWD, to, 0); /* it may be there, or just gone */
}

static unsigned brought_back;

static void bring_back(int dir, const char *name)
{
	char to[400];
	snprintf(to, sizeof to, "%s/%s", volume, name);
	brought_back += linkat(dir, name, AT_FDCWD, to, 0) == 0;
}

static void value_of(int key, int round, char value[VALUE])
{
	unsigned seed = (unsigned)(key * ROUNDS + round + 1);
	for (size_t i = 0; i < VALUE; i++)
		value[i] = (char)(rand_r(&seed) >> 7);
}

static void write_one(struct store *store, int key, int round)
{
	char value[VALUE];
	struct store_batch *batch;
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	if ((key + round) % 5 == 0)
		store_batch_delete(batch, &key, sizeof key);
	else {
		value_of(key, round, value);
		store_batch_put(batch, &key, sizeof key, value, VALUE);
	}
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	store_batch_free(batch);
	rounds[key] = (key + round) % 5 == 0 ? -1 : round;
}

/* Overwrites keys in all orders, so that tables are merged on several levels; all tables that there ever were are kept aside. */
static void write_history(void)
{
	struct store *store = open_store(volume, true);
	unsigned seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < KEYS; i++) {
			write_one(store, round % 2 ? (int)((unsigned)rand_r(&seed) % KEYS) : i, round);
			if (i % 60 == 0)
				for_files(volume, keep_table);
		}
	}
	for_files(volume, keep_table);
	store_close(store);
}

static char *salvaged(void)
{
	char *text = NULL;
	size_t n;
	struct why why = {.text = ""};
	FILE *out = open_memstream(&text, &n);
	enum rc rc = store_salvage(volume, copy, out, &why);
	fclose(out);
	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	return text;
}

static void reads_as_last_written(void)
{
	struct store *store = open_store(copy, false);
	for (int key = 0; key < KEYS; key++) {
		cleanup_buf struct buf value = {0};
		char expected[VALUE];
		enum rc rc = store_get(store, NULL, &key, sizeof key, &value);
		if (rounds[key] < 0) {
			cr_expect_eq(rc, RC_NOT_FOUND, "key %d was deleted: %s", key, rc_name(rc));
			continue;
		}
		value_of(key, rounds[key], expected);
		cr_assert_eq(rc, RC_OK, "key %d: %s", key, rc_name(rc));
		cr_expect(value.len == VALUE && memcmp(value.data, expected, VALUE) == 0, "key %d is not what was last written", key);
	}
	store_close(store);
}

static void lose(const char *what)
{
	char name[400];
	snprintf(name, sizeof name, "%s/%s", volume, what);
	cr_assert_eq(unlink(name), 0, "%s", what);
}

Test(salvage, tables_that_are_merged_already_do_not_count_where_the_manifest_is_whole)
{
	write_history();
	for_files(aside, bring_back);
	cr_assert_gt(brought_back, 3);
	char *text = salvaged();
	cr_expect_not_null(strstr(text, "left out"), "%s", text);
	free(text);
	reads_as_last_written();
}

Test(salvage, without_a_manifest_a_key_reads_as_it_was_last_written)
{
	write_history();
	lose("CURRENT");
	free(salvaged());
	reads_as_last_written();
}

static char missing[300];

static void note_table(int dir, const char *name)
{
	(void)dir;
	if (is_table(name))
		snprintf(missing, sizeof missing, "%s", name);
}

Test(salvage, a_manifest_that_names_what_is_not_there_is_not_believed)
{
	struct stat st;
	char name[512];
	write_history();
	for_files(volume, note_table);
	lose(missing);
	brought_back = 0;
	for_files(aside, bring_back); /* all but that one, as its name was kept, too: */
	lose(missing);
	char *text = salvaged();
	cr_expect_null(strstr(text, "left out"), "%s", text);
	free(text);
	cr_expect_gt(brought_back, 3);
	snprintf(name, sizeof name, "%s/%s", copy, "CURRENT");
	cr_expect_eq(stat(name, &st), 0);
}
