# shellcheck shell=bash disable=SC2016
# about: bsdtar: create, extract, over what is there, into an empty volume
# needs: bsdtar
step 'bsdtar -C "$W" -cf "$S/all.tar" .; bsdtar -tf "$S/all.tar" | sort'
step 'bsdtar -cf "$S/q.tar" *.json; rm a.json; bsdtar -xf "$S/q.tar"; ls; bsdtar -xkf "$S/q.tar"; bsdtar -xUf "$S/q.tar"'
step 'bsdtar -caf songs.zip *.json; bsdtar -tf songs.zip | sort'
second
step 'bsdtar -C "$W" -cf - . | bsdtar -C "$W2" -xpf -'
same_trees
