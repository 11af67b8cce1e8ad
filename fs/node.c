/* node: see node.h. One hash table over (parent, name). */
#include "fs/node.h"
#include "index/export.h"
#include "index/listing.h"
#include "fs/upload.h"
#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x69746e64, BUCKETS_FIRST = 256, ROOT_ID = 1 /* FUSE_ROOT_ID */, MANY = 16384 /* some 5 MiB */ };

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 33;
}

static uint64_t hash(uint64_t seed, const char *name)
{
	uint64_t h = 14695981039346656037u ^ mix(seed);
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 1099511628211u;
	return mix(h);
}

/* 0 is no inode and 1 is the root. */
static uint64_t proper(uint64_t ino)
{
	return ino < 2 ? ino + 2 : ino;
}

uint64_t node_child_ino(uint64_t parent, const char *name)
{
	return proper(hash(parent, name));
}

uint64_t node_ino(const struct node *node)
{
	if (!node->parent)
		return ROOT_ID;
	return node->table ? node_table_ino(node->parent, table_identity(node->table)) : node_child_ino(node_ino(node->parent), node->name);
}

uint64_t node_table_ino(const struct node *parent, uint64_t identity)
{
	uint64_t of_parent = parent->kind == NODE_SNAPSHOT ? mix(node_ino(parent)) : 0;
	return proper(mix(identity ^ of_parent ^ 0x7461626c65u));
}

void node_set_snapshot(struct tree *tree, struct node *node, struct snapshot *snapshot)
{
	pthread_mutex_lock(&tree->lock);
	if (!node->more->snapshot)
		node->more->snapshot = snapshot_ref(snapshot);
	pthread_mutex_unlock(&tree->lock);
}

static const struct node *top_of(const struct node *node)
{
	while (node && node->kind != NODE_SNAPSHOT)
		node = node->parent;
	return node;
}

struct snapshot *node_snapshot(const struct node *node)
{
	const struct node *top = top_of(node);
	return top ? top->more->snapshot : NULL;
}

bool node_is_dropped(const struct node *node)
{
	const struct node *top = top_of(node);
	return top && top->dead;
}

static bool is_below(const struct node *node, const struct node *top)
{
	while ((node = node->parent))
		if (node == top)
			return true;
	return false;
}

/* How many children it may have: each holds it, as the caller does; so does who has it open. */
static unsigned children_at_most(const struct node *node)
{
	return node->holds - 1;
}

void node_each_below(struct tree *tree, const struct node *top, node_fn *fn, void *context)
{
	pthread_mutex_lock(&tree->lock);
	bool any = children_at_most(top);
	for (size_t i = 0; any && i < tree->buckets; i++)
		for (struct node *n = tree->bucket[i]; n; n = n->chain)
			if (!n->dead && is_below(n, top))
				fn(context, n);
	pthread_mutex_unlock(&tree->lock);
}

void node_each_child(struct tree *tree, const struct node *top, node_fn *fn, void *context)
{
	pthread_mutex_lock(&tree->lock);
	unsigned left = children_at_most(top);
	for (size_t i = 0; left && i < tree->buckets; i++)
		for (struct node *n = tree->bucket[i]; left && n; n = n->chain)
			if (n->parent == top) {
				fn(context, n);
				left--;
			}
	pthread_mutex_unlock(&tree->lock);
}

static struct node **bucket_of(const struct tree *tree, const struct node *parent, const char *name)
{
	return &tree->bucket[hash((uintptr_t)parent, name) & (tree->buckets - 1)];
}

static struct node *find(const struct tree *tree, const struct node *parent, const char *name)
{
	struct node *n = *bucket_of(tree, parent, name);
	while (n && (n->dead || n->parent != parent || strcmp(n->name, name) != 0))
		n = n->chain;
	return n;
}

static void link_in(struct tree *tree, struct node *node)
{
	struct node **bucket = bucket_of(tree, node->parent, node->name);
	node->chain = *bucket;
	*bucket = node;
}

