"""The DuckDB file that a run builds: what readers see meanwhile, and which landing zone it is of."""

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from rich.console import Console

from dbt_project import copy_project
from lakehouse.environment import variables
from lakehouse.errors import BuildError, DbtError, LandingError
from lakehouse.pipeline import databases
from lakehouse.pipeline.databases import DuckDBFiles, open_database
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage import open_folder
from lakehouse.storage.zone import NO_ZONE_YET, give_zone_id, zone_id
from landing_helpers import land_all, put

CUSTOMER = {
    "email": "a@test.com",
    "serialNumber": "D1",
    "registrationDate": 1_655_564_400_000,
    "lastUpdateDate": 1_655_564_400_000,
}
CLIENT = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads") as database:
    if sys.argv[2] == "writes":
        database.execute("create table by_hand as select 1 as one")
    print(database.execute("select value from built").fetchall(), flush=True)
    sys.stdin.readline()
    print(database.execute("select value from built").fetchall(), flush=True)
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> DbtSession:
    project = copy_project(tmp_path_factory.mktemp("databases") / "project")
    parsed = DbtSession(project, "duckdb", "mine", Console(file=io.StringIO()))
    with variables({"DUCKDB_PATH": str(project / "lakehouse.duckdb")}):
        parsed.parse()
    return parsed


@pytest.fixture
def place(session: DbtSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the project's database is when nobody names another one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    monkeypatch.setenv("LANDING_ZONE", str(tmp_path / "zone"))
    monkeypatch.setattr(
        databases, "named_path", lambda _: Path(os.environ.get("DUCKDB_PATH", folder / "lakehouse.duckdb"))
    )
    yield folder / "lakehouse.duckdb"
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def build(session: DbtSession, value: object, zone: str = NO_ZONE_YET, *, fails: bool = False) -> list[str]:
    """A run whose build is a table with one value; what the run said."""
    said: list[str] = []
    with open_database(session, zone) as database, database.building(said.append) as attempt:
        with duckdb.connect(os.environ["DUCKDB_PATH"]) as new:
            new.execute("create or replace table built as select ? as value", [value])
        if fails:
            raise BuildError("a test failed", {}, ())
        attempt.has_passed = True
    return said


def value_in(path: Path) -> object:
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute("select value from built").fetchall()[0][0]


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"lakehouse.duckdb.lock"}


@contextmanager
def client(path: Path, does: str) -> "Iterator[subprocess.Popen[str]]":
    """An SQL client in a process of its own, which has the database open."""
    command = [sys.executable, "-c", CLIENT, str(path), does]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# --- what readers see


def test_a_build_is_seen_when_it_has_passed(session: DbtSession, place: Path) -> None:
    build(session, 1)
    assert value_in(place) == 1
    place.chmod(0o640)
    with pytest.raises(BuildError):
        build(session, 2, fails=True)
    assert value_in(place) == 1
    failed = place.parent / "lakehouse.duckdb.failed/lakehouse.duckdb"
    assert value_in(failed) == 2
    assert failed.parent.stat().st_mode & 0o777 == 0o700
    build(session, 3)
    assert value_in(place) == 3
    assert place.stat().st_mode & 0o777 == 0o640
    assert files_in(place.parent) == {place.name}


def test_a_first_build_that_fails_publishes_nothing(session: DbtSession, place: Path) -> None:
    with pytest.raises(BuildError):
        build(session, 1, fails=True)
    assert not place.exists()


def test_what_has_passed_is_published_although_something_fails_after_it(session: DbtSession, place: Path) -> None:
    def build_without_site() -> None:
        with open_database(session, NO_ZONE_YET) as database, database.building(print) as attempt:
            with duckdb.connect(os.environ["DUCKDB_PATH"]) as new:
                new.execute("create table built as select 1 as value")
            attempt.has_passed = True
            raise DbtError("no site")

    with pytest.raises(DbtError, match="no site"):
        build_without_site()
    assert value_in(place) == 1


def test_a_run_that_was_killed_leaves_what_was_there(session: DbtSession, place: Path) -> None:
    build(session, 1)
    unfinished = place.parent / "lakehouse.duckdb.unfinished/lakehouse.duckdb"
    unfinished.parent.mkdir()
    unfinished.write_text("half a file")
    unfinished.with_name("lakehouse.duckdb.wal").write_text("half a log")
    assert value_in(place) == 1
    build(session, 2)
    assert value_in(place) == 2
    assert files_in(place.parent) == {place.name}


