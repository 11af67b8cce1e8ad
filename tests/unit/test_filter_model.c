/* filter against a model: random values, put into documents and into filters, and an evaluator that knows nothing of documents, scanners or filters: a value
 * is its type and its canonical text, so that values are equal iff their texts are. */
#include "index/filter.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 400, DEPTH = 3, ROUNDS = 60000 };

static uint64_t state;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* A value: what it is, and how it happened to be written. */
struct value {
	enum item_type type;
	int hundredths; /* N */
	char bytes[8];  /* S, B: letters, of one byte each */
	bool truth;     /* BOOL */
	size_t count;   /* the rest */
	struct value *element;
	char name[8]; /* of this one, in a map */
};

static void value_free(struct value *value)
{
	for (size_t i = 0; i < value->count; i++)
		value_free(&value->element[i]);
	free(value->element);
}

static void text_add(char *text, const char *more)
{
	cr_assert_lt(strlen(text) + strlen(more), 8 * TEXT);
	strcat(text, more);
}

/* The canonical text. */
static void canon(const struct value *value, char *out);

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void canon_elements(const struct value *value, char *out)
{
	char(*each)[TEXT] = calloc(value->count + 1, TEXT);
	for (size_t i = 0; i < value->count; i++) {
		char text[8 * TEXT] = "";
		if (value->type == ITEM_M) {
			text_add(text, value->element[i].name);
			text_add(text, "=");
		}
		canon(&value->element[i], text);
		cr_assert_lt(strlen(text), TEXT);
		strcpy(each[i], text);
	}
	if (value->type != ITEM_L)
		qsort(each, value->count, TEXT, by_text);
	for (size_t i = 0; i < value->count; i++) {
		text_add(out, each[i]);
		text_add(out, ";");
	}
	free(each);
}

static void canon(const struct value *value, char *out)
{
	char number[32];
	text_add(out, item_type_name(value->type));
	text_add(out, "(");
	switch (value->type) {
	case ITEM_S:
	case ITEM_B:
		text_add(out, value->bytes);
		break;
	case ITEM_N:
		snprintf(number, sizeof number, "%d", value->hundredths);
		text_add(out, number);
		break;
	case ITEM_BOOL:
		text_add(out, value->truth ? "1" : "0");
		break;
	case ITEM_NULL:
		break;
	default:
		canon_elements(value, out);
	}
	text_add(out, ")");
}

static bool same(const struct value *a, const struct value *b)
{
	char x[8 * TEXT] = "", y[8 * TEXT] = "";
	canon(a, x);
	canon(b, y);
	return strcmp(x, y) == 0;
}

static void random_bytes(char *out)
{
	static const char letters[] = "ab1-";
	size_t n = pick(4);
	for (size_t i = 0; i < n; i++)
		out[i] = letters[pick(4)];
	out[n] = 0;
}

static struct value random_value(int depth, int of_type);

static void random_elements(struct value *value, int depth, int of_type)
{
	static const char *const names[] = {"k", "x.y", "q[1]", "s/t", "5%"};
	size_t n = (of_type >= 0) + pick(3); /* a set is not empty */
	value->element = calloc(n + 1, sizeof *value->element);
	for (size_t i = 0; i < n; i++) {
		struct value element = random_value(depth + 1, of_type);
		bool again = false;
		strcpy(element.name, names[pick(5)]);
		for (size_t j = 0; j < value->count; j++)
			again |= value->type == ITEM_M ? !strcmp(value->element[j].name, element.name)
						       : value->type != ITEM_L && same(&value->element[j], &element);
		if (again)
			value_free(&element);
		else
			value->element[value->count++] = element;
	}
}

static struct value random_value(int depth, int of_type)
{
	struct value value = {.type = of_type >= 0 ? (enum item_type)of_type : (enum item_type)pick(ITEM_BS + 1)};
	if (depth >= DEPTH && value.type >= ITEM_L)
		value.type = ITEM_N;
	switch (value.type) {
	case ITEM_S:
	case ITEM_B:
		random_bytes(value.bytes);
		break;
	case ITEM_N:
		value.hundredths = (int)pick(7) * 50 - 150;
		break;
	case ITEM_BOOL:
		value.truth = pick(2);
		break;
	case ITEM_NULL:
		break;
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		random_elements(&value, depth, value.type - ITEM_SS + ITEM_S);
		break;
	default:
		random_elements(&value, depth, -1);
	}
	return value;
}

