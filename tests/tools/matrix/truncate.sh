# shellcheck shell=bash disable=SC2016
# about: truncate: plain files shorter, longer, by difference, over the bound; items to nothing
# needs: truncate
step 'truncate -s 100 numbers.bin; stat -c %s numbers.bin; md5sum numbers.bin'
step 'truncate -s +50 numbers.bin; md5sum numbers.bin'
step 'truncate -s %4096 numbers.bin; stat -c %s numbers.bin; truncate -r notes.txt numbers.bin'
step 'truncate -s 1M sparse; echo end >> sparse; md5sum sparse'
step 'truncate -c -s 5 nothing; ls'
step 'truncate -s 0 a.json; for i in $(seq 3000); do [ -s a.json ] || break; sleep 0.01; done; stat -c %s a.json; cat a.json'
step 'truncate -s 0 notes.txt; cat notes.txt'
step 'echo "{\"Year\":1978}" > b.json'
refused 'File too large' 'truncate -s 17M numbers.bin'
refused 'Bad message' 'truncate -s 5 c.json'
refused 'Bad message' 'truncate -s +100 c.json'
