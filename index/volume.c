/* volume: see volume.h. Opening order: lock, store, volume row, catalogue, refusals, worker; closing undoes it. */
#include "index/volume.h"
#include "index/private.h"
#include "index/repair.h"
#include "index/worker.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t clock_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t volume_sequence(const struct volume *volume)
{
	return __atomic_load_n(&volume->written, __ATOMIC_ACQUIRE);
}

uint64_t volume_seen(const struct volume *volume)
{
	return __atomic_load_n(&volume->begun, __ATOMIC_ACQUIRE);
}

bool volume_stands(const struct volume *volume, uint64_t sequence)
{
	return volume_seen(volume) == sequence;
}

const char *volume_path(const struct volume *volume)
{
	return volume->path;
}

enum rc volume_sync(struct volume *volume)
{
	return store_sync(volume->store);
}

enum rc view_open(struct volume *volume, struct view **ret_view)
{
	struct view *view = calloc(1, sizeof *view);
	if (!view)
		return RC_NO_MEMORY;
	view->volume = volume;
	view->written = __atomic_load_n(&volume->written, __ATOMIC_ACQUIRE);
	enum rc rc = store_snapshot_take(volume->store, &view->snapshot);
	if (rc) {
		free(view);
		return rc;
	}
	view->exact = volume_stands(volume, view->written);
	*ret_view = view;
	return RC_OK;
}

bool view_is_current(const struct view *view)
{
	return view->frozen || volume_stands(view->volume, view->written);
}

void view_close(struct view *view)
{
	if (!view)
		return;
	store_snapshot_release(view->volume->store, view->snapshot);
	free(view);
}

static enum rc read_root(const struct buf *value, struct meta *ret_meta)
{
	struct row_reader reader = {value->data, value->data + value->len, false};
	row_read_meta(&reader, ret_meta);
	return reader.bad || reader.at != reader.end ? RC_CORRUPT : RC_OK;
}

enum rc volume_root(struct volume *volume, const struct view *view, struct meta *ret_meta)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_root(&row);
	enum rc rc = store_get(volume->store, view_snapshot(view), row.data, row.len, &value);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	return read_root(&value, ret_meta);
}

struct root_change {
	const struct meta_change *change; /* NULL: a name came or went */
};

static enum rc root_commit(struct txn *txn, void *context)
{
	const struct root_change *c = context;
	cleanup_buf struct buf row = {0}, value = {0};
	struct meta meta;
	row_root(&row);
	enum rc rc = txn_get(txn, &row, &value);
	if (!rc)
		rc = read_root(&value, &meta);
	if (rc)
		return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
	if (c->change)
		meta_apply(&meta, c->change, txn_now(txn));
	else
		meta.mtime = meta.ctime = txn_now(txn);
	buf_clear(&value);
	row_add_meta(&value, &meta);
	txn_put(txn, &row, &value);
	return RC_OK;
}

enum rc root_touch(struct txn *txn)
{
	struct root_change none = {NULL};
	return root_commit(txn, &none);
}

enum rc volume_set_root(struct volume *volume, const struct meta_change *change)
{
	struct root_change root = {change};
	return commit_run(volume, root_commit, &root, 0);
}

static enum rc rc_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return RC_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return RC_FORBIDDEN;
	case ENOSPC:
	case EDQUOT:
		return RC_NO_SPACE;
	case ENOMEM:
		return RC_NO_MEMORY;
	default:
		return RC_IO;
	}
}

/* Whether the directory holds a volume, nothing, or somebody else's files: those are left alone. */
static enum rc look_at(const char *path, bool *ret_volume, struct why *why)
{
	DIR *dir = opendir(path);
	if (!dir)
		return why_set(why, rc_of_errno(errno), "%s: %s", path, strerror(errno));
	bool foreign = false, ours = false;
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, "db") == 0)
			ours = true;
		else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && strcmp(e->d_name, "lock") != 0)
			foreign = true;
	}
	closedir(dir);
	if (!ours && foreign && repair_was_cut_short(path))
		ours = true;
	if (foreign && !ours)
		return why_set(why, RC_INVALID, "%s is a directory with other files in it, not an itemfs volume", path);
	*ret_volume = ours;
	return RC_OK;
}

static enum rc make_or_find(const char *path, bool create, struct why *why)
{
	bool ours = false;
	if (create && mkdir(path, 0700) != 0 && errno != EEXIST)
		return why_set(why, rc_of_errno(errno), "the volume %s cannot be made: %s", path, strerror(errno));
	enum rc rc = look_at(path, &ours, why);
	if (!rc && !ours && !create)
		rc = why_set(why, RC_NOT_FOUND, "%s holds no itemfs volume", path);
	return rc;
}

