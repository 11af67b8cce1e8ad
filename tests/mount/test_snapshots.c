/* Snapshots: .itemfs/snapshots/NAME is the volume as it was when it was made, whatever happens to the volume since. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#define SNAPSHOTS ".itemfs/snapshots/"
#define MUSIC "Artist:S Title:S", "gsi by-year Year:N Artist:S ALL"

/* Facts of a tree: every name's kind, mode, owner and times, and files' sizes. */
static void setup(void)
{
	mount_setup();
	declare("Music", MUSIC, NULL);
	assert_sh("cd \"$M\" && mkdir -p Music/Queen Music/Abba Music/Empty Free/5 && echo '{ \"Year\":1973 }' > Music/Queen/Liar.json && "
		  "echo '{\"Year\":1974}' > 'Music/Queen/x, y.json' && echo '{\"Year\":1975}' > Music/Abba/SOS.json && echo plain > "
		  "Music/README && echo note > Music/Queen/notes.txt && echo '{\"a\":1}' > Free/5/7.json && chmod 600 Music/Abba/SOS.json && "
		  "chmod 750 Music/Abba && touch -d @1000000000.123456789 Music/Queen/Liar.json Music/Queen && "
		  "head -c 300000 /dev/zero | tr '\\0' z > Music/large.txt");
	assert_sh("cat > \"$D/facts\" <<'END'\n"
		  "cd \"$1\" && find . -mindepth 1 -printf '%P %y %m %u %g %T@ %C@ ' \\( -type f -printf '%s\\n' -o -printf '\\n' \\) | sort\n"
		  "END\n"
		  "cat > \"$D/views\" <<'END'\n"
		  "cd \"$1\" && find Music/.index -type f | sort | while read -r f; do echo \"$f $(cat \"$f\")\"; done\n"
		  "END\n"
		  "bash \"$D/facts\" \"$M\" > \"$D/facts.before\" && bash \"$D/views\" \"$M\" > \"$D/views.before\" && "
		  "cp -a \"$M\" \"$D/tree\" && [ $(wc -l < \"$D/views.before\") = 3 ]");
}

TestSuite(snapshots, .init = setup, .fini = mount_teardown, .timeout = 600);

static const char *in(const char *snapshot, const char *path)
{
	return text(SNAPSHOTS "%s/%s", snapshot, path);
}

static int take(const char *name)
{
	return mkdir(at(text(SNAPSHOTS "%s", name)), 0755);
}

static int drop(const char *name)
{
	return rmdir(at(text(SNAPSHOTS "%s", name)));
}

/* That all of what setup() made is in the snapshot, byte for byte, with its modes, owners and times, and its index; and nothing else. */
static void expect_as_it_was(const char *name)
{
	expect_sh(text("bash \"$D/facts\" \"$M/" SNAPSHOTS "%s\" | diff \"$D/facts.before\" -", name), "");
	expect_sh(text("bash \"$D/views\" \"$M/" SNAPSHOTS "%s\" | diff \"$D/views.before\" -", name), "");
	expect_sh(text("diff -r \"$D/tree\" \"$M/" SNAPSHOTS "%s\"", name), "");
}

Test(snapshots, stay_as_they_were_while_everything_else_changes)
{
	assert_ok(take("before"));
	expect_as_it_was("before");
	assert_sh("cd \"$M\" && echo '{\"Year\":2000}' > Music/Queen/Liar.json && rm 'Music/Queen/x, y.json' && echo '{}' > Music/Queen/New.json && "
		  "chmod 644 Music/Abba/SOS.json && touch -d @5 Music/Abba && echo more >> Music/README && mv Music/Abba Music/Abba2 && "
		  "rm Music/large.txt && rmdir Music/Empty && mv Music/Queen/notes.txt Music/Queen/other.txt && mkdir Other && mv Free Freed");
	expect_as_it_was("before");
	expect_ok(drop("before"));
	cr_expect_not(exists(SNAPSHOTS "before"));
}

