/* Imports: files of items copied into TABLE/.import, by any tool, all or none, or in batches. */
#include "tests/mount/harness.h"
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
}

TestSuite(imports, .init = setup, .fini = mount_teardown, .timeout = 600);

#define LIAR "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}"
#define SOS "{\"Artist\":\"ABBA\",\"Title\":\"SOS\",\"Year\":1975}"
#define TYPED "{\"Item\":{\"Artist\":{\"S\":\"ABBA\"},\"Title\":{\"S\":\"SOS\"},\"Year\":{\"N\":\"1975\"}}}"

/* A number in a result. */
static long figure(const char *result, const char *name)
{
	json_error_t error;
	json_t *object = json_loads(content(result), JSON_REJECT_DUPLICATES, &error);
	cr_assert(object, "%s: %s: %s", result, error.text, content(result));
	json_t *value = json_object_get(object, name);
	long got = json_is_integer(value) ? (long)json_integer_value(value) : -1;
	json_decref(object);
	return got;
}

static const char *reason_of(const char *result, size_t i)
{
	json_t *object = json_loads(content(result), 0, NULL);
	cr_assert(object, "%s: %s", result, content(result));
	const char *reason = json_string_value(json_object_get(json_array_get(json_object_get(object, "lines"), i), "reason"));
	const char *copy = text("%s", reason ? reason : "");
	json_decref(object);
	return copy;
}

/* Items in one partition. */
static long items_in(const char *partition)
{
	long count = 0;
	for (const char *at = listing(partition); *at && *at != '<'; at++)
		count += *at == '\n';
	return count;
}

/* A file of n lines beside the mount; line `bad` (from 1; 0: none) holds no title. */
static const char *lines(const char *name, unsigned n, unsigned bad)
{
	const char *path = scratch(name);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	for (unsigned i = 1; i <= n; i++)
		if (i == bad)
			fprintf(file, "{\"Artist\":\"Many\",\"number\":%u}\n", i);
		else
			fprintf(file, "{\"Artist\":\"Many\",\"Title\":\"%06u\"}\n", i);
	cr_assert_eq(fclose(file), 0);
	return path;
}

Test(imports, what_is_copied_is_there_when_cp_returns)
{
	assert_sh("printf '%s\\n%s\\n' '" LIAR "' '" TYPED "' > \"$D/a.jsonl\" && cp \"$D/a.jsonl\" \"$M/Music/.import/\"");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "ABBA,SOS.json\n");
	cr_expect_str_eq(listing("Music/.import"), "a.jsonl.result.json\n");
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "created"), 2);
	cr_expect_str_eq(listing_sorted("Music"), ".schema.json\nABBA\nQueen\n");
	cr_expect_eq(refusals(), 0);
	mount_again();
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect_str_eq(listing("Music/.import"), "");
}

Test(imports, any_tool_can_write_the_file)
{
	static const char *const tools[] = {
	    "cp \"$D/f.jsonl\" .import/",
	    "cp -p \"$D/f.jsonl\" .import/",
	    "cat \"$D/f.jsonl\" > .import/f.jsonl",
	    "cat < \"$D/f.jsonl\" | tee .import/f.jsonl >/dev/null",
	    "dd if=\"$D/f.jsonl\" of=.import/f.jsonl bs=7 status=none",
	    "dd if=\"$D/f.jsonl\" of=.import/f.jsonl conv=fsync status=none",
	    "mv \"$D/f.jsonl\" .import/",
	    "! command -v rsync >/dev/null && cp \"$D/f.jsonl\" .import/ || rsync -a \"$D/f.jsonl\" .import/",
	    "! command -v curl >/dev/null && cp \"$D/f.jsonl\" .import/ || curl -s -o .import/f.jsonl \"file://$D/f.jsonl\"",
	    "! command -v python3 >/dev/null && cp \"$D/f.jsonl\" .import/ || python3 -c 'import sys; open(\".import/f.jsonl\",\"w\").write(open(sys.argv[1]).read())' \"$D/f.jsonl\"",
	};
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
		const char *line = text("{\"Artist\":\"Tool\",\"Title\":\"%zu\"}", i);
		assert_sh(text("echo '%s' > \"$D/f.jsonl\"; cd \"$M/Music\" && %s", line, tools[i]));
		cr_expect_str_eq(content(text("Music/Tool/%zu.json", i)), line, "%s", tools[i]);
		cr_expect_str_eq(listing("Music/.import"), "f.jsonl.result.json\n", "%s", tools[i]);
	}
}

