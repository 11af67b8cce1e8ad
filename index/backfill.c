/* backfill: see backfill.h. */
#include "index/backfill.h"
#include "index/change.h"
#include "index/document.h"
#include "index/entry.h"
#include "index/worker.h"
#include <string.h>
#include <time.h>

enum { BATCH_BYTES = 1 << 20, PREFIX = 5 /* of an item's row, before its keys */ };

/* ---- The record, within commits and outside. */

static enum rc record_load(struct txn *txn, uint32_t table, uint32_t index, struct buf *value, struct build_record *ret_record)
{
	cleanup_buf struct buf row = {0};
	row_build(&row, table, index);
	enum rc rc = txn_get(txn, &row, value);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	return build_read(value->data, value->len, ret_record);
}

static void record_store(struct txn *txn, uint32_t table, uint32_t index, const struct build_record *record)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_build(&row, table, index);
	build_write(&value, record);
	txn_put(txn, &row, &value);
}

void backfill_begin(struct txn *txn, uint32_t table, uint32_t index)
{
	struct build_record record = {.started = txn_now(txn)};
	record_store(txn, table, index, &record);
}

void backfill_forget(struct txn *txn, uint32_t table, uint32_t index)
{
	cleanup_buf struct buf row = {0};
	row_build(&row, table, index);
	txn_delete(txn, &row);
}

bool backfill_reached(const struct build_record *record, const uint8_t *item_row, size_t n)
{
	size_t keys = n - PREFIX, least = keys < record->cursor_len ? keys : record->cursor_len;
	int order = least ? memcmp(item_row + PREFIX, record->cursor, least) : 0;
	return record->ended || order < 0 || (!order && keys <= record->cursor_len);
}

enum rc backfill_covers(struct txn *txn, const struct table *table, uint32_t index, const struct buf *item_row, bool *ret_covers)
{
	cleanup_buf struct buf value = {0};
	struct build_record record;
	enum rc rc = record_load(txn, table->id, index, &value, &record);
	if (!rc)
		*ret_covers = backfill_reached(&record, item_row->data, item_row->len);
	return rc;
}

/* The record in a view. RC_NOT_FOUND: the index came with its table; *ret_record then is all zero. */
static enum rc record_get(const struct table *table, const struct store_snapshot *at, uint32_t index, struct build_record *ret_record)
{
	cleanup_buf struct buf row = {0}, value = {0};
	*ret_record = (struct build_record){.ended = false};
	row_build(&row, table->id, index);
	enum rc rc = row.failed ? RC_NO_MEMORY : store_get(table->volume->store, at, row.data, row.len, &value);
	if (!rc)
		rc = build_read(value.data, value.len, ret_record);
	ret_record->cursor = NULL; /* of a value that goes */
	return rc;
}

enum rc backfill_load(struct table *table, const struct store_snapshot *at)
{
	const struct schema *schema = table->schema;
	for (size_t i = 0; i < schema->count; i++) {
		struct build_record record;
		enum rc rc = record_get(table, at, schema->indexes[i].id, &record);
		if (rc && rc != RC_NOT_FOUND)
			return rc;
		if (!rc && !record.ended)
			table->building |= 1u << i;
	}
	table->young = table->building;
	return RC_OK;
}

/* ---- A batch. */

struct batch {
	struct filling *filling;
	uint32_t table;
	uint32_t group;       /* of the schema's indexes, those that are filled by this batch: their cursors stand at one place */
	size_t bytes;
	struct buf low, high; /* the range */
	struct buf cursor;
	bool whole;           /* the range ends where the table's items end */
	struct entry entry;
	struct buf values[CATALOG_INDEXES_MAX];
	struct build_record records[CATALOG_INDEXES_MAX];
};

static void batch_free(struct batch *b)
{
	for (size_t i = 0; i < CATALOG_INDEXES_MAX; i++)
		buf_free(&b->values[i]);
	buf_free(&b->low);
	buf_free(&b->high);
	buf_free(&b->cursor);
	entry_free(&b->entry);
}

static int cursor_order(const struct build_record *a, const struct build_record *b)
{
	size_t least = a->cursor_len < b->cursor_len ? a->cursor_len : b->cursor_len;
	int order = least ? memcmp(a->cursor, b->cursor, least) : 0;
	return order ? order : (a->cursor_len > b->cursor_len) - (a->cursor_len < b->cursor_len);
}

