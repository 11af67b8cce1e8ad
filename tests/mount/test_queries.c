/* Queries and scans as paths: read-only directories that are computed when they are opened. What each list of steps leaves is
 * tests/unit/test_query.c's; here are names, refusals, files, and what people's tools make of them. */
#include "tests/mount/harness.h"

TestSuite(queries, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

/* Orders by day: 2024-01-01 to 2024-01-30, each {"n":1} to {"n":30}, and the same in an index by month and n. */
static void orders(void)
{
	declare("Orders", "customer:S day:S", "gsi by-month month:S n:N ALL", NULL);
	assert_sh("cd \"$M/Orders\" && mkdir c42 && for i in {1..30}; do printf '{\"n\":%d,\"month\":\"%s\"}\\n' $i "
		  "$([ $i -le 20 ] && echo jan || echo feb) > c42/2024-01-$(printf %02d $i).json || exit 1; done");
}

static void numbers(void)
{
	declare("Scores", "player:S points:N", NULL);
	assert_sh("cd \"$M/Scores\" && mkdir p && for i in -10 -9.5 0 0.001 9 10 100; do echo '{}' > p/$i.json || exit 1; done");
}

Test(queries, each_condition_on_the_sort_key)
{
	orders();
	cr_expect_str_eq(listing("Orders/c42/.eq/2024-01-07"), "2024-01-07.json\n");
	cr_expect_str_eq(listing("Orders/c42/.lt/2024-01-03"), "2024-01-01.json\n2024-01-02.json\n");
	cr_expect_str_eq(listing("Orders/c42/.le/2024-01-02"), "2024-01-01.json\n2024-01-02.json\n");
	cr_expect_str_eq(listing("Orders/c42/.gt/2024-01-29"), "2024-01-30.json\n");
	cr_expect_str_eq(listing("Orders/c42/.ge/2024-01-29"), "2024-01-29.json\n2024-01-30.json\n");
	cr_expect_str_eq(listing("Orders/c42/.between/2024-01-08/2024-01-09"), "2024-01-08.json\n2024-01-09.json\n");
	cr_expect_str_eq(listing("Orders/c42/.begins_with/2024-01-3"), "2024-01-30.json\n");
	cr_expect_str_eq(listing("Orders/c42/.first/2"), "2024-01-01.json\n2024-01-02.json\n");
	cr_expect_str_eq(listing("Orders/c42/.last/2"), "2024-01-30.json\n2024-01-29.json\n");
	cr_expect_str_eq(listing("Orders/c42/.after/2024-01-29.json"), "2024-01-30.json\n");
	cr_expect_str_eq(listing("Orders/c42/.eq/2025"), "");
}

Test(queries, compose_from_left_to_right)
{
	orders();
	cr_expect_str_eq(listing("Orders/c42/.ge/2024-01-10/.lt/2024-02-01/.last/2"), "2024-01-30.json\n2024-01-29.json\n");
	cr_expect_str_eq(listing("Orders/c42/.first/10/.last/3"), "2024-01-10.json\n2024-01-09.json\n2024-01-08.json\n");
	cr_expect_str_eq(listing("Orders/c42/.first/10/.gt/2024-01-09"), "2024-01-10.json\n");
	cr_expect_str_eq(listing("Orders/c42/.first/10/.gt/2024-01-10"), "");
	cr_expect_str_eq(listing("Orders/c42/.last/all/.after/2024-01-03.json/.first/1"), "2024-01-02.json\n");
	cr_expect_str_eq(listing("Orders/c42/.after/2024-01-28x.json"), "2024-01-29.json\n2024-01-30.json\n");
}

Test(queries, on_numbers_go_by_value)
{
	numbers();
	cr_expect_str_eq(listing("Scores/p/.ge/0"), "0.json\n0.001.json\n9.json\n10.json\n100.json\n");
	cr_expect_str_eq(listing("Scores/p/.between/-9.5/9"), "-9.5.json\n0.json\n0.001.json\n9.json\n");
	cr_expect_str_eq(listing("Scores/p/.last/3"), "100.json\n10.json\n9.json\n");
}

Test(queries, on_binaries_go_by_bytes_written_in_hex)
{
	declare("Blobs", "name:S hash:B", NULL);
	assert_sh("cd \"$M/Blobs\" && mkdir p && for i in 00 00ff 01 a0 ff; do echo '{}' > p/$i.json || exit 1; done");
	cr_expect_str_eq(listing("Blobs/p/.begins_with/00"), "00.json\n00ff.json\n");
	cr_expect_str_eq(listing("Blobs/p/.gt/01"), "a0.json\nff.json\n");
	expect_errno(access(at("Blobs/p/.gt/A0"), F_OK), EINVAL);
}

Test(queries, of_an_index_key_go_by_the_indexs_sort_key)
{
	orders();
	cr_expect_str_eq(listing("Orders/.index/by-month/jan/.le/2"), "1,c42,2024-01-01.json\n2,c42,2024-01-02.json\n");
	cr_expect_str_eq(listing("Orders/.index/by-month/feb/.last/1"), "30,c42,2024-01-30.json\n");
	cr_expect_str_eq(listing("Orders/.index/by-month/feb/.after/28,c42,2024-01-28.json"), "29,c42,2024-01-29.json\n30,c42,2024-01-30.json\n");
	cr_expect_str_eq(content("Orders/.index/by-month/feb/.last/1/30,c42,2024-01-30.json"), content("Orders/.index/by-month/feb/30,c42,2024-01-30.json"));
	expect_errno(access(at("Orders/.index/by-month/feb/.ge/x"), F_OK), EINVAL);
}

Test(queries, show_the_originals_bytes_and_metadata_read_only)
{
	struct stat item, result;
	orders();
	assert_sh("chmod 640 \"$M/Orders/c42/2024-01-02.json\" && touch -d @1000000000.5 \"$M/Orders/c42/2024-01-02.json\"");
	assert_ok(stat(at("Orders/c42/2024-01-02.json"), &item));
	assert_ok(stat(at("Orders/c42/.first/3/2024-01-02.json"), &result));
	cr_expect_eq(result.st_mode, (S_IFREG | 0440));
	cr_expect_eq(result.st_size, item.st_size);
	cr_expect_eq(result.st_uid, item.st_uid);
	cr_expect_eq(result.st_gid, item.st_gid);
	cr_expect(result.st_mtim.tv_sec == 1000000000 && result.st_mtim.tv_nsec == 500000000);
	cr_expect_neq(result.st_ino, item.st_ino);
	cr_expect_str_eq(content("Orders/c42/.first/3/2024-01-02.json"), content("Orders/c42/2024-01-02.json"));
	assert_sh("chmod 750 \"$M/Orders/c42\"");
	cr_expect_eq(mode_of("Orders/c42/.last/3"), 0550, "who cannot list the partition cannot list a view of it");
	cr_expect_eq(mode_of("Orders/c42/.ge"), 0550);
}

Test(queries, a_view_follows_what_is_so_now)
{
	orders();
	cr_expect(exists("Orders/c42/.first/1/2024-01-01.json"));
	expect_errno(access(at("Orders/c42/.first/1/2024-01-02.json"), F_OK), ENOENT);
	assert_sh("echo '{}' > \"$M/Orders/c42/2023.json\"");
	cr_expect_str_eq(listing("Orders/c42/.first/1"), "2023.json\n");
	expect_errno(access(at("Orders/c42/.first/1/2024-01-01.json"), F_OK), ENOENT);
	assert_sh("rm \"$M/Orders/c42/2023.json\"");
	cr_expect(exists("Orders/c42/.first/1/2024-01-01.json"));
	expect_errno(access(at("Orders/c42/.ge/2024-01-02/2024-01-01.json"), F_OK), ENOENT);
	assert_sh("rm -r \"$M/Orders/c42\"");
	cr_expect_str_eq(listing("Orders/c42/.first/1"), "<ENOENT>");
}

Test(queries, what_cannot_be_is_einval_with_its_reason)
{
	static const struct {
		const char *path, *reason;
	} wrong[] = {
	    {"Scores/p/.ge/dog", "dog"},
	    {"Scores/p/.ge/042", "42"},
	    {"Scores/p/.begins_with/1", "number"},
	    {"Scores/p/.between/2/1", "BETWEEN"},
	    {"Scores/p/.first/0", "whole number from 1"},
	    {"Scores/p/.first/-1", "whole number"},
	    {"Scores/p/.first/1.5", "whole number"},
	    {"Scores/p/.last/ten", "whole number"},
	    {"Scores/p/.after/ten.json", "number"},
	    {"Scores/p/.after/10", "starting key"},
	    {"Simple/p/.ge/1", "no sort key"},
	    {"Simple/.scan/4/4", "zero-based"},
	    {"Simple/.scan/0/0", "totalSegments"},
	    {"Simple/.scan/1000001/0", "totalSegments"},
	    {"Simple/.scan/4/x", "whole number"},
	};
	numbers();
	declare("Simple", "Id:S", NULL);
	assert_sh("mkdir \"$M/Simple/p\" && echo '{}' > \"$M/Simple/p/item.json\"");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		expect_errno(access(at(wrong[i].path), F_OK), EINVAL);
		cr_expect(refusal_of(wrong[i].path), "%s has no line", wrong[i].path);
		cr_expect_str_eq(refusal("errno"), "EINVAL");
		expect_says("reason", wrong[i].reason);
	}
	expect_sh("getfattr --absolute-names --only-values -n user.itemfs.error \"$M/Scores/p/.begins_with\" | jq -r .path", "Scores/p/.begins_with/1\n");
	expect_errno(access(at("Scores/p/.ge/1/.nothing"), F_OK), ENOENT);
	expect_errno(access(at("Scores/p/.ge/1/77.json"), F_OK), ENOENT);
	expect_errno(access(at("Scores/q/.ge"), F_OK), ENOENT);
	cr_expect_str_eq(listing("Simple/p/.first/1"), "item.json\n");
	cr_expect_str_eq(listing("Simple/p/.after/item.json"), "");
}

