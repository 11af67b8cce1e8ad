/* What the kernel caches must not change what happens: names it learned from a listing, attributes it kept, names that went by themselves. */
#include "tests/mount/harness.h"
#include <fcntl.h>

static void setup(void)
{
	mount_setup();
	assert_sh("mkdir -p \"$M/Plain/p\" && cd \"$M/Plain/p\" && for i in 1 2 3 4 5 6 7 8 9; do echo '{\"old\":1}' > $i.json; echo old > $i.txt; done");
}

TestSuite(caching, .init = setup, .fini = mount_teardown, .timeout = 600);

Test(caching, what_a_long_listing_showed_first_can_be_written)
{
	mount_again(); /* nothing is looked up: readdirplus alone tells the kernel of the items */
	assert_sh("ls -l \"$M/Plain/p\" && cd \"$M/Plain/p\" && for i in 1 2 3; do echo '{\"new\":2}' > $i.json; echo new > $i.txt; done && "
		  "echo '{\"new\":2}' > t && mv t 4.json && rm 5.json && mv 6.json 7.json");
	cr_expect_str_eq(content("Plain/p/1.json"), "{\"new\":2}\n");
	cr_expect_str_eq(content("Plain/p/3.txt"), "new\n");
	cr_expect_str_eq(content("Plain/p/4.json"), "{\"new\":2}\n");
	cr_expect_str_eq(content("Plain/p/7.json"), "{\"old\":1}\n");
	mount_again();
	cr_expect_str_eq(content("Plain/p/2.json"), "{\"new\":2}\n");
	cr_expect_not(exists("Plain/p/5.json"));
	cr_expect_not(exists("Plain/p/6.json"));
}

Test(caching, what_a_long_listing_showed_first_can_be_appended_to_and_truncated)
{
	mount_again();
	assert_sh("ls -l \"$M/Plain/p\" && cd \"$M/Plain/p\" && printf ' ' >> 1.json && truncate -s 0 2.json && echo more >> 3.txt");
	cr_expect_str_eq(content("Plain/p/1.json"), "{\"old\":1}\n ");
	cr_expect_str_eq(content("Plain/p/2.json"), "");
	cr_expect_str_eq(content("Plain/p/3.txt"), "old\nmore\n");
}

Test(caching, sizes_and_times_are_right_after_each_commit)
{
	struct stat st;
	for (int i = 1; i <= 50; i++) {
		assert_ok(put("Plain/p/1.json", text("{\"n\":%d}", i * 1000)));
		assert_ok(stat(at("Plain/p/1.json"), &st));
		cr_expect_eq(st.st_size, (off_t)strlen(text("{\"n\":%d}", i * 1000)));
	}
	int64_t before = mtime_of("Plain/p/1.json");
	assert_ok(put("Plain/p/1.json", "{\"n\":1}"));
	cr_expect_gt(mtime_of("Plain/p/1.json"), before);
}

Test(caching, unlinking_what_is_being_created_leaves_nothing)
{
	for (int i = 0; i < 200; i++) {
		int fd = open(at("Plain/p/gone.json"), O_WRONLY | O_CREAT | O_EXCL, 0644);
		cr_assert(fd >= 0, "%s", strerror(errno));
		cr_expect_eq(write(fd, "{}", 2), 2);
		assert_ok(unlink(at("Plain/p/gone.json")));
		assert_ok(close(fd));
		cr_expect_not(exists("Plain/p/gone.json"));
	}
	mount_again();
	cr_expect_not(exists("Plain/p/gone.json"));
}

/* What the daemon remembers of its last look at the volume, too: the attributes of a directory, an absent name. */
Test(caching, a_directory_tells_of_each_name_that_came_or_went)
{
	int64_t before = mtime_of("Plain/p");
	for (int i = 0; i < 50; i++) {
		const char *name = i % 2 ? "Plain/p/new.json" : "Plain/p/new.txt";
		assert_ok(put(name, "{}"));
		cr_expect_gt(mtime_of("Plain/p"), before, "%s came", name);
		before = mtime_of("Plain/p");
		assert_ok(unlink(at(name)));
		cr_expect_gt(mtime_of("Plain/p"), before, "%s went", name);
		before = mtime_of("Plain/p");
		assert_ok(chmod(at("Plain/p"), i % 2 ? 0755 : 02750));
		cr_expect_eq(mode_of("Plain/p"), i % 2 ? 0755u : 02750u);
	}
}