/* Those that are furthest behind, and the range up to where the next ones stand: from there they go on together. */
static enum rc choose(struct txn *txn, struct batch *b)
{
	const struct schema *schema = b->filling->schema;
	const struct build_record *last = NULL, *next = NULL;
	for (size_t i = 0; i < schema->count; i++) {
		if (!(b->filling->building >> i & 1))
			continue;
		enum rc rc = record_load(txn, b->table, schema->indexes[i].id, &b->values[i], &b->records[i]);
		if (rc)
			return rc;
		const struct build_record *record = &b->records[i];
		if (record->ended) { /* by a batch of which an engine that failed did not know that it was written */
			b->filling->finished |= 1u << i;
			continue;
		}
		int order = last ? cursor_order(record, last) : -1;
		if (order < 0) {
			next = last;
			last = record;
			b->group = 0;
		} else if (order > 0 && (!next || cursor_order(record, next) < 0)) {
			next = record;
		}
		if (order <= 0)
			b->group |= 1u << i;
	}
	if (!last)
		return RC_OK;
	row_item(&b->low, b->table, NULL, NULL, false);
	buf_add(&b->high, b->low.data, b->low.len);
	buf_add(&b->low, last->cursor, last->cursor_len);
	if (last->cursor_len)
		buf_add_byte(&b->low, 0); /* right after it */
	b->whole = !next;
	if (next) {
		buf_add(&b->high, next->cursor, next->cursor_len);
		buf_add_byte(&b->high, 0);
	} else {
		row_after(&b->high);
	}
	buf_add(&b->cursor, last->cursor, last->cursor_len);
	return b->low.failed || b->high.failed || b->cursor.failed ? RC_NO_MEMORY : RC_OK;
}

/* One item's entry in each index of the group. */
static enum rc pass(struct change *change, struct batch *b, const struct buf *row, const struct buf *value)
{
	const struct schema *schema = b->filling->schema;
	bool has_sk = schema_has_sort(schema);
	struct key pk, sk;
	cleanup_image struct image image = {0};
	cleanup_item struct item *item = NULL;
	enum rc rc = row_parse_item(row->data, row->len, has_sk, &pk, &sk);
	if (!rc)
		rc = image_read(change->txn, row, value, true, &image);
	if (!rc)
		rc = document_stored(&image.document, &item);
	struct entry_source source = {schema, &pk, has_sk ? &sk : NULL, item};
	for (size_t i = 0; i < schema->count && !rc; i++) {
		if (!(b->group >> i & 1))
			continue;
		struct build_record *record = &b->records[i];
		rc = entry_make(&source, &schema->indexes[i], b->table, &b->entry, NULL);
		bool misfit = rc == RC_REFUSED;
		record->done++;
		record->misfits += misfit;
		record->skipped += misfit || (!rc && !b->entry.present);
		if (!rc && b->entry.present)
			rc = change_fill(change, &schema->indexes[i], &b->entry, image.head.birth);
		else if (misfit)
			rc = RC_OK;
	}
	b->filling->items++;
	b->bytes += image.head.size;
	return rc;
}

/* Walks on until the batch is full or the range ends (*ret_ended). */
static enum rc walk(struct change *change, struct batch *b, bool *ret_ended)
{
	struct store_cursor *cursor = NULL;
	cleanup_buf struct buf row = {0}, value = {0};
	enum rc rc = rows_cursor(change->table->volume->store, NULL, &b->low, &b->high, &cursor);
	while (!rc && b->filling->items < b->filling->limit && b->bytes < BATCH_BYTES && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n;
		const uint8_t *key = store_cursor_key(cursor, &n), *head = store_cursor_value(cursor, &value_n);
		buf_clear(&row);
		buf_clear(&value);
		buf_add(&row, key, n);
		buf_add(&value, head, value_n);
		rc = row.failed || value.failed ? RC_NO_MEMORY : pass(change, b, &row, &value);
	}
	store_cursor_close(cursor);
	*ret_ended = rc == RC_NOT_FOUND;
	if (b->filling->items) {
		buf_clear(&b->cursor);
		buf_add(&b->cursor, row.data + PREFIX, row.len - PREFIX);
	}
	return *ret_ended ? RC_OK : rc;
}

/* The records as they are after the walk. */
static enum rc move_cursors(struct txn *txn, struct batch *b, bool ended)
{
	struct filling *filling = b->filling;
	if (ended && !b->whole) { /* to where the next ones stand, though that item may be gone */
		buf_clear(&b->cursor);
		buf_add(&b->cursor, b->high.data + PREFIX, b->high.len - PREFIX - 1);
	}
	for (size_t i = 0; i < filling->schema->count; i++) {
		if (!(b->group >> i & 1))
			continue;
		struct build_record *record = &b->records[i];
		record->worked += filling->worked;
		record->ended = ended && b->whole;
		record->finished = record->ended ? txn_now(txn) : 0;
		record->cursor = b->cursor.data;
		record->cursor_len = (uint32_t)b->cursor.len;
		record_store(txn, b->table, filling->schema->indexes[i].id, record);
		filling->finished |= record->ended ? 1u << i : 0;
	}
	return b->cursor.failed ? RC_NO_MEMORY : RC_OK;
}

enum rc backfill_within(struct change *change, struct filling *filling)
{
	struct batch batch = {.filling = filling, .table = change->table->id};
	bool ended = false;
	enum rc rc = choose(change->txn, &batch);
	if (!rc && batch.group)
		rc = walk(change, &batch, &ended);
	if (!rc && batch.group)
		rc = move_cursors(change->txn, &batch, ended);
	batch_free(&batch);
	return rc;
}

