/* volume: tables, leaves and partitions over a real volume. */
#include "tests/unit/music_fixture.h"
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(volume, .init = set_up, .fini = tear_down);

Test(volume, a_second_opener_is_told_who_has_it)
{
	struct volume_options options = {.holder = "another"};
	struct volume *second = NULL;
	struct why why = {.text = ""};
	cr_expect_eq(volume_open(path, &options, &second, &why), RC_BUSY);
	cr_expect_not_null(strstr(why.text, "a test"), "%s", why.text);
	cr_expect_null(second);
}

static void *close_later(void *ending)
{
	usleep(700 * 1000); /* longer than a volume is waited for whose holder does not end */
	volume_close(ending);
	return NULL;
}

Test(volume, one_that_is_about_to_be_closed_is_waited_for)
{
	struct volume_options options = {.holder = "another"};
	struct volume *second = NULL;
	pthread_t closing;
	table_unref(table);
	volume_ending(volume);
	cr_assert_eq(pthread_create(&closing, NULL, close_later, volume), 0);
	enum rc rc = volume_open(path, &options, &second, NULL);
	pthread_join(closing, NULL);
	cr_assert_eq(rc, RC_OK, "%s", rc_name(rc));
	volume = second;
	table = fixture_find(volume, "Music");
}

Test(volume, a_directory_with_other_files_is_left_alone)
{
	char *other = fixture_place(), *file = NULL;
	struct volume_options options = {.create = true};
	struct volume *second = NULL;
	cr_assert_gt(asprintf(&file, "%s/letter.txt", other), 0);
	FILE *f = fopen(file, "w");
	cr_assert_not_null(f);
	fclose(f);
	cr_expect_eq(volume_open(other, &options, &second, NULL), RC_INVALID);
	struct stat st;
	cr_expect_eq(stat(file, &st), 0);
	free(file);
	fixture_remove(other);
}

Test(volume, what_is_not_there_is_not_made_unless_asked)
{
	struct volume_options options = {.create = false};
	struct volume *second = NULL;
	char *other = fixture_place();
	cr_expect_eq(volume_open(other, &options, &second, NULL), RC_NOT_FOUND);
	cr_expect_eq(volume_open("/nonexistent/volume", &options, &second, NULL), RC_NOT_FOUND);
	options.create = true;
	cr_expect_eq(volume_open("/nonexistent/volume", &options, &second, NULL), RC_NOT_FOUND);
	fixture_remove(other);
}

Test(volume, a_newer_format_is_refused)
{
	struct volume_options options = {.create = false};
	struct volume *second = NULL;
	struct why why = {.text = ""};
	cleanup_buf struct buf key = {0}, good = {0}, newer = {0};
	struct store_batch *batch;
	struct volume_record record = volume->record;
	row_volume(&key);
	volume_write(&good, &record);
	record.format = ROW_FORMAT + 1;
	volume_write(&newer, &record);
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_put(batch, key.data, key.len, newer.data, newer.len);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
	table_unref(table);
	volume_close(volume);
	cr_expect_eq(volume_open(path, &options, &second, &why), RC_UNSUPPORTED);
	char number[32];
	snprintf(number, sizeof number, "format %d", ROW_FORMAT + 1);
	cr_expect_not_null(strstr(why.text, number), "%s", why.text);
	fixture_remove(path);
	set_up();
}

Test(volume, everything_is_there_after_a_remount)
{
	fixture_define(table, FIXTURE_MUSIC);
	fixture_put(table, "Queen", "Bohemian", "{\"year\":1975}");
	uint64_t identity = table_identity(table);
	uint64_t sequence = volume->record.sequence;
	remount();
	struct leaf leaf = fixture_item(table, "Queen", "Bohemian");
	cr_expect(fixture_reads(&leaf, "{\"year\":1975}"));
	cr_expect_eq(table_identity(table), identity);
	cr_expect_geq(volume->record.sequence, sequence);
	lists_index("1975", "Queen,Bohemian ");
}

