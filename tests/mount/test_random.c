/* Random operations from a seed, on the mount and on a directory of the host's side by side: the errno and what came back are compared after each one, the whole
 * tree after each hundred and after a remount.
 *
 * - Only what the contract makes equal is tried: an item is written whole and valid, and read with no draft open on it; what would make an item of bytes
 *   that are no document is expected to be refused (EBADMSG) and to change nothing, so the host's side is left alone there.
 * - Handles are kept on plain files only. One that is open does not become an item here: its handles would go on as drafts.
 * - A world is one walker with names of its own. Four of them share directories: what they do commutes.
 * - A difference ends the walk and tells the seed and the operations that led to it. ITEMFS_SEEDS=100 walks that many seeds, ITEMFS_SEED=7 that one.
 */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>

enum {
	OPERATIONS = 2000,
	EACH = 100,
	SLOTS = 6,
	TOPS = 6,
	DIRS = 6,
	SHARED = 3,
	INSIDE = 8,
	ROOM = 1 << 17,
	PAST = 12,
	NAME = 64
};
enum { HOST, MOUNT, SIDES };

enum what {
	PUT,
	REPLACE,
	OPEN,
	WRITE,
	PWRITE,
	READ,
	PREAD,
	SEEK_LAST,
	DUP,
	CLOSE,
	FTRUNCATE,
	FSYNC,
	FSTAT,
	FCHMOD,
	FTOUCH,
	TRUNCATE,
	RENAME,
	UNLINK,
	MKDIR,
	RMDIR,
	CHMOD,
	TOUCH,
	STAT,
	LIST,
	CONTENT,
	WHATS
};
static const char *const names[WHATS] = {
    "put",   "replace",   "open",  "write",     "pwrite", "read",     "pread",    "seek to the end", "dup",
    "close", "ftruncate", "fsync", "fstat",     "fchmod", "futimens", "truncate", "rename",          "unlink",
    "mkdir", "rmdir",     "chmod", "utimensat", "stat",   "list",     "content"};

struct operation {
	enum what what;
	char a[NAME], b[NAME];
	int flags, slot;
	mode_t mode;
	off_t at;
	size_t n;
	const char *bytes; /* w->bytes */
	struct timespec time;
};

/* What an operation gave. */
struct result {
	int error;
	size_t n;
	char *out; /* ROOM bytes */
};

struct world {
	uint64_t seed, random;
	const char *own; /* each of its names has it; "" where it is alone */
	int root[SIDES]; /* a table's directory and the host's */
	char tops[TOPS][NAME], dirs[DIRS][NAME], inside[INSIDE][NAME];
	int fd[SIDES][SLOTS]; /* -1: free */
	char *bytes;
	struct result got[SIDES];
	char past[PAST][4 * NAME];
	unsigned count;
	char *failure; /* NULL: none so far */
};

static uint64_t next(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned below(struct world *w, unsigned n)
{
	return (unsigned)(next(w) % n);
}

static bool is_item(const char *path)
{
	const char *slash = strchr(path, '/');
	size_t n = strlen(path);
	return slash && slash[1] != '.' && n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static bool is_document(const char *bytes, size_t n)
{
	json_t *document = n ? json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL) : json_object();
	bool is = json_is_object(document);
	json_decref(document);
	return is;
}

/* One operation on one side. */

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

static int do_content(int root, const char *path, struct result *got)
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

static int perform(struct world *w, int side, const struct operation *op, struct result *got)
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
		return do_content(root, op->a, got);
	default:
		return do_slot(w, side, op, got);
	}
}

/* Choosing one. */

static const char *table_name(struct world *w)
{
	return w->tops[below(w, TOPS)];
}

static void a_path(struct world *w, char out[NAME])
{
	if (below(w, 5) == 0)
		snprintf(out, NAME, "%s", table_name(w));
	else
		snprintf(out, NAME, "%.24s/%.32s", w->dirs[below(w, DIRS)], w->inside[below(w, INSIDE)]);
}

static mode_t a_mode(struct world *w)
{
	static const mode_t modes[] = {0644, 0600, 0755, 0640, 0444};
	return modes[below(w, 5)];
}

/* A document, or anything; into w->bytes. */
static void some_bytes(struct world *w, struct operation *op, bool document)
{
	op->bytes = w->bytes;
	if (document) {
		op->n = below(w, 10) ? (size_t)sprintf(w->bytes, "{\"v\":%u,%*s\"t\":\"%u\"}\n", below(w, 9),
						       (int)below(w, 5000), "", below(w, 100))
				     : 0;
		return;
	}
	op->n = 1 + below(w, below(w, 8) ? 60 : 9000);
	memset(w->bytes, (int)('a' + below(w, 26)), op->n);
}

