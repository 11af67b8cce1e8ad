/* The JSON scanner: what it takes, what it refuses and where, and that it does not matter how a text is cut. */
#include "store/model/buf.h"
#include "store/model/json.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a scan said, written down so that two scans can be compared as texts. */
struct record {
	struct buf tokens;
	enum rc rc;
	struct why why;
};

static enum rc write_token(void *context, const struct json_token *token)
{
	buf_printf(context, "%d %zu-%zu %zu:%zu %d\n", token->event, token->start, token->end, token->line,
		   token->column, token->escaped);
	return RC_OK;
}

/* Feeds `text` in two pieces, the first of `cut` bytes, or byte by byte where `cut` is past the end. Each piece is a copy
 * of its own, so that a sanitizer sees any byte read beyond it. */
static void scan_cut(const char *text, size_t n, size_t cut, struct record *record)
{
	struct json json;
	size_t at = 0;

	*record = (struct record){0};
	json_init(&json, write_token, &record->tokens);
	while (at < n && !record->rc) {
		size_t piece = cut > n ? 1 : at < cut ? cut - at : n - at;
		char *copy = malloc(piece);

		memcpy(copy, text + at, piece);
		record->rc = json_feed(&json, copy, piece, &record->why);
		free(copy);
		at += piece;
	}
	if (!record->rc)
		record->rc = json_end(&json, &record->why);
	buf_add_byte(&record->tokens, 0);
	cr_assert(!record->tokens.failed);
}

static void assert_same(const struct record *a, const struct record *b, const char *text, size_t cut)
{
	cr_assert_eq(a->rc, b->rc, "cut at %zu: %s", cut, text);
	cr_assert_str_eq((char *)a->tokens.data, (char *)b->tokens.data, "cut at %zu: %s", cut, text);
	if (!a->rc)
		return;
	cr_assert_str_eq(a->why.text, b->why.text, "cut at %zu: %s", cut, text);
	cr_assert(a->why.line == b->why.line && a->why.column == b->why.column, "cut at %zu: %s", cut, text);
}

static void assert_cuts_do_not_matter(const char *text, size_t n)
{
	struct record whole, cut_one;

	scan_cut(text, n, n, &whole);
	for (size_t cut = 0; cut <= n + 1; cut++) {
		scan_cut(text, n, cut, &cut_one);
		assert_same(&whole, &cut_one, text, cut);
		buf_free(&cut_one.tokens);
	}
	buf_free(&whole.tokens);
}

static enum rc check(const char *text, size_t n, struct why *why)
{
	struct record record;

	scan_cut(text, n, n, &record);
	buf_free(&record.tokens);
	*why = record.why;
	return record.rc;
}

static void assert_taken(const char *text)
{
	struct why why;
	enum rc rc = check(text, strlen(text), &why);

	cr_expect_eq(rc, RC_OK, "%s: %s at %zu:%zu", text, why.text, why.line, why.column);
}

static void assert_fails(const char *text, enum rc wanted, size_t line, size_t column, const char *words)
{
	struct why why;
	enum rc rc = check(text, strlen(text), &why);

	cr_expect_eq(rc, wanted, "%s: %s, not %s", text, rc_name(rc), rc_name(wanted));
	cr_expect(strstr(why.text, words), "%s: \"%s\" does not say \"%s\"", text, why.text, words);
	cr_expect(why.line == line && why.column == column, "%s: at %zu:%zu, not %zu:%zu", text, why.line, why.column,
		  line, column);
}

static void assert_refused(const char *text, size_t line, size_t column, const char *words)
{
	assert_fails(text, RC_REFUSED, line, column, words);
}

Test(json, takes_every_kind_of_value)
{
	assert_taken("{}");
	assert_taken(" \t\r\n{ } \n");
	assert_taken("{\"a\":\"\",\"b\":[],\"c\":{},\"d\":true,\"e\":false,\"f\":null,\"g\":[1,[2,{\"h\":3}]]}");
	assert_taken("{\"\":0}");
	assert_taken("{\"a\":1,\"a\":2}");
}

