/* import_run: see import_run.h.
 *
 * An import changes items without a request of the kernel's for each, so the kernel has to be told: of new attributes of what it knows, and of new
 * names that it may remember as absent (node.missed). The notifier tells it, between batches and before the answer, with nothing locked that a
 * request could wait for. The import does not wait for that for ever: a notice may need a directory that the kernel has locked for a request, and
 * that request may wait for a thread of ours. Where the import has our last thread it hardly waits at all.
 */
#include "fs/import_run.h"
#include "fs/place.h"
#include "fs/refuse.h"
#include "fs/reply.h"
#include "index/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTICES_MAX = 4096, NOTICES_WAIT_MS = 5000, NOTICES_LAST_MS = 50 };

/* What names there are to see to, for items in file order: mostly those of one partition follow each other. */
struct partition_seen {
	bool known;
	struct key pk;
	char name[256];
	enum rc admitted; /* why it cannot be */
	struct why why;
	struct node *node; /* a hold; NULL: the kernel knows nothing in it */
};

static bool is_seen(const struct partition_seen *seen, const struct key *pk)
{
	return seen->known && key_equal(&seen->pk, pk);
}

/* By-hand creation would refuse these names, so an import does. With the names held. */
static enum rc admit(struct frontend *front, const struct import_run *run, struct why *why)
{
	struct import *import = run->upload->import;
	struct partition_seen seen = {.known = false};
	struct key pk, sk;
	for (size_t i = 0; i < import_count(import); i++) {
		struct why words = {.line = 0};
		if (!import_key(import, i, &pk, &sk))
			continue;
		if (!is_seen(&seen, &pk)) {
			seen.known = true;
			seen.pk = pk;
			seen.admitted = place_admit_partition(front, run->table, &pk, &seen.why);
		}
		enum rc rc = seen.admitted ? seen.admitted : place_admit_item(front, run->table, &pk, &sk, &words);
		const struct why *said = seen.admitted ? &seen.why : &words;
		if (rc == RC_REFUSED)
			import_refuse(import, i, said->text);
		else if (rc)
			return why_set(why, rc, "%s", said->text);
	}
	return RC_OK;
}

/* The kernel may just get to know it as it was before, in the answer to a listing: then the next one says it again. */
static void tell_attributes(struct frontend *front, struct node *node)
{
	pthread_mutex_lock(&front->tree.lock);
	node_untell(node);
	pthread_mutex_unlock(&front->tree.lock);
	notifier_attributes(front->notifier, node);
}

/* The name may be remembered as absent. */
static void tell_name(struct frontend *front, struct node *directory, const char *name)
{
	if (atomic_load(&directory->missed))
		notifier_name_gone(front->notifier, directory, name);
}

/* A name that waited for its first commit is the import's item from here on; unless that was removed already, and the name made anew. */
static void be_imported(struct frontend *front, struct node *node, uint64_t birth)
{
	struct place place;
	struct head head;
	if (place_of(front, node, &place) || place.unresolved || leaf_get(&place.leaf, NULL, &head, NULL) || head.birth != birth)
		return;
	pthread_mutex_lock(&front->tree.lock);
	node_set_pending(node, false);
	node->birth = birth;
	pthread_mutex_unlock(&front->tree.lock);
}

static void tell_item(struct frontend *front, struct node *partition, const char *name, const struct import_put *put)
{
	struct node *node = node_find(&front->tree, partition, name);
	if (!node) {
		if (put->fresh)
			tell_name(front, partition, name);
		return;
	}
	if (node->pending)
		be_imported(front, node, put->birth);
	node_born(&front->tree, node, put->birth);
	tell_attributes(front, node);
	node_release(&front->tree, node);
}

static void leave_partition(struct frontend *front, struct partition_seen *seen)
{
	if (!seen->node)
		return;
	tell_attributes(front, seen->node);
	node_release(&front->tree, seen->node);
	seen->node = NULL;
}

static void enter_partition(struct frontend *front, struct node *table, struct partition_seen *seen, const struct key *pk)
{
	leave_partition(front, seen);
	seen->known = true;
	seen->pk = *pk;
	if (place_key_name(pk, false, seen->name))
		seen->node = node_find(&front->tree, table, seen->name);
}

/* After a commit, the names still held. */
static void tell(struct frontend *front, const struct import_run *run)
{
	const struct import *import = run->upload->import;
	struct partition_seen seen = {.known = false};
	struct import_put put;
	struct key pk, sk;
	char name[256];
	for (size_t i = 0; i < import_count(import); i++) {
		if (!import_put(import, i, &put) || !import_key(import, i, &pk, &sk))
			continue;
		if (!is_seen(&seen, &pk))
			enter_partition(front, run->table, &seen, &pk);
		if (put.founded)
			tell_name(front, run->table, seen.name);
		if (seen.node && place_item_name(&sk, sk.len, name))
			tell_item(front, seen.node, name, &put);
	}
	leave_partition(front, &seen);
	notifier_attributes(front->notifier, run->table);
}

