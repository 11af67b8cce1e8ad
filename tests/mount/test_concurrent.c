/* Many at once: nobody sees half of anything. */
#include "tests/mount/harness.h"
#include <pthread.h>
#include <stdatomic.h>

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-kind Kind:S ALL", "gsi by-title Title:S INCLUDE n,pad",
		"lsi in-order Order:N ALL", NULL);
	assert_ok(mkdir(at("Music/Queen"), 0755));
}

TestSuite(concurrent, .init = setup, .fini = mount_teardown, .timeout = 600);

enum { OVERWRITES = 10000, VIEWS = 4 };

static const char *const views[VIEWS] = {"Music/Queen/Liar.json", "Music/.index/by-kind/song/Queen,Liar.json",
					 "Music/.index/by-title/Liar/Queen.json",
					 "Music/.index/in-order/Queen/1,Liar.json"};

/* The nth document: its number twice, with padding whose length changes from one to the next. */
static size_t document(unsigned n, char *ret_text, size_t room)
{
	static const char pad[] =
	    "................................................................................................";
	return (size_t)snprintf(ret_text, room,
				"{\"n\":%u,\"Kind\":\"song\",\"Order\":1,\"pad\":\"%.*s\",\"again\":%u}\n", n,
				(int)(n * 7 % (sizeof pad - 1)), pad, n);
}

struct reader {
	const char *path;
	atomic_bool *over;
	unsigned last, reads, torn, backward;
	char example[512];
};

/* Whether the text is a whole document; its number. A view need not hold "again" (by-title does not). */
static bool whole(const char *got, size_t n, bool in_table, unsigned *ret_number)
{
	unsigned first = 0, again = 0;
	const char *number = strstr(got, "\"n\":"), *twice = strstr(got, "\"again\":"),
		   *pad = strstr(got, "\"pad\":\"");
	if (n == 0 || !number || !pad || sscanf(number, "\"n\":%u", &first) != 1)
		return false;
	if (twice && (sscanf(twice, "\"again\":%u", &again) != 1 || again != first))
		return false;
	char expected[512];
	size_t length = document(first, expected, sizeof expected);
	*ret_number = first;
	if (in_table)
		return length == n && memcmp(got, expected, n) == 0;
	size_t dots = strspn(pad + strlen("\"pad\":\""), ".");
	return dots == first * 7 % 96;
}

