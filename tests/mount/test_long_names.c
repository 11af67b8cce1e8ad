/* Keys whose file name would pass 255 bytes: <the first bytes>%~<16 hex digits>.json. The document says the whole key. */
#include "tests/mount/harness.h"
#include <poll.h>
#include <sys/wait.h>

static void setup(void)
{
	mount_setup();
	declare("Long", "Who:S What:S", "gsi by-year Year:N ALL", NULL);
	assert_ok(mkdir(at("Long/p"), 0755));
}

TestSuite(long_names, .init = setup, .fini = mount_teardown, .timeout = 600);

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
	const char *what = repeated('k', 700), *name = name_of(what);
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
	const char *one = text("%sA", repeated('k', 500)), *two = text("%sB", repeated('k', 500));
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
	const char *what = repeated('k', 300), *name = name_of(what);
	expect_errno(put(name, "{\"Year\":1}"), EBADMSG);
	cr_expect(await(is_gone, name));
	expect_ok(put(name, document(what, 1)));
	expect_errno(put(name, "{\"Year\":1}"), EBADMSG);
	cr_expect_str_eq(content(name), document(what, 1));
}

Test(long_names, renaming_reads_the_key_from_the_document)
{
	const char *what = repeated('k', 300), *name = name_of(what);
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
		const char *what = text("%s%s%s", repeated('k', (size_t)(224 + shift)), "/é%/é%", repeated('z', 100));
		const char *guess = text("Long/p/%.*skkkkkkkk%%~0000000000000000.json", 224, what);
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
	const char *what = repeated('k', 900), *name = name_of(what);
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
	expect_ok(put(text("Long/p/%s.json", repeated('k', 240)), "{\"Year\":1}"));
	assert_ok(mkdir(at(text("Long/%s", repeated('q', 200))), 0755));
	expect_ok(put(text("Long/%s/%s.json", repeated('q', 200), repeated('k', 200)), "{\"Year\":1}"));
	assert_sh("cd \"$M/Long/.index/by-year/1\" && for f in *; do [ ${#f} -le 255 ] && cat \"$f\" > /dev/null || exit 1; done && [ $(ls | wc -l) = 2 ]");
}

/* Directories. The table's key is "Who". */

static const char *whole(const char *who, const char *what, int year)
{
	return text("{\"Who\":\"%s\",\"What\":\"%s\",\"Year\":%d}", who, what, year);
}

/* The name that the mount says the partition has, asked in a directory whose name is wrong. */
static const char *directory_of(const char *who)
{
	const char *guess = text("Long/%.*s%%~0000000000000000", 237, repeated('g', 237));
	const char *file = text("%s/a.json", guess);
	assert_ok(mkdir(at(guess), 0755));
	expect_errno(put(file, whole(who, "a", 1)), EBADMSG);
	cr_expect(await(is_gone, file));
	cr_assert(refusal_of(file));
	const char *said = strstr(refusal("reason"), "partition's name is ");
	cr_assert_not_null(said, "%s", refusal("reason"));
	assert_ok(rmdir(at(guess)));
	return text("Long/%s", said + strlen("partition's name is "));
}

Test(long_names, a_partition_waits_for_the_document_that_says_its_key)
{
	const char *who = repeated('q', 900), *dir = directory_of(who);
	cr_expect_eq(strlen(dir), strlen("Long/") + 255);
	assert_ok(mkdir(at(dir), 0750));
	cr_expect_eq(mode_of(dir), 0750);
	expect_errno(mkdir(at(dir), 0755), EEXIST);
	cr_expect_str_eq(text("Long/%s", listing("Long")), text("Long/.schema.json\np\n%s\n", dir + strlen("Long/")));
	cr_expect_str_eq(listing(dir), "");
	mount_again();
	cr_expect_eq(mode_of(dir), 0750);
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 1)));
	cr_expect_eq(mode_of(dir), 0750);
	cr_expect_str_eq(content(text("%s/a.json", dir)), whole(who, "a", 1));
	cr_expect_str_eq(listing(dir), "a.json\n");
	cr_expect_str_eq(listing("Long/.index/by-year"), "1\n");
	mount_again();
	cr_expect_str_eq(content(text("%s/a.json", dir)), whole(who, "a", 1));
	cr_expect_eq(mode_of(dir), 0750);
	assert_ok(unlink(at(text("%s/a.json", dir))));
	cr_expect(exists(dir), "one that mkdir made stays without items");
	assert_ok(rmdir(at(dir)));
	cr_expect_not(exists(dir));
	cr_expect_str_eq(listing("Long"), ".schema.json\np\n");
}