static void read_row(struct volume_record *ret_record)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_volume(&row);
	cr_assert_eq(store_get(volume->store, NULL, row.data, row.len, &value), RC_OK);
	cr_assert_eq(volume_read(value.data, value.len, ret_record), RC_OK);
}

/* How often the volume's row changes over as many commits. */
static unsigned times_written(unsigned commits)
{
	struct volume_record before, now;
	unsigned times = 0;
	char document[32];
	read_row(&before);
	for (unsigned i = 0; i < commits; i++) {
		snprintf(document, sizeof document, "{\"n\":%u}", i);
		fixture_put(table, "a", "b", document);
		read_row(&now);
		cr_assert_geq(now.sequence, volume->record.sequence);
		times += now.sequence != before.sequence;
		before = now;
	}
	return times;
}

Test(volume, its_row_is_ahead_of_many_commits_and_no_sequence_is_given_twice)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct leaf leaf = fixture_item(table, "a", "b");
	struct head before, after;
	unsigned times = times_written(3000);
	cr_expect(times >= 2 && times <= 4, "%u", times);
	cr_assert_eq(leaf_get(&leaf, NULL, &before, NULL), RC_OK);
	remount();
	leaf = fixture_item(table, "a", "b");
	fixture_put(table, "a", "b", "{\"last\":true}");
	cr_assert_eq(leaf_get(&leaf, NULL, &after, NULL), RC_OK);
	cr_expect_gt(after.version, before.version);
}

Test(volume, its_row_has_each_table_s_number_at_once)
{
	struct table *other;
	struct volume_record record;
	cr_assert_eq(table_create(volume, "Other", &fixture_directory, NULL), RC_OK);
	cr_assert_eq(table_find(volume, "Other", &other), RC_OK);
	read_row(&record);
	cr_expect_gt(record.next_table, other->id);
	table_unref(other);
}

Test(volume, tables_are_created_found_listed_and_removed)
{
	struct table *other = NULL;
	struct why why = {.text = ""};
	cr_expect_eq(table_create(volume, "Music", &fixture_directory, &why), RC_EXISTS);
	cr_expect_eq(table_create(volume, "ab", &fixture_directory, &why), RC_INVALID);
	cr_expect_eq(table_create(volume, ".abc", &fixture_directory, &why), RC_INVALID);
	cr_expect_eq(table_find(volume, "Nope", &other), RC_NOT_FOUND);
	other = fixture_table(volume, "Albums");
	lists(LISTING_TABLES, NULL, "Albums Music ");
	fixture_put(other, "p", "s", "{}");
	cr_expect_eq(table_remove(other, NULL), RC_NOT_EMPTY);
	struct leaf leaf = fixture_item(other, "p", "s");
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_expect_eq(table_remove(other, NULL), RC_OK);
	cr_expect_eq(table_remove(other, NULL), RC_STALE);
	cr_expect_eq(leaf_get(&leaf, NULL, &(struct head){0}, NULL), RC_STALE);
	lists(LISTING_TABLES, NULL, "Music ");
	table_unref(other);
}

/* How many names are compared for one that is there, at most. */
static size_t longest_chain(void)
{
	size_t longest = 0;
	for (size_t i = 0; i < TABLE_BUCKETS; i++) {
		size_t n = 0;
		for (struct table *t = volume->table_names.bucket[i]; t; t = t->beside)
			n++;
		longest = n > longest ? n : longest;
	}
	return longest;
}

