/* Sixteen at once do everything that can be done, in a random order, to the same few names: nobody meets an error that nobody can explain, nobody
 * reads half of anything, and at the end the volume is whole. And the moments in which the kernel and the daemon must not wait for one another:
 * forgets, notifications, an unmount.
 *
 * ITEMFS_SECONDS says for how long; without it each thread does some hundred things, whatever time that takes. ITEMFS_SEED is the first of the seeds.
 */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 16, STEPS = 120, PARTITIONS = 3, ITEMS = 8, ONLOOKERS = 4, PATH = 4200 };

static void setup(void)
{
	mount_setup();
	declare("Load", "p:S s:S", "gsi by-kind kind:S n:N ALL", NULL);
	for (int i = 0; i < PARTITIONS; i++)
		assert_ok(mkdir(at(text("Load/p%d", i)), 0755));
	for (int i = 0; i < THREADS; i++)
		assert_ok(mkdir(at(text("Load/own%d", i)), 0755));
}

TestSuite(threads, .init = setup, .fini = mount_teardown, .timeout = 7200);

static const char *definitions[2]; /* without and with another index */

struct worker {
	pthread_t thread;
	const char *root;
	unsigned id, seed, n;
	time_t until; /* 0: STEPS steps */
	unsigned done, odd, torn;
	char example[400]; /* the first of what was odd or torn */
};

static unsigned one_of(struct worker *w, unsigned n)
{
	return (unsigned)rand_r(&w->seed) / 7 % n;
}

static void some_item(struct worker *w, char *ret_path)
{
	snprintf(ret_path, PATH, "%s/Load/p%u/i%u.json", w->root, one_of(w, PARTITIONS), one_of(w, ITEMS));
}

/* What races may give: a name that has gone, or come, or is not ready; or that somebody stopped this process and let it go on, while it waited for an export. */
static bool is_of_a_race(int number)
{
	return number == ENOENT || number == EEXIST || number == EAGAIN || number == ESTALE || number == ENOTEMPTY || number == EINTR;
}

static void note(struct worker *w, bool good, const char *what, const char *path)
{
	int number = errno;
	if (good || is_of_a_race(number))
		return;
	if (w->odd++ == 0)
		snprintf(w->example, sizeof w->example, "%s %.200s: %s", what, strstr(path, "/mnt/") ? strstr(path, "/mnt/") + 5 : path, strerror(number));
}

/* An item that somebody writes for the first time just then has no content yet, and replaces nothing. */
static void note_rename(struct worker *w, const char *from, const char *to)
{
	bool moved = rename(from, to) == 0;

	note(w, moved || errno == EBUSY, "rename", from);
}

/* Documents of this test hold their number at both ends. */
static void read_whole(struct worker *w, const char *path)
{
	char got[1024];
	unsigned first, again;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	note(w, fd >= 0, "open", path);
	if (fd < 0)
		return;
	ssize_t n = read(fd, got, sizeof got - 1);
	note(w, n >= 0, "read", path);
	close(fd);
	if (n <= 0)
		return; /* an item of its key alone, while it is created */
	got[n] = 0;
	const char *number = strstr(got, "\"n\":"), *twice = strstr(got, "\"again\":");
	bool whole = number && twice && sscanf(number, "\"n\":%u", &first) == 1 && sscanf(twice, "\"again\":%u", &again) == 1 && first == again && strchr(twice, '}');
	if (!whole && w->torn++ == 0)
		snprintf(w->example, sizeof w->example, "%.100s holds %.200s", strrchr(path, '/'), got);
}

static void write_file(struct worker *w, const char *path, const char *words, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	note(w, fd >= 0, "create", path);
	if (fd < 0)
		return;
	note(w, write(fd, words, strlen(words)) == (ssize_t)strlen(words), "write", path);
	if (one_of(w, 8) == 0)
		note(w, fsync(fd) == 0, "fsync", path);
	note(w, close(fd) == 0, "close", path);
}

static void document(struct worker *w, char *ret_words, size_t room)
{
	unsigned n = w->id * 1000000 + w->n++;
	snprintf(ret_words, room, "{\"n\":%u,\"kind\":\"k%u\",\"pad\":\"%0*d\",\"again\":%u}", n, n % 3, (int)one_of(w, 300) + 1, 0, n);
}