Test(json, takes_the_numbers_of_rfc_8259_and_no_others)
{
	static const char *const good[] = {"0", "-0", "10", "1.5", "0.0", "1e5", "1E+5", "1e-05", "-12.34e56", "0e0"};
	static const char *const bad[] = {"01", "-",   "+1",  ".5",  "1.",  "1.e5",     "1e",        "1e+",  "--1",
					  "00", "-01", "0x1", "1_0", "NaN", "Infinity", "-Infinity", "1e1.5"};
	char text[64];
	struct why why;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		snprintf(text, sizeof(text), "{\"a\":%s}", good[i]);
		assert_taken(text);
		snprintf(text, sizeof(text), "{\"a\":[%s,%s ]}", good[i], good[i]);
		assert_taken(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "{\"a\":%s}", bad[i]);
		cr_expect_eq(check(text, strlen(text), &why), RC_REFUSED, "%s", text);
	}
}

Test(json, says_what_is_wrong_and_where)
{
	assert_refused("[1]", 1, 1, "expected '{', found '['");
	assert_refused("\xef\xbb\xbf{}", 1, 1, "byte order mark");
	assert_refused("{oops", 1, 2, "expected a name in double quotes or '}', found 'o'");
	assert_refused("{'a':1}", 1, 2, "found a single quote");
	assert_refused("{\"a\":'b'}", 1, 6, "double quotes, not single");
	assert_refused("{\"a\"}", 1, 5, "expected ':' after the name, found '}'");
	assert_refused("{\"a\" 1}", 1, 6, "expected ':' after the name, found '1'");
	assert_refused("{\"a\":}", 1, 6, "expected a value, found '}'");
	assert_refused("{\"a\":1 \"b\":2}", 1, 8, "expected ',' or '}' after the value, found '\"'");
	assert_refused("{\n  \"a\": 1,\n}", 3, 1, "expected a name in double quotes after the ',', found '}'");
	assert_refused("{\"a\":[1,]}", 1, 9, "expected a value after the ',', found ']'");
	assert_refused("{\"a\":[1}", 1, 8, "expected ',' or ']' after the element, found '}'");
	assert_refused("{\"a\":1]", 1, 7, "found ']'");
	assert_refused("{\"a\":tru}", 1, 9, "expected \"true\", found '}' after \"tru\"");
	assert_refused("{\"a\":nil}", 1, 7, "expected \"null\"");
	assert_refused("{\"a\":01}", 1, 7, "does not begin with a 0");
	assert_refused("{\"a\":\"b\n\"}", 1, 8, "a control byte in a string must be written \\u000a");
	assert_refused("{\"a\":\"\\q\"}", 1, 8, "after the '\\', found 'q'");
	assert_refused("{\"a\":\"\\u12g4\"}", 1, 11, "four hexadecimal digits");
	assert_refused("{} x", 1, 4, "after the document's end there is more: 'x'");
	assert_refused("{}{}", 1, 3, "after the document's end there is more: '{'");
	assert_refused("{}\n\n\t,", 3, 2, "after the document's end there is more: ','");
	assert_refused("{\"a\":\x01}", 1, 6, "found byte 0x01");
}

Test(json, refuses_a_nul_byte_everywhere)
{
	static const char text[] = "{\"a\":\"b\"}";
	char bytes[sizeof(text)];
	struct why why;

	for (size_t at = 0; at < sizeof(text); at++) {
		memcpy(bytes, text, at);
		bytes[at] = 0;
		memcpy(bytes + at + 1, text + at, sizeof(text) - 1 - at);
		cr_expect_eq(check(bytes, sizeof(text), &why), RC_REFUSED, "NUL at %zu", at);
		cr_expect_eq(why.column, at + 1);
	}
}

Test(json, counts_lines_and_columns_in_bytes_from_one)
{
	assert_refused("{\r\n\"\xc3\xa9\": x}", 2, 7, "found 'x'");
}

