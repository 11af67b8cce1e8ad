/* buf: bytes that grow. Zero-initialise to start ({0}), or with BUF_IN(); buf_free() at the end.
 *
 * Running out of memory is remembered in `failed` and later additions do nothing, so that a row or a
 * document can be composed without a check at each step and with one at its end.
 */
#ifndef ITEMFS_BUF_H
#define ITEMFS_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* NULL while nothing was ever added */
	size_t len;
	size_t cap;
	bool failed;
	bool lent; /* the bytes are an array of somebody's */
};

/* One that begins in this array, and takes memory only for what has no room there: rows and their keys are small, and are composed by the dozen. It must not outlive the array, so
 * its bytes cannot be handed over. */
#define BUF_IN(array) {.data = (array), .cap = sizeof(array), .lent = true}

void buf_free(struct buf *buf);              /* releases the bytes; the buf is empty and usable again */
void buf_clear(struct buf *buf);             /* length 0, memory kept, `failed` forgotten */
bool buf_reserve(struct buf *buf, size_t n); /* room for n more bytes; false (and failed) if there is none */
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_add_text(struct buf *buf, const char *text); /* without its NUL */
void buf_add_u32(struct buf *buf, uint32_t v);        /* big-endian, so that bytes sort as numbers */
void buf_add_u64(struct buf *buf, uint64_t v);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes it exactly n bytes long, filling a gap with zeros. */
void buf_resize(struct buf *buf, size_t n);
/* A JSON string with its quotes: `"` `\` and control bytes escaped, everything else as it is (the caller
 * gives valid UTF-8). */
void buf_add_json_string(struct buf *buf, const void *utf8, size_t n);

/* Releases a buf when its scope ends. */
#define cleanup_buf __attribute__((cleanup(buf_free)))

#endif
