/* import_commit: what was gathered, put in one commit, every index with it; and told. */
#include "index/change.h"
#include "index/import_private.h"
#include <stdlib.h>

struct putting {
	struct import *import;
	const struct meta *fresh;
	struct why *why;
	uint64_t sequence; /* out */
};

/* Whether one of our own commits wrote it: then the file holds its key twice. */
static bool is_ours(const struct import *import, uint64_t version, uint64_t now)
{
	size_t low = 0, high = import->sequence_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (import->sequences[middle] < version)
			low = middle + 1;
		else
			high = middle;
	}
	return version == now || (low < import->sequence_count && import->sequences[low] == version);
}

static enum rc put_item(struct putting *p, struct change *change, size_t i)
{
	struct import_batch *batch = &p->import->batch;
	struct import_item *item = &batch->items[i];
	struct key pk, sk;
	cleanup_buf struct buf row = {0};
	cleanup_image struct image old = {0};
	cleanup_item struct item *parsed = NULL;
	if (!import_key(p->import, i, &pk, &sk))
		return RC_CORRUPT;
	const struct key *sort = schema_has_sort(batch->schema) ? &sk : NULL;
	row_item(&row, batch->table, &pk, sort, false);
	enum rc rc = image_load(change->txn, &row, false, &old);
	item->put.fresh = rc == RC_NOT_FOUND;
	if (rc && !item->put.fresh)
		return rc;
	rc = item_parse(batch->documents.data + item->document, item->len, &parsed, p->why);
	if (rc)
		return rc;
	int64_t now = txn_now(change->txn);
	struct head head = old.head;
	if (item->put.fresh) {
		head = (struct head){.birth = txn_sequence(change->txn), .meta = *p->fresh};
		head.meta.atime = now;
		batch->created++;
	} else if (is_ours(p->import, head.version, txn_sequence(change->txn))) {
		batch->duplicates++;
	} else {
		batch->replaced++;
	}
	head.meta.mtime = now;
	head.size = (uint32_t)item->len;
	head.measure = item->measure;
	item->put.birth = head.birth;
	uint64_t partitions = change->counters.partitions;
	rc = change_put(change, &pk, sort, &head, parsed);
	item->put.founded = change->counters.partitions > partitions;
	return rc;
}

static enum rc put_commit(struct txn *txn, void *context)
{
	struct putting *p = context;
	struct import_batch *batch = &p->import->batch;
	struct change change;
	batch->created = batch->replaced = batch->duplicates = 0;
	p->sequence = txn_sequence(txn);
	enum rc rc = change_begin(&change, txn, p->import->table, p->why);
	for (size_t i = 0; !rc && i < batch->count; i++)
		if (!batch->items[i].refused)
			rc = put_item(p, &change, i);
	if (!rc)
		change_end(&change);
	return rc;
}

static enum rc remember(struct import *import, uint64_t sequence)
{
	if (import->sequence_count == import->sequence_cap) {
		size_t cap = import->sequence_cap ? import->sequence_cap * 2 : 16;
		uint64_t *grown = realloc(import->sequences, cap * sizeof *grown);
		if (!grown)
			return RC_NO_MEMORY;
		import->sequences = grown;
		import->sequence_cap = cap;
	}
	import->sequences[import->sequence_count++] = sequence;
	return RC_OK;
}

/* Tells of what was refused; of a file that goes in batches the records themselves are kept, too. */
static enum rc tell(struct import *import, size_t refused, uint64_t sequence)
{
	struct import_batch *batch = &import->batch;
	struct import_report *report = &import->report;
	enum rc rc = RC_OK;
	report->records += batch->count;
	for (size_t i = 0; !rc && refused && i < batch->count; i++) {
		const struct import_item *item = &batch->items[i];
		if (!item->refused)
			continue;
		rc = import_report_refusal(report, &item->record, (const char *)batch->reasons.data + item->reason);
		if (!rc && !import->whole)
			rc = import_report_copy(report, import->format, import->file, &import->header, &item->record);
	}
	if (!sequence)
		return rc;
	report->put += batch->count - refused;
	report->created += batch->created;
	report->replaced += batch->replaced;
	report->duplicates += batch->duplicates;
	report->commits++;
	return rc ? rc : remember(import, sequence);
}

enum rc import_commit(struct import *import, const struct meta *fresh, bool durable, struct why *why)
{
	struct import_batch *batch = &import->batch;
	struct table *table = import->table;
	struct putting putting = {.import = import, .fresh = fresh, .why = why};
	size_t refused = 0;
	for (size_t i = 0; i < batch->count; i++)
		refused += batch->items[i].refused;
	if (batch->reasons.failed)
		return RC_NO_MEMORY;
	if (refused == batch->count || (import->whole && refused)) {
		enum rc told = tell(import, refused, 0);
		return told ? told : import->whole ? RC_REFUSED : RC_OK;
	}
	enum rc rc = table_enter_to_change(table);
	if (rc)
		return rc;
	if (table->id != batch->table || table->schema != batch->schema) {
		import->split = import->begun;
		import->ended = import->begun_ended;
		rc = RC_AGAIN;
	} else {
		rc = commit_run(table->volume, put_commit, &putting, durable ? COMMIT_DURABLE : 0);
	}
	table_leave(table);
	return rc ? rc : tell(import, refused, putting.sequence);
}
