/* export: see export.h. From rows to lines; a CSV's columns are export_csv.c. */
#include "index/export_private.h"
#include "index/private.h"
#include <stdlib.h>
#include <string.h>

enum { STOP_EVERY = 1024 }; /* rows between two questions whether to stop */

/* ---- its life ---- */

static enum rc add_key(struct export *e, const struct schema_attribute *attribute)
{
	struct export_key *key = &e->key[e->keys++];
	buf_add(&key->name, attribute->name, attribute->name_len);
	buf_add_json_string(&key->token, attribute->name, attribute->name_len);
	return key->name.failed || key->token.failed ? RC_NO_MEMORY : RC_OK;
}

/* The names of the keys, in the order that a listing gives their values in; and which table's rows those are. Under the table's gate. */
static enum rc read_schema(struct export *e)
{
	const struct schema *schema = e->place.table->schema;
	struct entry_shape shape;
	enum rc rc = RC_OK;
	e->table_id = e->place.table->id;
	if (e->place.kind == LISTING_ITEMS) {
		rc = add_key(e, &schema->key.partition[0]);
		return !rc && schema_has_sort(schema) ? add_key(e, &schema->key.sort[0]) : rc;
	}
	const struct schema_index *index = schema_find_index(schema, e->place.index);
	if (!index)
		return RC_NOT_FOUND;
	e->index_id = index->id;
	entry_shape(schema, index, &shape);
	for (size_t i = 0; i < shape.count && !rc; i++)
		rc = add_key(e, shape.key[i]);
	return rc;
}

/* Whether what is read is still called what it was when the names were read. */
static bool same_rows(struct export *e)
{
	struct table *table = e->place.table;
	if (table_enter(table))
		return false;
	const struct schema_index *index = e->place.index ? schema_find_index(table->schema, e->place.index) : NULL;
	bool same = table->id == e->table_id && (!e->place.index || (index && index->id == e->index_id));
	table_leave(table);
	return same;
}

static enum rc copy_place(struct export *e, const struct listing_place *place)
{
	e->place = *place;
	e->place.table = table_ref(place->table);
	if (place->pk) {
		e->pk = *place->pk;
		e->place.pk = &e->pk;
	}
	e->place.index = NULL;
	if (place->kind == LISTING_ENTRIES && !(e->place.index = e->index = strdup(place->index)))
		return RC_NO_MEMORY;
	return RC_OK;
}

enum rc export_rewind(struct export *e)
{
	listing_close(e->listing);
	e->listing = NULL;
	e->begun = e->ended = false;
	e->lines = 0;
	e->failed = listing_open(e->volume, e->view, &e->place, &e->listing);
	if (!e->failed && !same_rows(e))
		e->failed = RC_STALE;
	return e->failed;
}

enum rc export_open(struct volume *volume, const struct view *view, const struct listing_place *place, enum export_format format,
		    struct export **ret_export)
{
	struct export *e = calloc(1, sizeof *e);
	if (!e)
		return RC_NO_MEMORY;
	e->volume = volume;
	e->view = view;
	e->format = format;
	enum rc rc = copy_place(e, place);
	if (!rc)
		rc = table_enter(e->place.table);
	if (!rc) {
		rc = read_schema(e);
		table_leave(e->place.table);
	}
	if (!rc)
		rc = export_rewind(e);
	if (rc) {
		export_close(e);
		return rc;
	}
	*ret_export = e;
	return RC_OK;
}

void export_close(struct export *e)
{
	if (!e)
		return;
	listing_close(e->listing);
	table_unref(e->place.table);
	export_extent_unref(e->extent);
	export_row_free(&e->row);
	for (size_t i = 0; i < e->keys; i++) {
		buf_free(&e->key[i].name);
		buf_free(&e->key[i].token);
	}
	recast_free(&e->recast);
	recast_free(&e->key_recast);
	buf_free(&e->document);
	buf_free(&e->key_text);
	free(e->index);
	free(e);
}

