/* rc: the constants' names, for messages and tests. A switch without a default, so that the compiler reports a
 * constant that was added without its name here.
 */
#include "store/model/rc.h"

const char *rc_name(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return "RC_OK";
	case RC_NOT_FOUND:
		return "RC_NOT_FOUND";
	case RC_EXISTS:
		return "RC_EXISTS";
	case RC_NOT_EMPTY:
		return "RC_NOT_EMPTY";
	case RC_INVALID:
		return "RC_INVALID";
	case RC_REFUSED:
		return "RC_REFUSED";
	case RC_UNFINISHED:
		return "RC_UNFINISHED";
	case RC_TOO_BIG:
		return "RC_TOO_BIG";
	case RC_NAME_TOO_LONG:
		return "RC_NAME_TOO_LONG";
	case RC_NOT_UTF8:
		return "RC_NOT_UTF8";
	case RC_READ_ONLY:
		return "RC_READ_ONLY";
	case RC_FORBIDDEN:
		return "RC_FORBIDDEN";
	case RC_BUSY:
		return "RC_BUSY";
	case RC_AGAIN:
		return "RC_AGAIN";
	case RC_INTERRUPTED:
		return "RC_INTERRUPTED";
	case RC_CROSS:
		return "RC_CROSS";
	case RC_TOO_MANY:
		return "RC_TOO_MANY";
	case RC_STALE:
		return "RC_STALE";
	case RC_UNSUPPORTED:
		return "RC_UNSUPPORTED";
	case RC_NO_SPACE:
		return "RC_NO_SPACE";
	case RC_NO_MEMORY:
		return "RC_NO_MEMORY";
	case RC_IO:
		return "RC_IO";
	case RC_CORRUPT:
		return "RC_CORRUPT";
	}
	return "RC_?";
}
