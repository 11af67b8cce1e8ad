/* notify: see notify.h. */
#define FUSE_USE_VERSION 312
#include "fs/notify.h"
#include "fs/node.h"
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct notice {
	struct notice *next;
	struct node *node; /* node_notice() */
	char name[]; /* in it; empty: the node's own attributes only */
};

struct notifier {
	pthread_t thread;
	struct tree *tree;
	pthread_mutex_t lock;
	pthread_cond_t wake, sent;
	unsigned count; /* queued, and the one under way */
	struct notice *first, **last;
	struct fuse_session *session;
	bool stop;
};

static void send(struct fuse_session *session, uint64_t node, const char *name)
{
	if (name[0])
		fuse_lowlevel_notify_inval_entry(session, node, name, strlen(name));
	fuse_lowlevel_notify_inval_inode(session, node, -1, 0); /* attributes alone */
}

static void *run(void *context)
{
	struct notifier *n = context;
	pthread_setname_np(pthread_self(), "itemfs-notify");
	pthread_mutex_lock(&n->lock);
	while (!n->stop) {
		struct notice *notice = n->first;
		if (!notice) {
			pthread_cond_wait(&n->wake, &n->lock);
			continue;
		}
		n->first = notice->next;
		if (!n->first)
			n->last = &n->first;
		struct fuse_session *session = n->session;
		pthread_mutex_unlock(&n->lock);
		if (session)
			send(session, node_id(n->tree, notice->node), notice->name);
		node_noticed(n->tree, notice->node);
		free(notice);
		pthread_mutex_lock(&n->lock);
		n->count--;
		pthread_cond_broadcast(&n->sent);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

enum rc notifier_new(struct tree *tree, struct notifier **ret_notifier)
{
	struct notifier *n = calloc(1, sizeof *n);
	if (!n)
		return RC_NO_MEMORY;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->wake, NULL);
	pthread_cond_init(&n->sent, NULL);
	n->last = &n->first;
	n->tree = tree;
	if (pthread_create(&n->thread, NULL, run, n)) {
		free(n);
		return RC_NO_MEMORY;
	}
	*ret_notifier = n;
	return RC_OK;
}

void notifier_free(struct notifier *notifier)
{
	if (!notifier)
		return;
	pthread_mutex_lock(&notifier->lock);
	notifier->stop = true;
	pthread_cond_signal(&notifier->wake);
	pthread_mutex_unlock(&notifier->lock);
	pthread_join(notifier->thread, NULL);
	while (notifier->first) {
		struct notice *next = notifier->first->next;
		node_noticed(notifier->tree, notifier->first->node);
		free(notifier->first);
		notifier->first = next;
	}
	pthread_cond_destroy(&notifier->wake);
	pthread_cond_destroy(&notifier->sent);
	pthread_mutex_destroy(&notifier->lock);
	free(notifier);
}

void notifier_set_session(struct notifier *notifier, struct fuse_session *session)
{
	pthread_mutex_lock(&notifier->lock);
	notifier->session = session;
	pthread_mutex_unlock(&notifier->lock);
}

static void notify(struct notifier *notifier, struct node *node, const char *name)
{
	size_t n = strlen(name) + 1;
	struct notice *notice = malloc(sizeof *notice + n);
	if (!notice)
		return;
	notice->next = NULL;
	notice->node = node;
	node_notice(node);
	memcpy(notice->name, name, n);
	pthread_mutex_lock(&notifier->lock);
	*notifier->last = notice;
	notifier->last = &notice->next;
	notifier->count++;
	pthread_cond_signal(&notifier->wake);
	pthread_mutex_unlock(&notifier->lock);
}

void notifier_settle(struct notifier *notifier, unsigned most, unsigned ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&notifier->lock);
	while (notifier->count > most && !notifier->stop && pthread_cond_timedwait(&notifier->sent, &notifier->lock, &until) == 0)
		;
	pthread_mutex_unlock(&notifier->lock);
}

void notifier_name_gone(struct notifier *notifier, struct node *directory, const char *name)
{
	notify(notifier, directory, name);
}

void notifier_attributes(struct notifier *notifier, struct node *node)
{
	notify(notifier, node, "");
}
