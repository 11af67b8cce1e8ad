/* memfs_tree: see memfs_tree.h. */
#include "tests/bench/memfs_tree.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024 };

struct tree tree = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct node *tree_node(fuse_ino_t id)
{
	return id == FUSE_ROOT_ID ? tree.root : (struct node *)(uintptr_t)id;
}

fuse_ino_t tree_id(const struct node *node)
{
	return node == tree.root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

static uint32_t hash_of(const struct node *parent, const char *name)
{
	uint64_t h = (uintptr_t)parent * 0x9e3779b97f4a7c15u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

struct node *tree_find(const struct node *parent, const char *name)
{
	uint32_t hash = hash_of(parent, name);
	struct node *node = tree.bucket[hash & (tree.buckets - 1)];

	while (node && (node->hash != hash || node->parent != parent || strcmp(node->name, name) != 0))
		node = node->chain;
	return node;
}

static void grow(void)
{
	size_t wider = tree.buckets * 2;
	struct node **bucket = calloc(wider, sizeof(*bucket));

	if (!bucket)
		return;
	for (size_t i = 0; i < tree.buckets; i++) {
		for (struct node *node = tree.bucket[i], *next; node; node = next) {
			next = node->chain;
			node->chain = bucket[node->hash & (wider - 1)];
			bucket[node->hash & (wider - 1)] = node;
		}
	}
	free(tree.bucket);
	tree.bucket = bucket;
	tree.buckets = wider;
}

static void attach(struct node *node)
{
	struct node **bucket;

	if (++tree.count > tree.buckets)
		grow();
	bucket = &tree.bucket[node->hash & (tree.buckets - 1)];
	node->chain = *bucket;
	*bucket = node;
	node->next = node->parent->first;
	node->back = &node->parent->first;
	if (node->next)
		node->next->back = &node->next;
	node->parent->first = node;
	node->parent->children++;
	node->linked = true;
}

void tree_detach(struct node *node)
{
	struct node **at = &tree.bucket[node->hash & (tree.buckets - 1)];

	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	*node->back = node->next;
	if (node->next)
		node->next->back = node->back;
	node->parent->children--;
	node->linked = false;
	tree.count--;
}

void tree_free_unused(struct node *node)
{
	if (node->linked || node->lookups || node->opens || node == tree.root)
		return;
	free(node->bytes);
	free(node->name);
	free(node);
}

struct node *tree_make(struct node *parent, const char *name, mode_t mode)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node || !(node->name = strdup(name))) {
		free(node);
		return NULL;
	}
	node->parent = parent;
	node->mode = mode;
	clock_gettime(CLOCK_REALTIME_COARSE, &node->mtime);
	if (!parent)
		return node;
	node->hash = hash_of(parent, name);
	attach(node);
	return node;
}

bool tree_move(struct node *node, struct node *to, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return false;
	tree_detach(node);
	free(node->name);
	node->name = copy;
	node->parent = to;
	node->hash = hash_of(to, name);
	attach(node);
	return true;
}

bool tree_resize(struct node *node, size_t size)
{
	char *bytes = realloc(node->bytes, size ? size : 1);

	if (!bytes)
		return false;
	if (size > node->size)
		memset(bytes + node->size, 0, size - node->size);
	node->bytes = bytes;
	node->size = size;
	return true;
}

bool tree_begin(void)
{
	tree.buckets = FIRST_BUCKETS;
	tree.bucket = calloc(tree.buckets, sizeof(*tree.bucket));
	tree.root = tree_make(NULL, "", S_IFDIR | 0755);
	return tree.bucket && tree.root;
}
