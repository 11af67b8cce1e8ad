/* subjects: see subjects.h. */
#include "tests/mount/subjects.h"
#include "tests/mount/harness.h"
#include <dirent.h>

const struct subject subjects[] = {
    {"", DIRECTORY},
    {"$T", DIRECTORY},
    {"$O", DIRECTORY},
    {"$T/.schema.json", 0},
    {"$O/.schema.json", 0}, /* waits for its first commit */
    {"$T/.describe.json", FIXED},
    {"$T/Queen", DIRECTORY},
    {"$T/Empty", DIRECTORY},
    {"$T/$P", DIRECTORY},
    {"$T/Queen/Liar.json", 0},
    {"$T/Queen/Jealousy.json", 0},
    {"$T/Queen/$L", 0},
    {"$T/$P/Liar.json", 0},
    {"$T/Queen/Waits.json", 0}, /* likewise */
    {"$O/x/y.json", 0},
    {"$K/a/item.json", 0},
    {"$T/README", 0},
    {"$T/Queen/notes", 0},
    {"$T/Queen/good", 0}, /* what it holds could be an item's */
    {"$T/Queen/.waits", 0},
    {"$T/.import", DIRECTORY},
    {"$T/.import/bad.jsonl", 0},
    {"$T/.import/.scratch", 0},
    {"$T/.import/more.jsonl.result.json", 0},
    {"$T/.index", DIRECTORY | FIXED},
    {"$T/.index/by-year", DIRECTORY | FIXED},
    {"$T/.index/by-year/1973", DIRECTORY | FIXED},
    {"$T/.index/by-year/1973/Queen,Liar.json", FIXED},
    {"$T/.index/by-year/1973/.ge", DIRECTORY | FIXED},
    {"$T/.index/by-year/.scan/1/0/1973/Queen,Liar.json", FIXED},
    {"$T/.index/by-year/.export/items.json", FIXED},
    {"$T/Queen/.ge", DIRECTORY | FIXED},
    {"$T/Queen/.ge/J", DIRECTORY | FIXED},
    {"$T/Queen/.ge/J/Liar.json", FIXED},
    {"$T/Queen/.ge/J/.last/1", DIRECTORY | FIXED},
    {"$T/Queen/.between/J", DIRECTORY | FIXED},
    {"$T/.scan", DIRECTORY | FIXED},
    {"$T/.scan/1/0", DIRECTORY | FIXED},
    {"$T/.scan/1/0/Queen", DIRECTORY | FIXED},
    {"$T/.scan/1/0/Queen/Liar.json", FIXED},
    {"$T/.where/Year", DIRECTORY | FIXED},
    {"$T/.where/Year/eq/1973", DIRECTORY | FIXED},
    {"$T/.where/Year/eq/1973/Queen/Liar.json", FIXED},
    {"$T/.export", DIRECTORY | FIXED},
    {"$T/.export/items.jsonl", FIXED},
    {"$T/Queen/.export/items.csv", FIXED},
    {"$T/Queen/.ge/J/.export/items.json", FIXED},
    {".itemfs", DIRECTORY | FIXED},
    {".itemfs/errors", FIXED},
    {".itemfs/stats.json", FIXED},
    {".itemfs/rejected", DIRECTORY | FIXED},
    {".itemfs/rejected/$R", 0},
    {".itemfs/snapshots", DIRECTORY},
    {".itemfs/snapshots/$S", DIRECTORY},
    {".itemfs/snapshots/$S/$T", DIRECTORY | FIXED},
    {".itemfs/snapshots/$S/$T/.schema.json", FIXED},
    {".itemfs/snapshots/$S/$T/Queen", DIRECTORY | FIXED},
    {".itemfs/snapshots/$S/$T/Queen/Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/README", FIXED},
    {".itemfs/snapshots/$S/$T/.index/by-year/1973/Queen,Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/Queen/.ge/J/Liar.json", FIXED},
    {".itemfs/snapshots/$S/$T/.export/items.jsonl", FIXED},

    {"Nothing", ABSENT},
    {"$T/Nothing", ABSENT},
    {"$T/nothing.json", ABSENT},
    {"$T/Nothing%~plain", ABSENT},
    {"$T/.stream", ABSENT},
    {"$T/Queen/Nothing", ABSENT},
    {"$T/Queen/nothing.json", ABSENT},
    {"$T/Queen/.history", ABSENT},
    {"$T/Empty/nothing.json", ABSENT},
    {"$T/$P/nothing.json", ABSENT},
    {"$T/Queen/$Q", ABSENT},
    {"$O/nothing", ABSENT},
    {"$O/x/nothing.json", ABSENT},
    {"$K/a/nothing", ABSENT},
    {"$K/a/nothing.json", ABSENT},
    {"$T/.import/nothing.jsonl", ABSENT},
    {"$T/.import/nothing", ABSENT},
    {"$T/.index/nothing", ABSENT | FIXED},
    {"$T/.index/by-year/1973/nothing.json", ABSENT | FIXED},
    {"$T/.index/by-year/1973/.where", DIRECTORY | FIXED},
    {"$T/.scan/1/0/nothing", ABSENT | FIXED},
    {"$T/Queen/.ge/J/nothing.json", ABSENT | FIXED},
    {"$T/Queen/.ge/J/Killer,.json", ABSENT | FIXED},
    {"$T/.export/nothing", ABSENT | FIXED},
    {".itemfs/nothing", ABSENT | FIXED},
    {".itemfs/rejected/nothing", ABSENT | FIXED},
    {".itemfs/rejected/999999", ABSENT | FIXED},
    {".itemfs/snapshots/nothing", ABSENT},
    {".itemfs/snapshots/$S/Nothing", ABSENT | FIXED},
    {".itemfs/snapshots/$S/$T/Queen/nothing.json", ABSENT | FIXED},
};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };
const unsigned subjects_n = SUBJECTS;

