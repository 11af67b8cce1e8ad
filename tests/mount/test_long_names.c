/* Keys whose file name would pass 255 bytes: <the first bytes>%~<16 hex digits>.json. The document says the whole key. */
#include "tests/mount/harness.h"

static void setup(void)
{
	mount_setup();
	declare("Long", "Who:S What:S", "gsi by-year Year:N ALL", NULL);
	assert_ok(mkdir(at("Long/p"), 0755));
}

TestSuite(long_names, .init = setup, .fini = mount_teardown, .timeout = 600);

static const char *key(char letter, size_t n)
{
	char *s = (char *)text("%*s", (int)n, "");
	memset(s, letter, n);
	return s;
}

static const char *document(const char *what, int year)
{
	return text("{\"What\":\"%s\",\"Year\":%d}", what, year);
}

/* The name that the mount says it has: asked by writing to one that is wrong. */
static const char *name_of(const char *what)
{
	const char *guess = text("Long/p/%.*s%%~0000000000000000.json", 232, what);
	expect_errno(put(guess, document(what, 1)), EBADMSG);
	cr_expect(await(is_gone, guess));
	cr_assert(refusal_of(guess));
	const char *said = strstr(refusal("reason"), "its name is ");
	cr_assert_not_null(said, "%s", refusal("reason"));
	return text("Long/p/%s", said + strlen("its name is "));
}

Test(long_names, an_item_is_made_by_a_document_that_holds_its_key)
{
	const char *what = key('k', 700), *name = name_of(what);
	cr_expect_eq(strlen(name), strlen("Long/p/") + 255);
	expect_ok(put(name, document(what, 1975)));
	cr_expect_str_eq(content(name), document(what, 1975));
	cr_expect_str_eq(text("Long/p/%s", listing("Long/p")), text("%s\n", name));
	mount_again();
	cr_expect_str_eq(content(name), document(what, 1975));
	expect_ok(put(name, document(what, 1976)));
	cr_expect_str_eq(listing("Long/.index/by-year"), "1976\n");
	assert_ok(unlink(at(name)));
	cr_expect_str_eq(listing("Long/p"), "");
	cr_expect_str_eq(listing("Long/.index/by-year"), "");
}

Test(long_names, keys_that_begin_alike_are_told_apart)
{
	const char *one = text("%sA", key('k', 500)), *two = text("%sB", key('k', 500));
	const char *first = name_of(one), *second = name_of(two);
	cr_expect_str_neq(first, second);
	expect_ok(put(first, document(one, 1)));
	expect_ok(put(second, document(two, 2)));
	cr_expect_str_eq(content(first), document(one, 1));
	cr_expect_str_eq(content(second), document(two, 2));
	expect_errno(put(first, document(two, 3)), EBADMSG);
	cr_expect_str_eq(content(first), document(one, 1));
}

Test(long_names, a_document_without_the_key_is_refused_as_it_could_not_be_restored)
{
	const char *what = key('k', 300), *name = name_of(what);
	expect_errno(put(name, "{\"Year\":1}"), EBADMSG);
	cr_expect(await(is_gone, name));
	expect_ok(put(name, document(what, 1)));
	expect_errno(put(name, "{\"Year\":1}"), EBADMSG);
	cr_expect_str_eq(content(name), document(what, 1));
}

Test(long_names, renaming_reads_the_key_from_the_document)
{
	const char *what = key('k', 300), *name = name_of(what);
	expect_ok(put("Long/p/draft.txt", document(what, 1)));
	expect_ok(put("Long/p/other.txt", "{\"What\":\"else\"}"));
	assert_ok(rename(at("Long/p/draft.txt"), at(name)));
	cr_expect_str_eq(content(name), document(what, 1));
	expect_errno(rename(at("Long/p/other.txt"), at(name)), EBADMSG);
	cr_expect_str_eq(content(name), document(what, 1));
	assert_ok(rename(at(name), at("Long/p/short.json")));
	cr_expect_str_eq(content("Long/p/short.json"), document("short", 1));
	cr_expect_not(exists(name));
}

Test(long_names, escapes_and_characters_are_not_torn)
{
	/* Where the name is cut, an escape or a character of several bytes may stand. */
	for (int shift = 0; shift < 8; shift++) {
		const char *what = text("%s%s%s", key('k', (size_t)(224 + shift)), "/é%/é%", key('z', 100));
		const char *guess = text("Long/p/%.*s%%~0000000000000000.json", 224, what);
		expect_errno(put(guess, document(what, 1)), EBADMSG);
		cr_assert(refusal_of(guess));
		const char *said = strstr(refusal("reason"), "its name is ");
		cr_assert_not_null(said, "%s", refusal("reason"));
		const char *name = text("Long/p/%s", said + strlen("its name is "));
		expect_ok(put(name, document(what, shift)));
		mount_again();
		cr_expect_str_eq(content(name), document(what, shift));
	}
}

Test(long_names, survive_a_backup_by_tar_and_rsync)
{
	const char *what = key('k', 900), *name = name_of(what);
	expect_ok(put(name, document(what, 1975)));
	assert_sh("tar --format=posix -C \"$M\" -cf \"$D/b.tar\" . && rsync -a \"$M/\" \"$D/copy/\"");
	mount_new_volume();
	assert_sh("tar -C \"$M\" -xf \"$D/b.tar\"");
	cr_expect_str_eq(content(name), document(what, 1975));
	mount_new_volume();
	assert_sh("rsync -a \"$D/copy/\" \"$M/\" && diff -r \"$D/copy\" \"$M\"");
	cr_expect_str_eq(content(name), document(what, 1975));
	cr_expect_str_eq(listing("Long/.index/by-year"), "1975\n");
}

Test(long_names, entries_of_an_index_are_listed_and_read)
{
	expect_ok(put(text("Long/p/%s.json", key('k', 240)), "{\"Year\":1}"));
	assert_ok(mkdir(at(text("Long/%s", key('q', 200))), 0755));
	expect_ok(put(text("Long/%s/%s.json", key('q', 200), key('k', 200)), "{\"Year\":1}"));
	assert_sh("cd \"$M/Long/.index/by-year/1\" && for f in *; do [ ${#f} -le 255 ] && cat \"$f\" > /dev/null || exit 1; done && [ $(ls | wc -l) = 2 ]");
}