static void link_out(struct tree *tree, struct node *node)
{
	struct node **at = bucket_of(tree, node->parent, node->name);
	while (*at && *at != node)
		at = &(*at)->chain;
	if (*at)
		*at = node->chain;
	node->chain = NULL;
}

/* More buckets where it gets crowded, fewer where it is empty; without memory for them it stays as it is. */
static void resize(struct tree *tree, size_t buckets)
{
	size_t old_count = tree->buckets;
	struct node **old = tree->bucket, **fresh = calloc(buckets, sizeof(struct node *));
	if (!fresh)
		return;
	tree->bucket = fresh;
	tree->buckets = buckets;
	for (size_t i = 0; i < old_count; i++)
		for (struct node *n = old[i], *next; n; n = next) {
			next = n->chain;
			link_in(tree, n);
		}
	free(old);
}

/* What malloc takes for it. */
static size_t weight(void *block)
{
	return malloc_usable_size(block) + sizeof(size_t);
}

size_t tree_bytes(const struct tree *tree)
{
	return tree->bytes + tree->buckets * sizeof(struct node *);
}

static const struct node_more nothing;

bool node_more(struct tree *tree, struct node *node)
{
	if (node->more != &nothing)
		return true;
	struct node_more *more = calloc(1, sizeof *more);
	if (!more)
		return false;
	tree->bytes += weight(more);
	node->more = more;
	return true;
}

/* What the node itself takes. */
static size_t weight_of(const struct node *node)
{
	return weight((void *)node) + weight(node->name) + (node->more == &nothing ? 0 : weight(node->more));
}

/* Of which there may be millions, that are only told of. */
static bool is_plenty(enum node_kind kind)
{
	return kind == NODE_PARTITION || kind == NODE_ITEM || kind == NODE_PLAIN || kind == NODE_INDEX_KEY || kind == NODE_ENTRY || kind == NODE_RESULT;
}

static struct node *make(struct tree *tree, struct node *parent, const char *name, enum node_kind kind)
{
	struct node *node = calloc(1, sizeof *node);
	char *copy = strdup(name);
	if (node)
		node->more = (struct node_more *)&nothing;
	if (!node || !copy || (!is_plenty(kind) && !node_more(tree, node))) {
		free(node);
		free(copy);
		return NULL;
	}
	node->magic = MAGIC;
	node->kind = kind;
	node->parent = parent;
	node->serial = ++tree->serial;
	node->name = copy;
	tree->bytes += weight(node) + weight(copy); /* what there is more is counted */
	if (parent)
		parent->holds++;
	return node;
}

enum rc tree_init(struct tree *tree)
{
	*tree = (struct tree){.buckets = BUCKETS_FIRST};
	pthread_rwlockattr_t attributes;
	pthread_mutex_init(&tree->lock, NULL);
	pthread_cond_init(&tree->decided, NULL);
	pthread_rwlockattr_init(&attributes);
	/* A stream of requests must not keep a rename waiting for ever. No operation takes it twice. */
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&tree->names, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	tree->bucket = calloc(tree->buckets, sizeof(struct node *));
	tree->root = tree->bucket ? make(tree, NULL, "", NODE_ROOT) : NULL;
	if (!tree->root) {
		tree_free(tree);
		return RC_NO_MEMORY;
	}
	tree->root->holds = 1;
	return RC_OK;
}

static void dispose(struct node *node)
{
	table_unref(node->table);
	if (node->more != &nothing) {
		listing_memo_free(node->more->memo);
		upload_unref(node->more->upload);
		snapshot_unref(node->more->snapshot);
		export_extent_unref(node->more->extent);
		buf_free(&node->more->last);
		free(node->more);
	}
	node->magic = 0;
	free(node->name);
	free(node);
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; tree->bucket && i < tree->buckets; i++)
		for (struct node *n = tree->bucket[i], *next; n; n = next) {
			next = n->chain;
			dispose(n);
		}
	free(tree->bucket);
	if (tree->root)
		dispose(tree->root);
	pthread_rwlock_destroy(&tree->names);
	pthread_cond_destroy(&tree->decided);
	pthread_mutex_destroy(&tree->lock);
}

