"""Runs a command on a terminal of its own, types, resizes, presses Ctrl-C; ends with its status."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time

DEADLINE_S = 20


def set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main() -> int:
    master, slave = os.openpty()
    set_size(slave, 33, 101)
    before = termios.tcgetattr(slave)
    child = subprocess.Popen(
        sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    seen = ""

    def read_until(text: str) -> None:
        nonlocal seen
        until = time.monotonic() + DEADLINE_S
        while text not in seen:
            if time.monotonic() > until or child.poll() is not None:
                raise TimeoutError(f"not seen: {text}\n{seen}")
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 65536).decode(errors="replace")

    try:
        read_until("columns")
        os.write(master, b"a")
        read_until("got keys")
        set_size(slave, 22, 77)
        os.kill(child.pid, signal.SIGWINCH)
        os.write(master, b"\x03")
        read_until("size")
        status = child.wait(timeout=DEADLINE_S)
    finally:
        child.kill()
        print(seen)
    print("terminal restored:", termios.tcgetattr(slave)[3] == before[3])
    return status


sys.exit(main())
