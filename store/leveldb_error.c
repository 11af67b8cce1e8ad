/* leveldb_error: what LevelDB's messages mean. It says what went wrong in words only: its own kind of error, the file, and what strerror() says. */
#include "store/leveldb_private.h"
#include "store/oserror.h"
#include <errno.h>
#include <string.h>

static bool ends_with_errno(const char *message, int number)
{
	char space[128];
	const char *text = strerror_r(number, space, sizeof(space));
	size_t n = strlen(message);
	size_t text_n = strlen(text);

	return n >= text_n && memcmp(message + n - text_n, text, text_n) == 0;
}

enum rc store_rc_of_message(char *message, struct why *why)
{
	static const int known[] = {ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EAGAIN, ENOMEM};
	static const char held[] = "already held by process";
	enum rc rc = RC_IO;
	size_t n;

	if (!message)
		return RC_OK;
	n = strlen(message);
	if (strncmp(message, "Corruption:", 11) == 0)
		rc = RC_CORRUPT;
	else if (strncmp(message, "Invalid argument:", 17) == 0)
		rc = RC_INVALID;
	else if (n >= sizeof(held) - 1 && strcmp(message + n - (sizeof(held) - 1), held) == 0)
		rc = RC_BUSY;
	else if (ends_with_errno(message, EINVAL)) /* how it says that a table is shorter than it should be */
		rc = RC_CORRUPT;
	for (size_t i = 0; rc == RC_IO && i < sizeof(known) / sizeof(known[0]); i++) {
		if (ends_with_errno(message, known[i]))
			rc = rc_of_errno(known[i]);
	}
	why_set(why, rc, "%s", message);
	leveldb_free(message);
	return rc;
}
