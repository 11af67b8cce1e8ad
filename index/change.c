/* change: see change.h. */
#include "index/change.h"
#include "index/document.h"
#include "index/entry.h"
#include <string.h>

enum { LETTER = 4 }; /* where a row key's letter stands */

void image_free(struct image *image)
{
	buf_free(&image->document);
}

/* 'H' and 'B', 'F' and 'G', 'I' and 'J', 'R' and 'S'. */
static void body_row(const struct buf *head_row, struct buf *ret_row)
{
	buf_add(ret_row, head_row->data, head_row->len);
	ret_row->failed |= head_row->failed;
	if (!ret_row->failed) {
		uint8_t *letter = &ret_row->data[LETTER];
		*letter = *letter == 'H' ? 'B' : (uint8_t)(*letter + 1);
	}
}

enum rc image_load(struct txn *txn, const struct buf *head_row, bool with_document, struct image *ret_image)
{
	uint8_t room[ROW_VALUE_ROOM];
	cleanup_buf struct buf value = BUF_IN(room);
	enum rc rc = txn_get(txn, head_row, &value);
	return rc ? rc : image_read(txn, head_row, &value, with_document, ret_image);
}

enum rc image_read(struct txn *txn, const struct buf *head_row, const struct buf *value, bool with_document, struct image *ret_image)
{
	uint8_t room[ROW_KEY_ROOM];
	cleanup_buf struct buf row = BUF_IN(room);
	const uint8_t *in = NULL;
	enum rc rc = head_read(value->data, value->len, &ret_image->head, &in);
	if (rc || !with_document)
		return rc;
	buf_clear(&ret_image->document);
	if (in) {
		buf_add(&ret_image->document, in, ret_image->head.size);
	} else {
		body_row(head_row, &row);
		rc = txn_get(txn, &row, &ret_image->document);
		if (rc == RC_NOT_FOUND || (!rc && ret_image->document.len != ret_image->head.size))
			return RC_CORRUPT;
	}
	return rc ? rc : ret_image->document.failed ? RC_NO_MEMORY : RC_OK;
}

bool image_has_body(const struct head *head)
{
	return head->size > ROW_INLINE_MAX;
}

void image_store(struct txn *txn, const struct buf *head_row, const struct head *head, const void *document, bool had_body)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	head_write(&value, head, document);
	txn_put(txn, head_row, &value);
	if (!image_has_body(head) && !had_body)
		return;
	body_row(head_row, &row);
	if (image_has_body(head)) {
		struct buf body = {.data = (uint8_t *)document, .len = head->size}; /* borrowed, only read */
		txn_put(txn, &row, &body);
	} else {
		txn_delete(txn, &row);
	}
}

void image_delete(struct txn *txn, const struct buf *head_row, bool had_body)
{
	uint8_t room[ROW_KEY_ROOM];
	cleanup_buf struct buf row = BUF_IN(room);
	txn_delete(txn, head_row);
	if (!had_body)
		return;
	body_row(head_row, &row);
	txn_delete(txn, &row);
}

enum rc change_begin(struct change *change, struct txn *txn, struct table *table, struct why *why)
{
	change->txn = txn;
	change->table = table;
	change->schema = table->schema;
	change->why = why;
	change->appeared = 0;
	change->units = 0;
	memset(change->index_units, 0, sizeof change->index_units);
	if (table->view) /* a frozen one: who changes tables asks table_enter_to_change() before, and this is for those who forgot */
		return RC_READ_ONLY;
	return counters_load(txn, table, &change->counters);
}

void change_end(struct change *change)
{
	const struct schema *schema = change->schema;
	counters_store(change->txn, change->table, &change->counters);
	txn_charge(change->txn, change->table, 0, change->units);
	for (size_t i = 0; i < schema->count; i++)
		txn_charge(change->txn, change->table, schema->indexes[i].id, change->index_units[i]);
}

static uint64_t write_units(uint64_t old, uint64_t new)
{
	return usage_units(old > new ? old : new, USAGE_WRITE_UNIT);
}

/* SEMANTICS.md 11: an entry that stays counts once, one that moves twice. */
static uint64_t entry_units(const struct entry *old, const struct entry *new, bool stays)
{
	if (stays)
		return write_units(old->measure, new->measure);
	return (old->present ? write_units(old->measure, 0) : 0) + (new->present ? write_units(new->measure, 0) : 0);
}

