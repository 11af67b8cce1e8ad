/* export_private: what export.c and export_csv.c share. */
#ifndef ITEMFS_INDEX_EXPORT_PRIVATE_H
#define ITEMFS_INDEX_EXPORT_PRIVATE_H

#include "index/entry.h"
#include "index/export.h"
#include "store/model/recast.h"

/* The fields of one line, while its attributes come in any order. */
struct export_field {
	uint64_t line;      /* of which line, counted from 1; of an older one it is empty */
	size_t start, end;  /* in row.fields */
};
struct export_row {
	struct export_field *field; /* one a column */
	uint64_t line;
	struct buf fields;
	uint16_t hint[64]; /* in which column the nth attribute was last: documents of one table look alike */
};

struct export {
	struct volume *volume;
	const struct view *view;
	struct listing_place place; /* its own copies, but the query */
	struct key pk;
	char *index;
	uint32_t table_id, index_id;
	enum export_format format;

	struct export_key {
		struct buf name, token; /* token: as JSON, with quotes */
	} key[ROW_KEYS_MAX];
	size_t keys;

	struct listing *listing;
	bool begun, ended;
	uint64_t lines;
	enum rc failed; /* what every further read gives */

	struct recast recast, key_recast;
	struct buf document, key_text;
	struct export_extent *extent; /* of a CSV */
	struct export_row row;
};

/* The value of the ith key of what the listing stands on. */
enum rc export_add_key(struct export *export, const struct listing_entry *entry, size_t i, enum recast_form form, struct buf *out);
bool export_is_key(const struct export *export, const char *name, size_t n);

/* A CSV's first line, and the line of what the listing stands on, whose document is at hand. Both need the extent. */
enum rc export_csv_names(struct export *export, struct buf *out);
enum rc export_csv_line(struct export *export, const struct listing_entry *entry, struct buf *out);
void export_row_free(struct export_row *row);

/* Finding the columns and the size: a line at a time. */
struct export_gather;
enum rc export_gather_begin(struct export *export, struct export_gather **ret_gather);
/* RC_TOO_BIG with why: too many columns. */
enum rc export_gather_line(struct export_gather *gather, const struct listing_entry *entry, struct why *why);
enum rc export_gather_end(struct export_gather *gather, struct export_extent *extent);
void export_gather_free(struct export_gather *gather); /* NULL is fine */

#endif
