"""A person who was erased does not come back with a later file, and nobody can read from the list who that is."""

import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.outcome import LandingReport
from lakehouse.landing.pseudonym_key import PUBLIC, PseudonymKey
from lakehouse.landing.suppression import (
    SUPPRESSED_KEY,
    Number,
    allow_again,
    numbers_of,
    read_suppressions,
    seal_anew,
    suppress,
)
from lakehouse.storage import open_folder
from landing_helpers import (
    TABLES,
    FolderPlace,
    Place,
    as_bytes,
    assert_books_balance,
    content_of,
    landed,
    ledger_of,
    quarantined,
)
from real_data import LAKEHOUSE
from s3_server import FaultyS3, S3Place, s3_of_a_test
from s3_server import s3_server as serving

pytestmark = pytest.mark.quick

KEY = PseudonymKey(b"5fd81c0b7a3e9624c0ffee0123456789c0ffee01")
OTHER = PseudonymKey(b"another key, of 32 characters ..")
NOON_MS = 1_655_564_400_000
CUSTOMERS = "stedi/customer/landing"
READINGS = "stedi/accelerometer/landing"
STEPS = "stedi/step_trainer/landing"
PERSONAL = ("customer_landing", "accelerometer_landing", "step_trainer_landing", "staging_events")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSEUDONYM_KEY", KEY.secret.decode())


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


@pytest.fixture
def source(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "raw")


@pytest.fixture
def zone(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "zone")


def customer(email: str, device: str, at: int = 1, **more: object) -> dict[str, Any]:
    return {"email": email, "serialNumber": device, "registrationDate": NOON_MS, "lastUpdateDate": NOON_MS + at, **more}


def reading(email: str, at: int) -> dict[str, Any]:
    return {"user": email, "timestamp": NOON_MS + at, "x": 1.0, "y": 2.0, "z": 3.0}


def step(device: str, at: int) -> dict[str, Any]:
    return {"sensorReadingTime": NOON_MS + at, "serialNumber": device, "distanceFromObject": 5}


def keep_out(
    zone: Place, *addresses: str, devices: tuple[str, ...] = (), phones: tuple[str, ...] = (), exact: bool = False
) -> bool:
    numbers: set[Number] = {("serial_number", device) for device in devices} | {("phone", phone) for phone in phones}
    people = dict.fromkeys(addresses, numbers)
    return suppress(open_folder(zone.location), people, KEY, exact=exact)


def load(source: Place, zone: Place, **options: Any) -> LandingReport:  # noqa: ANN401
    return land([source.location], zone.location, TABLES, **options)


def emails(zone: Place, table: str, column: str) -> list[str]:
    return sorted(json.loads(line)[column] for line in landed(zone, table))


def everything_in(zone: Place) -> bytes:
    contents = [content or b"" for content in content_of(zone).values()]
    return b"\n".join(gzip.decompress(one) if one.startswith(b"\x1f\x8b") else one for one in contents)


def counts(zone: Place, table: str) -> tuple[int, int, int, int]:
    """Found, landed, quarantined, suppressed."""
    rows = ledger_of(zone, table)
    found, *fates = (
        sum(row[f"records_{fate}"] for row in rows) for fate in ("found", "landed", "quarantined", "suppressed")
    )
    return (found, *fates)


# ------------------------------------------------------------------------------------------------- who stays out
def test_who_is_on_the_list_is_not_landed_however_the_address_is_written(places: tuple[Place, Place]) -> None:
    source, zone = places
    keep_out(zone, "Zoë@Test.com", devices=("D1",))
    spellings = ("zoë@test.com", " ZOË@TEST.COM ", "zoe\u0308@test.com", "zoë@test.com\t")
    source.put(f"{CUSTOMERS}/1.json", [customer(name, "D1") for name in (*spellings, "bob@test.com", "azoë@test.com")])
    source.put(f"{READINGS}/1.json", [reading(name, 1) for name in (*spellings, "bob@test.com")] * 50)
    source.put(f"{STEPS}/1.json", [step("D1", 1), step("D2", 1), step("D11", 1)])
    report = load(source, zone)
    assert emails(zone, "customer_landing", "email") == ["azoë@test.com", "bob@test.com"]
    assert emails(zone, "accelerometer_landing", "user") == ["bob@test.com"] * 50
    assert emails(zone, "step_trainer_landing", "serialNumber") == ["D11", "D2"]
    assert counts(zone, "customer_landing") == (6, 2, 0, 4)
    assert counts(zone, "accelerometer_landing") == (250, 50, 0, 200)
    assert counts(zone, "step_trainer_landing") == (3, 2, 0, 1)
    assert (report.records_suppressed, report.people_suppressed, report.records_rejected) == (205, 1, 0)
    assert_books_balance(zone, PERSONAL)
    again = load(source, zone)
    assert (again.changed, again.records_suppressed) == (False, 0)
    assert counts(zone, "customer_landing") == (6, 2, 0, 4)


