# shellcheck shell=bash disable=SC2016
# about: awk: reads items, writes items and plain files, appends, getline
# needs: awk
step 'awk -F: "/Year/ { print FILENAME, FNR, NF }" a.json b.json "Bohemian Rhapsody.json"'
step 'awk "BEGIN { for (i = 0; i < 20; i++) { f = \"song\" i \".json\"; printf \"{\\\"Year\\\":%d}\\n\", 1960 + i > f; close(f) } }"; cat song7.json'
step 'awk "{ print NR, \$0 > \"numbered.txt\" }" notes.txt; cat numbered.txt'
step 'awk "{ print >> \"notes.txt\" }" a.json; cat notes.txt'
step 'awk "BEGIN { while ((getline l < \"notes.txt\") > 0) n++; print n }"'
step 'awk "{ s += \$1 } END { print s }" numbers.bin'
step 'awk "{ gsub(/1977/, \"1987\"); print }" a.json > tmp && mv tmp a.json; cat a.json'