Test(long_names, the_directory_keeps_its_times_when_it_gets_its_key)
{
	const char *who = repeated('q', 900), *dir = directory_of(who);
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(text("%s/a.json", dir), "")); /* opened, and refused at its end: it says no key */
	cr_expect(await(is_gone, text("%s/a.json", dir)));
	int64_t table = mtime_of("Long");
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 1)));
	int64_t before = mtime_of(dir);
	cr_expect_eq(mtime_of("Long"), table, "no name came to the table's directory");
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 2)));
	cr_expect_eq(mtime_of(dir), before);
}

Test(long_names, a_document_of_another_partition_is_refused_and_so_is_one_that_says_none)
{
	const char *who = repeated('q', 900), *dir = directory_of(who), *file = text("%s/a.json", dir);
	assert_ok(mkdir(at(dir), 0755));
	expect_errno(put(file, whole("short", "a", 1)), EBADMSG);
	cr_assert(refusal_of(file));
	expect_says("reason", "partition's name is short");
	cr_expect(await(is_gone, file));
	expect_errno(put(file, "{\"What\":\"a\"}"), EBADMSG);
	cr_assert(refusal_of(file));
	expect_says("reason", "it holds no Who");
	cr_expect(await(is_gone, file));
	expect_errno(mknod(at(file), S_IFREG | 0644, 0), EBADMSG);
	cr_expect_str_eq(listing(dir), "");
	expect_ok(put(file, whole(who, "a", 1)));
	expect_errno(put(text("%s/b.json", dir), "{}"), EBADMSG); /* it could not be restored */
	cr_expect_str_eq(content(file), whole(who, "a", 1));
}

Test(long_names, a_refused_first_document_leaves_the_partition_pending)
{
	const char *who = repeated('q', 900), *dir = directory_of(who), *file = text("%s/a.json", dir);
	assert_ok(mkdir(at(dir), 0755));
	expect_errno(put(file, text("{\"Who\":\"%s\",\"Year\":\"no number\"}", who)), EBADMSG);
	expect_errno(put(file, text("{\"Who\":\"%s\",\"What\":\"b\"}", who)), EBADMSG);
	cr_expect(await(is_gone, file));
	cr_expect_str_eq(listing(dir), "");
	assert_ok(rmdir(at(dir)));
}

Test(long_names, plain_files_wait_with_the_partition_and_stay_in_it)
{
	const char *who = repeated('q', 900), *dir = directory_of(who);
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(text("%s/README", dir), "read me"));
	expect_ok(put(text("%s/.a.json.AbCdEf", dir), whole(who, "a", 1)));
	expect_errno(rmdir(at(dir)), ENOTEMPTY);
	mount_again();
	cr_expect_str_eq(content(text("%s/README", dir)), "read me");
	int open_file = open(at(text("%s/README", dir)), O_RDWR | O_APPEND);
	cr_assert_geq(open_file, 0);
	cr_expect_eq(write(open_file, "!", 1), 1);
	assert_ok(rename(at(text("%s/.a.json.AbCdEf", dir)), at(text("%s/a.json", dir)))); /* as rsync does */
	cr_expect_eq(write(open_file, "!", 1), 1);
	assert_ok(close(open_file));
	cr_expect_str_eq(listing(dir), "README\na.json\n");
	cr_expect_str_eq(content(text("%s/README", dir)), "read me!!");
	mount_again();
	cr_expect_str_eq(content(text("%s/README", dir)), "read me!!");
	cr_expect_str_eq(content(text("%s/a.json", dir)), whole(who, "a", 1));
}

Test(long_names, partitions_are_renamed_as_far_as_their_new_name_tells_the_key)
{
	const char *who = repeated('q', 900), *dir = directory_of(who), *other = directory_of(repeated('r', 900));
	assert_ok(mkdir(at(dir), 0700));
	assert_ok(rename(at(dir), at(other))); /* both pending */
	cr_expect_not(exists(dir));
	cr_expect_eq(mode_of(other), 0700);
	assert_ok(rename(at(other), at(dir)));
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 1)));
	expect_errno(rename(at(dir), at(other)), EINVAL);
	cr_assert(refusal_of(other));
	expect_says("reason", "does not tell the key");
	cr_expect_str_eq(content(text("%s/a.json", dir)), whole(who, "a", 1));
	assert_ok(rename(at(dir), at("Long/short")));
	cr_expect_str_eq(content("Long/short/a.json"), whole("short", "a", 1));
	cr_expect_not(exists(dir));
	expect_errno(rename(at("Long/short"), at(dir)), EINVAL);
	assert_ok(mkdir(at(dir), 0755));
	assert_ok(rename(at(dir), at("Long/empty")));
	expect_ok(put("Long/empty/a.json", "{}"));
}

