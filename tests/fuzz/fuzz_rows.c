/* The input is a row's value, and a row's key: each reader gets it.
 *
 * What it asserts: whatever a reader takes, written again, is the same bytes. So each record has one form on the disk, no length in it is believed, and nothing past the end
 * is looked at (the input has a buffer of its own, so that the sanitizer sees).
 */
#include "store/catalog.h"
#include "store/rows.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

static void assert_same(struct buf *written, const uint8_t *bytes, size_t n)
{
	assert_that(!written->failed && written->len == n && (!n || memcmp(written->data, bytes, n) == 0));
	buf_clear(written);
}

static void read_values(const uint8_t *bytes, size_t n)
{
	cleanup_buf struct buf again = {0};
	struct head head;
	struct partition_record partition;
	struct volume_record volume;
	struct table_record table;
	struct table_counters counters;
	struct build_record build;
	const uint8_t *in = NULL;
	if (!head_read(bytes, n, &head, &in)) {
		assert_that(!in == (head.size > ROW_INLINE_MAX));
		head_write(&again, &head, in);
		assert_same(&again, bytes, n);
	}
	if (!partition_read(bytes, n, &partition)) {
		partition_write(&again, &partition);
		assert_same(&again, bytes, n);
	}
	enum rc rc = volume_read(bytes, n, &volume);
	assert_that(rc == RC_OK || rc == RC_CORRUPT || (rc == RC_UNSUPPORTED && volume.format > ROW_FORMAT));
	if (!rc) {
		volume_write(&again, &volume);
		assert_same(&again, bytes, n);
	}
	if (!table_read(bytes, n, &table)) {
		assert_that(table.document_len <= n && table.indexes <= CATALOG_INDEXES_MAX);
		table_write(&again, &table);
		assert_same(&again, bytes, n);
	}
	if (!build_read(bytes, n, &build)) {
		build_write(&again, &build);
		assert_same(&again, bytes, n);
	}
	if (!counters_read(bytes, n, &counters)) {
		counters_write(&again, &counters);
		assert_same(&again, bytes, n);
	}
}

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The writers give the letter; the readers leave it to whoever chose the range. */
static void assert_same_key(struct buf *written, const uint8_t *bytes, size_t n)
{
	assert_that(!written->failed && written->len == n);
	written->data[4] = bytes[4];
	assert_same(written, bytes, n);
}

static void read_keys(const uint8_t *bytes, size_t n)
{
	cleanup_buf struct buf again = {0};
	struct key keys[ROW_KEYS_MAX];
	const struct key *each[ROW_KEYS_MAX] = {&keys[0], &keys[1], &keys[2], &keys[3]};
	bool inside;
	const char *name;
	size_t name_n;
	if (!row_parse_partition(bytes, n, &keys[0])) {
		row_partition(&again, number_at(bytes), &keys[0]);
		assert_same_key(&again, bytes, n);
	}
	for (int has_sk = 0; has_sk < 2; has_sk++) {
		if (row_parse_item(bytes, n, has_sk, &keys[0], &keys[1]))
			continue;
		row_item(&again, number_at(bytes), &keys[0], has_sk ? &keys[1] : NULL, false);
		assert_same_key(&again, bytes, n);
	}
	if (!row_parse_file(bytes, n, &inside, &keys[0], &name, &name_n)) {
		assert_that(name_n >= 1 && name_n <= 255 && (const uint8_t *)name + name_n == bytes + n);
		row_file(&again, number_at(bytes), inside ? &keys[0] : NULL, name, name_n, false);
		assert_same_key(&again, bytes, n);
	}
	for (size_t count = 0; count <= ROW_KEYS_MAX; count++) {
		if (row_parse_entry(bytes, n, keys, count))
			continue;
		row_entry(&again, number_at(bytes), number_at(bytes + 5), each, count, false);
		assert_same_key(&again, bytes, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *own = malloc(n ? n : 1);
	if (!own)
		return 0;
	if (n)
		memcpy(own, bytes, n);
	read_values(own, n);
	read_keys(own, n);
	free(own);
	return 0;
}