struct wanted {
	struct frontend *front;
	const struct upload *upload;
};

/* An import of a large file goes on for as long as it takes, but not past its own removal or the mount's end. */
static bool is_unwanted(void *context)
{
	const struct wanted *wanted = context;
	return front_ending(wanted->front) || upload_is_gone(wanted->front, wanted->upload);
}

/* One commit. RC_NOT_FOUND: there is nothing more. */
static enum rc run_batch(struct frontend *front, const struct import_run *run, const struct meta *fresh, struct why *why)
{
	struct import *import = run->upload->import;
	struct wanted wanted = {front, run->upload};
	names_read(front);
	enum rc rc = run->table->dead ? RC_STALE : import_gather(import, why);
	if (!rc && is_unwanted(&wanted))
		rc = RC_INTERRUPTED;
	if (!rc) {
		rc = admit(front, run, why);
		if (!rc)
			rc = import_commit(import, fresh, run->durable, why);
		if (!rc)
			tell(front, run);
	}
	names_done(front);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* A result or the refused records, as a file beside it. */
static void show(struct frontend *front, const struct import_run *run, const char *what, const char *format, struct spool *spool)
{
	char name[256];
	struct upload *shown;
	int64_t now = clock_now();
	struct meta meta = {0444, run->actor->uid, run->actor->gid, now, now, now};
	if (!spool)
		return;
	if (snprintf(name, sizeof name, "%s%s%s", run->name, what, format) >= (int)sizeof name) { /* upload_name() lets in no such name */
		spool_free(spool);
		return;
	}
	if (upload_new(front, run->upload->table, name, &meta, spool, &shown) == RC_OK)
		upload_unref(shown);
}

static void show_all(struct frontend *front, const struct import_run *run, struct spool *result, struct spool *refused)
{
	show(front, run, ".refused", strrchr(run->name, '.'), refused);
	show(front, run, ".result", ".json", result);
}

void import_keep(struct frontend *front, const struct actor *actor, enum rc rc, const struct why *why, const struct spool *bytes, uint64_t *id)
{
	cleanup_buf struct buf kept = {0};
	uint64_t size = spool_size(bytes);
	bool fits = size && size <= ITEM_DOCUMENT_MAX && spool_read(bytes, 0, ITEM_DOCUMENT_MAX, &kept) == RC_OK;
	refuse_draft(front, actor, rc, why, fits ? &kept : NULL, id);
}

/* What came of it, for the upload, its results and the journal. */
static enum rc end(struct frontend *front, const struct import_run *run, enum rc rc, struct why *why)
{
	struct upload *upload = run->upload;
	struct spool *result = NULL, *refused = NULL;
	rc = import_finish(upload->import, rc, &result, &refused, why);
	bool some = refused; /* the others are put */
	upload->dirty = false;
	upload->refused = some ? RC_OK : rc; /* what is written from here on is another matter */
	if (rc)
		import_keep(front, run->actor, rc, why, some ? refused : upload->spool, &upload->refusal); /* the whole file where nothing of it is imported */
	show_all(front, run, result, refused);
	if (!rc || some) {
		upload->imported = spool_size(upload->spool);
		upload_unlist(front, upload, false);
	}
	return rc;
}

/* Not at the end of the mount: a notice may then wait for a request that nobody reads any more. */
static void settle(struct frontend *front, unsigned most)
{
	if (front_ending(front))
		return;
	bool last = atomic_fetch_add(&front->settling, 1) + 1 >= front->options.threads;
	notifier_settle(front->notifier, most, last ? NOTICES_LAST_MS : NOTICES_WAIT_MS);
	atomic_fetch_sub(&front->settling, 1);
}

enum rc import_run(struct frontend *front, const struct import_run *run)
{
	struct upload *upload = run->upload;
	struct wanted wanted = {front, upload};
	struct meta fresh;
	struct why why = {.line = 0};
	import_stop_by(upload->import, is_unwanted, &wanted);
	enum rc rc = import_begin(upload->import, upload->spool, &why);
	if (rc == RC_NOT_FOUND || (rc == RC_UNFINISHED && !run->last)) {
		import_stop_by(upload->import, NULL, NULL);
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	}
	pthread_mutex_lock(&front->uploads_lock);
	fresh = upload->meta;
	pthread_mutex_unlock(&front->uploads_lock);
	fresh.mode &= 0777;
	while (!rc) {
		rc = run_batch(front, run, &fresh, &why);
		settle(front, NOTICES_MAX);
	}
	if (rc == RC_STALE)
		rc = why_set(&why, RC_STALE, "the table is gone");
	if (rc == RC_INTERRUPTED)
		rc = why_set(&why, rc, front_ending(front) ? "the mount ended while this was imported" : "the file was removed or replaced while it was imported");
	rc = end(front, run, rc, &why);
	import_stop_by(upload->import, NULL, NULL);
	settle(front, 0);
	return rc;
}