/* Lists it, and reads one of what it lists. */
static void list(struct worker *w, const char *path, bool files)
{
	char name[PATH] = "";
	unsigned seen = 0;
	DIR *listing = opendir(path);
	note(w, listing, "opendir", path);
	if (!listing)
		return;
	errno = 0;
	for (struct dirent *entry; (entry = readdir(listing)); errno = 0)
		if (entry->d_name[0] != '.' && strstr(entry->d_name, ".json") && one_of(w, ++seen) == 0)
			snprintf(name, sizeof name, "%.3500s/%.255s", path, entry->d_name);
	note(w, errno == 0, "readdir", path);
	closedir(listing);
	if (files && name[0])
		read_whole(w, name);
}

static void do_write(struct worker *w)
{
	char path[PATH], words[600];
	some_item(w, path);
	document(w, words, sizeof words);
	write_file(w, path, words, O_TRUNC);
}

static void do_create(struct worker *w)
{
	char path[PATH], words[600];
	some_item(w, path);
	document(w, words, sizeof words);
	write_file(w, path, words, O_EXCL);
}

static void do_replace(struct worker *w)
{
	char path[PATH], other[PATH], words[600];
	some_item(w, path);
	snprintf(other, sizeof other, "%s/Load/p%u/.t%u.tmp", w->root, one_of(w, PARTITIONS), w->id);
	document(w, words, sizeof words);
	write_file(w, other, words, O_TRUNC);
	note(w, rename(other, path) == 0, "rename", path);
}

static void do_remove(struct worker *w)
{
	char path[PATH];
	some_item(w, path);
	note(w, unlink(path) == 0, "unlink", path);
}

static void do_move(struct worker *w)
{
	char from[PATH], to[PATH];
	some_item(w, from);
	some_item(w, to);
	note_rename(w, from, to);
}

static void do_read(struct worker *w)
{
	char path[PATH];
	some_item(w, path);
	read_whole(w, path);
}

static void do_list(struct worker *w)
{
	static const char *const places[] = {"Load/p0", "Load/p1/.ge/i2", "Load/p2/.last/3", "Load/p0/.where/kind/eq/k1", "Load/.index/by-kind/k0", "Load/.index/by-kind/k1/.first/2",
					     "Load/.index/by-kind/k2/.where/pad/exists", "Load/.scan/2/1/p1"};
	static const char *const others[] = {"", "Load", "Load/.index", "Load/.index/by-kind", "Load/.index/by-n", "Load/.scan/2/0", ".itemfs/snapshots", ".itemfs/rejected"};
	char path[PATH];
	bool files = one_of(w, 3);
	snprintf(path, sizeof path, "%s/%s", w->root, files ? places[one_of(w, sizeof places / sizeof *places)] : others[one_of(w, sizeof others / sizeof *others)]);
	list(w, path, files);
}

static void do_stat(struct worker *w)
{
	char path[PATH];
	struct stat st;
	some_item(w, path);
	note(w, stat(path, &st) == 0, "stat", path);
}

static void do_modes(struct worker *w)
{
	char path[PATH];
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000 + one_of(w, 100)}};
	some_item(w, path);
	note(w, chmod(path, 0600 | one_of(w, 0100)) == 0, "chmod", path);
	note(w, utimensat(AT_FDCWD, path, times, 0) == 0, "utimens", path);
}

static void do_plain(struct worker *w)
{
	char path[PATH];
	snprintf(path, sizeof path, "%s/Load/p0/notes%u", w->root, one_of(w, 3));
	write_file(w, path, "a line\n", one_of(w, 2) ? O_APPEND : O_TRUNC);
	if (one_of(w, 4) == 0)
		note(w, unlink(path) == 0, "unlink", path);
}

