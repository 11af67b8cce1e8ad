/* dir: the requests for listings (dir_stream.h): the cookie is the position. */
#include "fs/computed.h"
#include "fs/dir_stream.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"

enum { WORTH_TELLING = 16 }; /* names: that a directory was told takes memory, and saves little where there are few */
enum { REPLY_ROOM = 32768 }; /* what readdir(3) asks for at a time */

static struct dir_stream *stream_of(const struct fuse_file_info *fi)
{
	return (struct dir_stream *)(uintptr_t)fi->fh;
}

void dir_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	struct node *node = front_node(front, ino);
	struct dir_stream *s = NULL;
	enum rc rc = dir_stream_open(front, node, &s);
	if (rc == RC_AGAIN)
		refuse_unready(req, node);
	fi->fh = (uintptr_t)s;
	if (rc)
		reply_rc(req, rc);
	else if (fuse_reply_open(req, fi))
		dir_stream_close(front, s);
}

void dir_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	dir_stream_close(front_of(req), stream_of(fi));
	fuse_reply_err(req, 0);
}

static bool dots(const struct dir_entry *entry)
{
	return entry->kind == NODE_ROOT;
}

/* Told without its node, even where attributes are asked for: a table that is gone since, a snapshot, whose node its lookup alone makes, and what the
 * kernel may not keep (a query's results, entries of indexes): it looks that up before it uses it, whatever it was told. */
static bool is_bare(const struct dir_entry *entry)
{
	return dots(entry) || entry->kind == NODE_SNAPSHOT || (entry->kind == NODE_TABLE && !entry->table) || reply_keep_found(entry->kind) == 0;
}

static mode_t type_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_DEFINITION:
	case NODE_ITEM:
	case NODE_PLAIN:
	case NODE_ENTRY:
	case NODE_RESULT:
	case NODE_EXPORT_FILE:
	case NODE_ERRORS:
	case NODE_DRAFT:
	case NODE_IMPORT:
		return S_IFREG;
	default:
		return computed_is(kind) ? S_IFREG : S_IFDIR;
	}
}

static size_t put(fuse_req_t req, const struct dir_stream *s, const struct dir_entry *entry, char *at, size_t room)
{
	struct stat st = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)};
	return fuse_add_direntry(req, at, room, entry->name, &st, (off_t)s->position);
}

/* Whether an item's attributes are what the listing said: nothing was committed since, and nobody writes to it. */
static bool as_listed(struct frontend *front, const struct dir_stream *s, const struct dir_entry *entry, const struct node *node)
{
	if (!entry->listed || !view_is_current(s->view))
		return false;
	pthread_mutex_lock(&front->tree.lock);
	bool quiet = node->kind == NODE_ITEM && !node->writers && !node->pending && !node->dead;
	pthread_mutex_unlock(&front->tree.lock);
	return quiet;
}

/* What readdirplus tells is what is so now, not what was so in the listing's view: the kernel keeps it. */
static bool fill_plus(struct frontend *front, const struct dir_stream *s, const struct dir_entry *entry, struct node *node, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = node_id(&front->tree, node), .generation = node->serial};
	ret->entry_timeout = reply_keep_found(entry->kind);
	if (as_listed(front, s, entry, node)) {
		stat_file(&ret->attr, entry->ino, &entry->meta, entry->size);
		ret->attr_timeout = reply_keep(entry->kind);
		return true;
	}
	names_read(front);
	enum rc rc = reply_stat(front, node, &ret->attr, &ret->attr_timeout);
	names_done(front);
	return rc == RC_OK;
}

static size_t put_plus(fuse_req_t req, struct dir_stream *s, const struct dir_entry *entry, char *at, size_t room)
{
	struct frontend *front = front_of(req);
	struct fuse_entry_param plus = {.attr = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)}};
	size_t need = fuse_add_direntry_plus(req, NULL, 0, entry->name, &plus, 0);
	if (need > room)
		return need;
	if (!s->bare && !is_bare(entry)) {
		struct node *node = node_listed(&front->tree, s->node, entry->name, entry->kind, entry->table);
		if (node && !fill_plus(front, s, entry, node, &plus)) {
			/* Gone since the view was pinned: a plain entry, that the kernel looks up when it needs it. */
			node_forget(&front->tree, node, 1);
			plus = (struct fuse_entry_param){.attr = {.st_ino = entry->ino, .st_mode = type_of(entry->kind)}};
		}
	}
	s->tells &= dots(entry) || plus.attr_timeout > 0;
	return fuse_add_direntry_plus(req, at, room, entry->name, &plus, (off_t)s->position);
}

/* Whether entries go without their nodes where these are asked for: what the kernel knows already, and of a snapshot that was dropped, as it is to
 * remember no more names of it than it has. */
static bool goes_bare(struct frontend *front, const struct dir_stream *s)
{
	names_read(front);
	bool dropped = node_is_dropped(s->node);
	names_done(front);
	return dropped || node_is_told(&front->tree, s->node);
}

/* The kernel asks for attributes with the first names of a directory, and goes on with names alone where it needed none of those. */
static void begin_telling(struct frontend *front, struct dir_stream *s, off_t offset, bool plus)
{
	s->bare = plus && goes_bare(front, s);
	s->tells = plus && !s->bare && (offset == 0 || s->tells);
}

static void read_entries(fuse_req_t req, size_t size, off_t offset, struct fuse_file_info *fi, bool plus)
{
	struct frontend *front = front_of(req);
	struct dir_stream *s = stream_of(fi);
	size_t used = 0;
	struct dir_entry entry;
	char out[REPLY_ROOM]; /* may be less than was asked for */
	size = size < sizeof out ? size : sizeof out;
	pthread_mutex_lock(&s->lock);
	begin_telling(front, s, offset, plus);
	enum rc rc = offset < 0 ? RC_INVALID : dir_stream_seek(front, s, (uint64_t)offset);
	while (!rc && !(rc = dir_stream_next(front, s, &entry))) {
		size_t n = plus ? put_plus(req, s, &entry, out + used, size - used) : put(req, s, &entry, out + used, size - used);
		table_unref(entry.table);
		if (n > size - used) {
			rc = dir_stream_back(s);
			break;
		}
		used += n;
	}
	if (rc == RC_NOT_FOUND && s->tells && s->position >= WORTH_TELLING) {
		node_tell(&front->tree, s->node, true);
		/* What an import has changed meanwhile the kernel may get to know as it was: the next listing says it. What one changes from here on it takes back itself. */
		if (!s->view || !view_is_current(s->view))
			node_tell(&front->tree, s->node, false);
	}
	pthread_mutex_unlock(&s->lock);
	if (rc && rc != RC_NOT_FOUND && !used)
		reply_rc(req, rc);
	else
		fuse_reply_buf(req, out, used);
}

void dir_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, offset, fi, false);
}

void dir_readplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, offset, fi, true);
}

void dir_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct frontend *front = front_of(req);
	(void)datasync;
	(void)fi;
	names_read(front);
	plain_settle(front, front_node(front, ino));
	names_done(front);
	reply_rc(req, volume_sync(front->volume));
}
