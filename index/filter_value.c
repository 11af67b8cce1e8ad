/* filter_value: a filter's operands, and how values compare.
 *
 * Work is bounded by the operand, which comes from a name and so is short: containers are walked only where their counts are
 * the operand's, and it recurses no deeper than the operand does (item.h bounds that).
 */
#include "index/filter_private.h"
#include "store/model/json.h"
#include "store/model/percent.h"
#include "store/model/utf8.h"
#include <string.h>

static size_t skip_digits(const char *text, size_t n, size_t at)
{
	while (at < n && text[at] >= '0' && text[at] <= '9')
		at++;
	return at;
}

static bool is_json_number(const char *text, size_t n)
{
	size_t at = n && text[0] == '-' ? 1 : 0;
	size_t end = skip_digits(text, n, at);
	if (end == at || (text[at] == '0' && end > at + 1))
		return false;
	at = end;
	if (at < n && text[at] == '.') {
		end = skip_digits(text, n, at + 1);
		if (end == at + 1)
			return false;
		at = end;
	}
	if (at < n && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		if (at < n && (text[at] == '+' || text[at] == '-'))
			at++;
		end = skip_digits(text, n, at);
		return end > at && end == n;
	}
	return at == n;
}

static bool is_text(const struct buf *buf, const char *text)
{
	return buf->len == strlen(text) && memcmp(buf->data, text, buf->len) == 0;
}

/* A word that JSON knows: it stands without quotes. */
static bool is_json_word(const struct buf *text)
{
	return is_text(text, "true") || is_text(text, "false") || is_text(text, "null") ||
	       is_json_number((const char *)text->data, text->len);
}

/* Whether an array or an object of the text is still open at its end. */
static bool ends_open(const struct filter_value *value)
{
	struct json json;
	json_init(&json, NULL, NULL);
	return json_feed(&json, value->document.data, value->document.len - 1, NULL) == RC_OK && json.depth > 1;
}

/* What JSON says of the text. The document around it must have one attribute, which is the text and nothing but it. */
static enum rc read_json(struct filter_value *value, struct why *why)
{
	static const char before[] = "{\"v\":";
	struct why words = {.text = ""};
	buf_add_text(&value->document, before);
	buf_add(&value->document, value->text.data, value->text.len);
	buf_add_byte(&value->document, '}');
	if (value->document.failed)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	enum rc rc = item_parse(value->document.data, value->document.len, &value->item, &words);
	if (rc == RC_NO_MEMORY)
		return why_set(why, rc, "out of memory");
	if (rc)
		return why_set(why, RC_INVALID, "%.*s: %s", (int)value->text.len, value->text.data,
			       ends_open(value) ? "the value ends too early" : words.text);
	value->json = value->item->first;
	if (value->json->next || value->json->end != sizeof before - 1 + value->text.len)
		return why_set(why, RC_INVALID, "%.*s: more than one JSON value", (int)value->text.len,
			       value->text.data);
	return RC_OK;
}

enum rc filter_value_parse(const char *text, struct filter_value *value, struct why *why)
{
	enum rc rc = percent_decode(text, strlen(text), "a filter", &value->text, why);
	if (rc)
		return rc;
	if (value->text.len == 0)
		return why_set(why, RC_INVALID, "a value is missing (the empty string is written \"\")");
	if (!utf8_valid(value->text.data, value->text.len))
		return why_set(why, RC_NOT_UTF8, "a filter's value is not UTF-8");
	value->is_word = !memchr("\"[{", value->text.data[0], 3);
	value->word = (struct item_value){
	    .type = ITEM_S, .bytes = value->text.data, .len = value->text.len, .size = value->text.len};
	return value->is_word && !is_json_word(&value->text) ? RC_OK : read_json(value, why);
}

void filter_value_free(struct filter_value *value)
{
	item_free(value->item);
	buf_free(&value->document);
	buf_free(&value->text);
}

const struct item_value *filter_value_own(const struct filter_value *value)
{
	return value->json ? value->json : &value->word;
}

