/* Items: what they measure by DynamoDB's rules, and how large they may be. */
#include "tests/unit/item_fixture.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

Test(item, measures_as_dynamodb_does)
{
	static const struct {
		const char *text;
		size_t size;
	} vectors[] = {
	    {"{\"shirt-color\":\"R\",\"shirt-size\":\"M\"}", 23},
	    {"{\"a\":{}}", 4},
	    {"{\"a\":[]}", 4},
	    {"{\"a\":true,\"b\":null}", 4},
	    {"{\"a\":[\"Cookies\",\"Coffee\",3.14159]}", 25},
	    {"{\"m\":{\"Day\":\"Monday\",\"n\":42,\"l\":[{\"Q\":3}]}}", 31},
	    {"{\"s\":{\"$SS\":[\"Black\",\"Green\",\"Red\"]},\"n\":{\"$NS\":[42.2,-19,7.5,3.14]},"
	     "\"b\":{\"$BS\":[\"U3Vubnk=\",\"UmFpbnk=\"]}}",
	     38},
	    {"{\"\xc3\xa9\":\"\xe4\xb8\x96\xe7\x95\x8c\xf0\x9f\x98\x80\"}", 12},
	    {"{\"b\":{\"$B\":\"AAEC\"}}", 4},
	    {"{\"a\":\"\",\"b\":{\"$B\":\"\"}}", 2},
	    {"{\"a\":{\"$SS\":[\"\"]}}", 1},
	    {"{\"a\":{\"$M\":{\"$NS\":[0]}}}", 1 + 3 + 1 + 3 + 3 + 1 + 1},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct item *item = parse(vectors[i].text);

		cr_expect_eq(item->size, vectors[i].size, "%s: %zu, not %zu", vectors[i].text, item->size,
			     vectors[i].size);
		item_free(item);
	}
}

/* {"a":"xxx…"} of n bytes in all by DynamoDB's measure. */
static void make_text_of_size(struct buf *text, size_t n)
{
	buf_clear(text);
	buf_add_text(text, "{\"a\":\"");
	for (size_t i = 1; i < n; i++)
		buf_add_byte(text, 'x');
	buf_add_text(text, "\"}");
}

Test(item, may_have_409600_bytes_by_that_measure_and_not_one_more)
{
	struct buf text = {0};
	struct item *item;
	struct why why;

	make_text_of_size(&text, ITEM_SIZE_MAX);
	item = parse_bytes(text.data, text.len);
	cr_expect_eq(item->size, ITEM_SIZE_MAX);
	item_free(item);
	make_text_of_size(&text, ITEM_SIZE_MAX + 1);
	cr_expect_eq(item_parse(text.data, text.len, &item, &why), RC_TOO_BIG);
	cr_expect_str_eq(why.text, "Item size has exceeded the maximum allowed size");
	buf_free(&text);
}

/* {"a":[X,X,…]} with as many as fit in `size`, each of which counts `each`. */
static void make_list_of(struct buf *text, const char *element, size_t each, size_t size)
{
	size_t n = (size - 4) / (1 + each);

	buf_clear(text);
	buf_add_text(text, "{\"a\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_byte(text, ',');
		buf_add_text(text, element);
	}
	buf_add_text(text, "]}");
}

Test(item, of_the_most_values_that_fit_is_taken_and_one_value_more_is_not)
{
	static const struct {
		const char *element;
		size_t size;
	} kinds[] = {{"\"\"", 0},
		     {"0", 1},
		     {"null", 1},
		     {"{}", 3},
		     {"[]", 3},
		     {"{\"$SS\":[\"\"]}", 0},
		     {"{\"$B\":\"\"}", 0},
		     {"{\"$NS\":[0]}", 1},
		     {"{\"$SS\":[\"\",\"a\"]}", 1},
		     {"{\"$M\":{}}", 3}};
	struct buf text = {0};
	struct item *item;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		make_list_of(&text, kinds[i].element, kinds[i].size, ITEM_SIZE_MAX);
		item = parse_bytes(text.data, text.len);
		cr_expect_leq(item->size, ITEM_SIZE_MAX);
		item_free(item);
		make_list_of(&text, kinds[i].element, kinds[i].size, ITEM_SIZE_MAX + 1 + kinds[i].size);
		cr_expect_eq(item_parse(text.data, text.len, &item, NULL), RC_TOO_BIG, "%s", kinds[i].element);
	}
	buf_free(&text);
}

Test(item, document_may_have_16_mib_and_not_one_byte_more)
{
	char *text = malloc(ITEM_DOCUMENT_MAX + 1);
	struct item *item;

	memset(text, ' ', ITEM_DOCUMENT_MAX + 1);
	memcpy(text, "{\"a\":1", 6);
	text[ITEM_DOCUMENT_MAX - 1] = '}';
	item = parse_bytes(text, ITEM_DOCUMENT_MAX);
	cr_expect_eq(item->size, 3);
	item_free(item);
	cr_expect_eq(item_parse(text, ITEM_DOCUMENT_MAX + 1, &item, NULL), RC_TOO_BIG);
	free(text);
}

