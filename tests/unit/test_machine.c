/* machine: what control groups say of memory. */
#include "store/machine.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/itemfs-machine-XXXXXX";
static const char *const directories[] = {"a", "a/b", "memory", "memory/a", "memory/a/b"};
static const char *const names[] = {"self", "memory.max", "a/memory.max", "a/b/memory.max",
				    "memory/memory.limit_in_bytes", "memory/a/memory.limit_in_bytes", "memory/a/b/memory.limit_in_bytes"};

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
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
		cr_assert_eq(mkdir(at(directories[i]), 0700), 0);
	put("self", "0::/a/b\n");
}

static void teardown(void)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(at(names[i]));
	for (size_t i = sizeof directories / sizeof directories[0]; i-- > 0;)
		rmdir(at(directories[i]));
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

Test(machine, version_1_has_a_tree_of_its_own_for_memory)
{
	put("self", "12:pids:/x\n5:hugetlb,memory,rdma:/a/b\n1:name=systemd:/y\n");
	put("memory/memory.limit_in_bytes", "9223372036854771712\n"); /* its word for no limit */
	cr_expect_eq(allowed(), 9223372036854771712u);
	put("memory/a/memory.limit_in_bytes", "134217728\n");
	cr_expect_eq(allowed(), 134217728);
	put("memory/a/b/memory.limit_in_bytes", "67108864\n");
	cr_expect_eq(allowed(), 67108864);
}

Test(machine, a_container_of_version_1_is_told_a_path_that_it_cannot_see)
{
	put("self", "5:memory:/docker/0123abcd\n");
	put("memory/memory.limit_in_bytes", "67108864\n");
	cr_expect_eq(allowed(), 67108864);
}

Test(machine, where_both_versions_are_mounted_the_lesser_counts)
{
	put("self", "5:memory:/a\n0::/a/b\n");
	put("memory/a/memory.limit_in_bytes", "134217728\n");
	cr_expect_eq(allowed(), 134217728);
	put("a/memory.max", "67108864\n");
	cr_expect_eq(allowed(), 67108864);
	put("memory/a/memory.limit_in_bytes", "33554432\n");
	cr_expect_eq(allowed(), 33554432);
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
	put("memory/a/b/memory.limit_in_bytes", "67108864\n");
	put("self", "4:memory_too,my:/a/b\n7\n8:memory\n9:memory:a/b\n");
	cr_expect_eq(allowed(), UINT64_MAX, "no line of ours");
	cr_expect_eq(machine_group_memory("/nonexistent", root), UINT64_MAX);
}

Test(machine, the_machine_has_some)
{
	cr_expect_gt(machine_memory(), 1 << 20);
}
