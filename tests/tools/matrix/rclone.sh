# shellcheck shell=bash disable=SC2016
# about: rclone: copy out, check, sync back, move, nothing copied twice after a remount, copy into an empty volume gives equal tables and indexes
# needs: rclone jq
# large
limit=120
export RCLONE_CONFIG=$S/rclone.conf
: > "$RCLONE_CONFIG"
step 'rclone copy "$W" "$S/copy"; diff -r "$W" "$S/copy"; rclone check "$W" "$S/copy" 2>&1 | grep -c "0 differences"'
remount
step 'rclone copy -v "$W" "$S/copy" 2>&1 | grep -c Copied'
step 'echo "{\"Year\":1901}" > "$S/copy/Music/Queen/a.json"; touch -d 2003-03-03 "$S/copy/Music/Queen/a.json"; rm "$S/copy/Music/Queen/b.json"; rclone sync "$S/copy" "$W"; ls; cat a.json'
step 'rclone moveto c.json d.json; rclone lsf . | sort; rclone cat a.json; rclone deletefile notes.txt; ls'
second
step 'rclone copy "$W" "$W2"; diff -r "$W" "$W2"'
step 'cd "$W" && find . -type f -printf "%P %s %T@\n" | sort > "$S/one"; cd "$W2" && find . -type f -printf "%P %s %T@\n" | sort | diff "$S/one" -'
unset RCLONE_CONFIG
