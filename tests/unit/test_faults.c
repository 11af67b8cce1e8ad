/* faults: each call of the engine fails once, for every call of a session that does everything. The operation that met it says why, has changed nothing,
 * and does its work when it is tried again; at the end all is as in the session without a fault, and the check finds nothing. What leaks, AddressSanitizer tells. */
#include "index/figures.h"
#include "index/refusals.h"
#include "index/usage.h"
#include "tests/unit/faulty.h"
#include "tests/unit/fixture.h"

#define BIG "{\"year\":1980,\"text\":\"" THOUSAND THOUSAND "\"}"
#define PROBE "{\"other\":true}"
#define HUNDRED "la la la la la la la la la la la la la la la la la la la la la la la la la la la la la la la la la "
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

static char *path;
static struct volume *volume;
static struct table *music, *other;

/* ---- what a volume holds, in words: names, modes, documents, entries; no times and no sequence numbers ---- */

static bool lists(const struct listing_place *place, void (*each)(const struct listing_place *, const struct listing_entry *, struct buf *), struct buf *out)
{
	struct listing *listing;
	const struct listing_entry *entry;
	enum rc rc = listing_open(volume, NULL, place, &listing);
	if (rc)
		return false;
	while ((rc = listing_next(listing, &entry)) == RC_OK)
		each(place, entry, out);
	listing_close(listing);
	return rc == RC_NOT_FOUND;
}

static void tell_leaf(const struct leaf *leaf, struct buf *out)
{
	struct head head;
	cleanup_buf struct buf document = {0};
	cr_assert_eq(leaf_get(leaf, NULL, &head, &document), RC_OK);
	buf_printf(out, " %o %u ", head.meta.mode, head.size);
	buf_add(out, document.data, document.len);
	buf_add_byte(out, '\n');
}

static void tell_item(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	struct leaf leaf = {.kind = LEAF_ITEM, .table = place->table, .in_partition = true, .pk = *place->pk, .has_sk = true, .sk = entry->key};
	buf_add_text(out, "    ");
	key_text(&entry->key, out);
	tell_leaf(&leaf, out);
}

static void tell_file(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	struct leaf leaf = {.kind = LEAF_FILE, .table = place->table, .in_partition = place->pk};
	if (place->pk)
		leaf.pk = *place->pk;
	strcpy(leaf.name, entry->name);
	buf_printf(out, "    file %s", entry->name);
	tell_leaf(&leaf, out);
}

static void tell_partition(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	struct key pk = entry->key;
	buf_add_text(out, "  ");
	key_text(&pk, out);
	buf_printf(out, " %o\n", entry->meta.mode);
	cr_assert(lists(&(struct listing_place){.kind = LISTING_ITEMS, .table = place->table, .pk = &pk}, tell_item, out));
	cr_assert(lists(&(struct listing_place){.kind = LISTING_FILES, .table = place->table, .pk = &pk}, tell_file, out));
}

static void tell_entry(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	struct head head;
	cleanup_buf struct buf document = {0};
	buf_printf(out, "  entry of %s:", place->index);
	cr_assert_eq(listing_get_entry(place->table, NULL, place->index, entry->keys, entry->key_count, &head, &document), RC_OK);
	buf_add(out, document.data, document.len);
	buf_add_byte(out, '\n');
}

static void tell_index_key(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	struct key key = entry->key;
	cr_assert(lists(&(struct listing_place){.kind = LISTING_ENTRIES, .table = place->table, .index = place->index, .pk = &key}, tell_entry, out));
}

static void tell_table(const struct listing_place *place, const struct listing_entry *entry, struct buf *out)
{
	static const char *const indexes[] = {"by-year", "by-label"};
	struct head head;
	cleanup_buf struct buf definition = {0};
	struct table *table = fixture_find(volume, entry->name);
	enum rc rc = definition_get(table, NULL, &head, &definition);
	(void)place;
	buf_printf(out, "%s %o, definition %s %zu bytes\n", entry->name, entry->meta.mode, rc_name(rc), definition.len);
	cr_assert(lists(&(struct listing_place){.kind = LISTING_FILES, .table = table}, tell_file, out));
	cr_assert(lists(&(struct listing_place){.kind = LISTING_PARTITIONS, .table = table}, tell_partition, out));
	for (size_t i = 0; i < 2; i++)
		buf_printf(out, "  %s: %s\n", indexes[i],
			   lists(&(struct listing_place){.kind = LISTING_INDEX_KEYS, .table = table, .index = indexes[i]}, tell_index_key, out) ? "there" : "none");
	table_unref(table);
}

