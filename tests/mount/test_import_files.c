/* Imports: the directory TABLE/.import, its files and its results, and what becomes of a file that is removed, replaced or cut short while it is
 * written or read. What is imported is in test_imports.c. */
#include "tests/mount/harness.h"
#include "tests/mount/imports.h"
#include <signal.h>
#include <sys/wait.h>

TestSuite(imports, .init = imports_setup, .fini = mount_teardown, .timeout = 600);

/* ---- the directory ---- */

Test(imports, the_directory_is_typed_and_never_listed)
{
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	cr_expect_str_eq(listing("Music/.import"), "");
	cr_expect_eq(mode_of("Music/.import"), 0700);
	expect_errno(mkdir(at("Music/.import"), 0755), EEXIST);
	expect_errno(mkdir(at("Music/.import/x"), 0755), EPERM);
	expect_errno(rmdir(at("Music/.import")), EPERM);
	expect_errno(put("Music/.import/a.txt", "x"), EINVAL);
	cr_assert(refusal_of("Music/.import/a.txt"));
	expect_says("reason", "NAME.jsonl, NAME.json or NAME.csv");
	expect_errno(put("Music/.import/a.result.json", "[]"), EINVAL);
	expect_errno(put("Music/.import/a.refused.jsonl", ""), EINVAL);
	expect_errno(unlink(at("Music/.import/a.jsonl")), ENOENT);
	expect_errno(symlink("x", at("Music/.import/l.jsonl")), EPERM);
	expect_errno(open(at(".import"), O_RDONLY), ENOENT);
	expect_errno(open(at("Music/.import/a.jsonl"), O_RDONLY), ENOENT);
}

Test(imports, results_can_be_read_and_removed_and_not_written)
{
	expect_ok(put("Music/.import/a.jsonl", LIAR));
	expect_errno(put("Music/.import/a.jsonl.result.json", "{}"), EROFS);
	expect_errno(truncate(at("Music/.import/a.jsonl.result.json"), 0), EROFS);
	cr_expect_eq(mode_of("Music/.import/a.jsonl.result.json"), 0444);
	expect_errno(rename(at("Music/.import/a.jsonl.result.json"), at("Music/.import/.x")), EPERM);
	assert_sh("mv \"$M/Music/.import/a.jsonl.result.json\" \"$D/\" && grep -q '\"created\": 1' \"$D/a.jsonl.result.json\"");
	cr_expect_str_eq(listing("Music/.import"), "");
	for (int i = 0; i < 80; i++)
		expect_ok(put(text("Music/.import/%d.jsonl", i), LIAR));
	cr_expect_eq(imports_items_in("Music/.import"), 64); /* the oldest go first */
	cr_expect(exists("Music/.import/79.jsonl.result.json"));
	assert_sh("rm \"$M/Music/.import/\"*");
	cr_expect_str_eq(listing("Music/.import"), "");
}

Test(imports, a_temporary_name_is_imported_when_it_is_renamed)
{
	expect_ok(put("Music/.import/.a.jsonl.XyZ", LIAR "\n"));
	cr_expect_not(exists("Music/Queen"));
	cr_expect_str_eq(content("Music/.import/.a.jsonl.XyZ"), LIAR "\n");
	expect_ok(chmod(at("Music/.import/.a.jsonl.XyZ"), 0640));
	expect_ok(rename(at("Music/.import/.a.jsonl.XyZ"), at("Music/.import/.b")));
	expect_ok(rename(at("Music/.import/.b"), at("Music/.import/a.jsonl")));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_eq(mode_of("Music/Queen/Liar.json"), 0640);
	cr_expect_str_eq(listing("Music/.import"), "a.jsonl.result.json\n");
	expect_ok(put("Music/.import/.c", "oops\n"));
	expect_errno(rename(at("Music/.import/.c"), at("Music/.import/c.jsonl")), EBADMSG);
	cr_expect_str_eq(content("Music/.import/.c"), "oops\n");
	expect_errno(rename(at("Music/.import/.c"), at("Music/x")), EXDEV);
	expect_errno(rename(at("Music/.import/.c"), at("Music/.import/c")), EINVAL);
}

Test(imports, a_table_with_results_can_be_removed)
{
	expect_ok(put("Music/.import/a.jsonl", LIAR));
	assert_sh("rm -r \"$M/Music\"");
	cr_expect_str_eq(listing(""), "");
	declare("Music", "Artist:S Title:S", NULL);
	cr_expect_str_eq(listing("Music/.import"), "");
}

Test(imports, a_file_of_nothing_imports_nothing)
{
	expect_ok(put("Music/.import/a.jsonl", ""));
	expect_ok(put("Music/.import/b.json", ""));
	expect_ok(put("Music/.import/c.jsonl", "\n\n"));
	expect_ok(put("Music/.import/d.json", "[]"));
	cr_expect(await(is_gone, "Music/.import/a.jsonl"));
	cr_expect(await(is_gone, "Music/.import/b.json"));
	cr_expect_eq(imports_figure("Music/.import/c.jsonl.result.json", "records"), 0);
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	cr_expect_eq(refusals(), 0);
}