static bool host_stat(const struct world *w, const char *path, struct stat *st)
{
	return fstatat(w->root[HOST], path, st, 0) == 0;
}

static bool is_open(const struct world *w, const struct stat *st)
{
	struct stat other;
	for (int i = 0; i < SLOTS; i++)
		if (w->fd[HOST][i] >= 0 && fstat(w->fd[HOST][i], &other) == 0 && other.st_ino == st->st_ino)
			return true;
	return false;
}

static void choose_put(struct world *w, struct operation *op)
{
	a_path(w, op->a);
	some_bytes(w, op, is_item(op->a) || below(w, 2));
	op->mode = a_mode(w);
	op->flags = O_WRONLY;
	if (op->what == PUT)
		op->flags |= O_CREAT | O_TRUNC | (below(w, 4) ? 0 : O_EXCL) | (below(w, 4) ? 0 : O_APPEND);
}

/* On a plain file; a directory's own handle is no matter here. */
static void choose_open(struct world *w, struct operation *op)
{
	static const int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	struct stat st;
	do
		a_path(w, op->a);
	while (is_item(op->a));
	op->mode = a_mode(w);
	op->flags = accesses[below(w, 4)] | (below(w, 4) ? O_CREAT : 0) | (below(w, 5) ? 0 : O_APPEND);
	if (op->flags & O_CREAT)
		op->flags |= below(w, 5) ? 0 : O_EXCL;
	if ((op->flags & O_ACCMODE) != O_RDONLY)
		op->flags |= below(w, 4) ? 0 : O_TRUNC;
	if (host_stat(w, op->a, &st) && S_ISDIR(st.st_mode) && !(op->flags & (O_ACCMODE | O_CREAT)))
		op->what = STAT;
}

static void choose_rename(struct world *w, struct operation *op)
{
	static const int flags[] = {0, 0, 0, 0, 1 /* RENAME_NOREPLACE */, 2 /* RENAME_EXCHANGE */, 2};
	struct stat a, b;
	a_path(w, op->a);
	a_path(w, op->b);
	op->flags = flags[below(w, 7)];
	bool there = host_stat(w, op->a, &a), other = host_stat(w, op->b, &b);
	if (there && S_ISDIR(a.st_mode))
		snprintf(op->b, NAME, "%s", table_name(w));
	if (op->flags == 2 && ((there && S_ISDIR(a.st_mode)) || (other && S_ISDIR(b.st_mode))))
		op->flags = 0;
	bool away = there && S_ISREG(a.st_mode) && is_item(op->b) && !is_item(op->a) && is_open(w, &a);
	bool back = op->flags == 2 && other && is_item(op->a) && !is_item(op->b) && is_open(w, &b);
	if (away || back)
		op->what = STAT;
}

static void choose_slot(struct world *w, struct operation *op)
{
	struct stat st;
	op->slot = (int)below(w, SLOTS);
	if (w->fd[HOST][op->slot] < 0) {
		op->what = OPEN;
		choose_open(w, op);
		return;
	}
	if (op->what == OPEN)
		op->what = CLOSE;
	some_bytes(w, op, false);
	op->at = below(w, below(w, 6) ? 100 : 50000);
	op->mode = a_mode(w);
	if (op->what == FTRUNCATE && fstat(w->fd[HOST][op->slot], &st) == 0 && st.st_size == op->at)
		op->at++;
}

static void choose(struct world *w, struct operation *op)
{
	struct stat st;
	*op = (struct operation){.what = (enum what)below(w, WHATS), .slot = -1};
	op->time = (struct timespec){1000000000 + below(w, 100000000), below(w, 1000000000)};
	switch (op->what) {
	case PUT:
	case REPLACE:
		choose_put(w, op);
		return;
	case RENAME:
		choose_rename(w, op);
		return;
	case MKDIR:
	case RMDIR:
		op->mode = 0700 | a_mode(w);
		snprintf(op->a, NAME, "%s", table_name(w));
		return;
	case LIST:
		snprintf(op->a, NAME, "%s", below(w, 4) ? w->dirs[below(w, DIRS)] : ".");
		return;
	default:
		break;
	}
	if (op->what >= OPEN && op->what <= FTOUCH) {
		choose_slot(w, op);
		return;
	}
	a_path(w, op->a);
	op->mode = a_mode(w);
	op->at = below(w, 3) ? below(w, 9000) : 0;
	if (host_stat(w, op->a, &st) &&
	    st.st_size == op->at) /* whether cutting to the size it has is a change is nowhere said */
		op->at++;
}

