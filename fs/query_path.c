/* query_path: see query_path.h. */
#include "fs/query_path.h"
#include "fs/export_file.h"
#include "fs/name.h"
#include "fs/place_private.h"
#include "fs/reply.h"
#include "index/filter.h"
#include "index/partition.h"
#include <stdlib.h>
#include <string.h>

enum {
	OPERANDS_MAX = 5,
	NAMES_MAX = 200, /* below the first subject: what a person or a program types is a handful */
};

struct operator;

/* A path being read, from its first subject down. */
struct reading {
	struct frontend *front;
	struct place *place; /* what was read so far stands for */
	struct query *query;
	const char *index_name; /* of a subject in an index */
	const char *key_name;   /* of the subject, a partition or an index key */
	const struct operator *operator;   /* that still wants operands; NULL: none */
	const char *operand[OPERANDS_MAX];
	unsigned operands;
	struct why *why;
};

struct operator {
	const char *name;
	bool of_tables; /* stands in tables and indexes; otherwise in partitions and index keys */
	unsigned operands;                 /* at least */
	enum rc (*add)(struct reading *r); /* makes the step. RC_UNFINISHED: of this operator and these operands one more is wanted */
	enum query_condition condition;
};

static bool in_index(const struct place *place)
{
	return place->subject == NODE_INDEX || place->subject == NODE_INDEX_KEY;
}

/* ---- operands ---- */

static enum rc sort_key(struct reading *r, const char *name, struct key *ret_key)
{
	enum key_type type;
	bool index = in_index(r->place);
	enum rc rc = query_sort_type(r->place->table, index ? r->index_name : NULL, &type, r->why);
	return rc ? rc : name_to_key(name, strlen(name), type, KEY_SORT, index ? NAME_COMPONENT : NAME_WHOLE, true, ret_key, r->why);
}

static enum rc add_condition(struct reading *r)
{
	struct key key, to;
	bool two = r->operands == 2;
	enum rc rc = sort_key(r, r->operand[0], &key);
	if (!rc && two)
		rc = sort_key(r, r->operand[1], &to);
	return rc ? rc : query_condition(r->query, r->operator->condition, &key, two ? &to : NULL, r->why);
}

/* A whole number as people write it, of at most 18 digits. */
static enum rc whole_number(const char *name, uint64_t *ret_n, struct why *why)
{
	size_t n = strlen(name);
	if (strspn(name, "0123456789") != n || n > 18 || (*name == '0' && n > 1))
		return why_set(why, RC_INVALID, "%s is not a whole number from 0 to 999999999999999999", name);
	*ret_n = strtoull(name, NULL, 10);
	return RC_OK;
}

static enum rc limit_of(struct reading *r, uint64_t *ret_n)
{
	if (strcmp(r->operand[0], "all") == 0) {
		*ret_n = QUERY_ALL;
		return RC_OK;
	}
	return whole_number(r->operand[0], ret_n, r->why);
}

static enum rc add_first(struct reading *r)
{
	uint64_t n = 0;
	enum rc rc = limit_of(r, &n);
	return rc ? rc : query_first(r->query, n, r->why);
}

static enum rc add_last(struct reading *r)
{
	uint64_t n = 0;
	enum rc rc = limit_of(r, &n);
	return rc ? rc : query_last(r->query, n, r->why);
}

/* The file's name, as a listing gives it. The file need not be there, unless its name is cut: then only what is stored can tell the key. */
static enum rc add_after(struct reading *r)
{
	struct place file = *r->place;
	const char *name = r->operand[0];
	enum rc rc = RC_INVALID;
	if (in_index(r->place))
		rc = place_index(r->front->volume, &file, r->index_name, r->key_name, name);
	else if (name_is_item(name, strlen(name)))
		rc = place_leaf(r->front, &file, r->key_name, name, r->why);
	if (rc == RC_NOT_FOUND || (rc == RC_INVALID && (!r->why || !r->why->text[0])))
		return why_set(r->why, RC_INVALID, "The provided starting key is invalid: %s cannot be the name of a file here", name);
	if (rc)
		return rc;
	if (in_index(r->place))
		return query_after(r->query, &file.keys[1], file.key_count - 1);
	return query_after(r->query, &file.leaf.sk, file.leaf.has_sk ? 1 : 0);
}

