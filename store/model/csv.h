/* csv: RFC 4180 as it is read: fields between commas, records between line ends (LF or CRLF), quotes around what holds either.
 *
 * A field that is empty and was not quoted is another thing than an empty text in quotes: `a,,b` leaves the second out, `a,"",b` says that it is empty.
 */
#ifndef ITEMFS_CSV_H
#define ITEMFS_CSV_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where records end, byte by byte; zero-initialise to start. */
struct csv {
	uint8_t state;
};

/* Whether this byte is the newline that ends a record. */
bool csv_step(struct csv *csv, uint8_t byte);
/* Whether a quote is open, so that no record can end here. */
bool csv_open(const struct csv *csv);

struct csv_field {
	size_t at, len; /* in csv_row.text */
	bool quoted;
};

struct csv_row {
	struct buf text; /* the fields, unquoted, one after the other */
	struct csv_field *fields;
	size_t count, cap;
};

/* Reads one record (with or without its line end) into *row, which is zeroed or an earlier one. RC_REFUSED with a column: a quote where none may be;
 * not UTF-8. RC_UNFINISHED: a quote is open. RC_NO_MEMORY. */
enum rc csv_read(const void *record, size_t n, struct csv_row *row, struct why *why);
void csv_row_free(struct csv_row *row);

#endif
