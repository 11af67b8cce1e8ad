/* store: what is left when the power goes, at every moment at which that can differ.
 *
 * This program stands in for fsync() and fdatasync(), for LevelDB too, and notes how long each file of the store was
 * when it was last synced, and which names the directory had when that was. The power goes after each such call and
 * after each write: the store is copied, with each file cut where it was last synced and without the names that were
 * not, and the copy must open and hold a prefix of the batches, and all that was promised. The same is asked of a copy
 * that has the newest log whole, as a kernel may write that back early.
 */
#include "store/store.h"
#include "tests/unit/place.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 4096, VALUE = 3000 };

struct synced_file {
	ino_t inode;
	off_t length;
	bool named; /* the directory was synced while it had this file */
};

/* Everything below is guarded by `mutex`, which is held while a copy is made, so that the store stands still in it. */
static struct disk {
	pthread_mutex_t mutex;
	char place[64]; /* the store that is watched; "" none */
	dev_t device;
	ino_t directory;
	struct synced_file files[MOST_FILES];
	size_t n;
	unsigned syncs;      /* of files */
	unsigned name_syncs; /* of the directory, by the thread that writes */
	bool fail;           /* the next sync of a file fails, as a broken disk's */
	bool copy_at_syncs;
	bool no_inotify; /* as where a user has used up theirs */
	unsigned copies;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

int fdatasync(int fd);
int fsync(int fd);
int unlink(const char *path);
int inotify_init1(int flags);

static struct synced_file *find_file(ino_t inode)
{
	for (size_t i = 0; i < disk.n; i++) {
		if (disk.files[i].inode == inode)
			return &disk.files[i];
	}
	if (disk.n == MOST_FILES)
		abort();
	disk.files[disk.n] = (struct synced_file){.inode = inode};
	return &disk.files[disk.n++];
}

static void forget_file(ino_t inode)
{
	struct synced_file *file = find_file(inode);

	*file = disk.files[--disk.n];
}

static bool is_watched(const struct stat *st, int fd)
{
	char self[64], path[256];
	ssize_t n;

	if (!disk.place[0] || st->st_dev != disk.device)
		return false;
	if (S_ISDIR(st->st_mode))
		return st->st_ino == disk.directory;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	return n > 0 && strncmp(path, disk.place, strlen(disk.place)) == 0 && path[strlen(disk.place)] == '/';
}

static void note_names(void)
{
	DIR *listing = opendir(disk.place);
	struct dirent *entry;

	while (listing && (entry = readdir(listing)))
		find_file(entry->d_ino)->named = true;
	if (listing)
		closedir(listing);
}

static void copy_file(int from, int to, const char *name, off_t length)
{
	char space[65536];
	int in = openat(from, name, O_RDONLY | O_CLOEXEC);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	if (in < 0 || out < 0)
		abort();
	while (length > 0 &&
	       (n = read(in, space, (size_t)length < sizeof(space) ? (size_t)length : sizeof(space))) > 0) {
		if (write(out, space, (size_t)n) != n)
			abort();
		length -= n;
	}
	close(in);
	close(out);
}

static bool is_log(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && strcmp(dot, ".log") == 0;
}

static void newest_log(DIR *listing, char ret_name[32])
{
	struct dirent *entry;

	ret_name[0] = 0;
	while ((entry = readdir(listing))) {
		if (is_log(entry->d_name) && strcmp(entry->d_name, ret_name) > 0)
			snprintf(ret_name, 32, "%.31s", entry->d_name);
	}
	rewinddir(listing);
}

/* Makes directory `to` what the disk holds now. CURRENT is renamed into place only by store_open(). */
static void copy_disk(const char *to, bool newest_is_whole)
{
	char newest[32];
	DIR *listing;
	struct dirent *entry;
	int out;

	mkdir(to, 0700);
	out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listing = opendir(disk.place);
	if (!listing || out < 0)
		abort();
	newest_log(listing, newest);
	while ((entry = readdir(listing))) {
		struct synced_file *file;
		bool whole = newest_is_whole && strcmp(entry->d_name, newest) == 0;

		if (entry->d_type != DT_REG)
			continue;
		file = find_file(entry->d_ino);
		if (file->named || whole)
			copy_file(dirfd(listing), out, entry->d_name, whole ? 1 << 30 : file->length);
	}
	closedir(listing);
	close(out);
}

/* Two at once: what must be on the disk, and that with the newest log written back early. */
static void copy_at_this_moment(void)
{
	char path[128];

	for (int whole = 0; whole < 2; whole++) {
		snprintf(path, sizeof(path), "%s-copy-%u", disk.place, disk.copies++);
		copy_disk(path, whole);
	}
}

static int note_sync(int fd, long number)
{
	struct stat st;
	int result;

	pthread_mutex_lock(&disk.mutex);
	if (fstat(fd, &st) < 0 || !is_watched(&st, fd)) {
		pthread_mutex_unlock(&disk.mutex);
		return (int)syscall(number, fd);
	}
	if (disk.fail && S_ISREG(st.st_mode)) {
		disk.fail = false;
		pthread_mutex_unlock(&disk.mutex);
		errno = EIO;
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		note_names();
		disk.name_syncs += gettid() == getpid();
	}
	result = (int)syscall(number, fd);
	if (S_ISREG(st.st_mode)) {
		find_file(st.st_ino)->length = st.st_size;
		disk.syncs++;
	}
	if (disk.copy_at_syncs)
		copy_at_this_moment();
	pthread_mutex_unlock(&disk.mutex);
	return result;
}

int fdatasync(int fd)
{
	return note_sync(fd, SYS_fdatasync);
}

int fsync(int fd)
{
	return note_sync(fd, SYS_fsync);
}

int unlink(const char *path)
{
	struct stat st;
	int result;

	pthread_mutex_lock(&disk.mutex);
	if (disk.place[0] && stat(path, &st) == 0)
		forget_file(st.st_ino);
	result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	pthread_mutex_unlock(&disk.mutex);
	return result;
}

int inotify_init1(int flags)
{
	if (disk.no_inotify) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_inotify_init1, flags);
}

