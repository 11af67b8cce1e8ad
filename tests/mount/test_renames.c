/* Renames of meaning: what moves is re-keyed in one commit, its document rewritten where it names its key and nowhere else, and every index follows. */
#include "tests/mount/harness.h"
#include <sys/wait.h>

#define NOREPLACE 1 /* RENAME_NOREPLACE */
#define EXCHANGE  2 /* RENAME_EXCHANGE */

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", "lsi by-label Label:S KEYS_ONLY", NULL);
	declare("Songs", "Artist:S Title:S", "gsi by-year Year:N Artist:S INCLUDE Label", NULL);
	assert_sh("cd \"$M\" && mkdir Music/Queen Music/Abba Songs/Queen");
}

TestSuite(renames, .init = setup, .fini = mount_teardown, .timeout = 600);

#define LIAR  "Music/Queen/Liar.json"
#define SEVEN "Music/Queen/Seven.json"

static int move(const char *from, const char *to, unsigned flags)
{
	return renameat2(AT_FDCWD, at(from), AT_FDCWD, at(to), flags);
}

Test(renames, an_item_to_another_sort_key_rewrites_that_value_and_no_other_byte)
{
	expect_ok(
	    put(LIAR, "{ \"x\":[\"Liar\",{\"Title\":\"Liar\"}],\n\t\"Title\" :\"Li\\u0061r\" , \"Year\":1.973e3}\n"));
	expect_ok(move(LIAR, "Music/Queen/\xe6\xbc\xa2 %2F.json", 0));
	cr_expect_str_eq(
	    content("Music/Queen/\xe6\xbc\xa2 %2F.json"),
	    "{ \"x\":[\"Liar\",{\"Title\":\"Liar\"}],\n\t\"Title\" :\"\xe6\xbc\xa2 /\" , \"Year\":1.973e3}\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,\xe6\xbc\xa2 %2F.json\n");
	cr_expect_str_eq(content(LIAR), "<ENOENT>");
}

Test(renames, an_item_to_another_partition_rewrites_both_keys_where_they_are_said)
{
	expect_ok(put(LIAR, "{\"Label\":\"EMI\", \"Artist\" : \"Queen\",\"Year\":1973 , \"Title\":\"Liar\"}"));
	expect_ok(move(LIAR, "Music/Abba/SOS.json", 0));
	cr_expect_str_eq(content("Music/Abba/SOS.json"),
			 "{\"Label\":\"EMI\", \"Artist\" : \"Abba\",\"Year\":1973 , \"Title\":\"SOS\"}");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Abba,SOS.json\n");
	cr_expect_str_eq(listing("Music/.index/by-label"), "Abba\n");
	cr_expect_str_eq(listing("Music/Queen"), "");
	mount_again();
	cr_expect_str_eq(listing("Music/.index/by-label/Abba"), "EMI,SOS.json\n");
}

Test(renames, an_item_whose_document_leaves_its_keys_out_keeps_every_byte)
{
	expect_ok(put(LIAR, " {\"Year\" : 1973}\r\n"));
	expect_ok(move(LIAR, "Music/Abba/Other.json", 0));
	cr_expect_str_eq(content("Music/Abba/Other.json"), " {\"Year\" : 1973}\r\n");
	expect_sh("jq -cS . \"$M/Music/.index/by-year/1973/Abba,Other.json\"",
		  "{\"Artist\":\"Abba\",\"Title\":\"Other\",\"Year\":1973}\n");
}

Test(renames, number_and_binary_keys_are_rewritten_as_json_writes_them)
{
	declare("Readings", "Device:B At:N", "gsi by-at At:N KEYS_ONLY", NULL);
	assert_sh("mkdir \"$M/Readings/00ff\" \"$M/Readings/0a\"");
	expect_ok(put("Readings/00ff/10.json", "{\"At\":1.0e1,\"Device\":{\"$B\":\"AP8=\"},\"v\":10}"));
	expect_ok(move("Readings/00ff/10.json", "Readings/0a/-3.5.json", 0));
	cr_expect_str_eq(content("Readings/0a/-3.5.json"), "{\"At\":-3.5,\"Device\":{\"$B\":\"Cg==\"},\"v\":10}");
	cr_expect_str_eq(listing("Readings/.index/by-at"), "-3.5\n");
}

