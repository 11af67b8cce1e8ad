/* Names and keys: one to one, both ways. (Every legal key is tests/unit/test_name.c's; here it is what the mount answers.) */
#include "tests/mount/harness.h"

static void setup(void)
{
	mount_setup();
	declare("Names", "p:S s:S", "gsi by-s s:S ALL", NULL);
	assert_ok(mkdir(at("Names/a"), 0755));
}

TestSuite(names, .init = setup, .fini = mount_teardown, .timeout = 600);

static void expect_key(const char *name, const char *json)
{
	const char *path = text("Names/a/%s.json", name);
	expect_ok(put(path, text("{\"s\":%s}", json)));
	cr_expect_str_eq(listing("Names/a"), text("%s.json\n", name));
	expect_ok(unlink(at(path)));
}

Test(names, percent_escapes_stand_for_what_a_name_cannot_hold)
{
	expect_key("%2F", "\"/\"");
	expect_key("a%2Fb", "\"a/b\"");
	expect_key("100%25", "\"100%\"");
	expect_key("%00", "\"\\u0000\"");
	expect_key("line%0Abreak", "\"line\\nbreak\"");
	expect_key("%7F", "\"\\u007f\"");
	expect_key("%2Ehidden", "\".hidden\"");
	expect_key("a.b", "\"a.b\"");
	expect_key("%2E", "\".\"");
	expect_key("%2E.", "\"..\"");
}

Test(names, everything_else_is_as_it_is)
{
	expect_key("a b", "\"a b\"");
	expect_key(" ", "\" \"");
	expect_key("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80", "\"\\u00e9\\u6f22\\ud83d\\ude00\"");
	expect_key("e\xcc\x81", "\"e\\u0301\""); /* unnormalised */
	expect_key("a,b;c*?[x]\\\"'$", "\"a,b;c*?[x]\\\\\\\"'$\"");
	expect_key("x.json", "\"x.json\"");
	expect_key("~", "\"~\"");
}

Test(names, another_spelling_is_refused_when_created_and_not_there_when_looked_up)
{
	const char *wrong[] = {"%2f", "%41", "a%2fb", "%", "%2", "%zz", "%C3%A9", "a%2Eb"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *path = text("Names/a/%s.json", wrong[i]), *partition = text("Names/%s", wrong[i]);
		cr_expect_eq(put_steps(path, "{}", 2, 0).open, EINVAL, "create %s", path);
		cr_expect_eq(errno_of(mkdir(at(partition), 0755)), EINVAL, "mkdir %s", partition);
		cr_expect_str_eq(content(path), "<ENOENT>", "look up %s", path);
		cr_expect_str_eq(listing(partition), "<ENOENT>", "look up %s", partition);
	}
	cr_assert(refusal_of("Names/a/%41.json"));
	expect_says("reason", "A");
	expect_says("errno", "EINVAL");
}

Test(names, an_empty_key_has_no_name)
{
	cr_expect_eq(put_steps("Names/a/%.json", "{}", 2, 0).open, EINVAL);
	/* ".json" begins with a dot: a plain file. */
	expect_ok(put("Names/a/.json", "plain"));
	cr_expect_str_eq(content("Names/a/.json"), "plain");
}

Test(names, that_are_not_utf8_are_eilseq)
{
	cr_expect_eq(put_steps("Names/a/\xff.json", "{}", 2, 0).open, EILSEQ);
	cr_expect_eq(put_steps("Names/a/\xed\xa0\x80.json", "{}", 2, 0).open, EILSEQ);
	expect_errno(mkdir(at("Names/\xc3"), 0755), EILSEQ);
	expect_ok(put("Names/a/fine.json", "{}"));
	expect_errno(rename(at("Names/a/fine.json"), at("Names/a/\xff.json")), EILSEQ);
	cr_expect_str_eq(listing("Names/a"), "fine.json\n");
}

Test(names, have_255_bytes_and_no_more)
{
	char name[300] = {0};
	memset(name, 'k', 250);
	const char *longest = text("Names/a/%s.json", name);
	expect_ok(put(longest, "{}"));
	cr_expect_str_eq(content(longest), "{}");
	name[250] = 'k';
	cr_expect_eq(put_steps(text("Names/a/%s.json", name), "{}", 2, 0).open, ENAMETOOLONG);
	memset(name, 'k', 256);
	expect_errno(mkdir(at(text("Names/%s", name)), 0755), ENAMETOOLONG);
	name[255] = 0;
	expect_ok(mkdir(at(text("Names/%s", name)), 0755));
	mount_again();
	cr_expect_str_eq(content(longest), "{}");
}

Test(names, of_numbers_are_canonical_and_the_refusal_says_the_canonical_form)
{
	declare("Numbers", "p:N s:N", NULL);
	assert_ok(mkdir(at("Numbers/7"), 0755));
	static const struct {
		const char *wrong, *canonical;
	} names[] = {{"042", "42"}, {"-0", "0"}, {"1e2", "100"}, {"1.50", "1.5"}, {"+1", "1"}, {"1.", "1"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *file = text("Numbers/7/%s.json", names[i].wrong),
			   *partition = text("Numbers/%s", names[i].wrong);
		cr_expect_eq(put_steps(file, "{}", 2, 0).open, EINVAL, "create %s", file);
		cr_expect_eq(errno_of(mkdir(at(partition), 0755)), EINVAL, "mkdir %s", partition);
		cr_assert(refusal_of(partition), "%s", partition);
		expect_says("reason", names[i].canonical);
		cr_expect_str_eq(listing(partition), "<ENOENT>");
	}
	expect_errno(mkdir(at("Numbers/seven"), 0755), EINVAL);
	expect_ok(mkdir(at("Numbers/-3.5"), 0755));
	expect_ok(mkdir(at("Numbers/10"), 0755));
	cr_expect_str_eq(listing("Numbers"), ".schema.json\n-3.5\n7\n10\n");
}

Test(names, in_an_index_escape_their_comma_too)
{
	assert_ok(mkdir(at("Names/x,y"), 0755));
	expect_ok(put("Names/x,y/p, q.json", "{\"n\":1}"));
	cr_expect_str_eq(listing("Names/.index/by-s"), "p%2C q\n");
	cr_expect_str_eq(listing("Names/.index/by-s/p%2C q"), "x%2Cy.json\n");
	expect_sh("jq -cS . \"$M/Names/.index/by-s/p%2C q/x%2Cy.json\"", "{\"n\":1,\"p\":\"x,y\",\"s\":\"p, q\"}\n");
	cr_expect_str_eq(content("Names/.index/by-s/p, q/x%2Cy.json"), "<ENOENT>");
}

Test(names, are_told_apart_from_a_partitions_plain_namesake)
{
	/* A plain file of a table, and a partition that comes to claim its name. */
	expect_ok(put("Names/README", "hello"));
	int made = errno_of(mkdir(at("Names/README"), 0755));
	cr_expect_eq(made, EEXIST);
	cr_expect_str_eq(content("Names/README"), "hello");
}
