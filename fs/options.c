/* options: why it exists is said in options.h. libfuse splits the command line and undoes the escapes in -o; what each word means
 * is decided here, by one table. */
#define FUSE_USE_VERSION 312
#include "fs/options.h"
#include "fs/paths.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS_LIMIT = 1024, POLL_LIMIT = 1000, BUILD_RATE_LIMIT = 1000000000, MEMTABLE_LIMIT = 1024 };

const char options_usage[] = "usage: itemfs [options] VOLUME MOUNTPOINT\n";

const char options_help[] =
    "\n"
    "Mounts VOLUME, a directory that holds tables of items, at the directory MOUNTPOINT.\n"
    "VOLUME is created when it does not exist. `fusermount3 -u MOUNTPOINT` ends the mount.\n"
    "\n"
    "  -f                   stay in the foreground; messages go to stderr\n"
    "  -d, -o debug         the same, and print each request\n"
    "  -s                   serve with a single thread\n"
    "  -h, --help           print this\n"
    "  -V, --version        print the versions\n"
    "  -o OPTION[,OPTION…]\n"
    "     sync              each change is safe from a loss of power before it is acknowledged\n"
    "     ro                mount read-only\n"
    "     allow_other       let other users in, with the rights that the modes give them\n"
    "     allow_root        let root in\n"
    "     auto_unmount      unmount when the daemon dies\n"
    "     compress          pack what is stored: half the disk, more work\n"
    "     memtable=N        gather N MiB of changes in memory before they become a table (8 to 64 by default,\n"
    "                       as memory and disk allow)\n"
    "     build_rate=N      put at most N items a second into new indexes\n"
    "     max_threads=N     serve with at most N threads (default 32)\n"
    "     nouser_xattr      no user.itemfs.* attributes, and so one request less for each overwrite\n"
    "     poll=N            look for the next request for up to N microseconds before waiting for it\n"
    "     fsname=NAME       what df and mount show as the source (default: VOLUME)\n"
    "     nosuid, nodev, noexec, noatime …  as in mount(8)\n";

enum meaning {
	MEANS_FOREGROUND,
	MEANS_DEBUG,
	MEANS_SINGLE_THREAD,
	MEANS_HELP,
	MEANS_VERSION,
	MEANS_DURABLE,
	MEANS_NOT_DURABLE,
	MEANS_READ_ONLY,
	MEANS_READ_WRITE,
	MEANS_POLL,
	MEANS_NO_XATTR,
	MEANS_XATTR,
	MEANS_MAX_THREADS,
	MEANS_BUILD_RATE,
	MEANS_COMPRESS,
	MEANS_NO_COMPRESS,
	MEANS_MEMTABLE,
	MEANS_PASS_ON,
	MEANS_NOTHING, /* to us */
	MEANS_UNKNOWN,
};

/* In each of these lists a word that ends in '=' or '-' stands for all that begin with it. */
static const struct word {
	const char *text;
	enum meaning meaning;
} words[] = {
    {"-f", MEANS_FOREGROUND},
    {"-d", MEANS_DEBUG},
    {"--debug", MEANS_DEBUG},
    {"debug", MEANS_DEBUG},
    {"-s", MEANS_SINGLE_THREAD},
    {"-h", MEANS_HELP},
    {"--help", MEANS_HELP},
    {"-V", MEANS_VERSION},
    {"--version", MEANS_VERSION},
    /* `dirsync` asks for less than `sync`, which is what we have for it. */
    {"sync", MEANS_DURABLE},
    {"dirsync", MEANS_DURABLE},
    {"async", MEANS_NOT_DURABLE},
    {"poll=", MEANS_POLL},
    {"nouser_xattr", MEANS_NO_XATTR},
    {"user_xattr", MEANS_XATTR},
    {"max_threads=", MEANS_MAX_THREADS},
    {"build_rate=", MEANS_BUILD_RATE},
    {"compress", MEANS_COMPRESS},
    {"nocompress", MEANS_NO_COMPRESS},
    {"memtable=", MEANS_MEMTABLE},
    {"ro", MEANS_READ_ONLY},
    {"rw", MEANS_READ_WRITE},
};

static const char *const passed_on[] = {
    "suid",       "nosuid",       "dev",     "nodev",    "exec",     "noexec",     "noatime",     "allow_other",
    "allow_root", "auto_unmount", "fsname=", "subtype=", "context=", "fscontext=", "defcontext=", "rootcontext="};

/* default_permissions is always on. Access times are not kept, and this libfuse has no flags for them but noatime. The empty one
 * is as in "ro,,sync". clone_fd is libfuse's, for many threads that wait at once; here few do (workers.h). */
