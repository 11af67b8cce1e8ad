/* json_text: what is done with text that the scanner has taken: a string's escapes undone, white space left out.
 *
 * Apart from json.c because nothing here has a state or refuses anything. Both functions believe that the scanner took
 * what they are given, so they look for no errors; escapes come whole, and surrogates in pairs.
 */
#include "store/model/buf.h"
#include "store/model/hex.h"
#include "store/model/json.h"
#include "store/model/json_byte.h"
#include <string.h>

static unsigned read_unit(const char *digits)
{
	unsigned unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (unsigned)hex_digit((uint8_t)digits[i]);
	return unit;
}

static size_t write_utf8(unsigned c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The escape at `in`, which begins with a backslash; returns how long it is. */
static size_t unescape_one(const char *in, char *out, size_t *written)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name;
	size_t used = 6;
	unsigned c;

	if (in[1] != 'u') {
		name = strchr(names, in[1]);
		*out = name ? values[name - names] : in[1];
		*written = 1;
		return 2;
	}
	c = read_unit(in + 2);
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (read_unit(in + 8) - 0xdc00);
		used = 12;
	}
	*written = write_utf8(c, out);
	return used;
}

size_t json_unescape(const char *token, size_t n, char *out)
{
	const char *in = token + 1, *end = token + n - 1;
	char *to = out;

	while (in < end) {
		const char *backslash = memchr(in, '\\', (size_t)(end - in));
		size_t plain = (size_t)((backslash ? backslash : end) - in), written;

		memcpy(to, in, plain);
		to += plain;
		in += plain;
		if (!backslash)
			break;
		in += unescape_one(in, to, &written);
		to += written;
	}
	return (size_t)(to - out);
}

/* The end of a string whose first quote stands before `i`. */
static size_t skip_string(const char *value, size_t n, size_t i)
{
	while (i < n && value[i] != '"')
		i += value[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

void json_compact(const char *value, size_t n, struct buf *out)
{
	size_t i = 0, run = 0; /* the bytes from `run` to `i` are wanted and not yet copied */

	if (!buf_reserve(out, n))
		return;
	while (i < n) {
		if (value[i] == '"') {
			i = skip_string(value, n, i + 1);
		} else if (json_is_space((uint8_t)value[i])) {
			buf_add(out, value + run, i - run);
			run = ++i;
		} else {
			i++;
		}
	}
	buf_add(out, value + run, n - run);
}
