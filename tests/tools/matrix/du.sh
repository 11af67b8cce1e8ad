# shellcheck shell=bash disable=SC2016
# about: du: apparent sizes, of files and trees; sizes on the disk are not zero where there are bytes
# needs: du
step 'du -b a.json long.json notes.txt numbers.bin'
step 'du -ab . | grep -v "[.]$" | sort -k 2'
step 'du -k numbers.bin long.json | awk "{ print (\$1 >= 100 && \$1 < 700) }"; du -k a.json | awk "{ print (\$1 >= 1 && \$1 <= 4) }"'
step 'du -k --apparent-size numbers.bin; du --inodes .. | sort -k 2; du -s --exclude="*" ..  > /dev/null'
step 'truncate -s 1M hole; du -b hole; test "$(du -k hole | cut -f1)" -le 1024; echo $?'
