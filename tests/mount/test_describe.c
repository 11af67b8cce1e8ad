/* `.describe.json`: DescribeTable's output, of a live table. */
#include "tests/mount/harness.h"

TestSuite(describe, .init = mount_setup, .fini = mount_teardown, .timeout = 180);

static void music(void)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", "lsi in-order Year:N KEYS_ONLY", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen Abba && echo '{\"Year\":1975}' > 'Queen/Bohemian Rhapsody.json' && "
		  "echo '{\"Year\":1975}' > Abba/SOS.json && echo '{}' > Queen/Sparse.json");
}

Test(describe, is_reached_by_its_name_and_listed_by_nobody)
{
	music();
	cr_expect(exists("Music/.describe.json"));
	cr_expect_str_eq(listing_sorted("Music"), ".schema.json\nAbba\nQueen\n");
	expect_sh("find \"$M\" -name '.describe*'", "");
	cr_expect_not(exists("Music/Queen/.describe.json"));
}

Test(describe, counts_items_and_sizes_exactly)
{
	music();
	/* Artist 6, Title 5, Year 4 and 3 for 1975; the keys 5+17, 4+3 and 5+6; and 100 for each item. */
	expect_sh("jq -c '.Table|[.TableName,.TableStatus,.ItemCount,.TableSizeBytes]' \"$M/Music/.describe.json\"",
		  "[\"Music\",\"ACTIVE\",3,387]\n");
	expect_sh("jq -c '.Table|.GlobalSecondaryIndexes[0],.LocalSecondaryIndexes[0]|[.IndexName,.IndexStatus,.ItemCount,.IndexSizeBytes]' "
		  "\"$M/Music/.describe.json\"",
		  "[\"by-year\",\"ACTIVE\",2,265]\n[\"in-order\",null,2,265]\n");
	assert_sh("rm \"$M/Music/Abba/SOS.json\"");
	expect_sh("jq -c '.Table|[.ItemCount,.GlobalSecondaryIndexes[0].ItemCount]' \"$M/Music/.describe.json\"", "[2,1]\n");
	mount_again();
	expect_sh("jq -c '.Table|[.ItemCount,.GlobalSecondaryIndexes[0].ItemCount]' \"$M/Music/.describe.json\"", "[2,1]\n");
}

Test(describe, is_a_file_that_tools_can_copy)
{
	music();
	cr_expect_eq((size_t)size_of("Music/.describe.json"), strlen(content("Music/.describe.json")));
	assert_sh("cp \"$M/Music/.describe.json\" \"$D/copy\" && diff \"$M/Music/.describe.json\" \"$D/copy\"");
	assert_sh("tar -cf \"$D/a.tar\" -C \"$M/Music\" .describe.json && tar -xOf \"$D/a.tar\" | diff - \"$D/copy\"");
	assert_sh("head -c 100 \"$M/Music/.describe.json\" > \"$D/part\" && dd if=\"$M/Music/.describe.json\" bs=7 status=none | diff - \"$D/copy\"");
}

Test(describe, is_accepted_back_as_a_definition)
{
	music();
	assert_sh("mkdir \"$M/Songs\" && cp \"$M/Music/.describe.json\" \"$M/Songs/.schema.json\"");
	assert_sh("cp -r \"$M/Music/Queen\" \"$M/Music/Abba\" \"$M/Songs/\"");
	cr_expect_str_eq(listing("Songs/.index/by-year/1975"), "Abba,SOS.json\nQueen,Bohemian Rhapsody.json\n");
	expect_sh("for t in Music Songs; do jq -S '.Table|del(.TableName,.TableId,.TableArn,.CreationDateTime)|"
		  "del(..|.IndexArn?,.ConsumedReadCapacityUnits?,.ConsumedWriteCapacityUnits?)' \"$M/$t/.describe.json\" > \"$D/$t\"; done; "
		  "diff \"$D/Music\" \"$D/Songs\"",
		  "");
}

Test(describe, shows_capacity_units_since_the_mount)
{
	music();
	expect_sh("jq -c '.Table|[.ConsumedReadCapacityUnits,.ConsumedWriteCapacityUnits,.GlobalSecondaryIndexes[0].ConsumedWriteCapacityUnits]' "
		  "\"$M/Music/.describe.json\"",
		  "[0,3,2]\n");
	cr_expect_str_eq(content("Music/Abba/SOS.json"), "{\"Year\":1975}\n");
	expect_sh("jq .Table.ConsumedReadCapacityUnits \"$M/Music/.describe.json\"", "1\n");
	mount_again();
	expect_sh("jq .Table.ConsumedReadCapacityUnits,.Table.ConsumedWriteCapacityUnits \"$M/Music/.describe.json\"", "0\n0\n");
}

Test(describe, any_change_of_it_is_refused)
{
	music();
	const char *path = "Music/.describe.json";
	cr_expect_eq(put_steps(path, "{}", 2, 0).open, EROFS);
	expect_errno(unlink(at(path)), EROFS);
	expect_errno(chmod(at(path), 0600), EROFS);
	expect_errno(truncate(at(path), 0), EROFS);
	expect_errno(rename(at(path), at("Music/Queen/x.json")), EROFS);
	expect_errno(rename(at("Music/Queen/Sparse.json"), at(path)), EPERM);
	expect_errno(mkdir(at(path), 0755), EEXIST);
	cr_expect(exists("Music/Queen/Sparse.json"));
}

Test(describe, may_be_read_by_whom_the_table_may)
{
	music();
	cr_expect_eq(mode_of("Music/.describe.json"), 0444);
	expect_ok(chmod(at("Music"), 0750));
	cr_expect_eq(mode_of("Music/.describe.json"), 0440);
}

Test(describe, follows_a_renamed_table_and_keeps_its_id)
{
	music();
	assert_sh("jq -r .Table.TableId,.Table.CreationDateTime \"$M/Music/.describe.json\" > \"$D/id\" && mv \"$M/Music\" \"$M/Songs\"");
	mount_again();
	expect_sh("jq -r .Table.TableId,.Table.CreationDateTime \"$M/Songs/.describe.json\" | diff - \"$D/id\" && "
		  "jq -r .Table.TableArn \"$M/Songs/.describe.json\"",
		  "arn:aws:dynamodb:itemfs:000000000000:table/Songs\n");
}

Test(describe, of_a_table_that_went_is_stale_and_not_empty)
{
	char byte;
	assert_ok(mkdir(at("Brief"), 0755));
	int fd = open(at("Brief/.describe.json"), O_RDONLY);
	cr_assert(fd >= 0);
	expect_ok(rmdir(at("Brief")));
	expect_errno((int)read(fd, &byte, 1), ESTALE);
	expect_ok(close(fd));
}
