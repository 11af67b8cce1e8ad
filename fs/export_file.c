/* export_file: see export_file.h.
 *
 * Locks: a stream's own lock is taken before the names and before tree.lock. tree.lock guards what hangs on the node: the last pass's finding, and the streams that are open.
 */
#include "fs/export_file.h"
#include "fs/place.h"
#include "fs/query_path.h"
#include "fs/reply.h"
#include <stdlib.h>
#include <string.h>

const char *const export_file_names[EXPORT_FORMATS] = {
    [EXPORT_JSONL] = "items.jsonl",
    [EXPORT_JSON] = "items.json",
    [EXPORT_CSV] = "items.csv",
};

struct export_stream {
	struct node *node;
	struct export_stream *next, **back; /* under tree.lock: those of one file that are open, the newest first */
	unsigned refs;                      /* the same: the handle's, and those of requests that ask for its size */
	pthread_mutex_t lock;
	struct view *view;
	struct query *query;
	struct export *export;
	uint64_t sequence; /* export_sequence() */
	struct export_extent *extent; /* once it was measured */
	struct buf window;            /* bytes from `at` on */
	uint64_t at;
	bool whole; /* the window is all of it */
};

static bool format_of(const char *name, enum export_format *ret_format)
{
	for (enum export_format format = EXPORT_JSONL; format < EXPORT_FORMATS; format++)
		if (strcmp(name, export_file_names[format]) == 0) {
			*ret_format = format;
			return true;
		}
	return false;
}

bool export_file_is(const struct node *parent, const char *name)
{
	enum export_format format;
	switch ((enum node_kind)parent->kind) {
	case NODE_TABLE:
	case NODE_PARTITION:
	case NODE_INDEX:
	case NODE_INDEX_KEY:
	case NODE_VIEW:
		return strcmp(name, ".export") == 0;
	case NODE_EXPORT:
		return format_of(name, &format);
	default:
		return false;
	}
}

/* ---- a stream's life ---- */

