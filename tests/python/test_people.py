"""Who is who, who is suspended, and what is remembered of shared devices: in a landing zone, without an engine."""

import base64
import codecs
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.derived.denials import remember_denials_before_a_load
from lakehouse.derived.people import (
    PeopleReport,
    dismiss,
    land_people,
    lasting_suspicions,
    open_suspicions,
    tell_of_suspensions,
)
from lakehouse.derived.shared_devices import Claim, DeviceHistory, Owner
from lakehouse.derived.suspensions import addresses_in, kind_of, suspensions_of
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing.ledger import QuarantinedRecord, read_ledger
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.privacy.zone import erase_from_zone
from lakehouse.records.read import KEPT_BYTES
from lakehouse.storage import open_folder
from landing_helpers import TABLES, as_bytes, landed, put
from real_data import LAKEHOUSE

pytestmark = pytest.mark.quick

KEY = PseudonymKey(b"a key for the tests, of 32 letters")
OTHER = PseudonymKey(b"another key for the tests, of 40 letters")
CUSTOMERS = "stedi/customer/landing"
NOON = 1_655_564_400_000


def customer(email: str, **more: object) -> dict[str, object]:
    return {"email": email, "lastUpdateDate": NOON, "serialNumber": "D1", **more}


def rows(zone: Path, table: str) -> list[dict[str, Any]]:
    return sorted((json.loads(line) for line in landed(zone, table)), key=str)


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    warn = say
    progress: Any = None


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
        "Zoë Lee <zoë@test.com>",
        '"Lee, Zoë" <ZOË@test.com >',
        "zoë@test.com <zoë@test.com> (at home)",
        "<zoë@test.com>",
        "mailto:zoë@test.com",
        "MAILTO:zo%C3%AB%40test.com?subject=leave",
        "mailto:zoe%CC%88@test.com",
        "'zoë@test.com'",
        '"zoë@test.com",',
        "zoë@test.com.",
        "zoë@test.com; ",
        "zoë@test.com (Zoë)",
        "*zoë@test.com*",
        "(zoë@test.com)",
        '["zoë@test.com"]',
        "`zoë@test.com`",
        "“zoë@test.com”",
        "SMTP:zoë@test.com",
        "email: zoë@test.com",
        "zoë@test.com/unsubscribe",
        "zoë@test.com!",
        "zoë%40test.com",
        "zo&euml;&#64;test.com",
        "zoë\\@test.com",
        "zoë @ test.com",
        "\uff5a\uff4fë\uff20\uff54\uff45\uff53\uff54\uff0e\uff43\uff4f\uff4d",
        "Zoë Lee \uff1czoë@test\u3002com\uff1e",
        "zoë@\ufe0ftest.com",
        '"zoë"@test.com',
    ],
)
def test_one_person_has_one_address(written: str) -> None:
    assert canonical_address(written) == "zoë@test.com"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("ann@xn--bcher-kva.com", "ann@bücher.com"),
        ("Ann <ANN@XN--BCHER-KVA.COM>", "ann@bücher.com"),
        ("ann@xn--strae-oqa.de", "ann@strasse.de"),
        ("ann@xn--\u00e9.com", "ann@xn--\u00e9.com"),
        ("100%@x.com", "100%@x.com"),
        ("ann%40x.com@relay.com", "ann%40x.com@relay.com"),
        ("bounce+ann=x.com@relay.com", "bounce+ann=x.com@relay.com"),
        ("12", "12"),
        ("AT&T", "at&t"),
        ("50%", "50%"),
    ],
)
def test_what_an_address_comes_to(written: str, canonical: str) -> None:
    assert canonical_address(written) == canonical


def test_other_people_have_others() -> None:
    addresses = ["zoe@test.com", "zoë@test.com", "zoë@test.co", "zo ë@test.com", "zoë+a@test.com", "zoë@test.com, a@b"]
    addresses += [
        "a@b; zoë@test.com",
        "<zoë@test.com> <a@b>",
        "o'zoë@test.com",
        "'zoë'@test.com",
        "zoë",
        "mailto:zoë",
        ".",
    ]
    assert len({*map(canonical_address, addresses)}) == len(addresses)
    assert canonical_address("ann@test.com\x00") == canonical_address("\x7fann@test.com") == "ann@test.com"
    assert canonical_address("STRASSE@x.de") == canonical_address("straße@x.de")


