/* The input is a filter's parts, a line each, then an empty line, then a document.
 *
 * What it asserts of a filter that is taken: that each of its beginnings is unfinished, and that no part may follow; and of its
 * answer to the document: that what DynamoDB's rules say of the operators among themselves holds (ne is not eq, le is lt or eq, between is ge and
 * le …), and that keys count over the document. Of one that is not taken: that there are words.
 */
#include "index/filter.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { PARTS_MAX = FILTER_PARTS_MAX + 2 };

struct input {
	char *text;
	const char *parts[PARTS_MAX];
	size_t count;
	const char *document;
	size_t len;
};

static void assert_that(bool holds)
{
	if (!holds)
		abort();
}

/* A part holds no NUL and no line's end, as no name does; it may hold a slash, which is harmless. */
static void split(const uint8_t *bytes, size_t n, struct input *input)
{
	char *at = malloc(n + 1), *end;
	assert_that(at);
	memcpy(at, bytes, n);
	at[n] = 0;
	*input = (struct input){.text = at};
	while (input->count < PARTS_MAX && *at && *at != '\n' && (end = strchr(at, '\n'))) {
		*end = 0;
		input->parts[input->count++] = at;
		at = end + 1;
	}
	if (*at == '\n')
		at++;
	input->document = at;
	input->len = n - (size_t)(at - input->text);
}

/* Whether it matches with this operator and operand; -1 where it is not taken. */
static int answer(const struct input *input, const char *op, const char *operand, const struct item *item)
{
	const char *parts[] = {input->parts[0], op, operand};
	struct filter *filter = NULL;
	if (filter_parse(parts, 3, &filter, NULL))
		return -1;
	bool is = filter_matches(filter, item, NULL, 0);
	filter_free(filter);
	return is;
}

static bool exists(const struct input *input, const struct item *item)
{
	const char *yes[] = {input->parts[0], "exists"}, *no[] = {input->parts[0], "not_exists"};
	struct filter *filter = NULL, *other = NULL;
	assert_that(filter_parse(yes, 2, &filter, NULL) == RC_OK && filter_parse(no, 2, &other, NULL) == RC_OK);
	bool is = filter_matches(filter, item, NULL, 0);
	assert_that(is != filter_matches(other, item, NULL, 0));
	filter_free(filter);
	filter_free(other);
	return is;
}

static void check_comparisons(const struct input *input, const char *operand, const struct item *item)
{
	int eq = answer(input, "eq", operand, item), lt = answer(input, "lt", operand, item),
	    le = answer(input, "le", operand, item);
	int gt = answer(input, "gt", operand, item), ge = answer(input, "ge", operand, item),
	    ne = answer(input, "ne", operand, item);
	bool there = exists(input, item);
	assert_that((eq < 0) == (ne < 0) && (lt < 0) == (gt < 0) && (lt < 0) == (le < 0) && (lt < 0) == (ge < 0));
	assert_that(eq < 0 || eq != ne);
	assert_that(there || (eq <= 0 && lt <= 0 && le <= 0 && gt <= 0 && ge <= 0));
	if (lt < 0)
		return;
	if (le || ge)
		assert_that(lt + eq + gt == 1 && le == !gt && ge == !lt);
	else /* no order between them */
		assert_that(!lt && !gt);
	assert_that(answer(input, "begins_with", operand, item) <= 0 || answer(input, "contains", operand, item) == 1);
}

static void check_between(const struct input *input, bool is, const struct item *item)
{
	int ge = answer(input, "ge", input->parts[2], item), le = answer(input, "le", input->parts[3], item);
	assert_that(ge >= 0 && le >= 0 && is == (ge && le));
}

static void check_key(const struct filter *filter, const struct item *item)
{
	static const struct key key = {.type = KEY_S, .len = 3, .data = "key"};
	struct schema_attribute attribute = {.name = (char[]){"k"}, .name_len = 1, .type = KEY_S};
	struct schema schema = {.key = {.partitions = 1, .partition = {attribute}}};
	struct filter_key keys[] = {{&attribute, &key}};
	struct item *bare;
	assert_that(item_parse("", 0, &bare, NULL) == RC_OK);
	if (filter_check(filter, &schema, NULL, true, NULL) == RC_OK) /* not about the key: it makes no difference */
		assert_that(filter_matches(filter, item, keys, 1) == filter_matches(filter, item, NULL, 0));
	else
		assert_that(filter_matches(filter, item, keys, 1) == filter_matches(filter, bare, keys, 1));
	item_free(bare);
}

static void check_filter(const struct input *input, const struct filter *filter)
{
	struct item *item = NULL;
	struct filter *none = NULL;
	for (size_t count = 1; count < input->count; count++)
		assert_that(filter_parse(input->parts, count, &none, NULL) == RC_UNFINISHED && !none);
	const char *more[PARTS_MAX + 1];
	memcpy(more, input->parts, sizeof input->parts);
	more[input->count] = "1";
	assert_that(filter_parse(more, input->count + 1, &none, NULL) == RC_INVALID && !none);
	if (item_parse(input->document, input->len, &item, NULL))
		return;
	bool is = filter_matches(filter, item, NULL, 0);
	if (input->count == 3 && strcmp(input->parts[1], "type") != 0)
		check_comparisons(input, input->parts[2], item);
	if (input->count == 4 && strcmp(input->parts[1], "between") == 0)
		check_between(input, is, item);
	check_key(filter, item);
	item_free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input input;
	struct filter *filter = NULL;
	struct why why = {.text = ""};
	split(bytes, n, &input);
	if (input.count) {
		enum rc rc = filter_parse(input.parts, input.count, &filter, &why);
		assert_that((rc == RC_OK) == (filter != NULL));
		assert_that(rc == RC_OK || rc == RC_UNFINISHED ||
			    ((rc == RC_INVALID || rc == RC_NOT_UTF8) && why.text[0]));
		if (!rc)
			check_filter(&input, filter);
	}
	filter_free(filter);
	free(input.text);
	return 0;
}
