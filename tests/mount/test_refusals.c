/* Bad input: refused where it is seen, the old item kept, the refused bytes kept, the reason told. */
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define LIAR "Music/Queen/Liar.json"
#define OLD  "{\"Year\":1973}\n"

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/" LIAR "\"");
}

TestSuite(refusals, .init = setup, .fini = mount_teardown, .timeout = 600);

/* The bytes kept for the current line of the journal. */
static const char *kept_bytes(void)
{
	return content(text(".itemfs/rejected/%s", refusal("rejected")));
}

static int open_liar(int flags)
{
	int fd = open(at(LIAR), flags | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0);
	return fd;
}

Test(refusals, hopeless_json_is_refused_by_the_write_itself)
{
	struct outcome got = put_steps(LIAR, "{oops", 5, 0);
	cr_expect_eq(got.open, 0);
	cr_expect_eq(got.write, EBADMSG);
	cr_expect_str_eq(content(LIAR), OLD);
	got = put_steps(LIAR, "[1]", 3, 0);
	cr_expect_eq(got.write, EBADMSG);
}

Test(refusals, every_shells_echo_prints_an_error)
{
	const char *shells[] = {"bash", "dash", "sh"};
	for (int i = 0; i < 3; i++) {
		cr_expect_neq(sh(text("%s -c \"echo '{oops' > '%s'\"", shells[i], at(LIAR))), 0, "%s", shells[i]);
		cr_expect(strstr(sh_output(), "Bad message") || strstr(sh_output(), "I/O error"), "%s: %s", shells[i],
			  sh_output());
		cr_expect_neq(sh(text("%s -c \"printf '{\\\"a\\\":1}}' > '%s'\"", shells[i], at(LIAR))), 0, "%s",
			      shells[i]);
	}
	cr_expect_str_eq(content(LIAR), OLD);
}

Test(refusals, unfinished_json_is_refused_by_close)
{
	struct outcome got = put_steps(LIAR, "{\"Year\":", 8, 0);
	cr_expect_eq(got.write, 0);
	cr_expect_eq(got.close, EBADMSG);
	cr_expect_str_eq(content(LIAR), OLD);
	cr_assert(refusal_of(LIAR));
	cr_expect_str_eq(kept_bytes(), "{\"Year\":");
}

Test(refusals, unfinished_json_is_refused_by_fsync_and_the_draft_lives_on)
{
	int fd = open_liar(O_WRONLY | O_TRUNC);
	cr_expect_eq(write(fd, "{\"Year\":", 8), 8);
	expect_errno(fsync(fd), EBADMSG);
	cr_expect_eq(write(fd, "1974}", 5), 5);
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
}

Test(refusals, a_refused_write_poisons_the_handle_until_it_is_truncated_to_nothing)
{
	int fd = open_liar(O_RDWR | O_TRUNC);
	expect_errno(write(fd, "{oops", 5), EBADMSG);
	expect_errno(pwrite(fd, "{}", 2, 0), EBADMSG);
	expect_errno(fsync(fd), EBADMSG);
	cr_expect_str_eq(content(LIAR), OLD);
	expect_ok(ftruncate(fd, 0));
	cr_expect_eq(pwrite(fd, "{\"Year\":1974}", 13, 0), 13);
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
}

Test(refusals, a_poisoned_handles_close_gives_the_same_errno)
{
	int fd = open_liar(O_WRONLY | O_TRUNC);
	expect_errno(write(fd, "{oops", 5), EBADMSG);
	expect_errno(close(fd), EBADMSG);
	cr_expect_str_eq(content(LIAR), OLD);
}

