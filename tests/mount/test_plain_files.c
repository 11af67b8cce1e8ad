/* Plain files, whole: what POSIX says of an ordinary file, in a table's directory and in a partition's. What people's tools do with them is test_plain.c's. */
#include "tests/mount/harness.h"
#include <pthread.h>
#include <sys/mman.h>

#define NOREPLACE 1 /* RENAME_NOREPLACE */
#define EXCHANGE  2 /* RENAME_EXCHANGE */

static const char *const places[] = {"Music/notes", "Music/Queen/notes", "Music/.notes.swp",
				     "Music/Queen/.Liar.json.x7"};
enum { PLACES = 4 };

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && printf '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
}

TestSuite(plain_files, .init = setup, .fini = mount_teardown, .timeout = 600);

#define LIAR "Music/Queen/Liar.json"

static int opened(const char *path, int flags)
{
	int fd = open(at(path), flags | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	return fd;
}

Test(plain_files, write_read_append_and_truncate_at_both_levels_and_after_a_remount)
{
	for (int i = 0; i < PLACES; i++) {
		int fd = opened(places[i], O_RDWR | O_CREAT | O_EXCL);
		cr_expect_eq(write(fd, "0123456789", 10), 10);
		cr_expect_eq(pwrite(fd, "ab", 2, 4), 2);
		expect_ok(ftruncate(fd, 8));
		expect_ok(close(fd));
		fd = opened(places[i], O_WRONLY | O_APPEND);
		cr_expect_eq(write(fd, "tail", 4), 4);
		expect_ok(close(fd));
		cr_expect_str_eq(content(places[i]), "0123ab67tail");
		expect_ok(truncate(at(places[i]), 5));
		expect_ok(truncate(at(places[i]), 7));
	}
	mount_again();
	for (int i = 0; i < PLACES; i++) {
		size_t n;
		const char *got = content_bytes(places[i], &n);
		cr_assert_not_null(got);
		cr_expect_eq(n, 7);
		cr_expect_eq(memcmp(got, "0123a\0\0", 7), 0);
	}
}

Test(plain_files, holes_read_as_zeros)
{
	int fd = opened("Music/sparse", O_RDWR | O_CREAT);
	cr_expect_eq(pwrite(fd, "end", 3, 1000000), 3);
	cr_expect_eq(pwrite(fd, "middle", 6, 5000), 6);
	expect_ok(close(fd));
	mount_again();
	size_t n;
	const char *got = content_bytes("Music/sparse", &n);
	cr_assert(got && n == 1000003);
	for (size_t i = 0; i < 1000000; i++)
		cr_assert(got[i] == (i >= 5000 && i < 5006 ? "middle"[i - 5000] : 0), "byte %zu", i);
	cr_expect_str_eq(got + 1000000, "end");
}

Test(plain_files, seek_tells_their_end_and_data)
{
	expect_ok(put("Music/notes", "0123456789"));
	int fd = opened("Music/notes", O_RDONLY);
	cr_expect_eq(lseek(fd, 0, SEEK_END), 10);
	cr_expect_eq(lseek(fd, 3, SEEK_DATA), 3);
	cr_expect_eq(lseek(fd, 3, SEEK_HOLE), 10);
	close(fd);
}

enum { WRITERS = 4, LINES = 200 };

static void *append_lines(void *letter)
{
	char line[16];
	memset(line, *(const char *)letter, sizeof line);
	line[sizeof line - 1] = '\n';
	int fd = open(at("Music/log"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	for (int i = 0; i < LINES; i++)
		if (write(fd, line, sizeof line) != sizeof line)
			break;
	close(fd);
	return NULL;
}

Test(plain_files, several_writers_append_and_no_line_is_lost_or_torn)
{
	static char letters[] = "abcd";
	pthread_t writers[WRITERS];
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&writers[i], NULL, append_lines, &letters[i]), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	mount_again();
	expect_sh("sort \"$M/Music/log\" | uniq -c | tr -s ' '",
		  " 200 aaaaaaaaaaaaaaa\n 200 bbbbbbbbbbbbbbb\n 200 ccccccccccccccc\n 200 ddddddddddddddd\n");
}

Test(plain_files, several_processes_append_and_no_line_is_lost)
{
	assert_sh("for w in 1 2 3 4; do (for ((i = 0; i < 100; i++)); do echo $w >> \"$M/Music/Queen/log\"; done) & "
		  "done; wait");
	expect_sh("sort \"$M/Music/Queen/log\" | uniq -c | tr -s ' '", " 100 1\n 100 2\n 100 3\n 100 4\n");
}

Test(plain_files, a_shared_map_is_written_and_read_by_all)
{
	for (int i = 0; i < PLACES; i++) {
		expect_ok(put(places[i], "hello, world; hello, map"));
		int fd = opened(places[i], O_RDWR);
		char *map = mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		cr_assert_neq(map, MAP_FAILED, "%s", strerror(errno));
		memcpy(map, "HELLO", 5);
		expect_ok(msync(map, 24, MS_SYNC));
		cr_expect_str_eq(content(places[i]), "HELLO, world; hello, map");
		int other = opened(places[i], O_WRONLY);
		cr_expect_eq(pwrite(other, "WORLD", 5, 7), 5);
		close(other);
		cr_expect_eq(memcmp(map, "HELLO, WORLD", 12), 0);
		memcpy(map + 21, "MAP", 3);
		munmap(map, 24); /* after its close it is still written back */
		expect_ok(close(fd));
	}
	mount_again();
	for (int i = 0; i < PLACES; i++)
		cr_expect_str_eq(content(places[i]), "HELLO, WORLD; hello, MAP");
}

Test(plain_files, a_map_outlives_the_close_and_the_unlink)
{
	expect_ok(put("Music/notes", "hello"));
	int fd = opened("Music/notes", O_RDWR);
	char *map = mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	expect_ok(close(fd));
	expect_ok(unlink(at("Music/notes")));
	memcpy(map, "jello", 5);
	cr_expect_eq(memcmp(map, "jello", 5), 0);
	munmap(map, 5);
	cr_expect_str_eq(content("Music/notes"), "<ENOENT>");
}

Test(plain_files, what_was_synced_survives_a_kill)
{
	for (int i = 0; i < PLACES; i++) {
		int fd = opened(places[i], O_WRONLY | O_CREAT);
		cr_expect_eq(write(fd, "durable", 7), 7);
		expect_ok(i & 1 ? fdatasync(fd) : fsync(fd));
		close(fd);
	}
	mount_kill();
	mount_up(NULL);
	for (int i = 0; i < PLACES; i++)
		cr_expect_str_eq(content(places[i]), "durable");
}

Test(plain_files, have_16_mib_and_no_more_by_every_way_of_growing)
{
	enum { MOST = 16 << 20 };
	for (int i = 0; i < 2; i++) {
		int fd = opened(places[i], O_RDWR | O_CREAT), end = opened(places[i], O_WRONLY | O_APPEND);
		expect_ok(ftruncate(fd, MOST - 1));
		cr_expect_eq(write(end, "x", 1), 1);
		expect_errno(write(end, "x", 1), EFBIG);
		expect_errno(pwrite(fd, "x", 1, MOST), EFBIG);
		cr_expect_leq(pwrite(fd, "xy", 2, MOST - 1), 1); /* what fits, as at any limit, or nothing */
		expect_errno(pwrite(fd, "x", 1, INT64_C(1) << 40), EFBIG);
		expect_errno(ftruncate(fd, MOST + 1), EFBIG);
		expect_errno(truncate(at(places[i]), INT64_C(1) << 40), EFBIG);
		expect_errno(pwrite(fd, "x", 1, -1), EINVAL);
		expect_errno(ftruncate(fd, -1), EINVAL);
		cr_expect_eq(pwrite(fd, "z", 1, MOST - 1), 1);
		expect_ok(close(fd));
		expect_ok(close(end));
		cr_expect_eq(size_of(places[i]), MOST);
	}
}

Test(plain_files, go_on_when_they_are_unlinked_while_open)
{
	for (int i = 0; i < PLACES; i++) {
		struct stat st;
		char seen[16] = {0};
		int fd = opened(places[i], O_RDWR | O_CREAT);
		cr_expect_eq(write(fd, "hello", 5), 5);
		expect_ok(unlink(at(places[i])));
		expect_ok(put(places[i], "another"));
		cr_expect_eq(pwrite(fd, "J", 1, 0), 1);
		cr_expect_eq(pread(fd, seen, 16, 0), 5);
		cr_expect_str_eq(seen, "Jello");
		assert_ok(fstat(fd, &st));
		cr_expect_eq(st.st_nlink, 0);
		cr_expect_eq(st.st_size, 5);
		expect_ok(ftruncate(fd, 2));
		expect_ok(fsync(fd));
		expect_ok(fchmod(fd, 0600));
		expect_ok(futimens(fd, (struct timespec[2]){{1, 0}, {2, 0}}));
		assert_ok(fstat(fd, &st));
		cr_expect_eq(st.st_mode & 0777, 0600);
		cr_expect_eq(st.st_mtim.tv_sec, 2);
		cr_expect_eq(st.st_size, 2);
		expect_ok(close(fd));
		cr_expect_str_eq(content(places[i]), "another");
		cr_expect_eq(mode_of(places[i]), 0644);
	}
}

Test(plain_files, o_excl_makes_one_and_no_second_time)
{
	for (int i = 0; i < PLACES; i++) {
		cr_expect_eq(put_steps(places[i], "one", 3, O_EXCL).open, 0);
		cr_expect_eq(put_steps(places[i], "two", 3, O_EXCL).open, EEXIST);
		cr_expect_str_eq(content(places[i]), "one");
		expect_ok(unlink(at(places[i])));
		cr_expect_eq(put_steps(places[i], "two", 3, O_EXCL).open, 0);
	}
	expect_errno(mknod(at(places[0]), S_IFREG | 0600, 0), EEXIST);
	expect_ok(mknod(at("Music/made"), S_IFREG | 0600, 0));
	cr_expect_eq(size_of("Music/made"), 0);
}

static void *make_first(void *won)
{
	int fd = open(at("Music/lock"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	*(int *)won = fd >= 0;
	if (fd >= 0)
		close(fd);
	return NULL;
}

Test(plain_files, o_excl_is_won_by_one)
{
	for (int round = 0; round < 20; round++) {
		pthread_t threads[WRITERS];
		int won[WRITERS], winners = 0;
		for (int i = 0; i < WRITERS; i++)
			cr_assert_eq(pthread_create(&threads[i], NULL, make_first, &won[i]), 0);
		for (int i = 0; i < WRITERS; i++) {
			pthread_join(threads[i], NULL);
			winners += won[i];
		}
		cr_expect_eq(winners, 1);
		expect_ok(unlink(at("Music/lock")));
	}
}

Test(plain_files, renamed_onto_an_item_while_open_go_on_as_its_drafts)
{
	int fd = opened("Music/Queen/tmp", O_RDWR | O_CREAT), reader = opened("Music/Queen/tmp", O_RDONLY);
	char seen[32] = {0};
	cr_expect_eq(write(fd, "{\"Year\":1974}", 13), 13);
	expect_ok(rename(at("Music/Queen/tmp"), at(LIAR)));
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1974\n");
	cr_expect_eq(pread(reader, seen, 31, 0), 13);
	cr_expect_str_eq(seen, "{\"Year\":1974}");
	cr_expect_eq(pwrite(fd, "{\"Year\":1975}", 13, 0), 13);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}"); /* until it is committed */
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1975}");
	close(reader);
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Queen,Liar.json\n");
}

Test(plain_files, renamed_onto_an_item_while_open_and_wrong_are_refused_and_go_on)
{
	int fd = opened("Music/Queen/tmp", O_RDWR | O_CREAT);
	cr_expect_eq(write(fd, "{\"Year\":", 8), 8);
	expect_errno(rename(at("Music/Queen/tmp"), at(LIAR)), EBADMSG);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}");
	cr_expect_eq(write(fd, "1976}", 5), 5);
	cr_expect_str_eq(content("Music/Queen/tmp"), "{\"Year\":1976}");
	expect_ok(rename(at("Music/Queen/tmp"), at(LIAR)));
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1976}");
}