Test(renames, an_item_to_another_table_leaves_one_tables_indexes_and_enters_the_others)
{
	expect_ok(put(LIAR, "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973,\"Label\":\"EMI\"}"));
	assert_sh("chmod 640 \"$M/" LIAR "\" && touch -d '2001-02-03 04:05:06.5Z' \"$M/" LIAR "\"");
	expect_ok(move(LIAR, "Songs/Queen/Lied.json", 0));
	cr_expect_str_eq(content("Songs/Queen/Lied.json"),
			 "{\"Artist\":\"Queen\",\"Title\":\"Lied\",\"Year\":1973,\"Label\":\"EMI\"}");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
	cr_expect_str_eq(listing("Music/.index/by-label"), "");
	cr_expect_str_eq(listing("Songs/.index/by-year/1973"), "Queen,Lied.json\n");
	cr_expect_eq(mode_of("Songs/Queen/Lied.json"), 0640);
	cr_expect_eq(mtime_of("Songs/Queen/Lied.json"), INT64_C(981173106500000000));
	mount_again();
	cr_expect_str_eq(content(LIAR), "<ENOENT>");
	cr_expect(exists("Songs/Queen/Lied.json"));
}

Test(renames, an_item_that_the_other_table_refuses_stays_whole)
{
	declare("Typed", "Artist:S Title:S", "gsi by-label Label:N ALL", NULL);
	assert_ok(mkdir(at("Typed/Queen"), 0755));
	expect_ok(put(LIAR, "{\"Year\":1973,\"Label\":\"EMI\"}"));
	expect_errno(move(LIAR, "Typed/Queen/Liar.json", 0), EBADMSG);
	cr_assert(refusal_of("Typed/Queen/Liar.json"));
	expect_says("reason", "Label");
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973,\"Label\":\"EMI\"}");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
	cr_expect_str_eq(listing("Typed/Queen"), "");
}

Test(renames, to_a_table_without_sort_key_only_its_one_name_will_do)
{
	declare("Single", "Id:S", NULL);
	assert_ok(mkdir(at("Single/a"), 0755));
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	expect_errno(move(LIAR, "Single/a/Liar.json", 0), EINVAL);
	expect_ok(move(LIAR, "Single/a/item.json", 0));
	cr_expect_str_eq(content("Single/a/item.json"), "{\"Year\":1973}");
	expect_ok(move("Single/a/item.json", LIAR, 0));
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
}

Test(renames, over_an_item_replace_it_in_every_index)
{
	expect_ok(put(LIAR, "{\"Year\":1973,\"Label\":\"EMI\"}"));
	expect_ok(put(SEVEN, "{\"Year\":1974,\"Label\":\"Elektra\"}"));
	expect_errno(move(LIAR, SEVEN, NOREPLACE), EEXIST);
	expect_ok(move(LIAR, SEVEN, 0));
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n");
	cr_expect_str_eq(listing("Music/.index/by-label/Queen"), "EMI,Seven.json\n");
	expect_ok(move(SEVEN, LIAR, NOREPLACE));
	expect_errno(move(SEVEN, LIAR, 0), ENOENT);
	expect_errno(move(LIAR, "Music/Nobody/Liar.json", 0), ENOENT);
	cr_expect(exists(LIAR));
}

Test(renames, exchange_gives_two_items_each_others_documents_rekeyed)
{
	expect_ok(put(LIAR, "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}"));
	expect_ok(put("Songs/Queen/SOS.json", "{ \"Title\":\"SOS\", \"Year\":1975 }"));
	expect_ok(chmod(at(LIAR), 0600));
	expect_ok(move(LIAR, "Songs/Queen/SOS.json", EXCHANGE));
	cr_expect_str_eq(content(LIAR), "{ \"Title\":\"Liar\", \"Year\":1975 }");
	cr_expect_str_eq(content("Songs/Queen/SOS.json"), "{\"Artist\":\"Queen\",\"Title\":\"SOS\",\"Year\":1973}");
	cr_expect_eq(mode_of("Songs/Queen/SOS.json"), 0600);
	cr_expect_str_eq(listing("Music/.index/by-year"), "1975\n");
	cr_expect_str_eq(listing("Songs/.index/by-year"), "1973\n");
	mount_again();
	cr_expect_str_eq(content(LIAR), "{ \"Title\":\"Liar\", \"Year\":1975 }");
}

