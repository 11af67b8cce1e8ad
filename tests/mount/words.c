/* The short words of harness.h for files, shells, refusals and definitions. */
#include "tests/mount/harness.h"
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

int errno_of(long result)
{
	return result < 0 ? errno : 0;
}

static const char *failure(void)
{
	return text("<%s>", strerrorname_np(errno));
}

struct outcome put_steps(const char *path, const void *bytes, size_t n, int flags)
{
	struct outcome got = {0};
	int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0644);
	if (fd < 0) {
		got.open = errno;
		return got;
	}
	for (size_t done = 0; done < n;) {
		ssize_t wrote = write(fd, (const char *)bytes + done, n - done);
		if (wrote < 0) {
			got.write = errno;
			break;
		}
		done += (size_t)wrote;
	}
	if (close(fd) < 0)
		got.close = errno;
	return got;
}

int put_bytes(const char *path, const void *bytes, size_t n)
{
	struct outcome got = put_steps(path, bytes, n, 0);
	errno = got.open ? got.open : got.write ? got.write : got.close;
	return errno ? -1 : 0;
}

int put(const char *path, const char *document)
{
	return put_bytes(path, document, strlen(document));
}

/* Reads a descriptor to its end and NUL-terminates; NULL and errno. */
static char *drain(int fd, size_t *ret_n)
{
	size_t n = 0, room = 1 << 14;
	char *all = malloc(room);
	for (;;) {
		if (n + 1 == room) {
			room *= 2;
			all = realloc(all, room);
		}
		cr_assert(all != NULL);
		ssize_t got = read(fd, all + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int saved = errno;
			free(all);
			errno = saved;
			return NULL;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	all[n] = 0;
	*ret_n = n;
	return kept(all);
}

char *content_bytes(const char *path, size_t *ret_n)
{
	int fd = open(at(path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	char *all = drain(fd, ret_n);
	int saved = errno;
	close(fd);
	errno = saved;
	return all;
}

const char *content(const char *path)
{
	size_t n;
	const char *all = content_bytes(path, &n);
	return all ? all : failure();
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *list(const char *path, bool sorted)
{
	DIR *dir = opendir(at(path));
	if (!dir)
		return failure();
	char **names = NULL;
	size_t count = 0, bytes = 1;
	errno = 0;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		names = realloc(names, (count + 1) * sizeof *names);
		cr_assert(names != NULL);
		names[count++] = strdup(e->d_name);
		bytes += strlen(e->d_name) + 1;
	}
	int failed = errno;
	closedir(dir);
	if (sorted && count)
		qsort(names, count, sizeof *names, by_bytes);
	char *all = kept(calloc(bytes, 1));
	char *end = all;
	for (size_t i = 0; i < count; i++) {
		end = stpcpy(stpcpy(end, names[i]), "\n");
		free(names[i]);
	}
	free(names);
	errno = failed;
	return failed ? failure() : all;
}

const char *listing(const char *path)
{
	return list(path, false);
}

const char *listing_sorted(const char *path)
{
	return list(path, true);
}

bool exists(const char *path)
{
	struct stat st;
	return lstat(at(path), &st) == 0;
}

int64_t mtime_of(const char *path)
{
	struct stat st;
	return lstat(at(path), &st) == 0 ? st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec : -1;
}

unsigned mode_of(const char *path)
{
	struct stat st;
	return lstat(at(path), &st) == 0 ? st.st_mode & 07777 : 0xffff;
}

off_t size_of(const char *path)
{
	struct stat st;
	return lstat(at(path), &st) == 0 ? st.st_size : -1;
}

static const char *output = "";

const char *sh_output(void)
{
	return output;
}

int sh(const char *command)
{
	int ends[2];
	const char *point = at(""), *own = scratch("");
	cr_assert(pipe(ends) == 0);
	pid_t pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		for (int fd = 3; fd < 256; fd++)
			close(fd);
		setenv("M", point, 1);
		setenv("V", volume(), 1);
		setenv("D", own, 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		signal(SIGPIPE, SIG_DFL);
		execlp("timeout", "timeout", "-k", "5", "900", "bash", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	size_t n;
	const char *all = drain(ends[0], &n);
	close(ends[0]);
	output = all ? all : "";
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Lines of the journal that refusal_of() has passed, and the one that it stands on. */
static size_t journal_seen;
static json_t *journal_line;

static const char *without_slash(const char *path)
{
	return *path == '/' ? path + 1 : path;
}

size_t refusals(void)
{
	size_t n = 0;
	for (const char *c = content(".itemfs/errors"); *c; c++)
		n += *c == '\n';
	return n;
}

/* Looks through the lines from `journal_seen` on. */
static bool journal_find(const char *path)
{
	size_t number = 0;
	const char *line = content(".itemfs/errors");
	for (const char *end = strchr(line, '\n'); end; line = end + 1, end = strchr(line, '\n')) {
		if (number++ < journal_seen)
			continue;
		json_t *parsed = json_loadb(line, (size_t)(end - line), 0, NULL);
		cr_assert(parsed != NULL, "a line of .itemfs/errors is not JSON: %.*s", (int)(end - line), line);
		const char *about = json_string_value(json_object_get(parsed, "path"));
		if (about && strcmp(without_slash(about), path) == 0) {
			json_decref(journal_line);
			journal_line = parsed;
			journal_seen = number;
			return true;
		}
		json_decref(parsed);
	}
	return false;
}

bool refusal_of(const char *path)
{
	return await(journal_find, path);
}

const char *refusal(const char *field)
{
	json_t *value = json_object_get(journal_line, field);
	if (!value)
		return "";
	if (json_is_string(value))
		return text("%s", json_string_value(value));
	return kept(json_dumps(value, JSON_ENCODE_ANY));
}

/* "Year:N" → name and type into `defined`, once each. */
static void define_attribute(json_t *defined, const char *word, const char *role, json_t *key)
{
	const char *colon = strchr(word, ':');
	cr_assert(colon != NULL, "%s", word);
	json_t *name = json_stringn(word, (size_t)(colon - word));
	json_array_append_new(key, json_pack("{sO ss}", "AttributeName", name, "KeyType", role));
	size_t i;
	json_t *known;
	json_array_foreach(defined, i, known)
	{
		if (json_equal(json_object_get(known, "AttributeName"), name)) {
			json_decref(name);
			return;
		}
	}
	json_array_append_new(defined, json_pack("{so ss}", "AttributeName", name, "AttributeType", colon + 1));
}

static json_t *projection_of(const char *type, char *names)
{
	json_t *projection = json_pack("{ss}", "ProjectionType", type);
	if (strcmp(type, "INCLUDE") == 0) {
		json_t *include = json_array();
		char *rest = NULL;
		for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
			json_array_append_new(include, json_string(name));
		json_object_set_new(projection, "NonKeyAttributes", include);
	}
	return projection;
}

static void define_index(json_t *table, json_t *defined, const char *partition, const char *line)
{
	char words[512], *rest = NULL;
	snprintf(words, sizeof words, "%s", line);
	bool local = strcmp(strtok_r(words, " ", &rest), "lsi") == 0;
	json_t *index = json_object(), *key = json_array();
	json_object_set_new(index, "IndexName", json_string(strtok_r(NULL, " ", &rest)));
	if (local)
		define_attribute(defined, partition, "HASH", key);
	char *word = strtok_r(NULL, " ", &rest);
	for (; word && strchr(word, ':'); word = strtok_r(NULL, " ", &rest))
		define_attribute(defined, word, json_array_size(key) ? "RANGE" : "HASH", key);
	cr_assert(word != NULL, "%s: no projection", line);
	json_object_set_new(index, "KeySchema", key);
	json_object_set_new(index, "Projection", projection_of(word, strtok_r(NULL, " ", &rest)));
	const char *field = local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes";
	json_t *indexes = json_object_get(table, field);
	if (!indexes) {
		indexes = json_array();
		json_object_set_new(table, field, indexes);
	}
	json_array_append_new(indexes, index);
}

static const char *define(const char *key, va_list indexes)
{
	char words[256], *rest = NULL;
	snprintf(words, sizeof words, "%s", key);
	json_t *table = json_object(), *defined = json_array(), *schema = json_array();
	const char *partition = strtok_r(words, " ", &rest);
	define_attribute(defined, partition, "HASH", schema);
	const char *sort = strtok_r(NULL, " ", &rest);
	if (sort)
		define_attribute(defined, sort, "RANGE", schema);
	json_object_set_new(table, "KeySchema", schema);
	json_object_set_new(table, "BillingMode", json_string("PAY_PER_REQUEST"));
	for (const char *line = va_arg(indexes, const char *); line; line = va_arg(indexes, const char *))
		define_index(table, defined, partition, line);
	json_object_set_new(table, "AttributeDefinitions", defined);
	char *document = json_dumps(table, JSON_INDENT(2));
	json_decref(table);
	return kept(document);
}

const char *definition(const char *key, ...)
{
	va_list indexes;
	va_start(indexes, key);
	const char *document = define(key, indexes);
	va_end(indexes);
	return document;
}

void declare(const char *table, const char *key, ...)
{
	va_list indexes;
	va_start(indexes, key);
	const char *document = define(key, indexes);
	va_end(indexes);
	assert_ok(mkdir(at(table), 0755));
	assert_ok(put(text("%s/.schema.json", table), document));
}
