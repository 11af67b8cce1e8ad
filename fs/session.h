/* session: the life of the process that serves a mount, from the fork to the last unmount. It knows nothing of what is served.
 *
 * Steps, in this order (main.c takes them):
 *   session_begin()     forks, unless in the foreground. Before anything that a fork would break: threads, LevelDB's lock.
 *   session_mount()     the mount is there, and nobody answers yet.
 *   session_serve()     answers, until a signal, an unmount or a failure. session_announce() is called from within, once, when
 *                       the kernel has greeted us: only now does the command that the user typed return.
 *   session_unmount()   no request can come any more.
 *   session_free()
 * SIGTERM, SIGINT and SIGHUP are blocked from session_begin() to session_serve(), so that threads which are started meanwhile leave
 * them to the main thread, and a signal that comes early ends the loop as soon as there is one. What may take long
 * before that asks session_is_told_to_end().
 */
#ifndef ITEMFS_SESSION_H
#define ITEMFS_SESSION_H

#include "fs/options.h"
#include "store/model/rc.h"
#include "store/model/why.h"

struct session;
struct fuse_lowlevel_ops;
struct fuse_session;

/* In the background returns in the child only; the parent waits for the mount to answer and exits 0, or with the child's status. */
enum rc session_begin(const struct options *options, struct session **ret_session, struct why *why);

/* Whether a signal to end has come since session_begin(), and before session_serve(). */
bool session_is_told_to_end(void);

/* Takes a struct session *, as a callback may. Tells the waiting parent and lets go of the terminal. */
void session_announce(void *session);

/* Options must be resolved. `operations` and `context` are borrowed until session_free(). */
enum rc session_mount(struct session *session, const struct options *options,
		      const struct fuse_lowlevel_ops *operations, void *context, struct why *why);

/* Borrowed until session_free(); NULL before session_mount(). */
struct fuse_session *session_fuse(const struct session *session);

/* How many threads serve at most. */
unsigned session_threads(const struct options *options);

/* RC_OK: ended by a signal or an unmount. `ending` is called with `context` when that has come, and requests are still under way: they are waited for. */
enum rc session_serve(struct session *session, const struct options *options, void (*ending)(void *context), void *context, struct why *why);

void session_unmount(struct session *session);
void session_free(struct session *session); /* NULL is fine */

#endif
