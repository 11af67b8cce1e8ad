/* import_report: what is told of an import: a result of all refused records, however many, and these records themselves. Both are written as it goes, to spools. */
#include "index/import_private.h"
#include <string.h>

enum { PENDING_MAX = 64 << 10, COPY_PIECE = 64 << 10 };

void import_report_free(struct import_report *report)
{
	spool_free(report->lines);
	spool_free(report->refused);
	buf_free(&report->pending);
	*report = (struct import_report){.directory = report->directory};
}

static enum rc ensure(const struct import_report *report, struct spool **spool)
{
	return *spool ? RC_OK : spool_new(report->directory, spool);
}

static enum rc flush(struct buf *pending, struct spool *to)
{
	enum rc rc = pending->failed ? RC_NO_MEMORY : spool_append(to, pending->data, pending->len);
	buf_clear(pending);
	return rc;
}

enum rc import_report_refusal(struct import_report *report, const struct import_record *record, const char *reason)
{
	enum rc rc = ensure(report, &report->lines);
	if (rc)
		return rc;
	buf_printf(&report->pending, "%s\n    {\"line\": %zu, \"reason\": ", report->refusals ? "," : "", record->line);
	buf_add_json_string(&report->pending, reason, strlen(reason));
	buf_add_byte(&report->pending, '}');
	if (!report->refusals++) {
		why_set(&report->first, RC_REFUSED, "%s", reason);
		report->first.line = record->line;
	}
	return report->pending.len > PENDING_MAX || report->pending.failed ? flush(&report->pending, report->lines) : RC_OK;
}

static enum rc copy(const struct spool *from, uint64_t start, uint64_t end, struct spool *to)
{
	cleanup_buf struct buf piece = {0};
	enum rc rc = RC_OK;
	while (!rc && start < end) {
		buf_clear(&piece);
		rc = spool_read(from, start, end - start < COPY_PIECE ? (size_t)(end - start) : COPY_PIECE, &piece);
		if (!rc && !piece.len)
			rc = RC_IO;
		if (!rc)
			rc = spool_append(to, piece.data, piece.len);
		start += piece.len;
	}
	return rc;
}

static enum rc text(struct spool *to, const char *words)
{
	return spool_append(to, words, strlen(words));
}

enum rc import_report_copy(struct import_report *report, enum import_format format, const struct spool *file, const struct import_record *header,
			   const struct import_record *record)
{
	bool first = !report->refused;
	enum rc rc = ensure(report, &report->refused);
	if (!rc && format == IMPORT_JSON)
		rc = text(report->refused, first ? "[\n" : ",\n");
	if (!rc && first && format == IMPORT_CSV) {
		rc = copy(file, header->start, header->end, report->refused);
		if (!rc)
			rc = text(report->refused, "\n");
	}
	if (!rc)
		rc = copy(file, record->start, record->end, report->refused);
	return !rc && format != IMPORT_JSON ? text(report->refused, "\n") : rc;
}

static void add_count(struct buf *out, const char *name, uint64_t count)
{
	buf_printf(out, "  \"%s\": %llu,\n", name, (unsigned long long)count);
}

static void add_text(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "  \"%s\": ", name);
	buf_add_json_string(out, value, strlen(value));
	buf_add_text(out, ",\n");
}

static enum rc compose(struct import_report *report, const struct import_summary *summary, struct spool *result)
{
	cleanup_buf struct buf head = {0};
	buf_add_text(&head, "{\n");
	add_text(&head, "file", summary->name);
	add_text(&head, "format", import_format_name(summary->format));
	add_count(&head, "bytes", summary->bytes);
	add_count(&head, "records", report->records);
	add_count(&head, "put", report->put);
	add_count(&head, "created", report->created);
	add_count(&head, "replaced", report->replaced);
	add_count(&head, "duplicates", report->duplicates);
	add_count(&head, "refused", report->refusals);
	add_count(&head, "commits", report->commits);
	buf_printf(&head, "  \"all_or_nothing\": %s,\n", summary->whole ? "true" : "false");
	if (summary->stopped)
		add_text(&head, "stopped", summary->stopped);
	buf_add_text(&head, "  \"lines\": [");
	enum rc rc = flush(&head, result);
	if (!rc && report->lines)
		rc = flush(&report->pending, report->lines);
	if (!rc && report->lines)
		rc = copy(report->lines, 0, spool_size(report->lines), result);
	return rc ? rc : text(result, report->refusals ? "\n  ]\n}\n" : "]\n}\n");
}

enum rc import_report_finish(struct import_report *report, const struct import_summary *summary, struct spool **ret_result, struct spool **ret_refused)
{
	struct spool *result = NULL;
	enum rc rc = spool_new(report->directory, &result);
	if (!rc)
		rc = compose(report, summary, result);
	if (!rc && report->refused && summary->format == IMPORT_JSON)
		rc = text(report->refused, "\n]\n");
	if (rc) {
		spool_free(result);
	} else {
		*ret_result = result;
		*ret_refused = report->refused;
		report->refused = NULL;
	}
	import_report_free(report);
	return rc;
}
