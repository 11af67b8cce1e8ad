/* import_name: requests about names in a table's `.import`: they are looked up, removed, and changed, which may import the file. See import_file.h. */
#include "fs/import_file.h"
#include "fs/import_node.h"
#include "fs/import_run.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include <stdlib.h>
#include <string.h>

void import_lookup(fuse_req_t req, struct node *directory, const char *name)
{
	struct frontend *front = front_of(req);
	struct fuse_entry_param entry = {.ino = 0};
	struct upload *upload = directory->dead ? NULL : upload_find(front, import_node_table(directory), name);
	struct node *node = upload ? import_node_get(front, directory, name, upload) : NULL;
	enum rc rc = !upload ? RC_NOT_FOUND : !node ? RC_NO_MEMORY : RC_OK;
	upload_unref(upload);
	if (!rc) {
		names_read(front);
		entry = (struct fuse_entry_param){.ino = node_id(&front->tree, node), .generation = node->serial};
		rc = import_node_stat(front, node, &entry.attr);
		names_done(front);
	}
	if (!rc && fuse_reply_entry(req, &entry) == 0)
		return;
	if (node)
		node_forget(&front->tree, node, 1);
	if (rc)
		reply_rc(req, rc);
}

void import_unlink(fuse_req_t req, struct node *directory, const char *name)
{
	struct frontend *front = front_of(req);
	struct upload *upload = directory->dead ? NULL : upload_find(front, import_node_table(directory), name);
	struct node *node = node_find(&front->tree, directory, name);
	if (upload)
		upload_unlist(front, upload, true);
	if (node) {
		if (upload) {
			node_kill(&front->tree, node);
			import_node_let_go(front, node, 0);
		}
		node_release(&front->tree, node);
	}
	reply_rc(req, upload ? RC_OK : RC_NOT_FOUND);
	upload_unref(upload);
}

/* The name says that it is to be imported: then it is, and no name stays. With upload.lock held. */
static enum rc import_as(fuse_req_t req, struct node *directory, struct upload *upload, const char *name, enum import_format format)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct import_options options = {.table = upload->table, .name = name, .format = format, .directory = volume_path(front->volume)};
	struct import *import, *before = upload->import;
	enum rc rc = import_new(&options, &import);
	if (rc)
		return rc;
	char *path = path_of(&front->tree, directory, name);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	struct import_run run = {upload, directory->parent, name, &actor, true, front->options.durable};
	enum rc refused = upload->refused;
	upload->import = import;
	rc = import_run(front, &run);
	if (upload_is_listed(front, upload)) { /* refused: it is what it was */
		upload->import = before;
		upload->refused = refused;
		before = import;
	}
	import_free(before);
	free(path);
	return rc;
}

/* With a scratch name it only has another name. */
static enum rc rename_scratch(struct frontend *front, struct node *directory, struct upload *upload, const char *name, const char *to_name)
{
	enum rc rc = RC_OK;
	names_write(front);
	struct node *node = node_find(&front->tree, directory, name);
	if (node && !node_move(&front->tree, node, directory, to_name, NODE_IMPORT))
		rc = RC_NO_MEMORY;
	if (!rc) {
		upload_rename(front, upload, to_name);
		import_free(upload->import);
		upload->import = NULL;
	}
	names_done(front);
	if (node)
		node_release(&front->tree, node);
	return rc;
}

static enum rc rename_upload(fuse_req_t req, struct node *directory, struct upload *upload, const char *name, const char *to_name, struct why *why)
{
	struct frontend *front = front_of(req);
	enum import_format format;
	bool scratch;
	enum rc rc = upload_name(to_name, &scratch, &format, why);
	if (!rc && upload->cut)
		rc = upload->refused;
	if (rc || strcmp(name, to_name) == 0)
		return rc;
	if (scratch)
		return rename_scratch(front, directory, upload, name, to_name);
	if (spool_size(upload->spool))
		rc = import_as(req, directory, upload, to_name, format);
	else
		upload_unlist(front, upload, true);
	struct upload *replaced = rc ? NULL : upload_find(front, upload->table, to_name);
	if (replaced)
		upload_unlist(front, replaced, false); /* who still writes it is told nothing, so it is imported, too */
	upload_unref(replaced);
	struct node *node = node_find(&front->tree, directory, name);
	if (node) {
		import_node_follow(front, node, upload);
		import_node_let_go(front, node, 0);
		node_release(&front->tree, node);
	}
	return rc;
}

void import_rename(fuse_req_t req, struct node *from, const char *name, struct node *to, const char *to_name, unsigned flags)
{
	struct frontend *front = front_of(req);
	struct why why = {.line = 0};
	if (from != to || flags & ~1u /* RENAME_NOREPLACE */) {
		reply_rc(req, from != to ? RC_CROSS : RC_INVALID); /* mv copies */
		return;
	}
	struct upload *upload = from->dead ? NULL : upload_find(front, import_node_table(from), name);
	struct upload *taken = upload && flags ? upload_find(front, import_node_table(from), to_name) : NULL;
	enum rc rc = !upload ? RC_NOT_FOUND : taken ? RC_EXISTS : upload->result ? RC_FORBIDDEN : RC_OK;
	if (!rc) {
		pthread_mutex_lock(&upload->lock);
		rc = rename_upload(req, from, upload, name, to_name, &why);
		pthread_mutex_unlock(&upload->lock);
	}
	refuse_request(req, to, to_name, rc, &why);
	upload_unref(taken);
	upload_unref(upload);
	reply_rc(req, rc);
}
