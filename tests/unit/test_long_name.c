/* Names that are cut: which they are, how they end, what they still tell. */
#include "fs/long_name.h"
#include <criterion/criterion.h>
#include <string.h>

static const char *cut(const char *name, const char *suffix, char out[256])
{
	struct buf buf = {0};
	buf_add_text(&buf, name);
	cr_assert(long_name_write(&buf, suffix, out));
	buf_free(&buf);
	return out;
}

static void repeat(char *out, char letter, size_t n)
{
	memset(out, letter, n);
	out[n] = 0;
}

Test(long_name, what_fits_is_whole)
{
	char name[512], out[256];
	repeat(name, 'k', 250);
	cut(name, ".json", out);
	cr_expect_eq(strlen(out), 255);
	cr_expect_eq(strncmp(out, name, 250), 0);
	cr_expect_eq(long_name_at(out, ".json"), 0);
	repeat(name, 'k', 255);
	cr_expect_str_eq(cut(name, "", out), name);
}

Test(long_name, what_does_not_fit_ends_in_the_hash_of_all_of_it)
{
	char a[512], b[512], one[256], two[256];
	repeat(a, 'k', 300);
	repeat(b, 'k', 301);
	cut(a, ".json", one);
	cut(b, ".json", two);
	cr_expect_eq(strlen(one), 255);
	cr_expect_eq(long_name_at(one, ".json"), 232);
	cr_expect_eq(strncmp(one, two, 232), 0);
	cr_expect_str_neq(one, two);
	cr_expect_str_eq(one + 232, "%~5ca262fb029e9acd.json", "the hash is in backups, so it never changes");
}

Test(long_name, a_character_is_not_torn)
{
	char name[512] = "", out[256];
	for (int i = 0; i < 150; i++)
		strcat(name, "€"); /* three bytes */
	cut(name, "", out);
	cr_expect_eq(long_name_at(out, ""), 237, "%zu", long_name_at(out, "")); /* 79 of them */
	repeat(name, 'k', 2);
	for (int i = 0; i < 150; i++)
		strcat(name, "€");
	cut(name, "", out);
	cr_expect_eq(long_name_at(out, ""), 236);
	cr_expect_eq(strlen(out), 254);
}

Test(long_name, nothing_else_is_taken_for_one)
{
	static const char *const ends[] = {"%~0123456789abcdeg", "%~0123456789ABCDEF", "%%0123456789abcdef", "~%0123456789abcdef"};
	char name[512];
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		repeat(name, 'k', 237);
		strcat(name, ends[i]);
		cr_expect_eq(long_name_at(name, ""), 0, "%s", ends[i]);
	}
	cr_expect_eq(long_name_at("%~0123456789abcdef", ""), 0);
	cr_expect_eq(long_name_at("short%~0123456789abcdef", ""), 0, "no name that short was cut");
	repeat(name, 'k', 237);
	strcat(name, "%~0123456789abcdef");
	cr_expect_eq(long_name_at(name, ""), 237);
	cr_expect_eq(long_name_at(name, ".json"), 0);
}

Test(long_name, the_beginning_of_the_key_is_told)
{
	struct key key;
	long_name_prefix("a%2Fb%25%0", 10, KEY_S, &key);
	cr_expect(key.type == KEY_S && key.len == 4 && memcmp(key.data, "a/b%", 4) == 0);
	long_name_prefix("00ff7", 5, KEY_B, &key);
	cr_expect(key.type == KEY_B && key.len == 2 && memcmp(key.data, "\0\xff", 2) == 0);
}
