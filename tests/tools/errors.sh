#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2059 # steps and headings are text for another
# What people see when they write what is refused: each way to write × each kind of bad content, on a real mount.
#
# errors.sh ITEMFS [--docs FILE] [--tap FILE] [WAY…]
# A row holds when the old item is there byte for byte, the refused bytes are somewhere (in .itemfs/rejected, or in the file that the tool wrote them to),
# and the tool was told: its exit status or a message. A shell's own `>` does not look at what close says: such rows
# must say "silent", and no other. Exceptions are named in row() and counted apart. --docs writes the table, --tap a list that contrib/test.sh counts. What is not installed is skipped by name.
set -u -o pipefail
export LC_ALL=C.UTF-8 TERM=xterm
umask 022
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tools/mounted.sh
. "$here/mounted.sh"
itemfs=$(realpath "$1") || exit 1
shift
docs='' tap='' chosen=()
while [ $# -gt 0 ]; do
	case $1 in
	--docs) docs=$2 && shift ;;
	--tap) tap=$2 && shift ;;
	*) chosen+=("$1") ;;
	esac
	shift
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-errors.XXXXXX")
trap 'volumes_drop; rm -rf --one-file-system "$dir"' EXIT
export M=$dir/mnt Q=$dir/mnt/Music/Queen HOME=$dir/home
item=$Q/Song.json
mkdir "$HOME" "$dir/bad"

# The kinds: a name, a description, how many of the bytes must be kept (a refused write ends most tools: what they never wrote did not reach us).
kinds=(first middle unfinished type key measure large utf8)
declare -A about=(
	[first]='hopeless at the first byte' [middle]='hopeless in the middle' [unfinished]='unfinished' [type]='an index key of the wrong type'
	[key]='a key that disagrees with the path' [measure]='over 409,600 bytes by measure' [large]='over 16 MiB' [utf8]='not UTF-8'
) least=()
bad() {
	printf "$2" > "$dir/bad/$1"
	least[$1]=$3
}
bad first 'oops {"Year":1974}\n' 1
bad middle '{"Year":1974,"Label":oops,"More":[1,2,3]}\n' 22
bad unfinished '{"Year":1974,"Label":' 21
bad type '{"Year":"1974"}\n' 15
bad key '{"Title":"Other","Year":1974}\n' 29
bad measure "{\"Year\":1974,\"Text\":\"$(head -c 410000 /dev/zero | tr '\0' a)\"}\n" 409600
bad large "{\"Year\":1974$(head -c 17825792 /dev/zero | tr '\0' ' ')}\n" 409600
bad utf8 '{"Year":1974,"Label":"\377\376"}\n' 23

