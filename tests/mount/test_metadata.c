/* Metadata that lasts, and a stat that is honest: modes, owners, times, sizes, numbers; who may do what; statfs; extended attributes. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define LIAR "Music/Queen/Liar.json"

static const char *const things[] = {
    "", "Music", "Music/.schema.json", "Music/README", "Music/Queen", LIAR, "Music/Queen/notes"};
enum { THINGS = 7 };

static void fill(void)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M/Music\" && echo hi > README && mkdir Queen && printf '{\"Year\":1973}' > Queen/Liar.json && "
		  "echo hi > Queen/notes");
}

static void setup(void)
{
	mount_setup();
	fill();
}

TestSuite(metadata, .init = setup, .fini = mount_teardown, .timeout = 600);

static struct stat stat_of(const char *path)
{
	struct stat st = {0};
	cr_assert_eq(lstat(at(path), &st), 0, "%s: %s", path, strerror(errno));
	return st;
}

static int64_t ns(struct timespec time)
{
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Modes, owners, times. */

Test(metadata, modes_owners_and_times_of_everything_last)
{
	for (int i = 0; i < THINGS; i++) {
		struct timespec times[2] = {{1000000 + i, 123456789}, {-2000000 - i, 987654321}};
		expect_ok(chmod(at(things[i]), 0751));
		if (geteuid() == 0)
			expect_ok(lchown(at(things[i]), (uid_t)(1000 + i), (gid_t)(2000 + i)));
		expect_ok(utimensat(AT_FDCWD, at(things[i]), times, 0));
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < THINGS; i++) {
			struct stat st = stat_of(things[i]);
			cr_expect_eq(st.st_mode & 07777, 0751, "%s: %o", things[i], st.st_mode);
			if (geteuid() == 0)
				cr_expect(st.st_uid == 1000u + (unsigned)i && st.st_gid == 2000u + (unsigned)i, "%s",
					  things[i]);
			cr_expect_eq(ns(st.st_atim), (1000000 + i) * INT64_C(1000000000) + 123456789, "%s", things[i]);
			cr_expect_eq(ns(st.st_mtim), (-2000000 - i) * INT64_C(1000000000) + 987654321, "%s: %lld",
				     things[i], (long long)ns(st.st_mtim));
		}
		mount_again();
	}
}

Test(metadata, chmod_changes_the_change_time_and_not_the_modification_time)
{
	for (int i = 1; i < THINGS; i++) {
		struct stat before = stat_of(things[i]);
		expect_ok(chmod(at(things[i]), 0700));
		struct stat after = stat_of(things[i]);
		cr_expect_eq(ns(after.st_mtim), ns(before.st_mtim), "%s", things[i]);
		cr_expect_gt(ns(after.st_ctim), ns(before.st_ctim), "%s", things[i]);
		mount_again();
		cr_expect_eq(ns(stat_of(things[i]).st_ctim), ns(after.st_ctim), "%s", things[i]);
	}
}

Test(metadata, omit_and_now_of_utimensat_do_what_they_say)
{
	for (int i = 0; i < THINGS; i++) {
		expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{5, 6}, {7, 8}}, 0));
		expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{9, 10}, {0, UTIME_OMIT}}, 0));
		cr_expect_eq(ns(stat_of(things[i]).st_atim), INT64_C(9000000010), "%s", things[i]);
		cr_expect_eq(ns(stat_of(things[i]).st_mtim), INT64_C(7000000008), "%s", things[i]);
		expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{0, UTIME_OMIT}, {0, UTIME_NOW}}, 0));
		cr_expect_eq(ns(stat_of(things[i]).st_atim), INT64_C(9000000010), "%s", things[i]);
		cr_expect_gt(stat_of(things[i]).st_mtim.tv_sec, 1700000000, "%s", things[i]);
	}
}