static enum rc add_scan(struct reading *r)
{
	uint64_t total = 0, segment = 0;
	enum rc rc = whole_number(r->operand[0], &total, r->why);
	if (!rc)
		rc = whole_number(r->operand[1], &segment, r->why);
	return rc ? rc : query_segment(r->query, segment, total, r->why);
}

/* As many names as the filter takes. Of one partition key it is part of DynamoDB's Query, otherwise of its Scan. */
static enum rc add_where(struct reading *r)
{
	struct filter *filter;
	bool query = r->place->subject == NODE_PARTITION || r->place->subject == NODE_INDEX_KEY;
	enum rc rc = filter_parse(r->operand, r->operands, &filter, r->why);
	return rc ? rc : filter_add(filter, r->place->table, in_index(r->place) ? r->index_name : NULL, query, r->query, r->why);
}

static const struct operator operators[] = {
    {".eq", false, 1, add_condition, QUERY_EQ},
    {".lt", false, 1, add_condition, QUERY_LT},
    {".le", false, 1, add_condition, QUERY_LE},
    {".gt", false, 1, add_condition, QUERY_GT},
    {".ge", false, 1, add_condition, QUERY_GE},
    {".between", false, 2, add_condition, QUERY_BETWEEN},
    {".begins_with", false, 1, add_condition, QUERY_BEGINS_WITH},
    {".first", false, 1, add_first, 0},
    {".last", false, 1, add_last, 0},
    {".after", false, 1, add_after, 0},
    {".where", false, 1, add_where, 0},
    {".scan", true, 2, add_scan, 0},
    {".where", true, 1, add_where, 0},
};

static const struct operator *find_operator(enum node_kind subject, const char *name)
{
	bool of_tables = subject == NODE_TABLE || subject == NODE_INDEX;
	if (name[0] != '.' || (!of_tables && subject != NODE_PARTITION && subject != NODE_INDEX_KEY))
		return NULL;
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (operators[i].of_tables == of_tables && strcmp(operators[i].name, name) == 0)
			return &operators[i];
	return NULL;
}

/* ---- reading ---- */

static enum rc read_index(struct reading *r, enum node_kind kind, const char *index_name, const char *key_name)
{
	r->index_name = index_name;
	r->key_name = key_name;
	r->place->subject = kind;
	return place_index(r->front->volume, r->place, index_name, key_name, NULL);
}

static enum rc read_partition(struct reading *r, const char *name)
{
	r->key_name = name;
	r->place->subject = NODE_PARTITION;
	return place_leaf(r->front, r->place, name, NULL, NULL);
}

/* The directory that the path begins at. */
static enum rc read_subject(struct reading *r, struct node *node)
{
	struct place *place = r->place;
	place_begin(place, node->kind, node->parent);
	place->table = place_table(node);
	switch ((enum node_kind)node->kind) {
	case NODE_TABLE:
		return RC_OK;
	case NODE_PARTITION:
		return read_partition(r, node->name);
	case NODE_INDEX:
		return read_index(r, NODE_INDEX, node->name, NULL);
	case NODE_INDEX_KEY:
		return read_index(r, NODE_INDEX_KEY, node->parent->name, node->name);
	default:
		return RC_NOT_FOUND;
	}
}

/* A name in a view that is no operator: of one of the things that it lists. */
static enum rc read_listed(struct reading *r, const char *name)
{
	struct place *place = r->place;
	enum rc rc;
	place->listed = true;
	switch (place->subject) {
	case NODE_TABLE:
		rc = read_partition(r, name);
		return rc || query_in_segment(r->query, &place->leaf.pk) ? rc : RC_NOT_FOUND;
	case NODE_INDEX:
		rc = read_index(r, NODE_INDEX_KEY, r->index_name, name);
		return rc || query_in_segment(r->query, &place->keys[0]) ? rc : RC_NOT_FOUND;
	case NODE_INDEX_KEY:
		place->kind = NODE_RESULT;
		return place_index(r->front->volume, place, r->index_name, r->key_name, name);
	default:
		place->kind = NODE_RESULT;
		return name_is_item(name, strlen(name)) ? place_leaf(r->front, place, r->key_name, name, NULL) : RC_NOT_FOUND;
	}
}

