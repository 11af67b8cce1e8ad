/* xattr: user.itemfs.error, the last line of `.itemfs/errors` for a path, and for items .version, .key and .size. They can be read and are not listed, so
 * that copies carry nothing odd. There are no others: ENOTSUP to set one. With -o nouser_xattr there are none at all. */
#include "fs/place.h"
#include "fs/reply.h"
#include "index/refusals.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void reply_value(fuse_req_t req, const struct buf *value, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, value->len);
	else if (value->len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, (const char *)value->data, value->len);
}

static enum rc last_error(fuse_req_t req, struct node *node, struct buf *out)
{
	struct frontend *front = front_of(req);
	uid_t uid = fuse_req_ctx(req)->uid;
	/* What an operator refused has no node that could be asked: the operator answers for it. */
	char *path = path_of(&front->tree, node, node->kind == NODE_OPERATOR ? "" : NULL);
	enum rc rc = path ? refusals_last(front->volume, path, uid == 0 || uid == front->options.uid, uid, out) : RC_NO_MEMORY;
	free(path);
	return rc;
}

/* What itemfs says of an item beside its bytes. */
static enum rc of_item(struct frontend *front, struct node *node, const char *name, struct buf *out)
{
	struct place place;
	struct head head;
	enum rc rc = node->kind == NODE_ITEM || node->kind == NODE_RESULT ? place_of(front, node, &place) : RC_NOT_FOUND;
	if (!rc && node->kind == NODE_RESULT && place.subject != NODE_PARTITION)
		rc = RC_NOT_FOUND; /* an index's entry */
	if (!rc)
		rc = leaf_get(&place.leaf, NULL, &head, NULL);
	if (rc)
		return rc == RC_STALE ? RC_NOT_FOUND : rc;
	if (strcmp(name, "version") == 0)
		buf_printf(out, "%llu", (unsigned long long)head.version);
	else if (strcmp(name, "size") == 0)
		buf_printf(out, "%u", head.measure);
	else if (strcmp(name, "key") == 0)
		rc = leaf_key_json(&place.leaf, out);
	else
		rc = RC_NOT_FOUND;
	return rc ? rc : out->failed ? RC_NO_MEMORY : RC_OK;
}

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	static const char prefix[] = "user.itemfs.";
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	cleanup_buf struct buf value = {0};
	enum rc rc = RC_NOT_FOUND;
	if (front->options.no_xattr) {
		fuse_reply_err(req, ENOSYS); /* the kernel asks once and then no more, which it does before each O_TRUNC otherwise */
		return;
	}
	if (strncmp(name, "user.", 5) != 0) {
		fuse_reply_err(req, EOPNOTSUPP); /* security., system., trusted.: there are none, for ever */
		return;
	}
	names_read(front);
	if (strcmp(name, "user.itemfs.error") == 0)
		rc = last_error(req, node, &value);
	else if (strncmp(name, prefix, sizeof prefix - 1) == 0)
		rc = of_item(front, node, name + sizeof prefix - 1, &value);
	names_done(front);
	if (rc == RC_NOT_FOUND)
		fuse_reply_err(req, ENODATA);
	else if (rc)
		reply_rc(req, rc);
	else
		reply_value(req, &value, size);
}

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	(void)ino;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	fuse_reply_err(req, EOPNOTSUPP);
}

void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	(void)ino;
	if (size == 0)
		fuse_reply_xattr(req, 0);
	else
		fuse_reply_buf(req, NULL, 0);
}

void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	(void)name;
	fuse_reply_err(req, EOPNOTSUPP);
}
