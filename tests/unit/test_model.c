/* model: random operations against index/ and, beside it, against a model that is a plain array; after every few, all that the volume shows must be what the model
 * holds, and the check must find it sound. The model knows the rules only from the contract: it finds index keys by text, not with the parser. A failure names its seed. */
#include "tests/unit/model.h"
#include <criterion/parameterized.h>

enum { STEPS = 500, COMPARE_EACH = 50, SEEDS = 20 };

static const struct shape shapes[] = {{'S', 'S'}, {'S', 'N'}, {'N', 'S'}, {'B', 'N'}, {'S', 0}, {'N', 'B'}};

static void settle_partition(struct model *m, size_t pk)
{
	size_t files, items = names_in(m, pk, &files);
	if (!m->partition[pk] && items + files)
		m->partition[pk] = m->implicit[pk] = true;
	if (m->implicit[pk] && !items && !files)
		m->partition[pk] = m->implicit[pk] = false;
}

static void forget_item(struct model *m, struct model_item *item)
{
	size_t pk = item->pk;
	free(item->document);
	*item = m->items[--m->item_count];
	settle_partition(m, pk);
}

static void forget_file(struct model *m, struct model_file *file)
{
	int pk = file->pk;
	free(file->bytes);
	*file = m->files[--m->file_count];
	if (pk >= 0)
		settle_partition(m, (size_t)pk);
}

/* A key as a document writes it. */
static void add_key_json(struct buf *out, char type, const char *text)
{
	struct key key = fixture_key((enum key_type)type, KEY_SORT, text);
	key_json(&key, out);
}

static void compose(const struct model *m, struct model_item *item)
{
	struct buf out = {0};
	buf_add_text(&out, "{");
	const struct {
		const char *name, *value;
	} parts[] = {{"x", item->x}, {"h", item->h}, {"big", item->big}, {"g", item->g}};
	if (item->pk_held) {
		buf_add_text(&out, " \"pk\" : ");
		add_key_json(&out, m->shape->pk_type, key_text_at(m->shape->pk_type, item->pk));
	}
	for (size_t i = 0; i < 4; i++)
		if (parts[i].value)
			buf_printf(&out, "%s\"%s\": %s", out.len > 1 ? "," : "", parts[i].name, parts[i].value);
	buf_add_text(&out, "}\n");
	buf_add_byte(&out, 0);
	free(item->document);
	item->document = (char *)out.data;
}

static void random_values(struct model *m, struct model_item *item)
{
	static const char *const g[] = {NULL, "\"red\"", "\"green\"", "\"red\"", "\"\"", "7", "{\"a\":1}"};
	static const char *const h[] = {NULL, "1", "2.50", "-3", "1e1", "\"one\"", "true"};
	static const char *const x[] = {NULL, "[1,  2]", "{\"$SS\":[\"p\",\"q\"]}", "null", "\"t\\u0041\""};
	item->g = g[below(m, below(m, 8) ? 4 : 7)];
	item->h = h[below(m, below(m, 8) ? 5 : 7)];
	item->x = x[below(m, 5)];
	item->big = below(m, 6) ? NULL : m->big;
	item->pk_held = m->declared && below(m, 4) == 0;
}

static void do_put(struct model *m)
{
	struct model_item new = {.pk = below(m, PKS), .sk = has_sk(m) ? below(m, SKS) : 0, .mode = 0644};
	struct model_item *old = find_item(m, new.pk, new.sk);
	struct leaf leaf = item_leaf(m, new.pk, new.sk);
	random_values(m, &new);
	compose(m, &new);
	struct leaf_write write = {.document = new.document, .len = strlen(new.document), .fresh = &fixture_meta};
	write.condition = below(m, 5) == 0 ? LEAF_ABSENT : LEAF_ALWAYS;
	enum rc expected = !fits(m, &new) ? RC_REFUSED : RC_OK, rc;
	if (old && write.condition == LEAF_ABSENT)
		expected = RC_EXISTS;
	rc = leaf_write(&leaf, &write, NULL, NULL);
	EXPECT(m, rc == expected, "%s for %s: %s", rc_name(rc), rc_name(expected), new.document);
	if (rc) {
		free(new.document);
		return;
	}
	new.mode = old ? old->mode : 0644;
	if (old) {
		free(old->document);
		*old = new;
	} else {
		m->items[m->item_count++] = new;
	}
	settle_partition(m, new.pk);
}

static void do_broken_put(struct model *m)
{
	static const char *const broken[] = {"{", "{\"a\":}", "[1]", "{\"a\":1,\"a\":2}", "{\"a\":{\"$SS\":[]}}",
					     " ", "{\"\":1}"};
	struct leaf leaf = item_leaf(m, below(m, PKS), below(m, SKS));
	const char *document = broken[below(m, 7)];
	enum rc rc = fixture_try_write(&leaf, document, NULL);
	EXPECT(m, rc == RC_REFUSED || rc == RC_UNFINISHED, "%s: %s", rc_name(rc), document);
}

