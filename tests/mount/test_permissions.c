/* A second user, let in by allow_other, sees and does what modes allow and no more, by whichever door. It takes root to be two users.
 *
 * The mount is root's. `alice` has the table Alices, open to be listed, and in it what is for her alone: a partition that is closed, and an item that is. `mallory` tries.
 */
#include "tests/mount/harness.h"
#include <sys/xattr.h>

enum { ALICE = 20001, MALLORY = 20002 };

#define SECRET "hunter2"

/* Root in a container may be no other, too. */
static bool may_be_two(void)
{
	return geteuid() == 0 && sh("setpriv --reuid=20001 --regid=20001 --clear-groups true && setpriv --reuid=20002 --regid=20002 --clear-groups true") == 0;
}

static void setup(void)
{
	scratch_setup();
	if (!may_be_two())
		return;
	assert_ok(chmod(scratch("."), 0711));
	mount_up("allow_other");
	declare("Alices", "p:S s:S", "gsi by-kind kind:S KEYS_ONLY", NULL);
	assert_sh("cd \"$M/Alices\" && mkdir open closed && echo '{\"kind\":\"public\",\"word\":\"hello\"}' > open/seen.json && "
		  "echo '{\"word\":\"" SECRET "\"}' > open/mine.json && echo '{\"word\":\"" SECRET "\"}' > closed/hidden.json && echo notes > notes.txt && "
		  "chown -R 20001:20001 . && chmod 600 open/mine.json notes.txt && chmod 700 closed && mkdir \"$M/Malls\" && chown 20002 \"$M/Malls\"");
}

TestSuite(permissions, .init = setup, .fini = mount_teardown, .timeout = 600);

static void needs_two_users(void)
{
	if (!may_be_two())
		cr_skip_test("only root can be two users");
}

/* Runs bash -c as that user, with $M the mountpoint, $A its table Alices and $C its .itemfs; expect_sh() and assert_sh() of it. */
static const char *as(unsigned user, const char *command)
{
	return text("export A=\"$M/Alices\" C=\"$M/.itemfs\"; setpriv --reuid=%u --regid=%u --clear-groups bash -c '%s' 2>&1", user, user, command);
}

/* What a command of coreutils says that is not allowed to do it. */
static void expect_denied(const char *command)
{
	int status = sh(as(MALLORY, command));
	cr_expect_neq(status, 0, "%s succeeds: %s", command, sh_output());
	cr_expect(strstr(sh_output(), "Permission denied") || strstr(sh_output(), "Operation not permitted") || strstr(sh_output(), "Read-only file system"), "%s: %s",
		  command, sh_output());
	cr_expect(!strstr(sh_output(), SECRET), "%s shows what is hidden: %s", command, sh_output());
}

Test(permissions, of_items_and_partitions_are_as_modes_say)
{
	needs_two_users();
	expect_sh(as(MALLORY, "cat $A/open/seen.json"), "{\"kind\":\"public\",\"word\":\"hello\"}\n");
	expect_sh(as(MALLORY, "ls $A/open"), "mine.json\nseen.json\n");
	expect_sh(as(ALICE, "cat $A/open/mine.json $A/closed/hidden.json"), "{\"word\":\"" SECRET "\"}\n{\"word\":\"" SECRET "\"}\n");
	static const char *const denied[] = {
	    "cat $A/open/mine.json", "cat $A/notes.txt", "ls $A/closed", "cat $A/closed/hidden.json", "stat $A/closed/hidden.json",
	    "echo {} > $A/open/seen.json", "echo {} > $A/open/new.json", "rm -f $A/open/seen.json", "mv $A/open/seen.json $A/open/gone.json", "mv $A/open $A/away",
	    "mv $A $M/Away", "rmdir $A/closed", "mkdir $A/new", "mkdir $M/New", "chmod 777 $A/closed", "chown 20002 $A/open/mine.json", "touch -d 2001-01-01 $A/open/seen.json",
	    "truncate -s 0 $A/open/seen.json", "echo {} > $A/.schema.json", "rm -f $A/.schema.json", "chmod 777 $M", "ln -s /etc/passwd $A/open/link", "ln $A/open/seen.json $A/open/link.json",
	    "getfattr --absolute-names -n user.itemfs.key $A/open/mine.json", "getfattr --absolute-names -n user.itemfs.size $A/closed/hidden.json",
	};
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		expect_denied(denied[i]);
	expect_sh(as(ALICE, "cd $A && find . -not -name . | sort && stat -c %a open/mine.json closed"),
		  "./.schema.json\n./closed\n./closed/hidden.json\n./notes.txt\n./open\n./open/mine.json\n./open/seen.json\n600\n700\n");
}

