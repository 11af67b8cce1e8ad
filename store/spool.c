/* spool: see spool.h. */
#include "store/spool.h"
#include "store/oserror.h"
#include "store/room.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAVES = 128 << 20 }; /* bytes of the disk that are the store's (room.h): a spool can wait, a merge cannot */

struct spool {
	int fd;
	_Atomic uint64_t size; /* readers may ask while its writer writes */
};

static enum rc rc_of(int number)
{
	return number == EFBIG ? RC_TOO_BIG : rc_of_errno(number);
}

/* Where the file system knows no files without a name, one with a name for a moment. */
static int open_named(const char *directory)
{
	char *path;
	if (asprintf(&path, "%s/spool-XXXXXX", directory) < 0) {
		errno = ENOMEM;
		return -1;
	}
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

enum rc spool_new(const char *directory, struct spool **ret_spool)
{
	struct spool *spool = calloc(1, sizeof *spool);
	if (!spool)
		return RC_NO_MEMORY;
	spool->fd = open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (spool->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		spool->fd = open_named(directory);
	if (spool->fd < 0) {
		enum rc rc = rc_of(errno);
		free(spool);
		return rc;
	}
	*ret_spool = spool;
	return RC_OK;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	close(spool->fd);
	free(spool);
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->size;
}

enum rc spool_write(struct spool *spool, const void *bytes, size_t n, uint64_t offset)
{
	const uint8_t *at = bytes;
	if (offset > INT64_MAX || n > INT64_MAX - offset)
		return RC_TOO_BIG;
	if (!room_for(&(struct room){.dir = spool->fd, .reserve = LEAVES}, n, false))
		return RC_NO_SPACE;
	while (n) {
		ssize_t wrote = pwrite(spool->fd, at, n, (off_t)offset);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? rc_of(errno) : RC_IO;
		at += wrote;
		offset += (uint64_t)wrote;
		n -= (size_t)wrote;
		if (offset > spool->size)
			spool->size = offset;
	}
	return RC_OK;
}

enum rc spool_append(struct spool *spool, const void *bytes, size_t n)
{
	return spool_write(spool, bytes, n, spool->size);
}

enum rc spool_resize(struct spool *spool, uint64_t size)
{
	if (size > INT64_MAX)
		return RC_TOO_BIG;
	if (ftruncate(spool->fd, (off_t)size) < 0)
		return errno == EINVAL ? RC_TOO_BIG : rc_of(errno);
	spool->size = size;
	return RC_OK;
}

enum rc spool_read(const struct spool *spool, uint64_t offset, size_t n, struct buf *out)
{
	if (offset >= spool->size)
		return RC_OK;
	if (n > spool->size - offset)
		n = (size_t)(spool->size - offset);
	if (!buf_reserve(out, n))
		return RC_NO_MEMORY;
	while (n) {
		ssize_t got = pread(spool->fd, out->data + out->len, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return RC_IO;
		out->len += (size_t)got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return RC_OK;
}
