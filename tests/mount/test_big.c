/* Big directories: listed in constant memory and in order, removed to the end, and right while names come and go.
 *
 * 20,000 items and 5,000 partitions by default; ITEMFS_BIG=1000000 makes it a million of each, and pauses for a minute. What the daemon holds for itself
 * (RssAnon: the engine's files are mapped, and pages of theirs are the kernel's to drop) is watched while a listing goes on, printed, and bounded where there are a million.
 */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>
#include <time.h>

enum { GROWTH_MAX_KB = 24 << 10 };

static int items, partitions, pause_seconds;
static bool measured; /* few names prove nothing about memory, where the engine's own comes and goes by megabytes */

static void setup(void)
{
	const char *big = getenv("ITEMFS_BIG");
	items = big ? atoi(big) : 20000;
	partitions = big ? atoi(big) : 5000;
	pause_seconds = big ? 60 : 2;
	measured = big;
	/* What a sanitizer keeps of freed memory is not what the daemon holds. */
	setenv("ASAN_OPTIONS",
	       "detect_leaks=1:abort_on_error=0:exitcode=99:quarantine_size_mb=1:thread_local_quarantine_size_kb=64",
	       0);
	mount_setup();
	setenv("M", at(""), 1);
	assert_ok(mkdir(at("Big"), 0755));
}

TestSuite(big, .init = setup, .fini = mount_teardown, .timeout = 7200);

static void item_name(int i, char out[32])
{
	snprintf(out, 32, "%08d.json", i);
}

static int put_one(int dir, int i)
{
	char name[32];
	item_name(i, name);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	ssize_t wrote = write(fd, "{\"v\":1}", 7);
	return close(fd) == 0 && wrote == 7 ? 0 : -1;
}

static int make_part(const char *directory, int count, int part, int parts, bool directories)
{
	int dir = open(at(directory), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = part; i < count; i += parts) {
		char name[32];
		snprintf(name, sizeof name, "p%08d", i);
		if (directories ? mkdirat(dir, name, 0755) : put_one(dir, i))
			return -1;
	}
	close(dir);
	return 0;
}

