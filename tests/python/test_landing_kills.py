"""A load that is killed at any moment leaves each table as it was or as it shall be; the next load makes it whole."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.landing import ledger
from lakehouse.records.pool import AHEAD_BYTES, ParallelChecker, checking_processes, usable_processors
from landing_helpers import (
    EVENTS,
    PATIENCE_SECONDS,
    READINGS,
    assert_books_balance,
    facts_of,
    landed,
    load,
    put,
)
from real_data import PROJECT_DIR


class _KilledError(BaseException):
    """Stands for a kill: nothing in the loader may catch it."""


@pytest.fixture(autouse=True)
def same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "now_ms", lambda: 1)


def _kill_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Kills at the given call of anything that makes a change on the disk."""
    calls = 0

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            nonlocal calls
            calls += 1
            if calls == moment:
                raise _KilledError
            return function(*args, **kwargs)

        return call

    for name in ("replace", "unlink", "fsync", "rmdir"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))


def _first(source: Path) -> None:
    put(source, "readings/a/1.json", '{"id": 1}\nbroken\n')
    put(source, "readings/a/2.json", [{"id": 2}])
    put(source, "readings/b/1.json", [{"id": 3}])
    (source / "readings/c/1.json").unlink(missing_ok=True)
    put(source, "events/1.json", [{"id": 1}])


def _second(source: Path) -> None:
    put(source, "readings/a/1.json", '{"id": 11}\nbroken\nworse\n{"id": "x"}')
    (source / "readings/b/1.json").unlink()
    put(source, "readings/c/1.json", [{"id": 4}])
    put(source, "events/1.json", "broken")


def _seen(zone: Path) -> dict[str, list[bytes]]:
    return {table.name: landed(zone, table.name) for table in (READINGS, EVENTS)}


def test_a_killed_load_is_all_or_nothing_and_the_next_one_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    _first(source)
    load(source, tmp_path / "before")
    old = _seen(tmp_path / "before")
    _second(source)
    load(source, tmp_path / "clean", forget_vanished=True)
    clean = facts_of(tmp_path / "clean")
    new = _seen(tmp_path / "clean")
    survived = False
    moment = 0
    while not survived:
        moment += 1
        zone = tmp_path / f"zone{moment}"
        _first(source)
        load(source, zone)
        _second(source)
        with monkeypatch.context() as patch:
            _kill_at(patch, moment)
            try:
                load(source, zone, forget_vanished=True)
                survived = True
            except _KilledError:
                pass
        for table, records in _seen(zone).items():
            assert records in (old[table], new[table]), f"killed at {moment}"
        load(source, zone, forget_vanished=True)
        assert_books_balance(zone)
        assert facts_of(zone) == clean, f"killed at {moment}"
    assert moment >= 20


def test_a_killed_first_load_leaves_a_zone_that_the_next_one_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    _first(source)
    load(source, tmp_path / "clean")
    for moment in range(1, 25):
        zone = tmp_path / f"zone{moment}"
        with monkeypatch.context() as patch:
            _kill_at(patch, moment)
            with pytest.raises(_KilledError):
                load(source, zone)
        load(source, zone)
        assert facts_of(zone) == facts_of(tmp_path / "clean"), f"killed at {moment}"


def test_a_killed_load_whose_source_goes_back_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    _first(source)
    load(source, tmp_path / "clean")
    clean = facts_of(tmp_path / "clean")
    for moment in range(1, 200):
        zone = tmp_path / f"zone{moment}"
        _first(source)
        load(source, zone)
        _second(source)
        with monkeypatch.context() as patch:
            _kill_at(patch, moment)
            try:
                load(source, zone)
            except _KilledError:
                pass
            else:
                return
        _first(source)
        load(source, zone, forget_vanished=True)
        assert_books_balance(zone)
        assert facts_of(zone) == clean, f"killed at {moment}"
    pytest.fail("the load has no end")


LOAD_THAT_WAITS = """
import sys, threading
from multiprocessing import active_children
from lakehouse.records import pool
from lakehouse.landing.parts import PartUploader
from landing_helpers import SMALL
from lakehouse.landing.load import land

def wait(uploader):
    print(*(process.pid for process in active_children()), flush=True)
    threading.Event().wait()

if __name__ == "__main__":
    pool.WORTH_BYTES = 0
    PartUploader.wait = wait
    land([sys.argv[1]], sys.argv[2], SMALL)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_that_check_records_end_with_a_load_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    put(tmp_path, "source/readings/a/1.json", [{"id": number} for number in range(100_000)])
    script = tmp_path / "load.py"
    script.write_text(LOAD_THAT_WAITS)
    command = [sys.executable, str(script), str(tmp_path / "source"), str(tmp_path / "zone")]
    settings = {**os.environ, "PYTHONPATH": str(PROJECT_DIR / "tests/python")}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = process.stdout.readline().split()
        assert workers
        assert all(map(is_at_work, workers))
        process.send_signal(number)
    until = time.monotonic() + PATIENCE_SECONDS
    while left := list(filter(is_at_work, workers)):
        assert time.monotonic() < until, f"processes {left} are left"
        time.sleep(0.05)


def is_at_work(pid: str) -> bool:
    """Whether a process is there, and is not a dead one that nobody has taken note of."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_a_load_takes_as_many_processors_as_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_processors() == 2
    with checking_processes(1 << 30) as pool:
        assert pool is not None
        assert pool._max_workers == 2  # type: ignore[attr-defined]  # how many it starts, it does not tell
        assert ParallelChecker(READINGS, pool).bytes_ahead == 2 * AHEAD_BYTES
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_processors() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_processors() == 1
