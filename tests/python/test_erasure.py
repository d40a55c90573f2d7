"""A person who is erased is gone from the landing zone, wherever it is and whenever the erasure is killed."""

import gzip
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dbt_project import ALL_TESTS, copy_project, remove_unit_tests
from lakehouse.console import ConsoleReporter
from lakehouse.derived.people import land_people
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.parts import is_part
from lakehouse.landing.pseudonym_key import PUBLIC_KEY, PseudonymKey
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.privacy.erase import Erasing
from lakehouse.privacy.proof import search_files, search_zone
from lakehouse.privacy.receipts import begin_receipt, finish_receipts, unfinished_receipts
from lakehouse.privacy.s3 import look_at_old_versions
from lakehouse.privacy.zone import TableErasure, ZoneErasure, erase_from_zone
from lakehouse.records.needles import Needles
from lakehouse.storage import open_folder
from lakehouse.storage.s3 import S3Prefix
from landing_helpers import TABLES, FolderPlace, Place, as_bytes, landed, ledger_of, quarantined
from lanes import EVERYTHING
from real_data import LAKEHOUSE
from s3_server import FaultyS3, S3Place, s3_of_a_test
from s3_server import s3_server as serving

KEY = PseudonymKey(PUBLIC_KEY.encode())
PERSONAL = (
    "customer_landing",
    "accelerometer_landing",
    "step_trainer_landing",
    "customer_identities",
    "release_pseudonyms",
)
NOON_MS = 1_655_564_400_000
CUSTOMERS = "stedi/customer/landing"
READINGS = "stedi/accelerometer/landing"
STEPS = "stedi/step_trainer/landing"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with serving() as started:
        yield started


@pytest.fixture(params=["folder", "s3"])
def places(
    request: pytest.FixtureRequest, tmp_path: Path, server: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Place, Place]]:
    """A source and a landing zone, on this machine or on S3."""
    if request.param == "folder":
        yield FolderPlace(tmp_path / "raw"), FolderPlace(tmp_path / "zone")
    else:
        with s3_of_a_test(server, monkeypatch) as s3:
            yield S3Place(s3, s3.bucket, "raw"), S3Place(s3, s3.bucket, "zone")


def customer(email: str, device: str, at: int = 1) -> dict[str, Any]:
    return {
        "customerName": "N. N.",
        "email": email,
        "serialNumber": device,
        "registrationDate": NOON_MS,
        "lastUpdateDate": NOON_MS + at,
    }


def reading(email: str, at: int) -> dict[str, Any]:
    return {"user": email, "timestamp": NOON_MS + at, "x": 1.0, "y": 2.0, "z": 3.0}


def step(device: str, at: int) -> dict[str, Any]:
    return {"sensorReadingTime": NOON_MS + at, "serialNumber": device, "distanceFromObject": 5}


def fill(source: Place) -> None:
    """Ann has devices D1, D2, D3 and D9; D2 is Bob's, too, and D3 that of somebody whose record is broken."""
    records = [customer("ann@test.com", "D1"), customer("bob@test.com", "D2"), customer("Ann@TEST.com", "D2", 2)]
    broken = (
        b'{"email": "ann@test.com", "serialNumber": "D1"}\n'
        b'{"email": "\\u0061nn\\u0040test.com", "serialNumber": "D9"}\n'
        b"complaint of ANN@test.com about D1\n"
        b'{"email": "joann@test.com", "serialNumber": "D3"}\n'
    )
    source.put(f"{CUSTOMERS}/1.json", as_bytes(records) + broken)
    source.put(f"{CUSTOMERS}/2.json", [customer("joann@test.com", "D4"), customer("ann@test.com", "D3")])
    source.put(f"{READINGS}/1.json", [reading("ann@test.com", 1), reading("bob@test.com", 1)])
    source.put(f"{READINGS}/2.json", [reading("bob@test.com", 2), reading("joann@test.com", 2)])
    source.put(f"{READINGS}/3.json", [reading("ann@test.com", 3)])
    source.put(f"{READINGS}/copy.json", [reading("ann@test.com", 1), reading("bob@test.com", 1)])
    steps = as_bytes([step("D1", 1), step("D2", 1), step("D1", 2), step("D10", 1), step("D3", 1)])
    source.put(f"{STEPS}/1.json", steps + b'{"serialNumber": "D1"}\n{"serialNumber": "D10"}\n')


