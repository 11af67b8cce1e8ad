/* check_options: what was asked for on the command line of fsck.itemfs. Its options are fsck(8)'s, as a boot gives them. */
#ifndef ITEMFS_CHECK_OPTIONS_H
#define ITEMFS_CHECK_OPTIONS_H

#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>

struct check_options {
	const char *volume; /* borrowed from argv */
	bool verbose;
	bool repair; /* --repair or -y, and no -n. Not -a, -p: what a boot does unasked is to look */
	bool help;
	bool version;
};

/* RC_INVALID with why. With help or version asked for there need be no volume. */
enum rc check_options_parse(int argc, char **argv, struct check_options *ret_options, struct why *why);

extern const char check_options_usage[];
extern const char check_options_help[];

#endif
