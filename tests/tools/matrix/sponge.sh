# shellcheck shell=bash disable=SC2016
# about: sponge (moreutils): an item onto itself through a pipe, -a
# needs: sponge
step 'sed s/1977/1987/ a.json | sponge a.json; cat a.json'
step 'sed s/la/na/g long.json | sponge long.json; md5sum long.json'
step 'echo four | sponge -a notes.txt; cat notes.txt'
step 'echo "{\"Year\":7}" | sponge new.json; cat new.json; ls -A'
