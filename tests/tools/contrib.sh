#!/usr/bin/env bash
# What stands in contrib/ does what it says: the helper of mount(8), the completions, the sample, the manual pages.
# contrib.sh ITEMFS CONTRIB
set -u -o pipefail
itemfs=$1 contrib=$2
dir=$(mktemp -d "${TMPDIR:-/tmp}/itemfs-contrib.XXXXXX")
failures=0
trap 'fusermount3 -uqz "$dir/mnt" 2> /dev/null; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir/mnt"

check() {
	local what=$1
	shift
	if "$@" > "$dir/out" 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what: $(cat "$dir/out")"
		failures=$((failures + 1))
	fi
}

refused() {
	! "$@"
}

# mount(8) runs its helper with no PATH to speak of.
helper() {
	env -i PATH="$(dirname "$itemfs")" /bin/sh "$contrib/mount.itemfs" "$@"
}

wait_free() {
	local i
	for ((i = 0; i < 6000; i++)); do
		"$(dirname "$itemfs")/fsck.itemfs" "$1" > /dev/null 2>&1 && return 0
		sleep 0.01
	done
	"$(dirname "$itemfs")/fsck.itemfs" "$1"
}

check "mount.itemfs mounts" helper "$dir/volume" "$dir/mnt" -n -o rw,nosuid,nodev
check "and the mount answers" mkdir "$dir/mnt/Music"
check "mount.itemfs says when it cannot" refused helper "$dir/volume" "$dir/nowhere" -o rw
check "unmount" fusermount3 -u "$dir/mnt"
check "the volume is whole" wait_free "$dir/volume"
check "mount.itemfs -f only pretends" helper "$dir/volume" "$dir/mnt" -f
check "so nothing is mounted" refused mountpoint -q "$dir/mnt"

# The unit: what systemd would run, and again after a daemon that was killed.
unit() {
	local line
	line=$(sed -n "s/^$1=-\{0,1\}//p" "$contrib/itemfs@.service")
	PATH="$(dirname "$itemfs"):$PATH" VOLUME="$dir/volume3" OPTIONS=rw bash -c "${line//%f/$dir/mnt}"
}
holder() {
	"$(dirname "$itemfs")/fsck.itemfs" "$1" 2>&1 | sed -n 's/.*(process \([0-9]*\)).*/\1/p'
}
check "the unit names its programs without a place" refused grep -q '^Exec[A-Za-z]*=-\{0,1\}/' "$contrib/itemfs@.service"
check "the unit makes the mountpoint" unit ExecStartPre
check "the unit mounts" unit ExecStart
check "and the mount answers" mkdir "$dir/mnt/Music"
check "its daemon is killed" kill -9 "$(holder "$dir/volume3")"
check "and gone" wait_free "$dir/volume3"
check "the unit clears the dead mount away" unit ExecStopPost
check "the unit makes the mountpoint again" unit ExecStartPre
check "the unit mounts again" unit ExecStart
check "and what was there is there" test -d "$dir/mnt/Music"
check "unmount" fusermount3 -u "$dir/mnt"
check "the volume is whole" wait_free "$dir/volume3"

check "mount for the sample" "$itemfs" "$dir/volume2" "$dir/mnt"
for table in "$contrib"/sample/*/; do
	check "copy $(basename "$table")" cp -r "$table" "$dir/mnt/"
	check "and it reads back the same" diff -r "$table" "$dir/mnt/$(basename "$table")"
done
check "the sample has an entry in each index" test \
	"$(find "$dir/mnt"/Music/.index/by-year "$dir/mnt"/Music/.index/in-order "$dir/mnt"/Sensors/.index/alarms -type f | wc -l)" = 14
check "unmount" fusermount3 -u "$dir/mnt"
check "the volume is whole" wait_free "$dir/volume2"

# shellcheck disable=SC2016
check "completions load and offer" bash -c '
	. "$1/completions/itemfs" && compopt() { :; } && COMP_WORDS=(itemfs -o ro,sy) COMP_CWORD=2 && _itemfs && [ "${COMPREPLY[*]}" = ro,sync ]' - "$contrib"
for script in "$contrib"/*.sh "$contrib/mount.itemfs" "$contrib/../.ci/run"; do
	check "$(basename "$script") parses" bash -n "$script"
done
if command -v man > /dev/null && command -v groff > /dev/null; then
	for page in "$contrib"/itemfs.1 "$contrib"/fsck.itemfs.8; do
		# shellcheck disable=SC2016
		check "$(basename "$page") is a manual page" bash -c '[ -z "$(groff -man -ww -Tutf8 "$1" 2>&1 > /dev/null)" ]' - "$page"
	done
fi
[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
