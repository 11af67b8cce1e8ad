#!/usr/bin/env bash
# Real data through a real mount, with jq and the shell: load, count, look, invert, back up, restore, prove.
# real_data.sh ITEMFS [DATA]: the program, and the folder of movies.json and battle-royale.jsonl. Exit status 77: they are not here.
# shellcheck disable=SC2012 # names here hold no newline
set -u -o pipefail
export LC_ALL=C.UTF-8
itemfs=$1
data=${ITEMFS_DATA:-${2:-$(dirname "$0")/../../../shared/data}}
movies=$data/movies.json games=$data/battle-royale.jsonl
if [ ! -r "$movies" ] || [ ! -r "$games" ]; then
	echo "skipped: no movies.json and battle-royale.jsonl in $data"
	exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-data.XXXXXX")
M=$dir/mnt
daemon=
failures=0

unmount() {
	[ -n "$daemon" ] || return 0
	fusermount3 -u "$M" || { fusermount3 -uz "$M"; fail "fusermount3 -u"; }
	local status=0
	wait "$daemon" || status=$?
	daemon=
	[ "$status" = 0 ] || fail "the daemon's exit status is $status: $(tail -n 40 "$dir/log")"
	! grep -Eq 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error' "$dir/log" || fail "a sanitizer reports: $(cat "$dir/log")"
}

finish() {
	[ -z "$daemon" ] || { fusermount3 -uz "$M"; kill "$daemon"; wait "$daemon"; } 2> /dev/null
	rm -rf --one-file-system "$dir"
}
trap finish EXIT

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# says WHAT WANTED GOT
says() {
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		fail "$1: $(printf 'wanted <%.300s>, got <%.300s>' "$2" "$3")"
	fi
}

mount_volume() {
	mkdir -p "$M"
	"$itemfs" -f "$dir/$1" "$M" >> "$dir/log" 2>&1 &
	daemon=$!
	for ((i = 0; i < 9000; i++)); do
		mountpoint -q "$M" && return 0
		kill -0 "$daemon" 2> /dev/null || break
		sleep 0.01
	done
	echo "FAILED: no mount: $(cat "$dir/log")"
	exit 1
}

check_volume() {
	"$(dirname "$itemfs")/fsck.itemfs" "$dir/$1" > "$dir/fsck.out" 2>&1
	says "fsck.itemfs of $1" 0 "$?"
	[ ! -s "$dir/fsck.out" ] || tail -n 5 "$dir/fsck.out"
}

# A jq word that spells a key as itemfs names it.
escape='def name: gsub("%"; "%25") | gsub("/"; "%2F") | sub("^[.]"; "%2E");
	def part: name | gsub(","; "%2C");'

# Files from lines of NAME, tab, document.
write_lines() {
	local name document
	while IFS=$'\t' read -r name document; do
		printf '%s\n' "$document" > "$1/$name" || echo "$name" >> "$dir/refused"
	done
}

mount_volume volume1
: > "$dir/refused"