Test(queries, names_are_escaped_as_everywhere)
{
	assert_sh("mkdir -p \"$M/Songs/q\" && cd \"$M/Songs/q\" && for i in '%2Fa' 'b%2Fc' 'b%2Fd' 'b,e'; do echo '{}' > $i.json || exit 1; done");
	cr_expect_str_eq(listing("Songs/q/.begins_with/b%2F"), "b%2Fc.json\nb%2Fd.json\n");
	cr_expect_str_eq(listing("Songs/q/.eq/b,e"), "b,e.json\n");
	cr_expect_str_eq(listing("Songs/q/.lt/b"), "%2Fa.json\n");
	expect_errno(access(at("Songs/q/.eq/%41"), F_OK), EINVAL);
	expect_errno(access(at("Songs/q/.eq/.ge"), F_OK), EINVAL);
	expect_errno(access(at("Songs/q/.eq/\xff"), F_OK), EILSEQ);
}

Test(queries, nothing_in_them_can_be_changed)
{
	static const char *const changes[] = {
	    "rm -f .first/2/2024-01-01.json",	  "echo x > .first/2/2024-01-01.json", "echo x > .first/2/new.json",
	    "mkdir .first/2/new",		  "rmdir .first/2",		       "rmdir .first",
	    "chmod 777 .first/2",		  "touch .first/2/2024-01-01.json",    "mv .first/2/2024-01-01.json .first/2/b.json",
	    "mv 2024-01-05.json .first/2/b.json", "truncate -s 0 .first/2/2024-01-01.json", "ln -s x .first/2/y",
	    "mkdir .between/x/y/z",
	};
	orders();
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		cr_expect_neq(sh(text("cd \"$M/Orders/c42\" && %s", changes[i])), 0, "%s", changes[i]);
		cr_expect(strstr(sh_output(), "Read-only file system"), "%s: %s", changes[i], sh_output());
	}
	expect_sh("ls \"$M/Orders/c42\" | wc -l", "30\n");
}