/* ---- files that are being written ---- */

static bool is_there(const char *path)
{
	return exists(path);
}

Test(imports, commands_that_share_a_descriptor_write_one_file)
{
	assert_sh("cd \"$M/Music\"; printf '%s\\n{\"Artist\":' '" SOS "' > \"$D/1\"; printf '\"Queen\",\"Title\":\"x\"}\\n' > \"$D/2\";"
		  "{ cat \"$D/1\" 2>/dev/null; cat \"$D/2\"; echo '" LIAR "'; } > .import/a.jsonl");
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect_str_eq(content("Music/Queen/x.json"), "{\"Artist\":\"Queen\",\"Title\":\"x\"}");
	cr_expect(await(is_there, "Music/Queen/Liar.json"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_eq(refusals(), 0);
}

Test(imports, bytes_may_come_in_any_order)
{
	int fd = open(at("Music/.import/a.jsonl"), O_WRONLY | O_CREAT, 0644);
	cr_assert(fd >= 0);
	size_t n = strlen(LIAR "\n" SOS "\n");
	for (size_t at_byte = n; at_byte-- > 0;)
		cr_expect_eq(pwrite(fd, &(LIAR "\n" SOS "\n")[at_byte], 1, (off_t)at_byte), 1);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	fd = open(at("Music/.import/b.jsonl"), O_WRONLY | O_CREAT, 0644);
	cr_expect_eq(write(fd, "oops\n", 5), 5);
	expect_errno(fsync(fd), EBADMSG);
	expect_errno(fsync(fd), EBADMSG);
	expect_ok(ftruncate(fd, 0));
	cr_expect_eq(pwrite(fd, LIAR, strlen(LIAR), 0), (ssize_t)strlen(LIAR));
	expect_ok(fsync(fd));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	expect_ok(close(fd));
}

Test(imports, an_old_file_is_not_forgotten_while_it_is_closed)
{
	int fd = open(at("Music/.import/old.jsonl"), O_WRONLY | O_CREAT, 0644);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, "{\"Artist\":\"Qu", 13), 13);
	for (int i = 0; i < 70; i++) /* more results than are kept */
		expect_ok(put(text("Music/.import/%d.jsonl", i), LIAR "\n"));
	close(fd); /* it may not be the last close: what is wrong is said when nobody is left */
	cr_assert(refusal_of("Music/.import/old.jsonl"));
	expect_says("reason", "the file ends inside the object");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), "{\"Artist\":\"Qu");
}

Test(imports, what_is_removed_while_it_is_written_is_not_imported)
{
	int fd = open(at("Music/.import/a.jsonl"), O_RDWR | O_CREAT, 0644);
	struct stat st;
	char seen[8] = "";
	cr_assert(fd >= 0);
	cr_expect_eq(write(fd, LIAR "\n", sizeof LIAR), (ssize_t)sizeof LIAR);
	expect_ok(unlink(at("Music/.import/a.jsonl")));
	expect_ok(fstat(fd, &st));
	cr_expect_eq(st.st_size, (off_t)sizeof LIAR);
	cr_expect_eq(pread(fd, seen, 3, 0), 3);
	expect_ok(close(fd));
	cr_expect_not(exists("Music/Queen"));
	cr_expect_str_eq(listing("Music/.import"), "");
}