struct batch_context {
	struct table *table;
	struct filling *filling;
};

static enum rc batch_commit(struct txn *txn, void *context)
{
	struct batch_context *c = context;
	struct change change;
	enum rc rc = change_begin(&change, txn, c->table, NULL);
	if (!rc)
		rc = backfill_within(&change, c->filling);
	if (!rc)
		change_end(&change);
	return rc;
}

static uint64_t ticks(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum rc backfill_batch(struct table *table, unsigned items, unsigned *ret_items)
{
	struct filling filling = {.schema = table->schema, .building = table->building, .limit = items};
	struct batch_context context = {table, &filling};
	uint64_t now = ticks(), last = table->build_last;
	filling.worked = last ? now - last : 0;
	enum rc rc = commit_run(table->volume, batch_commit, &context, COMMIT_ALONE);
	if (!rc)
		__atomic_and_fetch(&table->building, ~filling.finished, __ATOMIC_RELEASE);
	table->build_last = !rc && table->building ? now : 0;
	__atomic_store_n(&table->build_trouble, rc, __ATOMIC_RELAXED);
	*ret_items = rc ? 0 : filling.items;
	return rc;
}

/* ---- For readers. */

enum rc backfill_ready_at(const struct table *table, const struct schema_index *index, const struct store_snapshot *at)
{
	struct build_record record;
	size_t i = (size_t)(index - table->schema->indexes);
	if (!(table->young >> i & 1))
		return RC_OK;
	enum rc rc = record_get(table, at, index->id, &record);
	if (rc == RC_NOT_FOUND) /* the view is older than the index */
		return RC_AGAIN;
	return rc ? rc : record.ended ? RC_OK : RC_AGAIN;
}

/* Rates and what follows from them. */
static void estimate(const struct build_record *record, struct backfill_progress *p)
{
	uint64_t left = p->total > p->done ? p->total - p->done : 0;
	p->seconds_left = -1;
	if (record->worked && record->done)
		p->rate = (double)record->done * 1e9 / (double)record->worked;
	if (p->status == BACKFILL_ACTIVE)
		p->seconds_left = 0;
	else if (p->rate > 0)
		p->seconds_left = (int64_t)((double)left / p->rate) + 1;
	if (p->status == BACKFILL_ACTIVE || !p->total)
		p->percent = 100;
	else
		p->percent = 100 * (double)(p->total - left) / (double)p->total;
}

enum rc backfill_progress_at(const struct table *table, const struct schema_index *index, const struct store_snapshot *at, uint64_t items,
			     struct backfill_progress *ret_progress)
{
	struct backfill_progress p = {.status = BACKFILL_ACTIVE, .total = items};
	struct build_record record;
	enum rc rc = record_get(table, at, index->id, &record);
	if (rc && rc != RC_NOT_FOUND)
		return rc;
	p.online = !rc;
	if (!p.online) {
		p.total = 0;
	} else {
		bool building = __atomic_load_n(&table->building, __ATOMIC_RELAXED) >> (index - table->schema->indexes) & 1;
		p.status = record.ended ? BACKFILL_ACTIVE : BACKFILL_CREATING;
		p.done = record.done;
		p.skipped = record.skipped;
		p.misfits = record.misfits;
		p.started = record.started;
		p.finished = record.finished;
		p.trouble = building ? __atomic_load_n(&table->build_trouble, __ATOMIC_RELAXED) : RC_OK;
		estimate(&record, &p);
	}
	*ret_progress = p;
	return RC_OK;
}

enum rc backfill_progress(struct table *table, const struct view *view, const char *index_name, struct backfill_progress *ret_progress)
{
	struct table_counters counters;
	enum rc rc = table_stat(table, view, &counters);
	if (!rc)
		rc = table_enter(table);
	if (rc)
		return rc;
	const struct schema_index *index = schema_find_index(table->schema, index_name);
	rc = RC_NOT_FOUND;
	if (index)
		rc = backfill_progress_at(table, index, view_snapshot(table_view(table, view)), counters.items, ret_progress);
	table_leave(table);
	return rc;
}

enum rc backfill_ready(struct table *table, const struct view *view, const char *index_name, struct why *why)
{
	struct backfill_progress p;
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	const struct schema_index *index = schema_find_index(table->schema, index_name);
	rc = index ? backfill_ready_at(table, index, view_snapshot(table_view(table, view))) : RC_NOT_FOUND;
	table_leave(table);
	if (rc != RC_AGAIN || backfill_progress(table, view, index_name, &p))
		return rc;
	return why_set(why, rc, "index %s is being built: %llu of %llu items (%.0f%%) are done%s", index_name, (unsigned long long)p.done,
		       (unsigned long long)p.total, p.percent, p.trouble == RC_NO_SPACE ? "; the disk is full" : p.trouble ? "; the disk fails" : "");
}
