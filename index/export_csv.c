/* export_csv: the columns of a CSV, and its lines.
 *
 * One pass gathers the names of all attributes, and with them the size: each line has the fields' bytes, a comma between each two columns and CR LF,
 * so the sum can be told at the end though the number of columns was not known before. A second pass writes the lines. Memory: the names, and one
 * line.
 */
#include "index/export_private.h"
#include <stdlib.h>
#include <string.h>

enum { HINTS = sizeof((struct export_row *)0)->hint / sizeof *((struct export_row *)0)->hint };

static int compare(const struct buf *a, const char *name, size_t n)
{
	size_t least = a->len < n ? a->len : n;
	int order = least ? memcmp(a->data, name, least) : 0;
	return order ? order : (a->len > n) - (a->len < n);
}

/* Where the name stands among names[from…to), which are in order, or where it belongs. */
static size_t search(const struct buf *names, size_t from, size_t to, const char *name, size_t n, bool *ret_found)
{
	*ret_found = false;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = compare(&names[middle], name, n);
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* ---- gathering ---- */

struct export_gather {
	struct export *export;
	struct buf *names; /* the keys', then the others' in order */
	size_t count;
	size_t name_bytes;
	uint64_t lines, bytes; /* of all fields, commas not counted */
	struct buf field;
};

static enum rc add_name(struct export_gather *g, size_t at, const char *name, size_t n, struct why *why)
{
	if (g->count == EXPORT_COLUMNS_MAX || g->name_bytes + n > EXPORT_NAMES_MAX)
		return why_set(why, RC_TOO_BIG, "the items have more than %d different attributes, or their names more than %d bytes: too many for the columns of one CSV; "
			       "items.jsonl has no such bound", EXPORT_COLUMNS_MAX, EXPORT_NAMES_MAX);
	memmove(&g->names[at + 1], &g->names[at], (g->count - at) * sizeof *g->names);
	g->names[at] = (struct buf){0};
	g->count++;
	g->name_bytes += n;
	buf_add(&g->names[at], name, n);
	return g->names[at].failed ? RC_NO_MEMORY : RC_OK;
}

enum rc export_gather_begin(struct export *e, struct export_gather **ret_gather)
{
	struct export_gather *g = calloc(1, sizeof *g);
	enum rc rc = RC_OK;
	*ret_gather = g;
	if (!g || !(g->names = calloc(EXPORT_COLUMNS_MAX, sizeof *g->names)))
		return RC_NO_MEMORY;
	g->export = e;
	for (size_t i = 0; i < e->keys && !rc; i++)
		rc = add_name(g, i, (const char *)e->key[i].name.data, e->key[i].name.len, NULL);
	return rc;
}

enum rc export_gather_line(struct export_gather *g, const struct listing_entry *entry, struct why *why)
{
	struct export *e = g->export;
	enum rc rc = RC_OK;
	g->lines++;
	buf_clear(&g->field);
	for (size_t i = 0; i < e->keys && !rc; i++)
		rc = export_add_key(e, entry, i, RECAST_FIELD, &g->field);
	recast_begin(&e->recast, e->document.data, e->document.len);
	for (size_t nth = 0; !rc && !(rc = recast_next(&e->recast)); nth++) {
		const char *name = e->recast.name;
		size_t n = e->recast.name_len, hint = nth < HINTS ? e->row.hint[nth] : 0;
		bool found = hint >= e->keys && hint < g->count && compare(&g->names[hint], name, n) == 0;
		if (!found && export_is_key(e, name, n)) {
			rc = recast_skip(&e->recast);
			continue;
		}
		size_t at = found ? hint : search(g->names, e->keys, g->count, name, n, &found);
		if (!found)
			rc = add_name(g, at, name, n, why);
		if (nth < HINTS)
			e->row.hint[nth] = (uint16_t)at;
		if (!rc)
			rc = recast_value(&e->recast, RECAST_FIELD, &g->field);
	}
	g->bytes += g->field.len;
	if (g->field.failed)
		return RC_NO_MEMORY;
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc export_gather_end(struct export_gather *g, struct export_extent *extent)
{
	buf_clear(&g->field);
	for (size_t i = 0; i < g->count; i++)
		recast_add_field(&g->field, g->names[i].data, g->names[i].len);
	if (g->field.failed)
		return RC_NO_MEMORY;
	extent->size = g->field.len + g->bytes + (g->lines + 1) * (g->count - 1 + 2);
	extent->names = g->names;
	extent->columns = g->count;
	g->names = NULL;
	g->count = 0;
	return RC_OK;
}

void export_gather_free(struct export_gather *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->count; i++)
		buf_free(&g->names[i]);
	free(g->names);
	buf_free(&g->field);
	free(g);
}

/* ---- lines ---- */

void export_row_free(struct export_row *row)
{
	free(row->field);
	buf_free(&row->fields);
	*row = (struct export_row){.field = NULL};
}

enum rc export_csv_names(struct export *e, struct buf *out)
{
	if (!e->extent)
		return RC_INVALID;
	if (!e->row.field && !(e->row.field = calloc(e->extent->columns, sizeof *e->row.field)))
		return RC_NO_MEMORY;
	for (size_t i = 0; i < e->extent->columns; i++) {
		if (i)
			buf_add_byte(out, ',');
		recast_add_field(out, e->extent->names[i].data, e->extent->names[i].len);
	}
	buf_add(out, "\r\n", 2);
	return RC_OK;
}

/* The column of the nth attribute; RC_CORRUPT: it is none of those that the pass found. */
static enum rc find_column(struct export *e, size_t nth, size_t *ret_column)
{
	const struct export_extent *extent = e->extent;
	const char *name = e->recast.name;
	size_t n = e->recast.name_len, hint = nth < HINTS ? e->row.hint[nth] : 0;
	bool found = hint >= e->keys && hint < extent->columns && compare(&extent->names[hint], name, n) == 0;
	*ret_column = found ? hint : search(extent->names, e->keys, extent->columns, name, n, &found);
	if (nth < HINTS)
		e->row.hint[nth] = (uint16_t)*ret_column;
	return found ? RC_OK : RC_CORRUPT;
}

static enum rc gather_fields(struct export *e)
{
	struct export_row *row = &e->row;
	enum rc rc = RC_OK;
	row->line++;
	buf_clear(&row->fields);
	recast_begin(&e->recast, e->document.data, e->document.len);
	for (size_t nth = 0, column; !rc && !(rc = recast_next(&e->recast)); nth++) {
		if (export_is_key(e, e->recast.name, e->recast.name_len)) {
			rc = recast_skip(&e->recast);
			continue;
		}
		rc = find_column(e, nth, &column);
		if (rc)
			return rc;
		struct export_field *field = &row->field[column];
		field->line = row->line;
		field->start = row->fields.len;
		rc = recast_value(&e->recast, RECAST_FIELD, &row->fields);
		field->end = row->fields.len;
	}
	if (row->fields.failed)
		return RC_NO_MEMORY;
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc export_csv_line(struct export *e, const struct listing_entry *entry, struct buf *out)
{
	enum rc rc = gather_fields(e);
	for (size_t i = 0; i < e->extent->columns && !rc; i++) {
		const struct export_field *field = &e->row.field[i];
		if (i)
			buf_add_byte(out, ',');
		if (i < e->keys)
			rc = export_add_key(e, entry, i, RECAST_FIELD, out);
		else if (field->line == e->row.line)
			buf_add(out, e->row.fields.data + field->start, field->end - field->start);
	}
	buf_add(out, "\r\n", 2);
	return rc;
}