/* ---- a store on that disk ---- */

static void watch_new_place(void)
{
	struct stat st;

	strcpy(disk.place, "/tmp/itemfs-power-XXXXXX");
	cr_assert_not_null(mkdtemp(disk.place));
	cr_assert_eq(stat(disk.place, &st), 0);
	disk.device = st.st_dev;
	disk.directory = st.st_ino;
}

static void remove_directory(const char *path)
{
	place_empty(path);
	rmdir(path);
}

static struct store *open_at(const char *path)
{
	struct store_options options = {.create = true, .write_buffer = 64 << 10};
	struct store *store = NULL;
	struct why why = {0};
	enum rc rc = store_open(path, &options, &store, &why);

	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	return store;
}

/* Batch i: its number as "last", and two keys of its own. */
static enum rc write_batch(struct store *store, int i, bool durable)
{
	struct store_batch *batch;
	char value[VALUE], key[32];
	unsigned seed = (unsigned)i;
	size_t n = 1 + (size_t)rand_r(&seed) % VALUE;
	enum rc rc;

	for (size_t at = 0; at < n; at++)
		value[at] = (char)(rand_r(&seed) >> 7);
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	snprintf(key, sizeof(key), "a%06d", i);
	store_batch_put(batch, key, strlen(key), value, n);
	store_batch_put(batch, "last", 4, &i, sizeof(i));
	key[0] = 'z';
	store_batch_put(batch, key, strlen(key), value, n / 2);
	rc = store_write(store, batch, durable);
	store_batch_free(batch);
	return rc;
}

static bool has(struct store *store, const char *key)
{
	struct buf buf = {0};
	enum rc rc = store_get(store, NULL, key, strlen(key), &buf);

	buf_free(&buf);
	cr_assert(rc == RC_OK || rc == RC_NOT_FOUND, "%s: %s", key, rc_name(rc));
	return rc == RC_OK;
}

/* The number of the last batch, after a look whether exactly those up to it are there. -1: none. */
static int last_of_prefix(const char *path, int written)
{
	struct store *store = open_at(path);
	struct buf buf = {0};
	char key[32];
	int last = -1;

	if (store_get(store, NULL, "last", 4, &buf) == RC_OK)
		memcpy(&last, buf.data, sizeof(last));
	buf_free(&buf);
	for (int i = 0; i <= written; i++) {
		snprintf(key, sizeof(key), "a%06d", i);
		cr_assert_eq(has(store, key), i <= last, "%s, where %d is the last, in %s", key, last, path);
		key[0] = 'z';
		cr_assert_eq(has(store, key), i <= last, "%s, where %d is the last, in %s", key, last, path);
	}
	store_close(store);
	return last;
}

