"""Releases of the training data: their pseudonyms, their files and records, and what a kill leaves."""

import json
import os
import re
import stat
import subprocess
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import pytest

from dbt_project import ALL_TESTS, UNTESTED, copy_project, remove_unit_tests
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.errors import LandingError
from lakehouse.landing.pseudonym_key import PUBLIC_KEY, PseudonymKey
from lakehouse.pipeline import releases
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.releases import AgeBand, Figures, Risk
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all, landed, put
from real_data import LAKEHOUSE

KEY = PseudonymKey(PUBLIC_KEY.encode())
WHEN = 1_655_564_376_361
CUSTOMERS = "stedi/customer/landing"


def customer(email: str, updated: int = WHEN, device: str = "") -> dict[str, object]:
    return {
        "customerName": f"Name of {email}",
        "email": email,
        "birthDay": "1950-05-05",
        "serialNumber": device or f"device of {email}",
        "registrationDate": WHEN,
        "lastUpdateDate": updated,
        "shareWithResearchAsOfDate": WHEN,
    }


def drawn(zone: Path) -> dict[str, str]:
    """The release's pseudonym of each address."""
    rows = [json.loads(line) for line in landed(zone, "release_pseudonyms")]
    assert all(row["customer_pseudonym"] == KEY.pseudonym(row["email"]) for row in rows)
    return {row["email"]: row["release_pseudonym"] for row in rows}


# ------------------------------------------------------------------------------------------------- the pseudonyms
def test_everybody_has_a_pseudonym_by_chance_that_stays_until_the_next_release(tmp_path: Path) -> None:
    source, zone = tmp_path / "source", tmp_path / "zone"
    put(source, f"{CUSTOMERS}/1.json", [customer("ann@test.com"), customer("bob@test.com")])
    land_all([source], zone)
    first = drawn(zone)
    assert first.keys() == {"ann@test.com", "bob@test.com"}
    assert all(re.fullmatch(r"[0-9a-f]{32}", pseudonym) for pseudonym in first.values())
    put(source, f"{CUSTOMERS}/2.json", [customer("eve@test.com")])
    land_all([source], zone)
    second = drawn(zone)
    assert second == first | {"eve@test.com": second["eve@test.com"]}
    assert len(set(second.values())) == 3
    assert land_release_pseudonyms(zone, TABLES, print, draw_anew=True) == 3
    third = drawn(zone)
    assert third.keys() == second.keys()
    assert not set(third.values()) & set(second.values())


def test_two_zones_of_the_same_people_have_nothing_in_common(tmp_path: Path) -> None:
    """A pseudonym follows from nothing: neither from the person, nor from a key."""
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com"), customer("bob@test.com")])
    for zone in ("one", "two"):
        land_all([tmp_path / "source"], tmp_path / zone)
    assert not set(drawn(tmp_path / "one").values()) & set(drawn(tmp_path / "two").values())


def test_who_is_gone_is_forgotten_and_order_tells_nothing(tmp_path: Path) -> None:
    source, zone = tmp_path / "source", tmp_path / "zone"
    put(source, f"{CUSTOMERS}/1.json", [customer(f"{number:02}@test.com") for number in range(40)])
    put(source, f"{CUSTOMERS}/2.json", [customer("gone@test.com")])
    land_all([source], zone)
    order = [json.loads(line)["release_pseudonym"] for line in landed(zone, "release_pseudonyms")]
    assert order == sorted(order)
    (source / f"{CUSTOMERS}/2.json").unlink()
    land_all([source], zone, forget_vanished=True)
    assert "gone@test.com" not in drawn(zone)


# --------------------------------------------------------------------------------------------------- the command
PEOPLE = 20
STEPS = range(0, 20_000, 2_000)
SECOND_SESSION = 86_400_000


