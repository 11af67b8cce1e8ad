/* Secondary indexes: read-only directories, true in the same commit as the item. */
#include "tests/mount/harness.h"

TestSuite(index_views, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

static void music(void)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", "gsi by-genre Genre:S Year:N KEYS_ONLY",
		"lsi in-order Year:N INCLUDE Label,Missing", NULL);
	assert_sh(
	    "cd \"$M/Music\" && mkdir Queen Abba && echo "
	    "'{\"Year\":1975,\"Genre\":\"Rock\",\"Label\":\"EMI\",\"x\":[1]}' > 'Queen/Bohemian Rhapsody.json' && "
	    "echo '{\"Year\":1975,\"Genre\":\"Pop\"}' > Abba/SOS.json && echo '{\"Year\":1973,\"Genre\":\"Rock\"}' > "
	    "Queen/Liar.json && echo '{}' > Queen/Sparse.json");
}

Test(index_views, entries_are_named_by_what_the_index_key_does_not_give)
{
	music();
	cr_expect_str_eq(listing_sorted("Music/.index"), "by-genre\nby-year\nin-order\n");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n1975\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Abba,SOS.json\nQueen,Bohemian Rhapsody.json\n");
	cr_expect_str_eq(listing("Music/.index/by-genre/Rock"),
			 "1973,Queen,Liar.json\n1975,Queen,Bohemian Rhapsody.json\n");
	cr_expect_str_eq(listing("Music/.index/in-order"), "Abba\nQueen\n");
	cr_expect_str_eq(listing("Music/.index/in-order/Queen"), "1973,Liar.json\n1975,Bohemian Rhapsody.json\n");
}

/* What a reader gets that opened a file before the item was removed, and reads after that. */
static void outlives(const char *path, const char *expected)
{
	char got[128] = "";
	assert_ok(put("Music/Queen/Brief.json", "{\"Year\":1980}"));
	int fd = open(at(path), O_RDONLY);
	cr_assert(fd >= 0, "%s", path);
	expect_ok(unlink(at("Music/Queen/Brief.json")));
	cr_expect_eq(read(fd, got, sizeof got - 1), (ssize_t)strlen(expected), "%s: %s", path, got);
	cr_expect_str_eq(got, expected, "%s", path);
	expect_ok(close(fd));
	cr_expect_eq(open(at(path), O_RDONLY), -1, "%s", path);
}

Test(index_views, what_is_open_can_be_read_though_it_goes_before_its_first_read)
{
	music();
	outlives("Music/.index/by-year/1980/Queen,Brief.json", "{\"Artist\":\"Queen\",\"Title\":\"Brief\",\"Year\":1980}\n");
	outlives("Music/Queen/.begins_with/Br/Brief.json", "{\"Year\":1980}");
	outlives("Music/Queen/.where/Year/eq/1980/Brief.json", "{\"Year\":1980}");
}

Test(index_views, what_is_open_shows_what_is_there_at_its_first_read)
{
	music();
	char got[128] = "";
	int fd = open(at("Music/.index/in-order/Queen/1973,Liar.json"), O_RDONLY);
	cr_assert(fd >= 0);
	assert_ok(put("Music/Queen/Liar.json", "{\"Year\":1973,\"Label\":\"EMI\"}"));
	cr_expect_gt(read(fd, got, sizeof got - 1), 0);
	cr_expect(strstr(got, "EMI"), "%s", got);
	expect_ok(close(fd));
}

Test(index_views, an_inverted_index_names_the_partition_alone_and_a_full_one_item)
{
	declare("Pairs", "a:S b:S", "gsi inverted b:S a:S ALL", "gsi by-b b:S ALL", NULL);
	assert_sh("mkdir \"$M/Pairs/x\" && echo '{}' > \"$M/Pairs/x/y.json\"");
	cr_expect_str_eq(listing("Pairs/.index/by-b/y"), "x.json\n");
	cr_expect_str_eq(listing("Pairs/.index/inverted/y"), "x.json\n");
	declare("Simple", "Id:S", "gsi by-id Id:S ALL", NULL);
	assert_sh("mkdir \"$M/Simple/x\" && echo '{}' > \"$M/Simple/x/item.json\"");
	cr_expect_str_eq(listing("Simple/.index/by-id/x"), "item.json\n");
	cr_expect_str_eq(listing(".itemfs/rejected"), "");
}

Test(index_views, show_the_projected_attributes_with_all_keys)
{
	music();
	expect_sh("cd \"$M/Music/.index\" && jq -cS . 'by-year/1975/Queen,Bohemian Rhapsody.json' "
		  "'by-genre/Rock/1975,Queen,Bohemian Rhapsody.json' "
		  "'in-order/Queen/1975,Bohemian Rhapsody.json'",
		  "{\"Artist\":\"Queen\",\"Genre\":\"Rock\",\"Label\":\"EMI\",\"Title\":\"Bohemian "
		  "Rhapsody\",\"Year\":1975,\"x\":[1]}\n"
		  "{\"Artist\":\"Queen\",\"Genre\":\"Rock\",\"Title\":\"Bohemian Rhapsody\",\"Year\":1975}\n"
		  "{\"Artist\":\"Queen\",\"Label\":\"EMI\",\"Title\":\"Bohemian Rhapsody\",\"Year\":1975}\n");
}