def land_all(source: Place, zone: Place) -> None:
    land([source.location], zone.location, TABLES)
    land_people(zone.location, TABLES, KEY, print)
    land_release_pseudonyms(zone.location, TABLES, print)


@pytest.fixture
def zone(places: tuple[Place, Place]) -> Place:
    source, zone = places
    fill(source)
    land_all(source, zone)
    return zone


def erase(zone: Place, *addresses: str, dry_run: bool = False) -> ZoneErasure:
    return erase_from_zone(zone.location, TABLES, addresses, print, dry_run=dry_run)


def content_of(zone: Place) -> dict[str, bytes | None]:
    return {key: zone.get(key) for key in zone.keys() if not key.startswith("loader/.lock")}  # noqa: SIM118


def found_in(zone: Place, *addresses: str, devices: tuple[str, ...] = ()) -> dict[str, int]:
    return search_zone(open_folder(zone.location), TABLES, Needles(addresses, devices))


def records_of(zone: Place, table: str) -> list[bytes]:
    return sorted(landed(zone, table))


def as_lines(*records: dict[str, Any]) -> list[bytes]:
    return sorted(as_bytes([record]).strip() for record in records)


def assert_is_gone(zone: Place) -> None:
    """Checks that Ann is gone, and nobody else."""
    assert records_of(zone, "customer_landing") == as_lines(
        customer("bob@test.com", "D2"), customer("joann@test.com", "D4")
    )
    assert records_of(zone, "accelerometer_landing") == as_lines(
        reading("bob@test.com", 1), reading("bob@test.com", 2), reading("joann@test.com", 2)
    )
    assert records_of(zone, "step_trainer_landing") == as_lines(step("D2", 1), step("D10", 1), step("D3", 1))
    pairs = [json.loads(line) for line in landed(zone, "customer_identities")]
    assert [pair["email"] for pair in pairs] == ["bob@test.com", "joann@test.com"]
    assert [row["line"] for row in quarantined(zone, "customer_landing")] == [7]
    assert [row["line"] for row in quarantined(zone, "step_trainer_landing")] == [7]
    for table in PERSONAL:
        rows = ledger_of(zone, table)
        assert all(row["records_found"] == row["records_landed"] + row["records_quarantined"] for row in rows)
        assert sum(row["records_landed"] for row in rows) == len(landed(zone, table))
        assert sum(row["records_quarantined"] for row in rows) == len(quarantined(zone, table))
    named = {row[key] for table in TABLES for row in ledger_of(zone, table) for key in ("object_key", "quarantine_key")}
    assert {key for key in zone.keys() if is_part(key)} == named - {None}  # noqa: SIM118
    assert found_in(zone, "ann@test.com", devices=("D1",)) == {}


# ------------------------------------------------------------------------------------------------ what is erased
def test_a_person_is_erased_and_nobody_else(zone: Place) -> None:
    assert found_in(zone, "ann@test.com", devices=("D1",)) != {}
    erased = erase(zone, "ANN@test.com")
    assert_is_gone(zone)
    assert erased.spellings == ["Ann@TEST.com", "ann@test.com"]
    assert erased.serial_numbers == ["D1", "D9"]
    assert erased.shared_devices == 2
    lasting, of_the_release = sorted(erased.pseudonyms, key=len, reverse=True)
    assert (lasting, len(of_the_release)) == (KEY.pseudonym("ann@test.com"), 32)
    assert erased.is_piece_of_another
    assert erased.tables == {
        "customer_landing": TableErasure(3, 3),
        "accelerometer_landing": TableErasure(2, 0),
        "step_trainer_landing": TableErasure(2, 1),
        "customer_identities": TableErasure(2, 0),
        "release_pseudonyms": TableErasure(2, 0),
        "customer_suspensions": TableErasure(3, 0),
        "customer_withdrawals": TableErasure(1, 0),
        "device_owners": TableErasure(1, 0, 2),
        "step_claims": TableErasure(0, 0, 1),
    }
    assert [file.rpartition("/stedi/")[2] for file in erased.source_files] == [
        "accelerometer/landing/1.json",
        "accelerometer/landing/3.json",
        "accelerometer/landing/copy.json",
        "customer/landing/1.json",
        "customer/landing/2.json",
        "step_trainer/landing/1.json",
    ]


