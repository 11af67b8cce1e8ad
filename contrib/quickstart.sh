#!/usr/bin/env bash
# From a fresh Debian 12 to a mounted volume with something in it: installs what is missing, builds, mounts, copies contrib/sample in
# and shows a few commands with what they print. Run again, it builds what changed, mounts what is not mounted, and shows them again;
# tables that are there already are left alone.
#
# contrib/quickstart.sh [VOLUME] [MOUNTPOINT]     default: ~/itemfs-sample/volume and ~/itemfs-sample/mnt
set -eu -o pipefail

case ${1:-} in
-h | --help)
	sed -n '2,6s/^# \{0,1\}//p' "$0"
	exit 0
	;;
esac
volume=${1:-$HOME/itemfs-sample/volume}
mountpoint=${2:-$HOME/itemfs-sample/mnt}
mkdir -p "$(dirname "$volume")"
case $volume in /*) ;; *) volume=$PWD/$volume ;; esac
case $mountpoint in /*) ;; *) mountpoint=$PWD/$mountpoint ;; esac
cd "$(dirname "$0")/.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh

packages_install build run
mkdir -p build
{
	cmake --preset release -DBUILD_TESTING=OFF
	cmake --build --preset release
} > build/quickstart.log 2>&1 || {
	tail -n 40 build/quickstart.log >&2
	exit 1
}
itemfs=$PWD/build/release/itemfs

if [ ! -r /dev/fuse ] || [ ! -w /dev/fuse ]; then
	echo "/dev/fuse is not open to $(id -un). As root: chmod 666 /dev/fuse (as Debian has it), or run this as root." >&2
	exit 1
fi

# A daemon that was killed leaves a dead mount, which answers nothing.
if ! stat "$mountpoint" > /dev/null 2>&1 && grep -q " $mountpoint fuse.itemfs " /proc/self/mounts; then
	fusermount3 -u "$mountpoint"
fi
if [ "$(findmnt -n -o FSTYPE --mountpoint "$mountpoint" 2> /dev/null)" = fuse.itemfs ]; then
	echo "Already mounted at $mountpoint"
else
	mkdir -p "$mountpoint"
	"$itemfs" "$volume" "$mountpoint"
	echo "Mounted $volume at $mountpoint"
fi

for table in contrib/sample/*/; do
	name=$(basename "$table")
	if [ ! -d "$mountpoint/$name" ]; then
		cp -r "$table" "$mountpoint/"
		echo "Copied the sample table $name"
	fi
done

# Runs the line in the mount and shows it as one would have typed it. A line that is refused is part of the show.
show() {
	printf '\n# %s\n$ %s\n' "$1" "$2"
	(cd "$mountpoint" && bash -c "$2" 2>&1 | sed 's/^bash: line [0-9]*: //') || true
}

printf '\nSome things to try, and what they show:\n\n$ cd %q\n' "$mountpoint"
show "each table is a directory" "ls"
show "a partition key is a directory in it, a sort key a file in that, in key order" "ls 'Music/The Tin Lanterns'"
show "an item is its JSON, byte for byte" "cat 'Music/The Tin Lanterns/Harbour Light.json'"
show "a global secondary index: every record of 1974, whoever made it" "ls Music/.index/by-year/1974"
show "a local one: a band's records in the order of their years" "ls Music/.index/in-order/'The Tin Lanterns'"
show "index keys that only some items have make a short list" "cat Sensors/.index/alarms/high/*"
show "a query: what a sensor has said since a moment, the newest first" "ls -U Sensors/boiler-1/.ge/1735693200/.last/2"
show "a filter, which compares any attribute" "ls Sensors/boiler-1/.where/Celsius/gt/62"
show "an export of whatever a directory lists: .jsonl as DynamoDB writes it, .json, .csv" "cat Sensors/boiler-1/.ge/1735693200/.export/items.csv"
show "writing an item changes its indexes in the same moment" \
	"echo '{\"Year\": 1999, \"Genre\": \"Folk\"}' > 'Music/Marble Kites/Last Bus.json'; ls Music/.index/by-year/1999"
show "what is no item is refused with a message, and the old one stays" "echo '{\"Year\": oops}' > 'Music/Marble Kites/Last Bus.json'"
show "the reason, with its place" "tail -n 1 .itemfs/errors | jq -r .reason"
show "a snapshot: the whole volume as it was, read only, until its rmdir" \
	"mkdir .itemfs/snapshots/before; rm 'Music/Marble Kites/Last Bus.json'; ls '.itemfs/snapshots/before/Music/Marble Kites'"
show "what went is copied back from it" \
	"cp '.itemfs/snapshots/before/Music/Marble Kites/Last Bus.json' 'Music/Marble Kites/'; rmdir .itemfs/snapshots/before; ls Music/.index/by-year/1999"
show "a backup is tar's business" "tar -cf - . | tar -tf - | wc -l"

cat << END

When you are done:   fusermount3 -u $(printf %q "$mountpoint")
And to come back:    $(printf %q "$itemfs") $(printf %q "$volume") $(printf %q "$mountpoint")
END
