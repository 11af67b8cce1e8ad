/* node: what a name means, and which incarnation of a file is meant by it. */
#include "fs/node.h"
#include <criterion/criterion.h>
#include <stdatomic.h>

static struct tree tree;
static struct node *file;

static void setup(void)
{
	cr_assert_eq(tree_init(&tree), RC_OK);
	file = node_get(&tree, tree.root, "Liar.json", NODE_ITEM, NULL);
	cr_assert_not_null(file);
}

static void teardown(void)
{
	tree_free(&tree);
}

TestSuite(node, .init = setup, .fini = teardown);

static void set_pending(bool pending)
{
	pthread_mutex_lock(&tree.lock);
	cr_assert(node_more(&tree, tree.root) && node_more(&tree, file));
	node_set_pending(file, pending);
	pthread_mutex_unlock(&tree.lock);
}

Test(node, what_was_read_of_a_name_before_it_went_and_came_again_does_not_make_it_the_old_one)
{
	node_born(&tree, file, 5);
	cr_expect_eq(file->birth, 5);
	node_born(&tree, file, 9);
	cr_expect_eq(file->birth, 9);
	node_born(&tree, file, 5);
	cr_expect_eq(file->birth, 9);
}

Test(node, who_found_that_a_name_waits_for_its_first_commit_has_read_nothing_and_takes_nothing_back_when_that_has_come)
{
	set_pending(true);
	node_born(&tree, file, 5); /* of one that went before this came */
	cr_expect_eq(file->birth, 0);
	set_pending(false);
	file->birth = 9; /* the first commit */
	node_born(&tree, file, 0);
	cr_expect_eq(file->birth, 9);
}

static void *open_file(void *context)
{
	atomic_bool *dead = context;
	pthread_mutex_lock(&tree.lock);
	node_await(&tree, file);
	*dead = file->dead;
	pthread_mutex_unlock(&tree.lock);
	return NULL;
}

static bool opened_while_it_goes(bool buried)
{
	static const struct meta meta;
	pthread_t opener;
	atomic_bool dead = false;
	node_go(&tree, file);
	cr_assert_eq(pthread_create(&opener, NULL, open_file, &dead), 0);
	if (buried)
		cr_expect(node_bury(&tree, file, &meta, 2, NULL));
	else
		node_stay(&tree, file);
	pthread_join(opener, NULL);
	return dead;
}

Test(node, who_opens_a_file_that_is_about_to_be_unlinked_waits_for_what_comes_of_it)
{
	cr_expect_not(opened_while_it_goes(false));
	cr_expect(opened_while_it_goes(true));
}

Test(node, who_unlinks_a_file_is_told_whether_it_is_open)
{
	cr_expect(node_go(&tree, file));
	node_stay(&tree, file);
	pthread_mutex_lock(&tree.lock);
	cr_assert(node_more(&tree, file));
	file->more->opens = 1;
	pthread_mutex_unlock(&tree.lock);
	cr_expect_not(node_go(&tree, file));
	node_stay(&tree, file);
}

static bool told_root(void)
{
	node_tell(&tree, tree.root, true);
	cr_assert_eq(node_listed(&tree, tree.root, "Liar.json", NODE_ITEM, NULL), file);
	return node_is_told(&tree, tree.root);
}

static void looked_up(void)
{
	cr_assert_not_null(node_get(&tree, tree.root, "Liar.json", NODE_ITEM, NULL));
}

static void another_came(void)
{
	cr_assert_not_null(node_get(&tree, tree.root, "Innuendo.json", NODE_ITEM, NULL));
}

static void another_was_forgotten(void)
{
	node_forget(&tree, node_get(&tree, tree.root, "Jealousy.json", NODE_ITEM, NULL), 1);
}

static void renamed(void)
{
	cr_assert(node_move(&tree, file, tree.root, "Liar.json", NODE_ITEM));
}

static void exchanged(void)
{
	node_swap(&tree, file, node_get(&tree, tree.root, "Innuendo.json", NODE_ITEM, NULL));
	file = node_get(&tree, tree.root, "Liar.json", NODE_ITEM, NULL);
}

static void asked_for(void)
{
	pthread_mutex_lock(&tree.lock);
	node_untell(file);
	pthread_mutex_unlock(&tree.lock);
}

Test(node, a_directory_is_told_until_the_kernel_knows_less_of_a_name_in_it)
{
	static void (*const what[])(void) = {looked_up, another_came, another_was_forgotten, renamed, exchanged, asked_for};
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		cr_expect(told_root());
		what[i]();
		cr_expect_not(node_is_told(&tree, tree.root), "%zu", i);
	}
	cr_expect(told_root());
	node_kill(&tree, file);
	cr_expect_not(node_is_told(&tree, tree.root));
}

Test(node, what_happens_below_a_directory_that_was_told_shows_in_it)
{
	struct node *table = node_get(&tree, tree.root, "Music", NODE_PARTITION, NULL);
	struct node *item = node_get(&tree, table, "1.json", NODE_ITEM, NULL);
	cr_expect(told_root());
	pthread_mutex_lock(&tree.lock);
	node_untell(item); /* as when it was removed: its directory has other times */
	pthread_mutex_unlock(&tree.lock);
	cr_expect_not(node_is_told(&tree, tree.root));
}
