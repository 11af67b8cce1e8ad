/* schema_parse: from a document to a struct schema. Private to schema*.c. */
#ifndef ITEMFS_SCHEMA_PARSE_H
#define ITEMFS_SCHEMA_PARSE_H

#include "store/model/schema.h"

/* Whether the text is the beginning of JSON documents, and a whole one not yet: RC_UNFINISHED or RC_OK where it is,
 * RC_REFUSED where no end can make it right. Jansson stops at the same byte for "tru" and "trx". */
enum rc schema_scan(const void *document, size_t n, struct why *why);

/* The rule for names of tables and indexes; `what` ("TableName") goes into the words. */
enum rc schema_check_name(const char *what, const char *name, size_t n, struct why *why);

#endif
