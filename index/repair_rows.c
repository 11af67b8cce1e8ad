/* repair_rows: the rows of the volume itself (id 0): which tables there are and under which names, rejected drafts, lines of errors, the counters at
 * the end. Tables are repair_table.c. */
#include "index/repair_private.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX = 5 };

/* Walks what begins with `prefix`; what cannot be read ends the repair, as the store was made readable before. */
static enum rc walk(struct repair *r, uint32_t id, const char *letters, check_fn *fn)
{
	cleanup_buf struct buf prefix = {0};
	buf_add_u32(&prefix, id);
	buf_add_text(&prefix, letters);
	enum rc rc = check_walk(&r->from, &prefix, "the volume", fn, r);
	return rc ? rc : r->from.problems ? RC_CORRUPT : RC_OK;
}

/* ---- which tables there are ---- */

static bool is_taken(const struct repair *r, const char *name)
{
	for (size_t i = 0; i < r->from.count; i++)
		if (strcmp(r->from.tables[i].name, name) == 0)
			return true;
	return false;
}

static enum rc catalog_row(void *context, const struct check_row *row)
{
	struct repair *r = context;
	cleanup_buf struct buf words = {0};
	const char *name = (const char *)row->key + PREFIX;
	size_t n = row->n - PREFIX;
	struct row_reader reader = {row->value, row->value + row->value_n, false};
	uint32_t id = row_read_u32(&reader);
	bool sound = !reader.bad && reader.at == reader.end && id && !schema_table_name(name, n, NULL);
	if (sound && !check_table_of(&r->from, id))
		return check_table_add(&r->from, name, n, id);
	buf_add_text(&words, "the catalogue's row of ");
	check_add_escaped(&words, name, n);
	buf_add_byte(&words, 0);
	if (words.failed)
		return RC_NO_MEMORY;
	return repair_keep(r, (char *)words.data, sound ? "its table has another name already" : "is no table's", row->value, row->value_n);
}

/* Whether there is anything in the table that people put there. */
static enum rc holds_something(struct repair *r, uint32_t id, bool *ret_holds)
{
	static const char letters[] = "HBFGP";
	*ret_holds = false;
	for (size_t i = 0; letters[i] && !*ret_holds; i++) {
		cleanup_buf struct buf low = {0}, high = {0};
		struct store_cursor *cursor = NULL;
		buf_add_u32(&low, id);
		buf_add_byte(&low, (uint8_t)letters[i]);
		buf_add(&high, low.data, low.len);
		row_after(&high);
		enum rc rc = rows_cursor(r->from.store, NULL, &low, &high, &cursor);
		if (!rc)
			rc = store_cursor_next(cursor);
		store_cursor_close(cursor);
		if (rc && rc != RC_NOT_FOUND)
			return rc;
		*ret_holds = !rc;
	}
	return RC_OK;
}

/* A table of which the catalogue does not know. */
static enum rc nameless(struct repair *r, uint32_t id)
{
	char name[64];
	bool dead = false, holds = false;
	enum rc rc = check_is_dead(&r->from, id, 0, &dead);
	if (!rc && !dead)
		rc = holds_something(r, id, &holds);
	if (rc || !holds)
		return rc;
	snprintf(name, sizeof name, "recovered-%u", id);
	for (unsigned n = 2; is_taken(r, name); n++)
		snprintf(name, sizeof name, "recovered-%u-%u", id, n);
	repair_say(r, "%s: a table whose name is lost: it may be one that was removed", name);
	return check_table_add(&r->from, name, strlen(name), id);
}

