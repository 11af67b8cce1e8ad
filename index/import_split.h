/* import_split: where the records of a file to import begin and end: lines, elements of an array, rows. Pure; the bytes are fed as they come, cut
 * anywhere, and not kept.
 */
#ifndef ITEMFS_IMPORT_SPLIT_H
#define ITEMFS_IMPORT_SPLIT_H

#include "store/model/csv.h"
#include "store/model/json.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum import_format {
	IMPORT_JSONL, /* an object a line */
	IMPORT_JSON,  /* one array of objects, or an object with one array among its members: {"Items":[…]}, as scan and query print it, or {"TABLE":[…]}, a
	               * BatchWriteItem request */
	IMPORT_CSV,   /* RFC 4180 */
};

struct import_record {
	uint64_t start, end; /* in the file; the line end not included */
	size_t line;         /* where it begins, from 1 */
};

struct import_split {
	enum import_format format;
	uint64_t offset; /* of the next byte */
	size_t line;     /* it stands in */
	bool begun;      /* a record is open: something but white space stands in it (lines), or anything (rows) */
	struct import_record record; /* the open one, or the last that was found */
	bool found;
	struct csv csv;
	struct json json;
	bool started, inside, ended; /* IMPORT_JSON: the array's, or object's, first byte was read; in the array; after it */
	bool bare;                   /* the file is an array itself */
};

/* Begins at `offset`, which stands in `line`. */
void import_split_init(struct import_split *split, enum import_format format, uint64_t offset, size_t line);

/* Takes bytes up to the end of the next record. *ret_used: how many; *ret_found: whether a record ended, which is split->record then. Blank lines are
 * no records. RC_REFUSED: IMPORT_JSON that is no JSON, or no array; nothing more can be read. */
enum rc import_split_feed(struct import_split *split, const void *bytes, size_t n, size_t *ret_used, bool *ret_found, struct why *why);

/* The file ends here. *ret_found as above: a last line or row without a line end. RC_UNFINISHED: inside an array, or inside quotes. */
enum rc import_split_end(struct import_split *split, bool *ret_found, struct why *why);

#endif
