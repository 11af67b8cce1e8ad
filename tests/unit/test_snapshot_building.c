/* Snapshots of a table whose index is being built: what a snapshot saw of it stays so, and neither hinders the other. */
#include "index/snapshot.h"
#include "tests/unit/backfill_fixture.h"

TestSuite(snapshot_building, .init = set_up, .fini = tear_down);

static struct table *frozen_things(const char *name)
{
	struct snapshot *snapshot;
	struct table *frozen;
	cr_assert_eq(snapshot_take(volume, name, NULL), RC_OK);
	cr_assert_eq(snapshot_find(volume, name, &snapshot), RC_OK);
	cr_assert_eq(snapshot_table(snapshot, "Things", &frozen), RC_OK);
	snapshot_unref(snapshot);
	return frozen;
}

static enum rc opens(struct table *of)
{
	struct listing_place place = {.kind = LISTING_INDEX_KEYS, .table = of, .index = "by-n"};
	struct listing *listing;
	enum rc rc = listing_open(volume, NULL, &place, &listing);
	if (!rc)
		listing_close(listing);
	return rc;
}

Test(snapshot_building, an_index_is_there_as_it_was_before_during_and_after_its_building)
{
	struct backfill_progress p;
	unsigned items;
	fill(0, 300);
	struct table *before = frozen_things("before");
	fixture_define(table, with_n);
	struct table *during = frozen_things("during");
	finish();
	struct table *after = frozen_things("after");
	cr_expect_eq(opens(before), RC_NOT_FOUND);
	cr_expect_eq(opens(during), RC_AGAIN);
	cr_expect_eq(opens(after), RC_OK);
	cr_expect_eq(opens(table), RC_OK);
	cr_assert_eq(backfill_progress(during, NULL, "by-n", &p), RC_OK);
	cr_expect_eq(p.status, BACKFILL_CREATING);
	/* Nothing builds in a snapshot. */
	cr_expect_eq(backfill_batch(during, 100, &items), RC_READ_ONLY);
	fixture_define(table, without);
	cr_expect_eq(opens(table), RC_NOT_FOUND);
	cr_expect_eq(opens(after), RC_OK);
	struct listing_place place = {.kind = LISTING_INDEX_KEYS, .table = after, .index = "by-n"};
	fixture_lists(volume, &place, "0 1 2 3 4 5 6 ");
	fixture_sound(volume);
	table_unref(before);
	table_unref(during);
	table_unref(after);
}
