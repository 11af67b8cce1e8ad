"""growth: what operations cost when there is more and more, what an item costs on the disk, and what the daemon remembers.

All items are in one partition (one directory), which is the hardest case for each system. Operations are made at random places. At each size as many
requests reach the daemon: the kernel knows the names, and nothing else of the files. What the engine has in its cache is as likely the one that is wanted as the size makes it. The sizes are reached one after the
other in the same table, so the last one is the only one that is stored. Millions of items are imported where that can be done, and made one by one where not.

contrib/bench.sh runs it as part of all; `tests/bench/growth.py --help` says how it is run alone, for sizes that take long.
"""

import argparse
import json
import os
import random
import resource
import shutil
import string
import subprocess
import sys
import tempfile
import threading
import time

import report
from phases import Round, drop_caches
from systems import Disk, Itemfs, Place, Unavailable

SAMPLE = 2000
IMPORTED = 2000000  # so many more items are imported
OPERATIONS = {"get": "read", "put": "overwrite", "stat": "stat", "query": "query", "first page": "page"}


def io_of(pid):
    """Bytes that the process has sent to the disk."""
    with open("/proc/%d/io" % pid, encoding="ascii") as file:
        return int(dict(line.split(": ") for line in file)["write_bytes"])


def anonymous(pid):
    """Bytes of the process's own memory, without mapped files."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return None


class Peak:
    """The most memory that a daemon has while something runs."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.most = anonymous(self.pid)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.01):
            self.most = max(self.most, anonymous(self.pid))

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.most = max(self.most, anonymous(self.pid))


def disk_use(path):
    subprocess.run(["sync"], check=True)
    return int(subprocess.run(["du", "-s", "-B1", path], capture_output=True, text=True, check=True).stdout.split()[0])


class OneDirectory(Round):
    def __init__(self, system, place, options, items):
        super().__init__(system, place, argparse.Namespace(**{**vars(options), "items": items}))
        self.directories = 1


def operations(round_):
    """Microseconds an operation (the median), or the reason why not."""
    sample = min(SAMPLE, round_.items)
    found = {}
    for seed, count in ((2, sample), (3, 10 * SAMPLE)):  # the names that will be asked for, and then others, which take their places in the engine's cache
        round_.files("stat", "-s", count, "-r", seed)
    for name, phase in OPERATIONS.items():
        if name == "query" and not os.path.isdir(os.path.join(round_.partition, ".first", "10")):
            found[name] = "no such view"
            continue
        more = ("-s", sample) if name != "first page" else ()
        try:
            if name == "first page":  # one directory: again and again
                times = sorted(round_.files(phase)["p50_us"] for _ in range(11))
                found[name] = times[5]
            else:
                found[name] = round_.files(phase, *more, "-r", 2)["p50_us"]
        except Unavailable as reason:
            found[name] = str(reason)
    return found