Test(snapshots, list_themselves_and_nowhere_else)
{
	assert_ok(take("b"));
	assert_ok(take("a 1"));
	cr_expect_str_eq(listing(".itemfs/snapshots"), "a 1\nb\n");
	cr_expect_str_eq(listing(""), "Free\nMusic\n");
	cr_expect_str_eq(listing(SNAPSHOTS "b"), "Free\nMusic\n");
	cr_expect_not(exists(SNAPSHOTS "b/.itemfs"));
	cr_expect_not(exists(SNAPSHOTS "c"));
	expect_sh("find \"$M\" -name '*snapshots*'", "");
	expect_sh("ls -l \"$M/.itemfs/snapshots\" | wc -l", "3\n");
	expect_ok(drop("a 1"));
	cr_expect_str_eq(listing(".itemfs/snapshots"), "b\n");
}

Test(snapshots, have_their_views)
{
	assert_ok(take("s"));
	put("Music/Queen/Liar.json", "{\"Year\":2000}");
	put("Music/Queen/New.json", "{\"Year\":1973}");
	cr_expect_str_eq(listing(in("s", "Music/.index")), "by-year\n");
	cr_expect_str_eq(listing(in("s", "Music/.index/by-year")), "1973\n1974\n1975\n");
	cr_expect_str_eq(listing(in("s", "Music/.index/by-year/1973")), "Queen,Liar.json\n");
	cr_expect_not_null(strstr(content(in("s", "Music/.index/by-year/1973/Queen,Liar.json")), "\"Liar\""));
	cr_expect_not(exists(in("s", "Music/.index/by-year/2000")));
	/* Queries and scans, by the same names. */
	put("Music/Queen/A.json", "{\"Year\":1973}");
	cr_expect_str_eq(listing(in("s", "Music/Queen/.first/1")), "Liar.json\n");
	cr_expect_str_eq(listing("Music/Queen/.first/1"), "A.json\n");
	cr_expect_str_eq(content(in("s", "Music/Queen/.ge/L/.lt/M/Liar.json")), "{ \"Year\":1973 }\n");
	cr_expect_str_eq(listing(in("s", "Music/.index/by-year/1973/.last/5")), "Queen,Liar.json\n");
	cr_expect_str_eq(listing(in("s", "Music/Queen/.where/Year/eq/1974")), "x, y.json\n");
	cr_expect_str_eq(content(in("s", "Music/Queen/.first/1/.export/items.json")), "[\n{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}\n]\n");
	expect_errno(open(at(in("s", "Music/.export/items.csv")), O_WRONLY), EROFS);
	expect_errno(mkdir(at(in("s", "Music/Queen/.first/2")), 0755), EEXIST);
	expect_errno(unlink(at(in("s", "Music/Queen/.first/1/Liar.json"))), EROFS);
	cr_expect_str_eq(listing_sorted(in("s", "Music/.scan/1/0")), "Abba\nEmpty\nQueen\n");
	expect_sh("jq -c .Table.ItemCount \"$M/.itemfs/snapshots/s/Music/.describe.json\" \"$M/Music/.describe.json\"", "3\n5\n");
}

