/* check: each kind of damage is found, said in words, and nothing else is. Damage is done to the rows, past everything that would keep them true. */
#include "tests/unit/library_fixture.h"

TestSuite(check, .init = set_up, .fini = tear_down);

static void get(const struct buf *key, struct buf *value)
{
	buf_clear(value);
	cr_assert_eq(store_get(volume->store, NULL, key->data, key->len, value), RC_OK);
}

static void finds(const char *expected)
{
	unsigned long problems, lines = 0;
	char *text = fixture_check(volume, &problems);
	for (char *c = text; *c; c++)
		lines += *c == '\n';
	cr_expect_str_eq(text, expected);
	cr_expect_eq(problems, lines);
	free(text);
}

static void entry_row(const char *year, const char *pk, const char *sk, bool body, struct buf *row)
{
	struct leaf leaf = fixture_item(table, pk, sk);
	struct key key = fixture_key(KEY_N, KEY_PARTITION, year);
	const struct key *keys[] = {&key, &leaf.pk, &leaf.sk};
	row_entry(row, table->id, table->schema->indexes[0].id, keys, 3, body);
}

static void put_partition(const struct key *pk, const struct partition_record *record)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_partition(&row, table->id, pk);
	partition_write(&value, record);
	store_put(&row, value.data, value.len);
}

Test(check, a_missing_entry_is_named_with_its_item)
{
	cleanup_buf struct buf row = {0};
	entry_row("1975", "Queen", "Bohemian", false, &row);
	store_put(&row, NULL, 0);
	finds("Music: index by-year: entry 1975/Queen,Bohemian: is missing, and item Queen/Bohemian has it\n"
	      "Music: index by-year: says 3 entries of 3069 bytes, and holds 2 of 3036\n");
}

Test(check, an_entry_without_an_item_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct table_counters counters;
	entry_row("1975", "Queen", "Bohemian", false, &row);
	get(&row, &value);
	buf_clear(&row);
	entry_row("1975", "Queen", "Nobody", false, &row);
	store_put(&row, value.data, value.len);
	buf_clear(&row);
	buf_clear(&value);
	row_counters(&row, table->id);
	get(&row, &value);
	cr_assert_eq(counters_read(value.data, value.len, &counters), RC_OK);
	counters.index[0].entries++;
	counters.index[0].bytes += 33;
	buf_clear(&value);
	counters_write(&value, &counters);
	store_put(&row, value.data, value.len);
	finds("Music: index by-year: entry 1975/Queen,Nobody: has no item\n");
}

Test(check, an_entry_that_its_item_does_not_give_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	entry_row("1975", "Queen", "Bohemian", false, &row);
	get(&row, &value);
	buf_clear(&row);
	entry_row("1976", "Queen", "Bohemian", false, &row);
	store_put(&row, value.data, value.len);
	finds("Music: index by-year: entry 1976/Queen,Bohemian: its item does not qualify for it\n"
	      "Music: index by-year: says 3 entries of 3069 bytes, and holds 4 of 3102\n");
}

Test(check, an_entry_with_other_bytes_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	entry_row("1975", "Queen", "Bohemian", false, &row);
	get(&row, &value);
	value.data[value.len - 4]++; /* a digit of the document */
	store_put(&row, value.data, value.len);
	finds("Music: index by-year: entry 1975/Queen,Bohemian: does not hold what its item projects\n");
}

Test(check, an_entry_without_its_bytes_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	char expected[200];
	entry_row("1977", "ABBA", "Eagle", true, &row);
	get(&row, &value);
	store_put(&row, NULL, 0);
	snprintf(expected, sizeof expected, "Music: index by-year: entry 1977/ABBA,Eagle: its %zu bytes are missing\n",
		 value.len);
	finds(expected);
}

Test(check, bytes_beside_an_entrys_inline_ones_are_named)
{
	cleanup_buf struct buf row = {0};
	entry_row("1975", "Queen", "Bohemian", true, &row);
	store_put(&row, "x", 1);
	finds("Music: index by-year: entry 1975/Queen,Bohemian: bytes beside those that its head holds\n");
}