struct node *node_of(struct tree *tree, uint64_t id)
{
	struct node *node = id == ROOT_ID ? tree->root : (struct node *)(uintptr_t)id;
	assert(node->magic == MAGIC);
	return node;
}

uint64_t node_id(const struct tree *tree, const struct node *node)
{
	return node == tree->root ? ROOT_ID : (uintptr_t)node;
}

/* Frees it, and then its ancestors, as far as nobody needs them. */
static void reap(struct tree *tree, struct node *node)
{
	while (node && node != tree->root && !node->lookups && !node->holds && !node->notices) {
		struct node *parent = node->parent;
		node_untell(node);
		link_out(tree, node);
		tree->count--;
		tree->bytes -= weight_of(node);
		dispose(node);
		parent->holds--;
		node = parent;
	}
	if (tree->buckets > BUCKETS_FIRST && tree->count < tree->buckets / 16)
		resize(tree, tree->buckets / 2);
}

void node_set_pending(struct node *node, bool pending)
{
	if (pending && !node->pending) {
		node->more->pending_next = node->parent->more->pendings;
		node->more->pending_back = &node->parent->more->pendings;
		if (node->more->pending_next)
			node->more->pending_next->more->pending_back = &node->more->pending_next;
		node->parent->more->pendings = node;
	} else if (!pending && node->pending) {
		*node->more->pending_back = node->more->pending_next;
		if (node->more->pending_next)
			node->more->pending_next->more->pending_back = node->more->pending_back;
	}
	node->pending = pending;
}

void node_born(struct tree *tree, struct node *node, uint64_t birth)
{
	pthread_mutex_lock(&tree->lock);
	if (!node->pending && birth > node->birth)
		node->birth = birth;
	pthread_mutex_unlock(&tree->lock);
}

/* It stays in its bucket, where nobody finds it, until the last one lets it go. */
void node_kill_locked(struct node *node)
{
	node->dead = true;
	node_untell(node);
	node_set_pending(node, false);
}

void node_tell(struct tree *tree, struct node *directory, bool whole)
{
	pthread_mutex_lock(&tree->lock);
	if (node_more(tree, directory))
		directory->more->told_whole = whole;
	pthread_mutex_unlock(&tree->lock);
}

bool node_is_told(struct tree *tree, const struct node *directory)
{
	pthread_mutex_lock(&tree->lock);
	bool told = directory->more->told_whole;
	pthread_mutex_unlock(&tree->lock);
	return told;
}

/* Its directory is not, and that one's neither: what happens to a name changes its directory's times. */
void node_untell(struct node *node)
{
	for (unsigned i = 0; i < 2 && (node = node->parent); i++)
		if (node->more->told_whole)
			node->more->told_whole = false;
}

static struct node *get(struct tree *tree, struct node *parent, const char *name, enum node_kind kind, struct table *table, bool certain)
{
	pthread_mutex_lock(&tree->lock);
	struct node *node = find(tree, parent, name);
	bool other = node && node->kind != kind;
	if (other && certain)
		node_kill_locked(node);
	if (other)
		node = NULL;
	if (!node && (certain || !other) && (node = make(tree, parent, name, kind))) {
		node->table = table ? table_ref(table) : NULL;
		if (++tree->count > tree->buckets / 2)
			resize(tree, tree->buckets * 2);
		if (tree->count > tree->crowd)
			tree->crowd = tree->count;
		link_in(tree, node);
	}
	if (node)
		node->lookups++;
	if (node && certain)
		node_untell(node);
	pthread_mutex_unlock(&tree->lock);
	return node;
}

struct node *node_get(struct tree *tree, struct node *parent, const char *name, enum node_kind kind, struct table *table)
{
	return get(tree, parent, name, kind, table, true);
}

struct node *node_listed(struct tree *tree, struct node *parent, const char *name, enum node_kind kind, struct table *table)
{
	return get(tree, parent, name, kind, table, false);
}

struct node *node_find(struct tree *tree, struct node *parent, const char *name)
{
	pthread_mutex_lock(&tree->lock);
	struct node *node = find(tree, parent, name);
	if (node)
		node->holds++;
	pthread_mutex_unlock(&tree->lock);
	return node;
}