/* By two processes: the daemon takes its commits from both at once. */
static void make(const char *directory, int count, bool directories)
{
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	pid_t other = fork();
	cr_assert_geq(other, 0);
	if (other == 0)
		_exit(make_part(directory, count, 1, 2, directories) ? 1 : 0);
	int status = -1;
	int failed = make_part(directory, count, 0, 2, directories);
	cr_assert(failed == 0, "%s: %s", directory, strerror(errno));
	cr_assert(waitpid(other, &status, 0) == other && status == 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	fprintf(stderr, "big: %d %s made in %.1f s\n", count, directories ? "partitions" : "items", seconds);
}

/* A field of the daemon's /proc/PID/status, in kB. */
static long memory(const char *field)
{
	char line[256];
	long kb = -1;
	FILE *status = fopen(text("/proc/%d/status", (int)mount_pid()), "r");
	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
			kb = atol(line + strlen(field) + 1);
	if (status)
		fclose(status);
	return kb;
}

/* Runs a command and watches the daemon's own memory meanwhile; how far it grew, in kB. */
static long growth_during(const char *what, const char *command)
{
	long before = memory("RssAnon"), most = before;
	int status = -1;
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		_exit(sh(command) == 0 ? 0 : 1);
	while (waitpid(child, &status, WNOHANG) == 0) {
		long now = memory("RssAnon");
		most = now > most ? now : most;
		poll(NULL, 0, 10);
	}
	cr_expect_eq(status, 0, "%s", command);
	fprintf(stderr, "big: %s: the daemon's own memory went from %ld to %ld kB; its peak (VmHWM) is %ld kB\n", what,
		before, most, memory("VmHWM"));
	return most - before;
}

/* Not by sh(), which is impatient. */
static void remove_all(const char *directory)
{
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	cr_assert_eq(system(text("rm -r \"$M/%s\"", directory)), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(stderr, "big: rm -r of it took %lld s; the daemon's peak (VmHWM) is %ld kB\n",
		(long long)(end.tv_sec - begin.tv_sec), memory("VmHWM"));
}

Test(big, a_partition_of_many_items_lists_in_order_and_in_constant_memory)
{
	assert_ok(mkdir(at("Big/p"), 0755));
	make("Big/p", items, false);
	mount_again();
	expect_sh("ls -f \"$M/Big/p\" | wc -l", text("%d\n", items + 2));
	long growth = growth_during("ls -f of a partition", "ls -f \"$M/Big/p\" > \"$D/names\"");
	cr_expect(!measured || growth < GROWTH_MAX_KB, "%ld kB", growth);
	expect_sh(text("grep -v '^\\.' \"$D/names\" | cmp - <(seq -f %%08.0f.json 0 %d)", items - 1), "");
	growth = growth_during("and again", "ls -f \"$M/Big/p\" > \"$D/names\"");
	cr_expect(!measured || growth < GROWTH_MAX_KB, "%ld kB", growth);
	remove_all("Big/p");
	cr_expect_not(exists("Big/p"));
	cr_expect_str_eq(listing("Big"), "");
}

Test(big, a_table_of_many_partitions_lists_in_order_and_in_constant_memory)
{
	make("Big", partitions, true);
	mount_again();
	expect_sh("ls -f \"$M/Big\" | wc -l", text("%d\n", partitions + 2));
	long growth = growth_during("ls -f of a table", "ls -f \"$M/Big\" > \"$D/names\"");
	cr_expect(!measured || growth < GROWTH_MAX_KB, "%ld kB", growth);
	expect_sh(text("grep -v '^\\.' \"$D/names\" | cmp - <(seq -f p%%08.0f 0 %d)", partitions - 1), "");
	remove_all("Big");
	cr_expect_str_eq(listing(""), "");
}

/* Which names a listing has told, and how often. */
struct seen {
	unsigned char *times;
	int count, last;
	bool in_order;
};

static struct seen seen_new(int count)
{
	return (struct seen){.times = kept(calloc((size_t)count, 1)), .count = count, .last = -1, .in_order = true};
}

static bool seen_next(struct seen *seen, DIR *dir)
{
	errno = 0;
	struct dirent *e = readdir(dir);
	cr_assert(e || !errno, "%s", strerror(errno));
	if (!e)
		return false;
	if (e->d_name[0] == '.')
		return true;
	int i = atoi(e->d_name);
	cr_assert(i >= 0 && i < seen->count, "%s", e->d_name);
	seen->times[i]++;
	if (i % 2 == 0) { /* what is created and not stored yet comes first */
		seen->in_order &= i > seen->last;
		seen->last = i;
	}
	return true;
}

/* Even numbers stay; odd ones come and go. */
static void make_even(const char *directory, int count)
{
	int dir = open(at(directory), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < count; i += 2)
		cr_assert_eq(put_one(dir, i), 0);
	close(dir);
}

static void remove_one(int dir, int i)
{
	char name[32];
	item_name(i, name);
	unlinkat(dir, name, 0);
}

static void expect_even_once(const struct seen *seen, const char *when)
{
	int missing = 0, repeated = 0;
	for (int i = 0; i < seen->count; i++) {
		missing += i % 2 == 0 && !seen->times[i];
		repeated += seen->times[i] > 1;
	}
	cr_expect(missing == 0 && repeated == 0 && seen->in_order, "%s: %d are missing, %d are repeated, in order: %d",
		  when, missing, repeated, seen->in_order);
}

enum { MOVING = 10000 };

Test(big, names_that_come_and_go_neither_hide_nor_repeat_the_others)
{
	assert_ok(mkdir(at("Big/p"), 0755));
	make_even("Big/p", MOVING);
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	pid_t mover = fork();
	cr_assert_geq(mover, 0);
	if (mover == 0) { /* until its pipe is closed */
		int dir = open(at("Big/p"), O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct pollfd end = {.fd = ends[0]};
		close(ends[1]);
		for (unsigned i = 1; poll(&end, 1, 0) == 0; i = (i + 7918) % MOVING) {
			put_one(dir, (int)(i | 1));
			remove_one(dir, (int)((i + MOVING / 2) % MOVING | 1));
		}
		_exit(0);
	}
	close(ends[0]);
	for (int round = 0; round < 20; round++) {
		struct seen seen = seen_new(MOVING);
		DIR *dir = opendir(at("Big/p"));
		cr_assert_not_null(dir);
		while (seen_next(&seen, dir))
			if (seen.last % 500 == 0)
				poll(NULL, 0, 1);
		closedir(dir);
		expect_even_once(&seen, text("round %d", round));
	}
	close(ends[1]);
	cr_assert_eq(waitpid(mover, NULL, 0), mover);
}

Test(big, what_is_removed_while_it_is_listed_hides_no_neighbour)
{
	/* As rm -r and find -delete do: each name goes as soon as it is told. */
	assert_ok(mkdir(at("Big/p"), 0755));
	make_even("Big/p", MOVING);
	int at_dir = open(at("Big/p"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct seen seen = seen_new(MOVING);
	DIR *dir = opendir(at("Big/p"));
	while (seen_next(&seen, dir))
		if (seen.last >= 0)
			remove_one(at_dir, seen.last);
	closedir(dir);
	close(at_dir);
	expect_even_once(&seen, "removed while listed");
	cr_expect_str_eq(listing("Big/p"), "");
	make_even("Big/p", MOVING);
	assert_sh("find \"$M/Big/p\" -name '*.json' -delete");
	cr_expect_str_eq(listing("Big/p"), "");
}

Test(big, telldir_and_seekdir_come_back_to_the_same_name_and_rewinddir_sees_what_is_new)
{
	enum { COUNT = 3000 };
	static long where[COUNT + 16];
	static char names[COUNT + 16][32];
	int count = 0;
	assert_ok(mkdir(at("Big/p"), 0755));
	make("Big/p", COUNT, false);
	DIR *dir = opendir(at("Big/p"));
	cr_assert_not_null(dir);
	for (where[0] = telldir(dir);; where[++count] = telldir(dir)) {
		struct dirent *e = readdir(dir);
		if (!e)
			break;
		snprintf(names[count], sizeof names[count], "%.31s", e->d_name);
	}
	cr_expect_eq(count, COUNT + 2);
	unsigned random = 1;
	for (int i = 0; i < 500; i++) {
		random = random * 1103515245u + 12345u;
		int to = (int)((random >> 8) % (unsigned)(count - 3));
		seekdir(dir, where[to]);
		for (int j = 0; j < 3; j++) {
			struct dirent *e = readdir(dir);
			cr_assert(e && strcmp(e->d_name, names[to + j]) == 0, "at %d: %s, not %s", to + j,
				  e ? e->d_name : "(end)", names[to + j]);
		}
	}
	seekdir(dir, where[count]);
	cr_expect_null(readdir(dir));
	expect_ok(put("Big/p/00000000a.json", "{}"));
	expect_ok(unlink(at("Big/p/00000001.json")));
	rewinddir(dir);
	bool fresh = false, gone = true;
	int again = 0;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir), again++) {
		fresh |= strcmp(e->d_name, "00000000a.json") == 0;
		gone &= strcmp(e->d_name, "00000001.json") != 0;
	}
	closedir(dir);
	cr_expect(fresh && gone && again == count, "new: %d, gone: %d, %d names", fresh, gone, again);
}

Test(big, a_listing_that_pauses_goes_on_where_it_was)
{
	assert_ok(mkdir(at("Big/p"), 0755));
	make_even("Big/p", MOVING);
	int at_dir = open(at("Big/p"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct seen seen = seen_new(MOVING);
	DIR *dir = opendir(at("Big/p"));
	while (seen.last < MOVING / 2 && seen_next(&seen, dir))
		;
	/* Meanwhile the engine writes, merges and forgets: names come before and behind, go before and behind. */
	for (int i = 1; i < MOVING; i += 2)
		cr_assert_eq(put_one(at_dir, i), 0);
	for (int i = 1; i < MOVING; i += 4)
		remove_one(at_dir, i);
	assert_sh("cd \"$M/Big/p\" && head -c 12000000 /dev/zero > plain && sync plain && rm plain");
	poll(NULL, 0, pause_seconds * 1000);
	while (seen_next(&seen, dir))
		;
	closedir(dir);
	close(at_dir);
	expect_even_once(&seen, "after a pause");
}
