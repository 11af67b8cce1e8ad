/* memfs: the limit. A FUSE filesystem in memory that does as little as one can: what is left of its time is what the kernel, libfuse and the
 * way between cost. Next to it, a filesystem's own work can be seen.
 *
 * It gives the kernel what itemfs gives it: names and attributes are kept for ever, absent names too; every file is direct_io; readers are not
 * flushed; as many threads. It has no extended attributes, which the kernel asks for once and then no more, so it is a little below what a filesystem that has some can reach.
 * One lock guards everything. Not a filesystem to keep things in: no permissions, no links, names up to 255 bytes, nothing survives it.
 *
 *   memfs [-f] [-s] [-l LOG] MOUNTPOINT          (-l: memfs_log.h)
 */
#include "tests/bench/memfs_log.h"
#include "tests/bench/memfs_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOR_EVER 1e6
enum { THREADS = 32 };

static void fill_stat(const struct node *node, struct stat *st)
{
	*st = (struct stat){.st_ino = tree_id(node), .st_mode = node->mode, .st_nlink = 1, .st_size = (off_t)node->size};
	st->st_blocks = (blkcnt_t)((node->size + 511) / 512);
	st->st_blksize = 4096;
	st->st_mtim = st->st_ctim = st->st_atim = node->mtime;
	st->st_uid = getuid();
	st->st_gid = getgid();
}

/* With the lock held; counts a lookup. */
static struct fuse_entry_param entry_of(struct node *node)
{
	struct fuse_entry_param entry = {.ino = tree_id(node), .attr_timeout = FOR_EVER, .entry_timeout = FOR_EVER};

	node->lookups++;
	fill_stat(node, &entry.attr);
	return entry;
}

static void fs_init(void *context, struct fuse_conn_info *connection)
{
	(void)context;
	connection->want |= connection->capable & FUSE_CAP_ATOMIC_O_TRUNC;
	connection->want |= connection->capable &
			    (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
	connection->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
	connection->time_gran = 1;
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.entry_timeout = FOR_EVER}; /* absent: remembered, too */
	struct node *node;

	pthread_mutex_lock(&tree.lock);
	node = tree_find(tree_node(parent), name);
	if (node)
		entry = entry_of(node);
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_entry(req, &entry);
}

static void forget(fuse_ino_t ino, uint64_t lookups)
{
	struct node *node = tree_node(ino);

	if (node == tree.root)
		return;
	pthread_mutex_lock(&tree.lock);
	node->lookups -= lookups;
	tree_free_unused(node);
	pthread_mutex_unlock(&tree.lock);
}

static void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget(ino, lookups);
	fuse_reply_none(req);
}

static void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	pthread_mutex_lock(&tree.lock);
	fill_stat(tree_node(ino), &st);
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_attr(req, &st, FOR_EVER);
}

static void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);
	struct stat st;

	(void)fi;
	pthread_mutex_lock(&tree.lock);
	if (which & FUSE_SET_ATTR_MODE)
		node->mode = (node->mode & S_IFMT) | (attr->st_mode & 07777);
	if (which & FUSE_SET_ATTR_MTIME)
		node->mtime = attr->st_mtim;
	if (which & FUSE_SET_ATTR_SIZE)
		tree_resize(node, (size_t)attr->st_size);
	fill_stat(node, &st);
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_attr(req, &st, FOR_EVER);
}

static void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param entry;
	struct node *node;

	pthread_mutex_lock(&tree.lock);
	node = tree_make(tree_node(parent), name, S_IFDIR | mode);
	if (node)
		entry = entry_of(node);
	pthread_mutex_unlock(&tree.lock);
	if (node)
		fuse_reply_entry(req, &entry);
	else
		fuse_reply_err(req, ENOMEM);
}

static void set_flags(struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
}

static void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_entry_param entry;
	struct node *node;

	pthread_mutex_lock(&tree.lock);
	node = tree_find(tree_node(parent), name);
	if (!node)
		node = tree_make(tree_node(parent), name, S_IFREG | mode);
	if (node) {
		entry = entry_of(node);
		node->opens++;
	}
	pthread_mutex_unlock(&tree.lock);
	set_flags(fi);
	if (node)
		fuse_reply_create(req, &entry, fi);
	else
		fuse_reply_err(req, ENOMEM);
}

