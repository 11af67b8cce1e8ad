#include "store/log_sync.h"
#include "store/oserror.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the logs of a directory ---- */

void logs_name(uint64_t number, char ret_name[32])
{
	snprintf(ret_name, 32, "%06" PRIu64 ".log", number);
}

static bool log_number(const char *name, uint64_t *ret_number)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || digits > 19 || strcmp(name + digits, ".log") != 0)
		return false;
	*ret_number = strtoull(name, NULL, 10);
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static bool add_log(struct logs *logs, uint64_t number)
{
	uint64_t *more = reallocarray(logs->numbers, logs->n + 1, sizeof(*more));

	if (!more)
		return false;
	more[logs->n++] = number;
	logs->numbers = more;
	return true;
}

static enum rc read_logs(DIR *listing, struct logs *logs)
{
	struct dirent *entry;
	uint64_t number;

	while (errno = 0, (entry = readdir(listing))) {
		if (log_number(entry->d_name, &number) && !add_log(logs, number))
			return RC_NO_MEMORY;
	}
	return errno ? rc_of_errno(errno) : RC_OK;
}

enum rc logs_list(int dir, struct logs *ret_logs)
{
	struct logs logs = {0};
	DIR *listing;
	enum rc rc;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rc_of_errno(errno);
	listing = fdopendir(fd);
	if (!listing) {
		rc = rc_of_errno(errno);
		close(fd);
		return rc;
	}
	rc = read_logs(listing, &logs);
	closedir(listing);
	if (rc) {
		free(logs.numbers);
		return rc;
	}
	if (logs.n)
		qsort(logs.numbers, logs.n, sizeof(*logs.numbers), compare_numbers);
	*ret_logs = logs;
	return RC_OK;
}

enum rc logs_end(int dir, struct log_end *ret_end)
{
	struct logs logs;
	struct stat st;
	char name[32];
	enum rc rc = logs_list(dir, &logs);

	if (rc)
		return rc;
	*ret_end = (struct log_end){.number = logs.n ? logs.numbers[logs.n - 1] : 0};
	free(logs.numbers);
	if (!ret_end->number)
		return RC_OK;
	logs_name(ret_end->number, name);
	if (fstatat(dir, name, &st, 0) < 0)
		return rc_of_errno(errno);
	ret_end->size = st.st_size;
	return RC_OK;
}

static enum rc cut_log(int dir, uint64_t number, off_t size)
{
	char name[32];
	struct stat st;
	enum rc rc = RC_OK;
	int fd;

	logs_name(number, name);
	fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? RC_OK : rc_of_errno(errno); /* it became a table, so it was whole before */
	if (fstat(fd, &st) < 0 || (st.st_size > size && ftruncate(fd, size) < 0))
		rc = rc_of_errno(errno);
	close(fd);
	return rc;
}

enum rc logs_cut(int dir, const struct log_end *end)
{
	struct logs logs;
	enum rc rc = logs_list(dir, &logs);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < logs.n; i++) {
		if (logs.numbers[i] >= end->number)
			rc = cut_log(dir, logs.numbers[i], logs.numbers[i] == end->number ? (off_t)end->size : 0);
	}
	free(logs.numbers);
	return rc;
}

/* ---- which of them are new ---- */

static void count_switch(struct log_sync *sync)
{
	sync->switches++;
	sync->filled = 0; /* what has filled it since is counted when its writer comes here */
}

/* Reads what the directory has told so far. */
static void count_told_switches(struct log_sync *sync)
{
	_Alignas(struct inotify_event) char space[4096];
	const struct inotify_event *event;
	uint64_t number;
	ssize_t n;

	while ((n = read(sync->inotify, space, sizeof(space))) > 0) {
		for (const char *at = space; at < space + n; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			if (event->mask & IN_Q_OVERFLOW)
				sync->switches++; /* perhaps; to sync once too often is safe */
			else if (event->len && log_number(event->name, &number))
				count_switch(sync);
		}
	}
}

/* Call with the mutex. */
static void count_switches(struct log_sync *sync)
{
	struct logs logs;

	if (sync->inotify >= 0) {
		count_told_switches(sync);
		return;
	}
	if (logs_list(sync->dir, &logs) != RC_OK) {
		sync->switches++; /* perhaps; to sync once too often is safe */
		return;
	}
	if (logs.n && logs.numbers[logs.n - 1] != sync->newest_log) {
		sync->newest_log = logs.numbers[logs.n - 1];
		count_switch(sync);
	}
	free(logs.numbers);
}

void log_sync_init(struct log_sync *sync, int dir, uint64_t fills)
{
	char self[64];

	*sync = (struct log_sync){.dir = dir, .fills = fills};
	pthread_mutex_init(&sync->syncing, NULL);
	pthread_mutex_init(&sync->mutex, NULL);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", dir);
	sync->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (sync->inotify >= 0 && inotify_add_watch(sync->inotify, self, IN_CREATE) < 0) {
		close(sync->inotify);
		sync->inotify = -1;
	}
	count_switches(sync);
	sync->settled = sync->switches;
}

