/* check_volume: the rows of the volume itself (id 0), and rows that belong to nothing. */
#include "index/check_private.h"
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 5 };

static enum rc check_record(struct check *check)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_volume(&row);
	enum rc rc = check_get(check, &row, &value);
	if (check_fatal(rc))
		return rc;
	check->record_sound = !rc && !volume_read(value.data, value.len, &check->record);
	if (!check->record_sound)
		check_problem(check, "the volume row %s", rc == RC_NOT_FOUND ? "is missing" : "cannot be read");
	return RC_OK;
}

static enum rc check_root(struct check *check)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct meta meta;
	row_root(&row);
	enum rc rc = check_get(check, &row, &value);
	if (check_fatal(rc))
		return rc;
	struct row_reader reader = {value.data, value.data + value.len, false};
	row_read_meta(&reader, &meta);
	if (rc || reader.bad || reader.at != reader.end)
		check_problem(check, "the root directory's row %s",
			      rc == RC_NOT_FOUND ? "is missing" : "cannot be read");
	return RC_OK;
}

enum rc check_table_add(struct check *check, const char *name, size_t n, uint32_t id)
{
	if (check->count == check->cap) {
		size_t cap = check->cap ? check->cap * 2 : 16;
		struct check_name *grown = realloc(check->tables, cap * sizeof *grown);
		if (!grown)
			return RC_NO_MEMORY;
		check->tables = grown;
		check->cap = cap;
	}
	struct check_name *added = &check->tables[check->count++];
	*added = (struct check_name){.id = id};
	memcpy(added->name, name, n);
	return RC_OK;
}

const struct check_name *check_table_of(const struct check *check, uint32_t id)
{
	for (size_t i = 0; i < check->count; i++)
		if (check->tables[i].id == id)
			return &check->tables[i];
	return NULL;
}

static enum rc check_catalog_row(void *context, const struct check_row *row)
{
	struct check *check = context;
	cleanup_buf struct buf words = {0};
	const char *name = (const char *)row->key + PREFIX;
	size_t name_n = row->n - PREFIX;
	struct row_reader reader = {row->value, row->value + row->value_n, false};
	uint32_t id = row_read_u32(&reader);
	bool dead = false;
	check_add_escaped(&words, name, name_n);
	buf_add_byte(&words, 0);
	if (words.failed)
		return RC_NO_MEMORY;
	if (schema_table_name(name, name_n, NULL)) {
		check_problem(check, "catalogue: \"%s\" is not a table's name", (char *)words.data);
		return RC_OK;
	}
	if (reader.bad || reader.at != reader.end || !id) {
		check_problem(check, "%s: its row in the catalogue cannot be read", (char *)words.data);
		return RC_OK;
	}
	const struct check_name *other = check_table_of(check, id);
	if (other) {
		check_problem(check, "%s: has the same rows as table %s (id %u)", (char *)words.data, other->name, id);
		return RC_OK;
	}
	if (check->record_sound && id >= check->record.next_table)
		check_problem(check, "%s: its id %u was never given out", (char *)words.data, id);
	enum rc rc = check_is_dead(check, id, 0, &dead);
	if (!rc && dead)
		check_problem(check, "%s: its rows (id %u) are to be deleted", (char *)words.data, id);
	return rc ? rc : check_table_add(check, name, name_n, id);
}

static enum rc check_dead_row(void *context, const struct check_row *row)
{
	struct check *check = context;
	struct row_reader reader = {row->key, row->key + row->n, false};
	row_read_bytes(&reader, PREFIX);
	uint32_t table = row_read_u32(&reader);
	bool of_index = reader.at != reader.end;
	uint32_t index = of_index ? row_read_u32(&reader) : 0;
	if (reader.bad || reader.at != reader.end || !table || (of_index && !index) || row->value_n)
		check_problem(check, "a row of what is to be deleted cannot be read");
	return RC_OK;
}

/* "rejected draft 12" or "line 12 of errors". */
static void say_own(void *context, const uint8_t *key, size_t n, const char *words)
{
	struct row_reader reader = {key, key + n, false};
	row_read_bytes(&reader, PREFIX);
	uint64_t id = row_read_u64(&reader);
	const char *what = row_letter(key, n) == 'E' ? "line of errors" : "rejected draft";
	if (reader.bad || reader.at != reader.end)
		check_problem(context, "%s: %s", what, words);
	else
		check_problem(context, "%s %llu: %s", what, (unsigned long long)id, words);
}

static bool own_id(struct check *check, const struct check_row *row)
{
	struct row_reader reader = {row->key, row->key + row->n, false};
	row_read_bytes(&reader, PREFIX);
	uint64_t id = row_read_u64(&reader);
	bool read = !reader.bad && reader.at == reader.end;
	if (!read)
		say_own(check, row->key, row->n, "its number cannot be read");
	else if (!id || (check->record_sound && id >= check->record.next_refusal))
		say_own(check, row->key, row->n, "its number was never given out");
	return read;
}

