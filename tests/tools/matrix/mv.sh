# shellcheck shell=bash disable=SC2016
# about: mv: items, plain files, either into the other, partitions, tables, over, -n, --backup, --exchange by hand
# needs: mv
step 'mv a.json d.json'
step 'mv -n b.json c.json; ls'
step 'mv -f b.json c.json; cat c.json'
step 'mv notes.txt n2.txt; mv numbers.bin ../Abba/'
step 'cat long.json > tmp1; mv tmp1 long.json'
step 'mv c.json c.txt; mv c.txt e.json'
step 'mv --backup d.json e.json; ls'
step 'mv "Bohemian Rhapsody.json" ../Abba/'
step 'mv nothing.json x.json'
step 'mv -t ../Abba long.json e.json; ls . ../Abba'
step 'mv "$W/Music/README" "$W/Music/LIESMICH"; ls "$W/Music"'
step 'mv "$W/Music/Abba" "$W/Music/ABBA"; ls "$W/Music/ABBA"'
step 'mv "$W/Music" "$W/Songs"; ls "$W/Songs"; mv "$W/Songs" "$W/Music"'
step 'cp "$Q/n2.txt" "$S/out"; mv "$S/out" "$Q/in.txt"; mv "$Q/in.txt" "$S/"; ls "$S"'
step 'echo "{\"Year\":2000}" > "$S/doc"; touch -d "2001-02-03" "$S/doc"; mv "$S/doc" z.json'
step 'mv z.json z.json'
