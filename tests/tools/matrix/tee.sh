# shellcheck shell=bash disable=SC2016
# about: tee: to several, -a, from a pipe that comes in pieces
# needs: tee
step 'echo "{\"Year\":1999}" | tee d.json a.json copy.txt'
step 'echo four | tee -a notes.txt; cat notes.txt'
step '(printf "{\"Year\""; sleep 0.1; printf ":2001"; sleep 0.1; printf "}\n") | tee e.json; cat e.json'
step 'tee f.json < long.json | md5sum; cmp f.json long.json'
step 'echo "  " | tee -a b.json; cat b.json'
step 'echo x | tee nowhere/x nice.txt'
step 'sed s/1977/1978/ a.json | tee ../Abba/a.json'
