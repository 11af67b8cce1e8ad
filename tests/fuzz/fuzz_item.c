/* The input is a document.
 *
 * What it asserts of one that is taken: the tree's counts, offsets and order; that sizes add up; that every
 * value's own bytes, as the only attribute of a new document, give the same value again; that the document
 * without white space is the same item. Of one that is not: that there are words, and a place inside the
 * document where there should be one.
 */
#include "store/model/item.h"
#include "store/model/json.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

static bool has_elements(const struct item_value *value)
{
	return value->type == ITEM_L || value->type == ITEM_M || value->type >= ITEM_SS;
}

static void assert_equal(const struct item_value *a, const struct item_value *b)
{
	assert_that(a->type == b->type && a->size == b->size && a->count == b->count && a->len == b->len);
	assert_that(a->truth == b->truth && number_compare(&a->number, &b->number) == 0);
	assert_that(!a->len || !memcmp(a->bytes, b->bytes, a->len));
	for (a = a->first, b = b->first; a; a = a->next, b = b->next) {
		assert_that(b && a->name_len == b->name_len &&
			    (!a->name_len || !memcmp(a->name, b->name, a->name_len)));
		assert_equal(a, b);
	}
	assert_that(!b);
}

static void check_place(const struct item *item, const struct item_value *value)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < value->start; i++) {
		column = item->document[i] == '\n' ? 1 : column + 1;
		line += item->document[i] == '\n';
	}
	assert_that(value->line == line && value->column == column);
	assert_that(!value->name || (value->name_start < value->start && item->document[value->name_start] == '"'));
}

static void check_value(const struct item *item, const struct item_value *value, unsigned level);

static void check_elements(const struct item *item, const struct item_value *value, unsigned level)
{
	bool set = value->type >= ITEM_SS;
	size_t count = 0, size = set ? 0 : 3, at = value->start;

	for (const struct item_value *element = value->first; element; element = element->next) {
		assert_that(element->start > at && element->end < value->end);
		at = element->end;
		assert_that((value->type == ITEM_M) == (element->name != NULL));
		size += element->size + element->name_len + !set;
		count++;
		check_value(item, element, set ? level : level + 1);
	}
	assert_that(count == value->count && size == value->size && (!set || count));
}

static void check_value(const struct item *item, const struct item_value *value, unsigned level)
{
	assert_that(value->start < value->end && value->end <= item->document_len && level <= ITEM_DEPTH_MAX);
	check_place(item, value);
	if (has_elements(value))
		check_elements(item, value, level);
	else
		assert_that(!value->first && !value->count);
	if (value->type == ITEM_S || value->type == ITEM_B)
		assert_that(value->bytes && value->size == value->len);
}

/* A top-level value's bytes stand for it wherever they are copied to. */
static void check_alone(const struct item *item, const struct item_value *value)
{
	cleanup_buf struct buf text = {0};
	struct item *alone = NULL;

	buf_add_text(&text, "{\"k\":");
	buf_add(&text, item->document + value->start, value->end - value->start);
	buf_add_byte(&text, '}');
	assert_that(!text.failed && item_parse(text.data, text.len, &alone, NULL) == RC_OK && alone->count == 1);
	assert_equal(value, alone->first);
	item_free(alone);
}

static void check_compact(const struct item *item)
{
	cleanup_buf struct buf text = {0};
	struct item_value a = {.first = item->first}, b = {0};
	struct item *compact = NULL;

	json_compact(item->document, item->document_len, &text);
	assert_that(!text.failed && item_parse(text.data, text.len, &compact, NULL) == RC_OK);
	assert_that(compact->size == item->size && compact->count == item->count);
	b.first = compact->first;
	assert_equal(&a, &b);
	item_free(compact);
}

static void check_item(const struct item *item)
{
	size_t count = 0, size = 0;

	for (const struct item_value *value = item->first; value; value = value->next) {
		assert_that(value->name_len && item_find(item, value->name, value->name_len) == value);
		check_value(item, value, 1);
		check_alone(item, value);
		size += value->name_len + value->size;
		count++;
	}
	assert_that(count == item->count && size == item->size && size <= ITEM_SIZE_MAX);
	if (item->document_len)
		check_compact(item);
}

static void check_refusal(enum rc rc, const struct why *why, const uint8_t *bytes, size_t n)
{
	size_t lines = 1;

	assert_that((rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG) && why->text[0]);
	if (rc == RC_TOO_BIG)
		return;
	for (size_t i = 0; i < n; i++)
		lines += bytes[i] == '\n';
	assert_that(why->line >= 1 && why->line <= lines && why->column >= 1 && why->column <= n + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct item *item = NULL;
	struct why why = {.text = ""};
	enum rc rc = item_parse(bytes, n, &item, &why);

	if (rc) {
		assert_that(!item);
		check_refusal(rc, &why, bytes, n);
		return 0;
	}
	assert_that(!why.text[0]);
	check_item(item);
	item_free(item);
	return 0;
}
