/* Sentences about the command line of itemfs, and the paths in it. */
#define FUSE_USE_VERSION 312
#include "fs/options.h"
#include "fs/paths.h"
#include "tests/unit/arguments.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc parse_all(const char *const *given, struct options *ret_options, struct why *why)
{
	struct arguments a = arguments_of("itemfs", given);

	return options_parse(a.argc, a.argv, ret_options, why);
}

#define PARSE(options, why, ...) parse_all((const char *const[]){__VA_ARGS__, NULL}, options, why)

static void assert_text(const char *actual, const char *expected)
{
	if (expected == NULL)
		cr_assert_null(actual, "'%s' where nothing was expected", actual);
	else
		cr_assert_str_eq(actual, expected);
}

static void assert_refused(const char *const *given, const char *words)
{
	struct options options = {.max_threads = 77};
	struct why why = {0};

	cr_assert_eq(parse_all(given, &options, &why), RC_INVALID);
	cr_assert(strstr(why.text, words) != NULL, "'%s' does not say '%s'", why.text, words);
	cr_assert_eq(options.max_threads, 77, "the result was touched");
}

#define ASSERT_REFUSED(words, ...) assert_refused((const char *const[]){__VA_ARGS__, NULL}, words)

/* What libfuse would be told after "-o". */
static char *list_for_libfuse(const struct options *options)
{
	struct fuse_args arguments;
	char *list;

	cr_assert_eq(options_for_libfuse(options, &arguments), RC_OK);
	cr_assert_eq(arguments.argc, 3);
	cr_assert_str_eq(arguments.argv[0], "itemfs");
	cr_assert_str_eq(arguments.argv[1], "-o");
	list = strdup(arguments.argv[2]);
	fuse_opt_free_args(&arguments);
	return list;
}

Test(options, two_paths_are_the_volume_and_the_mountpoint_and_nothing_else_is_set)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "vol", "mnt"), RC_OK);
	cr_assert_str_eq(options.volume, "vol");
	cr_assert_str_eq(options.mountpoint, "mnt");
	assert_text(options.passed_on, NULL);
	cr_assert(!options.foreground && !options.debug && !options.single_thread);
	cr_assert(!options.durable && !options.read_only && !options.help && !options.version);
	cr_assert_eq(options.max_threads, 0);
	options_clear(&options);
	cr_assert_null(options.volume);
}

Test(options, flags_may_stand_before_between_and_after_the_paths)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "-f", "vol", "-s", "mnt", "-o", "sync"), RC_OK);
	cr_assert(options.foreground && options.single_thread && options.durable && !options.debug);
	cr_assert_str_eq(options.mountpoint, "mnt");
	options_clear(&options);
}

Test(options, debug_in_each_spelling_implies_the_foreground_and_reaches_libfuse)
{
	const char *const spellings[] = {"-d", "--debug", "-odebug"};

	for (size_t i = 0; i < 3; i++) {
		struct options options;
		char *list;

		cr_assert_eq(PARSE(&options, NULL, spellings[i], "vol", "mnt"), RC_OK);
		cr_assert(options.debug && options.foreground);
		list = list_for_libfuse(&options);
		assert_text(list, "default_permissions,subtype=itemfs,fsname=vol,debug");
		free(list);
		options_clear(&options);
	}
}

Test(options, what_mount_8_passes_is_accepted_and_only_the_mount_s_part_goes_on)
{
	struct options options;

	cr_assert_eq(
	    PARSE(&options, NULL, "vol", "mnt", "-o",
		  "rw,nosuid,nodev,noexec,dev,suid,exec,noatime,nodiratime,relatime,_netdev,nofail,noauto,auto,"
		  "user,users,user=joe,x-systemd.automount,X-mount.mkdir,defaults,comment=a b,default_permissions"),
	    RC_OK);
	assert_text(options.passed_on, "rw,nosuid,nodev,noexec,dev,suid,exec,noatime");
	cr_assert(!options.read_only && !options.durable);
	options_clear(&options);
}

