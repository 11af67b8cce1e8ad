/* files: one phase of the bench on a directory of small JSON files, whatever filesystem it is on; prints one line of JSON.
 *
 *   files [-t THREADS] [-n FILES] [-d DIRECTORIES] [-b BYTES] [-f FIRST] [-s SAMPLE] [-r SEED] PHASE ROOT
 *
 * ROOT holds DIRECTORIES directories, which hold FILES files, dealt out evenly: ROOT/p000012/00001234.json. On a mount of itemfs ROOT is a table, so they are
 * partitions and items. With -s only SAMPLE operations are made, at random places (repeatable by SEED); otherwise one for each file, in
 * order, from number FIRST on. With -t directory number i belongs to thread i modulo THREADS.
 *
 * Phases: mkdir create overwrite replace read stat names list page durable query unlink rmdir. `list` is readdir and a stat of each name, `names` readdir alone, `page`
 * the first hundred names; `replace` writes another file and renames it; `durable` is overwrite with fsync; `query` lists ROOT/DIRECTORY/.ge/KEY/.first/10.
 *
 * The line: {"ops":…,"seconds":…,"errors":…,"errno":"…","p50_us":…,"p99_us":…}. A phase with errors has no figure: whoever reads it must look.
 */
#include "item.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, THREADS_MAX = 64, READ_ROOM = 1 << 16, PAGE = 100, QUERY = 10 };

static struct {
	const char *root;
	long files, directories, bytes, first, sample, threads;
	uint64_t seed;
} bench = {.files = 1000, .directories = 10, .bytes = 300, .threads = 1, .seed = 1};

struct worker {
	pthread_t thread;
	long number;
	const struct phase *phase;
	uint32_t *took; /* nanoseconds, one an operation */
	size_t count, cap;
	long errors;
	int error; /* the first one */
	char document[READ_ROOM], buffer[READ_ROOM];
};

/* One operation on a file or directory: 0 or an errno. `list` and `names` count their names as operations by themselves. */
typedef int operation(struct worker *worker, const char *path, long number);

struct phase {
	const char *name;
	operation *run;
	bool directories; /* once a directory, not once a file */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A JSON object of `bytes` bytes. */
static size_t make_document(char *out, long number, const char *what)
{
	int n = snprintf(out, READ_ROOM, "{\"Group\":\"g%06ld\",\"Number\":%ld,\"What\":\"%s\",\"Filling\":\"", number / ITEM_GROUP,
			 number, what);
	long end = bench.bytes - 3 > n ? bench.bytes - 3 : n;

	item_fill(out + n, (size_t)(end - n), number);
	memcpy(out + end, "\"}\n", 3);
	return (size_t)end + 3;
}

static int write_whole(struct worker *worker, const char *path, int flags, long number, const char *what, bool durable)
{
	size_t size = make_document(worker->document, number, what);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644), error = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	n = write(fd, worker->document, size);
	if (n != (ssize_t)size)
		error = n < 0 ? errno : EIO;
	if (!error && durable && fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	return error;
}

static int run_create(struct worker *worker, const char *path, long number)
{
	return write_whole(worker, path, O_EXCL, number, "created", false);
}

static int run_overwrite(struct worker *worker, const char *path, long number)
{
	return write_whole(worker, path, O_TRUNC, number, "overwritten", false);
}

static int run_durable(struct worker *worker, const char *path, long number)
{
	return write_whole(worker, path, O_TRUNC, number, "durable", true);
}

static int run_replace(struct worker *worker, const char *path, long number)
{
	char other[PATH_ROOM];
	int error;

	snprintf(other, sizeof(other), "%.*s/.new%08ld", (int)(strrchr(path, '/') - path), path, number);
	error = write_whole(worker, other, O_EXCL, number, "replaced", false);
	return !error && rename(other, path) != 0 ? errno : error;
}

static int run_read(struct worker *worker, const char *path, long number)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	ssize_t n, all = 0;

	(void)number;
	if (fd < 0)
		return errno;
	while ((n = read(fd, worker->buffer, sizeof(worker->buffer))) > 0)
		all += n;
	if (n < 0)
		error = errno;
	else if (all < bench.bytes)
		error = ENODATA;
	close(fd);
	return error;
}

