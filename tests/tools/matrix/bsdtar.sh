# shellcheck shell=bash disable=SC2016
# about: bsdtar: create, extract, over what is there, into an empty volume
# needs: bsdtar
step 'bsdtar -C "$W" -cf "$S/all.tar" .; bsdtar -tf "$S/all.tar" | sort'
step 'bsdtar -cf "$S/q.tar" *.json; rm a.json; bsdtar -xf "$S/q.tar"; ls; bsdtar -xkf "$S/q.tar"; bsdtar -xUf "$S/q.tar"'
# The archive itself says the second of this run (ctime), so it does not stay to be compared.
step 'bsdtar -caf songs.zip *.json; bsdtar -tf songs.zip | sort; bsdtar -xOf songs.zip | md5sum; rm songs.zip'
second
step 'bsdtar -C "$W" -cf - . | bsdtar -C "$W2" -xpf -'
same_trees
