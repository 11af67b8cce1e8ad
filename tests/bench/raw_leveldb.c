/* raw_leveldb: the bench's items straight in LevelDB, with the options that itemfs opens it with: what the engine costs when nothing is around it.
 *
 *   raw_leveldb [-n ITEMS] [-b BYTES] [-s DURABLE] DIRECTORY
 *
 * Makes a store in DIRECTORY, which must be empty, and prints a line of JSON a phase, as `files` does, with "phase" in it. create and overwrite are
 * one put each, read is get, query a seek and ten steps, list steps over all, durable is a put with sync (DURABLE of them).
 */
#include <leveldb/c.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEY_ROOM = 64, VALUE_ROOM = 1 << 16, QUERY = 10 };

static struct {
	long items, bytes, durable;
	leveldb_t *db;
	leveldb_readoptions_t *read;
	leveldb_writeoptions_t *write, *sync;
	char value[VALUE_ROOM];
} bench = {.items = 1000, .bytes = 300, .durable = 100};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(const char *message)
{
	if (!message)
		return;
	fprintf(stderr, "raw_leveldb: %s\n", message);
	exit(1);
}

static size_t make_key(char *out, long number)
{
	return (size_t)snprintf(out, KEY_ROOM, "table/p%06ld/%08ld.json", number / 100, number);
}

static void fill_value(long number)
{
	uint64_t x = (uint64_t)number * 2654435761u + 1;

	for (long i = 0; i < bench.bytes; i += 2) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		bench.value[i] = (char)('a' + (x >> 40) % 26);
		bench.value[i + 1] = 'x';
	}
}

static void put(long number, bool durable)
{
	char key[KEY_ROOM], *message = NULL;
	size_t n = make_key(key, number);

	fill_value(number);
	leveldb_put(bench.db, durable ? bench.sync : bench.write, key, n, bench.value, (size_t)bench.bytes, &message);
	check(message);
}

static void get(long number)
{
	char key[KEY_ROOM], *message = NULL, *value;
	size_t n = make_key(key, number), size;

	value = leveldb_get(bench.db, bench.read, key, n, &size, &message);
	check(message);
	if (!value || size != (size_t)bench.bytes)
		check("an item is missing");
	leveldb_free(value);
}

static void delete(long number)
{
	char key[KEY_ROOM], *message = NULL;
	size_t n = make_key(key, number);

	leveldb_delete(bench.db, bench.write, key, n, &message);
	check(message);
}

static long steps_from(long number, long limit)
{
	char key[KEY_ROOM];
	size_t n = make_key(key, number), size;
	leveldb_iterator_t *iterator = leveldb_create_iterator(bench.db, bench.read);
	long steps = 0;

	for (leveldb_iter_seek(iterator, key, n); leveldb_iter_valid(iterator) && steps < limit; steps++) {
		leveldb_iter_value(iterator, &size);
		leveldb_iter_next(iterator);
	}
	leveldb_iter_destroy(iterator);
	return steps;
}

static void report(const char *phase, long ops, double from)
{
	printf("{\"phase\":\"%s\",\"ops\":%ld,\"seconds\":%.6f,\"errors\":0,\"errno\":\"\"}\n", phase, ops, seconds() - from);
	fflush(stdout);
}

static void run(void)
{
	double from = seconds();
	long queries = bench.items / 10 + 1;

	for (long i = 0; i < bench.items; i++)
		put(i, false);
	report("create", bench.items, from);
	from = seconds();
	for (long i = 0; i < bench.items; i++)
		put(i, false);
	report("overwrite", bench.items, from);
	from = seconds();
	for (long i = 0; i < bench.items; i++)
		get(i);
	report("read", bench.items, from);
	from = seconds();
	report("names", steps_from(0, bench.items), from);
	from = seconds();
	for (long i = 0; i < queries; i++)
		steps_from(i * 7919 % bench.items, QUERY);
	report("query", queries, from);
	from = seconds();
	for (long i = 0; i < bench.durable; i++)
		put(i % bench.items, true);
	report("durable1", bench.durable, from);
	from = seconds();
	for (long i = 0; i < bench.items; i++)
		delete(i);
	report("unlink", bench.items, from);
}

static void open_store(const char *path)
{
	leveldb_options_t *options = leveldb_options_create();
	char *message = NULL;

	leveldb_options_set_create_if_missing(options, 1);
	leveldb_options_set_error_if_exists(options, 1);
	leveldb_options_set_paranoid_checks(options, 1);
	leveldb_options_set_cache(options, leveldb_cache_create_lru((size_t)32 << 20));
	leveldb_options_set_filter_policy(options, leveldb_filterpolicy_create_bloom(10));
	leveldb_options_set_write_buffer_size(options, (size_t)64 << 20);
	leveldb_options_set_max_file_size(options, (size_t)64 << 20);
	leveldb_options_set_compression(options, leveldb_no_compression);
	bench.read = leveldb_readoptions_create();
	leveldb_readoptions_set_verify_checksums(bench.read, 1);
	bench.write = leveldb_writeoptions_create();
	bench.sync = leveldb_writeoptions_create();
	leveldb_writeoptions_set_sync(bench.sync, 1);
	bench.db = leveldb_open(options, path, &message);
	check(message);
	leveldb_options_destroy(options);
}

int main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "n:b:s:")) != -1) {
		long value = optarg ? strtol(optarg, NULL, 10) : 0;

		switch (letter) {
		case 'n': bench.items = value; break;
		case 'b': bench.bytes = value; break;
		case 's': bench.durable = value; break;
		default: goto usage;
		}
	}
	if (argc - optind != 1 || bench.items < 1 || bench.bytes < 1 || bench.bytes > VALUE_ROOM - 2)
		goto usage;
	open_store(argv[optind]);
	run();
	leveldb_close(bench.db);
	return 0;
usage:
	fprintf(stderr, "usage: raw_leveldb [-n ITEMS] [-b BYTES] [-s DURABLE] DIRECTORY\n");
	return 2;
}
