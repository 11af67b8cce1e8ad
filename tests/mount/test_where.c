/* Filters as paths: .where/ATTRIBUTE/OP/VALUE, in every place where items are listed, and composed with the other views. */
#include "tests/mount/harness.h"

TestSuite(where, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

static void music(void)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", "gsi by-genre Genre:S Year:N KEYS_ONLY", NULL);
	assert_sh(
	    "cd \"$M/Music\" && mkdir Queen Abba Rush && "
	    "echo '{\"Year\":1975,\"Genre\":\"Rock\",\"info\":{\"rating\":9.5,\"tags\":[\"opera\",\"rock\"]}}' > "
	    "Queen/Bohemian.json && "
	    "echo '{\"Year\":1973,\"Genre\":\"Rock\",\"live\":true}' > Queen/Liar.json && "
	    "echo '{\"Year\":1984,\"Genre\":\"Pop\",\"info\":{\"rating\":7},\"label\":\"EMI\"}' > Queen/Radio.json && "
	    "echo '{\"Year\":1991,\"label\":\"EMI\",\"formats\":{\"$SS\":[\"CD\",\"LP\"]}}' > Queen/Show.json && "
	    "echo '{\"Year\":1975,\"Genre\":\"Pop\",\"live\":true}' > Abba/SOS.json && "
	    "echo '{\"Year\":\"1976\"}' > Rush/Bad.json 2>/dev/null; "
	    "echo '{\"serial\":\"007\",\"a.b/c\":{\"x[1]\":\"50%\"},\"bin\":{\"$B\":\"AAEC\"}}' > "
	    "\"$M/Music/Rush/Tom.json\"");
}

static void lists(const char *path, const char *expected)
{
	const char *got = listing(path);
	cr_expect_str_eq(got, expected, "%s lists %s, not %s", path, got, expected);
}

Test(where, each_operator_leaves_the_items_that_pass)
{
	music();
	lists("Music/Queen/.where/Year/eq/1975", "Bohemian.json\n");
	lists("Music/Queen/.where/Year/ne/1975", "Liar.json\nRadio.json\nShow.json\n");
	lists("Music/Queen/.where/Year/lt/1975", "Liar.json\n");
	lists("Music/Queen/.where/Year/le/1975", "Bohemian.json\nLiar.json\n");
	lists("Music/Queen/.where/Year/gt/1984", "Show.json\n");
	lists("Music/Queen/.where/Year/ge/1984", "Radio.json\nShow.json\n");
	lists("Music/Queen/.where/Year/between/1973/1975", "Bohemian.json\nLiar.json\n");
	lists("Music/Queen/.where/Genre/begins_with/Ro", "Bohemian.json\nLiar.json\n");
	lists("Music/Queen/.where/label/contains/M", "Radio.json\nShow.json\n");
	lists("Music/Queen/.where/formats/contains/LP", "Show.json\n");
	lists("Music/Queen/.where/live/exists", "Liar.json\n");
	lists("Music/Queen/.where/Genre/not_exists", "Show.json\n");
	lists("Music/Queen/.where/formats/type/SS", "Show.json\n");
	lists("Music/Queen/.where/formats/size/eq/2", "Show.json\n");
	lists("Music/Queen/.where/info/size/between/2/5", "Bohemian.json\n");
	lists("Music/Queen/.where/Genre/eq/Jazz", "");
}

Test(where, paths_lead_into_maps_and_lists_and_escape_what_separates)
{
	music();
	lists("Music/Queen/.where/info.rating/gt/7", "Bohemian.json\n");
	lists("Music/Queen/.where/info.tags[1]/eq/rock", "Bohemian.json\n");
	lists("Music/Queen/.where/info.tags/contains/opera", "Bohemian.json\n");
	lists("Music/Rush/.where/a%2Eb%2Fc.x%5B1%5D/eq/50%25", "Tom.json\n");
}

Test(where, values_are_json_and_bare_words_are_strings_to_strings)
{
	music();
	lists("Music/Rush/.where/serial/eq/007", "Tom.json\n");
	lists("Music/Rush/.where/serial/eq/\"007\"", "Tom.json\n");
	lists("Music/Rush/.where/serial/eq/7", "");
	lists("Music/Queen/.where/Year/eq/\"1975\"", "");
	lists("Music/Queen/.where/Year/eq/1975.0", "Bohemian.json\n");
	lists("Music/Queen/.where/live/eq/true", "Liar.json\n");
	lists("Music/Queen/.where/info.tags/eq/[\"opera\",\"rock\"]", "Bohemian.json\n");
	lists("Music/Queen/.where/formats/eq/{\"$SS\":[\"LP\",\"CD\"]}", "Show.json\n");
	lists("Music/Rush/.where/bin/begins_with/{\"$B\":\"AAE=\"}", "Tom.json\n");
}