/* A partition of its own gets another name, with what is in it. */
static void do_move_own(struct worker *w)
{
	char from[PATH], to[PATH], item[PATH], words[600];
	snprintf(from, sizeof from, "%s/Load/own%u", w->root, w->id);
	snprintf(to, sizeof to, "%s/Load/moved%u", w->root, w->id);
	snprintf(item, sizeof item, "%.4000s/x%u.json", to, one_of(w, 4));
	note(w, rename(from, to) == 0, "rename", from);
	document(w, words, sizeof words);
	write_file(w, item, words, O_TRUNC);
	note(w, rename(to, from) == 0, "rename", to);
}

static void do_snapshot(struct worker *w)
{
	char path[PATH], inside[PATH];
	snprintf(path, sizeof path, "%s/.itemfs/snapshots/s%u", w->root, w->id);
	note(w, mkdir(path, 0755) == 0, "mkdir", path);
	snprintf(inside, sizeof inside, "%.4000s/Load/p%u", path, one_of(w, PARTITIONS));
	list(w, inside, true);
	snprintf(inside, sizeof inside, "%.4000s/Load/.index/by-kind/k%u", path, one_of(w, 3));
	list(w, inside, true);
	note(w, rmdir(path) == 0, "rmdir", path);
}

static void do_export(struct worker *w)
{
	static const char *const names[] = {"Load/.export/items.jsonl", "Load/p1/.export/items.json", "Load/.index/by-kind/.export/items.csv"};
	char path[PATH], got[8192];
	snprintf(path, sizeof path, "%s/%s", w->root, names[one_of(w, 3)]);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	note(w, fd >= 0, "open", path);
	if (fd < 0)
		return;
	ssize_t n;
	while ((n = read(fd, got, sizeof got)) > 0)
		;
	note(w, n == 0, "read", path);
	close(fd);
}

static void do_import(struct worker *w)
{
	char path[PATH], words[4096];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/Load/.import/of%u.jsonl", w->root, w->id);
	for (unsigned i = 0; i < 10; i++, w->n++)
		n += (size_t)snprintf(words + n, sizeof words - n, "{\"p\":\"p%u\",\"s\":\"i%u\",\"n\":%u,\"kind\":\"k1\",\"again\":%u}\n", one_of(w, PARTITIONS), one_of(w, ITEMS),
				      w->n, w->n);
	write_file(w, path, words, O_TRUNC);
}

static void do_define(struct worker *w)
{
	char path[PATH];
	if (w->id)
		return; /* one is enough */
	snprintf(path, sizeof path, "%s/Load/.schema.json", w->root);
	write_file(w, path, definitions[one_of(w, 2)], O_TRUNC);
}

static void *work(void *of)
{
	static void (*const all[])(struct worker *w) = {do_write, do_write, do_write, do_create, do_replace, do_remove, do_move, do_read, do_read, do_list, do_list, do_list, do_stat,
							do_modes, do_plain, do_move_own, do_snapshot, do_export, do_import, do_define};
	struct worker *w = of;
	for (; w->until ? time(NULL) < w->until : w->done < STEPS; w->done++)
		all[one_of(w, sizeof all / sizeof *all)](w);
	return NULL;
}

Test(threads, sixteen_do_everything_at_once_and_nobody_sees_half_of_anything)
{
	struct worker *workers = kept(calloc(THREADS, sizeof *workers));
	const char *seconds = getenv("ITEMFS_SECONDS"), *seed = getenv("ITEMFS_SEED");
	definitions[0] = definition("p:S s:S", "gsi by-kind kind:S n:N ALL", NULL);
	definitions[1] = definition("p:S s:S", "gsi by-kind kind:S n:N ALL", "gsi by-n n:N KEYS_ONLY", NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.root = at(""), .id = i, .n = 1, .seed = (seed ? (unsigned)strtoul(seed, NULL, 10) : 1) * 1000 + i};
		workers[i].until = seconds ? time(NULL) + strtol(seconds, NULL, 10) : 0;
	}
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	unsigned long done = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
		cr_expect_eq(workers[i].odd, 0, "thread %u: %u: %s", i, workers[i].odd, workers[i].example);
		cr_expect_eq(workers[i].torn, 0, "thread %u: %u: %s", i, workers[i].torn, workers[i].example);
	}
	cr_log_info("%lu things were done", done);
	cr_expect_str_eq(listing(".itemfs/snapshots"), "");
	/* Items all have a kind; pending names are gone. */
	mount_again();
	expect_sh("[ $(find \"$M/Load\" -name '*.json' -not -name '.*' -size +0 | wc -l) = $(find \"$M/Load/.index/by-kind\" -type f | wc -l) ] && echo equal", "equal\n");
}

