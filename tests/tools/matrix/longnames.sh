# shellcheck shell=bash disable=SC2016
# about: keys whose names are cut (over 255 bytes): backed up and restored by restic, borg, rclone, bsdtar and cpio; temporary names of vim, sed -i and rsync beside them
# needs: restic borg rclone bsdtar cpio vim rsync
# large
limit=120
who=$(printf 'q%.0s' {1..900}) what=$(printf 'k%.0s' {1..700})
long=${who:0:237}%~7ab3a1d35aa22bdf file=${what:0:232}%~2893e7737facff4c.json
export long file document="{\"Artist\":\"$who\",\"Title\":\"$what\",\"Label\":\"x\"}"
export RESTIC_PASSWORD=x RESTIC_REPOSITORY=$S/repository RESTIC_CACHE_DIR=$S/cache
export BORG_REPO=$S/borgs BORG_BASE_DIR=$S/borg BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
step 'mkdir -m 750 "../$long" && echo "$document" > "../$long/$file" && echo "{\"Artist\":\"'"$who"'\"}" > "../$long/a.json" && ls "../$long"'
step 'cd "../$long" && sed -i s/x/y/ "$file" && grep -o ..y.. "$file"; echo "read me" > README; rsync -a README "$S/" && rsync -a "$file" "$S/" && touch -d 2001-02-03 "$S/$file" && rsync -a "$S/$file" .; ls'
step 'cd "../$long" && vim -u NONE -es -c "%s/y/z/" -c wq "$file" < /dev/null; grep -o ..z.. "$file"; ls -A'
step 'touch -d 2001-02-03 "../$long"/* "../$long" ..'
second
step 'restic init -q && cd "$W" && restic backup -q . && restic restore -q latest --target "$W2"'
same_trees
step 'rm -r "$W2/Music" && borg init -e none && cd "$W" && borg create ::one . && cd "$W2" && borg extract ::one'
same_trees
step 'rm -r "$W2/Music" && rclone -q copy "$W" "$W2" && diff -r "$W" "$W2"'
step 'rm -r "$W2/Music" && cd "$W" && bsdtar --format pax -cf "$S/b.tar" . && cd "$W2" && bsdtar -xpf "$S/b.tar"'
same_trees
step 'rm -r "$W2/Music" && cd "$W" && find . -mindepth 1 | sort | cpio -o -H newc --quiet > "$S/c.cpio" && cd "$W2" && cpio -i -d --quiet < "$S/c.cpio" && diff -r "$W" "$W2"'
step 'cd .. && mv "$long" short && ls short && mv "short/$file" short/b.json && grep -o "..z.." short/b.json && rm -r short'
unset long file document RESTIC_PASSWORD RESTIC_REPOSITORY RESTIC_CACHE_DIR BORG_REPO BORG_BASE_DIR BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK BORG_RELOCATED_REPO_ACCESS_IS_OK
