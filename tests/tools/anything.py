#!/usr/bin/env python3
"""Anything, to any path of a mount, by several processes at once, with what is open kept open: nothing that the kernel may ask for ends the daemon, and what it leaves is whole.

anything.py ITEMFS [SECONDS [SEED]]

What each call gives is not judged: the other tests know that. The daemon must live, answer, and end with 0, without a sanitizer's word, and fsck.itemfs must find nothing. How it ends goes by the seed:
it is unmounted, told to end under load, or killed. A failure leaves its directory for a look.
"""
import ctypes, errno, fcntl, json, mmap, os, random, shutil, signal, subprocess, sys, tempfile, time

PROCESSES, OPEN_MAX, PATIENCE_S = 6, 40, 120
LONG = "L" * 250
libc = ctypes.CDLL(None, use_errno=True)


def schema(keys, *indexes):
    """keys: [(name, type)]; an index: (name, keys, projection)."""
    def key_schema(names):
        return [{"AttributeName": n, "KeyType": k} for (n, _), k in zip(names, ("HASH", "RANGE"))]
    types = dict(keys + [key for _, names, _ in indexes for key in names])
    return json.dumps({
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in types.items()],
        "KeySchema": key_schema(keys),
        "GlobalSecondaryIndexes": [{"IndexName": n, "KeySchema": key_schema(k), "Projection": {"ProjectionType": p}} for n, k, p in indexes],
    })


BY_KIND, BY_N = ("by-kind", [("kind", "S"), ("n", "N")], "ALL"), ("by-n", [("n", "N")], "KEYS_ONLY")
TABLES = {
    "Str": (schema([("p", "S"), ("s", "S")], BY_KIND), ["p0", "p1", "p2"]),
    "Hash": (schema([("p", "S")], BY_KIND), ["p0", "p1", "p2"]),
    "Num": (schema([("p", "N"), ("s", "B")], BY_KIND), ["0", "1", "2"]),
}
SCHEMAS = [text for text, _ in TABLES.values()] + [schema([("p", "S"), ("s", "S")], BY_KIND, BY_N), "{", "", "[]"]
QUERIES = ["ge/i1", "lt/i3", "last/2", "first/1", "where/n/ge/2", "where/kind/eq/k1", "where/x/exists", "between/i0/i2", "after/i0", "eq/i1", "where", "ge", "first/0", "last/x"]


