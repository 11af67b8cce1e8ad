#!/usr/bin/env bash
# Each tool that people use on files, on a plain directory and on a mount with the same steps: what differs is ours.
#
# run.sh ITEMFS [--small | --large] [--docs FILE] [--tap FILE] [-v] [TOOL…]
#   --small, --large  only the tools of small (large) packages; without it, and without names, all of them
#   --docs FILE       writes the results there as a table; --tap FILE as a list that contrib/test.sh counts; -v prints each transcript
# It prints a line a tool: ok, FAIL and the difference, or skip and what is missing. Exit status: 0 where none failed, 77 where all were skipped.
#
# A tool is matrix/TOOL.sh: comments that say what it is (about:), which commands it wants (needs:), whether its package is large (large); then steps.
#   step COMMAND       runs it by bash in $Q; what it prints and its exit status are compared
#   refused WHY COMMAND  a difference which the contract states: on the mount it must fail and print WHY; on the plain directory it is not run
#   discarded WHY COMMAND  the same, of a tool that says so but gives 0
#   remount            a new daemon on the same volume
#   second             makes $W2, another empty directory or volume
#   same_trees         $W2 holds what $W does: files, bytes, modes, times, and on the mount the indexes
# For them: $W the root, $Q = $W/Music/Queen (a partition), $S a scratch directory outside, $T this directory. The W and S in what is printed
# read "W" and "S". After the last step the trees are compared, at once and after a remount: names, bytes, modes, sizes, and all times that are
# not of this run (the seed is of 2001, so a tool that must keep a time or set one is seen, and one that must not, too).
set -u -o pipefail
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
T=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tools/mounted.sh
. "$T/../mounted.sh"

itemfs=$(realpath "$1") || exit 1
shift
size='' docs='' tap='' verbose='' tools=()
while [ $# -gt 0 ]; do
	case $1 in
	--small | --large) size=${1#--} ;;
	--docs) docs=$2 && shift ;;
	--tap) tap=$2 && shift ;;
	-v) verbose=1 ;;
	*) tools+=("$1") ;;
	esac
	shift
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-matrix.XXXXXX")
# A scratch directory may hold what a tool mounted or made unwritable: never cross into another file system.
trap 'volumes_drop; chmod -R u+w "$dir"; rm -rf --one-file-system "$dir"' EXIT

seed() {
	mkdir -p "$W/Music" && cp "$T/schema.json" "$W/Music/.schema.json" && mkdir -p "$W/Music/Queen" "$W/Music/Abba" || return 1
	echo 'About this table' > "$W/Music/README"
	printf '{"Year": 1975, "Label": "EMI",\n "Writers": ["Mercury"]}\n' > "$W/Music/Queen/Bohemian Rhapsody.json"
	printf '{"Year":1977,"Label":"EMI"}\n' > "$W/Music/Queen/a.json"
	printf '{"Year":1978,"Label":"Elektra","Writers":["May"]}\n' > "$W/Music/Queen/b.json"
	printf '{"Label":"none"}\n' > "$W/Music/Queen/c.json"
	printf '{"Year":1980,"Text":"%s"}\n' "$(yes 'la la' | head -n 20000 | tr '\n' ' ')" > "$W/Music/Queen/long.json"
	printf '{"Year":1976}\n' > "$W/Music/Abba/Dancing Queen.json"
	printf '%s\n' one two three > "$W/Music/Queen/notes.txt"
	seq 1 100000 > "$W/Music/Queen/numbers.bin"
	chmod 600 "$W/Music/Queen/b.json" && chmod 640 "$W/Music/Queen/notes.txt" && chmod 750 "$W/Music/Abba" || return 1
	find "$W/Music" -mindepth 1 -depth -exec touch -d '2001-09-09 01:46:40.123456789' {} + && touch -d '2001-09-09 01:46:41.5' "$W/Music"
}

# facts ROOT: what is compared.
facts() {
	(cd "$1" && find . -mindepth 1 \( -type f -printf '%P f %m %s %T@\n' -o -printf '%P %y %m - %T@\n' \) |
		awk '{ if ($NF >= 1400000000) $NF = "of this run"; print }' | sort
	find . -type f -print0 | sort -z | xargs -r0 md5sum)
}

