/* backfill: random work between the batches, definitions and remounts included. */
#include "tests/unit/backfill_fixture.h"
#include <criterion/parameterized.h>

static uint64_t state;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void random_item(struct leaf *ret_leaf)
{
	char pk[8], sk[8];
	snprintf(pk, sizeof pk, "p%u", below(6));
	snprintf(sk, sizeof sk, "%u", below(40));
	*ret_leaf = fixture_item(table, pk, sk);
}

static void random_write(void)
{
	char document[128];
	struct leaf leaf;
	random_item(&leaf);
	int n = snprintf(document, sizeof document, "{\"x\":%u", below(1000));
	unsigned kind = below(12);
	if (kind)
		n += snprintf(document + n, sizeof document - (size_t)n, kind == 1 ? ",\"n\":\"%u\"" : ",\"n\":%u", below(9));
	if (below(4))
		n += snprintf(document + n, sizeof document - (size_t)n, ",\"t\":\"%.*s\"", (int)below(4), "abc");
	strcpy(document + n, "}");
	enum rc rc = fixture_try_write(&leaf, document, NULL);
	cr_assert(rc == RC_OK || rc == RC_REFUSED, "%s", rc_name(rc));
}

static void random_move(void)
{
	struct leaf from, to;
	struct leaf_move move = {.noreplace = false};
	struct head head;
	random_item(&from);
	random_item(&to);
	enum rc rc = leaf_rename(&from, &to, &move, &head, NULL);
	cr_assert(rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_REFUSED, "%s", rc_name(rc));
}

static void random_partition_move(void)
{
	struct leaf from, to;
	random_item(&from);
	random_item(&to);
	enum rc rc = partition_rename(table, &from.pk, &to.pk, false, NULL);
	cr_assert(rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_NOT_EMPTY || rc == RC_REFUSED, "%s", rc_name(rc));
}

static void random_work(void)
{
	static const char *const definitions[] = {without, with_n, with_t, with_both, with_both};
	struct leaf leaf;
	unsigned what = below(100);
	if (what < 45) {
		random_write();
	} else if (what < 60) {
		random_item(&leaf);
		leaf_remove(&leaf, NULL);
	} else if (what < 70) {
		random_move();
	} else if (what < 74) {
		random_partition_move();
	} else if (what < 78) {
		fixture_define(table, definitions[below(5)]);
	} else if (what < 80) {
		reopen(true);
	} else if (table->building) {
		step(1 + below(12));
	}
}

ParameterizedTestParameters(backfill, random_work_between_batches_leaves_every_index_right)
{
	static unsigned seeds[8];
	for (unsigned i = 0; i < 8; i++)
		seeds[i] = i;
	return cr_make_param_array(unsigned, seeds, 8);
}

ParameterizedTest(unsigned *seed, backfill, random_work_between_batches_leaves_every_index_right, .init = set_up, .fini = tear_down)
{
	state = 0x9e3779b97f4a7c15u * (*seed + 1);
	for (unsigned i = 0; i < 200; i++)
		random_write();
	for (unsigned i = 0; i < 300; i++) {
		random_work();
		if (i % 8 == 0)
			fixture_sound(volume);
	}
	finish();
	fixture_sound(volume);
}
