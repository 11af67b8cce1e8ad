/* commit: many threads through the one queue: exact conditions, whole groups, and nobody's failure is another's. */
#include "index/commit.h"
#include "tests/unit/music_fixture.h"
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 8, EACH = 60 };

TestSuite(commit, .init = set_up_declared, .fini = tear_down);

struct worker {
	pthread_t thread;
	int number;
	int won, lost, other;
	enum rc first_other;
};

static void run_all(struct worker *workers, void *(*run)(void *))
{
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.number = i};
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void note(struct worker *w, enum rc rc, enum rc lost)
{
	if (!rc)
		w->won++;
	else if (rc == lost)
		w->lost++;
	else if (!w->other++)
		w->first_other = rc;
}

/* Addresses made without assertions, for threads. */
static struct leaf song(const char *artist, int number)
{
	struct leaf leaf = {.kind = LEAF_ITEM, .table = table, .in_partition = true, .has_sk = true};
	char text[32];
	snprintf(text, sizeof text, "song%d", number);
	key_from_text(artist, strlen(artist), KEY_S, KEY_PARTITION, &leaf.pk, NULL);
	key_from_text(text, strlen(text), KEY_S, KEY_SORT, &leaf.sk, NULL);
	return leaf;
}

static void *write_own(void *context)
{
	struct worker *w = context;
	char artist[16], document[64];
	snprintf(artist, sizeof artist, "artist%d", w->number % 3);
	for (int i = 0; i < EACH; i++) {
		struct leaf leaf = song(artist, w->number * EACH + i);
		snprintf(document, sizeof document, "{\"year\":%d}", 1950 + i % 7);
		struct leaf_write write = {
		    .document = document, .len = strlen(document), .fresh = &fixture_meta, .durable = i % 16 == 0};
		note(w, leaf_write(&leaf, &write, NULL, NULL), RC_EXISTS);
	}
	return NULL;
}

Test(commit, all_of_many_threads_writes_are_there)
{
	struct worker workers[THREADS];
	struct table_counters counters;
	uint64_t before = volume->record.sequence;
	run_all(workers, write_own);
	for (int i = 0; i < THREADS; i++)
		cr_expect_eq(workers[i].won, EACH, "%s", rc_name(workers[i].first_other));
	cr_assert_eq(table_stat(table, NULL, &counters), RC_OK);
	cr_expect_eq(counters.items, THREADS * EACH);
	cr_expect_eq(counters.partitions, 3);
	cr_expect_eq(counters.index[0].entries, THREADS * EACH);
	cr_expect_eq(volume->record.sequence, before + THREADS * EACH);
}

static void *create_same(void *context)
{
	struct worker *w = context;
	char document[64];
	for (int i = 0; i < EACH; i++) {
		struct leaf leaf = song("same", i);
		snprintf(document, sizeof document, "{\"year\":%d}", w->number);
		struct leaf_write write = {
		    .document = document, .len = strlen(document), .fresh = &fixture_meta, .condition = LEAF_ABSENT};
		note(w, leaf_write(&leaf, &write, NULL, NULL), RC_EXISTS);
	}
	return NULL;
}

Test(commit, of_many_who_create_one_item_exactly_one_does)
{
	struct worker workers[THREADS];
	int won = 0, lost = 0;
	run_all(workers, create_same);
	for (int i = 0; i < THREADS; i++) {
		won += workers[i].won;
		lost += workers[i].lost;
		cr_expect_eq(workers[i].other, 0, "%s", rc_name(workers[i].first_other));
	}
	cr_expect_eq(won, EACH);
	cr_expect_eq(lost, EACH * (THREADS - 1));
}

static atomic_ulong shared_birth;

