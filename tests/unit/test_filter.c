/* filter: what a filter takes and refuses, and which items it lets through: DynamoDB's rules as tables of cases here; random filters against an
 * evaluator that knows none of filter's code in test_filter_model.c. */
#include "index/filter.h"
#include "tests/unit/fixture.h"

enum { WRITTEN_MAX = 1024 };

/* A filter as its parts joined by '/'. */
static enum rc parse(const char *written, struct filter **ret_filter, struct why *why)
{
	char copy[WRITTEN_MAX];
	const char *parts[FILTER_PARTS_MAX + 2];
	size_t count = 0;
	cr_assert_lt(strlen(written), sizeof copy);
	strcpy(copy, written);
	for (char *part = strtok(copy, "/"); part; part = strtok(NULL, "/")) {
		cr_assert_lt(count, sizeof parts / sizeof *parts);
		parts[count++] = part;
	}
	return filter_parse(parts, count, ret_filter, why);
}

static struct filter *make(const char *written)
{
	struct filter *filter = NULL;
	struct why why = {.text = ""};
	enum rc rc = parse(written, &filter, &why);
	cr_assert_eq(rc, RC_OK, "%s: %s %s", written, rc_name(rc), why.text);
	return filter;
}

static bool matches(const char *written, const char *document)
{
	struct filter *filter = make(written);
	struct item *item = NULL;
	cr_assert_eq(item_parse(document, strlen(document), &item, NULL), RC_OK, "%s", document);
	bool is = filter_matches(filter, item, NULL, 0);
	item_free(item);
	filter_free(filter);
	return is;
}

struct expected {
	const char *document, *filter;
	bool matches;
};

static void expect_all(const struct expected *each, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(matches(each[i].filter, each[i].document), each[i].matches, "%s of %s is not %d",
			     each[i].filter, each[i].document, each[i].matches);
}
#define EXPECT_ALL(table) expect_all(table, sizeof(table) / sizeof *(table))

struct refused {
	const char *filter, *words; /* that are part of the reason */
};

static void expect_refused(const struct refused *each, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct filter *filter = NULL;
		struct why why = {.text = ""};
		enum rc rc = parse(each[i].filter, &filter, &why);
		cr_expect_eq(rc, RC_INVALID, "%s: %s", each[i].filter, rc_name(rc));
		cr_expect_not_null(strstr(why.text, each[i].words), "%s: \"%s\" for \"%s\"", each[i].filter, why.text,
				   each[i].words);
		cr_expect_null(filter);
	}
}
#define EXPECT_REFUSED(table) expect_refused(table, sizeof(table) / sizeof *(table))

/* One value of each type, in the order of enum item_type, and one that is larger, where there is an order, or just another. */
static const char *const one[] = {"\"b\"", "5",         "{\"$B\":\"Yg==\"}", "false",         "null",
				  "[1]",   "{\"k\":1}", "{\"$SS\":[\"b\"]}", "{\"$NS\":[5]}", "{\"$BS\":[\"Yg==\"]}"};
static const char *const other[] = {"\"c\"", "50",        "{\"$B\":\"Yw==\"}", "true",          NULL,
				    "[2]",   "{\"k\":2}", "{\"$SS\":[\"c\"]}", "{\"$NS\":[6]}", "{\"$BS\":[\"Yw==\"]}"};
enum { TYPES = sizeof one / sizeof *one };

static bool compares(const char *value, const char *op, const char *operand)
{
	char document[WRITTEN_MAX], written[WRITTEN_MAX];
	snprintf(document, sizeof document, "{\"a\":%s}", value);
	snprintf(written, sizeof written, "a/%s/%s", op, operand);
	return matches(written, document);
}

static bool has_order(size_t type)
{
	return type == ITEM_S || type == ITEM_N || type == ITEM_B;
}

