/* Items: what a document may hold, and what its path says. Drafts and commits are test_drafts.c's. */
#include "tests/mount/harness.h"
#include <sys/mman.h>
#include <sys/xattr.h>

static void setup(void)
{
	mount_setup();
	assert_sh("mkdir -p \"$M/Plain/p\"");
}

TestSuite(items, .init = setup, .fini = mount_teardown, .timeout = 600);

Test(items, what_you_write_is_what_you_read)
{
	const char *odd = "\n\t {  \"a\" :\r\n [1.50, 1e2, \"\\u00e9\\/\", true ,null, {}, []] }  \n\n";
	expect_ok(put("Plain/p/x.json", odd));
	cr_expect_str_eq(content("Plain/p/x.json"), odd);
	cr_expect_eq(size_of("Plain/p/x.json"), (off_t)strlen(odd));
	mount_again();
	cr_expect_str_eq(content("Plain/p/x.json"), odd);
}

Test(items, zero_bytes_are_an_item_that_has_only_its_key)
{
	declare("Music", "Artist:S Title:S", "gsi by-title Title:S ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && : > \"$M/Music/Queen/Liar.json\" && touch \"$M/Music/Queen/Seven.json\" "
		  "&& sync \"$M/Music/Queen/Liar.json\"");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "");
	mount_again();
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\nSeven.json\n");
	cr_expect_str_eq(listing("Music/.index/by-title/Liar"), "Queen.json\n");
	expect_sh("jq -cS . \"$M/Music/.index/by-title/Liar/Queen.json\"",
		  "{\"Artist\":\"Queen\",\"Title\":\"Liar\"}\n");
}

Test(items, key_attributes_may_be_left_out_or_must_agree)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_ok(mkdir(at("Music/Queen"), 0755));
	expect_ok(put("Music/Queen/Liar.json", "{}"));
	expect_ok(put("Music/Queen/Liar.json", "{\"Artist\":\"Queen\"}"));
	expect_ok(put("Music/Queen/Liar.json", "{\"Title\":\"Li\\u0061r\",\"Artist\":\"Queen\"}"));
	const char *kept_one = content("Music/Queen/Liar.json");
	expect_errno(put("Music/Queen/Liar.json", "{\"Title\":\"Seven\"}"), EBADMSG);
	cr_assert(refusal_of("Music/Queen/Liar.json"));
	expect_says("reason", "Title");
	expect_errno(put("Music/Queen/Liar.json", "{\"Artist\":\"queen\"}"), EBADMSG);
	expect_errno(put("Music/Queen/Liar.json", "{\"Artist\":7}"), EBADMSG);
	expect_errno(put("Music/Queen/Liar.json", "{\"Artist\":null}"), EBADMSG);
	cr_expect_str_eq(content("Music/Queen/Liar.json"), kept_one);
}

