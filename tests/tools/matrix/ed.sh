# shellcheck shell=bash disable=SC2016
# about: ed: substitute and write, a new item, append
# needs: ed
step 'printf "%s\n" "s/1977/1987/" w q | ed -s a.json; cat a.json'
step 'printf "%s\n" a "{\"Year\":1995}" . "w new.json" q | ed -s; cat new.json'
step 'printf "%s\n" 1d w "W more.txt" q | ed -s notes.txt; cat notes.txt more.txt'
step 'printf "%s\n" "e nothing.json" q | ed -s'
