# shellcheck disable=SC2154 # $dir and $itemfs are set by those who source this
# shellcheck shell=bash
# Sourced by those who drive tools on a mount: one daemon with a volume and a mountpoint, watched to its end.
#
# They set $itemfs and $dir (a directory of their own). The daemon is a child (-f), so its exit status and what a sanitizer says are seen.
# volume_up NAME mounts $dir/NAME.volume at $dir/NAME; volume_down NAME unmounts it, and says what was wrong with its end, if anything;
# volume_lives NAME says whether its daemon runs; volume_check NAME has fsck.itemfs prove it. All give 0 when all is well. volumes_drop is for a trap: it leaves nothing mounted.
declare -A daemons

volume_up() {
	local i
	mkdir -p "$dir/$1"
	"$itemfs" -f "$dir/$1.volume" "$dir/$1" >> "$dir/$1.log" 2>&1 &
	daemons[$1]=$!
	for ((i = 0; i < 9000; i++)); do
		mountpoint -q "$dir/$1" && return 0
		kill -0 "${daemons[$1]}" 2> /dev/null || break
		sleep 0.01
	done
	echo "no mount: $(cat "$dir/$1.log")"
	return 1
}

# volume_lives NAME: its daemon runs. Who has lost it need not wait for anything more.
volume_lives() {
	kill -0 "${daemons[$1]}" 2> /dev/null && return 0
	wait "${daemons[$1]}"
	echo "the daemon ended with $?: $(tail -n 40 "$dir/$1.log")"
	return 1
}

volume_down() {
	local i status=0
	[ -n "${daemons[$1]:-}" ] || return 0
	# A tool's leftovers (a server of its own, a child that still closes) may stand in it for a moment.
	for ((i = 0; i < 3000; i++)); do
		fusermount3 -u "$dir/$1" 2> "$dir/umount" && break
		sleep 0.02
	done
	if mountpoint -q "$dir/$1"; then
		echo "cannot unmount: $(cat "$dir/umount")"
		fusermount3 -uz "$dir/$1"
	fi
	wait "${daemons[$1]}" || status=$?
	unset "daemons[$1]"
	if [ "$status" != 0 ] || grep -Eq 'Sanitizer|runtime error' "$dir/$1.log"; then
		echo "the daemon ended with $status: $(tail -n 40 "$dir/$1.log")"
		return 1
	fi
}

volume_check() {
	"$(dirname "$itemfs")/fsck.itemfs" "$dir/$1.volume" > "$dir/fsck" 2>&1 || { echo "fsck.itemfs gives $?: $(tail -n 5 "$dir/fsck")"; return 1; }
}

volumes_drop() {
	local name
	for name in "${!daemons[@]}"; do
		fusermount3 -uz "$dir/$name"
		kill "${daemons[$name]}"
		wait "${daemons[$name]}"
	done 2> /dev/null
}
