/* manifest: see manifest.h. A manifest is a log (log_check.h) whose records are edits: a list of fields, each a number that says what it is, then its
 * values: varints, and strings with their length. */
#include "store/manifest.h"
#include "store/crc.h"
#include "store/log_sync.h"
#include "store/model/buf.h"
#include "store/oserror.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 32768, HEADER = 7, FULL = 1, FIRST, MIDDLE, LAST };
enum field { COMPARATOR = 1, LOG_NUMBER, NEXT_FILE, LAST_SEQUENCE, COMPACT_POINTER, DELETED_FILE, NEW_FILE, PREVIOUS_LOG = 9 };

static bool add_table(struct manifest *manifest, uint64_t number)
{
	if (manifest->n == manifest->cap) {
		size_t cap = manifest->cap ? 2 * manifest->cap : 64;
		uint64_t *more = reallocarray(manifest->tables, cap, sizeof(*more));

		if (!more)
			return false;
		manifest->tables = more;
		manifest->cap = cap;
	}
	manifest->tables[manifest->n++] = number;
	return true;
}

static void drop_table(struct manifest *manifest, uint64_t number)
{
	for (size_t i = 0; i < manifest->n; i++) {
		if (manifest->tables[i] == number) {
			manifest->tables[i] = manifest->tables[--manifest->n];
			return;
		}
	}
}

/* ---- edits ---- */

struct edit {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t read_varint(struct edit *edit)
{
	uint64_t value = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		if (edit->at == edit->end)
			break;
		value |= (uint64_t)(*edit->at & 0x7f) << shift;
		if (!(*edit->at++ & 0x80))
			return value;
	}
	edit->bad = true;
	return 0;
}

static void skip_string(struct edit *edit)
{
	uint64_t n = read_varint(edit);

	if (n > (uint64_t)(edit->end - edit->at))
		edit->bad = true;
	else
		edit->at += n;
}

/* Within one edit, what is taken away goes before what is added, wherever they stand. */
static enum rc apply(const struct buf *record, struct manifest *manifest, bool adds)
{
	struct edit edit = {record->data, record->data + record->len, false};
	uint64_t number;

	while (!edit.bad && edit.at < edit.end) {
		uint64_t field = read_varint(&edit);

		manifest->said |= field < 32 ? 1u << field : 0;
		switch (field) {
		case COMPARATOR:
			skip_string(&edit);
			break;
		case LOG_NUMBER:
			manifest->log = read_varint(&edit);
			break;
		case PREVIOUS_LOG:
			manifest->previous_log = read_varint(&edit);
			break;
		case NEXT_FILE:
		case LAST_SEQUENCE:
			read_varint(&edit);
			break;
		case COMPACT_POINTER:
			read_varint(&edit);
			skip_string(&edit);
			break;
		case DELETED_FILE:
			read_varint(&edit);
			number = read_varint(&edit);
			if (!edit.bad && !adds)
				drop_table(manifest, number);
			break;
		case NEW_FILE:
			read_varint(&edit);
			number = read_varint(&edit);
			read_varint(&edit);
			skip_string(&edit);
			skip_string(&edit);
			if (!edit.bad && adds && !add_table(manifest, number))
				return RC_NO_MEMORY;
			break;
		default:
			return RC_CORRUPT; /* of a later LevelDB */
		}
	}
	return edit.bad ? RC_CORRUPT : RC_OK;
}

/* ---- the manifest ---- */

static enum rc read_file(int dir, const char *name, struct buf *ret_bytes)
{
	struct stat st;
	ssize_t got = 0;
	enum rc rc = RC_OK;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rc_of_errno(errno);
	if (fstat(fd, &st) < 0)
		rc = rc_of_errno(errno);
	else if (!buf_reserve(ret_bytes, (size_t)st.st_size + 1))
		rc = RC_NO_MEMORY;
	while (!rc && ret_bytes->len < (size_t)st.st_size &&
	       (got = pread(fd, ret_bytes->data + ret_bytes->len, (size_t)st.st_size - ret_bytes->len, (off_t)ret_bytes->len)) > 0)
		ret_bytes->len += (size_t)got;
	if (!rc && got < 0)
		rc = rc_of_errno(errno);
	close(fd);
	return rc;
}

