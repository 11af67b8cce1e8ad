/* item_type: the one place that spells types, so that what is refused, what is read and what is told to the user
 * are the same words.
 */
#include "store/model/item_type.h"

const char *item_type_name(enum item_type type)
{
	static const char *const names[] = {
	    [ITEM_S] = "S", [ITEM_N] = "N", [ITEM_B] = "B",   [ITEM_BOOL] = "BOOL", [ITEM_NULL] = "NULL",
	    [ITEM_L] = "L", [ITEM_M] = "M", [ITEM_SS] = "SS", [ITEM_NS] = "NS",     [ITEM_BS] = "BS",
	};

	return names[type];
}

const char *item_type_in_json(enum item_type type)
{
	switch (type) {
	case ITEM_S:
		return "a string";
	case ITEM_N:
		return "a number";
	case ITEM_BOOL:
		return "true or false";
	case ITEM_NULL:
		return "null";
	case ITEM_L:
		return "an array";
	default:
		return "an object";
	}
}

bool item_type_of_wrapper(const uint8_t *name, size_t n, enum item_type *ret_type)
{
	if (n < 2 || n > 3 || name[0] != '$')
		return false;
	if (n == 2) {
		*ret_type = name[1] == 'B' ? ITEM_B : ITEM_M;
		return name[1] == 'B' || name[1] == 'M';
	}
	*ret_type = name[1] == 'S' ? ITEM_SS : name[1] == 'N' ? ITEM_NS : ITEM_BS;
	return name[2] == 'S' && (name[1] == 'S' || name[1] == 'N' || name[1] == 'B');
}
