/* Imports: files of items copied into TABLE/.import, by any tool, all or none, or in batches: what becomes of what they hold. The files themselves are in test_import_files.c. */
#include "tests/mount/harness.h"
#include "tests/mount/imports.h"
#include <jansson.h>

TestSuite(imports, .init = imports_setup, .fini = mount_teardown, .timeout = 600);

static const char *reason_of(const char *result, size_t i)
{
	json_t *object = json_loads(content(result), 0, NULL);
	cr_assert(object, "%s: %s", result, content(result));
	const char *reason = json_string_value(json_object_get(json_array_get(json_object_get(object, "lines"), i), "reason"));
	const char *copy = text("%s", reason ? reason : "");
	json_decref(object);
	return copy;
}

Test(imports, what_is_copied_is_there_when_cp_returns)
{
	assert_sh("printf '%s\\n%s\\n' '" LIAR "' '" TYPED "' > \"$D/a.jsonl\" && cp \"$D/a.jsonl\" \"$M/Music/.import/\"");
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect_str_eq(listing("Music/.index/by-year/1975"), "ABBA,SOS.json\n");
	cr_expect_str_eq(listing("Music/.import"), "a.jsonl.result.json\n");
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "created"), 2);
	cr_expect_str_eq(listing_sorted("Music"), ".schema.json\nABBA\nQueen\n");
	cr_expect_eq(refusals(), 0);
	mount_again();
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
	cr_expect_str_eq(listing("Music/.import"), "");
}

Test(imports, any_tool_can_write_the_file)
{
	static const char *const tools[] = {
	    "cp \"$D/f.jsonl\" .import/",
	    "cp -p \"$D/f.jsonl\" .import/",
	    "cat \"$D/f.jsonl\" > .import/f.jsonl",
	    "cat < \"$D/f.jsonl\" | tee .import/f.jsonl >/dev/null",
	    "dd if=\"$D/f.jsonl\" of=.import/f.jsonl bs=7 status=none",
	    "dd if=\"$D/f.jsonl\" of=.import/f.jsonl conv=fsync status=none",
	    "mv \"$D/f.jsonl\" .import/",
	    "! command -v rsync >/dev/null && cp \"$D/f.jsonl\" .import/ || rsync -a \"$D/f.jsonl\" .import/",
	    "! command -v curl >/dev/null && cp \"$D/f.jsonl\" .import/ || curl -s -o .import/f.jsonl \"file://$D/f.jsonl\"",
	    "! command -v python3 >/dev/null && cp \"$D/f.jsonl\" .import/ || python3 -c 'import sys; open(\".import/f.jsonl\",\"w\").write(open(sys.argv[1]).read())' \"$D/f.jsonl\"",
	};
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
		const char *line = text("{\"Artist\":\"Tool\",\"Title\":\"%zu\"}", i);
		assert_sh(text("echo '%s' > \"$D/f.jsonl\"; cd \"$M/Music\" && %s", line, tools[i]));
		cr_expect_str_eq(content(text("Music/Tool/%zu.json", i)), line, "%s", tools[i]);
		cr_expect_str_eq(listing("Music/.import"), "f.jsonl.result.json\n", "%s", tools[i]);
	}
}

Test(imports, a_json_file_holds_one_array)
{
	expect_ok(put("Music/.import/a.json", "[" LIAR ",\n" TYPED "]\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	expect_ok(put("Music/.import/b.json", "{\"Music\":[{\"PutRequest\":" TYPED "}]}"));
	cr_expect_eq(imports_figure("Music/.import/b.json.result.json", "replaced"), 1);
	expect_errno(put("Music/.import/c.json", "[" LIAR ",\n{\"Artist\": oops}]"), EBADMSG);
	cr_assert(refusal_of("Music/.import/c.json"));
	expect_says("reason", "expected a value, found 'o'");
	expect_says("reason", "line 2");
}

Test(imports, a_csv_file_has_a_row_of_names)
{
	expect_ok(put("Music/.import/a.csv", "Artist,Title,Year,note\r\nQueen,Liar,1973,\"a, \"\"b\"\"\"\r\nABBA,SOS,,7\r\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"Artist\":\"Queen\",\"Title\":\"Liar\",\"Year\":1973,\"note\":\"a, \\\"b\\\"\"}");
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), "{\"Artist\":\"ABBA\",\"Title\":\"SOS\",\"note\":\"7\"}");
	cr_expect_str_eq(listing("Music/.index/by-year"), "1973\n");
	expect_errno(put("Music/.import/b.csv", "Artist,Name\nQueen,Liar\n"), EBADMSG);
	cr_assert(refusal_of("Music/.import/b.csv"));
	expect_says("reason", "no column is named Title");
}