Test(caching, what_was_looked_for_in_vain_is_there_once_an_import_brought_it)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("mkdir \"$M/Music/Queen\"");
	for (int i = 0; i < 20; i++) {
		const char *path = text("Music/Queen/%d.json", i), *item = text("{\"Artist\":\"Queen\",\"Title\":\"%d\",\"Year\":1973}", i);
		cr_expect_not(exists(path));
		assert_sh(text("echo '%s' > \"$D/a.jsonl\" && cp \"$D/a.jsonl\" \"$M/Music/.import/\"", item));
		expect_errno(open(at(path), O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
		int fd = open(at(path), O_RDWR | O_CREAT, 0644);
		cr_assert_geq(fd, 0, "%s", strerror(errno));
		assert_ok(close(fd));
		cr_expect_str_eq(content(path), item);
	}
}

Test(caching, opening_to_read_with_O_TRUNC_empties)
{
	int fd = open(at("Plain/p/1.json"), O_RDONLY | O_TRUNC);
	cr_assert_geq(fd, 0);
	close(fd);
	/* An emptying is acknowledged by fsync or by the release that follows close. */
	cr_expect_eq(sh("for i in $(seq 500); do [ -s \"$M/Plain/p/1.json\" ] || exit 0; done; exit 1"), 0);
}

static char *printed(const char *command)
{
	assert_sh(text("cd \"$M/Plain/p\" && %s", command));
	return strdup(sh_output());
}

/* After two listings with attributes the kernel is told names alone, as it knows the rest (node_tell): what happens then must show all the same. */
Test(caching, what_changes_after_a_directory_was_told_in_whole_shows)
{
	static const char *const changes[] = {
	    "echo '{\"longer\":\"than before\"}' > 1.json",
	    "cat 2.json > /dev/null",
	    "echo 'longer than before' >> 3.txt",
	    "truncate -s 3 4.txt",
	    "chmod 600 5.json",
	    "touch -d 2001-02-03 6.json 6.txt",
	    "echo '{\"t\":[1,2,3]}' > t && mv t 7.json",
	    "rm 8.json 8.txt",
	    "mv 9.json 10.json && echo '{\"ten\":10}' > 9.json",
	    "echo '{\"b\":11}' > 11.json && echo plain > 11.txt",
	    "rm 11.json && echo '{\"b\":\"again\"}' > 11.json",
	    "mkdir ../q && mv 1.json ../q/ && mv ../q/1.json 12.json",
	    "cd .. && mv p r && mv r p",
	    "exec 9<>2.json && printf '{\"open\":true}' >&9 && exec 9>&-",
	};
	static const char shown[] = "find . -type f -printf '%f %s %m %Ts\\n' | sort";
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		free(printed("ls -l > /dev/null && ls -l > /dev/null"));
		free(printed(changes[i]));
		char *told = printed(shown);
		char *again = printed(shown);
		char *sizes = printed("find . -type f -printf '%f %s\\n' | sort");
		char *read = printed("for f in *; do echo \"$f $(wc -c < \"$f\")\"; done | sort");
		mount_again();
		char *fresh = printed(shown);
		cr_expect_str_eq(told, fresh, "after: %s", changes[i]);
		cr_expect_str_eq(again, fresh, "after: %s", changes[i]);
		cr_expect_str_eq(sizes, read, "after: %s", changes[i]);
		free(told);
		free(again);
		free(sizes);
		free(read);
		free(fresh);
	}
}

Test(caching, what_an_import_changes_after_a_directory_was_told_in_whole_shows)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && cd \"$M/Music/Queen\" && for i in 1 2 3; do echo '{\"Year\":1973}' > $i.json; done && ls -l > /dev/null && ls -l > /dev/null");
	assert_sh("printf '{\"Artist\":\"Queen\",\"Title\":\"%s\"}\\n' 2 4 > \"$D/a.jsonl\" && cp \"$D/a.jsonl\" \"$M/Music/.import/\"");
	expect_sh("cd \"$M/Music/Queen\" && stat -c '%n %s' *.json", "1.json 14\n2.json 30\n3.json 14\n4.json 30\n");
}

/* The snapshot's is that of the volume. */
static bool has_its_own_ctime(const char *path)
{
	struct stat shown, stored;
	return stat(at(path), &shown) == 0 && stat(at(text(".itemfs/snapshots/now/%s", path)), &stored) == 0 &&
	       shown.st_ctim.tv_sec == stored.st_ctim.tv_sec && shown.st_ctim.tv_nsec == stored.st_ctim.tv_nsec;
}

/* Plain files show at once what is written to them, and have the time of their change from when that is stored. */
Test(caching, the_ctime_of_a_plain_file_that_was_looked_at_before_it_was_closed_is_right_after_it)
{
	static const char *const flags[] = {"new", "again"};
	for (int i = 0; i < 2; i++) {
		struct stat st;
		int fd = open(at("Plain/p/notes"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		cr_assert(fd >= 0);
		cr_assert_eq(write(fd, "la", 2), 2);
		assert_ok(fstat(fd, &st));
		cr_expect_eq(st.st_size, 2 * (i + 1));
		assert_ok(close(fd));
		assert_ok(mkdir(at(".itemfs/snapshots/now"), 0755));
		cr_expect(await(has_its_own_ctime, "Plain/p/notes"), "%s", flags[i]);
		assert_ok(rmdir(at(".itemfs/snapshots/now")));
	}
}