Test(metadata, a_time_beyond_what_can_be_kept_is_the_last_that_can)
{
	static const time_t far[] = {10000000000, INT64_C(1) << 40, INT64_C(1) << 62};
	for (int i = 0; i < THINGS; i++)
		for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
			expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{far[k], 1}, {-far[k], 1}}, 0));
			struct stat st = stat_of(things[i]);
			cr_expect_eq(ns(st.st_atim), INT64_MAX, "%s: %lld", things[i], (long long)st.st_atim.tv_sec);
			cr_expect_eq(st.st_mtim.tv_sec, INT64_MIN / 1000000000 - 1, "%s: %lld", things[i], (long long)st.st_mtim.tv_sec);
		}
}

Test(metadata, reading_never_changes_a_time)
{
	int64_t before[THINGS];
	for (int i = 0; i < THINGS; i++) {
		expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{5, 6}, {7, 8}}, 0));
		before[i] = ns(stat_of(things[i]).st_ctim);
	}
	assert_sh("ls -R \"$M\" > /dev/null; find \"$M\" -type f -exec cat {} + > /dev/null; cat "
		  "\"$M\"/Music/.index/by-year/1973/* > /dev/null");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < THINGS; i++) {
			struct stat st = stat_of(things[i]);
			cr_expect_eq(ns(st.st_atim), INT64_C(5000000006), "%s", things[i]);
			cr_expect_eq(ns(st.st_mtim), INT64_C(7000000008), "%s", things[i]);
			cr_expect_eq(ns(st.st_ctim), before[i], "%s", things[i]);
		}
		mount_again();
	}
}

