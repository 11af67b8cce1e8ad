/* Backup of a live mount with what people have, and its restore into an empty volume. */
#include "tests/mount/harness.h"

static void setup(void)
{
	mount_setup();
	declare("Music", "Artist:S Title:S", "gsi by-year Year:N Artist:S ALL", "lsi in-order Year:N KEYS_ONLY", NULL);
	declare("Readings", "Device:B At:N", "gsi by-v v:N ALL", NULL);
	declare("Settings", "Id:S", "gsi by-kind kind:S INCLUDE value", NULL);
	assert_sh("cd \"$M\" && mkdir -p Free/x Music/Queen Music/Abba 'Music/a%2Fb' Music/Empty Readings/00ff "
		  "Settings/theme && "
		  "for t in Liar Seven '%2Ehidden' 'x, y' 'caf\u00e9' 'a%2Fb'; do echo '{ \"Year\" : 1973 }' > "
		  "\"Music/Queen/$t.json\"; done && "
		  "echo '{\"Year\":1975,\"Artist\":\"Abba\"}' > Music/Abba/SOS.json && : > Music/Abba/Bare.json && "
		  "printf '{}' > 'Music/a%2Fb/z.json' && "
		  "for ((i = -50; i < 50; i++)); do echo \"{\\\"v\\\":$((i * i))}\" > Readings/00ff/$i.json; done && "
		  "echo '{\"kind\":\"ui\",\"value\":\"dark\"}' > Settings/theme/item.json && echo 'a plain file' > "
		  "Music/README && echo note > Music/Queen/notes.txt && "
		  "echo '{\"pk\":1}' > Free/x/y.json && chmod 600 Music/Abba/SOS.json && chmod 640 Music/README && "
		  "chmod 700 Music/Abba");
	/* Times of their own for all, seconds apart: rsync leaves one be that differs in its nanoseconds only. */
	assert_sh("cd \"$M\" && i=0 && find . -mindepth 1 -depth -print0 | while read -rd '' f; do "
		  "touch -d @$((1000000000 + ++i)).$((123456789 + i)) \"$f\" || exit; done");
	/* What must come back: every file's mode, time, size and name, and the views. */
	assert_sh("cat > \"$D/facts\" <<'END'\n"
		  "cd \"$1\" && find . -mindepth 1 -printf '%P %y %m %T@ ' \\( -type f -printf '%s\\n' -o -printf "
		  "'\\n' \\) | sort\n"
		  "END\n"
		  "cat > \"$D/views\" <<'END'\n"
		  "cd \"$1\" && for t in Music Readings Settings; do for v in $(ls $t/.index); do find "
		  "\"$t/.index/$v\" -type f | while read -r f; do "
		  "echo \"$f $(cat \"$f\")\"; done; done; done\n"
		  "END\n"
		  "bash \"$D/facts\" \"$M\" > \"$D/facts.before\" && bash \"$D/views\" \"$M\" > \"$D/views.before\" && "
		  "cp -a \"$M\" \"$D/tree\" && "
		  "[ $(wc -l < \"$D/views.before\") -gt 100 ]");
}

TestSuite(backup, .init = setup, .fini = mount_teardown, .timeout = 600);

static void expect_all_is_there(void)
{
	expect_sh("bash \"$D/facts\" \"$M\" | diff \"$D/facts.before\" -", "");
	expect_sh("bash \"$D/views\" \"$M\" | diff \"$D/views.before\" -", "");
	expect_sh("diff -r \"$D/tree\" \"$M\"", "");
}

Test(backup, tar)
{
	assert_sh("tar --format=posix -C \"$M\" -cf \"$D/backup.tar\" .");
	mount_new_volume();
	assert_sh("tar -C \"$M\" -xf \"$D/backup.tar\"");
	expect_all_is_there();
	mount_again();
	expect_all_is_there();
}

Test(backup, tar_over_what_is_there_changes_nothing)
{
	assert_sh(
	    "tar --format=posix -C \"$M\" -cf \"$D/backup.tar\" . && timeout 60 tar -C \"$M\" -xf \"$D/backup.tar\"");
	expect_all_is_there();
}

