#!/usr/bin/env python3
"""bench: itemfs beside ext4, FUSE's own limit, LevelDB and dynalite, in one run; contrib/bench.sh builds and calls it.

Timings on a machine that others use drift by the minute. So all systems are up at once, each phase is run on one after the other before the
next phase begins, in an order that turns with each round, and what is reported is the median over the rounds and the ratios of medians of the same
run. Before a phase the machine is let come to rest: sync, and the daemons idle, so that nobody pays for the writing back of another.

Pinned: everything runs on one processor, so a request costs no wake-up of another core; not pinned: as the scheduler likes.
"""

import argparse
import copy
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import growth
import report
from phases import PHASES, Round
from systems import Disk, Dynalite, Itemfs, Limit, Place, Unavailable, VARIANTS

RAW = {"create": "create", "overwrite": "overwrite", "read": "read", "names": "list+stat", "query": "query",
       "durable1": "durable 1", "unlink": "unlink"}


class Results:
    """Rates by mode, phase and system; where there is none, the reason."""

    def __init__(self):
        self.rates = {}
        self.reasons = {}

    def add(self, mode, phase, system, rate):
        self.rates.setdefault((mode, phase, system), []).append(rate)

    def missing(self, mode, phase, system, reason):
        self.reasons[mode, phase, system] = str(reason)

    def median(self, mode, phase, system):
        rates = self.rates.get((mode, phase, system))
        return statistics.median(rates) if rates else None

    def systems(self, mode):
        order = ["itemfs", "itemfs+index", *(variant.name for variant in VARIANTS.values()), "limit", "limit -s", "limit -l", "ext4", "leveldb", "dynalite"]
        found = {key[2] for key in [*self.rates, *self.reasons] if key[0] == mode}
        return sorted(found, key=lambda name: order.index(name) if name in order else len(order))

    def as_json(self):
        return [{"mode": mode, "phase": phase, "system": system, "rates": rates, "median": statistics.median(rates)}
                for (mode, phase, system), rates in self.rates.items()] + \
               [{"mode": mode, "phase": phase, "system": system, "median": None, "reason": reason}
                for (mode, phase, system), reason in self.reasons.items() if (mode, phase, system) not in self.rates]


def say(words):
    print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)


def rest(systems):
    """Until what was written is on the disk and no daemon computes, at most ten seconds."""
    def used():
        total = 0
        for system in systems:
            if system.daemon:
                with open("/proc/%d/stat" % system.daemon.pid, encoding="ascii") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total

    subprocess.run(["sync"], check=False)
    end = time.monotonic() + 10
    before = used()
    while time.monotonic() < end:
        time.sleep(0.1)
        now = used()
        if now == before:
            return
        before = now


def start_all(place, results, mode):
    systems = []
    makers = [lambda: Itemfs(place), lambda: Itemfs(place, index=True), lambda: Limit(place), lambda: Limit(place, "-s"), lambda: Limit(place, "-l"),
              lambda: Disk(place)]
    makers.insert(2, lambda: Itemfs(place, variant=VARIANTS[mode]))
    for make in makers:
        try:
            systems.append(make())
        except Unavailable as reason:
            say(reason)
            results.missing(mode, "create", "?", reason)
    return systems


def run_phases(place, options, systems, number, mode, results):
    rounds = [Round(system, place, options) for system in systems]
    for at, phase in enumerate(PHASES):
        turn = (number + at) % len(rounds)
        for round_ in rounds[turn:] + rounds[:turn]:
            if phase.name != "create" and round_.table is None:
                results.missing(mode, phase.name, round_.system.name, "its items could not be made")
                continue
            if phase.name in round_.system.leaves_out:
                results.missing(mode, phase.name, round_.system.name, "left out")
                continue
            rest(systems)
            try:
                results.add(mode, phase.name, round_.system.name, phase.run(round_))
            except Unavailable as reason:
                results.missing(mode, phase.name, round_.system.name, reason)
        say("%s, round %d: %s" % (mode, number + 1, "; ".join(
            "%s %s" % (r.system.name, report.figure(results.rates.get((mode, phase.name, r.system.name), [None])[-1])) for r in rounds)
            + "  " + phase.name))


def run_raw(place, options, mode, results):
    path = place.made("leveldb")
    done = subprocess.run(place.command(place.program("leveldb"), "-n", options.items, "-b", options.bytes, "-s", options.durable, path),
                          capture_output=True, text=True, timeout=options.limit, check=False)
    if done.returncode:
        results.missing(mode, "create", "leveldb", done.stderr.strip())
    for line in done.stdout.splitlines():
        result = json.loads(line)
        results.add(mode, RAW[result["phase"]], "leveldb", result["ops"] / result["seconds"])
    shutil.rmtree(path)


