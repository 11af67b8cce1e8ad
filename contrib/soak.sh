#!/usr/bin/env bash
# Uses a mount for hours as people and programs do, checks what it reads, and writes down each minute what the daemon takes of the machine.
#
# contrib/soak.sh HOURS [DIRECTORY]
#   HOURS      fractions allowed: 0.5
#   DIRECTORY  where it writes soak.csv, soak.png and the volume; itemfs-soak by default. The volume is removed where all went well.
# ITEMFS=build/release/itemfs is the program; WORKERS=4 of each sort.
#
# soak.csv: the minute, anonymous memory (KiB), open descriptors, threads, the volume's size (KiB), items, and how much the workers have done, each since the beginning.
# The last lines say what was done, what was found, and how memory went. Exit status 0: nothing was read that should not be, the mount ended cleanly, and fsck.itemfs finds the volume clean.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

hours=${1:?usage: contrib/soak.sh HOURS [DIRECTORY]}
mkdir -p "${2:-itemfs-soak}" || exit 1
place=$(cd "${2:-itemfs-soak}" && pwd) || exit 1
itemfs=$(realpath "${ITEMFS:-build/release/itemfs}") || exit 1
fsck=$(dirname "$itemfs")/fsck.itemfs
seconds=$(awk -v h="$hours" 'BEGIN { printf "%d", h * 3600 }')
workers=${WORKERS:-4}
M=$place/mnt V=$place/volume
end=$((SECONDS + seconds))
pids=()

fail() { echo "$*" >> "$place/failures"; }
count() { echo >> "$place/done.$1"; }

# ---- the workers: each has names of its own, so that it knows what it must read ----

# writer N: items are written, read back, looked up in the index, renamed, removed.
writer() {
	local n=$1 i=0 k got
	mkdir -p "$M/Load/w$n" "$M/Load/v$n"
	while [ $SECONDS -lt $end ]; do
		k=$((i % 500))
		echo "{\"n\":$i,\"kind\":\"w$n\",\"pad\":\"$(printf '%0*d' $((RANDOM % 600 + 1)) 0)\"}" > "$M/Load/w$n/$k.json" || fail "writer $n: $k cannot be written"
		got=$(jq -r .n "$M/Load/w$n/$k.json") || true
		[ "$got" = $i ] || fail "writer $n: $k holds $got, not $i"
		[ -e "$M/Load/.index/by-kind/w$n/$i,w$n,$k.json" ] || fail "writer $n: the index lacks $k with $i"
		case $((i % 10)) in
		3) mv "$M/Load/w$n/$k.json" "$M/Load/v$n/$k.json" || fail "writer $n: $k cannot be moved" ;;
		5) rm "$M/Load/w$n/$k.json" || fail "writer $n: $k cannot be removed" ;;
		esac
		i=$((i + 1))
		count writes
	done
}

# reader N: listings, queries, exports, snapshots of whatever is there. Names may go between a listing and a look.
reader() {
	local n=$1 partition snapshot
	while [ $SECONDS -lt $end ]; do
		partition=w$((RANDOM % workers))
		ls -l "$M/Load/$partition" > /dev/null 2> /dev/null
		ls "$M/Load/$partition/.last/10" "$M/Load/.scan/2/$((RANDOM % 2))" > /dev/null || fail "reader $n: a query fails"
		ls "$M/Load/.where/pad/exists" > /dev/null || fail "reader $n: a filter fails"
		jq -es 'all(.Item.p.S != null)' < "$M/Load/$partition/.export/items.jsonl" > /dev/null || fail "reader $n: an export is no JSON"
		snapshot=$M/.itemfs/snapshots/soak$n
		mkdir "$snapshot" || fail "reader $n: no snapshot"
		[ "$(find "$snapshot/Load" -name '*.json' -not -name '.*' -size +0 | wc -l)" = "$(find "$snapshot/Load/.index/by-kind" -type f | wc -l)" ] ||
			fail "reader $n: a snapshot's index does not hold each item once"
		rmdir "$snapshot" || fail "reader $n: the snapshot stays"
		count reads
	done
}

