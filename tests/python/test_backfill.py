"""A backfill: days landed one by one, in any order and however often, are what a full load gives."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dbt_project import DbtProject, copy_project
from lakehouse.commands import backfill
from lakehouse.console import ConsoleReporter
from lakehouse.errors import LandingError, SettingsError
from lakehouse.landing.days import Days, in_words
from lakehouse.landing.load import days_in, land
from lakehouse.landing.outcome import LandingReport, together
from lakehouse.pipeline.dataset import Dataset
from lakehouse.sample import generate
from landing_helpers import EVENTS, READINGS, TABLES, FolderPlace, assert_nothing_is_left_over, ids, ledger_of, put
from real_data import LAKEHOUSE, PROJECT_DIR

DAILY = {
    "readings": replace(READINGS, part_by="([0-9]{4}-[0-9]{2}-[0-9]{2})"),
    "events": EVENTS,
}
KEY = "3f9ac17be2d04856a8b7c6e95d20f1643ba7d5ce"  # nobody's
NOVEMBER = [date(2018, 11, number) for number in range(1, 6)]


def load(source: Path, zone: Path, *days: date, **options: Any) -> LandingReport:  # noqa: ANN401
    """Lands the files of the days from the first to the last; of all without them."""
    return land([source], zone, DAILY, days=Days(min(days), max(days)) if days else None, **options)


def reading(number: int) -> dict[str, int]:
    return {"id": number}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Five days, of which the fourth has a copy of the second's file; and files that tell no day."""
    for day in NOVEMBER:
        put(tmp_path / "source", f"readings/{day}.json", [reading(day.day)])
    put(tmp_path / "source", "readings/2018-11-04.json", [reading(2)])
    put(tmp_path / "source", "readings/undated.json", [reading(90)])
    put(tmp_path / "source", "readings/2018-11-31.json", [reading(91)])  # no day of the calendar
    put(tmp_path / "source", "events/2018-11-01.json", [reading(7)])  # of a table that has no groups
    return tmp_path / "source"


def content(zone: Path) -> dict[str, bytes]:
    place = FolderPlace(zone)
    keys = [key for key in place.keys() if key != "loader/.lock"]  # noqa: SIM118 - no dict; it names the process
    return {key: place.get(key) or b"" for key in keys}


def facts(zone: Path) -> list[tuple[Any, ...]]:
    """What ledgers say, but for names and times, which are a load's own."""
    columns = ("source_file", "sha256", "records_found", "records_landed", "records_quarantined", "copy_of")
    return sorted(tuple(str(row[column]) for column in columns) for table in DAILY for row in ledger_of(zone, table))


# ------------------------------------------------------------------------------------------------------- the loader
@pytest.mark.quick
def test_a_day_lands_its_own_files_and_those_that_tell_no_day(source: Path, tmp_path: Path) -> None:
    report = load(source, tmp_path / "zone", NOVEMBER[1])
    assert ids(tmp_path / "zone") == [2, 90, 91]
    assert ids(tmp_path / "zone", "events") == [7]
    assert report.is_partial
    assert (report.tables["readings"].left_out, report.tables["events"].left_out) == (4, 0)


@pytest.mark.quick
def test_a_day_that_is_landed_stays_as_it_is_when_another_one_is(source: Path, tmp_path: Path) -> None:
    """Be its file gone by then, or another one; with `forget_vanished`, too."""
    zone = tmp_path / "zone"
    load(source, zone, NOVEMBER[0], NOVEMBER[2])
    (source / "readings/2018-11-01.json").unlink()
    put(source, "readings/2018-11-02.json", [reading(22)])
    report = load(source, zone, NOVEMBER[4], forget_vanished=True)
    assert ids(zone) == [1, 2, 3, 5, 90, 91]
    assert report.tables["readings"].files["of another day"] == 3
    assert report.tables["readings"].vanished == []
    load(source, zone, NOVEMBER[0], NOVEMBER[1], forget_vanished=True)
    assert ids(zone) == [3, 5, 22, 90, 91]


@pytest.mark.quick
def test_a_day_without_a_file_lands_nothing_of_it(source: Path, tmp_path: Path) -> None:
    report = load(source, tmp_path / "zone", date(2019, 1, 1))
    assert report.tables["readings"].records_landed == 2
    assert not load(source, tmp_path / "zone", date(2019, 1, 1)).changed


@pytest.mark.quick
def test_a_source_that_moved_is_known_by_a_load_of_one_day(source: Path, tmp_path: Path) -> None:
    load(source, tmp_path / "zone", NOVEMBER[0], NOVEMBER[1])
    source.rename(tmp_path / "moved")
    report = load(tmp_path / "moved", tmp_path / "zone", NOVEMBER[4])
    assert report.tables["readings"].moved == {str(tmp_path / "moved"): str(source)}
    assert ids(tmp_path / "zone") == [1, 2, 5, 90, 91]