Test(filter, values_of_different_types_are_unequal_and_have_no_order)
{
	for (size_t a = 0; a < TYPES; a++)
		for (size_t b = 0; b < TYPES; b++) {
			if (a == b)
				continue;
			cr_expect_not(compares(one[a], "eq", one[b]), "%s %s", one[a], one[b]);
			cr_expect(compares(one[a], "ne", one[b]), "%s %s", one[a], one[b]);
			if (!has_order(b) || (a == ITEM_S && b == ITEM_N)) /* a bare number is a string to strings */
				continue;
			for (size_t i = 0; i < 4; i++)
				cr_expect_not(
				    compares(one[a], ((const char *const[]){"lt", "le", "gt", "ge"})[i], one[b]),
				    "%s %s", one[a], one[b]);
		}
}

Test(filter, values_of_one_type_are_equal_or_not)
{
	for (size_t type = 0; type < TYPES; type++) {
		cr_expect(compares(one[type], "eq", one[type]), "%s", one[type]);
		cr_expect_not(compares(one[type], "ne", one[type]), "%s", one[type]);
		if (!other[type])
			continue;
		cr_expect_not(compares(one[type], "eq", other[type]), "%s", one[type]);
		cr_expect(compares(one[type], "ne", other[type]), "%s", one[type]);
	}
}

Test(filter, strings_numbers_and_binaries_have_an_order)
{
	for (size_t type = 0; type < TYPES; type++) {
		if (!has_order(type))
			continue;
		const char *low = one[type], *high = other[type];
		cr_expect(compares(low, "lt", high) && !compares(low, "lt", low) && !compares(high, "lt", low), "%s",
			  low);
		cr_expect(compares(low, "le", high) && compares(low, "le", low) && !compares(high, "le", low), "%s",
			  low);
		cr_expect(!compares(low, "gt", high) && !compares(low, "gt", low) && compares(high, "gt", low), "%s",
			  low);
		cr_expect(!compares(low, "ge", high) && compares(low, "ge", low) && compares(high, "ge", low), "%s",
			  low);
	}
}

Test(filter, each_type_is_itself_and_no_other)
{
	for (size_t a = 0; a < TYPES; a++)
		for (size_t b = 0; b < TYPES; b++)
			cr_expect_eq(compares(one[a], "type", item_type_name((enum item_type)b)), a == b, "%s %zu",
				     one[a], b);
}

Test(filter, what_is_missing_is_equal_to_nothing_and_exists_not)
{
	static const struct expected cases[] = {
	    {"{}", "a/eq/1", false},
	    {"{}", "a/ne/1", true},
	    {"{}", "a/lt/1", false},
	    {"{}", "a/ge/1", false},
	    {"{}", "a/between/1/2", false},
	    {"{}", "a/begins_with/x", false},
	    {"{}", "a/contains/x", false},
	    {"{}", "a/exists", false},
	    {"{}", "a/not_exists", true},
	    {"{}", "a/type/S", false},
	    {"{}", "a/size/eq/0", false},
	    {"{}", "a/size/ne/0", true},
	    {"{\"a\":null}", "a/exists", true},
	    {"{\"a\":null}", "a/not_exists", false},
	    {"", "a/not_exists", true},
	    {"{\"a\":null}", "a/eq/null", true},
	    {"{}", "a/eq/null", false},
	};
	EXPECT_ALL(cases);
}

