/* A plain file whose name a partition has lists as NAME%~plain. The mount makes no such partition, but an import's commit and a create may pass each
 * other, and another front end may not know of plain files: so the test makes them in the volume, beside the mount. */
#include "index/partition.h"
#include "tests/mount/harness.h"

static void setup(void)
{
	mount_setup();
	assert_ok(mkdir(at("Music"), 0755));
}

TestSuite(clashes, .init = setup, .fini = mount_teardown, .timeout = 300);

static void make_partitions(const char *const *names, size_t count)
{
	struct volume_options options = {.passive = true, .holder = "a test"};
	struct meta meta = {.mode = 0755};
	struct volume *opened;
	struct table *table;
	struct why why = {.text = ""};
	cr_assert_eq(volume_open(volume(), &options, &opened, &why), RC_OK, "%s", why.text);
	cr_assert_eq(table_find(opened, "Music", &table), RC_OK);
	for (size_t i = 0; i < count; i++) {
		struct key key = {.type = KEY_S, .len = (uint16_t)strlen(names[i])};
		memcpy(key.data, names[i], key.len);
		cr_assert_eq(partition_create(table, &key, &meta), RC_OK);
	}
	table_unref(table);
	volume_close(opened);
}

enum { NAMES = 5, STAYS = 3 };
static const char *names[NAMES];

static void make_clashes(void)
{
	const char *const all[NAMES] = {"short", repeated('a', 248), repeated('b', 249), repeated('c', 255),
					text("%s\xc3\xa9\xc3\xa9%s", repeated('d', 229), repeated('e', 22))};
	for (int i = 0; i < NAMES; i++)
		expect_ok(put(text("Music/%s", names[i] = all[i]), text("%d", i)));
	mount_down();
	make_partitions(names, NAMES);
	mount_up(NULL);
}

Test(clashes, are_listed_and_read_however_long_the_name_is)
{
	make_clashes();
	expect_sh("ls \"$M/Music\" | wc -l", "10\n");
	expect_sh("cd \"$M/Music\" && cat *%~plain | fold -w 1 | sort | tr -d '\\n'", "01234");
	expect_sh("cd \"$M/Music\" && tar cf \"$D/all.tar\" . && tar tf \"$D/all.tar\" | grep -c '%~plain$'", "5\n");
	for (int i = 0; i < NAMES; i++)
		expect_errno(open(at(text("Music/%s", names[i])), O_WRONLY | O_CLOEXEC), EISDIR);
	expect_errno(open(at(text("Music/%.230s%%~0123456789abcdef%%~plain", names[STAYS])), O_RDONLY | O_CLOEXEC), ENOENT);
}

Test(clashes, have_their_own_name_again_when_the_partition_is_gone)
{
	make_clashes();
	for (int i = 0; i < NAMES; i++)
		if (i != STAYS)
			expect_ok(rmdir(at(text("Music/%s", names[i]))));
	for (int i = 0; i < NAMES; i++)
		if (i != STAYS)
			cr_expect_str_eq(content(text("Music/%s", names[i])), text("%d", i));
	/* The one that is left is its file in all that is done to it. */
	expect_sh("cd \"$M/Music\" && for f in *%~plain; do echo more >> \"$f\"; cat \"$f\"; mv \"$f\" free; done && cat free && "
		  "ls | grep -c plain; true",
		  "3more\n3more\n0\n");
	expect_ok(rmdir(at(text("Music/%s", names[STAYS]))));
	expect_ok(unlink(at("Music/free")));
	mount_again();
	expect_sh("ls \"$M/Music\" | wc -l", "4\n");
}