Test(permissions, of_a_query_are_those_of_its_partition_and_of_its_items)
{
	needs_two_users();
	expect_sh(as(MALLORY, "ls $A/open/.ge/a; cat $A/open/.first/2/seen.json; ls $A/.scan/1/0"),
		  "mine.json\nseen.json\n{\"kind\":\"public\",\"word\":\"hello\"}\nclosed\nopen\n");
	expect_denied("cat $A/open/.ge/a/mine.json");
	expect_denied("getfattr --absolute-names -n user.itemfs.key $A/open/.ge/a/mine.json");
	expect_denied("ls $A/closed/.ge/a");
	expect_denied("cat $A/closed/.first/1/hidden.json");
	expect_denied("ls $A/.scan/1/0/closed");
	expect_denied("cat $A/.scan/1/0/open/mine.json");
	expect_denied("cat $A/.scan/1/0/closed/hidden.json");
	expect_denied("echo {} > $A/open/.ge/a/seen.json");
}

Test(permissions, of_what_reads_items_whatever_their_modes_are_the_tables_owners)
{
	needs_two_users();
	static const char *const doors[] = {
	    "ls $A/.export", "cat $A/.export/items.jsonl", "cat $A/open/.export/items.json", "cat $A/open/.ge/a/.export/items.csv", "cat $A/.scan/1/0/.export/items.jsonl",
	    "cat $A/.scan/1/0/open/.export/items.jsonl", "cat $A/closed/.export/items.jsonl", "ls $A/open/.where/word/eq/" SECRET, "ls $A/open/.ge/a/.where/word/exists",
	    "ls $A/.where/word/begins_with/h", "ls $A/.scan/1/0/.where/word/exists", "stat $A/open/.where/word/eq/" SECRET "/mine.json",
	    "echo \"{}\" > $A/.import/x.jsonl", "ls $A/.import", "getfattr --absolute-names -n user.itemfs.error $A/open/.where/word/eq",
	};
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		int status = sh(as(MALLORY, doors[i]));
		cr_expect_neq(status, 0, "%s succeeds: %s", doors[i], sh_output());
		cr_expect(strstr(sh_output(), "Permission denied"), "%s: %s", doors[i], sh_output());
	}
	expect_sh(as(ALICE, "wc -l < $A/.export/items.jsonl; ls $A/open/.where/word/eq/" SECRET "; ls $A/.where/word/exists"), "3\nmine.json\nclosed\nopen\n");
	/* An index is open to whom its table is (README.md), by all its doors. */
	expect_sh(as(MALLORY, "ls $A/.index/by-kind/public; ls $A/.index/by-kind/.where/kind/exists; wc -l < $A/.index/by-kind/.export/items.jsonl"),
		  "open,seen.json\npublic\n1\n");
	expect_denied("echo {} > $A/.index/by-kind/public/open,seen.json");
	assert_sh(as(ALICE, "chmod 700 $A"));
	expect_denied("ls $A/.index/by-kind/public");
	expect_denied("cat $A/.index/by-kind/public/open,seen.json");
	expect_denied("cat $A/.describe.json");
	expect_denied("cat $A/.schema.json");
}

