"""The loader on S3: from and to it, exactly once, two loads at a time, and whatever keys there are."""

import gzip
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from lakehouse.console import Silent
from lakehouse.declaration import Column
from lakehouse.errors import LandingError, RejectLimitError
from lakehouse.landing.load import check_sources, land
from lakehouse.landing.outcome import LandingReport
from lakehouse.landing.parts import load_of
from lakehouse.storage import s3 as s3_prefix
from lakehouse.storage import s3_lock
from landing_helpers import (
    EVENTS,
    PATIENCE_SECONDS,
    READINGS,
    SMALL,
    FolderPlace,
    Place,
    assert_books_balance,
    content_of,
    ids,
    landed,
    ledger_of,
    load,
    named_parts,
    parts_of,
    quarantined,
    state_of,
)
from real_data import PROJECT_DIR
from s3_server import (
    DENIED,
    WRITES,
    Answer,
    Fault,
    FaultyS3,
    Forward,
    Request,
    S3Place,
    cut_off,
    refused,
    s3_of_a_test,
    s3_server,
)

LOCK = "zone/loader/lock.json"
PARTS = "zone/*-00*.json.gz"
ROUTES = ["S3 to S3", "S3 to a folder", "a folder to S3"]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with s3_of_a_test(server, monkeypatch) as s3:
        yield s3


@pytest.fixture
def source(s3: FaultyS3) -> S3Place:
    source = s3.place("raw")
    fill(source)
    return source


@pytest.fixture
def zone(s3: FaultyS3) -> S3Place:
    return s3.place("zone")


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest, s3: FaultyS3, tmp_path: Path) -> tuple[Place, Place]:
    start, _, end = request.param.partition(" to ")
    source: Place = s3.place("raw") if start == "S3" else FolderPlace(tmp_path / "raw")
    fill(source)
    return source, s3.place("zone") if end == "S3" else FolderPlace(tmp_path / "zone")


def fill(source: Place) -> None:
    """Something of everything."""
    source.put("readings/a/1.json", '{"id": 1}\nbroken\n{"id": 2}\n')
    source.put("readings/a/2.json", [{"id": 3, "new": True}])
    source.put("readings/b/1.json", [{"id": 4, "name": "too long a name"}])
    source.put("readings/b/copy.json", [{"id": 3, "new": True}])
    source.put("readings/b/empty.json", "")
    source.put("readings/c/1.json.gz", gzip.compress(b'{"id": 5}\n{"id": "x"}\n', mtime=0))
    source.put("events/1.json", [{"id": 1, "text": "x"}])
    source.put("notes.txt", "no data")


# --- exactly once


def test_s3_gives_what_folders_give(route: tuple[Place, Place], tmp_path: Path) -> None:
    source, zone = route
    fill(FolderPlace(tmp_path / "other"))
    expected = load(FolderPlace(tmp_path / "other"), FolderPlace(tmp_path / "other zone"))
    report = load(source, zone)
    own = ("source", "landed_at")
    assert state_of(zone, but=own) == state_of(FolderPlace(tmp_path / "other zone"), but=own)
    assert ids(zone) == [1, 2, 3, 5]
    assert [row["reason"].partition(" ")[0] for row in quarantined(zone)] == ["not", "column", "column"]
    assert_books_balance(zone)
    assert report.records_rejected == expected.records_rejected == 3
    assert report.unclaimed == {f"{source.location}/notes.txt": None}
    for name, table in report.tables.items():
        other = expected.tables[name]
        assert (table.files, table.records_landed, table.drift) == (other.files, other.records_landed, other.drift)
    assert report.tables["readings"].copies == {
        f"{source.location}/readings/b/copy.json": f"{source.location}/readings/a/2.json"
    }


def test_a_second_load_moves_nothing(route: tuple[Place, Place], s3: FaultyS3) -> None:
    source, zone = route
    load(source, zone)
    before = content_of(zone)
    s3.requests.clear()
    assert not load(source, zone).changed
    assert s3.count("GetObject", key="raw/*") == 0
    assert s3.count(*WRITES) == s3.count(*WRITES, key="*/lock.json")
    assert content_of(zone) == before


def test_a_changed_file_replaces_what_it_said_and_nothing_else_is_read_or_written(
    route: tuple[Place, Place], s3: FaultyS3
) -> None:
    source, zone = route
    load(source, zone)
    before = set(named_parts(zone))
    source.put("readings/a/1.json", [{"id": 11}])
    s3.requests.clear()
    report = load(source, zone)
    assert (report.tables["readings"].files["changed"], report.tables["readings"].parts_written) == (1, 2)
    assert s3.count("GetObject", key="raw/*") == s3.count("GetObject", key="raw/readings/a/1.json") < 2
    assert ids(zone) == [3, 5, 11]
    assert_books_balance(zone)
    new = set(named_parts(zone)) - before
    assert {key.rpartition("/")[0] for key in new} == {"readings/landing/part=a"}
    assert before < set(parts_of(zone))  # so a query that began before the load can go on
    load(source, zone)
    assert parts_of(zone) == named_parts(zone)


