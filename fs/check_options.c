/* check_options: see check_options.h. */
#include "fs/check_options.h"

#include <getopt.h>

const char check_options_usage[] = "usage: fsck.itemfs [-nvy] [--repair] VOLUME\n";

const char check_options_help[] =
    "\n"
    "Reads the whole of VOLUME, which must not be mounted, and proves that every index agrees with its table.\n"
    "\n"
    "  --repair, -y  where it does not, or does not open: save what is whole, and make the rest anew.\n"
    "                The damaged store is kept in VOLUME/damaged-N\n"
    "  -n            change nothing, whatever else is asked for\n"
    "  -v            say what is being looked at\n"
    "  -a -p         accepted; nothing is repaired that nobody asked for\n"
    "  -f            accepted; the check is always a full one\n"
    "  -h            print this\n"
    "  -V            print the versions\n"
    "\n"
    "Status: 0 clean, 1 repaired, 4 something disagrees, 8 it could not be done, 16 wrong use.\n";

enum rc check_options_parse(int argc, char **argv, struct check_options *ret_options, struct why *why)
{
	static const struct option long_options[] = {
	    {"repair", no_argument, NULL, 'y'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	struct check_options options = {0};
	bool only_look = false;
	int letter;

	optind = 0; /* glibc: begin anew, whatever was parsed before */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "nvfaypVh", long_options, NULL)) != -1) {
		if (letter == '?' && optopt != 0)
			return why_set(why, RC_INVALID, "unknown option '-%c'", optopt);
		if (letter == '?')
			return why_set(why, RC_INVALID, "unknown option '%s'", argv[optind - 1]);
		options.verbose |= letter == 'v';
		options.repair |= letter == 'y';
		only_look |= letter == 'n';
		options.help |= letter == 'h';
		options.version |= letter == 'V';
	}
	if (!options.help && !options.version && optind == argc)
		return why_set(why, RC_INVALID, "VOLUME is missing");
	if (optind + 1 < argc)
		return why_set(why, RC_INVALID, "one argument too many: '%s'", argv[optind + 1]);
	options.volume = argv[optind];
	options.repair &= !only_look;
	*ret_options = options;
	return RC_OK;
}