Test(long_names, items_move_into_and_out_of_such_a_partition)
{
	const char *who = repeated('q', 900), *dir = directory_of(who);
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put("Long/p/b.json", "{\"Who\":\"p\"}"));
	expect_ok(put("Long/p/c.json", "{}"));
	expect_errno(rename(at("Long/p/b.json"), at(text("%s/b.json", dir))), EBADMSG); /* pending: nobody said its key */
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 1)));
	assert_ok(rename(at("Long/p/b.json"), at(text("%s/b.json", dir))));
	cr_expect_str_eq(content(text("%s/b.json", dir)), text("{\"Who\":\"%s\"}", who));
	expect_errno(rename(at("Long/p/c.json"), at(text("%s/c.json", dir))), EBADMSG); /* it says no key, so it could not be restored */
	assert_ok(rename(at(text("%s/a.json", dir)), at("Long/p/a.json")));
	cr_expect_str_eq(content("Long/p/a.json"), whole("p", "a", 1));
}

static int exchange(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, at(a), AT_FDCWD, at(b), RENAME_EXCHANGE);
}

Test(long_names, a_definition_becomes_no_item_of_such_a_name_as_of_no_other)
{
	const char *name = name_of(repeated('k', 300));
	const char *there = content("Long/.schema.json");
	expect_errno(rename(at("Long/.schema.json"), at("Long/p/short.json")), EXDEV);
	expect_errno(rename(at("Long/.schema.json"), at(name)), EXDEV);
	expect_ok(put(name, document(repeated('k', 300), 1)));
	expect_errno(rename(at("Long/.schema.json"), at(name)), EXDEV);
	cr_expect_str_eq(content(name), document(repeated('k', 300), 1));
	cr_expect_str_eq(content("Long/.schema.json"), there);
}

Test(long_names, exchange_brings_no_document_there_that_does_not_say_the_key)
{
	const char *what = repeated('k', 300), *name = name_of(what);
	expect_ok(put(name, document(what, 1)));
	expect_ok(put("Long/p/plain", "{\"Year\":2}"));
	expect_ok(put("Long/p/a.json", "{\"Year\":3}"));
	expect_ok(put("Long/p/b.json", document("b", 4)));
	expect_errno(exchange(name, "Long/p/plain"), EBADMSG);
	expect_errno(exchange("Long/p/plain", name), EBADMSG);
	expect_errno(exchange(name, "Long/p/a.json"), EBADMSG);
	cr_expect_str_eq(content(name), document(what, 1));
	cr_expect_str_eq(content("Long/p/plain"), "{\"Year\":2}");
	assert_ok(exchange(name, "Long/p/b.json"));
	cr_expect_str_eq(content(name), document(what, 4));
	cr_expect_str_eq(content("Long/p/b.json"), document("b", 1));
	expect_ok(put("Long/p/plain", document(what, 5)));
	assert_ok(exchange(name, "Long/p/plain"));
	cr_expect_str_eq(content(name), document(what, 5));
	cr_expect_str_eq(content("Long/p/plain"), document(what, 4));
}

Test(long_names, names_that_no_key_has_are_refused)
{
	expect_errno(mkdir(at("Long/short%~0123456789abcdef"), 0755), EINVAL);
	expect_errno(mkdir(at(text("Long/%s%%~0123456789abcdeg", repeated('k', 237))), 0755), EINVAL);
	expect_errno(mkdir(at(text("Long/%s%%~0123456789abcdef", repeated('k', 300))), 0755), ENAMETOOLONG);
	declare("Numbers", "Who:N", NULL);
	expect_errno(mkdir(at(text("Numbers/%s%%~0123456789abcdef", repeated('1', 237))), 0755), EINVAL);
}

Test(long_names, a_partition_of_bytes_has_its_name_in_hex)
{
	declare("Bytes", "Who:B What:B", NULL);
	const char *guess = text("Bytes/%s%%~0000000000000000", repeated('a', 237));
	const char *document = text("{\"Who\":{\"$B\":\"%s\"},\"What\":{\"$B\":\"AAAA\"}}", repeated('A', 800));
	assert_ok(mkdir(at(guess), 0755));
	expect_errno(put(text("%s/000000.json", guess), document), EBADMSG);
	cr_assert(refusal_of(text("%s/000000.json", guess)));
	const char *dir = text("Bytes/%s", strstr(refusal("reason"), "name is ") + strlen("name is "));
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(text("%s/000000.json", dir), document));
	mount_again();
	cr_expect_str_eq(content(text("%s/000000.json", dir)), document);
}

