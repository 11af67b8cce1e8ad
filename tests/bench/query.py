#!/usr/bin/env python3
"""query: a query of ten beside the same walk through directories that were made for it in FUSE's limit (memfs.c): what is left of a query where nothing is
searched. Pinned, the medians of rounds that take turns; caches are dropped before each, so that names are looked up as a query's are.

tests/bench/query.py [--build build/bench] [--items 4000] [--rounds 5]
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile

from phases import Round, drop_caches
from systems import Itemfs, Limit, Place, Unavailable


def make_results(round_):
    """What the walk finds: P/.ge/KEY/.first/10/ with ten files, for each key."""
    items, partitions = round_.items, round_.directories
    for number in range(items):
        view = os.path.join(round_.table, "p%06d" % (number % partitions), ".ge", "%08d" % number, ".first", "10")
        os.makedirs(view)
        for i in range(10):
            with open(os.path.join(view, "%08d.json" % (number + i * partitions)), "x", encoding="ascii"):
                pass


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/query.py", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", type=int, default=0)
    parser.add_argument("--limit", type=int, default=600, help="seconds that one measurement may take")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="itemfs-query-")
    place = Place(os.path.abspath(options.build), directory, True, options.cpu)
    systems, took = [], {}
    try:
        for make in (lambda: Itemfs(place), lambda: Limit(place), lambda: Limit(place, "-s")):
            systems.append(make())
        rounds = [Round(system, place, options) for system in systems]
        for round_ in rounds:
            round_.table = round_.system.table("bench")
            round_.files("mkdir")
            if round_.has("itemfs"):
                round_.files("create")
            else:
                make_results(round_)
        for number in range(options.rounds):
            for round_ in rounds[number % len(rounds):] + rounds[:number % len(rounds)]:
                drop_caches()
                took.setdefault(round_.system.name, []).append(round_.files("query")["p50_us"])
    except Unavailable as reason:
        print("query: %s" % reason, file=sys.stderr)
        return 77
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(directory)
    for name, each in took.items():
        print("%-10s %.1f µs a query of ten" % (name, statistics.median(each)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