Test(imports, one_bad_line_refuses_all_and_loses_nothing)
{
	const char *file = SOS "\n{\"Artist\":\"Queen\"}\n" LIAR "\n{\"Artist\":\"Queen\",\"Title\":\"x\",\"Year\":\"y\"}\n";
	struct outcome got = put_steps("Music/.import/a.jsonl", file, strlen(file), 0);
	cr_expect_eq(got.open, 0);
	cr_expect_eq(got.write, 0);
	cr_expect_eq(got.close, EBADMSG);
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("errno", "EBADMSG");
	expect_says("reason", "nothing is imported: 2 of 4 records are refused; line 2: ");
	expect_says("reason", "Missing the key Title");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), file);
	cr_expect_str_eq(listing_sorted("Music/.import"), "a.jsonl\na.jsonl.result.json\n");
	cr_expect_str_eq(content("Music/.import/a.jsonl"), file);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "refused"), 2);
	cr_expect(strstr(reason_of("Music/.import/a.jsonl.result.json", 1), "IndexName: by-year"));
	expect_ok(put("Music/.import/a.jsonl", SOS "\n" LIAR "\n")); /* corrected */
	cr_expect_str_eq(listing_sorted("Music/.import"), "a.jsonl.result.json\n");
	cr_expect_str_eq(content("Music/ABBA/SOS.json"), SOS);
}

Test(imports, tools_that_look_say_so)
{
	assert_sh("echo '{\"Artist\":\"Queen\"}' > \"$D/a.jsonl\"");
	cr_expect_neq(sh("cp \"$D/a.jsonl\" \"$M/Music/.import/\""), 0);
	cr_expect(strstr(sh_output(), "Bad message"), "%s", sh_output());
	cr_expect_neq(sh("cat \"$D/a.jsonl\" > \"$M/Music/.import/a.jsonl\""), 0);
	if (sh("command -v rsync") == 0) {
		cr_expect_neq(sh("rsync -a \"$D/a.jsonl\" \"$M/Music/.import/b.jsonl\""), 0);
		cr_expect(strstr(sh_output(), "Bad message"), "%s", sh_output());
		cr_assert(refusal_of("Music/.import/b.jsonl"));
		cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), "{\"Artist\":\"Queen\"}\n");
	}
}

Test(imports, beyond_the_bound_the_good_lines_are_put_and_the_bad_ones_kept)
{
	assert_sh(text("cat '%s' '%s' > \"$D/a.jsonl\"", imports_lines("one", 10500, 4000), imports_lines("two", 10501, 10501)));
	cr_expect_neq(sh("cp \"$D/a.jsonl\" \"$M/Music/.import/\""), 0);
	cr_expect_eq(imports_items_in("Music/Many"), 10500);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "records"), 21001);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "put"), 20999);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "created"), 10500);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "duplicates"), 10499);
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "refused"), 2);
	cr_expect_str_eq(content("Music/.import/a.jsonl.refused.jsonl"),
			 "{\"Artist\":\"Many\",\"number\":4000}\n{\"Artist\":\"Many\",\"number\":10501}\n");
	cr_expect_not(exists("Music/.import/a.jsonl"));
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("reason", "2 of 21001 records are refused, and the others are imported; line 4000: ");
	cr_expect_str_eq(content(text(".itemfs/rejected/%s", refusal("rejected"))), content("Music/.import/a.jsonl.refused.jsonl"));
}

Test(imports, up_to_the_bound_it_is_one_commit)
{
	assert_sh(text("cp '%s' \"$M/Music/.import/a.jsonl\"", imports_lines("a", 10000, 0)));
	cr_expect_eq(imports_figure("Music/.import/a.jsonl.result.json", "commits"), 1);
	cr_expect_eq(imports_items_in("Music/Many"), 10000);
	cr_expect_neq(sh(text("cp '%s' \"$M/Music/.import/b.jsonl\"", imports_lines("b", 10000, 10000))), 0);
	cr_expect_eq(imports_figure("Music/.import/b.jsonl.result.json", "put"), 0);
}