def test_raw_stays_raw_between_those_who_are_left_out(source: FolderPlace, zone: FolderPlace) -> None:
    keep_out(zone, "ann@test.com")
    kept = b'{ "user":"bob@test.com", "timestamp":1655564400000,"x":1.50,"y":2.0,"z":3.0}'
    gone = as_bytes([reading("ann@test.com", 1)]).strip()
    source.put(f"{READINGS}/1.json", gone + b"\r\n" + kept + b"\r\n" + gone)
    source.put(f"{READINGS}/2.json", kept.replace(b"1.50", b"1.25") + b" " + gone + kept)  # not one a line
    load(source, zone)
    assert sorted(landed(zone, "accelerometer_landing")) == sorted([kept, kept.replace(b"1.50", b"1.25"), kept])
    assert counts(zone, "accelerometer_landing") == (6, 3, 0, 3)


@pytest.mark.parametrize(
    "broken",
    [
        b'{"email": "ann@test.com", "serialNumber": "D7"}',
        b'{"email": "\\u0061NN\\u0040test.com"}',
        b'{"email": "ann%40test.com"}',
        b"complaint of ANN@test.com. She is angry",
        b"ann@test.com;7;8",
        b'{"user":"x","note":"Ann <ann@test.com>"}',
        b'{"note": "mailto:ann@test.com?subject=x"',
        b"user=ann@test.com&x=1",
        b'{"serialNumber": "D1"}',
        b'{"phone": 8015551212}',
        b'{"customerName": "tel. 8015551212"}',
        '{"email": "ann@test.com"}'.encode("utf-16"),
        b'{"email": "ann@test.com", "serialNumber": "D7", "lastUpdateDate": 1, "lastUpdateDate": 2}',
        b'\x93ann@test.com\x94 "',
    ],
)
def test_what_cannot_be_read_and_names_the_person_leaves_no_bytes(
    source: FolderPlace, zone: FolderPlace, broken: bytes
) -> None:
    keep_out(zone, "ann@test.com", devices=("D1",), phones=("8015551212",))
    source.put(f"{CUSTOMERS}/1.json", as_bytes([customer("bob@test.com", "D2")]) + b'{"email": "bob@test.com"}\n')
    source.put(f"{CUSTOMERS}/2.json", broken)
    report = load(source, zone, max_rejects=1)
    _, landed_count, quarantined_count, suppressed_count = counts(zone, "customer_landing")
    assert (landed_count, quarantined_count, suppressed_count > 0) == (1, 1, True)
    assert report.people_suppressed == 1
    assert [row["source_file"] for row in quarantined(zone, "customer_landing")] == [f"{CUSTOMERS}/1.json"]
    assert_books_balance(zone, PERSONAL)


@pytest.mark.parametrize(
    "broken",
    [
        b"joann@test.com",
        b"ann@test.com.au",
        b"D10",
        b"D1-2",
        b"98015551212",
        b'{"email": "ann@test.co"}',
        b"ann",
        b"x-ann@test.com",
    ],
)
def test_what_names_somebody_else_stays_in_quarantine(source: FolderPlace, zone: FolderPlace, broken: bytes) -> None:
    keep_out(zone, "ann@test.com", devices=("D1",), phones=("8015551212",))
    source.put(f"{CUSTOMERS}/1.json", broken)
    load(source, zone)
    assert counts(zone, "customer_landing") == (1, 0, 1, 0)


def test_a_value_that_is_no_address_is_kept_out_as_it_was_landed(source: FolderPlace, zone: FolderPlace) -> None:
    keep_out(zone, "bob@y.com, rob@z.com", "Customer Seven", "7")
    others = [customer("bob@y.com", "D1"), customer("customer", "D2"), customer("77", "D3")]
    theirs = [customer("Bob@y.com, ROB@z.com ", "D4"), customer("customer seven", "D5")]
    number = b'{"email":7,"serialNumber":"D6","registrationDate":1655564400000,"lastUpdateDate":1655564400000}\n'
    source.put(f"{CUSTOMERS}/1.json", as_bytes(others + theirs) + number)
    source.put(f"{CUSTOMERS}/2.json", b'{"email": "customer SEVEN", "broken\n{"email": 7}\n{"email": "seven"}')
    load(source, zone)
    assert emails(zone, "customer_landing", "email") == ["77", "bob@y.com", "customer"]
    assert counts(zone, "customer_landing")[3] >= 4


