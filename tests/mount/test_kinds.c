/* Every operation on every kind of node (fs/node.h), alone and while somebody has it open, and renames from every kind to every kind: the daemon lives and answers, with an errno that says something, and what was
 * refused has changed nothing. ITEMFS_KINDS=all: all pairs, each way of renaming, with nobody and with somebody there. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/xattr.h>

/* ---- the fixture: paths in words that change with each making of it ---- */

/* $T a declared table, $O an undeclared one, $K one without a sort key, $S a snapshot of all, $R a rejected draft, $L the cut name of an item, $P that of a partition. */
enum {
	DIRECTORY = 1,
	FIXED = 2,  /* nothing done to it changes anything */
	ABSENT = 4, /* for something to come there */
};

struct subject {
	const char *path;
	unsigned is;
};

static const struct subject subjects[] = {
    {"", DIRECTORY},
    {"$T", DIRECTORY},
    {"$O", DIRECTORY},
    {"$T/.schema.json", 0},
    {"$O/.schema.json", 0}, /* waits for its first commit */
    {"$T/.describe.json", FIXED},
    {"$T/Queen", DIRECTORY},
    {"$T/Empty", DIRECTORY},
    {"$T/$P", DIRECTORY},
    {"$T/Queen/Liar.json", 0},
    {"$T/Queen/Jealousy.json", 0},
    {"$T/Queen/$L", 0},
    {"$T/$P/Liar.json", 0},
    {"$T/Queen/Waits.json", 0}, /* likewise */
    {"$O/x/y.json", 0},
    {"$K/a/item.json", 0},
    {"$T/README", 0},
    {"$T/Queen/notes", 0},
    {"$T/Queen/good", 0}, /* what it holds could be an item's */
    {"$T/Queen/.waits", 0},
    {"$T/.import", DIRECTORY},
    {"$T/.import/bad.jsonl", 0},
    {"$T/.import/.scratch", 0},
    {"$T/.import/more.jsonl.result.json", 0},
    {"$T/.index", DIRECTORY | FIXED},
    {"$T/.index/by-year", DIRECTORY | FIXED},
    {"$T/.index/by-year/1973", DIRECTORY | FIXED},
    {"$T/.index/by-year/1973/Queen,Liar.json", FIXED},
    {"$T/.index/by-year/1973/.ge", DIRECTORY | FIXED},
    {"$T/.index/by-year/.scan/1/0/1973/Queen,Liar.json", FIXED},
    {"$T/.index/by-year/.export/items.json", FIXED},
    {"$T/Queen/.ge", DIRECTORY | FIXED},
    {"$T/Queen/.ge/J", DIRECTORY | FIXED},
    {"$T/Queen/.ge/J/Liar.json", FIXED},
    {"$T/Queen/.ge/J/.last/1", DIRECTORY | FIXED},
    {"$T/Queen/.between/J", DIRECTORY | FIXED},
    {"$T/.scan", DIRECTORY | FIXED},
    {"$T/.scan/1/0", DIRECTORY | FIXED},
    {"$T/.scan/1/0/Queen", DIRECTORY | FIXED},
    {"$T/.scan/1/0/Queen/Liar.json", FIXED},
    {"$T/.where/Year", DIRECTORY | FIXED},
    {"$T/.where/Year/eq/1973", DIRECTORY | FIXED},
    {"$T/.where/Year/eq/1973/Queen/Liar.json", FIXED},
    {"$T/.export", DIRECTORY | FIXED},
    {"$T/.export/items.jsonl", FIXED},
    {"$T/Queen/.export/items.csv", FIXED},
    {"$T/Queen/.ge/J/.export/items.json", FIXED},
    {".itemfs", DIRECTORY | FIXED},
    {".itemfs/errors", FIXED},
    {".itemfs/stats.json", FIXED},
    {".itemfs/rejected", DIRECTORY | FIXED},
    {".itemfs/rejected/$R", 0},
    {".itemfs/snapshots", DIRECTORY},
    {".itemfs/snapshots/$S", DIRECTORY},
    {".itemfs/snapshots/$S/$T", DIRECTORY | FIXED},
    {".itemfs/snapshots/$S/$T/.schema.json", FIXED},
    {".itemfs/snapshots/$S/$T/Queen", DIRECTORY | FIXED},
    {".itemfs/snapshots/$S/$T/Queen/Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/README", FIXED},
    {".itemfs/snapshots/$S/$T/.index/by-year/1973/Queen,Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/Queen/.ge/J/Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/.export/items.jsonl", FIXED},

    {"Nothing", ABSENT},
    {"$T/Nothing", ABSENT},
    {"$T/nothing.json", ABSENT},
    {"$T/Nothing%~plain", ABSENT},
    {"$T/.stream", ABSENT},
    {"$T/Queen/Nothing", ABSENT},
    {"$T/Queen/nothing.json", ABSENT},
    {"$T/Queen/.history", ABSENT},
    {"$T/Empty/nothing.json", ABSENT},
    {"$T/$P/nothing.json", ABSENT},
    {"$T/Queen/$Q", ABSENT},
    {"$O/nothing", ABSENT},
    {"$O/x/nothing.json", ABSENT},
    {"$K/a/nothing", ABSENT},
    {"$K/a/nothing.json", ABSENT},
    {"$T/.import/nothing.jsonl", ABSENT},
    {"$T/.import/nothing", ABSENT},
    {"$T/.index/nothing", ABSENT | FIXED},
    {"$T/.index/by-year/1973/nothing.json", ABSENT | FIXED},
    {"$T/.index/by-year/1973/.where", DIRECTORY | FIXED},
    {"$T/.scan/1/0/nothing", ABSENT | FIXED},
    {"$T/Queen/.ge/J/nothing.json", ABSENT | FIXED},
    {"$T/Queen/.ge/J/Killer,.json", ABSENT | FIXED},
    {"$T/.export/nothing", ABSENT | FIXED},
    {".itemfs/nothing", ABSENT | FIXED},
    {".itemfs/rejected/nothing", ABSENT | FIXED},
    {".itemfs/rejected/999999", ABSENT | FIXED},
    {".itemfs/snapshots/nothing", ABSENT},
    {".itemfs/snapshots/$S/Nothing", ABSENT | FIXED},
    {".itemfs/snapshots/$S/$T/Queen/nothing.json", ABSENT | FIXED},
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };

