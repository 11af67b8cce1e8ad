/* key: the value of one key attribute (partition key, sort key, index key): S, N or B, and the order-preserving bytes that
 * stand for it in a row's key. Rules: SEMANTICS.md 2 and 7. The encoding is disk format: it never changes.
 */
#ifndef ITEMFS_KEY_H
#define ITEMFS_KEY_H

#include "store/model/buf.h"
#include "store/model/item.h"
#include "store/model/number.h"
#include "store/model/rc.h"
#include "store/model/why.h"

enum {
	KEY_PARTITION_MAX = 2048, /* bytes of a partition key's value, S in UTF-8 or B raw */
	KEY_SORT_MAX = 1024,
	KEY_DATA_MAX = KEY_PARTITION_MAX,
};

/* KEY_PENDING is the type of no value: of a key so far only its name is known, which was cut because it is too long (DESIGN.md, Names and keys), and
 * that stands for it until a document says the key. Declared tables have it only as the partition key of empty partitions and of plain files;
 * undeclared ones, whose keys are their names, as any key. */
enum key_type { KEY_S = 'S', KEY_N = 'N', KEY_B = 'B', KEY_PENDING = '~' };
enum key_role { KEY_PARTITION, KEY_SORT };

struct key {
	enum key_type type;
	size_t len;
	uint8_t data[KEY_DATA_MAX]; /* S, B: the value's own bytes. N: number_encode() of it */
};

/* From a value of an item. RC_REFUSED where it has another type (why: "Type mismatch for key NAME expected: S actual: N", with the value's place), is
 * empty ("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: NAME",
 * "binary" likewise), or too long ("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of 2048 bytes" /
 * "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"). `name` is the attribute's name for the words. */
enum rc key_from_value(const struct item_value *value, enum key_type type, enum key_role role, const char *name,
		       struct key *ret_key, struct why *why);

/* From its canonical text: S the text itself (UTF-8, RC_NOT_UTF8 otherwise); N canonical plain decimal, anything else is RC_INVALID with the
 * canonical form in why ("042 is not how itemfs writes this number: 42"); B lower-case hex, two digits a byte. Empty or too long: RC_INVALID. */
enum rc key_from_text(const void *text, size_t n, enum key_type type, enum key_role role, struct key *ret_key,
		      struct why *why);

/* Of a name that was cut; it has at most 255 bytes. */
void key_pending(const char *name, struct key *ret_key);

/* The inverse: appends the canonical text. */
void key_text(const struct key *key, struct buf *out);

/* Appends the value as itemfs writes it in a document: "text", 42, {"$B":"base64"}. */
void key_json(const struct key *key, struct buf *out);

/* Whether a value in a document is this key (numbers by value). */
bool key_equals_value(const struct key *key, const struct item_value *value);

bool key_equal(const struct key *a, const struct key *b);

/* DynamoDB's measure of the value. */
size_t key_size(const struct key *key);

/* Appends the self-delimiting order-preserving form: keys of one type compare by memcmp of it as DynamoDB orders them (S, B bytewise, shorter prefix
 * first; N by value), also where other bytes follow, and no encoding is a prefix of another. First byte: the type's letter. S and B: each 00 becomes
 * 00 FF, the end is 00 00. */
void key_encode(const struct key *key, struct buf *out);

/* Reads one from the front; RC_CORRUPT where key_encode() cannot have written it. */
enum rc key_decode(const uint8_t *bytes, size_t n, struct key *ret_key, size_t *ret_used);

#endif
