/* kill -9 of the daemon while everything that changes a volume goes on at once: what was acknowledged is there, nothing is half done, and the volume is whole.
 *
 * Seven processes, each of which owns what it changes and does one thing again and again, numbered: the number is noted before it begins (tried) and after it was
 * acknowledged (done), in memory that the test shares. So after the kill what each owns is as the number that was done has left it, or as the next one would have.
 *
 *   writer    Load/w/itemN.json is overwritten, plainly, with fsync, or by a rename onto it
 *   mover     Load/even/itemN.json becomes Load/odd/itemN.json, and back: an item gets another partition key
 *   renamer   Load/here, with all its items, becomes Load/there, and back
 *   definer   .schema.json gets an index, which is built in the background from some hundred items, and loses it
 *   importer  a file of twenty items goes into .import: all of them, or none
 *   holder    a snapshot is taken, and held until the next one; it goes with the daemon
 *   creator   an item is made with O_EXCL, and removed
 *
 * The kill comes after so many acknowledgements, not after some time. ITEMFS_KILLS says how many rounds; a thousand are the test of the label "long".
 *
 * In the second form documents are large and the memtable is the least that can be asked for, so that it fills again and again: each kill comes when so many memtables
 * have begun to become tables, or a merge of tables has begun, since the mount.
 */
#include "tests/crash/engine_log.h"
#include "tests/mount/harness.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { WRITER, MOVER, RENAMER, DEFINER, IMPORTER, HOLDER, CREATOR, ACTORS };
enum { ITEMS = 4, IMPORTED = 20, BALLAST = 300, PATIENCE_MS = 120000 };

struct note {
	volatile unsigned tried, done;
};

/* Shared with the processes. */
static struct load {
	struct note notes[ACTORS][ITEMS]; /* those that own one thing use the first */
	volatile unsigned long acknowledged;
	volatile int gave_up[ACTORS]; /* upon which errno */
} *load;

static struct {
	char table[4096], definition[2][4096], snapshots[4096];
} places;

/* Which form it is. */
static struct {
	const char *options[2], *slowly; /* of mounts, by turns; and of those that build slowly */
	int pad, imported_pad;           /* characters in each document that a writer writes, and in each that is imported, which mean nothing */
	unsigned rounds;                 /* where the environment does not say */
	bool fills;                      /* memtables, and they are waited for */
} form = {.slowly = "build_rate=50", .rounds = 10};
enum { PAD_MOST = 20000, DOCUMENT_ROOM = PAD_MOST + 128 };

/* What LevelDB had noted when the mount was there, and in how many rounds the kill met what. */
static struct engine_log noted;
static struct {
	unsigned tables, merges, amid_table, amid_merge;
} met;

static const char *definition_of(unsigned number)
{
	return number % 2 ? definition("p:S s:S", "gsi by-kind kind:S n:N ALL", "gsi by-n n:N ALL", NULL)
			  : definition("p:S s:S", "gsi by-kind kind:S n:N ALL", NULL);
}

static void up(const char *options)
{
	mount_up(options);
	noted = engine_log_of(volume());
}