Test(imports, a_json_file_holds_one_array)
{
	expect_ok(put("Music/.import/a.json", "[" LIAR ",\n" TYPED "]\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	expect_ok(put("Music/.import/b.json", "{\"Music\":[{\"PutRequest\":" TYPED "}]}"));
	cr_expect_eq(figure("Music/.import/b.json.result.json", "replaced"), 1);
	expect_errno(put("Music/.import/c.json", "[" LIAR ",\n{\"Artist\": oops}]"), EBADMSG);
	cr_assert(refusal_of("Music/.import/c.json"));
	expect_says("reason", "expected a value, found 'o'");
	expect_says("reason", "line 2");
}

Test(imports, a_csv_file_has_a_row_of_names)
{
	expect_ok(put("Music/.import/a.csv", "Artist,Title,Year,note\r\nQueen,Liar,1973,\"a, \"\"b\"\"\"\r\nABBA,SOS,,7\r\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973,\"note\":\"a, \\\"b\\\"\"}");
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), "{\"Artist\":\"ABBA\",\"Title\":\"SOS\",\"note\":\"7\"}");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n");
	expect_errno(put("Music/.import/b.csv", "Artist,Name\nQueen,Liar\n"), EBADMSG);
	cr_assert(refusal_of("Music/.import/b.csv"));
	expect_says("reason", "no column is named Title");
}

Test(imports, one_bad_line_refuses_all_and_loses_nothing)
{
	const char *file = SOS "\n{\"Artist\":\"Queen\"}\n" LIAR "\n{\"Artist\":\"Queen\",\"Title\":\"x\",\"Year\":\"y\"}\n";
	struct outcome got = put_steps("Music/.import/a.jsonl", file, strlen(file), 0);
	cr_expect_eq(got.open, 0);
	cr_expect_eq(got.write, 0);
	cr_expect_eq(got.close, EBADMSG);
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("errno", "EBADMSG");
	expect_says("reason", "nothing is imported: 2 of 4 records are refused; line 2: ");
	expect_says("reason", "Missing the key Title");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), file);
	cr_expect_str_eq(listing_sorted("Music/.import"), "a.jsonl\na.jsonl.result.json\n");
	cr_expect_str_eq(content("Music/.import/a.jsonl"), file);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "refused"), 2);
	cr_expect(strstr(reason_of("Music/.import/a.jsonl.result.json", 1), "IndexName: by-year"));
	expect_ok(put("Music/.import/a.jsonl", SOS "\n" LIAR "\n")); /* corrected */
	cr_expect_str_eq(listing_sorted("Music/.import"), "a.jsonl.result.json\n");
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
}

Test(imports, tools_that_look_say_so)
{
	assert_sh("echo '{\"Artist\":\"Queen\"}' > \"$D/a.jsonl\"");
	cr_expect_neq(sh("cp \"$D/a.jsonl\" \"$M/Music/.import/\""), 0);
	cr_expect(strstr(sh_output(), "Bad message"), "%s", sh_output());
	cr_expect_neq(sh("cat \"$D/a.jsonl\" > \"$M/Music/.import/a.jsonl\""), 0);
	if (sh("command -v rsync") == 0) {
		cr_expect_neq(sh("rsync -a \"$D/a.jsonl\" \"$M/Music/.import/b.jsonl\""), 0);
		cr_expect(strstr(sh_output(), "Bad message"), "%s", sh_output());
		cr_assert(refusal_of("Music/.import/b.jsonl"));
		cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), "{\"Artist\":\"Queen\"}\n");
	}
}

Test(imports, beyond_the_bound_the_good_lines_are_put_and_the_bad_ones_kept)
{
	assert_sh(text("cat '%s' '%s' > \"$D/a.jsonl\"", lines("one", 10500, 4000), lines("two", 10501, 10501)));
	cr_expect_neq(sh("cp \"$D/a.jsonl\" \"$M/Music/.import/\""), 0);
	cr_expect_eq(items_in("Music/Many"), 10500);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "records"), 21001);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "put"), 20999);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "created"), 10500);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "duplicates"), 10499);
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "refused"), 2);
	cr_expect_str_eq(content("Music/.import/a.jsonl.refused.jsonl"),
			 "{\"Artist\":\"Many\",\"number\":4000}\n{\"Artist\":\"Many\",\"number\":10501}\n");
	cr_expect_not(exists("Music/.import/a.jsonl"));
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("reason", "2 of 21001 records are refused, and the others are imported; line 4000: ");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), content("Music/.import/a.jsonl.refused.jsonl"));
}

