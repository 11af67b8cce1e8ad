/* schema: what a definition may say, and what each mistake in its keys and indexes is called. Its text and its fields are in test_schema_fields.c. */
#include "tests/unit/schema_fixture.h"
#include "store/model/utf8.h"

Test(schema, a_table_with_a_partition_key_alone)
{
	struct schema *schema = taken(TABLE(DEFINE("Artist", "S"), HASH("Artist"), ""));
	cr_assert_eq(schema->key.partitions, 1);
	cr_assert_eq(schema->key.sorts, 0);
	cr_assert_str_eq(schema->key.partition[0].name, "Artist");
	cr_assert_eq(schema->key.partition[0].name_len, 6);
	cr_assert_eq(schema->key.partition[0].type, KEY_S);
	cr_assert_not(schema_has_sort(schema));
	cr_assert_eq(schema->count, 0);
	cr_assert_not(schema->deletion_protection);
	schema_free(schema);
}

Test(schema, a_table_with_a_sort_key)
{
	struct schema *schema = taken(PLAIN(""));
	cr_assert(schema_has_sort(schema));
	cr_assert_str_eq(schema->key.sort[0].name, "sk");
	cr_assert_eq(schema->key.sort[0].type, KEY_N);
	schema_free(schema);
}

Test(schema, indexes_come_local_ones_first_each_in_document_order)
{
	struct schema *schema =
	    taken(INDEXED(GSI(INDEX("gsi2", HASH("x"),
				    "{'ProjectionType':'KEYS_ONLY'}") "," INDEX("gsi1", HASH("sk") "," RANGE("x"), ALL))
			      LSI(INDEX("lsi1", HASH("pk") "," RANGE("x"),
					"{'ProjectionType':'INCLUDE','NonKeyAttributes':['a','b','a']}"))));
	cr_assert_eq(schema->count, 3);
	const struct schema_index *index = schema->indexes;
	cr_assert_str_eq(index[0].name, "lsi1");
	cr_assert(index[0].local);
	cr_assert_eq(index[0].projection, SCHEMA_INCLUDE);
	cr_assert_eq(index[0].includes, 2, "a name that is given twice is there once");
	cr_assert_str_eq(index[0].include[0].name, "a");
	cr_assert_str_eq(index[0].include[1].name, "b");
	cr_assert_eq(index[0].id, 0);
	cr_assert_str_eq(index[1].name, "gsi2");
	cr_assert_not(index[1].local);
	cr_assert_eq(index[1].projection, SCHEMA_KEYS_ONLY);
	cr_assert_eq(index[1].key.partition[0].type, KEY_B);
	cr_assert_eq(index[1].key.sorts, 0);
	cr_assert_str_eq(index[2].name, "gsi1");
	cr_assert_eq(index[2].projection, SCHEMA_ALL);
	cr_assert_eq(index[2].key.partition[0].type, KEY_N);
	cr_assert_str_eq(index[2].key.sort[0].name, "x");
	cr_assert_eq(schema_find_index(schema, "gsi1"), &index[2]);
	cr_assert_eq(schema_find_index(schema, "lsi1"), &index[0]);
	cr_assert_null(schema_find_index(schema, "GSI1"));
	schema_free(schema);
}

Test(schema, the_undeclared_one_has_pk_and_sk)
{
	struct schema *schema = schema_undeclared();
	cr_assert_not_null(schema);
	cr_assert_not(schema->declared);
	cr_assert_eq(schema->key.partitions, 1);
	cr_assert_eq(schema->key.sorts, 1);
	cr_assert_str_eq(schema->key.partition[0].name, "pk");
	cr_assert_str_eq(schema->key.sort[0].name, "sk");
	cr_assert_eq(schema->key.partition[0].type, KEY_S);
	cr_assert_eq(schema->key.sort[0].type, KEY_S);
	cr_assert_eq(schema->count, 0);
	schema_free(schema);
	schema_free(NULL);
}

