/* RELEASE is asynchronous: what a closed handle still has to do meets what the next one does. Each of these lost something once. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/statvfs.h>

enum { ROUNDS = 1500 };

static void setup(void)
{
	mount_setup();
	assert_sh("mkdir -p \"$M/Tab/p\" \"$M/Tab/q\"");
}

TestSuite(races, .init = setup, .fini = mount_teardown, .timeout = 600);

static const char *item(int i)
{
	return at(text("Tab/p/w%d.json", i));
}

static void write_all(const char *path, int flags, const char *document)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, document, strlen(document)), (ssize_t)strlen(document), "%s: %s", path, strerror(errno));
	int closed = close(fd);
	cr_assert_eq(closed, 0, "%s: close: %s", path, strerror(errno));
}

static void touch_only(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	close(fd);
}

static void expect_all(const char *document)
{
	mount_again(); /* every release has run */
	for (int i = 0; i < ROUNDS; i++)
		cr_assert_str_eq(content(text("Tab/p/w%d.json", i)), document, "item %d", i);
}

Test(races, a_late_emptying_does_not_undo_a_newer_write)
{
	for (int i = 0; i < ROUNDS; i++)
		write_all(item(i), O_WRONLY | O_CREAT, "{\"a\":1}");
	for (int i = 0; i < ROUNDS; i++) {
		touch_only(item(i), O_WRONLY | O_TRUNC);
		write_all(item(i), O_WRONLY | O_TRUNC, "{\"b\":1}");
	}
	expect_all("{\"b\":1}");
}

Test(races, an_emptying_that_is_closed_after_a_newer_write_is_older_all_the_same)
{
	write_all(item(0), O_WRONLY | O_CREAT, "{\"a\":1}");
	int fd = open(item(0), O_WRONLY | O_TRUNC);
	write_all(item(0), O_WRONLY | O_TRUNC, "{\"b\":1}");
	close(fd);
	mount_again();
	cr_expect_str_eq(content("Tab/p/w0.json"), "{\"b\":1}");
}

Test(races, two_creates_of_one_name_in_a_row_both_succeed)
{
	for (int i = 0; i < ROUNDS; i++) {
		touch_only(item(i), O_WRONLY | O_CREAT | O_TRUNC);
		write_all(item(i), O_WRONLY | O_CREAT | O_TRUNC, "{\"b\":1}");
	}
	expect_all("{\"b\":1}");
}

static void *create_all(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		write_all(item(i), O_WRONLY | O_CREAT | O_TRUNC, "{\"b\":1}");
	return NULL;
}

Test(races, many_who_create_the_same_names_all_succeed)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, create_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	expect_all("{\"b\":1}");
}

Test(races, modes_and_times_set_right_after_a_create_stay)
{
	struct timespec times[2] = {{1000, 1}, {2000, 2}};
	struct stat st;
	for (int i = 0; i < ROUNDS; i++) {
		touch_only(item(i), O_WRONLY | O_CREAT);
		assert_ok(utimensat(AT_FDCWD, item(i), times, 0));
		assert_ok(chmod(item(i), 0640));
	}
	mount_again();
	for (int i = 0; i < ROUNDS; i++) {
		assert_ok(stat(item(i), &st));
		cr_assert_eq(st.st_mtim.tv_sec, 2000, "item %d", i);
		cr_assert_eq(st.st_mtim.tv_nsec, 2, "item %d", i);
		cr_assert_eq(st.st_mode & 07777, 0640, "item %d", i);
	}
}

Test(races, times_set_right_after_an_emptying_stay)
{
	struct timespec times[2] = {{1000, 1}, {2000, 2}};
	struct stat st;
	for (int i = 0; i < ROUNDS; i++) {
		write_all(item(i), O_WRONLY | O_CREAT, "{\"a\":1}");
		touch_only(item(i), O_WRONLY | O_TRUNC);
		assert_ok(utimensat(AT_FDCWD, item(i), times, 0));
	}
	mount_again();
	for (int i = 0; i < ROUNDS; i++) {
		assert_ok(stat(item(i), &st));
		cr_assert_eq(st.st_mtim.tv_sec, 2000, "item %d", i);
		cr_assert_eq(st.st_size, 0, "item %d", i);
	}
}

