/* log: the daemon's words for people. To stderr while somebody is there to read it, to syslog after that.
 *
 * One call is one line, begun with the program's name; no newline at the end of the format. Any thread may call at any time.
 */
#ifndef ITEMFS_LOG_H
#define ITEMFS_LOG_H

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From here on everything goes to syslog, what libfuse has to say too. Called once, before stderr is given up. */
void log_to_syslog(void);

#endif