Test(volume, finds_one_of_two_thousand_tables_among_a_few)
{
	struct meta meta = {.mode = 0755};
	struct table *found;
	char name[32];
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "table-%d", i);
		cr_assert_eq(table_create(volume, name, &meta, NULL), RC_OK);
	}
	cr_expect_leq(longest_chain(), 16);
	for (int i = 0; i < 2000; i += 3) {
		snprintf(name, sizeof name, "table-%d", i);
		cr_assert_eq(table_find(volume, name, &found), RC_OK, "%s", name);
		if (i % 2)
			cr_assert_eq(table_remove(found, NULL), RC_OK);
		else
			cr_assert_eq(table_rename(found, strcat(name, ".renamed"), true, NULL), RC_OK);
		table_unref(found);
	}
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "table-%d%s", i, i % 3 == 0 && i % 2 == 0 ? ".renamed" : "");
		enum rc rc = table_find(volume, name, &found);
		cr_expect_eq(rc, i % 3 == 0 && i % 2 ? RC_NOT_FOUND : RC_OK, "%s", name);
		if (!rc)
			table_unref(found);
	}
}

Test(volume, a_protected_table_is_not_removed)
{
	struct why why = {.text = ""};
	fixture_define(table,
		       "{\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":["
		       "{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\","
		       "\"DeletionProtectionEnabled\":true}");
	cr_expect_eq(table_remove(table, &why), RC_FORBIDDEN);
}

Test(volume, a_renamed_table_keeps_its_items_and_replaces_only_an_empty_one)
{
	struct table *other = fixture_table(volume, "Songs");
	fixture_put(table, "Queen", "Bohemian", "{}");
	fixture_put(other, "p", "s", "{}");
	cr_expect_eq(table_rename(table, "Songs", false, NULL), RC_NOT_EMPTY);
	struct leaf leaf = fixture_item(other, "p", "s");
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_expect_eq(table_rename(table, "Songs", true, NULL), RC_EXISTS);
	cr_expect_eq(table_rename(table, "no", false, NULL), RC_INVALID);
	cr_expect_eq(table_rename(table, "Songs", false, NULL), RC_OK);
	cr_expect_eq(table_rename(table, "Songs", false, NULL), RC_OK);
	lists(LISTING_TABLES, NULL, "Songs ");
	leaf = fixture_item(table, "Queen", "Bohemian");
	cr_expect(fixture_reads(&leaf, "{}"));
	cr_expect_eq(fixture_try_write(&leaf, "{\"a\":1}", NULL), RC_OK);
	leaf.table = other;
	cr_expect_eq(fixture_try_write(&leaf, "{\"a\":1}", NULL), RC_STALE);
	cr_expect_eq(table_rename(table, "Music", false, NULL), RC_OK);
	table_unref(other);
}

Test(volume, what_is_written_is_what_is_read)
{
	char *large = malloc(200000);
	struct leaf leaf = fixture_item(table, "p", "s");
	const char *texts[] = {"{}", "", " {\n\"b\" : 1.50, \"a\":[ ] }\n\n", large, "{}", large};
	memset(large, ' ', 199999);
	large[0] = '{';
	large[199998] = '}';
	large[199999] = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		fixture_write(&leaf, texts[i]);
		cr_expect(fixture_reads(&leaf, texts[i]), "document %zu", i);
		fixture_sound(volume);
	}
	free(large);
}

Test(volume, a_refused_document_leaves_the_old_item)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct leaf leaf = fixture_item(table, "Queen", "Bohemian");
	struct why why = {.text = ""};
	fixture_write(&leaf, "{\"year\":1975}");
	cr_expect_eq(fixture_try_write(&leaf, "{\"year\":\"1975\"}", &why), RC_REFUSED);
	cr_expect_not_null(
	    strstr(why.text, "Type mismatch for Index Key year Expected: N Actual: S IndexName: by-year"), "%s",
	    why.text);
	cr_expect_eq(fixture_try_write(&leaf, "{\"Song\":\"Other\"}", &why), RC_REFUSED);
	cr_expect_eq(fixture_try_write(&leaf, "{oops", &why), RC_REFUSED);
	cr_expect_eq(fixture_try_write(&leaf, "{\"a\":", &why), RC_UNFINISHED);
	cr_expect_eq(leaf_check(&leaf, "{\"Artist\":\"Queen\"}", 18, &why), RC_OK);
	cr_expect_eq(leaf_check(&leaf, "{\"Artist\":\"ABBA_\"}", 18, &why), RC_REFUSED);
	cr_expect(fixture_reads(&leaf, "{\"year\":1975}"));
	lists_index("1975", "Queen,Bohemian ");
}

