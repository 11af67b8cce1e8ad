/* import: see import.h. The session: looking through the file, gathering batches, and the end. What one commit does is import_commit.c. */
#include "index/import_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1 << 20 };

static const struct {
	const char *suffix, *name;
} formats[] = {[IMPORT_JSONL] = {".jsonl", "jsonl"}, [IMPORT_JSON] = {".json", "json"}, [IMPORT_CSV] = {".csv", "csv"}};

enum rc import_format_of(const char *name, enum import_format *ret_format, struct why *why)
{
	size_t n = strlen(name);
	for (int format = IMPORT_JSONL; format <= IMPORT_CSV; format++) {
		size_t tail = strlen(formats[format].suffix);
		if (n > tail && strcmp(name + n - tail, formats[format].suffix) == 0) {
			*ret_format = (enum import_format)format;
			return RC_OK;
		}
	}
	return why_set(why, RC_INVALID, "a file to import is named NAME.jsonl, NAME.json or NAME.csv, after what is in it");
}

const char *import_format_name(enum import_format format)
{
	return formats[format].name;
}

enum rc import_new(const struct import_options *options, struct import **ret_import)
{
	struct import *import = calloc(1, sizeof *import);
	if (import)
		import->name = strdup(options->name);
	if (!import || !import->name) {
		free(import);
		return RC_NO_MEMORY;
	}
	import->table = table_ref(options->table);
	import->directory = import->report.directory = options->directory;
	import->format = import->maker.format = options->format;
	import->bound = options->bound;
	import_restart(import);
	*ret_import = import;
	return RC_OK;
}

static void clear_batch(struct import_batch *batch)
{
	batch->count = 0;
	buf_clear(&batch->keys);
	buf_clear(&batch->documents);
	buf_clear(&batch->reasons);
}

static void free_batch(struct import_batch *batch)
{
	free(batch->items);
	buf_free(&batch->keys);
	buf_free(&batch->documents);
	buf_free(&batch->reasons);
	*batch = (struct import_batch){.count = 0};
}

void import_free(struct import *import)
{
	if (!import)
		return;
	free_batch(&import->batch);
	import_report_free(&import->report);
	import_maker_free(&import->maker);
	buf_free(&import->window.bytes);
	free(import->sequences);
	table_unref(import->table);
	free(import->name);
	free(import);
}

void import_restart(struct import *import)
{
	import_split_init(&import->mark, import->format, 0, 1);
	import->has_header = false;
	import->sequence_count = 0;
}

enum rc import_window_see(struct import_window *window, uint64_t offset, size_t want, const uint8_t **ret_bytes, size_t *ret_n)
{
	uint64_t end = window->at + window->bytes.len;
	bool enough = offset >= window->at && offset < end && (end - offset >= want || end == spool_size(window->file));
	if (!enough) {
		if (window->stop && window->stop(window->context))
			return RC_INTERRUPTED;
		buf_clear(&window->bytes);
		window->at = offset;
		enum rc rc = spool_read(window->file, offset, want > WINDOW ? want : WINDOW, &window->bytes);
		if (rc)
			return rc;
	}
	*ret_bytes = window->bytes.data + (offset - window->at);
	*ret_n = window->bytes.len - (size_t)(offset - window->at);
	return RC_OK;
}

void import_stop_by(struct import *import, bool (*stop)(void *context), void *context)
{
	import->window.stop = stop;
	import->window.context = context;
}

/* A file of zeros, which takes no room on the disk, is one line of a length that no machine reads to its end. */
static enum rc check_length(const struct import_split *split, struct why *why)
{
	if (!split->begun || split->offset - split->record.start <= IMPORT_RECORD_MAX)
		return RC_OK;
	return why_at(why, RC_REFUSED, split->record.line, 0, "what begins in this line is longer than any item can be");
}

/* Finds the next record, which is import->split.record then. RC_NOT_FOUND: the file has ended. */
static enum rc next_record(struct import *import, struct why *why)
{
	struct import_split *split = &import->split;
	bool found = false;
	while (!import->ended) {
		const uint8_t *bytes;
		size_t n, used;
		enum rc rc = import_window_see(&import->window, split->offset, 1, &bytes, &n);
		if (!rc && !n) {
			import->ended = true;
			rc = import_split_end(split, &found, why);
		} else if (!rc) {
			rc = import_split_feed(split, bytes, n, &used, &found, why);
			if (!rc && !found)
				rc = check_length(split, why);
		}
		if (rc || found)
			return rc;
	}
	return RC_NOT_FOUND;
}

static enum rc record_bytes(struct import *import, const struct import_record *record, const uint8_t **ret_bytes, size_t *ret_n)
{
	size_t n;
	*ret_n = (size_t)(record->end - record->start);
	if (*ret_n > ITEM_DOCUMENT_MAX) { /* refused unseen */
		*ret_bytes = (const uint8_t *)"";
		return RC_OK;
	}
	enum rc rc = import_window_see(&import->window, record->start, *ret_n, ret_bytes, &n);
	return !rc && n < *ret_n ? RC_IO : rc;
}