#define LIAR "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}"
#define JEALOUSY "{ \"Year\": 1978 }\n"

static unsigned made; /* how many times */
static ino_t numbers[SUBJECTS]; /* what stood there then; 0: nothing */
static char long_item[256], long_partition[256];
static unsigned long long rejected;
static int waiting[8];
static unsigned waiters;

static char top[256]; /* the mountpoint */

static const char *word(char letter, char out[256])
{
	switch (letter) {
	case 'T':
		snprintf(out, 256, "Table%u", made);
		break;
	case 'O':
		snprintf(out, 256, "Open%u", made);
		break;
	case 'K':
		snprintf(out, 256, "Keys%u", made);
		break;
	case 'S':
		snprintf(out, 256, "s%u", made);
		break;
	case 'R':
		snprintf(out, 256, "%llu", rejected);
		break;
	case 'L':
		return long_item;
	case 'Q':
		snprintf(out, 256, "%.232s%%~0123456789abcdef.json", long_item);
		break;
	case 'P':
		return long_partition;
	default:
		cr_assert_fail("no word for %c", letter);
	}
	return out;
}

/* The path as it is now; good for some calls. */
static const char *path(const char *words)
{
	static char all[16][2048];
	static unsigned turn;
	char *out = all[turn++ % 16], its[256];
	size_t n = (size_t)snprintf(out, sizeof all[0], "%s", top);
	if (*words && out[n - 1] != '/')
		out[n++] = '/';
	for (; *words; words++) {
		if (*words == '$')
			n += (size_t)snprintf(out + n, sizeof all[0] - n, "%s", word(*++words, its));
		else
			out[n++] = *words;
	}
	out[n] = 0;
	return out;
}

/* A name in a directory that begins so. */
static void find_name(const char *directory, const char *beginning, char out[256])
{
	DIR *stream = opendir(path(directory));
	struct dirent *entry;
	out[0] = 0;
	cr_assert(stream, "%s: %s", path(directory), strerror(errno));
	while ((entry = readdir(stream)))
		if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0)
			snprintf(out, 256, "%s", entry->d_name);
	closedir(stream);
}

