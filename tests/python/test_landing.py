import calendar
import fcntl
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import Column, Table
from lakehouse.errors import LandingError, RejectLimitError
from lakehouse.landing import ledger, parts, plan
from lakehouse.landing import load as landing
from lakehouse.landing.ledger_formats import LEDGER_FORMAT
from lakehouse.landing.load import land
from lakehouse.landing.parts import PartUploader, is_part, load_of, name_load
from lakehouse.landing.report import print_summary
from lakehouse.records import pool
from lakehouse.records import read as reading
from lakehouse.records.fetch import ReadAhead
from lakehouse.storage import source_files
from lakehouse.storage.folder import Claim, Fetched, Say
from lakehouse.storage.local import LocalFolder
from landing_helpers import (
    READINGS,
    SMALL,
    TABLES,
    assert_books_balance,
    assert_nothing_is_left_over,
    content_of,
    ids,
    landed,
    ledger_of,
    load,
    put,
    quarantined,
    state_of,
)
from real_data import PROJECT_DIR, SMALL_FILES, UDACITY, needs_real_data

pytestmark = pytest.mark.quick


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    put(folder, "readings/a/1.json", [{"id": 1}, {"id": 2}])
    put(folder, "readings/a/2.json", [{"id": 3}])
    put(folder, "readings/b/1.json", [{"id": 4}])
    put(folder, "events/1.json", [{"id": 1, "text": "x"}])
    return folder


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    return tmp_path / "zone"


def test_lands_every_record_as_it_is_in_parts_by_group(source: Path, zone: Path) -> None:
    report = load(source, zone)
    assert report.tables["readings"].records_landed == 4
    assert sorted(landed(zone)) == [b'{"id": 1}', b'{"id": 2}', b'{"id": 3}', b'{"id": 4}']
    folders = [row["object_key"].rpartition("/")[0] for row in ledger_of(zone)]
    assert folders == ["readings/landing/part=a", "readings/landing/part=a", "readings/landing/part=b"]
    assert_books_balance(zone)


def test_the_books_have_the_declared_columns(source: Path, zone: Path) -> None:
    put(source, "readings/a/3.json", "no JSON")
    load(source, zone)
    for book, rows in {"ledger": ledger_of(zone), "quarantine": quarantined(zone)}.items():
        assert list(rows[0]) == [column.name for column in TABLES[book].columns]


def test_a_second_load_moves_nothing(source: Path, zone: Path) -> None:
    load(source, zone)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in zone.rglob("*.json*")}
    report = load(source, zone)
    assert not report.changed
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in zone.rglob("*.json*")} == before


def test_the_same_input_gives_the_same_bytes_under_other_names(
    source: Path, zone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "now_ms", lambda: 1)
    load(source, zone)
    load(source, tmp_path / "other")
    assert state_of(zone) == state_of(tmp_path / "other")


def test_a_changed_file_replaces_what_it_said_and_leaves_other_groups_alone(source: Path, zone: Path) -> None:
    load(source, zone)
    before = ledger_of(zone)
    put(source, "readings/a/1.json", [{"id": 9}])
    report = load(source, zone)
    assert (report.tables["readings"].files["changed"], report.tables["readings"].parts_written) == (1, 2)
    assert ids(zone) == [3, 4, 9]
    after = ledger_of(zone)
    assert after[2] | {"written_by": ""} == before[2] | {"written_by": ""}
    assert after[1]["landed_at"] == before[1]["landed_at"] < after[0]["landed_at"]
    assert_books_balance(zone)


def test_what_a_load_replaced_is_there_for_readers_until_the_next_load(source: Path, zone: Path) -> None:
    load(source, zone)
    replaced = {row["object_key"] for row in ledger_of(zone)[:2]}
    put(source, "readings/a/1.json", [{"id": 9}])
    load(source, zone)
    assert all((zone / key).exists() for key in replaced)
    assert not load(source, zone).changed
    assert_nothing_is_left_over(zone)


def test_a_load_step_by_step_lands_what_a_load_at_once_does(source: Path, zone: Path, tmp_path: Path) -> None:
    late = source / "readings/a/1.json"
    content = late.read_bytes()
    late.unlink()
    load(source, zone)
    late.write_bytes(content)
    load(source, zone)
    load(source, tmp_path / "at_once")
    assert sorted(landed(zone)) == sorted(landed(tmp_path / "at_once"))
    assert_books_balance(zone)


def test_a_part_that_was_deleted_is_written_again(source: Path, zone: Path) -> None:
    load(source, zone)
    next(zone.glob("readings/landing/part=b/2*")).unlink()
    assert load(source, zone).changed
    assert ids(zone) == [1, 2, 3, 4]


