/* repair: see repair.h. Here is what is done to the volume's directory; the rows are repair_rows.c and repair_table.c. */
#include "index/repair_private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BATCH_BYTES = 1 << 20, PLACES_MAX = 1000 };

void repair_say(struct repair *r, const char *format, ...)
{
	FILE *to[] = {r->out, r->report};
	for (size_t i = 0; i < 2; i++) {
		va_list args;
		va_start(args, format);
		vfprintf(to[i], format, args);
		va_end(args);
		fputc('\n', to[i]);
	}
	r->said++;
}

static enum rc write_lost(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "wxe");
	if (!file)
		return errno == ENOSPC ? RC_NO_SPACE : RC_IO;
	bool written = fwrite(bytes, 1, n, file) == n;
	bool synced = fflush(file) == 0 && fsync(fileno(file)) == 0;
	int error = errno;
	bool closed = fclose(file) == 0;
	return written && synced && closed ? RC_OK : error == ENOSPC ? RC_NO_SPACE : RC_IO;
}

enum rc repair_keep(struct repair *r, const char *whose, const char *words, const void *bytes, size_t n)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/lost", r->place);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/lost/%06lu", r->place, r->lost + 1);
	enum rc rc = write_lost(path, n ? bytes : "", n);
	if (rc)
		return rc;
	r->lost++;
	repair_say(r, "%s: %s: kept as lost/%06lu", whose, words, r->lost);
	return RC_OK;
}

enum rc repair_flush(struct repair *r)
{
	enum rc rc = r->batched ? store_write(r->to.store, r->batch, false) : RC_OK;
	store_batch_clear(r->batch);
	r->batched = 0;
	return rc;
}

enum rc repair_put(struct repair *r, const struct buf *key, const void *value, size_t n)
{
	if (key->failed || !key->len)
		return RC_NO_MEMORY;
	store_batch_put(r->batch, key->data, key->len, value, n);
	r->batched += key->len + n + 1;
	return r->batched >= BATCH_BYTES ? repair_flush(r) : RC_OK;
}

enum rc repair_put_image(struct repair *r, const struct buf *row, const struct head *head, const void *document)
{
	cleanup_buf struct buf value = {0}, body = {0};
	head_write(&value, head, document);
	enum rc rc = value.failed ? RC_NO_MEMORY : repair_put(r, row, value.data, value.len);
	if (rc || head->size <= ROW_INLINE_MAX)
		return rc;
	buf_add(&body, row->data, row->len);
	if (!body.failed) /* a draft's head is 'R', its bytes 'S': as for the others, the next letter; an item's are 'B' */
		body.data[4] = body.data[4] == 'H' ? 'B' : (uint8_t)(body.data[4] + 1);
	return repair_put(r, &body, document, head->size);
}

void repair_saw(struct repair *r, uint64_t sequence)
{
	if (sequence > r->sequence && sequence < UINT64_MAX / 2)
		r->sequence = sequence;
}

/* ---- the directory ---- */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What a repair has made in its place; with `all` also what is kept where it went well. Never `db`: that is the volume's. */
static void clear_place(const char *place, bool all)
{
	static const char *const made[] = {"engine", "new", "lost", "report.txt"};
	char path[PATH_MAX + 16];
	for (size_t i = 0; i < (all ? 4 : 1); i++) {
		snprintf(path, sizeof path, "%s/%s", place, made[i]);
		remove_tree(path);
	}
	if (all)
		rmdir(place);
}

static enum rc fail(struct why *why, const char *what)
{
	return why_set(why, errno == ENOSPC || errno == EDQUOT ? RC_NO_SPACE : errno == ENOENT ? RC_NOT_FOUND : RC_IO, "%s: %s", what, strerror(errno));
}

static enum rc bytes_in(const char *path, uint64_t *ret_bytes, struct why *why)
{
	DIR *dir = opendir(path);
	struct stat st;
	if (!dir)
		return fail(why, path);
	for (struct dirent *e; (e = readdir(dir));)
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			*ret_bytes += (uint64_t)st.st_size;
	closedir(dir);
	return RC_OK;
}

/* A second store will lie beside the first for good, and LevelDB's own repair writes the logs as tables. */
static enum rc enough_room(const char *path, const char *db, struct why *why)
{
	uint64_t bytes = 0;
	struct statvfs disk;
	enum rc rc = bytes_in(db, &bytes, why);
	if (rc || statvfs(path, &disk) != 0)
		return rc;
	uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize, mib = 1 << 20;
	if (free_bytes < bytes)
		return why_set(why, RC_NO_SPACE,
			       "%s: the damaged store is kept as it is, so a repair needs %llu MiB more on this disk, and %llu are free: nothing was changed", path,
			       (unsigned long long)((bytes + mib - 1) / mib), (unsigned long long)(free_bytes / mib));
	return RC_OK;
}

