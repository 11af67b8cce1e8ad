/* leaf_move: items and plain files change places: rename and exchange (leaf.h). */
#include "index/leaf.h"
#include "index/change.h"
#include "index/document.h"
#include <string.h>

struct moving {
	const struct leaf *from, *to;
	const struct leaf_move *move;
	struct head head; /* out */
	struct why *why;
};

/* The target's document: the source's, with its key attributes set to the target's where an item takes another key. */
static enum rc rekeyed(const struct leaf *from, const struct leaf *to, const struct buf *document, struct buf *ret_document, struct why *why)
{
	cleanup_item struct item *item = NULL;
	if (from->kind != LEAF_ITEM || to->kind != LEAF_ITEM) {
		buf_add(ret_document, document->data, document->len);
		return ret_document->failed ? RC_NO_MEMORY : RC_OK;
	}
	enum rc rc = item_parse(document->data, document->len, &item, why);
	if (rc)
		return rc;
	document_rekey(to->table->schema, &to->pk, leaf_sort_key(to), item, ret_document);
	return ret_document->failed ? RC_NO_MEMORY : RC_OK;
}

/* Puts the bytes at `to`, over what is there (leaf_load(); NULL: nothing is). */
static enum rc put(struct change *change, const struct leaf *to, const struct buf *row, const struct image *old, struct head *head, const struct buf *document)
{
	cleanup_item struct item *item = NULL;
	head->size = (uint32_t)document->len;
	head->measure = 0;
	if (document->len > ITEM_DOCUMENT_MAX)
		return RC_TOO_BIG;
	if (to->kind == LEAF_FILE)
		return leaf_put_file(change, to, row, old, head, document->data);
	enum rc rc = old ? RC_OK : leaf_has_partition(change->txn, to);
	if (!rc)
		rc = leaf_parse(to, document->data, document->len, &item, &head->measure, change->why);
	return rc ? rc : change_put_over(change, row, old, &to->pk, leaf_sort_key(to), head, item);
}

static void wrote(struct head *head, const struct leaf_newer *now)
{
	if (now->document && now->mtime_set)
		head->meta.mtime = now->mtime;
}

static enum rc move_commit(struct txn *txn, void *context)
{
	struct moving *m = context;
	struct change out, in, *into = m->from->table == m->to->table ? &out : &in;
	uint8_t from_room[ROW_KEY_ROOM], to_room[ROW_KEY_ROOM], document_room[ROW_INLINE_MAX];
	cleanup_buf struct buf from_row = BUF_IN(from_room), to_row = BUF_IN(to_room), document = BUF_IN(document_room);
	cleanup_image struct image source = {0}, target = {0};
	leaf_row(m->from, &from_row);
	leaf_row(m->to, &to_row);
	enum rc rc = image_load(txn, &from_row, true, &source);
	if (rc)
		return rc;
	enum rc there = leaf_load(txn, m->to, &to_row, &target);
	if (there && there != RC_NOT_FOUND)
		return there;
	if (!there && m->move->noreplace)
		return RC_EXISTS;
	rc = rekeyed(m->from, m->to, m->move->now.document ? m->move->now.document : &source.document, &document, m->why);
	if (!rc)
		rc = change_begin(&out, txn, m->from->table, m->why);
	if (!rc && into == &in)
		rc = change_begin(&in, txn, m->to->table, m->why);
	m->head = source.head;
	wrote(&m->head, &m->move->now);
	/* The new name comes before the old one goes, so that an implicit partition of both stays. */
	if (!rc)
		rc = put(into, m->to, &to_row, there ? NULL : &target, &m->head, &document);
	bool same = from_row.len == to_row.len && memcmp(from_row.data, to_row.data, to_row.len) == 0;
	if (!rc && !same)
		rc = leaf_delete(&out, m->from, &from_row, &source);
	if (rc)
		return rc;
	change_end(&out);
	if (into == &in)
		change_end(&in);
	return RC_OK;
}

/* Both gates, in the order of their addresses; one where it is one table. */
static enum rc enter_both(const struct leaf *from, const struct leaf *to)
{
	if (from->kind == LEAF_NONE || to->kind == LEAF_NONE)
		return RC_NOT_FOUND;
	struct table *a = from->table, *b = to->table, *first = a < b ? a : b, *second = a < b ? b : a;
	enum rc rc = table_enter_to_change(first);
	if (rc || first == second)
		return rc;
	rc = table_enter_to_change(second);
	if (rc)
		table_leave(first);
	return rc;
}

/* A commit that is about two leaves. */
static enum rc run_with_both(const struct leaf *a, const struct leaf *b, commit_fn *fn, void *context)
{
	enum rc rc = enter_both(a, b);
	if (rc)
		return rc;
	rc = leaf_fits(a) && leaf_fits(b) ? RC_OK : RC_NOT_FOUND;
	if (!rc)
		rc = commit_run(a->table->volume, fn, context, 0);
	table_leave(a->table);
	if (b->table != a->table)
		table_leave(b->table);
	return rc;
}

enum rc leaf_rename(const struct leaf *from, const struct leaf *to, const struct leaf_move *move, struct head *ret_head,
		    struct why *why)
{
	struct moving moving = {.from = from, .to = to, .move = move, .why = why};
	enum rc rc = run_with_both(from, to, move_commit, &moving);
	if (!rc && ret_head)
		*ret_head = moving.head;
	return rc;
}

struct exchanging {
	const struct leaf *leaf[2];
	struct leaf_newer now[2];
	struct why *why;
};

static enum rc exchange_commit(struct txn *txn, void *context)
{
	struct exchanging *e = context;
	struct change change[2];
	cleanup_buf struct buf row_a = {0}, row_b = {0}, for_b = {0}, for_a = {0};
	cleanup_image struct image a = {0}, b = {0};
	struct change *at_b = e->leaf[0]->table == e->leaf[1]->table ? &change[0] : &change[1];
	leaf_row(e->leaf[0], &row_a);
	leaf_row(e->leaf[1], &row_b);
	enum rc rc = image_load(txn, &row_a, true, &a);
	if (!rc)
		rc = image_load(txn, &row_b, true, &b);
	if (!rc)
		rc = rekeyed(e->leaf[0], e->leaf[1], e->now[0].document ? e->now[0].document : &a.document, &for_b, e->why);
	if (!rc)
		rc = rekeyed(e->leaf[1], e->leaf[0], e->now[1].document ? e->now[1].document : &b.document, &for_a, e->why);
	if (!rc)
		rc = change_begin(&change[0], txn, e->leaf[0]->table, e->why);
	if (!rc && at_b != &change[0])
		rc = change_begin(at_b, txn, e->leaf[1]->table, e->why);
	struct head to_b = a.head, to_a = b.head;
	wrote(&to_b, &e->now[0]);
	wrote(&to_a, &e->now[1]);
	if (!rc)
		rc = put(&change[0], e->leaf[0], &row_a, &a, &to_a, &for_a);
	if (!rc)
		rc = put(at_b, e->leaf[1], &row_b, &b, &to_b, &for_b);
	if (rc)
		return rc;
	change_end(&change[0]);
	if (at_b != &change[0])
		change_end(at_b);
	return RC_OK;
}

enum rc leaf_exchange(const struct leaf *a, const struct leaf *b, const struct leaf_newer *a_now, const struct leaf_newer *b_now, struct why *why)
{
	struct exchanging exchanging = {.leaf = {a, b}, .why = why};
	if (a_now)
		exchanging.now[0] = *a_now;
	if (b_now)
		exchanging.now[1] = *b_now;
	return run_with_both(a, b, exchange_commit, &exchanging);
}
