# shellcheck shell=bash disable=SC2016
# about: jq: read, over many, to a new item, through a temporary name and mv
# needs: jq
step 'jq -c .Year *.json'
step 'jq -s "map(.Year // 0) | add" *.json'
step 'jq ".Year += 1" a.json > a.tmp && mv a.tmp a.json; cat a.json'
step 'jq -c "{Year}" b.json > d.json; cat d.json'
step 'for f in a b c; do jq -c ". + {seen: true}" $f.json > $f.new && mv $f.new $f.json; done; cat ?.json'
step 'jq . notes.txt > x.txt'
