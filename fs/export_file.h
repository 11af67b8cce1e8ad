/* export_file: `.export/items.jsonl`, `.export/items.json`, `.export/items.csv`: all that the directory above lists, as one file (index/export.h
 * makes its bytes).
 *
 * An open file reads one view, taken when it was opened, from beginning to end: a *stream*. Bytes are made as they are read. A little of what was
 * read last is kept; a read from further back makes the stream begin anew, in the same view. The kernel caches nothing (direct_io).
 *
 * st_size is what a read gives, because tar and rsync believe it. It costs a pass over the rows, which is made when the size is asked for (not by a
 * LOOKUP: the attributes in its answer expire at once, so the kernel asks again if somebody wants them). The node remembers the result, which is
 * right until something is committed to the volume. While the file is open, the size is that of the stream that was opened last (fstat comes without
 * its handle), and the pass keeps the bytes up to a bound, so that cat and cp, which ask for the size first, make them only once.
 */
#ifndef ITEMFS_EXPORT_FILE_H
#define ITEMFS_EXPORT_FILE_H

#include "fs/front.h"
#include "fs/place.h"
#include "index/export.h"
#include "store/model/buf.h"

enum {
	EXPORT_KEEP_MAX = 64 << 20, /* bytes of a whole file that an open stream keeps, once its size was asked for */
	EXPORT_BEHIND = 256 << 10,  /* of what was read last: for those who read in several places at once */
	EXPORT_WINDOW = 1 << 20,    /* what is held while it streams, at most, besides what one read asks for */
};

struct export_stream;

/* The names of the three, in the order of enum export_format. */
extern const char *const export_file_names[EXPORT_FORMATS];

/* Whether a name in this directory is `.export` (it stands in all that lists items, entries, or what holds such) or, in that, one of the three. */
bool export_file_is(const struct node *parent, const char *name);

/* A stream over what the directory holds now; the caller's (export_file_close). With the names held. RC_AGAIN: an index that is being built. */
enum rc export_file_open(struct frontend *front, struct node *node, struct export_stream **ret_stream);
void export_file_close(struct frontend *front, struct export_stream *stream);

/* Appends up to `size` bytes from `offset` on; fewer only at the end, or before what cannot be read. RC_INTERRUPTED: whoever asked has gone, or the
 * mount ends. With nothing held. */
enum rc export_file_read(fuse_req_t req, struct export_stream *stream, uint64_t offset, size_t size, struct buf *out, struct why *why);

/* How many bytes a read would give. With nothing held: it may take a pass. */
enum rc export_file_size(fuse_req_t req, struct node *node, uint64_t *ret_size, struct why *why);

/* Attributes of an `.export` and of the files in it, from those of the directory above; st_size is what the last pass found. With the names held. */
enum rc export_file_stat(struct frontend *front, struct node *node, struct stat *ret_stat);

#endif
