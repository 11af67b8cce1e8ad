/* repair_place: what a repair does to the volume's directory: the place damaged-N beside `db`, and how the new store in it becomes `db`.
 *
 * While a repair works there is damaged-N/new, in the end beside damaged-N/db. Where the file system cannot exchange two names, there is a moment in
 * which the volume has no `db`. Nothing takes it for an empty volume then, because damaged-N is there, and whoever comes next (a mount, another
 * repair) finishes what was cut short: the new store was whole and checked before any name changed.
 */
#include "index/repair_private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PLACES_MAX = 1000 };

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool repair_is_there(const char *directory, const char *name)
{
	char path[PATH_MAX + 32];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return lstat(path, &st) == 0;
}

void repair_clear_place(const char *path, const char *place, bool all)
{
	static const char *const made[] = {"engine", "new", "lost", "report.txt"};
	char name[PATH_MAX + 16];
	if (!repair_is_there(path, "db")) /* cut short between two names: both are needed (repair_resume) */
		return;
	for (size_t i = 0; i < (all ? 4 : 1); i++) {
		snprintf(name, sizeof name, "%s/%s", place, made[i]);
		remove_tree(name);
	}
	if (all)
		rmdir(place);
}

enum rc repair_failed(struct why *why, const char *what)
{
	return why_set(why, errno == ENOSPC || errno == EDQUOT ? RC_NO_SPACE : errno == ENOENT ? RC_NOT_FOUND : RC_IO, "%s: %s", what, strerror(errno));
}

static enum rc bytes_in(const char *path, uint64_t *ret_bytes, struct why *why)
{
	DIR *dir = opendir(path);
	struct stat st;
	if (!dir)
		return repair_failed(why, path);
	for (struct dirent *e; (e = readdir(dir));)
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			*ret_bytes += (uint64_t)st.st_size;
	closedir(dir);
	return RC_OK;
}

enum rc repair_room(const char *path, const char *db, unsigned stores, struct why *why)
{
	uint64_t bytes = 0;
	struct statvfs disk;
	enum rc rc = bytes_in(db, &bytes, why);
	if (rc || statvfs(path, &disk) != 0)
		return rc;
	bytes *= stores;
	uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize, mib = 1 << 20;
	if (free_bytes < bytes)
		return why_set(why, RC_NO_SPACE,
			       "%s: the damaged store is kept as it is, so a repair needs %llu MiB more on this disk, and %llu are free: nothing was changed", path,
			       (unsigned long long)((bytes + mib - 1) / mib), (unsigned long long)(free_bytes / mib));
	return RC_OK;
}

enum rc repair_make_place(const char *path, struct repair_report *report, struct why *why)
{
	for (int n = 1; n < PLACES_MAX; n++) {
		snprintf(report->place, sizeof report->place, "%s/damaged-%d", path, n);
		if (mkdir(report->place, 0700) == 0)
			return RC_OK;
		if (errno != EEXIST)
			return repair_failed(why, report->place);
	}
	return why_set(why, RC_IO, "%s: there are too many directories damaged-N: remove those that are not needed any more", path);
}

static void sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static void sync_all(const char *path, const char *place)
{
	char lost[PATH_MAX + 16];
	snprintf(lost, sizeof lost, "%s/lost", place);
	sync_directory(lost);
	sync_directory(place);
	sync_directory(path);
}

enum rc repair_exchange(const char *path, const char *place, struct why *why)
{
	char db[PATH_MAX + 16], new[PATH_MAX + 16], old[PATH_MAX + 16];
	snprintf(db, sizeof db, "%s/db", path);
	snprintf(new, sizeof new, "%s/new", place);
	snprintf(old, sizeof old, "%s/db", place);
	if (renameat2(AT_FDCWD, new, AT_FDCWD, db, RENAME_EXCHANGE) == 0) {
		sync_directory(path);
		rename(new, old); /* the name alone: under either it is what was damaged */
	} else {
		sync_all(path, place); /* what repair_resume() goes by */
		if (rename(db, old) != 0)
			return repair_failed(why, db);
		if (rename(new, db) != 0) {
			enum rc rc = repair_failed(why, db);
			if (rename(old, db) != 0)
				why_set(why, rc, "%s: %s: the repaired store is ready in %s, and the next mount or repair puts it in its place", db, strerror(errno), new);
			return rc;
		}
	}
	sync_all(path, place);
	return RC_OK;
}

/* ---- one that was cut short ---- */

/* A place that has both stores, while the volume has none: only the moment between two names is like that. */
static bool find_cut_short(const char *path, char ret_place[PATH_MAX + 16])
{
	if (repair_is_there(path, "db"))
		return false;
	for (int n = 1; n < PLACES_MAX; n++) {
		snprintf(ret_place, PATH_MAX + 16, "%s/damaged-%d", path, n);
		if (repair_is_there(ret_place, "db") && repair_is_there(ret_place, "new"))
			return true;
	}
	return false;
}

bool repair_was_cut_short(const char *path)
{
	char place[PATH_MAX + 16];
	return find_cut_short(path, place);
}

enum rc repair_resume(const char *path, struct why *why)
{
	char place[PATH_MAX + 16], new[PATH_MAX + 32], db[PATH_MAX + 16];
	if (!find_cut_short(path, place))
		return RC_OK;
	snprintf(new, sizeof new, "%s/new", place);
	snprintf(db, sizeof db, "%s/db", path);
	if (rename(new, db) != 0)
		return repair_failed(why, db);
	sync_all(path, place);
	return RC_OK;
}