Test(renames, exchange_of_an_item_and_a_plain_file_makes_each_the_other)
{
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	expect_ok(put("Music/Queen/draft", "{\"Year\":1974}"));
	expect_ok(move(LIAR, "Music/Queen/draft", EXCHANGE));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	cr_expect_str_eq(content("Music/Queen/draft"), "{\"Year\":1973}");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1974\n");
	expect_ok(move("Music/Queen/draft", LIAR, EXCHANGE));
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n");
	expect_ok(put("Music/Queen/draft", "no document"));
	expect_errno(move("Music/Queen/draft", LIAR, EXCHANGE), EBADMSG);
	expect_errno(move(LIAR, "Music/Queen/draft", EXCHANGE), EBADMSG);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}");
	cr_expect_str_eq(content("Music/Queen/draft"), "no document");
}

Test(renames, exchange_of_directories_is_einval_and_changes_nothing)
{
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	expect_errno(move("Music/Queen", "Music/Abba", EXCHANGE), EINVAL);
	expect_errno(move("Music", "Songs", EXCHANGE), EINVAL);
	cr_assert(refusal_of("Songs"));
	expect_says("reason", "exchanged");
	expect_errno(move(LIAR, "Music/Abba", EXCHANGE), EINVAL);
	expect_errno(move(LIAR, SEVEN, EXCHANGE), ENOENT);
	expect_errno(move(LIAR, SEVEN, NOREPLACE | EXCHANGE), EINVAL);
	expect_errno(move(LIAR, SEVEN, 4 /* RENAME_WHITEOUT */), EINVAL);
	cr_expect_str_eq(content(LIAR), "{\"Year\":1973}");
}

Test(renames, an_item_becomes_plain_and_comes_back_in_another_partition)
{
	expect_ok(put(LIAR, "{\"Year\":1973,\"Label\":\"EMI\"}"));
	assert_sh("chmod 600 \"$M/" LIAR "\" && touch -d '2001-02-03 04:05:06.5Z' \"$M/" LIAR "\"");
	expect_ok(move(LIAR, "Music/aside", 0));
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
	cr_expect_str_eq(listing("Music/.index/by-label"), "");
	mount_again();
	expect_ok(move("Music/aside", "Songs/Queen/Liar.json", NOREPLACE));
	cr_expect_eq(mode_of("Songs/Queen/Liar.json"), 0600);
	cr_expect_eq(mtime_of("Songs/Queen/Liar.json"), INT64_C(981173106500000000));
	cr_expect_str_eq(listing("Songs/.index/by-year/1973"), "Queen,Liar.json\n");
	/* As plain bytes it says what it said: keys that name the old place are not rewritten, but refused. */
	expect_ok(put(LIAR, "{\"Title\":\"Liar\"}"));
	expect_ok(move(LIAR, "Music/aside", 0));
	expect_errno(move("Music/aside", SEVEN, 0), EBADMSG);
	expect_ok(move("Music/aside", LIAR, 0));
}

