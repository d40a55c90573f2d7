"""Whoever can be landed can be erased, nobody else is, and what must be remembered of them names nobody."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lakehouse.declaration import Column, Table
from lakehouse.derived.people import land_people
from lakehouse.derived.table import land_derived, landed_zone
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing import ledger
from lakehouse.landing.load import land
from lakehouse.privacy.proof import search_zone
from lakehouse.privacy.receipts import begin_receipt
from lakehouse.privacy.tokens import SECRET_KEY
from lakehouse.privacy.zone import TableErasure, ZoneErasure, erase_from_zone
from lakehouse.records.needles import Needles
from lakehouse.storage import open_folder
from landing_helpers import TABLES, FolderPlace, as_bytes, landed, quarantined
from test_erasure import CUSTOMERS, KEY, READINGS, STEPS, customer, reading, step

OWNERS = Table(
    "device_owners",
    "stedi",
    "device/owners/landing",
    (
        Column("serial_number", "varchar(64)", person="serial_number"),
        Column("owner_token", "varchar(64)", person="owner_token", personal="pseudonym"),
    ),
)
CLAIMS = Table(
    "step_claims",
    "stedi",
    "device/claims/landing",
    (
        Column("serial_number", "varchar(64)", person="serial_number"),
        Column("sensor_reading_time", "bigint"),
        Column("owner_token", "varchar(64)", person="owner_token", personal="pseudonym"),
    ),
)
SUSPENSIONS = Table(
    "customer_suspensions",
    "stedi",
    "customer/suspensions/landing",
    (Column("canonical_email", "varchar(320)", person="email"), Column("line", "bigint")),
)
WITH_MEMORY = {name: table for name, table in TABLES.items() if name != "customer_identities"} | {
    table.name: table for table in (OWNERS, CLAIMS, SUSPENSIONS, TABLES["customer_identities"])
}


@pytest.fixture
def source(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "raw")


@pytest.fixture
def zone(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "zone")


def land_both(source: FolderPlace, zone: FolderPlace) -> None:
    land([source.location], zone.location, TABLES)
    land_people(zone.location, TABLES, KEY, print)


def erase(zone: FolderPlace, *addresses: str, **options: Any) -> ZoneErasure:  # noqa: ANN401
    return erase_from_zone(zone.location, TABLES, addresses, print, **options)


def emails(zone: FolderPlace, table: str = "customer_landing", key: str = "email") -> list[Any]:
    return sorted((json.loads(line)[key] for line in landed(zone, table)), key=str)


# ---------------------------------------------------------------------------------- whoever is landed can be erased
OTHERS = ["ann@x.com", "bob@y.com", "eve@x.com", "xann@x.com", "annex", "rob@z.com"]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        "Ann Lee <ann@x.com>",
        "bob@y.com, rob@z.com",
        "bob@y.com;rob@z.com",
        "mailto:ann@x.com",
        "eve@x.com.",
        "'eve@x.com'",
        '"ann"@x.com',
        "ann @ x.com",
        "ann",
        "Ann Lee",
        "@",
        "customer",
        "zoë",
        "a\tb\\n",
    ],
)
def test_what_was_landed_as_an_address_is_erased_and_nobody_else(
    source: FolderPlace, zone: FolderPlace, value: str, exact: bool
) -> None:
    records = [customer(value, "D1"), *(customer(other, f"E{n}") for n, other in enumerate(OTHERS))]
    broken = as_bytes([{"email": value, "serialNumber": "D1"}, {"email": "annex", "customerName": value}])
    source.put(f"{CUSTOMERS}/1.json", as_bytes(records) + broken)
    source.put(f"{READINGS}/1.json", [reading(value, 1), *(reading(other, 1) for other in OTHERS)])
    source.put(f"{STEPS}/1.json", [step("D1", 1), step("E1", 1)])
    land_both(source, zone)
    told = erase(zone, value, exact=exact)
    stays = exact and canonical_address(value) in OTHERS  # under the other spelling, as the owner of D1
    others = [one for one in OTHERS if exact or canonical_address(one) != canonical_address(value)]
    assert emails(zone) == emails(zone, "accelerometer_landing", "user") == sorted(others)
    assert emails(zone, "customer_identities") == sorted(others)
    assert emails(zone, "step_trainer_landing", "serialNumber") == ["D1"] * stays + ["E1"]
    assert told.tables["customer_landing"].records == 1 + len(OTHERS) - len(others)
    kept = [row["line"] for row in quarantined(zone, "customer_landing")]
    assert kept in ([9], [])  # a name that looks like an address, in a broken record, goes with the record
    assert (kept == []) == ("@x" in value or "@y" in value)
    assert not search_zone(open_folder(zone.location), TABLES, Needles([value], [] if stays else ["D1"], exact=exact))


def test_every_spelling_of_the_canonical_address_goes(source: FolderPlace, zone: FolderPlace) -> None:
    spellings = ["zoë@x.com", "ZOE\u0308@X.com ", "\tzoë@x.COM"]
    source.put(f"{CUSTOMERS}/1.json", [customer(email, "D1") for email in (*spellings, "zoe@x.com")])
    land_both(source, zone)
    assert set(erase(zone, " Zoë@x.com").spellings) == {*spellings}
    assert emails(zone) == ["zoe@x.com"]


def test_exactly_one_spelling_goes_and_what_the_others_share_stays(source: FolderPlace, zone: FolderPlace) -> None:
    """Under the other spelling the person is still there, with the device and what was worked out of the address."""
    source.put(f"{CUSTOMERS}/1.json", [customer("ann@x.com ", "D1"), customer("ann@x.com", "D1"), customer(" ", "D2")])
    source.put(f"{READINGS}/1.json", [reading("ann@x.com ", 1), reading("ann@x.com", 2)])
    source.put(f"{STEPS}/1.json", [step("D1", 1)])
    land_both(source, zone)
    told = erase(zone, "ann@x.com ", exact=True, pseudonym_of=KEY.pseudonym)
    assert (told.pseudonyms, told.serial_numbers, told.shared_devices) == ([], [], 1)
    assert emails(zone) == [" ", "ann@x.com"]
    assert emails(zone, "accelerometer_landing", "user") == ["ann@x.com"]
    assert emails(zone, "step_trainer_landing", "serialNumber") == ["D1"]
    erase(zone, " ", exact=True)
    assert emails(zone) == ["ann@x.com"]
    assert erase(zone, "ann@x.com", exact=True).serial_numbers == ["D1"]
    assert emails(zone) == emails(zone, "step_trainer_landing", "serialNumber") == []


def test_a_value_that_holds_the_address_is_told_and_stays(source: FolderPlace, zone: FolderPlace) -> None:
    """It may be somebody else's, or two people's: only a person can tell."""
    neighbours = ["ann@x.com and Ben", "ann@x.com, bob@x.com", "ann@x.com|bob"]
    source.put(f"{CUSTOMERS}/1.json", [customer(email, "D1") for email in (*neighbours, "ann@x.com", "joann@x.com")])
    land_both(source, zone)
    assert erase(zone, "ann@x.com").neighbours == sorted(neighbours)
    assert emails(zone) == sorted([*neighbours, "joann@x.com"])
    assert erase(zone, "bob@x.com", dry_run=True).neighbours == ["ann@x.com, bob@x.com"]
    assert erase(zone, "joann@x.com or ann", dry_run=True).neighbours == ["joann@x.com"]


# ------------------------------------------------------------------------------------- what must be remembered stays
def land_memory(zone: FolderPlace, owners: list[tuple[str, str]], claims: list[tuple[str, int, str]]) -> None:
    lines: dict[Table, list[dict[str, Any]]] = {
        OWNERS: [{"serial_number": device, "owner_token": token} for device, token in owners],
        CLAIMS: [{"serial_number": d, "sensor_reading_time": at, "owner_token": token} for d, at, token in claims],
        SUSPENSIONS: [{"canonical_email": email, "line": 1} for email in ("ann@x.com", "bob@x.com")],
    }
    with landed_zone(zone.location, print) as held:
        for table, records in lines.items():
            land_derived(held, table, [msgspec.json.encode(record) + b"\n" for record in records], "test")


def remembered(zone: FolderPlace, table: Table) -> list[list[Any]]:
    return sorted([list(json.loads(line).values()) for line in landed(zone, table.name)], key=str)


@pytest.fixture
def memory(source: FolderPlace, zone: FolderPlace) -> dict[str, str]:
    """Ann shares D2 with Bob and D3 with somebody who is gone, D1 is hers alone; who is gone left a random token."""
    devices = [("ann@x.com", "D1"), ("ann@x.com", "D2"), ("bob@x.com", "D2"), ("ann@x.com", "D3")]
    source.put(f"{CUSTOMERS}/1.json", [customer(*pair) for pair in devices])
    source.put(f"{STEPS}/1.json", [step(f"D{n}", 1) for n in (1, 2, 3)])
    land_both(source, zone)
    tokens = {name: KEY.pseudonym(f"{name}@x.com") for name in ("ann", "bob")} | {"gone": "f" * 64}
    ann, bob, gone = tokens.values()
    owners = [("D1", ann), ("D2", ann), ("D2", bob), ("D3", ann), ("D3", gone)]
    land_memory(zone, owners, [("D2", 1, ann), ("D2", 1, bob), ("D3", 1, ann)])
    return tokens


def check_memory(zone: FolderPlace, tokens: dict[str, str]) -> None:
    owners, claims = remembered(zone, OWNERS), remembered(zone, CLAIMS)
    (new,) = {token for _, token in owners} - set(tokens.values())
    assert len(new) == 64
    expected = [["D2", new], ["D2", tokens["bob"]], ["D3", new], ["D3", tokens["gone"]]]
    assert owners == sorted(expected, key=str)
    assert claims == sorted([["D2", 1, new], ["D2", 1, tokens["bob"]], ["D3", 1, new]], key=str)
    assert remembered(zone, SUSPENSIONS) == [["bob@x.com", 1]]
    assert emails(zone, "step_trainer_landing", "serialNumber") == ["D2", "D3"]
    assert emails(zone) == emails(zone, "customer_identities") == ["bob@x.com"]
    assert zone.get(SECRET_KEY) is None
    everything = b"".join(line for table in WITH_MEMORY for line in landed(zone, table))
    assert tokens["ann"].encode() not in everything


def test_a_shared_device_is_remembered_without_the_person(zone: FolderPlace, memory: dict[str, str]) -> None:
    told = erase_from_zone(zone.location, WITH_MEMORY, ["Ann@x.com"], print)
    check_memory(zone, memory)
    assert told.tables["device_owners"] == TableErasure(1, 0, 2)
    assert told.tables["step_claims"] == TableErasure(0, 0, 2)
    assert (told.serial_numbers, told.shared_devices) == (["D1"], 2)
    again = erase_from_zone(zone.location, WITH_MEMORY, ["ann@x.com"], print, pseudonym_of=KEY.pseudonym)
    assert again.lines == 0


def test_who_was_gone_before_is_remembered_without_a_name_where_the_key_is_known(
    zone: FolderPlace, memory: dict[str, str]
) -> None:
    """Nothing that is landed leads to the token of whose record has vanished; the key does."""
    erase_from_zone(zone.location, TABLES, ["ann@x.com"], print)
    assert not erase_from_zone(zone.location, WITH_MEMORY, ["ann@x.com"], print, dry_run=True).tables
    erase_from_zone(zone.location, WITH_MEMORY, ["ann@x.com"], print, pseudonym_of=KEY.pseudonym)
    owners = {token for _, token in remembered(zone, OWNERS)}
    assert memory["ann"] not in owners
    assert {token for *_, token in remembered(zone, CLAIMS)} <= owners


class _KilledError(BaseException):
    """Stands for a kill."""


def test_killed_between_two_tables_the_token_is_the_same_in_both(
    zone: FolderPlace, memory: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def killed(write: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:  # noqa: ANN401
            if written:
                raise _KilledError
            written.append(args[1].table_name)
            write(*args)

        return call

    kills = 0
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "write_ledger", killed(ledger.write_ledger))
        while True:
            written.clear()
            try:
                erase_from_zone(zone.location, WITH_MEMORY, ["ann@x.com"], print)
                break
            except _KilledError:
                kills += 1
                assert len(written) == 1
    assert kills == 6
    check_memory(zone, memory)


# ----------------------------------------------------------------------------------- what an erasure writes and says
def test_a_receipt_names_no_file_that_may_name_the_person(source: FolderPlace, zone: FolderPlace) -> None:
    named = ["Ann_Lee.json", "ann%5Flee%252D2.json", "A\u0301nn Lee.json", "annlee.json", "device-4c31aa07.json"]
    ann = customer("al@x.com", "4c-31-aa-07") | {"customerName": "Ánn Lee", "phone": "8015551212"}
    for n, name in enumerate([*named, "batch_1.json"]):
        source.put(f"{CUSTOMERS}/{name}", [ann | {"lastUpdateDate": 1_655_564_400_000 + n}])
    land_both(source, zone)
    told = erase(zone, "al@x.com")
    assert len(told.source_files) == len(named) + 1
    key = begin_receipt(open_folder(zone.location), 1, told, {})
    receipt = json.loads(zone.get(key) or b"")
    assert [path.rpartition("/")[2] for path in receipt["source_files"]] == ["batch_1.json"]
    assert receipt["unnamed_source_files"] == len(named)


@pytest.mark.parametrize("name", ["ann_x_com.json", "ann%2540x.com.json", "of ann-x.com/1.json"])
def test_a_file_named_after_the_address_is_refused_however_it_is_written(
    source: FolderPlace, zone: FolderPlace, name: str
) -> None:
    source.put(f"{CUSTOMERS}/{name}", [customer("ann@x.com", "D1")])
    land_both(source, zone)
    with pytest.raises(LandingError, match="Rename them"):
        erase(zone, "ann@x.com")
