/* oserror: what the system's numbers mean to a store. Private to this room. */
#ifndef ITEMFS_STORE_OSERROR_H
#define ITEMFS_STORE_OSERROR_H

#include "store/model/rc.h"
#include "store/model/why.h"

enum rc rc_of_errno(int number);
/* "PATH: what strerror() says". */
enum rc why_errno(struct why *why, int number, const char *path);

#endif
