/* session: why it exists is said in session.h. */
#define FUSE_USE_VERSION 312
#include "fs/session.h"

#include "fs/log.h"
#include "fs/workers.h"
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DEFAULT_THREADS = 32, /* writers that sync wait together in as many (index/commit.c); they are made when they are needed */
	DESCRIPTORS_WANTED = 65536, /* LevelDB keeps its tables open; every read handle of a user is one less */
};

struct session {
	struct fuse_session *fuse;
	int report; /* where the parent listens; -1 in the foreground, and once it was told */
	bool mounted;
};

static const int end_signals[] = {SIGTERM, SIGINT, SIGHUP};
enum { END_SIGNALS = sizeof(end_signals) / sizeof(end_signals[0]) };

/* The one session of this process, for the signal handler; set while session_serve() runs. */
static struct fuse_session *serving;

/* A signal may come just before libfuse's loop goes to sleep, and would then be forgotten until the next request. So it is
 * repeated, each second, until the loop has ended. */
static void on_end_signal(int number)
{
	(void)number;
	fuse_session_exit(serving);
	alarm(1);
}

static void fill_end_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGALRM);
	for (int i = 0; i < END_SIGNALS; i++)
		sigaddset(set, end_signals[i]);
}

/* What was ignored from the start, as by nohup, stays ignored. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN;
}

bool session_is_told_to_end(void)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return false;
	for (int i = 0; i < END_SIGNALS; i++)
		if (sigismember(&pending, end_signals[i]) == 1 && !is_ignored(end_signals[i]))
			return true;
	return false;
}

static void listen_to_signals(void)
{
	struct sigaction action = {.sa_handler = on_end_signal};
	sigset_t set;

	fill_end_set(&set);
	action.sa_mask = set;
	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < END_SIGNALS; i++)
		if (!is_ignored(end_signals[i]))
			sigaction(end_signals[i], &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* From here on the volume is being closed, which a second ^C should not tear apart. */
static void ignore_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	sigaction(SIGALRM, &action, NULL);
	alarm(0);
	for (int i = 0; i < END_SIGNALS; i++)
		sigaction(end_signals[i], &action, NULL);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	rlim_t wanted = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	if (limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	setrlimit(RLIMIT_NOFILE, &limit); /* where it may not be, the old one has to do */
}

/* What the process may have inherited that would do harm: closed standard descriptors (the next file opened would become stdout),
 * and children whose end nobody is told. */
static void settle_process(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	if (fd > STDERR_FILENO)
		close(fd);
	sigaction(SIGCHLD, &standard, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	raise_descriptor_limit();
	umask(077); /* what LevelDB creates is its owner's; the modes in the mount are not touched by this */
}

/* The parent's whole further life. */
static _Noreturn void wait_for_child(pid_t child, int report)
{
	int status;
	char byte;
	ssize_t n;

	do
		n = read(report, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(EXIT_FAILURE);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status)); /* it has said why */
	if (WIFSIGNALED(status))
		log_error("the daemon was killed by signal %d (%s) before the mount answered", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else
		log_error("the daemon was told to end before the mount answered");
	_exit(EXIT_FAILURE);
}

static enum rc go_to_background(int *ret_report, struct why *why)
{
	int ends[2];
	pid_t child;

	/* fusermount3 must not inherit an end of the pipe: with auto_unmount it lives as long as the mount. */
	if (pipe2(ends, O_CLOEXEC) != 0)
		return why_set(why, RC_IO, "cannot make a pipe: %s", strerror(errno));
	child = fork();
	if (child < 0) {
		why_set(why, RC_IO, "cannot fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return RC_IO;
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_child(child, ends[0]);
	}
	close(ends[0]);
	setsid();
	*ret_report = ends[1];
	return RC_OK;
}

enum rc session_begin(const struct options *options, struct session **ret_session, struct why *why)
{
	struct session *session = calloc(1, sizeof(*session));
	enum rc rc = RC_OK;
	sigset_t set;

	if (session == NULL)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	session->report = -1;
	settle_process();
	if (!options->foreground)
		rc = go_to_background(&session->report, why);
	if (rc == RC_OK && chdir("/") != 0)
		rc = why_set(why, RC_IO, "cannot go to /: %s", strerror(errno));
	if (rc != RC_OK) {
		session_free(session);
		return rc;
	}
	fill_end_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	*ret_session = session;
	return RC_OK;
}

static void let_go_of_terminal(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_to_syslog();
	if (fd < 0) {
		log_error("cannot open /dev/null: %s", strerror(errno));
		return;
	}
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		dup2(fd, standard);
	close(fd);
}

void session_announce(void *context)
{
	struct session *session = context;
	ssize_t n;

	if (session->report < 0)
		return;
	/* First the terminal, so that whoever reads our output to its end does not outwait the command. */
	let_go_of_terminal();
	do
		n = write(session->report, "", 1);
	while (n < 0 && errno == EINTR);
	close(session->report);
	session->report = -1;
	if (n != 1) /* the command was broken off while it waited; a mount that nobody knows of should not stay */
		kill(getpid(), SIGTERM);
}

enum rc session_mount(struct session *session, const struct options *options,
		      const struct fuse_lowlevel_ops *operations, void *context, struct why *why)
{
	struct fuse_args arguments;

	if (options_for_libfuse(options, &arguments) != RC_OK)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	session->fuse = fuse_session_new(&arguments, operations, sizeof(*operations), context);
	fuse_opt_free_args(&arguments);
	/* In both cases libfuse or fusermount3 has printed the particulars. */
	if (session->fuse == NULL)
		return why_set(why, RC_INVALID, "libfuse does not take these options");
	if (fuse_session_mount(session->fuse, options->mountpoint) != 0)
		return why_set(why, RC_IO, "cannot mount at %s", options->mountpoint);
	session->mounted = true;
	return RC_OK;
}

struct fuse_session *session_fuse(const struct session *session)
{
	return session->fuse;
}

unsigned session_threads(const struct options *options)
{
	return options->single_thread ? 1 : options->max_threads > 0 ? options->max_threads : DEFAULT_THREADS;
}

enum rc session_serve(struct session *session, const struct options *options, void (*ending)(void *context), void *context, struct why *why)
{
	struct workers_options workers = {.max = session_threads(options), .poll_us = options->poll, .ending = ending, .context = context};
	int result;

	serving = session->fuse;
	listen_to_signals();
	result = workers_serve(session->fuse, &workers);
	ignore_signals();
	serving = NULL;
	if (result < 0 && result != -ECONNABORTED) /* that is an unmount, too: one that came while a request was being read */
		return why_set(why, RC_IO, "the mount at %s failed: %s", options->mountpoint, strerror(-result));
	return RC_OK;
}

void session_unmount(struct session *session)
{
	if (session->mounted)
		fuse_session_unmount(session->fuse);
	session->mounted = false;
}

void session_free(struct session *session)
{
	if (session == NULL)
		return;
	session_unmount(session);
	if (session->fuse != NULL)
		fuse_session_destroy(session->fuse);
	if (session->report >= 0)
		close(session->report);
	free(session);
}