Test(imports, the_kernel_is_told_of_what_came)
{
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"n\":1}' > \"$M/Music/Queen/old.json\"");
	for (int i = 0; i < 3; i++) { /* remembered: what is there, and what is not */
		cr_expect_eq(size_of("Music/Queen/old.json"), 8);
		cr_expect_not(exists("Music/Queen/Liar.json"));
		cr_expect_not(exists("Music/ABBA"));
	}
	int64_t queen = mtime_of("Music/Queen"), music = mtime_of("Music");
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n" SOS "\n{\"Artist\":\"Queen\",\"Title\":\"old\",\"longer\":true}\n"));
	cr_expect_eq(size_of("Music/Queen/Liar.json"), (off_t)strlen(LIAR));
	cr_expect_eq(size_of("Music/ABBA/SOS.json"), (off_t)strlen(SOS));
	cr_expect_eq(size_of("Music/Queen/old.json"), 46);
	cr_expect(mtime_of("Music/Queen") > queen);
	cr_expect(mtime_of("Music") > music);
	cr_expect_str_eq(listing_sorted("Music/Queen"), "Liar.json\nold.json\n");
}

Test(imports, those_who_write_an_item_meanwhile_replace_it)
{
	assert_sh("mkdir \"$M/Music/Queen\" && echo '{\"n\":1}' > \"$M/Music/Queen/Liar.json\"");
	int reader = open(at("Music/Queen/Liar.json"), O_RDONLY), writer = open(at("Music/Queen/Liar.json"), O_WRONLY | O_TRUNC);
	int maker = open(at("Music/Queen/new.json"), O_WRONLY | O_CREAT, 0644);
	char seen[64] = "";
	cr_assert(reader >= 0 && writer >= 0 && maker >= 0);
	cr_assert_eq(read(reader, seen, 3), 3);
	cr_assert_eq(write(writer, "{\"n\":2}", 7), 7);
	cr_assert_eq(write(maker, "{\"m\":2}", 7), 7);
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n{\"Artist\":\"Queen\",\"Title\":\"new\"}\n"));
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
	cr_expect_str_eq(content("Music/Queen/new.json"), "{\"Artist\":\"Queen\",\"Title\":\"new\"}");
	cr_assert_eq(read(reader, seen + 3, 60), 5); /* the version it began with */
	cr_expect_str_eq(seen, "{\"n\":1}\n");
	expect_ok(close(writer));
	expect_ok(close(maker));
	close(reader);
	cr_expect_str_eq(content("Music/Queen/Liar.json"), "{\"n\":2}");
	cr_expect_str_eq(content("Music/Queen/new.json"), "{\"m\":2}");
}

Test(imports, a_name_that_was_made_and_not_written_keeps_what_was_imported)
{
	assert_sh("mkdir \"$M/Music/Queen\"");
	int maker = open(at("Music/Queen/Liar.json"), O_WRONLY | O_CREAT, 0644);
	cr_assert(maker >= 0);
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n"));
	expect_ok(close(maker));
	mount_again(); /* and so its RELEASE has come */
	cr_expect_str_eq(content("Music/Queen/Liar.json"), LIAR);
}

/* Telling the kernel of new names waits for its locks, and who has them waits for a thread of ours: where there is one only, each import could stop
 * everything for ten seconds (this test: four minutes). */
Test(imports, do_not_hold_up_a_mount_of_one_thread)
{
	mount_down();
	mount_up("max_threads=1");
	assert_sh("mkdir \"$M/Music/Queen\"\n"
		  "for w in 1 2 3; do\n"
		  "	(until [ -e \"$D/done\" ] || [ ! -d \"$D\" ]; do echo '{}' > \"$M/Music/Queen/w$w.json\"; rm \"$M/Music/Queen/w$w.json\"; done) &\n"
		  "done\n"
		  "end=$(($(date +%s) + 150)); for i in $(seq 100); do\n"
		  "	for n in 0 1 2 3 4 5 6 7 8 9; do\n"
		  "		test ! -e \"$M/Music/Queen/$i$n.json\" && echo '{\"Artist\":\"Queen\",\"Title\":\"'$i$n'\"}'\n"
		  "	done > \"$D/lines.jsonl\"; cp \"$D/lines.jsonl\" \"$M/Music/.import/\" && test $(date +%s) -lt $end || break\n"
		  "done; touch \"$D/done\"; wait");
	cr_expect_eq(imports_items_in("Music/Queen"), 1000);
}