#define LIAR "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973}"
#define JEALOUSY "{ \"Year\": 1978 }\n"

static unsigned made;           /* how many times */
static ino_t numbers[SUBJECTS]; /* what stood there when it was noted; 0: nothing */
static char long_item[256], long_partition[256];
static unsigned long long rejected;
static int waiting[8]; /* open, so that what they created stays without content */
static unsigned waiters;
static char top[256]; /* the mountpoint */

static const char *word(char letter, char out[256])
{
	switch (letter) {
	case 'T':
		snprintf(out, 256, "Table%u", made);
		break;
	case 'O':
		snprintf(out, 256, "Open%u", made);
		break;
	case 'K':
		snprintf(out, 256, "Keys%u", made);
		break;
	case 'S':
		snprintf(out, 256, "s%u", made);
		break;
	case 'R':
		snprintf(out, 256, "%llu", rejected);
		break;
	case 'L':
		return long_item;
	case 'Q':
		snprintf(out, 256, "%.232s%%~0123456789abcdef.json", long_item);
		break;
	case 'P':
		return long_partition;
	default:
		cr_assert_fail("no word for %c", letter);
	}
	return out;
}

const char *subject_path(const char *words)
{
	static char all[16][2048];
	static unsigned turn;
	char *out = all[turn++ % 16], its[256];
	size_t n = (size_t)snprintf(out, sizeof all[0], "%s", top);
	if (*words && out[n - 1] != '/')
		out[n++] = '/';
	for (; *words; words++) {
		if (*words == '$')
			n += (size_t)snprintf(out + n, sizeof all[0] - n, "%s", word(*++words, its));
		else
			out[n++] = *words;
	}
	out[n] = 0;
	return out;
}

/* A name in a directory that begins so. */
static void find_name(const char *directory, const char *beginning, char out[256])
{
	DIR *stream = opendir(subject_path(directory));
	struct dirent *entry;
	out[0] = 0;
	cr_assert(stream, "%s: %s", subject_path(directory), strerror(errno));
	while ((entry = readdir(stream)))
		if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0)
			snprintf(out, 256, "%s", entry->d_name);
	closedir(stream);
}

/* Whole files: 0 or the first errno. */
static int write_file(const char *words, const char *bytes, int flags)
{
	int fd = open(subject_path(words), O_WRONLY | O_CREAT | flags | O_CLOEXEC, 0644), first = fd < 0 ? errno : 0;
	if (fd < 0)
		return first;
	if (write(fd, bytes, strlen(bytes)) < 0)
		first = errno;
	if (close(fd) < 0 && !first)
		first = errno;
	return first;
}

static int read_file(const char *words, char *out, size_t room)
{
	int fd = open(subject_path(words), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, out, room - 1);
	int error = n < 0 ? errno : 0;
	close(fd);
	out[n < 0 ? 0 : n] = 0;
	return error;
}

/* What is there, byte for byte, as long as nothing was done to it that went well. */
static const struct {
	const char *path, *bytes;
} kept_files[] = {
    {"$T/Queen/Liar.json", LIAR},
    {"$T/Queen/Jealousy.json", JEALOUSY},
    {"$T/README", "read me\n"},
    {"$T/Queen/notes", "notes\n"},
    {"$T/Queen/good", "{\"Year\":1980}"},
    {"$O/x/y.json", "{}"},
    {"$K/a/item.json", "{\"b\":1}"},
    {".itemfs/snapshots/$S/$T/Queen/Liar.json", LIAR},
};