# The ways: a name, the commands it needs, what is shown; the function way_NAME FILE does it. The old item is one line.
ways=(bash dash zsh append tee cp mv mv_out dd sed jq sponge vim nano emacs python3 rsync rsync_inplace tar tar_overwrite)
declare -A needs=([append]=bash [mv_out]=mv [nano]='nano python3' [rsync_inplace]=rsync [tar_overwrite]=tar) shown=(
	[bash]='bash: `echo … > x.json`' [dash]='dash: `echo … > x.json`' [zsh]='zsh: `echo … > x.json`' [append]='bash: `printf … >> x.json` (an empty item)'
	[tee]='`tee x.json`' [cp]='`cp FILE x.json`' [mv]='`mv PLAIN x.json` in the mount' [mv_out]='`mv FILE x.json` from outside'
	[dd]='`dd of=x.json bs=64k`' [sed]='`sed -i`' [jq]='`jq … > x.json`' [sponge]='`sponge x.json`' [vim]='`vim -es`, `:wq`' [nano]='nano, ^S'
	[emacs]='`emacs --batch`, save-buffer' [python3]='python3: `with open(…, "w")`' [rsync]='`rsync -a`' [rsync_inplace]='`rsync -a --inplace`'
	[tar]='`tar -x`' [tar_overwrite]='`tar -x --overwrite`'
)
way_bash() { bash -c 'text=$(cat "$1"); echo "$text" > "$2"' bash "$1" "$item"; }
way_dash() { dash -c 'text=$(cat "$1"); echo "$text" > "$2"' dash "$1" "$item"; }
way_zsh() { zsh -f -c 'text=$(cat "$1"); echo "$text" > "$2"' zsh "$1" "$item"; }
way_append() { bash -c 'text=$(cat "$1"); printf "%s\n" "$text" >> "$2"' bash "$1" "$item"; }
way_tee() { tee "$item" < "$1" > /dev/null; }
way_cp() { cp "$1" "$item"; }
way_mv() { cp "$1" "$Q/draft.txt" && mv "$Q/draft.txt" "$item"; }
way_mv_out() { cp "$1" "$dir/source" && mv "$dir/source" "$item"; }
way_dd() { dd if="$1" of="$item" bs=64k status=none; }
way_sed() { sed -i -e "1r $1" -e 1d "$item"; }
way_jq() { jq -Rsj . "$1" > "$item"; }
way_sponge() { sponge "$item" < "$1"; }
way_vim() { vim -es -u NONE -i NONE -N -V1 -b "$item" -c '%d _' -c "0r ++bin $1" -c wq < /dev/null; }
way_nano() {
	local status=0
	SCREEN=$dir/screen python3 "$here/keys.py" nano -I "$item" -- ^K ^R "$1" ENTER WAIT ^S WAIT ^X n || status=$?
	sed -E 's/\x1b[[(][0-9;?]*[A-Za-z]/\n/g' "$dir/screen" | grep -aoE 'Error writing.*[^] ]' | head -n 1
	return "$status"
}
way_emacs() {
	emacs -Q --batch "$item" --eval "(progn (set-buffer-multibyte nil) (setq buffer-file-coding-system 'no-conversion) (erase-buffer)
		(insert-file-contents-literally \"$1\") (save-buffer))"
}
way_python3() {
	python3 -c 'import sys
with open(sys.argv[2], "wb") as file:
    file.write(open(sys.argv[1], "rb").read())' "$1" "$item" 2>&1 | grep -v '^ \|^Traceback'
	return "${PIPESTATUS[0]}"
}
way_rsync() { cp "$1" "$dir/Song.json" && rsync -a "$dir/Song.json" "$Q/"; }
way_rsync_inplace() { cp "$1" "$dir/Song.json" && rsync -a --inplace "$dir/Song.json" "$Q/"; }
way_tar() { cp "$1" "$dir/Song.json" && tar -C "$dir" -cf "$dir/a.tar" Song.json && tar -C "$Q" -xf "$dir/a.tar"; }
way_tar_overwrite() { cp "$1" "$dir/Song.json" && tar -C "$dir" -cf "$dir/a.tar" Song.json && tar -C "$Q" --overwrite -xf "$dir/a.tar"; }

# holds FILE KIND: it has the refused bytes, or as many of them as had to come; prints how many.
holds() {
	local size whole same
	size=$(stat -c %s "$1" 2> /dev/null) || return 1
	whole=$(stat -c %s "$dir/bad/$2")
	# After a refused write bash sends its last byte all the same, and that is kept, too.
	same=$((size < whole - 1 ? size - 1 : size < whole ? size : whole))
	[ "$size" -ge "${least[$2]}" ] && cmp -s -n "$same" "$1" "$dir/bad/$2" || return 1
	if [ "$((size + 1))" -ge "$whole" ]; then echo all; else echo "the first $size"; fi
}

# kept KIND: where the refused bytes are.
kept() {
	local file how
	for file in "$M"/.itemfs/rejected/*; do
		how=$(holds "$file" "$1") && echo "rejected ($how)" && return 0
	done
	for file in "$Q"/* "$Q"/.[!.]*; do
		[ "$file" != "$item" ] && how=$(holds "$file" "$1") && echo "\`$(basename "$file" | sed -E 's/^sed.{6}$/sedXXXXXX/')\` ($how)" && return 0
	done
	return 1
}

renew() {
	rm -f "$Q"/* "$Q"/.[!.]* "$M"/.itemfs/rejected/* "$dir"/{source,Song.json,screen}
	old='{"Year":1973,"Label":"EMI"}'
	[ "$1" != append ] || old=''
	printf '%s' "$old${old:+$'\n'}" > "$dir/old"
	cp "$dir/old" "$item"
}

passed=0 failed=0 skipped=0 exceptions=0 rows=()
# tell STATUS WAY KIND TEXT
tell() {
	case $1 in
	ok) passed=$((passed + 1)) ;;
	skip) skipped=$((skipped + 1)) && echo "skip $2 × $3: $4" ;;
	*) failed=$((failed + 1)) && echo "FAIL $2 × $3: $4" ;;
	esac
	[ -n "$tap" ] || return 0
	case $1 in
	ok) echo "ok - $2 × $3" ;;
	skip) echo "ok - $2 × $3 # SKIP $4" ;;
	*) echo "not ok - $2 × $3" ;;
	esac >> "$tap"
}

row() {
	local way=$1 kind=$2 status=0 said place='' remains wrong='' excepted=0 i
	renew "$way"
	timeout -k 5 300 bash -c ". '$dir/ways'; way_$way '$dir/bad/$kind'" > "$dir/said" 2>&1 < /dev/null || status=$?
	said=$(grep -av '^$' "$dir/said" | head -n 1 | sed "s,$Q/,,g; s,$M/,,g; s,$dir/bad/$kind,FILE,g; s,$dir/,,g; s/[0-9]\{5,\}/N/g; s/sed[A-Za-z0-9]\{6\}\>/sedXXXXXX/; s/json[.][A-Za-z0-9]\{6\}\>/json.XXXXXX/; s/Song[.]json/x.json/g" |
		cut -c1-120)
	for ((i = 0; i < 400; i++)); do
		place=$(kept "$kind") && break
		sleep 0.05
	done
	# Exceptions, counted apart. A plain file cannot be over 16 MiB either; told so, these two remove their temporary file.
	if [ -z "$place" ] && [[ $way:$kind =~ ^(sed|rsync):large$ ]]; then
		place='none: the temporary file is refused, and removed by the tool'
		excepted=1
	fi
	if cmp -s "$dir/old" "$item"; then
		remains='as it was'
	elif [ ! -e "$item" ] && [[ $way =~ ^(tar|mv_out)$ ]]; then
		# These two unlink the item by a call of its own before they create it anew.
		remains='removed by the tool before it wrote'
		excepted=1
	elif [ ! -e "$item" ]; then
		remains=gone wrong+=' the item is gone;'
	else
		remains=changed wrong+=" the item changed: $(head -c 60 "$item");"
	fi
	[ -n "$place" ] || wrong+=" the refused bytes are nowhere (rejected: $(cd "$M/.itemfs/rejected" && stat -c '%s' ./* 2> /dev/null | tr '\n' ' '));"
	if [ "$status" = 0 ] && [ -z "$said" ]; then
		said='(silent)'
		[[ $way =~ ^(bash|dash|zsh|append)$ ]] || wrong+=' it was not told;'
	fi
	rows+=("| ${shown[$way]} | ${about[$kind]} | $status | ${said//|/\\|} | $remains | ${place:-nowhere} |")
	[ -n "$wrong" ] || exceptions=$((exceptions + excepted))
	if [ -z "$wrong" ]; then tell ok "$way" "$kind" ''; else tell fail "$way" "$kind" "$wrong [$status] $said"; fi
}

write_docs() {
	cat << 'HEAD'
# What people see when content is refused

Made by `tests/tools/errors.sh ITEMFS --docs contrib/docs/ERRORS.md` from its results, not by hand; the test `tools.errors` holds each row. `x.json` is an
item with content; each way tries to replace it by something bad. *Item* is what `x.json` holds afterwards, *bytes* where the refused ones are:
`rejected` is `.itemfs/rejected/ID`, and `.itemfs/errors` names the ID. A tool whose write is refused stops writing, so there only the bytes up to that write
are kept; the source that it read has them all.

A shell's own `>` does not look at what `close` says, so what only the end of a document can tell (it is unfinished, a key disagrees) is *silent* there:
the exit status is 0. The item stays, the bytes are kept, and `.itemfs/errors` has the reason.

`tar -x` (without `--overwrite`) and `mv` from another file system remove what is there first, by a call of its own, and create anew: so they do on every
file system. If then the new content is refused, there is no old item to go back to. `mv` keeps its source in that case.

| way to write | content | exit | first line of what it prints | item | bytes |
|---|---|---|---|---|---|
HEAD
	printf '%s\n' "${rows[@]}"
	echo
	echo "$passed rows hold ($exceptions of them by an exception), $failed do not, $skipped skipped. $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r | sed 's/[^0-9.].*//')."
}

[ -z "$tap" ] || { mkdir -p "$(dirname "$tap")" && : > "$tap"; }
{ declare -p item here dir; declare -f; } > "$dir/ways"
volume_up mnt || exit 1
mkdir "$M/Music" && cp "$here/matrix/schema.json" "$M/Music/.schema.json" && mkdir "$Q" || exit 1
[ ${#chosen[@]} -gt 0 ] || chosen=("${ways[@]}")
for way in "${chosen[@]}"; do
	missing=''
	for need in ${needs[$way]:-$way}; do
		command -v "$need" > /dev/null || missing+=" $need"
	done
	for kind in "${kinds[@]}"; do
		if [ -n "$missing" ]; then
			tell skip "$way" "$kind" "no$missing here"
		elif [ "$way:$kind" = jq:utf8 ]; then
			tell skip "$way" "$kind" "jq writes U+FFFD instead, which is a good document"
		else
			row "$way" "$kind"
			volume_lives mnt || exit 1
		fi
	done
done
volume_down mnt && volume_check mnt || failed=$((failed + 1))
[ -z "$docs" ] || { mkdir -p "$(dirname "$docs")" && write_docs > "$docs"; }
echo "$passed rows hold ($exceptions of them by an exception), $failed do not, $skipped skipped"
[ "$failed" = 0 ]
