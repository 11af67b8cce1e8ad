# shellcheck shell=bash disable=SC2016
# about: reading: one, many, into another, append, a name that is not there
# needs: cat
step 'cat a.json "Bohemian Rhapsody.json" notes.txt'
step 'cat a.json > d.json'
step 'cat nothing.json'
step 'cat notes.txt a.json > notes2.txt'
step 'cat notes.txt >> notes2.txt; cat notes2.txt'
step 'cat < long.json | md5sum'
step 'cat - b.json < c.json'
step 'cat ../Abba/*.json ../README ../.schema.json'
step 'cat <<< "{\"Year\": 1990}" > new.json; cat new.json'
step 'cat .'