def documents(first, last, size):
    """Lines like the documents of files.c: half of the filling is random."""
    fillings = ["".join(letter + "x" for letter in random.choices(string.ascii_lowercase, k=size // 2)) for _ in range(4096)]
    for number in range(first, last):
        head = '{"pk":"p000000","sk":"%08d","Group":"g%06d","Number":%d,"What":"created","Filling":"' % (number, number // 100, number)
        yield head + fillings[number % 4096][:max(0, size - len(head) - 2)] + '"}\n'


def imported(round_, before):
    path = os.path.join(round_.place.directory, "more.jsonl")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(documents(before, round_.items, round_.options.bytes))
    seconds, _ = round_.shell('cp "$1" "$2/.import/"', path, round_.table)
    os.remove(path)
    return "%s imported a second" % "{:,.0f}".format((round_.items - before) / seconds)


def fill(round_, before):
    """From `before` items to round_.items; items a second."""
    if round_.system.daemon and not round_.system.index and round_.items - before >= IMPORTED:
        return imported(round_, before)
    result = round_.files("create", "-f", before)
    return result["ops"] / result["seconds"]


def one_system(system, place, options):
    rows, before = [], 0
    table = system.table("growth")
    bytes_before = io_of(system.daemon.pid) if system.daemon else None
    for items in options.growth:
        round_ = OneDirectory(system, place, options, items)
        round_.table = table
        if not before:
            round_.files("mkdir")
        row = {"items": items, "create": fill(round_, before)}
        used = disk_use(system.volume())
        row["bytes an item"] = used / items
        if system.daemon:
            row["written a byte"] = (io_of(system.daemon.pid) - bytes_before) / (items * options.bytes)
        row.update(operations(round_))
        rows.append(row)
        before = items
    return rows, round_


def stats(round_):
    with open(os.path.join(round_.system.root, ".itemfs", "stats.json"), encoding="utf-8") as file:
        return json.load(file)


def known(round_):
    """How many names the daemon keeps for the kernel."""
    return stats(round_)["open"]["nodes"]


def bound(round_):
    """What the daemon says it takes at most, with what it has to remember at this moment."""
    return stats(round_)["memory"]["bound_bytes"]


def memory(round_):
    """Of the daemon: at rest, while everything is listed, with many files open, after the kernel has forgotten."""
    pid = round_.system.daemon.pid
    drop_caches()
    time.sleep(1)
    found = {"items": round_.items, "at rest": anonymous(pid), "bound at rest": bound(round_)}
    with Peak(pid) as peak:
        round_.files("names")
    found["readdir of all"] = peak.most
    with Peak(pid) as peak:
        round_.shell('find "$1" -size +0 | wc -l', round_.partition)
    found["find with stat of all"] = peak.most
    found["names known"] = known(round_)
    found["bound with them"] = bound(round_)
    drop_caches()
    time.sleep(1)
    found["after drop_caches"] = anonymous(pid)
    found["names known then"] = known(round_)
    found.update(open_files(round_, pid))
    return found


def open_files(round_, pid):
    count = min(10000, round_.items)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count + 100:
        return {"files open": "a process may open only %d files here" % hard}
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, hard))
    open_ = []
    with Peak(pid) as peak:
        for number in range(count):
            open_.append(os.open(os.path.join(round_.partition, "%08d.json" % number), os.O_RDONLY))
            os.read(open_[-1], 1)
    most = bound(round_)
    for descriptor in open_:
        os.close(descriptor)
    return {"files open": count, "with them open": peak.most, "bound with open files": most}


def measure(options, say, systems=("itemfs", "itemfs+index", "disk")):
    directory = tempfile.mkdtemp(prefix="itemfs-bench-", dir=options.directory)
    place = Place(options.build, directory, True, options.cpu)
    found = {}
    try:
        makers = {"itemfs": lambda: Itemfs(place), "itemfs+index": lambda: Itemfs(place, index=True), "disk": lambda: Disk(place)}
        for name in systems:
            try:
                system = makers[name]()
            except Unavailable as reason:
                say(reason)
                continue
            try:
                rows, round_ = one_system(system, place, options)
                found[system.name] = {"rows": rows}
                if system.daemon:
                    found[system.name]["memory"] = memory(round_)
            except Unavailable as reason:
                found.setdefault(system.name, {})["reason"] = str(reason)
            finally:
                system.stop()
            say("growth: %s" % system.name)
    finally:
        shutil.rmtree(directory)
    return found


def main():
    parser = argparse.ArgumentParser(description="What operations cost in a directory of more and more items, and what the daemon remembers of it.")
    parser.add_argument("sizes", help="of the directory, one after the other: 10000,100000,1000000,10000000")
    parser.add_argument("--systems", default="itemfs", help="of itemfs, itemfs+index, disk (default %(default)s)")
    parser.add_argument("--bytes", type=int, default=300)
    parser.add_argument("--cpu", type=int, default=0)
    parser.add_argument("--limit", type=int, default=7200, help="seconds that one measurement may take")
    parser.add_argument("--directory", default=os.environ.get("TMPDIR", "/var/tmp"))
    parser.add_argument("--build", default="build/bench")
    options = parser.parse_args()
    options.growth = [int(size) for size in options.sizes.split(",")]
    options.build = os.path.abspath(options.build)
    found = measure(options, lambda words: print(time.strftime("%H:%M:%S"), words, file=sys.stderr), options.systems.split(","))
    print(json.dumps(found, indent=1))
    for system in found.values():
        if "rows" in system:
            print(report.text_table(report.growth_rows(system)))
    print(report.text_table(report.memory_rows(found)))


if __name__ == "__main__":
    main()
