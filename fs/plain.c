/* plain: see plain.h. */
#include "fs/plain.h"
#include "fs/log.h"
#include "fs/notify.h"
#include "fs/reply.h"
#include <stdlib.h>
#include <string.h>

/* Counts its bytes, after they have changed. */
static void weigh(struct frontend *front, struct plain *plain)
{
	atomic_fetch_add(&front->documents, plain->bytes.cap - plain->weighed);
	plain->weighed = plain->bytes.cap;
}

static void touched(struct frontend *front, struct plain *plain)
{
	weigh(front, plain);
	plain->dirty = true;
	plain->mtime = clock_now();
	plain->mtime_tick = front_tick(front);
}

static void plain_free(struct plain *plain)
{
	buf_free(&plain->bytes);
	pthread_mutex_destroy(&plain->lock);
	free(plain);
}

static struct plain *plain_load(const struct place *place, struct head *ret_head, enum rc *rc)
{
	struct plain *plain = calloc(1, sizeof *plain);
	if (!plain) {
		*rc = RC_NO_MEMORY;
		return NULL;
	}
	pthread_mutex_init(&plain->lock, NULL);
	*rc = leaf_get(&place->leaf, NULL, ret_head, &plain->bytes);
	if (*rc) {
		plain_free(plain);
		return NULL;
	}
	plain->mtime = ret_head->meta.mtime;
	return plain;
}

/* Keeps it from going away; NULL where nobody has it open. */
static struct plain *plain_pin(struct frontend *front, struct node *node)
{
	pthread_mutex_lock(&front->tree.lock);
	struct plain *plain = node->more->plain;
	if (plain)
		plain->opens++;
	pthread_mutex_unlock(&front->tree.lock);
	return plain;
}

static void plain_unpin(struct frontend *front, struct node *node)
{
	pthread_mutex_lock(&front->tree.lock);
	struct plain *plain = node->more->plain;
	bool last = --plain->opens == 0;
	if (last) {
		node->more->plain = NULL;
		atomic_fetch_sub(&front->documents, plain->weighed);
	}
	if (last && node->pending) { /* it could not be stored: with nobody left who has its bytes, there is no such file */
		node_kill_locked(node);
		notifier_name_gone(front->notifier, node->parent, node->name);
	}
	pthread_mutex_unlock(&front->tree.lock);
	if (last)
		plain_free(plain);
}

bool plain_create(struct frontend *front, struct node *node)
{
	struct plain *plain = calloc(1, sizeof *plain);
	if (!plain)
		return false;
	pthread_mutex_init(&plain->lock, NULL);
	pthread_mutex_lock(&front->tree.lock);
	bool more = node_more(&front->tree, node), taken = node->more->plain;
	if (more && !taken)
		node->more->plain = plain;
	if (more)
		node->more->plain->opens++;
	pthread_mutex_unlock(&front->tree.lock);
	if (taken || !more)
		plain_free(plain);
	return more;
}

enum rc plain_open(struct frontend *front, struct node *node, const struct place *place, bool truncate)
{
	struct head head;
	enum rc rc = RC_OK;
	struct plain *plain = plain_pin(front, node);
	if (!plain) {
		struct plain *fresh = plain_load(place, &head, &rc);
		if (rc)
			return rc;
		pthread_mutex_lock(&front->tree.lock);
		bool more = node_more(&front->tree, node); /* a truncate(2) opens nothing before */
		plain = node->more->plain; /* somebody may have been faster */
		if (!plain && more) {
			plain = node->more->plain = fresh;
			weigh(front, plain);
			node->birth = head.birth;
			fresh = NULL;
		}
		if (plain)
			plain->opens++;
		pthread_mutex_unlock(&front->tree.lock);
		if (fresh)
			plain_free(fresh);
		if (!plain)
			return RC_NO_MEMORY;
	}
	return truncate ? plain_resize(front, node, 0) : RC_OK;
}

