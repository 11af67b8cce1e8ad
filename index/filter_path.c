/* filter_path: which attribute a filter is about: DynamoDB's document path. Separators are read before escapes, so that an escaped one is
 * part of its name.
 */
#include "index/filter_private.h"
#include "store/model/percent.h"
#include "store/model/utf8.h"
#include <string.h>

enum { INDEX_DIGITS_MAX = 9 }; /* more elements than any item can hold */

static enum rc bad_path(const char *text, const char *words, struct why *why)
{
	return why_set(why, RC_INVALID, "%s: %s", text, words);
}

static enum rc new_step(struct filter_path *path, struct filter_step **ret_step, struct why *why)
{
	if (path->count == FILTER_PATH_MAX)
		return why_set(why, RC_INVALID,
			       "The document path has too many nesting levels; nesting levels: more than %d",
			       FILTER_PATH_MAX);
	*ret_step = &path->step[path->count++];
	**ret_step = (struct filter_step){.at = path->names.len};
	return RC_OK;
}

static enum rc read_name(const char *text, size_t *at, struct filter_path *path, struct why *why)
{
	size_t n = strcspn(text + *at, ".[]");
	struct filter_step *step = NULL;
	enum rc rc = new_step(path, &step, why);
	if (rc)
		return rc;
	if (n == 0)
		return bad_path(text, "an attribute's name is missing", why);
	rc = percent_decode(text + *at, n, "a filter", &path->names, why);
	if (rc)
		return rc;
	step->len = path->names.len - step->at;
	if (!utf8_valid(path->names.data + step->at, step->len))
		return why_set(why, RC_NOT_UTF8, "an attribute's name is not UTF-8");
	*at += n;
	return RC_OK;
}

/* Stands on the bracket. */
static enum rc read_index(const char *text, size_t *at, struct filter_path *path, struct why *why)
{
	const char *digits = text + *at + 1;
	size_t n = strspn(digits, "0123456789");
	struct filter_step *step = NULL;
	enum rc rc = new_step(path, &step, why);
	if (rc)
		return rc;
	if (n == 0 || digits[n] != ']')
		return bad_path(
		    text, "between [ and ] stands the number of a list's element (a [ in a name is written %5B)", why);
	if (n > INDEX_DIGITS_MAX)
		return why_set(why, RC_INVALID, "List index is not within the allowable range; index: [%.*s]", (int)n,
			       digits);
	step->is_index = true;
	for (size_t i = 0; i < n; i++)
		step->index = step->index * 10 + (size_t)(digits[i] - '0');
	*at += n + 2;
	return RC_OK;
}

enum rc filter_path_parse(const char *text, struct filter_path *path, struct why *why)
{
	size_t at = 0;
	enum rc rc = read_name(text, &at, path, why);
	while (!rc && text[at]) {
		if (text[at] == '[') {
			rc = read_index(text, &at, path, why);
		} else if (text[at] == '.') {
			at++;
			rc = read_name(text, &at, path, why);
		} else if (text[at] == ']') {
			rc = bad_path(text, "a ] without its [ (in a name it is written %5D)", why);
		} else {
			rc = bad_path(text, "after ] comes . or [ or the end", why);
		}
	}
	return rc;
}

void filter_path_free(struct filter_path *path)
{
	buf_free(&path->names);
}

static bool is_name(const struct filter_path *path, const struct filter_step *step, const void *name, size_t len)
{
	return step->len == len && memcmp(path->names.data + step->at, name, len) == 0;
}

bool filter_path_is_in(const struct filter_path *path, const struct schema_attribute *attribute)
{
	return is_name(path, &path->step[0], attribute->name, attribute->name_len);
}

static const struct item_value *step_into(const struct filter_path *path, const struct filter_step *step,
					  const struct item_value *value)
{
	size_t left = step->index;
	if (value->type != (step->is_index ? ITEM_L : ITEM_M))
		return NULL;
	for (value = value->first; value; value = value->next)
		if (step->is_index ? left-- == 0 : is_name(path, step, value->name, value->name_len))
			break;
	return value;
}

const struct item_value *filter_path_follow(const struct filter_path *path, const struct item_value *value)
{
	for (size_t i = 1; value && i < path->count; i++)
		value = step_into(path, &path->step[i], value);
	return value;
}