Test(json, says_where_a_document_stops)
{
	assert_fails("", RC_UNFINISHED, 1, 1, "empty");
	assert_fails(" \n", RC_UNFINISHED, 2, 1, "before its '{'");
	assert_fails("{", RC_UNFINISHED, 1, 2, "needs");
	assert_fails("{\"a", RC_UNFINISHED, 1, 4, "inside a name");
	assert_fails("{\"a\"", RC_UNFINISHED, 1, 5, "after a name");
	assert_fails("{\"a\":", RC_UNFINISHED, 1, 6, "a '}'");
	assert_fails("{\"a\":[", RC_UNFINISHED, 1, 7, "a ']'");
	assert_fails("{\"a\":\"b", RC_UNFINISHED, 1, 8, "inside a string");
	assert_fails("{\"a\":\"\\u00", RC_UNFINISHED, 1, 11, "inside a string");
	assert_fails("{\"a\":1", RC_UNFINISHED, 1, 7, "inside a number");
	assert_fails("{\"a\":tr", RC_UNFINISHED, 1, 8, "inside a word");
	assert_fails("{\"a\":1}", RC_OK, 0, 0, "");
}

/* RFC 3629: all of Unicode's characters but the surrogates, in their shortest form only. */
static bool is_utf8(const uint8_t *b, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = 0;

	if (n == 1)
		return b[0] < 0x80;
	if ((b[0] & (0xff80 >> n & 0xff)) != (0xff00 >> n & 0xff))
		return false;
	c = b[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return false;
		c = c << 6 | (b[i] & 0x3f);
	}
	return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static bool all_utf8(const uint8_t *b, size_t n)
{
	size_t length;

	for (; n; b += length, n -= length) {
		for (length = 1; length <= n && length <= 4 && !is_utf8(b, length); length++)
			;
		if (length > n || length > 4)
			return false;
	}
	return true;
}

Test(json, takes_all_of_utf8_and_nothing_else)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	enum { EDGES = sizeof(edges) };
	struct why why;

	for (unsigned lead = 0x80; lead < 0x100; lead++) {
		for (unsigned i = 0; i < EDGES * EDGES * EDGES; i++) {
			uint8_t character[4] = {(uint8_t)lead, edges[i % EDGES], edges[i / EDGES % EDGES],
						edges[i / EDGES / EDGES]};

			for (size_t n = 1; n <= 4; n++) {
				char text[16] = "{\"a\":\"";
				bool good = all_utf8(character, n) && !memchr(character, 0, n);

				memcpy(text + 6, character, n);
				memcpy(text + 6 + n, "\"}", 2);
				cr_assert_eq(check(text, 8 + n, &why), good ? RC_OK : RC_REFUSED,
					     "%02x %02x %02x %02x, %zu of them", lead, character[1], character[2],
					     character[3], n);
			}
		}
	}
	for (unsigned c = 0xd800; c < 0xe000; c++) {
		uint8_t text[] = {
		    '{', '"', 'a', '"', ':', '"', 0xed, (uint8_t)(0x80 | (c >> 6 & 0x3f)), (uint8_t)(0x80 | (c & 0x3f)),
		    '"', '}'};
		cr_assert_eq(check((char *)text, sizeof(text), &why), RC_REFUSED);
		cr_assert_eq(why.column, 8);
	}
	assert_refused("{\"a\":\"\xc0\x80\"}", 1, 7, "not UTF-8");
	assert_refused("{\"a\":\"\xe0\x80\x80\"}", 1, 8, "not UTF-8");
	assert_refused("{\"a\":\"\xf4\x90\x80\x80\"}", 1, 8, "not UTF-8");
	assert_refused("{\"a\":\"\xf0\x8f\x80\x80\"}", 1, 8, "not UTF-8");
	assert_refused("{\"a\":\"\xe2\x82\"}", 1, 9, "not UTF-8");
	assert_refused("{\"\xff\":1}", 1, 3, "not UTF-8");
}

Test(json, refuses_half_a_surrogate_pair_at_the_digit_that_decides_it)
{
	assert_taken("{\"a\":\"\\ud83d\\uDE00\\u0000\\ue000\\uffff\\ud7ff\"}");
	assert_refused("{\"a\":\"\\udc00\"}", 1, 10, "half a surrogate pair");
	assert_refused("{\"a\":\"\\ud800\"}", 1, 13, "half a surrogate pair");
	assert_refused("{\"a\":\"\\ud800x\"}", 1, 13, "half a surrogate pair");
	assert_refused("{\"a\":\"\\ud800\\n\"}", 1, 14, "half a surrogate pair");
	assert_refused("{\"a\":\"\\ud800\\ud800\"}", 1, 16, "half a surrogate pair");
	assert_refused("{\"a\":\"\\ud800\\u0041\"}", 1, 15, "half a surrogate pair");
}