# Movies: key year and title; a top-level copy of the rating, so that there is something to index.
mkdir "$M/Movies"
cat > "$M/Movies/.schema.json" << 'END' || fail "the definition of Movies"
{
  "AttributeDefinitions": [
    {"AttributeName": "year", "AttributeType": "N"},
    {"AttributeName": "title", "AttributeType": "S"},
    {"AttributeName": "rating", "AttributeType": "N"},
    {"AttributeName": "genre", "AttributeType": "S"}
  ],
  "KeySchema": [{"AttributeName": "year", "KeyType": "HASH"}, {"AttributeName": "title", "KeyType": "RANGE"}],
  "GlobalSecondaryIndexes": [
    {"IndexName": "by-rating", "KeySchema": [{"AttributeName": "rating", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}},
    {"IndexName": "by-genre", "KeySchema": [{"AttributeName": "genre", "KeyType": "HASH"}, {"AttributeName": "rating", "KeyType": "RANGE"}],
     "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["info"]}}
  ],
  "BillingMode": "PAY_PER_REQUEST"
}
END
copy='. + (if .info.rating then {rating: .info.rating} else {} end) + (if .info.genres[0] then {genre: .info.genres[0]} else {} end)'
jq -r '.[].year' "$movies" | sort -un | (cd "$M/Movies" && xargs mkdir) || fail "mkdir of the years"
jq -r "$escape"' .[] | "\(.year)/\(.title | name).json\t\('"$copy"' | tojson)"' "$movies" | write_lines "$M/Movies"

# Battle royale: one table of many things, and its keys inverted.
mkdir "$M/Games"
cat > "$M/Games/.schema.json" << 'END' || fail "the definition of Games"
{
  "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}],
  "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
  "GlobalSecondaryIndexes": [
    {"IndexName": "inverted", "KeySchema": [{"AttributeName": "SK", "KeyType": "HASH"}, {"AttributeName": "PK", "KeyType": "RANGE"}],
     "Projection": {"ProjectionType": "ALL"}}
  ],
  "BillingMode": "PAY_PER_REQUEST"
}
END
jq -r "$escape"' .PK | name' "$games" | sort -u | (cd "$M/Games" && xargs -d '\n' mkdir) || fail "mkdir of the partitions"
jq -r "$escape"' "\(.PK | name)/\(.SK | name).json\t\(tojson)"' "$games" | write_lines "$M/Games"

says "nothing was refused" "" "$(cat "$dir/refused")"
says "movies" 4609 "$(find "$M/Movies" -mindepth 2 -name '*.json' | wc -l)"
says "years" 92 "$(ls "$M/Movies" | wc -l)"
says "movies of 2013" "$(jq '[.[] | select(.year == 2013)] | length' "$movies")" "$(ls "$M/Movies/2013" | wc -l)"
says "years, by value" "$(jq -r '.[].year' "$movies" | sort -un)" "$(ls -U "$M/Movies")"
says "titles of 2013, in the order of their bytes" \
	"$(jq -r '.[] | select(.year == 2013) | .title' "$movies" | LC_ALL=C sort | sed 's/%/%25/g; s,/,%2F,g; s/^[.]/%2E/; s/$/.json/')" \
	"$(ls -U "$M/Movies/2013")"
says "things of games" 835 "$(find "$M/Games" -mindepth 2 -name '*.json' | wc -l)"

# A dozen looks.
for at in 0 1 17 123 500 999 1234 2000 2718 3141 4000 4608; do
	wanted=$(jq -cS ".[$at] | $copy" "$movies")
	path=$(jq -r "$escape"" .[$at]"' | "\(.year)/\(.title | name).json"' "$movies")
	says "movie $at: $path" "$wanted" "$(jq -cS . < "$M/Movies/$path")"
done
says "a title with a slash" "$(jq -r "$escape"' [.[] | select(.title | contains("/"))] | length' "$movies")" "$(find "$M/Movies" -name '*%2F*' | wc -l)"

# The views, against a join by jq.
jq -r "$escape"' "\(.SK | part)/\(.PK | part).json\t\(tojson)"' "$games" | sort > "$dir/inverted.wanted"
(cd "$M/Games/.index/inverted" && find . -type f -printf '%P\n') | while read -r f; do
	printf '%s\t%s\n' "$f" "$(jq -c . "$M/Games/.index/inverted/$f")"
done | sort > "$dir/inverted.got"
says "entries of the inverted index" 835 "$(wc -l < "$dir/inverted.got")"
says "the inverted index has the names that jq gives" "$(cut -f1 "$dir/inverted.wanted" | md5sum)" "$(cut -f1 "$dir/inverted.got" | md5sum)"
says "and the documents" "$(cut -f2 "$dir/inverted.wanted" | jq -cS . | sort | md5sum)" "$(cut -f2 "$dir/inverted.got" | jq -cS . | sort | md5sum)"

jq -r "$escape"' .[] | select(.info.rating) | "\(.info.rating)/\(.year),\(.title | part).json"' "$movies" | sort > "$dir/rating.wanted"
(cd "$M/Movies/.index/by-rating" && find . -type f -printf '%P\n') | sort > "$dir/rating.got"
says "entries by rating" "$(jq '[.[] | select(.info.rating)] | length' "$movies")" "$(wc -l < "$dir/rating.got")"
says "the index by rating" "$(md5sum < "$dir/rating.wanted")" "$(md5sum < "$dir/rating.got")"
says "ratings, by value" "$(jq -r '.[].info.rating // empty' "$movies" | sort -gu)" "$(ls -U "$M/Movies/.index/by-rating")"
jq -r "$escape"' .[] | select(.info.rating and .info.genres[0]) | "\(.info.genres[0] | part)/\(.info.rating),\(.year),\(.title | part).json"' "$movies" |
	sort > "$dir/genre.wanted"
(cd "$M/Movies/.index/by-genre" && find . -type f -printf '%P\n') | sort > "$dir/genre.got"
says "the index by genre and rating" "$(md5sum < "$dir/genre.wanted")" "$(md5sum < "$dir/genre.got")"

# Backup and restore.
views() {
	(cd "$1" && for i in Movies/.index/by-rating Movies/.index/by-genre Games/.index/inverted; do
		find "$i" -type f -print0 | sort -z | xargs -0 md5sum
	done)
}
facts() {
	(cd "$1" && find . -mindepth 1 -printf '%P %y %m %T@\n' | sort)
}
views "$M" > "$dir/views.before"
facts "$M" > "$dir/facts.before"
cp -a "$M" "$dir/tree"
tar --format=posix -C "$M" -cf "$dir/backup.tar" . || fail "tar -c"
unmount
check_volume volume1
mount_volume volume2
tar -C "$M" -xf "$dir/backup.tar" || fail "tar -x"
diff -r "$dir/tree" "$M" > "$dir/diff" || fail "diff -r: $(head -n 5 "$dir/diff")"
views "$M" > "$dir/views.after"
facts "$M" > "$dir/facts.after"
says "the views come back" "$(md5sum < "$dir/views.before")" "$(md5sum < "$dir/views.after")"
diff "$dir/facts.before" "$dir/facts.after" > "$dir/diff" || fail "modes and times: $(head -n 5 "$dir/diff")"
unmount
check_volume volume2

[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
echo "all of it is well"