Test(renames, a_partition_takes_its_items_files_and_index_entries_along)
{
	expect_ok(put(LIAR, "{\"Artist\":\"Queen\",\"Year\":1973,\"Label\":\"EMI\"}"));
	expect_ok(put(SEVEN, "{\"Year\":1974}"));
	expect_ok(put("Music/Queen/notes", "plain"));
	assert_sh("chmod 710 \"$M/Music/Queen\"");
	expect_errno(move("Music/Queen", "Music/Abba", NOREPLACE), EEXIST);
	expect_ok(move("Music/Queen", "Music/Abba", 0)); /* which is empty */
	cr_expect_str_eq(listing("Music"), ".schema.json\nAbba\n");
	cr_expect_str_eq(listing("Music/Abba"), "notes\nLiar.json\nSeven.json\n");
	cr_expect_str_eq(content("Music/Abba/Liar.json"), "{\"Artist\":\"Abba\",\"Year\":1973,\"Label\":\"EMI\"}");
	cr_expect_str_eq(content("Music/Abba/notes"), "plain");
	cr_expect_eq(mode_of("Music/Abba"), 0710);
	cr_expect_str_eq(listing("Music/.index/by-year/1974"), "Abba,Seven.json\n");
	cr_expect_str_eq(listing("Music/.index/by-label"), "Abba\n");
	expect_errno(move("Music/Abba", "Songs/Abba", 0), EXDEV);
	assert_sh("mv \"$M/Music/Abba\" \"$M/Songs/Abba\""); /* which copies */
	cr_expect_str_eq(listing("Songs/.index/by-year"), "1973\n1974\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
}

Test(renames, a_partition_with_files_open_takes_them_along)
{
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	int item = open(at(LIAR), O_WRONLY | O_TRUNC | O_CLOEXEC),
	    plain = open(at("Music/Queen/notes"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_expect_eq(write(item, "{\"Year\":1974}", 13), 13);
	cr_expect_eq(write(plain, "one", 3), 3);
	expect_ok(move("Music/Queen", "Music/Smile", 0));
	cr_expect_eq(write(plain, "two", 3), 3);
	expect_ok(close(plain));
	expect_ok(close(item));
	cr_expect_str_eq(content("Music/Smile/notes"), "onetwo");
	cr_expect_str_eq(content("Music/Smile/Liar.json"), "{\"Year\":1974}");
	cr_expect_str_eq(listing("Music/.index/by-year/1974"), "Smile,Liar.json\n");
	cr_expect_str_eq(listing("Music/Queen"), "<ENOENT>");
}

Test(renames, a_partition_that_would_be_refused_stays_whole)
{
	/* An item of the most bytes, in which the longer name is one too many. */
	char *most = kept(malloc(409600));
	size_t n = 409600 - strlen("ArtistQueen") - strlen("TitleLiar") - strlen("a");
	memset(most, 'x', n);
	most[n] = 0;
	expect_ok(put(LIAR, text("{\"a\":\"%s\"}", most)));
	expect_ok(put("Music/Queen/A.json", "{\"Year\":1970}"));
	expect_errno(move("Music/Queen", "Music/Queens", 0), EFBIG);
	cr_expect_str_eq(listing("Music/Queen"), "A.json\nLiar.json\n");
	cr_expect_str_eq(listing("Music/Queens"), "<ENOENT>");
	cr_expect_str_eq(listing("Music/.index/by-year/1970"), "Queen,A.json\n");
	expect_ok(move("Music/Queen", "Music/Quee", 0));
}

static void fill(const char *directory, int count)
{
	int dir = open(at(directory), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof name, "%06d.json", i);
		int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, "{\"v\":1}", 7) != 7 || close(fd) < 0)
			cr_assert_fail("%s: %s", name, strerror(errno));
	}
	close(dir);
}

Test(renames, ten_thousand_items_are_the_most_that_a_partition_moves_with)
{
	declare("Small", "p:S s:S", "gsi by-v v:N KEYS_ONLY", NULL);
	assert_ok(mkdir(at("Small/big"), 0755));
	fill("Small/big", 10001);
	expect_errno(move("Small/big", "Small/bigger", 0), EXDEV);
	cr_expect(exists("Small/big/010000.json"));
	cr_expect_str_eq(listing("Small"), ".schema.json\nbig\n");
	expect_ok(unlink(at("Small/big/000000.json")));
	expect_ok(move("Small/big", "Small/bigger", 0));
	cr_expect_str_eq(listing("Small"), ".schema.json\nbigger\n");
	expect_sh("ls \"$M/Small/bigger\" | wc -l; ls \"$M/Small/.index/by-v/1\" | wc -l; ls "
		  "\"$M/Small/.index/by-v/1\" | grep -vc ^bigger, || :",
		  "10000\n10000\n0\n");
}