Test(json, bounds_how_deep_a_text_nests)
{
	struct buf text = {0};
	struct why why;

	buf_add_text(&text, "{\"a\":");
	for (int i = 1; i < JSON_DEPTH_MAX; i++)
		buf_add_byte(&text, '[');
	size_t full = text.len;
	for (int i = 1; i < JSON_DEPTH_MAX; i++)
		buf_add_byte(&text, ']');
	buf_add_byte(&text, '}');
	cr_expect_eq(check((char *)text.data, text.len, &why), RC_OK, "%s", why.text);
	text.data[full] = '[';
	cr_expect_eq(check((char *)text.data, full + 1, &why), RC_REFUSED);
	cr_expect_eq(why.column, full + 1);
	cr_expect(strstr(why.text, "160"));
	text.data[full] = '{';
	cr_expect_eq(check((char *)text.data, full + 1, &why), RC_REFUSED);
	buf_free(&text);
}

Test(json, remembers_at_each_level_whether_it_is_an_object)
{
	struct buf text = {0};
	struct why why;
	char close[64];

	/* A pattern whose period is not that of bytes, closed in reverse. */
	buf_add_byte(&text, '{');
	for (int i = 0; i < 60; i++) {
		bool in_object = i == 0 || (i - 1) % 3 == 1;

		if (in_object)
			buf_add_text(&text, "\"k\":");
		buf_add_byte(&text, i % 3 == 1 ? '{' : '[');
		close[i] = i % 3 == 1 ? '}' : ']';
	}
	size_t opened = text.len;
	for (int i = 59; i >= 0; i--)
		buf_add_byte(&text, (uint8_t)close[i]);
	buf_add_byte(&text, '}');
	cr_expect_eq(check((char *)text.data, text.len, &why), RC_OK, "%s at %zu", why.text, why.column);
	for (size_t i = opened; i < text.len; i++) {
		text.data[i] ^= ']' ^ '}';
		cr_expect_eq(check((char *)text.data, text.len, &why), RC_REFUSED);
		cr_expect_eq(why.column, i + 1);
		text.data[i] ^= ']' ^ '}';
	}
	buf_free(&text);
}

Test(json, reports_tokens_with_offsets_and_places)
{
	static const char text[] = "{\n \"a\": -1.5e3,\"b\\n\":[\"x\",true]}";
	struct record record;

	scan_cut(text, strlen(text), strlen(text), &record);
	cr_expect_str_eq((char *)record.tokens.data, "0 0-1 1:1 0\n"    /* { */
						     "4 3-6 2:2 0\n"    /* "a" */
						     "6 8-14 2:7 0\n"   /* -1.5e3 */
						     "4 15-20 2:14 1\n" /* "b\n" */
						     "2 21-22 2:20 0\n" /* [ */
						     "5 22-25 2:21 0\n" /* "x" */
						     "7 26-30 2:25 0\n" /* true */
						     "3 30-31 2:29 0\n" /* ] */
						     "1 31-32 2:30 0\n" /* } */);
	buf_free(&record.tokens);
}

