"""Who is who, who is suspended, and what is remembered of shared devices: in a landing zone, without an engine."""

import codecs
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing import land
from lakehouse.ledger import QuarantinedRecord
from lakehouse.people import PeopleReport, dismiss, land_people, open_suspicions, tell_of_suspensions
from lakehouse.pseudonym_key import PseudonymKey
from lakehouse.shared_devices import Claim, DeviceHistory, Owner
from lakehouse.suspensions import addresses_in, kind_of, suspensions_of
from landing_helpers import TABLES, as_bytes, landed, put
from real_data import PROJECT_DIR

KEY = PseudonymKey(b"a key for the tests, of 32 letters")
OTHER = PseudonymKey(b"another key for the tests, of 40 letters")
CUSTOMERS = "stedi/customer/landing"
NOON = 1_655_564_400_000


def customer(email: str, **more: object) -> dict[str, object]:
    return {"email": email, "lastUpdateDate": NOON, "serialNumber": "D1", **more}


def rows(zone: Path, table: str) -> list[dict[str, Any]]:
    return sorted((json.loads(line) for line in landed(zone, table)), key=str)


def land_all(folder: Path, *, key: PseudonymKey = KEY, new_key: bool = False) -> PeopleReport:
    land([folder / "source"], folder / "zone", TABLES, forget_vanished=True)
    return land_people(folder / "zone", TABLES, key, print, new_key=new_key)


# --------------------------------------------------------------------------------------------------------- addresses
@pytest.mark.parametrize(
    "written",
    [
        "zoë@test.com",
        "ZOË@Test.COM",
        " zoë@test.com\t",
        "zoe\u0308@test.com",
        "\u00a0ZOE\u0308@TEST.com\u2003",
        "Zoë@test.com\r\n",
        "\ufeffzoë@test.com",
        "zoë@test.com\u200b",
        "\u200e zo\u00adë@test.com\x00",
    ],
)
def test_one_person_has_one_address(written: str) -> None:
    assert canonical_address(written) == "zoë@test.com"


def test_other_people_have_others() -> None:
    addresses = ["zoe@test.com", "zoë@test.com", "zoë@test.co", "zo ë@test.com", "zoë+a@test.com"]
    assert len({*map(canonical_address, addresses)}) == len(addresses)
    assert canonical_address("ann@test.com\x00") == canonical_address("\x7fann@test.com") == "ann@test.com"
    assert canonical_address("STRASSE@x.de") == canonical_address("straße@x.de")
    for address in addresses:
        assert canonical_address(canonical_address(address)) == canonical_address(address)


# ------------------------------------------------------------------------------------------------------- suspensions
@pytest.mark.parametrize(
    "content",
    [
        b'{"email": "ann@test.com", "lastUp',
        b'{"email": "ANN@test.com "}',
        b"ann@test.com;withdrawn",
        b'{"email": "Ann Lee <ann@test.com>"}',
        b'{"email": "mailto:ann@test.com"}',
        b"withdraw ann@test.com.",
        b'{"email": "\\u0061nn@test.com"}',
        b"ann%40test.com",
        codecs.BOM_UTF16_LE + '{"email": "ann@test.com"'.encode("utf-16-le"),
        b'\xef\xbb\xbf{"email": "ann@test.com"',
        b'{"email": ["bob@test.com", "ann@test.com"]}',
        b'{"customer": {"email": "ann@test.com"}}',
        b"\xff\xfeann@test.com",
    ],
)
def test_whoever_can_be_made_out_is_named(content: bytes) -> None:
    assert "ann@test.com" in addresses_in(content, ())


def test_an_address_without_an_at_is_named_if_it_is_known() -> None:
    assert addresses_in(b'{"email": "Strasse", "x": 1', {"strasse"}) == {"strasse"}
    assert addresses_in(b'{"email": "ann lee", "x": 1', {"ann lee"}) == {"ann lee"}
    assert addresses_in(b"stra\xdfe", {"strasse"}) == {"strasse"}, "it is Latin-1"
    assert addresses_in(b'{"email": "Strasse", "x": 1', ()) == set()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"email": ', b"joann@test.com", b'{"email": "ann@test.com.au"}'])
def test_nobody_else_is_named(content: bytes) -> None:
    assert "ann@test.com" not in addresses_in(content, {"ann@test.com"})


