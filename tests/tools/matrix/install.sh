# shellcheck shell=bash disable=SC2016
# about: install: modes, -p, -b, -D, over items, -d as mkdir
# needs: install
step 'install -m 600 a.json d.json; stat -c "%n %a" d.json'
step 'install -p -m 644 b.json e.json'
step 'install -b c.json a.json; ls'
step 'install -d -m 700 ../New; install -t ../New a.json b.json notes.txt; ls ../New'
step 'install -D a.json ../Deep/a.json'
step 'install -C -m 600 d.json b.json; install -C a.json a.json~'
step 'install -m 755 "$S" x'