Test(volume, conditions_hold_for_items_and_files)
{
	struct leaf leaves[] = {fixture_item(table, "p", "s"), fixture_file(table, NULL, "notes")};
	for (size_t i = 0; i < 2; i++) {
		struct leaf_write write = {
		    .document = "{}", .len = 2, .condition = LEAF_SAME, .birth = 1, .fresh = &fixture_meta};
		struct head head;
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_STALE);
		write.condition = LEAF_ABSENT;
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_OK);
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_EXISTS);
		uint64_t birth = head.birth;
		write.condition = LEAF_SAME;
		write.birth = birth;
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_OK);
		cr_expect_eq(head.birth, birth);
		cr_expect_eq(leaf_remove(&leaves[i], NULL), RC_OK);
		cr_expect_eq(leaf_remove(&leaves[i], NULL), RC_NOT_FOUND);
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_STALE);
		write.condition = LEAF_ALWAYS;
		cr_expect_eq(leaf_write(&leaves[i], &write, &head, NULL), RC_OK);
		cr_expect_neq(head.birth, birth);
	}
}

Test(volume, times_and_modes_are_the_files_own)
{
	struct leaf leaf = fixture_item(table, "p", "s");
	struct leaf_write write = {.document = "{}", .len = 2, .fresh = &fixture_meta};
	struct head head;
	cr_assert_eq(leaf_write(&leaf, &write, &head, NULL), RC_OK);
	cr_expect_eq(head.meta.mode, 0644);
	cr_expect_eq(head.meta.mtime, fixture_meta.mtime);
	struct meta_change change = {.mode_set = true, .mtime_set = true, .value = {.mode = 0600, .mtime = 77}};
	cr_assert_eq(leaf_set_meta(&leaf, &change, &head), RC_OK);
	cr_assert_eq(leaf_write(&leaf, &write, &head, NULL), RC_OK);
	cr_expect_eq(head.meta.mode, 0600);
	cr_expect_eq(head.meta.mtime, 77, "a commit that sets no mtime leaves it");
	write.mtime_set = true;
	write.mtime = 99;
	cr_assert_eq(leaf_write(&leaf, &write, &head, NULL), RC_OK);
	cr_expect_eq(head.meta.mtime, 99);
	cr_expect_eq(head.meta.uid, 1000);
}

Test(volume, an_implicit_partition_goes_with_its_last_name)
{
	struct leaf leaf = fixture_item(table, "p", "s"), file = fixture_file(table, "p", "README");
	struct key pk = text_key("p");
	struct partition_record record;
	cr_expect_eq(fixture_try_write(&file, "x", NULL), RC_NOT_FOUND);
	fixture_write(&leaf, "{}");
	fixture_write(&file, "x");
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_expect_eq(partition_get(table, NULL, &pk, &record), RC_OK);
	cr_expect_eq(partition_remove(table, &pk), RC_NOT_EMPTY);
	cr_expect_eq(leaf_remove(&file, NULL), RC_OK);
	cr_expect_eq(partition_get(table, NULL, &pk, &record), RC_NOT_FOUND);
	cr_expect_eq(stat_of(table).partitions, 0);
}

Test(volume, an_explicit_partition_stays_until_it_is_removed)
{
	struct leaf leaf = fixture_item(table, "p", "s");
	struct key pk = text_key("p");
	cr_expect_eq(partition_create(table, &pk, &fixture_directory), RC_OK);
	cr_expect_eq(partition_create(table, &pk, &fixture_directory), RC_EXISTS);
	fixture_write(&leaf, "{}");
	cr_expect_eq(leaf_remove(&leaf, NULL), RC_OK);
	lists(LISTING_PARTITIONS, NULL, "p ");
	cr_expect_eq(partition_remove(table, &pk), RC_OK);
	cr_expect_eq(partition_remove(table, &pk), RC_NOT_FOUND);
	lists(LISTING_PARTITIONS, NULL, "");
}

