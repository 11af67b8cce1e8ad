/* random_perform: one operation on one side (random.h), by the system calls alone. */
#include "tests/mount/random.h"
#include "tests/mount/harness.h"
#include <dirent.h>

static int write_all(int fd, const char *bytes, size_t n, off_t at)
{
	while (n) {
		ssize_t wrote = at < 0 ? write(fd, bytes, n) : pwrite(fd, bytes, n, at);
		if (wrote < 0)
			return errno;
		bytes += wrote;
		n -= (size_t)wrote;
		at += at < 0 ? 0 : wrote;
	}
	return 0;
}

static int do_put(int root, const struct operation *op)
{
	int fd = openat(root, op->a, op->flags | O_CLOEXEC, op->mode);
	if (fd < 0)
		return errno;
	int failed = write_all(fd, op->bytes, op->n, op->what == REPLACE ? 0 : -1);
	if (!failed && op->what == REPLACE && ftruncate(fd, (off_t)op->n) < 0)
		failed = errno;
	if (!failed && !op->n && fsync(fd) < 0) /* an emptying is acknowledged by fsync */
		failed = errno;
	if (close(fd) < 0 && !failed)
		failed = errno;
	return failed;
}

int random_content(int root, const char *path, struct result *got)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n;
	while ((n = read(fd, got->out + got->n, ROOM - got->n)) > 0)
		got->n += (size_t)n;
	int failed = n < 0 ? errno : 0;
	close(fd);
	return failed;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int do_list(const struct world *w, int root, const char *path, struct result *got)
{
	char *found[256];
	size_t count = 0;
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno;
	for (struct dirent *e = readdir(dir); e && count < 256; e = readdir(dir))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, ".schema.json") &&
		    strstr(e->d_name, w->own))
			found[count++] = strdup(e->d_name);
	closedir(dir);
	qsort(found, count, sizeof *found, by_bytes);
	for (size_t i = 0; i < count; i++) {
		got->n += (size_t)sprintf(got->out + got->n, "%s\n", found[i]);
		free(found[i]);
	}
	return 0;
}

/* What of a stat must agree. A time that was set is far in the past, and must agree to the nanosecond; one that a change made is somewhere now. A directory's is
 * test_metadata.c's. */
static int told(int result, const struct stat *st, struct result *got)
{
	if (result < 0)
		return errno;
	got->n = (size_t)sprintf(got->out, "mode %o", st->st_mode);
	if (!S_ISREG(st->st_mode))
		return 0;
	got->n +=
	    (size_t)sprintf(got->out + got->n, " links %u size %lld", (unsigned)st->st_nlink, (long long)st->st_size);
	if (st->st_mtim.tv_sec > 1700000000)
		got->n += (size_t)sprintf(got->out + got->n, " changed now");
	else
		got->n += (size_t)sprintf(got->out + got->n, " changed %lld.%09ld", (long long)st->st_mtim.tv_sec,
					  st->st_mtim.tv_nsec);
	return 0;
}

static int do_slot(struct world *w, int side, const struct operation *op, struct result *got)
{
	int *fd = &w->fd[side][op->slot], copy;
	struct timespec times[2] = {op->time, op->time};
	struct stat st;
	ssize_t n = 0;
	switch (op->what) {
	case OPEN:
		*fd = openat(w->root[side], op->a, op->flags | O_CLOEXEC, op->mode);
		return *fd < 0 ? errno : 0;
	case WRITE:
	case PWRITE:
		return write_all(*fd, op->bytes, op->n, op->what == PWRITE ? op->at : -1);
	case READ:
	case PREAD:
		n = op->what == READ ? read(*fd, got->out, op->n) : pread(*fd, got->out, op->n, op->at);
		got->n = n < 0 ? 0 : (size_t)n;
		return errno_of(n);
	case SEEK_LAST:
		got->n = (size_t)sprintf(got->out, "%lld", (long long)lseek(*fd, 0, SEEK_END));
		return 0;
	case DUP:
		copy = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return errno;
		n = close(*fd);
		*fd = copy;
		return errno_of(n);
	case CLOSE:
		n = close(*fd);
		*fd = -1;
		return errno_of(n);
	case FTRUNCATE:
		return errno_of(ftruncate(*fd, op->at));
	case FSYNC:
		return errno_of(fsync(*fd));
	case FCHMOD:
		return errno_of(fchmod(*fd, op->mode));
	case FTOUCH:
		return errno_of(futimens(*fd, times));
	default:
		n = fstat(*fd, &st);
		return told((int)n, &st, got);
	}
}

int random_perform(struct world *w, int side, const struct operation *op, struct result *got)
{
	int root = w->root[side];
	struct timespec times[2] = {op->time, op->time};
	struct stat st;
	got->n = 0;
	switch (op->what) {
	case PUT:
	case REPLACE:
		return do_put(root, op);
	case TRUNCATE: {
		char path[NAME + 32];
		snprintf(path, sizeof path, "/proc/self/fd/%d/%s", root, op->a);
		return errno_of(truncate(path, op->at));
	}
	case RENAME:
		return errno_of(renameat2(root, op->a, root, op->b, (unsigned)op->flags));
	case UNLINK:
		return errno_of(unlinkat(root, op->a, 0));
	case MKDIR:
		return errno_of(mkdirat(root, op->a, op->mode));
	case RMDIR:
		return errno_of(unlinkat(root, op->a, AT_REMOVEDIR));
	case CHMOD:
		return errno_of(fchmodat(root, op->a, op->mode, 0));
	case TOUCH:
		return errno_of(utimensat(root, op->a, times, 0));
	case STAT: {
		int result = fstatat(root, op->a, &st, 0);
		return told(result, &st, got);
	}
	case LIST:
		return do_list(w, root, op->a, got);
	case CONTENT:
		return random_content(root, op->a, got);
	default:
		return do_slot(w, side, op, got);
	}
}