Test(refusals, a_document_written_out_of_order_is_checked_at_its_end)
{
	int fd = open_liar(O_WRONLY | O_TRUNC);
	cr_expect_eq(pwrite(fd, "1974}", 5, 8), 5);
	cr_expect_eq(pwrite(fd, "{\"Year\":", 8, 0), 8);
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	fd = open_liar(O_WRONLY | O_TRUNC);
	cr_expect_eq(pwrite(fd, "1974;", 5, 8), 5);
	int wrote = errno_of(pwrite(fd, "{\"Year\":", 8, 0));
	int closed = errno_of(close(fd));
	cr_expect(wrote == EBADMSG || closed == EBADMSG);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
}

Test(refusals, a_refusal_is_told_in_errors_with_its_place)
{
	/* In one write: bash's own printf makes one of each line, and after a refused one sends what is left in an order of its own. */
	expect_errno(put(LIAR, "{\n  \"Year\": 1973,\n  \"Label\": oops\n}\n"), EBADMSG);
	cr_assert(refusal_of(LIAR));
	cr_expect_str_eq(refusal("errno"), "EBADMSG");
	expect_says("reason", "line 3");
	expect_says("reason", "column 12");
	cr_expect_gt(atoi(refusal("pid")), 1);
	cr_expect_gt(strlen(refusal("time")), 9);
	cr_expect_str_eq(kept_bytes(), "{\n  \"Year\": 1973,\n  \"Label\": oops\n}\n");
	expect_sh("tail -n 1 \"$M/.itemfs/errors\" | jq -r 'keys | join(\" \")'",
		  "errno path pid reason rejected time\n");
}

Test(refusals, the_pid_is_the_writers)
{
	sh("echo $$ > \"$D/pid\"; echo '{oops' > \"$M/" LIAR "\"; true");
	cr_assert(refusal_of(LIAR));
	cr_expect_eq(atoi(refusal("pid")), atoi(content(scratch("pid"))));
}

Test(refusals, there_is_one_a_handle_at_most)
{
	int fd = open_liar(O_WRONLY | O_TRUNC);
	cr_expect_eq(write(fd, "{\"Year\":", 8), 8);
	for (int i = 0; i < 3; i++) {
		int copy = dup(fd);
		expect_errno(close(copy), EBADMSG);
	}
	expect_errno(close(fd), EBADMSG);
	cr_assert(refusal_of(LIAR));
	expect_sh("ls \"$M/.itemfs/rejected\" | wc -l", "1\n");
	expect_ok(put("Music/Queen/Seven.json", "{}"));
	cr_expect_eq(refusals(), 1);
}

Test(refusals, the_bytes_are_kept_exactly_and_over_a_remount)
{
	assert_sh("head -c 100000 /dev/urandom | base64 -w0 > \"$D/noise\" && { printf '{\"a\":\"'; cat \"$D/noise\"; "
		  "} > \"$D/bad\"");
	cr_expect_neq(sh("cp \"$D/bad\" \"$M/" LIAR "\""), 0);
	cr_assert(refusal_of(LIAR));
	const char *id = refusal("rejected");
	assert_sh(text("cmp \"$D/bad\" \"$M/.itemfs/rejected/%s\"", id));
	const char *line = content(".itemfs/errors");
	mount_again();
	assert_sh(text("cmp \"$D/bad\" \"$M/.itemfs/rejected/%s\"", id));
	cr_expect_str_eq(content(".itemfs/errors"), line);
	/* Those that follow get names of their own. */
	sh("echo '{oops' > \"$M/" LIAR "\"");
	expect_sh("ls \"$M/.itemfs/rejected\" | wc -l", "2\n");
}

Test(refusals, a_rejected_file_is_there_until_it_is_removed_and_cannot_be_changed)
{
	put(LIAR, "{oops");
	cr_assert(refusal_of(LIAR));
	const char *path = text(".itemfs/rejected/%s", refusal("rejected"));
	cr_expect_str_eq(content(path), "{oops");
	cr_expect_neq(put_steps(path, "x", 1, 0).open, 0);
	cr_expect_neq(put_steps(".itemfs/rejected/new", "x", 1, 0).open, 0);
	expect_ok(unlink(at(path)));
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
	mount_again();
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
}

