/* catalog: the rows that describe the volume and its tables: their encoding, both ways. Pure; what they mean over time is index/table.h.
 */
#ifndef ITEMFS_CATALOG_H
#define ITEMFS_CATALOG_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/rows.h"

enum { CATALOG_INDEXES_MAX = 25 }; /* 20 GSIs, 5 LSIs */

/* 0 'V'. */
struct volume_record {
	uint32_t format;
	uint32_t next_table;
	uint64_t next_refusal;
	uint64_t sequence; /* in the row: no commit has had a higher one; a mount goes on from there. In memory: the last commit's */
};

/* t 'T': what `.schema.json` said, and which number each of its indexes has. */
struct table_record {
	uint64_t identity;      /* stays through renames and adoption: inode numbers are made of it */
	int64_t created;        /* ns since the epoch; 0 where it was not kept (volumes of before) */
	bool declared;          /* a definition was written; its bytes follow */
	bool named;             /* `.schema.json` is listed (rm takes the name away, the definition stays) */
	struct meta meta;       /* of the file `.schema.json` */
	uint64_t birth, version;
	uint32_t next_index;
	uint32_t indexes;       /* how many ids, in the order of schema_parse() */
	uint32_t index_id[CATALOG_INDEXES_MAX];
	const uint8_t *document; /* borrowed from the value that was read */
	uint32_t document_len;
};

/* t 'C': the table's directory, and what is in it. */
struct index_counters {
	uint32_t id;
	uint64_t entries, bytes;
};
struct table_counters {
	struct meta meta;
	uint64_t partitions, files; /* names in the table's own directory */
	uint64_t items, bytes;      /* by DynamoDB's measure, without its per-item overhead */
	uint32_t indexes;
	struct index_counters index[CATALOG_INDEXES_MAX];
};

/* t 'U' index: an index that is being filled with the items that were there before it, or was (then it stays, as the index's history). */
struct build_record {
	bool ended;
	int64_t started, finished;  /* ns since the epoch; finished: 0 until it has ended */
	uint64_t worked;            /* ns that the filling took so far, the time between mounts left out */
	uint64_t done;              /* items it has come past */
	uint64_t skipped, misfits;  /* of those: without an entry; of these: because a value has the wrong type, is empty or too long (the others lack one) */
	const uint8_t *cursor;      /* the keys of the last item it has come past, as they stand in its row after the letter; borrowed from the value that was read */
	uint32_t cursor_len;        /* 0: none yet */
};

void volume_write(struct buf *value, const struct volume_record *record);
/* RC_CORRUPT, or RC_UNSUPPORTED for a format newer than ROW_FORMAT (record->format is set then). */
enum rc volume_read(const uint8_t *value, size_t n, struct volume_record *ret_record);
void table_write(struct buf *value, const struct table_record *record);
enum rc table_read(const uint8_t *value, size_t n, struct table_record *ret_record);
void build_write(struct buf *value, const struct build_record *record);
enum rc build_read(const uint8_t *value, size_t n, struct build_record *ret_record);
void counters_write(struct buf *value, const struct table_counters *counters);
enum rc counters_read(const uint8_t *value, size_t n, struct table_counters *ret_counters);

/* The counters of one index, added (all zero) where they are not there yet; NULL where there is no more room. */
struct index_counters *counters_of(struct table_counters *counters, uint32_t id);
/* Forgets those of an index that is gone. */
void counters_drop(struct table_counters *counters, uint32_t id);

#endif
