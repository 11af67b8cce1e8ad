/* refusals: see refusals.h. The ids and sizes of what is stored are remembered, oldest first, so that bounding it reads nothing; the list is changed
 * after the commit that changed the rows, and room for the new entry is made before that commit, so that the change cannot fail. Evictions are
 * commits of their own: until they have run there may be one too many. */
#include "index/refusals.h"
#include "index/change.h"
#include "index/private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct known {
	uint64_t id;
	uint32_t size;
};

struct ring {
	struct known *at;
	size_t count, cap;
	uint64_t bytes;
};

struct refusals {
	pthread_mutex_t lock;
	struct ring lines, drafts;
	int64_t changed; /* atomic */
};

/* More than can be on their way at once: a group of the queue, and who has committed and not come here yet. */
enum { RING_AHEAD = 512 };

static bool ring_reserve(struct ring *ring)
{
	if (ring->cap - ring->count >= RING_AHEAD)
		return true;
	size_t cap = ring->count + 2 * RING_AHEAD;
	struct known *grown = realloc(ring->at, cap * sizeof *grown);
	if (!grown)
		return false;
	ring->at = grown;
	ring->cap = cap;
	return true;
}

/* In the order of ids, in which commits may be a little ahead of each other here. */
static bool ring_add(struct ring *ring, uint64_t id, uint32_t size)
{
	size_t i = ring->count;
	while (i && ring->at[i - 1].id > id)
		i--;
	if (i && ring->at[i - 1].id == id) {
		ring->bytes += (uint64_t)size - ring->at[i - 1].size;
		ring->at[i - 1].size = size;
		return true;
	}
	if (ring->count == ring->cap)
		return false;
	memmove(&ring->at[i + 1], &ring->at[i], (ring->count++ - i) * sizeof *ring->at);
	ring->at[i] = (struct known){id, size};
	ring->bytes += size;
	return true;
}

static enum rc make_room(struct refusals *r)
{
	pthread_mutex_lock(&r->lock);
	bool room = ring_reserve(&r->lines) && ring_reserve(&r->drafts);
	pthread_mutex_unlock(&r->lock);
	return room ? RC_OK : RC_NO_MEMORY;
}

static void ring_remove(struct ring *ring, uint64_t id)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->at[i].id == id) {
			ring->bytes -= ring->at[i].size;
			memmove(&ring->at[i], &ring->at[i + 1], (--ring->count - i) * sizeof *ring->at);
			return;
		}
}

/* UTF-8 for a JSON string: bytes that are none become U+FFFD. A path is whatever the user typed. */
static void add_text(struct buf *line, const char *text)
{
	cleanup_buf struct buf sound = {0};
	const unsigned char *p = (const unsigned char *)text;
	while (*p) {
		size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;
		size_t i = 1;
		while (i < n && (p[i] & 0xc0) == 0x80)
			i++;
		bool whole = n && i == n && !(*p == 0xe0 && p[1] < 0xa0) && !(*p == 0xed && p[1] > 0x9f) &&
			     !(*p == 0xf0 && p[1] < 0x90) && !(*p == 0xf4 && p[1] > 0x8f);
		buf_add(&sound, whole ? (const char *)p : "\xef\xbf\xbd", whole ? n : 3);
		p += whole ? n : 1;
	}
	buf_add_json_string(line, sound.data, sound.len);
	line->failed |= sound.failed;
}

static void add_time(struct buf *line, int64_t now)
{
	time_t seconds = (time_t)(now / 1000000000);
	struct tm tm;
	char text[64];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(line, "\"%s.%03dZ\"", text, (int)(now / 1000000 % 1000));
}

static void add_reason(struct buf *line, const struct why *why)
{
	cleanup_buf struct buf words = {0};
	if (why && why->line)
		buf_printf(&words, "line %zu, column %zu: ", why->line, why->column);
	buf_add_text(&words, why ? why->text : "");
	buf_add_byte(&words, 0);
	add_text(line, words.failed ? "" : (const char *)words.data);
}

static void compose(struct buf *line, const struct actor *actor, const char *error, const struct why *why, uint64_t rejected, int64_t now)
{
	buf_add_text(line, "{\"time\":");
	add_time(line, now);
	buf_printf(line, ",\"pid\":%d,\"path\":", (int)actor->pid);
	add_text(line, actor->path);
	buf_add_text(line, ",\"errno\":");
	add_text(line, error);
	buf_add_text(line, ",\"reason\":");
	add_reason(line, why);
	if (rejected)
		buf_printf(line, ",\"rejected\":\"%llu\"", (unsigned long long)rejected);
	buf_add_text(line, "}");
}

