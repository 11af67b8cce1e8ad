# shellcheck shell=bash disable=SC2016
# about: patch: an item and a plain file, -b, -R, a hunk that fails leaves .rej, a new file, removing one
# needs: patch diff
step 'sed s/1977/1987/ a.json | diff -u a.json - | patch a.json; cat a.json'
step 'sed s/two/2/ notes.txt | diff -u notes.txt - > "$S/p"; patch -b notes.txt < "$S/p"; cat notes.txt; ls -A'
step 'patch -R notes.txt < "$S/p"; cat notes.txt'
step 'sed "s/two/zwei/; s/one/eins/; s/three/drei/" notes.txt > "$S/n"; cp "$S/n" "$S/m"; sed -i s/drei/trois/ "$S/n"; diff -u --label m --label n "$S/m" "$S/n" | patch -f notes.txt; ls -A'
step 'echo "{\"Year\":11}" | diff -u /dev/null - | sed "s,^+++ -,+++ new.json," | patch -p0; cat new.json; ls -A'
step 'diff -u new.json /dev/null | patch -E new.json; ls -A'
