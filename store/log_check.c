#include "store/log_check.h"
#include "store/crc.h"
#include "store/log_sync.h"
#include "store/manifest.h"
#include "store/oserror.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { BLOCK = 32768, HEADER = 7, PAGE = 4096, BATCH_HEAD = 12 };
enum type { TYPE_NONE, TYPE_FULL, TYPE_FIRST, TYPE_MIDDLE, TYPE_LAST };

struct reader {
	int fd;
	off_t start;              /* of the block */
	size_t n;                 /* bytes in it; less than BLOCK: the last one */
	off_t whole;              /* where the record begins that the next fragment belongs to */
	bool fragment;            /* one has begun */
	uint8_t head[BATCH_HEAD]; /* of the record */
	size_t head_n;
	uint64_t *sequence; /* the one that must come next, 0: any. NULL where records are no batches */
	uint32_t crc_table[256];
	uint8_t block[BLOCK];
};

static uint32_t header_crc(const uint8_t *header)
{
	return header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24;
}

static size_t header_length(const uint8_t *header)
{
	return header[4] | (size_t)header[5] << 8;
}

/* Does the checksum fit the record, if it has n bytes after its header? */
static bool fits(const struct reader *reader, const uint8_t *header, size_t n)
{
	uint32_t crc = CRC_START;

	for (size_t i = 0; i <= n; i++)
		crc = crc_step(reader->crc_table, crc, header[HEADER - 1 + i]);
	return crc_stored(crc) == header_crc(header);
}

/* Does it fit with any length at all up to `most`? */
static bool fits_some_length(const struct reader *reader, const uint8_t *header, size_t most)
{
	uint32_t wanted = header_crc(header);
	uint32_t crc = CRC_START;

	for (size_t i = 0; i <= most; i++) {
		crc = crc_step(reader->crc_table, crc, header[HEADER - 1 + i]);
		if (crc_stored(crc) == wanted)
			return true;
	}
	return false;
}

/* Reads up to n bytes; fewer at the end of the file only. -1: errno. */
static ssize_t read_at(int fd, uint8_t *ret_bytes, size_t n, off_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, ret_bytes + done, n - done, offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* From where on the file is all zeros, looking no further back than `from`: its end if its last byte is none. */
static enum rc find_zeros(int fd, off_t from, off_t *ret_zeros, off_t *ret_end)
{
	uint8_t bytes[PAGE];
	off_t zeros = from;
	ssize_t n;

	while ((n = read_at(fd, bytes, sizeof(bytes), from)) > 0) {
		for (ssize_t i = n; i > 0; i--) {
			if (bytes[i - 1]) {
				zeros = from + i;
				break;
			}
		}
		from += n;
	}
	if (n < 0)
		return rc_of_errno(errno);
	*ret_zeros = zeros;
	*ret_end = from;
	return RC_OK;
}

/* The record at `at` does not fit its checksum, or is all zeros. Cuts the file before it if it ends in nothing; else
 * RC_CORRUPT. */
static enum rc cut_at_zeros(struct reader *reader, off_t at)
{
	off_t zeros, end;
	enum rc rc = find_zeros(reader->fd, at, &zeros, &end);

	if (rc)
		return rc;
	if (zeros != at)
		zeros = (zeros + PAGE - 1) / PAGE * PAGE;
	if (zeros >= end)
		return RC_CORRUPT;
	if (ftruncate(reader->fd, reader->fragment ? reader->whole : at) < 0 || fdatasync(reader->fd) < 0)
		return rc_of_errno(errno);
	return RC_OK;
}

/* A fragment that fits its checksum. When the record is whole, its batch must go on where the last one ended. */
static enum rc follow_sequence(struct reader *reader, const uint8_t *bytes, size_t n, bool first, bool last)
{
	uint64_t sequence = 0;
	uint64_t count = 0;

	if (first)
		reader->head_n = 0;
	for (size_t i = 0; i < n && reader->head_n < BATCH_HEAD; i++)
		reader->head[reader->head_n++] = bytes[i];
	if (!last || !reader->sequence)
		return RC_OK;
	if (reader->head_n < BATCH_HEAD)
		return RC_CORRUPT;
	for (size_t i = 8; i > 0; i--)
		sequence = sequence << 8 | reader->head[i - 1];
	for (size_t i = 12; i > 8; i--)
		count = count << 8 | reader->head[i - 1];
	if (*reader->sequence && *reader->sequence != sequence)
		return RC_CORRUPT;
	*reader->sequence = sequence + count;
	return RC_OK;
}

/* *ret_done: there is no more to look at. */
static enum rc check_record(struct reader *reader, size_t at, size_t *ret_next, bool *ret_done)
{
	const uint8_t *header = reader->block + at;
	size_t length = header_length(header);
	size_t room = reader->n - at - HEADER;
	enum type type = header[HEADER - 1];

	if (length > room) {
		*ret_done = true;
		return reader->n == BLOCK || fits_some_length(reader, header, room) ? RC_CORRUPT : RC_OK;
	}
	if ((type == TYPE_NONE && length == 0) || !fits(reader, header, length)) {
		*ret_done = true;
		return cut_at_zeros(reader, reader->start + (off_t)at);
	}
	if (type == TYPE_FULL || type == TYPE_FIRST)
		reader->whole = reader->start + (off_t)at;
	reader->fragment = type == TYPE_FIRST || type == TYPE_MIDDLE;
	*ret_next = at + HEADER + length;
	return follow_sequence(reader, header + HEADER, length, type == TYPE_FULL || type == TYPE_FIRST,
			       type == TYPE_FULL || type == TYPE_LAST);
}

static enum rc check_block(struct reader *reader, off_t *ret_at, bool *ret_done)
{
	size_t at = 0;
	enum rc rc = RC_OK;

	while (!rc && !*ret_done && reader->n - at >= HEADER) {
		*ret_at = reader->start + (off_t)at;
		rc = check_record(reader, at, &at, ret_done);
	}
	return rc;
}

static enum rc check_open_file(struct reader *reader, off_t *ret_at)
{
	bool done = false;
	enum rc rc = RC_OK;

	while (!rc && !done) {
		ssize_t n = read_at(reader->fd, reader->block, BLOCK, reader->start);

		if (n < 0)
			return rc_of_errno(errno);
		reader->n = (size_t)n;
		rc = check_block(reader, ret_at, &done);
		done = done || reader->n < BLOCK;
		reader->start += BLOCK;
	}
	return rc;
}

static enum rc check_file(int dir, const char *name, uint64_t *sequence, struct why *why)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	off_t at = 0;
	enum rc rc;

	if (!reader)
		return why_set(why, RC_NO_MEMORY, "%s: no memory to check it", name);
	crc_make_table(reader->crc_table);
	reader->sequence = sequence;
	reader->fd = openat(dir, name, O_RDWR | O_CLOEXEC);
	if (reader->fd < 0) {
		/* LevelDB says it better where a file is missing. */
		rc = errno == ENOENT ? RC_OK : why_errno(why, errno, name);
		free(reader);
		return rc;
	}
	rc = check_open_file(reader, &at);
	if (rc == RC_CORRUPT)
		why_set(why, rc, "%s: damaged, or something missing, at byte %lld", name, (long long)at);
	else if (rc)
		why_set(why, rc, "%s cannot be checked (%s)", name, rc_name(rc));
	close(reader->fd);
	free(reader);
	return rc;
}

