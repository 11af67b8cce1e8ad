/* refuse: see refuse.h. */
#include "fs/refuse.h"
#include "fs/log.h"
#include "fs/reply.h"
#include "index/backfill.h"
#include "index/refusals.h"
#include <stdio.h>
#include <stdlib.h>

static bool worth_a_line(enum rc rc, const struct why *why)
{
	switch (rc) {
	case RC_INVALID:
	case RC_REFUSED:
	case RC_UNFINISHED:
	case RC_TOO_BIG:
	case RC_NAME_TOO_LONG:
	case RC_NOT_UTF8:
	case RC_FORBIDDEN:
	case RC_NOT_EMPTY:
	case RC_CROSS:
	case RC_BUSY:
	case RC_TOO_MANY:
	case RC_READ_ONLY:
	case RC_AGAIN:
		return why->text[0];
	default:
		return false;
	}
}

void refuse_request(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	if (!worth_a_line(rc, why))
		return;
	char *path = path_of(&front->tree, node, name);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	struct refusal refusal = {&actor, reply_errno_name(rc), why, NULL};
	uint64_t id = 0;
	refusals_add(front->volume, &refusal, &id);
	free(path);
}

void refuse_kind(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why)
{
	struct frontend *front = front_of(req);
	uint64_t pid = (uint32_t)fuse_req_ctx(req)->pid, now;
	atomic_uint_least64_t *kinds = &front->kinds[pid % REFUSE_PROCESSES];
	uint64_t before = atomic_load(kinds);
	if (!worth_a_line(rc, why))
		return;
	do {
		now = before >> 32 == pid ? before + 1 : pid << 32 | 1;
		if ((uint32_t)now > REFUSE_KINDS)
			return;
	} while (!atomic_compare_exchange_weak(kinds, &before, now));
	refuse_request(req, node, name, rc, why);
}

void refuse_unready(fuse_req_t req, struct node *node)
{
	struct frontend *front = front_of(req);
	struct why why = {.line = 0};
	struct backfill_progress progress;
	char name[256];
	pthread_mutex_lock(&front->tree.lock);
	struct node *index = node;
	while (index && index->kind != NODE_INDEX)
		index = index->parent;
	struct table *table = index ? table_ref(index->parent->parent->table) : NULL;
	if (index)
		snprintf(name, sizeof name, "%s", index->name);
	pthread_mutex_unlock(&front->tree.lock);
	bool unready = table && backfill_ready(table, NULL, name, &why) == RC_AGAIN && !backfill_progress(table, NULL, name, &progress);
	table_unref(table);
	if (!unready)
		return;
	pthread_mutex_lock(&front->tree.lock);
	bool told = index->more->told == progress.started;
	index->more->told = progress.started;
	pthread_mutex_unlock(&front->tree.lock);
	if (!told)
		refuse_request(req, index, NULL, RC_AGAIN, &why);
}

void refuse_draft(struct frontend *front, const struct actor *actor, enum rc rc, const struct why *why, const struct buf *draft, uint64_t *id)
{
	struct refusal refusal = {actor, reply_errno_name(rc), why, draft};
	if (refusals_add(front->volume, &refusal, id))
		log_error("a refused draft of %s (%zu bytes) could not be kept: %s", actor->path, draft ? draft->len : 0, why->text);
}
