"""Whatever happens between two runs, what the second one keeps is what a build of everything would have made.

A history is a row of deliveries, corrections, withdrawals and mishaps, with a run after each. At its end everything is
built once more, in a database of its own, and every row of every relation is compared.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from building import WithoutReports, copied, parsed_copy, run_once, with_manifest
from lakehouse.environment import variables
from lakehouse.errors import BuildError
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_report import RunReport
from lakehouse.sample import generate
from landing_helpers import land_all
from lanes import EVERYTHING

TELLS_OF_RUNS = ("consent_periods_snapshot", "consent_history")
"""What keeps what was known when: of a database that saw less, it is another one."""
HISTORIES = range(20 if EVERYTHING else 1)


@dataclass
class World:
    """A source, its landing zone and its database, as they come along."""

    folder: Path
    session: DbtSession
    random: random.Random
    said: list[str] = field(default_factory=list)

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def data(self) -> Dataset:
        return Dataset(self.session.project_dir, "mine", [str(self.source)], 1.0, str(self.folder / "zone"))

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.source.rglob(pattern))

    def some(self, pattern: str) -> Path:
        return self.random.choice([file for file in self.files(pattern) if file.stat().st_size > 1])

    def run(self, database: str = "lakehouse.duckdb", *, is_full: bool = False) -> RunReport:
        """What `lakehouse run` does, by a process that has just parsed the project."""
        land_all([self.source], self.data.zone, forget_vanished=True)
        session = with_manifest(self.session, copied(self.session.manifest), WithoutReports)
        with variables({"DUCKDB_PATH": str(self.folder / database)}):
            return run_once(session, self.data, is_full=is_full)

    def rows(self, database: str) -> dict[str, list[Any]]:
        """Every row of every relation, as text, in one order."""
        with duckdb.connect(str(self.folder / database), read_only=True) as connection:
            names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
            return {
                name: sorted(map(repr, connection.execute(f"from {name}").fetchall()))
                for (name,) in names
                if not name.startswith("loader.") and not name.endswith(TELLS_OF_RUNS)
            }

    def change_records(self, pattern: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        file = self.some(pattern)
        records = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(record) + "\n" for record in change(records)))


def a_day_comes(world: World) -> None:
    """The events of a day, once more under another date, by other sessions."""
    day = world.some("*-events.json")
    later = day.with_name(f"2019-01-{world.random.randrange(10, 31)}-events.json")
    records = [json.loads(line) for line in day.read_text().splitlines()]
    session = world.random.randrange(10_000, 20_000)
    later.write_text("".join(json.dumps({**record, "sessionId": session}) + "\n" for record in records))


def late_events_come(world: World) -> None:
    """A file more, which adds to sessions that are there, and corrects them: some plays are none, some are others'."""
    rows = [json.loads(line) for line in world.some("*-events.json").read_text().splitlines()]
    late = []
    for row in world.random.choices(rows, k=40):
        home = {"page": "Home", "song": None, "artist": None, "length": None}
        song = f"Bj\u00c3\u0083\u00c2\u00b6rk {world.random.random()}"
        garbled = {"page": "NextSong", "song": song, "artist": "A", "length": 1.5}
        changes: list[dict[str, Any]] = [
            home, garbled, {"level": "paid"}, {"userId": "7"}, {"userId": ""}, {"ts": row["ts"] + 86_400_000},
            {"itemInSession": row["itemInSession"] + 500}, {},
        ]  # fmt: skip
        late.append(row | world.random.choice(changes))
    place = world.source / f"sparkify/log_data/2018/12/2018-12-{world.random.randrange(10, 31)}-late-events.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in late)


def a_day_is_corrected(world: World) -> None:
    world.change_records("*-events.json", lambda rows: [{**row, "level": "paid"} for row in rows[:-1]])


def songs_change(world: World) -> None:
    world.change_records(
        "song_data/**/*.json", lambda rows: [{**row, "title": f"{row['title']} (live)"} for row in rows]
    )


def songs_go(world: World) -> None:
    world.some("song_data/**/*.json").unlink()


def somebody_withdraws(world: World) -> None:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        who = world.random.choice(rows)
        later = {key: value for key, value in who.items() if not key.startswith("shareWithResearch")}
        return [*rows, {**later, "lastUpdateDate": who["lastUpdateDate"] + 86_400_000}]

    world.change_records("customer/landing/*.json", change)