/* Who unmounts sees the mount gone before the process that served it is: `fusermount3 -u MNT && fsck.itemfs VOLUME` comes while that
 * one still closes. So a volume whose holder has taken its words out of the lock is waited for; so is one whose holder is a mount that
 * is gone, as a machine with much to do may take long to come to that; and any other for a moment. */
enum { LOCK_PAUSE_MS = 10, LOCK_GRACE = 50, LOCK_PATIENCE = 6000 }; /* the latter two in pauses */
#define LOCK_PROCESS " (process " /* between its words and its number */

/* What the holder's words say of it: a mountpoint, and nothing is mounted there. In another mount namespace it may be: who comes then is told after a minute. */
static bool is_mount_gone(const char *words)
{
	char space[4096 + sizeof(struct mntent)];
	struct mntent entry;
	const char *end = strstr(words, LOCK_PROCESS);
	FILE *mounts = words[0] == '/' && end ? setmntent("/proc/self/mounts", "r") : NULL;
	if (!mounts)
		return false;
	size_t n = (size_t)(end - words);
	bool found = false;
	while (!found && getmntent_r(mounts, &entry, space, sizeof space))
		found = strlen(entry.mnt_dir) == n && strncmp(entry.mnt_dir, words, n) == 0;
	endmntent(mounts);
	return !found;
}

static enum rc wait_for_lock(int fd, char *words, size_t size, bool (*give_up)(void))
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	for (int pauses = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; pauses++) {
		bool taken = errno == EWOULDBLOCK;
		ssize_t n = pread(fd, words, size - 1, 0);
		words[n > 0 ? n : 0] = 0;
		words[strcspn(words, "\n")] = 0;
		if (!taken || pauses >= LOCK_PATIENCE || (words[0] && pauses >= LOCK_GRACE && !is_mount_gone(words)))
			return RC_BUSY;
		if (give_up && give_up())
			return RC_INTERRUPTED;
		nanosleep(&pause, NULL);
	}
	return RC_OK;
}

/* Who has it, for those who wait for it. A full disk must open, so that room can be made: then it does not say. */
static enum rc say_holder(int fd, const char *holder)
{
	if (ftruncate(fd, 0) == 0 && dprintf(fd, "%s" LOCK_PROCESS "%ld)\n", holder ? holder : "itemfs", (long)getpid()) >= 0)
		return RC_OK;
	return errno == ENOSPC || errno == EDQUOT ? RC_OK : rc_of_errno(errno);
}

