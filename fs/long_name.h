/* long_name: file names of keys whose own name would pass 255 bytes: <the first bytes that fit, whole characters>%~<16 hex digits><suffix>, the
 * digits a hash of the whole name. Pure; no I/O. The way back is a search among the keys that begin alike (place_search.c), or the document that says
 * the key (place_resolve()).
 *
 * The disk holds keys, not names, so another hash in a later version would do no harm to a volume; but names in an old backup could not be restored.
 * So it never changes.
 */
#ifndef ITEMFS_LONG_NAME_H
#define ITEMFS_LONG_NAME_H

#include "store/model/buf.h"
#include "store/model/key.h"

/* Gives the whole name with its suffix, or the cut one where it is too long. False: the name is empty (out of memory). */
bool long_name_write(const struct buf *name, const char *suffix, char out[256]);

/* Where the hash of a cut name begins ("%~…"); 0 where it is no such name: those have 252 to 255 bytes. */
size_t long_name_at(const char *name, const char *suffix);

/* As much of the (first) key as the first n bytes of a cut name still tell, S or B: the keys that begin so are few. */
void long_name_prefix(const char *name, size_t n, enum key_type type, struct key *ret_prefix);

#endif
