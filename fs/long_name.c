/* long_name: see long_name.h. */
#include "fs/long_name.h"
#include "fs/name.h"
#include <stdio.h>
#include <string.h>

/* Fewer only in tests, so that keys with one hash are found. */
#ifndef LONG_NAME_HASH_BITS
#define LONG_NAME_HASH_BITS 64
#endif

enum { HASH_LEN = 18 /* %~ and sixteen digits */ };

static uint64_t hash(const uint8_t *name, size_t n)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ name[i]) * 1099511628211u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	return (h ^ h >> 33) >> (64 - LONG_NAME_HASH_BITS);
}

bool long_name_write(const struct buf *name, const char *suffix, char out[256])
{
	size_t tail = strlen(suffix);
	if (name->failed || !name->len)
		return false;
	if (name->len + tail <= NAME_BYTES_MAX) {
		memcpy(out, name->data, name->len);
		strcpy(out + name->len, suffix);
		return true;
	}
	size_t keep = NAME_BYTES_MAX - tail - HASH_LEN;
	while (keep && (name->data[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(out, name->data, keep);
	sprintf(out + keep, "%%~%016llx%s", (unsigned long long)hash(name->data, name->len), suffix);
	return true;
}

size_t long_name_at(const char *name, const char *suffix)
{
	size_t n = strlen(name), tail = strlen(suffix);
	if (n + 3 < NAME_BYTES_MAX || /* a character's bytes may have been left out to keep it whole */ strcmp(name + n - tail, suffix) != 0)
		return 0;
	size_t at = n - tail - HASH_LEN;
	return memcmp(name + at, "%~", 2) == 0 && strspn(name + at + 2, "0123456789abcdef") >= 16 ? at : 0;
}

void long_name_prefix(const char *name, size_t n, enum key_type type, struct key *ret_prefix)
{
	static const char digits[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
	*ret_prefix = (struct key){.type = type};
	for (size_t i = 0; i < n; i++) {
		const char *high, *low, *set = type == KEY_B ? lower : digits;
		uint8_t byte = (uint8_t)name[i];
		if (type == KEY_B || byte == '%') {
			size_t at = type == KEY_B ? i : i + 1;
			high = at < n ? memchr(set, name[at], 16) : NULL;
			low = high && at + 1 < n ? memchr(set, name[at + 1], 16) : NULL;
			if (!low)
				return; /* cut in the middle of it */
			byte = (uint8_t)((high - set) << 4 | (low - set));
			i = at + 1;
		}
		ret_prefix->data[ret_prefix->len++] = byte;
	}
}
