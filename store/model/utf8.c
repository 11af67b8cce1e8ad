/* utf8: the table is that of the Unicode standard (3.9, well-formed sequences): what may follow a lead byte depends
 * on it only in the second byte.
 */
#include "store/model/utf8.h"
#include <stdint.h>
#include <string.h>

/* The length of the character at the front of bytes, or 0 where there is none. */
static size_t character(const uint8_t *bytes, size_t n)
{
	uint8_t lead = bytes[0], low = 0x80, high = 0xbf;
	size_t length;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf) {
		length = 2;
	} else if (lead >= 0xe0 && lead <= 0xef) {
		length = 3;
		low = lead == 0xe0 ? 0xa0 : low;
		high = lead == 0xed ? 0x9f : high;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		length = 4;
		low = lead == 0xf0 ? 0x90 : low;
		high = lead == 0xf4 ? 0x8f : high;
	} else {
		return 0;
	}
	if (n < length || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* How many bytes of ASCII stand at the front. */
static size_t ascii_run(const uint8_t *bytes, size_t n)
{
	size_t run = 0;
	uint64_t eight = 0;
	while (n - run >= sizeof eight) {
		memcpy(&eight, bytes + run, sizeof eight);
		if (eight & UINT64_C(0x8080808080808080))
			break;
		run += sizeof eight;
	}
	while (run < n && bytes[run] < 0x80)
		run++;
	return run;
}

bool utf8_valid(const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	while (n > 0) {
		size_t run = ascii_run(at, n);
		at += run;
		n -= run;
		if (n == 0)
			break;
		size_t length = character(at, n);
		if (length == 0)
			return false;
		at += length;
		n -= length;
	}
	return true;
}

size_t utf8_length(const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += (at[i] & 0xc0) != 0x80;
	return count;
}
