/* Plain files, and the tools that need them: editors, sed -i, rsync. */
#include "tests/mount/harness.h"

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
}

TestSuite(plain, .init = setup, .fini = mount_teardown, .timeout = 600);

#define LIAR "Music/Queen/Liar.json"

Test(plain, any_other_name_is_kept_byte_for_byte)
{
	const char bytes[] = "\0\xff{not JSON\n\0";
	size_t n;
	expect_ok(put_bytes("Music/Queen/notes", bytes, sizeof bytes));
	expect_ok(put_bytes("Music/README.md", bytes, sizeof bytes));
	expect_ok(put_bytes("Music/Queen/.Liar.json.swp", bytes, sizeof bytes));
	mount_again();
	const char *paths[] = {"Music/Queen/notes", "Music/README.md", "Music/Queen/.Liar.json.swp"};
	for (int i = 0; i < 3; i++) {
		const char *got = content_bytes(paths[i], &n);
		cr_assert(got, "%s", paths[i]);
		cr_expect_eq(n, sizeof bytes);
		cr_expect_eq(memcmp(got, bytes, n), 0);
	}
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n"); /* in no index */
}

Test(plain, is_shared_by_all_who_open_it_and_visible_at_write)
{
	int one = open(at("Music/notes"), O_RDWR | O_CREAT, 0644), two = open(at("Music/notes"), O_RDWR);
	cr_assert(one >= 0 && two >= 0);
	char seen[8] = {0};
	cr_expect_eq(write(one, "hello", 5), 5);
	cr_expect_eq(read(two, seen, 8), 5);
	cr_expect_str_eq(seen, "hello");
	cr_expect_eq(pwrite(two, "J", 1, 0), 1);
	cr_expect_str_eq(content("Music/notes"), "Jello");
	cr_expect_eq(pwrite(two, "!", 1, 9), 1); /* a hole */
	cr_expect_eq(size_of("Music/notes"), 10);
	expect_ok(ftruncate(one, 4));
	cr_expect_str_eq(content("Music/notes"), "Jell");
	close(one);
	close(two);
	mount_again();
	cr_expect_str_eq(content("Music/notes"), "Jell");
}

Test(plain, appends)
{
	assert_sh("for i in 1 2 3; do echo $i >> \"$M/Music/log\"; done");
	cr_expect_str_eq(content("Music/log"), "1\n2\n3\n");
}

Test(plain, has_16_mib_and_no_more)
{
	assert_sh("head -c 16777216 /dev/urandom > \"$D/big\" && cp \"$D/big\" \"$M/Music/Queen/big\" && cmp "
		  "\"$D/big\" \"$M/Music/Queen/big\"");
	expect_errno(truncate(at("Music/Queen/big"), 16777217), EFBIG);
	int fd = open(at("Music/Queen/big"), O_WRONLY);
	expect_errno(pwrite(fd, "x", 1, 16777216), EFBIG);
	close(fd);
	mount_again();
	assert_sh("cmp \"$D/big\" \"$M/Music/Queen/big\"");
}

Test(plain, survives_an_unlink_while_it_is_open)
{
	int fd = open(at("Music/notes"), O_RDWR | O_CREAT, 0644);
	cr_expect_eq(write(fd, "hello", 5), 5);
	expect_ok(unlink(at("Music/notes")));
	char seen[8] = {0};
	cr_expect_eq(pread(fd, seen, 8, 0), 5);
	expect_ok(close(fd));
	cr_expect_not(exists("Music/notes"));
}

Test(plain, renamed_onto_an_item_makes_it_one_with_its_mode_and_times)
{
	assert_sh("cd \"$M/Music/Queen\" && echo '{\"Year\":1974}' > draft && chmod 600 draft && touch -d '2001-02-03 "
		  "04:05:06.5Z' draft && mv draft Liar.json");
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\n");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}\n");
	cr_expect_eq(mode_of(LIAR), 0600);
	cr_expect_eq(mtime_of(LIAR), INT64_C(981173106500000000));
	cr_expect_str_eq(listing("Music/.index/by-year"), "1974\n");
}

Test(plain, renamed_to_a_new_item_name_makes_an_item)
{
	expect_ok(put("Music/Queen/draft", "{\"Year\":1975}"));
	expect_ok(rename(at("Music/Queen/draft"), at("Music/Queen/Seven.json")));
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Queen,Seven.json\n");
}

Test(plain, a_refused_rename_leaves_both_files_as_they_were)
{
	static const char *const wrong[] = {"{oops", "{\"Year\":", "{\"Title\":\"Other\"}", "{\"Year\":\"x\"}", "[]"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		expect_ok(put("Music/Queen/draft", wrong[i]));
		cr_expect_eq(errno_of(rename(at("Music/Queen/draft"), at(LIAR))), EBADMSG, "%s: %s", wrong[i],
			     strerror(errno));
		cr_expect_str_eq(content("Music/Queen/draft"), wrong[i]);
		cr_expect_str_eq(content(LIAR), "{\"Year\":1973}\n");
		cr_expect_eq(errno_of(rename(at("Music/Queen/draft"), at("Music/Queen/New.json"))), EBADMSG, "%s",
			     wrong[i]);
		cr_expect_not(exists("Music/Queen/New.json"));
	}
	cr_assert(refusal_of(LIAR));
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
}

Test(plain, mv_prints_a_sensible_reason)
{
	expect_ok(put("Music/Queen/draft", "{oops"));
	cr_expect_neq(sh("mv \"$M/Music/Queen/draft\" \"$M/" LIAR "\""), 0);
	cr_expect(strstr(sh_output(), "Bad message"), "%s", sh_output());
}