/* A daemon ended by this, found in CI: there cmp's close came after rm. */
Test(refusals, a_rejected_file_that_is_removed_is_read_to_its_end_by_who_has_it_open)
{
	char got[100];
	struct stat st;
	put(LIAR, "{oops");
	cr_assert(refusal_of(LIAR));
	const char *path = text(".itemfs/rejected/%s", refusal("rejected"));
	int fd = open(at(path), O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	expect_ok(unlink(at(path)));
	cr_expect_eq(pread(fd, got, sizeof got, 0), 5);
	cr_expect_eq(memcmp(got, "{oops", 5), 0);
	expect_ok(fstat(fd, &st));
	cr_expect_eq(st.st_size, 5);
	cr_expect_eq(st.st_nlink, 0);
	/* Nobody changes it, there or gone. */
	expect_errno(fchmod(fd, 0644), EPERM);
	expect_errno(fchown(fd, (uid_t)-1, getgid()), EPERM);
	expect_errno(futimens(fd, NULL), EPERM);
	expect_ok(close(fd));
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
}

Test(refusals, rejected_files_are_bounded_and_the_oldest_go_first)
{
	assert_sh("for ((i = 0; i < 1500; i++)); do echo \"{oops$i\" > \"$M/" LIAR "\"; done 2> /dev/null; true");
	expect_sh(
	    "n=$(ls \"$M/.itemfs/rejected\" | wc -l); [ $n -ge 10 ] && [ $n -lt 1500 ] && echo bounded || echo $n",
	    "bounded\n");
	expect_sh("cat \"$M/.itemfs/rejected/$(tail -n 1 \"$M/.itemfs/errors\" | jq -r .rejected)\"", "{oops1499\n");
	expect_sh("grep -L oops \"$M\"/.itemfs/rejected/*", "");
	expect_sh("cat \"$M\"/.itemfs/rejected/* | grep -cx '{oops0'; true", "0\n");
}

Test(refusals, emptying_an_item_keeps_the_replaced_bytes)
{
	assert_sh(": > \"$M/" LIAR "\" && until [ \"$(stat -c %s \"$M/" LIAR "\")\" = 0 ]; do sleep 0.01; done");
	cr_assert(refusal_of(LIAR));
	cr_expect_str_eq(kept_bytes(), OLD);
	cr_expect_str_eq(content(LIAR), "");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
	mount_again();
	cr_expect_str_eq(kept_bytes(), OLD);
}

Test(refusals, a_killed_writer_commits_no_part)
{
	const char *point = at(LIAR);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			int fd = open(point, O_WRONLY | O_TRUNC);
			if (write(fd, "{\"Year\":19", 10) != 10)
				_exit(1);
			raise(SIGKILL);
		}
		int status;
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect(WIFSIGNALED(status));
	}
	cr_assert(refusal_of(LIAR));
	cr_expect_str_eq(kept_bytes(), "{\"Year\":19");
	cr_expect_str_eq(content(LIAR), OLD);
}

Test(refusals, the_last_error_of_a_file_is_an_extended_attribute)
{
	put(LIAR, "{\"Title\":\"Seven\"}");
	expect_sh("getfattr --absolute-names --only-values -n user.itemfs.error \"$M/" LIAR
		  "\" | grep -o Title | head -n 1",
		  "Title\n");
	sh("echo '{oops' > \"$M/" LIAR "\"");
	cr_expect_eq(sh("getfattr --absolute-names --only-values -n user.itemfs.error \"$M/" LIAR "\" | grep -q Title"),
		     1);
	char buffer[4];
	expect_errno(getxattr(at(LIAR), "user.itemfs.error", buffer, sizeof buffer), ERANGE);
	expect_errno(getxattr(at(LIAR), "user.other", NULL, 0), ENODATA);
	expect_ok(put("Music/Queen/Seven.json", "{}"));
	expect_errno(getxattr(at("Music/Queen/Seven.json"), "user.itemfs.error", NULL, 0), ENODATA);
}

