"""Types keys at a program that wants a terminal: keys.py PROGRAM ARGUMENT… -- KEY…

KEY is ENTER, TAB, ESC, DEL, F1…F10, ^X for Control-X, WAIT (half a second more), or text. After each one it waits until the program has been
silent for a while. It gives the program's exit status, and SCREEN=FILE keeps what it drew.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

NAMES = {"ENTER": b"\r", "TAB": b"\t", "ESC": b"\x1b", "DEL": b"\x7f", "WAIT": b"", "F10": b"\x1b[21~"}
NAMES.update({f"F{n}": code for n, code in enumerate((b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS"), 1)})
NAMES.update({f"F{n}": b"\x1b[%d~" % code for n, code in ((5, 15), (6, 17), (7, 18), (8, 19), (9, 20))})


def code_of(key):
    if key in NAMES:
        return NAMES[key]
    if len(key) == 2 and key[0] == "^":
        return bytes([ord(key[1]) & 31])
    return key.encode()


def drain(terminal, silence, screen, limit=20):
    """False: the program has gone."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if not select.select([terminal], [], [], silence)[0]:
            return True
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return False
        if not data:
            return False
        screen.write(data)
    return True


def main():
    split = len(sys.argv) - 1 - sys.argv[::-1].index("--")
    program, keys = sys.argv[1:split], sys.argv[split + 1:]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.setdefault("TERM", "xterm")
        os.environ.update(LINES="24", COLUMNS="200")
        os.execvp(program[0], program)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
    with open(os.environ.get("SCREEN", os.devnull), "wb") as screen:
        select.select([terminal], [], [], 60)  # until it draws it may throw away what is typed, and on a busy machine it begins late
        alive = drain(terminal, 0.4, screen)
        for key in keys:
            if not alive:
                break
            os.write(terminal, code_of(key))
            alive = drain(terminal, 0.6 if key == "WAIT" else 0.15, screen)
        if alive and drain(terminal, 30, screen, 60):
            os.kill(child, 9)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


main()
