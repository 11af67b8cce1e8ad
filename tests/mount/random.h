/* random: what the files of test_random.c share: a walker with the two directories that it walks in, one operation of it, and what that gave. */
#ifndef ITEMFS_TESTS_RANDOM_H
#define ITEMFS_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
	SLOTS = 6,  /* handles of a walker */
	TOPS = 6,   /* names in the table's directory */
	DIRS = 6,   /* names of partitions */
	SHARED = 3, /* of these, where there are several walkers */
	INSIDE = 8, /* names in each */
	ROOM = 1 << 17, /* bytes of the largest result */
	PAST = 12,      /* operations that a failure tells of */
	NAME = 64,
};
enum { HOST, MOUNT, SIDES };

enum what {
	PUT,
	REPLACE,
	OPEN,
	WRITE,
	PWRITE,
	READ,
	PREAD,
	SEEK_LAST,
	DUP,
	CLOSE,
	FTRUNCATE,
	FSYNC,
	FSTAT,
	FCHMOD,
	FTOUCH,
	TRUNCATE,
	RENAME,
	UNLINK,
	MKDIR,
	RMDIR,
	CHMOD,
	TOUCH,
	STAT,
	LIST,
	CONTENT,
	WHATS
};

struct operation {
	enum what what;
	char a[NAME], b[NAME];
	int flags, slot;
	mode_t mode;
	off_t at;
	size_t n;
	const char *bytes; /* w->bytes */
	struct timespec time;
};

/* What an operation gave. */
struct result {
	int error;
	size_t n;
	char *out; /* ROOM bytes */
};

struct world {
	uint64_t seed, random;
	const char *own; /* each of its names has it; "" where it is alone */
	int root[SIDES]; /* a table's directory and the host's */
	char tops[TOPS][NAME], dirs[DIRS][NAME], inside[INSIDE][NAME];
	int fd[SIDES][SLOTS]; /* -1: free */
	char *bytes;
	struct result got[SIDES];
	char past[PAST][4 * NAME];
	unsigned count;
	char *failure; /* NULL: none so far */
};

/* The next operation: one of those that the contract makes equal on both sides. Its bytes are w->bytes. */
void random_choose(struct world *w, struct operation *op);

/* What the contract alone refuses, and the host would not: an item that would be no document. */
bool random_is_refused(struct world *w, const struct operation *op);

/* Does it on one side; 0 or an errno. */
int random_perform(struct world *w, int side, const struct operation *op, struct result *got);

/* Appends what a file holds to got; 0 or an errno. */
int random_content(int root, const char *path, struct result *got);

#endif
