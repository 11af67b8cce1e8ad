/* node: what a name means, and which incarnation of a file is meant by it. */
#include "fs/node.h"
#include <criterion/criterion.h>

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