def test_vanished_files_stay_until_they_are_forgotten(route: tuple[Place, Place]) -> None:
    source, zone = route
    load(source, zone)
    source.delete("readings/a/1.json")
    source.delete("readings/a/2.json")
    report = load(source, zone)
    assert report.tables["readings"].vanished == [f"{source.location}/readings/a/{number}.json" for number in (1, 2)]
    assert ids(zone) == [1, 2, 3, 5]
    report = load(source, zone, forget_vanished=True)
    assert report.tables["readings"].forgotten == [f"{source.location}/readings/a/{number}.json" for number in (1, 2)]
    assert ids(zone) == [3, 5]  # 3 was in a copy too
    assert {row["source_file"]: row["copy_of"] for row in ledger_of(zone)}["readings/b/copy.json"] is None
    assert_books_balance(zone)


def test_a_zone_that_the_source_left_for_another_kind_of_place_lands_no_copy_twice(
    route: tuple[Place, Place], s3: FaultyS3
) -> None:
    source, zone = route
    load(source, zone)
    moved = s3.place("moved")
    fill(moved)
    report = load(moved, zone)
    assert ids(zone) == [1, 2, 3, 5]
    assert report.tables["readings"].files["not named"] == 6
    assert_books_balance(zone)


def test_the_quarantine_is_replayed_once_the_declaration_is_right(route: tuple[Place, Place], s3: FaultyS3) -> None:
    source, zone = route
    load(source, zone)
    wider = replace(
        READINGS,
        columns=tuple(replace(one, type="varchar(64)") if one.name == "name" else one for one in READINGS.columns),
    )
    tables = {**SMALL, "readings": wider}
    assert not land([source.location], zone.location, tables).changed
    s3.requests.clear()
    assert land([source.location], zone.location, tables, replay=True).changed
    assert s3.count("GetObject", key="raw/*") == 0
    assert ids(zone) == [1, 2, 3, 4, 5]
    assert [row["source_file"] for row in quarantined(zone)] == ["readings/a/1.json", "readings/c/1.json.gz"]
    assert_books_balance(zone)
    assert not land([source.location], zone.location, tables, replay=True).changed


def test_too_many_rejects_leave_what_readers_see(route: tuple[Place, Place]) -> None:
    source, zone = route
    load(source, zone)
    before = state_of(zone)
    source.put("readings/a/1.json", '{"id": "x"}\n' * 3)
    with pytest.raises(RejectLimitError, match="more than 1 records were refused"):
        load(source, zone, max_rejects=1)
    assert state_of(zone) == before
    load(source, zone, max_rejects=3)
    assert ids(zone) == [3, 5]
    assert_books_balance(zone)


def test_a_dry_run_makes_no_request_that_writes(route: tuple[Place, Place], s3: FaultyS3) -> None:
    source, zone = route
    told = load(source, zone, dry_run=True)
    assert (s3.count(*WRITES), zone.keys()) == (0, [])
    done = load(source, zone)
    assert replace(told, dry_run=False) == done
    source.put("readings/a/1.json", [{"id": 11}])
    before = content_of(zone)
    s3.requests.clear()
    assert load(source, zone, dry_run=True, forget_vanished=True).tables["readings"].files["changed"] == 1
    assert s3.count(*WRITES) == 0
    assert content_of(zone) == before


def test_a_dry_run_copies_nothing_on_s3(s3: FaultyS3, zone: S3Place) -> None:
    source = s3.place("raw")
    source.put("readings/a/1.json.gz", large_gzip())
    report = load(source, zone, dry_run=True)
    assert report.tables["readings"].records_landed == LARGE_RECORDS
    assert s3.count(*WRITES) == 0