static void fill_long(void)
{
	const char *who = repeated('q', 900), *what = repeated('k', 700), *dir = directory_of(who);
	const char *empty = directory_of(repeated('r', 2048)), *item = name_of(what);
	assert_ok(mkdir(at(dir), 0750));
	assert_ok(mkdir(at(empty), 0700));
	expect_ok(put(text("%s/a.json", dir), whole(who, "a", 1)));
	expect_ok(put(text("%s/%s", dir, item + strlen("Long/p/")), whole(who, what, 2)));
	expect_ok(put(text("%s/README", dir), "read me"));
	expect_ok(put(text("%s/README", empty), "nothing yet"));
	/* rsync leaves a directory's time alone where it is of the second in which rsync made it. */
	assert_sh("find \"$M\" -depth -mindepth 1 -exec touch -d '2001-02-03 04:05:06.123456789' {} +");
}

/* Times, modes, bytes, of all that is there. */
static const char *picture(const char *root)
{
	assert_sh(text("cd '%s' && find . -mindepth 1 -printf '%%P %%m %%T@ ' \\( -type d -printf '\\n' -o -printf '%%s\\n' \\) | sort && find . -type f -exec cat {} + | cksum", root));
	return text("%s", sh_output());
}

Test(long_names, such_partitions_are_restored_by_tar_rsync_and_cp)
{
	fill_long();
	const char *before = picture(at(""));
	assert_sh("cp -a \"$M\" \"$D/copy\" && tar --format=posix -C \"$M\" -cf \"$D/b.tar\" . && rsync -a \"$M/\" \"$D/synced/\"");
	static const char *const restores[] = {
		"tar -C \"$M\" -xf \"$D/b.tar\"",
		"rsync -a \"$D/copy/\" \"$M/\"",
		"rsync -a --inplace \"$D/synced/\" \"$M/\"",
		"cp -a \"$D/copy/.\" \"$M/\"",
	};
	for (size_t i = 0; i < sizeof restores / sizeof *restores; i++) {
		mount_new_volume();
		assert_sh(restores[i]);
		const char *after = picture(at(""));
		cr_expect_str_eq(after, before, "%s\n%s\nnot\n%s", restores[i], after, before);
		cr_expect_str_eq(listing("Long/.index/by-year"), "1\n2\n");
	}
	expect_sh("rsync -a -i \"$D/copy/\" \"$M/\"", "");
}

Test(long_names, a_definition_that_comes_after_the_items_reads_the_keys_from_the_documents)
{
	fill_long();
	const char *before = picture(at("Long"));
	assert_sh("cp -a \"$M/Long\" \"$D/copy\" && mv \"$D/copy/.schema.json\" \"$D/\"");
	mount_new_volume();
	assert_sh("cp -a \"$D/copy\" \"$M/Long\" && diff -r \"$D/copy\" \"$M/Long\"");
	mount_again();
	assert_sh("diff -r \"$D/copy\" \"$M/Long\" && touch -r \"$M/Long\" \"$D/time\"");
	assert_sh("cp -a \"$D/.schema.json\" \"$M/Long/\" && touch -r \"$D/time\" \"$M/Long\"");
	cr_expect_str_eq(picture(at("Long")), before);
	cr_expect_str_eq(listing("Long/.index/by-year"), "1\n2\n");
}

Test(long_names, a_definition_that_the_documents_do_not_fit_is_refused)
{
	const char *dir = text("Late/%s%%~0123456789abcdef", repeated('k', 237));
	assert_ok(mkdir(at("Late"), 0755));
	assert_ok(mkdir(at(dir), 0755));
	expect_ok(put(text("%s/a.json", dir), "{\"Year\":1}"));
	expect_errno(put("Late/.schema.json", definition("Who:S What:S", NULL)), EBADMSG);
	cr_assert(refusal_of("Late/.schema.json"));
	expect_says("reason", "holds no Who");
	cr_expect_str_eq(content(text("%s/a.json", dir)), "{\"Year\":1}");
	expect_ok(put(text("%s/a.json", dir), "{\"Who\":\"x\"}"));
	expect_ok(put(text("%s/b.json", dir), "{\"Who\":\"y\"}"));
	expect_errno(put("Late/.schema.json", definition("Who:S What:S", NULL)), EBADMSG);
	assert_ok(unlink(at(text("%s/b.json", dir))));
	expect_ok(put("Late/.schema.json", definition("Who:S What:S", NULL)));
	cr_expect_str_eq(content("Late/x/a.json"), "{\"Who\":\"x\"}");
}

