/* The command: itemfs [options] VOLUME MOUNTPOINT. */
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

TestSuite(command, .init = scratch_setup, .fini = mount_teardown, .timeout = 600);

/* The program's path for shell lines. */
#define RUN "'" ITEMFS "' "

static int unmount(void)
{
	return sh("fusermount3 -u \"$M\"");
}

static bool volume_is_free(const char *path)
{
	return sh(text("'%s' '%s'", FSCK_ITEMFS, path)) == 0;
}

Test(command, makes_the_volume_when_absent_and_private)
{
	assert_sh(RUN "\"$D/fresh\" \"$M\"");
	cr_expect_eq(mode_of(scratch("fresh")), 0700);
	cr_expect_eq(unmount(), 0);
	cr_expect(await(volume_is_free, scratch("fresh")), "%s", sh_output());
}

Test(command, returns_only_when_the_mount_answers)
{
	for (int i = 0; i < 5; i++) {
		assert_sh(RUN "\"$V\" \"$M\" && mkdir \"$M/Table$RANDOM\" && mountpoint -q \"$M\"");
		assert_sh("fusermount3 -u \"$M\"");
		cr_assert(await(volume_is_free, volume()));
	}
	mount_up(NULL);
	cr_expect_gt(strlen(listing("")), 5 * strlen("Table\n"));
}

Test(command, in_the_background_keeps_neither_the_callers_directory_nor_its_output)
{
	/* cat ends only when nobody holds the pipe any more. */
	assert_sh("cd \"$D\" && mkdir here && cd here && " RUN "../volume1 ../mnt 2>&1 | cat");
	assert_sh("rmdir \"$D/here\" && mkdir \"$M/Songs\"");
	assert_sh("fusermount3 -u \"$M\"");
	cr_expect(await(volume_is_free, volume()));
}

Test(command, says_why_a_mountpoint_will_not_do)
{
	cr_expect_neq(sh(RUN "\"$V\" \"$D/nowhere\""), 0);
	cr_expect(strstr(sh_output(), "nowhere"), "%s", sh_output());
	assert_sh("touch \"$D/file\"");
	cr_expect_neq(sh(RUN "\"$V\" \"$D/file\""), 0);
	cr_expect(strstr(sh_output(), "file"), "%s", sh_output());
}

