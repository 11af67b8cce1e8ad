/* node: what an inode means: a place in the tree of names. The kernel's node id is the node's address.
 *
 * A node is (parent node, component): keys are read from the names when they are needed, with the table's definition as it is then (place.h), so that
 * renaming a directory or adopting a table re-keys all that is below without touching it.
 *
 * Lifetime: born by node_get() (a lookup, a create, readdirplus), which counts one lookup of the kernel's; held by handles (node_hold) and by its
 * children; dies when forget has taken the last lookup, nobody holds it and no notice of it waits to be sent. Between unlink and that it is `dead`:
 * out of the tree, its drafts commit nowhere.
 *
 * Locks: tree.lock guards all fields of all nodes (parent, name and kind change only with tree.names held for writing as well, and may be read with
 * either) and is held for moments only, never over I/O. tree.names is held for reading by each operation from reading names to the end of what it
 * does with them, and for writing by what changes the meaning of names: renames, and changes of a definition.
 */
#ifndef ITEMFS_NODE_H
#define ITEMFS_NODE_H

#include "index/snapshot.h"
#include "index/table.h"
#include "store/model/buf.h"
#include "store/rows.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum node_kind {
	NODE_ROOT,
	NODE_TABLE,
	NODE_DEFINITION, /* TABLE/.schema.json */
	NODE_DESCRIBE,   /* TABLE/.describe.json */
	NODE_PARTITION,
	NODE_ITEM,
	NODE_PLAIN,     /* a plain file, in a table or a partition */
	NODE_IMPORTS,   /* TABLE/.import */
	NODE_IMPORT,    /* TABLE/.import/NAME */
	NODE_INDEXES,   /* TABLE/.index */
	NODE_INDEX,     /* TABLE/.index/NAME */
	NODE_INDEX_KEY, /* TABLE/.index/NAME/KEY */
	NODE_ENTRY,     /* TABLE/.index/NAME/KEY/ENTRY.json */
	NODE_OPERATOR,  /* a query that is not complete (query_path.h): TABLE/KEY/.ge, TABLE/.scan/4 */
	NODE_VIEW,      /* a query: TABLE/KEY/.ge/2024, TABLE/.scan/4/0, TABLE/.scan/4/0/KEY */
	NODE_RESULT,    /* a file in one */
	NODE_EXPORT,      /* .export, in whatever lists items or entries */
	NODE_EXPORT_FILE, /* a file in it (export_file.h) */
	NODE_CONTROL,   /* .itemfs */
	NODE_ERRORS,    /* .itemfs/errors */
	NODE_STATS,     /* .itemfs/stats.json */
	NODE_SNAPSHOTS, /* .itemfs/snapshots */
	NODE_SNAPSHOT,  /* .itemfs/snapshots/NAME: like the root, and all below it like what is below that, frozen */
	NODE_REJECTED,  /* .itemfs/rejected */
	NODE_DRAFT,     /* .itemfs/rejected/ID */
};

struct plain;
struct export_extent;
struct export_stream;
struct listing_memo;
struct upload;

/* What finding one by its name reads stands first: with a hundred thousand of them each line of the processor's cache counts. */
struct node {
	uint32_t magic;
	/* A reader without the locks may see the kind before or after a change, but what is a file stays a file. (Clang 14 cannot switch on an atomic: cast it to
	 * enum node_kind first.) */
	_Atomic enum node_kind kind;
	struct node *chain;  /* in its hash bucket */
	struct node *parent; /* NULL for the root */
	char *name;
	uint64_t lookups;
	unsigned writers;    /* handles that may commit to it: attributes are not cached while there are any */
	_Atomic bool dead;   /* written under tree.lock; a reader without it sees one moment or the other */
	_Atomic bool missed; /* a name in it was said to be absent, which the kernel may remember: who makes one come by himself tells it */
	_Atomic bool pending; /* created and not committed yet: lists as an empty file, lives here only (node_set_pending) */
	bool going;           /* node_go() */
	unsigned holds;
	_Atomic unsigned notices; /* that wait to be sent: counted up by whoever keeps the node alive by other means, and down under tree.lock */
	uint64_t serial;
	uint64_t birth;      /* of an item, a definition or a plain file: the incarnation that is meant; 0 while pending */
	struct table *table; /* NODE_TABLE: a reference of its own */
	struct node_more *more; /* never NULL: where it has nothing of that, one of nothing, which cannot be written */
};

