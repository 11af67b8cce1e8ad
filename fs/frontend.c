/* frontend: see frontend.h: its life, and the table of requests. */
#include "fs/frontend.h"
#include "fs/dir_stream.h"
#include "fs/handle.h"
#include "fs/import_file.h"
#include "fs/upload.h"
#include "fs/plain.h"
#include <stdlib.h>

void frontend_init(void *context, struct fuse_conn_info *connection)
{
	struct frontend *front = context;
	/* Without this, O_TRUNC comes as a truncation that has no handle, and would empty the item for everybody. */
	connection->want |= connection->capable & FUSE_CAP_ATOMIC_O_TRUNC;
	connection->want |= connection->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
	connection->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE; /* its errors come after close */
	connection->time_gran = 1;
	front->connection = connection;
	if (front->options.ready)
		front->options.ready(front->options.ready_context);
	front->options.ready = NULL;
}

enum rc frontend_new(struct volume *volume, const struct frontend_options *options, struct frontend **ret_frontend)
{
	struct frontend *front = calloc(1, sizeof *front);
	if (!front)
		return RC_NO_MEMORY;
	front->volume = volume;
	front->options = *options;
	front->mounted = clock_now();
	enum rc rc = tree_init(&front->tree);
	if (!rc && (rc = notifier_new(&front->tree, &front->notifier)))
		tree_free(&front->tree);
	if (rc) {
		free(front);
		return rc;
	}
	pthread_mutex_init(&front->handles_lock, NULL);
	pthread_mutex_init(&front->uploads_lock, NULL);
	memo_init(&front->memo);
	for (size_t i = 0; i < COMMIT_LOCKS; i++)
		pthread_mutex_init(&front->commits[i], NULL);
	*ret_frontend = front;
	return RC_OK;
}

void frontend_set_session(struct frontend *frontend, struct fuse_session *session)
{
	atomic_store(&frontend->session, session);
	notifier_set_session(frontend->notifier, session);
}

/* A handle that is still open when the mount ends: what it wrote was never closed, so it is not committed, and not lost either. */
static void end_handle(struct frontend *front, struct handle *handle)
{
	if (handle->upload) {
		import_abandon(front, handle);
	} else if (handle->plain) {
		plain_close(front, handle->node);
	} else if (handle->writer && handle->draft.begun && handle->draft.dirty && !handle->node->dead && handle->draft.bytes.len) {
		enum rc rc = handle->draft.poison;
		struct why why;
		why_set(&why, RC_OK, "the mount ended while this was being written");
		if (!rc)
			draft_say(&handle->draft, &why);
		handle_reject(front, handle, rc ? rc : RC_UNFINISHED);
	}
	handle_free(front, handle);
}

void frontend_free(struct frontend *frontend)
{
	if (!frontend)
		return;
	while (frontend->handles)
		end_handle(frontend, frontend->handles);
	while (frontend->streams) /* directories that are still open: they hold views */
		dir_stream_close(frontend, frontend->streams);
	notifier_free(frontend->notifier);
	tree_free(&frontend->tree);
	upload_drop(frontend, NULL);
	pthread_mutex_destroy(&frontend->handles_lock);
	pthread_mutex_destroy(&frontend->uploads_lock);
	memo_destroy(&frontend->memo);
	for (size_t i = 0; i < COMMIT_LOCKS; i++)
		pthread_mutex_destroy(&frontend->commits[i]);
	free(frontend);
}