def test_the_rows_of_a_quarantine_are_looked_through_once(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = 200
    for number in range(files):
        put(source, f"readings/a/{number}.json", [{"id": number}, {"id": str(number)}])
    load(source, zone)
    put(source, "readings/a/0.json", [{"id": -1}])
    looked_at = 0

    def key(row: ledger.QuarantinedRecord) -> tuple[str, str]:
        nonlocal looked_at
        looked_at += 1
        return row.source, row.source_file

    monkeypatch.setattr(ledger.QuarantinedRecord, "key", property(key))
    load(source, zone)
    assert 0 < looked_at <= 10 * files
    assert_books_balance(zone)


def test_a_quarantine_that_was_deleted_is_written_again(source: Path, zone: Path) -> None:
    put(source, "readings/a/3.json", "no JSON")
    load(source, zone)
    before = quarantined(zone)
    (zone / ledger_of(zone)[2]["quarantine_key"]).unlink()
    load(source, zone)
    assert quarantined(zone) == before
    assert_books_balance(zone)


def test_files_are_packed_up_to_the_size_of_a_part(source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PART_BYTES", 40)
    for number in range(6):
        put(source, f"readings/a/{number}.json", [{"id": number, "level": 0.5}])
    load(source, zone)
    assert len(list(zone.glob("readings/landing/part=a/*"))) == 6
    put(source, "readings/a/0.json", [{"id": 100}])
    put(source, "readings/a/3.json", [{"id": 103}])
    monkeypatch.setattr(plan, "MAX_PART_BYTES", 60)
    load(source, zone)
    assert ids(zone) == [1, 2, 4, 4, 5, 100, 103]
    assert_books_balance(zone)


def test_one_more_file_writes_one_part_and_leaves_the_others(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PART_BYTES", 40)
    for number in range(6):
        put(source, f"readings/a/{number}.json", [{"id": number, "level": 0.5}])
    load(source, zone)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in zone.rglob("*.gz")}
    put(source, "readings/a/6.json", [{"id": 6, "level": 0.5}])
    assert load(source, zone).tables["readings"].parts_written == 1
    after = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in zone.rglob("*.gz")}
    assert (len(after), {path: after.get(path) for path in before}) == (len(before) + 1, before)
    assert ids(zone) == [0, 1, 2, 3, 4, 4, 5, 6]
    assert_books_balance(zone)


def grow_once_listed(monkeypatch: pytest.MonkeyPatch, grow: Callable[[], object]) -> None:
    """Lets somebody write to a source after its files are listed, and before they are read."""

    def look_and_grow(*arguments: Any) -> Any:  # noqa: ANN401
        found = source_files.look_into(*arguments)
        grow()
        return found

    monkeypatch.setattr(landing, "look_into", look_and_grow)


def test_a_file_that_grows_once_it_is_listed_is_landed_with_its_true_size(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = source / "readings/b/1.json"
    with monkeypatch.context() as patch:
        grow_once_listed(patch, lambda: put(source, "readings/b/1.json", [{"id": 4}, {"id": 5}]))
        load(source, zone)
    assert ledger_of(zone)[2]["source_bytes"] == file.stat().st_size
    report = load(source, zone)
    assert (report.changed, report.tables["readings"].files["unchanged"]) == (False, 3)


def test_a_file_that_was_empty_when_it_was_listed_is_a_copy_if_it_is_one_now(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "readings/b/2.json", b"")
    with monkeypatch.context() as patch:
        grow_once_listed(patch, lambda: put(source, "readings/b/2.json", [{"id": 4}]))
        load(source, zone)
    assert ids(zone) == [1, 2, 3, 4]
    assert not load(source, zone).changed


def test_a_zone_whose_ledger_is_gone_is_refused_and_loses_nothing(source: Path, zone: Path, tmp_path: Path) -> None:
    load(source, zone)
    (zone / "loader/ledger/readings.json").unlink()
    before = content_of(zone)
    put(tmp_path / "other", "readings/b/9.json", [{"id": 9}])
    with pytest.raises(LandingError, match=r"readings/landing holds parts, but loader/ledger/readings\.json is gone"):
        load(tmp_path / "other", zone)
    assert content_of(zone) == before


def test_files_of_other_programs_are_left_alone(source: Path, zone: Path) -> None:
    load(source, zone)
    name = "20180101T000000Z-0123456789ab-00001.json.gz"
    others = [
        put(zone, path, "x")
        for path in (
            "readings/landing/from_another_tool.json.gz",
            f"readings/landing/part=a/{'1' * 64}.json.gz",
            "readings/landing/part=a/notes.txt",
            "notes/.mine.tmp",
            "notes/.mine.json.tmp",
            f"notes/{name}",
        )
    ]
    folders = [zone / "notes/.dir.tmp", zone / f"readings/landing/.{name}.tmp"]
    for folder in folders:
        folder.mkdir()
    own = [
        put(zone, path, "x")
        for path in (
            f"readings/landing/part=a/.{name}.tmp",
            f"readings/landing/part=a/{name}",
            f"loader/quarantine/readings/{name}",
            f"loader/quarantine/readings/.{name}.tmp",
            "loader/ledger/.readings.json.tmp",
        )
    ]
    load(source, zone)
    assert all(path.exists() for path in (*others, *folders))
    assert not any(path.exists() for path in own)
    assert ids(zone) == [1, 2, 3, 4]


def test_what_a_load_writes_leaves_no_temporary_file_that_a_later_load_would_not_know(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "readings/a/3.json", "broken")
    written = []
    replace = Path.replace

    def copy_and_replace(path: Path, target: Path) -> Path:
        content = path.read_bytes()
        replaced = replace(path, target)
        path.write_bytes(content)
        written.append(path)
        return replaced

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", copy_and_replace)
        load(source, zone)
    assert len(written) > 5
    load(source, zone)
    assert_books_balance(zone)


def test_every_new_folder_is_made_durable(source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = set()
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    load(source, zone)
    folders = [path for path in zone.rglob("*") if path.is_dir() and any(path.iterdir())]
    assert len(folders) > 5
    assert [path for path in (zone.parent, zone, *folders) if path.stat().st_ino not in synced] == []


def test_a_load_that_stops_half_way_lets_go_of_what_it_had_packed(source: Path, zone: Path) -> None:
    put(source, "readings/a/3.json", "broken")
    code = (
        "import sys\n"
        "from landing_helpers import SMALL\n"
        "from lakehouse.errors import RejectLimitError\n"
        "from lakehouse.landing.load import land\n"
        "try:\n"
        "    land([sys.argv[1]], sys.argv[2], SMALL, max_rejects=0)\n"
        "except RejectLimitError:\n"
        "    print('stopped')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT_DIR / "tests/python")}
    command = [sys.executable, "-X", "dev", "-c", code, str(source), str(zone)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("stopped\n", "")  # the dev mode would tell of a file that was left open


# --- files that vanish, and copies


def test_a_vanished_file_stays_landed_even_when_its_group_changes(source: Path, zone: Path) -> None:
    put(source, "readings/a/1.json", '{"id": 1}\nbroken\n{"id": 2}')
    load(source, zone)
    (source / "readings/a/1.json").unlink()
    put(source, "readings/a/2.json", [{"id": 33}])
    report = load(source, zone)
    assert [path.rpartition("/")[2] for path in report.tables["readings"].vanished] == ["1.json"]
    assert ids(zone) == [1, 2, 4, 33]
    assert [row["source_file"] for row in quarantined(zone)] == ["readings/a/1.json"]
    report = load(source, zone, forget_vanished=True)
    assert len(report.tables["readings"].forgotten) == 1
    assert ids(zone) == [4, 33]
    assert_books_balance(zone)


def test_a_vanished_file_whose_part_is_gone_too_stops_the_load(source: Path, zone: Path) -> None:
    load(source, zone)
    (source / "readings/b/1.json").unlink()
    next(zone.glob("readings/landing/part=b/2*")).unlink()
    with pytest.raises(LandingError, match=r"readings/b/1\.json are gone from the landing zone"):
        load(source, zone)
    load(source, zone, forget_vanished=True)
    assert ids(zone) == [1, 2, 3]


def test_a_source_that_is_not_named_stays_landed(source: Path, zone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    put(other, "readings/a/1.json", [{"id": 7}])
    load(source, zone)
    load(other, zone, forget_vanished=True)
    assert ids(zone) == [1, 2, 3, 4, 7]
    assert not load([source, other], zone).changed
    assert_books_balance(zone)


@pytest.mark.parametrize("is_copied", [False, True])
def test_a_source_that_moved_is_known(
    source: Path, zone: Path, tmp_path: Path, is_copied: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its folder is gone, and another one has its files: nothing is landed again, and nothing is a copy."""
    put(source, "readings/b/2.json", [{"id": 1}, {"id": 2}])  # a copy within the source stays one
    load(source, zone)
    objects, times = landed_objects(zone), [row["landed_at"] for row in ledger_of(zone)]
    moved = tmp_path / "elsewhere"
    if is_copied:
        shutil.copytree(source, moved, copy_function=shutil.copyfile)
        shutil.rmtree(source)
    else:
        source.rename(moved)
    put(moved, "readings/c/1.json", [{"id": 5}])
    report = load(moved, zone)
    readings = report.tables["readings"]
    assert (readings.moved, readings.parts_written) == ({str(moved): str(source)}, 1)
    assert (readings.files["new"], readings.files["unchanged"], readings.files["not named"]) == (1, 4, 0)
    assert (readings.records_new, readings.records_landed) == (1, 5)
    assert list(readings.copies) == [f"{moved}/readings/b/2.json"]
    assert set(landed_objects(zone)) > set(objects)
    assert {row["source"] for table in SMALL for row in ledger_of(zone, table)} == {str(moved)}
    assert [row["landed_at"] for row in ledger_of(zone)][:-1] == times
    print_summary(report, ConsoleReporter())
    printed = capsys.readouterr().out
    assert f"note: {moved} was {source} before" in printed
    assert printed.count("warning") == 1  # of the copy
    put(moved, "readings/a/1.json", [{"id": 9}])  # takes the place of what the file held before the move
    assert not load(moved, zone).tables["readings"].moved
    assert ids(zone) == [1, 2, 3, 4, 5, 9]
    assert not load(moved, zone).changed
    assert_books_balance(zone)


@pytest.mark.parametrize("otherwise", ["still there", "a file less", "a file of another content", "a quarantine"])
def test_what_may_be_another_source_is_one(source: Path, zone: Path, tmp_path: Path, otherwise: str) -> None:
    """What it gave stays landed, and what both have is landed once."""
    other = tmp_path / "elsewhere"
    if otherwise == "a quarantine":  # what was decided about its records hangs on the name of the source
        put(source, "readings/b/3.json", "broken")
    load(source, zone)
    shutil.copytree(source, other)
    if otherwise != "still there":
        shutil.rmtree(source)
    if otherwise == "a file less":
        (other / "readings/a/2.json").unlink()
    if otherwise == "a file of another content":
        put(other, "readings/a/2.json", [{"id": 8}])
    readings = load(other, zone).tables["readings"]
    assert (readings.moved, readings.files["not named"]) == ({}, 4 if otherwise == "a quarantine" else 3)
    assert ids(zone) == ([1, 2, 3, 4, 8] if otherwise == "a file of another content" else [1, 2, 3, 4])
    assert_books_balance(zone)


def test_a_copy_is_landed_once_and_takes_over_when_its_original_changes(source: Path, zone: Path) -> None:
    put(source, "readings/b/0.json", '{"id": 1}\n{"id": 2}\nbroken')
    put(source, "readings/a/1.json", '{"id": 1}\n{"id": 2}\nbroken')
    report = load(source, zone)
    assert list(report.tables["readings"].copies) == [f"{source}/readings/b/0.json"]
    copy = ledger_of(zone)[2]
    assert (copy["copy_of"], copy["object_key"], copy["records_found"]) == ("readings/a/1.json", None, 0)
    assert ids(zone) == [1, 2, 3, 4]
    put(source, "readings/a/1.json", [{"id": 5}])
    load(source, zone)
    assert ids(zone) == [1, 2, 3, 4, 5]
    assert [row["source_file"] for row in quarantined(zone)] == ["readings/b/0.json"]
    assert_books_balance(zone)


def test_a_copy_in_a_source_that_is_not_named_takes_over_from_a_forgotten_original(
    source: Path, zone: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    put(other, "readings/a/copy.json", (source / "readings/b/1.json").read_bytes())
    load([source, other], zone)
    assert [row["copy_of"] for row in ledger_of(zone) if row["copy_of"]] == [f"{source}/readings/b/1.json"]
    (source / "readings/b/1.json").unlink()
    load(source, zone, forget_vanished=True)
    assert ids(zone) == [1, 2, 3, 4]
    assert_books_balance(zone)


def test_a_copy_takes_over_when_the_part_of_its_vanished_original_is_lost(
    source: Path, zone: Path, tmp_path: Path
) -> None:
    load(source, zone)
    put(tmp_path / "other", "readings/a/copy.json", (source / "readings/b/1.json").read_bytes())
    load([source, tmp_path / "other"], zone)
    (source / "readings/b/1.json").unlink()
    next(zone.glob("readings/landing/part=b/2*")).unlink()
    load([source, tmp_path / "other"], zone)
    assert ids(zone) == [1, 2, 3, 4]
    assert {row["source_file"]: row["copy_of"] for row in ledger_of(zone) if row["copy_of"]} == {
        "readings/b/1.json": f"{tmp_path}/other/readings/a/copy.json"
    }
    assert_books_balance(zone)


def test_a_file_that_is_landed_stays_the_original(source: Path, zone: Path) -> None:
    load(source, zone)
    put(source, "readings/a/0.json", (source / "readings/b/1.json").read_bytes())
    load(source, zone)
    assert [row["copy_of"] for row in ledger_of(zone)] == ["readings/b/1.json", None, None, None]


def test_files_that_differ_in_blanks_only_are_no_copies_and_have_parts_of_their_own(zone: Path, tmp_path: Path) -> None:
    put(tmp_path / "one", "readings/a/1.json", '{"id":1}\n')
    put(tmp_path / "two", "readings/a/1.json", '{"id":1}')
    load([tmp_path / "one", tmp_path / "two"], zone)
    assert ids(zone) == [1, 1]
    assert_books_balance(zone)


# --- bad input


def test_every_kind_of_bad_record_is_in_the_quarantine_with_file_line_and_reason(source: Path, zone: Path) -> None:
    put(source, "readings/a/text.json", "this is no JSON\nat all\n")
    put(
        source,
        "readings/a/wrong.json",
        '{"id":1}\n{"id":"x"}\n{"name":"n"}\n{"id":3000000000}\n{"id":1,"name":"\\u0000"}\n',
    )
    put(source, "readings/a/utf8.json", b'{"id":1,"name":"\xff"}')
    report = load(source, zone)
    assert [(row["source_file"], row["line"], row["reason"][:24]) for row in quarantined(zone)] == [
        ("readings/a/text.json", 1, "not JSON: Expecting valu"),
        ("readings/a/utf8.json", 1, "not UTF-8: byte 0xff at "),
        ("readings/a/wrong.json", 2, "column id: 'x' is a stri"),
        ("readings/a/wrong.json", 3, "key id is missing"),
        ("readings/a/wrong.json", 4, "column id: 3000000000 is"),
        ("readings/a/wrong.json", 5, "text '\\x00' holds the ch"),
    ]
    assert len(report.rejects) == 6
    assert_books_balance(zone)


def test_empty_files_are_reported_and_landed_as_nothing(source: Path, zone: Path) -> None:
    put(source, "readings/a/0.json", b"")
    put(source, "readings/c/0.json", b"")
    report = load(source, zone)
    assert len(report.tables["readings"].empty) == 2
    assert not report.tables["readings"].copies
    assert_books_balance(zone)


def test_a_table_without_files_gets_books_and_a_part_that_duckdb_reads(zone: Path, tmp_path: Path) -> None:
    put(tmp_path / "s", "events/1.json", [{"id": 1}])
    load(tmp_path / "s", zone)
    assert ledger_of(zone) == []
    glob = f"{zone}/readings/landing/**/*.json.gz"
    assert duckdb.sql(f"select count(*) from read_json('{glob}', columns={{id: 'integer'}})").fetchall() == [(0,)]  # noqa: S608
    put(tmp_path / "s", "readings/1.json", [{"id": 1}])
    load(tmp_path / "s", zone)
    assert_books_balance(zone)


def test_undeclared_keys_are_reported_and_landed(source: Path, zone: Path) -> None:
    put(source, "readings/b/1.json", '{"id":1}\n{"id":2,"new":1}\n{"id":3,"new":2}')
    (drift,) = load(source, zone).tables["readings"].drift
    assert (drift.key, drift.records, drift.first_seen) == ("new", 2, "readings/b/1.json:2")
    assert b'{"id":3,"new":2}' in landed(zone)


def test_of_many_undeclared_keys_the_first_hundred_are_told(
    source: Path, zone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(source, "readings/a/1.json", [{"id": number, f"user {number // 2}": 1, "too": 2} for number in range(5000)])
    report = load(source, zone)
    readings = report.tables["readings"]
    assert [drift.key for drift in readings.drift] == ["user 0", "too", *(f"user {number}" for number in range(1, 99))]
    assert sum(drift.records for drift in readings.drift) + readings.more_drift == 10_000
    print_summary(report, ConsoleReporter())
    told = capsys.readouterr().out
    assert told.count("is not declared") == 10
    assert f"readings: more keys are not declared: records have them {10_000 - 5_000 - 2 * 99:,} times" in told


@pytest.mark.parametrize(
    "name", ["with space", "quote'\"", "100%", "a%20b", "ünï", "日本", "new\nline", "[red]", "{x}"]
)
def test_odd_file_names(source: Path, zone: Path, name: str) -> None:
    put(source, f"readings/{name}/{name}.json", '{"id":1}\nbroken')
    load(source, zone)
    assert quarantined(zone)[0]["source_file"] == f"readings/{name}/{name}.json"
    assert not load(source, zone).changed
    assert_books_balance(zone)


@pytest.mark.parametrize("record", ['{"id":100}', '{"id":"100"}\n'], ids=["no last line break", "quarantine"])
def test_a_pack_that_fills_several_parts_stays_as_it_is(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    for module in (parts, plan):
        monkeypatch.setattr(module, "MAX_PART_BYTES", 1000)
    for number in range(100):
        put(source, f"readings/a/{number}.json", record.replace("100", str(100 + number)))
    load(source, zone)
    keys = {(row["object_key"], row["quarantine_key"]) for row in ledger_of(zone)}
    assert len(keys) > 2
    assert not load(source, zone).changed
    assert {(row["object_key"], row["quarantine_key"]) for row in ledger_of(zone)} == keys
    assert_books_balance(zone)


def test_a_load_may_write_more_than_a_hundred_thousand_parts(tmp_path: Path) -> None:
    with PartUploader(LocalFolder(tmp_path), name_load()) as uploader:
        uploader.written.extend(["another"] * 99_999)
        key = uploader.begin("readings/landing").key
        assert is_part(key)
        assert load_of(key) in key


def test_a_file_that_another_load_landed_meanwhile_has_not_vanished(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(source, zone)
    exclusive = LocalFolder.exclusive

    def after_another_load(folder: LocalFolder, say: Say) -> AbstractContextManager[Claim]:
        monkeypatch.setattr(LocalFolder, "exclusive", exclusive)
        put(source, "readings/a/3.json", [{"id": 30}])
        load(source, zone)
        return exclusive(folder, say)

    monkeypatch.setattr(LocalFolder, "exclusive", after_another_load)
    report = load(source, zone, forget_vanished=True)
    assert (report.changed, ids(zone)) == (False, [1, 2, 3, 4, 30])


def test_odd_group_names_are_safe_folder_names(source: Path, zone: Path) -> None:
    table = Table("t", "s", "t/landing", (), ("t/**/*.json",), "t/([^/]+)/")
    put(source, "t/a=b c%/1.json", [{"id": 1}])
    land([source], zone, {"t": table})
    assert ledger_of(zone, "t")[0]["object_key"].startswith("t/landing/part=a%3Db c%25/")


def test_a_group_too_long_for_a_folder_name_gives_its_fingerprint(source: Path, zone: Path) -> None:
    table = Table("t", "s", "t/landing", (), ("t/**/*.json",), "t/([^/]+)/")
    longest, too_long = "a" * 200, "日本語の名前" * 6
    put(source, f"t/{longest}/1.json", [{"id": 1}])
    put(source, f"t/{too_long}/1.json", [{"id": 2}])
    land([source], zone, {"t": table})
    assert [row["object_key"].rpartition("/")[0] for row in ledger_of(zone, "t")] == [
        f"t/landing/part={longest}",
        f"t/landing/part={hashlib.sha256(too_long.encode()).hexdigest()}",
    ]
    assert not land([source], zone, {"t": table}).changed


def test_a_folder_name_that_is_not_utf8_is_refused(tmp_path: Path, zone: Path) -> None:
    put(tmp_path / "\udcff", "readings/a/1.json", [{"id": 1}])
    with pytest.raises(LandingError, match=r"the folder name .*udcff' is not UTF-8: rename the folder"):
        load(tmp_path / "\udcff", zone)
    assert not zone.exists()


@pytest.mark.parametrize("kind", ["link to nowhere", "pipe"])
def test_a_match_that_is_no_regular_file_is_refused(source: Path, zone: Path, kind: str) -> None:
    odd = source / "readings/a/odd.json"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/nowhere")
    with pytest.raises(LandingError, match=r"readings/a/odd\.json is no regular file"):
        load(source, zone)
    assert content_of(zone) == {}
    odd.rename(odd.with_suffix(".txt"))
    load(source, zone)


def test_a_file_name_that_is_not_utf8_is_refused(source: Path, zone: Path) -> None:
    put(source, "readings/a/\udcff.json", [{"id": 1}])
    with pytest.raises(LandingError, match="is not UTF-8: rename the file"):
        load(source, zone)


def test_hidden_files_are_not_data_and_links_within_a_source_are_followed_once(source: Path, zone: Path) -> None:
    """As files are mounted in containers: links to files in a hidden folder, which is replaced as a whole."""
    put(source, "readings/a/.1.json.swp.json", "junk")
    put(source, "readings/.ipynb_checkpoints/1.json", "junk")
    put(source, "readings/.version_7/50.json", [{"id": 50}])
    (source / "readings/..data").symlink_to(source / "readings/.version_7")
    (source / "readings/50.json").symlink_to("..data/50.json")
    (source / "readings/loop").symlink_to(source / "readings")
    (source / "readings/twice").symlink_to(source / "readings/a")
    report = load(source, zone)
    assert ids(zone) == [1, 2, 3, 4, 50]
    assert report.leading_out == []


def test_links_that_lead_out_of_a_source_are_told_and_not_followed(source: Path, zone: Path, tmp_path: Path) -> None:
    """To whoever may put a link into a source, everything would be open that the loader may read."""
    put(tmp_path / "elsewhere/a", "1.json", [{"id": 50}])
    (source / "readings/folder").symlink_to(tmp_path / "elsewhere")
    (source / "readings/by way of").symlink_to("folder/a")
    (source / "readings/file.json").symlink_to(tmp_path / "elsewhere/a/1.json")
    (source / "readings/up").symlink_to("..")
    (source / "readings/above").symlink_to("../..")
    (source / "readings/beside").symlink_to(f"{source}/../{source.name}")
    report = load(source, zone)
    assert ids(zone) == [1, 2, 3, 4]
    links = ("above", "by way of", "file.json", "folder")
    assert sorted(report.leading_out) == [f"{source}/readings/{link}" for link in links]
    lone = tmp_path / "lone"
    (lone / "readings").mkdir(parents=True)
    (lone / "readings/file.json").symlink_to(tmp_path / "elsewhere/a/1.json")
    with pytest.raises(LandingError, match=r"nothing to land in .*lone.*\n.*\n.*\n1 links lead out of it"):
        load(lone, zone)


def test_what_cannot_be_loaded_is_said_and_leaves_the_zone_empty(source: Path, zone: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    file = put(tmp_path, "file.json", "{}")
    cases: list[tuple[list[str | Path], str | Path, str]] = [
        ([tmp_path / "missing"], zone, r"source folder .*missing does not exist: check"),
        ([file], zone, r"file\.json is a file: name the folder"),
        ([empty], zone, r"nothing to land in .*empty: no file matches any of\n  readings/"),
        ([source, empty], zone, "nothing to land in .*empty"),
        ([source], source / "zone", "lie one in the other"),
        ([source], tmp_path, "lie one in the other"),
        (["/"], tmp_path / "zone", "lie one in the other"),
        ([source], file, r"landing zone .*file\.json is a file"),
        ([], zone, "no source is named"),
        ([source], "", "a location is empty"),
        ([""], zone, "a location is empty"),
        (["ftp://bucket/prefix"], zone, "ftp:// is not known"),
        ([source], "ftp://bucket/zone", "ftp:// is not known"),
    ]
    for sources, target, message in cases:
        with pytest.raises(LandingError, match=message):
            land(sources, target, SMALL)
    assert content_of(zone) == {}


def test_a_file_that_cannot_be_read_is_named(source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: LocalFolder, key: str, *stretch: object) -> Fetched:
        if key.startswith("loader/"):
            raise FileNotFoundError
        raise PermissionError(13, "Permission denied", f"{folder.location}/{key}")

    monkeypatch.setattr(LocalFolder, "fetch", refuse)
    with pytest.raises(LandingError, match=r"readings/a/1\.json: Permission denied"):
        load(source, zone)


def test_a_second_loader_is_refused(source: Path, zone: Path) -> None:
    load(source, zone)
    with (zone / "loader/.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LandingError, match=r"another load \(process \d+\) is writing to .*zone: wait"):
            load(source, zone)
    load(source, zone)


@pytest.mark.parametrize(
    "content",
    ["{}\n", "{\n", '{"ledger_format": 2}\n', '{"ledger_format": 0}\n', '{}\n{"ledger_format": 2}\n', "\xff\n"],
)
def test_a_damaged_ledger_is_refused_by_words_that_bring_nobody_back(source: Path, zone: Path, content: str) -> None:
    load(source, zone)
    (zone / "loader/ledger/readings.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(
        LandingError, match=r"readings\.json(, line 1)? is damaged .*: restore it; .*erase again"
    ) as refused:
        load(source, zone)
    assert "delete" not in str(refused.value)


def test_a_ledger_that_a_newer_version_wrote_is_left_alone(source: Path, zone: Path) -> None:
    load(source, zone)
    book = zone / "loader/ledger/readings.json"
    rows = [row | {"ledger_format": LEDGER_FORMAT + 1, "colour": "red"} for row in ledger_of(zone)]
    put(zone, "loader/ledger/readings.json", rows)
    before = book.read_bytes()
    with pytest.raises(LandingError, match=r"newer version of this project .* Nothing was changed"):
        load(source, zone)
    assert book.read_bytes() == before


def as_first_written(zone: Path, times: Mapping[str, int]) -> None:
    """Writes a ledger as it was in its first format, in which every file had a time of its own."""
    rows = [row | {"landed_at": times[row["source_file"]]} for row in ledger_of(zone)]
    put(zone, "loader/ledger/readings.json", [{key: row[key] for key in row if key != "ledger_format"} for row in rows])


def test_a_zone_of_an_older_version_is_brought_in_order_by_the_next_load(source: Path, zone: Path) -> None:
    for number in range(3, 6):
        put(source, f"readings/a/{number}.json", [{"id": 10 + number}, {"id": "bad"}])
    load(source, zone)
    began = calendar.timegm(time.strptime(load_of(ledger_of(zone)[0]["object_key"])[:16], "%Y%m%dT%H%M%SZ")) * 1000
    before, refused = sorted(landed(zone)), quarantined(zone)
    as_first_written(
        zone,
        {
            "readings/a/1.json": began - 70_000,  # by a load of which no part is left: a later one wrote its files anew
            "readings/a/2.json": began - 69_999,
            "readings/a/3.json": began + 3,
            "readings/a/4.json": began + 5,
            "readings/a/5.json": began + 9,
            "readings/b/1.json": began + 7,
        },
    )
    shutil.rmtree(source / "readings/a")  # nothing is read anew
    report = load(source, zone)
    assert report.tables["readings"].parts_written == 2
    rows = ledger_of(zone)
    assert [row["landed_at"] - began for row in rows] == [-69_999, -69_999, 9, 9, 9, 9]
    assert {row["ledger_format"] for row in rows} == {LEDGER_FORMAT}
    assert len({row["object_key"] for row in rows}) == 3
    assert (sorted(landed(zone)), quarantined(zone)) == (before, refused)
    assert_books_balance(zone)
    assert not load(source, zone).changed


def test_the_ledger_of_an_older_version_is_written_anew_where_its_parts_can_stay(source: Path, zone: Path) -> None:
    load(source, zone)
    files = dict.fromkeys((row["source_file"] for row in ledger_of(zone)), ledger_of(zone)[0]["landed_at"])
    as_first_written(zone, files)
    assert load(source, zone).tables["readings"].parts_written == 0
    assert {row["ledger_format"] for row in ledger_of(zone)} == {LEDGER_FORMAT}


def times(zone: Path) -> dict[str, int]:
    """When each file's content was landed."""
    return {row["source_file"].removeprefix("readings/"): row["landed_at"] for row in ledger_of(zone)}


def test_all_files_of_a_load_are_landed_at_one_time_later_than_those_of_the_load_before(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(source, zone)
    assert set(times(zone).values()) == {row["landed_at"] for row in ledger_of(zone, "events")}
    (first,) = set(times(zone).values())
    monkeypatch.setattr(ledger, "now_ms", lambda: 5)  # a clock that was set back
    put(source, "readings/a/3.json", [{"id": 5}])
    put(source, "readings/a/1.json", [{"id": 6}])
    load(source, zone)
    put(source, "readings/b/2.json", [{"id": 7}])
    load(source, zone)
    assert times(zone) == {
        "a/1.json": first + 1, "a/2.json": first, "a/3.json": first + 1, "b/1.json": first, "b/2.json": first + 2
    }  # fmt: skip
    assert_books_balance(zone)


def test_a_load_writes_no_part_anew_of_which_no_file_has_changed(source: Path, zone: Path) -> None:
    for number in range(5):
        before = {path: path.read_bytes() for path in zone.rglob("2*.gz")}
        put(source, f"readings/a/later{number}.json", [{"id": number}, {"id": "bad"}])
        load(source, zone)
        after = {path: path.read_bytes() for path in zone.rglob("2*.gz")}
        assert {path: after.get(path) for path in before} == before
    assert len({row["object_key"] for row in ledger_of(zone)}) == 6
    assert_books_balance(zone)


def test_what_stays_of_a_part_that_is_written_anew_keeps_its_time(source: Path, zone: Path, tmp_path: Path) -> None:
    put(source, "readings/a/3.json", [{"id": 5}, {"id": "bad"}])
    load(source, zone)
    (first,) = set(times(zone).values())
    (source / "readings/a/1.json").unlink()
    put(source, "readings/b/2.json", [{"id": 7}])
    load(source, zone, forget_vanished=True)
    second = times(zone)["b/2.json"]
    assert times(zone) == {"a/2.json": first, "a/3.json": first, "b/1.json": first, "b/2.json": second}
    lax = SMALL | {"readings": replace(READINGS, columns=(Column("id", "varchar(9)"), *READINGS.columns[1:]))}
    land([source], zone, lax, replay=True)
    assert (len(landed(zone)), len(quarantined(zone))) == (5, 0)
    assert times(zone) == {"a/2.json": first, "a/3.json": first, "b/1.json": first, "b/2.json": second}
    assert first < second
    assert_books_balance(zone, declared=lax)


def test_what_was_landed_under_another_name_keeps_its_time_and_what_comes_back_does_not(
    source: Path, zone: Path
) -> None:
    load(source, zone)
    (first,) = set(times(zone).values())
    one = source / "readings/a/1.json"
    content = one.read_bytes()
    one.rename(source / "readings/a/renamed.json")
    put(source, "readings/a/1.json", [{"id": 9}])  # a log that is rotated
    load(source, zone)
    second = times(zone)["a/1.json"]
    assert times(zone) == {"a/1.json": second, "a/2.json": first, "a/renamed.json": first, "b/1.json": first}
    (source / "readings/a/renamed.json").unlink()
    load(source, zone, forget_vanished=True)
    one.write_bytes(content)
    load(source, zone)
    assert first < second < times(zone)["a/1.json"]
    assert ids(zone) == [1, 2, 3, 4]
    assert_books_balance(zone)


def test_only_the_content_of_the_next_file_can_be_asked_for(source: Path) -> None:
    folder = LocalFolder(source)
    first, second = source_files.look_into(folder, [READINGS]).files["readings"][:2]
    with ReadAhead({folder.location: folder}, [first, second], lambda size: None) as ahead:
        assert list(ahead.content(first)) == [(source / first.source_file).read_bytes()]
        with pytest.raises(RuntimeError, match=r"2\.json is next"):
            list(ahead.content(first))


def test_what_follows_in_a_damaged_file_is_not_taken_for_the_next(source: Path, zone: Path) -> None:
    zipped = bytearray(gzip.compress(os.urandom(9 << 20), 0))
    zipped[12] ^= 0xFF  # in the head of what is stored; three blocks of the file are fetched
    put(source, "events/1.json", bytes(zipped))
    put(source, "events/2.json", b'{"id": 1}\n')
    load(source, zone)
    assert landed(zone, "events") == [b'{"id": 1}']
    first, second = ledger_of(zone, "events")
    assert (first["records_quarantined"], second["records_landed"]) == (1, 1)
    assert first["sha256"] == hashlib.sha256(zipped).hexdigest()
    assert not load(source, zone).changed


def test_a_damaged_part_is_refused(source: Path, zone: Path) -> None:
    load(source, zone)
    next(zone.glob("readings/landing/part=a/*")).write_bytes(b"no gzip")
    put(source, "readings/a/2.json", [{"id": 6}])
    with pytest.raises(LandingError, match="is damaged"):
        load(source, zone)


# --- options


def test_too_many_rejects_leave_the_zone_as_it_was(source: Path, zone: Path) -> None:
    load(source, zone)
    before = content_of(zone)
    put(source, "readings/a/1.json", '{"id":8}\nbroken\n{"id":9\n{"id":"x"}')
    with pytest.raises(RejectLimitError, match=r"more than 2 records were refused[^\n]*\n  readings/a/1.json:2: "):
        load(source, zone, max_rejects=2)
    assert content_of(zone) == before
    load(source, zone, max_rejects=3)
    assert_books_balance(zone)


def test_the_refused_records_that_are_shown_are_the_first_of_the_whole_load(source: Path, zone: Path) -> None:
    put(source, "readings/a/0.json", "broken\n{" * 4)
    put(source, "events/2.json", '{"id":"x"}\n' * 12)
    with pytest.raises(RejectLimitError) as raised:
        load(source, zone, max_rejects=8)
    shown = [line.split(": ")[0].strip() for line in str(raised.value).splitlines()[1:]]
    assert shown == [
        *(f"readings/a/0.json:{line}" for line in range(1, 6)),
        *(f"events/2.json:{line}" for line in range(1, 5)),
    ]
    with pytest.raises(RejectLimitError) as raised:
        load(source, zone, max_rejects=12)
    assert len(str(raised.value).splitlines()) == 11


def test_the_summary_counts_apart_what_is_unchanged_and_what_is_not_named(
    source: Path, zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(source, zone)
    put(tmp_path / "other", "readings/a/9.json", [{"id": 9}])
    print_summary(load(tmp_path / "other", zone), ConsoleReporter())
    printed = capsys.readouterr().out
    assert "readings: 3 files of sources that this load does not name: what they gave stays landed" in printed
    (row,) = [line for line in printed.splitlines() if re.search("readings +│", line)]
    assert re.findall(r"\d+", row) == ["4", "1", "0", "5", "1", "5", "0"]


def test_a_dry_run_tells_everything_and_writes_nothing(source: Path, zone: Path) -> None:
    put(source, "readings/a/3.json", "broken")
    report = load(source, zone, dry_run=True)
    assert (report.tables["readings"].records_landed, report.tables["readings"].records_quarantined) == (4, 1)
    assert not zone.exists()
    load(source, zone)
    before = content_of(zone)
    put(source, "readings/a/1.json", [{"id": 9}])
    assert load(source, zone, dry_run=True).changed
    assert content_of(zone) == before


# --- what is read, and how


def test_a_file_that_is_as_it_was_is_not_read_again(source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(source, zone)
    put(source, "readings/b/2.json", [{"id": 5}])
    read: list[str] = []
    fetch = LocalFolder.fetch

    def watched(folder: LocalFolder, key: str, *stretch: Any) -> Fetched:  # noqa: ANN401
        read.append(key)
        return fetch(folder, key, *stretch)

    monkeypatch.setattr(LocalFolder, "fetch", watched)
    load(source, zone)
    assert [key for key in read if key.startswith(("readings/b/", "readings/a/", "events/"))] == ["readings/b/2.json"]


def test_a_file_that_was_touched_or_copied_is_compared_and_not_landed_again(source: Path, zone: Path) -> None:
    load(source, zone)
    before = landed_objects(zone)
    content = (source / "readings/a/1.json").read_bytes()
    put(source, "readings/a/1.json", content)
    report = load(source, zone)
    assert (report.changed, report.tables["readings"].files["unchanged"]) == (False, 3)
    assert landed_objects(zone) == before


def test_a_file_of_the_same_size_and_time_is_landed_again_if_its_content_differs(source: Path, zone: Path) -> None:
    load(source, zone)
    file = source / "readings/b/1.json"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"4", b"7"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(source, zone).tables["readings"].files["changed"] == 1
    assert ids(zone) == [1, 2, 3, 7]


@pytest.mark.parametrize("name", ["3.json.gz", "3.json"])
def test_a_compressed_file_is_landed_unpacked(source: Path, zone: Path, name: str) -> None:
    put(source, f"readings/a/{name}", gzip.compress(b'{"id": 5}\n{"id": 6}\n'))
    load(source, zone)
    assert ids(zone) == [1, 2, 3, 4, 5, 6]
    assert_books_balance(zone)


def test_what_can_be_read_of_a_file_that_is_cut_short_is_landed_until_the_whole_comes(source: Path, zone: Path) -> None:
    content = "".join(f'{{"id": {number}, "level": {number**0.5}}}\n' for number in range(20_000)).encode()
    zipped = gzip.compress(content)
    put(source, "readings/c/1.json.gz", zipped[: len(zipped) // 2])
    report = load(source, zone)
    assert 4 < report.tables["readings"].records_landed < 20_000
    assert "ends early" in report.rejects[-1].reason
    assert_books_balance(zone)
    put(source, "readings/c/1.json.gz", zipped)
    report = load(source, zone)
    assert (report.tables["readings"].records_landed, report.tables["readings"].records_quarantined) == (20_004, 0)
    assert_books_balance(zone)


def test_a_large_file_fills_several_parts_that_change_together(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_PART_BYTES", 3_000)
    monkeypatch.setattr(plan, "MAX_PART_BYTES", 3_000)
    monkeypatch.setattr(reading, "RUN_BYTES", 500)
    large = [{"id": number, "name": "ab"} for number in range(1_000)]
    put(source, "readings/c/1.json", large)
    put(source, "readings/c/2.json", [{"id": 1_000}])
    load(source, zone)
    segments = [row for row in ledger_of(zone) if row["source_file"] == "readings/c/1.json"]
    assert len(segments) > 5
    assert [row["segment"] for row in segments] == list(range(len(segments)))
    assert ids(zone) == sorted([1, 2, 3, 4, *range(1_001)])
    assert_books_balance(zone)
    assert not load(source, zone).changed
    assert_nothing_is_left_over(zone)
    put(source, "readings/d/1.json", large)
    (source / "readings/c/1.json").unlink()
    load(source, zone, forget_vanished=True)  # its records are carried over, part by part
    assert ids(zone) == sorted([1, 2, 3, 4, *range(1_001)])
    assert_books_balance(zone)


def test_several_processes_find_what_one_finds(
    source: Path, zone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "now_ms", lambda: 1)
    monkeypatch.setattr(reading, "RUN_BYTES", 4_000)
    lines = [f'{{"id": {number}, "name": "é"}}' for number in range(5_000)]
    lines[1_234] = "broken"
    lines[2_345] = '{"id": 1,\n"name": "over two lines"}'
    lines[3_456] = '{"id": "x"}\r'
    put(source, "readings/c/1.json", "\n".join(lines))
    put(source, "readings/c/2.json", "\r\n".join(lines))
    load(source, zone)
    monkeypatch.setattr(pool, "WORTH_BYTES", 0)
    load(source, tmp_path / "parallel")
    assert state_of(tmp_path / "parallel") == state_of(zone)
    assert report_of(zone) == (2 * 4_997 + 4, 6)


# --- the quarantine, again


def test_records_that_a_new_declaration_takes_leave_the_quarantine(source: Path, zone: Path) -> None:
    put(
        source,
        "readings/a/1.json",
        '{"id": 1, "name": "nine char"}\n{"id": 2}\nbroken\n{"id": 3,\n"name": "a long name"}',
    )
    load(source, zone)
    assert report_of(zone) == (3, 3)
    longer = replace(READINGS, columns=(READINGS.columns[0], Column("name", "varchar(16)"), *READINGS.columns[2:]))
    tables = SMALL | {"readings": longer}
    assert not land([source], zone, tables).changed
    dry = land([source], zone, tables, replay=True, dry_run=True)
    assert (dry.tables["readings"].records_landed, report_of(zone)) == (5, (3, 3))
    (source / "readings/a/1.json").unlink()  # the quarantine has its own copy
    put(source, "events/2.json", [{"id": 2}])
    report = land([source], zone, tables, replay=True)
    assert (report.tables["readings"].records_landed, report.tables["readings"].records_quarantined) == (5, 1)
    assert report.tables["readings"].records_new == 2
    assert b'{"id": 3, "name": "a long name"}' in landed(zone)
    assert_books_balance(zone)
    assert not land([source], zone, tables, replay=True).changed
    assert_nothing_is_left_over(zone)


def test_a_record_of_which_only_the_beginning_is_kept_stays_in_quarantine(source: Path, zone: Path) -> None:
    put(source, "readings/a/3.json", '{"id": 9, "name": "%s"}\n' % ("x" * 60_000))
    load(source, zone)
    longer = replace(READINGS, columns=(READINGS.columns[0], Column("name", "varchar(65535)"), *READINGS.columns[2:]))
    assert not land([source], zone, SMALL | {"readings": longer}, replay=True).changed
    assert report_of(zone) == (4, 1)


def report_of(zone: Path) -> tuple[int, int]:
    """The records landed, and those in quarantine."""
    return len(landed(zone)), len(quarantined(zone))


def landed_objects(zone: Path) -> list[str | None]:
    """The parts that the ledger names."""
    return [row["object_key"] for row in ledger_of(zone)]


# --- the real data


@needs_real_data
def test_the_real_data_lands_whole(zone: Path) -> None:
    source = UDACITY
    report = land([source], zone, TABLES)
    counts = {name: (table.records_landed, table.records_quarantined) for name, table in report.tables.items()}
    assert counts == {
        "staging_events": (8_056, 0),
        "staging_songs": (14_896, 0),
        "customer_landing": (956, 0),
        "accelerometer_landing": (81_273, 0),
        "step_trainer_landing": (28_680, 0),
    }
    assert not land([source], zone, TABLES).changed
    for name, (expected, _) in counts.items():
        table = TABLES[name]
        files = {file for pattern in table.source_files for file in source.glob(pattern)}
        assert files
        raw = Counter(line for file in files for line in file.read_bytes().splitlines())
        assert raw == Counter(landed(zone, name))
        columns = {column.name: column.type.replace("double precision", "double") for column in table.columns}
        found = duckdb.sql(
            f"select count(*) from read_json('{zone}/{table.folder}/**/*.json.gz', "  # noqa: S608
            f"format = 'newline_delimited', columns = {columns})"
        ).fetchall()
        assert found == [(expected,)]


@needs_real_data
def test_the_small_files_land_in_one_part(zone: Path) -> None:
    songs = land([SMALL_FILES], zone, TABLES).tables["staging_songs"]
    assert (songs.files["new"], songs.records_landed, songs.parts_written) == (1_944, 1_944, 1)
