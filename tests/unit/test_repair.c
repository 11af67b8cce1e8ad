/* repair: damage of each kind is done to a volume, in its rows or in its files; after the repair the check finds nothing, what was whole is there,
 * and what was not is kept and named. */
#include "index/repair.h"
#include "tests/unit/library_fixture.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stand in for the system's: a file system that cannot exchange names, and one that fails while names change. */
static bool no_exchange;
static int renames_left = -1; /* until each fails; -1: none does */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (no_exchange) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int rename(const char *from, const char *to)
{
	size_t n = strlen(to);
	if (n > 3 && strcmp(to + n - 3, "/db") == 0 && renames_left >= 0 && renames_left-- == 0) {
		renames_left = 0;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

TestSuite(repair, .init = set_up, .fini = tear_down);

static struct repair_report report;

/* Repairs what is shut, opens it again, and proves it. What was said is to be freed. */
static char *repaired(void)
{
	char *text = NULL;
	size_t n;
	struct why why = {.text = ""};
	FILE *out = open_memstream(&text, &n);
	enum rc rc = repair_volume(path, out, &report, &why);
	fclose(out);
	cr_assert_eq(rc, RC_OK, "repair_volume: %s: %s\n%s", rc_name(rc), why.text, text);
	volume = fixture_open_passive(path);
	fixture_sound(volume);
	return text;
}

static void repair_says(const char *expected)
{
	shut();
	char *text = repaired();
	cr_expect_str_eq(text, expected);
	free(text);
}

static void reads(const char *pk, const char *sk, const char *document)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	cr_expect(fixture_reads(&leaf, document), "%s/%s", pk, sk);
}

static void all_is_there(void)
{
	table = fixture_find(volume, "Music");
	reads("Queen", "Innuendo", "{\"year\":1991}");
	reads("Queen", "Bohemian", "{\"year\":1975,\"n\":1}");
	reads("ABBA", "Eagle", large);
	struct leaf file = fixture_file(table, "Queen", "README");
	cr_expect(fixture_reads(&file, "plain"));
	file = fixture_file(table, NULL, "notes");
	cr_expect(fixture_reads(&file, large));
	fixture_put(table, "Queen", "new", "{\"year\":2000}"); /* it can be written to */
	fixture_sound(volume);
}

static char *kept(unsigned number)
{
	char name[4200], *text = NULL;
	size_t n;
	snprintf(name, sizeof name, "%s/lost/%06u", report.place, number);
	FILE *in = fopen(name, "r");
	cr_assert_not_null(in, "%s", name);
	FILE *out = open_memstream(&text, &n);
	for (int c; (c = fgetc(in)) != EOF;)
		fputc(c, out);
	fclose(in);
	fclose(out);
	return text;
}

Test(repair, a_sound_volume_stays_what_it_is)
{
	repair_says("");
	all_is_there();
}

Test(repair, the_damaged_store_is_kept_and_the_next_repair_takes_another_place)
{
	struct stat st;
	char name[4200];
	repair_says("");
	snprintf(name, sizeof name, "%s/damaged-1/db/CURRENT", path);
	cr_expect_eq(stat(name, &st), 0);
	snprintf(name, sizeof name, "%s/damaged-1/new", path);
	cr_expect_neq(stat(name, &st), 0);
	snprintf(name, sizeof name, "%s/damaged-1/report.txt", path);
	cr_expect_eq(stat(name, &st), 0);
	repair_says("");
	snprintf(name, sizeof name, "%s/damaged-2", path);
	cr_expect_str_eq(report.place, name);
	all_is_there();
}

static bool has(const char *name)
{
	char file[4200];
	struct stat st;
	snprintf(file, sizeof file, "%s/%s", path, name);
	return stat(file, &st) == 0;
}

Test(repair, goes_well_where_names_cannot_be_exchanged)
{
	no_exchange = true;
	repair_says("");
	cr_expect(has("damaged-1/db"));
	cr_expect_not(has("damaged-1/new"));
	all_is_there();
}

/* A repair whose names could be changed only so far. */
static void repair_fails_after(int renames)
{
	struct why why = {.text = ""};
	shut();
	no_exchange = true;
	renames_left = renames;
	cr_expect_eq(repair_volume(path, stdout, &report, &why), RC_IO);
	cr_expect_eq(!has("db"), strstr(why.text, "the next mount") != NULL, "%s", why.text);
	renames_left = -1;
}

Test(repair, that_cannot_move_the_damaged_store_leaves_nothing)
{
	repair_fails_after(0);
	cr_expect(has("db"));
	cr_expect_not(has("damaged-1"));
	volume = fixture_open_passive(path);
	all_is_there();
}

Test(repair, that_was_cut_short_between_two_names_is_finished_by_the_next_mount)
{
	repair_fails_after(1);
	cr_expect_not(has("db"));
	cr_expect(has("damaged-1/db"));
	cr_expect(has("damaged-1/new"));
	volume = fixture_open_passive(path);
	cr_expect(has("damaged-1/db"));
	cr_expect_not(has("damaged-1/new"));
	all_is_there();
}

Test(repair, that_was_cut_short_between_two_names_is_finished_by_the_next_repair)
{
	repair_fails_after(1);
	free(repaired());
	cr_expect(has("damaged-2/db"));
	cr_expect_not(has("damaged-1/new"));
	all_is_there();
}

Test(repair, a_place_without_a_new_store_makes_no_volume)
{
	char from[4200], to[4200];
	struct why why = {.text = ""};
	struct volume_options options = {.create = true, .passive = true};
	struct volume *none = NULL;
	repair_says("");
	shut();
	snprintf(from, sizeof from, "%s/db", path);
	snprintf(to, sizeof to, "%s/elsewhere", path);
	cr_assert_eq(rename(from, to), 0);
	cr_expect_eq(volume_open(path, &options, &none, &why), RC_INVALID, "%s", why.text);
	cr_expect_eq(repair_volume(path, stdout, &report, &why), RC_NOT_FOUND);
}

Test(repair, a_volume_in_use_is_left_alone)
{
	struct why why = {.text = ""};
	cr_expect_eq(repair_volume(path, stdout, &report, &why), RC_BUSY);
	cr_expect_not_null(strstr(why.text, "in use"), "%s", why.text);
}

Test(repair, counters_indexes_and_partitions_are_made_anew)
{
	cleanup_buf struct buf row = {0};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Queen"), year = fixture_key(KEY_N, KEY_PARTITION, "1975");
	const struct key *keys[] = {&year};
	row_counters(&row, table->id);
	store_put(&row, NULL, 0);
	buf_clear(&row);
	row_partition(&row, table->id, &pk);
	store_put(&row, NULL, 0);
	buf_clear(&row);
	row_entry(&row, table->id, table->schema->indexes[0].id, keys, 1, false);
	store_put(&row, "x", 1);
	repair_says("Music: partition Queen: its record was lost, and is made anew\n"
		    "Music: its directory's times, mode and owner are lost\n");
	all_is_there();
}

Test(repair, an_item_that_is_not_sound_is_kept_in_a_file)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct head head = {.size = 15, .version = 3};
	item_row("Queen", "Innuendo", false, &row);
	head_write(&value, &head, "{\"Artist\":\"AB\"}");
	store_put(&row, value.data, value.len);
	repair_says("Music: item Queen/Innuendo: the document says Artist is \"AB\", and its path says \"Queen\": kept as lost/000001\n");
	cr_expect_eq(report.lost, 1);
	char *text = kept(1);
	cr_expect_str_eq(text, "{\"Artist\":\"AB\"}");
	free(text);
	table = fixture_find(volume, "Music");
	reads("Queen", "Bohemian", "{\"year\":1975,\"n\":1}");
	struct leaf leaf = fixture_item(table, "Queen", "Innuendo");
	cr_expect_not(fixture_reads(&leaf, "{\"year\":1991}"));
}