Test(imports, what_is_replaced_while_it_is_written_is_imported_all_the_same)
{
	int first = open(at("Music/.import/a.jsonl"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	cr_assert(first >= 0);
	cr_expect_eq(write(first, LIAR "\n", sizeof LIAR), (ssize_t)sizeof LIAR);
	int second = open(at("Music/.import/a.jsonl"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	cr_assert(second >= 0);
	cr_expect_eq(write(second, SOS "\n", sizeof SOS), (ssize_t)sizeof SOS);
	expect_ok(put("Music/.import/.a", "{\"Artist\":\"Abba\",\"Title\":\"Fernando\"}\n"));
	expect_ok(rename(at("Music/.import/.a"), at("Music/.import/a.jsonl")));
	expect_ok(close(second));
	expect_ok(close(first));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect(exists("Music/Abba/Fernando.json"));
	cr_expect_str_eq(listing("Music/.import"), "a.jsonl.result.json\n");
}

/* Whether the daemon holds no file without a name, which is where what is written to `.import` lies. */
static bool holds_no_space(const char *descriptors)
{
	return sh(text("readlink %s/* | grep -q '(deleted)'", descriptors)) == 1;
}

Test(imports, the_space_of_a_file_is_given_back)
{
	expect_ok(put("Music/.import/a.jsonl", LIAR));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	expect_errno(put("Music/.import/b.jsonl", "oops\n"), EBADMSG);
	cr_expect(exists("Music/.import/b.jsonl"));
	assert_sh("rm \"$M/Music/.import/\"*");
	cr_expect(await(holds_no_space, text("/proc/%d/fd", (int)mount_pid())));
}

/* ---- writers and daemons that are killed ---- */

/* Starts a cp of a file into `.import`. */
static pid_t start_copy(const char *from, const char *to)
{
	const char *target = at(to);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		close(1);
		close(2);
		execlp("cp", "cp", from, target, (char *)NULL);
		_exit(127);
	}
	return pid;
}

Test(imports, a_daemon_that_is_killed_leaves_whole_batches)
{
	pid_t copy = start_copy(imports_lines("a", 30000, 0), "Music/.import/a.jsonl");
	cr_assert(await(is_there, "Music/Many"));
	mount_kill();
	waitpid(copy, NULL, 0);
	mount_up(NULL);
	long count = imports_items_in("Music/Many");
	cr_expect(count > 0 && count % 1000 == 0, "%ld items", count);
}

Test(imports, a_daemon_that_is_killed_leaves_a_small_file_whole_or_not_at_all)
{
	pid_t copy = start_copy(imports_lines("a", 8000, 0), "Music/.import/a.jsonl");
	cr_assert(await(is_there, "Music/.import/a.jsonl") || exists("Music/Many"));
	mount_kill();
	waitpid(copy, NULL, 0);
	mount_up(NULL);
	long count = imports_items_in("Music/Many");
	cr_expect(count == 0 || count == 8000, "%ld items", count);
}

Test(imports, a_writer_that_is_killed_imports_nothing_of_what_is_cut)
{
	static const char half[] = SOS "\n{\"Artist\":\"Qu";
	const char *path = at("Music/.import/a.jsonl");
	int ready[2];
	char byte;
	cr_assert_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		(void)!write(fd, half, sizeof half - 1);
		(void)!write(ready[1], "x", 1);
		pause();
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("reason", "the file ends inside the object");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), half);
	cr_expect_not(exists("Music/ABBA"));
}

/* ---- files that take long ---- */

enum { FAR = 1 << 20 }; /* MiB: a terabyte */

/* A file with a line at its beginning (may be empty), and zeros up to its end. */
static int close_zeros(const char *name, const char *line, off_t mib)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
	cr_assert_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	if (ftruncate(fd, mib << 20) < 0)
		cr_skip("the disk takes no file of a terabyte");
	return errno_of(close(fd));
}

Test(imports, a_file_of_zeros_is_refused_before_it_is_read_to_its_end)
{
	cr_expect_eq(close_zeros("Music/.import/nothing.jsonl", "", FAR), EBADMSG);
	cr_assert(refusal_of("Music/.import/nothing.jsonl"));
	expect_says("reason", "longer than any item");
	cr_expect_eq(close_zeros("Music/.import/some.jsonl", LIAR "\n", FAR), EBADMSG);
	cr_expect_eq(close_zeros("Music/.import/rows.csv", "Artist,Title\nQueen,Liar\n\"", FAR), EBADMSG);
	cr_expect_eq(close_zeros("Music/.import/array.json", "[" LIAR, FAR), EBADMSG);
	cr_expect_eq(listing_sorted("Music")[0], '.', "%s", listing_sorted("Music"));
	cr_expect_not(exists("Music/Queen"));
}

static unsigned long long bytes_read(void)
{
	const char *said = content(text("/proc/%d/io", mount_pid()));
	return strtoull(strstr(said, "rchar: ") + strlen("rchar: "), NULL, 10);
}

/* Begins an import that takes minutes, of lines that are too long, in a process that exits with close's errno. Returns when the daemon is at it. */
static pid_t begin_long_import(void)
{
	enum { LINES = 4096, LINE_MIB = 60 };
	if (!strstr(content(text("/proc/%d/io", mount_pid())), "rchar: "))
		cr_skip("the kernel does not count what a process reads");
	pid_t child = fork();
	if (child == 0) {
		int fd = open(at("Music/.import/long.jsonl"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		for (off_t i = 1; i <= LINES; i++)
			if (pwrite(fd, "\n", 1, (i * LINE_MIB << 20) - 1) != 1)
				_exit(EXDEV);
		_exit(errno_of(close(fd)));
	}
	while (size_of("Music/.import/long.jsonl") < (off_t)LINES * LINE_MIB << 20 && waitpid(child, NULL, WNOHANG) == 0)
		usleep(10000);
	unsigned long long before = bytes_read();
	while (bytes_read() < before + (64u << 20) && waitpid(child, NULL, WNOHANG) == 0)
		usleep(10000);
	return child;
}

static int end_of(pid_t child)
{
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(imports, that_is_removed_meanwhile_breaks_off)
{
	pid_t child = begin_long_import();
	expect_ok(unlink(at("Music/.import/long.jsonl")));
	int end = end_of(child);
	cr_expect_eq(end, EINTR, "%s", strerrorname_np(end));
	cr_assert(refusal_of("Music/.import/long.jsonl"));
	expect_says("reason", "removed");
	expect_ok(put("Music/.import/after.jsonl", LIAR "\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
}

Test(imports, break_off_where_the_mount_ends)
{
	pid_t child = begin_long_import();
	mount_stop();
	int end = end_of(child);
	cr_expect(end == EINTR || end == ENOTCONN || end == ECONNABORTED, "%s", strerrorname_np(end));
	mount_up(NULL);
	cr_expect(refusal_of("Music/.import/long.jsonl"));
	expect_says("reason", "the mount ended");
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
}
