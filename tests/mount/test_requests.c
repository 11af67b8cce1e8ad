/* What the kernel asks us for when people do ordinary things in a shell. Each request is a round trip, and their number is most of what an operation costs, so
 * it must not grow unseen. RELEASE and FORGET are left out: the kernel sends them when it likes and nobody waits for them.
 *
 * libfuse's own debug messages are counted, which it prints before a request is served. What it costs to start the shell and to go there is measured
 * the same way with nothing to do, and taken away. Each is done three times and the least counts, since the kernel may have dropped something it
 * knew, or somebody may have looked around in the mount. */
#include "tests/mount/harness.h"

enum { TRIES = 3 };

static void setup(void)
{
	mount_setup();
	mount_down();
	mount_up("debug");
	assert_sh("mkdir -p \"$M/Tab/p\"");
}

TestSuite(requests, .init = setup, .fini = mount_teardown, .timeout = 300);

static const char *const kinds[] = {"LOOKUP",  "GETATTR", "SETATTR",   "MKNOD",   "MKDIR",   "UNLINK",	"RMDIR",    "RENAME",
				    "RENAME2", "OPEN",	  "CREATE",    "READ",	  "WRITE",   "FLUSH",	"FSYNC",    "FALLOCATE",
				    "OPENDIR", "READDIR", "READDIRPLUS", "STATFS", "GETXATTR", "SETXATTR", "LISTXATTR", "REMOVEXATTR",
				    "IOCTL",   "LSEEK",	  "COPY_FILE_RANGE"};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct counts {
	long of[KINDS];
};

static struct counts counted(void)
{
	static const char mark[] = "opcode: ";
	struct counts counts = {{0}};
	for (const char *at = strstr(mount_said(), mark); at; at = strstr(at, mark)) {
		at += sizeof mark - 1;
		size_t n = strcspn(at, " ");
		for (size_t i = 0; i < KINDS; i++)
			counts.of[i] += strlen(kinds[i]) == n && memcmp(at, kinds[i], n) == 0;
	}
	return counts;
}

static struct counts difference(struct counts after, struct counts before)
{
	for (size_t i = 0; i < KINDS; i++)
		after.of[i] -= before.of[i];
	return after;
}

static long total(const struct counts *counts)
{
	long sum = 0;
	for (size_t i = 0; i < KINDS; i++)
		sum += counts->of[i];
	return sum;
}

static struct counts cost(const char *command)
{
	struct counts before = counted();
	assert_sh(text("cd \"$M/Tab/p\" && %s", command));
	return difference(counted(), before);
}

static const char *words(const struct counts *counts)
{
	const char *out = "";
	for (size_t i = 0; i < KINDS; i++)
		if (counts->of[i])
			out = text("%s %s %ld", out, kinds[i], counts->of[i]);
	return out;
}

/* Does `prepare`, which is not counted, and then `command`: at most `most` requests. */
static void expect_requests(const char *prepare, const char *command, long most)
{
	struct counts least = {{0}};
	for (int i = 0; i < TRIES; i++) {
		assert_sh(text("cd \"$M/Tab/p\" && rm -f -- * && %s", prepare));
		cost("true"); /* what is known of the way there is known from here on */
		struct counts nothing = cost("true");
		struct counts found = difference(cost(command), nothing);
		if (!i || total(&found) < total(&least))
			least = found;
	}
	cr_log_info("%s: %ld requests:%s", command, total(&least), words(&least));
	cr_expect_leq(total(&least), most, "%s sends %ld requests:%s", command, total(&least), words(&least));
}

#define ONE "echo '{\"a\":1}' > one.json"
#define EIGHT "for i in 1 2 3 4 5 6 7 8; do echo '{}' > $i.json; done"