Test(plain_files, an_item_renamed_away_while_a_draft_is_open_takes_it_along)
{
	int fd = opened(LIAR, O_WRONLY | O_TRUNC), reader = opened(LIAR, O_RDONLY);
	char seen[32] = {0};
	cr_expect_eq(write(fd, "{\"Year\":1980}", 13), 13);
	expect_ok(rename(at(LIAR), at("Music/Queen/aside")));
	cr_expect_str_eq(listing("Music/Queen"), "aside\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
	cr_expect_eq(pread(reader, seen, 31, 0), 13);
	cr_expect_str_eq(seen, "{\"Year\":1973}");
	expect_ok(close(fd));
	cr_expect_str_eq(content("Music/Queen/aside"), "{\"Year\":1980}");
	close(reader);
	expect_ok(rename(at("Music/Queen/aside"), at(LIAR)));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1980}");
	cr_expect_str_eq(listing("Music/.index/by-year/1980"), "Queen,Liar.json\n");
}

/* Was an item meanwhile, and was written to as one: whoever had the plain file open before has it as it is now, and writes into that. */
static void expect_it_as_it_is(int fd, const char *path, const char *want)
{
	char seen[64] = {0};
	cr_expect_eq(pread(fd, seen, sizeof seen - 1, 0), (ssize_t)strlen(want));
	cr_expect_str_eq(seen, want);
	cr_expect_str_eq(content(path), want);
	cr_expect_eq(size_of(path), (off_t)strlen(want));
	cr_expect_eq(pwrite(fd, "#", 1, 0), 1);
	cr_expect_str_eq(content(path), text("#%s", want + 1));
	expect_ok(close(fd));
	cr_expect_str_eq(content(path), text("#%s", want + 1));
}

