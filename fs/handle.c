/* handle: see handle.h. */
#include "fs/handle.h"
#include "fs/export_file.h"
#include "fs/plain.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "fs/upload.h"
#include "index/definition.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct handle *handle_new(fuse_req_t req, struct node *node, int flags)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct handle *handle = malloc(sizeof *handle);
	if (!handle)
		return NULL;
	*handle = (struct handle){.node = node};
	pthread_mutex_init(&handle->lock, NULL);
	pthread_mutex_lock(&front->tree.lock);
	node_await(&front->tree, node);
	bool more = node_more(&front->tree, node);
	if (more) {
		node->holds++;
		node->more->opens++;
		node_untell(node); /* the kernel gives up its attributes when it is read or written */
	}
	pthread_mutex_unlock(&front->tree.lock);
	if (!more) {
		pthread_mutex_destroy(&handle->lock);
		free(handle);
		return NULL;
	}
	handle->writer = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
	handle->append = flags & O_APPEND;
	handle->durable = front->options.durable || (flags & (O_SYNC | O_DSYNC));
	handle->uid = ctx->uid;
	handle->gid = ctx->gid;
	handle->pid = ctx->pid;
	pthread_mutex_lock(&front->handles_lock);
	handle->next = front->handles;
	handle->back = &front->handles;
	if (handle->next)
		handle->next->back = &handle->next;
	front->handles = handle;
	atomic_fetch_add(&front->handle_count, 1);
	pthread_mutex_unlock(&front->handles_lock);
	return handle;
}

void handle_free(struct frontend *front, struct handle *handle)
{
	pthread_mutex_lock(&front->handles_lock);
	*handle->back = handle->next;
	if (handle->next)
		handle->next->back = handle->back;
	atomic_fetch_sub(&front->handle_count, 1);
	pthread_mutex_unlock(&front->handles_lock);
	upload_unref(handle->upload);
	if (handle->stream)
		export_file_close(front, handle->stream);
	draft_free(&handle->draft);
	buf_free(&handle->version);
	handle_weigh(front, handle);
	pthread_mutex_destroy(&handle->lock);
	pthread_mutex_lock(&front->tree.lock);
	handle->node->more->opens--;
	pthread_mutex_unlock(&front->tree.lock);
	node_release(&front->tree, handle->node);
	free(handle);
}

void handle_weigh(struct frontend *front, struct handle *handle)
{
	size_t weight = handle->version.cap + handle->draft.bytes.cap;
	if (weight != handle->weighed)
		atomic_fetch_add(&front->documents, weight - handle->weighed);
	handle->weighed = weight;
}

void handle_report(struct frontend *front, struct handle *handle)
{
	struct node *node = handle->node;
	uint64_t bytes = handle->draft.dirty && (handle->draft.bytes.len || handle->draft.poison);
	pthread_mutex_lock(&front->tree.lock);
	node->more->dirty += (unsigned)(bytes - handle->draft.reported);
	front->drafts += bytes - handle->draft.reported;
	if (node->pending)
		node->more->pending_size = handle->draft.bytes.len;
	pthread_mutex_unlock(&front->tree.lock);
	handle->draft.reported = bytes;
	handle_weigh(front, handle);
}

/* What the commit has to know of the node, read in one moment. */
struct target {
	bool pending;
	uint64_t birth;
	struct meta fresh;
	bool mtime_set;
	int64_t appeared;
};

static void read_target(struct frontend *front, const struct handle *handle, struct target *ret_target)
{
	struct node *node = handle->node;
	pthread_mutex_lock(&front->tree.lock);
	*ret_target = (struct target){node->pending, node->birth, node->more->fresh, handle->draft.tick > node->more->times_tick, node->more->appeared};
	pthread_mutex_unlock(&front->tree.lock);
	if (ret_target->mtime_set)
		ret_target->fresh.mtime = handle->draft.time;
}

