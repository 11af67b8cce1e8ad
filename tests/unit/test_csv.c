/* CSV: rows into fields, as RFC 4180 has them. */
#include "store/model/csv.h"
#include <criterion/criterion.h>
#include <string.h>

/* The fields in brackets, quoted ones in round ones: [a](b)[]. */
static void expect_row(const char *record, const char *expected)
{
	struct csv_row row = {.count = 0};
	struct buf shown = {0};
	struct why why = {.text = ""};
	enum rc rc = csv_read(record, strlen(record), &row, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s", record, why.text);
	for (size_t i = 0; i < row.count; i++) {
		buf_add_byte(&shown, row.fields[i].quoted ? '(' : '[');
		if (row.fields[i].len)
			buf_add(&shown, row.text.data + row.fields[i].at, row.fields[i].len);
		buf_add_byte(&shown, row.fields[i].quoted ? ')' : ']');
	}
	buf_add_byte(&shown, 0);
	cr_expect_str_eq((char *)shown.data, expected, "%s", record);
	buf_free(&shown);
	csv_row_free(&row);
}

static void expect_refused(const char *record, enum rc wanted, size_t column)
{
	struct csv_row row = {.count = 0};
	struct why why = {.text = ""};
	enum rc rc = csv_read(record, strlen(record), &row, &why);
	cr_expect_eq(rc, wanted, "%s: %s", record, rc_name(rc));
	cr_expect_eq(why.column, column, "%s: column %zu", record, why.column);
	csv_row_free(&row);
}

Test(csv, fields_stand_between_commas)
{
	expect_row("a,b,c", "[a][b][c]");
	expect_row("a,b,c\r\n", "[a][b][c]");
	expect_row(",,\n", "[][][]");
	expect_row("", "[]");
	expect_row(" a , b", "[ a ][ b]");
}

Test(csv, quotes_hold_commas_lines_and_quotes)
{
	expect_row("\"a,b\",\"c\nd\",\"e\"\"f\"", "(a,b)(c\nd)(e\"f)");
	expect_row("\"\",,\"\"\"\"", "()[](\")");
}

Test(csv, what_rfc_4180_forbids_is_refused)
{
	expect_refused("a,b\"c", RC_REFUSED, 4);
	expect_refused("\"a\"b,c", RC_REFUSED, 4);
	expect_refused("a,\"b", RC_UNFINISHED, 3);
	expect_refused("a,\xff", RC_REFUSED, 0);
}

Test(csv, records_end_at_newlines_outside_quotes)
{
	static const char file[] = "a,\"b\nc\"\r\n\"d\"\"\ne\",f\ng\n";
	struct csv csv = {0};
	size_t ends[8], count = 0;
	for (size_t i = 0; i < sizeof file - 1; i++)
		if (csv_step(&csv, (uint8_t)file[i]))
			ends[count++] = i;
	cr_assert_eq(count, 3);
	cr_expect_eq(ends[0], 8);
	cr_expect_eq(ends[1], 18);
	cr_expect_eq(ends[2], 20);
	cr_expect_not(csv_open(&csv));
	csv_step(&csv, '"');
	cr_expect(csv_open(&csv));
}
