/* place_name: the names of what listings give. */
#include "fs/long_name.h"
#include "fs/name.h"
#include "fs/place.h"
#include <string.h>

static bool pending_name(const struct key *key, char out[256])
{
	if (key->len > NAME_BYTES_MAX)
		return false;
	memcpy(out, key->data, key->len);
	out[key->len] = 0;
	return true;
}

bool place_item_name(const struct key *sk, bool has_sk, char out[256])
{
	cleanup_buf struct buf name = {0};
	if (has_sk && sk->type == KEY_PENDING)
		return pending_name(sk, out);
	if (has_sk && sk->len && sk->len + NAME_SUFFIX_LEN <= NAME_BYTES_MAX && name_is_key(sk, NAME_WHOLE)) {
		memcpy(out, sk->data, sk->len);
		strcpy(out + sk->len, NAME_SUFFIX);
		return true;
	}
	if (has_sk)
		name_of_key(sk, NAME_WHOLE, &name);
	else
		buf_add_text(&name, "item");
	return long_name_write(&name, NAME_SUFFIX, out);
}

bool place_key_name(const struct key *key, bool component, char out[256])
{
	cleanup_buf struct buf name = {0};
	if (key->type == KEY_PENDING)
		return pending_name(key, out);
	name_of_key(key, component ? NAME_COMPONENT : NAME_WHOLE, &name);
	return long_name_write(&name, "", out);
}

bool place_entry_name(const struct key *keys, size_t count, char out[256])
{
	cleanup_buf struct buf name = {0};
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			buf_add_byte(&name, ',');
		name_of_key(&keys[i], NAME_COMPONENT, &name);
	}
	if (count <= 1)
		buf_add_text(&name, "item");
	return long_name_write(&name, NAME_SUFFIX, out);
}

bool place_clash_name(const char *file, char out[256])
{
	cleanup_buf struct buf name = {0};
	buf_add_text(&name, file);
	return long_name_write(&name, PLACE_CLASH, out);
}