static void put_line(struct txn *txn, uint64_t id, const struct actor *actor, const struct buf *line)
{
	cleanup_buf struct buf row = {0}, value = {0};
	size_t n = strlen(actor->path);
	row_error(&row, id);
	buf_add_u32(&value, actor->uid);
	buf_add_u32(&value, (uint32_t)n);
	buf_add(&value, actor->path, n);
	buf_add(&value, line->data, line->len);
	value.failed |= line->failed;
	txn_put(txn, &row, &value);
}

static void put_draft(struct txn *txn, uint64_t id, const struct actor *actor, const void *bytes, size_t n)
{
	cleanup_buf struct buf row = {0};
	int64_t now = txn_now(txn);
	struct head head = {.meta = {0600, actor->uid, actor->gid, now, now, now}};
	head.birth = head.version = txn_sequence(txn);
	head.size = (uint32_t)n;
	row_refusal(&row, id, false);
	image_store(txn, &row, &head, bytes, true); /* it may be recorded again */
}

struct adding {
	struct volume *volume;
	const struct refusal *refusal;
	uint64_t id;
};

static enum rc add_commit(struct txn *txn, void *context)
{
	struct adding *a = context;
	const struct refusal *r = a->refusal;
	cleanup_buf struct buf line = {0};
	if (!a->id)
		a->id = commit_new_refusal(a->volume);
	compose(&line, r->actor, r->error, r->why, r->draft ? a->id : 0, txn_now(txn));
	put_line(txn, a->id, r->actor, &line);
	if (r->draft)
		put_draft(txn, a->id, r->actor, r->draft->data, r->draft->len);
	return RC_OK;
}

struct evicting {
	bool drafts; /* or lines */
	size_t count;
	uint64_t ids[REFUSALS_STEP];
};

static enum rc evict_commit(struct txn *txn, void *context)
{
	struct evicting *e = context;
	for (size_t i = 0; i < e->count; i++) {
		cleanup_buf struct buf row = {0};
		if (e->drafts)
			row_refusal(&row, e->ids[i], false);
		else
			row_error(&row, e->ids[i]);
		image_delete(txn, &row, e->drafts);
	}
	return RC_OK;
}

/* Of which ring the oldest have to go, and which those are. NULL: the bounds hold. With the lock held. */
static struct ring *choose(struct refusals *r, struct evicting *ret)
{
	ret->drafts = r->drafts.count > REFUSALS_KEPT || (r->drafts.count > 1 && r->drafts.bytes > REFUSALS_KEPT_BYTES);
	struct ring *ring = ret->drafts ? &r->drafts : r->lines.count > REFUSALS_LINES ? &r->lines : NULL;
	ret->count = !ring ? 0 : ret->drafts ? 1 : REFUSALS_STEP;
	for (size_t i = 0; i < ret->count; i++)
		ret->ids[i] = ring->at[i].id;
	return ring;
}

/* Takes the oldest out until the bounds hold. What cannot be deleted now stays, and is tried again with the next. */
static void bound(struct volume *volume)
{
	struct refusals *r = volume->refusals;
	for (;;) {
		struct evicting evicting;
		pthread_mutex_lock(&r->lock);
		struct ring *ring = choose(r, &evicting);
		pthread_mutex_unlock(&r->lock);
		if (!ring || commit_run(volume, evict_commit, &evicting, COMMIT_FREES))
			return;
		pthread_mutex_lock(&r->lock);
		for (size_t i = 0; i < evicting.count; i++)
			ring_remove(ring, evicting.ids[i]);
		pthread_mutex_unlock(&r->lock);
	}
}

static void remember(struct volume *volume, uint64_t id, bool draft, uint32_t size)
{
	struct refusals *r = volume->refusals;
	__atomic_store_n(&r->changed, clock_now(), __ATOMIC_RELAXED);
	pthread_mutex_lock(&r->lock);
	ring_add(&r->lines, id, 0);
	if (draft)
		ring_add(&r->drafts, id, size);
	pthread_mutex_unlock(&r->lock);
	bound(volume);
}

enum rc refusals_add(struct volume *volume, const struct refusal *refusal, uint64_t *id)
{
	struct adding adding = {volume, refusal, *id};
	enum rc rc = make_room(volume->refusals);
	if (!rc)
		rc = commit_run(volume, add_commit, &adding, 0);
	if (rc)
		return rc;
	*id = adding.id;
	remember(volume, adding.id, refusal->draft, refusal->draft ? (uint32_t)refusal->draft->len : 0);
	return RC_OK;
}

enum rc refusals_keep(struct txn *txn, struct volume *volume, const struct actor *actor, const void *bytes, size_t n,
		      struct refusal_kept *ret_kept)
{
	cleanup_buf struct buf line = {0};
	struct why why = {.line = 0};
	enum rc rc = make_room(volume->refusals);
	if (rc)
		return rc;
	uint64_t id = commit_new_refusal(volume);
	why_set(&why, RC_OK, "emptied; the %zu bytes that were there are kept", n);
	compose(&line, actor, "OK", &why, id, txn_now(txn));
	put_line(txn, id, actor, &line);
	put_draft(txn, id, actor, bytes, n);
	*ret_kept = (struct refusal_kept){id, (uint32_t)n};
	return RC_OK;
}

