/* torn: the files of a volume are cut at every byte, and their bits flipped, after a history of acknowledged commits. Each time the volume either
 * opens, agrees with itself and shows a prefix of the history, or it says that it is damaged and how it is repaired; and then the repair makes it
 * agree with itself, keeps what is whole, and shows nothing that was never written.
 *
 * A sample by default, spread over the last kilobytes by ITEMFS_SEED; with ITEMFS_DAMAGE=all each byte and each bit of them (ctest's label "long"). */
#include "index/repair.h"
#include "tests/unit/fixture.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMITS = 40, KEYS = 7, GONE = -1, SAMPLE = 16, LAST_BYTES = 3072, FILES_MAX = 32 };

struct file {
	char name[64];
	uint8_t *bytes;
	size_t n;
};

static char *path;
static struct file files[FILES_MAX];
static size_t file_count;
static unsigned long opened, repaired, set_back;

/* ---- the history ---- */

static int key_of(int commit)
{
	return commit * 5 % KEYS;
}

static bool deletes(int commit)
{
	return commit % 6 == 5;
}

static void document_of(int commit, char ret_text[120])
{
	snprintf(ret_text, 120, "{\"year\":%d,\"n\":%d,\"text\":\"%040d\"}", 1970 + commit % 4, commit, commit * 7);
}

static struct leaf leaf_of(struct table *table, int key)
{
	char sk[16];
	snprintf(sk, sizeof sk, "song-%d", key);
	return fixture_item(table, key % 2 ? "Queen" : "ABBA", sk);
}

static void make_commit(struct table *table, int commit)
{
	struct leaf leaf = leaf_of(table, key_of(commit));
	char text[120];
	document_of(commit, text);
	if (!deletes(commit))
		fixture_write(&leaf, text);
	else if (leaf_get(&leaf, NULL, &(struct head){0}, NULL) == RC_OK)
		cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
}

/* Which commit each key shows after the first n. */
static void state_after(int n, int ret_state[KEYS])
{
	for (int key = 0; key < KEYS; key++)
		ret_state[key] = GONE;
	for (int commit = 0; commit < n; commit++)
		ret_state[key_of(commit)] = deletes(commit) ? GONE : commit;
}

/* What the volume shows; nothing that was never written. */
static void read_state(struct table *table, const char *what, size_t at, int ret_state[KEYS])
{
	for (int key = 0; key < KEYS; key++) {
		struct leaf leaf = leaf_of(table, key);
		ret_state[key] = GONE;
		for (int commit = 0; commit < COMMITS; commit++) {
			char text[120];
			document_of(commit, text);
			if (key_of(commit) == key && !deletes(commit) && fixture_reads(&leaf, text))
				ret_state[key] = commit;
		}
		enum rc rc = leaf_get(&leaf, NULL, &(struct head){0}, NULL);
		cr_assert_eq(rc, ret_state[key] == GONE ? RC_NOT_FOUND : RC_OK, "%s at %zu: key %d: %s", what, at, key, rc_name(rc));
	}
}

/* How long the prefix is that it shows. */
static int prefix_of(const int state[KEYS])
{
	for (int n = COMMITS; n >= 0; n--) {
		int wanted[KEYS];
		state_after(n, wanted);
		if (memcmp(wanted, state, sizeof wanted) == 0)
			return n;
	}
	return -1;
}

/* ---- its files ---- */

static void read_files(void)
{
	char db[200], name[500];
	snprintf(db, sizeof db, "%s/db", path);
	DIR *dir = opendir(db);
	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;
		snprintf(name, sizeof name, "%s/%s", db, e->d_name);
		if (e->d_type != DT_REG || strncmp(e->d_name, "LO", 2) == 0 || stat(name, &st) != 0)
			continue;
		cr_assert_lt(file_count, FILES_MAX);
		struct file *file = &files[file_count++];
		snprintf(file->name, sizeof file->name, "%.60s", e->d_name);
		file->n = (size_t)st.st_size;
		file->bytes = malloc(file->n + 1);
		FILE *in = fopen(name, "r");
		cr_assert_eq(fread(file->bytes, 1, file->n, in), file->n);
		fclose(in);
	}
	closedir(dir);
}