def test_an_unchanged_source_does_not_bring_the_person_back(places: tuple[Place, Place], zone: Place) -> None:
    source, _ = places
    erase(zone, "ann@test.com")
    before = content_of(zone)
    report = land([source.location], zone.location, TABLES)
    assert not report.changed
    assert content_of(zone) == before
    assert_is_gone(zone)
    source.put(f"{READINGS}/4.json", [reading("bob@test.com", 9)])  # goes into the part that was written anew
    land_all(source, zone)
    assert found_in(zone, "ann@test.com") == {}
    assert len(landed(zone, "accelerometer_landing")) == 4


def test_a_dry_run_tells_the_same_and_changes_nothing(zone: Place) -> None:
    before = content_of(zone)
    told = erase(zone, "ann@test.com", dry_run=True)
    assert content_of(zone) == before
    assert asdict(told) == asdict(erase(zone, "ann@test.com"))


def test_a_second_time_nothing_is_left_and_nothing_changes(zone: Place) -> None:
    erase(zone, "ann@test.com")
    before = content_of(zone)
    again = erase(zone, "ann@test.com")
    assert (again.lines, again.leftovers, again.spellings, again.source_files) == (0, 0, [], [])
    assert content_of(zone) == before


def test_nobody_is_erased_by_an_address_that_nobody_has(zone: Place) -> None:
    before = content_of(zone)
    assert erase(zone, "nn@test.com", "test.com@x").lines == 0
    assert content_of(zone) == before


def test_a_device_goes_with_the_last_of_those_who_registered_it(zone: Place) -> None:
    erased = erase(zone, "ann@test.com", "bob@test.com", "joann@test.com")
    assert (erased.serial_numbers, erased.shared_devices) == (["D1", "D2", "D3", "D4", "D9"], 0)
    assert records_of(zone, "step_trainer_landing") == as_lines(step("D10", 1))
    assert landed(zone, "customer_landing") == landed(zone, "accelerometer_landing") == []
    assert landed(zone, "customer_identities") == []
    assert quarantined(zone, "customer_landing") == []
    assert [row["object_key"] for row in ledger_of(zone, "customer_landing")] == [None, None]


def test_a_quarantined_file_in_another_encoding_goes(places: tuple[Place, Place], zone: Place) -> None:
    source, _ = places
    source.put(f"{CUSTOMERS}/3.json", json.dumps(customer("ann@test.com", "D1")).encode("utf-16"))
    source.put("sparkify/log_data/events.json", "not JSON, and of ann@test.com\n")
    source.put(f"{CUSTOMERS}/4.json", b"PK\x03\x04 an archive")
    land_all(source, zone)
    erased = erase(zone, "ann@test.com")
    assert erased.tables["staging_events"] == TableErasure(0, 1)
    assert erased.tables["customer_landing"] == TableErasure(3, 4)
    assert erased.closed == 1
    assert found_in(zone, "ann@test.com") == {}