Test(plain_files, renamed_onto_an_item_and_back_while_open_are_what_the_item_has_become)
{
	expect_ok(put("Music/Queen/tmp", "{\"Year\":1974}"));
	int fd = opened("Music/Queen/tmp", O_RDWR);
	expect_ok(rename(at("Music/Queen/tmp"), at(LIAR)));
	expect_ok(put(LIAR, "{\"Year\":1975,\"Title\":\"Liar\"}"));
	expect_ok(rename(at(LIAR), at("Music/Queen/tmp")));
	expect_it_as_it_is(fd, "Music/Queen/tmp", "{\"Year\":1975,\"Title\":\"Liar\"}");
}

Test(plain_files, exchanged_with_an_item_and_back_while_open_are_what_the_item_has_become)
{
	expect_ok(put("Music/Queen/tmp", "{\"Year\":1974}"));
	int fd = opened("Music/Queen/tmp", O_RDWR);
	expect_ok(renameat2(AT_FDCWD, at("Music/Queen/tmp"), AT_FDCWD, at(LIAR), EXCHANGE));
	expect_ok(put(LIAR, "{\"Year\":1975,\"Title\":\"Liar\"}"));
	expect_ok(renameat2(AT_FDCWD, at(LIAR), AT_FDCWD, at("Music/Queen/tmp"), EXCHANGE));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}");
	expect_it_as_it_is(fd, "Music/Queen/tmp", "{\"Year\":1975,\"Title\":\"Liar\"}");
}

