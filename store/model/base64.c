/* base64: the one place that knows the alphabet and the padding (see base64.h), in both directions. Pure: it owns no
 * memory but what it adds to a buf.
 */
#include "store/model/base64.h"

void base64_add(struct buf *buf, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t group = (uint32_t)bytes[i] << 16;
		group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		char four[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
		if (left > 1)
			four[2] = digits[group >> 6 & 63];
		if (left > 2)
			four[3] = digits[group & 63];
		buf_add(buf, four, sizeof four);
	}
}

static int digit64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The three bytes of four characters, of which the last `padding` are '='. NULL, or what is wrong. */
static const char *decode_group(const uint8_t *in, unsigned padding, uint8_t out[3])
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit64(in[i]) : 0;

		if (value < 0)
			return in[i] == '=' ? "not base64: '=' stands only at the end"
					    : "not base64: a character that is not A-Z a-z 0-9 + /";
		bits = bits << 6 | (unsigned)value;
	}
	if (bits & ((1u << (8 * padding)) - 1))
		return "not canonical base64: the unused bits of the last character are not zero";
	for (unsigned i = 0; i < 3 - padding; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return NULL;
}

const char *base64_decode(const uint8_t *text, size_t n, uint8_t *out, size_t *ret_len)
{
	size_t padding = 0;

	if (n % 4)
		return "not base64: its length is not a multiple of 4 (with '=' at the end as padding)";
	if (n && text[n - 1] == '=')
		padding = text[n - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < n; i += 4) {
		const char *wrong = decode_group(text + i, i + 4 == n ? (unsigned)padding : 0, out + i / 4 * 3);

		if (wrong)
			return wrong;
	}
	*ret_len = n / 4 * 3 - padding;
	return NULL;
}
