/* model_compare: all that a volume shows, beside what the model holds (model.h). */
#include "tests/unit/model.h"

static void compare_items(struct model *m)
{
	for (size_t i = 0; i < m->item_count; i++) {
		struct model_item *item = &m->items[i];
		struct leaf leaf = item_leaf(m, item->pk, item->sk);
		struct head head;
		cleanup_buf struct buf document = {0};
		enum rc rc = leaf_get(&leaf, NULL, &head, &document);
		EXPECT(m, rc == RC_OK, "%s", rc_name(rc));
		EXPECT(m,
		       document.len == strlen(item->document) &&
			   memcmp(document.data, item->document, document.len) == 0,
		       "%.*s for %s", (int)document.len, document.data, item->document);
		EXPECT(m, head.meta.mode == item->mode, "%o for %o", head.meta.mode, item->mode);
	}
	for (size_t i = 0; i < m->file_count; i++) {
		struct leaf leaf = file_leaf(m, &m->files[i]);
		EXPECT(m, fixture_reads(&leaf, m->files[i].bytes), "file %s", m->files[i].name);
	}
}

/* How many a listing gives, each after the one before it. */
static size_t count_listed(struct model *m, enum listing_kind kind, const struct key *pk, const char *index)
{
	struct listing_place place = {.kind = kind, .table = m->table, .pk = pk, .index = index};
	struct listing *listing;
	const struct listing_entry *entry;
	cleanup_buf struct buf last = {0}, now = {0};
	size_t n = 0;
	enum rc rc = listing_open(m->volume, NULL, &place, &listing);
	EXPECT(m, rc == RC_OK, "%s", rc_name(rc));
	for (; (rc = listing_next(listing, &entry)) == RC_OK; n++) {
		buf_clear(&now);
		if (kind == LISTING_ENTRIES)
			for (size_t i = 0; i < entry->key_count; i++)
				key_encode(&entry->keys[i], &now);
		else if (kind == LISTING_FILES)
			buf_add_text(&now, entry->name);
		else if (entry->key.len)
			key_encode(&entry->key, &now);
		size_t common = last.len < now.len ? last.len : now.len;
		int order = n && common ? memcmp(last.data, now.data, common) : -1;
		EXPECT(m, order < 0 || (order == 0 && last.len < now.len), "listing kind %d is out of order",
		       (int)kind);
		buf_clear(&last);
		buf_add(&last, now.data, now.len);
	}
	EXPECT(m, rc == RC_NOT_FOUND, "%s", rc_name(rc));
	listing_close(listing);
	return n;
}

static void compare_listings(struct model *m)
{
	size_t partitions = 0, own = 0;
	for (size_t pk = 0; pk < PKS; pk++) {
		size_t files, items = names_in(m, pk, &files), listed;
		struct key key = partition_key(m, pk);
		struct partition_record record;
		enum rc rc = partition_get(m->table, NULL, &key, &record);
		EXPECT(m, rc == (m->partition[pk] ? RC_OK : RC_NOT_FOUND), "%s", rc_name(rc));
		EXPECT(m, rc || record.implicit == m->implicit[pk], "partition %zu", pk);
		partitions += m->partition[pk];
		listed = count_listed(m, LISTING_ITEMS, &key, NULL);
		EXPECT(m, listed == items, "%zu for %zu", listed, items);
		listed = count_listed(m, LISTING_FILES, &key, NULL);
		EXPECT(m, listed == files, "%zu for %zu", listed, files);
	}
	for (size_t i = 0; i < m->file_count; i++)
		own += m->files[i].pk < 0;
	EXPECT(m, count_listed(m, LISTING_PARTITIONS, NULL, NULL) == partitions, "for %zu", partitions);
	EXPECT(m, count_listed(m, LISTING_FILES, NULL, NULL) == own, "for %zu", own);
}

