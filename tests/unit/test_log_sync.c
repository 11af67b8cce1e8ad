/* log_sync: when it looks for a log that was begun, and that it never looks too late. The logs are empty files made here; what LevelDB does about its
 * own is tested with the power (test_store_power.c). */
#include "store/log_sync.h"
#include "tests/unit/fixture.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILLS = 1000 };

static char *path;
static int dir;
static struct log_sync sync_of;

static void set_up(void)
{
	path = fixture_place();
	mkdir(path, 0700);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(dir >= 0);
	log_sync_init(&sync_of, dir, FILLS);
}

static void tear_down(void)
{
	log_sync_destroy(&sync_of);
	close(dir);
	fixture_remove(path);
}

TestSuite(log_sync, .init = set_up, .fini = tear_down);

static void begin_log(uint64_t number)
{
	char name[32];
	logs_name(number, name);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(fd >= 0);
	close(fd);
}

static void wrote(uint64_t fills, bool durable)
{
	cr_assert_eq(log_sync_wrote(&sync_of, fills, durable), RC_OK);
}

Test(log_sync, a_write_that_cannot_have_begun_a_log_does_not_look_for_one)
{
	begin_log(1); /* which no write of so few bytes begins; so that a look would be seen */
	for (int i = 0; i < 9; i++)
		wrote(100, false);
	cr_expect_eq(sync_of.switches, 0);
	wrote(100, false);
	cr_expect_eq(sync_of.switches, 1);
	cr_expect_eq(sync_of.settled, 1, "and what is before it is on the disk");
	cr_expect_eq(sync_of.synced, 10);
}

Test(log_sync, from_then_on_every_write_looks_until_one_has_begun_a_log)
{
	wrote(FILLS, false);
	for (int i = 0; i < 3; i++)
		wrote(1, false);
	cr_expect_eq(sync_of.switches, 0);
	begin_log(1);
	wrote(600, false);
	cr_expect_eq(sync_of.switches, 1);
	begin_log(2);
	wrote(399, false);
	cr_expect_eq(sync_of.switches, 1, "the write that began it is the first in it");
	wrote(1, false);
	cr_expect_eq(sync_of.switches, 2);
}

Test(log_sync, a_durable_write_looks_and_fills_as_well)
{
	begin_log(1);
	wrote(600, true);
	cr_expect_eq(sync_of.switches, 1);
	cr_expect_eq(sync_of.settled, 1);
	cr_expect_eq(sync_of.written, 0);
	begin_log(2);
	wrote(399, false);
	cr_expect_eq(sync_of.switches, 1);
	wrote(1, false);
	cr_expect_eq(sync_of.switches, 2);
}

Test(log_sync, a_sync_looks_and_takes_nothing_from_what_is_counted)
{
	wrote(100, false);
	begin_log(1);
	cr_expect_not(log_sync_is_settled(&sync_of));
	cr_expect_eq(sync_of.switches, 1);
	cr_expect_eq(log_sync_settle(&sync_of), RC_OK);
	cr_expect(log_sync_is_settled(&sync_of));
	wrote(FILLS - 1, false);
	begin_log(2);
	wrote(1, false);
	cr_expect_eq(sync_of.switches, 2);
}

Test(log_sync, the_next_write_looks_where_a_log_was_asked_for)
{
	wrote(1, false);
	begin_log(1);
	log_sync_told(&sync_of);
	wrote(1, false);
	cr_expect_eq(sync_of.switches, 1);
	cr_expect_eq(sync_of.settled, 1);
}