/* ---- two who write one item ---- */

enum { OVERWRITES = 400 };

struct pair {
	const char *path;
	unsigned id;
	atomic_bool *over;
	unsigned failed;
	struct worker reader;
};

static void *overwrite(void *of)
{
	struct pair *p = of;
	for (unsigned i = 0; i < OVERWRITES; i++) {
		char words[600];
		int n = snprintf(words, sizeof words, "{\"n\":%u,\"kind\":\"k\",\"pad\":\"%0*u\",\"again\":%u}", i * 2 + p->id, (int)(i * 13 % 400) + 1, 0U, i * 2 + p->id);
		int fd = open(p->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		int half = i % 3 ? n : n / 2;
		p->failed += fd < 0 || write(fd, words, (size_t)half) != half || (half < n && write(fd, words + half, (size_t)(n - half)) != n - half);
		p->failed += close(fd) != 0;
	}
	return NULL;
}

static void *read_on(void *of)
{
	struct pair *p = of;
	while (!atomic_load(p->over))
		read_whole(&p->reader, p->path);
	return NULL;
}

Test(threads, two_writers_of_one_item_each_replace_it_whole_and_a_reader_sees_one_or_the_other)
{
	atomic_bool over = false;
	const char *path = at("Load/p0/one.json");
	assert_ok(put(path, "{\"n\":0,\"kind\":\"k\",\"again\":0}"));
	struct pair pairs[3] = {{path, 0, &over, 0, {0}}, {path, 1, &over, 0, {0}}, {path, 2, &over, 0, {0}}};
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, i < 2 ? overwrite : read_on, &pairs[i]), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	atomic_store(&over, true);
	pthread_join(threads[2], NULL);
	cr_expect_eq(pairs[0].failed + pairs[1].failed, 0);
	cr_expect_eq(pairs[2].reader.torn + pairs[2].reader.odd, 0, "%s", pairs[2].reader.example);
	unsigned n = 0;
	cr_assert_eq(sscanf(content(path), "{\"n\":%u", &n), 1);
	cr_expect_geq(n, OVERWRITES * 2 - 2, "the last of neither is what is left, but %u", n);
}

/* ---- onlookers ---- */

struct onlooker {
	pthread_t thread;
	struct pair sees;
};

static void *look_on(void *of)
{
	struct pair *p = of;
	for (unsigned i = 0; !atomic_load(p->over); i++) {
		struct stat st;
		char path[PATH];
		snprintf(path, sizeof path, "%s/Load/p%u/i%u.json", p->path, i % PARTITIONS, i % ITEMS);
		p->failed += stat(path, &st) != 0 || st.st_size != 2;
		read_whole(&p->reader, path);
		snprintf(path, sizeof path, "%s/Load/.index/by-kind", p->path);
		list(&p->reader, path, false);
	}
	return NULL;
}

static void begin_to_look(struct onlooker onlookers[ONLOOKERS], atomic_bool *over)
{
	for (int i = 0; i < ONLOOKERS; i++) {
		onlookers[i].sees = (struct pair){.path = at(""), .over = over};
		cr_assert_eq(pthread_create(&onlookers[i].thread, NULL, look_on, &onlookers[i].sees), 0);
	}
}

static void stop_looking(struct onlooker onlookers[ONLOOKERS], atomic_bool *over)
{
	atomic_store(over, true);
	for (int i = 0; i < ONLOOKERS; i++)
		pthread_join(onlookers[i].thread, NULL);
}

/* ---- the kernel forgets while others look ---- */