/* The lock is the kernel's (it goes with the process); the file's text only tells who has it. */
enum rc volume_lock(const char *volume, const char *holder, bool (*give_up)(void), int *ret_fd, struct why *why)
{
	char *path = NULL, words[512] = "";
	if (asprintf(&path, "%s/lock", volume) < 0)
		return RC_NO_MEMORY;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (fd < 0)
		return why_set(why, rc_of_errno(errno), "the volume %s cannot be locked: %s/lock: %s%s", volume, volume, strerror(errno),
			       errno == EROFS ? "; a mount writes to its volume, with -o ro too" : "");
	enum rc rc = wait_for_lock(fd, words, sizeof words, give_up);
	if (rc) {
		why_set(why, rc, "%s is in use: %s%s", volume, words[0] ? words : "another process has it open",
			rc == RC_INTERRUPTED ? "; told to end while that was waited for" : "");
	} else if ((rc = say_holder(fd, holder))) {
		why_set(why, rc, "%s/lock: %s", volume, strerror(errno));
	}
	if (rc)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

static enum rc open_store(struct volume *volume, const struct volume_options *how, struct why *why)
{
	char *path = NULL;
	if (asprintf(&path, "%s/db", volume->path) < 0)
		return RC_NO_MEMORY;
	struct store_options options = {.create = how->create, .compress = how->compress, .write_buffer = how->memtable};
	enum rc rc = store_open(path, &options, &volume->store, why);
	free(path);
	if (!rc)
		rc = recent_new(volume->store, &volume->recent);
	return rc ? rc : txn_new(volume->store, volume->recent, &volume->txn);
}

static enum rc read_record(struct volume *volume, struct why *why)
{
	cleanup_buf struct buf key = {0}, value = {0};
	row_volume(&key);
	enum rc rc = store_get(volume->store, NULL, key.data, key.len, &value);
	if (rc == RC_NOT_FOUND) {
		/* New, or its making was cut short before the first commit: a first row that is not there must mean no row at all. */
		struct store_cursor *cursor = NULL;
		rc = store_cursor_open(volume->store, NULL, "", 0, "\xff\xff\xff\xff\xff", 5, &cursor);
		enum rc first = rc ? rc : store_cursor_next(cursor);
		store_cursor_close(cursor);
		if (first != RC_NOT_FOUND)
			return why_set(why, first ? first : RC_CORRUPT, "%s has rows and no volume row", volume->path);
		volume->record = volume->stored = (struct volume_record){ROW_FORMAT, 1, 1, 0};
		struct store_batch *batch;
		if ((rc = store_batch_new(volume->store, &batch)))
			return rc;
		volume_write(&value, &volume->record);
		store_batch_put(batch, key.data, key.len, value.data, value.len);
		int64_t now = clock_now();
		struct meta root = {0755, geteuid(), getegid(), now, now, now};
		buf_clear(&key);
		buf_clear(&value);
		row_root(&key);
		row_add_meta(&value, &root);
		store_batch_put(batch, key.data, key.len, value.data, value.len);
		rc = store_write(volume->store, batch, true);
		store_batch_free(batch);
		return rc;
	}
	if (!rc)
		rc = volume_read(value.data, value.len, &volume->record);
	if (rc == RC_UNSUPPORTED)
		return why_set(why, rc, "%s has format %u; this itemfs reads up to %u", volume->path, volume->record.format, ROW_FORMAT);
	if (rc)
		return why_set(why, rc, "%s: the volume row cannot be read", volume->path);
	volume->stored = volume->record;
	volume->record.format = ROW_FORMAT; /* written by the first commit (rows.h) */
	volume->written = volume->begun = volume->record.sequence;
	return RC_OK;
}

static void say_what_to_do(const char *path, struct why *why)
{
	struct why before = *(why ? why : &(struct why){.text = ""});
	why_set(why, RC_CORRUPT, "%s: the volume is damaged; `fsck.itemfs --repair %s` saves what is whole", before.text, path);
}

enum rc volume_open(const char *path, const struct volume_options *options, struct volume **ret_volume, struct why *why)
{
	enum rc rc = make_or_find(path, options->create, why);
	if (rc)
		return rc;
	struct volume *volume = calloc(1, sizeof *volume);
	if (!volume)
		return RC_NO_MEMORY;
	volume->lock_fd = -1;
	volume->durable = options->durable;
	pthread_mutex_init(&volume->lock, NULL);
	pthread_cond_init(&volume->arrived, NULL);
	pthread_mutex_init(&volume->tables_change, NULL);
	pthread_mutex_init(&volume->snapshots_lock, NULL);
	pthread_rwlock_init(&volume->tables_lock, NULL);
	rc = (volume->path = strdup(path)) ? RC_OK : RC_NO_MEMORY;
	if (!rc)
		rc = volume_lock(volume->path, options->holder, options->give_up, &volume->lock_fd, why);
	if (!rc)
		rc = repair_resume(volume->path, why);
	if (!rc)
		rc = open_store(volume, options, why);
	if (!rc)
		rc = read_record(volume, why);
	if (!rc)
		rc = tables_load(volume, why);
	if (!rc && (rc = refusals_load(volume)))
		why_set(why, rc, "%s: what was rejected in earlier mounts cannot be read: the volume is damaged", path);
	if (!rc && !options->passive && (rc = worker_start(volume, options->build_rate)))
		why_set(why, rc, "out of memory");
	if (rc == RC_CORRUPT)
		say_what_to_do(path, why);
	if (rc) {
		volume_close(volume);
		return rc;
	}
	*ret_volume = volume;
	return RC_OK;
}

void volume_ending(struct volume *volume)
{
	if (ftruncate(volume->lock_fd, 0) != 0)
		return; /* who comes next waits for a shorter time */
}

void volume_break_off(struct volume *volume, bool does)
{
	__atomic_store_n(&volume->breaks_off, does, __ATOMIC_RELAXED);
}

bool volume_breaks_off(const struct volume *volume)
{
	return __atomic_load_n(&volume->breaks_off, __ATOMIC_RELAXED);
}

void volume_close(struct volume *volume)
{
	if (!volume)
		return;
	if (volume->lock_fd >= 0)
		volume_ending(volume);
	worker_stop(volume);
	snapshots_forget(volume);
	tables_forget(volume);
	refusals_free(volume);
	txn_free(volume->txn);
	recent_free(volume->recent);
	store_close(volume->store);
	if (volume->lock_fd >= 0)
		close(volume->lock_fd);
	pthread_rwlock_destroy(&volume->tables_lock);
	pthread_mutex_destroy(&volume->snapshots_lock);
	pthread_mutex_destroy(&volume->tables_change);
	pthread_cond_destroy(&volume->arrived);
	pthread_mutex_destroy(&volume->lock);
	free(volume->path);
	free(volume);
}
