/* typed_add: writing DynamoDB JSON (see typed.h). Items are at most ITEM_DEPTH_MAX deep, so recursion is bounded. */
#include "store/model/base64.h"
#include "store/model/item_type.h"
#include "store/model/typed.h"

static void add_number(const struct item_value *value, struct buf *out)
{
	char text[NUMBER_TEXT_MAX];
	buf_add_byte(out, '"');
	buf_add(out, text, number_format(&value->number, text));
	buf_add_byte(out, '"');
}

static void add_binary(const struct item_value *value, struct buf *out)
{
	buf_add_byte(out, '"');
	base64_add(out, value->bytes, value->len);
	buf_add_byte(out, '"');
}

static void add_value(const struct item_value *value, struct buf *out);

static void add_attributes(const struct item_value *first, struct buf *out)
{
	buf_add_byte(out, '{');
	for (const struct item_value *value = first; value; value = value->next) {
		if (value != first)
			buf_add_byte(out, ',');
		buf_add_json_string(out, value->name, value->name_len);
		buf_add_byte(out, ':');
		add_value(value, out);
	}
	buf_add_byte(out, '}');
}

/* The elements of a list say their types; a set's do not. */
static void add_elements(const struct item_value *container, struct buf *out)
{
	buf_add_byte(out, '[');
	for (const struct item_value *value = container->first; value; value = value->next) {
		if (value != container->first)
			buf_add_byte(out, ',');
		if (container->type == ITEM_L)
			add_value(value, out);
		else if (container->type == ITEM_NS)
			add_number(value, out);
		else if (container->type == ITEM_BS)
			add_binary(value, out);
		else
			buf_add_json_string(out, value->bytes, value->len);
	}
	buf_add_byte(out, ']');
}

static void add_value(const struct item_value *value, struct buf *out)
{
	buf_printf(out, "{\"%s\":", item_type_name(value->type));
	switch (value->type) {
	case ITEM_S:
		buf_add_json_string(out, value->bytes, value->len);
		break;
	case ITEM_N:
		add_number(value, out);
		break;
	case ITEM_B:
		add_binary(value, out);
		break;
	case ITEM_BOOL:
		buf_add_text(out, value->truth ? "true" : "false");
		break;
	case ITEM_NULL:
		buf_add_text(out, "true");
		break;
	case ITEM_M:
		add_attributes(value->first, out);
		break;
	default:
		add_elements(value, out);
		break;
	}
	buf_add_byte(out, '}');
}

void typed_add_item(const struct item *item, struct buf *out)
{
	add_attributes(item->first, out);
}