/* The volume as it was closed, but for `changed`, of which it has the first n bytes. */
static void write_files(const struct file *changed, size_t n)
{
	char name[300];
	nftw(path, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(name, sizeof name, "%s/db", path);
	cr_assert_eq(mkdir(name, 0700), 0);
	for (size_t i = 0; i < file_count; i++) {
		snprintf(name, sizeof name, "%s/db/%.60s", path, files[i].name);
		FILE *out = fopen(name, "w");
		size_t most = &files[i] == changed ? n : files[i].n;
		cr_assert_eq(fwrite(files[i].bytes, 1, most, out), most);
		fclose(out);
	}
}

static struct file *file_of(const char *part)
{
	struct file *best = NULL;
	for (size_t i = 0; i < file_count; i++)
		if (strstr(files[i].name, part) && (!best || files[i].n > best->n))
			best = &files[i];
	cr_assert_not_null(best, "no %s", part);
	return best;
}

static void set_up(void)
{
	path = fixture_place();
	struct volume *volume = fixture_open_passive(path);
	struct table *table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	fixture_put(table, "Base", "rock", "{\"year\":1960}");
	table_unref(table);
	volume_close(volume);
	volume = fixture_open_passive(path); /* what was written so far is a table now, and the history a log */
	table = fixture_find(volume, "Music");
	for (int commit = 0; commit < COMMITS; commit++)
		make_commit(table, commit);
	table_unref(table);
	volume_close(volume);
	read_files();
}

static void tear_down(void)
{
	for (size_t i = 0; i < file_count; i++)
		free(files[i].bytes);
	fixture_remove(path);
}

TestSuite(torn, .init = set_up, .fini = tear_down, .timeout = 7200);

/* ---- what is asked of each case ---- */

static void repair(const char *what, size_t at)
{
	struct repair_report report;
	struct why why = {.text = ""};
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	enum rc rc = repair_volume(path, out, &report, &why);
	fclose(out);
	cr_assert_eq(rc, RC_OK, "%s at %zu: %s: %s\n%s", what, at, rc_name(rc), why.text, text);
	free(text);
	repaired++;
}

/* Whether it opens and agrees with itself; where not, it has said so, and is repaired now. */
static bool opens_sound(const char *what, size_t at, struct volume **ret_volume)
{
	struct volume_options options = {.create = true, .passive = true};
	struct why why = {.text = ""};
	unsigned long problems = 0;
	enum rc rc = volume_open(path, &options, ret_volume, &why);
	if (!rc) {
		FILE *nowhere = fopen("/dev/null", "w");
		rc = check_volume(*ret_volume, nowhere, false, &problems);
		fclose(nowhere);
		if (!rc && !problems) {
			opened++;
			return true;
		}
		volume_close(*ret_volume);
	} else {
		cr_assert_eq(rc, RC_CORRUPT, "%s at %zu: %s: %s", what, at, rc_name(rc), why.text);
		cr_assert_not_null(strstr(why.text, "fsck.itemfs --repair "), "%s at %zu: %s", what, at, why.text);
	}
	repair(what, at);
	*ret_volume = fixture_open_passive(path);
	return false;
}

/* Its name and its definition may have been in what was damaged; its items have string keys then, as before. */
static struct table *only_table(struct volume *volume)
{
	cr_assert(volume->tables && !volume->tables->next);
	return table_ref(volume->tables);
}

/* What the damaged volume shows, at once or after its repair: as a prefix, -1: none. *ret_opened: at once. */
static int outcome(const char *what, size_t at, bool *ret_opened)
{
	struct volume *volume = NULL;
	int state[KEYS], last[KEYS];
	*ret_opened = opens_sound(what, at, &volume);
	fixture_sound(volume);
	struct table *table = only_table(volume);
	read_state(table, what, at, state);
	state_after(COMMITS, last);
	for (int key = 0; key < KEYS; key++)
		set_back += !*ret_opened && state[key] != last[key];
	struct leaf base = fixture_item(table, "Base", "rock");
	cr_assert(strstr(what, "table") || fixture_reads(&base, "{\"year\":1960}"), "%s at %zu: what nothing touched is there", what, at);
	fixture_put(table, "Queen", "after", "{\"year\":2000}"); /* and it goes on from there */
	fixture_sound(volume);
	table_unref(table);
	volume_close(volume);
	int prefix = prefix_of(state);
	cr_assert(!*ret_opened || prefix >= 0, "%s at %zu: it opens, and shows what was never so", what, at);
	return prefix;
}

static size_t stride(size_t cases)
{
	const char *all = getenv("ITEMFS_DAMAGE");
	return (all && strcmp(all, "all") == 0) || cases < SAMPLE ? 1 : cases / SAMPLE;
}

static size_t seed(size_t step)
{
	const char *text = getenv("ITEMFS_SEED");
	return text ? (size_t)strtoul(text, NULL, 10) % step : 7 % step;
}

static void say_counts(const char *what)
{
	fprintf(stderr, "%s: %lu opened with a prefix, %lu were repaired, %lu keys in them show an older commit\n", what, opened, repaired, set_back);
}

/* From which byte on a file is looked at. */
static size_t last_bytes_of(const struct file *file)
{
	return file->n > LAST_BYTES ? file->n - LAST_BYTES : 0;
}

static void cut_everywhere(const char *part, const char *what, bool opens, bool keeps_all)
{
	struct file *file = file_of(part);
	size_t from = last_bytes_of(file), step = stride(file->n - from);
	for (size_t n = from + seed(step); n < file->n; n += step) {
		bool at_once;
		write_files(file, n);
		int prefix = outcome(what, n, &at_once);
		cr_assert(!opens || at_once, "%s at %zu: is what a crash leaves, and opens", what, n);
		cr_assert(!keeps_all || prefix == COMMITS, "%s at %zu: everything is there: %d of %d", what, n, prefix, COMMITS);
	}
	say_counts(what);
}

static void flip_everywhere(const char *part, const char *what, bool keeps_all)
{
	struct file *file = file_of(part);
	size_t from = last_bytes_of(file) * 8, step = stride(file->n * 8 - from);
	for (size_t bit = from + seed(step); bit < file->n * 8; bit += step) {
		bool at_once;
		file->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_files(file, file->n);
		int prefix = outcome(what, bit, &at_once);
		cr_assert(!at_once || prefix == COMMITS, "%s, bit %zu: opens, and shows %d of %d", what, bit, prefix, COMMITS);
		cr_assert(!keeps_all || prefix == COMMITS, "%s, bit %zu: everything is there: %d of %d", what, bit, prefix, COMMITS);
		file->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	say_counts(what);
}

Test(torn, a_volume_whose_log_was_cut_anywhere_opens_with_a_prefix_of_its_commits)
{
	cut_everywhere(".log", "log cut", true, false);
}

Test(torn, one_with_a_bit_of_its_log_flipped_is_refused_and_repaired)
{
	flip_everywhere(".log", "log flip", false);
}

Test(torn, a_manifest_that_was_cut_anywhere_loses_nothing)
{
	cut_everywhere("MANIFEST", "manifest cut", false, true);
}

Test(torn, a_manifest_with_a_bit_flipped_loses_nothing)
{
	flip_everywhere("MANIFEST", "manifest flip", true);
}

Test(torn, a_table_with_a_bit_flipped_is_noticed_and_repaired)
{
	flip_everywhere(".ldb", "table flip", false);
}

Test(torn, a_table_that_was_cut_anywhere_is_noticed_and_repaired)
{
	cut_everywhere(".ldb", "table cut", false, false);
}
