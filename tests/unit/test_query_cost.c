/* query: what one costs, in rows that are read: what it returns, and not what the partition holds. */
#include "tests/unit/fixture.h"
#include <time.h>

static uint64_t rows_of(struct volume *volume, const struct listing_place *place, size_t expected)
{
	struct listing *listing;
	const struct listing_entry *entry;
	size_t count = 0;
	cr_assert_eq(listing_open(volume, NULL, place, &listing), RC_OK);
	cr_expect_eq(listing_rows(listing), 0, "opening it reads nothing");
	while (listing_next(listing, &entry) == RC_OK)
		count++;
	uint64_t rows = listing_rows(listing);
	listing_close(listing);
	cr_assert_eq(count, expected, "%zu of %zu", count, expected);
	return rows;
}

static uint64_t cost(struct table *table, const char *pk, size_t expected, void (*make)(struct query *))
{
	struct key key = fixture_key(KEY_S, KEY_PARTITION, pk);
	struct query *query = query_new();
	make(query);
	struct listing_place place = {.kind = LISTING_ITEMS, .table = table, .pk = &key, .query = query};
	uint64_t rows = rows_of(table->volume, &place, expected);
	query_free(query);
	return rows;
}

static void first_ten(struct query *query)
{
	query_first(query, 10, NULL);
}

static void last_ten(struct query *query)
{
	query_last(query, 10, NULL);
}

static void ten_in_the_middle(struct query *query)
{
	struct key low = fixture_key(KEY_S, KEY_SORT, "000500"), high = fixture_key(KEY_S, KEY_SORT, "000509");
	query_condition(query, QUERY_BETWEEN, &low, &high, NULL);
}

static void last_three_of_the_first_ten(struct query *query)
{
	query_first(query, 10, NULL);
	query_last(query, 3, NULL);
}

static void page_of_ten(struct query *query)
{
	struct key key = fixture_key(KEY_S, KEY_SORT, "000500");
	query_last(query, QUERY_ALL, NULL);
	query_after(query, &key, 1);
	query_first(query, 10, NULL);
}

/* Microseconds; the median, as the machine has other things to do, too. */
static double median_time(struct table *table, const char *pk, size_t expected, void (*make)(struct query *))
{
	enum { TIMES = 201 };
	double took[TIMES];
	for (size_t i = 0; i < TIMES; i++) {
		struct timespec begin, end;
		clock_gettime(CLOCK_MONOTONIC, &begin);
		cost(table, pk, expected, make);
		clock_gettime(CLOCK_MONOTONIC, &end);
		double t = (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3;
		size_t at = i;
		for (; at && took[at - 1] > t; at--)
			took[at] = took[at - 1];
		took[at] = t;
	}
	return took[TIMES / 2];
}

/* 1,000 items and 3,000; ITEMFS_BIG=1000000 makes the large one that large, and looks at the clock as well. */
Test(query, reads_as_many_rows_of_a_large_partition_as_of_a_small_one)
{
	char *path = fixture_place(), sk[32];
	struct volume *volume = fixture_open(path);
	struct table *table = fixture_table(volume, "table");
	const char *big = getenv("ITEMFS_BIG");
	for (size_t i = 0, n = big ? strtoul(big, NULL, 10) : 3000; i < n; i++) {
		snprintf(sk, sizeof sk, "%06zu", i);
		if (i < 1000)
			fixture_put(table, "small", sk, "{}");
		fixture_put(table, "large", sk, "{}");
	}
	/* What was written last is still in the engine's memory, where steps back cost more: at rest both are alike. */
	table_unref(table);
	volume_close(volume);
	volume = fixture_open(path);
	table = fixture_find(volume, "table");
	static const struct {
		void (*make)(struct query *);
		size_t count;
		uint64_t rows;
	} queries[] = {{first_ten, 10, 10}, {last_ten, 10, 10}, {ten_in_the_middle, 10, 11}, {last_three_of_the_first_ten, 3, 13}, {page_of_ten, 10, 10}};
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		cr_expect_eq(cost(table, "small", queries[i].count, queries[i].make), queries[i].rows, "query %zu", i);
		cr_expect_eq(cost(table, "large", queries[i].count, queries[i].make), queries[i].rows, "query %zu", i);
		if (!big)
			continue;
		double small = median_time(table, "small", queries[i].count, queries[i].make), large = median_time(table, "large", queries[i].count, queries[i].make);
		fprintf(stderr, "query %zu: %.1f us of 1,000, %.1f us of %s\n", i, small, large, big);
		cr_expect_leq(large, 2 * small);
	}
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}
