/* An item changes at once or not at all: each handle has a draft of its own, committed by close and fsync. */
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/wait.h>

static void setup(void)
{
	mount_setup();
	assert_sh("mkdir -p \"$M/Plain/p\" && echo '{\"old\":1}' > \"$M/Plain/p/x.json\"");
}

TestSuite(drafts, .init = setup, .fini = mount_teardown, .timeout = 600);

#define X   "Plain/p/x.json"
#define OLD "{\"old\":1}\n"

static int open_at(const char *path, int flags)
{
	int fd = open(at(path), flags | O_CLOEXEC, 0644);
	cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static void say(int fd, const char *words)
{
	cr_expect_eq(write(fd, words, strlen(words)), (ssize_t)strlen(words), "write: %s", strerror(errno));
}

Test(drafts, a_reader_sees_the_old_item_until_close)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	cr_expect_str_eq(content(X), OLD);
	say(fd, "{\"new\":");
	cr_expect_str_eq(content(X), OLD);
	say(fd, "2}");
	cr_expect_str_eq(content(X), OLD);
	cr_expect_eq(size_of(X), (off_t)strlen(OLD));
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"new\":2}");
	cr_expect_eq(size_of(X), 9);
}

Test(drafts, fsync_commits)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(fsync(fd));
	cr_expect_str_eq(content(X), "{\"new\":2}");
	expect_ok(ftruncate(fd, 0));
	cr_expect_eq(pwrite(fd, "{\"new\":33}", 10, 0), 10);
	cr_expect_str_eq(content(X), "{\"new\":2}");
	expect_ok(fdatasync(fd));
	cr_expect_str_eq(content(X), "{\"new\":33}");
	expect_ok(close(fd));
}

Test(drafts, a_handle_sees_its_own_draft)
{
	int fd = open_at(X, O_RDWR);
	char seen[16] = {0};
	cr_expect_eq(pwrite(fd, "9", 1, 7), 1);
	cr_expect_eq(pread(fd, seen, sizeof seen, 0), 10);
	cr_expect_str_eq(seen, "{\"old\":9}\n");
	cr_expect_str_eq(content(X), OLD);
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"old\":9}\n");
}

Test(drafts, two_writers_have_one_each_and_the_last_close_wins)
{
	int one = open_at(X, O_WRONLY | O_TRUNC), two = open_at(X, O_WRONLY | O_TRUNC);
	say(one, "{\"one\":");
	say(two, "{\"two\":");
	say(one, "1}");
	say(two, "2}");
	expect_ok(close(two));
	cr_expect_str_eq(content(X), "{\"two\":2}");
	expect_ok(close(one));
	cr_expect_str_eq(content(X), "{\"one\":1}");
}

Test(drafts, a_draft_is_based_on_the_item_as_it_was_at_its_first_write)
{
	int fd = open_at(X, O_WRONLY);
	expect_ok(put(X, "{\"old\":3}\n"));
	cr_expect_eq(pwrite(fd, "8", 1, 7), 1);
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"old\":8}\n");
}

Test(drafts, appending_goes_to_the_end_of_the_handles_own_draft)
{
	assert_sh("printf ' \\n' >> \"$M/" X "\"");
	cr_expect_str_eq(content(X), OLD " \n");
	int fd = open_at(X, O_WRONLY | O_APPEND | O_TRUNC);
	say(fd, "{\"a\":");
	say(fd, "1");
	say(fd, "}");
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"a\":1}");
	cr_expect_neq(sh("echo x >> \"$M/" X "\""), 0);
	cr_expect_str_eq(content(X), "{\"a\":1}");
}

Test(drafts, a_shells_children_share_one)
{
	assert_sh("{ echo '{\"a\":'; /bin/echo 1; echo '}'; } > \"$M/" X "\"");
	cr_expect_str_eq(content(X), "{\"a\":\n1\n}\n");
	cr_expect_eq(refusals(), 0); /* an unfinished flush records nothing */
}