static void stream_free(struct export_stream *s)
{
	export_close(s->export);
	export_extent_unref(s->extent);
	query_free(s->query);
	view_close(s->view);
	buf_free(&s->window);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* What the directory lists, down to the items or entries in it. */
static enum rc open_export(struct frontend *front, struct node *node, struct export_stream *s)
{
	struct place place;
	struct listing_place where;
	enum export_format format;
	if (!format_of(node->name, &format))
		return RC_NOT_FOUND;
	enum rc rc = query_path_listing(front, node->parent->parent, &place, &s->query, &where);
	if (!rc)
		rc = view_open(front->volume, &s->view);
	if (rc)
		return rc;
	if (where.kind == LISTING_PARTITIONS)
		where.kind = LISTING_ITEMS;
	else if (where.kind == LISTING_INDEX_KEYS)
		where.kind = LISTING_ENTRIES;
	rc = export_open(front->volume, s->view, &where, format, &s->export);
	if (!rc)
		s->sequence = export_sequence(s->export);
	return rc;
}

/* One that nobody knows of. With the names held. */
static enum rc stream_new(struct frontend *front, struct node *node, struct export_stream **ret_stream)
{
	struct export_stream *s = calloc(1, sizeof *s);
	if (!s)
		return RC_NO_MEMORY;
	s->node = node;
	s->refs = 1;
	pthread_mutex_init(&s->lock, NULL);
	enum rc rc = node->dead ? RC_STALE : open_export(front, node, s);
	if (rc) {
		stream_free(s);
		return rc;
	}
	pthread_mutex_lock(&front->tree.lock);
	if (node->more->extent && s->sequence && node->more->extent_sequence == s->sequence) {
		s->extent = export_extent_ref(node->more->extent);
		export_use(s->export, s->extent);
	}
	pthread_mutex_unlock(&front->tree.lock);
	*ret_stream = s;
	return RC_OK;
}

enum rc export_file_open(struct frontend *front, struct node *node, struct export_stream **ret_stream)
{
	enum rc rc = stream_new(front, node, ret_stream);
	if (rc)
		return rc;
	pthread_mutex_lock(&front->tree.lock);
	struct export_stream *s = *ret_stream;
	s->next = node->more->stream;
	s->back = &node->more->stream;
	if (s->next)
		s->next->back = &s->next;
	node->more->stream = s;
	pthread_mutex_unlock(&front->tree.lock);
	return RC_OK;
}

static void stream_unref(struct frontend *front, struct export_stream *s)
{
	pthread_mutex_lock(&front->tree.lock);
	bool last = --s->refs == 0;
	pthread_mutex_unlock(&front->tree.lock);
	if (last)
		stream_free(s);
}

void export_file_close(struct frontend *front, struct export_stream *stream)
{
	pthread_mutex_lock(&front->tree.lock);
	*stream->back = stream->next;
	if (stream->next)
		stream->next->back = stream->back;
	pthread_mutex_unlock(&front->tree.lock);
	stream_unref(front, stream);
}

/* ---- how large it is ---- */

static bool interrupted(void *context)
{
	return fuse_req_interrupted(context) || front_ending(front_of(context));
}

/* With the stream's lock held, or before anybody knows it. `keep`: the bytes, too, where they are few enough and none were read yet. */
static enum rc measure(fuse_req_t req, struct export_stream *s, bool keep, struct why *why)
{
	struct frontend *front = front_of(req);
	if (s->extent)
		return RC_OK;
	buf_free(&s->window);
	s->at = 0;
	struct export_pass pass = {.stop = interrupted, .context = req, .keep = keep ? &s->window : NULL, .keep_max = EXPORT_KEEP_MAX};
	enum rc rc = export_measure(s->export, &pass, &s->extent, why);
	if (rc)
		return rc;
	export_use(s->export, s->extent);
	s->whole = keep && s->window.len == s->extent->size;
	pthread_mutex_lock(&front->tree.lock);
	struct export_extent *old = s->node->more->extent;
	s->node->more->extent = export_extent_ref(s->extent);
	s->node->more->extent_sequence = s->sequence;
	pthread_mutex_unlock(&front->tree.lock);
	export_extent_unref(old);
	return RC_OK;
}

enum rc export_file_size(fuse_req_t req, struct node *node, uint64_t *ret_size, struct why *why)
{
	struct frontend *front = front_of(req);
	pthread_mutex_lock(&front->tree.lock);
	struct export_stream *s = node->more->stream;
	bool open = s;
	if (s)
		s->refs++;
	pthread_mutex_unlock(&front->tree.lock);
	enum rc rc = RC_OK;
	if (!open) {
		names_read(front);
		rc = stream_new(front, node, &s);
		names_done(front);
	}
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	rc = measure(req, s, open, why);
	if (!rc)
		*ret_size = s->extent->size;
	pthread_mutex_unlock(&s->lock);
	stream_unref(front, s);
	return rc;
}

/* ---- reading ---- */

/* Lets go of what lies far behind `offset`, now and then. */
static void trim(struct export_stream *s, uint64_t offset)
{
	uint64_t from = offset > EXPORT_BEHIND ? offset - EXPORT_BEHIND : 0;
	if (s->whole || s->window.len < EXPORT_WINDOW || from <= s->at)
		return;
	size_t gone = from - s->at < s->window.len ? (size_t)(from - s->at) : s->window.len;
	memmove(s->window.data, s->window.data + gone, s->window.len - gone);
	s->window.len -= gone;
	s->at += gone;
}

/* Goes on until `end` is in the window. RC_NOT_FOUND: there is no more. */
static enum rc produce(fuse_req_t req, struct export_stream *s, uint64_t offset, uint64_t end)
{
	enum rc rc = RC_OK;
	while (!rc && s->at + s->window.len < end) {
		trim(s, offset < s->at + s->window.len ? offset : s->at + s->window.len);
		uint64_t missing = end - s->at - s->window.len;
		rc = export_read(s->export, missing < EXPORT_BEHIND ? (size_t)missing : EXPORT_BEHIND, &s->window);
		if (!rc && interrupted(req))
			rc = RC_INTERRUPTED;
	}
	return rc;
}

/* With the stream's lock held. */
static enum rc read_stream(fuse_req_t req, struct export_stream *s, uint64_t offset, size_t size, struct buf *out)
{
	enum rc rc = RC_OK;
	if (offset < s->at) {
		buf_clear(&s->window);
		s->at = 0;
		rc = export_rewind(s->export);
	}
	if (!rc && !s->whole)
		rc = produce(req, s, offset, offset + size);
	if (offset < s->at + s->window.len && rc != RC_INTERRUPTED) { /* what is there before an error is still right */
		uint64_t there = s->at + s->window.len - offset;
		buf_add(out, s->window.data + (offset - s->at), there < size ? (size_t)there : size);
		rc = RC_OK;
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc export_file_read(fuse_req_t req, struct export_stream *stream, uint64_t offset, size_t size, struct buf *out, struct why *why)
{
	enum export_format format = EXPORT_JSONL;
	pthread_mutex_lock(&stream->lock);
	(void)format_of(stream->node->name, &format);
	enum rc rc = format == EXPORT_CSV ? measure(req, stream, false, why) : RC_OK;
	if (!rc)
		rc = read_stream(req, stream, offset, size, out);
	pthread_mutex_unlock(&stream->lock);
	return rc ? rc : out->failed ? RC_NO_MEMORY : RC_OK;
}

/* ---- attributes ---- */

static bool in_index(const struct node *node)
{
	while (node && node->kind != NODE_INDEX)
		node = node->parent;
	return node;
}

/* What an export of items shows, it shows whatever their modes say. */
enum rc export_file_stat(struct frontend *front, struct node *node, struct stat *ret_stat)
{
	bool directory = node->kind == NODE_EXPORT;
	struct node *of = directory ? node->parent : node->parent->parent;
	double keep;
	enum rc rc = reply_stat(front, of, ret_stat, &keep);
	if (rc)
		return rc;
	ret_stat->st_ino = node_ino(node);
	ret_stat->st_mode &= 0777;
	ret_stat->st_mode = directory ? S_IFDIR | (ret_stat->st_mode & 0555) : S_IFREG | (ret_stat->st_mode & 0444);
	struct place place;
	rc = place_of(front, node, &place);
	if (!rc && !in_index(node))
		rc = reply_owners_alone(place.table, ret_stat);
	if (rc || directory)
		return rc;
	pthread_mutex_lock(&front->tree.lock);
	uint64_t size = node->more->extent ? node->more->extent->size : 0;
	pthread_mutex_unlock(&front->tree.lock);
	stat_size(ret_stat, size);
	return RC_OK;
}
