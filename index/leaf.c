/* leaf: see leaf.h. Documents are parsed and checked in the caller's thread; only what must see the stored item runs in the queue. */
#include "index/leaf.h"
#include "index/change.h"
#include "index/document.h"
#include "index/refusals.h"
#include <string.h>

const struct key *leaf_sort_key(const struct leaf *leaf)
{
	return leaf->has_sk ? &leaf->sk : NULL;
}

void leaf_row(const struct leaf *leaf, struct buf *row)
{
	if (leaf->kind == LEAF_ITEM)
		row_item(row, leaf->table->id, &leaf->pk, leaf_sort_key(leaf), false);
	else
		row_file(row, leaf->table->id, leaf->in_partition ? &leaf->pk : NULL, leaf->name, strlen(leaf->name), false);
}

static void body_row(const struct leaf *leaf, struct buf *row)
{
	if (leaf->kind == LEAF_ITEM)
		row_item(row, leaf->table->id, &leaf->pk, leaf_sort_key(leaf), true);
	else
		row_file(row, leaf->table->id, leaf->in_partition ? &leaf->pk : NULL, leaf->name, strlen(leaf->name), true);
}

static enum rc enter(const struct leaf *leaf)
{
	return leaf->kind == LEAF_NONE ? RC_NOT_FOUND : table_enter(leaf->table);
}

static enum rc enter_to_change(const struct leaf *leaf)
{
	return leaf->kind == LEAF_NONE ? RC_NOT_FOUND : table_enter_to_change(leaf->table);
}

static enum rc get_at(const struct leaf *leaf, const struct store_snapshot *at, struct head *ret_head, struct buf *ret_document)
{
	struct store *store = leaf->table->volume->store;
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	const uint8_t *in;
	struct head head;
	leaf_row(leaf, &row);
	enum rc rc = row_get(leaf->table->volume, at, &row, !ret_document, &value); /* who asks for a head alone is about to do something with it */
	if (!rc)
		rc = head_read(value.data, value.len, &head, &in);
	if (rc)
		return rc;
	if (ret_document && in) {
		buf_add(ret_document, in, head.size);
	} else if (ret_document) {
		size_t before = ret_document->len;
		buf_clear(&row);
		body_row(leaf, &row);
		rc = store_get(store, at, row.data, row.len, ret_document);
		if (rc == RC_NOT_FOUND || (!rc && ret_document->len - before != head.size))
			rc = RC_CORRUPT;
	}
	if (!rc && ret_document && ret_document->failed)
		rc = RC_NO_MEMORY;
	if (!rc)
		*ret_head = head;
	return rc;
}

/* Whether its partition says that it has no plain files; as the commit sees it, or (txn NULL) as it is now. Most have none, and all that writes a file under a temporary name
 * first asks for one. */
static bool is_among_none(const struct leaf *leaf, struct txn *txn)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	struct partition_record record;
	if (leaf->kind != LEAF_FILE || !leaf->in_partition)
		return false;
	row_partition(&row, leaf->table->id, &leaf->pk);
	enum rc rc = txn ? txn_get(txn, &row, &value) : row_get(leaf->table->volume, NULL, &row, true, &value);
	return rc == RC_OK && partition_read(value.data, value.len, &record) == RC_OK && !record.files;
}

enum rc leaf_get(const struct leaf *leaf, const struct view *view, struct head *ret_head, struct buf *ret_document)
{
	enum rc rc = enter(leaf);
	if (rc)
		return rc;
	struct store *store = leaf->table->volume->store;
	struct store_snapshot *own = NULL;
	view = table_view(leaf->table, view);
	rc = !view && !ret_document && is_among_none(leaf, NULL) ? RC_NOT_FOUND : get_at(leaf, view_snapshot(view), ret_head, ret_document);
	if (rc == RC_CORRUPT && !view) {
		/* Head and body are two reads: a commit may have come between. Only what is wrong in one view is corrupt. */
		rc = store_snapshot_take(store, &own);
		if (!rc) {
			if (ret_document)
				buf_clear(ret_document);
			rc = get_at(leaf, own, ret_head, ret_document);
		}
		store_snapshot_release(store, own);
	}
	if (!rc && ret_document && leaf->kind == LEAF_ITEM)
		usage_add(leaf->table, 0, usage_units(ret_head->measure, USAGE_READ_UNIT), 0);
	table_leave(leaf->table);
	return rc;
}

