"""phases: what is measured of each system in a round, in this order, as operations (items, names) a second.

A phase gets a Round and gives a rate, or raises Unavailable: then its cell says why, and holds no number.
"""

import json
import os
import shutil
import subprocess
import time

from systems import Unavailable, directories_of, queries_of


class Round:
    """One system in one round: its table of items, and how programs run on it."""

    def __init__(self, system, place, options):
        self.system = system
        self.place = place
        self.options = options
        self.items = options.items
        self.directories = directories_of(options.items)
        self.table = None

    def files(self, phase, *more, table=None, items=None):
        """A phase of files.c; its whole result."""
        items = items or self.items
        command = self.place.command(self.place.program("files"), "-n", items, "-d", self.directories, "-b", self.options.bytes,
                                     *more, phase, table or self.table)
        result = json.loads(self.output(command))
        if result["errors"]:
            raise Unavailable("%d of %d operations failed, the first with %s" % (result["errors"], result["ops"], result["errno"]))
        return result

    def rate(self, phase, *more, **where):
        result = self.files(phase, *more, **where)
        return result["ops"] / result["seconds"]

    def output(self, command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.options.limit, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable("took longer than %d seconds" % self.options.limit) from None
        if done.returncode:
            raise Unavailable("%s: %s" % (os.path.basename(command[0]), (done.stderr.strip().splitlines() or ["failed"])[-1]))
        return done.stdout

    def shell(self, script, *words):
        """Seconds that a shell's command takes; its output."""
        begin = time.monotonic()
        output = self.output(self.place.command("sh", "-c", script, "sh", *words))
        return time.monotonic() - begin, output

    def needs_views(self):
        if not self.has("itemfs"):
            raise Unavailable("only itemfs has it")

    def has(self, name):
        return self.system.name.startswith(name)

    @property
    def partition(self):
        return os.path.join(self.table, "p000000")


def drop_caches():
    subprocess.run(["sync"], check=True)
    try:
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3")
    except OSError as error:
        raise Unavailable("caches cannot be dropped here: " + error.strerror) from None


def create(round_):
    round_.table = round_.system.table("bench")
    round_.files("mkdir")
    return round_.rate("create")


def stat_warm(round_):
    round_.files("stat")
    return round_.rate("stat")


def read_cold(round_):
    drop_caches()
    return round_.rate("read")


def list_warm(round_):
    round_.files("list")
    return round_.rate("list")


def list_cold(round_):
    drop_caches()
    return round_.rate("list")


def tar_out(round_):
    seconds, size = round_.shell('tar -C "$1" -cf - . | wc -c', round_.table)
    if int(size) < round_.items * round_.options.bytes:
        raise Unavailable("tar is short: %s bytes" % size.strip())
    return round_.items / seconds


def rsync_in(round_):
    """From memory into a table of its own; a tenth of the items, as rsync is slow by itself."""
    few = max(1, round_.items // 10)
    source = round_.options.source(round_)
    into = round_.system.table("rsync")
    seconds, _ = round_.shell('rsync -a "$1/" "$2/"', source, into)
    return few / seconds


def rsync_nothing(round_):
    few = max(1, round_.items // 10)
    into = os.path.join(os.path.dirname(round_.table), "rsync")
    seconds, said = round_.shell('rsync -ai "$1/" "$2/"', round_.options.source(round_), into)
    if "/" in said.replace("./", ""):
        raise Unavailable("rsync found something to do: " + said.splitlines()[0])
    return few / seconds


def query(round_):
    round_.needs_views()
    if not os.path.isdir(os.path.join(round_.partition, ".first", "10")):
        raise Unavailable("queries are not in this build")
    return round_.rate("query", "-s", queries_of(round_.items))


def index_listing(round_):
    if not round_.system.index:
        raise Unavailable("it has no index")
    view = os.path.join(round_.table, ".index", "by-group")
    seconds, names = round_.shell('find "$1" -type f | wc -l', view)
    if int(names) != round_.items:
        raise Unavailable("the index lists %s entries, not %d" % (names.strip(), round_.items))
    return round_.items / seconds


def export(round_):
    round_.needs_views()
    path = os.path.join(round_.table, ".export", "items.jsonl")
    if not os.path.exists(path):
        raise Unavailable("exports are not in this build")
    seconds, lines = round_.shell('cat "$1" | wc -l', path)
    if int(lines) != round_.items:
        raise Unavailable("the export has %s lines, not %d" % (lines.strip(), round_.items))
    return round_.items / seconds


def import_(round_):
    round_.needs_views()
    exported = os.path.join(round_.table, ".export", "items.jsonl")
    if not os.path.exists(exported):
        raise Unavailable("there is no export to import")
    file = os.path.join(round_.place.made("import"), "items.jsonl")
    shutil.copyfile(exported, file)
    into = round_.system.table("imported")
    if not os.path.isdir(os.path.join(into, ".import")):
        raise Unavailable("imports are not in this build")
    seconds, _ = round_.shell('cp "$1" "$2/.import/"', file, into)
    _, lines = round_.shell('cat "$1" | wc -l', os.path.join(into, ".export", "items.jsonl"))
    if int(lines) != round_.items:
        raise Unavailable("%s items after the import, not %d" % (lines.strip(), round_.items))
    return round_.items / seconds


def snapshot(round_):
    round_.needs_views()
    path = os.path.join(os.path.dirname(round_.table), ".itemfs", "snapshots", "bench")
    times = 20
    begin = time.monotonic()
    for _ in range(times):
        try:
            os.mkdir(path)
            os.rmdir(path)
        except OSError as error:
            raise Unavailable("snapshots: " + error.strerror) from None
    return times / (time.monotonic() - begin)


def durable(threads):
    def phase(round_):
        if not round_.system.durable:
            raise Unavailable("nothing in it lasts")
        count = min(round_.items, round_.options.durable * threads)
        return round_.rate("durable", "-t", threads, "-s", count)

    return phase


class Phase:
    def __init__(self, name, words, run):
        self.name, self.words, self.run = name, words, run


PHASES = [
    Phase("create", "open with O_EXCL, write, close", create),
    Phase("stat", "stat of what is cached", stat_warm),
    Phase("read", "open, read to the end, close; cached", lambda r: r.rate("read")),
    Phase("list+stat", "readdir and a stat of each name; cached", list_warm),
    Phase("read cold", "after drop_caches", read_cold),
    Phase("list+stat cold", "after drop_caches", list_cold),
    Phase("overwrite", "open with O_TRUNC, write, close", lambda r: r.rate("overwrite")),
    Phase("replace", "write another file, rename it over the first", lambda r: r.rate("replace")),
    Phase("tar out", "tar -c of all, into a pipe", tar_out),
    Phase("rsync in", "rsync -a from memory into a new table; a tenth of the items", rsync_in),
    Phase("rsync no-op", "the same again: nothing to do", rsync_nothing),
    Phase("query", "list the first ten from a key on", query),
    Phase("index listing", "find over all entries of an index", index_listing),
    Phase("export", "cat .export/items.jsonl", export),
    Phase("import", "cp of that file into another table's .import", import_),
    Phase("snapshot", "taken and released", snapshot),
    Phase("durable 1", "overwrite with fsync, one writer", durable(1)),
    Phase("durable 4", "the same, four writers", durable(4)),
    Phase("durable 16", "the same, sixteen writers", durable(16)),
    Phase("unlink", "all of them", lambda r: r.rate("unlink")),
]
