/* upload: the files of `.import` directories: what is being written there, what was refused, and results. They live in spools (store/spool.h), belong
 * to no volume's rows, and go with the mount.
 *
 *   written    NAME.jsonl, .json, .csv: imported by each close; its name goes when that succeeds, and stays when it was refused
 *   scratch    a name that begins with a dot or ends with ~ (rsync's and editors' temporary files): renamed to one of the above it is imported
 *   result     NAME.result.json, NAME.refused.*: read only
 *
 * A name is an upload's as long as it is listed; handles keep it alive without one. At most UPLOADS_KEPT that nobody writes are kept in all tables
 * together; the oldest go first.
 *
 * Locks: upload.lock guards the bytes and the import, and is held over a whole import; it is taken after handle.lock and before the names.
 * frontend.uploads_lock guards the list and what stat shows; held for moments, after everything but tree.lock.
 */
#ifndef ITEMFS_UPLOAD_H
#define ITEMFS_UPLOAD_H

#include "fs/front.h"
#include "index/import.h"
#include "store/spool.h"

enum { UPLOADS_KEPT = 64 };

struct upload {
	struct upload *next; /* newer first */
	atomic_uint refs;
	struct table *table; /* a reference */
	char name[256];
	bool listed;      /* these four under uploads_lock */
	_Atomic bool gone; /* it was removed or replaced: nothing is imported any more; who reads it without that lock sees one moment or the other */
	unsigned writers; /* handles */
	struct meta meta;
	bool result;
	struct spool *spool;
	pthread_mutex_t lock;
	struct import *import; /* NULL: scratch, and results */
	bool dirty;            /* bytes that no import has seen */
	uint64_t imported;     /* how many of its bytes are in the table */
	enum rc refused;       /* the answer until it is emptied */
	bool cut;              /* a write failed, and its writer knows: what is there is not the file */
	uint64_t refusal;      /* its id among the rejected drafts; 0: none */
};

/* Makes one, listed under its name, which is taken from another. `spool` NULL: an empty one; otherwise it is a result, and the spool is taken (freed
 * where it fails). A reference of the caller's. */
enum rc upload_new(struct frontend *front, struct table *table, const char *name, const struct meta *meta, struct spool *spool, struct upload **ret_upload);
void upload_unref(struct upload *upload); /* NULL is fine */
struct upload *upload_ref(struct upload *upload);

/* The one of this name, with a reference; NULL. */
struct upload *upload_find(struct frontend *front, const struct table *table, const char *name);
/* Takes its name away. */
void upload_unlist(struct frontend *front, struct upload *upload, bool gone);
bool upload_is_listed(struct frontend *front, const struct upload *upload);
bool upload_is_gone(struct frontend *front, const struct upload *upload);
/* Gives it another name, which is taken from another. */
void upload_rename(struct frontend *front, struct upload *upload, const char *name);
/* A handle comes to write, or goes. *ret_left: how many are left. */
void upload_writer(struct frontend *front, struct upload *upload, int by, unsigned *ret_left);

/* The names in a table's `.import`, each 256 bytes; *ret_names is the caller's. */
enum rc upload_list(struct frontend *front, const struct table *table, char (**ret_names)[256], size_t *ret_count);
/* A table is gone (NULL: all are), with what is in its `.import`. */
void upload_drop(struct frontend *front, const struct table *table);

/* Whether a file may be created under this name: RC_INVALID, RC_NAME_TOO_LONG. *ret_scratch: it has no format. */
enum rc upload_name(const char *name, bool *ret_scratch, enum import_format *ret_format, struct why *why);

#endif