void node_hold(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node->holds++;
	pthread_mutex_unlock(&tree->lock);
}

void node_release(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node->holds--;
	reap(tree, node);
	pthread_mutex_unlock(&tree->lock);
}

bool node_forget(struct tree *tree, struct node *node, uint64_t lookups)
{
	pthread_mutex_lock(&tree->lock);
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	reap(tree, node);
	bool many = tree->crowd - tree->count >= MANY && tree->count < tree->crowd / 2;
	if (many)
		tree->crowd = tree->count;
	pthread_mutex_unlock(&tree->lock);
	return many;
}

void node_notice(struct node *node)
{
	node->notices++;
}

void node_noticed(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node->notices--;
	reap(tree, node);
	pthread_mutex_unlock(&tree->lock);
}

void node_kill(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node_kill_locked(node);
	pthread_mutex_unlock(&tree->lock);
}

bool node_move(struct tree *tree, struct node *node, struct node *parent, const char *name, enum node_kind kind)
{
	char *copy = strdup(name);
	if (!copy)
		return false;
	pthread_mutex_lock(&tree->lock);
	if (node->pending && !node_more(tree, parent)) {
		pthread_mutex_unlock(&tree->lock);
		free(copy);
		return false;
	}
	struct node *target = find(tree, parent, name);
	if (target && target != node)
		node_kill_locked(target);
	node_untell(node);
	link_out(tree, node);
	struct node *old = node->parent;
	bool pending = node->pending;
	node_set_pending(node, false);
	parent->holds++;
	node->parent = parent;
	node_set_pending(node, pending);
	tree->bytes += weight(copy) - weight(node->name);
	free(node->name);
	node->name = copy;
	node->kind = kind;
	node_untell(node);
	link_in(tree, node);
	old->holds--;
	reap(tree, old);
	pthread_mutex_unlock(&tree->lock);
	return true;
}

bool node_go(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	bool open = node->more->opens;
	node->going = true;
	pthread_mutex_unlock(&tree->lock);
	return !open;
}

static void decide(struct tree *tree, struct node *node)
{
	if (node->going)
		pthread_cond_broadcast(&tree->decided);
	node->going = false;
}

void node_stay(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	decide(tree, node);
	pthread_mutex_unlock(&tree->lock);
}

void node_await(struct tree *tree, struct node *node)
{
	while (node->going)
		pthread_cond_wait(&tree->decided, &tree->lock);
}

bool node_bury(struct tree *tree, struct node *node, const struct meta *meta, uint64_t size, struct buf *document)
{
	pthread_mutex_lock(&tree->lock);
	bool known = document || node->pending || !node->more->opens;
	bool remembered = node_more(tree, node); /* without memory it is gone for those who looked it up just now */
	if (known && !node->pending && remembered) {
		node->more->fresh = *meta;
		node->more->pending_size = size;
	}
	if (known && document && remembered) {
		struct buf none = node->more->last;
		node->more->last = *document;
		*document = none;
	}
	if (remembered)
		node->more->buried |= known && document;
	if (known) {
		node_kill_locked(node);
		decide(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
	return known;
}

bool node_is_removed(struct tree *tree, const struct node *directory)
{
	pthread_mutex_lock(&tree->lock);
	bool removed = directory->dead && directory->more->buried;
	pthread_mutex_unlock(&tree->lock);
	return removed;
}

void node_swap(struct tree *tree, struct node *a, struct node *b)
{
	pthread_mutex_lock(&tree->lock);
	link_out(tree, a);
	link_out(tree, b);
	struct node *parent = a->parent;
	char *name = a->name;
	enum node_kind kind = a->kind;
	a->parent = b->parent;
	a->name = b->name;
	a->kind = b->kind;
	b->parent = parent; /* each parent is held by as many as before */
	b->name = name;
	b->kind = kind;
	node_untell(a);
	node_untell(b);
	link_in(tree, a);
	link_in(tree, b);
	pthread_mutex_unlock(&tree->lock);
}