static void wait_for(int fd)
{
	cr_assert(fd >= 0, "%s", strerror(errno));
	waiting[waiters++] = fd;
}

static void let_waiters_go(void)
{
	while (waiters)
		close(waiting[--waiters]);
}

/* What is in `.import`, and what came from there: the long names. */
static void make_imports(void)
{
	char lines[2048], many[512];
	memset(many, 'k', sizeof many);
	snprintf(lines, sizeof lines, "{\"Artist\":\"Queen\",\"Title\":\"%.300s\",\"Year\":1973}\n{\"Artist\":\"%.300s\",\"Title\":\"Liar\"}\n", many, many);
	cr_assert_eq(write_file("$T/.import/more.jsonl", lines, O_TRUNC), 0);
	cr_assert_eq(write_file("$T/.import/bad.jsonl", "{\"Artist\":1}\n", O_TRUNC), EBADMSG);
	cr_assert_eq(write_file("$T/.import/.scratch", "{}\n", O_TRUNC), 0);
	find_name("$T/Queen", "kkk", long_item);
	find_name("$T", "kkk", long_partition);
	cr_assert(*long_item && *long_partition);
}

static void find_rejected(void)
{
	DIR *stream = opendir(subject_path(".itemfs/rejected"));
	struct dirent *entry;
	cr_assert(stream);
	while ((entry = readdir(stream)))
		if (strtoull(entry->d_name, NULL, 10) > rejected)
			rejected = strtoull(entry->d_name, NULL, 10);
	closedir(stream);
}

void subjects_make(void)
{
	let_waiters_go();
	if (made) {
		rmdir(subject_path(".itemfs/snapshots/$S"));
		rmdir(subject_path(".itemfs/snapshots/nothing"));
		rename(subject_path("Nothing"), subject_path("Gone-$T"));
	}
	made++;
	size_t mark = kept_mark();
	declare(strrchr(subject_path("$T"), '/') + 1, "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	declare(strrchr(subject_path("$K"), '/') + 1, "Id:S", NULL);
	kept_until(mark);
	assert_ok(mkdir(subject_path("$O"), 0755));
	assert_ok(mkdir(subject_path("$O/x"), 0755));
	assert_ok(mkdir(subject_path("$T/Empty"), 0755));
	assert_ok(mkdir(subject_path("$T/Queen"), 0755));
	for (size_t i = 0; i + 1 < sizeof kept_files / sizeof *kept_files; i++) {
		if (strncmp(kept_files[i].path, "$K", 2) == 0)
			assert_ok(mkdir(subject_path("$K/a"), 0755));
		cr_assert_eq(write_file(kept_files[i].path, kept_files[i].bytes, O_TRUNC), 0, "%s", kept_files[i].path);
	}
	make_imports();
	cr_assert_eq(write_file("$T/Queen/Refused.json", "{oops", O_TRUNC), EBADMSG);
	find_rejected();
	assert_ok(mkdir(subject_path(".itemfs/snapshots/$S"), 0755));
	wait_for(open(subject_path("$T/Queen/Waits.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	wait_for(open(subject_path("$T/Queen/.waits"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	wait_for(open(subject_path("$O/.schema.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

ino_t subject_number(const struct subject *subject)
{
	struct stat st;
	return lstat(subject_path(subject->path), &st) == 0 ? st.st_ino : 0;
}

void subjects_note(void)
{
	for (unsigned i = 0; i < SUBJECTS; i++) {
		numbers[i] = subject_number(&subjects[i]);
		cr_assert(!numbers[i] == !!(subjects[i].is & ABSENT), "%s", subject_path(subjects[i].path));
	}
}

bool subject_stands(unsigned i)
{
	return subject_number(&subjects[i]) == numbers[i];
}

void subjects_expect_kept(const char *after)
{
	char bytes[256];
	for (size_t i = 0; i < sizeof kept_files / sizeof *kept_files; i++) {
		int error = read_file(kept_files[i].path, bytes, sizeof bytes);
		cr_assert(!error && strcmp(bytes, kept_files[i].bytes) == 0, "after %s %s is %s \"%s\"", after, subject_path(kept_files[i].path),
			  strerrorname_np(error), bytes);
	}
}

void subjects_setup(void)
{
	mount_setup();
	snprintf(top, sizeof top, "%s", at(""));
}

void subjects_teardown(void)
{
	let_waiters_go();
	mount_teardown();
}
