/* An engine that takes long, under a real mount: one call of LevelDB's or of the disk is held (slow.c) until the test lets it go. What does not need
 * it goes on meanwhile; what does waits, and then has its way; and the daemon can be told to end. No clock is asked: a call that would wait for the
 * one that is held ends this test by its time limit. */
#include "tests/mount/harness.h"
#include "tests/mount/slow_mount.h"
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static struct latch *latch;

static void setup(void)
{
	scratch_setup();
	latch = slow_mount_up();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_ok(mkdir(at("Music/Queen"), 0755));
	assert_ok(put("Music/Queen/A.json", "{\"Year\":1}"));
	assert_ok(put("Music/Queen/B.json", "{\"Year\":2}"));
}

static void teardown(void)
{
	slow_mount_teardown(latch);
}

TestSuite(slow, .init = setup, .fini = teardown, .timeout = 300);

/* ---- somebody else who does one thing: a process of its own. What this one starts would inherit the descriptors of a thread, and the closing of
 * those, a flush, waits for what is held ---- */

typedef int act_fn(const char *path, const char *argument); /* gives 0 or an errno */

static pid_t spawn(act_fn *act, const char *path, const char *argument, bool is_held)
{
	path = at(path);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		close_range(3, ~0U, 0);
		int result = act(path, argument);
		if (is_held)
			latch_open(latch); /* or whoever waits for it to be held would wait long where it was not */
		_exit(result);
	}
	return pid;
}

static pid_t start(act_fn *act, const char *path, const char *argument)
{
	return spawn(act, path, argument, false);
}

static int result_of(pid_t pid)
{
	int status;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* It does it, and its n-th call of this kind is held. */
static pid_t held_at(unsigned long n, unsigned calls, act_fn *act, const char *path, const char *argument)
{
	latch_set(latch, calls, n);
	pid_t pid = spawn(act, path, argument, true);
	cr_assert(latch_await(latch), "nothing was held");
	return pid;
}

static int writes(const char *path, const char *document)
{
	return errno_of(put(path, document));
}

static int writes_durably(const char *path, const char *document)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 || write(fd, document, strlen(document)) < 0 || fsync(fd) < 0 ? errno : 0;
}

static int reads(const char *path, const char *document)
{
	return strcmp(content(path), document) == 0 ? 0 : EIO;
}

static int lists(const char *path, const char *names)
{
	return strcmp(listing(path), names) == 0 ? 0 : EIO;
}

static int renames(const char *path, const char *to)
{
	return errno_of(rename(path, to));
}

static int makes_directory(const char *path, const char *unused)
{
	(void)unused;
	return errno_of(mkdir(path, 0755));
}

static pid_t held(unsigned calls, act_fn *act, const char *path, const char *argument)
{
	return held_at(1, calls, act, path, argument);
}

/* ---- what must not wait ---- */

static void expect_reads_go_on(const char *a)
{
	expect_sh("cat $M/Music/Queen/B.json", "{\"Year\":2}");
	expect_sh("cat $M/Music/Queen/A.json", a);
	expect_sh("stat -c %s $M/Music/Queen/B.json", "10\n");
	expect_sh("ls $M $M/Music/Queen $M/Music/Queen/.ge/B | grep json", "A.json\nB.json\nB.json\n");
	expect_sh("ls $M/Music/.index/by-year", "1\n2\n");
	expect_sh("jq .volume.items $M/.itemfs/stats.json", "2\n");
	expect_sh("cat $M/.itemfs/errors", "");
}

static void expect_both(const char *a, const char *b)
{
	expect_sh("cat $M/Music/Queen/A.json", a);
	expect_sh("cat $M/Music/Queen/B.json", b);
}

static bool has_drafts(const char *count)
{
	return sh(text("jq -e '.open.drafts == %s' $M/.itemfs/stats.json", count)) == 0;
}

