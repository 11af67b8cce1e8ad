/* memfs_tree: the nodes of memfs: one hash table over (parent, name), and each directory's children in a list. One lock guards everything; whoever calls
 * these holds it, but for the translation between nodes and ids.
 */
#ifndef ITEMFS_TESTS_MEMFS_TREE_H
#define ITEMFS_TESTS_MEMFS_TREE_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct node {
	struct node *parent, *chain;         /* chain: in its hash bucket */
	struct node *first, *next, **back;   /* a directory's children, newest first; a node among its siblings */
	uint64_t lookups;
	unsigned opens, children;
	bool linked;
	bool dirty; /* written and not logged */
	mode_t mode;
	struct timespec mtime;
	char *bytes;
	size_t size;
	uint32_t hash;
	char *name;
};

extern struct tree {
	pthread_mutex_t lock;
	struct node *root, **bucket;
	size_t buckets, count;
} tree;

/* Its root is a directory. False: no memory. Before anything else. */
bool tree_begin(void);

struct node *tree_node(fuse_ino_t id);
fuse_ino_t tree_id(const struct node *node);

/* NULL: there is none. */
struct node *tree_find(const struct node *parent, const char *name);
/* In its parent, which has no such name. NULL: no memory. */
struct node *tree_make(struct node *parent, const char *name, mode_t mode);
/* It has another name, which is free. False: no memory. */
bool tree_move(struct node *node, struct node *to, const char *name);
/* It has no name any more. */
void tree_detach(struct node *node);
/* Frees it where neither a name nor the kernel nor a handle leads to it. */
void tree_free_unused(struct node *node);
/* How many bytes it has; zeros are added. False: no memory. */
bool tree_resize(struct node *node, size_t size);

#endif