Test(volume, a_renamed_item_carries_its_incarnation_and_rewrites_its_key)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct leaf from = fixture_item(table, "Queen", "Bohemian"), to = fixture_item(table, "Queen", "Rhapsody");
	struct key pk = text_key("Queen");
	struct head before, after;
	struct leaf_move move = {.noreplace = true};
	fixture_write(&from, "{ \"Song\" : \"Bohemian\", \"year\":1975}");
	cr_assert_eq(leaf_get(&from, NULL, &before, NULL), RC_OK);
	cr_expect_eq(leaf_rename(&from, &to, &move, &after, NULL), RC_OK, "also where its partition came with it");
	cr_expect_eq(after.birth, before.birth);
	cr_expect_eq(after.meta.mtime, before.meta.mtime);
	cr_expect(fixture_reads(&to, "{ \"Song\" : \"Rhapsody\", \"year\":1975}"));
	cr_expect_eq(leaf_get(&from, NULL, &before, NULL), RC_NOT_FOUND);
	lists_index("1975", "Queen,Rhapsody ");
	lists(LISTING_ITEMS, &pk, "Rhapsody ");
	fixture_write(&from, "{}");
	cr_expect_eq(leaf_rename(&from, &to, &move, NULL, NULL), RC_EXISTS);
	move.noreplace = false;
	cr_expect_eq(leaf_rename(&from, &to, &move, NULL, NULL), RC_OK);
	cr_expect(fixture_reads(&to, "{}"));
	lists_index("1975", "");
	cr_expect_eq(stat_of(table).items, 1);
}

Test(volume, an_item_renamed_onto_itself_stays)
{
	struct leaf leaf = fixture_item(table, "p", "s"), file = fixture_file(table, NULL, "notes");
	struct leaf_move move = {.noreplace = false};
	fixture_write(&leaf, "{\"a\":1}");
	fixture_write(&file, "x");
	cr_expect_eq(leaf_rename(&leaf, &leaf, &move, NULL, NULL), RC_OK);
	cr_expect_eq(leaf_rename(&file, &file, &move, NULL, NULL), RC_OK);
	cr_expect(fixture_reads(&leaf, "{\"a\":1}"));
	cr_expect(fixture_reads(&file, "x"));
	cr_expect_eq(stat_of(table).items, 1);
	cr_expect_eq(stat_of(table).files, 1);
}

Test(volume, a_file_renamed_onto_an_item_is_checked_there)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct leaf item = fixture_item(table, "Queen", "Bohemian"), file = fixture_file(table, "Queen", ".x.swp");
	struct leaf_move move = {.noreplace = false};
	struct why why = {.text = ""};
	fixture_write(&item, "{\"year\":1975}");
	fixture_write(&file, "not json");
	cr_expect_eq(leaf_rename(&file, &item, &move, NULL, &why), RC_REFUSED);
	cr_expect(fixture_reads(&file, "not json"));
	cr_expect(fixture_reads(&item, "{\"year\":1975}"));
	cleanup_buf struct buf newer = {0};
	buf_add_text(&newer, "{\"year\":1976}");
	move.now.document = &newer;
	cr_expect_eq(leaf_rename(&file, &item, &move, NULL, &why), RC_OK);
	cr_expect(fixture_reads(&item, "{\"year\":1976}"));
	lists_index("1975", "");
	lists_index("1976", "Queen,Bohemian ");
	move.now.document = NULL;
	cr_expect_eq(leaf_rename(&item, &file, &move, NULL, &why), RC_OK,
		     "and back, though nothing else is in the partition");
	cr_expect(fixture_reads(&file, "{\"year\":1976}"));
	lists_index("1976", "");
}

