/* entry: see entry.h. */
#include "index/entry.h"
#include <string.h>

/* What an entry's keys and their names take in its document, mostly. */
enum { KEYS_ROOM = 128 };

static bool same_name(const struct schema_attribute *a, const struct schema_attribute *b)
{
	return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

static bool named(const struct schema_attribute *a, const struct item_value *value)
{
	return a->name_len == value->name_len && memcmp(a->name, value->name, a->name_len) == 0;
}

static int shape_find(const struct entry_shape *shape, const struct schema_attribute *attribute)
{
	for (size_t i = 0; i < shape->count; i++)
		if (same_name(shape->key[i], attribute))
			return (int)i;
	return -1;
}

static int shape_add(struct entry_shape *shape, const struct schema_attribute *attribute, enum key_role role)
{
	int at = shape_find(shape, attribute);
	if (at >= 0)
		return at;
	shape->key[shape->count] = attribute;
	shape->role[shape->count] = role;
	return (int)shape->count++;
}

void entry_shape(const struct schema *schema, const struct schema_index *index, struct entry_shape *ret_shape)
{
	struct entry_shape shape = {.base_sk = -1};
	/* The index's own come as they are, even one attribute in both roles (the parser refuses that). */
	shape.key[shape.count] = &index->key.partition[0];
	shape.role[shape.count++] = KEY_PARTITION;
	if (index->key.sorts) {
		shape.key[shape.count] = &index->key.sort[0];
		shape.role[shape.count++] = KEY_SORT;
	}
	shape.index_keys = shape.count;
	shape.base_pk = shape_add(&shape, &schema->key.partition[0], KEY_PARTITION);
	if (schema->key.sorts)
		shape.base_sk = shape_add(&shape, &schema->key.sort[0], KEY_SORT);
	*ret_shape = shape;
}

void entry_free(struct entry *entry)
{
	buf_free(&entry->row);
	buf_free(&entry->document);
}

static const struct key *base_key(const struct entry_source *source, const struct schema_attribute *attribute)
{
	const struct schema_key *base = &source->schema->key;
	if (same_name(&base->partition[0], attribute))
		return source->pk;
	return base->sorts && same_name(&base->sort[0], attribute) ? source->sk : NULL;
}

/* AWS's words for an attribute that cannot be a key of this index. */
static enum rc misfit(const struct schema_index *index, const struct schema_attribute *attribute, enum key_role role,
		      const struct item_value *value, struct why *why)
{
	static const char *const words[] = {"S", "N", "B"};
	const char *expected = words[attribute->type == KEY_S ? 0 : attribute->type == KEY_N ? 1 : 2];
	bool right = strcmp(item_type_name(value->type), expected) == 0;
	if (!right)
		return why_at(why, RC_REFUSED, value->line, value->column,
			      "One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s "
			      "IndexName: %s",
			      attribute->name, expected, item_type_name(value->type), index->name);
	if (value->len == 0)
		return why_at(why, RC_REFUSED, value->line, value->column,
			      "One or more parameter values are not valid. A value specified for a secondary index key is not "
			      "supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, "
			      "IndexKey: %s",
			      value->type == ITEM_B ? "binary" : "string", index->name, attribute->name);
	return why_at(why, RC_REFUSED, value->line, value->column,
		      "One or more parameter values were invalid: the value of %s, a key of index %s, has %zu bytes; at most %d are "
		      "allowed",
		      attribute->name, index->name, value->len, role == KEY_PARTITION ? KEY_PARTITION_MAX : KEY_SORT_MAX);
}

/* One key of the row. *ret_key points at the base key or into *store. NULL: the attribute is missing. */
static enum rc find_key(const struct entry_source *source, const struct schema_index *index, const struct entry_shape *shape,
			size_t i, struct key *store, const struct key **ret_key, struct why *why)
{
	const struct schema_attribute *attribute = shape->key[i];
	*ret_key = base_key(source, attribute);
	if (*ret_key && (*ret_key)->type != KEY_N && shape->role[i] == KEY_SORT && (*ret_key)->len > KEY_SORT_MAX)
		return why_set(why, RC_REFUSED,
			       "One or more parameter values were invalid: the value of %s, a sort key of index %s, has %zu bytes; at most "
			       "%d are allowed",
			       attribute->name, index->name, (*ret_key)->len, KEY_SORT_MAX);
	if (*ret_key)
		return RC_OK;
	const struct item_value *value = item_find(source->item, attribute->name, attribute->name_len);
	if (!value)
		return RC_OK;
	if (key_from_value(value, attribute->type, shape->role[i], attribute->name, store, NULL))
		return misfit(index, attribute, shape->role[i], value, why);
	*ret_key = store;
	return RC_OK;
}

/* Whether its text holds values, and so may hold white space that means nothing. */
static bool is_container(const struct item *item, const struct item_value *value)
{
	char first = item->document[value->start];
	return first == '{' || first == '[';
}

static void document_value(struct buf *out, const struct item *item, const struct item_value *value)
{
	const char *text = item->document + value->start;
	if (is_container(item, value))
		json_compact(text, value->end - value->start, out);
	else
		buf_add(out, text, value->end - value->start);
}

static void document_name(struct buf *out, const void *name, size_t n)
{
	buf_add_byte(out, out->len ? ',' : '{');
	buf_add_json_string(out, name, n);
	buf_add_byte(out, ':');
}

static bool projected(const struct schema_index *index, const struct item_value *value)
{
	if (index->projection == SCHEMA_ALL)
		return true;
	for (size_t i = 0; i < index->includes; i++)
		if (named(&index->include[i], value))
			return true;
	return false;
}

static bool is_key(const struct entry_shape *shape, const struct item_value *value)
{
	for (size_t i = 0; i < shape->count; i++)
		if (named(shape->key[i], value))
			return true;
	return false;
}

/* The first from `value` on that is projected and no key. */
static const struct item_value *next_projected(const struct schema_index *index, const struct entry_shape *shape, const struct item_value *value)
{
	while (value && (is_key(shape, value) || !projected(index, value)))
		value = value->next;
	return value;
}

/* An entry while it is made: its keys by their places in the row. */
struct making {
	const struct entry_source *source;
	const struct schema_index *index;
	struct entry_shape shape;
	const struct key *keys[ROW_KEYS_MAX];
	struct key stored[2]; /* only the index's own keys may come from the document */
};

static void project(const struct making *m, struct buf *out)
{
	const struct entry_shape *shape = &m->shape;
	const struct item *item = m->source->item;
	size_t order[ROW_KEYS_MAX], n = 0;
	buf_reserve(out, KEYS_ROOM + (m->index->projection == SCHEMA_ALL ? item->document_len : 0));
	order[n++] = (size_t)shape->base_pk; /* base keys first, as in the table */
	if (shape->base_sk >= 0)
		order[n++] = (size_t)shape->base_sk;
	for (size_t i = 0; i < shape->index_keys; i++)
		if ((int)i != shape->base_pk && (int)i != shape->base_sk)
			order[n++] = i;
	for (size_t i = 0; i < n; i++) {
		document_name(out, shape->key[order[i]]->name, shape->key[order[i]]->name_len);
		key_json(m->keys[order[i]], out);
	}
	for (const struct item_value *v = item->first; (v = next_projected(m->index, shape, v)); v = v->next) {
		document_name(out, v->name, v->name_len);
		document_value(out, item, v);
	}
	buf_add_text(out, "}\n");
}

static uint32_t measure(const struct making *m)
{
	size_t size = 0;
	for (size_t i = 0; i < m->shape.count; i++)
		size += m->shape.key[i]->name_len + key_size(m->keys[i]);
	for (const struct item_value *v = m->source->item->first; (v = next_projected(m->index, &m->shape, v)); v = v->next)
		size += v->name_len + v->size;
	return (uint32_t)size;
}

/* *ret_whole: the item has all keys of the index. */
static enum rc find_keys(struct making *m, const struct entry_source *source, const struct schema_index *index, bool *ret_whole, struct why *why)
{
	bool missing = false;
	m->source = source;
	m->index = index;
	entry_shape(source->schema, index, &m->shape);
	for (size_t i = 0; i < m->shape.count; i++) {
		enum rc rc = find_key(source, index, &m->shape, i, &m->stored[i < 2 ? i : 1], &m->keys[i], why);
		if (rc)
			return rc;
		missing |= !m->keys[i];
	}
	*ret_whole = !missing; /* said only now: the other key's type counts all the same */
	return RC_OK;
}

/* All but the document. */
static enum rc begin(struct making *m, const struct entry_source *source, const struct schema_index *index, uint32_t table,
		     struct entry *ret_entry, struct why *why)
{
	bool whole;
	ret_entry->present = false;
	buf_clear(&ret_entry->row);
	buf_clear(&ret_entry->document);
	enum rc rc = find_keys(m, source, index, &whole, why);
	if (rc || !whole)
		return rc;
	row_entry(&ret_entry->row, table, index->id, m->keys, m->shape.count, false);
	ret_entry->measure = measure(m);
	ret_entry->present = true;
	return RC_OK;
}

static enum rc end(struct entry *entry)
{
	bool whole = !entry->row.failed && !entry->document.failed;
	entry->present &= whole;
	return whole ? RC_OK : RC_NO_MEMORY;
}

enum rc entry_make(const struct entry_source *source, const struct schema_index *index, uint32_t table, struct entry *ret_entry,
		   struct why *why)
{
	struct making m;
	enum rc rc = begin(&m, source, index, table, ret_entry, why);
	if (!rc && ret_entry->present)
		project(&m, &ret_entry->document);
	return rc ? rc : end(ret_entry);
}

/* No more than what a key or name takes in a document: six bytes for one that is escaped, a number in full, and what stands around it. */
static size_t most(size_t n)
{
	return 6 * n + 16;
}

/* Whether it is certain that the document stands in its head row. */
static bool is_small(const struct making *m)
{
	size_t n = 2;
	for (size_t i = 0; i < m->shape.count; i++)
		n += most(m->shape.key[i]->name_len) + most(m->keys[i]->len) + (m->keys[i]->type == KEY_N ? NUMBER_TEXT_MAX : 0);
	for (const struct item_value *v = m->source->item->first; (v = next_projected(m->index, &m->shape, v)); v = v->next)
		n += most(v->name_len) + (v->end - v->start);
	return n <= ROW_INLINE_MAX;
}

enum rc entry_locate(const struct entry_source *source, const struct schema_index *index, uint32_t table, struct entry *ret_entry)
{
	struct making m;
	enum rc rc = begin(&m, source, index, table, ret_entry, NULL);
	if (!rc && ret_entry->present && !is_small(&m))
		project(&m, &ret_entry->document);
	return rc ? rc : end(ret_entry);
}

uint32_t entry_measure(const struct entry_source *source, const struct schema_index *index)
{
	struct making m;
	bool whole;
	return find_keys(&m, source, index, &whole, NULL) == RC_OK && whole ? measure(&m) : 0;
}

/* Whether both are written alike into an entry's document. */
static bool same_value(const struct item *a, const struct item_value *v, const struct item *b, const struct item_value *w)
{
	cleanup_buf struct buf one = {0}, other = {0};
	size_t n = v->end - v->start;
	if (v->name_len != w->name_len || memcmp(v->name, w->name, v->name_len) != 0)
		return false;
	if (n == w->end - w->start && memcmp(a->document + v->start, b->document + w->start, n) == 0)
		return true;
	if (!is_container(a, v) || !is_container(b, w))
		return false;
	document_value(&one, a, v);
	document_value(&other, b, w);
	return !one.failed && !other.failed && one.len == other.len && memcmp(one.data, other.data, one.len) == 0;
}

bool entry_same(const struct entry_source *a, const struct entry_source *b, const struct schema_index *index)
{
	struct entry_shape shape;
	entry_shape(a->schema, index, &shape);
	const struct item_value *v = next_projected(index, &shape, a->item->first), *w = next_projected(index, &shape, b->item->first);
	while (v && w && same_value(a->item, v, b->item, w)) {
		v = next_projected(index, &shape, v->next);
		w = next_projected(index, &shape, w->next);
	}
	return !v && !w;
}
