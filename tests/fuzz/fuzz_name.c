/* Reads any bytes as a name, and makes a name of any bytes: each name is at most one key and is written the same again,
 * each key has one name that comes back to it and that a directory can hold. */
#include "fs/name.h"
#include "store/model/utf8.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void write_name(const struct key *key, enum name_form form, bool first, struct buf *out)
{
	cleanup_buf struct buf whole = {0};
	if (!first)
		buf_add_byte(&whole, ',');
	name_of_key(key, form, &whole);
	must(!whole.failed);
	buf_add(out, whole.data + !first, whole.len - !first);
}

static void read_name(const char *name, size_t n, enum key_type type, enum name_form form, bool first)
{
	struct key key;
	struct why why = {.text = ""};
	enum rc rc = name_to_key(name, n, type, KEY_PARTITION, form, first, &key, &why);
	if (rc != RC_OK) {
		must(rc == RC_INVALID || rc == RC_NOT_UTF8);
		must(why.text[0] && utf8_valid(why.text, strlen(why.text)));
		return;
	}
	cleanup_buf struct buf again = {0};
	write_name(&key, form, first, &again);
	must(again.len == n && memcmp(again.data, name, n) == 0);
}

static void name_a_key(const void *text, size_t n, enum key_type type, enum name_form form, bool first)
{
	struct key key, back;
	cleanup_buf struct buf name = {0};
	if (key_from_text(text, n, type, KEY_PARTITION, &key, NULL) != RC_OK)
		return;
	write_name(&key, form, first, &name);
	must(name.len > 0 && utf8_valid(name.data, name.len));
	must(!memchr(name.data, '/', name.len) && !memchr(name.data, 0, name.len) &&
	     !memmem(name.data, name.len, "%~", 2));
	must(!first || name.data[0] != '.');
	must(form == NAME_WHOLE || !memchr(name.data, ',', name.len));
	must(name_to_key((char *)name.data, name.len, type, KEY_PARTITION, form, first, &back, NULL) == RC_OK);
	must(key_equal(&key, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum key_type type = (enum key_type)("SNB"[data[0] % 3]);
	enum name_form form = data[0] / 3 % 2 ? NAME_COMPONENT : NAME_WHOLE;
	bool first = data[0] / 6 % 2;
	read_name((const char *)data + 1, size - 1, type, form, first);
	name_a_key(data + 1, size - 1, type, form, first);
	name_is_item((const char *)data + 1, size - 1);
	return 0;
}