Test(volume, items_move_between_tables)
{
	struct table *other = fixture_table(volume, "Songs");
	fixture_define(table, FIXTURE_MUSIC);
	struct leaf from = fixture_item(other, "Queen", "Bohemian"), to = fixture_item(table, "Queen", "Bohemian");
	struct key pk = text_key("Queen");
	struct leaf_move move = {.noreplace = false};
	fixture_write(&from, "{\"year\":1975}");
	cr_expect_eq(leaf_rename(&from, &to, &move, NULL, NULL), RC_NOT_FOUND, "there is no such directory");
	cr_expect(fixture_reads(&from, "{\"year\":1975}"));
	cr_assert_eq(partition_create(table, &pk, &fixture_directory), RC_OK);
	cr_expect_eq(leaf_rename(&from, &to, &move, NULL, NULL), RC_OK);
	cr_expect(fixture_reads(&to, "{\"year\":1975}"));
	cr_expect_eq(stat_of(other).items, 0);
	cr_expect_eq(stat_of(other).partitions, 0);
	lists_index("1975", "Queen,Bohemian ");
	table_unref(other);
}

Test(volume, a_renamed_partition_takes_items_files_and_entries_along)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct key from = text_key("Queen"), to = text_key("Queen2"), third = text_key("ABBA");
	struct leaf file = fixture_file(table, "Queen", "README"), moved = fixture_item(table, "Queen2", "Bohemian");
	fixture_put(table, "Queen", "Bohemian", "{\"Artist\":\"Queen\",\"year\":1975}");
	fixture_put(table, "Queen", "Innuendo", "{\"year\":1991}");
	fixture_write(&file, "x");
	cr_assert_eq(partition_create(table, &to, &fixture_directory), RC_OK);
	cr_expect_eq(partition_rename(table, &from, &to, true, NULL), RC_EXISTS);
	cr_expect_eq(partition_rename(table, &from, &to, false, NULL), RC_OK);
	fixture_sound(volume);
	lists(LISTING_PARTITIONS, NULL, "Queen2 ");
	cr_expect(fixture_reads(&moved, "{\"Artist\":\"Queen2\",\"year\":1975}"));
	lists_index("1991", "Queen2,Innuendo ");
	file = fixture_file(table, "Queen2", "README");
	cr_expect(fixture_reads(&file, "x"));
	fixture_put(table, "ABBA", "Eagle", "{}");
	cr_expect_eq(partition_rename(table, &third, &to, false, NULL), RC_NOT_EMPTY);
	cr_expect_eq(partition_rename(table, &from, &to, false, NULL), RC_NOT_FOUND);
}

Test(volume, a_pending_partition_gets_its_key_and_keeps_times_and_files)
{
	fixture_define(table, FIXTURE_MUSIC);
	struct key pending, pk = text_key("Queen"), other = text_key("ABBA");
	struct partition_record before, after;
	struct leaf file = fixture_file(table, "Queen", "README"), item = fixture_item(table, "Queen", "Bohemian");
	key_pending("Que%~0123456789abcdef", &pending);
	cr_assert_eq(partition_create(table, &pending, &fixture_directory), RC_OK);
	file.pk = item.pk = pending;
	fixture_write(&file, "x");
	cr_expect_eq(fixture_try_write(&item, "{}", NULL), RC_STALE, "an item has a key");
	cr_expect_eq(partition_get(table, NULL, &pending, &before), RC_OK);
	fixture_sound(volume);
	fixture_put(table, "ABBA", "Eagle", "{}");
	int64_t touched = stat_of(table).meta.mtime;
	cr_expect_eq(partition_settle(table, &pending, &other), RC_EXISTS);
	cr_expect_eq(partition_settle(table, &pending, &pk), RC_OK);
	cr_expect_eq(partition_settle(table, &pending, &pk), RC_EXISTS);
	fixture_sound(volume);
	cr_assert_eq(partition_get(table, NULL, &pk, &after), RC_OK);
	cr_expect(after.files == 1 && !after.items && !after.implicit && after.birth == before.birth);
	cr_expect(after.meta.mode == before.meta.mode && after.meta.uid == before.meta.uid);
	cr_expect(after.meta.mtime == before.meta.mtime && after.meta.ctime == before.meta.ctime && after.meta.atime == before.meta.atime);
	cr_expect_eq(stat_of(table).meta.mtime, touched);
	file.pk = pk;
	cr_expect(fixture_reads(&file, "x"));
	lists(LISTING_PARTITIONS, NULL, "ABBA Queen ");
	cr_expect_eq(partition_rename(table, &other, &pending, false, NULL), RC_INVALID, "its items need a key");
}

