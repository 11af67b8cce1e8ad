/* recent_fixture: a store, and what is kept of its rows. */
#ifndef ITEMFS_TESTS_RECENT_FIXTURE_H
#define ITEMFS_TESTS_RECENT_FIXTURE_H

#include "index/recent.h"
#include "tests/unit/fixture.h"

static char *path;
static struct store *store;
static struct recent *recent;

static inline void set_up(void)
{
	path = fixture_place();
	struct store_options options = {.create = true};
	cr_assert_eq(store_open(path, &options, &store, NULL), RC_OK);
	cr_assert_eq(recent_new(store, &recent), RC_OK);
}

static inline void tear_down(void)
{
	recent_free(recent);
	store_close(store);
	fixture_remove(path);
}

/* A write of which recent does not know. */
static inline void write_behind(const char *key, const char *value)
{
	struct store_batch *batch;
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	store_batch_put(batch, key, strlen(key), value, strlen(value));
	cr_assert_eq(store_write(store, batch, false), RC_OK);
	store_batch_free(batch);
}

#endif