static void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);

	pthread_mutex_lock(&tree.lock);
	node->opens++;
	if (fi->flags & O_TRUNC) {
		node->size = 0;
		node->dirty = true;
	}
	pthread_mutex_unlock(&tree.lock);
	set_flags(fi);
	fuse_reply_open(req, fi);
}

static void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);
	size_t at = (size_t)offset, n = 0;
	char *copy = malloc(size ? size : 1);

	(void)fi;
	if (!copy) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	pthread_mutex_lock(&tree.lock);
	if (at < node->size) {
		n = size < node->size - at ? size : node->size - at;
		memcpy(copy, node->bytes + at, n);
	}
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_buf(req, copy, n);
	free(copy);
}

static void fs_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);
	size_t end = (size_t)offset + size;
	bool fits;

	(void)fi;
	pthread_mutex_lock(&tree.lock);
	fits = end <= node->size || tree_resize(node, end);
	if (fits) {
		memcpy(node->bytes + offset, bytes, size);
		node->dirty = true;
		clock_gettime(CLOCK_REALTIME_COARSE, &node->mtime);
	}
	pthread_mutex_unlock(&tree.lock);
	if (fits)
		fuse_reply_write(req, size);
	else
		fuse_reply_err(req, ENOSPC);
}

static void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);

	(void)fi;
	pthread_mutex_lock(&tree.lock);
	if (node->dirty)
		memfs_log_keep(node->name, node->bytes, node->size);
	node->dirty = false;
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_err(req, 0);
}

static void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	pthread_mutex_lock(&tree.lock);
	tree_node(ino)->opens--;
	tree_free_unused(tree_node(ino));
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_err(req, 0);
}

static void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node *node;

	pthread_mutex_lock(&tree.lock);
	node = tree_find(tree_node(parent), name);
	if (node) {
		memfs_log_keep(name, NULL, 0);
		tree_detach(node);
		tree_free_unused(node);
	}
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_err(req, node ? 0 : ENOENT);
}

static void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct node *node;
	int error = ENOENT;

	pthread_mutex_lock(&tree.lock);
	node = tree_find(tree_node(parent), name);
	if (node)
		error = node->children ? ENOTEMPTY : 0;
	if (node && !error) {
		tree_detach(node);
		tree_free_unused(node);
	}
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_err(req, error);
}

static void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name,
		      unsigned flags)
{
	struct node *node, *target;
	int error = 0;

	pthread_mutex_lock(&tree.lock);
	node = tree_find(tree_node(parent), name);
	target = tree_find(tree_node(to), to_name);
	if (!node)
		error = ENOENT;
	else if (flags)
		error = EINVAL;
	if (!error && target && target != node) {
		tree_detach(target);
		tree_free_unused(target);
	}
	if (!error)
		memfs_log_keep(name, to_name, strlen(to_name));
	if (!error && !tree_move(node, tree_node(to), to_name))
		error = ENOMEM;
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_err(req, error);
}

/* A listing is made whole at opendir: children's ids, in the order they came. */
struct listing {
	size_t count;
	struct node *child[];
};

static void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *node = tree_node(ino);
	struct listing *listing;
	size_t at;

	pthread_mutex_lock(&tree.lock);
	listing = malloc(sizeof(*listing) + node->children * sizeof(struct node *));
	if (listing) {
		at = listing->count = node->children;
		for (struct node *child = node->first; child; child = child->next) {
			listing->child[--at] = child;
			child->opens++; /* it stays until the listing is closed */
		}
	}
	pthread_mutex_unlock(&tree.lock);
	fi->fh = (uintptr_t)listing;
	if (listing)
		fuse_reply_open(req, fi);
	else
		fuse_reply_err(req, ENOMEM);
}

