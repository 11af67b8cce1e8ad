/* random_choose: which operation comes next (random.h): any that must give the same on both sides, as the host's side stands. */
#include "tests/mount/random.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t next(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned below(struct world *w, unsigned n)
{
	return (unsigned)(next(w) % n);
}

static bool is_item(const char *path)
{
	const char *slash = strchr(path, '/');
	size_t n = strlen(path);
	return slash && slash[1] != '.' && n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static bool is_document(const char *bytes, size_t n)
{
	json_t *document = n ? json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL) : json_object();
	bool is = json_is_object(document);
	json_decref(document);
	return is;
}

static const char *table_name(struct world *w)
{
	return w->tops[below(w, TOPS)];
}

static void a_path(struct world *w, char out[NAME])
{
	if (below(w, 5) == 0)
		snprintf(out, NAME, "%s", table_name(w));
	else
		snprintf(out, NAME, "%.24s/%.32s", w->dirs[below(w, DIRS)], w->inside[below(w, INSIDE)]);
}

static mode_t a_mode(struct world *w)
{
	static const mode_t modes[] = {0644, 0600, 0755, 0640, 0444};
	return modes[below(w, 5)];
}

/* A document, or anything; into w->bytes. */
static void some_bytes(struct world *w, struct operation *op, bool document)
{
	op->bytes = w->bytes;
	if (document) {
		op->n = below(w, 10) ? (size_t)sprintf(w->bytes, "{\"v\":%u,%*s\"t\":\"%u\"}\n", below(w, 9),
						       (int)below(w, 5000), "", below(w, 100))
				     : 0;
		return;
	}
	op->n = 1 + below(w, below(w, 8) ? 60 : 9000);
	memset(w->bytes, (int)('a' + below(w, 26)), op->n);
}

static bool host_stat(const struct world *w, const char *path, struct stat *st)
{
	return fstatat(w->root[HOST], path, st, 0) == 0;
}

static bool is_open(const struct world *w, const struct stat *st)
{
	struct stat other;
	for (int i = 0; i < SLOTS; i++)
		if (w->fd[HOST][i] >= 0 && fstat(w->fd[HOST][i], &other) == 0 && other.st_ino == st->st_ino)
			return true;
	return false;
}

static void choose_put(struct world *w, struct operation *op)
{
	a_path(w, op->a);
	some_bytes(w, op, is_item(op->a) || below(w, 2));
	op->mode = a_mode(w);
	op->flags = O_WRONLY;
	if (op->what == PUT)
		op->flags |= O_CREAT | O_TRUNC | (below(w, 4) ? 0 : O_EXCL) | (below(w, 4) ? 0 : O_APPEND);
}

/* On a plain file; a directory's own handle is no matter here. */
static void choose_open(struct world *w, struct operation *op)
{
	static const int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	struct stat st;
	do
		a_path(w, op->a);
	while (is_item(op->a));
	op->mode = a_mode(w);
	op->flags = accesses[below(w, 4)] | (below(w, 4) ? O_CREAT : 0) | (below(w, 5) ? 0 : O_APPEND);
	if (op->flags & O_CREAT)
		op->flags |= below(w, 5) ? 0 : O_EXCL;
	if ((op->flags & O_ACCMODE) != O_RDONLY)
		op->flags |= below(w, 4) ? 0 : O_TRUNC;
	if (host_stat(w, op->a, &st) && S_ISDIR(st.st_mode) && !(op->flags & (O_ACCMODE | O_CREAT)))
		op->what = STAT;
}

