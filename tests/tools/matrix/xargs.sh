# shellcheck shell=bash disable=SC2016
# about: xargs: many names, -P, -I, -0, names with blanks
# needs: xargs
step 'ls *.json | xargs -d "\n" cat | md5sum'
step 'seq 1 60 | xargs -I{} -P 4 sh -c "echo \"{\\\"Year\\\":{}}\" > n{}.json"; ls | wc -l'
step 'find . -name "n*.json" -print0 | xargs -0 -n 7 -P 3 sed -i "s/}/,\"b\":1}/"; cat n33.json'
step 'find . -name "n[1-5]*.json" -print0 | xargs -0 rm; ls'
step 'printf "%s\n" P1 P2 P3 | xargs -I{} mkdir ../{}; ls ..'
step 'find . -name "Boh*" -print0 | xargs -0 -I{} cp {} ../P1/; ls ../P1'
