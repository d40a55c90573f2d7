"""Commands that are measured, each in a process of its own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from lakehouse.errors import LakehouseError

BIN = Path(sys.executable).parent
LAKEHOUSE = str(BIN / "lakehouse")


class BenchError(LakehouseError):
    """Something that is measured does not run."""


@dataclass
class Measured:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    """Of the command and of all that it started and waited for."""
    peak_mb: float
    """Of its largest process."""


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> Measured:
    """Runs a command to its end.

    Raises:
        BenchError: It failed.
    """
    began = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, cwd=folder)  # noqa: S603 - our own
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchError(f"{' '.join(command)} failed with exit code {process.returncode}")
    return Measured(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def figures(scale: int, took: Measured) -> tuple[str, str, str, str]:
    """What a table says of a command: the size of the data, seconds, CPU seconds, peak MB."""
    return f"{scale}", f"{took.seconds:.1f}", f"{took.cpu_seconds:.1f}", f"{took.peak_mb:,.0f}"


def heading(console: Console, title: str, *columns: str) -> Grid:
    """A table with a name and numbers."""
    console.print()
    grid = Grid(title=title, title_justify="left")
    grid.add_column("what")
    for column in columns:
        grid.add_column(column, justify="right")
    return grid
