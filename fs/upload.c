/* upload: see upload.h. */
#include "fs/upload.h"
#include <stdlib.h>
#include <string.h>

static void lock(struct frontend *front)
{
	pthread_mutex_lock(&front->uploads_lock);
}

static void unlock(struct frontend *front)
{
	pthread_mutex_unlock(&front->uploads_lock);
}

struct upload *upload_ref(struct upload *upload)
{
	atomic_fetch_add(&upload->refs, 1);
	return upload;
}

void upload_unref(struct upload *upload)
{
	if (!upload || atomic_fetch_sub(&upload->refs, 1) != 1)
		return;
	import_free(upload->import);
	spool_free(upload->spool);
	table_unref(upload->table);
	pthread_mutex_destroy(&upload->lock);
	free(upload);
}

/* With uploads_lock held. */
static struct upload **place_of_name(struct frontend *front, const struct table *table, const char *name)
{
	struct upload **at = &front->uploads;
	while (*at && ((*at)->table != table || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	return at;
}

/* Takes it out of the list; the list's reference becomes the caller's. With uploads_lock held. */
static struct upload *take_out(struct upload **at, bool gone)
{
	struct upload *upload = *at;
	*at = upload->next;
	upload->listed = false;
	if (gone)
		upload->gone = true;
	return upload;
}

/* With uploads_lock held: the oldest that can go, and is not `spared`; the caller unrefs it. NULL: few enough. */
static struct upload *take_excess(struct frontend *front, const struct upload *spared)
{
	struct upload **oldest = NULL;
	unsigned idle = 0;
	for (struct upload **at = &front->uploads; *at; at = &(*at)->next)
		if (!(*at)->writers) {
			oldest = *at == spared ? oldest : at;
			idle++;
		}
	return oldest && idle > UPLOADS_KEPT ? take_out(oldest, true) : NULL;
}

static void list(struct frontend *front, struct upload *upload)
{
	struct upload *other = NULL, *excess;
	lock(front);
	struct upload **at = place_of_name(front, upload->table, upload->name);
	if (*at)
		other = take_out(at, false);
	upload->next = front->uploads;
	front->uploads = upload_ref(upload);
	upload->listed = true;
	excess = take_excess(front, upload);
	unlock(front);
	upload_unref(other);
	upload_unref(excess);
}

enum rc upload_new(struct frontend *front, struct table *table, const char *name, const struct meta *meta, struct spool *spool, struct upload **ret_upload)
{
	struct upload *upload = calloc(1, sizeof *upload);
	if (!upload) {
		spool_free(spool);
		return RC_NO_MEMORY;
	}
	pthread_mutex_init(&upload->lock, NULL);
	atomic_init(&upload->refs, 1);
	upload->table = table_ref(table);
	strcpy(upload->name, name);
	upload->meta = *meta;
	upload->result = spool;
	upload->spool = spool;
	upload->writers = !spool; /* its maker's */
	enum rc rc = spool ? RC_OK : spool_new(volume_path(front->volume), &upload->spool);
	if (rc) {
		upload_unref(upload);
		return rc;
	}
	list(front, upload);
	*ret_upload = upload;
	return RC_OK;
}

struct upload *upload_find(struct frontend *front, const struct table *table, const char *name)
{
	lock(front);
	struct upload *upload = *place_of_name(front, table, name);
	if (upload)
		upload_ref(upload);
	unlock(front);
	return upload;
}

void upload_unlist(struct frontend *front, struct upload *upload, bool gone)
{
	struct upload *out = NULL;
	lock(front);
	if (gone)
		upload->gone = true;
	if (upload->listed)
		out = take_out(place_of_name(front, upload->table, upload->name), gone);
	unlock(front);
	upload_unref(out);
}

bool upload_is_listed(struct frontend *front, const struct upload *upload)
{
	lock(front);
	bool listed = upload->listed;
	unlock(front);
	return listed;
}

bool upload_is_gone(struct frontend *front, const struct upload *upload)
{
	lock(front);
	bool gone = upload->gone;
	unlock(front);
	return gone;
}

void upload_rename(struct frontend *front, struct upload *upload, const char *name)
{
	upload_unlist(front, upload, false);
	strcpy(upload->name, name); /* nobody finds it meanwhile */
	list(front, upload);
}

void upload_writer(struct frontend *front, struct upload *upload, int by, unsigned *ret_left)
{
	lock(front);
	upload->writers += (unsigned)by;
	*ret_left = upload->writers;
	struct upload *excess = take_excess(front, upload); /* whose last writer goes is not read to its end yet */
	unlock(front);
	upload_unref(excess);
}

enum rc upload_list(struct frontend *front, const struct table *table, char (**ret_names)[256], size_t *ret_count)
{
	size_t count = 0;
	lock(front);
	for (const struct upload *u = front->uploads; u; u = u->next)
		count += u->table == table;
	char(*names)[256] = calloc(count ? count : 1, sizeof *names);
	count = 0;
	for (const struct upload *u = front->uploads; u && names; u = u->next)
		if (u->table == table)
			strcpy(names[count++], u->name);
	unlock(front);
	*ret_names = names;
	*ret_count = count;
	return names ? RC_OK : RC_NO_MEMORY;
}

void upload_drop(struct frontend *front, const struct table *table)
{
	struct upload *out = NULL;
	lock(front);
	for (struct upload **at = &front->uploads; *at;) {
		if (table && (*at)->table != table) {
			at = &(*at)->next;
			continue;
		}
		struct upload *one = take_out(at, true);
		one->next = out;
		out = one;
	}
	unlock(front);
	while (out) {
		struct upload *one = out;
		out = one->next;
		upload_unref(one);
	}
}

static bool ends_with(const char *name, const char *tail)
{
	size_t n = strlen(name), m = strlen(tail);
	return n > m && strcmp(name + n - m, tail) == 0;
}

enum rc upload_name(const char *name, bool *ret_scratch, enum import_format *ret_format, struct why *why)
{
	static const char longest[] = ".refused.jsonl";
	static const char *const own[] = {".result.json", ".refused.jsonl", ".refused.json", ".refused.csv"};
	if (strlen(name) > 255)
		return why_set(why, RC_NAME_TOO_LONG, "%zu bytes; a name has at most 255", strlen(name));
	*ret_scratch = name[0] == '.' || ends_with(name, "~");
	if (*ret_scratch)
		return RC_OK;
	if (strlen(name) + sizeof longest - 1 > 255)
		return why_set(why, RC_NAME_TOO_LONG, "its result could have no name: %zu bytes are too many here", strlen(name));
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (ends_with(name, own[i]))
			return why_set(why, RC_INVALID, "names that end in %s are itemfs's own", own[i]);
	return import_format_of(name, ret_format, why);
}