static void do_delete(struct model *m)
{
	size_t pk = below(m, PKS), sk = has_sk(m) ? below(m, SKS) : 0;
	struct model_item *item =
	    m->item_count && below(m, 3) ? &m->items[below(m, m->item_count)] : find_item(m, pk, sk);
	struct leaf leaf = item ? item_leaf(m, item->pk, item->sk) : item_leaf(m, pk, sk);
	enum rc rc = leaf_remove(&leaf, NULL);
	EXPECT(m, rc == (item ? RC_OK : RC_NOT_FOUND), "%s", rc_name(rc));
	if (item)
		forget_item(m, item);
}

static void do_set_meta(struct model *m)
{
	if (!m->item_count)
		return;
	struct model_item *item = &m->items[below(m, m->item_count)];
	struct leaf leaf = item_leaf(m, item->pk, item->sk);
	struct meta_change change = {.mode_set = true, .value.mode = (uint32_t)below(m, 01000)};
	enum rc rc = leaf_set_meta(&leaf, &change, NULL);
	EXPECT(m, rc == RC_OK, "%s", rc_name(rc));
	item->mode = change.value.mode;
}

static void random_file(struct model *m, struct model_file *file)
{
	file->pk = (int)below(m, PKS + 1) - 1;
	snprintf(file->name, sizeof file->name, ".f%zu", below(m, 3));
}

static void do_write_file(struct model *m)
{
	struct model_file new;
	random_file(m, &new);
	struct model_file *old = find_file(m, new.pk, new.name);
	const char *bytes = below(m, 4) ? "plain" : below(m, 2) ? m->big : "{\"g\":\"red\",\"h\":5}";
	struct leaf leaf = file_leaf(m, &new);
	if (!old && m->file_count == FILES)
		return;
	enum rc rc = fixture_try_write(&leaf, bytes, NULL);
	EXPECT(m, rc == (new.pk < 0 || m->partition[new.pk] ? RC_OK : RC_NOT_FOUND), "%s", rc_name(rc));
	if (rc)
		return;
	new.bytes = strdup(bytes);
	if (old) {
		free(old->bytes);
		old->bytes = new.bytes;
	} else {
		m->files[m->file_count++] = new;
	}
}

static void do_remove_file(struct model *m)
{
	struct model_file which;
	random_file(m, &which);
	struct model_file *file = find_file(m, which.pk, which.name);
	struct leaf leaf = file_leaf(m, &which);
	enum rc rc = leaf_remove(&leaf, NULL);
	EXPECT(m, rc == (file ? RC_OK : RC_NOT_FOUND), "%s", rc_name(rc));
	if (file)
		forget_file(m, file);
}

static void do_rename_item(struct model *m)
{
	if (!m->item_count)
		return;
	struct model_item *from = &m->items[below(m, m->item_count)], moved = *from;
	size_t pk = below(m, PKS), sk = has_sk(m) ? below(m, SKS) : 0;
	struct model_item *target = find_item(m, pk, sk);
	struct leaf_move move = {.noreplace = below(m, 2)};
	struct leaf a = item_leaf(m, from->pk, from->sk), b = item_leaf(m, pk, sk);
	enum rc expected = target && move.noreplace ? RC_EXISTS
			   : !m->partition[pk]      ? RC_NOT_FOUND
			   : !fits(m, from)         ? RC_REFUSED
						    : RC_OK;
	enum rc rc = leaf_rename(&a, &b, &move, NULL, NULL);
	EXPECT(m, rc == expected, "%s for %s", rc_name(rc), rc_name(expected));
	if (rc)
		return;
	moved.document = NULL;
	moved.pk = pk;
	moved.sk = sk;
	if (moved.pk_held)
		compose(m, &moved);
	else
		moved.document = strdup(from->document);
	size_t old_pk = from->pk;
	if (target && target != from) {
		free(from->document);
		free(target->document);
		*target = moved;
		*from = m->items[--m->item_count];
	} else {
		free(from->document);
		*from = moved;
	}
	settle_partition(m, pk);
	settle_partition(m, old_pk);
}

static void do_item_to_file(struct model *m)
{
	struct model_file to;
	random_file(m, &to);
	if (!m->item_count || m->file_count == FILES || find_file(m, to.pk, to.name))
		return;
	struct model_item *from = &m->items[below(m, m->item_count)];
	struct leaf_move move = {.noreplace = true};
	struct leaf a = item_leaf(m, from->pk, from->sk), b = file_leaf(m, &to);
	enum rc rc = leaf_rename(&a, &b, &move, NULL, NULL);
	EXPECT(m, rc == (to.pk < 0 || m->partition[to.pk] ? RC_OK : RC_NOT_FOUND), "%s", rc_name(rc));
	if (rc)
		return;
	to.bytes = strdup(from->document);
	m->files[m->file_count++] = to;
	forget_item(m, from);
}

