/* item_fixture: documents that are right, as items. */
#ifndef ITEMFS_TESTS_ITEM_FIXTURE_H
#define ITEMFS_TESTS_ITEM_FIXTURE_H

#include "store/model/item.h"
#include <criterion/criterion.h>
#include <string.h>

static inline struct item *parse_bytes(const void *text, size_t n)
{
	struct item *item = NULL;
	struct why why = {.text = ""};

	cr_assert_eq(item_parse(text, n, &item, &why), RC_OK, "%.*s: %s at %zu:%zu", (int)(n < 200 ? n : 200),
		     (const char *)text, why.text, why.line, why.column);
	return item;
}

static inline struct item *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

#endif
