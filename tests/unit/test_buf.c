/* buf, why, rc and utf8: the small things that everything else stands on. */
#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/utf8.h"
#include "store/model/why.h"
#include <criterion/criterion.h>
#include <string.h>

static void holds(const struct buf *buf, const void *bytes, size_t n)
{
	cr_assert_not(buf->failed);
	cr_assert_eq(buf->len, n, "%zu bytes, not %zu", buf->len, n);
	cr_assert(n == 0 || memcmp(buf->data, bytes, n) == 0);
}

static void escapes(const char *utf8, size_t n, const char *json)
{
	cleanup_buf struct buf buf = {0};
	buf_add_json_string(&buf, utf8, n);
	holds(&buf, json, strlen(json));
}

Test(buf, a_new_one_is_empty_and_owns_nothing)
{
	struct buf buf = {0};
	buf_add(&buf, NULL, 0);
	buf_add_text(&buf, "");
	cr_assert_null(buf.data);
	holds(&buf, "", 0);
	buf_free(&buf);
}

Test(buf, what_is_added_byte_by_byte_comes_out_in_order)
{
	cleanup_buf struct buf buf = {0};
	for (unsigned i = 0; i < 100000; i++)
		buf_add_byte(&buf, (uint8_t)(i * 7));
	cr_assert_eq(buf.len, 100000);
	cr_assert_leq(buf.len, buf.cap);
	for (unsigned i = 0; i < 100000; i++)
		cr_assert_eq(buf.data[i], (uint8_t)(i * 7));
}

Test(buf, one_in_an_array_takes_memory_only_for_what_has_no_room_there)
{
	uint8_t room[8];
	cleanup_buf struct buf buf = BUF_IN(room);
	buf_add_text(&buf, "12345678");
	cr_assert_eq(buf.data, room);
	holds(&buf, "12345678", 8);
	buf_add_byte(&buf, '9');
	cr_assert_neq(buf.data, room);
	holds(&buf, "123456789", 9);
	cr_assert_eq(memcmp(room, "12345678", 8), 0);
	buf_add(&buf, "abcdef", 6);
	holds(&buf, "123456789abcdef", 15);
}

Test(buf, one_in_an_array_that_is_released_is_like_a_new_one)
{
	uint8_t room[8];
	struct buf buf = BUF_IN(room);
	buf_add_text(&buf, "1234");
	buf_clear(&buf);
	cr_assert_eq(buf.data, room);
	buf_add_text(&buf, "56");
	holds(&buf, "56", 2);
	buf_free(&buf);
	cr_assert_null(buf.data);
	buf_add_text(&buf, "7");
	cr_assert_neq(buf.data, room);
	holds(&buf, "7", 1);
	buf_free(&buf);
}

Test(buf, it_grows_geometrically)
{
	cleanup_buf struct buf buf = {0};
	size_t moves = 0, cap = 0;
	for (unsigned i = 0; i < 1000000; i++) {
		buf_add_byte(&buf, 'x');
		moves += buf.cap != cap;
		cap = buf.cap;
	}
	cr_assert_lt(moves, 32, "%zu", moves);
}

Test(buf, integers_are_big_endian)
{
	cleanup_buf struct buf buf = {0};
	buf_add_u32(&buf, 0x01020304);
	buf_add_u64(&buf, 0xf1f2f3f4f5f6f7f8);
	holds(&buf, "\x01\x02\x03\x04\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8", 12);
}

Test(buf, printf_appends_text_without_its_nul)
{
	cleanup_buf struct buf buf = {0};
	buf_printf(&buf, "%d-%s", 42, "x");
	buf_printf(&buf, "%s", "");
	buf_printf(&buf, "!");
	holds(&buf, "42-x!", 5);
}

Test(buf, printf_of_a_long_text_grows_the_buf)
{
	cleanup_buf struct buf buf = {0};
	buf_printf(&buf, "%0*d", 5000, 7);
	cr_assert_eq(buf.len, 5000);
	cr_assert_eq(buf.data[4999], '7');
	cr_assert_eq(buf.data[4998], '0');
}

Test(buf, printf_that_fits_but_for_its_nul_loses_nothing)
{
	cleanup_buf struct buf buf = {0};
	buf_reserve(&buf, 1);
	size_t cap = buf.cap;
	buf_printf(&buf, "%0*d", (int)cap, 1);
	cr_assert_eq(buf.len, cap);
	cr_assert_eq(buf.data[cap - 1], '1');
}

Test(buf, resize_fills_with_zeros_and_cuts)
{
	cleanup_buf struct buf buf = {0};
	buf_add_text(&buf, "abcdef");
	buf_resize(&buf, 2);
	holds(&buf, "ab", 2);
	buf_resize(&buf, 5);
	holds(&buf, "ab\0\0\0", 5);
	buf_resize(&buf, 0);
	holds(&buf, "", 0);
}

Test(buf, clear_keeps_the_memory_and_forgets_the_failure)
{
	cleanup_buf struct buf buf = {0};
	buf_add_text(&buf, "abc");
	uint8_t *data = buf.data;
	cr_assert_not(buf_reserve(&buf, SIZE_MAX));
	cr_assert(buf.failed);
	buf_clear(&buf);
	buf_add_text(&buf, "x");
	cr_assert_eq(buf.data, data);
	holds(&buf, "x", 1);
}