/* Only bytes that the model can read again: those it made an item's. */
static void do_file_to_item(struct model *m)
{
	if (!m->file_count || m->item_count == ITEMS)
		return;
	struct model_file *from = &m->files[below(m, m->file_count)];
	size_t pk = below(m, PKS), sk = has_sk(m) ? below(m, SKS) : 0;
	struct model_item new = {.pk = pk, .sk = sk, .mode = 0644, .g = "\"red\"", .h = "5"};
	bool readable = strcmp(from->bytes, "{\"g\":\"red\",\"h\":5}") == 0;
	if ((!readable && from->bytes[0] == '{') || find_item(m, pk, sk))
		return;
	struct leaf a = file_leaf(m, from), b = item_leaf(m, pk, sk);
	struct leaf_move move = {.noreplace = true};
	enum rc rc = leaf_rename(&a, &b, &move, NULL, NULL);
	enum rc expected = !m->partition[pk] ? RC_NOT_FOUND : readable ? RC_OK : RC_REFUSED;
	EXPECT(m, rc == expected, "%s for %s: %s", rc_name(rc), rc_name(expected), from->bytes);
	if (rc)
		return;
	new.document = strdup(from->bytes);
	m->items[m->item_count++] = new;
	forget_file(m, from);
}

static void do_partition(struct model *m)
{
	size_t pk = below(m, PKS), files, items = names_in(m, pk, &files);
	struct key key = partition_key(m, pk);
	if (below(m, 2)) {
		enum rc rc = partition_create(m->table, &key, &fixture_directory);
		EXPECT(m, rc == (m->partition[pk] ? RC_EXISTS : RC_OK), "%s", rc_name(rc));
		m->implicit[pk] &= m->partition[pk];
		m->partition[pk] = true;
	} else {
		enum rc rc = partition_remove(m->table, &key);
		enum rc expected = !m->partition[pk] ? RC_NOT_FOUND : items + files ? RC_NOT_EMPTY : RC_OK;
		EXPECT(m, rc == expected, "%s for %s", rc_name(rc), rc_name(expected));
		if (!rc)
			m->partition[pk] = false;
	}
}

static void do_rename_partition(struct model *m)
{
	size_t from = below(m, PKS), to = below(m, PKS), files, full = names_in(m, to, &files);
	struct key a = partition_key(m, from), b = partition_key(m, to);
	bool noreplace = below(m, 2), misfit = false;
	full += files;
	for (size_t i = 0; i < m->item_count; i++)
		misfit |= m->items[i].pk == from && !fits(m, &m->items[i]);
	enum rc expected = !m->partition[from]             ? RC_NOT_FOUND
			   : m->partition[to] && noreplace ? RC_EXISTS
			   : from == to                    ? RC_OK
			   : m->partition[to] && full      ? RC_NOT_EMPTY
			   : misfit                        ? RC_REFUSED
							   : RC_OK;
	enum rc rc = partition_rename(m->table, &a, &b, noreplace, NULL);
	EXPECT(m, rc == expected, "%s for %s", rc_name(rc), rc_name(expected));
	if (rc || from == to)
		return;
	m->partition[to] = true;
	m->implicit[to] = m->implicit[from];
	m->partition[from] = m->implicit[from] = false;
	for (size_t i = 0; i < m->item_count; i++) {
		if (m->items[i].pk != from)
			continue;
		m->items[i].pk = to;
		if (m->items[i].pk_held)
			compose(m, &m->items[i]);
	}
	for (size_t i = 0; i < m->file_count; i++)
		if (m->files[i].pk == (int)from)
			m->files[i].pk = (int)to;
}

static void add_attribute(struct buf *out, const char *name, char type)
{
	buf_printf(out, "%s{\"AttributeName\":\"%s\",\"AttributeType\":\"%c\"}",
		   out->data[out->len - 1] == '[' ? "" : ",", name, type);
}

static void add_index(struct buf *out, const struct index_rule *rule)
{
	buf_printf(out, "%s{\"IndexName\":\"%s\",\"KeySchema\":[{\"AttributeName\":\"%s\",\"KeyType\":\"HASH\"}",
		   out->data[out->len - 1] == '[' ? "" : ",", rule->name, rule->hash);
	if (rule->range)
		buf_printf(out, ",{\"AttributeName\":\"%s\",\"KeyType\":\"RANGE\"}", rule->range);
	buf_printf(out, "],\"Projection\":%s}", rule->projection);
}

