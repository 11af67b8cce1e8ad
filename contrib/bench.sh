#!/usr/bin/env bash
# Builds itemfs and the programs of the bench, and measures it beside ext4, FUSE's own limit, LevelDB and dynalite: prints a table and writes
# contrib/docs/PERFORMANCE.md and contrib/docs/performance/. contrib/bench.sh --help lists the options; --quick says in a minute whether it runs.
#
# As root it can drop caches for the cold phases; otherwise these are left out, and the page says so. BENCH_BUILD, if set, is a build directory to use as it is.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh
build=${BENCH_BUILD:-build/bench} purposes=(bench)
case " $* " in *" --help "* | *" -h "*) exec python3 tests/bench/bench.py --help ;; esac
if [ -z "${BENCH_BUILD:-}" ]; then
	packages_install build run
	command -v npm > /dev/null || purposes+=(node) # which need not be Debian's
	packages_install "${purposes[@]}" || echo "what is missing is left out" >&2
	{ cmake --preset bench && cmake --build --preset bench; } >&2
fi
exec python3 tests/bench/bench.py --build "$build" "$@"
