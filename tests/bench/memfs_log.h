/* memfs_log: the limit of a filesystem that keeps what it has acknowledged from its own death, and does nothing else for it: one write(2) for each
 * file that was written and closed, renamed or removed, with its name and its bytes; nothing is read back. No filesystem that keeps this promise by a log
 * does less.
 */
#ifndef ITEMFS_TESTS_MEMFS_LOG_H
#define ITEMFS_TESTS_MEMFS_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* From here on there is one. False: it cannot be opened, and was said why. */
bool memfs_log_open(const char *path);

/* Does nothing where there is none. One caller at a time. */
void memfs_log_keep(const char *name, const char *bytes, size_t n);

#endif
