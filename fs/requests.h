/* requests: the kernel's requests by kind, and how long each took: between here and the answer, the answer included.
 *
 * The table that libfuse calls (frontend_ops) is here; each of its entries looks at the clock, does the request, and looks again, which costs some
 * fifty nanoseconds where a request costs thousands.
 */
#ifndef ITEMFS_REQUESTS_H
#define ITEMFS_REQUESTS_H

#include "fs/latency.h"

enum request_kind {
	REQUEST_LOOKUP,
	REQUEST_FORGET,
	REQUEST_GETATTR,
	REQUEST_SETATTR,
	REQUEST_MKNOD,
	REQUEST_MKDIR,
	REQUEST_UNLINK,
	REQUEST_RMDIR,
	REQUEST_SYMLINK,
	REQUEST_RENAME,
	REQUEST_LINK,
	REQUEST_OPEN,
	REQUEST_CREATE,
	REQUEST_READ,
	REQUEST_WRITE,
	REQUEST_FLUSH,
	REQUEST_RELEASE,
	REQUEST_FSYNC,
	REQUEST_FALLOCATE,
	REQUEST_OPENDIR,
	REQUEST_READDIR,
	REQUEST_READDIRPLUS,
	REQUEST_RELEASEDIR,
	REQUEST_FSYNCDIR,
	REQUEST_STATFS,
	REQUEST_GETXATTR,
	REQUEST_SETXATTR,
	REQUEST_LISTXATTR,
	REQUEST_REMOVEXATTR,
	REQUEST_KINDS
};

/* "lookup", … */
const char *request_name(enum request_kind kind);

struct requests {
	struct latency latency[REQUEST_KINDS];
};

#endif
