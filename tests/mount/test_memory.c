/* What the daemon takes of memory, by its own count (`memory` in `.itemfs/stats.json`): names come and go with what the kernel remembers, documents
 * and drafts with open files, and the sum is never more than the bound that it states.
 *
 * 2,000 names and 100 open files by default; ITEMFS_MEMORY=1000000 makes it a million names and 10,000 open files. What the system says that the
 * process takes is compared with the bound where no sanitizer adds its own.
 */
#include "tests/mount/harness.h"
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = true };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif
#else
enum { SANITIZED = false };
#endif

enum { DOCUMENT = 4000, NAME_LEAST = 64, NAME_MOST = 256 };

static long names = 2000, files = 100;

static void setup(void)
{
	const char *many = getenv("ITEMFS_MEMORY");
	if (many) {
		names = atol(many);
		files = 10000;
	}
	mount_setup();
	assert_ok(mkdir(at("Tab"), 0755));
}

TestSuite(memory, .init = setup, .fini = mount_teardown, .timeout = 7200);

static long figure(const char *path)
{
	assert_sh(text("jq -e '%s' \"$M/.itemfs/stats.json\"", path));
	return strtol(sh_output(), NULL, 10);
}

/* Forgets and releases come after their answers. */
static bool falls_to(const char *path, long most)
{
	long now = figure(path);
	for (int tries = 0; tries < 600 && now > most; tries++) {
		usleep(100000);
		now = figure(path);
	}
	if (now > most)
		fprintf(stderr, "memory: %s stays at %ld\n", path, now);
	return now <= most;
}

static void expect_bound(const char *when)
{
	expect_sh("jq '.memory|.bound_bytes >= .base_bytes + .requests_bytes + .engine_bytes + .names_bytes + .open_bytes' \"$M/.itemfs/stats.json\"", "true\n");
	long taken = figure(".memory.taken_bytes"), bound = figure(".memory.bound_bytes");
	fprintf(stderr, "memory: %s: %ld MiB of at most %ld\n", when, taken >> 20, bound >> 20);
	cr_expect(SANITIZED || taken <= bound, "%s: %ld bytes, of at most %ld", when, taken, bound);
}

/* That many items of some bytes each, in one import. */
static void make(long count, int bytes)
{
	assert_sh(text("seq -f '{\"pk\":\"p\",\"sk\":\"%%08.0f\",\"pad\":\"%0*d\"}' 1 %ld > \"$D/items.jsonl\" && cp \"$D/items.jsonl\" \"$M/Tab/.import/\"", bytes, 0, count));
}

static bool drop_caches(void)
{
	return system("sync; echo 3 2>/dev/null > /proc/sys/vm/drop_caches") == 0;
}

Test(memory, names_cost_what_they_are_and_go_when_the_kernel_forgets)
{
	if (access("/proc/sys/vm/drop_caches", W_OK))
		cr_skip_test("only root can make the kernel forget");
	make(names, 20);
	long before = figure(".memory.names_bytes"), nodes = figure(".open.nodes");
	expect_sh("find \"$M/Tab/p\" -size +0 -type f | wc -l", text("%ld\n", names));
	long more = figure(".open.nodes") - nodes, bytes = figure(".memory.names_bytes") - before;
	/* The kernel may have dropped some already, as it does where others need the room. */
	cr_expect(more <= names + 8, "%ld", more);
	cr_expect(bytes >= more * NAME_LEAST && bytes <= more * NAME_MOST + (64 << 10), "%ld bytes for %ld names", bytes, more);
	expect_bound("after find");
	cr_assert(drop_caches());
	cr_expect(falls_to(".open.nodes", nodes + 16));
	cr_expect(falls_to(".memory.names_bytes", before + (64 << 10)));
	expect_bound("after drop_caches");
}

Test(memory, open_files_cost_their_documents_until_they_are_closed)
{
	struct rlimit limit;
	char byte;
	cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)files + 200)
		cr_skip_test("a process may not open so many files here");
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > (rlim_t)files + 200)
		limit.rlim_cur = (rlim_t)files + 200;
	cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	make(files, DOCUMENT);
	long before = figure(".memory.open_bytes");
	int *fds = kept(calloc((size_t)files, sizeof *fds));
	for (long i = 0; i < files; i++) {
		fds[i] = open(at(text("Tab/p/%08ld.json", i + 1)), O_RDONLY | O_CLOEXEC);
		cr_assert(fds[i] >= 0 && read(fds[i], &byte, 1) == 1, "%ld: %s", i, strerror(errno));
	}
	long more = figure(".memory.open_bytes") - before;
	cr_expect(more >= files * DOCUMENT && more <= files * 4 * DOCUMENT, "%ld bytes for %ld files", more, files);
	expect_bound("with files open");
	for (long i = 0; i < files; i++)
		close(fds[i]);
	cr_expect(falls_to(".memory.open_bytes", before + 2 * DOCUMENT));
}

static void write_half(const char *path, int *ret_fd)
{
	static char bytes[1 << 20];
	memset(bytes, ' ', sizeof bytes);
	*ret_fd = open(at(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(*ret_fd, 0);
	cr_assert_eq(write(*ret_fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
}

Test(memory, drafts_and_plain_files_cost_their_bytes_until_they_are_closed)
{
	int draft, plain;
	assert_ok(mkdir(at("Tab/p"), 0755));
	long before = figure(".memory.open_bytes");
	write_half("Tab/p/item.json", &draft);
	cr_expect_geq(figure(".memory.open_bytes") - before, 1 << 20);
	write_half("Tab/p/notes.txt", &plain);
	cr_expect_geq(figure(".memory.open_bytes") - before, 2 << 20);
	close(plain);
	cr_expect(falls_to(".memory.open_bytes", before + (3 << 19)));
	expect_errno(close(draft), EBADMSG); /* blanks are no document */
	cr_expect(falls_to(".memory.open_bytes", before + 4096));
}
