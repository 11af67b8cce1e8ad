/* Reads any bytes as a file to import: the same records wherever it is cut; what a record becomes is an item with this key, and DynamoDB JSON of it is the same item again.
 * The first byte chooses the format, the second how the file is cut. */
#include "index/import_private.h"
#include "store/model/typed.h"
#include "store/model/utf8.h"
#include "tests/unit/typed_item.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

enum { RECORDS_MAX = 64 };

struct records {
	struct import_record at[RECORDS_MAX];
	size_t count;
	enum rc rc;
};

static void add(struct records *records, const struct import_split *split, bool found)
{
	if (found && records->count < RECORDS_MAX)
		records->at[records->count++] = split->record;
}

static void split(enum import_format format, const uint8_t *bytes, size_t n, size_t piece, struct records *ret)
{
	struct import_split s;
	bool found;
	*ret = (struct records){.rc = RC_OK};
	import_split_init(&s, format, 0, 1);
	for (size_t at = 0; at < n && !ret->rc;) {
		size_t used = 0, size = n - at < piece ? n - at : piece;
		ret->rc = import_split_feed(&s, bytes + at, size, &used, &found, NULL);
		must(ret->rc || (used <= size && (used || found)));
		at += used;
		if (!ret->rc)
			add(ret, &s, found);
	}
	if (!ret->rc && !(ret->rc = import_split_end(&s, &found, NULL)))
		add(ret, &s, found);
}

static void same_item(const void *document, size_t n)
{
	cleanup_item struct item *item = NULL;
	cleanup_item struct item *again = NULL;
	cleanup_buf struct buf typed = {0}, plain = {0};
	must(item_parse(document, n, &item, NULL) == RC_OK);
	typed_item_add(item, &typed);
	enum rc rc = typed_to_plain(typed.data, typed.len, TYPED_BARE, &plain, NULL);
	if (rc == RC_TOO_BIG)
		return;
	must(rc == RC_OK);
	must(item_parse(plain.data, plain.len, &again, NULL) == RC_OK);
	must(again->size == item->size && again->count == item->count);
}

static void make(struct import_maker *maker, const uint8_t *bytes, const struct import_record *record)
{
	struct import_made made;
	struct why why = {.text = ""};
	enum rc rc = import_make(maker, bytes + record->start, (size_t)(record->end - record->start), &made, &why);
	if (rc) {
		must(rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG);
		must(why.text[0] && utf8_valid(why.text, strlen(why.text)));
		return;
	}
	must(made.pk.len && made.sk.len && made.measure);
	same_item(made.document, made.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	static struct records whole, cut;
	if (!schema)
		schema = schema_undeclared();
	if (size < 2 || !schema)
		return 0;
	enum import_format format = (enum import_format)(data[0] % 3);
	size_t piece = data[1] % 16 + 1, n = size - 2;
	uint8_t *bytes = malloc(n + !n); /* a sanitizer sees who reads past it */
	must(bytes);
	memcpy(bytes, data + 2, n);
	split(format, bytes, n, n + 1, &whole);
	split(format, bytes, n, piece, &cut);
	must(whole.rc == cut.rc);
	/* Of a file that is no JSON nothing is imported: how many records come before that shows is nobody's business. */
	must(whole.rc == RC_REFUSED || whole.count == cut.count);
	if (whole.count > cut.count)
		whole.count = cut.count;
	struct import_maker maker = {.schema = schema, .table = 1, .format = format};
	for (size_t i = 0; i < whole.count; i++) {
		const struct import_record *record = &whole.at[i];
		must(record->start == cut.at[i].start && record->end == cut.at[i].end && record->line == cut.at[i].line);
		must(record->start <= record->end && record->end <= n);
		if (format == IMPORT_CSV && i == 0 && import_maker_header(&maker, bytes + record->start, (size_t)(record->end - record->start), NULL))
			break;
		if (format != IMPORT_CSV || i)
			make(&maker, bytes, record);
	}
	import_maker_free(&maker);
	free(bytes);
	return 0;
}
