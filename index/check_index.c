/* check_index: an entry is there iff its item qualifies, and holds exactly what the item projects. From the items' side (check_entries_of, while they are walked) and from the
 * entries' (check_indexes). */
#include "index/check_private.h"
#include <string.h>

/* The record of one index's filling. One that cannot be read was said to be so, and is taken for ended. */
static enum rc check_build(struct check_table *t, size_t at)
{
	cleanup_buf struct buf row = {0};
	const struct schema_index *index = &t->schema->indexes[at];
	struct buf *value = &t->build_value[at];
	row_build(&row, t->id, index->id);
	enum rc rc = check_get(t->check, &row, value);
	if (rc == RC_NOT_FOUND || check_fatal(rc))
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	t->built[at] = !rc && !build_read(value->data, value->len, &t->builds[at]);
	if (!t->built[at])
		check_problem(t->check, "%s: index %s: how far it is filled cannot be read", t->name, index->name);
	else if (index->local)
		check_problem(t->check, "%s: index %s: a local index is never filled afterwards", t->name, index->name);
	return RC_OK;
}

static enum rc check_build_row(void *context, const struct check_row *row)
{
	struct check_table *t = context;
	struct row_reader reader = {row->key, row->key + row->n, false};
	row_read_bytes(&reader, 5);
	uint32_t number = row_read_u32(&reader);
	bool known = false;
	for (size_t i = 0; i < t->schema->count; i++)
		known |= t->schema->indexes[i].id == number;
	if (reader.bad || reader.at != reader.end || !known)
		check_row_problem(t, row->key, row->n, "the table has no such index");
	return RC_OK;
}

enum rc check_builds(struct check_table *t)
{
	cleanup_buf struct buf prefix = {0};
	enum rc rc = RC_OK;
	for (size_t i = 0; i < t->schema->count && !rc; i++)
		rc = check_build(t, i);
	buf_add_u32(&prefix, t->id);
	buf_add_byte(&prefix, 'U');
	return rc ? rc : check_walk(t->check, &prefix, t->name, check_build_row, t);
}

/* Whether the index has come as far as an item, so that it has its entry. */
static bool reached(const struct check_table *t, const struct key *pk, const struct key *sk, size_t at)
{
	cleanup_buf struct buf row = {0};
	if (!t->built[at])
		return true;
	row_item(&row, t->id, pk, sk, false);
	return backfill_reached(&t->builds[at], row.data, row.len);
}

/* An index that cannot take an item that was there before it has no entry of it, and one that is being filled none of those that it has not come to:
 * then *made is not present. */
static enum rc make(struct check_table *t, const struct key *pk, const struct key *sk, const struct item *item,
		    size_t at)
{
	t->entry.present = false;
	if (!reached(t, pk, sk, at))
		return RC_OK;
	struct entry_source source = {t->schema, pk, sk, item};
	enum rc rc = entry_make(&source, &t->schema->indexes[at], t->id, &t->entry, NULL);
	return rc == RC_NO_MEMORY ? rc : RC_OK;
}

static enum rc check_entry_of(struct check_table *t, const struct check_row *item_row)
{
	cleanup_buf struct buf value = {0}, words = {0};
	struct check_bytes bytes;
	const struct buf *key = &t->entry.row, *made = &t->entry.document;
	enum rc rc = check_get(t->check, key, &value);
	if (check_fatal(rc))
		return rc;
	if (rc) {
		check_row_problem(t, key->data, key->len, "is %s, and %s has it",
				  rc == RC_NOT_FOUND ? "missing" : "damaged",
				  check_words(t->schema, item_row->key, item_row->n, &words));
		return RC_OK;
	}
	struct check_row row = {key->data, key->len, value.data, value.len};
	rc = check_read(t->check, &row, check_say_row, t, &bytes, &t->entry_document);
	if (rc || !bytes.sound)
		return rc;
	if (t->entry_document.len != made->len || memcmp(t->entry_document.data, made->data, made->len) != 0)
		check_row_problem(t, key->data, key->len, "does not hold what its item projects");
	if (bytes.head.measure != t->entry.measure)
		check_row_problem(t, key->data, key->len, "its head says that it measures %u bytes, and it measures %u",
				  bytes.head.measure, t->entry.measure);
	return RC_OK;
}

