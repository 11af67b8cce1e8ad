#!/usr/bin/env bash
# Models of NoSQL Workbench, loaded by contrib/load-workbench.sh: each secondary index holds what a join over the model's items says. One model of
# our own has what the real ones lack: keys of all types, all types of values, items that an index leaves out.
# workbench.sh ITEMFS CONTRIB [DATA]. Exit status 77: jq is not here. Models that are not here are skipped by name.
set -u -o pipefail
export LC_ALL=C.UTF-8
itemfs=$1 contrib=$2 data=${ITEMFS_DATA:-${3:-}}
command -v jq > /dev/null || { echo "skipped: no jq"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-workbench.XXXXXX")
failures=0
# shellcheck source=tests/tools/mounted.sh
. "$(dirname "$0")/mounted.sh"
trap 'volumes_drop; rm -rf --one-file-system "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

same() {
	if diff "$2" "$3" > "$dir/diff"; then
		echo "ok: $1"
	else
		fail "$1: $(head -n 20 "$dir/diff")"
	fi
}

# As documents hold values. jq rounds numbers on both sides alike.
# shellcheck disable=SC2016
plain='def plain: to_entries[0] as {key: $type, value: $v}
	| if $type == "S" or $type == "BOOL" then $v elif $type == "N" then ($v | tonumber) elif $type == "NULL" then null
	elif $type == "M" then ($v | map_values(plain)) elif $type == "L" then ($v | map(plain))
	elif $type == "NS" then {"$NS": ($v | map(tonumber))} else {("$" + $type): $v} end;'

# What is in a tree of documents: key and document of each.
tree() {
	find "$1" -name '*.json' ! -name '.*' -exec jq -cS . {} + | sort
}

check_model() {
	local name table index
	name=$(basename "$1" .json)
	volume_up "$name" || { fail "$name: no mount"; return; }
	"$contrib/load-workbench.sh" "$1" "$dir/$name" > "$dir/said" 2>&1 || fail "$name: load-workbench.sh: $(cat "$dir/said")"
	while IFS= read -r table; do
		jq -cS --arg t "$table" "$plain"' .DataModel[] | select(.TableName == $t) | .TableData[] | map_values(plain)' "$1" | sort > "$dir/wanted"
		[ -s "$dir/wanted" ] || fail "$name: $table: the model has no items"
		tree "$dir/$name/$table" > "$dir/got"
		same "$name: $table" "$dir/wanted" "$dir/got"
		while IFS= read -r index; do
			# shellcheck disable=SC2016
			jq -cS --arg t "$table" --arg i "$index" "$plain"' .DataModel[] | select(.TableName == $t)
				| .KeyAttributes as $base | (.GlobalSecondaryIndexes[] | select(.IndexName == $i)) as $index
				| ([$base, $index.KeyAttributes] | map(.PartitionKey, .SortKey | select(.) | .AttributeName)) as $keys
				| .TableData[]
				| select(has($index.KeyAttributes.PartitionKey.AttributeName))
				| select(($index.KeyAttributes.SortKey | not) or has($index.KeyAttributes.SortKey.AttributeName))
				| with_entries(select($index.Projection.ProjectionType == "ALL"
					or (.key as $k | $keys + ($index.Projection.NonKeyAttributes // []) | index([$k]))))
				| map_values(plain)' "$1" | sort > "$dir/wanted"
			[ -s "$dir/wanted" ] || fail "$name: $table: $index: the join is empty"
			tree "$dir/$name/$table/.index/$index" > "$dir/got"
			same "$name: $table: $index" "$dir/wanted" "$dir/got"
		done < <(jq -r --arg t "$table" '.DataModel[] | select(.TableName == $t) | .GlobalSecondaryIndexes[]?.IndexName' "$1")
	done < <(jq -r '.DataModel[].TableName' "$1")
	"$contrib/load-workbench.sh" "$1" "$dir/$name" > "$dir/said" 2>&1 || fail "$name: a second time: $(cat "$dir/said")"
	grep -q 'left alone' "$dir/said" || fail "$name: a second time: $(cat "$dir/said")"
	volume_down "$name" || fail "$name: unmount"
	volume_check "$name" || fail "$name: fsck.itemfs"
}

cat > "$dir/own.json" << 'END'
{
  "ModelName": "own", "ModelMetadata": {"Version": "3.0", "AWSService": "Amazon DynamoDB"},
  "DataModel": [
    {
      "TableName": "Things",
      "KeyAttributes": {"PartitionKey": {"AttributeName": "id", "AttributeType": "S"}, "SortKey": {"AttributeName": "n", "AttributeType": "N"}},
      "NonKeyAttributes": [{"AttributeName": "tag", "AttributeType": "B"}],
      "GlobalSecondaryIndexes": [
        {"IndexName": "by-tag", "KeyAttributes": {"PartitionKey": {"AttributeName": "tag", "AttributeType": "B"}, "SortKey": {"AttributeName": "n", "AttributeType": "N"}},
         "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["set", "map"]}},
        {"IndexName": "keys", "KeyAttributes": {"PartitionKey": {"AttributeName": "n", "AttributeType": "N"}}, "Projection": {"ProjectionType": "KEYS_ONLY"}}
      ],
      "TableData": [
        {"id": {"S": "a/b 100%"}, "n": {"N": "+007.50"}, "tag": {"B": "/wA="}, "set": {"SS": ["y", "x"]}, "extra": {"S": "line\nbreak \"quoted\""}},
        {"id": {"S": ".hidden"}, "n": {"N": "-3"}, "tag": {"B": "AAE="}, "map": {"M": {"deep": {"L": [{"N": "1e3"}, {"NULL": true}, {"BOOL": false}]}, "w": {"M": {"$B": {"N": "5"}}}}}},
        {"id": {"S": "a/b 100%"}, "n": {"N": "0"}, "numbers": {"NS": ["1", "2.5"]}, "binaries": {"BS": ["AA==", "AQ=="]}},
        {"id": {"S": "/x"}, "n": {"N": "12345678901234567890"}, "tag": {"B": "/wA="}}
      ],
      "BillingMode": "PROVISIONED",
      "ProvisionedCapacitySettings": {"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}, "AutoScalingRead": {}, "AutoScalingWrite": {}}
    },
    {
      "TableName": "Blobs",
      "KeyAttributes": {"PartitionKey": {"AttributeName": "b", "AttributeType": "B"}},
      "TableData": [{"b": {"B": "AP8="}, "x": {"S": ""}}, {"b": {"B": "eA=="}}]
    }
  ]
}
END
# A map that looks like a wrapper is written as $M; undo that where documents are compared.
check_own() {
	volume_up look || { fail "look: no mount"; return; }
	"$contrib/load-workbench.sh" "$dir/own.json" "$dir/look" > "$dir/said" 2>&1 || fail "own: load-workbench.sh: $(cat "$dir/said")"
	(cd "$dir/look" && find . -name '*.json' ! -name '.*' | sort) > "$dir/got"
	printf '%s\n' ./Blobs/00ff/item.json ./Blobs/78/item.json './Things/%2Fx/12345678901234567890.json' './Things/%2Ehidden/-3.json' \
		'./Things/a%2Fb 100%25/0.json' './Things/a%2Fb 100%25/7.5.json' | sort > "$dir/wanted"
	same "own: keys are named as itemfs names them" "$dir/wanted" "$dir/got"
	grep -q '"n":12345678901234567890}*' "$dir/look/Things/%2Fx/12345678901234567890.json" || fail "own: a number was rounded"
	volume_down look || fail "look: unmount"
}
check_own
sed 's/, "w": {"M": {"[$]B": {"N": "5"}}}//' "$dir/own.json" > "$dir/ours.json"
check_model "$dir/ours.json"
if "$contrib/load-workbench.sh" "$0" "$dir" > "$dir/said" 2>&1; then fail "a file that is no model is taken"; fi

for model in BankModel CartModel FlightsFares banking; do
	if [ -r "$data/workbench-models/$model.json" ]; then
		check_model "$data/workbench-models/$model.json"
	else
		echo "skipped: $model.json is not in $data/workbench-models"
	fi
done
exit $((failures > 0))