bool plain_share(struct frontend *front, struct node *node)
{
	return plain_pin(front, node) != NULL;
}

void plain_drop(struct frontend *front, struct node *node)
{
	plain_unpin(front, node);
}

void plain_renew(struct frontend *front, struct node *node, const struct head *head, struct buf *bytes)
{
	struct plain *plain = plain_pin(front, node);
	if (!plain)
		return;
	pthread_mutex_lock(&plain->lock);
	struct buf old = plain->bytes;
	plain->bytes = *bytes;
	*bytes = old;
	plain->dirty = false;
	plain->mtime = head->meta.mtime;
	plain->mtime_tick = 0;
	weigh(front, plain);
	pthread_mutex_unlock(&plain->lock);
	plain_unpin(front, node);
}

enum rc plain_read(struct node *node, uint64_t offset, size_t n, struct buf *out)
{
	struct plain *plain = node->more->plain;
	pthread_mutex_lock(&plain->lock);
	size_t len = plain->bytes.len;
	if (offset < len)
		buf_add(out, plain->bytes.data + offset, n < len - offset ? n : len - (size_t)offset);
	pthread_mutex_unlock(&plain->lock);
	return out->failed ? RC_NO_MEMORY : RC_OK;
}

void plain_close(struct frontend *front, struct node *node)
{
	enum rc rc = plain_store(front, node, true, front->options.durable);
	if (rc)
		log_error("%s: %zu bytes could not be stored at close: %s", node->name, node->more->plain->bytes.len, rc_name(rc));
	plain_unpin(front, node);
}

enum rc plain_write(struct frontend *front, struct node *node, const void *bytes, size_t n, uint64_t offset, bool append)
{
	struct plain *plain = node->more->plain;
	enum rc rc = RC_OK;
	pthread_mutex_lock(&plain->lock);
	if (append)
		offset = plain->bytes.len;
	if (offset > ITEM_DOCUMENT_MAX || n > ITEM_DOCUMENT_MAX - offset) {
		rc = RC_TOO_BIG;
	} else {
		size_t end = (size_t)offset + n;
		if (end > plain->bytes.len)
			buf_resize(&plain->bytes, end);
		rc = plain->bytes.failed ? RC_NO_MEMORY : RC_OK;
		plain->bytes.failed = false;
		if (!rc && n)
			memcpy(plain->bytes.data + offset, bytes, n);
		if (!rc)
			touched(front, plain);
	}
	pthread_mutex_unlock(&plain->lock);
	return rc;
}

enum rc plain_resize(struct frontend *front, struct node *node, uint64_t size)
{
	struct plain *plain = node->more->plain;
	enum rc rc = RC_OK;
	if (size > ITEM_DOCUMENT_MAX)
		return RC_TOO_BIG;
	pthread_mutex_lock(&plain->lock);
	buf_resize(&plain->bytes, (size_t)size);
	if (plain->bytes.failed)
		rc = RC_NO_MEMORY;
	plain->bytes.failed = false;
	if (!rc)
		touched(front, plain);
	pthread_mutex_unlock(&plain->lock);
	return rc;
}

/* The kernel may keep what was shown since the write, with the ctime from before. */
static void be_new(struct frontend *front, struct node *node, struct plain *plain, const struct head *head)
{
	plain->ctime = head->meta.ctime;
	if (plain->shown)
		notifier_attributes(front->notifier, node);
	plain->shown = false;
}

/* The kernel may keep what it was told at the creation: writes make it ask again, and where there were none it is told that the times are others now. */
static void be_stored(struct frontend *front, struct node *node, const struct head *head, bool unwritten)
{
	pthread_mutex_lock(&front->tree.lock);
	node_set_pending(node, false);
	node->birth = head->birth;
	pthread_mutex_unlock(&front->tree.lock);
	if (unwritten)
		notifier_attributes(front->notifier, node);
}