const struct item_value *filter_value_for(const struct filter_value *value, enum item_type type)
{
	return value->is_word && type == ITEM_S ? &value->word : filter_value_own(value);
}

bool filter_value_orders(enum item_type type)
{
	return type == ITEM_S || type == ITEM_N || type == ITEM_B;
}

static bool is_set(enum item_type type)
{
	return type == ITEM_SS || type == ITEM_NS || type == ITEM_BS;
}

static bool same_bytes(const struct item_value *a, const struct item_value *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static const struct item_value *find_element(const struct item_value *set, const struct item_value *element)
{
	for (const struct item_value *each = set->first; each; each = each->next)
		if (filter_value_equal(each, element))
			return each;
	return NULL;
}

static const struct item_value *find_name(const struct item_value *map, const struct item_value *named)
{
	for (const struct item_value *each = map->first; each; each = each->next)
		if (each->name_len == named->name_len && memcmp(each->name, named->name, each->name_len) == 0)
			return each;
	return NULL;
}

/* Of as many elements each. A set has no element twice, a map no name, so that it is enough to find all of one in the other. */
static bool same_elements(const struct item_value *a, const struct item_value *b)
{
	const struct item_value *other = b->first;
	for (const struct item_value *each = a->first; each; each = each->next) {
		if (is_set(a->type) && !find_element(b, each))
			return false;
		if (a->type == ITEM_M)
			other = find_name(b, each);
		if (!is_set(a->type) && (!other || !filter_value_equal(each, other)))
			return false;
		other = a->type == ITEM_L ? other->next : other;
	}
	return true;
}

bool filter_value_equal(const struct item_value *a, const struct item_value *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case ITEM_S:
	case ITEM_B:
		return same_bytes(a, b);
	case ITEM_N:
		return number_compare(&a->number, &b->number) == 0;
	case ITEM_BOOL:
		return a->truth == b->truth;
	case ITEM_NULL:
		return true;
	default:
		return same_elements(a, b);
	}
}

int filter_value_compare(const struct item_value *a, const struct item_value *b)
{
	if (a->type == ITEM_N)
		return number_compare(&a->number, &b->number);
	size_t n = a->len < b->len ? a->len : b->len;
	int order = n ? memcmp(a->bytes, b->bytes, n) : 0;
	return order ? order : (a->len > b->len) - (a->len < b->len);
}

bool filter_value_begins(const struct item_value *value, const struct item_value *prefix)
{
	if (value->type != prefix->type || (value->type != ITEM_S && value->type != ITEM_B))
		return false;
	return prefix->len <= value->len && (prefix->len == 0 || memcmp(value->bytes, prefix->bytes, prefix->len) == 0);
}

bool filter_value_contains(const struct item_value *value, const struct filter_value *operand)
{
	const struct item_value *part = filter_value_for(operand, value->type);
	if (value->type == ITEM_S || value->type == ITEM_B)
		return part->type == value->type &&
		       (part->len == 0 || (value->len > 0 && memmem(value->bytes, value->len, part->bytes, part->len)));
	if (value->type != ITEM_L && !is_set(value->type))
		return false;
	for (const struct item_value *each = value->first; each; each = each->next)
		if (filter_value_equal(each, filter_value_for(operand, each->type)))
			return true;
	return false;
}

/* A code point above U+FFFF, four bytes in UTF-8, is two code units in UTF-16. */
static size_t utf16_length(const struct item_value *value)
{
	size_t count = utf8_length(value->bytes, value->len);
	for (size_t i = 0; i < value->len; i++)
		count += value->bytes[i] >= 0xf0;
	return count;
}

bool filter_value_size(const struct item_value *value, size_t *ret_size)
{
	switch (value->type) {
	case ITEM_S:
		*ret_size = utf16_length(value);
		return true;
	case ITEM_B:
		*ret_size = value->len;
		return true;
	case ITEM_N:
	case ITEM_BOOL:
	case ITEM_NULL:
		return false;
	default:
		*ret_size = value->count;
		return true;
	}
}
