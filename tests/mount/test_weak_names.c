/* Two keys whose names are cut alike and have one hash: the second is refused. The itemfs of these tests has hashes of four bits, so that among seventeen keys there are two. */
#include "tests/mount/harness.h"

enum { KEYS = 17 };

static void setup(void)
{
	setenv("ITEMFS_PROGRAM", ITEMFS_WEAK, 1);
	mount_setup();
	declare("Long", "Who:S What:S", "gsi by-year Year:N ALL", NULL);
	assert_ok(mkdir(at("Long/p"), 0755));
}

TestSuite(weak_names, .init = setup, .fini = mount_teardown, .timeout = 240);

static const char *key(int i)
{
	return text("%s%d", repeated('k', 500), i);
}

static const char *document(const char *who, const char *what)
{
	return text("{\"Who\":\"%s\",\"What\":\"%s\"}", who, what);
}

/* What the mount says the name is, where `file` has a wrong one. */
static const char *name_from(const char *file, const char *written)
{
	static const char words[] = "name is ";
	expect_errno(put(file, written), EBADMSG);
	cr_expect(await(is_gone, file));
	cr_assert(refusal_of(file));
	const char *said = strstr(refusal("reason"), words);
	cr_assert_not_null(said, "%s", refusal("reason"));
	return text("%s", said + strlen(words));
}

static const char *item_name(int i)
{
	return text("Long/p/%s", name_from(text("Long/p/%s%%~ffffffffffffffff.json", repeated('g', 232)), document("p", key(i))));
}

static const char *directory_name(int i)
{
	const char *guess = text("Long/%s%%~ffffffffffffffff", repeated('g', 237));
	return text("Long/%s", name_from(text("%s/a.json", guess), document(key(i), "a")));
}

/* Two keys of one name; which it is. */
static const char *clash(const char *name_of(int i), int *ret_a, int *ret_b)
{
	const char *names[KEYS];
	for (int i = 0; i < KEYS; i++) {
		names[i] = name_of(i);
		for (int k = 0; k < i; k++)
			if (strcmp(names[i], names[k]) == 0) {
				*ret_a = k;
				*ret_b = i;
				return names[i];
			}
	}
	cr_assert_fail("no two of %d names are the same", KEYS);
	return NULL;
}

Test(weak_names, a_second_item_of_one_hash_is_refused_until_the_first_is_gone)
{
	int a, b;
	const char *name = clash(item_name, &a, &b), *first = document("p", key(a)), *second = document("p", key(b));
	expect_ok(put(name, first));
	expect_errno(put(name, second), EBADMSG);
	cr_assert(refusal_of(name));
	expect_says("reason", "one hash");
	expect_ok(put("Long/p/plain", second));
	expect_errno(rename(at("Long/p/plain"), at(name)), EBADMSG);
	cr_expect_str_eq(content("Long/p/plain"), second);
	cr_expect_str_eq(content(name), first);
	assert_ok(unlink(at(name)));
	assert_ok(rename(at("Long/p/plain"), at(name)));
	cr_expect_str_eq(content(name), second);
	mount_again();
	cr_expect_str_eq(content(name), second);
}

Test(weak_names, a_second_partition_of_one_hash_is_refused_until_the_first_is_gone)
{
	int a, b;
	assert_ok(mkdir(at(text("Long/%s%%~ffffffffffffffff", repeated('g', 237))), 0755));
	const char *dir = clash(directory_name, &a, &b), *file = text("%s/a.json", dir);
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(file, document(key(a), "a")));
	expect_errno(put(text("%s/b.json", dir), document(key(b), "b")), EBADMSG);
	cr_expect(await(is_gone, text("%s/b.json", dir)));
	cr_assert(refusal_of(text("%s/b.json", dir)));
	expect_says("reason", "one hash");
	cr_expect_str_eq(listing(dir), "a.json\n");
	assert_ok(unlink(at(file)));
	expect_errno(put(file, document(key(b), "a")), EBADMSG);
	cr_expect(await(is_gone, file));
	assert_ok(rmdir(at(dir)));
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(file, document(key(b), "a")));
	cr_expect_str_eq(content(file), document(key(b), "a"));
}

Test(weak_names, keys_of_other_hashes_stand_side_by_side)
{
	int a, b;
	const char *name = clash(item_name, &a, &b);
	expect_ok(put(name, document("p", key(a))));
	for (int i = 0; i < KEYS; i++) {
		const char *other = item_name(i);
		if (!exists(other))
			expect_ok(put(other, document("p", key(i))));
	}
	cr_expect_str_eq(content(name), document("p", key(a)));
	assert_sh("cd \"$M/Long/p\" && [ \"$(ls | sort -u | wc -l)\" = \"$(ls | wc -l)\" ] && cat * > /dev/null");
}
