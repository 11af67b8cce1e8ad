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
	if (!why)
		return false;
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

static const char *words_of_place(struct frontend *front, const struct node *node, enum rc rc)
{
	static const char own[] = "this is itemfs's own, and stays as it is";
	pthread_mutex_lock(&front->tree.lock);
	bool frozen = node_snapshot(node);
	pthread_mutex_unlock(&front->tree.lock);
	if (frozen)
		return "a snapshot is read only";
	switch ((enum node_kind)node->kind) {
	case NODE_CONTROL:
	case NODE_ERRORS:
	case NODE_STATS:
	case NODE_SNAPSHOTS:
	case NODE_REJECTED:
	case NODE_DRAFT:
		return own;
	case NODE_IMPORTS:
	case NODE_IMPORT:
		return "files to be imported stand here, and what their imports left, which can be read and removed";
	default:
		return rc == RC_FORBIDDEN ? own : "this is computed, and changes with what it comes from alone";
	}
}

/* Whether it is what nothing can be done about, where it was: then nobody has found words but the place. */
static bool is_of_place(enum rc rc, const struct why *why)
{
	return (rc == RC_READ_ONLY || rc == RC_FORBIDDEN) && !(why && why->text[0]);
}

static void add_line(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why)
{
	struct frontend *front = front_of(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	char *path = path_of(&front->tree, node, name);
	struct actor actor = {ctx->uid, ctx->gid, ctx->pid, path ? path : ""};
	struct refusal refusal = {&actor, reply_errno_name(rc), why, NULL};
	uint64_t id = 0;
	refusals_add(front->volume, &refusal, &id);
	free(path);
}

void refuse_request(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why)
{
	if (is_of_place(rc, why))
		refuse_kind(req, node, name, rc, NULL);
	else if (worth_a_line(rc, why))
		add_line(req, node, name, rc, why);
}

void refuse_kind(fuse_req_t req, const struct node *node, const char *name, enum rc rc, const struct why *why)
{
	struct frontend *front = front_of(req);
	struct why place = {.line = 0};
	uint64_t pid = (uint32_t)fuse_req_ctx(req)->pid, now;
	atomic_uint_least64_t *kinds = &front->kinds[pid % REFUSE_PROCESSES];
	uint64_t before = atomic_load(kinds);
	if (is_of_place(rc, why)) {
		why_set(&place, rc, "%s", words_of_place(front, node, rc));
		why = &place;
	}
	if (!worth_a_line(rc, why))
		return;
	do {
		now = before >> 32 == pid ? before + 1 : pid << 32 | 1;
		if ((uint32_t)now > REFUSE_KINDS)
			return;
	} while (!atomic_compare_exchange_weak(kinds, &before, now));
	add_line(req, node, name, rc, why);
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
	enum rc kept = refusals_add(front->volume, &refusal, id);
	if (kept)
		log_error("a refused draft of %s (%zu bytes) could not be kept: %s", actor->path, draft ? draft->len : 0, rc_name(kept));
}
