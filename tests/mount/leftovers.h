/* leftovers: mounts and directories of tests that did not get to tidy up (crashed, or stopped by a timeout). Their directories carry the
 * runner's pid, so that one runner never touches what another is using. */
#ifndef ITEMFS_TESTS_LEFTOVERS_H
#define ITEMFS_TESTS_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The template of a test's directory for mkdtemp. `runner` is the pid of the program that runs the tests. */
void leftovers_template(pid_t runner, char *ret_template, size_t n);

/* Unmounts and removes what the runner left; 0: what runners that are no more left. */
void leftovers_clear(pid_t runner);

/* Failures that a test's end found, when Criterion no longer counts them: kept in a file of the runner's, from which
 * leftovers_told() prints them; whether there were any. */
void leftovers_tell(pid_t runner, const char *words);
bool leftovers_told(pid_t runner);

/* Removes a tree. Never crosses into another file system, so a mount that is still up keeps its files. */
void leftovers_remove(const char *path);

/* fusermount3 -u (-z where `lazy`); its exit status. */
int leftovers_unmount(const char *mountpoint, int lazy);

#endif