/* The document as an item, and then enter(), if that went well: the item is the caller's either way. */
static enum rc enter_with(const struct leaf *leaf, const void *document, size_t len, struct item **ret_item, struct why *why)
{
	enum rc rc = item_parse(document, len, ret_item, why);
	return rc ? rc : enter(leaf);
}

enum rc leaf_resolve(struct leaf *leaf, bool pk, bool sk, const void *document, size_t len, struct why *why)
{
	cleanup_item struct item *item = NULL;
	enum rc rc = enter_with(leaf, document, len, &item, why);
	if (rc)
		return rc;
	const struct schema_key *key = &leaf->table->schema->key;
	if (pk)
		rc = document_key(item, &key->partition[0], KEY_PARTITION, &leaf->pk, why);
	if (!rc && sk)
		rc = schema_has_sort(leaf->table->schema) ? document_key(item, &key->sort[0], KEY_SORT, &leaf->sk, why) : RC_STALE;
	table_leave(leaf->table);
	return rc;
}

enum rc leaf_rekey(const struct leaf *leaf, const void *document, size_t len, struct buf *out, struct why *why)
{
	cleanup_item struct item *item = NULL;
	enum rc rc = enter_with(leaf, document, len, &item, why);
	if (rc)
		return rc;
	document_rekey(leaf->table->schema, &leaf->pk, leaf_sort_key(leaf), item, out);
	table_leave(leaf->table);
	return out->failed ? RC_NO_MEMORY : RC_OK;
}

static void add_member(struct buf *out, const struct schema_attribute *attribute, const struct key *key)
{
	buf_add_json_string(out, attribute->name, attribute->name_len);
	buf_add_byte(out, ':');
	key_json(key, out);
}

enum rc leaf_key_json(const struct leaf *leaf, struct buf *out)
{
	enum rc rc = enter(leaf);
	if (rc)
		return rc;
	const struct schema_key *key = &leaf->table->schema->key;
	buf_add_byte(out, '{');
	add_member(out, &key->partition[0], &leaf->pk);
	if (leaf->has_sk && key->sorts) {
		buf_add_byte(out, ',');
		add_member(out, &key->sort[0], &leaf->sk);
	}
	buf_add_byte(out, '}');
	table_leave(leaf->table);
	return out->failed ? RC_NO_MEMORY : RC_OK;
}

struct writing {
	const struct leaf *leaf;
	const struct leaf_write *write;
	const struct item *item; /* parsed; items only */
	uint32_t measure;
	struct why *why;
	struct head head;      /* out */
	struct refusal_kept kept; /* out: the bytes that an emptying replaced */
};

static enum rc condition(const struct leaf_write *write, bool there, const struct head *old)
{
	if (write->condition == LEAF_ABSENT && there)
		return RC_EXISTS;
	if (write->condition >= LEAF_SAME && (!there || old->birth != write->birth))
		return RC_STALE;
	if (write->condition == LEAF_UNCHANGED && old->version > write->version)
		return RC_STALE;
	return RC_OK;
}

enum rc leaf_has_partition(struct txn *txn, const struct leaf *leaf)
{
	uint8_t key_room[ROW_KEY_ROOM], value_room[ROW_VALUE_ROOM];
	cleanup_buf struct buf row = BUF_IN(key_room), value = BUF_IN(value_room);
	row_partition(&row, leaf->table->id, &leaf->pk);
	return txn_get(txn, &row, &value);
}

enum rc leaf_load(struct txn *txn, const struct leaf *leaf, const struct buf *row, struct image *ret_image)
{
	return image_load(txn, row, leaf->kind == LEAF_ITEM && leaf->table->schema->count, ret_image);
}

