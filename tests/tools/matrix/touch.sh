# shellcheck shell=bash disable=SC2016
# about: touch: new, -d, -r, -a, -m, -c, to the nanosecond, on items, plain files, partitions, tables
# needs: touch stat
step 'touch new.json new.txt; stat -c "%n %s %a" new.*'
step 'touch -d "2011-11-11 11:11:11.987654321" a.json notes.txt; stat -c "%n %y" a.json notes.txt'
step 'touch -r a.json b.json new.json'
step 'touch -m -d "1999-12-31 23:59:59.5" c.json; stat -c "%n %y" c.json'
step 'touch -a -d "1999-12-31" c.json; stat -c "%n %y" c.json'
step 'touch -c nothing.json; ls'
step 'touch -d "1931-01-01" numbers.bin; stat -c "%n %y" numbers.bin'
step 'touch -d "2001-02-03 04:05:06.7" . .. ../Abba; stat -c "%n %y" . .. ../Abba'
step 'touch long.json; touch nowhere/x'
step 'exec 3>> b.json; touch -d 2001-01-01 b.json; exec 3>&-'
