/* name: key ↔ file name, one to one.
 *
 * Invariant: name_to_key() takes a name only if name_of_key() of what it read gives that name back, byte for byte. It
 * is checked by doing just that, so the two cannot come to differ: the reading may be generous, the writing decides. A
 * name of which the writing would escape no byte is its own key's, so it is taken as it is.
 */
#include "fs/name.h"
#include "store/model/percent.h"
#include "store/model/utf8.h"
#include <string.h>

static bool must_escape(uint8_t byte, enum name_form form, bool first)
{
	if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '%')
		return true;
	return (byte == '.' && first) || (byte == ',' && form == NAME_COMPONENT);
}

static void add_escape(struct buf *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";
	const char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
	buf_add(out, escape, sizeof escape);
}

static void write_name(const struct key *key, enum name_form form, bool first, struct buf *out)
{
	if (key->type != KEY_S) { /* digits, hex, a point, a sign: nothing to escape, and never a point first */
		key_text(key, out);
		return;
	}
	size_t from = 0; /* where the bytes begin that are not added yet */
	for (size_t i = 0; i < key->len; i++) {
		if (!must_escape(key->data[i], form, first && i == 0))
			continue;
		buf_add(out, key->data + from, i - from);
		add_escape(out, key->data[i]);
		from = i + 1;
	}
	buf_add(out, key->data + from, key->len - from);
}

void name_of_key(const struct key *key, enum name_form form, struct buf *out)
{
	write_name(key, form, out->len == 0, out);
}

/* Whether it stands for itself, as nearly all names do: then there is nothing to read or to write. */
static bool is_plain(const void *text, size_t n, enum name_form form, bool first)
{
	const uint8_t *bytes = text;
	if (n && must_escape(bytes[0], form, first))
		return false;
	for (size_t i = 1; i < n; i++)
		if (must_escape(bytes[i], form, false))
			return false;
	return true;
}

bool name_is_key(const struct key *key, enum name_form form)
{
	return key->type == KEY_S && is_plain(key->data, key->len, form, true);
}

static enum rc string_to_key(const char *name, size_t n, enum key_role role, enum name_form form, bool first,
			     struct key *ret_key, struct why *why)
{
	if (is_plain(name, n, form, first))
		return key_from_text(name, n, KEY_S, role, ret_key, why); /* which finds out whether it is UTF-8 */
	if (!utf8_valid(name, n))
		return why_set(why, RC_NOT_UTF8, "the name is not UTF-8");

	cleanup_buf struct buf text = {0}, canonical = {0};
	struct key key;
	enum rc rc = percent_decode(name, n, "a name", &text, why);
	if (rc == RC_OK)
		rc = key_from_text(text.data, text.len, KEY_S, role, &key, why);
	if (rc != RC_OK)
		return rc;
	write_name(&key, form, first, &canonical);
	if (canonical.failed)
		return why_set(why, RC_NO_MEMORY, "out of memory");
	if (canonical.len != n || memcmp(canonical.data, name, n) != 0)
		return why_set(why, RC_INVALID, "%.*s is not how itemfs writes this name: %.*s", (int)n, name,
			       (int)canonical.len, (const char *)canonical.data);
	ret_key->type = key.type;
	ret_key->len = key.len;
	memcpy(ret_key->data, key.data, key.len);
	return RC_OK;
}

enum rc name_to_key(const char *name, size_t n, enum key_type type, enum key_role role, enum name_form form, bool first,
		    struct key *ret_key, struct why *why)
{
	if (n == 0)
		return why_set(why, RC_INVALID, "an empty name stands for no key");
	if (memchr(name, '%', n) && memmem(name, n, "%~", 2))
		return why_set(why, RC_INVALID, "%%~ in a name is reserved for names that itemfs shortened");
	if (type == KEY_S)
		return string_to_key(name, n, role, form, first, ret_key, why);
	return key_from_text(name, n, type, role, ret_key, why);
}

bool name_is_item(const char *name, size_t n)
{
	return n > NAME_SUFFIX_LEN && name[0] != '.' && memcmp(name + n - NAME_SUFFIX_LEN, NAME_SUFFIX, NAME_SUFFIX_LEN) == 0;
}
