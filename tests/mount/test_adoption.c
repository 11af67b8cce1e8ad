/* A restore brings `.schema.json` when it likes: before, between or after the items, by its name or under another one that is renamed. The table is
 * the same in the end, for every type of key; what does not fit is refused as a whole. */
#include "tests/mount/harness.h"

TestSuite(adoption, .init = mount_setup, .fini = mount_teardown);

/* A table of each pair of key types in $D/from, as a copy of a mount would be, and what it looks like when it is restored. */
static void make_originals(void)
{
	assert_sh("mkdir \"$D/from\"; cd \"$D/from\"\n"
		  "names() { case $1 in S) echo 'b a%2Fb 9';; N) echo '10 9 -3.5';; B) echo 'ff 00 0a0b';; esac; }\n"
		  "table() {\n"
		  "	mkdir $1; local sort= range= p s\n"
		  "	[ -z \"$3\" ] || { sort=\",{\\\"AttributeName\\\":\\\"s\\\",\\\"AttributeType\\\":\\\"$3\\\"}\" "
		  "range=',{\"AttributeName\":\"s\",\"KeyType\":\"RANGE\"}'; }\n"
		  "	for p in $(names $2); do mkdir $1/$p; for s in $([ -z \"$3\" ] && echo item || names $3); do\n"
		  "		echo \"{\\\"n\\\":${#p}, \\\"t\\\":\\\"$s\\\"}\" > $1/$p/$s.json; done; done\n"
		  "	mkdir $1/$([ $2 = S ] && echo empty || echo 77); echo plain > $1/README; echo plain > $1/$(names $2 | cut -d' ' -f1)/notes\n"
		  "	echo \"{\\\"AttributeDefinitions\\\":[{\\\"AttributeName\\\":\\\"p\\\",\\\"AttributeType\\\":\\\"$2\\\"}$sort,"
		  "{\\\"AttributeName\\\":\\\"n\\\",\\\"AttributeType\\\":\\\"N\\\"}],\\\"BillingMode\\\":\\\"PAY_PER_REQUEST\\\","
		  "\\\"KeySchema\\\":[{\\\"AttributeName\\\":\\\"p\\\",\\\"KeyType\\\":\\\"HASH\\\"}$range],\\\"GlobalSecondaryIndexes\\\":["
		  "{\\\"IndexName\\\":\\\"by-n\\\",\\\"KeySchema\\\":[{\\\"AttributeName\\\":\\\"n\\\",\\\"KeyType\\\":\\\"HASH\\\"}],"
		  "\\\"Projection\\\":{\\\"ProjectionType\\\":\\\"ALL\\\"}}]}\" > $1/.schema.json\n"
		  "}\n"
		  "for p in S N B; do table Hash-$p $p; for s in S N B; do table $p-$s $p $s; done; done\n"
		  "cat > \"$D/tell\" <<'END'\n"
		  "cd \"$1\" && for t in *; do (cd $t && find . -type f | sort | xargs -d '\\n' md5sum && find . -type d | sort && "
		  "ls -U -- */ && find .index -type f | sort | xargs -d '\\n' md5sum); done\n"
		  "END\n"
		  "for t in *; do mkdir \"$M/$t\" && cp $t/.schema.json \"$M/$t/\" && cp -r $t/. \"$M/$t/\" || exit 1; done\n"
		  "bash \"$D/tell\" \"$M\" > \"$D/told\" && [ $(wc -l < \"$D/told\") -gt 250 ]");
	mount_new_volume();
}

/* Restores by the shell function `bring FROM TO`, and compares. */
static void expect_the_same(const char *bring)
{
	expect_sh(text("cd \"$D/from\"; bring() { %s; }; for t in *; do bring $t \"$M/$t\" || echo \"$t: $?\"; done; "
		       "bash \"$D/tell\" \"$M\" | diff \"$D/told\" -",
		       bring),
		  "");
	mount_new_volume();
}

Test(adoption, of_items_that_were_there_before_the_definition)
{
	make_originals();
	expect_the_same("mkdir $2 && (cd $1 && cp -r ./[!.]* $2/ && cp .schema.json $2/)");
}

Test(adoption, in_the_middle_of_the_items_and_of_a_partition)
{
	make_originals();
	expect_the_same("mkdir $2 && (cd $1 && find . -mindepth 1 -type d -exec mkdir $2/{} \\; && "
			"find . -type f -not -name .schema.json | sort | awk 'NR % 2' | xargs -d '\\n' cp --parents -t $2 && cp .schema.json $2/ && "
			"find . -type f -not -name .schema.json | sort | awk 'NR % 2 == 0' | xargs -d '\\n' -r cp --parents -t $2)");
}