Test(repair, bytes_whose_head_is_lost_are_kept_in_a_file)
{
	cleanup_buf struct buf row = {0};
	item_row("ABBA", "Eagle", false, &row);
	store_put(&row, NULL, 0);
	repair_says("Music: item ABBA/Eagle: bytes without a head: kept as lost/000001\n");
	char *text = kept(1);
	cr_expect_eq(strlen(text), LARGE - 1);
	cr_expect_str_eq(text, large);
	free(text);
}

Test(repair, a_head_that_cannot_be_read_and_its_bytes_are_kept)
{
	cleanup_buf struct buf row = {0};
	item_row("ABBA", "Eagle", false, &row);
	store_put(&row, "rubbish", 7);
	repair_says("Music: item ABBA/Eagle: its head cannot be read: kept as lost/000001\n"
		    "Music: item ABBA/Eagle: bytes without a head: kept as lost/000002\n");
}

Test(repair, a_table_whose_name_is_lost_gets_one)
{
	cleanup_buf struct buf row = {0};
	char name[64], expected[200];
	snprintf(name, sizeof name, "recovered-%u", table->id);
	snprintf(expected, sizeof expected, "%s: a table whose name is lost: it may be one that was removed\n", name);
	row_catalog(&row, "Music");
	store_put(&row, NULL, 0);
	repair_says(expected);
	table = fixture_find(volume, name);
	reads("Queen", "Innuendo", "{\"year\":1991}");
	cr_expect_eq(table->schema->count, 1);
}

