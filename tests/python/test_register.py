"""The landing zone becomes visible to the engines.

To Redshift and Athena it does on S3, through the unmodified adapters on local endpoints.
"""

import gzip
import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import pytest
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from dbt_project import DbtProject, environment
from lakehouse.declaration import Table
from lakehouse.landing.load import land
from lakehouse.sample import generate
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all, ledger_of, put
from lanes import on_engines
from real_data import PROJECT_DIR
from warehouses import LANDING_TABLES, Warehouse, endpoints, open_warehouse  # noqa: F401 - one is a fixture

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [  # of the adapters and the driver: Python's own advice to them, and connections that they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample of both domains."""
    return generate(tmp_path_factory.mktemp("small") / "sample", scale=0.02).to


@pytest.fixture(params=[pytest.param("redshift", marks=on_engines), pytest.param("athena", marks=on_engines)])
def warehouse(
    request: pytest.FixtureRequest,
    endpoints: "S3Client",  # noqa: F811 - the fixture
    small_sample: Path,
    tmp_path: Path,
) -> Iterator[Warehouse]:
    """An engine that has registered the landed sample; every test has a zone of its own."""
    with registered_warehouse(request.param, small_sample, tmp_path) as opened:
        yield opened


@pytest.fixture
def redshift(
    endpoints: "S3Client",  # noqa: F811 - the fixture
    small_sample: Path,
    tmp_path: Path,
) -> Iterator[Warehouse]:
    """The engine that copies."""
    with registered_warehouse("redshift", small_sample, tmp_path) as opened:
        yield opened


@contextmanager
def registered_warehouse(target: str, sample: Path, folder: Path) -> Iterator[Warehouse]:
    """Lands the sample in a zone of its own, and registers it."""
    shutil.copytree(sample, folder / "source")
    with open_warehouse(target, folder, sample.parent / f"target_{target}") as warehouse:
        warehouse.load()
        warehouse.forget_zone()
        assert warehouse.register(), "\n".join(warehouse.messages)
        yield warehouse


def test_every_landed_record_is_a_row_and_a_second_run_adds_none(warehouse: Warehouse) -> None:
    rows = warehouse.rows()
    assert rows == warehouse.ledger()
    assert [name for name, count in rows.items() if not count] == ["customer_suspensions"]
    objects = warehouse.query("select table_name, object_key, row_count from loader.objects order by 1, 2")
    assert warehouse.register()
    assert warehouse.rows() == rows
    assert warehouse.query("select table_name, object_key, row_count from loader.objects order by 1, 2") == objects
    assert warehouse.agrees(), "\n".join(warehouse.messages)


def test_another_zone_is_refused_before_anything_of_it_is_registered(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = warehouse.rows()
    with environment({"LANDING_ZONE": f"s3://lake/{tmp_path.name}/another"}):
        assert not warehouse.register()
    assert "not from s3://lake/" in "\n".join(warehouse.messages)
    assert "forget_landing_zone" in "\n".join(warehouse.messages)
    assert warehouse.rows() == rows
    assert warehouse.query("select zone, dataset from loader.built_from") == [[warehouse.zone, "small"]]


def test_values_arrive_as_they_were_written(warehouse: Warehouse) -> None:
    file = next((warehouse.source / "sparkify/song_data").rglob("*.json*"))
    song = json.loads(file.read_bytes().splitlines()[0]) | {
        "song_id": "SOTEST0000000001",
        "artist_name": 112,
        "title": 'quote " \\ slash é 😀',
        "artist_latitude": None,
        "year": 2001,
        "duration": 1e-7,
    }
    (file.parent / "one.json").write_text(json.dumps(song))
    forms = {"number": 1691348231425, "text": "1691348231425", "empty": "", "false": False, "0": 0, "null": None}
    customers = [
        {"email": f"{name}@forms.test", "lastUpdateDate": 1691348231425, "shareWithResearchAsOfDate": form}
        for name, form in forms.items()
    ]
    put(warehouse.source, "stedi/customer/landing/forms.json", customers)
    warehouse.load()
    assert warehouse.register()
    (row,) = warehouse.query(
        "select title, artist_name, artist_latitude, year, duration from sparkify_landing.staging_songs "
        "where song_id = 'SOTEST0000000001'"
    )
    title, artist, latitude, year, duration = row
    assert (title, artist, latitude, int(year), float(duration)) == (song["title"], "112", None, 2001, 1e-7)
    told = warehouse.query(
        "select email, sharewithresearchasofdate from stedi_landing.customer_landing where email like '%@forms.test'"
    )
    assert dict(told) == {
        "number@forms.test": "1691348231425",
        "text@forms.test": "1691348231425",
        "empty@forms.test": "",
        "false@forms.test": "false",
        "0@forms.test": "0",
        "null@forms.test": None,
    }


def test_changed_new_and_vanished_files_show_after_the_next_run(warehouse: Warehouse) -> None:
    events = sorted((warehouse.source / "sparkify/log_data").rglob("*.json"))
    events[0].write_bytes(events[0].read_bytes().splitlines()[0])
    events[1].unlink()
    new_day = events[2].with_name("2018-12-24-events.json")
    new_day.write_bytes(events[2].read_bytes().replace(b'"sessionId":', b'"sessionId":9'))
    before, time_before = warehouse.rows(), warehouse.entries("staging_events")[0]["landed_at"]
    warehouse.load()
    assert warehouse.register()
    assert warehouse.rows() == warehouse.ledger() != before
    assert warehouse.agrees(), "\n".join(warehouse.messages)
    told = warehouse.query(
        "select landed_at, substring(cast(ts as varchar(13)), 1, 8) as days, count(*) "
        "from sparkify_landing.staging_events group by 1, 2"
    )
    assert {(int(landed_at), days): int(count) for landed_at, days, count in told} == landed_by_time(warehouse)
    assert min(int(landed_at) for landed_at, *_ in told) == time_before < max(int(landed_at) for landed_at, *_ in told)


def landed_by_time(warehouse: Warehouse) -> Counter[tuple[int, str]]:
    """How many events the parts hold, by when the ledger says that they were landed, and by when they happened."""
    times = {row["object_key"]: row["landed_at"] for row in warehouse.entries("staging_events") if row["object_key"]}
    return Counter(
        (landed_at, str(json.loads(line)["ts"])[:8])
        for key, landed_at in times.items()
        for line in gzip.decompress(warehouse.read(key)).splitlines()
    )


def test_refused_records_are_in_the_quarantine_table(warehouse: Warehouse) -> None:
    file = next((warehouse.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(file.read_bytes() + b'\n{"email": 7}\nbroken \xff\n')
    warehouse.load()
    assert warehouse.register()
    refused = warehouse.query(
        "select reason from loader.quarantine where table_name = 'customer_landing' order by line"
    )
    assert len(refused) == 2
    assert "customerName" in refused[0][0] or "email" in refused[0][0] or "missing" in refused[0][0]
    assert warehouse.agrees(), "\n".join(warehouse.messages)


def test_freshness_is_the_ledgers(warehouse: Warehouse) -> None:
    assert warehouse.dbt("source", "freshness")
    sources = json.loads((warehouse.target_folder / "sources.json").read_text())["results"]
    assert {result["status"] for result in sources} == {"pass"}
    assert len(sources) == len(LANDING_TABLES)


def test_a_part_that_is_lost_is_found_missing(warehouse: Warehouse) -> None:
    if warehouse.target == "redshift":
        warehouse.query("delete from loader.objects where table_name = 'customer_landing'")
    else:
        (key,) = {row["object_key"] for row in warehouse.entries("customer_landing")}
        warehouse.write(key, gzip.compress(b""))
    assert not warehouse.agrees()
    assert any("agrees_with_ledger_stedi_customer_landing" in message for message in warehouse.messages)


def last_written(warehouse: Warehouse, table: str) -> str:
    """The object of a table that the last load wrote."""
    return str(max(warehouse.entries(table), key=lambda row: (row["landed_at"], row["object_key"]))["object_key"])


@on_engines
def test_a_copy_that_takes_another_number_of_rows_than_was_landed_changes_nothing(redshift: Warehouse) -> None:
    before = redshift.rows()
    file = next((redshift.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:3]))
    redshift.load()
    key = last_written(redshift, "customer_landing")
    whole = redshift.read(key)
    lines = gzip.decompress(whole).splitlines(keepends=True)
    count = len(lines)
    redshift.write(key, gzip.compress(b"".join(lines[:-1])))
    assert not redshift.register()
    told = f"COPY took {count - 1} rows of loader/copy/customer_landing/records/"
    assert [m for m in redshift.messages if told in m and f"the ledger says {count}." in m], redshift.messages
    assert redshift.rows()["customer_landing"] == before["customer_landing"]
    redshift.write(key, whole)
    assert redshift.register()
    assert redshift.rows() == redshift.ledger()
    assert redshift.agrees()


@on_engines
def test_what_copy_refuses_comes_back_with_object_line_column_and_reason(redshift: Warehouse) -> None:
    before = redshift.rows()
    file = next((redshift.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:2]))
    redshift.load()
    key = last_written(redshift, "customer_landing")
    *good, last = gzip.decompress(redshift.read(key)).splitlines(keepends=True)
    bad = json.loads(last) | {"registrationDate": "yesterday"}
    redshift.write(key, gzip.compress(b"".join(good) + json.dumps(bad).encode() + b"\n"))
    assert not redshift.register()
    assert redshift.rows()["customer_landing"] == before["customer_landing"]
    assert redshift.dbt("run-operation", "print_load_errors")
    (told,) = {message for message in redshift.messages if message.startswith("COPY refused")}
    assert f"{redshift.zone}/{key}, line {len(good) + 1}, column registrationdate: " in told


@on_engines
def test_two_runs_at_once_copy_everything_once(redshift: Warehouse) -> None:
    file = next((redshift.source / "stedi/step_trainer").rglob("*.json"))
    file.write_bytes(file.read_bytes().replace(b'"distanceFromObject":2', b'"distanceFromObject":3'))
    redshift.load()
    runs: list[Callable[[], bool]] = [redshift.register, redshift.register]
    threads = [threading.Thread(target=run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redshift.rows() == redshift.ledger()
    assert redshift.agrees()


# --- DuckDB reads a folder, in place


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