static void *write_same(void *context)
{
	struct worker *w = context;
	struct leaf leaf = song("same", 1);
	for (int i = 0; i < EACH; i++) {
		struct leaf_write write = {.document = "{\"year\":3}",
					   .len = 10,
					   .condition = LEAF_SAME,
					   .birth = shared_birth,
					   .fresh = &fixture_meta};
		note(w, leaf_write(&leaf, &write, NULL, NULL), RC_STALE);
	}
	return NULL;
}

Test(commit, a_write_to_an_incarnation_that_is_gone_is_stale_for_everybody)
{
	struct worker workers[THREADS];
	struct leaf leaf = song("same", 1);
	struct leaf_write write = {.document = "{}", .len = 2, .fresh = &fixture_meta};
	struct head head;
	cr_assert_eq(leaf_write(&leaf, &write, &head, NULL), RC_OK);
	shared_birth = head.birth;
	run_all(workers, write_same);
	for (int i = 0; i < THREADS; i++)
		cr_expect_eq(workers[i].won, EACH);
	cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
	cr_assert_eq(leaf_write(&leaf, &write, NULL, NULL), RC_OK);
	run_all(workers, write_same);
	for (int i = 0; i < THREADS; i++)
		cr_expect_eq(workers[i].lost, EACH, "%s", rc_name(workers[i].first_other));
	cr_expect(fixture_reads(&leaf, "{}"));
}

/* Counts in a row; fails at every third, after it wrote. */
static enum rc count_commit(struct txn *txn, void *context)
{
	const int *number = context;
	cleanup_buf struct buf row = {0}, value = {0};
	buf_add_text(&row, "\xff\xff\xff\xf0 count");
	enum rc rc = txn_get(txn, &row, &value);
	uint32_t count = 0;
	if (!rc) {
		struct row_reader reader = {value.data, value.data + value.len, false};
		count = row_read_u32(&reader);
	} else if (rc != RC_NOT_FOUND) {
		return rc;
	}
	buf_clear(&value);
	buf_add_u32(&value, count + 1);
	txn_put(txn, &row, &value);
	return *number % 3 ? RC_OK : RC_REFUSED;
}

static void *count_up(void *context)
{
	struct worker *w = context;
	for (int i = 0; i < EACH; i++) {
		int number = w->number + i;
		unsigned flags = i % 10 == 0 ? COMMIT_ALONE : i % 15 == 1 ? COMMIT_DURABLE : 0;
		note(w, commit_run(volume, count_commit, &number, flags), RC_REFUSED);
	}
	return NULL;
}

Test(commit, a_failure_takes_back_its_own_rows_and_nobody_elses)
{
	struct worker workers[THREADS];
	uint32_t won = 0, lost = 0;
	static const char row[] = "\xff\xff\xff\xf0 count";
	cleanup_buf struct buf value = {0};
	run_all(workers, count_up);
	for (int i = 0; i < THREADS; i++) {
		won += (uint32_t)workers[i].won;
		lost += (uint32_t)workers[i].lost;
	}
	cr_expect_eq(won + lost, THREADS * EACH);
	cr_expect_eq(lost, THREADS * EACH / 3);
	cr_assert_eq(store_get(volume->store, NULL, row, sizeof row - 1, &value), RC_OK);
	struct row_reader reader = {value.data, value.data + value.len, false};
	cr_expect_eq(row_read_u32(&reader), won);
	struct store_batch *batch;
	cr_assert_eq(store_batch_new(volume->store, &batch), RC_OK);
	store_batch_delete(batch, row, sizeof row - 1);
	cr_assert_eq(store_write(volume->store, batch, false), RC_OK);
	store_batch_free(batch);
}

static atomic_bool stop;

/* Whatever is read meanwhile is one whole commit: item and entry of one moment. */
static void *read_along(void *context)
{
	struct worker *w = context;
	struct leaf leaf = song("same", 1);
	while (!stop) {
		cleanup_buf struct buf document = {0};
		struct head head;
		enum rc rc = leaf_get(&leaf, NULL, &head, &document);
		if (rc == RC_OK && document.len == head.size)
			w->won++;
		else
			note(w, rc ? rc : RC_CORRUPT, RC_NOT_FOUND);
	}
	return NULL;
}