/* What most nodes never have, as the kernel remembers names by millions that it was only told of: node_more() gives it. Items, plain files,
 * partitions, index keys, entries and results get it when they are opened, created or buried, or get a pending name; all others are born with it. */
struct node_more {
	struct upload *upload;     /* NODE_IMPORT: a reference of its own; NULL until it was needed */
	struct snapshot *snapshot; /* NODE_SNAPSHOT: likewise, set by node_set_snapshot() before the kernel knows the node */
	int64_t told;              /* NODE_INDEX: when the filling began that `.itemfs/errors` tells of (refuse_unready) */
	struct listing_memo *memo; /* of a view: where its limits end; NULL until that is asked for */
	struct export_extent *extent; /* of an export file: what the last pass over it found, */
	uint64_t extent_sequence;     /* at which state of the volume; */
	struct export_stream *stream; /* and those that are open, the newest first */

	bool told_whole; /* of a directory: node_tell() */

	/* Items, definitions and plain files: */
	struct node *pendings; /* of a directory: its pending names */
	struct node *pending_next, **pending_back;
	struct meta fresh;     /* its metadata while it is pending; of a dead one: as it was */
	uint64_t pending_size; /* of its draft; of a dead one: as it was */
	int64_t appeared;      /* when it was created; of a directory: when the last pending name appeared in it */
	unsigned dirty;        /* of its writers, how many hold uncommitted bytes */
	unsigned opens;        /* handles */
	uint64_t times_tick;   /* when times were last set explicitly, in ticks (frontend's clock of operations); only while it is open */
	struct buf last;       /* of a dead one: its bytes, for those who have not read yet, */
	bool buried;           /* where they are known; of a directory: node_is_removed() */
	struct plain *plain;   /* the shared bytes while a plain file is open */
};

struct tree {
	pthread_mutex_t lock;
	pthread_cond_t decided; /* a node is not going any more */
	pthread_rwlock_t names;
	struct node *root;
	struct node **bucket;
	size_t buckets, count, bytes; /* bytes: what the nodes take, with their names */
	size_t crowd; /* the most that there were since memory was given back last */
	uint64_t serial;
};

enum rc tree_init(struct tree *tree);
void tree_free(struct tree *tree); /* and every node that is left */

/* The node of a node id. */
struct node *node_of(struct tree *tree, uint64_t id);
uint64_t node_id(const struct tree *tree, const struct node *node);

/* Finds the child or makes it, of this kind, which the caller has just seen to be so, and counts a lookup. `table` is for NODE_TABLE: a reference is
 * taken. A node that is taken for something else is killed: it is left of a listing that was older. NULL: no memory. */
struct node *node_get(struct tree *tree, struct node *parent, const char *name, enum node_kind kind, struct table *table);
/* The same for a name in a listing, which may be older than the tree: NULL, too, where the node is taken for something else. */
struct node *node_listed(struct tree *tree, struct node *parent, const char *name, enum node_kind kind, struct table *table);
/* Finds it; NULL where the kernel knows none. A hold. */
struct node *node_find(struct tree *tree, struct node *parent, const char *name);
/* So that node->more can be written; with tree.lock held. False: no memory. */
bool node_more(struct tree *tree, struct node *node);
void node_hold(struct tree *tree, struct node *node);
void node_release(struct tree *tree, struct node *node); /* takes a hold */
/* True: many nodes have gone since it said so last, and their memory can be given back. */
bool node_forget(struct tree *tree, struct node *node, uint64_t lookups);
/* A notice of it is queued (notify.h): until it has been sent the node's id is no other's. tree.lock may be held or not. */
void node_notice(struct node *node);
void node_noticed(struct tree *tree, struct node *node); /* takes that back */
size_t tree_bytes(const struct tree *tree); /* what all nodes take; with tree.lock held */

