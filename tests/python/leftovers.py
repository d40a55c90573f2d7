"""Runs a command as init would, and tells which processes it leaves behind: `python leftovers.py COMMAND …`.

A process whose parent ends becomes this one's child, however it was started: sessions, groups and daemons make no
difference. The exit code is the command's.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 2.0
FOUND = "left behind: "
_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Runs the command, passes SIGTERM on, and prints what is left. Ctrl-C is for whom the terminal sends it to."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    process = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    code = process.wait()
    for left in _left_after(GRACE_SECONDS):
        print(f"{FOUND}{left}", flush=True)
    return code if code >= 0 else 128 - code


def _left_after(seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return []
        time.sleep(0.05)
    return list(_commands(os.getpid()))


def _commands(parent: int) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
