/* orphans: what the manifest does not count goes, and nothing else; a manifest that is not whole counts for nothing. */
#include "store/orphans.h"
#include "store/store.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ITEMS = 400, VALUE = 4000 };

static char place[64];
static int dir;

static struct store *open_store(void)
{
	struct store_options options = {.create = true, .write_buffer = 64 << 10};
	struct store *store = NULL;
	cr_assert_eq(store_open(place, &options, &store, NULL), RC_OK);
	return store;
}

static void set_up(void)
{
	static char value[VALUE];
	struct store_batch *batch;
	strcpy(place, "/tmp/itemfs-orphans-XXXXXX");
	cr_assert_not_null(mkdtemp(place));
	struct store *store = open_store();
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	for (int i = 0; i < ITEMS; i++) {
		unsigned seed = (unsigned)i + 1;
		for (size_t k = 0; k < VALUE; k++)
			value[k] = (char)(rand_r(&seed) >> 7);
		store_batch_clear(batch);
		store_batch_put(batch, &i, sizeof i, value, VALUE);
		cr_assert_eq(store_write(store, batch, false), RC_OK);
	}
	store_batch_free(batch);
	store_close(store);
	dir = open(place, O_RDONLY | O_DIRECTORY);
	cr_assert(dir >= 0);
}

static void tear_down(void)
{
	char command[128];
	close(dir);
	snprintf(command, sizeof command, "rm -rf '%s'", place);
	cr_assert_eq(system(command), 0);
}

TestSuite(orphans, .init = set_up, .fini = tear_down);

static size_t tables(void)
{
	char pattern[128];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/*.ldb", place);
	size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	if (n)
		globfree(&found);
	return n;
}

static void plant(const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT, 0600);
	cr_assert(fd >= 0 && write(fd, "begun", 5) == 5);
	close(fd);
}

static void expect_all(void)
{
	struct store *store = open_store();
	for (int i = 0; i < ITEMS; i++) {
		struct buf buf = {0};
		cr_assert_eq(store_get(store, NULL, &i, sizeof i, &buf), RC_OK, "%d", i);
		cr_expect_eq(buf.len, VALUE);
		buf_free(&buf);
	}
	store_close(store);
}

Test(orphans, are_what_the_manifest_does_not_count_and_no_more)
{
	uint64_t bytes;
	expect_all(); /* opened once more, so that nothing is left of before */
	size_t n = tables();
	cr_assert_gt(n, 3);
	cr_assert_eq(orphans_bytes(dir, &bytes), RC_OK);
	cr_expect_eq(bytes, 0);
	plant("999998.ldb");
	plant("999999.sst");
	plant("notes.ldb");
	cr_assert_eq(orphans_bytes(dir, &bytes), RC_OK);
	cr_expect_gt(bytes, 0);
	cr_assert_eq(orphans_remove(dir), RC_OK);
	cr_expect_eq(tables(), n + 1, "what has no number is not LevelDB's");
	cr_expect_neq(faccessat(dir, "999999.sst", F_OK, 0), 0);
	expect_all();
}

Test(orphans, of_a_manifest_that_is_not_whole_are_none)
{
	char pattern[128];
	glob_t found;
	struct stat st;
	size_t n = tables();
	snprintf(pattern, sizeof pattern, "%s/MANIFEST-*", place);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	const char *manifest = found.gl_pathv[found.gl_pathc - 1];
	cr_assert_eq(stat(manifest, &st), 0);
	cr_assert_eq(truncate(manifest, st.st_size - 1), 0);
	cr_expect_eq(orphans_remove(dir), RC_CORRUPT);
	cr_assert_eq(truncate(manifest, 3), 0);
	cr_expect_eq(orphans_remove(dir), RC_CORRUPT);
	cr_assert_eq(truncate(manifest, 0), 0);
	cr_expect_eq(orphans_remove(dir), RC_CORRUPT);
	cr_expect_eq(tables(), n);
	globfree(&found);
}
