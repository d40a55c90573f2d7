"""The log of a run: a file of JSON lines, one event a line, in logs/runs/. Its owner alone reads it.

    {"time": "2026-11-29T18:00:00.000Z", "run_id": "…", "event": "run_started", "dataset": "udacity", …}

The last line of a run that ended by itself is `run_finished`, with the whole report. While a run lasts, it holds a lock
on its file: so a later run can tell that one was killed.
"""

import fcntl
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

FOLDER = "logs/runs"
FINISHED = "run_finished"
_KEPT = 100
"""How many logs are kept."""


class RunLog:
    """The file of a run that is under way."""

    def __init__(self, project_dir: Path, run_id: str) -> None:
        """Begins it, and removes those that are more than the last hundred."""
        folder = project_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.killed_before = _killed_before(folder)
        self.path = folder / f"{run_id}.jsonl"
        self._run_id = run_id
        self._file = self.path.open("ab", buffering=0)  # a line is there even if the next moment kills the run
        fcntl.flock(self._file, fcntl.LOCK_EX)
        for old in sorted(folder.glob("*.jsonl"))[:-_KEPT]:
            old.unlink(missing_ok=True)

    def write(self, event: str, fields: dict[str, Any]) -> None:
        """Appends an event."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._file.write(msgspec.json.encode({"time": time, "run_id": self._run_id, "event": event, **fields}) + b"\n")

    def close(self) -> None:
        """Gives the lock back."""
        self._file.close()


def _killed_before(folder: Path) -> str:
    """The path of the last run's log, if that run was killed."""
    last = max(folder.glob("*.jsonl"), default=None)
    if last is None:
        return ""
    with last.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # it is under way
            return ""
        lines = _last_lines(file)
    return "" if f'"event":"{FINISHED}"'.encode() in lines else str(last)


def _last_lines(file: io.BufferedReader) -> bytes:
    """The last line, which may be a long one, and perhaps some before it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 1_000_000))
    return file.read().rstrip(b"\n").rpartition(b"\n")[2]