struct export_extent *export_extent_ref(struct export_extent *extent)
{
	__atomic_add_fetch(&extent->refs, 1, __ATOMIC_RELAXED);
	return extent;
}

void export_extent_unref(struct export_extent *extent)
{
	if (!extent || __atomic_sub_fetch(&extent->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < extent->columns; i++)
		buf_free(&extent->names[i]);
	free(extent->names);
	free(extent);
}

void export_use(struct export *e, struct export_extent *extent)
{
	export_extent_ref(extent);
	export_extent_unref(e->extent);
	e->extent = extent;
	export_row_free(&e->row);
}

uint64_t export_sequence(const struct export *e)
{
	const struct view *view = table_view(e->place.table, e->view);
	return view && view->exact ? view->written : 0;
}

/* ---- lines ---- */

static const struct key *key_value(const struct export *e, const struct listing_entry *entry, size_t i)
{
	if (e->place.kind == LISTING_ENTRIES)
		return &entry->keys[i];
	return i == 0 ? &entry->pk : &entry->key;
}

enum rc export_add_key(struct export *e, const struct listing_entry *entry, size_t i, enum recast_form form, struct buf *out)
{
	buf_clear(&e->key_text);
	key_json(key_value(e, entry, i), &e->key_text);
	if (e->key_text.failed)
		return RC_NO_MEMORY;
	recast_begin(&e->key_recast, e->key_text.data, e->key_text.len);
	return recast_value(&e->key_recast, form, out);
}

bool export_is_key(const struct export *e, const char *name, size_t n)
{
	for (size_t i = 0; i < e->keys; i++)
		if (e->key[i].name.len == n && memcmp(e->key[i].name.data, name, n) == 0)
			return true;
	return false;
}

/* {…}: the keys, then the rest. */
static enum rc add_object(struct export *e, const struct listing_entry *entry, enum recast_form form, struct buf *out)
{
	enum rc rc = RC_OK;
	buf_add_byte(out, '{');
	for (size_t i = 0; i < e->keys && !rc; i++) {
		if (i)
			buf_add_byte(out, ',');
		buf_add(out, e->key[i].token.data, e->key[i].token.len);
		buf_add_byte(out, ':');
		rc = export_add_key(e, entry, i, form, out);
	}
	recast_begin(&e->recast, e->document.data, e->document.len);
	while (!rc && !(rc = recast_next(&e->recast))) {
		if (export_is_key(e, e->recast.name, e->recast.name_len)) {
			rc = recast_skip(&e->recast);
			continue;
		}
		buf_add_byte(out, ',');
		buf_add(out, e->recast.token, e->recast.token_len);
		buf_add_byte(out, ':');
		rc = recast_value(&e->recast, form, out);
	}
	buf_add_byte(out, '}');
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc add_line(struct export *e, const struct listing_entry *entry, struct buf *out)
{
	enum rc rc;
	switch (e->format) {
	case EXPORT_JSONL:
		buf_add(out, "{\"Item\":", 8);
		rc = add_object(e, entry, RECAST_TYPED, out);
		buf_add(out, "}\n", 2);
		return rc;
	case EXPORT_JSON:
		buf_add(out, ",\n", e->lines ? 2 : 0);
		return add_object(e, entry, RECAST_PLAIN, out);
	default:
		return export_csv_line(e, entry, out);
	}
}

static enum rc begin(struct export *e, struct buf *out)
{
	e->begun = true;
	if (e->format == EXPORT_JSON)
		buf_add(out, "[\n", 2);
	return e->format == EXPORT_CSV ? export_csv_names(e, out) : RC_OK;
}

static void end(struct export *e, struct buf *out)
{
	e->ended = true;
	if (e->format != EXPORT_JSON)
		return;
	buf_add(out, "\n", e->lines ? 1 : 0);
	buf_add(out, "]\n", 2);
}

/* The next item's document and its line. RC_NOT_FOUND: there is none. */
static enum rc next_line(struct export *e, struct buf *out)
{
	const struct listing_entry *entry;
	enum rc rc = listing_next(e->listing, &entry);
	if (rc)
		return rc;
	buf_clear(&e->document);
	rc = listing_document(e->listing, &e->document);
	if (!rc)
		rc = add_line(e, entry, out);
	e->lines++;
	return rc ? rc : out->failed ? RC_NO_MEMORY : RC_OK;
}

enum rc export_read(struct export *e, size_t want, struct buf *out)
{
	size_t before = out->len;
	enum rc rc = e->failed;
	if (!rc && !e->begun)
		rc = begin(e, out);
	while (!rc && !e->ended && out->len - before < want) {
		size_t sound = out->len;
		rc = next_line(e, out);
		if (rc == RC_NOT_FOUND) {
			end(e, out);
			rc = RC_OK;
		} else if (rc) {
			out->len = sound; /* no half line */
		}
	}
	if (rc)
		e->failed = rc;
	return rc ? rc : out->failed ? RC_NO_MEMORY : out->len == before ? RC_NOT_FOUND : RC_OK;
}

/* ---- measuring ---- */

/* Keeps what fits. */
static void keep(const struct export_pass *pass, struct export_extent *extent, const struct buf *some)
{
	if (!pass->keep || extent->size > pass->keep_max)
		return;
	buf_add(pass->keep, some->data, some->len);
	if (pass->keep->failed)
		buf_free(pass->keep);
}

static bool stopped(const struct export_pass *pass, const struct export *e)
{
	return pass->stop && e->lines % STOP_EVERY == 0 && pass->stop(pass->context);
}

static enum rc measure_lines(struct export *e, const struct export_pass *pass, struct export_extent *extent)
{
	cleanup_buf struct buf some = {0};
	enum rc rc = RC_OK;
	while (!rc && !(rc = export_read(e, 1, &some))) {
		extent->size += some.len;
		keep(pass, extent, &some);
		buf_clear(&some);
		if (stopped(pass, e))
			rc = RC_INTERRUPTED;
	}
	extent->items = e->lines;
	if (rc == RC_NOT_FOUND)
		rc = RC_OK;
	/* All or nothing. */
	if (pass->keep && (rc || pass->keep->len != extent->size))
		buf_free(pass->keep);
	return rc;
}

static enum rc measure_columns(struct export *e, const struct export_pass *pass, struct export_extent *extent, struct why *why)
{
	const struct listing_entry *entry;
	struct export_gather *gather;
	enum rc rc = export_gather_begin(e, &gather);
	while (!rc && !(rc = listing_next(e->listing, &entry))) {
		buf_clear(&e->document);
		rc = listing_document(e->listing, &e->document);
		if (!rc)
			rc = export_gather_line(gather, entry, why);
		e->lines++;
		if (!rc && stopped(pass, e))
			rc = RC_INTERRUPTED;
	}
	extent->items = e->lines;
	if (rc == RC_NOT_FOUND)
		rc = export_gather_end(gather, extent);
	export_gather_free(gather);
	return rc;
}

enum rc export_measure(struct export *e, const struct export_pass *pass, struct export_extent **ret_extent, struct why *why)
{
	struct export_extent *extent = calloc(1, sizeof *extent);
	if (!extent)
		return RC_NO_MEMORY;
	extent->refs = 1;
	enum rc rc = e->begun ? export_rewind(e) : e->failed;
	if (!rc)
		rc = e->format == EXPORT_CSV ? measure_columns(e, pass, extent, why) : measure_lines(e, pass, extent);
	if (!rc)
		rc = export_rewind(e);
	if (rc) {
		e->failed = rc == RC_INTERRUPTED ? export_rewind(e) : rc;
		export_extent_unref(extent);
		return rc;
	}
	*ret_extent = extent;
	return RC_OK;
}