static void tell_volume(struct buf *out)
{
	struct meta root;
	uint64_t items, id = 0;
	struct head head;
	cr_assert_eq(volume_root(volume, NULL, &root), RC_OK);
	cr_assert_eq(volume_items(volume, &items), RC_OK);
	buf_printf(out, "%o, %llu items\n", root.mode, (unsigned long long)items);
	cr_assert(lists(&(struct listing_place){.kind = LISTING_TABLES}, tell_table, out));
	while (refusals_next(volume, id, &id, &head) == RC_OK)
		buf_printf(out, "refused: %u bytes\n", (id++, head.size));
	buf_add_byte(out, 0);
}

/* ---- the session ---- */

static enum rc write_to(const struct leaf *leaf, const char *document, bool durable)
{
	struct leaf_write write = {.document = document, .len = strlen(document), .fresh = &fixture_meta, .durable = durable};
	return leaf_write(leaf, &write, NULL, NULL);
}

static enum rc put(const char *pk, const char *sk, const char *document)
{
	struct leaf leaf = fixture_item(music, pk, sk);
	return write_to(&leaf, document, false);
}

static enum rc move(const struct leaf *from, const struct leaf *to)
{
	struct leaf_move how = {0};
	struct head head;
	return leaf_rename(from, to, &how, &head, NULL);
}

static enum rc make_table(void) { return table_create(volume, "Music", &fixture_directory, NULL); }
static enum rc find_table(void) { return table_find(volume, "Music", &music); }
static enum rc declare_table(void) { return fixture_try_define(music, FIXTURE_MUSIC, NULL); }
static enum rc put_first(void) { return put("Queen", "Liar", "{\"year\":1973,\"label\":\"EMI\"}"); }
static enum rc put_second(void) { return put("Queen", "Tie", "{\"year\":1973}"); }
static enum rc put_big(void) { return put("Queen", "Big", BIG); }
static enum rc put_elsewhere(void) { return put("Abba", "Waterloo", "{\"year\":1974}"); }
static enum rc move_in_index(void) { return put("Queen", "Tie", "{\"year\":1981,\"label\":\"x\"}"); }
static enum rc shrink_big(void) { return put("Queen", "Big", "{\"year\":1980}"); }
static enum rc grow_big(void) { return put("Queen", "Big", BIG); }
static enum rc put_durable(void)
{
	struct leaf leaf = fixture_item(music, "Queen", "Safe");
	return write_to(&leaf, "{\"Artist\":\"Queen\",\"year\":1}", true);
}
static enum rc set_mode(void)
{
	struct leaf leaf = fixture_item(music, "Queen", "Liar");
	struct meta_change change = {.mode_set = true, .value = {.mode = 0600}};
	struct head head;
	return leaf_set_meta(&leaf, &change, &head);
}
static enum rc set_root_mode(void)
{
	struct meta_change change = {.mode_set = true, .value = {.mode = 0711}};
	return volume_set_root(volume, &change);
}
static enum rc make_partition(void)
{
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Empty");
	return partition_create(music, &pk, &fixture_directory);
}
static enum rc put_file(void)
{
	struct leaf leaf = fixture_file(music, "Empty", "notes.txt");
	return write_to(&leaf, "{\"year\":7}", false);
}
static enum rc put_table_file(void)
{
	struct leaf leaf = fixture_file(music, NULL, "README");
	return write_to(&leaf, "read me", true);
}
static enum rc file_becomes_item(void)
{
	struct leaf from = fixture_file(music, "Empty", "notes.txt"), to = fixture_item(music, "Empty", "Seven");
	return move(&from, &to);
}
static enum rc item_goes_elsewhere(void)
{
	struct leaf from = fixture_item(music, "Queen", "Safe"), to = fixture_item(music, "Abba", "Safe");
	return move(&from, &to);
}
static enum rc item_becomes_file(void)
{
	struct leaf from = fixture_item(music, "Queen", "Tie"), to = fixture_file(music, "Queen", "Tie.bak");
	return move(&from, &to);
}
static enum rc exchange(void)
{
	struct leaf a = fixture_item(music, "Queen", "Liar"), b = fixture_item(music, "Abba", "Waterloo");
	return leaf_exchange(&a, &b, NULL, NULL, NULL);
}
static enum rc rename_partition(void)
{
	struct key from = fixture_key(KEY_S, KEY_PARTITION, "Abba"), to = fixture_key(KEY_S, KEY_PARTITION, "ABBA");
	return partition_rename(music, &from, &to, false, NULL);
}
static enum rc remove_item(void)
{
	struct leaf leaf = fixture_item(music, "ABBA", "Safe");
	return leaf_remove(&leaf, NULL);
}
static enum rc refuse(void)
{
	struct buf draft = {.data = (uint8_t *)"{oops", .len = 5}; /* borrowed, only read */
	struct why why = {.text = "because"};
	struct actor actor = {.path = "/Music/Queen/Liar.json"};
	struct refusal refusal = {.actor = &actor, .error = "EBADMSG", .why = &why, .draft = &draft};
	uint64_t id = 0;
	return refusals_add(volume, &refusal, &id);
}
static enum rc empty_item(void) { return put("Queen", "Liar", ""); }
static enum rc add_index(void)
{
	static const char more[] =
	    "{\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"Song\",\"KeyType\":\"RANGE\"}],"
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},{\"AttributeName\":\"Song\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"label\",\"AttributeType\":\"S\"}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-label\",\"KeySchema\":"
	    "[{\"AttributeName\":\"label\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}],\"BillingMode\":\"PAY_PER_REQUEST\"}";
	return fixture_try_define(music, more, NULL); /* and drops by-year */
}
static enum rc unname(void) { return definition_unname(music); }
static enum rc make_other(void) { return table_create(volume, "Other", &fixture_directory, NULL); }
static enum rc find_other(void) { return table_find(volume, "Other", &other); }
static enum rc put_other(void)
{
	struct leaf leaf = fixture_item(other, "p", "s");
	return write_to(&leaf, "{\"year\":3}", false);
}
static enum rc adopt_other(void) { return fixture_try_define(other, FIXTURE_MUSIC, NULL); }
static enum rc rename_other(void) { return table_rename(other, "Songs", false, NULL); }
static enum rc clear_other(void)
{
	struct leaf leaf = fixture_item(other, "p", "s");
	return leaf_remove(&leaf, NULL);
}
static enum rc remove_other(void) { return table_remove(other, NULL); }
static enum rc sync_volume(void) { return volume_sync(volume); }
static enum rc reopen(void)
{
	struct volume_options options = {.create = true, .holder = "a test"};
	table_unref(music);
	table_unref(other);
	music = other = NULL;
	volume_close(volume);
	volume = NULL;
	enum rc rc = volume_open(path, &options, &volume, NULL);
	return rc ? rc : table_find(volume, "Music", &music);
}

