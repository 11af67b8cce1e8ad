/* slow: an itemfs whose engine takes long when test_slow.c wants it: a call of LevelDB's, or of the disk, is held by a latch that the test and its daemon share.
 *
 * The calls are held where LevelDB is called (--wrap at link time), so with all the locks that itemfs holds around them.
 */
#include "tests/mount/slow.h"
#include "store/rows.h"
#include "tests/latch.h"
#include <fcntl.h>
#include <leveldb/c.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct latch *latch;

__attribute__((constructor)) static void find_latch(void)
{
	const char *path = getenv("ITEMFS_LATCH");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *latch, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		abort();
	close(fd);
	latch = shared;
}

#define HELD(call, type, name, parameters, arguments)                                                                  \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		latch_pass(latch, call);                                                                               \
		return __real_##name arguments;                                                                        \
	}

static void look_for_item(void *found, const char *key, size_t n, const char *value, size_t value_n)
{
	(void)value;
	(void)value_n;
	*(bool *)found |= row_letter((const uint8_t *)key, n) == 'H';
}

static void ignore(void *found, const char *key, size_t n)
{
	(void)found;
	(void)key;
	(void)n;
}

void __real_leveldb_write(leveldb_t *db, const leveldb_writeoptions_t *options, leveldb_writebatch_t *batch, char **error);
void __wrap_leveldb_write(leveldb_t *db, const leveldb_writeoptions_t *options, leveldb_writebatch_t *batch, char **error);
void __wrap_leveldb_write(leveldb_t *db, const leveldb_writeoptions_t *options, leveldb_writebatch_t *batch, char **error)
{
	bool item = false;
	latch_pass(latch, SLOW_WRITE);
	__real_leveldb_write(db, options, batch, error);
	leveldb_writebatch_iterate(batch, &item, look_for_item, ignore);
	if (item)
		latch_pass(latch, SLOW_STORED);
}

HELD(SLOW_GET, char *, leveldb_get, (leveldb_t * db, const leveldb_readoptions_t *options, const char *key, size_t n, size_t *value_n, char **error),
     (db, options, key, n, value_n, error))
HELD(SLOW_SNAPSHOT, const leveldb_snapshot_t *, leveldb_create_snapshot, (leveldb_t * db), (db))
HELD(SLOW_CURSOR, leveldb_iterator_t *, leveldb_create_iterator, (leveldb_t * db, const leveldb_readoptions_t *options), (db, options))
HELD(SLOW_CURSOR, void, leveldb_iter_seek, (leveldb_iterator_t * iterator, const char *key, size_t n), (iterator, key, n))
HELD(SLOW_CURSOR, void, leveldb_iter_next, (leveldb_iterator_t * iterator), (iterator))
HELD(SLOW_CURSOR, void, leveldb_iter_prev, (leveldb_iterator_t * iterator), (iterator))

int fsync(int fd);
int fdatasync(int fd);

int fsync(int fd)
{
	latch_pass(latch, SLOW_SYNC);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	latch_pass(latch, SLOW_SYNC);
	return (int)syscall(SYS_fdatasync, fd);
}