Test(plain_files, renamed_onto_a_definition_and_back_while_open_are_what_that_has_become)
{
	expect_ok(mkdir(at("Fresh"), 0755));
	expect_ok(put("Fresh/tmp", definition("Id:N", NULL)));
	int fd = opened("Fresh/tmp", O_RDWR);
	expect_ok(rename(at("Fresh/tmp"), at("Fresh/.schema.json")));
	const char *changed = text("%s ", definition("Id:S", NULL));
	expect_ok(put("Fresh/.schema.json", changed));
	expect_ok(rename(at("Fresh/.schema.json"), at("Fresh/tmp")));
	char seen[1024] = {0};
	cr_expect_eq(pread(fd, seen, sizeof seen - 1, 0), (ssize_t)strlen(changed));
	cr_expect_str_eq(seen, changed);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Fresh/tmp"), changed);
}

Test(plain_files, a_draft_that_became_one_is_seen_by_all_who_have_it_open)
{
	int fd = opened(LIAR, O_WRONLY | O_TRUNC);
	cr_expect_eq(write(fd, "{\"Year\":1980}", 13), 13);
	expect_ok(rename(at(LIAR), at("Music/Queen/aside")));
	int other = opened("Music/Queen/aside", O_RDWR);
	expect_ok(close(fd));
	expect_it_as_it_is(other, "Music/Queen/aside", "{\"Year\":1980}");
}

Test(plain_files, one_replaced_while_it_is_open_belongs_to_its_handles_only)
{
	expect_ok(put("Music/notes", "old"));
	int fd = opened("Music/notes", O_RDWR);
	char seen[8] = {0};
	expect_ok(put("Music/new", "new"));
	expect_ok(rename(at("Music/new"), at("Music/notes")));
	cr_expect_eq(pwrite(fd, "O", 1, 0), 1);
	cr_expect_eq(pread(fd, seen, 8, 0), 3);
	cr_expect_str_eq(seen, "Old");
	expect_ok(close(fd));
	cr_expect_str_eq(content("Music/notes"), "new");
}