Test(json, does_not_mind_how_a_text_is_cut)
{
	static const char *const texts[] = {
	    "{\"a\":[1,2.5e-3,true,false,\"\\ud83d\\ude00\\n\",\"\xf0\x9f\x98\x80\xc3\xa9\"],\n\"b\\u0041\":{}}\n ",
	    "{\"a\":null}",
	    "{\"a\":\"\xf0\x9f\x98\"}",
	    "{\"a\":\"\\ud83d\\u0041\"}",
	    "{\"a\":1e}",
	    "{\"a\":-}",
	    "{\"a\":trux}",
	    "{\"a\":\"\x01\"}",
	    "{\"a\":1}}",
	    "{\"a\":[1,2",
	    "{\"a\":\"b",
	    "{\"a\":[[[{\"b\":[]}]]]}\n\n{",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_cuts_do_not_matter(texts[i], strlen(texts[i]));
}

/* The scanner reads the plain text of strings by eights: each byte at each place of three eights, alone and with another beside it, must be seen
 * as it is when bytes come one by one. */
Test(json, sees_each_byte_in_a_run_of_plain_text_as_if_it_came_alone)
{
	static const char begin[] = "{\"a\":\"", beside[] = "x\"\\\x1f\x20\x21\x23\x5b\x5d\x7f\x80\xff";
	enum { RUN = 24 };
	size_t before = sizeof(begin) - 1, n = before + RUN + 2;
	char text[sizeof(begin) + RUN + 2];
	struct record whole, single;

	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t at = 0; at < RUN; at++)
			for (const char *other = beside; *other; other++) {
				memset(text, 'x', sizeof(text));
				memcpy(text, begin, before);
				memcpy(text + n - 2, "\"}", 3);
				text[before + at] = (char)byte;
				text[before + (at ? at - 1 : RUN - 1)] = *other;
				scan_cut(text, n, n, &whole);
				scan_cut(text, n, n + 1, &single);
				assert_same(&whole, &single, text, at);
				buf_free(&whole.tokens);
				buf_free(&single.tokens);
			}
}

