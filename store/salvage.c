#include "store/salvage.h"
#include "store/crc.h"
#include "store/manifest.h"
#include "store/oserror.h"
#include "store/model/buf.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 32768, HEADER = 7, BATCH_HEAD = 12 };
enum type { TYPE_NONE, TYPE_FULL, TYPE_FIRST, TYPE_MIDDLE, TYPE_LAST };

/* One log, read and written anew. */
struct salvage {
	const char *name;
	FILE *out;
	int from, to;
	off_t start;       /* of the block */
	size_t n;          /* bytes in it */
	bool open;         /* a record has begun and is whole so far */
	struct buf record; /* its bytes */
	uint64_t sequence; /* which the next batch has at least */
	off_t bad;         /* where what is left out began; -1: nothing is */
	size_t place;      /* in the block that is being written */
	uint32_t table[256];
	uint8_t block[BLOCK];
};

static uint32_t crc_of(const struct salvage *s, uint8_t type, const uint8_t *bytes, size_t n)
{
	uint32_t crc = crc_step(s->table, CRC_START, type);

	for (size_t i = 0; i < n; i++)
		crc = crc_step(s->table, crc, bytes[i]);
	return crc_stored(crc);
}

static uint64_t little(const uint8_t *bytes, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | bytes[--n];
	return v;
}

static enum rc write_all(int fd, const uint8_t *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return rc_of_errno(errno);
		bytes += done;
		n -= (size_t)done;
	}
	return RC_OK;
}

/* ---- writing ---- */

static enum rc write_fragment(struct salvage *s, enum type type, const uint8_t *bytes, size_t n)
{
	uint32_t crc = crc_of(s, (uint8_t)type, bytes, n);
	uint8_t header[HEADER] = {(uint8_t)crc,         (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24),
				  (uint8_t)n, (uint8_t)(n >> 8),   (uint8_t)type};
	enum rc rc = write_all(s->to, header, HEADER);

	s->place += HEADER + n;
	return rc ? rc : write_all(s->to, bytes, n);
}

static enum rc write_record(struct salvage *s, const uint8_t *bytes, size_t n)
{
	static const uint8_t trailer[HEADER] = {0};
	bool first = true;
	enum rc rc = RC_OK;

	do {
		if (BLOCK - s->place < HEADER) {
			rc = write_all(s->to, trailer, BLOCK - s->place);
			s->place = 0;
			if (rc)
				return rc;
		}
		size_t room = BLOCK - s->place - HEADER;
		size_t part = n < room ? n : room;
		bool last = part == n;

		rc = write_fragment(s, first && last ? TYPE_FULL : first ? TYPE_FIRST : last ? TYPE_LAST : TYPE_MIDDLE,
				    bytes, part);
		bytes += part;
		n -= part;
		first = false;
		if (last)
			break;
	} while (!rc);
	return rc;
}

/* ---- reading ---- */

static void leave_out(struct salvage *s, off_t at)
{
	s->open = false;
	if (s->bad < 0)
		s->bad = at;
}

static void end_of_bad(struct salvage *s, off_t at)
{
	if (s->bad >= 0 && at > s->bad)
		fprintf(s->out, "the store's %s: bytes %lld to %lld are damaged: the changes in them are lost\n", s->name,
			(long long)s->bad, (long long)at);
	s->bad = -1;
}

static bool fits(const struct salvage *s, size_t at)
{
	const uint8_t *header = s->block + at;
	size_t length = little(header + 4, 2);
	uint8_t type = header[HEADER - 1];

	return type >= TYPE_FULL && type <= TYPE_LAST && length <= s->n - at - HEADER &&
	       crc_of(s, type, header + HEADER, length) == little(header, 4);
}

static bool in_order(const struct salvage *s, const uint8_t *record, size_t n)
{
	return n >= BATCH_HEAD && little(record, 8) >= s->sequence;
}

/* Whether there are whole records from here up to the block's end, or the file's. */
static bool goes_on(const struct salvage *s, size_t at)
{
	if (at >= s->n)
		return false;
	while (s->n - at >= HEADER) {
		size_t length = little(s->block + at + 4, 2);
		uint8_t type = s->block[at + HEADER - 1];

		if (!fits(s, at) || ((type == TYPE_FULL || type == TYPE_FIRST) && !in_order(s, s->block + at + HEADER, length)))
			return false;
		at += HEADER + length;
	}
	return s->n < BLOCK ? s->n == at : true;
}

static enum rc keep(struct salvage *s, off_t after)
{
	enum rc rc = RC_OK;

	s->open = false;
	if (s->record.failed)
		return RC_NO_MEMORY;
	if (in_order(s, s->record.data, s->record.len)) {
		s->sequence = little(s->record.data, 8) + little(s->record.data + 8, 4);
		rc = write_record(s, s->record.data, s->record.len);
	} else {
		leave_out(s, after - (off_t)s->record.len - HEADER);
		end_of_bad(s, after);
	}
	return rc;
}

/* A record, or a part of one, that fits its checksum. */
static enum rc take(struct salvage *s, size_t at, size_t length)
{
	enum type type = s->block[at + HEADER - 1];
	off_t place = s->start + (off_t)at;

	if (type == TYPE_FULL || type == TYPE_FIRST) {
		if (s->open) /* the one before has no end: its writer died */
			leave_out(s, place);
		end_of_bad(s, place);
		buf_clear(&s->record);
		s->open = true;
	} else if (!s->open) {
		leave_out(s, place);
		return RC_OK;
	}
	buf_add(&s->record, s->block + at + HEADER, length);
	return type == TYPE_FULL || type == TYPE_LAST ? keep(s, place + HEADER + (off_t)length) : RC_OK;
}