/* What can be asked of a file system that would change something. */
static void expect_unchangeable(const char *snapshot)
{
	const char *item = at(in(snapshot, "Music/Queen/Liar.json")), *fresh = at(in(snapshot, "Music/Queen/Fresh.json"));
	const char *partition = at(in(snapshot, "Music/Queen")), *table = at(in(snapshot, "Music")), *root = at(text(SNAPSHOTS "%s", snapshot));
	struct timespec times[2] = {{1, 1}, {1, 1}};
	expect_errno(open(item, O_WRONLY), EROFS);
	expect_errno(open(item, O_RDWR), EROFS);
	expect_errno(open(item, O_RDONLY | O_TRUNC), EROFS);
	expect_errno(open(item, O_WRONLY | O_CREAT, 0644), EROFS);
	expect_errno(open(fresh, O_WRONLY | O_CREAT, 0644), EROFS);
	expect_errno(open(at(in(snapshot, "Music/plain")), O_WRONLY | O_CREAT, 0644), EROFS);
	expect_errno(open(at(in(snapshot, "Music/README")), O_WRONLY), EROFS);
	expect_errno(open(at(in(snapshot, "Music/.schema.json")), O_WRONLY), EROFS);
	expect_errno(open(at(in(snapshot, "file")), O_WRONLY | O_CREAT, 0644), EROFS);
	expect_errno(mknod(fresh, S_IFREG | 0644, 0), EROFS);
	expect_errno(mkfifo(fresh, 0644), EROFS);
	expect_errno(symlink("x", fresh), EROFS);
	expect_errno(link(item, fresh), EROFS);
	expect_errno(truncate(item, 0), EROFS);
	expect_errno(truncate(at(in(snapshot, "Music/README")), 1), EROFS);
	expect_errno(unlink(item), EROFS);
	expect_errno(unlink(at(in(snapshot, "Music/README"))), EROFS);
	expect_errno(unlink(at(in(snapshot, "Music/.schema.json"))), EROFS);
	expect_errno(rmdir(at(in(snapshot, "Music/Empty"))), EROFS);
	expect_errno(rmdir(table), EROFS);
	expect_errno(access(at(in(snapshot, "Music/.import")), F_OK), ENOENT);
	expect_errno(mkdir(at(in(snapshot, "Music/More")), 0755), EROFS);
	expect_errno(mkdir(at(in(snapshot, "Table")), 0755), EROFS);
	expect_errno(rename(item, fresh), EROFS);
	expect_errno(rename(item, at("Music/Queen/Out.json")), EROFS);
	expect_errno(rename(at("Music/Queen/Liar.json"), item), EROFS);
	expect_errno(rename(partition, at(in(snapshot, "Music/King"))), EROFS);
	expect_errno(rename(table, at(in(snapshot, "Songs"))), EROFS);
	expect_errno(rename(table, at("Songs")), EROFS);
	expect_errno(renameat2(AT_FDCWD, item, AT_FDCWD, at("Music/Queen/Liar.json"), RENAME_EXCHANGE), EROFS);
	for (int i = 0; i < 4; i++) {
		const char *path = i == 0 ? item : i == 1 ? partition : i == 2 ? table : root;
		expect_errno(chmod(path, 0700), EROFS);
		expect_errno(chown(path, getuid(), getgid()), EROFS);
		expect_errno(utimensat(AT_FDCWD, path, times, 0), EROFS);
	}
}

Test(snapshots, are_read_only)
{
	assert_ok(take("s"));
	expect_unchangeable("s");
	expect_as_it_was("s");
	expect_sh("bash \"$D/facts\" \"$M\" | diff \"$D/facts.before\" -", "");
	cr_assert(refusal_of(SNAPSHOTS "s/Music/Queen/Fresh.json"));
	expect_says("errno", "EROFS");
	expect_says("reason", "snapshot");
}

Test(snapshots, are_refused_names_that_cannot_be)
{
	char longest[256];
	memset(longest, 'n', 255);
	longest[255] = 0;
	expect_errno(take(".hidden"), EINVAL);
	cr_assert(refusal_of(SNAPSHOTS ".hidden"));
	expect_says("reason", "dot");
	expect_errno(take("a\tb"), EINVAL);
	expect_errno(take("\xff\xfe"), EILSEQ);
	expect_errno(take(text("%sn", longest)), ENAMETOOLONG);
	expect_ok(take(longest));
	expect_ok(take("2024-01-01T10:00:00+00:00"));
	expect_ok(take("caf\u00e9"));
	expect_errno(take("caf\u00e9"), EEXIST);
	expect_errno(drop("none"), ENOENT);
	expect_errno(access(at(SNAPSHOTS "none"), F_OK), ENOENT);
	expect_errno(access(at(SNAPSHOTS "none/Music"), F_OK), ENOENT);
	expect_errno(access(at(in(longest, "None")), F_OK), ENOENT);
	expect_errno(open(at(SNAPSHOTS "file"), O_WRONLY | O_CREAT, 0644), EPERM);
	cr_assert(refusal_of(SNAPSHOTS "file"));
	expect_says("reason", "mkdir");
	expect_errno(symlink("x", at(SNAPSHOTS "link")), EPERM);
	expect_errno(rename(at(SNAPSHOTS "caf\u00e9"), at(SNAPSHOTS "tea")), EPERM);
	cr_assert(refusal_of(SNAPSHOTS "tea"));
	expect_says("reason", "keep their names");
	expect_errno(rename(at("Music"), at(SNAPSHOTS "Music")), EPERM);
	expect_errno(rmdir(at(".itemfs/snapshots")), EPERM);
	expect_errno(chmod(at(".itemfs/snapshots"), 0777), EPERM);
}

