/* check: see check.h. Here is how rows are reached; what must hold of them is in check_volume.c, check_table.c and check_index.c. */
#include "index/check_private.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LETTER = 4 };

void check_problem(struct check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(check->out, format, args);
	va_end(args);
	fputc('\n', check->out);
	check->problems++;
}

void check_row_problem(struct check_table *table, const uint8_t *key, size_t n, const char *format, ...)
{
	cleanup_buf struct buf words = {0};
	va_list args;
	fprintf(table->check->out, "%s: %s: ", table->name, check_words(table->schema, key, n, &words));
	va_start(args, format);
	vfprintf(table->check->out, format, args);
	va_end(args);
	fputc('\n', table->check->out);
	table->check->problems++;
}

enum rc check_get(struct check *check, const struct buf *key, struct buf *ret_value)
{
	if (key->failed)
		return RC_NO_MEMORY;
	enum rc rc = store_get(check->store, check->at, key->data, key->len, ret_value);
	return !rc && ret_value->failed ? RC_NO_MEMORY : rc;
}

enum rc check_is_there(struct check *check, const struct buf *key, bool *ret_there)
{
	cleanup_buf struct buf value = {0};
	enum rc rc = check_get(check, key, &value);
	*ret_there = rc != RC_NOT_FOUND;
	return check_fatal(rc) ? rc : RC_OK;
}

enum rc check_is_dead(struct check *check, uint32_t table, uint32_t index, bool *ret_dead)
{
	cleanup_buf struct buf row = {0};
	row_dead(&row, table, index);
	return check_is_there(check, &row, ret_dead);
}