Test(requests, of_writing)
{
	/* LOOKUP (whether it is there), CREATE, FLUSH (the shell moves the descriptor and closes the first), WRITE, FLUSH. What the shell asks of it is known from CREATE. */
	expect_requests("true", ONE, 5);
	/* GETATTR (the last write changed it), OPEN and GETXATTR (O_TRUNC: has it capabilities to lose?), FLUSH, WRITE, FLUSH. */
	expect_requests(ONE, "echo '{\"a\":2}' > one.json", 6);
	/* GETATTR, OPEN, FLUSH, WRITE, FLUSH: without O_TRUNC nobody asks for capabilities. */
	expect_requests(ONE, "echo ' ' >> one.json", 5);
	/* LOOKUP of the target by stat and by open, CREATE, WRITE, FLUSH. */
	expect_requests("echo '{}' > \"$D/source\"", "cp \"$D/source\" one.json", 5);
	/* The same, and GETATTR, OPEN, READ of the source: cp knows its size, so it does not read its end. */
	expect_requests(ONE, "cp one.json two.json", 8);
	/* A plain file's WRITE goes through the page cache, which asks for capabilities each time: GETXATTR. */
	expect_requests("true", "echo hello > README", 6);
	/* OPEN, FLUSH (it moves the descriptor), SETATTR, FLUSH. */
	expect_requests(ONE, "touch one.json", 4);
}

Test(requests, of_reading)
{
	/* GETATTR, OPEN, READ, READ (the end). No FLUSH: a reader's close has nothing to say. The second time as the first: items are not cached. */
	expect_requests(ONE, "cat one.json > /dev/null", 4);
	expect_requests(ONE " && cat one.json > /dev/null", "cat one.json > /dev/null", 4);
	/* GETATTR after a write; then it is known, as is what is not there. */
	expect_requests(ONE, "stat one.json > /dev/null", 1);
	expect_requests(ONE " && stat one.json > /dev/null", "stat one.json > /dev/null", 0);
	expect_requests("[ ! -e none.json ]", "[ ! -e none.json ]", 0);
}

Test(requests, of_listing)
{
	/* OPENDIR, READDIRPLUS, and READDIR, which finds the end (nobody has asked for attributes meanwhile). */
	expect_requests(EIGHT, "ls > /dev/null", 3);
	expect_requests(EIGHT, "ls -U > /dev/null", 3);
	/* The attributes of all eight came with READDIRPLUS. GETXATTR: ls asks for two security attributes, and learns that there are none of that sort. */
	expect_requests(EIGHT, "ls -l > /dev/null", 5);
}

/* Names that the mount has told the kernel of. */
static long names_known(void)
{
	assert_sh("jq .open.nodes \"$M/.itemfs/stats.json\"");
	return strtol(sh_output(), NULL, 10);
}

Test(requests, of_queries)
{
	/* LOOKUP of four names (.ge may be known for a moment), OPENDIR, READDIRPLUS, READDIR; and GETATTR of the directory, where ls has been slower than that moment. */
	expect_requests(EIGHT, "ls -U .ge/3/.first/4 > /dev/null", 8);
}

Test(requests, of_what_is_not_kept_nothing_is_remembered)
{
	/* The kernel looks a result up before it uses it, whatever a listing has told of it: so it is told the names alone. */
	assert_sh("cd \"$M/Tab/p\" && for i in $(seq 100); do echo '{}' > $i.json; done");
	mount_down();
	mount_up("debug");
	assert_sh("ls -U \"$M/Tab/p/.first/\"90 > /dev/null");
	long before = names_known();
	expect_sh("ls -U \"$M/Tab/p/.first/80\" | wc -l", "80\n");
	cr_expect_lt(names_known() - before, 10, "%ld names more", names_known() - before);
	expect_sh("cd \"$M/Tab/p/.last/3\" && stat -c %n-%s -- *", "97.json-3\n98.json-3\n99.json-3\n"); /* and each has its attributes when it is asked for */
}

Test(requests, of_names)
{
	/* LOOKUP of the new name, RENAME. */
	expect_requests(ONE, "mv one.json two.json", 2);
	/* GETATTR (rm asks whether it may), UNLINK. */
	expect_requests(ONE, "rm one.json", 2);
	/* How editors and rsync put a file in place: GETATTR, LOOKUP, LOOKUP, RENAME. */
	expect_requests(ONE " && echo '{\"a\":2}' > .new", "mv .new one.json", 4);
	expect_requests("rmdir ../q || true", "mkdir ../q", 2); /* LOOKUP, MKDIR */
	expect_requests("mkdir -p ../q", "rmdir ../q", 1);
}

Test(requests, without_attributes_nobody_asks_for_them)
{
	mount_down();
	mount_up("debug,nouser_xattr");
	expect_requests(ONE, "echo '{\"a\":2}' > one.json", 5);
	expect_requests("true", "echo hello > README", 5);
	expect_requests(EIGHT, "ls -l > /dev/null", 3);
}
