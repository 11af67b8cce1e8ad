/* options: what was asked for on the command line of itemfs.
 *
 * Parsing and resolving change nothing outside and start nothing, so they are done before the fork, where a wrong command can
 * still be answered with a plain message and status 1.
 *
 * An option of -o is one of: ours (sync, max_threads=N, …); the mount's (ro, nodev, allow_other, …), which goes on to libfuse in
 * the order given; mount(8)'s and fstab(5)'s own (noauto, _netdev, x-*, …), which means nothing here and is dropped. Any other
 * is refused: a typing error in fstab should be found at the mount.
 */
#ifndef ITEMFS_OPTIONS_H
#define ITEMFS_OPTIONS_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stdio.h>

struct fuse_args;

struct options {
	char *volume;         /* as typed; absolute after options_resolve() */
	char *mountpoint;     /* the same */
	char *passed_on;      /* for libfuse: comma-joined and escaped; NULL where there are none */
	unsigned max_threads; /* 0: not said */
	unsigned poll;        /* microseconds that a thread looks for a request before it waits; 0: never */
	unsigned build_rate;  /* items a second for indexes that are being built; 0: no limit */
	unsigned memtable;    /* MiB; 0: not said */
	bool compress;
	bool foreground;
	bool debug;
	bool single_thread;
	bool durable;
	bool no_xattr;
	bool read_only;
	bool help;
	bool version;
};

/* RC_INVALID with why, RC_NO_MEMORY. With help or version asked for nothing else need be there. */
enum rc options_parse(int argc, char **argv, struct options *ret_options, struct why *why);
void options_clear(struct options *options);

/* Makes both paths absolute, so that the daemon may leave its directory, and checks that the one may hold a volume and the other a mount (paths.h), and that
 * neither lies in the other. Where it fails the options are as they were. */
enum rc options_resolve(struct options *options, struct why *why);

/* What libfuse is told; resolve first. The caller's to give to fuse_opt_free_args(). */
enum rc options_for_libfuse(const struct options *options, struct fuse_args *ret_arguments);

extern const char options_usage[];
extern const char options_help[];
void options_print_version(FILE *out);

#endif