Test(queries, operators_are_not_listed_and_list_nothing)
{
	orders();
	expect_sh("ls -A \"$M/Orders/c42/.ge\" \"$M/Orders/c42/.between/a\" \"$M/Orders/.scan\" \"$M/Orders/.scan/4\" | grep -v :", "\n\n\n");
	expect_sh("ls -A \"$M/Orders/c42\" | grep -c '^\\.'; ls -A \"$M/Orders\"", "0\n.schema.json\nc42\n");
	expect_sh("find \"$M/Orders\" -name '.[a-z]*'", text("%s/.schema.json\n", at("Orders")));
}

Test(queries, read_like_directories_of_files)
{
	orders();
	expect_sh("cd \"$M/Orders/c42\" && find .last/3 -type f", ".last/3/2024-01-30.json\n.last/3/2024-01-29.json\n.last/3/2024-01-28.json\n");
	expect_sh("cd \"$M/Orders/c42\" && ls -U .last/3", "2024-01-30.json\n2024-01-29.json\n2024-01-28.json\n");
	assert_sh("cd \"$M/Orders/c42\" && cp -r .ge/2024-01-11/.first/10 $D/copy && diff -r $D/copy .between/2024-01-11/2024-01-20");
	assert_sh("cd \"$M/Orders/c42\" && mkdir $D/tar && tar cf - .last/20 | tar xf - -C $D/tar && diff -r $D/tar/.last/20 .gt/2024-01-10");
	expect_sh("cd \"$M/Orders/c42\" && cat .last/2/*.json", "{\"n\":29,\"month\":\"feb\"}\n{\"n\":30,\"month\":\"feb\"}\n");
	expect_sh("cd \"$M/Orders/c42\" && grep -rl '\"n\":7,' .first/10", ".first/10/2024-01-07.json\n");
}