Test(plain_files, the_last_write_sets_the_time_through_a_rename_and_an_exchange_while_open)
{
	for (int exchange = 0; exchange < 2; exchange++) {
		expect_ok(put("Music/other", "x"));
		int fd = opened("Music/notes", O_RDWR | O_CREAT);
		expect_ok(futimens(fd, (struct timespec[2]){{1000, 0}, {1000, 0}}));
		cr_expect_eq(write(fd, "later", 5), 5);
		expect_ok(renameat2(AT_FDCWD, at("Music/notes"), AT_FDCWD, at("Music/other"), exchange ? EXCHANGE : 0));
		expect_ok(close(fd));
		cr_expect_str_eq(content("Music/other"), "later");
		cr_expect_gt(mtime_of("Music/other"), INT64_C(1700000000000000000));
	}
}

Test(plain_files, the_time_of_a_write_is_seen_when_a_reader_closes_in_that_moment)
{
	int fd = opened("Music/notes", O_RDWR | O_CREAT);
	for (int i = 0; i < 300; i++) {
		expect_ok(futimens(fd, (struct timespec[2]){{1000, 0}, {1000, 0}}));
		cr_expect_eq(pwrite(fd, "x", 1, 0), 1);
		close(opened("Music/notes", O_RDONLY)); /* its release, which comes later, stores */
		int64_t seen = mtime_of("Music/notes");
		cr_assert(seen > INT64_C(1700000000000000000), "round %d: %lld", i, (long long)seen);
	}
	close(fd);
}

Test(plain_files, exchange_and_noreplace_work_on_them)
{
	expect_ok(put("Music/a", "A"));
	expect_ok(put("Music/Queen/b", "B"));
	expect_errno(renameat2(AT_FDCWD, at("Music/a"), AT_FDCWD, at("Music/Queen/b"), NOREPLACE), EEXIST);
	expect_ok(renameat2(AT_FDCWD, at("Music/a"), AT_FDCWD, at("Music/Queen/b"), EXCHANGE));
	cr_expect_str_eq(content("Music/a"), "B");
	cr_expect_str_eq(content("Music/Queen/b"), "A");
	expect_ok(renameat2(AT_FDCWD, at("Music/a"), AT_FDCWD, at("Music/c"), NOREPLACE));
	expect_errno(renameat2(AT_FDCWD, at("Music/c"), AT_FDCWD, at("Music/none"), EXCHANGE), ENOENT);
	mount_again();
	cr_expect_str_eq(content("Music/c"), "B");
	cr_expect_str_eq(content("Music/Queen/b"), "A");
}

Test(plain_files, a_partition_is_not_made_where_one_has_the_name_nor_the_other_way)
{
	expect_ok(put("Music/Abba", "a plain file"));
	expect_errno(mkdir(at("Music/Abba"), 0755), EEXIST);
	cr_expect_eq(put_steps("Music/Queen", "x", 1, O_EXCL).open, EEXIST);
	cr_expect_eq(put_steps("Music/Queen", "x", 1, 0).open, EISDIR);
	expect_errno(rename(at("Music/Abba"), at("Music/Queen")), EISDIR);
	expect_errno(rename(at("Music/Queen"), at("Music/Abba")), ENOTDIR);
	expect_ok(unlink(at("Music/Abba")));
	expect_ok(mkdir(at("Music/Abba"), 0755));
	cr_expect_str_eq(listing("Music"), ".schema.json\nAbba\nQueen\n");
}

#define SCHEMA "Music/.schema.json"

/* Each edits the definition so that its index is called by-age, in its own way. */
static void edited_by(const char *tool, const char *command)
{
	if (sh(text("command -v %s", tool)) != 0) {
		cr_log_warn("%s is not there: skipped", tool);
		return;
	}
	cr_expect_eq(sh(text("export F=\"$M/" SCHEMA "\" && { %s; }", command)), 0, "%s: %s", tool, sh_output());
	cr_expect(strstr(content(SCHEMA), "by-age"), "%s: %s", tool, content(SCHEMA));
	cr_expect_str_eq(listing("Music/.index/by-age/1973"), "Queen,Liar.json\n", "%s", tool);
	cr_expect_str_eq(listing("Music/.index/by-year"), "<ENOENT>", "%s", tool);
	expect_sh("cd \"$M/Music\" && find . -maxdepth 1 -type f ! -name '*~' | sort", "./.schema.json\n");
	assert_sh("cd \"$M/Music\" && rm -f *~ .*~ && sed -i s/by-age/by-year/ .schema.json");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n", "%s", tool);
}

