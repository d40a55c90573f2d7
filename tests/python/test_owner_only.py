"""What the commands make of people's data is its owner's only, and nothing is written through what somebody planted."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.derived.people import land_people
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PUBLIC
from lakehouse.landing.suppression import suppress
from lakehouse.privacy.zone import erase_from_zone
from lakehouse.storage.local import LocalFolder
from lakehouse.storage.owner_only import keep_private, narrow, protect
from landing_helpers import TABLES, ids, load, put
from real_data import LAKEHOUSE, PROJECT_DIR

pytestmark = pytest.mark.quick

CUSTOMER = {
    "email": "a@test.com",
    "serialNumber": "D1",
    "registrationDate": 1_655_564_400_000,
    "lastUpdateDate": 1_655_564_400_000,
}
CUSTOMERS = "stedi/customer/landing/customers.json"


@pytest.fixture(autouse=True)
def _wide_umask() -> Iterator[None]:
    """As on most machines: others may read whatever is not kept from them."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[Path]:
    """Everything below a folder that group or others have any right to; links have no rights of their own."""
    return [path for path in folder.rglob("*") if not path.is_symlink() and path.lstat().st_mode & 0o077]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    put(tmp_path / "source", "readings/a/1.json", [{"id": 1}, {"id": 2}])
    put(tmp_path / "source", "readings/a/2.json", "broken\n")
    return tmp_path / "source"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    return tmp_path / "zone"


def test_a_landing_zone_is_its_owners_only_whatever_the_umask(tmp_path: Path) -> None:
    """Parts, quarantine, ledger, lock, what is derived, the list of those who were erased."""
    put(tmp_path / "source", CUSTOMERS, [CUSTOMER, {**CUSTOMER, "email": "b@test.com"}, {"email": 1}])
    zone = tmp_path / "made/zone"
    land([tmp_path / "source"], zone, TABLES)
    land_people(zone, TABLES, PUBLIC, print)
    suppress(LocalFolder(zone), {"a@test.com": ()}, PUBLIC)
    erase_from_zone(zone, TABLES, ["a@test.com"], print)
    assert {"loader/.lock", "loader/suppressed.json", "loader/ledger/customer_landing.json"} <= {
        path.relative_to(zone).as_posix() for path in zone.rglob("*")
    }
    assert open_to_others(zone.parent) == []
    assert zone.parent.stat().st_mode & 0o077 == 0


def test_what_a_command_makes_from_now_on_is_its_owners_only(tmp_path: Path) -> None:
    keep_private()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    assert open_to_others(tmp_path) == []


def test_a_command_narrows_what_an_earlier_one_left_open(tmp_path: Path) -> None:
    project, zone = tmp_path / "project", tmp_path / "shared/zone"
    (project / "models").mkdir(parents=True)
    for path in PROJECT_DIR.glob("models/**/_*__sources.yml"):
        put(project, path.relative_to(PROJECT_DIR).as_posix(), path.read_text())
    wide = [
        "target/run/a.sql",
        "logs/dbt.log",
        ".parity/duckdb/rows/a",
        ".diff/head/rows/a",
        "sample_data/stedi/a.json",
        "lakehouse.duckdb",
    ]
    wide += ["lakehouse.duckdb.wal", ".lakehouse.duckdb.erasing"]
    for name in wide:
        put(project, name, "people's data")
    for name in ("loader/erasures/1.json", "customer/landing/part.json.gz"):
        put(zone, name, "people's data")
    put(zone, "somebody/elses.txt", "theirs")
    put(tmp_path / "elsewhere", "file", "theirs")
    (zone / "loader/link").symlink_to(tmp_path / "elsewhere")
    protect(project, str(zone), ConsoleReporter())
    assert [path for path in open_to_others(project) if "models" not in path.parts] == []
    assert open_to_others(zone / "loader") == open_to_others(zone / "customer/landing") == []
    assert len(open_to_others(zone / "somebody")) == len(open_to_others(tmp_path / "elsewhere")) == 1
    assert (tmp_path / "shared").stat().st_mode & 0o077
    assert (tmp_path / "elsewhere").stat().st_mode & 0o077


