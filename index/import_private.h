/* import_private: what the files of an import share. Private to import*.c. */
#ifndef ITEMFS_IMPORT_PRIVATE_H
#define ITEMFS_IMPORT_PRIVATE_H

#include "index/entry.h"
#include "index/import.h"
#include "index/private.h"
#include "store/model/csv.h"

/* One record as it is to be put. */
struct import_item {
	struct import_record record;
	size_t keys;                /* in batch.keys: pk, sk as key_encode() writes them */
	size_t document, len;       /* in batch.documents */
	size_t reason;              /* in batch.reasons, NUL-terminated; where refused */
	uint32_t measure;
	bool refused;
	struct import_put put;      /* after the commit */
};

struct import_batch {
	struct import_item *items;
	size_t count, cap;
	struct buf keys, documents, reasons;
	uint32_t table;              /* the table's id and definition when it was gathered */
	const struct schema *schema;
	unsigned created, replaced, duplicates; /* what the commit did */
};

/* import_report.c: what is told afterwards. */
struct import_report {
	const char *directory;
	struct spool *lines, *refused;
	struct buf pending; /* of lines */
	uint64_t records, put, created, replaced, duplicates, refusals, commits;
	struct why first; /* of the refusals */
	bool keep; /* the refused records are copied: the others are put */
};
void import_report_free(struct import_report *report);
enum rc import_report_refusal(struct import_report *report, const struct import_record *record, const char *reason);
/* Copies a refused record. `header`: of a CSV file, its first row. */
enum rc import_report_copy(struct import_report *report, enum import_format format, const struct spool *file, const struct import_record *header,
                           const struct import_record *record);
struct import_summary {
	const char *name;
	enum import_format format;
	uint64_t bytes;
	bool whole;
	const char *stopped; /* NULL: it came to its end */
};
/* Composes the result and ends the copies; the report is empty afterwards. */
enum rc import_report_finish(struct import_report *report, const struct import_summary *summary, struct spool **ret_result, struct spool **ret_refused);

/* Bytes of a file, by records in order. */
struct import_window {
	const struct spool *file;
	struct buf bytes;
	uint64_t at; /* of bytes */
	bool (*stop)(void *context); /* NULL: nobody asks */
	void *context;
};
/* At least `want` bytes from `offset` on where there are so many; *ret_n says how many. Valid until the next call. */
enum rc import_window_see(struct import_window *window, uint64_t offset, size_t want, const uint8_t **ret_bytes, size_t *ret_n);

/* import_item.c: one record as an item. */
struct import_maker {
	const struct schema *schema;
	uint32_t table;
	enum import_format format;
	struct csv_row header, row;
	struct buf plain; /* what is not the record's own bytes */
	struct entry entry;
};
void import_maker_free(struct import_maker *maker);
/* Reads a CSV file's first row. RC_REFUSED: it cannot name the attributes of this table's items. */
enum rc import_maker_header(struct import_maker *maker, const void *record, size_t n, struct why *why);
struct import_made {
	struct key pk, sk; /* sk.len 0: none */
	const void *document;
	size_t len;
	uint32_t measure;
};
/* Refusals are RC_REFUSED, RC_UNFINISHED, RC_TOO_BIG with why; the place in it is within the record, and none where the record is not plain JSON.
 * What is made lives until the next. */
enum rc import_make(struct import_maker *maker, const void *record, size_t n, struct import_made *ret_made, struct why *why);

struct import {
	struct table *table;
	char *name;
	const char *directory;
	enum import_format format;
	unsigned bound;

	const struct spool *file;
	struct import_split split; /* where reading is */
	struct import_split begun; /* where the batch began */
	struct import_split mark;  /* what lies before is imported */
	struct import_record header;
	bool has_header, whole, ended, begun_ended;
	struct import_window window;
	struct import_maker maker;
	struct import_batch batch;
	struct import_report report;
	uint64_t *sequences; /* of our commits, ascending: an item of one of these is a duplicate */
	size_t sequence_count, sequence_cap;
};

#endif