static enum rc make_place(const char *path, struct repair_report *report, struct why *why)
{
	for (int n = 1; n < PLACES_MAX; n++) {
		snprintf(report->place, sizeof report->place, "%s/damaged-%d", path, n);
		if (mkdir(report->place, 0700) == 0)
			return RC_OK;
		if (errno != EEXIST)
			return fail(why, report->place);
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

/* The new store takes the place of the damaged one. Where the file system cannot exchange names there is a moment with neither, and after a crash in it the new one is to be moved by
 * hand: nothing takes a volume without a store for an empty one, as damaged-N is there. */
static enum rc exchange(const char *path, const char *db, const char *place, struct why *why)
{
	char new[PATH_MAX + 16], old[PATH_MAX + 16];
	snprintf(new, sizeof new, "%s/new", place);
	snprintf(old, sizeof old, "%s/db", place);
	bool exchanged = renameat2(AT_FDCWD, new, AT_FDCWD, db, RENAME_EXCHANGE) == 0;
	if (exchanged) {
		sync_directory(path);
		rename(new, old); /* the name alone: under either it is what was damaged */
	} else if (rename(db, old) != 0) {
		return fail(why, db);
	} else if (rename(new, db) != 0) {
		enum rc rc = fail(why, db);
		rename(old, db);
		return rc;
	}
	snprintf(old, sizeof old, "%s/lost", place);
	sync_directory(old);
	sync_directory(place);
	sync_directory(path);
	return RC_OK;
}

/* ---- the stores ---- */

static enum rc reads_whole(struct store *store)
{
	struct store_cursor *cursor = NULL;
	enum rc rc = store_cursor_open(store, NULL, "", 0, NULL, 0, &cursor);
	while (!rc)
		rc = store_cursor_next(cursor);
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The store to read from: the volume's own where all of it can be read (only what its rows say is wrong, then), and otherwise what can be had of it. */
static enum rc open_source(struct repair *r, const char *db, struct why *why)
{
	char engine[PATH_MAX + 16];
	struct store_options options = {.create = false};
	enum rc rc = store_open(db, &options, &r->from.store, why);
	if (!rc)
		rc = reads_whole(r->from.store);
	if (!rc || rc == RC_NO_MEMORY || rc == RC_BUSY || rc == RC_FORBIDDEN)
		return rc;
	store_close(r->from.store);
	r->from.store = NULL;
	snprintf(engine, sizeof engine, "%s/engine", r->place);
	repair_say(r, "the store cannot be read as a whole: what can be is copied");
	rc = store_salvage(db, engine, r->report, why);
	return rc ? rc : store_open(engine, &options, &r->from.store, why);
}

static enum rc prove(struct repair *r, struct why *why)
{
	struct volume volume = {.store = r->to.store};
	unsigned long problems = 0;
	enum rc rc = check_volume(&volume, r->report, false, &problems);
	if (!rc && problems)
		rc = why_set(why, RC_CORRUPT, "what was repaired does not pass the check: %lu problem%s", problems, problems == 1 ? "" : "s");
	return rc;
}

/* Makes the new store; both are closed when it returns. */
static enum rc make_new(struct repair *r, const char *db, struct why *why)
{
	char new[PATH_MAX + 16];
	struct store_options options = {.create = true};
	snprintf(new, sizeof new, "%s/new", r->place);
	enum rc rc = open_source(r, db, why);
	if (!rc)
		rc = store_open(new, &options, &r->to.store, why);
	if (!rc)
		rc = store_batch_new(r->to.store, &r->batch);
	if (!rc)
		rc = repair_rows(r, why);
	if (!rc)
		rc = repair_flush(r);
	if (!rc)
		rc = prove(r, why);
	if (!rc)
		rc = store_sync(r->to.store);
	store_batch_free(r->batch);
	store_close(r->to.store);
	store_close(r->from.store);
	free(r->from.tables);
	return rc;
}

static enum rc repair_in_place(const char *path, FILE *out, struct repair_report *report, struct why *why)
{
	char db[PATH_MAX + 16], name[PATH_MAX + 16];
	struct repair r = {.out = out, .place = report->place, .next_table = 1, .next_refusal = 1};
	snprintf(db, sizeof db, "%s/db", path);
	snprintf(name, sizeof name, "%s/report.txt", report->place);
	r.from.out = r.to.out = r.report = fopen(name, "we");
	if (!r.report)
		return fail(why, name);
	enum rc rc = make_new(&r, db, why);
	bool written = fflush(r.report) == 0 && fsync(fileno(r.report)) == 0;
	written &= fclose(r.report) == 0;
	if (!rc && !written)
		rc = fail(why, name);
	if (!rc)
		rc = exchange(path, db, report->place, why);
	report->lost = r.lost;
	report->said = r.said;
	return rc;
}

enum rc repair_volume(const char *path, FILE *out, struct repair_report *ret_report, struct why *why)
{
	char db[PATH_MAX + 16];
	int lock = -1;
	*ret_report = (struct repair_report){.place = ""};
	if (strlen(path) + sizeof "/damaged-999" > PATH_MAX)
		return why_set(why, RC_INVALID, "the path is too long");
	snprintf(db, sizeof db, "%s/db", path);
	struct stat st;
	if (stat(db, &st) != 0)
		return why_set(why, RC_NOT_FOUND, "%s holds no itemfs volume", path);
	enum rc rc = volume_lock(path, "fsck.itemfs --repair", &lock, why);
	if (!rc)
		rc = enough_room(path, db, why);
	if (!rc)
		rc = make_place(path, ret_report, why);
	if (!rc) {
		rc = repair_in_place(path, out, ret_report, why);
		clear_place(ret_report->place, rc);
	}
	if (lock >= 0)
		close(lock);
	return rc;
}