/* As JSON, numbers in one of their spellings. */
static void json(const struct value *value, char *out);

static void json_number(int hundredths, char *out)
{
	const char *sign = hundredths < 0 ? "-" : "";
	char text[32];
	int n = abs(hundredths);
	switch (pick(3)) {
	case 0:
		snprintf(text, sizeof text, "%s%d.%02d", sign, n / 100, n % 100);
		break;
	case 1:
		snprintf(text, sizeof text, "%s%de-2", sign, n);
		break;
	default:
		snprintf(text, sizeof text, n % 100 ? "%s%d.%d" : "%s%d", sign, n / 100, n % 100 / 10);
	}
	text_add(out, text);
}

static void json_base64(const char *bytes, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(bytes);
	for (size_t i = 0; i < n; i += 3) {
		unsigned left = n - i < 3 ? (unsigned)(n - i) : 3, bits = 0;
		for (unsigned j = 0; j < 3; j++)
			bits = bits << 8 | (j < left ? (unsigned char)bytes[i + j] : 0u);
		char four[5] = {digits[bits >> 18], digits[bits >> 12 & 63], left > 1 ? digits[bits >> 6 & 63] : '=',
				left > 2 ? digits[bits & 63] : '=', 0};
		text_add(out, four);
	}
}

static void json_elements(const struct value *value, char *out)
{
	for (size_t i = 0; i < value->count; i++) {
		text_add(out, i ? "," : "");
		if (value->type == ITEM_M) {
			text_add(out, "\"");
			text_add(out, value->element[i].name);
			text_add(out, "\":");
		}
		if (value->type == ITEM_BS) { /* no wrapper in a set */
			text_add(out, "\"");
			json_base64(value->element[i].bytes, out);
			text_add(out, "\"");
		} else {
			json(&value->element[i], out);
		}
	}
}

static void json(const struct value *value, char *out)
{
	switch (value->type) {
	case ITEM_S:
		text_add(out, "\"");
		text_add(out, value->bytes);
		text_add(out, "\"");
		break;
	case ITEM_B:
		text_add(out, "{\"$B\":\"");
		json_base64(value->bytes, out);
		text_add(out, "\"}");
		break;
	case ITEM_N:
		json_number(value->hundredths, out);
		break;
	case ITEM_BOOL:
		text_add(out, value->truth ? "true" : "false");
		break;
	case ITEM_NULL:
		text_add(out, "null");
		break;
	case ITEM_L:
		text_add(out, "[");
		json_elements(value, out);
		text_add(out, "]");
		break;
	case ITEM_M:
		text_add(out, "{");
		json_elements(value, out);
		text_add(out, "}");
		break;
	default:
		text_add(out, value->type == ITEM_SS   ? "{\"$SS\":["
			      : value->type == ITEM_NS ? "{\"$NS\":["
						       : "{\"$BS\":[");
		json_elements(value, out);
		text_add(out, "]}");
	}
}

/* With what a part must escape; `names`: as an attribute's name. */
static void escape(const char *text, bool names, char *out)
{
	for (; *text; text++) {
		char each[4] = {*text, 0};
		if (*text == '/' || *text == '%' || (names && strchr(".[]", *text)))
			snprintf(each, sizeof each, "%%%02X", (unsigned char)*text);
		text_add(out, each);
	}
}

/* A random walk into the document: its path, and what is there (NULL: nothing). */
static const struct value *random_path(const struct value *value, char *path)
{
	text_add(path, "a");
	while (value && pick(2)) {
		char index[16];
		if (value->type == ITEM_L || pick(8) == 0) {
			unsigned i = pick(3);
			snprintf(index, sizeof index, "[%u]", i);
			text_add(path, index);
			value = value->type == ITEM_L && i < value->count ? &value->element[i] : NULL;
		} else if (value->type == ITEM_M && value->count) {
			value = &value->element[pick((unsigned)value->count)];
			text_add(path, ".");
			escape(value->name, true, path);
		} else {
			text_add(path, ".nothing");
			value = NULL;
		}
	}
	return value;
}

