/* Exports: `.export/items.jsonl`, `items.json` and `items.csv` wherever items are listed. */
#include "tests/mount/harness.h"
#include <sys/mman.h>

TestSuite(exports, .init = mount_setup, .fini = mount_teardown, .timeout = 180);

static void music(void)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen Abba && echo '{\"Year\":1975,\"x\":[1,true]}' > 'Queen/Bohemian Rhapsody.json' && "
		  "echo '{\"Year\":1973}' > Queen/Liar.json && echo '{\"Year\":1975,\"Note\":\"a, b\"}' > Abba/SOS.json && : > Queen/Sparse.json");
}

Test(exports, are_typed_and_listed_by_nobody_above_them)
{
	music();
	cr_expect_str_eq(listing("Music/.export"), "items.jsonl\nitems.json\nitems.csv\n");
	cr_expect_str_eq(listing_sorted("Music"), ".schema.json\nAbba\nQueen\n");
	expect_sh("find \"$M\" -name '*export*'", "");
	cr_expect_str_eq(content("Music/.export/items.xml"), "<ENOENT>");
	cr_expect_str_eq(content("Music/None/.export/items.json"), "<ENOENT>");
}

Test(exports, of_a_table_hold_every_item_once_with_its_keys)
{
	music();
	cr_expect_str_eq(content("Music/.export/items.jsonl"),
			 "{\"Item\":{\"Artist\":{\"S\":\"Abba\"},\"Title\":{\"S\":\"SOS\"},\"Year\":{\"N\":\"1975\"},\"Note\":{\"S\":\"a, b\"}}}\n"
			 "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Title\":{\"S\":\"Bohemian Rhapsody\"},\"Year\":{\"N\":\"1975\"},"
			 "\"x\":{\"L\":[{\"N\":\"1\"},{\"BOOL\":true}]}}}\n"
			 "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Title\":{\"S\":\"Liar\"},\"Year\":{\"N\":\"1973\"}}}\n"
			 "{\"Item\":{\"Artist\":{\"S\":\"Queen\"},\"Title\":{\"S\":\"Sparse\"}}}\n");
	expect_sh("jq -c '.[]|[.Artist,.Title,.Year]' \"$M/Music/.export/items.json\"",
		  "[\"Abba\",\"SOS\",1975]\n[\"Queen\",\"Bohemian Rhapsody\",1975]\n[\"Queen\",\"Liar\",1973]\n[\"Queen\",\"Sparse\",null]\n");
	cr_expect_str_eq(content("Music/.export/items.csv"), "Artist,Title,Note,Year,x\r\nAbba,SOS,\"a, b\",1975,\r\n"
							     "Queen,Bohemian Rhapsody,,1975,\"[1,true]\"\r\nQueen,Liar,,1973,\r\nQueen,Sparse,,,\r\n");
}

Test(exports, of_partitions_indexes_and_queries_hold_what_those_list)
{
	music();
	static const struct {
		const char *directory, *titles;
	} each[] = {
	    {"Music/Abba", "SOS"},
	    {"Music/Queen", "Bohemian Rhapsody,Liar,Sparse"},
	    {"Music/Queen/.ge/C", "Liar,Sparse"},
	    {"Music/Queen/.last/2", "Sparse,Liar"},
	    {"Music/Queen/.ge/C/.first/1", "Liar"},
	    {"Music/.scan/1/0", "SOS,Bohemian Rhapsody,Liar,Sparse"},
	    {"Music/.scan/1/0/Queen", "Bohemian Rhapsody,Liar,Sparse"},
	    {"Music/.index/by-year", "Liar,SOS,Bohemian Rhapsody"},
	    {"Music/.index/by-year/1975", "SOS,Bohemian Rhapsody"},
	    {"Music/.where/Year/eq/1975", "SOS,Bohemian Rhapsody"},
	    {"Music/Queen/.where/Year/exists", "Bohemian Rhapsody,Liar"},
	};
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		expect_sh(text("jq -rn '[inputs.Item.Title.S]|join(\",\")' \"$M/%s/.export/items.jsonl\"", each[i].directory),
			  text("%s\n", each[i].titles));
		expect_sh(text("jq -r '[.[].Title]|join(\",\")' \"$M/%s/.export/items.json\"", each[i].directory), text("%s\n", each[i].titles));
	}
}

Test(exports, segments_of_a_scan_are_the_table)
{
	declare("Orders", "Id:S", NULL);
	assert_sh("cd \"$M/Orders\" && for i in $(seq 60); do mkdir o$i && echo '{}' > o$i/item.json; done");
	expect_sh("cd \"$M/Orders\" && cat .scan/4/[0-3]/.export/items.jsonl .scan/4/0/.export/items.jsonl .scan/4/1/.export/items.jsonl "
		  ".scan/4/2/.export/items.jsonl .scan/4/3/.export/items.jsonl 2>/dev/null | jq -r .Item.Id.S | sort | uniq -c | awk '{print $1}' | uniq",
		  "1\n");
	expect_sh("wc -l < \"$M/Orders/.export/items.jsonl\"", "60\n");
}

