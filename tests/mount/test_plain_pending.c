/* A plain file that is created in a partition waits for its first store (fs/plain.h), so that a temporary file is one commit and not two. Nobody may
 * see that, except who counts. */
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/syscall.h>

static void setup(void)
{
	mount_setup();
	assert_sh("mkdir -p \"$M/Tab/p\" && echo '{\"a\":1}' > \"$M/Tab/p/one.json\"");
}

TestSuite(plain_pending, .init = setup, .fini = mount_teardown, .timeout = 300);

static int create(const char *path)
{
	int fd = open(at(path), O_RDWR | O_CREAT | O_EXCL, 0640);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	return fd;
}

static long batches(void)
{
	assert_sh("jq .engine.batches \"$M/.itemfs/stats.json\"");
	return strtol(sh_output(), NULL, 10);
}

Test(plain_pending, one_that_is_written_and_renamed_onto_an_item_is_two_commits)
{
	long before = batches();
	int fd = create("Tab/p/.new");
	cr_expect_eq(write(fd, "{\"a\":2}", 7), 7);
	expect_ok(close(fd));
	cr_expect_eq(batches(), before + 1);
	expect_ok(rename(at("Tab/p/.new"), at("Tab/p/one.json")));
	cr_expect_eq(batches(), before + 2);
	cr_expect_str_eq(content("Tab/p/one.json"), "{\"a\":2}");
}