static int run_stat(struct worker *worker, const char *path, long number)
{
	struct stat st;

	(void)worker;
	(void)number;
	return lstat(path, &st) != 0 ? errno : st.st_size < bench.bytes ? ENODATA : 0;
}

static int run_unlink(struct worker *worker, const char *path, long number)
{
	(void)worker;
	(void)number;
	return unlink(path) != 0 ? errno : 0;
}

static int run_mkdir(struct worker *worker, const char *path, long number)
{
	(void)worker;
	(void)number;
	return mkdir(path, 0755) != 0 ? errno : 0;
}

static int run_rmdir(struct worker *worker, const char *path, long number)
{
	(void)worker;
	(void)number;
	return rmdir(path) != 0 ? errno : 0;
}

static void record(struct worker *worker, uint64_t from, int error)
{
	uint64_t took = now() - from;

	if (worker->count == worker->cap) {
		size_t cap = worker->cap ? worker->cap * 2 : 4096;
		uint32_t *more = reallocarray(worker->took, cap, sizeof(*more));

		if (!more) {
			perror("files");
			exit(1);
		}
		worker->took = more;
		worker->cap = cap;
	}
	worker->took[worker->count++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	if (error && !worker->errors++)
		worker->error = error;
}

/* Walks a directory, at most to `limit` names, and gives how many there were; each is an operation where `each`. */
static int walk(struct worker *worker, const char *path, long limit, bool each, bool with_stat, long *ret_names)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct stat st;
	uint64_t from = now();
	long names = 0;

	if (!directory)
		return errno;
	while (names < limit && (errno = 0, entry = readdir(directory))) {
		int error = 0;

		if (entry->d_name[0] == '.')
			continue;
		names++;
		if (with_stat && fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			error = errno;
		if (each) {
			record(worker, from, error);
			from = now();
		} else if (error) {
			closedir(directory);
			return error;
		}
	}
	closedir(directory);
	*ret_names = names;
	return 0;
}

static long files_in(long directory)
{
	return items_in(directory, bench.files, bench.directories);
}

static int walk_all(struct worker *worker, const char *path, long number, bool with_stat)
{
	long names = 0;
	int error = walk(worker, path, INT32_MAX, true, with_stat, &names);

	return error ? error : names != files_in(number) ? ENODATA : 0;
}

static int run_list(struct worker *worker, const char *path, long number)
{
	return walk_all(worker, path, number, true);
}

static int run_names(struct worker *worker, const char *path, long number)
{
	return walk_all(worker, path, number, false);
}

static int run_page(struct worker *worker, const char *path, long number)
{
	long names = 0, want = files_in(number) < PAGE ? files_in(number) : PAGE;
	int error = walk(worker, path, PAGE, false, false, &names);

	return error ? error : names != want ? ENODATA : 0;
}

static int run_query(struct worker *worker, const char *path, long number)
{
	char view[PATH_ROOM + 64];
	const char *slash = strrchr(path, '/');
	long names = 0;
	int error;

	(void)number;
	/* .ge/KEY, without ".json": the key itself */
	snprintf(view, sizeof(view), "%.*s/.ge/%.8s/.first/%d", (int)(slash - path), path, slash + 1, QUERY);
	error = walk(worker, view, PAGE, false, false, &names);
	return error ? error : names > QUERY || names < 1 ? ENODATA : 0;
}

static const struct phase phases[] = {
    {"mkdir", run_mkdir, true},	   {"create", run_create, false},   {"overwrite", run_overwrite, false},
    {"replace", run_replace, false}, {"read", run_read, false},	    {"stat", run_stat, false},
    {"names", run_names, true},	   {"list", run_list, true},	    {"page", run_page, true},
    {"durable", run_durable, false}, {"query", run_query, false},     {"unlink", run_unlink, false},
    {"rmdir", run_rmdir, true},
};

static bool counts_names(const struct phase *phase)
{
	return phase->run == run_list || phase->run == run_names;
}

static void one(struct worker *worker, long directory, long file)
{
	char path[PATH_ROOM];
	long number = directory + file * bench.directories; /* numbered through, so that each name is there once */
	uint64_t from = now();
	int error;

	if (number < bench.first && !worker->phase->directories)
		return;
	if (worker->phase->directories) {
		snprintf(path, sizeof(path), "%s/p%06ld", bench.root, directory);
		number = directory;
	} else {
		snprintf(path, sizeof(path), "%s/p%06ld/%08ld.json", bench.root, directory, number);
	}
	error = worker->phase->run(worker, path, number);
	if (!counts_names(worker->phase) || error)
		record(worker, from, error);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	uint64_t random = bench.seed + (uint64_t)worker->number;

	if (bench.sample) {
		for (long i = worker->number; i < bench.sample; i += bench.threads) {
			long number = (long)(next_random(&random) % (uint64_t)bench.files);

			one(worker, number % bench.directories, number / bench.directories);
		}
		return NULL;
	}
	for (long d = worker->number; d < bench.directories; d += bench.threads) {
		for (long f = 0; f < (worker->phase->directories ? 1 : files_in(d)); f++)
			one(worker, d, f);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void print_result(struct worker *workers, double seconds)
{
	size_t count = 0, at = 0;
	long errors = 0;
	int error = 0;
	uint32_t *took;

	for (long i = 0; i < bench.threads; i++) {
		count += workers[i].count;
		errors += workers[i].errors;
		error = error ? error : workers[i].error;
	}
	took = malloc((count + 1) * sizeof(*took));
	if (!took)
		exit(1);
	for (long i = 0; i < bench.threads; i++) {
		if (workers[i].count)
			memcpy(took + at, workers[i].took, workers[i].count * sizeof(*took));
		at += workers[i].count;
	}
	took[count] = 0;
	qsort(took, count, sizeof(*took), compare);
	printf("{\"ops\":%zu,\"seconds\":%.6f,\"errors\":%ld,\"errno\":\"%s\",\"p50_us\":%.2f,\"p99_us\":%.2f}\n", count,
	       seconds, errors, error ? strerrorname_np(error) : "", took[count / 2] / 1e3, took[count * 99 / 100] / 1e3);
	free(took);
}

static void run(const struct phase *phase)
{
	struct worker *workers = calloc((size_t)bench.threads, sizeof(*workers));
	uint64_t from;

	if (!workers)
		exit(1);
	for (long i = 0; i < bench.threads; i++) {
		workers[i].number = i;
		workers[i].phase = phase;
	}
	from = now();
	if (bench.threads == 1)
		work(workers);
	for (long i = 0; i < bench.threads && bench.threads > 1; i++) {
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			exit(1);
	}
	for (long i = 0; i < bench.threads && bench.threads > 1; i++)
		pthread_join(workers[i].thread, NULL);
	print_result(workers, (double)(now() - from) / 1e9);
	for (long i = 0; i < bench.threads; i++)
		free(workers[i].took);
	free(workers);
}

static int usage(void)
{
	fprintf(stderr, "usage: files [-t THREADS] [-n FILES] [-d DIRECTORIES] [-b BYTES] [-f FIRST] [-s SAMPLE] [-r SEED] PHASE ROOT\nphases:");
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		fprintf(stderr, " %s", phases[i].name);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "t:n:d:b:f:s:r:")) != -1) {
		long value = optarg ? strtol(optarg, NULL, 10) : 0;

		switch (letter) {
		case 't': bench.threads = value; break;
		case 'n': bench.files = value; break;
		case 'd': bench.directories = value; break;
		case 'b': bench.bytes = value; break;
		case 'f': bench.first = value; break;
		case 's': bench.sample = value; break;
		case 'r': bench.seed = (uint64_t)value; break;
		default: return usage();
		}
	}
	if (argc - optind != 2 || bench.threads < 1 || bench.threads > THREADS_MAX || bench.files < 1 ||
	    bench.directories < 1 || bench.bytes < 100 || bench.bytes > READ_ROOM - 8)
		return usage();
	bench.root = argv[optind + 1];
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (strcmp(phases[i].name, argv[optind]) == 0) {
			run(&phases[i]);
			return 0;
		}
	}
	return usage();
}
