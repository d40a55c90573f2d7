"""Checks lines in other processes: it costs a load most of its time, and one interpreter does it once at a time."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context, parent_process
from threading import Thread

from lakehouse.declaration import Table
from lakehouse.records.check import RecordChecker, Stretch

WORTH_BYTES = 32 << 20  # of files to read, for which it pays to start processes
WORTH_SENDING_BYTES = 16 << 10
AHEAD_BYTES = 4 << 20  # for each process


class ParallelChecker(RecordChecker):
    """Checks the records of one table, with the help of other processes if there are any."""

    def __init__(self, table: Table, pool: ProcessPoolExecutor | None) -> None:
        """Takes the processes, or None for doing it alone."""
        super().__init__(table)
        self._table = table
        self._pool = pool

    @property
    def bytes_ahead(self) -> int:
        """Enough for all processes to be busy."""
        return AHEAD_BYTES * usable_processors() if self._pool else 0

    def begin_cut(self, lines: bytes) -> Future[list[Stretch]]:
        """Cuts lines in another process, if they are worth the way."""
        if self._pool is None or len(lines) < WORTH_SENDING_BYTES:
            return super().begin_cut(lines)
        return self._pool.submit(_cut, self._table, lines)


@contextmanager
def checking_processes(bytes_to_read: int) -> Iterator[ProcessPoolExecutor | None]:
    """Starts a process a core for as long as the block lasts, if there is enough to do."""
    if bytes_to_read < WORTH_BYTES:
        yield None
        return
    spawn = get_context("spawn")  # a fork would copy the locks of other threads
    pool = ProcessPoolExecutor(usable_processors(), spawn, initializer=_end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def usable_processors() -> int:
    """How many processors this process may use, which can be fewer than the machine has; all where none can say."""
    of_process = getattr(os, "sched_getaffinity", None)  # macOS has none
    return len(of_process(0)) if of_process else os.cpu_count() or 1


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, of which its queue of work would tell it nothing."""
    Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)  # from a thread, nothing else ends a process that is at work


@cache
def _checker(table: Table) -> RecordChecker:
    return RecordChecker(table)


def _cut(table: Table, lines: bytes) -> list[Stretch]:
    return _checker(table).cut(lines)