Test(imports, up_to_the_bound_it_is_one_commit)
{
	assert_sh(text("cp '%s' \"$M/Music/.import/a.jsonl\"", lines("a", 10000, 0)));
	cr_expect_eq(figure("Music/.import/a.jsonl.result.json", "commits"), 1);
	cr_expect_eq(items_in("Music/Many"), 10000);
	cr_expect_neq(sh(text("cp '%s' \"$M/Music/.import/b.jsonl\"", lines("b", 10000, 10000))), 0);
	cr_expect_eq(figure("Music/.import/b.jsonl.result.json", "put"), 0);
}

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

static bool is_there(const char *path)
{
	return exists(path);
}

Test(imports, a_daemon_that_is_killed_leaves_whole_batches)
{
	pid_t copy = start_copy(lines("a", 30000, 0), "Music/.import/a.jsonl");
	cr_assert(await(is_there, "Music/Many"));
	mount_kill();
	waitpid(copy, NULL, 0);
	mount_up(NULL);
	long count = items_in("Music/Many");
	cr_expect(count > 0 && count % 1000 == 0, "%ld items", count);
}

Test(imports, a_daemon_that_is_killed_leaves_a_small_file_whole_or_not_at_all)
{
	pid_t copy = start_copy(lines("a", 8000, 0), "Music/.import/a.jsonl");
	cr_assert(await(is_there, "Music/.import/a.jsonl") || exists("Music/Many"));
	mount_kill();
	waitpid(copy, NULL, 0);
	mount_up(NULL);
	long count = items_in("Music/Many");
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

Test(imports, the_kernel_is_told_of_what_came)
{
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"n\":1}' > \"$M/Music/Queen/old.json\"");
	for (int i = 0; i < 3; i++) { /* remembered: what is there, and what is not */
		cr_expect_eq(size_of("Music/Queen/old.json"), 8);
		cr_expect_not(exists("Music/Queen/Liar.json"));
		cr_expect_not(exists("Music/ABBA"));
	}
	int64_t queen = mtime_of("Music/Queen"), music = mtime_of("Music");
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n" SOS "\n{\"Artist\":\"Queen\",\"Title\":\"old\",\"longer\":true}\n"));
	cr_expect_eq(size_of("Music/Queen/Liar.json"), (off_t)strlen(LIAR));
	cr_expect_eq(size_of("Music/ABBA/SOS.json"), (off_t)strlen(SOS));
	cr_expect_eq(size_of("Music/Queen/old.json"), 46);
	cr_expect(mtime_of("Music/Queen") > queen);
	cr_expect(mtime_of("Music") > music);
	cr_expect_str_eq(listing_sorted("Music/Queen"), "Liar.json\nold.json\n");
}

Test(imports, those_who_write_an_item_meanwhile_replace_it)
{
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"n\":1}' > \"$M/Music/Queen/Liar.json\"");
	int reader = open(at("Music/Queen/Liar.json"), O_RDONLY), writer = open(at("Music/Queen/Liar.json"), O_WRONLY | O_TRUNC);
	int maker = open(at("Music/Queen/new.json"), O_WRONLY | O_CREAT, 0644);
	char seen[64] = "";
	cr_assert(reader >= 0 && writer >= 0 && maker >= 0);
	cr_assert_eq(read(reader, seen, 3), 3);
	cr_assert_eq(write(writer, "{\"n\":2}", 7), 7);
	cr_assert_eq(write(maker, "{\"m\":2}", 7), 7);
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n{\"Artist\":\"Queen\",\"Title\":\"new\"}\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_str_eq(content("Music/Queen/new.json"), "{\"Artist\":\"Queen\",\"Title\":\"new\"}");
	cr_assert_eq(read(reader, seen + 3, 60), 5); /* the version it began with */
	cr_expect_str_eq(seen, "{\"n\":1}\n");
	expect_ok(close(writer));
	expect_ok(close(maker));
	close(reader);
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"n\":2}");
	cr_expect_str_eq(content("Music/Queen/new.json"), "{\"m\":2}");
}

Test(imports, a_name_that_was_made_and_not_written_keeps_what_was_imported)
{
	assert_sh("mkdir \"$M/Music/Queen\"");
	int maker = open(at("Music/Queen/Liar.json"), O_WRONLY | O_CREAT, 0644);
	cr_assert(maker >= 0);
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n"));
	expect_ok(close(maker));
	mount_again(); /* and so its RELEASE has come */
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
}

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
	cr_expect_eq(items_in("Music/.import"), 64); /* the oldest go first */
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