static enum rc read_header(struct import *import, struct why *why)
{
	const uint8_t *bytes;
	size_t n;
	enum rc rc = next_record(import, why);
	if (rc)
		return rc;
	import->header = import->split.record;
	rc = record_bytes(import, &import->header, &bytes, &n);
	if (!rc && n > ITEM_DOCUMENT_MAX)
		rc = why_set(why, RC_REFUSED, "the first row is too long");
	if (!rc)
		rc = table_enter(import->table);
	if (rc)
		return rc;
	import->maker.schema = import->table->schema;
	rc = import_maker_header(&import->maker, bytes, n, why);
	table_leave(import->table);
	import->has_header = !rc;
	if (rc && why && !why->line)
		why->line = import->header.line;
	return rc;
}

/* A last line without its line end may be one that was cut. */
static enum rc check_tail(struct import *import, const struct import_record *last, struct why *why)
{
	const uint8_t *bytes;
	size_t n;
	struct json json;
	if (import->format != IMPORT_JSONL || last->end != spool_size(import->file) || last->end - last->start > ITEM_DOCUMENT_MAX)
		return RC_OK;
	enum rc rc = record_bytes(import, last, &bytes, &n);
	json_init(&json, NULL, NULL);
	if (rc || json_feed(&json, bytes, n, NULL) || json_end(&json, NULL) == RC_OK)
		return rc; /* what is wrong otherwise is refused as any line is */
	return why_at(why, RC_UNFINISHED, last->line, 0, "the file ends inside the object that begins in this line");
}

