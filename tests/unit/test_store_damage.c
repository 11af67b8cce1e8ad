/* store: files that were cut, flipped or left full of zeros. What a crash of the writer or of the power leaves must open
 * and hold a prefix of the batches; what only a broken disk makes must be refused: never a wrong or a missing value. */
#include "store/store.h"
#include "tests/unit/place.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files of a store that was closed, in memory, so that each case begins with them anew. */
struct file {
	char name[64];
	uint8_t *bytes;
	size_t n;
};

struct image {
	char place[64];
	struct file files[64];
	size_t n;
	int batches;
	size_t value; /* bytes of one */
	size_t write_buffer;
};

static struct file *read_file(struct image *image, const char *name)
{
	struct file *file = &image->files[image->n++];
	char path[192];
	struct stat st;
	int fd;

	cr_assert_lt(image->n, sizeof(image->files) / sizeof(image->files[0]));
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", image->place, name);
	fd = open(path, O_RDONLY);
	cr_assert(fd >= 0 && fstat(fd, &st) == 0);
	file->n = (size_t)st.st_size;
	file->bytes = malloc(file->n + 1);
	cr_assert_eq(read(fd, file->bytes, file->n), st.st_size);
	close(fd);
	return file;
}

static void read_image(struct image *image)
{
	DIR *listing = opendir(image->place);
	struct dirent *entry;

	while ((entry = readdir(listing))) {
		if (entry->d_type == DT_REG && strncmp(entry->d_name, "LO", 2) != 0)
			read_file(image, entry->d_name);
	}
	closedir(listing);
}

static void write_file(const struct image *image, const struct file *file, size_t n)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", image->place, file->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, file->bytes, n), (ssize_t)n);
	close(fd);
}

/* The whole image, but `changed`'s first n bytes only. */
static void write_image(const struct image *image, const struct file *changed, size_t n)
{
	place_empty(image->place);
	for (size_t i = 0; i < image->n; i++)
		write_file(image, &image->files[i], &image->files[i] == changed ? n : image->files[i].n);
}

static void write_image_without(const struct image *image, const struct file *gone)
{
	place_empty(image->place);
	for (size_t i = 0; i < image->n; i++) {
		if (&image->files[i] != gone)
			write_file(image, &image->files[i], image->files[i].n);
	}
}

static void free_image(struct image *image)
{
	for (size_t i = 0; i < image->n; i++)
		free(image->files[i].bytes);
	place_empty(image->place);
	rmdir(image->place);
}

static struct file *find_file(struct image *image, const char *part)
{
	struct file *best = NULL;

	for (size_t i = 0; i < image->n; i++) {
		if (strstr(image->files[i].name, part) && (!best || image->files[i].n > best->n))
			best = &image->files[i];
	}
	cr_assert_not_null(best, "no %s", part);
	return best;
}

static enum rc open_image(const struct image *image, struct store **ret_store, struct why *why)
{
	struct store_options options = {.create = true, .write_buffer = image->write_buffer};

	return store_open(image->place, &options, ret_store, why);
}

static void fill_value(const struct image *image, int i, char *ret_value)
{
	unsigned seed = (unsigned)i + 1;

	for (size_t at = 0; at < image->value; at++)
		ret_value[at] = (char)(rand_r(&seed) >> 7);
}

/* Batch i has the keys a<i> and z<i>. */
static void make_image(struct image *image, int batches, size_t value_n, size_t write_buffer)
{
	char *value = malloc(value_n);
	struct store_batch *batch;
	struct store *store;
	char key[32];

	*image = (struct image){
	    .place = "/tmp/itemfs-damage-XXXXXX", .batches = batches, .value = value_n, .write_buffer = write_buffer};
	cr_assert_not_null(mkdtemp(image->place));
	cr_assert_eq(open_image(image, &store, NULL), RC_OK);
	cr_assert_eq(store_batch_new(store, &batch), RC_OK);
	for (int i = 0; i < batches; i++) {
		store_batch_clear(batch);
		fill_value(image, i, value);
		snprintf(key, sizeof(key), "a%05d", i);
		store_batch_put(batch, key, strlen(key), value, value_n);
		key[0] = 'z';
		store_batch_put(batch, key, strlen(key), value, value_n);
		cr_assert_eq(store_write(store, batch, false), RC_OK);
	}
	store_batch_free(batch);
	store_close(store);
	free(value);
	read_image(image);
}

/* Reads key by key. RC_OK: it has its value; never a wrong one. */
static enum rc get(const struct image *image, struct store *store, char kind, int i)
{
	char key[32], *value = malloc(image->value);
	struct buf buf = {0};
	enum rc rc;

	snprintf(key, sizeof(key), "%c%05d", kind, i);
	rc = store_get(store, NULL, key, strlen(key), &buf);
	if (rc == RC_OK) {
		fill_value(image, i, value);
		cr_assert_eq(buf.len, image->value);
		cr_assert_eq(memcmp(buf.data, value, buf.len), 0, "%s has a wrong value", key);
	}
	buf_free(&buf);
	free(value);
	return rc;
}

