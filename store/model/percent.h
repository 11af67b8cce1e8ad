/* percent: text in which %XX is the byte XX, as file names and filters have it. */
#ifndef ITEMFS_PERCENT_H
#define ITEMFS_PERCENT_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stddef.h>

/* Appends the bytes that it stands for, whatever is escaped and in whichever case. RC_INVALID with why, which says that it is `what` ("a name"): a %
 * that no two hexadecimal digits follow. RC_NO_MEMORY. */
enum rc percent_decode(const char *text, size_t n, const char *what, struct buf *out, struct why *why);

#endif
