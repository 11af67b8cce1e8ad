/* Tables: directories at the root. */
#include "tests/mount/harness.h"
#include <dirent.h>

TestSuite(tables, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

Test(tables, mkdir_makes_a_table_and_rmdir_removes_it)
{
	expect_ok(mkdir(at("Music"), 0755));
	cr_expect_str_eq(listing(""), "Music\n");
	expect_errno(mkdir(at("Music"), 0755), EEXIST);
	expect_ok(rmdir(at("Music")));
	cr_expect_str_eq(listing(""), "");
	expect_errno(rmdir(at("Music")), ENOENT);
}

Test(tables, a_new_table_is_undeclared_and_lists_no_definition)
{
	expect_ok(mkdir(at("Music"), 0755));
	cr_expect_str_eq(listing("Music"), "");
	cr_expect_str_eq(content("Music/.schema.json"), "<ENOENT>");
}

Test(tables, the_first_session_of_the_contract_works_at_once)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" && echo '{\"year\":1975}' > \"$M/Music/Queen/Bohemian Rhapsody.json\"");
	cr_expect_str_eq(content("Music/Queen/Bohemian Rhapsody.json"), "{\"year\":1975}\n");
}

Test(tables, an_undeclared_table_compares_nothing_in_a_document_with_the_path)
{
	assert_sh("mkdir -p \"$M/Music/Queen\"");
	expect_ok(put("Music/Queen/Liar.json", "{\"pk\":\"not Queen\",\"sk\":7}"));
}

Test(tables, names_follow_dynamodb)
{
	const char *right[] = {"abc", "a.b", "A-1", "x__"};
	for (size_t i = 0; i < 4; i++)
		expect_ok(mkdir(at(right[i]), 0755));
	expect_ok(mkdir(at("-ab"), 0755));
	const char *wrong[] = {"a", "ab", "a b", "a,b", "ta\xc3\xa9", "a%20b", ".abc", "x:y"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_expect_eq(errno_of(mkdir(at(wrong[i]), 0755)), EINVAL, "mkdir %s: %s", wrong[i], strerror(errno));
		struct stat st;
		cr_expect_eq(errno_of(stat(at(wrong[i]), &st)), ENOENT, "stat %s: %s", wrong[i], strerror(errno));
	}
	char longest[257] = {0};
	memset(longest, 'a', 255);
	expect_ok(mkdir(at(longest), 0755));
	cr_expect(exists(longest));
	longest[255] = 'a';
	expect_errno(mkdir(at(longest), 0755), ENAMETOOLONG);
}

Test(tables, names_are_case_sensitive)
{
	assert_sh("cd \"$M\" && mkdir zeta Music music Alpha a-b");
	cr_expect_str_eq(listing_sorted(""), "Alpha\nMusic\na-b\nmusic\nzeta\n");
}

Test(tables, a_regular_file_at_the_root_is_not_permitted)
{
	cr_expect_eq(put_steps("notes", "x", 1, 0).open, EPERM);
	cr_expect_eq(put_steps("notes.json", "{}", 2, 0).open, EPERM);
	cr_expect_eq(put_steps(".notes.swp", "x", 1, 0).open, EPERM);
	cr_expect_str_eq(listing(""), "");
}

Test(tables, links_and_devices_are_not_permitted)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" && echo '{}' > \"$M/Music/Queen/Liar.json\"");
	expect_errno(symlink("Music", at("Songs")), EPERM);
	expect_errno(symlink("Queen", at("Music/Abba")), EPERM);
	expect_errno(symlink("x", at("Music/Queen/y")), EPERM);
	expect_errno(link(at("Music/Queen/Liar.json"), at("Music/Queen/Lied.json")), EPERM);
	expect_errno(mkfifo(at("Music/Queen/pipe"), 0600), EPERM);
}

Test(tables, the_volumes_own_directory_is_reserved_and_not_listed)
{
	cr_expect_str_eq(listing(""), "");
	cr_expect(exists(".itemfs"));
	expect_errno(mkdir(at(".itemfs"), 0755), EEXIST);
	expect_errno(rmdir(at(".itemfs")), EPERM);
	expect_ok(mkdir(at("Music"), 0755));
	expect_errno(rename(at("Music"), at(".itemfs")), EPERM);
	expect_errno(rename(at(".itemfs"), at("Music2")), EPERM);
	cr_expect_eq(put_steps(".itemfs/notes", "x", 1, 0).open, EPERM);
}

