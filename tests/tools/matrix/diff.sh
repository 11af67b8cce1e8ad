# shellcheck shell=bash disable=SC2016
# about: diff -r, -q, -u, cmp, sdiff: of the mount with a copy, and of two partitions
# needs: diff
step 'cp -a "$W" "$S/copy"; diff -r "$W" "$S/copy"'
step 'sed -i s/EMI/Parlophone/ a.json; rm b.json; diff -r "$W" "$S/copy"; diff -rq "$W" "$S/copy"'
step 'diff -r . ../Abba; cmp a.json c.json; diff -u notes.txt a.json | tail -n +3; diff3 a.json a.json c.json'
step 'diff a.json nothing.json; diff -N a.json nothing.json; diff a.json ../Abba'
