/* entry: see entry.h. */
#include "index/entry.h"
#include <string.h>

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
	buf_free(&entry->body_row);
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

static void document_name(struct buf *out, const void *name, size_t n)
{
	buf_add_text(out, out->len ? "," : "{");
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

static void project(const struct entry_source *source, const struct schema_index *index, const struct entry_shape *shape,
		    const struct key *const *keys, struct entry *entry)
{
	struct buf *out = &entry->document;
	size_t measure = 0;
	size_t order[ROW_KEYS_MAX], n = 0;
	order[n++] = (size_t)shape->base_pk; /* base keys first, as in the table */
	if (shape->base_sk >= 0)
		order[n++] = (size_t)shape->base_sk;
	for (size_t i = 0; i < shape->index_keys; i++)
		if ((int)i != shape->base_pk && (int)i != shape->base_sk)
			order[n++] = i;
	for (size_t i = 0; i < n; i++) {
		document_name(out, shape->key[order[i]]->name, shape->key[order[i]]->name_len);
		key_json(keys[order[i]], out);
		measure += shape->key[order[i]]->name_len + key_size(keys[order[i]]);
	}
	for (const struct item_value *v = source->item->first; v; v = v->next) {
		bool is_key = false;
		for (size_t i = 0; i < shape->count; i++)
			is_key |= named(shape->key[i], v);
		if (is_key || !projected(index, v))
			continue;
		document_name(out, v->name, v->name_len);
		json_compact(source->item->document + v->start, v->end - v->start, out);
		measure += v->name_len + v->size;
	}
	buf_add_text(out, "}\n");
	entry->measure = (uint32_t)measure;
}

enum rc entry_make(const struct entry_source *source, const struct schema_index *index, uint32_t table, struct entry *ret_entry,
		   struct why *why)
{
	struct entry_shape shape;
	struct key stored[2]; /* only the index's own keys may come from the document */
	const struct key *keys[ROW_KEYS_MAX];
	bool missing = false;
	entry_shape(source->schema, index, &shape);
	ret_entry->present = false;
	buf_clear(&ret_entry->row);
	buf_clear(&ret_entry->body_row);
	buf_clear(&ret_entry->document);
	for (size_t i = 0; i < shape.count; i++) {
		enum rc rc = find_key(source, index, &shape, i, &stored[i < 2 ? i : 1], &keys[i], why);
		if (rc)
			return rc;
		missing |= !keys[i];
	}
	if (missing) /* said only now: the other key's type counts all the same */
		return RC_OK;
	row_entry(&ret_entry->row, table, index->id, keys, shape.count, false);
	row_entry(&ret_entry->body_row, table, index->id, keys, shape.count, true);
	project(source, index, &shape, keys, ret_entry);
	if (ret_entry->row.failed || ret_entry->body_row.failed || ret_entry->document.failed)
		return RC_NO_MEMORY;
	ret_entry->present = true;
	return RC_OK;
}