Test(index_views, are_sparse)
{
	music();
	expect_sh("find \"$M/Music/.index\" -name '*Sparse*'", "");
	assert_sh("echo '{\"Year\":1980}' > \"$M/Music/Queen/Sparse.json\"");
	cr_expect_str_eq(listing("Music/.index/by-year/1980"), "Queen,Sparse.json\n");
	cr_expect_str_eq(listing("Music/.index/by-genre/Rock"),
			 "1973,Queen,Liar.json\n1975,Queen,Bohemian Rhapsody.json\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1999"), "<ENOENT>");
}

Test(index_views, follow_every_change)
{
	music();
	assert_sh("cd \"$M/Music\" && echo '{\"Year\":1976,\"Genre\":\"Rock\"}' > Queen/Liar.json");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1975\n1976\n");
	assert_sh("rm \"$M/Music/Queen/Liar.json\"");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1975\n");
	cr_expect_str_eq(listing("Music/.index/by-genre/Rock"), "1975,Queen,Bohemian Rhapsody.json\n");
	assert_sh("cd \"$M/Music\" && mv Abba/SOS.json Queen/");
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Queen,Bohemian Rhapsody.json\nQueen,SOS.json\n");
	assert_sh("echo '{}' > \"$M/Music/Queen/SOS.json\" && : > '/dev/null'");
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Queen,Bohemian Rhapsody.json\n");
	mount_again();
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Queen,Bohemian Rhapsody.json\n");
	assert_sh("rm -r \"$M/Music/Queen\"");
	cr_expect_str_eq(listing("Music/.index/by-year"), "");
}

Test(index_views, order_by_value_and_by_bytes)
{
	declare("Orders", "Id:S", "gsi by-n n:N ALL", "gsi by-b b:B n:N ALL", "gsi by-s s:S ALL", NULL);
	assert_sh(
	    "cd \"$M/Orders\" && i=0 && for n in 10 -1 9 2.5 -10 0; do mkdir o$((++i)) && "
	    "echo \"{\\\"n\\\":$n,\\\"b\\\":{\\\"\\$B\\\":\\\"/w==\\\"},\\\"s\\\":\\\"$n\\\"}\" > o$i/item.json; done");
	cr_expect_str_eq(listing("Orders/.index/by-n"), "-10\n-1\n0\n2.5\n9\n10\n");
	cr_expect_str_eq(listing("Orders/.index/by-s"), "-1\n-10\n0\n10\n2.5\n9\n");
	cr_expect_str_eq(listing("Orders/.index/by-b"), "ff\n");
	cr_expect_str_eq(listing("Orders/.index/by-b/ff"),
			 "-10,o5.json\n-1,o2.json\n0,o6.json\n2.5,o4.json\n9,o3.json\n10,o1.json\n");
}

Test(index_views, a_wrong_typed_or_empty_index_key_refuses_the_write)
{
	music();
	static const char *const wrong[] = {"{\"Year\":\"1973\"}",
					    "{\"Year\":null}",
					    "{\"Year\":[1973]}",
					    "{\"Year\":{\"$NS\":[1973]}}",
					    "{\"Year\":1,\"Genre\":\"\"}",
					    "{\"Year\":1,\"Genre\":7}",
					    "{\"Genre\":\"\"}"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(errno_of(put("Music/Queen/Liar.json", wrong[i])), EBADMSG, "%s: %s", wrong[i],
			     strerror(errno));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"Year\":1973,\"Genre\":\"Rock\"}\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
	cr_assert(refusal_of("Music/Queen/Liar.json"));
	expect_says("reason", "Year");
	expect_says("reason", "Type mismatch for Index Key");
}

Test(index_views, an_index_key_that_is_too_long_refuses_the_write)
{
	declare("Long", "Id:S", "gsi by-s s:S ALL", "gsi by-t t:S s:S ALL", NULL);
	assert_ok(mkdir(at("Long/a"), 0755));
	char *s = kept(calloc(2100, 1));
	memset(s, 'x', 2049);
	expect_errno(put("Long/a/item.json", text("{\"s\":\"%s\"}", s)), EBADMSG);
	s[1025] = 0;
	expect_errno(put("Long/a/item.json", text("{\"t\":\"t\",\"s\":\"%s\"}", s)), EBADMSG);
	s[100] = 0;
	expect_ok(put("Long/a/item.json", text("{\"t\":\"t\",\"s\":\"%s\"}", s)));
}

Test(index_views, any_change_of_a_view_is_erofs)
{
	music();
	const char *entry = "Music/.index/by-year/1973/Queen,Liar.json";
	cr_expect_eq(put_steps(entry, "{}", 2, 0).open, EROFS);
	cr_expect_eq(put_steps("Music/.index/by-year/1973/New,One.json", "{}", 2, 0).open, EROFS);
	cr_expect_eq(put_steps("Music/.index/notes", "{}", 2, 0).open, EROFS);
	expect_errno(unlink(at(entry)), EROFS);
	expect_errno(mkdir(at("Music/.index/by-year/2001"), 0755), EROFS);
	expect_errno(mkdir(at("Music/.index/new"), 0755), EROFS);
	expect_errno(rmdir(at("Music/.index/by-year/1973")), EROFS);
	expect_errno(rmdir(at("Music/.index/by-year")), EROFS);
	expect_errno(chmod(at(entry), 0600), EROFS);
	expect_errno(truncate(at(entry), 0), EROFS);
	expect_errno(utimensat(AT_FDCWD, at(entry), NULL, 0), EROFS);
	expect_errno(rename(at(entry), at("Music/Queen/Two.json")), EROFS);
	expect_errno(rename(at("Music/Queen/Liar.json"), at(entry)), EROFS);
	expect_errno(symlink("x", at("Music/.index/by-year/link")), EROFS);
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"Year\":1973,\"Genre\":\"Rock\"}\n");
}

