/* harness: what every mount test stands on: a volume and a mountpoint of its own, a real daemon, and short words to ask them things.
 *
 * - Each test has a directory of its own (mkdtemp) with VOLUME, MOUNTPOINT and the daemon's log in it.
 * - The daemon runs with -f as our child and dies with us (PR_SET_PDEATHSIG), so a test that crashes or times out leaves no daemon.
 * - mount_teardown() is where a test's quiet failures show: an unclean exit, a sanitizer's report, an fsck that complains.
 * - Paths given to these functions are relative to the mountpoint unless the function says otherwise; an absolute one is taken as it is.
 * - Strings that come back live until the test ends; a failure comes back as "<ENOENT>" and the like, so that comparing it tells why.
 * - Nobody may stand in the mount (chdir, an open directory) when it goes down.
 */
#ifndef ITEMFS_TESTS_HARNESS_H
#define ITEMFS_TESTS_HARNESS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* For Criterion's .init and .fini. */
void mount_setup(void);    /* a directory, a new volume, mounted */
void scratch_setup(void);  /* a directory only: for tests that run the command themselves */
void mount_teardown(void); /* takes down what is up, checks the daemon and the volume, removes the directory */

/* The daemon: itemfs, or what the environment's ITEMFS_PROGRAM names (a build of it for one test). */
void mount_up(const char *options); /* mounts volume() at at(""); `options` is given to -o unless NULL */
void mount_down(void);              /* unmounts, and fails the test where the daemon's end was not a clean one */
void mount_stop(void); /* tells the daemon to end, whoever uses the mount, and fails the test where its end was not a clean one */
void mount_again(void);             /* down and up */
void mount_kill(void);              /* kill -9, and clears the dead mount away */
void mount_new_volume(void);        /* down, forgets the volume for an empty one, and up */
pid_t mount_pid(void);
const char *mount_said(void);      /* the daemon's stderr so far */
int fsck_volume(const char *path); /* its exit status; what it printed is in sh_output() */

/* Paths. */
const char *at(const char *path);      /* in the mount */
const char *volume(void);              /* absolute */
const char *scratch(const char *name); /* in the test's own directory */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *repeated(char letter, size_t n); /* as often as that */

/* What a file operation gave: 0 or an errno. */
int errno_of(long result);
#define expect_errno(call, want)                                                                                       \
	do {                                                                                                           \
		int got_ = errno_of(call);                                                                             \
		cr_expect(got_ == (want), "%s gives %s, not %s", #call, strerrorname_np(got_), #want);                 \
	} while (0)
#define expect_ok(call) expect_errno(call, 0)
#define assert_ok(call)                                                                                                \
	do {                                                                                                           \
		int got_ = errno_of(call);                                                                             \
		cr_assert(got_ == 0, "%s gives %s", #call, strerrorname_np(got_));                                     \
	} while (0)

struct outcome {
	int open, write, close; /* errno of each, 0 where it went well or was not reached */
};
/* Writes a whole file in one write (none where n is 0), with O_WRONLY|O_CREAT|O_TRUNC and `flags`. */
struct outcome put_steps(const char *path, const void *bytes, size_t n, int flags);
int put(const char *path, const char *document); /* 0, or -1 with the first errno of the three */
int put_bytes(const char *path, const void *bytes, size_t n);

const char *content(const char *path);
char *content_bytes(const char *path, size_t *ret_n); /* NULL and errno */
const char *listing(const char *path); /* names in readdir's order, each followed by a newline, without . and .. */
const char *listing_sorted(const char *path);
bool exists(const char *path);
int64_t mtime_of(const char *path); /* ns; -1 */
unsigned mode_of(const char *path); /* permission bits */
off_t size_of(const char *path);

/* Runs bash -c with $M the mountpoint, $V the volume and $D the test's directory. */
int sh(const char *command); /* its exit status; 128 + signal */
const char *sh_output(void); /* what the last one printed, stdout and stderr */
#define expect_sh(command, want)                                                                                       \
	do {                                                                                                           \
		int status_ = sh(command);                                                                             \
		cr_expect(status_ == 0, "%s: exit status %d: %s", command, status_, sh_output());                      \
		cr_expect_str_eq(sh_output(), want, "%s\nprints: %s\nnot: %s", command, sh_output(), want);            \
	} while (0)
#define assert_sh(command)                                                                                             \
	do {                                                                                                           \
		int status_ = sh(command);                                                                             \
		cr_assert(status_ == 0, "%s: exit status %d: %s", command, status_, sh_output());                      \
	} while (0)

/* The journal of refusals. Waits (some seconds) for a line about `path` past those already seen, and makes it the current one; false where none came. */
bool refusal_of(const char *path);
const char *refusal(const char *field); /* a field of the current line as text; "" where absent */
size_t refusals(void);                  /* lines in .itemfs/errors */
#define expect_says(field, part)                                                                                       \
	cr_expect(strcasestr(refusal(field), part), "%s is \"%s\", which does not say \"%s\"", field, refusal(field),  \
		  part)

/* Makes a table and writes its definition: key is "Artist:S Title:S" or "Id:N"; each index is
 * "gsi NAME Year:N ALL", "gsi NAME Year:N Artist:S KEYS_ONLY", "lsi NAME Year:N INCLUDE a,b"; NULL ends the list. */
void declare(const char *table, const char *key, ...) __attribute__((sentinel));
/* The definition alone, for tests that write it themselves. */
const char *definition(const char *key, ...) __attribute__((sentinel));

/* Waits for something that the kernel or the daemon does after it has answered (a RELEASE); false after some seconds. */
bool await(bool (*is)(const char *path), const char *path);
bool is_gone(const char *path);

/* Keeps a malloc'd block until the test ends; gives it back. */
void *kept(void *block);
/* For tests of many rounds: frees what was kept since kept_mark() gave this. */
size_t kept_mark(void);
void kept_until(size_t mark);

#endif
