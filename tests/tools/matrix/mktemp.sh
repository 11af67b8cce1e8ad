# shellcheck shell=bash disable=SC2016
# about: mktemp, mkfifo and mknod (refused), split, csplit, shred, split and join again
# needs: mktemp split
step 'f=$(mktemp -p . x.XXXXXX); echo "{\"Year\":16}" > "$f"; mv "$f" g.json; cat g.json'
step 'split -n 5 numbers.bin part.; ls part.*; cat part.* | cmp - numbers.bin; rm part.*'
step 'csplit -s notes.txt 2; ls xx*; cat xx01; head -c 10 < numbers.bin; tail -n 2 numbers.bin; tail -c +5 notes.txt'
step 'shred -n 1 -u notes.txt; ls; sync . a.json; sync -f a.json; fallocate -l 0 x 2> /dev/null; echo'
refused 'Operation not permitted' 'mkfifo pipe'
refused 'Operation not permitted' 'mknod device c 1 3'
refused 'Operation not permitted' 'mktemp -d -p .'