/* An operand: a value, and for a bare word what it is as a string. */
struct operand {
	struct value value;
	bool bare;
	char word[40];
};

static bool knows_json(const char *word)
{
	char *end;
	strtod(word, &end);
	return *end == 0;
}

static void random_operand(const struct value *like, struct operand *operand, char *part)
{
	char text[8 * TEXT] = "";
	do {
		operand->value = like && pick(2) ? random_value(1, (int)like->type) : random_value(1, -1);
		text[0] = 0;
		json(&operand->value, text);
		if (strlen(text) < 100)
			break;
		value_free(&operand->value);
	} while (true);
	bool number_or_so =
	    operand->value.type == ITEM_N || operand->value.type == ITEM_BOOL || operand->value.type == ITEM_NULL;
	const char *bytes = operand->value.bytes;
	bool plain = operand->value.type == ITEM_S && bytes[0] && !knows_json(bytes) && pick(2);
	operand->bare = number_or_so || plain;
	if (plain)
		strcpy(text, bytes);
	if (operand->bare) {
		cr_assert_lt(strlen(text), sizeof operand->word);
		strcpy(operand->word, text);
	}
	escape(text, false, part);
}

/* Three values where there is an order between them: -1, 0, 1; and 2 where there is none. */
static int order(const struct value *value, const struct operand *with)
{
	int n;
	if (value->type == ITEM_S && with->bare)
		n = strcmp(value->bytes, with->word);
	else if (value->type != with->value.type || value->type > ITEM_B)
		return 2;
	else
		n = value->type == ITEM_N ? value->hundredths - with->value.hundredths
					  : strcmp(value->bytes, with->value.bytes);
	return (n > 0) - (n < 0);
}

static bool equal(const struct value *value, const struct operand *with)
{
	if (value->type == ITEM_S && with->bare)
		return strcmp(value->bytes, with->word) == 0;
	return same(value, &with->value);
}

static bool contains(const struct value *value, const struct operand *with)
{
	if (value->type == ITEM_S && (with->bare || with->value.type == ITEM_S))
		return strstr(value->bytes, with->bare ? with->word : with->value.bytes);
	if (value->type == ITEM_B && with->value.type == ITEM_B)
		return strstr(value->bytes, with->value.bytes);
	for (size_t i = 0; i < value->count && value->type != ITEM_M; i++)
		if (equal(&value->element[i], with))
			return true;
	return false;
}

static bool begins(const struct value *value, const struct operand *with)
{
	const char *prefix = value->type == ITEM_S && with->bare ? with->word : with->value.bytes;
	if (value->type != ITEM_B && value->type != ITEM_S)
		return false;
	if (value->type != with->value.type && !(value->type == ITEM_S && with->bare))
		return false;
	return strncmp(value->bytes, prefix, strlen(prefix)) == 0;
}

static const char *const ops[] = {"eq",       "ne",      "lt",     "le",         "gt",   "ge",  "begins_with",
				  "contains", "between", "exists", "not_exists", "type", "size"};
enum { EQ, NE, LT, LE, GT, GE, BEGINS_WITH, CONTAINS, BETWEEN, EXISTS, NOT_EXISTS, TYPE, SIZE, OPS };

/* Whether DynamoDB takes the operand at all. */
static bool possible(unsigned op, const struct operand *with)
{
	enum item_type type = with->value.type;
	if (op == BEGINS_WITH)
		return with->bare || type == ITEM_S || type == ITEM_B;
	return op < LT || op > GE || with->bare || type <= ITEM_B;
}

static bool expected(unsigned op, const struct value *value, const struct operand *with)
{
	if (op == NE)
		return !value || !equal(value, with);
	if (!value)
		return false;
	int n = order(value, with);
	switch (op) {
	case EQ:
		return equal(value, with);
	case LT:
		return n == -1;
	case LE:
		return n == -1 || n == 0;
	case GT:
		return n == 1;
	case GE:
		return n == 1 || n == 0;
	case BEGINS_WITH:
		return begins(value, with);
	default:
		return contains(value, with);
	}
}