def test_what_is_said_of_a_reason_holds_no_value() -> None:
    reason = (
        'column shareWithResearchAsOfDate: "ann@test.com \\" 1655564400" is not a time: 1655564400 looks like seconds'
    )
    assert kind_of(reason) == "column shareWithResearchAsOfDate: … is not a time: … looks like seconds"
    assert kind_of('key "ann@test.com stands twi') == "key …"


def test_many_records_and_addresses_are_compared_in_one_pass() -> None:
    """Of each record its words are looked up; nothing is compared with every address."""

    class Counting(set[str]):
        looked_up = 0

        def __contains__(self, item: object) -> bool:
            self.looked_up += 1
            return super().__contains__(item)

    known = Counting(f"user{number}@test.com" for number in range(1000))
    broken = [QuarantinedRecord("t", "s", "f", n, 0, "why", 1, "eyJlbWFpbCI6IA==") for n in range(100)]
    suspensions_of(broken, known)
    assert known.looked_up < 100 * 20


def test_a_broken_record_suspends_until_it_is_mended(tmp_path: Path) -> None:
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com"), customer("bob@test.com")])
    assert land_all(tmp_path) == PeopleReport(2, 0, {}, 0, changed=True)
    put(
        tmp_path / "source",
        f"{CUSTOMERS}/2.json",
        [customer("Ann@test.com", lastUpdateDate="soon"), {"lastUpdateDate": 1}],
    )
    report = land_all(tmp_path)
    assert (report.customers, report.suspended, report.naming_nobody) == (2, 1, 1)
    assert list(report.suspicions.values()) == [1]
    (suspended,) = rows(tmp_path / "zone", "customer_suspensions")
    assert suspended["canonical_email"] == "ann@test.com"
    assert (suspended["source_file"], suspended["line"]) == (f"{CUSTOMERS}/2.json", 1)
    assert not land_all(tmp_path).changed
    put(tmp_path / "source", f"{CUSTOMERS}/2.json", [customer("Ann@test.com")])
    assert land_all(tmp_path).suspended == 0
    assert rows(tmp_path / "zone", "customer_suspensions") == []


def broken(*names: str) -> list[dict[str, object]]:
    return [customer(f"{name}@test.com", lastUpdateDate="soon") for name in names]