Test(exports, of_what_is_empty_are_empty_files_of_their_kind)
{
	declare("Empty", "a:S b:N", NULL);
	cr_expect_str_eq(content("Empty/.export/items.jsonl"), "");
	expect_sh("jq -c . \"$M/Empty/.export/items.json\"", "[]\n");
	cr_expect_str_eq(content("Empty/.export/items.csv"), "a,b\r\n");
}

Test(exports, their_size_is_what_a_read_gives)
{
	music();
	static const char *const names[] = {"items.jsonl", "items.json", "items.csv"};
	for (size_t i = 0; i < 3; i++) {
		const char *path = text("Music/.export/%s", names[i]);
		cr_expect_eq((size_t)size_of(path), strlen(content(path)), "%s", names[i]);
	}
	assert_sh("echo '{\"more\":1}' > \"$M/Music/Queen/More.json\"");
	for (size_t i = 0; i < 3; i++) {
		const char *path = text("Music/.export/%s", names[i]);
		cr_expect_eq((size_t)size_of(path), strlen(content(path)), "%s after a change", names[i]);
	}
}

Test(exports, can_be_copied_by_every_tool)
{
	music();
	assert_sh("mkdir \"$D/cat\" && for f in \"$M/Music/.export\"/*; do cat \"$f\" > \"$D/cat/${f##*/}\"; done");
	assert_sh("cp -r \"$M/Music/.export\" \"$D/cp\" && diff -r \"$D/cat\" \"$D/cp\"");
	assert_sh("mkdir \"$D/tar\" && tar -cf - -C \"$M/Music/.export\" . | tar -xf - -C \"$D/tar\" && diff -r \"$D/cat\" \"$D/tar\"");
	if (sh("command -v rsync") == 0)
		assert_sh("rsync -a \"$M/Music/.export/\" \"$D/rsync\" && diff -r \"$D/cat\" \"$D/rsync\"");
	assert_sh("dd if=\"$M/Music/.export/items.jsonl\" bs=7 status=none | cmp - \"$D/cat/items.jsonl\"");
	assert_sh("tail -c 20 \"$M/Music/.export/items.jsonl\" | cmp - <(tail -c 20 \"$D/cat/items.jsonl\")");
}

/* Large enough for several reads and more than one window of what is held. */
static void many(void)
{
	declare("Big", "p:S s:N", NULL);
	assert_sh("python3 - \"$M/Big\" <<'END'\n"
		  "import os, sys\n"
		  "for p in range(4):\n"
		  "    d = '%s/p%d' % (sys.argv[1], p)\n"
		  "    os.mkdir(d)\n"
		  "    for s in range(100):\n"
		  "        with open('%s/%d.json' % (d, s), 'w') as f:\n"
		  "            f.write('{\"x\":\"%s\"}' % ('%d ' % s * 3000))\n"
		  "END\n");
}

Test(exports, a_reader_may_go_back_and_about)
{
	many();
	size_t n, seen = 0;
	char *whole = content_bytes("Big/.export/items.jsonl", &n);
	cr_assert_not_null(whole);
	cr_assert_gt(n, 3u << 20);
	int fd = open(at("Big/.export/items.jsonl"), O_RDONLY);
	cr_assert_geq(fd, 0);
	static char piece[70000];
	size_t at = 0;
	for (unsigned i = 0; i < 60; i++) {
		ssize_t got = pread(fd, piece, sizeof piece, (off_t)at);
		cr_assert_geq(got, 0);
		cr_assert_eq((size_t)got, n - at < sizeof piece ? n - at : sizeof piece, "at %zu: %zd", at, got);
		cr_assert(memcmp(piece, whole + at, (size_t)got) == 0, "at %zu", at);
		seen += (size_t)got;
		at = (at + 1234567u * (i % 5 + 1)) % n;
	}
	cr_expect_gt(seen, 1u << 20);
	cr_expect_eq(pread(fd, piece, 10, (off_t)n), 0);
	cr_expect_eq(pread(fd, piece, 10, (off_t)n + 1000000), 0);
	close(fd);
}

Test(exports, one_reading_shows_one_moment)
{
	many();
	int fd = open(at("Big/.export/items.jsonl"), O_RDONLY);
	cr_assert_geq(fd, 0);
	char first[100];
	cr_assert_eq(pread(fd, first, sizeof first, 0), 100);
	size_t n;
	char *before = content_bytes("Big/.export/items.jsonl", &n);
	assert_sh("cd \"$M/Big\" && for s in 0 50 99; do echo '{\"new\":true}' > p3/$s.json; done && rm p0/5.json && echo '{}' > p2/1000.json");
	char *then = malloc(n);
	size_t got = 0;
	for (ssize_t more; got < n && (more = pread(fd, then + got, n - got, (off_t)got)) > 0; got += (size_t)more)
		;
	cr_expect_eq(got, n);
	cr_expect(memcmp(then, before, n) == 0, "a commit shows in a reading that had begun");
	struct stat st;
	assert_ok(fstat(fd, &st));
	cr_expect_eq((size_t)st.st_size, n, "the size of what is open is that of its moment");
	close(fd);
	expect_sh("grep -c '\"new\"' \"$M/Big/.export/items.jsonl\"", "3\n");
	free(then);
}

