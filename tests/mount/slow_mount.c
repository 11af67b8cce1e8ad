/* slow_mount: see slow_mount.h. */
#include "tests/mount/slow_mount.h"
#include "tests/mount/harness.h"
#include <sys/mman.h>

struct latch *slow_mount_up(void)
{
	struct latch *latch;
	int fd = open(scratch("latch"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_ok(fd);
	assert_ok(ftruncate(fd, sizeof *latch));
	latch = mmap(NULL, sizeof *latch, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(latch, MAP_FAILED);
	close(fd);
	latch_init(latch);
	setenv("ITEMFS_LATCH", scratch("latch"), 1);
	setenv("ITEMFS_PROGRAM", ITEMFS_SLOW, 1);
	mount_up(NULL);
	return latch;
}

void slow_mount_teardown(struct latch *latch)
{
	latch_open(latch);
	mount_teardown();
	latch_free(latch);
	munmap(latch, sizeof *latch);
}
