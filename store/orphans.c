/* orphans: see orphans.h. A manifest is a log (log_check.h) whose records are edits: a list of fields, each a number that says what it is, then its values: varints, and strings with their length. */
#include "store/orphans.h"
#include "store/model/buf.h"
#include "store/oserror.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 32768, HEADER = 7, FULL = 1, FIRST, MIDDLE, LAST };
enum field { COMPARATOR = 1, LOG_NUMBER, NEXT_FILE, LAST_SEQUENCE, COMPACT_POINTER, DELETED_FILE, NEW_FILE, PREVIOUS_LOG = 9 };

/* The tables that are counted; a number may come and go several times, by moves between levels. */
struct tables {
	uint64_t *numbers;
	size_t n, cap;
	unsigned said; /* which fields there were, a bit each */
};

static bool add_table(struct tables *tables, uint64_t number)
{
	if (tables->n == tables->cap) {
		size_t cap = tables->cap ? 2 * tables->cap : 64;
		uint64_t *more = realloc(tables->numbers, cap * sizeof(*more));

		if (!more)
			return false;
		tables->numbers = more;
		tables->cap = cap;
	}
	tables->numbers[tables->n++] = number;
	return true;
}

static void drop_table(struct tables *tables, uint64_t number)
{
	for (size_t i = 0; i < tables->n; i++) {
		if (tables->numbers[i] == number) {
			tables->numbers[i] = tables->numbers[--tables->n];
			return;
		}
	}
}

static bool has_table(const struct tables *tables, uint64_t number)
{
	for (size_t i = 0; i < tables->n; i++)
		if (tables->numbers[i] == number)
			return true;
	return false;
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
static enum rc apply(const struct buf *record, struct tables *tables, bool adds)
{
	struct edit edit = {record->data, record->data + record->len, false};
	uint64_t number;

	while (!edit.bad && edit.at < edit.end) {
		uint64_t field = read_varint(&edit);

		tables->said |= field < 32 ? 1u << field : 0;
		switch (field) {
		case COMPARATOR:
			skip_string(&edit);
			break;
		case LOG_NUMBER:
		case NEXT_FILE:
		case LAST_SEQUENCE:
		case PREVIOUS_LOG:
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
				drop_table(tables, number);
			break;
		case NEW_FILE:
			read_varint(&edit);
			number = read_varint(&edit);
			read_varint(&edit);
			skip_string(&edit);
			skip_string(&edit);
			if (!edit.bad && adds && !add_table(tables, number))
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

static enum rc read_edits(const struct buf *file, struct tables *tables)
{
	static const unsigned wanted = 1u << COMPARATOR | 1u << LOG_NUMBER | 1u << NEXT_FILE | 1u << LAST_SEQUENCE;
	cleanup_buf struct buf record = {0};
	bool whole = true; /* at the end of one */
	enum rc rc = RC_OK;

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
		if (header[6] < FULL || header[6] > LAST || length > room - HEADER || at + HEADER + length > file->len)
			return RC_CORRUPT;
		whole = header[6] == FULL || header[6] == LAST;
		if (header[6] == FULL || header[6] == FIRST)
			buf_clear(&record);
		buf_add(&record, header + HEADER, length);
		at += HEADER + length;
		if (record.failed)
			rc = RC_NO_MEMORY;
		else if (whole)
			rc = apply(&record, tables, false);
		if (!rc && whole)
			rc = apply(&record, tables, true);
	}
	return rc ? rc : whole && (tables->said & wanted) == wanted ? RC_OK : RC_CORRUPT;
}

static enum rc counted_tables(int dir, struct tables *tables)
{
	cleanup_buf struct buf current = {0}, manifest = {0};
	enum rc rc = read_file(dir, "CURRENT", &current);

	if (rc)
		return rc;
	buf_add_byte(&current, 0);
	if (current.failed)
		return RC_NO_MEMORY;
	current.data[strcspn((char *)current.data, "\n")] = 0;
	if (strncmp((char *)current.data, "MANIFEST-", 9) != 0 || strchr((char *)current.data, '/'))
		return RC_CORRUPT;
	rc = read_file(dir, (char *)current.data, &manifest);
	return rc ? rc : read_edits(&manifest, tables);
}

/* ---- the directory ---- */

static bool table_number(const char *name, uint64_t *ret_number)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || digits > 19 || (strcmp(name + digits, ".ldb") != 0 && strcmp(name + digits, ".sst") != 0))
		return false;
	*ret_number = strtoull(name, NULL, 10);
	return true;
}

static enum rc walk(int dir, const struct tables *tables, bool remove, uint64_t *bytes)
{
	struct dirent *entry;
	uint64_t number;
	struct stat st;
	enum rc rc = RC_OK;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing) {
		rc = rc_of_errno(errno);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while ((entry = readdir(listing))) {
		if (!table_number(entry->d_name, &number) || has_table(tables, number))
			continue;
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*bytes += (uint64_t)st.st_blocks * 512;
		if (remove && unlinkat(dir, entry->d_name, 0) < 0 && errno != ENOENT)
			rc = rc_of_errno(errno);
	}
	closedir(listing);
	return rc;
}

static enum rc orphans(int dir, bool remove, uint64_t *bytes)
{
	struct tables tables = {0};
	enum rc rc = counted_tables(dir, &tables);

	if (!rc)
		rc = walk(dir, &tables, remove, bytes);
	free(tables.numbers);
	return rc;
}

enum rc orphans_bytes(int dir, uint64_t *ret_bytes)
{
	*ret_bytes = 0;
	return orphans(dir, false, ret_bytes);
}

enum rc orphans_remove(int dir)
{
	uint64_t bytes = 0;

	return orphans(dir, true, &bytes);
}
