# shellcheck shell=bash disable=SC2016
# about: flock: of a plain file, an item, a partition; exclusive, shared, refused with -n, released at close
# needs: flock
step 'flock lock echo got; ls'
step 'flock notes.txt sh -c "flock -n notes.txt echo twice || echo busy"'
step 'flock -s a.json sh -c "flock -s -n a.json echo shared; flock -n a.json echo both || echo busy"'
step 'flock . sh -c "flock -n . echo twice || echo busy"'
step 'for i in 1 2 3 4 5 6; do (for j in 1 2 3 4 5; do flock lock sh -c "n=\$(cat count 2> /dev/null || echo 0); echo \$((n + 1)) > count"; done) & done; wait; cat count'
step '(flock -n 9 && echo "{\"Year\":10}" > a.json) 9< a.json; cat a.json'