Test(buf, a_length_that_would_overflow_fails_and_stays_failed)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX / 2, SIZE_MAX / 2 + 1};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		cleanup_buf struct buf buf = {0};
		buf_add_text(&buf, "abc");
		cr_assert_not(buf_reserve(&buf, sizes[i]));
		cr_assert(buf.failed);
		buf_add_text(&buf, "d");
		buf_add_byte(&buf, 'd');
		buf_printf(&buf, "d");
		buf_resize(&buf, 1);
		cr_assert_eq(buf.len, 3);
		cr_assert_eq(memcmp(buf.data, "abc", 3), 0);
	}
}

Test(buf, resize_beyond_all_memory_fails_and_keeps_the_bytes)
{
	cleanup_buf struct buf buf = {0};
	buf_add_text(&buf, "abc");
	buf_resize(&buf, SIZE_MAX);
	cr_assert(buf.failed);
	cr_assert_eq(buf.len, 3);
}

Test(buf, free_leaves_one_that_can_be_used_again)
{
	cleanup_buf struct buf buf = {0};
	buf_add_text(&buf, "abc");
	buf_free(&buf);
	cr_assert_null(buf.data);
	buf_add_text(&buf, "x");
	holds(&buf, "x", 1);
}

Test(buf, json_strings_escape_what_json_must_and_nothing_else)
{
	escapes("", 0, "\"\"");
	escapes("plain", 5, "\"plain\"");
	escapes("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
	escapes("\n\t\r\b\f", 5, "\"\\n\\t\\r\\b\\f\"");
	escapes("\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\"");
	escapes("\x7f/", 2, "\"\x7f/\"");
	escapes("é€😀", 9, "\"é€😀\"");
	escapes("\"", 1, "\"\\\"\"");
}

Test(why, words_and_place_are_set_and_the_rc_is_returned)
{
	struct why why;
	cr_assert_eq(why_at(&why, RC_REFUSED, 3, 7, "no %s", "dog"), RC_REFUSED);
	cr_assert_str_eq(why.text, "no dog");
	cr_assert_eq(why.line, 3);
	cr_assert_eq(why.column, 7);
	cr_assert_eq(why_set(&why, RC_INVALID, "%d", 5), RC_INVALID);
	cr_assert_str_eq(why.text, "5");
	cr_assert_eq(why.line, 0);
	cr_assert_eq(why.column, 0);
}

Test(why, nobody_need_be_interested)
{
	cr_assert_eq(why_set(NULL, RC_IO, "x"), RC_IO);
	cr_assert_eq(why_at(NULL, RC_BUSY, 1, 1, "x"), RC_BUSY);
}

Test(why, its_own_words_may_be_among_the_arguments)
{
	struct why why;
	why_set(&why, RC_REFUSED, "inner");
	why_set(&why, RC_REFUSED, "outer: %s", why.text);
	cr_assert_str_eq(why.text, "outer: inner");
}

Test(why, long_words_are_cut_at_a_character)
{
	static const char *const characters[] = {"x", "é", "€", "😀"};
	for (size_t i = 0; i < 4; i++)
		for (size_t shift = 0; shift < 5; shift++) {
			cleanup_buf struct buf text = {0};
			for (size_t j = 0; j < shift; j++)
				buf_add_byte(&text, '.');
			for (size_t j = 0; j < 1000; j++)
				buf_add_text(&text, characters[i]);
			buf_add_byte(&text, 0);
			struct why why;
			why_set(&why, RC_REFUSED, "%s", (const char *)text.data);
			size_t n = strlen(why.text);
			cr_assert(utf8_valid(why.text, n));
			cr_assert_lt(n, sizeof why.text);
			cr_assert_gt(n, sizeof why.text - 1 - strlen(characters[i]));
		}
}

Test(why, words_that_just_fit_are_whole)
{
	char text[sizeof(struct why)];
	struct why why;
	size_t n = sizeof why.text - 1;
	memset(text, 'x', n);
	memcpy(text + n - 2, "é", 3);
	why_set(&why, RC_REFUSED, "%s", text);
	cr_assert_str_eq(why.text, text);
}

Test(rc, every_constant_has_its_own_name)
{
	cr_assert_str_eq(rc_name(RC_OK), "RC_OK");
	cr_assert_str_eq(rc_name(RC_NOT_FOUND), "RC_NOT_FOUND");
	cr_assert_str_eq(rc_name(RC_CORRUPT), "RC_CORRUPT");
	for (int i = 0; i <= RC_CORRUPT; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(rc_name((enum rc)i), rc_name((enum rc)j));
	cr_assert_not_null(rc_name((enum rc)1000));
}

Test(utf8, whole_characters_are_valid)
{
	static const char *const texts[] = {"",
					    "abc",
					    "\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_assert(utf8_valid(texts[i], strlen(texts[i])), "%zu", i);
	cr_assert(utf8_valid("a\0b", 3));
}

Test(utf8, overlong_cut_surrogate_and_stray_bytes_are_not)
{
	static const char *const texts[] = {"\x80",
					    "\xbf",
					    "\xc0\x80",
					    "\xc1\xbf",
					    "\xc2",
					    "\xc2\x41",
					    "\xe0\x9f\xbf",
					    "\xe2\x82",
					    "\xed\xa0\x80",
					    "\xed\xbf\xbf",
					    "\xf0\x8f\xbf\xbf",
					    "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80",
					    "\xff",
					    "\xfe",
					    "\xf0\x90\x80",
					    "a\xe2\x82\x41"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_assert_not(utf8_valid(texts[i], strlen(texts[i])), "%zu", i);
}

Test(utf8, length_counts_characters)
{
	cr_assert_eq(utf8_length("aé€😀", strlen("aé€😀")), 4);
	cr_assert_eq(utf8_length("", 0), 0);
}