def test_the_database_alone_is_narrowed_in_a_folder_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "another", "a.wal", "bazaar"):
        put(tmp_path, name, "")
    monkeypatch.setenv("DUCKDB_PATH", str(tmp_path / "a"))
    protect(PROJECT_DIR, "s3://bucket/zone", ConsoleReporter())
    assert {path.name for path in open_to_others(tmp_path)} == {"another", "bazaar"}


def test_what_somebody_else_owns_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DUCKDB_PATH", str(put(tmp_path, "lake.duckdb", "")))
    before = Path.chmod

    def chmod(path: Path, mode: int) -> None:
        if path.name == "lake.duckdb":
            raise PermissionError(1, "Operation not permitted", str(path))
        before(path, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    assert narrow([tmp_path / "lake.duckdb"]) == [tmp_path / "lake.duckdb"]
    protect(PROJECT_DIR, "s3://bucket/zone", ConsoleReporter())
    assert "others may have rights to 1 files" in (said := capsys.readouterr().out)
    assert f"{tmp_path}/lake.duckdb" in said


def test_each_command_keeps_what_it_makes_to_its_owner(tmp_path: Path) -> None:
    """The whole of what a person runs; `make run` is tested with the database in test_run.py."""
    made = tmp_path / "sample"
    zone = tmp_path / "zone"
    for line in (
        ("sample", "--to", made, "--scale", "0.02"),
        ("land", "--source", made, "--to", zone),
        ("repair-text", "--zone", zone),
    ):
        subprocess.run([LAKEHOUSE, *map(str, line)], cwd=PROJECT_DIR, check=True, capture_output=True)
        assert open_to_others(made) == []
    assert zone.stat().st_mode & 0o077 == 0
    assert open_to_others(zone) == []


# ------------------------------------------------------------------------------------------------- planted links
@pytest.mark.parametrize("kind", ["link", "link to nowhere", "hard link", "pipe", "folder"])
def test_a_planted_lock_is_refused_and_what_it_leads_to_stays(
    source: Path, zone: Path, tmp_path: Path, kind: str
) -> None:
    victim = put(tmp_path, "victim", "precious")
    lock = zone / "loader/.lock"
    lock.parent.mkdir(parents=True)
    if kind == "link":
        lock.symlink_to(victim)
    elif kind == "link to nowhere":
        lock.symlink_to(tmp_path / "nowhere")
    elif kind == "hard link":
        lock.hardlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.mkdir()
    with pytest.raises(LandingError, match=r"loader/\.lock.*(remove it|Is a directory)"):
        load(source, zone)
    assert victim.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "place", ["loader", "readings", "readings/landing", "loader/ledger", "loader/quarantine/readings"]
)
def test_a_planted_folder_in_the_zone_is_refused(source: Path, zone: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (zone / place).parent.mkdir(parents=True)
    (zone / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LandingError, match=f"zone/{place} is a link, and nothing is written through links"):
        load(source, zone)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    "place", ["loader/ledger/readings.json", "loader/ledger/.readings.json.tmp", "loader/suppressed.json"]
)
def test_a_planted_file_in_the_zone_is_not_written_through(
    source: Path, zone: Path, tmp_path: Path, place: str
) -> None:
    load(source, zone)
    victim = put(tmp_path, "victim", "precious")
    planted = zone / place
    planted.unlink(missing_ok=True)
    planted.symlink_to(victim)
    put(source, "readings/a/3.json", [{"id": 3}])
    try:
        load(source, zone)
        suppress(LocalFolder(zone), {"a@test.com": ()}, PUBLIC)
    except LandingError as error:
        assert place in str(error)  # noqa: PT017 - what comes first may be refused, or the link be removed
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644


def test_a_zone_may_be_reached_by_a_link_and_a_part_that_is_one_is_no_part(
    source: Path, zone: Path, tmp_path: Path
) -> None:
    """The link is the owner's own word; links within are not."""
    (tmp_path / "real").mkdir()
    zone.symlink_to(tmp_path / "real")
    load(source, zone)
    assert ids(zone) == [1, 2]
    assert open_to_others(tmp_path / "real") == []
