/* backfill_fixture: a table to which indexes are added, in a passive volume, where batches run when the test says so; and a disk that is full when
 * the test says so. */
#ifndef ITEMFS_TESTS_BACKFILL_FIXTURE_H
#define ITEMFS_TESTS_BACKFILL_FIXTURE_H

#include "index/backfill.h"
#include "index/entry.h"
#include "index/worker.h"
#include "tests/unit/fixture.h"
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *path;
static struct volume *volume;
static struct table *table;

static atomic_bool disk_is_full;

/* Stands in for the system's: what the store asks before it writes. A disk of 200 MiB, which is so small that each write asks (room.h). */
int fstatvfs(int fd, struct statvfs *ret_disk)
{
	(void)fd;
	*ret_disk = (struct statvfs){.f_frsize = 4096, .f_blocks = 51200, .f_bavail = disk_is_full ? 0 : 51200};
	return 0;
}

#define ATTRIBUTE(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define ATTRIBUTES                                                                                                     \
	"\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":[" ATTRIBUTE("p", "S") "," ATTRIBUTE("s", "N")
#define INDEX(name, key, projection)                                                                                   \
	"{\"IndexName\":\"" name "\",\"KeySchema\":[{\"AttributeName\":\"" key                                         \
	"\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"" projection "\"}}"

static const char without[] = "{" ATTRIBUTES "]}";
static const char with_n[] = "{" ATTRIBUTES "," ATTRIBUTE("n", "N") "],\"GlobalSecondaryIndexes\":[" INDEX("by-n", "n", "ALL") "]}";
static const char with_t[] =
    "{" ATTRIBUTES "," ATTRIBUTE("t", "S") "],\"GlobalSecondaryIndexes\":[" INDEX("by-t", "t", "KEYS_ONLY") "]}";
static const char with_both[] = "{" ATTRIBUTES "," ATTRIBUTE("n", "N") "," ATTRIBUTE("t", "S") "],\"GlobalSecondaryIndexes\":["
							      INDEX("by-t", "t", "KEYS_ONLY") "," INDEX("by-n", "n", "ALL") "]}";

static inline void set_up(void)
{
	disk_is_full = false;
	path = fixture_place();
	volume = fixture_open_passive(path);
	table = fixture_table(volume, "Things");
	fixture_define(table, without);
}

static inline void tear_down(void)
{
	table_unref(table);
	volume_close(volume);
	fixture_remove(path);
}

static inline void reopen(bool passive)
{
	table_unref(table);
	volume_close(volume);
	volume = fixture_open_as(path, passive);
	table = fixture_find(volume, "Things");
}

/* Partition p<i / 100>, sort key i. */
static inline struct leaf thing(unsigned i)
{
	char pk[32], sk[32];
	snprintf(pk, sizeof pk, "p%03u", i / 100);
	snprintf(sk, sizeof sk, "%u", i);
	return fixture_item(table, pk, sk);
}

/* Every tenth lacks n, every fiftieth has an unfit one. */
static inline void fill(unsigned from, unsigned to)
{
	char document[64];
	for (unsigned i = from; i < to; i++) {
		if (i % 50 == 49)
			strcpy(document, "{\"n\":\"none\"}");
		else if (i % 10 == 9)
			strcpy(document, "{}");
		else
			snprintf(document, sizeof document, "{\"n\":%u,\"t\":\"t%u\"}", i % 7, i % 3);
		struct leaf leaf = thing(i);
		fixture_write(&leaf, document);
	}
}

static inline void remove_things(unsigned to)
{
	for (unsigned i = 0; i < to; i++) {
		struct leaf leaf = thing(i);
		cr_assert_eq(leaf_remove(&leaf, NULL), RC_OK);
	}
}

static inline unsigned step(unsigned items)
{
	unsigned passed = 0;
	enum rc rc = backfill_batch(table, items, &passed);
	cr_assert_eq(rc, RC_OK, "%s", rc_name(rc));
	return passed;
}

static inline void finish(void)
{
	while (table->building)
		step(BACKFILL_BATCH);
}

static inline struct backfill_progress progress(const char *index)
{
	struct backfill_progress p;
	enum rc rc = backfill_progress(table, NULL, index, &p);
	cr_assert_eq(rc, RC_OK, "%s", rc_name(rc));
	return p;
}

static inline uint64_t entries(size_t index)
{
	struct table_counters counters;
	cr_assert_eq(table_stat(table, NULL, &counters), RC_OK);
	return counters_of(&counters, table->schema->indexes[index].id)->entries;
}

static inline struct listing_place keys_of(const char *index)
{
	return (struct listing_place){.kind = LISTING_INDEX_KEYS, .table = table, .index = index};
}

static inline void lists_keys(const char *index, const char *expected)
{
	struct listing_place place = keys_of(index);
	fixture_lists(volume, &place, expected);
}

#endif