Test(slow, reads_go_on_while_a_write_takes_long)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	expect_reads_go_on("{\"Year\":1}");
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	expect_both("{\"Year\":3}", "{\"Year\":2}");
	expect_sh("ls $M/Music/.index/by-year", "2\n3\n");
}

Test(slow, reads_go_on_while_a_sync_takes_long)
{
	pid_t writer = held(SLOW_SYNC, writes_durably, "Music/Queen/A.json", "{\"Year\":3}");
	expect_sh("cat $M/Music/Queen/B.json", "{\"Year\":2}");
	expect_sh("ls $M/Music/Queen $M/Music/Queen/.ge/B | grep json", "A.json\nB.json\nB.json\n");
	expect_sh("jq .volume.items $M/.itemfs/stats.json", "2\n");
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	expect_both("{\"Year\":3}", "{\"Year\":2}");
}

Test(slow, writers_that_come_meanwhile_wait_and_have_their_way)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	pid_t second = start(writes, "Music/Queen/B.json", "{\"Year\":4}");
	pid_t third = start(writes_durably, "Music/Queen/C.json", "{\"Year\":5}");
	cr_expect(await(has_drafts, "3"), "all have written, and the first commit is under way");
	expect_both("{\"Year\":1}", "{\"Year\":2}");
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	cr_expect_eq(result_of(second), 0);
	cr_expect_eq(result_of(third), 0);
	expect_both("{\"Year\":3}", "{\"Year\":4}");
	expect_sh("ls $M/Music/.index/by-year", "3\n4\n5\n");
}

Test(slow, two_writers_of_one_item_take_turns_and_no_reader_sees_a_mixture)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	pid_t second = start(writes, "Music/Queen/A.json", "{\"Year\":4}");
	cr_expect(await(has_drafts, "2"));
	expect_reads_go_on("{\"Year\":1}");
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	cr_expect_eq(result_of(second), 0);
	expect_both("{\"Year\":4}", "{\"Year\":2}");
	expect_sh("ls $M/Music/.index/by-year", "2\n4\n");
}

/* All that waits for the one that is held, and for one another: names that change, too. */
Test(slow, names_that_change_meanwhile_have_their_turn)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	pid_t others[] = {
	    start(renames, "Music/Queen/B.json", at("Music/Queen/D.json")),
	    start(renames, "Music/Queen", at("Music/King")),
	    start(makes_directory, ".itemfs/snapshots/now", NULL),
	    start(makes_directory, "Music/Abba", NULL),
	};
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		int result = result_of(others[i]);
		cr_expect(result == 0 || (i == 0 && result == ENOENT), "%zu gives %s", i, strerrorname_np(result)); /* the directory may have gone before */
	}
	expect_sh("cat $M/Music/King/A.json", "{\"Year\":3}");
	expect_sh("cat $M/Music/King/[BD].json", "{\"Year\":2}");
	assert_sh("rmdir $M/.itemfs/snapshots/now");
}

/* As the daemon says, not as the kernel remembers. */
static struct timespec changed(const char *path)
{
	struct statx st;
	assert_ok(statx(AT_FDCWD, at(path), AT_STATX_FORCE_SYNC, STATX_MTIME, &st));
	return (struct timespec){st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec};
}

/* A commit is in the store before it is counted. Who has seen it there is not told by what was remembered before. */
Test(slow, who_was_told_of_a_commit_is_not_told_of_what_was_before_it)
{
	struct timespec before = changed("Music/Queen");
	pid_t writer = held(SLOW_STORED, writes, "Music/.import/c.jsonl", "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Title\":{\"S\":\"C\"},\"Year\":{\"N\":\"3\"}}}\n");
	expect_sh("ls $M/Music/.index/by-year", "1\n2\n3\n");
	struct timespec now = changed("Music/Queen");
	cr_expect(now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec);
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	expect_sh("jq .Year $M/Music/Queen/C.json", "3\n");
}

