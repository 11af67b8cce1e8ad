#!/usr/bin/env bash
# Fuzzes each target for some minutes, with libFuzzer, AddressSanitizer and UBSan (clang), and prints executions and findings of each.
#
# tests/fuzz/run.sh MINUTES [TARGET]...
#   What is found is kept in build/fuzz/found/TARGET, and what was learnt in build/fuzz/learnt/TARGET, where the next run begins. A finding belongs in corpus/TARGET once it is fixed.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
minutes=${1:?usage: tests/fuzz/run.sh MINUTES [TARGET]...}
shift
build=build/fuzz
if [ $# = 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do
		target=${source##*/fuzz_}
		set -- "$@" "${target%.c}"
	done
fi
seconds=$(awk -v m="$minutes" 'BEGIN { printf "%d", m * 60 }')
CC=clang cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DITEMFS_FUZZ=ON > /dev/null || exit 1
cmake --build $build --target "${@/#/fuzz_}" > $build/build.log || { tail -n 20 $build/build.log; exit 1; }

status=0
for target in "$@"; do
	mkdir -p $build/learnt/"$target" $build/found/"$target"
	log=$build/found/$target.log
	nice $build/tests/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=70000 -print_final_stats=1 \
		-artifact_prefix=$build/found/"$target"/ $build/learnt/"$target" tests/fuzz/corpus/"$target" > "$log" 2>&1
	result=$?
	found=$(find $build/found/"$target" -type f | wc -l)
	echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions, exit status $result, $found findings kept"
	[ $result = 0 ] || { status=1; grep -m 3 -E "ERROR|SUMMARY|runtime error" "$log"; }
done
exit $status