# index_facts ROOT: what the indexes say, and what they must say; both empty on a plain directory.
index_facts() {
	[ "$kind" = mount ] || return 0
	(cd "$1" && for table in *; do
		(cd "$table/.index/by-year" && find . -type f -printf "$table %P\n")
	done | sort)
}
index_wanted() {
	[ "$kind" = mount ] || return 0
	(cd "$1" && find . -mindepth 3 -name '*.json' ! -name '.*' -exec jq -r 'select(.Year | type == "number") |
		(input_filename | split("/")) as $p | "\($p[1]) \(.Year)/\($p[2]),\($p[3])"' {} + | sort)
}

step() {
	local status=0
	printf '$ %s\n' "$1" | sed "s,$W,W,g"
	(cd "$Q" && timeout -k 5 "${limit:-300}" bash -o pipefail -c "$1" < /dev/null 2>&1) | sed "s,$W2,W2,g; s,$W,W,g; s,$S,S,g" || status=$?
	[ "$status" = 0 ] || echo "[$status]"
	steps=$((steps + 1))
}

refused() {
	local why=$1 out status=0
	printf '$ %s\nrefused: %s\n' "$2" "$why"
	differences+=("\`${2//|/\\|}\`: $why")
	[ "$kind" = mount ] || return 0
	out=$(cd "$Q" && timeout -k 5 300 bash -o pipefail -c "$2" < /dev/null 2>&1) || status=$?
	[ "$status" != 0 ] && [[ $out == *"$why"* ]] || echo "but on the mount: [$status] $out"
}

discarded() {
	refused "$1" "{ $2; } && false"
}

remount() {
	[ "$kind" = mount ] || return 0
	volume_down mount && volume_up mount
}

second() {
	if [ "$kind" = mount ]; then
		volume_up second
	else
		mkdir -p "$W2"
	fi
}

same_trees() {
	facts "$W" > "$dir/facts.1"
	facts "$W2" > "$dir/facts.2"
	index_facts "$W" >> "$dir/facts.1"
	index_facts "$W2" >> "$dir/facts.2"
	echo "same trees"
	diff "$dir/facts.1" "$dir/facts.2"
}

# run_on KIND SCRIPT: the transcript of its steps, then the facts.
run_on() {
	kind=$1 steps=0 differences=() limit=
	S=$dir/$1.scratch W=$dir/$1 W2=$dir/second
	[ "$kind" = mount ] || W2=$dir/plain2
	Q=$W/Music/Queen
	mkdir -p "$S/home" "$W"
	[ "$kind" = plain ] || volume_up mount || return 1
	export S W W2 Q T kind HOME=$S/home
	seed || echo "the seed cannot be written"
	# shellcheck source=/dev/null
	. "$2"
	echo "the tree"
	facts "$W"
	diff <(index_wanted "$W") <(index_facts "$W")
	[ "$kind" = mount ] || return 0
	facts "$W" > "$dir/facts.1"
	remount
	facts "$W" > "$dir/facts.2"
	diff "$dir/facts.1" "$dir/facts.2" || echo "the tree differs after a remount"
	volume_down second
	volume_down mount && volume_check mount
}

clear_away() {
	volumes_drop
	chmod -R u+w "$dir"/{plain,mount}.scratch 2> /dev/null
	rm -rf --one-file-system "${dir:?}"/*
}

word() { # word WHAT SCRIPT: from its comments
	sed -n "s/^# $1: *//p" "$2"
}

results=() passed=0 failed=0 skipped=0
# result TOOL STATUS TEXT
result() {
	local about
	about=$(word about "$T/$1.sh")
	results+=("| $1 | $about | $2 | $3 |")
	case $2 in
	ok) passed=$((passed + 1)) && echo "ok $1" ;;
	skip*) skipped=$((skipped + 1)) && echo "skip $1: ${2#skip: }" ;;
	*) failed=$((failed + 1)) && echo "FAIL $1" ;;
	esac
	[ -n "$tap" ] || return 0
	case $2 in
	ok) echo "ok - $1" ;;
	skip*) echo "ok - $1 # SKIP ${2#skip: }" ;;
	*) echo "not ok - $1" ;;
	esac >> "$tap"
}

run_tool() {
	local script=$T/$1.sh need missing='' said
	for need in $(word needs "$script"); do
		command -v "$need" > /dev/null || missing+=" $need"
	done
	if [ -n "$missing" ]; then
		result "$1" "skip: no$missing here" ""
		return
	fi
	run_on plain "$script" > "$dir/transcript.plain" 2>&1
	run_on mount "$script" > "$dir/transcript.mount" 2>&1
	[ -z "$verbose" ] || cat "$dir/transcript.mount"
	said=$(printf '%s<br>' "${differences[@]}")
	if diff -U 2 "$dir/transcript.plain" "$dir/transcript.mount" > "$dir/diff"; then
		result "$1" ok "${said%<br>}"
	else
		result "$1" FAIL "${said%<br>}"
		head -c 4000 "$dir/diff"
	fi
	clear_away
}

write_docs() {
	cat << 'HEAD'
# Tools on a mount

Made by `tests/tools/matrix/run.sh ITEMFS --docs contrib/docs/TOOLS.md` from its results, not by hand. Each tool runs the same steps
(`tests/tools/matrix/TOOL.sh`) in a plain directory and on a mount. *ok*: the same output and exit statuses, and the same tree after it, at once
and after a remount: names, bytes, modes, sizes, times; and on the mount each index says what the items say. What is refused by the contract is in the
last column, with the words that the tool prints; nothing else differs.

| tool | what is tried | result | refused on the mount, and how |
|---|---|---|---|
HEAD
	printf '%s\n' "${results[@]}"
	echo
	echo "$passed ok, $failed failed, $skipped skipped. $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r | sed 's/[^0-9.].*//')."
}

if [ ${#tools[@]} = 0 ]; then
	for script in "$T"/*.sh; do
		tool=$(basename "$script" .sh)
		[ "$tool" != run ] || continue
		large=small
		! grep -q '^# large' "$script" || large=large
		[ -n "$size" ] && [ "$size" != "$large" ] || tools+=("$tool")
	done
fi
[ -z "$tap" ] || { mkdir -p "$(dirname "$tap")" && : > "$tap"; }
for tool in "${tools[@]}"; do
	run_tool "$tool"
done
[ -z "$docs" ] || { mkdir -p "$(dirname "$docs")" && write_docs > "$docs"; }
echo "$passed ok, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
[ "$passed" -gt 0 ] || exit 77
