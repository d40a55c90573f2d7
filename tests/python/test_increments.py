"""Relations that take in what is new alone have the rows that a build of everything gives them, whatever is delivered.

Hundreds of sessions live side by side, each with a random history of its own: events that come late, twice, in one file
or in many, under keys that are there already and of another page, user, time or text. They are landed for real, and
built by the project's own materialization, on DuckDB.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest

from building import WithoutReports, copied, parsed_copy, run_once, with_manifest
from lakehouse.environment import variables
from lakehouse.errors import BuildError
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_report import RunReport
from landing_helpers import land_all, put
from lanes import EVERYTHING

GROWING = 6
"""How many relations take in what is new: all that have a row an event or a session."""
SESSIONS = range(1, 300)
DAYS = 12 if EVERYTHING else 3
NOON_MS = 1_655_564_400_000
ONCE, TWICE = "Bj\u00c3\u00b6rk", "Bj\u00c3\u0083\u00c2\u00b6rk"
SONGS = [
    {"song_id": f"S{n}", "title": title, "artist_id": f"A{n % 3}", "artist_name": artist, "duration": 100.5 + n}
    for n, (title, artist) in enumerate([("Tide", "Reef"), ("Tide", "Reef"), ("Ebb", "Bj\u00f6rk"), ("Ebb", TWICE)])
]


def event(chance: random.Random, session: int) -> dict[str, Any]:
    """An event of a session, in one of few places in it, so that it often meets another one."""
    is_play = chance.random() < 0.6
    return {
        "sessionId": session,
        "itemInSession": chance.randrange(4),
        "ts": NOON_MS + chance.randrange(5) * 3_600_000,
        "userId": chance.choice(["", str(session), str(session % 7)]),
        "firstName": chance.choice([None, "", "Ada"]),
        "level": chance.choice(["free", "paid", None]),
        "page": "NextSong" if is_play else chance.choice(["Home", "Submit Upgrade", "Logout"]),
        "song": chance.choice(["Tide", "Ebb", f"{TWICE} {chance.randrange(9)}"]) if is_play else None,
        "artist": chance.choice(["Reef", "Bj\u00f6rk", TWICE, ONCE]) if is_play else None,
        "length": chance.choice([100.5, 101.25, 0.1]) if is_play else None,
    }


@dataclass
class House:
    """A source, and what is built of it."""

    folder: Path
    session: DbtSession
    chance: random.Random

    @property
    def data(self) -> Dataset:
        return Dataset(self.session.project_dir, "mine", [str(self.folder / "source")], 1.0, str(self.folder / "zone"))

    def deliver(self, name: str) -> None:
        """A file of events of some of the sessions, of which some are in it more than once."""
        sessions = self.chance.choices(SESSIONS, k=200)
        rows = [event(self.chance, session) for session in sessions]
        put(self.folder / "source", f"sparkify/log_data/2018/11/{name}-events.json", rows)

    def run(self, database: str = "lakehouse.duckdb", *, is_full: bool = False) -> RunReport:
        """What `lakehouse run` does."""
        land_all([self.folder / "source"], self.data.zone, forget_vanished=True)
        session = with_manifest(self.session, copied(self.session.manifest), WithoutReports)
        with variables({"DUCKDB_PATH": str(self.folder / database)}):
            return run_once(session, self.data, is_full=is_full)

    def check(self) -> None:
        """Compares every row of Sparkify with a build of everything, in a database of its own."""
        self.run("whole/lakehouse.duckdb", is_full=True)
        grown, whole = (self._rows(database) for database in ("lakehouse.duckdb", "whole/lakehouse.duckdb"))
        assert grown.keys() == whole.keys() >= {"sparkify.songplays", "report.listeners_daily"}
        assert [name for name in whole if grown[name] != whole[name]] == []
        assert whole["sparkify.songplays"]

    def _rows(self, database: str) -> dict[str, list[str]]:
        with duckdb.connect(str(self.folder / database), read_only=True) as connection:
            names = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() where schema_name in "
                "('sparkify', 'sparkify_staging', 'report')"
            ).fetchall()
            return {name: sorted(map(repr, connection.execute(f"from {name}").fetchall())) for (name,) in names}


def without_stedi(manifest: Manifest) -> None:
    """Takes out STEDI's models, all tests, and what reads them."""
    manifest.exposures, manifest.metrics, manifest.semantic_models, manifest.saved_queries = {}, {}, {}, {}
    gone = {key for key, node in manifest.nodes.items() if key.startswith("test.") or "stedi" in node.fqn}
    while gone & manifest.nodes.keys():
        manifest.nodes = {key: node for key, node in manifest.nodes.items() if key not in gone}
        gone |= {key for key, node in manifest.nodes.items() if gone.intersection(node.depends_on_nodes)}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A source of which a first day is built; only Sparkify's models are there, and no tests."""
    with parsed_copy(tmp_path) as session:
        without_stedi(session.manifest)
        (tmp_path / "whole").mkdir()
        made = House(tmp_path, session, random.Random(7))  # noqa: S311 - of a test
        put(tmp_path / "source", "sparkify/song_data/1.json", SONGS)
        put(tmp_path / "source", "stedi/customer/landing/1.json", [{"email": "a@x.com", "lastUpdateDate": NOON_MS}])
        made.deliver("2018-11-01")
        assert made.run().relations_grown == 0
        yield made


def test_a_day_more_is_taken_in_as_if_all_was_built_anew(house: House) -> None:
    for day in range(2, 2 + DAYS):
        house.deliver(f"2018-11-{day:02}")
        if day % 3 == 0:  # a run that was skipped
            land_all([house.folder / "source"], house.data.zone)
            house.deliver(f"2018-11-{day:02}-late")
        report = house.run()
        assert report.relations_grown == GROWING, day
    house.check()


def test_what_somebody_changed_by_hand_fails_once_and_is_then_built_whole(house: House) -> None:
    with duckdb.connect(str(house.folder / "lakehouse.duckdb")) as connection:
        connection.execute("alter table sparkify.events add column note varchar")
    house.deliver("2018-11-02")
    with pytest.raises(BuildError):
        house.run()
    assert house.run().relations_grown == 0
    house.check()
