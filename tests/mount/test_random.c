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
#include "tests/mount/random.h"
#include <pthread.h>
#include <stdarg.h>

enum { OPERATIONS = 2000, EACH = 100 };

static const char *const names[WHATS] = {
    "put",   "replace",   "open",  "write",     "pwrite", "read",     "pread",    "seek to the end", "dup",
    "close", "ftruncate", "fsync", "fstat",     "fchmod", "futimens", "truncate", "rename",          "unlink",
    "mkdir", "rmdir",     "chmod", "utimensat", "stat",   "list",     "content"};

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
	bool refused = random_is_refused(w, op);
	w->got[HOST].n = 0;
	w->got[HOST].error = refused ? EBADMSG : random_perform(w, HOST, op, &w->got[HOST]);
	w->got[MOUNT].error = random_perform(w, MOUNT, op, &w->got[MOUNT]);
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
		random_choose(w, &op);
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