@given(st.text(st.sampled_from("aA@<>.,;'\" :?#%40ßéE\u0301\u037emailto")) | st.text())
def test_a_canonical_address_is_its_own(address: str) -> None:
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


@pytest.mark.parametrize(
    "content",
    [
        "email=a@x.example&share=",
        "email=%61@x.example&share=",
        "share=1&email=a%2540x.example",
        "email=a@x.example+withdraws",
        "{“email”: “a@x.example”}",
        "«a@x.example»",
        "a@x.example=",
        "* a@x.example* withdrew",
        "_a@x.example_ withdrew",
        "- a@x.example: withdrew",
        "-a@x.example- withdrew",
        "'a@x.example' withdrew",
        "b'a@x.example'",
        "{'name':'d','email':'a@x.example'",
        "a@x.example's consent",
        "a@x.example/unsubscribe",
        "https://x.example/unsubscribe/a@x.example?now=1",
        "mailto://a@x.example#now",
        "a@x.example…",
        "a@x.example!?",
        "to=b@x.example=a@x.example",
        "\u200ba@x.example\u200b",
        "withdraw\u200ba@x.example\u200bnow",
        "a\u00ad@x.\u2060example",
        "\x07a@x.example\x07now",
        "withdraw\x00a@x.example\x00now",
        '{"email": "\\u200ba@x.exam\\u200bple"',
        '{"email": "a\\x40x.example"',
        '{"email": "a&#64;x.example"',
        '{"email": "a&#x40;x&period;example"',
        '{"email": "a&commat;x.example"',
        '{"email": "a&amp;#64;x.example"',
        '{"json": "{\\"email\\": \\"a\\\\u0040x.example\\"}"',
        '{"json": "{\\\\\\"email\\\\\\": \\\\\\"a\\\\\\\\u0040x.example\\\\\\"}"',
        "x" * 60_000 + "=a@x.example",
        "a@x.example=" + "y" * 60_000,
    ],
)
@pytest.mark.parametrize("letter", ["a", "é"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_is_glued_to_a_known_address_hides_nobody(content: str, letter: str, encoding: str) -> None:
    written = content.replace("a@x", f"{letter}@x")
    person = "é@x.example" if "é" in written else "a@x.example"
    assert person in addresses_in(written.encode(encoding), {"a@x.example", "é@x.example"})


@pytest.mark.parametrize("byte", [b"\xe9", b"\x82"])
def test_an_address_in_the_letters_of_a_dos_or_a_windows_machine_is_made_out(byte: bytes) -> None:
    assert "renée@x.example" in addresses_in(b"withdrew: ren" + byte + b"e@x.example;", {"renée@x.example"})


def test_whoever_a_record_may_have_named_before_it_was_cut_off_is_named() -> None:
    known = {
        "w19b@att.example",
        "w19b@attic.example",
        "w19b@other.example",
        "zoë@x.example",
        "ann@x.com",
        "ann@x.com.au",
    }
    both = {"w19b@att.example", "w19b@attic.example"}
    for cut in (b"w19b@att", b"W19B@ATT", b"w19b@att\\", b"w19b@att\\u00", b"w19b@att%4", b"w19b@att.", b"=w19b@att"):
        found = addresses_in(b'{"x": 1, "email": "' + cut, known)
        assert found & known == ({"w19b@att.example"} if cut.endswith(b".") else both), cut
    assert addresses_in("zoë@x".encode(), known) & known == {"zoë@x.example"}
    assert addresses_in('"zoë@x.exámple'.encode()[:-6], known) & known == {"zoë@x.example"}, "cut within a letter"
    assert addresses_in(b'{"email": "w19b@att"', known) & known == set(), "it is whole"
    assert addresses_in(b"ann@", known) & known == set(), "too little to say"
    assert addresses_in(b"withdraw ann@x.com", known) == {"ann@x.com"}, "it is whole, as far as anybody can tell"
    assert addresses_in(b'{"email": "ann@x.com', known) == {"ann@x.com", "ann@x.com.au"}, "nobody closed the quotes"


def test_an_address_without_an_at_is_named_if_it_is_known() -> None:
    assert addresses_in(b'{"email": "Strasse", "x": 1', {"strasse"}) == {"strasse"}
    assert addresses_in(b'{"email": "ann lee", "x": 1', {"ann lee"}) == {"ann lee"}
    assert addresses_in(b"stra\xdfe", {"strasse"}) == {"strasse"}, "it is Latin-1"
    assert addresses_in(b'{"email": "Strasse", "x": 1', ()) == set()


@pytest.mark.parametrize(
    "content",
    [
        "'user': 'Ann Lee'",
        '"EMAIL":["Ann Lee"]',
        "email=Ann Lee&x=1",
        "“email”: “Ann Lee”",
        "1;Ann Lee;",
        '"x","ann lee"',
        "x\nann lee",
    ],
)
def test_a_known_address_without_an_at_is_named_where_an_address_is_to_stand(content: str) -> None:
    assert addresses_in(content.encode(), {"ann lee"}) == {"ann lee"}


@pytest.mark.parametrize(
    "content",
    [
        '{"customerName": "Ann Lee", "email": ',
        '{"customerName":\n"Ann Lee",\n"email": ',
        '["Ann Lee", 1',
        '{"username": "Ann Lee"',
        "withdraw Ann Lee at once",
        '{"email": "Ann Lee Young"',
    ],
)
def test_a_customer_with_such_a_name_is_not_named(content: str) -> None:
    assert addresses_in(content.encode(), {"ann lee"}) == set()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"email": ', b"joann@test.com", b'{"email": "ann@test.com.au"}'])
def test_nobody_else_is_named(content: bytes) -> None:
    assert "ann@test.com" not in addresses_in(content, {"ann@test.com"})


@pytest.mark.parametrize(
    "content",
    [
        "d'o65@x.example",
        '{"email": "d\'o65@x.example"',
        "'d'o65@x.example'",
        "x.o65@x.example",
        "o65@x.example-y.example",
    ],
)
def test_nobody_is_named_whose_address_is_a_piece_of_another(content: str) -> None:
    assert "o65@x.example" not in addresses_in(content.encode(), {"o65@x.example", "d'o65@x.example"})


def test_of_records_that_name_strangers_it_is_said_so() -> None:
    def record(content: bytes) -> QuarantinedRecord:
        return QuarantinedRecord("t", "s", "f", 1, 0, "why", len(content), base64.b64encode(content).decode())

    found = suspensions_of([record(b"ann@x.com"), record(b"eve@x.com"), record(b"nobody")], {"ann@x.com"})
    assert {row.canonical_email for row in found.suspensions} == {"ann@x.com", "eve@x.com"}
    assert (found.known, found.reasons, found.naming_nobody) == ({"ann@x.com"}, {"why": 1}, 2)


def test_what_the_quarantine_does_not_keep_is_told_apart(tmp_path: Path) -> None:
    """Whoever is named behind what is kept is not known, and nobody is told otherwise."""
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com"), customer("bob@test.com")])
    put(
        tmp_path / "source",
        f"{CUSTOMERS}/2.json",
        [{"x": "y" * KEPT_BYTES, **customer("ann@test.com", lastUpdateDate=1)}],
    )
    put(tmp_path / "source", f"{CUSTOMERS}/3.json", [customer("bob@test.com", lastUpdateDate=1, x="y" * KEPT_BYTES)])
    report = land_all(tmp_path)
    assert (report.suspended, report.naming_nobody, report.too_large) == (1, 0, 2)
    listener = Listener()
    tell_of_suspensions(report, listener)
    assert "2 customer records that cannot be read are too large to be looked through" in listener.lines[-1]


@pytest.mark.parametrize("piece", ['"', '\\"', "@", "=@", "a@", "'", "%25", "&amp;", "\u200b", "a", "email:", "\\"])
def test_no_record_takes_longer_than_its_length(piece: str) -> None:
    """It would never end, if each letter were compared with all that follow."""
    known = {f"user{number}@test.com" for number in range(1000)}
    content = (piece * 49_149).encode()[:49_149]
    assert addresses_in(content, known) & known == set()


def test_what_is_said_of_a_reason_holds_no_value() -> None:
    reason = (
        'column shareWithResearchAsOfDate: "ann@test.com \\" 1655564400" is not a time: 1655564400 looks like seconds'
    )
    assert kind_of(reason) == "column shareWithResearchAsOfDate: … is not a time: … looks like seconds"
    assert kind_of('key "ann@test.com stands twi') == "key …"
    assert (
        kind_of("column ts: 'ann\\'s@test.com' is a string, bigint expected")
        == "column ts: … is a string, bigint expected"
    )
    assert kind_of("column x: ['ann@test.com', \"o'ann@test.co…") == "column x: […, …"
    assert kind_of("no address: ann@test.com is none") == "no address: … is none"


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
    put(tmp_path / "source", f"{CUSTOMERS}/0.json", [customer(f"{name}@test.com") for name in ("ann", "bob", "cyd")])
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", broken("ann", "bob"))
    assert land_all(tmp_path).suspended == 2
    with pytest.raises(LandingError, match="needs a note"):
        dismiss(zone, TABLES, f"{CUSTOMERS}/1.json:1", " ")
    with pytest.raises(LandingError, match=r"1\.json:3 is not among the open records"):
        dismiss(zone, TABLES, f"{CUSTOMERS}/1.json:3", "a test")
    dismiss(zone, TABLES, f"{CUSTOMERS}/1.json:1", "a test of the website")
    assert [row.line for row in open_suspicions(zone)] == [2]
    assert land_all(tmp_path).suspended == 1
    assert "a test of the website" in (zone / "loader/dismissals.json").read_text()
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", broken("ann", "cyd"))
    assert land_all(tmp_path).suspended == 3, "it is another record now; and nothing of Bob came in place of his"


def test_several_addresses_in_one_are_told(tmp_path: Path) -> None:
    people = ["ann@test.com", "ann@test.com, bob@test.com", "ann@test.com,Bob@test.com", "cyd@test.com; ann@test.com"]
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer(email) for email in people])
    walk = {"user": "a@test.com b@test.com", "timestamp": NOON, "x": 0, "y": 0, "z": 0}
    put(tmp_path / "source", "stedi/accelerometer/landing/1.json", [walk])
    report = land_all(tmp_path)
    assert report.several == 3
    listener = Listener()
    tell_of_suspensions(report, listener)
    assert listener.lines[0].startswith("3 customers under several addresses in one")


