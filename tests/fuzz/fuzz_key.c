/* Feeds key_decode() and key_from_text() any bytes. What they take must come back byte for byte, and the order of two
 * keys' encodings must be the keys' own order. */
#include "store/model/key.h"
#include "store/model/utf8.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int order(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int n = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return n ? (n > 0) - (n < 0) : (a_len > b_len) - (a_len < b_len);
}

/* Its text, its bytes and its document form lead back to it. */
static void comes_back(const struct key *key)
{
	cleanup_buf struct buf text = {0}, bytes = {0}, document = {0};
	struct key back;
	size_t used;
	key_text(key, &text);
	must(key_from_text(text.data, text.len, key->type, KEY_PARTITION, &back, NULL) == RC_OK);
	must(key_equal(key, &back));

	key_encode(key, &bytes);
	size_t length = bytes.len;
	buf_add_text(&bytes, "\xff");
	must(key_decode(bytes.data, bytes.len, &back, &used) == RC_OK && used == length && key_equal(key, &back));
	for (size_t i = 0; i < length; i++) /* no encoding is a prefix of another */
		must(key_decode(bytes.data, i, &back, &used) == RC_CORRUPT);

	buf_add_text(&document, "{\"k\":");
	key_json(key, &document);
	buf_add_text(&document, "}");
	struct item *item = NULL;
	must(item_parse(document.data, document.len, &item, NULL) == RC_OK);
	must(key_equals_value(key, item_find(item, "k", 1)));
	must(key_from_value(item_find(item, "k", 1), key->type, KEY_PARTITION, "k", &back, NULL) == RC_OK);
	must(key_equal(key, &back));
	must(key_size(key) == item_find(item, "k", 1)->size);
	item_free(item);
}

static int value_order(const struct key *a, const struct key *b)
{
	struct number x, y;
	size_t used;
	if (a->type != KEY_N)
		return order(a->data, a->len, b->data, b->len);
	must(number_decode(a->data, a->len, &x, &used) == RC_OK && number_decode(b->data, b->len, &y, &used) == RC_OK);
	int n = number_compare(&x, &y);
	return (n > 0) - (n < 0);
}

static void are_ordered(const struct key *a, const struct key *b)
{
	cleanup_buf struct buf left = {0}, right = {0};
	key_encode(a, &left);
	key_encode(b, &right);
	must(order(left.data, left.len, right.data, right.len) == value_order(a, b));
	must(key_equal(a, b) == (value_order(a, b) == 0));
}

static void decode(const uint8_t *data, size_t size)
{
	struct key key;
	size_t used;
	if (key_decode(data, size, &key, &used) != RC_OK)
		return;
	cleanup_buf struct buf again = {0};
	key_encode(&key, &again);
	must(used <= size && again.len == used && memcmp(again.data, data, used) == 0);
	must(key.type == KEY_N || key.type == KEY_B || utf8_valid(key.data, key.len));
	if (key.type != KEY_PENDING) /* which is no value's */
		comes_back(&key);
}

/* Two texts of one type, cut where the first byte says. */
static void texts(const uint8_t *data, size_t size)
{
	if (size < 2)
		return;
	enum key_type type = (enum key_type)("SNB"[data[0] % 3]);
	size_t cut = data[1] % (size - 1);
	const uint8_t *text = data + 2;
	size_t n = size - 2;
	struct key a, b;
	struct why why = {.text = ""};
	enum rc rc = key_from_text(text, cut < n ? cut : n, type, KEY_PARTITION, &a, &why);
	must(utf8_valid(why.text, strlen(why.text)) && (rc == RC_OK) == (why.text[0] == '\0'));
	if (rc != RC_OK)
		return;
	comes_back(&a);
	if (cut < n && key_from_text(text + cut, n - cut, type, KEY_PARTITION, &b, NULL) == RC_OK)
		are_ordered(&a, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode(data, size);
	texts(data, size);
	return 0;
}