Test(repair, a_table_that_was_removed_does_not_come_back)
{
	struct table *other = fixture_table(volume, "Other");
	uint32_t id = other->id;
	fixture_put(other, "a", "b", "{}");
	table_unref(other);
	cleanup_buf struct buf row = {0};
	row_catalog(&row, "Other");
	store_put(&row, NULL, 0);
	buf_clear(&row);
	row_dead(&row, id, 0);
	store_put(&row, "", 0);
	repair_says("");
	cr_expect_eq(table_find(volume, "Other", &other), RC_NOT_FOUND);
	all_is_there();
}

Test(repair, a_table_without_a_definition_gets_it_back_by_writing_it)
{
	cleanup_buf struct buf row = {0};
	row_table(&row, table->id);
	store_put(&row, NULL, 0);
	repair_says("Music: its definition is lost: write its .schema.json anew, and its items get their types and indexes back\n");
	table = fixture_find(volume, "Music");
	cr_expect_not(table->schema->declared);
	fixture_define(table, FIXTURE_MUSIC);
	table_unref(table);
	fixture_sound(volume);
	all_is_there();
}

Test(repair, items_with_number_keys_keep_their_names_without_a_definition)
{
	static const char numbers[] =
	    "{\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"N\"}],"
	    "\"BillingMode\":\"PAY_PER_REQUEST\"}";
	struct table *other = fixture_table(volume, "Numbers");
	fixture_define(other, numbers);
	struct leaf leaf = fixture_item(other, "42", ""); /* there is no sort key */
	fixture_write(&leaf, "{\"id\":42,\"v\":1}");
	cleanup_buf struct buf row = {0};
	row_table(&row, other->id);
	store_put(&row, "x", 1);
	table_unref(other);
	repair_says("Numbers: it cannot be read: kept as lost/000001\n"
		    "Numbers: its definition is lost: write its .schema.json anew, and its items get their types and indexes back\n");
	other = fixture_find(volume, "Numbers");
	leaf = fixture_item(other, "42", "item");
	cr_expect(fixture_reads(&leaf, "{\"id\":42,\"v\":1}"));
	table_unref(other);
	all_is_there();
}