static void skip_byte_order_mark(struct import *import)
{
	const uint8_t *bytes;
	size_t n;
	if (import->mark.offset == 0 && import_window_see(&import->window, 0, 3, &bytes, &n) == RC_OK && n >= 3 &&
	    memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		import->mark.offset = 3;
}

enum rc import_begin(struct import *import, const struct spool *file, struct why *why)
{
	uint64_t records = 0, size = spool_size(file);
	struct import_record last = {0, 0, 0};
	import->file = import->window.file = file;
	buf_clear(&import->window.bytes);
	skip_byte_order_mark(import);
	if (size <= import->mark.offset)
		return RC_NOT_FOUND;
	uint64_t bytes = size - import->mark.offset;
	import->split = import->mark;
	import->ended = false;
	enum rc rc = import->format == IMPORT_CSV && !import->has_header ? read_header(import, why) : RC_OK;
	struct import_split first = import->split;
	bool first_ended = import->ended;
	while (!rc && !(rc = next_record(import, why))) {
		last = import->split.record;
		records++;
	}
	if (rc == RC_NOT_FOUND)
		rc = records ? check_tail(import, &last, why) : RC_OK;
	import->split = first;
	import->ended = first_ended;
	unsigned bound = import->bound ? import->bound : IMPORT_WHOLE_ITEMS;
	import->whole = records <= bound && bytes <= IMPORT_WHOLE_BYTES;
	return rc;
}

static struct import_item *add_item(struct import_batch *batch)
{
	if (batch->count == batch->cap) {
		size_t cap = batch->cap ? batch->cap * 2 : 256;
		struct import_item *grown = realloc(batch->items, cap * sizeof *grown);
		if (!grown)
			return NULL;
		batch->items = grown;
		batch->cap = cap;
	}
	struct import_item *item = &batch->items[batch->count++];
	*item = (struct import_item){.refused = false};
	return item;
}

static void refuse(struct import_batch *batch, struct import_item *item, const char *reason)
{
	item->refused = true;
	item->reason = batch->reasons.len;
	buf_add(&batch->reasons, reason, strlen(reason) + 1);
}

static void refuse_why(struct import_batch *batch, struct import_item *item, const struct why *why)
{
	char words[sizeof why->text + 64];
	if (why->line > 1)
		snprintf(words, sizeof words, "line %zu, column %zu: %s", item->record.line + why->line - 1, why->column, why->text);
	else if (why->column)
		snprintf(words, sizeof words, "column %zu: %s", why->column, why->text);
	else
		snprintf(words, sizeof words, "%s", why->text);
	refuse(batch, item, words);
}

static bool is_refusal(enum rc rc)
{
	return rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG;
}

/* The record that was found last, as an item of the batch. */
static enum rc gather_record(struct import *import)
{
	struct import_batch *batch = &import->batch;
	struct import_item *item = add_item(batch);
	struct import_made made;
	struct why why = {.line = 0};
	const uint8_t *bytes;
	size_t n;
	if (!item)
		return RC_NO_MEMORY;
	item->record = import->split.record;
	enum rc rc = record_bytes(import, &item->record, &bytes, &n);
	if (!rc)
		rc = import_make(&import->maker, bytes, n, &made, &why);
	if (is_refusal(rc)) {
		refuse_why(batch, item, &why);
		return batch->reasons.failed ? RC_NO_MEMORY : RC_OK;
	}
	if (rc)
		return rc;
	item->keys = batch->keys.len;
	key_encode(&made.pk, &batch->keys);
	if (made.sk.len)
		key_encode(&made.sk, &batch->keys);
	item->document = batch->documents.len;
	item->len = made.len;
	item->measure = made.measure;
	buf_add(&batch->documents, made.document, made.len);
	return batch->keys.failed || batch->documents.failed ? RC_NO_MEMORY : RC_OK;
}

/* Whether the batch holds as much as one commit takes. */
static bool is_full(struct import *import)
{
	const struct import_batch *batch = &import->batch;
	if (import->whole) {
		/* Nothing is put yet, so it can still become one that goes in batches. */
		import->whole = batch->documents.len <= IMPORT_WHOLE_DOCUMENTS;
		return !import->whole;
	}
	unsigned items = import->bound ? import->bound : IMPORT_BATCH_ITEMS;
	return batch->count >= items || batch->documents.len >= IMPORT_BATCH_BYTES;
}

enum rc import_gather(struct import *import, struct why *why)
{
	struct import_batch *batch = &import->batch;
	clear_batch(batch);
	import->begun = import->split;
	import->begun_ended = import->ended;
	enum rc rc = table_enter_to_change(import->table);
	if (rc)
		return rc;
	batch->table = import->maker.table = import->table->id;
	batch->schema = import->maker.schema = import->table->schema;
	while (!rc && !is_full(import)) {
		rc = next_record(import, why);
		if (!rc)
			rc = gather_record(import);
	}
	table_leave(import->table);
	return rc == RC_NOT_FOUND && batch->count ? RC_OK : rc;
}

size_t import_count(const struct import *import)
{
	return import->batch.count;
}

bool import_key(const struct import *import, size_t i, struct key *ret_pk, struct key *ret_sk)
{
	const struct import_batch *batch = &import->batch;
	const struct import_item *item = &batch->items[i];
	size_t used, rest = batch->keys.len - item->keys;
	if (item->refused)
		return false;
	ret_sk->len = 0;
	if (key_decode(batch->keys.data + item->keys, rest, ret_pk, &used))
		return false;
	return !schema_has_sort(batch->schema) || key_decode(batch->keys.data + item->keys + used, rest - used, ret_sk, &used) == RC_OK;
}

void import_refuse(struct import *import, size_t i, const char *reason)
{
	refuse(&import->batch, &import->batch.items[i], reason);
}

bool import_put(const struct import *import, size_t i, struct import_put *ret_put)
{
	const struct import_item *item = &import->batch.items[i];
	*ret_put = item->put;
	return !item->refused;
}

/* How it ended, in words. */
static enum rc conclude(const struct import *import, enum rc rc, struct why *why)
{
	const struct import_report *report = &import->report;
	if (!report->refusals || (rc && !is_refusal(rc)))
		return rc;
	const char *nothing = report->put ? "" : "nothing is imported: ", *rest = report->put ? ", and the others are imported" : "";
	if (why_set(why, RC_REFUSED, "%s%llu of %llu records %s refused%s; line %zu: %s", nothing, (unsigned long long)report->refusals,
		    (unsigned long long)report->records, report->refusals == 1 ? "is" : "are", rest, report->first.line, report->first.text) &&
	    why)
		why->line = why->column = 0;
	return RC_REFUSED;
}

/* The file as a whole is refused: one line says so. */
static enum rc report_whole(struct import *import, const struct why *why)
{
	struct import_record at = {.line = why->line ? why->line : 1};
	import->whole = true;
	return import_report_refusal(&import->report, &at, why->text);
}

enum rc import_finish(struct import *import, enum rc rc, struct spool **ret_result, struct spool **ret_refused, struct why *why)
{
	char words[sizeof why->text];
	rc = rc == RC_NOT_FOUND ? RC_OK : rc;
	bool unread = is_refusal(rc) && !import->report.refusals;
	enum rc told = unread && why ? report_whole(import, why) : RC_OK;
	snprintf(words, sizeof words, "%s", why && why->text[0] ? why->text : rc_name(rc));
	struct import_summary summary = {import->name, import->format, spool_size(import->file), import->whole, rc && !is_refusal(rc) ? words : NULL};
	if (!unread)
		rc = conclude(import, rc, why);
	if (!told)
		told = import_report_finish(&import->report, &summary, ret_result, ret_refused);
	if (rc == RC_OK || (rc == RC_REFUSED && !summary.whole))
		import->mark = import->split;
	free_batch(&import->batch);
	buf_free(&import->window.bytes);
	import->file = import->window.file = NULL;
	return rc ? rc : told;
}