def test_the_run_says_how_many_are_suspended_and_why_and_names_nobody() -> None:
    listener = Listener()
    tell_of_suspensions(PeopleReport(9, 2, {"column x: … is no time": 3}, 1, changed=True), listener)
    assert listener.lines[0].startswith("2 people are suspended: 3 customer records about them cannot be read")
    assert listener.lines[1] == "  3 x column x: … is no time"
    assert listener.lines[-1].startswith("1 customer record that cannot be read names nobody who is known")
    tell_of_suspensions(PeopleReport(9, 0, {}, 0, changed=True), Listener())


def test_the_command_lists_and_dismisses(tmp_path: Path) -> None:
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com", lastUpdateDate="soon")])
    land_all(tmp_path)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [LAKEHOUSE, "suspensions", "--zone", str(tmp_path / "zone"), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed = run()
    assert f"{CUSTOMERS}/1.json:1  column lastUpdateDate" in listed.stdout
    assert "ann@test.com" in listed.stdout
    assert run("--dismiss", f"{CUSTOMERS}/1.json:1").returncode == 2
    assert run("--dismiss", f"{CUSTOMERS}/1.json:1", "--note", "a test").returncode == 0
    assert run().stdout == "0 customer records that nobody could read, or has dismissed\n"
    assert run("--dismiss", "no:1", "--note", "a test").returncode == 2


def test_the_command_prints_no_control_characters_and_takes_what_it_printed(tmp_path: Path) -> None:
    zone = str(tmp_path / "zone")
    name = f"{CUSTOMERS}/1\x1b[2J\u202e.json"
    put(tmp_path / "source", name, "ann@test.com \x1b]0;owned\x07 \u009b1m\n")
    land_all(tmp_path)
    command = [LAKEHOUSE, "suspensions", "--zone", zone]

    def run(*options: str) -> str:
        return subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout

    listed = run()
    assert "ann@test.com \\x1b]0;owned\\x07 \\x9b1m" in listed
    assert all(letter.isprintable() for line in listed.split("\n") for letter in line)
    printed = listed.split("  ")[0]
    assert printed == f"{CUSTOMERS}/1\\x1b[2J\\u202e.json:1"
    told = run("--dismiss", printed, "--note", "a test")
    assert told == f"dismissed {printed}; at the next run it suspends nobody\n"
    assert open_suspicions(zone) == []


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
    assert later.shared_devices


def test_devices_that_nobody_shares_cost_nothing() -> None:
    history = DeviceHistory()
    history.add_owner("D1", "ann")
    assert not history.shared_devices
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


# ------------------------------------------------------------------------------------------------------- withdrawals
@pytest.mark.parametrize("none", [None, "", "0", 0, False, "left out"])
def test_a_withdrawal_outlives_its_record(tmp_path: Path, none: object) -> None:
    base, delta = f"{CUSTOMERS}/base.json", f"{CUSTOMERS}/delta.json"
    consent = {"shareWithResearchAsOfDate": NOON}
    put(tmp_path / "source", base, [customer("ann@test.com", **consent), customer("bob@test.com", **consent)])
    land_all(tmp_path)
    assert rows(tmp_path / "zone", "customer_withdrawals") == []
    withdrawal = {"lastUpdateDate": NOON + 1} | ({} if none == "left out" else {"shareWithResearchAsOfDate": none})
    put(tmp_path / "source", delta, [customer(" ANN@test.com", **withdrawal), customer(" ", **withdrawal)])
    land_all(tmp_path)
    withdrawn = [{"canonical_email": "ann@test.com", "withdrawn_ms": NOON + 1}]
    assert rows(tmp_path / "zone", "customer_withdrawals") == withdrawn
    put(tmp_path / "source", delta, [customer("bob@test.com", **consent, lastUpdateDate=NOON + 2)])
    land_all(tmp_path)
    assert rows(tmp_path / "zone", "customer_withdrawals") == withdrawn, "the file was overwritten"
    (tmp_path / "source" / delta).unlink()
    (tmp_path / "source" / base).unlink()
    put(tmp_path / "source", f"{CUSTOMERS}/other.json", [customer("cyd@test.com", **consent)])
    land_all(tmp_path)
    assert rows(tmp_path / "zone", "customer_withdrawals") == withdrawn, "nothing of Ann is there"


def test_the_last_withdrawal_is_the_one_that_is_remembered(tmp_path: Path) -> None:
    for updated, remembered in ((NOON, NOON), (NOON + 2, NOON + 2), (NOON + 1, NOON + 2)):
        put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com", lastUpdateDate=updated)])
        land_all(tmp_path)
        assert [row["withdrawn_ms"] for row in rows(tmp_path / "zone", "customer_withdrawals")] == [remembered]


def test_a_withdrawal_of_the_future_counts_from_its_landing(tmp_path: Path) -> None:
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com", lastUpdateDate=9_999_999_999_999)])
    land_all(tmp_path)
    (landed_at,) = {
        file.landed_at for file in read_ledger(open_folder(tmp_path / "zone"), "customer_landing").files.values()
    }
    assert [row["withdrawn_ms"] for row in rows(tmp_path / "zone", "customer_withdrawals")] == [landed_at]


def test_a_withdrawal_that_cannot_be_read_suspends_and_is_not_remembered(tmp_path: Path) -> None:
    consents = customer("ann@test.com", shareWithResearchAsOfDate=NOON)
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [consents, customer("ann@test.com", lastUpdateDate="soon")])
    assert land_all(tmp_path).suspended == 1
    assert rows(tmp_path / "zone", "customer_withdrawals") == []


