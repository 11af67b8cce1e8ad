/* subjects: one node of every kind there is (fs/node.h), and names where nothing is, for tests that do everything to each of them.
 *
 * They are made anew, under other names, whenever a test has changed them. So their paths hold words that stand for names:
 *   $T  a declared table                $R  a rejected draft
 *   $O  an undeclared table             $L  the cut name of an item
 *   $K  a table without a sort key      $Q  a cut name that no item has
 *   $S  a snapshot of all this          $P  the cut name of a partition
 */
#ifndef ITEMFS_TESTS_SUBJECTS_H
#define ITEMFS_TESTS_SUBJECTS_H

#include <stdbool.h>
#include <sys/types.h>

enum {
	DIRECTORY = 1,
	FIXED = 2,  /* nothing done to it changes anything */
	ABSENT = 4, /* for something to come there */
};

struct subject {
	const char *path; /* in words */
	unsigned is;
};
extern const struct subject subjects[];
extern const unsigned subjects_n;

/* For Criterion's .init and .fini. */
void subjects_setup(void);
void subjects_teardown(void);

/* Makes all of them, at new paths. */
void subjects_make(void);

/* The path as it is now, absolute; good for some calls. */
const char *subject_path(const char *words);

/* The inode number of what is there; 0: nothing is. */
ino_t subject_number(const struct subject *subject);

/* Remembers what is there, which is what subjects_make() made; subject_stands(): it still is. */
void subjects_note(void);
bool subject_stands(unsigned i);

/* Fails the test where a file is not what was made, byte for byte. For as long as nothing that was done changed one. */
void subjects_expect_kept(const char *after);

#endif
