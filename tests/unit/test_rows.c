/* rows: the disk format, byte for byte where it must never change, and read back exactly or not at all. */
#include "store/catalog.h"
#include "tests/unit/fixture.h"

static bool bytes_are(const struct buf *buf, const char *bytes, size_t n)
{
	return buf->len == n && memcmp(buf->data, bytes, n) == 0;
}

#define EXPECT_BYTES(buf, literal) cr_expect(bytes_are(buf, literal, sizeof literal - 1), "%s", literal)

static const struct meta some = {0755, 1, 2, 3, -4, 5};

Test(rows, keys_of_the_volume_are_these_bytes)
{
	cleanup_buf struct buf key = {0};
	row_volume(&key);
	EXPECT_BYTES(&key, "\0\0\0\0V");
	buf_clear(&key);
	row_root(&key);
	EXPECT_BYTES(&key, "\0\0\0\0M");
	buf_clear(&key);
	row_catalog(&key, "Music");
	EXPECT_BYTES(&key, "\0\0\0\0TMusic");
	buf_clear(&key);
	row_dead(&key, 258, 0);
	EXPECT_BYTES(&key, "\0\0\0\0D\0\0\1\2");
	buf_clear(&key);
	row_dead(&key, 258, 3);
	EXPECT_BYTES(&key, "\0\0\0\0D\0\0\1\2\0\0\0\3");
	buf_clear(&key);
	row_refusal(&key, 9, false);
	EXPECT_BYTES(&key, "\0\0\0\0R\0\0\0\0\0\0\0\11");
	buf_clear(&key);
	row_refusal(&key, 9, true);
	EXPECT_BYTES(&key, "\0\0\0\0S\0\0\0\0\0\0\0\11");
	buf_clear(&key);
	row_error(&key, 9);
	EXPECT_BYTES(&key, "\0\0\0\0E\0\0\0\0\0\0\0\11");
}

Test(rows, keys_of_a_table_are_these_bytes)
{
	cleanup_buf struct buf key = {0};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "p"), sk = fixture_key(KEY_B, KEY_SORT, "0041");
	const struct key *keys[] = {&sk, &pk};
	row_table(&key, 7);
	EXPECT_BYTES(&key, "\0\0\0\7T");
	buf_clear(&key);
	row_counters(&key, 7);
	EXPECT_BYTES(&key, "\0\0\0\7C");
	buf_clear(&key);
	row_partition(&key, 7, &pk);
	EXPECT_BYTES(&key, "\0\0\0\7PSp\0\0");
	buf_clear(&key);
	row_item(&key, 7, &pk, &sk, false);
	EXPECT_BYTES(&key, "\0\0\0\7HSp\0\0B\0\377A\0\0");
	buf_clear(&key);
	row_item(&key, 7, &pk, NULL, true);
	EXPECT_BYTES(&key, "\0\0\0\7BSp\0\0");
	buf_clear(&key);
	row_file(&key, 7, NULL, "x", 1, false);
	EXPECT_BYTES(&key, "\0\0\0\7F\0x");
	buf_clear(&key);
	row_file(&key, 7, &pk, "x", 1, true);
	EXPECT_BYTES(&key, "\0\0\0\7G\1Sp\0\0x");
	buf_clear(&key);
	row_entry(&key, 7, 2, keys, 2, false);
	EXPECT_BYTES(&key, "\0\0\0\7I\0\0\0\2B\0\377A\0\0Sp\0\0");
	buf_clear(&key);
	row_entry(&key, 7, 2, keys, 1, true);
	EXPECT_BYTES(&key, "\0\0\0\7J\0\0\0\2B\0\377A\0\0");
}

