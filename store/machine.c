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

/* The path of our group in version 2's tree: the line "0::/path". */
static bool find_group(const char *self, char path[PATH_MAX])
{
	char line[PATH_MAX];
	FILE *file = fopen(self, "re");
	bool found = false;

	while (file && !found && read_line(file, line, sizeof(line)))
		if ((found = strncmp(line, "0::/", 4) == 0))
			memcpy(path, line + 3, strlen(line + 3) + 1);
	if (file)
		fclose(file);
	return found;
}

/* What the file says: a number, or "max". */
static uint64_t read_limit(const char *root, const char *group)
{
	char name[2 * PATH_MAX + 16], line[32], *end;
	uint64_t limit = UINT64_MAX;
	FILE *file;

	snprintf(name, sizeof(name), "%s%s/memory.max", root, group);
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

uint64_t machine_group_memory(const char *self, const char *root)
{
	char group[PATH_MAX];
	uint64_t least = UINT64_MAX;

	if (!find_group(self, group))
		return least;
	for (;;) {
		uint64_t limit = read_limit(root, group);
		char *slash = strrchr(group, '/');

		least = limit < least ? limit : least;
		if (!slash)
			return least;
		*slash = 0;
	}
}

uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	uint64_t group = machine_group_memory("/proc/self/cgroup", "/sys/fs/cgroup");

	return group < all ? group : all;
}