static unsigned random_below(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static void add_random_string(struct buf *out, unsigned *seed)
{
	static const char *const pieces[] = {"a",
					     "plain text that goes on",
					     "\\n",
					     "\\u00e9",
					     "\\ud83d\\ude00",
					     "\xc3\xa9",
					     "\xe2\x82\xac",
					     "\xf0\x9f\x98\x80",
					     "\\\"",
					     "\\\\",
					     " ",
					     "{",
					     "]",
					     ","};

	buf_add_byte(out, '"');
	for (unsigned n = random_below(seed, 4); n > 0; n--)
		buf_add_text(out, pieces[random_below(seed, sizeof(pieces) / sizeof(*pieces))]);
	buf_add_byte(out, '"');
}

static void add_random_value(struct buf *out, unsigned *seed, unsigned depth)
{
	static const char *const scalars[] = {"0", "-1", "12.50", "1e+9", "true", "false", "null"};
	static const char *const spaces[] = {"", "", " ", "\n", "\t \r\n"};
	unsigned kind = random_below(seed, depth ? 5 : 2);

	buf_add_text(out, spaces[random_below(seed, 5)]);
	if (kind == 0) {
		buf_add_text(out, scalars[random_below(seed, 7)]);
	} else if (kind == 1) {
		add_random_string(out, seed);
	} else {
		unsigned n = random_below(seed, 4);

		buf_add_byte(out, kind == 2 ? '[' : '{');
		for (unsigned i = 0; i < n; i++) {
			if (i)
				buf_add_byte(out, ',');
			if (kind != 2) {
				add_random_string(out, seed);
				buf_add_byte(out, ':');
			}
			add_random_value(out, seed, depth - 1);
		}
		buf_add_text(out, spaces[random_below(seed, 5)]);
		buf_add_byte(out, kind == 2 ? ']' : '}');
	}
	buf_add_text(out, spaces[random_below(seed, 5)]);
}

static void make_random_document(struct buf *out, unsigned *seed)
{
	buf_clear(out);
	buf_add_text(out, "{\"root\":");
	add_random_value(out, seed, 3);
	buf_add_byte(out, '}');
	cr_assert(!out->failed);
}

Test(json, does_not_mind_how_random_texts_are_cut_be_they_right_or_wrong)
{
	static const char marks[] = "{}[]\",:\\ 0-.eut\n\x80\xc3\x01";
	struct buf text = {0};
	unsigned seed = 7;

	for (int i = 0; i < 300; i++) {
		make_random_document(&text, &seed);
		if (text.len > 300)
			continue;
		assert_cuts_do_not_matter((char *)text.data, text.len);
		text.data[random_below(&seed, (unsigned)text.len)] =
		    (uint8_t)marks[random_below(&seed, sizeof(marks) - 1)];
		buf_add_byte(&text, 0); /* for the failure's message */
		assert_cuts_do_not_matter((char *)text.data, text.len - 1);
	}
	buf_free(&text);
}

Test(json, never_refuses_the_beginning_of_what_it_takes)
{
	struct buf text = {0};
	struct why why;
	unsigned seed = 11;

	for (int i = 0; i < 300; i++) {
		make_random_document(&text, &seed);
		size_t whole = text.len;

		cr_assert_eq(check((char *)text.data, whole, &why), RC_OK, "%s", why.text);
		for (size_t n = 0; n < whole && n < 400; n++)
			cr_assert_eq(check((char *)text.data, n, &why), RC_UNFINISHED, "%zu of %.*s", n, (int)whole,
				     (char *)text.data);
	}
	buf_free(&text);
}

static enum rc stop_at_number(void *context, const struct json_token *token)
{
	int *seen = context;

	(*seen)++;
	return token->event == JSON_IS_NUMBER ? RC_TOO_BIG : RC_OK;
}

Test(json, ends_the_scan_with_what_its_handler_says)
{
	struct json json;
	struct why why = {.text = "mine"};
	int seen = 0;

	json_init(&json, stop_at_number, &seen);
	cr_expect_eq(json_feed(&json, "{\"a\":1,\"b\":2}", 13, &why), RC_TOO_BIG);
	cr_expect_eq(seen, 3);
	cr_expect_str_eq(why.text, "mine");
}

Test(json, may_be_copied_to_remember_a_place)
{
	struct json json, place;
	struct why why;

	json_init(&json, NULL, NULL);
	cr_assert_eq(json_feed(&json, "{\"a\":\"\xc3", 7, NULL), RC_OK);
	place = json;
	cr_expect_eq(json_feed(&json, "\"", 1, &why), RC_REFUSED);
	cr_expect_eq(json_feed(&place, "\xa9\"}", 3, NULL), RC_OK);
	cr_expect_eq(json_end(&place, NULL), RC_OK);
	cr_expect_eq(place.offset, 10);
}

Test(json, unescapes_every_escape)
{
	static const char token[] =
	    "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\udbff\\udfffz\"";
	static const char wanted[] = "a\"\\/\b\f\n\r\t\0A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbfz";
	char out[sizeof(token)];
	size_t n = json_unescape(token, strlen(token), out);

	cr_expect_eq(n, sizeof(wanted) - 1);
	cr_expect_arr_eq(out, wanted, sizeof(wanted) - 1);
	cr_expect_eq(json_unescape("\"\"", 2, out), 0);
}

Test(json, unescapes_what_buf_escapes)
{
	struct buf quoted = {0};
	char text[128], out[1024];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	buf_add_json_string(&quoted, text, sizeof(text));
	cr_assert_eq(json_unescape((char *)quoted.data, quoted.len, out), sizeof(text));
	cr_expect_arr_eq(out, text, sizeof(text));
	buf_free(&quoted);
}

Test(json, compacts_only_outside_strings)
{
	static const char text[] = " {\n\t\"a b\" : [ 1 , \"c \\\" , d\" , true ] ,\r\n \"e\\\\\" : { } } ";
	struct buf out = {0};

	json_compact(text, strlen(text), &out);
	buf_add_byte(&out, 0);
	cr_expect_str_eq((char *)out.data, "{\"a b\":[1,\"c \\\" , d\",true],\"e\\\\\":{}}");
	buf_free(&out);
}

Test(json, compacts_to_the_same_tokens)
{
	struct buf text = {0}, compact = {0}, again = {0};
	struct why why;
	unsigned seed = 13;

	for (int i = 0; i < 500; i++) {
		make_random_document(&text, &seed);
		buf_clear(&compact);
		buf_clear(&again);
		json_compact((char *)text.data, text.len, &compact);
		cr_assert_eq(check((char *)compact.data, compact.len, &why), RC_OK);
		json_compact((char *)compact.data, compact.len, &again);
		cr_assert_eq(again.len, compact.len);
		cr_assert_arr_eq(again.data, compact.data, compact.len);
	}
	buf_free(&text);
	buf_free(&compact);
	buf_free(&again);
}
