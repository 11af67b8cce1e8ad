/* check_private: what the files of the check share. Private to check*.c and repair*.c.
 *
 * Everything is read in one snapshot, by walks over ranges, so memory does not grow with what the volume holds (a name and a number a table apart).
 * What is wrong with a row is a line and a count, and the walk goes on; only what keeps the check itself from going on (memory, an I/O error) ends it.
 */
#ifndef ITEMFS_CHECK_PRIVATE_H
#define ITEMFS_CHECK_PRIVATE_H

#include "index/check.h"
#include "index/entry.h"
#include "index/private.h"

struct check_name {
	uint32_t id;
	char name[SCHEMA_NAME_MAX + 1];
};

struct check {
	struct store *store;
	const struct store_snapshot *at;
	FILE *out;
	bool verbose;
	unsigned long problems;
	struct volume_record record;
	bool record_sound;
	struct check_name *tables; /* what the catalogue names */
	size_t count, cap;
};

struct check_row {
	const uint8_t *key;
	size_t n;
	const uint8_t *value;
	size_t value_n;
};

struct check_table {
	struct check *check;
	const char *name;
	uint32_t id;
	struct buf record_value; /* which `record` points into */
	struct table_record record;
	struct schema *schema;
	struct table_counters counted;
	bool bytes_known;                            /* every item could be measured */
	bool index_bytes_known[CATALOG_INDEXES_MAX]; /* every entry, by place in the schema */
	struct buf build_value[CATALOG_INDEXES_MAX]; /* by place in the schema; which builds[] point into */
	struct build_record builds[CATALOG_INDEXES_MAX];
	bool built[CATALOG_INDEXES_MAX]; /* there is a record: it was added to a table with items */
	struct buf document, entry_document;
	struct entry entry;
};

/* A line for people, and one more problem. */
void check_problem(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same about a row of a table, in words: "Music: item Queen/Under Pressure: …". */
void check_row_problem(struct check_table *table, const uint8_t *key, size_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether this ends the check. */
static inline bool check_fatal(enum rc rc)
{
	return rc && rc != RC_NOT_FOUND && rc != RC_CORRUPT;
}

/* Appends the row's value. RC_NOT_FOUND, RC_CORRUPT (the engine's checksum), or what is fatal. */
enum rc check_get(struct check *check, const struct buf *key, struct buf *ret_value);
enum rc check_is_there(struct check *check, const struct buf *key, bool *ret_there);
enum rc check_is_dead(struct check *check, uint32_t table, uint32_t index, bool *ret_dead);

/* Calls `fn` for each row that begins with `prefix`; what the engine cannot read is a problem with `what`. Returns RC_OK or what is fatal. */
typedef enum rc check_fn(void *context, const struct check_row *row);
enum rc check_walk(struct check *check, const struct buf *prefix, const char *what, check_fn *fn, void *context);

/* Finds the first row that begins with `prefix` and then a number (u32) >= from; RC_NOT_FOUND. A row too short to hold one counts as a problem with `what`. */
enum rc check_next_number(struct check *check, const struct buf *prefix, uint32_t from, const char *what,
			  uint32_t *ret_number);

/* The bytes a head speaks of. *ret_sound is false where head or bytes cannot be had, and then that was said (`said`: by somebody before, so not again). */
struct check_bytes {
	struct head head;
	bool head_sound, sound;
};
typedef void check_say(void *context, const uint8_t *key, size_t n, const char *words);
enum rc check_read(struct check *check, const struct check_row *row, check_say *say, void *context,
		   struct check_bytes *ret_bytes, struct buf *ret_document);
/* Each body row that begins with `prefix` has a head (the same key but for this letter) that knows of it. */
enum rc check_bodies(struct check *check, const struct buf *prefix, char head_letter, const char *what, check_say *say,
		     void *context);

/* The tables that the catalogue names, or that a repair gives a name. RC_NO_MEMORY. NULL: there is none of this id. */
enum rc check_table_add(struct check *check, const char *name, size_t n, uint32_t id);
const struct check_name *check_table_of(const struct check *check, uint32_t id);

/* check_table.c */
enum rc check_table(struct check *check, const char *name, uint32_t id);
void check_say_row(void *table, const uint8_t *key, size_t n, const char *words);
/* Whether an item of the table may have these keys (sk NULL: it has no sort key); and whether a partition may: one without items, and a plain file's,
 * may be pending in any table. */
bool check_keys_sound(const struct check_table *table, const struct key *pk, const struct key *sk);
bool check_partition_sound(const struct check_table *table, const struct key *pk);
bool check_key_sound(const struct key *key, const struct schema_attribute *attribute, enum key_role role);
/* The item of this key, parsed; *ret_item stays NULL where it is not there (*ret_there) or not sound. */
enum rc check_item(struct check_table *table, const struct key *pk, const struct key *sk, bool *ret_there,
		   struct item **ret_item);

/* check_index.c */
enum rc check_builds(struct check_table *table); /* before the items */
enum rc check_entries_of(struct check_table *table, const struct check_row *item_row, const struct key *pk,
			 const struct key *sk, const struct item *item);
enum rc check_indexes(struct check_table *table);

/* check_words.c: what a row of a table is, in words; the result is in `out`, with its NUL. `schema` may be NULL. */
const char *check_words(const struct schema *schema, const uint8_t *key, size_t n, struct buf *out);
void check_add_escaped(struct buf *out, const void *text, size_t n);

/* check_volume.c: what belongs to the volume itself, and rows that belong to nothing. */
enum rc check_own_rows(struct check *check);
enum rc check_strays(struct check *check);

#endif