/* Telling the kernel of new names waits for its locks, and who has them waits for a thread of ours: where there is one only, each import could stop everything for ten seconds (this test: four minutes). */
Test(imports, do_not_hold_up_a_mount_of_one_thread)
{
	mount_down();
	mount_up("max_threads=1");
	assert_sh("mkdir \"$M/Music/Queen\"\n"
		  "for w in 1 2 3; do\n"
		  "	(until [ -e \"$D/done\" ] || [ ! -d \"$D\" ]; do echo '{}' > \"$M/Music/Queen/w$w.json\"; rm \"$M/Music/Queen/w$w.json\"; done) &\n"
		  "done\n"
		  "end=$(($(date +%s) + 150)); for i in $(seq 100); do\n"
		  "	for n in 0 1 2 3 4 5 6 7 8 9; do\n"
		  "		test ! -e \"$M/Music/Queen/$i$n.json\" && echo '{\"Artist\":\"Queen\",\"Title\":\"'$i$n'\"}'\n"
		  "	done > \"$D/lines.jsonl\"; cp \"$D/lines.jsonl\" \"$M/Music/.import/\" && test $(date +%s) -lt $end || break\n"
		  "done; touch \"$D/done\"; wait");
	cr_expect_eq(items_in("Music/Queen"), 1000);
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

Test(imports, an_undeclared_table_takes_pk_and_sk)
{
	assert_sh("mkdir \"$M/Plain\"");
	expect_ok(put("Plain/.import/a.jsonl", "{\"pk\":\"a/b\",\"sk\":\"c\",\"n\":1}\n"));
	cr_expect_str_eq(content("Plain/a%2Fb/c.json"), "{\"pk\":\"a/b\",\"sk\":\"c\",\"n\":1}");
	expect_errno(put("Plain/.import/a.jsonl", "{\"pk\":\"a\",\"n\":1}\n"), EBADMSG);
	cr_assert(refusal_of("Plain/.import/a.jsonl"));
	expect_says("reason", "Missing the key sk");
}

Test(imports, every_type_of_key_has_its_names)
{
	declare("Numbers", "Id:N Blob:B", NULL);
	expect_ok(put("Numbers/.import/a.jsonl", "{\"Id\":4.20e1,\"Blob\":{\"$B\":\"AP8=\"}}\n{\"Id\":{\"N\":\"-7\"},\"Blob\":{\"B\":\"AQ==\"}}\n"));
	expect_ok(put("Numbers/.import/b.csv", "Blob,Id\nAg==,+1.50\n\"{\"\"$B\"\":\"\"Aw==\"\"}\",1.5\n"));
	cr_expect_str_eq(listing("Numbers"), ".schema.json\n-7\n1.5\n42\n");
	cr_expect_str_eq(content("Numbers/42/00ff.json"), "{\"Id\":4.20e1,\"Blob\":{\"$B\":\"AP8=\"}}");
	cr_expect_str_eq(listing("Numbers/1.5"), "02.json\n03.json\n");
	cr_expect_str_eq(content("Numbers/1.5/02.json"), "{\"Blob\":{\"$B\":\"Ag==\"},\"Id\":1.5}");
	declare("Single", "Id:N", NULL);
	expect_ok(put("Single/.import/a.json", "[{\"Id\":1},{\"Id\":1,\"later\":true}]"));
	cr_expect_str_eq(content("Single/1/item.json"), "{\"Id\":1,\"later\":true}");
	cr_expect_eq(figure("Single/.import/a.json.result.json", "duplicates"), 1);
}

/* All types, among them a map that looks like a type; keys in the documents or not. */
static void fill_zoo(void)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" \"$M/Music/a, \\\"b\\\"\" && cd \"$M/Music\" &&"
		  "echo '{\"n\":1.50e3,\"s\":\"\\u00e9\\\"\\n,x\",\"t\":true,\"z\":null,\"b\":{\"$B\":\"AAE=\"},\"e\":\"\"}' > Queen/1.json &&"
		  "echo '{\"l\":[1,\"a\",{\"m\":{}}],\"ss\":{\"$SS\":[\"b\",\"a\"]},\"ns\":{\"$NS\":[2,1.0]},\"bs\":{\"$BS\":[\"AA==\"]}}' > Queen/2.json &&"
		  "echo '{\"Year\":1975,\"m\":{\"$M\":{\"$B\":\"no binary\"}},\"Artist\":\"a, \\\"b\\\"\"}' > 'a, \"b\"/x%2Fy.json' && : > Queen/3.json");
}

