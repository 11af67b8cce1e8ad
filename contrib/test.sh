#!/usr/bin/env bash
# Installs what is missing, builds with sanitizers, runs the tests. The last line is "N passed, N failed, N skipped".
#
# contrib/test.sh [--all] [ctest options]
#   --all   the long ones, too, with the large packages that they want
# PRESET=tsan contrib/test.sh uses another preset than "debug".
#
# An entry that fails is run once more: tests wait for things with limits, and a machine that does something else beside may pass one. What passed at the second try only
# is named before the total, as it is a defect still, of the test or of itemfs; what fails twice has failed.
#
# A program of Criterion counts as many tests as it holds (its list of results says which); any other ctest entry counts as one.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/packages.sh
. contrib/packages.sh

preset=${PRESET:-debug}
build=build/$preset
selection=(--label-exclude '^long$')
extra=(tools)
if [ "${1:-}" = --all ]; then
	selection=()
	extra+=(large)
	shift
fi

# second_tries: names the entries that failed and then passed.
second_tries() {
	local name
	sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .*\*\*\*.*/\1/p; s/^ *Test +#[0-9]+: ([^ ]+) .*\*\*\*.*/\1/p' "$build/ctest.log" 2> /dev/null | sort -u |
		while read -r name; do
			grep -qE "<testcase name=\"$name\" .*status=\"run\"" "$build/results.xml" && echo "AT THE SECOND TRY ONLY: $name"
		done
	return 0
}

# totals: from ctest's list of entries and each program's list of tests.
totals() {
	local passed=0 failed=0 skipped=0 name status p f s
	while IFS=$'\t' read -r name status; do
		p=0 f=0 s=0
		if [ -s "$build/tap/$name.tap" ]; then
			s=$(grep -ciE '^(not )?ok .*# *skip' "$build/tap/$name.tap")
			f=$(grep -iE '^not ok' "$build/tap/$name.tap" | grep -vciE '# *skip')
			p=$(grep -iE '^ok' "$build/tap/$name.tap" | grep -vciE '# *skip')
		fi
		case $status in
		run) [ $((p + f + s)) -gt 0 ] || p=1 ;;
		fail) [ "$f" -gt 0 ] || f=1 ;;
		*) [ $((p + f + s)) -gt 0 ] || s=1 ;;
		esac
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done < <(sed -nE 's/.*<testcase name="([^"]*)".* status="([^"]*)".*/\1\t\2/p' "$build/results.xml" 2> /dev/null)
	second_tries
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
}

give_up() {
	echo "$1" >&2
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

packages_install build run test || give_up "what is missing could not be installed"
packages_install "${extra[@]}" || echo "tests whose tools are missing are skipped" >&2
cmake --preset "$preset" > /dev/null || give_up "cmake failed"
cmake --build --preset "$preset" || give_up "the build failed"

rm -rf "$build/tap" "$build/results.xml"
mkdir -p "$build/tap"
ctest=(ctest --preset "$preset" --repeat until-pass:2 --output-junit "$PWD/$build/results.xml" "${selection[@]}" "$@")
status=0
if [ -r /dev/fuse ] && [ -w /dev/fuse ]; then
	"${ctest[@]}" 2>&1 | tee "$build/ctest.log" || status=$?
else
	echo "/dev/fuse is closed to $(id -un): the tests run as root"
	packages_as_root "${ctest[@]}" 2>&1 | tee "$build/ctest.log" || status=$?
fi
totals || status=1
exit "$status"
