/* import_node: the nodes of files in a table's `.import`, and the uploads that they stand for (upload.h).
 *
 * A node finds its upload by name once, and then keeps it: it stays that file when it is renamed, and when another takes its name. Once the name is
 * gone it lets the upload go with the last handle, as the kernel may remember the node for long after that.
 */
#ifndef ITEMFS_IMPORT_NODE_H
#define ITEMFS_IMPORT_NODE_H

#include "fs/handle.h"
#include "fs/upload.h"

/* Of an `.import` directory. */
struct table *import_node_table(const struct node *directory);

/* The upload that a node stands for, with a reference. NULL: its name is gone, and nobody had it open. */
struct upload *import_node_upload(struct frontend *front, struct node *node);
/* It stands for another from now on. */
void import_node_set(struct frontend *front, struct node *node, struct upload *upload);
/* The node of an upload's name, with a lookup more. NULL: no memory. */
struct node *import_node_get(struct frontend *front, struct node *directory, const char *name, struct upload *upload);

/* Where its name is gone and nobody has it open, it stands for nothing any more. `opens`: handles that may be left, the caller's own. */
void import_node_let_go(struct frontend *front, struct node *node, unsigned opens);
/* Its name went with what was done to the upload: whoever looks it up again finds no more. */
void import_node_follow(struct frontend *front, struct node *node, const struct upload *upload);

/* RC_NOT_FOUND. With the names held. */
enum rc import_node_stat(struct frontend *front, struct node *node, struct stat *st);

#endif
