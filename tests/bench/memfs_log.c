/* memfs_log: see memfs_log.h. */
#include "tests/bench/memfs_log.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static int file = -1;

bool memfs_log_open(const char *path)
{
	file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0)
		perror(path);
	return file >= 0;
}

void memfs_log_keep(const char *name, const char *bytes, size_t n)
{
	uint64_t lengths[2] = {strlen(name), n};
	struct iovec parts[] = {{lengths, sizeof(lengths)}, {(char *)(uintptr_t)name, strlen(name)}, {(char *)(uintptr_t)bytes, n}};

	if (file >= 0 && writev(file, parts, 3) < 0) {
		perror("memfs: the log");
		abort();
	}
}