void log_sync_destroy(struct log_sync *sync)
{
	if (sync->inotify >= 0)
		close(sync->inotify);
	pthread_mutex_destroy(&sync->syncing);
	pthread_mutex_destroy(&sync->mutex);
}

/* ---- what is owed ---- */

/* What a sync has to do, and what will be true after it. */
struct debt {
	uint64_t written;
	uint64_t switches;
	bool logs;
	bool directory;
	enum rc broken;
};

static struct debt look_at_debt(struct log_sync *sync)
{
	struct debt debt;

	pthread_mutex_lock(&sync->mutex);
	count_switches(sync);
	debt.written = sync->written;
	debt.switches = sync->switches;
	debt.logs = sync->synced < sync->written;
	debt.directory = sync->settled < sync->switches;
	debt.broken = sync->broken;
	pthread_mutex_unlock(&sync->mutex);
	return debt;
}

enum rc log_sync_broken(struct log_sync *sync)
{
	return __atomic_load_n(&sync->broken, __ATOMIC_ACQUIRE);
}

void log_sync_break(struct log_sync *sync, enum rc rc)
{
	pthread_mutex_lock(&sync->mutex);
	if (!sync->broken)
		__atomic_store_n(&sync->broken, rc, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&sync->mutex);
}

void log_sync_mend(struct log_sync *sync)
{
	pthread_mutex_lock(&sync->syncing);
	pthread_mutex_lock(&sync->mutex);
	count_switches(sync);
	sync->filled = 0;
	sync->synced = sync->written;
	sync->settled = sync->switches;
	__atomic_store_n(&sync->broken, RC_OK, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&sync->mutex);
	pthread_mutex_unlock(&sync->syncing);
}

bool log_sync_is_settled(struct log_sync *sync)
{
	struct debt debt = look_at_debt(sync);

	return !debt.logs && !debt.directory;
}

enum rc log_sync_wrote(struct log_sync *sync, uint64_t fills, bool durable)
{
	bool switched;
	enum rc rc;

	pthread_mutex_lock(&sync->mutex);
	sync->written += !durable;
	if (durable || sync->filled + fills >= sync->fills)
		count_switches(sync);
	sync->filled += fills; /* now: where it began a log, it is in the new one */
	switched = sync->settled < sync->switches;
	pthread_mutex_unlock(&sync->mutex);
	rc = switched ? log_sync_settle(sync) : RC_OK;
	return durable && rc ? rc : log_sync_broken(sync); /* what fails for now only (too many open files, say) stays owed */
}

bool log_sync_may_begin_first(struct log_sync *sync, uint64_t fills)
{
	bool may;

	pthread_mutex_lock(&sync->mutex);
	may = sync->switches == 0 && sync->filled + fills >= sync->fills;
	pthread_mutex_unlock(&sync->mutex);
	return may;
}

void log_sync_told(struct log_sync *sync)
{
	pthread_mutex_lock(&sync->mutex);
	sync->filled = sync->fills;
	pthread_mutex_unlock(&sync->mutex);
}

/* ---- the paying of it ---- */

/* *ret_lost: the sync itself failed, and with it what it should have kept. */
static enum rc sync_log(int dir, uint64_t number, bool *ret_lost)
{
	char name[32];
	enum rc rc = RC_OK;
	int fd;

	logs_name(number, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? RC_OK : rc_of_errno(errno);
	if (fdatasync(fd) < 0) {
		rc = rc_of_errno(errno);
		*ret_lost = true;
	}
	close(fd);
	return rc;
}

/* The oldest first, so that a loss of power between two leaves a prefix. */
static enum rc sync_logs(int dir, bool *ret_lost)
{
	struct logs logs;
	enum rc rc = logs_list(dir, &logs);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < logs.n; i++)
		rc = sync_log(dir, logs.numbers[i], ret_lost);
	free(logs.numbers);
	return rc;
}

static enum rc pay(struct log_sync *sync, const struct debt *debt)
{
	bool lost = false;
	enum rc rc = RC_OK;

	if (debt->logs)
		rc = sync_logs(sync->dir, &lost);
	if (!rc && debt->directory && fsync(sync->dir) < 0) {
		rc = rc_of_errno(errno);
		lost = true;
	}
	if (lost)
		log_sync_break(sync, rc);
	return rc;
}

/* Writes that end meanwhile stay owed, which is right: what is counted in debt.written was in its log before we list
 * the logs, and nothing more is promised. */
enum rc log_sync_settle(struct log_sync *sync)
{
	struct debt debt = look_at_debt(sync);
	enum rc rc;

	if (debt.broken || (!debt.logs && !debt.directory))
		return debt.broken;
	pthread_mutex_lock(&sync->syncing);
	debt = look_at_debt(sync); /* somebody may have paid while we waited */
	rc = debt.broken ? debt.broken : pay(sync, &debt);
	if (!rc) {
		pthread_mutex_lock(&sync->mutex);
		sync->synced = debt.written;
		sync->settled = debt.switches;
		pthread_mutex_unlock(&sync->mutex);
	}
	pthread_mutex_unlock(&sync->syncing);
	return rc;
}
