/* reply: see reply.h. */
#include "fs/reply.h"
#include "fs/import_node.h"
#include "fs/computed.h"
#include "fs/export_file.h"
#include "fs/place.h"
#include "fs/plain.h"
#include "fs/query_path.h"
#include "index/definition.h"
#include "index/listing.h"
#include "index/partition.h"
#include "index/refusals.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const double FOR_EVER = 1e6, A_MOMENT = 0.01; /* seconds */

static const struct {
	int number;
	const char *name;
} errnos[] = {
    [RC_OK] = {0, "OK"},
    [RC_NOT_FOUND] = {ENOENT, "ENOENT"},
    [RC_EXISTS] = {EEXIST, "EEXIST"},
    [RC_NOT_EMPTY] = {ENOTEMPTY, "ENOTEMPTY"},
    [RC_INVALID] = {EINVAL, "EINVAL"},
    [RC_REFUSED] = {EBADMSG, "EBADMSG"},
    [RC_UNFINISHED] = {EBADMSG, "EBADMSG"},
    [RC_TOO_BIG] = {EFBIG, "EFBIG"},
    [RC_NAME_TOO_LONG] = {ENAMETOOLONG, "ENAMETOOLONG"},
    [RC_NOT_UTF8] = {EILSEQ, "EILSEQ"},
    [RC_READ_ONLY] = {EROFS, "EROFS"},
    [RC_FORBIDDEN] = {EPERM, "EPERM"},
    [RC_BUSY] = {EBUSY, "EBUSY"},
    [RC_AGAIN] = {EAGAIN, "EAGAIN"},
    [RC_INTERRUPTED] = {EINTR, "EINTR"},
    [RC_CROSS] = {EXDEV, "EXDEV"},
    [RC_TOO_MANY] = {EMLINK, "EMLINK"},
    [RC_STALE] = {ESTALE, "ESTALE"},
    [RC_UNSUPPORTED] = {EOPNOTSUPP, "EOPNOTSUPP"},
    [RC_NO_SPACE] = {ENOSPC, "ENOSPC"},
    [RC_NO_MEMORY] = {ENOMEM, "ENOMEM"},
    [RC_IO] = {EIO, "EIO"},
    [RC_CORRUPT] = {EIO, "EIO"},
};

int reply_errno(enum rc rc)
{
	return (size_t)rc < sizeof errnos / sizeof *errnos ? errnos[rc].number : EIO;
}

const char *reply_errno_name(enum rc rc)
{
	return (size_t)rc < sizeof errnos / sizeof *errnos ? errnos[rc].name : "EIO";
}

void reply_rc(fuse_req_t req, enum rc rc)
{
	fuse_reply_err(req, reply_errno(rc));
}

double reply_keep(enum node_kind kind)
{
	switch (kind) {
	case NODE_ROOT:
	case NODE_SNAPSHOT:
	case NODE_TABLE:
	case NODE_DEFINITION:
	case NODE_PARTITION:
	case NODE_ITEM:
	case NODE_PLAIN:
		return FOR_EVER;
	default:
		return 0;
	}
}

double reply_keep_found(enum node_kind kind)
{
	return kind == NODE_OPERATOR || kind == NODE_VIEW ? A_MOMENT : reply_keep(kind);
}

static struct timespec time_of(int64_t ns)
{
	int64_t seconds = ns / 1000000000, rest = ns % 1000000000;
	if (rest < 0) { /* before 1970 */
		rest += 1000000000;
		seconds--;
	}
	return (struct timespec){seconds, rest};
}

static void stat_meta(struct stat *st, uint64_t ino, const struct meta *meta, mode_t type)
{
	*st = (struct stat){.st_ino = ino, .st_mode = type | meta->mode, .st_nlink = 1, .st_blksize = 4096};
	st->st_uid = meta->uid;
	st->st_gid = meta->gid;
	st->st_atim = time_of(meta->atime);
	st->st_mtim = time_of(meta->mtime);
	st->st_ctim = time_of(meta->ctime);
}

