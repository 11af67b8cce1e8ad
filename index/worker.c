/* worker: see worker.h. */
#include "index/worker.h"
#include <stdlib.h>
#include <time.h>

enum { RETRY_FIRST = 1, RETRY_LAST = 60 }; /* seconds until something that failed (a full disk) is tried again */
static const int64_t SECOND = 1000000000, BUSY = 100000000; /* ns */

struct worker {
	pthread_t thread;
	pthread_mutex_t lock; /* guards work and stop */
	pthread_cond_t wake;
	bool work, stop;

	/* The thread's own. Times are ns of the monotonic clock. */
	unsigned build_rate;
	uint64_t seen;      /* the volume's sequence when the last batch had ended */
	int64_t due;        /* when there is more to do; INT64_MAX: when it is woken */
	int64_t fill_after; /* by build_rate, no filling before that */
	int64_t retry;      /* ns until what failed is tried again */
	bool failed;        /* something has, in this round */
	struct collection collection;
};

static int64_t nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static bool stopping(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	bool stop = worker->stop;
	pthread_mutex_unlock(&worker->lock);
	return stop;
}

static void due_in(struct worker *worker, int64_t ns)
{
	int64_t at = nanoseconds() + ns;
	worker->due = at < worker->due ? at : worker->due;
}

/* Until then, or until it is woken (not `rest`), or to be stopped. */
static void wait_until(struct worker *worker, int64_t until, bool rest)
{
	struct timespec at = {until / SECOND, until % SECOND};
	int end = 0;
	pthread_mutex_lock(&worker->lock);
	while (!worker->stop && (rest || !worker->work) && !end) {
		if (until == INT64_MAX)
			pthread_cond_wait(&worker->wake, &worker->lock);
		else
			end = pthread_cond_timedwait(&worker->wake, &worker->lock, &at);
	}
	if (!rest)
		worker->work = false;
	pthread_mutex_unlock(&worker->lock);
}

/* After a batch that began then and made so many commits: where others commit, too, as much time goes to them alone. */
static void leave_time(struct volume *volume, int64_t began, unsigned commits)
{
	struct worker *worker = volume->worker;
	uint64_t written = __atomic_load_n(&volume->written, __ATOMIC_ACQUIRE);
	int64_t now = nanoseconds();
	if (written - worker->seen > commits)
		wait_until(worker, now + (now - began), true);
	worker->seen = written;
}

/* The next table (after `last`, in the list's order; NULL: the first) that has an index to fill: a reference. */
static struct table *next_building(struct volume *volume, const struct table *last)
{
	struct table *found = NULL;
	pthread_rwlock_rdlock(&volume->tables_lock);
	bool past = !last;
	for (struct table *t = volume->tables; t && !found; t = t->next) {
		if (past && __atomic_load_n(&t->building, __ATOMIC_ACQUIRE))
			found = table_ref(t);
		past |= t == last;
	}
	pthread_rwlock_unlock(&volume->tables_lock);
	return found;
}

/* One batch; a reference is held. */
static void fill_one(struct volume *volume, struct table *table)
{
	struct worker *worker = volume->worker;
	unsigned items = 0, rate = worker->build_rate;
	unsigned most = rate && rate < BACKFILL_BATCH ? rate : BACKFILL_BATCH;
	int64_t began = nanoseconds();
	if (table_enter(table))
		return;
	enum rc rc = table->building ? backfill_batch(table, most, &items) : RC_OK;
	bool more = table->building;
	table_leave(table);
	worker->failed |= rc;
	if (rc)
		return;
	leave_time(volume, began, 1);
	if (rate)
		worker->fill_after = (worker->fill_after > began ? worker->fill_after : began) + items * SECOND / rate;
	if (more)
		due_in(worker, 0);
}

/* A batch of each table that has something to fill, so that none waits for another's end. */
static void fill_some(struct volume *volume)
{
	struct worker *worker = volume->worker;
	struct table *table = NULL, *next;
	if (nanoseconds() < worker->fill_after) {
		worker->due = worker->due < worker->fill_after ? worker->due : worker->fill_after;
		return;
	}
	while (!stopping(worker) && (next = next_building(volume, table))) {
		table_unref(table);
		table = next;
		fill_one(volume, table);
	}
	table_unref(table);
}

static void collect_some(struct volume *volume)
{
	struct worker *worker = volume->worker;
	int64_t began = nanoseconds();
	enum rc rc = collect_step(volume, &worker->collection);
	if (!rc)
		leave_time(volume, began, 0);
	if (!rc || rc == RC_AGAIN)
		due_in(worker, rc ? BUSY : 0);
	else if (rc != RC_NOT_FOUND)
		worker->failed = true;
}

static void *worker_run(void *context)
{
	struct volume *volume = context;
	struct worker *worker = volume->worker;
	pthread_setname_np(pthread_self(), "itemfs-index");
	while (!stopping(worker)) {
		worker->due = INT64_MAX;
		worker->failed = false;
		collect_some(volume);
		fill_some(volume);
		if (worker->failed) {
			due_in(worker, worker->retry);
			worker->retry = worker->retry * 2 < RETRY_LAST * SECOND ? worker->retry * 2 : RETRY_LAST * SECOND;
		} else {
			worker->retry = RETRY_FIRST * SECOND;
		}
		wait_until(worker, worker->due, false);
	}
	return NULL;
}

enum rc worker_start(struct volume *volume, unsigned build_rate)
{
	struct worker *worker = calloc(1, sizeof *worker);
	pthread_condattr_t monotonic;
	if (!worker)
		return RC_NO_MEMORY;
	worker->build_rate = build_rate;
	worker->retry = RETRY_FIRST * SECOND;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	volume->worker = worker;
	if (pthread_create(&worker->thread, NULL, worker_run, volume) == 0)
		return RC_OK;
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
	volume->worker = NULL;
	return RC_NO_MEMORY;
}

void worker_wake(struct volume *volume)
{
	struct worker *worker = volume->worker;
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->work = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

void worker_stop(struct volume *volume)
{
	struct worker *worker = volume->worker;
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	buf_free(&worker->collection.low);
	free(worker);
	volume->worker = NULL;
}