static enum rc read_name(struct reading *r, const char *name)
{
	struct place *place = r->place;
	enum rc rc;
	if (place->kind == NODE_RESULT)
		return RC_NOT_FOUND;
	if (r->operator) {
		r->operand[r->operands++] = name;
		rc = r->operands < r->operator->operands ? RC_UNFINISHED : r->operator->add(r);
		if (rc == RC_UNFINISHED)
			return RC_OK;
		place->kind = NODE_VIEW;
		r->operator = NULL;
		return rc;
	}
	r->operator = find_operator(place->subject, name);
	r->operands = 0;
	place->listed = false;
	if (r->operator) {
		place->kind = NODE_OPERATOR;
		return RC_OK;
	}
	rc = place->kind == NODE_VIEW ? read_listed(r, name) : RC_NOT_FOUND;
	return rc == RC_INVALID || rc == RC_NOT_UTF8 ? RC_NOT_FOUND : rc; /* a name that cannot be is not there */
}

static bool is_part(const struct node *node)
{
	return node->kind == NODE_OPERATOR || node->kind == NODE_VIEW || node->kind == NODE_RESULT;
}

/* The names from the subject down to `node` and to `name` (NULL: none). */
static enum rc read_names(struct reading *r, struct node *node, const char *name)
{
	const char *names[NAMES_MAX];
	size_t count = 0;
	if (name)
		names[count++] = name;
	for (; is_part(node); node = node->parent) {
		if (count == NAMES_MAX)
			return why_set(r->why, RC_INVALID, "a query has at most %d names", NAMES_MAX);
		names[count++] = node->name;
	}
	enum rc rc = read_subject(r, node);
	while (!rc && count)
		rc = read_name(r, names[--count]);
	return rc;
}

enum rc query_path_lookup(struct frontend *front, struct node *node, const char *name, struct place *ret_place, struct query **ret_query,
			  struct why *why)
{
	struct reading r = {.front = front, .place = ret_place, .query = query_new(), .why = why};
	if (!r.query)
		return RC_NO_MEMORY;
	enum rc rc = read_names(&r, node, name);
	if (!rc && ret_query)
		*ret_query = r.query;
	else
		query_free(r.query);
	return rc;
}

bool query_path_is(const struct node *parent, const char *name)
{
	return (is_part(parent) && !export_file_is(parent, name)) || find_operator(parent->kind, name);
}

/* ---- what is there ---- */

static enum rc listing_of(const struct place *place, const struct query *query, struct listing_place *ret_where)
{
	*ret_where = (struct listing_place){.table = place->table, .index = place->index, .query = query};
	switch (place->subject) {
	case NODE_TABLE:
		ret_where->kind = LISTING_PARTITIONS;
		return RC_OK;
	case NODE_PARTITION:
		ret_where->kind = LISTING_ITEMS;
		ret_where->pk = &place->leaf.pk;
		return RC_OK;
	case NODE_INDEX:
		ret_where->kind = LISTING_INDEX_KEYS;
		return RC_OK;
	case NODE_INDEX_KEY:
		ret_where->kind = LISTING_ENTRIES;
		ret_where->pk = &place->keys[0];
		return RC_OK;
	default:
		return RC_INVALID;
	}
}

enum rc query_path_listing(struct frontend *front, struct node *node, struct place *place, struct query **ret_query,
			   struct listing_place *ret_where)
{
	struct query *query;
	enum rc rc = query_path_lookup(front, node, NULL, place, &query, NULL);
	if (rc)
		return rc;
	rc = place->kind == NODE_OPERATOR || place->kind == NODE_RESULT ? RC_INVALID : listing_of(place, query, ret_where);
	if (rc)
		query_free(query);
	else
		*ret_query = query;
	return rc;
}