def test_a_dismissed_record_suspends_nobody_and_keeps_its_note(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", broken("ann", "bob"))
    assert land_all(tmp_path).suspended == 2
    with pytest.raises(LandingError, match="needs a note"):
        dismiss(zone, f"{CUSTOMERS}/1.json:1", " ")
    with pytest.raises(LandingError, match=r"1\.json:3 is not among the open records"):
        dismiss(zone, f"{CUSTOMERS}/1.json:3", "a test")
    dismiss(zone, f"{CUSTOMERS}/1.json:1", "a test of the website")
    assert [row.line for row in open_suspicions(zone)] == [2]
    assert land_all(tmp_path).suspended == 1
    assert "a test of the website" in (zone / "loader/dismissals.json").read_text()
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", broken("ann", "cyd"))
    assert land_all(tmp_path).suspended == 2, "it is another file now, and another record"


def test_the_run_says_how_many_are_suspended_and_why_and_names_nobody() -> None:
    class Listener:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def say(self, message: str) -> None:
            self.lines.append(message)

        warn = say
        progress: Any = None

    listener = Listener()
    tell_of_suspensions(PeopleReport(9, 2, {"column x: … is no time": 3}, 1, changed=True), listener)
    assert listener.lines[0].startswith("2 people are suspended: 3 customer records about them cannot be read")
    assert listener.lines[1] == "  3 x column x: … is no time"
    assert "1 customer record that cannot be read name" in listener.lines[-1]
    tell_of_suspensions(PeopleReport(9, 0, {}, 0, changed=True), Listener())


def test_the_command_lists_and_dismisses(tmp_path: Path) -> None:
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com", lastUpdateDate="soon")])
    land_all(tmp_path)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            str(PROJECT_DIR / "scripts/suspensions.py"),
            "--zone",
            str(tmp_path / "zone"),
            *options,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed = run()
    assert f"{CUSTOMERS}/1.json:1  column lastUpdateDate" in listed.stdout
    assert "ann@test.com" in listed.stdout
    assert run("--dismiss", f"{CUSTOMERS}/1.json:1").returncode == 2
    assert run("--dismiss", f"{CUSTOMERS}/1.json:1", "--note", "a test").returncode == 0
    assert run().stdout == "0 customer records cannot be read and are not dismissed\n"
    assert run("--dismiss", "no:1", "--note", "a test").returncode == 2


# ---------------------------------------------------------------------------------------------------- shared devices
def test_who_left_is_remembered_as_an_owner_and_of_what_they_can_have_made() -> None:
    history = DeviceHistory()
    for owner in ("ann", "bob"):
        history.add_owner("D1", owner)
    history.add_owner("D2", "ann")
    for device, moment in (("D1", 1), ("D1", 2), ("D2", 1)):
        history.add_step(device, moment)
    for owner, moment in (("ann", 1), ("bob", 1), ("bob", 2), ("bob", 3), ("cyd", 1)):
        history.add_walk(owner, moment)
    claims = {Claim("D1", 1, "ann"), Claim("D1", 1, "bob"), Claim("D1", 2, "bob")}
    assert history.claims == claims
    later = DeviceHistory(history.owners, history.claims)
    later.add_owner("D1", "ann")
    assert later.owners == {Owner("D1", "ann"), Owner("D1", "bob"), Owner("D2", "ann")}
    assert later.claims == claims
    assert later.has_shared_devices


def test_devices_that_nobody_shares_cost_nothing() -> None:
    history = DeviceHistory()
    history.add_owner("D1", "ann")
    assert not history.has_shared_devices
    history.add_step("D1", 1)
    history.add_walk("ann", 1)
    assert history.claims == set()


def land_pair(folder: Path) -> None:
    """Ann and Bob, who share a device, and walked at one moment."""
    put(folder / "source", f"{CUSTOMERS}/ann.json", [customer("ann@test.com")])
    put(folder / "source", f"{CUSTOMERS}/bob.json", [customer("Bob@test.com")])
    walks = [{"user": user, "timestamp": NOON, "x": 0, "y": 0, "z": 0} for user in ("ann@test.com", "BOB@test.com")]
    put(folder / "source", "stedi/accelerometer/landing/1.json", walks)
    step = {"sensorReadingTime": NOON, "serialNumber": "D1", "distanceFromObject": 201}
    put(folder / "source", "stedi/step_trainer/landing/1.json", [step])


def test_owners_and_claims_outlive_the_records(tmp_path: Path) -> None:
    land_pair(tmp_path)
    land_all(tmp_path)
    owners, claims = rows(tmp_path / "zone", "device_owners"), rows(tmp_path / "zone", "step_claims")
    assert {row["owner_token"] for row in owners} == {KEY.pseudonym("ann@test.com"), KEY.pseudonym("bob@test.com")}
    assert len(claims) == 2
    (tmp_path / "source" / CUSTOMERS / "bob.json").unlink()
    put(
        tmp_path / "source",
        "stedi/accelerometer/landing/1.json",
        [{"user": "ann@test.com", "timestamp": NOON, "x": 0, "y": 0, "z": 0}],
    )
    assert land_all(tmp_path).customers == 1
    assert rows(tmp_path / "zone", "device_owners") == owners
    assert rows(tmp_path / "zone", "step_claims") == claims


def test_another_key_renames_owners_and_claims_of_whoever_is_there(tmp_path: Path) -> None:
    land_pair(tmp_path)
    land_all(tmp_path)
    (tmp_path / "source" / CUSTOMERS / "bob.json").unlink()
    with pytest.raises(LandingError, match="another PSEUDONYM_KEY"):
        land_all(tmp_path, key=OTHER)
    assert land_all(tmp_path, key=OTHER, new_key=True).changed
    for table in ("device_owners", "step_claims"):
        tokens = {row["owner_token"] for row in rows(tmp_path / "zone", table)}
        assert tokens == {OTHER.pseudonym("ann@test.com"), OTHER.pseudonym("bob@test.com")}  # Bob's phone is still read


def test_what_is_landed_of_people_is_as_declared(tmp_path: Path) -> None:
    land_pair(tmp_path)
    put(tmp_path / "source", f"{CUSTOMERS}/broken.json", as_bytes("ann@test.com\n"))
    land_all(tmp_path)
    for table in ("customer_identities", "customer_suspensions", "device_owners", "step_claims"):
        declared = [column.name for column in TABLES[table].columns]
        found = rows(tmp_path / "zone", table)
        assert found, table
        assert all(list(row) == declared for row in found)
