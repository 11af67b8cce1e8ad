/* A disk that is full, under a real mount: writes are refused before the engine is hurt, reading and removing go on, and when there is room again
 * writes do, without a remount. Nothing that was acknowledged is lost.
 *
 * The disk is a small file system in memory, mounted where only this test and its daemon see it; skipped where that is not allowed. How much fits on
 * it is the engine's business: nothing here counts on a number. */
#include "tests/alone.h"
#include "tests/mount/harness.h"
#include <poll.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

enum { TEXT = 150000, ITEMS_MAX = 1024, SLACK = 4 << 20 };

static char document[TEXT + 64];
static bool there[ITEMS_MAX]; /* acknowledged, and not removed since */
static bool mounted;

static const char *disk(void)
{
	return scratch("disk");
}

/* Between what is kept for merges (an eighth of this disk) and what is kept even from those who remove (an eighth of that), there are SLACK bytes. */
static void setup(void)
{
	scratch_setup();
	mounted = false;
	memset(there, 0, sizeof there);
	assert_ok(mkdir(disk(), 0700));
	if (geteuid() != 0 || !alone() ||
	    mount("none", disk(), "tmpfs", 0, "size=64m,mode=700") < 0)
		return;
	mounted = true;
	assert_ok(mkdir(scratch("disk/volume"), 0700));
	assert_ok(symlink("disk/volume", volume()));
	mount_up(NULL);
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N KEYS_ONLY", NULL);
	assert_ok(mkdir(at("Music/Queen"), 0755));
}

static void teardown(void)
{
	mount_down();
	if (mounted) {
		cr_expect_eq(fsck_volume(volume()), 0, "%s", sh_output());
		umount2(disk(), MNT_DETACH);
	}
	mount_teardown();
}

TestSuite(full, .init = setup, .fini = teardown, .timeout = 900);

#define NEEDS_DISK                                                                                                     \
	if (!mounted)                                                                                                  \
	cr_skip_test("no small disk of our own to be had")

static const char *name_of(int i)
{
	static char name[64];
	snprintf(name, sizeof name, "Music/Queen/%06d.json", i * 7919 % 100003); /* in no order, so that tables overlap */
	return name;
}

/* Text that no compression makes smaller. */
static const char *document_of(int i)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	unsigned seed = (unsigned)i + 1;
	int n = snprintf(document, sizeof document, "{\"Year\":%d,\"t\":\"", 1970 + i % 5);
	for (int k = 0; k < TEXT; k++)
		document[n++] = letters[rand_r(&seed) >> 5 & 63];
	strcpy(document + n, "\"}");
	return document;
}

static int put_item(int i)
{
	int result = errno_of(put(name_of(i), document_of(i)));
	there[i] = there[i] || result == 0;
	return result;
}

static void remove_item(int i)
{
	expect_ok(unlink(at(name_of(i))));
	there[i] = false;
}

static void all_reads(int n)
{
	for (int i = 0; i < n; i++) {
		size_t len = 0;
		char *bytes = content_bytes(name_of(i), &len);
		if (there[i])
			cr_assert(bytes && len == strlen(document_of(i)) && memcmp(bytes, document, len) == 0, "item %d is not what it was", i);
		else
			cr_assert(!bytes && errno == ENOENT, "item %d should be gone", i);
	}
}

/* All that is left of the disk, but for so many bytes. */
static void take_the_rest(const char *path, off_t but)
{
	struct statvfs room;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(fd >= 0);
	assert_ok(statvfs(disk(), &room));
	errno = posix_fallocate(fd, 0, (off_t)(room.f_bavail * room.f_frsize) - but);
	cr_assert_eq(errno, 0, "%s", strerror(errno));
	close(fd);
}

/* Another's file takes the rest of the disk, but for some that is ours to remove with. */
static void fill_with_ballast(void)
{
	take_the_rest(scratch("disk/ballast"), SLACK);
}