static enum rc (*const session[])(void) = {
    make_table,	    find_table,	      declare_table,	   put_first,	      put_second,    put_big,	       put_elsewhere,
    move_in_index,  shrink_big,	      grow_big,		   put_durable,	      set_mode,	     set_root_mode,    make_partition,
    put_file,	    put_table_file,   file_becomes_item,   item_goes_elsewhere, item_becomes_file, exchange,   rename_partition,
    remove_item,    refuse,	      empty_item,	   add_index,	      unname,	     make_other,       find_other,
    put_other,	    adopt_other,      rename_other,	   clear_other,	      remove_other,  sync_volume,      reopen,
};
enum { STEPS = sizeof session / sizeof *session };

static struct buf as_it_is[STEPS]; /* after each step of a session without faults, */
static uint64_t units[STEPS];      /* and the write capacity that was consumed by then */

static uint64_t units_now(void)
{
	uint64_t reads, writes = 0, of_other = 0;
	if (music)
		usage_get(music, 0, &reads, &writes);
	if (other)
		usage_get(other, 0, &reads, &of_other);
	return writes + of_other;
}

static void begin(void)
{
	path = fixture_place();
	volume = fixture_open(path);
	music = other = NULL;
	struct table *probe = fixture_table(volume, "Probe");
	fixture_put(probe, "p", "s", PROBE);
	table_unref(probe);
}

static void end(void)
{
	fixture_sound(volume);
	table_unref(music);
	table_unref(other);
	volume_close(volume);
	fixture_remove(path);
}

static void expect_state(int step, unsigned long n, enum rc fault)
{
	cleanup_buf struct buf now = {0};
	tell_volume(&now);
	cr_assert_str_eq((char *)now.data, (char *)as_it_is[step].data, "call %lu of step %d or the next gave %s, and the state is another", n,
			 step, rc_name(fault));
}

static void set_up(void)
{
	begin();
	for (int i = 0; i < STEPS; i++) {
		enum rc rc = session[i]();
		cr_assert_eq(rc, RC_OK, "step %d: %s", i, rc_name(rc));
		tell_volume(&as_it_is[i]);
		units[i] = units_now();
	}
	end();
}

static void tear_down(void)
{
	for (int i = 0; i < STEPS; i++)
		buf_free(&as_it_is[i]);
}

TestSuite(faults, .init = set_up, .fini = tear_down, .timeout = 600);

/* Runs the step with a fault at its n-th call, then at the one after, until it succeeds, because it has no such call or gets along without (a guess,
 * a cache): returns whether it had. */
static bool step_with_faults(int step, enum faulty_calls kind, unsigned long *n, enum rc fault)
{
	for (;; ++*n) {
		faulty_begin(kind, *n, fault);
		enum rc rc = session[step]();
		faulty_end();
		if (rc == RC_OK)
			return faulty_met();
		cr_assert(faulty_met(), "step %d gives %s without a fault", step, rc_name(rc));
		cr_assert_eq(rc, fault, "step %d, call %lu gave %s, the step %s", step, *n, rc_name(fault), rc_name(rc));
		if (session[step] == reopen && !volume)
			volume = fixture_open(path);
		if (step)
			expect_state(step - 1, *n, fault);
	}
}

