# shellcheck shell=bash disable=SC2016
# about: zip and unzip: make, update, move into, extract, over what is there
# needs: zip unzip
step 'zip -q songs.zip *.json; unzip -Z1 songs.zip'
step 'echo "{\"Year\":5}" > c.json; zip -q -u songs.zip c.json; unzip -p songs.zip c.json'
step 'rm a.json; unzip -q -o songs.zip; cat a.json; unzip -tq songs.zip'
step 'zip -q -m notes.zip notes.txt; ls; unzip -q notes.zip; ls'
step 'zip -q -d songs.zip c.json; unzip -Z1 songs.zip'
step 'cd "$W" && zip -q -r "$S/all.zip" . && unzip -Z1 "$S/all.zip" | sort'
second
step 'cd "$W2" && unzip -q "$S/all.zip"; diff -r "$W" "$W2"'
