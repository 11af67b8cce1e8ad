/* schema: the text of a definition, and its fields one by one: what each mistake in them is called, and where it stands. */
#include "tests/unit/schema_fixture.h"

Test(schema_text, an_empty_document_is_unfinished)
{
	struct schema *schema = NULL;
	struct why why;
	cr_assert_eq(schema_parse("", 0, &schema, &why), RC_UNFINISHED);
	cr_assert(strstr(why.text, "empty"));
	cr_assert_eq(schema_parse(" \n", 2, &schema, &why), RC_UNFINISHED);
	cr_assert_null(schema);
}

Test(schema_text, every_beginning_of_a_document_is_unfinished)
{
	static const char text[] =
	    TABLE(DEFINE("pk\\u00e9", "S"), HASH("pké"),
		  ",'DeletionProtectionEnabled':true,'ItemCount':-1.5e+3,'Replicas':[null,false]");
	cleanup_buf struct buf document = {0};
	add_quoted(&document, text);
	for (size_t i = 0; i < document.len; i++) {
		struct schema *schema = NULL;
		struct why why = {.text = ""};
		enum rc rc = schema_parse(document.data, i, &schema, &why);
		cr_assert_eq(rc, RC_UNFINISHED, "%s after %zu bytes: %s", rc_name(rc), i, why.text);
		cr_assert_neq(why.text[0], 0);
	}
	fine(text);
}

Test(schema_text, what_is_not_json_is_refused_with_its_place)
{
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	cr_assert_eq(parse("{'KeySchema': [\n  oops", &schema, &why), RC_REFUSED);
	cr_assert_eq(why.line, 2);
	cr_assert_eq(why.column, 3);
	cr_assert_neq(why.text[0], 0);
	cr_assert_eq(parse(PLAIN("") "x", &schema, NULL), RC_REFUSED);
	cr_assert_eq(parse(PLAIN("") PLAIN(""), &schema, NULL), RC_REFUSED);
	cr_assert_eq(schema_parse("{\"\xff", 3, &schema, NULL), RC_REFUSED);
	refused("[]", "");
	refused("5", "");
	cr_assert_null(schema);
}

Test(schema_text, duplicate_names_are_refused_with_their_place)
{
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	cr_assert_eq(parse("{'TableName':'a',\n'TableName':'b'}", &schema, &why), RC_REFUSED);
	cr_assert(strstr(why.text, "duplicate"), "%s", why.text);
	cr_assert_eq(why.line, 2);
	cr_assert_neq(why.column, 0);
}

Test(schema_text, a_nul_in_a_name_is_refused)
{
	refused(TABLE(DEFINE("p\\u0000k", "S"), HASH("p\\u0000k"), ""), "");
	refused("{'a\\u0000b':1}", "");
}

Test(schema_text, a_number_beyond_64_bits_is_refused_unless_it_may_still_become_a_real)
{
	struct schema *schema = NULL;
	refused("{'ItemCount':99999999999999999999}", "");
	refused("{'ItemCount':99999999999999999999,", "");
	cr_assert_eq(parse("{'ItemCount':99999999999999999999", &schema, NULL), RC_UNFINISHED);
	cr_assert_eq(parse("{'ItemCount':99999999999999999999E", &schema, NULL), RC_UNFINISHED);
}

Test(schema_text, more_than_a_mebibyte_is_too_big)
{
	cleanup_buf struct buf document = {0};
	add_quoted(&document, PLAIN(""));
	size_t n = document.len;
	buf_resize(&document, SCHEMA_DOCUMENT_MAX + 1);
	memset(document.data + n, ' ', document.len - n);
	struct schema *schema = NULL;
	struct why why = {.text = ""};
	cr_assert_eq(schema_parse(document.data, document.len, &schema, &why), RC_TOO_BIG);
	cr_assert(strstr(why.text, "1048576"));
	cr_assert_null(schema);
	cr_assert_eq(schema_parse(document.data, document.len - 1, &schema, NULL), RC_OK);
	schema_free(schema);
}

Test(schema_text, deep_nesting_is_refused)
{
	cleanup_buf struct buf document = {0};
	buf_add_text(&document, "{\"Replicas\":");
	for (int i = 0; i < 100000; i++)
		buf_add_byte(&document, '[');
	struct schema *schema = NULL;
	cr_assert_eq(schema_parse(document.data, document.len, &schema, NULL), RC_REFUSED);
}

