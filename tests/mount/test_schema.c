/* .schema.json: the definition of a table. */
#include "tests/mount/harness.h"

TestSuite(schema, .init = mount_setup, .fini = mount_teardown, .timeout = 600);

#define KEYS                                                                                                           \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"Artist\",\"AttributeType\":\"S\"},{\"AttributeName\":"         \
	"\"Title\","                                                                                                   \
	"\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"Artist\",\"KeyType\":\"HASH\"},{"               \
	"\"AttributeName\":"                                                                                           \
	"\"Title\",\"KeyType\":\"RANGE\"}]"

static void make_table(const char *schema)
{
	assert_ok(mkdir(at("Music"), 0755));
	assert_ok(put("Music/.schema.json", schema));
}

Test(schema, reads_back_as_the_bytes_that_were_written)
{
	const char *odd = "  {\n\t" KEYS ",\n\n \"BillingMode\" : \"PAY_PER_REQUEST\" }\n\n";
	make_table(odd);
	cr_expect_str_eq(content("Music/.schema.json"), odd);
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	mount_again();
	cr_expect_str_eq(content("Music/.schema.json"), odd);
	cr_expect_eq(size_of("Music/.schema.json"), (off_t)strlen(odd));
}

Test(schema, takes_what_aws_dynamodb_create_table_takes)
{
	make_table(
	    "{" KEYS
	    ",\"TableName\":\"Another\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":5},"
	    "\"StreamSpecification\":{\"StreamEnabled\":false},\"SSESpecification\":{\"Enabled\":true},\"Tags\":[{"
	    "\"Key\":\"a\",\"Value\":\"b\"}],"
	    "\"TableClass\":\"STANDARD\",\"DeletionProtectionEnabled\":false}");
	cr_expect_str_eq(listing(""), "Music\n"); /* TableName is ignored: the path says it */
}

Test(schema, takes_the_properties_of_cloudformation)
{
	make_table("{" KEYS ",\"TimeToLiveSpecification\":{\"AttributeName\":\"ttl\",\"Enabled\":true},"
		   "\"PointInTimeRecoverySpecification\":"
		   "{\"PointInTimeRecoveryEnabled\":true},\"BillingMode\":\"PAY_PER_REQUEST\"}");
	assert_sh("mkdir \"$M/Music/Queen\"");
	expect_errno(put("Music/Queen/Liar.json", "{\"Artist\":\"Abba\"}"), EBADMSG);
}

Test(schema, takes_what_describe_table_prints_and_ignores_what_only_describes)
{
	make_table("{\"Table\":{" KEYS ",\"TableName\":\"x\",\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1.5,"
		   "\"ItemCount\":3,\"TableSizeBytes\":9,"
		   "\"TableArn\":\"arn:aws:dynamodb:eu-west-2:000000000000:table/"
		   "x\",\"TableId\":\"12345678-1234-1234-1234-123456789012\","
		   "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},\"ProvisionedThroughput\":{"
		   "\"NumberOfDecreasesToday\":0,"
		   "\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}}}");
	assert_sh("mkdir \"$M/Music/Queen\"");
	expect_errno(put("Music/Queen/Liar.json", "{\"Title\":7}"), EBADMSG);
}

Test(schema, refuses_a_field_that_it_does_not_know_by_its_name)
{
	assert_ok(mkdir(at("Music"), 0755));
	expect_errno(put("Music/.schema.json", "{" KEYS ",\"BilingMode\":\"PAY_PER_REQUEST\"}"), EBADMSG);
	cr_assert(refusal_of("Music/.schema.json"));
	expect_says("reason", "BilingMode");
	expect_says("errno", "EBADMSG");
	cr_expect_str_eq(listing("Music"), "");
}