Test(rows, keys_read_back)
{
	cleanup_buf struct buf row = {0};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "p\001q"), sk = fixture_key(KEY_N, KEY_SORT, "-12.5"), a, b,
		   read[3];
	const struct key *keys[] = {&sk, &pk, &sk};
	bool inside;
	const char *name;
	size_t n;
	row_partition(&row, 7, &pk);
	cr_expect_eq(row_parse_partition(row.data, row.len, &a), RC_OK);
	cr_expect(key_equal(&a, &pk));
	cr_expect_eq(row_parse_partition(row.data, row.len - 1, &a), RC_CORRUPT);
	buf_clear(&row);
	row_item(&row, 7, &pk, &sk, false);
	cr_expect_eq(row_parse_item(row.data, row.len, true, &a, &b), RC_OK);
	cr_expect(key_equal(&a, &pk) && key_equal(&b, &sk));
	cr_expect_eq(row_parse_item(row.data, row.len, false, &a, &b), RC_CORRUPT);
	cr_expect_eq(row_parse_item(row.data, row.len - 1, true, &a, &b), RC_CORRUPT);
	buf_add_byte(&row, 0);
	cr_expect_eq(row_parse_item(row.data, row.len, true, &a, &b), RC_CORRUPT);
	buf_clear(&row);
	row_file(&row, 7, &pk, "README", 6, false);
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &a, &name, &n), RC_OK);
	cr_expect(inside && key_equal(&a, &pk) && n == 6 && memcmp(name, "README", 6) == 0);
	buf_clear(&row);
	row_file(&row, 7, NULL, "x", 1, false);
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &a, &name, &n), RC_OK);
	cr_expect(!inside && n == 1);
	cr_expect_eq(row_parse_file(row.data, row.len - 1, &inside, &a, &name, &n), RC_CORRUPT, "no name");
	buf_clear(&row);
	row_entry(&row, 7, 2, keys, 3, false);
	cr_expect_eq(row_parse_entry(row.data, row.len, read, 3), RC_OK);
	cr_expect(key_equal(&read[0], &sk) && key_equal(&read[1], &pk) && key_equal(&read[2], &sk));
	cr_expect_eq(row_parse_entry(row.data, row.len, read, 2), RC_CORRUPT);
	cr_expect_eq(row_parse_entry(row.data, 8, read, 0), RC_CORRUPT);
}

Test(rows, a_file_name_that_no_directory_can_hold_is_corrupt)
{
	cleanup_buf struct buf row = {0};
	struct key pk;
	bool inside;
	const char *name;
	size_t n;
	char longest[256];
	memset(longest, 'x', sizeof longest);
	row_file(&row, 7, NULL, longest, 255, false);
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &pk, &name, &n), RC_OK);
	buf_add_byte(&row, 'x');
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &pk, &name, &n), RC_CORRUPT);
	buf_clear(&row);
	row_file(&row, 7, NULL, "a/b", 3, false);
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &pk, &name, &n), RC_CORRUPT);
	buf_clear(&row);
	row_file(&row, 7, NULL, "a\0b", 3, false);
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &pk, &name, &n), RC_CORRUPT);
	row.data[5] = 2;
	cr_expect_eq(row_parse_file(row.data, row.len, &inside, &pk, &name, &n), RC_CORRUPT,
		     "no such kind of directory");
}

Test(rows, after_a_prefix_comes_the_next_one)
{
	cleanup_buf struct buf row = {0};
	buf_add(&row, "a\xff\xff", 3);
	row_after(&row);
	EXPECT_BYTES(&row, "b");
	buf_clear(&row);
	buf_add(&row, "\xff\xff", 2);
	row_after(&row);
	cr_expect_eq(row.len, 0, "nothing comes after it");
}

Test(rows, a_head_is_these_bytes_and_reads_back)
{
	cleanup_buf struct buf value = {0};
	struct head head = {.meta = some, .birth = 6, .version = 7, .size = 2, .measure = 9}, read;
	const uint8_t *in;
	head_write(&value, &head, "{}");
	EXPECT_BYTES(&value,
		     "\1\0\0\1\355\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\377\377\377\377\377\377\377\374\0\0\0\0\0\0\0\5"
		     "\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\7\0\0\0\2\0\0\0\11{}");
	cr_assert_eq(head_read(value.data, value.len, &read, &in), RC_OK);
	cr_expect(read.birth == 6 && read.version == 7 && read.size == 2 && read.measure == 9);
	cr_expect(read.meta.mode == 0755 && read.meta.uid == 1 && read.meta.gid == 2 && read.meta.atime == 3 &&
		  read.meta.mtime == -4 && read.meta.ctime == 5);
	cr_expect_eq(memcmp(in, "{}", 2), 0);
	for (size_t n = 0; n < value.len; n++)
		cr_expect_eq(head_read(value.data, n, &read, &in), RC_CORRUPT, "%zu bytes of it", n);
	buf_add_byte(&value, 0);
	cr_expect_eq(head_read(value.data, value.len, &read, &in), RC_CORRUPT);
}