static void *change_along(void *context)
{
	struct worker *w = context;
	struct leaf leaf = song("same", 1), other = song("same", 2);
	struct leaf_move move = {.noreplace = false};
	struct key pk = leaf.pk, elsewhere;
	char document[1500];
	key_from_text("elsewhere", 9, KEY_S, KEY_PARTITION, &elsewhere, NULL);
	for (int i = 0; i < EACH; i++) {
		int n = snprintf(document, sizeof document, "{\"year\":%d,\"t\":\"%0*d\"}", i % 5, i % 2 ? 5 : 1300, i);
		struct leaf_write write = {.document = document, .len = (size_t)n, .fresh = &fixture_meta};
		note(w, leaf_write(&leaf, &write, NULL, NULL), RC_NOT_FOUND);
		if (w->number == 1)
			note(w, leaf_rename(&leaf, &other, &move, NULL, NULL), RC_NOT_FOUND);
		if (w->number == 2)
			note(w, leaf_remove(&other, NULL), RC_NOT_FOUND);
		if (w->number == 3 && i % 8 == 0)
			note(w, partition_rename(table, &pk, &elsewhere, false, NULL), RC_NOT_EMPTY);
		if (w->number == 4 && i % 16 == 0)
			fixture_try_define(table, FIXTURE_MUSIC, NULL);
	}
	return NULL;
}

Test(commit, readers_see_whole_commits_while_everything_changes)
{
	struct worker workers[THREADS], readers[2] = {{.number = 0}, {.number = 1}};
	stop = false;
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_along, &readers[i]), 0);
	run_all(workers, change_along);
	stop = true;
	for (int i = 0; i < 2; i++) {
		pthread_join(readers[i].thread, NULL);
		cr_expect_eq(readers[i].other, 0, "%s", rc_name(readers[i].first_other));
	}
	for (int i = 0; i < THREADS; i++)
		cr_expect(workers[i].other == 0 || workers[i].first_other == RC_NOT_FOUND, "%s",
			  rc_name(workers[i].first_other));
}

static void *tables_come_and_go(void *context)
{
	struct worker *w = context;
	char name[32], next[32];
	for (int i = 0; i < EACH / 3; i++) {
		struct table *own = NULL;
		snprintf(name, sizeof name, "Table%d", (w->number + i) % 3);
		snprintf(next, sizeof next, "Other%d", (w->number + i) % 2);
		note(w, table_create(volume, name, &fixture_directory, NULL), RC_EXISTS);
		if (table_find(volume, name, &own))
			continue;
		struct leaf leaf = song("p", w->number);
		leaf.table = own;
		note(w, fixture_try_write(&leaf, "{}", NULL), RC_STALE);
		note(w, table_rename(own, next, false, NULL), RC_NOT_EMPTY);
		note(w, leaf_remove(&leaf, NULL), RC_STALE);
		note(w, table_remove(own, NULL), RC_NOT_EMPTY);
		table_unref(own);
	}
	return NULL;
}

Test(commit, tables_come_and_go_under_many_threads)
{
	struct worker workers[THREADS];
	run_all(workers, tables_come_and_go);
	for (int i = 0; i < THREADS; i++)
		cr_expect(!workers[i].other || workers[i].first_other == RC_STALE ||
			      workers[i].first_other == RC_NOT_FOUND,
			  "%s", rc_name(workers[i].first_other));
}

Test(commit, ids_are_given_once)
{
	uint32_t first = volume->record.next_table;
	uint64_t refusal = volume->record.next_refusal;
	cr_expect_eq(commit_new_table(volume), first);
	cr_expect_eq(commit_new_table(volume), first + 1);
	cr_expect_eq(commit_new_refusal(volume), refusal);
	cr_expect_eq(commit_new_refusal(volume), refusal + 1);
}
