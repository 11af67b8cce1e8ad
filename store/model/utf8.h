/* utf8: whether bytes are text. Here, as in JSON: no overlong forms, no surrogates, nothing above U+10FFFF; U+0000
 * is a character like any other. */
#ifndef ITEMFS_UTF8_H
#define ITEMFS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const void *bytes, size_t n);

/* How many characters (code points) there are in valid UTF-8. */
size_t utf8_length(const void *bytes, size_t n);

#endif