Test(plain_files, the_definition_is_edited_by_everything)
{
	edited_by("sed", "sed -i s/by-year/by-age/ \"$F\"");
	edited_by("jq",
		  "jq '.GlobalSecondaryIndexes[0].IndexName = \"by-age\"' \"$F\" > \"$F.new\" && mv \"$F.new\" \"$F\"");
	edited_by("vim", "vim -Nu NONE -es -c %s/by-year/by-age/ -c wq \"$F\" < /dev/null");
	edited_by("vim", "vim -Nu NONE -es -c 'set backup backupcopy=no backupskip=' -c %s/by-year/by-age/ -c wq "
			 "\"$F\" < /dev/null");
	edited_by("ed", "printf ',s/by-year/by-age/\\nw\\nq\\n' | ed -s \"$F\"");
	edited_by("python3", "python3 -c 'import os, pathlib; p = pathlib.Path(os.environ[\"F\"]); "
			     "p.write_text(p.read_text().replace(\"by-year\", \"by-age\"))'");
	edited_by("python3", "python3 -c 'import os, tempfile; f = os.environ[\"F\"]; t = "
			     "tempfile.NamedTemporaryFile(\"w\", dir=os.path.dirname(f), "
			     "delete=False); t.write(open(f).read().replace(\"by-year\", \"by-age\")); t.close(); "
			     "os.replace(t.name, f)'");
	edited_by("perl", "perl -pi -e s/by-year/by-age/ \"$F\"");
	edited_by("sponge", "sed s/by-year/by-age/ \"$F\" | sponge \"$F\"");
	edited_by("cp", "sed s/by-year/by-age/ \"$F\" > \"$D/new\" && cp \"$D/new\" \"$F\"");
	edited_by("install", "sed s/by-year/by-age/ \"$F\" > \"$D/new\" && install -m 644 \"$D/new\" \"$F\"");
	edited_by("rsync", "sed s/by-year/by-age/ \"$F\" > \"$D/new\" && rsync -a \"$D/new\" \"$F\"");
	edited_by("tee", "sed s/by-year/by-age/ \"$F\" > \"$D/new\" && tee \"$F\" < \"$D/new\" > /dev/null");
	edited_by("dd", "sed s/by-year/by-age/ \"$F\" > \"$D/new\" && dd if=\"$D/new\" of=\"$F\" status=none");
	edited_by("patch", "cp \"$F\" \"$D/a\" && sed s/by-year/by-age/ \"$F\" > \"$D/b\"; diff -u \"$D/a\" \"$D/b\" > "
			   "\"$D/p\"; patch -s \"$F\" \"$D/p\"");
	edited_by("emacs", "emacs --batch -Q \"$F\" --eval '(progn (while (search-forward \"by-year\" nil t) "
			   "(replace-match \"by-age\" t t)) (save-buffer))'");
}

Test(plain_files, a_wrong_definition_is_refused_and_the_old_one_stays)
{
	const char *before = content(SCHEMA);
	expect_errno(put("Music/new", "{\"KeySchema\":[]}"), 0);
	cr_expect_eq(errno_of(rename(at("Music/new"), at(SCHEMA))), EBADMSG, "%s", strerror(errno));
	cr_expect_str_eq(content("Music/new"), "{\"KeySchema\":[]}");
	cr_expect_str_eq(content(SCHEMA), before);
	cr_expect_neq(sh("sed -i s/by-year/by.year/2 \"$M/" SCHEMA "\"; sed -i s/HASH/HUSH/ \"$M/" SCHEMA "\""), 0);
	cr_expect_str_eq(content(SCHEMA), before);
}

/* truncate(2) opens nothing, and of a name that was only looked up the daemon keeps no more than that. */
Test(plain_files, a_file_that_nobody_has_opened_is_cut)
{
	assert_sh("printf 'some words' > \"$M/Music/Queen/notes.txt\"");
	mount_again();
	assert_ok(truncate(at("Music/Queen/notes.txt"), 4));
	expect_sh("cat \"$M/Music/Queen/notes.txt\"", "some");
}
