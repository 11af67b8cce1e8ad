#!/usr/bin/env bash
# Puts a model of NoSQL Workbench (its JSON export) into a mount: each table with its key, its indexes and its sample data. A table that is
# there already is left alone and said to be. Needs jq.
#
# contrib/load-workbench.sh MODEL.json MOUNTPOINT
set -eu -o pipefail
export LC_ALL=C.UTF-8

case ${1:-} in
-h | --help)
	sed -n '2,5s/^# \{0,1\}//p' "$0"
	exit 0
	;;
esac
if [ $# != 2 ]; then
	echo "usage: $0 MODEL.json MOUNTPOINT" >&2
	exit 2
fi
model=$1 mnt=$2

# The definition: CloudFormation's words from Workbench's.
# shellcheck disable=SC2016 # jq's variables
schema='
	def schema: [.PartitionKey, .SortKey] | [.[0] + {KeyType: "HASH"}, (.[1] | select(.) + {KeyType: "RANGE"})] | map({AttributeName, KeyType});
	.DataModel[] | select(.TableName == $table) | (.GlobalSecondaryIndexes // []) as $indexes
	| (if .BillingMode == "PROVISIONED" then .ProvisionedCapacitySettings.ProvisionedThroughput else null end) as $throughput
	| def throughput: if $throughput then {ProvisionedThroughput: (.ProvisionedCapacitySettings.ProvisionedThroughput // $throughput)} else {} end;
	{
		AttributeDefinitions: ([.KeyAttributes, $indexes[].KeyAttributes] | map(.PartitionKey, .SortKey | select(.)) | unique_by(.AttributeName)),
		KeySchema: (.KeyAttributes | schema),
		BillingMode: (if $throughput then "PROVISIONED" else "PAY_PER_REQUEST" end)
	} + throughput
	+ (if $indexes == [] then {} else
		{GlobalSecondaryIndexes: ($indexes | map({IndexName, KeySchema: (.KeyAttributes | schema), Projection} + throughput))} end)'

# The items: for each the name of its partition, the name of its file, and its document, a line each. Documents are put together as text, for
# jq would round their numbers.
# shellcheck disable=SC2016
items='
	def number: capture("^[+]?(?<minus>-?)0*(?<whole>[0-9]*)(?<part>[.][0-9]+)?[.]?(?<power>[eE][-+]?[0-9]+)?$") // error("not a number: \(.)")
		| .minus + (if .whole == "" then "0" else .whole end) + (.part // "") + (.power // "");
	def type: keys_unsorted[0];
	def object(value): "{" + (to_entries | map((.key | tojson) + ":" + (.value | value)) | join(",")) + "}";
	def text: type as $type | .[$type] | if $type == "S" or $type == "BOOL" then tojson
		elif $type == "N" then number
		elif $type == "NULL" then "null"
		elif $type == "NS" then "{\"$NS\":[" + (map(number) | join(",")) + "]}"
		elif $type == "L" then "[" + (map(text) | join(",")) + "]"
		elif $type == "M" then if keys | . == ["$B"] or . == ["$SS"] or . == ["$NS"] or . == ["$BS"] or . == ["$M"]
			then "{\"$M\":" + object(text) + "}" else object(text) end
		else {("$" + $type): .} | tojson end;
	def hex: "0123456789ABCDEF"[. / 16 | floor:][:1] + "0123456789ABCDEF"[. % 16:][:1];
	def name: type as $type | .[$type] | if $type == "S" then
			explode | map(if . < 32 or . == 37 or . == 47 or . == 127 then "%" + hex else [.] | implode end) | join("") | sub("^[.]"; "%2E")
		elif $type == "N" then number | if test("[eE]") then error("a key with an exponent: \(.)") else . end
			| (if test("[.]") then sub("[.]?0*$"; "") else . end) | if . == "-0" then "0" else . end
		else "/" + . end;
	.DataModel[] | select(.TableName == $table) | .KeyAttributes as $key
	| (.TableData // [])[]
	| (.[$key.PartitionKey.AttributeName] | name),
	  (if $key.SortKey then .[$key.SortKey.AttributeName] | name else "item" end),
	  object(text)'
# A binary key comes as / and base64, and is named in hex.
spell() {
	case $1 in
	/*) printf '%s' "${1#/}" | base64 -d | od -An -v -tx1 | tr -d ' \n' ;;
	*) printf '%s' "$1" ;;
	esac
}

jq -e '.DataModel | length > 0' "$model" > /dev/null || { echo "$model: no model of NoSQL Workbench" >&2; exit 1; }
jq -r '.DataModel[].TableName' "$model" | while IFS= read -r table; do
	if [ -e "$mnt/$table" ]; then
		echo "$table: is there already; left alone" >&2
		continue
	fi
	mkdir "$mnt/$table"
	jq --arg table "$table" "$schema" "$model" > "$mnt/$table/.schema.json"
	lines=$(jq -r --arg table "$table" "$items" "$model")
	count=0
	while IFS= read -r partition && IFS= read -r file && IFS= read -r document; do
		partition=$(spell "$partition")
		mkdir -p "$mnt/$table/$partition"
		printf '%s\n' "$document" > "$mnt/$table/$partition/$(spell "$file").json"
		count=$((count + 1))
	done <<< "$lines"
	echo "$table: $count items"
done
