"""How a load tells what it does: a progress bar on a terminal, plain lines elsewhere, or nothing at all."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]

PLAIN_WIDTH = 120  # of output that goes to a file or a pipe
SECONDS_PER_LINE = 10  # of progress, there


def counted(number: int, what: str) -> str:
    """A number and what is counted, as in "1 record" and "2 records"."""
    if number == 1:
        return f"1 {what}"
    if what.endswith("person"):
        return f"{number:,} {what.removesuffix('person')}people"
    return f"{number:,} {what}{'es' if what.endswith('s') else 's'}"


class Reporter(Protocol):
    """What a load needs of whoever listens."""

    def say(self, message: str) -> None:
        """Tells something that is as it should be."""

    def warn(self, message: str) -> None:
        """Tells something that a person should look at."""

    def progress(self, label: str, total_bytes: int) -> AbstractContextManager[Advance]:
        """Shows how far a piece of work is; the block calls what it gets with the bytes that it has done."""


class Silent:
    """Tells nothing."""

    def say(self, message: str) -> None:
        """Drops the message."""

    def warn(self, message: str) -> None:
        """Drops the message."""

    @contextmanager
    def progress(self, label: str, total_bytes: int) -> Iterator[Advance]:
        """Shows nothing."""
        yield _ignore


class ConsoleReporter:
    """Writes to the terminal, or to where the output goes instead."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Takes whether to write to the standard error output."""
        self.console = Console(stderr=stderr)
        if not self.console.is_terminal:
            self.console = Console(stderr=stderr, width=PLAIN_WIDTH)

    def heading(self, message: str) -> None:
        """Writes what comes next."""
        self.console.print(f"\n{message}", style="bold", markup=False, highlight=False, soft_wrap=True)

    def say(self, message: str) -> None:
        """Writes a line."""
        self.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Writes a line that stands out."""
        self.console.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True, style="yellow")

    @contextmanager
    def progress(self, label: str, total_bytes: int) -> Iterator[Advance]:
        """Shows a bar on a terminal, and a line now and then elsewhere, for as long as the work lasts."""
        if not self.console.is_terminal:
            yield _PlainProgress(label, total_bytes, self.say)
            return
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(label, total=total_bytes)
            yield lambda size: bar.advance(task, size)

    @contextmanager
    def counting(self, label: str, total: int) -> Iterator[Advance]:
        """The same for work that is counted and not measured in bytes."""
        if not self.console.is_terminal:
            yield _PlainProgress(label, total, self.say, unit="")
            return
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(label, total=total)
            yield lambda count: bar.advance(task, count)


class _PlainProgress:
    """Tells in a line how far a piece of work is, but not more often than a log can bear."""

    def __init__(self, label: str, total: int, say: Callable[[str], None], unit: str = "MB") -> None:
        self._label = label
        self._total = total
        self._say = say
        self._unit = unit
        self._done = 0
        self._next_line = time.monotonic() + SECONDS_PER_LINE

    def __call__(self, size: int) -> None:
        self._done += size
        if time.monotonic() >= self._next_line:
            self._next_line += SECONDS_PER_LINE
            per = 1e6 if self._unit else 1
            self._say(f"{self._label}: {self._done / per:,.0f} of {self._total / per:,.0f} {self._unit}".rstrip())


def _ignore(size: int) -> None:
    """Takes note of no progress."""
