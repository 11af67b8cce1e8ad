/* operations: what a program can do to one path, each with the errnos that may come of it. */
#ifndef ITEMFS_TESTS_OPERATIONS_H
#define ITEMFS_TESTS_OPERATIONS_H

#include <stdbool.h>

enum { STATED = 16 };

struct operation {
	const char *name;
	int (*run)(const char *path); /* absolute; 0 or an errno */
	bool changes;                 /* where it goes well, what is there is not what it was */
	int errnos[STATED];           /* whatever is there; ended by 0 */
};
extern const struct operation operations[];
extern const unsigned operations_n;

/* 0 always is, and EACCES for who is not root. */
bool is_stated(const int *errnos, int error);

#endif
