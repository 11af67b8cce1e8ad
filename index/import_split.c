/* import_split: see import_split.h.
 *
 * An array goes through the scanner of json.h, which wants an object at the top: a file that begins with `[` is read as {"":[…. So elements stand at
 * depth 3 in either form, and what is around them is proved to be JSON. The scanner is fed up to each byte that may end an element, so that it ends
 * one at most at a time.
 */
#include "index/import_split.h"
#include <string.h>

enum { ARRAY_DEPTH = 2 }; /* with its elements, open objects and arrays */

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

void import_split_init(struct import_split *split, enum import_format format, uint64_t offset, size_t line)
{
	*split = (struct import_split){.format = format, .offset = offset, .line = line};
}

static void begin(struct import_split *split)
{
	split->record.start = split->offset;
	split->record.line = split->line;
}

static size_t feed_lines(struct import_split *split, const uint8_t *bytes, size_t n, bool *ret_found)
{
	size_t i = 0;
	while (i < n && !split->begun) {
		if (!is_space(bytes[i])) {
			begin(split);
			split->begun = true;
			break;
		}
		split->line += bytes[i] == '\n';
		split->offset++;
		i++;
	}
	const uint8_t *newline = i < n ? memchr(bytes + i, '\n', n - i) : NULL;
	size_t end = newline ? (size_t)(newline - bytes) : n;
	split->offset += end - i;
	if (!newline)
		return n;
	split->record.end = split->offset++;
	split->line++;
	split->begun = false;
	*ret_found = true;
	return end + 1;
}

static size_t feed_rows(struct import_split *split, const uint8_t *bytes, size_t n, bool *ret_found)
{
	for (size_t i = 0; i < n; i++) {
		bool ends = csv_step(&split->csv, bytes[i]);
		bool blank = !split->begun && (bytes[i] == '\n' || bytes[i] == '\r');
		if (!split->begun && !blank) {
			begin(split);
			split->begun = true;
		}
		if (ends)
			split->record.end = split->offset;
		split->line += bytes[i] == '\n';
		split->offset++;
		if (ends && split->begun) {
			split->begun = false;
			*ret_found = true;
			return i + 1;
		}
	}
	return n;
}

static enum rc take_token(void *context, const struct json_token *token)
{
	struct import_split *split = context;
	unsigned depth = split->json.depth;
	bool opens = token->event == JSON_IS_OBJECT || token->event == JSON_IS_ARRAY;
	if (split->inside && depth == ARRAY_DEPTH + 1u && opens) {
		split->record.start = token->start;
		split->record.line = token->line;
	} else if (split->inside && depth == ARRAY_DEPTH) {
		bool closes = token->event == JSON_IS_OBJECT_END || token->event == JSON_IS_ARRAY_END;
		if (!closes) { /* a scalar */
			split->record.start = token->start;
			split->record.line = token->line;
		}
		split->record.end = token->end;
		split->found = true;
	} else if (split->inside && depth < ARRAY_DEPTH) {
		split->inside = false;
		split->ended = true;
	} else if (token->event == JSON_IS_ARRAY && depth == ARRAY_DEPTH) {
		if (split->ended)
			return RC_EXISTS;
		split->inside = true;
	}
	return RC_OK;
}

/* Reads the first byte that is no white space. */
static enum rc start(struct import_split *split, uint8_t byte, struct why *why)
{
	static const char around[] = "{\"\":";
	json_init(&split->json, take_token, split);
	split->started = true;
	if (byte == '[') {
		split->bare = true;
		(void)json_feed(&split->json, around, sizeof around - 1, NULL);
	} else if (byte != '{') {
		return why_at(why, RC_REFUSED, split->line, 0, "a file of JSON to import is an array of objects");
	}
	split->json.offset = split->offset;
	split->json.line = split->line;
	split->json.column = 1;
	return RC_OK;
}

static size_t to_possible_end(const uint8_t *bytes, size_t n)
{
	size_t i = 0;
	while (i < n && bytes[i] != '}' && bytes[i] != ']' && bytes[i] != ',')
		i++;
	return i < n ? i + 1 : n;
}

static enum rc feed_piece(struct import_split *split, const uint8_t *bytes, size_t n, struct why *why)
{
	if (split->bare && split->ended) {
		for (size_t i = 0; i < n; i++) {
			if (!is_space(bytes[i]))
				return why_at(why, RC_REFUSED, split->json.line, 0, "something stands after the array");
			split->json.line += bytes[i] == '\n';
		}
		return RC_OK;
	}
	split->json.context = split; /* a split may have been copied */
	enum rc rc = json_feed(&split->json, bytes, n, why);
	if (rc == RC_EXISTS)
		return why_at(why, RC_REFUSED, split->json.line, split->json.column, "more than one array: which one holds the items?");
	if (!rc && !split->bare && split->json.depth == 0 && !split->ended)
		return why_at(why, RC_REFUSED, split->json.line, split->json.column, "there is no array of items in it");
	return rc;
}

static enum rc feed_array(struct import_split *split, const uint8_t *bytes, size_t n, size_t *ret_used, bool *ret_found, struct why *why)
{
	size_t i = 0;
	for (; i < n && !split->started && is_space(bytes[i]); i++) {
		split->line += bytes[i] == '\n';
		split->offset++;
	}
	enum rc rc = i < n && !split->started ? start(split, bytes[i], why) : RC_OK;
	while (!rc && i < n && !split->found) {
		size_t piece = to_possible_end(bytes + i, n - i);
		rc = feed_piece(split, bytes + i, piece, why);
		i += piece;
		split->offset += piece;
	}
	*ret_used = i;
	*ret_found = split->found;
	split->found = false;
	return rc;
}

enum rc import_split_feed(struct import_split *split, const void *bytes, size_t n, size_t *ret_used, bool *ret_found, struct why *why)
{
	*ret_found = false;
	switch (split->format) {
	case IMPORT_JSONL:
		*ret_used = feed_lines(split, bytes, n, ret_found);
		return RC_OK;
	case IMPORT_CSV:
		*ret_used = feed_rows(split, bytes, n, ret_found);
		return RC_OK;
	default:
		return feed_array(split, bytes, n, ret_used, ret_found, why);
	}
}

enum rc import_split_end(struct import_split *split, bool *ret_found, struct why *why)
{
	*ret_found = false;
	if (split->format == IMPORT_JSON) {
		if (split->started && split->ended && (split->bare || split->json.depth == 0))
			return RC_OK;
		return why_at(why, RC_UNFINISHED, split->started ? split->json.line : split->line, 0, "the file ends before its array does");
	}
	if (split->format == IMPORT_CSV && csv_open(&split->csv))
		return why_at(why, RC_UNFINISHED, split->record.line, 0, "the file ends inside the quotes of a field in the row that begins here");
	*ret_found = split->begun;
	split->record.end = split->offset;
	split->begun = false;
	return RC_OK;
}