/* Adds to an unsigned counter; going below zero means that the row told an untruth. */
static bool count(uint64_t *counter, int64_t by)
{
	if (by < 0 && *counter < (uint64_t)-by)
		return false;
	*counter += (uint64_t)by;
	return true;
}

static bool count32(uint32_t *counter, int by)
{
	uint64_t wide = *counter;
	bool sound = count(&wide, by) && wide <= UINT32_MAX;
	if (sound)
		*counter = (uint32_t)wide;
	return sound;
}

void change_touch(struct meta *directory, int64_t when)
{
	if (directory->ctime <= when)
		directory->mtime = directory->ctime = when;
}

enum rc change_names(struct change *change, const struct key *pk, int items, int files, const struct meta *owner)
{
	int64_t now = txn_now(change->txn);
	int64_t when = items + files > 0 && change->appeared ? change->appeared : now;
	if (!pk) {
		change_touch(&change->counters.meta, when);
		return count(&change->counters.files, files) ? RC_OK : RC_CORRUPT;
	}
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	struct partition_record record;
	row_partition(&row, change->table->id, pk);
	enum rc rc = txn_get(change->txn, &row, &value);
	if (rc == RC_OK) {
		rc = partition_read(value.data, value.len, &record);
	} else if (rc == RC_NOT_FOUND && files <= 0) {
		record = (struct partition_record){.implicit = true, .birth = txn_sequence(change->txn)};
		record.meta = (struct meta){0755, owner->uid, owner->gid, now, now, now};
		change_touch(&change->counters.meta, now);
		change->counters.partitions++;
		rc = RC_OK;
	}
	if (rc)
		return rc;
	if (!count32(&record.items, items) || !count32(&record.files, files))
		return RC_CORRUPT;
	if (record.implicit && !record.items && !record.files) {
		txn_delete(change->txn, &row);
		change_touch(&change->counters.meta, now);
		return count(&change->counters.partitions, -1) ? RC_OK : RC_CORRUPT;
	}
	change_touch(&record.meta, when);
	buf_clear(&value);
	partition_write(&value, &record);
	txn_put(change->txn, &row, &value);
	return RC_OK;
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Puts an item's new entry in one index in the place of its old one (entry_locate()): they differ. */
static enum rc entry_change(struct change *change, const struct schema_index *index, const struct entry *old, const struct entry *new,
			    uint64_t birth)
{
	bool had_body = old->present && old->document.len > ROW_INLINE_MAX;
	bool stays = old->present && new->present && same_bytes(&old->row, &new->row);
	struct index_counters *counters = counters_of(&change->counters, index->id);
	if (!counters)
		return RC_CORRUPT;
	change->index_units[index - change->schema->indexes] += entry_units(old, new, stays);
	if (old->present) {
		if (!stays)
			image_delete(change->txn, &old->row, had_body);
		if (!count(&counters->entries, -1) || !count(&counters->bytes, -(int64_t)old->measure))
			return RC_CORRUPT;
	}
	if (new->present) {
		int64_t now = txn_now(change->txn);
		struct head head = {.meta = {.mode = 0444, .atime = now, .mtime = now, .ctime = now}};
		head.birth = birth;
		head.version = txn_sequence(change->txn);
		head.size = (uint32_t)new->document.len;
		head.measure = new->measure;
		image_store(change->txn, &new->row, &head, new->document.data, stays && had_body);
		count(&counters->entries, 1);
		count(&counters->bytes, new->measure);
	}
	return RC_OK;
}

enum rc change_fill(struct change *change, const struct schema_index *index, const struct entry *entry, uint64_t birth)
{
	const struct entry none = {.present = false};
	return entry_change(change, index, &none, entry, birth);
}

static bool differ(const struct schema_index *index, const struct entry_source *from, const struct entry *old,
		   const struct entry_source *to, const struct entry *new)
{
	if (!old->present || !new->present)
		return old->present != new->present;
	return !same_bytes(&old->row, &new->row) || old->measure != new->measure || !entry_same(from, to, index);
}

/* Whether the index is to follow a change of the item at this row: not where it is being filled, and that will come by later. */
static enum rc follows(struct change *change, size_t index, const struct buf *row, bool *ret_follows)
{
	*ret_follows = true;
	if (!(__atomic_load_n(&change->table->building, __ATOMIC_ACQUIRE) >> index & 1))
		return RC_OK;
	return backfill_covers(change->txn, change->table, change->schema->indexes[index].id, row, ret_follows);
}

/* Brings every index from the old item (item NULL: none) to the new one (item NULL: none). `row` is the key of its head row. A refusal names the
 * alphabetically first index that cannot take the new item, as AWS does. */
static enum rc entries_change(struct change *change, const struct buf *row, const struct entry_source *from,
			      const struct entry_source *to, uint64_t birth)
{
	const struct schema *schema = change->schema;
	uint8_t old_room[ROW_KEY_ROOM], new_room[ROW_KEY_ROOM], document_room[ROW_INLINE_MAX];
	struct entry old = {.row = BUF_IN(old_room)}, new = {.row = BUF_IN(new_room), .document = BUF_IN(document_room)};
	const char *refused = NULL;
	bool follow;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < schema->count && rc != RC_NO_MEMORY && rc != RC_CORRUPT; i++) {
		const struct schema_index *index = &schema->indexes[i];
		old.present = new.present = false;
		if (to->item) {
			bool first = !refused || strcmp(index->name, refused) < 0;
			enum rc made = entry_make(to, index, change->table->id, &new, first ? change->why : NULL);
			if (made == RC_REFUSED && first)
				refused = index->name;
			if (made)
				rc = made;
		}
		if (rc)
			continue; /* nothing of this commit will be written; look on for the index to name */
		rc = follows(change, i, row, &follow);
		if (rc || !follow)
			continue;
		/* An old item may not fit: it was there before the index, and has no entry. */
		if (from->item && entry_locate(from, index, change->table->id, &old) == RC_NO_MEMORY)
			rc = RC_NO_MEMORY;
		else if (differ(index, from, &old, to, &new))
			rc = entry_change(change, index, &old, &new, birth);
	}
	entry_free(&old);
	entry_free(&new);
	return rc;
}