/* Whether the bytes at `path` (cut or grown to `size` unless < 0) could be an item. */
static bool would_be_document(struct world *w, const char *path, off_t size)
{
	struct result got = {.out = w->bytes + ROOM};
	if (do_content(w->root[HOST], path, &got))
		return true;
	if (size > (off_t)got.n)
		memset(got.out + got.n, 0, (size_t)size - got.n);
	return is_document(got.out, size < 0 ? got.n : (size_t)size);
}

/* What the contract alone refuses: an item that would be none. */
static bool is_refused(struct world *w, const struct operation *op)
{
	struct stat a, b;
	char dir[NAME];
	if (op->what == TRUNCATE)
		return is_item(op->a) && host_stat(w, op->a, &a) && !would_be_document(w, op->a, op->at);
	if (op->what != RENAME || !host_stat(w, op->a, &a) || !S_ISREG(a.st_mode))
		return false;
	bool there = host_stat(w, op->b, &b);
	if (there ? op->flags == 1 || a.st_ino == b.st_ino || S_ISDIR(b.st_mode) : op->flags == 2)
		return false; /* the host says what */
	snprintf(dir, sizeof dir, "%.*s", (int)strcspn(op->b, "/"), op->b);
	if (!there && strchr(op->b, '/') && (!host_stat(w, dir, &b) || !S_ISDIR(b.st_mode)))
		return false;
	if (is_item(op->b) && !is_item(op->a) && !would_be_document(w, op->a, -1))
		return true;
	return op->flags == 2 && is_item(op->a) && !is_item(op->b) && !would_be_document(w, op->b, -1);
}

/* Doing it. */

static void fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct world *w, const char *format, ...)
{
	char *end = NULL;
	size_t n;
	FILE *out = open_memstream(&end, &n);
	va_list args;
	fprintf(out, "seed %llu%s%s, operation %u: ", (unsigned long long)w->seed, *w->own ? ", walker " : "", w->own,
		w->count);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fprintf(out, "\nwhat led to it:\n");
	for (unsigned i = w->count > PAST ? w->count - PAST : 0; i < w->count; i++)
		fprintf(out, "  %u %s\n", i + 1, w->past[i % PAST]);
	fclose(out);
	w->failure = end;
}

static void describe(const struct operation *op, char out[4 * NAME])
{
	int n = snprintf(out, 4 * NAME, "%s %s%s%s", names[op->what], op->a, *op->b ? " -> " : "", op->b);
	if (op->slot >= 0)
		n += snprintf(out + n, 4 * NAME - (size_t)n, " handle %d", op->slot);
	snprintf(out + n, 4 * NAME - (size_t)n, " flags %#o mode %o at %lld, %zu bytes '%.12s'", op->flags, op->mode,
		 (long long)op->at, op->n, op->n ? op->bytes : "");
}

static void compare(struct world *w, const struct operation *op)
{
	const struct result *host = &w->got[HOST], *mount = &w->got[MOUNT];
	if (host->error != mount->error)
		fail(w, "%s %s %s: the host gives %s, the mount %s", names[op->what], op->a, op->b,
		     strerrorname_np(host->error), strerrorname_np(mount->error));
	else if (host->n != mount->n || memcmp(host->out, mount->out, host->n) != 0)
		fail(w, "%s %s: the host has %zu bytes '%.*s', the mount %zu '%.*s'", names[op->what], op->a, host->n,
		     (int)(host->n < 300 ? host->n : 300), host->out, mount->n, (int)(mount->n < 300 ? mount->n : 300),
		     mount->out);
}

static void run(struct world *w, const struct operation *op)
{
	bool refused = is_refused(w, op);
	w->got[HOST].n = 0;
	w->got[HOST].error = refused ? EBADMSG : perform(w, HOST, op, &w->got[HOST]);
	w->got[MOUNT].error = perform(w, MOUNT, op, &w->got[MOUNT]);
	compare(w, op);
}

/* Everything that the walker may have made. */
static void compare_trees(struct world *w)
{
	for (int d = -1; d < DIRS && !w->failure; d++) {
		struct operation op = {.what = LIST, .slot = -1};
		snprintf(op.a, NAME, "%s", d < 0 ? "." : w->dirs[d]);
		run(w, &op);
		int count = d < 0 ? TOPS : INSIDE;
		for (int i = 0; i < 2 * count && !w->failure; i++) {
			op.what = i & 1 ? STAT : CONTENT;
			if (d < 0)
				snprintf(op.a, NAME, "%s", w->tops[i / 2]);
			else
				snprintf(op.a, NAME, "%.24s/%.32s", w->dirs[d], w->inside[i / 2]);
			run(w, &op);
		}
	}
}