Test(repair, the_volumes_own_row_is_made_anew_past_all_that_was_given_out)
{
	cleanup_buf struct buf row = {0};
	uint64_t sequence = volume_sequence(volume);
	uint32_t id = table->id;
	row_volume(&row);
	store_put(&row, NULL, 0);
	buf_clear(&row);
	row_root(&row);
	store_put(&row, NULL, 0);
	repair_says("the volume's own row is lost: it is made anew\nthe root directory's times, mode and owner are lost\n");
	cr_expect_geq(volume_sequence(volume), sequence);
	struct table *fresh = fixture_table(volume, "Fresh");
	cr_expect_gt(fresh->id, id);
	table_unref(fresh);
	all_is_there();
}

Test(repair, a_newer_format_is_left_alone)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct why why = {.text = ""};
	struct stat st;
	char name[4200];
	struct volume_record record = {ROW_FORMAT + 1, 2, 1, 9};
	row_volume(&row);
	volume_write(&value, &record);
	store_put(&row, value.data, value.len);
	shut();
	cr_expect_eq(repair_volume(path, stdout, &report, &why), RC_UNSUPPORTED);
	snprintf(name, sizeof name, "%s/damaged-1", path);
	cr_expect_neq(stat(name, &st), 0, "a repair that failed leaves nothing behind");
}

/* The file of the store whose name ends so. */
static void file_of_store(const char *end, char *ret_name, size_t n)
{
	char name[4200];
	snprintf(name, sizeof name, "%s/db", path);
	DIR *dir = opendir(name);
	ret_name[0] = 0;
	for (struct dirent *e; (e = readdir(dir));)
		if (strncmp(e->d_name, end, strlen(end)) == 0 || (strlen(e->d_name) > strlen(end) && strcmp(e->d_name + strlen(e->d_name) - strlen(end), end) == 0))
			snprintf(ret_name, n, "%s/db/%s", path, e->d_name);
	closedir(dir);
	cr_assert(ret_name[0], "no %s", end);
}

static void does_not_open(void)
{
	struct why why = {.text = ""};
	struct volume_options options = {.create = true, .passive = true};
	struct volume *none = NULL;
	enum rc rc = volume_open(path, &options, &none, &why);
	cr_assert_eq(rc, RC_CORRUPT, "%s: %s", rc_name(rc), why.text);
	cr_expect_not_null(strstr(why.text, "fsck.itemfs --repair "), "%s", why.text);
}

Test(repair, a_lost_manifest_loses_nothing)
{
	char name[4200];
	shut();
	file_of_store("MANIFEST-", name, sizeof name);
	cr_assert_eq(truncate(name, 20), 0);
	snprintf(name, sizeof name, "%s/db/CURRENT", path);
	cr_assert_eq(unlink(name), 0);
	does_not_open();
	char *text = repaired();
	cr_expect_str_eq(text, "the store cannot be read as a whole: what can be is copied\n");
	free(text);
	all_is_there();
}

Test(repair, a_flipped_bit_in_a_log_is_never_believed)
{
	char name[4200];
	struct stat st;
	shut();
	volume = fixture_open_passive(path); /* what was written so far becomes a table */
	table = fixture_find(volume, "Music");
	fixture_put(table, "Queen", "Innuendo", "{\"year\":1992,\"mark\":\"here\"}");
	fixture_put(table, "Queen", "Jealousy", "{\"year\":1978}");
	shut();
	file_of_store(".log", name, sizeof name);
	cr_assert_eq(stat(name, &st), 0);
	FILE *file = fopen(name, "r+");
	char *bytes = malloc((size_t)st.st_size);
	cr_assert_eq(fread(bytes, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	char *mark = memmem(bytes, (size_t)st.st_size, "here", 4);
	cr_assert_not_null(mark);
	cr_assert_eq(fseek(file, mark - bytes, SEEK_SET), 0);
	fputc('h' ^ 1, file);
	fclose(file);
	free(bytes);
	does_not_open();
	char *text = repaired();
	cr_expect_eq(strncmp(text, "the store cannot be read as a whole", 35), 0, "%s", text);
	free(text);
	table = fixture_find(volume, "Music");
	reads("Queen", "Jealousy", "{\"year\":1978}"); /* what came after it */
	table_unref(table);
	all_is_there(); /* and what was there before it */
}
