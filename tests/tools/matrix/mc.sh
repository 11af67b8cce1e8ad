# shellcheck shell=bash disable=SC2016
# about: mc (Midnight Commander) through a terminal: copy, move, make a directory and delete in its panels; mcedit
# needs: mc mcedit python3
# large
n='python3 "$T/../keys.py"'
step "$n mcedit -b a.json -- ^Y '{\"Year\":1996}' ENTER F2 WAIT ENTER WAIT F10; cat a.json; ls -A"
step "TERM=xterm $n mc -b -u -x '$Q' '$W/Music/Abba' -- WAIT 'cp b.json ../Abba/ && rm c.json' ENTER WAIT F10 WAIT ENTER; ls -A . ../Abba"