Test(rows, a_document_is_inline_up_to_its_bound)
{
	cleanup_buf struct buf value = {0};
	char document[ROW_INLINE_MAX + 1];
	memset(document, ' ', sizeof document);
	struct head head = {.meta = some, .size = ROW_INLINE_MAX}, read;
	const uint8_t *in = NULL;
	head_write(&value, &head, document);
	cr_assert_eq(head_read(value.data, value.len, &read, &in), RC_OK);
	cr_expect_not_null(in);
	value.data[0] = 0;
	cr_expect_eq(head_read(value.data, value.len, &read, &in), RC_CORRUPT, "its flag is not its size's");
	buf_clear(&value);
	head.size++;
	head_write(&value, &head, document);
	cr_assert_eq(head_read(value.data, value.len, &read, &in), RC_OK);
	cr_expect_null(in);
	buf_clear(&value);
	head.size = 0;
	head_write(&value, &head, NULL);
	cr_assert_eq(head_read(value.data, value.len, &read, &in), RC_OK);
	cr_expect_not_null(in, "nothing is inline, too");
}

Test(rows, a_head_with_impossible_fields_is_corrupt)
{
	cleanup_buf struct buf value = {0};
	struct head head = {.meta = some, .size = ITEM_DOCUMENT_MAX + 1}, read = {.birth = 77};
	const uint8_t *in;
	head_write(&value, &head, NULL);
	cr_expect_eq(head_read(value.data, value.len, &read, &in), RC_CORRUPT);
	buf_clear(&value);
	head.size = 0;
	head.meta.mode = 010000;
	head_write(&value, &head, NULL);
	cr_expect_eq(head_read(value.data, value.len, &read, &in), RC_CORRUPT);
	cr_expect_eq(read.birth, 77, "untouched");
	value.data[0] = 3;
	cr_expect_eq(head_read(value.data, value.len, &read, &in), RC_CORRUPT);
}

Test(rows, a_partition_reads_back)
{
	cleanup_buf struct buf value = {0};
	struct partition_record record = {.meta = some, .birth = 6, .implicit = true, .items = 3, .files = 4}, read;
	partition_write(&value, &record);
	cr_assert_eq(partition_read(value.data, value.len, &read), RC_OK);
	cr_expect(read.implicit && read.birth == 6 && read.items == 3 && read.files == 4 && read.meta.mtime == -4);
	for (size_t n = 0; n < value.len; n++)
		cr_expect_eq(partition_read(value.data, n, &read), RC_CORRUPT);
	value.data[0] = 2;
	cr_expect_eq(partition_read(value.data, value.len, &read), RC_CORRUPT);
}

Test(rows, the_volume_row_reads_back_and_a_newer_format_is_told_apart)
{
	cleanup_buf struct buf value = {0};
	struct volume_record record = {ROW_FORMAT, 3, 4, 5}, read;
	volume_write(&value, &record);
	EXPECT_BYTES(&value, "itemfs\n\0\0\0\2\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\5");
	cr_assert_eq(volume_read(value.data, value.len, &read), RC_OK);
	cr_expect(read.format == ROW_FORMAT && read.next_table == 3 && read.next_refusal == 4 && read.sequence == 5);
	for (size_t n = 0; n < value.len; n++)
		cr_expect_eq(volume_read(value.data, n, &read), RC_CORRUPT);
	value.data[10] = ROW_FORMAT + 1;
	cr_expect_eq(volume_read(value.data, 11, &read), RC_UNSUPPORTED);
	cr_expect_eq(read.format, ROW_FORMAT + 1);
	value.data[0] = 'I';
	cr_expect_eq(volume_read(value.data, value.len, &read), RC_CORRUPT);
}