static char *definition_of(const struct model *m, const bool *has)
{
	struct buf out = {0};
	bool g = false, h = false, local = false, global = false;
	for (size_t r = 0; r < RULES; r++) {
		g |= has[r] && uses(&rules[r], "g");
		h |= has[r] && uses(&rules[r], "h");
		local |= has[r] && rules[r].local;
		global |= has[r] && !rules[r].local;
	}
	buf_add_text(
	    &out,
	    "{\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}");
	if (m->shape->sk_type)
		buf_add_text(&out, ",{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}");
	buf_add_text(&out, "],\"AttributeDefinitions\":[");
	add_attribute(&out, "pk", m->shape->pk_type);
	if (m->shape->sk_type)
		add_attribute(&out, "sk", m->shape->sk_type);
	if (g)
		add_attribute(&out, "g", 'S');
	if (h)
		add_attribute(&out, "h", 'N');
	buf_add_text(&out, "]");
	for (int l = 1; l >= 0; l--) {
		if (!(l ? local : global))
			continue;
		buf_printf(&out, ",\"%sSecondaryIndexes\":[", l ? "Local" : "Global");
		for (size_t r = 0; r < RULES; r++)
			if (has[r] && rules[r].local == l)
				add_index(&out, &rules[r]);
		buf_add_text(&out, "]");
	}
	buf_add_text(&out, "}");
	buf_add_byte(&out, 0);
	return (char *)out.data;
}

/* An undeclared table of the model has S keys, whatever its shape is to be: its texts are those of the shape, and adopted as such. */
static void do_define(struct model *m)
{
	bool has[RULES], misfit = false, fixed = m->declared && m->item_count;
	struct why why = {.text = ""};
	for (size_t r = 0; r < RULES; r++) {
		has[r] = below(m, 2) && (!rules[r].local || m->shape->sk_type);
		if (rules[r].local && fixed)
			has[r] = m->has[r];
		for (size_t i = 0; i < m->item_count && !m->declared; i++)
			misfit |= has[r] && !fits_index(&m->items[i], r);
	}
	char *document = definition_of(m, has);
	enum rc rc = fixture_try_define(m->table, document, &why);
	EXPECT(m, rc == (misfit ? RC_REFUSED : RC_OK), "%s: %s: %s", rc_name(rc), why.text, document);
	free(document);
	if (rc)
		return;
	m->declared = true;
	memcpy(m->has, has, sizeof has);
}

static void do_reopen(struct model *m)
{
	table_unref(m->table);
	volume_close(m->volume);
	m->volume = fixture_open(m->path);
	m->table = fixture_find(m->volume, "Model");
}

static void one_step(struct model *m)
{
	size_t what = below(m, 100);
	if (what < 40 && m->item_count < ITEMS)
		do_put(m);
	else if (what < 45)
		do_broken_put(m);
	else if (what < 55)
		do_delete(m);
	else if (what < 60)
		do_set_meta(m);
	else if (what < 68)
		do_write_file(m);
	else if (what < 72)
		do_remove_file(m);
	else if (what < 80)
		do_rename_item(m);
	else if (what < 83)
		do_item_to_file(m);
	else if (what < 87)
		do_file_to_item(m);
	else if (what < 92)
		do_partition(m);
	else if (what < 96)
		do_rename_partition(m);
	else if (what < 99)
		do_define(m);
	else
		do_reopen(m);
}

static void run_seed(unsigned seed)
{
	struct model *m = calloc(1, sizeof *m);
	m->seed = seed;
	m->random = 0x9e3779b97f4a7c15u * (seed + 1);
	m->shape = &shapes[seed % (sizeof shapes / sizeof *shapes)];
	m->path = fixture_place();
	m->volume = fixture_open(m->path);
	m->table = fixture_table(m->volume, "Model");
	m->big = calloc(1, 2000);
	memset(m->big, 'y', 1990);
	m->big[0] = m->big[1989] = '"';
	if (m->shape->pk_type != 'S' || m->shape->sk_type != 'S' || seed % 2)
		do_define(m);
	for (m->step = 1; m->step <= STEPS; m->step++) {
		one_step(m);
		if (m->step % COMPARE_EACH == 0)
			model_compare(m);
	}
	while (m->item_count)
		forget_item(m, &m->items[0]);
	while (m->file_count)
		forget_file(m, &m->files[0]);
	table_unref(m->table);
	volume_close(m->volume);
	fixture_remove(m->path);
	free(m->big);
	free(m);
}

ParameterizedTestParameters(model, random_operations_leave_what_the_model_says)
{
	static unsigned seeds[SEEDS];
	for (unsigned i = 0; i < SEEDS; i++)
		seeds[i] = i;
	return cr_make_param_array(unsigned, seeds, SEEDS);
}

ParameterizedTest(unsigned *seed, model, random_operations_leave_what_the_model_says)
{
	run_seed(*seed);
}