Test(metadata, through_an_open_draft_they_belong_to_the_file_and_come_at_once)
{
	int fd = open(at(LIAR), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_expect_eq(write(fd, "{\"Year\":1974}", 13), 13);
	expect_ok(fchmod(fd, 0600));
	expect_ok(futimens(fd, (struct timespec[2]){{5, 6}, {7, 8}}));
	cr_expect_eq(mode_of(LIAR), 0600);
	cr_expect_eq(mtime_of(LIAR), INT64_C(7000000008));
	cr_expect_eq(size_of(LIAR), 13);
	expect_ok(close(fd)); /* the last write came before: the time stays */
	cr_expect_str_eq(content(LIAR), "{\"Year\":1974}");
	cr_expect_eq(mtime_of(LIAR), INT64_C(7000000008));
	fd = open(at(LIAR), O_WRONLY | O_CLOEXEC);
	expect_ok(futimens(fd, (struct timespec[2]){{5, 6}, {7, 8}}));
	cr_expect_eq(pwrite(fd, "5", 1, 11), 1);
	expect_ok(close(fd)); /* it came after */
	cr_expect_gt(mtime_of(LIAR), INT64_C(1700000000000000000));
	cr_expect_eq(mode_of(LIAR), 0600);
	mount_again();
	cr_expect_eq(mode_of(LIAR), 0600);
}

Test(metadata, of_a_file_not_stored_yet_come_with_its_first_commit)
{
	int fd = open(at("Music/Queen/New.json"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cr_expect_eq(write(fd, "{}", 2), 2);
	expect_ok(fchmod(fd, 0606));
	expect_ok(futimens(fd, (struct timespec[2]){{5, 6}, {7, 8}}));
	expect_ok(chmod(at("Music/Queen/New.json"), 0640));
	if (geteuid() == 0)
		expect_ok(fchown(fd, 12, 34));
	expect_ok(close(fd));
	mount_again();
	struct stat st = stat_of("Music/Queen/New.json");
	cr_expect_eq(st.st_mode & 07777, 0640);
	cr_expect_eq(ns(st.st_mtim), INT64_C(7000000008));
	cr_expect_eq(ns(st.st_atim), INT64_C(5000000006));
	if (geteuid() == 0)
		cr_expect(st.st_uid == 12 && st.st_gid == 34);
}

Test(metadata, a_write_sets_both_times_and_keeps_mode_and_owner)
{
	for (int i = 2; i < THINGS; i += i == 3 ? 2 : 1) {
		if (i == 4)
			continue;
		const char *document = i == 2 ? content(things[i]) : i == 5 ? "{\"Year\":1975}" : "text";
		expect_ok(chmod(at(things[i]), 0604));
		expect_ok(utimensat(AT_FDCWD, at(things[i]), (struct timespec[2]){{5, 6}, {7, 8}}, 0));
		struct stat before = stat_of(things[i]);
		expect_ok(put(things[i], document));
		struct stat after = stat_of(things[i]);
		cr_expect_gt(ns(after.st_mtim), ns(before.st_mtim), "%s", things[i]);
		cr_expect_gt(ns(after.st_ctim), ns(before.st_ctim), "%s", things[i]);
		cr_expect_eq(after.st_mode & 07777, 0604, "%s", things[i]);
		cr_expect_eq(after.st_ino, before.st_ino, "%s", things[i]);
	}
}

Test(metadata, the_umask_is_honoured)
{
	assert_sh("cd \"$M\" && umask 027 && mkdir Other Other/p && echo '{}' > Other/p/x.json && echo x > "
		  "Other/p/plain && echo x > Other/plain");
	expect_sh("cd \"$M\" && stat -c '%a %n' Other Other/p Other/p/x.json Other/p/plain Other/plain",
		  "750 Other\n750 Other/p\n640 Other/p/x.json\n640 Other/p/plain\n640 Other/plain\n");
}

/* An honest stat. */

Test(metadata, sizes_blocks_and_links_are_true_and_du_adds_them_up)
{
	expect_ok(put("Music/Queen/notes", text("%05000d", 7)));
	struct stat st = stat_of("Music/Queen/notes");
	cr_expect_eq(st.st_size, 5000);
	cr_expect_eq(st.st_blocks, 10);
	cr_expect_eq(st.st_nlink, 1);
	st = stat_of(LIAR);
	cr_expect(st.st_size == 13 && st.st_blocks == 1 && st.st_nlink == 1);
	cr_expect_eq(stat_of("Music").st_nlink, 1);
	cr_expect_eq(stat_of("Music/Queen").st_nlink, 1);
	expect_sh("du -s --apparent-size -B1 \"$M/Music/Queen\" | cut -f1", "5013\n");
	expect_sh("du -s -B512 \"$M/Music/Queen\" | cut -f1", "11\n");
	expect_sh("find \"$M/Music\" -size +4096c -printf '%P\\n'", "Queen/notes\n");
}

Test(metadata, inode_numbers_are_stable_different_and_those_that_readdir_tells)
{
	ino_t numbers[THINGS];
	for (int i = 1; i < THINGS; i++) {
		numbers[i] = stat_of(things[i]).st_ino;
		for (int j = 1; j < i; j++)
			cr_expect_neq(numbers[i], numbers[j], "%s, %s", things[i], things[j]);
	}
	for (int round = 0; round < 2; round++) {
		mount_again();
		if (round) { /* listed before they are looked up */
			DIR *dir = opendir(at("Music/Queen"));
			for (struct dirent *e = readdir(dir); e; e = readdir(dir))
				if (strcmp(e->d_name, "Liar.json") == 0)
					cr_expect_eq(e->d_ino, numbers[5]);
			closedir(dir);
		}
		for (int i = 1; i < THINGS; i++)
			cr_expect_eq(stat_of(things[i]).st_ino, numbers[i], "%s", things[i]);
	}
	expect_ok(unlink(at(LIAR)));
	expect_ok(put(LIAR, "{}"));
	cr_expect_eq(stat_of(LIAR).st_ino, numbers[5]); /* a hash of its key */
}

Test(metadata, a_directorys_time_changes_when_a_name_comes_or_goes_and_never_by_a_commit)
{
	static const struct {
		const char *command;
		bool partition, table;
	} steps[] = {
	    {"echo '{\"Year\":1980}' > Queen/Liar.json", false, false},
	    {"echo more >> Queen/notes; echo more >> README", false, false},
	    {"chmod 600 Queen/Liar.json Queen/notes; touch -d 2001-02-03Z Queen/Liar.json", false, false},
	    {"echo '{}' > Queen/New.json", true, false},
	    {"mv Queen/New.json Queen/Newer.json", true, false},
	    {"mv Queen/Newer.json Queen/plain", true, false},
	    {"rm Queen/plain", true, false},
	    {": > Queen/plain", true, false},
	    {"mkdir Abba", false, true},
	    {"mv Queen/plain Abba/", true, false},
	    {"echo x > table-file", false, true},
	    {"mv table-file Queen/", true, true},
	    {"rm -r Abba", false, true},
	    {"rm .schema.json", false, true},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		expect_ok(utimensat(AT_FDCWD, at("Music/Queen"), (struct timespec[2]){{5, 6}, {7, 8}}, 0));
		expect_ok(utimensat(AT_FDCWD, at("Music"), (struct timespec[2]){{5, 6}, {7, 8}}, 0));
		assert_sh(text("cd \"$M/Music\" && %s", steps[i].command));
		cr_expect_eq(mtime_of("Music/Queen") > INT64_C(7000000008), steps[i].partition, "partition after: %s",
			     steps[i].command);
		cr_expect_eq(mtime_of("Music") > INT64_C(7000000008), steps[i].table, "table after: %s",
			     steps[i].command);
	}
}

Test(metadata, statfs_tells_the_hosts_space_and_the_number_of_items)
{
	struct statvfs ours, hosts;
	assert_ok(statvfs(at(""), &ours));
	assert_ok(statvfs(volume(), &hosts));
	cr_expect_eq(ours.f_namemax, 255);
	double free_here = (double)ours.f_bavail * (double)ours.f_frsize,
	       free_there = (double)hosts.f_bavail * (double)hosts.f_frsize;
	cr_expect_lt(fabs(free_here - free_there), 1e9);
	cr_expect_eq(ours.f_files - ours.f_ffree, 1, "%llu items", (unsigned long long)(ours.f_files - ours.f_ffree));
	assert_sh("cd \"$M\" && mkdir -p Other/p && for i in 1 2 3 4 5; do echo '{}' > Other/p/$i.json; done && echo "
		  "'{}' > Music/Queen/a.json && rm Other/p/1.json");
	assert_ok(statvfs(at("Other/p"), &ours));
	cr_expect_eq(ours.f_files - ours.f_ffree, 6);
	expect_sh("df --output=iused \"$M\" | tail -1 | tr -d ' '", "6\n");
	mount_again();
	assert_ok(statvfs(at(""), &ours));
	cr_expect_eq(ours.f_files - ours.f_ffree, 6);
	assert_sh("rm -r \"$M/Other\"");
	assert_ok(statvfs(at(""), &ours));
	cr_expect_eq(ours.f_files - ours.f_ffree, 2);
}

/* Extended attributes. */

static const char *attribute(const char *path, const char *name)
{
	char value[4096];
	ssize_t n = getxattr(at(path), name, value, sizeof value - 1);
	if (n < 0)
		return text("<%s>", strerrorname_np(errno));
	value[n] = 0;
	return text("%s", value);
}

Test(metadata, the_version_is_the_sequence_of_the_items_last_write)
{
	long first = atol(attribute(LIAR, "user.itemfs.version"));
	cr_expect_gt(first, 0, "%s", attribute(LIAR, "user.itemfs.version"));
	content(LIAR);
	cr_expect_eq(atol(attribute(LIAR, "user.itemfs.version")), first);
	expect_ok(put("Music/Queen/Other.json", "{}"));
	cr_expect_gt(atol(attribute("Music/Queen/Other.json", "user.itemfs.version")), first);
	cr_expect_eq(atol(attribute(LIAR, "user.itemfs.version")), first);
	expect_ok(put(LIAR, "{\"Year\":1975}"));
	long second = atol(attribute(LIAR, "user.itemfs.version"));
	cr_expect_gt(second, first);
	mount_again();
	cr_expect_eq(atol(attribute(LIAR, "user.itemfs.version")), second);
}

static void expect_json(const char *got, const char *want)
{
	json_t *a = json_loads(got, JSON_DECODE_ANY, NULL), *b = json_loads(want, JSON_DECODE_ANY, NULL);
	cr_expect(a && json_equal(a, b), "%s, not %s", got, want);
	json_decref(a);
	json_decref(b);
}

Test(metadata, the_key_is_json_and_the_size_is_dynamodbs_measure)
{
	expect_json(attribute(LIAR, "user.itemfs.key"), "{\"Artist\":\"Queen\",\"Title\":\"Liar\"}");
	expect_ok(put("Music/Queen/a%2F\"b.json", "{}"));
	expect_json(attribute("Music/Queen/a%2F\"b.json", "user.itemfs.key"),
		    "{\"Artist\":\"Queen\",\"Title\":\"a/\\\"b\"}");
	/* 6 + 5 + 5 + 4 of the key, 4 of "Year", and a number's bytes: 1973 is two pairs of digits and one more. */
	cr_expect_str_eq(attribute(LIAR, "user.itemfs.size"), "27");
	expect_ok(put(LIAR, "{\"Year\" :   1973, \"Artist\":\"Queen\", \"s\": \"12345\", \"b\":true}"));
	cr_expect_str_eq(attribute(LIAR, "user.itemfs.size"), "35");
	declare("Numbers", "p:N s:B", NULL);
	assert_ok(mkdir(at("Numbers/-3.5"), 0755));
	expect_ok(put("Numbers/-3.5/00ff.json", ""));
	assert_sh("sync \"$M/Numbers/-3.5/00ff.json\"");
	expect_json(attribute("Numbers/-3.5/00ff.json", "user.itemfs.key"), "{\"p\":-3.5,\"s\":{\"$B\":\"AP8=\"}}");
}

Test(metadata, the_error_is_the_last_reason_for_the_file)
{
	cr_expect_str_eq(attribute(LIAR, "user.itemfs.error"), "<ENODATA>");
	expect_errno(put(LIAR, "{oops"), EBADMSG);
	cr_assert(refusal_of(LIAR));
	cr_expect(strstr(attribute(LIAR, "user.itemfs.error"), "EBADMSG"), "%s", attribute(LIAR, "user.itemfs.error"));
	expect_sh("getfattr --only-values -n user.itemfs.error \"$M/" LIAR "\" 2>/dev/null | jq -r .errno",
		  "EBADMSG\n");
}

Test(metadata, attributes_are_read_in_the_way_of_getxattr_and_never_listed)
{
	char list[256], small[1];
	ssize_t n = getxattr(at(LIAR), "user.itemfs.key", NULL, 0);
	cr_expect_eq(n, (ssize_t)strlen(attribute(LIAR, "user.itemfs.key")));
	expect_errno(getxattr(at(LIAR), "user.itemfs.key", small, 1), ERANGE);
	for (int i = 0; i < THINGS; i++)
		cr_expect_eq(listxattr(at(things[i]), list, sizeof list), 0, "%s", things[i]);
	for (int i = 0; i < THINGS; i++)
		if (i != 5)
			cr_expect_str_eq(attribute(things[i], "user.itemfs.key"), "<ENODATA>", "%s", things[i]);
	cr_expect_str_eq(attribute(LIAR, "user.itemfs.none"), "<ENODATA>");
	cr_expect_str_eq(attribute(LIAR, "user.mine"), "<ENODATA>");
	expect_sh("getfattr -d -m - \"$M/" LIAR "\"", "");
}

Test(metadata, attributes_are_refused_with_enotsup_and_tools_copy_none)
{
	static const char *const names[] = {"user.itemfs.version", "user.itemfs.other", "user.mine", "trusted.mine",
					    "security.mine"};
	for (int i = 0; i < THINGS; i++)
		for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
			cr_expect_eq(errno_of(setxattr(at(things[i]), names[j], "x", 1, 0)), ENOTSUP, "%s of %s: %s",
				     names[j], things[i], strerror(errno));
			int removed = errno_of(removexattr(at(things[i]), names[j]));
			cr_expect(removed == ENOTSUP || removed == ENODATA, "%s of %s: %s", names[j], things[i],
				  strerror(removed));
		}
	assert_sh("cp -a \"$M/" LIAR "\" \"$D/copy\" && cp -a \"$D/copy\" \"$M/Music/Queen/Back.json\"");
	expect_sh("getfattr -d -m - \"$D/copy\"", "");
	assert_sh("cd \"$D\" && tar --xattrs -C \"$M\" -cf a.tar Music && mkdir out && tar --xattrs -C out -xf a.tar "
		  "&& rsync -aX \"$M/Music/\" out2/ && "
		  "rsync -aX out2/ \"$M/Music/\"");
	expect_sh("cd \"$D\" && diff -r out/Music out2 | grep -v 'Only in' || :", "");
}

/* Two users. Only root can be two; nobody is the other. */

#define AS_NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups "

static void two_users(void)
{
	mount_down();
	bool possible =
	    geteuid() == 0 && sh("command -v setpriv && chmod 755 \"$D\" && " AS_NOBODY "test -x \"$D\"") == 0;
	mount_up(possible ? "allow_other" : NULL);
	if (!possible)
		cr_skip_test("there is no second user here: it takes root, setpriv and a directory that others reach");
}

Test(metadata, without_allow_other_others_see_nothing)
{
	two_users();
	mount_again();
	cr_expect_neq(sh(AS_NOBODY "ls \"$M\""), 0);
	cr_expect(strstr(sh_output(), "Permission denied"), "%s", sh_output());
}

Test(metadata, a_partitions_mode_is_access_by_partition_key)
{
	two_users();
	assert_sh("cd \"$M/Music\" && mkdir -m 700 Mine && mkdir -m 755 Read && mkdir -m 777 Open && for p in Mine "
		  "Read Open; do echo '{\"Year\":1}' > $p/x.json; done");
	cr_expect_neq(sh(AS_NOBODY "cat \"$M/Music/Mine/x.json\""), 0);
	cr_expect(strstr(sh_output(), "Permission denied"), "%s", sh_output());
	cr_expect_neq(sh(AS_NOBODY "ls \"$M/Music/Mine\""), 0);
	expect_sh(AS_NOBODY "cat \"$M/Music/Read/x.json\"", "{\"Year\":1}\n");
	cr_expect_neq(sh(AS_NOBODY "bash -c 'echo \"{}\" > \"$M/Music/Read/new.json\"'"), 0);
	cr_expect_neq(sh(AS_NOBODY "rm -f \"$M/Music/Read/x.json\""), 0);
	cr_expect_neq(sh(AS_NOBODY "bash -c 'echo \"{}\" > \"$M/Music/Open/x.json\"'"),
		      0); /* an item's own mode counts, too */
	assert_sh(AS_NOBODY "bash -c 'echo \"{}\" > \"$M/Music/Open/new.json\" && mv \"$M/Music/Open/new.json\" "
			    "\"$M/Music/Open/newer.json\"'");
	expect_sh("stat -c %u:%g \"$M/Music/Open/newer.json\"", "65534:65534\n");
	cr_expect_neq(sh(AS_NOBODY "mkdir \"$M/Music/Theirs\""), 0);
	cr_expect_neq(sh(AS_NOBODY "mkdir \"$M/Theirs\""), 0);
	cr_expect_neq(sh(AS_NOBODY "bash -c 'echo \"{}\" > \"$M/Music/.schema.json\"'"), 0);
	cr_expect_neq(sh(AS_NOBODY "chmod 777 \"$M/Music/Mine\""), 0);
	cr_expect_str_eq(listing("Music/Read"), "x.json\n");
}

Test(metadata, the_owner_alone_changes_modes_and_root_alone_owners)
{
	two_users();
	assert_sh("cd \"$M/Music\" && mkdir -m 777 Open && " AS_NOBODY
		  "bash -c 'echo \"{}\" > Open/theirs.json' && echo '{}' > Open/ours.json");
	assert_sh(AS_NOBODY "chmod 600 \"$M/Music/Open/theirs.json\"");
	assert_sh(AS_NOBODY "touch -d 2001-02-03Z \"$M/Music/Open/theirs.json\"");
	cr_expect_neq(sh(AS_NOBODY "chmod 666 \"$M/Music/Open/ours.json\""), 0);
	cr_expect_neq(sh(AS_NOBODY "touch -d 2001-02-03Z \"$M/Music/Open/ours.json\""), 0);
	cr_expect_neq(sh(AS_NOBODY "chown 0 \"$M/Music/Open/theirs.json\""), 0);
	assert_sh("chown 0:0 \"$M/Music/Open/theirs.json\"");
	cr_expect_neq(sh(AS_NOBODY "cat \"$M/Music/Open/theirs.json\""), 0);
}

Test(metadata, the_sticky_bit_keeps_others_items)
{
	two_users();
	assert_sh("cd \"$M/Music\" && mkdir -m 1777 Open && echo '{}' > Open/ours.json && " AS_NOBODY
		  "bash -c 'echo \"{}\" > Open/theirs.json'");
	cr_expect_neq(sh(AS_NOBODY "rm -f \"$M/Music/Open/ours.json\""), 0);
	cr_expect_neq(sh(AS_NOBODY "mv \"$M/Music/Open/theirs.json\" \"$M/Music/Open/ours.json\""), 0);
	assert_sh(AS_NOBODY "rm \"$M/Music/Open/theirs.json\"");
	cr_expect_str_eq(listing("Music/Open"), "ours.json\n");
}

Test(metadata, a_setgid_directory_gives_its_group)
{
	two_users();
	assert_sh("cd \"$M/Music\" && mkdir Team && chgrp 777 Team && chmod 2777 Team && " AS_NOBODY
		  "bash -c 'echo \"{}\" > Team/x.json && echo x > Team/plain'");
	expect_sh("stat -c %g \"$M/Music/Team/x.json\" \"$M/Music/Team/plain\"", "777\n777\n");
	assert_sh("chgrp 777 \"$M/Music\" && chmod 2777 \"$M/Music\" && " AS_NOBODY "mkdir -m 755 \"$M/Music/Theirs\"");
	expect_sh("stat -c '%g %a' \"$M/Music/Theirs\"", "777 2755\n");
}

Test(metadata, everybody_sees_the_true_size_of_their_own_errors)
{
	two_users();
	assert_sh("cd \"$M/Music\" && mkdir -m 777 Open && ! echo '{\"Year\":\"ours\"}' 2>&1 | cp /dev/stdin Open/a.json; "
		  "! " AS_NOBODY "bash -c 'echo \"{\" | cp /dev/stdin \"$M/Music/Open/b.json\"'");
	cr_assert(refusal_of("Music/Open/b.json"));
	expect_sh(AS_NOBODY "bash -c 'cd \"$M/.itemfs\"; cat errors | wc -l; stat -c %s errors | cmp - <(cat errors | wc -c)'", "1\n");
	expect_sh("cd \"$M/.itemfs\"; cat errors | wc -l; stat -c %s errors | cmp - <(cat errors | wc -c)", "2\n");
}

Test(metadata, without_attributes_files_are_what_they_are_with_them)
{
	mount_down();
	mount_up("nouser_xattr");
	cr_expect_str_eq(attribute(LIAR, "user.itemfs.key"), "<EOPNOTSUPP>");
	expect_errno(setxattr(at(LIAR), "user.mine", "x", 1, 0), ENOTSUP);
	char list[16];
	cr_expect_leq(listxattr(at(LIAR), list, sizeof list), 0);
	assert_sh("cp -a \"$M/" LIAR "\" \"$D/copy\" && cmp \"$D/copy\" \"$M/" LIAR "\" && cp -a \"$D/copy\" \"$M/Music/Queen/Back.json\"");
	expect_errno(put(LIAR, "{\"Artist\":1}"), EBADMSG);
	cr_assert(refusal_of(LIAR));
}
