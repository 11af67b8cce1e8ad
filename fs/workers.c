/* workers: why they exist, and what holds, is said in workers.h.
 *
 * Every thread is in one of these states, and only `lock` lets it go from one to another:
 *   waiting   counted in `waiting`: reads from the kernel's device, or polls it, or is about to. From before it writes its answer: whoever gets that may ask
 *             again before this thread runs again, and nobody need be called for this
 *   serving   has a request that is not answered
 *   parked    on the stack `parked`, until its `call`
 * Ending: parked threads are called, and those that wait are cancelled, which only happens in the read: everywhere else cancelling is disabled.
 */
#define FUSE_USE_VERSION 312
#include "fs/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SPARE_MIN = 2, SPARE_MAX = 8, FIRST_POLL_US = 10, LOOK_MS = 4, EAGER_MS = 1000 };

struct worker {
	struct pool *pool;
	struct worker *older; /* made before it */
	struct worker *under; /* on the stack of the parked */
	pthread_t thread;
	sem_t call;
	_Atomic int state; /* its /proc/thread-self/stat, for the deputy; -1: not there */
	bool serves;       /* under pool->lock: has a request */
	bool answers;      /* under pool->lock: and is counted in `waiting`, as its answer is being written */
	struct fuse_buf request; /* libfuse allocates its memory with the first request */
};

struct pool {
	struct fuse_session *fuse;
	unsigned max, spare;
	pthread_mutex_t lock; /* for what follows, up to `ending` */
	struct worker *newest;
	struct worker *parked;
	unsigned n, waiting;
	uint64_t taken; /* requests, so far */
	bool eager;     /* whoever takes a request while nobody waits calls another; otherwise the deputy does, where that is needed */
	bool rests;     /* the deputy, until its `call` */
	int error;
	bool ending;
	sem_t ended; /* posted by each thread that ends by itself */
	uint64_t poll_ns;
	_Atomic uint64_t poll_now_ns; /* how long it pays to poll just now */
	atomic_flag polled;           /* somebody polls */
	bool has_deputy;
	pthread_t deputy;
	sem_t call; /* the deputy */
};

static _Thread_local struct worker *self;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *work(void *context);

