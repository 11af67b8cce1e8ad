/* name: one name for each key, one key at most for each name. */
#include "fs/name.h"
#include "store/model/utf8.h"
#include <criterion/criterion.h>
#include <string.h>

static enum rc read_name(const char *name, size_t n, enum key_type type, enum name_form form, bool first,
			 struct key *key, struct why *why)
{
	return name_to_key(name, n, type, KEY_PARTITION, form, first, key, why);
}

/* A key of text ↔ a name, in both directions. */
static void pair(const char *text, size_t n, enum name_form form, bool first, const char *name)
{
	struct key key, back;
	struct why why = {.text = ""};
	cr_assert_eq(key_from_text(text, n, KEY_S, KEY_PARTITION, &key, NULL), RC_OK);
	cleanup_buf struct buf out = {0};
	if (!first)
		buf_add_byte(&out, ',');
	size_t start = out.len;
	name_of_key(&key, form, &out);
	cr_assert_eq(out.len - start, strlen(name), "%.*s", (int)out.len, (char *)out.data);
	cr_assert_eq(memcmp(out.data + start, name, strlen(name)), 0, "%.*s", (int)out.len, (char *)out.data);
	cr_assert_eq(read_name(name, strlen(name), KEY_S, form, first, &back, &why), RC_OK, "%s", why.text);
	cr_assert(key_equal(&key, &back));
}

static void whole(const char *text, const char *name)
{
	pair(text, strlen(text), NAME_WHOLE, true, name);
}

static void refused(const char *name, size_t n, enum key_type type, enum name_form form, bool first, enum rc rc,
		    const char *words)
{
	struct key key = {.len = 77};
	struct why why = {.text = ""};
	cr_assert_eq(read_name(name, n, type, form, first, &key, &why), rc, "%.*s", (int)n, name);
	cr_assert(strstr(why.text, words), "%s", why.text);
	cr_assert(utf8_valid(why.text, strlen(why.text)));
	cr_assert_eq(key.len, 77);
	cr_assert_eq(read_name(name, n, type, form, first, &key, NULL), rc);
}

static void invalid(const char *name, const char *words)
{
	refused(name, strlen(name), KEY_S, NAME_WHOLE, true, RC_INVALID, words);
}

Test(name_of_string, plain_text_stays_as_it_is)
{
	whole("Bohemian Rhapsody", "Bohemian Rhapsody");
	whole("a,b;c:d*e?", "a,b;c:d*e?");
	whole("Motörhead €😀", "Motörhead €😀");
	whole("x.json", "x.json");
	whole("-rf", "-rf");
	whole("~", "~");
	whole(" ", " ");
}

Test(name_of_string, slashes_percents_and_control_bytes_are_escaped)
{
	whole("a/b", "a%2Fb");
	whole("/", "%2F");
	whole("100%", "100%25");
	whole("%2F", "%252F");
	whole("a%~b", "a%25~b");
	whole("a\nb\tc", "a%0Ab%09c");
	whole("\x01\x1f\x7f", "%01%1F%7F");
	pair("a\0b", 3, NAME_WHOLE, true, "a%00b");
	pair("\0", 1, NAME_WHOLE, true, "%00");
}

Test(name_of_string, only_a_leading_dot_is_escaped)
{
	whole(".", "%2E");
	whole("..", "%2E.");
	whole(".schema.json", "%2Eschema.json");
	whole("a.b.", "a.b.");
	pair(".a", 2, NAME_COMPONENT, true, "%2Ea");
	pair(".a", 2, NAME_COMPONENT, false, ".a");
	pair("..", 2, NAME_COMPONENT, false, "..");
}

