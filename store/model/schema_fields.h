/* schema_fields: which fields a table's definition may have, and of what shape each is. The tables of fields are in
 * schema_fields.c; what the fields mean together is decided in schema_parse.c. Private to schema*.c, and apart from
 * schema.h so that jansson's names are seen by these files only.
 */
#ifndef ITEMFS_SCHEMA_FIELDS_H
#define ITEMFS_SCHEMA_FIELDS_H

#include "store/model/why.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SCHEMA_ATTRIBUTE_MAX = 255 }; /* bytes of a key attribute's name, and of others that a definition names */

/* Where in the document a value stands: a chain from the value out to the top, on the stack of who walks. */
struct schema_place {
	const struct schema_place *in; /* NULL for the top */
	const char *name;              /* of a field; NULL for an array's element */
	size_t index;                  /* of an element */
};

/* Refuses (RC_REFUSED) with the words after the place: "GlobalSecondaryIndexes[1].Projection: …". */
enum rc schema_refuse(struct why *why, const struct schema_place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Checks that every field is known, is there if it must be, and has its shape and range. */
enum rc schema_check_table(json_t *table, const struct schema_place *at, struct why *why);

/* Checks the wrapping of a CloudFormation resource, not what is in its Properties. */
enum rc schema_check_resource(json_t *resource, const struct schema_place *at, struct why *why);

/* A boolean, or the string that CloudFormation takes for one. Only for values that were checked. */
bool schema_truth(const json_t *value);

/* An integer, or a string of its digits. False where it is neither. */
bool schema_integer(const json_t *value, json_int_t *ret_integer);

#endif
