"""What is worked out from a landing zone is worked out again when what it was made of, or what it made, has changed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lakehouse.declaration import Table
from lakehouse.derived import people, worked_out
from lakehouse.derived.denials import remember_denials_before_a_load
from lakehouse.derived.identification import Identification
from lakehouse.derived.people import PeopleReport, dismiss, land_people
from lakehouse.derived.text_repair import repair_text
from lakehouse.errors import LandingError
from lakehouse.landing.contents import code_of
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.privacy.zone import erase_from_zone
from lakehouse.storage.folder import Folder
from landing_helpers import TABLES, content_of, landed, put
from part_reads import note_reads, tables_of

pytestmark = pytest.mark.quick

KEY = PseudonymKey(b"a key for the tests, of 32 letters")
OTHER = PseudonymKey(b"another key for the tests, of 40 letters")
NOON = 1_655_564_400_000
EVENT = {"sessionId": 1, "itemInSession": 0, "ts": NOON, "page": "Home"}
CUSTOMERS = "stedi/customer/landing/1.json"
READINGS = "stedi/accelerometer/landing/1.json"


def customer(email: str, **more: object) -> dict[str, object]:
    return {"email": email, "lastUpdateDate": NOON, "serialNumber": "D1", **more}


def reading(user: str) -> dict[str, object]:
    return {"user": user, "timestamp": NOON, "x": 0, "y": 0, "z": 0}


def load(folder: Path) -> None:
    land([folder / "source"], folder / "zone", TABLES, forget_vanished=True)


def who_is_who(folder: Path, key: PseudonymKey = KEY, *, new_key: bool = False) -> PeopleReport:
    return land_people(folder / "zone", TABLES, key, print, new_key=new_key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people, one of whom a record names that cannot be read; all is worked out."""
    put(tmp_path / "source", CUSTOMERS, [customer("ann@test.com"), customer("bob@test.com", lastUpdateDate="soon")])
    put(tmp_path / "source", READINGS, [reading("ann@test.com"), reading("bob@test.com")])
    put(tmp_path / "source", "sparkify/log_data/2018-11-01-events.json", [EVENT])
    load(tmp_path)
    who_is_who(tmp_path)
    repair_text(tmp_path / "zone", TABLES, print)
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts of readings, steps, events and songs that are read, as they are read."""
    return note_reads(monkeypatch)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The zones in which who is who is worked out, as it is."""
    looked: list[Path] = []

    def look(folder: Folder, tables: Mapping[str, Table], key: PseudonymKey) -> Identification:
        looked.append(Path(folder.location))
        return Identification(folder, tables, key)

    monkeypatch.setattr(people, "Identification", look)
    return looked


def test_nothing_is_read_again_that_would_say_the_same(folder: Path, reads: list[str], looks: list[Path]) -> None:
    before = content_of(folder / "zone")
    report = who_is_who(folder)
    assert (report.customers, report.suspended, report.changed) == (1, 1, False)
    remember_denials_before_a_load(folder / "zone", TABLES, print)
    load(folder)
    assert not repair_text(folder / "zone", TABLES, print).changed
    assert content_of(folder / "zone") == before
    assert reads == []
    assert looks == []


def test_events_alone_do_not_have_the_readings_read_again(folder: Path, reads: list[str], looks: list[Path]) -> None:
    put(folder / "source", "sparkify/log_data/2018-11-02-events.json", [{**EVENT, "sessionId": 2}])
    load(folder)
    assert who_is_who(folder).customers == 1
    assert reads == []
    assert looks == []
    repair_text(folder / "zone", TABLES, print)
    assert tables_of(reads).keys() == {"staging_events"}


def somebody_comes(folder: Path) -> None:
    put(folder / "source", READINGS, [reading("ann@test.com"), reading("bob@test.com"), reading("Cyd@test.com")])
    load(folder)


def a_record_is_dismissed(folder: Path) -> None:
    dismiss(folder / "zone", TABLES, f"{CUSTOMERS}:2", "a test")


def somebody_is_erased(folder: Path) -> None:
    erase_from_zone(folder / "zone", TABLES, ["bob@test.com"], print)


def the_note_is_damaged(folder: Path) -> None:
    (folder / "zone" / worked_out.NOTES_KEY).write_text('{"people": {"state": 7')


def the_note_says_nonsense(folder: Path) -> None:
    notes = json.loads((folder / "zone" / worked_out.NOTES_KEY).read_text())
    notes["people"]["report"] = {"made_with": 7}
    (folder / "zone" / worked_out.NOTES_KEY).write_text(json.dumps(notes))


def the_note_is_lost(folder: Path) -> None:
    (folder / "zone" / worked_out.NOTES_KEY).unlink()


def the_code_changes(folder: Path) -> None:
    notes = json.loads((folder / "zone" / worked_out.NOTES_KEY).read_text())
    notes["people"]["state"] = "of other code"
    (folder / "zone" / worked_out.NOTES_KEY).write_text(json.dumps(notes))