/* Checks the copies made so far: each holds all up to `promised`, and nothing that was not begun. */
static void check_copies(int promised, int begun)
{
	static unsigned checked;
	char path[128];

	for (; checked < disk.copies; checked++) {
		int last;

		snprintf(path, sizeof(path), "%s-copy-%u", disk.place, checked);
		last = last_of_prefix(path, begun);
		cr_assert_geq(last, promised, "%d is left of %d in %s", last, promised, path);
		remove_directory(path);
	}
}

static void copy_now(void)
{
	pthread_mutex_lock(&disk.mutex);
	copy_at_this_moment();
	pthread_mutex_unlock(&disk.mutex);
}

static void copy_at_syncs(bool yes)
{
	pthread_mutex_lock(&disk.mutex);
	disk.copy_at_syncs = yes;
	pthread_mutex_unlock(&disk.mutex);
}

static int newest_number(void)
{
	DIR *listing = opendir(disk.place);
	char newest[32];

	newest_log(listing, newest);
	closedir(listing);
	return atoi(newest);
}

/* One write in `durable_every` is durable (0: none), and one in `sync_every` is followed by a sync. */
static void live_and_die(int batches, int durable_every, int sync_every)
{
	struct store *store;
	int promised = -1;
	int first_log;
	unsigned seed = (unsigned)batches;

	watch_new_place();
	store = open_at(disk.place);
	first_log = newest_number();
	for (int i = 0; i < batches; i++) {
		bool durable = durable_every && rand_r(&seed) % (unsigned)durable_every == 0;

		/* A write that is not durable and begins a log is the one moment at which a log written back early can
		 * be newer than an unsynced one (log_sync.h, 3): looked at before and after, not in between. */
		copy_at_syncs(durable);
		cr_assert_eq(write_batch(store, i, durable), RC_OK);
		copy_at_syncs(false);
		check_copies(promised, i);
		if (durable)
			promised = i;
		if (sync_every && rand_r(&seed) % (unsigned)sync_every == 0) {
			cr_assert_eq(store_sync(store), RC_OK);
			promised = i;
		}
		if (durable || i % 5 == 0) {
			copy_now();
			check_copies(promised, i);
		}
	}
	cr_assert_gt(newest_number(), first_log + 4, "too few logs to prove anything");
	store_close(store);
	copy_now();
	check_copies(batches - 1, batches - 1);
	remove_directory(disk.place);
}

Test(store_power, leaves_a_prefix_and_all_that_was_durable, .timeout = 900)
{
	live_and_die(200, 3, 20);
}

Test(store_power, leaves_a_prefix_where_durable_writes_are_rare, .timeout = 900)
{
	live_and_die(250, 60, 0);
}

Test(store_power, leaves_everything_where_every_write_is_durable, .timeout = 900)
{
	live_and_die(150, 1, 0);
}

Test(store_power, leaves_all_that_a_sync_covered, .timeout = 900)
{
	live_and_die(200, 0, 15);
}

Test(store_power, needs_no_inotify_for_any_of_it, .timeout = 900)
{
	disk.no_inotify = true;
	live_and_die(200, 5, 20);
}

static void limit_files(rlim_t most)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = most;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- what it costs ---- */

Test(store_power, a_durable_write_costs_one_sync_and_a_sync_of_nothing_costs_none)
{
	struct store *store;
	unsigned before;

	watch_new_place();
	store = open_at(disk.place);
	for (int i = 0; i < 5; i++) {
		before = disk.syncs;
		cr_assert_eq(write_batch(store, i, true), RC_OK);
		cr_assert_eq(disk.syncs, before + 1);
		cr_assert_eq(store_sync(store), RC_OK);
		cr_assert_eq(disk.syncs, before + 1);
	}
	cr_assert_eq(write_batch(store, 5, false), RC_OK);
	cr_assert_eq(disk.syncs, before + 1, "what is not durable waits");
	cr_assert_eq(store_sync(store), RC_OK);
	cr_assert_eq(disk.syncs, before + 2);
	cr_assert_eq(store_sync(store), RC_OK);
	cr_assert_eq(disk.syncs, before + 2);
	store_close(store);
	cr_assert_eq(disk.syncs, before + 2);
	remove_directory(disk.place);
}