/* It was read that the name is this incarnation's. Others may have unlinked it since, and made the next: births grow, and a node that waits for its first commit has none. */
void node_born(struct tree *tree, struct node *node, uint64_t birth);

/* A directory is told where a listing told the kernel all its names with their attributes, and the kernel has not looked up, asked for, opened, changed
 * or forgotten one since. To tell them again would cost it and us as much as all else that a listing does. Where this is wrong for a name
 * that the kernel changes it asks, and no more comes of it; what an import changes takes it back, and so does a listing during which anything did. */
void node_tell(struct tree *tree, struct node *directory, bool whole);
bool node_is_told(struct tree *tree, const struct node *directory);
/* The kernel knows less of this node than it was told; with tree.lock held. */
void node_untell(struct node *node);

/* It is pending, or no more; among its parent's accordingly. With tree.lock held; to be pending, it and its parent need node_more(). */
void node_set_pending(struct node *node, bool pending);

/* A file is about to be unlinked. Until it is buried, or stays, nobody opens it any more, and who has it open and finds nothing of it in the volume waits as well (node_await()),
 * as only then its bytes are known. True: nobody has it open. */
bool node_go(struct tree *tree, struct node *node);
void node_stay(struct tree *tree, struct node *node); /* it could not be unlinked */
/* With tree.lock held, which is let go of meanwhile. */
void node_await(struct tree *tree, struct node *node);

/* It was unlinked: out of the tree. */
void node_kill(struct tree *tree, struct node *node);
void node_kill_locked(struct node *node); /* with tree.lock held */
/* The same, for a file that was stored, or a directory: what fstat and read show of it from here on. The document is taken (NULL: it is not known). False, and
 * nothing has happened: it is open, so the document has to be known. */
bool node_bury(struct tree *tree, struct node *node, const struct meta *meta, uint64_t size, struct buf *document);
/* A directory that was removed as such: empty, and what fstat shows of it is known. (One that was taken for something else is not: it may hold names.) */
bool node_is_removed(struct tree *tree, const struct node *directory);
/* It has another name, and maybe parent and kind; a node that had the name is killed. False: no memory (then nothing has changed). */
bool node_move(struct tree *tree, struct node *node, struct node *parent, const char *name, enum node_kind kind);

/* Two nodes exchange their names, parents and kinds. */
void node_swap(struct tree *tree, struct node *a, struct node *b);

/* What a NODE_SNAPSHOT stands for, where that is not known yet; takes a reference of its own. */
void node_set_snapshot(struct tree *tree, struct node *node, struct snapshot *snapshot);
/* The snapshot that the node is, or lies in; borrowed, NULL: the live volume. With tree.names held, or a hold on the node. */
struct snapshot *node_snapshot(const struct node *node);

/* Whether it lies in a snapshot that was dropped, and is there for those only who have something of it open. The same locks. */
bool node_is_dropped(const struct node *node);
/* Calls `fn` for each living node below this one, which the caller holds, in no order, with tree.lock held. It looks at all names that are known,
 * where there is any below. A list of children would spare that for 16 bytes of each name, which may be millions, and serve two things that are rare:
 * the end of a snapshot that somebody looked into, and another name for a partition. These look through a million names in some 0.2 s and 0.05 s. */
typedef void node_fn(void *context, struct node *node);
void node_each_below(struct tree *tree, const struct node *top, node_fn *fn, void *context);
/* The same for its children alone, and those that are dead as well. It looks no further than the last one. */
void node_each_child(struct tree *tree, const struct node *top, node_fn *fn, void *context);

/* st_ino, which is another thing than the node id: a hash of the names below a table and of the table's identity, the same in every mount; in a
 * snapshot, of its name as well, so that a copy of a file is another file, and the next snapshot of that name has the same numbers. Computed from the
 * names as they are, so that it follows the renaming of a directory. With tree.names held. */
uint64_t node_ino(const struct node *node);
uint64_t node_child_ino(uint64_t parent, const char *name); /* by the number of its directory; needs nothing held */
uint64_t node_table_ino(const struct node *parent, uint64_t identity);

#endif