void stat_size(struct stat *st, uint64_t size)
{
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + 511) / 512);
}

void stat_file(struct stat *st, uint64_t ino, const struct meta *meta, uint64_t size)
{
	stat_meta(st, ino, meta, S_IFREG);
	stat_size(st, size);
}

void stat_directory(struct stat *st, uint64_t ino, const struct meta *meta)
{
	stat_meta(st, ino, meta, S_IFDIR);
}

/* What is computed belongs to whoever mounted, since the mount. */
static struct meta computed(const struct frontend *front, uint32_t mode)
{
	return (struct meta){mode, front->options.uid, front->options.gid, front->mounted, front->mounted, front->mounted};
}

/* A pending name's coming is told before it is stored. */
static void appear(struct frontend *front, struct node *node, struct meta *meta)
{
	pthread_mutex_lock(&front->tree.lock);
	if (node->more->appeared > meta->ctime)
		meta->mtime = meta->ctime = node->more->appeared;
	pthread_mutex_unlock(&front->tree.lock);
}

static enum rc stat_leaf(struct frontend *front, struct node *node, struct place *place, struct stat *st)
{
	struct head head;
	bool pending;
	/* Held from before the volume is read: its last close, which stores it, may come meanwhile. */
	struct plain *plain = node->kind == NODE_PLAIN ? plain_watch(front, node) : NULL;
	pthread_mutex_lock(&front->tree.lock);
	pending = node->pending;
	head = (struct head){.meta = node->more->fresh, .size = (uint32_t)node->more->pending_size};
	pthread_mutex_unlock(&front->tree.lock);
	enum rc rc = RC_OK;
	if (!pending && place->unresolved)
		rc = place_of(front, node, place); /* its first commit has come since it was looked for: now its key is known */
	if (!pending && !rc)
		rc = node->kind == NODE_DEFINITION ? definition_get(place->table, NULL, &head, NULL)
						   : leaf_get(&place->leaf, NULL, &head, NULL);
	if (!rc)
		stat_file(st, node_ino(node), &head.meta, head.size);
	struct stat unused = {.st_ino = 0};
	plain_overlay(front, node, plain, rc ? &unused : st);
	return rc;
}

enum rc reply_errors_size(struct frontend *front, uint32_t uid, struct stat *st)
{
	cleanup_buf struct buf lines = {0};
	enum rc rc = refusals_lines(front->volume, uid == front->options.uid || uid == 0, uid, NULL, &lines);
	if (!rc)
		stat_size(st, lines.len);
	return rc;
}

static enum rc stat_view(struct frontend *front, struct node *node, const struct place *place, struct stat *st)
{
	struct table_counters counters;
	struct head head;
	struct meta meta = computed(front, 0555);
	enum rc rc = RC_OK;
	if (place->table) {
		rc = table_stat(place->table, NULL, &counters);
		if (rc)
			return rc;
		meta = counters.meta;
	}
	if (computed_is(node->kind))
		return computed_stat(front, node, place, &meta, st);
	meta.mode = 0555;
	switch ((enum node_kind)node->kind) {
	case NODE_IMPORTS:
		meta.mode = 0700; /* an import writes wherever it likes in the table, so it is its owner's */
		break;
	case NODE_INDEX_KEY:
		rc = listing_has_index_key(place->table, NULL, place->index, &place->keys[0]);
		break;
	case NODE_ENTRY:
		rc = listing_get_entry(place->table, NULL, place->index, place->keys, place->key_count, &head, NULL);
		if (rc)
			return rc;
		head.meta.uid = meta.uid;
		head.meta.gid = meta.gid;
		stat_file(st, node_ino(node), &head.meta, head.size);
		return RC_OK;
	case NODE_DRAFT:
		rc = refusals_get(front->volume, NULL, place->id, &head, NULL);
		if (!rc)
			stat_file(st, node_ino(node), &head.meta, head.size);
		return rc;
	case NODE_ERRORS:
		meta.mode = 0444;
		if (refusals_changed(front->volume))
			meta.mtime = meta.ctime = refusals_changed(front->volume);
		stat_file(st, node_ino(node), &meta, 0);
		return reply_errors_size(front, front->options.uid, st);
	case NODE_SNAPSHOTS:
		meta.mode = 0755; /* taking one is for whoever mounted */
		break;
	case NODE_REJECTED:
		meta.mode = 01777; /* everybody may remove what is theirs */
		break;
	default:
		break;
	}
	if (!rc)
		stat_directory(st, node_ino(node), &meta);
	return rc;
}

