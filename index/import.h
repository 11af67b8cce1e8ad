/* import: a file of items, put into a table: all of it or none up to a bound, in batches beyond it (DESIGN.md, `.import`; SEMANTICS.md 14, ImportTable).
 *
 * Each record is a PutItem: it replaces the item of its key; where a file holds a key twice the later wins. Its keys are the attributes that the
 * table's definition names, or in an undeclared table the strings `pk` and `sk`. What is stored of plain JSON are the record's own bytes; of DynamoDB
 * JSON its plain form (typed.h); of CSV an object of the row's fields, in the order of the columns: columns that are keys of the table or of an index
 * have the type that the definition says (S, N, B in base64), all others are S; an empty field that is not quoted is left out.
 *
 * A file is first read to its end without a change, to see what there is in it: a file that ends inside a record, or is no JSON as a whole, is
 * refused whole. Then up to IMPORT_WHOLE_ITEMS records and IMPORT_WHOLE_BYTES are one commit, and one record that is refused refuses all; more go in
 * batches, each one commit, and refused records are left out and reported.
 *
 * The caller drives it, so that it can see to what the names in its own world need (fs/import_run.c), and holds its lock: not thread-safe.
 */
#ifndef ITEMFS_IMPORT_H
#define ITEMFS_IMPORT_H

#include "index/import_split.h"
#include "index/table.h"
#include "store/model/item.h"
#include "store/model/key.h"
#include "store/rows.h"
#include "store/spool.h"

enum {
	IMPORT_WHOLE_ITEMS = 10000,
	IMPORT_WHOLE_BYTES = 16 << 20,     /* of the file */
	IMPORT_WHOLE_DOCUMENTS = 64 << 20, /* and of what its records become */
	IMPORT_RECORD_MAX = 4 * ITEM_DOCUMENT_MAX, /* of a line or a row: a longer one is no record, nor is the file one of records */
	IMPORT_BATCH_ITEMS = 1000,
	IMPORT_BATCH_BYTES = 4 << 20,
};

/* By a name's suffix: .jsonl, .json, .csv. RC_INVALID with why. */
enum rc import_format_of(const char *name, enum import_format *ret_format, struct why *why);
const char *import_format_name(enum import_format format); /* "jsonl" */

struct import;

struct import_options {
	struct table *table; /* a reference is taken */
	const char *name;    /* of the file, for the result */
	enum import_format format;
	const char *directory; /* for spools; borrowed as long as the import lives */
	unsigned bound;        /* items in one commit; 0: the bounds above. Tests make it small */
};
enum rc import_new(const struct import_options *options, struct import **ret_import);
void import_free(struct import *import); /* NULL is fine */
/* What was imported of the file counts no more: it was written anew. */
void import_restart(struct import *import);

/* `stop` is asked for each 1 MiB that is read: true ends that with RC_INTERRUPTED, before anything that was gathered is put. */
void import_stop_by(struct import *import, bool (*stop)(void *context), void *context);

/* Looks at what the file holds beyond what was imported of it, and begins with that. RC_NOT_FOUND: nothing. RC_UNFINISHED: it ends inside a record:
 * nothing is done, and more may come. RC_REFUSED: it cannot be read as a whole. The file is borrowed until import_finish(). */
enum rc import_begin(struct import *import, const struct spool *file, struct why *why);

/* Reads the next records, as many as one commit takes. RC_NOT_FOUND: there are no more. */
enum rc import_gather(struct import *import, struct why *why);
/* What was gathered; those that are refused already have no key. */
size_t import_count(const struct import *import);
/* False: it is refused. sk->len is 0 in a table without a sort key. */
bool import_key(const struct import *import, size_t i, struct key *ret_pk, struct key *ret_sk);
/* The caller refuses one, too. */
void import_refuse(struct import *import, size_t i, const char *reason);

/* Puts what was gathered, in one commit; `fresh`: mode and owner of what comes into being. RC_AGAIN: the table's definition changed since it was
 * gathered; nothing was put, and import_gather() gives the same records again. RC_REFUSED: a record of a file that goes as a whole was refused;
 * nothing was put. RC_STALE: the table is gone. */
enum rc import_commit(struct import *import, const struct meta *fresh, bool durable, struct why *why);
/* After a commit: what the item's put was. False: it was refused. */
struct import_put {
	bool fresh;   /* there was none */
	bool founded; /* nor its partition */
	uint64_t birth;
};
bool import_put(const struct import *import, size_t i, struct import_put *ret_put);

/* The end of what import_begin() began, with how it went (of import_gather(), RC_NOT_FOUND is RC_OK here). What was put is remembered, so that the
 * next import_begin() goes on behind it. RC_REFUSED with words where records were refused, else `rc`. *ret_result: what there is to say, as JSON;
 * *ret_refused: the refused records as they were, in the file's format, or NULL: of a file that went in batches. Both are the caller's. */
enum rc import_finish(struct import *import, enum rc rc, struct spool **ret_result, struct spool **ret_refused, struct why *why);

#endif
