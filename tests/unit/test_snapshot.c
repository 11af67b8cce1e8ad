/* snapshot: frozen tables keep what they had, through everything that happens to the live ones; nothing of them can be changed; the names, their order and their bound. */
#include "index/snapshot.h"
#include "tests/unit/fixture.h"
#include <pthread.h>

static char *path;
static struct volume *volume;
static struct table *table;
static struct snapshot *snapshot;
static struct table *frozen;

#define FIXTURE_PLAIN                                                                                                  \
	"{\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},"                                         \
	"{\"AttributeName\":\"Song\",\"KeyType\":\"RANGE\"}],"                                                         \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},"                            \
	"{\"AttributeName\":\"Song\",\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}"

static struct snapshot *take(const char *name)
{
	struct snapshot *taken;
	struct why why = {.text = ""};
	enum rc rc = snapshot_take(volume, name, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s", rc_name(rc), why.text);
	cr_assert_eq(snapshot_find(volume, name, &taken), RC_OK);
	return taken;
}

static struct table *table_of(struct snapshot *of, const char *name)
{
	struct table *found;
	enum rc rc = snapshot_table(of, name, &found);
	cr_assert_eq(rc, RC_OK, "%s: %s", name, rc_name(rc));
	return found;
}

/* Music with an index and two songs, a plain file beside each kind of directory's content, frozen. */
static void set_up(void)
{
	path = fixture_place();
	volume = fixture_open(path);
	table = fixture_table(volume, "Music");
	fixture_define(table, FIXTURE_MUSIC);
	fixture_put(table, "Queen", "Liar", "{\"year\":1973}");
	fixture_put(table, "Queen", "Seven", "{\"year\":1973,\"note\":\"old\"}");
	struct leaf readme = fixture_file(table, NULL, "README");
	fixture_write(&readme, "as it was");
	snapshot = take("before");
	frozen = table_of(snapshot, "Music");
}

static void tear_down(void)
{
	fixture_sound(volume);
	table_unref(frozen);
	snapshot_unref(snapshot);
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}

TestSuite(snapshot, .init = set_up, .fini = tear_down);

static void lists(struct table *of, enum listing_kind kind, const char *pk, const char *expected)
{
	struct key key;
	struct listing_place place = {.kind = kind, .table = of};
	if (pk) {
		key = fixture_key(KEY_S, KEY_PARTITION, pk);
		place.pk = &key;
	}
	fixture_lists(volume, &place, expected);
}

static void lists_year(struct table *of, const char *year, const char *expected)
{
	struct key key = fixture_key(KEY_N, KEY_PARTITION, year);
	struct listing_place place = {.kind = LISTING_ENTRIES, .table = of, .pk = &key, .index = "by-year"};
	fixture_lists(volume, &place, expected);
}

static void lists_tables(const char *expected)
{
	struct listing_place place = {.kind = LISTING_TABLES};
	char *list = fixture_list(volume, snapshot_view(snapshot), &place);
	cr_expect_str_eq(list, expected);
	free(list);
}

static void has_definition(struct table *of, const char *expected)
{
	cleanup_buf struct buf document = {0};
	struct head head;
	cr_assert_eq(definition_get(of, NULL, &head, &document), RC_OK);
	cr_expect(document.len == strlen(expected) && memcmp(document.data, expected, document.len) == 0);
}

/* All of what set_up() made, and nothing else. */
static void expect_as_it_was(void)
{
	struct table_counters counters;
	struct leaf liar = fixture_item(frozen, "Queen", "Liar"), seven = fixture_item(frozen, "Queen", "Seven");
	struct leaf readme = fixture_file(frozen, NULL, "README");
	lists_tables("Music ");
	lists(frozen, LISTING_PARTITIONS, NULL, "Queen ");
	lists(frozen, LISTING_FILES, NULL, "README ");
	lists(frozen, LISTING_ITEMS, "Queen", "Liar Seven ");
	lists_year(frozen, "1973", "Queen,Liar Queen,Seven ");
	cr_expect(fixture_reads(&liar, "{\"year\":1973}"));
	cr_expect(fixture_reads(&seven, "{\"year\":1973,\"note\":\"old\"}"));
	cr_expect(fixture_reads(&readme, "as it was"));
	has_definition(frozen, FIXTURE_MUSIC);
	cr_assert_eq(table_stat(frozen, NULL, &counters), RC_OK);
	cr_expect_eq(counters.items, 2);
	cr_expect_eq(counters.partitions, 1);
	cr_expect_eq(counters.files, 1);
}

static void await_collector(void)
{
	cleanup_buf struct buf low = {0}, high = {0};
	row_dead(&low, 0, 0);
	row_dead(&high, UINT32_MAX, UINT32_MAX);
	for (int i = 0; i < 6000; i++) {
		struct store_cursor *cursor;
		cr_assert_eq(store_cursor_open(volume->store, NULL, low.data, low.len, high.data, high.len, &cursor), RC_OK);
		enum rc rc = store_cursor_next(cursor);
		store_cursor_close(cursor);
		if (rc == RC_NOT_FOUND)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	cr_assert_fail("the collector does not come to its end");
}

Test(snapshot, keeps_items_files_and_entries_that_are_overwritten_or_removed)
{
	struct leaf liar = fixture_item(table, "Queen", "Liar"), readme = fixture_file(table, NULL, "README");
	fixture_put(table, "Queen", "Seven", "{\"year\":1974}");
	fixture_put(table, "Abba", "SOS", "{\"year\":1973}");
	cr_expect_eq(leaf_remove(&liar, NULL), RC_OK);
	fixture_write(&readme, "changed");
	expect_as_it_was();
	lists_year(table, "1973", "Abba,SOS ");
}

Test(snapshot, keeps_large_bodies)
{
	char *large = malloc(200001);
	memset(large, 'x', 200000);
	large[200000] = 0;
	struct leaf live = fixture_file(table, NULL, "large");
	fixture_write(&live, large);
	struct snapshot *after = take("after");
	struct table *held = table_of(after, "Music");
	struct leaf then = fixture_file(held, NULL, "large");
	fixture_write(&live, "small");
	cr_expect(fixture_reads(&then, large));
	cr_expect_eq(leaf_remove(&live, NULL), RC_OK);
	cr_expect(fixture_reads(&then, large));
	table_unref(held);
	snapshot_unref(after);
	free(large);
}

Test(snapshot, keeps_a_partition_under_the_key_that_it_had)
{
	struct key queen = fixture_key(KEY_S, KEY_PARTITION, "Queen"), king = fixture_key(KEY_S, KEY_PARTITION, "King");
	struct partition_record record;
	cr_assert_eq(partition_rename(table, &queen, &king, false, NULL), RC_OK);
	lists(table, LISTING_PARTITIONS, NULL, "King ");
	expect_as_it_was();
	cr_expect_eq(partition_get(frozen, NULL, &queen, &record), RC_OK);
	cr_expect_eq(partition_get(frozen, NULL, &king, &record), RC_NOT_FOUND);
}

Test(snapshot, keeps_a_table_under_the_name_that_it_had)
{
	struct table *none;
	cr_assert_eq(table_rename(table, "Songs", false, NULL), RC_OK);
	expect_as_it_was();
	cr_expect_eq(snapshot_table(snapshot, "Songs", &none), RC_NOT_FOUND);
	struct table *other = fixture_table(volume, "Music");
	expect_as_it_was();
	cr_expect_neq(table_identity(other), table_identity(frozen));
	cr_expect_eq(table_identity(table), table_identity(frozen));
	table_unref(other);
}

Test(snapshot, keeps_a_table_that_is_removed_and_collected)
{
	struct leaf readme = fixture_file(table, NULL, "README");
	struct leaf liar = fixture_item(table, "Queen", "Liar"), seven = fixture_item(table, "Queen", "Seven");
	cr_assert_eq(leaf_remove(&readme, NULL), RC_OK);
	cr_assert_eq(leaf_remove(&liar, NULL), RC_OK);
	cr_assert_eq(leaf_remove(&seven, NULL), RC_OK);
	cr_assert_eq(table_remove(table, NULL), RC_OK);
	await_collector();
	expect_as_it_was();
	/* And one that nobody had asked for before it went. */
	struct snapshot *again = NULL;
	cr_expect_eq(snapshot_find(volume, "before", &again), RC_OK);
	table_unref(frozen);
	snapshot_unref(snapshot);
	snapshot = again;
	frozen = table_of(snapshot, "Music");
	expect_as_it_was();
}

Test(snapshot, keeps_the_definition_and_the_indexes_that_it_had)
{
	fixture_define(table, FIXTURE_PLAIN);
	await_collector();
	expect_as_it_was();
	has_definition(table, FIXTURE_PLAIN);
	fixture_define(table, FIXTURE_MUSIC);
	fixture_put(table, "Queen", "Liar", "{\"year\":1999}");
	expect_as_it_was();
}

Test(snapshot, knows_nothing_of_an_index_that_came_later)
{
	struct table *late = fixture_table(volume, "Late");
	fixture_define(late, FIXTURE_PLAIN);
	fixture_put(late, "Queen", "Liar", "{\"year\":1973}");
	struct snapshot *after = take("after");
	struct table *held = table_of(after, "Late");
	fixture_define(late, FIXTURE_MUSIC);
	struct key key = fixture_key(KEY_N, KEY_PARTITION, "1973");
	struct listing_place place = {.kind = LISTING_ENTRIES, .table = held, .pk = &key, .index = "by-year"};
	struct listing *listing;
	cr_expect_eq(listing_open(volume, NULL, &place, &listing), RC_NOT_FOUND);
	has_definition(held, FIXTURE_PLAIN);
	table_unref(held);
	snapshot_unref(after);
	table_unref(late);
}

Test(snapshot, keeps_a_table_as_it_was_before_it_was_adopted)
{
	struct table *free_table = fixture_table(volume, "Free");
	struct head head;
	fixture_put(free_table, "5", "7", "{\"a\":1}");
	struct snapshot *after = take("after");
	struct table *held = table_of(after, "Free");
	fixture_define(free_table, "{\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}],"
				   "\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"N\"},{\"AttributeName\":\"s\",\"AttributeType\":\"N\"}],"
				   "\"BillingMode\":\"PAY_PER_REQUEST\"}");
	await_collector();
	struct leaf now = fixture_item(free_table, "5", "7"), then = fixture_item(held, "5", "7");
	cr_expect_eq(now.sk.type, KEY_N);
	cr_expect_eq(then.sk.type, KEY_S);
	cr_expect(fixture_reads(&now, "{\"a\":1}"));
	cr_expect(fixture_reads(&then, "{\"a\":1}"));
	cr_expect_eq(definition_get(held, NULL, &head, NULL), RC_NOT_FOUND);
	table_unref(held);
	snapshot_unref(after);
	table_unref(free_table);
}

Test(snapshot, lets_nothing_of_it_be_changed)
{
	struct leaf liar = fixture_item(frozen, "Queen", "Liar"), fresh = fixture_item(frozen, "Queen", "Fresh");
	struct leaf live = fixture_item(table, "Queen", "Liar"), readme = fixture_file(frozen, NULL, "README");
	struct leaf to = fixture_file(frozen, NULL, "copy");
	struct key queen = fixture_key(KEY_S, KEY_PARTITION, "Queen"), king = fixture_key(KEY_S, KEY_PARTITION, "King");
	struct meta_change change = {.mode_set = true};
	struct leaf_move move = {.noreplace = false};
	struct head head;
	cr_expect_eq(fixture_try_write(&liar, "{}", NULL), RC_READ_ONLY);
	cr_expect_eq(fixture_try_write(&fresh, "{}", NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_remove(&liar, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_remove(&readme, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_set_meta(&liar, &change, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_rename(&liar, &fresh, &move, NULL, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_rename(&liar, &live, &move, NULL, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_rename(&live, &liar, &move, NULL, NULL), RC_READ_ONLY);
	cr_expect_eq(leaf_exchange(&live, &liar, NULL, NULL, NULL), RC_READ_ONLY);
	cr_expect_eq(partition_create(frozen, &king, &fixture_directory), RC_READ_ONLY);
	cr_expect_eq(partition_remove(frozen, &queen), RC_READ_ONLY);
	cr_expect_eq(partition_rename(frozen, &queen, &king, false, NULL), RC_READ_ONLY);
	cr_expect_eq(partition_set_meta(frozen, &queen, &change), RC_READ_ONLY);
	cr_expect_eq(table_remove(frozen, NULL), RC_READ_ONLY);
	cr_expect_eq(table_rename(frozen, "Songs", false, NULL), RC_READ_ONLY);
	cr_expect_eq(table_set_meta(frozen, &change), RC_READ_ONLY);
	cr_expect_eq(fixture_try_define(frozen, FIXTURE_PLAIN, NULL), RC_READ_ONLY);
	cr_expect_eq(definition_unname(frozen), RC_READ_ONLY);
	cr_expect_eq(definition_to_file(frozen, &to, false, &head), RC_READ_ONLY);
	cr_expect_eq(definition_set_meta(frozen, &change, NULL), RC_READ_ONLY);
	expect_as_it_was();
}

Test(snapshot, goes_on_for_those_who_hold_it_after_its_name_has_gone)
{
	struct snapshot *none;
	cr_assert_eq(snapshot_drop(volume, "before"), RC_OK);
	cr_expect_eq(snapshot_drop(volume, "before"), RC_NOT_FOUND);
	cr_expect_eq(snapshot_find(volume, "before", &none), RC_NOT_FOUND);
	fixture_put(table, "Queen", "Liar", "{\"year\":1999}");
	expect_as_it_was();
	/* The table alone holds it, too. */
	struct snapshot *other = take("other");
	struct table *held = table_of(other, "Music");
	snapshot_unref(other);
	cr_assert_eq(snapshot_drop(volume, "other"), RC_OK);
	struct leaf liar = fixture_item(held, "Queen", "Liar");
	fixture_put(table, "Queen", "Liar", "{\"year\":2000}");
	cr_expect(fixture_reads(&liar, "{\"year\":1999}"));
	table_unref(held);
}

Test(snapshot, of_one_moment_is_not_another)
{
	fixture_put(table, "Queen", "Liar", "{\"year\":2}");
	struct snapshot *second = take("second");
	struct table *held = table_of(second, "Music");
	fixture_put(table, "Queen", "Liar", "{\"year\":3}");
	struct leaf one = fixture_item(frozen, "Queen", "Liar"), two = fixture_item(held, "Queen", "Liar"), now = fixture_item(table, "Queen", "Liar");
	cr_expect(fixture_reads(&one, "{\"year\":1973}"));
	cr_expect(fixture_reads(&two, "{\"year\":2}"));
	cr_expect(fixture_reads(&now, "{\"year\":3}"));
	cr_expect_neq(frozen, held);
	table_unref(held);
	snapshot_unref(second);
}

Test(snapshot, gives_one_table_for_one_name)
{
	struct table *again = table_of(snapshot, "Music"), *none;
	cr_expect_eq(again, frozen);
	cr_expect(table_is_frozen(again));
	cr_expect_not(table_is_frozen(table));
	cr_expect_eq(snapshot_table(snapshot, "None", &none), RC_NOT_FOUND);
	char name[400];
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = 0;
	cr_expect_eq(snapshot_table(snapshot, name, &none), RC_NOT_FOUND);
	table_unref(again);
}

Test(snapshot, is_current_for_ever)
{
	struct view *view;
	cr_assert_eq(view_open(volume, &view), RC_OK);
	fixture_put(table, "Queen", "Liar", "{}");
	cr_expect(view_is_current(snapshot_view(snapshot)));
	cr_expect_not(view_is_current(view));
	view_close(view);
	cr_expect_null(snapshot_view(NULL));
}

Test(snapshot, names_are_checked_with_words)
{
	char name[SNAPSHOT_NAME_MAX + 2];
	struct why why = {.text = ""};
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	cr_expect_eq(snapshot_take(volume, name, &why), RC_NAME_TOO_LONG);
	name[SNAPSHOT_NAME_MAX] = 0;
	cr_expect_eq(snapshot_take(volume, name, &why), RC_OK);
	cr_expect_eq(snapshot_take(volume, "", &why), RC_INVALID);
	cr_expect_eq(snapshot_take(volume, ".hidden", &why), RC_INVALID);
	cr_expect_not_null(strstr(why.text, "dot"));
	cr_expect_eq(snapshot_take(volume, "a\nb", &why), RC_INVALID);
	cr_expect_eq(snapshot_take(volume, "a/b", &why), RC_INVALID);
	cr_expect_eq(snapshot_take(volume, "a\x7f", &why), RC_INVALID);
	cr_expect_eq(snapshot_take(volume, "\xff", &why), RC_NOT_UTF8);
	cr_expect_eq(snapshot_take(volume, "before", &why), RC_EXISTS);
	cr_expect_eq(snapshot_take(volume, "2024-01-01T10:00:00+00:00 \xc3\xa9", &why), RC_OK);
}

Test(snapshot, names_come_in_order)
{
	char name[SNAPSHOT_NAME_MAX + 1] = "";
	cr_assert_eq(snapshot_take(volume, "zebra", NULL), RC_OK);
	cr_assert_eq(snapshot_take(volume, "Aa", NULL), RC_OK);
	cr_assert_eq(snapshot_next(volume, name, name), RC_OK);
	cr_expect_str_eq(name, "Aa");
	cr_assert_eq(snapshot_next(volume, name, name), RC_OK);
	cr_expect_str_eq(name, "before");
	cr_assert_eq(snapshot_drop(volume, "before"), RC_OK);
	cr_assert_eq(snapshot_next(volume, name, name), RC_OK);
	cr_expect_str_eq(name, "zebra");
	cr_expect_eq(snapshot_next(volume, name, name), RC_NOT_FOUND);
}

Test(snapshot, has_a_bound_on_its_number)
{
	struct why why = {.text = ""};
	char name[16];
	for (int i = 1; i < SNAPSHOTS_MAX; i++) {
		snprintf(name, sizeof name, "s%d", i);
		cr_assert_eq(snapshot_take(volume, name, NULL), RC_OK);
	}
	cr_expect_eq(snapshot_take(volume, "more", &why), RC_TOO_MANY);
	cr_expect_not_null(strstr(why.text, "256"), "%s", why.text);
	cr_assert_eq(snapshot_drop(volume, "s7"), RC_OK);
	cr_expect_eq(snapshot_take(volume, "more", &why), RC_OK);
}

/* A thread that goes on changing the live table until it is told to stop. Its first failure, if any, is told by the test's own thread. */
struct changer {
	pthread_t thread;
	_Atomic bool stop;
	struct leaf at[2];
	enum rc rc;
};

/* Each commit moves an item between two partitions: a snapshot holds it in one of them, with its entry. */
static void *move_to_and_fro(void *context)
{
	struct changer *c = context;
	struct leaf_move move = {.noreplace = false};
	for (int i = 0; !c->rc && !c->stop; i++)
		c->rc = leaf_rename(&c->at[i % 2], &c->at[(i + 1) % 2], &move, NULL, NULL);
	return NULL;
}

static void *redefine_to_and_fro(void *context)
{
	struct changer *c = context;
	for (int i = 0; !c->rc && !c->stop; i++)
		c->rc = fixture_try_define(table, i % 2 ? FIXTURE_MUSIC : FIXTURE_PLAIN, NULL);
	return NULL;
}

static void start(struct changer *changer, void *(*run)(void *))
{
	cr_assert_eq(pthread_create(&changer->thread, NULL, run, changer), 0);
}

static void stop(struct changer *changer)
{
	changer->stop = true;
	pthread_join(changer->thread, NULL);
	cr_expect_eq(changer->rc, RC_OK, "%s", rc_name(changer->rc));
}

Test(snapshot, lies_between_two_commits)
{
	struct changer mover = {.at = {fixture_item(table, "Queen", "Wanderer"), fixture_item(table, "Abba", "Wanderer")}};
	struct key abba = fixture_key(KEY_S, KEY_PARTITION, "Abba");
	fixture_write(&mover.at[0], "{\"year\":1}");
	cr_assert_eq(partition_create(table, &abba, &fixture_directory), RC_OK);
	start(&mover, move_to_and_fro);
	for (int i = 0; i < 200; i++) {
		struct snapshot *now = take("now");
		struct table *held = table_of(now, "Music");
		struct key year = fixture_key(KEY_N, KEY_PARTITION, "1");
		struct listing_place place = {.kind = LISTING_ENTRIES, .table = held, .pk = &year, .index = "by-year"};
		struct leaf queen = fixture_item(held, "Queen", "Wanderer"), other = fixture_item(held, "Abba", "Wanderer");
		struct head head;
		bool in_queen = leaf_get(&queen, NULL, &head, NULL) == RC_OK;
		bool in_abba = leaf_get(&other, NULL, &head, NULL) == RC_OK;
		cr_expect(in_queen != in_abba);
		char *entries = fixture_list(volume, NULL, &place);
		cr_expect_str_eq(entries, in_queen ? "Queen,Wanderer " : "Abba,Wanderer ");
		free(entries);
		cr_expect_eq(snapshot_drop(volume, "now"), RC_OK);
		table_unref(held);
		snapshot_unref(now);
	}
	stop(&mover);
}

/* Whichever definition a snapshot catches, the rows of its indexes go with it. */
Test(snapshot, is_taken_while_definitions_change)
{
	struct changer definer = {.rc = RC_OK};
	start(&definer, redefine_to_and_fro);
	for (int i = 0; i < 100; i++) {
		struct snapshot *now = take("now");
		struct table *held = table_of(now, "Music");
		const struct schema *schema;
		cr_assert_eq(table_schema(held, &schema), RC_OK);
		bool indexed = schema->count;
		table_schema_done(held);
		has_definition(held, indexed ? FIXTURE_MUSIC : FIXTURE_PLAIN);
		if (indexed)
			lists_year(held, "1973", "Queen,Liar Queen,Seven ");
		cr_expect_eq(snapshot_drop(volume, "now"), RC_OK);
		table_unref(held);
		snapshot_unref(now);
	}
	stop(&definer);
	expect_as_it_was();
}

Test(snapshot, ends_with_the_volume)
{
	struct snapshot *none;
	table_unref(frozen);
	snapshot_unref(snapshot);
	table_unref(table);
	volume_close(volume); /* with the name still held */
	volume = fixture_open(path);
	table = fixture_find(volume, "Music");
	frozen = NULL;
	snapshot = NULL;
	cr_expect_eq(snapshot_find(volume, "before", &none), RC_NOT_FOUND);
}
