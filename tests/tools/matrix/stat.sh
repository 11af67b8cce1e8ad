# shellcheck shell=bash disable=SC2016
# about: stat, test and ls -l: type, size, mode, links, times to the nanosecond, the inode number after a remount
# needs: stat ls
step 'stat -c "%n %F %s %a %u %g %h %y" *.json notes.txt'
step 'stat -c "%n %F %a %U %G" . .. ../Abba'
step 'ls -l --time-style=full-iso *.json; ls -A ..; ls -t | head -n 1; ls -S | head -n 2; ls -F ..'
step 'find .. -printf "%i\n" | sort | uniq -d'
step 'stat -c "%n %i %W" * .. ../Abba > "$S/before"; stat -c "%n %z %y %s" * . .. > "$S/times"'
remount
step 'stat -c "%n %i %W" * .. ../Abba | diff "$S/before" -; stat -c "%n %z %y %s" * . .. | diff "$S/times" -'
step 'chmod 400 a.json; chmod g+w c.json; chmod 700 ../Abba; chmod 1777 ../Abba; chmod u+s notes.txt; stat -c "%n %a" a.json c.json ../Abba notes.txt'
step 'chown 1234:567 b.json; chgrp 99 ../Abba . ; stat -c "%n %u %g" b.json ../Abba .'
step 'test -s a.json && test ! -s nothing.json && test -d . && test -f a.json && test b.json -ef ./b.json && test ! a.json -nt b.json; echo $?'
step 'touch -d 2001-09-09 b.json; a=$(stat -c %Z a.json); test "$a" -gt 1500000000; echo $?; stat nothing.json'
