/* repair: see repair.h. Here is how it goes as a whole; the directory is repair_place.c, the rows are repair_rows.c and repair_table.c. */
#include "index/repair_private.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_BYTES = 1 << 20 };

void repair_say(struct repair *r, const char *format, ...)
{
	FILE *to[] = {r->out, r->report};
	for (size_t i = 0; i < 2; i++) {
		va_list args;
		va_start(args, format);
		vfprintf(to[i], format, args);
		va_end(args);
		fputc('\n', to[i]);
	}
	r->said++;
}

static enum rc write_lost(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "wxe");
	if (!file)
		return errno == ENOSPC ? RC_NO_SPACE : RC_IO;
	bool written = fwrite(bytes, 1, n, file) == n;
	bool synced = fflush(file) == 0 && fsync(fileno(file)) == 0;
	int error = errno;
	bool closed = fclose(file) == 0;
	return written && synced && closed ? RC_OK : error == ENOSPC ? RC_NO_SPACE : RC_IO;
}

enum rc repair_keep(struct repair *r, const char *whose, const char *words, const void *bytes, size_t n)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/lost", r->place);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/lost/%06lu", r->place, r->lost + 1);
	enum rc rc = write_lost(path, n ? bytes : "", n);
	if (rc)
		return rc;
	r->lost++;
	repair_say(r, "%s: %s: kept as lost/%06lu", whose, words, r->lost);
	return RC_OK;
}

enum rc repair_flush(struct repair *r)
{
	enum rc rc = r->batched ? store_write(r->to.store, r->batch, false) : RC_OK;
	store_batch_clear(r->batch);
	r->batched = 0;
	return rc;
}

enum rc repair_put(struct repair *r, const struct buf *key, const void *value, size_t n)
{
	if (key->failed || !key->len)
		return RC_NO_MEMORY;
	store_batch_put(r->batch, key->data, key->len, value, n);
	r->batched += key->len + n + 1;
	return r->batched >= BATCH_BYTES ? repair_flush(r) : RC_OK;
}

enum rc repair_put_image(struct repair *r, const struct buf *row, const struct head *head, const void *document)
{
	cleanup_buf struct buf value = {0}, body = {0};
	head_write(&value, head, document);
	enum rc rc = value.failed ? RC_NO_MEMORY : repair_put(r, row, value.data, value.len);
	if (rc || head->size <= ROW_INLINE_MAX)
		return rc;
	buf_add(&body, row->data, row->len);
	if (!body.failed) /* a draft's head is 'R', its bytes 'S': as for the others, the next letter; an item's are 'B' */
		body.data[4] = body.data[4] == 'H' ? 'B' : (uint8_t)(body.data[4] + 1);
	return repair_put(r, &body, document, head->size);
}

void repair_saw(struct repair *r, uint64_t sequence)
{
	if (sequence > r->sequence && sequence < UINT64_MAX / 2)
		r->sequence = sequence;
}

/* ---- the stores ---- */

static enum rc reads_whole(struct store *store)
{
	struct store_cursor *cursor = NULL;
	enum rc rc = store_cursor_open(store, NULL, "", 0, NULL, 0, &cursor);
	while (!rc)
		rc = store_cursor_next(cursor);
	store_cursor_close(cursor);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The store to read from: the volume's own where all of it can be read (only what its rows say is wrong, then), and otherwise what can be had of it. */
static enum rc open_source(struct repair *r, const char *db, struct why *why)
{
	char engine[PATH_MAX + 16];
	struct store_options options = {.create = false};
	enum rc rc = store_open(db, &options, &r->from.store, why);
	if (!rc)
		rc = reads_whole(r->from.store);
	if (!rc || rc == RC_NO_MEMORY || rc == RC_BUSY || rc == RC_FORBIDDEN)
		return rc;
	store_close(r->from.store);
	r->from.store = NULL;
	snprintf(engine, sizeof engine, "%s/engine", r->place);
	repair_say(r, "the store cannot be read as a whole: what can be is copied");
	rc = repair_room(r->place, db, 2, why);
	if (!rc)
		rc = store_salvage(db, engine, r->report, why);
	return rc ? rc : store_open(engine, &options, &r->from.store, why);
}

static enum rc prove(struct repair *r, struct why *why)
{
	struct volume volume = {.store = r->to.store};
	unsigned long problems = 0;
	enum rc rc = check_volume(&volume, r->report, false, &problems);
	if (!rc && problems)
		rc = why_set(why, RC_CORRUPT, "what was repaired does not pass the check: %lu problem%s", problems, problems == 1 ? "" : "s");
	return rc;
}

/* Makes the new store; both are closed when it returns. */
static enum rc make_new(struct repair *r, const char *db, struct why *why)
{
	char new[PATH_MAX + 16];
	struct store_options options = {.create = true};
	snprintf(new, sizeof new, "%s/new", r->place);
	enum rc rc = open_source(r, db, why);
	if (!rc)
		rc = store_open(new, &options, &r->to.store, why);
	if (!rc)
		rc = store_batch_new(r->to.store, &r->batch);
	if (!rc)
		rc = repair_rows(r, why);
	if (!rc)
		rc = repair_flush(r);
	if (!rc)
		rc = prove(r, why);
	if (!rc)
		rc = store_sync(r->to.store);
	store_batch_free(r->batch);
	store_close(r->to.store);
	store_close(r->from.store);
	free(r->from.tables);
	return rc;
}

static enum rc repair_in_place(const char *path, FILE *out, struct repair_report *report, struct why *why)
{
	char db[PATH_MAX + 16], name[PATH_MAX + 16];
	struct repair r = {.out = out, .place = report->place, .next_table = 1, .next_refusal = 1};
	snprintf(db, sizeof db, "%s/db", path);
	snprintf(name, sizeof name, "%s/report.txt", report->place);
	r.from.out = r.to.out = r.report = fopen(name, "we");
	if (!r.report)
		return repair_failed(why, name);
	enum rc rc = make_new(&r, db, why);
	bool written = fflush(r.report) == 0 && fsync(fileno(r.report)) == 0;
	written &= fclose(r.report) == 0;
	if (!rc && !written)
		rc = repair_failed(why, name);
	if (!rc)
		rc = repair_exchange(path, report->place, why);
	report->lost = r.lost;
	report->said = r.said;
	return rc;
}

/* With the lock. */
static enum rc repair_locked(const char *path, FILE *out, struct repair_report *report, struct why *why)
{
	char db[PATH_MAX + 16];
	snprintf(db, sizeof db, "%s/db", path);
	enum rc rc = repair_resume(path, why);
	if (rc)
		return rc;
	rc = repair_room(path, db, 1, why);
	if (!rc)
		rc = repair_make_place(path, report, why);
	if (rc)
		return rc;
	rc = repair_in_place(path, out, report, why);
	repair_clear_place(path, report->place, rc);
	return rc;
}

enum rc repair_volume(const char *path, FILE *out, struct repair_report *ret_report, struct why *why)
{
	int lock = -1;
	*ret_report = (struct repair_report){.place = ""};
	if (strlen(path) + sizeof "/damaged-999" > PATH_MAX)
		return why_set(why, RC_INVALID, "the path is too long");
	if (!repair_was_cut_short(path) && !repair_is_there(path, "db"))
		return why_set(why, RC_NOT_FOUND, "%s holds no itemfs volume", path);
	enum rc rc = volume_lock(path, "fsck.itemfs --repair", NULL, &lock, why);
	if (rc)
		return rc;
	rc = repair_locked(path, out, ret_report, why);
	close(lock);
	return rc;
}