Test(options, several_o_s_glued_or_apart_are_joined_in_their_order)
{
	struct options options;

	cr_assert_eq(
	    PARSE(&options, NULL, "-onodev,sync", "vol", "-o", "allow_other", "mnt", "-oallow_root,auto_unmount"),
	    RC_OK);
	assert_text(options.passed_on, "nodev,allow_other,allow_root,auto_unmount");
	cr_assert(options.durable);
	options_clear(&options);
}

Test(options, empty_words_in_a_list_mean_nothing)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "-o", "ro,,sync,", "vol", "mnt"), RC_OK);
	assert_text(options.passed_on, "ro");
	cr_assert(options.durable);
	options_clear(&options);
}

Test(options, of_ro_and_rw_and_of_sync_and_async_the_last_counts)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "-o", "ro,sync,rw,async", "vol", "mnt"), RC_OK);
	cr_assert(!options.read_only && !options.durable);
	assert_text(options.passed_on, "ro,rw");
	options_clear(&options);
	cr_assert_eq(PARSE(&options, NULL, "-o", "rw,async,ro,dirsync", "vol", "mnt"), RC_OK);
	cr_assert(options.read_only && options.durable);
	options_clear(&options);
}

Test(options, tables_are_packed_where_it_is_asked_for)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "vol", "mnt"), RC_OK);
	cr_assert_not(options.compress);
	cr_assert_eq(options.memtable, 0);
	options_clear(&options);
	cr_assert_eq(PARSE(&options, NULL, "-o", "nocompress,compress,memtable=16", "vol", "mnt"), RC_OK);
	cr_assert(options.compress);
	cr_assert_eq(options.memtable, 16);
	assert_text(options.passed_on, NULL);
	options_clear(&options);
}

Test(options, threads_are_bounded_and_a_number)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "-o", "max_threads=3,poll=50,clone_fd", "vol", "mnt"), RC_OK);
	cr_assert_eq(options.max_threads, 3);
	cr_assert_eq(options.poll, 50);
	cr_assert_not(options.no_xattr);
	options_clear(&options);
	cr_assert_eq(PARSE(&options, NULL, "-o", "user_xattr,nouser_xattr", "vol", "mnt"), RC_OK);
	cr_assert(options.no_xattr);
	assert_text(options.passed_on, NULL);
	options_clear(&options);
	ASSERT_REFUSED("build_rate", "-obuild_rate=0", "vol", "mnt");
	ASSERT_REFUSED("build_rate", "-obuild_rate=ten", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=0", "vol", "mnt");
	ASSERT_REFUSED("memtable", "-omemtable=0", "vol", "mnt");
	ASSERT_REFUSED("memtable", "-omemtable=1025", "vol", "mnt");
	ASSERT_REFUSED("poll", "-opoll=0", "vol", "mnt");
	ASSERT_REFUSED("poll", "-opoll=1001", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=-1", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads= 2", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=4x", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=1025", "vol", "mnt");
	ASSERT_REFUSED("max_threads", "-omax_threads=99999999999999999999999", "vol", "mnt");
}

Test(options, help_and_version_need_no_paths)
{
	const char *const help[] = {"-h", "--help"}, *const version[] = {"-V", "--version"};

	for (size_t i = 0; i < 2; i++) {
		struct options options;

		cr_assert_eq(PARSE(&options, NULL, help[i]), RC_OK);
		cr_assert(options.help && !options.version);
		options_clear(&options);
		cr_assert_eq(PARSE(&options, NULL, version[i], "vol"), RC_OK);
		cr_assert(options.version && !options.help);
		options_clear(&options);
	}
}

Test(options, what_is_missing_or_too_many_is_named)
{
	ASSERT_REFUSED("VOLUME and MOUNTPOINT are missing", "-f");
	ASSERT_REFUSED("MOUNTPOINT is missing", "vol");
	ASSERT_REFUSED("'third'", "vol", "mnt", "third");
	ASSERT_REFUSED("VOLUME is empty", "", "mnt");
	ASSERT_REFUSED("MOUNTPOINT is empty", "vol", "");
	ASSERT_REFUSED("-o needs", "vol", "mnt", "-o");
}

