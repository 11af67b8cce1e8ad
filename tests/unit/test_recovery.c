/* recovery: what is asked of an engine whose disk is full, and when. The engine and the disk are the test's. */
#include "store/recovery.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { RESERVE = 1000 };

static struct {
	unsigned exchanges, merges, sweeps, tries, tidies;
	unsigned pieces;        /* that a sweep takes, */
	unsigned long swept;    /* and the bytes that each makes */
	enum rc exchange, try_write;
	char first[8], last[8]; /* of the last merge */
	unsigned long frees;    /* bytes that a merge makes */
} engine;

static unsigned long left_bytes;

/* Stands in for the system's: a large disk with that much left. */
int fstatvfs(int fd, struct statvfs *ret_disk)
{
	(void)fd;
	*ret_disk = (struct statvfs){.f_frsize = 1, .f_blocks = 1 << 20, .f_bavail = left_bytes};
	return 0;
}

static enum rc exchange(void *of)
{
	(void)of;
	engine.exchanges++;
	return engine.exchange;
}

static void merge(void *of, const struct range *keys)
{
	(void)of;
	engine.merges++;
	snprintf(engine.first, sizeof engine.first, "%.*s", (int)keys->first.len, (const char *)keys->first.data);
	snprintf(engine.last, sizeof engine.last, "%.*s", (int)keys->last.len, (const char *)keys->last.data);
	left_bytes += engine.frees;
}

static bool sweep(void *of, struct buf *from, uint64_t bytes)
{
	(void)of;
	cr_expect(bytes > 0 && bytes < RESERVE);
	cr_expect_eq(from->len, engine.sweeps, "it goes on where it was");
	buf_add(from, "k", 1);
	left_bytes += engine.swept;
	return ++engine.sweeps < engine.pieces;
}

static enum rc try_write(void *of)
{
	(void)of;
	engine.tries++;
	return engine.try_write;
}

static void tidy(void *of)
{
	(void)of;
	engine.tidies++;
}

static const struct recovery_engine calls = {exchange, merge, sweep, try_write, tidy};
static struct log_sync sync_;
static struct recovery recovery;
static char place[64];
static int dir;

static void set_up(void)
{
	strcpy(place, "/tmp/itemfs-recovery-XXXXXX");
	cr_assert_not_null(mkdtemp(place));
	dir = open(place, O_RDONLY | O_DIRECTORY);
	cr_assert(dir >= 0);
	struct room room = {.dir = dir, .reserve = RESERVE};
	log_sync_init(&sync_, dir, 1 << 20);
	recovery_init(&recovery, &calls, NULL, &sync_, &room);
	left_bytes = 100 * RESERVE;
}

static void tear_down(void)
{
	recovery_destroy(&recovery);
	log_sync_destroy(&sync_);
	close(dir);
	rmdir(place);
}

TestSuite(recovery, .init = set_up, .fini = tear_down);

static void freed(const char *key)
{
	struct range range = {0};
	range_add(&range, key, strlen(key));
	recovery_freed(&recovery, &range);
	range_free(&range);
}

static void write_fails(enum rc rc)
{
	cr_assert_eq(recovery_enter(&recovery), RC_OK);
	recovery_failed(&recovery, rc);
	recovery_leave(&recovery);
}

Test(recovery, merges_what_was_freed_once_and_only_when_room_is_wanted)
{
	freed("m");
	freed("c");
	freed("x");
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_OK);
	cr_expect_eq(engine.merges, 0);
	left_bytes = RESERVE;
	engine.frees = RESERVE;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_OK);
	cr_expect_eq(engine.merges, 1);
	cr_expect_str_eq(engine.first, "c");
	cr_expect_str_eq(engine.last, "x");
	left_bytes = RESERVE;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_NO_SPACE, "nothing was freed since");
	cr_expect_eq(engine.merges, 1);
	cr_expect_eq(recovery_make_room(&recovery, 10, true), RC_OK, "what frees may use the reserve");
}

Test(recovery, merges_all_once_for_what_was_deleted_before_it_was_opened_a_piece_for_each_write_that_finds_no_room)
{
	engine.pieces = 3;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_OK);
	cr_expect_eq(engine.sweeps, 0, "there was room");
	left_bytes = RESERVE / 4;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_NO_SPACE);
	cr_expect_eq(engine.sweeps, 0, "a merge would find none");
	left_bytes = RESERVE;
	for (unsigned i = 1; i <= 5; i++) {
		cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_NO_SPACE);
		cr_expect_eq(engine.sweeps, i < 3 ? i : 3);
	}
}

Test(recovery, finds_room_in_what_was_deleted_before_it_was_opened)
{
	engine.pieces = 3;
	left_bytes = RESERVE;
	engine.swept = 100;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_OK);
	cr_expect_eq(engine.sweeps, 1);
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_OK);
	cr_expect_eq(engine.sweeps, 1);
}

Test(recovery, opens_an_engine_anew_that_met_a_full_disk_when_there_is_room_and_nobody_holds_it)
{
	left_bytes = 10;
	write_fails(RC_NO_SPACE);
	cr_expect_eq(recovery_mend(&recovery), RC_NO_SPACE);
	left_bytes = 100 * RESERVE;
	recovery_hold(&recovery);
	cr_expect_eq(recovery_mend(&recovery), RC_NO_SPACE);
	cr_expect_eq(engine.exchanges, 0);
	recovery_let_go(&recovery);
	cr_expect_eq(recovery_mend(&recovery), RC_OK);
	cr_expect_eq(engine.exchanges, 1);
	cr_expect_eq(recovery.generation, 1);
	cr_expect_eq(recovery_mend(&recovery), RC_OK);
	cr_expect_eq(engine.exchanges, 1, "a sound one is left alone");
}

Test(recovery, leaves_an_engine_alone_whose_disk_fails_or_whose_log_may_hold_what_failed)
{
	write_fails(RC_NO_SPACE);
	recovery_give_up(&recovery);
	cr_expect_eq(recovery_mend(&recovery), RC_NO_SPACE);
	cr_expect_eq(engine.exchanges, 0);
}

Test(recovery, a_failed_sync_is_for_good)
{
	log_sync_break(&sync_, RC_NO_SPACE); /* a sync, not a write */
	write_fails(RC_NO_SPACE);
	cr_expect_eq(recovery_mend(&recovery), RC_NO_SPACE);
	cr_expect_eq(engine.exchanges, 0);
}

Test(recovery, an_engine_that_does_not_open_is_tried_again_by_who_uses_it_next)
{
	write_fails(RC_NO_SPACE);
	engine.exchange = RC_IO;
	cr_expect_eq(recovery_mend(&recovery), RC_IO);
	cr_expect_eq(recovery_enter(&recovery), RC_IO);
	cr_expect_eq(recovery.generation, 0);
	engine.exchange = RC_OK;
	cr_assert_eq(recovery_enter(&recovery), RC_OK);
	recovery_leave(&recovery);
	cr_expect_eq(engine.exchanges, 3);
	cr_expect_eq(recovery_mend(&recovery), RC_OK);
}

Test(recovery, an_engine_is_asked_where_a_merge_may_have_ended_it)
{
	left_bytes = 10;
	cr_expect_eq(recovery_make_room(&recovery, 10, false), RC_NO_SPACE);
	cr_expect_eq(engine.tries, 0, "nothing was left by a merge");
	cr_expect_eq(engine.tidies, 0);
}