/* LevelDB's other thread soon syncs the directory too, for reasons of its own; nobody may wait for that. */
Test(store_power, syncs_the_name_of_each_log_that_a_durable_write_began)
{
	struct store *store;
	int begun = 0;

	watch_new_place();
	store = open_at(disk.place);
	for (int i = 0; i < 200; i++) {
		int newest = newest_number();
		unsigned before = disk.name_syncs;

		cr_assert_eq(write_batch(store, i, true), RC_OK);
		cr_assert_eq(disk.name_syncs, before + (newest_number() != newest));
		begun += newest_number() != newest;
	}
	cr_assert_gt(begun, 2);
	store_close(store);
	remove_directory(disk.place);
}

/* One row of `n` bytes, or a batch of a hundred of them. */
static void write_rows(struct store *store, int i, int rows, size_t n)
{
	static const char value[5000];
	struct store_batch *batch;
	char key[32];

	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	for (int row = 0; row < rows; row++) {
		snprintf(key, sizeof(key), "%x", i * rows + row);
		store_batch_put(batch, key, strlen(key), value, n);
	}
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	store_batch_free(batch);
}

/* It counts what fills LevelDB's table in memory (leveldb_write.c): were it too little, a log would be begun and not be seen at once. */
Test(store_power, settles_with_each_log_that_a_write_began_whatever_the_rows_are_like, .timeout = 900)
{
	static const size_t sizes[] = {0, 1, 30, 440, 1000, 1010, 1100, 5000};

	for (size_t k = 0; k < 16; k++) {
		size_t n = sizes[k / 2];
		int rows = k % 2 ? 100 : 1, begun = 0;
		struct store *store;

		watch_new_place();
		store = open_at(disk.place);
		for (int i = 0; begun < 4; i++) {
			int newest = newest_number();
			unsigned before = disk.name_syncs;

			write_rows(store, i, rows, n);
			cr_assert_eq(disk.name_syncs, before + (newest_number() != newest), "rows of %zu bytes, %d at once", n, rows);
			begun += newest_number() != newest;
		}
		store_close(store);
		remove_directory(disk.place);
	}
}

/* ---- a disk that fails ---- */

Test(store_power, a_sync_that_failed_is_never_made_good_by_the_next_one)
{
	struct store *store;
	struct buf buf = {0};

	watch_new_place();
	store = open_at(disk.place);
	cr_assert_eq(write_batch(store, 0, true), RC_OK);
	cr_assert_eq(write_batch(store, 1, false), RC_OK);
	disk.fail = true;
	cr_assert_eq(store_sync(store), RC_IO);
	cr_assert_eq(store_sync(store), RC_IO);
	cr_assert_eq(write_batch(store, 2, true), RC_IO);
	cr_assert_eq(write_batch(store, 2, false), RC_IO);
	cr_assert_eq(store_get(store, NULL, "last", 4, &buf), RC_OK, "reads go on");
	cr_assert_eq(*(int *)(void *)buf.data, 1);
	buf_free(&buf);
	store_close(store);
	copy_now();
	check_copies(0, 2);
	remove_directory(disk.place);
}

Test(store_power, a_durable_write_whose_sync_failed_ends_all_writing)
{
	struct store *store;

	watch_new_place();
	store = open_at(disk.place);
	cr_assert_eq(write_batch(store, 0, true), RC_OK);
	disk.fail = true;
	cr_assert_eq(write_batch(store, 1, true), RC_IO);
	cr_assert_eq(write_batch(store, 2, true), RC_IO);
	cr_assert_eq(write_batch(store, 2, false), RC_IO);
	cr_assert_eq(store_sync(store), RC_IO);
	store_close(store);
	copy_now();
	check_copies(0, 2);
	remove_directory(disk.place);
}

Test(store_power, a_sync_for_which_there_is_no_file_descriptor_may_be_tried_again)
{
	struct store *store;
	int fd;

	watch_new_place();
	store = open_at(disk.place);
	cr_assert_eq(write_batch(store, 0, false), RC_OK);
	fd = dup(0);
	close(fd);
	limit_files((rlim_t)fd);
	cr_assert_eq(store_sync(store), RC_IO);
	cr_assert_eq(store_sync(store), RC_IO);
	cr_assert_eq(write_batch(store, 1, true), RC_IO);
	limit_files(1024);
	cr_assert_eq(store_sync(store), RC_OK);
	cr_assert_eq(write_batch(store, 1, true), RC_OK);
	copy_now();
	check_copies(1, 1);
	store_close(store);
	remove_directory(disk.place);
}