Test(races, a_handle_that_writes_again_begins_with_what_is_there_then)
{
	write_all(item(0), O_WRONLY | O_CREAT, "{\"v\":1}");
	int fd = open(item(0), O_WRONLY | O_APPEND | O_CLOEXEC);
	cr_assert_eq(write(fd, " ", 1), 1);
	assert_ok(fsync(fd));
	write_all(item(0), O_WRONLY | O_TRUNC, "{\"new\":\"acknowledged\"}");
	cr_assert_eq(write(fd, " ", 1), 1);
	assert_ok(close(fd));
	cr_expect_str_eq(content("Tab/p/w0.json"), "{\"new\":\"acknowledged\"} ");
}

Test(races, a_draft_follows_its_partitions_renaming)
{
	declare("Keyed", "Who:S What:S", NULL);
	assert_sh("mkdir \"$M/Keyed/p\" && echo '{\"Who\":\"p\",\"What\":\"x\"}' > \"$M/Keyed/p/x.json\"");
	int fd = open(at("Keyed/p/x.json"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_assert_eq(write(fd, "{\"Who\":\"p\",\"n\":2}", 17), 17);
	assert_ok(rename(at("Keyed/p"), at("Keyed/q")));
	expect_ok(close(fd));
	cr_expect_str_eq(content("Keyed/q/x.json"), "{\"Who\":\"q\",\"n\":2}");
}

static ino_t wanted;
static bool has_wanted(const char *path)
{
	struct stat st;
	return stat(at(path), &st) == 0 && st.st_ino == wanted;
}

Test(races, inode_numbers_follow_a_renamed_partition_as_a_new_mount_will_see_them)
{
	struct stat st;
	write_all(at("Tab/p/x.json"), O_WRONLY | O_CREAT, "{}");
	assert_ok(stat(at("Tab/p/x.json"), &st));
	ino_t before = st.st_ino;
	assert_ok(rename(at("Tab/p"), at("Tab/r")));
	mount_again();
	assert_ok(stat(at("Tab/r/x.json"), &st));
	wanted = st.st_ino;
	cr_expect_neq(wanted, before);
	assert_ok(rename(at("Tab/r"), at("Tab/p")));
	wanted = before;
	cr_expect(await(has_wanted, "Tab/p/x.json"), "the mount shows another number than the next one will");
}

/* Opens what this path stood for when it was looked up, whatever it stands for now. */
static const char *replaced_then_read(const char *path, const char *other)
{
	char now[64], bytes[64] = "";
	int looked_up = open(at(path), O_PATH | O_CLOEXEC);
	cr_assert_geq(looked_up, 0);
	assert_ok(rename(at(other), at(path)));
	snprintf(now, sizeof now, "/proc/self/fd/%d", looked_up);
	int fd = open(now, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	struct stat st;
	ssize_t n = read(fd, bytes, sizeof bytes - 1);
	assert_ok(fstat(fd, &st));
	cr_expect(st.st_size == n && st.st_nlink == 0, "%lld bytes, %zd read, %lu links", (long long)st.st_size, n, (unsigned long)st.st_nlink);
	cr_expect_eq(pread(fd, bytes + 20, 40, 0), n);
	cr_expect_eq(memcmp(bytes, bytes + 20, (size_t)n), 0);
	expect_errno(open(now, O_WRONLY), ESTALE); /* what is written there would go nowhere */
	close(fd);
	close(looked_up);
	return text("%s", bytes);
}

Test(races, what_is_replaced_between_its_look_up_and_its_open_can_still_be_read)
{
	write_all(at("Tab/p/a.json"), O_WRONLY | O_CREAT, "{\"a\":1}");
	write_all(at("Tab/p/b.json"), O_WRONLY | O_CREAT, "{\"b\":2}");
	cr_expect_str_eq(replaced_then_read("Tab/p/a.json", "Tab/p/b.json"), "{\"a\":1}");
	cr_expect_str_eq(content("Tab/p/a.json"), "{\"b\":2}");
	write_all(at("Tab/p/a"), O_WRONLY | O_CREAT, "old");
	write_all(at("Tab/p/b"), O_WRONLY | O_CREAT, "newer");
	cr_expect_str_eq(replaced_then_read("Tab/p/a", "Tab/p/b"), "old");
	int reader = open(at("Tab/p/a"), O_RDONLY | O_CLOEXEC);
	write_all(at("Tab/p/b"), O_WRONLY | O_CREAT, "newest");
	cr_expect_str_eq(replaced_then_read("Tab/p/a", "Tab/p/b"), "newer");
	close(reader);
	cr_expect_str_eq(content("Tab/p/a"), "newest");
	touch_only(at("Tab/p/empty.json"), O_WRONLY | O_CREAT);
	struct statvfs st;
	assert_ok(statvfs(at(""), &st)); /* its release was read before this was, and so is not dropped by the unmount */
	mount_again();
	cr_expect_str_eq(replaced_then_read("Tab/p/empty.json", "Tab/p/a.json"), "");
}

static void *replace_all(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		write_all(item(1), O_WRONLY | O_CREAT | O_TRUNC, "{\"b\":1}");
		cr_assert_eq(rename(item(1), item(0)), 0);
	}
	return NULL;
}

Test(races, a_reader_finds_a_whole_item_however_often_it_is_replaced)
{
	pthread_t thread;
	write_all(item(0), O_WRONLY | O_CREAT, "{\"b\":1}");
	cr_assert_eq(pthread_create(&thread, NULL, replace_all, NULL), 0);
	for (int i = 0; i < 2 * ROUNDS; i++)
		cr_assert_str_eq(content("Tab/p/w0.json"), "{\"b\":1}", "round %d", i);
	pthread_join(thread, NULL);
}

static _Atomic int reading; /* the item that is read over and over */

/* Reads each item until there is none of that name. Returns how often that was neither the whole item nor ENOENT. */
static void *read_until_gone(void *unused)
{
	intptr_t wrong = 0;
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		char path[512], bytes[64];
		struct stat st;
		int fd;
		snprintf(path, sizeof path, "%s", item(i));
		reading = i;
		while ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
			ssize_t n = read(fd, bytes, sizeof bytes);
			wrong += n != 7 || memcmp(bytes, "{\"b\":1}", 7) != 0;
			wrong += fstat(fd, &st) != 0 || st.st_size != 7;
			close(fd);
		}
		wrong += errno != ENOENT;
	}
	return (void *)wrong;
}