def source_of(people: int) -> dict[str, list[dict[str, object]]]:
    """Consenting people, each read in two sessions a day apart; the second one is longer by a reading."""
    emails = [f"person{number:02}@test.com" for number in range(people)]
    moments = [
        (email, WHEN + 1 + number + begun + after)
        for number, email in enumerate(emails)
        for begun, steps in ((0, STEPS), (SECOND_SESSION, (*STEPS, 20_000)))
        for after in steps
    ]
    return {
        f"{CUSTOMERS}/customers.json": [customer(email) for email in emails],
        "stedi/accelerometer/landing/readings.json": [
            {"user": email, "timestamp": time, "x": 0.1 * (time % 3), "y": 1.0, "z": -1.0} for email, time in moments
        ],
        "stedi/step_trainer/landing/readings.json": [
            {"serialNumber": f"device of {email}", "sensorReadingTime": time, "distanceFromObject": 201}
            for email, time in moments
        ],
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a landed data set."""
    folder = copy_project(tmp_path_factory.mktemp("releases") / "project")
    remove_unit_tests(folder)
    for path, records in source_of(PEOPLE).items():
        put(folder / "source", path, records)
    land_all([folder / "source"], folder / "landing/mine")
    return folder


def release(project: Path, *options: str | Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    command = [LAKEHOUSE, "release", "--dataset", "mine", *map(str, options)]
    settings = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **settings}
    return subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, check=False)


def test_two_releases_share_no_pseudonym_and_each_is_ready_to_use(project: Path) -> None:
    people = []
    for number, settings in ((1, {}), (2, {UNTESTED: ALL_TESTS})):
        done = release(project, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        folder = max((project / "releases").iterdir())
        assert f"data and its card: {folder}" in done.stdout
        assert len(list((project / "releases").iterdir())) == number
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())} == {
            folder.name: 0o700,
            "README.md": 0o600,
            "machine_learning_curated_v3.parquet": 0o600,
        }
        rows = duckdb.read_parquet(str(folder / "machine_learning_curated_v3.parquet"))
        assert list(zip(rows.columns, map(str, rows.types), strict=True)) == [
            ("distance_from_object", "INTEGER"),
            ("x", "DOUBLE"),
            ("y", "DOUBLE"),
            ("z", "DOUBLE"),
            ("release_pseudonym", "VARCHAR"),
            ("session_number", "INTEGER"),
            ("session_time_ms", "BIGINT"),
            ("age_band", "VARCHAR"),
        ]
        content = rows.fetchall()
        assert len(content) == PEOPLE * 21
        assert [row[4:7] for row in content] == sorted(row[4:7] for row in content)
        assert {row[1] for row in content} == {0.0, 0.1, 0.2}
        people.append({row[4] for row in content})
        # which of the two sessions, a day apart, is number 1 was decided by chance
        longer = {row[4]: row[5] for row in content if row[6] == 20_000}
        assert set(longer.values()) == {1, 2}
        with duckdb.connect(str(project / "lakehouse.duckdb"), read_only=True) as database:
            stored = database.execute("select * from stedi.machine_learning_curated_v3").fetchall()
            assert sorted(stored) == sorted(content)
            assert [row[4] for row in stored] == sorted(row[4] for row in stored)
        assert_card_is_true(folder, project, content)
    assert len(people[0]) == len(people[1]) == PEOPLE
    assert not people[0] & people[1]
    listed = release(project, "--list").stdout
    assert listed.count("20 people  420 rows") == 2
    assert "2 releases on record" in listed


def assert_card_is_true(folder: Path, project: Path, content: list[tuple[object, ...]]) -> None:
    record = json.loads((project / f"landing/mine/loader/releases/{folder.name}.json").read_text())
    assert record["release_id"] == folder.name
    datetime.strptime(record["released_at"], "%Y-%m-%dT%H:%M:%S%z")
    figures = record["figures"]
    assert (figures["people"], figures["sessions"], figures["rows"]) == (PEOPLE, 2 * PEOPLE, len(content))
    assert figures["age_bands"] == [{"age_band": "55 to 74", "people": PEOPLE, "rows": len(content)}]
    card = (folder / "README.md").read_text()
    assert f"release {folder.name}" in card
    assert "| people | 20 |" in card
    assert "| `session_time_ms` | bigint | Milliseconds since the first reading of the session. |" in card
    for risk in figures["risks"]:
        assert f"| {risk['known_readings']} | {risk['singled_out_by_some']} | {risk['singled_out_by_any']} |" in card
    assert "{" not in card
    for text in (card, json.dumps(record)):
        assert "@test.com" not in text
        assert not re.search(r"[0-9a-f]{32}", text)


def test_nothing_is_released_when_a_test_fails(project: Path) -> None:
    before = sorted((project / "releases").glob("*")) if (project / "releases").exists() else []
    guard = project / "tests/dbt/stedi/assert_published_age_bands_are_shared.sql"
    right = guard.read_text()
    guard.write_text("select 1 as fault")
    try:
        done = release(project)
    finally:
        guard.write_text(right)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nothing was released" in done.stderr
    assert (sorted((project / "releases").glob("*")) if (project / "releases").exists() else []) == before


def test_nothing_is_released_of_what_was_never_landed(project: Path) -> None:
    done = subprocess.run(
        [LAKEHOUSE, "release", "--dataset", "another"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "nothing was released: landing zone" in done.stderr
    assert "land something first" in done.stderr


# ------------------------------------------------------------------------------------------------------ the files
ROWS = [(201, 0.1, 1.0, -1.0, "r" * 32, 1, 0, "withheld"), (202, 0.0, 1.0, -1.0, "a" * 32, 1, 0, "withheld")]
TYPES = ("integer", *["double precision"] * 3, "varchar(32)", "integer", "bigint", "varchar(16)")
NAMES = ("distance_from_object", "x", "y", "z", "release_pseudonym", "session_number", "session_time_ms", "age_band")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> DbtSession:
    """A session whose engine holds two rows."""
    columns = {
        name: SimpleNamespace(name=name, data_type=kind, description=f"What {name} is.")
        for name, kind in zip(NAMES, TYPES, strict=True)
    }
    figures = Figures(2, 2, len(ROWS), [AgeBand("withheld", 2, 2)], [Risk(1, 2, 2, 2)])
    monkeypatch.setattr(releases, "figures_of", lambda _dbt: figures)
    monkeypatch.setattr(releases, "released_model", lambda _manifest: SimpleNamespace(columns=columns))
    monkeypatch.setattr(releases, "rows_of", lambda *_: iter(ROWS))
    return cast(DbtSession, SimpleNamespace(dataset="mine", target="duckdb", manifest=None))


def unchanged() -> None:
    """Nothing was landed meanwhile."""


def test_rows_are_written_as_the_engine_has_them_in_the_order_of_chance(session: DbtSession, tmp_path: Path) -> None:
    zone = open_folder(tmp_path / "zone")
    release, folder = releases.write_release(session, zone, tmp_path / "out", unchanged)
    rows = duckdb.read_parquet(str(folder / releases.ROWS_FILE)).fetchall()
    assert rows == sorted(ROWS, key=lambda row: row[4])
    assert releases.recorded_releases(zone) == [release]
    assert sorted(path.name for path in folder.iterdir()) == sorted([releases.CARD_FILE, releases.ROWS_FILE])


def landed_meanwhile() -> None:
    raise LandingError("something was landed meanwhile")


@pytest.mark.parametrize("moment", ["rows", "card", "check", "record"])
def test_what_fails_half_way_leaves_nothing(
    session: DbtSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyboardInterrupt

    zone = open_folder(tmp_path / "zone")
    if moment == "rows":
        monkeypatch.setattr(releases, "_write_rows", fail)
    elif moment == "card":
        monkeypatch.setattr(releases, "data_card", fail)
    elif moment == "record":
        monkeypatch.setattr(type(zone), "write", fail)
    with pytest.raises((KeyboardInterrupt, LandingError)):
        releases.write_release(session, zone, tmp_path / "out", landed_meanwhile if moment == "check" else unchanged)
    assert list((tmp_path / "out").iterdir()) == []
    assert releases.recorded_releases(zone) == []


def test_what_a_kill_left_is_removed_by_the_next_release(session: DbtSession, tmp_path: Path) -> None:
    zone = open_folder(tmp_path / "zone")
    put(tmp_path / "out", ".20260101T000000Z-abc.unfinished/machine_learning_curated_v3.csv", b"half of a row")
    _, folder = releases.write_release(session, zone, tmp_path / "out", unchanged)
    assert list((tmp_path / "out").iterdir()) == [folder]


def test_rows_that_change_meanwhile_are_not_released(
    session: DbtSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "rows_of", lambda *_: iter(ROWS[:1]))
    with pytest.raises(LandingError, match="1 rows were read, 2 counted"):
        releases.write_release(session, open_folder(tmp_path / "zone"), tmp_path / "out", unchanged)


def test_a_zone_that_changes_is_noticed(tmp_path: Path) -> None:
    put(tmp_path / "source", f"{CUSTOMERS}/1.json", [customer("ann@test.com")])
    land_all([tmp_path / "source"], tmp_path / "zone")
    zone = open_folder(tmp_path / "zone")
    before = releases.zone_state(zone)
    assert before
    assert releases.zone_state(zone) == before
    put(tmp_path / "source", f"{CUSTOMERS}/2.json", [customer("bob@test.com")])
    land_all([tmp_path / "source"], tmp_path / "zone")
    assert releases.zone_state(zone) != before