/* ---- scans ---- */

Test(queries, segments_of_a_scan_are_disjoint_and_complete_and_each_holds_its_partitions)
{
	assert_sh("for i in {1..40}; do mkdir -p \"$M/Many/p$i\" && echo '{}' > \"$M/Many/p$i/a.json\" || exit 1; done");
	expect_sh("for t in 1 2 4 7; do for ((s = 0; s < t; s++)); do ls \"$M/Many/.scan/$t/$s\"; done | sort | uniq -d; "
		  "for ((s = 0; s < t; s++)); do find \"$M/Many/.scan/$t/$s\" -type f; done | wc -l; done",
		  "40\n40\n40\n40\n");
	expect_sh("cd \"$M/Many\"; for s in 0 1 2; do ls -d .scan/3/$s/p7/a.json 2>/dev/null; done | wc -l; cat .scan/1/0/p7/a.json", "1\n{}\n");
	expect_sh("cd \"$M/Many\" && ls .scan/1/0/p7/.first/1 && ls .scan/1000000/999999 && ls .scan/1/0/nobody 2>&1 | grep -o 'No such file.*'",
		  "a.json\nNo such file or directory\n");
	expect_errno(mkdir(at("Many/.scan/1/0/new"), 0755), EROFS);
	expect_errno(unlink(at("Many/.scan/1/0/p7/a.json")), EROFS);
	cr_expect(!exists("Many/.scan/1/0/.schema.json"));
}

Test(queries, a_scan_of_an_index_lists_its_keys)
{
	orders();
	expect_sh("cd \"$M/Orders/.index/by-month\" && for s in 0 1 2; do ls .scan/3/$s; done | sort", "feb\njan\n");
	expect_sh("cd \"$M/Orders/.index/by-month\" && ls -U .scan/1/0/feb/.first/1", "21,c42,2024-01-21.json\n");
}

Test(queries, a_scan_is_complete_while_others_write)
{
	assert_sh("for i in {1..60}; do mkdir -p \"$M/Many/p$i\" && echo '{}' > \"$M/Many/p$i/a.json\" || exit 1; done");
	assert_sh("cd \"$M/Many\"; (while [ ! -e $D/stop ]; do echo '{}' > other/x.json; mkdir -p new/; rm -r new; done) 2>/dev/null & "
		  "for r in 1 2 3; do for s in 0 1 2 3; do find .scan/4/$s -name a.json > $D/s$s & fs=\"$fs $!\"; done; wait $fs; fs=; "
		  "[ $(cat $D/s? | sort -u | wc -l) = 60 ] && [ $(cat $D/s? | wc -l) = 60 ] || { touch $D/stop; wait; exit 1; }; done; touch $D/stop; wait; true");
}

/* ---- with what else there is ---- */

