# shellcheck shell=bash disable=SC2016
# about: rm, -f, -i, -r of a partition and of a table, rmdir of what is not empty, unlink
# needs: rm
step 'rm a.json; ls'
step 'rm a.json'
step 'rm -f a.json nothing'
step 'echo n | rm -i b.json; yes | rm -i c.json; ls'
step 'rm notes.txt; unlink numbers.bin; ls'
step 'rm ../Abba'
step 'rmdir ../Abba'
step 'rm -v ../Abba/*; rmdir ../Abba; ls ..'
step 'mkdir ../New ../../Table; cp b.json ../New/; rm -r ../New'
step 'cp -a ../. ../../Table; rm -r ../../Table; ls ../..'
step 'exec 3< b.json; rm b.json; cat <&3'
step 'rm -rf ./long.json "Bohemian Rhapsody.json"; ls -A; echo "{\"Year\":1}" > again.json'