static enum rc check_refusal(void *context, const struct check_row *row)
{
	struct check *check = context;
	struct check_bytes bytes;
	cleanup_buf struct buf document = {0};
	if (!own_id(check, row))
		return RC_OK;
	return check_read(check, row, say_own, check, &bytes, &document);
}

static enum rc check_line(void *context, const struct check_row *row)
{
	struct check *check = context;
	cleanup_item struct item *item = NULL;
	if (!own_id(check, row))
		return RC_OK;
	struct row_reader reader = {row->value, row->value + row->value_n, false};
	row_read_u32(&reader);
	row_read_bytes(&reader, row_read_u32(&reader));
	enum rc rc = RC_REFUSED;
	if (!reader.bad && reader.at != reader.end)
		rc = item_parse(reader.at, (size_t)(reader.end - reader.at), &item, NULL);
	if (rc == RC_NO_MEMORY)
		return rc;
	if (rc)
		say_own(check, row->key, row->n, "cannot be read");
	return RC_OK;
}

static enum rc walk_letter(struct check *check, char letter, const char *what, check_fn *fn)
{
	cleanup_buf struct buf prefix = {0};
	buf_add_u32(&prefix, 0);
	buf_add_byte(&prefix, (uint8_t)letter);
	return check_walk(check, &prefix, what, fn, check);
}

enum rc check_own_rows(struct check *check)
{
	cleanup_buf struct buf bodies = {0};
	buf_add_u32(&bodies, 0);
	buf_add_byte(&bodies, 'S');
	enum rc rc = check_record(check);
	if (!rc)
		rc = check_root(check);
	if (!rc)
		rc = walk_letter(check, 'T', "the catalogue", check_catalog_row);
	if (!rc)
		rc = walk_letter(check, 'D', "what is to be deleted", check_dead_row);
	if (!rc)
		rc = walk_letter(check, 'R', "the rejected drafts", check_refusal);
	if (!rc)
		rc = check_bodies(check, &bodies, 'R', "the rejected drafts", say_own, check);
	if (!rc)
		rc = walk_letter(check, 'E', "the lines of errors", check_line);
	return rc;
}

/* Looks at one row that somebody may know, and says from where to look on. */
static enum rc check_stray(struct check *check, const uint8_t *key, size_t n, struct buf *next)
{
	cleanup_buf struct buf words = {0};
	struct row_reader reader = {key, key + n, false};
	uint32_t id = row_read_u32(&reader);
	uint8_t letter = row_letter(key, n);
	const struct check_name *table = check_table_of(check, id);
	bool dead = false;
	buf_clear(next);
	enum rc rc = id && !reader.bad && !table ? check_is_dead(check, id, 0, &dead) : RC_OK;
	if (rc)
		return rc;
	buf_add(next, key, n < PREFIX ? n : PREFIX);
	const char *letters = id ? "TCPHBFGUIJ" : "VMTDRSE";
	bool single = id ? letter == 'T' || letter == 'C' : letter == 'V' || letter == 'M';
	if (reader.bad || (!letter && (table || !id))) {
		check_problem(check, "%s: belongs to nothing", check_words(NULL, key, n, &words));
		buf_clear(next);
		buf_add(next, key, n);
		buf_add_byte(next, 0);
	} else if (id && !table) {
		if (!dead)
			check_problem(check, "rows of a table (id %u) that the catalogue does not name", id);
		next->len = 4;
		row_after(next);
	} else if (!strchr(letters, letter)) {
		check_problem(check, "%s%s%s: belongs to nothing", table ? table->name : "", table ? ": " : "",
			      check_words(NULL, key, n, &words));
		row_after(next);
	} else if (single && n == PREFIX) {
		buf_add_byte(next, 0);
	} else {
		if (single)
			check_problem(check, "%s: belongs to nothing", check_words(NULL, key, n, &words));
		row_after(next);
	}
	return next->failed ? RC_NO_MEMORY : RC_OK;
}

enum rc check_strays(struct check *check)
{
	struct store_cursor *cursor = NULL;
	cleanup_buf struct buf next = {0};
	enum rc rc = store_cursor_open(check->store, check->at, "", 0, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, &cursor);
	enum rc step = rc ? rc : store_cursor_next(cursor);
	while (!rc && !step) {
		size_t n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		rc = check_stray(check, key, n, &next);
		if (!next.len) /* past the last table there can be */
			break;
		if (!rc)
			step = store_cursor_seek(cursor, next.data, next.len);
	}
	store_cursor_close(cursor);
	if (!rc && step == RC_CORRUPT)
		check_problem(check, "rows cannot be read: the bytes on the disk are damaged");
	return rc ? rc : check_fatal(step) ? step : RC_OK;
}
