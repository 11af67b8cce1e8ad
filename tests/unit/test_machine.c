/* machine: what control groups say of memory. */
#include "store/machine.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/itemfs-machine-XXXXXX";
static const char *const names[] = {"self", "memory.max", "a/memory.max", "a/b/memory.max"};

static const char *at(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(at(name), "w");
	cr_assert_not_null(file, "%s", name);
	fputs(text, file);
	fclose(file);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(mkdir(at("a"), 0700), 0);
	cr_assert_eq(mkdir(at("a/b"), 0700), 0);
	put("self", "0::/a/b\n");
}

static void teardown(void)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(at(names[i]));
	rmdir(at("a/b"));
	rmdir(at("a"));
	rmdir(root);
}

TestSuite(machine, .init = setup, .fini = teardown);

static uint64_t allowed(void)
{
	char self[128];
	snprintf(self, sizeof self, "%s", at("self"));
	return machine_group_memory(self, root);
}

Test(machine, a_group_s_limit_counts_and_so_do_those_above_it)
{
	put("a/b/memory.max", "268435456\n");
	cr_expect_eq(allowed(), 268435456);
	put("a/memory.max", "134217728\n");
	cr_expect_eq(allowed(), 134217728);
	put("memory.max", "67108864\n");
	cr_expect_eq(allowed(), 67108864);
}

Test(machine, a_container_sees_its_own_group_as_the_root)
{
	put("self", "12:pids:/x\n0::/\n");
	put("memory.max", "67108864\n");
	cr_expect_eq(allowed(), 67108864);
}

Test(machine, what_says_nothing_allows_everything)
{
	cr_expect_eq(allowed(), UINT64_MAX, "no files");
	put("a/b/memory.max", "max\n");
	cr_expect_eq(allowed(), UINT64_MAX);
	put("a/b/memory.max", "12 apples\n");
	cr_expect_eq(allowed(), UINT64_MAX);
	put("a/b/memory.max", "");
	cr_expect_eq(allowed(), UINT64_MAX);
	put("self", "4:memory:/a/b\n");
	cr_expect_eq(allowed(), UINT64_MAX, "version 1");
	cr_expect_eq(machine_group_memory("/nonexistent", root), UINT64_MAX);
}

Test(machine, the_machine_has_some)
{
	cr_expect_gt(machine_memory(), 1 << 20);
}