static enum rc salvage_block(struct salvage *s)
{
	size_t at = 0;
	enum rc rc = RC_OK;

	while (!rc && s->n - at >= HEADER) {
		size_t length = little(s->block + at + 4, 2);

		if (fits(s, at)) {
			rc = take(s, at, length);
			at += HEADER + length;
			continue;
		}
		leave_out(s, s->start + (off_t)at);
		if (length > s->n - at - HEADER || !goes_on(s, at + HEADER + length))
			break;
		at += HEADER + length;
	}
	return rc;
}

static enum rc salvage_records(struct salvage *s)
{
	enum rc rc = RC_OK;

	do {
		ssize_t n = pread(s->from, s->block, BLOCK, s->start);

		if (n < 0 && errno == EIO) { /* this part of the disk does not read: as if it were damaged */
			memset(s->block, 0, BLOCK);
			n = BLOCK;
		}
		if (n < 0)
			return rc_of_errno(errno);
		s->n = (size_t)n;
		rc = salvage_block(s);
		s->start += n;
	} while (!rc && s->n == BLOCK);
	end_of_bad(s, s->start);
	return rc;
}

static enum rc salvage_log(int from, int to, const char *name, uint64_t *sequence, FILE *out)
{
	struct salvage *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	if (!s)
		return RC_NO_MEMORY;
	s->name = name;
	s->out = out;
	s->bad = -1;
	s->sequence = *sequence;
	crc_make_table(s->table);
	s->from = openat(from, name, O_RDONLY | O_CLOEXEC);
	s->to = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->from < 0 || s->to < 0)
		rc = rc_of_errno(errno);
	else
		rc = salvage_records(s);
	*sequence = s->sequence;
	if (s->from >= 0)
		close(s->from);
	if (s->to >= 0)
		close(s->to);
	buf_free(&s->record);
	free(s);
	return rc;
}

/* ---- the directory ---- */

static enum rc copy_bytes(int from, int to)
{
	uint8_t bytes[16384];
	ssize_t n;
	enum rc rc = RC_OK;

	while (!rc && (n = read(from, bytes, sizeof(bytes))) > 0)
		rc = write_all(to, bytes, (size_t)n);
	return rc ? rc : n < 0 ? rc_of_errno(errno) : RC_OK;
}

static enum rc link_or_copy(int from, int to, const char *name)
{
	enum rc rc;
	int in, out;

	if (linkat(from, name, to, name, 0) == 0)
		return RC_OK;
	in = openat(from, name, O_RDONLY | O_CLOEXEC);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = in < 0 || out < 0 ? rc_of_errno(errno) : copy_bytes(in, out);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), end_n = strlen(end);

	return n > end_n && strcmp(name + n - end_n, end) == 0;
}

static int is_wanted(const struct dirent *entry)
{
	return ends_in(entry->d_name, ".ldb") || ends_in(entry->d_name, ".sst") || ends_in(entry->d_name, ".log");
}

/* Logs in the order in which they were written. */
static int by_number(const struct dirent **a, const struct dirent **b)
{
	unsigned long long x = strtoull((*a)->d_name, NULL, 10), y = strtoull((*b)->d_name, NULL, 10);

	return (x > y) - (x < y);
}

/* Whether the store still needs a file. `manifest` NULL: nobody knows, so yes. */
static bool counts(const struct manifest *manifest, const char *name)
{
	uint64_t table;

	if (!manifest)
		return true;
	return table_number(name, &table) ? manifest_counts(manifest, table) : manifest_needs_log(manifest, strtoull(name, NULL, 10));
}

static enum rc salvage_file(int from, int to, const char *name, const struct manifest *manifest, uint64_t *sequence, FILE *out)
{
	if (!counts(manifest, name)) {
		fprintf(out, "the store's %s: left out, as what is in it was written elsewhere since\n", name);
		return RC_OK;
	}
	return ends_in(name, ".log") ? salvage_log(from, to, name, sequence, out) : link_or_copy(from, to, name);
}

static enum rc salvage_all(int from, int to, const struct manifest *manifest, FILE *out, struct why *why)
{
	struct dirent **names = NULL;
	uint64_t sequence = 0;
	enum rc rc = RC_OK;
	int n = scandirat(from, ".", &names, is_wanted, by_number);

	if (n < 0)
		return why_errno(why, errno, "the damaged store");
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (!rc)
			rc = salvage_file(from, to, name, manifest, &sequence, out);
		if (rc)
			why_set(why, rc, "%s cannot be copied (%s)", name, rc_name(rc));
		free(names[i]);
	}
	free(names);
	if (!rc && !n)
		rc = why_set(why, RC_CORRUPT, "there are no tables and no logs left of the store");
	return rc;
}

static enum rc salvage_into(int from, int to, FILE *out, struct why *why)
{
	struct manifest manifest;
	enum rc rc = manifest_read(from, &manifest);
	bool known = rc == RC_OK;

	if (rc == RC_NO_MEMORY)
		return why_set(why, rc, "no memory to read the manifest");
	rc = salvage_all(from, to, known && manifest_is_latest(&manifest, from) ? &manifest : NULL, out, why);
	if (known)
		manifest_free(&manifest);
	return rc;
}

enum rc salvage_files(const char *path, const char *copy, FILE *out, struct why *why)
{
	int from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = -1;
	enum rc rc;

	if (from < 0)
		return why_errno(why, errno, path);
	if (flock(from, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		rc = why_set(why, RC_BUSY, "%s is in use", path);
	else if (mkdir(copy, 0700) < 0 || (to = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = why_errno(why, errno, copy);
	else
		rc = salvage_into(from, to, out, why);
	if (to >= 0)
		close(to);
	close(from);
	return rc;
}
