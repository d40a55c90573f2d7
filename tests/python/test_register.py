"""The landing zone becomes visible to DuckDB, which reads a folder in place."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from dbt_project import DbtProject
from lakehouse.declaration import Table
from lakehouse.landing.load import land
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all, ledger_of, put
from real_data import PROJECT_DIR


class WatchedFiles(LocalFileSystem):  # type: ignore[misc]  # untyped
    """This machine's files, as `watched://`; something may happen before each listing and each opening."""

    protocol = "watched"
    before: Callable[[], None]

    def glob(self, path: str, **options: Any) -> list[str]:  # noqa: ANN401
        self.before()
        return list(super().glob(path.removeprefix("watched://"), **options))

    def _open(self, path: str, *options: Any, **named: Any) -> Any:  # noqa: ANN401
        self.before()
        return super()._open(path, *options, **named)


def land_songs(folder: Path, version: int, tables: Mapping[str, Table] = TABLES) -> None:
    for artist in "ABCD":
        song = {"song_id": f"{version}{artist}", "artist_id": artist, "artist_name": "n", "title": "t", "duration": 1.5}
        put(folder / "source", f"song_data/{artist}/1.json", [song])
    land([folder / "source"], folder / "lake/zone", tables)


@dataclass
class Registered:
    """A project on DuckDB that has registered a zone."""

    project: DbtProject
    zone: Path

    def connect(self, zone: str, files: AbstractFileSystem | None = None) -> duckdb.DuckDBPyConnection:
        """A database with its views, of another zone."""
        views = self.project.query(
            "select schema_name, sql from duckdb_views() where view_name in ('ledger', 'staging_songs') order by 1"
        )
        connection = duckdb.connect(config={"threads": 1})
        if files:
            connection.register_filesystem(files)
        connection.execute("attach ':memory:' as lakehouse; use lakehouse")
        for schema, sql in views:
            connection.execute(f"create schema {schema}; {str(sql).replace(str(self.zone), zone)}")
        return connection


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """A zone that was named with more slashes than it needs, as a person may type it."""
    folder = tmp_path_factory.mktemp("registered")
    land_songs(folder, 0)
    land_all([folder / "source"], folder / "lake/zone")
    (folder / "project").mkdir()
    copied = DbtProject.copy(folder / "project", folder, "mine")
    project = DbtProject(copied.folder, AsTyped(f"/{folder}/lake//zone//"), "mine")  # type: ignore[arg-type]
    project.register()
    return Registered(project, folder / "lake/zone")


class AsTyped(str):
    """A path that pathlib would put right."""

    __slots__ = ()


def test_duckdb_reads_a_zone_however_many_slashes_its_name_has(registered: Registered) -> None:
    assert registered.project.rows("sparkify_landing.staging_songs") == 4
    assert registered.project.query("select * from loader.objects order by object_key") == [
        ("staging_songs", row["object_key"], 1) for row in ledger_of(registered.zone, "staging_songs")
    ]


@pytest.mark.parametrize("spelling", ["/a/b", "//a///b//", "s3://abc", "s3://abc/", "s3://abc//d", "s3://abc/d//e/"])
def test_engines_and_loader_understand_the_name_of_a_zone_alike(spelling: str) -> None:
    source = (PROJECT_DIR / "macros/landing/landing_zone.sql").read_text().partition("{%- endmacro %}")
    macro = jinja2.Template(source[0] + source[1] + "{{ landing_zone() }}")
    names: dict[str, Any] = {"env_var": lambda name, default: spelling, "return": str, "modules": {"re": re}}
    assert macro.render(names).strip() == open_folder(spelling).location


@pytest.mark.parametrize("are_leftovers", [False, True])
def test_a_query_of_duckdb_sees_the_old_state_or_the_new_one_or_fails_whenever_a_load_takes_effect(
    registered: Registered, tmp_path: Path, *, are_leftovers: bool
) -> None:
    """What the load before left over is deleted by the next one, so a query that listed it fails in any case."""
    songs = {"staging_songs": TABLES["staging_songs"]}
    land_songs(tmp_path, 0)
    files, moment, passed = WatchedFiles(), 0, 0

    def load_at_the_moment() -> None:
        nonlocal passed
        passed += 1
        if passed == moment:
            land_songs(tmp_path, moment, songs)

    files.before = load_at_the_moment
    seen = Counter[str]()
    with registered.connect(f"watched://{tmp_path}/lake/zone", files) as connection:
        while passed >= moment:
            if not are_leftovers:
                land_songs(tmp_path, moment, songs)
            moment, passed = moment + 1, 0
            try:
                found = connection.execute("select song_id from sparkify_landing.staging_songs order by 1").fetchall()
            except duckdb.Error as error:
                seen["failed"] += "query again" in str(error) or "No such file" in str(error)
            else:
                states = {number: [(f"{number}{artist}",) for artist in "ABCD"] for number in (moment - 1, moment)}
                assert found in states.values(), f"at moment {moment}"
                seen["new" if found == states[moment] else "old"] += 1
    assert seen.total() == moment
    assert min(seen["old"], seen["new"], seen["failed"]) > 0, seen


def test_duckdb_tells_of_every_record_when_it_was_landed(registered: Registered, tmp_path: Path) -> None:
    land_songs(tmp_path, 0)
    song = {"song_id": "0A", "artist_id": "A", "artist_name": "n", "title": "later", "duration": 1.5, "landed_at": 7}
    put(tmp_path / "source", "song_data/A/2.json", [song])
    land([tmp_path / "source"], tmp_path / "lake/zone", TABLES)
    first, second = sorted({row["landed_at"] for row in ledger_of(tmp_path / "lake/zone", "staging_songs")})
    with registered.connect(f"{tmp_path}/lake/zone") as connection:
        found = connection.execute(
            "select song_id, title, landed_at from sparkify_landing.staging_songs order by all"
        ).fetchall()
    assert found == [("0A", "later", second), *((f"0{artist}", "t", first) for artist in "ABCD")]


@pytest.mark.parametrize("query", ["select *", "select count(*)", "select song_id", "select 1"])
def test_a_part_that_is_lost_fails_a_query_of_duckdb(registered: Registered, tmp_path: Path, query: str) -> None:
    land_songs(tmp_path, 0)
    (lost,) = (tmp_path / "lake/zone").rglob("part=A/2*.json.gz")
    lost.unlink()
    with (
        registered.connect(f"{tmp_path}/lake/zone") as connection,
        pytest.raises(duckdb.InvalidInputException, match=r"part=A/.*\.json\.gz is not there"),
    ):
        connection.execute(f"{query} from sparkify_landing.staging_songs").fetchall()