Test(imports, an_undeclared_table_takes_pk_and_sk)
{
	assert_sh("mkdir \"$M/Plain\"");
	expect_ok(put("Plain/.import/a.jsonl", "{\"pk\":\"a/b\",\"sk\":\"c\",\"n\":1}\n"));
	cr_expect_str_eq(content("Plain/a%2Fb/c.json"), "{\"pk\":\"a/b\",\"sk\":\"c\",\"n\":1}");
	expect_errno(put("Plain/.import/a.jsonl", "{\"pk\":\"a\",\"n\":1}\n"), EBADMSG);
	cr_assert(refusal_of("Plain/.import/a.jsonl"));
	expect_says("reason", "Missing the key sk");
}

Test(imports, every_type_of_key_has_its_names)
{
	declare("Numbers", "Id:N Blob:B", NULL);
	expect_ok(put("Numbers/.import/a.jsonl", "{\"Id\":4.20e1,\"Blob\":{\"$B\":\"AP8=\"}}\n{\"Id\":{\"N\":\"-7\"},\"Blob\":{\"B\":\"AQ==\"}}\n"));
	expect_ok(put("Numbers/.import/b.csv", "Blob,Id\nAg==,+1.50\n\"{\"\"$B\"\":\"\"Aw==\"\"}\",1.5\n"));
	cr_expect_str_eq(listing("Numbers"), ".schema.json\n-7\n1.5\n42\n");
	cr_expect_str_eq(content("Numbers/42/00ff.json"), "{\"Id\":4.20e1,\"Blob\":{\"$B\":\"AP8=\"}}");
	cr_expect_str_eq(listing("Numbers/1.5"), "02.json\n03.json\n");
	cr_expect_str_eq(content("Numbers/1.5/02.json"), "{\"Blob\":{\"$B\":\"Ag==\"},\"Id\":1.5}");
	declare("Single", "Id:N", NULL);
	expect_ok(put("Single/.import/a.json", "[{\"Id\":1},{\"Id\":1,\"later\":true}]"));
	cr_expect_str_eq(content("Single/1/item.json"), "{\"Id\":1,\"later\":true}");
	cr_expect_eq(imports_figure("Single/.import/a.json.result.json", "duplicates"), 1);
}

/* All types, among them a map that looks like a type; keys in the documents or not. */
static void fill_zoo(void)
{
	assert_sh("mkdir -p \"$M/Music/Queen\" \"$M/Music/a, \\\"b\\\"\" && cd \"$M/Music\" &&"
		  "echo '{\"n\":1.50e3,\"s\":\"\\u00e9\\\"\\n,x\",\"t\":true,\"z\":null,\"b\":{\"$B\":\"AAE=\"},\"e\":\"\"}' > Queen/1.json &&"
		  "echo '{\"l\":[1,\"a\",{\"m\":{}}],\"ss\":{\"$SS\":[\"b\",\"a\"]},\"ns\":{\"$NS\":[2,1.0]},\"bs\":{\"$BS\":[\"AA==\"]}}' > Queen/2.json &&"
		  "echo '{\"Year\":1975,\"m\":{\"$M\":{\"$B\":\"no binary\"}},\"Artist\":\"a, \\\"b\\\"\"}' > 'a, \"b\"/x%2Fy.json' && : > Queen/3.json");
}