Test(drafts, a_read_handle_sees_one_version_however_slowly_it_reads)
{
	int fd = open_at(X, O_RDONLY);
	char seen[32] = {0};
	cr_expect_eq(pread(fd, seen, 4, 0), 4);
	expect_ok(put(X, "{\"entirely\":\"different and longer\"}"));
	cr_expect_eq(pread(fd, seen + 4, sizeof seen - 5, 4), (ssize_t)strlen(OLD) - 4);
	cr_expect_str_eq(seen, OLD);
	memset(seen, 0, sizeof seen);
	cr_expect_eq(pread(fd, seen, 10, 0), 10); /* and looks anew at offset 0 */
	cr_expect_str_eq(seen, "{\"entirely");
	close(fd);
}

Test(drafts, an_unlinked_item_stays_gone_when_its_writer_closes)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(unlink(at(X)));
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "<ENOENT>");
	cr_expect_str_eq(listing("Plain/p"), "");
}

Test(drafts, an_item_that_took_the_name_meanwhile_is_another_one)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(unlink(at(X)));
	expect_ok(put(X, "{\"successor\":1}"));
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"successor\":1}");
	fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(put("Plain/p/y.json", "{\"usurper\":1}"));
	expect_ok(rename(at("Plain/p/y.json"), at(X)));
	expect_ok(close(fd));
	cr_expect_str_eq(content(X), "{\"usurper\":1}");
}

Test(drafts, a_rename_carries_a_draft_along)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(rename(at(X), at("Plain/p/y.json")));
	cr_expect_str_eq(content("Plain/p/y.json"), OLD);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Plain/p/y.json"), "{\"new\":2}");
	cr_expect_str_eq(content(X), "<ENOENT>");
}

Test(drafts, a_rename_of_the_directories_above_carries_it_too)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(rename(at("Plain/p"), at("Plain/q")));
	expect_ok(rename(at("Plain"), at("Other")));
	expect_ok(close(fd));
	cr_expect_str_eq(content("Other/q/x.json"), "{\"new\":2}");
}

Test(drafts, a_create_lists_as_an_empty_file_at_once)
{
	int fd = open_at("Plain/p/new.json", O_WRONLY | O_CREAT | O_EXCL);
	cr_expect_str_eq(listing_sorted("Plain/p"), "new.json\nx.json\n");
	cr_expect_eq(size_of("Plain/p/new.json"), 0);
	cr_expect_str_eq(content("Plain/p/new.json"), "");
	say(fd, "{\"a\":1}");
	cr_expect_eq(size_of("Plain/p/new.json"), 7); /* of an uncommitted create: its draft's */
	expect_ok(close(fd));
	cr_expect_str_eq(content("Plain/p/new.json"), "{\"a\":1}");
}

Test(drafts, a_create_is_gone_at_release_if_it_never_committed)
{
	int fd = open_at("Plain/p/new.json", O_WRONLY | O_CREAT);
	say(fd, "{\"a\":");
	expect_errno(close(fd), EBADMSG);
	cr_expect(await(is_gone, "Plain/p/new.json"));
	cr_expect_str_eq(listing("Plain/p"), "x.json\n");
	mount_again();
	cr_expect_str_eq(listing("Plain/p"), "x.json\n");
}

Test(drafts, a_create_that_is_just_going_away_does_not_spoil_the_next_one)
{
	/* Its release comes when it will: perhaps between the next open's look at the name and its opening of what was there. */
	for (int i = 0; i < 3000; i++) {
		struct outcome got = put_steps("Plain/p/new.json", "{\"a\":", 5, 0);
		cr_assert(got.open == 0 && got.write == 0 && got.close == EBADMSG,
			  "round %d: open %s, write %s, close %s", i, strerrorname_np(got.open),
			  strerrorname_np(got.write), strerrorname_np(got.close));
	}
	cr_expect(await(is_gone, "Plain/p/new.json"));
}

Test(drafts, an_uncommitted_create_does_not_outlive_a_kill_of_its_writer_with_half_a_document)
{
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(at("Plain/p/new.json"), O_WRONLY | O_CREAT, 0644);
		if (fd < 0 || write(fd, "{\"a\":", 5) != 5)
			_exit(1);
		raise(SIGKILL);
	}
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status));
	cr_expect(await(is_gone, "Plain/p/new.json"));
	cr_assert(refusal_of("Plain/p/new.json"));
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), "{\"a\":");
}