void refusals_kept(struct volume *volume, const struct refusal_kept *kept)
{
	remember(volume, kept->id, true, kept->size);
}

/* The id in the key of an 'R' or 'E' row. */
static enum rc row_id(const uint8_t *key, size_t n, uint64_t *ret_id)
{
	struct row_reader reader = {key, key + n, false};
	row_read_bytes(&reader, 5);
	*ret_id = row_read_u64(&reader);
	return reader.bad || reader.at != reader.end ? RC_CORRUPT : RC_OK;
}

/* Splits an 'E' row's value; false where it is not one. */
static bool read_line(const uint8_t *value, size_t n, uint32_t *ret_uid, const char **ret_path, size_t *ret_path_n, const char **ret_line,
		      size_t *ret_line_n)
{
	struct row_reader reader = {value, value + n, false};
	*ret_uid = row_read_u32(&reader);
	*ret_path_n = row_read_u32(&reader);
	*ret_path = (const char *)row_read_bytes(&reader, *ret_path_n);
	*ret_line = (const char *)reader.at;
	*ret_line_n = (size_t)(reader.end - reader.at);
	return !reader.bad;
}

/* A copy of the ids of all lines, for reading them without the lock. */
static enum rc line_ids(struct volume *volume, uint64_t **ret_ids, size_t *ret_count)
{
	struct refusals *r = volume->refusals;
	pthread_mutex_lock(&r->lock);
	uint64_t *ids = malloc((r->lines.count + 1) * sizeof *ids);
	for (size_t i = 0; ids && i < r->lines.count; i++)
		ids[i] = r->lines.at[i].id;
	*ret_count = r->lines.count;
	pthread_mutex_unlock(&r->lock);
	*ret_ids = ids;
	return ids ? RC_OK : RC_NO_MEMORY;
}

static enum rc line_value(struct volume *volume, uint64_t id, struct buf *ret_value)
{
	cleanup_buf struct buf row = {0};
	row_error(&row, id);
	buf_clear(ret_value);
	return store_get(volume->store, NULL, row.data, row.len, ret_value);
}

/* The first id that may have a line: what was evicted before it is not walked over. */
static uint64_t first_line(struct volume *volume)
{
	pthread_mutex_lock(&volume->refusals->lock);
	const struct ring *lines = &volume->refusals->lines;
	uint64_t first = lines->count ? lines->at[0].id : 0;
	pthread_mutex_unlock(&volume->refusals->lock);
	return first;
}

/* By the rows and not by what is remembered: commits come there in the order of their ids, so that none is told after a later one, and missed by
 * whoever goes on from that. */
enum rc refusals_lines(struct volume *volume, bool all, uint32_t uid, uint64_t *after, struct buf *out)
{
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	uint64_t first = first_line(volume), id = after ? *after : 0;
	row_error(&low, after && *after >= first ? *after + 1 : first);
	row_error(&high, UINT64_MAX);
	enum rc rc = rows_cursor(volume->store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		uint32_t owner;
		const char *path, *line;
		size_t n, value_n, path_n, line_n;
		const uint8_t *key = store_cursor_key(cursor, &n), *value = store_cursor_value(cursor, &value_n);
		if (row_id(key, n, &id) || !read_line(value, value_n, &owner, &path, &path_n, &line, &line_n))
			rc = RC_CORRUPT;
		if (!rc && (all || owner == uid)) {
			buf_add(out, line, line_n);
			buf_add_byte(out, '\n');
		}
	}
	store_cursor_close(cursor);
	if (rc != RC_NOT_FOUND)
		return rc;
	if (after)
		*after = id;
	return out->failed ? RC_NO_MEMORY : RC_OK;
}

int64_t refusals_changed(const struct volume *volume)
{
	return __atomic_load_n(&volume->refusals->changed, __ATOMIC_RELAXED);
}

enum rc refusals_last(struct volume *volume, const char *path, bool all, uint32_t uid, struct buf *out)
{
	cleanup_buf struct buf value = {0};
	uint64_t *ids;
	size_t count, wanted = strlen(path);
	enum rc rc = line_ids(volume, &ids, &count);
	bool found = false, below = wanted && path[wanted - 1] == '/';
	for (size_t i = count; !rc && !found && i-- > 0;) {
		uint32_t owner;
		const char *its, *line;
		size_t its_n, line_n;
		if (line_value(volume, ids[i], &value) || !read_line(value.data, value.len, &owner, &its, &its_n, &line, &line_n))
			continue;
		found = (all || owner == uid) && (below ? its_n > wanted : its_n == wanted) && memcmp(its, path, wanted) == 0;
		if (found)
			buf_add(out, line, line_n);
	}
	free(ids);
	return rc ? rc : !found ? RC_NOT_FOUND : out->failed ? RC_NO_MEMORY : RC_OK;
}

