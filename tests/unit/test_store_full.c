/* store: a disk that is full. Runs on a small file system in memory, mounted where nobody else sees it; skipped where
 * that is not allowed. */
#include "index/snapshot.h"
#include "store/store.h"
#include "tests/alone.h"
#include "tests/unit/fixture.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { VALUE = 20000 };

static char place[64], volume[80], ballast[80];

static bool lie_about_room;

/* Stands in for the system's. */
int fstatvfs(int fd, struct statvfs *ret_disk)
{
	struct statfs disk;

	if (fstatfs(fd, &disk) < 0)
		return -1;
	*ret_disk = (struct statvfs){
	    .f_frsize = (unsigned long)disk.f_frsize, .f_blocks = disk.f_blocks, .f_bavail = disk.f_bavail};
	if (lie_about_room)
		ret_disk->f_bavail = ret_disk->f_blocks = 1 << 30;
	return 0;
}

static void empty_volume(void)
{
	DIR *listing = opendir(volume);
	struct dirent *entry;

	while ((entry = readdir(listing)))
		unlinkat(dirfd(listing), entry->d_name, 0);
	closedir(listing);
}

static void mount_small_disk(const char *size)
{
	strcpy(place, "/tmp/itemfs-full-XXXXXX");
	cr_assert_not_null(mkdtemp(place));
	if (!alone() || mount("none", place, "tmpfs", 0, size) < 0) {
		rmdir(place);
		cr_skip_test("no mount of our own to be had");
	}
	snprintf(volume, sizeof(volume), "%s/volume", place);
	snprintf(ballast, sizeof(ballast), "%s/ballast", place);
}

static void unmount_small_disk(void)
{
	cr_assert_eq(umount2(place, MNT_DETACH), 0);
	rmdir(place);
}

static struct store *open_volume(void)
{
	struct store_options options = {.create = true, .write_buffer = 1 << 20};
	struct store *store = NULL;
	struct why why = {0};
	enum rc rc = store_open(volume, &options, &store, &why);

	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	return store;
}

