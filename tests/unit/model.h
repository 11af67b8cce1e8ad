/* model: what the volume should hold, as a plain array, and the rules by which that is told: which keys there are, which indexes a definition may
 * have, and which items these take. It finds index keys by text, not with the parser.
 */
#ifndef ITEMFS_TESTS_MODEL_H
#define ITEMFS_TESTS_MODEL_H

#include "tests/unit/fixture.h"

enum { ITEMS = 160, FILES = 24, PKS = 8, SKS = 9 };

/* How a table is keyed. Texts are canonical for the types, in no order. */
struct shape {
	char pk_type, sk_type; /* sk_type 0: no sort key */
};

static const char *const texts_s[SKS] = {"a", "ab", "b/c", ".d", "e,f", "\xc3\xa4", "%41", "item", "z z"};
static const char *const texts_n[SKS] = {"0", "-1", "10", "9", "0.5", "-20.25", "100", "3", "-0.001"};
static const char *const texts_b[SKS] = {"00", "0000", "00ff", "ff", "0a", "0b", "a0", "80", "01"};

static inline const char *key_text_at(char type, size_t i)
{
	return type == 'S' ? texts_s[i] : type == 'N' ? texts_n[i] : texts_b[i];
}

/* One index that the definition may have. Its keys are attributes "g" (S) and "h" (N), or base keys. */
struct index_rule {
	const char *name, *hash, *range; /* attribute names */
	bool local;
	const char *projection; /* JSON */
	bool all, include_x;
};
static const struct index_rule rules[] = {
    {"lsi-h", "pk", "h", true, "{\"ProjectionType\":\"ALL\"}", true, false},
    {"gsi-g", "g", NULL, false, "{\"ProjectionType\":\"KEYS_ONLY\"}", false, false},
    {"gsi-h-g", "h", "g", false, "{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"x\"]}", false, true},
    {"gsi-g-pk", "g", "pk", false, "{\"ProjectionType\":\"ALL\"}", true, false},
};
enum { RULES = sizeof rules / sizeof *rules };

struct model_item {
	size_t pk, sk;
	char *document;
	const char *g, *h, *x, *big; /* values in JSON, NULL: left out; constants */
	bool pk_held;
	uint32_t mode;
};

struct model_file {
	int pk; /* -1: the table's own */
	char name[16];
	char *bytes;
};

/* What the volume should hold. */
struct model {
	uint64_t random;
	unsigned seed;
	size_t step;
	char *path;
	struct volume *volume;
	struct table *table;
	const struct shape *shape;
	bool declared;
	bool has[RULES];
	struct model_item items[ITEMS];
	size_t item_count;
	struct model_file files[FILES];
	size_t file_count;
	bool partition[PKS], implicit[PKS];
	char *big;
};

#define EXPECT(m, condition, ...)                                                                                      \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "seed %u, step %zu: %s: ", (m)->seed, (m)->step, #condition);                  \
			fprintf(stderr, __VA_ARGS__);                                                                  \
			fputc('\n', stderr);                                                                           \
			cr_assert(false, "seed %u, step %zu: %s", (m)->seed, (m)->step, #condition);                   \
		}                                                                                                      \
	} while (0)

static inline size_t below(struct model *m, size_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (size_t)(m->random >> 11) % n;
}

static inline bool has_sk(const struct model *m)
{
	return !m->declared || m->shape->sk_type;
}

static inline struct leaf item_leaf(struct model *m, size_t pk, size_t sk)
{
	return fixture_item(m->table, key_text_at(m->shape->pk_type, pk),
			    has_sk(m) ? key_text_at(m->shape->sk_type ?: 'S', sk) : NULL);
}

static inline struct leaf file_leaf(struct model *m, const struct model_file *file)
{
	return fixture_file(m->table, file->pk < 0 ? NULL : key_text_at(m->shape->pk_type, (size_t)file->pk),
			    file->name);
}

static inline struct model_item *find_item(struct model *m, size_t pk, size_t sk)
{
	for (size_t i = 0; i < m->item_count; i++)
		if (m->items[i].pk == pk && m->items[i].sk == sk)
			return &m->items[i];
	return NULL;
}

static inline struct model_file *find_file(struct model *m, int pk, const char *name)
{
	for (size_t i = 0; i < m->file_count; i++)
		if (m->files[i].pk == pk && strcmp(m->files[i].name, name) == 0)
			return &m->files[i];
	return NULL;
}

static inline size_t names_in(const struct model *m, size_t pk, size_t *ret_files)
{
	size_t items = 0;
	*ret_files = 0;
	for (size_t i = 0; i < m->item_count; i++)
		items += m->items[i].pk == pk;
	for (size_t i = 0; i < m->file_count; i++)
		*ret_files += m->files[i].pk == (int)pk;
	return items;
}

static inline bool fits_g(const char *g)
{
	return !g || (g[0] == '"' && g[1] != '"');
}

static inline bool fits_h(const char *h)
{
	return !h || h[0] == '-' || (h[0] >= '0' && h[0] <= '9');
}

static inline bool uses(const struct index_rule *rule, const char *name)
{
	return strcmp(rule->hash, name) == 0 || (rule->range && strcmp(rule->range, name) == 0);
}

static inline bool fits_index(const struct model_item *item, size_t r)
{
	return (!uses(&rules[r], "g") || fits_g(item->g)) && (!uses(&rules[r], "h") || fits_h(item->h));
}

static inline bool fits(const struct model *m, const struct model_item *item)
{
	for (size_t r = 0; r < RULES; r++)
		if (m->has[r] && !fits_index(item, r))
			return false;
	return true;
}

static inline bool qualifies(const struct model_item *item, size_t r)
{
	return fits_index(item, r) && (!uses(&rules[r], "g") || item->g) && (!uses(&rules[r], "h") || item->h);
}

static inline struct key partition_key(struct model *m, size_t pk)
{
	return fixture_key((enum key_type)m->shape->pk_type, KEY_PARTITION, key_text_at(m->shape->pk_type, pk));
}

/* Ends the test where the volume shows anything else than the model holds, or the check finds it unsound. */
void model_compare(struct model *m);

#endif