Test(schema, deletion_protection_is_read_in_both_spellings)
{
	static const struct {
		const char *text;
		bool protected;
	} cases[] = {{PLAIN(",'DeletionProtectionEnabled':true"), true},
		     {PLAIN(",'DeletionProtectionEnabled':'true'"), true},
		     {PLAIN(",'DeletionProtectionEnabled':false"), false},
		     {PLAIN(",'DeletionProtectionEnabled':'false'"), false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct schema *schema = taken(cases[i].text);
		cr_assert_eq(schema->deletion_protection, cases[i].protected);
		schema_free(schema);
	}
}

Test(schema, every_setting_of_create_table_and_cloudformation_is_taken)
{
	fine(PLAIN(
	    ",'TableName':'Music','BillingMode':'PROVISIONED',"
	    "'ProvisionedThroughput':{'ReadCapacityUnits':5,'WriteCapacityUnits':'5'},"
	    "'TableClass':'STANDARD_INFREQUENT_ACCESS','SSESpecification':{'Enabled':true,'SSEType':'KMS',"
	    "'KMSMasterKeyId':'alias/x'},'StreamSpecification':{'StreamEnabled':true,'StreamViewType':'NEW_IMAGE'},"
	    "'DeletionProtectionEnabled':true,'ResourcePolicy':'{}','WarmThroughput':{'ReadUnitsPerSecond':12000,"
	    "'WriteUnitsPerSecond':4000},'Tags':[{'Key':'a','Value':''}]"));
	fine(PLAIN(",'BillingMode':'PAY_PER_REQUEST','OnDemandThroughput':{'MaxReadRequestUnits':-1,"
		   "'MaxWriteRequestUnits':5},'SSESpecification':{'SSEEnabled':true},"
		   "'StreamSpecification':{'StreamViewType':'KEYS_ONLY','ResourcePolicy':{'PolicyDocument':{}}},"
		   "'TimeToLiveSpecification':{'AttributeName':'expires','Enabled':true},"
		   "'PointInTimeRecoverySpecification':{'PointInTimeRecoveryEnabled':true,'RecoveryPeriodInDays':35},"
		   "'ResourcePolicy':{'PolicyDocument':{}},'ContributorInsightsSpecification':{'Enabled':true},"
		   "'ImportSourceSpecification':{},'KinesisStreamSpecification':{'StreamArn':'arn:x'}"));
	fine(INDEXED(GSI("{'IndexName':'idx','KeySchema':[" HASH(
	    "x") "],'Projection':" ALL ",'ProvisionedThroughput':{"
		 "'ReadCapacityUnits':'1','WriteCapacityUnits':1},'OnDemandThroughput':{},"
		 "'WarmThroughput':{},'ContributorInsightsSpecification':{}}")));
	fine(PLAIN(",'StreamSpecification':{'StreamEnabled':false}"));
	fine(PLAIN(",'GlobalSecondaryIndexes':[],'LocalSecondaryIndexes':[],'Tags':[]"));
}

static const char described[] = "{'Table':{'AttributeDefinitions':[" DEFINE("pk", "S") "," DEFINE(
    "x",
    "N") "],'TableName':'Music','KeySchema':[" HASH("pk") "],"
							  "'TableStatus':'ACTIVE','CreationDateTime':1421866952.062,'"
							  "ProvisionedThroughput':{'NumberOfDecreasesToday':0,"
							  "'LastIncreaseDateTime':1.5,'LastDecreaseDateTime':'2020','"
							  "ReadCapacityUnits':0,'WriteCapacityUnits':0},"
							  "'TableSizeBytes':0,'ItemCount':0,'TableArn':'arn:aws:"
							  "dynamodb:x','TableId':'u','BillingModeSummary':{'"
							  "BillingMode':"
							  "'PAY_PER_REQUEST','LastUpdateToPayPerRequestDateTime':1.0},'"
							  "TableThroughputModeSummary':{},"
							  "'GlobalSecondaryIndexes':[{'IndexName':'by-x','KeySchema':"
							  "[" HASH(
							      "x") "],'Projection':{'ProjectionType':'ALL'},"
								   "'IndexStatus':'ACTIVE','Backfilling':false,'"
								   "ProvisionedThroughput':{'NumberOfDecreasesToday':0,"
								   "'ReadCapacityUnits':0,'WriteCapacityUnits':0},'"
								   "IndexSizeBytes':0,'ItemCount':0,'IndexArn':'arn:y',"
								   "'WarmThroughput':{'ReadUnitsPerSecond':12000,'"
								   "WriteUnitsPerSecond':4000,'Status':'ACTIVE'}}],"
								   "'StreamSpecification':{'StreamEnabled':true,'"
								   "StreamViewType':'NEW_AND_OLD_IMAGES'},'"
								   "LatestStreamLabel':'l',"
								   "'LatestStreamArn':'a','SSEDescription':{},'"
								   "RestoreSummary':{},'TableClassSummary':{'"
								   "TableClass':'STANDARD'},"
								   "'ArchivalSummary':{},'Replicas':[],'"
								   "GlobalTableVersion':'2019.11.21','"
								   "GlobalTableWitnesses':[],"
								   "'MultiRegionConsistency':'EVENTUAL','"
								   "DeletionProtectionEnabled':true,"
								   "'WarmThroughput':{'ReadUnitsPerSecond':1,'"
								   "WriteUnitsPerSecond':1,'Status':'ACTIVE'}}}";

Test(schema, what_describe_table_prints_is_taken)
{
	struct schema *schema = taken(described);
	cr_assert_eq(schema->count, 1);
	cr_assert_str_eq(schema->indexes[0].name, "by-x");
	cr_assert(schema->deletion_protection);
	schema_free(schema);
	fine("{'TableDescription':" PLAIN("") "}");
}

Test(schema, a_resource_of_a_template_is_taken)
{
	struct schema *schema =
	    taken("{'Type':'AWS::DynamoDB::Table','DeletionPolicy':'Retain','DependsOn':['x'],"
		  "'UpdateReplacePolicy':'Retain','Condition':'c','Metadata':{},'Properties':" PLAIN("") "}");
	cr_assert_str_eq(schema->key.partition[0].name, "pk");
	schema_free(schema);
}

Test(schema, wrappings_hold_nothing_else)
{
	refused("{'Table':" PLAIN("") ",'Foo':1}", "Foo: unknown field");
	refused("{'Table':5}", "Table: this must be an object");
	refused("{'Type':'AWS::DynamoDB::GlobalTable','Properties':" PLAIN("") "}", "Type: AWS::DynamoDB::GlobalTable");
	refused("{'Properties':" PLAIN("") "}", "Type: this is missing");
	refused("{'Type':'AWS::DynamoDB::Table','Properties':[]}", "Properties: this must be an object");
	refused("{'Type':'AWS::DynamoDB::Table','Properties':{},'Foo':1}", "Foo: unknown field");
	refused("{'Table':{}}", "Table.AttributeDefinitions: this is missing");
	refused("{'Table':{'Table':{}}}", "Table.Table: unknown field");
}

Test(schema_keys, hash_comes_first_and_range_second)
{
	refused(TABLE(DEFINE("a", "S"), RANGE("a"), ""),
		"KeySchema: Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	refused(TABLE(DEFINE("a", "S") "," DEFINE("b", "S"), RANGE("b") "," HASH("a"), ""),
		"KeySchema: Invalid KeySchema: The first");
	refused(TABLE(DEFINE("a", "S") "," DEFINE("b", "S"), HASH("a") "," HASH("b"), ""),
		"KeySchema: Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
	refused(TABLE(DEFINE("a", "S") "," DEFINE("b", "S") "," DEFINE("c", "S"),
		      HASH("a") "," RANGE("b") "," RANGE("c"), ""),
		"KeySchema: a key has at most 2 attributes, and here are 3");
	refused(TABLE(DEFINE("a", "S"), HASH("a") "," RANGE("a"), ""),
		"KeySchema: Both the Hash Key and the Range Key element in the KeySchema have the same name: a");
	refused(INDEXED(GSI(INDEX("abc", RANGE("x"), ALL))),
		"GlobalSecondaryIndexes[0].KeySchema: Invalid KeySchema: The first");
	refused(INDEXED(GSI(INDEX("abc", HASH("x") "," RANGE("x"), ALL))), "have the same name: x");
	refused(INDEXED(LSI(INDEX("abc", HASH("pk") "," HASH("x"), ALL))),
		"LocalSecondaryIndexes[0].KeySchema: Invalid KeySchema: The second");
}

Test(schema_keys, index_keys_of_several_attributes_are_not_offered_yet)
{
	refused(INDEXED(GSI(INDEX("abc", HASH("x") "," HASH("sk"), ALL))),
		"GlobalSecondaryIndexes[0].KeySchema: an index key of several HASH or several RANGE attributes is not "
		"offered: "
		"itemfs takes one HASH and at most one RANGE today");
	refused(INDEXED(GSI(INDEX("abc", HASH("x") "," RANGE("sk") "," RANGE("pk"), ALL))),
		"one HASH and at most one RANGE today");
}

Test(schema_keys, every_key_attribute_is_defined_once_and_nothing_else_is)
{
	refused(TABLE(DEFINE("a", "S"), HASH("b"), ""), "KeySchema[0]: b is not defined in AttributeDefinitions");
	refused(TABLE(DEFINE("a", "S"), HASH("a") "," RANGE("b"), ""),
		"KeySchema[1]: b is not defined in AttributeDefinitions");
	refused(PLAIN(GSI(INDEX("abc", HASH("y"), ALL))),
		"GlobalSecondaryIndexes[0].KeySchema[0]: y is not defined in AttributeDefinitions");
	refused(PLAIN(LSI(INDEX("abc", HASH("pk") "," RANGE("y"), ALL))),
		"LocalSecondaryIndexes[0].KeySchema[1]: y is not defined in AttributeDefinitions");
	refused(INDEXED(""), "Number of attributes in KeySchema does not exactly match number of attributes defined in "
			     "AttributeDefinitions: x is in no key");
	refused(TABLE(DEFINE("a", "S") "," DEFINE("a", "S"), HASH("a"), ""),
		"AttributeDefinitions[1]: a is defined twice");
	refused(TABLE(DEFINE("a", "S") "," DEFINE("a", "N"), HASH("a"), ""),
		"AttributeDefinitions[1]: a is defined twice");
}

Test(schema_keys, names_have_1_to_255_bytes)
{
	cleanup_buf struct buf document = {0};
	for (size_t n = 254; n <= 256; n++) {
		char name[257];
		memset(name, 'n', n);
		name[n] = 0;
		buf_clear(&document);
		buf_printf(&document, TABLE(DEFINE("%s", "S"), HASH("%s"), ""), name, name);
		buf_add_byte(&document, 0);
		if (n <= 255)
			fine((char *)document.data);
		else
			refused((char *)document.data,
				"AttributeDefinitions[0].AttributeName: an attribute's name has 1 to 255 bytes "
				"here, and this has 256");
	}
	refused(TABLE(DEFINE("", "S"), HASH(""), ""),
		"AttributeDefinitions[0].AttributeName: an attribute's name has 1 to 255");
}

Test(schema_keys, many_definitions_are_refused_in_good_time)
{
	cleanup_buf struct buf document = {0};
	buf_add_text(&document, "{'KeySchema':[" HASH("a0") "],'AttributeDefinitions':[");
	for (int i = 0; i < 20000; i++)
		buf_printf(&document, "%s" DEFINE("a%d", "S"), i ? "," : "", i);
	buf_add_text(&document, "]}");
	buf_add_byte(&document, 0);
	refused((char *)document.data, "a1 is in no key");
}

Test(schema_indexes, names_follow_the_alphabet_and_are_unique)
{
	refused(INDEXED(GSI(INDEX("ab", HASH("x"), ALL))),
		"GlobalSecondaryIndexes[0].IndexName: ab: an index's name has 3 to 255 characters, and this has 2");
	refused(INDEXED(GSI(INDEX("a b", HASH("x"), ALL))),
		"GlobalSecondaryIndexes[0].IndexName: a b: an index's name is made of a-z");
	refused(INDEXED(GSI(INDEX("a/b", HASH("x"), ALL))), "a/b");
	refused(INDEXED(GSI(INDEX("aéb", HASH("x"), ALL))), "aéb");
	refused(INDEXED(GSI("{'IndexName':5}")), "GlobalSecondaryIndexes[0].IndexName: this must be a string");
	refused(INDEXED(GSI(INDEX("abc", HASH("x"), ALL) "," INDEX("abc", HASH("x"), ALL))),
		"GlobalSecondaryIndexes[1].IndexName: Duplicate index name: abc");
	refused(INDEXED(LSI(INDEX("abc", HASH("pk") "," RANGE("x"), ALL)) GSI(INDEX("abc", HASH("x"), ALL))),
		"GlobalSecondaryIndexes[0].IndexName: Duplicate index name: abc");
	fine(INDEXED(
	    GSI(INDEX("abc", HASH("x"), ALL) "," INDEX("ABC", HASH("x"), ALL) "," INDEX("a_.-9", HASH("x"), ALL))));
}

/* A table with n indexes, each with its `includes` NonKeyAttributes. */
static void many(struct buf *document, bool local, int n, int includes)
{
	buf_clear(document);
	buf_add_text(document, "{'AttributeDefinitions':[" DEFINE("pk", "S") "," DEFINE(
				   "sk", "S") "],'KeySchema':[" HASH("pk") "," RANGE("sk") "]");
	buf_printf(document, ",'%s':[", local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
	for (int i = 0; i < n; i++) {
		buf_printf(document,
			   "%s{'IndexName':'idx%d','KeySchema':[" HASH("pk") "," RANGE("sk") "],'Projection':",
			   i ? "," : "", i);
		buf_add_text(document, includes ? "{'ProjectionType':'INCLUDE','NonKeyAttributes':[" : ALL);
		for (int j = 0; j < includes; j++)
			buf_printf(document, "%s'n%d'", j ? "," : "", j);
		buf_add_text(document, includes ? "]}}" : "}");
	}
	buf_add_text(document, "]}");
	buf_add_byte(document, 0);
}

Test(schema_indexes, there_are_at_most_20_global_and_5_local_ones)
{
	cleanup_buf struct buf document = {0};
	many(&document, false, 20, 0);
	fine((char *)document.data);
	many(&document, false, 21, 0);
	refused((char *)document.data,
		"GlobalSecondaryIndexes: GlobalSecondaryIndex count exceeds the per-table limit of 20");
	many(&document, true, 5, 0);
	fine((char *)document.data);
	many(&document, true, 6, 0);
	refused((char *)document.data,
		"LocalSecondaryIndexes: Number of LocalSecondaryIndexes exceeds per-table limit of 5");
}

Test(schema_indexes, included_names_are_at_most_20_an_index_and_100_together)
{
	cleanup_buf struct buf document = {0};
	many(&document, false, 5, 20);
	fine((char *)document.data);
	many(&document, false, 1, 21);
	refused(
	    (char *)document.data,
	    "GlobalSecondaryIndexes[0].Projection.NonKeyAttributes: this has at most 20 elements, and there are 21");
	many(&document, false, 6, 17);
	refused((char *)document.data,
		"GlobalSecondaryIndexes[5].Projection: the NonKeyAttributes of all indexes together are at "
		"most 100, and with index idx5 they are 102");
}

Test(schema_indexes, a_local_one_shares_the_table_s_hash_and_has_a_range)
{
	refused(TABLE(DEFINE("pk", "S") "," DEFINE("x", "S"), HASH("pk"),
		      LSI(INDEX("abc", HASH("pk") "," RANGE("x"), ALL))),
		"LocalSecondaryIndexes: Table KeySchema does not have a range key, which is required when specifying a "
		"LocalSecondaryIndex");
	refused(INDEXED(LSI(INDEX("abc", HASH("x") "," RANGE("sk"), ALL))),
		"LocalSecondaryIndexes[0]: Index KeySchema does not have the same leading hash key as table KeySchema "
		"for index: abc");
	refused(PLAIN(LSI(INDEX("abc", HASH("pk"), ALL))),
		"LocalSecondaryIndexes[0]: Index KeySchema does not have a range key for index: abc");
	refused(PLAIN(LSI(INDEX("abc", HASH("pk") "," RANGE("pk"), ALL))), "have the same name: pk");
	fine(PLAIN(LSI(INDEX("abc", HASH("pk") "," RANGE("sk"), ALL))));
}

Test(schema_indexes, projections_say_what_they_are)
{
#define PROJECTION(text) INDEXED(GSI(INDEX("abc", HASH("x"), text)))
	refused(PROJECTION("{}"), "GlobalSecondaryIndexes[0].Projection: Unknown ProjectionType: null");
	refused(PROJECTION("{'ProjectionType':'ALLL'}"),
		"GlobalSecondaryIndexes[0].Projection: Unknown ProjectionType: ALLL");
	refused(PROJECTION("{'ProjectionType':5}"),
		"GlobalSecondaryIndexes[0].Projection.ProjectionType: this must be a string");
	refused(PROJECTION("'ALL'"), "GlobalSecondaryIndexes[0].Projection: this must be an object");
	refused(PROJECTION("{'ProjectionType':'ALL','NonKeyAttributes':['a']}"),
		"ProjectionType is ALL, but NonKeyAttributes is specified");
	refused(PROJECTION("{'ProjectionType':'KEYS_ONLY','NonKeyAttributes':['a']}"),
		"ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified");
	refused(PROJECTION("{'ProjectionType':'INCLUDE'}"),
		"ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
	refused(PROJECTION("{'ProjectionType':'INCLUDE','NonKeyAttributes':[]}"),
		"Projection.NonKeyAttributes: this has at least 1");
	refused(PROJECTION("{'ProjectionType':'INCLUDE','NonKeyAttributes':'a'}"),
		"Projection.NonKeyAttributes: this must be an array");
	refused(PROJECTION("{'ProjectionType':'INCLUDE','NonKeyAttributes':['a',5]}"),
		"Projection.NonKeyAttributes[1]: this must be a string");
	refused(PROJECTION("{'ProjectionType':'INCLUDE','NonKeyAttributes':['']}"),
		"Projection.NonKeyAttributes[0]: an attribute's name has 1 to 255 bytes");
}

Test(schema_equal, keys_and_indexes_are_compared_by_what_they_mean)
{
#define TWO(name, keys, projection) INDEXED(GSI(INDEX(name, keys, projection) "," INDEX("fill", HASH("x"), ALL)))
#define WITH(names)                 "{'ProjectionType':'INCLUDE','NonKeyAttributes':[" names "]}"
	struct schema *a = taken(TWO("abc", HASH("x") "," RANGE("sk"), WITH("'a','b'")));
	static const struct {
		const char *text;
		bool equal;
	} cases[] = {{TWO("abc", HASH("x") "," RANGE("sk"), WITH("'a','b'")), true},
		     {TWO("abc", HASH("x") "," RANGE("sk"), WITH("'b','a'")), true},
		     {TWO("abc", HASH("x") "," RANGE("sk"), WITH("'a','c'")), false},
		     {TWO("abc", HASH("x") "," RANGE("sk"), WITH("'a'")), false},
		     {TWO("abc", HASH("x") "," RANGE("sk"), ALL), false},
		     {TWO("abc", HASH("x"), WITH("'a','b'")), false},
		     {TWO("abc", HASH("sk") "," RANGE("x"), WITH("'a','b'")), false},
		     {TWO("abd", HASH("x") "," RANGE("sk"), WITH("'a','b'")), false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct schema *b = taken(cases[i].text);
		b->indexes[0].id = 9;
		cr_assert_eq(schema_index_equal(&a->indexes[0], &b->indexes[0]), cases[i].equal, "case %zu", i);
		cr_assert_eq(schema_index_equal(&b->indexes[0], &a->indexes[0]), cases[i].equal, "case %zu", i);
		cr_assert(schema_key_equal(&a->key, &b->key));
		schema_free(b);
	}
	struct schema *undeclared = schema_undeclared();
	cr_assert_not(schema_key_equal(&a->key, &undeclared->key), "sk is another type");
	schema_free(undeclared);
	schema_free(a);
}

Test(schema_equal, a_local_index_is_not_a_global_one)
{
	struct schema *a = taken(INDEXED(GSI(INDEX("abc", HASH("pk") "," RANGE("x"), ALL))));
	struct schema *b = taken(INDEXED(LSI(INDEX("abc", HASH("pk") "," RANGE("x"), ALL))));
	cr_assert_not(schema_index_equal(&a->indexes[0], &b->indexes[0]));
	schema_free(a);
	schema_free(b);
}

static void table_name(const char *name, size_t n, const char *words)
{
	struct why why = {.text = ""};
	enum rc rc = schema_table_name(name, n, &why);
	cr_assert_eq(rc, words ? RC_INVALID : RC_OK, "%.*s", (int)n, name);
	if (words)
		cr_assert(strstr(why.text, words), "%s", why.text);
	cr_assert(utf8_valid(why.text, strlen(why.text)));
}

Test(schema_names, tables_are_named_as_dynamodb_names_them_but_for_a_leading_dot)
{
	static char name[257];
	memset(name, 'a', sizeof name);
	table_name("abc", 3, NULL);
	table_name("-a_", 3, NULL);
	table_name("a..", 3, NULL);
	table_name("Music-2.old_", 12, NULL);
	table_name(name, 255, NULL);
	table_name(name, 256, "a table's name has 3 to 255 characters, and this has 256");
	table_name("", 0, "a table's name has 3 to 255 characters, and this has 0");
	table_name("ab", 2, "ab: a table's name has 3 to 255 characters, and this has 2");
	table_name(".ab", 3, ".ab: a table's name begins with no dot in itemfs");
	table_name("...", 3, "dot");
	table_name("a b", 3, "a b: a table's name is made of a-z A-Z 0-9 _ . - only");
	table_name("a/b", 3, "a/b: a table's name is made of");
	table_name("aé", 3, "aé: a table's name is made of");
	table_name("ab\xff", 3, "only");
	table_name("ab\0", 3, "only");
}