/* Names tell apart what the documents call the same: one of the two would be lost. */
Test(long_names, a_definition_by_which_two_names_are_one_key_is_refused_and_loses_neither)
{
	const char *wanted = definition("Who:S What:S", "gsi by-year Year:N ALL", NULL);
	const char *cut = text("%s%%~0123456789abcde", repeated('k', 237)), *item = text("%s%%~0123456789abcde", repeated('k', 232));
	static const char *const make[][3] = { /* the directory of each file, and what its document says */
		{"x/a.json", "%s0/a.json", "{\"Who\":\"x\"}"},
		{"%s0/a.json", "%s1/b.json", "{\"Who\":\"x\"}"},
		{"x/y.json", "x/%s0.json", "{\"What\":\"y\"}"},
		{"x/%s0.json", "x/%s1.json", "{\"What\":\"y\"}"},
	};
	for (size_t i = 0; i < sizeof make / sizeof *make; i++) {
		const char *table = text("Two%zu", i);
		assert_ok(mkdir(at(table), 0755));
		for (size_t j = 0; j < 2; j++) {
			const char *name = strstr(make[i][j], "%s"), *end = name ? name + 2 : make[i][j];
			const char *path = text("%s/%.*s%s%s", table, name ? (int)(name - make[i][j]) : 0, make[i][j], name ? i < 2 ? cut : item : "", end);
			assert_sh(text("mkdir -p \"$(dirname \"$M/%s\")\"", path));
			expect_ok(put(path, make[i][2]));
		}
		assert_sh(text("cp -a \"$M/%s\" \"$D/\"", table));
		expect_errno(put(text("%s/.schema.json", table), wanted), EBADMSG);
		cr_assert(refusal_of(text("%s/.schema.json", table)));
		expect_says("reason", i < 2 ? "another directory" : "another item");
		assert_sh(text("diff -r \"$D/%s\" \"$M/%s\"", table, table));
	}
}

Test(long_names, a_snapshot_shows_them_as_they_were)
{
	fill_long();
	assert_ok(mkdir(at(".itemfs/snapshots/one"), 0755));
	const char *before = picture(at("Long"));
	assert_sh("rm -r \"$M\"/Long/q*");
	cr_expect_str_eq(picture(at(".itemfs/snapshots/one/Long")), before);
	assert_sh("cp -a \"$M\"/.itemfs/snapshots/one/Long/q* \"$M/Long/\"");
	assert_sh("cd \"$M\" && touch -r .itemfs/snapshots/one/Long Long");
	cr_expect_str_eq(picture(at("Long")), before);
	assert_ok(rmdir(at(".itemfs/snapshots/one")));
}

/* Looks at a name, all the time, past what the kernel knows, until the other end of `until` is closed. */
static pid_t onlooker(const char *path, const int until[2])
{
	struct pollfd end = {.fd = until[0]};
	struct statx st;
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	close(until[1]);
	while (poll(&end, 1, 0) == 0)
		statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_SIZE | STATX_MTIME, &st);
	_exit(0);
}

/* What such a name stands for is not known until its first document is committed, or refused: nobody may look for it meanwhile under a key that is none. */
Test(long_names, may_be_looked_at_while_their_first_document_comes)
{
	enum { ROUNDS = 200 };
	const char *what = repeated('m', 400), *good = at(name_of(what)), *bad = at(text("Long/p/%.*s%%~0000000000000000.json", 232, what));
	int until[2], status;
	assert_ok(pipe2(until, O_CLOEXEC));
	pid_t looks[2] = {onlooker(good, until), onlooker(bad, until)};
	int made = 0, refused = EBADMSG, removed = 0;
	for (int i = 0; i < ROUNDS && !made && refused == EBADMSG && !removed; i++) {
		size_t mark = kept_mark();
		made = errno_of(put(good, document(what, i)));
		refused = errno_of(put(bad, document(what, i)));
		removed = errno_of(unlink(good));
		kept_until(mark);
	}
	close(until[1]);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(waitpid(looks[i], &status, 0), looks[i]);
	close(until[0]);
	cr_expect_eq(made, 0, "made: %s", strerrorname_np(made));
	cr_expect_eq(refused, EBADMSG, "refused: %s", strerrorname_np(refused));
	cr_expect_eq(removed, 0, "removed: %s", strerrorname_np(removed));
}