Test(queries, show_large_items_and_those_whose_names_are_cut)
{
	declare("Notes", "p:S s:S", "gsi by-kind kind:S s:S ALL", NULL);
	assert_sh("cd \"$M/Notes\" && mkdir q && long=$(printf 'k%.0s' {1..400}) && jq -nc --arg s $long '{s:$s,kind:\"long\"}' > $D/long.json && "
		  "cp $D/long.json \"q/$(printf 'k%.0s' {1..232})%~0000000000000000.json\" 2>/dev/null; "
		  "name=$(tail -n 1 \"$M/.itemfs/errors\" | jq -r .reason | grep -o 'k*%~[0-9a-f]*.json'); cp $D/long.json \"q/$name\" && "
		  "jq -nc '{kind:\"large\",x:([range(20000)]|map(tostring)|join(\",\"))}' > $D/large.json && cp $D/large.json q/a.json && cp $D/large.json q/z.json");
	expect_sh("cd \"$M/Notes/q\" && ls -U .last/2 | cut -c1-3 && cmp .last/2/k*.json $D/long.json && cmp .first/1/a.json $D/large.json", "z.j\nkkk\n");
	expect_sh("cd \"$M/Notes/q\" && ls -U \".after/$(ls | grep '^k')\"", "z.json\n");
	expect_sh("cd \"$M/Notes/.index/by-kind\" && ls -U large/.last/all && cmp large/.last/1/z,q.json large/z,q.json && ls long/.begins_with/kk | wc -l",
		  "z,q.json\na,q.json\n1\n");
	expect_errno(access(at(text("Notes/q/.after/k%s", "%~0123456789abcdef.json")), F_OK), EINVAL);
}

Test(queries, of_a_snapshot_show_its_moment)
{
	orders();
	assert_ok(mkdir(at(".itemfs/snapshots/then"), 0755));
	assert_sh("cd \"$M/Orders\" && rm c42/2024-01-30.json && echo '{\"n\":0,\"month\":\"feb\"}' > c42/2023.json");
	cr_expect_str_eq(listing("Orders/c42/.last/1"), "2024-01-29.json\n");
	cr_expect_str_eq(listing(".itemfs/snapshots/then/Orders/c42/.last/1"), "2024-01-30.json\n");
	cr_expect_str_eq(content(".itemfs/snapshots/then/Orders/c42/.last/1/2024-01-30.json"), "{\"n\":30,\"month\":\"feb\"}\n");
	cr_expect_str_eq(listing(".itemfs/snapshots/then/Orders/.index/by-month/feb/.first/1"), "21,c42,2024-01-21.json\n");
	cr_expect_str_eq(listing("Orders/.index/by-month/feb/.first/1"), "0,c42,2023.json\n");
	expect_sh("cd \"$M/.itemfs/snapshots/then/Orders\" && find .scan/1/0 -type f | wc -l", "30\n");
	expect_errno(access(at(".itemfs/snapshots/then/Orders/c42/.first/1/2023.json"), F_OK), ENOENT);
	assert_ok(rmdir(at(".itemfs/snapshots/then")));
}

Test(queries, results_tell_what_itemfs_says_of_the_item)
{
	orders();
	expect_sh("cd \"$M/Orders/c42\" && for f in 2024-01-01.json .first/1/2024-01-01.json; do getfattr --only-values -n user.itemfs.key $f; echo; done | uniq",
		  "{\"customer\":\"c42\",\"day\":\"2024-01-01\"}\n");
}

Test(queries, with_limits_are_right_while_others_write)
{
	orders();
	assert_sh("cd \"$M/Orders/c42\" && (for i in {100..299}; do echo '{\"n\":1}' > 2025-$i.json && rm -f 2025-$((i - 20)).json; done; touch $D/done) & "
		  "cd \"$M/Orders/c42\" && export LC_ALL=C; while :; do "
		  "ls -U .last/5 > $D/five && [ $(wc -l < $D/five) = 5 ] && sort -rc $D/five && "
		  "ls -U .last/9/.last/3 > $D/three && [ $(wc -l < $D/three) = 3 ] && sort -c $D/three || { echo wrong; wait; exit 1; }; "
		  "cat .last/5/*.json > $D/read 2> /dev/null; grep -qv '^{\"n\":' $D/read && { echo half; wait; exit 1; }; "
		  "[ -e $D/done ] && break; done; wait");
	cr_expect_str_eq(listing("Orders/c42/.last/1"), "2025-299.json\n");
}