/* What ends the session is told to the caller of workers_serve(): a thread is born with those signals blocked. */
static int create_thread(pthread_t *thread, void *(*run)(void *), void *context)
{
	sigset_t theirs, before;
	int error;

	sigemptyset(&theirs);
	sigaddset(&theirs, SIGTERM);
	sigaddset(&theirs, SIGINT);
	sigaddset(&theirs, SIGHUP);
	sigaddset(&theirs, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &theirs, &before);
	error = pthread_create(thread, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* Called with the lock. Without memory for another thread those that are there have to do. */
static int add_worker(struct pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int error;

	if (worker == NULL)
		return ENOMEM;
	worker->pool = pool;
	worker->state = -1;
	sem_init(&worker->call, 0, 0);
	error = create_thread(&worker->thread, work, worker);
	if (error) {
		sem_destroy(&worker->call);
		free(worker);
		return error;
	}
	worker->older = pool->newest;
	pool->newest = worker;
	pool->n++;
	pool->waiting++;
	return 0;
}

/* Called with the lock: somebody has to wait for the kernel, and nobody does. */
static void call_another(struct pool *pool)
{
	struct worker *worker = pool->parked;

	if (worker) {
		pool->parked = worker->under;
		pool->waiting++;
		sem_post(&worker->call);
	} else if (pool->n < pool->max && !pool->ending) {
		add_worker(pool);
	}
}

/* A FORGET has no answer and is done before a thread could be called. */
static bool is_quick(const struct fuse_buf *request)
{
	const struct fuse_in_header *header = request->mem;

	if (request->flags & FUSE_BUF_IS_FD)
		return false;
	return header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET;
}

static void begin_to_serve(struct worker *worker)
{
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	pool->waiting--;
	pool->taken++;
	worker->serves = true;
	if (pool->waiting == 0 && pool->eager && !is_quick(&worker->request))
		call_another(pool);
	if (pool->rests) {
		pool->rests = false;
		sem_post(&pool->call);
	}
	pthread_mutex_unlock(&pool->lock);
}

/* What handlers do after their answer is to free what it was made of. */
static ssize_t write_answer(int device, struct iovec *parts, int n, void *unused)
{
	(void)unused;
	if (self) {
		pthread_mutex_lock(&self->pool->lock);
		if (self->serves && !self->answers) {
			self->answers = true;
			self->pool->waiting++;
		}
		pthread_mutex_unlock(&self->pool->lock);
	}
	return writev(device, parts, n);
}

static ssize_t read_request(int device, void *buffer, size_t n, void *unused)
{
	(void)unused;
	return read(device, buffer, n);
}

static void await_call(sem_t *call)
{
	while (sem_wait(call) != 0 && errno == EINTR)
		;
}

/* Returns when this thread is to wait for the kernel again, or all is to end. */
static void end_to_serve(struct worker *worker)
{
	struct pool *pool = worker->pool;
	bool parks;

	pthread_mutex_lock(&pool->lock);
	pool->waiting -= worker->answers;
	worker->serves = worker->answers = false;
	parks = pool->waiting >= (pool->eager ? pool->spare : 1) && !pool->ending;
	if (parks) {
		worker->under = pool->parked;
		pool->parked = worker;
	} else {
		pool->waiting++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (parks)
		await_call(&worker->call);
}

static void poll_for_request(struct pool *pool)
{
	uint64_t limit = atomic_load_explicit(&pool->poll_now_ns, memory_order_relaxed);
	struct pollfd device = {.fd = fuse_session_fd(pool->fuse), .events = POLLIN};

	if (limit == 0 || atomic_flag_test_and_set(&pool->polled))
		return;
	for (uint64_t end = now_ns() + limit; poll(&device, 1, 0) == 0 && now_ns() < end;)
		;
	atomic_flag_clear(&pool->polled);
}

/* Polling pays where the request comes within the time that may be polled for. */
static void learn(struct pool *pool, uint64_t waited_ns)
{
	uint64_t limit = atomic_load_explicit(&pool->poll_now_ns, memory_order_relaxed);

	if (waited_ns > pool->poll_ns)
		limit = 0;
	else if (waited_ns > limit)
		limit = limit ? 2 * limit : FIRST_POLL_US * 1000u;
	if (limit > pool->poll_ns)
		limit = pool->poll_ns;
	atomic_store_explicit(&pool->poll_now_ns, limit, memory_order_relaxed);
}

/* The only place where a thread may be cancelled. */
static int receive(struct worker *worker)
{
	int n;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	n = fuse_session_receive_buf(worker->pool->fuse, &worker->request);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return n;
}

static int await_request(struct worker *worker)
{
	struct pool *pool = worker->pool;
	uint64_t began;
	int n;

	if (pool->poll_ns == 0)
		return receive(worker);
	began = now_ns();
	poll_for_request(pool);
	n = receive(worker);
	learn(pool, now_ns() - began);
	return n;
}

static void fail(struct pool *pool, int error)
{
	pthread_mutex_lock(&pool->lock);
	pool->error = error;
	pthread_mutex_unlock(&pool->lock);
	fuse_session_exit(pool->fuse);
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct pool *pool = worker->pool;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_setname_np(pthread_self(), "itemfs-worker");
	self = worker;
	if (pool->has_deputy)
		worker->state = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
	while (!fuse_session_exited(pool->fuse)) {
		int n = await_request(worker);

		if (n == -EINTR)
			continue;
		if (n < 0)
			fail(pool, n);
		if (n <= 0)
			break;
		begin_to_serve(worker);
		fuse_session_process_buf(pool->fuse, &worker->request);
		end_to_serve(worker);
	}
	sem_post(&pool->ended);
	return NULL;
}

/* "123 (itemfs-worker) S …": whether a thread waits for something, as a lock or a disk. */
static bool sleeps(const struct worker *worker)
{
	char text[64];
	ssize_t n = worker->state < 0 ? 0 : pread(worker->state, text, sizeof text, 0);
	const char *name_end = n > 0 ? memchr(text, ')', (size_t)n) : NULL;

	return name_end && name_end + 2 < text + n && name_end[2] != 'R';
}

/* Called with the lock. */
static bool somebody_sleeps(const struct pool *pool)
{
	for (const struct worker *worker = pool->newest; worker; worker = worker->older)
		if (worker->serves && sleeps(worker))
			return true;
	return false;
}

/* Sees to it that somebody waits for the kernel where who serves does not call another: workers.h, 4. */
static void *deputize(void *context)
{
	struct pool *pool = context;
	uint64_t seen = 0;
	unsigned eager_ms = 0;

	pthread_setname_np(pthread_self(), "itemfs-deputy");
	pthread_mutex_lock(&pool->lock);
	while (!pool->ending) {
		bool asked = pool->taken != seen, alone = pool->waiting == 0, rests = !asked && !alone;

		seen = pool->taken;
		if (alone && !pool->eager && (!asked || somebody_sleeps(pool))) {
			call_another(pool);
			pool->eager = true;
			eager_ms = 0;
		}
		eager_ms += LOOK_MS;
		pool->rests = rests;
		if (rests || eager_ms > EAGER_MS)
			pool->eager = false;
		pthread_mutex_unlock(&pool->lock);
		if (rests)
			await_call(&pool->call);
		else
			poll(NULL, 0, LOOK_MS);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Until the session is told to exit: by a signal, which breaks off the wait, or by a worker. */
static void await_end(struct pool *pool)
{
	while (!fuse_session_exited(pool->fuse))
		sem_wait(&pool->ended);
}

static void end_workers(struct pool *pool)
{
	struct worker *worker;

	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	for (worker = pool->parked; worker; worker = worker->under)
		sem_post(&worker->call);
	pool->parked = NULL;
	sem_post(&pool->call);
	pthread_mutex_unlock(&pool->lock);
	/* No thread is added any more. */
	for (worker = pool->newest; worker; worker = worker->older)
		pthread_cancel(worker->thread);
	while ((worker = pool->newest)) {
		pthread_join(worker->thread, NULL);
		pool->newest = worker->older;
		if (worker->state >= 0)
			close(worker->state);
		free(worker->request.mem);
		sem_destroy(&worker->call);
		free(worker);
	}
	if (pool->has_deputy)
		pthread_join(pool->deputy, NULL);
}

/* On which we may run. */
static int count_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : SPARE_MAX;
}

static unsigned spare_threads(int processors)
{
	return processors < SPARE_MIN ? SPARE_MIN : processors > SPARE_MAX ? SPARE_MAX : (unsigned)processors;
}

static int start(struct pool *pool, int processors)
{
	static const struct fuse_custom_io io = {.writev = write_answer, .read = read_request};
	int error = fuse_session_custom_io(pool->fuse, &io, fuse_session_fd(pool->fuse));

	if (error)
		return error < 0 ? -error : EIO;
	/* Without a deputy, for want of anything, each thread calls the next itself. */
	pool->has_deputy = processors == 1 && pool->max > 1 && create_thread(&pool->deputy, deputize, pool) == 0;
	pthread_mutex_lock(&pool->lock);
	error = add_worker(pool);
	pthread_mutex_unlock(&pool->lock);
	return error;
}

int workers_serve(struct fuse_session *fuse, const struct workers_options *options)
{
	int processors = count_processors();
	struct pool pool = {
	    .fuse = fuse,
	    .max = options->max,
	    .spare = spare_threads(processors),
	    .eager = true,
	    .poll_ns = processors > 1 ? options->poll_us * UINT64_C(1000) : 0,
	    .polled = ATOMIC_FLAG_INIT,
	};
	int error;

	pthread_mutex_init(&pool.lock, NULL);
	sem_init(&pool.ended, 0, 0);
	sem_init(&pool.call, 0, 0);
	error = start(&pool, processors);
	if (error == 0)
		await_end(&pool);
	if (options->ending)
		options->ending(options->context);
	end_workers(&pool);
	if (error == 0)
		error = -pool.error;
	sem_destroy(&pool.call);
	sem_destroy(&pool.ended);
	pthread_mutex_destroy(&pool.lock);
	return -error;
}