Test(exports, can_be_mapped)
{
	many();
	size_t n;
	char *whole = content_bytes("Big/.export/items.json", &n);
	int fd = open(at("Big/.export/items.json"), O_RDONLY);
	struct stat st;
	assert_ok(fstat(fd, &st));
	cr_assert_eq((size_t)st.st_size, n);
	char *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	cr_expect(memcmp(map, whole, n) == 0);
	munmap(map, n);
	close(fd);
}

Test(exports, make_the_same_table_again)
{
	music();
	assert_sh("mkdir \"$M/Again\" && cp \"$M/Music/.schema.json\" \"$M/Again/\"");
	assert_sh("jq -c '.[]' \"$M/Music/.export/items.json\" | while IFS= read -r item; do a=$(jq -r .Artist <<< \"$item\"); t=$(jq -r .Title <<< \"$item\"); "
		  "mkdir -p \"$M/Again/$a\"; printf '%s' \"$item\" > \"$M/Again/$a/$t.json\"; done");
	assert_sh("for f in items.jsonl items.json items.csv; do cmp \"$M/Music/.export/$f\" \"$M/Again/.export/$f\" || exit 1; done");
}

Test(exports, of_a_snapshot_are_of_its_moment)
{
	music();
	if (mkdir(at(".itemfs/snapshots/then"), 0755))
		return; /* a mount without snapshots */
	assert_sh("rm \"$M/Music/Queen/Liar.json\"");
	expect_sh("wc -l < \"$M/.itemfs/snapshots/then/Music/.export/items.jsonl\"", "4\n");
	expect_sh("wc -l < \"$M/Music/.export/items.jsonl\"", "3\n");
	expect_ok(rmdir(at(".itemfs/snapshots/then")));
}

Test(exports, any_change_is_erofs)
{
	music();
	const char *path = "Music/.export/items.jsonl";
	cr_expect_eq(put_steps(path, "{}", 2, 0).open, EROFS);
	cr_expect_eq(put_steps("Music/.export/new.json", "{}", 2, 0).open, EROFS);
	expect_errno(unlink(at(path)), EROFS);
	expect_errno(chmod(at(path), 0600), EROFS);
	expect_errno(truncate(at(path), 0), EROFS);
	expect_errno(rename(at(path), at("Music/Queen/x.json")), EROFS);
	expect_errno(rename(at("Music/Queen/Liar.json"), at(path)), EROFS);
	expect_errno(rmdir(at("Music/.export")), EROFS);
	expect_errno(mkdir(at("Music/.export/x"), 0755), EROFS);
	expect_errno(mkdir(at("Music/.export"), 0755), EEXIST);
	cr_expect(exists("Music/Queen/Liar.json"));
}

Test(exports, are_their_tables_owners_alone_and_those_of_an_index_as_its_entries)
{
	music();
	cr_expect_eq(mode_of("Music/.export"), 0500);
	cr_expect_eq(mode_of("Music/.export/items.json"), 0400);
	expect_ok(chmod(at("Music/Queen"), 0755));
	cr_expect_eq(mode_of("Music/Queen/.export"), 0500);
	cr_expect_eq(mode_of("Music/Queen/.export/items.json"), 0400);
	cr_expect_eq(mode_of("Music/.index/by-year/.export"), 0555);
	cr_expect_eq(mode_of("Music/.index/by-year/.export/items.json"), 0444);
}

Test(exports, a_csv_of_too_many_columns_says_why)
{
	declare("Wide", "Id:S", NULL);
	assert_sh("mkdir \"$M/Wide/a\" && jq -nc '[range(5000)|{key:\"a\\(.)\",value:1}]|from_entries' > \"$M/Wide/a/item.json\"");
	cr_expect_str_eq(content("Wide/.export/items.csv"), "<EFBIG>");
	cr_assert(refusal_of("Wide/.export/items.csv"));
	expect_says("reason", "items.jsonl");
	expect_sh("jq -c 'length' \"$M/Wide/.export/items.json\"", "1\n");
}

Test(exports, are_still_right_in_pieces_while_others_write)
{
	many();
	assert_sh("(for i in $(seq 200); do echo \"{\\\"i\\\":$i}\" > \"$M/Big/p1/2000.json\"; done) & "
		  "for i in 1 2 3 4 5; do cat \"$M/Big/.export/items.jsonl\" | jq -e .Item.p.S > /dev/null || exit 1; "
		  "cp \"$M/Big/.export/items.json\" \"$D/copy\" && jq -e 'length >= 400' \"$D/copy\" > /dev/null || exit 2; done; wait");
}