/* Sessions are gone through until each step has met a fault at each of its calls. */
static void every_call_once(enum faulty_calls kind, enum rc fault)
{
	unsigned long next[STEPS], faults = 0;
	bool more = true;
	for (int i = 0; i < STEPS; i++)
		next[i] = 1;
	while (more) {
		more = false;
		begin();
		for (int i = 0; i < STEPS; i++) {
			bool met = step_with_faults(i, kind, &next[i], fault);
			if (met)
				next[i]++;
			more |= met;
			expect_state(i, next[i], fault);
			cr_assert_eq(units_now(), units[i], "after step %d: a try that failed was charged", i);
		}
		end();
	}
	for (int i = 0; i < STEPS; i++)
		faults += next[i] - 1;
	cr_expect_gt(faults, STEPS);
	fprintf(stderr, "faults: %lu × %s\n", faults, rc_name(fault));
}

Test(faults, of_the_disk_at_each_read_change_nothing) { every_call_once(FAULTY_READS, RC_IO); }
Test(faults, of_bytes_at_each_read_change_nothing) { every_call_once(FAULTY_READS, RC_CORRUPT); }
Test(faults, of_room_at_each_write_change_nothing) { every_call_once(FAULTY_WRITES, RC_NO_SPACE); }
Test(faults, of_the_disk_at_each_write_change_nothing) { every_call_once(FAULTY_WRITES, RC_IO); }
Test(faults, of_memory_at_each_call_of_the_engine_change_nothing) { every_call_once(FAULTY_READS | FAULTY_WRITES, RC_NO_MEMORY); }
Test(faults, of_memory_at_each_allocation_change_nothing) { every_call_once(FAULTY_MEMORY, RC_NO_MEMORY); }

/* ---- a call that takes long ---- */

static struct latch latch;

struct held_step {
	pthread_t thread;
	int step;
	unsigned long n;
	enum rc rc;
	bool met;
};

static void *run_held(void *context)
{
	struct held_step *s = context;
	faulty_begin_held(FAULTY_READS | FAULTY_WRITES, s->n, &latch);
	s->rc = session[s->step]();
	faulty_end();
	s->met = faulty_met();
	latch_open(&latch); /* it had no such call */
	return NULL;
}

static void *write_probe(void *probe)
{
	struct leaf leaf = fixture_item(probe, "p", "s");
	enum rc rc = write_to(&leaf, PROBE, false);
	return (void *)(intptr_t)rc;
}

/* Of another table: reading goes on. */
static void expect_reads(struct table *probe)
{
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "p");
	struct leaf leaf = fixture_item(probe, "p", "s");
	cr_expect(fixture_reads(&leaf, PROBE));
	fixture_lists(volume, &(struct listing_place){.kind = LISTING_ITEMS, .table = probe, .pk = &pk}, "s ");
}

/* Runs the step with its n-th call held, and others meanwhile: returns whether it had one. */
static bool step_held(int step, unsigned long n)
{
	struct held_step held = {.step = step, .n = n};
	struct table *probe = session[step] == reopen ? NULL : fixture_find(volume, "Probe");
	pthread_t writer;
	void *written = NULL;
	latch_set(&latch, FAULTY_READS | FAULTY_WRITES, 1);
	cr_assert_eq(pthread_create(&held.thread, NULL, run_held, &held), 0);
	bool meanwhile = latch_await(&latch) && probe;
	if (meanwhile) {
		expect_reads(probe);
		cr_assert_eq(pthread_create(&writer, NULL, write_probe, probe), 0);
	}
	latch_open(&latch);
	pthread_join(held.thread, NULL);
	if (meanwhile)
		pthread_join(writer, &written);
	cr_assert_eq(held.rc, RC_OK, "step %d, with call %lu held: %s", step, n, rc_name(held.rc));
	cr_assert_eq((intptr_t)written, RC_OK, "a writer beside step %d, call %lu: %s", step, n, rc_name((enum rc)(intptr_t)written));
	table_unref(probe);
	return held.met;
}

Test(faults, of_time_at_each_call_of_the_engine_keep_no_reader_waiting_and_no_writer_for_ever)
{
	unsigned long n = 1, count = 0;
	latch_init(&latch);
	for (bool more = true; more; n++) {
		more = false;
		begin();
		for (int i = 0; i < STEPS; i++) {
			bool met = step_held(i, n);
			count += met;
			more |= met;
			expect_state(i, n, RC_OK);
		}
		end();
	}
	latch_free(&latch);
	cr_expect_gt(count, STEPS);
	fprintf(stderr, "faults: %lu × held\n", count);
}
