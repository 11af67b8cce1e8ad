/* Every operation on every kind of node (fs/node.h), alone and while somebody has it open, and renames from every kind to every kind: the daemon
 * lives and answers, with an errno that says something, and what was refused has changed nothing. ITEMFS_KINDS=all: all pairs, each way of renaming,
 * with nobody and with somebody there. */
#include "tests/mount/harness.h"
#include "tests/mount/operations.h"
#include "tests/mount/subjects.h"
#include <dirent.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

TestSuite(kinds, .init = subjects_setup, .fini = subjects_teardown, .timeout = 3600);

/* ---- somebody who has it open ---- */

enum with { NOBODY, READER, WRITER, WITHS };
static const char *const with_names[WITHS] = {"nobody there", "somebody reading", "somebody writing"};

static int open_with(const struct subject *subject, enum with with)
{
	bool directory = subject->is & DIRECTORY;
	if (with == NOBODY || (with == WRITER && (directory || subject->is & FIXED)))
		return -1;
	int fd = open(subject_path(subject->path), with == WRITER ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
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
	static const int fine[STATED] = {ESTALE, EISDIR, ENOTDIR, EBADF, EINVAL, EROFS, EPERM, EBADMSG, ENXIO, ENOENT, ENODATA, EOPNOTSUPP, EXDEV};
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
	subjects_make();
	for (unsigned i = 0; i < subjects_n; i++) {
		const struct subject *subject = &subjects[i];
		for (enum with with = NOBODY; with < WITHS; with++) {
			bool changed = false;
			for (unsigned j = 0; j < operations_n; j++) {
				const struct operation *operation = &operations[j];
				if (changed && !!subject_number(subject) != !(subject->is & ABSENT)) {
					subjects_make();
					changed = false;
				}
				int fd = open_with(subject, with);
				if (with != NOBODY && fd < 0)
					break;
				char done[3000];
				int error = operation->run(subject_path(subject->path));
				snprintf(done, sizeof done, "%s of %s with %s: %s", operation->name, subject_path(subject->path), with_names[with], strerrorname_np(error));
				cr_expect(is_stated(operation->errnos, error), "%s", done);
				if (operation->changes && subject->is & FIXED)
					cr_expect(error, "%s", done);
				if (fd >= 0)
					use(fd, done);
				changed |= (!error && operation->changes) || with == WRITER;
			}
			if (changed)
				subjects_make();
			else
				subjects_expect_kept(subject->path);
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

static bool both_stand(unsigned from, unsigned to)
{
	return subject_stands(from) && subject_stands(to);
}

/* So that not everything has to be made anew. */
static bool undo(unsigned from, unsigned to, unsigned way)
{
	if (waits(&subjects[from]) || waits(&subjects[to]) || (way != 2 && !(subjects[to].is & ABSENT)))
		return false;
	return renameat2(AT_FDCWD, subject_path(subjects[to].path), AT_FDCWD, subject_path(subjects[from].path), ways[way]) == 0 && both_stand(from, to);
}

/* False: it has to be made anew. */
static bool rename_one(unsigned from, unsigned to, unsigned way, enum with with)
{
	static const int fine[STATED] = {ENOENT, EEXIST, ENOTEMPTY, ENOTDIR, EISDIR, EINVAL, EPERM, EROFS, EXDEV, EBUSY, EBADMSG};
	const struct subject *source = &subjects[from], *target = &subjects[to];
	char done[6000];
	int one = open_with(source, with), other = open_with(target, with);
	int error = errno_of(renameat2(AT_FDCWD, subject_path(source->path), AT_FDCWD, subject_path(target->path), ways[way]));
	snprintf(done, sizeof done, "%s %s -> %s with %s: %s", way_names[way], subject_path(source->path), subject_path(target->path), with_names[with], strerrorname_np(error));
	cr_expect(is_stated(fine, error), "%s", done);
	cr_expect(error || from == to || !((source->is | target->is) & FIXED), "%s", done);
	bool clean = with != WRITER || (one < 0 && other < 0);
	if (error)
		cr_expect(both_stand(from, to), "%s changed something", done);
	if (one >= 0)
		use(one, done);
	if (other >= 0)
		use(other, done);
	return clean && (error || from == to || undo(from, to, way));
}

Test(kinds, each_kind_is_renamed_to_each_kind_or_refused)
{
	subjects_make();
	subjects_note();
	for (unsigned i = 0; i < subjects_n; i++) {
		for (unsigned j = 0; j < subjects_n; j++)
			for (unsigned k = 0; k < WITHS * 3; k++) {
				enum with with = k / 3;
				bool fixed = (subjects[i].is | subjects[j].is) & FIXED;
				unsigned turn = with == WRITER ? (i + j) % 30 : (i * 5 + j) % 12; /* half of all pairs in one way each, and some with a writer */
				if (!all() && (with == WRITER ? fixed || turn != k - 6 : turn != k))
					continue;
				if (!rename_one(i, j, k % 3, with)) {
					subjects_make();
					subjects_note();
				}
			}
		subjects_expect_kept(subjects[i].path);
	}
}