Test(drafts, o_excl_is_attribute_not_exists)
{
	cr_expect_eq(put_steps(X, "{}", 2, O_EXCL).open, EEXIST);
	int fd = open_at("Plain/p/new.json", O_WRONLY | O_CREAT | O_EXCL);
	cr_expect_eq(put_steps("Plain/p/new.json", "{}", 2, O_EXCL).open, EEXIST);
	say(fd, "{}");
	expect_ok(close(fd));
	cr_expect_eq(put_steps("Plain/p/new.json", "{}", 2, O_EXCL).open, EEXIST);
}

Test(drafts, truncating_without_a_handle_commits_or_is_refused)
{
	expect_errno(truncate(at(X), 3), EBADMSG);
	cr_expect_str_eq(content(X), OLD);
	expect_ok(truncate(at(X), 9));
	cr_expect_str_eq(content(X), "{\"old\":1}");
}

static bool is_empty(const char *path)
{
	return size_of(path) == 0;
}

Test(drafts, emptying_leaves_an_item_that_has_only_its_key_and_keeps_the_replaced_bytes)
{
	assert_sh(": > \"$M/" X "\"");
	cr_assert(await(is_empty, X));
	cr_expect_str_eq(content(X), "");
	cr_expect_str_eq(listing("Plain/p"), "x.json\n");
	expect_sh("cat \"$M\"/.itemfs/rejected/*", OLD);
}

Test(drafts, echo_empties_nothing_on_its_way)
{
	/* echo flushes once with nothing written before it writes. */
	for (int i = 0; i < 50; i++)
		assert_sh(text("echo '{\"i\":%d}' > \"$M/" X "\"", i));
	cr_expect_str_eq(content(X), "{\"i\":49}\n");
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
}

Test(drafts, times_set_on_an_open_draft_survive_its_commit)
{
	int fd = open_at("Plain/p/new.json", O_WRONLY | O_CREAT);
	say(fd, "{}");
	const struct timespec times[2] = {{981173106, 123456789}, {981173106, 123456789}};
	expect_ok(futimens(fd, times));
	expect_ok(fchmod(fd, 0600));
	expect_ok(close(fd));
	cr_expect_eq(mtime_of("Plain/p/new.json"), INT64_C(981173106123456789));
	cr_expect_eq(mode_of("Plain/p/new.json"), 0600);
	fd = open_at("Plain/p/new.json", O_WRONLY | O_TRUNC);
	expect_ok(futimens(fd, times));
	say(fd, "{\"later\":1}");
	expect_ok(close(fd));
	cr_expect_gt(mtime_of("Plain/p/new.json"), INT64_C(981173106123456789)); /* the last write came after them */
}

Test(drafts, cp_p_and_tar_bring_times_and_modes)
{
	assert_sh("cd \"$D\" && mkdir in && echo '{\"a\":1}' > in/y.json && chmod 604 in/y.json && touch -d "
		  "'2001-02-03 04:05:06.123456789Z' in/y.json && "
		  "cp -p in/y.json \"$M/Plain/p/\" && cp -p in/y.json \"$M/Plain/p/z.json\" && "
		  "tar -C in --format=posix -cf - . | tar -C \"$M/Plain/p\" --no-same-owner -xf - ./y.json");
	cr_expect_eq(mtime_of("Plain/p/y.json"), INT64_C(981173106123456789));
	cr_expect_eq(mtime_of("Plain/p/z.json"), INT64_C(981173106123456789));
	cr_expect_eq(mode_of("Plain/p/y.json"), 0604);
	cr_expect_eq(mode_of("Plain/p/z.json"), 0604);
}

Test(drafts, what_is_synced_survives_a_kill_of_the_daemon)
{
	int fd = open_at(X, O_WRONLY | O_TRUNC);
	say(fd, "{\"new\":2}");
	expect_ok(fsync(fd));
	mount_kill();
	close(fd);
	mount_up(NULL);
	cr_expect_str_eq(content(X), "{\"new\":2}");
}

Test(drafts, the_sync_option_makes_every_close_durable)
{
	mount_down();
	mount_up("sync");
	expect_ok(put(X, "{\"new\":2}"));
	mount_kill();
	mount_up(NULL);
	cr_expect_str_eq(content(X), "{\"new\":2}");
}