Test(filter, numbers_compare_by_value_with_all_their_digits)
{
	static const struct expected cases[] = {
	    {"{\"a\":1.50}", "a/eq/15e-1", true},
	    {"{\"a\":-0}", "a/eq/0", true},
	    {"{\"a\":10}", "a/gt/9", true},
	    {"{\"a\":-10}", "a/lt/-9", true},
	    {"{\"a\":12345678901234567890123456789012345678}", "a/eq/12345678901234567890123456789012345678", true},
	    {"{\"a\":12345678901234567890123456789012345678}", "a/eq/12345678901234567890123456789012345679", false},
	    {"{\"a\":12345678901234567890123456789012345678}", "a/lt/12345678901234567890123456789012345679", true},
	    {"{\"a\":1e125}", "a/gt/9e124", true},
	    {"{\"a\":1e-130}", "a/gt/0", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, strings_and_binaries_compare_bytewise_and_the_shorter_first)
{
	static const struct expected cases[] = {
	    {"{\"a\":\"ab\"}", "a/gt/a", true},
	    {"{\"a\":\"Z\"}", "a/lt/a", true},
	    {"{\"a\":\"\xef\xbf\xbd\"}", "a/lt/\xf0\x9f\x98\x80", true}, /* not so in UTF-16 */
	    {"{\"a\":\"\"}", "a/lt/a", true},
	    {"{\"a\":\"\"}", "a/eq/\"\"", true},
	    {"{\"a\":\"x\\u0000y\"}", "a/eq/x%00y", true},
	    {"{\"a\":\"x\\u0000y\"}", "a/gt/x", true},
	    {"{\"a\":{\"$B\":\"/w==\"}}", "a/gt/{\"$B\":\"fw==\"}", true},
	    {"{\"a\":{\"$B\":\"\"}}", "a/lt/{\"$B\":\"AA==\"}", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, a_bare_word_is_a_string_where_the_attribute_holds_strings)
{
	static const struct expected cases[] = {
	    {"{\"a\":1975}", "a/eq/1975", true},
	    {"{\"a\":\"1975\"}", "a/eq/1975", true},
	    {"{\"a\":\"1975\"}", "a/ne/1975", false},
	    {"{\"a\":\"1975.0\"}", "a/eq/1975", false},
	    {"{\"a\":1975.0}", "a/eq/1975", true},
	    {"{\"a\":1975}", "a/eq/\"1975\"", false},
	    {"{\"a\":\"1975\"}", "a/eq/\"1975\"", true},
	    {"{\"a\":true}", "a/eq/true", true},
	    {"{\"a\":\"true\"}", "a/eq/true", true},
	    {"{\"a\":\"null\"}", "a/eq/null", true},
	    {"{\"a\":\"Queen\"}", "a/eq/Queen", true},
	    {"{\"a\":\"042\"}", "a/eq/042", true},
	    {"{\"a\":42}", "a/eq/042", false},
	    {"{\"a\":\"-\"}", "a/eq/-", true},
	    {"{\"a\":\"1.\"}", "a/eq/1.", true},
	    {"{\"a\":\"1e\"}", "a/eq/1e", true},
	    {"{\"a\":\" 1\"}", "a/eq/ 1", true},
	    {"{\"a\":1}", "a/eq/ 1", false},
	    {"{\"a\":\"1,\\\"w\\\":2\"}", "a/eq/1,\"w\":2", true},
	    {"{\"a\":\"1}\"}", "a/eq/1}", true},
	    {"{\"a\":\"2024-05-01\"}", "a/begins_with/2024", true},
	    {"{\"a\":2024}", "a/begins_with/2024", false},
	    {"{\"a\":\"10\"}", "a/lt/9", true},
	    {"{\"a\":10}", "a/lt/9", false},
	    {"{\"a\":\"yes\"}", "a/gt/true", true},
	    {"{\"a\":\"1975\"}", "a/between/1970/1979", true},
	    {"{\"a\":1975}", "a/between/1970/1979", true},
	    {"{\"a\":\"1975\"}", "a/between/1970/x", true},
	    {"{\"a\":1975}", "a/between/1970/x", false},
	    {"{\"a\":{\"$SS\":[\"1\",\"2\"]}}", "a/contains/2", true},
	    {"{\"a\":{\"$NS\":[1,2]}}", "a/contains/2", true},
	    {"{\"a\":[\"2\"]}", "a/contains/2", true},
	    {"{\"a\":[2.0]}", "a/contains/2", true},
	    {"{\"a\":[2]}", "a/contains/\"2\"", false},
	    {"{\"a\":\"x2y\"}", "a/contains/2", true},
	    {"{\"a\":\"%\"}", "a/eq/%25", true},
	    {"{\"a\":\"a/b\"}", "a/eq/a%2Fb", true},
	    {"{\"a\":\"a/b\"}", "a/eq/\"a%2fb\"", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, sets_compare_unordered_lists_ordered_and_maps_deep)
{
	static const struct expected cases[] = {
	    {"{\"a\":{\"$SS\":[\"x\",\"y\"]}}", "a/eq/{\"$SS\":[\"y\",\"x\"]}", true},
	    {"{\"a\":{\"$SS\":[\"x\",\"y\"]}}", "a/eq/{\"$SS\":[\"y\",\"z\"]}", false},
	    {"{\"a\":{\"$SS\":[\"x\",\"y\"]}}", "a/eq/{\"$SS\":[\"x\"]}", false},
	    {"{\"a\":{\"$NS\":[1,2.0]}}", "a/eq/{\"$NS\":[2,1e0]}", true},
	    {"{\"a\":{\"$BS\":[\"AA==\",\"AQ==\"]}}", "a/eq/{\"$BS\":[\"AQ==\",\"AA==\"]}", true},
	    {"{\"a\":[1,2]}", "a/eq/[2,1]", false},
	    {"{\"a\":[1,2]}", "a/eq/[1,2.0]", true},
	    {"{\"a\":[1,2]}", "a/eq/[1]", false},
	    {"{\"a\":[]}", "a/eq/[]", true},
	    {"{\"a\":[1]}", "a/eq/[\"1\"]", false},
	    {"{\"a\":{\"x\":1,\"y\":[{\"$SS\":[\"p\",\"q\"]}]}}", "a/eq/{\"y\":[{\"$SS\":[\"q\",\"p\"]}],\"x\":1}",
	     true},
	    {"{\"a\":{\"x\":1,\"y\":2}}", "a/eq/{\"x\":1,\"z\":2}", false},
	    {"{\"a\":{\"x\":1,\"y\":2}}", "a/eq/{\"x\":1,\"y\":3}", false},
	    {"{\"a\":{}}", "a/eq/{}", true},
	    {"{\"a\":{\"$M\":{\"$B\":5}}}", "a/eq/{\"$M\":{\"$B\":5}}", true},
	    {"{\"a\":{\"x\":1}}", "a/ne/{\"x\":1}", false},
	};
	EXPECT_ALL(cases);
}

Test(filter, begins_with_and_contains)
{
	static const struct expected cases[] = {
	    {"{\"a\":\"Bohemian\"}", "a/begins_with/Boh", true},
	    {"{\"a\":\"Bohemian\"}", "a/begins_with/Bohemian Rhapsody", false},
	    {"{\"a\":\"Bohemian\"}", "a/begins_with/oh", false},
	    {"{\"a\":\"Bohemian\"}", "a/begins_with/\"\"", true},
	    {"{\"a\":{\"$B\":\"AAEC\"}}", "a/begins_with/{\"$B\":\"AAE=\"}", true},
	    {"{\"a\":{\"$B\":\"AAEC\"}}", "a/begins_with/{\"$B\":\"AQ==\"}", false},
	    {"{\"a\":{\"$B\":\"eA==\"}}", "a/begins_with/x", false},
	    {"{\"a\":[\"Boh\"]}", "a/begins_with/Boh", false},
	    {"{\"a\":5}", "a/begins_with/5", false},
	    {"{\"a\":true}", "a/begins_with/true", false},
	    {"{\"a\":\"Bohemian\"}", "a/contains/emi", true},
	    {"{\"a\":\"Bohemian\"}", "a/contains/Emi", false},
	    {"{\"a\":\"\"}", "a/contains/\"\"", true},
	    {"{\"a\":{\"$B\":\"AAEC\"}}", "a/contains/{\"$B\":\"AQI=\"}", true},
	    {"{\"a\":{\"$B\":\"AAEC\"}}", "a/contains/{\"$B\":\"AgE=\"}", false},
	    {"{\"a\":{\"$BS\":[\"AAEC\"]}}", "a/contains/{\"$B\":\"AAEC\"}", true},
	    {"{\"a\":{\"$BS\":[\"AAEC\"]}}", "a/contains/{\"$B\":\"AAE=\"}", false},
	    {"{\"a\":{\"$SS\":[\"rock\"]}}", "a/contains/roc", false},
	    {"{\"a\":[[1],{\"x\":1},null]}", "a/contains/[1]", true},
	    {"{\"a\":[[1],{\"x\":1},null]}", "a/contains/{\"x\":1.0}", true},
	    {"{\"a\":[[1],{\"x\":1},null]}", "a/contains/null", true},
	    {"{\"a\":[[1],{\"x\":1},null]}", "a/contains/1", false},
	    {"{\"a\":{\"x\":1}}", "a/contains/x", false},
	    {"{\"a\":15}", "a/contains/5", false},
	};
	EXPECT_ALL(cases);
}

Test(filter, between_takes_both_ends)
{
	static const struct expected cases[] = {
	    {"{\"a\":1970}", "a/between/1970/1979", true},
	    {"{\"a\":1979}", "a/between/1970/1979", true},
	    {"{\"a\":1980}", "a/between/1970/1979", false},
	    {"{\"a\":1969.9}", "a/between/1970/1979", false},
	    {"{\"a\":5}", "a/between/5/5", true},
	    {"{\"a\":\"b\"}", "a/between/a/c", true},
	    {"{\"a\":\"cc\"}", "a/between/a/c", false},
	    {"{\"a\":[5]}", "a/between/1/9", false},
	    {"{\"a\":{\"$B\":\"Ag==\"}}", "a/between/{\"$B\":\"AQ==\"}/{\"$B\":\"Aw==\"}", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, sizes_are_code_units_bytes_and_elements)
{
	static const struct expected cases[] = {
	    {"{\"a\":\"\"}", "a/size/eq/0", true},
	    {"{\"a\":\"h\xc3\xa9llo\"}", "a/size/eq/5", true},
	    {"{\"a\":\"\xf0\x9f\x98\x80\"}", "a/size/eq/2", true},
	    {"{\"a\":{\"$B\":\"AAEC\"}}", "a/size/eq/3", true},
	    {"{\"a\":{\"$SS\":[\"x\",\"y\"]}}", "a/size/eq/2", true},
	    {"{\"a\":{\"$NS\":[1,2,3]}}", "a/size/gt/2", true},
	    {"{\"a\":{\"$BS\":[\"AA==\"]}}", "a/size/le/1", true},
	    {"{\"a\":[1,[2,3]]}", "a/size/eq/2", true},
	    {"{\"a\":{\"x\":1,\"y\":2}}", "a/size/lt/3", true},
	    {"{\"a\":{\"x\":1,\"y\":2}}", "a/size/between/1/2", true},
	    {"{\"a\":[]}", "a/size/ne/0", false},
	    {"{\"a\":5}", "a/size/eq/1", false},
	    {"{\"a\":5}", "a/size/ge/0", false},
	    {"{\"a\":5}", "a/size/ne/1", true},
	    {"{\"a\":true}", "a/size/ge/0", false},
	    {"{\"a\":null}", "a/size/ge/0", false},
	    {"{\"a\":\"ab\"}", "a/size/lt/2.5", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, a_path_leads_into_maps_and_lists)
{
	static const char document[] = "{\"info\":{\"rating\":7.5,\"genres\":[\"Action\",\"Drama\",[1,{\"deep\":true}]]"
				       ",\"x.y\":1},\"a.b\":2,\"a\":{\"b\":3},"
				       "\"q[0]\":4,\"50%\":5,\"s/t\":6,\"e]\":7,\"\xc3\xa9\":8,\"m\":{\"0\":9}}";
	static const struct expected cases[] = {
	    {document, "info.rating/gt/7", true},
	    {document, "info.genres[0]/eq/Action", true},
	    {document, "info.genres[1]/eq/Action", false},
	    {document, "info.genres[2][1].deep/eq/true", true},
	    {document, "info.genres[00]/eq/Action", true},
	    {document, "info.genres[3]/exists", false},
	    {document, "info.genres[999999999]/exists", false},
	    {document, "info.genres.x/exists", false},
	    {document, "info[0]/exists", false},
	    {document, "info.rating.x/exists", false},
	    {document, "info.rating[0]/exists", false},
	    {document, "m.0/eq/9", true},
	    {document, "m[0]/exists", false},
	    {document, "info.x%2Ey/eq/1", true},
	    {document, "info.x.y/exists", false},
	    {document, "a.b/eq/3", true},
	    {document, "a%2Eb/eq/2", true},
	    {document, "a%2eb/eq/2", true},
	    {document, "q%5B0%5D/eq/4", true},
	    {document, "50%25/eq/5", true},
	    {document, "s%2Ft/eq/6", true},
	    {document, "e%5D/eq/7", true},
	    {document, "\xc3\xa9/eq/8", true},
	    {document, "%C3%A9/eq/8", true},
	    {document, "info.genres/size/eq/3", true},
	    {document, "info.genres/contains/Drama", true},
	};
	EXPECT_ALL(cases);
}

Test(filter, bad_paths_are_refused)
{
	static const struct refused cases[] = {
	    {".a/exists", "name is missing"},
	    {"a./exists", "name is missing"},
	    {"a..b/exists", "name is missing"},
	    {"[0]/exists", "name is missing"},
	    {"a[]/exists", "between [ and ]"},
	    {"a[x]/exists", "between [ and ]"},
	    {"a[-1]/exists", "between [ and ]"},
	    {"a[0/exists", "between [ and ]"},
	    {"a[/exists", "between [ and ]"},
	    {"a]/exists", "without its ["},
	    {"a[0]b/exists", "after ] comes"},
	    {"a%/exists", "%25"},
	    {"a%2/exists", "%25"},
	    {"a%2G/exists", "%25"},
	    {"a[1234567890]/exists", "List index is not within the allowable range; index: [1234567890]"},
	};
	EXPECT_REFUSED(cases);
}

Test(filter, a_path_has_at_most_32_elements)
{
	char written[WRITTEN_MAX] = "a";
	for (int i = 1; i < FILTER_PATH_MAX; i++)
		strcat(written, i % 2 ? ".a" : "[0]");
	struct filter *filter = NULL;
	char whole[WRITTEN_MAX + 16];
	snprintf(whole, sizeof whole, "%s/exists", written);
	cr_expect_eq(parse(whole, &filter, NULL), RC_OK);
	filter_free(filter);
	snprintf(whole, sizeof whole, "%s.b/exists", written);
	struct why why = {.text = ""};
	cr_expect_eq(parse(whole, &filter, &why), RC_INVALID);
	cr_expect_not_null(strstr(why.text, "The document path has too many nesting levels"), "%s", why.text);
}

Test(filter, impossible_filters_are_refused_in_dynamodbs_words)
{
	static const struct refused cases[] = {
	    {"a/frobnicate", "no such operator"},
	    {"a/EQ/1", "no such operator"},
	    {"a/between/1979/1970", "The BETWEEN operator requires upper bound to be greater than or equal to lower "
				    "bound; lower bound operand: "
				    "AttributeValue: {N:1979}, upper bound operand: AttributeValue: {N:1970}"},
	    {"a/between/b/a", "upper bound to be greater"},
	    {"a/between/5/\"4\"", "upper bound to be greater"},
	    {"a/between/1/{\"$B\":\"AA==\"}",
	     "The BETWEEN operator requires same data type for lower and upper bounds"},
	    {"a/between/[1]/[2]",
	     "Incorrect operand type for operator or function; operator: BETWEEN, operand type: L"},
	    {"a/between/[1]", "Incorrect operand type for operator or function; operator: BETWEEN, operand type: L"},
	    {"a/lt/[1]", "Incorrect operand type for operator or function; operator: <, operand type: L"},
	    {"a/ge/{\"x\":1}", "operator: >=, operand type: M"},
	    {"a/le/{\"$SS\":[\"x\"]}", "operator: <=, operand type: SS"},
	    {"a/begins_with/[1]", "operator or function: begins_with, operand type: L"},
	    {"a/begins_with/{\"$NS\":[1]}", "operator or function: begins_with, operand type: NS"},
	    {"a/type/X", "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
	    {"a/type/s", "Invalid attribute type name found"},
	    {"a/size/begins_with/1", "after size comes"},
	    {"a/size/size/eq/1", "after size comes"},
	    {"a/size/eq/x", "a size is compared with a number"},
	    {"a/size/between/5/1", "upper bound to be greater"},
	    {"a/eq/1/2", "eq has one operand"},
	    {"a/exists/x", "exists has no operand"},
	    {"a/between/1/2/3", "between has two operands"},
	    {"a/eq/\"x", "ends inside a string"},
	    {"a/eq/[1", "[1: the value ends too early"},
	    {"a/eq/{\"x\":[1]", "the value ends too early"},
	    {"a/eq/[1],\"w\":2", "more than one JSON value"},
	    {"a/eq/[1] ", "more than one JSON value"},
	    {"a/eq/{\"$B\":\"x\"}", ""},
	    {"a/eq/{\"$SS\":[]}", "An string set  may not be empty"},
	    {"a/eq/{\"$NS\":[1,1.0]}", "duplicates"},
	    {"a/eq/1e126", "Number overflow"},
	    {"a/eq/1e-131", "Number underflow"},
	    {"a/eq/123456789012345678901234567890123456789", "more than 38 significant digits"},
	    {"a/eq/100%", "%25"},
	};
	EXPECT_REFUSED(cases);
}

Test(filter, what_may_still_become_a_filter_is_unfinished)
{
	static const char *const cases[] = {
	    "a",      "a.b[0]",    "a/eq",           "a/between",        "a/between/1", "a/begins_with",
	    "a/size", "a/size/ge", "a/size/between", "a/size/between/1", "a/type",      "a/contains"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter *filter = NULL;
		struct why why = {.text = ""};
		cr_expect_eq(parse(cases[i], &filter, &why), RC_UNFINISHED, "%s: %s", cases[i], why.text);
		cr_expect_null(filter);
	}
}

Test(filter, parts_that_are_not_utf8_are_said_to_be_so)
{
	struct filter *filter = NULL;
	cr_expect_eq(parse("a\xff/exists", &filter, NULL), RC_NOT_UTF8);
	cr_expect_eq(parse("a/eq/\xff", &filter, NULL), RC_NOT_UTF8);
	cr_expect_eq(parse("a/eq/%FF", &filter, NULL), RC_NOT_UTF8);
	cr_expect_eq(parse("%FF/exists", &filter, NULL), RC_NOT_UTF8);
	cr_expect_eq(parse("%C3.%A9/exists", &filter, NULL), RC_NOT_UTF8);
}

Test(filter, a_filter_is_read_with_and_without_interest_in_the_reason)
{
	struct filter *filter = NULL;
	cr_expect_eq(parse("a/between/2/1", &filter, NULL), RC_INVALID);
	cr_expect_eq(parse("a/eq/{", &filter, NULL), RC_INVALID);
}

static enum rc check(const struct schema *schema, const char *index, bool query, const char *written, struct why *why)
{
	struct filter *filter = make(written);
	enum rc rc = filter_check(filter, schema, index ? schema_find_index(schema, index) : NULL, query, why);
	filter_free(filter);
	return rc;
}

Test(filter, a_query_may_not_filter_by_its_own_key)
{
	struct schema *schema;
	struct why why = {.text = ""};
	cr_assert_eq(schema_parse(FIXTURE_MUSIC, strlen(FIXTURE_MUSIC), &schema, NULL), RC_OK);
	const char *index = schema->indexes[schema->count - 1].name,
		   *index_key = schema->indexes[schema->count - 1].key.partition[0].name;
	char by_index_key[300], in_index_key[300];
	snprintf(by_index_key, sizeof by_index_key, "%s/exists", index_key);
	snprintf(in_index_key, sizeof in_index_key, "%s.x/exists", index_key);

	cr_expect_eq(check(schema, NULL, true, "Artist/eq/Queen", &why), RC_INVALID);
	cr_expect_str_eq(
	    why.text, "Filter Expression can only contain non-primary key attributes: Primary key attribute: Artist");
	cr_expect_eq(check(schema, NULL, true, "Song/exists", &why), RC_INVALID);
	cr_expect_eq(check(schema, NULL, true, "Song.x/exists", &why), RC_INVALID);
	cr_expect_eq(check(schema, NULL, true, "other/exists", &why), RC_OK);
	cr_expect_eq(check(schema, NULL, true, by_index_key, &why), RC_OK);
	cr_expect_eq(check(schema, index, true, by_index_key, &why), RC_INVALID);
	cr_expect_eq(check(schema, index, true, "Artist/exists", &why), RC_OK, "not a key of the index");

	cr_expect_eq(check(schema, NULL, false, "Artist/eq/Queen", &why), RC_OK, "a scan may");
	cr_expect_eq(check(schema, index, false, by_index_key, &why), RC_OK);
	cr_expect_eq(check(schema, NULL, false, "Artist.x/exists", &why), RC_INVALID);
	cr_expect_str_eq(
	    why.text,
	    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: Artist");
	cr_expect_eq(check(schema, index, false, in_index_key, &why), RC_INVALID);
	cr_expect_not_null(strstr(why.text, "IndexKey: "), "%s", why.text);
	schema_free(schema);
}

Test(filter, keys_that_the_document_leaves_out_are_there_all_the_same)
{
	struct schema *schema;
	cr_assert_eq(schema_parse(FIXTURE_MUSIC, strlen(FIXTURE_MUSIC), &schema, NULL), RC_OK);
	struct key pk = fixture_key(KEY_S, KEY_PARTITION, "Queen"), number = fixture_key(KEY_N, KEY_SORT, "-3.5"),
		   binary = fixture_key(KEY_B, KEY_SORT, "00ff");
	const struct schema_attribute pk_name = schema->key.partition[0];
	struct schema_attribute number_name = pk_name, binary_name = pk_name;
	number_name.name = (char[]){"n"};
	binary_name.name = (char[]){"b"};
	number_name.name_len = binary_name.name_len = 1;
	const struct filter_key keys[] = {{&pk_name, &pk}, {&number_name, &number}, {&binary_name, &binary}};
	static const struct {
		const char *filter;
		bool matches;
	} cases[] = {
	    {"Artist/begins_with/Qu", true},
	    {"Artist/eq/ABBA", false},
	    {"Artist.x/exists", false},
	    {"n/eq/-3.50", true},
	    {"n/lt/-3", true},
	    {"b/type/B", true},
	    {"b/size/eq/2", true},
	    {"other/eq/1", true},
	};
	struct item *item;
	cr_assert_eq(item_parse("{\"other\":1,\"Artist\":5}", strlen("{\"other\":1,\"Artist\":5}"), &item, NULL),
		     RC_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter *filter = make(cases[i].filter);
		cr_expect_eq(filter_matches(filter, item, keys, 3), cases[i].matches, "%s", cases[i].filter);
		filter_free(filter);
	}
	item_free(item);
	schema_free(schema);
}
