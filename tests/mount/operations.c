/* operations: see operations.h. */
#include "tests/mount/operations.h"
#include "tests/mount/harness.h"
#include "tests/mount/subjects.h"
#include <dirent.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

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
	return errno_of(rename(below(file, "nothing.json"), subject_path("$T/Queen/came.json")));
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
	int to = open(subject_path("$O/copy"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), error = 0;
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
	int from = open(subject_path("$T/Queen/good"), O_RDONLY | O_CLOEXEC), error = 0;
	if (from < 0 || copy_file_range(from, NULL, to, NULL, 4096, 0) < 0)
		error = errno;
	int end = closed(to);
	close(from);
	return error ? error : end;
}

static int do_link_from(const char *file)
{
	return errno_of(link(file, subject_path("$T/Queen/linked")));
}

static int do_link_to(const char *file)
{
	return errno_of(link(subject_path("$T/Queen/good"), file));
}

const struct operation operations[] = {
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

const unsigned operations_n = sizeof operations / sizeof *operations;

bool is_stated(const int *errnos, int error)
{
	for (int i = 0; i < STATED && errnos[i]; i++)
		if (errnos[i] == error)
			return true;
	return !error || (error == EACCES && geteuid()); /* root may all */
}
