/* The power goes under a mount that is being written to: what an fsync has covered is there, and the rest is a prefix of what was written.
 *
 * The daemon is an itemfs that notes what it has synced (power.c). It is killed in the middle of the load, and then its volume loses all that was
 * not: each file is cut to the length that it had when it was last synced, and files whose names were not are removed. So it is as the least obliging
 * disk would leave it. test_store_power.c asks the same of the store alone, at every moment at which it can differ.
 *
 * Writers write growing numbers into items of their own, in turns, and note, in memory that the test shares, the number before they begin (tried) and
 * once it must last (durable).
 */
#include "tests/crash/power.h"
#include "tests/mount/harness.h"
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 6, WRITERS = 3, ITEMS = 6, LARGE = 60000, MOST_FILES = 4096, PATIENCE_MS = 120000 };

struct note {
	volatile unsigned tried, durable;
};

static struct load {
	struct note notes[WRITERS][ITEMS];
	volatile unsigned long writes;
} *load;

/* ---- the disk ---- */

struct file {
	ino_t inode;
	off_t length;
	bool named;
};

static struct disk {
	struct file files[MOST_FILES];
	size_t n;
	off_t lost; /* bytes */
} disk;

static struct file *find_file(ino_t inode)
{
	for (size_t i = 0; i < disk.n; i++)
		if (disk.files[i].inode == inode)
			return &disk.files[i];
	cr_assert_lt(disk.n, MOST_FILES);
	disk.files[disk.n] = (struct file){.inode = inode};
	return &disk.files[disk.n++];
}

static int is_on_disk(const char *path, const struct stat *st, int type, struct FTW *unused)
{
	(void)path;
	(void)unused;
	if (type == FTW_F)
		*find_file(st->st_ino) = (struct file){st->st_ino, st->st_size, true};
	return 0;
}

static void walk(int (*visit)(const char *path, const struct stat *st, int type, struct FTW *unused))
{
	cr_assert(nftw(volume(), visit, 16, FTW_PHYS) == 0 || errno == ENOENT);
}

/* What is in the volume before the daemon starts is on the disk. */
static void disk_begins(void)
{
	FILE *notes = fopen(scratch("synced"), "w");
	cr_assert(notes);
	fclose(notes);
	disk.n = 0;
	walk(is_on_disk);
}

static void read_notes(void)
{
	struct power_note note;
	FILE *notes = fopen(scratch("synced"), "r");
	cr_assert(notes);
	while (fread(&note, sizeof note, 1, notes) == 1) {
		struct file *file = find_file(note.inode);
		switch (note.event) {
		case POWER_SYNCED:
			file->length = note.length;
			break;
		case POWER_NAMED:
			file->named = true;
			break;
		case POWER_UNLINKED:
			*file = disk.files[--disk.n];
			break;
		}
	}
	fclose(notes);
}

/* What the file lacks on the disk goes. */
static int cut(const char *path, const struct stat *st, int type, struct FTW *unused)
{
	(void)unused;
	if (type != FTW_F)
		return 0;
	const struct file *file = find_file(st->st_ino);
	off_t left = file->named ? file->length : 0;
	disk.lost += st->st_size - left;
	if (!file->named)
		assert_ok(unlink(path));
	else if (left < st->st_size)
		assert_ok(truncate(path, left));
	return 0;
}

static void power_goes(void)
{
	read_notes();
	walk(cut);
}

static void mount_on_disk(const char *options)
{
	disk_begins();
	setenv("ITEMFS_SYNCED", scratch("synced"), 1);
	mount_up(options);
}

/* ---- the load ---- */