Test(where, filters_and_other_views_compose_each_narrowing_the_one_before)
{
	music();
	lists("Music/Queen/.where/Genre/exists/.where/Year/lt/1980", "Bohemian.json\nLiar.json\n");
	lists("Music/Queen/.ge/C/.where/Genre/exists", "Liar.json\nRadio.json\n");
	lists("Music/Queen/.where/Genre/exists/.ge/C", "Liar.json\nRadio.json\n");
	lists("Music/Queen/.where/Genre/not_exists/.first/1", "Show.json\n");
	lists("Music/Queen/.first/3/.where/Genre/not_exists", "");
	lists("Music/Queen/.first/2/.where/live/exists", "Liar.json\n");
	lists("Music/Queen/.where/Genre/exists/.last/2", "Radio.json\nLiar.json\n");
	lists("Music/Queen/.last/2/.where/Genre/exists", "Radio.json\n");
	lists("Music/Queen/.where/Genre/exists/.after/Bohemian.json/.first/1", "Liar.json\n");
}

Test(where, a_table_lists_the_partitions_that_hold_what_passes_and_only_that_in_them)
{
	music();
	lists("Music/.where/live/eq/true", "Abba\nQueen\n");
	lists("Music/.where/live/eq/true/Queen", "Liar.json\n");
	lists("Music/.where/live/eq/true/.where/Genre/eq/Pop", "Abba\n");
	lists("Music/.where/live/eq/true/Queen/.where/Year/lt/1970", "");
	lists("Music/.where/live/eq/true/Rush", "<ENOENT>");
	lists("Music/.where/live/eq/true/Nobody", "<ENOENT>");
	cr_expect(exists("Music/.where/live/eq/true/Queen/Liar.json"));
	cr_expect_not(exists("Music/.where/live/eq/true/Queen/Radio.json"));
	lists("Music/.where/nothing/exists", "");
	expect_sh("cd \"$M/Music/.where/live/exists\" && find . | sort",
		  ".\n./Abba\n./Abba/SOS.json\n./Queen\n./Queen/Liar.json\n");
}

Test(where, scan_segments_and_indexes_are_filtered_alike)
{
	music();
	expect_sh("cd \"$M/Music\" && ls .scan/2/0/.where/live/exists .scan/2/1/.where/live/exists | grep -v : | grep "
		  ". | sort",
		  "Abba\nQueen\n");
	lists("Music/.index/by-year/.where/live/exists", "1973\n1975\n");
	lists("Music/.index/by-year/.where/live/exists/1975", "Abba,SOS.json\n");
	lists("Music/.index/by-year/.where/live/exists/1984", "<ENOENT>");
	lists("Music/.index/by-year/1975/.where/live/exists", "Abba,SOS.json\n");
	lists("Music/.index/by-genre/Rock/.where/Title/eq/Liar", "1973,Queen,Liar.json\n");
	lists("Music/.index/by-genre/Rock/.where/live/exists", ""); /* not projected */
}

Test(where, what_passes_is_the_item_itself_to_read_and_nothing_to_write)
{
	music();
	expect_sh("cd \"$M/Music/Queen\" && cmp Liar.json .where/live/exists/Liar.json && "
		  "[ \"$(stat -c '%s %Y %U' Liar.json)\" = \"$(stat -c '%s %Y %U' .where/live/exists/Liar.json)\" ] && "
		  "stat -c %a .where/live/exists/Liar.json",
		  "444\n");
	cr_expect_str_eq(content("Music/Queen/.where/live/exists/Radio.json"), "<ENOENT>");
	expect_errno(open(at("Music/Queen/.where/live/exists/new.json"), O_CREAT | O_WRONLY, 0644), EROFS);
	expect_errno(unlink(at("Music/Queen/.where/live/exists/Liar.json")), EROFS);
	expect_errno(mkdir(at("Music/.where/live/exists/new"), 0755), EROFS);
	expect_sh("cd \"$M/Music\" && cp -r .where/live/exists \"$D/copy\" && cd \"$D/copy\" && find . -type f | sort "
		  "&& tar c -C \"$M/Music/.where/live\" exists | tar t | sort",
		  "./Abba/SOS.json\n./Queen/Liar.json\nexists/\nexists/Abba/\nexists/Abba/SOS.json\nexists/Queen/"
		  "\nexists/Queen/Liar.json\n");
}

Test(where, it_follows_every_change_and_a_name_that_passes_no_more_is_gone)
{
	music();
	lists("Music/Queen/.where/live/exists", "Liar.json\n");
	assert_ok(put("Music/Queen/Radio.json", "{\"live\":false}"));
	lists("Music/Queen/.where/live/exists", "Liar.json\nRadio.json\n");
	assert_ok(put("Music/Queen/Liar.json", "{}"));
	lists("Music/Queen/.where/live/exists", "Radio.json\n");
	cr_expect_not(exists("Music/Queen/.where/live/exists/Liar.json"));
	assert_ok(unlink(at("Music/Queen/Radio.json")));
	lists("Music/.where/live/exists", "Abba\n");
	lists("Music/.where/live/exists/Queen", "<ENOENT>");
}

Test(where, is_reached_by_name_and_never_listed)
{
	music();
	expect_sh("ls -a \"$M/Music\" \"$M/Music/Queen\" \"$M/Music/.index/by-year\" | grep where || true", "");
	lists("Music/Queen/.where", "");
	lists("Music/Queen/.where/Year", "");
	lists("Music/Queen/.where/Year/between/1", "");
	lists("Music/Queen/.where/Genre/size/eq", "");
}