Test(imports, what_was_exported_comes_back_the_same)
{
	declare("Other", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	fill_zoo();
	assert_sh("cd \"$M\" && cp Music/.export/items.jsonl Other/.import/ && cmp Music/.export/items.jsonl Other/.export/items.jsonl");
	cr_expect_eq(figure("Other/.import/items.jsonl.result.json", "created"), 4);
	assert_sh("cd \"$M\" && cp Music/.export/items.json Other/.import/ && cmp Music/.export/items.json Other/.export/items.json");
	cr_expect_eq(figure("Other/.import/items.json.result.json", "replaced"), 4);
	cr_expect_str_eq(listing("Other/.index/by-year"), "1975\n");
}

Test(imports, a_csv_brings_back_keys_and_strings_and_makes_strings_of_the_rest)
{
	declare("Other", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	fill_zoo();
	assert_sh("cd \"$M\" && cp Music/.export/items.csv Other/.import/ && cmp Music/.export/items.csv Other/.export/items.csv");
	cr_expect_eq(figure("Other/.import/items.csv.result.json", "created"), 4);
	cr_expect_str_eq(content("Other/Queen/2.json"),
			 "{\"Artist\":\"Queen\",\"Title\":\"2\",\"bs\":\"{\\\"$BS\\\":[\\\"AA==\\\"]}\",\"l\":\"[1,\\\"a\\\",{\\\"m\\\":{}}]\","
			 "\"ns\":\"{\\\"$NS\\\":[2,1.0]}\",\"ss\":\"{\\\"$SS\\\":[\\\"b\\\",\\\"a\\\"]}\"}");
	cr_expect_str_eq(content("Other/a, \"b\"/x%2Fy.json"),
			 "{\"Artist\":\"a, \\\"b\\\"\",\"Title\":\"x/y\",\"Year\":1975,\"m\":\"{\\\"$M\\\":{\\\"$B\\\":\\\"no binary\\\"}}\"}");
	cr_expect_str_eq(content("Other/Queen/3.json"), "{\"Artist\":\"Queen\",\"Title\":\"3\"}");
}

Test(imports, names_that_could_not_be_made_by_hand_are_refused)
{
	expect_ok(put("Music/Queen", "a plain file"));
	expect_errno(put("Music/.import/a.jsonl", LIAR "\n"), EBADMSG);
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("reason", "a plain file");
	const char *title = text("%0*d", 400, 7);
	const char *item = text("{\"Artist\":\"ABBA\",\"Title\":\"%s\"}", title);
	expect_ok(put("Music/.import/b.jsonl", item)); /* a sort key's name can be cut */
	assert_sh("cat \"$M/Music/ABBA/\"*");
	cr_expect_str_eq(sh_output(), item);
	expect_ok(put("Music/.import/b.jsonl", item));
	cr_expect_eq(figure("Music/.import/b.jsonl.result.json", "replaced"), 1);
	item = text("{\"Artist\":\"%s\",\"Title\":\"%s\"}", title, title); /* and a partition key's */
	expect_ok(put("Music/.import/c.jsonl", item));
	assert_sh("cat \"$M/Music/\"0*/*.json");
	cr_expect_str_eq(sh_output(), item);
	assert_sh("mkdir \"$M/Plain\"");
	expect_errno(put("Plain/.import/a.jsonl", text("{\"pk\":\"a\",\"sk\":\"%s\"}", title)), EBADMSG);
	cr_assert(refusal_of("Plain/.import/a.jsonl"));
	expect_says("reason", "without .schema.json");
}

Test(imports, a_partition_made_by_one_goes_with_its_last_item)
{
	expect_ok(put("Music/.import/a.jsonl", LIAR));
	cr_expect(exists("Music/Queen"));
	expect_ok(unlink(at("Music/Queen/Liar.json")));
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n" SOS));
	assert_sh("cd \"$M/Music\" && rm -r Queen && find ABBA -delete && ! ls Queen 2>/dev/null"); /* who removes the directory, too, is not told that it went by itself */
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	assert_sh("cd \"$M/Music\" && mkdir Queen ABBA && echo '{}' > Queen/x.json && rm Queen/x.json && ls");
	cr_expect_str_eq(sh_output(), "ABBA\nQueen\n"); /* made by hand it stays */
	expect_ok(put("Music/.import/a.jsonl", "{\"Artist\":\"Blur\",\"Title\":\"x\"}"));
	assert_sh("cd \"$M/Music\" && rm Blur/x.json && mkdir -p Blur && echo '{\"n\":1}' > Blur/y.json && cat Blur/y.json");
	cr_expect_str_eq(sh_output(), "{\"n\":1}\n");
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
	cr_expect_eq(figure("Music/.import/c.jsonl.result.json", "records"), 0);
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	cr_expect_eq(refusals(), 0);
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
