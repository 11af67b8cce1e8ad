/* Bad input: names, directories, links, offsets and writes that cannot be: a fitting errno each, nothing changed, and the reason told where there is one to
 * tell. contrib/docs/NAMES-AND-ERRNOS.md lists them, each with the test here that holds it. */
#include "tests/mount/harness.h"
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define LIAR  "Music/Queen/Liar.json"
#define ENTRY "Music/.index/by-year/1973/Queen,Liar.json"

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	declare("Numbers", "p:N s:N", NULL);
	declare("Bytes", "p:B s:B", NULL);
	declare("Single", "Id:S", NULL);
	assert_sh("cd \"$M\" && mkdir Music/Queen Numbers/7 Bytes/00 Single/a && printf '{\"Year\":1973}' > "
		  "Music/Queen/Liar.json && echo hi > Music/Queen/notes");
}

static void teardown(void)
{
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}");
	cr_expect_str_eq(listing("Music/Queen"), "notes\nLiar.json\n");
	cr_expect_str_eq(listing("Music"), ".schema.json\nQueen\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
	cr_expect_str_eq(listing_sorted(""), "Bytes\nMusic\nNumbers\nSingle\n");
	mount_teardown();
}

TestSuite(bad_input, .init = setup, .fini = teardown, .timeout = 600);

/* Making a file, or a directory, gives `want`; and looking the name up finds nothing. */
static void refused_file(const char *path, int want)
{
	int got = put_steps(path, "{}", 2, O_EXCL).open;
	cr_expect_eq(got, want, "create %s: %s", path, strerrorname_np(got));
	got = errno_of(mknod(at(path), S_IFREG | 0644, 0));
	cr_expect_eq(got, want, "mknod %s: %s", path, strerrorname_np(got));
	got = errno_of(rename(at("Music/Queen/notes"), at(path)));
	cr_expect_eq(got, want, "rename to %s: %s", path, strerrorname_np(got));
	cr_expect_not(exists(path), "%s", path);
}

static void refused_directory(const char *path, const char *other, int want)
{
	int got = errno_of(mkdir(at(path), 0755));
	cr_expect_eq(got, want, "mkdir %s: %s", path, strerrorname_np(got));
	got = errno_of(rename(at(other), at(path)));
	cr_expect_eq(got, want, "rename to %s: %s", path, strerrorname_np(got));
	cr_expect_not(exists(path), "%s", path);
}

static void expect_reason(const char *path, const char *part)
{
	cr_expect(refusal_of(path), "nothing is told of %s", path);
	expect_says("reason", part);
}