Test(schema, refuses_what_dynamodb_refuses)
{
	static const char *const wrong[] = {
	    "{}",
	    "[]",
	    "{" KEYS ",\"KeySchema\":[]}",
	    "{\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}],\"KeySchema\":[{"
	    "\"AttributeName\":\"b\",\"KeyType\":\"HASH\"}]}",
	    "{\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"BOOL\"}],\"KeySchema\":[{"
	    "\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}]}",
	    "{\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}],\"KeySchema\":[{"
	    "\"AttributeName\":\"a\",\"KeyType\":\"RANGE\"}]}",
	    "{" KEYS ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-year\",\"KeySchema\":[{\"AttributeName\":"
	    "\"Year\",\"KeyType\":\"HASH\"}],"
	    "\"Projection\":{\"ProjectionType\":\"ALL\"}}]}",
	    "{" KEYS ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-title\",\"KeySchema\":[{\"AttributeName\":"
	    "\"Title\",\"KeyType\":\"HASH\"}],"
	    "\"Projection\":{\"ProjectionType\":\"SOME\"}}]}",
	};
	assert_ok(mkdir(at("Music"), 0755));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_eq(errno_of(put("Music/.schema.json", wrong[i])), EBADMSG, "%s: %s", wrong[i],
			     strerror(errno));
	cr_expect(await(is_gone, "Music/.schema.json"));
	assert_ok(put("Music/.schema.json", definition("Artist:S Title:S", NULL)));
	const char *before = content("Music/.schema.json");
	expect_errno(put("Music/.schema.json", "{oops"), EBADMSG);
	cr_expect_str_eq(content("Music/.schema.json"), before); /* the old one stays */
}

Test(schema, an_empty_table_may_become_anything)
{
	declare("Music", "Artist:S Title:S", NULL);
	expect_ok(put("Music/.schema.json", definition("Id:N", NULL)));
	expect_ok(put("Music/.schema.json", definition("Id:B At:N", "lsi by-x X:S ALL", NULL)));
	assert_sh("mkdir \"$M/Music/00ff\" && echo '{\"X\":\"x\"}' > \"$M/Music/00ff/-1.5.json\"");
	cr_expect_str_eq(listing("Music/.index/by-x/00ff"), "x,-1.5.json\n");
}

Test(schema, arriving_last_adopts_the_items_that_are_there)
{
	assert_sh("cd \"$M\" && mkdir -p Music/Queen Music/Abba Music/Empty && echo '{\"Year\":1975}' > "
		  "Music/Queen/Liar.json && "
		  "echo '{\"Year\":1975, \"Title\" : \"SOS\"}' > Music/Abba/SOS.json && echo hi > Music/Abba/notes && "
		  "touch -d '2001-02-03 04:05:06.5Z' Music/Abba/SOS.json Music/Empty");
	assert_ok(put("Music/.schema.json",
		      definition("Artist:S Title:S", "gsi by-year Year:N ALL", "lsi in-order Year:N KEYS_ONLY", NULL)));
	cr_expect_str_eq(listing("Music"), ".schema.json\nAbba\nEmpty\nQueen\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Abba,SOS.json\nQueen,Liar.json\n");
	cr_expect_str_eq(listing("Music/.index/in-order/Abba"), "1975,SOS.json\n");
	cr_expect_str_eq(content("Music/Abba/SOS.json"), "{\"Year\":1975, \"Title\" : \"SOS\"}\n");
	cr_expect_str_eq(content("Music/Abba/notes"), "hi\n");
	cr_expect_eq(mtime_of("Music/Abba/SOS.json"), INT64_C(981173106500000000));
	cr_expect_eq(mtime_of("Music/Empty"), INT64_C(981173106500000000));
	mount_again();
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "Abba,SOS.json\nQueen,Liar.json\n");
}

Test(schema, that_does_not_fit_the_items_names_a_misfit_and_changes_nothing)
{
	assert_sh("cd \"$M\" && mkdir -p Music/Queen && echo '{\"Title\":\"Liar\"}' > Music/Queen/Liar.json && "
		  "echo '{\"Title\":\"Nine\"}' > Music/Queen/Seven.json");
	expect_errno(put("Music/.schema.json", definition("Artist:S Title:S", NULL)), EBADMSG);
	cr_assert(refusal_of("Music/.schema.json"));
	expect_says("reason", "Seven");
	cr_expect_str_eq(listing("Music"), "Queen\n");
	cr_expect_str_eq(listing("Music/Queen"), "Liar.json\nSeven.json\n");
	expect_ok(put("Music/Queen/Free.json", "{\"Title\":7}")); /* still undeclared */
}