/* Whole files: 0 or the first errno. */
static int write_file(const char *words, const char *bytes, int flags)
{
	int fd = open(path(words), O_WRONLY | O_CREAT | flags | O_CLOEXEC, 0644), first = fd < 0 ? errno : 0;
	if (fd < 0)
		return first;
	if (write(fd, bytes, strlen(bytes)) < 0)
		first = errno;
	if (close(fd) < 0 && !first)
		first = errno;
	return first;
}

static int read_file(const char *words, char *out, size_t room)
{
	int fd = open(path(words), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, out, room - 1);
	int error = n < 0 ? errno : 0;
	close(fd);
	out[n < 0 ? 0 : n] = 0;
	return error;
}

/* What is there, byte for byte, as long as nothing was done to it that went well. */
static const struct {
	const char *path, *bytes;
} kept_files[] = {
    {"$T/Queen/Liar.json", LIAR},
    {"$T/Queen/Jealousy.json", JEALOUSY},
    {"$T/README", "read me\n"},
    {"$T/Queen/notes", "notes\n"},
    {"$T/Queen/good", "{\"Year\":1980}"},
    {"$O/x/y.json", "{}"},
    {"$K/a/item.json", "{\"b\":1}"},
    {".itemfs/snapshots/$S/$T/Queen/Liar.json", LIAR},
};

static void wait_for(int fd)
{
	cr_assert(fd >= 0, "%s", strerror(errno));
	waiting[waiters++] = fd;
}

static void let_waiters_go(void)
{
	while (waiters)
		close(waiting[--waiters]);
}

