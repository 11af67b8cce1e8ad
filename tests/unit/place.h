/* place: a directory of a test's own, which holds files only. */
#ifndef ITEMFS_TESTS_PLACE_H
#define ITEMFS_TESTS_PLACE_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline char *place_new(void)
{
	char *path = strdup("/tmp/itemfs-store-XXXXXX");

	cr_assert_not_null(mkdtemp(path));
	return path;
}

static inline void place_empty(const char *path)
{
	DIR *listing = opendir(path);
	struct dirent *entry;

	while (listing && (entry = readdir(listing)))
		unlinkat(dirfd(listing), entry->d_name, 0);
	if (listing)
		closedir(listing);
}

/* Takes the path of place_new(). */
static inline void place_remove(char *path)
{
	place_empty(path);
	rmdir(path);
	free(path);
}

#endif