Test(snapshots, have_a_bound_on_their_number)
{
	int n = 0;
	while (take(text("s%d", n)) == 0)
		n++;
	cr_expect_eq(errno, EMLINK);
	cr_expect_eq(n, 256);
	cr_assert(refusal_of(SNAPSHOTS "s256"));
	expect_says("reason", "256");
	expect_sh("ls \"$M/.itemfs/snapshots\" | wc -l", "256\n");
	expect_ok(drop("s100"));
	expect_ok(take("s256"));
	expect_as_it_was("s0");
	expect_as_it_was("s256");
}

Test(snapshots, can_be_copied_onto_what_is_live)
{
	struct stat live, frozen;
	assert_ok(take("s"));
	put("Music/Queen/Liar.json", "{\"Year\":2000}");
	assert_ok(stat(at("Music/Queen/Liar.json"), &live));
	assert_ok(stat(at(in("s", "Music/Queen/Liar.json")), &frozen));
	cr_expect_eq(live.st_dev, frozen.st_dev);
	cr_expect_neq(live.st_ino, frozen.st_ino);
	assert_sh("cd \"$M\" && cp -p .itemfs/snapshots/s/Music/Queen/Liar.json Music/Queen/Liar.json");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{ \"Year\":1973 }\n");
	assert_sh("cd \"$M\" && rm -r Music/Queen && cp -a .itemfs/snapshots/s/Music/Queen Music/ && rsync -a --delete .itemfs/snapshots/s/ ./");
	expect_sh("diff -r \"$D/tree\" \"$M\"", "");
	/* A name that is used again has the numbers that it had: what did not change need not be read again. */
	expect_ok(drop("s"));
	expect_ok(take("s"));
	ino_t before = frozen.st_ino;
	assert_ok(stat(at(in("s", "Music/Queen/Liar.json")), &frozen));
	cr_expect_eq(before, frozen.st_ino);
	expect_sh("cd \"$M\" && find . .itemfs/snapshots/s -mindepth 1 -printf '%i\\n' | sort | uniq -d", "");
}

Test(snapshots, of_two_moments_are_two)
{
	const char *live = "Music/Queen/Liar.json";
	assert_ok(take("one"));
	put(live, "{\"Year\":2}");
	assert_ok(take("two"));
	put(live, "{\"Year\":3}");
	cr_expect_str_eq(content(in("one", live)), "{ \"Year\":1973 }\n");
	cr_expect_str_eq(content(in("two", live)), "{\"Year\":2}");
	cr_expect_str_eq(content(live), "{\"Year\":3}");
	expect_sh("cd \"$M/.itemfs/snapshots\" && ! diff -rq one two", "Files one/Music/Queen/Liar.json and two/Music/Queen/Liar.json differ\n");
	/* And of one name, one after the other: nothing is left of the first, in no cache. */
	expect_ok(drop("two"));
	assert_ok(take("two"));
	cr_expect_str_eq(content(in("two", live)), "{\"Year\":3}");
	cr_expect_eq(size_of(in("two", live)), 10);
	expect_ok(drop("two"));
	expect_as_it_was("one");
}

Test(snapshots, keep_definitions_indexes_and_tables_that_change_or_go)
{
	assert_ok(take("s"));
	assert_ok(put("Music/.schema.json", definition("Artist:S Title:S", "gsi by-title Title:S KEYS_ONLY", NULL)));
	assert_ok(put("Free/.schema.json", definition("pk:N sk:N", NULL))); /* adopts it */
	expect_as_it_was("s");
	cr_expect_str_eq(listing(in("s", "Music/.index")), "by-year\n");
	cr_expect_not(exists(in("s", "Free/.schema.json")));
	expect_ok(access(at(in("s", "Free/5/7.json")), R_OK));
	expect_ok(take("t"));
	cr_expect(exists(in("t", "Free/.schema.json")));
	expect_sh("mv \"$M/Music\" \"$M/Songs\" && rm -r \"$M/Songs\" \"$M/Free\"", "");
	cr_expect_str_eq(listing(""), "");
	expect_as_it_was("s");
	declare("Music", "Artist:N Title:N", NULL);
	expect_as_it_was("s");
	expect_ok(drop("s"));
	cr_expect_str_eq(listing(SNAPSHOTS "t"), "Free\nMusic\n");
	cr_expect_str_eq(content(in("t", "Music/Queen/Liar.json")), "{ \"Year\":1973 }\n");
}