Test(races, who_opens_an_item_while_it_is_unlinked_reads_all_of_it_or_finds_none)
{
	pthread_t thread;
	void *wrong;
	for (int i = 0; i < ROUNDS; i++)
		write_all(item(i), O_WRONLY | O_CREAT, "{\"b\":1}");
	reading = -1;
	cr_assert_eq(pthread_create(&thread, NULL, read_until_gone, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		while (reading < i)
			sched_yield();
		assert_ok(unlink(item(i)));
	}
	pthread_join(thread, &wrong);
	cr_expect_null(wrong, "%td times", (intptr_t)wrong);
}

static _Atomic bool renamed_enough;

static void *rename_to_and_fro(void *context)
{
	(void)context;
	char a[512], b[512];
	snprintf(a, sizeof a, "%s", at("Tab/p"));
	snprintf(b, sizeof b, "%s", at("Tab/renamed"));
	intptr_t failures = 0;
	for (int i = 0; i < 300; i++)
		failures += rename(a, b) || rename(b, a);
	renamed_enough = true;
	return (void *)failures;
}

/* The directory's own name is what inode numbers are reckoned from. */
Test(races, a_directory_can_be_listed_while_it_is_renamed)
{
	enum { NAMES = 20 };
	for (int i = 0; i < NAMES; i++)
		write_all(item(i), O_WRONLY | O_CREAT, "{}");
	DIR *listed = opendir(at("Tab/p"));
	cr_assert(listed);
	pthread_t renamer;
	cr_assert_eq(pthread_create(&renamer, NULL, rename_to_and_fro, NULL), 0);
	bool whole = true;
	do {
		int names = 0;
		rewinddir(listed);
		while (readdir(listed))
			names++;
		whole = whole && names == NAMES + 2;
	} while (!renamed_enough);
	void *failures;
	pthread_join(renamer, &failures);
	closedir(listed);
	cr_expect(whole);
	cr_expect_null(failures);
}
