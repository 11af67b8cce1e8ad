/* typed: DynamoDB JSON, the form in which AWS writes items, into the plain form in which itemfs keeps them. (The other way: recast.h.)
 *
 *   DynamoDB JSON  {"pk":{"S":"a"},"n":{"N":"1"},"bin":{"B":"AAE="},"l":{"L":[{"BOOL":true}]}}
 *   plain          {"pk":"a","n":1,"bin":{"$B":"AAE="},"l":[true]}
 *
 * Exact: numbers keep every digit, and what was plain and became typed becomes the same item again. Source: SEMANTICS.md 3 and 14.
 */
#ifndef ITEMFS_TYPED_H
#define ITEMFS_TYPED_H

#include "store/model/buf.h"
#include "store/model/rc.h"
#include "store/model/why.h"
#include <stddef.h>

enum typed_form {
	TYPED_PLAIN,   /* {"pk":"a"} */
	TYPED_BARE,    /* {"pk":{"S":"a"}} */
	TYPED_ITEM,    /* {"Item":{"pk":{"S":"a"}}}: a line of an export to S3 */
	TYPED_REQUEST, /* {"PutRequest":{"Item":{"pk":{"S":"a"}}}}: an element of a BatchWriteItem request */
};

/* Which form a document has. Its partition key tells: a key is never a map, so where the attribute `key` stands at the top and is an object (other
 * than {"$B":…}), the document is typed. Without it at the top, `Item` or `PutRequest` as the only member say so. Reads no further than it must.
 * RC_REFUSED, RC_UNFINISHED: no JSON as far as it was read. */
enum rc typed_form_of(const void *document, size_t n, const char *key, size_t key_len, enum typed_form *ret_form, struct why *why);

/* Appends the plain form of a document that is not TYPED_PLAIN, as one line. RC_REFUSED, RC_UNFINISHED with the place in `document`; RC_TOO_BIG over
 * ITEM_DOCUMENT_MAX. What item_parse() checks (names, sets, depth, size, base64) is left to it. */
enum rc typed_to_plain(const void *document, size_t n, enum typed_form form, struct buf *out, struct why *why);

#endif
