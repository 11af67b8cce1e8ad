/* `.itemfs/stats.json`: what the mount says about itself. */
#include "tests/mount/harness.h"

TestSuite(stats, .init = mount_setup, .fini = mount_teardown, .timeout = 180);

static long figure(const char *path)
{
	assert_sh(text("jq -e '%s' \"$M/.itemfs/stats.json\"", path));
	return strtol(sh_output(), NULL, 10);
}

Test(stats, is_listed_beside_the_errors)
{
	cr_expect_not_null(strstr(listing(".itemfs"), "stats.json\n"));
	cr_expect_eq(mode_of(".itemfs/stats.json"), 0444);
	assert_sh("cp \"$M/.itemfs/stats.json\" \"$D/copy\" && jq -e .version \"$D/copy\"");
	cr_expect_gt(size_of(".itemfs/stats.json"), 0);
}

Test(stats, counts_what_the_volume_holds)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen Abba && echo '{\"Year\":1973}' > Queen/Liar.json && echo '{}' > Abba/SOS.json && echo x > README");
	expect_sh("jq -c '.volume|[.tables,.partitions,.items,.plain_files,.index_entries]' \"$M/.itemfs/stats.json\"", "[1,2,2,1,1]\n");
	cr_expect_gt(figure(".volume.sequence"), 4);
	cr_expect_gt(figure(".engine.batches"), 4);
	cr_expect_gt(figure(".engine.memory_bytes"), 0);
	expect_sh("jq -r .engine.writes \"$M/.itemfs/stats.json\"", "ok\n");
}

/* A request is counted, and a RELEASE done, after its answer. */
static bool becomes(const char *path, long want)
{
	for (int tries = 0; tries < 600; tries++) {
		if (figure(path) == want)
			return true;
		usleep(100000);
	}
	return false;
}

Test(stats, counts_requests_by_kind_with_latencies)
{
	assert_sh("mkdir -p \"$M/Music/Queen\"");
	cr_expect(becomes(".requests.mkdir.count", 2));
	assert_sh("mkdir \"$M/Music/Abba\"");
	cr_expect(becomes(".requests.mkdir.count", 3));
	expect_sh("jq '.requests.mkdir|.p50_us>0 and .p50_us<=.p99_us and .p99_us<=.p999_us and .max_us>0 and .mean_us>0' \"$M/.itemfs/stats.json\"",
		  "true\n");
	expect_sh("jq '.requests.rename' \"$M/.itemfs/stats.json\"", "null\n");
}

Test(stats, counts_open_handles_and_drafts)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" && echo '{}' > \"$M/Music/Queen/Liar.json\"");
	int fds[20];
	for (int i = 0; i < 20; i++)
		cr_assert_geq(fds[i] = open(at("Music/Queen/Liar.json"), O_RDONLY), 0);
	cr_expect(becomes(".open.handles", 21), "these and the one that reads it");
	for (int i = 0; i < 20; i++)
		close(fds[i]);
	cr_expect(becomes(".open.handles", 1));
	int fd = open(at("Music/Queen/SOS.json"), O_WRONLY | O_CREAT, 0644);
	cr_assert_geq(fd, 0);
	cr_expect_eq(figure(".open.drafts"), 0);
	/* Unfinished, as those who look are children of ours, and each closes the file that it shares. */
	cr_assert_eq(write(fd, "{", 1), 1);
	cr_expect_eq(figure(".open.drafts"), 1);
	cr_assert_eq(write(fd, "}", 1), 1);
	assert_ok(fsync(fd));
	cr_expect_eq(figure(".open.drafts"), 0);
	close(fd);
	cr_expect(becomes(".open.drafts", 0));
	cr_expect_gt(figure(".open.nodes"), 2);
}

Test(stats, cannot_be_changed)
{
	const char *path = ".itemfs/stats.json";
	cr_expect_eq(put_steps(path, "{}", 2, 0).open, EROFS);
	expect_errno(unlink(at(path)), EPERM);
	expect_errno(chmod(at(path), 0600), EPERM);
	expect_errno(rename(at(path), at(".itemfs/x")), EPERM);
}