/* A file that was unlinked or replaced, and is open, or a directory that somebody stands in: as it was then. */
static bool stat_dead(struct frontend *front, struct node *node, struct stat *st, double *ret_keep)
{
	pthread_mutex_lock(&front->tree.lock);
	node_await(&front->tree, node);
	bool file = node->dead && (node->kind == NODE_ITEM || node->kind == NODE_PLAIN || node->kind == NODE_DEFINITION || node->kind == NODE_DRAFT);
	bool directory = node->dead && (node->kind == NODE_TABLE || node->kind == NODE_PARTITION) && node->more->buried;
	struct meta meta = node->more->fresh;
	uint64_t size = node->more->pending_size;
	pthread_mutex_unlock(&front->tree.lock);
	if (!file && !directory)
		return false;
	if (directory)
		stat_directory(st, node_ino(node), &meta);
	else
		stat_file(st, node_ino(node), &meta, size);
	if (node->kind == NODE_PLAIN)
		plain_overlay(front, node, plain_watch(front, node), st);
	st->st_nlink = 0;
	*ret_keep = 0;
	return true;
}

enum rc reply_stat(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep)
{
	struct place place;
	struct table_counters counters;
	struct partition_record record;
	struct meta meta;
	if (node->kind == NODE_IMPORT) {
		*ret_keep = 0;
		return import_node_stat(front, node, ret_stat);
	}
	enum rc rc = place_of(front, node, &place);
	if (rc == RC_STALE && stat_dead(front, node, ret_stat, ret_keep))
		return RC_OK;
	if (rc)
		return rc;
	pthread_mutex_lock(&front->tree.lock);
	*ret_keep = node->writers ? 0 : reply_keep_found(node->kind);
	pthread_mutex_unlock(&front->tree.lock);
	switch ((enum node_kind)node->kind) {
	case NODE_ROOT:
	case NODE_SNAPSHOT:
		rc = volume_root(front->volume, snapshot_view(node->more->snapshot), &meta);
		break;
	case NODE_TABLE:
		rc = table_stat(place.table, NULL, &counters);
		meta = counters.meta;
		break;
	case NODE_PARTITION:
		rc = partition_get(place.table, NULL, &place.leaf.pk, &record);
		meta = record.meta;
		break;
	case NODE_DEFINITION:
	case NODE_ITEM:
	case NODE_PLAIN:
		rc = stat_leaf(front, node, &place, ret_stat);
		return (rc == RC_NOT_FOUND || rc == RC_STALE) && stat_dead(front, node, ret_stat, ret_keep) ? RC_OK : rc; /* it went in this moment */
	case NODE_OPERATOR:
	case NODE_VIEW:
	case NODE_RESULT:
		return query_path_stat(node, &place, ret_stat);
	case NODE_EXPORT:
	case NODE_EXPORT_FILE:
		return export_file_stat(front, node, ret_stat);
	default:
		return stat_view(front, node, &place, ret_stat);
	}
	if (rc)
		return rc;
	appear(front, node, &meta);
	stat_directory(ret_stat, node_ino(node), &meta);
	return RC_OK;
}

enum rc reply_stat_fresh(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep)
{
	pthread_mutex_lock(&front->tree.lock);
	bool waits = node->kind == NODE_ITEM && node->pending && !node->dead;
	bool written = node->writers;
	struct meta meta = node->more->fresh;
	uint64_t size = node->more->pending_size;
	pthread_mutex_unlock(&front->tree.lock);
	if (!waits)
		return reply_stat(front, node, ret_stat, ret_keep);
	*ret_keep = written ? 0 : reply_keep_found(node->kind);
	stat_file(ret_stat, node_ino(node), &meta, size);
	return RC_OK;
}

