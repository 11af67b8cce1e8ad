/* why: writes the words of a refusal into the room that there is, and never leaves half a character at the end.
 */
#include "store/model/why.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where vsnprintf cut in the middle of a UTF-8 character, drops the part that is left of it. */
static void cut_at_character(char *text, size_t n)
{
	size_t start = n;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (n - (start - 1) < whole)
		text[start - 1] = '\0';
}

static void fill(struct why *why, size_t line, size_t column, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void fill(struct why *why, size_t line, size_t column, const char *format, va_list args)
{
	/* The arguments may point into why->text itself, where a caller puts words before those of a callee. */
	char text[sizeof why->text];
	int n = vsnprintf(text, sizeof text, format, args);
	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= sizeof text)
		cut_at_character(text, sizeof text - 1);
	memcpy(why->text, text, strlen(text) + 1);
	why->line = line;
	why->column = column;
}

enum rc why_set(struct why *why, enum rc rc, const char *format, ...)
{
	if (!why)
		return rc;
	va_list args;
	va_start(args, format);
	fill(why, 0, 0, format, args);
	va_end(args);
	return rc;
}

enum rc why_at(struct why *why, enum rc rc, size_t line, size_t column, const char *format, ...)
{
	if (!why)
		return rc;
	va_list args;
	va_start(args, format);
	fill(why, line, column, format, args);
	va_end(args);
	return rc;
}