def a_record_cannot_be_read(world: World) -> None:
    """Whoever it may name is suspended."""
    world.change_records(
        "customer/landing/*.json", lambda rows: [*rows, {**world.random.choice(rows), "lastUpdateDate": "soon"}]
    )


def readings_come(world: World) -> None:
    world.change_records(
        "accelerometer/landing/*.json", lambda rows: [*rows, *({**row, "x": row["x"] + 1} for row in rows[:9])]
    )


def steps_go(world: World) -> None:
    world.change_records("step_trainer/landing/*.json", lambda rows: rows[: len(rows) // 2])


def somebody_builds_by_hand(world: World) -> None:
    """Something else than the project says: what is noted of the model's last build does not hold any more."""
    manifest = copied(world.session.manifest)
    manifest.nodes["model.lakehouse.songs"].raw_code += " where 1 = 0"
    with variables({"DUCKDB_PATH": str(world.folder / "lakehouse.duckdb")}):
        with_manifest(world.session, manifest).run_models(["songs"])


def relations_are_dropped(world: World) -> None:
    with duckdb.connect(str(world.folder / "lakehouse.duckdb")) as connection:
        connection.execute("drop table sparkify.users; drop table stedi.customer_curated")


def a_model_fails(world: World) -> None:
    """A run that brings something new, and of which nothing is published."""
    somebody_withdraws(world)
    land_all([world.source], world.data.zone, forget_vanished=True)
    manifest = copied(world.session.manifest)
    manifest.nodes["model.lakehouse.customer_curated"].raw_code = "select * from a_table_that_nobody_made"
    session = with_manifest(world.session, manifest, WithoutReports)
    with variables({"DUCKDB_PATH": str(world.folder / "lakehouse.duckdb")}), pytest.raises(BuildError):
        run_once(session, world.data)


def nothing_happens(world: World) -> None:
    for file in world.files("*.json")[::7]:
        file.touch()


EVENTS = (
    a_day_comes, late_events_come, somebody_withdraws, nothing_happens, a_day_is_corrected, somebody_builds_by_hand,
    songs_change, relations_are_dropped, a_model_fails, readings_come, a_record_cannot_be_read, steps_go, songs_go,
)  # fmt: skip
SHORT = (
    a_day_comes, late_events_come, somebody_withdraws, nothing_happens, somebody_builds_by_hand,
    relations_are_dropped, a_model_fails,
)  # fmt: skip
"""What `make test` tries, each once; with `ALL=1` histories are drawn from all."""


@pytest.fixture(params=HISTORIES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world in which everything was built once. Few tests: what they find, other tests try."""
    generate(tmp_path / "source", 0.02)
    (tmp_path / "source/sample.json").unlink()
    with parsed_copy(tmp_path) as session:
        nodes = session.manifest.nodes
        for key in [key for key in nodes if key.startswith("test.") and "unique" not in key]:
            del nodes[key]
        made = World(tmp_path, session, random.Random(request.param))  # noqa: S311 - of a test
        report = made.run()
        assert (report.relations_kept, report.tests_kept) == (0, 0)
        yield made


def test_what_is_kept_is_what_a_build_of_everything_makes(world: World) -> None:
    history = world.random.choices(EVENTS, k=8) if EVERYTHING else SHORT
    everything = len([key for key in world.session.manifest.nodes if key.startswith(("model", "seed", "snapshot"))])
    for event in history:
        event(world)
        report = world.run()
        world.said.append(f"{event.__name__}: {report.relations_built} built, {report.relations_grown} grown")
        assert report.relations_built + report.relations_kept == everything
        assert report.relations_kept > 0, world.said
        assert (report.relations_built == 0) == (event is nothing_happens), world.said
        assert (report.relations_grown > 0) <= (event in {a_day_comes, late_events_come}), world.said
    (world.folder / "whole").mkdir()
    whole = world.run("whole/lakehouse.duckdb", is_full=True)
    assert whole.relations_built == everything
    kept, built = world.rows("lakehouse.duckdb"), world.rows("whole/lakehouse.duckdb")
    assert kept.keys() == built.keys()
    assert [name for name in built if kept[name] != built[name]] == [], world.said
    assert built["sparkify.songplays"]
    assert built["stedi.customer_curated"]