Test(items, number_keys_agree_by_value_and_list_by_value)
{
	declare("Readings", "Device:S At:N", NULL);
	assert_ok(mkdir(at("Readings/d1"), 0755));
	const char *names[] = {"10", "2", "-3.5", "0", "-10", "2.5", "100000000000000000000", "0.001"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_ok(put(text("Readings/d1/%s.json", names[i]), "{\"v\":1}"));
	cr_expect_str_eq(
	    listing("Readings/d1"),
	    "-10.json\n-3.5.json\n0.json\n0.001.json\n2.json\n2.5.json\n10.json\n100000000000000000000.json\n");
	expect_ok(put("Readings/d1/10.json", "{\"At\":1.0e1}"));
	cr_expect_str_eq(content("Readings/d1/10.json"), "{\"At\":1.0e1}");
	expect_errno(put("Readings/d1/10.json", "{\"At\":11}"), EBADMSG);
	expect_errno(put("Readings/d1/10.json", "{\"At\":\"10\"}"), EBADMSG);
}

Test(items, string_keys_list_in_the_order_of_their_bytes)
{
	assert_sh("cd \"$M/Plain/p\" && for k in b a B aa '~' $'\\u00e9' $'\\U1F600' a%2F 0 'a b'; do echo '{}' > "
		  "\"$k.json\"; done");
	cr_expect_str_eq(listing("Plain/p"),
			 "0.json\nB.json\na.json\na "
			 "b.json\na%2F.json\naa.json\nb.json\n~.json\n\xc3\xa9.json\n\xf0\x9f\x98\x80.json\n");
}

Test(items, binary_keys_are_hexadecimal)
{
	declare("Blobs", "Hash:B Part:B", NULL);
	assert_ok(mkdir(at("Blobs/00ff10"), 0755));
	expect_ok(put("Blobs/00ff10/ff.json", "{\"Hash\":{\"$B\":\"AP8Q\"},\"Part\":{\"$B\":\"/w==\"}}"));
	expect_ok(put("Blobs/00ff10/00.json", "{}"));
	expect_ok(put("Blobs/00ff10/0001.json", "{}"));
	cr_expect_str_eq(listing("Blobs/00ff10"), "00.json\n0001.json\nff.json\n");
	expect_errno(put("Blobs/00ff10/ff.json", "{\"Hash\":{\"$B\":\"AP8R\"}}"), EBADMSG);
	expect_errno(put("Blobs/00ff10/ff.json", "{\"Hash\":\"AP8Q\"}"), EBADMSG);
	expect_errno(put("Blobs/00ff10/FF.json", "{}"), EINVAL);
	expect_errno(put("Blobs/00ff10/f.json", "{}"), EINVAL);
}

Test(items, a_table_without_a_sort_key_holds_item_json_only)
{
	declare("Settings", "Id:S", NULL);
	assert_ok(mkdir(at("Settings/theme"), 0755));
	expect_ok(put("Settings/theme/item.json", "{\"Id\":\"theme\",\"value\":\"dark\"}"));
	expect_errno(put("Settings/theme/other.json", "{}"), EINVAL);
	cr_expect_str_eq(content("Settings/theme/other.json"), "<ENOENT>");
	expect_errno(put("Settings/theme/item.json", "{\"Id\":\"thema\"}"), EBADMSG);
	expect_ok(put("Settings/theme/notes.txt", "a plain file"));
	cr_expect_str_eq(listing_sorted("Settings/theme"), "item.json\nnotes.txt\n");
}

Test(items, the_types_that_json_lacks_are_one_key_objects)
{
	expect_ok(put("Plain/p/x.json",
		      "{\"b\":{\"$B\":\"AP8Q\"},\"s\":{\"$SS\":[\"a\",\"\"]},\"n\":{\"$NS\":[1,2.5]},\"bs\":{\"$BS\":["
		      "\"AA==\",\"\"]},"
		      "\"m\":{\"$M\":{\"$B\":7}},\"two\":{\"$B\":1,\"x\":2},\"other\":{\"$X\":1},\"empty\":{}}"));
	static const char *const wrong[] = {
	    "{\"a\":{\"$B\":\"AP8\"}}",    "{\"a\":{\"$B\":\"!!!!\"}}", "{\"a\":{\"$B\":7}}",
	    "{\"a\":{\"$B\":\"AB==\"}}",   "{\"a\":{\"$SS\":[]}}",      "{\"a\":{\"$SS\":[\"a\",\"a\"]}}",
	    "{\"a\":{\"$SS\":[\"a\",1]}}", "{\"a\":{\"$NS\":[]}}",      "{\"a\":{\"$NS\":[1,1.0]}}",
	    "{\"a\":{\"$NS\":[\"1\"]}}",   "{\"a\":{\"$BS\":[]}}",      "{\"a\":{\"$BS\":[\"AA==\",\"AA==\"]}}",
	    "{\"a\":{\"$SS\":\"a\"}}",     "{\"a\":{\"$M\":[]}}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(errno_of(put("Plain/p/y.json", wrong[i])), EBADMSG, "%s: %s", wrong[i], strerror(errno));
	cr_expect(await(is_gone, "Plain/p/y.json"));
}

Test(items, the_rules_of_documents_hold)
{
	static const char *const wrong[] = {
	    "[]",
	    "7",
	    "\"text\"",
	    "null",
	    "{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"\\u0061\":2}",
	    "{\"\":1}",
	    "{\"a\":{\"\":1}}",
	    "{\"a\":01}",
	    "{\"a\":+1}",
	    "{\"a\":.5}",
	    "{\"a\":1.}",
	    "{\"a\":NaN}",
	    "{'a':1}",
	    "{\"a\":1,}",
	    "{} {}",
	    "{\"a\":\"\\ud800\"}",
	    "{\"a\":\"\xff\"}",
	    "{\"a\":\"\t\"}",
	    "\xef\xbb\xbf{}",
	    "{\"a\":[1,2,,3]}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(errno_of(put("Plain/p/y.json", wrong[i])), EBADMSG, "%s: %s", wrong[i], strerror(errno));
	expect_ok(put("Plain/p/y.json", "{\"a\":\"\",\"b\":\"\\u0000\",\"c\":[],\"d\":{},\"e\":\"\\ud83d\\ude00\"}"));
}

Test(items, numbers_keep_all_38_digits_and_no_more_are_taken)
{
	const char *exact = "{\"n\":1234567890.1234567890123456789012345678,\"big\":9."
			    "9999999999999999999999999999999999999e125,\"small\":1e-130,"
			    "\"minus\":-0.00000000000000000000000000000000000001}";
	declare("Exact", "Id:S", "gsi by-n n:N ALL", NULL);
	assert_ok(mkdir(at("Exact/a"), 0755));
	expect_ok(put("Exact/a/item.json", exact));
	cr_expect_str_eq(content("Exact/a/item.json"), exact);
	cr_expect_str_eq(listing("Exact/.index/by-n"), "1234567890.1234567890123456789012345678\n");
	cr_expect(strstr(content("Exact/.index/by-n/1234567890.1234567890123456789012345678/a.json"),
			 "1234567890.1234567890123456789012345678"));
	expect_errno(put("Plain/p/y.json", "{\"n\":123456789012345678901234567890123456789}"), EBADMSG);
	cr_assert(refusal_of("Plain/p/y.json"));
	expect_says("reason", "38");
	expect_errno(put("Plain/p/y.json", "{\"n\":1e126}"), EBADMSG);
	expect_errno(put("Plain/p/y.json", "{\"n\":1e-131}"), EBADMSG);
	expect_ok(put("Plain/p/y.json", "{\"n\":123456789012345678901234567890123456780000}"));
}

/* {"a":[[[…]]]} whose innermost value stands at `levels`. */
static const char *nested(size_t levels)
{
	char *s = kept(calloc(levels * 2 + 16, 1)), *end = stpcpy(s, "{\"a\":");
	memset(end, '[', levels - 1);
	end += levels - 1;
	*end++ = '1';
	memset(end, ']', levels - 1);
	end[levels - 1] = '}';
	return s;
}

Test(items, nest_32_levels_deep_and_no_deeper)
{
	expect_ok(put("Plain/p/deep.json", nested(32)));
	expect_errno(put("Plain/p/deeper.json", nested(33)), EBADMSG);
	cr_assert(refusal_of("Plain/p/deeper.json"));
	expect_says("reason", "nest");
	expect_errno(put("Plain/p/abyss.json", nested(100000)), EBADMSG);
}

/* An item of exactly `size` bytes by DynamoDB's measure, its keys (pk "p", sk "x": 6 bytes of names and values) included. */
static const char *sized(size_t size)
{
	size_t n = size -
		   strlen("pk"
			  "p"
			  "sk"
			  "x") -
		   strlen("a");
	char *s = kept(calloc(n + 16, 1)), *end = stpcpy(s, "{\"a\":\"");
	memset(end, 'x', n);
	strcpy(end + n, "\"}");
	return s;
}

Test(items, hold_409600_bytes_with_their_keys_and_no_more)
{
	declare("Sized", "pk:S sk:S", NULL);
	assert_ok(mkdir(at("Sized/p"), 0755));
	expect_ok(put("Sized/p/x.json", sized(409600)));
	struct outcome got = put_steps("Sized/p/x.json", sized(409601), strlen(sized(409601)), 0);
	cr_expect(got.write == EFBIG || got.close == EFBIG, "write %d, close %d", got.write, got.close);
	cr_assert(refusal_of("Sized/p/x.json"));
	expect_says("reason", "Item size has exceeded the maximum allowed size");
	cr_expect_str_eq(refusal("errno"), "EFBIG");
	cr_expect_eq(size_of("Sized/p/x.json"), (off_t)strlen(sized(409600)));
	cr_expect_str_eq(content("Sized/p/x.json"), sized(409600));
}

Test(items, the_measure_is_not_that_of_the_text)
{
	size_t n = 4 << 20;
	char *spaces = kept(calloc(n + 8, 1));
	memset(spaces, ' ', n);
	memcpy(spaces, "{\"a\":1", 6);
	spaces[n - 1] = '}';
	expect_ok(put("Plain/p/x.json", spaces));
	cr_expect_eq(size_of("Plain/p/x.json"), (off_t)n);
	cr_expect_str_eq(content("Plain/p/x.json"), spaces);
}

Test(items, a_document_has_16_mib_and_no_more)
{
	size_t most = 16 << 20;
	char *spaces = kept(calloc(most + 2, 1));
	memset(spaces, ' ', most + 1);
	memcpy(spaces, "{}", 2);
	expect_ok(put_bytes("Plain/p/x.json", spaces, most));
	cr_expect_eq(size_of("Plain/p/x.json"), (off_t)most);
	expect_errno(put_bytes("Plain/p/y.json", spaces, most + 1), EFBIG);
	expect_errno(truncate(at("Plain/p/x.json"), (off_t)most + 1), EFBIG);
	cr_expect_eq(size_of("Plain/p/x.json"), (off_t)most);
}

Test(items, rm_removes_one_and_the_name_is_free_again)
{
	expect_ok(put("Plain/p/x.json", "{\"a\":1}"));
	expect_ok(unlink(at("Plain/p/x.json")));
	expect_errno(unlink(at("Plain/p/x.json")), ENOENT);
	cr_expect_str_eq(listing("Plain/p"), "");
	cr_expect_eq(put_steps("Plain/p/x.json", "{}", 2, O_EXCL).open, 0);
	mount_again();
	cr_expect_str_eq(content("Plain/p/x.json"), "{}");
}

Test(items, mv_rekeys_one_and_rewrites_just_its_key_in_the_bytes)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen Abba && printf '{ \"Title\" : \"Liar\",\"x\":\"Liar\", "
		  "\"Artist\":\"Queen\" }\\n' > Queen/Liar.json && "
		  "touch -d '2001-02-03 04:05:06.5Z' Queen/Liar.json && chmod 640 Queen/Liar.json");
	expect_ok(rename(at("Music/Queen/Liar.json"), at("Music/Queen/Say \"no\".json")));
	cr_expect_str_eq(content("Music/Queen/Say \"no\".json"),
			 "{ \"Title\" : \"Say \\\"no\\\"\",\"x\":\"Liar\", \"Artist\":\"Queen\" }\n");
	expect_ok(rename(at("Music/Queen/Say \"no\".json"), at("Music/Abba/SOS.json")));
	cr_expect_str_eq(content("Music/Abba/SOS.json"),
			 "{ \"Title\" : \"SOS\",\"x\":\"Liar\", \"Artist\":\"Abba\" }\n");
	cr_expect_eq(mtime_of("Music/Abba/SOS.json"), INT64_C(981173106500000000));
	cr_expect_eq(mode_of("Music/Abba/SOS.json"), 0640);
	cr_expect_str_eq(listing("Music/Queen"), "");
}

Test(items, mv_over_an_item_replaces_it_and_without_clobbering_is_refused)
{
	assert_sh("cd \"$M/Plain/p\" && echo '{\"a\":1}' > a.json && echo '{\"b\":1}' > b.json");
	expect_errno(
	    renameat2(AT_FDCWD, at("Plain/p/a.json"), AT_FDCWD, at("Plain/p/b.json"), 1 /* RENAME_NOREPLACE */),
	    EEXIST);
	expect_ok(rename(at("Plain/p/a.json"), at("Plain/p/b.json")));
	cr_expect_str_eq(listing("Plain/p"), "b.json\n");
	cr_expect_str_eq(content("Plain/p/b.json"), "{\"a\":1}\n");
}

Test(items, modes_and_times_persist_to_the_nanosecond)
{
	assert_sh("cd \"$M/Plain/p\" && echo '{}' > x.json && chmod 604 x.json && touch -d '2001-02-03 "
		  "04:05:06.123456789Z' x.json");
	cr_expect_eq(mtime_of("Plain/p/x.json"), INT64_C(981173106123456789));
	mount_again();
	cr_expect_eq(mtime_of("Plain/p/x.json"), INT64_C(981173106123456789));
	cr_expect_eq(mode_of("Plain/p/x.json"), 0604);
	cr_expect_str_eq(content("Plain/p/x.json"), "{}\n");
}

Test(items, inode_numbers_and_change_times_are_stable_across_mounts)
{
	struct stat before, after;
	assert_sh("cd \"$M/Plain/p\" && echo '{}' > x.json && echo hi > notes");
	const char *paths[] = {"Plain", "Plain/p", "Plain/p/x.json", "Plain/p/notes"};
	ino_t inodes[4];
	struct timespec changed[4];
	for (int i = 0; i < 4; i++) {
		assert_ok(stat(at(paths[i]), &before));
		inodes[i] = before.st_ino;
		changed[i] = before.st_ctim;
	}
	mount_again();
	for (int i = 0; i < 4; i++) {
		assert_ok(stat(at(paths[i]), &after));
		cr_expect_eq(after.st_ino, inodes[i], "%s", paths[i]);
		cr_expect(after.st_ctim.tv_sec == changed[i].tv_sec && after.st_ctim.tv_nsec == changed[i].tv_nsec,
			  "%s", paths[i]);
	}
}

Test(items, map_shared_is_refused_and_map_private_works)
{
	expect_ok(put("Plain/p/x.json", "{\"a\":1}"));
	int fd = open(at("Plain/p/x.json"), O_RDWR);
	cr_assert_geq(fd, 0);
	cr_expect_eq(mmap(NULL, 7, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	cr_expect_eq(errno, ENODEV);
	const char *map = mmap(NULL, 7, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert_neq(map, MAP_FAILED);
	cr_expect_eq(memcmp(map, "{\"a\":1}", 7), 0);
	munmap((void *)map, 7);
	close(fd);
}

Test(items, take_no_extended_attributes_of_others)
{
	expect_ok(put("Plain/p/x.json", "{}"));
	cr_expect_lt(setxattr(at("Plain/p/x.json"), "user.note", "x", 1, 0), 0);
	expect_errno(setxattr(at("Plain/p/x.json"), "trusted.note", "x", 1, 0), EOPNOTSUPP);
	expect_errno(getxattr(at("Plain/p/x.json"), "security.note", NULL, 0), EOPNOTSUPP);
	expect_errno(getxattr(at("Plain/p/x.json"), "user.itemfs.error", NULL, 0), ENODATA);
}

Test(items, a_name_that_begins_with_a_dot_is_no_item)
{
	expect_ok(put("Plain/p/.hidden.json", "not JSON at all"));
	cr_expect_str_eq(content("Plain/p/.hidden.json"), "not JSON at all");
	expect_ok(put("Plain/p/%2Ehidden.json", "{}"));
	expect_errno(put("Plain/p/%2Ehidden.json", "not JSON at all"), EBADMSG);
}

Test(items, a_partition_made_by_nobody_is_not_there)
{
	cr_expect_eq(put_steps("Plain/q/x.json", "{}", 2, 0).open, ENOENT);
	cr_expect_str_eq(listing("Plain/q"), "<ENOENT>");
}

Test(items, a_thousand_list_once_each_in_order_after_a_remount)
{
	assert_sh("cd \"$M/Plain/p\" && for ((i = 0; i < 1000; i++)); do printf -v n %04d $i; echo \"{\\\"i\\\":$i}\" "
		  "> $n.json; done");
	mount_again();
	expect_sh("ls -U \"$M/Plain/p\" | diff - <(seq -f %04.0f.json 0 999) && cat \"$M\"/Plain/p/*.json | jq -s "
		  "'map(.i) | add'",
		  "499500\n");
}