Test(volume, a_partition_renamed_onto_itself_stays)
{
	struct key empty = text_key("empty"), full = text_key("full"), none = text_key("none");
	cr_assert_eq(partition_create(table, &empty, &fixture_directory), RC_OK);
	fixture_put(table, "full", "s", "{}");
	cr_expect_eq(partition_rename(table, &empty, &empty, false, NULL), RC_OK);
	cr_expect_eq(partition_rename(table, &full, &full, false, NULL), RC_OK);
	cr_expect_eq(partition_rename(table, &full, &full, true, NULL), RC_EXISTS);
	cr_expect_eq(partition_rename(table, &none, &none, false, NULL), RC_NOT_FOUND);
	lists(LISTING_PARTITIONS, NULL, "empty full ");
	cr_expect_eq(stat_of(table).partitions, 2);
}

Test(volume, what_a_removed_table_held_is_collected)
{
	cleanup_buf struct buf dead = {0}, value = {0};
	fixture_put(table, "p", "s", "{}");
	fixture_define(
	    table,
	    "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\","
	    "\"KeyType\":\"RANGE\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"s\",\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	row_dead(&dead, 1, 0); /* the undeclared table's rows */
	enum rc rc = RC_OK;
	for (int i = 0; i < 12000 && rc == RC_OK; i++) {
		usleep(10000);
		rc = store_get(volume->store, NULL, dead.data, dead.len, &value);
	}
	cr_expect_eq(rc, RC_NOT_FOUND);
	buf_clear(&dead);
	row_table(&dead, 1);
	cr_expect_eq(store_get(volume->store, NULL, dead.data, dead.len, &value), RC_NOT_FOUND);
}

/* Nothing else of such an address is filled, so whoever takes one thing for another reads nothing that was never written. */
Test(volume, an_address_of_nothing_leads_to_nothing)
{
	struct leaf nothing, liar = fixture_item(table, "Queen", "Liar");
	struct leaf_write write = {.document = "{}", .len = 2, .fresh = &fixture_meta};
	struct leaf_move move = {.noreplace = false};
	struct meta_change change = {.mode_set = true};
	struct head head;
	struct buf out = {0};
	memset(&nothing, 0xfe, sizeof nothing);
	nothing.kind = LEAF_NONE;
	fixture_write(&liar, "{}");
	cr_expect_eq(leaf_get(&nothing, NULL, &head, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_resolve(&nothing, true, true, "{}", 2, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_rekey(&nothing, "{}", 2, &out, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_key_json(&nothing, &out), RC_NOT_FOUND);
	cr_expect_eq(leaf_write(&nothing, &write, NULL, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_check(&nothing, "{}", 2, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_set_meta(&nothing, &change, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_remove(&nothing, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_rename(&nothing, &liar, &move, NULL, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_rename(&liar, &nothing, &move, NULL, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_exchange(&nothing, &liar, NULL, NULL, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_exchange(&liar, &nothing, NULL, NULL, NULL), RC_NOT_FOUND);
	cr_expect_eq(leaf_get(&liar, NULL, &head, NULL), RC_OK);
	buf_free(&out);
}