Test(rows, a_table_record_reads_back)
{
	cleanup_buf struct buf value = {0};
	struct table_record record = {.identity = 1,
				      .declared = true,
				      .named = true,
				      .meta = some,
				      .birth = 2,
				      .version = 3,
				      .next_index = 9,
				      .indexes = 2,
				      .index_id = {5, 8},
				      .document = (const uint8_t *)"{}",
				      .document_len = 2},
			    read;
	table_write(&value, &record);
	cr_assert_eq(table_read(value.data, value.len, &read), RC_OK);
	cr_expect(read.identity == 1 && read.declared && read.named && read.next_index == 9 && read.indexes == 2);
	cr_expect(read.index_id[0] == 5 && read.index_id[1] == 8 && read.birth == 2 && read.version == 3);
	cr_expect(read.document_len == 2 && memcmp(read.document, "{}", 2) == 0);
	value.data[0] = 2;
	cr_expect_eq(table_read(value.data, value.len, &read), RC_CORRUPT, "a name without a definition");
	buf_clear(&value);
	record.indexes = 0;
	table_write(&value, &record);
	value.data[value.len - 3] = CATALOG_INDEXES_MAX + 1;
	cr_expect_eq(table_read(value.data, value.len, &read), RC_CORRUPT);
}

Test(rows, how_far_an_index_is_filled_reads_back)
{
	cleanup_buf struct buf value = {0}, key = {0};
	struct build_record record = {.started = 1, .worked = 3, .done = 9, .skipped = 5, .misfits = 4}, read;
	record.cursor = (const uint8_t *)"at";
	record.cursor_len = 2;
	build_write(&value, &record);
	cr_assert_eq(build_read(value.data, value.len, &read), RC_OK);
	cr_expect(!read.ended && read.started == 1 && read.worked == 3 && !read.finished);
	cr_expect(read.done == 9 && read.skipped == 5 && read.misfits == 4);
	cr_expect(read.cursor_len == 2 && memcmp(read.cursor, "at", 2) == 0);
	for (size_t n = 0; n < value.len - 2; n++)
		cr_expect_eq(build_read(value.data, n, &read), RC_CORRUPT);
	value.data[0] = 2;
	cr_expect_eq(build_read(value.data, value.len, &read), RC_CORRUPT);
	buf_clear(&value);
	record.misfits = 6;
	build_write(&value, &record);
	cr_expect_eq(build_read(value.data, value.len, &read), RC_CORRUPT, "more misfits than were skipped");
	row_build(&key, 2, 3);
	EXPECT_BYTES(&key, "\0\0\0\2U\0\0\0\3");
}

Test(rows, counters_read_back_and_know_their_indexes)
{
	cleanup_buf struct buf value = {0};
	struct table_counters counters = {.meta = some, .partitions = 1, .files = 2, .items = 3, .bytes = 4}, read;
	counters_of(&counters, 7)->entries = 70;
	counters_of(&counters, 9)->bytes = 90;
	counters_of(&counters, 7)->bytes = 71;
	cr_expect_eq(counters.indexes, 2);
	counters_write(&value, &counters);
	cr_assert_eq(counters_read(value.data, value.len, &read), RC_OK);
	cr_expect(read.partitions == 1 && read.files == 2 && read.items == 3 && read.bytes == 4 && read.indexes == 2);
	cr_expect(counters_of(&read, 7)->entries == 70 && counters_of(&read, 7)->bytes == 71 &&
		  counters_of(&read, 9)->bytes == 90);
	for (size_t n = 0; n < value.len; n++)
		cr_expect_eq(counters_read(value.data, n, &read), RC_CORRUPT);
	counters_drop(&counters, 7);
	cr_expect_eq(counters.indexes, 1);
	cr_expect_eq(counters_of(&counters, 9)->bytes, 90);
	for (uint32_t i = 0; i < CATALOG_INDEXES_MAX - 1; i++)
		cr_expect_not_null(counters_of(&counters, 100 + i));
	cr_expect_null(counters_of(&counters, 999));
}
