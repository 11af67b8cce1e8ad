/* draft: see draft.h. */
#include "fs/draft.h"
#include "store/model/item.h"
#include <stdlib.h>
#include <string.h>

void draft_free(struct draft *draft)
{
	buf_free(&draft->bytes);
	free(draft->path);
	free(draft->why);
}

void draft_say(struct draft *draft, const struct why *why)
{
	if (!draft->why)
		draft->why = malloc(sizeof *draft->why);
	if (draft->why)
		*draft->why = *why;
}

void draft_done(struct draft *draft)
{
	buf_free(&draft->bytes);
	draft->begun = draft->dirty = draft->scanning = false;
}

void draft_empty(struct draft *draft)
{
	buf_clear(&draft->bytes);
	json_init(&draft->scan, NULL, NULL);
	draft->begun = draft->dirty = draft->scanning = true;
	draft->poison = draft->refused = RC_OK;
	draft->recorded = false;
}

enum rc draft_base(struct draft *draft, const void *bytes, size_t n, bool follow)
{
	buf_clear(&draft->bytes);
	buf_add(&draft->bytes, bytes, n);
	if (draft->bytes.failed)
		return RC_NO_MEMORY;
	json_init(&draft->scan, NULL, NULL);
	draft->begun = true;
	draft->scanning = n == 0 || (follow && !json_feed(&draft->scan, bytes, n, NULL));
	return RC_OK;
}

static enum rc poison(struct draft *draft, enum rc rc, const struct why *why)
{
	draft_say(draft, why);
	draft->poison = rc;
	draft->scanning = false;
	return rc;
}

static enum rc place_bytes(struct draft *draft, const void *bytes, size_t n, uint64_t offset)
{
	size_t end = (size_t)offset + n;
	bool follows = offset == draft->bytes.len;
	if (follows)
		buf_add(&draft->bytes, bytes, n);
	else if (end > draft->bytes.len)
		buf_resize(&draft->bytes, end);
	if (draft->bytes.failed) {
		draft->bytes.failed = false;
		return RC_NO_MEMORY;
	}
	if (n && !follows)
		memcpy(draft->bytes.data + offset, bytes, n);
	draft->dirty = true;
	draft->recorded = false;
	return RC_OK;
}

enum rc draft_write(struct draft *draft, const void *bytes, size_t n, uint64_t offset)
{
	struct why why;
	bool follows = offset == draft->bytes.len;
	if (offset > ITEM_DOCUMENT_MAX || n > ITEM_DOCUMENT_MAX - offset) {
		why_set(&why, RC_OK, "an item's document has at most %d bytes", ITEM_DOCUMENT_MAX);
		return draft->poison ? draft->poison : poison(draft, RC_TOO_BIG, &why);
	}
	enum rc rc = place_bytes(draft, bytes, n, offset);
	if (rc || draft->poison)
		return rc ? rc : draft->poison;
	if (!follows)
		draft->scanning = false; /* what was checked is no longer what stands there: the commit checks it all */
	if (!draft->scanning)
		return RC_OK;
	rc = json_feed(&draft->scan, bytes, n, &why);
	return rc ? poison(draft, rc, &why) : RC_OK;
}

enum rc draft_resize(struct draft *draft, uint64_t size)
{
	if (size == 0) {
		draft_empty(draft);
		return RC_OK;
	}
	if (draft->poison)
		return draft->poison;
	if (size > ITEM_DOCUMENT_MAX)
		return RC_TOO_BIG;
	if (size == draft->bytes.len)
		return RC_OK;
	buf_resize(&draft->bytes, (size_t)size);
	if (draft->bytes.failed) {
		draft->bytes.failed = false;
		return RC_NO_MEMORY;
	}
	draft->dirty = true;
	draft->recorded = false;
	draft->scanning = false;
	return RC_OK;
}
