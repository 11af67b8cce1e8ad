/* spool: bytes that need not last: a private file without a name in the volume's directory, which goes with its last user, whatever happens to us.
 * It holds what is too large for memory and does not belong to the volume (yet). Not thread-safe: its owner's lock is held while it changes.
 */
#ifndef ITEMFS_SPOOL_H
#define ITEMFS_SPOOL_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include <stddef.h>
#include <stdint.h>

struct spool;

/* `directory`: where its space is taken from. RC_NO_SPACE, RC_FORBIDDEN, RC_IO, RC_NO_MEMORY. */
enum rc spool_new(const char *directory, struct spool **ret_spool);
void spool_free(struct spool *spool); /* NULL is fine */

uint64_t spool_size(const struct spool *spool);

/* Writes all of it or fails; a gap before `offset` reads as zeros. RC_NO_SPACE (before the store has none either: room.h), RC_TOO_BIG (more than the
 * file system allows), RC_IO. */
enum rc spool_write(struct spool *spool, const void *bytes, size_t n, uint64_t offset);
enum rc spool_append(struct spool *spool, const void *bytes, size_t n);
enum rc spool_resize(struct spool *spool, uint64_t size);

/* Appends to *out what stands from `offset` on, at most n bytes. RC_IO, RC_NO_MEMORY. */
enum rc spool_read(const struct spool *spool, uint64_t offset, size_t n, struct buf *out);

#endif