/* What was read is what is emptied, though it was not counted yet: to empty it was not before it. */
Test(slow, what_was_read_of_a_commit_can_be_emptied_at_once)
{
	pid_t writer = held(SLOW_STORED, writes, "Music/Queen/A.json", "{\"Year\":3}");
	expect_sh("cat $M/Music/Queen/A.json", "{\"Year\":3}");
	int fd = open(at("Music/Queen/A.json"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	cr_assert(fd >= 0);
	assert_ok(close(fd));
	expect_sh("cat $M/Music/Queen/A.json", "");
}

static int looks_at(const char *path, const char *unused)
{
	struct statx st;
	(void)unused;
	return errno_of(statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_MTIME, &st));
}

static bool has_handles(const char *count)
{
	return sh(text("jq -e '.open.handles <= %s' $M/.itemfs/stats.json", count)) == 0;
}

/* Who looks at it keeps what its writer left in memory: that is older than a time that is set then. */
Test(slow, a_time_that_is_set_stands_though_somebody_looks_at_the_file)
{
	static const struct timespec then[2] = {{1000, 1}, {1000, 1}};
	int fd = open(at("Music/Queen/notes.txt"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(write(fd, "words", 5), 5);
	assert_ok(fsync(fd));
	for (int i = 0; i < 4000; i++) /* so that other rows are at hand, and not this one's */
		expect_errno(access(at(text("Music/Queen/%d", i)), F_OK), ENOENT);
	pid_t reader = held(SLOW_GET, looks_at, "Music/Queen/notes.txt", NULL);
	assert_ok(close(fd));
	cr_assert(await(has_handles, "1"), "the kernel has told of the end");
	assert_ok(utimensat(AT_FDCWD, at("Music/Queen/notes.txt"), then, 0));
	cr_expect_eq(changed("Music/Queen/notes.txt").tv_sec, 1000);
	latch_open(latch);
	cr_expect_eq(result_of(reader), 0);
	cr_expect_eq(changed("Music/Queen/notes.txt").tv_sec, 1000);
}

/* Nothing of what is read is in a cache. In another directory: libfuse 3.14 does not tell the kernel that a directory takes more than one lookup or listing at a time. */
static void expect_nobody_waits_for(unsigned calls, act_fn *act, const char *path, const char *argument)
{
	assert_sh("mkdir $M/Music/Abba && printf '{\"Year\":8}' > $M/Music/Abba/SOS.json");
	mount_again();
	assert_sh("stat $M/Music/Abba $M/Music/Queen/B.json");
	pid_t reader = held(calls, act, path, argument);
	expect_sh("cat $M/Music/Queen/B.json", "{\"Year\":2}");
	assert_ok(put("Music/Queen/B.json", "{\"Year\":6}"));
	assert_ok(put("Music/Queen/C.json", "{\"Year\":7}"));
	expect_sh("cat $M/Music/Queen/B.json", "{\"Year\":6}");
	expect_sh("ls $M/Music/.index/by-year", "1\n6\n7\n8\n");
	expect_sh("jq .volume.items $M/.itemfs/stats.json", "4\n");
	latch_open(latch);
	cr_expect_eq(result_of(reader), 0);
}

Test(slow, nobody_waits_for_a_read_that_takes_long)
{
	expect_nobody_waits_for(SLOW_GET, reads, "Music/Abba/SOS.json", "{\"Year\":8}");
}

Test(slow, nobody_waits_for_a_listing_that_takes_long)
{
	expect_nobody_waits_for(SLOW_CURSOR, lists, "Music/Abba", "SOS.json\n");
}

/* SIGTERM does not wait any more: its handler has run, or is about to. */
static bool has_taken_signal(const char *unused)
{
	char line[256];
	unsigned long long pending = 1;
	FILE *status = fopen(text("/proc/%d/status", mount_pid()), "r");
	(void)unused;
	while (status && fgets(line, sizeof line, status))
		if (sscanf(line, "ShdPnd: %llx", &pending) == 1)
			break;
	if (status)
		fclose(status);
	return !(pending & 1ull << (SIGTERM - 1));
}

Test(slow, a_daemon_that_is_told_to_end_ends_after_the_write_that_takes_long)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	kill(mount_pid(), SIGTERM);
	cr_assert(await(has_taken_signal, NULL));
	latch_open(latch);
	int result = result_of(writer);
	mount_stop();
	mount_up(NULL);
	expect_both(result ? content("Music/Queen/A.json") : "{\"Year\":3}", "{\"Year\":2}");
}

Test(slow, a_mount_that_is_taken_down_under_a_write_that_takes_long_has_it_afterwards)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	cr_expect_neq(sh("fusermount3 -u $M"), 0, "it is in use");
	assert_sh("fusermount3 -uz $M");
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	mount_stop();
	mount_up(NULL);
	expect_both("{\"Year\":3}", "{\"Year\":2}");
}

static int checks(const char *path, const char *volume_of)
{
	(void)path;
	return fsck_volume(volume_of);
}

/* The mount is gone before the daemon has seen it, which may take longer than who asks would wait for somebody else's volume. */
Test(slow, a_volume_whose_mount_is_gone_is_waited_for)
{
	pid_t writer = held(SLOW_WRITE, writes, "Music/Queen/A.json", "{\"Year\":3}");
	assert_sh("fusermount3 -uz $M");
	pid_t checker = start(checks, "", volume());
	poll(NULL, 0, 1500); /* past its patience; if it has not begun by then, the test shows less */
	latch_open(latch);
	cr_expect_eq(result_of(writer), 0);
	cr_expect_eq(result_of(checker), 0);
	mount_stop();
}

/* ---- what the kernel is told late ---- */

static int walks(const char *path, const char *unused)
{
	(void)unused;
	return *listing(path) == '<' ? EIO : 0;
}

static void import_items(const char *partition, int count)
{
	assert_sh(text("seq -f '{\"Item\":{\"Artist\":{\"S\":\"%s\"},\"Title\":{\"S\":\"%%05g\"}}}' %d > $D/items.jsonl && cp $D/items.jsonl $M/Music/.import/", partition, count));
}

static int begun(const char *path)
{
	int fd = open(at(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert(fd >= 0 && write(fd, "{", 1) == 1);
	return fd;
}

static bool is_removed(const char *directory)
{
	return rmdir(at(directory)) == 0;
}

/* A notice waits, as the kernel lists the directory that one before it is about; the directory that it is about goes, the kernel forgets it, and
 * files come whose nodes could have its id. Told of a name in a file, the kernel says ENOTDIR, which libfuse prints. */
Test(slow, a_notice_that_was_kept_waiting_is_not_about_what_came_since)
{
	enum { MANY = 40 };
	int fds[MANY], first;
	mount_down();
	setenv("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99:quarantine_size_mb=0:thread_local_quarantine_size_kb=0", 1); /* memory is used again at once */
	mount_up(NULL);
	import_items("Held", 100);
	import_items("Room", 2000);
	first = begun("Music/Held/x.json");
	for (int i = 0; i < MANY; i++) {
		assert_ok(mkdir(at(text("Music/Gone%d", i)), 0755));
		fds[i] = begun(text("Music/Gone%d/x.json", i));
	}
	pid_t reader = held_at(50, SLOW_CURSOR, walks, "Music/Held", NULL);
	expect_errno(close(first), EBADMSG);
	cr_expect(await(has_drafts, text("%d", MANY)));
	for (int i = 0; i < MANY; i++)
		expect_errno(close(fds[i]), EBADMSG);
	for (int i = 0; i < MANY; i++)
		cr_expect(await(is_removed, text("Music/Gone%d", i)));
	sh("ls -l $M/Music/Room > /dev/null");
	latch_open(latch);
	cr_expect_eq(result_of(reader), 0);
	import_items("Queen", 1); /* waits until all notices are sent */
	cr_expect_null(strstr(mount_said(), "fuse:"), "%s", mount_said());
}