static void refused(const char *path, const char *reason)
{
	struct stat st;
	int got = errno_of(stat(at(path), &st));
	cr_expect_eq(got, EINVAL, "%s gives %s", path, strerrorname_np(got));
	cr_assert(refusal_of(path), "no line for %s", path);
	expect_says("errno", "EINVAL");
	expect_says("reason", reason);
}

Test(where, what_can_never_be_a_filter_is_einval_with_dynamodbs_words)
{
	music();
	refused("Music/Queen/.where/Year/frobnicate", "no such operator");
	refused("Music/Queen/.where/Year/between/1979/1970",
		"The BETWEEN operator requires upper bound to be greater than or equal to lower bound");
	refused("Music/Queen/.where/Year/between/1/[2]", "The BETWEEN operator requires same data type");
	refused("Music/Queen/.where/Year/lt/[1]",
		"Incorrect operand type for operator or function; operator: <, operand type: L");
	refused("Music/Queen/.where/Year/begins_with/[1]", "operator or function: begins_with, operand type: L");
	refused("Music/Queen/.where/Year/type/X", "Invalid attribute type name found; type: X");
	refused("Music/Queen/.where/Year/size/eq/x", "a size is compared with a number");
	refused("Music/Queen/.where/Year/eq/[1", "the value ends too early");
	refused("Music/Queen/.where/Year/eq/1e400", "Number overflow");
	refused("Music/Queen/.where/Year[", "between [ and ]");
	refused("Music/Queen/.where/a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
		"too many nesting levels");
	refused("Music/Queen/.where/Year/eq/100%", "%25");
}

Test(where, a_query_may_not_filter_by_its_own_key_and_a_scan_may)
{
	music();
	refused("Music/Queen/.where/Title/eq/Liar",
		"Filter Expression can only contain non-primary key attributes: Primary key attribute: Title");
	refused("Music/Queen/.where/Artist/exists", "Primary key attribute: Artist");
	refused("Music/.index/by-year/1975/.where/Year/exists", "Primary key attribute: Year");
	lists("Music/.index/by-year/1975/.where/Artist/eq/Queen", "Queen,Bohemian.json\n");
	lists("Music/.where/Title/begins_with/S", "Abba\nQueen\n");
	lists("Music/.where/Title/begins_with/S/Queen", "Show.json\n");
	refused("Music/.where/Title.x/exists", "Key attributes must be scalars");
}

Test(where, an_undeclared_table_is_filtered_too)
{
	assert_sh(
	    "mkdir -p \"$M/Loose/p\" && echo '{\"a\":1}' > \"$M/Loose/p/x.json\" && echo '{}' > \"$M/Loose/p/y.json\"");
	lists("Loose/p/.where/a/exists", "x.json\n");
	lists("Loose/.where/sk/eq/y/p", "y.json\n");
}

Test(where, a_snapshot_is_filtered_as_it_was)
{
	music();
	assert_ok(mkdir(at(".itemfs/snapshots/then"), 0755));
	assert_ok(put("Music/Queen/Liar.json", "{}"));
	assert_ok(put("Music/Rush/Tom.json", "{\"live\":true}"));
	lists("Music/.where/live/exists", "Abba\nRush\n");
	lists(".itemfs/snapshots/then/Music/.where/live/exists", "Abba\nQueen\n");
	lists(".itemfs/snapshots/then/Music/.where/live/exists/Queen", "Liar.json\n");
	lists(".itemfs/snapshots/then/Music/.where/live/exists/Rush", "<ENOENT>");
	lists(".itemfs/snapshots/then/Music/Queen/.where/live/exists", "Liar.json\n");
	cr_expect_str_eq(content(".itemfs/snapshots/then/Music/Queen/.where/live/exists/Liar.json"),
			 "{\"Year\":1973,\"Genre\":\"Rock\",\"live\":true}\n");
	expect_sh("find \"$M/.itemfs/snapshots/then/Music/.where/live/exists\" -name '*.json' | wc -l", "2\n");
	assert_ok(rmdir(at(".itemfs/snapshots/then")));
}

Test(where, an_export_below_a_filter_holds_what_passes)
{
	music();
	expect_sh("cd \"$M/Music\" && jq -c '[.Item.Artist.S, .Item.Title.S]' .where/live/eq/true/.export/items.jsonl",
		  "[\"Abba\",\"SOS\"]\n[\"Queen\",\"Liar\"]\n");
	expect_sh("cd \"$M/Music\" && jq -c '[.[].Title]' Queen/.where/Genre/exists/.last/2/.export/items.json",
		  "[\"Radio\",\"Liar\"]\n");
	expect_sh("cd \"$M/Music\" && jq -c '.[].Title' .index/by-year/.where/live/exists/.export/items.json",
		  "\"Liar\"\n\"SOS\"\n");
	expect_sh("cd \"$M/Music\" && cat .where/nothing/exists/.export/items.jsonl", "");
}
