/* machine: how much memory there is for us, so that what a store gathers in it can be a part of that. */
#ifndef ITEMFS_STORE_MACHINE_H
#define ITEMFS_STORE_MACHINE_H

#include <stdint.h>

/* Bytes: the machine's, or less where this process's control group (a container, a systemd unit with MemoryMax=) or one above it allows less. */
uint64_t machine_memory(void);

/* The least that the control groups allow, of version 2, of version 1, or of both: `self` is a file like /proc/self/cgroup, `root` a directory like
 * /sys/fs/cgroup. UINT64_MAX where they allow
 * everything, or cannot be read. */
uint64_t machine_group_memory(const char *self, const char *root);

#endif