BROKEN = [customer("ann@test.com", lastUpdateDate="soon")]
CONSENTS = {"shareWithResearchAsOfDate": NOON}


def consented_and_broken(folder: Path) -> Path:
    """Ann and Bob consent; then a record of Ann comes that cannot be read. Gives its file."""
    put(folder / "source", f"{CUSTOMERS}/all.json", [customer(f"{who}@test.com", **CONSENTS) for who in ("ann", "bob")])
    land_all(folder)
    file = put(folder / "source", f"{CUSTOMERS}/daily.json", BROKEN)
    assert land_all(folder).suspended == 1
    return file


def suspended(folder: Path) -> list[str]:
    return [row["canonical_email"] for row in rows(folder / "zone", "customer_suspensions")]


@pytest.mark.parametrize(
    "then", [as_bytes([customer("bob@test.com", **CONSENTS, lastUpdateDate=NOON + 9)]), b"", None, b"\n{"]
)
def test_a_suspension_outlives_its_record(tmp_path: Path, then: bytes | None) -> None:
    """The file is overwritten by others' records, emptied, deleted, or broken in another way."""
    file = consented_and_broken(tmp_path)
    if then is None:
        file.unlink()
    else:
        file.write_bytes(then)
    for _ in range(2):
        report = land_all(tmp_path)
        assert suspended(tmp_path) == ["ann@test.com"]
        assert report.suspended == 1
        assert "gone from its file" in "".join(report.suspicions)
    zone = tmp_path / "zone"
    assert lasting_suspicions(zone, TABLES) == {f"{CUSTOMERS}/daily.json:1": 1}
    dismiss(zone, TABLES, f"{CUSTOMERS}/daily.json:1", "a test")
    assert land_all(tmp_path).suspended == 0
    assert suspended(tmp_path) == []