Test(check, each_counter_is_compared)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct table_counters counters;
	row_counters(&row, table->id);
	get(&row, &value);
	cr_assert_eq(counters_read(value.data, value.len, &counters), RC_OK);
	uint64_t bytes = counters.bytes;
	counters.partitions += 5;
	counters.files--;
	counters.items += 7;
	counters.bytes++;
	counters.index[0].bytes++;
	counters_of(&counters, 77)->entries = 1;
	buf_clear(&value);
	counters_write(&value, &counters);
	store_put(&row, value.data, value.len);
	char expected[600];
	snprintf(expected, sizeof expected,
		 "Music: says 7 partitions, and holds 2\n"
		 "Music: says 0 files, and holds 1\n"
		 "Music: says 10 items, and holds 3\n"
		 "Music: says %llu bytes of items, and holds %llu\n"
		 "Music: index by-year: says 3 entries of 3070 bytes, and holds 3 of 3069\n"
		 "Music: counts entries of an index (number 77) that it does not define\n",
		 (unsigned long long)bytes + 1, (unsigned long long)bytes);
	finds(expected);
}

Test(check, missing_counters_are_named)
{
	cleanup_buf struct buf row = {0};
	row_counters(&row, table->id);
	store_put(&row, NULL, 0);
	finds("Music: its counters are missing\n");
}

Test(check, an_item_without_its_bytes_is_named)
{
	cleanup_buf struct buf row = {0};
	char expected[200];
	item_row("ABBA", "Eagle", true, &row);
	store_put(&row, NULL, 0);
	snprintf(expected, sizeof expected, "Music: item ABBA/Eagle: its %zu bytes are missing\n", strlen(large));
	finds(expected);
}

Test(check, an_item_with_too_few_bytes_is_named)
{
	cleanup_buf struct buf row = {0};
	char expected[200];
	item_row("ABBA", "Eagle", true, &row);
	store_put(&row, large, 2000);
	snprintf(expected, sizeof expected, "Music: item ABBA/Eagle: it has 2000 bytes, and its head says %zu\n",
		 strlen(large));
	finds(expected);
}

Test(check, bytes_of_no_item_are_named)
{
	cleanup_buf struct buf row = {0};
	item_row("ABBA", "Nobody", true, &row);
	store_put(&row, large, LARGE);
	finds("Music: item ABBA/Nobody: bytes that belong to no head\n");
}

Test(check, a_head_that_was_cut_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	item_row("Queen", "Bohemian", false, &row);
	get(&row, &value);
	store_put(&row, value.data, value.len - 1);
	finds("Music: item Queen/Bohemian: its head cannot be read\n");
}

/* The head row of an item, and the document in it. */
static const uint8_t *get_bohemian(struct buf *row, struct buf *value, struct head *ret_head)
{
	const uint8_t *document;
	item_row("Queen", "Bohemian", false, row);
	get(row, value);
	cr_assert_eq(head_read(value->data, value->len, ret_head, &document), RC_OK);
	return document;
}

Test(check, a_wrong_measure_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0}, changed = {0};
	struct head head;
	const uint8_t *in = get_bohemian(&row, &value, &head);
	head.measure++;
	head_write(&changed, &head, in);
	store_put(&row, changed.data, changed.len);
	char expected[200];
	snprintf(expected, sizeof expected,
		 "Music: item Queen/Bohemian: its head says that it measures %u bytes, and it measures %u\n",
		 head.measure, head.measure - 1);
	finds(expected);
}

Test(check, a_head_of_the_future_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0}, changed = {0};
	struct head head;
	const uint8_t *in = get_bohemian(&row, &value, &head);
	head.version = 1000000;
	head_write(&changed, &head, in);
	store_put(&row, changed.data, changed.len);
	finds("Music: item Queen/Bohemian: it is of a commit that the volume never made\n");
}

Test(check, a_document_that_is_refused_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0}, changed = {0};
	struct head head;
	get_bohemian(&row, &value, &head);
	const char *other = "{\"Artist\":\"AB\"}    ";
	cr_assert_eq(strlen(other), head.size);
	head_write(&changed, &head, other);
	store_put(&row, changed.data, changed.len);
	finds("Music: item Queen/Bohemian: its document is refused: the document says Artist is \"AB\", and its path "
	      "says \"Queen\"\n");
}

