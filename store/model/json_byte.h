/* json_byte: what a single byte is in JSON. Here because the scanner (json.c) and what works on scanned text
 * (json_text.c, recast.c) must not differ about it.
 */
#ifndef ITEMFS_JSON_BYTE_H
#define ITEMFS_JSON_BYTE_H

#include <stdbool.h>
#include <stdint.h>

static inline bool json_is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static inline bool json_is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

#endif