enum rc check_entries_of(struct check_table *t, const struct check_row *item_row, const struct key *pk,
			 const struct key *sk, const struct item *item)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; i < t->schema->count && !rc; i++) {
		rc = make(t, pk, sk, item, i);
		if (!rc && t->entry.present)
			rc = check_entry_of(t, item_row);
	}
	return rc;
}

struct index_walk {
	struct check_table *table;
	size_t at; /* in the schema */
	struct entry_shape shape;
};

/* The bytes that an entry without a sound item adds to the sum: its own head's word. */
static void count_bytes(struct index_walk *w, const struct check_row *row, const struct item *item)
{
	struct check_table *t = w->table;
	struct head head;
	const uint8_t *in;
	if (item && t->entry.present)
		t->counted.index[w->at].bytes += t->entry.measure;
	else if (!head_read(row->value, row->value_n, &head, &in))
		t->counted.index[w->at].bytes += head.measure;
	else
		t->index_bytes_known[w->at] = false;
}

static bool entry_keys_sound(const struct index_walk *w, const struct key *keys)
{
	for (size_t i = 0; i < w->shape.count; i++)
		if (!check_key_sound(&keys[i], w->shape.key[i], w->shape.role[i]))
			return false;
	return true;
}

static enum rc check_entry_row(void *context, const struct check_row *row)
{
	struct index_walk *w = context;
	struct check_table *t = w->table;
	struct key keys[ROW_KEYS_MAX];
	cleanup_item struct item *item = NULL;
	bool there = false;
	t->counted.index[w->at].entries++;
	t->entry.present = false;
	if (row_parse_entry(row->key, row->n, keys, w->shape.count) || !entry_keys_sound(w, keys)) {
		check_row_problem(t, row->key, row->n, "its key is none of this index");
		count_bytes(w, row, NULL);
		return RC_OK;
	}
	const struct key *pk = &keys[w->shape.base_pk], *sk = w->shape.base_sk >= 0 ? &keys[w->shape.base_sk] : NULL;
	enum rc rc = check_item(t, pk, sk, &there, &item);
	if (!rc && item)
		rc = make(t, pk, sk, item, w->at);
	if (rc)
		return rc;
	if (!there) {
		check_row_problem(t, row->key, row->n, "has no item");
	} else if (item) {
		bool same =
		    t->entry.present && t->entry.row.len == row->n && memcmp(t->entry.row.data, row->key, row->n) == 0;
		if (!same) {
			check_row_problem(t, row->key, row->n, "its item does not qualify for it");
			t->entry.present = false; /* what is made is another entry */
		}
	}
	count_bytes(w, row, item);
	return RC_OK;
}

/* Entries (or their bytes) under a number that no index of the table has. */
static enum rc check_numbers(struct check_table *t, bool bodies)
{
	cleanup_buf struct buf prefix = {0};
	uint32_t number = 0;
	buf_add_u32(&prefix, t->id);
	buf_add_byte(&prefix, bodies ? 'J' : 'I');
	for (;;) {
		bool known = false, dead = false;
		enum rc rc = check_next_number(t->check, &prefix, number, t->name, &number);
		if (rc)
			return rc == RC_NOT_FOUND ? RC_OK : rc;
		for (size_t i = 0; i < t->schema->count; i++)
			known |= t->schema->indexes[i].id == number;
		rc = known || !number ? RC_OK : check_is_dead(t->check, t->id, number, &dead);
		if (rc)
			return rc;
		if (!known && !dead)
			check_problem(t->check, "%s: %s of an index (number %u) that it does not define", t->name,
				      bodies ? "bytes" : "entries", number);
		if (number == UINT32_MAX)
			return RC_OK;
		number++;
	}
}

enum rc check_indexes(struct check_table *t)
{
	enum rc rc = check_numbers(t, false);
	if (!rc)
		rc = check_numbers(t, true);
	for (size_t i = 0; i < t->schema->count && !rc; i++) {
		struct index_walk walk = {.table = t, .at = i};
		cleanup_buf struct buf prefix = {0}, bodies = {0};
		t->index_bytes_known[i] = true;
		entry_shape(t->schema, &t->schema->indexes[i], &walk.shape);
		row_entry(&prefix, t->id, t->schema->indexes[i].id, NULL, 0, false);
		row_entry(&bodies, t->id, t->schema->indexes[i].id, NULL, 0, true);
		rc = check_walk(t->check, &prefix, t->name, check_entry_row, &walk);
		if (!rc)
			rc = check_bodies(t->check, &bodies, 'I', t->name, check_say_row, t);
	}
	return rc;
}