@pytest.mark.parametrize(
    "event",
    [
        somebody_comes,
        a_record_is_dismissed,
        somebody_is_erased,
        the_note_is_damaged,
        the_note_says_nonsense,
        the_note_is_lost,
        the_code_changes,
    ],
)
def test_it_is_worked_out_again_after(
    event: Callable[[Path], None], folder: Path, reads: list[str], looks: list[Path]
) -> None:
    """And where nothing is new, of what is noted of the parts."""
    event(folder)
    reads.clear()
    who_is_who(folder)
    assert looks == [folder / "zone"]
    assert ("accelerometer_landing" in tables_of(reads)) == (event in {somebody_comes, somebody_is_erased})
    identities = {json.loads(line)["email"] for line in landed(folder / "zone", "customer_identities")}
    assert "ann@test.com" in identities
    assert ("Cyd@test.com" in identities) == (event is somebody_comes)
    assert ("bob@test.com" in identities) == (event is not somebody_is_erased)
    reads.clear()
    who_is_who(folder)
    assert reads == []
    assert looks == [folder / "zone"]


def lose_parts(zone: Path, table: str) -> None:
    for part in (zone / TABLES[table].folder).glob("2*.json.gz"):
        part.unlink()


def test_a_part_that_is_lost_is_missed(folder: Path) -> None:
    """Repairs are worked out from the events alone; who is who is also remembered, and cannot be had again."""
    zone = folder / "zone"
    put(folder / "source", "sparkify/log_data/2018-11-02-events.json", [{**EVENT, "artist": "BjÃ\x83Â¶rk"}])
    load(folder)
    repair_text(zone, TABLES, print)
    repairs = list(landed(zone, "text_repairs"))
    assert len(repairs) == 1
    lose_parts(zone, "text_repairs")
    assert repair_text(zone, TABLES, print).changed
    assert list(landed(zone, "text_repairs")) == repairs
    lose_parts(zone, "customer_identities")
    with pytest.raises(LandingError, match=r"customer/identities/landing/.* No such file"):
        who_is_who(folder)


def test_another_key_gives_other_pseudonyms(folder: Path, reads: list[str]) -> None:
    before = list(landed(folder / "zone", "customer_identities"))
    assert who_is_who(folder, OTHER, new_key=True).changed
    assert list(landed(folder / "zone", "customer_identities")) != before
    assert reads


def test_what_is_noted_names_nobody(folder: Path) -> None:
    """A reason tells what stands there instead of what should."""
    wrong = ({"lastUpdateDate": "ann@test.com"}, {"serialNumber": ["ann@test.com", "o'ann@test.com"]})
    records = [json.dumps(customer("ann@test.com", **more)) for more in wrong]
    doubled = json.dumps(customer("ann@test.com"))[:-1] + ',"ann@test.com":1,"ann@test.com":2}'
    put(folder / "source", CUSTOMERS, "".join(f"{record}\n" for record in (*records, doubled)))
    load(folder)
    assert sum(who_is_who(folder).suspicions.values()) == 4  # these, and the one of before
    assert b"test.com" not in (folder / "zone" / worked_out.NOTES_KEY).read_bytes()


def parts(zone: Path, table: str) -> set[str]:
    return {part.name for part in (zone / TABLES[table].folder).iterdir()}


@pytest.mark.parametrize("table", ["customer_identities", "text_repairs"])
def test_what_was_replaced_goes_with_the_next_load(folder: Path, table: str) -> None:
    """Also if that has nothing to do: it may name somebody who is gone."""
    put(folder / "source", READINGS, [reading("bob@test.com"), reading("cyd@test.com")])
    put(folder / "source", "sparkify/log_data/2018-11-02-events.json", [{**EVENT, "artist": "BjÃ\x83Â¶rk"}])
    for _ in range(3):
        load(folder)
        who_is_who(folder)
        repair_text(folder / "zone", TABLES, print)
    assert len(parts(folder / "zone", table)) == 2
    (folder / "zone" / TABLES[table].folder / "empty.json.gz").unlink()
    who_is_who(folder)
    repair_text(folder / "zone", TABLES, print)
    assert len(parts(folder / "zone", table)) == 2


def test_who_left_no_longer_stands_in_for_somebody_else(tmp_path: Path, looks: list[Path]) -> None:
    """As long as ann@x.co is known, a record that is cut off behind it is hers; without her it may be ann@x.com's."""
    put(tmp_path / "source", CUSTOMERS, [customer("ann@x.com")])
    put(tmp_path / "source", CUSTOMERS.replace("1.json", "2.json"), [customer("ann@x.co")])
    load(tmp_path)
    who_is_who(tmp_path)
    put(tmp_path / "source", CUSTOMERS.replace("1.json", "2.json"), '{"lastUpdateDate":1,"email":"ann@x.co')
    load(tmp_path)
    who_is_who(tmp_path)
    looks.clear()
    load(tmp_path)
    who_is_who(tmp_path)
    assert looks, "somebody left: who is named must be worked out once more without them"
    suspended = {json.loads(line)["canonical_email"] for line in landed(tmp_path / "zone", "customer_suspensions")}
    assert "ann@x.com" in suspended
    looks.clear()
    who_is_who(tmp_path)
    assert looks == []


def test_the_code_is_all_of_the_package(tmp_path: Path) -> None:
    """Who corrects how addresses are read need not remember to say so."""
    (tmp_path / "identity.py").write_text("a rule")
    before = code_of(tmp_path, "*.py")
    (tmp_path / "identity.py").write_text("another rule")
    assert code_of(tmp_path, "*.py") != before