Test(options, unknown_options_are_refused_by_name)
{
	ASSERT_REFUSED("'-q'", "-q", "vol", "mnt");
	ASSERT_REFUSED("'--quick'", "--quick", "vol", "mnt");
	ASSERT_REFUSED("'-o snyc'", "-o", "rw,snyc", "vol", "mnt");
	ASSERT_REFUSED("'-o sync=1'", "-o", "sync=1", "vol", "mnt");
	ASSERT_REFUSED("'-o max_threads'", "-o", "max_threads", "vol", "mnt");
	ASSERT_REFUSED("'-o remount'", "-o", "remount,rw", "vol", "mnt");
}

Test(options, after_two_dashes_everything_is_a_path)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "-f", "--", "-s", "-o"), RC_OK);
	cr_assert_str_eq(options.volume, "-s");
	cr_assert_str_eq(options.mountpoint, "-o");
	cr_assert(options.foreground && !options.single_thread);
	options_clear(&options);
}

Test(options, commas_and_backslashes_in_the_volume_s_path_are_escaped_for_libfuse)
{
	struct options options = {.volume = (char *)"/a,b\\c d"};
	char *list = list_for_libfuse(&options);

	assert_text(list, "default_permissions,subtype=itemfs,fsname=/a\\,b\\\\c d");
	free(list);
}

Test(options, an_fsname_that_was_asked_for_comes_after_ours_and_keeps_its_commas)
{
	struct options options;
	char *list;

	cr_assert_eq(PARSE(&options, NULL, "-o", "fsname=a\\,b,nodev", "vol", "mnt"), RC_OK);
	list = list_for_libfuse(&options);
	assert_text(list, "default_permissions,subtype=itemfs,fsname=vol,fsname=a\\,b,nodev");
	free(list);
	options_clear(&options);
}

/* Paths: in a fresh directory, which is the current one of the test's process. */

static char scratch[] = "/tmp/test_options.XXXXXX";

static void enter_scratch(void)
{
	char *absolute;

	cr_assert_not_null(mkdtemp(scratch));
	absolute = realpath(scratch, NULL);
	cr_assert_not_null(absolute);
	cr_assert_str_eq(absolute, scratch, "these tests want a plain /tmp");
	free(absolute);
	cr_assert_eq(chdir(scratch), 0);
	cr_assert_eq(mkdir("mnt", 0755), 0);
	cr_assert_eq(mkdir("vol", 0755), 0);
	cr_assert_eq(close(open("file", O_CREAT | O_WRONLY, 0644)), 0);
	cr_assert_eq(symlink("mnt", "link"), 0);
}

static void leave_scratch(void)
{
	unlink("link");
	unlink("file");
	rmdir("vol");
	rmdir("mnt");
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(scratch), 0);
}

TestSuite(paths, .init = enter_scratch, .fini = leave_scratch);

static void assert_resolves(const char *volume, const char *mountpoint, const char *want_volume,
			    const char *want_mountpoint)
{
	struct options options;
	struct why why = {0};
	char wanted[256];

	cr_assert_eq(PARSE(&options, NULL, volume, mountpoint), RC_OK);
	cr_assert_eq(options_resolve(&options, &why), RC_OK, "%s", why.text);
	snprintf(wanted, sizeof(wanted), "%s/%s", scratch, want_volume);
	cr_assert_str_eq(options.volume, wanted);
	snprintf(wanted, sizeof(wanted), "%s/%s", scratch, want_mountpoint);
	cr_assert_str_eq(options.mountpoint, wanted);
	options_clear(&options);
}

