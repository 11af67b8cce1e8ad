/* The life of a test's volume, mountpoint and daemon. See harness.h. */
#include "tests/mount/harness.h"
#include "tests/mount/leftovers.h"
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { PATIENCE_MS = 120000, TICK_MS = 5, KEPT_MAX = 1 << 16 };

static char directory[PATH_MAX - 64]; /* the test's own; "" before setup */
static pid_t daemon_pid;              /* 0: none is up */
static unsigned volumes;              /* how many this test has had */
static char volume_path[PATH_MAX];

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static void *kept_blocks[KEPT_MAX];
static size_t kept_count;

void *kept(void *block)
{
	pthread_mutex_lock(&kept_lock);
	cr_assert(kept_count < KEPT_MAX, "the harness keeps too much");
	kept_blocks[kept_count++] = block;
	pthread_mutex_unlock(&kept_lock);
	return block;
}

size_t kept_mark(void)
{
	return kept_count;
}

void kept_until(size_t mark)
{
	while (kept_count > mark)
		free(kept_blocks[--kept_count]);
}

const char *text(const char *format, ...)
{
	char *s = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&s, format, args);
	va_end(args);
	cr_assert(n >= 0);
	return kept(s);
}

const char *repeated(char letter, size_t n)
{
	char *s = (char *)text("%*s", (int)n, "");
	memset(s, letter, n);
	return s;
}

const char *scratch(const char *name)
{
	return text("%s/%s", directory, name);
}

const char *at(const char *path)
{
	if (*path == '/')
		return path;
	return *path ? text("%s/mnt/%s", directory, path) : text("%s/mnt", directory);
}

const char *volume(void)
{
	return volume_path;
}

pid_t mount_pid(void)
{
	return daemon_pid;
}

const char *mount_said(void)
{
	return content(scratch("daemon.log"));
}

static void tick(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
}

bool await(bool (*is)(const char *path), const char *path)
{
	for (int waited = 0; !is(path); waited += TICK_MS) {
		if (waited > PATIENCE_MS)
			return false;
		tick();
	}
	return true;
}

bool is_gone(const char *path)
{
	return !exists(path);
}

static bool is_mounted(const char *point)
{
	struct stat outer, inner;
	return stat(directory, &outer) == 0 && stat(point, &inner) == 0 && inner.st_dev != outer.st_dev;
}

/* ITEMFS_ONE_PROCESSOR: as on a small machine. */
static void settle_on_one_processor(void)
{
	cpu_set_t all, one;
	int processor = 0;
	if (sched_getaffinity(0, sizeof all, &all) != 0)
		return;
	while (!CPU_ISSET(processor, &all))
		processor++;
	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	sched_setaffinity(0, sizeof one, &one);
}

static void child_becomes_daemon(const char *options, pid_t parent)
{
	const char *point = at("");
	int log = open(scratch("daemon.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	setenv("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99", 0);
	setenv("UBSAN_OPTIONS", "print_stacktrace=1", 0);
	setenv("TSAN_OPTIONS", "suppressions=" TSAN_SUPPRESSIONS, 0);
	if (getenv("ITEMFS_ONE_PROCESSOR"))
		settle_on_one_processor();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	const char *program = getenv("ITEMFS_PROGRAM") ? getenv("ITEMFS_PROGRAM") : ITEMFS;
	execl(program, "itemfs", "-f", volume_path, point, options ? "-o" : NULL, options, (char *)NULL);
	dprintf(2, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

void mount_up(const char *options)
{
	cr_assert(daemon_pid == 0, "a daemon is up already");
	pid_t parent = getpid();
	const char *point = at("");
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0)
		child_becomes_daemon(options, parent);
	daemon_pid = pid;
	for (int waited = 0; !is_mounted(point); waited += TICK_MS) {
		int status = 0;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			daemon_pid = 0;
			cr_assert(false, "the daemon ended (wait status %d) instead of mounting: %s", status,
				  mount_said());
		}
		cr_assert(waited <= PATIENCE_MS, "the mount does not answer: %s", mount_said());
		tick();
	}
}

/* Waits for the daemon's end; its wait status, or -1 where it did not come and had to be killed. */
static int daemon_ended(void)
{
	int status = -1;
	pid_t pid = daemon_pid;
	daemon_pid = 0;
	for (int waited = 0; waited <= PATIENCE_MS; waited += TICK_MS) {
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return status;
		if (got < 0)
			return -1;
		tick();
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

/* Fails the test, also where Criterion no longer listens: what .fini finds would otherwise be printed and not counted. */
__attribute__((format(printf, 1, 2))) static void fails(const char *format, ...)
{
	char *words = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&words, format, args);
	va_end(args);
	cr_assert(n >= 0);
	leftovers_tell(getppid(), words);
	cr_expect(false, "%s", words);
	free(words);
}

static void expect_no_report(void)
{
	const char *said = mount_said();
	bool bad = strstr(said, "AddressSanitizer") || strstr(said, "LeakSanitizer") || strstr(said, "runtime error") ||
		   strstr(said, "ThreadSanitizer");
	if (bad)
		fails("a sanitizer reports: %s", said);
}

static void expect_clean_end(void)
{
	int status = daemon_ended();
	if (status != 0)
		fails("the daemon's end is not clean (wait status %d): %s", status, mount_said());
	expect_no_report();
}

void mount_down(void)
{
	if (daemon_pid == 0)
		return;
	const char *point = at("");
	int unmounted = 1;
	for (int waited = 0; unmounted != 0 && waited <= PATIENCE_MS / 4; waited += 20 * TICK_MS) {
		unmounted = leftovers_unmount(point, 0);
		if (unmounted != 0)
			poll(NULL, 0, 20 * TICK_MS);
	}
	if (unmounted != 0) {
		fails("fusermount3 -u gives %d; the daemon says: %s", unmounted, mount_said());
		leftovers_unmount(point, 1);
	}
	expect_clean_end();
}

void mount_stop(void)
{
	kill(daemon_pid, SIGTERM);
	expect_clean_end();
	while (is_mounted(at("")) && leftovers_unmount(at(""), 1) == 0)
		;
}

void mount_again(void)
{
	mount_down();
	mount_up(NULL);
}

void mount_kill(void)
{
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
	leftovers_unmount(at(""), 1);
}

static void volume_name(void)
{
	snprintf(volume_path, sizeof volume_path, "%s/volume%u", directory, ++volumes);
}

void mount_new_volume(void)
{
	mount_down();
	volume_name();
	mount_up(NULL);
}

int fsck_volume(const char *path)
{
	return sh(text("'%s' '%s'", FSCK_ITEMFS, path));
}

void scratch_setup(void)
{
	leftovers_template(getppid(), directory, sizeof directory);
	cr_assert(mkdtemp(directory), "%s: %s", directory, strerror(errno));
	volume_name();
	assert_ok(mkdir(at(""), 0755));
}

void mount_setup(void)
{
	scratch_setup();
	mount_up(NULL);
}

void mount_teardown(void)
{
	if (!*directory)
		return;
	mount_down();
	while (is_mounted(at("")) && leftovers_unmount(at(""), 1) == 0)
		;
	for (unsigned i = 1; i <= volumes; i++) {
		const char *path = scratch(text("volume%u", i));
		if (!exists(text("%s/lock", path)))
			continue;
		int status = fsck_volume(path);
		if (status != 0)
			fails("fsck.itemfs gives %d: %s", status, sh_output());
	}
	leftovers_remove(directory);
	kept_until(0);
}