enum rc reply_stat_read(struct frontend *front, struct node *node, const struct head *head, uint64_t sequence, struct stat *ret_stat, double *ret_keep)
{
	pthread_mutex_lock(&front->tree.lock);
	bool stored = node->kind == NODE_ITEM && !node->pending && !node->dead;
	bool written = node->writers;
	pthread_mutex_unlock(&front->tree.lock);
	/* In this order: who wrote to it and was done before the look at `writers` has committed before the look at the sequence. */
	if (!stored || !volume_stands(front->volume, sequence))
		return reply_stat(front, node, ret_stat, ret_keep);
	*ret_keep = written ? 0 : reply_keep_found(node->kind);
	stat_file(ret_stat, node_ino(node), &head->meta, head->size);
	return RC_OK;
}

enum rc reply_stat_known(struct frontend *front, struct node *node, struct stat *ret_stat, double *ret_keep)
{
	struct place place;
	struct table_counters counters;
	enum rc rc = reply_stat(front, node, ret_stat, ret_keep);
	if (rc != RC_NOT_FOUND || node->kind != NODE_PARTITION)
		return rc;
	rc = place_of(front, node, &place);
	if (!rc)
		rc = table_stat(place.table, NULL, &counters);
	if (rc)
		return rc;
	counters.meta.mode = 0755;
	*ret_keep = 0;
	stat_directory(ret_stat, node_ino(node), &counters.meta);
	return RC_OK;
}

enum rc reply_owners_alone(struct table *table, struct stat *st)
{
	struct table_counters counters;
	enum rc rc = table_stat(table, NULL, &counters);
	if (rc)
		return rc;
	st->st_uid = counters.meta.uid;
	st->st_gid = counters.meta.gid;
	st->st_mode = S_ISDIR(st->st_mode) ? S_IFDIR | 0500 : S_IFREG | 0400;
	return RC_OK;
}

struct meta reply_new_meta_in(const struct meta *directory, mode_t mode, const struct fuse_ctx *ctx)
{
	int64_t now = clock_now();
	struct meta meta = {mode & 07777, ctx->uid, ctx->gid, now, now, now};
	if (!directory || !(directory->mode & S_ISGID))
		return meta;
	meta.gid = directory->gid;
	if (S_ISDIR(mode))
		meta.mode |= S_ISGID;
	return meta;
}

struct meta reply_new_meta(struct frontend *front, struct node *parent, mode_t mode, const struct fuse_ctx *ctx)
{
	struct stat st;
	double keep;
	if (reply_stat(front, parent, &st, &keep))
		return reply_new_meta_in(NULL, mode, ctx);
	struct meta directory = {.mode = st.st_mode & 07777, .gid = st.st_gid};
	return reply_new_meta_in(&directory, mode, ctx);
}

/* Both under tree->lock, where names cannot change: how long a node's path is with the slash behind it, and writing it before `end`. */
static size_t path_length(const struct node *node)
{
	size_t length = 0;
	for (; node->parent; node = node->parent)
		length += strlen(node->name) + 1;
	return length;
}

static void write_path(const struct node *node, char *end)
{
	for (; node->parent; node = node->parent) {
		size_t n = strlen(node->name);
		*--end = '/';
		end -= n;
		memcpy(end, node->name, n);
	}
}

char *path_of(struct tree *tree, const struct node *node, const char *name)
{
	size_t n = name ? strlen(name) : 0;
	pthread_mutex_lock(&tree->lock);
	size_t above = path_length(node);
	char *path = malloc(above + n + 1);
	if (path)
		write_path(node, path + above);
	pthread_mutex_unlock(&tree->lock);
	if (!path)
		return NULL;
	if (name)
		memcpy(path + above, name, n);
	else if (above)
		above--;
	path[above + n] = 0;
	return path;
}
