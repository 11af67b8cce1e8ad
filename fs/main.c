/* main: the two commands, itemfs and fsck.itemfs; which one is said by the name the program was called by. The only file that
 * names all three layers: it opens the volume (index), puts the front end on it (fs), and takes both down in the opposite order. */
#define FUSE_USE_VERSION 312
#include "fs/check_options.h"
#include "fs/frontend.h"
#include "fs/log.h"
#include "fs/memory.h"
#include "fs/options.h"
#include "fs/session.h"
#include "index/check.h"
#include "index/repair.h"
#include "index/volume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As fsck(8) has them. */
enum check_status { CHECK_CLEAN = 0, CHECK_CORRECTED = 1, CHECK_UNCORRECTED = 4, CHECK_FAILED = 8, CHECK_USAGE = 16 };

static void break_off(void *volume)
{
	volume_break_off(volume, true);
}

/* From the mount to the unmount. The order at the end: no request and no notification first, then the drafts, which are kept in
 * the volume; the session is the last that knows the front end. */
static enum rc run_frontend(struct volume *volume, struct frontend *frontend, struct session *session,
			    const struct options *options, struct why *why)
{
	enum rc rc = session_mount(session, options, &frontend_ops, frontend, why);

	if (rc != RC_OK)
		return rc;
	frontend_set_session(frontend, session_fuse(session));
	rc = session_serve(session, options, break_off, volume, why);
	volume_break_off(volume, false);
	volume_ending(volume);
	frontend_set_session(frontend, NULL);
	session_unmount(session);
	return rc;
}

static enum rc run_volume(struct volume *volume, struct session *session, const struct options *options,
			  struct why *why)
{
	const struct frontend_options how = {.source = options->volume,
					     .uid = getuid(),
					     .gid = getgid(),
					     .durable = options->durable,
					     .no_xattr = options->no_xattr,
					     .threads = session_threads(options),
					     .ready = session_announce,
					     .ready_context = session};
	struct frontend *frontend;
	enum rc rc = frontend_new(volume, &how, &frontend);

	if (rc != RC_OK)
		return why_set(why, rc, "cannot start the front end: %s", rc_name(rc));
	rc = run_frontend(volume, frontend, session, options, why);
	frontend_free(frontend);
	return rc;
}

static enum rc run(const struct options *options, struct why *why)
{
	const struct volume_options how = {
	    .create = !options->read_only,
	    .durable = options->durable,
	    .passive = options->read_only,
	    .build_rate = options->build_rate,
	    .compress = options->compress,
	    .memtable = (size_t)options->memtable << 20,
	    .holder = options->mountpoint,
	    .give_up = session_is_told_to_end,
	};
	struct session *session;
	struct volume *volume;
	enum rc rc = session_begin(options, &session, why);

	if (rc != RC_OK)
		return rc;
	rc = volume_open(options->volume, &how, &volume, why);
	if (rc == RC_OK) {
		rc = run_volume(volume, session, options, why);
		session_free(session);
		volume_close(volume);
	} else {
		session_free(session);
	}
	return rc;
}

static int mount_command(int argc, char **argv)
{
	struct options options;
	struct why why = {0};
	enum rc rc;

	memory_begin();
	rc = options_parse(argc, argv, &options, &why);
	if (rc != RC_OK) {
		log_error("%s", why.text);
		fputs(options_usage, stderr);
		return EXIT_FAILURE;
	}
	if (options.help)
		printf("%s%s", options_usage, options_help);
	else if (options.version)
		options_print_version(stdout);
	else if ((rc = options_resolve(&options, &why)) != RC_OK || (rc = run(&options, &why)) != RC_OK)
		log_error("%s", why.text[0] != '\0' ? why.text : rc_name(rc));
	options_clear(&options);
	return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int repair(const char *path)
{
	struct repair_report report;
	struct why why = {0};
	enum rc rc = repair_volume(path, stdout, &report, &why);

	if (rc != RC_OK) {
		fprintf(stderr, "fsck.itemfs: %s: not repaired: %s\n", path,
			why.text[0] != '\0' ? why.text : rc_name(rc));
		return rc == RC_CORRUPT ? CHECK_UNCORRECTED : CHECK_FAILED;
	}
	printf("%s: repaired; the damaged store is kept in %s until you remove it", path, report.place);
	if (report.lost != 0)
		printf(", with %lu file%s in lost/ of what could not be put back (report.txt says what)", report.lost,
		       report.lost == 1 ? "" : "s");
	putchar('\n');
	return CHECK_CORRECTED;
}

/* Of a volume that does not open: whether a repair is for that. */
static bool is_damage(enum rc rc)
{
	return rc == RC_CORRUPT || rc == RC_IO;
}

/* How many problems there are; RC_OK only where the check could be finished. */
static enum rc prove(const struct check_options *options, unsigned long *ret_problems, struct why *why)
{
	const struct volume_options how = {.passive = true, .holder = "fsck.itemfs"};
	struct volume *volume;
	enum rc rc = volume_open(options->volume, &how, &volume, why);

	if (rc != RC_OK)
		return rc;
	rc = check_volume(volume, stdout, options->verbose, ret_problems);
	volume_close(volume);
	return rc == RC_OK ? rc : why_set(why, rc, "%s: the check broke off: %s", options->volume, rc_name(rc));
}

static int check(const struct check_options *options)
{
	unsigned long problems = 0;
	struct why why = {0};
	enum rc rc = prove(options, &problems, &why);

	if (rc != RC_OK) {
		fprintf(stderr, "fsck.itemfs: %s\n", why.text[0] != '\0' ? why.text : rc_name(rc));
		return options->repair && is_damage(rc) ? repair(options->volume) : CHECK_FAILED;
	}
	if (problems == 0) {
		printf("%s: clean\n", options->volume);
		return CHECK_CLEAN;
	}
	if (options->repair) {
		printf("%s: %lu problem%s\n", options->volume, problems, problems == 1 ? "" : "s");
		fflush(stdout);
		return repair(options->volume);
	}
	printf("%s: %lu problem%s left as found; `fsck.itemfs --repair %s` corrects what can be\n", options->volume, problems,
	       problems == 1 ? "" : "s", options->volume);
	return CHECK_UNCORRECTED;
}

static int check_command(int argc, char **argv)
{
	struct check_options options;
	struct why why = {0};

	if (check_options_parse(argc, argv, &options, &why) != RC_OK) {
		fprintf(stderr, "fsck.itemfs: %s\n%s", why.text, check_options_usage);
		return CHECK_USAGE;
	}
	if (options.help)
		printf("%s%s", check_options_usage, check_options_help);
	else if (options.version)
		options_print_version(stdout);
	else
		return check(&options);
	return CHECK_CLEAN;
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "itemfs";

	return strcmp(name, "fsck.itemfs") == 0 ? check_command(argc, argv) : mount_command(argc, argv);
}