static struct key attribute_key(struct model *m, const struct model_item *item, const char *name)
{
	if (strcmp(name, "pk") == 0)
		return partition_key(m, item->pk);
	struct item *parsed;
	struct key key;
	EXPECT(m, item_parse(item->document, strlen(item->document), &parsed, NULL) == RC_OK, "%s", item->document);
	enum rc rc =
	    key_from_value(item_find(parsed, name, 1), name[0] == 'g' ? KEY_S : KEY_N, KEY_SORT, name, &key, NULL);
	EXPECT(m, rc == RC_OK, "%s", item->document);
	item_free(parsed);
	return key;
}

static struct item_value *find(const struct item *item, const char *name)
{
	return (struct item_value *)item_find(item, name, strlen(name));
}

/* The entry holds what its rule projects, and nothing else. */
static void compare_projection(struct model *m, const struct model_item *item, const struct index_rule *rule,
			       const struct buf *document)
{
	struct item *entry;
	EXPECT(m, item_parse(document->data, document->len, &entry, NULL) == RC_OK, "%.*s", (int)document->len,
	       document->data);
	bool g = item->g && (rule->all || uses(rule, "g")), h = item->h && (rule->all || uses(rule, "h"));
	bool x = item->x && (rule->all || rule->include_x), big = item->big && rule->all;
	EXPECT(m,
	       !find(entry, "g") == !g && !find(entry, "h") == !h && !find(entry, "x") == !x &&
		   !find(entry, "big") == !big,
	       "%s gives %.*s", item->document, (int)document->len, document->data);
	EXPECT(m, find(entry, "pk") && !find(entry, "sk") == !m->shape->sk_type, "%.*s", (int)document->len,
	       document->data);
	EXPECT(m, entry->count == 1u + (m->shape->sk_type != 0) + g + h + x + big, "%.*s", (int)document->len,
	       document->data);
	item_free(entry);
}

static void compare_entry(struct model *m, const struct model_item *item, size_t r)
{
	const struct index_rule *rule = &rules[r];
	struct key keys[ROW_KEYS_MAX];
	size_t n = 0;
	struct head head;
	cleanup_buf struct buf document = {0};
	struct leaf leaf = item_leaf(m, item->pk, item->sk);
	keys[n++] = attribute_key(m, item, rule->hash);
	if (rule->range)
		keys[n++] = attribute_key(m, item, rule->range);
	if (!uses(rule, "pk"))
		keys[n++] = leaf.pk;
	if (leaf.has_sk)
		keys[n++] = leaf.sk;
	enum rc rc = listing_get_entry(m->table, NULL, rule->name, keys, n, &head, &document);
	EXPECT(m, rc == RC_OK, "%s: %s: %s", rc_name(rc), rule->name, item->document);
	compare_projection(m, item, rule, &document);
}

static void compare_indexes(struct model *m)
{
	for (size_t r = 0; r < RULES; r++) {
		size_t expected = 0, listed = 0;
		if (!m->has[r])
			continue;
		for (size_t i = 0; i < m->item_count; i++) {
			if (!qualifies(&m->items[i], r))
				continue;
			expected++;
			compare_entry(m, &m->items[i], r);
		}
		struct listing_place place = {.kind = LISTING_INDEX_KEYS, .table = m->table, .index = rules[r].name};
		struct listing *listing;
		const struct listing_entry *entry;
		EXPECT(m, listing_open(m->volume, NULL, &place, &listing) == RC_OK, "%s", rules[r].name);
		while (listing_next(listing, &entry) == RC_OK) {
			struct key key = entry->key;
			listed += count_listed(m, LISTING_ENTRIES, &key, rules[r].name);
		}
		listing_close(listing);
		EXPECT(m, listed == expected, "%s: %zu for %zu", rules[r].name, listed, expected);
	}
}

void model_compare(struct model *m)
{
	unsigned long problems;
	struct table_counters counters;
	char *text = fixture_check(m->volume, &problems);
	EXPECT(m, problems == 0, "%s", text);
	free(text);
	EXPECT(m, table_stat(m->table, NULL, &counters) == RC_OK, "stat");
	EXPECT(m, counters.items == m->item_count, "%zu", m->item_count);
	compare_items(m);
	compare_listings(m);
	compare_indexes(m);
}
