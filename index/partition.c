/* partition: see partition.h. */
#include "index/partition.h"
#include "index/change.h"
#include "index/document.h"
#include <string.h>

struct step {
	struct table *table;
	const struct key *pk, *to;
	const struct meta *meta;
	const struct meta_change *change;
	bool noreplace;
	struct why *why;
};

static enum rc load(struct txn *txn, struct table *table, const struct key *pk, struct partition_record *ret_record)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	row_partition(&row, table->id, pk);
	enum rc rc = txn_get(txn, &row, &value);
	return rc ? rc : partition_read(value.data, value.len, ret_record);
}

static void store(struct txn *txn, struct table *table, const struct key *pk, const struct partition_record *record)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	row_partition(&row, table->id, pk);
	partition_write(&value, record);
	txn_put(txn, &row, &value);
}

static void forget(struct txn *txn, struct table *table, const struct key *pk)
{
	cleanup_buf struct buf row = {0};
	row_partition(&row, table->id, pk);
	txn_delete(txn, &row);
}

/* A key of another type was made for another definition of the table. */
static bool fits(const struct table *table, const struct key *pk)
{
	return pk->type == table->schema->key.partition[0].type || pk->type == KEY_PENDING;
}

static enum rc run(struct step *step, commit_fn *fn, unsigned flags)
{
	enum rc rc = table_enter_to_change(step->table);
	if (rc)
		return rc;
	if (!fits(step->table, step->pk) || (step->to && !fits(step->table, step->to)))
		rc = RC_STALE;
	else
		rc = commit_run(step->table->volume, fn, step, flags);
	table_leave(step->table);
	return rc;
}

static enum rc create_commit(struct txn *txn, void *context)
{
	struct step *s = context;
	struct partition_record record;
	struct change change;
	enum rc rc = load(txn, s->table, s->pk, &record);
	if (rc != RC_NOT_FOUND)
		return rc ? rc : RC_EXISTS;
	rc = change_begin(&change, txn, s->table, NULL);
	if (rc)
		return rc;
	int64_t now = txn_now(txn);
	record = (struct partition_record){.meta = *s->meta, .birth = txn_sequence(txn)};
	record.meta.atime = record.meta.mtime = record.meta.ctime = now;
	store(txn, s->table, s->pk, &record);
	change.counters.partitions++;
	change_touch(&change.counters.meta, now);
	change_end(&change);
	return RC_OK;
}

enum rc partition_create(struct table *table, const struct key *pk, const struct meta *meta)
{
	struct step step = {.table = table, .pk = pk, .meta = meta};
	return run(&step, create_commit, 0);
}

static enum rc remove_one(struct change *change, const struct key *pk)
{
	struct partition_record record;
	enum rc rc = load(change->txn, change->table, pk, &record);
	if (rc)
		return rc;
	if (record.items || record.files)
		return RC_NOT_EMPTY;
	forget(change->txn, change->table, pk);
	if (!change->counters.partitions)
		return RC_CORRUPT;
	change->counters.partitions--;
	change_touch(&change->counters.meta, txn_now(change->txn));
	return RC_OK;
}

static enum rc remove_commit(struct txn *txn, void *context)
{
	struct step *s = context;
	struct change change;
	enum rc rc = change_begin(&change, txn, s->table, NULL);
	if (!rc)
		rc = remove_one(&change, s->pk);
	if (!rc)
		change_end(&change);
	return rc;
}

enum rc partition_remove(struct table *table, const struct key *pk)
{
	struct step step = {.table = table, .pk = pk};
	return run(&step, remove_commit, COMMIT_FREES);
}

enum rc partition_get(struct table *table, const struct view *view, const struct key *pk, struct partition_record *ret_record)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	enum rc rc = table_enter(table);
	if (rc)
		return rc;
	row_partition(&row, table->id, pk);
	rc = row_get(table->volume, view_snapshot(table_view(table, view)), &row, true, &value);
	table_leave(table);
	return rc ? rc : partition_read(value.data, value.len, ret_record);
}

static enum rc touch_commit(struct txn *txn, void *context)
{
	struct step *s = context;
	struct partition_record record;
	enum rc rc = load(txn, s->table, s->pk, &record);
	if (rc)
		return rc;
	meta_apply(&record.meta, s->change, txn_now(txn));
	store(txn, s->table, s->pk, &record);
	return RC_OK;
}

enum rc partition_set_meta(struct table *table, const struct key *pk, const struct meta_change *change)
{
	struct step step = {.table = table, .pk = pk, .change = change};
	return run(&step, touch_commit, 0);
}

/* Moves one item to the other partition: the store is read, the txn is written. */
static enum rc move_item(struct change *change, const struct step *s, const struct key *sk)
{
	cleanup_buf struct buf row = {0}, document = {0};
	cleanup_image struct image image = {0};
	cleanup_item struct item *old = NULL, *new = NULL;
	const struct schema *schema = s->table->schema;
	row_item(&row, s->table->id, s->pk, sk, false);
	enum rc rc = image_load(change->txn, &row, true, &image);
	if (!rc)
		rc = document_stored(&image.document, &old);
	if (rc)
		return rc;
	struct head head = image.head;
	document_rekey(schema, s->to, sk, old, &document);
	rc = document.failed ? RC_NO_MEMORY : item_parse(document.data, document.len, &new, s->why);
	if (!rc && document.len > ITEM_DOCUMENT_MAX)
		rc = RC_TOO_BIG;
	if (!rc)
		rc = document_check(schema, s->to, sk, new, &head.measure, s->why);
	if (!rc)
		rc = change_delete(change, &row, &image, s->pk, sk);
	head.size = (uint32_t)document.len;
	return rc ? rc : change_put(change, s->to, sk, &head, new);
}