Test(backup, tar_after_a_wipe)
{
	assert_sh("tar --format=posix -C \"$M\" -cf \"$D/backup.tar\" . && rm -r \"$M\"/*");
	cr_expect_str_eq(listing(""), "");
	assert_sh("tar -C \"$M\" -xf \"$D/backup.tar\"");
	expect_all_is_there();
}

Test(backup, cp_a)
{
	mount_new_volume();
	assert_sh("cp -a \"$D/tree/.\" \"$M/\"");
	expect_all_is_there();
	assert_sh("cp -a \"$M/.\" \"$D/again/\" && diff -r \"$D/tree\" \"$D/again\" && bash \"$D/facts\" \"$D/again\" "
		  "> \"$D/facts.again\"");
	expect_sh("grep -v ' d ' \"$D/facts.before\" | diff - <(grep -v ' d ' \"$D/facts.again\")", "");
}

Test(backup, rsync_a)
{
	assert_sh("rsync -a \"$M/\" \"$D/synced/\"");
	expect_sh("rsync -ai \"$M/\" \"$D/synced/\"", ""); /* an incremental run finds nothing to do */
	mount_new_volume();
	assert_sh("rsync -a \"$D/synced/\" \"$M/\"");
	expect_all_is_there();
	expect_sh("rsync -ai \"$D/synced/\" \"$M/\"", "");
	mount_again();
	expect_sh("rsync -ai --checksum \"$D/synced/\" \"$M/\"", "");
}

Test(backup, the_definition_is_archived_first)
{
	expect_sh("for t in Music Readings Settings; do tar -C \"$M\" -cf - $t | tar -tf - | sed -n 2p; done",
		  "Music/.schema.json\nReadings/.schema.json\nSettings/.schema.json\n");
}

Test(backup, the_definition_may_come_last)
{
	/* String keys: without their definition, paths of other types would be taken as strings. */
	assert_sh("cd \"$M\" && rm -r Readings && cd \"$D\" && rm -r tree && cp -a \"$M\" tree && bash facts \"$M\" > "
		  "facts.before && "
		  "sed -i '/for t in/s/Readings//' views && bash views \"$M\" > views.before && "
		  "tar --format=posix -C \"$M\" --exclude=.schema.json -cf items.tar Free Music && "
		  "tar --format=posix -C \"$M\" -cf simple.tar Settings && "
		  "tar --format=posix -C \"$M\" -cf schema.tar Music/.schema.json && tar --format=posix --no-recursion "
		  "-C \"$M\" -cf dirs.tar Music");
	mount_new_volume();
	assert_sh("tar -C \"$M\" -xf \"$D/items.tar\" && tar -C \"$M\" -xf \"$D/simple.tar\" && tar -C \"$M\" -xf "
		  "\"$D/schema.tar\" && "
		  "tar -C \"$M\" -xf \"$D/dirs.tar\"");
	expect_all_is_there();
}

Test(backup, sees_each_item_exactly_once)
{
	expect_sh("tar -C \"$M\" -cf - . | tar -tf - | sort | uniq -d", "");
	expect_sh("[ $(find \"$M\" -type f | wc -l) = $(find \"$D/tree\" -type f | wc -l) ] && du -s \"$M\" > "
		  "/dev/null && find \"$M\" -name '*.index*'",
		  "");
}

Test(backup, a_volume_of_many_partitions_comes_back_whole)
{
	assert_sh("mkdir \"$M/Many\" && cd \"$M/Many\" && for ((i = 0; i < 300; i++)); do mkdir p$i && for ((j = 0; j "
		  "< 5; j++)); do echo \"{\\\"j\\\":$j}\" > p$i/$j.json; done; done && "
		  "bash \"$D/facts\" \"$M\" > \"$D/facts.before\" && rm -r \"$D/tree\" && cp -a \"$M\" \"$D/tree\" && "
		  "tar --format=posix -C \"$M\" -cf \"$D/backup.tar\" .");
	mount_new_volume();
	assert_sh("tar -C \"$M\" -xf \"$D/backup.tar\"");
	expect_all_is_there();
}
