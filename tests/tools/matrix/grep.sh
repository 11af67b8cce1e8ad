# shellcheck shell=bash disable=SC2016
# about: grep -r over the tree, -l, -c, -L, -z, --include; each item is seen once
# needs: grep
step 'grep -r Label "$W" | sort'
step 'grep -rl Year "$W" | sort; grep -rc Year .. | sort; grep -rL Year .. | sort'
step 'grep -r --include="*.json" -h Mercury ..'
step 'grep -n two notes.txt; grep -c 99 numbers.bin; grep -q nothing *.json'
step 'grep -r PartitionKey "$W"; grep -rlw ByYear "$W"; grep -rho "by-year" "$W"'
step 'grep -l la long.json; grep -bo la long.json | tail -n 1; grep Year .'