static void *walk(void *context)
{
	struct world *w = context;
	struct operation op;
	while (w->count < OPERATIONS && !w->failure) {
		choose(w, &op);
		describe(&op, w->past[w->count++ % PAST]);
		run(w, &op);
		if (!w->failure && w->count % EACH == 0)
			compare_trees(w);
	}
	for (int i = 0; i < SIDES * SLOTS; i++)
		if (w->fd[i / SLOTS][i % SLOTS] >= 0)
			close(w->fd[i / SLOTS][i % SLOTS]);
	return NULL;
}

static void world_open(struct world *w, const char *table)
{
	w->root[HOST] = open(scratch(table), O_PATH | O_DIRECTORY | O_CLOEXEC);
	w->root[MOUNT] = open(at(table), O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert(w->root[HOST] >= 0 && w->root[MOUNT] >= 0);
}

static void world_shut(struct world *w)
{
	close(w->root[HOST]);
	close(w->root[MOUNT]);
}

static void world_make(struct world *w, uint64_t seed, const char *own, const char *table)
{
	static const char *const before[INSIDE] = {"", ".", "", "", "", "", "", ""};
	static const char *const after[INSIDE] = {"f0",      "f1.swp",   "f2~",      ".json.bak",
						  "i0.json", "i 1.json", "i,2.json", "i3.json"};
	*w = (struct world){.seed = seed, .random = seed * 1000 + (*own ? (uint64_t)own[1] : 0), .own = own};
	for (int i = 0; i < TOPS; i++)
		snprintf(w->tops[i], NAME, "%sn%d", own, i);
	for (int i = 0; i < DIRS; i++)
		if (*own && i < SHARED)
			snprintf(w->dirs[i], NAME, "shared%d", i);
		else
			snprintf(w->dirs[i], NAME, "%sn%d", own, i);
	for (int i = 0; i < INSIDE; i++)
		snprintf(w->inside[i], NAME, "%s%s%s", before[i], own, after[i]);
	memset(w->fd, -1, sizeof w->fd);
	w->bytes = kept(malloc(2 * ROOM));
	w->got[HOST].out = kept(malloc(ROOM));
	w->got[MOUNT].out = kept(malloc(ROOM));
	world_open(w, table);
}

static void make_table(const char *table, bool declared)
{
	if (declared)
		declare(table, "p:S s:S", "gsi by-v v:N ALL", "lsi by-t t:S KEYS_ONLY", NULL);
	else
		assert_ok(mkdir(at(table), 0755));
	assert_ok(mkdir(scratch(table), 0755));
}

/* Against what the mount keeps, not what the kernel remembers. */
static void compare_after_remount(struct world *worlds, int count, const char *table)
{
	for (int i = 0; i < count; i++)
		world_shut(&worlds[i]);
	mount_again();
	for (int i = 0; i < count; i++) {
		struct world *w = &worlds[i];
		cr_expect(w->failure == NULL, "%s", w->failure);
		if (w->failure)
			continue;
		world_open(w, table);
		compare_trees(w);
		cr_expect(w->failure == NULL, "after a remount: %s", w->failure);
		world_shut(w);
	}
	for (int i = 0; i < count; i++)
		free(worlds[i].failure);
}

static unsigned first_seed(void)
{
	const char *one = getenv("ITEMFS_SEED");
	return one ? (unsigned)atoi(one) : 1;
}

static unsigned last_seed(unsigned otherwise)
{
	const char *one = getenv("ITEMFS_SEED"), *many = getenv("ITEMFS_SEEDS");
	return one ? (unsigned)atoi(one) : many ? (unsigned)atoi(many) : otherwise;
}

TestSuite(random, .init = mount_setup, .fini = mount_teardown, .timeout = 3600);

Test(random, operations_do_on_the_mount_what_they_do_on_the_hosts_files)
{
	static struct world w;
	for (unsigned seed = first_seed(); seed <= last_seed(5); seed++) {
		const char *table = text("Seed%u", seed);
		make_table(table, seed % 2);
		world_make(&w, seed, "", table);
		walk(&w);
		compare_after_remount(&w, 1, table);
	}
}

Test(random, operations_of_four_threads_that_share_directories_do_as_well)
{
	static struct world w[4];
	static const char *const own[4] = {"wa", "wb", "wc", "wd"};
	pthread_t threads[4];
	for (unsigned seed = first_seed(); seed <= last_seed(2); seed++) {
		const char *table = text("Seed%u", seed);
		make_table(table, seed % 2);
		for (int i = 0; i < SHARED; i++) {
			assert_ok(mkdir(at(text("%s/shared%d", table, i)), 0755));
			assert_ok(mkdir(scratch(text("%s/shared%d", table, i)), 0755));
		}
		for (int i = 0; i < 4; i++)
			world_make(&w[i], seed, own[i], table);
		for (int i = 0; i < 4; i++)
			cr_assert_eq(pthread_create(&threads[i], NULL, walk, &w[i]), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		compare_after_remount(w, 4, table);
	}
}
