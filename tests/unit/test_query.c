/* query: random lists of steps on partitions, and on partition keys of indexes, against a model that is an array sorted by its own comparison and cut
 * down step by step, as query.h's first paragraph says it. ITEMFS_QUERIES sets how many queries each kind of key is asked; a failure names the seed
 * and the steps. What a query costs is in test_query_cost.c. */
#include "tests/unit/fixture.h"

enum { KEYS = 60, STEPS_MAX = 5, QUERIES = 400, EACH_TABLE = 50, TEXT = 64 };

/* One kind of key, and whether it is the table's own or an index's (whose keys may be equal, and are then ordered by the base key). */
struct kind {
	char type;
	bool index;
};

struct element {
	char key[TEXT];  /* the sort key as text */
	char base[TEXT]; /* index: the base sort key, which orders equal keys */
	bool even;       /* for the test of documents */
};

struct world {
	struct kind kind;
	uint64_t random;
	char *path;
	struct volume *volume;
	struct table *table;
	struct key pk;
	struct element all[KEYS];
	size_t count;
};

static uint64_t draw(struct world *w, uint64_t n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % n;
}

/* ---- the model ---- */

static int compare_keys(char type, const char *a, const char *b)
{
	if (type != 'N')
		return strcmp(a, b); /* text without NUL; hex in lower case */
	double x = strtod(a, NULL), y = strtod(b, NULL);
	return (x > y) - (x < y);
}

static int compare_elements(const void *x, const void *y, void *context)
{
	const struct world *w = context;
	const struct element *a = x, *b = y;
	int order = compare_keys(w->kind.type, a->key, b->key);
	return order ? order : strcmp(a->base, b->base);
}

static void random_key(struct world *w, char out[TEXT])
{
	static const char *const letters[] = {"a", "b", "ab", "A", "\xc3\xa4", "/", ".", "%", ",", "~"};
	*out = 0;
	if (w->kind.type == 'N') {
		long n = (long)draw(w, 41) - 20;
		if (n % 2 == 0 && draw(w, 2))
			n *= 1000;
		snprintf(out, TEXT, "%ld%s", n, n && draw(w, 3) == 0 ? ".5" : "");
		return;
	}
	for (size_t i = 0, n = 1 + draw(w, 3); i < n; i++) {
		if (w->kind.type == 'S')
			strcat(out, letters[draw(w, sizeof letters / sizeof *letters)]);
		else
			sprintf(out + strlen(out), "%02x", (unsigned)(uint8_t[]){0, 0xff, 1, 0x61, 0xfe}[draw(w, 5)]);
	}
}

/* ---- a table, and the array beside it ---- */

static void define(struct world *w)
{
	char schema[1024];
	snprintf(schema, sizeof schema,
		 "{\"AttributeDefinitions\":[{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\",\"AttributeType\":\"%c\"}"
		 "%s%c%s\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}]%s}",
		 w->kind.index ? 'S' : w->kind.type, w->kind.index ? ",{\"AttributeName\":\"g\",\"AttributeType\":\"S\"},{\"AttributeName\":\"h\",\"AttributeType\":\"" : "",
		 w->kind.index ? w->kind.type : ']', w->kind.index ? "\"}]," : ",",
		 w->kind.index ? ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"},{\"AttributeName\":"
				 "\"h\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]"
			       : "");
	fixture_define(w->table, schema);
}

static bool known(const struct world *w, const struct element *e)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->kind.index ? strcmp(w->all[i].base, e->base) == 0 : strcmp(w->all[i].key, e->key) == 0)
			return true;
	return false;
}

static void put(struct world *w, const struct element *e)
{
	char document[256];
	cleanup_buf struct buf json = {0};
	struct key key = fixture_key((enum key_type)w->kind.type, KEY_SORT, e->key);
	key_json(&key, &json);
	if (w->kind.index)
		snprintf(document, sizeof document, "{\"even\":%s,\"g\":\"here\",\"h\":%.*s}", e->even ? "true" : "false", (int)json.len, (char *)json.data);
	else
		snprintf(document, sizeof document, "{\"even\":%s}", e->even ? "true" : "false");
	fixture_put(w->table, "here", w->kind.index ? e->base : e->key, document);
}