def test_an_object_that_was_uploaded_again_is_not_landed_again(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    load(source, zone)
    content = source.get("readings/a/1.json")
    assert content is not None
    s3.backend.put_object(s3.bucket, "raw/readings/a/1.json", content, etag=f"{'1' * 32}-2")  # in two pieces
    before = named_parts(zone)
    s3.requests.clear()
    assert not load(source, zone).changed
    assert (s3.count("GetObject", key="raw/*"), parts_of(zone)) == (1, before)
    assert ledger_of(zone)[0]["source_version"] == f"{'1' * 32}-2"
    s3.requests.clear()
    load(source, zone)
    assert s3.count("GetObject", key="raw/*") == 0


def test_a_zone_may_be_a_whole_bucket_and_so_may_a_source(s3: FaultyS3) -> None:
    source, zone = s3.place(""), s3.place("", s3.make_bucket())
    fill(source)
    load(source, zone)
    assert ids(zone) == [1, 2, 3, 5]
    assert not load(source, zone).changed
    with pytest.raises(LandingError, match="lie one in the other"):
        load(source, s3.place("zone"))


def test_a_prefix_is_no_more_than_whole_names(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    s3.place("raw2").put("readings/a/1.json", [{"id": 99}])
    s3.place("zone2").put("readings/landing/20260101T000000Z-000000000000-00001.json.gz", b"")
    load(source, zone)
    load(source, zone)
    assert 99 not in ids(zone)
    assert parts_of(s3.place("zone2"))


def test_deleted_parts_are_landed_again(source: S3Place, zone: S3Place) -> None:
    load(source, zone)
    before = state_of(zone)
    for key in parts_of(zone):
        zone.delete(key)
    assert load(source, zone).changed
    assert state_of(zone) == before
    assert_books_balance(zone)


def test_a_zone_whose_ledger_is_gone_is_refused_and_loses_nothing(source: S3Place, zone: S3Place) -> None:
    load(source, zone)
    zone.delete("loader/ledger/readings.json")
    before = parts_of(zone)
    with pytest.raises(LandingError, match=r"holds parts, but loader/ledger/readings\.json is gone: restore it"):
        load(source, zone)
    assert parts_of(zone) == before


# --- gzip sources, and copies by S3 itself

LARGE_RECORDS = 60_000


@cache
def large_lines() -> tuple[bytes, ...]:
    """Records that do not compress well."""
    numbers = random.Random(1)  # noqa: S311 - no secret
    return tuple(
        f'{{"id": {number}, "name": "{numbers.randbytes(4).hex()}", "level": {numbers.random()}}}'.encode()
        for number in range(LARGE_RECORDS)
    )


@cache
def large_gzip() -> bytes:
    """A source file that is a perfect part already."""
    content = gzip.compress(b"\n".join(large_lines()) + b"\n", 1, mtime=0)
    assert len(content) > 1 << 20
    return content


def test_a_source_file_that_is_a_part_is_copied_by_s3_itself(s3: FaultyS3, source: S3Place) -> None:
    zone = s3.place("zone", s3.make_bucket())
    source.put("readings/it's 100% ü+/1.json.gz", large_gzip())
    load(source, zone)
    (part,) = {row["object_key"] for row in ledger_of(zone) if row["source_file"].endswith("+/1.json.gz")}
    assert s3.count("CopyObject") == s3.count("CopyObject", key=f"*{part}") == 1
    assert s3.count("PutObject", key=f"*{part}") == 0
    assert zone.get(part) == large_gzip()
    assert set(large_lines()) < set(landed(zone))
    assert_books_balance(zone)
    s3.requests.clear()
    assert not load(source, zone).changed
    assert s3.count("CopyObject", "GetObject") == s3.count("GetObject", key="*loader/*")


def test_a_copied_part_is_read_when_it_must_move(s3: FaultyS3, zone: S3Place) -> None:
    source, other = s3.place("raw"), s3.place("other")
    source.put("readings/a/1.json.gz", large_gzip())
    source.put("events/1.json", "")
    load(source, zone)
    source.delete("readings/a/1.json.gz")
    other.put("readings/b/1.json.gz", large_gzip())
    load([source, other], zone, forget_vanished=True)
    assert {row["object_key"].rpartition("/")[0] for row in ledger_of(zone)} == {"readings/landing/part=b"}
    assert landed(zone) == list(large_lines())
    assert_books_balance(zone)


def test_a_folder_cannot_copy_so_bytes_go_through_the_loader(s3: FaultyS3, zone: S3Place, tmp_path: Path) -> None:
    source = FolderPlace(tmp_path / "raw")
    source.put("readings/a/1.json.gz", large_gzip())
    load(source, zone)
    assert s3.count("CopyObject") == 0
    assert landed(zone) == list(large_lines())


ALMOST_PARTS: dict[str, Callable[[], bytes]] = {
    "a bad record": lambda: gzip.compress(b"\n".join((*large_lines(), b"broken", b"")), 1),
    "no line break at the end": lambda: gzip.compress(b"\n".join(large_lines()), 1),
    "line breaks of Windows": lambda: gzip.compress(b"\r\n".join(large_lines()) + b"\r\n", 1),
    "a byte order mark": lambda: gzip.compress(b"\xef\xbb\xbf" + b"\n".join(large_lines()) + b"\n", 1),
    "a blank line": lambda: gzip.compress(b"\n".join((*large_lines(), b"", b"")), 1),
    "one line break of Windows and none at the end": lambda: gzip.compress(
        large_lines()[0] + b"\r\n" + b"\n".join(large_lines()[1:]), 1
    ),
    "no compression": lambda: b"\n".join(large_lines()) + b"\n",
    "a second gzip member cut off": lambda: large_gzip() + gzip.compress(b'{"id": 1}\n')[:-4],
    "zeros at the end": lambda: large_gzip() + bytes(512),
}


@pytest.mark.parametrize("kind", list(ALMOST_PARTS))
def test_a_file_that_is_almost_a_part_is_not_copied(s3: FaultyS3, zone: S3Place, kind: str) -> None:
    source = s3.place("raw")
    source.put("readings/a/1.json.gz", ALMOST_PARTS[kind]())
    load(source, zone)
    assert s3.count("CopyObject") == 0
    assert set(landed(zone)) == {*large_lines(), *([b'{"id": 1}'] if "member" in kind else [])}
    for key in named_parts(zone):
        content = zone.get(key)
        assert content is not None
        assert gzip.decompress(content).endswith(b"}\n")


@pytest.mark.parametrize("content", [gzip.compress(b'{"id": 7}\n', mtime=0), None], ids=["replaced", "deleted"])
def test_of_an_object_that_changed_before_s3_copies_it_the_bytes_that_were_read_are_landed(
    s3: FaultyS3, zone: S3Place, content: bytes | None
) -> None:
    source = s3.place("raw")
    source.put("readings/a/1.json.gz", large_gzip())
    source.put("events/1.json", "")
    version = source.etag("readings/a/1.json.gz")

    def change(request: Request, forward: Forward) -> Answer | None:
        if content is None:
            source.delete("readings/a/1.json.gz")
        else:
            source.put("readings/a/1.json.gz", content)
        return forward()

    rule = s3.on("CopyObject", change, times=1)
    load(source, zone)
    assert (rule.hits, [row["source_version"] for row in ledger_of(zone)]) == (1, [version])
    assert landed(zone) == list(large_lines())
    assert_books_balance(zone)
    load(source, zone, forget_vanished=True)
    assert ids(zone) == ([] if content is None else [7])


@pytest.mark.parametrize("fault", [DENIED, refused(400, "InvalidRequest", "larger than the maximum allowable size")])
def test_what_s3_will_not_copy_is_uploaded(s3: FaultyS3, zone: S3Place, fault: Fault) -> None:
    source = s3.place("raw")
    source.put("readings/a/1.json.gz", large_gzip())
    rule = s3.on("CopyObject", fault)
    load(source, zone)
    assert (rule.hits, s3.count("PutObject", key=PARTS)) == (1, 1)
    assert landed(zone) == list(large_lines())


# --- what is found on S3


def test_listings_go_on_after_a_thousand_objects(s3: FaultyS3, zone: S3Place) -> None:
    source = s3.place("raw")
    for number in range(1_500):
        source.put(f"other/{number}.txt", "")
    source.put("readings/z/1.json", [{"id": 1}])
    report = load(source, zone)
    assert (ids(zone), len(report.unclaimed)) == ([1], 1_500)


def test_more_than_a_thousand_parts_are_deleted(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    load(source, zone)
    for number in range(1_200):
        zone.put(f"readings/landing/part=a/20260101T000000Z-0123456789ab-{number:05d}.json.gz", b"")
    s3.requests.clear()
    load(source, zone)
    assert s3.count("DeleteObjects") == 2
    assert parts_of(zone) == named_parts(zone)
    assert_books_balance(zone)


HOSTILE = [
    "readings/a b/ 1 .json",
    'readings/it\'s/"q" `x` $(x).json',
    "readings/100%/%41%2F%zz.json",
    "readings/a+b/1+1=2&3.json",
    "readings/ünï/日本 😀.json",
    "readings/../../1.json",
    "readings/a/../b.json",
    "readings/back\\slash/1.json",
    "readings/<&>/1;.json",
    "readings/?/#1.json",
    "readings/tab\tin it.json",
    "readings/[a-z]*/1.json",
    "readings/e\u0301/decomposed.json",
    "readings/é/composed.json",
    f"readings/{'long' * 200}/1.json",
]


@pytest.mark.parametrize("kind", ["S3", "folder"])
def test_keys_of_every_kind_are_landed_under_their_own_names(s3: FaultyS3, tmp_path: Path, kind: str) -> None:
    tables = {"readings": replace(READINGS, part_by="readings/(.*)/")}
    source = s3.place("raw")
    zone: Place = s3.place("zone") if kind == "S3" else FolderPlace(tmp_path / "zone")
    for number, key in enumerate(HOSTILE):
        source.put(key, [{"id": number}])
    report = land([source.location], zone.location, tables)
    assert report.tables["readings"].records_landed == len(HOSTILE)
    assert ids(zone) == list(range(len(HOSTILE)))
    assert [row["source_file"] for row in ledger_of(zone)] == sorted(HOSTILE)
    assert_books_balance(zone, ["readings"])
    folders = {key.rpartition("/")[0] for key in parts_of(zone)}
    assert len(folders) == len({key.rpartition("/")[0] for key in HOSTILE if key.count("/") > 1}) + 1
    assert not land([source.location], zone.location, tables).changed
    source.put(HOSTILE[2], [{"id": 100}])
    land([source.location], zone.location, tables)
    assert ids(zone)[-1] == 100
    assert [path.name for path in tmp_path.iterdir()] == ([] if kind == "S3" else ["zone"])


def test_a_prefix_of_odd_characters_is_a_place_like_any_other(s3: FaultyS3) -> None:
    source, zone = s3.place("it's 100%/ü+\\n/.."), s3.place("zone of 'q' %41/ü")
    fill(source)
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 11}])
    load(source, zone)
    load(source, zone)
    assert ids(zone) == [3, 5, 11]
    assert parts_of(zone) == named_parts(zone)


