# shellcheck shell=bash disable=SC2016
# about: rename (Perl's): many names by a pattern, -n, onto one that is there
# needs: rename
step 'rename -n "s/^/old-/" ?.json; ls'
step 'rename "s/^/old-/" ?.json; ls; cat old-a.json'
step 'rename "s/[.]txt$/.md/" *.txt; rename "y/A-Z/a-z/" Boh*; ls'
step 'cp old-a.json a.json; rename "s/old-//" old-a.json; ls'
step 'cd .. && rename "s/Abba/ABBA/" Abba; ls; ls ABBA'
