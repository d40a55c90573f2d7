"""A part that was read is not read again, and what comes out is what reading everything gives."""

import gzip
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.derived.denials import OF_PEOPLE
from lakehouse.derived.part_facts import FACTS_FOLDER, forget_notes
from lakehouse.derived.people import land_people
from lakehouse.derived.text_repair import repair_text
from lakehouse.derived.worked_out import NOTES_KEY
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.pipeline.dataset import Dataset
from lakehouse.privacy.zone import erase_from_zone
from lakehouse.storage import open_folder
from lakehouse.storage.zone import give_zone_id
from landing_helpers import TABLES, landed, put
from part_reads import note_reads, tables_of
from real_data import PROJECT_DIR

KEY = PseudonymKey(b"a key for the tests, of 32 letters")
OTHER = PseudonymKey(b"another key for the tests, of 40 letters")
DERIVED = [name for name in (*OF_PEOPLE, "text_repairs") if not TABLES[name].source_files]
FOLDERS = {
    "customers": "stedi/customer/landing",
    "readings": "stedi/accelerometer/landing",
    "steps": "stedi/step_trainer/landing",
    "events": "sparkify/log_data",
}
NOON = 1_655_564_400_000
DAY = 86_400_000


def customer(email: str, device: str) -> dict[str, object]:
    return {"email": email, "serialNumber": device, "lastUpdateDate": NOON}


def reading(user: str, moment: int) -> dict[str, object]:
    return {"user": user, "timestamp": NOON + moment, "x": 0, "y": 0, "z": 0}


def step(device: str, moment: int) -> dict[str, object]:
    return {"serialNumber": device, "sensorReadingTime": NOON + moment, "distanceFromObject": 1}


def event(number: int, artist: str) -> dict[str, object]:
    return {"sessionId": number, "itemInSession": 0, "ts": NOON, "page": "NextSong", "artist": artist}


def work_out(zone: Path, key: PseudonymKey = KEY, *, new_key: bool = False) -> None:
    land_people(zone, TABLES, key, print, new_key=new_key)
    repair_text(zone, TABLES, print)


def derived_rows(zone: Path) -> dict[str, list[bytes]]:
    return {name: sorted(landed(zone, name)) for name in DERIVED}


EMAILS = st.sampled_from(["ann@test.com", "Ann@test.com", "bob@test.com", "cyd@test.com", " "])
DEVICES = st.sampled_from(["D1", "D2"])
MOMENTS = st.integers(1, 4)
RECORDS = {
    "customers": st.builds(customer, EMAILS, DEVICES),
    "readings": st.builds(reading, EMAILS, MOMENTS),
    "steps": st.builds(step, DEVICES, MOMENTS),
    "events": st.builds(event, MOMENTS, st.sampled_from(["BjÃ\x83Â¶rk", "BjÃ¶rk", "Björk"])),
}
CHANGES = st.lists(
    st.sampled_from(sorted(RECORDS)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.integers(1, 2), st.lists(RECORDS[kind], max_size=4))
    ),
    min_size=1,
    max_size=3,
)
"""Of one load: what a file holds from then on; a file that holds nothing vanishes."""
Change = tuple[str, int, list[dict[str, object]]]
STEPS = [step("D1", 2)]
WALK: list[Change] = [("readings", 1, [reading("ann@test.com", 2)])]
OTHERS: list[Change] = [("customers", 2, [customer("cyd@test.com", "D2"), customer("dee@test.com", "D2")])]
SHARED: list[Change] = [("customers", 1, [customer("ann@test.com", "D1"), customer("bob@test.com", "D1")])]


