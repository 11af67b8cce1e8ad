/* workers: the threads that read requests from the kernel and answer them, instead of libfuse's loop.
 *
 * The kernel gives a request to the thread that has waited longest. With libfuse's loop, where every idle thread waits, a single user has all of
 * them serve in turn, each with a cold stack and a cold cache of malloc: a third of the time of a create (contrib/docs/WHERE-THE-TIME-GOES.md).
 * So here
 *
 * 1. at most a few idle threads wait for the kernel (`spare`); the others are parked, and who was parked last is called first;
 * 2. whoever takes a request while nobody else waits calls another thread, or makes one, before serving it: however long it takes (an fsync, a
 *    lock), the next request is read at once, as long as there are no more than `max` threads. Who writes an answer counts as one who waits: it is about to;
 * 3. threads are made when they are needed and end with the loop;
 * 4. where we may run on one processor only, two threads that take turns gain nothing, unless one of them sleeps. There the one that serves calls
 *    nobody, and a deputy looks each four milliseconds (a look takes some 15 µs of the one processor): where nobody waits,
 *    and who serves sleeps or has served for so long, it calls another, and for a second it is as in 2. It rests while nobody asks for anything.
 *
 * Polling: a processor that has nothing to do falls asleep, and waking it for a request costs more than the request. With `poll_us` one thread at a
 * time looks for the next request for so long before it waits. It does so only while that pays: after a look that found nothing it waits at once,
 * until a request comes again within that time (as KVM does with halt_poll_ns). An idle mount costs no processor time. With one processor nobody
 * polls: it is the user's.
 */
#ifndef ITEMFS_FS_WORKERS_H
#define ITEMFS_FS_WORKERS_H

struct fuse_session;

struct workers_options {
	unsigned max;     /* threads, 1 or more */
	unsigned poll_us; /* 0: never poll */
	void (*ending)(void *context); /* called once the session is told to exit, before the requests that are under way are waited for; NULL: nobody wants to know */
	void *context;
};

/* Serves until the session is told to exit, which wakes the caller too where it was a signal (the caller must be the thread that gets signals), or is
 * unmounted. 0, or -errno: no thread could be made, or the kernel's device failed. */
int workers_serve(struct fuse_session *fuse, const struct workers_options *options);

#endif
