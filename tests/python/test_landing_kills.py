"""A load that is killed at any moment leaves each table as it was or as it shall be; the next load makes it whole."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse import ledger
from landing_helpers import EVENTS, READINGS, assert_books_balance, landed, load, put, state_of


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
    clean = state_of(tmp_path / "clean")
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
        assert state_of(zone) == clean, f"killed at {moment}"
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
        assert state_of(zone) == state_of(tmp_path / "clean"), f"killed at {moment}"


def test_a_killed_load_whose_source_goes_back_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    _first(source)
    load(source, tmp_path / "clean")
    clean = state_of(tmp_path / "clean")
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
        assert state_of(zone) == clean, f"killed at {moment}"
    pytest.fail("the load has no end")