Test(tables, the_reserved_names_of_a_table_cannot_be_made)
{
	const char *names[] = {".describe.json", ".index",  ".scan",   ".where",
			       ".export",        ".import", ".stream", ".history"};
	expect_ok(mkdir(at("Music"), 0755));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = text("Music/%s", names[i]);
		int made = errno_of(mkdir(at(path), 0755));
		int wrote = put_steps(path, "x", 1, O_EXCL).open;
		cr_expect(made == EPERM || (made == EEXIST && exists(path)), "mkdir %s: %s", path, strerror(made));
		cr_expect(wrote == EPERM || (wrote == EEXIST && exists(path)), "create %s: %s", path, strerror(wrote));
	}
	expect_errno(mkdir(at("Music/.schema.json"), 0755), EPERM);
	cr_expect_str_eq(listing("Music"), "");
}

Test(tables, the_reserved_names_of_a_partition_cannot_be_made)
{
	const char *names[] = {".eq",    ".lt",   ".le",    ".gt",    ".ge",     ".between", ".begins_with",
			       ".first", ".last", ".after", ".where", ".export", ".history"};
	assert_sh("mkdir -p \"$M/Music/Queen\"");
	assert_sh("echo x > \"$M/Music/Queen/draft\"");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = text("Music/Queen/%s", names[i]);
		int made = errno_of(mkdir(at(path), 0755)), wrote = put_steps(path, "x", 1, O_EXCL).open,
		    moved = errno_of(rename(at("Music/Queen/draft"), at(path)));
		cr_expect(made == EPERM || (made == EEXIST && exists(path)), "mkdir %s: %s", path, strerror(made));
		cr_expect(wrote == EPERM || (wrote == EEXIST && exists(path)), "create %s: %s", path, strerror(wrote));
		cr_expect(moved == EPERM || (moved == EISDIR && exists(path)), "rename to %s: %s", path, strerror(moved));
	}
	cr_expect_str_eq(listing("Music/Queen"), "draft\n");
}

Test(tables, rmdir_wants_it_empty)
{
	assert_sh("mkdir -p \"$M/Music/Queen\"");
	expect_errno(rmdir(at("Music")), ENOTEMPTY);
	expect_ok(rmdir(at("Music/Queen")));
	assert_sh("echo hello > \"$M/Music/README\"");
	expect_errno(rmdir(at("Music")), ENOTEMPTY);
	expect_ok(unlink(at("Music/README")));
	expect_ok(put("Music/.schema.json", definition("Artist:S Title:S", NULL)));
	assert_sh("rm -r \"$M/Music\"");
	cr_expect_not(exists("Music"));
}

static void expect_empty(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	cr_assert(dir, "%s", strerror(errno));
	errno = 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		cr_expect(entry->d_name[0] == '.', "%s", entry->d_name);
	cr_expect_eq(errno, 0, "%s", strerror(errno));
	closedir(dir);
}

