/* csv: see csv.h. */
#include "store/model/csv.h"
#include "store/model/utf8.h"
#include <stdlib.h>

enum state {
	FIELD,  /* at the beginning of a field */
	PLAIN,  /* in one without quotes */
	QUOTED, /* in quotes */
	QUOTE,  /* after a quote in quotes: the end of them, or the first of two */
};

bool csv_step(struct csv *csv, uint8_t byte)
{
	if (csv->state == QUOTED) {
		if (byte == '"')
			csv->state = QUOTE;
		return false;
	}
	if (byte == '\n' || byte == ',') {
		csv->state = FIELD;
		return byte == '\n';
	}
	if (byte == '"' && csv->state != PLAIN)
		csv->state = QUOTED; /* the first, or the second of two */
	else if (csv->state != QUOTE || byte != '\r')
		csv->state = PLAIN;
	return false;
}

bool csv_open(const struct csv *csv)
{
	return csv->state == QUOTED;
}

void csv_row_free(struct csv_row *row)
{
	buf_free(&row->text);
	free(row->fields);
	*row = (struct csv_row){.count = 0};
}

static bool add_field(struct csv_row *row, bool quoted)
{
	if (row->count == row->cap) {
		size_t cap = row->cap ? row->cap * 2 : 16;
		struct csv_field *grown = realloc(row->fields, cap * sizeof *grown);
		if (!grown)
			return false;
		row->fields = grown;
		row->cap = cap;
	}
	row->fields[row->count++] = (struct csv_field){.at = row->text.len, .quoted = quoted};
	return true;
}

/* A field in quotes; *at stands after the first of them, and then after the last. */
static enum rc read_quoted(const uint8_t *record, size_t n, size_t *at, struct csv_row *row, struct why *why)
{
	size_t i = *at;
	for (;; i++) {
		if (i == n)
			return why_at(why, RC_UNFINISHED, 0, *at, "the record ends inside quotes");
		if (record[i] == '"' && (i + 1 == n || record[i + 1] != '"'))
			break;
		i += record[i] == '"';
		buf_add_byte(&row->text, record[i]);
	}
	*at = i + 1;
	if (*at < n && record[*at] != ',')
		return why_at(why, RC_REFUSED, 0, *at + 1, "a comma comes after the quotes of a field");
	return RC_OK;
}

static enum rc read_plain(const uint8_t *record, size_t n, size_t *at, struct csv_row *row, struct why *why)
{
	size_t i = *at;
	while (i < n && record[i] != ',' && record[i] != '"')
		i++;
	if (i < n && record[i] == '"')
		return why_at(why, RC_REFUSED, 0, i + 1, "a quote inside a field that does not begin with one");
	buf_add(&row->text, record + *at, i - *at);
	*at = i;
	return RC_OK;
}

enum rc csv_read(const void *record, size_t n, struct csv_row *row, struct why *why)
{
	const uint8_t *bytes = record;
	size_t at = 0;
	buf_clear(&row->text);
	row->count = 0;
	if (n && bytes[n - 1] == '\n')
		n--;
	if (n && bytes[n - 1] == '\r')
		n--;
	if (!utf8_valid(record, n))
		return why_set(why, RC_REFUSED, "the record is not UTF-8");
	for (;;) {
		bool quoted = at < n && bytes[at] == '"';
		if (!add_field(row, quoted))
			return RC_NO_MEMORY;
		at += quoted;
		enum rc rc = quoted ? read_quoted(bytes, n, &at, row, why) : read_plain(bytes, n, &at, row, why);
		if (rc)
			return rc;
		struct csv_field *field = &row->fields[row->count - 1];
		field->len = row->text.len - field->at;
		if (at == n)
			return row->text.failed ? RC_NO_MEMORY : RC_OK;
		at++; /* the comma */
	}
}