Test(bad_input, a_spelling_that_is_not_canonical)
{
	static const struct {
		const char *wrong, *says;
	} names[] = {{"%41", "A"}, {"%2f", "%2F"}, {"%C3%A9", "\xc3\xa9"}, {"a%2", "%"},
		     {"%", "%"},   {"%zz", "%"},   {"a\x01", "%01"},       {"a\x7f", "%7F"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *file = text("Music/Queen/%s.json", names[i].wrong),
			   *directory = text("Music/%s", names[i].wrong);
		refused_file(file, EINVAL);
		expect_reason(file, names[i].says);
		refused_directory(directory, "Music/Queen", EINVAL);
		expect_reason(directory, names[i].says);
	}
}

Test(bad_input, a_name_that_is_not_utf8)
{
	static const char *const names[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t told = refusals();
		refused_file(text("Music/Queen/%s.json", names[i]), EILSEQ);
		refused_directory(text("Music/%s", names[i]), "Music/Queen", EILSEQ);
		cr_expect_gt(refusals(), told, "nothing is told of name %zu",
			     i); /* its path cannot be in JSON as it is */
	}
}

Test(bad_input, a_name_that_is_no_number)
{
	static const struct {
		const char *wrong, *says;
	} names[] = {{"042", "42"},     {"-0", "0"},      {"1e2", "100"},
		     {"1.50", "1.5"},   {"+1", "1"},      {"seven", "number"},
		     {"0x1", "number"}, {"1 ", "number"}, {"123456789012345678901234567890123456789", "38"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *file = text("Numbers/7/%s.json", names[i].wrong),
			   *directory = text("Numbers/%s", names[i].wrong);
		refused_file(file, EINVAL);
		expect_reason(file, names[i].says);
		refused_directory(directory, "Numbers/7", EINVAL);
		expect_reason(directory, names[i].says);
	}
}

Test(bad_input, a_name_that_is_no_hexadecimal)
{
	static const struct {
		const char *wrong, *says;
	} names[] = {{"0", "hex"}, {"0A", "0a"}, {"zz", "hex"}, {"00 ", "hex"}, {"0x00", "hex"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *file = text("Bytes/00/%s.json", names[i].wrong);
		refused_file(file, EINVAL);
		expect_reason(file, names[i].says);
		refused_directory(text("Bytes/%s", names[i].wrong), "Bytes/00", EINVAL);
	}
}

Test(bad_input, a_second_item_where_a_partition_holds_one)
{
	refused_file("Single/a/other.json", EINVAL);
	expect_reason("Single/a/other.json", "item.json");
}

Test(bad_input, a_table_name_that_dynamodb_would_not_take)
{
	static const char *const names[] = {"ab", "a b", "a,b", "ta\xc3\xa9", "a%20b", ".abc", "x:y"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		refused_directory(names[i], "Single", EINVAL);
		cr_expect(refusal_of(names[i]), "nothing is told of %s", names[i]);
	}
}

Test(bad_input, a_name_of_more_bytes_than_a_name_has)
{
	char name[300] = {0};
	memset(name, 'k', 256);
	refused_directory(name, "Single", ENAMETOOLONG);
	refused_directory(text("Music/%s", name), "Music/Queen", ENAMETOOLONG);
	cr_expect_eq(put_steps(text("Music/%s", name), "x", 1, 0).open, ENAMETOOLONG);
	cr_expect_eq(put_steps(text("Music/Queen/%s", name), "x", 1, 0).open, ENAMETOOLONG);
	cr_expect_eq(put_steps(text("Music/Queen/%.251s.json", name), "{}", 2, 0).open, ENAMETOOLONG);
	expect_errno(rename(at(LIAR), at(text("Music/Queen/%.251s.json", name))), ENAMETOOLONG);
	cr_expect_str_eq(content(text("Music/Queen/%.251s.json", name)), "<ENAMETOOLONG>");
}

Test(bad_input, a_name_that_itemfs_gives)
{
	refused_file("Music/x%~plain", EINVAL); /* for a plain file whose name a partition has */
	expect_reason("Music/x%~plain", "itemfs's own");
}

Test(bad_input, a_reserved_name)
{
	static const char *const in_table[] = {".describe.json", ".index",  ".scan",   ".where",
					       ".export",        ".import", ".stream", ".history"};
	static const char *const in_partition[] = {".eq",      ".lt",          ".le",     ".gt",   ".ge",
						   ".between", ".begins_with", ".first",  ".last", ".after",
						   ".where",   ".export",      ".history"};
	for (size_t i = 0; i < sizeof in_table / sizeof *in_table; i++) {
		const char *path = text("Music/%s", in_table[i]);
		int made = errno_of(mkdir(at(path), 0755)), wrote = put_steps(path, "x", 1, O_EXCL).open,
		    moved = errno_of(rename(at("Music/Queen"), at(path)));
		cr_expect(made == EPERM || (made == EEXIST && exists(path)), "mkdir %s: %s", path,
			  strerrorname_np(made));
		cr_expect(wrote == EPERM || (wrote == EEXIST && exists(path)), "create %s: %s", path,
			  strerrorname_np(wrote));
		cr_expect(moved == EPERM || moved == EROFS || (moved == ENOTDIR && exists(path)), "rename to %s: %s",
			  path, strerrorname_np(moved));
	}
	for (size_t i = 0; i < sizeof in_partition / sizeof *in_partition; i++) {
		const char *path = text("Music/Queen/%s", in_partition[i]);
		int made = errno_of(mkdir(at(path), 0755)), wrote = put_steps(path, "x", 1, O_EXCL).open,
		    moved = errno_of(rename(at("Music/Queen/notes"), at(path)));
		cr_expect(made == EPERM || (made == EEXIST && exists(path)), "mkdir %s: %s", path,
			  strerrorname_np(made));
		cr_expect(wrote == EPERM || (wrote == EEXIST && exists(path)), "create %s: %s", path,
			  strerrorname_np(wrote));
		cr_expect(moved == EPERM || moved == EROFS || (moved == EISDIR && exists(path)), "rename to %s: %s",
			  path, strerrorname_np(moved));
	}
	expect_reason("Music/Queen/.history", "files only");
	expect_reason("Music/Queen/.history", "itemfs's own");
	expect_errno(mkdir(at(".itemfs"), 0755), EEXIST);
	expect_errno(rename(at("Music"), at(".itemfs")), EPERM);
	expect_errno(mkdir(at("Music/.schema.json"), 0755), EEXIST);
}

Test(bad_input, a_file_where_tables_stand)
{
	cr_expect_eq(put_steps("notes", "x", 1, 0).open, EPERM);
	cr_expect_eq(put_steps("x.json", "{}", 2, 0).open, EPERM);
	expect_errno(rename(at(LIAR), at("Liar.json")), EPERM);
	expect_errno(rename(at("Music/Queen/notes"), at("notes")), EPERM);
	expect_errno(mknod(at("notes"), S_IFREG | 0644, 0), EPERM);
	expect_reason("x.json", "mkdir");
}

Test(bad_input, an_item_where_partitions_stand)
{
	refused_file("Music/x.json", EINVAL);
	expect_reason("Music/x.json", "partition");
	expect_errno(rename(at(LIAR), at("Music/Liar.json")), EINVAL);
}

Test(bad_input, a_directory_in_a_partition)
{
	refused_directory("Music/Queen/Live", "Numbers/7", EPERM);
	refused_directory("Music/Queen/Live.json", "Numbers", EPERM);
	expect_reason("Music/Queen/Live.json", "files only");
}

Test(bad_input, a_table_in_a_table_and_a_partition_at_the_root)
{
	expect_errno(rename(at("Single"), at("Music/Single")), EPERM);
	expect_reason("Music/Single", "root");
	expect_errno(rename(at("Music/Queen"), at("Queen")), EXDEV);
	expect_errno(rename(at("Music/Queen"), at("Single/Queen")), EXDEV);
	expect_errno(rename(at("Music"), at("Music/Queen/Music")), EINVAL);
}

Test(bad_input, links)
{
	static const char *const places[] = {"Link", "Music/Link", "Music/Queen/Link", "Music/Queen/Link.json"};
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(errno_of(symlink("target", at(places[i]))), EPERM, "symlink %s: %s", places[i],
			     strerror(errno));
		expect_reason(places[i], "symbolic links");
		cr_expect_eq(errno_of(link(at(LIAR), at(places[i]))), EPERM, "link %s: %s", places[i], strerror(errno));
		expect_reason(places[i], "hard links");
		cr_expect_eq(errno_of(link(at("Music/Queen/notes"), at(places[i]))), EPERM, "link %s: %s", places[i],
			     strerror(errno));
	}
	cr_expect_neq(sh("ln -s x \"$M/Music/Queen/y\""), 0);
	cr_expect(strstr(sh_output(), "Operation not permitted"), "%s", sh_output());
	expect_reason("Music/Queen/y", "symbolic links");
	expect_errno(linkat(AT_FDCWD, at(LIAR), AT_FDCWD, scratch("out"), 0), EXDEV);
}

Test(bad_input, a_program_that_tries_many_links_does_not_flood_the_errors)
{
	cr_assert_neq(sh("mkdir \"$M/Music/Queen/%41\""), 0);
	expect_reason("Music/Queen/%41", "");
	for (int i = 0; i < 200; i++)
		expect_errno(symlink("target", at(text("Music/Queen/%d", i))), EPERM);
	cr_expect_eq(refusals(), 17); /* REFUSE_KINDS, and the other */
	cr_expect_neq(sh("mkfifo \"$M/Music/Queen/pipe\""), 0); /* another process is told */
	expect_reason("Music/Queen/pipe", "pipes");
	cr_expect_eq(refusals(), 18);
	cr_expect_neq(sh("mkdir \"$D/from\" && cd \"$D/from\" && echo hi > notes && ln -s notes soft && cp -a . \"$M/Music/Queen/\""), 0);
	expect_reason("Music/Queen/soft", "symbolic links");
}

/* Each asks while the other does, so that none of them asks twice in a row. */
Test(bad_input, programs_that_try_many_links_by_turns_do_not_either)
{
	pid_t all[2];
	int turn[3][2];
	for (int i = 0; i < 3; i++)
		assert_ok(pipe(turn[i]));
	for (int i = 0; i < 2; i++) {
		do /* another rest than the first one's (REFUSE_PROCESSES) */
			if ((all[i] = fork()) == 0) {
				char byte;
				for (int n = 0; n < 40 && read(turn[i][0], &byte, 1) == 1 && byte == 'g'; n++)
					if (symlink("target", at(text("Music/Queen/%d-%d", i, n))) == 0 || write(turn[2][1], "d", 1) != 1)
						_exit(1);
				_exit(0);
			} else if (i && all[1] % 16 == all[0] % 16) {
				cr_assert_eq(write(turn[i][1], "s", 1), 1);
				cr_assert_eq(waitpid(all[i], NULL, 0), all[i]);
			}
		while (i && all[1] % 16 == all[0] % 16);
	}
	for (int n = 0; n < 80; n++) {
		char byte;
		cr_assert_eq(write(turn[n % 2][1], "g", 1), 1);
		cr_assert_eq(read(turn[2][0], &byte, 1), 1);
	}
	for (int i = 0; i < 2; i++) {
		int status;
		cr_assert_eq(waitpid(all[i], &status, 0), all[i]);
		cr_expect_eq(status, 0);
	}
	cr_expect_eq(refusals(), 32); /* REFUSE_KINDS of each */
}

Test(bad_input, devices_fifos_and_sockets)
{
	static const mode_t kinds[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK};
	static const char *const places[] = {"Thing", "Music/Thing", "Music/Queen/Thing", "Music/Queen/Thing.json"};
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			cr_expect_eq(errno_of(mknod(at(places[i]), kinds[j] | 0644, makedev(1, 3))), EPERM,
				     "%o at %s: %s", kinds[j], places[i], strerror(errno));
	expect_reason("Music/Queen/Thing.json", "devices");
}

Test(bad_input, temporary_files_without_a_name)
{
	expect_errno(open(at("Music/Queen"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644), EOPNOTSUPP);
	expect_errno(open(at("Music"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644), EOPNOTSUPP);
}

Test(bad_input, holes_in_an_item)
{
	int fd = open(at(LIAR), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_expect_eq(pwrite(fd, "{}", 2, 4096), 2); /* the bytes before may still come */
	expect_errno(close(fd), EBADMSG);
	cr_assert(refusal_of(LIAR));
	expect_errno(truncate(at(LIAR), 100), EBADMSG); /* zeros after it */
	expect_reason(LIAR, "");
	fd = open(at(LIAR), O_WRONLY | O_CLOEXEC);
	expect_ok(ftruncate(fd, 100));
	expect_errno(close(fd), EBADMSG);
	fd = open(at(LIAR), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_expect_eq(pwrite(fd, "973}", 4, 9), 4);
	cr_expect_eq(pwrite(fd, "{\"Year\":1", 9, 0), 9); /* a hole that is filled is none */
	expect_ok(close(fd));
}

Test(bad_input, holes_that_are_punched)
{
	static const char *const files[] = {LIAR, "Music/Queen/notes"};
	for (int i = 0; i < 2; i++) {
		int fd = open(at(files[i]), O_RDWR | O_CLOEXEC);
		expect_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), EOPNOTSUPP);
		expect_errno(fallocate(fd, 0, 0, 4096), EOPNOTSUPP);
		close(fd);
	}
	cr_expect_eq(size_of("Music/Queen/notes"), 3);
}

Test(bad_input, negative_and_enormous_offsets)
{
	static const char *const files[] = {LIAR, "Music/Queen/notes"};
	for (int i = 0; i < 2; i++) {
		int fd = open(at(files[i]), O_RDWR | O_CLOEXEC);
		char byte;
		expect_errno(pread(fd, &byte, 1, -1), EINVAL);
		expect_errno(pwrite(fd, "x", 1, -1), EINVAL);
		expect_errno(ftruncate(fd, -1), EINVAL);
		expect_errno(truncate(at(files[i]), -1), EINVAL);
		expect_errno(lseek(fd, -1, SEEK_SET), EINVAL);
		cr_expect_eq(pread(fd, &byte, 1, INT64_C(1) << 40), 0);
		cr_expect_eq(pread(fd, &byte, 1, INT64_MAX - 1), 0);
		expect_errno(ftruncate(fd, INT64_C(1) << 40), EFBIG);
		expect_errno(truncate(at(files[i]), (16 << 20) + 1), EFBIG);
		expect_errno(truncate(at(files[i]), INT64_MAX), EFBIG);
		int got = errno_of(pwrite(fd, "x", 1, INT64_MAX - 1));
		cr_expect_eq(got, EFBIG, "%s: %s", files[i], strerrorname_np(got));
		expect_errno(pwrite(fd, "x", 1, 16 << 20), EFBIG);
		if (i == 0)
			expect_errno(close(fd), EFBIG); /* the write that was refused poisoned it */
		else
			expect_ok(close(fd));
	}
	cr_expect_str_eq(content("Music/Queen/notes"), "hi\n");
	expect_reason(LIAR, "at most 16777216 bytes");
}

Test(bad_input, writes_into_a_view)
{
	expect_errno(open(at(ENTRY), O_WRONLY | O_CLOEXEC), EROFS);
	expect_errno(open(at(ENTRY), O_RDWR | O_CLOEXEC), EROFS);
	expect_errno(open(at(ENTRY), O_WRONLY | O_TRUNC | O_CLOEXEC), EROFS);
	expect_errno(truncate(at(ENTRY), 0), EROFS);
	expect_errno(unlink(at(ENTRY)), EROFS);
	expect_errno(chmod(at(ENTRY), 0644), EROFS);
	expect_errno(utimensat(AT_FDCWD, at(ENTRY), NULL, 0), EROFS);
	if (geteuid() == 0)
		expect_errno(chown(at(ENTRY), 1, 1), EROFS);
	expect_errno(rename(at(ENTRY), at("Music/Queen/Out.json")), EROFS);
	expect_errno(rename(at(ENTRY), at("Music/.index/by-year/1973/Other.json")), EROFS);
}

Test(bad_input, new_names_in_a_view)
{
	static const char *const places[] = {"Music/.index/new", "Music/.index/by-year/1999",
					     "Music/.index/by-year/1973/new.json", "Music/.index/by-year/1973/new"};
	for (size_t i = 0; i < 4; i++) {
		const char *path = places[i];
		cr_expect_eq(put_steps(path, "{}", 2, 0).open, EROFS, "%s", path);
		cr_expect_eq(errno_of(mkdir(at(path), 0755)), EROFS, "mkdir %s: %s", path, strerror(errno));
		cr_expect_eq(errno_of(symlink("x", at(path))), EROFS, "symlink %s: %s", path, strerror(errno));
		cr_expect_eq(errno_of(link(at(LIAR), at(path))), EROFS, "link %s: %s", path, strerror(errno));
		cr_expect_eq(errno_of(mkfifo(at(path), 0644)), EROFS, "mkfifo %s: %s", path, strerror(errno));
		cr_expect_eq(errno_of(rename(at(LIAR), at(path))), EROFS, "rename an item to %s: %s", path,
			     strerror(errno));
		cr_expect_eq(errno_of(rename(at("Music/Queen/notes"), at(path))), EROFS,
			     "rename a plain file to %s: %s", path, strerror(errno));
	}
	expect_errno(rename(at("Music/Queen"), at("Music/.index/by-year/1999")), EROFS);
	expect_errno(rename(at(LIAR), at(ENTRY)), EROFS);
}

Test(bad_input, a_views_own_directories)
{
	static const char *const directories[] = {"Music/.index", "Music/.index/by-year", "Music/.index/by-year/1973"};
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(errno_of(rmdir(at(directories[i]))), EROFS, "rmdir %s: %s", directories[i],
			     strerror(errno));
		cr_expect_eq(errno_of(chmod(at(directories[i]), 0755)), EROFS, "chmod %s: %s", directories[i],
			     strerror(errno));
		int moved = errno_of(rename(at(directories[i]), at("Music/Elsewhere")));
		cr_expect_eq(moved, EROFS, "rename %s: %s", directories[i], strerrorname_np(moved));
	}
	cr_expect_str_eq(content("Music/.index/none"), "<ENOENT>");
	cr_expect_str_eq(content("Music/.index/by-year/x"), "<ENOENT>");
	cr_expect_str_eq(content("Music/.index/by-year/01973"), "<ENOENT>");
}

Test(bad_input, writes_into_the_volumes_own_directory)
{
	expect_errno(put(LIAR, "{oops"), EBADMSG);
	cr_assert(refusal_of(LIAR));
	const char *rejected = text(".itemfs/rejected/%s", refusal("rejected"));
	expect_errno(open(at(".itemfs/errors"), O_WRONLY | O_CLOEXEC), EROFS);
	expect_errno(open(at(rejected), O_WRONLY | O_CLOEXEC), EROFS);
	expect_errno(unlink(at(".itemfs/errors")), EPERM);
	expect_errno(rmdir(at(".itemfs")), EPERM);
	expect_errno(rmdir(at(".itemfs/rejected")), EPERM);
	expect_errno(mkdir(at(".itemfs/new"), 0755), EPERM);
	cr_expect_eq(put_steps(".itemfs/new", "x", 1, 0).open, EPERM);
	cr_expect_eq(put_steps(".itemfs/rejected/new", "x", 1, 0).open, EPERM);
	expect_errno(rename(at(LIAR), at(".itemfs/rejected/new")), EPERM);
	expect_errno(rename(at(rejected), at("Music/Queen/Back.json")), EXDEV);
	expect_errno(chmod(at(".itemfs"), 0700), EPERM);
	expect_errno(symlink("x", at(".itemfs/link")), EPERM);
}

/* As many as one process is told of (REFUSE_KINDS). */
Test(bad_input, what_cannot_be_changed_says_why)
{
	expect_errno(mkdir(at(".itemfs/new"), 0755), EPERM);
	expect_reason(".itemfs/new", "itemfs's own");
	cr_expect_eq(put_steps(".itemfs/rejected/new", "x", 1, 0).open, EPERM);
	expect_reason(".itemfs/rejected/new", "itemfs's own");
	expect_errno(unlink(at(".itemfs/errors")), EPERM);
	expect_reason(".itemfs/errors", "itemfs's own");
	expect_errno(rmdir(at(".itemfs")), EPERM);
	expect_reason(".itemfs", "itemfs's own");
	expect_errno(chmod(at(".itemfs/stats.json"), 0600), EPERM);
	expect_reason(".itemfs/stats.json", "itemfs's own");
	expect_errno(mkdir(at("Music/.import/new"), 0755), EPERM);
	expect_reason("Music/.import/new", "to be imported");
	expect_errno(mkdir(at("Music/.index/new"), 0755), EROFS);
	expect_reason("Music/.index/new", "computed");
	expect_errno(symlink("x", at("Music/.index/link")), EROFS);
	expect_reason("Music/.index/link", "computed");
	expect_errno(open(at(ENTRY), O_WRONLY | O_CLOEXEC), EROFS);
	expect_reason(ENTRY, "computed");
	expect_errno(rename(at(ENTRY), at("Music/Queen/Out.json")), EROFS);
	expect_reason(ENTRY, "computed");
	expect_errno(rename(at("Music/Queen/notes"), at("Music/.index/by-year/new")), EROFS);
	expect_reason("Music/.index/by-year/new", "computed");
	expect_errno(unlink(at("Music/.describe.json")), EROFS);
	expect_reason("Music/.describe.json", "computed");
	expect_ok(mkdir(at(".itemfs/snapshots/now"), 0755));
	expect_errno(mkdir(at(".itemfs/snapshots/now/Music/new"), 0755), EROFS);
	expect_reason(".itemfs/snapshots/now/Music/new", "a snapshot is read only");
	expect_errno(unlink(at(".itemfs/snapshots/now/" LIAR)), EROFS);
	expect_reason(".itemfs/snapshots/now/" LIAR, "a snapshot is read only");
	expect_errno(truncate(at(".itemfs/snapshots/now/" LIAR), 0), EROFS);
	expect_reason(".itemfs/snapshots/now/" LIAR, "a snapshot is read only");
	expect_errno(rmdir(at(".itemfs/snapshots/now/Music/Queen")), EROFS);
	expect_reason(".itemfs/snapshots/now/Music/Queen", "a snapshot is read only");
}

Test(bad_input, a_program_that_tries_to_change_it_all_the_same_does_not_flood_the_errors)
{
	for (int i = 0; i < 100; i++) {
		expect_errno(mkdir(at(text(".itemfs/%d", i)), 0755), EPERM);
		expect_errno(unlink(at(ENTRY)), EROFS);
	}
	cr_expect_eq(refusals(), 16); /* REFUSE_KINDS */
}

Test(bad_input, removals_of_what_is_not_empty_or_not_that_kind)
{
	expect_errno(rmdir(at("Music")), ENOTEMPTY);
	expect_errno(rmdir(at("Music/Queen")), ENOTEMPTY);
	expect_errno(rmdir(at(LIAR)), ENOTDIR);
	expect_errno(unlink(at("Music/Queen")), EISDIR);
	expect_errno(unlink(at("Music")), EISDIR);
	expect_errno(unlink(at("Music/Queen/None.json")), ENOENT);
	expect_errno(rmdir(at("Music/None")), ENOENT);
	expect_errno(rmdir(at("None")), ENOENT);
	cr_expect_eq(put_steps("Music/None/x.json", "{}", 2, 0).open, ENOENT);
	cr_expect_eq(put_steps("None/p/x.json", "{}", 2, 0).open, ENOENT);
	cr_expect_eq(put_steps("Music/Queen/Liar.json/x", "{}", 2, 0).open, ENOTDIR);
}

Test(bad_input, documents_that_break_a_rule)
{
	static const struct {
		const char *document, *says;
	} wrong[] = {{"{oops", "line 1"},
		     {"[]", "object"},
		     {"{\"Year\":", "end"},
		     {"{\"Year\":\"x\"}", "Year"},
		     {"{\"Title\":\"Other\"}", "Title"},
		     {"{\"a\":1,\"a\":2}", "a"},
		     {"{\"a\":\"\xff\"}", "UTF-8"},
		     {"{\"a\":1e126}", ""},
		     {"{\"a\":{\"$SS\":[]}}", ""}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_expect_eq(errno_of(put(LIAR, wrong[i].document)), EBADMSG, "%s: %s", wrong[i].document,
			     strerror(errno));
		expect_reason(LIAR, wrong[i].says);
		cr_expect_str_eq(refusal("errno"), "EBADMSG");
		cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), wrong[i].document);
	}
	const char *large = text("{\"a\":\"%0409600d\"}", 0);
	cr_expect_eq(errno_of(put(LIAR, large)), EFBIG, "%s", strerror(errno));
	expect_reason(LIAR, "maximum allowed size");
	cr_expect_str_eq(refusal("errno"), "EFBIG");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), large);
}

Test(bad_input, definitions_that_break_a_rule)
{
	static const struct {
		const char *document, *says;
	} wrong[] = {{"{oops", "line 1"}, {"[]", ""}, {"{}", "AttributeDefinitions"}, {"{\"Nonsense\":1}", "Nonsense"}};
	const char *before = content("Music/.schema.json");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_expect_eq(errno_of(put("Music/.schema.json", wrong[i].document)), EBADMSG, "%s: %s",
			     wrong[i].document, strerror(errno));
		expect_reason("Music/.schema.json", wrong[i].says);
		cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), wrong[i].document);
	}
	cr_expect_eq(errno_of(put("Music/.schema.json", definition("Other:S Title:S", NULL))), EBADMSG, "%s",
		     strerror(errno));
	cr_expect_str_eq(content("Music/.schema.json"), before);
}