/* As on any file system: a shell may stand in it. */
static void expect_gone_and_known(const char *path)
{
	struct stat before, after;
	int directory = open(at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(directory, 0, "%s", strerror(errno));
	expect_ok(fstat(directory, &before));
	expect_ok(rmdir(at(path)));
	for (int again = 0; again < 2; again++) { /* the second time with another of that name */
		expect_ok(fstat(directory, &after));
		cr_expect_eq(after.st_nlink, 0);
		cr_expect_eq(after.st_mode, S_IFDIR | 0750, "%o", after.st_mode);
		cr_expect_eq(after.st_ino, before.st_ino);
		cr_expect_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
		expect_empty(directory);
		expect_errno(mkdirat(directory, "Fresh", 0755), ENOENT);
		expect_errno(openat(directory, "fresh", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), ENOENT);
		expect_errno(faccessat(directory, "full", F_OK, 0), ENOENT);
		if (!again)
			assert_sh(text("mkdir \"$M/%s\" && echo x > \"$M/%s/full\"", path, path));
	}
	close(directory);
}

Test(tables, that_are_removed_are_empty_to_who_stands_in_them_and_so_are_partitions)
{
	assert_sh("mkdir \"$M/Music\" && mkdir -m 750 \"$M/Music/Queen\" \"$M/Songs\"");
	expect_gone_and_known("Music/Queen");
	expect_gone_and_known("Songs");
	expect_sh("mkdir -m 750 \"$M/Here\" && cd \"$M/Here\" && rmdir \"$M/Here\" && ls && stat -c %a,%h .", "750,0\n");
}

/* The kernel goes on asking there for the names that somebody has open below it. */
Test(tables, in_one_that_was_removed_a_name_that_is_open_can_be_asked_for)
{
	static const char *const names[] = {".where", ".index", ".scan", ".export", ".import"};
	enum { NAMES = sizeof names / sizeof *names };
	int below[NAMES], table;
	assert_ok(mkdir(at("Music"), 0755));
	cr_assert_geq(table = open(at("Music"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
	for (int i = 0; i < NAMES; i++)
		cr_assert_geq(below[i] = openat(table, names[i], O_PATH | O_CLOEXEC), 0, "%s: %s", names[i], strerror(errno));
	expect_ok(rmdir(at("Music")));
	for (int i = 0; i < NAMES; i++) {
		cr_expect(faccessat(table, names[i], F_OK, 0) == 0 || errno == ENOENT, "%s: %s", names[i], strerror(errno)); /* the kernel may remember it and not ask */
		cr_expect_neq(faccessat(below[i], "x", F_OK, 0), 0);
		close(below[i]);
	}
	close(table);
}

Test(tables, a_table_made_again_knows_nothing_of_the_one_before)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M\" && mkdir Music/Queen && echo '{\"Year\":1975}' > Music/Queen/Liar.json && rm -r Music && "
		  "mkdir Music");
	cr_expect_str_eq(listing("Music"), "");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "<ENOENT>");
	cr_expect_str_eq(content("Music/.schema.json"), "<ENOENT>");
}

Test(tables, mv_renames_a_table_with_all_it_holds)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M\" && mkdir Music/Queen && echo '{\"Year\":1975}' > Music/Queen/Liar.json && echo hi > "
		  "Music/README");
	const char *before = content("Music/.schema.json");
	assert_sh("mv \"$M/Music\" \"$M/Songs\"");
	cr_expect_str_eq(listing(""), "Songs\n");
	cr_expect_str_eq(content("Songs/.schema.json"), before);
	cr_expect_str_eq(content("Songs/Queen/Liar.json"), "{\"Year\":1975}\n");
	cr_expect_str_eq(content("Songs/README"), "hi\n");
	cr_expect_str_eq(listing("Songs/.index/by-year/1975"), "Queen,Liar.json\n");
	mount_again();
	cr_expect_str_eq(content("Songs/Queen/Liar.json"), "{\"Year\":1975}\n");
}

Test(tables, mv_onto_an_empty_table_replaces_it_and_onto_a_full_one_is_refused)
{
	assert_sh("cd \"$M\" && mkdir -p Music/Queen Empty Full/x");
	expect_errno(rename(at("Music"), at("Full")), ENOTEMPTY);
	expect_ok(rename(at("Music"), at("Empty")));
	cr_expect_str_eq(listing_sorted(""), "Empty\nFull\n");
	cr_expect_str_eq(listing("Empty"), "Queen\n");
}

Test(tables, mv_to_a_bad_name_is_refused)
{
	expect_ok(mkdir(at("Music"), 0755));
	expect_errno(rename(at("Music"), at("a b")), EINVAL);
	expect_errno(rename(at("Music"), at("ab")), EINVAL);
	cr_expect_str_eq(listing(""), "Music\n");
}

Test(tables, partitions_are_made_and_removed_and_an_empty_one_persists)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" && chmod 750 \"$M/Music/Queen\" && touch -d '2001-02-03 "
		  "04:05:06.123456789Z' \"$M/Music/Queen\"");
	mount_again();
	cr_expect_str_eq(listing("Music"), "Queen\n");
	cr_expect_eq(mode_of("Music/Queen"), 0750);
	cr_expect_eq(mtime_of("Music/Queen"), INT64_C(981173106123456789));
	assert_sh("echo '{}' > \"$M/Music/Queen/Liar.json\"");
	expect_errno(rmdir(at("Music/Queen")), ENOTEMPTY);
	assert_sh("rm \"$M/Music/Queen/Liar.json\"");
	cr_expect_str_eq(listing("Music"), "Queen\n"); /* the last item's removal does not remove it */
	expect_ok(rmdir(at("Music/Queen")));
	cr_expect_str_eq(listing("Music"), "");
}