def run_dynalite(place, options, mode, results):
    for phase, result in Dynalite(place).run(options, rest):
        results.add(mode, phase, "dynalite", result["ops"] / result["seconds"])


def run_round(options, mode, number, results):
    directory = tempfile.mkdtemp(prefix="itemfs-bench-", dir=options.directory)
    place = Place(options.build, directory, mode == "pinned", options.cpu)
    systems = start_all(place, results, mode)
    try:
        run_phases(place, options, systems, number, mode, results)
    finally:
        for system in systems:
            system.stop()
    run_raw(place, options, mode, results)
    try:
        if options.dynalite:
            run_dynalite(place, options, mode, results)
        else:
            results.missing(mode, "create", "dynalite", "left out (--no-dynalite)")
    except Unavailable as reason:
        results.missing(mode, "create", "dynalite", reason)
        say(reason)
    shutil.rmtree(directory)


def make_source(options):
    """What rsync copies: a tenth of the items, in memory where there is such a place."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else options.directory
    source = tempfile.mkdtemp(prefix="itemfs-bench-source-", dir=where)

    def made(round_):
        table = os.path.join(source, "table")
        if not os.path.exists(table):
            os.mkdir(table)
            for phase in ("mkdir", "create"):
                round_.files(phase, table=table, items=max(1, options.items // 10))
        return table

    options.source = made
    return source


def arguments():
    parser = argparse.ArgumentParser(prog="contrib/bench.sh", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--items", type=int, default=100000, help="in each table (default %(default)s)")
    parser.add_argument("--unpinned-items", type=int, help="where nothing is pinned, which takes longer (default: as many)")
    parser.add_argument("--bytes", type=int, default=300, help="of each item (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modes", default="pinned,unpinned", help="default %(default)s")
    parser.add_argument("--growth", default="10000,100000,1000000", help="items in one partition; empty: leave out (default %(default)s)")
    parser.add_argument("--durable", type=int, default=500, help="synced writes of each writer (default %(default)s)")
    parser.add_argument("--dynalite-items", type=int, help="fewer than in the other tables")
    parser.add_argument("--no-dynalite", dest="dynalite", action="store_false")
    parser.add_argument("--quick", action="store_true", help="a few items, one round: whether it runs, not how fast")
    parser.add_argument("--cpu", type=int, default=0, help="where pinned runs belong")
    parser.add_argument("--limit", type=int, default=600, help="seconds that one measurement may take (default %(default)s)")
    parser.add_argument("--directory", default=os.environ.get("TMPDIR", "/var/tmp"), help="on the disk to compare with (default %(default)s)")
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--out", default="contrib/docs", help="where PERFORMANCE.md and performance/ go (default %(default)s)")
    options = parser.parse_args()
    if options.quick:
        parser.set_defaults(items=300, rounds=1, durable=10, growth="200,400")
        options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.modes = options.modes.split(",")
    options.growth = [int(n) for n in options.growth.split(",") if n]
    options.unpinned_items = options.unpinned_items or options.items
    return options


def options_of(mode, options):
    """With the items that this mode has, and where rsync copies from."""
    its = copy.copy(options)
    its.items = options.unpinned_items if mode == "unpinned" else options.items
    its.source_directory = make_source(its)
    return its


def estimate(options):
    """Minutes, from what one item costs over all phases and systems here: about 6 ms pinned, 14 ms not (one core of a small virtual machine)."""
    each = {"pinned": 0.006, "unpinned": 0.014}
    seconds = sum(each.get(mode, 0.014) * (options.unpinned_items if mode == "unpinned" else options.items) * options.rounds + 60
                  for mode in options.modes)
    seconds += sum(options.growth) * 0.0012
    return seconds / 60


def conditions(options):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    return {"when": time.strftime("%Y-%m-%d %H:%M"), "commit": commit, "kernel": platform.release(), "processor": model,
            "processors": os.cpu_count(), "load": os.getloadavg()[0], "items": options.items, "unpinned_items": options.unpinned_items, "bytes": options.bytes,
            "rounds": options.rounds}


def main():
    options = arguments()
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("bench: /dev/fuse cannot be used here", file=sys.stderr)
        return 77
    say("about %d minutes, where nobody else uses the machine" % (estimate(options) + 1))
    results, run = Results(), {"conditions": conditions(options)}
    modes = {mode: options_of(mode, options) for mode in options.modes}
    try:
        for number in range(options.rounds):
            for mode, its in modes.items():
                run_round(its, mode, number, results)
        run["growth"] = growth.measure(options, say) if options.growth else None
    finally:
        for its in modes.values():
            shutil.rmtree(its.source_directory)
    run["results"] = results.as_json()
    report.write(options, run, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