Test(imports, what_was_exported_comes_back_the_same)
{
	declare("Other", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	fill_zoo();
	assert_sh("cd \"$M\" && cp Music/.export/items.jsonl Other/.import/ && cmp Music/.export/items.jsonl Other/.export/items.jsonl");
	cr_expect_eq(imports_figure("Other/.import/items.jsonl.result.json", "created"), 4);
	assert_sh("cd \"$M\" && cp Music/.export/items.json Other/.import/ && cmp Music/.export/items.json Other/.export/items.json");
	cr_expect_eq(imports_figure("Other/.import/items.json.result.json", "replaced"), 4);
	cr_expect_str_eq(listing("Other/.index/by-year"), "1975\n");
}

Test(imports, a_csv_brings_back_keys_and_strings_and_makes_strings_of_the_rest)
{
	declare("Other", "Artist:S Title:S", "gsi by-year Year:N ALL", NULL);
	fill_zoo();
	assert_sh("cd \"$M\" && cp Music/.export/items.csv Other/.import/ && cmp Music/.export/items.csv Other/.export/items.csv");
	cr_expect_eq(imports_figure("Other/.import/items.csv.result.json", "created"), 4);
	cr_expect_str_eq(content("Other/Queen/2.json"),
			 "{\"Artist\":\"Queen\",\"Title\":\"2\",\"bs\":\"{\\\"$BS\\\":[\\\"AA==\\\"]}\",\"l\":\"[1,\\\"a\\\",{\\\"m\\\":{}}]\","
			 "\"ns\":\"{\\\"$NS\\\":[2,1.0]}\",\"ss\":\"{\\\"$SS\\\":[\\\"b\\\",\\\"a\\\"]}\"}");
	cr_expect_str_eq(content("Other/a, \"b\"/x%2Fy.json"),
			 "{\"Artist\":\"a, \\\"b\\\"\",\"Title\":\"x/y\",\"Year\":1975,\"m\":\"{\\\"$M\\\":{\\\"$B\\\":\\\"no binary\\\"}}\"}");
	cr_expect_str_eq(content("Other/Queen/3.json"), "{\"Artist\":\"Queen\",\"Title\":\"3\"}");
}

Test(imports, names_that_could_not_be_made_by_hand_are_refused)
{
	expect_ok(put("Music/Queen", "a plain file"));
	expect_errno(put("Music/.import/a.jsonl", LIAR "\n"), EBADMSG);
	cr_assert(refusal_of("Music/.import/a.jsonl"));
	expect_says("reason", "a plain file");
	const char *title = text("%0*d", 400, 7);
	const char *item = text("{\"Artist\":\"ABBA\",\"Title\":\"%s\"}", title);
	expect_ok(put("Music/.import/b.jsonl", item)); /* a sort key's name can be cut */
	assert_sh("cat \"$M/Music/ABBA/\"*");
	cr_expect_str_eq(sh_output(), item);
	expect_ok(put("Music/.import/b.jsonl", item));
	cr_expect_eq(imports_figure("Music/.import/b.jsonl.result.json", "replaced"), 1);
	item = text("{\"Artist\":\"%s\",\"Title\":\"%s\"}", title, title); /* and a partition key's */
	expect_ok(put("Music/.import/c.jsonl", item));
	assert_sh("cat \"$M/Music/\"0*/*.json");
	cr_expect_str_eq(sh_output(), item);
	assert_sh("mkdir \"$M/Plain\"");
	expect_errno(put("Plain/.import/a.jsonl", text("{\"pk\":\"a\",\"sk\":\"%s\"}", title)), EBADMSG);
	cr_assert(refusal_of("Plain/.import/a.jsonl"));
	expect_says("reason", "without .schema.json");
}

Test(imports, a_partition_made_by_one_goes_with_its_last_item)
{
	expect_ok(put("Music/.import/a.jsonl", LIAR));
	cr_expect(exists("Music/Queen"));
	expect_ok(unlink(at("Music/Queen/Liar.json")));
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	expect_ok(put("Music/.import/a.jsonl", LIAR "\n" SOS));
	assert_sh("cd \"$M/Music\" && rm -r Queen && find ABBA -delete && ! ls Queen 2>/dev/null"); /* who removes the directory, too, is not told that it went by itself */
	cr_expect_str_eq(listing("Music"), ".schema.json\n");
	assert_sh("cd \"$M/Music\" && mkdir Queen ABBA && echo '{}' > Queen/x.json && rm Queen/x.json && ls");
	cr_expect_str_eq(sh_output(), "ABBA\nQueen\n"); /* made by hand it stays */
	expect_ok(put("Music/.import/a.jsonl", "{\"Artist\":\"Blur\",\"Title\":\"x\"}"));
	assert_sh("cd \"$M/Music\" && rm Blur/x.json && mkdir -p Blur && echo '{\"n\":1}' > Blur/y.json && cat Blur/y.json");
	cr_expect_str_eq(sh_output(), "{\"n\":1}\n");
}