@pytest.mark.quick
def test_a_part_that_is_lost_of_another_day_is_told_and_made_again_by_a_full_load(source: Path, tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    load(source, zone, NOVEMBER[0])
    next((zone / "readings/landing/part=2018-11-01").iterdir()).unlink()
    with pytest.raises(LandingError, match=r"2018-11-01\.json are gone .*: land its source too, with all its days"):
        load(source, zone, NOVEMBER[1])
    load(source, zone)
    assert ids(zone) == [1, 2, 3, 5, 90, 91]


@examples(max_examples=15)
@given(
    ranges=st.lists(st.lists(st.sampled_from(NOVEMBER), min_size=2, max_size=2), max_size=6),
    order=st.permutations(NOVEMBER),
)
def test_days_in_any_order_and_however_often_are_a_full_load(
    tmp_path_factory: pytest.TempPathFactory, ranges: list[list[date]], order: list[date]
) -> None:
    folder = tmp_path_factory.mktemp("days")
    for day in NOVEMBER:
        put(folder / "source", f"readings/{day}.json", [reading(day.day), reading(day.day + 10), {"id": "bad"}])
    put(folder / "source", "events/1.json", [reading(7)])
    load(folder / "source", folder / "full")
    for days in [*ranges, *([day] for day in order)]:
        load(folder / "source", folder / "zone", *days)
    assert facts(folder / "zone") == facts(folder / "full")
    before = content(folder / "zone")
    for days in [*ranges, *([day] for day in order), []]:
        assert not load(folder / "source", folder / "zone", *days).changed
    assert content(folder / "zone") == before
    assert_nothing_is_left_over(folder / "zone")


@pytest.mark.quick
def test_several_loads_are_told_as_one(source: Path, tmp_path: Path) -> None:
    put(source, "readings/2018-11-05.json", [reading(5), {"id": "bad"}])
    report = together([load(source, tmp_path / "zone", day) for day in NOVEMBER])
    told, full = report.tables["readings"], load(source, tmp_path / "full").tables["readings"]
    assert (told.files, told.records_new, told.copies, told.left_out) == (full.files, 6, full.copies, 0)
    assert (report.records_rejected, len(report.rejects), report.records_quarantined) == (1, 1, 1)
    assert not report.is_partial


# ---------------------------------------------------------------------------------------------------------- the days
@pytest.mark.quick
@pytest.mark.parametrize("written", ["2018-11-31", "20181101", "2018-W44-4", "yesterday", "", "2018-11-01T00:00", "-"])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{written} is no day: write it as 2018-11-30")):
        Days.written(written, "2018-11-30")


@pytest.mark.quick
def test_days_have_both_ends_and_an_order() -> None:
    assert list(Days.written("2018-11-01", "2018-11-05")) == NOVEMBER
    assert list(Days.written("2020-02-29", "2020-02-29")) == [date(2020, 2, 29)]
    with pytest.raises(SettingsError, match="2018-11-01 comes before 2018-11-02: the first day stands first"):
        Days.written("2018-11-02", "2018-11-01")


@pytest.mark.quick
def test_a_thousand_missing_days_are_a_line() -> None:
    missing = Days.written("2018-11-01", "2021-12-31").without_files({date(2018, 11, 2)})
    assert in_words(missing) == "2018-11-01, 2018-11-03 to 2021-12-31 (1,155 days)"


@pytest.mark.quick
def test_only_tables_whose_files_tell_their_day_can_have_gaps(source: Path, tmp_path: Path) -> None:
    assert days_in([source], tmp_path / "zone", DAILY) == {"readings": set(NOVEMBER)}


def dataset(source: Path, tmp_path: Path) -> Dataset:
    return Dataset(PROJECT_DIR, "mine", [str(source)], 1, str(tmp_path / "zone"))


@pytest.mark.quick
def test_gaps_are_named_and_land_nothing_unless_they_are_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in ("2018-11-01", "2018-11-04"):
        put(tmp_path / "source", f"log_data/2018/11/{day}-events.json", "")
    data, days = dataset(tmp_path / "source", tmp_path), Days.written("2018-10-31", "2018-11-05")
    with pytest.raises(LandingError, match="nothing was landed: the sources have 2018-11-01 to 2018-11-04"):
        backfill.check_gaps(data, days, ConsoleReporter(), allow_gaps=False)
    backfill.check_gaps(data, days, ConsoleReporter(), allow_gaps=True)
    named = "staging_events has no file of 2018-10-31, 2018-11-02 to 2018-11-03 (2 days), 2018-11-05\n"
    assert capsys.readouterr().out.count(named) == 2
    assert not (tmp_path / "zone").exists()


@pytest.mark.quick
def test_data_without_days_is_for_a_full_load(tmp_path: Path) -> None:
    put(tmp_path / "source", "customers/1.json", "")
    with pytest.raises(LandingError, match="no file of the sources tells its day in its path: `run` lands them all"):
        backfill.check_gaps(
            dataset(tmp_path / "source", tmp_path),
            Days.written("2018-11-01", "2018-11-02"),
            ConsoleReporter(),
            allow_gaps=True,
        )


# ----------------------------------------------------------------------------------------------------- the whole way
class Command:
    """The command on a copy of the project, with the sample's data under a name of its own."""

    def __init__(self, folder: Path) -> None:
        self.project = copy_project(folder / "project")
        self.source = generate(folder / "source", 0.02).to
        days = days_in([self.source], folder / "none", TABLES)["staging_events"]
        self.first, self.last = str(min(days)), str(max(days))

    def started(self, *options: str, zone: Path) -> "subprocess.Popen[str]":
        given = ("--source", str(self.source), "--dataset", "mine", *options)
        environment = {**os.environ, "LANDING_ZONE": str(zone), "PSEUDONYM_KEY": KEY}
        return subprocess.Popen(
            [LAKEHOUSE, *given_first(given)],
            cwd=self.project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ran(self, *options: str, zone: Path) -> str:
        with self.started(*options, zone=zone) as process:
            said, _ = process.communicate()
        assert process.returncode == 0, said
        return said


def given_first(arguments: Sequence[str]) -> Iterator[str]:
    """The command's name in front of its options, which every call of it has."""
    names = [argument for argument in arguments if argument in ("run", "backfill")]
    yield from names
    yield from (argument for argument in arguments if argument not in names)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("backfill"))


def test_a_killed_backfill_goes_on_and_gives_the_rows_of_a_full_load(command: Command, tmp_path: Path) -> None:
    """All models of Sparkify are built from both zones: its files tell their day. Of STEDI none does."""
    days = ("backfill", command.first, command.last, "--land-only")
    with command.started(*days, zone=tmp_path / "by_day") as process:
        assert process.stdout
        said = next((line for line in process.stdout if ", 3 of " in line), "")
        process.send_signal(signal.SIGKILL)
    assert said.startswith(str(days_of(command).first + timedelta(days=2)))
    assert 2 < len(ledger_of(tmp_path / "by_day", "staging_events")) < len(days_of(command)), "it was not half-way"
    said = command.ran(*days, zone=tmp_path / "by_day")
    assert f"{command.first}, 1 of {len(days_of(command))}: nothing new" in said
    assert f"landed, and not built: {tmp_path}/by_day" in said
    before = content(tmp_path / "by_day")
    assert "nothing to do" in command.ran(*days, zone=tmp_path / "by_day")
    assert content(tmp_path / "by_day") == before
    command.ran("run", "--land-only", zone=tmp_path / "at_once")
    by_day, at_once = (rows(tmp_path / f"{zone}_project", tmp_path / zone) for zone in ("by_day", "at_once"))
    assert by_day == at_once
    assert len(by_day) > 10
    assert all(by_day.values())


def days_of(command: Command) -> Days:
    return Days.written(command.first, command.last)


TIMELESS = "select columns(name -> name <> 'landed_at') from {} order by all"


def rows(folder: Path, zone: Path) -> dict[str, list[Any]]:
    """Every row of every relation that dbt builds of Sparkify, whenever its record was landed."""
    project = DbtProject.copy(folder, zone, "mine")
    project.register()
    statuses = project.dbt("run", "--select", "path:models/sparkify")
    assert set(statuses.values()) == {"success"}
    with duckdb.connect(str(project.database), read_only=True) as database:
        tables = database.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('sparkify', 'sparkify_staging') order by 1"
        ).fetchall()
        return {name: database.execute(TIMELESS.format(name)).fetchall() for (name,) in tables}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["2018-11-02", "2018-11-01"], "2018-11-01 comes before 2018-11-02"),
        (["2018-11-01", "today"], "today is no day: write it as 2018-11-30"),
    ],
)
def test_wrong_days_are_told_before_anything_is_read(tmp_path: Path, options: list[str], told: str) -> None:
    done = subprocess.run([LAKEHOUSE, "backfill", *options], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.quick
def test_land_takes_days(tmp_path: Path) -> None:
    for number, day in enumerate(("2018-11-01", "2018-11-02")):
        event = {"sessionId": 1, "itemInSession": number, "ts": 1541105830796, "page": "Home"}
        put(tmp_path / "source", f"log_data/{day}-events.json", [event])
    ask: Callable[..., Any] = lambda *options: subprocess.run(  # noqa: E731 - a short name for one call
        [LAKEHOUSE, "land", "--source", tmp_path / "source", "--to", tmp_path / "zone", *options],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "--from-day and --to-day go together" in ask("--from-day", "2018-11-01").stderr
    done = ask("--from-day", "2018-11-02", "--to-day", "2018-11-02", "--json")
    table = json.loads(done.stdout)["tables"]["staging_events"]
    assert (table["records_landed"], table["left_out"]) == (1, 1)