@settings(max_examples=10)
@given(st.lists(CHANGES, min_size=2, max_size=5))
@example([[*SHARED, ("readings", 1, [reading("ann@test.com", 2)])], [("steps", 1, STEPS)]])
@example([[*SHARED, ("steps", 1, STEPS)], [("readings", 1, [reading("ann@test.com", 2)])]])
@example([[("readings", 1, [reading("ann@test.com", 2)]), ("steps", 1, STEPS)], SHARED])
@example([WALK, SHARED, [("steps", 1, STEPS)]])
@example([[*SHARED, *WALK], [("customers", 2, [customer("cyd@test.com", "D1")])], [("steps", 1, STEPS)]])
@example([[*OTHERS, ("steps", 1, STEPS)], SHARED, WALK])
@example([[*SHARED, ("steps", 1, STEPS)], [("steps", 1, [])], [("readings", 1, [reading("bob@test.com", 2)])]])
def test_what_comes_out_is_what_reading_everything_gives(
    loads: list[list[tuple[str, int, list[dict[str, object]]]]],
) -> None:
    """After each load of any history: what vanishes, what is corrected, devices that begin to be shared."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in FOLDERS.values():  # each has a file, so that the source is never empty
            put(folder / "source", f"{path}/0-events.json", [])
        for changes in loads:
            for kind, number, records in changes:
                path = f"{FOLDERS[kind]}/{number}-events.json"
                put(folder / "source", path, records)
            for zone in (folder / "kept", folder / "anew"):
                assert not land([folder / "source"], zone, TABLES, forget_vanished=True).rejects
            forget_notes(open_folder(folder / "anew"))
            work_out(folder / "kept")
            work_out(folder / "anew")
            assert derived_rows(folder / "kept") == derived_rows(folder / "anew")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that are read, as they are read."""
    return note_reads(monkeypatch)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A day of two people who share a device, which is worked out; the zone is beside it."""
    put(tmp_path / "source", f"{FOLDERS['customers']}/1.json", SHARED[0][2])
    put(tmp_path / "source", f"{FOLDERS['readings']}/1.json", [reading("ann@test.com", 1), reading("bob@test.com", 2)])
    put(tmp_path / "source", f"{FOLDERS['steps']}/1.json", [step("D1", 1), step("D1", 2)])
    put(tmp_path / "source", f"{FOLDERS['events']}/1-events.json", [event(1, "BjÃ\x83Â¶rk")])
    assert not land([tmp_path / "source"], tmp_path / "zone", TABLES).rejects
    work_out(tmp_path / "zone")
    return tmp_path / "source"


def parts_read(source: Path, reads: list[str]) -> Mapping[str, int]:
    """How many parts of each table a load and what follows it have read."""
    zone = source.parent / "zone"
    land([source], zone, TABLES)
    reads.clear()
    work_out(zone)
    return tables_of(reads)


def test_a_day_more_has_no_other_day_read(source: Path, reads: list[str]) -> None:
    put(source, f"{FOLDERS['readings']}/2.json", [reading("bob@test.com", DAY), reading("cyd@test.com", DAY)])
    put(source, f"{FOLDERS['steps']}/2.json", [step("D1", DAY)])
    put(source, f"{FOLDERS['events']}/2-events.json", [event(2, "BjÃ\x83Â¶rk")])
    twice_for_claims = {"accelerometer_landing": 2, "step_trainer_landing": 1, "staging_events": 1}
    assert parts_read(source, reads) == twice_for_claims
    assert len(list(landed(source.parent / "zone", "step_claims"))) == 3
    assert parts_read(source, reads) == {}


def test_steps_that_come_late_have_the_readings_of_their_time_read(source: Path, reads: list[str]) -> None:
    put(source, f"{FOLDERS['readings']}/2.json", [reading("bob@test.com", DAY)])
    parts_read(source, reads)
    put(source, f"{FOLDERS['steps']}/2.json", [step("D1", DAY)])
    assert parts_read(source, reads) == {"accelerometer_landing": 1, "step_trainer_landing": 1}
    assert len(list(landed(source.parent / "zone", "step_claims"))) == 3


def test_readings_that_come_late_have_the_steps_of_their_time_read(source: Path, reads: list[str]) -> None:
    put(source, f"{FOLDERS['readings']}/2.json", [reading("bob@test.com", 1)])
    assert parts_read(source, reads) == {"accelerometer_landing": 2, "step_trainer_landing": 1}
    assert len(list(landed(source.parent / "zone", "step_claims"))) == 3


def test_steps_of_others_have_no_readings_read(source: Path, reads: list[str]) -> None:
    put(source, f"{FOLDERS['customers']}/2.json", [customer("cyd@test.com", "D2"), customer("dee@test.com", "D2")])
    put(source, f"{FOLDERS['readings']}/2.json", [reading("cyd@test.com", 1)])
    parts_read(source, reads)
    put(source, f"{FOLDERS['steps']}/2.json", [step("D2", 1), step("D3", 2)])
    assert parts_read(source, reads) == {"accelerometer_landing": 1, "step_trainer_landing": 1}
    assert len(list(landed(source.parent / "zone", "step_claims"))) == 3


def test_a_device_that_begins_to_be_shared_has_everything_read(source: Path, reads: list[str]) -> None:
    put(source, f"{FOLDERS['customers']}/2.json", [customer("cyd@test.com", "D1")])
    assert parts_read(source, reads) == {"accelerometer_landing": 1, "step_trainer_landing": 1}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"made_with": 7}', b'{"made_with": "x", "facts": {"a": 7}}', b'{"made_with": "\xff"}', b"[" * 5_000],
)
def test_facts_that_somebody_wrote_into_count_for_nothing(source: Path, reads: list[str], content: bytes) -> None:
    zone = source.parent / "zone"
    before = derived_rows(zone)
    for file in (zone / FACTS_FOLDER).iterdir():
        file.write_bytes(content)
    (zone / NOTES_KEY).unlink()
    assert parts_read(source, reads).keys() == {"accelerometer_landing", "step_trainer_landing", "staging_events"}
    assert derived_rows(zone) == before


def test_another_key_has_everything_read(source: Path, reads: list[str]) -> None:
    reads.clear()
    work_out(source.parent / "zone", OTHER, new_key=True)
    assert tables_of(reads)["accelerometer_landing"] == 1


def test_an_identity_that_is_lost_is_found_again(source: Path, reads: list[str]) -> None:
    """What is noted of a part names people by what the table of identities must explain."""
    zone = source.parent / "zone"
    facts = zone / FACTS_FOLDER / "people.json"
    noted = json.loads(facts.read_text())
    (part,) = [part for part in noted["facts"] if "accelerometer" in part]
    noted["facts"][part][1]["names"] = ["of nobody"]
    facts.write_text(json.dumps(noted))
    (zone / NOTES_KEY).unlink()
    assert "accelerometer_landing" in parts_read(source, reads)


def test_facts_name_nobody_and_are_their_owners_alone(source: Path) -> None:
    files = list((source.parent / "zone" / FACTS_FOLDER).iterdir())
    assert [file.name for file in files if b"test.com" in file.read_bytes() or file.stat().st_mode & 0o077] == []
    assert {file.name for file in files} == {"people.json", "text_repairs.json"}


def test_what_is_gone_is_forgotten(source: Path) -> None:
    zone = source.parent / "zone"
    shutil.move(source / FOLDERS["readings"] / "1.json", source / FOLDERS["readings"] / "2.json")
    put(source, f"{FOLDERS['readings']}/2.json", [reading("bob@test.com", 9)])
    before = set(json.loads((zone / FACTS_FOLDER / "people.json").read_text())["facts"])
    land([source], zone, TABLES, forget_vanished=True)
    work_out(zone)
    after = set(json.loads((zone / FACTS_FOLDER / "people.json").read_text())["facts"])
    assert len(before - after) == 1
    assert len(after) == len(before)


def lines_of(part: Path) -> list[bytes]:
    return gzip.decompress(part.read_bytes()).splitlines(keepends=True)


def test_a_part_that_somebody_has_changed_is_read(source: Path, reads: list[str]) -> None:
    zone = source.parent / "zone"
    (part,) = (zone / TABLES["accelerometer_landing"].folder).glob("2*.json.gz")
    part.write_bytes(gzip.compress(b"".join(lines_of(part)[:1])))
    (zone / NOTES_KEY).unlink()
    assert "accelerometer_landing" in parts_read(source, reads)


def test_claims_that_somebody_has_changed_are_looked_for_again(source: Path) -> None:
    zone = source.parent / "zone"
    before = list(landed(zone, "step_claims"))
    (part,) = (zone / TABLES["step_claims"].folder).glob("2*.json.gz")
    part.write_bytes(gzip.compress(b"".join(lines_of(part)[:1])))
    put(source, f"{FOLDERS['readings']}/2.json", [reading("bob@test.com", 1)])
    land([source], zone, TABLES)
    work_out(zone)
    assert len(before) == 2
    assert {*before} < {*landed(zone, "step_claims")}


def test_a_part_that_is_lost_is_missed(source: Path) -> None:
    """Although all was noted that it held."""
    zone = source.parent / "zone"
    (part,) = (zone / TABLES["accelerometer_landing"].folder).glob("2*.json.gz")
    part.unlink()
    (zone / NOTES_KEY).unlink()
    with pytest.raises(LandingError, match=part.name):
        work_out(zone)


def test_an_erasure_leaves_no_facts(source: Path) -> None:
    """Under the lock: what another process noted just before goes, too."""
    zone = source.parent / "zone"
    erase_from_zone(zone, TABLES, ["ann@test.com"], print)
    assert not list((zone / FACTS_FOLDER).glob("*"))
    work_out(zone)
    erase_from_zone(zone, TABLES, ["ann@test.com"], print, dry_run=True)
    assert (zone / FACTS_FOLDER / "people.json").exists()


def test_a_full_run_reads_everything(source: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody has made of what is noted."""
    monkeypatch.setenv("LANDING_ZONE", str(source.parent / "zone"))
    give_zone_id(open_folder(source.parent / "zone"), print)
    data = Dataset.named(PROJECT_DIR, [str(source)], None, 1.0)
    assert parts_read(source, reads) == {}
    data.work_out_anew()
    assert parts_read(source, reads).keys() == {"accelerometer_landing", "step_trainer_landing", "staging_events"}
