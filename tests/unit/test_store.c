/* store: the contract of store.h, as leveldb*.c keep it. Cursors are in test_store_cursor.c; what survives a loss of power is in test_store_power.c. */
#include "tests/unit/store_fixture.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- get, put, delete ---- */

Test(store, gives_back_what_was_put_and_forgets_what_was_deleted)
{
	char *place = place_new();
	struct store *store = open_store(place);

	assert_value(store, NULL, "a", NULL);
	put(store, "a", "one");
	put(store, "b", "");
	assert_value(store, NULL, "a", "one");
	assert_value(store, NULL, "b", "");
	put(store, "a", "two");
	assert_value(store, NULL, "a", "two");
	delete (store, "a");
	delete (store, "never there");
	assert_value(store, NULL, "a", NULL);
	assert_value(store, NULL, "b", "");
	store_close(store);
	place_remove(place);
}

Test(store, appends_to_the_callers_buf_and_takes_any_bytes_as_keys)
{
	static const uint8_t key[] = {0, 0xff, 0, '\n'};
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_batch *batch = new_batch(store);
	struct buf buf = {0};

	store_batch_put(batch, key, sizeof(key), key, sizeof(key));
	cr_assert_eq(store_write(store, batch, true), RC_OK);
	buf_add_text(&buf, "before:");
	cr_assert_eq(store_get(store, NULL, key, sizeof(key), &buf), RC_OK);
	cr_assert_eq(buf.len, 7 + sizeof(key));
	cr_assert_eq(memcmp(buf.data, "before:", 7), 0);
	cr_assert_eq(memcmp(buf.data + 7, key, sizeof(key)), 0);
	cr_assert_eq(store_get(store, NULL, key, 1, &buf), RC_NOT_FOUND);
	cr_assert_eq(buf.len, 7 + sizeof(key), "a key that is not there leaves the buf as it was");
	cr_assert_eq(store_get(store, NULL, "", 0, &buf), RC_NO_MEMORY, "a key for which there was no memory is not taken for one that is not there");
	buf_free(&buf);
	store_batch_free(batch);
	store_close(store);
	place_remove(place);
}

Test(store, makes_the_changes_of_a_batch_in_their_order)
{
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_batch *batch = new_batch(store);

	put(store, "old", "1");
	store_batch_put(batch, "a", 1, "first", 5);
	store_batch_delete(batch, "a", 1);
	store_batch_put(batch, "b", 1, "first", 5);
	store_batch_put(batch, "b", 1, "second", 6);
	store_batch_delete(batch, "old", 3);
	store_batch_put(batch, "old", 3, "again", 5);
	assert_value(store, NULL, "b", NULL);
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	assert_value(store, NULL, "a", NULL);
	assert_value(store, NULL, "b", "second");
	assert_value(store, NULL, "old", "again");

	/* The batch is still the caller's: it can be written once more, or cleared and filled anew. */
	delete (store, "b");
	cr_assert_eq(store_write(store, batch, true), RC_OK);
	assert_value(store, NULL, "b", "second");
	store_batch_clear(batch);
	store_batch_put(batch, "c", 1, "3", 1);
	delete (store, "b");
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	assert_value(store, NULL, "b", NULL);
	assert_value(store, NULL, "c", "3");
	store_batch_clear(batch);
	cr_assert_eq(store_write(store, batch, false), RC_OK, "an empty batch changes nothing");
	cr_assert_eq(store_write(store, batch, true), RC_OK);
	store_batch_free(batch);
	store_close(store);
	place_remove(place);
}

/* ---- views ---- */

Test(store, a_snapshot_and_a_cursor_do_not_see_what_happens_later)
{
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_snapshot *snapshot = NULL;
	struct store_cursor *live, *frozen;

	put(store, "a", "1");
	put(store, "b", "2");
	cr_assert_eq(store_snapshot_take(store, &snapshot), RC_OK);
	live = open_cursor(store, NULL, "", NULL);
	put(store, "a", "changed");
	delete (store, "b");
	put(store, "c", "3");
	assert_value(store, snapshot, "a", "1");
	assert_value(store, snapshot, "b", "2");
	assert_value(store, snapshot, "c", NULL);
	assert_value(store, NULL, "a", "changed");
	assert_value(store, NULL, "b", NULL);

	frozen = open_cursor(store, snapshot, "", NULL);
	assert_next(frozen, "a");
	assert_next(frozen, "b");
	assert_next(frozen, NULL);
	assert_next(live, "a");
	assert_next(live, "b");
	assert_next(live, NULL);
	store_cursor_close(frozen);
	store_cursor_close(live);
	store_snapshot_release(store, snapshot);
	store_snapshot_release(store, NULL);
	store_cursor_close(NULL);
	store_batch_free(NULL);
	store_close(store);
	store_close(NULL);
	place_remove(place);
}

/* ---- opening ---- */