def test_an_exact_address_keeps_its_other_spellings_in(source: FolderPlace, zone: FolderPlace) -> None:
    keep_out(zone, "Ann@test.com", exact=True)
    source.put(f"{CUSTOMERS}/1.json", [customer("Ann@test.com", "D1"), customer("ann@test.com", "D1")])
    load(source, zone)
    assert emails(zone, "customer_landing", "email") == ["ann@test.com"]


def test_a_replay_obeys_the_list(source: FolderPlace, zone: FolderPlace) -> None:
    """Of a record that became good: be it that it is left out, it is in the quarantine no more."""
    table = TABLES["customer_landing"]
    strict = {name: one for name, one in TABLES.items() if name != table.name}
    columns = tuple(
        type(column)(**{**vars(column), "type": "varchar(4)"}) if column.name == "phone" else column
        for column in table.columns
    )
    strict[table.name] = type(table)(**{**vars(table), "columns": columns})
    records = [customer("ann@test.com", "D1", phone="801555"), customer("bob@test.com", "D2", phone="801556")]
    source.put(f"{CUSTOMERS}/1.json", records)
    land([source.location], zone.location, strict)
    assert counts(zone, "customer_landing") == (2, 0, 2, 0)
    keep_out(zone, "ann@test.com")
    report = load(source, zone, replay=True)
    assert counts(zone, "customer_landing") == (2, 1, 0, 1)
    assert (report.records_suppressed, report.people_suppressed) == (1, 1)
    assert emails(zone, "customer_landing", "email") == ["bob@test.com"]
    load(source, zone)
    load(source, zone)  # deletes what the replay left
    assert b"ann@test.com" not in everything_in(zone)


def test_counts_survive_packing_anew_copies_and_a_dry_run(source: FolderPlace, zone: FolderPlace) -> None:
    keep_out(zone, "ann@test.com")
    source.put(f"{READINGS}/1.json", [reading("ann@test.com", 1), reading("bob@test.com", 1)])
    source.put(f"{READINGS}/2.json", [reading("ann@test.com", 2)])
    told = load(source, zone, dry_run=True)
    assert (told.records_suppressed, told.tables["accelerometer_landing"].records_landed) == (2, 1)
    load(source, zone)
    source.put(f"{READINGS}/copy.json", [reading("ann@test.com", 1), reading("bob@test.com", 1)])
    source.put(f"{READINGS}/3.json", [reading("bob@test.com", 3)])
    report = load(source, zone)
    assert report.records_suppressed == 1  # the copy's was read before it turned out to be one
    assert counts(zone, "accelerometer_landing") == (4, 2, 0, 2)
    assert_books_balance(zone, PERSONAL)