static bool fits(const uint32_t table[256], const uint8_t *header, size_t length)
{
	uint32_t crc = CRC_START;

	for (size_t i = 0; i <= length; i++)
		crc = crc_step(table, crc, header[HEADER - 1 + i]);
	return crc_stored(crc) == (header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24);
}

static enum rc read_edits(const struct buf *file, struct manifest *manifest)
{
	static const unsigned wanted = 1u << COMPARATOR | 1u << LOG_NUMBER | 1u << NEXT_FILE | 1u << LAST_SEQUENCE;
	cleanup_buf struct buf record = {0};
	bool whole = true; /* at the end of one */
	uint32_t table[256];
	enum rc rc = RC_OK;

	crc_make_table(table);
	for (size_t at = 0; !rc && at < file->len;) {
		const uint8_t *header = file->data + at;
		size_t room = BLOCK - at % BLOCK, length;

		if (room < HEADER) {
			at += room;
			continue;
		}
		if (at + HEADER > file->len)
			return RC_CORRUPT;
		length = header[4] | (size_t)header[5] << 8;
		if (header[6] < FULL || header[6] > LAST || length > room - HEADER || at + HEADER + length > file->len ||
		    !fits(table, header, length) || whole != (header[6] == FULL || header[6] == FIRST))
			return RC_CORRUPT;
		whole = header[6] == FULL || header[6] == LAST;
		if (header[6] == FULL || header[6] == FIRST)
			buf_clear(&record);
		buf_add(&record, header + HEADER, length);
		at += HEADER + length;
		if (record.failed)
			rc = RC_NO_MEMORY;
		else if (whole)
			rc = apply(&record, manifest, false);
		if (!rc && whole)
			rc = apply(&record, manifest, true);
	}
	return rc ? rc : whole && (manifest->said & wanted) == wanted ? RC_OK : RC_CORRUPT;
}

enum rc manifest_read(int dir, struct manifest *ret_manifest)
{
	cleanup_buf struct buf current = {0}, bytes = {0};
	struct manifest manifest = {0};
	char *name;
	enum rc rc = read_file(dir, "CURRENT", &current);

	if (rc)
		return rc;
	buf_add_byte(&current, 0);
	if (current.failed)
		return RC_NO_MEMORY;
	name = (char *)current.data;
	name[strcspn(name, "\n")] = 0;
	if (strncmp(name, "MANIFEST-", 9) != 0 || strchr(name, '/'))
		return RC_CORRUPT;
	rc = read_file(dir, name, &bytes);
	if (!rc)
		rc = read_edits(&bytes, &manifest);
	if (rc)
		free(manifest.tables);
	else
		*ret_manifest = manifest;
	return rc;
}

void manifest_free(struct manifest *manifest)
{
	free(manifest->tables);
	*manifest = (struct manifest){0};
}

bool manifest_counts(const struct manifest *manifest, uint64_t table)
{
	for (size_t i = 0; i < manifest->n; i++) {
		if (manifest->tables[i] == table)
			return true;
	}
	return false;
}

bool manifest_needs_log(const struct manifest *manifest, uint64_t log)
{
	return log >= manifest->log || log == manifest->previous_log;
}

bool table_number(const char *name, uint64_t *ret_number)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || digits > 19 || (strcmp(name + digits, ".ldb") != 0 && strcmp(name + digits, ".sst") != 0))
		return false;
	*ret_number = strtoull(name, NULL, 10);
	return true;
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

bool manifest_is_latest(const struct manifest *manifest, int dir)
{
	char name[32];

	logs_name(manifest->log, name);
	if (!is_there(dir, name))
		return false;
	for (size_t i = 0; i < manifest->n; i++) {
		bool found = false;

		for (int sst = 0; sst < 2 && !found; sst++) {
			snprintf(name, sizeof(name), "%06llu.%s", (unsigned long long)manifest->tables[i], sst ? "sst" : "ldb");
			found = is_there(dir, name);
		}
		if (!found)
			return false;
	}
	return true;
}
