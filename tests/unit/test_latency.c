/* latency: histograms on a logarithmic scale. */
#include "fs/latency.h"
#include <criterion/criterion.h>

Test(latency, each_time_falls_into_the_bucket_that_ends_at_or_after_it)
{
	uint64_t ns = 0;
	for (unsigned shift = 0; shift < 64; shift++)
		for (uint64_t near = 0; near < 8; near++) {
			ns = (UINT64_C(1) << shift) + near * (UINT64_C(1) << (shift > 3 ? shift - 3 : 0));
			size_t bucket = latency_bucket(ns);
			cr_assert_lt(bucket, LATENCY_BUCKETS);
			cr_assert_geq(latency_upper(bucket), ns);
			cr_assert(bucket == 0 || latency_upper(bucket - 1) < ns, "%zu for %llu", bucket, (unsigned long long)ns);
			cr_assert_leq(latency_upper(bucket) - ns, ns / 4, "%llu is said to be %llu", (unsigned long long)ns,
				      (unsigned long long)latency_upper(bucket));
		}
	cr_expect_eq(latency_bucket(0), 0);
	cr_expect_eq(latency_upper(latency_bucket(UINT64_MAX)), UINT64_MAX);
}

Test(latency, percentiles_are_where_the_counts_say)
{
	struct latency latency = {0};
	cr_expect_eq(latency_permille(&latency, 500), 0);
	cr_expect_eq(latency_mean(&latency), 0);
	for (int i = 0; i < 90; i++)
		latency_add(&latency, 1000);
	for (int i = 0; i < 9; i++)
		latency_add(&latency, 100000);
	latency_add(&latency, 5000000);
	cr_expect_eq(latency_count(&latency), 100);
	cr_expect_eq(latency_mean(&latency), (90 * 1000 + 9 * 100000 + 5000000) / 100);
	cr_expect_eq(latency_permille(&latency, 500), latency_upper(latency_bucket(1000)));
	cr_expect_eq(latency_permille(&latency, 900), latency_upper(latency_bucket(1000)));
	cr_expect_eq(latency_permille(&latency, 990), latency_upper(latency_bucket(100000)));
	cr_expect_eq(latency_permille(&latency, 999), latency_upper(latency_bucket(5000000)));
	cr_expect_eq(latency_max(&latency), 5000000);
}