static enum rc find_tables(struct repair *r)
{
	cleanup_buf struct buf none = {0};
	enum rc rc = walk(r, 0, "T", catalog_row);
	uint32_t id = 1;
	while (!rc && !(rc = check_next_number(&r->from, &none, id, "the volume", &id))) {
		if (id >= r->next_table)
			r->next_table = id < UINT32_MAX ? id + 1 : id;
		if (!check_table_of(&r->from, id))
			rc = nameless(r, id);
		if (id++ == UINT32_MAX)
			break;
	}
	for (size_t i = 0; i < r->from.count; i++)
		if (r->from.tables[i].id >= r->next_table && r->from.tables[i].id < UINT32_MAX)
			r->next_table = r->from.tables[i].id + 1;
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- what was refused ---- */

static bool refusal_id(struct repair *r, const struct check_row *row)
{
	struct row_reader reader = {row->key, row->key + row->n, false};
	row_read_bytes(&reader, PREFIX);
	uint64_t id = row_read_u64(&reader);
	bool sound = !reader.bad && reader.at == reader.end && id && id < UINT64_MAX;
	if (sound && id >= r->next_refusal)
		r->next_refusal = id + 1;
	return sound;
}

static enum rc draft_row(void *context, const struct check_row *row)
{
	struct repair *r = context;
	struct check_bytes bytes;
	cleanup_buf struct buf document = {0}, key = {0};
	bool known = refusal_id(r, row);
	enum rc rc = check_read(&r->from, row, NULL, NULL, &bytes, &document);
	if (rc)
		return rc;
	if (!known || !bytes.sound)
		return repair_keep(r, "a rejected draft", "is not whole", row->value, row->value_n);
	repair_saw(r, bytes.head.version);
	buf_add(&key, row->key, row->n);
	return repair_put_image(r, &key, &bytes.head, document.data);
}

static enum rc line_row(void *context, const struct check_row *row)
{
	struct repair *r = context;
	cleanup_item struct item *item = NULL;
	cleanup_buf struct buf key = {0};
	struct row_reader reader = {row->value, row->value + row->value_n, false};
	bool known = refusal_id(r, row);
	row_read_u32(&reader);
	row_read_bytes(&reader, row_read_u32(&reader));
	enum rc rc = RC_REFUSED;
	if (known && !reader.bad && reader.at != reader.end)
		rc = item_parse(reader.at, (size_t)(reader.end - reader.at), &item, NULL);
	if (rc == RC_NO_MEMORY)
		return rc;
	if (rc)
		return repair_keep(r, "a line of errors", "cannot be read", row->value, row->value_n);
	buf_add(&key, row->key, row->n);
	return repair_put(r, &key, row->value, row->value_n);
}

/* ---- the volume ---- */

static enum rc read_volume(struct repair *r, struct why *why)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct volume_record record = {0};
	row_volume(&row);
	enum rc rc = check_get(&r->from, &row, &value);
	if (check_fatal(rc))
		return rc;
	if (!rc)
		rc = volume_read(value.data, value.len, &record);
	if (rc == RC_UNSUPPORTED)
		return why_set(why, rc, "the volume has format %u; this itemfs knows those up to %u", record.format, ROW_FORMAT);
	if (rc) {
		repair_say(r, "the volume's own row is lost: it is made anew");
		return RC_OK;
	}
	r->next_table = record.next_table;
	r->next_refusal = record.next_refusal ? record.next_refusal : 1;
	repair_saw(r, record.sequence);
	return RC_OK;
}

static enum rc write_root(struct repair *r)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct meta meta;
	row_root(&row);
	enum rc rc = check_get(&r->from, &row, &value);
	if (check_fatal(rc))
		return rc;
	struct row_reader reader = {value.data, value.data + value.len, false};
	row_read_meta(&reader, &meta);
	if (rc || reader.bad || reader.at != reader.end) {
		int64_t now = clock_now();
		meta = (struct meta){0755, geteuid(), getegid(), now, now, now};
		repair_say(r, "the root directory's times, mode and owner are lost");
	}
	buf_clear(&value);
	row_add_meta(&value, &meta);
	return value.failed ? RC_NO_MEMORY : repair_put(r, &row, value.data, value.len);
}

static enum rc write_catalog(struct repair *r)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; i < r->from.count && !rc; i++) {
		cleanup_buf struct buf row = {0}, value = {0};
		row_catalog(&row, r->from.tables[i].name);
		buf_add_u32(&value, r->from.tables[i].id);
		rc = value.failed ? RC_NO_MEMORY : repair_put(r, &row, value.data, value.len);
	}
	return rc;
}

static enum rc write_volume(struct repair *r)
{
	cleanup_buf struct buf row = {0}, value = {0};
	/* One more than was seen: what the damage took may have had the next ones, and somebody may remember them; a commit's number is also how the kernel's view is told from ours. */
	struct volume_record record = {ROW_FORMAT, r->next_table, r->next_refusal, r->sequence + 1};
	row_volume(&row);
	volume_write(&value, &record);
	return value.failed ? RC_NO_MEMORY : repair_put(r, &row, value.data, value.len);
}

enum rc repair_rows(struct repair *r, struct why *why)
{
	enum rc rc = read_volume(r, why);
	if (!rc)
		rc = write_root(r);
	if (!rc)
		rc = find_tables(r);
	if (!rc)
		rc = write_catalog(r);
	if (!rc)
		rc = walk(r, 0, "R", draft_row);
	if (!rc)
		rc = walk(r, 0, "E", line_row);
	for (size_t i = 0; i < r->from.count && !rc; i++)
		rc = repair_table(r, r->from.tables[i].name, r->from.tables[i].id);
	if (!rc)
		rc = write_volume(r);
	if (rc && why && !why->text[0])
		why_set(why, rc, "the repair broke off: %s", rc_name(rc));
	return rc;
}