/* What CURRENT names; what else it holds is for LevelDB to judge. */
static enum rc check_manifest(int dir, struct why *why)
{
	char name[64] = "";
	int fd = openat(dir, "CURRENT", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? RC_OK : why_errno(why, errno, "CURRENT");
	n = read_at(fd, (uint8_t *)name, sizeof(name) - 1, 0);
	close(fd);
	if (n < 0)
		return why_set(why, RC_IO, "CURRENT cannot be read");
	name[strcspn(name, "\n")] = 0;
	if (strncmp(name, "MANIFEST-", 9) != 0 || strchr(name, '/'))
		return RC_OK;
	return check_file(dir, name, NULL, why);
}

static enum rc check_named_log(int dir, struct why *why)
{
	struct manifest manifest;
	struct stat st;
	char name[32];

	if (manifest_read(dir, &manifest) != RC_OK)
		return RC_OK; /* its writer's end, where check_manifest() has found nothing: a record that is not whole counts for nobody */
	logs_name(manifest.log, name);
	bool missing = manifest.log != 0 && fstatat(dir, name, &st, 0) != 0 && errno == ENOENT;
	manifest_free(&manifest);
	return missing ? why_set(why, RC_CORRUPT, "%s is missing, and what was written last was in it", name) : RC_OK;
}

enum rc log_check(int dir, struct why *why)
{
	struct logs logs;
	uint64_t sequence = 0;
	bool empty = false;
	enum rc rc = check_manifest(dir, why);

	if (!rc)
		rc = check_named_log(dir, why);
	if (rc)
		return rc;
	rc = logs_list(dir, &logs);
	if (rc)
		return why_set(why, rc, "the logs cannot be listed");
	for (size_t i = 0; !rc && i < logs.n; i++) {
		uint64_t before = sequence;
		char name[32];

		logs_name(logs.numbers[i], name);
		rc = check_file(dir, name, &sequence, why);
		/* No log is begun before there is something in the one before. */
		if (!rc && empty && sequence != before)
			rc = why_set(why, RC_CORRUPT, "%s follows a log that has lost what it held", name);
		empty = empty || sequence == before;
	}
	free(logs.numbers);
	return rc;
}
