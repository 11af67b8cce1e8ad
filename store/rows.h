/* rows: the disk format of a volume, on one page. rows.c and catalog.c keep it; nothing else composes a row.
 *
 * A volume is a directory: `lock` (who has it mounted, in words) and `db/`, a store (store.h) of rows. All integers in rows are big-endian, so that
 * they sort. A row's key is a table id (u32), a letter, and what the letter asks for. Table ids start at 1 and are never used again; names of tables
 * stand in one place only, so that a rename or an adoption changes one row. Id 0 is the volume itself:
 *
 *   0 'V'                       volume: "itemfs\n", format (u32), next table id (u32), next refusal id (u64), a sequence that no commit has gone beyond (u64)
 *   0 'T' name                  catalogue: table id (u32)
 *   0 'M'                       metadata of the root directory
 *   0 'D' table [index]         rows of this table (or of this index of it) that nobody refers to: being staged, or waiting to be collected; no value
 *   0 'R' id(u64)               a rejected draft's head; 0 'S' id its bytes; 0 'E' id(u64) a line of `.itemfs/errors`: uid (u32), pathlen (u32), path, line
 *
 * Rows of a table. K is a key as key_encode() writes it (a pending one, too: key.h); a table without a sort key has one K where two stand here:
 *
 *   t 'T'                       its definition (catalog.h)
 *   t 'C'                       its directory's metadata and its counters (catalog.h)
 *   t 'P' Kp                    a partition: metadata, counters
 *   t 'H' Kp Ks                 an item's head; its document too where that is small (ROW_INLINE_MAX)
 *   t 'B' Kp Ks                 its document otherwise
 *   t 'F' dir name              a plain file's head (small bytes inline); dir is 00 in the table's own directory, 01 Kp in a partition's
 *   t 'G' dir name              its bytes otherwise
 *   t 'U' index(u32)            how far an index that was added to a table with items is filled (catalog.h); none for those that came with their table
 *   t 'I' index(u32) K…         an entry of a secondary index: the index's keys, then those of the base key that the index key does not hold; the value is a
 *                               head whose document is the projection; t 'J' … its document where that is large
 *
 * Listing walks 'P', 'H', 'F' or 'I' and never reads large bodies, because those live in ranges of their own.
 *
 * Invariants: a 'B', 'G', 'J' or 'S' row is there iff its head is and the head says so; an item's 'P' row is there; what the counters say is what is
 * there; an entry is there iff its item qualifies, and, while its index is being filled, iff the filling has also come as far as its item.
 * `fsck.itemfs` proves each of them.
 *
 * Formats: 1 has no 'U' rows. 2 has. A volume of format 1 is one of format 2 as it stands; the first commit writes the new number.
 */
#ifndef ITEMFS_ROWS_H
#define ITEMFS_ROWS_H

#include "store/model/buf.h"
#include "store/model/key.h"
#include "store/model/rc.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	ROW_FORMAT = 2,        /* of the whole volume; a newer one is refused */
	ROW_KEY_ROOM = 128,    /* most keys of rows are shorter, */
	ROW_VALUE_ROOM = 512,  /* and many of their values */
	ROW_INLINE_MAX = 1024, /* bytes of a document that are kept in its head row */
	ROW_KEYS_MAX = 4,      /* keys in an index entry: 1–2 of the index, 0–2 of the base */
};

/* What stat shows of a file or directory. Times are nanoseconds since the epoch. */
struct meta {
	uint32_t mode; /* permission bits only, 07777 */
	uint32_t uid, gid;
	int64_t atime, mtime, ctime;
};

/* The head of an item, a plain file, an index entry or a rejected draft. */
struct head {
	struct meta meta;
	uint64_t birth;   /* the sequence of the commit that made this incarnation; a rename carries it */
	uint64_t version; /* the sequence of the commit that last wrote its bytes */
	uint32_t size;    /* bytes of the document */
	uint32_t measure; /* DynamoDB's measure; 0 for what is no item */
};

struct partition_record {
	struct meta meta;
	uint64_t birth;
	bool implicit;         /* came into being without mkdir: goes with its last item */
	uint32_t items, files; /* names in it */
};

/* Keys: each appends to an empty buf, and leaves it empty where memory ran out: RC_NO_MEMORY is then what the engine says. */
void row_volume(struct buf *key);
void row_root(struct buf *key);
void row_catalog(struct buf *key, const char *name);
void row_dead(struct buf *key, uint32_t table, uint32_t index); /* index 0: the whole table */
void row_refusal(struct buf *key, uint64_t id, bool body);
void row_error(struct buf *key, uint64_t id);
void row_table(struct buf *key, uint32_t table);
void row_counters(struct buf *key, uint32_t table);
void row_partition(struct buf *key, uint32_t table, const struct key *pk);                             /* pk NULL: before all */
void row_item(struct buf *key, uint32_t table, const struct key *pk, const struct key *sk, bool body); /* sk NULL: none, or before all */
void row_file(struct buf *key, uint32_t table, const struct key *pk, const char *name, size_t n, bool body); /* pk NULL: the table's own */
void row_build(struct buf *key, uint32_t table, uint32_t index); /* 'U' */
void row_entry(struct buf *key, uint32_t table, uint32_t index, const struct key *const *keys, size_t n, bool body);

/* The body row of a head row ('H', 'F' or 'I'). */
void row_body(struct buf *key, const uint8_t *head_row, size_t n);

/* Turns a prefix into the first key after all that begin with it. */
void row_after(struct buf *prefix);

/* Reading keys back. RC_CORRUPT for what none of the above can have composed. */
enum rc row_parse_partition(const uint8_t *row, size_t n, struct key *ret_pk);
enum rc row_parse_item(const uint8_t *row, size_t n, bool has_sk, struct key *ret_pk, struct key *ret_sk);
enum rc row_parse_file(const uint8_t *row, size_t n, bool *ret_in_partition, struct key *ret_pk, const char **ret_name, size_t *ret_name_n);
enum rc row_parse_entry(const uint8_t *row, size_t n, struct key *ret_keys, size_t count); /* exactly `count` keys */
static inline uint8_t row_letter(const uint8_t *row, size_t n)
{
	return n > 4 ? row[4] : 0;
}

/* Values. `document` is kept inline iff it is at most ROW_INLINE_MAX bytes; the caller writes the body row otherwise. */
void head_write(struct buf *value, const struct head *head, const void *document);
/* Reads it; *ret_inline points into `value` at the document's bytes, or is NULL where they are in the body row (an empty document is inline). */
enum rc head_read(const uint8_t *value, size_t n, struct head *ret_head, const uint8_t **ret_inline);

void partition_write(struct buf *value, const struct partition_record *record);
enum rc partition_read(const uint8_t *value, size_t n, struct partition_record *ret_record);

/* A careful reader of values, for catalog.c and others that decode: once past the end it gives zeros and remembers it. */
struct row_reader {
	const uint8_t *at, *end;
	bool bad;
};
uint8_t row_read_u8(struct row_reader *reader);
uint32_t row_read_u32(struct row_reader *reader);
uint64_t row_read_u64(struct row_reader *reader);
const uint8_t *row_read_bytes(struct row_reader *reader, size_t n); /* NULL where there are fewer */
void row_read_meta(struct row_reader *reader, struct meta *ret_meta);
void row_add_meta(struct buf *value, const struct meta *meta);

#endif