Test(schema_fields, unknown_ones_are_refused_with_their_path)
{
	refused(PLAIN(",'Foo':1"), "Foo: unknown field");
	refused(PLAIN(",'keySchema':1"), "keySchema: unknown field");
	refused("{'Table':" PLAIN(",'Foo':1") "}", "Table.Foo: unknown field");
	refused(INDEXED(GSI(INDEX("g-1", HASH("x"), ALL) ",{'IndexName':'g-2','Foo':1}")),
		"GlobalSecondaryIndexes[1].Foo: unknown field");
	refused(INDEXED(GSI(INDEX("g-1", HASH("x"), "{'ProjectionType':'ALL','Foo':1}"))),
		"GlobalSecondaryIndexes[0].Projection.Foo: unknown field");
	refused(INDEXED(LSI("{'ProvisionedThroughput':{}}")),
		"LocalSecondaryIndexes[0].ProvisionedThroughput: unknown");
	refused("{'AttributeDefinitions':[{'Foo':1}]}", "AttributeDefinitions[0].Foo: unknown field");
	refused("{'KeySchema':[{'Foo':1}]}", "KeySchema[0].Foo: unknown field");
	refused(PLAIN(",'Tags':[{'Key':'a','Value':'b','Foo':1}]"), "Tags[0].Foo: unknown field");
	refused(PLAIN(",'':1"), "\"\": unknown field");
}

Test(schema_fields, those_that_must_be_there_are_missed)
{
	refused("{}", "AttributeDefinitions: this is missing");
	refused("{'AttributeDefinitions':[" DEFINE("a", "S") "]}", "KeySchema: this is missing");
	refused("{'AttributeDefinitions':[{'AttributeName':'a'}]}",
		"AttributeDefinitions[0].AttributeType: this is missing");
	refused("{'AttributeDefinitions':[{'AttributeType':'S'}]}",
		"AttributeDefinitions[0].AttributeName: this is missing");
	refused("{'KeySchema':[{'AttributeName':'a'}]}", "KeySchema[0].KeyType: this is missing");
	refused("{'KeySchema':[{'KeyType':'HASH'}]}", "KeySchema[0].AttributeName: this is missing");
	refused(INDEXED(GSI("{}")), "GlobalSecondaryIndexes[0].IndexName: this is missing");
	refused(INDEXED(GSI("{'IndexName':'abc'}")), "GlobalSecondaryIndexes[0].KeySchema: this is missing");
	refused(INDEXED(GSI("{'IndexName':'abc','KeySchema':[" HASH("x") "]}")),
		"GlobalSecondaryIndexes[0].Projection: this is missing");
	refused(INDEXED(LSI("{'IndexName':'abc','KeySchema':[" HASH("pk") "]}")),
		"LocalSecondaryIndexes[0].Projection: this is missing");
	refused(PLAIN(",'ProvisionedThroughput':{'ReadCapacityUnits':5}"),
		"ProvisionedThroughput.WriteCapacityUnits: this is missing");
	refused(PLAIN(",'TimeToLiveSpecification':{'AttributeName':'a'}"),
		"TimeToLiveSpecification.Enabled: this is missing");
	refused(PLAIN(",'Tags':[{'Key':'a'}]"), "Tags[0].Value: this is missing");
}

