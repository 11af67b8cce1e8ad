/* room: when a disk is looked at, and when a look of before is enough. */
#include "store/room.h"
#include <criterion/criterion.h>
#include <stdint.h>
#include <sys/statvfs.h>

enum { MIB = 1 << 20, RESERVE = 128 * MIB, BYTES = 600 };
static const int64_t never = INT64_MAX / 2; /* when a look is old: the tests do not wait */

static uint64_t left, all;
static unsigned looks;

/* Stands in for the system's. */
int fstatvfs(int fd, struct statvfs *ret_disk)
{
	(void)fd;
	looks++;
	*ret_disk = (struct statvfs){.f_frsize = 1, .f_blocks = all, .f_bavail = left};
	return 0;
}

static struct room a_room(uint64_t disk, uint64_t free)
{
	all = disk;
	left = free;
	looks = 0;
	return (struct room){.dir = -1, .reserve = RESERVE};
}

Test(room, that_is_large_is_looked_at_once_for_many_small_writes)
{
	struct room room = a_room((uint64_t)100000 * MIB, (uint64_t)50000 * MIB);
	uint64_t written = 0;
	for (; written + BYTES <= ROOM_TRUST; written += BYTES) {
		cr_expect(room_for(&room, BYTES, false));
		room.looked = never;
	}
	cr_expect_eq(looks, 1);
	cr_expect(room_for(&room, BYTES, false));
	room.looked = never;
	cr_expect(room_for(&room, BYTES, true));
	cr_expect_eq(looks, 2, "after so many bytes once more");
}

Test(room, is_looked_at_again_after_a_while)
{
	struct room room = a_room((uint64_t)100000 * MIB, (uint64_t)50000 * MIB);
	cr_expect(room_for(&room, BYTES, false));
	room.looked -= ROOM_TRUST_NS;
	left = RESERVE;
	cr_expect_not(room_for(&room, BYTES, false), "it was filled meanwhile");
	cr_expect_eq(looks, 2);
	left = (uint64_t)50000 * MIB;
	cr_expect(room_for(&room, BYTES, false), "and emptied");
}

Test(room, is_looked_at_for_each_write_that_is_larger_than_what_is_trusted)
{
	struct room room = a_room((uint64_t)100000 * MIB, (uint64_t)50000 * MIB);
	for (unsigned i = 1; i < 4; i++) {
		cr_expect(room_for(&room, ROOM_TRUST + 1, false));
		room.looked = never;
		cr_expect_eq(looks, i);
	}
}

Test(room, that_is_scarce_is_looked_at_for_each_write)
{
	struct room room = a_room((uint64_t)100000 * MIB, RESERVE + ROOM_FAR - 1);
	for (unsigned i = 1; i < 4; i++) {
		cr_expect(room_for(&room, BYTES, false));
		cr_expect_eq(looks, i);
	}
	left = RESERVE + 2 * BYTES;
	cr_expect(room_for(&room, BYTES, false));
	left--;
	cr_expect_not(room_for(&room, BYTES, false));
	cr_expect(room_for(&room, BYTES, true), "what frees may have most of the reserve");
	left = RESERVE / 8;
	cr_expect_not(room_for(&room, BYTES, true));
}

Test(room, of_a_small_disk_is_looked_at_for_each_write_and_an_eighth_of_it_is_kept)
{
	struct room room = a_room(160 * MIB, 160 * MIB);
	for (unsigned i = 1; i < 4; i++) {
		cr_expect(room_for(&room, BYTES, false));
		cr_expect_eq(looks, i);
	}
	left = 20 * MIB - 1;
	cr_expect_not(room_for(&room, 0, false));
}

/* An eighth of the reserve of such a disk would be less than its logs, which the next opening writes once more. */
Test(room, of_a_small_disk_is_kept_for_the_logs_from_who_frees)
{
	struct room room = a_room(64 * MIB, 2 * MIB + 2 * BYTES);
	room.reserve = 16 * MIB;
	cr_expect_not(room_for(&room, BYTES, false));
	cr_expect(room_for(&room, BYTES, true));
	left--;
	cr_expect_not(room_for(&room, BYTES, true));
}

Test(room, a_disk_has_its_size_or_does_not_tell)
{
	a_room((uint64_t)5000 * MIB, 0);
	cr_expect_eq(room_of_disk(-1), (uint64_t)5000 * MIB);
	a_room(0, 0);
	cr_expect_eq(room_of_disk(-1), UINT64_MAX);
}
