/* why: the words for a refusal, and the place in the input they are about.
 *
 * Whatever may refuse a user's input takes a struct why * as its last argument and fills it when, and
 * only when, it returns something else than RC_OK. NULL is always allowed and means "not interested".
 * Lines and columns count from 1, columns in bytes; 0 means that there is no such place.
 */
#ifndef ITEMFS_WHY_H
#define ITEMFS_WHY_H

#include "store/model/rc.h"
#include <stddef.h>

struct why {
	char text[768]; /* UTF-8, NUL-terminated, cut at a character where it is too long */
	size_t line;
	size_t column;
};

/* Sets the words (printf-like) and no place; returns `rc`, so that `return why_set(why, RC_…, "…")` reads
 * well. `why` may be NULL. */
enum rc why_set(struct why *why, enum rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, with a place. */
enum rc why_at(struct why *why, enum rc rc, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
