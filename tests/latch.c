/* latch: see latch.h. */
#include "tests/latch.h"
#include <time.h>

enum { PATIENCE_S = 300 };

void latch_init(struct latch *latch)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	*latch = (struct latch){.over = true};
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&latch->lock, &mutex);
	pthread_mutexattr_destroy(&mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&latch->changed, &cond);
	pthread_condattr_destroy(&cond);
}

void latch_free(struct latch *latch)
{
	pthread_cond_destroy(&latch->changed);
	pthread_mutex_destroy(&latch->lock);
}

void latch_set(struct latch *latch, unsigned calls, unsigned long n)
{
	pthread_mutex_lock(&latch->lock);
	latch->calls = calls;
	latch->to_go = n;
	latch->held = latch->over = false;
	pthread_mutex_unlock(&latch->lock);
}

static bool wait_for(struct latch *latch, const bool *what)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!*what && !latch->over)
		if (pthread_cond_timedwait(&latch->changed, &latch->lock, &until))
			break;
	return *what;
}

bool latch_await(struct latch *latch)
{
	pthread_mutex_lock(&latch->lock);
	bool held = wait_for(latch, &latch->held);
	pthread_mutex_unlock(&latch->lock);
	return held;
}

void latch_open(struct latch *latch)
{
	pthread_mutex_lock(&latch->lock);
	latch->to_go = 0;
	latch->over = true;
	pthread_cond_broadcast(&latch->changed);
	pthread_mutex_unlock(&latch->lock);
}

void latch_pass(struct latch *latch, unsigned call)
{
	pthread_mutex_lock(&latch->lock);
	if ((latch->calls & call) && latch->to_go && --latch->to_go == 0) {
		latch->held = true;
		pthread_cond_broadcast(&latch->changed);
		wait_for(latch, &latch->over);
	}
	pthread_mutex_unlock(&latch->lock);
}