/* A table with up to KEYS items, and others around them that no query here may show. */
static void fill(struct world *w, unsigned number)
{
	char name[32];
	snprintf(name, sizeof name, "table-%u", number);
	table_unref(w->table);
	w->table = fixture_table(w->volume, name);
	define(w);
	w->count = 0;
	for (size_t n = draw(w, KEYS); w->count < n;) {
		struct element e = {.even = draw(w, 2)};
		random_key(w, e.key);
		if (w->kind.index)
			snprintf(e.base, sizeof e.base, "b%02zu", w->count);
		if (known(w, &e)) {
			n--;
			continue;
		}
		put(w, &e);
		w->all[w->count++] = e;
	}
	qsort_r(w->all, w->count, sizeof *w->all, compare_elements, w);
	const char *sk = w->kind.index ? "x" : w->kind.type == 'S' ? "m" : w->kind.type == 'N' ? "1" : "61";
	const char *h = w->kind.type == 'N' ? "1" : w->kind.type == 'B' ? "{\"$B\":\"YQ==\"}" : "\"m\"";
	for (size_t i = 0; i < 2; i++) {
		char document[128];
		snprintf(document, sizeof document, "{\"g\":\"%s\",\"h\":%s}", i ? "therf" : "herd", h);
		fixture_put(w->table, i ? "herf" : "herd", sk, w->kind.index ? document : "{}");
	}
	w->pk = fixture_key(KEY_S, KEY_PARTITION, "here");
}

/* ---- a test of documents, as filters are ---- */

static enum rc test_passes(const struct query_test *test, struct listing *listing, const struct listing_entry *entry, bool *ret_passes)
{
	(void)test, (void)entry;
	cleanup_buf struct buf document = {0};
	enum rc rc = listing_document(listing, &document);
	*ret_passes = !rc && memmem(document.data, document.len, "true", 4);
	return rc;
}

static void test_free(struct query_test *test)
{
	free(test);
}

static struct query_test *new_test(void)
{
	struct query_test *test = malloc(sizeof *test);
	*test = (struct query_test){test_passes, test_free};
	return test;
}

/* ---- one query: the same steps for both ---- */

struct asked {
	struct query *query;
	struct element left[KEYS];
	size_t count;
	bool turned;
	char words[512];
};

static void keep(struct asked *a, size_t i, bool kept, size_t *used)
{
	if (kept)
		a->left[(*used)++] = a->left[i];
}

static bool meets(char type, enum query_condition condition, const char *key, const char *v, const char *to)
{
	int order = compare_keys(type, key, v);
	switch (condition) {
	case QUERY_EQ:
		return order == 0;
	case QUERY_LT:
		return order < 0;
	case QUERY_LE:
		return order <= 0;
	case QUERY_GT:
		return order > 0;
	case QUERY_GE:
		return order >= 0;
	case QUERY_BETWEEN:
		return order >= 0 && compare_keys(type, key, to) <= 0;
	case QUERY_BEGINS_WITH:
		return strncmp(key, v, strlen(v)) == 0;
	}
	return false;
}

static void ask_condition(struct world *w, struct asked *a)
{
	static const char *const names[] = {"eq", "lt", "le", "gt", "ge", "between", "begins_with"};
	enum query_condition condition = (enum query_condition)draw(w, 7);
	char v[TEXT], to[TEXT];
	random_key(w, v);
	random_key(w, to);
	struct key key = fixture_key((enum key_type)w->kind.type, KEY_SORT, v), high = fixture_key((enum key_type)w->kind.type, KEY_SORT, to);
	bool between = condition == QUERY_BETWEEN;
	bool impossible = (between && compare_keys(w->kind.type, v, to) > 0) || (condition == QUERY_BEGINS_WITH && w->kind.type == 'N');
	struct why why = {.text = ""};
	enum rc rc = query_condition(a->query, condition, &key, between ? &high : NULL, &why);
	cr_assert_eq(rc, impossible ? RC_INVALID : RC_OK, "%s %s %s: %s", names[condition], v, to, rc_name(rc));
	cr_assert_eq(why.text[0] != 0, impossible);
	if (impossible)
		return;
	size_t used = 0;
	for (size_t i = 0; i < a->count; i++)
		keep(a, i, meets(w->kind.type, condition, a->left[i].key, v, to), &used);
	a->count = used;
	sprintf(a->words + strlen(a->words), " %s %s %s", names[condition], v, between ? to : "");
}