static void put_ballast(off_t size)
{
	int fd = open(ballast, O_WRONLY | O_CREAT, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(posix_fallocate(fd, 0, size), 0);
	close(fd);
}

static enum rc write_item(struct store *store, int i, bool durable)
{
	struct store_batch *batch;
	char value[VALUE];
	unsigned seed = (unsigned)i + 1;
	enum rc rc;

	for (size_t at = 0; at < VALUE; at++)
		value[at] = (char)(rand_r(&seed) >> 7);
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	store_batch_put(batch, &i, sizeof(i), value, VALUE);
	rc = store_write(store, batch, durable);
	store_batch_free(batch);
	return rc;
}

static enum rc delete_item(struct store *store, int i)
{
	struct store_batch *batch;
	enum rc rc;

	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	store_batch_frees(batch);
	store_batch_delete(batch, &i, sizeof(i));
	rc = store_write(store, batch, i % 64 == 0);
	store_batch_free(batch);
	return rc;
}

static int fill(struct store *store, int from)
{
	enum rc rc = RC_OK;
	int i = from;

	while (!rc) {
		rc = write_item(store, i, i % 3 == 0);
		i += rc == RC_OK;
	}
	cr_assert_eq(rc, RC_NO_SPACE, "%s", rc_name(rc));
	return i;
}

static void check_items(struct store *store, int from, int to)
{
	for (int i = from; i < to; i++) {
		struct buf buf = {0};

		cr_assert_eq(store_get(store, NULL, &i, sizeof(i), &buf), RC_OK, "%d of %d", i, to);
		cr_assert_eq(buf.len, VALUE);
		buf_free(&buf);
	}
}

Test(store_full, refuses_writes_keeps_what_it_took_and_goes_on_when_there_is_room_again)
{
	struct store *store;
	int n;

	mount_small_disk("size=160m");
	put_ballast(100 << 20);
	store = open_volume();
	n = fill(store, 0);
	cr_assert_gt(n, 500);
	check_items(store, 0, n);
	cr_assert_eq(store_sync(store), RC_OK);
	cr_assert_eq(delete_item(store, 0), RC_OK, "or nothing could ever be freed");

	cr_assert_eq(unlink(ballast), 0);
	n = fill(store, n);
	check_items(store, 1, n);
	store_close(store);
	store = open_volume();
	check_items(store, 1, n);
	store_close(store);
	unmount_small_disk();
}

static void delete_all(struct store *store, int n)
{
	for (int gone = 0, waited = 0; gone < n; waited++) {
		enum rc rc = delete_item(store, gone);

		gone += rc == RC_OK;
		if (!rc)
			continue;
		/* While a merge of tables has all the reserve; it ends. */
		cr_assert(rc == RC_NO_SPACE && waited < 12000, "%s", rc_name(rc));
		usleep(10000);
	}
}

/* The room that it needs behind our back is not there for what only adds; so all that was there can be taken away again, and then something else be put. */
Test(store_full, of_its_own_rows_is_left_by_deleting_them)
{
	struct store *store;
	int n, m;

	mount_small_disk("size=160m");
	put_ballast(90 << 20);
	store = open_volume();
	n = fill(store, 0);
	cr_assert_gt(n, 500);
	delete_all(store, n);
	m = fill(store, n) - n;
	cr_assert_gt(m, n / 2, "%d of %d went in again", m, n);
	check_items(store, n, n + m);
	store_close(store);
	unmount_small_disk();
}

/* Until it has merged what it likes to, or as good as. */
static void let_it_merge(struct store *store)
{
	struct store_figures before = {.disk = 0}, now;

	for (int still = 0; still < 30; still++) {
		usleep(10000);
		store_figures(store, &now);
		if (memcmp(now.files, before.files, sizeof(now.files)) != 0)
			still = 0;
		before = now;
	}
}

/* The range of what was deleted is known to whoever deleted it. Who opens the store after that knows nothing of it, and the disk is as full as before. */
Test(store_full, of_its_own_rows_is_left_where_they_were_deleted_before_it_was_opened)
{
	struct store *store;
	int n, m = 0;

	mount_small_disk("size=160m");
	put_ballast(90 << 20);
	store = open_volume();
	n = fill(store, 0);
	cr_assert_gt(n, 500);
	store_close(store);
	store = open_volume();
	let_it_merge(store);
	delete_all(store, n);
	store_close(store);
	store = open_volume();
	for (int waited = 0; m < n / 2; waited++) {
		enum rc rc = write_item(store, n + m, false);

		m += rc == RC_OK;
		if (!rc)
			continue;
		cr_assert(rc == RC_NO_SPACE && waited < 12000, "%d of %d: %s", m, n, rc_name(rc));
		usleep(10000);
	}
	check_items(store, n, n + m);
	store_close(store);
	unmount_small_disk();
}

/* Tables that were merged while a cursor stood in them are kept for it, and stay when it is gone until LevelDB makes another: which it never would, where each write
 * is refused as they take the room. */
Test(store_full, of_tables_that_were_kept_for_a_cursor_is_left_when_it_is_gone)
{
	enum { ITEMS = 800, ROUNDS = 5, LEFT = 2 << 20 };
	struct store_cursor *cursor;
	struct statvfs room;
	struct store *store;

	mount_small_disk("size=64m");
	store = open_volume();
	for (int i = 0; i < ITEMS; i++)
		cr_assert_eq(write_item(store, i, false), RC_OK);
	cr_assert_eq(store_cursor_open(store, NULL, "", 0, "\xff\xff\xff\xff\xff", 5, &cursor), RC_OK);
	cr_assert_eq(store_cursor_next(cursor), RC_OK);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < ITEMS; i++)
			cr_assert_eq(write_item(store, i, false), RC_OK);
	let_it_merge(store);
	store_cursor_close(cursor);
	cr_assert_eq(statvfs(place, &room), 0);
	put_ballast((off_t)(room.f_bavail * room.f_frsize) - LEFT);
	cr_expect_eq(write_item(store, ITEMS, false), RC_OK);
	check_items(store, 0, ITEMS + 1);
	store_close(store);
	unmount_small_disk();
}

/* The store is told that there is room, so that LevelDB itself meets the end of the disk: at another place in each round,
 * in a log or in a table. Then there is room, and it goes on: by itself, or after it was opened by somebody anew. */
Test(store_full, goes_on_with_all_it_took_after_the_disk_ended_under_it)
{
	int by_itself = 0;

	mount_small_disk("size=16m");
	for (int round = 0; round < 20; round++) {
		struct store *store = open_volume();
		struct store_cursor *cursor;
		int i = 0;
		enum rc rc = RC_OK;

		put_ballast((9 << 20) + round * 77773);
		lie_about_room = true;
		while (!rc) {
			rc = write_item(store, i, i % 2);
			i++;
		}
		lie_about_room = false;
		cr_assert_eq(rc, RC_NO_SPACE, "%s", rc_name(rc));
		cr_assert_eq(write_item(store, i, true), RC_NO_SPACE, "and so it stays until there is room");
		check_items(store, 0, i - 1);
		cr_assert_eq(store_cursor_open(store, NULL, "", 0, NULL, 0, &cursor), RC_OK);
		cr_assert_eq(unlink(ballast), 0);
		if (round % 2) {
			cr_assert_eq(write_item(store, i, true), RC_NO_SPACE, "what is read by a cursor is not closed under it");
			store_cursor_close(cursor);
			by_itself += store_generation(store) == 0;
		} else {
			store_cursor_close(cursor);
			store_close(store);
			store = open_volume();
			check_items(store, 0, i - 1);
		}
		rc = write_item(store, i, true);
		cr_assert_eq(rc, RC_OK, "round %d: %s", round, rc_name(rc));
		cr_assert_eq(store_sync(store), RC_OK);
		check_items(store, 0, i - 1);
		check_items(store, i, i + 1);
		cr_assert_eq(store_generation(store), (uint64_t)(round % 2));
		store_close(store);
		store = open_volume();
		check_items(store, 0, i - 1);
		check_items(store, i, i + 1);
		store_close(store);
		empty_volume();
	}
	cr_assert_eq(by_itself, 10);
	unmount_small_disk();
}