// clang-format off
static const char *const dropped[] = {
    "atime", "default_permissions", "", "defaults", "auto", "noauto", "user", "user=", "nouser", "users",
    "nousers", "owner", "noowner", "group", "nogroup", "nofail", "_netdev", "comment=", "helper=", "uhelper=",
    "x-", "X-", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime",
    "nolazytime", "silent", "loud", "clone_fd",
};
// clang-format on

struct parsing {
	struct options *options;
	struct why *why;
	enum rc rc;
};

static bool matches(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (n > 1 && (word[n - 1] == '=' || word[n - 1] == '-'))
		return strncmp(text, word, n) == 0;
	return strcmp(text, word) == 0;
}

static enum meaning meaning_of(const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (matches(text, words[i].text))
			return words[i].meaning;
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		if (matches(text, passed_on[i]))
			return MEANS_PASS_ON;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (matches(text, dropped[i]))
			return MEANS_NOTHING;
	return MEANS_UNKNOWN;
}

/* The number of `text`, "NAME=NUMBER". */
static enum rc take_number(const char *text, unsigned limit, unsigned *ret_number, struct why *why)
{
	const char *value = strchr(text, '=') + 1;
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || n < 1 || n > limit)
		return why_set(why, RC_INVALID, "%.*s must be a number from 1 to %u, not '%s'",
			       (int)(value - 1 - text), text, limit, value);
	*ret_number = (unsigned)n;
	return RC_OK;
}

static enum rc pass_on(struct options *options, const char *text)
{
	return fuse_opt_add_opt_escaped(&options->passed_on, text) == 0 ? RC_OK : RC_NO_MEMORY;
}

/* Whether it is one of those with a number, without it. */
static bool lacks_number(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(words[i].text, text, n) == 0 && strcmp(words[i].text + n, "=") == 0)
			return true;
	return false;
}

static enum rc take_word(struct options *options, const char *text, struct why *why)
{
	switch (meaning_of(text)) {
	case MEANS_FOREGROUND:
		options->foreground = true;
		return RC_OK;
	case MEANS_DEBUG:
		options->debug = true;
		options->foreground = true;
		return RC_OK;
	case MEANS_SINGLE_THREAD:
		options->single_thread = true;
		return RC_OK;
	case MEANS_HELP:
		options->help = true;
		return RC_OK;
	case MEANS_VERSION:
		options->version = true;
		return RC_OK;
	case MEANS_DURABLE:
		options->durable = true;
		return RC_OK;
	case MEANS_NOT_DURABLE:
		options->durable = false;
		return RC_OK;
	case MEANS_READ_ONLY:
		options->read_only = true;
		return pass_on(options, text);
	case MEANS_READ_WRITE:
		options->read_only = false;
		return pass_on(options, text);
	case MEANS_NO_XATTR:
		options->no_xattr = true;
		return RC_OK;
	case MEANS_XATTR:
		options->no_xattr = false;
		return RC_OK;
	case MEANS_POLL:
		return take_number(text, POLL_LIMIT, &options->poll, why);
	case MEANS_MAX_THREADS:
		return take_number(text, MAX_THREADS_LIMIT, &options->max_threads, why);
	case MEANS_BUILD_RATE:
		return take_number(text, BUILD_RATE_LIMIT, &options->build_rate, why);
	case MEANS_COMPRESS:
		options->compress = true;
		return RC_OK;
	case MEANS_NO_COMPRESS:
		options->compress = false;
		return RC_OK;
	case MEANS_MEMTABLE:
		return take_number(text, MEMTABLE_LIMIT, &options->memtable, why);
	case MEANS_PASS_ON:
		return pass_on(options, text);
	case MEANS_NOTHING:
		return RC_OK;
	case MEANS_UNKNOWN:
		break;
	}
	if (text[0] == '-')
		return why_set(why, RC_INVALID, "unknown option '%s'", text);
	if (lacks_number(text))
		return why_set(why, RC_INVALID, "'-o %s' needs a number: %s=N", text, text);
	return why_set(why, RC_INVALID, "unknown option '-o %s'", text);
}

static enum rc take_path(struct options *options, const char *text, struct why *why)
{
	char **slot = options->volume == NULL ? &options->volume : &options->mountpoint;

	if (*slot != NULL)
		return why_set(why, RC_INVALID, "one argument too many: '%s'", text);
	if (text[0] == '\0')
		return why_set(why, RC_INVALID, "%s is empty", slot == &options->volume ? "VOLUME" : "MOUNTPOINT");
	*slot = strdup(text);
	return *slot != NULL ? RC_OK : RC_NO_MEMORY;
}

