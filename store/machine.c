/* machine: see machine.h. */
#include "store/machine.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line of text without its end; false where there is none. */
static bool read_line(FILE *file, char *line, int size)
{
	if (!fgets(line, size, file))
		return false;
	line[strcspn(line, "\n")] = 0;
	return true;
}

/* Where a version keeps what it allows: a tree of directories, one a group. */
struct version {
	const char *controller; /* by which /proc/self/cgroup names our group in it; "": it has all controllers */
	const char *tree;       /* below the root */
	const char *limit;
};

static const struct version versions[] = {{"memory", "/memory", "memory.limit_in_bytes"}, {"", "", "memory.max"}};

static bool lists(const char *words, const char *word)
{
	size_t n = strcspn(words, ",");

	while (n != strlen(word) || strncmp(words, word, n) != 0) {
		words += n;
		if (!*words++)
			return false;
		n = strcspn(words, ",");
	}
	return true;
}

/* The path of our group, from a line "NUMBER:CONTROLLER,CONTROLLER:/PATH". */
static bool find_group(const char *self, const char *controller, char path[PATH_MAX])
{
	char line[PATH_MAX];
	FILE *file = fopen(self, "re");
	bool found = false;

	while (file && !found && read_line(file, line, sizeof(line))) {
		char *words = strchr(line, ':'), *end = words ? strchr(words + 1, ':') : NULL;

		if (!end || end[1] != '/')
			continue;
		*end = 0;
		if ((found = lists(words + 1, controller)))
			memcpy(path, end + 1, strlen(end + 1) + 1);
	}
	if (file)
		fclose(file);
	return found;
}

/* What the file says: a number, or "max". */
static uint64_t read_limit(const char *root, const struct version *version, const char *group)
{
	char name[2 * PATH_MAX + 32], line[32], *end;
	uint64_t limit = UINT64_MAX;
	FILE *file;

	snprintf(name, sizeof(name), "%s%s%s/%s", root, version->tree, group, version->limit);
	file = fopen(name, "re");
	if (!file)
		return limit;
	if (read_line(file, line, sizeof(line)) && line[0] >= '0' && line[0] <= '9') {
		unsigned long long number = strtoull(line, &end, 10);
		if (!*end)
			limit = number;
	}
	fclose(file);
	return limit;
}

/* Our group's, and of those above it. In a container, what is above the container is not there to be read, and its own group is the root. */
static uint64_t least_of(const struct version *version, const char *self, const char *root)
{
	char group[PATH_MAX];
	uint64_t least = UINT64_MAX;

	if (!find_group(self, version->controller, group))
		return least;
	for (;;) {
		uint64_t limit = read_limit(root, version, group);
		char *slash = strrchr(group, '/');

		least = limit < least ? limit : least;
		if (!slash)
			return least;
		*slash = 0;
	}
}

uint64_t machine_group_memory(const char *self, const char *root)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		uint64_t limit = least_of(&versions[i], self, root);

		least = limit < least ? limit : least;
	}
	return least;
}

uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	uint64_t group = machine_group_memory("/proc/self/cgroup", "/sys/fs/cgroup");

	return group < all ? group : all;
}
