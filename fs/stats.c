/* stats: see stats.h. */
#include "fs/stats.h"
#include "fs/handle.h"
#include "fs/memory.h"
#include "index/figures.h"
#include <jansson.h>

static json_t *whole(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *microseconds(uint64_t ns)
{
	return json_real((double)ns / 1000);
}

static json_t *volume_json(const struct volume_figures *figures)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tables", whole(figures->tables), "partitions", whole(figures->partitions),
			 "items", whole(figures->items), "bytes", whole(figures->bytes), "plain_files", whole(figures->files),
			 "index_entries", whole(figures->entries), "sequence", whole(figures->sequence));
}

/* "ok", or what every write gives, and why. */
static void writes_words(struct frontend *front, enum rc broken, char *ret, size_t size)
{
	struct why why = {.text = ""};
	if (broken == RC_NO_SPACE)
		snapshot_why_full(front->volume, &why);
	snprintf(ret, size, "%s%s%s", broken ? rc_name(broken) : "ok", why.text[0] ? ": " : "", why.text);
}

static json_t *engine_json(struct frontend *front, const struct store_figures *engine)
{
	char writes[sizeof(struct why) + 32]; /* and the name of an rc */
	writes_words(front, engine->broken, writes, sizeof writes);
	json_t *levels = json_array();
	for (size_t i = 0; i < STORE_LEVELS; i++)
		json_array_append_new(levels, whole(engine->files[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s}", "gets", whole(engine->gets), "cursors", whole(engine->cursors),
			 "batches", whole(engine->batches), "snapshots", whole(engine->snapshots), "memory_bytes", whole(engine->memory),
			 "disk_bytes", whole(engine->disk), "tables_by_level", levels, "unsynced", !engine->settled, "writes",
			 writes);
}

static json_t *memory_json(struct frontend *front, const struct store_figures *engine)
{
	struct memory_parts parts;
	memory_parts(front, engine, &parts);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "taken_bytes", whole(memory_taken()), "bound_bytes", whole(memory_bound(&parts)), "base_bytes",
			 whole(parts.base), "requests_bytes", whole(parts.requests), "engine_bytes", whole(parts.engine), "names_bytes", whole(parts.names),
			 "open_bytes", whole(parts.open));
}

static json_t *open_json(struct frontend *front)
{
	pthread_mutex_lock(&front->tree.lock);
	uint64_t nodes = front->tree.count, drafts = front->drafts;
	pthread_mutex_unlock(&front->tree.lock);
	return json_pack("{s:o, s:o, s:o}", "handles", whole(atomic_load(&front->handle_count)), "drafts", whole(drafts), "nodes", whole(nodes));
}

static json_t *request_json(const struct latency *latency)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count", whole(latency_count(latency)), "mean_us",
			 microseconds(latency_mean(latency)), "p50_us", microseconds(latency_permille(latency, 500)), "p90_us",
			 microseconds(latency_permille(latency, 900)), "p99_us", microseconds(latency_permille(latency, 990)), "p999_us",
			 microseconds(latency_permille(latency, 999)), "max_us", microseconds(latency_max(latency)));
}

static json_t *requests_json(const struct requests *requests)
{
	json_t *object = json_object();
	for (size_t i = 0; i < REQUEST_KINDS; i++)
		if (latency_count(&requests->latency[i]))
			json_object_set_new(object, request_name((enum request_kind)i), request_json(&requests->latency[i]));
	return object;
}

static int add_bytes(const char *bytes, size_t n, void *context)
{
	buf_add(context, bytes, n);
	return 0;
}

enum rc stats_json(struct frontend *front, struct buf *out)
{
	struct volume_figures figures;
	enum rc rc = volume_figures(front->volume, &figures);
	if (rc)
		return rc;
	json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", ITEMFS_VERSION, "seconds_mounted",
				 json_real((double)((clock_now() - front->mounted) / 1000000) / 1000), "volume", volume_json(&figures),
				 "engine", engine_json(front, &figures.engine), "cache",
				 json_pack("{s:o, s:o}", "capacity_bytes", whole(figures.engine.cache), "write_buffer_bytes",
					   whole(figures.engine.write_buffer)),
				 "memory", memory_json(front, &figures.engine), "open", open_json(front), "requests", requests_json(&front->requests));
	if (!root || json_dump_callback(root, add_bytes, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10)))
		rc = RC_NO_MEMORY;
	buf_add_byte(out, '\n');
	json_decref(root);
	return rc ? rc : out->failed ? RC_NO_MEMORY : RC_OK;
}