class Somebody:
    def __init__(self, mount, seed):
        self.mount, self.random, self.open, self.n = mount, random.Random(seed), [], 0

    def one(self, things):
        return things[self.random.randrange(len(things))]

    def chance(self, share):
        return self.random.random() < share

    # ---- names ----

    def item(self):
        return self.one([f"i{self.random.randrange(4)}.json"] * 7 + ["item.json", f"{self.random.randrange(3):02x}.json", LONG + self.one("ab") + ".json", "notes", ".swp", "x~",
                        LONG[:200] + "%~" + "0" * 32 + ".json", "a%2Fb.json", "a%ZZ.json", "\udcff.json", "x" * 255, "x" * 256, ".json"])

    def partition(self):
        return self.one(["p0", "p1", "p2"] * 3 + ["0", "1", "2", "-1", LONG + self.one("ab"), "notes", ".x", "%2E", "item.json", "1.0"])

    def table(self):
        return self.one(["Str"] * 3 + ["Hash", "Num", "m00", "m01", "m02"])

    def query(self):
        return "/".join("." + self.one(QUERIES) for _ in range(self.random.randrange(1, 4)))

    def in_table(self):
        return self.one([
            lambda: f"{self.partition()}/{self.item()}", lambda: f"{self.partition()}/{self.item()}", lambda: f"{self.partition()}/{self.item()}", self.partition,
            lambda: self.one([".schema.json", ".describe.json", ".index", ".scan", ".import", ".export", ".where", "notes"]),
            lambda: f".index/{self.one(['by-kind', 'by-n'])}" + self.one(["", "/k0", "/1", "/.export/items.jsonl", "/k1/" + self.query()]),
            lambda: f"{self.partition()}/{self.query()}" + self.one(["", "/" + self.item(), "/.export/items.json"]),
            lambda: f".export/items.{self.one(['json', 'jsonl', 'csv'])}", lambda: f".import/a.{self.one(['json', 'jsonl', 'csv', 'txt'])}",
            lambda: f".scan/{self.one(['2/0', '4/3', '2', '0/0'])}" + self.one(["", f"/{self.partition()}/{self.item()}"]),
        ])()

    def in_volume(self):
        return self.table() + self.one(["", "/" + self.in_table(), "/" + self.in_table(), "/" + self.in_table()])

    def listed(self, directory):
        try:
            names = os.listdir(f"{self.mount}/{directory}")
        except OSError:
            names = []
        return f"{directory}/{self.one(names)}" if names else directory

    def path(self):
        """A path, and the directory that it begins in: one that is open, or none."""
        if self.open and self.chance(.12):
            return self.one([self.item(), self.partition(), ".", self.in_table()]), self.one(self.open)
        if self.open and self.chance(.05):
            return f"/proc/self/fd/{self.one(self.open)}", None
        return f"{self.mount}/" + self.one([
            self.in_volume, self.in_volume, self.in_volume, self.in_volume, lambda: self.listed(self.in_volume()), lambda: self.listed(self.listed("")), lambda: self.listed(".itemfs/rejected"),
            lambda: ".itemfs/" + self.one(["", "errors", "stats.json", "rejected", "snapshots", "x"]), lambda: f".itemfs/snapshots/s{self.random.randrange(3)}" + self.one(["", "/" + self.in_volume()]),
        ])(), None

    def document(self):
        self.n += 1
        return self.one([b'{"n":%d,"kind":"k%d","pad":"%s"}' % (self.n, self.n % 3, b"x" * self.random.randrange(300))] * 8 + [
            b'{"n":"no","kind":1}', b'{"n":1', b'{"n":oops}', b"", b'{"p":"p0","s":"i0","n":1}', b'{"x":"' + b"y" * self.random.randrange(500000) + b'"}', self.one(SCHEMAS).encode(),
            b'{"p":"%sa","s":"%sb"}' % (LONG.encode(), LONG.encode()), b"".join(b'{"p":"p%d","s":"i%d","n":%d}\n' % (i % 4, i % 6, i) for i in range(self.random.randrange(30))), os.urandom(20)])

    # ---- what is done ----

    def keep(self, fd):
        self.open.append(fd)
        if len(self.open) > OPEN_MAX:
            os.close(self.open.pop(self.random.randrange(OPEN_MAX)))

    def an_open_one(self):
        if not self.open:
            raise OSError(errno.EBADF, "nothing is open")
        return self.one(self.open)

    def do_open(self):
        flags = self.one([os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
        for flag, share in ((os.O_CREAT, .4), (os.O_EXCL, .1), (os.O_TRUNC, .2), (os.O_APPEND, .15), (os.O_DIRECTORY, .15), (os.O_PATH, .05), (os.O_DIRECT, .05), (os.O_SYNC, .05)):
            flags |= flag if self.chance(share) else 0
        path, directory = self.path()
        self.keep(os.open(path, flags | os.O_NONBLOCK, self.one([0o644, 0o600, 0o755, 0]), dir_fd=directory))

    def do_write(self):
        path, directory = self.path()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | self.one([0, os.O_TRUNC, os.O_APPEND]), 0o644, dir_fd=directory)
        self.keep(fd)
        os.write(fd, self.document())
        if self.chance(.8):
            self.open.remove(fd)
            os.close(fd)

    def do_define(self):
        with open(f"{self.mount}/{self.table()}/.schema.json", "w") as file:
            file.write(self.one(SCHEMAS))

    def do_close(self):
        if self.open:
            os.close(self.open.pop(self.random.randrange(len(self.open))))

    def do_list_open(self):
        fd, room = self.an_open_one(), ctypes.create_string_buffer(self.one([64, 300, 4096, 32768]))
        if self.chance(.3):
            os.lseek(fd, self.one([0, 1, 2, 3, 1000]), os.SEEK_SET)
        libc.syscall(217, fd, room, len(room))  # getdents64

    def do_rename(self):
        (a, from_directory), (b, to_directory) = self.path(), self.path()
        if self.chance(.5):
            a, from_directory = f"{self.mount}/{self.in_volume()}", None
            b, to_directory = os.path.dirname(a) + "/" + self.one([self.item(), self.partition(), self.table()]), None
        at_a, at_b = (-100 if d is None else d for d in (from_directory, to_directory))
        libc.renameat2(at_a, os.fsencode(a), at_b, os.fsencode(b), self.one([0, 0, 0, 1, 2, 2]))

    def do_table(self):
        name, other = (f"{self.mount}/m0{self.random.randrange(3)}" for _ in range(2))
        self.one([os.mkdir, os.mkdir, lambda n: shutil.rmtree(n, ignore_errors=True), lambda n: os.rename(n, other)])(name)

    def do_snapshot(self):
        self.one([os.mkdir, os.rmdir])(f"{self.mount}/.itemfs/snapshots/s{self.random.randrange(3)}")

    def do_map(self):
        mmap.mmap(self.an_open_one(), 4096, self.one([mmap.MAP_SHARED, mmap.MAP_PRIVATE]), mmap.PROT_READ).close()

    def do_to_an_open_one(self):
        fd = self.an_open_one()
        self.one([
            lambda: os.pread(fd, self.one([1, 100, 4096, 200000]), self.one([0, 5, 4096, 1 << 40])), lambda: os.read(fd, self.one([1, 100, 200000])), lambda: os.write(fd, self.document()),
            lambda: os.pwrite(fd, self.document(), self.one([0, 3, 5000, 1 << 24])), lambda: os.ftruncate(fd, self.one([0, 1, 10, 5000, 1 << 25])), lambda: os.fsync(fd), lambda: os.fdatasync(fd),
            lambda: os.fstat(fd), lambda: os.fchmod(fd, self.one([0o644, 0o600, 0o755])), lambda: os.utime(fd, (1, self.n)), lambda: os.lseek(fd, 3, self.one([0, 1, 2, 3, 4])),
            lambda: libc.fallocate(fd, self.one([0, 1, 3]), ctypes.c_long(0), ctypes.c_long(4096)), lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: self.keep(os.dup(fd)),
            lambda: os.copy_file_range(fd, self.an_open_one(), 1000), lambda: os.getxattr(fd, "user.itemfs.error"), lambda: fcntl.ioctl(fd, 0x5401, b"\0" * 200),
        ])()

    def do_to_a_path(self):
        path, directory = self.path()
        self.one([
            lambda: os.stat(path, dir_fd=directory), lambda: os.unlink(path, dir_fd=directory), lambda: os.unlink(path, dir_fd=directory), lambda: os.rmdir(path, dir_fd=directory),
            lambda: os.mkdir(path, dir_fd=directory), lambda: os.mknod(path, self.one([0o100644, 0o140644]), dir_fd=directory), lambda: os.symlink("x", path, dir_fd=directory),
            lambda: os.chmod(path, self.one([0o644, 0o600, 0o755]), dir_fd=directory), lambda: os.utime(path, (1, self.n), dir_fd=directory),
            lambda: os.link(path, self.path()[0], src_dir_fd=directory), lambda: os.listdir(path) if directory is None else None, lambda: os.truncate(path, 10) if directory is None else None,
            lambda: os.listxattr(path) if directory is None else None, lambda: os.setxattr(path, "user.x", b"y") if directory is None else None, lambda: os.statvfs(self.mount),
            lambda: open(path, "rb").read() if directory is None else None,
        ])()

    def work(self, until):
        things = [getattr(self, name) for name in dir(self) if name.startswith("do_")] + [self.do_to_a_path, self.do_to_an_open_one] * 6 + [self.do_open, self.do_write] * 3
        while time.time() < until:
            try:
                self.one(things)()
            except OSError as e:
                if e.errno in (errno.ENOTCONN, errno.ECONNABORTED):
                    return
            except (ValueError, OverflowError):
                pass
            self.n += 1


def begin(itemfs, root, log):
    """The daemon, with its tables."""
    mount = f"{root}/mnt"
    os.mkdir(mount)
    daemon = subprocess.Popen([itemfs, "-f", f"{root}/volume", mount], stdout=log, stderr=log)
    waited = time.time()
    while not os.path.ismount(mount):
        if daemon.poll() is not None or time.time() - waited > PATIENCE_S:
            sys.exit("it does not mount")
        time.sleep(.05)
    for name, (text, partitions) in TABLES.items():
        os.mkdir(f"{mount}/{name}")
        with open(f"{mount}/{name}/.schema.json", "w") as file:
            file.write(text)
        for partition in partitions:
            os.mkdir(f"{mount}/{name}/{partition}")
    return daemon, mount


def fork_somebody(mount, seed, until):
    pid = os.fork()
    if pid == 0:
        os.chdir(os.path.dirname(mount))  # whatever comes to stand outside of the mount goes with the rest
        try:
            Somebody(mount, seed).work(until)
        finally:
            os._exit(0)
    return pid


def end(daemon, mount, how):
    """What is wrong with its end, or nothing."""
    if how == "unmount":
        subprocess.run(["fusermount3", "-u", mount])
    else:
        daemon.send_signal(signal.SIGTERM if how == "SIGTERM" else signal.SIGKILL)
    try:
        status = daemon.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"it does not end (pid {daemon.pid})"
    return "" if status == 0 or how == "SIGKILL" else f"it ends with {status}"


def main(itemfs, seconds=60, seed=1):
    seconds, seed = float(seconds), int(seed)
    root = tempfile.mkdtemp(prefix="itemfs-anything-")
    log = open(f"{root}/log", "w+")
    daemon, mount = begin(itemfs, root, log)
    how, until, dice = ("unmount", "SIGTERM", "SIGKILL")[seed % 3], time.time() + seconds, random.Random(seed)
    somebodies, born, wrong = set(), 0, []
    while time.time() < until and daemon.poll() is None:
        while len(somebodies) < PROCESSES:
            born += 1
            lasts = min(until, time.time() + 5 + born % 7 * 3) + (0 if how == "unmount" else 3)
            somebodies.add(fork_somebody(mount, seed * 1000 + born, lasts))
        time.sleep(.2)
        if dice.random() < .03:
            os.kill(dice.choice(sorted(somebodies)), signal.SIGKILL)  # in the middle of whatever it waits for
        somebodies -= {pid for pid in somebodies if os.waitpid(pid, os.WNOHANG)[0]}
    if daemon.poll() is not None:
        wrong.append(f"the daemon ended with {daemon.returncode}")
    elif how != "unmount":
        wrong.append(end(daemon, mount, how))
    waited = time.time()
    while somebodies and time.time() - waited < PATIENCE_S:
        somebodies -= {pid for pid in somebodies if os.waitpid(pid, os.WNOHANG)[0]}
        time.sleep(.1)
    wrong += [f"process {pid} waits for ever" for pid in somebodies]
    if how == "unmount" and not wrong:
        wrong.append(end(daemon, mount, how))
    subprocess.run(["fusermount3", "-uzq", mount])
    log.seek(0)
    said = log.read()
    check = subprocess.run([f"{os.path.dirname(itemfs)}/fsck.itemfs", f"{root}/volume"], capture_output=True, text=True)
    wrong += ["a sanitizer reports"] if "Sanitizer" in said or "runtime error" in said else []
    wrong += [f"fsck.itemfs: {check.stdout}{check.stderr}"] if check.returncode else []
    wrong = [words for words in wrong if words]
    print(f"seed {seed}, {born} processes, {how}:", "; ".join(wrong) or "nothing was found")
    if wrong:
        sys.exit(f"{said[:8000]}\n{root} is left")
    shutil.rmtree(root)


if __name__ == "__main__":
    main(*sys.argv[1:])