static void choose_rename(struct world *w, struct operation *op)
{
	static const int flags[] = {0, 0, 0, 0, 1 /* RENAME_NOREPLACE */, 2 /* RENAME_EXCHANGE */, 2};
	struct stat a, b;
	a_path(w, op->a);
	a_path(w, op->b);
	op->flags = flags[below(w, 7)];
	bool there = host_stat(w, op->a, &a), other = host_stat(w, op->b, &b);
	if (there && S_ISDIR(a.st_mode))
		snprintf(op->b, NAME, "%s", table_name(w));
	if (op->flags == 2 && ((there && S_ISDIR(a.st_mode)) || (other && S_ISDIR(b.st_mode))))
		op->flags = 0;
	bool away = there && S_ISREG(a.st_mode) && is_item(op->b) && !is_item(op->a) && is_open(w, &a);
	bool back = op->flags == 2 && other && is_item(op->a) && !is_item(op->b) && is_open(w, &b);
	if (away || back)
		op->what = STAT;
}

static void choose_slot(struct world *w, struct operation *op)
{
	struct stat st;
	op->slot = (int)below(w, SLOTS);
	if (w->fd[HOST][op->slot] < 0) {
		op->what = OPEN;
		choose_open(w, op);
		return;
	}
	if (op->what == OPEN)
		op->what = CLOSE;
	some_bytes(w, op, false);
	op->at = below(w, below(w, 6) ? 100 : 50000);
	op->mode = a_mode(w);
	if (op->what == FTRUNCATE && fstat(w->fd[HOST][op->slot], &st) == 0 && st.st_size == op->at)
		op->at++;
}

void random_choose(struct world *w, struct operation *op)
{
	struct stat st;
	*op = (struct operation){.what = (enum what)below(w, WHATS), .slot = -1};
	op->time = (struct timespec){1000000000 + below(w, 100000000), below(w, 1000000000)};
	switch (op->what) {
	case PUT:
	case REPLACE:
		choose_put(w, op);
		return;
	case RENAME:
		choose_rename(w, op);
		return;
	case MKDIR:
	case RMDIR:
		op->mode = 0700 | a_mode(w);
		snprintf(op->a, NAME, "%s", table_name(w));
		return;
	case LIST:
		snprintf(op->a, NAME, "%s", below(w, 4) ? w->dirs[below(w, DIRS)] : ".");
		return;
	default:
		break;
	}
	if (op->what >= OPEN && op->what <= FTOUCH) {
		choose_slot(w, op);
		return;
	}
	a_path(w, op->a);
	op->mode = a_mode(w);
	op->at = below(w, 3) ? below(w, 9000) : 0;
	if (host_stat(w, op->a, &st) &&
	    st.st_size == op->at) /* whether cutting to the size it has is a change is nowhere said */
		op->at++;
}

/* Whether the bytes at `path` (cut or grown to `size` unless < 0) could be an item. */
static bool would_be_document(struct world *w, const char *path, off_t size)
{
	struct result got = {.out = w->bytes + ROOM};
	if (random_content(w->root[HOST], path, &got))
		return true;
	if (size > (off_t)got.n)
		memset(got.out + got.n, 0, (size_t)size - got.n);
	return is_document(got.out, size < 0 ? got.n : (size_t)size);
}

bool random_is_refused(struct world *w, const struct operation *op)
{
	struct stat a, b;
	char dir[NAME];
	if (op->what == TRUNCATE)
		return is_item(op->a) && host_stat(w, op->a, &a) && !would_be_document(w, op->a, op->at);
	if (op->what != RENAME || !host_stat(w, op->a, &a) || !S_ISREG(a.st_mode))
		return false;
	bool there = host_stat(w, op->b, &b);
	if (there ? op->flags == 1 || a.st_ino == b.st_ino || S_ISDIR(b.st_mode) : op->flags == 2)
		return false; /* the host says what */
	snprintf(dir, sizeof dir, "%.*s", (int)strcspn(op->b, "/"), op->b);
	if (!there && strchr(op->b, '/') && (!host_stat(w, dir, &b) || !S_ISDIR(b.st_mode)))
		return false;
	if (is_item(op->b) && !is_item(op->a) && !would_be_document(w, op->a, -1))
		return true;
	return op->flags == 2 && is_item(op->a) && !is_item(op->b) && !would_be_document(w, op->b, -1);
}
