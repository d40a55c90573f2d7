"""The landing zone becomes visible to DuckDB, which copies what it does not hold yet."""

import gzip
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest

from dbt_project import DbtProject
from lakehouse.declaration import Table
from lakehouse.landing.load import land
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all, ledger_of, put
from real_data import PROJECT_DIR

SONGS = {"staging_songs": TABLES["staging_songs"]}


def land_songs(folder: Path, version: int, tables: Mapping[str, Table] = TABLES, artists: str = "ABCD") -> None:
    for artist in artists:
        song = {"song_id": f"{version}{artist}", "artist_id": artist, "artist_name": "n", "title": "t", "duration": 1.5}
        put(folder / "source", f"song_data/{artist}/1.json", [song])
    land([folder / "source"], folder / "lake/zone", tables)


@dataclass
class Registered:
    """A project on DuckDB that has registered a zone of four songs."""

    project: DbtProject
    folder: Path

    @property
    def zone(self) -> Path:
        return self.folder / "lake/zone"

    def part_of(self, artist: str) -> Path:
        """The part in which an artist's song lies."""
        (row,) = (row for row in ledger_of(self.zone, "staging_songs") if f"/{artist}/" in row["source_file"])
        return self.zone / str(row["object_key"])

    def songs(self) -> list[str]:
        return [
            str(row[0]) for row in self.project.query("select song_id from sparkify_landing.staging_songs order by 1")
        ]

    def change(self, sql: str) -> None:
        """Does something to the database by hand."""
        with duckdb.connect(str(self.project.database)) as connection:
            connection.execute(sql)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """A zone that was named with more slashes than it needs, as a person may type it; what it was is kept beside it."""
    folder = tmp_path_factory.mktemp("registered")
    land_songs(folder, 0)
    land_all([folder / "source"], folder / "lake/zone")
    copied = DbtProject.copy(folder / "project", folder, "mine")
    project = DbtProject(copied.folder, AsTyped(f"/{folder}/lake//zone//"), "mine")  # type: ignore[arg-type]
    project.register()
    for part in ("source", "lake"):
        shutil.copytree(folder / part, folder / "kept" / part)
    shutil.copy(project.database, folder / "kept")
    return Registered(project, folder)


@pytest.fixture
def registered(once: Registered) -> Registered:
    """The zone and the database as they were at first."""
    for part in ("source", "lake"):
        shutil.rmtree(once.folder / part)
        shutil.copytree(once.folder / "kept" / part, once.folder / part)
    shutil.copy(once.folder / "kept" / once.project.database.name, once.project.database)
    return once


class AsTyped(str):
    """A path that pathlib would put right."""

    __slots__ = ()


def test_duckdb_reads_a_zone_however_many_slashes_its_name_has(registered: Registered) -> None:
    assert registered.songs() == ["0A", "0B", "0C", "0D"]
    assert registered.project.query("select * from loader.objects order by object_key") == [
        ("staging_songs", row["object_key"], 1) for row in ledger_of(registered.zone, "staging_songs")
    ]


@pytest.mark.parametrize("spelling", ["/a/b", "//a///b//", "s3://abc", "s3://abc/", "s3://abc//d", "s3://abc/d//e/"])
def test_engines_and_loader_understand_the_name_of_a_zone_alike(spelling: str) -> None:
    source = (PROJECT_DIR / "macros/landing/landing_zone.sql").read_text().partition("{%- endmacro %}")
    macro = jinja2.Template(source[0] + source[1] + "{{ landing_zone() }}")
    names: dict[str, Any] = {"env_var": lambda name, default: spelling, "return": str, "modules": {"re": re}}
    assert macro.render(names).strip() == open_folder(spelling).location


def test_a_zone_whose_name_has_what_stands_for_other_characters_is_read(once: Registered, tmp_path: Path) -> None:
    folder = tmp_path / "it's [0-9] * or ?"
    land_songs(folder, 0)
    land_all([folder / "source"], folder / "lake/zone")
    land_songs(tmp_path / "it's 5 x or y", 1)
    once.project.database.unlink(missing_ok=True)
    project = DbtProject(once.project.folder, folder / "lake/zone", "mine")
    project.register()
    assert Registered(project, folder).songs() == ["0A", "0B", "0C", "0D"]


def test_what_is_copied_is_not_read_again(registered: Registered) -> None:
    registered.part_of("A").write_bytes(b"no gzip, and no JSON")
    land_songs(registered.folder, 1, SONGS, artists="BE")
    registered.project.register()
    assert registered.songs() == ["0A", "0C", "0D", "1B", "1E"]


def test_duckdb_tells_of_every_record_when_it_was_landed(registered: Registered) -> None:
    song = {"song_id": "0A", "artist_id": "A", "artist_name": "n", "title": "later", "duration": 1.5, "landed_at": 7}
    put(registered.folder / "source", "song_data/A/2.json", [song])
    land([registered.folder / "source"], registered.zone, TABLES)
    registered.project.register()
    first, second = sorted({row["landed_at"] for row in ledger_of(registered.zone, "staging_songs")})
    found = registered.project.query(
        "select song_id, title, landed_at from sparkify_landing.staging_songs order by all"
    )
    assert found == [("0A", "later", second), *((f"0{artist}", "t", first) for artist in "ABCD")]


