/* alone: a mount namespace of a test's own, for a disk that only it and its daemon see. */
#ifndef ITEMFS_TESTS_ALONE_H
#define ITEMFS_TESTS_ALONE_H

#include <stdbool.h>

/* False where that is not allowed. Where we are not root, as root of a user namespace of our own.
 *
 * A namespace begins with a copy of every mount there is, and a FUSE mount whose copy stays is not gone when its owner unmounts it: its daemon would
 * serve until this process ends. So the copies of FUSE mounts are let go. */
bool alone(void);

#endif