Test(renames, a_table_takes_everything_along_and_replaces_an_empty_one)
{
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	expect_ok(mkdir(at("Empty"), 0755));
	expect_errno(move("Music", "Songs", 0), ENOTEMPTY);
	expect_errno(move("Music", "Empty", NOREPLACE), EEXIST);
	int item = open(at(LIAR), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_expect_eq(write(item, "{\"Year\":1974}", 13), 13);
	expect_ok(move("Music", "Empty", 0));
	expect_ok(close(item));
	cr_expect_str_eq(listing("Empty/.index/by-year/1974"), "Queen,Liar.json\n");
	cr_expect_str_eq(listing_sorted(""), "Empty\nSongs\n");
	expect_errno(move("Empty", "Songs/Empty", 0), EPERM);
	expect_errno(move("Songs/Queen", "Queen", 0), EXDEV);
	mount_again();
	cr_expect_str_eq(content("Empty/Queen/Liar.json"), "{\"Year\":1974}");
	cr_expect_str_eq(listing_sorted(""), "Empty\nSongs\n");
}

Test(renames, are_one_commit_for_who_looks_on)
{
	/* An exchange to and fro; whoever looks finds both, and each index entry once. */
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	expect_ok(put(SEVEN, "{\"Year\":1974}"));
	pid_t mover = fork();
	if (mover == 0) {
		for (int i = 0; i < 400; i++)
			if (move(LIAR, "Music/Abba/Liar.json", 0) || move("Music/Abba/Liar.json", LIAR, 0) ||
			    move(LIAR, SEVEN, EXCHANGE))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 200; i++) {
		const char *years = listing("Music/.index/by-year");
		cr_expect_str_eq(years, "1973\n1974\n", "round %d: %s", i, years);
		const char *seen = content(SEVEN);
		cr_expect(!strcmp(seen, "{\"Year\":1973}") || !strcmp(seen, "{\"Year\":1974}"), "%s", seen);
	}
	int status = -1;
	cr_assert_eq(waitpid(mover, &status, 0), mover);
	cr_expect_eq(status, 0);
}

Test(renames, what_is_being_written_for_the_first_time_replaces_nothing)
{
	expect_ok(put(LIAR, "{\"Year\":1973}"));
	int fd = open(at(SEVEN), O_WRONLY | O_CREAT | O_EXCL, 0644);
	expect_errno(write(fd, "{\"Year\":1974}", 13) == 13 ? 0 : -1, 0);
	int over = errno_of(move(SEVEN, LIAR, 0)), exchanged = errno_of(move(SEVEN, LIAR, EXCHANGE));
	const char *old = content(LIAR);
	expect_ok(close(fd));

	cr_assert_eq(over, EBUSY, "rename gives %s", strerrorname_np(over));
	cr_assert_eq(exchanged, EBUSY, "exchange gives %s", strerrorname_np(exchanged));
	cr_expect_str_eq(old, "{\"Year\":1973}");
	cr_expect(refusal_of(LIAR));
	expect_says("reason", "no content yet");
	expect_ok(move(SEVEN, LIAR, 0));
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	cr_expect(!exists(SEVEN));
}

/* It once cut the plain bytes that nobody has any more. */
Test(renames, a_plain_file_that_became_an_item_is_cut_as_a_draft_of_that)
{
	expect_ok(put("Music/Queen/draft", "{\"Year\":1973,\"Members\":4}"));
	int fd = open(at("Music/Queen/draft"), O_RDWR | O_CLOEXEC);
	cr_assert(fd >= 0);
	expect_ok(rename(at("Music/Queen/draft"), at("Music/Queen/Cut.json")));
	expect_ok(ftruncate(fd, 0));
	cr_expect_str_eq(content("Music/Queen/Cut.json"), "{\"Year\":1973,\"Members\":4}");
	cr_expect_eq(pwrite(fd, "{\"Year\":1}", 10, 0), 10);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Music/Queen/Cut.json"), "{\"Year\":1}");
}
