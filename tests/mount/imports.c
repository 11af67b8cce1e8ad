/* imports: see imports.h. */
#include "tests/mount/imports.h"
#include "tests/mount/harness.h"
#include <jansson.h>

void imports_setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
}

long imports_figure(const char *result, const char *name)
{
	json_error_t error;
	json_t *object = json_loads(content(result), JSON_REJECT_DUPLICATES, &error);
	cr_assert(object, "%s: %s: %s", result, error.text, content(result));
	json_t *value = json_object_get(object, name);
	long got = json_is_integer(value) ? (long)json_integer_value(value) : -1;
	json_decref(object);
	return got;
}

long imports_items_in(const char *partition)
{
	long count = 0;
	for (const char *at = listing(partition); *at && *at != '<'; at++)
		count += *at == '\n';
	return count;
}

const char *imports_lines(const char *name, unsigned n, unsigned bad)
{
	const char *path = scratch(name);
	FILE *file = fopen(path, "w");
	cr_assert(file);
	for (unsigned i = 1; i <= n; i++)
		if (i == bad)
			fprintf(file, "{\"Artist\":\"Many\",\"number\":%u}\n", i);
		else
			fprintf(file, "{\"Artist\":\"Many\",\"Title\":\"%06u\"}\n", i);
	cr_assert_eq(fclose(file), 0);
	return path;
}