def test_a_large_load_in_many_processes_keeps_them_out(
    source: FolderPlace, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.records.pool.WORTH_BYTES", 1)
    monkeypatch.setattr("lakehouse.landing.parts.MAX_PART_BYTES", 100_000)
    monkeypatch.setattr("lakehouse.records.read.RUN_BYTES", 40_000)
    keep_out(zone, "person7@test.com")
    source.put(f"{READINGS}/1.json", [reading(f"person{n % 10}@test.com", n) for n in range(10_000)])
    packed = gzip.compress(as_bytes([reading(f"person{n % 10}@test.com", n) for n in range(10_000, 20_000)]))
    source.put(f"{READINGS}/2.json.gz", packed)
    load(source, zone)
    assert counts(zone, "accelerometer_landing") == (20_000, 18_000, 0, 2_000)
    assert b"person7@" not in everything_in(zone)
    assert_books_balance(zone, PERSONAL)


def test_without_anybody_on_the_list_nothing_is_looked_at(
    source: FolderPlace, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no key is needed; also once the last one was taken off."""
    keep_out(zone, "ann@test.com")
    assert allow_again(open_folder(zone.location), ["ANN@test.com", "bob@test.com"]) == 1
    monkeypatch.delenv("PSEUDONYM_KEY")
    monkeypatch.delattr("lakehouse.landing.suppression.TableSieve.filtered")
    source.put(f"{READINGS}/1.json", [reading("ann@test.com", 1)])
    assert load(source, zone).records_suppressed == 0
    assert counts(zone, "accelerometer_landing") == (1, 1, 0, 0)


def test_who_is_allowed_again_comes_back_with_a_changed_file(source: FolderPlace, zone: FolderPlace) -> None:
    keep_out(zone, "ann@test.com", "bob@test.com", devices=("D1",))
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@test.com", "D1"), customer("bob@test.com", "D2")])
    source.put(f"{STEPS}/1.json", [step("D1", 1)])
    load(source, zone)
    assert allow_again(open_folder(zone.location), ["ann@test.com"]) == 1
    load(source, zone)
    assert landed(zone, "customer_landing") == []
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@test.com", "D1", 2), customer("bob@test.com", "D2")])
    source.put(f"{STEPS}/1.json", [step("D1", 2)])
    load(source, zone)
    assert emails(zone, "customer_landing", "email") == ["ann@test.com"]
    assert landed(zone, "step_trainer_landing") == []  # the device is Bob's, too, as far as the list knows
    allow_again(open_folder(zone.location), ["bob@test.com"])
    source.put(f"{STEPS}/1.json", [step("D1", 3)])
    load(source, zone)
    assert emails(zone, "step_trainer_landing", "serialNumber") == ["D1"]


def test_a_file_that_was_moved_out_and_back_is_read_again(source: FolderPlace, zone: FolderPlace) -> None:
    """What `erase --allow-again` advises whoever wants somebody back from an unchanged file."""
    keep_out(zone, "ann@test.com")
    records = [customer("ann@test.com", "D1"), customer("bob@test.com", "D2")]
    source.put(f"{CUSTOMERS}/1.json", records)
    source.put(f"{READINGS}/1.json", [reading("bob@test.com", 1)])
    load(source, zone)
    allow_again(open_folder(zone.location), ["ann@test.com"])
    source.delete(f"{CUSTOMERS}/1.json")
    load(source, zone, forget_vanished=True)
    source.put(f"{CUSTOMERS}/1.json", records)
    load(source, zone)
    assert emails(zone, "customer_landing", "email") == ["ann@test.com", "bob@test.com"]


# ------------------------------------------------------------------------------------------------- whose number
def test_each_number_is_listed_with_the_person_to_whom_the_records_give_it(
    source: FolderPlace, zone: FolderPlace
) -> None:
    records = [
        customer("Ann@test.com", "D1", phone="801"),
        customer("bob@test.com", "D2"),
        customer("cyd@test.com", "D3"),
    ]
    source.put(f"{CUSTOMERS}/1.json", records)
    load(source, zone)
    numbers: list[Number] = [
        ("serial_number", "D1"),
        ("serial_number", "D2"),
        ("serial_number", "D9"),
        ("phone", "801"),
    ]
    broken: Number = ("serial_number", "D9")
    assert numbers_of(open_folder(zone.location), TABLES, ["ann@TEST.com", "bob@test.com"], numbers) == {
        "ann@test.com": {("serial_number", "D1"), ("phone", "801"), broken},
        "bob@test.com": {("serial_number", "D2"), broken},
    }


# ------------------------------------------------------------------------------------------------- the list itself
def test_the_list_names_nobody_and_its_hashes_are_no_pseudonyms(zone: FolderPlace) -> None:
    assert keep_out(zone, "ann@test.com", devices=("D1",))
    content = zone.get(SUPPRESSED_KEY) or b""
    for told in ("ann", "test.com", "D1", KEY.secret.decode(), KEY.pseudonym("ann@test.com")[:16]):
        assert told.encode() not in content
    assert not keep_out(zone, "ANN@test.com", devices=("D1",))
    assert zone.get(SUPPRESSED_KEY) == content
    assert keep_out(zone, "ann@test.com", devices=("D2",))
    (entry,) = json.loads(zone.get(SUPPRESSED_KEY) or b"")["suppressed"]
    assert len(entry["numbers"]) == 2
    keep_out(FolderPlace(zone.path / "other"), "ann@test.com")
    (other,) = json.loads(zone.get(f"other/{SUPPRESSED_KEY}") or b"")["suppressed"]
    assert other["person"] != entry["person"]  # two lists cannot be compared


@pytest.mark.parametrize(
    ("key", "said"), [(None, "PSEUDONYM_KEY, .*, is not set"), (OTHER, "PSEUDONYM_KEY, .*, is another one")]
)
def test_without_the_key_nothing_is_landed(
    source: FolderPlace, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch, key: PseudonymKey | None, said: str
) -> None:
    keep_out(zone, "ann@test.com")
    if key is None:
        monkeypatch.delenv("PSEUDONYM_KEY")
    else:
        monkeypatch.setenv("PSEUDONYM_KEY", key.secret.decode())
    source.put(f"{CUSTOMERS}/1.json", [customer("bob@test.com", "D2")])
    before = content_of(zone)
    with pytest.raises(LandingError, match=said):
        load(source, zone)
    assert content_of(zone) == before
    with pytest.raises(LandingError, match=said):
        allow_again(open_folder(zone.location), ["ann@test.com"])


def test_public_data_needs_no_key_for_its_list(
    source: FolderPlace, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PSEUDONYM_KEY")
    suppress(open_folder(zone.location), {"ann@test.com": ()}, PUBLIC)
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@test.com", "D2")])
    load(source, zone)
    assert counts(zone, "customer_landing") == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is damaged"),
        (b"\xff{}", "is damaged"),
        (b"{}", "is damaged"),
        (b'{"format": 1, "suppressed": []}', "is damaged"),
        (b'{"format": 2, "anything": []}', "has format 2, this program knows 1"),
    ],
)
def test_a_damaged_list_stops_the_load(source: FolderPlace, zone: FolderPlace, content: bytes, said: str) -> None:
    zone.put(SUPPRESSED_KEY, content)
    source.put(f"{CUSTOMERS}/1.json", [customer("bob@test.com", "D2")])
    with pytest.raises(LandingError, match=said):
        load(source, zone)


@pytest.mark.parametrize("field", ["salt", "sealed_key", "proof", "suppressed"])
def test_a_list_whose_key_is_damaged_stops_the_load(source: FolderPlace, zone: FolderPlace, field: str) -> None:
    keep_out(zone, "ann@test.com", "dan@test.com")
    found = json.loads(zone.get(SUPPRESSED_KEY) or b"")
    zone.put(SUPPRESSED_KEY, json.dumps({**found, field: found[field][:-1]}))
    source.put(f"{CUSTOMERS}/1.json", [customer("bob@test.com", "D2")])
    with pytest.raises(LandingError, match="is damaged"):
        load(source, zone)


def test_two_writers_do_not_lose_each_others_people(places: tuple[Place, Place]) -> None:
    """The list is replaced by a conditional write: whoever read an older one is refused, and adds to the newer one."""
    _, zone = places
    folder = open_folder(zone.location)
    keep_out(zone, "ann@test.com")

    class Late(type(folder)):  # type: ignore[misc]
        def fetch(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
            found = super().fetch(*args, **options)
            keep_out(zone, "bob@test.com")
            return found

    late = Late.parse(zone.location)
    with pytest.raises(LandingError, match="was changed by another command meanwhile"):
        suppress(late, {"cyd@test.com": ()}, KEY)
    keep_out(zone, "cyd@test.com")
    listed = read_suppressions(folder)
    assert listed is not None
    assert [name in listed for name in ("ann@test.com", "bob@test.com", "cyd@test.com", "dan@test.com")] == [
        *[True] * 3,
        False,
    ]


def test_a_new_key_seals_the_list_if_the_former_one_is_given(
    source: FolderPlace, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_folder(zone.location)
    seal_anew(folder, OTHER)  # there is none yet
    keep_out(zone, "ann@test.com")
    before = zone.get(SUPPRESSED_KEY)
    with pytest.raises(LandingError, match=r"set FORMER_PSEUDONYM_KEY to that one; or, if it is lost, delete the list"):
        seal_anew(folder, OTHER)
    assert zone.get(SUPPRESSED_KEY) == before
    monkeypatch.setenv("FORMER_PSEUDONYM_KEY", KEY.secret.decode())
    seal_anew(folder, OTHER)
    sealed = zone.get(SUPPRESSED_KEY)
    seal_anew(folder, OTHER)
    assert zone.get(SUPPRESSED_KEY) == sealed
    monkeypatch.setenv("PSEUDONYM_KEY", OTHER.secret.decode())
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@test.com", "D2")])
    load(source, zone)
    assert counts(zone, "customer_landing") == (1, 0, 0, 1)


def test_the_command_gives_no_new_key_without_the_former_one(source: FolderPlace, zone: FolderPlace) -> None:
    source.put(f"{CUSTOMERS}/1.json", [customer("bob@test.com", "D2")])
    load(source, zone)
    keep_out(zone, "ann@test.com")
    secret = "9e2f7c41" + KEY.secret.decode()

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [LAKEHOUSE, "pseudonymise", "--zone", zone.location, "--new-key"]
        settings = {"PATH": os.environ["PATH"], "PSEUDONYM_KEY": secret, **more}
        return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)

    refused = run()
    assert (refused.returncode, "set FORMER_PSEUDONYM_KEY to that one" in refused.stderr) == (2, True)
    assert run(FORMER_PSEUDONYM_KEY=KEY.secret.decode()).returncode == 0
    listed = read_suppressions(open_folder(zone.location), [PseudonymKey(secret.encode())])
    assert listed is not None
    assert "ann@test.com" in listed