def test_a_part_that_is_lost_before_it_is_copied_is_named(registered: Registered) -> None:
    land_songs(registered.folder, 1, SONGS, artists="A")
    lost = registered.part_of("A")
    lost.unlink()
    assert f"{lost} is not there, although the ledger names it" in registered.project.refusal_to_register()


def test_a_part_that_cannot_be_read_leaves_the_table_as_it_was(registered: Registered) -> None:
    land_songs(registered.folder, 1, SONGS, artists="AB")
    whole = registered.part_of("B").read_bytes()
    registered.part_of("B").write_bytes(gzip.compress(b'{"song_id": "1B"'))
    assert str(registered.part_of("B")) in registered.project.refusal_to_register()
    assert registered.songs() == ["0A", "0B", "0C", "0D"]
    registered.part_of("B").write_bytes(whole)
    registered.project.register()
    assert registered.songs() == ["0C", "0D", "1A", "1B"]


@pytest.mark.parametrize(
    "by_hand",
    [
        "delete from sparkify_landing.staging_songs__rows where song_id = '0C'",
        "insert into sparkify_landing.staging_songs__rows select * from sparkify_landing.staging_songs__rows",
        "update sparkify_landing.staging_songs__rows set landed_at = 7 where song_id = '0A'",
        "alter table sparkify_landing.staging_songs__rows drop column title cascade",
        "alter table sparkify_landing.staging_songs__rows alter column duration type float",
        "drop table sparkify_landing.staging_songs__rows cascade",
        "drop view sparkify_landing.staging_songs; drop table loader.ledger",
        "update sparkify_landing.staging_songs__rows set object_key = null where song_id = '0A'",
        "insert into sparkify_landing.staging_songs__rows (song_id) values ('bogus')",
        "drop view sparkify_landing.staging_songs; create table sparkify_landing.staging_songs as select 1 as one",
        "drop table sparkify_landing.staging_songs__rows; "
        "create view sparkify_landing.staging_songs__rows as select 1 as one",
    ],
)
def test_what_somebody_changed_by_hand_is_copied_anew(registered: Registered, by_hand: str) -> None:
    before = registered.project.query("select * from sparkify_landing.staging_songs order by all")
    registered.change(by_hand)
    registered.project.register()
    assert registered.project.query("select * from sparkify_landing.staging_songs order by all") == before


def test_a_file_of_an_older_version_whose_ledger_is_a_view_is_taken_over(registered: Registered) -> None:
    registered.change("drop table loader.ledger; create view loader.ledger as select 1 as one")
    registered.change("create or replace view sparkify_landing.staging_songs as select 1 as one")
    registered.project.register()
    assert registered.songs() == ["0A", "0B", "0C", "0D"]


def test_records_that_the_ledger_names_no_more_are_out_of_the_table(registered: Registered) -> None:
    (registered.folder / "source/song_data/A/1.json").unlink()
    land([registered.folder / "source"], registered.zone, SONGS, forget_vanished=True)
    registered.project.register()
    assert registered.songs() == ["0B", "0C", "0D"]


def test_values_that_somebody_changed_are_copied_again_when_that_is_asked_for(registered: Registered) -> None:
    """Where as many rows are there as the ledger says, only the test of the columns' checksums sees it."""
    registered.change("update sparkify_landing.staging_songs__rows set song_id = '9A' where song_id = '0A'")
    registered.project.register()
    assert registered.songs() == ["0B", "0C", "0D", "9A"]
    registered.project.register(anew=True)
    assert registered.songs() == ["0A", "0B", "0C", "0D"]


def test_a_table_with_other_columns_stays_until_what_is_to_replace_it_can_be_read(registered: Registered) -> None:
    registered.change("alter table sparkify_landing.staging_songs__rows add column more integer")
    whole = registered.part_of("B").read_bytes()
    registered.part_of("B").write_bytes(b"no gzip")
    assert str(registered.part_of("B")) in registered.project.refusal_to_register()
    assert registered.songs() == ["0A", "0B", "0C", "0D"]
    registered.part_of("B").write_bytes(whole)
    registered.project.register()
    assert registered.songs() == ["0A", "0B", "0C", "0D"]


def test_what_was_copied_into_a_table_that_is_declared_no_more_goes(registered: Registered) -> None:
    registered.change(
        "create table sparkify_landing.plays__rows as from sparkify_landing.staging_songs__rows; "
        "create view sparkify_landing.plays as from sparkify_landing.plays__rows; "
        "create table mine__rows as select 1 as one"
    )
    registered.project.register()
    there = registered.project.query(
        "select table_name from duckdb_tables() union select view_name from duckdb_views()"
    )
    assert ("plays__rows",) not in there
    assert ("plays",) not in there
    assert ("mine__rows",) in there
