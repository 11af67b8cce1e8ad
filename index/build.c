/* build: GSIs that come are filled before they are part of the table, those that go are left to the collector; everything else of the definition
 * takes effect in the same commit.
 *
 * An item that was there before an index and does not fit it (wrong type, empty, too long) is skipped, as DynamoDB's backfill does: it has no entry until it is
 * written again, and then it must fit. SEMANTICS.md 6.2. */
#include "index/document.h"
#include "index/redefine.h"
#include "index/change.h"
#include <stdlib.h>
#include <string.h>

/* Which of the new definition's indexes have to be filled, and which of the old one's go. */
struct plan {
	bool fresh[CATALOG_INDEXES_MAX]; /* by place in the new schema */
	bool gone[CATALOG_INDEXES_MAX];  /* by place in the old one */
	size_t fresh_count;
	struct redefinition *r;
};

static void make_plan(struct plan *plan)
{
	struct schema *new = plan->r->schema;
	const struct schema *old = plan->r->table->schema;
	memset(plan->gone, true, sizeof plan->gone);
	for (size_t i = 0; i < new->count; i++) {
		const struct schema_index *same = schema_find_index(old, new->indexes[i].name);
		plan->fresh[i] = !same || !schema_index_equal(same, &new->indexes[i]);
		if (plan->fresh[i]) {
			new->indexes[i].id = plan->r->next_index++;
			plan->fresh_count++;
		} else {
			new->indexes[i].id = same->id;
			plan->gone[same - old->indexes] = false;
		}
	}
}

static void dead_index(struct txn *txn, uint32_t table, uint32_t index, bool dead)
{
	cleanup_buf struct buf row = {0}, nothing = {0};
	row_dead(&row, table, index);
	if (dead)
		txn_put(txn, &row, &nothing);
	else
		txn_delete(txn, &row);
}

/* The ids are taken, and what will stand under them is dead until the flip. */
static enum rc begin_commit(struct txn *txn, void *context)
{
	struct plan *plan = context;
	struct table_record record = plan->r->record;
	record.next_index = plan->r->next_index;
	definition_store(txn, plan->r->table->id, &record);
	for (size_t i = 0; i < plan->r->schema->count; i++)
		if (plan->fresh[i])
			dead_index(txn, plan->r->table->id, plan->r->schema->indexes[i].id, true);
	return RC_OK;
}

static enum rc flip_commit(struct txn *txn, void *context)
{
	struct plan *plan = context;
	struct redefinition *r = plan->r;
	const struct schema *old = r->table->schema;
	struct table_record record = r->record;
	struct change change;
	enum rc rc = change_begin(&change, txn, r->table, r->why);
	if (!rc && r->write->from)
		rc = leaf_delete(&change, r->write->from);
	if (rc)
		return rc;
	for (size_t i = 0; i < old->count; i++) {
		if (!plan->gone[i])
			continue;
		counters_drop(&change.counters, old->indexes[i].id);
		dead_index(txn, r->table->id, old->indexes[i].id, true);
	}
	for (size_t i = 0; i < r->schema->count; i++) {
		if (!plan->fresh[i])
			continue;
		dead_index(txn, r->table->id, r->schema->indexes[i].id, false);
		struct index_counters *filled = counters_of(&r->counters, r->schema->indexes[i].id);
		struct index_counters *kept = counters_of(&change.counters, r->schema->indexes[i].id);
		if (filled && kept)
			*kept = *filled;
	}
	redefine_record(r, txn, &record, &change.counters);
	definition_store(txn, r->table->id, &record);
	change_end(&change);
	return RC_OK;
}

static enum rc fill_from(struct plan *plan, const uint8_t *row, size_t n, const uint8_t *value, size_t value_n, struct buf *document,
			 struct entry *entry)
{
	struct redefinition *r = plan->r;
	struct key pk, sk;
	struct head head;
	const uint8_t *in;
	cleanup_item struct item *item = NULL;
	bool has_sk = schema_has_sort(r->schema);
	enum rc rc = row_parse_item(row, n, has_sk, &pk, &sk);
	if (!rc)
		rc = head_read(value, value_n, &head, &in);
	if (!rc)
		rc = redefine_body(r, row, n, &head, in, document);
	if (!rc)
		rc = document_stored(document, &item);
	struct entry_source source = {r->schema, &pk, has_sk ? &sk : NULL, item};
	for (size_t i = 0; i < r->schema->count && !rc; i++) {
		if (!plan->fresh[i])
			continue;
		rc = entry_make(&source, &r->schema->indexes[i], r->table->id, entry, NULL);
		if (!rc && entry->present)
			rc = redefine_stage_entry(r, entry, &r->schema->indexes[i]);
		else if (rc == RC_REFUSED)
			rc = RC_OK; /* skipped */
	}
	return rc;
}

static enum rc fill(struct plan *plan)
{
	struct redefinition *r = plan->r;
	cleanup_buf struct buf low = {0}, high = {0}, document = {0};
	struct entry entry = {0};
	struct store_cursor *cursor = NULL;
	r->counters.indexes = 0; /* from here on, of the fresh ones only */
	row_item(&low, r->table->id, NULL, NULL, false);
	row_item(&high, r->table->id, NULL, NULL, false);
	row_after(&high);
	enum rc rc = rows_cursor(r->table->volume->store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n;
		const uint8_t *row = store_cursor_key(cursor, &n);
		const uint8_t *value = store_cursor_value(cursor, &value_n);
		rc = fill_from(plan, row, n, value, value_n, &document, &entry);
	}
	store_cursor_close(cursor);
	entry_free(&entry);
	return rc == RC_NOT_FOUND ? redefine_flush(r, true) : rc;
}

enum rc build(struct redefinition *r)
{
	struct plan plan = {.r = r};
	make_plan(&plan);
	enum rc rc = RC_OK;
	if (plan.fresh_count)
		rc = commit_run(r->table->volume, begin_commit, &plan, 0);
	if (!rc && plan.fresh_count)
		rc = fill(&plan);
	return rc ? rc : commit_run(r->table->volume, flip_commit, &plan, r->write->durable ? COMMIT_DURABLE : 0);
}