enum rc plain_store(struct frontend *front, struct node *node, bool last, bool durable)
{
	struct plain *plain = node->more->plain;
	struct place place;
	struct head head;
	enum rc rc = place_of(front, node, &place);
	if (rc)
		return rc == RC_STALE ? RC_OK : rc; /* deleted: there is nowhere to store it */
	pthread_mutex_lock(&plain->lock);
	pthread_mutex_lock(&front->tree.lock);
	struct meta fresh = node->more->fresh;
	bool pending = node->pending; /* it stays so while we have the lock, or the node dies */
	struct leaf_write write = {.document = plain->bytes.data, .len = plain->bytes.len, .durable = durable, .fresh = &fresh};
	write.condition = pending ? LEAF_ABSENT : LEAF_SAME;
	write.appeared = pending ? node->more->appeared : 0;
	write.birth = node->birth;
	write.mtime_set = plain->mtime_tick > node->more->times_tick;
	pthread_mutex_unlock(&front->tree.lock);
	write.mtime = plain->mtime;
	if (write.mtime_set)
		fresh.mtime = plain->mtime;
	bool due = plain->dirty || (pending && last);
	if (due)
		rc = leaf_write(&place.leaf, &write, &head, NULL);
	if (due && pending && !rc)
		be_stored(front, node, &head, !plain->dirty);
	if (due && !rc)
		be_new(front, node, plain, &head);
	if (rc == RC_STALE) /* replaced: it is stored nowhere; or its directory's key has another shape now */
		rc = pending ? RC_NOT_FOUND : RC_OK;
	if (!rc)
		plain->dirty = false;
	pthread_mutex_unlock(&plain->lock);
	return rc;
}

enum rc plain_settle_file(struct frontend *front, struct node *node)
{
	if (!node->pending || !plain_share(front, node))
		return RC_OK;
	enum rc rc = plain_store(front, node, true, front->options.durable);
	plain_unpin(front, node);
	return rc;
}

/* A plain file among the directory's pending names, with a hold; NULL: there is none. */
static struct node *next_pending(struct frontend *front, const struct node *directory)
{
	pthread_mutex_lock(&front->tree.lock);
	struct node *node = directory->more->pendings;
	while (node && node->kind != NODE_PLAIN)
		node = node->more->pending_next;
	if (node)
		node->holds++;
	pthread_mutex_unlock(&front->tree.lock);
	return node;
}

void plain_settle(struct frontend *front, struct node *directory)
{
	struct node *node;
	bool stored = true;
	while (stored && (node = next_pending(front, directory))) {
		stored = plain_settle_file(front, node) == RC_OK && !node->pending;
		node_release(&front->tree, node);
	}
}

struct plain *plain_watch(struct frontend *front, struct node *node)
{
	return plain_pin(front, node);
}

void plain_overlay(struct frontend *front, struct node *node, struct plain *plain, struct stat *st)
{
	if (!plain)
		return;
	pthread_mutex_lock(&front->tree.lock);
	uint64_t times = node->more->times_tick;
	pthread_mutex_unlock(&front->tree.lock);
	pthread_mutex_lock(&plain->lock);
	st->st_size = (off_t)plain->bytes.len;
	st->st_blocks = (blkcnt_t)((plain->bytes.len + 511) / 512);
	if (plain->mtime_tick > times) { /* stored or not: what was read of the volume may be from before it was */
		st->st_mtim.tv_sec = plain->mtime / 1000000000;
		st->st_mtim.tv_nsec = plain->mtime % 1000000000;
	}
	if (plain->ctime > st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec) { /* likewise */
		st->st_ctim.tv_sec = plain->ctime / 1000000000;
		st->st_ctim.tv_nsec = plain->ctime % 1000000000;
	}
	plain->shown |= plain->dirty;
	pthread_mutex_unlock(&plain->lock);
	plain_unpin(front, node);
}
