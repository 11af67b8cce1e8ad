/* log: why it exists is said in log.h. A line is put together first and written with one call, so that lines of several
 * threads do not mix. */
#define FUSE_USE_VERSION 312
#include "fs/log.h"

#include <fuse3/fuse_log.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { LINE_MAX_BYTES = 2048 };

static atomic_bool in_syslog;

static void write_line(int level, const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES];

	if (vsnprintf(line, sizeof(line), format, arguments) < 0)
		return;
	line[strcspn(line, "\n")] = '\0'; /* libfuse ends its own messages with one */
	if (atomic_load(&in_syslog))
		syslog(level, "%s", line);
	else
		fprintf(stderr, "itemfs: %s\n", line);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_ERR, format, arguments);
	va_end(arguments);
}

/* libfuse numbers its levels as syslog does. */
static void log_from_libfuse(enum fuse_log_level level, const char *format, va_list arguments)
{
	write_line((int)level, format, arguments);
}

void log_to_syslog(void)
{
	openlog("itemfs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	atomic_store(&in_syslog, true);
	fuse_set_log_func(log_from_libfuse);
}
