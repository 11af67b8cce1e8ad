# shellcheck shell=bash disable=SC2016
# about: bash, dash: redirections of all kinds, noclobber, here-documents, loops that append, exec
# needs: bash dash
step 'for sh in bash dash; do $sh -c "echo \"{\\\"Year\\\":12}\" > $sh.json; cat $sh.json; echo x >> $sh.txt; echo y >> $sh.txt; cat $sh.txt"; done'
step 'set -C; echo "{}" > a.json; echo "{}" >| c.json; echo "{}" > d.json; cat a.json c.json d.json'
step '{ echo "{"; echo "\"Year\": 13"; echo "}"; } > e.json; cat e.json'
step 'exec 3> f.json; echo "{\"Year\"" >&3; echo ":14}" >&3; exec 3>&-; cat f.json'
step 'exec 3<> notes.txt; read -r l <&3; echo "$l"; echo TWO >&3; exec 3>&-; cat notes.txt'
step 'for i in $(seq 50); do echo "$i" >> log.txt & done; wait; sort -n -o log.txt log.txt; md5sum log.txt'
step 'for i in $(seq 50); do echo "{\"Year\":$i}" > "s $i.json"; done; ls | wc -l; cat s*"30".json'
step ': > empty.json; : > notes.txt; stat -c "%n %s" empty.json notes.txt'
step 'while read -r x; do echo "$x"; done < a.json; echo x > nowhere/y; echo > .'
step 'mapfile -t names < <(ls); echo ${#names[@]}; printf "%s\n" *.json | md5sum; echo "{\"Year\":15}" > "ünïcödé ☃.json"; ls | grep ☃'
