/* recast: a stored document's attributes, one after the other, written again in another form as they are read: for exports, where building an item of
 * each document would cost more than all the rest.
 *
 * The documents were checked when they were written (item_parse), so this looks for the places of things and not for rules. It trusts no byte all the
 * same: what it cannot make sense of is RC_CORRUPT, and nothing outside the document is read.
 */
#ifndef ITEMFS_RECAST_H
#define ITEMFS_RECAST_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum recast_form {
	RECAST_PLAIN, /* the value as it is written, without white space: {"$SS":["a"]} */
	RECAST_TYPED, /* DynamoDB JSON: {"SS":["a"]}; numbers in DynamoDB's canonical form */
	RECAST_FIELD, /* a field of CSV (RFC 4180): a string is its text, a number its canonical form, a binary its base64, whatever else is its plain JSON */
};

struct recast {
	const char *at, *end;
	bool began;
	const char *token; /* the name of the attribute it stands on, as it is written, quotes included; points into the document */
	size_t token_len;
	const char *name; /* and unescaped; valid until the next step */
	size_t name_len;
	struct buf scratch;
};

/* Starts on a document of n bytes, which is borrowed. Zero bytes have no attributes. *recast is zeroed or was used for an earlier document, whose
 * memory serves again; recast_free() at the end. */
void recast_begin(struct recast *recast, const void *document, size_t n);
void recast_free(struct recast *recast);

/* Steps onto the next attribute: its name is known, and its value is to be taken by recast_value() or recast_skip() before the next step.
 * RC_NOT_FOUND: there is none further. RC_CORRUPT, RC_NO_MEMORY. */
enum rc recast_next(struct recast *recast);

/* Appends the value. RC_CORRUPT; memory that runs out shows in out->failed. */
enum rc recast_value(struct recast *recast, enum recast_form form, struct buf *out);
enum rc recast_skip(struct recast *recast);

/* Appends text as a field of CSV: quoted where it is empty, holds a comma, a quote or a line's end, or begins or ends with a space. */
void recast_add_field(struct buf *out, const void *text, size_t n);

#endif