Test(command, says_why_an_option_will_not_do)
{
	cr_expect_neq(sh(RUN "--no-such-option \"$V\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "no-such-option"), "%s", sh_output());
	cr_expect_neq(sh(RUN "-o no_such_option \"$V\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "no_such_option"), "%s", sh_output());
	cr_expect_neq(sh(RUN "-o max_threads \"$V\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "needs a number"), "%s", sh_output());
	cr_expect_neq(sh(RUN), 0);
	cr_expect_neq(sh(RUN "\"$V\""), 0);
	cr_expect_neq(sh(RUN "\"$V\" \"$M\" \"$D\""), 0);
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0, "something is mounted after all");
}

Test(command, refuses_a_directory_of_other_things_as_a_volume_and_leaves_it_alone)
{
	assert_sh("mkdir \"$D/photos\" && echo hello > \"$D/photos/one.jpg\"");
	cr_expect_neq(sh(RUN "\"$D/photos\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "photos"), "%s", sh_output());
	expect_sh("ls -A \"$D/photos\"", "one.jpg\n");
}

Test(command, takes_an_empty_directory_as_a_new_volume)
{
	assert_sh("mkdir \"$V\"");
	mount_up(NULL);
	expect_ok(mkdir(at("Music"), 0755));
}

Test(command, refuses_a_volume_that_is_a_file)
{
	assert_sh("echo hello > \"$D/volume-file\"");
	cr_expect_neq(sh(RUN "\"$D/volume-file\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "volume-file"), "%s", sh_output());
	expect_sh("cat \"$D/volume-file\"", "hello\n");
}

Test(command, says_why_a_volume_cannot_be_made_or_opened)
{
	cr_expect_eq(sh(RUN "/proc/volume \"$M\""), 1);
	cr_expect(strstr(sh_output(), "/proc/volume cannot be made: No such file"), "%s", sh_output());
	cr_expect_eq(sh(RUN "\"$D/no/volume\" \"$M\""), 1);
	cr_expect(strstr(sh_output(), "no/volume cannot be created"), "%s", sh_output());
	cr_expect_eq(sh(RUN "-o ro \"$D/none\" \"$M\""), 1);
	cr_expect(strstr(sh_output(), "none: No such file"), "%s", sh_output());
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
}

Test(command, says_that_a_volume_on_a_read_only_disk_cannot_be_mounted)
{
	/* In a mount namespace of its own, so that the disk goes with it. */
	const char *apart = "mkdir -p \"$D/disk\" && unshare -m sh -c 'mount -t tmpfs -o size=32m none \"$D/disk\" || exit 77; ";
	if (sh(text("%s true'", apart)) != 0)
		cr_skip_test("nothing can be mounted here");
	cr_expect_eq(sh(text("%s mkdir -m 700 \"$D/disk/v\" && mount -o remount,ro \"$D/disk\" && " ITEMFS " -o ro \"$D/disk/v\" \"$M\"'", apart)), 1);
	cr_expect(strstr(sh_output(), "v holds no itemfs volume"), "%s", sh_output());
	cr_expect_eq(sh(text("%s mkdir -m 700 \"$D/disk/v\" \"$D/disk/v/db\" && mount -o remount,ro \"$D/disk\" && " ITEMFS " -o ro \"$D/disk/v\" \"$M\"'", apart)), 1);
	cr_expect(strstr(sh_output(), "a mount writes to its volume, with -o ro too"), "%s", sh_output());
	cr_expect_eq(sh(text("%s mount -o remount,ro \"$D/disk\" && " ITEMFS " \"$D/disk/v\" \"$M\"'", apart)), 1);
	cr_expect(strstr(sh_output(), "v cannot be made: Read-only"), "%s", sh_output());
	cr_expect_eq(sh(text("%s dd if=/dev/zero of=\"$D/disk/full\" 2>/dev/null; " ITEMFS " \"$D/disk/v\" \"$M\"'", apart)), 1);
	cr_expect(strstr(sh_output(), "No space left"), "%s", sh_output());
}

Test(command, refuses_a_second_mount_of_a_volume_with_the_reason)
{
	mount_up(NULL);
	assert_sh("mkdir \"$D/second\"");
	cr_expect_neq(sh(RUN "\"$V\" \"$D/second\""), 0);
	cr_expect(strcasestr(sh_output(), "mounted") || strcasestr(sh_output(), "use"), "%s", sh_output());
	cr_expect_neq(sh("mountpoint -q \"$D/second\""), 0);
	expect_ok(mkdir(at("Music"), 0755)); /* the first goes on */
}

Test(command, a_volume_is_free_as_soon_as_its_mount_is_gone)
{
	for (int round = 0; round < 10; round++) {
		assert_sh(RUN "\"$V\" \"$M\"");
		assert_sh("fusermount3 -u \"$M\" && '" FSCK_ITEMFS "' \"$V\"");
		assert_sh(RUN "\"$V\" \"$M\" && fusermount3 -u \"$M\"");
	}
	cr_expect(await(volume_is_free, volume()), "%s", sh_output());
}

Test(command, fsck_of_a_mounted_volume_is_told_so)
{
	mount_up(NULL);
	int status = fsck_volume(volume());
	cr_expect(status == 8 || status == 16, "%d: %s", status, sh_output());
	cr_expect_gt(strlen(sh_output()), 0);
}

Test(command, a_damaged_volume_says_how_it_is_repaired_and_then_mounts)
{
	mount_up(NULL);
	assert_ok(mkdir(at("Music"), 0755));
	assert_ok(mkdir(at("Music/Queen"), 0755));
	assert_ok(put("Music/Queen/Liar.json", "{\"year\":1973}"));
	mount_down();
	assert_sh("rm $V/db/CURRENT");
	cr_expect_neq(sh(text("%s $V $M", ITEMFS)), 0);
	cr_expect_not_null(strstr(sh_output(), text("`fsck.itemfs --repair %s`", volume())), "%s", sh_output());
	cr_expect_eq(fsck_volume(volume()), 8, "%s", sh_output());
	cr_expect_eq(sh(text("%s --repair -n $V", FSCK_ITEMFS)), 8, "%s", sh_output());
	cr_expect_eq(sh(text("%s --repair $V", FSCK_ITEMFS)), 1, "%s", sh_output());
	cr_expect_not_null(strstr(sh_output(), "/damaged-1 "), "%s", sh_output());
	cr_expect_eq(sh(text("%s --repair $V", FSCK_ITEMFS)), 0, "there is nothing to repair: %s", sh_output());
	mount_up(NULL);
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"year\":1973}");
	assert_ok(put("Music/Queen/Jealousy.json", "{\"year\":1978}"));
}

Test(command, a_volume_whose_log_was_removed_is_refused_and_repaired)
{
	mount_up(NULL);
	assert_ok(mkdir(at("Music"), 0755));
	assert_ok(mkdir(at("Music/Queen"), 0755));
	assert_ok(put("Music/Queen/Liar.json", "{\"year\":1973}"));
	mount_again(); /* what is there is in tables now */
	assert_ok(put("Music/Queen/Jealousy.json", "{\"year\":1978}"));
	mount_down();
	assert_sh("rm $V/db/*.log");
	cr_expect_neq(sh(text("%s $V $M", ITEMFS)), 0);
	cr_expect_not_null(strstr(sh_output(), ".log is missing, and what was written last was in it"), "%s", sh_output());
	cr_expect_not_null(strstr(sh_output(), text("`fsck.itemfs --repair %s`", volume())), "%s", sh_output());
	cr_expect_eq(fsck_volume(volume()), 8, "%s", sh_output());
	cr_expect_eq(sh(text("%s --repair $V", FSCK_ITEMFS)), 1, "%s", sh_output());
	mount_up(NULL);
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\n");
	assert_ok(put("Music/Queen/Jealousy.json", "{\"year\":1978}"));
}

Test(command, fsck_exits_as_fsck_does)
{
	mount_up(NULL);
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1975}' > \"$M/Music/Queen/Liar.json\"");
	mount_down();
	cr_expect_eq(fsck_volume(volume()), 0, "%s", sh_output());
	cr_expect_eq(fsck_volume(scratch("nowhere")), 8, "%s", sh_output());
	cr_expect(strstr(sh_output(), "nowhere"), "%s", sh_output());
	cr_expect_eq(sh("'" FSCK_ITEMFS "'"), 16, "%s", sh_output());
	cr_expect_eq(sh("'" FSCK_ITEMFS "' --no-such-option \"$V\""), 16, "%s", sh_output());
}

Test(command, sigterm_ends_it_cleanly)
{
	mount_up(NULL);
	assert_ok(mkdir(at("Music"), 0755));
	pid_t pid = mount_pid();
	/* In the background, so that its end shows as the volume's lock and the mount being gone. */
	mount_down();
	cr_expect_neq(kill(pid, 0), 0);
	assert_sh(RUN "\"$V\" \"$M\"");
	assert_sh("kill -TERM $(pgrep -f -- \"itemfs $V \")");
	cr_expect(await(volume_is_free, volume()), "%s", sh_output());
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
	mount_up(NULL);
	cr_expect(exists("Music"));
}

Test(command, sigterm_in_the_foreground_exits_zero_and_unmounts)
{
	cr_expect_eq(
	    sh("'" ITEMFS
	       "' -f \"$V\" \"$M\" & pid=$!; until mountpoint -q \"$M\"; do sleep 0.01; done; mkdir \"$M/Music\"; "
	       "kill -TERM $pid; wait $pid"),
	    0, "%s", sh_output());
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
}

/* The lock's file says nothing of who has it: such a volume is waited for, for a minute. */
Test(command, sigterm_and_sigint_end_the_wait_for_the_volume)
{
	static const char *const signals[] = {"TERM", "INT"};
	assert_ok(mkdir(volume(), 0700));
	int fd = open(text("%s/lock", volume()), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	assert_ok(flock(fd, LOCK_EX));
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* bash lets what it starts in the background ignore SIGINT, and that stays so; env takes it back. */
		int status = sh(text("env --default-signal=INT '%s' -f \"$V\" \"$M\" & pid=$!; "
				     "until ls -l /proc/$pid/fd | grep -q '/lock$'; do sleep 0.01; done; kill -%s $pid; wait $pid", ITEMFS, signals[i]));
		cr_expect_eq(status, EXIT_FAILURE, "%d", status);
		cr_expect(strstr(sh_output(), "is in use: another process has it open; told to end while that was waited for"), "%s", sh_output());
		cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
	}
	close(fd);
	mount_up(NULL);
	expect_ok(mkdir(at("Music"), 0755));
}

Test(command, fusermount_ends_the_foreground_command_with_zero)
{
	mount_up(NULL);
	mount_down(); /* expects exit status 0 itself */
	cr_expect_eq(mount_pid(), 0);
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
}

Test(command, tells_its_usage_and_version)
{
	cr_expect_eq(sh(RUN "-h"), 0);
	cr_expect(strstr(sh_output(), "VOLUME MOUNTPOINT") || strstr(sh_output(), "VOLUME"), "%s", sh_output());
	cr_expect(strstr(sh_output(), "-f"), "%s", sh_output());
	cr_expect_eq(sh(RUN "-V"), 0);
	cr_expect(strstr(sh_output(), ITEMFS_VERSION), "%s", sh_output());
	cr_expect_eq(sh(RUN "--help"), 0);
	cr_expect_eq(sh(RUN "--version"), 0);
}

Test(command, works_with_one_thread)
{
	assert_sh(RUN "-s \"$V\" \"$M\" && mkdir -p \"$M/Music/Queen\" && echo '{}' > \"$M/Music/Queen/Liar.json\"");
	expect_sh("cat \"$M/Music/Queen/Liar.json\"", "{}\n");
	assert_sh("fusermount3 -u \"$M\"");
	cr_expect(await(volume_is_free, volume()));
}

Test(command, takes_the_options_of_mount)
{
	assert_sh(RUN "\"$V\" \"$M\" -o rw,nosuid,nodev,noatime && mkdir \"$M/Music\" && fusermount3 -u \"$M\"");
	cr_expect(await(volume_is_free, volume()));
	assert_sh(RUN "-o ro \"$V\" \"$M\"");
	expect_errno(mkdir(at("Songs"), 0755), EROFS);
	expect_sh("ls \"$M\"; fusermount3 -u \"$M\"", "Music\n");
	cr_expect(await(volume_is_free, volume()));
}

Test(command, shows_in_proc_mounts_as_a_fuse_file_system_of_its_own_name)
{
	mount_up(NULL);
	assert_sh("grep -q \" $M fuse.itemfs \" /proc/self/mounts || { cat /proc/self/mounts; false; }");
}

Test(command, works_for_an_ordinary_user)
{
	if (geteuid() != 0) {
		mount_up(NULL); /* then every test here shows it */
		expect_ok(mkdir(at("Music"), 0755));
		return;
	}
	const char *as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
	if (sh(text("%s test -r /dev/fuse -a -w /dev/fuse", as_nobody)) != 0)
		cr_skip_test("/dev/fuse is closed to ordinary users here");
	assert_sh("mkdir \"$D/theirs\" && chown 65534:65534 \"$D/theirs\" && chmod 755 \"$D\" && mkdir \"$D/theirs/m\" "
		  "&& chown 65534:65534 "
		  "\"$D/theirs/m\"");
	assert_sh(text(
	    "%s sh -c '" ITEMFS " \"$D/theirs/v\" \"$D/theirs/m\" && mkdir -p \"$D/theirs/m/Music/Queen\" && echo {} > "
	    "\"$D/theirs/m/Music/Queen/Liar.json\" && cat \"$D/theirs/m/Music/Queen/Liar.json\" && fusermount3 -u "
	    "\"$D/theirs/m\"'",
	    as_nobody));
	cr_expect(await(volume_is_free, scratch("theirs/v")));
}

Test(command, a_torn_volume_is_refused_with_words)
{
	mount_up(NULL);
	mount_down();
	/* CURRENT then names a manifest that is not there. */
	assert_sh("cp -r \"$V\" \"$D/torn\" && rm \"$D\"/torn/db/MANIFEST*");
	cr_expect_neq(sh(RUN "\"$D/torn\" \"$M\""), 0);
	cr_expect(strstr(sh_output(), "torn"), "%s", sh_output());
	cr_expect_neq(sh("mountpoint -q \"$M\""), 0);
	cr_expect_eq(fsck_volume(scratch("torn")), 8, "%s", sh_output());
}
