#!/usr/bin/env bash
# Random queries, filters among ranges and limits, against jq: the same steps over the same documents, read from the mount one by one.
# where.sh ITEMFS [QUERIES [SEED]]. Exit status 77: jq is not here.
# shellcheck disable=SC2016 # dollars here are documents' and jq's
set -u -o pipefail
export LC_ALL=C.UTF-8
itemfs=$1 queries=${2:-150} seed=${3:-1975}
command -v jq > /dev/null || { echo "skipped: no jq"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-where.XXXXXX")
failures=0
# shellcheck source=tests/tools/mounted.sh
. "$(dirname "$0")/mounted.sh"
trap 'volumes_drop; rm -rf --one-file-system "$dir"' EXIT
RANDOM=$seed

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

pick() {
	local choices=("$@")
	picked=${choices[RANDOM % $#]}
}

# ---- data: names and documents of every shape that the queries ask for ----

items() {
	local i document
	for ((i = 0; i < 80; i++)); do
		document=
		pick '' '"n":'$((RANDOM % 20 - 10)) '"n":"'$((RANDOM % 20))'"' '"n":'$((RANDOM % 20))'.5' '"n":null' '"n":[1]' '"n":1e1'
		document+=${picked:+$picked,}
		pick '' '"s":"a"' '"s":"ab"' '"s":"b"' '"s":"é"' '"s":"😀x"' '"s":""' '"s":"true"' '"s":"a/b"' '"s":"50%"'
		document+=${picked:+$picked,}
		pick '' '"l":[]' '"l":[1,"1"]' '"l":["a",{"x":1}]' '"l":{"$SS":["a","b"]}' '"l":{"$SS":["b","a"]}' '"l":{"$NS":[1,2]}'
		document+=${picked:+$picked,}
		pick '' '"m":{}' '"m":{"x":'$((RANDOM % 5))'}' '"m":{"x":"a","y":["p","q"]}' '"m":{"x.y":true}' '"m":5'
		document+=${picked:+$picked,}
		pick a b ab A '~' é 0
		printf '%s%02d\t{%s"i":%d}\n' "$picked" $((RANDOM % 100)) "$document" "$i"
	done
}

# ---- queries: a path, and the same as a line of JSON for jq ----

where() {
	local attribute op value other
	# The attribute as a path, and as jq's path.
	pick 'n ["n"]' 's ["s"]' 'l ["l"]' 'm ["m"]' 'm.x ["m","x"]' 'm.y[1] ["m","y",1]' 'm.x%2Ey ["m","x.y"]' 'l[0] ["l",0]' 'l[1].x ["l",1,"x"]' 'i ["i"]'
	attribute=$picked
	pick eq ne lt le gt ge begins_with contains exists not_exists type size between
	op=$picked
	case $op in
	exists | not_exists)
		path+=/.where/${attribute% *}/$op json+=",{\"step\":\"where\",\"at\":${attribute#* },\"op\":\"$op\"}"
		return
		;;
	type)
		pick S N BOOL NULL L M SS NS
		path+=/.where/${attribute% *}/$op/$picked json+=",{\"step\":\"where\",\"at\":${attribute#* },\"op\":\"$op\",\"type\":\"$picked\"}"
		return
		;;
	size)
		pick eq ne lt le gt ge
		path+=/.where/${attribute% *}/size/$picked/2 json+=",{\"step\":\"where\",\"at\":${attribute#* },\"op\":\"$picked\",\"size\":true,\"v\":{\"json\":2,\"word\":\"2\"}}"
		return
		;;
	between)
		pick '{"json":0,"word":"0"} {"json":12,"word":"12"} 0/12' '{"json":"a","word":"a"} {"json":"b","word":"b"} a/b' '{"json":5} {"json":5.5} 5/5.5' \
			'{"json":1,"word":"1"} {"json":"b","word":"b"} 1/b'
		set -f
		# shellcheck disable=SC2086 # three words
		set -- $picked
		set +f
		[ "$1" != '{"json":5}' ] || set -- '{"json":5,"word":"5"}' '{"json":5.5,"word":"5.5"}' "$3"
		path+=/.where/${attribute% *}/between/$3 json+=",{\"step\":\"where\",\"at\":${attribute#* },\"op\":\"between\",\"v\":$1,\"to\":$2}"
		return
		;;
	esac
	# The value as it is written, and as jq has it. What has no order is no operand of an order.
	pick '5 {"json":5,"word":"5"}' '1e1 {"json":10,"word":"1e1"}' '-3.0 {"json":-3,"word":"-3.0"}' 'a {"json":"a","word":"a"}' 'é {"json":"é","word":"é"}' \
		'true {"json":true,"word":"true"}' 'null {"json":null,"word":"null"}' '"1" {"json":"1"}' '"" {"json":""}' 'a%2Fb {"json":"a/b","word":"a/b"}' \
		'50%25 {"json":"50%","word":"50%"}' '[1,"1"] {"json":[1,"1"]}' '{"x":1} {"json":{"x":1}}' '{"$SS":["a","b"]} {"json":{"$SS":["a","b"]}}'
	value=${picked%% *} other=${picked#* }
	case $op$value in
	[lg][te]'['* | [lg][te]'{'* | begins_with'['* | begins_with'{'*) op=eq ;;
	esac
	path+=/.where/${attribute% *}/$op/$value json+=",{\"step\":\"where\",\"at\":${attribute#* },\"op\":\"$op\",\"v\":$other}"
}