# importer: a hundred items at once, all or none; documents that are refused; an index that comes and goes.
importer() {
	local i=0 odd
	while [ $SECONDS -lt $end ]; do
		jq -nc --arg n $i 'range(100)|{p:"imported",s:"\(.)",n:($n|tonumber),kind:"i"}' > "$place/import.jsonl"
		cp "$place/import.jsonl" "$M/Load/.import/" || fail "importer: refused"
		odd=$(cat "$M"/Load/imported/*.json | jq -r .n | sort -u | wc -l)
		[ "$odd" = 1 ] || fail "importer: half an import is seen"
		(echo "{ no" > "$M/Load/imported/0.json") 2> /dev/null
		[ "$(jq -r .n "$M/Load/imported/0.json")" = $i ] || fail "importer: a refused document took the place of the old one"
		if [ $((i % 20)) = 0 ]; then
			definition $((i / 20 % 2)) > "$M/Load/.schema.json" || fail "importer: the definition is refused"
		fi
		i=$((i + 1))
		count imports
	done
}

# definition 0|1: without and with a second index.
definition() {
	jq -n --argjson more "$1" '
		def gsi($name; $hash; $range): {IndexName: $name, KeySchema: ([{AttributeName: $hash, KeyType: "HASH"}] + (if $range then [{AttributeName: $range, KeyType: "RANGE"}] else [] end)),
			Projection: {ProjectionType: "ALL"}};
		{AttributeDefinitions: [["p", "S"], ["s", "S"], ["kind", "S"], ["n", "N"]] | map({AttributeName: .[0], AttributeType: .[1]}),
		 KeySchema: [{AttributeName: "p", KeyType: "HASH"}, {AttributeName: "s", KeyType: "RANGE"}],
		 GlobalSecondaryIndexes: ([gsi("by-kind"; "kind"; "n")] + (if $more == 1 then [gsi("by-n"; "n"; null)] else [] end))}'
}

# ---- the watch ----

anonymous() { awk '/^RssAnon/ { print $2 }' "/proc/$daemon/status"; }
lines() { wc -l < "$place/done.$1"; }

watch_line() {
	echo "$1,$(anonymous),$(find "/proc/$daemon/fd" -type l | wc -l),$(awk '/^Threads/ { print $2 }' "/proc/$daemon/status"),$(du -sk "$V" | cut -f1),$(
		jq -r .Table.ItemCount "$M/Load/.describe.json"),$(lines writes),$(lines reads),$(lines imports)" >> "$place/soak.csv"
}

plot() {
	command -v gnuplot > /dev/null || return 0
	gnuplot <<- END
		set datafile separator ','; set key left; set terminal pngcairo size 900,500; set output '$place/soak.png'
		set xlabel 'minutes'; set ylabel 'MiB'; set y2label 'descriptors'; set y2tics; set yrange [0:]; set y2range [0:]
		plot '$place/soak.csv' using 1:(\$2/1024) every ::1 with linespoints title 'anonymous memory', '' using 1:(\$5/1024) every ::1 with lines title 'volume', \
			'' using 1:3 every ::1 axes x1y2 with lines title 'descriptors'
	END
}

stop() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2> /dev/null
	fusermount3 -uzq "$M" 2> /dev/null
}

mkdir -p "$M" && rm -rf "$V" "$place/failures"
for what in writes reads imports; do : > "$place/done.$what"; done
trap 'stop; exit 1' INT TERM
"$itemfs" -f "$V" "$M" 2> "$place/daemon.log" &
daemon=$!
for ((i = 0; i < 600; i++)); do mountpoint -q "$M" && break; sleep 0.1; done
mountpoint -q "$M" || { cat "$place/daemon.log" >&2; exit 1; }
mkdir "$M/Load" && definition 0 > "$M/Load/.schema.json" || exit 1
echo "minute,anonymous_kib,descriptors,threads,volume_kib,items,writes,reads,imports" > "$place/soak.csv"
for ((i = 0; i < workers; i++)); do mkdir -p "$M/Load/w$i"; done
for ((i = 0; i < workers; i++)); do
	writer $i 2>> "$place/workers.log" & pids+=($!)
done
for ((i = 0; i < (workers + 1) / 2; i++)); do
	reader $i 2>> "$place/workers.log" & pids+=($!)
done
importer 2>> "$place/workers.log" & pids+=($!)

minute=0
begun=$SECONDS
while [ $SECONDS -lt $end ]; do
	[ $((SECONDS - begun)) -lt $((minute * 60)) ] || { watch_line $minute; minute=$((minute + 1)); }
	kill -0 $daemon 2> /dev/null || { fail "the daemon died"; break; }
	sleep 1
done
wait "${pids[@]}"
pids=()
watch_line $minute
plot
fusermount3 -u "$M" || { fail "it cannot be unmounted"; stop; }
wait $daemon || fail "the daemon's end is not clean: $(cat "$place/daemon.log")"
"$fsck" "$V" || fail "fsck.itemfs finds something"

echo "$(lines writes) writes, $(lines reads) rounds of reading, $(lines imports) imports in $hours hours; $place/soak.csv"
awk -F, 'NR > 1 { m = $2 > m ? $2 : m; d = $3 > d ? $3 : d; if (NR == 3 || NR == 2) first = $2; last = $2 }
	END { printf "anonymous memory: %.1f MiB after the first minute, %.1f at most, %.1f at the end; at most %d descriptors\n", first / 1024, m / 1024, last / 1024, d }' "$place/soak.csv"
if [ -s "$place/failures" ]; then
	echo "$(wc -l < "$place/failures") failures, in $place/failures; the first:"
	head -n 3 "$place/failures"
	exit 1
fi
echo "nothing was found"
rm -rf "$V" "$place"/done.* "$place/import.jsonl"
rmdir "$M"
