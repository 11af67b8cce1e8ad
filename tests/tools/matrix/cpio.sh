# shellcheck shell=bash disable=SC2016
# about: cpio -o, -i, -p, times kept, over what is there
# needs: cpio
step 'find . -type f | sort | cpio --quiet -o -H newc > "$S/a.cpio"; cpio --quiet -it < "$S/a.cpio"'
step 'rm a.json c.json; cpio --quiet -imu < "$S/a.cpio"; ls'
step 'cpio --quiet -im < "$S/a.cpio" 2>&1 | sort | head -n 3'
step 'mkdir ../Copy; find . -type f | sort | cpio --quiet -pm ../Copy; diff -r . ../Copy'
second
step 'cd "$W" && find . -mindepth 1 -depth | cpio --quiet -o -H newc > "$S/b.cpio"; cd "$W2" && cpio --quiet -idm < "$S/b.cpio"; diff -r "$W" "$W2"'