static void *read_on(void *of)
{
	struct reader *r = of;
	bool in_table = strstr(r->path, ".index") == NULL;
	while (!atomic_load(r->over)) {
		char got[512] = {0};
		int fd = open(r->path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);
		unsigned number = 0;
		if (n < 0 || !whole(got, (size_t)n, in_table, &number)) {
			if (r->torn++ == 0)
				snprintf(r->example, sizeof r->example, "%s: %.400s", n < 0 ? strerror(errno) : "torn",
					 got);
		} else {
			r->backward += number < r->last;
			r->last = number;
		}
		r->reads++;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

Test(concurrent, readers_see_whole_documents_only_in_the_table_and_in_each_index)
{
	char text_of[512];
	size_t n = document(0, text_of, sizeof text_of);
	assert_ok(put_bytes(views[0], text_of, n));
	atomic_bool over = false;
	struct reader readers[VIEWS] = {0};
	pthread_t threads[VIEWS];
	for (int i = 0; i < VIEWS; i++) {
		readers[i].path = at(views[i]);
		readers[i].over = &over;
		cr_assert_eq(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	}
	const char *path = at(views[0]);
	unsigned failed = 0;
	for (unsigned i = 1; i <= OVERWRITES; i++) {
		n = document(i, text_of, sizeof text_of);
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		/* In two writes now and then, as a slow writer would. */
		size_t half = i % 3 ? n : n / 2;
		failed += fd < 0 || write(fd, text_of, half) != (ssize_t)half;
		if (half < n)
			failed += write(fd, text_of + half, n - half) != (ssize_t)(n - half);
		failed += close(fd) < 0;
	}
	atomic_store(&over, true);
	for (int i = 0; i < VIEWS; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(readers[i].torn, 0, "%s: %u of %u reads: %s", views[i], readers[i].torn, readers[i].reads,
			     readers[i].example);
		cr_expect_eq(readers[i].backward, 0, "%s goes back in time", views[i]);
		cr_expect_gt(readers[i].reads, 100);
	}
	cr_expect_eq(failed, 0);
	cr_expect_str_eq(content(views[0]), text_of);
}

struct writer {
	const char *path;
	unsigned id, count, failed;
};

static void *write_own(void *of)
{
	struct writer *w = of;
	for (unsigned i = 0; i < w->count; i++) {
		char path[4096], words[64];
		snprintf(path, sizeof path, "%s/w%u-%u.json", w->path, w->id, i % 50);
		int n = snprintf(words, sizeof words, "{\"w\":%u,\"i\":%u,\"Kind\":\"k%u\"}", w->id, i, i % 3);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		w->failed += fd < 0 || write(fd, words, (size_t)n) != n;
		w->failed += close(fd) < 0;
		if (i % 10 == 9)
			w->failed += unlink(path) < 0;
	}
	return NULL;
}

Test(concurrent, writers_of_many_items_lose_nothing)
{
	enum { WRITERS = 8, COUNT = 500 };
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){at("Music/Queen"), i, COUNT, 0};
		cr_assert_eq(pthread_create(&threads[i], NULL, write_own, &writers[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(writers[i].failed, 0);
	}
	/* Each writer's names 0…49 but every tenth. */
	expect_sh("ls \"$M/Music/Queen\" | wc -l", "360\n");
	expect_sh("find \"$M/Music/.index/by-kind\" -type f | wc -l", "360\n");
	cr_expect_str_eq(content("Music/Queen/w3-48.json"), "{\"w\":3,\"i\":498,\"Kind\":\"k0\"}");
}

struct taker {
	const char *dir;
	unsigned won;
	unsigned odd; /* errors other than EEXIST */
};

static void *take(void *of)
{
	struct taker *t = of;
	for (int i = 0; i < 200; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/lock%d.json", t->dir, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0) {
			t->odd += errno != EEXIST;
			continue;
		}
		t->won++;
		t->odd += write(fd, "{}", 2) != 2;
		t->odd += close(fd) < 0;
	}
	return NULL;
}

Test(concurrent, o_excl_has_one_winner)
{
	enum { TAKERS = 4 };
	struct taker takers[TAKERS];
	pthread_t threads[TAKERS];
	unsigned won = 0;
	for (int i = 0; i < TAKERS; i++) {
		takers[i] = (struct taker){at("Music/Queen"), 0, 0};
		cr_assert_eq(pthread_create(&threads[i], NULL, take, &takers[i]), 0);
	}
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(takers[i].odd, 0);
		won += takers[i].won;
	}
	cr_expect_eq(won, 200);
	expect_sh("ls \"$M/Music/Queen\" | wc -l", "200\n");
}

Test(concurrent, a_listing_is_of_one_moment_however_slowly_it_is_read)
{
	assert_sh("cd \"$M/Music/Queen\" && for ((i = 1000; i < 4000; i++)); do echo '{}' > $i.json; done");
	/* ls -f reads in many steps while every name is replaced. */
	assert_sh("cd \"$M/Music/Queen\" && (for ((i = 1000; i < 4000; i += 3)); do rm $i.json; done) & "
		  "for n in 1 2 3 4 5; do ls -U \"$M/Music/Queen\" | sort | uniq -d | grep . && exit 1; done; wait");
	expect_sh("ls \"$M/Music/Queen\" | wc -l", "2000\n");
}

Test(concurrent, shells_fight_over_one_partition_and_every_tool_sees_sense)
{
	assert_sh("cd \"$M/Music\" && for w in 1 2 3 4; do (for ((i = 0; i < 60; i++)); do echo \"{\\\"Order\\\":$i}\" "
		  "> Queen/x$((i % 7)).json; "
		  "mv Queen/x$((i % 7)).json Queen/y$w.json 2> /dev/null; rm -f Queen/x$((i % 5)).json; done) & done; "
		  "wait; true");
	expect_sh("cd \"$M/Music\" && for f in Queen/*.json; do [ ! -e \"$f\" ] || jq -e '.Order >= 0' \"$f\" > "
		  "/dev/null || echo \"$f\"; done",
		  "");
	expect_sh(
	    "[ $(ls \"$M/Music/.index/in-order/Queen\" | wc -l) = $(ls \"$M/Music/Queen\" | wc -l) ] && echo equal",
	    "equal\n");
}