static void check(const char *const *parts, size_t count, const char *document, enum rc want, bool matches)
{
	struct filter *filter = NULL;
	struct item *item = NULL;
	struct why why = {.text = ""};
	char written[5 * TEXT] = "";
	for (size_t i = 0; i < count; i++) {
		text_add(written, "/");
		text_add(written, parts[i]);
	}
	enum rc rc = filter_parse(parts, count, &filter, &why);
	cr_assert_eq(rc, want, "%s: %s %s", written, rc_name(rc), why.text);
	if (rc)
		return;
	cr_assert_eq(item_parse(document, strlen(document), &item, &why), RC_OK, "%s: %s", document, why.text);
	cr_assert_eq(filter_matches(filter, item, NULL, 0), matches, "%s of %s is not %d", written, document, matches);
	item_free(item);
	filter_free(filter);
}

static void check_one_operand(unsigned op, const char *path, const struct value *value, const char *document)
{
	char part[8 * TEXT] = "";
	struct operand with = {.word = ""};
	random_operand(value, &with, part);
	const char *parts[] = {path, ops[op], part};
	check(parts, 3, document, possible(op, &with) ? RC_OK : RC_INVALID, expected(op, value, &with));
	value_free(&with.value);
}

/* BETWEEN is >= AND <=, where it is taken: it may be refused only where the ends are of two types, or the wrong way round. */
static void check_between(const char *path, const struct value *value, const char *document)
{
	char low_part[8 * TEXT] = "", high_part[8 * TEXT] = "";
	struct operand low = {.word = ""}, high = {.word = ""};
	random_operand(value, &low, low_part);
	random_operand(&low.value, &high, high_part);
	const char *parts[] = {path, ops[BETWEEN], low_part, high_part};
	bool own = low.value.type == high.value.type && low.value.type <= ITEM_B;
	bool strings = (low.bare || low.value.type == ITEM_S) && (high.bare || high.value.type == ITEM_S);
	const char *from = low.bare ? low.word : low.value.bytes, *to = high.bare ? high.word : high.value.bytes;
	bool right =
	    own && low.value.type == ITEM_N ? low.value.hundredths <= high.value.hundredths : strcmp(from, to) <= 0;
	check(parts, 4, document, (own || strings) && right ? RC_OK : RC_INVALID,
	      expected(GE, value, &low) && expected(LE, value, &high));
	value_free(&low.value);
	value_free(&high.value);
}

static void check_size(const char *path, const struct value *value, const char *document)
{
	char n[16];
	unsigned op = pick(GE + 1), limit = pick(4);
	const char *parts[] = {path, ops[SIZE], ops[op], n};
	snprintf(n, sizeof n, "%u", limit);
	struct value size = {.type = ITEM_N};
	struct operand with = {.value = {.type = ITEM_N, .hundredths = (int)limit * 100}};
	bool has = value && value->type != ITEM_N && value->type != ITEM_BOOL && value->type != ITEM_NULL;
	if (has)
		size.hundredths =
		    100 * (int)(value->type == ITEM_S || value->type == ITEM_B ? strlen(value->bytes) : value->count);
	check(parts, 4, document, RC_OK, expected(op, has ? &size : NULL, &with));
}

Test(filter_model, random_filters_let_through_what_the_model_does)
{
	state = 20261127;
	for (int round = 0; round < ROUNDS; round++) {
		char document[8 * TEXT] = "{\"a\":", path[8 * TEXT] = "";
		struct value root = random_value(0, -1);
		json(&root, document);
		text_add(document, "}");
		const struct value *value = random_path(&root, path);
		unsigned op = pick(OPS), type = pick(ITEM_BS + 1);
		const char *parts[] = {path, ops[op], item_type_name((enum item_type)type)};
		if (op < BETWEEN)
			check_one_operand(op, path, value, document);
		else if (op == BETWEEN)
			check_between(path, value, document);
		else if (op == SIZE)
			check_size(path, value, document);
		else
			check(parts, op == TYPE ? 3 : 2, document, RC_OK,
			      op == TYPE ? value && value->type == type : (op == EXISTS) == (value != NULL));
		value_free(&root);
	}
}
