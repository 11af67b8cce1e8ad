/* name: key ↔ file name, one to one, both ways, for every legal key. Pure; no I/O.
 *
 * S: UTF-8 as it is, with %XX (upper-case hex) for `/`, `%`, NUL, the control bytes (01–1F, 7F), and for a `.` that comes first; in a
 * component of an index name, for `,` as well. N: canonical plain decimal. B: lower-case hex.
 * Exactly one spelling stands for a key: any other is RC_INVALID ("%2f" for "%2F", "%41" for "A", "042" for "42").
 * `%~` is no escape and is reserved for names that were shortened (see DESIGN.md).
 */
#ifndef ITEMFS_NAME_H
#define ITEMFS_NAME_H

#include "store/model/buf.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include "store/model/why.h"

#define NAME_SUFFIX ".json"
enum { NAME_BYTES_MAX = 255, NAME_SUFFIX_LEN = sizeof NAME_SUFFIX - 1 };

enum name_form {
	NAME_WHOLE,     /* of a base table: a partition's directory, or an item's file before ".json" */
	NAME_COMPONENT, /* of an index: components are joined by ',' */
};

/* Appends the name of `key`. Never fails but for memory (out->failed); the caller bounds the whole name's length. The leading dot is
 * escaped only where `out` is empty before the call. */
void name_of_key(const struct key *key, enum name_form form, struct buf *out);

/* Whether its name is what it holds, byte for byte. */
bool name_is_key(const struct key *key, enum name_form form);

/* The inverse. RC_INVALID with why for a spelling that is not canonical (the words give the canonical one), an empty name, a key that is too long;
 * RC_NOT_UTF8. `first` says that this component starts the file's name (where a leading dot is escaped). */
enum rc name_to_key(const char *name, size_t n, enum key_type type, enum key_role role, enum name_form form, bool first,
                    struct key *ret_key, struct why *why);

/* Whether a file of this name in a partition is an item: it ends in ".json" and does not begin with a dot. */
bool name_is_item(const char *name, size_t n);

#endif