Test(plain_pending, is_there_for_everybody_before_it_is_stored)
{
	char seen[8] = {0};
	int fd = create("Tab/p/notes"), other;
	cr_expect_str_eq(listing_sorted("Tab/p"), "notes\none.json\n");
	cr_expect_eq(size_of("Tab/p/notes"), 0);
	cr_expect_eq(mode_of("Tab/p/notes"), 0640);
	cr_expect_eq(write(fd, "hello", 5), 5);
	cr_expect_eq(size_of("Tab/p/notes"), 5);
	expect_errno(open(at("Tab/p/notes"), O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	expect_errno(mknod(at("Tab/p/notes"), S_IFREG | 0600, 0), EEXIST);
	other = open(at("Tab/p/notes"), O_RDONLY);
	cr_expect_eq(read(other, seen, sizeof seen), 5);
	cr_expect_str_eq(seen, "hello");
	expect_ok(close(fd));
	expect_ok(close(other));
	mount_again();
	cr_expect_str_eq(content("Tab/p/notes"), "hello");
	cr_expect_eq(mode_of("Tab/p/notes"), 0640);
}

Test(plain_pending, an_empty_one_is_stored)
{
	expect_ok(close(create("Tab/p/empty")));
	mount_again();
	assert_sh("touch \"$M/Tab/p/touched\"");
	mount_kill();
	mount_up(NULL);
	cr_expect_str_eq(listing_sorted("Tab/p"), "empty\none.json\ntouched\n");
}

Test(plain_pending, a_shell_that_writes_one_commits_once)
{
	long before = batches();
	assert_sh("echo hello > \"$M/Tab/p/notes\"");
	cr_expect_eq(batches(), before + 1);
	cr_expect_str_eq(content("Tab/p/notes"), "hello\n");
}

Test(plain_pending, its_ctime_is_the_same_after_a_remount)
{
	struct stat before, after;
	expect_ok(close(create("Tab/p/empty")));
	mount_again();
	expect_ok(stat(at("Tab/p/empty"), &before));
	mount_again();
	expect_ok(stat(at("Tab/p/empty"), &after));
	cr_expect_eq(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	cr_expect_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

Test(plain_pending, what_is_set_of_it_stays_set)
{
	const struct timespec times[2] = {{1000, 1}, {2000, 2}};
	int fd = create("Tab/p/notes");
	expect_ok(fchmod(fd, 0600));
	expect_ok(futimens(fd, times));
	expect_ok(ftruncate(fd, 3));
	expect_ok(futimens(fd, times));
	expect_ok(close(fd));
	mount_again();
	cr_expect_eq(mode_of("Tab/p/notes"), 0600);
	cr_expect_eq(mtime_of("Tab/p/notes"), 2000000000002);
	cr_expect_eq(size_of("Tab/p/notes"), 3);
}

Test(plain_pending, is_unlinked_like_any_other)
{
	int fd = create("Tab/p/notes");
	cr_expect_eq(write(fd, "hello", 5), 5);
	expect_ok(unlink(at("Tab/p/notes")));
	cr_expect(!exists("Tab/p/notes"));
	cr_expect_str_eq(listing("Tab/p"), "one.json\n");
	char seen[8] = {0};
	cr_expect_eq(pread(fd, seen, sizeof seen, 0), 5);
	expect_ok(close(create("Tab/p/notes"))); /* another one */
	expect_ok(close(fd));
	mount_again();
	cr_expect_str_eq(content("Tab/p/notes"), "");
}

Test(plain_pending, is_renamed_and_exchanged_like_any_other)
{
	int fd = create("Tab/p/notes");
	cr_expect_eq(write(fd, "{\"a\":3}", 7), 7);
	expect_ok(rename(at("Tab/p/notes"), at("Tab/p/.other")));
	int target = create("Tab/p/target");
	expect_errno(syscall(SYS_renameat2, AT_FDCWD, at("Tab/p/.other"), AT_FDCWD, at("Tab/p/target"), 1 /* RENAME_NOREPLACE */), EEXIST);
	expect_ok(syscall(SYS_renameat2, AT_FDCWD, at("Tab/p/.other"), AT_FDCWD, at("Tab/p/target"), 2 /* RENAME_EXCHANGE */));
	cr_expect_str_eq(content("Tab/p/target"), "{\"a\":3}");
	cr_expect_str_eq(content("Tab/p/.other"), "");
	int onto = create("Tab/p/onto");
	expect_ok(rename(at("Tab/p/target"), at("Tab/p/onto"))); /* one that waits is replaced */
	expect_ok(rename(at("Tab/p/onto"), at("Tab/p/one.json")));
	cr_expect_str_eq(content("Tab/p/one.json"), "{\"a\":3}");
	expect_ok(close(fd));
	expect_ok(close(target));
	expect_ok(close(onto));
	mount_again();
	cr_expect_str_eq(listing_sorted("Tab/p"), ".other\none.json\n");
	cr_expect_str_eq(content("Tab/p/one.json"), "{\"a\":3}");
}

Test(plain_pending, one_that_is_being_made_is_renamed_with_its_partition)
{
	int fd = create("Tab/p/notes");
	expect_errno(rmdir(at("Tab/p")), ENOTEMPTY);
	cr_expect_eq(write(fd, "hello", 5), 5);
	expect_ok(rename(at("Tab/p"), at("Tab/q")));
	expect_ok(close(fd));
	mount_again();
	cr_expect_str_eq(listing("Tab"), "q\n");
	cr_expect_str_eq(content("Tab/q/notes"), "hello");
}

Test(plain_pending, keeps_a_partition_that_nobody_made_by_hand)
{
	assert_sh("rm -r \"$M/Tab\"/* && mkdir -p \"$M/Tab/.import\" && echo '{\"pk\":\"i\",\"sk\":\"x\"}' > \"$M/Tab/.import/one.jsonl\"");
	int fd = create("Tab/i/notes");
	expect_ok(unlink(at("Tab/i/x.json")));
	cr_expect_eq(write(fd, "hello", 5), 5);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Tab/i/notes"), "hello");
}

Test(plain_pending, a_sync_stores_it_and_that_of_its_directory_does)
{
	int fd = create("Tab/p/one"), directory;
	cr_expect_eq(write(fd, "hello", 5), 5);
	expect_ok(fsync(fd));
	int two = create("Tab/p/two");
	directory = open(at("Tab/p"), O_RDONLY | O_DIRECTORY);
	expect_ok(fsync(directory));
	close(directory);
	expect_ok(kill(mount_pid(), SIGKILL));
	close(fd);
	close(two);
	mount_kill();
	mount_up(NULL);
	cr_expect_str_eq(content("Tab/p/one"), "hello");
	cr_expect_str_eq(content("Tab/p/two"), "");
}