static enum rc get_at(struct volume *volume, const struct store_snapshot *at, uint64_t id, struct head *ret_head, struct buf *ret_draft)
{
	cleanup_buf struct buf row = {0}, value = {0};
	const uint8_t *in;
	row_refusal(&row, id, false);
	enum rc rc = store_get(volume->store, at, row.data, row.len, &value);
	if (!rc)
		rc = head_read(value.data, value.len, ret_head, &in);
	if (rc || !ret_draft)
		return rc;
	if (in) {
		buf_add(ret_draft, in, ret_head->size);
		return ret_draft->failed ? RC_NO_MEMORY : RC_OK;
	}
	buf_clear(&row);
	row_refusal(&row, id, true);
	rc = store_get(volume->store, at, row.data, row.len, ret_draft);
	return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
}

enum rc refusals_get(struct volume *volume, const struct view *view, uint64_t id, struct head *ret_head, struct buf *ret_draft)
{
	struct store_snapshot *at = NULL;
	if (view || !ret_draft)
		return get_at(volume, view_snapshot(view), id, ret_head, ret_draft);
	/* Head and body are two reads, and a draft may be recorded again, or go, between them. */
	enum rc rc = store_snapshot_take(volume->store, &at);
	if (!rc)
		rc = get_at(volume, at, id, ret_head, ret_draft);
	store_snapshot_release(volume->store, at);
	return rc;
}

enum rc refusals_next(struct volume *volume, uint64_t from, uint64_t *ret_id, struct head *ret_head)
{
	struct refusals *r = volume->refusals;
	for (;;) {
		uint64_t id = 0;
		pthread_mutex_lock(&r->lock);
		for (size_t i = 0; i < r->drafts.count && !id; i++)
			if (r->drafts.at[i].id >= from)
				id = r->drafts.at[i].id;
		pthread_mutex_unlock(&r->lock);
		if (!id)
			return RC_NOT_FOUND;
		enum rc rc = refusals_get(volume, NULL, id, ret_head, NULL);
		if (rc == RC_NOT_FOUND) { /* removed meanwhile */
			from = id + 1;
			continue;
		}
		*ret_id = id;
		return rc;
	}
}

enum rc refusals_remove(struct volume *volume, uint64_t id)
{
	struct evicting evicting = {.drafts = true, .count = 1, .ids = {id}};
	struct head head;
	enum rc rc = refusals_get(volume, NULL, id, &head, NULL);
	if (!rc)
		rc = commit_run(volume, evict_commit, &evicting, COMMIT_FREES);
	if (rc)
		return rc;
	pthread_mutex_lock(&volume->refusals->lock);
	ring_remove(&volume->refusals->drafts, id);
	pthread_mutex_unlock(&volume->refusals->lock);
	return RC_OK;
}

/* Finds what earlier mounts left, by a walk over the heads. */
static enum rc load_ring(struct volume *volume, bool drafts)
{
	struct refusals *r = volume->refusals;
	struct ring *ring = drafts ? &r->drafts : &r->lines;
	cleanup_buf struct buf low = {0}, high = {0};
	struct store_cursor *cursor = NULL;
	if (drafts) {
		row_refusal(&low, 0, false);
		row_refusal(&high, UINT64_MAX, false);
	} else {
		row_error(&low, 0);
		row_error(&high, UINT64_MAX);
	}
	enum rc rc = rows_cursor(volume->store, NULL, &low, &high, &cursor);
	while (!rc && !(rc = store_cursor_next(cursor))) {
		size_t n, value_n;
		const uint8_t *key = store_cursor_key(cursor, &n);
		const uint8_t *value = store_cursor_value(cursor, &value_n);
		const uint8_t *in;
		struct head head = {.size = 0};
		uint64_t id;
		if (row_id(key, n, &id) || (drafts && head_read(value, value_n, &head, &in)))
			rc = RC_CORRUPT;
		else if (!ring_reserve(ring) || !ring_add(ring, id, head.size))
			rc = RC_NO_MEMORY;
	}
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc refusals_load(struct volume *volume)
{
	volume->refusals = calloc(1, sizeof *volume->refusals);
	if (!volume->refusals)
		return RC_NO_MEMORY;
	pthread_mutex_init(&volume->refusals->lock, NULL);
	enum rc rc = load_ring(volume, true);
	return rc ? rc : load_ring(volume, false);
}

void refusals_free(struct volume *volume)
{
	struct refusals *r = volume->refusals;
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r->lines.at);
	free(r->drafts.at);
	free(r);
	volume->refusals = NULL;
}