Test(name_of_string, a_comma_is_escaped_in_components_only)
{
	pair("a,b", 3, NAME_WHOLE, true, "a,b");
	pair("a,b", 3, NAME_COMPONENT, true, "a%2Cb");
	pair(",", 1, NAME_COMPONENT, false, "%2C");
	refused("a,b", 3, KEY_S, NAME_COMPONENT, true, RC_INVALID, "a%2Cb");
	refused("a%2Cb", 5, KEY_S, NAME_WHOLE, true, RC_INVALID, "itemfs writes this name: a,b");
}

Test(name_to_key, another_spelling_is_invalid_and_the_canonical_one_is_told)
{
	invalid("a%2fb", "a%2fb is not how itemfs writes this name: a%2Fb");
	invalid("%41", "%41 is not how itemfs writes this name: A");
	invalid("a%2Eb", "itemfs writes this name: a.b");
	invalid(".a", "itemfs writes this name: %2Ea");
	invalid("a/b", "itemfs writes this name: a%2Fb");
	invalid("a\nb", "itemfs writes this name: a%0Ab");
	invalid("%C3%A9", "itemfs writes this name: é");
	refused("%2Ea", 4, KEY_S, NAME_COMPONENT, false, RC_INVALID, "itemfs writes this name: .a");
	refused("a\0b", 3, KEY_S, NAME_WHOLE, true, RC_INVALID, "not how itemfs writes this name");
}

Test(name_to_key, a_percent_that_is_no_escape_is_invalid)
{
	invalid("100%", "100%: a % that stands for itself is written %25");
	invalid("%", "%25");
	invalid("%2", "%25");
	invalid("%2x", "%25");
	invalid("%x2", "%25");
	invalid("%%41", "%25");
}

Test(name_to_key, the_form_of_shortened_names_is_reserved)
{
	invalid("abc%~0123456789abcdef", "reserved");
	invalid("%~", "reserved");
	invalid("x%~plain", "reserved");
	refused("12%~34", 6, KEY_N, NAME_WHOLE, true, RC_INVALID, "reserved");
	refused("12%~34", 6, KEY_B, NAME_WHOLE, true, RC_INVALID, "reserved");
}

Test(name_to_key, what_is_not_utf8_is_told_apart)
{
	refused("\xff", 1, KEY_S, NAME_WHOLE, true, RC_NOT_UTF8, "UTF-8");
	refused("a\xc3", 2, KEY_S, NAME_WHOLE, true, RC_NOT_UTF8, "UTF-8");
	refused("%FF", 3, KEY_S, NAME_WHOLE, true, RC_NOT_UTF8, "UTF-8");
}

Test(name_to_key, empty_names_and_keys_that_are_too_long_are_invalid)
{
	static char text[2050];
	memset(text, 'a', sizeof text);
	refused("", 0, KEY_S, NAME_WHOLE, true, RC_INVALID, "empty");
	refused("", 0, KEY_N, NAME_COMPONENT, false, RC_INVALID, "empty");
	refused(text, 2049, KEY_S, NAME_WHOLE, true, RC_INVALID, "2048");
	struct key key;
	cr_assert_eq(name_to_key(text, 1025, KEY_S, KEY_SORT, NAME_WHOLE, true, &key, NULL), RC_INVALID);
	cr_assert_eq(name_to_key(text, 1024, KEY_S, KEY_SORT, NAME_WHOLE, true, &key, NULL), RC_OK);
}