enum rc leaf_put_file(struct change *change, const struct leaf *leaf, const struct buf *row, const struct image *old, struct head *head, const void *bytes)
{
	head->version = txn_sequence(change->txn);
	head->meta.ctime = txn_now(change->txn);
	image_store(change->txn, row, head, bytes, old && image_has_body(&old->head));
	return old ? RC_OK : change_names(change, leaf->in_partition ? &leaf->pk : NULL, 0, 1, &head->meta);
}

enum rc leaf_delete(struct change *change, const struct leaf *leaf, const struct buf *row, const struct image *old)
{
	if (leaf->kind == LEAF_ITEM)
		return change_delete(change, row, old, &leaf->pk, leaf_sort_key(leaf));
	image_delete(change->txn, row, image_has_body(&old->head));
	return change_names(change, leaf->in_partition ? &leaf->pk : NULL, 0, -1, &old->head.meta);
}

static enum rc write_commit(struct txn *txn, void *context)
{
	struct writing *w = context;
	const struct leaf_write *write = w->write;
	struct change change;
	uint8_t key_room[ROW_KEY_ROOM], document_room[ROW_INLINE_MAX];
	cleanup_buf struct buf row = BUF_IN(key_room);
	cleanup_image struct image old = {.document = BUF_IN(document_room)};
	leaf_row(w->leaf, &row);
	bool is_item = w->leaf->kind == LEAF_ITEM, emptying = is_item && !write->len;
	enum rc rc = write->condition == LEAF_ABSENT && is_among_none(w->leaf, txn)
			     ? RC_NOT_FOUND
			     : image_load(txn, &row, emptying || (is_item && w->leaf->table->schema->count), &old);
	bool there = rc == RC_OK;
	if (rc && rc != RC_NOT_FOUND)
		return rc;
	rc = condition(write, there, &old.head);
	if (!rc)
		rc = change_begin(&change, txn, w->leaf->table, w->why);
	if (rc)
		return rc;
	change.appeared = write->appeared;
	w->head = old.head;
	if (!there) {
		w->head = (struct head){.birth = txn_sequence(txn), .meta = *write->fresh};
	} else if (write->mtime_set) {
		w->head.meta.mtime = write->mtime;
	}
	w->head.size = (uint32_t)write->len;
	w->head.measure = w->measure;
	if (is_item)
		rc = change_put_over(&change, &row, there ? &old : NULL, &w->leaf->pk, leaf_sort_key(w->leaf), &w->head, w->item);
	else
		rc = leaf_put_file(&change, w->leaf, &row, there ? &old : NULL, &w->head, write->document);
	if (!rc && there && emptying && old.head.size && write->actor)
		rc = refusals_keep(txn, w->leaf->table->volume, write->actor, old.document.data, old.document.len, &w->kept);
	if (!rc)
		change_end(&change);
	return rc;
}

/* With the gate held. */
enum rc leaf_parse(const struct leaf *leaf, const void *document, size_t len, struct item **ret_item, uint32_t *ret_measure,
			 struct why *why)
{
	struct item *item;
	enum rc rc = item_parse(document, len, &item, why);
	if (rc)
		return rc;
	rc = document_check_new(leaf->table->schema, &leaf->pk, leaf_sort_key(leaf), item, ret_measure, why);
	if (rc)
		item_free(item);
	else
		*ret_item = item;
	return rc;
}

/* An address whose shape is not the table's: its definition changed since it was made. */
bool leaf_fits(const struct leaf *leaf)
{
	const struct schema *schema = leaf->table->schema;
	bool item = leaf->kind == LEAF_ITEM;
	if (leaf->in_partition && leaf->pk.type != schema->key.partition[0].type && (leaf->pk.type != KEY_PENDING || (item && schema->declared)))
		return false;
	if (!item)
		return true;
	if (leaf->has_sk != schema_has_sort(schema))
		return false;
	return !leaf->has_sk || leaf->sk.type == schema->key.sort[0].type || (leaf->sk.type == KEY_PENDING && !schema->declared);
}

