/* Endings: however a mount ends, and whatever is under way, the daemon exits with zero, a sanitizer has nothing to say, what was acknowledged is
 * there, and the check finds nothing. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { KEYS = 8, WRITERS = 2, ENOUGH = 20, CLIENTS = WRITERS + 5 };

/* What each writer was told is stored; it writes its keys in turn. */
static struct shared {
	atomic_uint acknowledged[WRITERS][KEYS], total;
} *shared;

static void setup(void)
{
	mount_setup();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	declare("Load", "p:S s:S", "gsi by-n n:N ALL", NULL);
	assert_sh("mkdir $M/Load/w0 $M/Load/w1 $M/Load/moved && for i in {1..2000}; do echo '{\"p\":\"many\",\"s\":\"'$i'\",\"n\":'$((i % 9))'}'; done > $M/Load/.import/a.jsonl");
}

TestSuite(endings, .init = setup, .fini = mount_teardown, .timeout = 600);

static const char *key_of(unsigned writer, unsigned key)
{
	return text("Load/w%u/k%u.json", writer, key);
}

/* All have one length, so that one that is killed while it writes has changed nothing. */
static void write_keys(unsigned writer, unsigned round)
{
	size_t mark = kept_mark();
	for (unsigned n = round * 1000000;; n++) {
		int fd = open(at(key_of(writer, n % KEYS)), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		char document[32];
		int len = snprintf(document, sizeof document, "{\"n\":%9u}", n + 100000000);
		bool ok = fd >= 0 && write(fd, document, (size_t)len) == len;
		if (fd < 0 || close(fd) != 0 || !ok)
			return;
		atomic_store(&shared->acknowledged[writer][n % KEYS], n + 100000000);
		atomic_fetch_add(&shared->total, 1);
		kept_until(mark);
	}
}

static void import_lines(void)
{
	for (;;) {
		int fd = open(at("Load/.import/more.jsonl"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		for (int i = 0; i < 300; i++)
			if (dprintf(fd, "{\"p\":\"more\",\"s\":\"%d\",\"n\":%d}\n", i, i) < 0)
				return;
		if (close(fd) != 0)
			return;
	}
}

static void list_all(const char *path)
{
	DIR *dir;
	while ((dir = opendir(at(path)))) {
		while (readdir(dir))
			;
		closedir(dir);
	}
}

static void move_partition(void)
{
	(void)rename(at("Load/away"), at("Load/moved")); /* as the last round may have left it */
	while (rename(at("Load/moved"), at("Load/away")) == 0 && rename(at("Load/away"), at("Load/moved")) == 0)
		;
}

/* Snapshots that come and go, each with a file of it open. */
static void take_snapshots(void)
{
	while (mkdir(at(".itemfs/snapshots/s"), 0755) == 0) {
		int fd = open(at(".itemfs/snapshots/s/Load/.export/items.csv"), O_RDONLY | O_CLOEXEC);
		char some[4096];
		if (rmdir(at(".itemfs/snapshots/s")) != 0 || read(fd, some, sizeof some) < 0)
			return;
		close(fd);
	}
}

static pid_t client(unsigned which, unsigned round)
{
	pid_t parent = getpid(), pid = fork();
	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (which < WRITERS)
		write_keys(which, round);
	else if (which == WRITERS)
		import_lines();
	else if (which == WRITERS + 1)
		list_all("Load/.where/n/ge/1000");
	else if (which == WRITERS + 2)
		list_all("Load/.index/by-n/3");
	else if (which == WRITERS + 3)
		move_partition();
	else
		take_snapshots();
	_exit(0);
}

static void expect_acknowledged(void)
{
	for (unsigned writer = 0; writer < WRITERS; writer++)
		for (unsigned key = 0; key < KEYS; key++) {
			unsigned told = atomic_load(&shared->acknowledged[writer][key]), is = 0;
			const char *document = content(key_of(writer, key));
			if (!told)
				continue;
			cr_expect_eq(sscanf(document, "{\"n\":%u}", &is), 1, "%s", document);
			cr_expect_geq(is, told, "%s: %u was acknowledged, and there is %u", key_of(writer, key), told, is);
		}
}

static void end_by(int signal)
{
	kill(mount_pid(), signal);
}

/* Rounds: everybody at work, `end`, and SIGTERM, which is the first signal, or one more, or comes too late. `kill_first`: the clients are killed before it. */
static void ends_well(void (*end)(void), bool kill_first)
{
	const char *wanted = getenv("ITEMFS_ROUNDS");
	unsigned rounds = wanted ? (unsigned)atoi(wanted) : 2;
	for (unsigned round = 0; round < rounds; round++) {
		pid_t clients[CLIENTS];
		unsigned before = atomic_load(&shared->total);
		for (unsigned i = 0; i < CLIENTS; i++)
			clients[i] = client(i, round);
		while (atomic_load(&shared->total) < before + ENOUGH)
			if (waitpid(clients[0], NULL, WNOHANG) || usleep(1000))
				cr_assert(false, "a writer was refused");
		end();
		for (unsigned i = 0; kill_first && i < CLIENTS; i++)
			kill(clients[i], SIGKILL);
		mount_stop();
		for (unsigned i = 0; i < CLIENTS; i++) {
			kill(clients[i], SIGKILL);
			waitpid(clients[i], NULL, 0);
		}
		cr_expect_eq(fsck_volume(volume()), 0, "%s", sh_output());
		mount_up(NULL);
		expect_acknowledged();
	}
}

static void hang_up(void)
{
	end_by(SIGHUP);
}

static void interrupt_thrice(void)
{
	for (int i = 0; i < 3; i++)
		end_by(SIGINT);
}

static void stop_and_go_on(void)
{
	end_by(SIGSTOP);
	end_by(SIGTERM);
	end_by(SIGCONT);
}

static void detach(void)
{
	assert_sh("fusermount3 -uz \"$M\"");
}

static void nothing(void)
{
}

Test(endings, by_signals_that_follow_each_other)
{
	ends_well(interrupt_thrice, false);
}

Test(endings, by_sighup)
{
	ends_well(hang_up, false);
}

Test(endings, of_a_daemon_that_was_stopped_meanwhile)
{
	ends_well(stop_and_go_on, false);
}

Test(endings, with_clients_that_are_killed_in_their_requests)
{
	ends_well(nothing, true);
}

Test(endings, by_a_lazy_unmount_while_files_are_open)
{
	ends_well(detach, true);
}