Test(snapshots, do_not_see_what_is_not_stored_yet)
{
	int fd = open(at("Music/Queen/Draft.json"), O_WRONLY | O_CREAT, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "{\"a\":", 5), 5);
	assert_ok(take("s"));
	cr_expect(exists("Music/Queen/Draft.json"));
	cr_expect_not(exists(in("s", "Music/Queen/Draft.json")));
	cr_expect_null(strstr(listing(in("s", "Music/Queen")), "Draft"));
	cr_assert_eq(write(fd, "1}", 2), 2);
	expect_ok(close(fd));
	cr_expect_not(exists(in("s", "Music/Queen/Draft.json")));
	/* A handle on the live item goes on as if nothing had been. */
	fd = open(at("Music/Queen/Liar.json"), O_RDWR);
	cr_assert_geq(fd, 0);
	assert_ok(take("t"));
	expect_ok(ftruncate(fd, 0));
	cr_assert_eq(write(fd, "{}", 2), 2);
	expect_ok(close(fd));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{}");
	cr_expect_str_eq(content(in("t", "Music/Queen/Liar.json")), "{ \"Year\":1973 }\n");
}

Test(snapshots, go_on_for_those_who_have_something_of_them_open)
{
	char bytes[64] = "";
	assert_ok(take("s"));
	int unread = open(at(in("s", "Music/Queen/Liar.json")), O_RDONLY);
	int large = open(at(in("s", "Music/large.txt")), O_RDONLY);
	DIR *open_directory = opendir(at(in("s", "Music")));
	cr_assert(unread >= 0 && large >= 0 && open_directory);
	assert_ok(drop("s"));
	expect_sh("rm -r \"$M/Music\" && ls \"$M/.itemfs/snapshots\"", "");
	cr_expect_eq(pread(unread, bytes, sizeof bytes, 0), 16);
	cr_expect_str_eq(bytes, "{ \"Year\":1973 }\n");
	cr_expect_eq(pread(large, bytes, 1, 299999), 1);
	cr_expect_eq(bytes[0], 'z');
	cr_expect_eq(lseek(large, 0, SEEK_END), 300000);
	int names = 0;
	while (readdir(open_directory))
		names++;
	cr_expect_eq(names, 2 + 1 + 2 + 3); /* dots, definition, plain files, partitions */
	closedir(open_directory);
	close(unread);
	close(large);
}

/* How many views the engine holds rows for. */
static bool holds(const char *count)
{
	return sh(text("[ $(jq .engine.snapshots \"$M/.itemfs/stats.json\") = %s ]", count)) == 0;
}

/* Nothing that the kernel remembers of one keeps its rows: rmdir does not wait for memory to become scarce. */
Test(snapshots, are_let_go_of_with_the_last_who_has_something_of_them_open)
{
	cr_assert(await(holds, "0"));
	assert_ok(take("s"));
	assert_ok(take("t"));
	expect_as_it_was("s");
	expect_as_it_was("t");
	cr_expect(await(holds, "2"), "%s", content(".itemfs/stats.json"));
	int fd = open(at(in("s", "Music/Queen/Liar.json")), O_RDONLY);
	cr_assert_geq(fd, 0);
	assert_ok(drop("t"));
	cr_expect(await(holds, "1"), "%s", content(".itemfs/stats.json"));
	assert_ok(drop("s"));
	cr_expect(holds("1"));
	close(fd);
	cr_expect(await(holds, "0"), "%s", content(".itemfs/stats.json"));
}