enum rc leaf_write(const struct leaf *leaf, const struct leaf_write *write, struct head *ret_head, struct why *why)
{
	cleanup_item struct item *item = NULL;
	struct writing w = {.leaf = leaf, .write = write, .why = why};
	if (write->len > ITEM_DOCUMENT_MAX)
		return why_set(why, RC_TOO_BIG, "%zu bytes; a file holds at most %d", write->len, ITEM_DOCUMENT_MAX);
	enum rc rc = enter_to_change(leaf);
	if (rc)
		return rc;
	struct volume *volume = leaf->table->volume;
	rc = leaf_fits(leaf) ? RC_OK : RC_STALE;
	if (!rc && leaf->kind == LEAF_ITEM)
		rc = leaf_parse(leaf, write->document, write->len, &item, &w.measure, why);
	w.item = item;
	if (!rc)
		rc = commit_run(volume, write_commit, &w, write->durable ? COMMIT_DURABLE : 0);
	table_leave(leaf->table);
	if (!rc && w.kept.id)
		refusals_kept(volume, &w.kept);
	if (!rc && ret_head)
		*ret_head = w.head;
	return rc;
}

enum rc leaf_check(const struct leaf *leaf, const void *document, size_t len, struct why *why)
{
	cleanup_item struct item *item = NULL;
	uint32_t measure;
	enum rc rc = enter(leaf);
	if (rc)
		return rc;
	rc = leaf_fits(leaf) ? leaf_parse(leaf, document, len, &item, &measure, why) : RC_STALE;
	table_leave(leaf->table);
	return rc;
}

struct removing {
	const struct leaf *leaf;
	struct head head; /* out */
};

static enum rc remove_commit(struct txn *txn, void *context)
{
	struct removing *r = context;
	struct change change;
	uint8_t key_room[ROW_KEY_ROOM], document_room[ROW_INLINE_MAX];
	cleanup_buf struct buf row = BUF_IN(key_room);
	cleanup_image struct image old = {.document = BUF_IN(document_room)};
	leaf_row(r->leaf, &row);
	enum rc rc = leaf_load(txn, r->leaf, &row, &old);
	if (!rc)
		rc = change_begin(&change, txn, r->leaf->table, NULL);
	if (!rc)
		rc = leaf_delete(&change, r->leaf, &row, &old);
	if (rc)
		return rc;
	change_end(&change);
	r->head = old.head;
	return RC_OK;
}

enum rc leaf_remove(const struct leaf *leaf, struct head *ret_head)
{
	struct removing removing = {.leaf = leaf};
	enum rc rc = enter_to_change(leaf);
	if (rc)
		return rc;
	rc = leaf_fits(leaf) ? commit_run(leaf->table->volume, remove_commit, &removing, COMMIT_FREES) : RC_NOT_FOUND;
	table_leave(leaf->table);
	if (!rc && ret_head)
		*ret_head = removing.head;
	return rc;
}

struct touching {
	const struct leaf *leaf;
	const struct meta_change *change;
	struct head head;
};

static enum rc touch_commit(struct txn *txn, void *context)
{
	struct touching *t = context;
	cleanup_buf struct buf row = {0}, value = {0}, changed = {0};
	const uint8_t *in;
	leaf_row(t->leaf, &row);
	enum rc rc = txn_get(txn, &row, &value);
	if (!rc)
		rc = head_read(value.data, value.len, &t->head, &in);
	if (rc)
		return rc;
	meta_apply(&t->head.meta, t->change, txn_now(txn));
	head_write(&changed, &t->head, in);
	txn_put(txn, &row, &changed);
	return RC_OK;
}

enum rc leaf_set_meta(const struct leaf *leaf, const struct meta_change *change, struct head *ret_head)
{
	struct touching touching = {leaf, change, {.size = 0}};
	enum rc rc = enter_to_change(leaf);
	if (rc)
		return rc;
	rc = leaf_fits(leaf) ? commit_run(leaf->table->volume, touch_commit, &touching, 0) : RC_NOT_FOUND;
	table_leave(leaf->table);
	if (!rc && ret_head)
		*ret_head = touching.head;
	return rc;
}
