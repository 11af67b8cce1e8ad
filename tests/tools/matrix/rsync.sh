# shellcheck shell=bash disable=SC2016
# about: rsync: plain, --inplace, -c, --delete, --append, -b, --partial, both directions; nothing is sent twice, after a remount too
# needs: rsync
step 'rsync -a "$W/" "$S/copy/"; diff -r "$W" "$S/copy"; rsync -ain "$W/" "$S/copy/"'
remount
step 'rsync -ai "$W/" "$S/copy/"; rsync -aic "$W/" "$S/copy/"'
step 'echo "{\"Year\":1983}" > "$S/copy/Music/Queen/a.json"; echo "{\"Year\":6}" > "$S/copy/Music/Queen/new.json"; rsync -ai --no-times "$S/copy/" "$W/"; cat a.json'
step 'rsync -ai "$S/copy/" "$W/" > /dev/null; rsync -aic "$S/copy/" "$W/"'
step 'echo "{\"Year\":1984}" > "$S/copy/Music/Queen/b.json"; touch -d 2002-02-02 "$S/copy/Music/Queen/b.json"; rsync -ai --inplace --no-W "$S/copy/" "$W/"; cat b.json'
step 'sed -i "s/la la/la ti/" "$S/copy/Music/Queen/long.json"; rsync -a --inplace --no-W "$S/copy/" "$W/"; cmp "$S/copy/Music/Queen/long.json" long.json'
step 'seq 1 9 >> "$S/copy/Music/Queen/numbers.bin"; rsync -a --append "$S/copy/" "$W/"; cmp "$S/copy/Music/Queen/numbers.bin" numbers.bin'
step 'rm "$S/copy/Music/Queen/c.json"; rsync -aiO --delete "$S/copy/" "$W/"; ls'
step 'echo four >> "$S/copy/Music/Queen/notes.txt"; rsync -ab "$S/copy/" "$W/"; ls'
step 'rsync -a --partial "$S/copy/Music/Queen/a.json" ../Abba/; ls -A ../Abba'
discarded 'Unable to create partial-dir' 'rsync -a --delay-updates "$S/copy/Music/Queen/new.json" ../Abba/'
step 'rsync -aX --remove-source-files notes.txt~ "$S/"; ls; rsync a.json ../Abba/z.json; rsync -a nothing.json x.json 2>&1 | head -n 1'
second
step 'rsync -aHAX "$W/" "$W2/"; rsync -aHAXic "$W/" "$W2/"'
same_trees
