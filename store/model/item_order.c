/* item_order: siblings are sorted to find those that repeat, so that a map of very many names costs no quadratic time;
 * few are compared each with each, which takes no memory.
 */
#include "store/model/item_order.h"
#include <stdlib.h>
#include <string.h>

static int order_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

int item_by_name(const struct item_value *a, const struct item_value *b)
{
	return order_bytes(a->name, a->name_len, b->name, b->name_len);
}

int item_by_bytes(const struct item_value *a, const struct item_value *b)
{
	return order_bytes(a->bytes, a->len, b->bytes, b->len);
}

int item_by_number(const struct item_value *a, const struct item_value *b)
{
	return number_compare(&a->number, &b->number);
}

static int compare_siblings(const void *a, const void *b, void *order)
{
	const struct item_value *const *left = a, *const *right = b;
	int result = (*(item_order *const *)order)(*left, *right);

	/* The same ones in document order, so that the later of two neighbours is the one that repeats. */
	return result ? result : (*left)->start < (*right)->start ? -1 : 1;
}

enum { FEW = 8 }; /* up to so many siblings are compared each with each */

static const struct item_value *repeated_of_few(const struct item_value *first, item_order *order)
{
	for (const struct item_value *value = first; value; value = value->next)
		for (const struct item_value *before = first; before != value; before = before->next)
			if (!order(before, value))
				return value;
	return NULL;
}

bool item_find_repeated(const struct item_value *first, size_t count, item_order *order,
			const struct item_value **ret_repeated)
{
	const struct item_value **sorted, *repeated = NULL;
	size_t n = 0;

	if (count <= FEW) {
		*ret_repeated = repeated_of_few(first, order);
		return true;
	}
	sorted = malloc(count * sizeof(const struct item_value *));
	if (!sorted)
		return false;
	for (const struct item_value *value = first; value; value = value->next)
		sorted[n++] = value;
	qsort_r(sorted, n, sizeof(const struct item_value *), compare_siblings, &order);
	for (size_t i = 1; i < n; i++)
		if (!order(sorted[i - 1], sorted[i]) && (!repeated || sorted[i]->start < repeated->start))
			repeated = sorted[i];
	free(sorted);
	*ret_repeated = repeated;
	return true;
}
