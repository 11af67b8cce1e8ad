/* hex: what a hexadecimal digit is. */
#ifndef ITEMFS_HEX_H
#define ITEMFS_HEX_H

#include <stdint.h>

/* The value of a digit of either case, or -1. */
static inline int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

#endif