static void turn(struct asked *a)
{
	for (size_t i = 0; i < a->count / 2; i++) {
		struct element kept = a->left[i];
		a->left[i] = a->left[a->count - 1 - i];
		a->left[a->count - 1 - i] = kept;
	}
	a->turned = !a->turned;
}

static void ask_limit(struct world *w, struct asked *a)
{
	bool last = draw(w, 2);
	uint64_t n = draw(w, 5) ? 1 + draw(w, 12) : draw(w, 2) ? QUERY_ALL : 1 + draw(w, KEYS);
	cr_assert_eq(last ? query_last(a->query, n, NULL) : query_first(a->query, n, NULL), RC_OK);
	if (last)
		turn(a);
	if (n < a->count)
		a->count = n;
	sprintf(a->words + strlen(a->words), " %s %lld", last ? "last" : "first", (long long)n);
}

static void ask_after(struct world *w, struct asked *a)
{
	struct element e = {.even = false};
	if (w->count && draw(w, 3))
		e = w->all[draw(w, w->count)];
	else
		random_key(w, e.key);
	if (w->kind.index && !e.base[0])
		strcpy(e.base, "b07x");
	struct key keys[3];
	size_t count = w->kind.index ? 3 : 1;
	keys[0] = fixture_key((enum key_type)w->kind.type, KEY_SORT, e.key);
	if (w->kind.index) {
		keys[1] = fixture_key(KEY_S, KEY_PARTITION, "here");
		keys[2] = fixture_key(KEY_S, KEY_SORT, e.base);
	}
	cr_assert_eq(query_after(a->query, keys, count), RC_OK);
	size_t used = 0;
	for (size_t i = 0; i < a->count; i++) {
		int order = compare_elements(&a->left[i], &e, w);
		keep(a, i, a->turned ? order < 0 : order > 0, &used);
	}
	a->count = used;
	sprintf(a->words + strlen(a->words), " after %s,%s", e.key, e.base);
}

static void ask_test(struct asked *a)
{
	cr_assert_eq(query_where(a->query, new_test()), RC_OK);
	size_t used = 0;
	for (size_t i = 0; i < a->count; i++)
		keep(a, i, a->left[i].even, &used);
	a->count = used;
	strcat(a->words, " where even");
}

static void ask(struct world *w, struct asked *a)
{
	memset(a, 0, sizeof *a);
	a->query = query_new();
	memcpy(a->left, w->all, sizeof w->all);
	a->count = w->count;
	for (size_t n = draw(w, STEPS_MAX + 1); n; n--) {
		switch (draw(w, 7)) {
		case 0:
		case 1:
			ask_limit(w, a);
			break;
		case 2:
			ask_after(w, a);
			break;
		case 3:
			ask_test(a);
			break;
		default:
			ask_condition(w, a);
		}
	}
}

/* ---- the answer ---- */

static struct listing_place place_of(const struct world *w, const struct query *query)
{
	return (struct listing_place){.kind = w->kind.index ? LISTING_ENTRIES : LISTING_ITEMS, .table = w->table, .pk = &w->pk, .index = "gsi", .query = query};
}

static void expect_entry(const struct world *w, const struct asked *a, const struct listing_entry *entry, size_t at)
{
	cleanup_buf struct buf text = {0};
	cr_assert_lt(at, a->count, "more than %zu:%s", a->count, a->words);
	key_text(w->kind.index ? &entry->keys[1] : &entry->key, &text);
	if (w->kind.index) {
		buf_add_byte(&text, ',');
		key_text(&entry->keys[entry->key_count - 1], &text);
	}
	buf_add_byte(&text, 0);
	char expected[2 * TEXT + 1];
	snprintf(expected, sizeof expected, w->kind.index ? "%s,%s" : "%s", a->left[at].key, a->left[at].base);
	cr_assert_str_eq((char *)text.data, expected, "at %zu:%s", at, a->words);
}

