/* faulty: see faulty.h. */
#include "tests/unit/faulty.h"
#include "store/store.h"
#include <stdlib.h>
#include <string.h>

static __thread struct {
	unsigned calls;
	unsigned long n, seen;
	enum rc rc;
	struct latch *latch; /* NULL: it fails */
	bool met;
} fault;

void faulty_begin(unsigned calls, unsigned long n, enum rc rc)
{
	fault.calls = calls;
	fault.n = n;
	fault.rc = rc;
	fault.latch = NULL;
	fault.seen = 0;
	fault.met = false;
}

void faulty_begin_held(unsigned calls, unsigned long n, struct latch *latch)
{
	faulty_begin(calls, n, RC_OK);
	fault.latch = latch;
}

unsigned long faulty_end(void)
{
	fault.calls = 0;
	return fault.seen;
}

bool faulty_met(void)
{
	return fault.met;
}

static enum rc fails(enum faulty_calls call)
{
	if (!(fault.calls & call) || ++fault.seen != fault.n)
		return RC_OK;
	fault.met = true;
	if (fault.latch)
		latch_pass(fault.latch, call);
	return fault.rc;
}

/* What --wrap calls the engine's own and ours. */
#define WRAPPED(call, name, parameters, arguments)                                                                     \
	enum rc __real_##name parameters;                                                                              \
	enum rc __wrap_##name parameters;                                                                              \
	enum rc __wrap_##name parameters                                                                               \
	{                                                                                                              \
		enum rc rc = fails(call);                                                                              \
		return rc ? rc : __real_##name arguments;                                                              \
	}

WRAPPED(FAULTY_READS, store_get,
	(struct store * store, const struct store_snapshot *at, const void *key, size_t n, struct buf *ret_value),
	(store, at, key, n, ret_value))
WRAPPED(FAULTY_READS, store_snapshot_take, (struct store * store, struct store_snapshot **ret_snapshot),
	(store, ret_snapshot))
WRAPPED(FAULTY_READS, store_cursor_open,
	(struct store * store, const struct store_snapshot *at, const void *low, size_t low_n, const void *high,
	 size_t high_n, struct store_cursor **ret_cursor),
	(store, at, low, low_n, high, high_n, ret_cursor))
WRAPPED(FAULTY_READS, store_cursor_next, (struct store_cursor * cursor), (cursor))
WRAPPED(FAULTY_READS, store_cursor_prev, (struct store_cursor * cursor), (cursor))
WRAPPED(FAULTY_READS, store_cursor_seek, (struct store_cursor * cursor, const void *key, size_t n), (cursor, key, n))
WRAPPED(FAULTY_WRITES, store_batch_new, (struct store * store, struct store_batch **ret_batch), (store, ret_batch))
WRAPPED(FAULTY_WRITES, store_write, (struct store * store, struct store_batch *batch, bool durable),
	(store, batch, durable))
WRAPPED(FAULTY_WRITES, store_sync, (struct store * store), (store))

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *memory, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *memory, size_t n);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t n)
{
	return fails(FAULTY_MEMORY) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
	return fails(FAULTY_MEMORY) ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *memory, size_t n)
{
	return fails(FAULTY_MEMORY) ? NULL : __real_realloc(memory, n);
}

char *__wrap_strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = __wrap_malloc(n);
	return copy ? memcpy(copy, text, n) : NULL;
}