/* Called by libfuse for each argument and each word of an -o. Always discards it: what goes on is collected in passed_on. */
static int take_argument(void *data, const char *text, int kind, struct fuse_args *arguments)
{
	struct parsing *parsing = data;

	(void)arguments;
	if (kind == FUSE_OPT_KEY_NONOPT)
		parsing->rc = take_path(parsing->options, text, parsing->why);
	else
		parsing->rc = take_word(parsing->options, text, parsing->why);
	return parsing->rc == RC_OK ? 0 : -1;
}

static enum rc check_all_there(const struct options *options, struct why *why)
{
	if (options->help || options->version || options->mountpoint != NULL)
		return RC_OK;
	if (options->volume == NULL)
		return why_set(why, RC_INVALID, "VOLUME and MOUNTPOINT are missing");
	return why_set(why, RC_INVALID, "MOUNTPOINT is missing");
}

/* libfuse would say this itself, in its own words. */
static bool ends_in_bare_o(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return false;
		if (strcmp(argv[i], "-o") == 0 && ++i == argc)
			return true;
	}
	return false;
}

enum rc options_parse(int argc, char **argv, struct options *ret_options, struct why *why)
{
	struct options options = {0};
	struct parsing parsing = {&options, why, RC_OK};
	struct fuse_args arguments = FUSE_ARGS_INIT(argc, argv);
	enum rc rc;

	if (ends_in_bare_o(argc, argv))
		return why_set(why, RC_INVALID, "-o needs its options");
	if (fuse_opt_parse(&arguments, &parsing, NULL, take_argument) == 0)
		rc = check_all_there(&options, why);
	else
		rc = parsing.rc != RC_OK ? parsing.rc : RC_NO_MEMORY;
	fuse_opt_free_args(&arguments);
	if (rc == RC_NO_MEMORY)
		why_set(why, rc, "out of memory");
	if (rc != RC_OK) {
		options_clear(&options);
		return rc;
	}
	*ret_options = options;
	return RC_OK;
}

void options_clear(struct options *options)
{
	free(options->volume);
	free(options->mountpoint);
	free(options->passed_on);
	*options = (struct options){0};
}

enum rc options_resolve(struct options *options, struct why *why)
{
	char *volume = NULL, *mountpoint = NULL;
	enum rc rc = paths_of_mountpoint(options->mountpoint, &mountpoint, why);

	if (rc == RC_OK)
		rc = paths_of_volume(options->volume, !options->read_only, &volume, why);
	if (rc == RC_OK && paths_lies_in(volume, mountpoint))
		rc = why_set(why, RC_INVALID, "VOLUME %s lies in MOUNTPOINT %s: the mount would hide it", volume,
			     mountpoint);
	else if (rc == RC_OK && paths_lies_in(mountpoint, volume))
		rc = why_set(why, RC_INVALID, "MOUNTPOINT %s lies in VOLUME %s, which is for itemfs alone", mountpoint,
			     volume);
	if (rc != RC_OK) {
		free(volume);
		free(mountpoint);
		return rc;
	}
	free(options->volume);
	free(options->mountpoint);
	options->volume = volume;
	options->mountpoint = mountpoint;
	return RC_OK;
}

/* Ours come first, so that an fsname= or subtype= that was asked for wins. */
static enum rc join_for_libfuse(const struct options *options, char **ret_list)
{
	char *list = NULL, *fsname = NULL;
	bool ok = asprintf(&fsname, "fsname=%s", options->volume) >= 0;

	if (!ok)
		fsname = NULL;
	ok = ok && fuse_opt_add_opt(&list, "default_permissions,subtype=itemfs") == 0;
	ok = ok && fuse_opt_add_opt_escaped(&list, fsname) == 0;
	ok = ok && (!options->debug || fuse_opt_add_opt(&list, "debug") == 0);
	ok = ok && (options->passed_on == NULL || fuse_opt_add_opt(&list, options->passed_on) == 0);
	free(fsname);
	if (!ok) {
		free(list);
		return RC_NO_MEMORY;
	}
	*ret_list = list;
	return RC_OK;
}

enum rc options_for_libfuse(const struct options *options, struct fuse_args *ret_arguments)
{
	struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
	char *list = NULL;
	enum rc rc = join_for_libfuse(options, &list);

	if (rc != RC_OK)
		return rc;
	if (fuse_opt_add_arg(&arguments, "itemfs") != 0 || fuse_opt_add_arg(&arguments, "-o") != 0 ||
	    fuse_opt_add_arg(&arguments, list) != 0) {
		fuse_opt_free_args(&arguments);
		rc = RC_NO_MEMORY;
	} else {
		*ret_arguments = arguments;
	}
	free(list);
	return rc;
}

void options_print_version(FILE *out)
{
	fprintf(out, "itemfs version %s\nFUSE library version %s\n", ITEMFS_VERSION, fuse_pkgversion());
}