/* Forward to the end, then to and fro. */
static void compare(struct world *w, const struct asked *a)
{
	struct listing_place place = place_of(w, a->query);
	struct listing *listing;
	const struct listing_entry *entry = NULL;
	cr_assert_eq(listing_open(w->volume, NULL, &place, &listing), RC_OK);
	size_t at = 0;
	enum rc rc;
	while ((rc = listing_next(listing, &entry)) == RC_OK)
		expect_entry(w, a, entry, at++);
	cr_assert_eq(rc, RC_NOT_FOUND);
	cr_assert_eq(at, a->count, "%zu of %zu:%s", at, a->count, a->words);
	for (size_t i = 0; i < 20; i++) {
		if (draw(w, 5) < 3 && at) {
			rc = listing_prev(listing);
			cr_assert_eq(rc, --at ? RC_OK : RC_NOT_FOUND, "back to %zu: %s:%s", at, rc_name(rc), a->words);
		} else {
			rc = listing_next(listing, &entry);
			cr_assert_eq(rc, at < a->count ? RC_OK : RC_NOT_FOUND, "on from %zu: %s:%s", at, rc_name(rc), a->words);
			if (!rc)
				expect_entry(w, a, entry, at++);
		}
	}
	listing_close(listing);
}

/* Each item of the partition, and one that is not there, asked for by itself; twice, as the second time it is remembered where limits end. */
static void compare_each(struct world *w, const struct asked *a)
{
	struct listing_place place = place_of(w, a->query);
	struct listing_memo *memo = listing_memo_new();
	for (size_t i = 0; i < 2 * w->count; i++) {
		const struct element *e = &w->all[i % w->count];
		struct key keys[3];
		size_t count = w->kind.index ? 3 : 1;
		bool left = false;
		for (size_t j = 0; j < a->count; j++)
			left |= compare_elements(&a->left[j], e, w) == 0;
		keys[0] = fixture_key((enum key_type)w->kind.type, KEY_SORT, e->key);
		if (w->kind.index) {
			keys[1] = fixture_key(KEY_S, KEY_PARTITION, "here");
			keys[2] = fixture_key(KEY_S, KEY_SORT, e->base);
		}
		enum rc rc = listing_has(w->volume, NULL, &place, keys, count, i % 3 ? memo : NULL);
		cr_assert_eq(rc, left ? RC_OK : RC_NOT_FOUND, "%s,%s: %s:%s", e->key, e->base, rc_name(rc), a->words);
	}
	listing_memo_free(memo);
}

static void equals_an_array(char type, bool index)
{
	const char *many = getenv("ITEMFS_QUERIES"), *seed = getenv("ITEMFS_SEED");
	unsigned long queries = many ? strtoul(many, NULL, 10) : QUERIES, first = seed ? strtoul(seed, NULL, 10) : 1;
	struct world w = {.kind = {type, index}, .path = fixture_place(), .random = 88172645463325252u ^ first << 32 ^ (uint64_t)type << 8 ^ index};
	static struct asked asked;
	w.volume = fixture_open(w.path);
	for (unsigned long i = 0; i < queries; i++) {
		if (i % EACH_TABLE == 0)
			fill(&w, (unsigned)(i / EACH_TABLE));
		ask(&w, &asked);
		compare(&w, &asked);
		if (i % 4 == 0)
			compare_each(&w, &asked);
		query_free(asked.query);
	}
	table_unref(w.table);
	volume_close(w.volume);
	fixture_remove(w.path);
}

Test(query, of_strings_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('S', false);
}

Test(query, of_numbers_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('N', false);
}

Test(query, of_binaries_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('B', false);
}

Test(query, of_an_index_by_strings_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('S', true);
}

Test(query, of_an_index_by_numbers_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('N', true);
}

Test(query, of_an_index_by_binaries_equals_an_array_cut_down_step_by_step)
{
	equals_an_array('B', true);
}
