# shellcheck shell=bash disable=SC2016
# about: vim -es: edit and write, a new item, a plain file, :saveas, backup kept, undo file, swap file, writing by copy and by rename
# needs: vim
v='vim -es -u NONE -i NONE -N'
step "$v -c '%s/1977/1987/' -c wq a.json; cat a.json"
step "$v -c 'set swapfile backup' -c '%s/1978/1988/' -c wq b.json; cat b.json; ls -A"
step "$v -c 'set backup backupcopy=yes' -c '%s/none/many/' -c wq c.json; cat c.json; ls -A"
step "$v -c 'set backup backupcopy=no' -c '%s/many/few/' -c wq c.json; cat c.json; ls -A"
step "$v -c 'set undofile undodir=.' -c 'normal Gofour' -c wq notes.txt; cat notes.txt; ls -A; rm .notes.txt.un~"
step "$v -c 'normal i{\"Year\":1991}' -c wq new.json; cat new.json"
step "$v -c 'saveas copy.json' -c q a.json; cat copy.json"
step "$v -c 'set nowritebackup' -c '%s/la/na/g' -c wq long.json; md5sum long.json; ls -A"
step "$v -c 'edit b.json' -c 'silent! preserve' -c 'set nomodified' -c 'qa!'; ls -A"
step "$v -c 'bufdo %s/Label/label/e' -c 'wa' -c 'qa' a.json b.json copy.json; cat a.json b.json copy.json"