static bool is_indexed(const struct change *change)
{
	return change->schema->count > 0;
}

enum rc change_put_over(struct change *change, const struct buf *row, const struct image *old, const struct key *pk, const struct key *sk,
			struct head *head, const struct item *item)
{
	cleanup_item struct item *old_item = NULL;
	enum rc rc = old && is_indexed(change) ? document_stored(&old->document, &old_item) : RC_OK;
	if (rc)
		return rc;
	head->version = txn_sequence(change->txn);
	head->meta.ctime = txn_now(change->txn);
	const struct schema *schema = change->schema;
	struct entry_source from = {schema, pk, sk, old_item}, to = {schema, pk, sk, item};
	rc = entries_change(change, row, &from, &to, head->birth);
	if (!rc && !old)
		rc = change_names(change, pk, 1, 0, &head->meta);
	if (rc)
		return rc;
	if (!count(&change->counters.items, !old) ||
	    !count(&change->counters.bytes, (int64_t)head->measure - (old ? (int64_t)old->head.measure : 0)))
		return RC_CORRUPT;
	change->units += write_units(old ? old->head.measure : 0, head->measure);
	image_store(change->txn, row, head, item->document, old && image_has_body(&old->head));
	return RC_OK;
}

enum rc change_put(struct change *change, const struct key *pk, const struct key *sk, struct head *head, const struct item *item)
{
	uint8_t key_room[ROW_KEY_ROOM], document_room[ROW_INLINE_MAX];
	cleanup_buf struct buf row = BUF_IN(key_room);
	cleanup_image struct image old = {.document = BUF_IN(document_room)};
	row_item(&row, change->table->id, pk, sk, false);
	enum rc rc = image_load(change->txn, &row, is_indexed(change), &old);
	if (rc && rc != RC_NOT_FOUND)
		return rc;
	return change_put_over(change, &row, rc ? NULL : &old, pk, sk, head, item);
}

enum rc change_delete(struct change *change, const struct buf *row, const struct image *old, const struct key *pk, const struct key *sk)
{
	cleanup_item struct item *old_item = NULL;
	enum rc rc = is_indexed(change) ? document_stored(&old->document, &old_item) : RC_OK;
	const struct schema *schema = change->schema;
	struct entry_source from = {schema, pk, sk, old_item}, to = {schema, pk, sk, NULL};
	if (!rc)
		rc = entries_change(change, row, &from, &to, 0);
	if (!rc)
		rc = change_names(change, pk, -1, 0, &old->head.meta);
	if (rc)
		return rc;
	if (!count(&change->counters.items, -1) || !count(&change->counters.bytes, -(int64_t)old->head.measure))
		return RC_CORRUPT;
	change->units += write_units(old->head.measure, 0);
	image_delete(change->txn, row, image_has_body(&old->head));
	return RC_OK;
}