Test(threads, what_the_kernel_forgets_is_found_again_by_who_looks_at_that_moment)
{
	int drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (drop < 0)
		cr_skip_test("only root may drop the kernel's caches");
	for (int i = 0; i < PARTITIONS * ITEMS; i++)
		assert_ok(put(at(text("Load/p%d/i%d.json", i % PARTITIONS, i / PARTITIONS)), "{}"));
	struct onlooker onlookers[ONLOOKERS];
	atomic_bool over = false;
	begin_to_look(onlookers, &over);
	for (int i = 0; i < 15; i++)
		cr_expect_eq(write(drop, "2", 1), 1);
	close(drop);
	stop_looking(onlookers, &over);
	for (int i = 0; i < ONLOOKERS; i++)
		cr_expect_eq(onlookers[i].sees.failed + onlookers[i].sees.reader.odd, 0, "%s", onlookers[i].sees.reader.example);
}

/* ---- names that come by themselves, while others ask for them ---- */

static bool is_there(const char *path)
{
	return exists(path);
}

Test(threads, names_that_an_import_brings_are_seen_by_those_who_asked_in_vain)
{
	struct onlooker onlookers[ONLOOKERS];
	atomic_bool over = false;
	begin_to_look(onlookers, &over);
	for (int i = 0; i < 40; i++) {
		const char *path = text("Load/new%d/x.json", i);
		cr_expect(!exists(path));
		cr_expect(!exists(text("Load/p0/x%d.json", i)));
		assert_ok(put("Load/.import/new.jsonl", text("{\"p\":\"new%d\",\"s\":\"x\",\"kind\":\"k\",\"n\":1,\"again\":1}\n{\"p\":\"p0\",\"s\":\"x%d\",\"n\":1,\"again\":1}\n", i, i)));
		cr_assert(await(is_there, path), "%s never comes", path);
		cr_assert(await(is_there, text("Load/p0/x%d.json", i)));
	}
	stop_looking(onlookers, &over);
}

/* ---- the end of the mount ---- */

static _Noreturn void write_until_the_end(const char *root, unsigned id)
{
	struct worker w = {.root = root, .id = id, .seed = id, .n = 1};
	while (!w.odd && access(root, F_OK) == 0) {
		do_write(&w);
		do_list(&w);
	}
	_exit(w.torn ? 1 : 0);
}

Test(threads, the_daemon_ends_cleanly_under_load)
{
	for (int round = 0; round < 3; round++) {
		pid_t pids[4];
		for (unsigned i = 0; i < 4; i++) {
			pids[i] = fork();
			if (pids[i] == 0)
				write_until_the_end(at(""), i);
		}
		for (int i = 0; i < 50; i++)
			assert_ok(put(text("Load/own0/beside%d.json", i), "{}"));
		mount_stop();
		for (unsigned i = 0; i < 4; i++) {
			int status = -1;
			kill(pids[i], SIGTERM);
			waitpid(pids[i], &status, 0);
			cr_expect(!WIFEXITED(status) || WEXITSTATUS(status) == 0, "half a document was read");
		}
		cr_assert_eq(fsck_volume(volume()), 0, "%s", sh_output());
		mount_up(NULL);
		cr_expect_str_eq(content("Load/own0/beside49.json"), "{}");
	}
}

/* LevelDB does not end while somebody holds an iterator of it. */
Test(threads, the_daemon_ends_cleanly_with_directories_and_files_open)
{
	static const char *const places[] = {"Load", "Load/p0", "Load/.index/by-kind", "Load/p0/.ge/a", "Load/p0/.where/kind/exists", "Load/.scan/1/0", ".itemfs/snapshots/s/Load/p0"};
	enum { OPEN = sizeof places / sizeof *places };
	DIR *open_ones[OPEN];
	assert_ok(put("Load/p0/a.json", "{\"kind\":\"k\"}"));
	assert_ok(mkdir(at(".itemfs/snapshots/s"), 0755));
	for (int i = 0; i < OPEN; i++) {
		open_ones[i] = opendir(at(places[i]));
		cr_assert(open_ones[i] && readdir(open_ones[i]), "%s: %s", places[i], strerror(errno));
	}
	int reader = open(at("Load/p0/.export/items.jsonl"), O_RDONLY | O_CLOEXEC);
	cr_assert_geq(reader, 0);
	mount_stop();
	close(reader);
	for (int i = 0; i < OPEN; i++)
		closedir(open_ones[i]);
}
