"""Which relations take in new records alone, and whatever has them built whole."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console

from dbt_project import copy_project
from lakehouse.derived import text_repair
from lakehouse.environment import variables
from lakehouse.landing.contents import Contents, contents_of
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.fingerprints import Fingerprint, fingerprints
from lakehouse.pipeline.growth import growing_since, growth_of
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all, landed, put

pytestmark = pytest.mark.quick

GROWING = {
    "stg_sparkify__events", "int_sparkify__song_plays", "events", "songplays", "sessions", "songs_by_session_item",
}  # fmt: skip
TWICE = "Bj\u00c3\u0083\u00c2\u00b6rk"
EVENT: dict[str, Any] = {"sessionId": 1, "itemInSession": 0, "ts": 1541105830796, "page": "NextSong", "song": TWICE}
SONG = {"song_id": "S1", "title": "Tide", "artist_id": "A1", "artist_name": "Reef", "duration": 200.5, "year": 2001}

Noted = dict[str, Fingerprint]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    project = copy_project(tmp_path_factory.mktemp("growth") / "project")
    session = DbtSession(project, "duckdb", "mine", Console(quiet=True))
    with variables({"LANDING_ZONE": str(project / "zone"), "DUCKDB_PATH": None}):
        session.parse()
    return session.manifest


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a source, of which a day is landed."""
    put(tmp_path / "source", "sparkify/song_data/1.json", [SONG])
    deliver(tmp_path, "2018-11-01", EVENT)
    return tmp_path


def deliver(world: Path, day: str, *events: dict[str, Any]) -> None:
    put(world / "source", f"sparkify/log_data/2018/11/{day}-events.json", list(events))
    land_all([world / "source"], world / "zone", forget_vanished=True)


def contents(world: Path) -> dict[str, Contents]:
    return contents_of(open_folder(str(world / "zone")), TABLES)


def made_of(manifest: Manifest, held: dict[str, Contents], settings: str = "settings") -> Noted:
    return fingerprints(manifest, settings, held, "mine")


def growing(manifest: Manifest, noted: Noted, held: dict[str, Contents], settings: str = "settings") -> dict[str, int]:
    growth = growth_of(manifest, held, noted)
    made_before = fingerprints(manifest, settings, growth.before, "mine")
    found = growing_since(manifest, growth, made_before, noted)
    return {key.split(".", 2)[2]: since for key, since in found.items()}


def landed_at(world: Path) -> int:
    files = [json.loads(line) for line in (world / "zone/loader/ledger/staging_events.json").read_text().splitlines()]
    return max(int(file["landed_at"]) for file in files)


def test_files_that_were_added_are_taken_in_however_many_loads_brought_them(manifest: Manifest, world: Path) -> None:
    noted, since = made_of(manifest, contents(world)), landed_at(world)
    assert growing(manifest, noted, contents(world)) == {}
    for day in ("2018-11-02", "2018-11-03"):
        deliver(world, day, EVENT | {"sessionId": 2, "song": f"{TWICE} {day}"})
        assert growing(manifest, noted, contents(world)) == dict.fromkeys(GROWING, since)


def test_repairs_are_added_beside_those_that_are_there(world: Path) -> None:
    before = contents(world)["text_repairs"].records
    deliver(world, "2018-11-02", EVENT | {"song": f"{TWICE} too"})
    assert before in contents(world)["text_repairs"].earlier
    repaired = [json.loads(line)["repaired_text"] for line in landed(world / "zone", "text_repairs")]
    assert sorted(repaired) == ["Bj\u00f6rk", "Bj\u00f6rk too"]
    deliver(world, "2018-11-01", EVENT | {"song": "Tide"})  # a repair less: all are landed anew
    assert contents(world)["text_repairs"].earlier == {}
    assert len(list(landed(world / "zone", "text_repairs"))) == 1


def test_repairs_that_are_found_in_another_way_are_landed_anew(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be of texts that older records have."""
    monkeypatch.setattr(text_repair, "VERSION", "another")
    deliver(world, "2018-11-02", EVENT | {"song": f"{TWICE} too"})
    assert contents(world)["text_repairs"].earlier == {}


def test_a_file_that_is_corrected_has_all_built_whole(manifest: Manifest, world: Path) -> None:
    noted = made_of(manifest, contents(world))
    deliver(world, "2018-11-02", EVENT | {"sessionId": 2})
    deliver(world, "2018-11-01", EVENT | {"page": "Home"})
    assert growing(manifest, noted, contents(world)) == {}


def test_a_file_that_is_gone_has_all_built_whole(manifest: Manifest, world: Path) -> None:
    deliver(world, "2018-11-02", EVENT | {"sessionId": 2})
    noted = made_of(manifest, contents(world))
    (world / "source/sparkify/log_data/2018/11/2018-11-02-events.json").unlink()
    deliver(world, "2018-11-03", EVENT | {"sessionId": 3})
    assert growing(manifest, noted, contents(world)) == {}


def test_a_song_more_has_what_reads_songs_built_whole(manifest: Manifest, world: Path) -> None:
    noted = made_of(manifest, contents(world))
    put(world / "source", "sparkify/song_data/2.json", [{**SONG, "song_id": "S2"}])
    deliver(world, "2018-11-02", EVENT | {"sessionId": 2})
    assert growing(manifest, noted, contents(world)).keys() == GROWING - {"songplays", "sessions"}


def test_other_code_settings_or_a_relation_that_is_gone_are_built_whole(manifest: Manifest, world: Path) -> None:
    noted = made_of(manifest, contents(world))
    deliver(world, "2018-11-02", EVENT | {"sessionId": 2})
    held = contents(world)
    assert growing(manifest, noted, held, settings="others") == {}
    songplays = "model.lakehouse.songplays"
    other = {**noted, songplays: replace(noted[songplays], code="other")}
    assert growing(manifest, other, held).keys() == GROWING - {"songplays"}
    del other[songplays]
    assert growing(manifest, other, held).keys() == GROWING - {"songplays"}
    assert growing(manifest, {}, held) == {}


def test_a_model_that_was_built_before_its_table_was_noted_is_built_whole(manifest: Manifest, world: Path) -> None:
    """Of a build in which it failed, and which noted what the tables hold."""
    first = made_of(manifest, contents(world))
    deliver(world, "2018-11-02", EVENT | {"sessionId": 2})
    songplays = "model.lakehouse.songplays"
    noted = {**made_of(manifest, contents(world)), songplays: first[songplays]}
    deliver(world, "2018-11-03", EVENT | {"sessionId": 3})
    assert growing(manifest, noted, contents(world)).keys() == GROWING - {"songplays"}