static void setup(void)
{
	scratch_setup();
	up(form.options[0]);
	declare("Load", "p:S s:S", "gsi by-kind kind:S n:N ALL", NULL);
	assert_sh(text("cd \"$M/Load\" && mkdir w even odd here made && for i in {0..9}; do echo '{\"n\":'$i',\"kind\":\"here\"}' > here/$i.json; done; "
		       "for ((i = 0; i < %d; i++)); do echo '{\"p\":\"ballast\",\"s\":\"'$i'\",\"n\":'$i'}'; done > \"$D/ballast.jsonl\" && "
		       "cp \"$D/ballast.jsonl\" .import/ && for ((i = 0; i < %d; i++)); do echo '{\"n\":'$i',\"kind\":\"moved\"}' > even/item$i.json; done",
		       BALLAST, ITEMS));
	load = mmap(NULL, sizeof *load, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(load, MAP_FAILED);
	for (unsigned k = 0; k < ITEMS; k++)
		load->notes[MOVER][k] = (struct note){k, k}; /* in `even` */
	snprintf(places.table, sizeof places.table, "%s", at("Load"));
	snprintf(places.snapshots, sizeof places.snapshots, "%s", at(".itemfs/snapshots"));
	for (unsigned i = 0; i < 2; i++)
		snprintf(places.definition[i], sizeof places.definition[i], "%s", definition_of(i));
}

/* So large that some hundred acknowledgements are a dozen memtables, also where tables are packed. */
static void setup_filling(void)
{
	form.options[0] = "memtable=1";
	form.options[1] = "memtable=1,compress";
	form.slowly = "build_rate=50,memtable=1";
	form.pad = PAD_MOST;
	form.imported_pad = 2000;
	form.rounds = 4;
	form.fills = true;
	setup();
}

static void teardown(void)
{
	mount_teardown();
	munmap(load, sizeof *load);
}

TestSuite(mix, .init = setup, .fini = teardown, .timeout = 7200);
TestSuite(mix_filling, .init = setup_filling, .fini = teardown, .timeout = 7200);

/* ---- the processes; none of them uses the harness, whose memory they have a copy of ---- */

static bool write_file(const char *path, int flags, const char *words, bool sync)
{
	size_t n = strlen(words);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		return false;
	bool good = write(fd, words, n) == (ssize_t)n && (!sync || fsync(fd) == 0);
	int failed = errno;
	bool closed = close(fd) == 0;
	if (!good)
		errno = failed;
	return good && closed;
}

/* Digits that do not pack to nothing, and that tell their number. Room for n + 1. */
static void pad(char *ret_digits, int n, unsigned number)
{
	uint32_t state = number * 2654435761U + 1;
	for (int i = 0; i < n; i++) {
		state = state * 1664525U + 1013904223U;
		ret_digits[i] = "0123456789abcdef"[state >> 28];
	}
	ret_digits[n] = 0;
}

static int write_document(char ret_words[DOCUMENT_ROOM], unsigned number)
{
	char digits[PAD_MOST + 1];
	pad(digits, form.pad, number);
	return snprintf(ret_words, DOCUMENT_ROOM, "{\"n\":%u,\"kind\":\"k%u\",\"again\":%u,\"pad\":\"%s\"}\n", number, number % 3, number, digits);
}

/* A line of an import, without its end. */
static int write_imported(char ret_words[DOCUMENT_ROOM], unsigned item, unsigned number)
{
	char digits[PAD_MOST + 1];
	pad(digits, form.imported_pad, number * IMPORTED + item);
	return snprintf(ret_words, DOCUMENT_ROOM, "{\"p\":\"imported\",\"s\":\"%u\",\"n\":%u,\"kind\":\"i\",\"pad\":\"%s\"}", item, number, digits);
}

static bool write_item(unsigned number)
{
	char path[4200], other[4200], words[DOCUMENT_ROOM];
	snprintf(path, sizeof path, "%.4096s/w/item%u.json", places.table, number % ITEMS);
	snprintf(other, sizeof other, "%.4096s/w/item%u.tmp", places.table, number % ITEMS);
	write_document(words, number);
	switch (number / ITEMS % 3) {
	case 0:
		return write_file(path, 0, words, false);
	case 1:
		return write_file(path, 0, words, true);
	default:
		return write_file(other, 0, words, false) && rename(other, path) == 0;
	}
}

static bool move_item(unsigned number)
{
	static const char *const partitions[2] = {"even", "odd"};
	char from[4200], to[4200];
	unsigned which = number / ITEMS % 2;
	snprintf(to, sizeof to, "%.4096s/%s/item%u.json", places.table, partitions[which], number % ITEMS);
	snprintf(from, sizeof from, "%.4096s/%s/item%u.json", places.table, partitions[!which], number % ITEMS);
	return rename(from, to) == 0;
}

static bool move_partition(unsigned number)
{
	char from[4200], to[4200];
	snprintf(to, sizeof to, "%.4096s/%s", places.table, number % 2 ? "there" : "here");
	snprintf(from, sizeof from, "%.4096s/%s", places.table, number % 2 ? "here" : "there");
	return rename(from, to) == 0;
}

static bool define(unsigned number)
{
	char path[4200];
	snprintf(path, sizeof path, "%.4096s/.schema.json", places.table);
	return write_file(path, 0, places.definition[number % 2], false);
}

static bool import(unsigned number)
{
	static char words[IMPORTED * DOCUMENT_ROOM];
	char path[4200];
	char *end = words;
	snprintf(path, sizeof path, "%.4096s/.import/twenty.jsonl", places.table);
	for (unsigned i = 0; i < IMPORTED; i++) {
		end += write_imported(end, i, number);
		*end++ = '\n';
	}
	*end = 0;
	return write_file(path, 0, words, false);
}

static bool hold(unsigned number)
{
	char path[4200];
	struct stat st;
	snprintf(path, sizeof path, "%.4096s/held", places.snapshots);
	(void)number;
	return (rmdir(path) == 0 || errno == ENOENT) && mkdir(path, 0755) == 0 && stat(path, &st) == 0;
}

/* An odd number makes it, an even one removes it. */
static bool make_item(unsigned number)
{
	char path[4200];
	snprintf(path, sizeof path, "%.4096s/made/one.json", places.table);
	return number % 2 ? write_file(path, O_EXCL, "{\"kind\":\"made\"}", false) : unlink(path) == 0;
}

static const struct {
	const char *name;
	bool (*act)(unsigned number);
	unsigned things; /* that take turns by number % things */
} actors[ACTORS] = {
    [WRITER] = {"writer", write_item, ITEMS}, [MOVER] = {"mover", move_item, ITEMS},    [RENAMER] = {"renamer", move_partition, 1},
    [DEFINER] = {"definer", define, 1},       [IMPORTER] = {"importer", import, 1},     [HOLDER] = {"holder", hold, 1},
    [CREATOR] = {"creator", make_item, 1},
};

/* What a system call gives when the daemon has died, or its mountpoint was cleared away since. EIO: it died while it was just reading the request, of
 * which there is more to read where documents are large. */
static bool is_of_a_kill(int number)
{
	return number == ENOTCONN || number == ECONNABORTED || number == ENOENT || number == EIO;
}

static _Noreturn void act_on(unsigned actor, unsigned from)
{
	for (unsigned i = from;; i++) {
		struct note *note = &load->notes[actor][i % actors[actor].things];
		note->tried = i;
		errno = 0;
		if (!actors[actor].act(i)) {
			load->gave_up[actor] = errno ? errno : EPROTO;
			_exit(0);
		}
		note->done = i;
		__atomic_fetch_add(&load->acknowledged, 1, __ATOMIC_RELAXED);
	}
}

/* ---- what is left ---- */

/* Of two states that follow one another, which one there is: it must be that of `done`, or of what was tried after it. Notes it as done. */
static void settle(struct note *note, bool odd, const char *what)
{
	cr_assert(note->done % 2 == odd || note->tried % 2 == odd, "%s is as an %s number leaves it, but %u was done and %u tried", what, odd ? "odd" : "even",
		  note->done, note->tried);
	note->done = note->tried = note->done % 2 == odd ? note->done : note->tried;
}

static void expect_writes(void)
{
	for (unsigned k = 0; k < ITEMS; k++) {
		const struct note *note = &load->notes[WRITER][k];
		const char *got = content(text("Load/w/item%u.json", k));
		char want[DOCUMENT_ROOM];
		unsigned n = 0;
		if (note->done == 0 && !strcmp(got, "<ENOENT>"))
			continue;
		cr_assert_eq(sscanf(got, "{\"n\":%u", &n), 1, "item%u: %s", k, got);
		write_document(want, n);
		cr_assert(!strcmp(got, want) && n >= note->done && n <= note->tried, "item%u holds %s, done %u, tried %u", k, got, note->done, note->tried);
	}
}

static void expect_moves(void)
{
	for (unsigned k = 0; k < ITEMS; k++) {
		struct note *note = &load->notes[MOVER][k];
		const char *even = text("Load/even/item%u.json", k), *odd = text("Load/odd/item%u.json", k);
		bool is_odd = exists(odd);
		cr_assert_neq(is_odd, exists(even), "item%u is in both partitions, or in none", k);
		cr_assert_str_eq(content(is_odd ? odd : even), text("{\"n\":%u,\"kind\":\"moved\"}\n", k));
		struct note turns = {note->tried / ITEMS, note->done / ITEMS};
		settle(&turns, is_odd, "the partition of an item");
		note->done = note->tried = turns.done * ITEMS + k;
	}
	bool there = exists("Load/there");
	cr_assert_neq(there, exists("Load/here"), "the partition has both names, or none");
	settle(&load->notes[RENAMER][0], there, "the name of a partition");
	const char *name = there ? "there" : "here";
	cr_assert_str_eq(listing(text("Load/%s", name)), "0.json\n1.json\n2.json\n3.json\n4.json\n5.json\n6.json\n7.json\n8.json\n9.json\n");
	cr_assert_str_eq(content(text("Load/%s/7.json", name)), "{\"n\":7,\"kind\":\"here\"}\n");
}

static void expect_import(void)
{
	const struct note *note = &load->notes[IMPORTER][0];
	unsigned first = 0;
	for (unsigned i = 0; i < IMPORTED; i++) {
		const char *got = content(text("Load/imported/%u.json", i)), *number = strstr(got, "\"n\":");
		unsigned n = number ? (unsigned)strtoul(number + 4, NULL, 10) : 0;
		char want[DOCUMENT_ROOM];
		write_imported(want, i, n);
		cr_assert(!number || !strcmp(got, want), "item %u of the import: %s", i, got);
		first = i ? first : n;
		cr_assert_eq(n, first, "half an import is left: item 0 is of number %u, item %u of %u", first, i, n);
	}
	cr_assert(first >= note->done && first <= note->tried, "the import of number %u is there, done %u, tried %u", first, note->done, note->tried);
}

/* Waits until the background has done what it was about. */
static void await_indexes(bool both)
{
	int waited = 0;
	for (; both && !strcmp(listing("Load/.index/by-n"), "<EAGAIN>"); waited++) {
		cr_assert_lt(waited, PATIENCE_MS / 10, "an index does not become active");
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	cr_assert_str_eq(listing("Load/.index"), both ? "by-kind\nby-n\n" : "by-kind\n");
}

static void expect_definition(void)
{
	const char *got = content("Load/.schema.json");
	bool both = !strcmp(got, places.definition[1]);
	cr_assert(both || !strcmp(got, places.definition[0]), "%s", got);
	settle(&load->notes[DEFINER][0], both, "the definition");
	await_indexes(both);
	/* Items all have n, and all but the ballast a kind; an index that was built while all else changed holds each of them once. */
	cr_assert_eq(sh(text("cd \"$M/Load\" && all=$(find . -name '*.json' -not -name '.*' | wc -l) && made=$(find made -type f | wc -l) && "
			     "[ $(find .index/by-kind -type f | wc -l) = $((all - made - %d)) ] && "
			     "{ [ ! -e .index/by-n ] || [ $(find .index/by-n -type f | wc -l) = $((all - made)) ]; }", BALLAST)),
		     0, "the indexes do not hold each item once");
}

static void expect_all(void)
{
	expect_writes();
	expect_moves();
	expect_import();
	expect_definition();
	settle(&load->notes[CREATOR][0], exists("Load/made/one.json"), "an item");
	cr_assert_str_eq(listing(".itemfs/snapshots"), "", "snapshots last as long as the mount");
}

/* ---- the rounds ---- */

/* Until so many more were acknowledged, and each has got somewhere, however fast the machine is. */
static void await_load(unsigned long more, const unsigned *from)
{
	unsigned long target = load->acknowledged + more;
	for (unsigned waited = 0, actor = 0; load->acknowledged < target || actor < ACTORS; waited++) {
		cr_assert_lt(waited, (unsigned)PATIENCE_MS, "the load does not get on");
		while (actor < ACTORS && load->notes[actor][from[actor] % actors[actor].things].tried >= from[actor])
			actor++;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

/* Until so many memtables have begun to become tables since the mount was there; every other time, until a merge has begun. */
static void await_tables(unsigned number)
{
	struct engine_log now = noted;
	unsigned more = 1 + number / 2 % 6;
	for (unsigned waited = 0; number % 2 ? now.merges == noted.merges : now.tables < noted.tables + more; waited++) {
		cr_assert_lt(waited, (unsigned)PATIENCE_MS, "memtables do not fill, or are not merged");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		now = engine_log_of(volume());
	}
}

static void note_what_was_met(void)
{
	struct engine_log now = engine_log_of(volume());
	met.tables += now.tables_done - noted.tables_done;
	met.merges += now.merges_done - noted.merges_done;
	met.amid_table += now.tables > now.tables_done;
	met.amid_merge += now.merges > now.merges_done;
}

static void begin(pid_t *pids, unsigned *ret_from)
{
	for (unsigned actor = 0; actor < ACTORS; actor++) {
		unsigned newest = 0, things = actors[actor].things;
		for (unsigned i = 0; i < things; i++)
			newest = load->notes[actor][i].tried > newest ? load->notes[actor][i].tried : newest;
		ret_from[actor] = newest + 1;
		load->gave_up[actor] = 0;
	}
	for (unsigned actor = 0; actor < ACTORS; actor++) {
		pids[actor] = fork();
		cr_assert_geq(pids[actor], 0);
		if (pids[actor] == 0)
			act_on(actor, ret_from[actor]);
	}
}

static void round_of(unsigned number)
{
	pid_t pids[ACTORS];
	unsigned from[ACTORS];
	begin(pids, from);
	await_load(30 + number * 137UL % (form.fills ? 50 : 400), from); /* somewhere into it */
	if (form.fills)
		await_tables(number);
	for (unsigned actor = 0; actor < ACTORS; actor++)
		cr_assert_eq(waitpid(pids[actor], NULL, WNOHANG), 0, "round %u: the %s gave up before the kill: %s", number, actors[actor].name, strerror(load->gave_up[actor]));
	mount_kill();
	note_what_was_met();
	for (unsigned actor = 0; actor < ACTORS; actor++)
		waitpid(pids[actor], NULL, 0);
	for (unsigned actor = 0; actor < ACTORS; actor++)
		cr_assert(is_of_a_kill(load->gave_up[actor]), "round %u: the %s met %s", number, actors[actor].name, strerror(load->gave_up[actor]));
	cr_assert_eq(fsck_volume(volume()), 0, "round %u: %s", number, sh_output());
	/* Some go on with an index that is half built: the background is slow, and the kill comes again. */
	bool slowly = number % 3 == 1;
	if (slowly) {
		up(form.slowly);
		mount_kill();
		cr_assert_eq(fsck_volume(volume()), 0, "round %u, killed twice: %s", number, sh_output());
	}
	up(form.options[number % 2]);
	expect_all();
}

static void all_rounds(void)
{
	const char *wanted = getenv("ITEMFS_KILLS");
	unsigned rounds = wanted ? (unsigned)strtoul(wanted, NULL, 10) : form.rounds;
	for (unsigned i = 0; i < rounds; i++) {
		size_t mark = kept_mark();
		round_of(i);
		kept_until(mark);
	}
	cr_log_info("%u kills, %lu acknowledgements; %u memtables became tables and %u merges ended meanwhile, %u kills met one of the first in its middle and %u one of the second",
		    rounds, load->acknowledged, met.tables, met.merges, met.amid_table, met.amid_merge);
}

Test(mix, whatever_was_acknowledged_survives_each_kill_and_nothing_is_half_done)
{
	all_rounds();
}

Test(mix_filling, the_same_where_each_kill_comes_while_memtables_become_tables_and_tables_are_merged)
{
	all_rounds();
	cr_assert_gt(met.tables, 0, "no memtable became a table");
}
