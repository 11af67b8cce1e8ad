# shellcheck shell=bash disable=SC2016
# about: sed -i: one, many, with a backup, -n w
# needs: sed
step 'sed -i s/EMI/Parlophone/ a.json; cat a.json'
step 'sed -i.bak "s/19\([0-9][0-9]\)/20\1/" *.json; ls; cat a.json b.json "Bohemian Rhapsody.json"'
step 'sed -i "1d" notes.txt; cat notes.txt'
step 'sed -i -s "s/la la/na na/g" long.json c.json; md5sum long.json'
step 'sed -n "w out.txt" notes.txt; cat out.txt'
step 'sed --in-place=.old "/Label/s/none/some/w changed.txt" c.json; cat c.json changed.txt; ls'
step 'sed -i "s/x/y/" nothing.json'
step 'sed -i "s/a/b/" ../Abba'