static enum rc move_file(struct change *change, const struct step *s, const char *name, size_t n)
{
	cleanup_image struct image image = {0};
	struct leaf from = {.kind = LEAF_FILE, .table = s->table, .in_partition = true, .pk = *s->pk};
	memcpy(from.name, name, n);
	struct leaf to = from;
	to.pk = *s->to;
	cleanup_buf struct buf row = {0}, to_row = {0};
	leaf_row(&from, &row);
	leaf_row(&to, &to_row);
	enum rc rc = image_load(change->txn, &row, true, &image);
	if (!rc)
		rc = leaf_delete(change, &from, &row, &image);
	return rc ? rc : leaf_put_file(change, &to, &to_row, NULL, &image.head, image.document.data);
}

/* Walks one letter's rows of the partition. */
static enum rc move_all(struct change *change, const struct step *s, bool files, uint64_t *bytes)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	bool has_sk = schema_has_sort(s->table->schema);
	if (files)
		row_file(&low, s->table->id, s->pk, "", 0, false);
	else
		row_item(&low, s->table->id, s->pk, NULL, false);
	buf_add(&high, low.data, low.len);
	row_after(&high);
	enum rc rc = rows_cursor(s->table->volume->store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n, name_n;
		struct key pk, sk;
		struct head head;
		const uint8_t *in;
		const char *name;
		bool inside;
		const uint8_t *row = store_cursor_key(cursor, &n);
		const uint8_t *value = store_cursor_value(cursor, &value_n);
		rc = head_read(value, value_n, &head, &in);
		if (!rc)
			rc = files ? row_parse_file(row, n, &inside, &pk, &name, &name_n) : row_parse_item(row, n, has_sk, &pk, &sk);
		if (!rc && (*bytes += head.size) > PARTITION_MOVE_BYTES)
			rc = RC_CROSS;
		if (!rc)
			rc = files ? move_file(change, s, name, name_n) : move_item(change, s, has_sk ? &sk : NULL);
	}
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc rename_commit(struct txn *txn, void *context)
{
	struct step *s = context;
	struct change change;
	struct partition_record record, target;
	uint64_t bytes = 0;
	enum rc rc = load(txn, s->table, s->pk, &record);
	if (!rc)
		rc = change_begin(&change, txn, s->table, s->why);
	if (rc)
		return rc;
	if (key_equal(s->pk, s->to))
		return s->noreplace ? RC_EXISTS : RC_OK;
	if (record.items && s->to->type == KEY_PENDING && s->table->schema->declared)
		return why_set(s->why, RC_INVALID, "the new name is cut, so it does not tell the key that the items are to have");
	if (record.items > PARTITION_MOVE_ITEMS)
		return RC_CROSS;
	rc = load(txn, s->table, s->to, &target);
	if (!rc)
		rc = s->noreplace ? RC_EXISTS : remove_one(&change, s->to);
	if (rc && rc != RC_NOT_FOUND)
		return rc;
	/* The record moves first, so that names count on it as they come, and stays explicit at the old place until the last has gone. */
	struct partition_record moved = record;
	moved.items = moved.files = 0;
	store(txn, s->table, s->to, &moved);
	rc = move_all(&change, s, true, &bytes);
	if (!rc)
		rc = move_all(&change, s, false, &bytes);
	if (rc)
		return rc;
	moved.items = record.items;
	moved.files = record.files;
	moved.meta.ctime = txn_now(txn); /* its own times move with it */
	store(txn, s->table, s->to, &moved);
	forget(txn, s->table, s->pk);
	if (record.implicit && (record.items || record.files))
		change.counters.partitions++; /* the last name's going took the old one away, and what follows counts one */
	change_touch(&change.counters.meta, txn_now(txn));
	change_end(&change);
	return RC_OK;
}

enum rc partition_rename(struct table *table, const struct key *from, const struct key *to, bool noreplace, struct why *why)
{
	struct step step = {.table = table, .pk = from, .to = to, .noreplace = noreplace, .why = why};
	return run(&step, rename_commit, COMMIT_ALONE);
}

static enum rc settle_commit(struct txn *txn, void *context)
{
	struct step *s = context;
	struct change change;
	struct partition_record record, taken;
	uint64_t bytes = 0;
	enum rc rc = load(txn, s->table, s->to, &taken);
	if (rc != RC_NOT_FOUND)
		return rc ? rc : RC_EXISTS;
	rc = load(txn, s->table, s->pk, &record);
	if (!rc)
		rc = change_begin(&change, txn, s->table, s->why);
	if (rc)
		return rc;
	struct partition_record moved = record;
	moved.files = 0;
	store(txn, s->table, s->to, &moved);
	rc = move_all(&change, s, true, &bytes);
	if (rc)
		return rc;
	store(txn, s->table, s->to, &record); /* no name came and none went: its times and the table's stay */
	forget(txn, s->table, s->pk);
	return RC_OK;
}

enum rc partition_settle(struct table *table, const struct key *pending, const struct key *pk)
{
	struct step step = {.table = table, .pk = pending, .to = pk};
	return run(&step, settle_commit, COMMIT_ALONE);
}
