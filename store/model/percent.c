/* percent: see percent.h. */
#include "store/model/percent.h"
#include "store/model/hex.h"

enum rc percent_decode(const char *text, size_t n, const char *what, struct buf *out, struct why *why)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '%') {
			buf_add_byte(out, (uint8_t)text[i]);
			continue;
		}
		int high = i + 1 < n ? hex_digit((uint8_t)text[i + 1]) : -1;
		int low = i + 2 < n ? hex_digit((uint8_t)text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return why_set(why, RC_INVALID, "%.*s: a %% that stands for itself is written %%25 in %s", (int)n, text, what);
		buf_add_byte(out, (uint8_t)(high << 4 | low));
		i += 2;
	}
	return out->failed ? why_set(why, RC_NO_MEMORY, "out of memory") : RC_OK;
}