Test(schema_fields, wrong_shapes_are_refused_with_their_path)
{
	refused("{'AttributeDefinitions':5}", "AttributeDefinitions: this must be an array");
	refused("{'AttributeDefinitions':[5]}", "AttributeDefinitions[0]: this must be an object");
	refused("{'AttributeDefinitions':[]}", "AttributeDefinitions: this has at least 1");
	refused("{'KeySchema':[]}", "KeySchema: this has at least 1");
	refused("{'KeySchema':{}}", "KeySchema: this must be an array");
	refused("{'KeySchema':[{'AttributeName':5}]}", "KeySchema[0].AttributeName: this must be a string");
	refused("{'KeySchema':[{'KeyType':'hash'}]}", "KeySchema[0].KeyType: hash is not one of: HASH, RANGE");
	refused("{'KeySchema':[{'KeyType':1}]}", "KeySchema[0].KeyType: what stands here is not one of");
	refused("{'AttributeDefinitions':[{'AttributeType':'BOOL'}]}",
		"AttributeDefinitions[0].AttributeType: BOOL is not one of: S, N, B");
	refused(PLAIN(",'TableName':5"), "TableName: this must be a string");
	refused(PLAIN(",'GlobalSecondaryIndexes':{}"), "GlobalSecondaryIndexes: this must be an array");
	refused(PLAIN(",'LocalSecondaryIndexes':null"), "LocalSecondaryIndexes: this must be an array");
	refused(PLAIN(",'BillingMode':'FREE'"), "BillingMode: FREE is not one of: PROVISIONED, PAY_PER_REQUEST");
	refused(PLAIN(",'ProvisionedThroughput':5"), "ProvisionedThroughput: this must be an object");
	refused(PLAIN(",'OnDemandThroughput':[]"), "OnDemandThroughput: this must be an object");
	refused(PLAIN(",'OnDemandThroughput':{'MaxReadRequestUnits':-2}"),
		"OnDemandThroughput.MaxReadRequestUnits: -2");
	refused(PLAIN(",'WarmThroughput':{'ReadUnitsPerSecond':true}"),
		"WarmThroughput.ReadUnitsPerSecond: this must be an integer");
	refused(PLAIN(",'TableClass':'GOLD'"), "TableClass: GOLD is not one of: STANDARD, STANDARD_INFREQUENT_ACCESS");
	refused(PLAIN(",'SSESpecification':{'SSEType':'ROT13'}"), "SSESpecification.SSEType: ROT13");
	refused(PLAIN(",'SSESpecification':{'Enabled':1}"), "SSESpecification.Enabled: this must be true or false");
	refused(PLAIN(",'DeletionProtectionEnabled':'yes'"), "DeletionProtectionEnabled: this must be true or false");
	refused(PLAIN(",'DeletionProtectionEnabled':1"), "DeletionProtectionEnabled: this must be true or false");
	refused(PLAIN(",'ResourcePolicy':5"), "ResourcePolicy: this must be a policy");
	refused(PLAIN(",'ContributorInsightsSpecification':true"),
		"ContributorInsightsSpecification: this must be an object");
	refused(PLAIN(",'ImportSourceSpecification':[]"), "ImportSourceSpecification: this must be an object");
	refused(PLAIN(",'KinesisStreamSpecification':'x'"), "KinesisStreamSpecification: this must be an object");
	refused(PLAIN(",'PointInTimeRecoverySpecification':{'PointInTimeRecoveryEnabled':'on'}"),
		"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled: this must be true or false");
	refused(PLAIN(",'PointInTimeRecoverySpecification':{'RecoveryPeriodInDays':36}"),
		"PointInTimeRecoverySpecification.RecoveryPeriodInDays: 36 is more than 35");
	refused(PLAIN(",'PointInTimeRecoverySpecification':{'RecoveryPeriodInDays':0}"),
		"PointInTimeRecoverySpecification.RecoveryPeriodInDays: 0 is less than 1");
}

Test(schema_fields, streams_and_time_to_live_say_what_they_need)
{
	refused(PLAIN(",'StreamSpecification':{'StreamEnabled':true}"),
		"StreamSpecification: an enabled stream needs a StreamViewType");
	refused(PLAIN(",'StreamSpecification':{}"), "StreamSpecification: an enabled stream needs");
	refused(PLAIN(",'StreamSpecification':{'StreamEnabled':false,'StreamViewType':'NEW_IMAGE'}"),
		"StreamSpecification: StreamViewType is for a stream that is enabled");
	refused(PLAIN(",'StreamSpecification':{'StreamViewType':'ALL'}"), "StreamSpecification.StreamViewType: ALL");
	refused(PLAIN(",'TimeToLiveSpecification':{'Enabled':true}"),
		"TimeToLiveSpecification: time to live that is enabled needs");
	refused(PLAIN(",'TimeToLiveSpecification':{'Enabled':true,'AttributeName':''}"),
		"TimeToLiveSpecification.AttributeName: an attribute's name has 1 to 255 bytes");
	fine(PLAIN(",'TimeToLiveSpecification':{'Enabled':false}"));
}