def test_markers_of_folders_and_hidden_names_are_no_data(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    for key in ("", "readings/", "readings/a/", "readings/a/3.json/"):
        source.put(key, b"")
    for key in ("readings/.ipynb_checkpoints/1.json", "readings/a/.1.json.swp.json", ".git/readings/1.json"):
        source.put(key, "junk")
    source.put("readings//a/9.json", [{"id": 9}])
    report = load(source, zone)
    assert ids(zone) == [1, 2, 3, 5]
    assert sorted(report.unclaimed) == [f"{source.location}/notes.txt", f"{source.location}/readings//a/9.json"]


def test_an_object_that_grows_or_shrinks_after_it_was_listed_is_landed_as_it_is_now(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    def grow(request: Request, forward: Forward) -> Answer | None:
        source.put("readings/a/2.json", [{"id": number} for number in range(20, 30)])
        source.put("readings/b/empty.json", [{"id": 30}])
        source.put("readings/b/1.json", "")
        return forward()

    s3.on("GetObject", grow, "raw/readings/a/1.json", times=1)
    s3.on("GetObject", _after(s3, "raw/readings/a/1.json"), "raw/readings/a/2.json")
    s3.on("GetObject", _after(s3, "raw/readings/a/1.json"), "raw/readings/b/*")
    load(source, zone)
    assert_books_balance(zone)
    assert set(range(20, 31)) < set(ids(zone))
    assert {row["source_file"]: row["source_bytes"] for row in ledger_of(zone)}["readings/b/1.json"] == 0
    assert not load(source, zone).changed


def _after(s3: FaultyS3, key: str) -> Callable[[Request, Forward], Answer | None]:
    """A fault: a request is answered only when another one was."""
    done = threading.Event()
    rule = next(rule for rule in s3.rules if rule.key == key)
    first = rule.fault

    def note(request: Request, forward: Forward) -> Answer | None:
        try:
            return first(request, forward)
        finally:
            done.set()

    def wait(request: Request, forward: Forward) -> Answer | None:
        assert done.wait(PATIENCE_SECONDS)
        return forward()

    rule.fault = note
    return wait


def test_a_large_object_that_changes_while_it_is_read_stops_the_load(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.records.fetch.BLOCK_BYTES", 64)
    load(source, zone)
    before = state_of(zone)
    source.put("readings/a/1.json", [{"id": number} for number in range(100)])

    def change(request: Request, forward: Forward) -> Answer | None:
        source.put("readings/a/1.json", [{"id": number} for number in range(100, 200)])
        return forward()

    s3.on("GetObject", change, "raw/readings/a/1.json", times=1, skip=1)
    with pytest.raises(LandingError, match=r"raw/readings/a/1\.json changed while it was read: land again when nobody"):
        load(source, zone)
    assert state_of(zone) == before
    load(source, zone)
    assert set(range(100, 200)) < set(ids(zone))
    assert_books_balance(zone)


def test_an_object_that_goes_away_after_it_was_listed_stops_the_load(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    def remove(request: Request, forward: Forward) -> Answer | None:
        source.delete("readings/a/1.json")
        return forward()

    s3.on("GetObject", remove, "raw/readings/a/1.json", times=1)
    with pytest.raises(LandingError, match=r"raw/readings/a/1\.json went away while the load was at work: land again"):
        load(source, zone)
    load(source, zone)
    assert ids(zone) == [3, 5]


# --- settings


def test_an_empty_prefix_is_told_in_one_sentence(s3: FaultyS3, zone: S3Place) -> None:
    nothing = s3.place("nothing")
    with pytest.raises(
        LandingError, match=rf"^nothing to land in {nothing.location}: no file matches any of\n  readings/"
    ):
        load(nothing, zone)
    assert zone.keys() == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_bucket_that_is_not_there_is_named(s3: FaultyS3, source: S3Place, zone: S3Place, dry_run: bool) -> None:
    nowhere = s3.place("x", "no-such-bucket")
    message = r"^s3://no-such-bucket/x\S*: there is no bucket no-such-bucket: check the name, or create it$"
    with pytest.raises(LandingError, match=message):
        load(nowhere, zone, dry_run=dry_run)
    with pytest.raises(LandingError, match=message):
        load(source, nowhere, dry_run=dry_run)


@pytest.mark.parametrize("location", ["s3://", "s3:///x", "s3://UPPER/x", "s3://a", "s3://under_score/x"])
def test_what_is_no_location_is_refused(source: S3Place, location: str) -> None:
    with pytest.raises(LandingError, match=rf"^{location} is no S3 location: write s3://bucket or s3://bucket/prefix$"):
        land([source.location], location, SMALL)


def test_a_zone_without_credentials_names_all_settings_before_any_request(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    with pytest.raises(LandingError, match="no AWS credentials") as raised:
        load(source, zone)
    assert all(
        name in str(raised.value)
        for name in (zone.location, "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    )
    with pytest.raises(LandingError, match="no AWS credentials"):
        check_sources([source.location], zone.location, SMALL)
    assert s3.requests == []


def test_half_of_the_credentials_is_told_with_the_name_of_the_other_half(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_SECRET_ACCESS_KEY=None)
    with pytest.raises(LandingError, match=r"the AWS credentials are not complete: set AWS_SECRET_ACCESS_KEY$"):
        load(source, zone)


def test_a_profile_that_is_not_there_is_named(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_PROFILE="nobody")
    with pytest.raises(LandingError, match=r"nobody.*: set AWS_PROFILE to one of"):
        load(source, zone)


def test_a_public_source_is_read_without_credentials(
    s3: FaultyS3, source: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    source.make_public()
    zone = FolderPlace(tmp_path / "zone")
    load(source, zone)
    assert ids(zone) == [1, 2, 3, 5]
    assert s3.requests
    assert not [request for request in s3.requests if "authorization" in request.headers]


def test_a_private_source_without_credentials_is_told_what_it_lacks(
    s3: FaultyS3, source: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    s3.on("ListObjectsV2", DENIED)
    with pytest.raises(LandingError, match=r"access denied: .*s3:ListBucket.* no AWS credentials. .*AWS_ACCESS_KEY_ID"):
        load(source, FolderPlace(tmp_path / "zone"))


def test_what_s3_says_of_a_right_that_is_lacking_is_passed_on(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    """The right may be one that the operation's name does not tell, like that to a key of KMS."""
    said = "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on the resource associated with it"
    s3.on("GetObject", refused(403, "AccessDenied", said), key="raw/*")
    with pytest.raises(
        LandingError, match=r"readings/a/1\.json: .* lacks kms:Decrypt \(S3 says: User: arn:aws:iam::1:user/a"
    ):
        load(source, zone)
    s3.rules.clear()
    s3.on("GetObject", DENIED, key="raw/*")
    with pytest.raises(LandingError, match=r"lacks s3:GetObject \(S3 says: Access Denied\)"):
        load(source, zone)


@pytest.mark.parametrize("endpoint", ["localhost:9000", "http://", "htp://localhost", "http://localhost:99999"])
def test_an_endpoint_that_is_no_url_is_told_in_a_sentence(
    s3: FaultyS3, source: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    s3.set(monkeypatch, AWS_ENDPOINT_URL=endpoint)
    with pytest.raises(LandingError, match=rf"{endpoint}.*: .*AWS_ENDPOINT_URL"):
        load(source, FolderPlace(tmp_path / "zone"))
    s3.renew_client()


# --- two loads at once


def _run(source: Place, zone: Place, said: list[str] | None = None) -> LandingReport | LandingError:
    try:
        return load(source, zone, reporter=_Listener(said))
    except LandingError as error:
        return error


class _Listener(Silent):
    """Keeps what a load says."""

    def __init__(self, said: list[str] | None) -> None:
        self._said = said

    def say(self, message: str) -> None:
        if self._said is not None:
            self._said.append(message)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_lock, "LEASE_SECONDS", 3.0)


class _Clock:
    """A clock on which nothing takes time but sleep."""

    CLOCK_BOOTTIME = CLOCK_MONOTONIC = 0

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def clock_gettime(self, clock: int) -> float:
        return self._now + clock

    def sleep(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Lets the time of the locks pass only while a load watches one; their holders are asleep, and renew nothing."""
    clock = _Clock()
    monkeypatch.setattr(s3_lock, "time", clock)
    monkeypatch.setattr(s3_lock.S3Lock, "_keep", lambda lock: None)
    return clock


@pytest.mark.usefixtures("short_lease")
def test_a_second_load_is_refused_while_the_first_is_at_work(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def hold(request: Request, forward: Forward) -> Answer | None:
        at_work.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return forward()

    s3.on("GetObject", hold, "raw/readings/a/1.json", times=1)
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_run, source, zone)
        assert at_work.wait(PATIENCE_SECONDS)
        second = _run(source, zone, said)
        go_on.set()
        assert isinstance(first.result(), LandingReport)
    assert isinstance(second, LandingError)
    message = rf"another load (process {os.getpid()} on "
    assert str(second).startswith(message)
    assert str(second).endswith(f" is writing to {zone.location}: wait until it is done, then try again")
    assert [line.partition(" by ")[0] for line in said] == [f"{zone.location} is locked"]
    assert_books_balance(zone)
    assert ids(zone) == [1, 2, 3, 5]
    assert not load(source, zone).changed


@pytest.mark.usefixtures("short_lease")
def test_many_loads_at_once_double_and_lose_nothing(source: S3Place, zone: S3Place) -> None:
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda _: _run(source, zone), range(5)))
    assert any(isinstance(one, LandingReport) and one.changed for one in done)
    assert [one.changed for one in done if isinstance(one, LandingReport)].count(True) == 1
    assert {str(one).partition(" (")[0] for one in done if isinstance(one, LandingError)} <= {"another load"}
    assert ids(zone) == [1, 2, 3, 5]
    assert_books_balance(zone)
    assert not load(source, zone).changed


IN_A_PROCESS = """
import sys
from lakehouse.storage import s3_lock
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from landing_helpers import SMALL
s3_lock.LEASE_SECONDS = 3.0
try:
    print("changed" if land([sys.argv[1]], sys.argv[2], SMALL).changed else "unchanged")
except LandingError as error:
    print(error)
"""


def test_two_processes_at_once_double_and_lose_nothing(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    both_are_there = threading.Barrier(2)

    def hold(request: Request, forward: Forward) -> Answer | None:
        both_are_there.wait(PATIENCE_SECONDS)
        return forward()

    s3.on("PutObject", hold, LOCK, times=2)
    settings = {**os.environ, "PYTHONPATH": str(PROJECT_DIR / "tests/python")}
    command = [sys.executable, "-c", IN_A_PROCESS, source.location, zone.location]
    loads = [
        subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outcomes = [one.communicate(timeout=PATIENCE_SECONDS) for one in loads]
    assert [stderr for _, stderr in outcomes] == ["", ""]
    said = sorted(stdout.strip().partition(" (")[0] for stdout, _ in outcomes)
    assert said in (["another load", "changed"], ["changed", "unchanged"])
    assert ids(zone) == [1, 2, 3, 5]
    assert_books_balance(zone)


ABANDONED = '{"host":"gone","process":17,"nonce":"0","renewed":3}'


def test_the_lock_of_a_killed_load_is_taken_over_after_a_lease(source: S3Place, zone: S3Place, clock: _Clock) -> None:
    zone.put("loader/lock.json", ABANDONED)
    said: list[str] = []
    assert isinstance(_run(source, zone, said), LandingReport)
    assert s3_lock.LEASE_SECONDS < clock.monotonic() < 1.2 * s3_lock.LEASE_SECONDS
    assert said == [
        f"{zone.location} is locked by process 17 on gone: watching for 30 s whether it still lives",
    ]
    assert_books_balance(zone)


@pytest.mark.usefixtures("short_lease")
def test_of_many_loads_that_find_an_abandoned_lock_one_takes_it_over_at_a_time(source: S3Place, zone: S3Place) -> None:
    zone.put("loader/lock.json", ABANDONED)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: _run(source, zone), range(4)))
    assert [one.changed for one in done if isinstance(one, LandingReport)].count(True) == 1
    assert_books_balance(zone)
    assert ids(zone) == [1, 2, 3, 5]


def test_a_lock_that_is_given_back_while_it_is_watched_is_taken_at_once(
    s3: FaultyS3, source: S3Place, zone: S3Place, clock: _Clock
) -> None:
    zone.put("loader/lock.json", ABANDONED)

    def give_back(request: Request, forward: Forward) -> Answer | None:
        zone.delete("loader/lock.json")
        return forward()

    s3.on("GetObject", give_back, LOCK, times=1, skip=2)
    assert isinstance(_run(source, zone), LandingReport)
    assert clock.monotonic() == pytest.approx(s3_lock.LEASE_SECONDS / 20)


def test_a_file_that_is_no_lock_is_told(source: S3Place, zone: S3Place) -> None:
    zone.put("loader/lock.json", "something else")
    with pytest.raises(LandingError, match=r"^s3://\S+/zone/loader/lock\.json is no lock of a load: .*delete it"):
        load(source, zone)
    assert zone.get("loader/lock.json") == b"something else"


Moment = tuple[str, str, int]
MOMENTS: dict[str, Moment] = {
    "listing the zone": ("ListObjectsV2", "", 2),
    "reading the ledger": ("GetObject", "zone/loader/ledger/readings.json", 0),
    "reading a source": ("GetObject", "raw/readings/a/1.json", 0),
    "writing a part": ("PutObject", "zone/readings/landing/part=a/*", 0),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_load_that_was_asleep_for_a_lease_changes_nothing_any_more(
    s3: FaultyS3, source: S3Place, zone: S3Place, moment: str
) -> None:
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 11}])
    other = s3.place("other")
    other.put("readings/a/1.json", [{"id": 12}])
    after: list[dict[str, bytes | None]] = []

    def sleep(request: Request, forward: Forward) -> Answer | None:
        load(other, zone)
        after.append({key: zone.get(key) for key in [*named_parts(zone), "loader/ledger/readings.json"]})
        return forward()

    operation, key, skip = MOMENTS[moment]
    rule = s3.on(operation, sleep, key, times=1, skip=skip)
    with pytest.raises(LandingError, match=r"zone: another load has taken over, this one was asleep too long: land ag"):
        load(source, zone)
    assert rule.hits == 1
    assert {key: zone.get(key) for key in after[0]} == after[0]
    assert ids(zone) == [1, 2, 3, 5, 12]
    assert_books_balance(zone)
    load([source, other], zone)
    assert ids(zone) == [3, 5, 11, 12]
    assert_books_balance(zone)


@pytest.mark.usefixtures("clock")
def test_a_load_that_falls_asleep_while_it_writes_a_manifest_leaves_no_wrong_one(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    """Redshift copies what the manifest lists, and notes what the ledger says."""
    other = s3.place("other")
    other.put("readings/c/1.json", [{"id": 7}])
    load([source, other], zone)
    first_load = load_of(named_parts(zone)[0])
    source.put("readings/a/1.json", [{"id": 11}])
    other.put("readings/c/1.json", [{"id": 17}])

    def sleep(request: Request, forward: Forward) -> Answer | None:
        load(other, zone)
        return forward()

    rule = s3.on("PutObject", sleep, key=f"zone/loader/copy/readings/records/{first_load}-*.json", times=1)
    with pytest.raises(LandingError, match="was changed by another load meanwhile"):
        load(source, zone)
    assert rule.hits == 1
    load(other, zone)
    lists = [
        {entry["url"].removeprefix(f"{zone.location}/") for entry in json.loads(zone.get(key) or b"")["entries"]}
        for key in zone.keys()  # noqa: SIM118 - no dict
        if key.startswith("loader/copy/readings/records/")
    ]
    by_load: dict[str, set[str]] = {}
    for key in {row["object_key"] for row in ledger_of(zone) if row["object_key"]}:
        by_load.setdefault(load_of(key), set()).add(key)
    assert sorted(map(sorted, lists)) == sorted(map(sorted, by_load.values()))
    assert len(by_load) == 2


@pytest.mark.usefixtures("clock")
def test_a_load_that_falls_asleep_before_its_last_step_publishes_nothing(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 11}])
    other = s3.place("other")
    other.put("readings/a/1.json", [{"id": 12}])

    def sleep(request: Request, forward: Forward) -> Answer | None:
        load(other, zone)
        return forward()

    rule = s3.on("PutObject", sleep, "zone/loader/ledger/readings.json", times=1)
    with pytest.raises(LandingError, match=r"loader/ledger/readings\.json was changed by another load meanwhile: land"):
        load(source, zone)
    assert rule.hits == 1
    assert ids(zone) == [1, 2, 3, 5, 12]
    assert_books_balance(zone)


@pytest.mark.usefixtures("clock")
def test_a_load_that_falls_asleep_before_it_deletes_takes_nothing_that_is_named_by_then(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 11}])
    load(source, zone)
    other = s3.place("other")
    other.put("readings/a/1.json", [{"id": 12}])

    def sleep(request: Request, forward: Forward) -> Answer | None:
        load(other, zone)
        return forward()

    rule = s3.on("DeleteObjects", sleep, times=1)
    source.put("readings/a/1.json", [{"id": 13}])
    with pytest.raises(LandingError, match="another load"):
        load(source, zone)
    assert rule.hits == 1
    assert ids(zone) == [3, 5, 11, 12]
    assert_books_balance(zone)


@pytest.mark.usefixtures("clock")
def test_a_load_that_wakes_up_while_its_successor_tidies_up_leaves_a_whole_zone(
    s3: FaultyS3, source: S3Place, zone: S3Place
) -> None:
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 11}])
    other = s3.place("other")
    other.put("readings/b/9.json", [{"id": 12}])
    about_to_publish, tidying, published = threading.Event(), threading.Event(), threading.Event()

    def publish(request: Request, forward: Forward) -> Answer | None:
        about_to_publish.set()
        assert tidying.wait(PATIENCE_SECONDS)
        try:
            return forward()
        finally:
            published.set()

    def tidy(request: Request, forward: Forward) -> Answer | None:
        tidying.set()
        assert published.wait(PATIENCE_SECONDS)
        return forward()

    s3.on("PutObject", publish, "zone/loader/ledger/readings.json", times=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_run, source, zone)
        assert about_to_publish.wait(PATIENCE_SECONDS)
        rule = s3.on("DeleteObjects", tidy, times=1)
        second = _run(other, zone)
        outcomes = [first.result(), second]
    assert rule.hits == 1
    assert [type(one) for one in outcomes].count(LandingReport) == 1
    assert ids(zone) in ([3, 5, 11], [1, 2, 3, 5, 12])
    assert_books_balance(zone)


@pytest.mark.usefixtures("short_lease")
def test_a_load_renews_its_lock_for_as_long_as_it_takes(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    renewals = threading.Semaphore(0)

    def note(request: Request, forward: Forward) -> Answer | None:
        answer = forward()
        renewals.release()
        return answer

    def wait(request: Request, forward: Forward) -> Answer | None:
        for _ in range(8):  # three for the taking, and a lease and a half
            assert renewals.acquire(timeout=PATIENCE_SECONDS)
        return forward()

    s3.on("PutObject", note, LOCK)
    s3.on("GetObject", wait, "raw/readings/a/1.json", times=1)
    load(source, zone)
    assert_books_balance(zone)


@pytest.mark.usefixtures("short_lease")
@pytest.mark.parametrize("fault", [DENIED, cut_off])
def test_a_load_outlives_a_failed_renewal_if_a_later_one_succeeds_in_time(
    s3: FaultyS3, source: S3Place, zone: S3Place, fault: Fault
) -> None:
    renewed = threading.Event()

    def note(request: Request, forward: Forward) -> Answer | None:
        renewed.set()
        return forward()

    def wait(request: Request, forward: Forward) -> Answer | None:
        assert renewed.wait(PATIENCE_SECONDS)
        return forward()

    attempts = 1 if fault is DENIED else s3_prefix.ATTEMPTS
    taken = 3  # one write takes the lock, two try out conditions
    failing = s3.on("PutObject", fault, LOCK, times=attempts, skip=taken)
    s3.on("PutObject", note, LOCK, times=1, skip=taken)
    s3.on("GetObject", wait, "raw/readings/a/1.json", times=1)
    load(source, zone)
    assert failing.hits == attempts
    assert_books_balance(zone)


def test_a_ledger_that_somebody_changed_meanwhile_stops_the_load(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    load(source, zone)
    source.put("events/1.json", [{"id": 2}])
    restored = (zone.get("loader/ledger/events.json") or b"") + b"\n"

    def change(request: Request, forward: Forward) -> Answer | None:
        zone.put("loader/ledger/events.json", restored)
        return forward()

    s3.on("GetObject", change, "raw/events/1.json", times=1)
    with pytest.raises(LandingError, match=r"loader/ledger/events\.json was changed by another load meanwhile: land"):
        load(source, zone)
    assert zone.get("loader/ledger/events.json") == restored


def test_a_table_whose_columns_changed_is_checked_on_s3_as_in_folders(source: S3Place, zone: S3Place) -> None:
    tables = {"events": replace(EVENTS, columns=(*EVENTS.columns, Column("flag", "boolean", required=True)))}
    report = land([source.location], zone.location, tables)
    assert (report.records_rejected, report.tables["events"].records_landed) == (1, 0)
