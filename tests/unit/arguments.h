/* arguments: a command line as main() gets it, of words. */
#ifndef ITEMFS_TESTS_ARGUMENTS_H
#define ITEMFS_TESTS_ARGUMENTS_H

#include <criterion/criterion.h>
#include <stddef.h>

enum { ARGUMENTS_MAX = 16 };

struct arguments {
	int argc;
	char *argv[ARGUMENTS_MAX + 2];
};

/* `words` ends with NULL; they are borrowed. */
static inline struct arguments arguments_of(const char *program, const char *const *words)
{
	struct arguments a = {.argc = 1, .argv = {(char *)program}};

	for (; *words; words++) {
		cr_assert_leq(a.argc, ARGUMENTS_MAX);
		a.argv[a.argc++] = (char *)*words;
	}
	return a;
}

#endif
