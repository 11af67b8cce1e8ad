"""What programs in Python do with files; each function is a step of python3.sh, in the partition that is the working directory."""
import fcntl
import json
import mmap
import os
import shutil
import sys
import tempfile
from pathlib import Path


def use_pathlib():
    here = Path(".")
    print(sorted(p.name for p in here.glob("*.json")))
    print(sorted(str(p) for p in here.resolve().parent.rglob("*") if p.is_file())[0][-10:])
    a = here / "a.json"
    a.write_text(json.dumps({"Year": 1987}))
    print(a.read_text(), a.stat().st_size, a.exists(), a.is_dir())
    a.rename("moved.json")
    (here / "moved.json").replace("a.json")
    (here / "new.json").touch()
    (here / "new.json").unlink()
    try:
        (here / "b.json").open("x")
    except FileExistsError as error:
        print(error)
    (here.resolve().parent / "Path").mkdir()
    (here.resolve().parent / "Path").rmdir()


def use_replace():
    for name in ("b.json", "fresh.json"):
        handle, temporary = tempfile.mkstemp(dir=".", prefix="." + name)
        with os.fdopen(handle, "w") as file:
            json.dump({"Year": 1986, "Label": "EMI"}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name)
        print(name, Path(name).read_text(), oct(os.stat(name).st_mode))
    with tempfile.NamedTemporaryFile(dir=".") as file:
        file.write(b"x" * 100000)
        file.flush()
        print(os.stat(file.name).st_size)
    with tempfile.TemporaryFile(dir=".") as file:
        file.write(b"y" * 100000)
        file.seek(0)
        print(len(file.read()))
    directory = os.open(".", os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    print(sorted(os.listdir(".")))


def use_shutil():
    shutil.copy("a.json", "copy.json")
    shutil.copy2("b.json", "copy2.json")
    shutil.copyfile("long.json", "long2.json")
    shutil.move("copy.json", "../Abba/copy.json")
    shutil.copytree("../Abba", "../Copied")
    print(sorted(os.listdir("../Copied")))
    shutil.rmtree("../Copied")
    print(os.path.exists("../Copied"))
    archive = shutil.make_archive(os.path.join(os.environ["S"], "archive"), "zip", ".")
    shutil.unpack_archive(archive, "../Unpacked")
    print(sorted(os.listdir("../Unpacked")))
    print(shutil.disk_usage(".").free > 0)


def use_handles():
    with open("a.json", "r+") as file:
        document = json.load(file)
        document["more"] = [1, 2, 3]
        file.seek(0)
        json.dump(document, file)
        file.truncate()
    print(Path("a.json").read_text())
    with open("c.json", "w") as file:
        for piece in ('{"Year"', ":", "1989", "}"):
            file.write(piece)
            file.flush()
    print(Path("c.json").read_text())
    first = open("c.json")
    Path("c.json").write_text('{"Year":1990}')
    print(first.read())
    first.close()
    with open("long.json", "rb") as file:
        with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as view:
            print(len(view), view[:8])
    with os.scandir(".") as entries:
        print(sorted((e.name, e.is_file(), e.stat().st_size) for e in entries))
    print(sorted(len(files) for _, _, files in os.walk("..")))


def use_plain():
    with open("notes.txt", "r+b") as file:
        with mmap.mmap(file.fileno(), 0) as view:
            view[0:3] = b"ONE"
            view.flush()
    print(Path("notes.txt").read_text())
    writers = [open("log.txt", "a") for _ in range(4)]
    for i in range(10):
        for number, writer in enumerate(writers):
            writer.write(f"{number} {i}\n")
            writer.flush()
    print(len(Path("log.txt").read_text().splitlines()))
    with open("hole", "wb") as file:
        file.seek(70000)
        file.write(b"end")
        file.truncate(80000)
    print(len(Path("hole").read_bytes()), Path("hole").read_bytes().strip(b"\0"))
    with open("lock", "w") as one, open("lock", "w") as two:
        fcntl.lockf(one, fcntl.LOCK_EX)
        fcntl.flock(two, fcntl.LOCK_EX)
    with open("gone.txt", "w+") as file:
        os.unlink("gone.txt")
        file.write("still here")
        file.seek(0)
        print(file.read(), os.fstat(file.fileno()).st_nlink)


globals()["use_" + sys.argv[1]]()