/* How many batches are there, after a look whether they are the first ones. */
static int count_prefix(const struct image *image, struct store *store)
{
	int n = 0;

	while (n < image->batches && get(image, store, 'a', n) == RC_OK)
		n++;
	for (int i = 0; i < image->batches; i++) {
		enum rc wanted = i < n ? RC_OK : RC_NOT_FOUND;

		cr_assert_eq(get(image, store, 'a', i), wanted, "batch %d, where the first %d are there", i, n);
		cr_assert_eq(get(image, store, 'z', i), wanted, "batch %d, where the first %d are there", i, n);
	}
	return n;
}

static int open_and_count(const struct image *image, const char *what, size_t at)
{
	struct store *store;
	struct why why = {0};
	enum rc rc = open_image(image, &store, &why);
	int n;

	cr_assert_eq(rc, RC_OK, "%s at %zu: %s: %s", what, at, rc_name(rc), why.text);
	n = count_prefix(image, store);
	store_close(store);
	return n;
}

/* ---- what a crash leaves ---- */

static void cut_everywhere(int batches, size_t value, size_t most, size_t step)
{
	struct image image;
	struct file *log;
	int before = batches;

	make_image(&image, batches, value, 0);
	log = find_file(&image, ".log");
	for (size_t cut = 0; cut < most && cut <= log->n; cut += step) {
		int n;

		write_image(&image, log, log->n - cut);
		n = open_and_count(&image, "cut", log->n - cut);
		cr_assert(cut ? n <= before : n == batches);
		before = n;
	}
	cr_assert_lt(before, batches);
	free_image(&image);
}

Test(store_damage, a_log_that_was_cut_anywhere_opens_with_a_prefix_of_whole_batches, .timeout = 900)
{
	cut_everywhere(20, 50, 2048, 1);
}

Test(store_damage, so_does_one_whose_batches_span_its_blocks, .timeout = 900)
{
	cut_everywhere(6, 9000, 100000, 499);
}

/* Some file systems keep the new length and not the new bytes. */
static void zero_everywhere(int batches, size_t value, size_t padding)
{
	struct image image;
	struct file *log;
	size_t old;

	make_image(&image, batches, value, 0);
	log = find_file(&image, ".log");
	old = log->n;
	log->bytes = realloc(log->bytes, old + padding);
	memset(log->bytes + old, 0, padding);
	log->n += padding;
	for (size_t page = log->n / 4096 * 4096;; page -= 4096) {
		memset(log->bytes + page, 0, log->n - page);
		write_image(&image, log, log->n);
		cr_assert(open_and_count(&image, "zeros", page) == batches || page < old);
		cr_assert_eq(open_and_count(&image, "zeros, again", page) == batches, page >= old);
		if (page == 0)
			break;
	}
	free_image(&image);
}

Test(store_damage, a_log_that_ends_in_zeros_opens_with_the_batches_before_them, .timeout = 900)
{
	zero_everywhere(120, 200, 20000);
	zero_everywhere(5, 12000, 0);
	zero_everywhere(5, 12000, 100000);
}

/* ---- what only a broken disk makes ---- */

/* Opens, and reads all there is both ways. Something must say that it is damaged, unless all is there. */
static void expect_damage_or_all(const struct image *image, const char *name, size_t bit)
{
	struct store *store;
	struct store_cursor *cursor;
	enum rc rc = open_image(image, &store, NULL);
	bool told = false;
	int seen = 0;

	if (rc) {
		cr_assert_eq(rc, RC_CORRUPT, "%s", rc_name(rc));
		return;
	}
	for (int i = 0; i < image->batches * 2; i++) {
		rc = get(image, store, i % 2 ? 'z' : 'a', i / 2);
		cr_assert(rc == RC_OK || rc == RC_CORRUPT, "%s, bit %zu: %s", name, bit, rc_name(rc));
		told = told || rc == RC_CORRUPT;
	}
	cr_assert_eq(store_cursor_open(store, NULL, "", 0, NULL, 0, &cursor), RC_OK);
	while ((rc = store_cursor_next(cursor)) == RC_OK)
		seen++;
	cr_assert_eq(rc, seen == image->batches * 2 ? RC_NOT_FOUND : RC_CORRUPT, "%s, bit %zu: %s after %d", name, bit,
		     rc_name(rc), seen);
	cr_assert(!told || rc == RC_CORRUPT);
	if (rc == RC_CORRUPT)
		cr_assert_eq(store_cursor_prev(cursor), RC_CORRUPT, "there is no way on from there");
	store_cursor_close(cursor);
	store_close(store);
}