def test_ctrl_c_leaves_what_was_there(session: DbtSession, place: Path) -> None:
    build(session, 1)
    with pytest.raises(KeyboardInterrupt), open_database(session, NO_ZONE_YET) as database, database.building(print):
        raise KeyboardInterrupt
    assert files_in(place.parent) == {place.name}
    assert "DUCKDB_PATH" not in os.environ


def test_a_full_disk_leaves_what_was_there(session: DbtSession, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(session, 1)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(LandingError, match="No space left"):
        build(session, 2)
    assert value_in(place) == 1
    assert files_in(place.parent) == {place.name}


def test_who_reads_while_a_build_goes_on_reads_what_was_there(session: DbtSession, place: Path) -> None:
    build(session, 1)
    with open_database(session, NO_ZONE_YET) as database:
        with database.building(print) as attempt:
            with duckdb.connect(os.environ["DUCKDB_PATH"]) as new:
                new.execute("update built set value = 2")
            attempt.has_passed = True
            with client(place, "writes") as writer:
                assert "Traceback" in line_of(writer), "what it writes would be lost"
            reader = subprocess.Popen(
                [sys.executable, "-c", CLIENT, str(place), "reads"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert line_of(reader) == "[(1,)]"
        assert value_in(place) == 2
        assert reader.communicate("\n")[0].strip() == "[(1,)]", "a reader loses its file"


@pytest.mark.parametrize("does", ["reads", "writes"])
def test_a_client_that_has_it_open_is_named_in_a_sentence(session: DbtSession, place: Path, does: str) -> None:
    """Nobody could be taken out of a file that is locked."""
    build(session, 1)
    with client(place, does) as other:
        line_of(other)
        with pytest.raises(LandingError, match="another run or an open SQL client holds the database"):
            build(session, 2)
    assert value_in(place) == 1


def test_what_a_killed_client_left_in_the_log_is_not_lost(session: DbtSession, place: Path) -> None:
    build(session, 1)
    with client(place, "writes") as writer:
        line_of(writer)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert place.with_name("lakehouse.duckdb.wal").exists()
    build(session, 2)
    with duckdb.connect(str(place), read_only=True) as database:
        assert database.execute("select one from by_hand").fetchall() == [(1,)]
    assert files_in(place.parent) == {place.name}


def test_a_second_run_waits_for_nobody(session: DbtSession, place: Path) -> None:
    build(session, 1)
    with (
        open_database(session, NO_ZONE_YET),
        pytest.raises(LandingError, match="another run or erasure is at work on"),
        open_database(session, NO_ZONE_YET),
    ):
        pass


def test_a_link_to_another_disk_stays_a_link(session: DbtSession, place: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    place.symlink_to(tmp_path / "disk/data.db")
    build(session, 1)
    build(session, 2)
    assert place.is_symlink()
    assert value_in(place) == 2
    assert files_in(tmp_path / "disk") == {"data.db"}


# --- of which landing zone it is


def landed_zone(folder: Path, name: str, address: str) -> str:
    """A landing zone of one customer, registered by the runs that follow; gives its id."""
    put(folder / f"source_{name}", "customer/landing/customers.json", [CUSTOMER | {"email": address}])
    land_all([folder / f"source_{name}"], folder / name)
    return give_zone_id(open_folder(folder / name), print)


def run_of(session: DbtSession, zone: Path, number: int) -> list[str]:
    """A run whose build adds a row to a history, as a snapshot does."""
    said: list[str] = []
    known = zone_id(open_folder(zone)) or NO_ZONE_YET
    with variables({"LANDING_ZONE": str(zone)}), open_database(session, known) as database:
        session.operation("preflight", zone_id=known)
        session.register(known)
        with database.building(said.append) as attempt:
            with duckdb.connect(os.environ["DUCKDB_PATH"]) as new:
                new.execute("create table if not exists history (email varchar, run integer)")
                new.execute("insert into history select email, ? from stedi_landing.customer_landing", [number])
            attempt.has_passed = True
    return said


def history_in(path: Path) -> list[tuple[str, int]]:
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute("select email, run from history order by run").fetchall()


def test_two_data_sets_in_turn_do_not_share_a_history(session: DbtSession, place: Path, tmp_path: Path) -> None:
    mine, other = (landed_zone(tmp_path, name, f"{name}@test.com") for name in ("mine", "other"))
    run_of(session, tmp_path / "mine", 1)
    said = run_of(session, tmp_path / "other", 2)
    aside = place.parent / f"lakehouse.duckdb.aside/mine-{mine}/lakehouse.duckdb"
    assert [line for line in said if str(aside) in line]
    assert history_in(place) == [("other@test.com", 2)]
    assert history_in(aside) == [("mine@test.com", 1)]
    run_of(session, tmp_path / "mine", 3)
    assert history_in(place) == [("mine@test.com", 1), ("mine@test.com", 3)]
    assert files_in(place.parent) == {place.name, f"lakehouse.duckdb.aside/mine-{other}/lakehouse.duckdb"}


def test_a_killed_change_of_data_sets_loses_neither(session: DbtSession, place: Path, tmp_path: Path) -> None:
    """Before the new file took its place, or after it and before the file that it was made of is removed."""
    mine, other = (landed_zone(tmp_path, name, f"{name}@test.com") for name in ("mine", "other"))
    run_of(session, tmp_path / "mine", 1)
    files = DuckDBFiles(place)
    for known in (mine, other):
        stale = files.place_aside({"dataset": "mine", "zone_id": known})
        stale.parent.mkdir(parents=True)
    os.link(place, files.place_aside({"dataset": "mine", "zone_id": mine}))
    run_of(session, tmp_path / "mine", 2)
    assert files.set_aside(mine) is None
    assert history_in(place) == [("mine@test.com", 1), ("mine@test.com", 2)]
    run_of(session, tmp_path / "other", 3)
    assert history_in(place) == [("other@test.com", 3)]


def test_a_named_database_refuses_another_zone_and_says_the_way_out(
    session: DbtSession, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("mine", "other"):
        landed_zone(tmp_path, name, f"{name}@test.com")
    monkeypatch.setenv("DUCKDB_PATH", str(place))
    run_of(session, tmp_path / "mine", 1)
    with pytest.raises(DbtError, match="preflight"):
        run_of(session, tmp_path / "other", 2)
    told = " ".join(capfd.readouterr().out.split())
    assert f"built from the landing zone {tmp_path}/mine (data set mine), not from {tmp_path}/other" in told
    assert "name another file with DUCKDB_PATH" in told
    assert "forget_landing_zone" in told
    assert history_in(place) == [("mine@test.com", 1)]
    session.operation("forget_landing_zone")
    run_of(session, tmp_path / "other", 3)
    assert history_in(place)[-1] == ("other@test.com", 3)


def test_a_zone_that_moved_is_the_same_zone_and_one_made_anew_is_not(
    session: DbtSession, place: Path, tmp_path: Path
) -> None:
    landed_zone(tmp_path, "mine", "mine@test.com")
    run_of(session, tmp_path / "mine", 1)
    (tmp_path / "mine").rename(tmp_path / "moved")
    run_of(session, tmp_path / "moved", 2)
    assert len(history_in(place)) == 2
    shutil.rmtree(tmp_path / "moved")
    landed_zone(tmp_path, "moved", "other@test.com")
    run_of(session, tmp_path / "moved", 3)
    assert history_in(place) == [("other@test.com", 3)]


def test_who_registers_by_hand_is_held_to_the_place_of_the_zone(
    session: DbtSession, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("mine", "other"):
        landed_zone(tmp_path, name, f"{name}@test.com")
    run_of(session, tmp_path / "mine", 1)
    monkeypatch.setenv("DUCKDB_PATH", str(place))
    monkeypatch.setenv("LANDING_ZONE", str(tmp_path / "mine"))
    session.register()
    monkeypatch.setenv("LANDING_ZONE", str(tmp_path / "other"))
    with pytest.raises(DbtError):
        session.register()
    assert "not from" in capfd.readouterr().out


def test_a_database_from_before_is_adopted_with_a_word(
    session: DbtSession, place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    landed_zone(tmp_path, "mine", "mine@test.com")
    with duckdb.connect(str(place)) as database:
        database.execute(
            "create schema stedi_privacy; create table stedi_privacy.consent_periods_snapshot as select 1 as one"
        )
    run_of(session, tmp_path / "mine", 1)
    assert f"from now on it is {tmp_path}/mine" in " ".join(capfd.readouterr().out.split())
    run_of(session, tmp_path / "mine", 2)
    assert "from now on" not in capfd.readouterr().out
    assert len(history_in(place)) == 2


def test_a_zone_has_one_id_for_ever(tmp_path: Path) -> None:
    zone = open_folder(tmp_path)
    assert zone_id(zone) is None
    given = give_zone_id(zone, print)
    assert give_zone_id(zone, print) == zone_id(zone) == given
    (tmp_path / "loader/zone.json").write_text("{")
    with pytest.raises(LandingError, match=r"zone\.json is broken"):
        zone_id(zone)