Test(refusals, the_errors_file_is_json_lines_and_cannot_be_written)
{
	put(LIAR, "{oops");
	put(LIAR, "{\"a\\q\":1}");
	cr_assert(refusal_of(LIAR));
	assert_sh("jq -e . \"$M/.itemfs/errors\" > /dev/null");
	cr_expect_neq(put_steps(".itemfs/errors", "x", 1, 0).open, 0);
	cr_expect(refusals() >= 2);
}

Test(refusals, the_errors_file_is_as_large_as_what_it_holds)
{
	cr_expect_eq(size_of(".itemfs/errors"), 0);
	expect_errno(put(LIAR, "{\"Year\":oops}"), EBADMSG);
	expect_errno(put("Music/Queen/Other.json", "{\"Year\":\"x\"}"), EBADMSG);
	cr_assert(refusal_of("Music/Queen/Other.json"));
	cr_expect_eq(size_of(".itemfs/errors"), (off_t)strlen(content(".itemfs/errors")));
	expect_sh("tail -n 1 \"$M/.itemfs/errors\" | grep -c Other.json; stat -c %s \"$M/.itemfs/errors\" | cmp - <(wc -c < \"$M/.itemfs/errors\")", "1\n");
	expect_sh("cat \"$M/.itemfs/errors\" > \"$D/copy\" && cmp \"$M/.itemfs/errors\" \"$D/copy\"", "");
}

static bool both_told(const char *path)
{
	return sh(text("grep -q First.json '%s' && grep -q Second.json '%s'", path, path)) == 0;
}

/* As a program, and as people do. */
Test(refusals, the_errors_file_can_be_followed)
{
	char line[4096];
	expect_errno(put(LIAR, "{oops"), EBADMSG);
	cr_assert(refusal_of(LIAR));
	int fd = open(at(".itemfs/errors"), O_RDONLY | O_CLOEXEC);
	ssize_t first = read(fd, line, sizeof line);
	cr_expect_gt(first, 0);
	cr_expect_eq(read(fd, line, sizeof line), 0);
	int64_t before = mtime_of(".itemfs/errors");
	expect_errno(put("Music/Queen/Next.json", "{oops"), EBADMSG);
	cr_assert(refusal_of("Music/Queen/Next.json"));
	cr_expect_neq(mtime_of(".itemfs/errors"), before);
	ssize_t next = read(fd, line, sizeof line - 1);
	cr_assert_gt(next, 0);
	line[next] = 0;
	cr_expect(strstr(line, "Next.json") && !strstr(line, "Liar.json") && line[next - 1] == '\n', "%s", line);
	cr_expect_eq(read(fd, line, sizeof line), 0);
	cr_expect_eq(pread(fd, line, sizeof line, 0), first + next, "from the front it is what there is now");
	close(fd);
	const char *told = scratch("told");
	assert_sh("timeout 300 tail -n 0 -s 0.1 -f \"$M/.itemfs/errors\" > \"$D/told\" 2> /dev/null & echo $! > \"$D/tail\"");
	/* Whether it has begun nobody can see: refusals until it tells of them. */
	for (int i = 0; i < 600 && !both_told(told); i++) {
		put("Music/Queen/First.json", "{oops");
		assert_sh("sleep 0.2");
		put("Music/Queen/Second.json", "{oops");
	}
	cr_expect(both_told(told));
	assert_sh("kill $(cat \"$D/tail\")");
}

Test(refusals, a_refused_name_is_told_too)
{
	put("Music/Queen/%2f.json", "{}");
	cr_assert(refusal_of("Music/Queen/%2f.json"));
	cr_expect_str_eq(refusal("errno"), "EINVAL");
	expect_says("reason", "%2F");
}