static void make(void)
{
	let_waiters_go();
	if (made) {
		rmdir(path(".itemfs/snapshots/$S"));
		rmdir(path(".itemfs/snapshots/nothing"));
		rename(path("Nothing"), path("Gone-$T"));
	}
	made++;
	size_t mark = kept_mark();
	declare(strrchr(path("$T"), '/') + 1, "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	declare(strrchr(path("$K"), '/') + 1, "Id:S", NULL);
	kept_until(mark);
	assert_ok(mkdir(path("$O"), 0755));
	assert_ok(mkdir(path("$O/x"), 0755));
	assert_ok(mkdir(path("$T/Empty"), 0755));
	assert_ok(mkdir(path("$T/Queen"), 0755));
	for (size_t i = 0; i + 1 < sizeof kept_files / sizeof *kept_files; i++) {
		if (strncmp(kept_files[i].path, "$K", 2) == 0)
			assert_ok(mkdir(path("$K/a"), 0755));
		cr_assert_eq(write_file(kept_files[i].path, kept_files[i].bytes, O_TRUNC), 0, "%s", kept_files[i].path);
	}
	char lines[2048], many[512];
	memset(many, 'k', sizeof many);
	snprintf(lines, sizeof lines, "{\"Artist\":\"Queen\",\"Title\":\"%.300s\",\"Year\":1973}\n{\"Artist\":\"%.300s\",\"Title\":\"Liar\"}\n", many, many);
	cr_assert_eq(write_file("$T/.import/more.jsonl", lines, O_TRUNC), 0);
	cr_assert_eq(write_file("$T/.import/bad.jsonl", "{\"Artist\":1}\n", O_TRUNC), EBADMSG);
	cr_assert_eq(write_file("$T/.import/.scratch", "{}\n", O_TRUNC), 0);
	find_name("$T/Queen", "kkk", long_item);
	find_name("$T", "kkk", long_partition);
	cr_assert(*long_item && *long_partition);
	cr_assert_eq(write_file("$T/Queen/Refused.json", "{oops", O_TRUNC), EBADMSG);
	DIR *stream = opendir(path(".itemfs/rejected"));
	struct dirent *entry;
	cr_assert(stream);
	while ((entry = readdir(stream)))
		if (strtoull(entry->d_name, NULL, 10) > rejected)
			rejected = strtoull(entry->d_name, NULL, 10);
	closedir(stream);
	assert_ok(mkdir(path(".itemfs/snapshots/$S"), 0755));
	wait_for(open(path("$T/Queen/Waits.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	wait_for(open(path("$T/Queen/.waits"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	wait_for(open(path("$O/.schema.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static ino_t number_of(const struct subject *subject)
{
	struct stat st;
	return lstat(path(subject->path), &st) == 0 ? st.st_ino : 0;
}

static void note_numbers(void)
{
	for (unsigned i = 0; i < SUBJECTS; i++) {
		numbers[i] = number_of(&subjects[i]);
		cr_assert(!numbers[i] == !!(subjects[i].is & ABSENT), "%s", path(subjects[i].path));
	}
}

static void expect_kept(const char *after)
{
	char bytes[256];
	for (size_t i = 0; i < sizeof kept_files / sizeof *kept_files; i++) {
		int error = read_file(kept_files[i].path, bytes, sizeof bytes);
		cr_assert(!error && strcmp(bytes, kept_files[i].bytes) == 0, "after %s %s is %s \"%s\"", after, path(kept_files[i].path),
			  strerrorname_np(error), bytes);
	}
}

static void setup(void)
{
	mount_setup();
	snprintf(top, sizeof top, "%s", at(""));
}

static void teardown(void)
{
	let_waiters_go();
	mount_teardown();
}

TestSuite(kinds, .init = setup, .fini = teardown, .timeout = 3600);

/* ---- operations on one thing ---- */

static const char *below(const char *file, const char *name)
{
	static char out[4096];
	snprintf(out, sizeof out, "%s/%s", file, name);
	return out;
}

static int closed(int fd)
{
	if (fd < 0)
		return errno;
	return close(fd) < 0 ? errno : 0;
}

static int do_stat(const char *file)
{
	struct stat st;
	return errno_of(stat(file, &st));
}

static int do_access(const char *file)
{
	return errno_of(access(file, R_OK | W_OK));
}

static int do_read(const char *file)
{
	char bytes[4096];
	int fd = open(file, O_RDONLY | O_CLOEXEC), error = 0;
	if (fd < 0)
		return errno;
	if (pread(fd, bytes, sizeof bytes, 0) < 0 || pread(fd, bytes, sizeof bytes, 3) < 0 || pread(fd, bytes, sizeof bytes, 1 << 20) < 0)
		error = errno;
	int end = closed(fd);
	return error ? error : end;
}

static int do_open_write(const char *file)
{
	return closed(open(file, O_WRONLY | O_CLOEXEC));
}

static int do_open_both(const char *file)
{
	return closed(open(file, O_RDWR | O_CLOEXEC));
}

static int do_open_truncate(const char *file)
{
	return closed(open(file, O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int do_open_truncate_reading(const char *file)
{
	return closed(open(file, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int do_open_append(const char *file)
{
	return closed(open(file, O_WRONLY | O_APPEND | O_CLOEXEC));
}

static int do_open_create(const char *file)
{
	return closed(open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
}

static int do_open_excl(const char *file)
{
	return closed(open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}

static int do_open_directory(const char *file)
{
	return closed(open(file, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int do_open_tmpfile(const char *file)
{
	return closed(open(file, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644));
}

static int do_write(const char *file)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = write(fd, "{\"Year\":1999}          \n", 24) < 0 ? errno : 0, end = closed(fd);
	return error ? error : end;
}

static int do_fsync(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = errno_of(fsync(fd)), end = closed(fd);
	return error ? error : end;
}

static int do_seek(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = errno_of(lseek(fd, 0, SEEK_DATA)), end = closed(fd);
	return error ? error : end;
}

static int do_fallocate(const char *file)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = errno_of(fallocate(fd, 0, 0, 4096)), end = closed(fd);
	return error ? error : end;
}

static int do_truncate_nothing(const char *file)
{
	return errno_of(truncate(file, 0));
}

static int do_truncate_some(const char *file)
{
	return errno_of(truncate(file, 3));
}

static int do_truncate_more(const char *file)
{
	return errno_of(truncate(file, 5000));
}

static int do_chmod(const char *file)
{
	return errno_of(chmod(file, 0755));
}

static int do_chown(const char *file)
{
	return errno_of(chown(file, getuid(), getgid()));
}

static int do_utimens(const char *file)
{
	return errno_of(utimensat(AT_FDCWD, file, (struct timespec[]){{1, 2}, {3, 4}}, 0));
}

static int do_utimens_now(const char *file)
{
	return errno_of(utimensat(AT_FDCWD, file, NULL, 0));
}

static int do_unlink(const char *file)
{
	return errno_of(unlink(file));
}

static int do_rmdir(const char *file)
{
	return errno_of(rmdir(file));
}

static int do_mkdir(const char *file)
{
	return errno_of(mkdir(file, 0755));
}

static int do_mknod(const char *file)
{
	return errno_of(mknod(file, S_IFREG | 0644, 0));
}

static int do_mkfifo(const char *file)
{
	return errno_of(mkfifo(file, 0644));
}

static int do_symlink(const char *file)
{
	return errno_of(symlink("x", file));
}

static int do_mkdir_below(const char *file)
{
	return do_mkdir(below(file, "Below"));
}

static int do_create_below(const char *file)
{
	return do_open_create(below(file, "below"));
}

static int do_create_item_below(const char *file)
{
	return do_open_create(below(file, "below.json"));
}

static int do_mknod_below(const char *file)
{
	return do_mknod(below(file, "node.json"));
}

static int do_mkfifo_below(const char *file)
{
	return do_mkfifo(below(file, "fifo"));
}

static int do_symlink_below(const char *file)
{
	return do_symlink(below(file, "link"));
}

static int do_unlink_below(const char *file)
{
	return do_unlink(below(file, "nothing.json"));
}

static int do_rmdir_below(const char *file)
{
	return do_rmdir(below(file, "Nothing"));
}

static int do_rename_below(const char *file)
{
	return errno_of(rename(below(file, "nothing.json"), path("$T/Queen/came.json")));
}

static int do_stat_below(const char *file)
{
	static const char *const names[] = {".schema.json", ".index", ".ge", ".export", "7", "items.csv", ".itemfs", "a%2f", "a.json", "\xff", ".import", ".where", ".scan", "%~plain"};
	struct stat st;
	int last = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int error = errno_of(stat(below(file, names[i]), &st));
		last = error && (!last || error != ENOENT) ? error : last;
	}
	return last;
}

static int do_getxattr(const char *file)
{
	static const char *const names[] = {"user.itemfs.version", "user.itemfs.size", "user.itemfs.key", "user.itemfs.nothing", "user.itemfs.", "user.nothing", "security.capability"};
	char value[256];
	int last = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (getxattr(file, names[i], value, sizeof value) < 0)
			last = last && errno == ENODATA ? last : errno;
	return last;
}

static int do_getxattr_error(const char *file)
{
	char value[1];
	if (getxattr(file, "user.itemfs.error", NULL, 0) < 0 && errno != ENODATA)
		return errno;
	return getxattr(file, "user.itemfs.error", value, sizeof value) < 0 && errno != ERANGE ? errno : 0;
}

static int do_listxattr(const char *file)
{
	char names[256];
	return errno_of(listxattr(file, names, sizeof names));
}

static int do_setxattr(const char *file)
{
	return errno_of(setxattr(file, "user.itemfs.key", "x", 1, 0));
}

static int do_removexattr(const char *file)
{
	return errno_of(removexattr(file, "user.itemfs.version"));
}

static int do_statfs(const char *file)
{
	struct statvfs st;
	return errno_of(statvfs(file, &st));
}

/* Forth and back, with the attributes of what it lists. */
static int do_readdir(const char *file)
{
	DIR *stream = opendir(file);
	struct stat st;
	if (!stream)
		return errno;
	long middle = 0;
	unsigned count = 0;
	errno = 0;
	for (struct dirent *entry; (entry = readdir(stream));) {
		(void)fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
		if (++count == 3)
			middle = telldir(stream);
		errno = 0;
	}
	int error = errno;
	seekdir(stream, middle);
	(void)readdir(stream);
	rewinddir(stream);
	(void)readdir(stream);
	(void)fsync(dirfd(stream));
	closedir(stream);
	return error;
}

static int do_copy_from(const char *file)
{
	int from = open(file, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return errno;
	int to = open(path("$O/copy"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), error = 0;
	if (copy_file_range(from, NULL, to, NULL, 4096, 0) < 0)
		error = errno;
	close(to);
	close(from);
	return error;
}

static int do_copy_to(const char *file)
{
	int to = open(file, O_WRONLY | O_CLOEXEC);
	if (to < 0)
		return errno;
	int from = open(path("$T/Queen/good"), O_RDONLY | O_CLOEXEC), error = 0;
	if (from < 0 || copy_file_range(from, NULL, to, NULL, 4096, 0) < 0)
		error = errno;
	int end = closed(to);
	close(from);
	return error ? error : end;
}

static int do_link_from(const char *file)
{
	return errno_of(link(file, path("$T/Queen/linked")));
}

static int do_link_to(const char *file)
{
	return errno_of(link(path("$T/Queen/good"), file));
}

enum { SOME = 16 };

static const struct operation {
	const char *name;
	int (*run)(const char *file);
	bool changes; /* where it goes well, what is there is not what it was */
	int errnos[SOME];
} operations[] = {
    {"stat", do_stat, false, {ENOENT}},
    {"stat below", do_stat_below, false, {ENOENT, ENOTDIR, EINVAL, EILSEQ}},
    {"access", do_access, false, {ENOENT, EACCES}},
    {"read", do_read, false, {ENOENT, EISDIR}},
    {"readdir", do_readdir, false, {ENOENT, ENOTDIR}},
    {"getxattr", do_getxattr, false, {ENOENT, ENODATA, EOPNOTSUPP}},
    {"getxattr of the error", do_getxattr_error, false, {ENOENT, ENODATA}},
    {"listxattr", do_listxattr, false, {ENOENT}},
    {"statfs", do_statfs, false, {ENOENT}},
    {"fsync", do_fsync, false, {ENOENT}},
    {"lseek", do_seek, false, {ENOENT, EINVAL, ENXIO}},
    {"open a directory", do_open_directory, false, {ENOENT, ENOTDIR}},
    {"copy from", do_copy_from, false, {ENOENT, EISDIR, EOPNOTSUPP, EXDEV}},
    {"setxattr", do_setxattr, false, {ENOENT, EOPNOTSUPP}},
    {"removexattr", do_removexattr, false, {ENOENT, EOPNOTSUPP}},
    {"open to write", do_open_write, false, {ENOENT, EISDIR, EROFS, EBADMSG /* of an import that was refused */}},
    {"open to read and write", do_open_both, false, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"open to append", do_open_append, false, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"open O_CREAT", do_open_create, true, {ENOENT, EISDIR, EROFS, EPERM, EINVAL, EBADMSG}},
    {"open O_EXCL", do_open_excl, true, {ENOENT, EEXIST, EISDIR, EROFS, EPERM, EINVAL, EBADMSG}},
    {"open O_TMPFILE", do_open_tmpfile, false, {ENOENT, ENOTDIR, EOPNOTSUPP}},
    {"fallocate", do_fallocate, false, {ENOENT, EISDIR, EROFS, EOPNOTSUPP}},
    {"open O_TRUNC", do_open_truncate, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"open O_RDONLY|O_TRUNC", do_open_truncate_reading, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"write", do_write, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"copy to", do_copy_to, true, {ENOENT, EISDIR, EROFS, EBADMSG, EINVAL /* onto itself */, EOPNOTSUPP, EXDEV}},
    {"truncate to nothing", do_truncate_nothing, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"truncate to less", do_truncate_some, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"truncate to more", do_truncate_more, true, {ENOENT, EISDIR, EROFS, EBADMSG}},
    {"chmod", do_chmod, false, {ENOENT, EROFS, EPERM}},
    {"chown", do_chown, false, {ENOENT, EROFS, EPERM}},
    {"utimens", do_utimens, false, {ENOENT, EROFS, EPERM}},
    {"utimens now", do_utimens_now, false, {ENOENT, EROFS, EPERM}},
    {"mkdir", do_mkdir, true, {ENOENT, EEXIST, EROFS, EPERM, EINVAL}},
    {"mknod", do_mknod, true, {ENOENT, EEXIST, EROFS, EPERM, EINVAL, EBADMSG}},
    {"mkfifo", do_mkfifo, true, {ENOENT, EEXIST, EROFS, EPERM}},
    {"symlink", do_symlink, true, {ENOENT, EEXIST, EROFS, EPERM}},
    {"link from", do_link_from, true, {ENOENT, EROFS, EPERM}},
    {"link to", do_link_to, true, {ENOENT, EEXIST, EROFS, EPERM}},
    /* Below an operator any name may be there: an operand, and so a directory. */
    {"unlink below", do_unlink_below, false, {ENOENT, ENOTDIR, EROFS, EISDIR, EINVAL}},
    {"rmdir below", do_rmdir_below, false, {ENOENT, ENOTDIR, EROFS, EINVAL}},
    {"rename from below", do_rename_below, false, {ENOENT, ENOTDIR, EROFS, EINVAL}},
    {"mkdir below", do_mkdir_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EEXIST}},
    {"create below", do_create_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EISDIR}},
    {"create an item below", do_create_item_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EISDIR, EBADMSG}},
    {"mknod below", do_mknod_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EEXIST, EBADMSG}},
    {"mkfifo below", do_mkfifo_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EEXIST}},
    {"symlink below", do_symlink_below, true, {ENOENT, ENOTDIR, EROFS, EPERM, EINVAL, EEXIST}},
    {"unlink", do_unlink, true, {ENOENT, EISDIR, EROFS, EPERM}},
    {"rmdir", do_rmdir, true, {ENOENT, ENOTDIR, ENOTEMPTY, EBUSY, EROFS, EPERM}},
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

static bool is_stated(const int *errnos, int error)
{
	for (int i = 0; i < SOME && errnos[i]; i++)
		if (errnos[i] == error)
			return true;
	return !error || (error == EACCES && geteuid()); /* root may all */
}

/* ---- somebody who has it open ---- */

enum with { NOBODY, READER, WRITER, WITHS };
static const char *const with_names[WITHS] = {"nobody there", "somebody reading", "somebody writing"};

static int open_with(const struct subject *subject, enum with with)
{
	bool directory = subject->is & DIRECTORY;
	if (with == NOBODY || (with == WRITER && (directory || subject->is & FIXED)))
		return -1;
	int fd = open(path(subject->path), with == WRITER ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
	char bytes[2048];
	if (fd >= 0 && directory)
		(void)getdents64(fd, bytes, 256);
	else if (fd >= 0 && (subject->path[1] != 'T' || with == WRITER)) /* some have read, some have not */
		(void)pread(fd, bytes, 5, 0);
	return fd;
}

/* Whatever was done to it, the handle answers. */
static void use(int fd, const char *done)
{
	static const int fine[SOME] = {ESTALE, EISDIR, ENOTDIR, EBADF, EINVAL, EROFS, EPERM, EBADMSG, ENXIO, ENOENT, ENODATA, EOPNOTSUPP, EXDEV};
	char bytes[4096];
	struct stat st;
	struct statvfs fs;
	bool writes = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
	const struct {
		const char *name;
		int error;
	} got[] = {
	    {"fstat", errno_of(fstat(fd, &st))},
	    {"pread", errno_of(pread(fd, bytes, sizeof bytes, 0))},
	    {"pread behind", errno_of(pread(fd, bytes, sizeof bytes, 7))},
	    {"getdents", errno_of(getdents64(fd, bytes, sizeof bytes))},
	    {"lseek", errno_of(lseek(fd, 0, SEEK_SET))},
	    {"getdents again", errno_of(getdents64(fd, bytes, sizeof bytes))},
	    {"lseek to data", errno_of(lseek(fd, 0, SEEK_DATA))},
	    {"fgetxattr", errno_of(fgetxattr(fd, "user.itemfs.version", bytes, sizeof bytes))},
	    {"fgetxattr of the error", errno_of(fgetxattr(fd, "user.itemfs.error", bytes, sizeof bytes))},
	    {"fstatvfs", errno_of(fstatvfs(fd, &fs))},
	    {"fchmod", errno_of(fchmod(fd, 0755))},
	    {"futimens", errno_of(futimens(fd, NULL))},
	    {"pwrite", writes ? errno_of(pwrite(fd, "{\"Year\":1}", 10, 0)) : 0},
	    {"ftruncate", writes ? errno_of(ftruncate(fd, 10)) : 0},
	    {"fsync", errno_of(fsync(fd))},
	    {"ftruncate to nothing", writes ? errno_of(ftruncate(fd, 0)) : 0},
	    {"fstat", errno_of(fstat(fd, &st))},
	    {"pread", errno_of(pread(fd, bytes, sizeof bytes, 0))},
	    {"close", errno_of(close(fd))},
	};
	for (size_t i = 0; i < sizeof got / sizeof *got; i++)
		cr_assert(is_stated(fine, got[i].error), "%s after %s gives %s", got[i].name, done, strerrorname_np(got[i].error));
}

Test(kinds, each_operation_on_each_kind_is_answered)
{
	make();
	for (unsigned i = 0; i < SUBJECTS; i++) {
		const struct subject *subject = &subjects[i];
		for (enum with with = NOBODY; with < WITHS; with++) {
			bool changed = false;
			for (unsigned j = 0; j < OPERATIONS; j++) {
				const struct operation *operation = &operations[j];
				if (changed && !!number_of(subject) != !(subject->is & ABSENT)) {
					make();
					changed = false;
				}
				int fd = open_with(subject, with);
				if (with != NOBODY && fd < 0)
					break;
				char done[3000];
				int error = operation->run(path(subject->path));
				snprintf(done, sizeof done, "%s of %s with %s: %s", operation->name, path(subject->path), with_names[with], strerrorname_np(error));
				cr_expect(is_stated(operation->errnos, error), "%s", done);
				if (operation->changes && subject->is & FIXED)
					cr_expect(error, "%s", done);
				if (fd >= 0)
					use(fd, done);
				changed |= (!error && operation->changes) || with == WRITER;
			}
			if (changed)
				make();
			else
				expect_kept(subject->path);
		}
	}
}

/* ---- renames from everything to everything ---- */

static const unsigned ways[] = {0, RENAME_NOREPLACE, RENAME_EXCHANGE};
static const char *const way_names[] = {"rename", "rename NOREPLACE", "rename EXCHANGE"};

static bool all(void)
{
	const char *which = getenv("ITEMFS_KINDS");
	return which && strcmp(which, "all") == 0;
}

static bool waits(const struct subject *subject)
{
	return strstr(subject->path, "aits") || strcmp(subject->path, "$O/.schema.json") == 0;
}

/* Whether all is as it was made, of these two. */
static bool stands(unsigned from, unsigned to)
{
	return number_of(&subjects[from]) == numbers[from] && number_of(&subjects[to]) == numbers[to];
}

/* So that not everything has to be made anew. */
static bool undo(unsigned from, unsigned to, unsigned way)
{
	if (waits(&subjects[from]) || waits(&subjects[to]) || (way != 2 && numbers[to]))
		return false;
	return renameat2(AT_FDCWD, path(subjects[to].path), AT_FDCWD, path(subjects[from].path), ways[way]) == 0 && stands(from, to);
}

/* False: it has to be made anew. */
static bool rename_one(unsigned from, unsigned to, unsigned way, enum with with)
{
	static const int fine[SOME] = {ENOENT, EEXIST, ENOTEMPTY, ENOTDIR, EISDIR, EINVAL, EPERM, EROFS, EXDEV, EBUSY, EBADMSG};
	const struct subject *source = &subjects[from], *target = &subjects[to];
	char done[6000];
	int one = open_with(source, with), other = open_with(target, with);
	int error = errno_of(renameat2(AT_FDCWD, path(source->path), AT_FDCWD, path(target->path), ways[way]));
	snprintf(done, sizeof done, "%s %s -> %s with %s: %s", way_names[way], path(source->path), path(target->path), with_names[with], strerrorname_np(error));
	cr_expect(is_stated(fine, error), "%s", done);
	cr_expect(error || from == to || !((source->is | target->is) & FIXED), "%s", done);
	bool clean = with != WRITER || (one < 0 && other < 0);
	if (error)
		cr_expect(stands(from, to), "%s changed something", done);
	if (one >= 0)
		use(one, done);
	if (other >= 0)
		use(other, done);
	return clean && (error || from == to || undo(from, to, way));
}

Test(kinds, each_kind_is_renamed_to_each_kind_or_refused)
{
	make();
	note_numbers();
	for (unsigned i = 0; i < SUBJECTS; i++) {
		for (unsigned j = 0; j < SUBJECTS; j++)
			for (unsigned k = 0; k < WITHS * 3; k++) {
				enum with with = k / 3;
				bool fixed = (subjects[i].is | subjects[j].is) & FIXED;
				unsigned turn = with == WRITER ? (i + j) % 30 : (i * 5 + j) % 12; /* half of all pairs in one way each, and some with a writer */
				if (!all() && (with == WRITER ? fixed || turn != k - 6 : turn != k))
					continue;
				if (!rename_one(i, j, k % 3, with)) {
					make();
					note_numbers();
				}
			}
		expect_kept(subjects[i].path);
	}
}