def test_a_suspension_ends_with_a_record_of_the_person_in_place_of_the_broken_one(tmp_path: Path) -> None:
    consented_and_broken(tmp_path)
    put(tmp_path / "source", f"{CUSTOMERS}/daily.json", [customer("ANN@test.com", lastUpdateDate=NOON + 9)])
    assert land_all(tmp_path).suspended == 0
    assert suspended(tmp_path) == []


def test_a_suspension_ends_with_a_later_record_once_the_broken_one_is_gone(tmp_path: Path) -> None:
    consented_and_broken(tmp_path)
    put(tmp_path / "source", f"{CUSTOMERS}/later.json", [customer("ann@test.com", lastUpdateDate=NOON + 9)])
    assert land_all(tmp_path).suspended == 1, "the broken record is still there"
    put(tmp_path / "source", f"{CUSTOMERS}/daily.json", [customer("bob@test.com", lastUpdateDate=NOON + 9)])
    assert land_all(tmp_path).suspended == 1, "the good one came before it was replaced"
    put(tmp_path / "source", f"{CUSTOMERS}/latest.json", [customer("ann@test.com", lastUpdateDate=NOON + 10)])
    assert land_all(tmp_path).suspended == 0


@pytest.mark.parametrize("record", [customer("ann@test.com", lastUpdateDate=NOON + 9), BROKEN[0]])
def test_what_a_killed_run_landed_is_remembered_by_the_next_one(tmp_path: Path, record: dict[str, object]) -> None:
    """It was killed before it worked out who is who; then the record is overwritten."""
    put(tmp_path / "source", f"{CUSTOMERS}/all.json", [customer("ann@test.com", **CONSENTS)])
    land_all(tmp_path)
    put(tmp_path / "source", f"{CUSTOMERS}/daily.json", [record])
    land([tmp_path / "source"], tmp_path / "zone", TABLES)
    put(tmp_path / "source", f"{CUSTOMERS}/daily.json", [customer("bob@test.com")])
    remember_denials_before_a_load(tmp_path / "zone", TABLES, print)
    land_all(tmp_path)
    known = {"ann@test.com"} & {row["canonical_email"] for row in rows(tmp_path / "zone", "customer_withdrawals")}
    assert known | {*suspended(tmp_path)} == {"ann@test.com"}


def test_nothing_is_remembered_of_a_zone_that_is_not_there(tmp_path: Path) -> None:
    remember_denials_before_a_load(tmp_path / "zone", TABLES, print)
    assert not (tmp_path / "zone").exists()


def test_who_is_erased_is_forgotten_as_one_who_withdrew(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com"), customer("bob@test.com")])
    land_all(tmp_path)
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("bob@test.com")])
    land_all(tmp_path)
    erase_from_zone(zone, TABLES, ["Ann@test.com"], print, pseudonym_of=KEY.pseudonym)
    land_all(tmp_path)
    assert [row["canonical_email"] for row in rows(zone, "customer_withdrawals")] == ["bob@test.com"]


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
    tables = ("customer_identities", "customer_suspensions", "customer_withdrawals", "device_owners", "step_claims")
    for table in tables:
        declared = [column.name for column in TABLES[table].columns]
        found = rows(tmp_path / "zone", table)
        assert found, table
        assert all(list(row) == declared for row in found)