Test(store, keeps_everything_across_a_close_and_an_open)
{
	char *place = place_new();
	char key[32], value[32];

	for (int round = 0; round < 4; round++) {
		struct store *store = open_sized(place, 64 << 10);

		for (int i = 0; i < round * 1000; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			snprintf(value, sizeof(value), "v%d", i);
			assert_value(store, NULL, key, value);
		}
		for (int i = round * 1000; i < (round + 1) * 1000; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			snprintf(value, sizeof(value), "v%d", i);
			put(store, key, value);
		}
		store_close(store);
	}
	place_remove(place);
}

static enum rc try_open(const char *path, bool create, struct why *why)
{
	struct store_options options = {.create = create};
	struct store *untouched = (struct store *)(void *)&options;
	struct store *store = untouched;
	enum rc rc = store_open(path, &options, &store, why);

	if (rc == RC_OK)
		store_close(store);
	else
		cr_assert_eq(store, untouched, "a failed open leaves *ret_store alone");
	return rc;
}

Test(store, is_open_once_in_this_process_and_in_all_others)
{
	char *place = place_new();
	struct store *store;
	struct why why = {0};
	pid_t child;
	int status, told[2];
	char byte;

	/* The other process opens after the fork, as a store must; it holds on until it is told. */
	cr_assert_eq(pipe(told), 0);
	int ready[2];
	cr_assert_eq(pipe(ready), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		struct store_options options = {.create = true};
		enum rc rc = store_open(place, &options, &store, NULL);

		close(told[1]);
		if (write(ready[1], "", 1) != 1 || read(told[0], &byte, 1) < 0)
			_exit(9);
		_exit(rc == RC_OK ? 0 : 1);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_assert_eq(try_open(place, true, &why), RC_BUSY, "%s", why.text);
	cr_assert(strlen(why.text) > 0);
	close(told[1]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);

	store = open_store(place);
	cr_assert_eq(try_open(place, true, NULL), RC_BUSY, "the same process");
	cr_assert_eq(try_open(place, false, NULL), RC_BUSY);
	put(store, "still", "here");
	store_close(store);
	cr_assert_eq(try_open(place, false, NULL), RC_OK);
	close(told[0]);
	close(ready[0]);
	close(ready[1]);
	place_remove(place);
}

Test(store, is_not_found_where_there_is_none_and_made_only_when_asked)
{
	char *place = place_new();
	char inner[128], deep[160];
	struct why why = {0};
	struct stat st;

	snprintf(inner, sizeof(inner), "%s/volume", place);
	snprintf(deep, sizeof(deep), "%s/no/such", place);
	cr_assert_eq(try_open(inner, false, &why), RC_NOT_FOUND);
	cr_assert_not_null(strstr(why.text, inner));
	cr_assert_eq(stat(inner, &st), -1, "looking makes nothing");
	cr_assert_eq(try_open(place, false, &why), RC_NOT_FOUND, "an empty directory is no store");
	cr_assert_eq(rmdir(place), 0, "and stays empty");
	cr_assert_eq(mkdir(place, 0700), 0);
	cr_assert_eq(try_open(deep, true, &why), RC_NOT_FOUND, "only one level is made");

	umask(022);
	cr_assert_eq(try_open(inner, true, &why), RC_OK);
	cr_assert_eq(stat(inner, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	cr_assert_eq(try_open(inner, false, &why), RC_OK);
	place_empty(inner);
	rmdir(inner);
	place_remove(place);
}

static void make_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(store, is_not_made_among_the_files_of_others_nor_over_one_that_lost_its_CURRENT)
{
	char *place = place_new();
	struct store *store;
	struct why why = {0};
	char path[256];

	make_file(place, "letter.txt", "Dear");
	cr_assert_eq(try_open(place, true, &why), RC_NOT_EMPTY);
	cr_assert_not_null(strstr(why.text, "letter.txt"));
	place_empty(place);

	store = open_sized(place, 64 << 10);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "key %d", i);
		put(store, path, "value");
	}
	store_close(store);
	snprintf(path, sizeof(path), "%s/CURRENT", place);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(try_open(place, true, &why), RC_CORRUPT);
	cr_assert_eq(try_open(place, false, &why), RC_CORRUPT);
	place_empty(place);

	/* What a creation leaves that was cut short is no obstacle. */
	make_file(place, "LOCK", "");
	make_file(place, "LOG", "");
	make_file(place, "MANIFEST-000001", "half");
	make_file(place, "000001.dbtmp", "MANIFEST-0");
	cr_assert_eq(try_open(place, true, &why), RC_OK, "%s", why.text);

	make_file(place, "CURRENT", "");
	cr_assert_eq(try_open(place, true, &why), RC_CORRUPT, "%s", why.text);
	place_remove(place);
}

Test(store, says_that_a_file_is_no_directory)
{
	char *place = place_new();
	char path[128];
	struct why why = {0};

	make_file(place, "file", "");
	snprintf(path, sizeof(path), "%s/file", place);
	cr_assert_eq(try_open(path, true, &why), RC_NOT_FOUND);
	cr_assert_not_null(strstr(why.text, "Not a directory"));
	place_remove(place);
}

Test(store, counts_what_it_does)
{
	char *place = place_new();
	struct store *store = open_store(place);
	struct store_figures before, after;
	struct store_snapshot *snapshot;
	struct buf value = {0};

	store_figures(store, &before);
	put(store, "a", "1");
	cr_assert_eq(store_get(store, NULL, "a", 1, &value), RC_OK);
	cr_assert_eq(store_snapshot_take(store, &snapshot), RC_OK);
	store_figures(store, &after);
	cr_expect_eq(after.batches, before.batches + 1);
	cr_expect_eq(after.gets, before.gets + 1);
	cr_expect_eq(after.snapshots, 1);
	cr_expect_not(after.settled);
	cr_expect_eq(after.broken, RC_OK);
	cr_expect_gt(after.memory, 0);
	cr_expect_gt(after.cache, 0);
	store_snapshot_release(store, snapshot);
	cr_assert_eq(store_sync(store), RC_OK);
	store_figures(store, &after);
	cr_expect(after.settled);
	cr_expect_eq(after.snapshots, 0);
	buf_free(&value);
	store_close(store);
	place_remove(place);
}

/* ---- threads ---- */

enum { WRITERS = 4, READERS = 2, ROUNDS = 400 };

struct crowd {
	struct store *store;
	atomic_int writing;
	int id;
};

struct member {
	struct crowd *crowd;
	int id;
};

/* Two keys that are always written together; who reads them in one view must find them equal. */
static void *write_pairs(void *argument)
{
	struct member *member = argument;
	struct store *store = member->crowd->store;
	struct store_batch *batch = new_batch(store);
	char left[32], right[32], value[600];

	snprintf(left, sizeof(left), "a%d", member->id);
	snprintf(right, sizeof(right), "z%d", member->id);
	for (int i = 1; i <= ROUNDS; i++) {
		memset(value, 'a' + i % 26, sizeof(value));
		snprintf(value, sizeof(value), "%d", i);
		store_batch_clear(batch);
		store_batch_put(batch, left, strlen(left), value, sizeof(value));
		store_batch_put(batch, right, strlen(right), value, sizeof(value));
		cr_assert_eq(store_write(store, batch, i % 7 == 0), RC_OK);
		if (i % 50 == 0)
			cr_assert_eq(store_sync(store), RC_OK);
	}
	store_batch_free(batch);
	atomic_fetch_sub(&member->crowd->writing, 1);
	return NULL;
}

static void *read_pairs(void *argument)
{
	struct member *member = argument;
	struct store *store = member->crowd->store;

	while (atomic_load(&member->crowd->writing)) {
		struct store_snapshot *snapshot = NULL;
		struct buf left = {0}, right = {0};
		struct store_cursor *cursor;
		char key[32];
		enum rc rc;
		int found = 0;

		cr_assert_eq(store_snapshot_take(store, &snapshot), RC_OK);
		snprintf(key, sizeof(key), "a%d", member->id);
		rc = store_get(store, snapshot, key, strlen(key), &left);
		snprintf(key, sizeof(key), "z%d", member->id);
		cr_assert_eq(store_get(store, snapshot, key, strlen(key), &right), rc);
		cr_assert_eq(left.len, right.len);
		cr_assert(left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
		cursor = open_cursor(store, snapshot, "", NULL);
		while (store_cursor_next(cursor) == RC_OK)
			found++;
		cr_assert_eq(found % 2, 0);
		store_cursor_close(cursor);
		store_snapshot_release(store, snapshot);
		buf_free(&left);
		buf_free(&right);
	}
	return NULL;
}

Test(store, takes_writers_and_readers_at_once, .timeout = 120)
{
	char *place = place_new();
	struct crowd crowd = {.store = open_sized(place, 64 << 10), .writing = WRITERS};
	struct member members[WRITERS + READERS];
	pthread_t threads[WRITERS + READERS];
	char key[32];

	for (int i = 0; i < WRITERS + READERS; i++) {
		members[i] = (struct member){.crowd = &crowd, .id = i % WRITERS};
		cr_assert_eq(pthread_create(&threads[i], NULL, i < WRITERS ? write_pairs : read_pairs, &members[i]), 0);
	}
	for (int i = 0; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < WRITERS; i++) {
		struct buf buf = {0};

		snprintf(key, sizeof(key), "z%d", i);
		cr_assert_eq(store_get(crowd.store, NULL, key, strlen(key), &buf), RC_OK);
		cr_assert_eq(atoi((char *)buf.data), ROUNDS);
		buf_free(&buf);
	}
	store_close(crowd.store);
	place_remove(place);
}