static void assert_unresolved(const char *volume, const char *mountpoint, const char *list, enum rc want,
			      const char *words)
{
	struct options options;
	struct why why = {0};

	cr_assert_eq(PARSE(&options, NULL, volume, mountpoint, "-o", list), RC_OK);
	cr_assert_eq(options_resolve(&options, &why), want, "'%s'", why.text);
	cr_assert(strstr(why.text, words) != NULL, "'%s' does not say '%s'", why.text, words);
	cr_assert_str_eq(options.volume, volume, "the options were touched");
	cr_assert_str_eq(options.mountpoint, mountpoint, "the options were touched");
	options_clear(&options);
}

Test(paths, relative_ones_become_absolute)
{
	assert_resolves("vol", "mnt", "vol", "mnt");
	assert_resolves("./vol/../vol//", "link", "vol", "mnt");
}

Test(paths, a_volume_need_not_exist_where_its_directory_does)
{
	assert_resolves("new", "mnt", "new", "mnt");
	assert_resolves("new//", "mnt/", "new", "mnt");
	assert_resolves("vol/../new", "mnt", "new", "mnt");
	assert_unresolved("no/new", "mnt", "rw", RC_NOT_FOUND, "cannot be created");
}

Test(paths, a_new_volume_at_the_root_gets_one_slash)
{
	struct options options;

	cr_assert_eq(PARSE(&options, NULL, "/there-is-no-such-volume", "mnt"), RC_OK);
	cr_assert_eq(options_resolve(&options, NULL), RC_OK);
	cr_assert_str_eq(options.volume, "/there-is-no-such-volume");
	options_clear(&options);
}

Test(paths, a_read_only_mount_makes_no_volume)
{
	assert_unresolved("new", "mnt", "ro", RC_NOT_FOUND, "No such file");
}

Test(paths, files_are_refused_in_both_places)
{
	assert_unresolved("file", "mnt", "rw", RC_INVALID, "VOLUME file is not a directory");
	assert_unresolved("vol", "file", "rw", RC_INVALID, "MOUNTPOINT file is not a directory");
	assert_unresolved("vol", "nothing", "rw", RC_INVALID, "MOUNTPOINT nothing: No such file");
}

Test(paths, volume_and_mountpoint_may_not_contain_each_other)
{
	assert_unresolved("mnt", "mnt", "rw", RC_INVALID, "lies in");
	assert_unresolved("mnt/new", "link", "rw", RC_INVALID, "would hide it");
	assert_unresolved("vol", ".", "rw", RC_INVALID, "would hide it");
	assert_unresolved(".", "mnt", "rw", RC_INVALID, "for itemfs alone");
}

Test(paths, lying_in_is_a_matter_of_whole_components)
{
	cr_assert(paths_lies_in("/a/b", "/a"));
	cr_assert(paths_lies_in("/a", "/a"));
	cr_assert(paths_lies_in("/a", "/"));
	cr_assert(paths_lies_in("/", "/"));
	cr_assert_not(paths_lies_in("/ab", "/a"));
	cr_assert_not(paths_lies_in("/a", "/a/b"));
	cr_assert_not(paths_lies_in("/", "/a"));
}

Test(paths, the_topmost_mount_at_a_path_says_whether_it_is_itemfs)
{
	FILE *mounts = fopen("mounts", "w");

	cr_assert_not_null(mounts);
	fputs("/dev/vda / ext4 rw 0 0\n"
	      "/v /m/with\\040space fuse.itemfs rw,nosuid 0 0\n"
	      "/v /m/other fuse.sshfs rw 0 0\n"
	      "/v /m/covered fuse.itemfs rw 0 0\n"
	      "none /m/covered tmpfs rw 0 0\n",
	      mounts);
	cr_assert_eq(fclose(mounts), 0);
	cr_assert(paths_is_mounted("mounts", "/m/with space"));
	cr_assert_not(paths_is_mounted("mounts", "/m/with"));
	cr_assert_not(paths_is_mounted("mounts", "/m/other"));
	cr_assert_not(paths_is_mounted("mounts", "/m/covered"));
	cr_assert_not(paths_is_mounted("no-such-list", "/m/other"));
	cr_assert_eq(unlink("mounts"), 0);
}