static enum rc write_leaf(const struct handle *handle, struct place *place, const struct target *target, const struct actor *actor,
			  bool durable, struct head *ret_head, struct why *why)
{
	struct leaf_write write = {
	    .document = handle->draft.bytes.data,
	    .len = handle->draft.bytes.len,
	    .condition = target->pending ? LEAF_ABSENT : handle->draft.bytes.len ? LEAF_SAME : LEAF_UNCHANGED,
	    .birth = target->birth,
	    .version = handle->draft.emptied,
	    .fresh = &target->fresh,
	    .mtime_set = target->mtime_set,
	    .mtime = handle->draft.time,
	    .appeared = target->appeared,
	    .durable = durable,
	    .actor = actor,
	};
	cleanup_buf struct buf rekeyed = {0};
	bool moved = handle->draft.path && strcmp(handle->draft.path, actor->path) != 0;
	if (moved && place->leaf.kind == LEAF_ITEM && !place->unresolved && write.len) { /* a rename carries the draft, its key attributes with it */
		enum rc carried = leaf_rekey(&place->leaf, write.document, write.len, &rekeyed, why);
		if (carried)
			return carried;
		write.document = rekeyed.data;
		write.len = rekeyed.len;
	}
	bool settles = place_pending(place);
	enum rc rc = place_cut(place) ? place_resolve(place, handle->node->name, false, write.document, write.len, why) : RC_OK;
	if (!rc && settles)
		rc = place_settle(place, write.document, write.len, why);
	return rc ? rc : leaf_write(&place->leaf, &write, ret_head, why);
}

static enum rc write_definition(const struct handle *handle, const struct place *place, const struct target *target, bool durable,
				struct head *ret_head, struct why *why)
{
	struct definition_write write = {
	    .document = handle->draft.bytes.data,
	    .len = handle->draft.bytes.len,
	    .condition = target->pending ? LEAF_ABSENT : LEAF_SAME,
	    .birth = target->birth,
	    .fresh = &target->fresh,
	    .mtime_set = target->mtime_set,
	    .mtime = handle->draft.time,
	    .appeared = target->appeared,
	    .durable = durable,
	};
	return definition_set(place->table, &write, ret_head, why);
}

/* Takes the names: for itself where the commit gives names another meaning, as a definition's does, and that of the first document of a partition
 * whose name was cut; and where the file has become a plain one, whose bytes all share that have it open as such. */
static enum rc take_names(struct frontend *front, struct node *node, struct place *ret_place)
{
	names_read(front);
	enum rc rc = place_of(front, node, ret_place);
	if (node->kind != NODE_DEFINITION && node->kind != NODE_PLAIN && (rc || !place_pending(ret_place)))
		return rc;
	names_done(front);
	names_write(front);
	return place_of(front, node, ret_place);
}

/* An import has stored a name that waited for its first commit, and its nodes do not know yet: from here on it is that item's draft. */
static bool stored_meanwhile(struct frontend *front, struct node *node, const struct place *place)
{
	struct head head;
	if (place->kind != NODE_ITEM || leaf_get(&place->leaf, NULL, &head, NULL))
		return false;
	pthread_mutex_lock(&front->tree.lock);
	node_set_pending(node, false);
	node->birth = head.birth;
	pthread_mutex_unlock(&front->tree.lock);
	return true;
}

/* One try. */
static enum rc try_commit(struct frontend *front, struct handle *handle, const struct actor *actor, bool durable)
{
	struct node *node = handle->node;
	struct place place;
	struct target target;
	struct head head;
	struct why why = {.line = 0};
	cleanup_buf struct buf shared = {0};
	enum rc rc = take_names(front, node, &place);
	if (!rc && place.kind == NODE_PLAIN) {
		buf_add(&shared, handle->draft.bytes.data, handle->draft.bytes.len);
		rc = shared.failed ? RC_NO_MEMORY : RC_OK;
	}
	if (!rc) {
		read_target(front, handle, &target);
		rc = place.kind == NODE_DEFINITION ? write_definition(handle, &place, &target, durable, &head, &why)
						   : write_leaf(handle, &place, &target, actor, durable, &head, &why);
	}
	if (rc == RC_EXISTS && target.pending && stored_meanwhile(front, node, &place)) {
		read_target(front, handle, &target);
		rc = write_leaf(handle, &place, &target, actor, durable, &head, &why);
	}
	if (!rc) {
		pthread_mutex_lock(&front->tree.lock);
		node_set_pending(node, false);
		node->birth = head.birth;
		pthread_mutex_unlock(&front->tree.lock);
	}
	if (!rc && place.kind == NODE_PLAIN)
		plain_renew(front, node, &head, &shared);
	names_done(front);
	if (rc == RC_NOT_FOUND && !why.text[0])
		why_set(&why, rc, "its table or partition is gone, or its name is no key in the table as it is defined now");
	if (rc)
		draft_say(&handle->draft, &why);
	return rc;
}

