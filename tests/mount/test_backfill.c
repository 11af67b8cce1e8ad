/* Indexes that are added to a table with items: the write of `.schema.json` returns at once, and the index is filled in the background. The daemon is
 * told to fill slowly (build_rate), so that there is a meanwhile, however fast the machine is. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <time.h>

static void setup(void)
{
	mount_setup();
	declare("Things", "p:S s:N", NULL);
	assert_sh("cd \"$M/Things\" && mkdir a b c && for p in a b c; do for i in {1..100}; do "
		  "echo \"{\\\"n\\\":$((i % 7)),\\\"t\\\":\\\"$p\\\"}\" > $p/$i.json; done; done");
	mount_down();
	mount_up("build_rate=1");
}

TestSuite(backfill, .init = setup, .fini = mount_teardown);

static const char by_n[] = "gsi by-n n:N ALL";

static void define(const char *index)
{
	assert_ok(put("Things/.schema.json", index ? definition("p:S s:N", index, NULL) : definition("p:S s:N", NULL)));
}

/* Polls for as long as a slow machine may need. */
static void await_active(const char *index)
{
	for (int i = 0; i < 1200 && !strcmp(listing(index), "<EAGAIN>"); i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	cr_assert_str_neq(listing(index), "<EAGAIN>");
}

static void fill_fast(void)
{
	mount_down();
	mount_up(NULL);
}

static void expect_right(void)
{
	expect_sh("cd \"$M/Things\" && diff <(cat */*.json | jq -r .n | sort | uniq -c) <(cat .index/by-n/*/* | jq -r .n | sort | uniq -c)", "");
}

Test(backfill, an_index_is_eagain_until_it_is_filled_and_errors_says_why)
{
	define(by_n);
	cr_expect_str_eq(listing("Things/.index"), "by-n\n");
	cr_expect_eq(mode_of("Things/.index/by-n"), 0555);
	cr_expect_str_eq(listing("Things/.index/by-n"), "<EAGAIN>");
	cr_expect_str_eq(listing("Things/.index/by-n/1"), "<EAGAIN>");
	cr_expect_str_eq(content("Things/.index/by-n/1/a,1.json"), "<EAGAIN>");
	cr_expect_str_eq(content("Things/.index/by-n/no such/thing"), "<EAGAIN>");
	cr_expect_str_eq(content("Things/.index/by-n/.export/items.jsonl"), "<EAGAIN>");
	cr_assert(refusal_of("Things/.index/by-n"));
	expect_says("errno", "EAGAIN");
	expect_says("reason", "by-n is being built");
	size_t lines = refusals();
	for (int i = 0; i < 5; i++)
		(void)listing("Things/.index/by-n");
	cr_expect_eq(refusals(), lines, "one line is enough");
	fill_fast();
	await_active("Things/.index/by-n");
	cr_expect_str_eq(listing("Things/.index/by-n"), "0\n1\n2\n3\n4\n5\n6\n");
	expect_right();
}

Test(backfill, describe_json_shows_how_far_it_is)
{
	assert_ok(put("Things/a/100.json", "{\"n\":\"none\"}"));
	assert_ok(put("Things/a/99.json", "{}"));
	define(by_n);
	expect_sh("jq -c '.Table|.TableStatus,(.GlobalSecondaryIndexes[0]|.IndexStatus,.Backfilling,(.Backfill|.OnlineIndexPercentageProgress>=40,.Items>=128,"
		  ".Skipped,.Misfits,.ItemsPerSecond>=0))' \"$M/Things/.describe.json\"",
		  "\"ACTIVE\"\n\"CREATING\"\ntrue\ntrue\ntrue\n2\n1\ntrue\n");
	assert_sh("cp \"$M/Things/.describe.json\" \"$D/described\" && mkdir \"$M/Again\" && cp \"$D/described\" \"$M/Again/.schema.json\"");
	fill_fast();
	await_active("Things/.index/by-n");
	expect_sh("jq -c '.Table.GlobalSecondaryIndexes[0]|.IndexStatus,.Backfilling,.ItemCount,(.Backfill|.OnlineIndexPercentageProgress==100,.Items,.Skipped,.Misfits,.ItemsPerSecond)' \"$M/Things/.describe.json\"",
		  "\"ACTIVE\"\nnull\n298\ntrue\n300\n2\n1\nnull\n");
}

Test(backfill, of_a_small_table_ends_with_the_write_of_the_definition)
{
	declare("Small", "p:S s:N", NULL);
	assert_sh("cd \"$M/Small\" && mkdir a && echo '{\"n\":1}' > a/1.json");
	assert_ok(put("Small/.schema.json", definition("p:S s:N", by_n, NULL)));
	cr_expect_str_eq(listing("Small/.index/by-n/1"), "a,1.json\n");
}

Test(backfill, reads_and_writes_go_on_meanwhile)
{
	define(by_n);
	assert_sh("cd \"$M/Things\" && echo '{\"n\":1000}' > a/1.json && echo '{\"n\":1001}' > c/90.json && rm a/2.json c/91.json && "
		  "mv a/3.json c/1003.json && mv c/92.json a/1092.json && echo '{\"n\":1002}' > c/2000.json && echo '{\"n\":1003}' > a/2000.json && mv b d");
	cr_expect_str_eq(content("Things/c/90.json"), "{\"n\":1001}\n");
	expect_errno(put("Things/c/93.json", "{\"n\":\"none\"}"), EBADMSG);
	cr_expect_str_eq(listing("Things/.index/by-n"), "<EAGAIN>");
	fill_fast();
	await_active("Things/.index/by-n");
	cr_expect_str_eq(listing("Things/.index/by-n"), "0\n1\n2\n3\n4\n5\n6\n1000\n1001\n1002\n1003\n");
	expect_right();
}

Test(backfill, goes_on_after_a_kill)
{
	define(by_n);
	mount_kill();
	cr_expect_eq(fsck_volume(volume()), 0, "%s", sh_output());
	mount_up("build_rate=1");
	cr_expect_str_eq(listing("Things/.index/by-n"), "<EAGAIN>");
	expect_ok(put("Things/a/1.json", "{\"n\":50}"));
	mount_kill();
	cr_expect_eq(fsck_volume(volume()), 0, "%s", sh_output());
	mount_up(NULL);
	await_active("Things/.index/by-n");
	cr_expect_str_eq(listing("Things/.index/by-n/50"), "a,1.json\n");
	expect_right();
}

Test(backfill, who_rewinds_a_directory_of_an_index_that_is_built_anew_is_told_so_as_often_as_he_asks)
{
	define(by_n);
	fill_fast();
	await_active("Things/.index/by-n");
	mount_down();
	mount_up("build_rate=1");
	DIR *dir = opendir(at("Things/.index/by-n"));
	cr_assert(dir && readdir(dir));
	define(NULL);
	define(by_n);
	rewinddir(dir);
	for (int i = 0; i < 3; i++) {
		errno = 0;
		cr_expect(!readdir(dir) && errno == EAGAIN, "time %d: %s", i, strerror(errno));
	}
	closedir(dir);
}

Test(backfill, can_be_dropped_before_its_end_and_begun_anew)
{
	define(by_n);
	define(NULL);
	cr_expect_str_eq(listing("Things/.index/by-n"), "<ENOENT>");
	expect_ok(put("Things/a/1.json", "{\"n\":\"anything\"}"));
	define("gsi by-t t:S KEYS_ONLY");
	cr_expect_str_eq(listing("Things/.index/by-t"), "<EAGAIN>");
	define(by_n);
	cr_expect_str_eq(listing("Things/.index/by-t"), "<ENOENT>");
	cr_expect_str_eq(listing("Things/.index/by-n"), "<EAGAIN>");
	fill_fast();
	await_active("Things/.index/by-n");
	expect_sh("cat \"$M\"/Things/.index/by-n/*/* | wc -l", "299\n");
}

Test(backfill, follows_its_table_through_a_rename_and_goes_with_it)
{
	define(by_n);
	assert_ok(rename(at("Things"), at("Others")));
	cr_expect_str_eq(listing("Others/.index/by-n"), "<EAGAIN>");
	assert_sh("rm -r \"$M/Others\"");
	assert_ok(mkdir(at("Others"), 0755));
	cr_expect_str_eq(listing("Others"), "");
	cr_expect_str_eq(listing("Others/.index/by-n"), "<ENOENT>");
}

Test(backfill, a_read_only_mount_fills_nothing)
{
	define(by_n);
	mount_down();
	mount_up("ro");
	cr_expect_str_eq(listing("Things/.index/by-n"), "<EAGAIN>");
	mount_again();
	await_active("Things/.index/by-n");
	expect_right();
}
