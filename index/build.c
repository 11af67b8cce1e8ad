/* build: GSIs come and go, and everything else of the definition takes effect, in one commit.
 *
 * A GSI that is added is recorded as being filled. That happens in the background (backfill.h), but for the first batch, which is part of the commit:
 * so nobody ever sees an index of a small table that cannot be read. A GSI that is dropped is recorded as dead, whether it was filled already or not,
 * and the collector frees its space. The others keep their numbers, and how far they are filled.
 */
#include "index/redefine.h"
#include "index/change.h"
#include "index/worker.h"
#include <string.h>

/* Which of the new definition's indexes are new, and which of the old one's go. */
struct plan {
	bool fresh[CATALOG_INDEXES_MAX]; /* by place in the new schema */
	bool gone[CATALOG_INDEXES_MAX];  /* by place in the old one */
	struct redefinition *r;
};

static uint32_t bit_of(uint32_t bits, size_t from, size_t to)
{
	return (bits >> from & 1) << to;
}

static void make_plan(struct plan *plan)
{
	struct redefinition *r = plan->r;
	struct schema *new = r->schema;
	const struct schema *old = r->table->schema;
	memset(plan->gone, true, sizeof plan->gone);
	for (size_t i = 0; i < new->count; i++) {
		const struct schema_index *same = schema_find_index(old, new->indexes[i].name);
		plan->fresh[i] = !same || !schema_index_equal(same, &new->indexes[i]);
		if (plan->fresh[i]) {
			new->indexes[i].id = r->next_index++;
			r->building |= 1u << i;
			r->young |= 1u << i;
		} else {
			size_t place = (size_t)(same - old->indexes);
			new->indexes[i].id = same->id;
			plan->gone[place] = false;
			r->building |= bit_of(r->table->building, place, i);
			r->young |= bit_of(r->table->young, place, i);
		}
	}
}

static void bury_index(struct txn *txn, uint32_t table, uint32_t index)
{
	cleanup_buf struct buf row = {0}, nothing = {0};
	row_dead(&row, table, index);
	txn_put(txn, &row, &nothing);
	backfill_forget(txn, table, index);
}

static enum rc first_batch(struct redefinition *r, struct change *change)
{
	struct filling filling = {.schema = r->schema, .building = r->building, .limit = BACKFILL_BATCH};
	enum rc rc = r->building ? backfill_within(change, &filling) : RC_OK;
	r->building &= ~filling.finished;
	return rc;
}

/* The plain file that the definition comes from, by a rename. */
static enum rc remove_file(struct change *change, const struct leaf *file)
{
	cleanup_buf struct buf row = {0};
	cleanup_image struct image old = {0};
	leaf_row(file, &row);
	enum rc rc = leaf_load(change->txn, file, &row, &old);
	return rc ? rc : leaf_delete(change, file, &row, &old);
}

static enum rc flip_commit(struct txn *txn, void *context)
{
	struct plan *plan = context;
	struct redefinition *r = plan->r;
	const struct schema *old = r->table->schema;
	uint32_t table = r->table->id;
	struct table_record record = r->record;
	struct change change;
	enum rc rc = change_begin(&change, txn, r->table, r->why);
	if (!rc && r->write->from)
		rc = remove_file(&change, r->write->from);
	if (rc)
		return rc;
	for (size_t i = 0; i < old->count; i++) {
		if (!plan->gone[i])
			continue;
		counters_drop(&change.counters, old->indexes[i].id);
		bury_index(txn, table, old->indexes[i].id);
	}
	for (size_t i = 0; i < r->schema->count; i++)
		if (plan->fresh[i])
			backfill_begin(txn, table, r->schema->indexes[i].id);
	redefine_record(r, txn, &record, &change.counters);
	definition_store(txn, table, &record);
	change.schema = r->schema;
	rc = first_batch(r, &change);
	if (!rc)
		change_end(&change);
	return rc;
}

enum rc redefine_build(struct redefinition *r)
{
	struct plan plan = {.r = r};
	unsigned flags = COMMIT_ALONE | (r->write->durable ? COMMIT_DURABLE : 0);
	make_plan(&plan);
	if (!r->building && r->schema->count < r->table->schema->count)
		flags |= COMMIT_FREES;
	return commit_run(r->table->volume, flip_commit, &plan, flags);
}