Test(schema_fields, tags_have_limits)
{
	refused(PLAIN(",'Tags':[{'Key':'','Value':''}]"), "Tags[0].Key: this has 1 to 128 characters");
	refused(PLAIN(",'Tags':[{'Key':'a','Value':'1'},{'Key':'a','Value':'2'}]"), "Tags: two tags have the key a");
	cleanup_buf struct buf text = {0};
	buf_add_text(&text, ",'Tags':[");
	for (int i = 0; i < 51; i++)
		buf_printf(&text, "%s{'Key':'k%d','Value':'é'}", i ? "," : "", i);
	buf_add_text(&text, "]");
	cleanup_buf struct buf document = {0};
	buf_printf(&document, "%.*s%.*s}", (int)strlen(PLAIN("")) - 1, PLAIN(""), (int)text.len, (char *)text.data);
	buf_add_byte(&document, 0);
	refused((char *)document.data, "Tags: this has at most 50 elements, and there are 51");

	char value[2 * 257 + 1] = "";
	for (int i = 0; i < 257; i++)
		memcpy(value + 2 * (size_t)i, "é", 3);
	buf_clear(&document);
	buf_printf(&document, "%.*s,'Tags':[{'Key':'a','Value':'%s'}]}", (int)strlen(PLAIN("")) - 1, PLAIN(""), value);
	buf_add_byte(&document, 0);
	refused((char *)document.data, "Tags[0].Value: this has 0 to 256 characters, and there are 257");
	value[2 * 256] = 0;
	buf_clear(&document);
	buf_printf(&document, "%.*s,'Tags':[{'Key':'a','Value':'%s'}]}", (int)strlen(PLAIN("")) - 1, PLAIN(""), value);
	buf_add_byte(&document, 0);
	fine((char *)document.data);
}

Test(schema_fields, throughput_agrees_with_the_billing_mode)
{
#define UNITS(r, w) "'ProvisionedThroughput':{'ReadCapacityUnits':" r ",'WriteCapacityUnits':" w "}"
	fine(PLAIN("," UNITS("5", "'5'")));
	fine(PLAIN("," UNITS("0", "0")));
	fine(PLAIN(",'BillingMode':'PAY_PER_REQUEST'," UNITS("0", "0")));
	refused(
	    PLAIN(",'BillingMode':'PAY_PER_REQUEST'," UNITS("5", "5")),
	    "ProvisionedThroughput: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
	    "is PAY_PER_REQUEST");
	refused(PLAIN(",'BillingMode':'PROVISIONED'"),
		"ProvisionedThroughput: this is missing, and BillingMode is PROVISIONED");
	refused(PLAIN(",'BillingMode':'PROVISIONED'," UNITS("0", "0")),
		"ProvisionedThroughput: ReadCapacityUnits is less than 1");
	refused(PLAIN("," UNITS("5", "0")), "ProvisionedThroughput: WriteCapacityUnits is less than 1");
	refused(PLAIN("," UNITS("-1", "5")), "ProvisionedThroughput.ReadCapacityUnits: -1 is less than 0");
	refused(PLAIN("," UNITS("'5x'", "5")), "ProvisionedThroughput.ReadCapacityUnits: this must be an integer");
	refused(PLAIN("," UNITS("''", "5")), "ProvisionedThroughput.ReadCapacityUnits: this must be an integer");
	refused(PLAIN("," UNITS("5.5", "5")), "ProvisionedThroughput.ReadCapacityUnits: this must be an integer");
	refused(PLAIN("," UNITS("'99999999999999999999'", "5")),
		"ProvisionedThroughput.ReadCapacityUnits: this must be an integer");
	refused(INDEXED(GSI(INDEX("abc", HASH("x"), ALL)) ",'BillingMode':'PROVISIONED'," UNITS("1", "1")),
		"GlobalSecondaryIndexes[0].ProvisionedThroughput: this is missing");
	refused(INDEXED(GSI("{'IndexName':'abc','KeySchema':[" HASH("x") "],'Projection':" ALL "," UNITS(
		    "1", "1") "}") ",'BillingMode':'PAY_PER_REQUEST'"),
		"GlobalSecondaryIndexes[0].ProvisionedThroughput: Neither");
}
