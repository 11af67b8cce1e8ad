/* xattr: user.itemfs.error, the last line of `.itemfs/errors` for a path, can be read and is not listed, so that copies carry nothing odd. There are no others: ENOTSUP to
 * set one. */
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

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct frontend *front = front_of(req);
	uid_t uid = fuse_req_ctx(req)->uid;
	cleanup_buf struct buf value = {0};
	if (strcmp(name, "user.itemfs.error") != 0) {
		fuse_reply_err(req, strncmp(name, "user.", 5) == 0 ? ENODATA : EOPNOTSUPP);
		return;
	}
	char *path = path_of(&front->tree, front_node(front, ino), NULL);
	enum rc rc = path ? refusals_last(front->volume, path, uid == 0 || uid == front->options.uid, uid, &value) : RC_NO_MEMORY;
	free(path);
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
