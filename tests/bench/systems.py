"""systems: what the bench compares: how each is started, where its files are, and how it ends.

A system has a name, a directory `root` to work in, and perhaps a daemon. What cannot be had here raises Unavailable with the reason, and is
left out by that reason.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time


class Unavailable(Exception):
    """Says why something cannot be measured here."""


class Place:
    """Where a run works and with what: directories, programs, processors."""

    def __init__(self, build, directory, pinned, cpu):
        self.build = build
        self.directory = directory
        self.pinned = pinned
        self.cpu = cpu

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", "bench_" + name)

    def command(self, *words):
        """The words, to be run where this run's processes belong."""
        return (["taskset", "-c", str(self.cpu)] if self.pinned else []) + [str(word) for word in words]

    def made(self, *names):
        path = os.path.join(self.directory, *names)
        os.makedirs(path, exist_ok=True)
        return path


def directories_of(items):
    """Partitions that hold so many: a hundred in each."""
    return max(1, items // 100)


def queries_of(items):
    """How many queries are made of so many."""
    return max(10, items // 20)


def await_that(what, holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Unavailable(what + " did not happen within %d seconds" % seconds)
        time.sleep(0.01)


class System:
    index = False
    durable = False  # whether fsync means something here
    leaves_out = ()  # phases, see SLOW
    daemon = None

    def __init__(self, place):
        self.place = place

    def table(self, name):
        """Makes a fresh directory to work in."""
        path = os.path.join(self.root, name)
        os.mkdir(path)
        return path

    def stop(self):
        pass

    def volume(self):
        """What takes up room on the disk; None where nothing does."""
        return None


class Disk(System):
    """A directory on the disk that the volumes are on, too."""

    durable = True

    def __init__(self, place):
        super().__init__(place)
        self.root = place.made("disk")
        found = subprocess.run(["stat", "-f", "-c", "%T", self.root], capture_output=True, text=True, check=True)
        self.name = "ext4" if found.stdout.startswith("ext") else found.stdout.strip()

    def volume(self):
        return self.root


# Phases that a variant of a system leaves out: they take most of the time, and its sibling shows what they are like.
SLOW = ("tar out", "rsync in", "rsync no-op", "index listing", "export", "import", "snapshot", "durable 1", "durable 4")


class Mounted(System):
    """A FUSE filesystem with its daemon in the foreground, as our child."""

    def mount(self, command):
        self.root = self.place.made(self.name + ".mnt")
        self.log = open(os.path.join(self.place.directory, self.name + ".log"), "w+", encoding="utf-8")
        device = os.stat(self.root).st_dev
        self.daemon = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        try:
            await_that("the mount of " + self.name, lambda: self.has_ended() or os.stat(self.root).st_dev != device)
        finally:
            if self.has_ended():
                self.log.seek(0)
                raise Unavailable("%s does not mount: %s" % (self.name, self.log.read().strip()))

    def has_ended(self):
        return self.daemon.poll() is not None

    def stop(self):
        subprocess.run(["fusermount3", "-u", self.root], check=False, capture_output=True)
        try:
            self.daemon.wait(120)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            subprocess.run(["fusermount3", "-u", "-z", self.root], check=False, capture_output=True)
        self.log.close()


class Limit(Mounted):
    """FUSE itself: a filesystem in memory (memfs.c), with the kernel checking permissions as it does for ours, which asks for a directory's attributes each time
    that a name in it came or went. With libfuse's loop and its threads, as the targets have it; with one thread, which is faster for one user and stops
    for everybody where it has to wait; or with a log, which keeps what was acknowledged where the daemon dies."""

    def __init__(self, place, way=""):
        super().__init__(place)
        self.name = ("limit " + way).strip()
        flags = {"": [], "-s": ["-s"], "-l": ["-l", os.path.join(place.directory, "limit.log")]}[way]
        if way:
            self.leaves_out = SLOW
        self.mount(place.command(place.program("memfs"), "-f", *flags, "-o", "default_permissions",
                                 place.made(self.name + ".mnt")))


DEFINITION = {
    "AttributeDefinitions": [
        {"AttributeName": "Id", "AttributeType": "S"},
        {"AttributeName": "At", "AttributeType": "S"},
        {"AttributeName": "Group", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "At", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [{
        "IndexName": "by-group",
        "KeySchema": [{"AttributeName": "Group", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }],
}


class Variant:
    """Ours with an option (contrib/itemfs.1 says what it does), and the system that its figures are divided by."""

    def __init__(self, option, beside):
        self.option = option
        self.beside = beside
        self.name = "itemfs " + option


# What a mode tries beside the default.
VARIANTS = {"pinned": Variant("nouser_xattr", "limit"), "unpinned": Variant("poll=50", "itemfs")}


class Itemfs(Mounted):
    """Ours: tables that are just made, or (with an index) declared with one index that holds all of each item."""

    durable = True

    def __init__(self, place, index=False, variant=None):
        super().__init__(place)
        self.index = index
        self.name = variant.name if variant else "itemfs+index" if index else "itemfs"
        if variant:
            self.leaves_out = SLOW
        self.store = os.path.join(place.directory, self.name + ".volume")
        command = [os.path.join(place.build, "itemfs"), "-f"] + (["-o", variant.option] if variant else [])
        self.mount(place.command(*command, self.store, place.made(self.name + ".mnt")))

    def table(self, name):
        path = super().table(name)
        if self.index:
            with open(os.path.join(path, ".schema.json"), "w", encoding="utf-8") as file:
                json.dump(DEFINITION, file)
        return path

    def volume(self):
        return self.store


class Dynalite:
    """DynamoDB's API on LevelDB, from npm, on the loopback only; installed below the build directory the first time."""

    name = "dynalite"
    VERSION = "4.0.0"

    def __init__(self, place):
        self.place = place
        if not shutil.which("node") or not shutil.which("npm"):
            raise Unavailable("dynalite: there is no node here")
        home = os.path.join(place.build, "dynalite")
        self.script = os.path.join(home, "node_modules", "dynalite", "cli.js")
        if not os.path.exists(self.script):
            os.makedirs(home, exist_ok=True)
            try:
                done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", home, "dynalite@" + self.VERSION],
                                      capture_output=True, text=True, timeout=300, check=False)
            except subprocess.TimeoutExpired:
                raise Unavailable("dynalite: npm did not install it within five minutes") from None
            if done.returncode or not os.path.exists(self.script):
                raise Unavailable("dynalite: npm cannot install it: " + (done.stderr.strip().splitlines() or ["?"])[-1])

    def run(self, options, rest):
        """(phase, what dynamo.c says of it) of a new server, with as many items in as many partitions as a mount has, asked for in the same order; `rest` lets it come to rest."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        items = min(options.items, options.dynalite_items or options.items)
        path = self.place.made("dynalite.db")
        self.daemon = subprocess.Popen(self.place.command("node", self.script, "--host", "127.0.0.1", "--port", port, "--path", path,
                                                          "--createTableMs", 0),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await_that("dynalite's start", lambda: self.daemon.poll() is not None or self.answers(port))
            self.output(options, items, "table", port)
            for phase, sample in (("create", 0), ("read", 0), ("overwrite", 0), ("query", queries_of(items))):
                rest([self])
                yield phase, json.loads(self.output(options, items, "-s", sample, phase, port))
        finally:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait()
            shutil.rmtree(path, ignore_errors=True)

    def output(self, options, items, *words):
        command = self.place.command(self.place.program("dynamo"), "-n", items, "-d", directories_of(items), "-b", options.bytes, *words)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=options.limit, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable("dynalite took longer than %d seconds" % options.limit) from None
        if done.returncode:
            raise Unavailable("dynalite: " + done.stderr.strip())
        return done.stdout

    @staticmethod
    def answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