Test(check, a_missing_partition_is_named_with_all_that_is_in_it)
{
	cleanup_buf struct buf row = {0};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Queen");
	row_partition(&row, table->id, &pk);
	store_put(&row, NULL, 0);
	finds("Music: item Queen/Bohemian: there is no such partition\n"
	      "Music: item Queen/Innuendo: there is no such partition\n"
	      "Music: file Queen/README: there is no such partition\n"
	      "Music: says 2 partitions, and holds 1\n");
}

Test(check, a_partitions_counts_are_compared)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct partition_record record;
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Queen");
	row_partition(&row, table->id, &pk);
	get(&row, &value);
	cr_assert_eq(partition_read(value.data, value.len, &record), RC_OK);
	record.items++;
	record.files = 0;
	put_partition(&pk, &record);
	finds("Music: partition Queen: says 3 items and 0 files, and holds 2 and 1\n");
}

Test(check, an_implicit_partition_with_nothing_in_it_is_named)
{
	struct partition_record record = {.implicit = true};
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "a\tb");
	put_partition(&pk, &record);
	finds("Music: partition a\\x09b: came with its first item, and stays with none\n"
	      "Music: says 2 partitions, and holds 3\n");
}

Test(check, a_partition_key_of_another_type_is_named)
{
	struct partition_record record = {.implicit = false};
	struct key pk = fixture_key(KEY_N, KEY_PARTITION, "42");
	put_partition(&pk, &record);
	finds("Music: partition 42: its key is none of this table\n"
	      "Music: says 2 partitions, and holds 3\n");
}

Test(check, an_item_whose_partitions_key_nobody_told_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct key pending, sk = fixture_key(KEY_S, KEY_SORT, "Bohemian");
	item_row("Queen", "Bohemian", false, &row);
	get(&row, &value);
	key_pending("long%~0123456789abcdef", &pending);
	buf_clear(&row);
	row_item(&row, table->id, &pending, &sk, false);
	store_put(&row, value.data, value.len);
	finds("Music: item long%~0123456789abcdef/Bohemian: its key is none of this table\n"
	      "Music: says 3 items, and holds 4\n");
}

Test(check, rows_of_no_table_are_named_once)
{
	cleanup_buf struct buf row = {0};
	row_table(&row, 99);
	store_put(&row, "x", 1);
	row.data[4] = 'Z';
	store_put(&row, "x", 1);
	finds("rows of a table (id 99) that the catalogue does not name\n");
}

Test(check, rows_that_wait_for_their_deletion_are_no_problem)
{
	cleanup_buf struct buf row = {0};
	uint32_t index = 55;
	row_table(&row, 98);
	store_put(&row, "x", 1);
	buf_clear(&row);
	row_dead(&row, 98, 0);
	store_put(&row, "", 0);
	buf_clear(&row);
	row_dead(&row, table->id, index);
	store_put(&row, "", 0);
	buf_clear(&row);
	row_entry(&row, table->id, index, NULL, 0, false);
	buf_add_text(&row, "whatever");
	store_put(&row, "x", 1);
	finds("");
}

Test(check, entries_of_no_index_are_named_once)
{
	cleanup_buf struct buf row = {0};
	row_entry(&row, table->id, 56, NULL, 0, false);
	buf_add_text(&row, "a");
	store_put(&row, "x", 1);
	buf_add_text(&row, "b");
	store_put(&row, "x", 1);
	row.data[4] = 'J';
	store_put(&row, "x", 1);
	finds("Music: entries of an index (number 56) that it does not define\n"
	      "Music: bytes of an index (number 56) that it does not define\n");
}

Test(check, rows_of_no_kind_are_named)
{
	cleanup_buf struct buf row = {0}, short_row = {0};
	row_table(&row, table->id);
	row.data[4] = 'Z';
	store_put(&row, "x", 1);
	row.data[4] = 'T';
	buf_add_byte(&row, 7);
	store_put(&row, "x", 1);
	buf_add_text(&short_row, "\x01\x02");
	store_put(&short_row, "x", 1);
	char expected[200];
	snprintf(
	    expected, sizeof expected,
	    "row %08x5407: belongs to nothing\nMusic: row %08x5a: belongs to nothing\nrow 0102: belongs to nothing\n",
	    table->id, table->id);
	finds(expected);
}

