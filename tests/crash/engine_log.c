/* engine_log: see engine_log.h. The sentences are those of LevelDB 1.20 to 1.23. */
#include "tests/crash/engine_log.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool says(const char *line, const char *begin, const char *end)
{
	const char *at = strstr(line, begin);
	return at && strstr(at + strlen(begin), end);
}

struct engine_log engine_log_of(const char *volume)
{
	struct engine_log notes = {0};
	char line[4096];
	snprintf(line, sizeof line, "%s/db/LOG", volume);
	FILE *file = fopen(line, "re");
	while (file && fgets(line, sizeof line, file)) {
		notes.tables += says(line, "Level-0 table #", ": started");
		notes.tables_done += says(line, "Level-0 table #", " bytes ");
		notes.merges += says(line, "Compacting ", " files");
		notes.merges_done += says(line, "Compacted ", " bytes");
	}
	if (file)
		fclose(file);
	return notes;
}
