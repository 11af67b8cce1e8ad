# shellcheck shell=bash disable=SC2016
# about: sort -o onto its own input, -u, -c, with temporary files in the partition
# needs: sort
step 'sort -r -o notes.txt notes.txt; cat notes.txt'
step 'sort -n -r -S 64k -T . -o numbers.bin numbers.bin; head -n 2 numbers.bin; md5sum numbers.bin; ls'
step 'sort -u notes.txt notes.txt -o both.txt; cat both.txt'
step 'sort -o d.json a.json; cat d.json'
step 'sort -o a.json a.json; sort -c notes.txt'
step 'sort -m notes.txt both.txt -o merged.txt; cat merged.txt'
