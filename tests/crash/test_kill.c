/* kill -9 of the daemon in the middle of a write load: what was acknowledged is there, and the volume is whole.
 *
 * Acknowledged is (DESIGN.md, part 2, 4) a close after a write, an fsync, a rename. Each writer has items of its own and writes growing numbers into
 * them; it notes, in memory that the test shares, a number before it begins (tried) and after it was acknowledged (done), and how often that was
 * (times). After the kill each item must hold a whole document with done <= number <= tried. No machine crashes here, so what LevelDB has handed to
 * the kernel is there.
 */
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { KILLS = 20, WRITERS = 3, ITEMS = 8 };

struct note {
	volatile unsigned tried, done, times;
};

static void setup(void)
{
	mount_setup();
	declare("Load", "p:S s:S", "gsi by-kind kind:S n:N ALL", "gsi by-s s:S KEYS_ONLY", NULL);
	for (int i = 0; i < WRITERS; i++)
		assert_ok(mkdir(at(text("Load/w%d", i)), 0755));
}

TestSuite(kill, .init = setup, .fini = mount_teardown, .timeout = 600);

static bool write_number(const char *path, unsigned number, bool sync)
{
	char words[256];
	int n = snprintf(words, sizeof words, "{\"n\":%u,\"kind\":\"k%u\",\"again\":%u}\n", number, number % 3, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool good = write(fd, words, (size_t)n) == n && (!sync || fsync(fd) == 0);
	return close(fd) == 0 && good;
}

/* Writes until the mount is dead: plainly, with fsync, and by a plain file that is renamed onto the item, in turn. */
static void write_on(const char *dir, struct note *notes, unsigned from)
{
	char path[4096], other[4096 + 8];
	for (unsigned i = from;; i++) {
		struct note *note = &notes[i % ITEMS];
		snprintf(path, sizeof path, "%s/item%u.json", dir, i % ITEMS);
		snprintf(other, sizeof other, "%s.tmp", path);
		note->tried = i;
		bool good;
		if (i / ITEMS % 3 == 2)
			good = write_number(other, i, false) && rename(other, path) == 0;
		else
			good = write_number(path, i, i / ITEMS % 3 == 1);
		if (!good)
			_exit(0);
		note->done = i;
		note->times++;
	}
}

static void expect_acknowledged(unsigned writer, const struct note *notes)
{
	for (unsigned k = 0; k < ITEMS; k++) {
		const char *path = text("Load/w%u/item%u.json", writer, k);
		const char *got = content(path);
		unsigned n = 0, again = 0, kind = 0;
		bool there = sscanf(got, "{\"n\":%u,\"kind\":\"k%u\",\"again\":%u}\n", &n, &kind, &again) == 3;
		if (!there) {
			/* An item that was never acknowledged need not be there. */
			cr_expect(notes[k].done == 0 && !strcmp(got, "<ENOENT>"), "%s: %s (acknowledged %u)", path, got,
				  notes[k].done);
			continue;
		}
		cr_expect(n == again && kind == n % 3, "%s: %s", path, got);
		cr_expect(n >= notes[k].done && n <= notes[k].tried, "%s holds %u, acknowledged was %u, tried %u", path,
			  n, notes[k].done, notes[k].tried);
	}
}

static unsigned long acknowledged(const struct note *notes)
{
	unsigned long all = 0;
	for (int i = 0; i < WRITERS * ITEMS; i++)
		all += notes[i].times;
	return all;
}

/* Until the load has got somewhere: so many more were acknowledged, however fast the machine is. */
static void await_load(const struct note *notes, unsigned long more)
{
	unsigned long target = acknowledged(notes) + more;
	for (int waited = 0; acknowledged(notes) < target; waited++) {
		cr_assert_lt(waited, 120000, "the writers do not get on");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

Test(kill, twenty_times_in_the_middle_of_a_write_load_loses_nothing_that_was_acknowledged)
{
	size_t room = sizeof(struct note) * WRITERS * ITEMS;
	struct note *notes = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(notes, MAP_FAILED);
	for (int round = 0; round < KILLS; round++) {
		pid_t pids[WRITERS];
		unsigned from = 1;
		for (int i = 0; i < WRITERS * ITEMS; i++)
			from = notes[i].tried >= from ? notes[i].tried + 1 : from;
		for (unsigned w = 0; w < WRITERS; w++) {
			const char *dir = at(text("Load/w%u", w));
			pids[w] = fork();
			if (pids[w] == 0)
				write_on(dir, notes + w * ITEMS, from);
		}
		await_load(notes, 40 + (unsigned long)round * 137 % 500); /* somewhere into it */
		mount_kill();
		for (unsigned w = 0; w < WRITERS; w++)
			waitpid(pids[w], NULL, 0);
		int status = fsck_volume(volume());
		cr_assert(status == 0, "round %d: fsck.itemfs gives %d: %s", round, status, sh_output());
		mount_up(NULL);
		for (unsigned w = 0; w < WRITERS; w++)
			expect_acknowledged(w, notes + w * ITEMS);
		expect_sh("[ $(find \"$M/Load\" -name '*.json' -not -name '.*' | wc -l) = $(find "
			  "\"$M/Load/.index/by-kind\" -type f | wc -l) ] && echo equal",
			  "equal\n");
	}
	munmap(notes, room);
}

/* Indexes come and go meanwhile, so that a kill meets them half built, or half collected. */
Test(kill, in_the_middle_of_building_an_index_leaves_it_right_and_it_goes_on)
{
	enum { ROUNDS = 8 };
	size_t room = sizeof(struct note) * WRITERS * ITEMS;
	struct note *notes = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(notes, MAP_FAILED);
	assert_sh("cd \"$M/Load\" && mkdir many && cd many && for i in {1..600}; do echo \"{\\\"n\\\":$i,\\\"kind\\\":\\\"m\\\"}\" > $i.json; done");
	const char *with = definition("p:S s:S", "gsi by-kind kind:S n:N ALL", "gsi by-s s:S KEYS_ONLY", "gsi by-n n:N ALL", NULL);
	const char *without = definition("p:S s:S", "gsi by-kind kind:S n:N ALL", "gsi by-s s:S KEYS_ONLY", NULL);
	for (int round = 0; round < ROUNDS; round++) {
		const char *dir = at("Load/w0");
		unsigned from = 1;
		for (int i = 0; i < ITEMS; i++)
			from = notes[i].tried >= from ? notes[i].tried + 1 : from;
		pid_t pid = fork();
		if (pid == 0)
			write_on(dir, notes, from);
		assert_ok(put("Load/.schema.json", round % 3 == 2 ? without : with));
		if (round % 2) {
			assert_ok(put("Load/.schema.json", without));
			assert_ok(put("Load/.schema.json", with));
		}
		await_load(notes, 1 + (unsigned long)round * 7);
		mount_kill();
		waitpid(pid, NULL, 0);
		int status = fsck_volume(volume());
		cr_assert(status == 0, "round %d: fsck.itemfs gives %d: %s", round, status, sh_output());
		mount_up(NULL);
		expect_acknowledged(0, notes);
	}
	assert_ok(put("Load/.schema.json", with));
	for (int i = 0; i < 1200 && !strcmp(listing("Load/.index/by-n"), "<EAGAIN>"); i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	expect_sh("[ $(cat \"$M\"/Load/*/*.json | wc -l) = $(cat \"$M\"/Load/.index/by-n/*/* | wc -l) ] && echo equal", "equal\n");
	munmap(notes, room);
}