static enum rc open_range(struct check *check, const struct buf *prefix, struct store_cursor **ret_cursor)
{
	cleanup_buf struct buf high = {0};
	buf_add(&high, prefix->data, prefix->len);
	row_after(&high);
	if (!high.len) /* no end: past every table's */
		buf_add(&high, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	if (prefix->failed || high.failed)
		return RC_NO_MEMORY;
	return store_cursor_open(check->store, check->at, prefix->data ? (const void *)prefix->data : "", prefix->len,
				 high.data, high.len, ret_cursor);
}

/* The end of a walk: the last row, or what cannot be read. */
static enum rc end_of_walk(struct check *check, enum rc rc, const char *what)
{
	if (rc == RC_CORRUPT)
		check_problem(check, "%s: cannot be read: the bytes on the disk are damaged", what);
	return check_fatal(rc) ? rc : RC_OK;
}

enum rc check_walk(struct check *check, const struct buf *prefix, const char *what, check_fn *fn, void *context)
{
	struct store_cursor *cursor = NULL;
	enum rc rc = open_range(check, prefix, &cursor), done = RC_OK;
	while (!rc && !done && !(rc = store_cursor_next(cursor))) {
		struct check_row row;
		row.key = store_cursor_key(cursor, &row.n);
		row.value = store_cursor_value(cursor, &row.value_n);
		done = fn(context, &row);
	}
	store_cursor_close(cursor);
	return done ? done : end_of_walk(check, rc, what);
}

enum rc check_next_number(struct check *check, const struct buf *prefix, uint32_t from, const char *what,
			  uint32_t *ret_number)
{
	struct store_cursor *cursor = NULL;
	cleanup_buf struct buf low = {0};
	bool found = false;
	buf_add(&low, prefix->data, prefix->len);
	buf_add_u32(&low, from);
	enum rc rc = low.failed ? RC_NO_MEMORY : open_range(check, prefix, &cursor);
	if (!rc)
		rc = store_cursor_seek(cursor, low.data, low.len);
	while (!rc && !found) {
		size_t n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		struct row_reader reader = {key, key + n, false};
		row_read_bytes(&reader, prefix->len);
		uint32_t number = row_read_u32(&reader);
		if (reader.bad) {
			check_problem(check, "%s: a row whose key is too short", what);
			rc = store_cursor_next(cursor);
		} else {
			*ret_number = number;
			found = true;
		}
	}
	store_cursor_close(cursor);
	if (!found && rc != RC_NOT_FOUND)
		rc = end_of_walk(check, rc, what);
	return found ? RC_OK : rc ? rc : RC_NOT_FOUND;
}

static void body_of(const struct check_row *row, struct buf *ret_key)
{
	buf_add(ret_key, row->key, row->n);
	if (!ret_key->failed)
		ret_key->data[LETTER] = row->key[LETTER] == 'H' ? 'B' : (uint8_t)(row->key[LETTER] + 1);
}

static enum rc read_body(struct check *check, const struct check_row *row, check_say *say, void *context,
			 struct check_bytes *bytes, struct buf *ret_document)
{
	cleanup_buf struct buf key = {0};
	char words[128];
	body_of(row, &key);
	enum rc rc = check_get(check, &key, ret_document);
	bytes->sound = !rc && ret_document->len == bytes->head.size;
	if (check_fatal(rc) || bytes->sound)
		return rc;
	if (rc == RC_NOT_FOUND)
		snprintf(words, sizeof words, "its %u bytes are missing", bytes->head.size);
	else if (rc)
		snprintf(words, sizeof words, "its bytes on the disk are damaged");
	else
		snprintf(words, sizeof words, "it has %zu bytes, and its head says %u", ret_document->len,
			 bytes->head.size);
	if (say)
		say(context, row->key, row->n, words);
	return RC_OK;
}

enum rc check_read(struct check *check, const struct check_row *row, check_say *say, void *context,
		   struct check_bytes *ret_bytes, struct buf *ret_document)
{
	const uint8_t *in;
	*ret_bytes = (struct check_bytes){.sound = false};
	buf_clear(ret_document);
	if (head_read(row->value, row->value_n, &ret_bytes->head, &in)) {
		if (say)
			say(context, row->key, row->n, "its head cannot be read");
		return RC_OK;
	}
	ret_bytes->head_sound = true;
	const struct head *head = &ret_bytes->head;
	if (say && check->record_sound &&
	    (head->birth > check->record.sequence || head->version > check->record.sequence))
		say(context, row->key, row->n, "it is of a commit that the volume never made");
	if (!in)
		return read_body(check, row, say, context, ret_bytes, ret_document);
	buf_add(ret_document, in, head->size);
	ret_bytes->sound = true;
	return ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

struct bodies {
	struct check *check;
	char head_letter;
	check_say *say;
	void *context;
};

static enum rc check_body(void *context, const struct check_row *row)
{
	struct bodies *b = context;
	cleanup_buf struct buf key = {0}, value = {0};
	struct head head;
	const uint8_t *in;
	buf_add(&key, row->key, row->n);
	if (!key.failed)
		key.data[LETTER] = (uint8_t)b->head_letter;
	enum rc rc = check_get(b->check, &key, &value);
	if (rc == RC_NOT_FOUND)
		b->say(b->context, row->key, row->n, "bytes that belong to no head");
	else if (!rc && !head_read(value.data, value.len, &head, &in) && in)
		b->say(b->context, row->key, row->n, "bytes beside those that its head holds");
	return check_fatal(rc) ? rc : RC_OK;
}

enum rc check_bodies(struct check *check, const struct buf *prefix, char head_letter, const char *what, check_say *say,
		     void *context)
{
	struct bodies bodies = {check, head_letter, say, context};
	return check_walk(check, prefix, what, check_body, &bodies);
}

enum rc check_volume(struct volume *volume, FILE *out, bool verbose, unsigned long *ret_problems)
{
	struct store_snapshot *snapshot = NULL;
	enum rc rc = store_snapshot_take(volume->store, &snapshot);
	if (rc)
		return rc;
	struct check check = {.store = volume->store, .at = snapshot, .out = out, .verbose = verbose};
	rc = check_own_rows(&check);
	for (size_t i = 0; i < check.count && !rc; i++)
		rc = check_table(&check, check.tables[i].name, check.tables[i].id);
	if (!rc)
		rc = check_strays(&check);
	store_snapshot_release(volume->store, snapshot);
	free(check.tables);
	if (!rc)
		*ret_problems = check.problems;
	return rc;
}
