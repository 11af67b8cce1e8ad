# shellcheck shell=bash disable=SC2016
# about: df: the host's free space, of a path in it, and a number of files
# needs: df
step 'df -k . | awk "NR == 2 { print (\$2 > 0 && \$4 > 0 && \$4 <= \$2) }"'
step 'df -i . | awk "NR == 2 { print (\$2 > 0 && \$3 > 0 && \$4 > 0) }"; df a.json > /dev/null'
step 'a=$(df -k --output=avail . | tail -n 1); b=$(df -k --output=avail "$S" | tail -n 1); d=$((a - b)); test ${d#-} -lt 1000000; echo $?'
step 'df nothing.json'
step 'stat -f -c %l .'
