/* crc: CRC-32C (Castagnoli), and the form in which LevelDB stores one beside the bytes it is of. Private to this room. */
#ifndef ITEMFS_STORE_CRC_H
#define ITEMFS_STORE_CRC_H

#include <stddef.h>
#include <stdint.h>

void crc_make_table(uint32_t table[256]);

/* Begin with CRC_START. */
#define CRC_START 0xffffffffu
static inline uint32_t crc_step(const uint32_t table[256], uint32_t crc, uint8_t byte)
{
	return table[(crc ^ byte) & 0xff] ^ crc >> 8;
}

/* Of what was stepped over, masked: a checksum of bytes that hold checksums would be a weak one. */
static inline uint32_t crc_stored(uint32_t crc)
{
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

#endif
