"""Checks lines in other processes: it costs a load most of its time, and one interpreter does it once at a time."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context

from lakehouse.checking import RecordChecker
from lakehouse.sources import Table

WORTH_BYTES = 32 << 20  # of files to read, for which it pays to start processes


class ParallelChecker(RecordChecker):
    """Checks the records of one table, with the help of other processes if there are any."""

    def __init__(self, table: Table, pool: ProcessPoolExecutor | None) -> None:
        """Takes the processes, or None for doing it alone."""
        super().__init__(table)
        self._table = table
        self._pool = pool

    @property
    def checks_elsewhere(self) -> bool:
        """Whether there are other processes."""
        return self._pool is not None

    def begin_count(self, lines: bytes) -> Future[int | None]:
        """Counts good records in another process."""
        assert self._pool is not None  # noqa: S101 - see `checks_elsewhere`
        return self._pool.submit(_count_good, self._table, lines)


@contextmanager
def checking_processes(bytes_to_read: int) -> Iterator[ProcessPoolExecutor | None]:
    """Starts a process a core for as long as the block lasts, if there is enough to do."""
    if bytes_to_read < WORTH_BYTES:
        yield None
        return
    pool = ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))  # a fork would copy the locks of other threads
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@cache
def _checker(table: Table) -> RecordChecker:
    return RecordChecker(table)


def _count_good(table: Table, lines: bytes) -> int | None:
    return _checker(table).count_good(lines)
