# shellcheck shell=bash disable=SC2016
# about: tar: create, extract, over what is there, --overwrite, -k, -u, -d, --xattrs, incremental, into an empty volume
# needs: tar
step 'tar -C "$W" --format=posix -cf "$S/all.tar" .; tar -tf "$S/all.tar" | sort'
step 'tar -C "$W" -df "$S/all.tar"'
step 'tar -cf songs.tar *.json; tar -tf songs.tar'
step 'rm a.json b.json; tar -xf songs.tar; ls; tar -df songs.tar'
step 'tar -xf songs.tar; tar --overwrite -xf songs.tar; tar -xkf songs.tar'
step 'tar -C ../Abba -xf songs.tar; ls ../Abba'
step 'tar -C "$W" --xattrs --acls -cf "$S/x.tar" Music; tar -tvf "$S/x.tar" | grep -c json'
step 'tar -czf - . | tar -tzf - | sort'
step 'cd "$W" && tar -g "$S/snar" -cf "$S/inc0.tar" Music; echo "{\"Year\":3}" > Music/Queen/c.json; tar -g "$S/snar" -cf "$S/inc1.tar" Music; tar -tf "$S/inc1.tar"'
second
step 'tar -C "$W" --format=posix -cf - . | tar -C "$W2" -xpf -'
same_trees
step 'tar -C "$W" --format=posix -cf - . | tar -C "$W2" -xpf -'
same_trees