Test(permissions, of_refusals_are_each_users_own)
{
	needs_two_users();
	cr_assert_neq(sh(as(ALICE, "cat > $A/closed/bad.json <<< \"{ " SECRET "\"")), -1);
	cr_assert(refusal_of("Alices/closed/bad.json"));
	const char *id = refusal("rejected");
	expect_sh(as(ALICE, text("cat $C/rejected/%s; wc -l < $C/errors", id)), "{ " SECRET "\n1\n");
	expect_sh(as(MALLORY, "cat $C/errors; stat -c %s $C/errors"), "0\n");
	expect_denied(text("cat $C/rejected/%s", id));
	expect_denied(text("rm -f $C/rejected/%s", id));
	expect_denied(text("mv $C/rejected/%s $M/Malls/", id));
	expect_denied("echo > $C/errors");
	expect_denied("rm -f $C/errors");
	expect_denied("getfattr --absolute-names -n user.itemfs.error $A/closed/bad.json");
	/* The words of a refusal are kept from others where the path is not closed to them. */
	cr_assert_neq(sh(as(ALICE, "echo \"{ no\" > $A/open/bad.json")), -1);
	sh(as(MALLORY, "getfattr --absolute-names -n user.itemfs.error $A/open"));
	cr_expect(!strstr(sh_output(), "bad.json"), "%s", sh_output());
	expect_sh(as(MALLORY, "echo \"{ mine\" > $M/Malls/x/bad.json; mkdir $M/Malls/x; echo \"{ mine\" > $M/Malls/x/bad.json; jq -r .path $C/errors"),
		  text("bash: line 1: %s/Malls/x/bad.json: No such file or directory\nbash: line 1: echo: write error: Bad message\nMalls/x/bad.json\n", at("")));
	expect_sh(as(ALICE, text("rm $C/rejected/%s && echo gone", id)), "gone\n");
}

Test(permissions, of_snapshots_are_those_of_the_moment_and_taking_one_is_for_who_mounted)
{
	needs_two_users();
	expect_denied("mkdir $C/snapshots/mine");
	assert_ok(mkdir(at(".itemfs/snapshots/all"), 0755));
	expect_denied("rmdir $C/snapshots/all");
	expect_sh(as(MALLORY, "cat $C/snapshots/all/Alices/open/seen.json"), "{\"kind\":\"public\",\"word\":\"hello\"}\n");
	expect_denied("cat $C/snapshots/all/Alices/open/mine.json");
	expect_denied("ls $C/snapshots/all/Alices/closed");
	expect_denied("cat $C/snapshots/all/Alices/.export/items.jsonl");
	expect_denied("ls $C/snapshots/all/Alices/open/.where/word/exists");
	expect_denied("cat $C/snapshots/all/Alices/open/.ge/a/mine.json");
	expect_sh(as(ALICE, "cat $C/snapshots/all/Alices/closed/hidden.json"), "{\"word\":\"" SECRET "\"}\n");
	assert_ok(rmdir(at(".itemfs/snapshots/all")));
	expect_sh(as(MALLORY, "jq -e \"type\" $C/stats.json"), "\"object\"\n");
}

Test(permissions, umask_and_modes_of_new_files_are_their_makers)
{
	needs_two_users();
	assert_sh(as(MALLORY, "umask 077; mkdir $M/Malls/p; echo {} > $M/Malls/p/a.json; echo x > $M/Malls/p/plain; umask 002; echo {} > $M/Malls/p/b.json"));
	expect_sh("cd \"$M/Malls\" && stat -c '%a %u %g %n' p p/*", "700 20002 20002 p\n600 20002 20002 p/a.json\n664 20002 20002 p/b.json\n600 20002 20002 p/plain\n");
	mount_down();
	mount_up("allow_other");
	expect_sh("cd \"$M/Malls\" && stat -c '%a %u %g %n' p p/a.json", "700 20002 20002 p\n600 20002 20002 p/a.json\n");
}

