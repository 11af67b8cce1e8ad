/* The threads that serve (fs/workers.h): those who take turns are few, however many there are; polling does not keep an idle mount busy. */
#include "tests/mount/harness.h"
#include "tests/mount/slow_mount.h"

#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>

TestSuite(workers, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

enum { THREADS_MAX = 256, SPARE_MAX = 8, TAKE_TURNS = SPARE_MAX + 2, BURSTS = 200, TICK_MS = 20, SAMPLES = 20, PATIENCE_TICKS = 6000 };

struct run_times {
	size_t n;
	struct {
		long thread;
		unsigned long long ns;
	} of[THREADS_MAX];
};

/* What each thread of the daemon that serves has computed so far. */
static struct run_times run_times(void)
{
	struct run_times times = {0};
	DIR *tasks = opendir(text("/proc/%d/task", mount_pid()));

	cr_assert_not_null(tasks);
	for (struct dirent *task; (task = readdir(tasks)) && times.n < THREADS_MAX;) {
		const char *of = text("/proc/%d/task/%s", mount_pid(), task->d_name);

		if (task->d_name[0] == '.' || strcmp(content(text("%s/comm", of)), "itemfs-worker\n") != 0)
			continue;
		times.of[times.n].thread = atol(task->d_name);
		times.of[times.n++].ns = strtoull(content(text("%s/schedstat", of)), NULL, 10);
	}
	closedir(tasks);
	return times;
}

static size_t how_many_ran(const struct run_times *before, const struct run_times *after)
{
	size_t ran = 0;

	for (size_t i = 0; i < after->n; i++) {
		size_t j = 0;

		while (j < before->n && before->of[j].thread != after->of[i].thread)
			j++;
		ran += j == before->n || before->of[j].ns != after->of[i].ns;
	}
	return ran;
}

/* Until no thread computes: none has done so in a row of samples. */
static bool await_rest(void)
{
	int same = 0;
	size_t mark = kept_mark();
	struct run_times before = run_times();

	for (int tick = 0; same < SAMPLES && tick < PATIENCE_TICKS; tick++) {
		poll(NULL, 0, TICK_MS);
		struct run_times now = run_times();
		same = how_many_ran(&before, &now) == 0 ? same + 1 : 0;
		before = now;
		kept_until(mark);
	}
	return same == SAMPLES;
}

enum { BURST = 24 };

static const char burst_words[] = "mkdir -p $M/Tab/p; for i in {1..24}; do dd if=<(printf '{\"i\":%d}' $i) of=$M/Tab/p/$i conv=fsync status=none & done; wait";

/* Writers that sync wait in the daemon, and so it makes a thread for each: as many as the disk is slow. */
static void burst(void)
{
	assert_sh(burst_words);
}

/* One of them is held, and the others wait for it. */
static void burst_of_many(struct latch *latch)
{
	size_t mark = kept_mark();
	int status = -1;
	pid_t pid;

	latch_set(latch, SLOW_SYNC, 1);
	pid = fork();
	if (pid == 0)
		_exit(sh(burst_words));
	for (int tick = 0; run_times().n < BURST && tick < PATIENCE_TICKS; tick++) {
		kept_until(mark);
		poll(NULL, 0, TICK_MS);
	}
	latch_open(latch);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_assert_geq(run_times().n, BURST);
}

Test(workers, one_user_is_served_by_few_of_many)
{
	struct run_times before, after;

	mount_down();
	burst_of_many(slow_mount_up());
	cr_assert(await_rest());
	before = run_times();
	assert_sh("for i in {1..500}; do echo '{\"i\":'$i'}' >$M/Tab/p/one; read -r line <$M/Tab/p/one; [[ $line == '{\"i\":'$i'}' ]] || exit; done");
	after = run_times();
	cr_expect_leq(how_many_ran(&before, &after), TAKE_TURNS, "%zu of %zu threads served one user", how_many_ran(&before, &after), after.n);
}

/* With several, each answer wakes the user, who asks again before the thread that answered runs again; so they would take turns for nothing. */
Test(workers, on_one_processor_one_user_is_served_by_one_thread)
{
	size_t ran = 0;

	mount_down();
	setenv("ITEMFS_ONE_PROCESSOR", "1", 1);
	mount_up(NULL);
	burst();
	/* Where others use the processor, too, a thread seems to hang; then another is called. */
	for (int tries = 0; ran != 1 && tries < BURSTS; tries++) {
		size_t mark = kept_mark();
		struct run_times before = run_times();

		assert_sh("for i in {1..50}; do echo '{\"i\":'$i'}' >$M/Tab/p/one; read -r line <$M/Tab/p/one; [[ $line == '{\"i\":'$i'}' ]] || exit; done");
		struct run_times after = run_times();
		ran = how_many_ran(&before, &after);
		kept_until(mark);
	}
	cr_expect_eq(ran, 1, "%zu threads served one user", ran);
}

Test(workers, on_one_processor_others_are_served_while_one_takes_long)
{
	mount_down();
	setenv("ITEMFS_ONE_PROCESSOR", "1", 1);
	burst_of_many(slow_mount_up());
	expect_sh("ls $M/Tab/p | wc -l", "24\n");
}

Test(workers, polling_ends_when_nobody_asks)
{
	mount_down();
	mount_up("poll=1000");
	burst();
	expect_sh("cat $M/Tab/p/{1..24} | tr -d '\\n' | wc -c", "183\n");
	cr_expect(await_rest(), "an idle mount computes");
}

Test(workers, one_thread_is_enough_and_polls_too)
{
	mount_down();
	mount_up("max_threads=1,poll=50");
	burst();
	burst();
	expect_sh("ls $M/Tab/p | wc -l", "24\n");
	cr_expect_eq(run_times().n, 1);
}

static bool has_thread(const char *name)
{
	return sh(text("grep -qx '%s' /proc/%d/task/*/comm", name, mount_pid())) == 0;
}

Test(workers, every_thread_is_called_by_what_it_does)
{
	/* More than the engine keeps in memory, by few and by large writes: some of them set its thread going. */
	mount_down();
	mount_up("memtable=8");
	assert_sh("mkdir -p $M/Tab/p; for i in 1 2 3; do head -c 8M /dev/urandom >$M/Tab/p/$i || exit; done");
	cr_expect(await(has_thread, "itemfs-store"));
	cr_expect(has_thread("itemfs"));
	cr_expect(has_thread("itemfs-worker"));
	cr_expect(has_thread("itemfs-index"));
	cr_expect(has_thread("itemfs-notify"));
	assert_sh(text("sort -u /proc/%d/task/*/comm | grep -cvx itemfs-deputy", mount_pid())); /* which is there on one processor only */
	cr_expect_str_eq(sh_output(), "5\n");
}
