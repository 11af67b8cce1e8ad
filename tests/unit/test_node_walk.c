/* node_walk: how much is looked at where something concerns the names below one name. What may not be looked at is taken away meanwhile, so that a look
 * ends the test. */
#include "fs/node.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 30000 };

static struct tree tree;

static void set_up(void)
{
	cr_assert_eq(tree_init(&tree), RC_OK);
}

static void tear_down(void)
{
	tree_free(&tree);
}

TestSuite(node_walk, .init = set_up, .fini = tear_down);

static struct node *known(struct node *parent, const char *name, enum node_kind kind)
{
	struct node *node = node_get(&tree, parent, name, kind, NULL);
	cr_assert_not_null(node);
	return node;
}

/* As a mount that knows many names: NAMES items of another partition. */
static struct node *make_many(void)
{
	struct node *table = known(tree.root, "Music", NODE_TABLE), *partition = known(table, "Queen", NODE_PARTITION);
	for (int i = 0; i < NAMES; i++) {
		char name[32];
		snprintf(name, sizeof name, "%d.json", i);
		known(partition, name, NODE_ITEM);
	}
	return table;
}

static void count(void *context, struct node *node)
{
	(void)node;
	++*(unsigned *)context;
}

static unsigned count_below(struct node *node, void each(struct tree *, const struct node *, node_fn *, void *))
{
	unsigned n = 0;
	node_hold(&tree, node); /* as a request has found it */
	each(&tree, node, count, &n);
	node_release(&tree, node);
	return n;
}

/* The same while only the first so many buckets are there. */
static unsigned count_in(size_t buckets, struct node *node, void each(struct tree *, const struct node *, node_fn *, void *))
{
	struct node **all = tree.bucket;
	tree.bucket = malloc(tree.buckets * sizeof *all);
	cr_assert_not_null(tree.bucket);
	for (size_t i = 0; i < tree.buckets; i++)
		tree.bucket[i] = i < buckets ? all[i] : (struct node *)sizeof(void *); /* nowhere */
	unsigned n = count_below(node, each);
	free(tree.bucket);
	tree.bucket = all;
	return n;
}

/* How many buckets have to be looked at for its children. */
static size_t buckets_of_children(const struct node *node)
{
	size_t last = 0;
	for (size_t i = 0; i < tree.buckets; i++)
		for (const struct node *n = tree.bucket[i]; n; n = n->chain)
			if (n->parent == node)
				last = i + 1;
	return last;
}

Test(node_walk, a_snapshot_that_nobody_has_looked_into_is_let_go_without_a_look_at_any_name)
{
	make_many();
	struct node *snapshot = known(known(known(tree.root, ".itemfs", NODE_CONTROL), "snapshots", NODE_SNAPSHOTS), "now", NODE_SNAPSHOT);
	cr_expect_eq(count_in(0, snapshot, node_each_below), 0);
	struct node *table = known(snapshot, "Music", NODE_TABLE);
	known(known(table, "Queen", NODE_PARTITION), "1.json", NODE_ITEM);
	cr_expect_eq(count_below(snapshot, node_each_below), 3);
}

Test(node_walk, of_what_a_partition_holds_no_more_is_looked_at_than_finds_it)
{
	struct node *table = make_many(), *empty = known(table, "Empty", NODE_PARTITION), *small = known(table, "Small", NODE_PARTITION);
	cr_expect_eq(count_in(0, empty, node_each_child), 0);
	struct node *item = known(small, "1.json", NODE_ITEM);
	known(small, "2.json", NODE_ITEM);
	cr_expect_eq(count_in(buckets_of_children(small), small, node_each_child), 2);
	node_kill(&tree, item); /* somebody may have it open */
	cr_expect_eq(count_below(small, node_each_child), 2);
	node_forget(&tree, item, 1);
	cr_expect_eq(count_below(small, node_each_child), 1);
	cr_expect_eq(count_below(table, node_each_child), 3);
}