Test(plain, an_item_becomes_one_and_comes_back)
{
	expect_ok(rename(at(LIAR), at(LIAR "~")));
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json~\n");
	cr_expect_str_eq(content(LIAR "~"), "{\"Year\":1973}\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
	expect_ok(rename(at(LIAR "~"), at(LIAR)));
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
}

Test(plain, still_open_for_writing_it_may_be_renamed_and_its_handles_go_on_as_drafts)
{
	int fd = open(at("Music/Queen/draft"), O_WRONLY | O_CREAT, 0644);
	cr_expect_eq(write(fd, "{\"Year\":1974}", 13), 13);
	expect_ok(rename(at("Music/Queen/draft"), at(LIAR)));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	cr_expect_eq(pwrite(fd, "9", 1, 11), 1);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	expect_ok(close(fd));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1979}");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1979\n");
}

Test(plain, a_json_name_in_a_table_directory_is_einval)
{
	cr_expect_eq(put_steps("Music/x.json", "{}", 2, 0).open, EINVAL);
	expect_ok(put("Music/draft", "{}"));
	expect_errno(rename(at("Music/draft"), at("Music/x.json")), EINVAL);
	cr_expect(exists("Music/draft"));
	expect_ok(put("Music/.x.json", "a plain one: it begins with a dot"));
}

Test(plain, moves_between_partitions_and_the_table)
{
	assert_sh("cd \"$M/Music\" && mkdir Abba && echo hello > notes && mv notes Queen/ && mv Queen/notes Abba/n2 && "
		  "mv Abba/n2 .");
	cr_expect_str_eq(content("Music/n2"), "hello\n");
	cr_expect_str_eq(listing("Music/Abba"), "");
}

Test(plain, vim_edits_an_item)
{
	for (int i = 0; i < 3; i++)
		assert_sh(text("vim -Nu NONE -es -c 'set backupskip=' -c '%%s/[0-9]\\+/%d/' -c 'wq' \"$M/" LIAR
			       "\" < /dev/null",
			       1980 + i));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1982}\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1982\n");
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\n");
	assert_sh("vim -Nu NONE -es -c 'set backupskip= backup writebackup backupcopy=no backupdir=.,/tmp' -c "
		  "'%s/1982/1990/' -c "
		  "'wq' \"$M/" LIAR "\" < /dev/null");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1990}\n");
	cr_expect_str_eq(content(LIAR "~"), "{\"Year\":1982}\n");
	assert_sh("vim -Nu NONE -es -c 'set backupskip= backupcopy=yes' -c '%s/1990/1991/' -c 'wq' \"$M/" LIAR
		  "\" < /dev/null");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1991}\n");
}

Test(plain, vim_with_a_mistake_keeps_the_old_item)
{
	sh("vim -Nu NONE -es -c '%s/:/;/' -c 'wq!' -c 'q!' \"$M/" LIAR "\" < /dev/null");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}\n");
}

Test(plain, sed_i_edits_items)
{
	assert_sh("cd \"$M/Music/Queen\" && echo '{\"Year\":1975}' > Seven.json && sed -i 's/197/198/' *.json");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1983}\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1983\n1985\n");
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\nSeven.json\n");
	cr_expect_neq(sh("sed -i 's/:/;/' \"$M/" LIAR "\""), 0);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1983}\n");
}

Test(plain, rsync_writes_items)
{
	assert_sh(
	    "mkdir -p \"$D/in/Queen\" \"$D/in/Abba\" && cd \"$D/in\" && echo '{ \"Year\": 1980 }' > Queen/Liar.json "
	    "&& echo '{\"Year\":1975}' > Abba/SOS.json && "
	    "touch -d '2001-02-03 04:05:06.5Z' Abba/SOS.json && rsync -a --no-o --no-g ./ \"$M/Music/\"");
	cr_expect_str_eq(content(LIAR), "{ \"Year\": 1980 }\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1975\n1980\n");
	cr_expect_eq(mtime_of("Music/Abba/SOS.json"), INT64_C(981173106500000000));
	expect_sh("cd \"$D/in\" && rsync -ain --no-o --no-g --exclude=.schema.json ./ \"$M/Music/\"", "");
	/* And with --inplace, and with one that is refused. */
	assert_sh("cd \"$D/in\" && echo '{\"Year\":1981}' > Queen/Liar.json && rsync -a --inplace ./ \"$M/Music/\"");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1981}\n");
	cr_expect_neq(sh("cd \"$D/in\" && echo '{\"Year\"' > Queen/Liar.json && rsync -a ./ \"$M/Music/\""), 0);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1981}\n");
}

Test(plain, cp_copies_items)
{
	assert_sh("cd \"$M/Music/Queen\" && cp Liar.json Seven.json && cp -a ../Queen ../Smile && install -m 600 "
		  "Liar.json Nine.json");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"),
			 "Queen,Liar.json\nQueen,Nine.json\nQueen,Seven.json\nSmile,Liar.json\nSmile,Seven.json\n");
	cr_expect_neq(sh("echo '{oops' > \"$D/bad\" && cp \"$D/bad\" \"$M/" LIAR "\""), 0);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}\n");
}

Test(plain, other_peoples_tools_write_items)
{
	assert_sh("echo '{\"Year\":1976}' | tee \"$M/" LIAR "\" > /dev/null");
	assert_sh("echo '{\"Year\":1977}' | dd of=\"$M/" LIAR "\" status=none");
	assert_sh("jq -c '.Year += 1' \"$M/" LIAR "\" > \"$M/Music/Queen/tmp\" && mv \"$M/Music/Queen/tmp\" \"$M/" LIAR
		  "\"");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1978}\n");
	expect_sh("grep -rl 1978 \"$M/Music\" | sed \"s,$M/,,\"", LIAR "\n"); /* each item exactly once */
	expect_sh("find \"$M\" -type f | wc -l", "2\n");
}