/* The view's memory of where its limits end. NULL: it has no limits, or there is no memory. */
static struct listing_memo *memo_of(struct frontend *front, struct node *view, const struct query *query)
{
	if (!query_is_limited(query))
		return NULL;
	pthread_mutex_lock(&front->tree.lock);
	if (!view->more->memo)
		view->more->memo = listing_memo_new();
	struct listing_memo *memo = view->more->memo;
	pthread_mutex_unlock(&front->tree.lock);
	return memo;
}

/* A partition or index key is in a view where something in it passes the view's tests. */
static enum rc holds_any(struct frontend *front, const struct listing_place *where)
{
	struct listing *listing;
	const struct listing_entry *entry;
	enum rc rc = listing_open(front->volume, NULL, where, &listing);
	if (rc)
		return rc;
	rc = listing_next(listing, &entry);
	listing_close(listing);
	return rc;
}

enum rc query_path_has(struct frontend *front, struct node *view, const struct place *result, const struct query *query)
{
	struct listing_place where;
	const struct leaf *leaf = &result->leaf;
	bool entry = in_index(result);
	enum rc rc = listing_of(result, query, &where);
	if (!rc && result->kind == NODE_VIEW)
		return query_has_tests(query) ? holds_any(front, &where) : RC_OK;
	return rc ? rc
		  : listing_has(front->volume, NULL, &where, entry ? &result->keys[1] : &leaf->sk, entry ? result->key_count - 1 : leaf->has_sk ? 1 : 0,
				memo_of(front, view, query));
}

/* The metadata of what the query is about, which its directories show. */
static enum rc subject_meta(const struct place *place, struct meta *ret_meta)
{
	struct table_counters counters;
	struct partition_record record;
	enum rc rc;
	if (place->subject == NODE_PARTITION) {
		rc = partition_get(place->table, NULL, &place->leaf.pk, &record);
		if (!rc)
			*ret_meta = record.meta;
		return rc;
	}
	rc = table_stat(place->table, NULL, &counters);
	if (!rc)
		*ret_meta = counters.meta;
	if (in_index(place))
		ret_meta->mode = 0555;
	if (!rc && place->subject == NODE_INDEX_KEY)
		rc = listing_has_index_key(place->table, NULL, place->index, &place->keys[0]);
	return rc;
}

/* An entry belongs to whom its table belongs to. */
static enum rc result_head(const struct place *place, struct head *ret_head)
{
	struct meta meta = {.mode = 0};
	if (!in_index(place))
		return leaf_get(&place->leaf, NULL, ret_head, NULL);
	enum rc rc = subject_meta(place, &meta);
	if (!rc)
		rc = listing_get_entry(place->table, NULL, place->index, place->keys, place->key_count, ret_head, NULL);
	ret_head->meta.uid = meta.uid;
	ret_head->meta.gid = meta.gid;
	return rc;
}

/* A filter tells of the bytes of items, whatever their modes say: which names pass it. */
static bool is_filter(const struct node *node, const struct place *place)
{
	return node->kind == NODE_OPERATOR && strcmp(node->name, ".where") == 0 && !in_index(place);
}

enum rc query_path_stat(struct node *node, const struct place *place, struct stat *ret_stat)
{
	struct head head;
	struct meta meta = {.mode = 0};
	enum rc rc = place->kind == NODE_RESULT ? result_head(place, &head) : subject_meta(place, &meta);
	if (rc)
		return rc;
	if (place->kind == NODE_RESULT) {
		head.meta.mode &= QUERY_PATH_MODE;
		stat_file(ret_stat, node_ino(node), &head.meta, head.size);
	} else {
		meta.mode &= QUERY_PATH_MODE;
		stat_directory(ret_stat, node_ino(node), &meta);
	}
	return is_filter(node, place) ? reply_owners_alone(place->table, ret_stat) : RC_OK;
}

enum rc query_path_read(const struct place *place, struct buf *out)
{
	struct head head;
	if (in_index(place))
		return listing_get_entry(place->table, NULL, place->index, place->keys, place->key_count, &head, out);
	return leaf_get(&place->leaf, NULL, &head, out);
}