query() {
	local steps=$((RANDOM % 4 + 1)) n
	path='' json=''
	while ((steps--)); do
		pick where where where first last ge lt between begins_with
		case $picked in
		where) where ;;
		first | last)
			n=$((RANDOM % 30 + 1))
			path+=/.$picked/$n json+=",{\"step\":\"${picked}\",\"n\":$n}"
			;;
		between)
			path+=/.between/a/b5 json+=',{"step":"between"}'
			;;
		*)
			n=$picked
			pick a ab b A é 0 b5
			path+=/.$n/$picked json+=",{\"step\":\"$n\",\"k\":\"$picked\"}"
			;;
		esac
	done
	json=[${json#,}]
}

# ---- what jq makes of them ----

model='
	def is_set: type == "object" and (keys | . == ["$SS"] or . == ["$NS"]);
	def kind: if type == "object" and is_set then keys[0][1:] else {string: "S", number: "N", boolean: "BOOL", "null": "NULL", array: "L", object: "M"}[type] end;
	def canon: if is_set then with_entries(.value |= sort) elif type == "object" then map_values(canon) elif type == "array" then map(canon) else . end;
	# The attribute, in an array of one or of none.
	def at($path): reduce $path[] as $step ([.]; if length == 0 then . else .[0] as $v
		| if ($step | type) == "string" and ($v | type == "object") and ($v | is_set | not) and ($v | has($step)) then [$v[$step]]
		  elif ($step | type) == "number" and ($v | type == "array") and $step < ($v | length) then [$v[$step]]
		  else [] end end);
	# What an operand means to this value.
	def means($v): if type == "string" and ($v | has("word")) then $v.word else $v.json end;
	def equal($v): kind as $kind | canon as $mine | means($v) | kind == $kind and canon == $mine;
	def order($v): . as $mine | means($v) as $its | if ($mine | kind) == ($its | kind) and ($mine | kind | . == "S" or . == "N")
		then (if $mine < $its then -1 elif $mine > $its then 1 else 0 end) else 2 end;
	def size: if type == "string" then explode | map(if . > 65535 then 2 else 1 end) | add // 0
		elif is_set then .[keys[0]] | length elif type == "array" or type == "object" then length else null end;
	def part($v): if type == "string" then means($v) as $p | ($p | type) == "string" and ($p == "" or (. | contains($p)))
		elif is_set then .[keys[0]] | any(.[]; equal($v)) elif type == "array" then any(.[]; equal($v)) else false end;
	def starts($v): type == "string" and (means($v) as $p | ($p | type) == "string" and startswith($p));
	def passes($q): at($q.at) as $there
		| (if $q.size and ($there | length) == 1 then ($there[0] | size | if . == null then [] else [.] end) else $there end) as $there
		| if $q.op == "exists" then $there != [] elif $q.op == "not_exists" then $there == []
		elif $there == [] then $q.op == "ne"
		else $there[0] | if $q.op == "type" then kind == $q.type
			elif $q.op == "eq" then equal($q.v) elif $q.op == "ne" then equal($q.v) | not
			elif $q.op == "lt" then order($q.v) == -1 elif $q.op == "le" then order($q.v) | . == -1 or . == 0
			elif $q.op == "gt" then order($q.v) == 1 elif $q.op == "ge" then order($q.v) | . == 1 or . == 0
			elif $q.op == "between" then (order($q.v) | . == 1 or . == 0) and (order($q.to) | . == -1 or . == 0)
			elif $q.op == "contains" then part($q.v) else starts($q.v) end end;
	def step($q): if $q.step == "where" then map(select(.document | passes($q)))
		elif $q.step == "first" then .[:$q.n] elif $q.step == "last" then reverse | .[:$q.n]
		elif $q.step == "ge" then map(select(.name >= $q.k)) elif $q.step == "lt" then map(select(.name < $q.k))
		elif $q.step == "begins_with" then map(select(.name | startswith($q.k)))
		else map(select(.name >= "a" and .name <= "b5")) end;
	[inputs] | sort_by(.name) as $all | $queries[] | reduce .[] as $q ($all; step($q)) | map(.name + ".json") | join(" ")'

volume_up mnt || { echo "FAILED: no mount"; exit 1; }
mkdir -p "$dir/mnt/Table/p"
while IFS=$'\t' read -r name document; do
	printf '%s\n' "$document" > "$dir/mnt/Table/p/$name.json" || fail "$name: $document"
done < <(items)

for ((i = 0; i < queries; i++)); do
	query
	printf '%s\n' "$path" >> "$dir/paths"
	printf '%s\n' "$json" >> "$dir/queries"
done
for file in "$dir"/mnt/Table/p/*.json; do
	jq -c --arg name "$(basename "$file" .json)" '{name: $name, document: .}' "$file"
done > "$dir/items"
jq -nr --slurpfile queries "$dir/queries" "$model" "$dir/items" > "$dir/wanted" || fail "jq"
while IFS= read -r path; do
	# shellcheck disable=SC2012 # names here hold no newline
	ls -U "$dir/mnt/Table/p$path" | tr '\n' ' ' | sed 's/ $//'
	echo
done < "$dir/paths" > "$dir/got"
paste -d '\1' "$dir/paths" "$dir/wanted" "$dir/got" | while IFS=$'\1' read -r path wanted got; do
	[ "$wanted" = "$got" ] || printf 'seed %s: p%s\n  wanted %s\n  got    %s\n' "$seed" "$path" "$wanted" "$got"
done > "$dir/differences"
[ ! -s "$dir/differences" ] || fail "$(head -n 40 "$dir/differences")"
[ "$(wc -l < "$dir/got")" = "$queries" ] || fail "$(wc -l < "$dir/got") answers to $queries queries"
[ "$(grep -c . "$dir/wanted")" -gt $((queries / 4)) ] || fail "too many queries leave nothing to be of use"
echo "$queries queries, $(grep -c . "$dir/wanted") of which leave something"
volume_down mnt || fail "unmount"
volume_check mnt || fail "fsck.itemfs"
exit $((failures > 0))