void handle_empty(struct frontend *front, struct handle *handle)
{
	struct draft *draft = &handle->draft;
	draft_empty(draft);
	draft->emptied = volume_seen(front->volume);
	draft->tick = front_tick(front);
	draft->time = clock_now();
	free(draft->path);
	draft->path = path_of(&front->tree, handle->node, NULL);
}

static bool still_pending(struct frontend *front, const struct node *node)
{
	pthread_mutex_lock(&front->tree.lock);
	bool pending = node->pending && !node->dead;
	pthread_mutex_unlock(&front->tree.lock);
	return pending;
}

enum rc handle_commit(struct frontend *front, struct handle *handle, bool last, bool durable)
{
	struct draft *draft = &handle->draft;
	if (draft->poison)
		return draft->poison;
	if (!draft->dirty || (!draft->bytes.len && !last))
		return RC_OK;
	struct why why;
	if (draft->scanning && draft->bytes.len && json_end(&draft->scan, &why)) {
		draft_say(draft, &why);
		return draft->refused = RC_UNFINISHED;
	}
	char *path = path_of(&front->tree, handle->node, NULL);
	struct actor actor = {handle->uid, handle->gid, handle->pid, path ? path : ""};
	pthread_mutex_t *lock = front_commit_lock(front, handle->node);
	bool nothing = handle->created && !still_pending(front, handle->node); /* another handle has stored the name */
	enum rc rc = nothing ? RC_OK : try_commit(front, handle, &actor, durable || handle->durable);
	pthread_mutex_unlock(lock);
	free(path);
	if (rc == RC_STALE)
		rc = RC_OK; /* unlinked or replaced meanwhile: it commits nowhere */
	draft->refused = rc;
	if (!rc && handle->created && !nothing)
		notifier_attributes(front->notifier, handle->node); /* file_create() let them be kept */
	if (!rc) {
		draft_done(draft);
		handle_report(front, handle);
	}
	return rc;
}

void handle_reject(struct frontend *front, struct handle *handle, enum rc rc)
{
	struct draft *draft = &handle->draft;
	if (draft->recorded)
		return;
	char *path = path_of(&front->tree, handle->node, NULL);
	struct actor actor = {handle->uid, handle->gid, handle->pid, path ? path : ""};
	struct why why;
	if (rc == RC_NO_SPACE)
		snapshot_why_full(front->volume, &why);
	else if (!draft->why || !draft->why->text[0])
		why_set(&why, rc, "%s", strerror(reply_errno(rc)));
	else
		why = *draft->why;
	refuse_draft(front, &actor, rc, &why, draft->bytes.len ? &draft->bytes : NULL, &draft->refusal);
	draft->recorded = true;
	free(path);
}

/* A created name whose last writer has gone without a commit. */
static void leave(struct frontend *front, struct handle *handle)
{
	struct node *node = handle->node;
	names_read(front); /* no rename meanwhile */
	pthread_mutex_lock(&front->tree.lock);
	node->more->dirty -= (unsigned)handle->draft.reported;
	front->drafts -= handle->draft.reported;
	node->writers--;
	if (node->pending && !node->dead && !node->writers) {
		node_kill_locked(node); /* with the lock still held: whoever opens it now must see that it is gone */
		notifier_name_gone(front->notifier, node->parent, node->name);
	}
	pthread_mutex_unlock(&front->tree.lock);
	names_done(front);
}

void handle_finish(struct frontend *front, struct handle *handle)
{
	struct draft *draft = &handle->draft;
	pthread_mutex_lock(&handle->lock);
	if (draft->begun && draft->dirty && !handle->node->dead) {
		enum rc rc = handle_commit(front, handle, true, false);
		if (rc)
			handle_reject(front, handle, rc);
	}
	pthread_mutex_unlock(&handle->lock);
	leave(front, handle);
}
