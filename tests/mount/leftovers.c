#include "tests/mount/leftovers.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *base(void)
{
	const char *dir = getenv("TMPDIR");
	return dir && *dir ? dir : "/tmp";
}

void leftovers_template(pid_t runner, char *ret_template, size_t n)
{
	snprintf(ret_template, n, "%s/itemfs-test.%d.XXXXXX", base(), (int)runner);
}

static FILE *failures(pid_t runner, const char *mode)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/itemfs-test.%d.failures", base(), (int)runner);
	return fopen(path, mode);
}

void leftovers_tell(pid_t runner, const char *words)
{
	FILE *file = failures(runner, "ae");
	if (!file) {
		perror("the list of failures");
		abort(); /* a test that ends so fails the run, too */
	}
	fprintf(file, "%s\n", words);
	fclose(file);
}

bool leftovers_told(pid_t runner)
{
	FILE *file = failures(runner, "re");
	if (!file)
		return false;
	fputs("At the end of tests:\n", stderr);
	for (int c = getc(file); c != EOF; c = getc(file))
		putc(c, stderr);
	fclose(file);
	return true;
}

int leftovers_unmount(const char *mountpoint, int lazy)
{
	int status = -1;
	pid_t pid = fork();
	if (pid < 0)
		return 127;
	if (pid == 0) {
		execlp("fusermount3", "fusermount3", lazy ? "-uz" : "-u", "-q", "--", mountpoint, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_DP || type == FTW_DNR)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

void leftovers_remove(const char *path)
{
	nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Whether the name is one of ours and its runner the one that is meant. */
static int is_ours(const char *name, pid_t runner)
{
	static const char prefix[] = "itemfs-test.";
	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return 0;
	int pid = atoi(name + sizeof prefix - 1);
	if (pid <= 0)
		return 0;
	return runner ? pid == (int)runner : kill(pid, 0) < 0 && errno == ESRCH;
}

/* Whether something is mounted there, alive or dead. */
static int is_mounted(const char *path, const char *point)
{
	struct stat outer, inner;
	if (stat(path, &outer) < 0)
		return 0;
	if (stat(point, &inner) < 0)
		return errno == ENOTCONN;
	return inner.st_dev != outer.st_dev;
}

void leftovers_clear(pid_t runner)
{
	DIR *dir = opendir(base());
	if (!dir)
		return;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (!is_ours(e->d_name, runner))
			continue;
		char path[PATH_MAX], point[PATH_MAX + 8];
		snprintf(path, sizeof path, "%s/%s", base(), e->d_name);
		snprintf(point, sizeof point, "%s/mnt", path);
		while (is_mounted(path, point) && leftovers_unmount(point, 1) == 0)
			;
		leftovers_remove(path);
	}
	closedir(dir);
}