def test_records_of_a_file_that_fills_several_parts(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, zone = places
    monkeypatch.setattr("lakehouse.landing.parts.MAX_PART_BYTES", 400)
    monkeypatch.setattr("lakehouse.records.read.RUN_BYTES", 200)
    emails = [email for n in range(40) for email in ("ann@test.com" if n % 3 else "bob@test.com",)]
    source.put(f"{READINGS}/1.json", [reading(email, n) for n, email in enumerate(emails)])
    source.put(f"{READINGS}/2.json", [reading("bob@test.com", 100)])
    land_all(source, zone)
    parts = [row["object_key"] for row in ledger_of(zone, "accelerometer_landing")]
    assert len(set(parts)) > 3
    assert erase(zone, "ann@test.com").tables["accelerometer_landing"].records == emails.count("ann@test.com")
    expected = [reading("bob@test.com", n) for n in range(0, 40, 3)] + [reading("bob@test.com", 100)]
    assert records_of(zone, "accelerometer_landing") == as_lines(*expected)
    counted: Counter[str] = Counter()
    for row in ledger_of(zone, "accelerometer_landing"):
        counted[row["object_key"]] += row["records_landed"]
    for key, count in counted.items():
        assert len(gzip.decompress(zone.get(key) or b"").splitlines()) == count


def test_parts_without_the_person_stay_as_they_are(zone: Place) -> None:
    before = set(zone.keys())
    erase(zone, "bob@test.com")
    kept = [row["quarantine_key"] for row in ledger_of(zone, "customer_landing") if row["quarantine_key"]]
    assert kept
    assert set(kept) <= before


def test_what_former_loads_left_is_deleted_at_once(places: tuple[Place, Place], zone: Place) -> None:
    source, _ = places
    source.put(f"{READINGS}/3.json", [reading("bob@test.com", 3)])
    source.put(f"{READINGS}/1.json", [reading("bob@test.com", 1)])
    source.put(f"{READINGS}/copy.json", [reading("bob@test.com", 1)])
    land_all(source, zone)
    readings = [key for key in found_in(zone, "ann@test.com") if "accelerometer" in key]
    assert len(readings) == 1  # the part that the load replaced
    erased = erase(zone, "ann@test.com")
    assert "accelerometer_landing" not in erased.tables
    assert erased.leftovers >= 1
    assert found_in(zone, "ann@test.com") == {}


def test_a_file_named_after_the_person_is_refused(places: tuple[Place, Place], zone: Place) -> None:
    source, _ = places
    source.put(f"{READINGS}/export_Ann@test.com.json", [reading("bob@test.com", 7)])
    land_all(source, zone)
    before = content_of(zone)
    with pytest.raises(LandingError, match=r"hold the address, .*:\n.*export_Ann@test\.com\.json\nRename them"):
        erase(zone, "ann@test.com")
    assert content_of(zone) == before
    source.put(f"{READINGS}/export_1.json", source.get(f"{READINGS}/export_Ann@test.com.json") or b"")
    source.delete(f"{READINGS}/export_Ann@test.com.json")
    land([source.location], zone.location, TABLES, forget_vanished=True)
    erase(zone, "ann@test.com")
    assert found_in(zone, "ann@test.com") == {}


def test_a_broken_record_without_an_address_goes_by_its_phone(places: tuple[Place, Place]) -> None:
    """Records without an address are in quarantine for that, and the device may be somebody else's, too."""
    source, zone = places
    anns, bobs, ours = ({"phone": phone} for phone in ("8015551212", "8015559999", "8015550000"))
    records = [customer("ann@test.com", "D1") | anns, customer("bob@test.com", "D1") | bobs]
    shared = [customer("ann@test.com", "D1", 2) | ours, customer("bob@test.com", "D1", 2) | ours]
    broken = [{"customerName": "N. N.", "serialNumber": "D1"} | phone for phone in (anns, bobs, ours)]
    source.put(f"{CUSTOMERS}/1.json", records + shared + broken)
    land_all(source, zone)
    assert found_in(zone, devices=("8015551212",)) != {}
    erased = erase(zone, "ann@test.com")
    assert erased.phones == ["8015551212"]
    assert erased.tables["customer_landing"] == TableErasure(2, 1)
    assert sorted(row["line"] for row in quarantined(zone, "customer_landing")) == [6, 7]
    assert found_in(zone, devices=("8015551212",)) == {}


@pytest.mark.parametrize("places", ["folder"], indirect=True)
def test_a_file_named_after_a_device_is_refused(places: tuple[Place, Place]) -> None:
    """The ledger, and the receipt, would keep the number of the device."""
    source, zone = places
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@test.com", "4c-31-aa-07"), customer("bob@test.com", "D2")])
    source.put(f"{STEPS}/trainer_4c-31-aa-07.json", [step("4c-31-aa-07", 1)])
    source.put(f"{STEPS}/trainer_D2.json", [step("D2", 1)])
    land_all(source, zone)
    with pytest.raises(LandingError, match=r"or a number of theirs:\n.*trainer_4c-31-aa-07\.json\nRename them"):
        erase(zone, "ann@test.com")
    assert erase(zone, "bob@test.com").lines == 6  # customer and step, and four rows that were worked out of these


# -------------------------------------------------------------------------------------------------- on S3 only
@pytest.fixture
def s3_zone(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Place]:
    with s3_of_a_test(server, monkeypatch) as s3:
        source, zone = S3Place(s3, s3.bucket, "raw"), S3Place(s3, s3.bucket, "zone")
        fill(source)
        land_all(source, zone)
        yield zone


def test_redshifts_manifests_name_the_new_parts(s3_zone: S3Place) -> None:
    erase(s3_zone, "ann@test.com")
    for table in PERSONAL:
        named = {row[key] for row in ledger_of(s3_zone, table) for key in ("object_key", "quarantine_key")} - {None}
        manifests = [s3_zone.get(key) for key in s3_zone.keys() if key.startswith(f"loader/copy/{table}/")]  # noqa: SIM118
        entries = [entry for content in manifests for entry in json.loads(content or b"").get("entries", [])]
        assert {entry["url"] for entry in entries} == {f"{s3_zone.location}/{key}" for key in named}


def test_a_versioned_bucket_is_told_to_keep_what_was_erased(s3_zone: S3Place) -> None:
    assert look_at_old_versions([s3_zone.location]).unknown == []
    s3_zone.s3.backend.put_bucket_versioning(s3_zone.bucket, "Enabled")
    erase(s3_zone, "ann@test.com")
    (told,) = look_at_old_versions([s3_zone.location, s3_zone.location]).unknown
    assert (count := re.match(r"the bucket keeps (\d+) old versions of objects below s3://\S+/zone,", told))
    assert int(count[1]) >= 8


# ------------------------------------------------------------------------------------------------------- kills
class _KilledError(BaseException):
    """Stands for a kill: nothing in the loader may catch it."""


def killing(function: Callable[..., Any], calls: list[int], moment: int) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        calls.append(1)
        if len(calls) == moment:
            raise _KilledError
        return function(*args, **kwargs)

    return call


@pytest.mark.parametrize("places", ["folder"], indirect=True)
def test_killed_at_any_moment_each_table_is_old_or_new_and_the_next_run_completes(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, _ = places
    fill(source)
    killed_until_the_end(
        source, lambda n: FolderPlace(tmp_path / f"zone{n}"), monkeypatch, os, ("replace", "unlink", "fsync")
    )


def test_killed_at_any_request_each_table_is_old_or_new_and_the_next_run_completes(
    server: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_of_a_test(server, monkeypatch) as s3:
        source = S3Place(s3, s3.bucket, "raw")
        fill(source)
        zones = lambda n: S3Place(s3, s3.bucket, f"zone{n}")  # noqa: E731
        killed_until_the_end(
            source, zones, monkeypatch, S3Prefix, ("write", "replace", "delete"), 1 if EVERYTHING else 5
        )


def killed_until_the_end(  # noqa: PLR0913, PLR0917 - what a kill is told
    source: Place,
    zones: Callable[[int], Place],
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    names: tuple[str, ...],
    stride: int = 1,
) -> None:
    """Kills an erasure at each call of these functions, or at every so many."""
    land_all(source, zones(0))
    landed_zone = content_of(zones(0))
    old = {table: records_of(zones(0), table) for table in PERSONAL}
    erase(zones(0), "ann@test.com")
    new = {table: records_of(zones(0), table) for table in PERSONAL}
    moment, survived = 1 - stride, False
    while not survived:
        moment += stride
        zone = zones(moment)
        for key, content in landed_zone.items():
            zone.put(key, content or b"")
        calls: list[int] = []
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(owner, name, killing(getattr(owner, name), calls, moment))
            try:
                erase(zone, "ann@test.com")
                survived = True
            except _KilledError:
                pass
        for table in PERSONAL:
            assert records_of(zone, table) in (old[table], new[table]), f"killed at {moment}"
        erase(zone, "ann@test.com")
        assert_is_gone(zone)
    assert moment > 10


# ------------------------------------------------------------------------------------------------- the proof
def test_the_search_finds_what_nobody_erases(zone: Place) -> None:
    """Files that are not the loader's, and what others write of a person in records of their own."""
    erase(zone, "ann@test.com")
    zone.put("customer/landing/by_hand.json.gz", gzip.compress(as_bytes([customer("ann@test.com", "D1")])))
    zone.put("loader/note.txt", "asked by Ann@test.com")
    zone.put("notes/ann@test.com", "")
    found = found_in(zone, "ann@test.com", devices=("D1",))
    assert found == {
        f"{zone.location}/customer/landing/by_hand.json.gz": 1,
        f"{zone.location}/loader/note.txt": 1,
        f"{zone.location}/notes/ann@test.com": 1,
    }


def test_files_are_searched_over_the_borders_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.privacy.proof._BLOCK_BYTES", 10)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/dbt.log").write_text("x" * 25 + " ANN@test.com " + "x" * 25)
    (tmp_path / "logs/other.log").write_text("x" * 25 + " bob@test.com " + "x" * 25)
    needles = Needles(["ann@test.com"])
    assert search_files([tmp_path / "logs", tmp_path / "none"], needles) == {str(tmp_path / "logs/dbt.log"): 1}
    assert search_files([tmp_path / "logs/dbt.log"], needles) == {str(tmp_path / "logs/dbt.log"): 1}


def test_a_receipt_holds_no_personal_data(zone: Place) -> None:
    folder = open_folder(zone.location)
    erased = erase(zone, "ann@test.com")
    erased.source_files += ["raw/of bob@test.com.json", "raw/of%20bob%40test.com.json"]
    key = begin_receipt(folder, 1, erased, {"stedi.customer_trusted.email": 2})
    content = zone.get(key) or b""
    receipt = json.loads(content)
    assert receipt["finished_at"] is None
    assert receipt["records"]["accelerometer_landing"] == 2
    assert receipt["quarantined"]["customer_landing"] == 3
    assert (receipt["people"], receipt["devices"], receipt["shared_devices"]) == (1, 2, 2)
    assert receipt["relations"] == {"stedi.customer_trusted.email": 2}
    assert (len(receipt["source_files"]), receipt["unnamed_source_files"]) == (6, 2)
    for personal in ("@", "ann", "D1", *erased.pseudonyms):
        assert personal.encode() not in content.replace(zone.location.rpartition("/")[0].encode(), b"")
    assert [unfinished for unfinished, _ in unfinished_receipts(folder)] == [key]
    finish_receipts(folder)
    assert list(unfinished_receipts(folder)) == []
    assert json.loads(zone.get(key) or b"")["finished_at"] >= receipt["begun_at"]


@pytest.mark.parametrize("places", ["folder"], indirect=True)
def test_the_key_leads_to_the_history_of_who_is_landed_no_more(
    zone: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the snapshots, where nothing else does; without it, or with another one, that is said."""
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    (tmp_path / "lakehouse.duckdb").touch()
    asked: set[str] = set()

    def search(_dbt: DbtSession, values: set[str], **_: object) -> dict[str, int]:
        asked.update(values)
        return {}

    monkeypatch.setattr("lakehouse.privacy.erase.search_engine", search)
    monkeypatch.setattr("lakehouse.privacy.erase.other_environments", lambda *_: ())
    reporter = ConsoleReporter()
    dbt = DbtSession(tmp_path, "duckdb", "mine", reporter.console)
    for key, warning in (
        (KEY, ""),
        (PseudonymKey(b"another key, of 32 characters .."), "PSEUDONYM_KEY is another one than this landing zone's"),
        (None, "PSEUDONYM_KEY is not set"),
    ):
        asked.clear()
        Erasing(zone.location, TABLES, ["Gone@test.com"], dbt, reporter, key).dry_run()
        derived = {key.pseudonym(spelling) for spelling in ("Gone@test.com", "gone@test.com")} if key else set()
        assert asked == {"Gone@test.com"} | derived
        said = capsys.readouterr().out
        assert (f"warning: of some addresses the landing zone has no record, and {warning}" in said) == bool(warning)
    Erasing(zone.location, TABLES, ["bob@test.com"], dbt, reporter).dry_run()
    assert "warning: of some addresses" not in capsys.readouterr().out


# ------------------------------------------------------------------------------------------- the whole command
def run(
    project: Path, name: str, *options: object, cwd: Path | None = None, **settings: str
) -> "subprocess.CompletedProcess[str]":
    command = [LAKEHOUSE, name, *map(str, options)]
    settings = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **settings}
    return subprocess.run(command, cwd=cwd or project, env=settings, capture_output=True, text=True, check=False)


def copied_project(folder: Path) -> Path:
    project = copy_project(folder / "project")
    remove_unit_tests(project)
    return project


COPIES = (
    "create table stedi.of_a_former_model as select email from stedi.customer_trusted",
    "create schema dbt_test__audit",
    "create table dbt_test__audit.assert_customer_trusted_is_who_consents as from stedi.of_a_former_model",
)


def test_a_person_is_erased_from_everything_that_a_run_makes(tmp_path: Path) -> None:
    """A person whose erasure was killed after the landing zone's part is erased to the end by the next one."""
    project = copied_project(tmp_path)
    built = run(project, "run", "--scale", "0.02", DBT_EXCLUDE_RESOURCE_TYPES=ALL_TESTS)
    assert built.returncode == 0, built.stdout + built.stderr
    zone, database = project / "landing/sample_x0.02", project / "lakehouse.duckdb"
    query = "select email, customer_pseudonym from stedi_staging.stg_stedi__customer_identities order by email"
    with duckdb.connect(str(database), read_only=True) as connection:
        people = dict(connection.execute(query).fetchall())
        history = connection.execute("select count(*) from stedi_privacy.consent_history").fetchall()
        with_consent = connection.execute("select email from stedi.customer_curated order by email limit 2").fetchall()
    (first,), (second,) = with_consent
    with duckdb.connect(str(database)) as connection:
        for statement in COPIES:
            connection.execute(statement)
    database.chmod(0o600)
    told = run(project, "erase", "--email", first, "--zone", zone, "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "stedi.customer_curated.email: 1 row" in told.stdout
    assert "stedi.of_a_former_model.email: 1 row" in told.stdout
    assert "dbt_test__audit.assert_customer_trusted_is_who_consents.email: 1 row" in told.stdout
    assert "nothing was changed" in told.stdout
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table stedi.of_a_former_model")
    erase_from_zone(zone, TABLES, [second], print)
    (tmp_path / "people.txt").write_text(f"{first.upper()}\n{second}\n")

    done = run(project, "erase", "--file", tmp_path / "people.txt", "--zone", zone, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "written in 1 way\n" in done.stdout
    assert not [name for name in (first, second) if name.lower() in (done.stdout + done.stderr + told.stdout).lower()]
    assert "nothing is left" in done.stdout
    assert re.search(r"^\d+ relations built, [1-9]\d* tests passed", done.stdout, re.MULTILINE)
    assert database.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(str(database), read_only=True) as connection:
        left = dict(connection.execute(query).fetchall())
        assert left == {email: people[email] for email in people if email not in (first, second)}
        assert connection.execute("select count(*) from stedi_privacy.consent_history").fetchall() == history
        published = connection.execute(
            "select distinct customer_pseudonym from stedi_privacy.consent_history"
        ).fetchall()
        assert not {people[first], people[second]} & {pseudonym for (pseudonym,) in published}
        assert connection.execute("from loader.ledger").fetchall()
    (receipt,) = (json.loads(path.read_text()) for path in (zone / "loader/erasures").iterdir())
    assert receipt["finished_at"]
    assert receipt["relations"]["stedi.customer_curated.email"] == 2

    (project / "logs/dbt.log").write_text(f"Duplicate key: {second}")
    again = run(project, "erase", "--email", first, "--email", second, "--zone", zone, "--yes", cwd=project / "models")
    assert again.returncode == 1
    assert not (project / "models/lakehouse.duckdb").exists()  # an empty one, in which nobody would be found
    assert "nothing of them is in the landing zone or in the database" in again.stdout
    assert f"still found: {project}/logs/dbt.log" in again.stdout
    assert len(list((zone / "loader/erasures").iterdir())) == 1
