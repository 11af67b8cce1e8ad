/* typed_item: a parsed item written as DynamoDB JSON, for tests: exports write it from the document itself, without an item (recast.h), and this is
 * what they are compared with. */
#ifndef ITEMFS_TESTS_TYPED_ITEM_H
#define ITEMFS_TESTS_TYPED_ITEM_H

#include "store/model/base64.h"
#include "store/model/buf.h"
#include "store/model/item.h"

static inline void typed_item_add_number(const struct item_value *value, struct buf *out)
{
	char text[NUMBER_TEXT_MAX];
	buf_add_byte(out, '"');
	buf_add(out, text, number_format(&value->number, text));
	buf_add_byte(out, '"');
}

static inline void typed_item_add_binary(const struct item_value *value, struct buf *out)
{
	buf_add_byte(out, '"');
	base64_add(out, value->bytes, value->len);
	buf_add_byte(out, '"');
}

static inline void typed_item_add_value(const struct item_value *value, struct buf *out);

static inline void typed_item_add_attributes(const struct item_value *first, struct buf *out)
{
	buf_add_byte(out, '{');
	for (const struct item_value *value = first; value; value = value->next) {
		if (value != first)
			buf_add_byte(out, ',');
		buf_add_json_string(out, value->name, value->name_len);
		buf_add_byte(out, ':');
		typed_item_add_value(value, out);
	}
	buf_add_byte(out, '}');
}

/* The elements of a list say their types; a set's do not. */
static inline void typed_item_add_elements(const struct item_value *container, struct buf *out)
{
	buf_add_byte(out, '[');
	for (const struct item_value *value = container->first; value; value = value->next) {
		if (value != container->first)
			buf_add_byte(out, ',');
		if (container->type == ITEM_L)
			typed_item_add_value(value, out);
		else if (container->type == ITEM_NS)
			typed_item_add_number(value, out);
		else if (container->type == ITEM_BS)
			typed_item_add_binary(value, out);
		else
			buf_add_json_string(out, value->bytes, value->len);
	}
	buf_add_byte(out, ']');
}

static inline void typed_item_add_value(const struct item_value *value, struct buf *out)
{
	buf_printf(out, "{\"%s\":", item_type_name(value->type));
	switch (value->type) {
	case ITEM_S:
		buf_add_json_string(out, value->bytes, value->len);
		break;
	case ITEM_N:
		typed_item_add_number(value, out);
		break;
	case ITEM_B:
		typed_item_add_binary(value, out);
		break;
	case ITEM_BOOL:
		buf_add_text(out, value->truth ? "true" : "false");
		break;
	case ITEM_NULL:
		buf_add_text(out, "true");
		break;
	case ITEM_M:
		typed_item_add_attributes(value->first, out);
		break;
	default:
		typed_item_add_elements(value, out);
		break;
	}
	buf_add_byte(out, '}');
}

/* Appends its attributes: {"pk":{"S":"a"},…}. Numbers in DynamoDB's canonical form. */
static inline void typed_item_add(const struct item *item, struct buf *out)
{
	typed_item_add_attributes(item->first, out);
}

#endif