/* Nor what those looked at and looked for who stood in it when it went. */
Test(snapshots, are_let_go_of_with_the_last_who_stands_in_them)
{
	assert_ok(take("s"));
	int queen = open(at(in("s", "Music/Queen")), O_RDONLY | O_DIRECTORY);
	cr_assert_geq(queen, 0);
	assert_ok(drop("s"));
	int fd = openat(queen, "Liar.json", O_RDONLY);
	cr_expect_geq(fd, 0);
	expect_errno(openat(queen, "Absent.json", O_RDONLY), ENOENT);
	expect_sh(text("ls -l /proc/%d/fd/%d/ /proc/%d/fd/%d/../Empty | wc -l", (int)getpid(), queen, (int)getpid(), queen), "8\n");
	struct stat st;
	expect_ok(fstatat(queen, "../Abba/SOS.json", &st, 0));
	expect_errno(fstatat(queen, "../Absent", &st, 0), ENOENT);
	cr_expect(holds("1"));
	close(fd);
	close(queen);
	cr_expect(await(holds, "0"), "%s", content(".itemfs/stats.json"));
}

/* A shell that stands in what goes, as a command with one argument: where. It says what it sees there when told to. */
#define SHELL_IN "cd \"$M/.itemfs/snapshots/s/%s\" && rmdir \"$M/.itemfs/snapshots/s\" && mkdir \"$M/.itemfs/snapshots/s\" && "

Test(snapshots, may_go_while_a_shell_stands_in_them)
{
	assert_ok(take("s"));
	/* Below the top it goes on reading; at the top there is nothing left, as in any directory that was removed. */
	expect_sh(text(SHELL_IN "cat Liar.json && ls", "Music/Queen"), "{ \"Year\":1973 }\nLiar.json\nnotes.txt\nx, y.json\n");
	expect_sh(text(SHELL_IN "cat Music/Queen/Liar.json 2>/dev/null || echo gone", ""), "gone\n");
	expect_as_it_was("s");
}

Test(snapshots, may_be_mapped_and_read_at_any_place)
{
	assert_ok(take("s"));
	int fd = open(at(in("s", "Music/large.txt")), O_RDONLY);
	cr_assert_geq(fd, 0);
	char *bytes = mmap(NULL, 300000, PROT_READ, MAP_SHARED, fd, 0);
	cr_assert_neq(bytes, MAP_FAILED);
	put("Music/large.txt", "small");
	cr_expect(bytes[299999] == 'z' && bytes[0] == 'z' && bytes[150000] == 'z');
	munmap(bytes, 300000);
	close(fd);
	fd = open(at(in("s", "Music/Queen/Liar.json")), O_RDONLY);
	char middle[5] = "";
	cr_expect_eq(pread(fd, middle, 4, 3), 4);
	cr_expect_str_eq(middle, "Year");
	close(fd);
}

Test(snapshots, answer_statfs_and_attributes_like_the_live_tree)
{
	char value[64] = "";
	assert_ok(take("s"));
	put("Music/Queen/Liar.json", "{\"Year\":2000,\"more\":1}");
	expect_sh("stat -f -c %T \"$M/.itemfs/snapshots/s/Music\"", "fuseblk\n");
	cr_expect_gt(getxattr(at(in("s", "Music/Queen/Liar.json")), "user.itemfs.key", value, sizeof value - 1), 0);
	cr_expect_str_eq(value, "{\"Artist\":\"Queen\",\"Title\":\"Liar\"}");
	expect_errno(setxattr(at(in("s", "Music/Queen/Liar.json")), "user.x", "y", 1, 0), EOPNOTSUPP);
}