Test(schema, fixes_the_key_once_there_are_items)
{
	declare("Music", "Artist:S Title:S", "lsi in-order Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
	const char *before = content("Music/.schema.json");
	expect_errno(put("Music/.schema.json", definition("Artist:S Song:S", "lsi in-order Year:N ALL", NULL)),
		     EBADMSG);
	cr_assert(refusal_of("Music/.schema.json"));
	cr_expect_gt(strlen(refusal("reason")), 0);
	expect_errno(put("Music/.schema.json", definition("Artist:S Title:S", NULL)), EBADMSG);
	expect_errno(put("Music/.schema.json", definition("Artist:S Title:S", "lsi in-order Year:N KEYS_ONLY", NULL)),
		     EBADMSG);
	cr_expect_str_eq(content("Music/.schema.json"), before);
	/* Settings and GSIs may change. */
	expect_ok(put("Music/.schema.json",
		      definition("Artist:S Title:S", "lsi in-order Year:N ALL", "gsi by-year Year:N ALL", NULL)));
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
}

Test(schema, a_gsi_added_to_a_table_with_items_is_filled_and_a_removed_one_is_gone)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("cd \"$M/Music\" && mkdir Queen && for i in 1 2 3 4 5; do echo \"{\\\"Year\\\":$((1970 + i % 2))}\" "
		  "> Queen/Song$i.json; done && "
		  "echo '{\"Year\":\"not a number\"}' > Queen/Odd.json && echo '{}' > Queen/None.json");
	cr_expect_str_eq(content("Music/.index/by-year"), "<ENOENT>");
	expect_ok(put("Music/.schema.json", definition("Artist:S Title:S", "gsi by-year Year:N ALL", NULL)));
	cr_expect_str_eq(listing("Music/.index"), "by-year\n");
	cr_expect_str_eq(listing("Music/.index/by-year"),
			 "1970\n1971\n"); /* as DynamoDB's backfill: misfits are skipped */
	cr_expect_str_eq(listing("Music/.index/by-year/1970"), "Queen,Song2.json\nQueen,Song4.json\n");
	expect_ok(put("Music/.schema.json", definition("Artist:S Title:S", NULL)));
	cr_expect_not(exists("Music/.index/by-year"));
	/* Again by the same name, another projection: nothing of the old one shows. */
	expect_ok(put("Music/Queen/Song2.json", "{\"Year\":1999}"));
	expect_ok(put("Music/.schema.json", definition("Artist:S Title:S", "gsi by-year Year:N KEYS_ONLY", NULL)));
	cr_expect_str_eq(listing("Music/.index/by-year"), "1970\n1971\n1999\n");
	cr_expect_str_eq(listing("Music/.index/by-year/1970"), "Queen,Song4.json\n");
}

Test(schema, rm_removes_the_name_and_the_definition_stays_in_force)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	const char *document = content("Music/.schema.json");
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
	expect_ok(unlink(at("Music/.schema.json")));
	cr_expect_str_eq(listing("Music"), "Queen\n");
	cr_expect_str_eq(content("Music/.schema.json"), "<ENOENT>");
	mount_again(); /* lastingly */
	cr_expect_str_eq(listing("Music"), "Queen\n");
	expect_errno(put("Music/Queen/Seven.json", "{\"Artist\":\"Abba\"}"), EBADMSG);
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
	/* What tar does next. */
	cr_expect_eq(put_steps("Music/.schema.json", document, strlen(document), O_EXCL).open, 0);
	cr_expect_str_eq(content("Music/.schema.json"), document);
	cr_expect_eq(put_steps("Music/.schema.json", document, strlen(document), O_EXCL).open, EEXIST);
	cr_expect_str_eq(listing("Music"), ".schema.json\nQueen\n");
}