Test(index_views, have_the_modes_of_what_cannot_be_changed)
{
	music();
	cr_expect_eq(mode_of("Music/.index"), 0555);
	cr_expect_eq(mode_of("Music/.index/by-year"), 0555);
	cr_expect_eq(mode_of("Music/.index/by-year/1975"), 0555);
	cr_expect_eq(mode_of("Music/.index/by-year/1975/Abba,SOS.json"), 0444);
	expect_sh("cd \"$M/Music/.index/by-year/1975\" && stat -c %s Abba,SOS.json | diff - <(wc -c < Abba,SOS.json)",
		  "");
	assert_sh("cp -r \"$M/Music/.index\" \"$D/copy\" && diff -r \"$M/Music/.index\" \"$D/copy\"");
}

Test(index_views, are_listed_by_nobody_above_them)
{
	music();
	expect_sh("find \"$M\" -type f | wc -l", "5\n");
	cr_expect_null(strstr(listing("Music"), ".index"));
}

Test(index_views, of_a_table_without_indexes_are_an_empty_directory_or_none)
{
	declare("Music", "Artist:S Title:S", NULL);
	const char *names = listing("Music/.index");
	cr_expect(!strcmp(names, "") || !strcmp(names, "<ENOENT>"), "%s", names);
}

Test(index_views, a_read_handle_of_an_entry_sees_one_version)
{
	music();
	int fd = open(at("Music/.index/by-year/1973/Queen,Liar.json"), O_RDONLY);
	cr_assert_geq(fd, 0);
	char first[256] = {0}, again[256] = {0};
	ssize_t n = pread(fd, first, 255, 0);
	cr_assert_gt(n, 0);
	pread(fd, again, 5, 0);
	expect_ok(put("Music/Queen/Liar.json",
		      "{\"Year\":1973,\"x\":\"much longer than it was, so that a mixture would show\"}"));
	cr_expect_eq(pread(fd, again + 5, 250, 5), n - 5);
	cr_expect_str_eq(again, first);
	close(fd);
}

Test(index_views, names_that_are_not_there_are_enoent)
{
	music();
	const char *paths[] = {"Music/.index/none",
			       "Music/.index/by-year/x",
			       "Music/.index/by-year/01975",
			       "Music/.index/by-year/1975/x",
			       "Music/.index/by-year/1975/Abba.json",
			       "Music/.index/by-year/1975/Abba,SOS,x.json",
			       "Music/.index/by-year/1975/abba,SOS.json"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		cr_expect_str_eq(content(paths[i]), "<ENOENT>", "%s: %s", paths[i], content(paths[i]));
}

/* SEMANTICS.md 4: tables with local indexes. By every way in, and a global index does not count. */
Test(index_views, of_local_indexes_count_towards_the_bound_of_an_item)
{
	const char *half = text("{\"Year\":1973,\"d\":\"%0204800d\"}", 0), *line = text("{\"Artist\":\"Queen\",\"Title\":\"b\",%s\n", half + 1);
	declare("Music", "Artist:S Title:S", "lsi in-order Year:N ALL", NULL);
	declare("Global", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" \"$M/Global/Queen\"");
	expect_errno(put("Music/Queen/a.json", half), EFBIG);
	cr_assert(refusal_of("Music/Queen/a.json"));
	expect_says("reason", "local indexes");
	expect_errno(put("Music/.import/items.jsonl", line), EBADMSG);
	expect_ok(put("Music/Queen/draft", half));
	expect_errno(rename(at("Music/Queen/draft"), at("Music/Queen/c.json")), EFBIG);
	expect_ok(put("Music/Queen/a.json", text("{\"d\":\"%0204800d\"}", 0))); /* it is in no index */
	cr_expect_str_eq(listing("Music/Queen"), "draft\na.json\n");
	cr_expect_str_eq(listing("Music/.index/in-order"), "");
	expect_ok(put("Global/Queen/a.json", half));
	cr_expect_str_eq(listing("Global/.index/by-year/1973"), "Queen,a.json\n");
}