Test(name_to_key, numbers_and_binary_have_one_spelling)
{
	struct key key;
	cleanup_buf struct buf out = {0};
	cr_assert_eq(read_name("-3.5", 4, KEY_N, NAME_COMPONENT, true, &key, NULL), RC_OK);
	name_of_key(&key, NAME_COMPONENT, &out);
	buf_add_byte(&out, ',');
	cr_assert_eq(read_name("00ff", 4, KEY_B, NAME_COMPONENT, false, &key, NULL), RC_OK);
	name_of_key(&key, NAME_COMPONENT, &out);
	cr_assert_eq(out.len, 9);
	cr_assert_eq(memcmp(out.data, "-3.5,00ff", 9), 0);
	refused("042", 3, KEY_N, NAME_WHOLE, true, RC_INVALID, "042 is not how itemfs writes this number: 42");
	refused("-0", 2, KEY_N, NAME_WHOLE, true, RC_INVALID, ": 0");
	refused("1e2", 3, KEY_N, NAME_WHOLE, true, RC_INVALID, ": 100");
	refused("%31", 3, KEY_N, NAME_WHOLE, true, RC_INVALID, "%31");
	refused("00FF", 4, KEY_B, NAME_WHOLE, true, RC_INVALID, "00ff");
	refused("0", 1, KEY_B, NAME_WHOLE, true, RC_INVALID, "two digits a byte");
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

Test(name, every_key_has_a_name_that_a_directory_can_hold_and_comes_back)
{
	uint32_t seed = 3;
	for (int i = 0; i < 50000; i++) {
		struct key key = {.type = KEY_S, .len = 1 + next(&seed) % 6}, back;
		for (size_t j = 0; j < key.len; j++)
			key.data[j] = next(&seed) % 2 ? (uint8_t)("./%,~A2\0\n"[next(&seed) % 9]) : next(&seed) % 128;
		enum name_form form = i % 2 ? NAME_WHOLE : NAME_COMPONENT;
		cleanup_buf struct buf name = {0};
		name_of_key(&key, form, &name);
		cr_assert_null(memchr(name.data, '/', name.len));
		cr_assert_null(memchr(name.data, 0, name.len));
		cr_assert_neq(name.data[0], '.');
		cr_assert(form == NAME_WHOLE || !memchr(name.data, ',', name.len));
		cr_assert_null(memmem(name.data, name.len, "%~", 2));
		cr_assert_eq(read_name((char *)name.data, name.len, KEY_S, form, true, &back, NULL), RC_OK);
		cr_assert(key_equal(&key, &back));
	}
}

Test(name, every_name_that_is_taken_is_written_the_same_again)
{
	uint32_t seed = 5;
	int taken = 0;
	for (int i = 0; i < 200000; i++) {
		char name[8];
		size_t n = 1 + next(&seed) % 7;
		for (size_t j = 0; j < n; j++)
			name[j] = "%%%~.,/02456CFaf\0\n\xc3\xa9"[next(&seed) % 20];
		enum key_type type = (enum key_type)("SSSNB"[next(&seed) % 5]);
		enum name_form form = next(&seed) % 2 ? NAME_WHOLE : NAME_COMPONENT;
		bool first = next(&seed) % 2;
		struct key key;
		struct why why = {.text = ""};
		enum rc rc = read_name(name, n, type, form, first, &key, &why);
		if (rc != RC_OK) {
			cr_assert(rc == RC_INVALID || rc == RC_NOT_UTF8);
			cr_assert_neq(why.text[0], 0);
			cr_assert(utf8_valid(why.text, strlen(why.text)));
			continue;
		}
		taken++;
		cleanup_buf struct buf out = {0};
		if (!first)
			buf_add_byte(&out, ',');
		name_of_key(&key, form, &out);
		cr_assert_eq(out.len - !first, n);
		cr_assert_eq(memcmp(out.data + !first, name, n), 0);
	}
	cr_assert_gt(taken, 5000, "%d", taken);
}

Test(name, items_end_in_json_and_have_no_leading_dot)
{
	cr_assert(name_is_item("a.json", 6));
	cr_assert(name_is_item("%2E.json", 8));
	cr_assert(name_is_item("a.b.json", 8));
	cr_assert_not(name_is_item(".json", 5));
	cr_assert_not(name_is_item(".a.json", 7));
	cr_assert_not(name_is_item("a.json~", 7));
	cr_assert_not(name_is_item("a.JSON", 6));
	cr_assert_not(name_is_item("json", 4));
	cr_assert_not(name_is_item("ajson", 5));
	cr_assert_not(name_is_item("", 0));
}