Test(snapshots, end_with_the_mount)
{
	assert_ok(take("s"));
	assert_ok(take("t"));
	expect_as_it_was("s");
	put("Music/Queen/Liar.json", "{\"Year\":2000}");
	mount_again();
	cr_expect_str_eq(listing(".itemfs/snapshots"), "");
	cr_expect_not(exists(SNAPSHOTS "s"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"Year\":2000}");
}

Test(snapshots, are_read_by_what_backs_up)
{
	assert_ok(take("s"));
	assert_sh("rm -r \"$M/Free\" && S=\"$M/.itemfs/snapshots/s\" && tar --format=posix -C \"$S\" -cf \"$D/s.tar\" . && cp -a \"$S\" \"$D/copy\" && "
		  "rsync -a \"$S/\" \"$D/synced/\" && [ $(find \"$S\" | wc -l) = $(find \"$D/tree\" | wc -l) ] && du -s \"$S\"");
	expect_sh("diff -r \"$D/tree\" \"$D/copy\" && diff -r \"$D/tree\" \"$D/synced\"", "");
	expect_sh("rsync -ai \"$M/.itemfs/snapshots/s/\" \"$D/synced/\"", "");
	mount_new_volume();
	assert_sh("tar -C \"$M\" -xf \"$D/s.tar\"");
	expect_sh("diff -r \"$D/tree\" \"$M\"", "");
}

/* The next snapshot of a name has the numbers of the last, so what keeps a list of files reads again only what has changed. */
Test(snapshots, of_one_name_are_backed_up_incrementally)
{
	if (sh("command -v restic jq") != 0)
		cr_skip_test("restic is not installed");
	assert_sh("cat > \"$D/backup\" <<'END'\n"
		  "export RESTIC_PASSWORD=x RESTIC_REPOSITORY=\"$D/repository\" RESTIC_CACHE_DIR=\"$D/cache\"\n"
		  "cd \"$M/.itemfs/snapshots/daily\" && restic backup --json . | jq -r 'select(.message_type == \"summary\") | \"\\(.files_new) "
		  "\\(.files_changed) \\(.files_unmodified)\"'\n"
		  "END\n"
		  "RESTIC_PASSWORD=x restic init -q --repo \"$D/repository\"");
	assert_ok(take("daily"));
	expect_sh("bash \"$D/backup\"", "8 0 0\n");
	assert_ok(drop("daily"));
	assert_ok(put("Music/Queen/Liar.json", "{\"Year\":2000}"));
	assert_ok(take("daily"));
	expect_sh("bash \"$D/backup\"", "0 1 7\n");
}

/* Writers number their commits. Of writer W there are SLOTS items, which wander between the partitions Wa and Wb of Log: commit n writes its number
 * into slot n % SLOTS, or, each third, moves that slot to the other partition. So what is there tells after which commit it was taken. */
enum { WRITERS = 3, SLOTS = 4 };

struct state {
	long n[SLOTS];
	int side[SLOTS];
};

struct writer {
	pthread_t thread;
	int id;
	_Atomic bool stop;
	_Atomic long committed;
	int failure;
};

static void step(struct state *state, long n)
{
	int slot = (int)(n % SLOTS);
	if (n % 3)
		state->n[slot] = n;
	else
		state->side[slot] = !state->side[slot];
}

static const char *slot_path(char *out, size_t n, const char *root, int writer, int side, int slot)
{
	snprintf(out, n, "%s/Log/%d%c/%d.json", root, writer, side ? 'b' : 'a', slot);
	return out;
}

static int write_number(const char *path, long n)
{
	char document[64];
	int length = snprintf(document, sizeof document, "{\"n\":%ld,\"g\":%ld}", n, n % 5);
	struct outcome outcome = put_steps(path, document, (size_t)length, 0);
	return outcome.open ? outcome.open : outcome.write ? outcome.write : outcome.close;
}

static void *write_log(void *context)
{
	struct writer *w = context;
	struct state state = {.n = {0}};
	char from[512], to[512];
	const char *root = at("");
	for (long n = 1; !w->stop && !w->failure; n++) {
		int slot = (int)(n % SLOTS);
		slot_path(from, sizeof from, root, w->id, state.side[slot], slot);
		if (n % 3)
			w->failure = write_number(from, n);
		else
			w->failure = rename(from, slot_path(to, sizeof to, root, w->id, !state.side[slot], slot)) ? errno : 0;
		step(&state, n);
		w->committed = n;
	}
	return NULL;
}

/* What is there of a writer. False: an item is missing, or at two places. */
static bool read_state(const char *root, int writer, struct state *ret_state)
{
	char path[512], expected[64];
	for (int slot = 0; slot < SLOTS; slot++) {
		int found = 0;
		for (int side = 0; side < 2; side++) {
			const char *document = content(slot_path(path, sizeof path, root, writer, side, slot));
			if (document[0] == '<')
				continue;
			found++;
			ret_state->side[slot] = side;
			if (sscanf(document, "{\"n\":%ld", &ret_state->n[slot]) != 1)
				return false;
			snprintf(expected, sizeof expected, "{\"n\":%ld,\"g\":%ld}", ret_state->n[slot], ret_state->n[slot] % 5);
			if (strcmp(document, expected) != 0)
				return false;
		}
		if (found != 1)
			return false;
	}
	return true;
}

/* After which commit a writer's items were like this; -1: after none. */
static long number_of(const struct state *seen, long last)
{
	struct state state = {.n = {0}};
	for (long n = 0; n <= last; n++) {
		if (n)
			step(&state, n);
		if (memcmp(&state, seen, sizeof state) == 0)
			return n;
	}
	return -1;
}

static void expect_one_number_each(const char *root, const struct writer *writers, long *numbers)
{
	for (int i = 0; i < WRITERS; i++) {
		struct state seen = {.n = {0}};
		cr_expect(read_state(root, i, &seen), "%s: writer %d: an item is not where exactly one is", root, i);
		numbers[i] = number_of(&seen, writers[i].committed + 1);
		cr_expect_geq(numbers[i], 0, "%s: writer %d: this is the state after none of its %ld commits", root, i, writers[i].committed);
	}
}

/* Every item's entry, and no other, with the item's number. */
#define COMPARE_INDEX                                                                                                                            \
	"cd \"%s/Log\" && diff <(jq -r '\"\\(.g)/\\(input_filename | gsub(\"/\"; \",\")) \\(.n)\"' */*.json | sort) "                         \
	"<(cd .index/by-g && jq -r '\"\\(input_filename) \\(.n)\"' */* | sort)"

Test(snapshots, of_a_volume_under_load_hold_each_commit_whole_or_not_at_all)
{
	enum { TAKEN = 3 };
	struct writer writers[WRITERS] = {{.id = 0}};
	long taken[TAKEN][WRITERS], restored[WRITERS];
	char path[512];
	declare("Log", "pk:S sk:S", "gsi by-g g:N ALL", NULL);
	for (int i = 0; i < WRITERS; i++) {
		assert_ok(mkdir(at(text("Log/%da", i)), 0755));
		assert_ok(mkdir(at(text("Log/%db", i)), 0755));
		for (int slot = 0; slot < SLOTS; slot++)
			cr_assert_eq(write_number(slot_path(path, sizeof path, at(""), i, 0, slot), 0), 0);
		writers[i].id = i;
	}
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_log, &writers[i]), 0);
	for (int t = 0; t < TAKEN; t++) {
		for (int i = 0; i < WRITERS; i++)
			for (long from = writers[i].committed; writers[i].committed < from + 20 && !writers[i].failure;)
				poll(NULL, 0, 1);
		expect_ok(take(text("s%d", t)));
		assert_sh(text("tar --format=posix -C \"$M/.itemfs/snapshots/s%d\" -cf \"$D/s%d.tar\" .", t, t));
		expect_one_number_each(at(text(SNAPSHOTS "s%d", t)), writers, taken[t]);
		expect_sh(text(COMPARE_INDEX, at(text(SNAPSHOTS "s%d", t))), "");
	}
	for (int i = 0; i < WRITERS; i++) {
		writers[i].stop = true;
		pthread_join(writers[i].thread, NULL);
		cr_expect_eq(writers[i].failure, 0, "writer %d: %s", i, strerrorname_np(writers[i].failure));
		cr_expect(taken[0][i] < taken[1][i] && taken[1][i] < taken[2][i], "%ld %ld %ld", taken[0][i], taken[1][i], taken[2][i]);
	}
	for (int t = 0; t < TAKEN; t++) {
		mount_new_volume(); /* whose check, when it goes, is a test of the restored one */
		assert_sh(text("tar -C \"$M\" -xf \"$D/s%d.tar\"", t));
		expect_one_number_each(at(""), writers, restored);
		cr_expect_arr_eq(restored, taken[t], sizeof restored);
		expect_sh(text(COMPARE_INDEX, at("")), "");
	}
}