static bool sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static bool write_number(const char *path, unsigned number, bool sync)
{
	static char words[LARGE + 256];
	int pad = number % 5 == 0 ? LARGE : 50;
	int n = snprintf(words, sizeof words, "{\"n\":%u,\"kind\":\"k%u\",\"pad\":\"%0*d\",\"again\":%u}\n", number, number % 3, pad, 0, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool good = write(fd, words, (size_t)n) == n && (!sync || fsync(fd) == 0);
	return close(fd) == 0 && good;
}

/* One write and what makes it last; *ret_lasts: whether anything does. */
static bool write_once(const char *dir, const char *path, unsigned number, bool *ret_lasts)
{
	char other[4200];
	*ret_lasts = true;
	switch (number / ITEMS % 30) {
	case 0:
		return write_number(path, number, true);
	case 10: /* an fsync by somebody who has written nothing */
		snprintf(other, sizeof other, "%.4096s.tmp", path);
		return write_number(other, number, false) && rename(other, path) == 0 && sync_path(path, 0);
	case 20:
		return write_number(path, number, false) && sync_path(dir, O_DIRECTORY);
	default:
		*ret_lasts = false;
		return write_number(path, number, false);
	}
}

static _Noreturn void write_on(const char *dir, struct note *notes, unsigned from, bool all_last)
{
	char path[4096];
	for (unsigned i = from;; i++) {
		struct note *note = &notes[i % ITEMS];
		bool lasts;
		snprintf(path, sizeof path, "%.3000s/item%u.json", dir, i % ITEMS);
		note->tried = i;
		if (!write_once(dir, path, i, &lasts))
			_exit(0);
		if (lasts || all_last)
			note->durable = i;
		__atomic_fetch_add(&load->writes, 1, __ATOMIC_RELAXED);
	}
}

static void write_some(unsigned long more, bool all_last)
{
	pid_t pids[WRITERS];
	unsigned from = 1;
	for (unsigned i = 0; i < WRITERS * ITEMS; i++)
		from = load->notes[i / ITEMS][i % ITEMS].tried >= from ? load->notes[i / ITEMS][i % ITEMS].tried + 1 : from;
	unsigned long target = load->writes + more;
	for (unsigned w = 0; w < WRITERS; w++) {
		const char *dir = at(text("Load/w%u", w));
		pids[w] = fork();
		cr_assert_geq(pids[w], 0);
		if (pids[w] == 0)
			write_on(dir, load->notes[w], from, all_last);
	}
	for (int waited = 0; load->writes < target; waited++) {
		cr_assert_lt(waited, PATIENCE_MS, "the writers do not get on");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	for (unsigned w = 0; w < WRITERS; w++)
		cr_assert_eq(waitpid(pids[w], NULL, WNOHANG), 0, "writer %u gave up before the kill", w);
	mount_kill();
	for (unsigned w = 0; w < WRITERS; w++)
		waitpid(pids[w], NULL, 0);
}

/* ---- what is left ---- */

/* The number that an item holds; 0: it is not there. */
static unsigned number_in(const char *path)
{
	const char *got = content(path), *twice = strstr(got, "\"again\":");
	unsigned n = 0, kind = 0, again = 0;
	if (!strcmp(got, "<ENOENT>"))
		return 0;
	cr_assert(twice && sscanf(got, "{\"n\":%u,\"kind\":\"k%u\"", &n, &kind) == 2 && sscanf(twice, "\"again\":%u}\n", &again) == 1, "%s: %.100s", path, got);
	cr_assert(n == again && kind == n % 3, "%s: %.100s", path, got);
	return n;
}

/* A writer writes its numbers one after another: where one is left, so is all before it. */
static void expect_prefix(unsigned writer)
{
	unsigned numbers[ITEMS], newest = 0;
	for (unsigned k = 0; k < ITEMS; k++) {
		struct note *note = &load->notes[writer][k];
		numbers[k] = number_in(text("Load/w%u/item%u.json", writer, k));
		cr_assert(numbers[k] >= note->durable && numbers[k] <= note->tried, "item%u holds %u; durable was %u, tried %u", k, numbers[k], note->durable,
			  note->tried);
		newest = numbers[k] > newest ? numbers[k] : newest;
	}
	/* What was not durable and is lost is forgotten; the numbers go on after those that were tried, so only this round's count. */
	for (unsigned k = 0; k < ITEMS; k++) {
		struct note *note = &load->notes[writer][k];
		unsigned since = newest - newest % ITEMS + k;
		since -= since > newest ? ITEMS : 0;
		bool this_round = newest >= ITEMS && since > note->durable && load->notes[writer][newest % ITEMS].durable >= since;
		cr_assert(!this_round || numbers[k] >= since, "item%u holds %u, though %u came before %u, which is left", k, numbers[k], since, newest);
		note->durable = numbers[k];
	}
}

static void setup(void)
{
	setenv("ITEMFS_PROGRAM", ITEMFS_POWER, 1);
	scratch_setup();
	load = mmap(NULL, sizeof *load, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(load, MAP_FAILED);
	mount_on_disk(NULL);
	declare("Load", "p:S s:S", "gsi by-kind kind:S n:N ALL", NULL);
	for (int i = 0; i < WRITERS; i++)
		assert_ok(mkdir(at(text("Load/w%d", i)), 0755));
	mount_down();
}

static void teardown(void)
{
	mount_teardown();
	munmap(load, sizeof *load);
}

TestSuite(power, .init = setup, .fini = teardown, .timeout = 600);

static void live_and_die(unsigned rounds, const char *options)
{
	for (unsigned round = 0; round < rounds; round++) {
		mount_on_disk(options);
		write_some(200 + round * 97UL % 300, options != NULL);
		power_goes();
		cr_assert_eq(fsck_volume(volume()), 0, "round %u: %s", round, sh_output());
		mount_on_disk(NULL);
		for (unsigned w = 0; w < WRITERS; w++)
			expect_prefix(w);
		expect_sh("[ $(find \"$M/Load\" -name '*.json' -not -name '.*' | wc -l) = $(find \"$M/Load/.index/by-kind\" -type f | wc -l) ] && echo equal",
			  "equal\n");
		mount_down();
	}
	if (!options)
		cr_expect_gt(disk.lost, 0, "nothing was ever lost, so nothing is shown");
}

Test(power, what_fsync_has_covered_is_there_when_the_power_goes)
{
	live_and_die(ROUNDS, NULL);
}

Test(power, with_o_sync_all_that_was_closed_is_there_when_the_power_goes)
{
	live_and_die(ROUNDS / 2, "sync");
}
