#include "store/oserror.h"
#include <errno.h>
#include <string.h>

enum rc rc_of_errno(int number)
{
	switch (number) {
	case 0:
		return RC_OK;
	case ENOENT:
	case ENOTDIR:
		return RC_NOT_FOUND;
	case ENAMETOOLONG:
		return RC_NAME_TOO_LONG;
	case ENOSPC:
	case EDQUOT:
		return RC_NO_SPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return RC_FORBIDDEN;
	case EAGAIN:
		return RC_BUSY;
	case ENOMEM:
		return RC_NO_MEMORY;
	default:
		return RC_IO;
	}
}

enum rc why_errno(struct why *why, int number, const char *path)
{
	char space[128];

	return why_set(why, rc_of_errno(number), "%s: %s", path, strerror_r(number, space, sizeof(space)));
}
