"""Whether processes that were started have ended, by /proc."""

import time
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended; one that nobody has waited for has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def await_end(pid: int, seconds: float = 30) -> None:
    """Waits for a process to end.

    Raises:
        AssertionError: It still runs after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            raise AssertionError(f"process {pid} still runs")
        time.sleep(0.1)
