/* buf: bytes that grow. The invariant is len <= cap, and data is NULL iff cap is 0; what is lent is never freed nor moved by realloc(); a failure
 * leaves what was there before it whole, and only marks the buf.
 */
#include "store/model/buf.h"
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_FIRST = 128 }; /* the most of what is composed, a row's key or a head, fits */

void buf_free(struct buf *buf)
{
	if (!buf->lent)
		free(buf->data);
	*buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

bool buf_reserve(struct buf *buf, size_t n)
{
	if (buf->failed)
		return false;
	if (n <= buf->cap - buf->len)
		return true;
	if (n > SIZE_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	size_t need = buf->len + n;
	size_t cap = buf->cap ? buf->cap : CAP_FIRST;
	while (cap < need) /* need <= SIZE_MAX / 2, so that doubling what is less than it cannot overflow */
		cap *= 2;
	uint8_t *data = buf->lent || !buf->data ? malloc(cap) : realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	if (buf->lent)
		memcpy(data, buf->data, buf->len);
	buf->data = data;
	buf->cap = cap;
	buf->lent = false;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	if (n == 0 || !buf_reserve(buf, n))
		return;
	memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
	if (!buf_reserve(buf, 1))
		return;
	buf->data[buf->len++] = byte;
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_u32(struct buf *buf, uint32_t v)
{
	v = htobe32(v);
	if (!buf_reserve(buf, sizeof v))
		return;
	memcpy(buf->data + buf->len, &v, sizeof v);
	buf->len += sizeof v;
}

void buf_add_u64(struct buf *buf, uint64_t v)
{
	v = htobe64(v);
	if (!buf_reserve(buf, sizeof v))
		return;
	memcpy(buf->data + buf->len, &v, sizeof v);
	buf->len += sizeof v;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	if (buf->failed)
		return;
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		buf->failed = true;
	} else if (buf_reserve(buf, (size_t)n + 1)) { /* vsnprintf writes a NUL, which is not counted in len */
		vsnprintf((char *)buf->data + buf->len, (size_t)n + 1, format, again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

void buf_resize(struct buf *buf, size_t n)
{
	if (buf->failed)
		return;
	if (n > buf->len) {
		if (!buf_reserve(buf, n - buf->len))
			return;
		memset(buf->data + buf->len, 0, n - buf->len);
	}
	buf->len = n;
}

static void add_escaped(struct buf *buf, uint8_t byte)
{
	switch (byte) {
	case '"':
		buf_add(buf, "\\\"", 2);
		break;
	case '\\':
		buf_add(buf, "\\\\", 2);
		break;
	case '\n':
		buf_add(buf, "\\n", 2);
		break;
	case '\t':
		buf_add(buf, "\\t", 2);
		break;
	case '\r':
		buf_add(buf, "\\r", 2);
		break;
	case '\b':
		buf_add(buf, "\\b", 2);
		break;
	case '\f':
		buf_add(buf, "\\f", 2);
		break;
	default:
		buf_printf(buf, "\\u%04x", byte);
		break;
	}
}

void buf_add_json_string(struct buf *buf, const void *utf8, size_t n)
{
	const uint8_t *bytes = utf8;
	size_t plain = 0; /* where the bytes begin that are not added yet and need no escape */
	buf_add_byte(buf, '"');
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
			continue;
		buf_add(buf, bytes + plain, i - plain);
		add_escaped(buf, bytes[i]);
		plain = i + 1;
	}
	if (plain < n)
		buf_add(buf, bytes + plain, n - plain);
	buf_add_byte(buf, '"');
}
