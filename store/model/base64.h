/* base64: binary values as a document writes them: RFC 4648's standard alphabet, padded, and canonical, so that each
 * binary has one text and a text that was taken comes out again as it was.
 */
#ifndef ITEMFS_BASE64_H
#define ITEMFS_BASE64_H

#include "store/model/buf.h"
#include <stddef.h>
#include <stdint.h>

/* Appends the text of n bytes. */
void base64_add(struct buf *buf, const uint8_t *bytes, size_t n);

/* Writes the bytes of a text of n characters to `out`, which holds n / 4 * 3, and sets *ret_len to how many they are.
 * NULL, or in words what is wrong with the text; then `out` may be written in part. */
const char *base64_decode(const uint8_t *text, size_t n, uint8_t *out, size_t *ret_len);

#endif