static enum rc put_text(struct table *table, int i)
{
	char name[32], document[VALUE + 32];
	struct leaf leaf;
	unsigned seed = (unsigned)i + 1;
	int n = snprintf(document, sizeof document, "{\"t\":\"");

	snprintf(name, sizeof name, "%06d", i);
	leaf = fixture_item(table, "p", name);
	while (n < VALUE)
		document[n++] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[rand_r(&seed) >> 7 & 63];
	strcpy(document + n, "\"}");
	return fixture_try_write(&leaf, document, NULL);
}

/* A snapshot is a promise to whoever reads it, and LevelDB's do not survive its being closed. So it is kept, writing stays refused, and the words say whose it is to drop. */
Test(store_full, keeps_a_snapshot_and_names_it_as_what_writing_waits_for)
{
	struct volume_options options = {.create = true, .passive = true, .holder = "a test"};
	struct volume *of;
	struct table *table, *frozen;
	struct snapshot *snapshot;
	struct why why = {.text = ""};
	struct leaf leaf;
	enum rc rc = RC_OK;
	int n = 1;

	mount_small_disk("size=32m");
	cr_assert_eq(volume_open(volume, &options, &of, &why), RC_OK, "%s", why.text);
	table = fixture_table(of, "Music");
	fixture_put(table, "p", "first", "{}");
	cr_assert_eq(snapshot_take(of, "monday", NULL), RC_OK);
	put_ballast(26 << 20);
	for (lie_about_room = true; !rc; n++)
		rc = put_text(table, n);
	lie_about_room = false;
	cr_assert_eq(rc, RC_NO_SPACE, "%s", rc_name(rc));
	snapshot_why_full(of, &why);
	cr_expect_str_eq(why.text, "the disk is full");

	cr_assert_eq(unlink(ballast), 0);
	cr_expect_eq(put_text(table, n), RC_NO_SPACE, "there is room, and a snapshot that would be lost");
	snapshot_why_full(of, &why);
	cr_expect_not_null(strstr(why.text, "rmdir .itemfs/snapshots/monday"), "%s", why.text);
	cr_assert_eq(snapshot_find(of, "monday", &snapshot), RC_OK);
	cr_assert_eq(snapshot_table(snapshot, "Music", &frozen), RC_OK);
	leaf = fixture_item(frozen, "p", "first");
	cr_expect(fixture_reads(&leaf, "{}"));
	leaf = fixture_item(frozen, "p", "000001");
	cr_expect(!fixture_reads(&leaf, "{}"), "it came later");
	table_unref(frozen);
	snapshot_unref(snapshot);

	cr_assert_eq(snapshot_drop(of, "monday"), RC_OK);
	cr_expect_eq(put_text(table, n), RC_OK);
	fixture_sound(of);
	table_unref(table);
	volume_close(of);
	unmount_small_disk();
}

static bool fail_sync;

/* Stands in for the system's, for LevelDB as well: what is appended is on the disk, and yet the sync fails for want of room, as it does on file systems that allocate late. */
int fdatasync(int fd)
{
	if (fail_sync) {
		errno = ENOSPC;
		return -1;
	}
	return fsync(fd);
}

Test(store_full, leaves_nothing_of_a_batch_whose_sync_failed)
{
	struct store *store;
	struct buf buf = {0};
	int key = 7;

	mount_small_disk("size=64m");
	store = open_volume();
	cr_assert_eq(write_item(store, 1, true), RC_OK);
	fail_sync = true;
	cr_assert_eq(write_item(store, key, true), RC_NO_SPACE);
	cr_expect_eq(store_get(store, NULL, &key, sizeof(key), &buf), RC_NOT_FOUND);
	fail_sync = false;
	cr_assert_eq(write_item(store, 2, true), RC_OK, "it goes on by itself");
	cr_expect_eq(store_generation(store), 1);
	cr_expect_eq(store_get(store, NULL, &key, sizeof(key), &buf), RC_NOT_FOUND);
	store_close(store);
	store = open_volume();
	cr_expect_eq(store_get(store, NULL, &key, sizeof(key), &buf), RC_NOT_FOUND);
	check_items(store, 1, 3);
	store_close(store);
	unmount_small_disk();
}