static void flip_bits(struct image *image, const char *part, size_t step, bool all_refused)
{
	struct file *file = find_file(image, part);

	for (size_t bit = 0; bit < file->n * 8; bit += step) {
		struct store *store;

		file->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_image(image, file, file->n);
		if (all_refused)
			cr_assert_eq(open_image(image, &store, NULL), RC_CORRUPT, "%s, bit %zu", file->name, bit);
		else
			expect_damage_or_all(image, file->name, bit);
		file->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

Test(store_damage, a_log_with_any_bit_flipped_is_refused, .timeout = 900)
{
	struct image image;

	make_image(&image, 8, 40, 0);
	flip_bits(&image, ".log", 1, true);
	free_image(&image);
	make_image(&image, 4, 10000, 0);
	flip_bits(&image, ".log", 997, true);
	free_image(&image);
}

/* Batches 0 and 1 in one log, 2 and 3 in the next, as where the store died before the first became a table. */
Test(store_damage, an_older_log_that_ends_early_is_refused_and_not_passed_over)
{
	struct image image, other;
	struct store *store;
	struct file *older, *newer;

	make_image(&image, 2, 100, 0);
	make_image(&other, 4, 100, 0);
	older = find_file(&image, ".log");
	newer = find_file(&other, ".log");
	cr_assert_eq(memcmp(older->bytes, newer->bytes, older->n), 0);

	/* Each of these batches is one record, in one block: a log may begin anywhere between them. */
	newer = &image.files[image.n++];
	snprintf(newer->name, sizeof(newer->name), "000099.log");
	newer->n = find_file(&other, ".log")->n - older->n;
	newer->bytes = malloc(newer->n);
	memcpy(newer->bytes, find_file(&other, ".log")->bytes + older->n, newer->n);
	image.batches = 4;
	write_image(&image, NULL, 0);
	cr_assert_eq(open_and_count(&image, "two logs", 0), 4);

	for (size_t n = 0; n < older->n; n++) {
		write_image(&image, older, n);
		cr_assert_eq(open_image(&image, &store, NULL), RC_CORRUPT, "%zu", n);
	}
	write_image_without(&image, older);
	cr_assert_eq(open_image(&image, &store, NULL), RC_CORRUPT);
	free_image(&image);
	free_image(&other);
}

/* LevelDB would begin a new one in silence, without what was acknowledged last. */
Test(store_damage, a_log_that_is_gone_is_noticed)
{
	struct image image;
	struct store *store;
	struct why why;
	struct file *log;

	make_image(&image, 4, 100, 0);
	log = find_file(&image, ".log");
	write_image_without(&image, log);
	cr_assert_eq(open_image(&image, &store, &why), RC_CORRUPT);
	cr_assert_not_null(strstr(why.text, log->name), "%s", why.text);
	cr_assert_not_null(strstr(why.text, "is missing"), "%s", why.text);
	write_image(&image, NULL, 0);
	cr_assert_eq(open_and_count(&image, log->name, 0), 4);
	free_image(&image);
}

/* Enough batches for tables; all of them are in tables after one more open. */
static void make_tables(struct image *image)
{
	struct store *store;

	make_image(image, 150, 600, 64 << 10);
	for (size_t i = 0; i < image->n; i++)
		free(image->files[i].bytes);
	image->n = 0;
	cr_assert_eq(open_image(image, &store, NULL), RC_OK);
	store_close(store);
	read_image(image);
}

Test(store_damage, a_table_with_a_bit_flipped_says_so_or_gives_right_values_and_never_leaves_out_any, .timeout = 900)
{
	struct image image;

	make_tables(&image);
	flip_bits(&image, ".ldb", 19997, false);
	free_image(&image);
}

Test(store_damage, the_end_of_a_table_is_looked_at_bit_by_bit, .timeout = 900)
{
	struct image image;
	struct file *table;

	make_tables(&image);
	table = find_file(&image, ".ldb");
	for (size_t bit = (table->n - 400) * 8; bit < table->n * 8; bit += 13) {
		table->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_image(&image, table, table->n);
		expect_damage_or_all(&image, table->name, bit);
		table->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free_image(&image);
}

Test(store_damage, a_table_that_is_short_or_gone_is_noticed, .timeout = 900)
{
	struct image image;
	struct file *table;

	make_tables(&image);
	table = find_file(&image, ".ldb");
	for (size_t n = 0; n < table->n; n += 1 + table->n / 40) {
		write_image(&image, table, n);
		expect_damage_or_all(&image, table->name, n * 8);
	}
	write_image_without(&image, table);
	expect_damage_or_all(&image, table->name, 0);
	free_image(&image);
}

/* The manifest says which tables there are: a shorter one would have LevelDB delete the others. */
Test(store_damage, a_manifest_with_any_bit_flipped_is_refused, .timeout = 900)
{
	struct image image;

	make_image(&image, 8, 40, 0);
	flip_bits(&image, "MANIFEST", 1, true);
	free_image(&image);
	make_tables(&image);
	flip_bits(&image, "MANIFEST", 23, true);
	free_image(&image);
}

Test(store_damage, a_CURRENT_with_any_bit_flipped_is_refused)
{
	struct image image;

	make_image(&image, 8, 40, 0);
	flip_bits(&image, "CURRENT", 1, true);
	free_image(&image);
}
