/* json_plain: how far the bytes of a string stand for themselves, eight at once. Most of a document is that, so it is what the scanner's speed is
 * made of; private to json*.c.
 */
#ifndef ITEMFS_JSON_PLAIN_H
#define ITEMFS_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What stands in a string for itself and is one byte. */
static inline bool json_is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#define JSON_EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Eight bytes at once: the top bit of each that is not plain. The subtractions may set it, too, in bytes that stand above one that is
 * not plain, so it is the lowest that counts. */
static inline uint64_t json_not_plain(const uint8_t eight[8])
{
	uint64_t bytes, found;

	memcpy(&bytes, eight, sizeof(bytes));
	found = bytes | (bytes - JSON_EACH_BYTE(0x20));
	found |= (bytes ^ JSON_EACH_BYTE('"')) - JSON_EACH_BYTE(1);
	found |= (bytes ^ JSON_EACH_BYTE('\\')) - JSON_EACH_BYTE(1);
	return found & JSON_EACH_BYTE(0x80);
}

/* How many bytes from here on are a string's plain ASCII. */
static inline size_t json_plain_run(const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t found = json_not_plain(bytes + i);

		if (found && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			return i + (size_t)__builtin_ctzll(found) / 8;
		if (found)
			break;
	}
	while (i < n && json_is_plain(bytes[i]))
		i++;
	return i;
}

#endif