Test(full, what_others_leave_no_room_for_is_refused_until_there_is_room_again)
{
	enum { BEFORE = 20 };
	NEEDS_DISK;
	pid_t daemon = mount_pid();
	for (int i = 0; i < BEFORE; i++)
		cr_assert_eq(put_item(i), 0);
	fill_with_ballast();
	expect_errno(put(name_of(BEFORE), document_of(BEFORE)), ENOSPC);
	expect_errno(put(name_of(0), "{\"Year\":1}"), ENOSPC);
	expect_errno(mkdir(at("Music/ABBA"), 0755), ENOSPC);
	all_reads(BEFORE);
	for (int i = 0; i < BEFORE / 4; i++)
		remove_item(i);
	all_reads(BEFORE);
	assert_ok(unlink(scratch("disk/ballast")));
	for (int i = 0; i <= BEFORE; i++)
		cr_expect_eq(put_item(i), 0, "item %d", i);
	cr_expect_eq(mount_pid(), daemon);
	all_reads(BEFORE + 1);
	mount_again();
	all_reads(BEFORE + 1);
}

Test(full, a_mount_comes_up_on_a_full_disk_and_reads_and_removes)
{
	enum { BEFORE = 10 };
	NEEDS_DISK;
	for (int i = 0; i < BEFORE; i++)
		cr_assert_eq(put_item(i), 0);
	mount_down();
	fill_with_ballast();
	mount_up(NULL);
	all_reads(BEFORE);
	expect_errno(put(name_of(BEFORE), document_of(BEFORE)), ENOSPC);
	remove_item(0);
	all_reads(BEFORE);
	assert_ok(unlink(scratch("disk/ballast")));
	cr_expect_eq(put_item(BEFORE), 0);
	all_reads(BEFORE + 1);
}

/* What a merge that was killed has left goes as the volume is opened; not even who has it can be written down before. */
Test(full, a_mount_comes_up_where_a_killed_merge_has_left_not_one_byte)
{
	enum { BEFORE = 10 };
	NEEDS_DISK;
	for (int i = 0; i < BEFORE; i++)
		cr_assert_eq(put_item(i), 0);
	mount_down();
	const char *leftover = scratch("disk/volume/db/000900.ldb");
	take_the_rest(leftover, 0);
	mount_up(NULL);
	all_reads(BEFORE);
	cr_expect_neq(access(leftover, F_OK), 0);
	cr_expect_eq(put_item(BEFORE), 0);
	all_reads(BEFORE + 1);
}

/* The volume's own items take all that they may, then go, then others come. That a merge meanwhile takes the last byte, and is given up, is part of it. */
Test(full, of_its_own_items_is_left_by_removing_them)
{
	NEEDS_DISK;
	int n = 0, again = 0, refused = 0;
	while (n < ITEMS_MAX / 2 && (refused = put_item(n)) == 0)
		n++;
	cr_assert(n > 50 && n < ITEMS_MAX / 2, "%d items fill the disk", n);
	cr_assert_eq(refused, ENOSPC, "%s", strerror(refused)); /* the next might have room, as tables are merged meanwhile */
	all_reads(n);
	for (int i = 0; i < n; i++) {
		if (i % 8 == 3)
			continue; /* a few stay */
		/* While a merge has the last room; it ends. */
		for (int waited = 0; unlink(at(name_of(i))) != 0; waited++) {
			cr_assert(errno == ENOSPC && waited < 3000, "item %d: %s", i, strerror(errno));
			poll(NULL, 0, 20);
		}
		there[i] = false;
	}
	all_reads(n);
	for (int waited = 0; again < n / 4; waited++) {
		if (put_item(n + again) == 0) {
			again++;
			continue;
		}
		cr_assert(errno == ENOSPC && waited < 3000, "%s", strerror(errno));
		poll(NULL, 0, 20);
	}
	all_reads(n + again);
	mount_again();
	all_reads(n + again);
}

/* Its log would be all that there is on the disk, and there would be no room to make a table of it: neither here nor in the next opening. */
Test(full, a_memtable_for_which_the_disk_is_too_small_is_made_smaller_so_that_the_volume_opens_again)
{
	NEEDS_DISK;
	int n = 0;
	mount_down();
	mount_up("memtable=64");
	while (n < ITEMS_MAX / 2 && put_item(n) == 0)
		n++;
	cr_assert(n > 50 && n < ITEMS_MAX / 2, "%d items fill the disk", n);
	mount_kill();
	mount_up("memtable=64");
	all_reads(n);
	mount_again();
	all_reads(n);
}