Test(adoption, as_tar_brings_it_in_any_order)
{
	make_originals();
	expect_the_same("tar -C $1 --format=posix --sort=name -cf - . | (mkdir -p $2 && tar -C $2 -xf -)");
	expect_the_same("mkdir -p $2 && (cd $1 && find . -depth -not -name .schema.json -o -name .schema.json | tac | tar --no-recursion -cf - -T -) | tar -C $2 -xf -");
	expect_the_same("mkdir -p $2 && (cd $1 && (find . -mindepth 1 -not -name .schema.json; echo ./.schema.json) | tar --no-recursion -cf - -T -) | "
			"tar -C $2 -xf - && tar -C $1 -cf - .schema.json | tar -C $2 -xf -");
}

Test(adoption, under_another_name_that_is_renamed_as_rsync_and_restic_and_borg_do)
{
	make_originals();
	expect_the_same("mkdir $2 && (cd $1 && cp -r ./[!.]* $2/ && cp .schema.json $2/.schema.json.AbCdEf && mv $2/.schema.json.AbCdEf $2/.schema.json)");
	expect_the_same("mkdir $2 && (cd $1 && cp .schema.json $2/.schema.json.AbCdEf && cp -r ./[!.]* $2/ && mv $2/.schema.json.AbCdEf $2/.schema.json)");
	expect_the_same("mkdir $2 && cp $1/.schema.json $2/.~tmp~ && mv $2/.~tmp~ $2/.schema.json && cp -r $1/[!.]* $2/");
}

Test(adoption, twice_in_a_row_and_over_one_that_is_there)
{
	make_originals();
	expect_the_same("mkdir $2 && (cd $1 && cp -r ./[!.]* $2/ && cp .schema.json $2/ && cp .schema.json $2/ && rm $2/.schema.json && cp .schema.json $2/)");
	expect_the_same("cp -r $1 $2; cp -r $1/. $2/ && cp --remove-destination $1/.schema.json $2/");
}

Test(adoption, is_refused_as_a_whole_with_the_first_ten_misfits_named)
{
	assert_sh("mkdir -p \"$M/Orders/seven\" \"$M/Orders/8\" && cd \"$M/Orders\" && echo '{\"n\":1}' > 8/1.json && "
		  "for i in {10..30}; do echo '{\"n\":1}' > 8/x$i.json; done");
	expect_errno(put("Orders/.schema.json", definition("p:N s:N", "gsi by-n n:N ALL", NULL)), EBADMSG);
	cr_assert(refusal_of("Orders/.schema.json"));
	expect_says("reason", "22 of what the table holds");
	expect_says("reason", "seven: ");
	expect_says("reason", "8/x10: ");
	expect_says("reason", "8/x18: ");
	cr_expect_null(strstr(refusal("reason"), "8/x19: "), "%s", refusal("reason"));
	cr_expect_str_eq(listing("Orders"), "8\nseven\n");
	cr_expect_str_eq(content("Orders/8/x10.json"), "{\"n\":1}\n");
	cr_expect_str_eq(listing("Orders/.index/by-n"), "<ENOENT>");
	assert_sh("cd \"$M/Orders\" && rm 8/x*.json && rmdir seven");
	expect_ok(put("Orders/.schema.json", definition("p:N s:N", "gsi by-n n:N ALL", NULL)));
	cr_expect_str_eq(listing("Orders/.index/by-n/1"), "8,1.json\n");
}

Test(adoption, names_an_item_that_an_index_cannot_take)
{
	assert_sh("mkdir -p \"$M/Orders/a\" && echo '{\"n\":1}' > \"$M/Orders/a/1.json\" && echo '{\"n\":\"one\"}' > \"$M/Orders/a/2.json\"");
	expect_errno(put("Orders/.schema.json", definition("p:S s:S", "gsi by-n n:N ALL", NULL)), EBADMSG);
	cr_assert(refusal_of("Orders/.schema.json"));
	expect_says("reason", "a/2: ");
	expect_says("reason", "Type mismatch for Index Key n");
	expect_ok(put("Orders/a/2.json", "{\"n\":2}"));
	expect_ok(put("Orders/.schema.json", definition("p:S s:S", "gsi by-n n:N ALL", NULL)));
	cr_expect_str_eq(listing("Orders/.index/by-n"), "1\n2\n");
}

Test(adoption, that_was_refused_under_another_name_leaves_the_file_as_it_is)
{
	assert_sh("mkdir -p \"$M/Orders/seven\" && echo '{}' > \"$M/Orders/seven/1.json\"");
	expect_ok(put("Orders/schema.tmp", definition("p:N s:N", NULL)));
	expect_errno(rename(at("Orders/schema.tmp"), at("Orders/.schema.json")), EBADMSG);
	cr_expect_str_eq(content("Orders/schema.tmp"), definition("p:N s:N", NULL));
	cr_expect_str_eq(listing("Orders"), "schema.tmp\nseven\n");
}