/* The way back that the README tells, for whoever has no copy of it. */
Test(schema, whose_name_was_removed_comes_back_from_the_description)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N INCLUDE Genre", "lsi in-order Year:N KEYS_ONLY", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973,\"Genre\":\"Rock\",\"x\":1}' > \"$M/Music/Queen/Liar.json\"");
	expect_ok(unlink(at("Music/.schema.json")));
	expect_sh("cat \"$M/Music/.describe.json\" > \"$M/Music/.schema.json\"", "");
	cr_expect_eq(refusals(), 0);
	cr_expect_str_eq(listing("Music"), ".schema.json\nQueen\n");
	expect_sh("cp -a \"$M/Music\" \"$M/Copy\"", "");
	cr_expect_str_eq(content("Copy/.index/by-year/1973/Queen,Liar.json"), content("Music/.index/by-year/1973/Queen,Liar.json"));
	cr_expect_str_eq(listing("Copy/.index/in-order/Queen"), "1973,Liar.json\n");
	cr_expect_str_eq(listing("Copy/.index"), listing("Music/.index"));
}

Test(schema, is_replaced_by_a_rename_as_editors_and_rsync_do)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
	expect_ok(put("Music/.new", definition("Artist:S Title:S", "gsi by-year Year:N ALL", NULL)));
	expect_ok(rename(at("Music/.new"), at("Music/.schema.json")));
	cr_expect_str_eq(listing("Music/.index/by-year/1973"), "Queen,Liar.json\n");
	cr_expect_not(exists("Music/.new"));
	/* One that is refused leaves both files. */
	expect_ok(put("Music/.new", "{\"KeySchema\":7}"));
	const char *before = content("Music/.schema.json");
	expect_errno(rename(at("Music/.new"), at("Music/.schema.json")), EBADMSG);
	cr_expect_str_eq(content("Music/.schema.json"), before);
	cr_expect_str_eq(content("Music/.new"), "{\"KeySchema\":7}");
}

Test(schema, sed_vim_and_rsync_edit_it)
{
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"Year\":1973}' > \"$M/Music/Queen/Liar.json\"");
	assert_sh("sed -i s/by-year/yearly/ \"$M/Music/.schema.json\"");
	cr_expect_str_eq(listing("Music/.index"), "yearly\n");
	cr_expect_str_eq(listing("Music/.index/yearly/1973"), "Queen,Liar.json\n");
	assert_sh("vim -Nu NONE -es -c 'set backupskip=' -c '%s/yearly/annual/' -c 'wq' \"$M/Music/.schema.json\" < "
		  "/dev/null");
	cr_expect_str_eq(listing("Music/.index"), "annual\n");
	assert_sh("sed s/annual/by-year/ \"$M/Music/.schema.json\" > \"$D/copy\" && rsync -a \"$D/copy\" "
		  "\"$M/Music/.schema.json\"");
	cr_expect_str_eq(listing("Music/.index"), "by-year\n");
	expect_sh("ls -A \"$M/Music\"", ".schema.json\nQueen\n");
}

Test(schema, keeps_its_mode_and_times)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_sh("chmod 600 \"$M/Music/.schema.json\" && touch -d '2001-02-03 04:05:06.123456789Z' "
		  "\"$M/Music/.schema.json\"");
	mount_again();
	cr_expect_eq(mode_of("Music/.schema.json"), 0600);
	cr_expect_eq(mtime_of("Music/.schema.json"), INT64_C(981173106123456789));
}

Test(schema, cannot_take_another_name_or_place)
{
	declare("Music", "Artist:S Title:S", NULL);
	assert_ok(mkdir(at("Songs"), 0755));
	cr_expect_neq(errno_of(rename(at("Music/.schema.json"), at("Music/x.json"))), 0);
	cr_expect(exists("Music/.schema.json"));
}
