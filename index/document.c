/* document: see document.h. */
#include "index/document.h"
#include "index/entry.h"

/* The part of the key that this attribute gives, and its name in words; NULL where the document leaves it out. */
static const struct item_value *held(const struct item *item, const struct schema_attribute *attribute)
{
	return item_find(item, attribute->name, attribute->name_len);
}

static enum rc agree(const struct item *item, const struct schema_attribute *attribute, const struct key *key, struct why *why)
{
	const struct item_value *value = held(item, attribute);
	if (!value || key_equals_value(key, value))
		return RC_OK;
	struct key given;
	enum rc rc = key_from_value(value, attribute->type, KEY_PARTITION, attribute->name, &given, why);
	if (rc)
		return rc;
	cleanup_buf struct buf path = {0}, document = {0};
	key_json(key, &path);
	key_json(&given, &document);
	return why_at(why, RC_REFUSED, value->line, value->column, "the document says %s is %.*s, and its path says %.*s", attribute->name,
		      (int)(document.len < 200 ? document.len : 200), document.data, (int)(path.len < 200 ? path.len : 200), path.data);
}

static size_t implied(const struct item *item, const struct schema_attribute *attribute, const struct key *key)
{
	return held(item, attribute) ? 0 : attribute->name_len + key_size(key);
}

enum rc document_check(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item,
		       uint32_t *ret_measure, struct why *why)
{
	const struct schema_attribute *pk_attribute = &schema->key.partition[0];
	const struct schema_attribute *sk_attribute = sk ? &schema->key.sort[0] : NULL;
	enum rc rc = RC_OK;
	if (schema->declared) {
		rc = agree(item, pk_attribute, pk, why);
		if (!rc && sk)
			rc = agree(item, sk_attribute, sk, why);
	}
	if (rc)
		return rc;
	size_t measure = item->size + implied(item, pk_attribute, pk) + (sk ? implied(item, sk_attribute, sk) : 0);
	if (measure > ITEM_SIZE_MAX)
		return why_set(why, RC_TOO_BIG,
			       "Item size has exceeded the maximum allowed size: %zu bytes by DynamoDB's measure, key included; at most %d",
			       measure, ITEM_SIZE_MAX);
	*ret_measure = (uint32_t)measure;
	return RC_OK;
}

/* An entry's attributes are the item's, and mostly fewer: where so many whole items would fit, it need not be reckoned. */
enum rc document_check_new(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item,
			   uint32_t *ret_measure, struct why *why)
{
	const struct entry_source source = {schema, pk, sk, item};
	uint32_t measure;
	size_t locals = 0, together;
	enum rc rc = document_check(schema, pk, sk, item, &measure, why);
	if (rc)
		return rc;
	while (locals < schema->count && schema->indexes[locals].local)
		locals++;
	together = measure;
	for (size_t i = 0; i < locals && measure > ITEM_SIZE_MAX / (locals + 1); i++)
		together += entry_measure(&source, &schema->indexes[i]);
	if (together > ITEM_SIZE_MAX)
		return why_set(why, RC_TOO_BIG,
			       "Item size has exceeded the maximum allowed size: %zu bytes by DynamoDB's measure, its entries in the local indexes included; "
			       "at most %d",
			       together, ITEM_SIZE_MAX);
	*ret_measure = measure;
	return RC_OK;
}

enum rc document_key(const struct item *item, const struct schema_attribute *attribute, enum key_role role, struct key *ret_key,
		     struct why *why)
{
	const struct item_value *value = item_find(item, attribute->name, attribute->name_len);
	if (value)
		return key_from_value(value, attribute->type, role, attribute->name, ret_key, why);
	return why_set(why, RC_REFUSED, "this name is cut, so the document must say the whole key: it holds no %s", attribute->name);
}

void document_rekey(const struct schema *schema, const struct key *pk, const struct key *sk, const struct item *item, struct buf *out)
{
	const struct item_value *value[2] = {held(item, &schema->key.partition[0]), sk ? held(item, &schema->key.sort[0]) : NULL};
	const struct key *key[2] = {pk, sk};
	if (value[0] && value[1] && value[0]->start > value[1]->start) {
		const struct item_value *v = value[0];
		value[0] = value[1];
		value[1] = v;
		key[0] = sk;
		key[1] = pk;
	}
	size_t at = 0;
	for (int i = 0; i < 2 && schema->declared; i++) {
		if (!value[i] || key_equals_value(key[i], value[i]))
			continue;
		buf_add(out, item->document + at, value[i]->start - at);
		key_json(key[i], out);
		at = value[i]->end;
	}
	buf_add(out, item->document + at, item->document_len - at);
}

enum rc document_stored(const struct buf *document, struct item **ret_item)
{
	enum rc rc = item_parse(document->data, document->len, ret_item, NULL);
	return rc == RC_REFUSED || rc == RC_UNFINISHED || rc == RC_TOO_BIG ? RC_CORRUPT : rc;
}