Test(permissions, without_allow_other_nobody_else_is_let_in)
{
	needs_two_users();
	mount_again();
	expect_denied("ls $M");
	expect_denied("cat $A/open/seen.json");
}

/* ---- these need no second user ---- */

TestSuite(confines, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

Test(confines, the_volumes_files_are_private_whatever_the_umask)
{
	mount_down();
	mode_t before = umask(0);
	mount_new_volume();
	umask(before);
	assert_sh("mkdir -p \"$M/Tab/p\" && echo '{}' > \"$M/Tab/p/a.json\" && chmod 777 \"$M/Tab/p/a.json\"");
	mount_again();
	cr_expect_eq(mode_of(volume()), 0700);
	expect_sh(text("find '%s' -perm /077", volume()), "");
	expect_sh(text("find '%s' -type f | grep -c .  > /dev/null && echo some", volume()), "some\n");
}

Test(confines, no_key_reaches_out_of_its_directory)
{
	declare("Keys", "p:S s:S", NULL);
	assert_sh("cd \"$M/Keys\" && printf '%s\\n' '{\"p\":\"..\",\"s\":\"..\"}' '{\"p\":\"../../../escape\",\"s\":\"/etc/passwd\"}' '{\"p\":\"/\",\"s\":\".\"}' "
		  "'{\"p\":\".schema.json\",\"s\":\".export\"}' '{\"p\":\"a\\u0000b\",\"s\":\"..\\/x\"}' > \"$D/odd.jsonl\" && cp \"$D/odd.jsonl\" .import/");
	cr_expect_str_eq(listing_sorted("Keys"), "%2E.\n%2E.%2F..%2F..%2Fescape\n%2Eschema.json\n%2F\n.schema.json\na%00b\n");
}

Test(confines, links_and_foreign_attributes_are_not_to_be_had)
{
	assert_sh("mkdir -p \"$M/Tab/p\" && echo '{}' > \"$M/Tab/p/a.json\"");
	expect_errno(symlink("/etc/passwd", at("Tab/p/link")), EPERM);
	expect_errno(link(at("Tab/p/a.json"), at("Tab/p/b.json")), EPERM);
	expect_errno(mknod(at("Tab/p/device"), S_IFCHR | 0666, 0x103), EPERM);
	expect_errno(mkfifo(at("Tab/p/pipe"), 0666), EPERM);
	static const char *const names[] = {"user.other", "user.itemfs.key", "security.selinux", "trusted.x"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_errno(setxattr(at("Tab/p/a.json"), names[i], "x", 1, 0), EOPNOTSUPP);
	char value[64];
	expect_errno(getxattr(at("Tab/p/a.json"), "user.itemfs.../../errors", value, sizeof value), ENODATA);
}

/* The daemon keeps nothing of whoever started it: no directory, no descriptor but its own (on one processor those of its threads' states are among them: workers.h, 4). */
Test(confines, the_daemon_keeps_no_descriptor_or_directory_of_who_started_it)
{
	char path[4096], target[4096];
	snprintf(path, sizeof path, "/proc/%d/cwd", mount_pid());
	ssize_t n = readlink(path, target, sizeof target - 1);
	cr_assert_gt(n, 0);
	target[n] = 0;
	cr_expect_str_eq(target, "/");
	expect_sh(text("awk '/^Umask/ { print $2 }' /proc/%d/status", mount_pid()), "0077\n");
	expect_sh(text("find /proc/%d/fd -type l -printf '%%l\\n' | grep -v -e '^/dev/' -e \"^$D\" -e '^anon_inode:' -e '^pipe:' -e '^socket:' -e '^/proc/%d/task/[0-9]*/stat$' || true",
		       mount_pid(), mount_pid()),
		  "");
}