static void fs_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = (struct listing *)(uintptr_t)fi->fh;

	(void)ino;
	pthread_mutex_lock(&tree.lock);
	for (size_t i = 0; i < listing->count; i++) {
		listing->child[i]->opens--;
		tree_free_unused(listing->child[i]);
	}
	pthread_mutex_unlock(&tree.lock);
	free(listing);
	fuse_reply_err(req, 0);
}

/* With the lock held. How many bytes the entry at `at` takes; it is added where that is at most `room`. */
static size_t add_entry(fuse_req_t req, const struct listing *listing, struct node *self, size_t at, char *out, size_t room, bool plus)
{
	struct node *node = at < 2 ? self : listing->child[at - 2];
	const char *name = at == 0 ? "." : at == 1 ? ".." : node->name;
	struct fuse_entry_param entry = {.attr_timeout = FOR_EVER, .entry_timeout = FOR_EVER};
	size_t n;

	fill_stat(node, &entry.attr);
	if (!plus)
		return fuse_add_direntry(req, out, room, name, &entry.attr, (off_t)at + 1);
	entry.ino = at < 2 ? 0 : tree_id(node);
	n = fuse_add_direntry_plus(req, out, room, name, &entry, (off_t)at + 1);
	if (n <= room && at >= 2)
		node->lookups++;
	return n;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi, bool plus)
{
	const struct listing *listing = (const struct listing *)(uintptr_t)fi->fh;
	char *out = malloc(size);
	size_t used = 0;

	if (!out) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	pthread_mutex_lock(&tree.lock);
	for (size_t at = (size_t)offset; at < listing->count + 2; at++) {
		size_t n = 0;

		if (at < 2 || listing->child[at - 2]->linked) {
			n = add_entry(req, listing, tree_node(ino), at, out + used, size - used, plus);
			if (n > size - used)
				break;
		}
		used += n;
	}
	pthread_mutex_unlock(&tree.lock);
	fuse_reply_buf(req, out, used);
	free(out);
}

static void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	list(req, ino, size, offset, fi, false);
}

static void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	list(req, ino, size, offset, fi, true);
}

static const struct fuse_lowlevel_ops operations = {
    .init = fs_init,
    .lookup = fs_lookup,
    .forget = fs_forget,
    .forget_multi = fs_forget_multi,
    .getattr = fs_getattr,
    .setattr = fs_setattr,
    .mkdir = fs_mkdir,
    .create = fs_create,
    .open = fs_open,
    .read = fs_read,
    .write = fs_write,
    .flush = fs_flush,
    .release = fs_release,
    .unlink = fs_unlink,
    .rmdir = fs_rmdir,
    .rename = fs_rename,
    .opendir = fs_opendir,
    .readdir = fs_readdir,
    .readdirplus = fs_readdirplus,
    .releasedir = fs_releasedir,
};

static int serve(struct fuse_session *session, bool one_thread)
{
	struct fuse_loop_config *config;
	int result;

	if (one_thread)
		return fuse_session_loop(session);
	config = fuse_loop_cfg_create();
	fuse_loop_cfg_set_max_threads(config, THREADS);
	result = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return result;
}

/* Takes -l LOG out of the arguments. */
static bool open_log(struct fuse_args *args)
{
	static const struct fuse_opt known[] = {{"-l %s", 0, 0}, FUSE_OPT_END};
	char *path = NULL;
	bool open = fuse_opt_parse(args, &path, known, NULL) == 0 && (!path || memfs_log_open(path));

	free(path);
	return open;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts options;
	struct fuse_session *session;
	int result = 1;

	if (!tree_begin() || !open_log(&args) || fuse_parse_cmdline(&args, &options) != 0 || !options.mountpoint) {
		fprintf(stderr, "usage: memfs [-f] [-s] [-l LOG] MOUNTPOINT\n");
		return 2;
	}
	session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (!session || fuse_session_mount(session, options.mountpoint) != 0)
		return 1;
	fuse_daemonize(options.foreground);
	if (fuse_set_signal_handlers(session) == 0)
		result = serve(session, options.singlethread) != 0;
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	free(options.mountpoint);
	return result;
}
