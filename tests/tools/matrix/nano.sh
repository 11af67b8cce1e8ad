# shellcheck shell=bash disable=SC2016
# about: nano through a terminal: edit, save, leave; a new item; a backup
# needs: nano python3
n='python3 "$T/../keys.py"'
step "$n nano -I a.json -- '{ ' DEL DEL ^A ^K '{\"Year\":1992}' ^S ^X; cat a.json"
step "$n nano -I -B notes.txt -- 'zero' ENTER ^S ^X; cat notes.txt; ls -A"
step "$n nano -I new.json -- '{\"Year\":1993}' ^O ENTER ^X; cat new.json; ls -A"