Test(check, a_table_without_a_definition_is_named)
{
	cleanup_buf struct buf row = {0};
	row_table(&row, table->id);
	store_put(&row, NULL, 0);
	finds("Music: its definition is missing\n");
}

Test(check, a_definition_that_is_refused_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	unsigned long problems;
	row_table(&row, table->id);
	get(&row, &value);
	memcpy(value.data + value.len - 4, "!!!!", 4);
	store_put(&row, value.data, value.len);
	char *text = fixture_check(volume, &problems);
	cr_expect_eq(problems, 1);
	cr_expect_eq(strncmp(text, "Music: its definition is refused: ", 34), 0, "%s", text);
	free(text);
}

Test(check, two_names_of_one_table_are_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_catalog(&row, "Songs");
	buf_add_u32(&value, table->id);
	store_put(&row, value.data, value.len);
	char expected[200];
	snprintf(expected, sizeof expected, "Songs: has the same rows as table Music (id %u)\n", table->id);
	finds(expected);
}

Test(check, a_table_id_that_was_never_given_is_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	row_catalog(&row, "Songs");
	buf_add_u32(&value, 4000);
	store_put(&row, value.data, value.len);
	finds("Songs: its id 4000 was never given out\nSongs: its definition is missing\n");
}

Test(check, a_file_without_its_bytes_and_bytes_without_a_file_are_named)
{
	cleanup_buf struct buf row = {0};
	row_file(&row, table->id, NULL, "notes", 5, true);
	store_put(&row, NULL, 0);
	buf_clear(&row);
	row_file(&row, table->id, NULL, "nothing", 7, true);
	store_put(&row, "x", 1);
	char expected[200];
	snprintf(expected, sizeof expected,
		 "Music: file notes: its %zu bytes are missing\nMusic: file nothing: bytes that belong to no head\n",
		 strlen(large));
	finds(expected);
}

Test(check, drafts_and_lines_that_cannot_be_read_are_named)
{
	cleanup_buf struct buf row = {0}, value = {0};
	struct head head = {.size = 2000};
	volume->record.next_refusal = 10;
	fixture_put(table, "Queen", "Innuendo", "{\"year\":1992}"); /* the volume row goes with each commit */
	head_write(&value, &head, large);
	row_refusal(&row, 3, false);
	store_put(&row, value.data, value.len);
	buf_clear(&row);
	row_refusal(&row, 4, true);
	store_put(&row, "x", 1);
	buf_clear(&row);
	row_error(&row, 5);
	store_put(&row, "x", 1);
	buf_clear(&row);
	row_error(&row, 11);
	store_put(&row, "\0\0\0\0\0\0\0\1a{}", 11);
	finds("rejected draft 3: its 2000 bytes are missing\n"
	      "rejected draft 4: bytes that belong to no head\n"
	      "line of errors 5: cannot be read\n"
	      "line of errors 11: its number was never given out\n");
}

Test(check, a_volume_row_that_cannot_be_read_is_named)
{
	cleanup_buf struct buf row = {0};
	row_volume(&row);
	store_put(&row, "itemfs", 6);
	finds("the volume row cannot be read\n");
}

Test(check, says_what_each_table_holds_when_asked)
{
	char *text = NULL;
	size_t n;
	unsigned long problems;
	FILE *out = open_memstream(&text, &n);
	cr_assert_eq(check_volume(volume, out, true, &problems), RC_OK);
	fclose(out);
	cr_expect_eq(problems, 0);
	cr_expect_eq(strncmp(text, "Music: 2 partitions, 3 items of ", 32), 0, "%s", text);
	cr_expect_not_null(strstr(text, ", 1 files, index by-year: 3 entries\n"), "%s", text);
	free(text);
}

Test(check, a_sound_volume_stays_sound_over_a_remount)
{
	table_unref(table);
	volume_close(volume);
	volume = fixture_open(path);
	table = fixture_find(volume, "Music");
	fixture_sound(volume);
}

Test(check, a_missing_root_is_named)
{
	cleanup_buf struct buf row = {0};
	row_root(&row);
	store_put(&row, NULL, 0);
	finds("the root directory's row is missing\n");
}