static const char *shared_path(const char *name, char path[4096])
{
	const char *shared = getenv("ITEMFS_SHARED");

	snprintf(path, 4096, "%s/data/%s", shared ? shared : "/work/shared", name);
	return path;
}

/* The whole of a file, or NULL where there is none. */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "r");
	char *text;
	long n;

	if (!file)
		return NULL;
	cr_assert_eq(fseek(file, 0, SEEK_END), 0);
	n = ftell(file);
	cr_assert_geq(n, 0);
	rewind(file);
	text = malloc((size_t)n + 1);
	cr_assert_not_null(text);
	cr_assert_eq(fread(text, 1, (size_t)n, file), (size_t)n);
	text[n] = '\0';
	fclose(file);
	*ret_len = (size_t)n;
	return text;
}

/* The length of the object that `text` begins with: up to its brace, those in strings aside. */
static size_t object_length(const char *text)
{
	int depth = 0;
	bool quoted = false;
	size_t i = 0;

	do {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (text[i] == '{') - (text[i] == '}');
		cr_assert(text[i], "an object without its end");
		i++;
	} while (depth);
	return i;
}

/* The bytes as people have them, each movie cut out of the array: a JSON library in between would round the numbers. */
Test(item, sizes_of_the_movies_add_up_to_what_aws_bills)
{
	size_t len, total = 0, count = 0;
	char path[4096], *text = read_file(shared_path("movies.json", path), &len), *at;

	if (!text)
		cr_skip_test("%s is not there (set ITEMFS_SHARED)", path);
	for (at = strchr(text, '{'); at; at = strchr(at, '{')) {
		size_t n = object_length(at);
		struct item *item = parse_bytes(at, n);

		total += item->size;
		count++;
		item_free(item);
		at += n;
	}
	free(text);
	cr_expect_eq(count, 4609);
	cr_expect_eq(total, 2095506, "%zu", total);
}

/* The vectors' numbers have few digits: 15 give them back as they are written. */
static size_t size_of_json(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
	struct item *item = parse(text);
	size_t size = item->size;

	item_free(item);
	free(text);
	return size;
}

/* DynamoDB's JSON for an attribute as a document of ours has it. */
static json_t *from_wire(json_t *wire);

static json_t *number_of(const char *text)
{
	return strpbrk(text, ".eE") ? json_real(atof(text)) : json_integer(atoll(text));
}

static json_t *list_from_wire(const char *type, json_t *list)
{
	json_t *result = json_array(), *element;
	size_t i;

	json_array_foreach(list, i, element)
	    json_array_append_new(result, !strcmp(type, "L")    ? from_wire(element)
					  : !strcmp(type, "NS") ? number_of(json_string_value(element))
								: json_incref(element));
	return result;
}

static json_t *map_from_wire(json_t *map)
{
	json_t *result = json_object(), *value;
	const char *name;

	json_object_foreach(map, name, value) json_object_set_new(result, name, from_wire(value));
	return result;
}

static json_t *from_wire(json_t *wire)
{
	const char *type = json_object_iter_key(json_object_iter(wire));
	json_t *value = json_object_get(wire, type);
	char wrapper[8];

	if (!strcmp(type, "S") || !strcmp(type, "BOOL"))
		return json_incref(value);
	if (!strcmp(type, "NULL"))
		return json_null();
	if (!strcmp(type, "N"))
		return number_of(json_string_value(value));
	if (!strcmp(type, "L"))
		return list_from_wire(type, value);
	snprintf(wrapper, sizeof(wrapper), "$%s", type);
	if (!strcmp(type, "M"))
		return json_pack("{s:o}", wrapper, map_from_wire(value));
	if (!strcmp(type, "B"))
		return json_pack("{s:O}", wrapper, value);
	return json_pack("{s:o}", wrapper, list_from_wire(type, value));
}

Test(item, sizes_agree_with_the_shared_vectors)
{
	char path[4096];
	json_t *vectors = json_load_file(shared_path("item-size-vectors.json", path), 0, NULL), *vector;
	size_t i;

	if (!vectors)
		cr_skip_test("%s is not there (set ITEMFS_SHARED); the vectors that matter are in another test", path);
	cr_assert_gt(json_array_size(json_object_get(vectors, "items")), 0);
	json_array_foreach(json_object_get(vectors, "items"), i, vector)
	{
		json_t *item = map_from_wire(json_object_get(vector, "item"));

		cr_expect_eq(size_of_json(item), (size_t)json_integer_value(json_object_get(vector, "size_split")),
			     "%s", json_string_value(json_object_get(vector, "note")));
		json_decref(item);
	}
	json_decref(vectors);
}
