/* import_node: see import_node.h. */
#include "fs/import_node.h"
#include "fs/reply.h"

struct table *import_node_table(const struct node *directory)
{
	return directory->parent->table;
}

struct upload *import_node_upload(struct frontend *front, struct node *node)
{
	struct upload *found = NULL, *upload;
	pthread_mutex_lock(&front->tree.lock);
	if (!node->more->upload && !node->dead) { /* readdirplus made the node */
		pthread_mutex_unlock(&front->tree.lock);
		found = upload_find(front, import_node_table(node->parent), node->name);
		pthread_mutex_lock(&front->tree.lock);
	}
	if (!node->more->upload && found) {
		node->more->upload = found;
		found = NULL;
	}
	upload = node->more->upload ? upload_ref(node->more->upload) : NULL;
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(found);
	return upload;
}

void import_node_set(struct frontend *front, struct node *node, struct upload *upload)
{
	pthread_mutex_lock(&front->tree.lock);
	struct upload *old = node->more->upload;
	node->more->upload = upload_ref(upload);
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(old);
}

struct node *import_node_get(struct frontend *front, struct node *directory, const char *name, struct upload *upload)
{
	struct node *node = node_get(&front->tree, directory, name, NODE_IMPORT, NULL);
	if (node)
		import_node_set(front, node, upload);
	return node;
}

void import_node_let_go(struct frontend *front, struct node *node, unsigned opens)
{
	struct upload *upload = NULL;
	pthread_mutex_lock(&front->tree.lock);
	if (node->dead && node->more->opens <= opens) {
		upload = node->more->upload;
		node->more->upload = NULL;
	}
	pthread_mutex_unlock(&front->tree.lock);
	upload_unref(upload);
}

void import_node_follow(struct frontend *front, struct node *node, const struct upload *upload)
{
	if (!upload_is_listed(front, upload))
		node_kill(&front->tree, node);
}

enum rc import_node_stat(struct frontend *front, struct node *node, struct stat *st)
{
	struct upload *upload = import_node_upload(front, node);
	if (!upload)
		return RC_NOT_FOUND;
	pthread_mutex_lock(&front->uploads_lock);
	struct meta meta = upload->meta;
	pthread_mutex_unlock(&front->uploads_lock);
	stat_file(st, node_ino(node), &meta, spool_size(upload->spool));
	upload_unref(upload);
	return RC_OK;
}
