/* replay: runs a fuzzer's entry point over files, without libFuzzer, so that every compiler replays the seeds and
 * what fuzzing once found. Arguments are files and directories of files; no file at all is a failure, as a test that
 * tests nothing should be.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static size_t replayed;

static int complain(const char *path)
{
	fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
	return -1;
}

static int replay_file(const char *path, size_t n)
{
	FILE *file = fopen(path, "r");
	uint8_t *bytes = malloc(n ? n : 1);
	int result = -1;

	if (!file || !bytes) {
		complain(path);
	} else if (fread(bytes, 1, n, file) != n) {
		fprintf(stderr, "replay: %s: cannot be read whole\n", path);
	} else {
		printf("%s\n", path);
		fflush(stdout); /* so that the last line names the file that aborts */
		LLVMFuzzerTestOneInput(bytes, n);
		replayed++;
		result = 0;
	}
	free(bytes);
	if (file)
		fclose(file);
	return result;
}

static int replay_path(const char *path, int may_be_directory);

static int replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char *child;
	int result = 0;

	if (!directory)
		return complain(path);
	while (!result && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0) {
			result = complain(path);
			break;
		}
		result = replay_path(child, 0);
		free(child);
	}
	closedir(directory);
	return result;
}

static int replay_path(const char *path, int may_be_directory)
{
	struct stat about;

	if (stat(path, &about))
		return complain(path);
	if (S_ISDIR(about.st_mode))
		return may_be_directory ? replay_directory(path) : 0;
	return replay_file(path, (size_t)about.st_size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay_path(argv[i], 1))
			return 1;
	if (!replayed) {
		fprintf(stderr, "usage: %s FILE-OR-DIRECTORY…\nreplay: no file was given, nothing was tested\n",
			argv[0]);
		return 1;
	}
	return 0;
}