Test(tables, mv_rekeys_a_partition)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen && echo '{\"Year\":1975, \"Artist\": \"Queen\"}' > Queen/Liar.json "
		  "&& echo '{ }' > Queen/Seven.json && "
		  "touch -d '2001-02-03 04:05:06.5Z' Queen/Liar.json && mv Queen Smile");
	cr_expect_str_eq(listing("Music"), ".schema.json\nSmile\n");
	cr_expect_str_eq(content("Music/Smile/Liar.json"),
			 "{\"Year\":1975, \"Artist\": \"Smile\"}\n"); /* just those values */
	cr_expect_str_eq(content("Music/Smile/Seven.json"), "{ }\n");
	cr_expect_eq(mtime_of("Music/Smile/Liar.json"), INT64_C(981173106500000000));
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Smile,Liar.json\n");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "<ENOENT>");
}

Test(tables, mv_of_a_partition_onto_a_full_one_is_refused)
{
	assert_sh("cd \"$M\" && mkdir -p Music/Queen Music/Abba && echo '{}' > Music/Abba/SOS.json && echo '{}' > "
		  "Music/Queen/Liar.json");
	expect_errno(rename(at("Music/Queen"), at("Music/Abba")), ENOTEMPTY);
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\n");
	cr_expect_str_eq(listing("Music/Abba"), "SOS.json\n");
}

Test(tables, mv_of_a_huge_partition_is_told_to_copy_and_mv_does)
{
	assert_sh("cd \"$M\" && mkdir -p Music/Big && cd Music/Big && for ((i = 0; i <= 10000; i++)); do echo '{}' > "
		  "$i.json; done");
	expect_errno(rename(at("Music/Big"), at("Music/Bigger")), EXDEV);
	cr_expect(exists("Music/Big/10000.json"));
	cr_expect_not(exists("Music/Bigger"));
	assert_sh("rm \"$M/Music/Big/10000.json\"");
	expect_ok(rename(at("Music/Big"), at("Music/Bigger")));
	expect_sh("ls \"$M/Music/Bigger\" | wc -l", "10000\n");
}

Test(tables, directories_inside_a_partition_are_not_permitted)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" \"$M/Music/Abba\"");
	expect_errno(mkdir(at("Music/Queen/Live"), 0755), EPERM);
	expect_errno(rename(at("Music/Abba"), at("Music/Queen/Abba")), EPERM);
}

Test(tables, the_directorys_time_changes_with_its_names_only)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" && echo '{}' > \"$M/Music/Queen/Liar.json\"");
	assert_sh("touch -d '2001-02-03Z' \"$M/Music/Queen\" \"$M/Music\"");
	int64_t old = mtime_of("Music/Queen");
	assert_sh("echo '{\"a\":1}' > \"$M/Music/Queen/Liar.json\"");
	cr_expect_eq(mtime_of("Music/Queen"), old);
	assert_sh("echo '{}' > \"$M/Music/Queen/Seven.json\"");
	cr_expect_gt(mtime_of("Music/Queen"), old);
	cr_expect_eq(mtime_of("Music"), old);
	assert_sh("mkdir \"$M/Music/Abba\"");
	cr_expect_gt(mtime_of("Music"), old);
}

Test(tables, statfs_and_nlink_are_sane)
{
	struct stat st;
	assert_sh("mkdir -p \"$M/Music/Queen\" && df \"$M\" && echo '{}' > \"$M/Music/Queen/Liar.json\"");
	assert_ok(stat(at("Music"), &st));
	cr_expect_eq(st.st_nlink, 1);
	cr_expect(S_ISDIR(st.st_mode));
	assert_ok(stat(at("Music/Queen/Liar.json"), &st));
	cr_expect_eq(st.st_nlink, 1);
	cr_expect_eq(st.st_size, 3);
}
