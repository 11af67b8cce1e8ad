/* slow_mount: a mount whose engine is slow when a test wants it (slow.c), for the test: the latch that holds a call is shared with the daemon. */
#ifndef ITEMFS_TESTS_SLOW_MOUNT_H
#define ITEMFS_TESTS_SLOW_MOUNT_H

#include "tests/latch.h"
#include "tests/mount/slow.h"

/* Mounts, in what scratch_setup() made. */
struct latch *slow_mount_up(void);
/* Lets go of what is held, and takes all down. */
void slow_mount_teardown(struct latch *latch);

#endif
